"""A small made-up bureau in a real database, built through the steps, at four stages of a year; and a browser-like client.

    start    accounts, register, plan
    frozen   pools frozen, one open round drafted
    drawn    that round drawn, visits combined, inspectors assigned
    worked   some records drafted, submitted, returned, approved

A second bureau (`other`) has an account of its own and nothing else.  Each stage is built once
a session and copied for each test.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment
from litestar import Litestar
from litestar.testing import TestClient

from portal.domain.sample import sample_plan
from portal.domain.seed import format_value
from portal.plugins import discover_sectors
from portal.settings import BEIJING, Settings
from portal.sheets.read import read_sheet
from portal.sheets.write import write_xlsx
from portal.steps import assign, commit, draw, forms, plan, pool, review, sample, setup, visits
from portal.steps.acting import Acting, open_acting, stamp
from portal.store import accounts, engine, passwords, rights
from portal.store import draw as draw_store
from portal.store import records as record_store
from portal.store import visits as visit_store
from portal.store.keys import load_keys
from portal.web.app import create_app, share
from portal.web.pages import build_environment
from tests import cluster, office
from tests.once import one_at_a_time

PASSWORD = "correct horse battery 1"
PASSPHRASE = "a passphrase of a holder"
ROUND, OPEN_TASKS = "359921-2026-R01", ("359921-2026-T001", "359921-2026-T003")
FOLLOW_UP = "责令改正：在门口公示营业执照。"
STAGES = ("start", "frozen", "drawn", "worked")
LOGINS = ("planner", "approver", "supervisor", "reviewer", "publisher", "auditor", "operator", "inspector", "station", "sysadmin", "secadmin")
SECTORS = discover_sectors("annual_reports,registration")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+08:00")


#: the instant each stage was finished, and is looked at
NOW = {"start": at("2026-03-02T09:00"), "frozen": at("2026-06-01T10:00"), "drawn": at("2026-06-04T09:00"), "worked": at("2026-08-03T10:00")}


@dataclass
class Clock:
    """Stands still until somebody moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


def settings_of(folder: Path, *, owner: bool = False) -> Settings:
    url = office.database_url(folder, owner=owner) or f"sqlite:///{folder / 'portal.db'}"
    return Settings(data=folder, database_url=url, simulated=False, sectors=None)


# Building -----------------------------------------------------------------------------


@dataclass
class Builder:
    folder: Path
    clock: Clock = field(default_factory=lambda: Clock(NOW["start"]))
    chance: Callable[[int], bytes] = secrets.token_bytes

    async def acting(self, login: str) -> Acting:
        keys = load_keys(self.folder / "keys")
        return await open_acting(await accounts.load_account(login), login, self.clock(), keys, SECTORS, token_bytes=self.chance)

    async def build(self, stage: str) -> None:
        """MINGCHA_CHANCE=1: drawn anew each run, to find what only some draws show; else the same bureau each time."""
        if not os.environ.get("MINGCHA_CHANCE"):
            self.chance = office.seeded_bytes(f"bureau {stage}")
        await engine.open_engine(settings_of(self.folder, owner=stage == "start").database_url)
        try:
            self.clock.now = NOW[stage]
            await getattr(self, stage)()
        finally:
            await engine.close_engine()

    async def start(self) -> None:
        now = self.clock()
        hashed = passwords.hash_password(PASSWORD)  # one hash for everybody: hashing is what costs
        await setup.init(
            key_folder=self.folder / "keys", name="未定名", region=setup.UNNAMED, now=now, stamp=stamp(now), sectors=SECTORS,
            password=lambda login: PASSWORD, token_bytes=self.chance,
        )  # fmt: skip
        await rights.install(lambda: cluster.PASSWORD, cluster.application())
        await sample.name_sample_bureau(1)
        for account in await accounts.load_accounts():
            await accounts.save_password(account["id"], hashed, must_change=False)
        await sample.fill_sample(await self.acting("operator"), 600, 1, lambda _: None)
        sheet = sample_plan(1)
        data = write_xlsx(sheet.rows, name=sheet.name, heading=2, merged=sheet.merged)
        await plan.import_plan(await self.acting("operator"), read_sheet(data, "plan.xlsx"), data)
        other = await accounts.save_organisation("359922", "别处市场监督管理局", "bureau", None, "359922")
        everything = ["planner", "approver", "reviewer", "publisher", "supervisor", "auditor", "operator", "sysadmin", "secadmin"]
        await accounts.save_account("other", "别处的人", other, everything, now, password=hashed, must_change=False)
        bureau = await accounts.load_organisation("359921")
        await accounts.save_account("fresh", "新来的人", bureau["id"], ["planner"], now, password=hashed, must_change=True)
        for one in (bureau["id"], other):  # whoever tests the second factor switches it on; here a password is enough
            await accounts.save_setting(f"policy/{one}", '{"factor":"off"}')
        station = await accounts.load_organisation("359921-S01")
        await accounts.save_account("station", "望城所所长", station["id"], ["station"], now, password=hashed, must_change=False)

    async def frozen(self) -> None:
        planner = await self.acting("planner")
        for task in OPEN_TASKS:
            await pool.freeze_pool(planner, task)
        code = await commit.create_round(
            planner, list(OPEN_TASKS), title="2026年第一批抽查", disclosure="open", sources=[source for source, _ in lotteries()],
            holders=[{"holder": "信用监督管理科", "login": "planner"}, {"holder": "派驻纪检监察组", "login": "supervisor"}],
            window=(date(2026, 7, 1), date(2026, 7, 31)), draw_not_before="2026-06-03T22:00:00+08:00",
        )  # fmt: skip
        assert code == ROUND

    async def drawn(self) -> None:
        self.clock.now = NOW["frozen"]
        for login in ("planner", "supervisor"):
            await commit.make_share(await self.acting(login), ROUND, PASSPHRASE)
        await commit.commit_round(await self.acting("approver"), ROUND)
        round_ = await draw_store.load_round(ROUND, (await self.acting("planner")).line)
        async with engine.transaction():
            await draw_store.save_published([round_["id"]], self.clock())
        self.clock.now = NOW["drawn"]
        planner = await self.acting("planner")
        for n, (_, value) in enumerate(lotteries()):
            await draw.enter_source(planner, ROUND, n, value)
        for login in ("planner", "supervisor"):
            await draw.release_share(await self.acting(login), ROUND, PASSPHRASE)
        await draw.draw_round(planner, ROUND)
        await visits.combine_visits(planner, ROUND)
        await assign.assign_inspectors(planner, ROUND)
        await self._inspector(planner)

    async def _inspector(self, act: Acting) -> None:
        """The login `inspector` is the busiest of the people assigned."""
        round_ = await draw_store.load_round(ROUND, act.line)
        load: dict[int, int] = {}
        for slots in (await visit_store.load_assigned([v["id"] for v in await visit_store.load_visits_of(round_["id"])])).values():
            for who in slots:
                load[who] = load.get(who, 0) + 1
        busiest = max(sorted(load), key=lambda who: load[who])
        organisation = (await accounts.load_organisation("359921"))["id"]
        await accounts.save_account(
            "inspector", "检查员", organisation, ["inspector"], act.now, password=(await accounts.load_account("planner"))["password"],
            inspector=busiest, must_change=False,
        )  # fmt: skip

    async def worked(self) -> None:
        operator = await self.acting("operator")
        lines = list(await sample.make_answers(operator, ROUND, 1))
        mine = await self._mine()
        kept = [line for line in lines if mine[0].encode() not in line]
        await forms.import_records(operator, b"".join(kept))
        reviewer = await self.acting("reviewer")
        waiting = await record_store.load_record_page(reviewer.tree, ["submitted"], limit=1000)
        for record in waiting[2:]:
            await review.review_record(reviewer, record["id"], approve=True, comment="", version=record["version"])
        # What the answers hold is chance: one follow-up is there whatever they say.
        known = {"record": waiting[2]["id"], "kind": "rectify", "note": FOLLOW_UP, "due_on": date(2026, 7, 20)}
        async with engine.transaction():
            await record_store.save_follow_ups([{**known, "confirmed_by": reviewer.account, "confirmed_at": reviewer.now}])
        await review.review_record(reviewer, waiting[0]["id"], approve=False, comment="请补充照片。", version=waiting[0]["version"])

    async def _mine(self) -> list[str]:
        act = await self.acting("inspector")
        return [row["code"] for row in await visit_store.load_visit_page(act.tree, inspector=act.inspector["id"])]


def lotteries() -> list[tuple[dict[str, Any], str]]:
    kl8, ssq = list(range(3, 80, 4))[:20], [[1, 8, 13, 20, 27, 33], [7]]
    return [
        ({"name": "快乐8第2026152期", "drawn_at": "2026-06-03T21:30:00+08:00", "groups": [[20, 1, 80]]}, format_value([kl8])),
        ({"name": "双色球第2026064期", "drawn_at": "2026-06-03T21:15:00+08:00", "groups": [[6, 1, 33], [1, 1, 16]]}, format_value(ssq)),
    ]  # fmt: skip


def build_stage(root: Path, stage: str, kind: str) -> Path:
    """The folder of a finished stage on one engine, made from the one before; by one process, the others wait for it."""
    folder, before = root / kind / stage, STAGES.index(stage) - 1
    if not folder.exists() and before >= 0:
        build_stage(root, STAGES[before], kind)
    folder.parent.mkdir(exist_ok=True)
    with one_at_a_time(folder.with_name(f"{stage}.lock")):
        if not folder.exists():
            fresh = folder.with_name(f"{stage}.new")  # a stage that failed half way is not taken for made
            shutil.rmtree(fresh, ignore_errors=True)
            if before >= 0:
                office.copy_folder(root / kind / STAGES[before], fresh)
            else:
                office.make_folder(fresh, kind)
            asyncio.run(Builder(fresh).build(stage))
            fresh.rename(folder)
    return folder


# Using --------------------------------------------------------------------------------


class Browser:
    """Somebody's browser: its own cookies, an Origin with every post, the token of the page it is on."""

    def __init__(self, client: TestClient):
        self.client = client
        self.origin = str(client.base_url).rstrip("/")
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any):
        self.client.cookies.clear()  # one client serves all browsers of a test
        jar = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        response = self.client.request(method, path, headers=jar | (headers or {}), follow_redirects=False, **more)
        for line in response.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
            if not self.cookies[name]:
                del self.cookies[name]
        if found := re.search(r'name="csrf" value="([^"]+)"', response.text):
            self.csrf = found[1]
        return response

    def get(self, path: str, **more: Any):
        return self.send("GET", path, **more)

    def post(self, path: str, fields: Any = (), *, headers: dict[str, str] | None = None, token: bool = True):
        """Post a form; `fields` is a dict or pairs. A header given as "" is left out."""
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        sent = {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
        body = urlencode(([("csrf", self.csrf)] if token and self.csrf else []) + pairs)
        return self.send("POST", path, {name: value for name, value in sent.items() if value}, content=body)

    def login(self, login: str, password: str = PASSWORD):
        response = self.post("/login", {"login": login, "password": password, "then": "/"}, token=False)
        assert response.status_code == 303, response.text
        self.get(response.headers["location"])
        return self

    @property
    def cookie(self) -> str:
        return self.cookies.get("__Host-mingcha", "")


@dataclass
class House:
    """A portal on a copy of a stage. `browser()` is somebody new; `query` looks into the database."""

    folder: Path
    clock: Clock
    client: TestClient

    def browser(self, login: str = "") -> Browser:
        fresh = Browser(self.client)
        return fresh.login(login) if login else fresh

    def query(self, sql: str, *values: Any) -> list[tuple]:
        return office.query(self.folder, sql, *values)


@cache
def once() -> tuple[Litestar, Environment]:
    """The application with its seventy routes and its compiled templates: made once a process, each costs more than a test."""
    app = create_app(None)
    return app, build_environment()


def open_house(folder: Path, stage: str, base_url: str = "https://portal.test", **more: Any) -> House:
    clock = Clock(NOW[stage].astimezone(BEIJING))
    settings = replace(settings_of(folder), **{k: more.pop(k) for k in ("simulated",) if k in more})
    app, templates = once()
    app.state.portal = replace(share(settings, keys=load_keys(folder / "keys"), sectors=SECTORS, clock=clock, wall=clock, **more), templates=templates)
    return House(folder, clock, TestClient(app, base_url=base_url, raise_server_exceptions=False))

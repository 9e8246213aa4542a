"""A small installation for tests: built once for each stage of the walk, then copied.

    filled     accounts, register, inspectors, plan; another bureau beside it
    committed  its two rounds (one open, one sealed) committed and published
    drawn      both drawn, visits combined, inspectors assigned
    entered    simulated answers imported, nothing reviewed
    approved   reviewed, nothing published
    published  everything published, the log's head signed, the bundle written

Chance comes from a seeded stream, time from the simulated clock: the same
stage is the same every time.  Passphrases are stretched for tests by next to nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import marshal
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.domain.roles import ROLES
from portal.domain.sample import sample_plan
from portal.domain.sample_stream import topic_key
from portal.domain.seed import format_value
from portal.plugins import Sectors, discover_sectors
from portal.settings import Settings, load_settings
from portal.steps import assign, commit, disclosure, draw, forms, plan, pool, publish, review, sample, setup, visits
from portal.steps.acting import Acting, open_acting, stamp
from portal.store import accounts, directory, engine, keys, rights, schema
from portal.store import draw as draw_store
from portal.store import plan as plan_store
from portal.store import visits as visit_store
from portal.store.tables import Entity, PoolBlock
from tests import cluster

ENGINES = ("sqlite", "postgres")
SEED = 7
ENTITIES = 400
PASSPHRASE = "一句足够长的口令 0001"
STAGES = ("filled", "committed", "drawn", "entered", "approved", "published")

OPEN, SEALED = "359921-2026-R01", "359921-2026-R02"
ANNUAL, INSTANT = "359921-2026-T001", "359921-2026-T002"
OTHER_REGION = "359922"
WINDOW = (date(2026, 6, 8), date(2026, 6, 30))
#: (name, drawn_at, groups, value): two issues two days after the commitment, 85 bits together
ISSUES = (
    ("福彩快乐8 第2026141期", "2026-05-27T21:30:00+08:00", [[20, 1, 80]], format_value([list(range(3, 80, 4))])),
    ("福彩双色球 第2026059期", "2026-05-27T21:15:00+08:00", [[6, 1, 33], [1, 1, 16]], format_value([[4, 11, 17, 23, 28, 32], [9]])),
)
AFTER_ISSUES = "2026-05-27T22:00:00+08:00"
HOLDERS = ({"holder": "信用监督管理科", "login": "planner"}, {"holder": "派驻纪检监察组", "login": "supervisor"})

FILLED, COMMITTED, DRAWN, ENTERED, REVIEWED = (
    "2026-05-25T09:00", "2026-05-25T10:00", "2026-05-28T09:00", "2026-07-02T09:00", "2026-07-03T09:00",
)  # fmt: skip

#: beyond the starters: second persons, and one who holds every role (so that only four-eyes rules stop them)
MORE = (
    ("planner2", ("planner",)), ("approver2", ("approver",)), ("publisher2", ("publisher",)), ("reviewer2", ("reviewer",)),
    ("boss", tuple(ROLES)), ("boss2", tuple(ROLES)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class House:
    """An opened installation: who acts, and what time it is."""

    settings: Settings
    keys: keys.Keys
    sectors: Sectors
    token_bytes: Callable[[int], bytes]

    def at(self, moment: str) -> None:
        self.settings.set_clock(f"{moment}:00+08:00")

    async def acting(self, login: str, sectors: Sectors | None = None) -> Acting:
        account = await accounts.load_account(login)
        return await open_acting(
            account, login, self.settings.now(), self.keys, sectors or self.sectors, token_bytes=self.token_bytes
        )

    async def round(self, code: str = OPEN) -> dict[str, Any]:
        act = await self.acting("boss")
        return await draw_store.load_round(code, act.tree)

    async def account_of(self, login: str, roles: Sequence[str], inspector: int | None = None, organisation: str = "") -> Acting:
        """A new account in the bureau (or a station of it), at work."""
        home = (await accounts.load_organisation(organisation or "359921"))["id"]
        async with engine.transaction():
            await accounts.save_account(login, login, home, roles, self.settings.now(), inspector=inspector)
        return await self.acting(login)


#: The sectors of the test bureau: its plan's other rows are 待模块, however many sectors are installed.
SECTORS = "annual_reports,registration"


@cache
def sectors() -> Sectors:
    return discover_sectors(SECTORS)


def seeded_bytes(topic: str) -> Callable[[int], bytes]:
    """A source of chance that repeats."""
    numbers = count()
    return lambda n: (topic_key(SEED, f"{topic} {next(numbers)}") * 4)[:n]


# Data folders ----------------------------------------------------------------

DATABASE = "database"  # the file in a data folder that names its PostgreSQL database; none: SQLite in the folder


def database_url(folder: Path, *, owner: bool = False) -> str:
    """The address of a data folder's database as DATABASE_URL; empty where it is the folder's own SQLite file.

    Installations work as the application role, as in a bureau; `owner`: with all rights, for init and for tampering.
    """
    place = folder / DATABASE
    return cluster.url_of(place.read_text(), owner=owner) if place.exists() else ""


def settings_of(folder: Path, *, owner: bool = False) -> Settings:
    return load_settings({
        "PORTAL_CLOCK": "simulated", "PORTAL_DATA": str(folder), "DATABASE_URL": database_url(folder, owner=owner), "PORTAL_SECTORS": SECTORS,
    })


async def become_owner() -> None:
    """Open the database that is open once more, as whoever holds its own password. SQLite: whoever has the file."""
    now = engine.current_engine()
    if now.engine_type == "postgres":
        cluster.let_go(urlsplit(now.url).path[1:])  # whoever asks for that changes rules
        await engine.close_engine()
        await engine.open_engine(cluster.url_of(urlsplit(now.url).path[1:], owner=True))


def make_folder(folder: Path, kind: str) -> Path:
    """A new data folder with an empty database."""
    folder.mkdir(parents=True)
    if kind == "postgres":
        (folder / DATABASE).write_text(cluster.create())
    return folder


def copy_folder(folder: Path, to: Path, *, kept: bool = False) -> Path:
    """A copy of a data folder and of its database, which must be closed; `kept` where it stays as it is for the whole run."""
    shutil.copytree(folder, to, symlinks=True)
    if (folder / DATABASE).exists():
        (to / DATABASE).write_text(cluster.create((folder / DATABASE).read_text(), kept=kept))
    return to


def query(folder: Path, sql: str, *values: Any) -> list[tuple]:
    """The rows of one statement in a data folder's database, past the portal and with every right; `?` for each value."""
    if (folder / DATABASE).exists():
        return cluster.query((folder / DATABASE).read_text(), sql, *values)
    with contextlib.closing(sqlite3.connect(folder / "portal.db")) as database, database:
        return database.execute(sql, values).fetchall()


def drop_databases_in(folder: Path) -> None:
    """A test is over: the databases of all data folders below its own."""
    cluster.drop(*{place.read_text() for place in folder.rglob(DATABASE) if place.is_file()})


async def open_house(folder: Path, topic: str = "test") -> House:
    settings = settings_of(folder)
    await engine.open_engine(settings.database_url)
    await schema.require_current()
    return House(settings, keys.load_keys(folder / "keys"), sectors(), seeded_bytes(topic))


# Stages ----------------------------------------------------------------------


async def fill(house: House) -> None:
    await sample.name_sample_bureau(SEED)
    await sample.fill_sample(await house.acting("operator"), ENTITIES, SEED, lambda _: None)
    bureau = (await accounts.load_organisation("359921"))["id"]
    async with engine.transaction():
        for login, roles in MORE:
            await accounts.save_account(login, login, bureau, roles, house.settings.now())
        other = await accounts.save_organisation(OTHER_REGION, "邻县市场监督管理局", "bureau", None, OTHER_REGION)
        for login in ("stranger", "stranger2"):
            await accounts.save_account(login, login, other, tuple(ROLES), house.settings.now())
    await plan.import_plan(await house.acting("operator"), sample_plan(SEED), b"the plan file")


async def draft(house: House, tasks: Sequence[str] = (ANNUAL,), disclosure_: str = "open", **given: Any) -> str:
    """Freeze the tasks' pools and draft a round over them."""
    planner = await house.acting("planner")
    for task in tasks:
        await pool.freeze_pool(planner, task, "class" if disclosure_ == "sealed" else "none")
    values: dict[str, Any] = {
        "title": "测试轮次", "disclosure": disclosure_, "holders": HOLDERS, "window": WINDOW, "draw_not_before": AFTER_ISSUES,
        "sources": [{"name": name, "drawn_at": at, "groups": groups} for name, at, groups, _ in ISSUES],
    }  # fmt: skip
    return await commit.create_round(planner, tasks, **values | given)


async def make_shares(house: House, code: str) -> None:
    for holder in HOLDERS:
        await commit.make_share(await house.acting(holder["login"]), code, PASSPHRASE)


async def publish_commitments(house: House, *codes: str) -> None:
    """What a release does to rounds: from now on they count as published. No site is built."""
    act = await house.acting("boss")
    ids = [(await draw_store.load_round(code, act.tree))["id"] for code in codes]
    await disclosure.save_published(
        act, {"rounds": ids, "digest": "0" * 64, "size": 0}, {"id": f"{len(codes):06d}-{'0' * 12}", "pages": 0, "pdfs": 0, "changed": 0}
    )


async def commit_both(house: House) -> None:
    house.at(COMMITTED)
    for tasks, kind in (((ANNUAL,), "open"), ((INSTANT,), "sealed")):
        code = await draft(house, tasks, kind)
        await make_shares(house, code)
        await commit.commit_round(await house.acting("approver"), code)
    await publish_commitments(house, OPEN, SEALED)


async def enter_sources(house: House, code: str) -> None:
    for n, (*_, value) in enumerate(ISSUES):
        await draw.enter_source(await house.acting("planner"), code, n, value)


async def release_shares(house: House, code: str) -> None:
    for holder in HOLDERS:
        await draw.release_share(await house.acting(holder["login"]), code, PASSPHRASE)


async def draw_both(house: House) -> None:
    house.at(DRAWN)
    for code in (OPEN, SEALED):
        await enter_sources(house, code)
        await release_shares(house, code)
        planner = await house.acting("planner")
        await draw.draw_round(planner, code)
        await visits.combine_visits(planner, code)
        await assign.assign_inspectors(planner, code)


async def enter_all(house: House) -> None:
    house.at(ENTERED)
    operator = await house.acting("operator")
    lines: dict[bytes, None] = {}
    for code in (OPEN, SEALED):  # a visit that both rounds meet is answered once
        lines |= dict.fromkeys(await sample.make_answers(operator, code, SEED))
    await forms.import_records(operator, b"".join(lines))


async def approve_all(house: House) -> None:
    house.at(REVIEWED)
    for code in (OPEN, SEALED):
        await review.review_round(await house.acting("reviewer"), code)


async def publish_everything(house: House) -> None:
    await publish.publish_all(await house.acting("publisher"))
    await disclosure.write_bundle(await house.acting("publisher"), house.settings.data / "bundle", demo=True)


STEPS: dict[str, Callable[[House], Awaitable[None]]] = {
    "filled": fill, "committed": commit_both, "drawn": draw_both, "entered": enter_all, "approved": approve_all,
    "published": publish_everything,
}  # fmt: skip


class Stages:
    """The folders of all stages on one engine, each made when it is first asked for, once for all test processes."""

    def __init__(self, root: Path, kind: str):
        self.root, self.kind = root, kind

    def folder(self, stage: str) -> Path:
        made = self.root / stage
        number = STAGES.index(stage)
        if not made.exists() and number:
            self.folder(STAGES[number - 1])
        with (self.root / f"{stage}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                fresh = self.root / f"{stage}.new"
                if number:
                    copy_folder(self.folder(STAGES[number - 1]), fresh)
                asyncio.run(self._make(fresh, stage))
                fresh.rename(made)
        return made

    def copy(self, stage: str, to: Path) -> Path:
        """A copy of a stage's whole data folder; its database was closed cleanly."""
        return copy_folder(self.folder(stage), to, kept=True)

    async def _make(self, folder: Path, stage: str) -> None:
        if stage == "filled":
            settings = settings_of(make_folder(folder, self.kind), owner=True)
            settings.set_clock(f"{FILLED}:00+08:00")
            await engine.open_engine(settings.database_url)
            try:
                await setup.init(
                    key_folder=folder / "keys", name="（未定名）市场监督管理局", region=setup.UNNAMED, now=settings.now(),
                    stamp=stamp(settings.now()), sectors=sectors(), token_bytes=seeded_bytes("init"),
                    password=lambda login: "a password for tests",
                )  # fmt: skip
                await rights.install(lambda: cluster.PASSWORD, cluster.application() if self.kind == "postgres" else "")
            finally:
                await engine.close_engine()
        try:
            await STEPS[stage](await open_house(folder, stage))
        finally:
            await engine.close_engine()


async def commit_and_publish(house: House, tasks: Sequence[str] = (ANNUAL,), disclosure_: str = "open", **given: Any) -> str:
    code = await draft(house, tasks, disclosure_, **given)
    await make_shares(house, code)
    await commit.commit_round(await house.acting("approver"), code)
    await publish_commitments(house, code)
    return code


async def make_drawable(house: House, code: str = OPEN) -> None:
    """Everything a draw waits for is there."""
    house.at(DRAWN)
    await enter_sources(house, code)
    await release_shares(house, code)


# Tampering -------------------------------------------------------------------


async def take_guards_away() -> None:
    """What somebody with the database's own password can do first: no trigger refuses anything any more.

    On PostgreSQL they sleep, for who may have that: so only rows were changed, and the copy can be put back.
    """
    now = engine.current_engine()
    if now.engine_type == "postgres" and cluster.is_superuser():
        await engine.close_engine()
        await engine.open_engine(cluster.url_of(urlsplit(now.url).path[1:], owner=True, settings={"session_replication_role": "replica"}))
        return
    await become_owner()
    async with engine.transaction():
        await schema._forget_rules(engine.current_engine())


async def change_a_pool() -> None:
    """Same codes, same size; the weights of two lines of the oldest pool are others."""
    await take_guards_away()
    block = await PoolBlock.select().order_by(PoolBlock.id).first().run()
    data = bytes(block["data"]).replace(b"\t1\n", b"\t2\n", 2)
    await PoolBlock.update(data=data).where(PoolBlock.id == block["id"]).run()


# Looking inside --------------------------------------------------------------


async def snapshot(*, without: Sequence[str] = ("setting", "web_session")) -> dict[str, str | bytes]:
    """table -> everything committed in it, to be compared: what a refused or killed act must not have changed.

    As text, or from SQLite as marshalled rows, in which ASCII reads as in text: thousands of times written by repr
    were seconds. Version 2 of marshal: equal rows are equal bytes.
    """
    from portal.store import tables

    keys_of = {table._meta.tablename: table._meta.primary_key._meta.name for table in tables.ALL}
    wanted = {name: key for name, key in keys_of.items() if name not in without}
    now = engine.current_engine()
    if now.engine_type == "sqlite":
        with contextlib.closing(sqlite3.connect(f"file:{now.path}?mode=ro", uri=True)) as database:
            rows = {name: database.execute(f'SELECT * FROM "{name}" ORDER BY "{key}"').fetchall() for name, key in wanted.items()}
            return {name: marshal.dumps(found, 2) for name, found in rows.items()}
    parts = [
        f"SELECT '{name}' AS name, coalesce(string_agg(t::text, E'\\n' ORDER BY t.\"{key}\"), '') AS rows FROM \"{name}\" t"
        for name, key in wanted.items()
    ]
    async with now.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL bytea_output TO escape")  # letters in bytes stay letters
        return dict(map(tuple, await connection.fetch(" UNION ALL ".join(parts))))


def changed_tables(before: dict[str, str | bytes], after: dict[str, str | bytes]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


async def tasks_by_code() -> dict[str, dict[str, Any]]:
    every = {o["id"] for o in await accounts.load_organisations()}
    return {task["code"]: task for task in await plan_store.load_tasks(every)}


async def entries_of(act: Acting, limit: int, **equal: str) -> list[dict[str, Any]]:
    """The first entries of the directory in reach, in code order, whose columns hold these values."""
    query = Entity.select().where(Entity.organisation.is_in(sorted(act.tree)))
    for column, value in equal.items():
        query = query.where(getattr(Entity, column) == value)
    return await query.order_by(Entity.code).limit(limit).run()


async def visits_of(code: str) -> list[dict[str, Any]]:
    every = {o["id"] for o in await accounts.load_organisations()}
    return await visit_store.load_visits_of((await draw_store.load_round(code, every))["id"])


async def inspectors_of(visit: dict[str, Any]) -> list[dict[str, Any]]:
    assigned = (await visit_store.load_assigned([visit["id"]]))[visit["id"]]
    people = await directory.load_inspectors_by_id({who for who in assigned if who})
    return [people[who] for who in assigned if who]

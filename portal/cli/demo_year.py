"""The year of the demo: one open and one sealed round over three sectors, act by act, under the simulated clock.

It uses the steps that the pages and commands use, one account an act: nothing
here can do what a bureau's own people could not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.cli.office import Office, database, load_sectors, opened, say
from portal.cli.rounds import LOTTERIES, write_folder
from portal.cli.setting_up import write_plan, write_profile
from portal.domain.cells import Sheet
from portal.domain.model import OUTCOMES
from portal.domain.sample_stream import Stream, topic_key
from portal.domain.seed import format_value
from portal.jobs import publish_site, release_site
from portal.prints.render import Printer
from portal.settings import Settings
from portal.steps import assign, base, bundles, commit, draw, forms, imports, plan, pool, profile, replacement, review, sample, setup, visits
from portal.steps.acting import Acting, stamp
from portal.store import accounts, directory, engine, records
from portal.store import draw as round_store
from portal.store import plan as plan_store
from portal.store import visits as visit_store
from portal.store.passwords import hash_password

SEED = 2026
PASSWORD = "mingcha-demo"
PASSPHRASE = "演示口令 demo passphrase"
MAKING = {"pages": "网页", "pdfs": "PDF"}
#: The sectors whose tasks are drawn. The item list is of all that are installed; drawing the whole plan would take minutes.
DRAWN = ("annual_reports", "registration", "food_sales")
LEFT_OPEN = 8  # visits of the last round left for the visitor to try


@dataclass(slots=True)
class Year:
    """`started`: time.monotonic() when the demo began. `drawn`: task code and name -> entities drawn."""

    settings: Settings
    entities: int
    started: float
    drawn: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=lambda: {"visits": 0, "avoided": 0, "problems": 0})
    office: Office | None = None
    printer: Printer | None = None

    def step(self, text: str) -> None:
        say(f"[{time.monotonic() - self.started:5.1f} 秒] {text}")

    def at(self, moment: str) -> None:
        self.settings.set_clock(f"{moment}:00+08:00")

    async def acting(self, login: str) -> Acting:
        assert self.office is not None
        return await self.office.acting(login)

    async def run(self) -> dict[str, Any]:
        """The whole year in an empty folder; what the last release made."""
        self.at("2026-03-02T09:00")
        self.step("建立数据库、密钥和账号")
        await self._init()
        async with opened(self.settings) as self.office:
            await self._fill()
            # One printer for all six releases: its workers, and unpacking the fonts, take seconds.
            with Printer(self.settings.data / "fonts", own_fonts=self.settings.fonts) as self.printer:
                return await self._walk()

    async def _walk(self) -> dict[str, Any]:
        self.at("2026-03-09T10:00")
        self.step("公示事项清单和年度计划")
        await self._publish()
        tasks = [task for task in await plan_store.load_tasks((await self.acting("planner")).tree) if task["sector"] in DRAWN]
        by_class = [task["code"] for task in tasks if task["class_ratios"] and task["ratio_ppm"] is None]
        overall = [task["code"] for task in tasks if task["ratio_ppm"] is not None]
        await self._open_round(overall)
        return await self._sealed_round(by_class)

    async def _init(self) -> None:
        now = self.settings.now()
        async with database(self.settings):
            await setup.init(
                key_folder=self.settings.data / "keys", name="（未定名）市场监督管理局", region=setup.UNNAMED, now=now, stamp=stamp(now),
                sectors=load_sectors(self.settings), password=lambda login: PASSWORD,
            )  # fmt: skip
            for account in await accounts.load_accounts():
                await accounts.save_password(account["id"], account["password"], must_change=False)

    async def _fill(self) -> None:
        await sample.name_sample_bureau(SEED)
        act = await self.acting("operator")
        await sample.fill_sample(act, self.entities, SEED, self.step)
        self.step("导入辖区规则，冻结 2025 年底期末实有数，导入年度计划并测算")
        await plan.import_plan(act, *write_plan(self.settings.data / "sample" / "plan.xlsx", SEED))
        planner = await self.acting("planner")
        await profile.save_profile(planner, write_profile(self.settings.data / "sample" / "profile.json", SEED))
        await base.freeze_base(planner, 2025)
        await base.measure_plan(planner, (await plan_store.load_plans(planner.tree))[-1]["id"])

    # Rounds ------------------------------------------------------------------

    async def _open_round(self, tasks: list[str]) -> None:
        code = await self._draw("2026-06-01", "2026年第一批抽查", "open", tasks, "none", (date(2026, 7, 6), date(2026, 7, 24)))
        await self._replace(code, "2026-07-06", struck=True)
        await self._visit(code, "2026-07-27", left_open=0)
        self.at("2026-07-31T09:00")
        self.step(f"{code} 公开密值")
        await draw.reveal_round(await self.acting("approver"), code)
        await release_site(await self.acting("publisher"), self.settings, self._progress(), self.printer)
        await self._export(code)

    async def _sealed_round(self, tasks: list[str]) -> dict[str, Any]:
        code = await self._draw("2026-08-17", "2026年第二批抽查", "sealed", tasks, "class", (date(2026, 9, 1), date(2026, 9, 18)))
        self.step(f"{code} 移交监督机构")
        await draw.reveal_round(await self.acting("approver"), code)
        await self._replace(code, "2026-09-01", struck=False)
        site = await self._visit(code, "2026-09-21", left_open=LEFT_OPEN)
        await self._export(code)
        return site

    async def _draw(
        self, day: str, title: str, disclosure: str, tasks: list[str], strata: str, window: tuple[date, date]
    ) -> str:
        self.at(f"{day}T09:00")
        self.step(f"{title}：冻结名录、公布承诺")
        planner = await self.acting("planner")
        for task in tasks:
            await pool.freeze_pool(planner, task, strata)
        sources = _lotteries(day)
        code = await commit.create_round(
            planner, tasks, title=title, disclosure=disclosure, sources=[source for source, _ in sources],
            holders=[{"holder": "信用监督管理科", "login": "planner"}, {"holder": "派驻纪检监察组", "login": "supervisor"}],
            window=window, draw_not_before=f"{_later(day, 2)}T22:00:00+08:00",
        )  # fmt: skip
        for login in ("planner", "supervisor"):
            await commit.make_share(await self.acting(login), code, PASSPHRASE)
        approver = await self.acting("approver")
        await commit.commit_round(approver, code)
        await release_site(approver, self.settings, self._progress(), self.printer)
        self.at(f"{_later(day, 3)}T09:00")
        self.step(f"{code} 录入开奖号码，抽取")
        planner = await self.acting("planner")
        for n, (_, value) in enumerate(sources):
            await draw.enter_source(planner, code, n, value)
        for login in ("planner", "supervisor"):
            await draw.release_share(await self.acting(login), code, PASSPHRASE)
        result = await draw.draw_round(planner, code)
        names = {task["code"]: task["name"] for task in await plan_store.load_tasks(planner.tree)}
        for task, entry in result["result"].items():
            self.drawn[f"{task} {names[task]}"] = sum(len(row["drawn"]) for row in entry["strata"].values())
        combined = await visits.combine_visits(planner, code)
        self.made["visits"] += combined["visits"]
        self.made["avoided"] += combined["avoided"]
        assigned = await assign.assign_inspectors(planner, code)
        self.step(f"{code} 合并为 {combined['visits']} 次入企，匹配执法人员 {assigned['people']} 人")
        return code

    async def _replace(self, code: str, day: str, *, struck: bool) -> None:
        """The round's fixed day; `struck`: one of the drawn is deregistered by then, as the register's next file says."""
        self.at(f"{day}T08:30")
        if struck:
            operator = await self.acting("operator")
            round_ = await round_store.load_round(code, operator.tree)
            gone = (await visit_store.load_own_visits(round_["id"]))[0]["entity_code"]
            entity = (await directory.load_entities([gone]))[gone]
            file = Sheet((("统一社会信用代码", "企业名称", "登记状态"), (gone, entity["name"], "注销")))
            await imports.import_sheet(operator, "entities", file, "登记变更.xlsx", f"{gone} {day}".encode())
        self.at(f"{day}T09:00")
        made = await replacement.replace_struck(await self.acting("planner"), code)
        self.step(f"{code} 补抽：{made['counts']['entities']} 户注销，递补 {made['counts']['filled']} 户次")

    async def _visit(self, code: str, day: str, *, left_open: int) -> dict[str, Any]:
        self.at(f"{day}T17:00")
        operator = await self.acting("operator")
        lines = list(await sample.make_answers(operator, code, SEED))
        round_ = await round_store.load_round(code, operator.tree)
        chosen = await self._for_the_visitor(operator, round_, left_open)
        lines = [line for line in lines if not any(f'"visit":"{visit}"'.encode() in line for visit in chosen[: len(chosen) // 2])]
        counts = await forms.import_records(operator, b"".join(lines))
        self.made["problems"] += sum(n for name, n in counts.items() if name in OUTCOMES and OUTCOMES[name].problem)
        self.at(f"{_later(day, 1)}T10:00")
        self.step(f"{code} 录入 {counts['records']} 份记录，审核")
        reviewer = await self.acting("reviewer")
        kept = set(chosen[len(chosen) // 2 :])
        async with engine.transaction():
            await records.lock_records(reviewer.tree, ["submitted"], round_["id"])  # all before the first act's audit line
            for record in await records.load_record_page(reviewer.tree, ["submitted"], limit=100_000, round_=round_["id"]):
                if record["visit_code"] not in kept:
                    await review.review_record(reviewer, record["id"], approve=True, comment="", version=record["version"])
        self.at(f"{_later(day, 2)}T10:00")
        self.step(f"{code} 公示结果，生成网页和 PDF")
        return await self._publish()

    async def _publish(self) -> dict[str, Any]:
        return await publish_site(await self.acting("publisher"), self.settings, self._progress(), self.printer)

    def _progress(self) -> Callable[[str, int], None]:
        last = [time.monotonic()]

        def progress(what: str, count: int) -> None:
            if time.monotonic() - last[0] > 3:
                last[0] = time.monotonic()
                self.step(f"    {MAKING.get(what, what)} {count:,}")

        return progress

    async def _for_the_visitor(self, act: Acting, round_: dict[str, Any], many: int) -> list[str]:
        """Visits left to do, whose first inspector gets the demo login `inspector`."""
        if not many:
            return []
        found = await visit_store.load_visits_of(round_["id"])
        many = min(many, len(found) // 2)  # a small register draws few
        assigned = await visit_store.load_assigned([visit["id"] for visit in found])
        load: dict[int, list[str]] = {}
        for visit in found:
            for who in assigned.get(visit["id"], []):
                if who is not None:
                    load.setdefault(who, []).append(visit["code"])
        busiest = max(sorted(load), key=lambda who: len(load[who]))
        person = (await directory.load_inspectors_by_id([busiest]))[busiest]
        hashed = await asyncio.to_thread(hash_password, PASSWORD)
        async with engine.transaction():
            await accounts.save_account(
                "inspector", person["name"], person["organisation"], ["inspector"], act.now, password=hashed,
                inspector=busiest, must_change=False,
            )  # fmt: skip
            await act.audit("account.create", "inspector")
        mine = load[busiest]
        return (mine + [visit["code"] for visit in found if visit["code"] not in mine])[:many]

    async def _export(self, code: str) -> None:
        files = await bundles.export_round(await self.acting("supervisor"), code, "auditor")
        write_folder(self.settings.data / "draws" / code, files)


def _later(day: str, days: int) -> str:
    return date.fromordinal(date.fromisoformat(day).toordinal() + days).isoformat()


def _lotteries(day: str) -> list[tuple[dict[str, Any], str]]:
    """Two made-up lottery issues that fall two days later, with made-up numbers: 快乐8 and 双色球, 85 bits."""
    found = []
    for name, hour in (("快乐8", "21:30"), ("双色球", "21:15")):
        stream = Stream(topic_key(SEED, f"{name} {day}"))
        groups = []
        for many, lowest, highest in LOTTERIES[name]:
            group: set[int] = set()
            while len(group) < many:
                group.add(lowest + stream.below(highest - lowest + 1))
            groups.append(sorted(group))
        issue = f"福彩{name} 第{day[:4]}{date.fromisoformat(day).timetuple().tm_yday:03d}期（演示）"
        source = {"name": issue, "drawn_at": f"{_later(day, 2)}T{hour}:00+08:00", "groups": LOTTERIES[name]}
        found.append((source, format_value(groups)))
    return found

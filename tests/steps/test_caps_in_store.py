"""No sequence of rounds, riders, replacements, lists drawn elsewhere, allowances and visits exceeds a cap without a reason on record.

The machine works a bureau through its real steps, on a register small enough that everybody is met again and
again; what holds is counted anew from the rows, without the engine that decided.
"""

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from portal.domain.cells import Sheet
from portal.domain.errors import WrongMoment
from portal.domain.sample_profile import sample_profile
from portal.steps import caps, commit, draw, imports, outside, pool, profile, replacement, visits
from portal.steps.plan import import_plan
from portal.store import engine, plan
from portal.store import draw as draw_store
from portal.store import imports as lists
from portal.store.tables import Allowance, Closing, Dismissal, Entity, Visit, VisitTask
from tests import NOTHING_LEFT_OUT, office

MOST = {"item_year": 1, "bureau_year": 2, "all_year": 3}
ENTITIES = 6
FIRST, LAST = date(2026, 5, 26), date(2026, 12, 20)
ITEMS = ("年度报告公示信息的检查", "即时公示信息的检查", "注册资本实缴情况的检查", "名称规范使用情况的检查", "住所（经营场所）或驻在场所的检查")
RIDER = "营业执照（登记证）规范使用情况的检查"
HEAD = ("序号", "抽查事项", "检查对象", "事项类别", "抽查比例", "实施时间", "责任科室", "抽取方式", "备注")
HERE, ABOVE = 10, 8  # tasks drawn here, tasks drawn above
REASONS = ("complaint", "assigned")


days = st.integers(1, 15)
passed_by = st.sets(st.integers(0, ENTITIES - 1), max_size=2)


def plan_sheet():
    rows = [HEAD, (1, RIDER, "企业", "一般检查事项", "10%", "1-12月", "信用科", "本级抽取", "结合其他业务板块合并进行")]
    rows += [(n, ITEMS[n % len(ITEMS)], "企业", "一般检查事项", "3户", "1-12月", "信用科", "本级抽取", "") for n in range(2, 2 + HERE)]
    rows += [(n, ITEMS[n % len(ITEMS)], "企业", "一般检查事项", "3户", "1-12月", "信用科", "市局统一抽取", "") for n in range(20, 20 + ABOVE)]
    return Sheet((("2026年度抽查工作计划表", *[""] * (len(HEAD) - 1)), *rows))


async def prepare(folder):
    """A register of a few companies, a plan of many tasks over few items, caps that are soon used up."""
    house = await office.open_house(folder, "small")
    try:
        house.at("2026-05-25T09:30")
        act = await house.acting("operator")
        keep = [row["code"] for row in await Entity.select(Entity.code).where(Entity.type == "企业", Entity.kind == "entity", Entity.status == "存续").order_by(Entity.code).run()]
        await Entity.update(status="注销").where(Entity.code.not_in(keep[:ENTITIES])).run()
        await import_plan(act, plan_sheet(), b"many tasks")
        value = sample_profile(office.SEED)
        for cap in value["caps"]:
            cap["most"], cap["exempt"] = MOST[cap["code"]], list(REASONS)
        await profile.save_profile(await house.acting("planner"), json.dumps(value).encode())
    finally:
        await engine.close_engine()


class CappedBureau(RuleBasedStateMachine):
    base: Path
    met: Counter  # what happened over all examples: a machine that does nothing proves nothing

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / "data"
        office.copy_folder(self.base, self.folder)
        self.runner = asyncio.Runner()
        self.house = self.runner.run(office.open_house(self.folder, "machine"))
        self.day, self.hour, self.given = FIRST, 8, 0
        self.drawn, self.replaceable, self.peaceful = [], [], ""  # rounds not combined yet, not replaced yet; who is left in peace
        self.runner.run(self._begin())

    async def _begin(self):
        self._at(9)
        act = await self.house.acting("planner")
        latest = await plan.load_latest_plan({act.bureau["id"]}, 2026)
        tasks = await plan.load_tasks(act.tree, latest["id"])
        self.waiting = [task["code"] for task in tasks if task["drawn_by"] == "here"]
        self.above = [task["code"] for task in tasks if task["drawn_by"] != "here"]
        self.items = {task["id"]: [code for code, _ in plan.items_of(task)] for task in tasks}
        self.own = {task["id"]: task["item_code"] for task in tasks}
        self.codes = [row["code"] for row in await Entity.select(Entity.code).where(Entity.status == "存续").order_by(Entity.code).run()]
        assert (len(self.waiting), len(self.above), len(self.codes)) == (HERE, ABOVE, ENTITIES)

    def teardown(self):
        self.runner.run(engine.close_engine())
        self.runner.close()
        office.drop_databases_in(self.folder.parent)
        shutil.rmtree(self.folder.parent)

    def _at(self, hour):
        self.house.at(f"{self.day.isoformat()}T{hour:02d}:00")

    def _tomorrow(self, days=1):
        self.day = min(self.day + timedelta(days), LAST)
        self._at(9)

    # What happens ----------------------------------------------------------------

    @initialize(many=st.integers(1, 3), at_once=st.booleans())
    def a_round_is_drawn_and_replaced(self, many, at_once):
        self.a_round_is_drawn(many, at_once, 1, frozenset(), 2)

    @precondition(lambda self: self.waiting and self.day < LAST)
    @rule(many=st.integers(1, 3), at_once=st.booleans(), days=days, passed_by=passed_by, gone=st.integers(0, 2))
    def a_round_is_drawn(self, many, at_once, days, passed_by, gone):
        self.inspectors_go_round(days, passed_by)
        self.runner.run(self._round(many, at_once, gone))

    async def _round(self, many, at_once, gone):
        self._tomorrow()
        planner = await self.house.acting("planner")
        tasks, self.waiting = self.waiting[:many], self.waiting[many:]
        for task in tasks:
            made = await pool.freeze_pool(planner, task)
            self.met["excluded"] += made["excluded_size"]
        code = await commit.create_round(
            planner, tasks, title="一轮", disclosure="open", sources=(), holders=[{"holder": "科", "login": "planner"}],
            window=(self.day, min(self.day + timedelta(30), date(2026, 12, 31))), draw_not_before=f"{self.day.isoformat()}T10:00:00+08:00",
        )  # fmt: skip
        await commit.make_share(planner, code, office.PASSPHRASE)
        await commit.commit_round(await self.house.acting("approver"), code)
        await office.publish_commitments(self.house, code)
        self._at(11)
        planner = await self.house.acting("planner")
        await draw.release_share(planner, code, office.PASSPHRASE)
        await draw.draw_round(planner, code)
        self.drawn.append(code)
        self.replaceable.append(code)
        self.met["round"] += 1
        if at_once:
            await self._combine(code)
        if gone:
            await self._replace(code, gone)

    @precondition(lambda self: self.drawn)
    @rule(data=st.data())
    def a_drawn_round_is_dispatched(self, data):
        self.runner.run(self._combine(data.draw(st.sampled_from(self.drawn))))

    async def _combine(self, code):
        self.drawn.remove(code)
        made = await visits.combine_visits(await self.house.acting("planner"), code)
        self.met["visit"] += made["visits"]
        self.met["dismissed"] += made["dismissed"]

    @precondition(lambda self: self.replaceable and self.day < LAST)
    @rule(data=st.data(), gone=st.integers(1, 3))
    def the_struck_of_a_round_are_replaced_later(self, data, gone):
        self._tomorrow()
        self.runner.run(self._replace(data.draw(st.sampled_from(self.replaceable)), gone))

    async def _replace(self, code, many):
        """Before or after the dispatch, the visits; they are on the register again afterwards, else there would soon be nobody left."""
        self.replaceable.remove(code)
        round_ = await draw_store.load_round(code, (await self.house.acting("planner")).tree)
        gone = sorted({pick["code"] for pick in await draw_store.load_picks(round_["id"])})[:many] or ["-"]
        await Entity.update(status="注销").where(Entity.code.is_in(gone)).run()
        try:
            made = await replacement.replace_struck(await self.house.acting("planner"), code)
        except WrongMoment as late:
            assert "检查时段已于" in late.message
            return
        finally:
            await Entity.update(status="存续").where(Entity.code.is_in(gone)).run()
        self.met["replacement"] += made["counts"]["filled"]
        self.met["blocked"] += len(made["blocked"])
        self.met["closed"] += made["closed"]
        self.met["kept"] += made["counts"]["kept"]

    @precondition(lambda self: self.above)
    @rule(data=st.data(), crash=st.booleans(), days=days, passed_by=passed_by)
    def a_list_drawn_above_is_worked(self, data, crash, days, passed_by):
        self.inspectors_go_round(days, passed_by)
        self.runner.run(self._list(data.draw(st.lists(st.sampled_from(self.codes), min_size=3, max_size=ENTITIES, unique=True)), crash))

    async def _list(self, codes, crash):
        task, self.above = self.above[0], self.above[1:]
        planner = await self.house.acting("planner")
        rows = [(code, task, "市局平台", self.day.isoformat()) for code in sorted(codes)]
        await imports.import_sheet(planner, "draw", Sheet((("统一社会信用代码", "抽查任务", "来源平台", "抽取日期"), *rows)), "名单.xlsx", repr(rows).encode())
        number = (await lists.load_external_lists(planner.tree))[0]["id"]
        for _ in range(1 + crash):
            taken = await outside.take_list(planner, number)
        self.drawn.append(taken["round"])
        self.met["list"] += 1
        if not crash:
            await self._combine(taken["round"])

    @rule(data=st.data(), reason=st.sampled_from(REASONS), days=st.none() | st.integers(0, 60), narrow=st.booleans())
    def somebody_complains(self, data, reason, days, narrow):
        holder = data.draw(st.sampled_from(self.codes))
        item = data.draw(st.sampled_from(sorted({one for items in self.items.values() for one in items}))) if narrow else ""
        self.given += 1
        until = None if days is None else self.day + timedelta(days)
        self.runner.run(self._allow(holder, item, reason, until))

    async def _allow(self, holder, item, reason, until):
        approver = await self.house.acting("approver")
        said = (approver, holder, item, reason, f"第 {self.given} 号", self.day, until)
        assert [await caps.allow(*said), await caps.allow(*said)] == [True, False]

    @precondition(lambda self: not self.peaceful)
    @rule(data=st.data())
    def somebody_is_left_in_peace(self, data):
        self.peaceful = data.draw(st.sampled_from(self.codes))
        self.runner.run(self._peace(self.peaceful))

    async def _peace(self, holder):
        await caps.leave_in_peace(await self.house.acting("planner"), holder, (), "信用良好", self.day, min(self.day + timedelta(40), LAST))

    def inspectors_go_round(self, days, passed_by):
        """Time goes by; whoever has an open visit is called on, but for some: only then can anybody be visited again."""
        self._tomorrow(days)
        self.runner.run(self._go_round(passed_by))

    async def _go_round(self, passed_by):
        act = await self.house.acting("planner")
        for visit in await Visit.select().where(Visit.state == "open").order_by(Visit.code).run():
            if self.codes.index(visit["entity_code"]) in passed_by:
                continue
            try:
                await caps.require_admitted(act, visit)
            except WrongMoment as refused:
                assert "不能入企" in refused.message
                self.met["turned away"] += 1
                continue
            async with engine.transaction():
                await Visit.update(day=self.day, state="done").where(Visit.id == visit["id"]).run()
            self.met["checked"] += 1

    # What holds ------------------------------------------------------------------

    @invariant()
    def no_cap_is_exceeded_without_a_reason_on_record(self):
        self.runner.run(self._count())

    async def _count(self):
        gone = {(row["task"], row["code"], row["item_code"]) for row in await Dismissal.select().run()}
        allowed = await Allowance.select().run()
        by_item, by_holder = {}, {}
        closed = {(row["visit"], row["task"]) for row in await Closing.select(Closing.visit, Closing.task).run()}
        for link in await VisitTask.select(VisitTask.task, VisitTask.visit, VisitTask.visit.holder, VisitTask.visit.entity_code, VisitTask.visit.day).run():
            if (link["visit"], link["task"]) in closed:
                continue
            holder, code, day = link["visit.holder"], link["visit.entity_code"], link["visit.day"]
            assert (link["task"], code, "") not in gone
            for item in self.items[link["task"]]:
                reason = any(
                    row["holder"] == holder and row["item_code"] in ("", item) and row["since"] <= day and (row["until"] is None or day <= row["until"])
                    for row in allowed
                )
                if (link["task"], code, item) not in gone and not reason:
                    by_item.setdefault((holder, item), set()).add(link["visit"])
                    by_holder.setdefault(holder, set()).add(link["visit"])
        assert all(len(found) <= MOST["item_year"] for found in by_item.values()), by_item
        assert all(len(found) <= min(MOST["bureau_year"], MOST["all_year"]) for found in by_holder.values()), by_holder
        self.met["full"] += sum(len(found) == MOST["bureau_year"] for found in by_holder.values())


#: engine -> (examples, acts an example)
SIZES = {"sqlite": (11 if NOTHING_LEFT_OUT else 6, 12), "postgres": (3, 10)}


@pytest.mark.long
def test_no_sequence_of_acts_exceeds_a_cap_without_a_reason_on_record(engine_kind, stages, tmp_path):
    folder = stages.copy("filled", tmp_path / "base")
    asyncio.run(prepare(folder))
    examples, acts = SIZES[engine_kind]
    met = Counter()
    machine = type("CappedBureau", (CappedBureau,), {"base": folder, "met": met})
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    # Not made smaller when it fails: an act takes a tenth of a second, and hundreds of tries would be minutes.
    run_state_machine_as_test(machine, settings=settings(
        max_examples=examples, stateful_step_count=acts, deadline=None, suppress_health_check=slow, derandomize=True, phases=[Phase.generate],
    ))  # fmt: skip
    assert all(met[name] for name in ("round", "visit", "list", "full", "excluded", "dismissed", "replacement")), met

"""Profile, base and measured plan: what the plan page says of floors, and what it refuses."""

import json
from datetime import date

import pytest

from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.domain.sample import sample_plan
from portal.domain.sample_profile import sample_profile
from portal.steps import base, profile, simulation
from portal.steps.plan import import_plan
from portal.store import engine, plan, year
from portal.store.tables import BaseEntity, Entity, Plan
from tests import office

pytestmark = pytest.mark.anyio


async def save_profile(house, **changes):
    return await profile.save_profile(await house.acting("planner"), json.dumps({**sample_profile(office.SEED), **changes}).encode())


async def latest(act):
    return await plan.load_latest_plan({act.bureau["id"]}, 2026)


# Profile ---------------------------------------------------------------------


async def test_a_profile_is_kept_in_versions_and_the_newest_holds(filled):
    act = await filled.acting("planner")
    assert await profile.load_profile(act) is None
    with pytest.raises(WrongMoment, match="还没有辖区规则"):
        await profile.require_profile(act)
    assert await save_profile(filled) == 1
    assert await save_profile(filled, name="改名的局") == 2
    assert (await profile.require_profile(act)).name == "改名的局"


@pytest.mark.parametrize("data, says", [(b"{", "不是 UTF-8 编码的 JSON"), (b"\xff", "不是 UTF-8 编码的 JSON"), (b"{}", "辖区规则 缺少")])
async def test_a_file_that_is_no_profile_is_refused(filled, data, says):
    with pytest.raises(BadInput, match=says):
        await profile.save_profile(await filled.acting("planner"), data)


async def test_the_profile_of_another_region_is_refused(filled):
    with pytest.raises(BadInput, match="是 350582（.*）的，本局是 359921"):
        await save_profile(filled, region="350582")


# Base ------------------------------------------------------------------------


async def test_the_base_is_the_register_and_counts_those_who_did_not_report(filled):
    act = await filled.acting("planner")
    entities = await Entity.select().where(Entity.status == "存续", Entity.kind == "entity").order_by(Entity.code).run()
    silent = entities[0]
    async with engine.transaction():
        await Entity.update(attributes=json.dumps({**json.loads(silent["attributes"]), "reported": False})).where(Entity.id == silent["id"]).run()
    frozen = await base.freeze_base(act, 2025)
    in_time = [one for one in entities if one["registered_on"] is None or one["registered_on"].year <= 2025]
    assert frozen["size"] == len(in_time) and frozen["silent"] == (silent in in_time)
    counted = await base.load_base(act, 2025)
    for group in {(one["region"] or "359921", one["type"]) for one in in_time}:
        assert counted.totals[group] == sum((one["region"] or "359921", one["type"]) == group for one in in_time)
    rows = await BaseEntity.select().run()
    assert sorted(row["code"] for row in rows) == sorted(one["code"] for one in in_time)


async def test_a_region_code_that_changed_is_named_before_the_base_is_frozen(filled):
    act = await filled.acting("planner")
    row = await Entity.select().where(Entity.status == "存续", Entity.kind == "entity", Entity.registered_on < date(2020, 1, 1)).order_by(Entity.code).first().run()
    async with engine.transaction():
        await Entity.update(region="350182").where(Entity.code == row["code"]).run()
    before = await office.snapshot()
    with pytest.raises(BadInput) as refused:
        await base.freeze_base(act, 2025)
    assert [one.message for one in refused.value.problems] == [
        "1 户的区划代码 350182（福建省福州市长乐市）在 2025-12-31 已不使用，现为 350112（福建省福州市长乐区）。请在辖区规则（successions）中写明，或更新名录后再冻结。"
    ]
    assert await office.snapshot() == before
    await save_profile(filled, successions=[{"old": "350182", "new": "350112", "on": "2017-11-06", "source": "国务院批复"}])
    await base.freeze_base(act, 2025)
    counted = await base.load_base(act, 2025)
    assert counted.total("350112", row["type"]) == 1


async def test_a_kind_without_a_floor_is_named(filled):
    act = await filled.acting("planner")
    await save_profile(filled, floors=sample_profile(office.SEED)["floors"][:1])
    await base.freeze_base(act, 2025)
    notes = (await base.load_standing(act, await latest(act))).notes
    assert "没有 359921 个体工商户 2026 年的抽查比例下限。请在辖区规则（floors）中补上。" in notes and not any("企业" in one for one in notes)


async def test_a_base_stands_and_one_of_a_year_not_over_cannot_be_made(filled):
    act = await filled.acting("planner")
    await base.freeze_base(act, 2025)
    with pytest.raises(WrongMoment, match="已于 2026-05-25 冻结"):
        await base.freeze_base(act, 2025)
    with pytest.raises(WrongMoment, match="2026 年还没有结束"):
        await base.freeze_base(act, 2026)
    with pytest.raises(NotAllowed):
        await base.freeze_base(await filled.acting("approver"), 2024)


async def test_a_moved_entity_still_stands_where_it_stood(filled):
    act = await filled.acting("planner")
    await base.freeze_base(act, 2025)
    row = await BaseEntity.select().order_by(BaseEntity.code).first().run()
    async with engine.transaction():
        await Entity.update(region="350582").where(Entity.code == row["code"]).run()
    frozen = await year.load_base({act.bureau["id"]}, 2025)
    assert await year.load_standing(frozen["id"], [row["code"], "none"]) == {row["code"]: (row["region"], row["type"])}


# The plan against its floors ---------------------------------------------------


async def test_the_plan_page_says_what_is_missing_until_all_is_there(filled):
    act = await filled.acting("planner")
    standing = await base.load_standing(act, await latest(act))
    assert len(standing.missing) == 3 and standing.reaches == ()
    await save_profile(filled)
    await base.freeze_base(act, 2025)
    assert await base.measure_plan(act, (await latest(act))["id"]) == len(await plan.load_tasks(act.tree))
    standing = await base.load_standing(act, await latest(act))
    assert standing.missing == () and standing.target == 850_000
    reach = {reach.group: reach for reach, _ in standing.reaches}["359921", "企业"]
    assert reach.base == standing.base.totals["359921", "企业"] and reach.floor_ppm == 35_000
    assert reach.needed == -(-reach.base * 35_000 // 1_000_000) and reach.least <= reach.most
    annual = next(row for row in standing.rows if row.name == "年度报告公示信息的检查")
    pool = await Entity.count().where(Entity.status == "存续", Entity.kind == "entity", Entity.type == "企业").run()
    assert annual.pool["359921", "企业"] == pool and annual.drawn["359921", "企业"] == -(-pool * 35_000 // 1_000_000)


async def test_a_gap_names_the_row_that_closes_it(filled):
    act = await filled.acting("planner")
    rules = sample_profile(office.SEED)
    rules["floors"][0]["ppm"] = 500_000
    await save_profile(filled, floors=rules["floors"])
    await base.freeze_base(act, 2025)
    await base.measure_plan(act, (await latest(act))["id"])
    standing = await base.load_standing(act, await latest(act))
    reach, changes = next((reach, changes) for reach, changes in standing.reaches if reach.group == ("359921", "企业"))
    assert reach.gap > 0 and changes and all(change.count == reach.needed for change in changes)


async def test_a_plan_that_is_not_settled_says_each_thing(filled):
    act = await filled.acting("planner")
    await save_profile(filled)
    await base.freeze_base(act, 2025)
    number = (await latest(act))["id"]
    await base.measure_plan(act, number)
    task = (await plan.load_tasks(act.tree))[0]
    filled.at("2026-12-01T09:00")
    with pytest.raises(BadInput) as refused:
        await base.require_settled(await filled.acting("planner"), number)
    assert any(f"任务 {task['code']} 的实施时间" in problem.message for problem in refused.value.problems)


# A second person ---------------------------------------------------------------


async def test_a_plan_is_approved_by_another_than_who_imported_it_once(filled):
    number = (await latest(await filled.acting("planner")))["id"]
    boss = await filled.acting("boss")
    async with engine.transaction():
        await Plan.update(imported_by=boss.account).where(Plan.id == number).run()
    with pytest.raises(NotAllowed, match="由您导入，要由另一位复核人批准"):
        await base.approve_plan(boss, number)
    with pytest.raises(WrongMoment, match="who imported it cannot approve it"):
        async with engine.transaction():
            await Plan.update(approved_by=boss.account).where(Plan.id == number).run()
    with pytest.raises(WrongMoment, match="approved by nobody"):
        async with engine.transaction():
            await Plan.update(state="approved").where(Plan.id == number).run()
    approver = await filled.acting("approver")
    await base.approve_plan(approver, number)
    with pytest.raises(WrongMoment, match="已经批准或公示"):
        await base.approve_plan(approver, number)
    row = await latest(boss)
    assert (row["state"], row["approved_by"]) == ("approved", approver.account)


async def test_a_second_version_says_why(filled):
    planner = await filled.acting("planner")
    await import_plan(planner, sample_plan(office.SEED), b"again")
    number = (await latest(planner))["id"]
    approver = await filled.acting("approver")
    with pytest.raises(BadInput, match="第 2 版，请写明调整的理由"):
        await base.approve_plan(approver, number)
    await base.approve_plan(approver, number, "市局调整任务")
    assert (await latest(planner))["reason"] == "市局调整任务"


async def test_a_plan_that_misses_its_floor_is_not_approved(filled):
    planner = await filled.acting("planner")
    rules = sample_profile(office.SEED)
    rules["floors"] = [{**rules["floors"][0], "kinds": ["企业", "个体工商户"], "ppm": 990_000}]
    await save_profile(filled, floors=rules["floors"])
    await base.freeze_base(planner, 2025)
    number = (await latest(planner))["id"]
    await base.measure_plan(planner, number)
    with pytest.raises(BadInput) as refused:
        await base.approve_plan(await filled.acting("approver"), number)
    assert any("全部任务合计最多" in problem.message for problem in refused.value.problems)


def test_picks_are_shared_out_whole_and_in_proportion():
    groups = {("1", "企业"): 6, ("1", "个体工商户"): 3, ("2", "企业"): 1}
    assert base.share_out(5, groups, 10) == {("1", "企业"): 3, ("1", "个体工商户"): 2, ("2", "企业"): 0}
    assert sum(base.share_out(7, groups, 10).values()) == 7 and base.share_out(3, {}, 0) == {}


# Simulation --------------------------------------------------------------------


async def test_a_plan_is_played_through_and_the_same_seed_gives_the_same(filled):
    await save_profile(filled)
    act = await filled.acting("planner")
    number = (await latest(act))["id"]
    one = await simulation.simulate_plan(act, number, 7, 3)
    assert one == await simulation.simulate_plan(act, number, 7, 3)
    figures = one["figures"]
    assert figures["visits/coordinated"][0] <= figures["visits/uncoordinated"][0] <= figures["picks"][0] <= figures["visits/separate"][0]
    annual = figures["draws/359921-2026-T001/*"]
    pool = await Entity.count().where(Entity.status == "存续", Entity.kind == "entity", Entity.type == "企业").run()
    assert annual == [-(-pool * 35_000 // 1_000_000)] * 3
    assert [row["seed"] for row in await year.load_simulations(number)] == [7, 7]
    assert simulation.shown(one)[0][0] == "抽中（户次）" and one["load"]


async def test_simulating_leaves_no_pool_and_no_round_behind(filled):
    act = await filled.acting("planner")
    before = await office.snapshot()
    await simulation.simulate_plan(act, (await latest(act))["id"], 1, 1)
    assert office.changed_tables(before, await office.snapshot()) == {"simulation", "audit"}

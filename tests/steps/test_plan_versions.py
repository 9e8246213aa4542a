"""A new version of a plan goes on with the tasks of the one before: what was frozen or drawn is not drawn a second time."""

from dataclasses import replace

import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.domain.sample_plan import sample_plan
from portal.steps import commit, draw, plan, pool
from portal.store import plan as store
from tests import office
from tests.office import ANNUAL, INSTANT, snapshot

pytestmark = pytest.mark.anyio

LINE, COLUMN = 2, {"item": 2, "objects": 3, "ratio": 5, "window": 10, "department": 11, "note": 13}


def changed(*changes, without=()):
    """The sample plan with cells changed: (index of the row from 0, column, cell); rows left out become empty."""
    rows = [list(row) for row in sample_plan(1).rows]
    for n, name, cell in changes:
        rows[LINE + n][COLUMN[name]] = cell
    for n in without:
        rows[LINE + n] = [""] * len(rows[0])
    sheet = sample_plan(1)
    gone = {LINE + n for n in without}
    return replace(sheet, rows=tuple(map(tuple, rows)), merged=tuple(one for one in sheet.merged if one[0][0] not in gone))


async def tasks_of(house, version):
    act = await house.acting("planner")
    found = next(one for one in await store.load_plans(act.line) if one["version"] == version)
    return {task["row"]: task for task in await store.load_tasks(act.line, found["id"])}


async def test_rows_that_stayed_keep_their_tasks_and_changed_ones_get_new_ones(filled):
    before = await tasks_of(filled, 1)
    await plan.import_plan(await filled.acting("operator"), changed((0, "department", "综合科"), (5, "ratio", "1%")), b"second")
    after = await tasks_of(filled, 2)
    assert after[3]["id"] == before[3]["id"] and (after[3]["code"], after[3]["department"]) == (ANNUAL, "综合科")
    assert after[4]["code"] == INSTANT
    assert after[8]["id"] != before[8]["id"] and after[8]["code"] == f"359921-2026-T{len(before) + 1:03d}"
    assert await tasks_of(filled, 1) == {8: before[8]}, "what was replaced stays with the version before"
    rows = await store.load_plan_rows(after[3]["plan"])
    assert {row["row"]: row["task_code"] for row in rows if row["task_code"]} == {row: task["code"] for row, task in after.items()}


async def test_a_replaced_task_is_frozen_no_more_and_the_new_one_is(filled):
    before = await tasks_of(filled, 1)
    await plan.import_plan(await filled.acting("operator"), changed((0, "ratio", "4%")), b"second")
    planner = await filled.acting("planner")
    with pytest.raises(WrongMoment, match="属于 2026 年度计划第 1 版，已由第 2 版替换"):
        await pool.freeze_pool(planner, before[3]["code"])
    assert await pool.freeze_pool(planner, (await tasks_of(filled, 2))[3]["code"])


@pytest.mark.parametrize("sheet", [changed((0, "ratio", "4%")), changed((0, "window", "6-11月")), changed((0, "objects", "个体工商户")), changed(without=[0])],
                         ids=["ratio", "window", "objects", "withdrawn"])  # fmt: skip
async def test_the_row_of_a_frozen_pool_neither_changes_nor_goes(filled, sheet):
    await pool.freeze_pool(await filled.acting("planner"), ANNUAL)
    operator, before = await filled.acting("operator"), await snapshot()
    with pytest.raises(BadInput, match="有 1 项任务已经开始办理") as refusal:
        await plan.import_plan(operator, sheet, b"second")
    [problem] = refusal.value.problems
    assert f"任务 {ANNUAL}“年度报告公示信息的检查”的名录已经冻结" in problem.message and "第 1 版第 3 行" in problem.message
    assert await snapshot() == before
    await plan.import_plan(operator, changed((0, "note", "已开展")), b"second")
    assert (await tasks_of(filled, 2))[3]["code"] == ANNUAL


async def test_what_was_drawn_is_not_drawn_again_under_the_next_version(drawn):
    operator = await drawn.acting("operator")
    with pytest.raises(BadInput, match="有 2 项任务已经开始办理") as refusal:
        await plan.import_plan(operator, changed((0, "ratio", "4%"), (1, "window", "4-11月")), b"second")
    assert [f"已在轮次 {code} 中" in problem.message for code, problem in zip((office.OPEN, office.SEALED), refusal.value.problems, strict=True)] == [True, True]
    await plan.import_plan(operator, sample_plan(1), b"second")
    assert (await tasks_of(drawn, 2))[3]["code"] == ANNUAL
    with pytest.raises(WrongMoment, match="已在轮次"):
        await pool.freeze_pool(await drawn.acting("planner"), ANNUAL)


async def test_a_task_of_a_void_round_may_change(committed):
    await draw.void_round(await committed.acting("planner"), office.OPEN, "名录有误")
    await draw.void_round(await committed.acting("approver"), office.OPEN, "同意")
    await plan.import_plan(await committed.acting("operator"), changed((0, "ratio", "4%")), b"second")
    assert (await tasks_of(committed, 2))[3]["ratio_ppm"] == 40_000


async def test_a_rider_more_joins_the_tasks_that_are_still_open(filled):
    planner = await filled.acting("planner")
    await pool.freeze_pool(planner, ANNUAL)
    before = await tasks_of(filled, 1)
    await plan.import_plan(await filled.acting("operator"), changed((5, "note", "结合其他业务板块合并进行")), b"second")
    after = await tasks_of(filled, 2)
    assert after[3]["id"] == before[3]["id"] and len(after[3]["riders"]) == len(before[3]["riders"])
    assert len(after[4]["riders"]) == len(before[4]["riders"]) + 1 and after[4]["id"] != before[4]["id"]


async def test_a_round_of_the_first_version_goes_on_after_the_second_came(filled):
    code = await office.draft(filled)
    await plan.import_plan(await filled.acting("operator"), sample_plan(1), b"second")
    await office.make_shares(filled, code)
    await commit.commit_round(await filled.acting("approver"), code)
    assert (await filled.round(code))["state"] == "committed"

"""Writing a plan in the portal: row by row into the next version, by one person, approved by another."""

from dataclasses import replace

import pytest

from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.domain.sample_plan import sample_plan
from portal.sheets.read import read_sheet
from portal.steps import base, plan, plan_draft, pool, publish
from portal.steps.imports import import_sheet
from portal.store import plan as plans
from portal.store import plan_draft as store
from tests.office import ANNUAL, snapshot
from tests.shared import shared_file

pytestmark = pytest.mark.anyio

ROW = {"number": "16", "category": "公示信息检查", "item": "年度报告公示信息的检查", "objects": "个体工商户", "ratio": "2%", "window": "6-10月",
       "department": "信用监督管理科", "kind": "一般检查事项"}  # fmt: skip


async def begun(house, login="planner"):
    act = await house.acting(login)
    number = await plan_draft.begin_draft(act, (await plans.load_latest_plan(act.line, 2026))["id"])
    return act, number


async def settled(act, number):
    """The draft with the one thing settled that the sample plan leaves open; how many changes it has seen."""
    await plan_draft.save_row(act, number, 1, 9, {"ratio": "10%"})
    return 2


async def latest(act):
    found = await plans.load_latest_plan(act.line, 2026)
    return found, {row["row"]: row for row in await plans.load_plan_rows(found["id"])}


async def test_a_row_changed_added_and_withdrawn_makes_the_next_version(filled):
    act, number = await begun(filled)
    n = await settled(act, number)
    await plan_draft.save_row(act, number, n, 6, {"ratio": "1%", "partners": "税务局"})
    added = await plan_draft.save_row(act, number, n + 1, 0, ROW)
    await plan_draft.withdraw_row(act, number, n + 2, 15)
    view = await plan_draft.load_draft(act, number)
    assert [row.state for row in view.draft.rows if row.state] == ["changed", "changed", "gone", "new"] and view.blocking == 0
    assert (view.states[added], view.states[3], view.states[7]) == ("task", "rider", "pending")
    assert [one.field for one in view.found if one.row == 6] == ["partners"], "the tax office is another department: a notice"
    made = await plan_draft.finish_draft(act, number, n + 3, "增加个体工商户抽查")
    found, rows = await latest(act)
    assert (found["id"], found["version"], found["state"], found["reason"], found["imported_by"]) == (made, 2, "draft", "增加个体工商户抽查", act.account)
    assert (rows[8]["data"]["ratio_ppm"], rows[8]["data"]["partners"], rows[17]["data"]["objects"]) == (10_000, "税务局", "个体工商户")
    assert len(rows) == 15 and rows[3]["task_code"] == ANNUAL and rows[8]["task_code"] != "" and rows[17]["state"] == "task"
    assert rows[16]["data"]["item"] == "经营性自建房安全检查" and not await store.load_drafts(act.line)
    first = (await plans.load_plans(act.line))[0]
    assert len(await plans.load_plan_rows(first["id"])) == 15, "the version before is as it was"


async def test_the_writer_does_not_approve_and_the_approver_need_not_repeat_the_reason(filled):
    boss, number = await begun(filled, "boss")
    n = await settled(boss, number)
    made = await plan_draft.finish_draft(boss, number, n, "比例与户数定为一种")
    with pytest.raises(NotAllowed, match="要由另一位复核人批准"):
        await base.approve_plan(boss, made)
    with pytest.raises(NotAllowed, match="公示要由另一位公示员办理"):
        await publish.publish_all(boss)
    with pytest.raises(WrongMoment, match="第 1 版已由第 2 版替换，不再批准"):
        await base.approve_plan(await filled.acting("boss2"), (await plans.load_plans(boss.line))[0]["id"])
    await base.approve_plan(await filled.acting("boss2"), made)
    found, _ = await latest(boss)
    assert (found["state"], found["reason"]) == ("approved", "比例与户数定为一种")
    assert (await publish.publish_all(await filled.acting("publisher")))["plans"] == 1
    assert [one["state"] for one in await plans.load_plans(boss.line)] == ["draft", "published"]
    assert (await publish.plan_notice(boss, found))["reason"] == "比例与户数定为一种"


async def test_a_version_needs_a_change_a_reason_and_nothing_left_to_settle(filled):
    act, number = await begun(filled)
    before = await snapshot()
    with pytest.raises(BadInput, match="没有可以保存的修改"):
        await plan_draft.finish_draft(act, number, 1, "理由")
    await plan_draft.save_row(act, number, 1, 1, {"ratio": "120%", "window": "1月"})
    with pytest.raises(BadInput, match="写明调整的理由") as refusal:
        await plan_draft.finish_draft(act, number, 2, " ")
    assert [problem.field for problem in refusal.value.problems] == ["reason"]
    with pytest.raises(BadInput, match="还有 3 处必须解决") as refusal:
        await plan_draft.finish_draft(act, number, 2, "理由")
    said = [problem.message for problem in refusal.value.problems]
    assert said[0].startswith("第 1 行“抽查比例”：“120%”超过了 100%") and said[1].startswith("第 1 行“实施时间”：实施时间“1月”到 2026-01-31 已经过去")
    assert said[2].startswith("第 9 行“抽查比例”：同时写了比例 10% 和 200 户")
    after = await snapshot()
    assert {name for name in before if before[name] != after[name]} == {"plan_draft", "audit"}


async def test_a_plan_typed_from_nothing_is_a_plan_like_any_other(filled):
    act = await filled.acting("planner")
    number = await plan_draft.begin_plan(act, 2027, "")
    with pytest.raises(BadInput, match="还有 1 处必须解决") as refusal:
        await plan_draft.finish_draft(act, number, 1, "")
    assert "一行也没有" in refusal.value.problems[0].message
    await plan_draft.save_row(act, number, 1, 0, ROW | {"number": "1", "class_a": "1%", "class_d": "30%", "inspected_by": "各所", "frequency": "1次"})
    made = await plan_draft.finish_draft(act, number, 2, "")
    found = await plans.load_latest_plan(act.line, 2027)
    [row] = await plans.load_plan_rows(made)
    assert (found["id"], found["version"], found["title"]) == (made, 1, "2027年度“双随机、一公开”抽查工作计划表")
    assert (row["state"], row["task_code"], row["data"]["window"]) == ("task", "359921-2027-T001", ["2027-06-01", "2027-10-31"])
    name, file = await plan.export_plan(act, made)
    assert read_sheet(file).rows[1][:3] == ("序号", "抽查类别", "抽查事项") and read_sheet(file).rows[1][-2:] == ("抽查频次", "检查主体")
    assert name == "2027年度“双随机、一公开”抽查工作计划表（第1版）.xlsx"
    await import_sheet(await filled.acting("operator"), "plan", read_sheet(file), name, file)
    again = await plans.load_latest_plan(act.line, 2027)
    assert [one["data"] for one in await plans.load_plan_rows(again["id"])] == [row["data"]]


@pytest.mark.parametrize("name", ["changzhi_2024", "county_2026", "jinjiang_style_2024"])
async def test_a_plan_in_any_layout_is_changed_in_its_layout(filled, name):
    operator = await filled.acting("operator")
    data = shared_file(f"plans/{name}.xlsx").read_bytes()
    await import_sheet(operator, "plan", read_sheet(data), name, data)
    act = await filled.acting("planner")
    found = max(await plans.load_plans(act.line), key=lambda one: one["id"])
    act = replace(act, now=act.now.replace(year=found["year"]))
    number = await plan_draft.begin_draft(act, found["id"])
    view = await plan_draft.load_draft(act, number)
    for row in view.draft.rows:
        await plan_draft.save_row(act, number, view.row["n"] + row.id - 1, row.id, {"window": f"{found['year']}年12月", "note": "改", "ratio": "5%"})
    made = await plan_draft.finish_draft(act, number, view.row["n"] + len(view.draft.rows), "改期")
    rows = [row["data"] for row in await plans.load_plan_rows(made)]
    assert {(row["note"], row["ratio_ppm"], row["window"][0]) for row in rows} == {("改", 50_000, f"{found['year']}-12-01")}
    after = next(one for one in await plans.load_plans(act.line) if one["id"] == made)
    assert (after["title"], after["notes"], after["layout"]["above"][0][0]) == (found["title"], found["notes"], found["layout"]["above"][0][0])


@pytest.mark.parametrize("keep, ppm, count, text", [("ratio", 100_000, None, "10%"), ("count", None, 200, "200户")])
async def test_ratio_and_count_are_settled_by_choosing_one(filled, keep, ppm, count, text):
    act, number = await begun(filled)
    await plan_draft.settle_row(act, number, 1, 9, keep)
    view = await plan_draft.load_draft(act, number)
    assert not view.blocking and plan_draft.domain.values_of(view.draft, view.draft.row(9))["ratio"] == text
    with pytest.raises(WrongMoment, match="已经只有一种"):
        await plan_draft.settle_row(act, number, 2, 9, keep)
    await plan_draft.finish_draft(act, number, 2, "定为一种")
    _, rows = await latest(act)
    assert (rows[11]["data"]["ratio_ppm"], rows[11]["data"]["count"]) == (ppm, count)


async def test_rows_of_tasks_that_have_begun_stay_as_they_are_drawn(filled):
    await pool.freeze_pool(await filled.acting("planner"), ANNUAL)
    act, number = await begun(filled)
    n = await settled(act, number)
    await plan_draft.save_row(act, number, n, 1, {"ratio": "5%"})
    view = await plan_draft.load_draft(act, number)
    assert view.fixed == {1: (ANNUAL, "的名录已经冻结")}
    assert [(one.row, one.blocks) for one in view.found if "不能再改" in one.message] == [(1, True)]
    await plan_draft.withdraw_row(act, number, n + 1, 1)
    view = await plan_draft.load_draft(act, number)
    assert any("不能撤下。请恢复" in one.message for one in view.found)
    await plan_draft.restore_row(act, number, n + 2, 1)
    await plan_draft.save_row(act, number, n + 3, 1, {"department": "综合科"})
    await plan_draft.finish_draft(act, number, n + 4, "科室调整")
    _, rows = await latest(act)
    assert (rows[3]["task_code"], rows[3]["data"]["department"]) == (ANNUAL, "综合科")


async def test_a_task_whose_time_is_over_does_not_hold_up_later_versions(drawn):
    drawn.at("2026-11-05T09:00")
    act, number = await begun(drawn)
    view = await plan_draft.load_draft(act, number)
    late = {one.row for one in view.found if one.field == "window" and one.blocks}
    assert late and not late & view.fixed.keys() and len(view.fixed) == 2
    n = 1
    for row in sorted(late | {8, 9}):
        await plan_draft.save_row(act, number, n, row, {"window": "12月", **({"ratio": "10%"} if row == 9 else {})})
        n += 1
    made = await plan_draft.finish_draft(act, number, n, "延期")
    await base.approve_plan(await drawn.acting("approver"), made)


# One person, one version ------------------------------------------------------------------


async def test_a_draft_is_its_writers_and_there_is_one_a_year(filled):
    act, number = await begun(filled)
    other = await filled.acting("planner2")
    before = await snapshot()
    with pytest.raises(WrongMoment, match="2026 年度计划已有一份修改稿，由.+在写"):
        await begun(filled, "planner2")
    for doing in (
        plan_draft.save_row(other, number, 1, 1, {"ratio": "4%"}), plan_draft.withdraw_row(other, number, 1, 1),
        plan_draft.restore_row(other, number, 1, 1), plan_draft.finish_draft(other, number, 1, "理由"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed, match="由别人在写"):
            await doing
    assert await snapshot() == before and not (await plan_draft.load_draft(other, number)).mine
    await plan_draft.drop_draft(other, number, 1)
    with pytest.raises(NotFound, match="没有这份修改稿"):
        await plan_draft.load_draft(act, number)
    await begun(filled, "planner2")


async def test_what_was_changed_meanwhile_is_not_overwritten(filled):
    act, number = await begun(filled)
    await plan_draft.save_row(act, number, 1, 1, {"ratio": "4%"})
    before = await snapshot()
    for doing in (
        plan_draft.save_row(act, number, 1, 1, {"ratio": "5%"}), plan_draft.save_row(act, number, 1, 0, ROW),
        plan_draft.withdraw_row(act, number, 1, 2), plan_draft.drop_draft(act, number, 1),
    ):  # fmt: skip
        with pytest.raises(WrongMoment, match="刚才在别处改过"):
            await doing
    assert await snapshot() == before


async def test_a_version_that_came_meanwhile_is_not_replaced_unseen(filled):
    act, number = await begun(filled)
    n = await settled(act, number)
    await plan.import_plan(await filled.acting("operator"), sample_plan(1), b"meanwhile")
    before = await snapshot()
    with pytest.raises(WrongMoment, match="又有了第 2 版"):
        await plan_draft.finish_draft(act, number, n, "理由")
    assert await snapshot() == before
    with pytest.raises(WrongMoment, match="第 1 版已由第 2 版替换"):
        await plan_draft.begin_draft(act, (await plans.load_plans(act.line))[0]["id"])


async def test_a_year_with_a_plan_is_not_begun_from_nothing(filled):
    with pytest.raises(WrongMoment, match="2026 年已有计划"):
        await plan_draft.begin_plan(await filled.acting("planner"), 2026, "")


async def test_what_is_no_field_of_a_plan_is_refused(filled):
    act, number = await begun(filled)
    with pytest.raises(BadInput, match="没有“state”这一栏"):
        await plan_draft.save_row(act, number, 1, 1, {"state": "task"})

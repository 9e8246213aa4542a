"""A plan written row by row: the same as a file of those rows; merged cells stay one cell; everything wrong is named."""

from dataclasses import asdict
from datetime import date

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, NotFound, WrongMoment
from portal.domain.plan import parse_plan
from portal.domain.plan_draft import (
    add_row, aliases_of, change_row, check_rows, draft_data, draft_of, joined_of, new_draft, parse_draft, restore_row, settle_row, sheet_of, titles_of,
    values_of, withdraw_row,
)  # fmt: skip
from portal.domain.plan_layout import laid_rows
from portal.domain.sample_plan import sample_plan

TODAY = date(2026, 3, 2)
ROW = {"number": "1", "item": "甲的检查", "objects": "企业", "ratio": "3%", "window": "6-10月", "department": "信用科"}


def drafted(sheet=None):
    read = parse_plan(sheet or sample_plan(1))
    rows = [{**asdict(one), "items": []} for one in read.rows if one.part == 0]
    return draft_of(read.title, *laid_rows(rows, read.layout))


def read(draft):
    sheet, ids = sheet_of(draft)
    return parse_plan(sheet, 2026, aliases_of(draft.layout)), ids


def problems(draft, *, known=None, departments=("信用科",), fixed=()):
    plan, ids = read(draft)
    served = {(row.row, row.part) for row in plan.rows} if known is None else known
    return [(one.row, one.field, one.blocks, one.message) for one in check_rows(draft, plan, ids, TODAY, known=served, departments=departments, fixed=fixed)]


def one_row(**values):
    return add_row(new_draft("2026年度抽查工作计划表"), ROW | values)


def test_a_draft_of_a_version_says_what_the_version_says():
    draft = drafted()
    assert sheet_of(draft)[0] == Sheet(tuple(row for row in sample_plan(1).rows), sample_plan(1).merged, "计划表")
    assert parse_draft(draft_data(draft)) == draft and not draft.changed
    assert [row.state for row in draft.rows] == [""] * 15


def test_a_typed_plan_is_read_like_a_file_of_its_rows():
    draft = one_row(item="1、甲的检查\n2、乙的检查", class_a="1%", class_d="30%", partners="教育局", inspected_by="各所", frequency="1次", kind="重点检查事项")
    plan, ids = read(draft)
    first, second = plan.rows
    assert (plan.title, plan.year, first.item, second.item, second.rides) == ("2026年度抽查工作计划表", 2026, "甲的检查", "乙的检查", True)
    assert (first.ratio_ppm, first.class_ratios, first.times, first.kind) == (30_000, {"A": 10_000, "D": 300_000}, 1, "key")
    assert (first.partners, first.inspected_by, first.window) == ("教育局", "各所", (date(2026, 6, 1), date(2026, 10, 31)))
    assert ids == {3: 1} and draft.layout.keys[-3:] == ("抽查频次", "配合部门", "检查主体")
    assert values_of(draft, draft.rows[0])["partners"] == "教育局" and titles_of(draft.layout)["department"] == "责任科室"


def test_fields_not_given_stay_and_empty_ones_are_emptied():
    draft = change_row(drafted(), 1, {"ratio": "4%", "note": ""})
    assert (values_of(draft, draft.rows[0])["ratio"], values_of(draft, draft.rows[0])["objects"]) == ("4%", "企业")
    assert draft.rows[0].state == "changed" and draft.changed
    draft = change_row(draft, 1, {"ratio": ""})
    assert "ratio" not in values_of(draft, draft.rows[0])
    assert not restore_row(draft, 1).changed


def test_of_several_columns_for_one_field_the_first_is_written_and_the_others_emptied():
    sheet = Sheet((("2026年工作计划表", "", "", "", ""), ("抽查事项", "抽查比例", "实施时间", "备注", "说明"), ("甲", "3%", "6月", "", "后")))
    draft = change_row(drafted(sheet), 1, {"note": "前"})
    assert sheet_of(draft)[0].rows[2] == ("甲", "3%", "6月", "前", "")


def test_a_merged_cell_is_changed_for_all_its_rows_at_its_top_and_parted_below():
    draft = drafted()
    assert joined_of(draft.rows)[4] == {"抽查类别", "抽查比例"}
    top = change_row(draft, 3, {"ratio": "5%"})
    assert [values_of(top, row)["ratio"] for row in top.rows[2:5]] == ["5%"] * 3 and sheet_of(top)[0].merged == sample_plan(1).merged
    middle = change_row(draft, 4, {"ratio": "6%"})
    assert [values_of(middle, row)["ratio"] for row in middle.rows[2:5]] == ["不低于3.5%", "6%", "不低于3.5%"]
    assert not any(left == 5 for (_, left), _ in sheet_of(middle)[0].merged)
    assert [row.rides for row in read(middle)[0].rows[2:5]] == [True, False, False]
    assert sheet_of(restore_row(middle, 4))[0].merged == sample_plan(1).merged
    assert change_row(middle, 4, {"ratio": "不低于3.5%"}).rows == draft.rows


def test_withdrawn_rows_leave_the_sheet_and_what_was_merged_with_them_stays_whole():
    draft = withdraw_row(drafted(), 3)
    plan, ids = read(draft)
    assert draft.rows[2].state == "gone" and 3 not in ids.values() and len(ids) == 14
    after = {ids[row.row]: row for row in plan.rows}
    assert (after[4].category, after[4].ratio_ppm, after[5].ratio_ppm) == ("登记事项检查", 35_000, 35_000)
    assert (after[4].joined, after[5].joined) == ((), ("抽查类别", "抽查比例")), "no cell is merged across the gap from above"
    middle = withdraw_row(drafted(), 4)
    assert {"抽查类别", "抽查比例"} == joined_of(middle.rows)[5], "the cell above is still there"
    assert sheet_of(restore_row(draft, 3))[0] == sheet_of(drafted())[0]
    with pytest.raises(WrongMoment, match="已经撤下。请先恢复"):
        change_row(draft, 3, {"ratio": "1%"})


def test_a_new_row_that_is_withdrawn_is_gone_and_was_never_anything():
    draft = add_row(drafted(), ROW)
    assert draft.rows[-1].state == "new" and sheet_of(draft)[0].rows[17][2] == "甲的检查"
    with pytest.raises(BadInput, match="是新加的，没有原来的内容"):
        restore_row(draft, 16)
    assert withdraw_row(draft, 16).rows == drafted().rows
    with pytest.raises(NotFound, match="没有这一行"):
        withdraw_row(draft, 99)
    assert add_row(withdraw_row(draft, 16), ROW).rows[-1].id == 17, "a number is not given twice"


def test_a_row_of_nothing_and_a_plan_of_nothing_are_refused():
    with pytest.raises(BadInput, match="什么也没有填"):
        add_row(new_draft("2026年计划"), {"item": " "})
    with pytest.raises(BadInput, match="一行也没有"):
        sheet_of(new_draft("2026年计划"))
    with pytest.raises(BadInput, match="最多 1000 行"):
        draft = new_draft("2026年计划")
        for _ in range(1001):
            draft = add_row(draft, {"item": "甲"})


def test_headings_a_bureau_pointed_out_are_read_again():
    sheet = Sheet((("2026年工作计划表", "", "", ""), ("抽查事项", "抽几户", "实施时间", "经费"), ("甲", "20户", "6月", "一万")))
    plan = parse_plan(sheet, aliases={"抽几户": "count", "经费": "-"})
    draft = draft_of(plan.title, *laid_rows([{**asdict(plan.rows[0]), "items": []}], plan.layout))
    again, _ = read(change_row(draft, 1, {"count": "30户"}))
    assert again.rows[0].count == 30 and again.rows[0].raw["经费"] == "一万" and [problem.row for problem in again.problems] == [2]


# What is wrong ------------------------------------------------------------------------


def test_a_row_in_order_has_nothing_to_settle():
    assert problems(one_row()) == []


@pytest.mark.parametrize("values, field, blocks, says", [
    ({"ratio": "10%(20户)"}, "ratio", True, "同时写了比例 10% 和 20 户，两者可能不一致，抽取时只能用一种。请只写“10%”，或者只写“20户”。"),
    ({"count": "20户"}, "ratio", True, "同时写了比例 3% 和 20 户"),
    ({"ratio": "10%(20户)", "drawn_by": "市局统一抽取"}, "ratio", False, "同时写了比例 10% 和 20 户"),
    ({"ratio": "120%"}, "ratio", True, "“120%”超过了 100%。请写成不超过 100% 的比例"),
    ({"class_b": "101%"}, "class_b", True, "超过了 100%"),
    ({"ratio": "适量"}, "ratio", True, "看不懂“适量”。请写成"),
    ({"ratio": "0%"}, "ratio", True, "是 0，抽不到任何对象"),
    ({"ratio": ""}, "ratio", True, "没有写抽查比例、户数或分类比例，不能抽取"),
    ({"class_a": "30%", "class_d": "1%"}, "class_a", False, "没有随风险由低（A）到高（D）递增"),
    ({"window": "1月"}, "window", True, "实施时间“1月”到 2026-01-31 已经过去。请改写实施时间"),
    ({"window": ""}, "window", True, "没有写实施时间，不能抽取"),
    ({"window": "适时"}, "window", True, "看不懂“适时”。请写成"),
    ({"window": "2027年3月"}, "window", False, "不全在 2026 年内"),
    ({"item": ""}, "item", True, "没有填写抽查事项"),
    ({"department": "信用料"}, "department", False, "“信用料”不在本系统的机构、业务科室和人员所在部门中。请核对名称"),
    ({"partners": "信用科、教育局"}, "partners", False, "“教育局”不在"),
    ({"department": ""}, "department", False, "没有写牵头部门"),
    ({"objects": ""}, "objects", False, "没有写检查对象"),
    ({"drawn_by": "抽签"}, "drawn_by", False, "按外部抽取处理，名单须导入"),
])  # fmt: skip
def test_what_is_wrong_is_named_by_field_with_what_to_do(values, field, blocks, says):
    found = problems(one_row(**values))
    assert [(row, name, hard) for row, name, hard, _ in found if name == field][:1] == [(1, field, blocks)], found
    assert any(says in message for _, name, _, message in found if name == field), found


def test_a_character_that_reorders_text_does_not_come_in():
    with pytest.raises(BadInput) as refusal:
        one_row(note="一\u202e万")
    assert [problem.field for problem in refusal.value.problems] == ["note"]


@pytest.mark.parametrize("ratio, keep, left", [
    ("不低于10%(20户)，1次", "ratio", "不低于10%，1次"), ("不低于10%(20户)，1次", "count", "20户，1次"), ("2‰(5户)", "ratio", "0.2%"), ("≤5%(3户)", "ratio", "不超过5%"),
])  # fmt: skip
def test_choosing_ratio_or_count_keeps_bound_and_frequency(ratio, keep, left):
    draft = one_row(ratio=ratio)
    settled = settle_row(draft, 1, read(draft)[0].rows[0], keep)
    assert values_of(settled, settled.rows[0])["ratio"] == left and problems(settled) == []


def test_an_item_nobody_serves_is_named_and_needs_no_ratio():
    found = problems(one_row(ratio="", window=""), known=())
    assert [(name, blocks) for _, name, blocks, _ in found] == [("item", False)]
    assert "“甲的检查”不在事项清单中，这一行将标为待模块" in found[0][3]


def test_a_row_whose_ratios_the_rules_give_needs_none_of_its_own():
    draft = one_row(ratio="")
    plan, ids = read(draft)
    known = {"known": {(3, 0)}, "departments": ("信用科",), "fixed": ()}
    assert [one.field for one in check_rows(draft, plan, ids, TODAY, **known)] == ["ratio"]
    assert check_rows(draft, plan, ids, TODAY, **known, ruled={3}) == []


def test_a_number_that_comes_twice_is_named_with_the_other_row():
    found = problems(add_row(one_row(), ROW | {"item": "乙的检查"}))
    assert found == [(2, "number", True, "序号“1”与“甲的检查”重复。请改成没有用过的序号。")]


def test_rows_as_they_were_are_asked_about_nothing_but_what_stops_them():
    assert {name for _, name, _, _ in problems(drafted(), departments=())} == {"ratio"}
    assert [(row, blocks) for row, _, blocks, _ in problems(drafted(), departments=())] == [(8, False), (9, True)]
    changed = change_row(drafted(), 1, {"note": "改"})
    assert [(row, name) for row, name, _, _ in problems(changed, departments=())][0] == (1, "department")


def test_the_time_of_a_task_that_has_begun_may_be_over():
    draft = change_row(drafted(), 1, {"window": "1月"})
    assert [(row, name) for row, name, blocks, _ in problems(draft) if blocks] == [(1, "window"), (9, "ratio")]
    assert [(row, name) for row, name, blocks, _ in problems(draft, fixed={1}) if blocks] == [(9, "ratio")]

"""What a version changes is told row by row; rows that only moved are not changes."""

from dataclasses import replace

from portal.domain.plan_changes import RowChange, plan_changes
from portal.domain.plan_layout import HOUSE, LaidRow, in_layout, titled

LAYOUT = titled(HOUSE["work"], "2026年计划")
ROWS = [
    LaidRow(3, {"序号": "1", "抽查事项": "甲", "检查对象": "企业", "抽查比例": "3%"}),
    LaidRow(4, {"序号": "2", "抽查事项": "乙", "检查对象": "企业", "抽查比例": "5%"}),
    LaidRow(5, {"序号": "3", "抽查事项": "乙", "检查对象": "个体工商户", "抽查比例": "5%"}),
]


def changes(*rows, layout=LAYOUT):
    return plan_changes((LAYOUT, ROWS), (layout, rows))


def cells(row, **values):
    return replace(row, cells={**row.cells, **values})


def test_the_same_rows_are_no_change_wherever_they_stand_and_whatever_their_headings():
    assert changes(*ROWS) == []
    assert changes(*(replace(row, line=row.line + 7) for row in reversed(ROWS))) == []
    layout, rows = in_layout(LAYOUT, ROWS, titled(HOUSE["county"], "2026年计划"))
    assert changes(*rows, layout=layout) == []


def test_a_changed_field_is_told_with_before_and_after():
    assert changes(cells(ROWS[0], 抽查比例="4%", 备注="改"), *ROWS[1:]) == [
        RowChange("changed", 3, "甲", (("抽查比例", "3%", "4%"), ("备注", "", "改")))]
    renamed = cells(ROWS[0], 抽查事项="丙")
    assert changes(renamed, *ROWS[1:]) == [RowChange("changed", 3, "丙", (("抽查事项", "甲", "丙"),))]


def test_new_and_withdrawn_rows_are_told_apart_from_renumbered_ones():
    moved = [replace(cells(ROWS[1], 序号="1"), line=3), replace(cells(ROWS[2], 序号="2"), line=4)]
    found = changes(*moved, LaidRow(5, {"序号": "9", "抽查事项": "丁"}))
    assert [(one.kind, one.line, one.name) for one in found] == [("changed", 3, "乙"), ("changed", 4, "乙"), ("new", 5, "丁"), ("gone", 3, "甲")]
    assert [one.fields for one in found] == [(("序号", "2", "1"),), (("序号", "3", "2"),), (("序号", "", "9"), ("抽查事项", "", "丁")), ()]


def test_two_rows_alike_are_two_rows():
    assert [(one.kind, one.line) for one in changes(*ROWS, replace(ROWS[0], line=6))] == [("new", 6)]
    assert [(one.kind, one.line) for one in plan_changes((LAYOUT, [*ROWS, replace(ROWS[0], line=6)]), (LAYOUT, ROWS))] == [("gone", 6)]

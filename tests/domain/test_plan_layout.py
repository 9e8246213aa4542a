"""A plan's sheet taken apart and put together again: no cell lost, no merged cell guessed, private columns never kept."""

from dataclasses import asdict, replace

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput
from portal.domain.plan import parse_plan
from portal.domain.plan_layout import (
    HOUSE, fields_of, in_layout, laid_rows, lay_out, layout_data, parse_layout, share, titled, with_fields,
)  # fmt: skip

HEAD = ("序号", "抽查类别", "抽查事项", "检查对象", "抽查比例", "A类", "实施时间", "抽取方式", "备注")
TITLE = ("2026年工作计划表", *[""] * 8)


def row(number, category, item, ratio, note="", a=""):
    return (number, category, item, "企业", ratio, a, "6-10月", "本级抽取", note)


def values(rows):
    """Plan rows as they are kept: one a file row, with the names of all its items."""
    found = {}
    for one in rows:
        found.setdefault(one.row, {**asdict(one), "items": []})["items"].append(one.item)
    return list(found.values())


def again(sheet):
    """(what the sheet says, the sheet written from that)."""
    read = parse_plan(sheet)
    layout = parse_layout(layout_data(read.layout))
    assert layout == read.layout
    return read, lay_out(*laid_rows(values(read.rows), layout))


def test_title_lines_empty_rows_and_remarks_stay_where_they_were():
    merged = (((0, 0), (0, 8)), ((3, 1), (4, 1)), ((3, 4), (4, 4)), ((7, 0), (8, 8)))
    sheet = Sheet(
        (TITLE, ("填报单位：信用科", *[""] * 7, "填报日期：2025年12月1日"), HEAD,
         row(1, "登记事项检查", "甲", "不低于3.5%", "结合其他业务板块合并进行"), row(2, "", "乙", ""), ("",) * 9, row(3, "x", "1、丙\n2、丁", "5户"),
         ("备注：按期末实有数。", *[""] * 8), ("",) * 9),
        merged, "2026",
    )  # fmt: skip
    read, written = again(sheet)
    assert written.rows == sheet.rows[:8] and written.merged == merged and written.name == "2026"
    assert [one.joined for one in read.rows] == [(), ("抽查类别", "抽查比例"), (), ()]
    # the last row was nothing but the tail of the remark's merged cell
    assert replace(parse_plan(written), aside=read.aside) == read and read.notes == ("填报单位：信用科", "填报日期：2025年12月1日", "备注：按期末实有数。")


def test_a_ratio_kept_as_a_number_is_written_as_per_cent():
    read, written = again(Sheet((TITLE, HEAD, row(1, "x", "甲", 0.035, a=0.01))))
    assert (read.rows[0].raw["抽查比例"], read.rows[0].raw["A类"]) == ("3.5%", "1%")
    assert written.rows[2][4:6] == ("3.5%", "1%") and parse_plan(written).rows == read.rows


def test_headings_that_come_twice_or_are_empty_keep_their_columns():
    head, cells = (*HEAD, "说明", "备注", ""), (*row(1, "x", "甲", "3%"), "先", "后", "末")
    read, written = again(Sheet((TITLE, head, cells)))
    assert written.rows[1:] == (head, cells)
    assert read.rows[0].note == "先" and list(read.rows[0].raw)[-3:] == ["说明", "备注（第 11 列）", "第 12 列"]


def test_a_private_column_keeps_its_heading_and_none_of_its_cells():
    sheet = Sheet((TITLE, (*HEAD, "联系电话"), (*row(1, "x", "甲", "3%"), "13800000000")))
    read, written = again(sheet)
    assert "13800000000" not in repr(read) and written.rows[1][-1] == "联系电话" and written.rows[2][-1] == ""


def test_a_hidden_character_in_a_column_of_the_bureaus_own_is_named_and_not_kept():
    read = parse_plan(Sheet((TITLE, (*HEAD, "经费"), (*row(1, "x", "甲", "3%"), "一\u202e万"))))
    assert [(p.row, p.field) for p in read.problems if "方向" in p.message] == [(3, "经费")]
    assert "经费" not in read.rows[0].raw
    for sheet in (Sheet((("2026年\u202e计划", ""), HEAD, row(1, "x", "甲", "3%"))), Sheet((TITLE, HEAD, row(1, "x", "甲", "3%"), ("备注：\u202e无",)))):
        with pytest.raises(BadInput, match=r"计划表第 \d 行含有改变文字方向的控制字符 U\+202E"):
            parse_plan(sheet)


def test_rows_left_out_do_not_take_a_merged_cell_with_them():
    merged = (((2, 1), (4, 1)), ((2, 4), (4, 4)))
    read = parse_plan(Sheet((TITLE, HEAD, row(1, "类", "甲", "3%"), row(2, "", "乙", ""), row(3, "", "丙", "")), merged))
    written = lay_out(*laid_rows([one for one in values(read.rows) if one["number"] != "1"], read.layout))
    assert written.rows[2] == ("",) * 9 and written.rows[3][1] == "类" and written.rows[4][1] == ""
    assert written.merged == (((3, 1), (4, 1)), ((3, 4), (4, 4)))
    assert [(one.item, one.category, one.ratio_ppm) for one in parse_plan(written).rows] == [("乙", "类", 30_000), ("丙", "类", 30_000)]


def test_the_category_a_csv_carries_on_is_written_in_every_row():
    read, written = again(Sheet((TITLE, HEAD, row("1", "类", "甲", "3%"), row("2", "", "乙", "3%")), (), "", "csv"))
    assert [one[1] for one in written.rows[2:]] == ["类", "类"] and written.name == "计划表"
    assert parse_plan(written).rows == read.rows


def test_a_row_without_cells_is_written_from_what_it_means():
    sheet = Sheet((TITLE, (*HEAD, "配合部门", "检查主体", "抽查数量"), (*row(7, "类", "甲；乙", "10%", a="1%"), "教育局", "各所", "20户")))
    read = parse_plan(sheet)
    bare = [{**one, "raw": {}} for one in values(read.rows)]
    layout = titled(HOUSE["work"], read.title)
    written = parse_plan(lay_out(*laid_rows(bare, layout)))
    for name in ("number", "category", "item", "objects", "ratio_ppm", "count", "class_ratios", "window", "drawn_by", "partners", "inspected_by", "kind"):
        assert [getattr(one, name) for one in written.rows] == [getattr(one, name) for one in read.rows], name
    assert fields_of({**bare[0], "window_text": "", "window": ["2026-06-01", "2026-10-31"]})["window"] == "2026.06.01-2026.10.31"


@pytest.mark.parametrize("name", list(HOUSE))
def test_another_layout_gets_a_column_for_what_it_has_none_for(name):
    sheet = Sheet((TITLE, ("填报单位：信用科", *[""] * 9), (*HEAD, "经费"), (*row(1, "类", "甲", "3%", "记", a="1%"), "一万"), ("备注：无", *[""] * 9)), (((0, 0), (0, 9)),))
    read = parse_plan(sheet)
    layout, rows = in_layout(*laid_rows(values(read.rows), read.layout), titled(HOUSE[name], read.title, read.notes))
    written = lay_out(layout, rows)
    got = parse_plan(written)
    assert (got.title, set(got.notes), got.rows[0].raw["经费"], got.rows[0].class_ratios, got.rows[0].note) == (
        read.title, set(read.notes), "一万", {"A": 10_000}, "记")
    assert written.merged[0] == ((0, 0), (0, len(layout.columns) - 1)), "the title reaches over the new columns"
    assert len({len(one) for one in written.rows}) == 1


def test_columns_are_added_only_where_there_is_none():
    assert with_fields(HOUSE["work"], ["note", "ratio"]) is HOUSE["work"]
    more = with_fields(HOUSE["work"], ["partners", "note"])
    assert more.columns[-1] == ("配合部门", "partners") and more.heads[-1] == "配合部门" and more.merged == (((0, 0), (0, 14)),)


@pytest.mark.parametrize("ppm, text", [(35_000, "3.5%"), (1_000_000, "100%"), (2_000, "0.2%"), (350, "0.035%"), (1, "0.0001%"), (0, "0%"), (300_000, "30%")])
def test_ratios_are_written_exactly(ppm, text):
    assert share(ppm) == text

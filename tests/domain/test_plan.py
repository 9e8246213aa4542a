"""Annual plans: ratios, windows, riding rows, items; every row of the file accounted for."""

from datetime import date

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput
from portal.domain.model import Basis, CheckItem
from portal.domain.plan import match_items, parse_plan
from portal.domain.ratios import Amount, amount_words, drawn_at, inspects_itself, parse_amount, parse_drawn_by, parse_window, types_of
from portal.sheets.read import read_sheet
from tests.shared import shared_file

HEAD = ("序号", "抽查类别", "抽查事项", "检查对象", "事项类别", "抽查比例", "A类", "B类", "C类", "D类", "实施时间", "责任科室", "抽取方式", "备注")


def plan(*rows, merged=(), title="2026年工作计划表", kind=""):
    return parse_plan(Sheet(((title,), HEAD, *rows), merged, "计划表", kind))


def row(number, category, item, ratio, note="", classes=("", "", "", ""), window="6-10月", by="本级抽取"):
    return (number, category, item, "企业", "一般检查事项", ratio, *classes, window, "信用科", by, note)


def item(code, name, category="登记事项检查", aliases=()):
    return CheckItem(code, "1", category, name, "x.form", (Basis("法"),), aliases=aliases)


@pytest.mark.parametrize("cell, ppm, count, times, floor", [
    ("不低于3.5%", 35_000, None, None, True),
    ("≥3%", 30_000, None, None, True),
    ("≥3%，1次", 30_000, None, 1, True),
    ("10%(20户)", 100_000, 20, None, False),
    ("10％（20户）", 100_000, 20, None, False),
    ("2‰", 2_000, None, None, False),
    ("0.35‰", 350, None, None, False),
    ("50户", None, 50, None, False),
    ("1户", None, 1, None, False),
    ("3.5%以上", 35_000, None, None, True),
    ("100%，每年1次", 1_000_000, None, 1, False),
    ("全覆盖", 1_000_000, None, None, False),
    (0.035, 35_000, None, None, False),
    ("", None, None, None, False),
])
def test_ratios_are_read_exactly(cell, ppm, count, times, floor):
    amount = parse_amount(cell)
    assert (amount.ppm, amount.count, amount.times, amount.at_least) == (ppm, count, times, floor)


@pytest.mark.parametrize("text, count, times, words", [
    ("10%(20户)，1次", 20, 1, "10%(20户)，1次"), ("20%", 2, None, "20%，2户"), ("3%", 20, 1, "3%，20户，1次"), ("", 50, None, "50户"), ("适量", None, 2, "适量，2次"), ("", None, None, ""),
])  # fmt: skip
def test_how_many_is_said_once_and_whole(text, count, times, words):
    assert amount_words(text, count, times) == words


def test_ceilings_are_kept_apart_from_floors():
    assert parse_amount("≤5%") == Amount("≤5%", 50_000, at_most=True)


@pytest.mark.parametrize("cell, says", [
    ("5%-20%", "看不懂"), ("根据实际情况确定", "看不懂"), ("10%，其中重点单位≥8%", "看不懂"), ("120%", "超过了 100%"),
    ("50", "没有单位"), (1, "没有单位"), (50, "没有单位"), ("0.00001%", "过细"), ("3次", "看不懂"),
])
def test_ratios_that_are_not_wholly_understood_are_not_guessed(cell, says):
    with pytest.raises(ValueError, match=says):
        parse_amount(cell)


@pytest.mark.parametrize("text, begins, ends", [
    ("6-10月", (6, 1), (10, 31)), ("7月-10月", (7, 1), (10, 31)), ("5月至8月", (5, 1), (8, 31)), ("4月", (4, 1), (4, 30)),
    ("2月", (2, 1), (2, 28)), ("2026.2.24-2026.11.30", (2, 24), (11, 30)), ("2026.3.1-11.30", (3, 1), (11, 30)),
    ("6月1日—10月31日", (6, 1), (10, 31)), ("2026/05/01-2026/09/30", (5, 1), (9, 30)), ("2026-05-01~2026-09-30", (5, 1), (9, 30)),
    ("2026年3月-11月", (3, 1), (11, 30)), ("3 － 11 月", (3, 1), (11, 30)), ("全年", (1, 1), (12, 31)), ("下半年", (7, 1), (12, 31)),
    ("第三季度", (7, 1), (9, 30)), ("11月20日前", (1, 1), (11, 20)), ("10月底前完成", (1, 1), (10, 31)),
])
def test_windows_are_read_for_the_plans_year(text, begins, ends):
    assert parse_window(text, 2026) == (date(2026, *begins), date(2026, *ends))


@pytest.mark.parametrize("text, says", [("适时", "看不懂"), ("2月30日-3月1日", "不存在"), ("13月", "不存在"), ("10-6月", "晚于")])
def test_windows_not_understood_say_so(text, says):
    with pytest.raises(ValueError, match=says):
        parse_window(text, 2026)


@pytest.mark.parametrize("text, who", [
    ("本级抽取", "here"), ("", "here"), ("县抽县查", "here"), ("区抽区查", "here"), ("泉州市局统一抽取", "superior"),
    ("市抽县查", "superior"), ("省抽市查", "superior"), ("省局统一抽取", "superior"), ("教育部门确定名单", "external"),
])
def test_who_draws_is_read_from_the_words_in_use(text, who):
    assert parse_drawn_by(text) == who


@pytest.mark.parametrize("text, level, who", [
    ("县抽县查", "city", "below"), ("区抽区查", "city", "below"), ("县级局自行抽取", "city", "below"), ("县抽县查", "county", "here"), ("县抽县查", "province", "below"),
    ("市抽县查", "province", "below"), ("自治区抽市查", "city", "superior"), ("自治区统一抽取", "province", "superior"), ("各级自行抽取", "city", "here"), ("设区市抽县查", "city", "here"),
])
def test_what_counties_draw_is_not_for_the_city_to_draw(text, level, who):
    assert drawn_at(text, parse_drawn_by(text), level) == who


@pytest.mark.parametrize("text, level, who", [
    ("市抽县查", "county", "superior"), ("市抽县查", "city", "here"), ("市级统一抽取", "city", "here"), ("省抽市查", "city", "superior"),
    ("省局统一抽取", "city", "superior"), ("总局组织抽取", "city", "superior"), ("本级抽取", "city", "here"), ("教育部门确定名单", "city", "external"),
])
def test_what_a_county_calls_its_superiors_draw_is_the_citys_own(text, level, who):
    assert drawn_at(text, parse_drawn_by(text), level) == who


@pytest.mark.parametrize("text, level, itself", [
    ("市抽市查", "city", True), ("市局抽市局查", "city", True), ("市抽县查", "city", False), ("省抽市查", "city", False), ("市级统一抽取", "city", False), ("", "city", False),
    ("市抽市查", "county", False), ("县抽县查", "county", True),
])
def test_who_draws_and_inspects_itself(text, level, itself):
    assert inspects_itself(text, level) is itself


def test_entity_types_are_taken_only_where_the_objects_name_them():
    assert types_of("企业、个体工商户、农民专业合作社") == ("企业", "个体工商户", "农民专业合作社")
    assert types_of("外国企业常驻代表机构") == ("外国企业常驻代表机构",)
    assert types_of("食品销售者") == ()


def test_rows_that_ride_say_so_and_so_does_the_row_sharing_their_ratio():
    got = plan(
        row(1, "登记事项检查", "甲", "不低于3.5%", "结合其他业务板块合并进行"), row(2, "", "乙", ""), row(3, "", "丙", "3%"),
        merged=(((2, 1), (4, 1)), ((2, 5), (3, 5))),
    )
    assert [(r.rides, r.category, r.ratio_ppm) for r in got.rows] == [
        (True, "登记事项检查", 35_000), (True, "登记事项检查", 35_000), (False, "登记事项检查", 30_000)]
    assert got.problems == ()


def test_a_cell_not_understood_keeps_its_row_and_is_named_with_row_and_column():
    got = plan(row(1, "x", "甲", "适量", window="适时", classes=("1%", "很多", "", "")))
    assert [(p.row, p.field) for p in got.problems] == [(3, "抽查比例"), (3, "B类"), (3, "实施时间")]
    only = got.rows[0]
    assert (only.ratio_ppm, only.window, only.ratio_text, only.class_ratios) == (None, None, "适量", {"A": 10_000})
    assert only.raw["抽查比例"] == "适量" and only.raw["实施时间"] == "适时"


def test_count_and_ratio_together_are_kept_and_listed_for_the_planner():
    got = plan(row(1, "x", "甲", "10%(20户)"), row(2, "x", "乙", "50户", classes=("1%", "2%", "3%", "4%")), row(3, "x", "丙", ""))
    assert [(r.ratio_ppm, r.count, len(r.class_ratios)) for r in got.rows] == [(100_000, 20, 0), (None, 50, 4), (None, None, 0)]
    assert [(p.row, p.message[:6]) for p in got.problems] == [(3, "同时写了20"), (4, "同时写了50"), (5, "没有写比例或")]


def test_items_listed_in_one_cell_become_one_row_each_riding_on_the_first():
    got = plan(row(1, "x", "1、甲的检查\n2、乙的检查；丙的检查", "3%"))
    assert [(r.row, r.part, r.item, r.rides) for r in got.rows] == [
        (3, 0, "甲的检查", False), (3, 1, "乙的检查", True), (3, 2, "丙的检查", True)]


def test_remarks_and_title_lines_are_kept_as_notes():
    sheet = Sheet((("2026年工作计划表",), ("填报单位：信用科", "填报日期：2025年12月1日"), HEAD, row(1, "x", "甲", "3%"), (), ("备注：按期末实有数。",)))
    got = parse_plan(sheet)
    assert got.title == "2026年工作计划表" and got.year == 2026
    assert got.notes == ("填报单位：信用科", "填报日期：2025年12月1日", "备注：按期末实有数。")
    assert len(got.rows) == 1


def test_a_csv_plan_carries_its_category_on():
    got = plan(row("1", "登记事项检查", "甲", "3%"), row("2", "", "乙", "3%"), kind="csv")
    assert [r.category for r in got.rows] == ["登记事项检查", "登记事项检查"]


@pytest.mark.parametrize("sheet, says", [
    (Sheet((("姓名", "电话"), ("甲", "1"))), "找不到“抽查事项”列"),
    (Sheet((("工作计划表",), HEAD, row(1, "x", "甲", "3%"))), "哪一年"),
    (Sheet((("2026年工作计划表",), HEAD)), "只有表头"),
    (Sheet((("2026年工作计划表",), HEAD, ("备注：无",))), "没有数据行"),
])
def test_what_is_no_plan_is_refused(sheet, says):
    with pytest.raises(BadInput, match=says):
        parse_plan(sheet)
    assert parse_plan(Sheet((("工作计划表",), HEAD, row(1, "x", "甲", "3%"))), 2027).year == 2027


def test_a_year_said_beside_the_file_wins_over_the_titles_and_the_difference_is_named():
    rows = (("2024年工作计划表",), HEAD, row(1, "x", "甲", "3%"))
    stated = parse_plan(Sheet(rows), 2026)
    assert stated.year == 2026 and stated.rows[0].window == (date(2026, 6, 1), date(2026, 10, 31))
    assert [str(problem) for problem in stated.problems] == ["第 1 行“标题”：标题写的是 2024 年，按填写的计划年度 2026 年导入。请核对。"]
    assert parse_plan(Sheet(rows), 2024).problems == parse_plan(Sheet(rows)).problems == ()


def test_items_are_matched_by_name_alias_and_punctuation_but_never_by_likeness():
    items = [
        item("reg.licence", "营业执照（登记证）规范使用情况的检查", aliases=("登记事项检查",)),
        item("a.same", "公示的检查", "甲类"), item("b.same", "公示的检查", "乙类"),
    ]
    rows = plan(
        row(1, "", "营业执照（登记证）规范使用情况的检查", "3%"), row(2, "", "登记事项检查", "3%"),
        row(3, "", "营业执照(登记证) 规范使用情况的检查。", "3%"), row(4, "", "营业执照规范使用情况的检查", "3%"),
        row(5, "乙类", "公示的检查", "3%"), row(6, "丙类", "公示的检查", "3%"),
    ).rows
    assert [code for _, code in match_items(rows, items)] == [
        "reg.licence", "reg.licence", "reg.licence", None, "b.same", None]


# The collected layouts ------------------------------------------------------------


def test_the_jinjiang_layout_gives_five_rows_of_which_two_ride():
    got = parse_plan(read_sheet(shared_file("plans/jinjiang_style_2024.xlsx").read_bytes()))
    assert got.year == 2024 and len(got.rows) == 5
    assert [r.rides for r in got.rows] == [True, True, False, False, False]
    first, second, _, product, _ = got.rows
    assert first.class_ratios == {"A": 10_000, "B": 30_000, "C": 100_000, "D": 300_000}
    assert (second.category, second.ratio_ppm, second.at_least) == ("登记事项检查", 35_000, True)
    assert first.window == (date(2024, 6, 1), date(2024, 10, 31))
    assert (product.count, product.ratio_ppm, product.drawn_by, product.kind) == (50, None, "superior", "key")
    assert [p.row for p in got.problems] == [6]
    assert got.notes == ("备注：抽查比例以2024年底期末实有户数为基数。",)


def test_the_joint_and_the_county_layout_lose_no_row():
    joint = parse_plan(read_sheet(shared_file("plans/changzhi_2024.xlsx").read_bytes()))
    assert sorted({r.row for r in joint.rows}) == [3, 4, 5, 6] and len(joint.rows) == 8
    assert joint.rows[-1].drawn_by == "superior" and joint.rows[0].times == 1
    county = parse_plan(read_sheet(shared_file("plans/county_2026.xlsx").read_bytes()))
    assert sorted({r.row for r in county.rows}) == [4, 5, 6, 7]
    assert [r.ratio_ppm for r in county.rows if r.part == 0] == [100_000, 100_000, 35_000, 2_000]
    assert all(r.window for r in county.rows) and county.rows[0].number == "3505822026001"

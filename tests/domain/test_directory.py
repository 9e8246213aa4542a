"""The two directories: headings, dates, lists, private columns, all or nothing."""

import csv
import gzip
from datetime import date, datetime

import pytest

from portal.domain.cells import parse_code, parse_date, parse_flag, parse_list, parse_text
from portal.domain.codes import check_code, clean_code, make_legacy, make_uscc
from portal.domain.directory import may_inspect, parse_entities, parse_inspectors, town_of
from portal.domain.errors import BadInput
from portal.domain.recusals import RecusalRow, parse_recusals
from portal.domain.tables import LEFT_OUT, Headings, MissingColumns
from portal.sheets.read import read_sheet
from tests.shared import shared_file

CODE = make_uscc("9", "1", "359921", "MA000001")
OTHER = make_uscc("9", "2", "359921", "MA000002")
HEAD = ("统一社会信用代码/注册号", "企业名称")
INSPECTOR_HEAD = ("单位工号", "姓名", "担任职务", "是否专家", "岗位大类", "执法证编号", "执法证有效期", "执法人员状态")


def read(parse, *given, **more):
    """(rows, warnings) of a file without an error."""
    parsed = parse(*given, **more)
    assert parsed.errors == () and len(parsed.lines) == len(parsed.rows)
    return parsed.rows, parsed.warnings


def inspector(number="W1", name="林甲", duty="科员", expert="否", skills="计量", card="闽Z1", until="2027-12-31", status="有效"):
    return (number, name, duty, expert, skills, card, until, status)


# Cells ----------------------------------------------------------------------------


@pytest.mark.parametrize("cell, day", [
    ("2027-12-31", date(2027, 12, 31)), ("2028年3月31日", date(2028, 3, 31)), ("2026/5/1", date(2026, 5, 1)),
    ("2026.5.1", date(2026, 5, 1)), ("20260501", date(2026, 5, 1)), (20260501, date(2026, 5, 1)), (46_387, date(2026, 12, 31)),
    ("46387", date(2026, 12, 31)), (46_387.5, date(2026, 12, 31)), (date(2026, 5, 1), date(2026, 5, 1)), (datetime(2026, 5, 1, 3), date(2026, 5, 1)),
    ("2026-05-01 00:00:00", date(2026, 5, 1)), ("2026-05-01T08:30:00", date(2026, 5, 1)), ("2026/5/1 8:30", date(2026, 5, 1)),
    ("２０２６－５－１", date(2026, 5, 1)), ("2026 年 5 月 1 日", date(2026, 5, 1)), ("2026-5-1日", date(2026, 5, 1)), ("2026年05月01号", date(2026, 5, 1)),
    ("二〇二六年五月一日", date(2026, 5, 1)), ("二零二六年十二月三十一日", date(2026, 12, 31)), ("二○二六年元月廿一日", date(2026, 1, 21)), ("二〇二六年十月十日", date(2026, 10, 10)),
    ("5-Jan-2026", date(2026, 1, 5)), ("5 September 2026", date(2026, 9, 5)),
    ("长期", date(9999, 9, 9)), ("9999-09-09", date(9999, 9, 9)), ("", None), ("  ", None), (None, None),
])
def test_dates_are_read_in_every_usual_spelling(cell, day):
    assert parse_date(cell) == day


@pytest.mark.parametrize(("cell", "said"), [
    ("24/1/5", "“24/1/5”分不清年、月、日。请把年份写全，例如 2027-12-31。"), ("5/1/2026", "“5/1/2026”分不清年、月、日。请把年份写全，例如 2027-12-31。"),
    ("26-5-1", "“26-5-1”分不清年、月、日。请把年份写全，例如 2027-12-31。"), ("24年1月5日", "“24年1月5日”分不清年、月、日。请把年份写全，例如 2027-12-31。"),
    ("民国113年1月5日", "“民国113年1月5日”是民国纪年。请改成公历，例如 2027-12-31。"),
    ("2028年3月", "“2028年3月”没有写到日。请写成 2027-12-31 这样。"), ("2026年", "“2026年”没有写到日。请写成 2027-12-31 这样。"),
    ("2026-02-30", "“2026-02-30”不是存在的日期。"), ("二〇二六年二月三十日", "“二〇二六年二月三十日”不是存在的日期。"),
    ("永远", "“永远”不是日期。请写成 2027-12-31 这样。"), (7, "“7”不是日期。请写成 2027-12-31 这样。"), (True, "“True”不是日期。请写成 2027-12-31 这样。"),
    ("20261301", "“20261301”不是存在的日期。"), ("99999", "“99999”不是日期。请写成 2027-12-31 这样。"),
])
def test_what_is_no_date_or_has_two_readings_is_refused_and_not_guessed(cell, said):
    with pytest.raises(ValueError) as refusal:
        parse_date(cell)
    assert str(refusal.value) == said


def test_lists_are_split_at_every_mark_in_use():
    assert parse_list("甲、乙，丙,丁；戊;己\n甲") == ("甲", "乙", "丙", "丁", "戊", "己")
    assert parse_list("") == ()


def test_codes_that_a_spreadsheet_rounded_are_refused():
    assert parse_code(359921600000017) == "359921600000017"
    for cell in (9.13505e17, 913505001561824610, "9.13505E+17"):
        with pytest.raises(ValueError, match="末几位"):
            parse_code(cell)


def test_text_is_trimmed_and_in_nfc_and_never_reorders_what_is_shown():
    assert parse_text("  望溪\n县\u200b ") == "望溪 县"
    assert parse_text("e\u0301") == "é"
    with pytest.raises(ValueError, match="U\\+202E"):
        parse_text("望溪\u202e县")
    assert parse_flag("是") and parse_flag("食品专家") and not parse_flag("否") and not parse_flag("")


# Entities ---------------------------------------------------------------------------


def test_two_columns_are_enough_for_a_register():
    (row,), problems = read(parse_entities, [HEAD, (CODE.lower(), "望溪县甲有限公司")])
    assert (row.code, row.kind, row.holder, row.type, row.status, row.region) == (CODE, "entity", CODE, "企业", "存续", "359921")
    assert problems == ()


def test_headings_may_stand_below_titles_and_in_other_wordings():
    rows = [("望溪县检查对象名录库", ""), ("",), (" 注册号 ", "*主体名称（必填）", "注册号", "统一社会信用代码"), ("", "甲", "", CODE)]
    parsed = parse_entities(rows)
    assert parsed.rows[0].code == CODE and parsed.rows[0].name == "甲"


def test_every_column_of_a_full_register_is_read():
    head = ("统一社会信用代码", "名称", "曾用名", "主体类型", "登记状态", "属地所", "乡镇", "住所", "行业代码", "经营范围", "成立日期",
            "信用风险等级", "监管标签", "许可证名称", "许可证编号", "批准日期", "有效期至", "发证机关", "注册资本")
    body = (OTHER, "乙小吃店", "丙小吃店", "个体工商户", "存续（在营、开业、在册）", "城关所", "城关镇", "城关镇南街1号", "6210、H6241", "餐饮服务",
            "2019/5/1", "B类", "餐饮服务,网络经营", "食品经营许可证", "JY1", "2024-01-02", "9999-09-09", "望溪局", "5万元")
    (row,), problems = read(parse_entities, [head, body])
    assert problems == ()
    assert (row.old_names, row.type, row.status, row.station, row.town) == (("丙小吃店",), "个体工商户", "存续", "城关所", "城关镇")
    assert (row.industries, row.registered_on, row.risk_class) == (("6210", "6241"), date(2019, 5, 1), "B")
    assert row.tags == ("餐饮服务", "网络经营") and row.attributes == {"capital": "5万元", "registered_type": "个体工商户"}
    assert row.licences == ({"name": "食品经营许可证", "number": "JY1", "issued_on": "2024-01-02", "valid_to": "9999-09-09", "authority": "望溪局"},)


def test_an_industry_may_stand_by_its_name():
    parsed = parse_entities([
        (*HEAD, "所属行业"), (CODE, "甲", "农、林、牧、渔业"), (OTHER, "乙", "餐饮业；F52零售业"), (make_legacy("359921", 1), "丙", "卖布的"),
    ])
    assert [row.industries for row in parsed.rows] == [("A",), ("62", "52"), ()]
    assert [(p.row, p.field) for p in parsed.warnings] == [(4, "所属行业")] and "“卖布的”不是" in parsed.warnings[0].message


def test_a_failed_check_digit_is_a_warning_and_the_row_stays():
    legacy = make_legacy("359921", 10_000_001)
    wrong = legacy[:14] + str((int(legacy[14]) + 1) % 10)
    rows, problems = read(parse_entities, [HEAD, (wrong, "甲"), (CODE, "乙")])
    assert [row.code for row in rows] == [wrong, CODE]
    assert [(p.row, p.field) for p in problems] == [(2, "统一社会信用代码/注册号")]
    assert "第 15 位" in problems[0].message


def test_a_code_that_a_person_accepted_is_not_warned_about_again():
    wrong = CODE[:17] + ("A" if CODE[17] != "A" else "C")
    assert len(parse_entities([HEAD, (wrong, "甲")]).warnings) == 1
    assert parse_entities([HEAD, (wrong, "甲")], accepted={wrong}).warnings == ()


def test_sites_and_objects_keep_their_holder():
    head = (*HEAD, "对象种类", "使用单位代码")
    rows, _ = read(parse_entities, [head, (CODE + "#2", "甲二店", "", ""), ("LIFT-7", "乘客电梯", "设备", CODE)])
    assert [(r.kind, r.holder, r.site) for r in rows] == [("site", CODE, "2"), ("object", CODE, "")]


def test_rows_with_an_error_are_left_out_and_every_error_has_its_line():
    rows = [HEAD, (CODE, "甲"), ("", "乙"), (OTHER, ""), ("坏 代码!", "丙"), (CODE, "丁"), (9.13505e17, "戊"), (OTHER, "己")]
    parsed = parse_entities(iter(rows))
    assert [(row.name, line) for row, line in zip(parsed.rows, parsed.lines)] == [("甲", 2), ("己", 8)]
    assert parsed.total == 7 and parsed.bad_lines == {3, 4, 5, 6, 7}
    assert list(map(str, parsed.errors)) == [
        "第 3 行“统一社会信用代码/注册号”：没有填写。请补上后重新上传。", "第 4 行“企业名称”：没有填写。请补上后重新上传。",
        "第 5 行“统一社会信用代码/注册号”：“坏代码!”是文字，不是统一社会信用代码或注册号。请填写代码；如果各列错位，请先对齐。",
        f"第 6 行“统一社会信用代码/注册号”：代码 {CODE} 与第 2 行重复。请只保留一行。",
        "第 7 行“统一社会信用代码/注册号”：代码在表格中存成了数字，末几位已经丢失。请把该列设为“文本”格式后重新填写。",
    ]


def test_all_or_nothing_refuses_with_every_error_or_the_first_200_of_them():
    with pytest.raises(BadInput, match="^检查对象名录有 1 处错误，没有导入任何一行。请改正后重新上传。$"):
        parse_entities([HEAD, (CODE, "甲"), ("", "乙")]).require_no_errors("检查对象名录")
    parsed = parse_entities([HEAD] + [("", f"甲{n}") for n in range(1500)])
    assert len(parsed.errors) == 1500
    with pytest.raises(BadInput, match="有 1500 处错误，没有导入任何一行，下面列出前 200 处") as refusal:
        parsed.require_no_errors("检查对象名录")
    assert len(refusal.value.problems) == 200


def test_a_wrong_cell_anywhere_leaves_its_row_out():
    head = (*HEAD, "成立日期", "住所")
    parsed = parse_entities([head, (CODE, "甲", "去年", "南街"), (OTHER, "乙", "2019-5-1", "南\u202e街")])
    assert parsed.rows == () and [(p.row, p.field) for p in parsed.errors] == [(2, "成立日期"), (3, "住所")]


def test_remark_and_total_rows_are_no_data():
    parsed = parse_entities([HEAD, (CODE, "甲"), ("备注：以登记为准", ""), ("合计", "1 户"), ("填表人：林甲", ""), ("", "注册号见上")])
    assert [row.name for row in parsed.rows] == ["甲"] and [p.row for p in parsed.errors] == [6]
    assert "跳过 3 行备注或合计。" in [p.message for p in parsed.warnings]


def test_a_bureaus_own_headings_are_read_once_they_have_been_pointed_out():
    rows = [("企业注册码", "单位全称", "天气"), (CODE, "甲", "晴")]
    with pytest.raises(MissingColumns) as refusal:
        parse_entities(rows)
    assert refusal.value.missing == ("统一社会信用代码", "企业名称")
    assert refusal.value.headings == Headings(1, unknown=("企业注册码", "单位全称", "天气"))
    parsed = parse_entities(rows, {"企业注册码": "code", "单位全称": "name", "天气": LEFT_OUT})
    assert parsed.rows[0].code == CODE and parsed.headings == Headings(1, (("企业注册码", "code"), ("单位全称", "name")))


def test_one_entity_with_several_licences_is_one_row():
    head = (*HEAD, "对应专项库监管标签", "许可证名称", "编号")
    (row,), _ = read(parse_entities, [head, (CODE, "甲", "食品生产", "食品生产许可证", "SC1"), (CODE, "甲", "计量", "型式批准", "J2")])
    assert row.tags == ("食品生产", "计量") and [one["number"] for one in row.licences] == ["SC1", "J2"]


def test_columns_left_out_are_all_named():
    head = (*HEAD, "法定代表人", "手机号", "天气", "序号")
    (row,), problems = read(parse_entities, [head, (CODE, "甲", "张三", "13800000000", "晴", 1)])
    assert "张三" not in repr(row) and "13800000000" not in repr((row, problems)) and "晴" not in repr(row)
    assert [p.field for p in problems] == ["法定代表人、手机号", "序号", "天气"]
    assert "个人信息" in problems[0].message and "不认识" in problems[2].message


def test_unknown_statuses_are_kept_and_warned_about_and_known_ones_mapped():
    head = (*HEAD, "登记状态")
    rows, problems = read(parse_entities, [head, (CODE, "甲", "吊销，未注销"), (OTHER, "乙", "休眠")])
    assert [row.status for row in rows] == ["吊销", "休眠"]
    assert [p.row for p in problems] == [3] and "不会被抽取" in problems[0].message


def test_hidden_characters_of_old_registers_are_warned_about():
    (row,), problems = read(parse_entities, [(*HEAD, "住所"), (CODE, "甲", "南街\x7f1号\ue20a")])
    assert row.address == "南街 1号\ue20a"
    assert [p.field for p in problems] == ["住所"] and "U+007F" in problems[0].message


def test_a_file_without_the_needed_headings_or_rows_is_refused():
    for rows, says in (([("甲", "乙"), ("1", "2")], "找不到“统一社会信用代码”、“企业名称”列"), ([HEAD], "没有数据行"), ([("", "")], "是空的")):
        with pytest.raises(BadInput, match=says):
            parse_entities(rows)
    with pytest.raises(BadInput, match="没有数据行"):
        parse_entities([HEAD, ("案例（请删除）", "示例公司")])


def test_towns_are_read_from_addresses():
    assert town_of("福建省晋江市陈埭镇岸兜村1号") == "陈埭镇"
    assert town_of("望溪县清桥街道南路2号") == "清桥街道"
    assert town_of("鲤中开元寺旁") == ""


# Inspectors and recusals ----------------------------------------------------------------


def test_sample_rows_are_left_out_and_counted():
    rows, problems = read(parse_inspectors, [INSPECTOR_HEAD, inspector("案例（请删除）", "张三"), inspector()])
    assert [row.name for row in rows] == ["林甲"]
    assert any("跳过 1 行示例" in p.message for p in problems)


def test_those_not_in_force_are_imported_but_may_never_inspect():
    rows, problems = read(parse_inspectors, [
        INSPECTOR_HEAD, inspector("1"), inspector("2", status="失效"), inspector("3", until="2026-5-1"), inspector("4", until=""),
        inspector("5", card=""), inspector("6", status=""), inspector("7", duty="协管员"),
    ], today=date(2026, 6, 1))
    assert [may_inspect(row, date(2026, 6, 1)) for row in rows] == [True] + [False] * 6
    assert may_inspect(rows[2], date(2026, 5, 1)) and not may_inspect(rows[2], date(2026, 5, 2))
    assert any("6 人的执法证在 2026-06-01 已过期或状态为失效" in p.message for p in problems)
    assert any("协管员" in p.message and p.row == 8 for p in problems)


def test_leads_come_from_their_column_or_else_from_the_duty():
    rows, problems = read(parse_inspectors, [INSPECTOR_HEAD, inspector("1", duty="副所长"), inspector("2")])
    assert [row.lead for row in rows] == [True, False] and "认定 1 人" in problems[0].message
    rows, problems = read(parse_inspectors, [(*INSPECTOR_HEAD, "是否组长"), (*inspector("1", duty="副所长"), "否"), (*inspector("2"), "是")])
    assert [row.lead for row in rows] == [False, True] and problems == ()


def test_a_missing_number_is_taken_from_the_certificate():
    rows, _ = read(parse_inspectors, [INSPECTOR_HEAD, inspector("", card="闽C100000")])
    assert (rows[0].code, rows[0].number, rows[0].certificate_no) == ("C100000", "", "闽C100000")


def test_unreadable_dates_and_doubled_numbers_of_inspectors_are_errors():
    parsed = parse_inspectors([INSPECTOR_HEAD, inspector("1", until="下月"), inspector("2"), inspector("2"), inspector("3", "", card="x")])
    assert [(p.row, p.field) for p in parsed.errors] == [(2, "执法证有效期"), (4, "单位工号"), (5, "姓名")]
    assert [row.number for row in parsed.rows] == ["2"] and "与第 3 行重复" in parsed.errors[1].message


RECUSAL_HEAD = ("单位工号", "统一社会信用代码", "回避原因", "回避开始日期", "回避截止日期", "备注")


def test_recusals_need_both_codes_and_a_reason():
    rows, _ = read(parse_recusals, [RECUSAL_HEAD, ("W1", CODE, "近亲属", "2026年1月1日", "", "公函 3 号")])
    assert rows == (RecusalRow("W1", CODE, "近亲属", "公函 3 号", date(2026, 1, 1)),)
    parsed = parse_recusals([RECUSAL_HEAD, ("W1", CODE, "", "", ""), ("", CODE, "同学"), ("W1", OTHER, "同学", "2026-5-1", "2026-4-1"),
                             ("W2", CODE, "同学"), ("W2", CODE, "校友")])
    assert [(p.row, p.field, p.message) for p in parsed.errors] == [
        (2, "回避原因", "没有填写。请补上后重新上传。"), (3, "单位工号", "没有填写。请补上后重新上传。"),
        (4, "回避截止日期", "回避止于 2026-04-01，早于开始的 2026-05-01。请核对日期。"),
        (6, "单位工号", f"W2 回避 {CODE} 与第 5 行重复。请只保留一行。")]
    assert len(parsed.rows) == 1


# The collected files ----------------------------------------------------------------------


def test_4110_jinjiang_companies_come_in_without_an_error():
    with gzip.open(shared_file("enterprises/fujian_1978_2004.csv.gz"), "rt", encoding="utf-8") as f:
        head, *body = csv.reader(f)
    rows, problems = read(parse_entities, [head, *(row for row in body if row[1].startswith("91350582"))])
    assert len(rows) == 4_110 and len({row.code for row in rows}) == 4_110
    assert all(row.region == "350582" and row.type == "企业" and row.registered_on for row in rows)
    assert [p for p in problems if "校验码" in p.message] == []
    assert sum(row.town == "陈埭镇" for row in rows) > 200


@pytest.mark.shared
def test_none_of_4980_bad_codes_vanishes_they_come_in_with_their_reason_or_are_refused_with_it():
    with open(shared_file("enterprises/invalid_codes.csv"), encoding="utf-8") as f:
        raw = [row["raw_code"] for row in csv.DictReader(f)]
    come_in: dict[str, str] = {}
    refused = 0
    for code in raw:
        parsed = parse_entities([HEAD, (code, "甲")])
        if not parsed.rows:
            assert [p.row for p in parsed.errors] == [2] and parsed.errors[0].message.endswith("。")
            refused += 1
        else:
            (row,) = parsed.rows
            check = check_code(row.code)
            assert parsed.errors == () and row.code == clean_code(code)
            assert [p.message for p in parsed.warnings] == ([check.message] if check.reason else [])
            come_in[row.code] = check.reason
    assert (len(raw), refused) == (4_980, 916)
    rows, problems = read(parse_entities, [HEAD, *((code, f"第{n}户") for n, code in enumerate(come_in))])  # and all together
    assert [row.code for row in rows] == list(come_in)
    assert len(problems) == sum(reason != "" for reason in come_in.values()) == 64


def test_180_jinjiang_inspectors_come_in_without_the_sample_row():
    rows, problems = read(parse_inspectors, read_sheet(shared_file("plans/inspectors_jinjiang.xlsx").read_bytes()).rows)
    assert len(rows) == 180
    first = rows[0]
    assert (first.number, first.town, first.specialities, first.certificate_until) == (
        "JJ0001", "罗山街道", ("知识产权", "价格广告"), date(2025, 12, 31))
    assert any("手机号" in p.field and "个人信息" in p.message for p in problems)
    assert sum(row.status == "失效" for row in rows) == 17
    assert all(isinstance(row.certificate_until, date) for row in rows)

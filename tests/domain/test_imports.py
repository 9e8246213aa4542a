"""What files of every kind say when something is wrong with them, and the file that is kept and given back."""

import json
import zlib
from dataclasses import replace
from datetime import date, datetime

import pytest

from portal.domain.cells import Sheet
from portal.domain.classes import ClassRow, parse_class, parse_classes
from portal.domain.codes import make_uscc
from portal.domain.errors import BadInput, Problem
from portal.domain.external import parse_external
from portal.domain.headings import NOT_KEPT, PERSONAL
from portal.domain.import_kinds import KINDS, Reading, parse_mapping, parse_options, template_rows
from portal.domain.imports import pack_preview, pack_sheet, preview_of, remark_rows, unpack_preview, unpack_sheet
from portal.domain.model import Choice, Field, Form, Section
from portal.domain.registers import RegisterRow, join_registers, parse_registers
from portal.domain.results import NOT_HERE, ToFill, answers_of, parse_results, rows_of, template_of
from portal.domain.tables import Headings, MissingColumns, Parsed, fill_merged

CODE, OTHER = make_uscc("9", "1", "359921", "MA000001"), make_uscc("9", "2", "359921", "MA000002")
TODAY = date(2026, 6, 1)


def said(parsed):
    return [str(problem) for problem in parsed.errors]


# Kinds ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_wording_means_two_fields_and_none_is_private(kind):
    seen: dict[str, str] = {}
    for name, wordings in kind.names.items():
        for wording in wordings.split():
            assert wording not in PERSONAL, wording
            if kind.code not in ("entities", "inspectors", "plan"):
                assert seen.setdefault(wording, name) == name, wording


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_heading_of_a_template_is_known_and_its_row_would_come_in_without_its_mark(kind):
    head, row = template_rows(kind)
    marked = Sheet((tuple(head), tuple(row)), name="2026年")
    with pytest.raises(BadInput, match="只有表头，没有数据行。"):
        kind.parse(marked, Reading(TODAY))
    row = [cell.replace("案例（请删除）", "W1") for cell in row]
    parsed = kind.parse(Sheet((tuple(head), tuple(row)), name="2026年"), Reading(TODAY))
    assert len(parsed.rows) == 1 and parsed.errors == () and parsed.headings.unknown == (), parsed
    assert len(parsed.headings.known) + sum(cell in NOT_KEPT for cell in head if cell not in dict(parsed.headings.known)) == len(head)


def test_merged_cells_are_filled_before_a_register_is_read():
    head = ("代码", "企业名称", "许可证名称", "编号")
    sheet = Sheet((head, (CODE, "甲", "许可证", "1"), ("", "", "许可证", "2")), merged=(((1, 0), (2, 0)), ((1, 1), (2, 1))))
    parsed = KINDS["registers"].parse(sheet, Reading(TODAY, options={"register": "食品"}))
    assert [(row.code, row.number) for row in parsed.rows] == [(CODE, "1"), (CODE, "2")]
    assert fill_merged(Sheet(((1,),))) == ((1,),)


def test_options_are_read_by_name_or_label_and_refused_in_words():
    assert parse_options(KINDS["draw"], {"来源平台": " 省平台 ", "drawn_on": "2026年5月1日", "task": ""}) == {"platform": "省平台", "drawn_on": "2026-05-01"}
    assert parse_options(KINDS["plan"], {"计划年度": "2026"}) == {"year": "2026"}
    for kind, given, message in (
        ("plan", {"year": "二六"}, "“计划年度”应是年份，例如 2026，填的是“二六”。"), ("draw", {"platform": "平" * 81}, "“来源平台”有 81 个字，最多 80 个。"),
        ("draw", {"抽取日期": "5月"}, "“抽取日期”“5月”不是日期。请写成 2027-12-31 这样。"), ("entities", {"天气": "晴"}, "导入检查对象名录没有这一栏，可以写的有：无。"),
    ):  # fmt: skip
        with pytest.raises(BadInput) as refusal:
            parse_options(KINDS[kind], given)
        assert [problem.message for problem in refusal.value.problems] == [message]


def test_headings_are_mapped_to_a_field_its_usual_heading_or_nothing():
    assert parse_mapping(KINDS["entities"], {" 单位 简称 ": "曾用名", "天气": "不导入", "码": "code"}) == {"单位简称": "old_names", "天气": "-", "码": "code"}
    with pytest.raises(BadInput, match="表头对应关系有误"):
        parse_mapping(KINDS["entities"], {"码": "codes"})


# Messages of each kind -----------------------------------------------------------------


@pytest.mark.parametrize(("text", "wanted"), [("A", "A"), ("a级", "A"), ("B类", "B"), ("较高风险", "C"), ("高", "D"), ("A1", "A1"), ("红", "红"), ("5", "5"), ("A+", "A+")])
def test_any_class_is_kept_and_the_national_words_are_letters(text, wanted):
    assert parse_class(text) == wanted


def test_classes_say_what_is_wrong_with_each_row():
    parsed = parse_classes([("代码", "等级", "分类日期", "批次"), (CODE, "A", "2026-3-31", "一季度"), (CODE, "B", "", ""), ("", "B", "", ""), (OTHER, "", "", ""), ("坏!", "A", "", ""), (OTHER, "A", "三月", "")])
    assert parsed.rows == (ClassRow(CODE, "A", "", date(2026, 3, 31), "一季度"),)
    assert said(parsed) == [
        f"第 3 行“代码”：代码 {CODE} 与第 2 行重复。请只保留一行。", "第 4 行“代码”：没有填写。请补上后重新上传。", "第 5 行“等级”：没有填写。请补上后重新上传。",
        "第 6 行“代码”：“坏!”不能作为代码：只能用数字、字母、#、_、-，最多 64 位。", "第 7 行“分类日期”：“三月”不是日期。请写成 2027-12-31 这样。"]


def test_registers_keep_what_they_have_no_name_for_and_say_what_is_wrong():
    head = ("专项库名称", "代码", "编号", "有效期至", "生产线", "联系电话")
    parsed = parse_registers([head, ("食品", CODE, "1", "长期", "2 条", "138"), ("食品", "坏!", "2", "", "", ""), ("", CODE, "3", "下月", "", "")])
    assert parsed.rows == (RegisterRow(CODE, "食品", licence={"name": "", "number": "1", "issued_on": "", "valid_to": "9999-09-09", "authority": ""}, columns={"生产线": "2 条"}),)
    assert parsed.headings.own == (("生产线", 4),) and parsed.headings.private == (5,) and parsed.headings.unknown == ()
    assert said(parsed) == ["第 3 行“代码”：“坏!”不能作为代码：只能用数字、字母、#、_、-，最多 64 位。", "第 4 行“专项库名称”：没有写明是哪个专项库。请补上该列，或在导入时写明专项库名称。",
                            "第 4 行“有效期至”：“下月”不是日期。请写成 2027-12-31 这样。"]


def test_register_rows_replace_those_joined_before_and_nothing_else():
    data = {"licence": {"name": "许可证", "number": "1"}, "tags": ["食品"], "columns": {"生产线": "2 条"}}
    licences, attributes = join_registers([{"number": "W1"}, {"number": "旧", "register": "食品"}], {"capital": "5万元", "旧库": [{}]}, [("食品", data)])
    assert licences == [{"number": "W1"}, {"name": "许可证", "number": "1", "register": "食品"}]
    assert attributes == {"capital": "5万元", "食品": [{"生产线": "2 条", "name": "许可证", "number": "1", "tags": ["食品"]}]}


def test_outside_lists_need_a_code_or_a_name():
    parsed = parse_external([("代码", "企业名称", "抽取日期"), (CODE, "甲", "2026-5-1"), ("", "", "2026-5-1"), (CODE, "甲", ""), ("坏!", "乙", ""), (OTHER, "丙", "某日")])
    assert said(parsed) == ["第 3 行“代码”：代码和名称都没有填写。请至少补上一项后重新上传。", f"第 4 行“代码”：{CODE} 与第 2 行重复。请只保留一行。",
                            "第 5 行“代码”：“坏!”不能作为代码：只能用数字、字母、#、_、-，最多 64 位。", "第 6 行“抽取日期”：“某日”不是日期。请写成 2027-12-31 这样。"]
    with pytest.raises(MissingColumns, match="外部抽取名单中找不到“统一社会信用代码”列"):
        parse_external([("来源平台", "抽取日期"), ("省平台", "2026-5-1")])


def test_results_name_the_visit_the_item_and_an_outcome_of_the_list():
    head = ("入企编号", "代码", "事项", "结果", "检查日期", "检查人员", "门面整洁")
    parsed = parse_results([head, ("V1", "", "营业执照", "未发现问题", "2026-6-1", "甲、乙", "合格"), ("", "", "营业执照", "none", "2026-6-1", "", ""), ("V1", "", "营业执照", "none", "2026-6-1", "", ""),
                            ("V1", "", "", "none", "2026-6-1", "", ""), ("V1", "", "名称", "", "2026-6-1", "", ""), ("V1", "", "住所", "none", "", "", "")])
    (row,) = parsed.rows
    assert (row.outcome, row.recorder, row.points) == ("none", ("甲", "乙"), {"门面整洁": "合格"})
    assert said(parsed) == ["第 3 行“入企编号”：没有写明是哪一次检查。请填写入企编号或代码。", "第 4 行“事项”：同一次检查的“营业执照”与第 2 行重复。请只保留一行；一个事项有几行样品的，每行填写样品各列。",
                            "第 5 行“事项”：没有填写。请补上后重新上传。", "第 6 行“结果”：没有填写。请补上后重新上传。", "第 7 行“检查日期”：没有填写。请补上后重新上传。"]
    with pytest.raises(MissingColumns, match="检查记录表中找不到“入企编号”列或“统一社会信用代码”列"):
        parse_results([("事项", "结果", "检查日期"), ("营业执照", "none", "2026-6-1")])


def test_points_are_found_by_their_wording_and_choices_by_their_label():
    form = Form("x.y", "1", "表", (Section("一", (
        Field("clean", "门面整洁"), Field("kind", "种类", "select_one", choices=(Choice("a", "甲"),)), Field("many", "几种", "select_multiple", choices=(Choice("a", "甲"), Choice("b", "乙"))),
        Field("photos", "照片", "photo", most=3), Field("note", "其他情况", "text"), Field("rows", "设备", "repeat", fields=(Field("n", "编号", "text"),)),
    )),))  # fmt: skip
    points = {"门面 整洁*": "不合格", "种类": "甲", "几种": "甲、乙", "photos": "P1，P2", "设备": "3", "天气": "晴"}
    assert answers_of(form, points, "补充") == {"clean": ["no"], "kind": ["a"], "many": ["a", "b"], "photos": ["P1", "P2"], "note": ["补充"]}
    assert answers_of(form, {"门面整洁": "√", "种类": "丙"}, "") == {"clean": ["yes"], "kind": ["丙"]}


# Kept, given back ------------------------------------------------------------------------


def test_a_kept_sheet_comes_back_cell_by_cell_without_what_is_private():
    rows = (("名录", "", ""), ("代码", "手机号", "日期"), (CODE, "138", date(2026, 5, 1)), (3.5, "139", datetime(2026, 5, 1, 8, 30)), (True,))
    sheet = Sheet(rows, (((0, 0), (0, 2)),), "第一张", "xlsx", ("第二张",))
    back = unpack_sheet(pack_sheet(sheet, (1,), 2))
    assert back == Sheet((rows[0], rows[1], (CODE, "", date(2026, 5, 1)), (3.5, "", datetime(2026, 5, 1, 8, 30)), (True,)), sheet.merged, "第一张", "xlsx", ("第二张",))


def test_a_preview_survives_being_kept():
    sheet = Sheet((("代码", "天气"), (CODE, "晴"), ("", "雨")))
    parsed = Parsed((1,), (Problem("代码", "提示", 2),), (Problem("代码", "没有填写", 3),), (2,), 2, Headings(1, (("代码", "code"),), unknown=("天气",)))
    preview = preview_of("entities", "名录.xlsx", "0" * 64, sheet, parsed, {"新增": 1}, (), [CODE])
    assert (preview.good, preview.bad, preview.values, preview.sample) == (1, 1, ("", CODE), (("代码", "天气"), (CODE, "晴"), ("", "雨")))
    assert unpack_preview(pack_preview(preview)) == preview


def test_remarks_stand_beside_their_rows_and_replace_earlier_ones():
    sheet = Sheet((("名录",), ("代码", "备注（系统）", "日期"), (CODE, "旧话", date(2026, 5, 1)), ("x", "", datetime(2026, 5, 1)), (3.0, "", True)))
    rows = remark_rows(sheet, Headings(2), [Problem("代码", "不对。", 4), Problem("", "再看看。", 4), Problem("代码", "不对。", 4), Problem("", "整份的话", 0)])
    assert rows == [["名录", "", ""], ["代码", "备注（系统）", "日期"], [CODE, "", "2026-05-01"], ["x", "“代码”不对。；再看看。", "2026-05-01"], ["3", "", "是"]]


def test_more_found_later_takes_rows_away_and_keeps_the_order():
    parsed = Parsed(("a", "b", "c"), errors=(Problem("x", "一", 9),), lines=(2, 3, 4), total=4)
    more = parsed.found([Problem("y", "二", 3)], [Problem("z", "三", 2)])
    assert (more.rows, more.lines, [p.row for p in more.errors], more.bad_lines) == (("a", "c"), (2, 4), [3, 9], {3, 9})
    assert parsed.found() == parsed


def test_every_point_of_a_form_has_a_column_that_is_read_again():
    """Wordings that mean something else, come twice, or hold the marks between choices."""
    choices = (Choice("a", "隐瞒真实情况、弄虚作假"), Choice("b", "弄虚作假"), Choice("c", "隐瞒真实情况"), Choice("d", "其他，见说明"))
    fields = (
        Field("phone", "联系电话", "text"), Field("day", "检查日期", "date"), Field("one", "数量", "integer"), Field("two", "数量", "integer"),
        Field("many", "情形", "select_multiple", choices=choices), Field("rows", "明细", "repeat", fields=(Field("x", "甲", "text"),)), Field("ok", "悬挂执照"),
    )
    form = Form("x.form", "1", "表", (Section("一", fields[:4]), Section("二", fields[4:], show_if="ok = 'yes'")))
    row = ToFill("V1", "T1", CODE, "甲公司", "事项一", "林某某", "", form, True)
    head, guide, first, second = template_of([row, replace(row, item="事项二", first=False)], ["实地核查"])
    assert head[11:] == ["联系电话〔phone〕", "检查日期〔day〕", "数量〔one〕", "数量〔two〕", "情形", "甲〔rows.x〕", "悬挂执照"]
    assert guide[15].startswith("选填：可填几项") and first[11:] == [""] * 7 and second[11:] == [NOT_HERE] * 7
    written = ["13800000000", "2026-06-15", "1", "2", "隐瞒真实情况、弄虚作假、弄虚作假，其他，见说明", "第一件", "不合格"]
    for cells in (first, second):
        cells[5], cells[6] = "未发现问题", "2026-06-15"
    first[11:] = written
    parsed = parse_results([head, guide, first, second])
    assert parsed.errors == () and [one.item for one in parsed.rows] == ["事项一", "事项二"]
    assert answers_of(form, parsed.rows[0].points, "") == {
        "phone": ["13800000000"], "day": ["2026-06-15"], "one": ["1"], "two": ["2"], "many": ["a", "b", "d"], "ok": ["no"],
    }  # fmt: skip
    assert answers_of(form, parsed.rows[1].points, "") == {}
    assert rows_of(form, [one.points for one in parsed.rows]) == {"rows.0.x": ["第一件"]}
    assert answers_of(form, {"情形": "弄虚作假、没有这一种"}, "")["many"] == ["b", "没有这一种"]


def test_a_long_sheet_is_kept_in_pieces_and_one_kept_by_an_earlier_version_is_still_read():
    rows = tuple((f"行{n}\n\r\u2028", "138", date(2026, 5, 1) if n % 2 else n) for n in range(1, 1_003))
    sheet = Sheet(rows, name="第一张", kind="csv")
    back = unpack_sheet(pack_sheet(sheet, (1,), 450))
    assert back == replace(sheet, rows=tuple(row if n < 450 else (row[0], "", row[2]) for n, row in enumerate(rows)))
    old = {"rows": [["甲", {"on": "2026-05-01"}], [1.5, ""]], "merged": [[[0, 0], [0, 1]]], "name": "一", "kind": "xlsx", "others": ["二"]}
    packed = zlib.compress(json.dumps(old, ensure_ascii=False).encode())
    assert unpack_sheet(packed) == Sheet((("甲", date(2026, 5, 1)), (1.5, "")), (((0, 0), (0, 1)),), "一", "xlsx", ("二",))
    assert unpack_sheet(pack_sheet(Sheet(()), (), 0)) == Sheet(())

"""`portal import`: every kind of file, looked at, refused whole, or brought in; every sentence is read here."""

import gzip

import pytest

from portal.domain.codes import make_uscc
from portal.domain.import_kinds import KINDS, template_rows
from portal.sheets.read import read_sheet
from portal.sheets.write import write_csv, write_xlsx
from tests.cli.command import Portal, database_of
from tests.office import OPEN

HEAD = ["统一社会信用代码", "企业名称"]
NEW = [make_uscc("9", "1", "359921", f"MC00000{n}") for n in range(1, 5)]
GOOD = [HEAD, [NEW[0], "甲公司"], [NEW[1], "乙公司"]]
BAD = [HEAD, [NEW[0], "甲公司"], ["", "乙公司"], ["坏 代码!", "丙公司"]]


@pytest.fixture
def place(tmp_path):
    def write(rows, name="名录.xlsx"):
        file = tmp_path / name
        file.write_bytes(write_xlsx(rows) if name.endswith(".xlsx") else write_csv(rows))
        return file

    return write


def test_a_file_comes_in_whole_and_says_what_it_did(filled_portal, place):
    out = filled_portal.well("import", "entities", place(GOOD))
    first, *rest = out.splitlines()
    assert first.startswith("检查对象名录已导入：") and first.endswith("名录.xlsx")
    assert [line.split() for line in rest] == [
        ["数据行", "2"], ["新增", "2"], ["更新原有", "0"], ["内容未变", "0"], ["并入前面的行", "0"], ["有错误未导入", "0"], ["读入", "2"],
        ["数据行以外：标题和表头", "1", "行。"],
    ]  # fmt: skip


def test_one_error_refuses_the_file_with_row_and_column(filled_portal, place):
    before = database_of(filled_portal)
    said = filled_portal.refused("import", "entities", place(BAD))
    assert said.splitlines() == [
        "portal: 检查对象名录有 2 处错误，没有导入任何一行。请改正后重新上传。",
        "  第 3 行“统一社会信用代码”：没有填写。请补上后重新上传。",
        "  第 4 行“统一社会信用代码”：“坏代码!”是文字，不是统一社会信用代码或注册号。请填写代码；如果各列错位，请先对齐。",
    ]
    assert database_of(filled_portal) == before


def test_the_good_rows_come_in_by_choice_and_the_others_are_listed(filled_portal, place):
    out = filled_portal.well("import", "entities", place(BAD), "--good-rows")
    assert "  未导入　第 3 行“统一社会信用代码”：没有填写。请补上后重新上传。" in out.splitlines()
    assert any(line.split() == ["读入", "1"] for line in out.splitlines())


def test_a_preview_changes_nothing_and_its_exit_code_says_whether_the_file_would_come_in(filled_portal, place):
    before = database_of(filled_portal)
    done = filled_portal("import", "entities", place(BAD), "--preview")
    assert done.code == 1 and done.err == ""
    lines = [line.split() for line in done.out.splitlines()[1:11]]
    assert lines == [
        ["数据行", "3"], ["新增", "1"], ["更新原有", "0"], ["内容未变", "0"], ["并入前面的行", "0"], ["有错误未导入", "2"],
        ["可以导入的行", "1"], ["提示", "0"], ["不在册（不参加抽取）", "0"], ["数据行以外：标题和表头", "1", "行。"],
    ]  # fmt: skip
    assert "  错误　第 3 行“统一社会信用代码”：没有填写。请补上后重新上传。" in done.out.splitlines()
    assert filled_portal("import", "entities", place(GOOD), "--preview").code == 0
    assert filled_portal("import", "entities", place(BAD), "--preview", "--good-rows").code == 0
    assert database_of(filled_portal) == before


def test_the_same_file_comes_back_with_remarks_even_when_it_is_refused(filled_portal, place, tmp_path):
    out = tmp_path / "备注.xlsx"
    filled_portal.refused("import", "entities", place(BAD), "--remarks", out)
    rows = read_sheet(out.read_bytes()).rows
    assert rows[0] == (*HEAD, "备注（系统）") and rows[1][2] == "" and rows[2][2] == "“统一社会信用代码”没有填写。请补上后重新上传。"
    assert "已经存在，没有覆盖。请换一个文件名。" in filled_portal.refused("import", "entities", place(GOOD), "--remarks", out)
    done = filled_portal("import", "entities", out, "--good-rows")
    assert done.code == 0, done.err


def test_unknown_headings_are_listed_and_pointed_out_once(filled_portal, place):
    file = place([["企业注册码", "单位全称"], [NEW[0], "甲公司"]])
    said = filled_portal.refused("import", "entities", file)
    assert said.splitlines()[0] == "portal: 检查对象名录中找不到“统一社会信用代码”、“企业名称”列。请检查表头（应在前 15 行内）后重新上传。"
    assert said.splitlines()[1].startswith("  不认识的列：企业注册码、单位全称。可以用 --map 表头=栏目 指定，栏目有：统一社会信用代码、企业名称、")
    assert "找不到" in filled_portal.refused("import", "entities", file, "--preview")
    assert "没有“注册码”这个栏目" in filled_portal.refused("import", "entities", file, "--map", "企业注册码=注册码")
    filled_portal.well("import", "entities", file, "--map", "企业注册码=统一社会信用代码", "--map", "单位全称=name")
    filled_portal.well("import", "entities", file)  # remembered


@pytest.mark.parametrize("name", ["名录.csv", "名录.xls"])
def test_the_content_decides_what_a_file_is(filled_portal, place, name):
    filled_portal.well("import", "entities", place(GOOD, name))


def test_a_gzipped_gb18030_file_is_read(filled_portal, tmp_path):
    file = tmp_path / "名录.csv.gz"
    file.write_bytes(gzip.compress("".join(",".join(row) + "\r\n" for row in GOOD).encode("gb18030")))
    filled_portal.well("import", "entities", file)


def test_another_sheet_is_read_by_its_name(filled_portal, place):
    assert "没有名为“第二张”的工作表，现有：Sheet1。" in filled_portal.refused("import", "entities", place(GOOD), "--sheet", "第二张")
    filled_portal.well("import", "entities", place(GOOD), "--sheet", "Sheet1")


def test_what_a_file_leaves_open_is_said_beside_it(filled_portal, place):
    filled_portal.well("import", "entities", place(GOOD))
    file = place([["代码", "信用等级"], [NEW[0], "A"]], "分类.xlsx")
    said = filled_portal.refused("import", "classes", file)
    assert said.splitlines() == ["portal: 文件里没有“分类日期”列。请补上该列，或在导入时填写分类日期。", "  “classed_on”：请填写分类日期。"]
    out = filled_portal.well("import", "classes", file, "--with", "分类日期=2026-03-31")
    assert any(line.split() == ["名录已更新", "1"] for line in out.splitlines())
    assert "导入检查对象名录没有这一栏，可以写的有：无。" in filled_portal.refused("import", "entities", place(GOOD), "--with", "天气=晴")


def test_a_code_with_a_wrong_check_digit_is_a_warning_until_somebody_vouches_for_it(filled_portal, place):
    wrong = NEW[2][:17] + ("A" if NEW[2][17] != "A" else "B")
    file = place([HEAD, [wrong, "丙公司"]])
    out = filled_portal.well("import", "entities", file)
    assert any(line.startswith("  提示　第 2 行“统一社会信用代码”：") and "校验码不符" in line for line in out.splitlines())
    out = filled_portal.well("import", "entities", file, "--accept", f"{wrong}=已与营业执照核对")
    assert "校验码" not in out
    assert "不需要确认" in filled_portal.refused("import", "entities", file, "--accept", f"{NEW[3]}=核对")


@pytest.mark.parametrize(("words", "because"), [
    (("--map", "表头"), "参数 --map 应写成 左=右，写的是“表头”"), (("--with", "=内容"), "应写成 左=右"), (("--accept", "91=")," 应写成 左=右"),
])  # fmt: skip
def test_a_pair_needs_both_sides(filled_portal, place, words, because):
    done = filled_portal("import", "entities", place(GOOD), *words)
    assert done.code == 2 and because in done.err


@pytest.mark.parametrize("kind", KINDS)
def test_the_template_of_every_kind_has_headings_that_are_known_and_a_row_that_is_left_out(filled_portal, place, kind):
    said = filled_portal.refused("import", kind, place(template_rows(KINDS[kind])))
    assert "只有表头，没有数据行。" in said and len(said.splitlines()) == 1


@pytest.mark.parametrize(("kind", "login"), [("entities", "reviewer"), ("draw", "publisher"), ("records", "planner"), ("plan", "auditor")])
def test_who_may_not_import_is_told_who_may(filled_portal, place, kind, login):
    rows = template_rows(KINDS[kind])
    rows[1] = [cell.replace("案例（请删除）", "甲") for cell in rows[1]]
    said = filled_portal.refused("import", kind, place(rows), "--as", login)
    assert "没有这项权限，本操作由" in said


def test_a_rounds_table_of_records_is_written_once_and_read_by_the_import(stages, tmp_path):
    portal = Portal(stages.copy("drawn", tmp_path / "data"))
    out = tmp_path / "记录.xlsx"
    said = portal.well("record", "template", OPEN, out)
    rows = read_sheet(out.read_bytes()).rows
    assert said == f"检查记录表已写到 {out}，共 {len(rows) - 2} 行待填。\n" and rows[0][0] == "入企编号"
    assert "已经存在，没有覆盖。请换一个文件名。" in portal.refused("record", "template", OPEN, out)
    assert "没有编号为“R99”的轮次" in portal.refused("record", "template", "R99", tmp_path / "x.xlsx") and not (tmp_path / "x.xlsx").exists()
    assert f"检查记录表有 {len(rows) - 2} 处错误，没有导入任何一行" in portal.refused("import", "records", out)

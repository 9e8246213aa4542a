"""`portal forms`: a spreadsheet becomes a version of a form once, is refused whole, and comes out as it went in."""

import pytest

from portal.domain.xlsform import sheet_of
from portal.sheets.workbook import read_workbook
from portal.sheets.write import write_csv, write_workbook
from tests.cli.command import database_of

SURVEY = [
    ["type", "name", "label::中文 (zh)", "required", "relevant", "key", "public"],
    ["begin_group", "g", "在售产品", "", "", "", ""],
    ["select_one v", "ccc", "均有CCC标志", "yes", "", "yes", "yes"],
    ["text", "note", "情况说明", "yes", "${ccc} = 'no'", "", ""],
    ["end_group", "", "", "", "", "", ""],
]
CHOICES = [["list_name", "name", "label"], ["v", "yes", "合格"], ["v", "no", "不合格"], ["v", "na", "不适用"]]
SETTINGS = [["form_title", "form_id", "version"], ["玩具销售检查表", "shop", "2026-1"]]
NEW = ("--sector", "toys", "--name", "玩具", "--department", "质量科")


@pytest.fixture
def book(tmp_path):
    def write(survey=SURVEY, settings=SETTINGS, name="shop.xlsx"):
        file = tmp_path / name
        file.write_bytes(write_workbook({"survey": survey, "choices": CHOICES, "settings": settings}))
        return file

    return write


def test_a_form_comes_in_once_and_is_listed_with_where_it_came_from(filled_portal, book):
    out = filled_portal.well("forms", "import", book(), *NEW)
    assert out.splitlines()[:2] == ["已新建业务模块：玩具（toys）", "检查表单已导入：玩具销售检查表"]
    assert [line.split() for line in out.splitlines()[2:]] == [
        ["表单代码", "toys.shop"], ["版本", "2026-1"], ["分节", "1"], ["项目", "2"], ["判断项", "1"], ["重点项", "1"], ["公示项", "1"],
    ]  # fmt: skip
    before = database_of(filled_portal)
    assert filled_portal.well("forms", "import", book(), "--sector", "toys").startswith("内容相同的版本已经有了，没有改动：玩具销售检查表\n")
    assert database_of(filled_portal) == before
    assert "toys.shop　2026-1（现行）　玩具销售检查表　玩具　2 项　表格 shop.xlsx" in filled_portal.well("forms", "list").splitlines()
    assert filled_portal.well("plugins").startswith("annual_reports　公示信息　版本 1　信用监督管理科　来源 内置　事项 2　表单 1　专项库 0\n")
    assert any(line.startswith("toys　玩具　版本 表格") and line.endswith("来源 表格　事项 0　表单 1　专项库 0") for line in filled_portal.well("plugins").splitlines())


def test_a_version_that_says_something_else_is_refused_and_a_new_one_is_current(filled_portal, book):
    filled_portal.well("forms", "import", book(), *NEW)
    before = database_of(filled_portal)
    changed = book([*SURVEY[:2], ["note", "n", "新的一句", "", "", "", ""], *SURVEY[2:]])
    assert filled_portal.refused("forms", "import", changed, "--sector", "toys") == (
        "portal: 表单 toys.shop 已有 2026-1 版，内容不同。用过的版本不再改动，请在 settings 工作表的 version 里写新的版本号，或用 --version 写明。\n"
    )
    assert database_of(filled_portal) == before
    filled_portal.well("forms", "import", changed, "--sector", "toys", "--version", "2026-10")
    assert "  现行版本仍是 2026-10：2026-9 版排在它前面。" in filled_portal.well("forms", "import", book(), "--sector", "toys", "--version", "2026-9")
    listed = filled_portal.well("forms", "list")
    assert "toys.shop　2026-1　" in listed and "toys.shop　2026-10（现行）　" in listed


def test_everything_wrong_is_said_at_once_and_nothing_is_kept(filled_portal, book):
    before = database_of(filled_portal)
    bad = book([*SURVEY, *(["barcode", f"b{n}", "扫码", "", "", "", ""] for n in range(30)), ["text", "铭牌", "铭牌", "", "${later} = 1", "", ""]])
    said = filled_portal.refused("forms", "import", bad, *NEW).splitlines()
    assert said[0] == "portal: “shop.xlsx”有 32 处不能导入，没有导入任何内容。请按下列各处改正后重新导入。" and len(said) == 33
    assert said[1] == "  survey 表第 6 行“type”：不支持扫码（barcode）。"
    assert said[-1] == "  survey 表第 36 行“relevant”：引用的 ${later} 在表里没有。"
    assert filled_portal("forms", "import", bad, *NEW, "--preview").code == 1
    filled_portal.well("forms", "import", book(), *NEW, "--preview")
    assert database_of(filled_portal) == before


@pytest.mark.parametrize("words, says", [
    (["--sector", "toys"], "没有代码为“toys”的业务模块，现有：公示信息（annual_reports）、登记事项（registration）。用表格新建模块请写明它的名称（--name）。"),
    (["--sector", "../toys", "--name", "玩具"], "业务模块代码“../toys”不对"),
    (["--sector", "Toys", "--name", "玩具"], "业务模块代码“Toys”不对"),
    (["--sector", "toys", "--name", "玩" * 41], "业务模块的名称和科室各最多 40 个字"),
    ([*NEW, "--as", "planner"], "没有这项权限，本操作由运维员、业务科室办理"),
])  # fmt: skip
def test_who_and_for_which_sector_is_asked_first(filled_portal, book, words, says):
    assert says in filled_portal.refused("forms", "import", book(), *words)


@pytest.mark.parametrize("data, says", [(b"%PDF-1.7", "是PDF 文件，不是表格"), (write_csv(SURVEY), "survey 表第 1 行：找不到 survey 工作表，或者它是空的。文件里的工作表：无。")])
def test_what_is_no_workbook_is_refused(filled_portal, tmp_path, data, says):
    file = tmp_path / "a.xlsx"
    file.write_bytes(data)
    assert says in filled_portal.refused("forms", "import", file, *NEW)


def test_a_form_of_a_module_goes_out_and_comes_in_again_and_may_not_lose_what_its_module_asks_for(filled_portal, tmp_path):
    file = tmp_path / "out.xlsx"
    assert "（registration.check 2026-2 版）" in filled_portal.well("forms", "export", "registration.check", file)
    assert "已经存在，没有覆盖" in filled_portal.refused("forms", "export", "registration.check", file)
    before = database_of(filled_portal)
    assert filled_portal.well("forms", "import", file, "--sector", "registration").startswith("内容相同的版本已经有了")
    assert database_of(filled_portal) == before
    sheets = {name: [list(row) for row in sheet.rows] for name, sheet in read_workbook(file.read_bytes(), "", sheet_of).items()}
    name, label, required = (sheets["survey"][0].index(one) for one in ("name", "label::中文 (zh)", "required"))
    rows = {row[name]: row for row in sheets["survey"]}
    rows["licence_shown"][label] = "营业执照挂在醒目处"
    changed = tmp_path / "changed.xlsx"
    changed.write_bytes(write_workbook(sheets))
    filled_portal.well("forms", "import", changed, "--sector", "registration", "--version", "2026-3")
    assert "registration.check　2026-3（现行）　" in filled_portal.well("forms", "list")
    rows["address"][required] = ""
    sheets["survey"].remove(rows["capital_paid_note"])
    changed.write_bytes(write_workbook(sheets))
    said = filled_portal.refused("forms", "import", changed, "--sector", "registration", "--version", "2026-4")
    assert [line.partition("：")[2] for line in said.splitlines()[1:]] == [
        "业务模块要用的项 address（登记的住所（经营场所））不能改动是否必填。", "业务模块要用的项 capital_paid_note（不合格的事实：依法应当实缴的注册资本已经按期缴足）不能删去。",
    ]  # fmt: skip


@pytest.mark.parametrize("words, says", [
    (["nobody.form"], "没有编号为“nobody.form”的检查表单。用 portal forms list 查看有哪些。"),
    (["registration.check", "--version", "1999"], "表单 registration.check 没有 1999 版，有：2026-2。"),
])  # fmt: skip
def test_a_form_that_is_not_there_is_not_written(filled_portal, tmp_path, words, says):
    file = tmp_path / "out.xlsx"
    assert says in filled_portal.refused("forms", "export", words[0], file, *words[1:]) and not file.exists()

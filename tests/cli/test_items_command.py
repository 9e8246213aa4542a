"""`portal items import`: one command takes the list and the forms, or neither."""

from portal.sheets.write import write_xlsx
from tests.cli.command import database_of
from tests.cli.test_forms_commands import NEW, book  # noqa: F401
from tests.steps.test_sheet_sector import HEAD, ROW


def test_a_list_and_its_form_make_a_sector_and_do_nothing_the_second_time(filled_portal, book, tmp_path):  # noqa: F811
    file = tmp_path / "清单.xlsx"
    file.write_bytes(write_xlsx([HEAD, ROW]))
    words = ("items", "import", file, *NEW)
    before = database_of(filled_portal)
    assert "没有检查表单“shop”，本模块的表单：无，请先导入检查表单。" in filled_portal.refused(*words)
    assert filled_portal("items", "import", file, *NEW, "--preview").code == 1
    assert database_of(filled_portal) == before
    out = filled_portal.well(*words, "--form", book()).splitlines()
    assert out[:2] == ["检查表单已导入：玩具销售检查表（toys.shop 2026-1 版）", f"随机抽查事项清单已导入：{file}"]
    assert "toys.item_1　1　玩具销售质量检查　玩具　表格" in filled_portal.well("items", "list").splitlines()
    plugins = filled_portal.well("plugins").splitlines()
    assert any(line.startswith("toys　玩具　版本 表格") and line.endswith("　事项 1　表单 1　来源 表格") for line in plugins)
    again = filled_portal.well("items", "import", file, "--sector", "toys").splitlines()
    assert [line.split() for line in again if "内容未变" in line] == [["内容未变", "1"]]


def test_a_form_that_is_refused_keeps_the_list_out(filled_portal, book, tmp_path):  # noqa: F811
    file = tmp_path / "清单.xlsx"
    file.write_bytes(write_xlsx([HEAD, ROW]))
    before = database_of(filled_portal)
    bad = book([["type", "name", "label"], ["barcode", "a", "扫码"]])
    assert "survey 表第 2 行“type”：不支持扫码（barcode）。" in filled_portal.refused("items", "import", file, *NEW, "--form", bad)
    assert database_of(filled_portal) == before

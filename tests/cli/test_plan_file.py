"""`portal plan export`: a file like the one that came, which comes in again as the same plan."""

from portal.sheets.read import read_sheet
from tests.office import query
from tests.once import ready_fonts


def rows_of(portal, version):
    return query(portal.data, "SELECT r.row, r.data FROM plan_row r JOIN plan p ON p.id = r.plan WHERE p.version = ? ORDER BY r.row", version)


def test_a_plan_goes_out_and_comes_in_again_as_its_next_version(filled_portal, tmp_path):
    file = tmp_path / "计划.xlsx"
    said = filled_portal.well("plan", "export", "2026", "--to", file, "--as", "planner")
    assert said == f"2026 年度计划第 1 版已导出：{file}\n"
    assert filled_portal.well("import", "plan", file).startswith("年度抽查工作计划已导入")
    assert rows_of(filled_portal, 1) == rows_of(filled_portal, 2) != []
    again = tmp_path / "再次.xlsx"
    filled_portal.well("plan", "export", "2026", "--version", 1, "--to", again, "--as", "planner")
    assert again.read_bytes() == file.read_bytes()


def test_another_layout_is_asked_for_by_name(filled_portal, tmp_path):
    file = tmp_path / "联合.xlsx"
    filled_portal.well("plan", "export", "2026", "--to", file, "--layout", "joint", "--as", "planner")
    assert read_sheet(file.read_bytes()).rows[1][:3] == ("序号", "抽查任务名称", "抽查事项")
    assert filled_portal("plan", "export", "2026", "--to", file, "--layout", "word", "--as", "planner").code == 2


def test_the_whole_table_is_printed_as_pdf(filled_portal, tmp_path, tmp_path_factory, one_nursery):
    (filled_portal.data / "fonts").symlink_to(ready_fonts(tmp_path_factory))
    file = tmp_path / "计划.PDF"
    filled_portal.well("plan", "export", "2026", "--to", file, "--as", "planner")
    assert file.read_bytes().startswith(b"%PDF-")
    assert "PDF 只有一种版式" in filled_portal.refused("plan", "export", "2026", "--to", tmp_path / "b.pdf", "--layout", "joint", "--as", "planner")
    assert not (tmp_path / "b.pdf").exists()


def test_nothing_is_overwritten_and_what_is_not_there_is_said(filled_portal, tmp_path):
    file = tmp_path / "计划.xlsx"
    file.write_bytes(b"mine")
    assert "已经存在，没有覆盖" in filled_portal.refused("plan", "export", "2026", "--to", file, "--as", "planner")
    assert file.read_bytes() == b"mine"
    assert "不能写入" in filled_portal.refused("plan", "export", "2026", "--to", tmp_path / "none" / "计划.xlsx", "--as", "planner")
    assert "没有 2031 年的计划" in filled_portal.refused("plan", "export", "2031", "--to", tmp_path / "a.xlsx", "--as", "planner")
    assert "没有第 9 版" in filled_portal.refused("plan", "export", "2026", "--version", 9, "--to", tmp_path / "a.xlsx", "--as", "planner")
    assert "没有这项权限" in filled_portal.refused("plan", "export", "2026", "--to", tmp_path / "a.xlsx", "--as", "operator")
    assert list(tmp_path.glob("*.xlsx")) == [file]

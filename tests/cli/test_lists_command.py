"""`portal export` and `portal statistics`: the pages' lists and figures without a browser."""

from portal.sheets.read import read_sheet
from tests.office import query


def test_a_filtered_list_becomes_a_file_and_figures_become_lines(filled_portal, tmp_path):
    file = tmp_path / "名录.xlsx"
    town, count = query(filled_portal.data, "SELECT town, count(*) FROM entity WHERE town <> '' GROUP BY town ORDER BY 2 DESC LIMIT 1")[0]
    options = ("--where", f"town={town}", "--sort=-name", "--column", "name", "--column", "town", "--as", "planner")
    assert filled_portal.well("export", "directory", *options, "--to", file) == f"检查对象名录 {count:,} 户已导出：{file}\n"
    rows = read_sheet(file.read_bytes()).rows
    assert rows[0] == ("名称", "镇街") and len(rows) == count + 1 and {row[1] for row in rows[1:]} == {town}
    assert "已经存在，没有覆盖" in filled_portal.refused("export", "directory", "--to", file, "--as", "planner")
    assert "没有这项权限" in filled_portal.refused("export", "checks", "--to", tmp_path / "b.xlsx", "--as", "operator")
    assert "名称=值" in filled_portal.refused("export", "directory", "--where", "town", "--to", tmp_path / "b.xlsx", "--as", "planner")
    said = filled_portal.well("statistics", "--as", "planner", "--from", "2026-01-01", "--to", "2026-12-31")
    assert said.startswith("2026-01-01 至 2026-12-31，截至 ") and "合计：0　0" in said and "人员工作量" in said

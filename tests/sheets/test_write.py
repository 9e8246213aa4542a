"""Written sheets: text stays text, same rows give the same bytes, what was written can be read back."""

import io
import time
import zipfile
from datetime import date, datetime, timezone

import pytest

from portal.domain.errors import BadInput
from portal.sheets.read import read_sheet
from portal.sheets.write import iter_csv, write_csv, write_xlsx

FORMULAS = ["=1+1", "+86 13800000000", "-2", "@SUM(A1)", "\t=1", "＝HYPERLINK(1)", "=cmd|'/c calc'!A0"]


def test_texts_that_look_like_formulas_stay_texts_in_xlsx():
    data = write_xlsx([["名称"], *([text] for text in FORMULAS)])
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")
    assert [row[0] for row in read_sheet(data).rows[1:]] == FORMULAS


def test_texts_that_look_like_formulas_are_quoted_in_csv_and_come_back_whole():
    data = write_csv([["名称"], *([text] for text in FORMULAS)])
    lines = data.decode("utf-8-sig").split("\r\n")
    assert all(line.lstrip('"').startswith("'") for line in lines[1:8])
    assert [row[0] for row in read_sheet(data).rows[1:]] == FORMULAS


def test_the_same_rows_give_the_same_bytes_seconds_later(monkeypatch):
    rows = [["代码", "日期"], ["91359921MA000001", date(2026, 3, 1)]]
    first = write_xlsx(rows)
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    assert write_xlsx(rows) == first
    assert write_csv(rows) == write_csv(rows)


def test_cells_of_every_kind_come_back_as_they_were():
    row = ["文字", 7, 2.5, True, date(2026, 5, 1), datetime(2026, 5, 1, 8, 30), "多行\n文字", "", "000123"]
    back = read_sheet(write_xlsx([["a", "b"], row])).rows[1]
    assert list(back) == row
    aware = datetime(2026, 5, 1, 8, 30, tzinfo=timezone.utc)
    assert read_sheet(write_xlsx([["a"], [aware]])).rows[1][0] == datetime(2026, 5, 1, 8, 30)
    assert read_sheet(write_xlsx([["a"], [date(9999, 9, 9)], [None], [2**60]])).rows[1:] == (
        (date(9999, 9, 9),), ("",), (str(2**60),))


def test_merged_cells_come_back_with_their_text():
    rows = [["标题", "", ""], ["序号", "类别", "事项"], [1, "登记", "甲"], [2, "", "乙"]]
    merged = (((0, 0), (0, 2)), ((2, 1), (3, 1)))
    sheet = read_sheet(write_xlsx(rows, heading=2, merged=merged, name="计划表"))
    assert sheet.merged == merged
    assert sheet.name == "计划表"
    assert [list(row) for row in sheet.rows] == rows


def test_what_excel_cannot_hold_is_refused_not_dropped():
    with pytest.raises(BadInput, match="第 2 行第 1 列"):
        write_xlsx([["a"], ["长" * 40_000]])
    assert len(read_sheet(write_csv([["a"], ["长" * 40_000]])).rows[1][0]) == 40_000


def test_csv_starts_with_a_bom_comes_in_pieces_and_spells_plain_values():
    pieces = list(iter_csv([["码", "是否", "空"], *([f"{n:06}", True, None] for n in range(19_000))]))
    assert pieces[0] == b"\xef\xbb\xbf" and len(pieces) > 3
    assert b"".join(pieces).endswith("018999,是,\r\n".encode())

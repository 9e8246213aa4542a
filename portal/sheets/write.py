"""Rows -> XLSX or CSV that a spreadsheet opens as text and numbers, never as formulas.

Same rows, same bytes: nothing of the clock or the machine goes into a file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from portal.domain.cells import Merged
from portal.domain.errors import BadInput

__all__ = ["SheetFile", "iter_csv", "write_csv", "write_workbook", "write_xlsx"]

#: What Excel itself holds.
MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767

_CREATED = datetime(2000, 1, 1)
# OWASP, CSV injection: these make a cell a formula when a CSV is opened, full-width ones included.
_FORMULA = tuple("=+-@\t\r＝＋－＠")


def write_xlsx(
    rows: Iterable[Sequence[Any]], *, name: str = "Sheet1", heading: int = 1, merged: Sequence[Merged] = (),
    widths: Sequence[int] = (),
) -> bytes:
    """One sheet. `heading`: 1-based row of the headings (bold, frozen; 0: none); `merged`: as in Sheet, 0-based.

    Cells may be str, int, float, bool, date, datetime, None; anything else is written as its text.
    """
    out = io.BytesIO()
    with _workbook(out) as book:
        _write_sheet(book, name, rows, heading, merged, widths)
    return out.getvalue()


def write_workbook(sheets: Mapping[str, Iterable[Sequence[Any]]]) -> bytes:
    """Several sheets by name, each with its headings in row 1."""
    out = io.BytesIO()
    with _workbook(out) as book:
        for name, rows in sheets.items():
            _write_sheet(book, name, rows, 1, (), ())
    return out.getvalue()


def _sheet_name(name: str) -> str:
    """What Excel takes: at most 31 letters, none of them []:*?/\\, no ' at either end (a register is called as its file says)."""
    return re.sub(r"[][:*?/\\]", "_", name)[:31].strip("'") or "Sheet1"


def _workbook(out: io.BytesIO) -> xlsxwriter.Workbook:
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": _CREATED})
    return book


def _write_sheet(
    book: xlsxwriter.Workbook, name: str, rows: Iterable[Sequence[Any]], heading: int, merged: Sequence[Merged], widths: Sequence[int]
) -> None:
    page = book.add_worksheet(_sheet_name(name))
    forms = {kind: book.add_format(look) for kind, look in _LOOKS.items()}
    corners = {}
    for (top, left), (bottom, right) in merged:
        corners[top, left] = "title" if top < heading - 1 else "joined"
        page.merge_range(top, left, bottom, right, "", forms[corners[top, left]])
    widest = 0
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            raise BadInput(f"超过 {MOST_ROWS:,} 行，Excel 放不下。请缩小筛选范围或导出 CSV。")
        widest = max(widest, len(row))
        for column, cell in enumerate(row):
            kind = corners.get((number, column)) or ("heading" if number == heading - 1 else "")
            _write_cell(page, number, column, cell, forms, kind)
    if heading:
        page.freeze_panes(heading, 0)
    for column in range(widest):
        page.set_column(column, column, widths[column] if column < len(widths) else 16)


class SheetFile:
    """A sheet written to a file line by line, so that a list of any length takes the memory of one line."""

    def __init__(self, path: Path, name: str, headings: Sequence[str], widths: Sequence[int] = ()):
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "tmpdir": str(path.parent)}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._book.set_properties({"created": _CREATED})
        self._page = self._book.add_worksheet(_sheet_name(name))
        self._forms = {kind: self._book.add_format(look) for kind, look in _LOOKS.items()}
        for column in range(len(headings)):
            self._page.set_column(column, column, widths[column] if column < len(widths) else 16)
        self._page.freeze_panes(1, 0)
        for column, heading in enumerate(headings):
            _write_cell(self._page, 0, column, heading, self._forms, "heading")
        self._rows = 1

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Further rows, cells as in `write_xlsx`. Raises BadInput where Excel has no room for them."""
        for row in rows:
            if self._rows >= MOST_ROWS:
                raise BadInput(f"超过 {MOST_ROWS:,} 行，Excel 放不下。请缩小筛选范围。")
            for column, cell in enumerate(row):
                _write_cell(self._page, self._rows, column, cell, self._forms, "")
            self._rows += 1

    def close(self) -> None:
        self._book.close()


def write_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """The same rows as CSV with BOM and CRLF, as Excel expects it; see `iter_csv`."""
    return b"".join(iter_csv(rows))


def iter_csv(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """CSV in pieces of about 64 KB, for answers of any size.

    Texts that a spreadsheet would take for a formula get a leading ' (which `read_sheet` takes off again).
    """
    piece = io.StringIO(newline="")
    writer = csv.writer(piece, lineterminator="\r\n")
    yield b"\xef\xbb\xbf"
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
        if piece.tell() > 1 << 16:
            yield piece.getvalue().encode()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue().encode()


_LOOKS: dict[str, dict[str, Any]] = {
    "": {"valign": "top"},
    "long": {"valign": "top", "text_wrap": True},
    "heading": {"bold": True, "valign": "vcenter", "text_wrap": True, "bottom": 1},
    "title": {"bold": True, "align": "center", "valign": "vcenter"},
    "joined": {"valign": "vcenter", "text_wrap": True},
    "on": {"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"},
    "at": {"num_format": "yyyy-mm-dd hh:mm", "valign": "top", "align": "left"},
}


def _write_cell(page: Any, row: int, column: int, cell: Any, forms: dict[str, Any], kind: str) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        page.write_boolean(row, column, cell, forms[kind])
    elif isinstance(cell, (int, float)) and abs(cell) < 2**53:  # beyond it Excel loses digits: text
        page.write_number(row, column, cell, forms[kind])
    elif isinstance(cell, datetime) and 1900 < cell.year < 9999:
        page.write_datetime(row, column, cell.replace(tzinfo=None), forms[kind or "at"])
    elif isinstance(cell, date) and not isinstance(cell, datetime) and cell.year > 1900:
        page.write_datetime(row, column, cell, forms[kind or "on"])
    else:
        text = str(cell)
        if len(text) > MOST_CHARACTERS:
            raise BadInput(f"第 {row + 1} 行第 {column + 1} 列有 {len(text):,} 个字，Excel 一格最多 {MOST_CHARACTERS:,} 个字。请导出 CSV。")
        page.write_string(row, column, text, forms[kind or ("long" if "\n" in text or len(text) > 40 else "")])


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return "'" + cell if cell.startswith(_FORMULA) else cell
    if isinstance(cell, bool):
        return "是" if cell else "否"
    return "" if cell is None else cell

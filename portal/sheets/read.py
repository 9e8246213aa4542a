"""A spreadsheet somebody sent -> its rows: XLSX, XLS, Excel-2003 XML, CSV, or one of these gzipped.

The content decides, never the file name: real files named .xls are XLSX, and the
other way round.  Everything that can grow (unpacked size, rows, columns) is
measured before a parser sees it.  `portal.sheets.limited` does the same in a child
process with memory and time limits: use that for whatever came over the network.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path

import python_calamine

from portal.domain.cells import Cell, Merged, Sheet
from portal.domain.errors import BadInput
from portal.sheets import limits as measured
from portal.sheets.limits import COMMAND, UPLOAD, Limits, cut_merged, require_size
from portal.sheets.source import Source
from portal.sheets.text import csv_rows, encoding_of
from portal.sheets.xml2003 import xml_sheet
from portal.sheets.zipped import require_small_workbook

__all__ = ["COMMAND", "Limits", "OpenSheet", "Sheet", "UPLOAD", "open_sheet", "read_sheet"]

_STARTS = (  # (how the content starts, what it is): all said in words, none parsed
    (b"%PDF", "PDF 文件"), (b"\x89PNG", "PNG 图片"), (b"\xff\xd8\xff", "JPEG 图片"), (b"GIF8", "GIF 图片"),
    (b"Rar!", "RAR 压缩包"), (b"7z\xbc\xaf", "7z 压缩包"), (b"BM", "BMP 图片"), (b"{\\rtf", "RTF 文档"),
    (b"SQLite format 3", "数据库文件"), (b"\x7fELF", "程序文件"), (b"MZ", "程序文件"),
)
_SAVE_AS = "请在表格软件中另存为“Excel 工作簿（.xlsx）”后重新上传。"


@dataclass(frozen=True, slots=True)
class OpenSheet:
    """A `Sheet` whose rows come one by one, once: a register of millions in flat memory (CSV; others lie in memory)."""

    rows: Iterator[tuple[Cell, ...]]
    merged: tuple[Merged, ...]
    name: str
    kind: str
    others: tuple[str, ...]


def read_sheet(data: bytes | Path, name: str = "", limits: Limits = UPLOAD, sheet: str = "") -> Sheet:
    """The first sheet with content (or the one named `sheet`). BadInput, in one sentence, for anything else.

    `name` is only used in messages.
    """
    opened = open_sheet(data, name, limits, sheet)
    return Sheet(tuple(opened.rows), opened.merged, opened.name, opened.kind, opened.others)


def open_sheet(data: bytes | Path, name: str = "", limits: Limits = UPLOAD, sheet: str = "") -> OpenSheet:
    """Like `read_sheet`, with the rows of a CSV read as they are asked for: BadInput may then come with any row."""
    called = measured.called(name)
    source = Source(data, called, limits)
    start = source.start
    if not start.strip(b"\0 \t\r\n\xef\xbb\xbf") and not any(map(_is_filled, source.pieces())):
        raise BadInput(f"{called}是空的。请检查是否选错了文件。")
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        whole = source.whole()
        require_small_workbook(whole, called, limits)
        return _workbook(whole, called, "xlsx", limits, sheet)
    if start[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _workbook(source.whole(), called, "xls", limits, sheet)
    for begins, what in _STARTS:
        if start.startswith(begins):
            raise BadInput(f"{called}是{what}，不是表格。请上传 XLSX、XLS 或 CSV 文件。")
    encoding = encoding_of(source)
    if _is_excel_xml(start.decode(encoding, "ignore"), called):
        rows, merged, found, others = xml_sheet(source, encoding, limits, sheet)
        return OpenSheet(iter(rows), merged, found, "xml", others)
    return OpenSheet(csv_rows(source, encoding, limits), (), "", "csv", ())


def _is_filled(piece: bytes) -> bool:
    return bool(piece.strip(b"\0 \t\r\n\xef\xbb\xbf"))


def _is_excel_xml(text: str, called: str) -> bool:
    """Whether this is how Excel-2003 XML begins; BadInput for other markup and for what is no text at all."""
    start = text[:2000].lstrip().lower()
    if start.startswith("<") and ("urn:schemas-microsoft-com:office:spreadsheet" in start or 'progid="excel.sheet"' in start):
        return True
    if start.startswith(("<!doctype html", "<html", "<table", "<head", "<meta")) or "<html" in start:
        raise BadInput(f"{called}是网页（HTML），不是表格。{_SAVE_AS}")
    if start.startswith("<?xml"):
        raise BadInput(f"{called}是 XML 文件，不是表格。请上传 XLSX、XLS 或 CSV 文件。")
    if sum(ord(c) < 32 and c not in "\t\r\n" for c in text[:4000]) > 20:
        raise BadInput(f"{called}不是表格文件。请上传 XLSX、XLS 或 CSV 文件。")
    return False


def _workbook(data: bytes, called: str, kind: str, limits: Limits, wanted: str) -> OpenSheet:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        visible = [
            meta.name for meta in book.sheets_metadata
            if meta.typ == python_calamine.SheetTypeEnum.WorkSheet
            and meta.visible == python_calamine.SheetVisibleEnum.Visible
        ]
        if wanted and wanted not in visible:
            raise BadInput(f"{called}中没有名为“{wanted}”的工作表，现有：{'、'.join(visible)}。")
        for name in [wanted] if wanted else visible:
            page = book.get_sheet_by_name(name)
            if page.height:
                break
        else:
            raise BadInput(f"{called}的工作表都是空的。")
        require_size(page.total_height + 1, page.total_width + 1, called, limits)
        merged = cut_merged(page.merged_cell_ranges or (), page.total_height, page.total_width, called, limits)
        others = tuple(other for other in visible if other != name)
        return OpenSheet((tuple(map(_cell, row)) for row in page.iter_rows()), merged, name, kind, others)
    except BadInput:
        raise
    except python_calamine.PasswordError:
        raise BadInput(f"{called}设有密码。请取消密码后重新上传。") from None
    except BaseException as wrong:
        # The parser's own panics are no Exception; interrupts must pass.
        if isinstance(wrong, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise BadInput(f"{called}无法读取：文件不完整或已损坏。{_SAVE_AS}") from None


def _cell(value: object) -> Cell:
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is float:
        whole = int(value) if abs(value) < 2**53 else value  # type: ignore[arg-type,call-overload]
        return whole if whole == value else value  # type: ignore[return-value]
    if value is None:
        return ""
    return str(value) if isinstance(value, (time, timedelta)) else value  # type: ignore[return-value]

"""A spreadsheet somebody uploaded -> a Sheet: XLSX, XLS, CSV, or one of these gzipped.

The content decides, never the file name: real files named .xls are XLSX, and the
other way round.  Everything that can grow (unpacked size, rows, columns) is
measured before a parser sees it.  `portal.sheets.limited` does the same in a child
process with memory and time limits: use that for whatever came over the network.
"""

from __future__ import annotations

import codecs
import csv
import io
import zlib
from dataclasses import dataclass
from datetime import time, timedelta

import python_calamine

from portal.domain.cells import Cell, Merged, Sheet
from portal.domain.errors import BadInput
from portal.sheets.zipped import require_small_workbook

__all__ = ["Limits", "Sheet", "UPLOAD", "read_sheet"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at all. `ratio` is unpacked to packed size, asked only above `ratio_from` bytes unpacked."""

    file_bytes: int = 20 << 20
    unpacked_bytes: int = 200 << 20
    ratio: int = 100
    ratio_from: int = 8 << 20
    entries: int = 500
    rows: int = 300_000
    columns: int = 200
    cells: int = 6_000_000


#: What a page accepts; the command line may be given wider ones.
UPLOAD = Limits()

_TEXT_STARTS = (  # (how the content starts, what it is): all said in words, none parsed
    (b"%PDF", "PDF 文件"), (b"\x89PNG", "PNG 图片"), (b"\xff\xd8\xff", "JPEG 图片"), (b"GIF8", "GIF 图片"),
    (b"Rar!", "RAR 压缩包"), (b"7z\xbc\xaf", "7z 压缩包"), (b"BM", "BMP 图片"), (b"{\\rtf", "RTF 文档"),
    (b"SQLite format 3", "数据库文件"), (b"\x7fELF", "程序文件"), (b"MZ", "程序文件"),
)
_SAVE_AS = "请在表格软件中另存为“Excel 工作簿（.xlsx）”后重新上传。"


def read_sheet(data: bytes, name: str = "", limits: Limits = UPLOAD, sheet: str = "") -> Sheet:
    """The first sheet with content (or the one named `sheet`). BadInput, in one sentence, for anything else.

    `name` is only used in messages.
    """
    called = f"“{name}”" if name else "文件"
    if len(data) > limits.file_bytes:
        raise BadInput(f"{called}有 {_megabytes(len(data))}，超过上限 {_megabytes(limits.file_bytes)}。请拆分后分别上传。")
    if data[:2] == b"\x1f\x8b":
        data = _unzipped(data, called, limits)
        if data[:2] == b"\x1f\x8b":
            raise BadInput(f"{called}被压缩了两层。请解压后上传。")
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise BadInput(f"{called}是空的。请检查是否选错了文件。")
    if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
        require_small_workbook(data, called, limits)
        return _workbook(data, called, "xlsx", limits, sheet)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _workbook(data, called, "xls", limits, sheet)
    for start, what in _TEXT_STARTS:
        if data.startswith(start):
            raise BadInput(f"{called}是{what}，不是表格。请上传 XLSX、XLS 或 CSV 文件。")
    return _csv(_decoded(data, called), called, limits)


def _unzipped(data: bytes, called: str, limits: Limits) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, limits.unpacked_bytes + 1)
    except zlib.error:
        raise BadInput(f"{called}的压缩数据已损坏。请重新压缩或直接上传表格。") from None
    if len(plain) > limits.unpacked_bytes or len(plain) > max(limits.ratio_from, limits.ratio * len(data)):
        raise BadInput(f"{called}解压后过大（上限 {_megabytes(limits.unpacked_bytes)}）。请拆分后分别上传。")
    if not unpacker.eof:
        raise BadInput(f"{called}不完整，可能没有上传完。请重新上传。")
    return plain


def _workbook(data: bytes, called: str, kind: str, limits: Limits, wanted: str) -> Sheet:
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
        _require_size(page.total_height + 1, page.total_width + 1, called, limits)
        merged = tuple(sorted(_merged(page, kind)))
        rows = tuple(tuple(map(_cell, row)) for row in page.to_python(skip_empty_area=False))
        return Sheet(rows, merged, name, kind, tuple(other for other in visible if other != name))
    except BadInput:
        raise
    except python_calamine.PasswordError:
        raise BadInput(f"{called}设有密码。请取消密码后重新上传。") from None
    except BaseException as wrong:
        # The parser's own panics are no Exception; interrupts must pass.
        if isinstance(wrong, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise BadInput(f"{called}无法读取：文件不完整或已损坏。{_SAVE_AS}") from None


def _merged(page: python_calamine.CalamineSheet, kind: str) -> list[Merged]:
    ranges = page.merged_cell_ranges or []
    return [((int(a), int(b)), (int(c), int(d))) for (a, b), (c, d) in ranges]


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


def _decoded(data: bytes, called: str) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in data:
        raise BadInput(f"{called}不是表格文件。请上传 XLSX、XLS 或 CSV 文件。")
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise BadInput(f"{called}的文字编码无法识别。请另存为 UTF-8 编码的 CSV 或 XLSX 后重新上传。")
    start = text[:2000].lstrip().lower()
    if "urn:schemas-microsoft-com:office:spreadsheet" in start or 'progid="excel.sheet"' in start:
        raise BadInput(f"{called}是“XML 表格 2003”，暂不能直接读取。{_SAVE_AS}")
    if start.startswith(("<!doctype html", "<html", "<table", "<head", "<meta")) or "<html" in start:
        raise BadInput(f"{called}是网页（HTML），不是表格。{_SAVE_AS}")
    if start.startswith("<?xml"):
        raise BadInput(f"{called}是 XML 文件，不是表格。请上传 XLSX、XLS 或 CSV 文件。")
    if sum(ord(c) < 32 and c not in "\t\r\n" for c in text[:4000]) > 20:
        raise BadInput(f"{called}不是表格文件。请上传 XLSX、XLS 或 CSV 文件。")
    return text


def _csv(text: str, called: str, limits: Limits) -> Sheet:
    rows: list[tuple[str, ...]] = []
    widest = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for row in reader:
            widest = max(widest, len(row))
            rows.append(tuple(map(_unquoted, row)) if "'" in "".join(row) else tuple(row))
            if len(rows) > limits.rows or widest > limits.columns or len(rows) * widest > limits.cells:
                _require_size(len(rows), widest, called, limits)
    except csv.Error:
        raise BadInput(
            f"{called}第 {len(rows) + 1} 行的引号没有配对，后面的内容无法分列。请用表格软件检查该行并另存后上传。"
        ) from None
    return Sheet(tuple(rows), (), "", "csv")


def _delimiter(text: str) -> str:
    # A mark that divides a table is in most of its lines; one odd line (a title, a note) decides nothing.
    lines = [line for line in text[:20_000].splitlines()[:20] if line.strip()]

    def marks(mark: str) -> int:
        counts = [line.count(mark) for line in lines]
        return sum(counts) if sum(map(bool, counts)) * 2 >= len(lines) else 0

    return max(",\t;", key=marks)


def _unquoted(cell: str) -> str:
    # Our own exports write '=1 so that no spreadsheet takes it for a formula (sheets.write).
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r＝＋－＠") else cell


def _require_size(rows: int, columns: int, called: str, limits: Limits) -> None:
    if rows > limits.rows:
        raise BadInput(f"{called}超过 {limits.rows:,} 行。请拆分后分别上传。")
    if columns > limits.columns:
        raise BadInput(f"{called}超过 {limits.columns} 列。请删除多余的列后重新上传。")
    if rows * columns > limits.cells:
        raise BadInput(f"{called}有 {rows:,} 行、{columns} 列，超过 {limits.cells:,} 个单元格。请拆分后分别上传。")


def _megabytes(count: int) -> str:
    return f"{count / (1 << 20):.1f} MB"

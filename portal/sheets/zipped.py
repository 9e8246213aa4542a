"""Is this ZIP a workbook small enough to parse? Answered by reading it as a stream, before any parser does.

A sheet of 90 KB can unpack to three million cells, and one cell at XFD1048576
makes a parser lay out seventeen thousand million: sizes are counted as they
unpack, and cell positions are looked at as bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from portal.domain.errors import BadInput
from portal.sheets.limits import Limits

__all__ = ["require_small_workbook"]

_CHUNK = 1 << 20
# No tag of a workbook is longer: one that a chunk's end cuts is looked at together with the next chunk.
_LONGEST_TAG = 1 << 20
_OVERLAP = 16
_DECLARED = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
# As nearly every program writes them; whatever else there is, is looked at one by one.
_USUAL_CELL = re.compile(rb"""<c r="([A-Z]+)([0-9]+)"[^<>]*?(/?)>""")
_USUAL_ROW = re.compile(rb"""<row r="([0-9]+)\"""")
_ANY_CELL = re.compile(rb"<(?:[\w.-]+:)?c(?:\s([^<>]*))?(/?)>")
_ANY_ROW = re.compile(rb"""<(?:[\w.-]+:)?row(?:\s([^<>]*))?/?>""")
_PLACE = re.compile(rb"""(?:^|\s)r\s*=\s*["']\s*([A-Za-z]*)([0-9]+)""")


def require_small_workbook(data: bytes, called: str, limits: Limits) -> None:
    """BadInput unless `data` is an XLSX package within `limits`; `called` names it in messages."""
    broken = BadInput(f"{called}无法读取：文件不完整或已损坏。请重新保存后上传。")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            entries = package.infolist()
            names = {entry.filename for entry in entries}
            _require_xlsx(names, called)
            if len(entries) > limits.entries:
                raise BadInput(f"{called}内部有 {len(entries)} 个文件，不是普通的表格（上限 {limits.entries}）。")
            for entry in entries:  # nothing is ever unpacked to disk; but whoever names entries so means harm
                if entry.filename.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", entry.filename):
                    raise BadInput(f"{called}内部的文件名“{entry.filename[:40]}”指向文件之外，不是普通的表格，已拒绝读取。")
            if any(entry.flag_bits & 1 for entry in entries):
                raise BadInput(f"{called}设有密码。请取消密码后重新上传。")
            total = 0
            for entry in entries:
                total = _require_small_entry(package, entry, total, len(data), called, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        raise broken from None


def _require_xlsx(names: set[str], called: str) -> None:
    if any(name.startswith("xl/") and name.endswith("workbook.xml") for name in names):
        return
    if any(name.endswith("workbook.bin") for name in names):
        raise BadInput(f"{called}是 XLSB（二进制工作簿）。请另存为“Excel 工作簿（.xlsx）”后重新上传。")
    if "word/document.xml" in names:
        raise BadInput(f"{called}是 Word 文档，不是表格。请上传 XLSX、XLS 或 CSV 文件。")
    if "content.xml" in names:
        raise BadInput(f"{called}是 ODS 表格。请另存为“Excel 工作簿（.xlsx）”后重新上传。")
    raise BadInput(f"{called}是压缩包，不是表格。请解压后上传其中的表格。")


def _require_small_entry(
    package: zipfile.ZipFile, entry: zipfile.ZipInfo, total: int, packed: int, called: str, limits: Limits
) -> int:
    """Unpack one entry chunk by chunk; the new total of unpacked bytes, or BadInput as soon as a limit is passed."""
    name = entry.filename.lower()
    is_sheet = name.startswith("xl/worksheets/") and name.endswith(".xml")
    is_xml = name.endswith((".xml", ".rels", ".vml"))
    tail = b""
    seen = _Extent()
    allowed = min(limits.unpacked_bytes, max(limits.ratio_from, limits.ratio * packed))
    with package.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            total += len(chunk)
            if total > allowed:
                raise BadInput(f"{called}解压后过大（{packed / 1024:.0f} KB 解压后超过 {allowed >> 20} MB），已拒绝读取。")
            if is_xml:
                if _DECLARED.search(tail + chunk[:_OVERLAP]) or _DECLARED.search(chunk):
                    raise BadInput(f"{called}含有不允许的 XML 声明，已拒绝读取。")
                tail = chunk[-_OVERLAP:]
            if is_sheet:
                seen.take(chunk)
                seen.require_within(called, limits)
    return total


class _Extent:
    """How far the cells of one sheet reach, kept while its bytes go by."""

    __slots__ = ("bare_rows", "cells", "lowest", "lowest_row", "placeless", "tail", "widest")

    def __init__(self) -> None:
        self.tail = b""
        self.bare_rows = self.cells = self.lowest = self.lowest_row = self.widest = 0
        self.placeless = False

    def take(self, chunk: bytes) -> None:
        """Cells count when they hold something: `<c r="XFD9" s="1"/>` is only a style, left over at the foot of many files."""
        text = self.tail + chunk
        cut = text.rfind(b"<")
        self.tail = b"" if cut < 0 or b">" in text[cut:] else text[cut:]
        if len(self.tail) > _LONGEST_TAG:
            raise ValueError("a tag without end")
        text = text[: len(text) - len(self.tail)]
        cells = _USUAL_CELL.findall(text)
        self.cells += len(cells)
        if bare := text.count(b"<c>"):
            self.cells += bare
            self.placeless = True
        if len(cells) < text.count(b"<c ") + text.count(b":c"):
            self._take_unusual(text, len(cells) + bare)
        letters = {place[0] for place in cells if not place[2]}
        if letters:
            self.widest = max(self.widest, *map(_column, letters))
            self.lowest = max(self.lowest, *map(_number, {place[1] for place in cells if not place[2]}))
        rows = _USUAL_ROW.findall(text)
        if len(rows) < text.count(b"<row") + text.count(b":row"):
            tags = _ANY_ROW.findall(text)
            rows = [place[2] for place in map(_PLACE.search, tags) if place]
            self.bare_rows += len(tags) - len(rows)
        if rows:
            self.lowest_row = max(self.lowest_row, *map(_number, rows))

    def _take_unusual(self, text: bytes, usual: int) -> None:
        tags = _ANY_CELL.findall(text)
        self.cells += len(tags) - usual
        for given, closed in set(tags):
            place = _PLACE.search(given)
            if place is None or not place[1]:
                self.placeless = self.placeless or not closed
            elif not closed and not given.endswith(b"/"):
                self.widest = max(self.widest, _column(place[1]))
                self.lowest = max(self.lowest, _number(place[2]))

    def require_within(self, called: str, limits: Limits) -> None:
        # A cell without a place of its own sits in its row's place; a row without one comes after the row before.
        lowest = max(self.lowest, self.lowest_row + self.bare_rows if self.placeless else 0)
        if lowest > limits.rows:
            raise BadInput(f"{called}超过 {limits.rows:,} 行（有单元格在第 {lowest:,} 行）。请删除多余的行后重新上传。")
        if self.widest > limits.columns:
            raise BadInput(f"{called}超过 {limits.columns} 列（有单元格在第 {self.widest:,} 列）。请删除多余的列后重新上传。")
        if self.cells > limits.cells or lowest * self.widest > limits.cells:
            raise BadInput(f"{called}超过 {limits.cells:,} 个单元格。请拆分后分别上传。")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:4]:
        number = number * 26 + letter - 64
    return number


def _number(digits: bytes) -> int:
    return int(digits[:9])

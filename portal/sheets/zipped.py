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
from typing import TYPE_CHECKING

from portal.domain.errors import BadInput

if TYPE_CHECKING:
    from portal.sheets.read import Limits

__all__ = ["require_small_workbook"]

_CHUNK = 1 << 20
# Longer than any opening tag of a cell or row; one cut by a chunk's end is seen again with the next.
_OVERLAP = 400
# Cells that hold something: `<c r="XFD9" s="1"/>` is only a style, left over at the foot of many real files.
_PLACE = re.compile(rb"""<(?:\w+:)?c\s(?:[^<>]*?\s)?r\s*=\s*["']([A-Za-z]*)([0-9]+)["'][^<>]*(?<!/)>""")
_PLACELESS = re.compile(rb"""<(?:\w+:)?c(?:\s(?![^<>]*?\br\s*=)[^<>]*)?(?<!/)>""")
_ROW_PLACE = re.compile(rb"""<(?:\w+:)?row\s(?:[^<>]*?\s)?r\s*=\s*["']([0-9]+)["']""")
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")


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
    seen = _Extent()
    allowed = min(limits.unpacked_bytes, max(limits.ratio_from, limits.ratio * packed))
    with package.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            total += len(chunk)
            if total > allowed:
                raise BadInput(f"{called}解压后过大（{packed / 1024:.0f} KB 解压后超过 {allowed >> 20} MB），已拒绝读取。")
            if is_sheet:
                seen.take(chunk, called)
                seen.require_within(called, limits)
    return total


class _Extent:
    """How far the cells of one sheet reach, kept while its bytes go by."""

    __slots__ = ("cells", "lowest", "lowest_row", "placeless", "rows", "tail", "widest")

    def __init__(self) -> None:
        self.tail = b""
        self.rows = self.cells = self.lowest = self.lowest_row = self.widest = 0
        self.placeless = False

    def take(self, chunk: bytes, called: str) -> None:
        text = self.tail + chunk
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise BadInput(f"{called}含有不允许的 XML 声明，已拒绝读取。")
        for letters, digits in _PLACE.findall(text):
            if len(digits) >= 4:
                self.lowest = max(self.lowest, int(digits[:9]))
            if len(letters) > 1:
                self.widest = max(self.widest, _column(letters))
        self.lowest_row = max([self.lowest_row, *(int(digits[:9]) for digits in _ROW_PLACE.findall(text))])
        self.placeless = self.placeless or _PLACELESS.search(text) is not None
        self.rows += len(_ROW.findall(chunk))
        self.cells += len(_CELL.findall(chunk))
        self.tail = chunk[-_OVERLAP:]

    def require_within(self, called: str, limits: Limits) -> None:
        # A cell without a place of its own sits in its row's place.
        lowest = max(self.lowest, self.lowest_row if self.placeless else 0)
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

"""Excel-2003 XML (SpreadsheetML): what many registration systems still export, mostly under the name .xls.

Parsed by expat as a stream. Whatever declares a document type, nests deeply or
reaches beyond the limits is refused before anything grows: entities are never expanded.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from datetime import datetime, time
from math import isfinite
from xml.parsers import expat

from portal.domain.cells import Cell, Merged
from portal.domain.errors import BadInput
from portal.sheets.limits import Limits, cut_merged
from portal.sheets.source import Source

__all__ = ["xml_sheet"]

_SS = "urn:schemas-microsoft-com:office:spreadsheet "
_X = "urn:schemas-microsoft-com:office:excel "
#: Workbook, Worksheet, Table, Row, Cell, Data and rich text inside it: real files stay below ten.
_DEEPEST = 50
_MOST_MERGED = 20_000


def xml_sheet(
    source: Source, encoding: str, limits: Limits, wanted: str = ""
) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Merged, ...], str, tuple[str, ...]]:
    """(rows, merged ranges, name, names of the other sheets) of the first visible sheet with content, or of `wanted`."""
    called = source.called
    book = _Book(called, limits, wanted)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = book.start
    parser.EndElementHandler = book.end
    parser.CharacterDataHandler = book.text
    parser.StartDoctypeDeclHandler = book.declared
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in source.pieces():
            parser.Parse(decoder.decode(piece), False)  # text: expat then ignores the encoding the file claims
        parser.Parse(decoder.decode(b"", True), True)
    except (expat.ExpatError, UnicodeError):
        raise BadInput(
            f"{called}第 {parser.CurrentLineNumber} 行附近的 XML 不完整或已损坏。请在表格软件中另存为“Excel 工作簿（.xlsx）”后重新上传。"
        ) from None
    return book.chosen()


class _Book:
    """The handlers, and what they have seen. Of all sheets only the one being read is kept, then the one chosen."""

    def __init__(self, called: str, limits: Limits, wanted: str):
        self.called, self.limits, self.wanted = called, limits, wanted
        self.visible: list[str] = []
        self.found: _Page | None = None
        self.page: _Page | None = None
        self.path: list[str] = []
        self.data: list[str] | None = None
        self.type = ""
        self.characters = self.total = 0
        self.setting: list[str] | None = None

    def declared(self, *_: object) -> None:
        raise BadInput(f"{self.called}含有不允许的 XML 声明，已拒绝读取。")

    def start(self, tag: str, given: Mapping[str, str]) -> None:
        inside = self.path[-1] if self.path else ""
        self.path.append(tag)
        if len(self.path) > _DEEPEST:
            raise BadInput(f"{self.called}的 XML 嵌套过深，不是普通的表格，已拒绝读取。")
        if tag == f"{_SS}Worksheet":
            name = given.get(f"{_SS}Name", "")
            self.page = _Page(name, self.called, self.limits) if self._is_wanted(name) else None
            self.visible.append(name)
        elif tag == f"{_X}Visible":
            self.setting = []
        elif self.page is None:
            return
        elif tag == f"{_SS}Row":
            self.page.begin_row(given)
        elif tag == f"{_SS}Cell":
            self.page.begin_cell(given)
        elif tag == f"{_SS}Data" and inside == f"{_SS}Cell":  # a comment has Data too, inside Comment
            self.type = given.get(f"{_SS}Type", "String")
            self.data = []
            self.characters = 0

    def text(self, text: str) -> None:
        if self.data is not None:
            self.characters += len(text)
            self.total += len(text)
            if self.characters > self.limits.row_characters or self.total > self.limits.text_bytes:
                raise BadInput(f"{self.called}的单元格文字过多，不是普通的表格。请拆分后分别上传。")
            self.data.append(text)
        elif self.setting is not None:
            self.setting.append(text)

    def end(self, tag: str) -> None:
        self.path.pop()
        if tag == f"{_SS}Data" and self.data is not None and self.path[-1] == f"{_SS}Cell":
            if self.page is not None:
                self.page.fill("".join(self.data), self.type)
            self.data = None
        elif tag == f"{_X}Visible" and self.setting is not None:
            if "".join(self.setting).strip() != "SheetVisible":
                self.page = None
                self.visible.pop()
            self.setting = None
        elif tag == f"{_SS}Row" and self.page is not None:
            self.page.end_row()
        elif tag == f"{_SS}Worksheet" and self.page is not None:
            if self.page.rows or self.wanted:
                self.found = self.page
            self.page = None

    def _is_wanted(self, name: str) -> bool:
        return self.found is None and name == (self.wanted or name)

    def chosen(self) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Merged, ...], str, tuple[str, ...]]:
        if self.found is None or self.found.name not in self.visible:
            if self.wanted:
                raise BadInput(f"{self.called}中没有名为“{self.wanted}”的工作表，现有：{'、'.join(self.visible)}。")
            raise BadInput(f"{self.called}的工作表都是空的。")
        page = self.found
        if not page.rows:
            raise BadInput(f"{self.called}的工作表都是空的。")
        merged = cut_merged(page.merged, len(page.rows) - 1, page.widest - 1, self.called, self.limits)
        return tuple(page.rows), merged, page.name, tuple(name for name in self.visible if name != page.name)


class _Page:
    """One sheet while it is read. Only cells that hold something make it grow: styled empty rows reach to the end of many."""

    def __init__(self, name: str, called: str, limits: Limits):
        self.name, self.called, self.limits = name, called, limits
        self.rows: list[tuple[Cell, ...]] = []
        self.merged: list[Merged] = []
        self.row: list[Cell] = []
        self.at = -1  # of the row being read
        self.column = -1
        self.next_column = 0
        self.cells = self.widest = 0

    def begin_row(self, given: Mapping[str, str]) -> None:
        self.at = self._index(given, self.at + 1)
        self.row = []
        self.next_column = 0

    def begin_cell(self, given: Mapping[str, str]) -> None:
        self.column = self._index(given, self.next_column)
        across, down = self._number(given, "MergeAcross"), self._number(given, "MergeDown")
        self.next_column = self.column + across + 1
        if across or down:
            if len(self.merged) >= _MOST_MERGED:
                raise BadInput(f"{self.called}的合并单元格超过 {_MOST_MERGED:,} 处。请取消合并后重新上传。")
            self.merged.append(((self.at, self.column), (self.at + down, self.column + across)))

    def fill(self, text: str, kind: str) -> None:
        value = _value(text, kind)
        if value == "":
            return
        limits, column = self.limits, self.column
        if self.at >= limits.rows:
            raise BadInput(f"{self.called}超过 {limits.rows:,} 行（有单元格在第 {self.at + 1:,} 行）。请删除多余的行后重新上传。")
        if column >= limits.columns:
            raise BadInput(f"{self.called}超过 {limits.columns} 列（有单元格在第 {column + 1:,} 列）。请删除多余的列后重新上传。")
        self.widest = max(self.widest, column + 1)
        if (self.at + 1) * self.widest > limits.cells:
            raise BadInput(f"{self.called}超过 {limits.cells:,} 个单元格。请拆分后分别上传。")
        row = self.row
        if column < len(row):
            row[column] = value
            return
        row.extend([""] * (column - len(row)))
        row.append(value)

    def end_row(self) -> None:
        if not self.row:
            return
        if self.at < len(self.rows):
            raise BadInput(f"{self.called}的行号没有按顺序排列，文件已损坏。请另存为“Excel 工作簿（.xlsx）”后重新上传。")
        self.rows.extend([()] * (self.at - len(self.rows)))
        self.rows.append(tuple(self.row))

    def _index(self, given: Mapping[str, str], usual: int) -> int:
        number = self._number(given, "Index")
        return number - 1 if number else usual

    def _number(self, given: Mapping[str, str], name: str) -> int:
        text = given.get(_SS + name, "0").strip()
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            raise BadInput(f"{self.called}中 {name} 的值“{text[:20]}”不是行列号，文件已损坏。请另存为“Excel 工作簿（.xlsx）”后重新上传。")
        return int(text)


def _value(text: str, kind: str) -> Cell:
    if kind == "Number":
        try:
            number = float(text)
        except ValueError:
            return text
        if not isfinite(number):
            return text
        return int(number) if abs(number) < 2**53 and number == int(number) else number
    if kind == "DateTime":
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            return text
        if at.year < 1900:  # a time of day, written as a time on 1899-12-31
            return at.time().isoformat()
        return at.date() if at.time() == time.min else at.replace(tzinfo=None)
    if kind == "Boolean":
        return text.strip() == "1"
    return text

"""CSV as bureaus send it: in whatever encoding, split at whatever mark, read row by row."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from portal.domain.errors import BadInput
from portal.sheets.limits import Limits, require_size
from portal.sheets.source import Source

__all__ = ["csv_rows", "encoding_of"]

_FORMULA = tuple("=+-@\t\r＝＋－＠")


def encoding_of(source: Source) -> str:
    """utf-8-sig where all of the file is UTF-8, else utf-16 or gb18030. BadInput where it cannot be text."""
    if source.start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    encoding = "utf-8-sig"
    for piece in source.pieces():
        if b"\0" in piece:
            raise BadInput(f"{source.called}不是表格文件。请上传 XLSX、XLS 或 CSV 文件。")
        if encoding == "utf-8-sig":
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                encoding = "gb18030"
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        encoding = "gb18030"
    return encoding


def csv_rows(source: Source, encoding: str, limits: Limits) -> Iterator[tuple[str, ...]]:
    """The rows, empty ones too, so that row k of a spreadsheet is the k-th. BadInput at the first that cannot be read."""
    called = source.called
    lines = _Lines(source, encoding, limits)
    start = source.start.decode(encoding, "ignore")
    rows = widest = 0
    most = limits.rows
    try:
        for row in csv.reader(lines.each(), delimiter=_delimiter(start), strict=True):
            rows += 1
            if len(row) > widest or rows > most:
                widest = max(widest, len(row))
                require_size(rows, widest, called, limits)
                most = min(limits.rows, limits.cells // max(1, widest))
            lines.pending = 0
            if lines.quoted:
                lines.quoted = False
                yield tuple(map(_unquoted, row))
            else:
                yield tuple(row)
    except UnicodeDecodeError:
        raise BadInput(f"{called}的文字编码无法识别。请另存为 UTF-8 编码的 CSV 或 XLSX 后重新上传。") from None
    except csv.Error:
        raise BadInput(
            f"{called}第 {rows + 1} 行的引号没有配对，后面的内容无法分列。请用表格软件检查该行并另存后上传。"
        ) from None


class _Lines:
    """Lines for csv.reader. `pending`: characters since the last row ended; `quoted`: a line had an apostrophe."""

    __slots__ = ("_limits", "_source", "_stream", "pending", "quoted")

    def __init__(self, source: Source, encoding: str, limits: Limits):
        self._source, self._limits = source, limits
        self._stream = io.TextIOWrapper(source.stream(), encoding, newline="")
        self.pending = 0
        self.quoted = False

    def each(self) -> Iterator[str]:
        most, whole = self._limits.row_characters, self._limits.text_bytes
        readline = self._stream.readline
        total = 0
        while line := readline(most):
            size = len(line)
            self.pending += size
            total += size
            if self.pending >= most or total > whole:
                raise self._refusal(total > whole)
            if "'" in line:
                self.quoted = True
            yield line

    def _refusal(self, whole: bool) -> BadInput:
        called = self._source.called
        if whole:
            return BadInput(f"{called}的文字超过 {self._limits.text_bytes >> 20} MB。请拆分后分别上传。")
        return BadInput(
            f"{called}有一行超过 {self._limits.row_characters:,} 个字，不是普通的表格。请检查引号和换行，另存后重新上传。"
        )


def _delimiter(start: str) -> str:
    # A mark that divides a table is in most of its lines; one odd line (a title, a note) decides nothing.
    lines = [line for line in start[:20_000].splitlines()[:20] if line.strip()]

    def marks(mark: str) -> int:
        counts = [line.count(mark) for line in lines]
        return sum(counts) if sum(map(bool, counts)) * 2 >= len(lines) else 0

    return max(",\t;", key=marks)


def _unquoted(cell: str) -> str:
    # Our own exports write '=1 so that no spreadsheet takes it for a formula (sheets.write).
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell

"""A sheet as a table: which row holds the headings, which column means what, what was found wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from portal.domain import headings as known
from portal.domain.cells import Cell, Suspicious, hidden_characters, parse_text, plain_heading, row_is_empty
from portal.domain.errors import BadInput, Problem

__all__ = ["Findings", "Table", "find_headings", "parse_table"]

T = TypeVar("T")

#: More than this nobody reads; the message says how many there are in all.
MOST_LISTED = 200
#: How far down the row of headings is looked for (titles and 填报单位 lines stand above it).
HEADING_ROWS = 15

_SAMPLE = ("案例（请删除）", "案例(请删除)", "示例（请删除）", "示例(请删除)", "样例（请删除）", "填写示例", "填表示例")


@dataclass(slots=True)
class Findings:
    """Errors and warnings of one file, in the order found. Not frozen: it is filled while rows are read."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, row: int, heading: str, message: str) -> None:
        self.errors.append(Problem(heading, message, row))

    def warn(self, row: int, heading: str, message: str) -> None:
        self.warnings.append(Problem(heading, message, row))

    def report(self) -> tuple[Problem, ...]:
        return tuple(self.warnings)

    def require_none(self, what: str) -> None:
        """BadInput with all errors (the first 200) unless there are none."""
        if not self.errors:
            return
        count = len(self.errors)
        more = f"，下面列出前 {MOST_LISTED} 处" if count > MOST_LISTED else ""
        raise BadInput(f"{what}有 {count} 处错误，没有导入任何一行{more}。请改正后重新上传。", self.errors[:MOST_LISTED])


@dataclass(slots=True)
class Table:
    """Columns by field and the rows below the headings as (1-based file row, cells)."""

    columns: Mapping[str, Sequence[int]]
    titles: Mapping[str, str]
    body: Sequence[tuple[int, Sequence[Cell]]]
    findings: Findings

    def has(self, name: str) -> bool:
        return name in self.columns

    def heading(self, name: str) -> str:
        """The heading as the file writes it (the usual wording where the column is absent)."""
        return self.titles[name]

    def value(self, line: int, row: Sequence[Cell], name: str, parse: Callable[[Cell], T]) -> T | None:
        """The first filled cell of a field, parsed; "" or the like where empty, None where absent or wrong (then noted)."""
        columns = self.columns.get(name)
        if columns is None:
            return None
        cell: Cell = ""
        for column in columns:
            if column < len(row) and row[column] != "":
                cell = row[column]
                break
        try:
            return parse(cell)
        except ValueError as wrong:
            self.findings.error(line, self.titles[name], str(wrong))
            return None

    def text(self, line: int, row: Sequence[Cell], name: str) -> str:
        """The first filled cell of a field as one line of text, "" where there is none."""
        columns = self.columns.get(name)
        if columns is None:
            return ""
        for column in columns:
            if column < len(row) and row[column] != "":
                cell = row[column]
                if isinstance(cell, str) and cell.isascii() and cell.isprintable():
                    return cell.strip()
                hidden = hidden_characters(cell)
                if hidden:
                    self.findings.warn(line, self.titles[name], f"含有无法显示的字符 {hidden}，请与原登记核对。")
                try:
                    return parse_text(cell)
                except Suspicious as wrong:
                    self.findings.error(line, self.titles[name], str(wrong))
                    return ""
        return ""


def find_headings(rows: Sequence[Sequence[Cell]], names: Mapping[str, str]) -> tuple[int, dict[str, list[int]]]:
    """(0-based row of the headings, field -> columns); (-1, {}) where no row has two known headings."""
    fields = {wording: name for name, wordings in names.items() for wording in reversed(wordings.split())}
    best: tuple[int, dict[str, list[int]]] = (-1, {})
    for index, row in enumerate(rows[:HEADING_ROWS]):
        columns: dict[str, list[int]] = {}
        for column, cell in enumerate(row):
            name = fields.get(plain_heading(cell))
            if name:
                columns.setdefault(name, []).append(column)
        if len(columns) > max(1, len(best[1])):
            best = (index, columns)
    return best


def parse_table(
    rows: Sequence[Sequence[Cell]], names: Mapping[str, str], required: Sequence[str], what: str
) -> Table:
    """Find the headings of a sheet and the rows below them; BadInput where a required column is missing.

    Sample rows (案例（请删除）) and empty rows are left out. Dropped private columns,
    columns of no use and unknown columns are all named among the warnings.
    """
    if not any(not row_is_empty(row) for row in rows):
        raise BadInput(f"{what}是空的：表中没有任何内容。")
    at, columns = find_headings(rows, names)
    usual = {name: wordings.split()[0] for name, wordings in names.items()}
    for name, wordings in names.items():  # the first Chinese wording is what people know it by
        usual[name] = next((w for w in wordings.split() if not w.isascii()), usual[name])
    missing = [usual[name] for name in required if name not in columns]
    if missing:
        listed = "、".join(f"“{name}”" for name in missing)
        raise BadInput(f"{what}中找不到{listed}列。请检查表头（应在前 {HEADING_ROWS} 行内）后重新上传。")
    titles = usual | {name: _title(rows[at][where[0]]) for name, where in columns.items()}
    table = Table(columns, titles, [], Findings())
    _note_columns(table.findings, rows[at], at + 1, columns)
    body, samples = [], []
    for line, row in enumerate(rows[at + 1:], at + 2):
        if row_is_empty(row):
            continue
        if any(isinstance(cell, str) and cell.strip() in _SAMPLE for cell in row[:4]):
            samples.append(line)
        else:
            body.append((line, row))
    table.body = body
    if samples:
        table.findings.warn(samples[0], "", f"跳过 {len(samples)} 行示例（案例（请删除））。")
    if not body:
        raise BadInput(f"{what}只有表头，没有数据行。")
    return table


def _note_columns(found: Findings, row: Sequence[Cell], line: int, columns: Mapping[str, Sequence[int]]) -> None:
    used = {column for where in columns.values() for column in where}
    groups: dict[str, list[str]] = {"private": [], "unused": [], "unknown": []}
    for column, cell in enumerate(row):
        heading = plain_heading(cell)
        if column in used or not heading:
            continue
        group = "private" if heading in known.PERSONAL else "unused" if heading in known.NOT_KEPT else "unknown"
        groups[group].append(_title(cell))
    for group, sentence in (
        ("private", "是个人信息列，本系统不保存，已在读入时丢弃"),
        ("unused", "列没有用到，未导入"),
        ("unknown", "列不认识，未导入；如需要，请改用模板中的表头"),
    ):
        if groups[group]:
            found.warn(line, "、".join(groups[group]), sentence + "。")


def _title(cell: Any) -> str:
    return " ".join(str(cell).split())

"""A sheet as a table: which row holds the headings, which column means what, what was found wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any, Generic, TypeVar

from portal.domain import headings as known
from portal.domain.cells import Cell, Sheet, Suspicious, hidden_characters, parse_text, plain_heading, row_is_empty
from portal.domain.errors import BadInput, Problem

__all__ = [
    "Aliases", "Aside", "Findings", "Headings", "LEFT_OUT", "MissingColumns", "Parsed", "Table", "fill_merged", "find_headings", "is_remark",
    "parse_table", "usual_heading",
]  # fmt: skip

T = TypeVar("T")

#: plain heading -> field, as a bureau has told us; LEFT_OUT is a column it does not want read
Aliases = Mapping[str, str]
LEFT_OUT = "-"

#: More than this nobody reads; the message says how many there are in all.
MOST_LISTED = 200
#: Rows left out that are named one by one.
_LISTED = 20
#: How far down the row of headings is looked for (titles and 填报单位 lines stand above it).
HEADING_ROWS = 15

_SAMPLE = re.compile(r"\s*(?:(?:案例|示例|样例|举例)\s*[（(]\s*请?删除|填写示例|填表示例)")
_REMARK = re.compile(r"(?:备注|附注|注|说明|填表说明|填报说明|合计|总计|填表人|审核人|制表)\s*(?:[:：\d一].*|)", re.DOTALL)
# Asked of every row, so the first letter decides whether a pattern is tried at all.
_SAMPLE_STARTS = frozenset(" 案示样举填\u3000")
_REMARK_STARTS = frozenset(" 备附注说填合总审制\u3000")


@dataclass(slots=True)
class Findings:
    """Errors and warnings of one file, in the order found; `bad`: file rows with an error. Filled while rows are read."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    bad: set[int] = field(default_factory=set)

    def error(self, row: int, heading: str, message: str) -> None:
        self.errors.append(Problem(heading, message, row))
        self.bad.add(row)

    def warn(self, row: int, heading: str, message: str) -> None:
        self.warnings.append(Problem(heading, message, row))


@dataclass(frozen=True, slots=True)
class Headings:
    """What became of the columns. `row`: 1-based file row (0: not found); `known`: (as written, field);
    `own`: (as written, 0-based column) kept under the file's own heading; `unknown`: as written,
    not imported; `private`: 0-based columns whose cells nobody may keep."""

    row: int = 0
    known: tuple[tuple[str, str], ...] = ()
    own: tuple[tuple[str, int], ...] = ()
    unknown: tuple[str, ...] = ()
    private: tuple[int, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(name for _, name in self.known)

    def title(self, field: str) -> str:
        """The heading of a field as the file writes it, "" where it has none."""
        return next((title for title, name in self.known if name == field), "")


class MissingColumns(BadInput):
    """The file has a table, but not these columns; `headings` says what it has, so that they can be pointed out."""

    def __init__(self, message: str, headings: Headings, missing: Sequence[str]):
        super().__init__(message)
        self.headings = headings
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class Aside:
    """Rows of a file that are no data: how many up to the headings, the 1-based rows of samples and remarks, how many are empty."""

    above: int = 0
    samples: tuple[int, ...] = ()
    remarks: tuple[int, ...] = ()
    blank: int = 0

    @property
    def count(self) -> int:
        return self.above + len(self.samples) + len(self.remarks) + self.blank

    def words(self) -> str:
        """Every kind there is with how many, samples and remarks with their rows."""
        said = [f"标题和表头 {self.above} 行"] if self.above else []
        for name, lines in (("示例", self.samples), ("备注或合计", self.remarks)):
            if lines:
                listed = "、".join(map(str, lines[:_LISTED])) + (" 等" if len(lines) > _LISTED else "")
                said.append(f"{name} {len(lines):,} 行（第 {listed} 行）")
        return "，".join([*said, f"空行 {self.blank:,} 行"] if self.blank else said)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """What a file held. No row error is raised: who asked decides between all or nothing and the good rows.

    `rows` are those without an error, `lines` the 1-based file row of each (where several
    file rows became one, the first); `total` counts the data rows of the file, and
    `whole` is what the file says beside its rows (a plan's title and year).
    `joined`: (file row, the earlier one it was joined into); `aside`: the rows that are no data.
    So every data row is among `lines`, among `joined` or has an error.
    """

    rows: tuple[T, ...]
    warnings: tuple[Problem, ...] = ()
    errors: tuple[Problem, ...] = ()
    lines: tuple[int, ...] = ()
    total: int = 0
    headings: Headings = Headings()
    whole: Any = None
    joined: tuple[tuple[int, int], ...] = ()
    aside: Aside = Aside()

    @property
    def bad_lines(self) -> frozenset[int]:
        """Data rows with an error."""
        return frozenset(problem.row for problem in self.errors if problem.row > self.headings.row)

    def found(self, errors: Sequence[Problem] = (), warnings: Sequence[Problem] = ()) -> Parsed[T]:
        """The same file with more found, in the order of its rows: rows with an error are no longer among `rows`, nor what was joined into them."""
        bad = frozenset(problem.row for problem in errors)
        errors = [*errors, *(Problem("", f"与第 {first} 行是同一个代码，一并没有导入。", line) for line, first in self.joined if first in bad)]
        kept = [(row, line) for row, line in zip(self.rows, self.lines, strict=True) if line not in bad] if bad else None
        return replace(
            self,
            rows=self.rows if kept is None else tuple(row for row, _ in kept),
            lines=self.lines if kept is None else tuple(line for _, line in kept),
            errors=tuple(sorted((*self.errors, *errors), key=_row)) if errors else self.errors,
            warnings=(*self.warnings, *warnings),
            joined=tuple(pair for pair in self.joined if pair[1] not in bad),
        )

    def require_no_errors(self, what: str) -> None:
        """All or nothing: BadInput with the errors (the first 200) unless there are none."""
        if not self.errors:
            return
        count = len(self.errors)
        more = f"，下面列出前 {MOST_LISTED} 处" if count > MOST_LISTED else ""
        raise BadInput(f"{what}有 {count} 处错误，没有导入任何一行{more}。请改正后重新上传。", self.errors[:MOST_LISTED])


def _row(problem: Problem) -> int:
    return problem.row


@dataclass(slots=True)
class Table:
    """Columns by field and the rows below the headings.

    `body` gives (1-based file row, cells) once, without empty, sample and remark rows;
    those are found in `samples`, `remarks` and `blank` after it, the number of others in `total`.
    """

    columns: Mapping[str, Sequence[int]]
    titles: Mapping[str, str]
    headings: Headings
    findings: Findings
    body: Iterator[tuple[int, Sequence[Cell]]]
    remarks: list[tuple[int, Sequence[Cell]]] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)
    blank: int = 0
    total: int = 0

    @property
    def aside(self) -> Aside:
        return Aside(self.headings.row, tuple(self.samples), tuple(line for line, _ in self.remarks), self.blank)

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
                return self.plain(line, self.titles[name], row[column])
        return ""

    def plain(self, line: int, title: str, cell: Cell) -> str:
        """One cell as one line of text; what is hidden in it is noted under `title`."""
        if isinstance(cell, str) and cell.isascii() and cell.isprintable():
            return cell.strip()
        hidden = hidden_characters(cell)
        if hidden:
            self.findings.warn(line, title, f"含有无法显示的字符 {hidden}，请与原登记核对。")
        try:
            return parse_text(cell)
        except Suspicious as wrong:
            self.findings.error(line, title, str(wrong))
            return ""

    def own_texts(self, line: int, row: Sequence[Cell]) -> dict[str, str]:
        """heading -> text of the filled cells in columns kept under the file's own headings."""
        filled = ((title, row[at]) for title, at in self.headings.own if at < len(row) and row[at] != "")
        return {title: text for title, cell in filled if (text := self.plain(line, title, cell))}

    def require_text(self, line: int, row: Sequence[Cell], name: str) -> str:
        """Like `text`; an empty cell is an error of the row."""
        text = self.text(line, row, name)
        if not text and line not in self.findings.bad:
            self.findings.error(line, self.titles[name], "没有填写。请补上后重新上传。")
        return text

    def parsed(self, rows: Sequence[T], lines: Sequence[int], joined: Sequence[tuple[int, int]] = ()) -> Parsed[T]:
        """What was read, without the rows of lines found bad."""
        if self.remarks:
            self.findings.warn(self.remarks[0][0], "", f"跳过 {len(self.remarks)} 行备注或合计。")
        bad = self.findings.bad
        if bad:
            kept = [(row, line) for row, line in zip(rows, lines, strict=True) if line not in bad]
            rows, lines = [row for row, _ in kept], [line for _, line in kept]
        found = self.findings
        return Parsed(tuple(rows), tuple(found.warnings), tuple(found.errors), tuple(lines), self.total, self.headings, None, tuple(joined), self.aside)


def usual_heading(names: Mapping[str, str], name: str) -> str:
    """What people call a field: its first Chinese wording."""
    wordings = names[name].split()
    return next((wording for wording in wordings if not wording.isascii()), wordings[0])


def find_headings(
    rows: Sequence[Sequence[Cell]], names: Mapping[str, str], aliases: Aliases | None = None
) -> tuple[int, dict[str, list[int]]]:
    """(0-based row of the headings, field -> columns); (-1, {}) where no row has two known headings."""
    fields = {wording: name for name, wordings in names.items() for wording in reversed(wordings.split())}
    fields |= aliases or {}
    best: tuple[int, dict[str, list[int]]] = (-1, {})
    for index, row in enumerate(rows[:HEADING_ROWS]):
        columns: dict[str, list[int]] = {}
        for column, cell in enumerate(row):
            name = fields.get(plain_heading(cell))
            if name in names:
                columns.setdefault(name, []).append(column)
        if len(columns) > max(1, len(best[1])):
            best = (index, columns)
    return best


def parse_table(
    rows: Iterable[Sequence[Cell]], names: Mapping[str, str], required: Sequence[str], what: str, aliases: Aliases | None = None,
    *, keep_unknown: bool = False,
) -> Table:  # fmt: skip
    """Find the headings of a sheet and the rows below them; MissingColumns where a required one is not there.

    `rows` is read once and only as far as the headings; the rest is read by who reads `body`.
    Dropped private columns, columns of no use and unknown columns are all named among the warnings;
    `keep_unknown`: unknown ones are kept under their own heading instead.
    """
    rest = iter(rows)
    head = list(islice(rest, HEADING_ROWS))
    if all(row_is_empty(row) for row in head) and all(row_is_empty(row) for row in rest):
        raise BadInput(f"{what}是空的：表中没有任何内容。")
    at, columns = find_headings(head, names, aliases)
    usual = {name: usual_heading(names, name) for name in names}
    missing = [usual[name] for name in required if name not in columns]
    found = Findings()
    seen = _sort_columns(found, head, at, columns, aliases or {}, keep_unknown)
    if missing:
        listed = "、".join(f"“{name}”" for name in missing)
        raise MissingColumns(f"{what}中找不到{listed}列。请检查表头（应在前 {HEADING_ROWS} 行内）后重新上传。", seen, missing)
    titles = usual | {name: _title(head[at][where[0]]) for name, where in columns.items()}
    table = Table(columns, titles, seen, found, iter(()))
    table.body = _body(table, chain(head[at + 1 :], rest), at + 2, what)
    return table


def _body(table: Table, rows: Iterable[Sequence[Cell]], first: int, what: str) -> Iterator[tuple[int, Sequence[Cell]]]:
    samples = table.samples
    for line, row in enumerate(rows, first):
        what = None
        for cell in row[:4]:
            if type(cell) is str and cell:
                if cell[0] in _SAMPLE_STARTS and _SAMPLE.match(cell):
                    what = "sample"
                    break
                if cell[0] in _REMARK_STARTS and is_remark(row):
                    what = "remark"
                    break
        if what == "sample":
            samples.append(line)
        elif what == "remark":
            table.remarks.append((line, row))
        elif row_is_empty(row):
            table.blank += 1
        else:
            table.total += 1
            yield line, row
    if samples:
        table.findings.warn(samples[0], "", f"跳过 {len(samples)} 行示例（案例（请删除））。")
    if not table.total:
        raise BadInput(f"{what}只有表头，没有数据行。")


def is_remark(row: Sequence[Cell]) -> bool:
    """Whether a row below the headings is a remark or a total (备注：..., 合计) and no row of data."""
    # A remark merged over the whole width stands in every cell once it is filled.
    texts = list(dict.fromkeys(text for text in map(_shown, row) if text))
    return 0 < len(texts) <= 2 and _REMARK.fullmatch(texts[0]) is not None


def _shown(cell: Cell) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else str(cell)


_NOTES = (
    ("private", "是个人信息列，本系统不保存，已在读入时丢弃"),
    ("unused", "列没有用到，未导入"),
    ("unknown", "列不认识，未导入；如需要，请指定它对应的栏目，或改用模板中的表头"),
)


def _sort_columns(
    found: Findings, head: Sequence[Sequence[Cell]], at: int, columns: Mapping[str, Sequence[int]], aliases: Aliases, keep_unknown: bool
) -> Headings:
    """What each column of the heading row is; the columns not imported are warned about."""
    if at < 0:  # no row with two headings we know: the likeliest is the fullest one
        widths = [sum(isinstance(cell, str) and bool(cell.strip()) for cell in row) for row in head]
        at = widths.index(max(widths))
    used = {column: name for name, where in columns.items() for column in where}
    groups: dict[str, list[int]] = {"private": [], "unused": [], "unknown": []}
    for column, cell in enumerate(head[at]):
        heading = plain_heading(cell)
        if not heading or column in used:
            continue
        unused = heading in known.NOT_KEPT or aliases.get(heading) == LEFT_OUT
        groups["private" if heading in known.PERSONAL else "unused" if unused else "unknown"].append(column)
    own = groups["unknown"] if keep_unknown else []
    for group, sentence in _NOTES:
        if groups[group] and groups[group] is not own:
            found.warn(at + 1, "、".join(_title(head[at][column]) for column in groups[group]), sentence + "。")

    def titled(which: Iterable[int]) -> list[tuple[str, int]]:
        return [(_title(head[at][column]), column) for column in which]

    return Headings(
        row=at + 1, known=tuple((title, used[column]) for title, column in titled(sorted(used))), own=tuple(titled(own)),
        unknown=() if keep_unknown else tuple(dict.fromkeys(title for title, _ in titled(groups["unknown"]))),
        private=tuple(groups["private"]),
    )  # fmt: skip


def _title(cell: Any) -> str:
    return " ".join(str(cell).split())


def fill_merged(sheet: Sheet) -> Sequence[Sequence[Cell]]:
    """The rows with every merged range filled from its corner; the rows themselves where nothing is merged."""
    if not sheet.merged:
        return sheet.rows
    rows: list[Any] = list(sheet.rows)
    for (top, left), (bottom, right) in sheet.merged:
        corner = rows[top][left] if top < len(rows) and left < len(rows[top]) else ""
        for at in range(top, min(bottom + 1, len(rows))):
            rows[at] = list(rows[at])
            for column in range(left, min(right + 1, len(rows[at]))):
                rows[at][column] = corner
    return rows

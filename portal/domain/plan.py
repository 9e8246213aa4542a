"""The annual plan (年度抽查工作计划表) as it comes in: every row kept, every cell read or named as not understood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from portal.domain import headings
from portal.domain.cells import Cell, Merged, Sheet, Suspicious, parse_lines, parse_text, row_is_empty
from portal.domain.errors import BadInput, Problem
from portal.domain.model import CheckItem
from portal.domain.plan_layout import Layout
from portal.domain.ratios import Amount, parse_amount, parse_drawn_by, parse_window
from portal.domain.tables import (
    LEFT_OUT, Aliases, Aside, Findings, Headings, MissingColumns, Table, fill_merged, find_headings, parse_table,
)  # fmt: skip

__all__ = ["ParsedPlan", "PlanRow", "match_items", "parse_plan"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One item of one row of a plan.

    `row` is the 1-based file row; a row that lists several items gives one PlanRow
    each (`part` 0, 1, ...), the later ones riding on the first. `kind`: general | key.
    `ratio_ppm`, `count` and `class_ratios` (A-D -> ppm) may all be given: nothing is
    decided here. `window`: first and last day. `drawn_by`: here | superior | external (and, at a city, below).
    `rides`: joins other tasks' visits (结合其他业务板块合并进行). `raw`: heading -> cell as written,
    merged cells filled, private columns left out; `joined`: headings whose cell is merged with
    that of the row above. `mode` (定向, 不定向), `method`, `risk`, `inspected_by`, `basis` are words only.
    """

    row: int
    number: str
    category: str
    item: str
    task: str = ""
    part: int = 0
    objects: str = ""
    kind: str = "general"
    ratio_text: str = ""
    ratio_ppm: int | None = None
    at_least: bool = False
    at_most: bool = False
    count: int | None = None
    times: int | None = None
    class_ratios: Mapping[str, int] = field(default_factory=dict)
    window_text: str = ""
    window: tuple[date, date] | None = None
    department: str = ""
    partners: str = ""
    drawn_by: str = "here"
    drawn_by_text: str = ""
    note: str = ""
    rides: bool = False
    mode: str = ""
    method: str = ""
    risk: str = ""
    inspected_by: str = ""
    basis: str = ""
    raw: Mapping[str, str] = field(default_factory=dict)
    joined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedPlan:
    """A plan as read. `problems` are cells not understood (their PlanRow holds None there) and things to settle.

    `notes`: title lines beside the title, remark rows (备注：...), in file order;
    `layout`: what the sheet has beside its rows, to write it again; `unread`: those of the problems
    that are cells not understood.
    """

    title: str
    year: int
    rows: tuple[PlanRow, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    headings: Headings = Headings()
    layout: Layout = Layout()
    aside: Aside = Aside()
    unread: tuple[Problem, ...] = ()


_RIDES = re.compile(r"结合.{0,12}(?:合并|一并|同步)|合并进行|一并进行|随.{0,8}任务.{0,4}(?:进行|开展)")
_NUMBERED = re.compile(r"^(?:\d+|[一二三四五六七八九十]+|[(（]\d+[)）])[、.．)）]?\s*(?=\D)")
_CLASSES = (("A", "class_a"), ("B", "class_b"), ("C", "class_c"), ("D", "class_d"))


def parse_plan(sheet: Sheet, year: int | None = None, aliases: Aliases | None = None) -> ParsedPlan:
    """A plan sheet -> ParsedPlan; `year` is only needed where neither title nor dates say it.

    BadInput where there is no table of items at all, no year, or where characters reorder text.
    Cells that cannot be read never lose their row: the problem names row and column, `raw` keeps the words.
    """
    filled = fill_merged(sheet)
    at, columns = find_headings(filled, headings.PLAN, aliases)
    table = parse_table(filled, headings.PLAN, (), "计划表", aliases)
    if at < 0 or not ("item" in columns or "task" in columns):
        raise MissingColumns("计划表中找不到“抽查事项”列。请检查表头（应在前 15 行内）后重新上传。", table.headings, ["抽查事项"])
    over = [_written(row, line) for line, row in enumerate(sheet.rows[: at + 1], 1)]
    above = [text for row in over[:-1] for cell in row if (text := " ".join(cell.split("\n")))]
    title = next((text for text in above if "计划" in text), above[0] if above else sheet.name)
    written = _year_in([title])
    if year and written and written != year:
        line = next((n for n, row in enumerate(over, 1) if title in (" ".join(cell.split("\n")) for cell in row)), 0)  # 0: the sheet's own name
        table.findings.warn(line, "标题", f"标题写的是 {written} 年，按填写的计划年度 {year} 年导入。请核对。")
    year = year or _year_of([title, *above, sheet.name, *(cell if isinstance(cell, str) else parse_text(cell) for row in sheet.rows[at + 1 :] for cell in row)])
    notes = [text for text in dict.fromkeys(above) if text != title]
    named = _columns(table, sheet.rows[at], filled[at])
    rows: list[PlanRow] = []
    tails = 0  # rows that are filled by a merged range alone
    for line, row in table.body:
        if row_is_empty(sheet.rows[line - 1]):
            tails += 1
        else:
            rows.extend(_rows(table, line, row, year, _raw(table, named, line, row), _joined(sheet, named, at, line)))
    below = [(line, _written(sheet.rows[line - 1], line)) for line, _ in table.remarks]
    notes += [text for _, cells in below if (text := " ".join(text for cell in cells for text in cell.split("\n") if text))]
    if not rows:
        raise BadInput("计划表只有表头，没有任务行。")
    if sheet.kind == "csv":  # a CSV has lost its merged cells: an empty category goes on from the row above
        rows = _carried_on(rows, next((key for key, of in named if of == "category"), ""))
    riding = _riding_lines(sheet, columns.get("ratio", ()), rows)
    rows = [replace(one, rides=True) if one.row in riding else one for one in rows]
    for one in rows:
        if one.part == 0 and not one.rides and not one.ratio_text and one.count is None and not one.class_ratios:
            table.findings.warn(one.row, table.heading("ratio"), "没有写比例或户数，冻结名单前请补上。")
    problems = sorted((*table.findings.errors, *table.findings.warnings), key=lambda problem: problem.row)
    layout = Layout(
        sheet.name or "计划表", tuple(over[:-1]), over[-1], named, tuple((line, cells) for line, cells in below if any(cells)), _merged_aside(sheet, at, {row.row for row in rows}),
    )
    aside = replace(table.aside, blank=table.blank + tails)
    return ParsedPlan(title, year, tuple(rows), tuple(problems), tuple(notes), table.headings, layout, aside, tuple(table.findings.errors))


def _rows(
    table: Table, line: int, row: Sequence[Cell], year: int, raw: Mapping[str, str], joined: tuple[str, ...]
) -> list[PlanRow]:
    found = table.findings
    task = table.text(line, row, "task")
    listed = table.value(line, row, "item", _parse_items) or ()
    if not listed:
        if table.has("item"):
            found.error(line, table.heading("item"), "没有填写抽查事项，不能据此下达任务。")
        listed = (task,)
    amount = _read(table, line, row, "ratio", parse_amount) or Amount(table.text(line, row, "ratio"))
    count = amount.count
    if table.has("count"):
        count = _read(table, line, row, "count", _parse_count) or count
    times = amount.times or _read(table, line, row, "frequency", _parse_times)
    classes = {name: got.ppm for name, key in _CLASSES if (got := _read(table, line, row, key, _parse_share)) and got.ppm is not None}
    _note_disagreement(found, table, line, amount.ppm, count, classes)
    drawn_by_text = table.text(line, row, "drawn_by")
    drawn_by = parse_drawn_by(drawn_by_text)
    if drawn_by == "external":
        found.warn(line, table.heading("drawn_by"), f"“{drawn_by_text}”不是本级或上级抽取，按外部抽取处理，名单须导入。")
    note = table.text(line, row, "note")
    first = PlanRow(
        row=line, number=table.text(line, row, "number"), category=table.text(line, row, "category"), item=listed[0],
        task=task, objects=table.text(line, row, "objects"),
        kind="key" if "重点" in table.text(line, row, "kind") else "general",
        ratio_text=amount.text, ratio_ppm=amount.ppm, at_least=amount.at_least, at_most=amount.at_most,
        count=count, times=times, class_ratios=classes,
        window_text=table.text(line, row, "window"),
        window=_read(table, line, row, "window", lambda cell: parse_window(cell, year)),
        department=table.text(line, row, "department"), partners=table.text(line, row, "partners"),
        drawn_by=drawn_by, drawn_by_text=drawn_by_text, note=note, rides=_RIDES.search(note) is not None,
        mode=table.text(line, row, "mode"), method=table.text(line, row, "method"), risk=table.text(line, row, "risk"),
        inspected_by=table.text(line, row, "inspected_by"), basis=table.text(line, row, "basis"), raw=raw, joined=joined,
    )  # fmt: skip
    return [first, *(replace(first, part=part, item=item, rides=True) for part, item in enumerate(listed[1:], 1))]


def _read(table: Table, line: int, row: Sequence[Cell], name: str, parse: Callable[[Cell], T]) -> T | None:
    return table.value(line, row, name, parse) if table.has(name) else None


def _parse_items(cell: Cell) -> tuple[str, ...]:
    parts = [part for line in parse_lines(cell).split("\n") for part in re.split(r"[；;]", line)]
    return tuple(dict.fromkeys(text for part in parts if (text := _NUMBERED.sub("", part.strip()).strip("。 "))))


def _parse_share(cell: Cell) -> Amount:
    amount = parse_amount(cell)
    if amount.text and amount.ppm is None:
        raise ValueError(f"“{amount.text}”不是比例。分类抽查请写比例，例如“3%”。")
    return amount


def _parse_count(cell: Cell) -> int | None:
    match = re.fullmatch(r"约?(\d+)(?:户次|户|家|个|所|台|批次|批)?", parse_text(cell))
    if match:
        return int(match[1])
    if parse_text(cell):
        raise ValueError(f"看不懂“{parse_text(cell)}”。请写成“50户”。")
    return None


def _parse_times(cell: Cell) -> int | None:
    match = re.search(r"\d+", parse_text(cell))
    return int(match[0]) if match else None


def _note_disagreement(
    found: Findings, table: Table, line: int, ppm: int | None, count: int | None, classes: Mapping[str, int]
) -> None:
    if count is None or (ppm is None and not classes):
        return
    other = "比例" if ppm is not None and not classes else "分类比例" if ppm is None else "比例和分类比例"
    found.warn(line, table.heading("ratio"), f"同时写了{count}户和{other}，两者可能不一致。冻结名单前请选定一种。")


# Merged cells, year ---------------------------------------------------------------


def _carried_on(rows: Sequence[PlanRow], heading: str) -> list[PlanRow]:
    carried: list[PlanRow] = []
    for one in rows:
        if carried and not one.category and (category := carried[-1].category):
            one = replace(one, category=category, raw={**one.raw, heading: category})
        carried.append(one)
    return carried


def _riding_lines(sheet: Sheet, ratio_columns: Sequence[int], rows: Sequence[PlanRow]) -> set[int]:
    """File rows whose ratio cell is merged with that of a riding row: one ratio for both, so both ride."""
    riding = {one.row for one in rows if one.rides and one.part == 0}
    joined = set()
    for (top, left), (bottom, right) in sheet.merged:
        lines = set(range(top + 1, bottom + 2))
        if any(left <= column <= right for column in ratio_columns) and lines & riding:
            joined |= lines - riding
    return joined


def _columns(table: Table, heads: Sequence[Cell], filled: Sequence[Cell]) -> tuple[tuple[str, str], ...]:
    """(key, field) of each column: its heading, made unique; the field "" where it is kept under its heading, "-" for private ones."""
    fields = {column: name for name, where in table.columns.items() for column in where}
    found: dict[str, str] = {}
    for column, (head, full) in enumerate(zip(heads, filled)):
        key = parse_text(head) or parse_text(full) or f"第 {column + 1} 列"
        if key in found:
            key = f"{key}（第 {column + 1} 列）"
        found[key] = LEFT_OUT if column in table.headings.private else fields.get(column, "")
    return tuple(found.items())


def _raw(table: Table, named: Sequence[tuple[str, str]], line: int, row: Sequence[Cell]) -> dict[str, str]:
    found = {}
    for (key, name), cell in zip(named, row):
        if cell != "" and name != LEFT_OUT:
            try:
                found[key] = parse_amount(cell).text if name in _SHARES and isinstance(cell, float) else parse_lines(cell)
            except Suspicious as wrong:
                if not name:  # the others are named where they are read
                    table.findings.error(line, key, str(wrong))
            except ValueError:
                found[key] = parse_lines(cell)
    return found


def _written(row: Sequence[Cell], line: int) -> tuple[str, ...]:
    """A title, heading or remark row as written. BadInput where something in it reorders what people read."""
    try:
        return tuple(map(parse_lines, row))
    except Suspicious as wrong:
        raise BadInput(f"计划表第 {line} 行{wrong}") from None


_SHARES = frozenset({"ratio", *(key for _, key in _CLASSES)})


def _joined(sheet: Sheet, named: Sequence[tuple[str, str]], at: int, line: int) -> tuple[str, ...]:
    """Keys of the cells of a file row that are merged with those above; `at`: 0-based row of the headings."""
    columns = {
        column for (top, left), (bottom, right) in sheet.merged if at < top < line - 1 <= bottom for column in range(left, right + 1)
    }
    return tuple(named[column][0] for column in sorted(columns) if column < len(named))


def _merged_aside(sheet: Sheet, at: int, lines: Collection[int]) -> tuple[Merged, ...]:
    """The merged ranges of titles, headings and remarks."""
    return tuple(one for one in sheet.merged if one[0][0] <= at or one[0][0] + 1 not in lines)


def _year_of(texts: Sequence[str]) -> int:
    year = _year_in(texts)
    if year is None:
        raise BadInput("看不出这是哪一年的计划。请在标题中写明年份，例如“2026年度抽查工作计划表”。")
    return year


def _year_in(texts: Sequence[str]) -> int | None:
    for pattern in (r"(20\d\d)\s*年", r"(?<!\d)(20\d\d)[.\-/]\d"):
        for text in texts:
            match = re.search(pattern, text)
            if match:
                return int(match[1])
    return None


# Items ----------------------------------------------------------------------------


def match_items(rows: Sequence[PlanRow], items: Sequence[CheckItem]) -> list[tuple[PlanRow, str | None]]:
    """Each row with the code of the item it names, or None (待模块).

    By exact name, then alias, then either with punctuation aside; never by likeness.
    Where several items answer at one step, the row's 抽查类别 decides, else nobody.
    """
    ordered = sorted(items, key=lambda item: (item.code, item.version))
    steps: list[tuple[Callable[[str], str], Callable[[CheckItem], Sequence[str]]]] = [
        (str.strip, lambda item: (item.name,)),
        (str.strip, lambda item: item.aliases),
        (_bare, lambda item: (item.name, *item.aliases)),
    ]
    tables: list[dict[str, list[CheckItem]]] = []
    for spell, names in steps:
        table: dict[str, list[CheckItem]] = {}
        for item in ordered:
            for name in dict.fromkeys(map(spell, names(item))):
                table.setdefault(name, []).append(item)
        tables.append(table)
    return [(row, _match(row, steps, tables)) for row in rows]


def _match(row: PlanRow, steps: Sequence[tuple], tables: Sequence[Mapping[str, list[CheckItem]]]) -> str | None:
    for (spell, _), table in zip(steps, tables):
        found = table.get(spell(row.item), [])
        codes = {item.code for item in found}
        if len(codes) > 1:
            codes = {item.code for item in found if _bare(item.category) == _bare(row.category)}
        if len(codes) == 1:
            return codes.pop()
        if found:
            return None
    return None


def _bare(text: str) -> str:
    """The text without blanks and punctuation, full width or half: 营业执照（登记证）… equals 营业执照(登记证)…."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if unicodedata.category(c)[0] not in "PZS").lower()

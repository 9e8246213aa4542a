"""The sheet of an annual plan: the layout it came in, and its rows laid out again in that layout or another.

A layout is what a bureau's plan table has beside its rows: title lines, headings in
their order, remark rows, merged cells.  `lay_out` puts rows into it so that importing
the result gives the same plan; nothing a row says is left out, whatever the layout has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portal.domain import headings
from portal.domain.cells import Cell, Merged, Sheet, plain_heading
from portal.domain.tables import is_remark, usual_heading

__all__ = ["HOUSE", "LaidRow", "Layout", "fields_of", "in_layout", "lay_out", "laid_rows", "layout_data", "parse_layout", "renumbered", "share", "titled", "with_fields"]


@dataclass(frozen=True, slots=True)
class Layout:
    """All of a plan sheet but its rows.

    `above`: the rows over the headings, as written; `heads`: the row of headings, as written;
    `columns`: (key, field) a column, the key being what the rows' cells are kept under, the
    field one of headings.PLAN or "" where the column is kept under its own heading;
    `remarks`: (1-based file row, cells); `merged`: 0-based, as in Sheet, without those among the rows.
    """

    name: str = ""
    above: tuple[tuple[str, ...], ...] = ()
    heads: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    remarks: tuple[tuple[int, tuple[str, ...]], ...] = ()
    merged: tuple[Merged, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key, _ in self.columns)

    @property
    def first(self) -> int:
        """The 1-based file row of the first row below the headings."""
        return len(self.above) + 2

    def key_of(self, name: str) -> str | None:
        """The (first) column of a field."""
        return next((key for key, of in self.columns if of == name), None)


@dataclass(frozen=True, slots=True)
class LaidRow:
    """A row of the sheet: `line` 1-based; `cells`: key -> text, merged cells filled;
    `joined`: keys whose cell is merged with that of the row above."""

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    joined: frozenset[str] = frozenset()


def layout_data(layout: Layout) -> dict[str, Any]:
    """As plain JSON values; `parse_layout` reads it."""
    return {
        "name": layout.name, "above": [list(row) for row in layout.above], "heads": list(layout.heads),
        "columns": [list(column) for column in layout.columns], "remarks": [[line, list(row)] for line, row in layout.remarks],
        "merged": [[list(corner) for corner in one] for one in layout.merged],
    }  # fmt: skip


def parse_layout(data: Mapping[str, Any]) -> Layout | None:
    """What `layout_data` gave; None for {} (plans imported before layouts were kept)."""
    if not data:
        return None
    return Layout(
        data["name"], tuple(map(tuple, data["above"])), tuple(data["heads"]), tuple((key, of) for key, of in data["columns"]),
        tuple((line, tuple(row)) for line, row in data["remarks"]),
        tuple(((top, left), (bottom, right)) for (top, left), (bottom, right) in data["merged"]),
    )


# The layouts bureaus publish ----------------------------------------------------------


def _house(name: str, fields: str, heads: str) -> Layout:
    columns = tuple(zip(heads.split(), fields.split(), strict=True))
    keys = tuple(key for key, _ in columns)
    return Layout(name, (("",) * len(keys),), keys, columns, (), (((0, 0), (0, len(keys) - 1)),))


#: code -> layout without a title (`titled` gives it one); sources: the collected plans of Jinjiang, Changzhi and a county
HOUSE: Mapping[str, Layout] = {
    "work": _house(
        "计划表", "number category item objects kind ratio class_a class_b class_c class_d window department drawn_by note",
        "序号 抽查类别 抽查事项 检查对象 事项类别 抽查比例 A类 B类 C类 D类 实施时间 责任科室 抽取方式 备注",
    ),
    "joint": _house(
        "计划表", "number task item objects ratio risk window department partners drawn_by",
        "序号 抽查任务名称 抽查事项 抽查对象范围 抽查比例及频次 智慧监管(信用风险分类)要求 抽查检查起止时间 发起部门 配合部门 抽查检查模式",
    ),
    "county": _house(
        "计划表", "number task mode objects department partners ratio method window item",
        "抽查计划编号 任务名称 抽查类型 抽查对象 发起部门 参与部门 抽查比例(数量) 检查方式 起止时间 抽查事项",
    ),
}


def titled(layout: Layout, title: str, notes: Sequence[str] = ()) -> Layout:
    """A house layout under a title. Remarks (备注：...) go below rows that are still to come (line 0), other notes above the headings."""
    above = [(title, *layout.above[0][1:])]
    above += [(note, *[""] * (len(layout.keys) - 1)) for note in notes if not is_remark([note])]
    below = tuple((0, (note, *[""] * (len(layout.keys) - 1))) for note in notes if is_remark([note]))
    return replace(layout, above=tuple(above), remarks=below)


# Rows ---------------------------------------------------------------------------------

_KIND = {"key": "重点检查事项", "general": "一般检查事项"}
_DRAWN_BY = {"here": "本级抽取", "superior": "上级统一抽取", "external": "其他平台抽取"}
_PLAIN = (
    ("number", "number"), ("task", "task"), ("category", "category"), ("objects", "objects"), ("mode", "mode"), ("risk", "risk"),
    ("window", "window_text"), ("department", "department"), ("partners", "partners"), ("method", "method"),
    ("inspected_by", "inspected_by"), ("basis", "basis"), ("note", "note"),
)  # fmt: skip


def laid_rows(rows: Sequence[Mapping[str, Any]], layout: Layout, *, guessed: bool = False) -> tuple[Layout, list[LaidRow]]:
    """Rows of a plan (PlanRow as JSON values, `items` their items) with the layout they are kept in, extended where they say more.

    A row without the cells of a file is written from what it means. `guessed`: the layout is not
    the one the rows came in: their cells are put under its headings by field.
    """
    found = [LaidRow(row["row"], *_cells(row, layout, guessed)) for row in rows]
    known = set(layout.keys)
    extra = dict.fromkeys(key for row in found for key in row.cells if key not in known)
    return _extended(layout, [(key, _field_of(key)) for key in extra]), found


def _cells(row: Mapping[str, Any], layout: Layout, guessed: bool) -> tuple[dict[str, str], frozenset[str]]:
    raw = row.get("raw") or {}
    if not raw:
        return {layout.key_of(name) or usual_heading(headings.PLAN, name): text for name, text in fields_of(row).items()}, frozenset()
    if not guessed:
        return dict(raw), frozenset(row.get("joined", ()))
    # From before layouts were kept: the headings are known, their order and merged cells are not.
    cells: dict[str, str] = {}
    for heading, text in raw.items():
        name = _field_of(heading)
        cells.setdefault(layout.key_of(name) or heading if name else heading, text)
    if row.get("category") and (key := layout.key_of("category")):
        cells.setdefault(key, row["category"])
    if row.get("ratio_text") and (key := layout.key_of("ratio")):
        cells.setdefault(key, row["ratio_text"])
    return cells, frozenset()


def _field_of(heading: str) -> str:
    plain = plain_heading(heading)
    return next((name for name, wordings in headings.PLAN.items() if plain in wordings.split()), "")


def fields_of(row: Mapping[str, Any]) -> dict[str, str]:
    """field -> the words a planner would write for it, of a row given by its meaning (PlanRow as JSON values); empty ones left out."""
    items = row.get("items") or [row["item"]]
    found = {name: row.get(value) or "" for name, value in _PLAIN}
    found["item"] = "\n".join(f"{n}、{item}" for n, item in enumerate(items, 1)) if len(items) > 1 else items[0]
    found["kind"] = _KIND[row["kind"]]
    found["ratio"] = row.get("ratio_text") or (share(row["ratio_ppm"]) if row.get("ratio_ppm") is not None else "")
    found["count"] = f"{row['count']}户" if row.get("count") is not None and f"{row['count']}" not in found["ratio"] else ""
    found["frequency"] = f"{row['times']}次" if row.get("times") and f"{row['times']}次" not in found["ratio"] else ""
    found |= {f"class_{name.lower()}": share(ppm) for name, ppm in (row.get("class_ratios") or {}).items()}
    if not found["window"] and row.get("window"):
        found["window"] = "-".join(day.replace("-", ".") for day in row["window"])
    found["drawn_by"] = row.get("drawn_by_text") or _DRAWN_BY[row.get("drawn_by", "here")]
    return {name: text for name, text in found.items() if text}


def share(ppm: int) -> str:
    """35000 -> 3.5%, exactly."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"


# Into another layout ------------------------------------------------------------------


def in_layout(layout: Layout, rows: Sequence[LaidRow], wanted: Layout) -> tuple[Layout, list[LaidRow]]:
    """The rows under other headings: by field; what the other layout has no column for gets one at its end."""
    missing = [(key, of) for key, of in layout.columns if not of or wanted.key_of(of) is None]
    filled = {key for row in rows for key, text in row.cells.items() if text}
    taken = set(wanted.keys)
    extra: list[tuple[str, str]] = []
    names: dict[str, str] = {}
    for key, of in missing:
        if key in filled:
            name = usual_heading(headings.PLAN, of) if of else key
            names[key] = name if name not in taken else key
            taken.add(names[key])
            extra.append((names[key], of))
    target = _extended(wanted, extra)
    moves = {key: names.get(key) or wanted.key_of(of) for key, of in layout.columns if key in names or (of and wanted.key_of(of))}
    moved = []
    for row in rows:
        cells: dict[str, str] = {}
        for key, _ in layout.columns:  # in the order of columns: of several for one field, the first filled counts
            if row.cells.get(key) and (to := moves.get(key)):
                cells.setdefault(to, row.cells[key])
        moved.append(replace(row, cells=cells, joined=frozenset(to for key in row.joined if (to := moves.get(key)))))
    return target, moved


def with_fields(layout: Layout, names: Sequence[str]) -> Layout:
    """The layout with a column for each of these fields, under its usual heading where it had none."""
    return _extended(layout, [(usual_heading(headings.PLAN, name), name) for name in names if layout.key_of(name) is None])


def _extended(layout: Layout, extra: Sequence[tuple[str, str]]) -> Layout:
    if not extra:
        return layout
    last = len(layout.columns) - 1
    # A title or remark merged over the whole width goes on over the new columns.
    merged = tuple((start, (bottom, right + len(extra) if right == last and start[1] == 0 else right)) for start, (bottom, right) in layout.merged)
    heads = (*layout.heads, *[""] * (len(layout.columns) - len(layout.heads)), *(key for key, _ in extra))
    return replace(layout, heads=heads, columns=(*layout.columns, *extra), merged=merged)


# The sheet ----------------------------------------------------------------------------

_NUMBERS = frozenset({"number"})


def renumbered(layout: Layout, rows: Sequence[LaidRow]) -> tuple[Layout, list[LaidRow]]:
    """Rows one below the other from the first line on, remarks after an empty line below them."""
    moved = [replace(row, line=layout.first + n) for n, row in enumerate(rows)]
    start = layout.first + len(moved) + 1
    lines = {line: start + n for n, (line, _) in enumerate(layout.remarks) if line}
    remarks = tuple((start + n, cells) for n, (_, cells) in enumerate(layout.remarks))
    merged = [one for one in layout.merged if one[0][0] < layout.first - 1]
    for (top, left), (bottom, right) in layout.merged:
        if top + 1 in lines:
            to = lines[top + 1] - 1
            merged.append(((to, left), (to + bottom - top, right)))
    return replace(layout, remarks=remarks, merged=tuple(merged)), moved


def lay_out(layout: Layout, rows: Sequence[LaidRow]) -> Sheet:
    """The sheet of these rows, in the order of their lines; same rows, same sheet."""
    if any(not line for line, _ in layout.remarks):
        layout, rows = renumbered(layout, rows)
    width = len(layout.columns)
    made: dict[int, list[Cell]] = {n: _padded(row, width) for n, row in enumerate((*layout.above, layout.heads), 1)}
    made |= {line: _padded(row, width) for line, row in layout.remarks}
    merged = list(layout.merged)
    runs: dict[int, int] = {}  # column -> line its merged cell began at
    ordered = sorted(rows, key=lambda row: row.line)
    before = -1
    for row in ordered:
        made[row.line] = [_cell(row.cells.get(key, ""), of) for key, of in layout.columns]
        for column, (key, _) in enumerate(layout.columns):
            if key in row.joined and before == row.line - 1:
                runs.setdefault(column, before)
                made[row.line][column] = ""
            elif column in runs:
                merged.append(((runs.pop(column) - 1, column), (before - 1, column)))
        before = row.line
    merged += [((start - 1, column), (before - 1, column)) for column, start in runs.items()]
    last = max(made)
    return Sheet(tuple(tuple(made.get(line, [""] * width)) for line in range(1, last + 1)), tuple(sorted(merged)), layout.name)


def _padded(row: Sequence[str], width: int) -> list[Cell]:
    return [*row, *[""] * (width - len(row))]


def _cell(text: str, name: str) -> Cell:
    # 1, 2, 3 in the number column are numbers in every file seen; a code of 13 digits is text.
    if name in _NUMBERS and text.isascii() and text.isdigit() and len(text) <= 5 and str(int(text)) == text:
        return int(text)
    return text

"""A plan being written: the rows of a version, changed cell by cell, with everything still wrong named by row and field.

A draft is a sheet in the making.  It is read by the same parser as a file, so what was
typed and what was imported mean the same, and its export is the official file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from portal.domain import headings
from portal.domain.cells import Sheet, Suspicious, parse_lines, plain_heading
from portal.domain.errors import BadInput, NotFound, Problem, WrongMoment
from portal.domain.plan import ParsedPlan, PlanRow
from portal.domain.plan_layout import HOUSE, LaidRow, Layout, lay_out, layout_data, parse_layout, renumbered, share, titled, with_fields
from portal.domain.tables import LEFT_OUT, usual_heading

__all__ = [
    "Draft", "DraftRow", "FIELDS", "Found", "add_row", "aliases_of", "change_row", "check_rows", "draft_data", "draft_of", "joined_of", "new_draft",
    "parse_draft", "restore_row", "settle_row", "sheet_of", "titles_of", "values_of", "withdraw_row",
]  # fmt: skip

#: what a planner fills in of a row, in the order of the form
FIELDS = (
    "number", "task", "category", "item", "objects", "kind", "mode", "ratio", "count", "frequency", "class_a", "class_b", "class_c",
    "class_d", "window", "department", "partners", "drawn_by", "inspected_by", "method", "risk", "basis", "note",
)  # fmt: skip
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class DraftRow:
    """`id` stays the same while the row is edited; `cells` as in LaidRow; `before`: cells in the version it comes from,
    None for a row that is new; `line`: its file row there (0: new); `gone`: withdrawn."""

    id: int
    cells: Mapping[str, str]
    joined: frozenset[str] = frozenset()
    before: Mapping[str, str] | None = None
    line: int = 0
    gone: bool = False

    @property
    def state(self) -> str:
        """gone | new | changed | "" (as it was)."""
        return "gone" if self.gone else "new" if self.before is None else "changed" if dict(self.cells) != dict(self.before) else ""


@dataclass(frozen=True, slots=True)
class Draft:
    title: str
    layout: Layout
    rows: tuple[DraftRow, ...]
    next: int = 1

    @property
    def changed(self) -> bool:
        return any(row.state for row in self.rows)

    def row(self, id: int) -> DraftRow:
        found = next((row for row in self.rows if row.id == id), None)
        if found is None:
            raise NotFound("修改稿中没有这一行，可能已被撤下。请回到修改稿查看。")
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """Something to settle: `row` the id of a DraftRow (0: the whole plan), `field` of FIELDS or "";
    `blocks`: no version can be made of the draft before it is settled."""

    row: int
    field: str
    message: str
    blocks: bool


def draft_of(title: str, layout: Layout, rows: Sequence[LaidRow]) -> Draft:
    """A version of a plan, ready to be changed."""
    made = tuple(DraftRow(n, dict(row.cells), row.joined, dict(row.cells), row.line) for n, row in enumerate(rows, 1))
    return Draft(title, layout, made, len(made) + 1)


def new_draft(title: str) -> Draft:
    """A plan from nothing, in the first house layout."""
    return Draft(title, titled(HOUSE["work"], title), ())


def draft_data(draft: Draft) -> dict[str, Any]:
    """As plain JSON values; `parse_draft` reads it."""
    return {
        "title": draft.title, "layout": layout_data(draft.layout), "next": draft.next,
        "rows": [
            {"id": row.id, "cells": dict(row.cells), "joined": sorted(row.joined), "before": dict(row.before) if row.before is not None else None,
             "line": row.line, "gone": row.gone}
            for row in draft.rows
        ],
    }  # fmt: skip


def parse_draft(data: Mapping[str, Any]) -> Draft:
    rows = tuple(
        DraftRow(row["id"], row["cells"], frozenset(row["joined"]), row["before"], row["line"], row["gone"]) for row in data["rows"]
    )
    return Draft(data["title"], parse_layout(data["layout"]) or HOUSE["work"], rows, data["next"])


# Changing -----------------------------------------------------------------------------


def values_of(draft: Draft, row: DraftRow) -> dict[str, str]:
    """field -> text of a row: of several columns for one field the first filled counts."""
    found: dict[str, str] = {}
    for key, name in draft.layout.columns:
        if name and name != LEFT_OUT and (text := row.cells.get(key, "")):
            found.setdefault(name, text)
    return found


def add_row(draft: Draft, values: Mapping[str, str]) -> Draft:
    """With a row more at the end. BadInput for one that says nothing, or beyond MOST_ROWS."""
    if not any(text.strip() for text in values.values()):
        raise BadInput("这一行什么也没有填。请至少填写抽查事项。")
    if len(draft.rows) >= MOST_ROWS:
        raise BadInput(f"一份计划最多 {MOST_ROWS} 行。")
    empty = DraftRow(draft.next, {})
    return change_row(replace(draft, rows=(*draft.rows, empty), next=draft.next + 1), empty.id, values)


def change_row(draft: Draft, id: int, values: Mapping[str, str]) -> Draft:
    """With other words in a row; `values`: field -> text, fields left out stay.

    Merged cells are one cell: changing the uppermost changes those below, changing another one parts it from those above
    (for as long as they differ).
    """
    row = draft.row(id)
    if row.gone:
        raise WrongMoment("这一行已经撤下。请先恢复，再修改。")
    before = values_of(draft, row)
    wanted = {name: _line(name, text) for name, text in values.items()}
    changed = {name: text for name, text in wanted.items() if text != before.get(name, "")}
    layout = with_fields(draft.layout, [name for name in FIELDS if changed.get(name)])
    joined = joined_of(draft.rows)
    cells = dict(row.cells)
    below: dict[str, str] = {}
    for name, text in changed.items():
        columns = [key for key, of in layout.columns if of == name]
        for key in columns:
            cells.pop(key, None)
            if key not in joined[id]:
                below[key] = text if key == columns[0] else ""
        if columns and text:
            cells[columns[0]] = text
    rows = []
    following: set[str] = set()
    for one in draft.rows:
        following = set(below) if one.id == id else following & joined[one.id]
        if one.id == id:
            one = replace(one, cells=cells)
        elif following:
            kept = {**one.cells, **{key: below[key] for key in following}}
            one = replace(one, cells={key: text for key, text in kept.items() if text})
        rows.append(one)
    return replace(draft, layout=layout, rows=tuple(rows))


def settle_row(draft: Draft, id: int, row: PlanRow, keep: str) -> Draft:
    """With one of ratio and count given up; `row`: how the row was read; `keep`: ratio | count."""
    if row.ratio_ppm is None or row.count is None or keep not in ("ratio", "count"):
        raise WrongMoment("这一行已经只有一种抽取数量，不需要再选。")
    bound = "不低于" if row.at_least else "不超过" if row.at_most else ""
    times = f"，{row.times}次" if row.times and not values_of(draft, draft.row(id)).get("frequency") else ""
    return change_row(draft, id, {"ratio": f"{bound}{share(row.ratio_ppm)}{times}" if keep == "ratio" else f"{row.count}户{times}", "count": ""})


def _line(name: str, text: str) -> str:
    try:
        return parse_lines(text)
    except Suspicious as wrong:
        raise BadInput("有内容不能接收。", [Problem(name, str(wrong))]) from None


def joined_of(rows: Sequence[DraftRow]) -> dict[int, frozenset[str]]:
    """id -> keys whose cell is still merged with that of the row above: both are there and say the same."""
    found: dict[int, frozenset[str]] = {}
    above: DraftRow | None = None
    through: frozenset[str] | None = None  # of withdrawn rows between: the keys merged right through them
    for row in rows:
        reach = row.joined if through is None else row.joined & through
        same = frozenset(key for key in reach if above is not None and above.cells.get(key, "") == row.cells.get(key, ""))
        found[row.id] = same
        if row.gone:
            through = row.joined if through is None else through & row.joined
        else:
            above, through = row, None
    return found


def withdraw_row(draft: Draft, id: int) -> Draft:
    """Without a row: one that was there is marked, so that it can come back; a new one goes."""
    row = draft.row(id)
    if row.before is None:
        return replace(draft, rows=tuple(one for one in draft.rows if one.id != id))
    return replace(draft, rows=tuple(replace(one, gone=True) if one.id == id else one for one in draft.rows))


def restore_row(draft: Draft, id: int) -> Draft:
    """With a row as it was in the version it comes from. BadInput for a new one: it never was."""
    row = draft.row(id)
    if row.before is None:
        raise BadInput("这一行是新加的，没有原来的内容可以恢复。不要它的话，请撤下。")
    return replace(draft, rows=tuple(replace(one, gone=False, cells=dict(row.before)) if one.id == id else one for one in draft.rows))


# The sheet ----------------------------------------------------------------------------


def sheet_of(draft: Draft) -> tuple[Sheet, dict[int, int]]:
    """(the draft as a sheet, file row -> id of its row). BadInput where no row is left."""
    joined = joined_of(draft.rows)
    left = [row for row in draft.rows if not row.gone]
    kept = [LaidRow(0, row.cells, joined[row.id]) for row in left]
    if not kept:
        raise BadInput("计划中一行也没有。请先加一行。")
    layout, rows = renumbered(draft.layout, kept)
    return lay_out(layout, rows), {row.line: one.id for row, one in zip(rows, left, strict=True)}


def aliases_of(layout: Layout) -> dict[str, str]:
    """plain heading -> field as this layout has it: headings a bureau pointed out itself are read again as then."""
    return {plain_heading(key): name or LEFT_OUT for key, name in layout.columns if plain_heading(key) not in _KNOWN}


_KNOWN = frozenset(wording for wordings in headings.PLAN.values() for wording in wordings.split())


def titles_of(layout: Layout) -> dict[str, str]:
    """field -> its heading in this layout, the usual one where it has none."""
    return {name: layout.key_of(name) or usual_heading(headings.PLAN, name) for name in FIELDS}


# What is still to settle --------------------------------------------------------------

_PARTS = re.compile(r"[、，,；;\s]+")


def check_rows(
    draft: Draft, plan: ParsedPlan, ids: Mapping[int, int], today: date, *,
    known: Collection[tuple[int, int]], departments: Collection[str], fixed: Collection[int], ruled: Collection[int] = (),
) -> list[Found]:  # fmt: skip
    """Everything to settle in a draft, by row.

    `plan`: what `sheet_of(draft)` was read as, `ids` its rows; `known`: (line, part) of the items
    that somebody serves; `departments`: the names in use here; `fixed`: ids of rows whose task has
    begun (their window may be over); `ruled`: file rows whose ratios the jurisdiction's rules give.  What only concerns rows as they were is not brought up again.
    """
    found: list[Found] = []
    titles = {" ".join(key.split()): name for key, name in draft.layout.columns if name}
    titles |= {usual_heading(headings.PLAN, name): name for name in FIELDS if usual_heading(headings.PLAN, name) not in titles}
    new = {row.id for row in draft.rows if row.state in ("new", "changed")}
    unread = {(problem.row, problem.field) for problem in plan.unread}
    for problem in plan.problems:
        id, name = ids.get(problem.row, 0), titles.get(problem.field, "")
        wrong = (problem.row, problem.field) in unread
        if id and (wrong or name != "ratio"):  # of ratio and count more is said below
            found.append(Found(id, name, problem.message, wrong))
    numbers: dict[str, PlanRow] = {}
    not_read = {(ids.get(line, 0), titles.get(title, "")) for line, title in unread}
    for row in plan.rows:
        id = ids[row.row]
        served = (row.row, row.part) in known
        if not served and id in new and row.item:
            found.append(Found(id, "item", f"“{row.item}”不在事项清单中，这一行将标为待模块，不能抽取。请核对名称，或在“从清单加一个事项”中选择。", False))
        if row.part:
            continue
        if row.number and (first := numbers.setdefault(row.number, row)) is not row:
            found.append(Found(id, "number", f"序号“{row.number}”与“{first.task or first.item}”重复。请改成没有用过的序号。", True))
        found += [Found(id, name, message, blocks) for name, message, blocks in _amount(row, served and row.row not in ruled, (id, "ratio") in not_read)]
        if (id, "window") not in not_read:
            found += [Found(id, "window", message, blocks) for message, blocks in _window(row, plan.year, today, served, id in fixed)]
        if id in new:
            found += [Found(id, name, message, False) for name, message in _words(row, departments)]
    order = {row.id: n for n, row in enumerate(draft.rows)}
    fields = {name: n for n, name in enumerate(FIELDS)}
    return sorted(dict.fromkeys(found), key=lambda one: (order.get(one.row, -1), not one.blocks, fields.get(one.field, -1)))


def _amount(row: PlanRow, asked: bool, unread: bool) -> list[tuple[str, str, bool]]:
    """(field, message, blocks) about how many; `asked`: whether the row must say it, `unread`: it did, and nobody understood it."""
    found: list[tuple[str, str, bool]] = []
    here = row.drawn_by == "here" and not row.rides
    ratio = share(row.ratio_ppm) if row.ratio_ppm is not None else ""
    if ratio and row.count is not None:
        found.append(("ratio", f"同时写了比例 {ratio} 和 {row.count} 户，两者可能不一致，抽取时只能用一种。请只写“{ratio}”，或者只写“{row.count}户”。", here))
    elif row.class_ratios and (ratio or row.count is not None) and here:
        found.append(("ratio", f"另有分类比例：按信用风险分类分层冻结名录时用分类比例，不分层时按“{ratio or f'{row.count}户'}”。请确认。", False))
    if row.ratio_ppm == 0 or row.count == 0:
        found.append(("ratio", "比例或户数是 0，抽不到任何对象。请改写，或撤下这一行。", True))
    if here and asked and not unread and row.ratio_ppm is None and row.count is None and not row.class_ratios:
        found.append(("ratio", "没有写抽查比例、户数或分类比例，不能抽取。请至少写一种；不单独抽取的，请在备注写“结合其他业务板块合并进行”。", True))
    ordered = [row.class_ratios[name] for name in "ABCD" if name in row.class_ratios]
    if ordered != sorted(ordered):
        found.append(("class_a", "分类比例没有随风险由低（A）到高（D）递增。请核对是否填错了列。", False))
    return found


def _window(row: PlanRow, year: int, today: date, served: bool, fixed: bool) -> list[tuple[str, bool]]:
    if row.window is None:
        needed = row.drawn_by == "here" and not row.rides and served and not row.window_text
        return [("没有写实施时间，不能抽取。请写成“6-10月”或“2026.3.1-2026.11.30”这样。".replace("2026", str(year)), True)] if needed else []
    first, last = row.window
    if last < today and not fixed:
        return [(f"实施时间“{row.window_text}”到 {last} 已经过去。请改写实施时间，或撤下这一行。", served and not row.rides)]
    if first.year != year or last.year != year:
        return [(f"实施时间“{row.window_text}”不全在 {year} 年内。请核对年份。", False)]
    return []


def _words(row: PlanRow, departments: Collection[str]) -> list[tuple[str, str]]:
    found = []
    if not row.objects:
        found.append(("objects", "没有写检查对象，将从本事项的全部对象中抽取。请确认。"))
    for name, text in (("department", row.department), ("partners", row.partners)):
        for part in filter(None, _PARTS.split(text)):
            if part not in departments:
                found.append((name, f"“{part}”不在本系统的机构、业务科室和人员所在部门中。请核对名称；确是其他部门的，可以保留。"))
    if not row.department:
        found.append(("department", "没有写牵头部门，督促时不知道找谁。请补上。"))
    return found

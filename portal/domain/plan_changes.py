"""What a version of a plan changes of the one before, row by row and field by field: what its approver approves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.plan_draft import FIELDS, draft_of, titles_of, values_of
from portal.domain.plan_layout import LaidRow, Layout

__all__ = ["RowChange", "plan_changes"]

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowChange:
    """`kind`: changed | new | gone; `line`: file row in the newer version (gone: in the older); `name` of its task or item;
    `fields`: (heading, before, after), of a new row what it says, of one that is gone nothing."""

    kind: str
    line: int
    name: str
    fields: tuple[tuple[str, str, str], ...] = ()


def plan_changes(before: tuple[Layout, Sequence[LaidRow]], after: tuple[Layout, Sequence[LaidRow]]) -> list[RowChange]:
    """The changes in the order of the newer version, withdrawn rows last; [] where both say the same.

    Rows are found again by number, item and objects together, then without the number, then without the objects, then by
    number alone; never by likeness.
    """
    old, new = _values(*before), _values(*after)
    titles = titles_of(before[0]) | {name: key for key, name in after[0].columns if name in FIELDS}
    pairs: dict[int, int] = {}
    by: tuple[Callable[[Values], Hashable], ...] = (
        lambda row: (row.get("number"), row.get("task"), row.get("item"), row.get("objects")),
        lambda row: (row.get("task"), row.get("item"), row.get("objects")),
        lambda row: (row.get("number"), row.get("task"), row.get("item")),
        lambda row: row.get("number"),
    )
    for key in by:
        free: dict[Hashable, list[int]] = {}
        for line, row in old.items():
            if line not in pairs.values() and key(row):
                free.setdefault(key(row), []).append(line)
        for line, row in new.items():
            if line not in pairs and free.get(key(row)):
                pairs[line] = free[key(row)].pop(0)
    found = []
    for line, row in new.items():
        earlier = old[pairs[line]] if line in pairs else {}
        fields = tuple((titles[name], earlier.get(name, ""), row.get(name, "")) for name in FIELDS if earlier.get(name, "") != row.get(name, ""))
        if fields:
            found.append(RowChange("changed" if line in pairs else "new", line, _name(row), fields))
    return found + [RowChange("gone", line, _name(row)) for line, row in old.items() if line not in pairs.values()]


def _values(layout: Layout, rows: Sequence[LaidRow]) -> dict[int, Values]:
    draft = draft_of("", layout, rows)
    return {row.line: values_of(draft, row) for row in draft.rows}


def _name(row: Values) -> str:
    return row.get("task") or row.get("item", "")

"""部门联合: which of the departments that a plan row names checks which of its items."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from portal.domain.plan import PlanRow

__all__ = ["find_idle", "find_owner", "partners_in"]

_BETWEEN = re.compile(r"[、，,；;/+＋\s]+|和(?=\S{2,}[局委厅])")
_ENDINGS = ("", "局", "委", "委员会")


def partners_in(text: str, partners: Collection[str]) -> list[str]:
    """The partners that a cell names (`教育局、卫健局`), in its order; `partners`: their full names.

    A word names the one partner that is called so or whose name ends so (教育, 教育局, 县教育局 of 望溪县教育局); a word
    that fits several names none.
    """
    found = []
    for word in _BETWEEN.split(text):
        if len(word) >= 2:
            called = [name for name in sorted(partners) if name == word] or [
                name for name in sorted(partners) if any(name.endswith(word + ending) for ending in _ENDINGS)
            ]
            found += called if len(called) == 1 else []
    return list(dict.fromkeys(found))


def find_owner(row: PlanRow, department: str, partners: Collection[str]) -> str:
    """The partner whose people check this row's item, "" where the bureau's do. `department`: that of the item's sector.

    Plan and sector have to say the same: the row names the department as 牵头部门 or 配合部门, and the sector
    is that department's. A row that a partner leads and that names nobody beside it is the partner's whatever
    the sector says (a sector of spreadsheets may name an office of the department).
    """
    leading, helping = partners_in(row.department, partners), partners_in(row.partners, partners)
    for name in partners_in(department, partners):
        if name in (*leading, *helping):
            return name
    return leading[0] if len(leading) == 1 and not row.partners.strip() else ""


def find_idle(listed: Sequence[tuple[PlanRow, str]], partners: Collection[str]) -> list[tuple[PlanRow, str]]:
    """(first item of a row, partner that it names although no item of the row is that partner's): nobody of theirs would go.

    `listed`: each item of the plan with the partner that checks it, "" where it is the bureau's.
    """
    of_row: dict[int, set[str]] = {}
    for row, owner in listed:
        of_row.setdefault(row.row, set()).add(owner)
    return [
        (row, name)
        for row, _ in listed if row.part == 0
        for name in dict.fromkeys((*partners_in(row.department, partners), *partners_in(row.partners, partners)))
        if name not in of_row[row.row]
    ]  # fmt: skip

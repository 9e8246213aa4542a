"""Standing recusals (回避名单) as they come in from a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from portal.domain import cells, headings
from portal.domain.cells import Cell
from portal.domain.tables import Aliases, Parsed, parse_table

__all__ = ["RecusalRow", "parse_recusals"]


@dataclass(frozen=True, slots=True)
class RecusalRow:
    """A standing recusal: this inspector is never assigned to this entity (from `since` to `until`, where given)."""

    inspector: str
    entity: str
    reason: str
    note: str = ""
    since: date | None = None
    until: date | None = None


def parse_recusals(rows: Iterable[Sequence[Cell]], aliases: Aliases | None = None) -> Parsed[RecusalRow]:
    """Rows of a sheet -> RecusalRows; both codes and a reason are required, a pair named twice is an error."""
    table = parse_table(rows, headings.RECUSAL, ("inspector", "entity", "reason"), "回避名单", aliases)
    found = table.findings
    recusals: list[RecusalRow] = []
    lines: dict[tuple[str, str], int] = {}
    for line, row in table.body:
        inspector = table.value(line, row, "inspector", cells.parse_code)
        entity = table.value(line, row, "entity", cells.parse_code)
        reason = table.text(line, row, "reason")
        for name, text in (("inspector", inspector), ("entity", entity), ("reason", reason)):
            if text == "":
                found.error(line, table.heading(name), "没有填写。请补上后重新上传。")
        since = table.value(line, row, "since", cells.parse_date)
        until = table.value(line, row, "until", cells.parse_date)
        if since and until and until < since:
            found.error(line, table.heading("until"), f"回避止于 {until}，早于开始的 {since}。请核对日期。")
        if line in found.bad or not inspector or not entity:
            continue
        first = lines.setdefault((inspector, entity), line)
        if first != line:
            found.error(line, table.heading("inspector"), f"{inspector} 回避 {entity} 与第 {first} 行重复。请只保留一行。")
            continue
        recusals.append(RecusalRow(inspector, entity, reason, table.text(line, row, "note"), since, until))
    return table.parsed(recusals, list(lines.values()))

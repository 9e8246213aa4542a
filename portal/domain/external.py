"""Lists drawn above or on another platform (外部抽取名单): kept and worked, never shown as verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from portal.domain import cells, headings
from portal.domain.cells import Cell
from portal.domain.codes import ID_PATTERN
from portal.domain.tables import Aliases, MissingColumns, Parsed, parse_table, usual_heading

__all__ = ["ExternalRow", "parse_external"]


@dataclass(frozen=True, slots=True)
class ExternalRow:
    """One entity of a list drawn elsewhere; `code` may be empty where only the name is given.

    `task`, `item`, `platform`, `drawn_on`: what its row says (where the file says it once for
    all, whoever imports says it); `columns`: heading -> text of everything else.
    """

    code: str
    name: str
    task: str = ""
    item: str = ""
    platform: str = ""
    drawn_on: date | None = None
    station: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def parse_external(rows: Iterable[Sequence[Cell]], aliases: Aliases | None = None) -> Parsed[ExternalRow]:
    """Rows of a sheet -> ExternalRows; a code or a name is required in each."""
    table = parse_table(rows, headings.EXTERNAL, (), "外部抽取名单", aliases, keep_unknown=True)
    if not (table.has("code") or table.has("name")):
        wanted = usual_heading(headings.EXTERNAL, "code")
        raise MissingColumns(f"外部抽取名单中找不到“{wanted}”列。请检查表头（应在前 15 行内）后重新上传。", table.headings, [wanted])
    found = table.findings
    kept: list[ExternalRow] = []
    lines: dict[tuple[str, str, str], int] = {}
    for line, row in table.body:
        code = table.value(line, row, "code", cells.parse_code) or ""
        name = table.text(line, row, "name")
        drawn_on = table.value(line, row, "drawn_on", cells.parse_date)
        if line in found.bad:
            continue
        if not code and not name:
            found.error(line, table.heading("code"), "代码和名称都没有填写。请至少补上一项后重新上传。")
            continue
        if code and not ID_PATTERN.fullmatch(code):
            found.error(line, table.heading("code"), f"“{code[:70]}”不能作为代码：只能用数字、字母、#、_、-，最多 64 位。")
            continue
        one = ExternalRow(
            code, name, table.text(line, row, "task"), table.text(line, row, "item"), table.text(line, row, "platform"), drawn_on,
            table.text(line, row, "station"), table.own_texts(line, row),
        )  # fmt: skip
        first = lines.setdefault((code or name, one.task, one.item), line)
        if first != line:
            found.error(line, table.heading("code"), f"{code or name} 与第 {first} 行重复。请只保留一行。")
            continue
        kept.append(one)
    return table.parsed(kept, list(lines.values()))

"""Special registers and licences (专项库, 许可名录): one row for each licence or tag, several for one entity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.domain import cells, headings
from portal.domain.cells import Cell
from portal.domain.codes import ID_PATTERN
from portal.domain.directory import parse_licence
from portal.domain.tables import Aliases, Parsed, parse_table

__all__ = ["RegisterRow", "join_registers", "parse_registers"]


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One row of a register. `licence`: dict name, number, issued_on, valid_to (ISO), authority, or empty;
    `columns`: heading -> text of everything else the file says; (code, register, `number`) is what it is known by."""

    code: str
    register: str
    name: str = ""
    tags: tuple[str, ...] = ()
    licence: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> str:
        return self.licence.get("number", "") or "、".join(self.tags)


def parse_registers(rows: Iterable[Sequence[Cell]], register: str = "", aliases: Aliases | None = None) -> Parsed[RegisterRow]:
    """Rows of a sheet -> RegisterRows; `register` names the register where the rows do not.

    Columns we have no name for are kept as text under the file's own heading.
    """
    table = parse_table(rows, headings.REGISTER, ("code",), "专项库", aliases, keep_unknown=True)
    found = table.findings
    kept: list[RegisterRow] = []
    lines: dict[tuple[str, str, str], int] = {}
    for line, row in table.body:
        code = table.value(line, row, "code", cells.parse_code)
        if code == "":
            found.error(line, table.heading("code"), "没有填写。请补上后重新上传。")
        elif code and not ID_PATTERN.fullmatch(code):
            found.error(line, table.heading("code"), f"“{code[:70]}”不能作为代码：只能用数字、字母、#、_、-，最多 64 位。")
        called = table.text(line, row, "register") or register
        if not called:
            found.error(line, table.heading("register"), "没有写明是哪个专项库。请补上该列，或在导入时写明专项库名称。")
        licence = parse_licence(table, line, row)
        tags = table.value(line, row, "tags", cells.parse_list) or ()
        columns = table.own_texts(line, row)
        if station := table.text(line, row, "station"):
            columns[table.heading("station")] = station
        if line in found.bad or not code:
            continue
        one = RegisterRow(code, called, table.text(line, row, "name"), tags, licence[0] if licence else {}, columns)
        first = lines.setdefault((code, called, one.number), line)
        if first != line:
            found.error(line, table.heading("code"), f"与第 {first} 行是同一库、同一代码、同一编号。请只保留一行。")
            continue
        kept.append(one)
    return table.parsed(kept, list(lines.values()))


def join_registers(
    licences: Sequence[Mapping[str, str]], attributes: Mapping[str, Any], rows: Iterable[tuple[str, Mapping[str, Any]]]
) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """(licences, attributes) of a directory entry with its register rows in them, replacing those joined before.

    `rows`: (register, {"licence", "tags", "columns"}). In `attributes` each register is a key
    holding its rows; a licence that came from a register says so in `register`.
    """
    own = {name: value for name, value in attributes.items() if not isinstance(value, list)}
    kept = [dict(licence) for licence in licences if not licence.get("register")]
    joined: dict[str, list[dict[str, Any]]] = {}
    for register, data in rows:
        licence = {name: text for name, text in data["licence"].items() if text}
        joined.setdefault(register, []).append({**data["columns"], **licence, **({"tags": data["tags"]} if data["tags"] else {})})
        if licence:
            kept.append({**data["licence"], "register": register})
    return kept, {**own, **joined}

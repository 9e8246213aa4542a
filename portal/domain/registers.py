"""Special registers and licences (专项库, 许可名录): one row for each licence or tag, several for one entity."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portal.domain import cells, headings
from portal.domain.cells import Cell, plain_heading
from portal.domain.codes import ID_PATTERN
from portal.domain.declarations import LICENCE
from portal.domain.directory import parse_licence
from portal.domain.errors import Problem
from portal.domain.model import Column, Register
from portal.domain.tables import Aliases, Parsed, parse_table

__all__ = ["RegisterRow", "column_aliases", "join_registers", "parse_registers", "register_head", "type_registers"]


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One row of a register. `licence`: dict name, number, issued_on, valid_to (ISO), authority, or empty;
    `columns`: heading -> text of everything else the file says, or what its sector's columns make of it (`type_registers`);
    (code, register, `number`) is what it is known by, of an `only` row (code, register)."""

    code: str
    register: str
    name: str = ""
    tags: tuple[str, ...] = ()
    licence: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    only: bool = False

    @property
    def number(self) -> str:
        return "" if self.only else self.licence.get("number", "") or "、".join(self.tags)


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


# Registers that a sector declares ------------------------------------------------------


def column_aliases(registers: Sequence[Register], wanted: str = "") -> dict[str, str]:
    """plain heading -> field of the licence, for columns that sectors call their own way (设备代码 for the number).

    `wanted`: code or name of the register a file is about, "" where its rows say so; a heading that means
    something else in another register then stays as it is.
    """
    mine = [one for one in registers if wanted in ("", one.code, one.name)]
    own = {plain for one in mine for column in one.columns if column.name not in LICENCE for plain in _wordings(column)}
    found: dict[str, str] = {}
    for one in mine:
        for column in one.columns:
            if column.name in LICENCE:
                found |= {plain: LICENCE[column.name] for plain in _wordings(column) if plain not in own and plain not in found}
    return found


def type_registers(parsed: Parsed[RegisterRow], registers: Sequence[Register]) -> Parsed[RegisterRow]:
    """The rows of declared registers under the register's code, their columns by name and type; others as they are.

    Text that does not fit a column, an empty required one and a second row where there is one an entity are
    errors of that row. What no column is named for stays as text under the file's own heading.
    """
    known = {name: one for one in registers for name in (one.code, one.name)}
    titles = {name: title for title, name in parsed.headings.known}
    errors: list[Problem] = []
    first: dict[tuple[str, str, str], int] = {}
    rows = []
    for row, line in zip(parsed.rows, parsed.lines, strict=True):
        register = known.get(row.register)
        if register:
            row = _typed(row, line, register, titles, errors)
            seen = first.setdefault((row.register, row.code, row.number), line)
            if seen != line:
                said = f"“{register.name}”每户只能有一行" if row.only else f"“{register.name}”里编号也相同"
                errors.append(Problem(titles.get("code", ""), f"与第 {seen} 行是同一户，{said}。请只保留一行。", line))
        rows.append(row)
    return replace(parsed, rows=tuple(rows)).found(errors)


def register_head(register: Register) -> list[str]:
    """The headings of a file for this register."""
    own = {column.name: column.label for column in register.columns}
    licence = [own.pop(name, headings.REGISTER[field].split()[0]) for name, field in LICENCE.items()]
    return ["专项库名称", "统一社会信用代码", "企业名称", *licence, *own.values()]


def _typed(row: RegisterRow, line: int, register: Register, titles: Mapping[str, str], errors: list[Problem]) -> RegisterRow:
    left = dict(row.columns)
    by_plain = {plain_heading(heading): heading for heading in left}
    columns: dict[str, Any] = {}
    for column in register.columns:
        if column.name in LICENCE:
            title, value = titles.get(LICENCE[column.name], column.label), row.licence.get(column.name, "")
        else:
            heading = next((by_plain[plain] for plain in _wordings(column) if plain in by_plain), "")
            title, text = heading or column.label, str(left.pop(heading, ""))
            try:
                value = _value(column, text)
            except ValueError as wrong:
                errors.append(Problem(title, str(wrong), line))
                continue
            if value != "":
                columns[column.name] = value
        if value == "" and column.required:
            errors.append(Problem(title, f"没有填写，“{register.name}”每一行都要有。请补上后重新上传。", line))
    return replace(row, register=register.code, columns=columns | left, only=not register.several)


def _value(column: Column, text: str) -> str | int:
    if not text or column.type == "text":
        return text
    if column.type == "date":
        return on.isoformat() if (on := cells.parse_date(text)) else ""
    if column.type == "code":
        code = cells.parse_code(text)
        if not ID_PATTERN.fullmatch(code):
            raise ValueError(f"“{code[:70]}”不能作为代码：只能用数字、字母、#、_、-，最多 64 位。")
        return code
    if not re.fullmatch(r"-?[0-9]{1,15}", plain := text.replace(",", "").replace("，", "")):
        raise ValueError(f"“{text[:30]}”不是整数。请只填数字，不写单位。")
    return int(plain)


def _wordings(column: Column) -> list[str]:
    return [plain_heading(text) for text in (column.label, *column.aliases)]


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

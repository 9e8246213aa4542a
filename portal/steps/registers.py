"""Importing what is said about entities elsewhere: credit-risk classes and special registers."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.cells import LONG_TERM
from portal.domain.classes import ClassRow
from portal.domain.errors import BadInput, Problem
from portal.domain.import_kinds import Reading
from portal.domain.imports import NEW, SAME, UPDATED
from portal.domain.model import Register
from portal.domain.registers import RegisterRow, type_registers
from portal.domain.risk import CREDIT, Scale
from portal.domain.tables import Parsed
from portal.steps.acting import Acting
from portal.steps.classes import load_adjustments_in_force, load_scales
from portal.steps.directory import own_codes
from portal.store import accounts
from portal.store import imports as store
from portal.store.locks import hold

#: What every row of a register may say of a licence.
LICENCE_LABELS = {"name": "许可证名称", "number": "编号", "issued_on": "批准日期", "valid_to": "有效期至", "authority": "发证机关"}


async def check_classes(act: Acting, parsed: Parsed[ClassRow], reading: Reading) -> tuple[Parsed[ClassRow], dict[str, int]]:
    """Codes that are not in the directory are listed; their classes are kept for the day they come in.

    Classes must be of the profile's scale, where it has it. Whoever is adjusted by hand stays so and is listed, too.
    """
    code = reading.options.get("scale", "") or CREDIT
    scale = await _scale(act, code)
    adjusted = await load_adjustments_in_force(act, code)
    if "classed_on" not in parsed.headings.fields and not reading.options.get("classed_on"):
        raise BadInput("文件里没有“分类日期”列。请补上该列，或在导入时填写分类日期。", [Problem("classed_on", "请填写分类日期。")])
    mine, foreign = await own_codes(act, [row.code for row in parsed.rows])
    titles = {name: title for title, name in parsed.headings.known}
    errors, warnings = [], []
    for row, line in zip(parsed.rows, parsed.lines, strict=True):
        on = _day_of(row, reading)
        if on is None:
            errors.append(Problem(titles["classed_on"], "没有填写。请补上后重新上传。", line))
        elif on > act.today:
            errors.append(Problem(titles.get("classed_on", "分类日期"), f"{on} 在今天之后。请核对日期。", line))
        elif scale and row.risk_class not in scale.grades:
            errors.append(Problem(titles["class"], f"“{row.risk_class}”不在“{scale.name}”里，应是 {'、'.join(scale.grades)}。请核对。", line))
        elif row.code in foreign:
            warnings.append(Problem(titles["code"], f"代码 {row.code} 在其他单位的名录中，本局不使用这一行。请转交该单位。", line))
        elif row.code not in mine:
            warnings.append(Problem(titles["code"], f"检查对象名录中没有代码 {row.code}，分类结果先保留，进入名录时带出。", line))
        elif (held := adjusted.get(row.code)) and held.grade != row.risk_class:
            until = f"到 {held.until}" if held.until else "没有期限"
            warnings.append(Problem(titles["code"], f"{row.code} 已人工调整为 {held.grade}（{until}），导入的 {row.risk_class} 照存，到期后生效。", line))
    parsed = parsed.found(errors, warnings)
    by_class = Counter(row.risk_class for row in parsed.rows)
    counts = await _class_counts(act, parsed.rows, code) | {f"{one} 类": by_class[one] for one in sorted(by_class)}
    return parsed, {**counts, "不在名录": sum(row.code not in mine for row in parsed.rows)}


async def _scale(act: Acting, code: str) -> Scale | None:
    """The scale of a file; None for credit-risk classes of a bureau without profile: any classes will do."""
    known = await load_scales(act)
    if code not in known and code != CREDIT:
        listed = "、".join(f"{one}（{it.name}）" for one, it in known.items()) or "无，请先导入辖区规则"
        raise BadInput(f"没有分类体系“{code[:40]}”。可以写的有：{listed}。", [Problem("scale", "请填写辖区规则（scales）中的代码。")])
    return known.get(code)


def _day_of(row: ClassRow, reading: Reading) -> date | None:
    said = reading.options.get("classed_on")
    return row.classed_on or (date.fromisoformat(said) if said else None)


async def _class_counts(act: Acting, rows: Sequence[ClassRow], scale: str) -> dict[str, int]:
    """Codes that had no class of this scale, another one, or this one, by the latest version there is."""
    latest = await store.load_latest_classes(act.bureau["id"], [row.code for row in rows], scale)
    had = [row for row in rows if row.code in latest]
    same = sum(latest[row.code] == row.risk_class for row in had)
    return {NEW: len(rows) - len(had), UPDATED: len(had) - same, SAME: same}


async def save_classes(act: Acting, parsed: Parsed[ClassRow], digest: str, reading: Reading) -> dict[str, int]:
    """Each (day, version) of the file becomes a version of its own; the directory shows the latest."""
    tree = accounts.tree_of(await accounts.load_organisations(), act.bureau["id"])
    await hold("bureau", act.bureau["id"])
    scale = reading.options.get("scale", "") or CREDIT
    versions: dict[tuple[date, str], list[tuple[str, str]]] = {}
    for row in parsed.rows:
        on = _day_of(row, reading)
        assert on is not None  # check_classes
        versions.setdefault((on, row.version or reading.options.get("version", "")), []).append((row.code, row.risk_class))
    gone = await _class_counts(act, parsed.rows, scale)
    changed = 0
    for (on, version), rows in sorted(versions.items()):
        values = {
            "organisation": act.bureau["id"], "classed_on": on, "scale": scale, "version": version, "file_digest": digest,
            "imported_by": act.account, "imported_at": act.now,
        }  # fmt: skip
        changed += await store.save_classes(values, rows, tree)
    await act.audit("directory.import", "classes", after=digest, count=len(parsed.rows), versions=len(versions))
    adjusted = await load_adjustments_in_force(act, scale)
    still = sum(row.code in adjusted and adjusted[row.code].grade != row.risk_class for row in parsed.rows)
    return {**gone, "读入": len(parsed.rows), "分类批次": len(versions), "名录已更新": changed, **({"仍按人工调整": still} if still else {})}


async def check_registers(act: Acting, parsed: Parsed[RegisterRow], reading: Reading) -> tuple[Parsed[RegisterRow], dict[str, int]]:
    """Columns as the sectors declare them; a row whose entity is not in the bureau's directory is an error: there is nothing to join it to."""
    parsed = type_registers(parsed, act.sectors.registers)
    mine, foreign = await own_codes(act, [row.code for row in parsed.rows])
    column = next((title for title, name in parsed.headings.known if name == "code"), "")
    errors = []
    for row, line in zip(parsed.rows, parsed.lines, strict=True):
        if row.code in foreign:
            errors.append(Problem(column, f"代码 {row.code} 在其他单位的名录中。请删去这一行，或与该单位核对管辖。", line))
        elif row.code not in mine:
            errors.append(Problem(column, f"检查对象名录中没有代码 {row.code}。请先导入检查对象名录，或删去这一行。", line))
    parsed = parsed.found(errors)
    rows = [_register_row(row) for row in parsed.rows]
    gone = await store.sort_register_rows(act.bureau["id"], rows)
    lost = await store.load_lost_rows(act.bureau["id"], rows) if _is_whole(reading) and not parsed.errors else []
    return parsed, _register_counts(gone) | ({"库中删去": len(lost)} if lost else {}) | {f"专项库：{name_of(act, code)}": count for code, count in sorted(Counter(row.register for row in parsed.rows).items())}


@dataclass(frozen=True, slots=True)
class Listed:
    """A register as people see it: `sector` is the name of whose it is ("" of one that only files name), `columns` (name, label)."""

    code: str
    name: str
    sector: str
    columns: tuple[tuple[str, str], ...]
    several: bool
    rows: int


async def load_registers(act: Acting) -> list[Listed]:
    """Those the sectors declare, then those that only files name; counts are of rows about entries of the reader's tree."""
    act.require("directory.read")
    counts = await store.count_register_rows(act.bureau["id"], act.tree)
    declared = {one.code: one for one in act.sectors.registers}
    return [
        *(
            Listed(code, one.name, act.sectors.sectors[code.partition(".")[0]].name, shown_columns(one), one.several, counts.get(code, 0))
            for code, one in declared.items()
        ),
        *(Listed(name, name, "", (), True, count) for name, count in counts.items() if name not in declared),
    ]  # fmt: skip


def shown_columns(register: Register) -> tuple[tuple[str, str], ...]:
    """(name, label) of what a row shows: its number, the register's own columns, then the rest of the licence."""
    own = {column.name: column.label for column in register.columns}
    licence = {name: own.pop(name, label) for name, label in LICENCE_LABELS.items()}
    return (("number", licence.pop("number")), *own.items(), ("valid_to", licence.pop("valid_to")), *licence.items())


async def load_rows(act: Acting, register: Listed, query: str, after: int, size: int) -> list[dict[str, Any]]:
    """{"id", "code", "name", "cells": label -> text} of at most `size` + 1 rows, so that one sees whether there are more."""
    act.require("directory.read")
    labels = dict(register.columns) or LICENCE_LABELS
    found = []
    for row in await store.load_register_page(act.bureau["id"], register.code, act.tree, query=query.strip(), after=after, limit=size + 1):
        data = row["data"]
        values = {**data["licence"], **data["columns"]}
        cells = {labels.get(name, name): _shown(value) for name, value in values.items() if value != ""}
        if data["tags"]:
            cells["监管标签"] = "、".join(data["tags"])
        found.append({"id": row["id"], "code": row["code"], "name": row["name"], "cells": cells})
    return found


async def iter_rows(act: Acting, register: Listed, query: str) -> AsyncIterator[list[dict[str, Any]]]:
    """All rows of `load_rows`, some at a time."""
    after = 0
    while rows := await load_rows(act, register, query, after, _PART):
        yield rows[:_PART]
        if len(rows) <= _PART:
            return
        after = rows[_PART - 1]["id"]


_PART = 2000


def titles_of(register: Listed, found: Iterable[str]) -> list[str]:
    """The columns of rows that hold these labels: the declared ones first, in their order."""
    held = dict.fromkeys(found)
    return [*(label for _, label in register.columns if label in held), *(label for label in held if label not in dict(register.columns).values())]


def shown_rows(act: Acting, attributes: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """(register's name, a line for each row) of the registers joined into a directory entry."""
    labels = {one.code: dict(shown_columns(one)) for one in act.sectors.registers}
    found = []
    for code, rows in attributes.items():
        if isinstance(rows, list):
            named = labels.get(code, {})
            lines = [
                "　".join(f"{named.get(name, LICENCE_LABELS.get(name, name))} {_shown(value)}" for name, value in _in_order(row, named) if value != "")
                for row in rows
            ]
            found.append((name_of(act, code), lines))
    return found


def _in_order(row: Mapping[str, Any], named: Mapping[str, str]) -> list[tuple[str, Any]]:
    order = {name: n for n, name in enumerate(named)}
    return sorted(((name, value) for name, value in row.items() if name != "tags"), key=lambda pair: order.get(pair[0], len(order)))


def _shown(value: Any) -> str:
    return "长期" if value == LONG_TERM.isoformat() else str(value)


def name_of(act: Acting, register: str) -> str:
    """What people call a register that is stored under this code; of one no sector declares, the name in its file."""
    return next((one.name for one in act.sectors.registers if one.code == register), register)


def _is_whole(reading: Reading) -> bool:
    """Whether rows that the file does not have are to go; BadInput where that is not said plainly."""
    said = reading.options.get("whole", "")
    if said not in ("", "是", "否"):
        raise BadInput("“整库替换”请填“是”或“否”。", [Problem("whole", f"填的是“{said[:20]}”。")])
    return said == "是"


async def save_registers(act: Acting, parsed: Parsed[RegisterRow], digest: str, reading: Reading) -> dict[str, int]:
    """Add or replace rows; of a whole register those that the file does not have go, with their number in the audit."""
    await hold("bureau", act.bureau["id"])
    rows = [_register_row(row) for row in parsed.rows]
    lost: list[tuple[int, str]] = []
    if _is_whole(reading):
        if parsed.errors:  # a row with an error is not among the rows: it would be taken for one that is gone
            raise BadInput(f"整库替换要求文件没有错误，现有 {len(parsed.errors)} 处。请改正后重新上传，或不选整库替换。", parsed.errors[:200])
        lost = await store.load_lost_rows(act.bureau["id"], rows)
    tree = accounts.tree_of(await accounts.load_organisations(), act.bureau["id"])
    counts = await store.save_register_rows(act.bureau["id"], rows, tree, act.account, act.now, lost)
    await act.audit("directory.import", "registers", after=digest, count=len(rows), **({"removed": len(lost)} if lost else {}))
    return {**_register_counts(counts), **({"库中删去": len(lost)} if lost else {}), "读入": len(rows), "涉及检查对象": len({row.code for row in parsed.rows})}


def _register_row(row: RegisterRow) -> dict[str, Any]:
    data = {"licence": dict(row.licence), "tags": list(row.tags), "columns": dict(row.columns)}
    return {"register": row.register, "code": row.code, "number": row.number, "data": data}


def _register_counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {NEW: counts["added"], UPDATED: counts["replaced"], SAME: counts["same"]}

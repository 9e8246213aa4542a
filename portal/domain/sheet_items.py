"""An item list (随机抽查事项清单) in its official columns -> check items, each with its form and the rule of its pool.

The columns are those of the national list (类别, 事项, 对象, 事项类别, 方式, 主体, 依据, 要点) and some of
ours: which form, which version, and from which entities a task of the item is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from portal.domain import cells, headings
from portal.domain.bases import parse_bases
from portal.domain.cells import Cell
from portal.domain.industries import parse_industries
from portal.domain.model import CheckItem, PoolRule
from portal.domain.tables import Aliases, Parsed, Table, parse_table

__all__ = ["ENTITY_TYPES", "ListedItem", "parse_items", "rule_data", "rule_from_data"]

ENTITY_TYPES = ("企业", "个体工商户", "农民专业合作社", "外国企业常驻代表机构")
LONGEST = 500
_KINDS = {"": "general", "一般": "general", "一般检查事项": "general", "重点": "key", "重点检查事项": "key"}
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NO_NEED = re.compile(r"(?:无|不)(?:需|要求|限).*|无|/|-")
_NUMBERED = re.compile(r"^\s*(?:\d+|[（(]\d+[）)]|[①-⑳])[、.．)）]?\s*")


@dataclass(frozen=True, slots=True)
class ListedItem:
    """A row of the list. `item` has the code as written (empty: to be given), no sector yet, and the form as written; `rule`: its pool."""

    item: CheckItem
    rule: PoolRule
    dated: bool  # whether the list says from when it holds


def parse_items(rows: Iterable[Sequence[Cell]], aliases: Aliases | None = None) -> Parsed[ListedItem]:
    """Rows of a sheet -> items; one row an item. What only the installation knows (codes, forms, versions) is checked there."""
    table = parse_table(rows, headings.ITEM, ("name", "basis"), "随机抽查事项清单", aliases)
    kept: list[ListedItem] = []
    lines: list[int] = []
    names: dict[str, int] = {}
    for line, row in table.body:
        one = _item(table, line, row)
        if one is None:
            continue
        first = names.setdefault(one.item.name, line)
        if first != line:
            table.findings.error(line, table.heading("name"), f"事项“{one.item.name[:40]}”与第 {first} 行重复。请只保留一行，或写明子项。")
            continue
        kept.append(one)
        lines.append(line)
    return table.parsed(kept, lines)


def _item(table: Table, line: int, row: Sequence[Cell]) -> ListedItem | None:
    found = table.findings
    name = table.text(line, row, "part") or table.require_text(line, row, "name")
    category = table.text(line, row, "category") or table.text(line, row, "name")
    code = table.text(line, row, "code").lower()
    if code and not _CODE.fullmatch(code.rpartition(".")[2]):
        found.error(line, table.heading("code"), f"“{code[:40]}”不能作事项代码：用英文字母、数字和下划线，以字母开头，最多 40 个字符；也可以不写，由系统编号。")
    kind = _KINDS.get(table.text(line, row, "kind"))
    if kind is None:
        found.error(line, table.heading("kind"), f"“{table.text(line, row, 'kind')[:20]}”看不懂，应是一般检查事项或重点检查事项。")
    basis = table.value(line, row, "basis", lambda cell: parse_bases(cells.parse_lines(cell)))
    if basis == ():
        found.error(line, table.heading("basis"), "没有写检查依据，未列依据的事项不得实施检查。")
    needs = table.text(line, row, "qualification")
    if re.fullmatch(r"需要?(?:专业)?(?:岗位)?资[格质]?", needs):
        found.error(line, table.heading("qualification"), f"“{needs}”没有写明哪一种资格。请写资格的名称，例如 食品检查员；不需要的写“无需”。")
    dates = {name: table.value(line, row, name, cells.parse_date) for name in ("valid_from", "valid_to")}
    if dates["valid_from"] and dates["valid_to"] and dates["valid_to"] < dates["valid_from"]:
        found.error(line, table.heading("valid_to"), f"{dates['valid_to']} 早于有效期起 {dates['valid_from']}。请核对。")
    rule = _rule(table, line, row)
    for column in ("name", "part", "category", "objects", "inspected_by", "qualification"):
        if len(text := table.text(line, row, column)) > LONGEST:
            found.error(line, table.heading(column), f"有 {len(text)} 个字，最多 {LONGEST} 个，请缩短。")
    if line in found.bad:
        return None
    given: dict[str, Any] = {
        "objects": table.text(line, row, "objects"), "inspected_by": table.text(line, row, "inspected_by"),
        "methods": table.value(line, row, "methods", cells.parse_list),
    }  # fmt: skip
    until = dates["valid_to"]
    return ListedItem(
        CheckItem(
            code, table.text(line, row, "version"), category, name, table.text(line, row, "form"), basis or (), kind=kind or "general",
            points=_points(table.value(line, row, "points", cells.parse_lines) or ""), qualification="" if _NO_NEED.fullmatch(needs) else needs,
            valid_from=dates["valid_from"] or date.min, valid_to=None if until == cells.LONG_TERM else until,
            aliases=table.value(line, row, "aliases", _parts) or (), guide=table.value(line, row, "guide", cells.parse_lines) or "",
            **{column: value for column, value in given.items() if value},
        ),
        rule, dates["valid_from"] is not None,
    )  # fmt: skip


def _rule(table: Table, line: int, row: Sequence[Cell]) -> PoolRule:
    industries, off = parse_industries(table.value(line, row, "industries", cells.parse_lines) or "")
    for sentence in off:
        # A pool must not be wider or narrower than the list says: what is not understood is no warning here.
        table.findings.error(line, table.heading("industries"), sentence)
    types = table.value(line, row, "types", cells.parse_list) or ()
    for one in types:
        if one not in ENTITY_TYPES:
            table.findings.error(line, table.heading("types"), f"没有“{one[:20]}”这种主体，应是：{'、'.join(ENTITY_TYPES)}。")
    return PoolRule(types=types, industries=industries, tags=table.value(line, row, "tags", cells.parse_list) or ())


def _points(text: str) -> tuple[str, ...]:
    """Points one a line or separated by ；, without their numbers."""
    return tuple(dict.fromkeys(point for part in re.split(r"[\n；;]", text) if (point := _NUMBERED.sub("", part).strip(" 。"))))


def _parts(cell: Cell) -> tuple[str, ...]:
    # Names of items have 、 in them.
    return tuple(dict.fromkeys(part.strip() for part in re.split(r"[\n；;]", cells.parse_lines(cell)) if part.strip()))


def rule_data(rule: PoolRule) -> dict[str, Any]:
    """A pool rule as plain data, what is empty left out."""
    return {name: list(value) for name, value in asdict(rule).items() if value}


def rule_from_data(data: Mapping[str, Sequence[str]]) -> PoolRule:
    """The rule that `rule_data` wrote."""
    return PoolRule(**{name: tuple(value) for name, value in data.items()})

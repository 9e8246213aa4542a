"""Divisions (区划) and what stations cover (辖区), as they come in from files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.domain import cells
from portal.domain.cells import Cell
from portal.domain.coverage import Coverage
from portal.domain.tables import Parsed, parse_table

__all__ = ["DivisionRow", "parse_coverage", "parse_divisions"]

DIVISION = {
    "code": "code 代码 区划代码 行政区划代码 统计用区划代码",
    "name": "name 名称 区划名称 镇街名称 村居名称",
    "above": "streetCode areaCode 上级代码 镇街代码",
    "province": "provinceCode", "city": "cityCode", "county": "区县代码",
}  # fmt: skip
COVERAGE = {
    "station": "所名称 监管所 市场监管所 市场监督管理所 属地所 所",
    "street": "辖区镇街 镇街 乡镇街道 乡镇(街道) 镇(街道) 街道 乡镇",
    "villages": "辖区村居 村居 村(社区) 村居社区",
    "old_names": "原镇街名 曾用名 原名 旧称",
}
_CODE = re.compile(r"\d{9}(?:\d{3})?")


@dataclass(frozen=True, slots=True)
class DivisionRow:
    """A street or town (9 digits) of a county, or a village or community (12 digits) of a street; `above`: its code."""

    code: str
    name: str
    above: str


def parse_divisions(rows: Iterable[Sequence[Cell]], region: str) -> Parsed[DivisionRow]:
    """Rows of a sheet -> DivisionRows of a bureau's region; other counties' rows are an error, they belong to others."""
    table = parse_table(rows, DIVISION, ("code", "name"), "区划表")
    found = table.findings
    divisions: list[DivisionRow] = []
    lines: dict[str, int] = {}
    ours = region[:4] if region.endswith("00") else region
    for line, row in table.body:
        code = table.value(line, row, "code", cells.parse_code) or ""
        name = table.require_text(line, row, "name")
        if line in found.bad:
            continue
        if not _CODE.fullmatch(code):
            what = f"“{code}”应为 9 位（镇街）或 12 位（村居）数字。" if code else "没有填写。请补上后重新上传。"
            found.error(line, table.heading("code"), what)
            continue
        code = code.removesuffix("000") if len(code) == 12 else code
        if not code.startswith(ours):
            found.error(line, table.heading("code"), f"{name}（{code}）不在本局区划 {region} 内。请删去这一行。")
            continue
        first = lines.setdefault(code, line)
        if first != line:
            found.error(line, table.heading("code"), f"代码 {code} 与第 {first} 行重复。请只保留一行。")
            continue
        divisions.append(DivisionRow(code, name, code[:6] if len(code) == 9 else code[:9]))
    return table.parsed(divisions, list(lines.values()))


def parse_coverage(rows: Iterable[Sequence[Cell]]) -> Parsed[Coverage]:
    """Rows of a sheet -> Coverages, one a station and street; a list of streets in one cell is several."""
    table = parse_table(rows, COVERAGE, ("station", "street"), "辖区表")
    found = table.findings
    coverage: list[Coverage] = []
    lines: list[int] = []
    seen: dict[tuple[str, str], int] = {}
    for line, row in table.body:
        station = table.require_text(line, row, "station")
        streets = table.value(line, row, "street", cells.parse_list) or ()
        villages = table.value(line, row, "villages", cells.parse_list) or ()
        old = table.value(line, row, "old_names", cells.parse_list) or ()
        if not streets:
            found.error(line, table.heading("street"), "没有填写。请补上后重新上传。")
        elif len(streets) > 1 and (villages or old):
            found.error(line, table.heading("street"), "写村居或原名时，一行只能写一个镇街。请分行填写。")
        for street in streets:
            first = seen.setdefault((station, street), line)
            if first != line:
                found.error(line, table.heading("street"), f"{station}的“{street}”与第 {first} 行重复。请合并为一行。")
            if line not in found.bad:
                coverage.append(Coverage(station, street, villages, old))
                lines.append(line)
    return table.parsed(coverage, lines)

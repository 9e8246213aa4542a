"""Credit-risk classes (企业信用风险分类结果) as the provincial system hands them down: code, class, day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from portal.domain import cells, headings
from portal.domain.cells import Cell
from portal.domain.codes import ID_PATTERN
from portal.domain.tables import Aliases, Parsed, parse_table

__all__ = ["ClassRow", "parse_class", "parse_classes"]

#: what the national scheme (A to D) is called in words
_WORDS = {"低": "A", "低风险": "A", "一般": "B", "一般风险": "B", "较高": "C", "较高风险": "C", "高": "D", "高风险": "D"}
_CLASS = re.compile(r"[0-9A-Z\u4e00-\u9fff]{1,8}[+-]?")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One entity's class. `classed_on` and `version` are what its row says, None and "" where the file says it once for all."""

    code: str
    risk_class: str
    name: str = ""
    classed_on: date | None = None
    version: str = ""


def parse_class(text: str) -> str:
    """The class as it is kept: A-D for the national words (低风险, B级, C类), else as written (A1, 红, 5); ValueError for no class."""
    plain = text.upper().removesuffix("级").removesuffix("类").removesuffix("等")
    plain = _WORDS.get(plain, plain)
    if not _CLASS.fullmatch(plain):
        raise ValueError(f"“{text[:20]}”不是风险等级。请填写分类结果，例如 A、B、C、D。")
    return plain


def parse_classes(rows: Iterable[Sequence[Cell]], aliases: Aliases | None = None) -> Parsed[ClassRow]:
    """Rows of a sheet -> ClassRows; any letters and any number of classes, one row a code."""
    table = parse_table(rows, headings.CLASS, ("code", "class"), "信用风险分类结果", aliases)
    found = table.findings
    kept: list[ClassRow] = []
    lines: dict[str, int] = {}
    for line, row in table.body:
        code = table.value(line, row, "code", cells.parse_code)
        written = table.text(line, row, "class")
        for name, text in (("code", code), ("class", written)):
            if text == "" and line not in found.bad:
                found.error(line, table.heading(name), "没有填写。请补上后重新上传。")
        on = table.value(line, row, "classed_on", cells.parse_date)
        if line in found.bad or not code:
            continue
        if not ID_PATTERN.fullmatch(code):
            found.error(line, table.heading("code"), f"“{code[:70]}”不能作为代码：只能用数字、字母、#、_、-，最多 64 位。")
            continue
        try:
            risk_class = parse_class(written)
        except ValueError as wrong:
            found.error(line, table.heading("class"), str(wrong))
            continue
        first = lines.setdefault(code, line)
        if first != line:
            found.error(line, table.heading("code"), f"代码 {code} 与第 {first} 行重复。请只保留一行。")
            continue
        kept.append(ClassRow(code, risk_class, table.text(line, row, "name"), on, table.text(line, row, "version")))
    return table.parsed(kept, list(lines.values()))

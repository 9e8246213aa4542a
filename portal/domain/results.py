"""Inspection records as a clerk's table: one row for each item checked at a visit, form points in columns of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.domain import cells, headings
from portal.domain.cells import Cell, parse_list, plain_heading
from portal.domain.forms import VERDICTS
from portal.domain.model import OUTCOMES, Field, Form
from portal.domain.tables import Aliases, MissingColumns, Parsed, parse_table

__all__ = ["ResultRow", "answers_of", "parse_results"]

_MARKS = {"√": "yes", "是": "yes", "符合": "yes", "×": "no", "否": "no", "不符合": "no", "/": "na", "无": "na", "不涉及": "na"}


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What one row says of one item. `outcome` is a code of OUTCOMES; `points`: heading -> text, as written."""

    visit: str
    task: str
    code: str
    item: str
    outcome: str
    inspected_on: date
    recorder: tuple[str, ...] = ()
    method: str = ""
    opinion: str = ""
    note: str = ""
    points: Mapping[str, str] = field(default_factory=dict)


def parse_results(rows: Iterable[Sequence[Cell]], aliases: Aliases | None = None) -> Parsed[ResultRow]:
    """Rows of a sheet -> ResultRows. A visit is named by its number or by the entity's code."""
    table = parse_table(rows, headings.RESULT, ("item", "outcome", "inspected_on"), "检查记录表", aliases, keep_unknown=True)
    if not (table.has("visit") or table.has("code")):
        raise MissingColumns("检查记录表中找不到“入企编号”列或“统一社会信用代码”列。请补上其中一列后重新上传。", table.headings, ["入企编号"])
    found = table.findings
    kept: list[ResultRow] = []
    lines: dict[tuple[str, ...], int] = {}
    for line, row in table.body:
        visit = table.text(line, row, "visit")
        code = table.value(line, row, "code", cells.parse_code) or ""
        if not visit and not code and line not in found.bad:
            found.error(line, table.heading("visit" if table.has("visit") else "code"), "没有写明是哪一次检查。请填写入企编号或代码。")
        item = table.require_text(line, row, "item")
        outcome = _outcome(table.require_text(line, row, "outcome"))
        on = table.value(line, row, "inspected_on", cells.parse_date)
        if not outcome and line not in found.bad:
            said = table.text(line, row, "outcome")
            listed = "、".join(one.label for one in OUTCOMES.values())
            found.error(line, table.heading("outcome"), f"“{said}”不在结果清单中。可以填写：{listed}。")
        if on is None and line not in found.bad:
            found.error(line, table.heading("inspected_on"), "没有填写。请补上后重新上传。")
        recorder = table.value(line, row, "recorder", parse_list) or ()
        if line in found.bad or on is None:
            continue
        one = ResultRow(
            visit, table.text(line, row, "task"), code, item, outcome, on, recorder, table.text(line, row, "method"),
            table.text(line, row, "opinion"), table.text(line, row, "note"), table.own_texts(line, row),
        )  # fmt: skip
        first = lines.setdefault((visit, one.task, code, item), line)
        if first != line:
            found.error(line, table.heading("item"), f"同一次检查的“{item}”与第 {first} 行重复。请只保留一行。")
            continue
        kept.append(one)
    return table.parsed(kept, list(lines.values()))


def _outcome(text: str) -> str:
    if text in OUTCOMES:
        return text
    return next((one.code for one in OUTCOMES.values() if one.label == text), "")


def answers_of(form: Form, points: Mapping[str, str], note: str) -> dict[str, list[str]]:
    """field name -> values as a posted form would carry them: columns are matched by a point's wording or its name.

    A wording no choice has is passed on as written, for the form's own check to name it.
    """
    given: dict[str, list[str]] = {}
    named = {plain_heading(title): text for title, text in points.items()}
    for one in form.fields():
        text = named.get(plain_heading(one.label)) or named.get(one.name) or (note if one.name == "note" else "")
        if text and one.type not in ("repeat", "note", "calculated"):
            given[one.name] = _values(one, text)
    return given


def _values(one: Field, text: str) -> list[str]:
    if one.type == "verdict":
        labels: dict[str, Any] = {label: value for value, label in VERDICTS.items()} | _MARKS
        return [labels.get(text, text)]
    if one.type in ("select_one", "select_multiple"):
        labels = {choice.label: choice.value for choice in one.choices}
        parts = parse_list(text) if one.type == "select_multiple" else (text,)
        return [labels.get(part, part) for part in parts]
    if one.type in ("photo", "file", "signature"):
        return list(parse_list(text))
    return [text]

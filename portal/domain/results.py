"""Inspection records as a clerk's table: one row for each item checked at a visit, form points in columns of their own.

The rows of a repeat (samples, what a laboratory says of each) have columns of their own too: each further one
stands in a further row of the same item.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.domain import cells, headings
from portal.domain.cells import Cell, parse_list, parse_text, plain_heading
from portal.domain.forms import VERDICTS
from portal.domain.model import AWAITING, OUTCOMES, Field, Form
from portal.domain.tables import Aliases, MissingColumns, Parsed, parse_table

__all__ = ["NOT_HERE", "ResultRow", "ToFill", "answers_of", "lines_of_rows", "parse_results", "point_headings", "row_headings", "rows_of", "say_outcome", "template_of"]

#: What a template says of a point that is not asked in a row; read again it is as good as empty.
NOT_HERE = "—"
#: Columns of a template before those of the points.
_HEADS = ("入企编号", "任务", "代码", "企业名称", "事项", "结果", "检查日期", "检查人员", "检查方式", "当事人意见", "说明")
_OF_ROW = re.compile(r"〔[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*〕$")  # the end of a heading of a repeat's column
_TO_COME = "待检验结果"
#: Types of points that a table has no cell for.
_NO_CELL = ("repeat", "note", "calculated")
_BETWEEN = "、，,；;\n "

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
    firsts: dict[tuple[str, ...], int] = {}
    lines: list[int] = []
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
        first = firsts.setdefault((visit, item) if visit else (one.task, code, item), line)  # a number alone names the visit
        if first != line and not any(_OF_ROW.search(title) for title in one.points):
            found.error(line, table.heading("item"), f"同一次检查的“{item}”与第 {first} 行重复。请只保留一行；一个事项有几行样品的，每行填写样品各列。")
            continue
        kept.append(one)
        lines.append(line)
    return table.parsed(kept, lines)


def _outcome(text: str) -> str:
    if text in OUTCOMES or text == AWAITING:
        return text
    if text == _TO_COME:
        return AWAITING
    return next((one.code for one in OUTCOMES.values() if one.label == text), "")


def say_outcome(code: str) -> str:
    """An outcome as a table has it, the one to come too."""
    return _TO_COME if code == AWAITING else OUTCOMES[code].label


def point_headings(form: Form) -> dict[str, str]:
    """field name -> the heading of its column, for the points a table can answer.

    Its wording; where that is the heading of something else (联系电话 is a private column of other
    tables) or of two points of the form, its name stands behind it: 联系电话〔contact_phone〕.
    """
    fields = [one for one in form.fields() if one.type not in _NO_CELL]
    wordings = Counter(plain_heading(one.label) for one in fields)
    return {
        one.name: one.label if wordings[plain_heading(one.label)] == 1 and plain_heading(one.label) not in _TAKEN else f"{one.label}〔{one.name}〕"
        for one in fields
    }


def row_headings(form: Form) -> dict[tuple[str, str], str]:
    """(repeat, field of its rows) -> the heading of its column: 封样编号〔results.sealed〕."""
    return {
        (one.name, child.name): f"{child.label}〔{one.name}.{child.name}〕"
        for one in form.fields() if one.type == "repeat" for child in one.fields if child.type not in _NO_CELL
    }  # fmt: skip


_TAKEN = frozenset(plain_heading(wording) for wordings in headings.RESULT.values() for wording in wordings.split())
_TAKEN |= {plain_heading(wording) for wording in (*headings.PERSONAL, *headings.NOT_KEPT, "")}


def answers_of(form: Form, points: Mapping[str, str], note: str) -> dict[str, list[str]]:
    """field name -> values as a posted form would carry them: columns are matched by `point_headings`, a point's wording or its name.

    A wording no choice has is passed on as written, for the form's own check to name it.
    """
    given: dict[str, list[str]] = {}
    named = _named(points)
    own = point_headings(form)
    for one in form.fields():
        titles = (own.get(one.name, ""), one.label, one.name)
        text = next((named[plain] for plain in map(plain_heading, titles) if plain in named), note if one.name == "note" else "")
        if text and one.type not in _NO_CELL:
            given[one.name] = _values(one, text)
    return given


def rows_of(form: Form, lines: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """The rows of repeats as a posted form would carry them (`results.0.sealed`); `lines`: the points of each line of a record."""
    children = {(one.name, child.name): child for one in form.fields() if one.type == "repeat" for child in one.fields}
    given: dict[str, list[str]] = {}
    for repeat, found in lines_of_rows(form, lines).items():
        for n, at in enumerate(found):
            named = _named(lines[at])
            for (parent, child), heading in row_headings(form).items():
                if parent == repeat and (text := named.get(plain_heading(heading))):
                    given[f"{repeat}.{n}.{child}"] = _values(children[parent, child], text)
    return given


def lines_of_rows(form: Form, lines: Sequence[Mapping[str, str]]) -> dict[str, list[int]]:
    """repeat -> which of a record's lines fill in a row of it, in order."""
    own: dict[str, set[str]] = {}
    for (repeat, _), heading in row_headings(form).items():
        own.setdefault(repeat, set()).add(plain_heading(heading))
    return {repeat: [n for n, points in enumerate(lines) if any(_named(points).get(plain) for plain in plains)] for repeat, plains in own.items()}


def _named(points: Mapping[str, str]) -> dict[str, str]:
    return {plain_heading(title): text for title, text in points.items() if text != NOT_HERE}


def _values(one: Field, text: str) -> list[str]:
    if one.type == "verdict":
        labels: dict[str, Any] = {label: value for value, label in VERDICTS.items()} | _MARKS
        return [labels.get(text, text)]
    if one.type in ("select_one", "select_multiple"):
        labels = {parse_text(choice.label): choice.value for choice in one.choices}
        parts = _several(text, labels) if one.type == "select_multiple" else (text,)
        return [labels.get(part, part) for part in parts]
    if one.type in ("photo", "file", "signature"):
        return list(parse_list(text))
    return [text]


def _several(text: str, labels: Mapping[str, str]) -> list[str]:
    """The choices written in one cell: a wording may itself hold the marks that stand between them."""
    found = []
    left = text.strip(_BETWEEN)
    while left:
        here = [label for label in labels if left == label or left.startswith(label) and left[len(label)] in _BETWEEN]
        first = max(here, key=len, default="") or re.split(f"[{_BETWEEN}]", left, maxsplit=1)[0]
        found.append(first)
        left = left[len(first) :].strip(_BETWEEN)
    return found


# A table to be filled ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToFill:
    """One row of a template: an item of a visit, with what is known. `first`: of its form on this visit, where the points are answered."""

    visit: str
    task: str
    code: str
    name: str
    item: str
    recorder: str
    inspected_on: str
    form: Form
    first: bool


def template_of(rows: Sequence[ToFill], methods: Sequence[str]) -> list[list[str]]:
    """The table that `parse_results` reads: headings, a sample row with what may be written, a row for each item of a visit.

    Every point of every form has a column; where a row is not asked for it stands NOT_HERE.
    """
    forms = {(row.form.code, row.form.version): row.form for row in rows}
    columns: dict[str, list[str]] = {}  # plain heading -> [heading, what may be written...]
    for form in (forms[key] for key in sorted(forms)):
        own = point_headings(form)
        for section in form.sections:
            for one in section.fields:
                if one.name in own:
                    guide = columns.setdefault(plain_heading(own[one.name]), [own[one.name]])
                    if (said := _guide(one, bool(one.show_if or section.show_if))) not in guide[1:]:
                        guide.append(said)
                for child in one.fields if one.type == "repeat" else ():
                    heading = row_headings(form).get((one.name, child.name))
                    if heading:
                        columns.setdefault(plain_heading(heading), [heading, f"有几个写几行；{_guide(child, bool(child.show_if))}".strip("；")])
    outcomes = "／".join(one.label for one in OUTCOMES.values())
    guides = ["案例（请删除）", "", "", "", "", outcomes, "2026-06-15", "几人用顿号隔开", "／".join(methods), "", ""]
    table = [[*_HEADS, *(column[0] for column in columns.values())], [*guides, *("；".join(column[1:]) for column in columns.values())]]
    for row in rows:
        titles = (*point_headings(row.form).values(), *row_headings(row.form).values())
        asked = {plain_heading(title) for title in titles} if row.first else ()
        known = [row.visit, row.task, row.code, row.name, row.item, "", row.inspected_on, row.recorder, "", "", ""]
        table.append([*known, *("" if plain in asked else NOT_HERE for plain in columns)])
    return table


def _guide(one: Field, sometimes: bool) -> str:
    """What may be written into the column of a point; `sometimes`: it is not always asked."""
    usual = {
        "verdict": "／".join(VERDICTS.values()), "select_one": "／".join(choice.label for choice in one.choices),
        "select_multiple": "可填几项，用顿号隔开：" + "／".join(choice.label for choice in one.choices), "integer": "整数", "decimal": "数字",
        "date": "日期，例如 2026-06-15", "time": "时间，例如 09:30", "location": "纬度,经度，例如 24.81,118.57",
        "photo": "附件编号，用顿号隔开", "file": "附件编号，用顿号隔开", "signature": "附件编号",
    }.get(one.type, "文字")
    when = "选填" if not one.required else "适用时必填" if sometimes else "必填"
    return f"{when}：{usual}"

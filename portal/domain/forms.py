"""Answers to a form: which points are asked, what is wrong, what may be published.

An answer by type of field: text `str`; integer `int`; decimal `"12.5"`; date
`"2026-01-31"`; time `"09:30"`; select_one `str`; select_multiple a list of
values; verdict `"yes" | "no" | "na"`; photo, file, signature a list of
attachment ids; location `"24.81,118.57"` (WGS 84, latitude first); repeat a list
of rows (dicts); calculated `str`; note has none.  No answer: the key is missing.
Nothing here supplies an answer: a point nobody judged stays open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from portal.domain.declarations import (  # re-exported: the other half of a form
    NEVER_PUBLIC, check_form, check_item, form_from_data, form_to_data, hidden_character, item_from_data, item_to_data,
)
from portal.domain.errors import BadInput, Problem
from portal.domain.expressions import as_text, parse_expression
from portal.domain.model import Field, Form

__all__ = [
    "LONGEST_ANSWER", "MOST_ROWS", "VERDICTS", "check_answers", "check_form", "check_item", "clean_answers",
    "form_from_data", "form_to_data", "hidden_character", "item_from_data", "item_to_data", "parse_answers", "progress",
    "public_answers", "visible",
]

VERDICTS: Mapping[str, str] = {"yes": "合格", "no": "不合格", "na": "不适用"}
LONGEST_ANSWER = 4000  # characters of one text
MOST_ROWS = 200  # of a repeat without its own limit
_ATTACHED = ("photo", "file", "signature")
_read = lru_cache(maxsize=4096)(parse_expression)


# Which points are asked ---------------------------------------------------------


def visible(form: Form, answers: Mapping[str, Any], today: date) -> list[str]:
    """Names of the fields that are asked now, in order (those inside repeats are not listed)."""
    return _settle(form, answers, today)[0]


def clean_answers(form: Form, answers: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The answers without those of hidden points and without blanks, calculated fields computed.

    Names the form does not have are kept, so that check_answers can name them.
    """
    _, kept = _settle(form, answers, today)
    known = {field.name for field in form.fields()}
    return kept | {name: answer for name, answer in answers.items() if name not in known}


def progress(form: Form, answers: Mapping[str, Any], today: date) -> tuple[int, int]:
    """(done, total) over the required points that are asked now; done means answered without a problem."""
    names = set(visible(form, answers, today))
    wanted = [field.name for field in form.fields() if field.required and field.name in names]
    cleaned = clean_answers(form, answers, today)
    open_points = {problem.field for problem in check_answers(form, cleaned, today)}
    return sum(name not in open_points for name in wanted), len(wanted)


def public_answers(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the form marks public, in its order; pass cleaned answers."""
    return _public(form.fields(), answers)


def _public(fields: Sequence[Field], answers: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for field in fields:
        if not field.public or field.type in NEVER_PUBLIC or _blank(answers.get(field.name)):
            continue
        answer = answers[field.name]
        shown[field.name] = [_public(field.fields, row) for row in answer] if field.type == "repeat" else answer
    return shown


def _settle(form: Form, answers: Mapping[str, Any], today: date) -> tuple[list[str], dict[str, Any]]:
    # One pass is enough: show_if and value refer to earlier fields only (check_form).
    names: list[str] = []
    kept: dict[str, Any] = {}
    for section in form.sections:
        if _holds(section.show_if, kept, today):
            _settle_fields(section.fields, answers, kept, {}, today, names)
    return names, kept


def _settle_fields(fields, answers, kept, outer, today, names) -> None:
    for field in fields:
        # Only where something is asked of it: most points have no condition, and a copy for each was a fifth of the time.
        scope = {**outer, **kept} if outer and (field.show_if or field.type in ("calculated", "repeat")) else kept
        if not _holds(field.show_if, scope, today):
            continue
        names.append(field.name)
        answer = answers.get(field.name)
        if field.type == "calculated":
            answer = as_text(_read(field.value).value(scope, "", today))
        elif field.type == "repeat" and isinstance(answer, (list, tuple)):
            rows = []
            inner_names = {child.name for child in field.fields}
            for row in answer:
                if not isinstance(row, Mapping):
                    rows.append(row)
                    continue
                inner: dict[str, Any] = {}
                _settle_fields(field.fields, row, inner, scope, today, [])
                rows.append(inner | {name: part for name, part in row.items() if name not in inner_names})
            answer = rows
        if not _blank(answer):
            kept[field.name] = answer


def _holds(source: str, answers: Mapping[str, Any], today: date) -> bool:
    return not source or _read(source).holds(answers, "", today)


def _blank(answer: Any) -> bool:
    return answer is None or isinstance(answer, str) and not answer.strip() or isinstance(answer, (list, tuple)) and not answer


# What is wrong ------------------------------------------------------------------


def check_answers(form: Form, answers: Mapping[str, Any], today: date) -> list[Problem]:
    """Every problem of the answers, in the order of the form; `row` counts the rows of a repeat from 1."""
    names, kept = _settle(form, answers, today)
    problems = _check_fields(form.fields(), answers, kept, set(names), {}, today, 0)
    known = {field.name for field in form.fields()}
    problems += [Problem(str(name), "表单里没有这一项，请删除。") for name in sorted(map(str, set(answers) - known))]
    return problems


def _check_fields(fields, answers, kept, shown, outer, today, row) -> list[Problem]:
    problems = []
    for field in fields:
        answer = answers.get(field.name)
        blank = _blank(answer)
        if field.name not in shown or field.type == "note":
            if not blank:
                problems.append(Problem(field.name, f"“{field.label}”当前不需要填写，请删除已填的内容。", row))
        elif field.type == "calculated":
            if not blank and answer != kept.get(field.name, ""):
                problems.append(Problem(field.name, f"“{field.label}”由系统计算，不能填写。", row))
        elif blank:
            if field.required:
                problems.append(Problem(field.name, _ask(field), row))
        elif wrong := _wrong(field, answer):
            problems.append(Problem(field.name, f"“{field.label}”{wrong}", row))
        else:
            if field.type == "repeat":
                problems += _check_rows(field, answer, {**outer, **kept}, today)
            if field.constraint and not _read(field.constraint).holds({**outer, **kept}, answer, today):
                problems.append(Problem(field.name, field.message or f"“{field.label}”不符合填写要求，请检查后修改。", row))
    return problems


def _check_rows(field: Field, rows: Sequence[Mapping[str, Any]], outer: Mapping[str, Any], today: date) -> list[Problem]:
    problems = []
    for number, row in enumerate(rows, 1):
        kept: dict[str, Any] = {}
        names: list[str] = []
        _settle_fields(field.fields, row, kept, outer, today, names)
        problems += _check_fields(field.fields, row, kept, set(names), outer, today, number)
        unknown = set(row) - {child.name for child in field.fields}
        problems += [Problem(str(name), "表单里没有这一项，请删除。", number) for name in sorted(map(str, unknown))]
    return problems


def _ask(field: Field) -> str:
    verb = {"verdict": "判断", "select_one": "选择", "select_multiple": "选择", "photo": "拍摄", "file": "上传",
            "signature": "签署", "location": "定位", "repeat": "至少填写一行"}.get(field.type, "填写")
    return f"请{verb}“{field.label}”。"


_SHAPES = {
    "decimal": (re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?"), "应是数字，例如 12.5"),
    "date": (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "应是日期，例如 2026-01-31"),
    "time": (re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"), "应是时间，例如 09:30"),
    "location": (re.compile(r"-?[0-9]{1,2}(?:\.[0-9]{1,8})?,-?[0-9]{1,3}(?:\.[0-9]{1,8})?"), "应是“纬度,经度”，例如 24.81,118.57"),
}
_ATTACHMENT = re.compile(r"[0-9A-Za-z_-]{1,64}")


def _wrong(field: Field, answer: Any) -> str:
    """Why the answer does not fit its type: the end of a sentence, or empty."""
    kind = field.type
    if kind == "integer":
        return "" if type(answer) is int and abs(answer) < 10**15 else f"应是整数，填的是“{_short(answer)}”。"
    if kind in ("select_multiple", "repeat", *_ATTACHED):
        return _wrong_list(field, answer)
    if not isinstance(answer, str):
        return f"的内容类型不对，填的是“{_short(answer)}”。"
    if odd := hidden_character(answer):
        return odd
    if kind == "text":
        return "" if len(answer) <= LONGEST_ANSWER else f"有 {len(answer)} 个字，最多 {LONGEST_ANSWER} 个。"
    if kind in ("verdict", "select_one"):
        return "" if answer in _values(field) else f"没有“{_short(answer)}”这个选项，请重新选择。"
    shape, said = _SHAPES[kind]
    good = shape.fullmatch(answer) is not None
    if good and kind == "date":
        good = _real_date(answer)
    if good and kind == "location":
        latitude, longitude = map(float, answer.split(","))
        good = abs(latitude) <= 90 and abs(longitude) <= 180
    return "" if good else f"{said}，填的是“{_short(answer)}”。"


def _wrong_list(field: Field, answer: Any) -> str:
    if not isinstance(answer, (list, tuple)):
        return f"的内容类型不对，填的是“{_short(answer)}”。"
    most = field.most or (MOST_ROWS if field.type == "repeat" else 0)
    if most and len(answer) > most:
        return f"最多 {most} {'行' if field.type == 'repeat' else '个'}，现有 {len(answer)} 个。"
    if field.type == "repeat":
        return "" if all(isinstance(row, Mapping) for row in answer) else "的内容类型不对，每行应是一组答案。"
    if any(not isinstance(one, str) for one in answer) or len(set(answer)) < len(answer):
        return "有重复或类型不对的内容。"
    if field.type in _ATTACHED:
        return "" if all(_ATTACHMENT.fullmatch(one) for one in answer) else "的附件编号不对，请重新上传。"
    values = _values(field)
    return next((f"没有“{_short(one)}”这个选项，请重新选择。" for one in answer if one not in values), "")


def _values(field: Field) -> list[str]:
    return list(VERDICTS) if field.type == "verdict" else [choice.value for choice in field.choices]


def _real_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _short(answer: Any) -> str:
    text = "".join(letter if letter.isprintable() else "·" for letter in str(answer))
    return text if len(text) <= 30 else text[:29] + "…"


# From a page --------------------------------------------------------------------

_WIDE = str.maketrans("０１２３４５６７８９．－：", "0123456789.-:")
_LOOSE_DATE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_CELL = re.compile(r"([a-z][a-z0-9_]*)\.([0-9]{1,3})\.([a-z][a-z0-9_]*)")


def parse_answers(form: Form, raw: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Answers from the fields of a page; rows of a repeat are `repeat.0.child`, `repeat.1.child`.

    Names beginning with `_` are the page's own and ignored.  What does not fit
    its type is kept as typed, so that a draft loses nothing and check_answers can
    name it.  BadInput with all problems for names the form lacks, several values
    where one is asked, and invisible control or direction characters.
    """
    fields = {field.name: field for field in form.fields()}
    answers: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    problems: list[Problem] = []
    for name, values in raw.items():
        cell = _CELL.fullmatch(name)
        parent = fields.get(cell[1]) if cell else None
        inner = {child.name: child for child in parent.fields} if parent else {}
        field = inner.get(cell[3]) if cell else fields.get(name)
        if field is None or field.type in ("repeat", "note", "calculated"):
            if not name.startswith("_"):
                problems.append(Problem(name, "表单里没有这一项，请刷新页面后重试。"))
            continue
        number = int(cell[2]) if cell else 0
        answer, wrong = _parse(field, values)
        if wrong:
            problems.append(Problem(field.name, f"“{field.label}”{wrong}", number + 1 if cell else 0))
        elif not _blank(answer) and cell:
            rows.setdefault(cell[1], {}).setdefault(number, {})[field.name] = answer
        elif not _blank(answer):
            answers[field.name] = answer
    if problems:
        raise BadInput("有些内容无法接收，请按提示修改。", problems)
    answers |= {name: [row for _, row in sorted(numbered.items())] for name, numbered in rows.items()}
    return {name: answers[name] for name in fields if name in answers}


def _parse(field: Field, values: Sequence[str]) -> tuple[Any, str]:
    given = [text for text in (value.replace("\r\n", "\n").strip() for value in values) if text]
    for text in given:
        if odd := hidden_character(text):
            return None, odd
    if field.type in ("select_multiple", *_ATTACHED):
        order = {value: number for number, value in enumerate(_values(field))}
        return sorted(dict.fromkeys(given), key=lambda value: order.get(value, len(order))), ""
    if len(given) > 1:
        return None, f"只能有一个答案，收到了 {len(given)} 个。"
    text = given[0] if given else ""
    if field.type == "integer" and re.fullmatch(r"[+-]?[0-9]{1,15}", narrow := text.translate(_WIDE)):
        return int(narrow), ""
    if field.type == "decimal" and _SHAPES["decimal"][0].fullmatch(narrow := text.translate(_WIDE)):
        return (narrow.rstrip("0").rstrip(".") if "." in narrow else narrow), ""
    if field.type == "date" and (found := _LOOSE_DATE.fullmatch(text.translate(_WIDE))):
        return f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}", ""
    if field.type == "time":
        return text.translate(_WIDE), ""
    return text, ""

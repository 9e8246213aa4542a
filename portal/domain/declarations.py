"""What sectors declare, as plain data to store and hash, and what can be wrong with it.

`form_to_data(form)` is a dict of text, integers, true and lists of the like: a
value that is empty ("" 0 False None or an empty sequence) is left out, and what
is missing reads back as empty.  So an attribute added to the model later, empty
by default, leaves the digest of every older version as it was.  Reading is
strict: an unknown key or a wrong type is BadInput.  Both directions round-trip
exactly (sequences come back as tuples).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from portal.domain import headings
from portal.domain.cells import plain_heading
from portal.domain.errors import BadInput, Problem
from portal.domain.expressions import Expression, ExpressionError, parse_expression
from portal.domain.model import Basis, CheckItem, Choice, Column, Field, Form, Register, Section

__all__ = [
    "FIELD_TYPES", "LICENCE", "MOST_FIELDS", "NEVER_PUBLIC", "check_form", "check_item", "check_register", "form_from_data",
    "form_to_data", "hidden_character", "item_from_data", "item_to_data", "register_from_data", "register_to_data",
]

FIELD_TYPES = (
    "text", "integer", "decimal", "date", "time", "select_one", "select_multiple", "verdict", "photo",
    "file", "signature", "location", "note", "repeat", "calculated",
)
#: of a form, those of repeats included: nobody fills more, and no page shows them
MOST_FIELDS = 1000
#: Photos, signatures, files and positions stay inside whatever a form says.
NEVER_PUBLIC = ("photo", "file", "signature", "location", "note")
#: A register's columns of these names are those of the licence, which every register has -> the core's field for them.
LICENCE = {
    "name": "licence_name", "number": "licence_number", "issued_on": "licence_issued_on", "valid_to": "licence_valid_to",
    "authority": "licence_authority",
}  # fmt: skip

_PARTS = {
    (Form, "sections"): Section, (Section, "fields"): Field, (Field, "basis"): Basis,
    (Field, "choices"): Choice, (Field, "fields"): Field, (CheckItem, "basis"): Basis,
    (Register, "columns"): Column,
}
_TEXTS = {"methods", "points", "aliases"}
_DATES = {"valid_from", "valid_to"}
_TRUTHS = {"required", "key", "public", "several", "shared", "own"}
_NUMBERS = {"most"}
_OPTIONAL = {"valid_to"}
#: What an item must say itself: a default here would be somebody's guess about the law.
_UNSAID = {
    "qualification": "没有写执法人员资格（qualification），有执法证即可检查的写 CERTIFICATE_ONLY。",
    "valid_from": "没有写有效期起（valid_from），例如 date(2026, 1, 1)。",
}


# To plain data and back --------------------------------------------------------


def form_to_data(form: Form) -> dict[str, Any]:
    """The form as a plain dict, ready for canonical JSON; BadInput where a value has a wrong type."""
    return _to_data(form, Form, "")


def form_from_data(data: Mapping[str, Any]) -> Form:
    """The form that `form_to_data` wrote; BadInput for unknown keys and wrong types."""
    return _from_data(data, Form, "")


def item_to_data(item: CheckItem) -> dict[str, Any]:
    """The item as a plain dict, ready for canonical JSON; BadInput where a value has a wrong type."""
    return _to_data(item, CheckItem, "")


def item_from_data(data: Mapping[str, Any]) -> CheckItem:
    """The item that `item_to_data` wrote; BadInput for unknown keys and wrong types."""
    return _from_data(data, CheckItem, "")


def register_to_data(register: Register) -> dict[str, Any]:
    """The register as a plain dict, ready for canonical JSON; BadInput where a value has a wrong type."""
    return _to_data(register, Register, "")


def register_from_data(data: Mapping[str, Any]) -> Register:
    """The register that `register_to_data` wrote; BadInput for unknown keys and wrong types."""
    return _from_data(data, Register, "")


def _to_data(thing: Any, kind: type, where: str) -> dict[str, Any]:
    if type(thing) is not kind:
        raise BadInput(f"{where or kind.__name__} 应是 {kind.__name__}，写的是 {_shown(thing)}。")
    if unsaid := [said for name, said in _UNSAID.items() if kind is CheckItem and getattr(thing, name) is None]:
        raise BadInput("".join(unsaid))
    data = {}
    for attribute in fields(kind):
        name, value = attribute.name, getattr(thing, attribute.name)
        path = f"{where}.{name}" if where else name
        if part := _PARTS.get((kind, name)):
            value = [_to_data(one, part, f"{path}[{n}]") for n, one in enumerate(_list(value, path))]
        elif name in _DATES:
            if value is not None and type(value) is not date or value is None and name not in _OPTIONAL:
                raise BadInput(f"{path} 应是日期（datetime.date），写的是 {_shown(value)}。")
            value = value.isoformat() if value else None
        else:
            value = _plain(name, value, path)
        if value:
            data[name] = value
    return data


def _from_data(data: Any, kind: type, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise BadInput(f"{where or kind.__name__} 应是一组键值，写的是 {_shown(data)}。")
    known = {attribute.name for attribute in fields(kind)}
    if unknown := sorted(str(key) for key in data if key not in known):
        raise BadInput(f"{where or kind.__name__} 里不认识“{unknown[0]}”。")
    values: dict[str, Any] = {}
    for name in known:
        value = data.get(name)
        path = f"{where}.{name}" if where else name
        if part := _PARTS.get((kind, name)):
            values[name] = tuple(_from_data(one, part, f"{path}[{n}]") for n, one in enumerate(_list(value or (), path)))
        elif name in _DATES:
            values[name] = _date(value, path) if value is not None or name not in _OPTIONAL else None
        elif name in _TEXTS:
            values[name] = tuple(_plain(name, value or (), path))
        else:
            empty = False if name in _TRUTHS else 0 if name in _NUMBERS else ""
            values[name] = _plain(name, empty if value is None else value, path)
    return kind(**values)


def _plain(name: str, value: Any, path: str) -> Any:
    if name in _TEXTS:
        return [_plain("", one, f"{path}[{n}]") for n, one in enumerate(_list(value, path))]
    wanted, said = (bool, "True 或 False") if name in _TRUTHS else (int, "整数") if name in _NUMBERS else (str, "文字")
    if type(value) is not wanted:
        raise BadInput(f"{path} 应是{said}，写的是 {_shown(value)}。")
    return value


def _list(value: Any, path: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise BadInput(f"{path} 应是列表，写的是 {_shown(value)}。")
    return value


def _date(value: Any, path: str) -> date:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise BadInput(f"{path} 应是形如 2026-01-31 的日期，写的是 {_shown(value)}。")


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


# What can be wrong -------------------------------------------------------------

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,29}")
_VALUE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,59}")


def check_item(item: CheckItem) -> list[Problem]:
    """What is wrong with an item in itself (that its form exists is checked at start-up)."""
    problems = _check_identity(item.code, item.version)
    for name, said in (("category", "抽查类别"), ("name", "抽查事项"), ("form", "表单代码")):
        if not getattr(item, name).strip():
            problems.append(Problem(name, f"没有写{said}。"))
    if not item.basis:
        problems.append(Problem("basis", "没有写检查依据，未列依据的事项不得实施检查。"))
    if any(not basis.law.strip() or "《" in basis.law for basis in item.basis):
        problems.append(Problem("basis", "法规名称要写全称，不带书名号。"))
    if item.kind not in ("general", "key"):
        problems.append(Problem("kind", f"事项类别“{item.kind}”不对，应是 general 或 key。"))
    if not item.methods:
        problems.append(Problem("methods", "没有写检查方式。"))
    if item.valid_to is not None and item.valid_to < item.valid_from:
        problems.append(Problem("valid_to", f"有效期止 {item.valid_to} 早于有效期起 {item.valid_from}。"))
    for name, text in (("name", item.name), ("category", item.category), ("guide", item.guide), *(("points", one) for one in item.points)):
        problems += _check_seen(text, name)
    return problems


def check_register(register: Register) -> list[Problem]:
    """What is wrong with a special register."""
    problems = _check_identity(register.code, "1")
    if not register.columns:
        problems.append(Problem("columns", "没有列。"))
    for name in _twice([column.name for column in register.columns]):
        problems.append(Problem(name, "列名重复。"))
    for column in register.columns:
        if not _NAME.fullmatch(column.name):
            problems.append(Problem(column.name, "列名只能用小写字母、数字和下划线，以字母开头。"))
        if column.name == "tags":
            problems.append(Problem(column.name, "监管标签由系统读入，请换一个列名。"))
        if column.type not in ("text", "integer", "date", "code"):
            problems.append(Problem(column.name, f"列类型“{column.type}”不对，应是 text、integer、date 或 code。"))
        problems += [Problem(column.name, wrong) for text in (column.label, *column.aliases) if (wrong := _wrong_heading(column.name, text))]
    return problems


def _wrong_heading(name: str, text: str) -> str:
    """Why a heading cannot be a column's of this name: the core reads it as something else, or nobody may keep it."""
    plain = plain_heading(text)
    if not plain:
        return "没有写表头（label）。"
    if plain in headings.PERSONAL:
        return f"“{text}”是个人信息列，系统不保存。"
    if plain in headings.NOT_KEPT:
        return f"“{text}”列不导入。"
    core = next((field for field, wordings in headings.REGISTER.items() if plain in wordings.split()), "")
    if core and core != LICENCE.get(name):
        own = next((column for column, field in LICENCE.items() if field == core), "")
        return f"“{text}”由系统读作 {core}" + (f"，列名请写 {own}。" if own else "，请换一个表头。")
    return ""


def check_form(form: Form) -> list[Problem]:
    """What is wrong with a form: names, types, choices, expressions and what they refer to."""
    problems = _check_identity(form.code, form.version)
    if not form.title.strip():
        problems.append(Problem("title", "表单没有标题。"))
    everything = [one for field in form.fields() for one in (field, *field.fields)]
    if len(everything) > MOST_FIELDS:
        return [*problems, Problem("sections", f"表单有 {len(everything):,} 个字段，最多 {MOST_FIELDS:,} 个，请分成几张表单。")]
    for text in (form.title, *(section.title for section in form.sections)):
        problems += _check_seen(text, "title")
    for name in _twice([field.name for field in everything]):
        problems.append(Problem(name, "字段名重复。"))
    earlier: set[str] = set()
    top = {field.name for field in form.fields()}
    for section in form.sections:
        problems += _check_expression(section.show_if, section.title, "show_if", earlier, False)
        for field in section.fields:
            problems += _check_field(field, earlier, top)
            inner = set(earlier)
            for child in field.fields:
                if child.type in ("repeat", "note"):
                    problems.append(Problem(child.name, f"重复组里不能再放 {child.type}。"))
                problems += _check_field(child, inner, top | {one.name for one in field.fields})
                inner.add(child.name)
            earlier.add(field.name)
    if not everything:
        problems.append(Problem("sections", "表单没有字段。"))
    return problems


def _check_identity(code: str, version: str) -> list[Problem]:
    problems = []
    if not _CODE.fullmatch(code):
        problems.append(Problem("code", f"代码“{code}”不对，应形如 registration.licence（小写字母、数字、下划线和点）。"))
    if not _VERSION.fullmatch(version):
        problems.append(Problem("version", f"版本“{version}”不对，应形如 2026-1。"))
    return problems


def _check_field(field: Field, earlier: set[str], known: set[str]) -> list[Problem]:
    wrong = []
    if not _NAME.fullmatch(field.name):
        wrong.append("字段名只能用小写字母、数字和下划线，以字母开头，最长 60 个字符。")
    if not field.label.strip():
        wrong.append("没有写显示的文字（label）。")
    if field.type not in FIELD_TYPES:
        wrong.append(f"字段类型“{field.type}”不对，可用的有：{'、'.join(FIELD_TYPES)}。")
    if bool(field.choices) != (field.type in ("select_one", "select_multiple")):
        wrong.append("没有写选项。" if not field.choices else f"类型 {field.type} 不能带选项。")
    for value in _twice([choice.value for choice in field.choices]):
        wrong.append(f"选项“{value}”重复。")
    wrong += [f"选项值“{c.value}”不对，只能用字母、数字和 _ . -。" for c in field.choices if not _VALUE.fullmatch(c.value)]
    if bool(field.fields) != (field.type == "repeat"):
        wrong.append("重复组里没有字段。" if not field.fields else f"类型 {field.type} 不能带下级字段。")
    if bool(field.value) != (field.type == "calculated"):
        wrong.append("没有写计算式（value）。" if not field.value else f"类型 {field.type} 不能带计算式。")
    if field.public and field.type in NEVER_PUBLIC:
        wrong.append(f"类型 {field.type} 永不公开，不能写 public=True。")
    if field.required and field.type in ("note", "calculated"):
        wrong.append(f"类型 {field.type} 不能必填。")
    if field.most < 0:
        wrong.append(f"most 不能是负数，写的是 {field.most}。")
    seen = (field.label, field.hint, field.guide, field.message, *(choice.label for choice in field.choices))
    return [
        *(Problem(field.name, message) for message in wrong),
        *(problem for text in seen for problem in _check_seen(text, field.name)),
        *_check_expression(field.show_if, field.name, "show_if", earlier, False),
        *_check_expression(field.value, field.name, "value", earlier, False),
        *_check_expression(field.constraint, field.name, "constraint", known, True),
    ]


def _check_expression(source: str, who: str, what: str, known: set[str], current: bool) -> list[Problem]:
    # Rules that look only backwards cannot run in a circle, and one pass settles them.
    if not source:
        return []
    try:
        expression: Expression = parse_expression(source)
    except ExpressionError as error:
        return [Problem(who, f"{what} 写的是“{source}”，{error}")]
    problems = [
        Problem(who, f"{what} 写的是“{source}”，其中 ${{{name}}} 不是{'表单的' if current else '排在前面的'}字段。")
        for name in sorted(expression.names - known)
    ]
    if expression.current and not current:
        problems.append(Problem(who, f"{what} 写的是“{source}”，其中“.”只能用在 constraint 里。"))
    return problems


def _check_seen(text: str, who: str) -> list[Problem]:
    # Markup needs no refusal: every page shows a text as the text it is.
    return [Problem(who, f"文字“{_legible(text)}”{odd}")] if (odd := hidden_character(text)) else []


def _legible(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "·" for letter in text)
    return shown if len(shown) <= 30 else shown[:29] + "…"


def hidden_character(text: str) -> str:
    """Why a text is refused for control or direction characters, which hide or reorder what others read; else empty."""
    for letter in text:
        category = unicodedata.category(letter)
        if letter not in "\n\t\u200c\u200d" and category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            return f"含有看不见的控制字符（U+{ord(letter):04X}），请删除后重新输入。"
    return ""


def _twice(names: Sequence[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)

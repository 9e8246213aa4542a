"""What a posted form or a query may hold: one frozen dataclass an action, everything else refused.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Void:
        reason: str = text("作废原因", most=200)

Text is NFC; control and direction characters are refused, they hide or reorder
what the next person reads (TRUST.md control 12).
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from portal.domain.errors import BadInput, Problem
from portal.domain.forms import hidden_character

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]

MOST_FIELDS = 3000
_FORM = "application/x-www-form-urlencoded"


class _Wrong(Exception):
    """The end of a sentence that begins with the field's label."""


# What a field may be: each returns a dataclass field that knows how to read itself -----


def text(label: str, *, most: int = 200, least: int = 1, lines: bool = False, raw: bool = False) -> Any:
    """Text of `least` to `most` characters; 0 makes it optional. `lines`: may have line breaks. `raw`: kept as typed (passwords)."""

    def read(values: Sequence[str]) -> str:
        given = _one(values)
        given = given if raw else unicodedata.normalize("NFC", given.replace("\r\n", "\n")).strip()
        if odd := hidden_character(given) or ("" if lines else _line_break(given)):
            raise _Wrong(odd)
        if len(given) < least:
            raise _Wrong("没有填写。" if not given else f"有 {len(given)} 个字，至少要 {least} 个。")
        if len(given) > most:
            raise _Wrong(f"有 {len(given)} 个字，最多 {most} 个。")
        return given

    return _field(label, read)


def choice(label: str, allowed: Collection[str], *, optional: bool = False) -> Any:
    def read(values: Sequence[str]) -> str:
        given = _one(values)
        if not given and optional:
            return ""
        if not given:
            raise _Wrong("没有选择。")
        if given not in allowed:
            raise _Wrong("没有这个选项，请重新选择。")
        return given

    return _field(label, read)


def number(label: str, lowest: int, highest: int, *, optional: int | None = None) -> Any:
    """A whole number; `optional` is what an empty field means."""

    def read(values: Sequence[str]) -> int:
        given = unicodedata.normalize("NFKC", _one(values)).strip()
        if not given and optional is not None:
            return optional
        if not (given.isascii() and given.isdigit() and len(given) <= 12):
            raise _Wrong("应是整数。" if given else "没有填写。")
        if not lowest <= int(given) <= highest:
            raise _Wrong(f"应在 {lowest} 到 {highest} 之间，填的是 {given}。")
        return int(given)

    return _field(label, read)


def day(label: str, *, optional: bool = False) -> Any:
    def read(values: Sequence[str]) -> date | None:
        given = _one(values)
        if not given and optional:
            return None
        try:
            return date.fromisoformat(given)
        except ValueError:
            raise _Wrong("应是日期，例如 2026-06-30。" if given else "没有填写。") from None

    return _field(label, read)


def several(label: str, *, most: int = 200, least: int = 0) -> Any:
    """Zero or more short texts under one name (check boxes)."""

    def read(values: Sequence[str]) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(unicodedata.normalize("NFC", one).strip() for one in values if one.strip()))
        if any(hidden_character(one) or _line_break(one) or len(one) > 200 for one in found):
            raise _Wrong("含有不能接收的字符。")
        if not least <= len(found) <= most:
            raise _Wrong(f"选了 {len(found)} 个，应在 {least} 到 {most} 个之间。")
        return found

    return _field(label, read)


def column(label: str, *, most: int = 20) -> Any:
    """One text a row of a small table, blank ones kept: rows of several columns stay side by side."""

    def read(values: Sequence[str]) -> tuple[str, ...]:
        found = tuple(unicodedata.normalize("NFC", one).strip() for one in values)
        if any(hidden_character(one) or _line_break(one) or len(one) > 200 for one in found):
            raise _Wrong("含有不能接收的字符。")
        if len(found) > most:
            raise _Wrong(f"有 {len(found)} 行，最多 {most} 行。")
        return found

    return _field(label, read)


def _field(label: str, read: Callable[[Sequence[str]], Any]) -> Any:
    return dataclasses.field(metadata={"label": label, "read": read})


def _one(values: Sequence[str]) -> str:
    if len(values) > 1:
        raise _Wrong(f"只能有一个，收到了 {len(values)} 个。")
    return values[0] if values else ""


def _line_break(given: str) -> str:
    return "不能换行。" if "\n" in given or "\t" in given else ""


# Reading ------------------------------------------------------------------------------


def parse_body(content_type: str, body: bytes) -> Pairs:
    """The pairs of a posted form. Raises BadInput for another content type, bad UTF-8 or too many fields."""
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise BadInput("提交的内容不是表单。请回到页面，用页面上的按钮提交。")
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:  # covers UnicodeDecodeError
        raise BadInput("提交的表单无法识别，请刷新页面后重新填写。") from None


def parse_input(kind: type[T], pairs: Pairs) -> T:
    """The fields of `kind`, nothing more: BadInput with one problem a field."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(given.keys() - fields.keys())
    problems = [Problem(_safe(name), "表单里没有这一栏，请刷新页面后重试。") for name in unknown]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        try:
            values[name] = field.metadata["read"](given.get(name, []))
        except _Wrong as wrong:
            problems.append(Problem(name, f"“{field.metadata['label']}”{wrong}"))
    if problems:
        raise BadInput("有些内容无法接收，请按提示修改。", problems)
    return kind(**values)


def group(pairs: Pairs) -> Mapping[str, list[str]]:
    """name -> values, in the order they came."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _safe(name: str) -> str:
    shown = "".join(letter if letter.isprintable() and not hidden_character(letter) else "·" for letter in name)
    return shown if len(shown) <= 40 else shown[:39] + "…"

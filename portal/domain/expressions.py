"""The expressions of forms: a subset of XLSForm, read once, evaluated without eval.

    or   and   = != < <= > >=   + -   * div   -x   not() selected() count() today() regex()
    ${name}   .   'text' "text"   12 3.5   ( )

Meaning (XPath 1.0 with the habits of XLSForm; one table of cases,
tests/domain/expression_cases.json, is run by every evaluator):

- a missing answer is the empty text; a list is its parts joined by blanks;
- `=` and `!=` compare as truth if one side is a truth value, as numbers if one
  is a number, else as text; `<` and its kin compare two dates (2026-01-31) or
  two times (09:30) as such, else as numbers; what is no number compares as false;
- numbers are IEEE doubles, as in a browser; written out with at most 6 decimals, halves away from zero;
- `regex(x, 'pattern')` matches the whole text, its pattern is a literal in the
  language of pattern.py (linear time, no back references), texts above 1000 never match;
- `today()` is the date passed in: nothing here reads a clock.

A rule longer than LONGEST characters or nested deeper than DEEPEST is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from portal.domain.pattern import Pattern, PatternError, parse_pattern

__all__ = ["DEEPEST", "LONGEST", "Expression", "ExpressionError", "as_text", "parse_expression"]

LONGEST = 1000
DEEPEST = 30


class ExpressionError(ValueError):
    """The expression is wrong; `position` is the 1-based character, the message is Chinese."""

    def __init__(self, message: str, position: int):
        super().__init__(f"表达式第 {position} 个字符处：{message}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: `names` are the fields it asks for, `current` whether it uses `.`."""

    source: str
    tree: tuple
    names: frozenset[str]
    current: bool

    def value(self, answers: Mapping[str, Any], current: Any = "", today: date | None = None) -> Any:
        """What it comes to: bool, float or str. ValueError if today() is used and not given."""
        return _evaluate(self.tree, answers, current, today)

    def holds(self, answers: Mapping[str, Any], current: Any = "", today: date | None = None) -> bool:
        """Whether it is true (a number unless 0 or none, a text unless empty)."""
        return _truth(self.value(answers, current, today))


def parse_expression(source: str) -> Expression:
    """Read `source`; ExpressionError (Chinese, with the position) if it is not in the subset."""
    if len(source) > LONGEST:
        raise ExpressionError(f"表达式长 {len(source)} 个字符，最多 {LONGEST} 个。", LONGEST + 1)
    reader = _Reader(_tokens(source))
    tree = reader.either(0)
    kind, text, position = reader.next
    if kind != "end":
        raise ExpressionError(f"“{text}”是多余的，前面的表达式已经完整。", position)
    names = frozenset(node[1] for node in _walk(tree) if node[0] == "name")
    return Expression(source, tree, names, any(node[0] == "current" for node in _walk(tree)))


# Reading -----------------------------------------------------------------------

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+)|(?P<name>\$\{[A-Za-z_][A-Za-z0-9_]{0,63}\})|(?P<number>[0-9]{1,15}(?:\.[0-9]{1,6})?)"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<sign>!=|<=|>=|[=<>+*(),.-])|(?P<word>[A-Za-z][A-Za-z0-9_-]*)"
)
_COUNTS = {"not": 1, "selected": 2, "count": 1, "today": 0, "regex": 2}
_EQUAL, _ORDER = ("=", "!="), ("<", "<=", ">", ">=")
_COMPARE = _EQUAL + _ORDER


def _tokens(source: str) -> list[tuple[str, str, int]]:
    tokens, at = [], 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(_hint(source, at), at + 1)
        if match.lastgroup != "blank":
            tokens.append((match.lastgroup, match.group(), at + 1))
        at = match.end()
    return [*tokens, ("end", "", len(source) + 1)]


def _hint(source: str, at: int) -> str:
    letter = source[at]
    if source.startswith("${", at):
        return "字段名要写成 ${字段名}，由英文字母、数字和下划线组成。"
    if letter in "'\"":
        return "文字的引号没有成对。"
    if letter in "‘’“”（），＝":
        return f"“{letter}”是全角符号，请换成半角。"
    return f"不认识“{letter}”。"


class _Reader:
    def __init__(self, tokens: list[tuple[str, str, int]]):
        self.tokens, self.at = tokens, 0

    @property
    def next(self) -> tuple[str, str, int]:
        return self.tokens[self.at]

    def take(self, *texts: str) -> str:
        kind, text, _ = self.next
        if kind in ("sign", "word") and text in texts:
            self.at += 1
            return text
        return ""

    def expect(self, text: str) -> None:
        kind, found, position = self.next
        if not self.take(text):
            raise ExpressionError(f"这里应是“{text}”，" + (f"写的是“{found}”。" if found else "表达式却结束了。"), position)

    def left(self, depth: int, operators: tuple[str, ...], operand) -> tuple:
        if depth > DEEPEST:
            raise ExpressionError(f"括号超过 {DEEPEST} 层。", self.next[2])
        tree = operand(depth)
        while operator := self.take(*operators):
            tree = ("op", operator, tree, operand(depth))
        return tree

    def either(self, depth: int) -> tuple:
        return self.left(depth, ("or",), self.both)

    def both(self, depth: int) -> tuple:
        return self.left(depth, ("and",), self.equality)

    def equality(self, depth: int) -> tuple:
        return self.left(depth, _EQUAL, self.order)

    def order(self, depth: int) -> tuple:
        return self.left(depth, _ORDER, self.sum)

    def sum(self, depth: int) -> tuple:
        return self.left(depth, ("+", "-"), self.product)

    def product(self, depth: int) -> tuple:
        return self.left(depth, ("*", "div"), self.signed)

    def signed(self, depth: int) -> tuple:
        if depth > DEEPEST:
            raise ExpressionError(f"括号或负号超过 {DEEPEST} 层。", self.next[2])
        if self.take("-"):
            return ("minus", self.signed(depth + 1))
        return self.single(depth)

    def single(self, depth: int) -> tuple:
        kind, text, position = self.next
        self.at += kind != "end"
        if kind == "number":
            return ("value", float(text))
        if kind == "text":
            return ("value", text[1:-1])
        if kind == "name":
            return ("name", text[2:-1])
        if text == ".":
            return ("current",)
        if text == "(":
            tree = self.either(depth + 1)
            self.expect(")")
            return tree
        if kind == "word" and self.next[1] == "(":
            return self.call(text, position, depth)
        if kind == "end":
            raise ExpressionError("表达式没有写完。", position)
        if kind == "word":
            raise ExpressionError(f"不认识“{text}”；字段要写成 ${{{text}}}，文字要加引号。", position)
        raise ExpressionError(f"“{text}”的位置不对。", position)

    def call(self, name: str, position: int, depth: int) -> tuple:
        if name not in _COUNTS:
            raise ExpressionError(f"不支持函数 {name}()，可用的有：{'、'.join(f'{n}()' for n in _COUNTS)}。", position)
        self.expect("(")
        parts: list[tuple] = []
        while not self.take(")"):
            if parts:
                self.expect(",")
            parts.append(self.either(depth + 1))
        if len(parts) != _COUNTS[name]:
            raise ExpressionError(f"{name}() 要 {_COUNTS[name]} 个参数，写了 {len(parts)} 个。", position)
        if name == "count" and parts[0][0] not in ("name", "current"):
            raise ExpressionError("count() 里只能写一个字段。", position)
        if name == "regex":
            if parts[1][0] != "value" or not isinstance(parts[1][1], str):
                raise ExpressionError("regex() 的第二个参数要直接写出文字。", position)
            try:
                return ("regex", parts[0], parse_pattern(parts[1][1]))
            except PatternError as error:
                raise ExpressionError(f"{error}。", position) from None
        return (name, *parts)


def _walk(tree: tuple):
    # An explicit stack: a long chain of `or` is a deep tree.
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(part for part in node[1:] if isinstance(part, tuple))


# Evaluating --------------------------------------------------------------------

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")
_NUMBER = re.compile(r"[ \t\r\n]*-?[0-9]+(?:\.[0-9]*)?[ \t\r\n]*")
_BLANKS = re.compile(r"[ \t\r\n]+")
_SIXTH = Decimal("0.000001")
_NAN = float("nan")


def _evaluate(node: tuple, answers: Mapping[str, Any], current: Any, today: date | None) -> Any:
    kind = node[0]
    if kind == "value":
        return node[1]
    if kind == "name":
        return _simple(answers.get(node[1]))
    if kind == "current":
        return _simple(current)
    if kind == "today":
        if today is None:
            raise ValueError("today() needs a date, none was given")
        return today.isoformat()
    if kind == "count":
        raw = current if node[1][0] == "current" else answers.get(node[1][1])
        return float(len(raw)) if isinstance(raw, (list, tuple)) else float(_simple(raw) != "")
    if kind == "op":
        return _operation(node, answers, current, today)
    first = _evaluate(node[1], answers, current, today)
    if kind == "minus":
        return -_number(first)
    if kind == "not":
        return not _truth(first)
    if kind == "regex":
        pattern: Pattern = node[2]
        return pattern.matches(as_text(first))
    second = _evaluate(node[2], answers, current, today)  # selected
    wanted = as_text(second)
    return wanted != "" and wanted in _BLANKS.split(as_text(first))


def _operation(node: tuple, answers: Mapping[str, Any], current: Any, today: date | None) -> Any:
    # The left side of a chain is followed in a loop, not by recursion: `a or b or c ...`.
    chain = []
    while node[0] == "op":
        chain.append((node[1], node[3]))
        node = node[2]
    result = _evaluate(node, answers, current, today)
    for operator, right in reversed(chain):
        if operator in ("or", "and"):
            if _truth(result) == (operator == "or"):
                result = operator == "or"
            else:
                result = _truth(_evaluate(right, answers, current, today))
            continue
        other = _evaluate(right, answers, current, today)
        if operator in _COMPARE:
            result = _compare(operator, result, other)
        else:
            result = _arithmetic(operator, _number(result), _number(other))
    return result


def _compare(operator: str, one: Any, two: Any) -> bool:
    if operator in ("=", "!="):
        if isinstance(one, bool) or isinstance(two, bool):
            equal = _truth(one) == _truth(two)
        elif isinstance(one, float) or isinstance(two, float):
            equal = _number(one) == _number(two)
        else:
            equal = one == two
        return equal == (operator == "=")
    if not (isinstance(one, str) and isinstance(two, str) and any(
        form.fullmatch(one) and form.fullmatch(two) for form in (_DATE, _TIME)
    )):
        one, two = _number(one), _number(two)
    return {"<": one < two, "<=": one <= two, ">": one > two, ">=": one >= two}[operator]


def _arithmetic(operator: str, one: float, two: float) -> float:
    if operator == "div":
        return one / two if two else _NAN
    return one + two if operator == "+" else one - two if operator == "-" else one * two


def _simple(raw: Any) -> Any:
    """An answer as a value of the language: bool, float or str."""
    if raw is None:
        return ""
    if isinstance(raw, (bool, str)):
        return raw
    if isinstance(raw, (int, float)):
        return float(raw)
    if isinstance(raw, (list, tuple)):
        return " ".join(part for part in raw if isinstance(part, str))
    return ""


def _truth(value: Any) -> bool:
    return value != 0 and value == value if isinstance(value, float) else bool(value)


def _number(value: Any) -> float:
    if isinstance(value, (bool, float)):
        return float(value)
    return float(value) if _NUMBER.fullmatch(value) else _NAN


def as_text(value: Any) -> str:
    """A value of the language as text: true/false, 12, 3.5; empty for what is no number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not abs(value) < 1e15:
            return ""
        # Half away from zero, as a browser's toFixed has it: f"{0.0078125:.6f}" would round to even.
        written = f"{Decimal(value).quantize(_SIXTH, ROUND_HALF_UP):f}".rstrip("0").rstrip(".")
        return "0" if written == "-0" else written
    return value

"""The page of an entity, of which there are a hundred thousand: the template's own words, joined instead of rendered.

The plain Jinja2 render is the truth. For each shape of page (how many items, which of them with a problem, and so on:
all that the template asks about) the template is rendered once with a token in place of every value. Split at the
tokens it gives the words between the values, and each token says which value stands there and how it is written; from
then on a page of that shape is those words joined with its values. Most results hold no mark that HTML or JSON would
escape; one look at their bytes says so, and then none of their values is looked at. Whatever does not fit (several visits, a corrected
one, a value with a line break) is None here and rendered plainly by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from jinja2 import Environment
from markupsafe import escape

Row = dict[str, Any]
Fill = Callable[[Row, str], str]
Fills = tuple[Fill, Fill]  # for values as they are, for values that must be escaped

TEMPLATE = "entity.html"
OFTEN = ("cn_date", "cn_day", "cn_time", "label_class", "task_path", "result_path")  # asked for few values again and again
MOST_SHAPES = 4000  # each holds a page's words; a register with more shapes than this has no shapes
TOKEN = re.compile("\ue000([0-9]+)\ue001")  # of the private use area: they stand in no template
MARKS = (b"&", b"<", b">", b"'", b"\\")  # JSON writes a double quote or a line break with the last
_ELEMENT = re.compile(r"(\w+)#([01])(.*)", re.DOTALL)  # a value of the first or second element of a list


class _Plain(Exception):
    """This page is for the plain way."""


class Slot(str):
    """A value that is not known yet: `code` is the expression for it. Prints as its token."""

    code: str
    known: list[str]

    def __new__(cls, code: str, known: list[str]) -> Slot:
        known.append(code)
        made = super().__new__(cls, f"\ue000{len(known) - 1}\ue001")
        made.code, made.known = code, known
        return made


def _slotted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or function of the templates that makes of a slot the slot of what it will give."""
    in_pieces = name == "pieces"

    def wrapped(value: Any, *more: Any) -> Any:
        if not isinstance(value, Slot):
            return function(value, *more)
        element = _ELEMENT.fullmatch(value.code)
        code = f"{element[1]}#{element[2]}f_{name}({element[3]})" if element else f"f_{name}({value.code})"
        made = Slot(code, value.known)
        return [made] if in_pieces else made

    return wrapped


def words(value: Any) -> str:
    """A value as autoescape writes it."""
    text = value if type(value) is str else str(value)
    if text.isalnum():  # most are: nothing to escape, nothing to see through
        return text
    if "\n" in text:  # lines with nothing to see in them are taken out of a page
        raise _Plain
    return escape(text)


class Hot:
    """`render(visits, path, as_of, raw)`: the page of an entity, or None where the plain way must be taken.

    `raw`: JSON that holds every value of the visits; the addresses of items alone are not of it, and they are plain.
    """

    def __init__(self, environment: Environment, fixed: Mapping[str, Any], functions: Mapping[str, Callable[..., str]], filters: Mapping[str, Callable[..., Any]]):
        self.environment = environment.overlay()
        self.environment.filters = environment.filters | {name: _slotted(name, one) for name, one in filters.items()}
        self.fixed = {**fixed, **{name: _slotted(name, one) for name, one in functions.items()}}
        self.calls: dict[str, Any] = {f"f_{name}": lru_cache(1 << 10)(one) if name in OFTEN else one for name, one in (functions | filters).items()}
        self.escaped = self.calls | {"w": words, "h": lru_cache(1 << 12)(words), "pieces": lambda cut: "<wbr>".join(map(words, cut))}
        self.shapes: dict[Any, Fills | None] = {}

    def render(self, visits: list[Row], path: str, as_of: str, raw: bytes) -> bytes | None:
        if len(visits) != 1:
            return None
        visit = visits[0]
        shape = shape_of(visit, path.count("/"))
        try:
            fills = self.shapes[shape]
        except KeyError:
            if len(self.shapes) >= MOST_SHAPES:
                return None
            fills = self.shapes[shape] = self._fills_of(visit, path.count("/"))
        if fills is None:
            return None
        for mark in MARKS:
            if mark in raw:
                break
        else:
            with suppress(TypeError):  # a value that should be a text is none
                return fills[0](visit, as_of).encode()
        try:
            return fills[1](visit, as_of).encode()
        except _Plain:
            return None

    def _fills_of(self, visit: Row, depth: int) -> Fills | None:
        if any("old" in entry for entry in visit["history"]):
            return None
        known: list[str] = []
        parts, items = self.parts_of(_with_slots(visit, known), depth, Slot("as_of", known), known), len(visit["items"])
        return _compiled(parts, items, self.calls, _bare), _compiled(parts, items, self.escaped, _term)

    def parts_of(self, shown: Row, depth: int, as_of: Slot, known: list[str]) -> list[tuple[str, str]]:
        """(words before, expression) in order, of the page of a visit with slots; the last expression is empty."""
        context = {"visits": [shown], "entity": shown, "brief": False, "pager": {"number": 1, "paths": [""], "start": 0, "total": 1}}
        text = self.environment.get_template(TEMPLATE).render(
            self.fixed, **context, root="../" * depth or "./", path="", here="results", as_of=as_of
        )
        lines = [line for line in text.split("\n") if line.strip()]
        if not all(TOKEN.sub("", line).strip() for line in lines):
            raise AssertionError(f"{TEMPLATE}: a line holds nothing but a value")  # it would go where the value is blank: a mistake in the template
        split = TOKEN.split("\n".join(lines) + "\n")
        return [*((split[n], known[int(split[n + 1])]) for n in range(0, len(split) - 1, 2)), (split[-1], "")]


def shape_of(visit: Row, depth: int) -> tuple[Any, ...]:
    """All that the template asks about a visit: two of one shape, so many folders deep, differ in values alone."""
    shape: list[Any] = [depth, not visit["methods"], not visit["history"], True in ["old" in entry for entry in visit["history"]]]
    for item in visit["items"]:
        follow = item["follow_up"]
        shape += (not item["address"], item["problem"], not item["summary"], not item["points"], follow["state"], not follow["closed_on"])
    return tuple(shape)


def _with_slots(visit: Row, known: list[str]) -> Row:
    """A visit of the same shape with a slot for each value; lists that repeat one kind of line have two elements."""
    shown: Row = {name: Slot(f"v[{name!r}]", known) for name in visit}
    shown["methods"] = [Slot("'、'.join(v['methods'])", known)] if visit["methods"] else []
    shown["proof"] = {name: Slot(f"v['proof'][{name!r}]", known) for name in visit["proof"]}
    shown["history"] = _two("history", ("on", "text"), known) if visit["history"] else []
    shown["items"] = []
    for n, item in enumerate(visit["items"]):
        follow = item["follow_up"]
        shown["items"].append({
            "code": Slot(f"i{n}['code']", known), "name": Slot(f"i{n}['name']", known), "outcome_label": Slot(f"i{n}['outcome_label']", known),
            "problem": item["problem"],
            **{name: Slot(f"i{n}[{name!r}]", known) if item[name] else "" for name in ("address", "summary")},
            "points": _two(f"points{n}", ("label", "answer"), known) if item["points"] else [],
            "follow_up": {
                "state": follow["state"], "label": Slot(f"i{n}['follow_up']['label']", known),
                "closed_on": Slot(f"i{n}['follow_up']['closed_on']", known) if follow["closed_on"] else None,
            },
        })  # fmt: skip
    return shown


def _two(name: str, fields: tuple[str, ...], known: list[str]) -> list[Row]:
    return [{field: Slot(f"{name}#{n}e[{field!r}]", known) for field in fields} for n in (0, 1)]


def _compiled(parts: list[tuple[str, str]], items: int, calls: Mapping[str, Any], term: Callable[[str], str]) -> Fill:
    """The function that joins: `parts` as Python. Every expression in it was put together here, from names of fields."""
    terms: list[str] = []
    at = 0
    while at < len(parts):
        before, code = parts[at]
        element = _ELEMENT.fullmatch(code)
        terms.append(repr(before))
        if not element:
            terms += [term(code)] if code else []
            at += 1
            continue
        name = element[1]
        first = [part for part in parts[at:] if part[1].startswith(f"{name}#0")]
        second = parts[at + len(first) : at + 2 * len(first)]
        if [one for _, one in second] != [one.replace("#0", "#1", 1) for _, one in first] or [one for one, _ in second[1:]] != [one for one, _ in first[1:]]:
            raise AssertionError(f"{TEMPLATE}: the lines of {name} are not all alike")  # a mistake in the template
        line = ", ".join(part for n, (words_, one) in enumerate(first) for part in (*([repr(words_)] if n else []), term(_ELEMENT.fullmatch(one)[3])))
        source = "v['history']" if name == "history" else f"i{name.removeprefix('points')}['points']"
        terms.append(f"{second[0][0]!r}.join([''.join(({line},)) for e in {source}])")
        at += 2 * len(first)
    unpacked = "".join(f"i{n}, " for n in range(items))
    body = f"def fill(v, as_of):\n{f' ({unpacked}) = v[{chr(39)}items{chr(39)}]' if items else ' pass'}\n return ''.join(({', '.join(terms)},))\n"
    made: dict[str, Any] = dict(calls)
    exec(compile(body, TEMPLATE, "exec"), made)  # noqa: S102
    return made["fill"]


def _term(code: str) -> str:
    """A value as the page writes it. What few values are ever written to is remembered."""
    if code.startswith("f_pieces("):
        return f"pieces({code})"
    often = code.startswith("f_cn") or code.endswith(("['outcome_label']", "['label']", "['type']", "['status']", "['authority']", "['round_title']", "e['answer']"))
    return f"{'h' if often else 'w'}({code})"


def _bare(code: str) -> str:
    """A value as it is, of a result with nothing to escape."""
    if code.startswith("f_pieces("):
        return f"'<wbr>'.join({code})"
    return f"str({code})" if code.endswith("['inspectors']") else code  # the one number that no filter makes a text of

"""The page of an entity with one result, from its line of JSON itself: nothing of it is made into objects.

The first line of a kind is read, and the template rendered for it with a token in place of each value (hot.py). The line with the same
tokens in it is the pattern of its kind: a later line that it matches differs in texts and in the numbers printed alone, and its page is
the template's words joined with what the pattern found. What does not fit, or holds a mark that HTML would write otherwise, is None
here and goes the other way. The same oracle holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from operator import lt
from typing import Any, NamedTuple

from public_site.bundle import decode, plain_json
from public_site.hot import MARKS, OFTEN, TOKEN, Hot, Slot

Row = dict[str, Any]
Where = tuple[Any, ...]  # names and numbers that lead to a value

MOST_KINDS = 1000
PATIENCE = 32  # lines like none before until one of them is made a kind, which costs some fifty times what the other way does: rare kinds never are
ASKED = "state"  # a text the template asks about: each kind has one
MUST_BE = ("summary", "closed_on")  # texts the template asks about being there
NUMBERS = (("inspectors",), ("proof", "index"), ("proof", "size"))


class Kind(NamedTuple):
    """How lines of one kind are known, and their pages made of what was found in them: None where it is not of this kind after all."""

    match: Callable[[bytes], re.Match[bytes] | None]
    fill: Callable[..., bytes | None]


class Quick:
    """`render(line, path)`: the page, or None. `address(code, day)`: that of an item's version, or "" (pages.py); `most`: bytes of a page.

    The first line with so many marks of quotation makes a kind; of those that fit none of these, one in `patience` does.
    """

    def __init__(self, hot: Hot, address: Callable[[str, str], str], most: int, patience: int = PATIENCE):
        self.hot, self.most, self.patience, self.count = hot, most, patience, 0
        self.missed: Counter[tuple[int, int]] = Counter()
        self.kinds: dict[tuple[int, int], list[Kind]] = {}  # by marks of quotation in a line, and folders above its page
        self.calls: dict[str, Any] = {"address": lru_cache(1 << 12)(lambda code, day: address(code.decode(), day.decode()).encode())}
        for name, function in hot.calls.items():
            made = _of_bytes(name, function)
            self.calls[name] = lru_cache(1 << 10)(made) if name.removeprefix("f_") in OFTEN else made

    def render(self, line: bytes, path: str) -> bytes | None:
        for mark in MARKS:
            if mark in line:
                return None
        key = line.count(b'"'), path.count("/")
        for kind in self.kinds.get(key, ()):
            if (found := kind.match(line)) and (page := kind.fill(*found.groups())):
                return page if len(page) <= self.most else None
        due = self.missed[key] % self.patience == 0 and self.count < MOST_KINDS
        self.missed[key] += 1
        made = self._kind_of(line, key[1]) if due else None
        if made is None or not (found := made.match(line)):  # a number below nothing
            return None
        self.count += 1
        self.kinds.setdefault(key, []).append(made)
        page = made.fill(*found.groups())
        return page if page and len(page) <= self.most else None

    def _kind_of(self, line: bytes, depth: int) -> Kind | None:
        visit = decode(line)
        if plain_json(visit) != line.rstrip(b"\n") or "\ue000".encode() in line:  # written otherwise, or with a token in it
            return None
        days = [entry["on"] for entry in visit["history"]]
        if any(type(_at(visit, where)) is not int for where in NUMBERS) or any("old" in entry for entry in visit["history"]) or not all(map(lt, days, days[1:])):
            return None  # days in any other order are put into this one by the page
        known: list[str] = []
        shown = _slots(visit, (), known)
        texts = plain_json(shown).decode()
        days, asked = [entry["on"].code for entry in shown["history"]], []
        shown["history"].reverse()  # newest first
        for n, item in enumerate(visit["items"]):
            has = bool(self.calls["address"](item["code"].encode(), visit["inspected_on"].encode()))
            asked.append((shown["items"][n]["code"].code, shown["inspected_on"].code, has))
            shown["items"][n]["address"] = Slot(f"a{n}", known) if has else ""
        parts = self.hot.parts_of(shown, depth, Slot("as_of", known), known)
        names, pattern = _pattern(texts, known)
        body = [f"def fill({', '.join(names)}):"]
        body += [f" if not ({' < '.join(days)}): return None"] * (len(days) > 1)
        for n, (code, day, has) in enumerate(asked):
            body += [f" a{n} = address({code}, {day})", f" if {'not ' * has}a{n}: return None"]
        words = ", ".join(f"{before.encode()!r}, {code or repr(b'')}" for before, code in parts)
        body += [f" as_of = max(({shown['published_on'].code}, {', '.join(days)}))", f" return b''.join(({words}))"]
        made: dict[str, Any] = dict(self.calls)
        exec(compile("\n".join(body), "entity.html", "exec"), made)  # noqa: S102 - put together here, from numbers and names of filters
        return Kind(re.compile(pattern).fullmatch, made["fill"])


def _of_bytes(name: str, function: Callable[..., Any]) -> Callable[[bytes], bytes]:
    """A filter or function of the templates, from what stands in a line to what stands on the page."""
    if name == "f_count":
        return lambda raw: function(int(raw)).encode()
    if name == "f_pieces":
        return lambda raw: "<wbr>".join(function(raw.decode())).encode()
    return lambda raw: function(raw.decode()).encode()


def _slots(value: Any, where: Where, known: list[str]) -> Any:
    """A visit with a slot for each value that may be another one in a line of the same kind."""
    if isinstance(value, dict):
        return {name: _slots(one, (*where, name), known) for name, one in value.items()}
    if isinstance(value, list):
        return [_slots(one, (*where, n), known) for n, one in enumerate(value)]
    if where in NUMBERS:
        return Slot(f"number{len(known)}", known)
    if isinstance(value, str) and where[-1] != ASKED and (value or where[-1] not in MUST_BE):
        return Slot(f"{'some' if where[-1] in MUST_BE else 'text'}{len(known)}", known)
    return value


FOUND = {"text": b'"([^"]*+)"', "some": b'"([^"]++)"', "number": b"([0-9]++)"}  # by the name of a slot: what it may stand for


def _pattern(line: str, known: list[str]) -> tuple[list[str], bytes]:
    """(names of the groups, pattern) of a line with slots."""
    split = TOKEN.split(line)
    names = [known[int(number)] for number in split[1::2]]
    pattern = re.escape(split[0][:-1].encode())
    for name, after in zip(names, split[2::2], strict=True):
        pattern += FOUND[name.rstrip("0123456789")] + re.escape(after[1:].removesuffix('"').encode())
    return names, pattern + rb"\n?"


def _at(value: Any, where: Where) -> Any:
    for name in where:
        value = value[name]
    return value

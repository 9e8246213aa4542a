"""The page of an entity with one result, from its line of JSON itself: nothing of it is made into objects.

A line without a backslash, cut at its quotation marks, has its texts at places that the rest fixes: keys, commas, brackets.
The first line of a kind is read, and the template rendered for it with a token in place of each value (hot.py); a later line whose
pieces are all the same but for texts and the numbers printed is of that kind, and its page is the template's words joined with its pieces.
What does not fit, or holds a mark that HTML would write otherwise, is None here and goes the other way. The same oracle holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter, lt
from typing import Any

from public_site.bundle import decode
from public_site.hot import MARKS, OFTEN, Hot, Slot

Row = dict[str, Any]
Where = tuple[Any, ...]  # names and numbers that lead to a value

MOST_KINDS = 1000
ASKED = "state"  # a text the template asks about: each kind has one
MUST_BE = ("summary", "closed_on")  # texts the template asks about being there
NUMBERS = (("inspectors",), ("proof", "index"), ("proof", "size"))


@dataclass(frozen=True, slots=True)
class Kind:
    """How lines of one kind are known and their pages made; numbers are places among the pieces of a line."""

    fixed: Callable[[list[bytes]], tuple[bytes, ...]]
    words: tuple[bytes, ...]  # what is at them
    filled: tuple[int, ...]  # texts that are not empty
    numbers: tuple[tuple[int, bytes], ...]  # where, and what follows the digits
    days: tuple[int, ...]  # of publication, and of each change
    items: tuple[tuple[int, bool], ...]  # code, and whether its item has an address
    inspected_on: int
    fill: Callable[..., bytes]


class Quick:
    """`render(line, path)`: the page, or None. `address(code, day)`: that of an item's version, or "" (pages.py); `most`: bytes of a page."""

    def __init__(self, hot: Hot, address: Callable[[str, str], str], most: int):
        self.hot, self.most, self.count = hot, most, 0
        self.kinds: dict[tuple[int, int], list[Kind]] = {}
        self.address = lru_cache(1 << 12)(lambda code, day: address(code.decode(), day.decode()).encode())
        self.calls = {}
        for name, function in hot.calls.items():
            make = (lambda raw, f=function: "<wbr>".join(f(raw.decode())).encode()) if name == "f_pieces" else (lambda raw, f=function: str(f(raw.decode())).encode())
            if name == "f_count":
                make = lambda raw, f=function: f(int(raw)).encode()  # noqa: E731
            self.calls[name] = lru_cache(1 << 10)(make) if name.removeprefix("f_") in OFTEN else make

    def render(self, line: bytes, path: str) -> bytes | None:
        for mark in MARKS:
            if mark in line:
                return None
        pieces, depth = line.split(b'"'), path.count("/")
        for kind in self.kinds.get((len(pieces), depth), ()):
            if kind.fixed(pieces) == kind.words and (page := self._page(kind, pieces)):
                return page
        if self.count < MOST_KINDS:
            made = self._kind_of(line, pieces, depth)
            if made:
                self.count += 1
                self.kinds.setdefault((len(pieces), depth), []).append(made)
                return self._page(made, pieces)
        return None

    def _page(self, kind: Kind, pieces: list[bytes]) -> bytes | None:
        """None where it is not of this kind after all."""
        for at in kind.filled:
            if not pieces[at]:
                return None
        numbers = []
        for at, end in kind.numbers:
            piece = pieces[at]
            number = piece[1 : -len(end)]
            if not (number.isdigit() and piece.endswith(end) and piece[:1] == b":"):
                return None
            numbers.append(number)
        addresses = []
        for at, has in kind.items:
            address = self.address(pieces[at], pieces[kind.inspected_on])
            if bool(address) is not has:
                return None
            addresses.append(address)
        days = [pieces[at] for at in kind.days]
        if not _in_order(days[1:]):
            return None
        page = kind.fill(pieces, numbers, addresses, max(days))
        return page if len(page) <= self.most else None

    def _kind_of(self, line: bytes, pieces: list[bytes], depth: int) -> Kind | None:
        visit = decode(line)
        places = dict(_places(visit))
        numbers = [where for where in NUMBERS if type(_at(visit, where)) is int]
        values = {at for where, (at, text) in places.items() if where[-1] != ASKED and (text or where[-1] not in MUST_BE)}
        spots = dict(_numbers(visit))
        if len(numbers) < len(NUMBERS) or any(pieces[at] != text.encode() for at, text in places.values()) or any("old" in entry for entry in visit["history"]):
            return None
        if not _in_order([entry["on"] for entry in visit["history"]]):
            return None
        ends = tuple((spots[where], pieces[spots[where]].lstrip(b":0123456789")) for where in NUMBERS)
        fixed = [at for at in range(len(pieces)) if at not in values and at not in {at for at, _ in ends}]
        known: list[str] = []
        shown, has = self._shown(visit, places, known)
        parts = self.hot.parts_of(shown, depth, Slot("as_of", known), known)
        return Kind(
            itemgetter(*fixed), itemgetter(*fixed)(pieces), tuple(at for where, (at, text) in places.items() if where[-1] in MUST_BE and text), ends,
            (places[("published_on",)][0], *(places[("history", n, "on")][0] for n in range(len(visit["history"])))),
            tuple((places[("items", n, "code")][0], one) for n, one in enumerate(has)), places[("inspected_on",)][0], self._filling(parts),
        )  # fmt: skip

    def _shown(self, visit: Row, places: dict[Where, tuple[int, str]], known: list[str]) -> tuple[Row, list[bool]]:
        """The visit with a slot for each value, and which of its items have an address."""

        def slots(value: Any, where: Where) -> Any:
            if isinstance(value, dict):
                return {name: slots(one, (*where, name)) for name, one in value.items()}
            if isinstance(value, list):
                return [slots(one, (*where, n)) for n, one in enumerate(value)]
            if where in NUMBERS:
                return Slot(f"n[{NUMBERS.index(where)}]", known)
            if isinstance(value, str) and where[-1] != ASKED and (value or where[-1] not in MUST_BE):
                return Slot(f"t[{places[where][0]}]", known)
            return value

        shown, has = slots(visit, ()), []
        shown["history"].reverse()  # newest first
        for n, item in enumerate(visit["items"]):
            has.append(bool(self.address(item["code"].encode(), visit["inspected_on"].encode())))
            shown["items"][n]["address"] = Slot(f"a[{n}]", known) if has[-1] else ""
        return shown, has

    def _filling(self, parts: list[tuple[str, str]]) -> Callable[..., bytes]:
        """The function that joins. Every expression in it was put together here, from numbers and names of filters."""
        base: list[bytes] = []
        plain, others = [], []
        for before, code in parts:
            base += [before.encode(), b""]
            plain.append(int(code[2:-1]) if code.startswith("t[") else 0)
            if code and not code.startswith("t["):
                others.append(f" out[{len(base) - 1}] = {code}\n")
        base.pop()
        body = f"def fill(t, n, a, as_of):\n out = base[:]\n out[1::2] = texts(t)\n{''.join(others)} return b''.join(out)\n"
        made: dict[str, Any] = {**self.calls, "base": base, "texts": itemgetter(*plain[:-1])}
        exec(compile(body, "entity.html", "exec"), made)  # noqa: S102
        return made["fill"]


def _in_order(days: list[Any]) -> bool:
    """Whether each is later than the one before: others the page puts into another order."""
    return all(map(lt, days, days[1:]))


def _places(visit: Row) -> Iterator[tuple[Where, tuple[int, str]]]:
    """(where, (place among the pieces, text)) of every text."""
    return ((where, (at, value)) for where, at, value in _walk(visit, (), [0]) if isinstance(value, str))


def _numbers(visit: Row) -> Iterator[tuple[Where, int]]:
    return ((where, at) for where, at, value in _walk(visit, (), [0]) if where in NUMBERS)


def _walk(value: Any, where: Where, at: list[int]) -> Iterator[tuple[Where, int, Any]]:
    """Every value in the line's order; `at[0]` is the piece outside of quotation marks that is being read."""
    if isinstance(value, dict):
        for name, one in value.items():
            at[0] += 2
            yield from _walk(one, (*where, name), at)
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from _walk(one, (*where, n), at)
    elif isinstance(value, str):
        at[0] += 2
        yield where, at[0] - 1, value
    else:
        yield where, at[0], value


def _at(value: Any, where: Where) -> Any:
    for name in where:
        value = value[name]
    return value

"""A list as data: its columns, its filters, and what somebody asked of it.

One declaration serves the page, the search as you type, the export and the figures that
lead there; so they cannot disagree about which rows a filter leaves.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from portal.domain.errors import BadInput, Problem

__all__ = ["Asked", "Column", "Filter", "Listing", "SIZES", "cursor_of", "parse_cursor"]

SIZES = (50, 200, 2000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`kind`: text, name, code, hash (a code that may be broken anywhere), number, day, moment or words (a mapping of the web's wording).

    `href`: where a cell leads, with {columns} of its row; `needs`: the act that opens it. `shown`: unless
    others are chosen. `sort`: whether rows may be put in its order. `made`: filled in after the rows are read.
    """

    name: str
    label: str
    kind: str = "text"
    words: str = ""
    href: str = ""
    needs: str = ""
    shown: bool = True
    sort: bool = True
    made: bool = False
    narrow: bool = True  # kept on a phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`kind`: like (part of a text), is, text (the same, typed in), begins, has (one of a list), whole (a number), from, to (days), tree (an organisation and all below).

    `options`: the values of a choice, named for `steps.lists.load_options` or given as (value, label).
    A filter that is not `shown` comes from a figure's link and is named above the rows.
    """

    name: str
    label: str
    kind: str = "is"
    columns: tuple[str, ...] = ()
    options: str | tuple[tuple[str, str], ...] = ()
    words: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """`unit` is what rows are counted in (户, 次, 项); `key` a column that tells rows apart, and `order` their first order.

    `personal`: names of people are in it, so an export is noted in the audit. `enough`: rows are not counted beyond it (0: all are).
    """

    name: str
    path: str
    title: str
    act: str
    unit: str
    key: str
    order: str
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...] = ()
    empty: str = "没有符合条件的记录。"
    about: str = ""
    personal: bool = False
    enough: int = 0

    def column(self, name: str) -> Column:
        return next(one for one in self.columns if one.name == name)

    def filter(self, name: str) -> Filter:
        return next(one for one in self.filters if one.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to see: `given` filter -> value, `sort` a column (with - the other way round), `columns` chosen."""

    given: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    columns: tuple[str, ...] = ()
    after: str = ""
    size: int = SIZES[0]

    def chosen(self, listing: Listing) -> tuple[Column, ...]:
        """The columns to show, in the list's own order."""
        wanted = set(self.columns)
        return tuple(one for one in listing.columns if (one.name in wanted if wanted else one.shown))

    def order(self, listing: Listing) -> tuple[str, bool]:
        """(column, whether ascending)."""
        sort = self.sort or listing.order
        return sort.removeprefix("-"), not sort.startswith("-")

    def is_search(self, listing: Listing) -> bool:
        """Whether rows come as they are found: the directory's, in the order they were entered, where nobody asked for another."""
        return listing.name == "directory" and bool(self.given.get("q")) and not self.sort

    def pairs(self, **changed: str) -> list[tuple[str, str]]:
        """As an address says it; `changed` replaces or (empty) takes off."""
        single = {**self.given, "sort": self.sort, "size": str(self.size) if self.size != SIZES[0] else "", "after": self.after} | changed
        return [(name, value) for name, value in single.items() if value] + [("col", name) for name in self.columns]


# Where a page ends: the value and key of its last row --------------------------------


def cursor_of(value: object, key: object) -> str:
    """A page's last row as an address can carry it."""
    if isinstance(value, date):  # datetime too
        value = value.isoformat()
    packed = json.dumps([value, key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def parse_cursor(text: str, kinds: Sequence[str]) -> list[object]:
    """[value, key] of `cursor_of`, each of the kind of its column. BadInput where somebody made it up."""
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(found, list) or len(found) != len(kinds):
            raise ValueError
        return [_typed(value, kind) for value, kind in zip(found, kinds, strict=True)]
    except (ValueError, TypeError, binascii.Error):
        raise BadInput("翻页的地址不完整，请回到第一页。", [Problem("after", "翻页的地址不完整。")]) from None


def _typed(value: object, kind: str) -> object:
    if value is None:
        return None
    if kind == "number":
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError
        return value
    if not isinstance(value, str):
        raise ValueError
    return date.fromisoformat(value) if kind == "day" else datetime.fromisoformat(value) if kind == "moment" else value

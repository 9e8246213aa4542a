"""What is asked of a list as SQL about its rows `b`: filters, order, the place where a page goes on; and what all that needs to know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any

from portal.domain.errors import BadInput, Problem
from portal.domain.lists import Filter, Listing
from portal.store.engine import current_engine

__all__ = ["Reach", "conditions", "is_sqlite", "opened", "ordered", "value_of", "where_of"]

_LAST, _FIRST = date(9999, 12, 31), date(1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the SQL of a list needs to know: whose rows, as of when, and what only Python can work out.

    `tree`: organisations in reach, `line` those and their ancestors. `days`: day of a check -> the last day
    for its publication (None: not known). `differentiated`, `professional`: tasks. `trees`: organisation's
    code -> ids of it and all below.
    """

    tree: frozenset[int]
    line: frozenset[int]
    today: date
    days: Mapping[date, date | None] = field(default_factory=dict)
    differentiated: frozenset[int] = frozenset()
    professional: frozenset[int] = frozenset()
    trees: Mapping[str, frozenset[int]] = field(default_factory=dict)
    inspector: int | None = None  # who asks, where it is one
    few: bool = False  # of the directory's entries so few are left that each is gone to
    whole: bool = False  # every organisation of the database is in `tree`
    tallies: Mapping[str, Mapping[str, int]] | None = None  # of `tree` (`tally.load_tallies`), where choices are shown
    needs: frozenset[str] | None = None  # of checks, visits and records the columns that are looked at (None: all), and
    only: tuple[int, ...] | None = None  # the rows
    learned: dict[Any, Any] | None = None  # for one page: what a question told on the way that the next one would ask again (the directory's search)


def is_sqlite() -> bool:
    return current_engine().engine_type == "sqlite"


def conditions(listing: Listing, reach: Reach, given: Mapping[str, str]) -> tuple[list[str], list[Any]]:
    """SQL conditions on the rows `b` and their values."""
    found: list[str] = []
    values: list[Any] = []
    for name, value in given.items():
        one = listing.filter(name)
        if value == "":
            continue
        if not one.columns:  # the source itself reads it
            if one.kind in ("from", "to"):
                _read_day(one, value)
            elif one.kind == "whole":
                _number(one, value)
            continue
        sql, added = _condition(one, reach, value)
        found.append(sql)
        values += added
    return found, values


def _condition(one: Filter, reach: Reach, value: str) -> tuple[str, list[Any]]:
    column = f"b.{one.columns[0]}"
    match one.kind:
        case "like":
            escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            # SQLite's LIKE takes a for A (ASCII only); so does ILIKE on columns that compare by bytes, which copies each name to do it.
            like = "ILIKE" if not is_sqlite() and any(one.isascii() and one.isalpha() for one in value) else "LIKE"
            exact, *parts = one.columns
            likes = [f"b.{part} {like} {{}} ESCAPE '\\'" for part in parts]
            return f"({' OR '.join([f'b.{exact} = {{}}', *likes])})", [value.upper(), *[f"%{escaped}%" for _ in parts]]
        case "begins":
            return f"({column} >= {{}} AND {column} < {{}})", [value, value + "\U0010ffff"]
        case "has":
            return f"{column} LIKE {{}}", [f'%{json.dumps(value)}%']
        case "is" | "text":
            return f"{column} = {{}}", [value]
        case "whole":
            return f"{column} = {_number(one, value)}", []
        case "from":
            return f"{column} >= {_day(_read_day(one, value))}", []
        case "to":
            return f"{column} <= {_day(_read_day(one, value))}", []
        case "tree":
            ids = reach.trees.get(value, frozenset()) & reach.tree
            return f"{column} IN ({', '.join(map(str, sorted(ids) or [-1]))})", []
    raise ValueError(one.kind)


def _number(one: Filter, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 12):
        raise BadInput(f"“{one.label}”应是整数。", [Problem(one.name, f"“{one.label}”应是整数，给的是“{value[:20]}”。")])
    return int(value)


def _read_day(one: Filter, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise BadInput(f"“{one.label}”应是日期。", [Problem(one.name, f"“{one.label}”应是日期，例如 2026-06-30。")]) from None


def _day(day: date) -> str:
    return f"'{day.isoformat()}'" if is_sqlite() else f"DATE '{day.isoformat()}'"


def _moment(at: datetime) -> str:
    text = str(at.astimezone(timezone.utc))
    return f"'{text}'" if is_sqlite() else f"TIMESTAMPTZ '{text}'"


def ordered(listing: Listing, name: str, ascending: bool) -> str:
    """What rows are put in order by; those without a value come last either way."""
    kind = listing.column(name).kind
    far = _LAST if ascending else _FIRST
    if kind == "day":
        return f"COALESCE(b.{name}, {_day(far)})"
    if kind == "moment":
        return f"COALESCE(b.{name}, {_moment(datetime(far.year if ascending else 2, 1, 1, tzinfo=timezone.utc))})"
    if kind == "number":
        return f"COALESCE(b.{name}, {10**15 if ascending else -1})"
    return f"b.{name}"


def value_of(listing: Listing, name: str, value: Any, ascending: bool) -> tuple[str, list[Any]]:
    """A cursor's value in SQL: what has no value stands where `_ordered` puts it."""
    kind = listing.column(name).kind
    far = _LAST if ascending else _FIRST
    if kind == "day":
        return _day(value or far), []
    if kind == "moment":
        return _moment(value or datetime(far.year if ascending else 2, 1, 1, tzinfo=timezone.utc)), []
    if kind == "number":
        return str(int(value) if value is not None else 10**15 if ascending else -1), []
    return "{}", [value or ""]


def where_of(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def opened(listing: Listing, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # SQLite gives a computed day or instant as its text.
    for column in (one for one in listing.columns if one.kind in ("day", "moment")):
        name, is_day = column.name, column.kind == "day"
        for row in rows:
            if isinstance(value := row.get(name), str):
                at = date.fromisoformat(value[:10]) if is_day else datetime.fromisoformat(value)
                row[name] = at.replace(tzinfo=timezone.utc) if isinstance(at, datetime) and not at.tzinfo else at
    return rows

"""What is counted, and the list behind each number: a figure is a list with filters.

Shown: what is finished, public and followed up, what was found, and how visits and work were
spread. Never a ranking of bureaus or people by visits, problems or fines (DOMAIN.md R58).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.domain.errors import BadInput, Problem

__all__ = ["Figure", "Line", "MEASURES", "Period", "Section", "Tally", "check_period", "months_of"]

MOST_YEARS = 5

#: measure -> the filters of its list, beside those of the line it stands in
MEASURES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "checks": {
        "drawn": {}, "done": {"done": "1"}, "problem": {"done": "1", "problem": "1"}, "in_time": {"publication": "in_time"}, "late": {"publication": "late"},
        "waiting": {"publication": "waiting"}, "overdue": {"publication": "overdue"}, "judged": {"professional": "0"},
        "differentiated": {"professional": "0", "differentiated": "1"}, "visited": {"visited": "1"}, "alone": {"visited": "1", "saved": "0"},
        "saved": {"visited": "1", "saved": "1"},
    },
    "follow-ups": {"all": {}, "open": {"state": "open"}, "late": {"state": "late"}, "closed": {"state": "closed"}, "closed_late": {"state": "closed_late"}},
    "visits": {"made": {"made": "1"}, "joint": {"made": "1", "joint": "1"}},
    "inspectors": {"valid": {"standing": "valid"}},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """Days since and until, both counted."""

    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and the list that has exactly so many rows."""

    number: int
    listing: str
    given: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: `part` of `whole` is what its bar shows (positions among the figures), -1: no share."""

    label: str
    figures: tuple[Figure, ...]
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`chart`: share (of `part` in `whole`, positions of figures), stack (all figures after the first, which is their sum) or columns (of `part`)."""

    name: str
    title: str
    about: str
    first: str  # heading of the first column
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    chart: str
    part: int = 0
    whole: int = 0
    empty: str = ""


class Tally:
    """Grouped counts, to be added up by any of the columns they are grouped by."""

    def __init__(self, by: Sequence[str], groups: Iterable[tuple[tuple[object, ...], Mapping[str, int]]]):
        self.by, self.groups = tuple(by), list(groups)

    def over(self, column: str) -> dict[object, dict[str, int]]:
        """value -> measure -> count."""
        at, found = self.by.index(column), {}
        for key, counts in self.groups:
            sums = found.setdefault(key[at], dict.fromkeys(counts, 0))
            for name, count in counts.items():
                sums[name] += count
        return found

    def total(self, name: str) -> int:
        return sum(counts[name] for _, counts in self.groups)


def check_period(since: date, until: date) -> Period:
    """The period, or BadInput where it ends before it begins or spans more than five years."""
    if until < since:
        raise BadInput("统计期间不对。", [Problem("until", f"期间的末日 {until} 早于首日 {since}，请改正。")])
    if until.year - since.year >= MOST_YEARS:
        raise BadInput("统计期间太长。", [Problem("until", f"期间从 {since} 到 {until}，最多跨 {MOST_YEARS} 个年度，请缩短。")])
    return Period(since, until)


def months_of(period: Period, today: date) -> list[str]:
    """The months of a period that have begun, as YYYY-MM; the first one in any case."""
    last = max(period.since, min(period.until, today))
    count = (last.year - period.since.year) * 12 + last.month - period.since.month + 1
    first = period.since.year * 12 + period.since.month - 1
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(first, first + count)]

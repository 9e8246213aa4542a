"""Counting in working days (工作日), with "not yet published" as an answer of its own.

The 20 working days of publication and every deadline of a follow-up are counted
here.  A day of a year whose holiday notice is not out yet is refused, not guessed.
"""

from __future__ import annotations

from datetime import date, timedelta

from portal.domain.errors import WrongMoment
from portal.domain.workdays import DAYS_OFF, MADE_UP

__all__ = ["add_workdays", "due_on", "is_published", "is_workday", "workdays_between", "workdays_left"]

_DAY = timedelta(days=1)


def _dates(table: dict[int, str]) -> frozenset[date]:
    return frozenset(
        date(year, int(day[:2]), int(day[2:])) for year, days in table.items() for day in days.split()
    )


_OFF = _dates(DAYS_OFF)
_WORKED = _dates(MADE_UP)


def is_published(year: int) -> bool:
    """Whether the working days of a year are known."""
    return year in DAYS_OFF


def is_workday(day: date) -> bool:
    """Whether people work on this day; WrongMoment where its year is not published."""
    _require_published(day.year)
    return day in _WORKED or (day.weekday() < 5 and day not in _OFF)


def add_workdays(day: date, n: int) -> date:
    """The n-th working day after `day` (`day` itself is not counted; n = 0 gives `day`). WrongMoment past the table."""
    if n < 0:
        raise ValueError(f"n is {n}; deadlines are counted forwards")
    while n:
        day += _DAY
        n -= is_workday(day)
    return day


def due_on(day: date, n: int) -> date | None:
    """Like `add_workdays`, but None where the deadline falls into a year not yet published: for lists and pages."""
    try:
        return add_workdays(day, n)
    except WrongMoment:
        return None


def workdays_between(start: date, end: date) -> int:
    """Working days after `start` up to and with `end`; negative when `end` comes first.

    `workdays_between(d, add_workdays(d, n)) == n`.
    """
    if end < start:
        return -workdays_between(end, start)
    return sum(is_workday(start + timedelta(days=k)) for k in range(1, (end - start).days + 1))


def workdays_left(today: date, due: date | None) -> int | None:
    """Working days from today to a deadline (negative when it has passed); None while they cannot be counted.

    `due` None is a deadline that `due_on` could not state.  A deadline of a published year may
    itself be counted from a day of a year that is not.
    """
    try:
        return None if due is None else workdays_between(today, due)
    except WrongMoment:
        return None


def _require_published(year: int) -> None:
    if year not in DAYS_OFF:
        known = "、".join(map(str, sorted(DAYS_OFF)))
        raise WrongMoment(
            f"{year} 年工作日安排尚未公布（现有 {known} 年），不能计算工作日。"
            "国务院办公厅公布放假安排后，请管理员更新工作日表。"
        )

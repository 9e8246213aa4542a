"""How the year stands: progress of each row, the four 100 % indicators, traffic lights, and who is to be urged.

Statistics here show what is finished, published and followed up, never who made the most
visits (DOMAIN.md R58). Shares are pairs of whole numbers; a page makes the per cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from portal.domain.calendar import due_on

__all__ = [
    "Check", "FollowUpState", "LIGHTS", "Part", "RowProgress", "Urging", "YearRow", "differentiated_picks", "due_of_row", "on_time_rows", "progress_of",
    "publish_by", "total_of", "urge",
]

#: light -> how it reads beside the colour (colour alone tells some people nothing)
LIGHTS = {"red": "已逾期", "yellow": "临期或滞后", "green": "正常", "grey": "未开始", "done": "已完成"}
WARN_DAYS = 15


@dataclass(frozen=True, slots=True)
class FollowUpState:
    """A 后续处置: its due day (None: no deadline known) and the day it was closed."""

    due: date | None
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class Check:
    """One pick on its way: visited, its result published, what was found followed up."""

    entity: str
    inspected_on: date | None = None
    published_on: date | None = None
    follow_ups: tuple[FollowUpState, ...] = ()


@dataclass(frozen=True, slots=True)
class YearRow:
    """A row of the plan with everything drawn for it. `drawn_on` None: not drawn yet. `window`: first and last day."""

    row: int
    name: str
    department: str
    window: tuple[date, date]
    drawn_on: date | None
    checks: Sequence[Check]
    differentiated: bool = False
    professional: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """`part` of `whole`; a share of nothing is whole (there was nothing to do)."""

    part: int
    whole: int

    @property
    def complete(self) -> bool:
        return self.part >= self.whole

    def __add__(self, other: Part) -> Part:
        return Part(self.part + other.part, self.whole + other.whole)


@dataclass(frozen=True, slots=True)
class RowProgress:
    """Where a row stands on a day.

    `on_time`: checks done by the row's due day, of those that should be (all, once it is past; until
    then those done). `published`: of the checks done. `followed`: follow-ups closed, of all.
    `late_checks`, `late_publications`, `late_follow_ups`: open beyond their due day.
    """

    row: YearRow
    due: date
    done: Part
    on_time: Part
    published: Part
    followed: Part
    late_checks: int
    late_publications: int
    late_follow_ups: int
    light: str  # a key of LIGHTS


def due_of_row(window: tuple[date, date], finish: date | None) -> date:
    """A row is due on the last day of its window, or on the year's cut-off where that comes first."""
    return min(window[1], finish) if finish else window[1]


def publish_by(inspected_on: date, working_days: int | None, cut_off: date | None) -> date | None:
    """The day by which a result is to be public: so many working days, but by the year's cut-off; None: neither known."""
    known = [day for day in (due_on(inspected_on, working_days) if working_days is not None else None, cut_off) if day]
    return min(known, default=None)


def progress_of(
    row: YearRow, today: date, *, finish: date | None, publish: date | None, working_days: int | None, warn_days: int = WARN_DAYS
) -> RowProgress:
    """The row on `today`; `finish` and `publish` are the year's cut-offs, `working_days` those for publication."""
    due = due_of_row(row.window, finish)
    done = [check for check in row.checks if check.inspected_on]
    in_time = sum(check.inspected_on <= due for check in done)
    past = today > due
    published = [check for check in done if check.published_on]
    waiting = [publish_by(check.inspected_on, working_days, publish) for check in done if not check.published_on]
    follow_ups = [one for check in row.checks for one in check.follow_ups]
    late_checks = len(row.checks) - len(done) if past else 0
    late_publications = sum(day is not None and day < today for day in waiting)
    late_follow_ups = sum(one.closed_on is None and one.due is not None and one.due < today for one in follow_ups)
    closed = sum(one.closed_on is not None for one in follow_ups)
    complete = row.drawn_on is not None and len(published) == len(row.checks) and closed == len(follow_ups)
    if complete:
        light = "done"
    elif late_checks or late_publications or late_follow_ups or (past and row.drawn_on is None):
        light = "red"
    elif row.drawn_on is None and today < row.window[0]:
        light = "grey"
    elif row.drawn_on is None or (len(done) < len(row.checks) and _is_behind(row, len(done), today, due, warn_days)):
        light = "yellow"
    else:
        light = "green"
    return RowProgress(
        row, due, Part(len(done), len(row.checks)), Part(in_time, len(row.checks) if past else len(done)),
        Part(len(published), len(done)), Part(closed, len(follow_ups)), late_checks, late_publications, late_follow_ups, light,
    )  # fmt: skip


def _is_behind(row: YearRow, done: int, today: date, due: date, warn_days: int) -> bool:
    """Soon due, or a quarter of the row behind an even pace from its draw (or its window's begin) to its due day."""
    if (due - today).days <= warn_days:
        return True
    begins = max(row.window[0], row.drawn_on or row.window[0])
    days, gone = (due - begins).days, (today - begins).days
    return gone > 0 and 4 * (len(row.checks) * gone - done * days) > len(row.checks) * days


def total_of(rows: Iterable[RowProgress]) -> tuple[Part, Part, Part, Part]:
    """(done, on time, published, followed up) of all rows together."""
    total = (Part(0, 0),) * 4
    for one in rows:
        total = tuple(a + b for a, b in zip(total, (one.done, one.on_time, one.published, one.followed), strict=True))  # type: ignore[assignment]
    return total


def on_time_rows(rows: Iterable[RowProgress], today: date) -> Part:
    """任务按时完成率: rows whose every check was done by the due day, of the rows that are due or already done."""
    part = whole = 0
    for one in rows:
        finished = one.row.drawn_on is not None and one.done.complete
        if finished or today > one.due:
            whole += 1
            part += finished and all(check.inspected_on <= one.due for check in one.row.checks if check.inspected_on)
    return Part(part, whole)


def differentiated_picks(rows: Iterable[YearRow]) -> Part:
    """差异化抽查户数占比: picks of rows that go by class, of all picks, 专业领域 left out of both."""
    counted = [row for row in rows if not row.professional]
    return Part(sum(len(row.checks) for row in counted if row.differentiated), sum(len(row.checks) for row in counted))


# ---- urging (督促) --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Urging:
    """One thing a department is to be reminded of. `days_left` is negative when overdue. `what`: draw | check | publish | follow_up."""

    row: int
    department: str
    what: str
    count: int
    due: date
    days_left: int
    sentence: str


def urge(
    rows: Iterable[RowProgress], today: date, *, publish: date | None, working_days: int | None, warn_days: int = WARN_DAYS
) -> list[Urging]:
    """What is overdue or due within `warn_days`, the most overdue first."""
    found: list[Urging] = []

    def add(one: RowProgress, what: str, count: int, due: date | None, words: str) -> None:
        if not count or due is None or (left := (due - today).days) > warn_days:
            return
        when = f"已逾期 {-left} 天" if left < 0 else "今天到期" if left == 0 else f"还有 {left} 天到期"
        sentence = f"“{one.row.name}”{words}，期限 {due}，{when}。"
        found.append(Urging(one.row.row, one.row.department, what, count, due, left, sentence))

    for one in rows:
        checks = one.row.checks
        if one.row.drawn_on is None:
            add(one, "draw", 1, one.due, "尚未抽取")
        left = one.done.whole - one.done.part
        add(one, "check", left, one.due, f"还有 {left} 户未检查")
        unpublished = [publish_by(c.inspected_on, working_days, publish) for c in checks if c.inspected_on and not c.published_on]
        add(one, "publish", len(unpublished), min((day for day in unpublished if day), default=None), f"有 {len(unpublished)} 户结果未公示，最早一户")
        open_ = [f for c in checks for f in c.follow_ups if f.closed_on is None]
        add(one, "follow_up", len(open_), min((f.due for f in open_ if f.due), default=None), f"有 {len(open_)} 项后续处置未完结，最早一项")
    return sorted(found, key=lambda each: (each.days_left, each.row, each.what))

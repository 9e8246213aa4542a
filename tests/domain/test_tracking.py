"""Progress, the four indicators, traffic lights and urging."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.tracking import (
    LIGHTS,
    Check,
    FollowUpState,
    Part,
    YearRow,
    differentiated_picks,
    due_of_row,
    on_time_rows,
    progress_of,
    publish_by,
    total_of,
    urge,
)

WINDOW = (date(2026, 6, 1), date(2026, 10, 31))
CUT_OFF = date(2026, 11, 20)
DRAWN = date(2026, 6, 5)
TERMS = {"finish": CUT_OFF, "publish": CUT_OFF, "working_days": 20}


def row(checks=(), drawn_on=DRAWN, number=1, **more):
    return YearRow(number, "食品销售监督检查", "食品流通科", WINDOW, drawn_on, tuple(checks), **more)


def on(progress_day, checks=(), **more):
    return progress_of(row(checks, **more), progress_day, **TERMS)


DONE = Check("A", date(2026, 6, 10), date(2026, 6, 20))


def test_a_row_is_due_with_its_window_or_the_years_cut_off():
    assert due_of_row(WINDOW, CUT_OFF) == date(2026, 10, 31)
    assert due_of_row(WINDOW, date(2026, 9, 30)) == date(2026, 9, 30) and due_of_row(WINDOW, None) == WINDOW[1]


def test_a_result_is_due_in_working_days_but_by_the_cut_off():
    assert publish_by(date(2026, 6, 1), 20, CUT_OFF) == date(2026, 6, 30)
    assert publish_by(date(2026, 11, 10), 20, CUT_OFF) == CUT_OFF
    assert publish_by(date(2026, 12, 31), 20, None) is None


def test_done_published_and_followed_up_are_counted_apart():
    checks = [DONE, Check("B", date(2026, 6, 11), None, (FollowUpState(date(2026, 7, 1), None),)), Check("C")]
    found = on(date(2026, 6, 15), checks)
    assert (found.done, found.on_time, found.published, found.followed) == (Part(2, 3), Part(2, 2), Part(1, 2), Part(0, 1))
    assert total_of([found, found])[0] == Part(4, 6)


@pytest.mark.parametrize("day, checks, drawn_on, light", [
    (date(2026, 5, 1), [], None, "grey"),
    (date(2026, 6, 15), [], None, "yellow"),
    (date(2026, 11, 1), [], None, "red"),
    (date(2026, 6, 6), [Check("A"), Check("B")], DRAWN, "green"),
    (date(2026, 8, 30), [Check("A"), Check("B")], DRAWN, "yellow"),
    (date(2026, 10, 20), [DONE, Check("B")], DRAWN, "yellow"),
    (date(2026, 11, 1), [DONE, Check("B")], DRAWN, "red"),
    (date(2026, 8, 1), [Check("A", date(2026, 6, 10))], DRAWN, "red"),
    (date(2026, 8, 1), [Check("A", date(2026, 6, 10), date(2026, 6, 11), (FollowUpState(date(2026, 7, 1), None),))], DRAWN, "red"),
    (date(2026, 12, 1), [DONE], DRAWN, "done"),
])  # fmt: skip
def test_lights(day, checks, drawn_on, light):
    assert on(day, checks, drawn_on=drawn_on).light == light and light in LIGHTS


def test_a_row_is_on_time_only_when_every_check_was():
    late = Check("B", date(2026, 11, 2), date(2026, 11, 3))
    day = date(2026, 12, 1)
    rows = [on(day, [DONE]), on(day, [DONE, late]), on(day, [], drawn_on=None)]
    assert on_time_rows(rows, day) == Part(1, 3)
    assert on(day, [DONE, late]).on_time == Part(1, 2)
    assert on_time_rows([on(date(2026, 7, 1), [DONE, Check("B")])], date(2026, 7, 1)) == Part(0, 0)


def test_the_differentiated_share_counts_picks():
    rows = [row([DONE] * 85, differentiated=True), row([DONE] * 15), row([DONE] * 9, professional=True)]
    assert differentiated_picks(rows) == Part(85, 100)


def test_departments_are_urged_about_what_is_overdue_first():
    open_ = FollowUpState(date(2026, 10, 20), None)
    checks = [DONE, Check("B"), Check("C", date(2026, 10, 20), None, (open_,))]
    day = date(2026, 10, 25)
    found = urge([progress_of(row(checks), day, **TERMS)], day, publish=CUT_OFF, working_days=20)
    assert [(one.what, one.count, one.days_left) for one in found] == [("follow_up", 1, -5), ("check", 1, 6)]
    assert found[0].sentence == "“食品销售监督检查”有 1 项后续处置未完结，最早一项，期限 2026-10-20，已逾期 5 天。"
    assert found[1].sentence == "“食品销售监督检查”还有 1 户未检查，期限 2026-10-31，还有 6 天到期。"
    assert found[1].department == "食品流通科"


def test_a_row_not_drawn_is_urged_near_its_end():
    found = urge([on(date(2026, 10, 31), [], drawn_on=None)], date(2026, 10, 31), publish=CUT_OFF, working_days=20)
    assert [one.sentence for one in found] == ["“食品销售监督检查”尚未抽取，期限 2026-10-31，今天到期。"]
    assert urge([on(date(2026, 7, 1), [], drawn_on=None)], date(2026, 7, 1), publish=CUT_OFF, working_days=20) == []


DAYS = st.integers(0, 250).map(lambda n: date(2026, 4, 1) + timedelta(n))
FOLLOW_UPS = st.builds(FollowUpState, st.none() | DAYS, st.none() | DAYS)
CHECKS = st.lists(
    st.tuples(st.none() | DAYS, st.none() | DAYS, st.lists(FOLLOW_UPS, max_size=2)).map(
        lambda one: Check("E", one[0], one[1] if one[0] else None, tuple(one[2]) if one[0] else ())
    ),
    max_size=8,
)


@given(CHECKS, DAYS)
def test_what_is_late_is_red_and_urged_and_what_is_done_is_neither(checks, day):
    progress = on(day, checks)
    urged = urge([progress], day, publish=CUT_OFF, working_days=20)
    late = progress.late_checks + progress.late_publications + progress.late_follow_ups
    assert bool(late) == (progress.light == "red")
    assert bool(late) == any(one.days_left < 0 for one in urged)
    if progress.light == "done":
        assert urged == [] and all(part.complete for part in (progress.done, progress.published, progress.followed))
    for part in total_of([progress]):
        assert 0 <= part.part <= part.whole

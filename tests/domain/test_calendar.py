"""Working days: holidays, made-up Saturdays, years not yet published."""

import csv
from datetime import date, timedelta

import pytest

from portal.domain.calendar import add_workdays, due_on, is_published, is_workday, workdays_between, workdays_left
from portal.domain.errors import WrongMoment
from tests.shared import shared_file


def test_a_holiday_on_a_weekday_is_no_working_day_and_a_made_up_saturday_is():
    assert not is_workday(date(2026, 2, 16))
    assert is_workday(date(2026, 2, 14))
    assert is_workday(date(2026, 3, 2))
    assert not is_workday(date(2026, 3, 1))


def test_twenty_working_days_skip_the_national_holiday_and_count_made_up_days():
    # from Wednesday 23 September 2026: 24 Sep, 28-30 Sep, 8-10 Oct (Sat made up), 12-16, 19-23, 26-28
    assert add_workdays(date(2026, 9, 23), 20) == date(2026, 10, 28)


def test_counting_and_adding_are_inverse_and_count_backwards_too():
    start = date(2025, 1, 1)
    for offset in range(0, 500, 7):
        day = start + timedelta(days=offset)
        for n in (0, 1, 10, 20):
            assert workdays_between(day, add_workdays(day, n)) == n
    assert workdays_between(date(2026, 3, 6), date(2026, 3, 2)) == -4
    assert add_workdays(date(2026, 3, 1), 0) == date(2026, 3, 1)


def test_a_year_without_published_table_is_refused_by_name_and_shown_as_unknown():
    with pytest.raises(WrongMoment, match="2027 年工作日安排尚未公布"):
        is_workday(date(2027, 1, 4))
    with pytest.raises(WrongMoment):
        add_workdays(date(2026, 12, 20), 20)
    assert due_on(date(2026, 12, 20), 20) is None
    assert due_on(date(2026, 12, 20), 5) == date(2026, 12, 25)
    assert is_published(2026) and not is_published(2027)


def test_days_left_are_unknown_where_either_end_is_in_a_year_not_published():
    assert workdays_left(date(2026, 3, 2), date(2026, 3, 6)) == 4 and workdays_left(date(2026, 3, 6), date(2026, 3, 2)) == -4
    assert workdays_left(date(2026, 12, 20), due_on(date(2026, 12, 20), 20)) is None
    assert workdays_left(date(2027, 1, 5), date(2026, 12, 30)) is None  # overdue, and it cannot be said by how much


def test_deadlines_are_not_counted_backwards():
    with pytest.raises(ValueError):
        add_workdays(date(2026, 3, 2), -1)


def test_every_day_agrees_with_the_collected_table():
    with open(shared_file("calendar/cn_workdays_2024_2026.csv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == 1_096
    wrong = [r["date"] for r in rows if is_workday(date.fromisoformat(r["date"])) != (r["is_workday"] == "1")]
    assert wrong == []
    per_year = {y: sum(r["is_workday"] == "1" for r in rows if r["date"].startswith(y)) for y in ("2024", "2025", "2026")}
    assert per_year == {"2024": 251, "2025": 248, "2026": 248}

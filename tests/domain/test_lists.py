"""Lists as data, periods, and visits for a calendar."""

import re
from datetime import date, datetime, timedelta, timezone

import pytest

from portal.domain.caps import Cap, Event, Rules, counters
from portal.domain.errors import BadInput
from portal.domain.ics import Event as Day
from portal.domain.ics import write_calendar
from portal.domain.list_columns import CHECKS, LISTS
from portal.domain.lists import Asked, cursor_of, parse_cursor
from portal.domain.statistics import MEASURES, Period, Tally, check_period, months_of

AT = datetime(2026, 8, 3, 10, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize(("value", "kind"), [("望溪县“甲”", "text"), (7, "number"), (date(2026, 7, 1), "day"), (AT, "moment"), (None, "day")])
def test_the_end_of_a_page_comes_back_as_it_was(value, kind):
    assert parse_cursor(cursor_of(value, 12), [kind, "number"]) == [value, 12]


@pytest.mark.parametrize("made_up", ["", "x", "W10", "WzEsMiwzXQ", "bnVsbA", "WyIyMDI2LTEzLTAxIiwxXQ", "W3RydWUsMV0", "汉字"])
def test_a_made_up_end_of_a_page_is_refused(made_up):
    with pytest.raises(BadInput, match="请回到第一页"):
        parse_cursor(made_up, ["day", "number"])


def test_declared_lists_name_their_columns_and_filters_once_and_figures_filter_by_what_is_there():
    for listing in LISTS.values():
        for named in (listing.columns, listing.filters):
            names = [one.name for one in named]
            assert len(names) == len(set(names)), listing.name
        assert listing.column(listing.order.removeprefix("-")).name and listing.column(listing.key)
        for given in MEASURES.get(listing.name, {}).values():
            assert all(listing.filter(name) for name in given)


def test_an_address_keeps_what_was_asked_and_changes_one_thing():
    asked = Asked(given={"q": "甲"}, sort="-due", columns=("name", "due"), after="x", size=200)
    assert asked.pairs(after="") == [("q", "甲"), ("sort", "-due"), ("size", "200"), ("col", "name"), ("col", "due")]
    assert [column.name for column in asked.chosen(CHECKS)] == ["name", "due"] and asked.order(CHECKS) == ("due", False)


def test_a_period_is_five_years_at_most_and_its_months_end_with_today():
    assert check_period(date(2026, 1, 1), date(2026, 12, 31)) == Period(date(2026, 1, 1), date(2026, 12, 31))
    for until, said in ((date(2025, 12, 31), "早于首日"), (date(2031, 1, 1), "最多跨 5 个年度")):
        with pytest.raises(BadInput) as refusal:
            check_period(date(2026, 1, 1), until)
        assert said in refusal.value.problems[0].message
    assert months_of(Period(date(2025, 11, 30), date(2026, 12, 31)), date(2026, 2, 1)) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months_of(Period(date(2027, 1, 1), date(2027, 2, 1)), date(2026, 2, 1)) == ["2027-01"]


def test_grouped_counts_add_up_by_each_column():
    tally = Tally(("unit", "month"), [(("a", "1"), {"done": 2}), (("a", "2"), {"done": 3}), (("b", "2"), {"done": 0})])
    assert tally.over("unit") == {"a": {"done": 5}, "b": {"done": 0}} and tally.over("month")["2"] == {"done": 3} and tally.total("done") == 5


def parse_calendar(data: bytes) -> list[dict[str, str]]:
    """The events of a file as RFC 5545 says it: lines unfolded, texts read back."""
    assert data.endswith(b"\r\n") and all(len(line) <= 75 for line in data.split(b"\r\n")) and b"\n" not in data.replace(b"\r\n", b"")
    lines = data.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-1] == "END:VCALENDAR" and "VERSION:2.0" in lines and any(line.startswith("PRODID:") for line in lines)
    events: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events:
            events[-1][name] = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)
    return events


def test_visits_become_whole_days_of_a_calendar():
    odd = "入企；a,b;c\\d\n第二行" + "很长" * 40
    first, second = parse_calendar(write_calendar([Day("v1@b", date(2026, 12, 31), odd, url="https://x/visits/v1"), Day("v2@b", date(2026, 1, 1), "乙", "说明")], "甲，乙", AT))
    assert first["SUMMARY"] == odd and first["UID"] == "v1@b" and first["DTSTAMP"] == "20260803T020000Z" and first["URL"] == "https://x/visits/v1"
    assert (first["DTSTART;VALUE=DATE"], first["DTEND;VALUE=DATE"]) == ("20261231", "20270101") and second["DESCRIPTION"] == "说明" and "URL" not in second
    assert parse_calendar(write_calendar([], "甲", AT)) == []


def test_counters_say_how_much_of_each_cap_is_used_and_zero_where_nothing_is():
    on = date(2026, 8, 3)
    rules = Rules((Cap("a", "各级合计", "all", 4), Cap("b", "同一事项", "item", 1, "months", 3), Cap("c", "本局抽中", "bureau", 2, counts="draws")))
    history = [
        Event(date(2026, 7, 1), "x.one", "x", "B", "county", "v1"), Event(date(2026, 7, 1), "x.two", "x", "B", "county", "v1"),
        Event(date(2026, 1, 5), "x.one", "x", "B", "county", "v2"), Event(date(2025, 7, 1), "x.one", "x", "B", "county", "v3"),
        Event(date(2026, 6, 1), "x.one", "x", "B", "county", "v4", reason="complaint"),
    ]  # fmt: skip
    assert [(cap.code, group, number) for cap, group, number in counters(rules, history, on)] == [("a", "", 2), ("b", "x.one", 1), ("b", "x.two", 1), ("c", "", 0)]
    assert counters(rules, [], on)[0][2] == 0

"""Pages that show deadlines, in a year whose working days are not published."""

import re
from datetime import timedelta

import pytest

from portal.domain.workdays import DAYS_OFF

LOGINS = {"/": "reviewer", "/review": "reviewer", "/publish": "publisher"}


@pytest.fixture
def worked(house_at):
    house = house_at("worked")
    house.records = [str(number) for (number,) in house.query("SELECT id FROM record WHERE state IN ('submitted', 'approved', 'returned')")]
    assert house.records
    return house


def pages(house):
    """(address, text) of every page that speaks of a deadline."""
    for address, login in [*LOGINS.items(), *((f"/review/{number}", "reviewer") for number in house.records[:5])]:
        response = house.browser(login).get(address)
        assert response.status_code == 200, (address, response.text[-500:])
        yield address, response.text


def test_deadlines_of_a_year_not_published_are_said_to_be_so(worked, monkeypatch):
    monkeypatch.delitem(DAYS_OFF, 2026)
    for address, text in pages(worked):
        assert "尚未公布" in text, address
        assert not re.search("余 .{1,9}个工作日公示|逾期 [0-9]|逾期未公示 [0-9]", text), address  # a form's own words may say 逾期


def test_a_deadline_passed_before_the_new_years_days_are_published_is_shown_without_a_count(worked):
    worked.clock.now += timedelta(days=160)  # from August 2026 into January 2027
    for address, text in pages(worked):
        assert "尚未公布" in text, address
    assert "到期，今年的工作日安排尚未公布" in worked.browser("reviewer").get(f"/review/{worked.records[0]}").text


def test_deadlines_of_a_published_year_are_counted(worked):
    assert all("尚未公布" not in text for _, text in pages(worked))

"""Figures against what the tables hold and what the year's tracking says; other bureaus count nothing of ours."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from portal.domain.errors import BadInput, NotAllowed
from portal.domain.list_columns import CHECKS, LISTS
from portal.domain.lists import Asked
from portal.domain.sample_profile import sample_profile
from portal.steps import base, caps, lists, profile, statistics, tracking
from portal.steps.acting import BEIJING
from portal.store import plan
from portal.store.tables import Assignment, Finding, FollowUp, Inspector, Publication, Visit
from tests import office

pytestmark = pytest.mark.anyio


def numbers(found, name):
    """label -> numbers of a section."""
    section = next(one for one in found.sections if one.name == name)
    return {line.label: [figure.number for figure in line.figures] for line in section.lines}


async def test_figures_are_those_of_the_tables_and_of_the_tracking(published):
    planner = await published.acting("planner")
    await profile.save_profile(planner, json.dumps(sample_profile(office.SEED)).encode())
    await base.freeze_base(planner, 2025)
    year = await tracking.load_year(planner, await plan.load_latest_plan({planner.bureau["id"]}, 2026))
    found = await statistics.load_statistics(planner)
    assert numbers(found, "completion")["合计"] == numbers(found, "completion-units")["合计"] == [year.done.whole, year.done.part]
    done, in_time, late, waiting, overdue = numbers(found, "publication")["合计"]
    assert done == year.done.part == in_time + late + waiting + overdue and in_time + late == year.published.part > 0
    assert numbers(found, "shares")["差异化抽查户次"] == [year.differentiated.whole, year.differentiated.part]

    visits = await Visit.count().where(Visit.state != "closed").run()
    picked, alone, saved = numbers(found, "avoided")["合计"]
    assert picked == year.done.whole and alone == visits and saved == picked - visits > 0
    assert numbers(found, "shares")["联合入企"][0] == visits

    follow_ups = await FollowUp.select(FollowUp.state, FollowUp.due_on).where(FollowUp.kind != "none").run()
    late = sum(row["state"] == "open" and row["due_on"] is not None and row["due_on"] < planner.today for row in follow_ups)
    assert numbers(found, "follow-ups")["合计"] == [len(follow_ups), 0, 0, len(follow_ups) - late, late] and follow_ups

    months = Counter(f"{row['inspected_on']:%Y年}{row['inspected_on'].month}月" for row in await own_findings())
    shown = {label: row[0] for label, row in numbers(found, "months").items() if label != "合计"}
    assert shown == {label: months[label] for label in shown} and sum(shown.values()) == done and 0 in shown.values()

    slots = Counter(row["inspector"] for row in await Assignment.select(Assignment.inspector).where(Assignment.inspector.is_not_null()).run())
    people = {row["id"] for row in await Inspector.select(Inspector.id, Inspector.status, Inspector.certificate_no, Inspector.certificate_until).run()
              if row["certificate_no"] and row["certificate_until"] >= planner.today and row["status"] in ("", "有效")}  # fmt: skip
    spread = Counter(slots[one] for one in people)
    assert {label: row[0] for label, row in numbers(found, "load").items()} == {f"{n} 个名额": spread[n] for n in range(max(spread) + 1)} | {"合计": len(people)}


async def own_findings():
    """One finding for each check of a task's own item."""
    rows = await Finding.select(Finding.visit, Finding.item_code, Finding.inspected_on, Finding.task.item_code).run()
    return list({(row["visit"], row["item_code"]): row for row in rows if row["item_code"] == row["task.item_code"]}.values())


async def test_a_station_sees_its_own_part_and_a_narrower_period_counts_less(published):
    planner = await published.acting("planner")
    whole = await statistics.load_statistics(planner)
    section = next(one for one in whole.sections if one.name == "completion-units")
    code, drawn = next((dict(line.figures[0].given)["unit"], line.figures[0].number) for line in section.lines if line.figures[0].number and not line.total)
    part = await statistics.load_statistics(planner, org=code)
    assert numbers(part, "completion")["合计"][0] == drawn < numbers(whole, "completion")["合计"][0]
    earlier = await statistics.load_statistics(planner, date(2025, 1, 1), date(2025, 12, 31))
    assert numbers(earlier, "completion")["合计"] == numbers(earlier, "publication")["合计"][:2] == [0, 0]
    for section in (*part.sections, *earlier.sections):
        for line in (section.lines[0], section.lines[-1]):
            for figure in line.figures:
                assert (await lists.load_page(planner, LISTS[figure.listing], Asked(given=dict(figure.given))))["count"] == figure.number, (section.name, line.label, figure)


async def test_pages_of_a_list_join_without_gaps_in_any_order(published):
    planner = await published.acting("planner")
    whole = (await lists.load_page(planner, CHECKS, Asked(size=2000)))["rows"]
    for sort in ("inspected_on", "-inspected_on", "name", "-published_on", "-id", "publication"):
        reach, rows, after = await lists.open_reach(planner, CHECKS), [], ""
        while True:
            part, after = await lists.store.load_rows(CHECKS, reach, Asked(sort=sort, after=after), 7)
            rows += part
            if not after:
                break
        values = [row[sort.removeprefix("-")] for row in rows]
        assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in whole) and len(rows) == 14
        said = [value for value in values if value is not None]
        assert values[: len(said)] == said == sorted(said, reverse=sort.startswith("-"), key=lambda value: value.encode() if isinstance(value, str) else value), sort


async def test_others_count_nothing_of_ours_and_what_is_not_theirs_is_refused(published):
    stranger = await published.acting("stranger")
    found = await statistics.load_statistics(stranger)
    assert all(figure.number == 0 for section in found.sections for line in section.lines for figure in line.figures)
    ours = (await published.acting("planner")).bureau["code"]
    for given in ({"org": ours}, {"plan_id": "1"}, {"org": "x"}):
        with pytest.raises(BadInput):
            await statistics.load_statistics(stranger, **given)
    with pytest.raises(NotAllowed):
        await statistics.load_statistics(await published.account_of("clerk", ["inspector"]))
    with pytest.raises(BadInput, match="统计期间不对"):
        await statistics.load_statistics(stranger, date(2026, 2, 1), date(2026, 1, 1))


async def test_counters_of_a_holder_are_its_own_visits(published):
    planner = await published.acting("planner")
    visit = (await office.visits_of(office.OPEN))[0]
    assert await caps.load_counters(planner, visit["holder"], None) == []
    await profile.save_profile(planner, json.dumps(sample_profile(office.SEED)).encode())
    rules = await profile.load_profile(planner)
    visited, idle = [await caps.load_counters(planner, holder, rules) for holder in (visit["holder"], "nobody")]
    assert visited and max(one["number"] for one in visited) >= 1 and {one["number"] for one in idle} == {0}


async def states(act, due):
    """How checks stand as to publication, with this last day for each day of a check."""
    reach = await lists.open_reach(act, CHECKS)
    rows, _ = await lists.store.load_rows(CHECKS, replace(reach, days=dict.fromkeys(reach.days, due)), Asked(size=2000), 2000)
    return rows, {row["publication"] for row in rows if row["done"]}


async def test_published_on_the_last_day_is_in_time_and_a_day_later_is_late(published):
    planner = await published.acting("planner")
    rows, _ = await states(planner, None)
    days = {row["published_at"].astimezone(BEIJING).date() for row in await Publication.select(Publication.published_at).where(Publication.kind == "result").run()}
    (day,) = {date.fromisoformat(str(row["published_on"])) for row in rows}
    assert days == {day}
    for due, state in ((None, "in_time"), (day, "in_time"), (day - timedelta(1), "late")):
        assert (await states(planner, due))[1] == {state}, due


async def test_what_is_not_published_waits_to_the_end_of_its_last_day_and_is_overdue_after_it(approved):
    planner = await approved.acting("planner")
    for due, state in ((None, "waiting"), (planner.today, "waiting"), (planner.today - timedelta(1), "overdue")):
        assert (await states(planner, due))[1] == {state}, due

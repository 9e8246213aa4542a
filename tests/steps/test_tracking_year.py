"""The tracking page's figures at each stage of the walk."""

import json

import pytest

from portal.domain.sample_profile import sample_profile
from portal.domain.tracking import Part
from portal.steps import base, profile, tracking
from portal.store import draw as draw_store
from portal.store import plan
from tests import office

pytestmark = pytest.mark.anyio


async def load(house):
    planner = await house.acting("planner")
    await profile.save_profile(planner, json.dumps(sample_profile(office.SEED)).encode())
    await base.freeze_base(planner, 2025)
    return await tracking.load_year(planner, await plan.load_latest_plan({planner.bureau["id"]}, 2026))


async def picks(house):
    rounds = [(await house.round(code))["id"] for code in (office.OPEN, office.SEALED)]
    return [pick for one in rounds for pick in await draw_store.load_picks(one)]


async def test_before_the_draws_nothing_is_done_and_nothing_is_late(filled):
    found = await load(filled)
    assert found.done == Part(0, 0) and all(one.row.drawn_on is None for one in found.rows)
    assert found.missing == () and str(found.due.finish) == "2026-11-20"


async def test_after_the_draws_every_pick_waits(drawn):
    found = await load(drawn)
    drawn_picks = await picks(drawn)
    assert found.done == Part(0, len(drawn_picks)) and found.published == Part(0, 0)
    ratio = {one.group: one for one in found.reached}["359921", "企业"]
    assert ratio.distinct == len({pick["code"] for pick in drawn_picks}) and ratio.base > 0
    assert found.riders and all(one.distinct <= ratio.distinct for rows in found.riders.values() for one in rows if one.group == ratio.group)
    assert found.differentiated.part == len([pick for pick in drawn_picks if pick["stratum"] != "*"])


async def test_what_is_published_counts_as_done_and_published(published):
    found = await load(published)
    assert found.done.complete and found.done.whole and found.published == found.done and found.on_time == found.done
    for one in found.rows:
        assert not one.late_checks and not one.late_publications
        if one.row.checks:  # the sample's findings have follow-ups that nobody has closed
            assert one.light == ("red" if one.late_follow_ups else "done" if one.followed.complete else "green")
    assert found.followed.whole == sum(len(check.follow_ups) for one in found.rows for check in one.row.checks)


async def test_without_profile_and_base_the_page_says_what_is_missing(drawn):
    planner = await drawn.acting("planner")
    found = await tracking.load_year(planner, await plan.load_latest_plan({planner.bureau["id"]}, 2026))
    assert len(found.missing) == 2 and found.due is None and found.reached == ()


async def test_what_is_late_is_urged(drawn):
    drawn.at("2026-12-01T09:00")
    found = await load(drawn)
    assert {one.light for one in found.rows} == {"red"}
    assert all(one.days_left < 0 for one in found.urged) and len(found.urged) >= len(found.rows)

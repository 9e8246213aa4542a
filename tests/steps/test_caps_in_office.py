"""Caps where they are asked: at the freeze, at the dispatch and at the door; with reasons on record, and counted."""

import json
from datetime import date

import pytest

from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.domain.sample_profile import sample_profile
from portal.steps import caps, draw, forms, joined_forms, pool, profile, visits
from portal.store import engine, year
from portal.store import draw as draw_store
from portal.store import pool as pool_store
from portal.store.bulk import insert_rows
from portal.store.tables import Pick, Visit
from tests import office
from tests.office import ANNUAL, INSTANT, OPEN, SEALED
from tests.steps.acts import one_answer

pytestmark = pytest.mark.anyio

THIRD = "359921-2026-T003"


async def save_profile(house, **most):
    """The sample profile with other maxima, by cap code."""
    value = sample_profile(office.SEED)
    for cap in value["caps"]:
        cap["most"] = most.get(cap["code"], cap["most"])
    await profile.save_profile(await house.acting("planner"), json.dumps(value).encode())


async def leave(house, holder, **more):
    given = {"sectors": (), "reason": "信用风险低", "since": date(2026, 1, 1), "until": None} | more
    await caps.leave_in_peace(await house.acting("planner"), holder, **given)


async def allow(house, holder, item="", reason="complaint"):
    await caps.allow(await house.acting("approver"), holder, item, reason, "12345 第 7 号", date(2026, 1, 1), None)


async def drawn_codes(house, code=OPEN):
    return sorted(pick["code"] for pick in await draw_store.load_picks((await house.round(code))["id"]))


# At the freeze -----------------------------------------------------------------


async def test_a_pool_passes_over_those_whose_cap_is_used_up_and_says_so(entered):
    await save_profile(entered, bureau_year=1)
    made = await office.visits_of(OPEN) + await office.visits_of(SEALED)
    assert all(visit["state"] == "done" for visit in made)
    frozen = await pool.freeze_pool(await entered.acting("planner"), THIRD)
    lines = (await pool_store.load_pool_bytes(frozen["id"])).decode()
    capped = {row["code"]: row["reason"] for row in await pool_store.load_exclusions(frozen["id"]) if row["rule"] == "cap"}
    assert capped and set(capped) == {visit["entity_code"] for visit in made if f"{visit['entity_code']}\t" in lines}
    assert frozen["rules"]["cap"] == len(capped)
    assert all("同一单位2026 年内入企检查已有 1 次" in reason for reason in capped.values())


async def test_joining_an_open_visit_costs_an_entity_nothing(drawn):
    await save_profile(drawn, bureau_year=1)
    frozen = await pool.freeze_pool(await drawn.acting("planner"), THIRD)
    assert "cap" not in frozen["rules"]


async def test_those_left_in_peace_are_excluded_unless_a_reason_is_on_record(filled):
    await save_profile(filled)
    codes = sorted(row["code"] for row in await _candidates(filled))[:2]
    for code in codes:
        await leave(filled, code)
    await allow(filled, codes[1])
    frozen = await pool.freeze_pool(await filled.acting("planner"), ANNUAL)
    assert [row["code"] for row in await pool_store.load_exclusions(frozen["id"]) if row["rule"] == "peace"] == codes[:1]


async def _candidates(house):
    act = await house.acting("planner")
    rows = await office.entries_of(act, 200, type="企业", status="存续")
    return [row for row in rows if row["kind"] == "entity"]


# At the dispatch ---------------------------------------------------------------


async def _ready(house, code=OPEN):
    await office.make_drawable(house, code)
    await draw.draw_round(await house.acting("planner"), code)
    return await drawn_codes(house, code)


async def test_a_pick_that_may_not_be_disturbed_is_not_dispatched_and_the_reason_is_kept(committed):
    code = (await _ready(committed))[0]
    await save_profile(committed)
    await leave(committed, code)
    made = await visits.combine_visits(await committed.acting("planner"), OPEN)
    assert (made["picks"], made["dismissed"], made["visits"]) == (7, 1, 6)
    assert code not in {visit["entity_code"] for visit in await office.visits_of(OPEN)}
    row = (await year.load_dismissals((await committed.round())["id"]))[0]
    assert (row["code"], row["rule"], row["item_code"]) == (code, "peace", "") and "无事不扰" in row["reason"]


async def test_a_reason_on_record_lets_a_pick_through(committed):
    code = (await _ready(committed))[0]
    await save_profile(committed)
    await leave(committed, code)
    await allow(committed, code, reason="assigned")
    made = await visits.combine_visits(await committed.acting("planner"), OPEN)
    assert (made["dismissed"], made["visits"]) == (0, 7)


async def test_a_rider_checked_this_year_is_left_off_and_its_host_goes(committed):
    """The same holder is visited for the sealed round, riders included, before the open one is dispatched."""
    code = (await _ready(committed))[0]
    await _ready(committed, SEALED)
    tasks = await office.tasks_by_code()
    shared = {r["item_code"] for r in tasks[ANNUAL]["riders"]} & {r["item_code"] for r in tasks[INSTANT]["riders"]}
    assert shared, "both tasks carry the registration check"
    sealed = await committed.round(SEALED)
    async with engine.transaction():
        await insert_rows(Pick, [{"round": sealed["id"], "task": tasks[INSTANT]["id"], "code": code, "stratum": "A", "rank": 9000, "kind": "replacement"}])
    await save_profile(committed)
    planner = await committed.acting("planner")
    await visits.combine_visits(planner, SEALED)
    async with engine.transaction():
        await Visit.update(state="done").where(Visit.entity_code == code).run()
    made = await visits.combine_visits(planner, OPEN)
    visit = next(one for one in await office.visits_of(OPEN) if one["entity_code"] == code)
    items = {item["code"] for joined in await joined_forms.forms_of(visit) for item in joined["items"]}
    assert tasks[ANNUAL]["item_code"] in items and not items & shared
    assert made["dismissed"] == 0 and {joined["form"].code for joined in await joined_forms.forms_of(visit)} == set(visit["forms"])
    left = await year.load_dismissals((await committed.round())["id"])
    assert {row["item_code"] for row in left if row["code"] == code} == shared and {row["rule"] for row in left} == {"item_year"}


async def test_combining_without_a_profile_dismisses_nobody(committed):
    await _ready(committed)
    assert (await visits.combine_visits(await committed.acting("planner"), OPEN))["dismissed"] == 0


# At the door -------------------------------------------------------------------


async def test_an_arrival_is_refused_where_a_cap_was_used_up_since_and_a_reason_opens_the_door(drawn):
    await save_profile(drawn)
    found = await one_answer(drawn)
    act, visit = await drawn.acting("assigned"), found["visit"]
    await leave(drawn, visit["holder"])
    with pytest.raises(WrongMoment, match="不能入企：该对象在“无事不扰”名单内.*确属以下情形之一并登记事由的除外：投诉举报"):
        await forms.record_arrival(act, visit["code"])
    await allow(drawn, visit["holder"])
    await forms.record_arrival(act, visit["code"])


async def test_a_visit_is_not_in_its_own_way(drawn):
    await save_profile(drawn, bureau_year=1, all_year=1)
    found = await one_answer(drawn)
    await forms.record_arrival(await drawn.acting("assigned"), found["visit"]["code"])


# Reasons and lists -------------------------------------------------------------


@pytest.mark.parametrize("reason, note, until, says", [
    ("holiday", "x", None, "事由“holiday”不认识"), ("complaint", " ", None, "请写明来源"), ("complaint", "x", date(2025, 1, 1), "早于起始日期"),
])  # fmt: skip
async def test_a_reason_is_one_of_the_ten_with_its_source(filled, reason, note, until, says):
    code = (await _candidates(filled))[0]["code"]
    with pytest.raises(BadInput, match=says):
        await caps.allow(await filled.acting("approver"), code, "", reason, note, date(2026, 1, 1), until)


async def test_a_second_click_makes_no_second_row(filled):
    code = (await _candidates(filled))[0]["code"]
    planner, approver = await filled.acting("planner"), await filled.acting("approver")
    said = (code, "", "complaint", "12345 第 7 号", date(2026, 1, 1), None)
    listed = (code, ("food", "trade"), "信用风险低", date(2026, 1, 1), None)
    assert await caps.allow(approver, *said) and await caps.leave_in_peace(planner, *listed)
    before = await office.snapshot()
    assert not await caps.allow(approver, *said)
    assert not await caps.leave_in_peace(planner, code, ("trade", "food"), *listed[2:])
    assert await office.snapshot() == before
    assert await caps.allow(approver, *said[:3], "12345 第 8 号", *said[4:]) and len(await year.load_allowances([code])) == 2


async def test_nobody_puts_a_stranger_on_a_list_and_only_an_approver_gives_a_reason(filled):
    with pytest.raises(BadInput, match="名录中没有代码 X"):
        await leave(filled, "X")
    with pytest.raises(BadInput, match="依据"):
        await leave(filled, "X", reason=" ")
    with pytest.raises(NotAllowed):
        await caps.allow(await filled.acting("planner"), "X", "", "complaint", "x", date(2026, 1, 1), None)


@pytest.mark.parametrize("region, level", [("350000", "province"), ("350500", "city"), ("350582", "county")])
def test_the_level_of_a_bureau_is_in_its_region(region, level):
    assert caps.level_of(region) == level

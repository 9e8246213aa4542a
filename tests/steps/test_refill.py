"""Emptied slots are drawn again by the round's own key; nobody is put in by hand and everything else stays."""

import json

import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.steps import assign, unfilled
from portal.steps.verify import verify_installation
from portal.store import accounts, directory, engine
from portal.store import visits as store
from portal.store.tables import Assignment, Visit
from tests import office
from tests.office import OPEN, snapshot

pytestmark = pytest.mark.anyio


async def assigned_now(house):
    runs = await store.load_runs((await house.round(OPEN))["id"])
    return json.loads(runs[-1]["result"])["assigned"]


async def verified(house):
    return [words async for holds, words in verify_installation(await house.acting("auditor")) if not holds]


async def test_who_is_absent_is_replaced_by_lot_everywhere_and_nobody_else_moves(drawn):
    planner = await drawn.acting("planner")
    before = await assigned_now(drawn)
    away = next(who for row in before.values() for who in row if who)
    found = await assign.refill_slots(planner, OPEN, [away], "病假")
    after = await assigned_now(drawn)
    held = [(visit, n) for visit, row in before.items() for n, who in enumerate(row) if who == away]
    assert found["emptied"] == len(held) == found["filled"] and found["unfilled"] == []
    for visit, row in before.items():
        for n, who in enumerate(row):
            assert (after[visit][n] != away and after[visit][n] is not None) if (visit, n) in held else after[visit][n] == who
        assert len(set(after[visit])) == len(after[visit])
    codes = {row["id"]: row["code"] for row in await directory.load_inspectors(planner.tree)}
    for visit in await office.visits_of(OPEN):
        if visit["code"] in after:
            assert [codes[who] for who in (await store.load_assigned([visit["id"]]))[visit["id"]]] == after[visit["code"]]
    assert await verified(drawn) == []
    with pytest.raises(WrongMoment, match="没有要补的名额"):
        await assign.refill_slots(planner, OPEN, [away], "病假")


async def test_a_recusal_entered_since_empties_its_slot(drawn):
    planner = await drawn.acting("planner")
    visit = (await office.visits_of(OPEN))[0]
    person = (await office.inspectors_of(visit))[0]
    async with engine.transaction():
        await directory.save_recusal(person["id"], visit["entity_code"], "近亲属任职", planner.today, planner.account, planner.now)
    before = await assigned_now(drawn)
    assert (await assign.refill_slots(planner, OPEN, [], "新登记回避"))["emptied"] == 1
    after = await assigned_now(drawn)
    assert person["code"] not in after[visit["code"]]
    assert {name for name in after if after[name] != before[name]} == {visit["code"]} and await verified(drawn) == []


async def test_a_slot_that_nobody_of_the_district_may_take_says_why_and_is_filled_by_a_lending_station(drawn):
    planner = await drawn.acting("planner")
    visit = (await office.visits_of(OPEN))[0]
    station = next(o["code"] for o in await accounts.load_organisations() if o["id"] == visit["organisation"])
    roster = json.loads((await drawn.round())["roster"])["roster"]
    ids = {row["code"]: row["id"] for row in await directory.load_inspectors(planner.tree)}
    near = [person["code"] for person in roster if person["organisation"] == station or not person["station"]]
    async with engine.transaction():
        for code in near:
            await directory.save_recusal(ids[code], visit["entity_code"], "近亲属任职", planner.today, planner.account, planner.now)
    found = await unfilled.load_unfilled(planner, OPEN)
    slots = [one for one in found["slots"] if one["visit"]["code"] == visit["code"]]
    assert [one["slot"] for one in slots] == [0, 1] and all(one["held"] and one["lack"].free == 0 for one in slots)
    lack = slots[1]["lack"]
    assert lack.people == len(near) and lack.rules["recused"] + lack.rules.get("certificate", 0) + lack.rules.get("qualification", 0) == len(near)
    assert await assign.refill_slots(planner, OPEN, [], "回避") == {"emptied": 2, "filled": 0, "unfilled": [[visit["code"], 0], [visit["code"], 1]], "again": False}
    lender = found["lenders"][0]["code"]
    assert lender != station and lender in lack.lenders
    before, n = await assigned_now(drawn), found["n"] + 1
    done = await assign.refill_slots(planner, OPEN, [], "借调", lenders=[lender], after=n)
    assert done["filled"] >= 1
    after = await assigned_now(drawn)
    homes = {person["code"]: person["organisation"] for person in roster}
    assert {homes[who] for who in after[visit["code"]] if who} == {lender} and {name for name in after if after[name] != before[name]} == {visit["code"]}
    again = await assign.refill_slots(planner, OPEN, [], "借调", lenders=[lender], after=n)
    assert again == {**done, "again": True} and await assigned_now(drawn) == after and await verified(drawn) == []
    with pytest.raises(WrongMoment, match="刚刚由别人补派过"):
        await assign.refill_slots(await drawn.acting("boss"), OPEN, [], "借调", after=n)
    with pytest.raises(BadInput, match="没有编号为“359921”的所"):
        await assign.refill_slots(planner, OPEN, [], "借调", lenders=["359921"])


async def test_a_visit_begun_keeps_its_people(drawn):
    planner = await drawn.acting("planner")
    before = await assigned_now(drawn)
    away = next(who for row in before.values() for who in row if who)
    async with engine.transaction():
        await Visit.update(arrived_at=planner.now).where(Visit.code.is_in([visit for visit, row in before.items() if away in row])).run()
    with pytest.raises(WrongMoment, match="没有要补的名额"):
        await assign.refill_slots(planner, OPEN, [away], "病假")


async def test_an_assignment_changed_by_hand_is_found(drawn):
    planner = await drawn.acting("planner")
    away = next(who for row in (await assigned_now(drawn)).values() for who in row if who)
    await assign.refill_slots(planner, OPEN, [away], "病假")
    await office.take_guards_away()
    row = await Assignment.select().order_by(Assignment.id, ascending=False).first().run()
    other = next(one["id"] for one in await directory.load_inspectors(planner.tree) if one["id"] != row["inspector"])
    await Assignment.update(inspector=other).where(Assignment.id == row["id"]).run()
    assert any("人员匹配重算不一致" in words for words in await verified(drawn))


async def test_a_refill_says_who_and_why_and_waits_for_the_assignment(committed):
    planner = await committed.acting("planner")
    before = await snapshot()
    with pytest.raises(BadInput, match="请写明补派人员的原因"):
        await assign.refill_slots(planner, OPEN, [], " ")
    with pytest.raises(BadInput, match="没有“NOBODY”"):
        await assign.refill_slots(planner, OPEN, ["NOBODY"], "病假")
    with pytest.raises(WrongMoment, match="还没有匹配执法人员"):
        await assign.refill_slots(planner, OPEN, [], "病假")
    assert await snapshot() == before

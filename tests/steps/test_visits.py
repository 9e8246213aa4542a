"""After the draw: one visit for each place, on working days, with people of the committed roster."""

import json
from dataclasses import replace
from datetime import date

import pytest

from portal.domain import calendar
from portal.domain.assign import assign_file
from portal.domain.bundle import canonical
from portal.domain.errors import WrongMoment
from portal.domain.sample import sample_plan
from portal.steps import assign, bundles, commit, draw, plan, pool, visits
from portal.steps.bundles import load_draw_keys
from portal.store import directory, engine, schema
from portal.store import draw as draw_store
from portal.store import log as log_store
from portal.store import visits as visit_store
from portal.store.bulk import insert_rows
from portal.store.tables import Assignment, Entity, Inspector, Pick, Recusal, Round, Setting, Visit, VisitTask
from tests import office
from tests.office import ANNUAL, INSTANT, OPEN, SEALED, WINDOW, snapshot, tasks_by_code

pytestmark = pytest.mark.anyio


async def _draw(house, code: str) -> None:
    await office.make_drawable(house, code)
    await draw.draw_round(await house.acting("planner"), code)


# One visit for each place ----------------------------------------------------


async def test_a_rounds_picks_become_one_visit_for_each_place(drawn):
    made = await office.visits_of(OPEN)
    picks = await draw_store.load_picks((await drawn.round())["id"])
    entities = await directory.load_entities({pick["code"] for pick in picks})
    places = {(entities[pick["code"]]["holder"], entities[pick["code"]]["site"]) for pick in picks}
    assert {(visit["holder"], visit["site"]) for visit in made} == places and len(made) == len(places)
    assert all(visit["code"] == f"{OPEN}_{visit['entity_code']}" for visit in made)


async def test_combining_again_changes_nothing(drawn):
    before = await snapshot()
    made = await visits.combine_visits(await drawn.acting("planner"), OPEN)
    assert made["again"] is True and made["visits"] == 7
    assert await snapshot() == before


async def test_a_round_not_drawn_is_not_combined_and_one_not_combined_is_not_assigned(committed):
    planner = await committed.acting("planner")
    with pytest.raises(WrongMoment, match="还没有抽取，不能合并入企"):
        await visits.combine_visits(planner, OPEN)
    await _draw(committed, OPEN)
    with pytest.raises(WrongMoment, match="还没有合并入企，不能匹配执法人员"):
        await assign.assign_inspectors(await committed.acting("planner"), OPEN)


async def _one_place(house) -> str:
    """Move everything the two rounds draw to one holder, so that they must meet; the holder."""
    await _draw(house, OPEN)
    await _draw(house, SEALED)
    holder = (await draw_store.load_picks((await house.round())["id"]))[0]["code"]
    for code in (OPEN, SEALED):
        for pick in await draw_store.load_picks((await house.round(code))["id"]):
            await Entity.update(holder=holder, site="").where(Entity.code == pick["code"]).run()
    return holder


async def test_a_second_rounds_tasks_join_the_open_visit_to_the_same_place(committed):
    holder = await _one_place(committed)
    planner = await committed.acting("planner")
    first = await visits.combine_visits(planner, OPEN)
    assert (first["visits"], first["avoided"]) == (1, 6)
    before = (await office.visits_of(OPEN))[0]
    second = await visits.combine_visits(planner, SEALED)
    assert second["again"] is False
    joined = await office.visits_of(SEALED)
    assert [visit["code"] for visit in joined] == [before["code"]]
    assert await Visit.count().where(Visit.holder == holder).run() == 1
    carried = (await visit_store.load_tasks_of_visits([before["id"]]))[before["id"]]
    tasks = await tasks_by_code()
    assert sorted(carried) == sorted([tasks[ANNUAL]["id"], tasks[INSTANT]["id"]])
    assert set(joined[0]["forms"]) >= set(before["forms"])
    again = await visits.combine_visits(planner, SEALED)
    assert again["again"] is True and await VisitTask.count().run() == 2


async def test_a_done_visit_is_not_joined(committed):
    await _one_place(committed)
    planner = await committed.acting("planner")
    await visits.combine_visits(planner, OPEN)
    visit = (await office.visits_of(OPEN))[0]
    async with engine.transaction():
        await visit_store.save_done(visit["id"], committed.settings.now())
    await visits.combine_visits(planner, SEALED)
    codes = [visit["code"] for visit in await office.visits_of(SEALED)]
    assert len(codes) == 1 and codes[0].startswith(SEALED)


def plan_with_a_second_annual_row():
    """The next version of the plan: all its rows go on, and the item of the first is drawn once more in autumn."""
    sheet = sample_plan(office.SEED)
    again = list(sheet.rows[2])
    again[0], again[sheet.rows[1].index("实施时间")] = 16, "10-12月"
    return replace(sheet, rows=(*sheet.rows[:17], tuple(again), *sheet.rows[17:]), merged=tuple(one for one in sheet.merged if one[0][0] < 17))


async def test_what_is_waiting_for_a_visit_is_excluded_from_the_same_items_next_pool(drawn):
    """The task of a later plan version draws the same item: companies with an open visit for it are passed over."""
    await plan.import_plan(await drawn.acting("operator"), plan_with_a_second_annual_row(), b"next")
    fresh = max(code for code, task in (await tasks_by_code()).items() if task["item_code"] == "annual_reports.annual")
    assert fresh != ANNUAL
    made = await pool.freeze_pool(await drawn.acting("planner"), fresh)
    assert made["rules"]["open_visit"] == 7 == made["excluded_size"]


async def test_what_was_checked_this_year_is_excluded_too(approved):
    await plan.import_plan(await approved.acting("operator"), plan_with_a_second_annual_row(), b"next")
    fresh = max(code for code, task in (await tasks_by_code()).items() if task["item_code"] == "annual_reports.annual")
    made = await pool.freeze_pool(await approved.acting("planner"), fresh)
    assert made["rules"] == {"inspected_this_year": 7}


async def test_a_company_gone_from_the_directory_stops_the_combining(committed):
    await _draw(committed, OPEN)
    code = (await draw_store.load_picks((await committed.round())["id"]))[0]["code"]
    await Entity.delete().where(Entity.code == code).run()
    with pytest.raises(WrongMoment, match=f"名录中找不到抽中的 {code} 等 1 户"):
        await visits.combine_visits(await committed.acting("planner"), OPEN)


# Days ------------------------------------------------------------------------


async def test_days_are_working_days_in_the_window(drawn):
    days = [visit["day"] for visit in await office.visits_of(OPEN)]
    assert all(calendar.is_workday(day) and WINDOW[0] <= day <= WINDOW[1] for day in days)


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        (date(2026, 6, 19), date(2026, 6, 22), [date(2026, 6, 22)]),  # 端午节 19-21
        (date(2026, 6, 19), date(2026, 6, 19), [date(2026, 6, 19)]),  # none left: its last day
        (date(2099, 1, 2), date(2099, 1, 5), [date(2099, 1, 2), date(2099, 1, 5)]),  # a year not yet published: weekdays
    ],
)
def test_working_days_leave_out_holidays_and_never_run_out(first, last, wanted):
    assert visits.working_days(first, last) == wanted


# People ----------------------------------------------------------------------


async def test_the_assignment_is_what_anybody_computes_from_slots_json(drawn):
    for code in (OPEN, SEALED):
        boss = await drawn.acting("boss")
        files = await bundles.export_round(boss, code, "auditor")
        assert assign_file(files["slots.json"]) == files["assigned.json"]
        run = (await visit_store.load_runs((await drawn.round(code))["id"]))[0]
        _, key = load_draw_keys(boss, await drawn.round(code))
        assert canonical({**json.loads(run["slots"]), "K": key.hex()}) == files["slots.json"]
        said = json.loads(files["assigned.json"])["assigned"]
        own = [visit for visit in await office.visits_of(code) if visit["code"].startswith(code)]
        assert {visit["code"]: [one["code"] for one in await office.inspectors_of(visit)] for visit in own} == said


async def test_two_different_people_go_to_each_visit_and_a_lead_among_them(drawn):
    for visit in await office.visits_of(OPEN):
        people = await office.inspectors_of(visit)
        assert len({one["id"] for one in people}) == 2 and people[0]["lead"]
        assert all(one["certificate_until"] >= WINDOW[1] and one["status"] == "有效" for one in people)


async def test_assigning_again_changes_nothing(drawn):
    before = await snapshot()
    made = await assign.assign_inspectors(await drawn.acting("planner"), OPEN)
    assert made["again"] is True and made["slots"] == 14 == made["filled"]
    assert await snapshot() == before


async def test_the_roster_of_the_commitment_counts_and_not_todays(committed):
    """Between commitment and draw half the roster expires and everybody is recused: candidates stay the same."""
    await _draw(committed, OPEN)
    planner = await committed.acting("planner")
    await visits.combine_visits(planner, OPEN)
    async with engine.transaction():
        await Inspector.update({Inspector.status: "失效", Inspector.certificate_until: date(2020, 1, 1)}, force=True).run()
        one = await Inspector.select(Inspector.id).first().run()
        entity = (await office.visits_of(OPEN))[0]["entity_code"]
        await directory.save_recusal(one["id"], entity, "后来的", date(2026, 1, 1), planner.account, planner.now)
    made = await assign.assign_inspectors(planner, OPEN)
    assert made["filled"] == made["slots"] == 14


async def test_a_stored_roster_that_is_not_the_committed_one_is_refused(committed):
    await _draw(committed, OPEN)
    planner = await committed.acting("planner")
    await visits.combine_visits(planner, OPEN)
    await office.take_guards_away()
    people = json.loads((await committed.round())["roster"])
    people["roster"] = people["roster"][1:]
    await Round.update(roster=json.dumps(people)).where(Round.code == OPEN).run()
    before = await snapshot()
    with pytest.raises(WrongMoment, match="名录与公布的承诺不符，已拒绝匹配"):
        await assign.assign_inspectors(planner, OPEN)
    assert await snapshot() == before


async def test_the_recused_do_not_visit_whom_they_are_related_to(filled):
    await pool.freeze_pool(await filled.acting("planner"), ANNUAL)
    every = await directory.load_inspectors((await filled.acting("boss")).tree)
    act = await filled.acting("operator")
    kept = [row["id"] for row in every if row["lead"]][:4]
    async with engine.transaction():  # everybody but four is recused everywhere
        codes = [row["code"] for row in await Entity.select(Entity.code).where(Entity.type == "企业").run()]
        await insert_rows(
            Recusal,
            [
                {"inspector": row["id"], "entity_code": code, "reason": "亲属", "since": date(2026, 1, 1), "until": None,
                 "entered_by": act.account, "entered_at": act.now}
                for row in every if row["id"] not in kept for code in codes
            ],
        )  # fmt: skip
    code = await _create_over(filled)
    await _draw(filled, code)
    planner = await filled.acting("planner")
    await visits.combine_visits(planner, code)
    await assign.assign_inspectors(planner, code)
    for visit in await office.visits_of(code):
        assert {one["id"] for one in await office.inspectors_of(visit)} <= set(kept)


async def _create_over(house) -> str:
    code = await commit.create_round(
        await house.acting("planner"), [ANNUAL], title="测试轮次", disclosure="open", holders=office.HOLDERS, window=WINDOW,
        draw_not_before=office.AFTER_ISSUES,
        sources=[{"name": name, "drawn_at": at, "groups": groups} for name, at, groups, _ in office.ISSUES],
    )  # fmt: skip
    await office.make_shares(house, code)
    await commit.commit_round(await house.acting("approver"), code)
    await office.publish_commitments(house, code)
    return code


async def test_slots_nobody_may_fill_are_reported_and_stay_empty(filled):
    await Inspector.update({Inspector.lead: False}, force=True).run()
    code = await office.commit_and_publish(filled)
    await _draw(filled, code)
    planner = await filled.acting("planner")
    made = await visits.combine_visits(planner, code)
    found = await assign.assign_inspectors(planner, code)
    assert sorted(found["unfilled"]) == sorted([visit["code"], 0] for visit in await office.visits_of(code))
    assert found["filled"] == made["visits"] == found["slots"] // 2
    for visit in await office.visits_of(code):
        assert len(await office.inspectors_of(visit)) == 1


async def test_the_assignment_is_logged_before_it_is_made(drawn):
    entries = [entry for entry in await log_store.load_entries_on([OPEN]) if entry["kind"] == "assignment"]
    run = (await visit_store.load_runs((await drawn.round())["id"]))[0]
    assert [json.loads(bytes(entry["data"]))["digest"] for entry in entries] == [run["slots_digest"]]
    assert "K" not in json.loads(run["slots"])


# Objects ---------------------------------------------------------------------


async def test_a_drawn_object_joins_the_open_visit_to_its_holder(drawn):
    """A lift drawn under its own code while its holder already waits for a visit: one visit, not a conflict."""
    visit = (await office.visits_of(OPEN))[0]
    act = await drawn.acting("planner")
    assert [row["code"] for row in await visit_store.load_open_visits({visit["holder"]})] == [visit["code"]]
    row = await Entity.select().where(Entity.code == visit["entity_code"]).first().run()
    lift = {**{k: v for k, v in row.items() if k != "id"}, "code": "LIFT-1", "kind": "object", "holder": visit["holder"]}
    await Entity.insert(Entity(**lift)).run()
    pick = (await draw_store.load_picks((await drawn.round(SEALED))["id"]))[0]
    await office.take_guards_away()
    await Assignment.delete(force=True).run()
    await VisitTask.delete().where(VisitTask.task == pick["task"]).run()
    await Visit.delete().where(Visit.round == pick["round"]).run()
    await Pick.update(code="LIFT-1").where(Pick.id == pick["id"]).run()
    await Setting.update(value="").where(Setting.key == "invariants").run()
    await schema.migrate()
    await visits.combine_visits(act, SEALED)
    assert visit["code"] in {one["code"] for one in await office.visits_of(SEALED)}

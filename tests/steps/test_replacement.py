"""补抽: once, on the round's day, by the register of that day; nobody is chosen, nothing is deleted."""

import asyncio
import json
from datetime import date

import pytest

from portal.domain.errors import NotAllowed, WrongMoment
from portal.domain.recompute import require_bundle
from portal.steps import assign, bundles, caps, draw, forms, replacement, visits
from portal.steps.verify import verify_installation
from portal.store import audit, engine
from portal.store import draw as draw_store
from portal.store import visits as store
from portal.store import year
from portal.store.tables import Entity, InspectionRecord, Pick, Round, Visit
from tests import office
from tests.office import OPEN, SEALED, snapshot

pytestmark = pytest.mark.anyio

DAY = "2026-06-08T09:00"  # the first day of the window: round.json's replace_on


async def strike(*codes, status="注销"):
    async with engine.transaction():
        await Entity.update(status=status).where(Entity.code.is_in(list(codes))).run()


async def strata_of(house, code=OPEN):
    """The one stratum of the open round's one task, or all of the sealed one's."""
    entry = next(iter(json.loads((await house.round(code))["result_json"]).values()))
    return entry["strata"]


async def verified(house):
    return [words async for holds, words in verify_installation(await house.acting("auditor")) if not holds]


async def assigned_now(house, code=OPEN):
    return json.loads((await store.load_runs((await house.round(code))["id"]))[-1]["result"])["assigned"]


@pytest.fixture
async def due(drawn):
    drawn.at(DAY)
    return drawn


async def test_struck_entries_are_replaced_by_the_next_in_order_and_struck_next_ones_skipped(due):
    row = (await strata_of(due))["*"]
    gone = [row["drawn"][0], row["drawn"][2]]
    await strike(gone[0], row["reserve"][0])
    await strike(gone[1], status="迁出")
    before = await assigned_now(due)
    made = await replacement.replace_struck(await due.acting("planner"), OPEN)
    task = office.ANNUAL
    assert made["document"]["tasks"][task] == [["*", gone[0], row["reserve"][1]], ["*", gone[1], row["reserve"][2]]]
    assert made["counts"] == {"picks": 2, "filled": 2, "empty": 0, "entities": 2, "kept": 0, "reasons": {"注销": 1, "迁出": 1}}
    after = await assigned_now(due)
    visited = {visit["entity_code"]: visit for visit in await office.visits_of(OPEN)}
    assert set(row["reserve"][1:3]) <= visited.keys() and visited.keys().isdisjoint(gone)
    added = [visited[code]["code"] for code in row["reserve"][1:3] if visited[code]["code"] not in before]
    assert added and all(None not in after[code] for code in added) and {visited[code]["day"] >= date(2026, 6, 8) for code in row["reserve"][1:3]} == {True}
    for code in set(before) & set(after):
        assert before[code] == after[code], "existing visits keep their people"
    worked = {pick["code"] for pick in await draw_store.load_picks((await due.round())["id"])}
    assert worked == set(row["drawn"]) - set(gone) | set(row["reserve"][1:3])
    assert await verified(due) == []


async def test_a_closed_visit_stays_with_its_reason_and_frees_its_people(due):
    row = (await strata_of(due))["*"]
    round_ = (await due.round())["id"]
    shared = {v["id"] for v in await office.visits_of(SEALED)}
    visit = next(v for v in await office.visits_of(OPEN) if v["entity_code"] in row["drawn"] and v["round"] == round_ and v["id"] not in shared)
    carried = (await store.load_tasks_of_visits([visit["id"]]))[visit["id"]]
    await strike(visit["entity_code"], status="吊销")
    await replacement.replace_struck(await due.acting("planner"), OPEN)
    closings = (await store.load_closings([visit["id"]]))[visit["id"]]
    assert [row["status"] for row in closings] == ["吊销"] and "登记状态为“吊销”" in closings[0]["reason"] and "2026-06-08" in closings[0]["reason"]
    now = (await store.load_visits_by_id([visit["id"]]))[visit["id"]]
    assert now["state"] == "closed" and carried == [closings[0]["task"]]
    assert await store.load_tasks_of_visits([visit["id"]]) == {} and visit["code"] not in await assigned_now(due)
    assert await year.load_visited(caps.BEFORE) and visit["code"] not in {row["visit"] for row in await year.load_visited(caps.BEFORE)}
    assert await verified(due) == []


async def test_a_visit_shared_with_another_round_keeps_the_other_round_s_task(due):
    shared = [v for v in await office.visits_of(SEALED) if v["round"] == (await due.round())["id"]]
    assert shared, "the two rounds of the stage meet somewhere"
    visit = shared[0]
    await strike(visit["entity_code"])
    await replacement.replace_struck(await due.acting("planner"), OPEN)
    now = (await store.load_visits_by_id([visit["id"]]))[visit["id"]]
    assert now["state"] == "open" and visit["code"] in {v["code"] for v in await office.visits_of(SEALED)}
    assert visit["code"] not in {v["code"] for v in await office.visits_of(OPEN)}
    assert await verified(due) == []
    await replacement.replace_struck(await due.acting("planner"), SEALED)
    assert (await store.load_visits_by_id([visit["id"]]))[visit["id"]]["state"] == "closed"
    assert await verified(due) == []


@pytest.mark.parametrize("how", ["arrived", "recorded"])
async def test_who_was_visited_before_is_a_finding_and_not_replaced(due, how):
    row = (await strata_of(due))["*"]
    visit = next(v for v in await office.visits_of(OPEN) if v["entity_code"] in row["drawn"])
    planner = await due.acting("planner")
    async with engine.transaction():
        if how == "arrived":
            await Visit.update(arrived_at=planner.now).where(Visit.id == visit["id"]).run()
        else:
            task = (await store.load_tasks_of_visits([visit["id"]]))[visit["id"]][0]
            await InspectionRecord.insert(InspectionRecord(
                visit=visit["id"], task=task, organisation=visit["organisation"], sector="annual_reports", form_code="x", form_version="1",
                entered_by=planner.account,
            )).run()  # fmt: skip
    await strike(visit["entity_code"])
    made = await replacement.replace_struck(planner, OPEN)
    assert made["counts"]["picks"] == 0 and made["document"]["kept"] == [visit["entity_code"]]
    assert (await store.load_visits_by_id([visit["id"]]))[visit["id"]]["state"] == "open"
    assert await verified(due) == []


async def test_where_the_reserve_is_used_up_the_order_goes_on_and_where_nobody_is_left_the_place_stays_empty(due):
    row = (await strata_of(due))["*"]
    await strike(row["drawn"][0], *row["reserve"])
    made = await replacement.replace_struck(await due.acting("planner"), OPEN)
    new = made["document"]["tasks"][office.ANNUAL][0][2]
    assert new and new not in {*row["drawn"], *row["reserve"]}
    assert await verified(due) == []
    strata = await strata_of(due, SEALED)
    name = next(name for name, one in strata.items() if one["drawn"])
    pool = (await bundles.load_pool_files(await draw_store.load_round_tasks((await due.round(SEALED))["id"])))[f"{office.INSTANT}/pool.tsv"]
    await strike(*(line.split("\t")[0] for line in pool.decode().splitlines() if line.split("\t")[1] == name))
    made = await replacement.replace_struck(await due.acting("planner"), SEALED)
    rows = [one for one in made["document"]["tasks"][office.INSTANT] if one[0] == name]
    assert rows and all(new is None for _, _, new in rows) and made["counts"]["empty"] >= len(rows)
    assert await verified(due) == []


async def test_before_the_visits_are_made_only_the_names_change(committed):
    await office.make_drawable(committed)
    planner = await committed.acting("planner")
    await draw.draw_round(planner, OPEN)
    committed.at(DAY)
    planner = await committed.acting("planner")
    row = (await strata_of(committed))["*"]
    await strike(row["drawn"][0])
    made = await replacement.replace_struck(planner, OPEN)
    assert (made["visits"], made["closed"], made["unfilled"]) == (0, 0, [])
    combined = await visits.combine_visits(planner, OPEN)
    codes = {visit["entity_code"] for visit in await office.visits_of(OPEN)}
    assert row["drawn"][0] not in codes and row["reserve"][0] in codes and combined["picks"] == len(row["drawn"])
    await assign.assign_inspectors(planner, OPEN)
    assert await verified(committed) == []


async def test_a_replacement_whom_a_cap_forbids_is_named_and_nobody_comes_instead(due):
    row = (await strata_of(due))["*"]
    planner = await due.acting("planner")
    await year_peace(due, row["reserve"][0])
    await strike(row["drawn"][0])
    made = await replacement.replace_struck(planner, OPEN)
    assert [(task, code) for task, code, _ in made["blocked"]] == [(office.ANNUAL, row["reserve"][0])] and "无事不扰" in made["blocked"][0][2]
    summary = await visits.load_summary(await due.round())
    assert (summary["picks"], summary["dismissed"]) == (len(row["drawn"]), 1)
    assert summary["avoided"] == summary["picks"] - 1 - summary["visits"]
    assert await verified(due) == []


async def year_peace(house, holder):
    planner = await house.acting("planner")
    async with engine.transaction():
        await year.save_peace({
            "organisation": planner.bureau["id"], "holder": holder, "sectors": "[]", "reason": "信用良好", "since": planner.today, "until": None,
            "entered_by": planner.account, "entered_at": planner.now,
        })  # fmt: skip


async def test_it_is_done_once_and_asking_again_gives_the_stored_result(due):
    row = (await strata_of(due))["*"]
    planner = await due.acting("planner")
    await strike(row["drawn"][0])
    first = await replacement.replace_struck(planner, OPEN)
    await strike(row["drawn"][1])
    before = await snapshot()
    again = await replacement.replace_struck(planner, OPEN)
    assert again["again"] and again["document"] == first["document"] and await snapshot() == before
    assert [row["act"] for row in await audit.load_acts_on(OPEN)].count("round.replace") == 1


async def test_nobody_struck_is_a_result_too(due):
    made = await replacement.replace_struck(await due.acting("planner"), OPEN)
    assert made["counts"]["picks"] == 0 and not made["again"] and (await due.round())["replacement_json"]
    assert await verified(due) == []


async def test_too_early_too_late_and_for_what_is_not_drawn_it_is_refused_in_words(drawn):
    planner = await drawn.acting("planner")
    before = await snapshot()
    with pytest.raises(WrongMoment, match="约定 2026-06-08 补抽，现在不能办理"):
        await replacement.replace_struck(planner, OPEN)
    drawn.at("2026-07-01T09:00")
    with pytest.raises(WrongMoment, match="检查时段已于 2026-06-30 结束"):
        await replacement.replace_struck(await drawn.acting("planner"), OPEN)
    with pytest.raises(NotAllowed, match="本操作由计划员办理"):
        await replacement.replace_struck(await drawn.acting("approver"), OPEN)
    assert await snapshot() == before
    drawn.at("2026-07-01T10:00")
    await draw.reveal_round(await drawn.acting("approver"), OPEN)


async def test_a_round_not_drawn_has_nothing_to_replace(committed):
    committed.at(DAY)
    with pytest.raises(WrongMoment, match="已公布承诺，没有可以补抽的结果"):
        await replacement.replace_struck(await committed.acting("planner"), OPEN)


async def test_after_the_secrets_are_public_nobody_is_replaced(drawn):
    drawn.at("2026-06-20T09:00")
    async with engine.transaction():
        await Visit.update(state="done").where(Visit.state == "open").run()
    await draw.reveal_round(await drawn.acting("approver"), OPEN)
    with pytest.raises(WrongMoment, match="密值已经公开，谁会递补人人可以算出"):
        await replacement.replace_struck(await drawn.acting("planner"), OPEN)


async def test_the_preview_names_who_is_struck_and_never_who_would_come(drawn):
    row = (await strata_of(drawn))["*"]
    await strike(row["drawn"][0])
    before = await snapshot()
    seen = await replacement.preview_replacement(await drawn.acting("planner"), OPEN)
    assert [(one["code"], one["status"], one["kept"]) for one in seen["struck"]] == [(row["drawn"][0], "注销", False)]
    assert seen["picks"] == 1 and row["reserve"][0] not in repr(seen) and await snapshot() == before


async def test_the_auditor_s_folder_holds_it_and_the_public_one_after_the_reveal(due):
    row = (await strata_of(due))["*"]
    await strike(row["drawn"][0])
    await replacement.replace_struck(await due.acting("planner"), OPEN)
    await replacement.replace_struck(await due.acting("planner"), SEALED)
    supervisor = await due.acting("supervisor")
    for code in (OPEN, SEALED):
        files = await bundles.export_round(supervisor, code, "auditor")
        require_bundle(files, (await due.round(code))["digest"])
        assert "replacement.json" in files
        assert "replacement.json" not in (await bundles.load_public_files(supervisor, await due.round(code))).files
    due.at("2026-07-01T09:00")
    await draw.reveal_round(await due.acting("approver"), OPEN)
    shown = (await bundles.load_public_files(supervisor, await due.round(OPEN))).files
    assert shown["replacement.json"] == (await due.round(OPEN))["replacement_json"].encode()
    assert shown == bundles.public_files(await due.round(OPEN), await bundles.auditor_files(supervisor, await due.round(OPEN)))


async def test_evidence_names_the_file_that_said_so(due):
    row = (await strata_of(due))["*"]
    await strike(row["drawn"][0])
    made = await replacement.replace_struck(await due.acting("planner"), OPEN)
    said = made["document"]["struck"][row["drawn"][0]]
    assert said["status"] == "注销" and said["known_at"].endswith("+08:00")


async def test_changed_afterwards_it_is_found(due):
    row = (await strata_of(due))["*"]
    await strike(row["drawn"][0])
    await replacement.replace_struck(await due.acting("planner"), OPEN)
    await office.take_guards_away()
    await Pick.update(code=row["reserve"][3]).where(Pick.kind == "replacement").run()
    assert any("补抽 1 户次，与数据库登记的名单或入企不符" in words for words in await verified(due))
    await Pick.update(code=row["reserve"][0]).where(Pick.kind == "replacement").run()
    assert await verified(due) == []
    await Round.update(replacement_json="").where(Round.code == OPEN).run()
    assert any("补抽与存证日志登记的不符" in words for words in await verified(due))


async def test_emptied_slots_are_still_filled_after_a_replacement(due):
    row = (await strata_of(due))["*"]
    await strike(row["drawn"][0], row["drawn"][1])
    planner = await due.acting("planner")
    await replacement.replace_struck(planner, OPEN)
    away = next(who for people in (await assigned_now(due)).values() for who in people if who)
    found = await assign.refill_slots(planner, OPEN, [away], "病假")
    assert found["filled"] == found["emptied"] > 0 and await verified(due) == []


async def test_somebody_who_struck_and_somebody_who_assigns_at_once_leave_one_state(due):
    row = (await strata_of(due))["*"]
    await strike(row["drawn"][0])
    planner = await due.acting("planner")
    answers = await asyncio.gather(*(replacement.replace_struck(planner, OPEN) for _ in range(6)))
    assert [answer["again"] for answer in answers].count(False) == 1 and len({json.dumps(answer["document"]) for answer in answers}) == 1
    assert await verified(due) == []


async def test_nobody_arrives_at_a_closed_visit_and_nobody_files_a_record_for_it(due):
    row = (await strata_of(due))["*"]
    shared = {v["id"] for v in await office.visits_of(SEALED)}
    visit = next(v for v in await office.visits_of(OPEN) if v["entity_code"] in row["drawn"] and v["id"] not in shared)
    person = (await office.inspectors_of(visit))[0]
    inspector = await due.account_of("assigned", ["inspector"], person["id"])
    await strike(visit["entity_code"])
    await replacement.replace_struck(await due.acting("planner"), OPEN)
    before = await snapshot()
    with pytest.raises(WrongMoment, match="不再进行：登记状态为“注销”"):
        await forms.record_arrival(inspector, visit["code"])
    with pytest.raises(WrongMoment, match="不再进行：登记状态为“注销”"):
        await forms.save_record(inspector, visit["code"], next(iter(visit["forms"])), answers={}, outcomes={})
    assert await snapshot() == before
    view = await forms.load_visit_view(inspector, visit["code"])
    assert view["forms"] == [] and not view["may_enter"] and view["closings"][0]["status"] == "注销"

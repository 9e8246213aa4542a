"""A combined visit is split for a reason: tasks, forms and people go along, the reason stays, nothing is checked twice, and what was saved is counted without it."""

from dataclasses import replace
from datetime import date

import pytest

from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.domain.splitting import settle_items
from portal.steps import assign, disclosure, forms, replacement, split, verify, visits
from portal.steps.joined_forms import forms_of
from portal.store import audit, engine
from portal.store import visits as store
from portal.store.tables import Entity, Visit
from tests import office
from tests.office import ANNUAL, INSTANT, OPEN, SEALED, snapshot, tasks_by_code
from tests.steps.acts import one_answer, shared_visit

pytestmark = pytest.mark.anyio

WHY = "即时信息核查人员当日不能到场"
DAY = date(2026, 6, 22)


async def _split(house, login="planner", visit=None, tasks=(INSTANT,), why=WHY, on=DAY):
    return await split.split_visit(await house.acting(login), (visit or await shared_visit())["code"], tasks, why, on)


async def _items(visit) -> dict[str, set[str]]:
    return {one["form"].code: {item["code"] for item in one["items"]} for one in await forms_of(visit)}


async def _avoided(house) -> int:
    """少跑 as the public site says it of the year."""
    rounds = [await house.round(code) for code in (OPEN, SEALED)]
    return next(one["value"] for one in await disclosure._figures(await house.acting("publisher"), 2026, rounds, []) if one["label"] == "少跑")


def test_an_item_goes_with_the_task_drawn_for_it_and_is_checked_once():
    assert settle_items({"A": ["a.one", "r.licence"]}, {"B": ["b.two", "r.licence"]}) == [("B", "r.licence")]
    assert settle_items({"A": ["a.one", "b.two"]}, {"B": ["b.two"]}) == [("A", "b.two")]
    with pytest.raises(BadInput, match="任务 A 和 B 查的是同一事项，不能分到两次入企"):
        settle_items({"A": ["a.one"]}, {"B": ["a.one"]})


async def test_a_part_has_its_tasks_its_people_and_its_reason_and_every_item_is_asked_once(drawn):
    visit = await shared_visit()
    before, people = await _items(visit), [one["code"] for one in await office.inspectors_of(visit)]
    summaries, avoided = [await visits.load_summary(await drawn.round(code)) for code in (OPEN, SEALED)], await _avoided(drawn)
    made = await _split(drawn)
    assert made == {"visit": f"{visit['code']}-2", "again": False}
    part = (await store.load_parts(visit["id"]))[0]
    kept = (await store.load_visits_by_id([visit["id"]]))[visit["id"]]
    tasks = await tasks_by_code()
    assert await store.load_tasks_of_visits([visit["id"], part["id"]]) == {visit["id"]: [tasks[ANNUAL]["id"]], part["id"]: [tasks[INSTANT]["id"]]}
    assert (part["part"], part["split_reason"], part["day"], part["organisation"], kept["day"]) == (2, WHY, DAY, visit["organisation"], visit["day"])
    assert [one["code"] for one in await office.inspectors_of(part)] == people == [one["code"] for one in await office.inspectors_of(kept)]

    after = [await _items(kept), await _items(part)]
    asked = [item for side in after for items in side.values() for item in items]
    assert sorted(asked) == sorted(item for items in before.values() for item in items), "every item once, none lost"
    for row, side in zip((kept, part), after, strict=True):
        assert row["forms"] == {form: visit["forms"][form] for form in side}, "in the versions frozen when the visit was made"
    closing = (await store.load_closings([visit["id"]]))[visit["id"]]
    assert [one["status"] for one in closing] == ["分开"] and made["visit"] in closing[0]["reason"] and WHY in closing[0]["reason"]
    line = (await audit.load_acts(0))[-1]
    assert (line["act"], line["object"], line["after"]) == ("visits.split", visit["code"], made["visit"])

    now = [await visits.load_summary(await drawn.round(code)) for code in (OPEN, SEALED)]
    assert now[0] == summaries[0], "its own visits are as many as before"
    assert (now[1]["visits"], now[1]["avoided"], now[1]["parts"]) == (summaries[1]["visits"], summaries[1]["avoided"], 1)
    assert await _avoided(drawn) == avoided - 1, "the year's figure has one visit more"
    assert [found async for found in verify.verify_installation(await drawn.acting("auditor")) if not found[0]] == []

    for code, one in ((OPEN, kept), (SEALED, part)):
        await assign.refill_slots(await drawn.acting("planner"), code, [people[0]], "病假")
        assert people[0] not in [who["code"] for who in await office.inspectors_of(one)], "each part is drawn anew by the round whose task it is for"
    assert [found async for found in verify.verify_installation(await drawn.acting("auditor")) if not found[0]] == []


async def test_the_same_split_again_is_one_and_a_second_person_finds_the_task_gone(drawn):
    visit = await shared_visit()
    first = await _split(drawn)
    before = await snapshot()
    assert await _split(drawn, visit=visit) == {**first, "again": True}
    with pytest.raises(BadInput, match="没有任务"):
        await _split(drawn, "boss", visit)
    assert await snapshot() == before


async def test_a_split_is_refused_without_reason_day_or_rest_and_by_whoever_goes_there(drawn):
    visit = await shared_visit()
    person = (await office.inspectors_of(visit))[0]
    await drawn.account_of("goes", ["inspector", "station"], inspector=person["id"])
    before = await snapshot()
    for changed, words in (
        ({"why": " "}, "没有分开"), ({"why": "长" * 201}, "没有分开"), ({"tasks": ()}, "没有分开"), ({"tasks": (ANNUAL, INSTANT)}, "至少要留一项任务"),
        ({"on": date(2026, 5, 1)}, "应在"), ({"on": date(2027, 1, 1)}, "应在"), ({"tasks": ("359921-2026-T009",)}, "没有任务"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            await _split(drawn, visit=visit, **changed)
    with pytest.raises(NotAllowed, match="不能自己决定分两次去"):
        await _split(drawn, "goes", visit)
    assert await snapshot() == before
    view = await split.load_split(await drawn.acting("planner"), visit["code"], [INSTANT], DAY)
    assert view["refusal"] is None and [task["chosen"] for task in view["tasks"]] == [False, True]
    assert await snapshot() == before, "looking keeps nothing"


async def test_once_a_record_is_submitted_a_visit_is_not_split_and_a_draft_stays_with_its_visit(drawn):
    found = await one_answer(drawn, await shared_visit())
    row, act = found["row"], await drawn.acting("assigned")
    given = {"answers": row["answers"], "outcomes": row["outcomes"], "method": row["method"]}
    version = 0
    await forms.save_record(act, row["visit"], row["form"], **given, version=version)
    moved = INSTANT if row["form"] in (await split.load_split(await drawn.acting("planner"), row["visit"], [INSTANT], act.today))["visit"]["forms"] else ANNUAL
    with pytest.raises(WrongMoment, match="已经有草稿"):
        await _split(drawn, visit=found["visit"], tasks=(moved,), on=act.today)
    await forms.save_record(act, row["visit"], row["form"], **given, version=1, submit=True)
    with pytest.raises(WrongMoment, match="已有记录提交"):
        await _split(drawn, visit=found["visit"], on=act.today)


async def test_a_part_is_one_visit_more_for_a_cap(drawn, monkeypatch):
    from portal.domain.caps import Cap, Rules
    from portal.steps import caps

    known = caps.load_limits

    async def one_visit_a_year(*given, **named):
        found = await known(*given, **named, history=True) if "history" not in named else await known(*given, **named)
        return replace(found, rules=Rules((Cap("bureau_year", "同一单位每年入企不超过 1 次", "bureau", 1, exempt=()),)))

    monkeypatch.setattr(caps, "load_limits", one_visit_a_year)
    before = await snapshot()
    with pytest.raises(WrongMoment, match="不能分开：.*不超过 1 次"):
        await _split(drawn)
    assert await snapshot() == before


async def test_a_later_task_joins_the_first_open_part_and_the_database_keeps_one_of_each(drawn):
    visit = await shared_visit()
    await _split(drawn)
    async with engine.transaction():
        rows = await store.lock_open_visits({visit["holder"]})
        assert {(row["holder"], row["site"]): row["code"] for row in rows} == {(visit["holder"], visit["site"]): visit["code"]}
    values = {name: value for name, value in (await Visit.select().where(Visit.id == visit["id"]).first().run()).items() if name != "id"}
    for changed, words in (({}, "冲突"), ({"part": 2}, "split off another"), ({"split_of": visit["id"]}, "split off"), ({"part": 3, "split_of": visit["id"], "split_by": None}, "split off")):
        with pytest.raises(WrongMoment, match=words):
            async with engine.transaction():
                await Visit.insert(Visit(**{**values, "code": "another", **changed})).run()


async def test_whoever_is_struck_leaves_every_part(drawn):
    visit = await shared_visit()
    await _split(drawn)
    await Entity.update(status="注销").where(Entity.code == visit["entity_code"]).run()
    drawn.at("2026-06-08T09:00")
    await replacement.replace_struck(await drawn.acting("planner"), OPEN)
    await replacement.replace_struck(await drawn.acting("planner"), SEALED)
    assert {row["state"] for row in await store.load_visits_at(visit["holder"], visit["site"])} == {"closed"}
    assert [found async for found in verify.verify_installation(await drawn.acting("auditor")) if not found[0]] == []


async def test_a_round_not_assigned_yet_draws_people_for_both_parts(drawn, monkeypatch):
    visit = await shared_visit()
    monkeypatch.setattr(assign.store, "load_runs", _none)
    await _split(drawn)
    part = (await store.load_parts(visit["id"]))[0]
    assert await store.load_assigned([part["id"]]) == {}


async def _none(round_):
    return []

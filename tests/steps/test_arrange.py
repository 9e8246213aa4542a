"""What a station may change of a visit sent to it: its day within the window, and who must stay away; nothing else."""

from datetime import timedelta

import pytest

from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.steps import arrange, assign, forms, issued
from portal.store import audit, year
from portal.store import visits as store
from portal.store.tables import Assignment, Recusal, Task
from tests import office
from tests.office import OPEN
from tests.steps.acts import one_answer

pytestmark = pytest.mark.anyio

WHY = "该企业当日停业盘点"


async def _first():
    return (await office.visits_of(OPEN))[0]


async def test_a_visit_is_moved_within_its_window_by_those_who_do_not_go(drawn):
    visit, planner = await _first(), await drawn.acting("planner")
    view = await arrange.load_arranging(planner, visit["code"])
    assert view["refused_day"] is None and view["first"] <= visit["day"] <= view["last"] and view["moves"] == []
    on = view["last"]
    assert await arrange.reschedule(planner, visit["code"], on, f" {WHY} ") is True
    assert await arrange.reschedule(planner, visit["code"], on, WHY) is False, "a second click"
    assert (await _first())["day"] == on
    [move] = (await arrange.load_arranging(planner, visit["code"]))["moves"]
    assert (move["day_from"], move["day_to"], move["reason"]) == (visit["day"], on, WHY)
    [act] = [one for one in await audit.load_acts_on(visit["code"]) if one["act"] == "visits.reschedule"]
    assert (act["before"], act["after"]) == (visit["day"].isoformat(), on.isoformat())
    for wrong in (view["last"] + timedelta(1), view["first"] - timedelta(1)):
        with pytest.raises(BadInput, match=f"应在 {view['first']} 到 {view['last']} 之间"):
            await arrange.reschedule(planner, visit["code"], wrong, WHY)
    for reason in (" ", "字" * 201):
        with pytest.raises(BadInput):
            await arrange.reschedule(planner, visit["code"], view["first"], reason)
    assert (await _first())["day"] == on


async def test_whoever_goes_there_or_is_there_moves_nothing(drawn):
    found = await one_answer(drawn)
    code, goes = found["visit"]["code"], await drawn.acting("assigned")
    with pytest.raises(NotAllowed):
        await arrange.reschedule(goes, code, found["visit"]["day"], WHY)
    boss = await drawn.acting("boss")
    await forms.record_arrival(goes, code)
    for act in (boss, await drawn.acting("planner")):
        with pytest.raises((WrongMoment, NotAllowed), match="已经到场|您是这次入企的执法人员"):
            await arrange.reschedule(act, code, found["visit"]["day"] + timedelta(1), WHY)


async def test_a_notice_that_names_the_day_stands_in_the_way(drawn):
    visit, planner = await _first(), await drawn.acting("planner")
    await issued.issue_document(planner, "notice", visit["code"])
    with pytest.raises(WrongMoment, match="检查通知书 .* 已经写明入企日期"):
        await arrange.reschedule(planner, visit["code"], visit["day"] + timedelta(1), WHY)
    assert "检查通知书" in (await arrange.load_arranging(planner, visit["code"]))["refused_day"].message


async def test_moving_is_no_way_around_a_cap(drawn):
    visit, planner = await _first(), await drawn.acting("planner")
    carried = (await store.load_tasks_of_visits([visit["id"]]))[visit["id"]]
    task = await Task.select(Task.window_to).where(Task.id == carried[0]).first().run()
    await year.save_peace({
        "organisation": planner.bureau["id"], "holder": visit["holder"], "since": task["window_to"], "until": task["window_to"] + timedelta(30), "reason": "安静期", "sectors": "[]",
        "entered_by": planner.account, "entered_at": planner.now,
    })  # fmt: skip
    view = await arrange.load_arranging(planner, visit["code"])
    with pytest.raises(WrongMoment, match="不能改期"):
        await arrange.reschedule(planner, visit["code"], view["last"], WHY)
    assert (await _first())["day"] == visit["day"]


async def test_a_recusal_empties_the_place_and_the_round_fills_it_again(drawn):
    visit, planner = await _first(), await drawn.acting("planner")
    people = await office.inspectors_of(visit)
    who = people[0]
    assert await arrange.recuse(planner, visit["code"], who["code"], "与法定代表人是近亲属") is True
    assert await arrange.recuse(planner, visit["code"], who["code"], "与法定代表人是近亲属") is False
    rows = await Recusal.select().where(Recusal.inspector == who["id"]).run()
    assert [(row["entity_code"], row["since"], row["until"]) for row in rows if row["entity_code"] == visit["entity_code"]] == [(visit["entity_code"], planner.today, None)]
    runs = await Assignment.count().run()
    made = await assign.refill_slots(planner, OPEN, [], "登记了回避")
    assert made["emptied"] == made["filled"] == 1 and await Assignment.count().run() > runs
    now = await office.inspectors_of(visit)
    assert who["code"] not in {one["code"] for one in now} and [one["code"] for one in now[1:]] == [one["code"] for one in people[1:]]
    with pytest.raises(BadInput, match="不是这次入企的执法人员"):
        await arrange.recuse(planner, visit["code"], who["code"], "再来一次")


async def test_an_inspector_speaks_for_himself_only_and_before_he_recorded_anything(drawn):
    found = await one_answer(drawn)
    code, goes = found["visit"]["code"], await drawn.acting("assigned")
    others = [one for one in await office.inspectors_of(found["visit"]) if one["id"] != goes.inspector["id"]]
    with pytest.raises(NotAllowed, match="您只能申报自己回避"):
        await arrange.recuse(goes, code, others[0]["code"], "我看他要回避")
    with pytest.raises(BadInput, match="请按提示修改"):
        await arrange.recuse(goes, code, goes.inspector["code"], "  ")
    assert await arrange.recuse(goes, code, goes.inspector["code"], "配偶在该企业任职") is True

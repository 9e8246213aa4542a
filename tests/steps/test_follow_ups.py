"""后续处置: steps with their days, re-checks and what follows them, deadlines, reminders; published results say what was closed."""

from datetime import date, timedelta

import pytest

from portal.domain.calendar import workdays_between
from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.domain.workdays import DAYS_OFF
from portal.steps import follow_ups, publish
from portal.steps.follow_ups import Next
from portal.store import follow_ups as store
from portal.store import publish as publications
from portal.store import records
from portal.store.engine import transaction
from tests.office import snapshot
from tests.steps import acts

pytestmark = pytest.mark.anyio


async def _refused(attempt, *fields, kind=BadInput, match=None):
    before = await snapshot()
    with pytest.raises(kind, match=match) as refused:
        await attempt
    assert await snapshot() == before
    assert [problem.field for problem in refused.value.problems] == list(fields)


async def test_a_follow_up_after_a_report_has_no_day_before_it_and_keeps_the_first(entered):
    row = await acts._promised(entered)
    assert row["due_on"] is None and row["state"] == "open"
    act = await entered.acting("reviewer")
    view = await follow_ups.load_follow_up(act, row["id"])
    assert view["row"]["due"].state == "waits" and "extend" not in view["acts"]
    for on in (act.today + timedelta(days=1), view["record"]["inspected_on"] - timedelta(days=1)):
        await _refused(follow_ups.answer_follow_up(act, row["id"], on, ""), "on", match="没有保存")
    await _refused(follow_ups.answer_follow_up(act, row["id"] + 999, act.today, ""), kind=NotFound)

    assert act.today == date(2026, 7, 2)
    assert await follow_ups.answer_follow_up(act, row["id"], date(2026, 7, 1), "传真") == date(2026, 7, 15), "ten working days after"
    await _refused(follow_ups.answer_follow_up(act, row["id"], act.today, ""), kind=WrongMoment, match="已经登记")
    view = await follow_ups.load_follow_up(act, row["id"])
    assert (view["row"]["due_on"], view["row"]["state"]) == (date(2026, 7, 15), "answered")
    assert [(one["words"], one["on"], one["note"]) for one in view["history"][1:]] == [("收到整改报告", date(2026, 7, 1), "传真")]


async def test_a_follow_up_is_closed_once_with_its_day_and_how_and_the_published_result_says_so(entered):
    row = await acts._to_close(entered)
    publisher, station = await entered.acting("publisher"), await entered.acting("office")
    assert (await publish.publish_all(publisher))["results"] == 1
    record = await records.load_record(row["record"], publisher.tree)
    for on, result, field in ((station.today + timedelta(days=1), "已改正", "on"), (record["inspected_on"] - timedelta(days=1), "已改正", "on"), (station.today, " ", "result"),
                              (station.today, "长" * 301, "result")):  # fmt: skip
        await _refused(follow_ups.close_follow_up(station, row["id"], on, result), field)
    assert [one["id"] for one in await follow_ups.load_follow_ups(station, "open", 50)] == [row["id"]]
    assert (await publish.publish_all(publisher))["results"] == 0, "nothing has changed"
    await follow_ups.answer_follow_up(station, row["id"], station.today, "整改报告的内容")
    assert (await publish.publish_all(publisher))["results"] == 0, "a step says nothing new to the public"

    entered.at("2026-07-03T10:00")
    station = await entered.acting("office")
    await follow_ups.close_follow_up(station, row["id"], date(2026, 7, 2), "7月2日复查，已改正", "corrected")
    with pytest.raises(WrongMoment, match="已经办结"):
        await follow_ups.close_follow_up(station, row["id"], date(2026, 7, 2), "又一次")
    with pytest.raises(NotFound):
        await follow_ups.close_follow_up(station, row["id"] + 999, date(2026, 7, 2), "没有这一项")
    assert await follow_ups.load_follow_ups(station, "open", 50) == []
    (closed,) = await follow_ups.load_follow_ups(station, "closed", 50)
    assert (closed["closed_on"], closed["result"], closed["closed_by.name"], closed["ending"]) == (date(2026, 7, 2), "7月2日复查，已改正", station.name, "corrected")

    publisher = await entered.acting("publisher")
    assert (await publish.publish_all(publisher))["results"] == 1
    assert (await publish.publish_all(publisher))["results"] == 0
    live = [one["data"] for one in await publications.load_live(publisher.whole, "result")]
    states = {item["follow_up"]["state"] for data in live for item in data["items"]} - {"none"}
    assert "复查，已改正" not in str(live) and "整改报告的内容" not in str(live), "what was written is for the file"
    assert states <= {"closed"}


async def test_an_order_is_rechecked_and_what_is_not_corrected_goes_on_to_the_next(entered):
    row = await acts.to_rectify(entered)
    station = await entered.acting("office")
    assert row["due_on"] == date(2026, 7, 16)
    await follow_ups.issue_follow_up(station, row["id"], station.today, "直接送达", seen=0)
    await _refused(follow_ups.issue_follow_up(station, row["id"], station.today, ""), kind=WrongMoment, match="已经发出")
    await _refused(follow_ups.order_recheck(station, row["id"], 5, "", seen=0), kind=WrongMoment, match="别人刚刚办理了")
    await _refused(follow_ups.order_recheck(station, row["id"], 61, ""), "days", match="没有保存")
    recheck = await follow_ups.order_recheck(station, row["id"], 5, "看门口", seen=1)
    await _refused(follow_ups.order_recheck(station, row["id"], 5, ""), kind=WrongMoment, match="还没有办结")
    await _refused(follow_ups.close_follow_up(station, row["id"], station.today, "已改正", "corrected"), kind=WrongMoment, match="请先办结复查")
    await _refused(follow_ups.order_recheck(station, recheck, 5, ""), kind=WrongMoment, match="不安排复查")

    entered.at("2026-07-20T10:00")
    station = await entered.acting("office")
    close = (station, recheck, station.today, "仍未公示")
    await _refused(follow_ups.close_follow_up(*close, "listed"), "ending")
    await _refused(follow_ups.close_follow_up(*close, "uncorrected"), "then")
    await _refused(follow_ups.close_follow_up(*close, "uncorrected", Next("notify")), "then")
    await _refused(follow_ups.close_follow_up(*close, "corrected", Next("case")), "then")
    made = await follow_ups.close_follow_up(*close, "uncorrected", Next("abnormal_list", note="逾期未公示"))
    view = await follow_ups.load_follow_up(station, row["id"])
    assert (view["row"]["state"], view["row"]["ending"], view["row"]["result"]) == ("closed", "uncorrected", "复查：仍未公示"), "closed with its re-check"
    assert [one["words"] for one in view["history"]] == ["审核确认：责令改正", "责令改正通知书送达", "安排复查", "办结：未改正"]
    then = await follow_ups.load_follow_up(station, made)
    assert (then["parent"]["id"], then["row"]["note"], then["row"]["due_on"]) == (recheck, "逾期未公示", date(2026, 8, 3)), "ten working days by law"
    assert "extend" not in then["acts"] and then["kind"].guide
    await _refused(follow_ups.extend_follow_up(station, made, 5, "来不及"), kind=WrongMoment, match="由法律规定，不能延长")


async def test_listing_counts_from_the_end_of_the_ordered_term_and_a_term_is_extended_with_a_reason(entered):
    row = await acts.to_rectify(entered)
    station = await entered.acting("office")
    await _refused(follow_ups.extend_follow_up(station, row["id"], 0, " "), "days", "reason")
    assert await follow_ups.extend_follow_up(station, row["id"], 2, "装修", seen=0) == date(2026, 7, 20)
    await _refused(follow_ups.extend_follow_up(station, row["id"], 2, "装修", seen=0), kind=WrongMoment, match="别人刚刚办理了")
    entered.at("2026-07-22T10:00")
    station = await entered.acting("office")
    made = await follow_ups.close_follow_up(station, row["id"], station.today, "逾期未公示", "uncorrected", Next("abnormal_list"))
    assert (await records.load_follow_up(made, station.tree))["due_on"] == date(2026, 8, 3), "from 20 July"
    inspector = await entered.account_of("walker", ["inspector"])
    with pytest.raises(NotAllowed):
        await follow_ups.extend_follow_up(inspector, row["id"], 2, "装修")


async def test_a_deadline_in_a_year_that_is_not_published_is_said_to_be_so_until_it_is(entered, monkeypatch):
    row = await acts.to_rectify(entered)
    station = await entered.acting("office")
    assert await follow_ups.extend_follow_up(station, row["id"], 50, "停产") == date(2026, 9, 23), "a Sunday worked between"
    monkeypatch.setattr("portal.domain.follow_ups.LONGEST_DAYS", 200)
    assert await follow_ups.extend_follow_up(station, row["id"], 100, "长期停产") is None
    view = await follow_ups.load_follow_up(station, row["id"])
    assert (view["row"]["due_on"], view["row"]["due"].state, view["row"]["late"]) == (None, "unpublished", False)
    monkeypatch.setitem(DAYS_OFF, 2027, "0101")
    due = (await follow_ups.load_follow_up(station, row["id"]))["row"]["due"].on
    assert due.year == 2027 and workdays_between(station.today, due) == 160, "counted once its days are known"


async def test_open_follow_ups_come_in_the_order_they_are_due_and_remind_whoever_answers_for_them(entered):
    first = await acts._to_close(entered)
    act = await entered.acting("office")
    known = {"record": first["record"], "kind": "rectify", "confirmed_by": act.account, "confirmed_at": act.now}
    days = [date(2026, 8, 1), None, date(2026, 7, 9), date(2026, 8, 1), date(2026, 7, 1), date(2026, 7, 10)]
    async with transaction():
        for n, on in enumerate(days):
            await store.save_follow_up({**known, "due_on": on, "note": str(n)})

    async def listed(limit=50, **more):
        return [row["note"] for row in await follow_ups.load_follow_ups(act, more.pop("state", "open"), limit, **more)]

    assert await listed() == ["4", "2", "5", "0", "3", first["note"], "1"]
    assert await listed(4) == ["4", "2", "5", "0"]
    assert await listed(kind="rectify", due="undated") == ["1"] and await listed(due="late") == ["4"]
    assert await listed(due="soon") == ["4", "2"], "9 July is the fifth working day, 10 July the sixth"
    assert await listed(state="issued") == [] and len(await listed(state="todo")) == 7
    assert [(row["note"], row["late"], row["left"]) for row in await follow_ups.load_reminders(act)] == [("4", True, -1), ("2", False, 5)]
    record = await records.load_record(first["record"], act.tree)
    recorder = await entered.account_of("walker", ["inspector"], inspector=record["recorder"])
    assert [row["note"] for row in await follow_ups.load_reminders(recorder)] == ["4", "2"]
    assert await follow_ups.load_reminders(await entered.account_of("walker2", ["inspector"])) != []
    assert await follow_ups.load_reminders(await entered.acting("planner")) == []

"""后续处置: a re-check counts from the day of the entity's report; what is carried out is closed, and published results say so."""

from datetime import date, timedelta

import pytest

from portal.domain.errors import BadInput, NotFound, WrongMoment
from portal.steps import follow_ups, publish, review
from portal.store import publish as publications
from portal.store import records
from portal.store.engine import transaction
from tests.office import snapshot
from tests.steps import acts

pytestmark = pytest.mark.anyio


async def test_a_follow_up_after_a_report_has_no_day_before_it_and_keeps_the_first(entered):
    row = await acts._promised(entered)
    assert row["due_on"] is None and row["state"] == "open"
    act = await entered.acting("reviewer", acts._promising())
    view = await review.load_review(act, row["record"])
    assert [(one["kind"], one["waits"]) for one in view["confirmed"]] == [("recheck", True)]
    record = await records.load_record(row["record"], act.tree)
    before = await snapshot()
    for on in (act.today + timedelta(days=1), record["inspected_on"] - timedelta(days=1)):
        with pytest.raises(BadInput, match="应在检查日期"):
            await review.report_rectified(act, row["record"], row["id"], on)
    with pytest.raises(NotFound):
        await review.report_rectified(act, row["record"], row["id"] + 999, act.today)
    with pytest.raises(WrongMoment, match="不需要登记整改报告"):  # the sectors as installed ask for no report
        await review.report_rectified(await entered.acting("reviewer"), row["record"], row["id"], act.today)
    assert await snapshot() == before

    assert act.today == date(2026, 7, 2)
    assert await review.report_rectified(act, row["record"], row["id"], date(2026, 7, 1)) == date(2026, 7, 15), "ten working days after"
    with pytest.raises(WrongMoment, match="已有期限"):
        await review.report_rectified(act, row["record"], row["id"], act.today)
    assert (await records.load_follow_ups([row["record"]]))[row["record"]][0]["due_on"] == date(2026, 7, 15)
    assert not (await review.load_review(act, row["record"]))["confirmed"][0]["waits"]


async def test_a_follow_up_is_closed_once_with_its_day_and_how_and_the_published_result_says_so(entered):
    row = await acts._to_close(entered)
    publisher, station = await entered.acting("publisher"), await entered.acting("office")
    assert (await publish.publish_all(publisher))["results"] == 1
    record = await records.load_record(row["record"], publisher.tree)
    for on, result, field in ((station.today + timedelta(days=1), "已改正", "on"), (record["inspected_on"] - timedelta(days=1), "已改正", "on"), (station.today, " ", "result"),
                              (station.today, "长" * 301, "result")):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            await follow_ups.close_follow_up(station, row["id"], on, result)
        assert [problem.field for problem in refused.value.problems] == [field]
    assert [one["id"] for one in await follow_ups.load_follow_ups(station, "open", 50)] == [row["id"]]
    assert (await publish.publish_all(publisher))["results"] == 0, "nothing has changed"

    entered.at("2026-07-03T10:00")
    station = await entered.acting("office")
    await follow_ups.close_follow_up(station, row["id"], date(2026, 7, 2), "7月2日复查，已改正")
    with pytest.raises(WrongMoment, match="已经办结"):
        await follow_ups.close_follow_up(station, row["id"], date(2026, 7, 2), "又一次")
    with pytest.raises(NotFound):
        await follow_ups.close_follow_up(station, row["id"] + 999, date(2026, 7, 2), "没有这一项")
    assert await follow_ups.load_follow_ups(station, "open", 50) == []
    (closed,) = await follow_ups.load_follow_ups(station, "closed", 50)
    assert (closed["closed_on"], closed["result"], closed["closed_by.name"]) == (date(2026, 7, 2), "7月2日复查，已改正", station.name)

    publisher = await entered.acting("publisher")
    assert (await publish.publish_all(publisher))["results"] == 1
    assert (await publish.publish_all(publisher))["results"] == 0
    live = [one["data"] for one in await publications.load_live(publisher.whole, "result")]
    states = {item["follow_up"]["state"] for data in live for item in data["items"]} - {"none"}
    assert "复查，已改正" not in str(live), "how it was settled is for the file"
    assert states <= {"closed"}


async def test_open_follow_ups_come_in_the_order_they_are_due_and_those_without_a_day_last(entered):
    first = await acts._to_close(entered)
    act = await entered.acting("office")
    known = {"record": first["record"], "kind": "rectify", "confirmed_by": act.account, "confirmed_at": act.now}
    days = [date(2026, 8, 1), None, date(2026, 7, 20), date(2026, 8, 1)]
    async with transaction():
        await records.save_follow_ups([{**known, "due_on": on, "note": str(n)} for n, on in enumerate(days)])
    assert [row["note"] for row in await follow_ups.load_follow_ups(act, "open", 50)] == ["2", "0", "3", first["note"], "1"]
    assert [row["note"] for row in await follow_ups.load_follow_ups(act, "open", 4)] == ["2", "0", "3", first["note"]]

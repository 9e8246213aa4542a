"""A re-check counts from the day on which the entity's report of rectification came in."""

from datetime import date, timedelta

import pytest

from portal.domain.errors import BadInput, NotFound, WrongMoment
from portal.steps import review
from portal.store import records
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

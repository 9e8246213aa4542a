"""Nobody on both sides of one act, whatever roles they hold; the database says so too."""

import pytest

from portal.domain.errors import NotAllowed, WrongMoment
from portal.domain.sample import sample_plan
from portal.steps import commit, draw, forms, plan, publish, review
from portal.store import accounts, engine, records
from portal.store.tables import InspectionRecord, Round
from tests import office
from tests.office import OPEN, snapshot
from tests.steps.acts import one_answer

pytestmark = pytest.mark.anyio


async def test_the_drafter_cannot_commit_whatever_roles_they_hold(filled):
    code = await office.draft(filled)
    await office.make_shares(filled, code)
    row = await filled.round(code)
    boss = await filled.acting("boss")
    await Round.update(created_by=boss.account).where(Round.code == code).run()
    with pytest.raises(NotAllowed, match="不能复核自己拟的轮次"):
        await commit.commit_round(boss, code)
    with pytest.raises(WrongMoment, match="the drafter cannot approve"):
        async with engine.transaction():
            await Round.update(committed_by=boss.account).where(Round.id == row["id"]).run()


async def test_the_approver_cannot_draw_whatever_roles_they_hold(filled):
    code = await office.draft(filled)
    await office.make_shares(filled, code)
    await commit.commit_round(await filled.acting("boss"), code)
    await office.publish_commitments(filled, code)
    await office.make_drawable(filled, code)
    boss = await filled.acting("boss")
    with pytest.raises(NotAllowed, match="公布承诺的人不能再执行抽取"):
        await draw.draw_round(boss, code)
    with pytest.raises(WrongMoment, match="the approver cannot draw"):
        async with engine.transaction():
            await Round.update(drawn_by=boss.account).where(Round.code == code).run()
    await draw.draw_round(await filled.acting("boss2"), code)


async def test_who_proposed_a_void_cannot_approve_it(committed):
    boss = await committed.acting("boss")
    await draw.void_round(boss, OPEN, "名录有误")
    with pytest.raises(NotAllowed, match="提出的人不能自己批准"):
        await draw.void_round(boss, OPEN, "名录有误")
    with pytest.raises(WrongMoment, match="voiding needs a second person"):
        async with engine.transaction():
            await Round.update(void_approver=boss.account).where(Round.code == OPEN).run()


async def test_nobody_reviews_what_they_entered(drawn):
    found = await one_answer(drawn)
    person = (await accounts.load_account("assigned"))["inspector"]
    boss_inspector = await drawn.account_of("both", ["inspector", "reviewer"], inspector=person)
    row = found["row"]
    record = await forms.save_record(
        boss_inspector, row["visit"], row["form"], answers=row["answers"], outcomes=row["outcomes"], method=row["method"], submit=True
    )
    twin = await drawn.account_of("twin", ["reviewer"], inspector=person)  # a second account of the same person
    for act in (boss_inspector, twin):
        before = await snapshot()
        with pytest.raises(NotAllowed, match="记录人不能审核自己录入的记录"):
            await review.review_record(act, record, approve=True, comment="", version=1)
        with pytest.raises(NotAllowed, match="都是您录入的，不能自己审核"):
            await review.review_round(act, OPEN)
        assert await snapshot() == before
        assert (await review.load_review(act, record))["may_review"] is False
    with pytest.raises(WrongMoment, match="the recorder cannot review"):
        async with engine.transaction():
            await InspectionRecord.update(reviewer=boss_inspector.account).where(InspectionRecord.id == record).run()
    await review.review_record(await drawn.acting("reviewer"), record, approve=True, comment="", version=1)


async def test_who_entered_a_part_does_not_review_what_a_colleague_submitted(drawn):
    found = await one_answer(drawn)
    people = await office.inspectors_of(found["visit"])
    first = await drawn.account_of("first", ["inspector", "reviewer"], inspector=people[0]["id"])
    second = await drawn.account_of("second", ["inspector"], inspector=people[1]["id"])
    row = found["row"]
    given = {"answers": row["answers"], "outcomes": row["outcomes"], "method": row["method"]}
    await forms.save_record(first, row["visit"], row["form"], **given)
    record = await forms.save_record(second, row["visit"], row["form"], **given, version=1, submit=True)
    with pytest.raises(NotAllowed, match="不能审核自己录入的记录"):
        await review.review_record(first, record, approve=True, comment="", version=2)


async def test_an_import_is_reviewed_neither_by_its_importer_nor_by_its_recorders(entered):
    record = (await records.load_record_page((await entered.acting("reviewer")).tree, ["submitted"]))[0]
    recorder = await entered.account_of("recorder", ["reviewer"], inspector=record["recorder"])
    with pytest.raises(NotAllowed):
        await review.review_record(recorder, record["id"], approve=True, comment="", version=record["version"])
    done = await review.review_round(recorder, OPEN)
    assert done["skipped"] >= 1, "a round is reviewed around the reviewer's own records"
    assert (await records.load_record(record["id"], recorder.tree))["state"] == "submitted"


async def test_who_imported_the_plan_does_not_publish_it(filled):
    boss = await filled.acting("boss")
    await plan.import_plan(boss, sample_plan(8), b"next")
    before = await snapshot()
    with pytest.raises(NotAllowed, match="2026 年度计划由您导入，公示要由另一位公示员办理"):
        await publish.publish_all(boss)
    assert await snapshot() == before, "and nothing else was published on the way"
    assert (await publish.publish_all(await filled.acting("publisher")))["plans"] == 1, "the version it replaced was never public and is not now"

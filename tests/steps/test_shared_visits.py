"""One visit, several forms and organisations: shared answers, tasks that join later, and who sees what."""

import asyncio
import json

import pytest

from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.domain.sample_answers import SampleVisit, sample_answers
from portal.domain.shared import seen_of
from portal.domain.visits import Combined
from portal.steps import attachments, forms, review, sample, visits
from portal.store import accounts, records
from portal.store import attachments as attachment_store
from portal.store import draw as draw_store
from portal.store import visits as visit_store
from portal.store.engine import transaction
from portal.store.tables import Assignment, AssignmentRun, Audit, Entity, Finding, Inspector, Rider, Task, VisitTask
from tests import office
from tests.office import ANNUAL, INSTANT, OPEN, SEALED, SEED, tasks_by_code
from tests.steps.acts import one_answer
from tests.steps.test_visits import _draw

pytestmark = pytest.mark.anyio
PAPERS, REGISTER = "annual_reports.check", "registration.check"


def _line(row, **answers) -> bytes:
    kept = {name: answer for name, answer in (row["answers"] | answers).items() if answer is not None}
    return json.dumps(row | {"answers": kept}, ensure_ascii=False).encode() + b"\n"


async def _rows(house) -> tuple[dict, dict]:
    """Acceptable records of both forms of the first visit."""
    found = await one_answer(house)
    lines = await sample.make_answers(await house.acting("operator"), OPEN, SEED)
    mine = {row["form"]: row for row in map(json.loads, lines) if row["visit"] == found["visit"]["code"]}
    return mine[PAPERS], mine[REGISTER]


def _given(row, **answers) -> dict:
    return {"answers": row["answers"] | answers, "outcomes": row["outcomes"], "method": row["method"]}


async def test_a_file_fills_in_what_is_missing_and_refuses_by_row_what_differs(drawn):
    papers, register = await _rows(drawn)
    assert register["answers"]["presence"] == papers["answers"]["presence"] == "open"
    operator = await drawn.acting("operator")
    with pytest.raises(BadInput) as refusal:
        await forms.import_records(operator, _line(register) + _line(papers, presence="uncooperative", presence_note="x"))
    [told] = [one for one in refusal.value.problems if one.field == "presence"]
    assert told.row == 2 and "已随提交审核的《登记事项检查表》确定为“正常经营，接受检查”，这里填的是“不配合检查，情节严重”" in told.message
    await forms.import_records(operator, _line(register) + _line(papers, presence=None))
    stored = {row["form_code"]: row["answers"] for row in await records.load_records_of([(await office.visits_of(OPEN))[0]["id"]])}
    assert stored[PAPERS]["presence"] == "open" == stored[REGISTER]["presence"]


async def test_a_submitted_answer_is_fixed_until_its_record_is_returned(drawn):
    papers, register = await _rows(drawn)
    act, code = await drawn.acting("assigned"), papers["visit"]
    record = await forms.save_record(act, code, REGISTER, **_given(register, contact_person="甲"), submit=True)
    other = {"answers": {"presence": "open", "methods": ["site"], "contact_person": "乙"}, "outcomes": {}}
    seen = seen_of({"contact_person": "甲"}, ["contact_person"])
    with pytest.raises(WrongMoment) as refusal:
        await forms.save_record(act, code, PAPERS, **other, seen=seen)
    assert "“甲”" in refusal.value.problems[0].message and "“乙”" in refusal.value.problems[0].message
    await review.review_record(await drawn.acting("reviewer"), record, approve=False, comment="核对姓名", version=1)
    await forms.save_record(act, code, PAPERS, **other, seen=seen)
    view = await forms.load_visit_view(act, code)
    assert {one["form"].code: one["answers"]["contact_person"] for one in view["forms"]} == {PAPERS: "乙", REGISTER: "乙"}
    assert (view["known"]["contact_person"].form, view["known"]["contact_person"].fixed) == (PAPERS, False)
    assert (await office.visits_of(OPEN))[0]["header"]["shared"]["contact_person"] == {"answer": "乙", "form": PAPERS}


async def test_two_people_answering_one_question_at_once_in_two_forms_one_is_told(drawn):
    papers, register = await _rows(drawn)
    visit = (await office.visits_of(OPEN))[0]
    other = await drawn.account_of("colleague", ["inspector"], inspector=(await office.inspectors_of(visit))[1]["id"])
    mine, theirs = await asyncio.gather(
        forms.save_record(await drawn.acting("assigned"), visit["code"], REGISTER, **_given(register, contact_person="甲"), submit=True, seen={}),
        forms.save_record(other, visit["code"], PAPERS, answers={"presence": "open", "methods": ["site"], "contact_person": "乙"}, outcomes={}, seen={}),
        return_exceptions=True,
    )  # fmt: skip
    [refused] = [one for one in (mine, theirs) if not isinstance(one, int)]
    assert isinstance(refused, WrongMoment) and all(name in refused.problems[0].message for name in ("“甲”", "“乙”"))
    winner = "甲" if refused is theirs else "乙"
    assert (await office.visits_of(OPEN))[0]["header"]["shared"]["contact_person"]["answer"] == winner
    assert {row["answers"]["contact_person"] for row in await records.load_records_of([visit["id"]])} == {winner}
    line = (await Audit.select(Audit.detail).order_by(Audit.n, ascending=False).first().run())["detail"]
    assert "contact_person" in line and "甲" not in line and "乙" not in line


# A task of a later round joins ---------------------------------------------------


async def _two_rounds_at_one_place(house) -> str:
    """Both rounds draw one place, the first for the papers, the second for the register; the visit of the first."""
    await _draw(house, OPEN)
    await _draw(house, SEALED)
    holder = (await draw_store.load_picks((await house.round())["id"]))[0]["code"]
    for code in (OPEN, SEALED):
        for pick in await draw_store.load_picks((await house.round(code))["id"]):
            await Entity.update(holder=holder, site="").where(Entity.code == pick["code"]).run()
    tasks = await tasks_by_code()
    rider = [one for one in tasks[ANNUAL]["riders"] if one["item_code"].startswith("registration.")][0]
    await office.take_guards_away()
    async with transaction():
        await Rider.delete().where(Rider.task.is_in([tasks[ANNUAL]["id"], tasks[INSTANT]["id"]])).run()
        await Task.update(item_code=rider["item_code"], item_version=rider["item_version"]).where(Task.code == INSTANT).run()
    await visits.combine_visits(await house.acting("planner"), OPEN)
    return (await office.visits_of(OPEN))[0]["code"]


async def _assign(house, visit: str) -> None:
    """An inspector for it, whoever: what matters here comes after the matching."""
    who = (await Inspector.select(Inspector.id).order_by(Inspector.id).first().run())["id"]
    act = await house.acting("planner")
    row = (await office.visits_of(OPEN))[0]
    run = (await AssignmentRun.insert(AssignmentRun(round=row["round"], n=9, slots="{}", slots_digest="", result="{}", made_by=act.account, made_at=act.now)).run())[0]
    await Assignment.insert(Assignment(run=run["id"], visit=row["id"], slot=0, inspector=who)).run()
    await house.account_of("assigned", ["inspector"], inspector=who)


async def test_the_forms_of_a_task_that_joins_later_carry_what_was_answered_and_results_go_back_to_each_task(committed):
    code = await _two_rounds_at_one_place(committed)
    await _assign(committed, code)
    committed.at(office.ENTERED)
    act = await committed.acting("assigned")
    assert [one["form"].code for one in (await forms.load_visit_view(act, code))["forms"]] == [PAPERS]
    await forms.save_record(act, code, PAPERS, answers={"presence": "open", "methods": ["site"], "contact_person": "甲"}, outcomes={})
    before = (await office.visits_of(OPEN))[0]
    assert "shared" not in before["header"], "one form shares nothing"
    await visits.combine_visits(await committed.acting("planner"), SEALED)
    after = (await office.visits_of(SEALED))[0]
    assert after["code"] == code and after["forms"].items() > before["forms"].items() and REGISTER in after["forms"]
    view = await forms.load_visit_view(act, code)
    assert {one["form"].code: one["answers"]["contact_person"] for one in view["forms"]} == {PAPERS: "甲", REGISTER: "甲"}

    wanted = [SampleVisit(code, after["entity_code"], "", one["form"].code, tuple(i["code"] for i in one["items"]), after["day"], ()) for one in view["forms"]]
    for row in sample_answers(wanted, [one["form"] for one in view["forms"]], SEED, act.sectors.validate_record):
        version = 1 if row["form"] == PAPERS else 0
        answers = {name: answer for name, answer in row["answers"].items() if name != "contact_person"}
        await forms.save_record(act, code, row["form"], answers=answers, outcomes=row["outcomes"], method="实地核查", version=version, submit=True)
    for record in await records.load_records_of([after["id"]]):
        assert record["answers"]["contact_person"] == "甲"
        await review.review_record(await committed.acting("reviewer"), record["id"], approve=True, comment="", version=record["version"])
    tasks = await tasks_by_code()
    rows = await Finding.select(Finding.task, Finding.item_code).where(Finding.visit == after["id"]).run()
    assert {(row["task"], row["item_code"].partition(".")[0]) for row in rows} == {
        (tasks[ANNUAL]["id"], "annual_reports"), (tasks[INSTANT]["id"], "registration")}


async def test_a_task_does_not_join_where_its_form_was_submitted_already(drawn):
    """The item could be answered by nobody: first the visit is finished, or the record returned."""
    papers, _ = await _rows(drawn)
    record = await forms.save_record(await drawn.acting("assigned"), papers["visit"], PAPERS, **_given(papers), submit=True)
    visit = (await office.visits_of(OPEN))[0]
    tasks, planner = await tasks_by_code(), await drawn.acting("planner")
    combined = Combined((), {visit["code"]: (INSTANT,)}, 1)
    of_task = await visits._forms(planner, {INSTANT: tasks[INSTANT]})
    await visits._require_unfinished(combined, of_task, {visit["code"]: visit}, {(INSTANT, visit["entity_code"], "annual_reports.instant")})
    with pytest.raises(WrongMoment, match=f"入企检查 {visit['code']} 等 1 次入企还没有办完，表单 {PAPERS} 的记录已经提交"):
        await visits._require_unfinished(combined, of_task, {visit["code"]: visit}, set())
    await review.review_record(await drawn.acting("reviewer"), record, approve=False, comment="有新的事项", version=1)
    await visits._require_unfinished(combined, of_task, {visit["code"]: visit}, set())


# Two organisations ---------------------------------------------------------------


async def test_each_organisation_sees_its_own_records_and_the_shared_answers_only(committed):
    """The second task is another department's, outside the bureau: a joint visit."""
    code = await _two_rounds_at_one_place(committed)
    await visits.combine_visits(await committed.acting("planner"), SEALED)
    theirs = await accounts.load_organisation(office.OTHER_REGION)
    await Task.update(organisation=theirs["id"]).where(Task.code == INSTANT).run()
    tasks = await tasks_by_code()
    assert tasks[INSTANT]["organisation"] == theirs["id"]
    visit = (await office.visits_of(OPEN))[0]
    await VisitTask.update(organisation=theirs["id"]).where(VisitTask.task == tasks[INSTANT]["id"]).run()
    await _assign(committed, code)
    committed.at(office.ENTERED)
    act = await committed.acting("assigned")
    view = await forms.load_visit_view(act, code)
    assert [one["form"].code for one in view["forms"]] == [PAPERS] and view["others"] == [theirs["name"]] and len(view["names"]) == 7

    # what one of ours enters, with an upload to a question of our own and one to a shared question
    own, signed = "F" + "1" * 24, "F" + "2" * 24
    async with transaction():
        for number, point in ((own, "photos"), (signed, "signature")):
            await attachment_store.save_attachment(
                code=number, visit=visit["id"], organisation=visit["organisation"], form_code=PAPERS, point=point, kind="photo", name="x.jpg",
                media="image/jpeg", original="0" * 64, taken="", size=1, data=b"x", saved_by=act.account, saved_at=act.now,
            )  # fmt: skip
    answers = {"presence": "open", "methods": ["site"], "contact_person": "甲", "refused": "no", "signature": [signed], "photos": [own], "note": "内情"}
    record = await forms.save_record(act, code, PAPERS, answers=answers, outcomes={})
    with pytest.raises(NotAllowed, match="《登记事项检查表》是其他单位在这次入企中的表"):
        await forms.save_record(act, code, REGISTER, answers={}, outcomes={})

    # they see the visit, its shared answers and the shared upload; no record, answer or upload of ours
    stranger = await committed.acting("stranger")
    seen = await forms.load_visit_view(stranger, code)
    assert [one["form"].code for one in seen["forms"]] == [REGISTER] and seen["others"] and "内情" not in repr(seen)
    assert seen["forms"][0]["answers"] == {name: answers[name] for name in ("presence", "contact_person", "refused", "signature")}
    assert seen["attached"].keys() == {signed} and (await attachments.load_attachment(stranger, signed))["data"] == b"x"
    assert code in [row["code"] for row in await visit_store.load_visit_page(stranger.tree)]
    assert await records.count_visits(stranger.tree) == {"open": 1}
    with pytest.raises(NotFound):
        await attachments.load_attachment(stranger, own)
    for refused in (records.load_record(record, stranger.tree), review.load_review(stranger, record)):
        with pytest.raises(NotFound):
            await refused
    assert await records.load_record_page(stranger.tree, ["draft"]) == []
    with pytest.raises(NotAllowed, match="不能录入"):
        await forms.save_record(stranger, code, PAPERS, answers={}, outcomes={})

    # their inspector's record is theirs: they review it, we do not see it
    who = (await visit_store.load_assigned([visit["id"]]))[visit["id"]][0]
    guest = await committed.account_of("guest", ["inspector"], inspector=who, organisation=office.OTHER_REGION)
    made = await forms.save_record(guest, code, REGISTER, answers={"presence": "open", "address": "yes", "note": "校内"}, outcomes={}, seen=seen_of({"presence": "open"}, ["presence"]))
    assert (await records.load_record(made, stranger.tree))["answers"]["contact_person"] == "甲"
    ours = await committed.acting("boss")
    assert ours.tree and made not in [row["id"] for row in await records.load_record_page(ours.tree, ["draft"])]
    assert "校内" not in repr(await forms.load_visit_view(ours, code))
    with pytest.raises(NotFound):
        await records.load_record(made, ours.tree)

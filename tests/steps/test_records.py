"""Records from the first point to publication: one writer at a time, another person's review, results split back."""

import asyncio
import dataclasses
import json
import re
from datetime import date

import pytest

from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.domain.sample import sample_plan
from portal.steps import disclosure, documents, draw, forms, plan, publish, review, sample, setup
from portal.store import directory, records
from portal.store import publish as publish_store
from portal.store.tables import Finding, FollowUp, InspectionRecord, Plan, RecordVersion
from portal.web import home
from tests import office
from tests.office import OPEN, SEED, snapshot
from tests.steps.acts import one_answer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def found(drawn):
    """One acceptable record and who may enter it: {"visit", "row", "act", "given"}."""
    made = await one_answer(drawn)
    row = made["row"]
    given = {"answers": row["answers"], "outcomes": row["outcomes"], "method": row["method"], "opinion": row["opinion"]}
    return {**made, "act": await drawn.acting("assigned"), "given": given}


def _save(found, act=None, **changed):
    row = found["row"]
    return forms.save_record(act or found["act"], row["visit"], row["form"], **found["given"] | changed)


async def _stored(record: int) -> dict:
    return await InspectionRecord.select().where(InspectionRecord.id == record).first().run()


# Entering --------------------------------------------------------------------


async def test_an_opinion_is_one_however_it_is_given(drawn, found):
    """The form asks it itself: its answer is the record's, words given beside it are its answer, and paper says it once."""
    answers = {name: said for name, said in found["given"]["answers"].items() if name != "opinion"} | {"presence": "open"}
    answers |= {"methods": ["site"]} if "methods" in answers else {}
    record = await _save(found, answers=answers, opinion="")
    papers = []
    for version, (said, beside, kept) in enumerate((("已知悉", "", "已知悉"), ("", "无异议。", "无异议。"), ("要求复核", "无异议。", "要求复核"), ("", "", "")), 1):
        await _save(found, version=version, answers={**answers, "opinion": said}, opinion=beside)
        stored = await _stored(record)
        assert stored["opinion"] == kept == json.loads(stored["answers"]).get("opinion", "")
        papers.append(await documents.load_record_paper(found["act"], await records.load_record(record, found["act"].tree)))
    asked = [next(point["said"] for section in paper["sections"] for point in section["points"] if point["label"] == "检查对象意见") for paper in papers]
    assert asked == ["见后面的当事人意见"] * 3 + ["未填"] and [paper["opinion"] for paper in papers] == ["已知悉", "无异议。", "要求复核", ""]


async def test_two_people_saving_at_once_one_wins_and_the_other_is_told(drawn, found):
    people = await office.inspectors_of(found["visit"])
    other = await drawn.account_of("colleague", ["inspector"], inspector=people[1]["id"])
    record = await _save(found)
    mine, theirs = {**found["given"]["answers"], "note": "甲"}, {**found["given"]["answers"], "note": "乙"}
    answers = await asyncio.gather(
        _save(found, version=1, answers=mine), _save(found, other, version=1, answers=theirs), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "int"]
    assert "刚刚被别人改动过，您填的内容没有保存" in str(next(a for a in answers if isinstance(a, WrongMoment)))
    stored = await _stored(record)
    winner = "甲" if answers[0] == record else "乙"
    assert stored["version"] == 2 and json.loads(stored["answers"])["note"] == winner
    assert [row["n"] for row in await records.load_versions(record)] == [1, 2]


async def test_two_people_beginning_at_once_make_one_record(drawn, found):
    people = await office.inspectors_of(found["visit"])
    other = await drawn.account_of("colleague", ["inspector"], inspector=people[1]["id"])
    answers = await asyncio.gather(_save(found), _save(found, other), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "int"]
    assert await InspectionRecord.count().run() == 1


async def test_a_record_goes_from_draft_to_review_back_and_again(drawn, found):
    reviewer = await drawn.acting("reviewer")
    record = await _save(found, outcomes={})
    assert (await _stored(record))["state"] == "draft"
    with pytest.raises(WrongMoment, match="不在待审核状态"):
        await review.review_record(reviewer, record, approve=True, comment="", version=1)
    await _save(found, version=1, submit=True)
    with pytest.raises(WrongMoment, match="已经提交审核，不能再改"):
        await _save(found, version=2)
    with pytest.raises(BadInput, match="退回记录要写明意见"):
        await review.review_record(reviewer, record, approve=False, comment=" ", version=2)
    for approve, remarks, match in ((True, {"note": "写清楚"}, "通过的记录请删去逐项意见"), (False, {"nonsense": "写清楚"}, "没有保存"), (False, {"note": "长" * 201}, "没有保存")):
        with pytest.raises(BadInput, match=match):
            await review.review_record(reviewer, record, approve=approve, comment="请补照片", version=2, remarks=remarks)
    assert (await _stored(record))["state"] == "submitted" and await records.load_remarks(record) == []
    await review.review_record(reviewer, record, approve=False, comment="请补照片", version=2, remarks={"note": " 写清楚 ", "opinion": ""})
    (back,) = await records.load_remarks(record)
    assert (back["n"], back["by_name"], back["remarks"]) == (2, reviewer.name, {"": "请补照片", "note": "写清楚"})
    shown = await forms.load_visit_view(found["act"], found["row"]["visit"])
    assert next(one["remarks"] for one in shown["forms"] if one["record"]) == back["remarks"], "beside the points, for whoever corrects"
    returned = await _stored(record)
    assert (returned["state"], returned["comment"], returned["reviewer"]) == ("returned", "请补照片", reviewer.account)
    await _save(found, version=3, submit=True)
    again = await _stored(record)
    assert (again["state"], again["reviewer"]) == ("submitted", None), "a returned record is reviewed afresh"
    with pytest.raises(WrongMoment, match="不是最新内容"):
        await review.review_record(reviewer, record, approve=True, comment="", version=2)
    await review.review_record(reviewer, record, approve=True, comment="", version=4)
    assert (await _stored(record))["state"] == "approved"
    assert all(not one["remarks"] for one in (await forms.load_visit_view(found["act"], found["row"]["visit"]))["forms"])
    with pytest.raises(WrongMoment, match="不在待审核状态"):
        await review.review_record(reviewer, record, approve=True, comment="", version=5)


async def test_reviewing_twice_at_once_approves_once(drawn, found):
    record = await _save(found, submit=True)
    acts = [await drawn.acting(login) for login in ("reviewer", "reviewer2", "boss", "boss2")]
    answers = await asyncio.gather(
        *(review.review_record(act, record, approve=True, comment="", version=1) for act in acts), return_exceptions=True
    )
    assert [answer for answer in answers if answer is None] == [None]
    assert all(isinstance(answer, WrongMoment) for answer in answers if answer is not None)
    assert await Finding.count().where(Finding.record == record).run() == len(found["row"]["outcomes"])


async def _refused(attempt, *fields: str) -> BadInput:
    before = await snapshot()
    with pytest.raises(BadInput) as refusal:
        await attempt
    assert await snapshot() == before
    assert set(fields) <= {problem.field for problem in refusal.value.problems}, refusal.value.problems
    return refusal.value


async def test_a_record_without_an_outcome_is_not_submitted(found):
    item = next(iter(found["row"]["outcomes"]))
    refused = await _refused(_save(found, outcomes={}, submit=True), f"outcome.{item}")
    assert "没有选择检查结果" in str(refused.problems[0])


async def test_an_outcome_outside_the_list_or_of_another_item_is_refused_even_in_a_draft(found):
    item = next(iter(found["row"]["outcomes"]))
    for submit in (False, True):
        refused = await _refused(_save(found, outcomes={item: "perfect"}, submit=submit), f"outcome.{item}")
        assert "检查结果“perfect”不在结果清单中" in refused.problems[0].message
        refused = await _refused(_save(found, outcomes={**found["row"]["outcomes"], "x.y": "none"}, submit=submit), "outcome.x.y")
        assert "没有检查事项 x.y" in refused.problems[0].message


async def test_a_record_without_a_method_or_with_unanswered_points_is_not_submitted(found):
    await _refused(_save(found, method="", submit=True), "method")
    await _refused(_save(found, method="猜测", submit=True), "method")
    refused = await _refused(_save(found, answers={}, submit=True))
    assert len(refused.problems) > 2 and "需要补充或改正" in refused.message


async def test_answers_to_hidden_points_are_dropped(found):
    assert found["row"]["form"] == "annual_reports.check"
    record = await _save(found, answers={**found["given"]["answers"], "filed": "on_time", "filed_note": "没有显示的内容"})
    assert "filed_note" not in json.loads((await _stored(record))["answers"])
    kept = json.loads((await RecordVersion.select().where(RecordVersion.record == record).first().run())["data"])
    assert "filed_note" not in kept["answers"]


async def test_a_form_the_visit_does_not_have_is_refused(found):
    with pytest.raises(BadInput, match="没有表单“other.form”"):
        await forms.save_record(found["act"], found["row"]["visit"], "other.form", **found["given"])


async def test_only_the_assigned_enter_a_record_or_note_their_arrival(drawn, found):
    assigned = {one["id"] for one in await office.inspectors_of(found["visit"])}
    every = await directory.load_inspectors((await drawn.acting("boss")).tree)
    outsider = next(row["id"] for row in every if row["id"] not in assigned)
    act = await drawn.account_of("outsider", ["inspector"], inspector=outsider)
    before = await snapshot()
    for attempt in (_save(found, act), forms.record_arrival(act, found["row"]["visit"]), _save(found, await drawn.acting("boss"))):
        with pytest.raises(NotAllowed, match="您不是这次入企的执法人员"):
            await attempt
    assert await snapshot() == before


async def test_the_first_arrival_stands(drawn, found):
    await forms.record_arrival(found["act"], found["row"]["visit"])
    first = (await office.visits_of(OPEN))[0]["arrived_at"]
    drawn.at("2026-07-02T10:00")
    await forms.record_arrival(await drawn.acting("assigned"), found["row"]["visit"])
    assert (await office.visits_of(OPEN))[0]["arrived_at"] == first


async def test_a_visit_is_done_when_every_form_on_it_was_submitted(drawn, found):
    lines = await sample.make_answers(await drawn.acting("operator"), OPEN, SEED)
    mine = [row for row in map(json.loads, lines) if row["visit"] == found["visit"]["code"]]
    assert len(mine) == len(found["visit"]["forms"]) > 1
    for n, row in enumerate(mine):
        assert (await office.visits_of(OPEN))[0]["state"] == "open"
        await forms.save_record(
            found["act"], row["visit"], row["form"], answers=row["answers"], outcomes=row["outcomes"], method=row["method"], submit=True
        )
        done = (await office.visits_of(OPEN))[0]["state"]
        assert done == ("done" if n == len(mine) - 1 else "open")


# Files -----------------------------------------------------------------------


_made: list[str] = []


async def _lines(house) -> list[dict]:
    """The same answers each time: made once, since the stage is the same each time."""
    house.at(office.ENTERED)
    if not _made:
        _made.extend(line.decode() for line in await sample.make_answers(await house.acting("operator"), OPEN, SEED))
    return [json.loads(line) for line in _made]


def _file(rows) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


async def test_a_file_of_records_is_imported_whole(drawn):
    rows = await _lines(drawn)
    made = await forms.import_records(await drawn.acting("operator"), _file(rows))
    assert made["records"] == len(rows) == await InspectionRecord.count().run()
    assert all(visit["state"] == "done" for visit in await office.visits_of(OPEN))


BAD_ROWS = {
    "an unknown visit": ({"visit": "X"}, "没有编号为“X”的入企检查"),
    "somebody not assigned": ({"recorder": "nobody"}, "“nobody”不是入企检查"),
    "a day to come": ({"inspected_on": "2026-12-01"}, "在今天之后"),
    "no outcome": ({"outcomes": {}}, "没有选择检查结果"),
    "another outcome": ({"outcomes": {"annual_reports.annual": "great"}}, "不在结果清单中"),
    "no method": ({"method": ""}, "请选择检查方式"),
    "another form": ({"form": "x.y"}, "没有表单“x.y”"),
    "another version of the form": ({"version": "1999-1"}, "文件里是 1999-1 版"),
    "no answers": ({"answers": {}}, "请"),
    "an answer the form has no point for": ({"answers": {"zz": "1"}}, "表单里没有这一项"),
    "an answer of another type": ({"answers": {"filed": 7}}, "类型不对"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
async def test_one_bad_row_stops_the_file_and_is_named(drawn, case):
    rows = await _lines(drawn)
    change, words = BAD_ROWS[case]
    rows[2] = {**rows[2], **change}
    before = await snapshot()
    with pytest.raises(BadInput, match="一条也没有导入") as refusal:
        await forms.import_records(await drawn.acting("operator"), _file(rows))
    assert {problem.row for problem in refusal.value.problems} == {3}
    assert any(words in problem.message for problem in refusal.value.problems), refusal.value.problems
    assert await snapshot() == before


BAD_FILES = {
    "empty": (b"", "是空的"), "blank": (b"\n\n", "是空的|第 1 行不是 JSON"), "not text": (b"\xff\xfe\x00", "不是 UTF-8"),
    "no JSON": (b"hello\n", "第 1 行不是 JSON"), "a list": (b"[]\n", "第 1 行的键应为"), "half an object": (b'{"visit":"a"}\n', "第 1 行的键应为"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
async def test_a_foreign_file_is_refused(drawn, case):
    data, words = BAD_FILES[case]
    with pytest.raises(BadInput, match=words):
        await forms.import_records(await drawn.acting("operator"), data)


@pytest.mark.parametrize(
    ("key", "value"),
    [("visit", 1), ("form", None), ("version", []), ("answers", []), ("answers", "x"), ("outcomes", []), ("outcomes", {"a": []}),
     ("inspected_on", 20260601), ("inspected_on", "yesterday"), ("recorder", {}), ("method", []), ("opinion", 1), ("task", 2)],
)  # fmt: skip
async def test_a_value_of_another_type_is_refused_by_line_and_key(drawn, key, value):
    rows = await _lines(drawn)
    with pytest.raises(BadInput, match=f"第 2 行“{key}”"):
        await forms.import_records(await drawn.acting("operator"), _file([rows[0], {**rows[1], key: value}]))


async def test_line_separators_inside_a_text_do_not_split_a_row(drawn):
    rows = await _lines(drawn)
    data = _file([{**rows[0], "opinion": "第一行\u2028第二行\x85第三行"}])
    made = await forms.import_records(await drawn.acting("operator"), data)
    assert made["records"] == 1


async def test_the_same_file_again_is_refused_whole(entered):
    rows = await _lines(entered)
    before = await snapshot()
    with pytest.raises(BadInput, match="一条也没有导入") as refusal:
        await forms.import_records(await entered.acting("operator"), _file(rows))
    visit = rows[0]["visit"]
    assert re.fullmatch(f"入企检查 {visit} 的《.+》已有一份记录（待审核）。请从文件中删去这一份；.*", refusal.value.problems[0].message)
    assert await snapshot() == before


# Review, results, publication ------------------------------------------------


async def test_approval_splits_the_outcomes_back_to_items_and_confirms_follow_ups(approved):
    found = {row["id"]: row for row in await InspectionRecord.select().run()}
    findings = await Finding.select().run()
    assert {(row["record"], row["item_code"], row["outcome"]) for row in findings} == {
        (record, item, outcome) for record, row in found.items() for item, outcome in json.loads(row["outcomes"]).items()
    }
    tasks = {task["id"]: task for task in (await office.tasks_by_code()).values()}
    for row in findings:
        task = tasks[row["task"]]
        assert row["item_code"] in [task["item_code"], *(rider["item_code"] for rider in task["riders"])]
        if any(one["item_code"] == row["item_code"] for one in tasks.values()):
            assert task["item_code"] == row["item_code"], "an item with a task of its own counts there"


async def test_a_found_problem_gets_the_follow_up_its_sector_proposes(drawn):
    drawn.at(office.ENTERED)
    rows = await _lines(drawn)
    problem = next(row for row in rows if "unreachable" in row["outcomes"].values())
    await forms.import_records(await drawn.acting("operator"), _file([problem]))
    record = (await records.load_record_page((await drawn.acting("boss")).tree, ["submitted"]))[0]
    reviewer = await drawn.acting("reviewer")
    proposed = (await review.load_review(reviewer, record["id"]))["follow_ups"]
    assert [one.kind for one in proposed] == ["abnormal_list"]
    await review.review_record(reviewer, record["id"], approve=True, comment="", version=record["version"])
    stored = await FollowUp.select().where(FollowUp.record == record["id"]).run()
    assert [(row["kind"], row["state"], row["confirmed_by"]) for row in stored] == [("abnormal_list", "open", reviewer.account)]
    assert stored[0]["due_on"] > date.fromisoformat(problem["inspected_on"])


async def test_only_approved_records_are_published(entered):
    act = await entered.acting("reviewer")
    waiting = await records.load_record_page(act.tree, ["submitted"])
    first = waiting[0]["visit"]
    for row in waiting:
        if row["visit"] == first:
            await review.review_record(act, row["id"], approve=True, comment="", version=row["version"])
    publisher = await entered.acting("publisher")
    assert (await publish.publish_all(publisher))["results"] == 1
    live = await publish_store.load_live(publisher.tree, "result")
    assert [row["key"] for row in live] == [waiting[0]["visit_code"]]
    states = await records.count_records(publisher.tree)
    assert states["submitted"] == len(waiting) - states["published"]


async def test_publishing_again_adds_a_version_only_where_new_records_came(entered):
    act = await entered.acting("reviewer")
    publisher = await entered.acting("publisher")
    waiting = await records.load_record_page(act.tree, ["submitted"])
    first, *rest = [row for row in waiting if row["visit"] == waiting[0]["visit"]]
    assert rest, "a visit with more than one form"
    await review.review_record(act, first["id"], approve=True, comment="", version=first["version"])
    await publish.publish_all(publisher)
    before = await snapshot()
    assert (await publish.publish_all(publisher))["results"] == 0
    assert await snapshot() == before
    for row in rest:
        await review.review_record(act, row["id"], approve=True, comment="", version=row["version"])
    assert (await publish.publish_all(publisher))["results"] == 1
    versions = (await publish_store.load_history(publisher.tree, "result"))[first["visit_code"]]
    assert [(row["version"], row["state"]) for row in versions] == [(1, "superseded"), (2, "live")]
    assert len(versions[1]["data"]["items"]) > len(versions[0]["data"]["items"])


async def test_ten_publications_at_once_publish_each_thing_once(approved):
    acts = [await approved.acting(login) for login in ("publisher", "publisher2") for _ in range(5)]
    counts = await asyncio.gather(*(publish.publish_all(act) for act in acts))
    tree = acts[0].tree
    for kind, name in (("item", "items"), ("plan", "plans"), ("result", "results")):
        history = await publish_store.load_history(tree, kind)
        assert history and all(len(versions) == 1 for versions in history.values())
        assert sum(count[name] for count in counts) == len(history)


async def test_what_is_published_holds_public_answers_only(published):
    act = await published.acting("boss")
    for row in await publish_store.load_live(act.tree, "result"):
        text = json.dumps(row["data"], ensure_ascii=False)
        assert "两次上门均大门紧闭" not in text and "sample-" not in text
        for item in row["data"]["items"]:
            assert item["outcome_label"] and isinstance(item["problem"], bool)


async def test_the_figures_of_the_home_page_are_those_of_its_year(published, tmp_path):
    async def figures(name):
        await disclosure.write_bundle(await published.acting("publisher"), tmp_path / name, demo=True)
        about = json.loads((tmp_path / name / "about.json").read_bytes())
        return about["year"], {one["label"]: one["value"] for one in about["figures"]}

    year, now = await figures("now")
    assert year == 2026 and now["抽取户数"] > 0 and now["发现问题"] > 0 and now["入企检查"] == now["结果公示"] == "100%"
    published.at("2027-01-05T09:00")
    await draw.reveal_round(await published.acting("approver"), OPEN)
    year, later = await figures("later")
    assert year == 2027 and later == {"抽取户数": 0, "入企检查": "0%", "结果公示": "0%", "发现问题": 0, "少跑": 0}


async def test_the_desks_figures_are_those_of_the_year(published):
    now = await home._year(await published.acting("planner"))
    assert now["entities"] > 0 and now["done"] == now["visits"] > 0 and now["published"] == now["records"] > 0 and now["drawn"] == 2
    published.at("2027-01-05T09:00")
    sheet = sample_plan(SEED)
    rows = tuple(tuple(cell.replace("2026年", "2027年") if isinstance(cell, str) else cell for cell in row) for row in sheet.rows)
    await plan.import_plan(await published.acting("operator"), dataclasses.replace(sheet, rows=rows), b"the plan of the next year")
    later = await home._year(await published.acting("planner"))
    assert later["plan"]["year"] == 2027
    assert {later[name] for name in ("drawn", "entities", "visits", "done", "records", "published")} == {0}


async def test_the_remark_on_a_plans_base_is_published_as_a_sentence(filled):
    await Plan.update(notes=json.dumps(["备注：抽查比例以2025年底期末实有户数为基数。", "注：另一句"])).where(Plan.year == 2026).run()
    act = await filled.acting("publisher")
    await publish.publish_all(act)
    (row,) = await publish_store.load_live(act.tree, "plan")
    assert row["data"]["base_note"] == "抽查比例以2025年底期末实有户数为基数。" and row["data"]["notes"] == ["注：另一句"]


async def test_a_round_is_reviewed_whole_and_once(entered):
    reviewer = await entered.acting("reviewer")
    made = await review.review_round(reviewer, OPEN)
    assert made["approved"] > 0 and made["skipped"] == 0
    before = await snapshot()
    with pytest.raises(WrongMoment, match="没有待审核的记录"):
        await review.review_round(reviewer, OPEN)
    assert await snapshot() == before


async def test_items_and_forms_of_a_version_in_use_never_change(filled):
    item = filled.sectors.items[0]
    other = dataclasses.replace(filled.sectors, items=(dataclasses.replace(item, name="改了名的事项"), *filled.sectors.items[1:]))
    before = await snapshot()
    with pytest.raises(WrongMoment, match=f"事项 {item.code} 的版本 {item.version} 已经使用，内容却变了"):
        await setup.declare(other, filled.settings.now())
    assert await snapshot() == before
    newer = dataclasses.replace(filled.sectors, items=(*filled.sectors.items, dataclasses.replace(item, version="2027-1", name="改了名的事项")))
    assert await setup.declare(newer, filled.settings.now()) == 1

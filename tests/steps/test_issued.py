"""Numbered documents: once each, in order, never reused, the same again; unannounced tasks are in none; each organisation its own."""

import json
from datetime import date

import pytest

from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.domain.packing import pack
from portal.steps import issued, papers, split
from portal.store import documents as store
from portal.store import engine, records
from portal.store.tables import Document, PlanRow, Task
from tests import office
from tests.office import ANNUAL, INSTANT, OPEN, snapshot
from tests.steps.acts import shared_visit

pytestmark = pytest.mark.anyio


async def _notice(house, visit, login="planner") -> dict:
    return await issued.issue_document(await house.acting(login), "notice", visit["code"])


async def _say(code: str, **cells) -> None:
    """Write words into the plan row of a task, as an imported plan would have had them."""
    row = await Task.select(Task.plan, Task.row).where(Task.code == code).first().run()
    mine = (PlanRow.plan == row["plan"]) & (PlanRow.row == row["row"])
    known = await PlanRow.select(PlanRow.data).where(mine).first().run()
    await PlanRow.update(data=json.dumps(json.loads(known["data"]) | cells)).where(mine).run()


async def test_one_notice_a_visit_names_every_item_once_and_everybody_who_comes(drawn):
    visit = await shared_visit()
    made = await _notice(drawn, visit)
    assert made == {"id": made["id"], "number": "望市监检通〔2026〕1号", "again": False}
    name, template, data = await issued.load_document_file(await drawn.acting("supervisor"), made["id"])
    paper = data["paper"]
    assert template == "check_notice.html" and name.endswith("望市监检通〔2026〕1号.pdf")
    items = [item["name"] for group in paper["groups"] for item in group["items"]]
    assert len(items) == len(set(items)) == 5 and len(paper["tasks"]) == 2 and all(item["basis"] for group in paper["groups"] for item in group["items"])
    assert [one["certificate"] for one in paper["inspectors"]] == [one["certificate_no"] for one in await office.inspectors_of(visit)]
    assert (paper["day"], data["about"]["as_of"]) == (visit["day"].isoformat(), "2026-05-28")

    before = await snapshot()
    assert await _notice(drawn, visit, "boss") == {**made, "again": True}
    with pytest.raises(WrongMoment, match="望市监检通〔2026〕1号 已经写明本次入企的全部事项"):
        await split.split_visit(await drawn.acting("planner"), visit["code"], [INSTANT], "改日", date(2026, 6, 22))
    with pytest.raises(NotAllowed, match="作废要由另一个人办理"):
        await issued.void_document(await drawn.acting("planner"), made["id"], "有误")
    with pytest.raises(BadInput, match="没有作废"):
        await issued.void_document(await drawn.acting("boss"), made["id"], " ")
    with pytest.raises(NotFound, match="不在您的辖区"):
        await issued.load_document_file(await drawn.acting("stranger"), made["id"])
    assert await snapshot() == before

    await issued.void_document(await drawn.acting("boss"), made["id"], "日期有误")
    with pytest.raises(WrongMoment, match="已经作废"):
        await issued.void_document(await drawn.acting("boss2"), made["id"], "日期有误")
    split_off = (await split.split_visit(await drawn.acting("planner"), visit["code"], [INSTANT], "改日", date(2026, 6, 22)))["visit"]
    numbers = [(await issued.issue_document(await drawn.acting("planner"), "notice", code))["number"] for code in (visit["code"], split_off)]
    assert numbers == ["望市监检通〔2026〕2号", "望市监检通〔2026〕3号"], "a number is never given twice"
    rows = (await issued.load_visit_documents(await drawn.acting("planner"), visit["code"]))["rows"]
    assert [(row["number"], row["state"], row["void_reason"]) for row in rows] == [("望市监检通〔2026〕1号", "voided", "日期有误"), (numbers[0], "issued", "")]
    paper = (await issued.load_document_file(await drawn.acting("planner"), rows[1]["id"] + 1))[2]["paper"]
    assert (paper["split"], len(paper["tasks"]), paper["day"]) == ("改日", 1, "2026-06-22")


async def test_what_is_checked_unannounced_is_in_no_notice(drawn):
    await office.take_guards_away()
    visit = await shared_visit()
    await _say(INSTANT, note="飞行检查，不预先告知")
    view = await issued.load_visit_documents(await drawn.acting("planner"), visit["code"])
    assert [why for _, why in view["silent"]] == ["年度计划的“备注”写明“飞行检查”"] and view["open"][0] == {"kind": "notice", "subject": visit["code"], "about": "", "why": ""}
    made = await _notice(drawn, visit)
    said = pack((await issued.load_document_file(await drawn.acting("planner"), made["id"]))[2]["paper"])
    assert "即时" not in said and "飞行检查" not in said
    await _say(ANNUAL, task="年度报告飞行检查")
    other = next(one for one in await office.visits_of(OPEN) if one["code"] != visit["code"])
    before = await snapshot()
    with pytest.raises(WrongMoment, match="本次入企不发检查通知书：.*写明“飞行检查”"):
        await _notice(drawn, other)
    assert await snapshot() == before


async def test_records_results_and_orders_are_numbered_once_they_cannot_change(entered):
    act = await entered.acting("boss")
    visit = await shared_visit()
    record = (await records.load_records_of([visit["id"]]))[0]
    for kind, subject, words in (
        ("record", str(record["id"]), "还没有审核通过"), ("result", visit["code"], "还没有审核通过，不能告知结果"), ("notice", visit["code"], "不用再发检查通知书"),
    ):  # fmt: skip
        with pytest.raises(WrongMoment, match=words):
            await issued.issue_document(act, kind, subject)
    for kind, subject in (("letter", "1"), ("record", "x"), ("order", "")):
        with pytest.raises(BadInput):
            await issued.issue_document(act, kind, subject)
    await office.approve_all(entered)
    act = await entered.acting("boss")
    rows = await records.load_records_of([one["id"] for one in await office.visits_of(OPEN)])
    bad = next(row for row in rows if set(row["outcomes"].values()) - {"none"})
    async with engine.transaction():
        await records.save_follow_ups([
            {"record": bad["id"], "kind": kind, "note": "公示营业执照。", "due_on": date(2026, 7, 24), "confirmed_by": act.account, "confirmed_at": act.now}
            for kind in ("rectify", "recheck")
        ])  # fmt: skip
    order, recheck = (await records.load_follow_ups([bad["id"]]))[bad["id"]][-2:]
    code = next(one["code"] for one in await office.visits_of(OPEN) if one["id"] == bad["visit"])
    numbers = [(await issued.issue_document(act, kind, subject))["number"] for kind, subject in (("record", str(bad["id"])), ("result", code), ("order", str(order["id"])))]
    assert numbers == ["望市监检录〔2026〕1号", "望市监检告〔2026〕1号", "望市监责改〔2026〕1号"]
    with pytest.raises(WrongMoment, match="只有“责令改正”"):
        await issued.issue_document(act, "order", str(recheck["id"]))
    documents = [row["id"] for row in (await issued.load_visit_documents(act, code))["rows"]]
    sheet, result, paper = [(await issued.load_document_file(act, one))[2] for one in documents]
    assert sheet["sheet"]["number"] == numbers[0] and sheet["pictures"] == {}
    assert {one["outcome"] for one in result["paper"]["outcomes"]} and {"kind": "rectify", "note": "公示营业执照。", "due_on": "2026-07-24"} in result["paper"]["follow_ups"]
    assert paper["paper"]["due_on"] == "2026-07-24" and paper["paper"]["laws"] and (paper["paper"]["points"] or paper["paper"]["items"])
    planner = await entered.acting("planner")
    assert [row["id"] for row in (await issued.load_visit_documents(planner, code))["rows"]] == documents


async def test_two_bureaus_with_one_word_do_not_share_a_number(drawn, monkeypatch):
    visits = await office.visits_of(OPEN)
    made = await _notice(drawn, visits[0])
    row = await Document.select().where(Document.id == made["id"]).first().run()
    taken = {**{name: value for name, value in row.items() if name != "id"}, "organisation": (await drawn.acting("stranger")).bureau["id"], "n": 9, "number": "望市监检通〔2026〕2号"}
    async with engine.transaction():
        await Document.insert(Document(**taken)).run()
    with pytest.raises(WrongMoment, match="文号 望市监检通〔2026〕2号 已由邻县市场监督管理局使用"):
        await _notice(drawn, visits[1])
    with pytest.raises(WrongMoment, match="冲突"):
        async with engine.transaction():
            await store.save_document({name: value for name, value in taken.items() if name != "data"} | {"n": 10, "subject": "another"}, {})


async def test_the_addressee_of_an_object_is_its_holder(drawn):
    visit = (await office.visits_of(OPEN))[0]
    other = (await office.visits_of(OPEN))[1]
    said = await papers._addressee({**visit, "holder": other["entity_code"]})
    assert said["entity"] == other["entity_code"] and said["place"]

"""Every step that changes anything, as data: at which stage, by whom, what it needs first, what it leaves in the audit."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from types import ModuleType
from typing import Any

import plugins.annual_reports
import plugins.registration
from portal.domain.cells import Sheet
from portal.domain.codes import make_uscc
from portal.domain.directory import EntityRow
from portal.domain.follow_ups import counted
from portal.domain.list_columns import INSPECTORS
from portal.domain.lists import Asked
from portal.domain.model import Field, Form, Section
from portal.domain.sample import sample_entities, sample_inspectors, sample_plan
from portal.domain.sample_profile import sample_profile
from portal.plugin import FollowUp, hookimpl
from portal.plugins import Sectors, discover_sectors
from portal.steps import (
    arrange, assign, attachments, base, bundles, caps, classes, commit, disclosure, draw, follow_ups, form_uploads, forms, imports, issued, jobs, lists, outside, paper,
    plan, plan_draft, pool, profile, publish, replacement, review, sample, setup, sheet_forms, simulation, split, stations, uploads, visits, withdraw,
)  # fmt: skip
from portal.steps.acting import Acting
from portal.steps.directory import save_entity_rows, save_inspector_rows
from portal.store import engine, records
from portal.store import follow_ups as store_follow_ups
from portal.store import imports as store_imports
from portal.store import jobs as store_jobs
from portal.store import plan as plan_store
from portal.store import publish as publications
from portal.store.tables import Entity, Task
from tests import office
from tests.office import ANNUAL, ISSUES, OPEN, PASSPHRASE, SEED, House
from tests.steps import account_acts

__all__ = ["CHANGES", "Change"]


@dataclass(frozen=True, slots=True)
class Change:
    """`run(act, house, found)` does it; `found` is what `prepare(house)` returned.

    `permission`: the act in domain/roles.py; `login`: somebody who may; `own`: the account
    must also be a certain person's (a holder, an assigned inspector); `acts`: act -> how
    many lines the audit gets, where that depends on the data a function of the answer.
    """

    name: str
    stage: str
    login: str
    permission: str
    run: Callable[[Acting, House, Any], Awaitable[Any]]
    acts: Mapping[str, int | Callable[[Any], int]]
    prepare: Callable[[House], Awaitable[Any]] | None = None
    own: bool = False
    everywhere: bool = False  # acts on the own bureau, whoever asks: there is nothing of another's to name


async def _frozen(house: House) -> None:
    await pool.freeze_pool(await house.acting("planner"), ANNUAL)


async def _struck(house: House) -> None:
    """Two of the drawn are deregistered by the round's day."""
    house.at("2026-06-08T09:00")
    visits_ = [visit["entity_code"] for visit in await office.visits_of(OPEN)][:2]
    await Entity.update(status="注销").where(Entity.code.is_in(visits_)).run()


async def _drafted(house: House) -> str:
    return await office.draft(house)


async def _shared(house: House) -> str:
    code = await office.draft(house)
    await office.make_shares(house, code)
    return code


async def _after_issues(house: House) -> None:
    house.at(office.DRAWN)


async def _proposed(house: House) -> None:
    await draw.void_round(await house.acting("planner"), OPEN, "名录有误")


async def _just_drawn(house: House) -> None:
    await office.make_drawable(house)
    await draw.draw_round(await house.acting("planner"), OPEN)


async def _combined(house: House) -> None:
    await _just_drawn(house)
    await visits.combine_visits(await house.acting("planner"), OPEN)


async def shared_visit() -> dict[str, Any]:
    """The visit that both rounds of a stage meet on."""
    here = {visit["code"] for visit in await office.visits_of(office.SEALED)}
    return next(visit for visit in await office.visits_of(OPEN) if visit["code"] in here)


async def one_answer(house: House, visit: dict[str, Any] | None = None) -> dict[str, Any]:
    """A visit's (the first one's) first form with acceptable answers, its visit, and an account of an inspector assigned to it."""
    house.at(office.ENTERED)
    visit = visit or (await office.visits_of(OPEN))[0]
    person = (await office.inspectors_of(visit))[0]
    lines = await sample.make_answers(await house.acting("operator"), OPEN, SEED)
    row = next(row for row in map(json.loads, lines) if row["visit"] == visit["code"])
    await house.account_of("assigned", ["inspector"], inspector=person["id"])
    return {"visit": visit, "row": row}


def _entering(submit: bool):
    async def run(act: Acting, house: House, found: dict[str, Any]) -> int:
        row = found["row"]
        return await forms.save_record(
            act, row["visit"], row["form"], answers=row["answers"], outcomes=row["outcomes"], method=row["method"],
            opinion=row["opinion"], submit=submit,
        )  # fmt: skip

    return run


async def _attaching(act: Acting, house: House, found: dict[str, Any]) -> int:
    row, form = found["row"], act.sectors.form(found["row"]["form"])
    point = next(field.name for field in form.fields() if field.type == "photo")
    kept = attachments.Kept("F" + "0" * 24, point, "photo", "门头.jpg", "image/jpeg", "0" * 64, "", b"\xff\xd8\xff")
    return await attachments.attach(
        act, row["visit"], form, [kept], answers={**row["answers"], point: [kept.code]}, outcomes=row["outcomes"], method=row["method"], opinion=row["opinion"],
    )  # fmt: skip


async def _to_split(house: House) -> str:
    return (await shared_visit())["code"]


async def _to_notify(house: House) -> str:
    return (await office.visits_of(OPEN))[0]["code"]


async def _to_recuse(house: House) -> tuple[str, str]:
    visit = (await office.visits_of(OPEN))[0]
    return visit["code"], (await office.inspectors_of(visit))[0]["code"]


async def _to_void(house: House) -> int:
    return (await issued.issue_document(await house.acting("boss"), "notice", await _to_notify(house)))["id"]


async def _scanning(act: Acting, house: House, found: dict[str, Any]) -> None:
    row = found["row"]
    scan = paper.read_scan(row["visit"], row["form"], "记录表.pdf", b"%PDF-1.7 paper")
    await paper.attach_paper(act, row["visit"], row["form"], act.today, scan)


async def _all_answers(house: House) -> bytes:
    house.at(office.ENTERED)
    return b"".join(await sample.make_answers(await house.acting("operator"), OPEN, SEED))


async def _first_record(house: House) -> dict[str, Any]:
    act = await house.acting("reviewer")
    return (await records.load_record_page(act.tree, ["submitted"]))[0]


def _reviewing(approve: bool):
    async def run(act: Acting, house: House, record: dict[str, Any]) -> None:
        await review.review_record(act, record["id"], approve=approve, comment="请补充", version=record["version"])

    return run


@cache
def _promising() -> Sectors:
    """The sectors, of which one asks for a re-check so many days after the entity's report."""
    module = ModuleType("promising_registration")
    module.__dict__.update({name: value for name, value in vars(plugins.registration).items() if not name.startswith("__")})
    module.sector = hookimpl(lambda: replace(plugins.registration.sector(), findings=None))
    module.suggest_follow_up = hookimpl(lambda record, form: [FollowUp("recheck", 10, "reported", "收到整改报告后复查。")])
    return discover_sectors("annual_reports,registration", {"annual_reports": plugins.annual_reports, "registration": module})


async def _promised(house: House) -> dict[str, Any]:
    """An approved record whose re-check waits for the entity's report."""
    act = await house.acting("reviewer", _promising())
    record = next(row for row in await records.load_record_page(act.tree, ["submitted"]) if row["sector"] == "registration")
    await review.review_record(act, record["id"], approve=True, comment="", version=record["version"])
    return (await records.load_follow_ups([record["id"]]))[record["id"]][0]


async def _report(act: Acting, house: House, found: dict[str, Any]) -> date | None:
    return await follow_ups.answer_follow_up(act, found["id"], act.today, "整改报告一份")


async def _queued(house: House) -> int:
    return await publish.request_release(await house.acting("publisher"))


async def _to_close(house: House) -> dict[str, Any]:
    await house.account_of("office", ["sector"])
    return await _promised(house)


async def to_rectify(house: House) -> dict[str, Any]:
    """An order to rectify, due in ten working days, beside the re-check that waits for a report."""
    promised = await _to_close(house)
    act = await house.acting("office")
    known = {"record": promised["record"], "kind": "rectify", "note": "公示营业执照", "confirmed_by": act.account, "confirmed_at": act.now}
    async with engine.transaction():
        number = await store_follow_ups.save_follow_up(known | counted(10, act.today))
    return await records.load_follow_up(number, act.tree)


async def _close(act: Acting, house: House, found: dict[str, Any]) -> None:
    return await follow_ups.close_follow_up(act, found["id"], act.today, "已复查改正")


async def _bundle(act: Acting, house: House, _: None) -> dict[str, Any]:
    return await disclosure.write_bundle(act, house.settings.data / "bundles" / "next", demo=True)


async def _note_release(act: Acting, house: House, _: None) -> None:
    ids = [(await house.round(OPEN))["id"]]
    made = {"id": "000002-" + "1" * 12, "pages": 1, "pdfs": 0, "changed": 1}
    await disclosure.save_published(act, {"rounds": ids, "digest": "1" * 64, "size": 1}, made)


def _create(act: Acting, house: House, _: None) -> Awaitable[str]:
    logins = ("stranger", "stranger2") if act.login == "stranger" else ("planner", "supervisor")
    holders = [{"holder": f"{login} 一方", "login": login} for login in logins]
    return commit.create_round(
        act, [ANNUAL], title="测试轮次", disclosure="open", holders=holders, window=office.WINDOW, draw_not_before=office.AFTER_ISSUES,
        sources=[{"name": name, "drawn_at": at, "groups": groups} for name, at, groups, _ in ISSUES],
    )  # fmt: skip


async def _a_result(house: House) -> str:
    """The key of the first published result."""
    return (await publications.load_live((await house.acting("publisher")).tree, "result"))[0]["key"]


async def limited(house: House) -> str:
    """A result that is shown today for the last time; its key."""
    key = await _a_result(house)
    await _note_release(await house.acting("publisher"), house, None)
    await withdraw.limit(await house.acting("publisher"), key, (await house.acting("publisher")).today, "满三个月")
    return key


async def _expired(house: House) -> None:
    await limited(house)
    house.at("2026-07-05T09:00")
    for job in await store_jobs.load_jobs():
        await store_jobs.save_finished(job["id"], "done", "", house.settings.now())


def _withdraw(act: Acting, house: House, key: str) -> Awaitable[None]:
    return withdraw.withdraw(act, key, "原决定已撤销")


def _limit(act: Acting, house: House, key: str) -> Awaitable[None]:
    return withdraw.limit(act, key, date(2026, 10, 3), "满三个月")


def _correct(act: Acting, house: House, key: str) -> Awaitable[None]:
    return withdraw.correct(act, key, "", "town", "清桥镇（更正）", "门牌登记有误", shown=True)


_PLAN: Sheet = sample_plan(SEED)
TOYS_FORM = Form("toys.shop", "2026-1", "玩具销售检查表", (Section("在售产品", (Field("ccc", "均有CCC标志", required=True, public=True),)),))
DIVISIONS = Sheet((("代码", "名称"), ("359921100", "清桥镇"), ("359921101", "白鹭镇"), ("359921101001", "鹭前村委会")))
COVERAGE = Sheet((("所名称", "辖区镇街"), ("清桥市场监管所", "清桥镇"), ("白鹭市场监管所", "白鹭镇")))


async def _divided(house: House) -> None:
    await stations.import_divisions(await house.acting("operator"), DIVISIONS, b"divisions")


async def _unplaced(house: House) -> str:
    """An entry with a failed check digit and no station, whose address names one."""
    await _divided(house)
    code = make_uscc("9", "1", "359921", "MA0000A9")
    code = code[:17] + ("A" if code[17] != "A" else "C")
    await save_entity_rows(await house.acting("operator"), (EntityRow(code, "entity", code, "", "望溪县甲厂", address="望溪县清桥镇南路1号"),))
    await stations.import_stations(await house.acting("operator"), COVERAGE, b"coverage")
    return code


_CODE = "91359921MA0TEST0X1"  # its check digits fail
_ROWS = Sheet((("统一社会信用代码", "企业名称", "单位简称"), (_CODE, "望溪县甲有限公司", "甲")))


async def _uploaded(house: House) -> int:
    return await uploads.save_upload(await house.acting("operator"), "entities", _ROWS, "名录.xlsx", b"the file", {})


async def _form_uploaded(act: Acting, house: House, _: None) -> int:
    return await form_uploads.save_form_upload(act, TOYS_FORM, (), "shop.xlsx", "0" * 64, sheet_forms.NewSector("玩具", "质量科"))


async def _uploaded_form(house: House) -> int:
    return await _form_uploaded(await house.acting("operator"), house, None)


async def _queued(house: House) -> int:
    upload = await _uploaded(house)
    async with engine.transaction():
        await imports.store.update_upload(upload, "previewed", state="queued")
    return upload


async def _request(act: Acting, house: House, upload: int) -> int:
    long, uploads.LONG_ROWS = uploads.LONG_ROWS, 0
    try:
        return await uploads.request_apply(act, upload, False)
    finally:
        uploads.LONG_ROWS = long


_PROFILE = json.dumps(sample_profile(SEED)).encode()


async def _plan_number(house: House) -> int:
    act = await house.acting("planner")
    return (await plan_store.load_plans(act.line))[-1]["id"]


async def _begun(house: House) -> int:
    return await plan_draft.begin_draft(await house.acting("planner"), await _plan_number(house))


async def _settled(house: House) -> int:
    """A draft with a change, and nothing that stops it from being a version."""
    number = await _begun(house)
    await plan_draft.save_row(await house.acting("planner"), number, 1, 9, {"ratio": "10%"})
    return number


async def _a_holder(house: House) -> str:
    act = await house.acting("planner")
    return (await office.entries_of(act, 1))[0]["code"]


async def _listed(house: House) -> int:
    """A list of one entity drawn elsewhere, imported for a task drawn above."""
    async with engine.transaction():
        await Task.update(drawn_by="superior").where(Task.code == "359921-2026-T003").run()
    act = await house.acting("planner")
    row = next(row for row in await office.entries_of(act, 50) if row["status"] == "存续" and row["kind"] == "entity")
    sheet = Sheet((("统一社会信用代码", "抽查任务", "来源平台", "抽取日期"), (row["code"], "359921-2026-T003", "市局平台", "2026-05-20")))
    await imports.import_sheet(act, "draw", sheet, "名单.xlsx", b"list")
    return (await store_imports.load_external_lists(act.tree))[0]["id"]


async def _an_inspector(house: House) -> str:
    """Somebody with visits to make."""
    return (await office.inspectors_of((await office.visits_of(OPEN))[0]))[0]["code"]


CHANGES = [
    Change("import entities", "filled", "operator", "directory.import",
           lambda act, house, _: save_entity_rows(act, tuple(sample_entities(20, SEED))), {"directory.import": 1}, everywhere=True),
    Change("import inspectors", "filled", "operator", "directory.import",
           lambda act, house, _: save_inspector_rows(act, tuple(sample_inspectors(SEED))[:20]), {"directory.import": 1}, everywhere=True),
    Change("import divisions", "filled", "operator", "stations.make",
           lambda act, house, _: stations.import_divisions(act, DIVISIONS, b"d"), {"stations.divisions": 1}, everywhere=True),
    Change("cover", "filled", "operator", "stations.make", lambda act, house, _: stations.import_stations(act, COVERAGE, b"c"),
           {"stations.make": 1}, _divided, everywhere=True),
    Change("assign stations", "filled", "planner", "stations.make", lambda act, house, _: stations.assign_stations(act),
           {"stations.assign": 1}, _unplaced, everywhere=True),
    Change("add partner", "filled", "operator", "setup.bureau",
           lambda act, house, _: setup.add_partner(act, "望溪县教育局", lambda login: "a password for tests"), {"setup.partner": 1}, everywhere=True),
    Change("place entity", "filled", "planner", "directory.place",
           lambda act, house, code: stations.place_entity(act, code, "359921-S02", "门牌属清桥"), {"directory.place": 1}, _unplaced),
    Change("import sheet", "filled", "operator", "directory.import",
           lambda act, house, _: imports.import_sheet(act, "entities", _ROWS, "名录.xlsx", b"x", mapping={"单位简称": "不导入"}), {"directory.import": 1}, everywhere=True),
    Change("accept codes", "filled", "operator", "directory.import",
           lambda act, house, _: imports.accept_codes(act, [_CODE], "已与营业执照核对"), {"imports.accept": 1}, everywhere=True),
    Change("upload", "filled", "operator", "directory.import",
           lambda act, house, _: uploads.save_upload(act, "entities", _ROWS, "名录.xlsx", b"x", {}), {"imports.upload": 1}, everywhere=True),
    Change("map headings", "filled", "operator", "directory.import",
           lambda act, house, upload: uploads.map_headings(act, upload, {"单位简称": "曾用名"}), {"imports.map": 1}, _uploaded),
    Change("apply upload", "filled", "operator", "directory.import",
           lambda act, house, upload: uploads.apply_upload(act, upload, False), {"directory.import": 1}, _uploaded),
    Change("request apply", "filled", "operator", "directory.import", _request, {"imports.request": 1}, _uploaded),
    Change("apply queued", "filled", "operator", "directory.import",
           lambda act, house, upload: uploads.apply_queued(act, upload), {"directory.import": 1}, _queued),
    Change("drop upload", "filled", "operator", "directory.import", lambda act, house, upload: uploads.drop_upload(act, upload), {"imports.drop": 1}, _uploaded),
    Change("import form", "filled", "operator", "sheets.import",
           lambda act, house, _: sheet_forms.import_form(act, TOYS_FORM, "shop.xlsx", "0" * 64, sheet_forms.NewSector("玩具", "质量科")),
           {"sheets.sector": 1, "sheets.form": 1}, everywhere=True),
    Change("upload form", "filled", "operator", "sheets.import", _form_uploaded, {"sheets.upload": 1}, everywhere=True),
    Change("apply form", "filled", "operator", "sheets.import", lambda act, house, upload: form_uploads.apply_form_upload(act, upload),
           {"sheets.sector": 1, "sheets.form": 1, "sheets.apply": 1}, _uploaded_form),
    Change("drop form", "filled", "operator", "sheets.import", lambda act, house, upload: form_uploads.drop_form_upload(act, upload),
           {"sheets.drop": 1}, _uploaded_form),
    Change("import plan", "filled", "planner", "plan.import", lambda act, house, _: plan.import_plan(act, _PLAN, b"again"), {"plan.import": 1}, everywhere=True),
    Change("begin draft", "filled", "planner", "plan.edit", lambda act, house, number: plan_draft.begin_draft(act, number), {"plan.draft.begin": 1}, _plan_number),
    Change("begin plan", "filled", "planner", "plan.edit", lambda act, house, _: plan_draft.begin_plan(act, 2027, ""), {"plan.draft.begin": 1}, everywhere=True),
    Change("save row", "filled", "planner", "plan.edit",
           lambda act, house, number: plan_draft.save_row(act, number, 1, 1, {"ratio": "4%"}), {"plan.draft.row": 1}, _begun),
    Change("settle row", "filled", "planner", "plan.edit",
           lambda act, house, number: plan_draft.settle_row(act, number, 1, 9, "ratio"), {"plan.draft.row": 1}, _begun),
    Change("withdraw row", "filled", "planner", "plan.edit",
           lambda act, house, number: plan_draft.withdraw_row(act, number, 1, 1), {"plan.draft.withdraw": 1}, _begun),
    Change("restore row", "filled", "planner", "plan.edit",
           lambda act, house, number: plan_draft.restore_row(act, number, 2, 9), {"plan.draft.restore": 1}, _settled),
    Change("drop draft", "filled", "planner", "plan.edit", lambda act, house, number: plan_draft.drop_draft(act, number, 1), {"plan.draft.drop": 1}, _begun),
    Change("finish draft", "filled", "planner", "plan.edit",
           lambda act, house, number: plan_draft.finish_draft(act, number, 2, "定为比例"), {"plan.edit": 1}, _settled),
    Change("save profile", "filled", "planner", "plan.profile", lambda act, house, _: profile.save_profile(act, _PROFILE), {"plan.profile": 1}, everywhere=True),
    Change("freeze base", "filled", "planner", "plan.base", lambda act, house, _: base.freeze_base(act, 2025), {"plan.base": 1}, everywhere=True),
    Change("measure plan", "filled", "planner", "plan.measure", lambda act, house, number: base.measure_plan(act, number), {"plan.measure": 1}, _plan_number),
    Change("simulate", "filled", "planner", "plan.simulate",
           lambda act, house, number: simulation.simulate_plan(act, number, 1, 1), {"plan.simulate": 1}, _plan_number),
    Change("take list", "filled", "planner", "draw.take", lambda act, house, number: outside.take_list(act, number), {"draw.take": 1}, _listed),
    Change("approve plan", "filled", "approver", "plan.approve", lambda act, house, number: base.approve_plan(act, number), {"plan.approve": 1}, _plan_number),
    Change("request simulation", "filled", "planner", "plan.simulate",
           lambda act, house, number: simulation.request_simulation(act, number, 1, 1), {"plan.simulate.request": 1}, _plan_number),
    Change("allow", "filled", "approver", "caps.allow",
           lambda act, house, code: caps.allow(act, code, "", "complaint", "第 7 号", date(2026, 1, 1), None), {"caps.allow": 1}, _a_holder),
    Change("leave in peace", "filled", "planner", "caps.peace",
           lambda act, house, code: caps.leave_in_peace(act, code, (), "信用风险低", date(2026, 1, 1), None), {"caps.peace": 1}, _a_holder),
    Change("adjust class", "filled", "approver", "classes.adjust",
           lambda act, house, code: classes.adjust_class(act, code, "D", "抽检不合格", date(2026, 5, 25), date(2026, 12, 31)),
           {"classes.adjust": 1}, _a_holder),
    Change("freeze", "filled", "planner", "pool.freeze", lambda act, house, _: pool.freeze_pool(act, ANNUAL), {"pool.freeze": 1}),
    Change("create round", "filled", "planner", "round.create", _create, {"round.create": 1}, _frozen),
    Change("make share", "filled", "planner", "round.share",
           lambda act, house, code: commit.make_share(act, code, PASSPHRASE), {"round.share": 1}, _drafted, own=True),
    Change("commit", "filled", "approver", "round.commit",
           lambda act, house, code: commit.commit_round(act, code), {"round.commit": 1}, _shared),
    Change("enter source", "committed", "planner", "round.source",
           lambda act, house, _: draw.enter_source(act, OPEN, 0, ISSUES[0][3]), {"round.source": 1}, _after_issues),
    Change("release share", "committed", "planner", "round.share",
           lambda act, house, _: draw.release_share(act, OPEN, PASSPHRASE), {"round.release": 1}, _after_issues, own=True),
    Change("draw", "committed", "planner", "round.draw",
           lambda act, house, _: draw.draw_round(act, OPEN), {"round.draw": 1}, office.make_drawable),
    Change("reveal", "entered", "approver", "round.reveal", lambda act, house, _: draw.reveal_round(act, OPEN), {"round.reveal": 1}),
    Change("hand over", "entered", "supervisor", "round.hand_over",
           lambda act, house, _: bundles.export_round(act, OPEN, "auditor"), {"round.export": 1}),
    Change("propose void", "committed", "planner", "round.void",
           lambda act, house, _: draw.void_round(act, OPEN, "名录有误"), {"round.void.propose": 1}),
    Change("void", "committed", "approver", "round.void",
           lambda act, house, _: draw.void_round(act, OPEN, "同意"), {"round.void": 1}, _proposed),
    Change("combine", "committed", "planner", "visits.combine",
           lambda act, house, _: visits.combine_visits(act, OPEN), {"visits.combine": 1}, _just_drawn),
    Change("assign", "committed", "planner", "visits.assign",
           lambda act, house, _: assign.assign_inspectors(act, OPEN), {"visits.assign": 1}, _combined),
    Change("refill", "drawn", "planner", "visits.assign",
           lambda act, house, who: assign.refill_slots(act, OPEN, [who], "病假"), {"visits.refill": 1}, _an_inspector),
    Change("replace", "drawn", "planner", "round.replace",
           lambda act, house, _: replacement.replace_struck(act, OPEN), {"round.replace": 1}, _struck),
    Change("split visit", "drawn", "planner", "visits.split",
           lambda act, house, visit: split.split_visit(act, visit, [office.INSTANT], "检查人员当日不能到场", date(2026, 6, 22)), {"visits.split": 1}, _to_split),
    Change("reschedule visit", "drawn", "planner", "visits.reschedule",
           lambda act, house, visit: arrange.reschedule(act, visit, date(2026, 6, 23), "该企业当日停业"), {"visits.reschedule": 1}, _to_notify),
    Change("recuse", "drawn", "planner", "visits.recuse",
           lambda act, house, found: arrange.recuse(act, *found, "与法定代表人是近亲属"), {"visits.recuse": 1}, _to_recuse),
    Change("issue document", "drawn", "planner", "documents.issue",
           lambda act, house, visit: issued.issue_document(act, "notice", visit), {"documents.issue": 1}, _to_notify),
    Change("void document", "drawn", "planner", "documents.void",
           lambda act, house, document: issued.void_document(act, document, "日期有误"), {"documents.void": 1}, _to_void),
    Change("arrive", "drawn", "assigned", "record.enter",
           lambda act, house, found: forms.record_arrival(act, found["visit"]["code"]), {"visit.arrive": 1}, one_answer, own=True),
    Change("attach photo", "drawn", "assigned", "record.enter", _attaching, {"record.draft": 1, "record.attach": 1}, one_answer, own=True),
    Change("attach paper", "drawn", "assigned", "record.enter", _scanning, {"record.paper": 1}, one_answer, own=True),
    Change("save draft", "drawn", "assigned", "record.enter", _entering(False), {"record.draft": 1}, one_answer, own=True),
    Change("submit", "drawn", "assigned", "record.enter", _entering(True), {"record.submit": 1}, one_answer, own=True),
    Change("import records", "drawn", "operator", "record.import", lambda act, house, data: forms.import_records(act, data),
           {"record.import": 1, "record.submit": lambda made: made["records"]}, _all_answers),
    Change("approve", "entered", "reviewer", "record.review", _reviewing(True), {"record.approve": 1}, _first_record),
    Change("return", "entered", "reviewer", "record.review", _reviewing(False), {"record.return": 1}, _first_record),
    Change("close follow-up", "entered", "office", "record.close", _close, {"record.close": 1}, _to_close),
    Change("issue follow-up", "entered", "office", "record.follow",
           lambda act, house, found: follow_ups.issue_follow_up(act, found["id"], act.today, "送达"), {"record.follow": 1}, to_rectify),
    Change("extend follow-up", "entered", "office", "record.extend",
           lambda act, house, found: follow_ups.extend_follow_up(act, found["id"], 5, "停业装修", seen=0), {"record.extend": 1}, to_rectify),
    Change("order re-check", "entered", "office", "record.follow",
           lambda act, house, found: follow_ups.order_recheck(act, found["id"], 5, ""), {"record.recheck": 1}, to_rectify),
    Change("report rectified", "entered", "reviewer", "record.report", _report, {"record.report": 1}, _promised),
    Change("review round", "entered", "reviewer", "record.review", lambda act, house, _: review.review_round(act, OPEN),
           {"record.approve": lambda made: made["approved"]}, everywhere=True),
    Change("request release", "approved", "publisher", "publish.publish", lambda act, house, _: publish.request_release(act), {"publish.request": 1}, everywhere=True),
    Change("publish", "approved", "publisher", "publish.publish", lambda act, house, _: publish.publish_all(act), {"publish.publish": 3}, everywhere=True),
    Change("cancel job", "approved", "publisher", "jobs.cancel", lambda act, house, number: jobs.cancel_job(act, number), {"jobs.cancel": 1}, _queued),
    Change("write bundle", "approved", "publisher", "publish.publish", _bundle, {}, everywhere=True),
    Change("export list", "filled", "planner", "directory.read", lambda act, house, _: lists.note_export(act, INSPECTORS, Asked(given={"q": "李"}), 3), {"lists.export": 1}, everywhere=True),
    Change("note release", "approved", "publisher", "publish.publish", _note_release, {"publish.release": 1}, everywhere=True),
    Change("note rollback", "published", "publisher", "publish.publish", lambda act, house, _: publish.note_rollback(act, "000001-" + "1" * 12),
           {"publish.rollback": 1}, everywhere=True),
    Change("withdraw", "published", "publisher", "publish.publish", _withdraw, {"publish.withdraw": 1}, _a_result),
    Change("limit", "published", "publisher", "publish.publish", _limit, {"publish.limit": 1}, _a_result),
    Change("correct", "published", "publisher", "publish.publish", _correct, {"publish.correct": 1}, _a_result),
    Change("release expired", "published", "publisher", "publish.publish", lambda act, house, _: withdraw.release_due(act), {"publish.expire": 1}, _expired, everywhere=True),
    *(Change(*row) for row in account_acts.ROWS),
    Change(*account_acts.POLICY, everywhere=True),
]  # fmt: skip

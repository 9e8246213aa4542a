"""Records: one for each form on a visit, entered by an inspector assigned to it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain import forms as domain
from portal.domain import opinion as opinions
from portal.domain import shared
from portal.domain.answers import both_versions
from portal.domain.errors import BadInput, Conflict, NotAllowed, NotFound, Problem, Refused, WrongMoment
from portal.domain.model import Form, Record
from portal.domain.packing import pack
from portal.steps import caps
from portal.steps.acting import Acting
from portal.steps.joined_forms import Errand, enters, forms_of, load_drawn, load_errand, settled, shared_of, uploads_in
from portal.steps.record_checks import check_attached, check_outcomes
from portal.store import accounts, attachments, directory, visits
from portal.store import records as store
from portal.store.engine import transaction

STATES = {"draft": "草稿", "submitted": "待审核", "returned": "已退回", "approved": "已通过", "published": "已公示", "withdrawn": "已撤回"}
EDITABLE = ("draft", "returned")
METHODS = ("实地核查", "书面检查", "网络监测", "检验检测", "委托专业机构", "行政部门检查结果或专业意见")


async def load_visit_view(act: Acting, visit_code: str) -> dict[str, Any]:
    """A visit with its entity, people and forms: what the phone page shows.

    forms: [{"form", "owner", "task", "task_name", "items": [{"code", "version", "name"}], "record", "answers", "done", "total", "mine",
    "remarks": what the reviewer said of each point of a returned record}],
    those of one's own organisations; "others": names of the organisations that fill in the rest, of which
    nothing but the shared answers is seen; "homes": names of the other departments in a joint check, by id.
    """
    act.require("visits.read")
    visit = await visits.load_visit(visit_code, act.tree)
    entity = (await directory.load_entities([visit["entity_code"]])).get(visit["entity_code"])
    assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
    people = await directory.load_inspectors_by_id({who for who in assigned if who})
    records = {row["form_code"]: row for row in await store.load_records_of([visit["id"]])}
    every = await forms_of(visit, records)
    names, known = shared_of(every, visit["header"], records)
    views, uploads = [], uploads_in(known)
    for joined in every:
        if joined["owner"] not in act.tree:
            continue
        form, record = joined["form"], records.get(joined["form"].code)
        answers = record["answers"] if record else {}
        if record is None or record["state"] in EDITABLE:
            answers = shared.standing(form, known, names, answers)
        done, total = domain.progress(form, answers, act.today)
        mine = act.inspector is None or enters(act.inspector, joined)
        returns = await store.load_remarks(record["id"]) if record and record["state"] == "returned" else []
        remarks = returns[0]["remarks"] if returns else {}
        views.append({**joined, "record": record, "answers": answers, "done": done, "total": total, "mine": mine, "remarks": remarks})
    own = {one["form"].code for one in views}
    organisations = await accounts.load_organisations()
    everywhere = {o["id"]: o["name"] for o in organisations}
    holder = (await directory.load_entities([visit["holder"]])).get(visit["holder"]) if visit["holder"] != visit["entity_code"] else None
    return {
        "attached": {code: row for code, row in (await attachments.load_attachments(visit["id"])).items() if row["form_code"] in own or code in uploads},
        "others": sorted({everywhere[one["owner"]] for one in every if one["owner"] not in act.tree}),
        "papers": await attachments.load_paper_copies(visit["id"]), "names": names, "known": known, "titles": {one["form"].code: one["form"].title for one in every},
        "questions": {field.name: field for one in every for field in one["form"].fields() if one["form"].code in names.get(field.name, ())},
        "visit": visit, "entity": entity, "inspectors": [people.get(who) for who in assigned], "forms": views,
        "homes": {o["id"]: o["name"] for o in organisations if o["kind"] == "partner" and o["id"] != act.organisation["id"]},
        "closings": [one for one in (await visits.load_closings([visit["id"]])).get(visit["id"], []) if one["status"] != visits.SPLIT],
        "parts": await visits.load_parts(visit["id"]), "moves": await visits.load_moves(visit["id"]), "holder": holder, "drawn": await load_drawn(visit),
        "origin": (await visits.load_visits_by_id([visit["split_of"]])).get(visit["split_of"]) if visit["split_of"] else None,
        "tasks": len((await visits.load_tasks_of_visits([visit["id"]])).get(visit["id"], ())),
        "may_enter": act.may("record.enter") and _is_assigned(act, assigned) and visit["state"] != "closed",
    }  # fmt: skip


def _is_assigned(act: Acting, assigned: Sequence[int | None]) -> bool:
    return act.inspector is not None and act.inspector["id"] in assigned


async def record_arrival(act: Acting, visit_code: str, entry_code: str = "") -> None:
    """Note the arrival before the check, with the number of the scan-to-enter code where one was scanned (R56, R57); the first one stands."""
    act.require("record.enter")
    async with transaction():
        visit = await visits.lock_visit(visit_code, act.tree)
        assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
        if not _is_assigned(act, assigned):
            raise NotAllowed("您不是这次入企的执法人员，不能登记到场。")
        if visit["arrived_at"]:
            return
        await _require_not_closed(visit)
        await caps.require_admitted(act, visit)
        await visits.save_arrival(visit["id"], act.now, {**visit["header"], "arrived_by": act.login, "entry_code": entry_code})
        await act.audit("visit.arrive", visit_code, **({"entry_code": entry_code} if entry_code else {}))


async def _require_not_closed(visit: Mapping[str, Any]) -> None:
    if visit["state"] == "closed":
        why = (await visits.load_closings([visit["id"]]))[visit["id"]][-1]["reason"]
        raise WrongMoment(f"入企检查 {visit['code']} 不再进行：{why}")


async def save_record(
    act: Acting,
    visit_code: str,
    form_code: str,
    *,
    answers: Mapping[str, Any],
    outcomes: Mapping[str, str],
    method: str = "",
    opinion: str = "",
    version: int = 0,
    submit: bool = False,
    seen: Mapping[str, str] | None = None,
) -> int:
    """Save a draft, or check it and submit it for review; the record's id.

    `version` is that of the record the person saw (0: none yet), `seen` what the page showed of
    shared questions (shared.seen_of): somebody else's change in between is a WrongMoment, never
    overwritten.  A form that asks for the opinion itself says it (domain.opinion).  Raises BadInput with problems by field when a submitted record is not complete.
    """
    act.require("record.enter")
    async with transaction():
        visit = await visits.lock_visit(visit_code, act.tree)
        assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
        if not _is_assigned(act, assigned):
            raise NotAllowed("您不是这次入企的执法人员，不能录入。")
        paper = (await attachments.load_paper_copies(visit["id"])).get(form_code)
        return await _save(
            act, await load_hand(act, [visit]), visit, form_code, recorder=act.inspector["id"], answers=answers, outcomes=outcomes, method=method,
            opinion=opinion, version=version, submit=submit, inspected_on=paper[0]["inspected_on"] if paper else act.today, seen=seen,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hand:
    """What saving records of some visits asks for, read once for all of them: errand, people, records and headers by visit id.

    Records and headers are renewed as records are saved.
    """

    errand: Errand
    assigned: Mapping[int, Sequence[int | None]]
    people: Mapping[int, Mapping[str, Any]]
    records: dict[int, dict[str, dict[str, Any]]]
    headers: dict[int, Mapping[str, Any]]
    holding: Collection[str]  # holders of sites or objects, one of which may be what was drawn
    done: set[int]


async def load_hand(act: Acting, several: Sequence[Mapping[str, Any]]) -> Hand:
    ids = [visit["id"] for visit in several]
    assigned = await visits.load_assigned(ids)
    people = await directory.load_inspectors_by_id({who for row in assigned.values() for who in row if who})
    records: dict[int, dict[str, dict[str, Any]]] = {}
    for row in await store.load_records_of(ids):
        records.setdefault(row["visit"], {})[row["form_code"]] = row
    holding = await directory.load_holding({visit["holder"] for visit in several})
    headers = {visit["id"]: visit["header"] for visit in several}
    return Hand(await load_errand(several), assigned, people, records, headers, holding, {visit["id"] for visit in several if visit["state"] != "open"})


async def _save(
    act: Acting, hand: Hand, visit: Mapping[str, Any], form_code: str, *, recorder: int, answers: Mapping[str, Any],
    outcomes: Mapping[str, str], method: str, opinion: str, version: int | None, submit: bool, inspected_on: date,
    seen: Mapping[str, str] | None = None,
) -> int:  # fmt: skip
    """`save_record` in the caller's transaction. `version`: None from a file, which never changes a record that is there."""
    await _require_not_closed(visit)
    records = hand.records.setdefault(visit["id"], {})
    every = await forms_of(visit, records, hand.errand)
    joined = next((j for j in every if j["form"].code == form_code), None)
    if joined is None:
        raise BadInput(f"入企检查 {visit['code']} 没有表单“{form_code}”。")
    form: Form = joined["form"]
    if joined["owner"] not in act.tree or not enters(hand.people[recorder], joined):
        raise NotAllowed(f"《{form.title}》是其他单位在这次入企中的表，由该单位的人员填写。")
    known = records.get(form_code)
    from_file = version is None
    if from_file:
        if known:
            raise WrongMoment(
                f"入企检查 {visit['code']} 的《{form.title}》已有一份记录（{STATES[known['state']]}）。请从文件中删去这一份；要改已有的记录，请在系统里办理。"
            )
        version = 0
    if (known["version"] if known else 0) != version:
        words = "这份记录刚刚被别人改动过，您填的内容没有保存，都还在这一页上。请对照两个版本，改好后再保存。"
        raise Conflict(words, both_versions(form, answers, known["answers"] if known else {}))
    if known and known["state"] not in EDITABLE:
        raise WrongMoment("这份记录已经提交审核，不能再改。审核退回后可以修改。")
    header = hand.headers[visit["id"]]
    names, there = shared_of(every, header, records)
    titles = {one["form"].code: one["form"].title for one in every}
    common = shared.settle(form, titles, names, there, opinions.into_answers(form, answers, opinion), seen, inspected_on, submit=submit)
    if common.problems and not from_file:
        raise WrongMoment("同一次入企的共用问题，别的表里填得不一样。您填的内容没有保存。", common.problems)
    cleaned = domain.clean_answers(form, common.answers, inspected_on)
    wanted = {item["code"] for item in joined["items"]}
    chosen = {code: outcome for code, outcome in outcomes.items() if outcome}
    problems = check_outcomes(wanted, chosen, joined["items"], records) if submit or chosen else []
    if not submit:
        problems = [p for p in problems if "没有选择" not in p.message]
    problems += [*common.problems, *await check_attached(visit, form, cleaned, names)]
    if submit:
        if method not in METHODS:
            problems.append(Problem("method", "请选择检查方式。"))
        problems += domain.check_answers(form, cleaned, inspected_on)
        if not problems:
            before = records[joined["first"]]["answers"] if joined["first"] else {}
            view = _view(visit, joined, form, cleaned, settled(chosen), inspected_on, before, await load_drawn(visit) if visit["holder"] in hand.holding else {})
            problems += act.sectors.validate_record(view, form)
    if problems:
        raise BadInput(f"《{form.title}》有 {len(problems)} 处需要补充或改正。", problems)
    state = "submitted" if submit else (known["state"] if known else "draft")
    values = {
        "answers": cleaned, "outcomes": chosen, "method": method, "inspected_on": inspected_on,
        "opinion": opinions.of_answers(form, cleaned, opinion), "state": state, "recorder": recorder, "entered_by": act.account, "submitted_at": act.now if submit else None,
    }  # fmt: skip
    if known is None:
        values |= {
            "visit": visit["id"], "task": joined["task"]["id"], "organisation": joined["owner"],
            "sector": form.code.split(".")[0], "form_code": form.code, "form_version": form.version,
        }  # fmt: skip
    else:
        values["reviewer"] = None  # a returned record is reviewed afresh
    record = await store.save_record(values, record=known["id"] if known else None, version=version, by=act.account, at=act.now)
    given = {name: {"answer": cleaned.get(name), "form": form_code} for name, answer in common.changed.items() if answer is None or name in cleaned}
    if given:
        hand.headers[visit["id"]] = {**header, "shared": {**header.get("shared", {}), **given}}
        await visits.save_header(visit["id"], hand.headers[visit["id"]])
    await act.audit(
        "record.submit" if submit else "record.draft", f"{visit['code']}/{form_code}",
        before=_digest(known["answers"]) if known else "", after=_digest(cleaned),
        **({"shared": " ".join(sorted(given))} if given else {}),  # which of them stand for the other forms too
    )  # fmt: skip
    if submit:
        submitted = {code for code, row in records.items() if row["submitted_at"]} | {form_code}
        if visit["id"] not in hand.done and submitted >= {one["form"].code for one in every if not one["first"]}:
            await visits.save_done(visit["id"], act.now)  # every form on it has been submitted
            hand.done.add(visit["id"])
    records[form_code] = {"id": record, "form_code": form_code, "version": version + 1, **values}
    return record


def _view(visit, joined, form: Form, answers, outcomes, inspected_on: date, before, drawn) -> Record:
    return Record(
        visit=visit["code"], task=joined["task"]["code"], entity=visit["entity_code"], entity_name="",
        items=tuple(item["code"] for item in joined["items"]), answers=answers, outcomes=outcomes, inspected_on=inspected_on,
        before=before, drawn=tuple(drawn),
    )  # fmt: skip


def _digest(answers: Any) -> str:
    return hashlib.sha256(pack(answers).encode()).hexdigest()


# Records from a file ---------------------------------------------------------

_KEYS = {"visit", "form", "version", "answers", "outcomes", "inspected_on", "recorder", "method", "opinion", "task"}


async def import_records(act: Acting, data: bytes) -> dict[str, int]:
    """Records from JSON Lines, all or nothing; each by an inspector assigned to its visit. Counts by outcome."""
    act.require("record.import")
    try:
        lines = data.decode("utf-8").removesuffix("\n").split("\n")  # not splitlines: text may hold other line separators
    except UnicodeDecodeError:
        raise BadInput("记录文件不是 UTF-8 文本。请检查文件。") from None
    if not any(lines):
        raise BadInput("记录文件是空的。")
    rows = [_parse_line(n, line) for n, line in enumerate(lines, 1)]
    counts: Counter[str] = Counter()
    problems: list[Problem] = []
    async with transaction():
        await visits.lock_visits([row["visit"] for row in rows])
        known = await visits.load_visits_by_code([row["visit"] for row in rows], act.tree)
        hand = await load_hand(act, list(known.values()))
        for n, row in enumerate(rows, 1):
            try:
                await import_one(act, row, known.get(row["visit"]), hand)
            except Refused as refusal:
                if not refusal.problems:
                    problems.append(Problem("", refusal.message, n))
                problems += [Problem(p.field, p.message, n) for p in refusal.problems]
                if len(problems) > 200:
                    break
            counts.update(row["outcomes"].values())
        if problems:
            raise BadInput(f"记录文件有 {len(problems)} 处问题，一条也没有导入。", problems)
        await act.audit("record.import", "records", count=len(rows))
    return {"records": len(rows), **dict(sorted(counts.items()))}


def _parse_line(n: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        raise BadInput(f"记录文件第 {n} 行不是 JSON。每行一份记录，请检查文件。") from None
    if not isinstance(row, dict) or row.keys() != _KEYS:
        raise BadInput(f"记录文件第 {n} 行的键应为：{'、'.join(sorted(_KEYS))}。")
    for key in sorted(_KEYS - {"answers", "outcomes"}):
        if not isinstance(row[key], str):
            raise BadInput(f"记录文件第 {n} 行“{key}”应为文字。")
    for key in ("answers", "outcomes"):
        if not isinstance(row[key], dict):
            raise BadInput(f"记录文件第 {n} 行“{key}”应为对象（键和值）。")
    if not all(isinstance(outcome, str) for outcome in row["outcomes"].values()):
        raise BadInput(f"记录文件第 {n} 行“outcomes”的值应为文字。")
    try:
        row["inspected_on"] = date.fromisoformat(row["inspected_on"])
    except ValueError:
        raise BadInput(f"记录文件第 {n} 行“inspected_on”应为 YYYY-MM-DD。") from None
    return row


async def import_one(act: Acting, row: Mapping[str, Any], visit: Mapping[str, Any] | None, hand: Hand) -> None:
    """One record of a file, in the caller's transaction; Refused where a rule of `save_record` does not hold."""
    if visit is None:
        raise NotFound(f"没有编号为“{row['visit']}”的入企检查，或者不在您的辖区。")
    recorder = next((who for who in hand.assigned.get(visit["id"], ()) if who and hand.people[who]["code"] == row["recorder"]), None)
    if recorder is None:
        raise BadInput(f"“{row['recorder']}”不是入企检查 {row['visit']} 的执法人员。")
    if row["version"] != visit["forms"].get(row["form"], row["version"]):
        raise BadInput(f"入企检查 {row['visit']} 用的是表单 {row['form']} 的 {visit['forms'][row['form']]} 版，文件里是 {row['version']} 版。")
    if row["inspected_on"] > act.today:
        raise BadInput(f"检查日期 {row['inspected_on']} 在今天之后。")
    await _save(
        act, hand, visit, row["form"], recorder=recorder, answers=row["answers"], outcomes=row["outcomes"], method=row["method"],
        opinion=row["opinion"], version=None, submit=True, inspected_on=row["inspected_on"],
    )  # fmt: skip


async def recorders_of(records: Sequence[Mapping[str, Any]]) -> dict[int, set[int]]:
    """record id -> accounts that may not review it: all who entered a part of it, and every account of its recorder."""
    found = {record["id"]: {record["entered_by"]} for record in records}
    for record, account in await store.load_writers(found):
        found[record].add(account)
    own = await accounts.load_accounts_of_inspectors({r["recorder"] for r in records if r["recorder"]})
    for record in records:
        found[record["id"]] |= own.get(record["recorder"], set())
    return found

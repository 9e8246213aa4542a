"""Records: one for each form on a visit, entered by an inspector assigned to it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from portal.domain import forms as domain
from portal.domain import shared
from portal.domain.attachments import ATTACHED, is_uploaded
from portal.domain.errors import BadInput, NotAllowed, Problem, Refused, WrongMoment
from portal.domain.model import OUTCOMES, Form, Record
from portal.domain.packing import pack
from portal.steps import caps
from portal.steps.acting import Acting
from portal.steps.catalogue import load_form, load_item
from portal.store import accounts, attachments, directory, plan, visits, year
from portal.store import records as store
from portal.store.engine import transaction

STATES = {"draft": "草稿", "submitted": "待审核", "returned": "已退回", "approved": "已通过", "published": "已公示", "withdrawn": "已撤回"}
EDITABLE = ("draft", "returned")
METHODS = ("实地核查", "书面检查", "网络监测", "检验检测", "委托专业机构", "行政部门检查结果或专业意见")


async def load_visit_view(act: Acting, visit_code: str) -> dict[str, Any]:
    """A visit with its entity, people and forms: what the phone page shows.

    forms: [{"form", "owner", "task", "task_name", "items": [{"code", "version", "name"}], "record", "answers", "done", "total"}],
    those of one's own organisations; "others": names of the organisations that fill in the rest, of which
    nothing but the shared answers is seen.
    """
    act.require("visits.read")
    visit = await visits.load_visit(visit_code, act.tree)
    entity = (await directory.load_entities([visit["entity_code"]])).get(visit["entity_code"])
    assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
    people = await directory.load_inspectors_by_id({who for who in assigned if who})
    every, rows = await forms_of(visit), await store.load_records_of([visit["id"]])
    records = {row["form_code"]: row for row in rows}
    names, known = _shared(visit, every, rows)
    views, uploads = [], _uploads(known)
    for joined in every:
        if joined["owner"] not in act.tree:
            continue
        form, record = joined["form"], records.get(joined["form"].code)
        answers = record["answers"] if record else {}
        if record is None or record["state"] in EDITABLE:
            answers = shared.standing(form, known, names, answers)
        done, total = domain.progress(form, answers, act.today)
        views.append({**joined, "record": record, "answers": answers, "done": done, "total": total})
    own = {one["form"].code for one in views}
    everywhere = {o["id"]: o["name"] for o in await accounts.load_organisations()} if len(own) < len(every) else {}
    return {
        "attached": {code: row for code, row in (await attachments.load_attachments(visit["id"])).items() if row["form_code"] in own or code in uploads},
        "others": sorted({everywhere[one["owner"]] for one in every if one["owner"] not in act.tree}),
        "names": names, "known": known, "titles": {one["form"].code: one["form"].title for one in every},
        "questions": {field.name: field for one in every for field in one["form"].fields() if one["form"].code in names.get(field.name, ())},
        "visit": visit, "entity": entity, "inspectors": [people.get(who) for who in assigned], "forms": views,
        "may_enter": act.may("record.enter") and _is_assigned(act, assigned),
    }  # fmt: skip


async def forms_of(visit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The forms a visit joins, each once, under the first task that asks for it; items of all tasks.

    owner: whose record it is. A bureau's task is recorded by the station that was there; an organisation
    that the station does not belong to keeps its own records.
    """
    organisations = await accounts.load_organisations()
    line = accounts.line_of(organisations, visit["organisation"])
    carried = (await visits.load_tasks_of_visits([visit["id"]])).get(visit["id"], [])
    tasks = await plan.load_tasks_by_id(carried)
    left_out = await year.load_left_out(carried)
    found: dict[str, dict[str, Any]] = {}
    for task_id in sorted(carried, key=lambda task: tasks[task]["code"].encode()):
        task = tasks[task_id]
        for code, version in plan.items_of(task):
            if (task_id, visit["entity_code"], code) in left_out:
                continue
            item = await load_item(code, version)
            joined = found.setdefault(item.form, {"task": task, "task_name": task["name"], "items": {}})
            joined["items"].setdefault(code, {"code": code, "version": version, "name": item.name, "task": task_id})
    views = []
    for form_code in sorted(found):
        version = visit["forms"].get(form_code)
        if version is None:  # a task of a later round joined: its form is frozen by its record or is today's item's
            raise WrongMoment(f"入企检查 {visit['code']} 没有登记表单 {form_code} 的版本。")
        joined = found[form_code]
        owner = visit["organisation"] if joined["task"]["organisation"] in line else joined["task"]["organisation"]
        views.append({**joined, "form": await load_form(form_code, version), "items": list(joined["items"].values()), "owner": owner})
    return views


def _shared(visit: Mapping[str, Any], every: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, shared.Known]]:
    """Which questions the forms of a visit share, and what is known of them."""
    forms = [one["form"] for one in every]
    return shared.shared_names(forms), shared.known_answers(forms, visit["header"].get("shared", {}), records)


async def load_shared_uploads(visit: Mapping[str, Any]) -> set[str]:
    """Numbers of the uploads that shared answers of a visit name: every organisation with a part in it sees them."""
    return _uploads(_shared(visit, await forms_of(visit), await store.load_records_of([visit["id"]]))[1])


def _uploads(known: Mapping[str, shared.Known]) -> set[str]:
    return {str(one) for there in known.values() if isinstance(there.answer, (list, tuple)) for one in there.answer if is_uploaded(str(one))}


def _is_assigned(act: Acting, assigned: Sequence[int | None]) -> bool:
    return act.inspector is not None and act.inspector["id"] in assigned


async def record_arrival(act: Acting, visit_code: str) -> None:
    """Note the arrival before the check; the first one stands."""
    act.require("record.enter")
    async with transaction():
        visit = await visits.lock_visit(visit_code, act.tree)
        assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
        if not _is_assigned(act, assigned):
            raise NotAllowed("您不是这次入企的执法人员，不能登记到场。")
        if visit["arrived_at"]:
            return
        await caps.require_admitted(act, visit)
        await visits.save_arrival(visit["id"], act.now, {**visit["header"], "arrived_by": act.login})
        await act.audit("visit.arrive", visit_code)


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
    overwritten.  Raises BadInput with
    problems by field when a submitted record is not complete.
    """
    act.require("record.enter")
    async with transaction():
        visit = await visits.lock_visit(visit_code, act.tree)
        assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
        if not _is_assigned(act, assigned):
            raise NotAllowed("您不是这次入企的执法人员，不能录入。")
        return await _save(
            act, visit, form_code, recorder=act.inspector["id"], answers=answers, outcomes=outcomes, method=method,
            opinion=opinion, version=version, submit=submit, inspected_on=act.today, seen=seen,
        )  # fmt: skip


async def _save(
    act: Acting, visit: Mapping[str, Any], form_code: str, *, recorder: int, answers: Mapping[str, Any],
    outcomes: Mapping[str, str], method: str, opinion: str, version: int | None, submit: bool, inspected_on: date,
    seen: Mapping[str, str] | None = None,
) -> int:  # fmt: skip
    """`version`: of the record the person saw; None from a file, which never changes a record that is there."""
    every = await forms_of(visit)
    joined = next((j for j in every if j["form"].code == form_code), None)
    if joined is None:
        raise BadInput(f"入企检查 {visit['code']} 没有表单“{form_code}”。")
    form: Form = joined["form"]
    if joined["owner"] not in act.tree:
        raise NotAllowed(f"《{form.title}》是其他单位在这次入企中的表，由该单位的人员填写。")
    rows = await store.load_records_of([visit["id"]])
    records = {r["form_code"]: r for r in rows}
    known = records.get(form_code)
    from_file = version is None
    if from_file:
        if known:
            raise WrongMoment(
                f"入企检查 {visit['code']} 的《{form.title}》已有一份记录（{STATES[known['state']]}）。请从文件中删去这一份；要改已有的记录，请在系统里办理。"
            )
        version = 0
    if (known["version"] if known else 0) != version:
        raise WrongMoment("这份记录刚刚被别人改动过，您填的内容没有保存。请刷新后对照再填。")
    if known and known["state"] not in EDITABLE:
        raise WrongMoment("这份记录已经提交审核，不能再改。审核退回后可以修改。")
    names, there = _shared(visit, every, rows)
    titles = {one["form"].code: one["form"].title for one in every}
    settled = shared.settle(form, titles, names, there, answers, seen, inspected_on, submit=submit)
    if settled.problems and not from_file:
        raise WrongMoment("同一次入企的共用问题，别的表里填得不一样。您填的内容没有保存。", settled.problems)
    cleaned = domain.clean_answers(form, settled.answers, inspected_on)
    wanted = {item["code"] for item in joined["items"]}
    chosen = {code: outcome for code, outcome in outcomes.items() if outcome}
    problems = _check_outcomes(wanted, chosen, joined["items"]) if submit or chosen else []
    if not submit:
        problems = [p for p in problems if "没有选择" not in p.message]
    problems += [*settled.problems, *_check_attached(form, cleaned, await attachments.load_attachments(visit["id"]), names)]
    if submit:
        if method not in METHODS:
            problems.append(Problem("method", "请选择检查方式。"))
        problems += domain.check_answers(form, cleaned, inspected_on)
        if not problems:
            problems += act.sectors.validate_record(_view(visit, joined, form, cleaned, chosen, inspected_on), form)
    if problems:
        raise BadInput(f"《{form.title}》有 {len(problems)} 处需要补充或改正。", problems)
    state = "submitted" if submit else (known["state"] if known else "draft")
    values = {
        "answers": cleaned, "outcomes": chosen, "method": method, "opinion": opinion, "inspected_on": inspected_on,
        "state": state, "recorder": recorder, "entered_by": act.account, "submitted_at": act.now if submit else None,
    }  # fmt: skip
    if known is None:
        values |= {
            "visit": visit["id"], "task": joined["task"]["id"], "organisation": joined["owner"],
            "sector": form.code.split(".")[0], "form_code": form.code, "form_version": form.version,
        }  # fmt: skip
    else:
        values["reviewer"] = None  # a returned record is reviewed afresh
    record = await store.save_record(values, record=known["id"] if known else None, version=version, by=act.account, at=act.now)
    given = {name: {"answer": cleaned.get(name), "form": form_code} for name, answer in settled.changed.items() if answer is None or name in cleaned}
    if given:
        await visits.save_header(visit["id"], {**visit["header"], "shared": {**visit["header"].get("shared", {}), **given}})
    await act.audit(
        "record.submit" if submit else "record.draft", f"{visit['code']}/{form_code}",
        before=_digest(known["answers"]) if known else "", after=_digest(cleaned),
        **({"shared": " ".join(sorted(given))} if given else {}),  # which of them stand for the other forms too
    )  # fmt: skip
    if submit:
        submitted = {code for code, row in records.items() if row["submitted_at"]} | {form_code}
        if visit["state"] == "open" and submitted >= {one["form"].code for one in every}:
            await visits.save_done(visit["id"], act.now)  # every form on it has been submitted
    return record


def _view(visit, joined, form: Form, answers, outcomes, inspected_on: date) -> Record:
    return Record(
        visit=visit["code"], task=joined["task"]["code"], entity=visit["entity_code"], entity_name="",
        items=tuple(item["code"] for item in joined["items"]), answers=answers, outcomes=outcomes, inspected_on=inspected_on,
    )  # fmt: skip


def _check_outcomes(wanted: set[str], chosen: Mapping[str, str], items: Sequence[Mapping[str, Any]]) -> list[Problem]:
    problems = [Problem(f"outcome.{code}", f"这次入企没有检查事项 {code}。") for code in sorted(chosen.keys() - wanted)]
    names = {item["code"]: item["name"] for item in items}
    for code in sorted(wanted):
        if code not in chosen:
            problems.append(Problem(f"outcome.{code}", f"“{names[code]}”没有选择检查结果。"))
        elif chosen[code] not in OUTCOMES:
            problems.append(Problem(f"outcome.{code}", f"“{names[code]}”的检查结果“{chosen[code]}”不在结果清单中。"))
    return problems


def _check_attached(form: Form, answers: Mapping[str, Any], known: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> list[Problem]:
    """An answer may name an upload only where it was made for this form of this visit; a shared one, for that question in any form of it."""
    problems = []
    for field in form.fields():
        rows = answers.get(field.name, []) if field.type == "repeat" else [answers]
        children = field.fields if field.type == "repeat" else (field,)
        for n, row in enumerate(rows if isinstance(rows, list) else [], 1):
            for child in children:
                given = row.get(child.name) if child.type in ATTACHED and isinstance(row, Mapping) else None
                for code in given if isinstance(given, list) else []:
                    made = known.get(code)
                    at_home = made and (made["form_code"] == form.code or made["point"] == child.name and made["form_code"] in names.get(child.name, ()))
                    if is_uploaded(str(code)) and not at_home:
                        problems.append(Problem(child.name, f"“{child.label}”的附件 {code} 不属于这次检查，请重新上传。", n if field.type == "repeat" else 0))
    return problems


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
        for n, row in enumerate(rows, 1):
            try:
                await import_one(act, row)
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


async def import_one(act: Acting, row: Mapping[str, Any]) -> None:
    """One record of a file, in the caller's transaction; Refused where a rule of `save_record` does not hold."""
    visit = await visits.load_visit(row["visit"], act.tree)
    assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
    people = await directory.load_inspectors_by_id({who for who in assigned if who})
    recorder = next((who for who, person in people.items() if person["code"] == row["recorder"]), None)
    if recorder is None:
        raise BadInput(f"“{row['recorder']}”不是入企检查 {row['visit']} 的执法人员。")
    if row["version"] != visit["forms"].get(row["form"], row["version"]):
        raise BadInput(f"入企检查 {row['visit']} 用的是表单 {row['form']} 的 {visit['forms'][row['form']]} 版，文件里是 {row['version']} 版。")
    if row["inspected_on"] > act.today:
        raise BadInput(f"检查日期 {row['inspected_on']} 在今天之后。")
    await _save(
        act, visit, row["form"], recorder=recorder, answers=row["answers"], outcomes=row["outcomes"], method=row["method"],
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

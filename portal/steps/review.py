"""Review: another person than the recorder reads the record, approves it or sends it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain import calendar
from portal.domain import forms as domain
from portal.domain.errors import BadInput, Conflict, NotAllowed, Problem, WrongMoment
from portal.domain.follow_ups import KINDS, counted, due_of
from portal.domain.model import AWAITING, OUTCOMES, FollowUp, Form, Outcome, Record
from portal.steps.acting import Acting
from portal.steps.catalogue import load_form, load_item
from portal.steps.forms import recorders_of
from portal.steps.joined_forms import load_drawn, settled
from portal.store import attachments, directory, draw, plan, visits
from portal.store import records as store
from portal.store.engine import transaction

LONGEST_REMARK = 200  # characters
PUBLISH_WITHIN = 20  # working days after the check is finished (DOMAIN.md R-4)

TO_COME = Outcome(AWAITING, "待检验结果", False, "none")

#: follow-up kind -> how users and the public read it
FOLLOW_UPS = {code: kind.label for code, kind in KINDS.items()}


async def load_review(act: Acting, record_id: int) -> dict[str, Any]:
    """A record as its reviewer sees it: form version followed, answers, versions, proposed follow-ups, clock."""
    act.require("record.read")
    record = await store.load_record(record_id, act.tree)
    opened = await _open(act, record)
    people = await directory.load_inspectors_by_id({record["recorder"]} if record["recorder"] else set())
    due = calendar.due_on(record["inspected_on"], PUBLISH_WITHIN) if record["inspected_on"] else None
    try:
        asked = _asked(act, opened)
    except WrongMoment as fault:  # the sector fails or is gone: what was recorded stays readable
        asked = {"follow_ups": [], "summary": "", "fault": fault.message}
    rows = (await store.load_follow_ups([record["id"]])).get(record["id"], [])
    confirmed = [{**row, "due": due_of(row)} for row in rows]
    return {
        "fault": "", **opened, **asked, "confirmed": confirmed, "versions": await store.load_versions(record["id"]), "recorder": people.get(record["recorder"]),
        "papers": (await attachments.load_paper_copies(record["visit"])).get(record["form_code"], []), "returns": await store.load_remarks(record["id"]),
        "shown": domain.visible(opened["form"], record["answers"], record["inspected_on"]),
        "due_on": due, "left": calendar.workdays_left(act.today, due),
        "may_review": act.may("record.review") and act.account not in (await recorders_of([record]))[record["id"]],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """What reviewing some records asks for, read once for all of them: visits and tasks by id, entities by code, tasks of visits, holders of sites or objects."""

    visits: Mapping[int, Mapping[str, Any]]
    entities: Mapping[str, Mapping[str, Any]]
    carried: Mapping[int, Sequence[int]]
    tasks: Mapping[int, Mapping[str, Any]]
    holding: Collection[str]


async def _load_desk(records: Sequence[Mapping[str, Any]]) -> Desk:
    found = await visits.load_visits_by_id({record["visit"] for record in records})
    carried = await visits.load_tasks_of_visits(found)
    tasks = await plan.load_tasks_by_id({task for several in carried.values() for task in several})
    holding = await directory.load_holding({visit["holder"] for visit in found.values()})
    return Desk(found, await directory.load_entities({visit["entity_code"] for visit in found.values()}), carried, tasks, holding)


async def _open(act: Acting, record: Mapping[str, Any], desk: Desk | None = None) -> dict[str, Any]:
    """What reviewing a record needs, and no more: a round's thousands are opened one by one, from one `desk` a page."""
    desk = desk or await _load_desk([record])
    form = await load_form(record["form_code"], record["form_version"])
    visit = desk.visits[record["visit"]]
    entity = desk.entities[visit["entity_code"]]
    carried = [desk.tasks[task] for task in sorted(set(desk.carried.get(visit["id"], ())))]
    task = next(row for row in carried if row["id"] == record["task"])
    items = {code: await _item(visit, carried, code) for code in record["outcomes"]}
    given = settled(record["outcomes"])
    first = next((item.form for item in items.values() if item.later_form == record["form_code"]), "")
    before = next((one["answers"] for one in await store.load_records_of([visit["id"]]) if first and one["form_code"] == first), {})
    drawn = await load_drawn(visit) if visit["holder"] in desk.holding else {}
    view = Record(
        visit=visit["code"], task=task["code"], entity=visit["entity_code"], entity_name=entity["name"],
        items=tuple(record["outcomes"]), answers=record["answers"], outcomes=given, inspected_on=record["inspected_on"],
        before=before, drawn=tuple(drawn),
    )  # fmt: skip
    return {
        "record": record, "form": form, "visit": visit, "task": task, "drawn": drawn, "carried": carried, "entity": entity,
        "items": {code: {"name": item.name, "outcome": OUTCOMES.get(record["outcomes"][code], TO_COME)} for code, item in items.items()},
        "view": view,
    }  # fmt: skip


def _asked(act: Acting, opened: Mapping[str, Any]) -> dict[str, Any]:
    """What the record's sector says of it. WrongMoment naming the sector."""
    view, form = opened["view"], opened["form"]
    return {"follow_ups": proposed_follow_ups(act, view, form), "summary": act.sectors.public_summary(view, form)}


async def _item(visit: Mapping[str, Any], carried: Sequence[Mapping[str, Any]], code: str):
    for task in carried:
        for item, version in plan.items_of(task):
            if item == code:
                return await load_item(code, version)
    raise WrongMoment(f"入企检查 {visit['code']} 没有事项 {code}。")


def proposed_follow_ups(act: Acting, view: Record, form) -> list[FollowUp]:
    """What the sector proposes, else the default of each outcome; none twice."""
    proposed = act.sectors.suggest_follow_up(view, form)
    if not proposed:
        kinds = sorted({OUTCOMES[outcome].follow_up for outcome in view.outcomes.values()})
        proposed = [FollowUp(kind) for kind in kinds]
    real = [f for f in proposed if f.kind != "none"]
    return list(dict.fromkeys(real))


async def review_record(
    act: Acting, record_id: int, *, approve: bool, comment: str, version: int, remarks: Mapping[str, str] | None = None
) -> None:
    """Approve or return one submitted record. The recorder, and who entered it, cannot.

    Approval splits the outcomes back to items and confirms the follow-ups, in the
    same transaction; a returned record needs a comment, and may have one at each point (`remarks`).
    """
    act.require("record.review")
    async with transaction():
        record = await store.lock_record(record_id, act.tree)
        if act.account in (await recorders_of([record]))[record["id"]]:
            raise NotAllowed("记录人不能审核自己录入的记录，请另一位审核员办理。")
        await _review(act, record, approve=approve, comment=comment, version=version, remarks=remarks)


async def _review(
    act: Acting, record: Mapping[str, Any], *, approve: bool, comment: str, version: int, remarks: Mapping[str, str] | None = None, desk: Desk | None = None
) -> None:
    """One record that is held, by somebody who had no part in it."""
    if record["state"] != "submitted":
        raise WrongMoment("这份记录不在待审核状态，可能已被别人审核。请刷新后再看。")
    if record["version"] != version:
        both = [("记录的版本", f"第 {version} 版", f"第 {record['version']} 版")]
        raise Conflict("这份记录刚刚被改动过，您看到的不是最新内容。请看过这一页上最新的内容再审核。", both)
    if not approve and not comment.strip():
        raise BadInput("退回记录要写明意见，录入人能看到。", [Problem("comment", "退回时要写明意见。")])
    opened = await _open(act, record, desk)
    said = {point: note.strip() for point, note in (remarks or {}).items() if note.strip()}
    _check_remarks(said, approve, opened["form"])
    opened |= _asked(act, opened) if approve else {}
    state = "approved" if approve else "returned"
    await store.save_record_state(
        record["id"], version, state=state, reviewer=act.account, reviewed_at=act.now, comment=comment.strip()
    )
    if approve:
        await _split_back(act, record, opened)
    else:
        await store.save_remarks(record["id"], record["version"], {**said, "": comment.strip()}, act.account, act.now)
    await act.audit(f"record.{'approve' if approve else 'return'}", f"{opened['visit']['code']}/{record['form_code']}", comment=comment.strip())


def _check_remarks(remarks: Mapping[str, str], approve: bool, form: Form) -> None:
    if remarks and approve:
        raise BadInput("逐项意见是退回时写给录入人的。通过的记录请删去逐项意见，或者改为退回。", [Problem("decision", "写了逐项意见，不能通过。")])
    known = {field.name for field in form.fields()}
    problems = [Problem(f"remark.{point}", "表单里没有这一项，请刷新后再填。") for point in sorted(remarks.keys() - known)]
    problems += [Problem(f"remark.{point}", f"意见有 {len(note)} 个字，最多 {LONGEST_REMARK} 个。") for point, note in remarks.items() if len(note) > LONGEST_REMARK]
    if problems:
        raise BadInput("逐项意见没有保存，请按提示修改。", problems)


async def _split_back(act: Acting, record: Mapping[str, Any], opened: Mapping[str, Any]) -> None:
    versions: dict[str, tuple[str, int]] = {}
    for task in opened["carried"]:
        for item, version in plan.items_of(task):
            # an item asked for by several tasks counts for the one drawn for it first
            if item not in versions or task["item_code"] == item:
                versions[item] = (version, task["id"])
    await store.save_findings(
        [
            {
                "record": record["id"], "visit": record["visit"], "task": versions[item][1], "item_code": item,
                "item_version": versions[item][0], "entity_code": opened["visit"]["entity_code"], "outcome": outcome,
                "summary": opened["summary"], "inspected_on": record["inspected_on"],
            }
            for item, outcome in sorted(settled(record["outcomes"]).items())
        ]
    )  # fmt: skip
    rows = []
    for follow_up in opened["follow_ups"]:
        # What counts from a report has no day before the report is in (follow_ups.answer_follow_up).
        start = {"inspected": record["inspected_on"], "ordered": act.today}.get(follow_up.counts_from)
        known = {"record": record["id"], "kind": follow_up.kind, "note": follow_up.note, "confirmed_by": act.account, "confirmed_at": act.now}
        rows.append(known | counted(follow_up.due_working_days or KINDS[follow_up.kind].clock, start))
    await store.save_follow_ups(rows)


async def review_round(act: Acting, round_code: str) -> dict[str, int]:
    """Approve all submitted records of a round that this reviewer may review; counts of done and left out."""
    act.require("record.review")
    round_ = await draw.load_round(round_code, act.line)
    done = skipped = 0
    async with transaction():
        await store.lock_records(act.tree, ["submitted"], round_["id"])
        after = 0
        while page := await store.load_record_page(act.tree, ["submitted"], after=after, limit=500, round_=round_["id"]):
            after = page[-1]["id"]
            barred = await recorders_of(page)
            desk = await _load_desk(page)
            for record in page:
                if act.account in barred[record["id"]]:
                    skipped += 1
                    continue
                await _review(act, record, approve=True, comment="", version=record["version"], desk=desk)
                done += 1
    if not done and skipped:
        raise NotAllowed(f"轮次 {round_code} 的 {skipped} 份记录都是您录入的，不能自己审核。")
    if not done:
        raise WrongMoment(f"轮次 {round_code} 没有待审核的记录。")
    return {"approved": done, "skipped": skipped}

"""An open combined visit is split for a reason: some of its tasks get a visit of their own, on another day.

One more time at somebody's door has to be answered for: the reason stays with both visits, the caps
are asked as for any other visit, and what combining saved is counted without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.errors import BadInput, NotAllowed, Problem, WrongMoment
from portal.domain.packing import pack
from portal.domain.splitting import last_day, settle_items
from portal.steps import caps
from portal.steps.acting import Acting
from portal.steps.assign import assign_split
from portal.steps.catalogue import load_item
from portal.steps.joined_forms import Errand, load_errand
from portal.store import accounts, directory, draw, plan, records, year
from portal.store import documents as document_store
from portal.store import visits as store
from portal.store.engine import transaction
from portal.store.locks import hold

__all__ = ["LONGEST", "load_split", "split_visit"]

LONGEST = 200  # characters of a reason


@dataclass(frozen=True, slots=True)
class _Parting:
    """`left_out`: (task, item) that the other visit answers; `forms`: form -> version of what stays and of what goes."""

    tasks: tuple[int, ...]
    left_out: list[tuple[str, str]]
    kept_forms: dict[str, str]
    new_forms: dict[str, str]
    last: date


async def load_split(act: Acting, visit_code: str, tasks: Sequence[str] = (), on: date | None = None) -> dict[str, Any]:
    """What splitting would do, nothing kept: visit, entity, inspectors, tasks [{"code", "name", "department", "items", "chosen"}], and of chosen
    tasks "parting" and "refused" (why they cannot be split off), None each where nothing is chosen.
    """
    act.require("visits.split")
    visit = await store.load_visit(visit_code, act.tree)
    errand = await load_errand([visit])
    assigned = (await store.load_assigned([visit["id"]])).get(visit["id"], [])
    people = await directory.load_inspectors_by_id({who for who in assigned if who})
    carried = [errand.tasks[one] for one in errand.carried.get(visit["id"], ())]
    parting, refused = None, None
    if tasks:
        try:
            await _require_splittable(act, visit, assigned)
            parting = await _part(act, visit, errand, tasks, on or visit["day"])
        except (BadInput, WrongMoment, NotAllowed) as why:
            refused = why
    return {
        "visit": visit, "entity": (await directory.load_entities([visit["entity_code"]])).get(visit["entity_code"]), "inspectors": [people.get(who) for who in assigned],
        "tasks": [
            {
                "code": task["code"], "name": task["name"], "department": task["department"], "chosen": task["code"] in tasks,
                "items": [
                    (await load_item(*item)).name for item in plan.items_of(task) if (task["id"], visit["entity_code"], item[0]) not in errand.left_out
                ],
            }
            for task in sorted(carried, key=lambda task: task["code"].encode())
        ],
        "parting": parting, "refusal": refused, "on": on or visit["day"],
    }  # fmt: skip


async def split_visit(act: Acting, visit_code: str, tasks: Sequence[str], reason: str, on: date) -> dict[str, Any]:
    """Give these tasks (codes) of an open visit a visit of their own on a day, with the reason; {"visit": its code, "again"}.

    Who was assigned stays so for both; a round not assigned yet draws people for both. The same once more gives what was
    made. Raises WrongMoment once a record was submitted or a notice issued, NotAllowed for whoever goes there himself.
    """
    act.require("visits.split")
    reason = reason.strip()
    problems = [] if reason else [Problem("reason", "请写明分开的原因，例如“特种设备检验人员当日不能到场”。")]
    if len(reason) > LONGEST:
        problems.append(Problem("reason", f"原因有 {len(reason)} 个字，最多 {LONGEST} 个。"))
    if not tasks:
        problems.append(Problem("task", "请选择要分出去的任务。"))
    if problems:
        raise BadInput("入企没有分开，请按提示修改。", problems)
    seen = await store.load_visit(visit_code, act.tree)
    carried = (await store.load_tasks_of_visits([seen["id"]])).get(seen["id"], ())
    homes = {seen["round"], *await draw.load_rounds_of(carried)}
    async with transaction():
        await hold("round", *homes)
        rounds = [row for _, row in sorted((await draw.load_rounds_by_id(homes)).items())]
        await hold("combining")
        visit = await store.lock_visit(visit_code, act.tree)
        if known := await _made_before(act, visit, tasks, reason):
            return {"visit": known, "again": True}
        assigned = (await store.load_assigned([visit["id"]])).get(visit["id"], [])
        await _require_splittable(act, visit, assigned)
        errand = await load_errand([visit])
        parting = await _part(act, visit, errand, tasks, on)
        code, part = await _next_part(visit)
        await _require_admitted(act, visit, code, errand, parting, on)
        links = (await store.load_links([visit["id"]]))[visit["id"]]
        await store.save_visits(
            [{
                **{name: visit[name] for name in ("round", "organisation", "entity_code", "holder", "site", "town")},
                "code": code, "day": on, "state": "open", "forms": pack(parting.new_forms), "header": "{}", "version": 1, "part": part,
                "split_of": visit["id"], "split_reason": reason, "split_by": act.account, "split_at": act.now,
            }],
            [(code, task, organisation) for task, organisation in links if task in parting.tasks],
        )  # fmt: skip
        said = f"另行入企（{code}），原因：{reason}"
        await store.save_closings([
            {"round": visit["round"], "visit": visit["id"], "task": one, "status": store.SPLIT, "reason": said, "at": act.now} for one in parting.tasks
        ])  # fmt: skip
        ids = {task["code"]: task["id"] for task in errand.tasks.values()}
        await year.save_dismissals([
            {
                "round": visit["round"], "task": ids[task], "code": visit["entity_code"], "item_code": item, "rule": "split", "at": act.now,
                "reason": "入企分开进行，这一事项由另一次入企检查，不查两次。",
            }
            for task, item in parting.left_out
        ])  # fmt: skip
        await store.replace_forms(visit["id"], parting.kept_forms)
        runs = await assign_split(act, rounds, visit, code)
        await act.audit(
            "visits.split", visit_code, after=code, tasks=sorted(tasks), on=on.isoformat(), reason=reason, assignment=runs,
        )  # fmt: skip
    return {"visit": code, "again": False}


async def _made_before(act: Acting, visit: Mapping[str, Any], tasks: Sequence[str], reason: str) -> str:
    """The visit that the same person split off with the same tasks and reason: a second click."""
    for one in await store.load_parts(visit["id"]):
        if one["split_by"] == act.account and one["split_reason"] == reason:
            carried = (await store.load_tasks_of_visits([one["id"]])).get(one["id"], [])
            if {task["code"] for task in (await plan.load_tasks_by_id(carried)).values()} == set(tasks):
                return one["code"]
    return ""


async def _require_splittable(act: Acting, visit: Mapping[str, Any], assigned: Sequence[int | None]) -> None:
    if visit["organisation"] not in act.tree:
        names = {one["id"]: one["name"] for one in await accounts.load_organisations()}
        raise NotAllowed(f"这次入企由{names[visit['organisation']]}安排，不能由您分开。")
    if act.inspector is not None and act.inspector["id"] in assigned:
        raise NotAllowed("您是这次入企的执法人员，不能自己决定分两次去，请由计划员或所队负责人办理。")
    if visit["state"] != "open":
        raise WrongMoment(f"入企检查 {visit['code']} 已经{'办结' if visit['state'] == 'done' else '不再进行'}，不能分开。")
    submitted = [row for row in await records.load_records_of([visit["id"]]) if row["submitted_at"]]
    if submitted:
        raise WrongMoment(f"入企检查 {visit['code']} 已有记录提交，检查已经进行，不能再分开。")
    if standing := await document_store.load_live_of(visit["id"], "notice"):
        raise WrongMoment(f"检查通知书 {standing['number']} 已经写明本次入企的全部事项。请先由另一人作废，分开后各发一份。")


async def _part(act: Acting, visit: Mapping[str, Any], errand: Errand, chosen: Sequence[str], on: date) -> _Parting:
    """The tasks that go and what each visit is left with; BadInput or WrongMoment where they cannot."""
    by_code = {errand.tasks[one]["code"]: errand.tasks[one] for one in errand.carried.get(visit["id"], ())}
    if strange := sorted(set(chosen) - by_code.keys()):
        raise BadInput(f"入企检查 {visit['code']} 没有任务“{strange[0][:40]}”。请刷新后再选。", [Problem("task", "这项任务不在本次入企中。")])
    if set(chosen) == by_code.keys():
        raise BadInput("至少要留一项任务。全部改期的，不用分开。", [Problem("task", f"本次入企有 {len(by_code)} 项任务，不能全部分出去。")])

    def items_of(codes: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        return {
            code: [one for one in plan.items_of(by_code[code]) if (by_code[code]["id"], visit["entity_code"], one[0]) not in errand.left_out]
            for code in codes
        }

    moved, kept = items_of(sorted(set(chosen))), items_of(sorted(by_code.keys() - set(chosen)))
    left = settle_items(*({task: [item for item, _ in items] for task, items in side.items()} for side in (kept, moved)))
    last = last_day(act.today, [by_code[code]["window_to"] for code in moved])
    if not act.today <= on <= last:
        raise BadInput(f"入企日期 {on} 应在 {act.today} 到 {last} 之间。", [Problem("on", "不能早于今天，也不能晚于任务的截止日。")])
    new_forms = await _forms_of(visit, moved, left)
    started = [row["form_code"] for row in await records.load_records_of([visit["id"]]) if row["form_code"] in new_forms]
    if started:
        raise WrongMoment(f"表单 {started[0]} 在本次入企中已经有草稿，它的任务不能再分出去。")
    return _Parting(tuple(by_code[code]["id"] for code in moved), left, await _forms_of(visit, kept, left), new_forms, last)


async def _forms_of(visit: Mapping[str, Any], side: Mapping[str, Sequence[tuple[str, str]]], left: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The forms that one side asks for, in the versions frozen when the visit was made (尽职照单免责)."""
    codes = set()
    for task, items in side.items():
        for code, version in items:
            if (task, code) not in left:
                item = await load_item(code, version)
                codes |= {item.form, item.later_form} - {""}
    return {code: version for code, version in visit["forms"].items() if code in codes}


async def _next_part(visit: Mapping[str, Any]) -> tuple[str, int]:
    """(code, part) of the next visit split off here: the first visit's code with the part's number."""
    root = visit
    while root["split_of"] is not None:
        root = (await store.load_visits_by_id([root["split_of"]]))[root["split_of"]]
    part = 1 + max(one["part"] for one in await store.load_visits_at(visit["holder"], visit["site"]) if one["state"] == "open" or one["round"] == visit["round"])
    return f"{root['code']}-{part}", part


async def _require_admitted(act: Acting, visit: Mapping[str, Any], code: str, errand: Errand, parting: _Parting, on: date) -> None:
    """WrongMoment where the part would be one visit too many for a cap: splitting is no way around them."""
    limits = await caps.load_limits(act, act.today, without_visit=visit["code"])
    left = {*parting.left_out}
    stays, goes = [], []
    for number in errand.carried[visit["id"]]:
        task = errand.tasks[number]
        side, day, name = (goes, on, code) if number in parting.tasks else (stays, visit["day"], visit["code"])
        for item, _ in plan.items_of(task):
            if (number, visit["entity_code"], item) not in errand.left_out and (task["code"], item) not in left:
                side.append(limits.event(task, item, visit["holder"], day, name, drawn=item == task["item_code"]))
    caps.require_room(limits, visit["holder"], stays, goes)

"""What a station arranges of a visit that was sent to it: another day, and who must stay away from it.

Who was drawn and what is checked stay as they are. A place that a recusal empties is filled again by the round's own secrets
(`assign.refill_slots`, DRAW.md section 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from portal.domain.errors import BadInput, NotAllowed, Problem, WrongMoment
from portal.domain.splitting import last_day
from portal.steps import caps
from portal.steps.acting import Acting
from portal.steps.joined_forms import load_errand
from portal.store import accounts, directory, draw, plan, records
from portal.store import documents as document_store
from portal.store import visits as store
from portal.store.engine import transaction
from portal.store.locks import hold

__all__ = ["LONGEST", "load_arranging", "recuse", "reschedule"]

LONGEST = 200  # characters of a reason


async def load_arranging(act: Acting, visit_code: str) -> dict[str, Any]:
    """The visit with what may be changed: {visit, entity, people [assigned inspectors], first, last (days it may be set for), moves,
    refused_day (why it can be given no other day, or None)}.
    """
    act.require("visits.read")
    visit = await store.load_visit(visit_code, act.tree)
    assigned = (await store.load_assigned([visit["id"]])).get(visit["id"], [])
    people = await directory.load_inspectors_by_id({who for who in assigned if who})
    refused = None
    try:
        await _require_movable(act, visit, assigned)
    except (WrongMoment, NotAllowed) as why:
        refused = why
    first, last = await _window(act, visit)
    return {
        "visit": visit, "entity": (await directory.load_entities([visit["entity_code"]])).get(visit["entity_code"]),
        "people": [people[who] for who in assigned if who], "first": first, "last": last, "moves": await store.load_moves(visit["id"]), "refused_day": refused,
    }  # fmt: skip


async def reschedule(act: Acting, visit_code: str, on: date, reason: str) -> bool:
    """Give an open visit another day within the windows of its round and tasks, with the reason; False where it is on that day already (a second click).

    Raises WrongMoment once somebody arrived, a record was submitted, a notice that names the day stands, or a cap would be passed
    on that day; NotAllowed for whoever goes there himself.
    """
    act.require("visits.reschedule")
    reason = _require_reason(reason, "改期的原因，例如“该企业当日停业”")
    async with transaction():
        await hold("combining")
        visit = await store.lock_visit(visit_code, act.tree)
        if visit["day"] == on:
            return False
        assigned = (await store.load_assigned([visit["id"]])).get(visit["id"], [])
        await _require_movable(act, visit, assigned)
        first, last = await _window(act, visit)
        if not first <= on <= last:
            raise BadInput(f"入企日期 {on} 应在 {first} 到 {last} 之间。", [Problem("on", "不能早于今天，也要在本轮和任务的检查期限内。")])
        await _require_admitted(act, visit, on)
        await store.save_move({"visit": visit["id"], "day_from": visit["day"], "day_to": on, "reason": reason, "by": act.account, "at": act.now})
        await act.audit("visits.reschedule", visit_code, before=visit["day"].isoformat(), after=on.isoformat(), reason=reason)
    return True


async def recuse(act: Acting, visit_code: str, inspector_code: str, reason: str, *, field: str = "reason") -> bool:
    """Put on record that an inspector assigned to a visit stays away from its entity, from today on; False where that is on record.

    An inspector may say so of himself, who arranges visits of anybody on them (回避，行政处罚法第四十三条). Raises WrongMoment once he
    submitted a record of this visit. `field`: what the reason is called where it was typed.
    """
    act.require("visits.recuse")
    reason = _require_reason(reason, "回避的理由，例如“与法定代表人有近亲属关系”", field)
    async with transaction():
        visit = await store.lock_visit(visit_code, act.tree)
        assigned = (await store.load_assigned([visit["id"]])).get(visit["id"], [])
        people = await directory.load_inspectors_by_id({who for who in assigned if who})
        person = next((one for one in people.values() if one["code"] == inspector_code), None)
        if person is None:
            raise BadInput(f"“{inspector_code[:40]}”不是这次入企的执法人员。", [Problem("inspector", "请在这次入企的执法人员中选择。")])
        own = act.inspector is not None and act.inspector["id"] == person["id"]
        if not own and not act.may("visits.reschedule"):
            raise NotAllowed(f"您只能申报自己回避；{person['name']}的回避由本人、所队负责人或计划员申报。")
        if visit["state"] != "open":
            raise WrongMoment(f"入企检查 {visit_code} 已经{'办结' if visit['state'] == 'done' else '不再进行'}，不用再申报。")
        if any(row["recorder"] == person["id"] and row["submitted_at"] for row in await records.load_records_of([visit["id"]])):
            raise WrongMoment(f"{person['name']}已经提交了这次入企的记录。应当回避而没有回避的，请由审核员退回记录，并按规定处理。")
        if (person["id"], visit["entity_code"]) in await directory.load_recusals([person["id"]], act.today):
            return False
        await directory.save_recusal(person["id"], visit["entity_code"], reason, act.today, act.account, act.now)
        await act.audit("visits.recuse", visit_code, inspector=inspector_code, entity=visit["entity_code"])
    return True


def _require_reason(reason: str, wanted: str, field: str = "reason") -> str:
    reason = reason.strip()
    if not reason:
        raise BadInput("没有办理，请按提示修改。", [Problem(field, f"请写明{wanted}。")])
    if len(reason) > LONGEST:
        raise BadInput("没有办理，请按提示修改。", [Problem(field, f"有 {len(reason)} 个字，最多 {LONGEST} 个。")])
    return reason


async def _require_movable(act: Acting, visit: Mapping[str, Any], assigned: Sequence[int | None]) -> None:
    code = visit["code"]
    if visit["organisation"] not in act.tree:
        names = {one["id"]: one["name"] for one in await accounts.load_organisations()}
        raise NotAllowed(f"这次入企由{names[visit['organisation']]}安排，不能由您改期。")
    if act.inspector is not None and act.inspector["id"] in assigned:
        raise NotAllowed("您是这次入企的执法人员，不能自己改期，请由计划员或所队负责人办理。")
    if visit["state"] != "open":
        raise WrongMoment(f"入企检查 {code} 已经{'办结' if visit['state'] == 'done' else '不再进行'}，不能改期。")
    if visit["arrived_at"] or any(row["submitted_at"] for row in await records.load_records_of([visit["id"]])):
        raise WrongMoment(f"入企检查 {code} 已经到场或者已有记录提交，不能再改期。")
    if standing := await document_store.load_live_of(visit["id"], "notice"):
        raise WrongMoment(f"检查通知书 {standing['number']} 已经写明入企日期。请先由另一人作废，改期后再发。")


async def _window(act: Acting, visit: Mapping[str, Any]) -> tuple[date, date]:
    """The days the visit may be set for: none before today, none outside the period its round made known or the window of one of its tasks."""
    carried = (await store.load_tasks_of_visits([visit["id"]])).get(visit["id"], [])
    windows = [(await draw.load_rounds_by_id([visit["round"]]))[visit["round"]], *(await plan.load_tasks_by_id(carried)).values()]
    last = last_day(act.today, [one["window_to"] for one in windows])
    return min(max([act.today, *(one["window_from"] for one in windows)]), last), last


async def _require_admitted(act: Acting, visit: Mapping[str, Any], on: date) -> None:
    """WrongMoment where the visit would pass a cap on that day: moving is no way around them."""
    limits, errand = await caps.load_limits(act, act.today, without_visit=visit["code"]), await load_errand([visit])
    events = [
        limits.event(errand.tasks[number], item, visit["holder"], on, visit["code"], drawn=item == errand.tasks[number]["item_code"])
        for number in errand.carried.get(visit["id"], ()) for item, _ in plan.items_of(errand.tasks[number])
        if (number, visit["entity_code"], item) not in errand.left_out
    ]  # fmt: skip
    caps.require_room(limits, visit["holder"], [], events, "改期")

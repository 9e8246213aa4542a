"""After the draw: one visit per (holder, site), with a provisional day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from portal.domain import calendar
from portal.domain.errors import WrongMoment
from portal.domain.packing import pack
from portal.domain.visits import Combined, Place, combine, plan_days
from portal.steps import caps
from portal.steps.acting import Acting
from portal.steps.catalogue import load_item
from portal.steps.stations import load_towns
from portal.store import accounts, directory, draw, plan, records, year
from portal.store import visits as store
from portal.store.engine import transaction


async def combine_visits(act: Acting, round_code: str) -> dict[str, Any]:
    """Make the round's visits once; asking again returns the same counts."""
    act.require("visits.combine")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        if round_["state"] not in ("drawn", "revealed", "external"):
            raise WrongMoment(f"轮次 {round_code} 还没有抽取，不能合并入企。")
        if await store.is_combined(round_["id"]):
            return {**await load_summary(round_), "again": True}
        made = await dispatch_picks(act, round_, await draw.load_picks(round_["id"]))
        await act.audit(
            "visits.combine", round_code, visits=len(made.combined.visits), joined=len(made.combined.joined), avoided=made.combined.avoided,
            dismissed=len(made.dismissed),
        )  # fmt: skip
    return {**await load_summary(round_), "again": False}


async def dispatch_picks(act: Acting, round_: Mapping[str, Any], picks: Sequence[Mapping[str, Any]]) -> caps.Dispatched:
    """Picks become visits, or join open ones, as far as the caps let them; in the caller's transaction."""
    combined, tasks, organisations, earlier = await _combine(act, round_, picks)
    planned = plan_days(combined.visits, working_days(max(round_["window_from"], act.today), round_["window_to"]))
    limits = await caps.load_limits(act, act.today)
    riders = {code: [item for item, _ in plan.items_of(task)[1:]] for code, task in tasks.items()}
    sent = caps.dispatch(limits, combined, tasks, riders, planned, earlier)
    combined, days = sent.combined, planned
    left_out = {(task, code, item) for task, code, item, _ in sent.dismissed if item}
    forms = await _forms(act, tasks)
    await _require_unfinished(combined, forms, earlier, left_out)
    rows = [
        {
            "code": visit.id, "round": round_["id"], "organisation": organisations[visit.place.station],
            "entity_code": visit.place.code, "holder": visit.place.holder, "site": visit.place.site,
            "town": visit.place.town, "day": days[visit.id], "state": "open",
            "forms": pack(_joined_forms(forms, visit.tasks, visit.place.code, left_out)), "header": "{}", "version": 1,
        }
        for visit in combined.visits
    ]  # fmt: skip
    links = [(v.id, task, v.place.code) for v in combined.visits for task in v.tasks]
    carried = await store.load_tasks_of_visits([earlier[code]["id"] for code in combined.joined])
    links += [
        (code, task, earlier[code]["entity_code"]) for code, names in combined.joined.items() for task in names
        if tasks[task]["id"] not in carried.get(earlier[code]["id"], ())  # another entry of the same task at the same place
    ]  # fmt: skip
    for code, names in combined.joined.items():
        await store.save_forms(code, _joined_forms(forms, names, earlier[code]["entity_code"], left_out))
    await store.save_visits(rows, [(code, tasks[task]["id"], one) for code, task, drawn in links for one in _owners(tasks[task], drawn, left_out)])
    await year.save_dismissals([
        {
            "round": round_["id"], "task": tasks[task]["id"], "code": code, "item_code": item, "rule": refusal.rule,
            "reason": refusal.sentence, "at": act.now,
        }
        for task, code, item, refusal in sent.dismissed
    ])  # fmt: skip
    return sent


def _owners(task: Mapping[str, Any], drawn: str, left_out: Collection[tuple[str, str, str]]) -> list[int]:
    """The organisations that check something for a task at one place, that of its own item first: each sends its people."""
    return list(dict.fromkeys(owner for item, owner in plan.owners_of(task).items() if (task["code"], drawn, item) not in left_out))


async def load_places(codes: Collection[str], act: Acting | None = None) -> dict[str, Place]:
    """Where entries of the directory are; for somebody who plans, the town is the street of the address where the register has none.

    WrongMoment where an entry is missing.
    """
    entities = await directory.load_entities(codes)
    lost = sorted(set(codes) - entities.keys())
    if lost:
        raise WrongMoment(f"名录中找不到抽中的 {lost[0]} 等 {len(lost)} 户。请恢复名录后再办理。")
    stations = {o["id"]: o["code"] for o in await accounts.load_organisations()}
    towns = await load_towns(act, entities) if act else {}
    return {
        code: Place(code, row["holder"], row["site"], stations[row["organisation"]], row["town"] or towns.get(code, ""))
        for code, row in entities.items()
    }  # fmt: skip


async def _combine(act: Acting, round_: Mapping[str, Any], picks: Sequence[Mapping[str, Any]]) -> tuple[Combined, dict[str, dict[str, Any]], dict[str, int], dict[str, dict[str, Any]]]:
    by_id = await plan.load_tasks_by_id({pick["task"] for pick in picks})
    places = await load_places({pick["code"] for pick in picks}, act)
    earlier = await store.lock_open_visits({place.holder for place in places.values()})
    open_visits = {(visit["holder"], visit["site"]): visit["code"] for visit in earlier}
    combined = combine(round_["code"], [(by_id[p["task"]]["code"], p["code"]) for p in picks], places, open_visits)
    # Somebody visited already comes again for a task in which he takes the place of another: a visit of its own number.
    taken = await store.load_codes_of(round_["id"])
    named = tuple(replace(visit, id=f"{visit.id}_2") if visit.id in taken else visit for visit in combined.visits)
    tasks = {task["code"]: task for task in by_id.values()}
    organisations = {o["code"]: o["id"] for o in await accounts.load_organisations()}
    return replace(combined, visits=named), tasks, organisations, {visit["code"]: visit for visit in earlier}


async def _forms(act: Acting, tasks: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """task -> {item: its forms, code and version}: the versions in force now stay with the visits (尽职照单免责)."""
    of_task: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for code, task in tasks.items():
        items = [await load_item(*item) for item in plan.items_of(task)]
        of_task[code] = {item.code: [(form, act.sectors.form(form).version) for form in (item.form, item.later_form) if form] for item in items}
    return of_task


async def _require_unfinished(
    combined: Combined, of_task: Mapping[str, Mapping[str, Sequence[tuple[str, str]]]], earlier: Mapping[str, Mapping[str, Any]],
    left_out: Collection[tuple[str, str, str]],
) -> None:  # fmt: skip
    """WrongMoment where a task would add an item to a form whose record was submitted: nobody could answer it any more.

    An item that stands in such a record has been answered, and its later form is that record's affair.
    """
    rows = await records.load_records_of([earlier[code]["id"] for code in combined.joined])
    closed = {(row["visit"], row["form_code"]): row["outcomes"] for row in rows if row["state"] not in ("draft", "returned")}
    late = [
        (code, form)
        for code, names in combined.joined.items()
        for task in names
        for item, of_item in of_task[task].items()
        if (task, earlier[code]["entity_code"], item) not in left_out and item not in closed.get((earlier[code]["id"], of_item[0][0]), ())
        for form, _ in of_item
        if item not in closed.get((earlier[code]["id"], form), {item})
    ]
    if late:
        code, form = late[0]
        raise WrongMoment(
            f"入企检查 {code} 等 {len({one for one, _ in late})} 次入企还没有办完，表单 {form} 的记录已经提交，新任务的事项加不进去。"
            "请先把这些入企其余的表单提交，或者由审核退回那份记录，再合并。"
        )


def _joined_forms(
    of_task: Mapping[str, Mapping[str, Sequence[tuple[str, str]]]], tasks: Sequence[str], code: str, left_out: Collection[tuple[str, str, str]]
) -> dict[str, str]:
    return dict(form for task in tasks for item in of_task[task] if (task, code, item) not in left_out for form in of_task[task][item])


def working_days(first: date, last: date) -> list[date]:
    """The window's working days; where none is left or the year is not published, its weekdays, else its last day."""
    span = [first + timedelta(days=n) for n in range(max((last - first).days + 1, 1))]
    try:
        days = [day for day in span if calendar.is_workday(day)]
    except WrongMoment:
        days = [day for day in span if day.weekday() < 5]
    return days or [last]


async def count_dismissed(round_: Mapping[str, Any], picks: Sequence[Mapping[str, Any]]) -> int:
    """How many of these picks the caps kept from being visited."""
    worked = {(pick["task"], pick["code"]) for pick in picks}
    return sum(not row["item_code"] and (row["task"], row["code"]) in worked for row in await year.load_dismissals(round_["id"]))


async def load_summary(round_: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of a combined round: picks, dismissed (picks the caps forbade), visits, avoided, parts (visits split off another: they are among
    the visits and nothing avoided), most, sizes {tasks: visits}, towns {town: visits}.

    Whoever was struck and replaced is in none of them.
    """
    picks = await draw.load_picks(round_["id"])
    dismissed = await count_dismissed(round_, picks)
    codes = {row["task"] for row in await draw.load_round_tasks(round_["id"])}
    visits = await store.load_visits_of(round_["id"])
    carried = await store.load_tasks_of_visits([visit["id"] for visit in visits])
    sizes: dict[int, int] = {}
    towns: dict[str, int] = {}
    for visit in visits:
        own = len(codes & set(carried.get(visit["id"], ())))
        sizes[own] = sizes.get(own, 0) + 1
        towns[visit["town"] or "未分镇街"] = towns.get(visit["town"] or "未分镇街", 0) + 1
    return {
        "picks": len(picks),
        "dismissed": dismissed,
        "visits": len(visits),
        "avoided": len(picks) - dismissed - len(visits) if visits else 0,
        "parts": sum(visit["part"] > 1 for visit in visits),
        "most": max(sizes, default=0),
        "sizes": dict(sorted(sizes.items())),
        "towns": dict(sorted(towns.items())),
        "done": sum(visit["state"] == "done" for visit in visits),
    }

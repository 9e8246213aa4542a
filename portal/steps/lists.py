"""Rows of a list for somebody at work: what is in reach, what may be chosen, and what is filled in afterwards."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from portal.domain.act_names import act_name
from portal.domain.calendar import due_on
from portal.domain.lists import Asked, Listing
from portal.domain.model import OUTCOMES
from portal.domain.roles import ROLES
from portal.steps.acting import Acting
from portal.steps.base import PROFESSIONAL
from portal.steps.review import PUBLISH_WITHIN
from portal.steps.withdraw import load_stops
from portal.store import accounts, directory, draw, plan, records
from portal.store import lists as store
from portal.store import visits as visit_store
from portal.store.engine import transaction
from portal.store.tally import load_tallies, load_tally

__all__ = ["iter_filled", "load_options", "load_page", "note_export", "open_reach"]

_OF_ALL = ("inspectors", "accounts", "audit")  # of the partners too: the bureau keeps their people
_DATED = ("checks", "records")
_TALLIED = {"towns": "town", "types": "type", "statuses": "status"}


async def open_reach(act: Acting, listing: Listing, *, choices: bool = False) -> store.Reach:
    """What the list's SQL needs to know of the person who asks; with `choices` also what the filters offer is counted. Raises NotAllowed."""
    act.require(listing.act)
    organisations = list(act.organisations)
    trees = {one["code"]: accounts.tree_of(organisations, one["id"]) for one in organisations if one["id"] in act.joint}
    days, differentiated, professional = {}, frozenset(), frozenset()
    if listing.name in _DATED:
        days = {day: due_on(day, PUBLISH_WITHIN) for day in await store.load_inspected_days()}
    if listing.name == "checks":
        differentiated, professional = await _by_class(act)
    counted = choices and any(one.options in _TALLIED for one in listing.filters)
    return store.Reach(
        tree=act.joint if listing.name in _OF_ALL else act.tree, line=act.line, today=act.today, days=days, differentiated=differentiated, professional=professional, trees=trees,
        inspector=act.inspector["id"] if act.inspector else None, whole=len(act.joint) >= len(organisations),
        tallies=await load_tallies(act.tree) if counted else None,
    )  # fmt: skip


async def _by_class(act: Acting) -> tuple[frozenset[int], frozenset[int]]:
    """Tasks whose ratios differ by class, and those flagged 专业领域, which the share leaves out (DOMAIN.md 14a)."""
    tasks = await plan.load_tasks(act.line)
    notes = {
        (number, row["row"]): row["data"]["note"]
        for number in sorted({task["plan"] for task in tasks}) for row in await plan.load_plan_rows(number)
    }  # fmt: skip
    professional = frozenset(task["id"] for task in tasks if PROFESSIONAL in notes.get((task["plan"], task["row"]), ""))
    return frozenset(task["id"] for task in tasks if len(set(task["class_ratios"].values())) > 1), professional


async def load_page(act: Acting, listing: Listing, asked: Asked, reach: store.Reach | None = None) -> dict[str, Any]:
    """{rows, next: cursor of the next page or "", count: of all rows that the filters leave, more: whether there are more than that}."""
    reach = replace(reach or await open_reach(act, listing), learned={})
    rows, following = await store.load_rows(listing, reach, asked, asked.size)
    count, more = (len(rows), False) if not following and not asked.after else await store.count_rows(listing, reach, asked.given)
    return {"rows": await _filled(act, listing, rows), "next": following, "count": count, "more": more}


async def iter_filled(act: Acting, listing: Listing, asked: Asked) -> AsyncIterator[list[dict[str, Any]]]:
    """All rows that the filters leave, from the first on, some at a time."""
    async for rows in store.iter_rows(listing, await open_reach(act, listing), asked):
        yield await _filled(act, listing, rows)


async def note_export(act: Acting, listing: Listing, asked: Asked, rows: int) -> None:
    """Say in the audit who took a list with people's names away, filtered how (TRUST.md control 2)."""
    act.require(listing.act)
    async with transaction():
        await act.audit("lists.export", listing.name, rows=rows, filters=dict(sorted(asked.given.items())))


async def _filled(act: Acting, listing: Listing, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns that are made from the rows read."""
    match listing.name:
        case "visits":
            await _fill_visits(rows)
        case "publications":
            stops = await load_stops(act)
            for row in rows:
                row["found"] = "；".join(dict.fromkeys(one["outcome_label"] for one in json.loads(row["data"])["items"]))
                row["until"] = stops.get(row["key"])
        case "accounts":
            for row in rows:
                row["held"] = "、".join(ROLES.get(role, role) for role in json.loads(row["roles"])) or "没有角色"
        case "audit":
            for row in rows:
                row["named"] = act_name(row["act"])
                row["told"] = "，".join(f"{name} {value}" for name, value in json.loads(row["detail"]).items())
        case "inspectors":
            for row in rows:
                row["skills"] = "、".join(json.loads(row["qualifications"]) + json.loads(row["specialities"]))
        case "records":
            for row in rows:
                found = dict.fromkeys(json.loads(row["outcomes"]).values())
                row["found"] = "；".join(OUTCOMES[one].label if one in OUTCOMES else one for one in found)
    return rows


async def _fill_visits(rows: Sequence[dict[str, Any]]) -> None:
    ids = [row["id"] for row in rows]
    assigned = await visit_store.load_assigned(ids)
    people = await directory.load_inspectors_by_id({who for slots in assigned.values() for who in slots if who})
    filed: dict[int, int] = {}
    for record in await records.load_records_of(ids):
        filed[record["visit"]] = filed.get(record["visit"], 0) + (record["state"] not in ("draft", "returned"))
    for row in rows:
        slots = assigned.get(row["id"], ())
        row["people"] = "、".join(people[who]["name"] if who in people else "待派" for who in slots) or "未匹配"
        row["filed"] = f"{filed.get(row['id'], 0)} / {len(json.loads(row['forms']))}"


# Choices ------------------------------------------------------------------------------


async def load_options(act: Acting, name: str, reach: store.Reach | None = None) -> list[tuple[str, str]]:
    """(value, label) of a filter's choices; `reach`: what the list was opened with, where it was."""
    match name:
        case "units" | "homes":
            seen = act.joint if name == "homes" else act.tree
            return [(one["code"], one["name"]) for one in act.organisations if one["id"] in seen]
        case "plans":
            return [(str(one["id"]), f"{one['title']}（第 {one['version']} 版）") for one in _newest(await plan.load_plans(act.line))]
        case "rounds":
            return [(one["code"], one["title"]) for one in await draw.load_rounds(act.line, external=True)]
        case "tasks":
            return [(str(one["id"]), f"{one['code']} {one['name']}") for one in await plan.load_current_tasks(act.line)]
        case "sectors":
            return sorted((code, one.name) for code, one in act.sectors.sectors.items())
        case "towns" | "types" | "statuses":
            by = _TALLIED[name]
            counted = reach.tallies[by] if reach and reach.tallies is not None else await load_tally(act.tree, by)
            return [(one, one) for one in counted if one]
        case "classes":
            return [(one, one) for one in ("A", "B", "C", "D", "未分类")]
    raise ValueError(name)


def _newest(plans: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The newest version of each year's plan, the latest year first."""
    newest = {(one["organisation"], one["year"]): one for one in plans}
    return sorted(newest.values(), key=lambda one: (-one["year"], one["id"]))

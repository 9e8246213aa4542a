"""The directory: a filtered list in pages, and the page of one entry with all that happened to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.codes import check_code, region_of
from portal.domain.errors import NotFound, Refused
from portal.domain.industries import industry_of_code
from portal.domain.list_columns import DIRECTORY
from portal.domain.regions import check_region, full_name
from portal.steps import caps, classes, codes, lists, registers, stations
from portal.steps.profile import load_profile
from portal.store import attachments, entity_history, plan, records
from portal.store import classes as class_store
from portal.store import imports as import_store
from portal.store import stations as station_store
from portal.web.access import acting, posted
from portal.web.inputs import day, parse_input, text
from portal.web.lists import list_page
from portal.web.pages import go_to, is_fragment, page

@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    reason: str = text("理由", most=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    scale: str = text("分类体系", most=40)
    to: str = text("调整为", most=9, least=0)
    reason: str = text("依据", most=200)
    until: date | None = day("截止日期", optional=True)


@get("/directory", opt={"access": "directory.read"})
async def directory_page(request: Request) -> Response[Any]:
    act = acting(request)
    context: dict[str, Any] = {}
    if not is_fragment(request):
        reach = await lists.open_reach(act, DIRECTORY, choices=True)
        statuses = (reach.tallies or {})["status"]
        context = {"reach": reach, "statuses": statuses, "total": sum(statuses.values()), "unplaced": await stations.count_unplaced(act) if act.may("directory.place") else 0}
    return await list_page(request, DIRECTORY, template="directory/list.html", **context)


@get("/directory/{code:str}", opt={"access": "directory.read"})
async def entity_page(request: Request, code: FromPath[str]) -> Response[Any]:
    return await _entity_page(request, code, None)


async def _entity_page(request: Request, code: str, refused: Refused | None) -> Response[Any]:
    act = acting(request)
    found = await entity_history.load_known(code, act.tree, act.bureau["id"])
    if found is None:
        raise NotFound(f"名录里没有代码为“{code[:64]}”的检查对象，或者不在您的辖区。")
    entity, known = found
    history = await entity_history.load_history(entity, act.tree, act.line, known)
    visited = {visit["id"]: visit for visit in history["visits"]}
    may_read = act.may("record.read")
    # Most entries were never visited: then there is nothing to ask for that hangs on visits.
    profile = await load_profile(act)
    counters = await caps.load_counters(act, entity["holder"], profile)
    adjustments = await class_store.load_adjustment_history(act.bureau["id"], code) if "adjustments" in known else []
    items = {one.code: one.name for one in act.sectors.items}
    if any(one["item_code"] not in items for one in history["findings"]):  # of a module that is gone
        items = {row["code"]: row["data"]["name"] for row in await plan.load_all_declared(plan.Item)} | items
    organisations = {o["id"]: o["name"] for o in act.organisations}
    opened = {name: json.loads(entity[name]) for name in ("tags", "industries", "licences", "attributes", "old_names")}
    return await page(
        request, "directory/entity.html", here="/directory", refused=refused, entity={**entity, **opened}, history=history, items=items, visited=visited,
        follow_ups=await records.load_follow_ups_of(visited, act.tree) if may_read and visited else [], counters=counters,
        attachments=await attachments.load_attachments_of(visited, act.tree) if may_read and visited else [], may_read=may_read, today=act.today,
        station=organisations[entity["organisation"]], placement=await station_store.load_placement(code) if "placement" in known else None,
        industries=[(one, industry_of_code(one)) for one in opened["industries"]],
        check=check_code(code) if entity["kind"] != "object" else None, override=await import_store.load_acceptance(act.bureau["id"], code) if "acceptance" in known else None,
        registrar=full_name(region_of(entity["holder"])), region_note=check_region(region_of(entity["holder"]), [act.bureau["region"]]),
        classes=await import_store.load_class_history(act.bureau["id"], code) if "classes" in known else [], scales=classes.scales_of(profile, act.today), adjustments=adjustments,
        register_rows=registers.shown_rows(act, opened["attributes"]),
        licences=[{**one, "register": registers.name_of(act, one["register"])} if "register" in one else one for one in opened["licences"]],
        adjusted=(await classes.load_adjustments_in_force(act, code=code)).get(code) if adjustments else None,
    )  # fmt: skip


@post("/directory/{code:str}/class", opt={"access": "classes.adjust"})
async def adjust(request: Request, code: FromPath[str]) -> Response[Any]:
    """Set the entry's class by hand from today on, or take that back (`to` empty)."""
    act = acting(request)
    try:
        given = parse_input(Adjustment, posted(request))
        await classes.adjust_class(act, code, given.to, given.reason, act.today, given.until if given.to else None, given.scale)
    except NotFound:
        raise
    except Refused as refused:
        return await _entity_page(request, code, refused)
    return go_to(f"/directory/{quote(code, safe='')}")


@post("/directory/{code:str}/accept", opt={"access": "directory.import"})
async def accept(request: Request, code: FromPath[str]) -> Response[Any]:
    try:
        given = parse_input(Acceptance, posted(request))
        await codes.accept_code(acting(request), code, given.reason)
    except NotFound:
        raise
    except Refused as refused:
        return await _entity_page(request, code, refused)
    return go_to(f"/directory/{quote(code, safe='')}")


ROUTES = [directory_page, entity_page, accept, adjust]

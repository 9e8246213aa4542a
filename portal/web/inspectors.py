"""执法人员: the list of who can be drawn, and one person's recusals and visits."""

from __future__ import annotations

import json
from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound
from portal.domain.list_columns import INSPECTORS
from portal.store import accounts, directory
from portal.store import visits as visit_store
from portal.web.access import acting
from portal.web.lists import list_page
from portal.web.pages import is_fragment, page

MOST = 200


@get("/inspectors", opt={"access": "directory.read"})
async def inspectors_page(request: Request) -> Response[Any]:
    act = acting(request)
    context: dict[str, Any] = {}
    if not is_fragment(request):
        people = await directory.load_inspectors(act.joint)
        valid = [one for one in people if one["certificate_no"] and (one["certificate_until"] is None or one["certificate_until"] >= act.today)]
        context = {"total": len(people), "usable": len(valid)}
    return await list_page(request, INSPECTORS, template="inspectors/list.html", **context)


@get("/inspectors/{code:str}", opt={"access": "directory.read"})
async def inspector_page(request: Request, code: FromPath[str]) -> Response[Any]:
    """One person: certificate, what they may check, recusals, and the visits they were drawn for."""
    act = acting(request)
    person = next((one for one in await directory.load_inspectors(act.joint) if one["code"] == code), None)
    if person is None:
        raise NotFound(f"名录里没有编号为“{code[:40]}”的执法人员，或者不在您的辖区。")
    stations = {one["id"]: one["name"] for one in await accounts.load_organisations()}
    recusals = await directory.load_recusals_of(person["id"])
    visits = await visit_store.load_visit_page(act.tree, inspector=person["id"], limit=MOST + 1)
    assigned = await visit_store.load_assigned([visit["id"] for visit in visits])
    visits = [visit for visit in visits if person["id"] in assigned[visit["id"]]]  # of a slot drawn again the last run counts
    entities = await directory.load_entities({visit["entity_code"] for visit in visits} | {one["entity_code"] for one in recusals})
    opened = {name: json.loads(person[name]) for name in ("qualifications", "specialities", "items")}
    return await page(
        request, "inspectors/one.html", here="/inspectors", who={**person, **opened}, station=stations[person["organisation"]], entities=entities,
        recusals=[{**one, "in_force": (one["since"] is None or one["since"] <= act.today) and (one["until"] is None or act.today <= one["until"])} for one in recusals],
        visits=sorted(visits[:MOST], key=lambda visit: (visit["state"] != "open", str(visit["day"]), visit["code"])), more=len(visits) > MOST, most=MOST,
        expired=person["certificate_until"] is not None and person["certificate_until"] < act.today,
    )  # fmt: skip


ROUTES = [inspectors_page, inspector_page]

"""改期和回避: what a station arranges of a visit before it goes there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound, Refused
from portal.steps import arrange as steps
from portal.web.access import acting, posted
from portal.web.inputs import day, group, parse_input, text
from portal.web.pages import go_to, page

SAID = {"moved": "已改期。", "recused": "回避已登记，这个名额空出来了，请计划员补派。"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    on: date = day("改到哪一天")
    reason: str = text("改期的原因", most=steps.LONGEST, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    inspector: str = text("回避的人", most=60)
    why: str = text("回避的理由", most=steps.LONGEST, least=0)


@get("/visits/{code:str}/arrange", opt={"access": "visits.recuse"})
async def arrange_page(request: Request, code: FromPath[str]) -> Response[Any]:
    return await _page(request, code)


async def _page(request: Request, code: str, refused: Refused | None = None) -> Response[Any]:
    act = acting(request)
    given = dict.fromkeys(("on", "reason", "inspector", "why"), "") | ({name: values[0] for name, values in group(posted(request)).items()} if refused else {})
    view = await steps.load_arranging(act, code)
    own = act.inspector["code"] if act.inspector else ""
    who = [one for one in view["people"] if act.may("visits.reschedule") or one["code"] == own]
    said = SAID.get(request.query_params.get("said", ""), "")
    return await page(request, "visits/arrange.html", here="/visits", refused=refused, said=said, given=given, who=who, **view)


@post("/visits/{code:str}/reschedule", opt={"access": "visits.reschedule"})
async def reschedule(request: Request, code: FromPath[str]) -> Response[Any]:
    try:
        given = parse_input(Move, posted(request))
        await steps.reschedule(acting(request), code, given.on, given.reason)
    except NotFound:
        raise
    except Refused as refused:
        return await _page(request, code, refused)
    return go_to(f"/visits/{quote(code)}/arrange?said=moved")


@post("/visits/{code:str}/recuse", opt={"access": "visits.recuse"})
async def recuse(request: Request, code: FromPath[str]) -> Response[Any]:
    try:
        given = parse_input(Away, posted(request))
        await steps.recuse(acting(request), code, given.inspector, given.why, field="why")
    except NotFound:
        raise
    except Refused as refused:
        return await _page(request, code, refused)
    return go_to(f"/visits/{quote(code)}/arrange?said=recused")


ROUTES = [arrange_page, reschedule, recuse]

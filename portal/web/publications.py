"""公示之后: what is public, and its withdrawal, time limit and correction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.corrections import FIELDS, LONGEST, OF_ITEMS
from portal.domain.errors import NotFound, Refused
from portal.domain.list_columns import PUBLICATIONS
from portal.steps import withdraw as steps
from portal.store import publish as store
from portal.web.access import acting, posted
from portal.web.inputs import choice, day, parse_input, text
from portal.web.lists import list_page
from portal.web.pages import go_to, page

SAID = {
    "withdrawn": "已撤回。公示网站由后台更新，几分钟后各处都不再显示。",
    "limited": "公示期限已设定，期满后由后台停止公示。",
    "corrected": "已更正。公示网站由后台更新，变动记录里留有说明。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawing:
    reason: str = text("理由和依据", most=steps.LONGEST_REASON, lines=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limiting:
    until: date = day("公示到")
    reason: str = text("理由和依据", most=steps.LONGEST_REASON, lines=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correcting:
    place: str = text("更正的内容", most=140)
    new: str = text("更正为", most=LONGEST)
    shown: str = choice("原内容", ("old", "none"))
    reason: str = text("理由和依据", most=steps.LONGEST_REASON, lines=True)


@get("/publications", opt={"access": "publish.read"})
async def publications_page(request: Request) -> Response[Any]:
    return await list_page(request, PUBLICATIONS, template="publish/publications.html", here="/publish", said=SAID)


@get("/publications/{number:int}", opt={"access": "publish.read"})
async def publication_page(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _page(request, number, None)


async def _page(request: Request, number: int, refused: Refused | None) -> Response[Any]:
    view = await steps.load_result(acting(request), number)
    data = view["row"]["data"]
    places = [(field, FIELDS[field], data[field]) for field in FIELDS if field not in OF_ITEMS]
    places += [(f"{item['code']} {field}", f"{item['name']}：{FIELDS[field]}", item[field]) for item in data["items"] for field in sorted(OF_ITEMS) if item[field]]
    return await page(request, "publish/publication.html", here="/publish", refused=refused, places=places, fields=FIELDS, **view)


async def _key(request: Request, number: int) -> str:
    return (await store.load_publication(number, acting(request).tree))["key"]


@post("/publications/{number:int}/withdraw", opt={"access": "publish.publish"})
async def withdraw(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        given = parse_input(Withdrawing, posted(request))
        await steps.withdraw(acting(request), await _key(request, number), given.reason)
    except NotFound:
        raise
    except Refused as refused:
        return await _page(request, number, refused)
    return go_to("/publications?said=withdrawn")


@post("/publications/{number:int}/limit", opt={"access": "publish.publish"})
async def limit(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        given = parse_input(Limiting, posted(request))
        await steps.limit(acting(request), await _key(request, number), given.until, given.reason)
    except NotFound:
        raise
    except Refused as refused:
        return await _page(request, number, refused)
    return go_to("/publications?said=limited")


@post("/publications/{number:int}/correct", opt={"access": "publish.publish"})
async def correct(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        given = parse_input(Correcting, posted(request))
        item, _, field = given.place.rpartition(" ")
        await steps.correct(acting(request), await _key(request, number), item, field, given.new, given.reason, shown=given.shown == "old")
    except NotFound:
        raise
    except Refused as refused:
        return await _page(request, number, refused)
    return go_to("/publications?said=corrected")


ROUTES = [publications_page, publication_page, withdraw, limit, correct]

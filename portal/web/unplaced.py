"""Entries no station has: what their addresses say, and a person's choice for each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.response import Response

from portal.domain.errors import Refused
from portal.domain.stations import CONFIDENCES
from portal.steps import stations as steps
from portal.store import accounts
from portal.web.access import acting, posted
from portal.web.inputs import choice, parse_input, text
from portal.web.pages import go_to, page

SIZE = 50
#: up to so many, every address is read to say how many there are of each kind
COUNTED = 5_000
REASONS = ("门牌属该所辖区", "已与企业核实", "已与镇街核实", "由局里直接管辖")
SAID = {"placed": "已指定。以后导入名录、按地址分所都不会改动它。", "assigned": "已按地址分到所。"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    kind: str = choice("情况", CONFIDENCES, optional=True)
    after: str = text("上一页止于", most=64, least=0)
    said: str = choice("提示", tuple(SAID), optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    code: str = text("检查对象", most=64)
    station: str = text("所", most=64)
    reason: str = text("理由", most=200)
    kind: str = choice("情况", CONFIDENCES, optional=True)
    after: str = text("上一页止于", most=64, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    pass


@get("/directory/unplaced", opt={"access": "directory.place"})
async def unplaced_page(request: Request) -> Response[Any]:
    return await _unplaced_page(request, parse_input(Filter, request.query_params.multi_items()), None)


async def _unplaced_page(request: Request, wanted: Filter, refused: Refused | None, tried: dict[str, str] | None = None) -> Response[Any]:
    act = acting(request)
    total = await steps.count_unplaced(act)
    every = await steps.load_unplaced(act, limit=COUNTED) if 0 < total <= COUNTED else []
    rows = await steps.load_unplaced(act, confidence=wanted.kind, after=wanted.after, limit=SIZE + 1)
    more, rows = len(rows) > SIZE, rows[:SIZE]
    found = Counter(one.match.confidence for one in every)
    return await page(
        request, "directory/unplaced.html", here="/directory", refused=refused, rows=rows, wanted=wanted, total=total, counted=dict(found),
        sure=found["sure"] + found["likely"], stations=await _stations(act), reasons=REASONS, said=SAID.get(wanted.said, ""), tried=tried or {},
        next=_link(wanted.kind, rows[-1].entity["code"]) if more else "", kinds=[(kind, _link(kind)) for kind in CONFIDENCES if found[kind]],
    )  # fmt: skip


async def _stations(act: Any) -> list[dict[str, Any]]:
    """The bureau's stations by name, then the bureau itself."""
    organisations = await accounts.load_organisations()
    tree = accounts.tree_of(organisations, act.bureau["id"])
    ours = sorted((o for o in organisations if o["id"] in tree and o["kind"] == "station"), key=lambda o: o["name"])
    return [*ours, {**act.bureau, "name": f"{act.bureau['name']}（局里直接管辖）"}]


def _link(kind: str, after: str = "", said: str = "") -> str:
    kept = {name: value for name, value in (("kind", kind), ("after", after), ("said", said)) if value}
    return f"/directory/unplaced?{urlencode(kept)}" if kept else "/directory/unplaced"


@post("/directory/unplaced", opt={"access": "directory.place"})
async def place(request: Request) -> Response[Any]:
    pairs = dict(posted(request))
    try:
        given = parse_input(Choice, posted(request))
        await steps.place_entity(acting(request), given.code, given.station, given.reason)
    except Refused as refused:
        kind = pairs.get("kind", "")
        wanted = Filter(kind=kind if kind in CONFIDENCES else "", after=pairs.get("after", "")[:64], said="")
        return await _unplaced_page(request, wanted, refused, pairs)
    return go_to(_link(given.kind, given.after, "placed"))


@post("/directory/unplaced/assign", opt={"access": "stations.make"})
async def assign(request: Request) -> Response[Any]:
    try:
        parse_input(Nothing, posted(request))
        await steps.assign_stations(acting(request))
    except Refused as refused:
        return await _unplaced_page(request, Filter(kind="", after="", said=""), refused)
    return go_to(_link("", said="assigned"))


ROUTES = [unplaced_page, place, assign]

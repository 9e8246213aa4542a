"""A plan against its floors, its simulation, and where the year stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound, Refused
from portal.steps import base, simulation
from portal.steps import tracking as steps
from portal.store import plan
from portal.store import year as store
from portal.web.access import acting, posted
from portal.web.draw import Nothing
from portal.web.inputs import number as whole
from portal.web.inputs import parse_input, text
from portal.web.pages import go_to, page

VERDICTS = {"met": ("ok", "达到"), "open": ("half", "视重合情况"), "missed": ("bad", "达不到"), "none": ("off", "没有下限")}
LIGHTS = {"red": ("bad", "已逾期"), "yellow": ("warn", "临期或滞后"), "green": ("half", "正常"), "grey": ("off", "未开始"), "done": ("ok", "已完成")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    runs: int = whole("遍数", 1, 99, optional=11)
    seed: int = whole("种子", 0, 10**12 - 1, optional=1)


async def load_own_plan(request: Request, number: int) -> dict[str, Any]:
    """A plan of the acting person's line of organisations, or NotFound."""
    found = next((one for one in await plan.load_plans(acting(request).line) if one["id"] == number), None)
    if found is None:
        raise NotFound("没有这份计划，或者不在您的辖区。")
    return found


@post("/plan/{number:int}/measure", opt={"access": "plan.measure"})
async def measure_plan(request: Request, number: FromPath[int]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    await base.measure_plan(acting(request), number)
    return go_to(f"/plan/{number}#floors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    reason: str = text("调整的理由", most=200, least=0)


@post("/plan/{number:int}/approve", opt={"access": "plan.approve"})
async def approve_plan(request: Request, number: FromPath[int]) -> Response[Any]:
    await base.approve_plan(acting(request), number, parse_input(Approve, posted(request)).reason)
    return go_to(f"/plan/{number}")


@get("/plan/{number:int}/simulation", opt={"access": "plan.read"})
async def simulation_page(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _simulation_page(request, number, None)


async def _simulation_page(request: Request, number: int, refused: Refused | None) -> Response[Any]:
    found = await load_own_plan(request, number)
    played = await store.load_simulations(number)
    latest = played[-1] if played else None
    rows = simulation.shown(latest["result"]) if latest else []
    saved = simulation.saved(latest["result"]) if latest else {}
    return await page(
        request, "plan/simulation.html", here="/plan", refused=refused, plan=found, latest=latest, rows=rows, saved=saved,
        earlier=list(reversed(played[:-1]))[:10], asked=request.query_params.get("asked") == "1",
        most=max((row[2] for _, row in rows), default=0),
    )  # fmt: skip


@post("/plan/{number:int}/simulation", opt={"access": "plan.simulate"})
async def simulate_plan(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        wanted = parse_input(Play, posted(request))
        await simulation.request_simulation(acting(request), number, wanted.seed, wanted.runs)
    except Refused as refused:
        return await _simulation_page(request, number, refused)
    return go_to(f"/plan/{number}/simulation?asked=1")


@get("/plan/{number:int}/tracking", opt={"access": "plan.read"})
async def tracking_page(request: Request, number: FromPath[int]) -> Response[Any]:
    found = await load_own_plan(request, number)
    year = await steps.load_year(acting(request), found)
    return await page(request, "plan/tracking.html", here="/plan", plan=found, year=year, lights=LIGHTS)


ROUTES = [measure_plan, approve_plan, simulation_page, simulate_plan, tracking_page]

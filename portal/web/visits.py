"""入企: visits by state, one's own, by round; and 匹配: how the rounds were assigned, and emptied slots drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import Refused, WrongMoment
from portal.domain.list_columns import VISITS
from portal.steps import assign
from portal.steps.unfilled import load_unfilled
from portal.store import draw, records
from portal.web.access import acting, posted
from portal.web.draw_view import load_round_view
from portal.web.inputs import group, number, parse_input, several, text
from portal.web.lists import list_page
from portal.web.pages import go_to, is_fragment, page


@get("/visits", opt={"access": "visits.read"})
async def visits_page(request: Request) -> Response[Any]:
    act = acting(request)
    context: dict[str, Any] = {}
    if not is_fragment(request):
        context = {"counts_by": await records.count_visits(act.tree), "has_own": act.inspector is not None}
    return await list_page(request, VISITS, template="visits/visits.html", **context)


@get("/assign", opt={"access": "round.read"})
async def assign_page(request: Request) -> Response[Any]:
    act = acting(request)
    rows = []
    for round_ in reversed(await draw.load_rounds(act.line)):
        if round_["state"] in ("drawn", "revealed"):
            view = await load_round_view(act, round_["code"])
            rows.append({name: view[name] for name in ("round", "summary", "run", "names")})
    return await page(request, "assign/rounds.html", here="/assign", rows=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refill:
    absent: tuple[str, ...] = several("不能参加的人", most=200)
    lender: tuple[str, ...] = several("借调的所", most=100)
    reason: str = text("原因", most=300)
    after: int = number("匹配次数", 1, 1_000_000)


@get("/assign/{code:str}", opt={"access": "round.read"})
async def refill_page(request: Request, code: FromPath[str]) -> Response[Any]:
    return await _refill_page(request, code, said=request.query_params.get("said", ""))


async def _refill_page(request: Request, code: str, said: str = "", refused: Refused | None = None) -> Response[Any]:
    act = acting(request)
    found = await load_unfilled(act, code)
    if found is None:
        raise WrongMoment(f"轮次 {code} 还没有匹配执法人员，没有可以补派的名额。")
    pairs = group(posted(request)) if refused else {}
    given = {"absent": pairs.get("absent", []), "lender": pairs.get("lender", []), "reason": next(iter(pairs.get("reason", [])), "")}
    left = len(found["slots"])
    words = {"refilled": f"已补派，仍空 {left} 个名额。" if left else "已补派，名额都有人了。"}.get(said, "")
    may_refill = act.may("visits.assign") and found["round"]["organisation"] in act.tree
    return await page(request, "assign/refill.html", here="/assign", refused=refused, said=words, given=given, may_refill=may_refill, **found)


@post("/assign/{code:str}/refill", opt={"access": "visits.assign"})
async def refill_slots(request: Request, code: FromPath[str]) -> Response[Any]:
    try:
        given = parse_input(Refill, posted(request))
        await assign.refill_slots(acting(request), code, given.absent, given.reason, lenders=given.lender, after=given.after)
    except Refused as refused:
        return await _refill_page(request, code, refused=refused)
    return go_to(f"/assign/{code}?said=refilled")


ROUTES = [visits_page, assign_page, refill_page, refill_slots]

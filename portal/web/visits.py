"""入企: visits by state, one's own, by round; and 匹配: how the rounds were assigned, and emptied slots drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import Refused, WrongMoment
from portal.steps import assign
from portal.steps.unfilled import load_unfilled
from portal.store import directory, draw, records
from portal.store import visits as store
from portal.web.access import acting, posted
from portal.web.draw_view import load_round_view
from portal.web.inputs import choice, group, number, parse_input, several, text
from portal.web.pages import go_to, page

SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    state: str = choice("状态", ("open", "done", "closed"), optional=True)
    round: str = text("轮次", most=64, least=0)
    mine: str = choice("只看我的", ("1",), optional=True)
    after: str = text("上一页止于", most=80, least=0)


@get("/visits", opt={"access": "visits.read"})
async def visits_page(request: Request) -> Response[Any]:
    act = acting(request)
    wanted = parse_input(Filter, request.query_params.multi_items())
    # load_rounds needs no act of its own: the line is the tenant filter, and titles of rounds are on every visit.
    rounds = await draw.load_rounds(act.line, external=True)
    chosen = next((one for one in rounds if one["code"] == wanted.round), None)
    inspector = act.inspector["id"] if wanted.mine and act.inspector else None
    rows = [] if wanted.mine and inspector is None else await store.load_visit_page(
        act.tree, round_=chosen["id"] if chosen else None, state=wanted.state, inspector=inspector, after=wanted.after, limit=SIZE + 1
    )  # fmt: skip
    more, rows = len(rows) > SIZE, rows[:SIZE]
    if inspector is not None and not wanted.after and not more:
        rows.sort(key=lambda row: (row["state"] != "open", str(row["day"]), row["town"], row["code"]))
    entities = await directory.load_entities({row["entity_code"] for row in rows})
    assigned = await store.load_assigned([row["id"] for row in rows])
    people = await directory.load_inspectors_by_id({who for slots in assigned.values() for who in slots if who})
    carried = await store.load_tasks_of_visits([row["id"] for row in rows])
    filed: dict[int, list[str]] = {}
    for record in await records.load_records_of([row["id"] for row in rows]):
        filed.setdefault(record["visit"], []).append(record["state"])
    shown = [
        {
            "visit": row, "entity": entities.get(row["entity_code"]), "tasks": len(carried.get(row["id"], ())), "forms": len(row["forms"]),
            "filed": sum(state not in ("draft", "returned") for state in filed.get(row["id"], ())),
            "people": [people[who]["name"] if who in people else "待派" for who in assigned.get(row["id"], ())],
        }
        for row in rows
    ]  # fmt: skip
    counts = await records.count_visits(act.tree, chosen["id"] if chosen else None)
    return await page(
        request, "visits/visits.html", here="/visits", rows=shown, wanted=wanted, rounds=rounds, counts_by=counts, has_own=act.inspector is not None,
        next=_link(wanted, rows[-1]["code"]) if more else "", size=SIZE,
    )  # fmt: skip


def _link(wanted: Filter, after: str) -> str:
    pairs = {"state": wanted.state, "round": wanted.round, "mine": wanted.mine, "after": after}
    return "/visits?" + urlencode({name: value for name, value in pairs.items() if value})


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

"""后续处置: the list by state, kind and deadline, and one with its history and the steps it can take now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound, Refused
from portal.domain.follow_ups import ENDINGS, KINDS, LONGEST_DAYS
from portal.steps import follow_ups as steps
from portal.store.follow_ups import count_follow_ups
from portal.web.access import acting, posted
from portal.web.inputs import choice, day, number, parse_input, text
from portal.web.pages import go_to, page

SIZE = 200
STATES = ("open", "todo", "issued", "answered", "closed")
SAID = {
    "closed": "已办结，下次公示时结果页同步更新。", "issue": "已登记。", "answer": "已登记。", "extend": "期限已延长。", "recheck": "已安排复查。",
    "next": "上一项已办结，这是接着要办的。",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    state: str = choice("状态", STATES, optional=True)
    kind: str = choice("处置", tuple(KINDS), optional=True)
    due: str = choice("期限", ("late", "soon", "undated"), optional=True)
    said: str = text("提示", most=20, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    on: date = day("日期")
    note: str = text("情况", most=steps.LONGEST, least=0, lines=True)
    seen: int = number("版本", 0, 10**6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extending:
    days: int = number("延长的工作日数", 0, 10**6)
    reason: str = text("理由", most=steps.LONGEST, lines=True)
    seen: int = number("版本", 0, 10**6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    days: int = number("工作日数", 0, 10**6)
    note: str = text("说明", most=steps.LONGEST, least=0, lines=True)
    seen: int = number("版本", 0, 10**6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    on: date = day("办结日期")
    ending: str = choice("办结结果", tuple(ENDINGS))
    result: str = text("办结情况", most=steps.LONGEST, lines=True)
    then: str = choice("下一项处置", tuple(KINDS), optional=True)
    days: int = number("工作日数", 0, 10**6, optional=0)
    note: str = text("下一项的说明", most=steps.LONGEST, least=0, lines=True)
    seen: int = number("版本", 0, 10**6)


@get("/follow-ups", opt={"access": "record.read"})
async def follow_ups_page(request: Request) -> Response[Any]:
    act = acting(request)
    wanted = parse_input(Filter, request.query_params.multi_items())
    state = wanted.state or "open"
    rows = await steps.load_follow_ups(act, state, SIZE + 1, kind=wanted.kind, due=wanted.due)
    return await page(
        request, "follow_ups/list.html", here="/follow-ups", rows=rows[:SIZE], more=len(rows) > SIZE, state=state, wanted=wanted,
        by_state=await count_follow_ups(act.tree), late=sum(row["late"] for row in rows), size=SIZE, said=SAID.get(wanted.said, ""),
    )  # fmt: skip


@get("/follow-ups/{number:int}", opt={"access": "record.read"})
async def follow_up_page(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _page(request, number, None, "")


async def _page(request: Request, number: int, refused: Refused | None, failed: str) -> Response[Any]:
    """`failed`: the step whose form was refused: it stays open with what was typed."""
    view = await steps.load_follow_up(acting(request), number)
    typed = dict(posted(request)) if refused else {}
    return await page(
        request, "follow_ups/one.html", here="/follow-ups", refused=refused, failed=failed, typed=typed, most=steps.LONGEST, most_days=LONGEST_DAYS,
        clock=KINDS["abnormal_list"].clock, today=acting(request).today, said=SAID.get(request.query_params.get("said", ""), ""), **view,
    )  # fmt: skip


async def _take(request: Request, number: int, step: str) -> str:
    """Take one step; where to go then."""
    act, here = acting(request), f"/follow-ups/{number}?said={step}"
    if step in ("issue", "answer"):
        told = parse_input(Told, posted(request))
        take = steps.issue_follow_up if step == "issue" else steps.answer_follow_up
        await take(act, number, told.on, told.note, told.seen)
        return here
    if step == "extend":
        more = parse_input(Extending, posted(request))
        await steps.extend_follow_up(act, number, more.days, more.reason, more.seen)
        return here
    if step == "recheck":
        check = parse_input(Checking, posted(request))
        return f"/follow-ups/{await steps.order_recheck(act, number, check.days, check.note, check.seen)}?said=recheck"
    given = parse_input(Closing, posted(request))
    then = steps.Next(given.then, given.days, given.note) if given.then else None
    made = await steps.close_follow_up(act, number, given.on, given.result, given.ending, then, given.seen)
    return f"/follow-ups/{made}?said=next" if made else "/follow-ups?said=closed"


async def _step(request: Request, number: int, step: str) -> Response[Any]:
    try:
        return go_to(await _take(request, number, step))
    except NotFound:
        raise
    except Refused as refused:
        return await _page(request, number, refused, step)


@post("/follow-ups/{number:int}/issue", opt={"access": steps.PERMISSIONS["issue"]})
async def issue(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _step(request, number, "issue")


@post("/follow-ups/{number:int}/answer", opt={"access": steps.PERMISSIONS["answer"]})
async def answer(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _step(request, number, "answer")


@post("/follow-ups/{number:int}/extend", opt={"access": steps.PERMISSIONS["extend"]})
async def extend(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _step(request, number, "extend")


@post("/follow-ups/{number:int}/recheck", opt={"access": steps.PERMISSIONS["recheck"]})
async def recheck(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _step(request, number, "recheck")


@post("/follow-ups/{number:int}/close", opt={"access": steps.PERMISSIONS["close"]})
async def close(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _step(request, number, "close")


ROUTES = [follow_ups_page, follow_up_page, issue, answer, extend, recheck, close]

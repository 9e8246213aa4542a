"""后续处置: what reviews confirmed, the late ones first, each closed with its day and how it was settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound, Refused
from portal.steps import follow_ups as steps
from portal.web.access import acting, posted
from portal.web.inputs import choice, day, parse_input, text
from portal.web.pages import go_to, page

SIZE = 200
SAID = {"closed": "已办结，下次公示时结果页同步更新。"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    state: str = choice("状态", ("open", "closed"), optional=True)
    said: str = text("提示", most=20, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    on: date = day("办结日期")
    result: str = text("办结情况", most=steps.LONGEST, lines=True)


@get("/follow-ups", opt={"access": "record.read"})
async def follow_ups_page(request: Request) -> Response[Any]:
    return await _page(request, None, 0)


async def _page(request: Request, refused: Refused | None, failed: int) -> Response[Any]:
    wanted = parse_input(Filter, request.query_params.multi_items())
    state = wanted.state or "open"
    rows = await steps.load_follow_ups(acting(request), state, SIZE + 1)
    return await page(
        request, "review/follow_ups.html", here="/follow-ups", refused=refused, failed=failed, rows=rows[:SIZE], more=len(rows) > SIZE, state=state,
        late=sum(row["late"] for row in rows), size=SIZE, said=SAID.get(wanted.said, ""),
    )  # fmt: skip


@post("/follow-ups/{number:int}/close", opt={"access": "record.close"})
async def close(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        given = parse_input(Closing, posted(request))
        await steps.close_follow_up(acting(request), number, given.on, given.result)
    except NotFound:
        raise
    except Refused as refused:
        return await _page(request, refused, number)
    return go_to("/follow-ups?said=closed")


ROUTES = [follow_ups_page, close]

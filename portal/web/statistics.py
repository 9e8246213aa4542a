"""统计: figures of a period as tables with charts, each number a link to the list that has so many rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.response import Response

from portal.domain.errors import Refused
from portal.domain.list_columns import LISTS
from portal.domain.statistics import Figure
from portal.steps import statistics as steps
from portal.steps.lists import load_options
from portal.web.access import acting
from portal.web.inputs import day, parse_input, text
from portal.web.pages import page


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    since: date | None = day("期间从", optional=True)
    until: date | None = day("到", optional=True)
    org: str = text("单位", most=40, least=0)
    plan: str = text("计划", most=12, least=0)


@get("/statistics", opt={"access": "statistics.read"})
async def statistics_page(request: Request) -> Response[Any]:
    act = acting(request)
    pairs = request.query_params.multi_items()
    refused = None
    try:
        wanted = parse_input(Filter, pairs)
        found = await steps.load_statistics(act, wanted.since, wanted.until, wanted.org, wanted.plan)
    except Refused as refusal:  # what was asked for stays in the form
        refused, found = refusal, None
    given = dict(pairs)
    asked = {
        "since": found.period.since.isoformat() if found else given.get("since", ""), "until": found.period.until.isoformat() if found else given.get("until", ""),
        "org": given.get("org", ""), "plan": given.get("plan", ""),
    }  # fmt: skip
    return await page(
        request, "statistics/statistics.html", here="/statistics", refused=refused, found=found, asked=asked, units=await load_options(act, "units"),
        plans=await load_options(act, "plans"), address_of=address_of,
    )  # fmt: skip


def address_of(figure: Figure) -> str:
    """Where the rows behind a figure are listed."""
    return f"{LISTS[figure.listing].path}?{urlencode(figure.given)}"


ROUTES = [statistics_page]

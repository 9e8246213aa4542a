"""入企 by town and day of a week, and the same visits for a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request, get
from litestar.response import Response

from portal.domain.errors import WrongMoment
from portal.domain.calendar import is_workday
from portal.domain.ics import Event, write_calendar
from portal.domain.list_columns import VISITS
from portal.domain.lists import Asked
from portal.steps import lists as steps
from portal.web.access import acting
from portal.web.inputs import choice, day, parse_input, text
from portal.web.pages import page

MOST = 2000
NAMED = 3  # in one cell; the list behind it has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    on: date | None = day("日期", optional=True)
    town: str = text("镇街", most=80, least=0)
    mine: str = choice("只看派给我的", ("1",), optional=True)


@get("/visits/week", opt={"access": "visits.read"})
async def week_page(request: Request) -> Response[Any]:
    act = acting(request)
    wanted = parse_input(Filter, request.query_params.multi_items())
    monday = (on := wanted.on or act.today) - timedelta(days=on.weekday())
    days = [monday + timedelta(days=n) for n in range(7)]
    given = {"since": days[0].isoformat(), "until": days[-1].isoformat(), "town": wanted.town, "mine": wanted.mine, "made": "1"}
    found = await steps.load_page(act, VISITS, Asked(given=given, sort="day", size=MOST))
    cells: dict[str, dict[date, list[dict[str, Any]]]] = {}
    for row in found["rows"]:
        cells.setdefault(row["town"], {}).setdefault(row["day"], []).append(row)
    # Days on which nobody works are left out unless somebody is visited on them.
    shown = [one for one in days if _works(one) or any(one in row for row in cells.values())]
    kept = {name: value for name, value in (("town", wanted.town), ("mine", wanted.mine)) if value}
    return await page(
        request, "visits/week.html", here="/visits", wanted=wanted, days=shown, first=days[0], last=days[-1], cells=dict(sorted(cells.items())), count=found["count"], most=MOST, named=NAMED,
        towns=await steps.load_options(act, "towns"), has_own=act.inspector is not None,
        week=lambda shift: "/visits/week?" + urlencode({"on": (monday + timedelta(days=7 * shift)).isoformat(), **kept}),
        behind=lambda town, on: "/visits?" + urlencode({"since": on.isoformat(), "until": on.isoformat(), "made": "1", **({"town": town} if town else {}), **({"mine": "1"} if wanted.mine else {})}),
        calendar="/visits/calendar.ics" + (f"?{urlencode(kept)}" if kept else ""),
    )  # fmt: skip


def _works(on: date) -> bool:
    try:
        return is_workday(on)
    except WrongMoment:  # the year's working days are not out yet
        return on.weekday() < 5


@get("/visits/calendar.ics", opt={"access": "visits.read"})
async def calendar_file(request: Request) -> Response[bytes]:
    """The open visits from today on. No company's name or address: calendars are copied to places that are not ours."""
    act = acting(request)
    wanted = parse_input(Filter, request.query_params.multi_items())
    given = {"state": "open", "since": (wanted.on or act.today).isoformat(), "town": wanted.town, "mine": wanted.mine}
    found = await steps.load_page(act, VISITS, Asked(given=given, sort="day", size=MOST))
    address = str(request.base_url).rstrip("/")
    events = [
        Event(
            f"{row['code']}@{act.bureau['code']}", row["day"], f"入企检查　{row['town'] or '未分镇街'}　{row['tasks']} 项任务", f"编号 {row['code']}，登录平台查看检查对象。",
            f"{address}/visits/{quote(row['code'], safe='')}",
        )
        for row in found["rows"]
    ]  # fmt: skip
    data = write_calendar(events, f"{act.bureau['name']}入企检查", act.now)
    headers = {"content-disposition": "attachment; filename=\"visits.ics\"; filename*=UTF-8''" + quote("入企检查.ics", safe="")}
    return Response(data, media_type="text/calendar; charset=utf-8", headers=headers)


ROUTES = [week_page, calendar_file]

"""审计记录: who did what, for the auditor, who changes nothing; and whether the chain holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.response import Response

from portal.domain.act_names import ACT_GROUPS, act_name
from portal.steps.verify import check_audit
from portal.store import accounts, audit
from portal.web.access import acting
from portal.web.inputs import choice, day, number, parse_input, text
from portal.web.pages import page

SIZES = ("50", "200", "2000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    actor: str = text("账号", most=64, least=0)
    act: str = choice("办理", ACT_GROUPS, optional=True)
    organisation: str = text("单位", most=40, least=0)
    since: date | None = day("起", optional=True)
    until: date | None = day("止", optional=True)
    before: int = number("上一页止于", 0, 10**12, optional=0)
    size: str = choice("每页", SIZES, optional=True)


@get("/audit", opt={"access": "audit.read"})
async def audit_page(request: Request) -> Response[Any]:
    act = acting(request)
    wanted = parse_input(Filter, request.query_params.multi_items())
    size = int(wanted.size or SIZES[1])
    # The chain is one for the whole installation; people see the acts of their own tree.
    own = {one["code"]: one["name"] for one in await accounts.load_organisations() if one["id"] in act.joint}
    rows = await audit.load_act_page(
        own, before=wanted.before, limit=size + 1, actor=wanted.actor, act=wanted.act, organisation=wanted.organisation,
        since=wanted.since.isoformat() if wanted.since else "", until=wanted.until.isoformat() if wanted.until else "",
    )  # fmt: skip
    more, rows = len(rows) > size, rows[:size]
    shown = [{**row, "name": act_name(row["act"]), "detail": json.loads(row["detail"]), "organisation": own[row["organisation"]]} for row in rows]
    return await page(
        request, "log/audit.html", here="/audit", rows=shown, wanted=wanted, organisations=own, kinds=ACT_GROUPS, sizes=SIZES, size=size,
        next=_link(wanted, rows[-1]["n"]) if more else "", first=_link(wanted, 0), head=await audit.load_head(),
        filtered=any((wanted.actor, wanted.act, wanted.organisation, wanted.since, wanted.until)),
    )  # fmt: skip


def _link(wanted: Filter, before: int) -> str:
    query = {
        "actor": wanted.actor, "act": wanted.act, "organisation": wanted.organisation, "since": wanted.since or "", "until": wanted.until or "",
        "size": wanted.size, "before": before or "",
    }  # fmt: skip
    return "/audit?" + urlencode({name: value for name, value in query.items() if value})


@get("/audit/chain", opt={"access": "audit.read"})
async def chain_page(request: Request) -> Response[Any]:
    """Walks the whole chain when asked: half a second for 20,000 acts, and nobody else waits."""
    holds, words = await check_audit(acting(request))
    return await page(request, "log/chain.html", here="/audit", holds=holds, words_=words, head=await audit.load_head())


ROUTES = [audit_page, chain_page]

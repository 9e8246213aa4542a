"""审计记录: who did what, for the auditor, who changes nothing; and whether the chain holds."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.response import Response

from portal.domain.list_columns import AUDIT
from portal.steps.verify import check_audit
from portal.store import audit
from portal.web.access import acting
from portal.web.lists import list_page
from portal.web.pages import page


@get("/audit", opt={"access": "audit.read"})
async def audit_page(request: Request) -> Response[Any]:
    return await list_page(request, AUDIT, template="log/audit.html", head=await audit.load_head())


@get("/audit/chain", opt={"access": "audit.read"})
async def chain_page(request: Request) -> Response[Any]:
    """Walks the whole chain when asked: half a second for 20,000 acts, and nobody else waits."""
    holds, words = await check_audit(acting(request))
    return await page(request, "log/chain.html", here="/audit", holds=holds, words_=words, head=await audit.load_head())


ROUTES = [audit_page, chain_page]

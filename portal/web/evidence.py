"""存证, 核验 and the audit: what was logged, how anyone recomputes it, who did what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from litestar import Request, get
from litestar.response import Response

from portal.store import accounts, audit, draw, log
from portal.web.access import acting
from portal.web.draw_view import label
from portal.web.inputs import number, parse_input
from portal.web.pages import page

SIZE = 200
KINDS = {
    "round": "公布承诺", "sources": "开奖号码", "result": "抽取结果", "assignment": "匹配依据", "reveal": "公开密值", "void": "轮次作废",
    "plan": "计划公示", "item": "事项清单", "correction": "更正", "withdrawal": "撤回", "audit": "审计链链头", "published": "结果公示",
}  # fmt: skip


def _named(entry: dict[str, Any]) -> dict[str, Any]:
    """The log calls a draw's result and a published one both `result`; only the draw's names its round's digest."""
    drawn = b'"round":' in bytes(entry["data"])
    return {**entry, "kind": "published"} if entry["kind"] == "result" and not drawn else entry


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    after: int = number("上一页止于", 0, 10**12, optional=0)


@get("/log", opt={"access": "round.read"})
async def log_page(request: Request) -> Response[Any]:
    entries = await log.load_entries()
    checkpoints = await log.load_checkpoints()
    return await page(
        request, "log/log.html", here="/log", entries=[_named(entry) for entry in entries[::-1][:SIZE]], size=len(entries), most=SIZE, kinds=KINDS,
        checkpoint=checkpoints[-1] if checkpoints else None,
    )  # fmt: skip


@get("/verify", opt={"access": "round.read"})
async def verify_page(request: Request) -> Response[Any]:
    act = acting(request)
    rows = []
    for round_ in reversed(await draw.load_rounds(act.line)):
        if round_["state"] == "draft":
            continue
        sources, shares = await draw.load_sources(round_["id"]), await draw.load_shares(round_["id"])
        rows.append({"round": round_, "label": label(round_, sources, shares)})
    return await page(request, "verify/verify.html", here="/verify", rows=rows)


@get("/audit", opt={"access": "audit.read"})
async def audit_page(request: Request) -> Response[Any]:
    wanted = parse_input(After, request.query_params.multi_items())
    rows = await audit.load_acts(wanted.after, SIZE + 1)
    more, rows = len(rows) > SIZE, rows[:SIZE]
    # The chain is one for the whole installation; people see the acts of their own tree.
    own = {o["code"] for o in await accounts.load_organisations() if o["id"] in acting(request).tree}
    shown = [{**row, "detail": json.loads(row["detail"])} for row in rows if row["organisation"] in own]
    return await page(request, "log/audit.html", here="/audit", rows=shown, next=f"/audit?after={rows[-1]['n']}" if more else "", after=wanted.after)


ROUTES = [log_page, verify_page, audit_page]

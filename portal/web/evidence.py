"""存证 and 核验: what was logged, and how anyone recomputes it."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.response import Response

from portal.store import draw, log
from portal.web.access import acting
from portal.web.draw_view import label
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


ROUTES = [log_page, verify_page]

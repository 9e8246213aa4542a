"""Plans: the list, one plan row by row; and 名录: the tasks whose pools are frozen."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound, Refused
from portal.steps import plan as official
from portal.steps import pool as steps
from portal.steps.acting import Acting
from portal.steps.base import load_standing
from portal.steps.plan_below import load_below
from portal.store import accounts, draw, plan
from portal.store import plan_draft as drafts
from portal.store import pool as pools
from portal.web.access import acting, posted
from portal.web.inputs import choice, parse_input
from portal.web.pages import download, go_to, page, pdf
from portal.web.year import VERDICTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    strata: str = choice("分层", tuple(steps.STRATA))


@get("/plan", opt={"access": "plan.read"})
async def plans_page(request: Request) -> Response[Any]:
    return await show_plans(request, None, {})


async def show_plans(request: Request, refused: Refused | None, given: Mapping[str, str]) -> Response[Any]:
    """The list; `given`: what was typed to begin a plan that was refused."""
    act = acting(request)
    rows = []
    for one in reversed(await plan.load_plans(act.line)):
        states = Counter(row["state"] for row in await plan.load_plan_rows(one["id"]))
        rows.append({"plan": one, "rows": sum(states.values()), "states": states})
    names = {account["id"]: account["name"] for account in await accounts.load_accounts()}
    year = max((row["plan"]["year"] for row in rows), default=act.today.year - 1) + 1
    return await page(
        request, "plan/plans.html", here="/plan", refused=refused, rows=rows, drafts=await _drafts(act), names=names, given={"year": year, **given}
    )


async def _drafts(act: Acting) -> list[dict[str, Any]]:
    """What is being written, for those who may write."""
    return await drafts.load_drafts(frozenset({act.bureau["id"]})) if act.may("plan.edit") else []


@get("/plan/{number:int}", opt={"access": "plan.read"})
async def plan_page(request: Request, number: FromPath[int]) -> Response[Any]:
    act = acting(request)
    found = next((one for one in await plan.load_plans(act.line) if one["id"] == number), None)
    if found is None:
        raise NotFound("没有这份计划，或者不在您的辖区。")
    rows = await plan.load_plan_rows(number)
    tasks = {task["row"]: task for task in await plan.load_tasks(act.line, number)}
    newer = await plan.load_newer_plan(number)
    draft = next((one for one in await _drafts(act) if one["year"] == found["year"]), None)
    live = {task["code"]: await draw.load_live_round_of(task["id"]) for task in tasks.values()}
    names = {account["id"]: account["name"] for account in await accounts.load_accounts()}
    partners = {number: name for name, number in (await accounts.load_partners(found["organisation"])).items()}
    sent = {
        row: [partners[owner] for owner in dict.fromkeys(plan.owners_of(task).values()) if owner in partners] for row, task in tasks.items()
    }
    below = {one.row: one for one in await load_below(act, found)}
    adopting = found["organisation"] in act.over and found["state"] != "draft" and not newer and any(one.waiting for one in below.values())
    return await page(
        request, "plan/plan.html", here="/plan", plan=found, rows=rows, tasks=tasks, live=live, names=names,
        states=Counter(row["state"] for row in rows), standing=await load_standing(act, found), verdicts=VERDICTS, layouts=official.LAYOUTS,
        changes=await official.load_changes(act, found), newer=newer, draft=draft, own=found["organisation"] == act.bureau["id"],
        below=below, adopting=adopting, sent=sent,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    layout: str = choice("版式", tuple(official.LAYOUTS), optional=True)


@get("/plan/{number:int}/file", opt={"access": "plan.read"})
async def plan_file(request: Request, number: FromPath[int]) -> Response[bytes]:
    """The plan as XLSX, in the layout it came in or another."""
    wanted = parse_input(File, request.query_params.multi_items())
    return download(*await official.export_plan(acting(request), number, wanted.layout or "own"))


@get("/plan/{number:int}/notice.pdf", opt={"access": "plan.read"})
async def plan_notice(request: Request, number: FromPath[int]) -> Response[bytes]:
    """The plan as it is printed whole, ratios by class and all: for staff and superiors, not public."""
    portal, act = request.app.state.portal, acting(request)
    about = {"bureau": act.bureau, "demo": portal.settings.simulated, "as_of": act.today.isoformat()}
    found = await official.load_official(act, number)
    data = await asyncio.to_thread(portal.printing.render, "plan", "plan_notice.html", {"about": about, "plan": found})
    return pdf(f"{found['title']}（第{found['version']}版）.pdf", data)


# 名录 ---------------------------------------------------------------------------------


@get("/pool", opt={"access": "plan.read"})
async def pools_page(request: Request) -> Response[Any]:
    return await _pools_page(request, None)


async def _pools_page(request: Request, refused: Refused | None) -> Response[Any]:
    act = acting(request)
    tasks = await plan.load_current_tasks(act.line)
    latest = await pools.load_latest_pools([task["id"] for task in tasks])
    choices = await steps.load_choices(act, tasks)
    above = {one["id"]: one["name"] for one in await accounts.load_organisations() if one["id"] in act.over}
    rows = []
    for task in tasks:
        pool = latest.get(task["id"])
        rows.append({
            "task": task, "pool": pool, "choices": choices[task["id"]], "live": await draw.load_live_round_of(task["id"]),
            "above": above.get(task["organisation"], ""), "free": pool is None or await pools.is_committed(pool["id"]),
        })  # fmt: skip
    names = {account["id"]: account["name"] for account in await accounts.load_accounts()}
    frozen = request.query_params.get("frozen", "")
    said = next((row for row in rows if row["task"]["code"] == frozen and row["pool"]), None)
    return await page(request, "pool/pools.html", here="/pool", refused=refused, rows=rows, names=names, strata=steps.STRATA, frozen=said)


@post("/pool/{task:str}/freeze", opt={"access": "pool.freeze"})
async def freeze_pool(request: Request, task: FromPath[str]) -> Response[Any]:
    try:
        await steps.freeze_pool(acting(request), task, parse_input(Freeze, posted(request)).strata)
    except Refused as refused:
        return await _pools_page(request, refused)
    return go_to(f"/pool?frozen={task}")


@get("/pool/{task:str}", opt={"access": "plan.read"})
async def pool_page(request: Request, task: FromPath[str]) -> Response[Any]:
    """One frozen pool: counts, what the law removed, who is passed over and why."""
    act = acting(request)
    found = await plan.load_task(task, act.line)
    pool = (await pools.load_latest_pools([found["id"]])).get(found["id"])
    if pool is None:
        raise NotFound(f"任务 {task} 还没有冻结名录。")
    excluded = await pools.load_exclusions(pool["id"])
    names = {account["id"]: account["name"] for account in await accounts.load_accounts()}
    return await page(
        request, "pool/pool.html", here="/pool", task=found, pool=pool, excluded=excluded[:MOST_SHOWN], total=len(excluded),
        rules=Counter(row["rule"] for row in excluded), rule_names=steps.RULES, names=names, most=MOST_SHOWN,
    )  # fmt: skip


MOST_SHOWN = 200

ROUTES = [plans_page, plan_page, plan_file, plan_notice, pools_page, freeze_pool, pool_page]

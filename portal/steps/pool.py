"""Freezing a pool: the directory as it stands becomes the fixed list of one task."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain.errors import BadInput, WrongMoment
from portal.domain.model import Candidate, PoolRule, Task
from portal.domain.packing import pack
from portal.domain.pool import blocks_of, format_codes, format_pool
from portal.steps import caps
from portal.steps.acting import Acting
from portal.store import directory, draw, loads, plan, visits
from portal.store import pool as store
from portal.store.engine import transaction
from portal.store.locks import hold

STRATA = {"none": "不分层", "class": "按信用风险分类", "town": "按镇街"}
UNCLASSED = "未分类"
TYPES = ("企业", "个体工商户", "农民专业合作社", "外国企业常驻代表机构")

#: rule -> how the public reads it
RULES = {
    "open_visit": "已有待办的同事项入企检查",
    "inspected_this_year": "本年已查过同一事项",
    "sector": "业务模块规定的不查情形",
    "cap": "已达检查频次上限",
    "pause": "上级已查或证后已查",
    "peace": "在“无事不扰”名单内",
}

#: rules of the jurisdiction profile: named where they removed somebody
FROM_PROFILE = ("cap", "pause", "peace")


def types_named(objects: str) -> tuple[str, ...]:
    """The entity types that a plan row's 检查对象 names, e.g. 企业、个体工商户; empty: no limit of type."""
    return tuple(name for name in TYPES if name in objects)


async def freeze_pool(act: Acting, task_code: str, strata: str = "none") -> dict[str, Any]:
    """Freeze the task's pool: lines, exclusions with reasons, counts. Returns the pool row.

    Calling sectors ends here: what they said is in the frozen lines.  A pool already
    frozen and not yet in a round is not frozen again (the directory may have moved
    since: that would be a quiet second chance); one in a void round may be.
    """
    act.require("pool.freeze")
    if strata not in STRATA:
        raise BadInput(f"分层方式“{strata}”不认识，可用：{'、'.join(STRATA)}。")
    task = await plan.load_task(task_code, act.tree)
    if task["drawn_by"] != "here":
        raise WrongMoment(f"任务 {task_code} 由上级或外部平台抽取，本局不冻结名录。")
    if strata == "class" and not task["class_ratios"]:
        raise BadInput(f"任务 {task_code} 没有分类比例，不能按信用风险分类分层。")
    quota = quota_of(task, strata)  # now: a frozen pool that no round can take could not be frozen again
    settled = await loads.require_settled(act.tree)
    rows, exclusions, removed, snapshot = await _gather(act, task, strata)
    if not rows:
        raise BadInput(f"任务 {task_code} 的名录是空的：没有符合条件的在册检查对象。请先导入名录。")
    if unknown := sorted({stratum for _, stratum, _ in rows} - quota.keys()):
        raise BadInput(f"名录中有“{'、'.join(unknown)}”的检查对象，任务 {task_code} 没有写明这些分类的抽查比例。请补上分类或比例。")
    lines = format_pool(rows)
    excluded = format_codes(code for code, _, _ in exclusions)
    async with transaction():
        # Read again inside the transaction: somebody may have imported, frozen or committed meanwhile.
        await hold("task", task["id"])
        if newer := await plan.load_newer_plan(task["plan"]):
            year, version, newest = newer
            raise WrongMoment(f"任务 {task_code} 属于 {year} 年度计划第 {version} 版，已由第 {newest} 版替换。请冻结第 {newest} 版中的任务。")
        if await loads.require_settled(act.tree) != settled:
            raise WrongMoment(f"冻结任务 {task_code} 的名录时，名录刚好导入了新的内容。请重新冻结。")
        earlier = await store.load_pools_of(task["id"])
        live = await draw.load_live_round_of(task["id"])
        if live:
            raise WrongMoment(f"任务 {task_code} 已在轮次 {live} 中，名录不能再冻结。")
        if earlier and not await store.is_committed(earlier[-1]["id"]):
            raise WrongMoment(f"任务 {task_code} 的名录已于 {earlier[-1]['frozen_at']:%Y-%m-%d} 冻结，尚未抽取，不能重新冻结。")
        values = {
            "task": task["id"], "number": len(earlier) + 1, "organisation": act.bureau["id"], "snapshot_on": act.today,
            "snapshot_size": snapshot, "size": len(rows), "excluded_size": len(exclusions), "strata": strata,
            "removed": pack(removed), "digest": hashlib.sha256(lines).hexdigest(),
            "excluded_digest": hashlib.sha256(excluded).hexdigest() if excluded else "",
            "frozen_by": act.account, "frozen_at": act.now,
        }  # fmt: skip
        pool = await store.save_pool(values, blocks_of(lines), exclusions)
        await act.audit("pool.freeze", task_code, after=values["digest"], size=len(rows), excluded=len(exclusions))
    return {**values, "id": pool, "removed": removed, "rules": dict(Counter(rule for _, rule, _ in exclusions))}


def quota_of(task: Mapping[str, Any], strata: str) -> dict[str, Any]:
    """The committed quota of a task. Raises BadInput when the plan row does not settle it."""
    overall = {"count": task["fixed_count"]} if task["ratio_ppm"] is None else {"ppm": task["ratio_ppm"]}
    if strata == "class":
        quota: dict[str, Any] = {name: {"ppm": ppm} for name, ppm in task["class_ratios"].items()}
        if task["ratio_ppm"] is not None:
            quota[UNCLASSED] = overall
        return quota
    if task["ratio_ppm"] is None and task["fixed_count"] is None:
        raise BadInput(f"任务 {task['code']} 只有分类比例，没有总比例或户数，请按信用风险分类冻结名录并放在密封轮次。")
    if task["ratio_ppm"] is not None and task["fixed_count"] is not None:
        raise BadInput(f"任务 {task['code']} 同时写了比例和户数（{task['ratio_text']}），请在计划中先定一个。")
    if strata == "town":
        raise BadInput(f"任务 {task['code']} 按镇街分层的比例尚未支持，请改用不分层。")
    return {"*": overall}


async def _gather(
    act: Acting, task: dict[str, Any], strata: str
) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, str]], dict[str, int], int]:
    """(pool lines, exclusions, what the law removed, size of the register)."""
    items = [code for code, _ in plan.items_of(task)]
    types = types_named(task["objects"])
    view = Task(
        code=task["code"], name=task["name"], sector=task["sector"], items=tuple(items),
        window=(task["window_from"], task["window_to"]), frozen_on=act.today, types=types,
    )  # fmt: skip
    rule = act.sectors.pool_rule(view) or PoolRule()
    inspected = await directory.load_inspected(items, act.today.replace(month=1, day=1))
    tasks = await plan.load_tasks(act.tree)
    awaiting = await directory.load_awaiting(
        [task["item_code"]], {t["id"]: [code for code, _ in plan.items_of(t)] for t in tasks}
    )
    stations = {o["id"]: o["code"] for o in await _organisations()}
    day = max(act.today, task["window_from"])
    limits = await caps.load_limits(act, day)
    lines: list[tuple[str, str, int]] = []
    exclusions: list[tuple[str, str, str]] = []
    async for batch in directory.load_candidates(rule, act.tree, types, stations, inspected):
        candidates = [candidate for candidate, _, _ in batch]
        passed_over = act.sectors.exclude_from_pool(view, candidates) if candidates else {}
        classes = act.sectors.adjust_risk(view, candidates) if candidates else {}
        capped = caps.exclude(limits, task, candidates, day, await _joins(candidates) if limits.histories else {})
        for candidate, risk, town in batch:
            code = candidate.code
            stratum = {"none": "*", "town": town or "未分镇街", "class": classes.get(code, risk) or UNCLASSED}[strata]
            lines.append((code, stratum, 1))
            if code in awaiting:
                exclusions.append((code, "open_visit", "已有一次未办结的入企检查含同一事项。"))
            elif task["item_code"] in inspected.get(code, {}):
                day = inspected[code][task["item_code"]]
                exclusions.append((code, "inspected_this_year", f"本年 {day:%m月%d日} 已查过同一事项。"))
            elif code in passed_over:
                exclusions.append((code, "sector", passed_over[code]))
            elif code in capped:
                exclusions.append((code, capped[code].kind, capped[code].sentence))
    lines.sort(key=lambda line: line[0].encode())
    exclusions.sort(key=lambda line: line[0].encode())
    removed = await directory.count_not_drawable(rule, act.tree, types)
    return lines, exclusions, removed, await directory.count_entities(act.tree)


async def _joins(candidates: Sequence[Candidate]) -> dict[str, str]:
    """code -> the open visit at that place: a task that joins it disturbs nobody once more."""
    places = {candidate.holder: candidate.code for candidate in candidates if candidate.kind == "entity"}
    return {places[row["holder"]]: row["code"] for row in await visits.load_open_visits(places) if not row["site"]}


async def _organisations() -> list[dict[str, Any]]:
    from portal.store import accounts

    return await accounts.load_organisations()

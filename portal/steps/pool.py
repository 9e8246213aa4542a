"""Freezing a pool: the directory as it stands becomes the fixed list of one task."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from portal.domain.bundle import WHOLE
from portal.domain.errors import BadInput, WrongMoment
from portal.domain.model import Candidate, PoolRule, Task
from portal.domain.packing import pack
from portal.domain.pool import blocks_of, format_codes, format_pool
from portal.domain.risk import UNCLASSED, AttributeRule, listed_by, times_due
from portal.domain.sheet_items import ENTITY_TYPES
from portal.steps import caps
from portal.steps.acting import Acting
from portal.steps.classes import ByClass, certain_rules, is_list, load_by_class, scale_and_ratios
from portal.steps.profile import load_profile
from portal.store import directory, draw, loads, plan, visits
from portal.store import pool as store
from portal.store.engine import transaction
from portal.store.locks import hold

STRATA = {"none": "不分层", "class": "按信用风险分类", "list": "专列名单，全部检查", "town": "按镇街"}
#: only in sealed rounds: their strata or their very members say what risk somebody was given
BY_RISK = ("class", "list")

#: rule -> how the public reads it
RULES = {
    "open_visit": "已有待办的同事项入企检查",
    "inspected_this_year": "本年已查过同一事项",
    "frequency": "已按规定频次查过同一事项",
    "listed": "由另一任务全部检查",
    "sector": "业务模块规定的不查情形",
    "cap": "已达检查频次上限",
    "pause": "上级已查或证后已查",
    "peace": "在“无事不扰”名单内",
}

#: rules of the jurisdiction profile: named where they removed somebody
FROM_PROFILE = ("frequency", "listed", "cap", "pause", "peace")


def types_named(objects: str) -> tuple[str, ...]:
    """The entity types that a plan row's 检查对象 names, e.g. 企业、个体工商户; empty: no limit of type."""
    return tuple(name for name in ENTITY_TYPES if name in objects)


async def freeze_pool(act: Acting, task_code: str, strata: str = "none") -> dict[str, Any]:
    """Freeze the task's pool: lines, exclusions with reasons, counts, the quota. Returns the pool row.

    Calling sectors ends here: what they said is in the frozen lines.  A pool already
    frozen and not yet in a round is not frozen again (the directory may have moved
    since: that would be a quiet second chance); one in a void round may be.
    """
    act.require("pool.freeze")
    task = await _require_freezable(act, task_code, strata)
    settled = await loads.require_settled(act.tree)
    found = await _gather(act, task, strata)
    lines = format_pool(found.rows)
    excluded = format_codes(code for code, _, _ in found.exclusions)
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
            "snapshot_size": found.register, "size": len(found.rows), "excluded_size": len(found.exclusions), "strata": strata,
            "quota": pack(found.quota), "unclassed": found.unclassed, "removed": pack(found.removed),
            "digest": hashlib.sha256(lines).hexdigest(), "excluded_digest": hashlib.sha256(excluded).hexdigest() if excluded else "",
            "frozen_by": act.account, "frozen_at": act.now,
        }  # fmt: skip
        pool = await store.save_pool(values, blocks_of(lines), found.exclusions)
        await act.audit("pool.freeze", task_code, after=values["digest"], size=len(found.rows), excluded=len(found.exclusions))
    return {**values, "id": pool, "removed": found.removed, "quota": found.quota, "rules": found.rules}


async def check_pool(act: Acting, task_code: str, strata: str = "none") -> dict[str, Any]:
    """What freezing would make now, and nothing is frozen: {"size", "excluded", "rules", "strata": {stratum: size}, "unclassed", "missing"}.

    `missing`: codes of entities without a class (at most 20). Refused as freezing would be.
    """
    act.require("pool.freeze")
    found = await _gather(act, await _require_freezable(act, task_code, strata), strata)
    return {
        "size": len(found.rows), "excluded": len(found.exclusions), "rules": found.rules, "unclassed": found.unclassed,
        "strata": dict(sorted(Counter(stratum for _, stratum, _ in found.rows).items())), "missing": list(found.missing[:20]),
    }  # fmt: skip


async def _require_freezable(act: Acting, task_code: str, strata: str) -> dict[str, Any]:
    if strata not in STRATA:
        raise BadInput(f"分层方式“{strata}”不认识，可用：{'、'.join(STRATA)}。")
    task = await plan.load_task(task_code, act.tree)
    if task["drawn_by"] == "below":
        raise WrongMoment(f"任务 {task_code} 由县级局自行抽取，本局不冻结名录。请各县级局把这一行列入自己的计划。")
    if task["drawn_by"] != "here":
        raise WrongMoment(f"任务 {task_code} 由上级或外部平台抽取，本局不冻结名录。")
    if strata == "list" and (task["ratio_ppm"] != WHOLE or task["fixed_count"] is not None):
        raise BadInput(f"任务 {task_code} 的抽查比例不是 100%，不能冻结为专列名单。请在计划中把专列任务的比例写成“100%”。")
    if strata != "class":
        quota_of(task, strata)  # now: a frozen pool that no round can take could not be frozen again
    return task


async def load_choices(act: Acting, tasks: Sequence[Mapping[str, Any]]) -> dict[int, list[str]]:
    """task id -> the ways its pool can be frozen (keys of STRATA), the one that its plan row means first."""
    profile = await load_profile(act)
    found = {}
    for task in tasks:
        day = max(act.today, task["window_from"])
        own = [*(["none"] if task["ratio_ppm"] is not None or task["fixed_count"] is not None else [])]
        by_class = ["class"] if scale_and_ratios(profile, task, day) else []
        found[task["id"]] = [*(["list"] if is_list(profile, task, tasks, day) else []), *own, *by_class]
    return found


def quota_of(task: Mapping[str, Any], strata: str) -> dict[str, Any]:
    """The quota a plan row alone gives. Raises BadInput when it does not settle it. By class: of a pool older than kept quotas."""
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


# What is in it ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Gathered:
    """`rows`: pool lines; `exclusions`: (code, rule, reason); `removed`: what the law removed; `register`: its size."""

    rows: list[tuple[str, str, int]]
    exclusions: list[tuple[str, str, str]]
    removed: dict[str, int]
    register: int
    quota: dict[str, Any]
    missing: Sequence[str]
    unclassed: int

    @property
    def rules(self) -> dict[str, int]:
        return dict(Counter(rule for _, rule, _ in self.exclusions))


async def _gather(act: Acting, task: dict[str, Any], strata: str) -> _Gathered:
    items = [code for code, _ in plan.items_of(task)]
    types = types_named(task["objects"])
    view = Task(
        code=task["code"], name=task["name"], sector=task["sector"], items=tuple(items),
        window=(task["window_from"], task["window_to"]), frozen_on=act.today, types=types,
    )  # fmt: skip
    rule = act.sectors.pool_rule(view) or PoolRule()
    asked = {*items, *(one.code for one in act.sectors.items if one.code.startswith(f"{task['sector']}."))}  # what its hooks may compare
    inspected = await directory.load_inspected(asked, act.today.replace(month=1, day=1))
    tasks = await plan.load_tasks(act.tree)
    awaiting = await directory.load_awaiting(
        [task["item_code"]], {t["id"]: [code for code, _ in plan.items_of(t)] for t in tasks}
    )
    if "object" in rule.kinds:
        for code, others in (await directory.load_companions({*inspected, *awaiting})).items():
            inspected |= {other: inspected[code] for other in others if code in inspected and other not in inspected}
            awaiting |= set(others) if code in awaiting else set()
    stations = {o["id"]: o["code"] for o in await _organisations()}
    day = max(act.today, task["window_from"])
    by_class = await _require_by_class(act, task, day) if strata == "class" else None
    if by_class:
        view = replace(view, scale=by_class.scale.code)
    sorter = by_class.sorter() if by_class else None
    certain = await _certain_rules(act, day, strata)
    limits = await caps.load_limits(act, day, history=by_class is not None)
    lines: list[tuple[str, str, int]] = []
    exclusions: list[tuple[str, str, str]] = []
    async for batch in directory.load_candidates(rule, act.tree, types, stations, inspected):
        if strata == "list":
            batch = [one for one in batch if listed_by(certain, one[0].attributes)]
        candidates = [candidate for candidate, _, _ in batch]
        passed_over = act.sectors.exclude_from_pool(view, candidates) if candidates else {}
        answered = act.sectors.adjust_risk(view, candidates) if candidates else {}
        capped = caps.exclude(limits, task, candidates, day, await _joins(candidates) if limits.histories else {})
        for candidate, risk, town in batch:
            code = candidate.code
            stratum = town or "未分镇街" if strata == "town" else "*"
            grade = ""
            if by_class and sorter:
                grade = by_class.grade(code, candidate.holder, risk, answered)
                stratum = sorter.place(code, grade, candidate.attributes)
            lines.append((code, stratum, 1))
            if code in awaiting:
                exclusions.append((code, "open_visit", "已有一次未办结的入企检查含同一事项。"))
            elif by_class and (name := listed_by(certain, candidate.attributes)):
                exclusions.append((code, "listed", f"符合“{name}”，由专列任务全部检查。"))
            elif by_class and (reason := _used_up(by_class, limits, task, candidate, grade, day, inspected)):
                exclusions.append((code, "frequency", reason))
            elif not by_class and task["item_code"] in inspected.get(code, {}):
                exclusions.append((code, "inspected_this_year", f"本年 {inspected[code][task['item_code']]:%m月%d日} 已查过同一事项。"))
            elif code in passed_over:
                exclusions.append((code, "sector", passed_over[code]))
            elif code in capped:
                exclusions.append((code, capped[code].kind, capped[code].sentence))
    if not lines:
        raise BadInput(f"任务 {task['code']} 的名录是空的：没有符合条件的在册检查对象。请先导入名录。")
    quota = quota_of(task, strata) if sorter is None else sorter.quota()
    if sorter:
        sorter.require_classed()
        _require_listed(task, tasks, [code for code, rule_, _ in exclusions if rule_ == "listed"])
    lines.sort(key=lambda line: line[0].encode())
    exclusions.sort(key=lambda line: line[0].encode())
    removed = await directory.count_not_drawable(rule, act.tree, types)
    missing = sorter.missing if sorter else []
    return _Gathered(lines, exclusions, removed, await directory.count_entities(act.tree), quota, missing, len(missing))


async def _require_by_class(act: Acting, task: Mapping[str, Any], day: date) -> ByClass:
    found = await load_by_class(act, task, day)
    if found is None:
        raise BadInput(
            f"任务 {task['code']} 没有分类比例，不能按信用风险分类分层。请在计划行写明各类的比例，或在辖区规则（class_ratios）中写明。"
        )
    return found


async def _certain_rules(act: Acting, day: date, strata: str) -> tuple[AttributeRule, ...]:
    """The profile's rules that ask for all; BadInput for a list where there is none."""
    profile = await load_profile(act) if strata in BY_RISK else None
    rules = certain_rules(profile, day)
    if strata == "list" and not rules:
        raise BadInput("辖区规则没有按 100% 抽查的属性规则（attribute_rules），没有可以专列的名单。请先在辖区规则中写明。")
    return rules


def _used_up(
    by_class: ByClass, limits: caps.Limits, task: Mapping[str, Any], candidate: Candidate, grade: str, day: date,
    inspected: Mapping[str, Mapping[str, date]],
) -> str:  # fmt: skip
    """Why the frequency of a grade leaves no further check of the item, "" where it does; without one: once a calendar year.

    A frequency is the holder's, whichever of its sites was checked. The reason names no class.
    """
    item = task["item_code"]
    often = by_class.ratios.frequency.get(grade)
    if often is None:
        days = [on for on in (inspected.get(candidate.code, {}).get(item),) if on]
    elif limits.event(task, item, candidate.holder, day).reason:
        return ""
    else:
        days = caps.days_of(limits, candidate.holder, item)
        if times_due(often, days, day) > 0:
            return ""
    if not days:
        return "按规定频次，本期不安排这一事项。" if often else ""
    return f"{'、'.join(f'{on:%Y年%m月%d日}' for on in days[-3:])}已查或已安排同一事项，按规定频次本期不再抽取。"


def _require_listed(task: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], listed: Sequence[str]) -> None:
    """Who is to be checked for certain needs a task for it: nobody is passed over here and forgotten there."""
    others = [
        one for one in tasks
        if one["item_code"] == task["item_code"] and one["id"] != task["id"] and one["ratio_ppm"] == WHOLE and one["drawn_by"] == "here"
        and one["window_from"].year == task["window_from"].year
    ]  # fmt: skip
    if listed and not others:
        raise BadInput(
            f"任务 {task['code']} 的名录中有 {len(listed)} 户须全部检查（如 {'、'.join(sorted(listed)[:3])}）。密封轮次里按类全部抽取会泄露分类，"
            "请在计划中为同一事项另列一行，比例写“100%”，冻结时选“专列名单”，与本任务放在同一轮。"
        )


async def _joins(candidates: Sequence[Candidate]) -> dict[str, str]:
    """code -> the open visit at that place: a task that joins it disturbs nobody once more."""
    places = {candidate.holder: candidate.code for candidate in candidates if candidate.kind == "entity"}
    return {places[row["holder"]]: row["code"] for row in await visits.load_open_visits(places) if not row["site"]}


async def _organisations() -> list[dict[str, Any]]:
    from portal.store import accounts

    return await accounts.load_organisations()

"""The base of the year's ratio and how a plan stands to its floors."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.base import Base, Closing, Group, PlannedRow, Reach, closings, differentiated_share, plan_reach, require_base
from portal.domain.draw import quotas
from portal.domain.errors import BadInput, NotAllowed, NotFound, Problem, WrongMoment
from portal.domain.model import PoolRule, Task
from portal.domain.profile import Profile, missing_floors
from portal.domain.regions import full_name, region_of_code, region_on, successor
from portal.domain.risk import CREDIT, AttributeRule, listed_by
from portal.steps.acting import Acting
from portal.steps.classes import (
    ByClass, certain_rules, check_classes, differs, goes_by_class, is_list, load_by_class, missing_sentence, scale_and_ratios,
)  # fmt: skip
from portal.steps.plan import load_fixed
from portal.steps.pool import quota_of, types_named
from portal.steps.profile import load_profile
from portal.store import classes, directory, plan
from portal.store import year as store
from portal.store.engine import transaction
from portal.store.locks import hold

#: the words by which a plan row says that it is of a 专业领域, left out of the differentiated share
PROFESSIONAL = "专业领域"


MOST_FLOORS = 5  # floors missing, named on the plan page


async def freeze_base(act: Acting, year: int) -> dict[str, Any]:
    """Freeze the register as the base of the end of `year`: region, type and whether it reported, of each entity.

    Counted are entities in existence that were registered by that day, non-reporters included.
    Raises WrongMoment before the year is over and for a base frozen already: it stands. BadInput for region codes
    that were abolished by then and that the profile does not carry over.
    """
    act.require("plan.base")
    last = date(year, 12, 31)
    if act.today <= last:
        raise WrongMoment(f"{year} 年还没有结束，不能冻结 {year} 年底的期末实有数。请在 {year + 1} 年 1 月 1 日以后办理。")
    profile = await load_profile(act)
    rows: list[dict[str, Any]] = []
    async for batch in store.load_register(act.tree):
        for entity in batch:
            if entity["kind"] != "entity" or entity["status"] != directory.DRAWABLE:
                continue
            if entity["registered_on"] is not None and entity["registered_on"] > last:
                continue
            region = entity["region"] or act.bureau["region"]
            region = profile.current_region(region, act.today) if profile else region
            rows.append({"code": entity["code"], "region": region, "type": entity["type"], "reported": json.loads(entity["attributes"]).get("reported") is not False})
    if not rows:
        raise BadInput("名录是空的，没有可以冻结的期末实有数。请先导入检查对象名录。")
    _require_regions(act, rows, last)
    rows.sort(key=lambda row: row["code"].encode())
    lines = "".join(f"{row['code']}\t{row['region']}\t{row['type']}\t{int(row['reported'])}\n" for row in rows)
    digest = hashlib.sha256(lines.encode()).hexdigest()
    values = {
        "organisation": act.bureau["id"], "year": year, "size": len(rows), "silent": sum(not row["reported"] for row in rows),
        "digest": digest, "frozen_by": act.account, "frozen_at": act.now,
    }  # fmt: skip
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if earlier := await store.load_base({act.bureau["id"]}, year):
            raise WrongMoment(f"{year} 年底的期末实有数已于 {earlier['frozen_at']:%Y-%m-%d} 冻结（{earlier['size']} 户），不能重新冻结。")
        await store.save_base(values, rows)
        await act.audit("plan.base", f"base/{year}", after=digest, size=len(rows))
    return values


def _require_regions(act: Acting, rows: Sequence[Mapping[str, Any]], last: date) -> None:
    """BadInput where entities stand under a code of this province abolished by then: they would be a region of their own for good."""
    problems = []
    for code, count in sorted(Counter(row["region"] for row in rows).items()):
        if code[:2] == act.bureau["region"][:2] and region_of_code(code) and region_on(code, last) is None:
            now = successor(code)
            into = f"，现为 {now}（{full_name(now)}）" if now else ""
            problems.append(Problem("行政区划", f"{count} 户的区划代码 {code}（{full_name(code)}）在 {last} 已不使用{into}。请在辖区规则（successions）中写明，或更新名录后再冻结。"))
    if problems:
        raise BadInput(f"有 {len(problems)} 个行政区划代码已经变更，基数冻结后不能更改，请先写明归到哪里。", problems)


async def load_base(act: Acting, year: int) -> Base | None:
    """The frozen base of the end of `year` with its counts."""
    row = await store.load_base({act.bureau["id"]}, year)
    if row is None:
        return None
    totals: Counter[Group] = Counter()
    silent: Counter[Group] = Counter()
    for region, type_, reported, count in await store.count_base(row["id"]):
        totals[region, type_] += count
        silent[region, type_] += 0 if reported else count
    return Base(year, dict(totals), {group: count for group, count in silent.items() if count})


# The plan against its floors ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanStanding:
    """What the plan page shows. `reaches` with `closings` of each gap; `differentiated`: (part, whole) and its target in ppm.

    `missing`: why there is nothing to show, a sentence each; `notes`: what the plan cannot meet as it stands, likewise.
    """

    base: Base | None
    reaches: tuple[tuple[Reach, tuple[Closing, ...]], ...]
    differentiated: tuple[int, int]
    target: int | None
    rows: tuple[PlannedRow, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()


async def measure_plan(act: Acting, number: int) -> int:
    """Count what each task of a plan meets in the directory now, by region and type, in one pass; how many rows were measured."""
    act.require("plan.measure")
    found, tasks = await _plan_and_tasks(act, number)
    counting = [await _open_counting(act, task, tasks) for task in tasks]
    async for batch in store.load_register(act.tree):
        for entity in batch:
            if entity["status"] == directory.DRAWABLE:
                for one in counting:
                    one.take(entity)
    rows = [row for one in counting for row in one.rows(act.bureau["region"])]
    async with transaction():
        await hold("bureau", act.bureau["id"])  # the number of the measuring
        await store.save_measures(number, rows, act.now)
        await act.audit("plan.measure", f"plan/{found['year']}", rows=len(rows))
    return len(counting)


async def _plan_and_tasks(act: Acting, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = next((one for one in await plan.load_plans({act.bureau["id"]}) if one["id"] == number), None)
    if found is None:
        raise NotFound("没有这份计划，或者不在您的辖区。")
    return found, await plan.load_tasks(act.tree, number)


class _Counting:
    """One task's entries by (region, type, stratum) while the directory passes by; `rules`: only whom one of them lists."""

    def __init__(self, act: Acting, task: Mapping[str, Any], by_class: ByClass | None, rules: Sequence[AttributeRule]):
        self.task, self.by_class, self.listing = task, by_class, rules
        self.sorter = by_class.sorter() if by_class else None
        self.types = types_named(task["objects"])
        view = Task(
            code=task["code"], name=task["name"], sector=task["sector"], items=(task["item_code"],),
            window=(task["window_from"], task["window_to"]), frozen_on=act.today, types=self.types,
        )  # fmt: skip
        self.rule = act.sectors.pool_rule(view) or PoolRule()
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def take(self, entity: Mapping[str, Any]) -> None:
        rule = self.rule
        if rule.kinds and entity["kind"] not in rule.kinds:
            return
        if any(wanted and entity["type"] not in wanted for wanted in (rule.types, self.types)):
            return
        if directory.fits(entity, rule):
            attributes = json.loads(entity["attributes"]) if self.listing or self.sorter else {}
            if not self.listing or listed_by(self.listing, attributes):
                self.counts[entity["region"], entity["type"], self._stratum(entity, attributes)] += 1

    def _stratum(self, entity: Mapping[str, Any], attributes: Mapping[str, Any]) -> str:
        if self.by_class is None or self.sorter is None:
            return "*"
        grade = self.by_class.grade(entity["code"], entity["holder"], entity["risk_class"], {})
        # A class of no scale is refused when the pool is frozen; a measuring goes on.
        return self.sorter.place(entity["code"], grade if grade in self.by_class.scale.grades else "", attributes)

    def rows(self, region: str) -> list[dict[str, Any]]:
        """plan_measure values: what the quota draws, shared out over the groups of a stratum by largest remainder."""
        sizes: Counter[str] = Counter()
        for (_, _, stratum), count in self.counts.items():
            sizes[stratum] += count
        drawn = self._quota(sizes)
        pools: Counter[Group] = Counter()
        picks: Counter[Group] = Counter()
        for stratum, size in sizes.items():
            groups = {(where or region, type_): 0 for where, type_, of in self.counts if of == stratum}
            for (where, type_, of), count in self.counts.items():
                if of == stratum:
                    groups[where or region, type_] += count
            pools.update(groups)
            picks.update(share_out(drawn.get(stratum, 0), groups, size))
        return [
            {"row": self.task["row"], "region": where, "type": type_, "pool": pools[where, type_], "drawn": picks[where, type_]}
            for where, type_ in sorted(pools)
        ]

    def _quota(self, sizes: Mapping[str, int]) -> dict[str, int]:
        task = self.task
        if task["drawn_by"] != "here" and task["fixed_count"] is None and task["ratio_ppm"] is None:
            return {}
        try:
            quota = self.sorter.quota() if self.sorter else quota_of(task, "none")
        except BadInput:  # a row not settled yet (ratio and count): the larger of the two bounds is not guessed
            return {}
        quota = {**{name: {"ppm": 0} for name in sizes}, **quota}
        return quotas(sizes, quota, "ceil", 0)


async def _open_counting(act: Acting, task: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> _Counting:
    day = max(act.today, task["window_from"])
    profile = await load_profile(act)
    by_class = await load_by_class(act, task, day) if goes_by_class(profile, task, day) else None
    if by_class and by_class.problems():
        by_class = None  # draws nobody until its ratios are settled: the plan page says what is wrong
    return _Counting(act, task, by_class, certain_rules(profile, day) if is_list(profile, task, tasks, day) else ())


def share_out(count: int, groups: Mapping[Group, int], size: int) -> dict[Group, int]:
    """`count` picks over groups in proportion to their entries, whole numbers by largest remainder."""
    if not size:
        return dict.fromkeys(groups, 0)
    found = {group: count * entries // size for group, entries in groups.items()}
    order = sorted(groups, key=lambda group: (-(count * groups[group] % size), group))
    for group in order[: count - sum(found.values())]:
        found[group] += 1
    return found


async def load_standing(act: Acting, found: Mapping[str, Any]) -> PlanStanding:
    """How a plan (a row of `load_plans`) stands to base and floors, by its newest measuring."""
    year, number = found["year"], found["id"]
    missing = []
    profile = await load_profile(act)
    base = await load_base(act, year - 1)
    measures = await store.load_measures(number)
    if profile is None:
        missing.append("本局还没有导入辖区规则，不知道比例下限。请运维员运行 portal plan profile。")
    if base is None:
        missing.append(f"{year - 1} 年底的期末实有数还没有冻结，没有抽查比例的基数。请运维员运行 portal plan base {year - 1}。")
    if not measures:
        missing.append("这份计划还没有测算。请点“测算”或运行 portal plan measure。")
    middle = date(year, 12, 31) if act.today.year > year else max(act.today, date(year, 1, 1))
    tasks = await plan.load_tasks(act.tree, number)
    classed = {task["row"] for task in tasks if differs(profile, task, middle)}
    rows = _planned(tasks, await plan.load_plan_rows(number), measures, classed)
    reaches: tuple[tuple[Reach, tuple[Closing, ...]], ...] = ()
    if profile and base and measures:
        floors = floors_of(profile, base, middle)
        reaches = tuple((reach, tuple(closings(reach, rows))) for reach in plan_reach(require_base(base, year), rows, floors))
    target = profile.differentiated_for(act.bureau["region"], middle) if profile else None
    return PlanStanding(base, reaches, differentiated_share(rows), target.value.ppm if target else None, tuple(rows), tuple(missing), tuple(await _notes(act, profile, tasks, base, middle)))


async def _notes(act: Acting, profile: Profile | None, tasks: Sequence[Mapping[str, Any]], base: Base | None, day: date) -> list[str]:
    """Before anything is frozen: groups without a floor, frequencies of classes that the plan cannot meet, entities without a class."""
    found = []
    if profile and base:  # who is registered in another province stands in no floor of ours
        found += missing_floors(profile, sorted(group for group in base.totals if group[0][:2] == act.bureau["region"][:2]), day)[:MOST_FLOORS]
    if profile:
        found += [f"“{name}”：{sentence}" for name, sentence in check_classes(profile, tasks, day)]
    for task in tasks:
        known = scale_and_ratios(profile, task, day) if goes_by_class(profile, task, day) else None
        if known and (wrong := (await load_by_class(act, task, day)).problems()):
            found += [f"“{task['name']}”：{one}" for one in wrong]
        elif known and known[0].code == CREDIT and known[1].unclassed is None:
            count, some = await classes.load_unclassed(act.tree, types_named(task["objects"]))
            if count:
                found.append(f"“{task['name']}”：{missing_sentence(known[0], count, some)}")
    return found


def floors_of(profile: Profile, base: Base, day: date) -> dict[Group, int]:
    """The floor of every group of a base that has one on `day`."""
    found = {}
    for group in base.totals:
        if floor := profile.floor_for(*group, day):
            found[group] = floor.value.ppm
    return found


def _planned(
    tasks: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], measures: Sequence[Mapping[str, Any]], classed: Collection[int]
) -> list[PlannedRow]:
    data = {row["row"]: row["data"] for row in rows}
    pools: dict[int, dict[Group, int]] = {}
    drawn: dict[int, dict[Group, int]] = {}
    for one in measures:
        pools.setdefault(one["row"], {})[one["region"], one["type"]] = one["pool"]
        drawn.setdefault(one["row"], {})[one["region"], one["type"]] = one["drawn"]
    return [
        PlannedRow(
            row=task["row"], name=task["name"], pool=pools.get(task["row"], {}), drawn=drawn.get(task["row"], {}),
            differentiated=task["row"] in classed,
            professional=PROFESSIONAL in data.get(task["row"], {}).get("note", ""), at_most=data.get(task["row"], {}).get("at_most", False),
        )
        for task in tasks
    ]  # fmt: skip


async def approve_plan(act: Acting, number: int, reason: str = "") -> None:
    """A second person settles a plan: who imported it cannot. A version after the first needs the reason of the change.

    Raises BadInput where its rows are not settled (see `require_settled`).
    """
    act.require("plan.approve")
    found, _ = await _plan_and_tasks(act, number)
    if newer := await plan.load_newer_plan(number):
        raise WrongMoment(f"{newer[0]} 年度计划第 {newer[1]} 版已由第 {newer[2]} 版替换，不再批准。请批准第 {newer[2]} 版。")
    if found["imported_by"] == act.account:
        raise NotAllowed(f"{found['year']} 年度计划由您导入，要由另一位复核人批准。")
    reason = reason.strip() or found["reason"]
    if found["version"] > 1 and not reason:
        raise BadInput(f"这是 {found['year']} 年度计划的第 {found['version']} 版，请写明调整的理由。")
    await require_settled(act, number)
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if not await plan.save_plan_approved(number, reason, act.account, act.now):
            raise WrongMoment(f"{found['year']} 年度计划第 {found['version']} 版已经批准或公示，不能再次批准。")
        await act.audit("plan.approve", f"plan/{found['year']}", version=found["version"], reason=reason)


async def require_settled(act: Acting, number: int) -> None:
    """Refuse a plan whose rows are not settled: ratio beside count, a window already over, below the floor for certain.

    The floor is asked where profile, base and measuring are there.
    """
    found, tasks = await _plan_and_tasks(act, number)
    begun = await load_fixed(tasks)  # their time may be over: they were frozen or drawn within it
    problems = [
        Problem("抽查比例", f"任务 {task['code']} 同时写了比例和户数（{task['ratio_text']}），请先定一个。", task["row"])
        for task in tasks if task["drawn_by"] == "here" and task["ratio_ppm"] is not None and task["fixed_count"] is not None
    ] + [
        Problem("实施时间", f"任务 {task['code']} 的实施时间 {task['window_to']} 已经过去，请改写实施时间。", task["row"])
        for task in tasks if task["window_to"] < act.today and task["id"] not in begun
    ]  # fmt: skip
    standing = await load_standing(act, found)
    problems += [
        Problem("抽查比例", f"{reach.group[0]} {reach.group[1]}：全部任务合计最多 {reach.most} 户，下限是 {reach.needed} 户，还差 {reach.needed - reach.most} 户。")
        for reach, _ in standing.reaches if reach.verdict == "missed"
    ]  # fmt: skip
    if problems:
        raise BadInput(f"计划有 {len(problems)} 处没有解决。", problems)

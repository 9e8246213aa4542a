"""A plan played through before anything is public: the year's tasks, month by month, under throw-away seeds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from portal.domain.caps import Period
from portal.domain.errors import BadInput, NotFound
from portal.domain.model import Candidate, PoolRule, Task
from portal.domain.pool import format_pool
from portal.domain.risk import AttributeRule, listed_by
from portal.domain.simulation import Ground, PlannedRound, PlannedTask, Spread, inspector_load, simulate_once, summarise
from portal.domain.visits import Place
from portal.steps.acting import Acting
from portal.steps.caps import level_of, load_limits, validity_of
from portal.steps.catalogue import load_item
from portal.steps.classes import ByClass, certain_rules, goes_by_class, is_list, load_by_class
from portal.steps.parties import inspected_by_drawer
from portal.steps.pool import RULES, quota_of, types_named
from portal.steps.profile import load_profile
from portal.steps.rosters import load_snapshot
from portal.steps.visits import working_days
from portal.store import accounts, directory, jobs, plan
from portal.store import year as store
from portal.store.engine import transaction

#: figure -> how people read it; paths of one word, or of a figure and its kind
LABELS: Mapping[tuple[str, ...], str] = {
    ("picks",): "抽中（户次）",
    ("distinct",): "抽中（户，不重复）",
    ("rider_checks",): "结合检查（户次）",
    ("visits", "separate"): "逐项单独入企",
    ("visits", "uncoordinated"): "各任务各自抽取，同轮合并",
    ("visits", "coordinated"): "协调抽取、合并入企",
    ("unfilled",): "没有执法人员的席位",
}


async def simulate_plan(
    act: Acting, number: int, seed: int, runs: int, progress: Callable[[str, int], None] | None = None
) -> dict[str, Any]:
    """Play a plan `runs` times and keep the summary: {"figures": {path: [median, least, most]}, "load": {month: ...}, "tasks": {code: name}}.

    Tasks drawn here go into one round for each month their window begins in. Tasks
    whose row is not settled are left out and named under "left_out".
    """
    act.require("plan.simulate")
    if runs < 1:
        raise BadInput("至少模拟一遍。")
    found = next((one for one in await plan.load_plans({act.bureau["id"]}) if one["id"] == number), None)
    if found is None:
        raise NotFound("没有这份计划，或者不在您的辖区。")
    tasks = [task for task in await plan.load_tasks(act.tree, number) if task["drawn_by"] == "here"]
    planned, met, left_out = await _planned_tasks(act, tasks)
    if not planned:
        raise BadInput("这份计划没有可以模拟的任务：没有本级抽取的任务，或名录是空的。")
    limits = await load_limits(act, act.today, history=True)  # frequencies ask for it where no cap does
    snapshot = await load_snapshot(act)
    region = act.bureau["region"]
    ground = Ground(
        bureau=act.bureau["code"], level=level_of(region), places=met.places, roster=snapshot["roster"],
        recused=frozenset((who, code) for who, code in snapshot["recusals"]), rules=limits.rules, histories=limits.histories,
        peace=limits.peace, checked=met.checked, licences=met.licences, reason_of=limits.reason_of,
    )  # fmt: skip
    rounds = _rounds(act, tasks, planned)
    figures = []
    for run in range(runs):
        figures.append(await asyncio.to_thread(simulate_once, rounds, ground, seed, run))
        if progress:
            progress("模拟", run + 1)
    result = {
        "figures": {"/".join(path): _row(spread) for path, spread in summarise(figures).items() if path[0] != "load"},
        "load": {month: _row(spread) for month, spread in inspector_load(figures).items()},
        "tasks": {task["code"]: task["name"] for task in tasks},
        "left_out": left_out,
    }  # fmt: skip
    async with transaction():
        await store.save_simulation({"plan": number, "seed": seed, "runs": runs, "made_by": act.account, "made_at": act.now}, result)
        await act.audit("plan.simulate", f"plan/{found['year']}", seed=seed, runs=runs)
    return result


async def request_simulation(act: Acting, number: int, seed: int, runs: int) -> int:
    """Queue a simulation for the worker; the job's id."""
    act.require("plan.simulate")
    if not any(one["id"] == number for one in await plan.load_plans({act.bureau["id"]})):
        raise NotFound("没有这份计划，或者不在您的辖区。")
    async with transaction():
        await act.audit("plan.simulate.request", f"plan/{number}", seed=seed, runs=runs)
        given = {"login": act.login, "number": number, "seed": seed, "runs": runs}
        return await jobs.save_job("simulate", f"{number}/{seed}/{runs}", given, act.account, act.now)


def saved(result: Mapping[str, Any]) -> dict[str, int]:
    """Visits that are not made: by coordination (against tickets of each task's own) and by riding; medians."""
    figures = result["figures"]
    return {
        "coordination": figures["visits/uncoordinated"][0] - figures["visits/coordinated"][0],
        "riding": figures.get("rider_checks", [0])[0],
    }


def _row(spread: Spread) -> list[int]:
    return [spread.median, spread.least, spread.most]


@dataclass(slots=True)
class _Met:
    """Whom the tasks meet, gathered while their pools are: where they are, what was checked there this year, validity of licences."""

    act: Acting
    checked: Mapping[str, Mapping[str, date]]
    stations: Mapping[int, str]
    bureaus: Mapping[str, str]
    places: dict[str, Place] = field(default_factory=dict)
    licences: dict[str, Period] = field(default_factory=dict)

    def take(self, one: Candidate, town: str) -> None:
        self.places[one.code] = Place(one.code, one.holder, one.code.partition("#")[2], one.station, town, self.bureaus.get(one.station, ""))
        if validity := validity_of(one.licences):
            self.licences[one.code] = validity


async def _planned_tasks(
    act: Acting, tasks: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, PlannedTask], _Met, dict[str, str]]:
    """Pools as they would be frozen now; everybody in them; who was left out and why."""
    organisations = await accounts.load_organisations()
    stations = {o["id"]: o["code"] for o in organisations}
    bureaus = {o["code"]: stations[accounts.bureaus_of(organisations, o["id"])[0]] for o in organisations}
    items = {item for task in tasks for item, _ in plan.items_of(task)}
    met = _Met(act, await directory.load_inspected(items, act.today.replace(month=1, day=1)), stations, bureaus)
    ours = await inspected_by_drawer({task["id"]: dict(task) for task in tasks})
    partners = {o["id"]: o["code"] for o in organisations if o["kind"] == "partner"}
    found: dict[str, PlannedTask] = {}
    left_out: dict[str, str] = {}
    profile = await load_profile(act)
    for task in tasks:
        day = max(act.today, task["window_from"])
        try:
            by_class = await load_by_class(act, task, day) if goes_by_class(profile, task, day) else None
            certain = certain_rules(profile, day)
            planned = await _gather(task, by_class, certain, is_list(profile, task, tasks, day), met)
        except BadInput as refused:
            left_out[task["code"]] = "".join([refused.message, *(problem.message for problem in refused.problems)])
            continue
        if planned is None:
            left_out[task["code"]] = "名录中没有符合条件的检查对象。"
            continue
        every = [await load_item(*item) for item in plan.items_of(task)]
        owners = plan.owners_of(task)
        parties: dict[str, set[str]] = {}
        for item in every:
            parties.setdefault(partners.get(owners[item.code], ""), set()).update({item.qualification} - {""})
        found[task["code"]] = replace(
            planned, riders=tuple(item.code for item in every[1:]), inspects=task["id"] in ours,
            parties={partner: tuple(sorted(of)) for partner, of in parties.items()},
        )  # fmt: skip
    return found, met, left_out


async def _gather(
    task: Mapping[str, Any], by_class: ByClass | None, certain: Sequence[AttributeRule], listing: bool, met: _Met
) -> PlannedTask | None:
    """The task with its pool, as `pool.freeze_pool` would gather it; None where nobody is in it."""
    act, types = met.act, types_named(task["objects"])
    view = Task(
        code=task["code"], name=task["name"], sector=task["sector"], items=tuple(code for code, _ in plan.items_of(task)),
        window=(task["window_from"], task["window_to"]), frozen_on=act.today, types=types,
    )  # fmt: skip
    if by_class:
        view = replace(view, scale=by_class.scale.code)
    sorter = by_class.sorter() if by_class else None
    rule = act.sectors.pool_rule(view) or PoolRule()
    lines: list[tuple[str, str, int]] = []
    passed_over: dict[str, str] = {}
    grades: dict[str, str] = {}
    async for batch in directory.load_candidates(rule, act.tree, types, met.stations, met.checked):
        candidates = [one for one, _, _ in batch]
        not_now = act.sectors.exclude_from_pool(view, candidates) if candidates else {}
        answered = act.sectors.adjust_risk(view, candidates) if candidates and by_class else {}
        for one, risk, town in batch:
            if listing and not listed_by(certain, one.attributes):
                continue
            stratum = "*"
            if by_class and sorter:
                grades[one.code] = by_class.grade(one.code, one.holder, risk, answered)
                stratum = sorter.place(one.code, grades[one.code], one.attributes)
                if listed_by(certain, one.attributes):
                    passed_over[one.code] = "listed"
            if one.code in not_now:
                passed_over.setdefault(one.code, "sector")
            lines.append((one.code, stratum, 1))
            met.take(one, town)
    if sorter:
        sorter.require_classed()
    quota = sorter.quota() if sorter else quota_of(task, "none")
    if not lines:
        return None
    return PlannedTask(
        task=task["code"], item=task["item_code"], pool=format_pool(lines), quota=quota, passed_over=passed_over,
        frequency=by_class.ratios.frequency if by_class else None, grades=grades,
    )  # fmt: skip


def _rounds(act: Acting, tasks: Sequence[Mapping[str, Any]], planned: Mapping[str, PlannedTask]) -> list[PlannedRound]:
    """A round for each month in which windows begin; it is worked within their common part, or the first window's."""
    months: dict[str, list[Mapping[str, Any]]] = {}
    for task in tasks:
        if task["code"] in planned:
            months.setdefault(f"{task['window_from']:%Y-%m}", []).append(task)
    rounds = []
    for month, members in sorted(months.items()):
        first, last = max(task["window_from"] for task in members), min(task["window_to"] for task in members)
        if first > last:
            last = max(task["window_to"] for task in members)
        rounds.append(PlannedRound(month, tuple(planned[task["code"]] for task in members), tuple(working_days(first, last))))
    return rounds


def shown(result: Mapping[str, Any]) -> list[tuple[str, list[int]]]:
    """(label, [median, least, most]) of the figures people read, in a fixed order: totals, tasks, caps, load by month."""
    figures = {tuple(path.split("/")): row for path, row in result["figures"].items()}
    found = [(label, figures[path]) for path, label in LABELS.items() if path in figures]
    for path, row in figures.items():
        if path[0] == "draws":
            found.append((f"{result['tasks'][path[1]]}{'' if path[2] == '*' else f'（{path[2]}）'}", row))
    for path, row in figures.items():
        if path[0] == "cap":
            rule = RULES.get(path[2], f"频次上限“{path[2]}”")
            found.append((f"{rule}：{'冻结时排除' if path[1] == 'freeze' else '派发时取消'}", row))
    return found + [(f"{month} 每名执法人员的席位", row) for month, row in result["load"].items()]

"""What a plan will mean, before anything is public: the real draw, combination and assignment under throw-away seeds.

A run plays the year's rounds in order: caps exclude, tasks are drawn, picks combined, visits
dispatched under the caps once more and assigned. Seeds are derived from a whole number that
is written beside the result, so a simulation can be run again; they are never those of a
round. Figures are whole numbers under a path such as ("draws", task, stratum).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from portal.domain.assign import assign
from portal.domain.bundle import hasher
from portal.domain.caps import Event, Peace, Refusal, Rules, dispatch, find_refusals
from portal.domain.draw import draw_task
from portal.domain.pool import format_codes, parse_codes, parse_pool
from portal.domain.visits import Place, PlannedVisit, combine, make_slots, plan_days

__all__ = ["Figures", "Ground", "PlannedRound", "PlannedTask", "Spread", "inspector_load", "simulate_once", "summarise"]

SUITE = "sha256"
Figures = Mapping[tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task to be drawn: `pool` is a pool.tsv, `quota` as in a round; `riders`: items whose check joins its visits."""

    task: str
    item: str
    pool: bytes
    quota: Mapping[str, Mapping[str, int]]
    riders: tuple[str, ...] = ()
    rounding: str = "ceil"
    minimum: int = 0
    qualifications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedRound:
    """Tasks drawn together. `days`: the working days of its window, at least one."""

    round: str
    tasks: tuple[PlannedTask, ...]
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What the plan meets: places by code, the roster, recusals, and the caps with what is on record already."""

    bureau: str
    level: str
    places: Mapping[str, Place]
    roster: Sequence[Mapping[str, Any]] = ()
    recused: frozenset[tuple[str, str]] = frozenset()
    rules: Rules = Rules()
    histories: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    peace: Mapping[str, Sequence[Peace]] = field(default_factory=dict)


def simulate_once(rounds: Sequence[PlannedRound], ground: Ground, seed: int, run: int) -> dict[tuple[str, ...], int]:
    """One run's figures; the same `seed` and `run` give the same ones.

    ("draws", task, stratum), ("station", task, station): entities drawn, and ("short", task): fewer than the quota asks;
    ("distinct",): entities drawn in all; ("picks",): 户次 drawn; ("rider_checks",): (entity, rider item) pairs;
    ("visits", how): how = separate (every pick and rider check an entry of its own), uncoordinated (each task its
    own tickets, merged where they meet within a round), coordinated (as it will be);
    ("cap", stage, rule): refused at freeze or dispatch; ("load", inspector, month), ("unfilled",): slots.
    """
    figures: Counter[tuple[str, ...]] = Counter()
    histories = {code: list(events) for code, events in ground.histories.items()}
    everybody: set[str] = set()
    for planned in rounds:
        picks: list[tuple[str, str]] = []
        apart: list[tuple[str, str]] = []
        for task in planned.tasks:
            passed_over = _excluded(planned, task, ground, histories, figures)
            drawn = _draw(task, passed_over, _key(seed, run, planned.round))
            for stratum, row in drawn.items():
                figures["draws", task.task, stratum] += len(row["drawn"])
                figures["short", task.task] += row["quota"] - len(row["drawn"])
                picks += [(task.task, code) for code in row["drawn"]]
            alone = _draw(task, passed_over, _key(seed, run, f"{planned.round}/{task.task}"))
            apart += [(task.task, code) for row in alone.values() for code in row["drawn"]]
        for name, code in picks:
            figures["station", name, ground.places[code].station] += 1
        everybody |= {code for _, code in picks}
        figures["picks",] += len(picks)
        figures["visits", "uncoordinated"] += len(combine(planned.round, apart, ground.places, {}).visits)
        visits = combine(planned.round, picks, ground.places, {}).visits
        _work(planned, visits, ground, histories, figures, seed, run)
    figures["distinct",] = len(everybody)
    figures["visits", "separate"] = figures["picks",] + figures["rider_checks",]
    return dict(figures)


def _key(seed: int, run: int, label: str) -> bytes:
    return hasher(SUITE)(f"mingcha simulation\n{seed}\n{run}\n{label}".encode())


def _event(ground: Ground, on: date, item: str, visit: str, pick: str) -> Event:
    return Event(on, item, item.split(".")[0], ground.bureau, ground.level, visit, pick)


def _excluded(
    planned: PlannedRound, task: PlannedTask, ground: Ground, histories: Mapping[str, Sequence[Event]], figures: Counter[tuple[str, ...]]
) -> list[bytes]:
    """The codes the caps pass over, looked at on the first day of the window, as a pool is frozen before it."""
    would = _event(ground, planned.days[0], task.item, "", f"{planned.round}/{task.task}")
    asked = histories.keys() | ground.peace.keys()
    codes = [row.code for row in parse_pool(task.pool) if row.code in asked] if asked else []
    refused = find_refusals(ground.rules, codes, histories, would, peace=ground.peace)
    for refusal in refused.values():
        figures["cap", "freeze", refusal.rule] += 1
    text = format_codes(refused)
    return parse_codes(text) if text else []


def _draw(task: PlannedTask, passed_over: Sequence[bytes], key: bytes) -> dict[str, Any]:
    entry = {
        "task": task.task, "pool_size": task.pool.count(b"\n"), "rounding": task.rounding, "minimum": task.minimum, "reserve": 0,
    }  # fmt: skip
    return draw_task(SUITE, key, task.pool, passed_over, task.quota, entry)


def _work(
    planned: PlannedRound,
    visits: Sequence[PlannedVisit],
    ground: Ground,
    histories: dict[str, list[Event]],
    figures: Counter[tuple[str, ...]],
    seed: int,
    run: int,
) -> None:
    """Visits get days, pass the caps again with their riders, are entered in the histories and assigned."""
    tasks = {task.task: task for task in planned.tasks}
    days = plan_days(visits, planned.days)
    kept: list[PlannedVisit] = []
    for visit in visits:
        code, on = visit.place.code, days[visit.id]
        wanted = [(code, _event(ground, on, tasks[name].item, visit.id, f"{planned.round}/{name}")) for name in visit.tasks]
        own = {event.item for _, event in wanted}
        riders = sorted({item for name in visit.tasks for item in tasks[name].riders} - own)
        admitted, refused = dispatch(ground.rules, histories, wanted, peace=ground.peace)
        if admitted:  # a rider does not open a door that its host did not
            histories.setdefault(code, []).extend(event for _, event in admitted)
            joined, left = dispatch(
                ground.rules, histories, [(code, _event(ground, on, item, visit.id, "")) for item in riders], peace=ground.peace
            )
            histories[code].extend(event for _, event in joined)
            figures["rider_checks",] += len(joined)
            refused = [*refused, *left]
            picked = {event.pick for _, event in admitted}
            kept.append(replace(visit, tasks=tuple(name for name in visit.tasks if f"{planned.round}/{name}" in picked)))
        _count(figures, [refusal for _, _, refusal in refused])
    figures["visits", "coordinated"] += len(kept)
    if ground.roster and kept:
        _assign(planned, kept, days, ground, figures, _key(seed, run, f"assign/{planned.round}"), tasks)


def _count(figures: Counter[tuple[str, ...]], refused: Iterable[Refusal]) -> None:
    for refusal in refused:
        figures["cap", "dispatch", refusal.rule] += 1


def _assign(
    planned: PlannedRound,
    visits: Sequence[PlannedVisit],
    days: Mapping[str, date],
    ground: Ground,
    figures: Counter[tuple[str, ...]],
    key: bytes,
    tasks: Mapping[str, PlannedTask],
) -> None:
    needed = {visit.id: {one for name in visit.tasks for one in tasks[name].qualifications} for visit in visits}
    slots = make_slots(visits, ground.roster, needed, ground.recused, planned.days[-1], SUITE)
    result = assign({**slots, "K": key.hex()})
    for visit, people in result["assigned"].items():
        for person in people:
            if person is None:
                figures["unfilled",] += 1
            else:
                figures["load", person, f"{days[visit]:%Y-%m}"] += 1


# ---- many runs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all runs: its median (the lower of two middles) and its range, whole numbers."""

    median: int
    least: int
    most: int


def summarise(runs: Sequence[Figures]) -> dict[tuple[str, ...], Spread]:
    """Every figure's spread, in order; a figure a run lacks is 0 there. ValueError without a run."""
    if not runs:
        raise ValueError("a simulation has at least one run")
    found = {}
    for path in sorted({path for run in runs for path in run}):
        values = sorted(run.get(path, 0) for run in runs)
        found[path] = Spread(values[(len(values) - 1) // 2], values[0], values[-1])
    return found


def inspector_load(runs: Sequence[Figures]) -> dict[str, Spread]:
    """month -> slots of one inspector in that month, over all inspectors who work and all runs."""
    months: dict[str, list[int]] = {}
    for run in runs:
        for path, count in run.items():
            if path[0] == "load":
                months.setdefault(path[2], []).append(count)
    found = {}
    for month, counts in sorted(months.items()):
        counts.sort()
        found[month] = Spread(counts[(len(counts) - 1) // 2], counts[0], counts[-1])
    return found

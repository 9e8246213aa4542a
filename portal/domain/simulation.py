"""What a plan will mean, before anything is public: the real draw, combination and assignment under throw-away seeds.

A run plays the year's rounds in order: who was checked and the caps exclude, tasks are drawn, picks
combined, visits dispatched under the caps once more and assigned; every visit of a round is made before the next. Seeds are derived from a whole number that
is written beside the result, so a simulation can be run again; they are never those of a
round. Figures are whole numbers under a path such as ("draws", task, stratum).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from portal.domain.assign import assign
from portal.domain.bundle import hasher
from portal.domain.caps import Event, Peace, Period, Rules, days_checked, find_refusal
from portal.domain.dispatch import Door, dispatch_visits
from portal.domain.draw import draw_task
from portal.domain.pool import format_codes, parse_codes, parse_pool
from portal.domain.risk import Frequency, times_due
from portal.domain.visits import Party, Place, PlannedVisit, combine, make_slots, plan_days

__all__ = ["Figures", "Ground", "PlannedRound", "PlannedTask", "Spread", "inspector_load", "simulate_once", "summarise"]

SUITE = "sha256"
Figures = Mapping[tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task to be drawn: `pool` is a pool.tsv, `quota` as in a round; `riders`: items whose check joins its visits.

    `passed_over`: code -> why it is not drawn whatever happened before (listed, sector). A task that goes by class has
    a `frequency`, which takes the place of once a calendar year; `grades`: code -> grade. `inspects`: the bureau that
    draws sends its own people (市抽市查). `parties`: whose people check its items, "" the bureau's, and what they must be qualified for.
    """

    task: str
    item: str
    pool: bytes
    quota: Mapping[str, Mapping[str, int]]
    riders: tuple[str, ...] = ()
    rounding: str = "ceil"
    minimum: int = 0
    parties: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"": ()})
    passed_over: Mapping[str, str] = field(default_factory=dict)
    frequency: Mapping[str, Frequency] | None = None
    grades: Mapping[str, str] = field(default_factory=dict)
    inspects: bool = False


@dataclass(frozen=True, slots=True)
class PlannedRound:
    """Tasks drawn together. `days`: the working days of its window, at least one."""

    round: str
    tasks: tuple[PlannedTask, ...]
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What the plan meets: places by code, the roster, recusals, and the caps with what is on record already.

    `histories` and `peace` are by holder; `checked`: code -> item -> last day this year, `licences`: validity by code,
    `reason_of`: the exempting reason on record for (holder, item, day), "" where there is none.
    """

    bureau: str
    level: str
    places: Mapping[str, Place]
    roster: Sequence[Mapping[str, Any]] = ()
    recused: frozenset[tuple[str, str]] = frozenset()
    rules: Rules = Rules()
    histories: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    peace: Mapping[str, Sequence[Peace]] = field(default_factory=dict)
    checked: Mapping[str, Mapping[str, date]] = field(default_factory=dict)
    licences: Mapping[str, Period] = field(default_factory=dict)
    reason_of: Callable[[str, str, date], str] = lambda holder, item, on: ""

    def event(self, task: str, item: str, holder: str, on: date, visit: str, drawn: bool) -> Event:
        reason = self.reason_of(holder, item, on)
        return Event(on, item, item.split(".")[0], self.bureau, self.level, visit, task if drawn else "", reason=reason)


@dataclass(slots=True)
class _Year:
    """What has happened so far in a run: events by holder, the days items were checked by code."""

    histories: dict[str, list[Event]]
    checked: dict[str, dict[str, date]]


def simulate_once(rounds: Sequence[PlannedRound], ground: Ground, seed: int, run: int) -> dict[tuple[str, ...], int]:
    """One run's figures; the same `seed` and `run` give the same ones.

    ("draws", task, stratum), ("station", task, station): entities drawn, and ("short", task): fewer than the quota asks;
    ("distinct",): entities drawn in all; ("picks",): 户次 drawn; ("rider_checks",): (entity, rider item) pairs;
    ("visits", how): how = separate (every pick and rider check an entry of its own), uncoordinated (each task its
    own tickets, merged where they meet within a round), coordinated (as it will be);
    ("cap", stage, rule): passed over at the freeze (a cap's code, or a rule of a pool) or refused at the dispatch;
    ("load", inspector, month), ("unfilled",): slots.
    """
    figures: Counter[tuple[str, ...]] = Counter()
    year = _Year(
        {holder: list(events) for holder, events in ground.histories.items()}, {code: dict(days) for code, days in ground.checked.items()}
    )
    everybody: set[str] = set()
    for planned in rounds:
        picks: list[tuple[str, str]] = []
        apart: list[tuple[str, str]] = []
        for task in planned.tasks:
            passed_over = _excluded(planned, task, ground, year, figures)
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
        _work(planned, visits, ground, year, figures, seed, run)
    figures["distinct",] = len(everybody)
    figures["visits", "separate"] = figures["picks",] + figures["rider_checks",]
    return dict(figures)


def _key(seed: int, run: int, label: str) -> bytes:
    return hasher(SUITE)(f"mingcha simulation\n{seed}\n{run}\n{label}".encode())


def _excluded(planned: PlannedRound, task: PlannedTask, ground: Ground, year: _Year, figures: Counter[tuple[str, ...]]) -> list[bytes]:
    """The codes passed over, looked at on the first day of the window, as a pool is frozen before it."""
    on = planned.days[0]
    asked = year.histories.keys() | ground.peace.keys()
    found: dict[str, str] = {}
    for row in parse_pool(task.pool):
        holder = ground.places[row.code].holder
        if task.passed_over.get(row.code) == "listed":
            found[row.code] = "listed"
        elif (holder in asked or row.code in year.checked) and (rule := _used_up(task, ground, year, row.code, holder, on)):
            found[row.code] = rule
        elif row.code in task.passed_over:
            found[row.code] = task.passed_over[row.code]
        elif holder in asked:
            would = ground.event(task.task, task.item, holder, on, "", True)
            refusal = find_refusal(
                ground.rules, year.histories.get(holder, ()), would, licence=ground.licences.get(row.code), peace=ground.peace.get(holder, ())
            )
            if refusal:
                found[row.code] = refusal.rule
    for rule in found.values():
        figures["cap", "freeze", rule] += 1
    text = format_codes(found)
    return parse_codes(text) if text else []


def _used_up(task: PlannedTask, ground: Ground, year: _Year, code: str, holder: str, on: date) -> str:
    """The rule by which an item is not due again, "" where it is: the frequency of a grade, else once a calendar year."""
    last = year.checked.get(code, {}).get(task.item)
    this_year = last is not None and last.year == on.year
    if task.frequency is None:
        return "inspected_this_year" if this_year else ""
    often = task.frequency.get(task.grades.get(code, ""))
    if often is None:
        return "frequency" if this_year else ""
    if ground.reason_of(holder, task.item, on):
        return ""
    return "" if times_due(often, days_checked(year.histories.get(holder, ()), task.item), on) > 0 else "frequency"


def _draw(task: PlannedTask, passed_over: Sequence[bytes], key: bytes) -> dict[str, Any]:
    entry = {
        "task": task.task, "pool_size": task.pool.count(b"\n"), "rounding": task.rounding, "minimum": task.minimum, "reserve": 0,
    }  # fmt: skip
    return draw_task(SUITE, key, task.pool, passed_over, task.quota, entry)


def _work(
    planned: PlannedRound, visits: Sequence[PlannedVisit], ground: Ground, year: _Year, figures: Counter[tuple[str, ...]], seed: int, run: int
) -> None:
    """Visits get days, pass the caps again with their riders, are entered in the year and assigned."""
    tasks = {task.task: task for task in planned.tasks}
    items = {name: task.item for name, task in tasks.items()}
    days = plan_days(visits, planned.days)
    doors = [Door(one.id, one.place.code, one.place.holder, days[one.id], one.tasks) for one in visits]
    riders = {name: task.riders for name, task in tasks.items()}
    sent = dispatch_visits(ground.rules, year.histories, ground.peace, doors, items, riders, ground.event)
    for _, _, _, refusal in sent.dismissed:
        figures["cap", "dispatch", refusal.rule] += 1
    kept = [replace(one, tasks=sent.kept[one.id]) for one in visits if sent.kept[one.id]]
    for visit in kept:
        done = year.checked.setdefault(visit.place.code, {})
        done |= dict.fromkeys((*(items[name] for name in visit.tasks), *sent.riding[visit.id]), days[visit.id])
        figures["rider_checks",] += len(sent.riding[visit.id])
    figures["visits", "coordinated"] += len(kept)
    if ground.roster and kept:
        _assign(planned, kept, days, ground, figures, _key(seed, run, f"assign/{planned.round}"), tasks)


def _assign(
    planned: PlannedRound,
    visits: Sequence[PlannedVisit],
    days: Mapping[str, date],
    ground: Ground,
    figures: Counter[tuple[str, ...]],
    key: bytes,
    tasks: Mapping[str, PlannedTask],
) -> None:
    parties = {}
    for visit in visits:
        place = visit.place
        if all(tasks[name].inspects for name in visit.tasks):
            place = replace(place, station=ground.bureau, bureau=ground.bureau)
        needed: dict[str, set[str]] = {}
        for name in visit.tasks:
            for partner, qualifications in tasks[name].parties.items():
                needed.setdefault(partner, set()).update(qualifications)
        parties[visit.id] = [Party(replace(place, partner=partner), frozenset(needed[partner]), n == 0) for n, partner in enumerate(sorted(needed))]
    slots = make_slots(parties, ground.roster, ground.recused, planned.days[-1], SUITE)
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

"""The base of the year's ratio, the floor under it, and how far a plan is from it (DOMAIN.md 14a).

抽查比例 = distinct entities drawn in the year / entities of that kind on the register at last
year's end, those that filed no annual report included; per region, each with its own floor.
Before the draws only bounds of "distinct" are known, since samples overlap as much as they
can: at least the largest row, at most all rows together. A plan that meets its floor by the
lower bound meets it for certain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.bundle import WHOLE
from portal.domain.errors import WrongMoment

__all__ = [
    "Base", "Closing", "Group", "PlannedRow", "Reach", "Reached", "Standing", "closings", "count_base", "differentiated_share",
    "needed_of", "plan_reach", "reached", "require_base", "rider_reached"
]

Group = tuple[str, str]  # region, entity type


@dataclass(frozen=True, slots=True)
class Standing:
    """One entity on the register on the last day of a year; `reported`: filed its annual report of the year before."""

    code: str
    region: str
    type: str
    reported: bool = True


@dataclass(frozen=True, slots=True)
class Base:
    """The register frozen on the last day of `year`: totals by group, and how many of them had not reported."""

    year: int
    totals: Mapping[Group, int]
    silent: Mapping[Group, int]

    def total(self, region: str, type_: str) -> int:
        return self.totals.get((region, type_), 0)


def count_base(year: int, register: Iterable[Standing], current: Callable[[str], str] = str) -> Base:
    """The base at the end of `year`; `current` gives the successor of a region code that changed.

    Everybody on the register counts once, whether or not they reported.
    """
    totals: Counter[Group] = Counter()
    silent: Counter[Group] = Counter()
    for one in register:
        group = current(one.region), one.type
        totals[group] += 1
        silent[group] += not one.reported
    return Base(year, dict(sorted(totals.items())), {group: count for group, count in sorted(silent.items()) if count})


def require_base(base: Base | None, plan_year: int) -> Base:
    """WrongMoment where the base of last year's end is not frozen."""
    if base is None:
        raise WrongMoment(f"{plan_year - 1} 年底的期末实有数还没有冻结，不能计算 {plan_year} 年抽查比例。请先冻结基数（portal plan base）。")
    if base.year != plan_year - 1:
        raise WrongMoment(f"{plan_year} 年抽查比例以 {plan_year - 1} 年底期末实有数为基数，现有的是 {base.year} 年底的。请冻结 {plan_year - 1} 年底的基数。")
    return base


def needed_of(total: int, ppm: int) -> int:
    """How many distinct entities a floor asks for: never rounded down."""
    return -(-total * ppm // WHOLE)


# ---- the plan against the floor -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What a row of the plan will draw. `pool` and `drawn`: group -> entries in its pool, entries it will draw.

    `differentiated`: ratio or frequency differs by class; `professional`: 专业领域, left out of
    the differentiated share; `rides`: draws nobody itself; `at_most`: its ratio is a ceiling.
    """

    row: int
    name: str
    pool: Mapping[Group, int]
    drawn: Mapping[Group, int]
    differentiated: bool = False
    professional: bool = False
    rides: bool = False
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """A group's plan: `least` and `most` distinct entities; `floor_ppm` None where the profile sets none."""

    group: Group
    base: int
    floor_ppm: int | None
    needed: int
    least: int
    most: int

    @property
    def verdict(self) -> str:
        """met (for certain) | open (depends on how the samples overlap) | missed | none (no floor)."""
        if self.floor_ppm is None:
            return "none"
        if self.least >= self.needed:
            return "met"
        return "open" if self.most >= self.needed else "missed"

    @property
    def gap(self) -> int:
        """Entities missing for certainty, 0 when met."""
        return max(0, self.needed - self.least)


def plan_reach(base: Base, rows: Sequence[PlannedRow], floors: Mapping[Group, int]) -> list[Reach]:
    """Every group of the base, of the rows or with a floor, in order. Riders add nobody: they join others' visits."""
    drawing = [row for row in rows if not row.rides]
    groups = sorted({*base.totals, *floors, *(group for row in drawing for group, count in row.drawn.items() if count)})
    found = []
    for group in groups:
        total, ppm = base.total(*group), floors.get(group)
        counts = [row.drawn.get(group, 0) for row in drawing]
        needed = needed_of(total, ppm) if ppm is not None else 0
        found.append(Reach(group, total, ppm, needed, max(counts, default=0), sum(counts)))
    return found


@dataclass(frozen=True, slots=True)
class Closing:
    """A change that closes a group's gap for certain: the row draws `count` of its `pool`, a ratio of `ppm`."""

    row: int
    name: str
    drawn: int
    count: int
    ppm: int


def closings(reach: Reach, rows: Sequence[PlannedRow]) -> list[Closing]:
    """The rows that can close the gap alone, the smallest change first; none where no pool is large enough.

    One row's picks are distinct, so a row that draws `needed` meets the floor however samples overlap.
    Ceilings (不超过) and riders are left alone.
    """
    if not reach.gap:
        return []
    found = []
    for row in rows:
        pool, drawn = row.pool.get(reach.group, 0), row.drawn.get(reach.group, 0)
        if not row.rides and not row.at_most and pool >= reach.needed:
            found.append(Closing(row.row, row.name, drawn, reach.needed, -(-reach.needed * WHOLE // pool)))
    return sorted(found, key=lambda one: (one.count - one.drawn, one.ppm, one.row))


def differentiated_share(rows: Iterable[PlannedRow]) -> tuple[int, int]:
    """(picks that go by class, all picks), 专业领域 left out of both; riders have no picks."""
    part = whole = 0
    for row in rows:
        if row.rides or row.professional:
            continue
        count = sum(row.drawn.values())
        whole += count
        part += count if row.differentiated else 0
    return part, whole


# ---- the year's draws against the base ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reached:
    """A group's year so far: `distinct` entities drawn; of them `outside` were not in the base's group.

    `outside` are founded or moved in since; they count as drawn (14a) and are named beside it.
    """

    group: Group
    base: int
    needed: int
    distinct: int
    outside: int

    @property
    def ppm(self) -> int:
        """The ratio reached, rounded down, so that it never shows a floor as met that is not."""
        return self.distinct * WHOLE // self.base if self.base else 0


def reached(
    base: Base, floors: Mapping[Group, int], standing: Mapping[str, Group], drawn: Iterable[tuple[str, Group]]
) -> list[Reached]:
    """What the draws reached. `standing`: code -> group in the base; `drawn`: (code, group where it was drawn), any order, repeats allowed.

    An entity counts once, in its group of the base; one that is not in the base where it was
    first met in code order. So one that moved in mid-year counts for where it stood at year end.
    """
    where: dict[str, Group] = {}
    for code, group in sorted(drawn):
        where.setdefault(code, standing.get(code, group))
    distinct = Counter(where.values())
    outside = Counter(group for code, group in where.items() if code not in standing)
    return [
        Reached(group, base.total(*group), needed_of(base.total(*group), floors.get(group, 0)), distinct[group], outside[group])
        for group in sorted({*base.totals, *floors, *distinct})
    ]


def rider_reached(base: Base, riding: Mapping[Group, Iterable[str]], floors: Mapping[Group, int]) -> list[Reached]:
    """A rider's own ratio: entities on whose visits its item was checked, each once however many visits."""
    return [
        Reached(group, base.total(*group), needed_of(base.total(*group), floors.get(group, 0)), len(set(riding.get(group, ()))), 0)
        for group in sorted({*base.totals, *riding, *floors})
    ]

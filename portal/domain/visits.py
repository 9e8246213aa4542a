"""Picks of all tasks become one visit per (holder, site); visits get days and candidates.

Everything here is a function of the result and of what the round committed
(roster, sites, recusals, the rules for days and caps): nothing is chosen after the draw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a drawn entry is: `code` drawn, `holder` and `site` visited, `station` and `town` for the day.

    `bureau`: whose people go there beside the station's, "" where there is one bureau only.
    `partner`: the other department whose people go there instead (部门联合), "" for the bureau's own.
    """

    code: str
    holder: str
    site: str
    station: str
    town: str
    bureau: str = ""
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """One organisation's part in a visit: where it is as seen from there, the qualifications its items need.

    `lead`: whether its first slot is the visit's slot 0, which asks for a lead.
    """

    place: Place
    needed: frozenset[str]
    lead: bool = False


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """One visit to be made: every task whose sample met there, in code order."""

    id: str
    place: Place
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Combined:
    """`joined`: open visits of earlier rounds -> tasks that join them. `picks`: entity-visits drawn (户次)."""

    visits: tuple[PlannedVisit, ...]
    joined: Mapping[str, tuple[str, ...]]
    picks: int

    @property
    def avoided(self) -> int:
        """Visits that combining saved (少跑)."""
        return self.picks - len(self.visits) - len(self.joined)

    @property
    def most(self) -> int:
        """The most tasks met by one visit of this round."""
        return max((len(v.tasks) for v in self.visits), default=0)

    def sizes(self) -> dict[int, int]:
        """tasks combined -> visits."""
        return dict(sorted(Counter(len(v.tasks) for v in self.visits).items()))


def combine(
    round_id: str,
    picks: Iterable[tuple[str, str]],
    places: Mapping[str, Place],
    open_visits: Mapping[tuple[str, str], str],
) -> Combined:
    """(task, code) picks -> visits. `open_visits`: (holder, site) -> id of an open visit, which new tasks join.

    A visit's id is `<round>_<code>` with the smallest drawn code there, so it cannot be chosen.
    """
    met: dict[tuple[str, str], dict[str, set[str]]] = {}
    count = 0
    for task, code in picks:
        place = places[code]
        met.setdefault((place.holder, place.site), {}).setdefault(code, set()).add(task)
        count += 1
    visits: list[PlannedVisit] = []
    joined: dict[str, tuple[str, ...]] = {}
    for where, codes in met.items():
        tasks = tuple(sorted({task for found in codes.values() for task in found}, key=str.encode))
        if where in open_visits:
            joined[open_visits[where]] = tasks
        else:
            first = min(codes, key=str.encode)
            visits.append(PlannedVisit(f"{round_id}_{first}", places[first], tasks))
    visits.sort(key=lambda visit: visit.id.encode())
    return Combined(tuple(visits), dict(sorted(joined.items())), count)


def plan_days(visits: Sequence[PlannedVisit], days: Sequence[date]) -> dict[str, date]:
    """visit id -> provisional day: each station's visits by town and code, spread evenly over the working days."""
    by_station: dict[str, list[PlannedVisit]] = {}
    for visit in visits:
        by_station.setdefault(visit.place.station, []).append(visit)
    found: dict[str, date] = {}
    for station in sorted(by_station):
        ordered = sorted(by_station[station], key=lambda v: (v.place.town, v.id.encode()))
        for n, visit in enumerate(ordered):
            found[visit.id] = days[n * len(days) // len(ordered)]
    return found


# Eligibility -----------------------------------------------------------------


def eligible(
    person: Mapping[str, Any], *, place: Place, window_to: date, needed: Collection[str], recused: bool, lenders: Collection[str] = ()
) -> bool:
    """Whether a roster row may be drawn for a visit (DRAW.md section 5, R14).

    In force to the end of the window, every qualification the items need, of the place's
    station or of its bureau itself (or of a station in `lenders`), and not recused.
    """
    district = in_district(person, place) or (not place.partner and person["organisation"] in lenders)
    return district and not recused and in_force(person, window_to) and set(needed) <= set(person["qualifications"])


def in_force(person: Mapping[str, Any], window_to: date) -> bool:
    return bool(person["status"] == "有效" and person["certificate"] and person["until"] >= window_to.isoformat())


def in_district(person: Mapping[str, Any], place: Place) -> bool:
    if place.partner or person.get("partner"):  # each department of a joint visit sends its own people
        return person["organisation"] == place.partner
    if person["station"]:
        return person["organisation"] == place.station
    return not place.bureau or person.get("bureau", place.bureau) == place.bureau  # rosters of one bureau did not name it


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a slot stays empty: of the people of the district how many each rule keeps away, and who elsewhere would be eligible.

    `rules` are counted in this order, each person under the first that applies: certificate, qualification, recused, on_visit
    (holds the other slot), lead (slot 0 asks for one); `free`: nothing keeps them away. `lenders`: station -> people.
    """

    people: int
    rules: Mapping[str, int]
    free: int
    lenders: Mapping[str, int]


def find_lack(
    roster: Sequence[Mapping[str, Any]], place: Place, *, lead: bool, window_to: date, needed: Collection[str],
    recused: Collection[str], on_visit: Collection[str],
) -> Lack:  # fmt: skip
    """`recused` and `on_visit` are codes of inspectors; `lead`: whether the slot asks for a lead."""
    rules: Counter[str] = Counter()
    lenders: Counter[str] = Counter()
    people = 0
    for person in roster:
        code = person["code"]
        checks = (
            ("certificate", not in_force(person, window_to)), ("qualification", not set(needed) <= set(person["qualifications"])),
            ("recused", code in recused), ("on_visit", code in on_visit), ("lead", lead and not person["lead"]),
        )  # fmt: skip
        failed = next((rule for rule, fails in checks if fails), "free")
        if in_district(person, place):
            people += 1
            rules[failed] += 1
        elif failed == "free" and person["station"] and not place.partner:
            lenders[person["organisation"]] += 1
    free = rules.pop("free", 0)
    return Lack(people, dict(rules), free, dict(sorted(lenders.items())))


def make_slots(
    parties: Mapping[str, Sequence[Party]],
    roster: Sequence[Mapping[str, Any]],
    recused: Collection[tuple[str, str]],
    window_to: date,
    suite: str,
    lenders: Collection[str] = (),
) -> dict[str, Any]:
    """`slots.json` without K: two slots for each party of a visit, one after the other.

    `parties`: visit id -> whose people go; `recused`: (inspector code, entity code); `lenders`: stations whose people go everywhere.
    So a joint visit has two people of each department, which the format of DRAW.md section 5 takes as it is: each slot has
    candidates of its own. The cap is the same for everybody who is a candidate anywhere: slots over
    candidates, rounded up, so that the load is even (the draw raises it where it must).
    """
    pairs = set(recused)
    slots: dict[str, list[list[str]]] = {}
    candidates: set[str] = set()
    for visit in sorted(parties, key=str.encode):
        slots[visit] = []
        for party in parties[visit]:
            able = [
                person for person in roster
                if eligible(
                    person, place=party.place, window_to=window_to, needed=party.needed, recused=(person["code"], party.place.code) in pairs, lenders=lenders
                )
            ]  # fmt: skip
            slots[visit] += [[p["code"] for p in able if p["lead"] or not party.lead], [p["code"] for p in able]]
            candidates.update(p["code"] for p in able)
    places = sum(map(len, slots.values()))
    cap = -(-places // len(candidates)) if candidates else 0
    return {"suite": suite, "slots": slots, "caps": {code: cap for code in sorted(candidates)}}

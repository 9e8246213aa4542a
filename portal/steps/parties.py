"""Whose people a round sends to which visits: its bureau's, and those of other departments with a part in a joint check.

Each organisation with an item on a visit is sent two people of its own. A round sends those
whose part its tasks brought: to the visits it made, and to open visits of earlier rounds
that its tasks joined where the organisation was not going anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.ratios import inspects_itself
from portal.domain.visits import Party, Place
from portal.steps.caps import level_of
from portal.steps.catalogue import load_item
from portal.store import accounts, plan, year
from portal.store import visits as store

PEOPLE = 2  # of each organisation


@dataclass(frozen=True, slots=True)
class Sent:
    """A visit to which a round sends people: `parties` in slot order, the first slot of them being number `first` of the visit."""

    visit: Mapping[str, Any]
    first: int
    parties: tuple[Party, ...]

    @property
    def code(self) -> str:
        return self.visit["code"]

    @property
    def slots(self) -> int:
        return PEOPLE * len(self.parties)


def name_in_slots(round_code: str, visit_code: str) -> str:
    """What a round's slots.json calls a visit: `<round>_<code>` (DRAW.md section 5); behind that, of a visit of another round, that one's number."""
    made, _, rest = visit_code.partition("_")
    return visit_code if made == round_code else f"{round_code}_{rest}_{made.rpartition('-')[2]}"


async def load_sent(round_: Mapping[str, Any]) -> dict[str, Sent]:
    """Name in slots.json -> who is sent to which visit by this round, in code order; visits it joined where nobody is missing are left out."""
    visits = await store.load_own_visits(round_["id"])
    own = {visit["id"] for visit in visits}
    visits += [visit for visit in await store.load_visits_of(round_["id"]) if visit["id"] not in own and visit["state"] != "closed"]
    links = await store.load_links([visit["id"] for visit in visits])
    carried = await store.load_tasks_of_visits(links)
    tasks = await plan.load_tasks_by_id({task for found in links.values() for task, _ in found})
    left_out = await year.load_left_out(tasks)
    organisations = await accounts.load_organisations()
    codes = {o["id"]: o["code"] for o in organisations}
    partners = {o["id"]: o["code"] for o in organisations if o["kind"] == "partner"}
    bureaus = {o["id"]: codes[accounts.bureaus_of(organisations, o["id"])[0]] for o in organisations}
    ours = await inspected_by_drawer(tasks)
    of_round = await store.load_tasks_of_round(round_["id"])
    found = {}
    for visit in sorted(visits, key=lambda visit: visit["code"].encode()):
        before, brought = _sides(links[visit["id"]], of_round, partners)
        new = brought if visit["id"] in own else [side for side in brought if side not in before]
        if not new:
            continue
        going = carried.get(visit["id"], [])
        # The people of the place's own bureau go (市抽县查), unless every task of the visit keeps its inspection (市抽市查).
        station = round_["organisation"] if set(going) <= ours else visit["organisation"]
        place = Place(visit["entity_code"], visit["holder"], visit["site"], codes[station], visit["town"], bureaus[station])
        needed: dict[str, set[str]] = {}
        for task in going:
            owners = plan.owners_of(tasks[task])
            for code, version in plan.items_of(tasks[task]):
                if (task, visit["entity_code"], code) not in left_out:
                    needed.setdefault(partners.get(owners[code], ""), set()).update({(await load_item(code, version)).qualification} - {""})
        first = 0 if visit["id"] in own else PEOPLE * len(before)
        parties = (Party(replace(place, partner=side), frozenset(needed.get(side, ())), first + n == 0) for n, side in enumerate(new))
        found[name_in_slots(round_["code"], visit["code"])] = Sent(visit, first, tuple(parties))
    return found


async def load_sides(visit: int) -> list[str]:
    """Whose people go to a visit, in the order of its slots, two each: "" the bureau's, else a partner's code."""
    partners = {o["id"]: o["code"] for o in await accounts.load_organisations() if o["kind"] == "partner"}
    return list(dict.fromkeys(partners.get(organisation, "") for _, organisation in (await store.load_links([visit])).get(visit, ())))


def _sides(links: Sequence[tuple[int, int]], of_round: Collection[int], partners: Mapping[int, str]) -> tuple[set[str], list[str]]:
    """(sides that were there before this round's tasks came, sides its tasks have): "" the bureau's, else a partner's code.

    In the order in which they came, so that what comes later never moves a slot that is filled.
    """
    first = next((n for n, (task, _) in enumerate(links) if task in of_round), len(links))
    before = {partners.get(organisation, "") for _, organisation in links[:first]}
    return before, list(dict.fromkeys(partners.get(organisation, "") for task, organisation in links if task in of_round))


async def inspected_by_drawer(tasks: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """Tasks that the bureau of their plan draws and inspects itself, by the words of their rows (市抽市查)."""
    levels = {o["id"]: level_of(o["region"]) for o in await accounts.load_organisations()}
    words = {
        (number, row["row"]): row["data"].get("drawn_by_text", "")
        for number in {task["plan"] for task in tasks.values()}
        for row in await plan.load_plan_rows(number)
    }
    return {
        one for one, task in tasks.items()
        if levels[task["organisation"]] != "county" and inspects_itself(words.get((task["plan"], task["row"]), ""), levels[task["organisation"]])
    }  # fmt: skip

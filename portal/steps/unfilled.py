"""Slots that nobody holds: which rule keeps whom away, and who could be lent."""

from __future__ import annotations

import json
from typing import Any

from portal.domain.visits import find_lack
from portal.steps.acting import Acting
from portal.steps.assign import emptied_slots, held_now, load_recusals
from portal.steps.parties import PEOPLE, load_sent
from portal.store import accounts, directory, draw
from portal.store import visits as store


async def load_unfilled(act: Acting, round_code: str) -> dict[str, Any] | None:
    """What a refill of the round would draw now, and why those slots are empty; None of a round not assigned yet.

    {"n": the last run, "slots": [{"visit", "slot", "entity", "held", "needed", "lack", "partner"}], "holders": [{"code", "number", "name",
    "station", "slots"}] (whoever has visits not begun), "lenders": [{"code", "name", "people", "slots"}]}.
    """
    act.require("round.read")
    round_ = await draw.load_round(round_code, act.line)
    runs = await store.load_runs(round_["id"])
    if not runs:
        return None
    sent = await load_sent(round_)
    now = held_now(runs, sent)
    recusals = await load_recusals(act, round_)
    emptied = emptied_slots(sent, now, (), recusals)
    visits = {name: one.visit for name, one in sent.items()}
    entities = await directory.load_entities({visits[code]["entity_code"] for code, _ in emptied})
    roster = json.loads(round_["roster"])["roster"]
    people = {row["code"]: row for row in await directory.load_inspectors(act.line | act.joint)}
    stations = {o["code"]: o["name"] for o in await accounts.load_organisations()}
    slots = []
    lending: dict[str, list[int]] = {}
    for code, n in emptied:
        visit = visits[code]
        party = sent[code].parties[n // PEOPLE]
        lack = find_lack(
            roster, party.place, lead=party.lead and n % PEOPLE == 0, window_to=round_["window_to"], needed=party.needed,
            recused={who for who, entity in recusals if entity == visit["entity_code"]},
            on_visit={who for m, who in enumerate(now[code]) if who and m != n},
        )  # fmt: skip
        for station, many in lack.lenders.items():
            lending.setdefault(station, []).append(many)
        slots.append({
            "visit": visit, "slot": sent[code].first + n, "entity": entities.get(visit["entity_code"]), "needed": sorted(party.needed), "lack": lack,
            "partner": stations.get(party.place.partner, ""),
            "held": people.get(now[code][n] or "", {}).get("name", ""),
        })  # fmt: skip
    holding: dict[str, int] = {}
    for code, visit in visits.items():
        if visit["state"] == "open" and not visit["arrived_at"]:
            for who in now.get(code, ()):
                if who:
                    holding[who] = holding.get(who, 0) + 1
    return {
        "round": round_, "n": runs[-1]["n"], "slots": slots, "names": stations,
        "holders": [
            {"code": who, "number": people[who]["number"], "name": people[who]["name"], "organisation": people[who]["organisation"], "slots": holding[who]}
            for who in sorted(holding) if who in people
        ],
        "lenders": [
            {"code": station, "name": stations.get(station, station), "people": max(many), "slots": len(many)} for station, many in sorted(lending.items())
        ],
    }  # fmt: skip

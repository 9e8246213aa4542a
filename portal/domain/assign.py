"""Inspectors to visits: the second random (DRAW.md section 5).

`slots.json` is `{"suite", "K", "slots": {visit: [[eligible inspectors], ...]}, "caps": {inspector: most slots}}`,
`assigned.json` is `{"assigned": {visit: [inspector | null, ...]}, "raised": {inspector: n}, "unfilled": [[visit, slot], ...]}`.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.domain.bundle import (
    SUITES,
    Document,
    canonical,
    hash_each,
    parse_canonical,
    refuse,
    require_count,
    require_hex,
    require_id,
    require_keys,
    require_list,
    require_one_of,
    require_unique,
)

LEAST_SLOTS = 2  # on-site inspection takes two officers


def require_slots(value: object) -> Document:
    """A `slots.json` document, every field checked."""
    what = "slots.json"
    found = require_keys(value, ("suite", "K", "slots", "caps"), what)
    require_one_of(found["suite"], SUITES, f"{what} 的“suite”")
    require_hex(found["K"], f"{what} 的“K”")
    caps = require_keys(found["caps"], (), f"{what} 的“caps”", more=True)
    for inspector, cap in caps.items():
        require_id(inspector, f"{what} 的检查人员")
        require_count(cap, f"检查人员“{inspector}”的上限")
    for visit, slots in require_keys(found["slots"], (), f"{what} 的“slots”", more=True).items():
        require_id(visit, f"{what} 的检查编号")
        if len(require_list(slots, f"检查“{visit}”的席位")) < LEAST_SLOTS:
            refuse(f"检查“{visit}”只有 {len(slots)} 个席位，至少要 {LEAST_SLOTS} 个。")
        for candidates in slots:
            for inspector in require_list(candidates, f"检查“{visit}”的候选人"):
                if not isinstance(inspector, str) or inspector not in caps:  # whose keys are ids
                    require_id(inspector, f"检查“{visit}”的候选人")
                    refuse(f"检查“{visit}”的候选人“{inspector}”没有写明上限（caps）。")
            if len(set(candidates)) < len(candidates):
                require_unique(candidates, f"检查“{visit}”的候选人")
    return found


def parse_slots(data: bytes) -> Document:
    """The document of a `slots.json`."""
    return require_slots(parse_canonical(data, "slots.json"))


def assign(slots: Mapping[str, Any]) -> Document:
    """`assigned.json` as a document, of a checked `slots.json` document."""
    open_slots = [
        (visit, number, candidates) for visit, rows in slots["slots"].items() for number, candidates in enumerate(rows)
    ]
    matching = _match(slots["suite"], bytes.fromhex(slots["K"]), open_slots, slots["caps"])
    assigned: Document = {visit: [None] * len(rows) for visit, rows in slots["slots"].items()}
    for (visit, number), inspector in matching.filled().items():
        assigned[visit][number] = inspector
    return {"assigned": assigned, "raised": matching.raised, "unfilled": matching.unfilled()}


def assign_file(slots_json: bytes) -> bytes:
    """Canonical `assigned.json` from the bytes of a `slots.json`."""
    return canonical(assign(parse_slots(slots_json)))


def refill(
    slots: Mapping[str, Any],
    assigned: Mapping[str, Sequence[str | None]],
    emptied: Collection[tuple[str, int]],
    absent: Collection[str] = (),
) -> Document:
    """The assignment run again on `emptied` slots alone: `{"assigned", "raised", "unfilled"}`, only emptied slots move.

    `slots` is the document to fill from (eligibility may have changed since), `assigned` what holds now;
    whoever holds an emptied slot loses it. Slots keep their numbers and K is the same, so nothing can be
    tried twice. `absent` are no candidates at all. Candidates on the visit already are left out; caps are
    lowered by what each holds, not below 0.
    """
    empty = set(emptied)
    for visit, number in sorted(empty):
        if visit not in slots["slots"] or not 0 <= number < len(slots["slots"][visit]):
            refuse(f"检查“{visit}”没有第 {number} 号席位（席位从 0 数起）。")
    kept = {
        visit: [None if (visit, number) in empty else who for number, who in enumerate(row)]
        for visit, row in assigned.items()
    }
    holds: dict[str, int] = {}
    for row in kept.values():
        for who in row:
            if who is not None:
                holds[who] = holds.get(who, 0) + 1
    open_slots = [
        (visit, number, [who for who in rows[number] if who not in kept.get(visit, ()) and who not in absent])
        for visit, rows in slots["slots"].items()
        for number in range(len(rows))
        if (visit, number) in empty
    ]
    caps = {who: max(0, cap - holds.get(who, 0)) for who, cap in slots["caps"].items()}
    matching = _match(slots["suite"], bytes.fromhex(slots["K"]), open_slots, caps)
    for (visit, number), inspector in matching.filled().items():
        kept[visit][number] = inspector
    return {"assigned": kept, "raised": matching.raised, "unfilled": matching.unfilled()}


# ---- the matching -------------------------------------------------------------------------


@dataclass(slots=True)
class _Matching:
    """Slots are known by their place in processing order; `holder[place]` is who has it."""

    places: list[tuple[str, int]]
    candidates: list[list[str]]
    caps: dict[str, int]
    holder: list[str | None]
    held: dict[str, list[int]]  # places of each inspector, in processing order
    on_visit: dict[str, dict[str, int]]  # visit -> inspector -> place
    raised: dict[str, int] = field(default_factory=dict)

    def filled(self) -> dict[tuple[str, int], str]:
        return {place: who for place, who in zip(self.places, self.holder, strict=True) if who is not None}

    def unfilled(self) -> list[list[Any]]:
        return [list(place) for place, who in zip(self.places, self.holder, strict=True) if who is None]


def _match(
    suite: str, key: bytes, open_slots: Sequence[tuple[str, int, Sequence[str]]], caps: Mapping[str, int]
) -> _Matching:
    visits = sorted({visit for visit, _, _ in open_slots})
    rank = dict(zip(visits, hash_each(suite, key, (visit.encode() for visit in visits)), strict=True))
    ordered = sorted(open_slots, key=lambda slot: (slot[1], rank[slot[0]]))
    state = _Matching(
        places=[(visit, number) for visit, number, _ in ordered],
        candidates=[_in_order(suite, key, visit, candidates) for visit, _, candidates in ordered],
        caps=dict(caps),
        holder=[None] * len(ordered),
        held={inspector: [] for inspector in caps},
        on_visit={visit: {} for visit in visits},
    )
    for place in range(len(ordered)):
        _fill(state, place)
    return state


def _in_order(suite: str, key: bytes, visit: str, candidates: Sequence[str]) -> list[str]:
    ranks = hash_each(suite, key + visit.encode() + b"|", (inspector.encode() for inspector in candidates))
    return [inspector for _, inspector in sorted(zip(ranks, candidates, strict=True))]


def _fill(state: _Matching, place: int) -> None:
    on_visit = state.on_visit[state.places[place][0]]
    for inspector in state.candidates[place]:
        if len(state.held[inspector]) < state.caps[inspector] and inspector not in on_visit:
            _apply(state, [(place, inspector)])
            return
    while True:
        moves, seen = _augmenting_path(state, place)
        if moves:
            _apply(state, moves)
            return
        if not seen:
            return
        for inspector in seen:
            state.caps[inspector] += 1
            state.raised[inspector] = state.raised.get(inspector, 0) + 1


def _augmenting_path(state: _Matching, start: int) -> tuple[list[tuple[int, str]], list[str]]:
    """(moves, seen): a breadth-first search for a chain of hand-overs that ends at somebody below the cap."""
    led_here: dict[int, tuple[int, str] | None] = {start: None}
    queue = [start]
    seen: dict[str, None] = {}
    for place in queue:  # the queue grows while it is read
        on_visit = state.on_visit[state.places[place][0]]
        for inspector in state.candidates[place]:
            if inspector in on_visit:
                own = on_visit[inspector]
                if own not in led_here:  # this very slot is in led_here already
                    led_here[own] = (place, inspector)
                    queue.append(own)
                continue
            if inspector in seen:
                continue
            seen[inspector] = None
            if len(state.held[inspector]) < state.caps[inspector]:
                moves = [(place, inspector)]
                while (before := led_here[moves[-1][0]]) is not None:
                    moves.append(before)
                return moves, []
            for held in state.held[inspector]:
                if held not in led_here:
                    led_here[held] = (place, inspector)
                    queue.append(held)
    return [], list(seen)


def _apply(state: _Matching, moves: Sequence[tuple[int, str]]) -> None:
    """Take the path's slots from their holders first, then give each its new inspector."""
    for place, _ in moves:
        if (holder := state.holder[place]) is not None:
            state.held[holder].remove(place)
            del state.on_visit[state.places[place][0]][holder]
    for place, inspector in moves:
        state.holder[place] = inspector
        insort(state.held[inspector], place)
        state.on_visit[state.places[place][0]][inspector] = place

"""Visits go through the caps before they are made: the office and a simulation of it ask here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.domain.caps import Event, Peace, Refusal, Rules, find_refusal

__all__ = ["Dispatch", "Door", "dispatch_visits"]

#: (task, item, holder, day, visit, whether the task drew it for this item) -> the event that would happen
EventOf = Callable[[str, str, str, date, str, bool], Event]


@dataclass(frozen=True, slots=True)
class Door:
    """A visit as it would be made: at whose door, on which day, for which tasks."""

    visit: str
    code: str
    holder: str
    on: date
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """`kept`: visit -> its tasks that may go, none where none may; `riding`: visit -> items that join them.

    `dismissed`: (task, code, item or "" for the whole pick, why), in the order in which they were asked.
    """

    kept: Mapping[str, tuple[str, ...]]
    riding: Mapping[str, tuple[str, ...]]
    dismissed: tuple[tuple[str, str, str, Refusal], ...]


def dispatch_visits(
    rules: Rules,
    histories: dict[str, list[Event]],
    peace: Mapping[str, Sequence[Peace]],
    doors: Iterable[Door],
    items: Mapping[str, str],
    riders: Mapping[str, Sequence[str]],
    event_of: EventOf,
) -> Dispatch:
    """Every visit's items through the caps, one after the other, own items before riders; a rider goes only where its host does.

    `items`, `riders`: of each task its own item and those that join its visits. `histories` (by holder) grow by what is let in.
    """
    kept: dict[str, tuple[str, ...]] = {}
    riding: dict[str, tuple[str, ...]] = {}
    dismissed: list[tuple[str, str, str, Refusal]] = []

    def refused(event: Event, holder: str) -> Refusal | None:
        history = histories.setdefault(holder, [])
        refusal = find_refusal(rules, history, event, peace=peace.get(holder, ()))
        if refusal is None:
            history.append(event)
        return refusal

    for door in doors:
        going: list[str] = []
        for task in door.tasks:
            if refusal := refused(event_of(task, items[task], door.holder, door.on, door.visit, True), door.holder):
                dismissed.append((task, door.code, "", refusal))
            else:
                going.append(task)
        own = {items[task] for task in going}
        joined: dict[str, None] = {}
        for task in going:
            for item in riders[task]:
                if item in own:
                    continue
                if refusal := refused(event_of(task, item, door.holder, door.on, door.visit, False), door.holder):
                    dismissed.append((task, door.code, item, refusal))
                else:
                    joined[item] = None
        kept[door.visit], riding[door.visit] = tuple(going), tuple(joined)
    return Dispatch(kept, riding, tuple(dismissed))

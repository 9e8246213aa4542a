"""Which of a visit's items go along when some of its tasks get a visit of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from portal.domain.errors import BadInput

__all__ = ["last_day", "settle_items"]

Carried = Mapping[str, Sequence[str]]  # task -> its items, the one it was drawn for first


def settle_items(kept: Carried, moved: Carried) -> list[tuple[str, str]]:
    """(task, item) left out on its own visit, since the other visit checks it: nothing is checked twice because a visit was split.

    An item goes with the task that was drawn for it; one that only rides along stays where it was. Raises BadInput where tasks
    on both sides were drawn for one item.
    """
    of_kept, of_moved = ({items[0]: task for task, items in side.items()} for side in (kept, moved))
    if both := sorted(of_kept.keys() & of_moved.keys()):
        raise BadInput(f"任务 {of_kept[both[0]]} 和 {of_moved[both[0]]} 查的是同一事项，不能分到两次入企，请一起移或者一起留。")
    met = {item for items in kept.values() for item in items}
    left = []
    for task, items in moved.items():
        left += [(task, item) for item in items if item in met and item not in of_moved]
    going = {item for item in of_moved if item in met}
    return left + [(task, item) for task, items in kept.items() for item in items if item in going]


def last_day(today: date, windows: Sequence[date]) -> date:
    """The last day a part may be set for: the earliest end of its tasks' windows, or today where that has passed."""
    return max(min(windows), today)

"""Follow-ups and their steps: pages of them, one with its history, and the steps as they are taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from piccolo.columns.combination import And
from piccolo.query.functions.aggregate import Count

from portal.store.accounts import within
from portal.store.tables import FollowUp, FollowUpEvent

__all__ = ["count_follow_ups", "load_chain", "load_events", "load_follow_up_page", "save_follow_up", "save_step"]

_OPEN = ("open", "issued", "answered")


def _states(state: str) -> Sequence[str]:
    """`open` asked for alone means every state that is not closed; `todo` is the first of them."""
    return {"open": _OPEN, "todo": ("open",)}.get(state, (state,))


async def load_follow_up_page(
    seen: Collection[int], state: str, limit: int, *, kind: str = "", until: date | None = None, undated: bool = False, inspector: int | None = None
) -> list[dict[str, Any]]:
    """Follow-ups in reach: open ones by the day they are due (those without one last), closed ones the latest first.

    `state`: open (all not closed) | todo | issued | answered | closed. `until`: due by then. `inspector`: who entered the record.
    """
    reached = And(And(within(FollowUp.record.organisation, seen), FollowUp.state.is_in(list(_states(state)))), FollowUp.kind != "none")
    if kind:
        reached = And(reached, FollowUp.kind == kind)
    if inspector is not None:
        reached = And(reached, FollowUp.record.recorder == inspector)
    columns = (
        FollowUp.all_columns(), FollowUp.record.visit.code, FollowUp.record.visit.entity_code, FollowUp.record.recorder, FollowUp.record.organisation.name,
        FollowUp.closed_by.name,
    )  # fmt: skip

    async def found(where: And, most: int, *order: Any, ascending: bool = True) -> list[dict[str, Any]]:
        return await FollowUp.select(*columns).where(where).order_by(*order, ascending=ascending).limit(most).run() if most > 0 else []

    if state == "closed":
        return await found(reached, limit, FollowUp.closed_at, FollowUp.id, ascending=False)
    due = []
    if not undated:
        dated = And(reached, FollowUp.due_on <= until) if until else And(reached, FollowUp.due_on.is_not_null())
        due = await found(dated, limit, FollowUp.due_on, FollowUp.id)
    return due if until else due + await found(And(reached, FollowUp.due_on.is_null()), limit - len(due), FollowUp.id)


async def count_follow_ups(seen: Collection[int]) -> dict[str, int]:
    """Counts by state."""
    where = And(within(FollowUp.record.organisation, seen), FollowUp.kind != "none")
    rows = await FollowUp.select(FollowUp.state, Count(FollowUp.id)).where(where).group_by(FollowUp.state).run()
    return {row["state"]: row["count"] for row in rows}


async def load_chain(record: int) -> list[dict[str, Any]]:
    """All follow-ups of one record in the order they came, with who confirmed and who closed each."""
    columns = (FollowUp.all_columns(), FollowUp.confirmed_by.name, FollowUp.closed_by.name)
    return await FollowUp.select(*columns).where(FollowUp.record == record).order_by(FollowUp.id).run()


async def load_events(follow_up: int) -> list[dict[str, Any]]:
    rows = FollowUpEvent.select(FollowUpEvent.all_columns(), FollowUpEvent.by.name).where(FollowUpEvent.follow_up == follow_up)
    return await rows.order_by(FollowUpEvent.n).run()


async def save_follow_up(row: Mapping[str, Any]) -> int:
    """A new one; its id."""
    return (await FollowUp.insert(FollowUp(**row)).run())[0]["id"]


async def save_step(row: Mapping[str, Any], act: str, values: Mapping[str, Any], *, on: date, note: str, by: int, at: datetime) -> bool:
    """Change a follow-up that is still in the state it was read in, and keep the step; False where somebody was first."""
    changed = FollowUp.update(**{"state": row["state"], **values}).where(And(FollowUp.id == row["id"], FollowUp.state == row["state"]))
    if not await changed.returning(FollowUp.id).run():
        return False
    n = len(await FollowUpEvent.select(FollowUpEvent.id).where(FollowUpEvent.follow_up == row["id"]).run()) + 1
    state, due_on = values.get("state", row["state"]), values.get("due_on", row["due_on"])
    await FollowUpEvent.insert(FollowUpEvent(follow_up=row["id"], n=n, act=act, on=on, note=note, state=state, due_on=due_on, by=by, at=at)).run()
    return True

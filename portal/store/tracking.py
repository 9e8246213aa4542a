"""What became of a plan's picks: drawn, visited, checked, published, followed up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from piccolo.columns.combination import And

from portal.store.draw import WORKED, without_struck
from portal.store.tables import Dismissal, Finding, FollowUp, Pick, Publication, Round, VisitTask
from portal.store.visits import load_closed_links

PART = 500


async def load_drawn_on(tasks: Collection[int]) -> dict[int, Any]:
    """task -> the instant its live round was drawn."""
    rows = await Pick.select(Pick.task, Pick.round).where(Pick.task.is_in(sorted(tasks) or [-1])).run()
    rounds = {row["id"]: row["drawn_at"] for row in await Round.select(Round.id, Round.drawn_at, Round.state).run() if row["state"] != "void"}
    return {row["task"]: rounds[row["round"]] for row in rows if row["round"] in rounds}


async def load_picked(tasks: Collection[int]) -> list[tuple[int, str]]:
    """(task, code) of all drawn or put in as replacements, those that caps dismissed and those struck left out."""
    where = And(Pick.task.is_in(sorted(tasks) or [-1]), Pick.kind.is_in([*WORKED, "struck"]))
    rows = without_struck(await Pick.select(Pick.task, Pick.code, Pick.kind).where(where).run())
    dismissed = await Dismissal.select(Dismissal.task, Dismissal.code).where(
        And(Dismissal.task.is_in(sorted(tasks) or [-1]), Dismissal.item_code == "")
    ).run()
    gone = {(row["task"], row["code"]) for row in dismissed}
    return sorted({(row["task"], row["code"]) for row in rows} - gone)


async def load_carried(tasks: Collection[int]) -> list[dict[str, Any]]:
    """(task, visit, visit code, entity_code, organisation) of the visits that carry these tasks."""
    rows = await VisitTask.select(
        VisitTask.task, VisitTask.visit, VisitTask.visit.code, VisitTask.visit.entity_code
    ).where(VisitTask.task.is_in(sorted(tasks) or [-1])).run()
    closed = await load_closed_links()
    once = {(row["visit"], row["task"]): row for row in rows}  # a joint task has a line for each organisation
    return [
        {"task": row["task"], "visit": row["visit"], "visit_code": row["visit.code"], "entity_code": row["visit.entity_code"]}
        for key, row in once.items()
        if key not in closed
    ]


async def load_findings(visits: Collection[int]) -> list[dict[str, Any]]:
    """(visit, item_code, record, inspected_on, outcome) of approved findings."""
    found: list[dict[str, Any]] = []
    ids = sorted(visits)
    for start in range(0, len(ids), PART):
        found += await Finding.select(
            Finding.visit, Finding.item_code, Finding.record, Finding.inspected_on, Finding.outcome
        ).where(Finding.visit.is_in(ids[start : start + PART])).run()
    return found


async def load_published(visit_codes: Collection[str]) -> dict[str, Any]:
    """visit code -> the instant its results were first published."""
    found: dict[str, Any] = {}
    codes = sorted(visit_codes)
    for start in range(0, len(codes), PART):
        where = And(Publication.kind == "result", Publication.key.is_in(codes[start : start + PART]))
        for row in await Publication.select(Publication.key, Publication.published_at, Publication.version).where(where).run():
            if row["version"] == 1:
                found[row["key"]] = row["published_at"]
    return found


async def load_follow_ups(records: Collection[int]) -> list[dict[str, Any]]:
    """(record, closed_on, and what domain.follow_ups.due_of reads) of confirmed follow-ups."""
    found: list[dict[str, Any]] = []
    ids = sorted(records)
    for start in range(0, len(ids), PART):
        found += await FollowUp.select(FollowUp.record, FollowUp.due_on, FollowUp.due_days, FollowUp.counts_on, FollowUp.closed_on).where(
            FollowUp.record.is_in(ids[start : start + PART])
        ).run()
    return found

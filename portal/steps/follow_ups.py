"""后续处置: what a review confirmed is carried out and closed, each with the day and how it was settled."""

from __future__ import annotations

from datetime import date
from typing import Any

from portal.domain.errors import BadInput, Problem, WrongMoment
from portal.steps.acting import Acting
from portal.store import directory
from portal.store import records as store
from portal.store.engine import transaction

__all__ = ["LONGEST", "close_follow_up", "load_follow_ups"]

LONGEST = 300  # characters of how it was settled


async def load_follow_ups(act: Acting, state: str, limit: int) -> list[dict[str, Any]]:
    """Follow-ups in reach that are `open` (first those due first) or `closed`: row, entity's name, whether it is late."""
    act.require("record.read")
    rows = await store.load_follow_up_page(act.tree, state, limit)
    names = await directory.load_entities({row["record.visit.entity_code"] for row in rows})
    return [
        {**row, "entity": names.get(row["record.visit.entity_code"]), "late": state == "open" and row["due_on"] is not None and row["due_on"] < act.today}
        for row in rows
    ]


async def close_follow_up(act: Acting, follow_up: int, on: date, result: str) -> None:
    """Close an open follow-up of a record in reach; published results say so with the next publication.

    `on`: the day it was settled, from the check to today; `result`: how, for the file, never public.
    """
    act.require("record.close")
    async with transaction():
        row = await store.load_follow_up(follow_up, act.tree)
        record = await store.lock_record(row["record"], act.tree)
        row = await store.load_follow_up(follow_up, act.tree)
        problems = []
        if not result.strip():
            problems.append(Problem("result", "请写明怎样办结的，例如“7月10日复查，已改正”。"))
        elif len(result) > LONGEST:
            problems.append(Problem("result", f"办结情况有 {len(result)} 个字，最多 {LONGEST} 个。"))
        if on > act.today or on < record["inspected_on"]:
            problems.append(Problem("on", f"办结日期 {on} 应在检查日期 {record['inspected_on']} 到今天之间。"))
        if problems:
            raise BadInput("后续处置没有办结，请按提示修改。", problems)
        if not await store.save_follow_up_closed(follow_up, on, result.strip(), act.account, act.now):
            raise WrongMoment("这项后续处置已经办结，请刷新后再看。")
        await act.audit("record.close", f"{record['id']}/{follow_up}", on=on.isoformat())

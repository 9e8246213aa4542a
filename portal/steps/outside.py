"""Lists drawn elsewhere (外部抽取), worked like our own: taken as picks, then combined, dispatched and assigned.

A taken list is a round of its own in state `external`: nothing of it was drawn here, so it
has no commitment, no seed and no label, and it is never shown as verified.
"""

from __future__ import annotations

import hashlib
from typing import Any

from portal.domain.errors import BadInput, WrongMoment
from portal.domain.packing import pack
from portal.domain.pool import blocks_of, format_pool
from portal.steps import log
from portal.steps.acting import Acting
from portal.steps.rosters import load_snapshot
from portal.steps.visits import combine_visits
from portal.store import directory, draw, plan
from portal.store import imports as lists
from portal.store import pool as pools
from portal.store import tracking
from portal.store.engine import transaction
from portal.store.locks import hold

MOST = 1_000_000  # rows of a list


async def take_list(act: Acting, number: int) -> dict[str, Any]:
    """Make an imported list's entries the picks of its task.

    Gives {"round", "picks", "unmatched": [rows], "foreign": [codes], "again": [codes], "repeated"}: who is not in the
    directory, is another bureau's, or was a pick of the task before, is left out and named. A list taken before is not
    taken again, its round is returned (`repeated`): a crash between taking and combining is mended by doing both once
    more. Raises WrongMoment for a list without task, BadInput where nobody is left.
    """
    act.require("draw.take")
    one = await lists.load_external_list(number, act.tree)
    if one["task"] is None:
        raise WrongMoment(f"名单“{one['title']}”没有对应的计划任务。请在名单中写明任务编号后重新导入。")
    task = (await plan.load_tasks_by_id([one["task"]]))[one["task"]]
    if task["organisation"] not in act.tree:
        raise WrongMoment(f"任务 {task['code']} 不在您的辖区，不能由本局安排检查。")
    rows = await lists.load_external_rows(number, limit=MOST)
    entities = await directory.load_entities({row["code"] for row in rows if row["code"]})
    foreign = sorted(code for code, entity in entities.items() if entity["organisation"] not in act.tree)
    again = {code for _, code in await tracking.load_picked([task["id"]])} & entities.keys()
    codes = sorted(entities.keys() - set(foreign) - again, key=str.encode)
    unmatched = [row["row"] for row in rows if row["code"] not in entities]
    code = f"{act.bureau['region']}-{one['drawn_on'].year}-X{number:03d}"
    found = {"round": code, "picks": len(codes), "unmatched": unmatched, "foreign": foreign, "again": sorted(again), "repeated": False}
    if await draw.has_round(code):
        return await _taken(act, found)
    if not codes:
        raise BadInput(f"名单“{one['title']}”中没有还要安排的、本局名录里的检查对象。请核对名单，或先补录名录。")
    lines = format_pool((code, "*", 1) for code in codes)
    people = await load_snapshot(act)
    async with transaction():
        await hold("bureau", act.bureau["id"])
        await hold("task", task["id"])
        if await draw.has_round(code):  # somebody took it meanwhile
            return await _taken(act, found)
        pool = await pools.save_pool(
            {
                "task": task["id"], "number": len(await pools.load_pools_of(task["id"])) + 1, "organisation": act.bureau["id"],
                "snapshot_on": act.today, "snapshot_size": len(rows), "size": len(codes), "excluded_size": 0, "strata": "none",
                "removed": "{}", "digest": hashlib.sha256(lines).hexdigest(), "excluded_digest": "", "frozen_by": act.account,
                "frozen_at": act.now,
            },
            blocks_of(lines), (),
        )  # fmt: skip
        round_ = await draw.save_round(
            {
                "code": code, "organisation": act.bureau["id"], "title": f"{one['title']}（外部抽取，{one['platform']}）",
                "state": "external", "window_from": max(task["window_from"], min(act.today, task["window_to"])),
                "window_to": task["window_to"], "digest": one["file_digest"], "roster": pack(people),
                # Inspectors are drawn here all the same: a key of this act's own, since no announced source exists for it.
                "key_sealed": act.keys.seal(act.token_bytes(64), f"keys/{code}"),
                "created_by": act.account, "created_at": act.now, "drawn_at": act.now,
            },
            [{"task": task["id"], "pool": pool, "quota": pack({"*": {"ppm": 1_000_000}}), "live": False}],
            (), (),
        )  # fmt: skip
        await draw.save_picks(
            [
                {"round": round_, "task": task["id"], "code": one_code, "stratum": "*", "rank": rank, "kind": "external"}
                for rank, one_code in enumerate(codes, 1)
            ]
        )
        await log.append(act, "external", code, {"digest": one["file_digest"]})
        await act.audit("draw.take", code, after=one["file_digest"], picks=len(codes), unmatched=len(unmatched), foreign=len(foreign))
    return found


async def take_and_combine(act: Acting, number: int) -> dict[str, Any]:
    """Take a list, then make its visits: two acts, since each holds its locks from the first in the order. What `take_list` gives.

    Both may be done again: where the second is refused, the message says that the first stands and that nothing comes twice.
    """
    taken = await take_list(act, number)
    try:
        await combine_visits(act, taken["round"])
    except WrongMoment as refused:
        raise WrongMoment(f"名单已作为 {taken['round']} 安排，入企还没有合并：{refused.message}处理后请再办一次，不会重复安排。") from refused
    return taken


async def _taken(act: Acting, found: dict[str, Any]) -> dict[str, Any]:
    round_ = await draw.load_round(found["round"], act.tree)
    return {**found, "picks": len(await draw.load_picks(round_["id"])), "again": [], "repeated": True}

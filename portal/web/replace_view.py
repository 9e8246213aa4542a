"""What the page of a round shows of its 补抽: the fixed day, who is struck, and after it who came for whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from portal.domain.replacement import counts_of
from portal.steps.acting import Acting
from portal.steps.replacement import preview_replacement, replace_on
from portal.store import directory, draw, plan, year
from portal.store import visits as visit_store


async def load_replacement_view(act: Acting, round_: Mapping[str, Any]) -> dict[str, Any] | None:
    """{"on", "done", "counts", "rows", "preview", "due", "over"}; None of a round that fixed no day, or is not drawn.

    `rows` (done, for those who may see visits): {"task", "struck", "status", "new", "visit", "blocked"}; `preview` (not done, for
    those who may do it) is that of `preview_replacement`, which names nobody who would come.
    """
    fixed = replace_on(round_)
    if fixed is None or round_["state"] not in ("drawn", "revealed"):
        return None
    found: dict[str, Any] = {
        "on": fixed, "done": bool(round_["replacement_json"]), "counts": None, "rows": [], "preview": None, "due": act.today >= fixed,
        "over": act.today > round_["window_to"] or (round_["disclosure"] == "open" and round_["state"] == "revealed"),
    }  # fmt: skip
    if not found["done"]:
        if act.may("round.replace") and round_["organisation"] in act.tree and not found["over"]:
            found["preview"] = await preview_replacement(act, round_["code"])
        return found
    document = json.loads(round_["replacement_json"])
    found["counts"] = counts_of(document)
    if act.may("visits.read"):
        found["rows"] = await _rows(round_, document)
    return found


async def _rows(round_: Mapping[str, Any], document: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = [(task, struck, new) for task, several in document["tasks"].items() for _, struck, new in several]
    entities = await directory.load_entities({code for _, struck, new in rows for code in (struck, new) if code})
    tasks = {row["code"]: row for row in await draw.load_round_tasks(round_["id"])}
    named = await plan.load_tasks_by_id({row["task"] for row in tasks.values()})
    blocked = {(row["task"], row["code"]): row["reason"] for row in await year.load_dismissals(round_["id"]) if not row["item_code"]}
    made = await visit_store.load_visits_of(round_["id"])
    made.reverse()  # of parts of one visit the first
    at = {visit["entity_code"]: visit["code"] for visit in made} | {f"{visit['holder']} {visit['site']}": visit["code"] for visit in made}
    found = []
    for task, struck, new in rows:
        entity = entities.get(new) if new else None
        found.append({
            "task": named[tasks[task]["task"]], "struck": entities.get(struck), "code": struck, "status": document["struck"][struck]["status"],
            "new": entity, "new_code": new, "blocked": blocked.get((tasks[task]["task"], new), "") if new else "",
            "visit": at.get(new) or (at.get(f"{entity['holder']} {entity['site']}") if entity else None),
        })  # fmt: skip
    return found

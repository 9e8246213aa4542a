"""What a bundle says of a round, and of a list that was drawn elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain.replacement import counts_of
from portal.domain.rounds import label_of
from portal.steps.acting import Acting, stamp
from portal.steps.bundles import PublicFiles
from portal.steps.catalogue import load_item
from portal.steps.log import Proofs
from portal.steps.pool import FROM_PROFILE, RULES
from portal.steps.replacement import replace_on
from portal.steps.visits import load_summary
from portal.store import directory, draw, plan
from portal.store import imports as lists
from portal.store import pool as pools

EXTERNAL = "外部抽取，本站不能验证"  # the label of results whose entities were drawn elsewhere


async def round_row(
    act: Acting, round_: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], made: PublicFiles
) -> tuple[dict[str, Any], dict[str, bytes]]:
    document = json.loads(round_["round_json"])
    sealed = round_["disclosure"] == "sealed"
    public = made.files
    sources = await draw.load_sources(round_["id"])
    shares = await draw.load_shares(round_["id"])
    result = json.loads(round_["result_json"]) if round_["result_json"] else {}
    tasks = await _round_tasks(act, round_, document, result, sealed)
    summary = await load_summary(round_)
    over = bool(summary["visits"]) and summary["done"] == summary["visits"]
    open_revealed = round_["state"] == "revealed" and not sealed
    row = {
        "code": round_["code"], "title": round_["title"], "disclosure": round_["disclosure"], "label": label_of(document),
        "state": "drawn" if round_["state"] == "revealed" and sealed else round_["state"], "number": "",
        "window": document["window"], "suite": round_["suite"], "digest": round_["digest"],
        "committed_at": stamp(round_["committed_at"]), "draw_not_before": round_["draw_not_before"],
        "drawn_at": stamp(round_["drawn_at"]) if round_["drawn_at"] else None, "result_commit": round_["result_commit"] or None,
        "visited_by": round_["window_to"].isoformat(), "reveal_due": None if sealed else round_["reveal_due"].isoformat(),
        "revealed_at": stamp(round_["revealed_at"]) if open_revealed else None,
        "overdue": not sealed and round_["state"] == "drawn" and act.today > round_["reveal_due"],
        "sources": [{"name": s["name"], "bits": s["bits"], "drawn_at": s["drawn_at"], "value": s["value"] or None} for s in sources],
        "holders": [{"name": share["holder"], "commit": share["commit"]} for share in shares],
        "secrets": json.loads(public["reveal.json"])["secrets"] if open_revealed else None,
        "void": {"reason": round_["void_reason"], "at": stamp(round_["void_at"])} if round_["state"] == "void" else None,
        "replacement": _replacement(round_), "snapshot": document["snapshot"], "tasks": tasks, "visits": summary["visits"] or None,
        "avoided": summary["avoided"] if summary["visits"] else None, "most": summary["most"] or None,
        "list": await _drawn_list(act, round_, sealed) if over else None,
        "files": [f"rounds/{round_['code']}/{name}" for name in sorted(public)],
        "log": [
            {"kind": e["kind"], "index": e["n"], "at": stamp(e["at"]), "hash": e["leaf"]}
            for e in entries
            if e["key"] == round_["code"]
        ],
    }  # fmt: skip
    return row, {f"rounds/{round_['code']}/{name}": data for name, data in public.items()}


def _replacement(round_: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fixed day of 补抽 and, once it is done, its counts: nobody's name, no stratum, no task."""
    fixed = replace_on(round_)
    if fixed is None or round_["state"] == "void":
        return None
    done = None
    if round_["replacement_json"]:
        document = json.loads(round_["replacement_json"])
        done = {"on": document["done_on"], "commit": round_["replacement_commit"], **counts_of(document)}
    return {"on": fixed.isoformat(), "done": done}


async def external_row(act: Acting, round_: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], proofs: Proofs) -> dict[str, Any]:
    """What is public of a list drawn elsewhere: where and when it says it was drawn, and what became of it; never how it was drawn."""
    one = await lists.load_external_list(int(round_["code"].rpartition("X")[2]), act.whole)
    link = (await draw.load_round_tasks(round_["id"]))[0]
    task = (await plan.load_tasks_by_id([link["task"]]))[link["task"]]
    items = [await load_item(*item) for item in plan.items_of(task)]
    summary = await load_summary(round_)
    over = bool(summary["visits"]) and summary["done"] == summary["visits"]
    index = next((e["n"] for e in entries if e["key"] == round_["code"] and e["kind"] == "external"), None)
    return {
        "code": round_["code"], "title": round_["title"], "label": EXTERNAL, "platform": one["platform"], "drawn_on": one["drawn_on"].isoformat(),
        "window": [round_["window_from"].isoformat(), round_["window_to"].isoformat()], "digest": round_["digest"], "taken_at": stamp(round_["created_at"]),
        "task": {
            "code": task["code"], "name": task["name"], "department": task["department"],
            "items": [{"code": item.code, "name": item.name} for item in items],
        },
        "size": one["size"], "taken": summary["picks"], "visits": summary["visits"] or None,
        "avoided": summary["avoided"] if summary["visits"] else None, "visited_by": round_["window_to"].isoformat(),
        "list": await _drawn_list(act, round_, sealed=False) if over else None, "proof": None if index is None else proofs.of(index),
    }  # fmt: skip


async def _round_tasks(
    act: Acting, round_: Mapping[str, Any], document: Mapping[str, Any], result: Mapping[str, Any], sealed: bool
) -> list[dict[str, Any]]:
    committed = {task["task"]: task for task in document["tasks"]}
    rows = await draw.load_round_tasks(round_["id"])
    tasks = await plan.load_tasks_by_id([row["task"] for row in rows])
    headers = await pools.load_pools([row["pool"] for row in rows])
    found = []
    for row in rows:
        task, header, entry = tasks[row["task"]], headers[row["pool"]], committed[row["code"]]
        strata = result.get(row["code"], {}).get("strata", {})
        own = await load_item(task["item_code"], task["item_version"])
        riders = [await load_item(r["item_code"], r["item_version"]) for r in task["riders"]]
        by_class = header["strata"] == "class"
        found.append(
            {
                "code": row["code"], "name": task["name"], "department": task["department"],
                "items": [{"code": own.code, "name": own.name}], "riders": [{"code": i.code, "name": i.name} for i in riders],
                "ratio": "按信用风险分类差异化抽查" if by_class else task["ratio_text"],
                "pool_size": header["size"], "excluded": header["excluded_size"], "rules": await _rules(header),
                "pool_root": entry["pool_root"], "excluded_root": entry["excluded_root"],
                "drawn": sum(len(s["drawn"]) for s in strata.values()) if strata else None,
                "available": sum(s["available"] for s in strata.values()) if strata else None,
                "ticket_root": result.get(row["code"], {}).get("ticket_root"),
                "drawn_root": result.get(row["code"], {}).get("drawn_root"),
                "result_file": f"rounds/{round_['code']}/result.json" if not sealed and round_["state"] == "revealed" else None,
            }
        )  # fmt: skip
    return found


async def _rules(header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Counts removed by each rule: register states the law takes out, then exclusions."""
    found = [
        {"rule": "status", "label": f"登记状态为{status}，依法不在基数内", "count": count}
        for status, count in sorted(header["removed"].items())
    ]
    counts: dict[str, int] = {}
    for line in await pools.load_exclusions(header["id"]):
        counts[line["rule"]] = counts.get(line["rule"], 0) + 1
    return found + [{"rule": rule, "label": RULES[rule], "count": counts.get(rule, 0)} for rule in RULES if rule in counts or rule not in FROM_PROFILE]


async def _drawn_list(act: Acting, round_: Mapping[str, Any], sealed: bool) -> list[dict[str, Any]]:
    """Codes drawn and those that took the place of struck ones, after the last visit; in sealed rounds one set without task names.

    Who is which is said of open rounds only: in a sealed one both are of one stratum.
    """
    picks = await draw.load_picks(round_["id"], ["drawn", "replacement", "external"])
    codes = {row["task"]: row["code"] for row in await draw.load_round_tasks(round_["id"])}
    by_code: dict[str, list[str]] = {}
    for pick in picks:
        by_code.setdefault(pick["code"], []).append(codes[pick["task"]])
    entities = await directory.load_entities(by_code)
    notes = {} if sealed else {p["code"]: p["kind"] for p in await draw.load_picks(round_["id"], ["replacement", "struck"])}
    return [
        {"code": code, "name": entities[code]["name"], "tasks": None if sealed else sorted(by_code[code]), "note": notes.get(code)}
        for code in sorted(by_code, key=str.encode)
    ]


# Results, pages, figures ------------------------------------------------------

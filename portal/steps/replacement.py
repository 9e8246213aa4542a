"""补抽: once, on the day the round committed to, who was struck from the register is replaced by the next in order.

What a round's register says on that day decides, nobody chooses: `replacement.json` is a pure function of the result,
of the states that it lists as evidence and of who had been visited before.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.draw import Replacement
from portal.domain.errors import WrongMoment
from portal.domain.replacement import STRUCK, beyond_reserve, counts_of, format_replacement, replace_tasks, replacement_commit
from portal.steps import log
from portal.steps.acting import Acting, stamp
from portal.steps.assign import assign_added
from portal.steps.bundles import STATE_WORDS, load_draw_keys, load_pool_files, load_salt_key
from portal.steps.visits import dispatch_picks, load_places
from portal.store import audit, directory, draw, loads, records, visits
from portal.store.engine import transaction
from portal.store.locks import hold


def replace_on(round_: Mapping[str, Any]) -> date | None:
    """The day a committed round fixed for its replacement, None where it fixed none."""
    said = json.loads(round_["round_json"] or "{}").get("replace_on")
    return date.fromisoformat(said) if said else None


async def replace_struck(act: Acting, round_code: str) -> dict[str, Any]:
    """Replace everybody struck, of all tasks of the round, once; asking again gives what was stored.

    One transaction: picks, visits, who goes there, log and audit; a crash leaves the round as it was. Gives {"again",
    "document", "counts", "blocked": [(task, code, reason)], "visits", "unfilled"}. Raises WrongMoment before the fixed
    day, before the draw, after the window or the reveal, and while the directory is being imported.
    """
    act.require("round.replace")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        if round_["replacement_json"]:
            return {**_told(json.loads(round_["replacement_json"])), "again": True}
        _require_due(act, round_)
        await hold("bureau", act.bureau["id"])  # nobody imports a directory while its states are read
        await loads.require_settled(act.tree)
        found = await _find(act, round_)
        data = format_replacement(json.loads(round_["round_json"]), round_["digest"], act.today, found.evidence, found.kept, found.rows)
        document = json.loads(data)
        commit = replacement_commit(round_["suite"], load_salt_key(act, round_) or load_draw_keys(act, round_)[0], data)
        await draw.save_replacement(
            round_["id"], replacement_json=data.decode(), replacement_commit=commit, replaced_by=act.account, replaced_at=act.now
        )
        await draw.save_picks(await _picks(round_, found.rows))
        made = await _change_visits(act, round_, found)
        index = await log.append(act, "replacement", round_code, {"digest": commit, "round": round_["digest"]})
        assigned = await assign_added(act, round_)
        counts = counts_of(document)
        await act.audit(
            "round.replace", round_code, before=round_["result_commit"], after=commit, log=index, picks=counts["picks"], filled=counts["filled"],
            kept=counts["kept"], closed=made["closed"], visits=made["visits"], dismissed=len(made["blocked"]),
            assignment=assigned["digest"] if assigned else "",
        )  # fmt: skip
    return {**_told(document), **made, "unfilled": assigned["unfilled"] if assigned else [], "again": False}


def _told(document: dict[str, Any]) -> dict[str, Any]:
    return {"document": document, "counts": counts_of(document), "blocked": [], "visits": 0, "closed": 0, "unfilled": []}


async def preview_replacement(act: Acting, round_code: str) -> dict[str, Any]:
    """What replacing would do by the directory as it is now; nothing is kept and nobody is told who would come.

    {"on", "struck": [{"code", "name", "status", "known_at", "tasks", "kept"}], "picks", "empty"}. Knowing whose place would go
    to whom, somebody could still change the directory: names come with the act.
    """
    act.require("round.replace")
    round_ = await draw.load_round(round_code, act.tree)
    _require_drawn(round_)
    found = await _find(act, round_, held=False)
    drawn: dict[str, list[str]] = {}
    for task, entry in json.loads(round_["result_json"]).items():
        for row in entry["strata"].values():
            for code in row["drawn"]:
                drawn.setdefault(code, []).append(task)
    entities = await directory.load_entities(set(found.evidence) & drawn.keys())
    rows = [row for several in found.rows.values() for row in several]
    return {
        "on": replace_on(round_), "picks": len(rows), "empty": sum(row.replacement is None for row in rows),
        "struck": [
            {
                "code": code, "name": entities[code]["name"], "status": found.evidence[code]["status"],
                "known_at": found.evidence[code]["known_at"], "tasks": sorted(drawn[code]), "kept": code in found.kept,
            }
            for code in sorted(entities, key=str.encode)
        ],
    }  # fmt: skip


def _require_drawn(round_: Mapping[str, Any]) -> None:
    if round_["state"] not in ("drawn", "revealed"):
        raise WrongMoment(f"轮次 {round_['code']} {STATE_WORDS[round_['state']]}，没有可以补抽的结果。")
    if replace_on(round_) is None:
        raise WrongMoment(f"轮次 {round_['code']} 的承诺没有写明补抽日期，不能补抽。名单中注销、吊销、迁出的，按检查发现处理。")


def _require_due(act: Acting, round_: Mapping[str, Any]) -> None:
    _require_drawn(round_)
    fixed = replace_on(round_)
    assert fixed is not None
    if act.today < fixed:
        raise WrongMoment(f"轮次 {round_['code']} 约定 {fixed} 补抽，现在不能办理。补抽只办一次，到那一天再办。")
    if act.today > round_["window_to"]:
        raise WrongMoment(f"轮次 {round_['code']} 的检查时段已于 {round_['window_to']} 结束，不能再补抽。")
    if round_["disclosure"] == "open" and round_["state"] == "revealed":
        raise WrongMoment(f"轮次 {round_['code']} 的密值已经公开，谁会递补人人可以算出，不能再补抽。")


# Who is struck ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """`evidence`: code -> {status, known_at, source}; `rows`: task -> replacements; `at`: code -> the visits it is to be checked on: one, or the parts of one."""

    evidence: dict[str, dict[str, str]]
    kept: set[str]
    rows: dict[str, list[Replacement]]
    at: dict[str, list[dict[str, Any]]]


async def _find(act: Acting, round_: Mapping[str, Any], *, held: bool = True) -> _Found:
    """`held`: hold the visits it concerns, so that nobody begins one meanwhile."""
    result = json.loads(round_["result_json"])
    key, _ = load_draw_keys(act, round_)
    near = {code for entry in result.values() for row in entry["strata"].values() for code in (*row["drawn"], *row["reserve"])}
    states = {code: row for code, row in (await directory.load_entities(near)).items() if row["status"] in STRUCK}
    files = await _pools_of(round_, result, states)
    suite = round_["suite"]
    most = await asyncio.to_thread(replace_tasks, suite, key, files, result, states)
    if beyond_reserve(result, most):
        states |= await _struck_in(files)
        most = await asyncio.to_thread(replace_tasks, suite, key, files, result, states)
    drawn = {code for entry in result.values() for row in entry["strata"].values() for code in row["drawn"]}
    gone = states.keys() & drawn
    if held:
        # Whoever was begun stays, so fewer may be replaced than now; never others.
        coming = {row.replacement for rows in most.values() for row in rows if row.replacement}
        places = await load_places({*gone, *coming})
        await visits.lock_open_visits({place.holder for place in places.values()})
    at = await _visits_at(round_, gone)
    begun = {row["visit"] for row in await records.load_records_of([visit["id"] for parts in at.values() for visit in parts])}
    kept = {code for code, parts in at.items() if any(visit["state"] == "done" or visit["arrived_at"] or visit["id"] in begun for visit in parts)}
    rows = await asyncio.to_thread(replace_tasks, suite, key, files, result, states, kept) if kept else most
    return _Found(await _evidence(act, states), kept, rows, at)


async def _pools_of(round_: Mapping[str, Any], result: Mapping[str, Any], states: Collection[str]) -> dict[str, bytes]:
    """The pools of the tasks that drew somebody struck: the others are not read."""
    hit = {task for task, entry in result.items() if any(code in states for row in entry["strata"].values() for code in row["drawn"])}
    return await load_pool_files([row for row in await draw.load_round_tasks(round_["id"]) if row["code"] in hit])


async def _struck_in(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """All of some pools that are struck: where a reserve was used up, anybody may be next."""
    pooled = {line.split(b"\t", 1)[0].decode() for name, data in files.items() if name.endswith("pool.tsv") for line in data.splitlines()}
    return {code: row for code, row in (await directory.load_entities(pooled)).items() if row["status"] in STRUCK}


async def _visits_at(round_: Mapping[str, Any], codes: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """code -> the visits on which the round would check it, several where one was split; whoever the caps kept out has none."""
    by_code: dict[str, list[dict[str, Any]]] = {}
    by_place: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for visit in await visits.load_visits_of(round_["id"]):
        by_code.setdefault(visit["entity_code"], []).append(visit)
        by_place.setdefault((visit["holder"], visit["site"]), []).append(visit)
    found = {}
    for code, place in (await load_places(codes)).items():
        if parts := by_code.get(code) or by_place.get((place.holder, place.site)):
            found[code] = parts
    return found


async def _evidence(act: Acting, states: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Status, the instant the directory learned it and the digest of the file that told it ("": no file did)."""
    since = {code: stamp(row["imported_at"] or act.now) for code, row in states.items()}
    told = await audit.load_import_digests(set(since.values()))
    found = {}
    for code, row in states.items():
        at = since[code]
        found[code] = {"status": row["status"], "known_at": at, "source": told.get(at, "")}
    return found


# What becomes of it ----------------------------------------------------------


async def _picks(round_: Mapping[str, Any], found: Mapping[str, Sequence[Replacement]]) -> list[dict[str, Any]]:
    """A `struck` pick beside the drawn one, and the replacement under the same rank."""
    ranks = {(row["task"], row["code"]): row["rank"] for row in await draw.load_picks(round_["id"], ["drawn"])}
    tasks = {row["code"]: row["task"] for row in await draw.load_round_tasks(round_["id"])}
    rows = []
    for task, several in found.items():
        for row in several:
            same = {"round": round_["id"], "task": tasks[task], "stratum": row.stratum, "rank": ranks[tasks[task], row.struck]}
            rows.append({**same, "code": row.struck, "kind": "struck"})
            if row.replacement:
                rows.append({**same, "code": row.replacement, "kind": "replacement"})
    return rows


async def _change_visits(act: Acting, round_: dict[str, Any], found: _Found) -> dict[str, Any]:
    """Struck entries leave their visits, replacements get theirs; nothing where the round is not combined yet: then it will be."""
    if not await visits.is_combined(round_["id"]):
        return {"visits": 0, "closed": 0, "blocked": []}
    picks = await draw.load_picks(round_["id"])
    closed = await _close(act, round_, found, {(pick["task"], pick["code"]) for pick in picks})
    new = [pick for pick in picks if pick["kind"] == "replacement"]
    sent = await dispatch_picks(act, round_, new) if new else None
    blocked = [(task, code, refusal.sentence) for task, code, item, refusal in sent.dismissed if not item] if sent else []
    if blocked:  # a replacement at the struck one's own place kept its task there, and the caps now forbid it
        tasks = {row["code"]: row["task"] for row in await draw.load_round_tasks(round_["id"])}
        worked = {(pick["task"], pick["code"]) for pick in picks} - {(tasks[task], code) for task, code, _ in blocked}
        closed += await _close(act, round_, found, worked)
    return {"visits": len(sent.combined.visits) + len(sent.combined.joined) if sent else 0, "closed": closed, "blocked": blocked}


async def _close(act: Acting, round_: Mapping[str, Any], found: _Found, worked: Collection[tuple[int, str]]) -> int:
    """Take the tasks of struck entries off their visits, but for those that another entry there still needs; visits closed by it."""
    tasks = {row["code"]: row["task"] for row in await draw.load_round_tasks(round_["id"])}
    gone = {(tasks[task], row.struck) for task, rows in found.rows.items() for row in rows}
    places = await load_places({code for _, code in worked} | {code for _, code in gone})
    needed = {(task, places[code].holder, places[code].site) for task, code in worked}
    carried = await visits.load_tasks_of_visits([visit["id"] for parts in found.at.values() for visit in parts])
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for task, code in sorted(gone):
        visit = next((one for one in found.at.get(code, ()) if task in carried.get(one["id"], ())), None)
        if visit is None or (task, places[code].holder, places[code].site) in needed:
            continue
        said = found.evidence[code]
        rows[visit["id"], task] = {
            "round": round_["id"], "visit": visit["id"], "task": task, "status": said["status"], "at": act.now,
            "reason": f"登记状态为“{said['status']}”（{said['known_at'][:10]} 入名录），已于 {act.today} 按约定办理补抽，不再检查。",
        }  # fmt: skip
    return len(await visits.save_closings(list(rows.values()))) if rows else 0

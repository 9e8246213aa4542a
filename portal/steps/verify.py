"""Checking an installation: audit chain, log and checkpoints, every draw and assignment recomputed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.domain import log as tlog
from portal.domain.assign import assign, require_slots
from portal.domain.errors import Refused
from portal.domain.packing import pack
from portal.domain.recompute import require_bundle
from portal.domain.replacement import replacement_commit
from portal.steps import log
from portal.steps.acting import Acting
from portal.steps.assign import run_refill
from portal.steps.bundles import auditor_files, load_draw_keys, load_salt_key
from portal.steps.parties import load_sent, name_in_slots
from portal.steps.withdraw import said_of
from portal.store import accounts, audit, directory, draw, plan, visits
from portal.store import log as log_store
from portal.store import publish as publications

Line = tuple[bool, str]
KINDS = ("item", "plan", "result")  # of publications


async def verify_installation(act: Acting) -> AsyncIterator[Line]:
    """(holds, sentence) for each check; goes on after a failure, so that one run shows all of them."""
    yield await check_audit(act)
    async for line in _check_log(act):
        yield line
    organisations = await accounts.load_organisations()
    for round_ in await draw.load_rounds(accounts.tree_of(organisations, act.bureau["id"])):
        if round_["round_json"]:
            async for line in _check_round(act, round_):
                yield line
    yield await _check_publications(frozenset(o["id"] for o in organisations))


def _logged(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What a log entry says; nothing where it was overwritten with something else."""
    try:
        said = json.loads(bytes(entry["data"]))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


async def check_audit(act: Acting) -> Line:
    """Walk the whole audit chain, against what the log noted of it: (holds, words)."""
    anchors = {said.get("acts"): said.get("digest") for said in map(_logged, await log_store.load_entries_on([log.AUDIT]))}
    expected, count = audit.START, 0
    async for row in audit.walk_acts():
        count += 1
        if row["n"] != count:
            return False, f"审计链第 {count} 条缺失，下一条的序号是 {row['n']}。"
        if row["previous"] != expected or audit.chain_digest(row) != row["digest"]:
            return False, f"审计链在第 {count} 条（{row['act']} {row['object']}）断开，内容被改动过。"
        expected = row["digest"]
        if anchors.pop(count, None) not in (None, log.audit_digest(act, row)):
            return False, f"审计链到第 {count} 条为止与存证日志登记的不符，被整段改写过。"
    if anchors:
        return False, f"审计链只有 {count} 条，存证日志登记过更多，链尾被删除。"
    return True, f"审计链完整，共 {count} 条，链尾 {expected[:16]}…"


def _is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


async def _check_log(act: Acting) -> AsyncIterator[Line]:
    entries = await log_store.load_entries()
    leaves = []
    for n, entry in enumerate(entries):
        leaf = tlog.leaf_hash(bytes(entry["data"]))
        if entry["n"] != n or leaf.hex() != entry["leaf"]:
            yield False, f"存证日志第 {n} 条缺失或被改动过。"
            return
        leaves.append(leaf)
    origin = await accounts.load_setting(log.ORIGIN)
    for row in await log_store.load_checkpoints():
        try:
            point = tlog.parse_checkpoint(tlog.open_note(row["note"], origin, act.keys.public(), _is_signed))
        except Refused as refusal:
            yield False, f"第 {row['size']} 条的检查点：{refusal.message}"
            return
        fits = point.size == row["size"] <= len(leaves) and point.root.hex() == row["root"]
        fits = fits and tlog.tree_root(leaves[: point.size]) == point.root
        if not fits:
            yield False, f"第 {row['size']} 条的检查点与存证日志不符，日志被改写过。"
            return
    yield True, f"存证日志 {len(entries)} 条，与全部检查点一致，签名有效"


async def _check_round(act: Acting, round_: dict[str, Any]) -> AsyncIterator[Line]:
    code = round_["code"]
    try:
        files = await auditor_files(act, round_)
        if round_["state"] in ("drawn", "revealed"):
            outcome = require_bundle(files, round_["digest"])
            if outcome.result_commit != round_["result_commit"]:
                yield False, f"轮次 {code}：结果摘要与登记的不符。"
                return
            logged = await _entries(code, "result")
            if [said.get("digest") for said in logged] != [outcome.result_commit]:
                yield False, f"轮次 {code}：结果摘要与存证日志登记的不符。"
                return
            yield True, f"轮次 {code}：抽取结果重算一致（{outcome.label}）"
            yield await _check_picks(round_, outcome.result)
            line = await _check_replacement(act, round_)
            if round_["replacement_json"] or not line[0]:
                yield line
            async for line in _check_assignment(act, round_):
                yield line
        else:
            yield True, f"轮次 {code}：承诺文件完整，尚未抽取或已作废"
        same = [said.get("digest") for said in await _entries(code, "round")] == [round_["digest"]]
        yield same, f"轮次 {code}：承诺已记入存证日志" if same else f"轮次 {code}：存证日志中没有这一承诺。"
    except Refused as refusal:
        yield False, f"轮次 {code}：{refusal.message}"
    except (ValueError, KeyError, TypeError):  # what was written over a row may be anything
        yield False, f"轮次 {code}：数据库中的文件读不出来，被改动过。"


async def _entries(key: str, kind: str) -> list[dict[str, Any]]:
    return [_logged(entry) for entry in await log_store.load_entries_on([key]) if entry["kind"] == kind]


async def _check_picks(round_: dict[str, Any], result: dict[str, Any]) -> Line:
    tasks = {row["task"]: row["code"] for row in await draw.load_round_tasks(round_["id"])}
    stored = {(tasks[p["task"]], p["stratum"], p["rank"], p["code"]) for p in await draw.load_picks(round_["id"], ["drawn"])}
    wanted = {
        (task, stratum, rank, code)
        for task, entry in result.items()
        for stratum, row in entry["strata"].items()
        for rank, code in enumerate(row["drawn"], 1)
    }
    fits = stored == wanted
    words = f"轮次 {round_['code']}：抽中名单 {len(wanted)} 户次"
    return fits, words + ("与结果一致" if fits else "与数据库登记的不符。")


async def _check_replacement(act: Acting, round_: dict[str, Any]) -> Line:
    """What was stored of a replacement is what was logged (require_bundle recomputed it), and no visit was closed without it."""
    code = round_["code"]
    data = round_["replacement_json"].encode()
    key = load_salt_key(act, round_) or load_draw_keys(act, round_)[0]
    commit = [replacement_commit(round_["suite"], key, data)] if data else []
    if [said.get("digest") for said in await _entries(code, "replacement")] != commit or round_["replacement_commit"] != "".join(commit):
        return False, f"轮次 {code}：补抽与存证日志登记的不符。"
    document = json.loads(data) if data else {"tasks": {}}
    ids = {row["code"]: row["task"] for row in await draw.load_round_tasks(round_["id"])}
    ranks = {(pick["task"], pick["code"]): pick["rank"] for pick in await draw.load_picks(round_["id"], ["drawn"])}
    wanted = set()
    for task, rows in document["tasks"].items():
        for stratum, struck, new in rows:
            same = (ids[task], stratum, ranks.get((ids[task], struck)))
            wanted |= {(*same, struck, "struck"), *([(*same, new, "replacement")] if new else [])}
    picks = await draw.load_picks(round_["id"], ["struck", "replacement"])
    closings = [row for row in await visits.load_closings_of(round_["id"]) if row["status"] != visits.SPLIT]
    fits = {(p["task"], p["stratum"], p["rank"], p["code"], p["kind"]) for p in picks} == wanted
    fits = fits and {row["task"] for row in closings} <= {task for task, *_ in wanted}
    closed = {visit["id"] for visit in await visits.load_closed_visits(round_["id"])}
    fits = fits and closed <= set(await visits.load_closings(closed))
    words = f"轮次 {code}：补抽 {sum(map(len, document['tasks'].values()))} 户次"
    return fits, words + ("，与结果和存证一致" if fits else "，与数据库登记的名单或入企不符。")


async def _check_assignment(act: Acting, round_: dict[str, Any]) -> AsyncIterator[Line]:
    runs = await visits.load_runs(round_["id"])
    if not runs:
        return
    _, key = load_draw_keys(act, round_)
    logged = [said.get("digest") for said in await _entries(round_["code"], "assignment")]
    same = logged == [hashlib.sha256(run["slots"].encode()).hexdigest() for run in runs]
    sent = await load_sent(round_)
    ever = await visits.load_codes_of(round_["id"]) | await visits.load_codes_joined(round_["id"])
    closed = {name_in_slots(round_["code"], code) for code in ever} - sent.keys()
    before: dict[str, Any] = {}
    for run in runs:
        document = json.loads(run["slots"])
        if run["n"] == 1:
            again = assign(require_slots({**document, "K": key.hex()}))
        else:  # emptied slots, or those of visits that came since, drawn again, from what the run before had left
            again = run_refill(document, key)
            same = same and _goes_on(document, before["assigned"], closed, await _taken_over(round_, document))
        same = same and pack(again) == run["result"]
        before = again
    stored = await visits.load_assigned([one.visit["id"] for one in sent.values()])
    people = {row["id"]: row["code"] for row in (await _people()).values()}
    shown = {
        code: [people[who] if who else None for who in stored.get(one.visit["id"], [])[one.first : one.first + one.slots]] for code, one in sent.items()
    }
    same = same and shown == {code: row for code, row in before["assigned"].items() if code not in closed}
    yield same, f"轮次 {round_['code']}：人员匹配重算{'一致' if same else '不一致，名单被改动过。'}"


async def _taken_over(round_: dict[str, Any], document: dict[str, Any]) -> dict[str, set[str]]:
    """Name of each visit that a run says was split off -> the people that runs ever gave the visit it came from; none where it did not."""
    known = {name_in_slots(round_["code"], code): source for code, source in (await visits.load_splits()).items()}
    people = {row["id"]: row["code"] for row in (await _people()).values()}
    said = {name: source for name, source in document.get("split", {}).items() if known.get(name) == source}
    return {name: {people[who] for who in await visits.load_ever_assigned(source)} for name, source in said.items()}


def _goes_on(document: dict[str, Any], before: dict[str, Any], closed: Collection[str], taken: Mapping[str, Collection[str]]) -> bool:
    """Whether a further run took up what the one before left: closed visits gone, new ones empty (or `taken` over), all else as it was."""
    emptied = {(visit, n) for visit, n in document["emptied"]}
    held = {visit: len(before.get(visit, ())) for visit in document["assigned"]}
    empty = all(
        (who is None or who in taken[visit]) if visit in taken else who is None and (visit, n) in emptied
        for visit, n0 in held.items() for n, who in enumerate(document["assigned"][visit]) if n >= n0
    )  # fmt: skip
    kept = all(document["assigned"][visit][: len(row)] == row for visit, row in before.items() if visit in held)
    return empty and kept and before.keys() - document["assigned"].keys() <= set(closed)


async def _people() -> dict[int, dict[str, Any]]:
    every = {o["id"] for o in await accounts.load_organisations()}
    return {row["id"]: row for row in await directory.load_inspectors(every)}


async def _check_publications(every: frozenset[int]) -> Line:
    """Each publication is what was logged, and each logged one is still there."""
    entries = {e["n"]: e for e in await log_store.load_entries()}
    logged = {n for n, e in entries.items() if e["kind"] in (*KINDS, "withdrawal", "correction") and _logged(e).get("round") is None}
    count = 0
    for kind in KINDS:
        try:
            history = await publications.load_history(every, kind)
        except ValueError:
            return False, "公示内容读不出来，被改动过。"
        for row in (row for versions in history.values() for row in versions):
            count += 1
            try:
                digest = log.salted(bytes.fromhex(row["salt"]), row["data"])
            except ValueError:
                digest = ""
            entry = entries.get(row["log_index"])
            if entry is None or digest != row["digest"] or _logged(entry).get("digest") != digest:
                return False, f"公示内容 {row['key']} 第 {row['version']} 版与存证日志不符，被改动过。"
            logged.discard(row["log_index"])
    for row in (*await publications.load_withdrawals(every), *await publications.load_corrections(every)):
        entry, digest = entries.get(row["log_index"]), log.salted(bytes.fromhex(row["salt"]), said_of(row))
        if entry is None or digest != row["digest"] or _logged(entry).get("digest") != digest:
            return False, f"公示内容 {row['key']} 的撤回或更正与存证日志不符，被改动过。"
        logged.discard(row["log_index"])
    if logged:
        return False, f"存证日志第 {min(logged)} 条登记的公示内容 {entries[min(logged)]['key']} 不见了。"
    plans = len(await plan.load_plans(every))
    return True, f"公示内容 {count} 项与存证日志一致（年度计划 {plans} 个版本）"

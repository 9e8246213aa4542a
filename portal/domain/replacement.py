"""补抽: who was struck from the register is replaced once, on the day the round committed to (DRAW.md section 4).

`replacement.json` lies beside `result.json` of a round that was replaced:
`{"spec", "round", "round_digest", "replace_on", "done_on", "struck": {code: {"status", "known_at", "source"}},
"kept": [codes], "tasks": {task: [[stratum, struck, replacement | null], ...]}}`. `struck` is the evidence: who is
struck among the drawn and the reserve, and where a reserve was used up among the whole pool, each with its register status, the instant the
directory learned it and the SHA-256 of the file that said so ("": not from a file). `kept` are those of them that
had been visited before: a finding, never replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from portal.domain.bundle import (
    SPEC,
    Document,
    canonical,
    hasher,
    parse_canonical,
    refuse,
    require_hex,
    require_id,
    require_keys,
    require_list,
    require_one_of,
    require_time,
)
from portal.domain.draw import Replacement, replacements
from portal.domain.pool import parse_codes

#: register states that take a drawn entry out of its round
STRUCK = ("注销", "吊销", "迁出")
_KEYS = ("spec", "round", "round_digest", "replace_on", "done_on", "struck", "kept", "tasks")


def replace_tasks(
    suite: str, key: bytes, files: Mapping[str, bytes], result: Mapping[str, Any], struck: Collection[str], kept: Collection[str] = ()
) -> dict[str, list[Replacement]]:
    """task -> its replacements in order. `files` needs the pools of tasks that drew somebody struck, and no others."""
    found: dict[str, list[Replacement]] = {}
    for task, entry in result.items():
        strata = entry["strata"]
        gone = set(struck) - set(kept)
        if all(gone.isdisjoint(row["drawn"]) for row in strata.values()):
            found[task] = []
            continue
        excluded = files.get(f"{task}/excluded.txt")
        codes = parse_codes(excluded, f"{task}/excluded.txt") if excluded is not None else []
        found[task] = replacements(suite, key, files[f"{task}/pool.tsv"], codes, strata, struck, kept)
    return found


def beyond_reserve(result: Mapping[str, Any], found: Mapping[str, Sequence[Replacement]]) -> bool:
    """Whether some place was filled, or left empty, after the reserve: then the whole pool's states decide."""
    for task, rows in found.items():
        strata = result[task]["strata"]
        for row in rows:
            stratum = strata[row.stratum]
            near = len(stratum["drawn"]) + len(stratum["reserve"]) < stratum["available"]
            if near and row.replacement not in stratum["reserve"]:
                return True
    return False


def format_replacement(
    round_: Mapping[str, Any],
    round_digest: str,
    done_on: date,
    struck: Mapping[str, Mapping[str, str]],
    kept: Collection[str],
    found: Mapping[str, Sequence[Replacement]],
) -> bytes:
    """`replacement.json`, canonical; `round_` is the committed document."""
    document = {
        "spec": SPEC, "round": round_["round"], "round_digest": round_digest, "replace_on": round_["replace_on"],
        "done_on": done_on.isoformat(), "struck": {code: dict(struck[code]) for code in struck}, "kept": sorted(kept, key=str.encode),
        "tasks": {task: [list(row) for row in rows] for task, rows in found.items()},
    }  # fmt: skip
    return canonical(document)


def parse_replacement(data: bytes) -> Document:
    """The document of a `replacement.json`, every field checked."""
    what = "replacement.json"
    found = require_keys(parse_canonical(data, what), _KEYS, what)
    require_one_of(found["spec"], (SPEC,), f"{what} 的“spec”")
    require_id(found["round"], "轮次编号")
    require_hex(found["round_digest"], f"{what} 的“round_digest”")
    for name in ("replace_on", "done_on"):
        _require_day(found[name], f"{what} 的“{name}”")
    for code, evidence in require_keys(found["struck"], (), f"{what} 的“struck”", more=True).items():
        require_id(code, f"{what} 的代码")
        said = require_keys(evidence, ("status", "known_at", "source"), f"{what} 中“{code}”的依据")
        require_one_of(said["status"], STRUCK, f"“{code}”的登记状态")
        require_time(said["known_at"], f"“{code}”的登记状态的时间")
        if said["source"]:
            require_hex(said["source"], f"“{code}”的依据文件")
    for code in require_list(found["kept"], f"{what} 的“kept”"):
        if require_id(code, f"{what} 的“kept”") not in found["struck"]:
            refuse(f"{what} 说“{code}”已检查过，但没有写明它的登记状态。")
    if found["kept"] != sorted(set(found["kept"]), key=str.encode):
        refuse(f"{what} 的“kept”应从小到大，不重复。")
    require_keys(found["tasks"], (), f"{what} 的“tasks”", more=True)
    return found


def _require_day(value: object, what: str) -> date:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:
        refuse(f"{what}“{value}”应为 YYYY-MM-DD。")
    return day


def require_replacement(
    data: bytes, round_: Mapping[str, Any], round_digest: str, key: bytes, files: Mapping[str, bytes], result: Mapping[str, Any]
) -> Document:
    """The document, if it belongs to this round and replacing again gives the same. `key` is K of the draw."""
    found = parse_replacement(data)
    if (found["round"], found["round_digest"]) != (round_["round"], round_digest):
        refuse("replacement.json 不属于本轮。")
    if found["replace_on"] != round_.get("replace_on"):
        refuse(f"replacement.json 写的补抽日期是 {found['replace_on']}，本轮承诺的是 {round_.get('replace_on', '（没有写明）')}。")
    if found["done_on"] < found["replace_on"]:
        refuse(f"补抽办理于 {found['done_on']}，早于承诺的 {found['replace_on']}。")
    again = replace_tasks(round_["suite"], key, files, result, found["struck"], found["kept"])
    if {task: [list(row) for row in rows] for task, rows in again.items()} != found["tasks"]:
        refuse("replacement.json 与重新计算的补抽不一致，补抽结果被改动过。")
    return found


def replacement_commit(suite: str, key: bytes, data: bytes) -> str:
    """The digest logged with the replacement, hex; `key` as for the result: K in an open round, the salt key in a sealed one."""
    return hasher(suite)(b"ssj/1 replacement\n" + key + data).hex()


def counts_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """What may be said of a replacement without naming anybody: {"picks", "filled", "empty", "entities", "kept", "reasons": {status: entities}}."""
    rows = [row for found in document["tasks"].values() for row in found]
    gone = {row[1] for row in rows}
    reasons: dict[str, int] = {}
    for code in gone:
        status = document["struck"][code]["status"]
        reasons[status] = reasons.get(status, 0) + 1
    return {
        "picks": len(rows), "filled": sum(row[2] is not None for row in rows), "empty": sum(row[2] is None for row in rows),
        "entities": len(gone), "kept": len(document["kept"]), "reasons": {status: reasons[status] for status in STRUCK if status in reasons},
    }  # fmt: skip

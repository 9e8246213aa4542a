"""抽取凭证: proof for one inspected entity of a sealed round (DRAW.md section 6).

It shows that the entity was in the committed pool, that its ticket was fixed and that
it was drawn; it shows neither class nor ticket.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from portal.domain import trees
from portal.domain.bundle import (
    SPEC,
    Document,
    canonical,
    hasher,
    parse_canonical,
    parse_public,
    refuse,
    require_count,
    require_hex,
    require_id,
    require_keys,
    require_list,
    sealed,
)
from portal.domain.pool import inner_of, marked, pool_entries, salt_of, sealed_leaves, ticket_entries
from portal.domain.rounds import parse_round, round_digest
from portal.domain.seed import require_values

_KEYS = ("spec", "round", "task", "code", "salt", "pool", "ticket", "drawn")
_PROOFS = {"pool": "名录", "ticket": "抽取号", "drawn": "抽中名单"}


def format_public(round_json: bytes, values: Sequence[Sequence[str]], result: Mapping[str, Any], commit: str) -> bytes:
    """`public.json` of a sealed round: no codes, no classes, only counts and roots."""
    round_ = parse_round(round_json)
    tasks = {
        task: {
            "count": sum(len(row["drawn"]) for row in entry["strata"].values()),
            "ticket_root": entry["ticket_root"],
            "drawn_root": entry["drawn_root"],
        }
        for task, entry in result.items()
    }
    return canonical(
        {
            "round_digest": round_digest(round_["suite"], round_json).hex(),
            "result_commit": commit,
            "sources": [list(row) for row in values],
            "tasks": tasks,
        }
    )


def format_vouchers(
    round_: Mapping[str, Any],
    task: str,
    key: bytes,
    salt_key: bytes,
    pool: bytes,
    drawn: Collection[str],
    codes: Sequence[str],
) -> list[bytes]:
    """`voucher.json` for each of `codes`, all of them among the task's `drawn`; the three trees are built once."""
    suite, hash = round_["suite"], hasher(round_["suite"])
    entries = {
        "pool": list(pool_entries(pool)),
        "ticket": list(ticket_entries(suite, key, pool)),
        "drawn": marked((code.encode() for code in drawn), "drawn"),
    }
    rows = {name: trees.levels(hash, sealed_leaves(suite, salt_key, task, found)) for name, found in entries.items()}
    places = {name: {code: index for index, (code, _) in enumerate(found)} for name, found in entries.items()}
    vouchers = []
    for text in codes:
        code = text.encode()
        if code not in places["drawn"] or code not in places["pool"]:
            refuse(f"“{text}”没有在任务“{task}”中抽中，不能出具抽取凭证。")
        voucher: Document = {
            "spec": SPEC,
            "round": round_["round"],
            "task": task,
            "code": text,
            "salt": salt_of(suite, salt_key, task, code).hex(),
        }
        for name in _PROOFS:
            index = places[name][code]
            voucher[name] = {
                "index": index,
                "size": len(entries[name]),
                "inner": inner_of(suite, salt_key, task, code, entries[name][index][1]).hex(),
                "path": [sibling.hex() for sibling in trees.path(rows[name], index)],
            }
        vouchers.append(canonical(voucher))
    return vouchers


def parse_voucher(data: bytes) -> Document:
    """A `voucher.json`, its shape checked; `require_voucher` checks what it proves."""
    what = "抽取凭证"
    voucher = require_keys(parse_canonical(data, what), _KEYS, what)
    if voucher["spec"] != SPEC:
        refuse(f"{what}的 spec 为“{voucher['spec']}”，应为 {SPEC}。")
    require_id(voucher["round"], f"{what}的轮次")
    require_id(voucher["task"], f"{what}的任务")
    require_id(voucher["code"], f"{what}的代码")
    require_hex(voucher["salt"], f"{what}的盐值")
    for name in _PROOFS:
        proof = require_keys(voucher[name], ("index", "size", "inner", "path"), f"{what}的“{name}”")
        require_count(proof["index"], f"{what}的“{name}”序号")
        require_count(proof["size"], f"{what}的“{name}”大小")
        require_hex(proof["inner"], f"{what}的“{name}”内层值")
        for sibling in require_list(proof["path"], f"{what}的“{name}”路径"):
            require_hex(sibling, f"{what}的“{name}”路径")
    return voucher


def require_public(round_json: bytes, public_json: bytes) -> tuple[Document, Document]:
    """(round, public) of a sealed round's public folder, fitting each other."""
    round_, public = parse_round(round_json), parse_public(public_json)
    if not sealed(round_):
        refuse("抽取凭证只用于密封轮次，这一轮是公开轮次。")
    if public["round_digest"] != round_digest(round_["suite"], round_json).hex():
        refuse("public.json 的轮次摘要与 round.json 不符。")
    require_values(round_, public["sources"], "public.json")
    if {task["task"] for task in round_["tasks"]} != public["tasks"].keys():
        refuse("public.json 的任务与 round.json 不一致。")
    return round_, public


def require_voucher(voucher_json: bytes, round_json: bytes, public_json: bytes) -> Document:
    """The voucher, every proof of it walked; any difference is refused. `result_commit` is left to the log."""
    round_, public = require_public(round_json, public_json)
    voucher = parse_voucher(voucher_json)
    if voucher["round"] != round_["round"]:
        refuse(f"凭证属于轮次“{voucher['round']}”，公开文件是轮次“{round_['round']}”。")
    task = next((task for task in round_["tasks"] if task["task"] == voucher["task"]), None)
    if task is None:
        refuse(f"凭证的任务“{voucher['task']}”不在本轮。")
    result = public["tasks"][task["task"]]
    if voucher["pool"]["index"] != voucher["ticket"]["index"]:
        refuse("凭证中名录和抽取号的序号不一致。")
    _require_proof(round_["suite"], voucher, "pool", task["pool_size"], task["pool_root"])
    _require_proof(round_["suite"], voucher, "ticket", task["pool_size"], result["ticket_root"])
    _require_proof(round_["suite"], voucher, "drawn", result["count"], result["drawn_root"])
    return voucher


def _require_proof(suite: str, voucher: Document, name: str, size: int, root: str) -> None:
    proof, hash = voucher[name], hasher(suite)
    if proof["size"] != size:
        refuse(f"凭证的{_PROOFS[name]}大小为 {proof['size']}，应为 {size}。")
    salted = bytes.fromhex(voucher["salt"]) + voucher["code"].encode() + bytes.fromhex(proof["inner"])
    siblings = [bytes.fromhex(sibling) for sibling in proof["path"]]
    found = trees.root_by_path(hash, trees.leaf_hash(hash, salted), proof["index"], size, siblings)
    if found is None or found.hex() != root:
        refuse(f"凭证的{_PROOFS[name]}证明不成立：“{voucher['code']}”推不出公开的根。")

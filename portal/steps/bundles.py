"""The files of a round's draw folder (DRAW.md section 6): what auditors get, what is public."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.assign import assign_file
from portal.domain.bundle import canonical
from portal.domain.draw import drawn_of
from portal.domain.errors import NotAllowed, WrongMoment
from portal.domain.pool import format_codes
from portal.domain.rounds import parse_round
from portal.domain.voucher import format_public, format_vouchers
from portal.steps.acting import Acting
from portal.store import draw, visits
from portal.store import pool as pools
from portal.store.engine import transaction

STATE_WORDS = {
    "draft": "尚未公布承诺",
    "committed": "已公布承诺",
    "drawn": "已抽取",
    "revealed": "已公开密值",
    "void": "已作废",
    "external": "是外部抽取的名单",
}


async def load_own_share(act: Acting, round_: Mapping[str, Any]) -> dict[str, Any]:
    """The acting account's share of a round. Raises NotAllowed for anybody who holds none."""
    for share in await draw.load_shares(round_["id"]):
        if share["account"] == act.account:
            return share
    raise NotAllowed(f"您不是轮次 {round_['code']} 的密值持有人。")


async def load_pool_files(rows: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """`<task>/pool.tsv` and, where somebody is excluded, `<task>/excluded.txt` of a round's tasks."""
    found: dict[str, bytes] = {}
    for row in rows:
        found[f"{row['code']}/pool.tsv"] = await pools.load_pool_bytes(row["pool"])
        excluded = format_codes(line["code"] for line in await pools.load_exclusions(row["pool"]))
        if excluded:
            found[f"{row['code']}/excluded.txt"] = excluded
    return found


def load_salt_key(act: Acting, round_: Mapping[str, Any]) -> bytes | None:
    """The salt key of a sealed round, None of an open one."""
    sealed = bytes(round_["salt_sealed"])
    return act.keys.unseal(sealed, f"salt/{round_['code']}") if sealed else None


async def auditor_files(act: Acting, round_: Mapping[str, Any]) -> dict[str, bytes]:
    """Everything of a committed round that exists by now; the draw itself is computed from these files."""
    if not round_["round_json"]:
        raise WrongMoment(f"轮次 {round_['code']} 还没有公布承诺，没有可以导出的文件。")
    rows = await draw.load_round_tasks(round_["id"])
    files = {"round.json": round_["round_json"].encode(), **await load_pool_files(rows)}
    salt_key = load_salt_key(act, round_)
    if salt_key:
        for row in rows:
            files[f"{row['code']}/quota.json"] = canonical(row["quota"])
    shares = await draw.load_shares(round_["id"])
    sources = await draw.load_sources(round_["id"])
    if all(share["released_at"] for share in shares) and all(source["value"] for source in sources):
        reveal = _reveal(act, round_, sources, shares)
        if salt_key:
            reveal["salt_key"] = salt_key.hex()
        files["reveal.json"] = canonical(reveal)
    if round_["result_json"]:
        files["result.json"] = round_["result_json"].encode()
        if round_["replacement_json"]:
            files["replacement.json"] = round_["replacement_json"].encode()
        files.update(await asyncio.to_thread(_sealed_extras, files, act, round_, salt_key))
        files.update(await _assignment(act, round_))
    return files


def _reveal(
    act: Acting, round_: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], shares: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What reveal.json says, but for the salt key."""
    return {
        "sources": _values(sources),
        "secrets": [act.keys.unseal(bytes(share["released"]), f"share/{round_['code']}/{share['n']}").hex() for share in shares],
    }


def _values(sources: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [[source["name"], source["value"], source["drawn_at"]] for source in sources]


def load_draw_keys(act: Acting, round_: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """(K of entries, K of inspectors) of a drawn round."""
    both = act.keys.unseal(bytes(round_["key_sealed"]), f"keys/{round_['code']}")
    return both[:32], both[32:]


def _sealed_extras(
    files: Mapping[str, bytes], act: Acting, round_: Mapping[str, Any], salt_key: bytes | None
) -> dict[str, bytes]:
    if salt_key is None:
        return {}
    document = parse_round(files["round.json"])
    result = json.loads(round_["result_json"])
    values = json.loads(files["reveal.json"])["sources"]
    public = format_public(files["round.json"], values, result, round_["result_commit"])
    found = {"public/round.json": files["round.json"], "public/public.json": public}
    key, _ = load_draw_keys(act, round_)
    n = 0
    for task in sorted(result, key=str.encode):
        drawn = drawn_of(result[task]["strata"])
        for voucher in format_vouchers(document, task, key, salt_key, files[f"{task}/pool.tsv"], drawn, drawn):
            n += 1
            found[f"voucher-{n}.json"] = voucher
    return found


async def _assignment(act: Acting, round_: Mapping[str, Any]) -> dict[str, bytes]:
    runs = await visits.load_runs(round_["id"])
    if not runs:
        return {}
    _, key = load_draw_keys(act, round_)
    slots = canonical({**json.loads(runs[0]["slots"]), "K": key.hex()})
    return {"slots.json": slots, "assigned.json": assign_file(slots)}


def public_files(round_: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """What anybody may have of a round now: all of an open round after its reveal, else its commitment.

    Sealed rounds add public.json once drawn; slots and assignments are never public.
    """
    found = {"round.json": files["round.json"]}
    if round_["disclosure"] == "sealed":
        if "public/public.json" in files:
            found["public.json"] = files["public/public.json"]
    elif round_["state"] == "revealed":
        found |= {name: data for name, data in files.items() if name not in ("slots.json", "assigned.json")}
    return found


@dataclass(frozen=True, slots=True)
class PublicFiles:
    """`public_files` of a round, and a digest of all they were made from."""

    made_from: str
    files: Mapping[str, bytes]


async def load_public_files(act: Acting, round_: Mapping[str, Any], before: PublicFiles | None = None) -> PublicFiles:
    """What anybody may have of a committed round now: `before` where nothing it was made from has changed.

    The same as `public_files` of `auditor_files`, without making what is not public.  A pool never
    changes once it is committed to, so its number stands for it.  What changes while this reads
    is in no later digest: whoever asks again with the answer gets the files made anew.
    """
    sources, shares = await draw.load_sources(round_["id"]), await draw.load_shares(round_["id"])
    rows = await draw.load_round_tasks(round_["id"])
    made_from = hashlib.sha256(repr((round_, sources, shares, rows)).encode()).hexdigest()
    if before and before.made_from == made_from:
        return before
    files = {"round.json": round_["round_json"].encode()}
    if round_["state"] == "void":
        return PublicFiles(made_from, files)
    if round_["disclosure"] == "sealed":
        if round_["result_json"]:
            result = json.loads(round_["result_json"])
            files["public.json"] = format_public(files["round.json"], _values(sources), result, round_["result_commit"])
    elif round_["state"] == "revealed":
        files |= await load_pool_files(rows)
        files["reveal.json"] = canonical(_reveal(act, round_, sources, shares))
        files["result.json"] = round_["result_json"].encode()
        if round_["replacement_json"]:
            files["replacement.json"] = round_["replacement_json"].encode()
    return PublicFiles(made_from, files)


async def export_round(act: Acting, round_code: str, audience: str) -> dict[str, bytes]:
    """The draw folder of a round for `public` or `auditor`, path -> bytes.

    The auditor's folder holds secrets, classes and who inspects whom: only 纪检 and
    auditors get it, and that they did is an act of its own.
    """
    act.require("round.hand_over" if audience == "auditor" else "round.export")
    round_ = await draw.load_round(round_code, act.line)
    files = await auditor_files(act, round_)
    if audience != "auditor":
        return public_files(round_, files)
    async with transaction():
        await act.audit("round.export", round_code, files=len(files))
    return files

"""The public log: entries are salted hashes and digests, checkpoints are signed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain import log as tlog
from portal.domain.bundle import canonical
from portal.domain.packing import pack
from portal.steps.acting import Acting, stamp
from portal.store import accounts, audit
from portal.store import log as store
from portal.store.locks import hold

ORIGIN = "log_origin"
AUDIT = "audit"  # kind and key of the entries that hold the audit chain's head


async def origin_of(act: Acting) -> str:
    """The log's name, fixed at its first checkpoint; it names the installation's first bureau by region, not by host."""
    known = await accounts.load_setting(ORIGIN)
    if not known:
        known = f"mingcha-log/{act.top['region']}"
        await accounts.save_setting(ORIGIN, known)
    return known


async def append(act: Acting, kind: str, key: str, digests: Mapping[str, Any]) -> int:
    """Log digests of an act inside its transaction; the entry's number. `key` stays in our database only."""
    data = canonical({"at": stamp(act.now), "kind": kind, **digests})
    return await store.save_entry(kind, key, data, act.now)


def salted(salt: bytes, data: Any) -> str:
    """SHA-256 over salt and packed data: the log keeps this after the text is forgotten."""
    return hashlib.sha256(salt + pack(data).encode()).hexdigest()


def audit_digest(act: Acting, head: Mapping[str, Any]) -> str:
    """What the log keeps of the audit chain's head. Salted from the portal's key: an act is easily guessed."""
    salt = hmac.new(act.keys.master, f"audit anchor {head['n']}".encode(), hashlib.sha256).digest()
    return hashlib.sha256(salt + bytes.fromhex(head["digest"])).hexdigest()


async def checkpoint(act: Acting) -> dict[str, Any]:
    """Sign the log's present head (in the caller's transaction); the newest checkpoint row.

    The head of the audit chain goes into the log first: a chain cut off at its end,
    or written anew, no longer fits a checkpoint that others hold.
    """
    await hold("chain")
    size = await store.load_size()
    known = await store.load_checkpoints()
    if known and known[-1]["size"] == size:
        return known[-1]
    head = await audit.load_head()
    if head:
        await append(act, AUDIT, AUDIT, {"acts": head["n"], "digest": audit_digest(act, head)})
    entries = await store.load_entries()
    origin = await origin_of(act)
    root = tlog.tree_root([bytes.fromhex(entry["leaf"]) for entry in entries])
    text = tlog.format_checkpoint(origin, len(entries), root)
    note = tlog.sign_note(text, origin, act.keys.public(), act.keys.sign)
    await store.save_checkpoint(len(entries), root.hex(), note, act.now)
    return (await store.load_checkpoints())[-1]


def files(entries: list[dict[str, Any]], note: str) -> dict[str, bytes]:
    """path -> bytes of the whole log as published: checkpoint, hash tiles, entry bundles."""
    datas = [bytes(entry["data"]) for entry in entries]
    leaves = [tlog.leaf_hash(data) for data in datas]
    found = {"checkpoint": note.encode()}
    found.update(tlog.hash_tiles(leaves))
    found.update(tlog.entry_tiles(datas))
    return found


class Proofs:
    """Finds for a log entry the first checkpoint that contains it."""

    def __init__(self, entries: Sequence[Mapping[str, Any]], checkpoints: Sequence[Mapping[str, Any]]):
        self.entries = entries
        self.checkpoints = checkpoints

    def of(self, index: int, salt: str = "") -> dict[str, Any]:
        entry = self.entries[index]
        first = next(c for c in self.checkpoints if c["size"] > index)
        proof = {"index": index, "hash": entry["leaf"], "at": stamp(entry["at"]), "size": first["size"], "root": first["root"]}
        return {**proof, "salt": salt} if salt else proof

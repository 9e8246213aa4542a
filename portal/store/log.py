"""The transparency log's entries and checkpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.domain import log as tlog
from portal.store.engine import current_engine
from portal.store.locks import hold
from portal.store.tables import Checkpoint, LogEntry


async def save_entry(kind: str, key: str, data: bytes, at: datetime) -> int:
    """Append one entry in the caller's transaction and return its number (from 0)."""
    if not current_engine().transaction_exists():
        raise RuntimeError("a log entry is written inside its act's transaction")
    await hold("chain")
    last = await LogEntry.select(LogEntry.n).order_by(LogEntry.n, ascending=False).first().run()
    n = last["n"] + 1 if last else 0
    await LogEntry.insert(LogEntry(n=n, kind=kind, key=key, data=data, leaf=tlog.leaf_hash(data).hex(), at=at)).run()
    return n


async def load_entries() -> list[dict[str, Any]]:
    """All entries in order: n, kind, key, data, leaf, at."""
    return await LogEntry.select().order_by(LogEntry.n).run()


async def load_entries_on(keys: list[str]) -> list[dict[str, Any]]:
    if not keys:
        return []
    return await LogEntry.select().where(LogEntry.key.is_in(keys)).order_by(LogEntry.n).run()


async def load_size() -> int:
    last = await LogEntry.select(LogEntry.n).order_by(LogEntry.n, ascending=False).first().run()
    return last["n"] + 1 if last else 0


async def save_checkpoint(size: int, root: str, note: str, at: datetime) -> None:
    await Checkpoint.insert(Checkpoint(size=size, root=root, note=note, at=at)).run()


async def load_checkpoints() -> list[dict[str, Any]]:
    return await Checkpoint.select().order_by(Checkpoint.size).run()

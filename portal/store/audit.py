"""The audit: every act as a hash chain, written in the act's own transaction."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from piccolo.columns.combination import And

from portal.domain.packing import pack
from portal.store.engine import current_engine
from portal.store.locks import hold
from portal.store.tables import Audit

START = "0" * 64
_CHAINED = ("n", "at", "actor", "organisation", "address", "act", "object", "before", "after", "detail", "previous")


def chain_digest(row: Mapping[str, Any]) -> str:
    """SHA-256 over the packed JSON of a row without its own digest."""
    return hashlib.sha256(pack({name: row[name] for name in _CHAINED}).encode()).hexdigest()


async def save_act(
    *,
    at: str,
    actor: str,
    organisation: str,
    address: str,
    act: str,
    object: str,
    before: str = "",
    after: str = "",
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Append one act; the caller's transaction makes it stand or fall with the act itself.

    Acts at once take turns here, until the first one's transaction ends.
    """
    if not current_engine().transaction_exists():
        raise RuntimeError("an act is audited inside its own transaction")
    await hold("chain")
    last = await load_head()
    row = {
        "n": last["n"] + 1 if last else 1,
        "at": at,
        "actor": actor,
        "organisation": organisation,
        "address": address,
        "act": act,
        "object": object,
        "before": before,
        "after": after,
        "detail": pack(dict(detail or {})),
        "previous": last["digest"] if last else START,
    }
    await Audit.insert(Audit(**row, digest=chain_digest(row))).run()
    return row["n"]


async def load_head() -> dict[str, Any] | None:
    """{"n", "digest"} of the last act."""
    return await Audit.select(Audit.n, Audit.digest).order_by(Audit.n, ascending=False).first().run()


async def load_last_time() -> str | None:
    """When the latest act was done (YYYY-MM-DDTHH:MM:SS+08:00), None where nothing was done yet."""
    row = await Audit.select(Audit.at).order_by(Audit.n, ascending=False).first().run()
    return row["at"] if row else None


async def load_acts(after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
    """Acts in chain order, keyset-paged by `n`."""
    return await Audit.select().where(Audit.n > after).order_by(Audit.n).limit(limit).run()


async def walk_acts() -> AsyncIterator[dict[str, Any]]:
    after = -(2**62)  # a row smuggled in before the first one is walked too
    while page := await load_acts(after):
        for row in page:
            yield row
        after = page[-1]["n"]


async def load_acts_on(object: str) -> list[dict[str, Any]]:
    return await Audit.select().where(Audit.object == object).order_by(Audit.n).run()


async def load_import_digests(moments: Collection[str]) -> dict[str, str]:
    """moment (YYYY-MM-DDTHH:MM:SS+08:00) -> the digest of the file of entities whose import began then; moments without any are left out."""
    found: dict[str, str] = {}
    wanted = sorted(moments)
    for start in range(0, len(wanted), 500):
        where = And(Audit.at.is_in(wanted[start : start + 500]), Audit.object == "entities")
        rows = await Audit.select(Audit.at, Audit.act, Audit.after).where(where).order_by(Audit.n).run()
        found |= {row["at"]: row["after"] for row in rows if row["act"].startswith("directory.import") and len(row["after"]) == 64}
    return found

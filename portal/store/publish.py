"""Publications and releases."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from piccolo.columns.combination import And

from portal.domain.errors import NotFound
from portal.store.accounts import within
from portal.store.locks import hold
from portal.store.tables import Correction, Publication, Release, Withdrawal


async def load_live(seen: Collection[int], kind: str) -> list[dict[str, Any]]:
    """Live publications of a kind in key order."""
    rows = await Publication.select().where(
        And(And(Publication.kind == kind, Publication.state == "live"), within(Publication.organisation, seen))
    ).run()
    return [{**row, "data": json.loads(row["data"])} for row in sorted(rows, key=lambda row: row["key"].encode())]


async def load_history(seen: Collection[int], kind: str) -> dict[str, list[dict[str, Any]]]:
    """key -> all versions, oldest first."""
    rows = await Publication.select().where(
        And(Publication.kind == kind, within(Publication.organisation, seen))
    ).order_by(Publication.version).run()
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["key"], []).append({**row, "data": json.loads(row["data"])})
    return found


async def save_publication(values: Mapping[str, Any]) -> int:
    """A new version; the live one before it is superseded first (one live version a key)."""
    before = await Publication.select(Publication.id, Publication.version).where(
        And(Publication.kind == values["kind"], Publication.key == values["key"])
    ).order_by(Publication.version, ascending=False).first().run()
    if before:
        await Publication.update(state="superseded").where(
            And(Publication.id == before["id"], Publication.state == "live")
        ).run()
    version = before["version"] + 1 if before else 1
    return (await Publication.insert(Publication(**values, version=version)).run())[0]["id"]


async def load_publication(number: int, seen: Collection[int]) -> dict[str, Any]:
    """A publication by its number; NotFound outside `seen`."""
    row = await Publication.select().where(And(Publication.id == number, within(Publication.organisation, seen))).first().run()
    if not row:
        raise NotFound(f"没有编号为 {number} 的公示，或者不在您的辖区。")
    return {**row, "data": json.loads(row["data"])}


async def load_live_of(key: str, seen: Collection[int]) -> dict[str, Any] | None:
    """The live version of a result."""
    where = And(And(Publication.kind == "result", Publication.key == key), And(Publication.state == "live", within(Publication.organisation, seen)))
    row = await Publication.select().where(where).first().run()
    return {**row, "data": json.loads(row["data"])} if row else None


async def save_withdrawn(key: str) -> None:
    """No version of a result is shown any more."""
    await Publication.update(state="withdrawn").where(And(And(Publication.kind == "result", Publication.key == key), Publication.state != "withdrawn")).run()


async def save_withdrawal(values: Mapping[str, Any]) -> None:
    await Withdrawal.insert(Withdrawal(**values)).run()


async def load_withdrawals(seen: Collection[int]) -> list[dict[str, Any]]:
    """All, oldest first."""
    return await Withdrawal.select().where(within(Withdrawal.organisation, seen)).order_by(Withdrawal.id).run()


async def save_correction(values: Mapping[str, Any]) -> None:
    await Correction.insert(Correction(**values)).run()


async def load_corrections(seen: Collection[int], keys: Collection[str] | None = None) -> list[dict[str, Any]]:
    """All, or those of these results, oldest first."""
    where = within(Correction.organisation, seen)
    if keys is not None:
        where = And(where, Correction.key.is_in(list(keys)))
    return await Correction.select().where(where).order_by(Correction.id).run() if keys is None or keys else []


async def load_last_release() -> dict[str, Any] | None:
    return await Release.select().order_by(Release.id, ascending=False).first().run()


async def save_release(values: Mapping[str, Any]) -> None:
    await hold("chain")
    known = await Release.exists().where(Release.code == values["code"]).run()
    if not known:
        await Release.insert(Release(**values)).run()


async def load_releases() -> list[dict[str, Any]]:
    return await Release.select().order_by(Release.id).run()

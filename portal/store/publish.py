"""Publications and releases."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from piccolo.columns.combination import And

from portal.store.accounts import within
from portal.store.locks import hold
from portal.store.tables import Publication, Release


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


async def save_release(values: Mapping[str, Any]) -> None:
    await hold("chain")
    known = await Release.exists().where(Release.code == values["code"]).run()
    if not known:
        await Release.insert(Release(**values)).run()


async def load_releases() -> list[dict[str, Any]]:
    return await Release.select().order_by(Release.id).run()

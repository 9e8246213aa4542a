"""Sectors run from spreadsheets, and which versions of items and forms came from one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from portal.store.engine import read
from portal.store.tables import CheckForm, Item, SheetSector, SheetVersion


async def load_mark() -> int:
    """A number that grows with every import and every sector made; 0 where nothing came from a spreadsheet.

    Rows are counted: the highest id would not show one that was begun earlier and committed later.
    """
    sql = "SELECT (SELECT COUNT(*) FROM sheet_version) + (SELECT COUNT(*) FROM sheet_sector) AS mark"
    return int((await read(sql))[0]["mark"])


async def load_sheet_sectors() -> list[dict[str, Any]]:
    return await SheetSector.select().order_by(SheetSector.code).run()


async def load_sheet_versions() -> list[dict[str, Any]]:
    """Every version that came from a spreadsheet, with its `data` and `digest`, in the order of their import."""
    rows = await SheetVersion.select(SheetVersion.all_columns(), SheetVersion.imported_by.name).order_by(SheetVersion.id).run()
    declared: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for kind, table in (("item", Item), ("form", CheckForm)):
        wanted = sorted({row["code"] for row in rows if row["kind"] == kind})
        found = await table.select(table.code, table.version, table.data, table.digest).where(table.code.is_in(wanted or [""])).run()
        declared |= {(kind, row["code"], row["version"]): row for row in found}
    return [
        {**row, "rule": json.loads(row["rule"]), "data": json.loads(one["data"]), "digest": one["digest"]}
        for row in rows
        for one in (declared[row["kind"], row["code"], row["version"]],)
    ]


async def save_sheet_sector(code: str, name: str, department: str, organisation: int, by: int, at: datetime) -> None:
    await SheetSector.insert(
        SheetSector(code=code, name=name, department=department, organisation=organisation, made_by=by, made_at=at)
    ).run()


async def save_sheet_versions(rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await SheetVersion.insert(*(SheetVersion(**row) for row in rows)).run()

"""Divisions, what stations cover, how entries came to their stations."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from piccolo.columns.combination import And, Where

from portal.domain.coverage import Coverage
from portal.domain.coverage_sheets import DivisionRow
from portal.domain.packing import pack
from portal.store.accounts import within
from portal.store.bulk import upsert_rows
from portal.store.engine import keep, read
from portal.store.tables import Division, Entity, Placement, StationArea
from portal.store.tally import TABLE, load_tally

SHIPPED = Path(__file__).parent / "data" / "streets.txt.gz"
BATCH = 500


# Divisions --------------------------------------------------------------------


@lru_cache(maxsize=8)
def shipped_streets(region: str) -> dict[str, str]:
    """9-digit code -> name of the streets that ship with the program, of a county or (350500) of a whole city."""
    start = region[:4] if region.endswith("00") else region
    found: dict[str, str] = {}
    with gzip.open(SHIPPED, "rt", encoding="utf-8") as stream:
        for line in stream:
            if line.startswith(start):
                county, *named = line.split()
                found |= {county + one[:3]: one[3:] for one in named}
    return found


async def load_divisions(region: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """(streets: code -> name, villages: [(name, street's code)]); what was imported goes before what ships."""
    start = region[:4] if region.endswith("00") else region
    rows = await Division.select(Division.code, Division.name, Division.above).where(Division.code.like(f"{start}%")).order_by(Division.code).run()
    streets = shipped_streets(region) | {row["code"]: row["name"] for row in rows if len(row["code"]) == 9}
    return dict(sorted(streets.items())), [(row["name"], row["above"]) for row in rows if len(row["code"]) == 12]


async def save_divisions(rows: Iterable[DivisionRow]) -> int:
    return await upsert_rows(Division, ({"code": row.code, "name": row.name, "above": row.above} for row in rows), key="code")


# What stations cover ------------------------------------------------------------


async def load_coverage(stations: Mapping[int, str]) -> list[Coverage]:
    """What these stations cover (id -> how a Coverage shall name them), by street."""
    rows = await StationArea.select().where(within(StationArea.organisation, stations)).order_by(StationArea.street, StationArea.id).run()
    return [
        Coverage(stations[row["organisation"]], row["street"], tuple(json.loads(row["villages"])), tuple(json.loads(row["old_names"])))
        for row in rows
    ]


async def save_coverage(organisation: int, areas: Sequence[Coverage]) -> None:
    """What one station covers from now on; `areas` name streets by code."""
    await StationArea.delete().where(StationArea.organisation == organisation).run()
    for area in areas:
        await StationArea.insert(
            StationArea(organisation=organisation, street=area.street, villages=pack(list(area.villages)), old_names=pack(list(area.old_names)))
        ).run()


# Entries and their stations -------------------------------------------------------


async def load_unplaced(bureau: int, *, after: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """Entries of the bureau that no station has, in code order."""
    where: Where | And = Entity.organisation == bureau
    if after:
        where = And(where, Entity.code > after)
    columns = (Entity.code, Entity.name, Entity.address, Entity.town, Entity.status, Entity.kind, Entity.organisation)
    return await Entity.select(*columns).where(where).order_by(Entity.code).limit(limit).run()


async def count_unplaced(bureau: int) -> int:
    return sum((await load_tally([bureau])).values())


async def count_undecided(bureau: int) -> int:
    """Of those that no station has, how many nobody left with the bureau on purpose."""
    return await keep(("undecided", bureau), lambda: _count_undecided(bureau))


async def _count_undecided(bureau: int) -> int:
    kept = "SELECT COUNT(*) FROM \"placement\" WHERE placed_by = 'person' AND organisation = {}"
    return int((await read(f"SELECT (SELECT COALESCE(SUM(n), 0) FROM {TABLE} WHERE organisation = {{}}) - ({kept}) AS n", bureau, bureau))[0]["n"])


async def save_stations_of(codes_by_station: Mapping[int, Sequence[str]]) -> None:
    """Entries -> their station."""
    for station, codes in codes_by_station.items():
        for start in range(0, len(codes), BATCH):
            await Entity.update(organisation=station).where(Entity.code.is_in(list(codes[start : start + BATCH]))).run()


async def save_placements(rows: Iterable[Mapping[str, Any]]) -> int:
    """Rows: entity_code, organisation, placed_by, confidence, why, account, placed_at."""
    return await upsert_rows(Placement, rows, key="entity_code")


async def delete_placements(codes: Sequence[str]) -> None:
    for start in range(0, len(codes), BATCH):
        await Placement.delete().where(Placement.entity_code.is_in(list(codes[start : start + BATCH]))).run()


async def load_placement(code: str) -> dict[str, Any] | None:
    return await Placement.select(Placement.all_columns(), Placement.account.name).where(Placement.entity_code == code).first().run()


async def load_choices() -> dict[str, int]:
    """code -> the organisation a person chose for it: as many as people have time for."""
    rows = await Placement.select(Placement.entity_code, Placement.organisation).where(Placement.placed_by == "person").run()
    return {row["entity_code"]: row["organisation"] for row in rows}


async def restore_choices() -> None:
    """Every entry that a person placed is where the person placed it."""
    by_station: dict[int, list[str]] = {}
    for code, organisation in (await load_choices()).items():
        by_station.setdefault(organisation, []).append(code)
    await save_stations_of(by_station)


async def load_placed_by_address(codes: Sequence[str]) -> set[str]:
    """Those of `codes` whose station came from their address."""
    found: set[str] = set()
    for start in range(0, len(codes), BATCH):
        mine = Placement.entity_code.is_in(list(codes[start : start + BATCH]))
        rows = await Placement.select(Placement.entity_code).where(And(mine, Placement.placed_by == "address")).run()
        found |= {row["entity_code"] for row in rows}
    return found


async def has_placements() -> bool:
    return await Placement.exists().run()

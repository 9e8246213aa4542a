"""Importing the directories: a file is read whole, then saved whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

from portal.domain.cells import Cell, Sheet
from portal.domain.directory import (
    EntityRow,
    InspectorRow,
    gathered,
    may_inspect,
    open_entities,
    parse_entities,
    parse_inspectors,
)
from portal.domain.errors import BadInput, NotAllowed, Problem
from portal.domain.tables import Findings
from portal.steps.acting import Acting
from portal.steps.loading import SMALL, load_entities
from portal.store import accounts, directory
from portal.store.engine import current_engine, transaction


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: `counts` in the order to be shown, `warnings` by row and column."""

    counts: dict[str, int]
    warnings: tuple[Problem, ...]


def _stations(organisations: Sequence[dict[str, Any]], act: Acting) -> dict[str, int]:
    """name -> id of the stations of the acting bureau; also by name without 市场监督管理所 and 所."""
    tree = accounts.tree_of(list(organisations), act.bureau["id"])
    found: dict[str, int] = {}
    for o in organisations:
        if o["id"] in tree and o["kind"] == "station":
            short = o["name"].removesuffix("市场监督管理所").removesuffix("市场监管所").removesuffix("所")
            for name in (o["name"], short, o["code"]):
                found[name] = o["id"]
    return found


def _station_of(station: str, town: str, stations: dict[str, int], bureau: int) -> int:
    for name in (station, town, town.removesuffix("街道").removesuffix("镇").removesuffix("乡")):
        if name and name in stations:
            return stations[name]
    return bureau


async def import_entities(act: Acting, sheet: Sheet, file: bytes) -> ImportReport:
    """A sheet of companies into the directory, all or nothing. Raises BadInput with row and column."""
    act.require("directory.import")
    parsed = parse_entities(sheet.rows)
    parsed.require_no_errors("检查对象名录")
    return await save_entity_rows(act, parsed.rows, parsed.warnings, hashlib.sha256(file).hexdigest())


async def import_register(act: Acting, rows: Iterable[Sequence[Cell]], digest: str) -> ImportReport:
    """Like `import_entities`, for a file of any length whose rows come one by one: memory stays flat."""
    act.require("directory.import")
    stations, tree = await _places(act)
    table, read = open_entities(rows)
    first = list(islice(read, SMALL + 1))
    if len(first) <= SMALL:
        parsed = gathered(table, first)
        parsed.require_no_errors("检查对象名录")
        return await save_entity_rows(act, parsed.rows, parsed.warnings, digest)
    counts: Counter[str] = Counter()
    await load_entities(
        act, chain(first, read), partial(_organisation_of, stations, act.bureau["id"]), tree, counts, table.findings,
        table.heading("code"), digest,
    )  # fmt: skip
    return ImportReport(dict(counts), tuple(table.findings.warnings))


async def _places(act: Acting) -> tuple[dict[str, int], Collection[int]]:
    """Stations by name, and the organisations whose directory is the acting bureau's."""
    organisations = await accounts.load_organisations()
    return _stations(organisations, act), accounts.tree_of(organisations, act.bureau["id"])


def _organisation_of(stations: dict[str, int], bureau: int, row: EntityRow) -> int:
    return _station_of(row.station, row.town, stations, bureau)


async def save_entity_rows(
    act: Acting, rows: Iterable[EntityRow], warnings: tuple[Problem, ...] = (), digest: str = ""
) -> ImportReport:
    act.require("directory.import")
    stations, tree = await _places(act)
    bureau = act.bureau["id"]
    counts: Counter[str] = Counter()
    if isinstance(rows, tuple) and len(rows) > SMALL and not current_engine().transaction_exists():
        organisation_of = partial(_organisation_of, stations, bureau)
        await load_entities(act, enumerate(rows), organisation_of, tree, counts, Findings(), digest=digest)
        return ImportReport(dict(counts), warnings)

    def values() -> Iterator[dict[str, Any]]:
        for row in rows:
            counts["读入"] += 1
            organisation = _station_of(row.station, row.town, stations, bureau)
            counts["已分到所" if organisation != bureau else "未分到所"] += 1
            if row.status != directory.DRAWABLE:
                counts["不在册（不参加抽取）"] += 1
            yield directory.entity_values(row, organisation, act.now)

    async with transaction():
        if isinstance(rows, tuple):  # a file; the sample streams into an empty directory
            owners = await directory.load_owners([row.code for row in rows])
            foreign = sorted(code for code, owner in owners.items() if owner not in tree)
            if foreign:
                raise NotAllowed(f"有 {len(foreign)} 户已在其他单位的名录中，例如 {foreign[0]}。请删去这些行后重新上传。")
            counts["更新原有"] = len(owners)
        saved = await directory.save_entities(values())
        if not saved:
            raise BadInput("文件里没有一户检查对象。")
        await act.audit("directory.import", "entities", after=digest, count=saved)
    return ImportReport(dict(counts), warnings)


async def import_inspectors(act: Acting, sheet: Sheet, file: bytes) -> ImportReport:
    """A sheet of inspectors; those expired or 失效 come in too and are never eligible."""
    act.require("directory.import")
    parsed = parse_inspectors(sheet.rows, act.today)
    parsed.require_no_errors("执法检查人员名录")
    return await save_inspector_rows(act, parsed.rows, parsed.warnings, hashlib.sha256(file).hexdigest())


async def save_inspector_rows(
    act: Acting, rows: Sequence[InspectorRow], warnings: tuple[Problem, ...] = (), digest: str = ""
) -> ImportReport:
    act.require("directory.import")
    organisations = await accounts.load_organisations()
    stations = _stations(organisations, act)
    bureau = act.bureau
    eligible = sum(may_inspect(row, act.today) for row in rows)
    async with transaction():
        saved = await directory.save_inspectors(
            directory.inspector_values(row, bureau["region"], _station_of(row.station, row.town, stations, bureau["id"]))
            for row in rows
        )
        if not saved:
            raise BadInput("文件里没有一名执法人员。")
        await act.audit("directory.import", "inspectors", after=digest, count=saved)
    return ImportReport({"读入": saved, "今日可派": eligible, "证件到期或失效": saved - eligible}, warnings)

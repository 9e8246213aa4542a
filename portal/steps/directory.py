"""Importing the directories and the recusals: what a file may not do here, and saving it whole."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.cells import Sheet
from portal.domain.codes import region_of
from portal.domain.directory import EntityRow, InspectorRow, may_inspect, parse_entities
from portal.domain.errors import BadInput, NotAllowed, Problem
from portal.domain.imports import NEW, SAME, UPDATED
from portal.domain.recusals import RecusalRow
from portal.domain.regions import check_region
from portal.domain.registers import join_registers
from portal.domain.tables import Parsed
from portal.steps.acting import Acting
from portal.steps.stations import Placer, open_placer
from portal.store import accounts, directory, loads
from portal.store import imports as store
from portal.store.engine import transaction
from portal.store.entity_lines import entity_line, load_unchanged, stored_instant
from portal.store.locks import hold


#: Entries compared with what is there between two waits for the database.
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: `counts` in the order to be shown, `warnings` by row and column; `errors`: rows left out;
    `aside`: rows of the file that are no data, in words."""

    counts: dict[str, int]
    warnings: tuple[Problem, ...]
    errors: tuple[Problem, ...] = ()
    aside: str = ""


def _stations(organisations: Sequence[dict[str, Any]], act: Acting) -> dict[str, int]:
    """name -> id of the stations of the acting bureau; also by the shorter names in use (清桥所, 清桥) and by code."""
    tree = accounts.tree_of(list(organisations), act.bureau["id"])
    found: dict[str, int] = {}
    for o in organisations:
        if o["id"] in tree and o["kind"] == "station":
            short = o["name"].removesuffix("市场监督管理所").removesuffix("市场监管所").removesuffix("所")
            for name in (o["name"], short, o["code"], *(f"{short}{end}" for end in ("所", "市监所", "市场监管所", "市场监督管理所"))):
                found.setdefault(name, o["id"])
    return found


def _station_of(station: str, town: str, stations: dict[str, int], bureau: int) -> int:
    for name in (station, town, town.removesuffix("街道").removesuffix("镇").removesuffix("乡")):
        if name and name in stations:
            return stations[name]
    return bureau


async def own_codes(act: Acting, codes: Sequence[str]) -> tuple[set[str], set[str]]:
    """(codes in the acting bureau's directory, codes in another bureau's)."""
    tree = accounts.tree_of(await accounts.load_organisations(), act.bureau["id"])
    owners = await directory.load_owners(codes)
    mine = {code for code, owner in owners.items() if owner in tree}
    return mine, owners.keys() - mine


def foreign(code: str) -> str:
    """What is said of a row whose code is another bureau's."""
    return f"代码 {code} 已在其他单位的名录中。请删去这一行，或与该单位核对管辖。"


# Entities ------------------------------------------------------------------------

#: column of the table -> fields of a file that speak of it; a file without them leaves the column as it is
_SPOKEN = {
    "kind": "kind holder", "holder": "kind holder", "site": "kind holder", "old_names": "old_names", "type": "type", "status": "status",
    "region": "region", "organisation": "station town address", "town": "town address", "address": "address", "industries": "industries",
    "scope": "scope", "registered_on": "registered_on", "risk_class": "risk_class", "tags": "tags",
    "licences": "licence_name licence_number", "attributes": "authority capital province city src_year type",
}  # fmt: skip


async def check_entities(act: Acting, parsed: Parsed[EntityRow]) -> tuple[Parsed[EntityRow], dict[str, int]]:
    """Entries that belong to another bureau are errors of their rows; counts of new, changed and unchanged ones."""
    mine, others = await own_codes(act, [row.code for row in parsed.rows])
    parsed = parsed.found([
        Problem(parsed.headings.title("code"), foreign(row.code), line)
        for row, line in zip(parsed.rows, parsed.lines, strict=True)
        if row.code in others
    ])  # fmt: skip
    parsed = replace(parsed, warnings=(*parsed.warnings, *await asyncio.to_thread(_region_warnings, act, parsed.rows)))
    idle = sum(row.status != directory.DRAWABLE for row in parsed.rows)
    filing = await open_filing(act, parsed.headings.fields)
    known = [row for row in parsed.rows if row.code in mine]
    same = 0
    for start in range(0, len(known), _AT_ONCE):  # between two of them the office is answered
        part = known[start : start + _AT_ONCE]
        await filing.remember(await directory.load_owners([row.code for row in part]))
        same += len(await load_unchanged(map(filing.line, part), filing.keep))
    return parsed, {NEW: len(parsed.rows) - len(known), UPDATED: len(known) - same, SAME: same, "不在册（不参加抽取）": idle}


def _region_warnings(act: Acting, rows: Iterable[EntityRow]) -> tuple[Problem, ...]:
    return region_warnings(act, Counter(region_of(row.holder) for row in rows))


def region_warnings(act: Acting, found: Mapping[str, int]) -> tuple[Problem, ...]:
    """One warning a registering region (-> how many entries) that no table has; never of the bureau's own."""
    own = [act.bureau["region"]]
    said = [(check_region(region, own), count) for region, count in sorted(found.items())]
    return tuple(Problem("代码", f"{count} 户：{message}") for message, count in said if message)


async def import_entities(act: Acting, sheet: Sheet, file: bytes) -> ImportReport:
    """A sheet of companies into the directory, all or nothing. Raises BadInput with row and column."""
    act.require("directory.import")
    parsed, _ = await check_entities(act, parse_entities(sheet.rows, accepted=await store.load_accepted(act.bureau["id"])))
    parsed.require_no_errors("检查对象名录")
    return await save_entity_rows(act, parsed.rows, parsed.warnings, hashlib.sha256(file).hexdigest(), parsed.headings.fields, parsed.lines)


def unspoken(fields: Collection[str] | None) -> frozenset[str]:
    """The columns of the table that a file with these fields (None: all) says nothing about."""
    return frozenset() if fields is None else frozenset(name for name, spoken in _SPOKEN.items() if not set(spoken.split()) & set(fields))


async def open_placing(act: Acting) -> tuple[Placer, frozenset[int]]:
    """What gives entities their station, and the organisations whose directory is the acting bureau's."""
    organisations = await accounts.load_organisations()
    return await open_placer(act, _stations(organisations, act)), frozenset(accounts.tree_of(organisations, act.bureau["id"]))


@dataclass(slots=True)
class Filing:
    """What becomes of the rows of a file in the directory. Not frozen: it learns about the entries there are."""

    act: Acting
    keep: frozenset[str]
    placer: Placer
    tree: frozenset[int]
    at: str
    classed: bool  # a class may have come in before its entity
    registered: bool
    classes: dict[str, str]
    registers: dict[str, Any]

    async def remember(self, owners: Mapping[str, int], new: Collection[str] = ()) -> None:
        """Of the next rows these are in the directory and these are not."""
        bureau = self.act.bureau["id"]
        await self.placer.remember(owners)
        self.classes = await store.load_latest_classes(bureau, new) if self.classed and new else {}
        self.registers = await store.load_register_rows(bureau, owners.keys()) if self.registered and owners else {}

    def organisation(self, row: EntityRow) -> int:
        return self.act.bureau["id"] if "organisation" in self.keep else self.placer.place(row)

    def joined(self, row: EntityRow) -> EntityRow:
        """With the class and the registers that came in by files of their own."""
        if row.code in self.classes:
            row = row._replace(risk_class=self.classes[row.code])
        if row.code in self.registers:
            licences, attributes = join_registers(row.licences, row.attributes, self.registers[row.code])
            row = row._replace(licences=tuple(licences), attributes=attributes)
        return row

    def line(self, row: EntityRow) -> str:
        """As it would be stored (`entity_lines`)."""
        return entity_line(self.joined(row), self.organisation(row), self.at)


async def open_filing(act: Acting, fields: Collection[str] | None) -> Filing:
    """`fields`: what the file has columns for (None: everything)."""
    bureau, keep = act.bureau["id"], unspoken(fields)
    placer, tree = await open_placing(act)
    classed = "risk_class" in keep and await store.has_classes(bureau)
    registered = not {"licences", "attributes"} <= keep and await store.has_register_rows(bureau)
    return Filing(act, keep, placer, tree, stored_instant(act.now), classed, registered, {}, {})


async def save_entity_rows(
    act: Acting, rows: Iterable[EntityRow], warnings: tuple[Problem, ...] = (), digest: str = "", fields: Collection[str] | None = None,
    lines: Sequence[int] = (),
) -> ImportReport:  # fmt: skip
    """Rows into the directory; `fields`: what the file has columns for (None: everything), the rest of known entries stays.

    `lines`: the file rows of `rows`, for the words of a refusal. NotAllowed where another bureau has a code,
    asked once more here since it may have got it after the file was checked; WrongMoment while a large file comes in.
    """
    act.require("directory.import")
    bureau = act.bureau["id"]
    counts: Counter[str] = Counter({"读入": 0})
    known: list[str] = []  # lines of those that are there already

    def values() -> Iterator[dict[str, Any]]:
        for row in rows:
            counts["读入"] += 1
            organisation = filing.organisation(row)
            if "organisation" not in filing.keep:
                counts["已分到所" if organisation != bureau else "未分到所"] += 1
            if row.status != directory.DRAWABLE:
                counts["不在册（不参加抽取）"] += 1
            row = filing.joined(row)
            if row.code in owners:
                known.append(entity_line(row, organisation, filing.at))
            yield directory.entity_values(row, organisation, act.now)

    async with transaction():
        await hold("bureau", bureau)
        await hold("directory")
        await loads.require_none_merging("entities")
        filing = await open_filing(act, fields)
        owners: dict[str, int] = {}
        if isinstance(rows, tuple):  # a file; the sample streams into an empty directory
            codes = [row.code for row in rows]
            owners = await directory.load_owners(codes)
            require_own({code for code, owner in owners.items() if owner not in filing.tree}, zip(codes, lines))
            await filing.remember(owners, set(codes) - owners.keys())
        made = list(values()) if owners else values()
        same = len(await load_unchanged(known, filing.keep))
        saved = await directory.save_entities(made, filing.keep)
        if not saved:
            raise BadInput("文件里没有一户检查对象。")
        await filing.placer.save()
        await act.audit("directory.import", "entities", after=digest, count=saved)
    gone = {NEW: saved - len(known), UPDATED: len(known) - same, SAME: same}
    return ImportReport(gone | dict(counts), (*warnings, *filing.placer.unknown()))


def require_own(others: Collection[str], places: Iterable[tuple[str, int]], name: str = "") -> None:
    """NotAllowed where codes are another bureau's, by file row as far as `places` (code, row) knows; `name`: of the file."""
    if not others:
        return
    found = sorted({(row, code) for code, row in places if code in others})
    row, code = found[0] if found else (0, min(others))
    where = f"第 {row} 行的 {code}" if row else code
    raise NotAllowed(
        f"{f'“{name}”' if name else ''}有 {len(others)} 户已在其他单位的名录中，例如{where}。没有导入任何一行，请删去这些行后重新上传，或与该单位核对管辖。",
        [Problem("", foreign(code), row) for row, code in found[:200]],
    )


# Inspectors ----------------------------------------------------------------------


async def check_inspectors(act: Acting, parsed: Parsed[InspectorRow]) -> tuple[Parsed[InspectorRow], dict[str, int]]:
    eligible = sum(may_inspect(row, act.today) for row in parsed.rows)
    _, gone = await _inspector_values(act, parsed.rows)
    return parsed, gone | {"今日可派": eligible, "证件到期或失效": len(parsed.rows) - eligible}


async def _inspector_values(act: Acting, rows: Sequence[InspectorRow]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """(rows as the table stores them, how many are new, changed, unchanged)."""
    organisations = await accounts.load_organisations()
    stations, bureau = _stations(organisations, act), act.bureau
    tree = accounts.joint_tree_of(organisations, bureau["id"])
    # People of another department (教育局) are its own, so that a joint check knows whose they are.
    departments = {o["name"]: o["id"] for o in organisations if o["id"] in tree and o["kind"] in ("department", "partner")}
    values = [
        directory.inspector_values(row, bureau["region"], departments.get(row.station) or _station_of(row.station, row.town, stations, bureau["id"]))
        for row in rows
    ]
    there = {row["code"]: row for row in await directory.load_inspectors(tree)}
    known = [one for one in values if one["code"] in there]
    same = sum(all(there[one["code"]][name] == value for name, value in one.items()) for one in known)
    return values, {NEW: len(values) - len(known), UPDATED: len(known) - same, SAME: same}


async def save_inspector_rows(
    act: Acting, rows: Sequence[InspectorRow], warnings: tuple[Problem, ...] = (), digest: str = ""
) -> ImportReport:
    act.require("directory.import")
    eligible = sum(may_inspect(row, act.today) for row in rows)
    async with transaction():
        await hold("bureau", act.bureau["id"])
        values, gone = await _inspector_values(act, rows)
        saved = await directory.save_inspectors(values)
        if not saved:
            raise BadInput("文件里没有一名执法人员。")
        await act.audit("directory.import", "inspectors", after=digest, count=saved)
    return ImportReport({**gone, "读入": saved, "今日可派": eligible, "证件到期或失效": saved - eligible}, warnings)


# Recusals ------------------------------------------------------------------------


async def check_recusals(act: Acting, parsed: Parsed[RecusalRow]) -> tuple[Parsed[RecusalRow], dict[str, int]]:
    """Unknown inspectors are errors; an entity not in the directory is only odd, it may come later."""
    people = await _inspectors_by_number(act)
    mine, _ = await own_codes(act, [row.entity for row in parsed.rows])
    titles = {name: title for title, name in parsed.headings.known}
    errors, warnings = [], []
    for row, line in zip(parsed.rows, parsed.lines, strict=True):
        if row.inspector not in people:
            errors.append(Problem(titles["inspector"], f"执法人员名录中没有工号“{row.inspector}”。请核对，或先导入执法人员名录。", line))
        elif row.entity not in mine:
            warnings.append(Problem(titles["entity"], f"检查对象名录中没有代码 {row.entity}，回避照常登记。", line))
    parsed = parsed.found(errors, warnings)
    known = await directory.load_recusals(people.values(), act.today)
    same = sum((people[row.inspector], row.entity) in known for row in parsed.rows)
    return parsed, {NEW: len(parsed.rows) - same, SAME: same}


async def save_recusals(act: Acting, parsed: Parsed[RecusalRow], digest: str) -> dict[str, int]:
    """Recusals into the caller's transaction; a pair already in force is not entered twice."""
    await hold("bureau", act.bureau["id"])
    people = await _inspectors_by_number(act)
    known = await directory.load_recusals(people.values(), act.today)
    counts = {NEW: 0, SAME: 0}
    for row in parsed.rows:
        inspector = people[row.inspector]
        if (inspector, row.entity) in known:
            counts[SAME] += 1
            continue
        known.add((inspector, row.entity))
        reason = f"{row.reason}（{row.note}）" if row.note else row.reason
        await directory.save_recusal(inspector, row.entity, reason, row.since or act.today, act.account, act.now, row.until)
        counts[NEW] += 1
    await act.audit("directory.import", "recusals", after=digest, count=len(parsed.rows))
    return counts


async def _inspectors_by_number(act: Acting) -> dict[str, int]:
    """own number, and full code, -> id of the bureau's inspectors."""
    tree = accounts.joint_tree_of(await accounts.load_organisations(), act.bureau["id"])
    found: dict[str, int] = {}
    for row in await directory.load_inspectors(tree):
        found[row["code"]] = row["id"]
        if row["number"]:
            found[row["number"]] = row["id"]
    return found

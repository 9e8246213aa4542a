"""Stations (属地所): what they cover, and giving each directory entry its station by its address.

By the file where it names a station, else by the address, else by a person; what a
person has chosen is never overwritten.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portal.domain.cells import Sheet
from portal.domain.coverage import Coverage, StationTable, bare_street, make_table
from portal.domain.coverage_sheets import parse_coverage, parse_divisions
from portal.domain.directory import EntityRow
from portal.domain.errors import BadInput, NotAllowed, NotFound, Problem, WrongMoment
from portal.domain.stations import CONFIDENCES, Match, find_station
from portal.steps.acting import Acting
from portal.store import accounts, directory
from portal.store import stations as store
from portal.store.engine import transaction
from portal.store.locks import hold

PAGE = 2_000
_OFFICES = ("市场监督管理局", "市场监管局")
_STATION = "市场监督管理所"


def _require_bureau(act: Acting, what: str) -> None:
    """The right, and an account of the bureau itself: a station's people do not decide what other stations have."""
    act.require(what)
    if act.bureau["id"] not in act.tree:
        raise NotAllowed(f"账号“{act.login}”属于{act.organisation['name']}。各所辖区由局里划定，请用局里的账号办理。")


# Divisions and coverage -----------------------------------------------------------


async def import_divisions(act: Acting, sheet: Sheet, file: bytes) -> dict[str, int]:
    """A sheet of streets and villages of the bureau's region, all or nothing."""
    _require_bureau(act, "stations.make")
    parsed = parse_divisions(sheet.rows, act.bureau["region"])
    parsed.require_no_errors("区划表")
    if not parsed.rows:
        raise BadInput("文件里没有一个镇街或村居。")
    async with transaction():
        await hold("bureau", act.bureau["id"])
        saved = await store.save_divisions(parsed.rows)
        await act.audit("stations.divisions", act.bureau["code"], after=hashlib.sha256(file).hexdigest(), count=saved)
    villages = sum(len(row.code) == 12 for row in parsed.rows)
    return {"镇街": saved - villages, "村居": villages}


async def make_stations(act: Acting) -> dict[str, int]:
    """One station a street of the bureau's county, for bureaus that have none of their own making. Counts."""
    _require_bureau(act, "stations.make")
    region = act.bureau["region"]
    streets, _ = await store.load_divisions(region)
    if not streets:
        raise WrongMoment(f"区划表中没有 {region} 的镇街。请先用 portal stations divisions 导入。")
    if region.endswith("00"):
        raise WrongMoment(f"本局区划 {region} 不是县级，不能每个镇街设一所。请用辖区表导入各所。")
    coverage = [Coverage(f"{bare_street(name)}{_STATION}", code) for code, name in streets.items()]
    return await _save_coverage(act, coverage, "")


async def import_stations(act: Acting, sheet: Sheet, file: bytes) -> dict[str, int]:
    """A sheet 所名称 | 辖区镇街 | 辖区村居 | 原镇街名: stations it names are made, what they cover is replaced."""
    _require_bureau(act, "stations.make")
    parsed = parse_coverage(sheet.rows)
    parsed.require_no_errors("辖区表")
    if not parsed.rows:
        raise BadInput("文件里没有一个所。")
    return await _save_coverage(act, parsed.rows, hashlib.sha256(file).hexdigest())


async def _save_coverage(act: Acting, coverage: Sequence[Coverage], digest: str) -> dict[str, int]:
    bureau = act.bureau
    streets, villages = await store.load_divisions(bureau["region"])
    make_table(bureau["region"], streets.items(), villages, coverage)  # raises where a name is not in the divisions
    codes = {name: code for code, name in streets.items()} | {bare_street(name): code for code, name in streets.items()}
    by_station: dict[str, list[Coverage]] = {}
    for one in coverage:
        street = one.street if one.street in streets else codes[one.street]
        by_station.setdefault(one.station, []).append(replace(one, street=street))
    organisations = await accounts.load_organisations()
    tree = accounts.tree_of(organisations, bureau["id"])
    known = {o["name"]: o for o in organisations if o["id"] in tree and o["kind"] == "station"}
    taken = {o["code"] for o in organisations}
    async with transaction():
        await hold("bureau", bureau["id"])
        for name, areas in by_station.items():
            if name in known:
                station = known[name]["id"]
            else:
                code = _station_code(bureau["code"], areas[0].street, taken)
                taken.add(code)
                station = await accounts.save_organisation(code, name, "station", bureau["id"], bureau["region"])
            await store.save_coverage(station, areas)
        made = len(by_station.keys() - known.keys())
        await act.audit("stations.make", bureau["code"], after=digest, stations=len(by_station), made=made, streets=len(coverage))
    return {"所": len(by_station), "新设": made, "镇街": len({area.street for areas in by_station.values() for area in areas})}


def _station_code(bureau: str, street: str, taken: set[str]) -> str:
    """The street's own three digits where they are free (350582-S103), else the next free number."""
    code = f"{bureau}-S{street[6:]}"
    number = 0
    while code in taken:
        number += 1
        code = f"{bureau}-S{number:02d}"
    return code


async def load_table(act: Acting) -> tuple[StationTable | None, dict[str, dict[str, Any]]]:
    """(the table of the bureau, None while no station covers anything; its stations by name)."""
    organisations = await accounts.load_organisations()
    tree = accounts.tree_of(organisations, act.bureau["id"])
    ours = [o for o in organisations if o["id"] in tree and o["kind"] == "station"]
    shared = {name for name, count in Counter(o["name"] for o in ours).items() if count > 1}
    stations = {f"{o['name']}（{o['code']}）" if o["name"] in shared else o["name"]: o for o in ours}
    coverage = await store.load_coverage({o["id"]: name for name, o in stations.items()})
    if not coverage:
        return None, stations
    streets, villages = await store.load_divisions(act.bureau["region"])
    county = next((act.bureau["name"].removesuffix(end) for end in _OFFICES if act.bureau["name"].endswith(end)), "")
    return make_table(act.bureau["region"], streets.items(), villages, coverage, county), stations


async def load_towns(act: Acting, entities: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """code -> street, of entries for which the register names none and whose address leads to the station they are with."""
    unnamed = {code: row for code, row in entities.items() if not row["town"] and row["address"]}
    table, stations = await load_table(act) if unnamed else (None, {})
    if table is None:
        return {}
    names = {o["id"]: name for name, o in stations.items()}
    found = {}
    for code, row in unnamed.items():
        match = find_station(table, row["address"], row["name"])
        if match.station and match.station == names.get(row["organisation"]) and "、" not in match.street:
            found[code] = match.street
    return found


# Placing ------------------------------------------------------------------------------


@dataclass(slots=True)
class Placer:
    """Gives the rows of an import their organisation; `save` writes how. Not frozen: it is filled while rows are read."""

    act: Acting
    named: Mapping[str, int]
    table: StationTable | None
    stations: Mapping[str, Mapping[str, Any]]
    chosen: Mapping[str, int]
    any_before: bool  # whether an earlier placement may have to go
    below: frozenset[int]  # bureaus below the acting one: what is theirs stays theirs
    kept: dict[str, int] = field(default_factory=dict)  # stations that an earlier file gave
    placed: list[dict[str, Any]] = field(default_factory=list)
    by_file: list[str] = field(default_factory=list)
    strange: Counter[str] = field(default_factory=Counter)

    def place(self, row: EntityRow) -> int:
        """A person's choice, else the station the file names, else the one an earlier file gave, else the address's, else the bureau it is of."""
        if row.code in self.chosen:
            return self.chosen[row.code]
        # Without coverage a town that is called as a station is all there is to go by.
        for name in (row.station,) if self.table else (row.station, row.town, bare_street(row.town)):
            if name and name in self.named:
                if self.any_before:
                    self.by_file.append(row.code)
                return self.named[name]
        if row.station and row.station != self.act.bureau["name"]:
            self.strange[row.station] += 1
        if row.code in self.kept:
            return self.kept[row.code]
        if self.table is None or row.kind == "object":
            return self.act.bureau["id"]
        match = find_station(self.table, row.address if row.town in row.address else row.town + row.address, row.name)
        if not match.station:
            return self.act.bureau["id"]
        station = self.stations[match.station]["id"]
        self.placed.append(placement(self.act, row.code, station, match))
        return station

    async def remember(self, owners: Mapping[str, int]) -> None:
        """Entries of the import already in the directory: a station that an earlier file gave is not taken away by an address."""
        stations = {o["id"] for o in self.stations.values()}
        here = {code: owner for code, owner in owners.items() if owner in stations}
        moving = await store.load_placed_by_address(list(here)) if self.any_before else set()
        self.kept = {code: owner for code, owner in here.items() if code not in moving}
        self.kept |= {code: owner for code, owner in owners.items() if owner in self.below}

    def unknown(self) -> tuple[Problem, ...]:
        """Stations that the file names and the bureau does not have, each once."""
        return tuple(
            Problem("属地所", f"“{name}”不是本局的所，{count} 户改按地址分所。请核对所名，或先设所。") for name, count in sorted(self.strange.items())
        )

    async def save(self) -> None:
        """Inside the import's transaction, after its rows."""
        await store.delete_placements(self.by_file)
        await store.save_placements(self.placed)


async def open_placer(act: Acting, named: Mapping[str, int]) -> Placer:
    """`named`: how files call stations -> organisation."""
    table, stations = await load_table(act)
    organisations = await accounts.load_organisations()
    tree = accounts.tree_of(organisations, act.bureau["id"]) - {act.bureau["id"]}
    below = frozenset(o["id"] for o in organisations if o["id"] in tree and o["kind"] == "bureau")
    return Placer(act, named, table, stations, await store.load_choices(), await store.has_placements(), below)


def placement(act: Acting, code: str, station: int, match: Match) -> dict[str, Any]:
    return {
        "entity_code": code, "organisation": station, "placed_by": "address", "confidence": match.confidence, "why": match.why,
        "account": act.account, "placed_at": act.now,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assigned:
    """What `assign_stations` did: entries by confidence, by station, and those for a person (code, name, address, why)."""

    counts: Mapping[str, int]
    stations: Mapping[str, int]
    left: Sequence[tuple[str, str, str, str]]

    @property
    def placed(self) -> int:
        return self.counts["sure"] + self.counts["likely"]


async def assign_stations(act: Acting, *, preview: bool = False) -> Assigned:
    """Give every entry without a station the one its address names; nothing changes with `preview`."""
    _require_bureau(act, "stations.make")
    async with transaction():
        await hold("bureau", act.bureau["id"])
        table, stations = await load_table(act)
        if table is None:
            raise WrongMoment("还没有一个所划定了辖区。请先运行 portal stations make，或导入辖区表。")
        chosen = await store.load_choices()
        counts: Counter[str] = Counter(dict.fromkeys(CONFIDENCES, 0))
        by_station: dict[int, list[str]] = {}
        rows: list[dict[str, Any]] = []
        left: list[tuple[str, str, str, str]] = []
        after = ""
        while page := await store.load_unplaced(act.bureau["id"], after=after, limit=PAGE):
            after = page[-1]["code"]
            for entity in page:
                if entity["code"] in chosen:
                    continue
                match = find_station(table, entity["address"], entity["name"])
                counts[match.confidence] += 1
                if match.station:
                    station = stations[match.station]["id"]
                    by_station.setdefault(station, []).append(entity["code"])
                    rows.append(placement(act, entity["code"], station, match))
                else:
                    left.append((entity["code"], entity["name"], entity["address"], match.why))
        names = {o["id"]: o["name"] for o in stations.values()}
        report = Assigned(dict(counts), {names[station]: len(codes) for station, codes in sorted(by_station.items())}, left)
        if rows and not preview:
            await store.save_stations_of(by_station)
            await store.save_placements(rows)
            lines = "".join(f"{row['entity_code']}\t{row['organisation']}\n" for row in sorted(rows, key=lambda row: row["entity_code"]))
            await act.audit("stations.assign", act.bureau["code"], after=hashlib.sha256(lines.encode()).hexdigest(), **dict(counts))
    return report


async def count_unplaced(act: Acting) -> int:
    """Entries without a station that nobody left with the bureau on purpose."""
    bureau = act.bureau["id"]
    if bureau not in act.tree:
        return 0
    return await store.count_undecided(bureau)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An entry without a station and what its address says."""

    entity: Mapping[str, Any]
    match: Match


async def load_unplaced(act: Acting, *, confidence: str = "", after: str = "", limit: int = 50) -> list[Unplaced]:
    """Entries for a person, in code order, with what is known of each; those a person left with the bureau are not asked again."""
    _require_bureau(act, "directory.place")
    table, _ = await load_table(act)
    chosen = await store.load_choices()
    found: list[Unplaced] = []
    while len(found) < limit and (page := await store.load_unplaced(act.bureau["id"], after=after, limit=PAGE)):
        after = page[-1]["code"]
        for entity in page:
            if entity["code"] not in chosen:
                match = find_station(table, entity["address"], entity["name"]) if table else Match("", "none", "还没有划定各所的辖区。")
                if confidence in ("", match.confidence):
                    found.append(Unplaced(entity, match))
    return found[:limit]


async def place_entity(act: Acting, code: str, station_code: str, reason: str) -> dict[str, Any]:
    """A person gives an entry its station (or the bureau itself), with a reason; the organisation."""
    _require_bureau(act, "directory.place")
    reason = reason.strip()
    if not reason:
        raise BadInput("没有写明理由。请写明为什么由这个所管辖。")
    organisations = await accounts.load_organisations()
    tree = accounts.tree_of(organisations, act.bureau["id"])
    by_id = {o["id"]: o for o in organisations}
    ours = [o for o in organisations if o["id"] == act.bureau["id"] or (o["id"] in tree and o["kind"] == "station")]
    station = next((o for o in ours if o["code"] == station_code), None)
    async with transaction():
        await hold("bureau", act.bureau["id"])
        entity = await directory.load_entity(code, tree)
        if entity is None:
            raise NotFound(f"名录里没有代码为“{code[:64]}”的检查对象，或者不在您的辖区。")
        if station is None:
            raise NotFound(f"本局没有编号为“{station_code[:64]}”的所。")
        await store.save_stations_of({station["id"]: [code]})
        row = {
            "entity_code": code, "organisation": station["id"], "placed_by": "person", "confidence": "", "why": reason,
            "account": act.account, "placed_at": act.now,
        }  # fmt: skip
        await store.save_placements([row])
        await act.audit("directory.place", code, before=by_id[entity["organisation"]]["code"], after=station["code"], reason=reason)
    return station

"""A large register into the directory: read whole first, then merged a few thousand rows at a time while the office works on.

All or nothing, in two halves: until the merge begins nothing of the file is anywhere but
in the stage; once it has begun it is finished, if need be by whoever comes next (the worker,
the next import).  Meanwhile pools cannot be frozen.  Smaller files need none of this:
`directory.save_entity_rows` writes them in one transaction.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from portal.domain.cells import Cell, Sheet
from portal.domain.codes import region_of
from portal.domain.directory import EntityRow, doubled, open_entities
from portal.domain.errors import BadInput, Problem
from portal.domain.import_kinds import KINDS, parse_mapping
from portal.domain.imports import JOINED, NEW, SAME, SHOWN_ROWS, UPDATED, pack_preview, preview_of, summed
from portal.domain.tables import HEADING_ROWS, Findings, Parsed
from portal.steps.acting import Acting
from portal.steps.directory import Filing, ImportReport, foreign, open_filing, region_warnings, require_own, unspoken
from portal.store import accounts, directory, loads, stations
from portal.store import imports as store
from portal.store.bulk import line_of, values_of
from portal.store.engine import transaction
from portal.store.entity_lines import ENTITY_NAMES, entity_line, join_lines, load_unchanged
from portal.store.jobs import save_job
from portal.store.locks import hold

__all__ = ["SMALL", "finish_load", "import_register", "load_entities", "load_parsed"]

#: Rows that one transaction may write: nobody waits long for it.
SMALL = 20_000
#: Warnings kept of one file; whoever has more looks at the file.
_WARNINGS = 1_000
#: Between two parts, for writers of other processes, who ask more often than that (sqlite.ASKING_MS).
_PAUSE_SECONDS = 0.006
_LABEL = KINDS["entities"].label

#: What is noted in the transaction that makes an import certain, given its counts.
Settle = Callable[[Mapping[str, int]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _File:
    """A file being read: its name and digest, the heading of its codes, what it found wrong so far, columns it has and those it says nothing about."""

    name: str
    digest: str
    heading: str
    findings: Findings
    fields: frozenset[str]
    keep: frozenset[str]
    good_rows: bool = False


# Ways in ---------------------------------------------------------------------------------


async def import_register(
    act: Acting, rows: Iterable[Sequence[Cell]], name: str, digest: str, *, mapping: Mapping[str, str] | None = None, good_rows: bool = False
) -> ImportReport:
    """Like `imports.import_sheet` of entities, for a file of any length whose rows come one by one: memory stays flat."""
    act.require("directory.import")
    bureau = act.bureau["id"]
    pointed_out = parse_mapping(KINDS["entities"], mapping or {})
    source = iter(rows)
    head = list(islice(source, HEADING_ROWS + SHOWN_ROWS))
    table, read = open_entities(
        chain(head, source), await store.load_aliases(bureau, "entities") | pointed_out, await store.load_accepted(bureau)
    )
    file = _File(name, digest, table.heading("code"), table.findings, table.headings.fields, unspoken(table.headings.fields), good_rows)

    def gone(counts: Mapping[str, int]) -> dict[str, int]:
        return summed({name: counts[name] for name in (NEW, UPDATED, SAME)}, counts[JOINED], len(table.findings.bad), counts)

    async def settle(counts: Mapping[str, int]) -> None:
        found = table.findings
        parsed = Parsed((), tuple(found.warnings), tuple(found.errors), (), table.total, table.headings, aside=table.aside)
        preview = preview_of("entities", name, digest, Sheet(tuple(map(tuple, head))), parsed, {})
        counts = gone(counts)
        preview = replace(preview, good=counts["读入"], counts=tuple(counts.items()))
        if pointed_out:
            await store.save_aliases(bureau, "entities", pointed_out, act.account, act.now)
        await store.save_upload(
            organisation=act.organisation["id"], kind="entities", name=name, digest=digest, options={}, mapping=pointed_out,
            preview=pack_preview(preview), state="applied", good_rows=good_rows, report=list(counts.items()),
            uploaded_by=act.account, uploaded_at=act.now, settled_by=act.account, settled_at=act.now,
        )  # fmt: skip

    counts = gone(await load_entities(act, read, file, settle))
    return ImportReport(counts, tuple(table.findings.warnings), tuple(table.findings.errors), table.aside.words())


async def load_parsed(
    act: Acting, parsed: Parsed[EntityRow], name: str, digest: str, settle: Callable[[dict[str, int], tuple[Problem, ...]], Awaitable[None]]
) -> None:
    """Rows that were checked already; see `load_entities`. `settle` is also given what was noticed while staging them."""
    fields = parsed.headings.fields
    file = _File(name, digest, parsed.headings.title("code"), Findings(), fields, unspoken(fields))

    async def settled(counts: Mapping[str, int]) -> None:
        known = set(parsed.warnings)
        await settle(dict(counts), tuple(one for one in file.findings.warnings if one not in known))

    await load_entities(act, zip(parsed.lines, parsed.rows, strict=True), file, settled)


async def load_entities(act: Acting, rows: Iterable[tuple[int, EntityRow]], file: _File, settle: Settle) -> dict[str, int]:
    """(File row, entity) pairs through the stage into the directory; counts in the order to be shown.

    The file's findings may fill while rows are read: an error refuses it with BadInput (unless
    `good_rows`).  `settle` is awaited in the transaction that says that the file will come in.
    Whose the codes are is asked while reading and again in that transaction: NotAllowed where
    another bureau was first.  From then to its end nobody else brings in entities.
    """
    act.require("directory.import")
    await finish_load(act)
    async with transaction():
        await hold("bureau", act.bureau["id"])
        await hold("directory")
        load = await loads.begin_load("entities", act.bureau["id"], file.keep, file.digest, act.account, act.now)
        newest = await directory.load_last_id()
    try:
        staged = _Staged()
        counts = await _stage(act, load, rows, file, staged)
        await finish_load(act)  # of somebody who was quicker
        async with transaction():
            await hold("bureau", act.bureau["id"])
            await hold("directory")
            await loads.require_none_merging("entities")
            await _require_still_own(act, load, newest, file, staged)
            await loads.begin_merge(load, counts["读入"])
            await settle(counts)
            await act.audit("directory.import.begin", "entities", after=file.digest, count=counts["读入"])
            await save_job("load", str(load), {"login": act.login}, act.account, act.now)
    except BaseException:
        await loads.drop_load(load)
        raise
    await finish_load(act)
    return counts


async def finish_load(act: Acting) -> bool:
    """Merge what is left of an import, of whoever began it; whether there was one."""
    load = await loads.load_unfinished("entities")
    if load is None:
        return False
    while await loads.merge_part(load):
        await asyncio.sleep(_PAUSE_SECONDS)
    async with transaction():
        done = await loads.end_load(load, act.now)
        if done:
            await stations.restore_choices()  # what a person chose while the file was read
            await act.audit("directory.import", "entities", after=done["digest"], count=done["lines"])
    return True


# The stage ----------------------------------------------------------------------------------


#: What becomes of a staged row: a new entry, another content, nothing new; or it went into an earlier row, or is refused.
_NEW, _CHANGED, _SAME, _JOINED, _REFUSED = range(5)


@dataclass(frozen=True, slots=True)
class _Staged:
    """What is kept of each staged row, in their order: the hash of its code, its file row, what becomes of it."""

    hashes: array[int] = field(default_factory=lambda: array("q"))
    places: array[int] = field(default_factory=lambda: array("L"))
    marks: bytearray = field(default_factory=bytearray)


async def _stage(act: Acting, load: int, rows: Iterable[tuple[int, EntityRow]], file: _File, staged: _Staged) -> dict[str, int]:
    """Every row as a line of its part, noted in `staged`; counts."""
    findings = file.findings
    filing = _Filing(act, file, await open_filing(act, file.fields), await directory.has_entities())
    hashes, places = staged.hashes, staged.places
    starts: dict[int, int] = {}  # part -> how many rows were staged before it
    source = iter(rows)
    parts = more = 0
    while batch := list(islice(source, loads.PART_LINES)):
        kept = await filing.sort(batch)
        if kept:
            starts[parts] = len(hashes)
            hashes.extend([hash(row.code) for _, row in kept])
            places.extend([place for place, _ in kept])
            lines = filing.lines_of(kept)
            staged.marks.extend(await filing.marks_of(kept, lines))
            await loads.save_part(load, parts, lines, ENTITY_NAMES)
            parts += 1
        for into, names, lines in filing.beside():
            await loads.save_part(load, parts, lines, names, into)
            parts += 1
        more += max(0, len(findings.warnings) - _WARNINGS)
        del findings.warnings[_WARNINGS:]
    if more:
        findings.warn(0, "", f"还有 {more:,} 处提示没有列出。")
    findings.warnings += [*region_warnings(act, filing.regions), *filing.filing.placer.unknown()]
    await _join_doubled(act, load, staged, starts, file, filing.counts)
    if findings.errors:
        findings.errors.sort(key=lambda problem: problem.row)
        if not file.good_rows:
            Parsed((), errors=tuple(findings.errors)).require_no_errors(_LABEL)
    come = sum(map(staged.marks.count, (_NEW, _CHANGED, _SAME)))
    if not come:
        raise BadInput(f"{_LABEL}没有一行可以导入。请改正后重新上传。", findings.errors[:200])
    marks = {NEW: _NEW, UPDATED: _CHANGED, SAME: _SAME, JOINED: _JOINED}
    shown = ("已分到所", "未分到所", "不在册（不参加抽取）")
    return {
        **{name: staged.marks.count(mark) for name, mark in marks.items()}, "读入": come,
        **{name: filing.counts[name] for name in shown if filing.counts[name]},
    }  # fmt: skip


@dataclass(slots=True)
class _Filing:
    """Makes lines of rows, as `directory.save_entity_rows` makes values. Not frozen: it counts while rows are read."""

    act: Acting
    file: _File
    filing: Filing
    any_entity: bool
    known: Collection[str] = ()  # codes of the last batch that are in the directory
    counts: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)

    async def sort(self, batch: list[tuple[int, EntityRow]]) -> list[tuple[int, EntityRow]]:
        """Without what is another bureau's; with the classes and registers of entities that were not here."""
        if not (self.any_entity or self.filing.classed or self.filing.registered):
            return batch
        owners = await directory.load_owners([row.code for _, row in batch])
        others = {code for code, owner in owners.items() if owner not in self.filing.tree}
        for place, row in batch:
            if row.code in others:
                self.file.findings.error(place, self.file.heading, foreign(row.code))
        own = [one for one in batch if one[1].code not in others]
        self.known = owners.keys() - others
        await self.filing.remember({code: owners[code] for code in self.known}, {row.code for _, row in own} - owners.keys())
        return [(place, self.filing.joined(row)) for place, row in own]

    async def marks_of(self, rows: Sequence[tuple[int, EntityRow]], lines: Sequence[str]) -> bytes:
        """Whether each of these rows is new, changes its entry or leaves it as it is."""
        if not self.known:
            return bytes([_NEW]) * len(rows)
        same = await load_unchanged([line for (_, row), line in zip(rows, lines) if row.code in self.known], self.file.keep)
        return bytes(_SAME if row.code in same else _CHANGED if row.code in self.known else _NEW for _, row in rows)

    def lines_of(self, rows: Sequence[tuple[int, EntityRow]]) -> list[str]:
        bureau, at, place = self.act.bureau["id"], self.filing.at, self.filing.placer.place
        if "organisation" in self.file.keep:
            lines = [entity_line(row, bureau, at) for _, row in rows]
        else:
            organisations = [place(row) for _, row in rows]
            lines = [entity_line(row, organisation, at) for (_, row), organisation in zip(rows, organisations)]
            left = organisations.count(bureau)
            self.counts["已分到所"] += len(rows) - left
            self.counts["未分到所"] += left
        self.counts["不在册（不参加抽取）"] += sum(row.status != directory.DRAWABLE for _, row in rows)
        self.regions.update([region_of(row.holder) for _, row in rows])
        return lines

    def beside(self) -> Iterator[tuple[str, Sequence[str], list[str]]]:
        """What the last rows leave in other tables: (where it goes, columns, lines)."""
        placer = self.filing.placer
        if placed := placer.placed:
            yield "placement", list(placed[0]), [line_of(row.values()) for row in placed]
        if codes := placer.by_file:
            yield loads.UNPLACED, ("entity_code",), list(codes)
        placer.placed.clear()
        placer.by_file.clear()


async def _join_doubled(
    act: Acting, load: int, staged: _Staged, starts: Mapping[int, int], file: _File, counts: Counter[str]
) -> None:
    """Join the rows of codes that came twice, or note the error; both are marked."""
    hashes, places, marks = staged.hashes, staged.places, staged.marks
    ordered = sorted(hashes)
    twice = {one for one, other in zip(ordered, ordered[1:]) if one == other}
    del ordered
    if not twice:
        return
    first: dict[str, tuple[int, int]] = {}  # code -> its part and place there
    kept: dict[int, list[str | None]] = {}  # parts with such codes
    async for n, lines in loads.iter_parts(load):
        changed: list[str | None] = list(lines)
        for k, line in enumerate(lines):
            if hashes[starts[n] + k] not in twice:
                continue
            code = line.partition("\t")[0]
            kept[n] = changed
            if code not in first:
                first[code] = n, k
                continue
            part, place = first[code]
            joined = join_lines(kept[part][place] or "", line)
            if joined is None:
                file.findings.error(places[starts[n] + k], file.heading, doubled(code, places[starts[part] + place]))
            else:
                kept[part][place] = joined
            changed[k] = None
            marks[starts[n] + k] = _REFUSED if joined is None else _JOINED
            was = dict(zip(ENTITY_NAMES, values_of(line)))
            counts["不在册（不参加抽取）"] -= was["status"] != directory.DRAWABLE
            if "organisation" not in file.keep:
                counts["未分到所" if was["organisation"] == str(act.bureau["id"]) else "已分到所"] -= 1
    if file.good_rows or not file.findings.errors:
        for n, changed in kept.items():
            await loads.save_part(load, n, [line for line in changed if line is not None], ENTITY_NAMES)
    whole = {code: kept[part][place] or "" for code, (part, place) in first.items() if marks[starts[part] + place] != _NEW}
    same = await load_unchanged(whole.values(), file.keep)  # only now it is known what they say together
    for code in whole:
        part, place = first[code]
        marks[starts[part] + place] = _SAME if code in same else _CHANGED


async def _require_still_own(act: Acting, load: int, newest: int, file: _File, staged: _Staged) -> None:
    """NotAllowed where another bureau has got a code since this file was read; "directory" is held.

    Only entries newer than `newest` can be such, and mostly there are none: nobody takes an entry that is
    ours, but for a bureau above ours. Where there is one all entries that we knew are asked for again.
    """
    tree = frozenset(accounts.tree_of(await accounts.load_organisations(), act.bureau["id"]))
    hashes: list[int] = []
    likely: set[str] = set()
    async for codes in directory.iter_foreign(newest, tree):
        hashes = hashes or sorted(staged.hashes)
        likely |= {code for code in codes if (at := bisect_left(hashes, hash(code))) < len(hashes) and hashes[at] == hash(code)}
    if not likely and not act.over:
        return
    taken: set[str] = set()  # two codes may have one hash: the staged lines themselves say
    async for _, lines in loads.iter_parts(load):
        codes = [line.partition("\t")[0] for line in lines]
        taken |= likely.intersection(codes)
        if act.over:
            taken |= {code for code, owner in (await directory.load_owners(codes)).items() if owner not in tree}
    of_hash = {hash(code): code for code in taken}
    places = [(of_hash[one], place) for one, place in zip(staged.hashes, staged.places) if one in of_hash]
    require_own(taken, places, file.name)

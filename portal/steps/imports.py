"""Importing a file of any kind: parse, check against what is here, then save all rows or nothing, or the good ones."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.cells import Sheet
from portal.domain.codes import check_code
from portal.domain.errors import BadInput, Problem
from portal.domain.import_kinds import KINDS, Kind, Reading, parse_mapping, parse_options
from portal.domain.imports import ImportPreview, pack_preview, preview_of, remark_rows, tallied
from portal.domain.registers import column_aliases
from portal.domain.tables import MissingColumns, Parsed
from portal.sheets.write import write_xlsx
from portal.steps import directory, external, plan, registers, results, sheet_items
from portal.steps.acting import Acting
from portal.steps.directory import ImportReport
from portal.steps.loading import SMALL, load_parsed
from portal.store import imports as store
from portal.store.engine import transaction

#: Rows between two words of progress.
TOLD_ROWS = 5_000

Progress = Callable[[str, int], None]
Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class _Doing:
    """How one kind is checked against what is here, and saved in the caller's transaction: counts, and what was noticed then."""

    check: Callable[[Acting, Parsed[Any], Reading], Awaitable[tuple[Parsed[Any], Counts]]]
    save: Callable[[Acting, Parsed[Any], str, Reading], Awaitable[tuple[Counts, tuple[Problem, ...]]]]


async def _save_entities(act: Acting, parsed: Parsed[Any], digest: str, _: Reading) -> tuple[Counts, tuple[Problem, ...]]:
    report = await directory.save_entity_rows(act, parsed.rows, (), digest, parsed.headings.fields, parsed.lines)
    return report.counts, report.warnings


async def _save_inspectors(act: Acting, parsed: Parsed[Any], digest: str, _: Reading) -> tuple[Counts, tuple[Problem, ...]]:
    report = await directory.save_inspector_rows(act, parsed.rows, (), digest)
    return report.counts, report.warnings


async def _save_classes(act: Acting, parsed: Parsed[Any], digest: str, reading: Reading) -> tuple[Counts, tuple[Problem, ...]]:
    return await registers.save_classes(act, parsed, digest, reading), ()


async def _save_registers(act: Acting, parsed: Parsed[Any], digest: str, reading: Reading) -> tuple[Counts, tuple[Problem, ...]]:
    return await registers.save_registers(act, parsed, digest, reading), ()


def _checking(check: Callable[[Acting, Parsed[Any]], Awaitable[tuple[Parsed[Any], Counts]]]):
    return lambda act, parsed, _: check(act, parsed)


def _saving(save: Callable[[Acting, Parsed[Any], str], Awaitable[Counts]]):
    async def saved(act: Acting, parsed: Parsed[Any], digest: str, _: Reading) -> tuple[Counts, tuple[Problem, ...]]:
        return await save(act, parsed, digest), ()

    return saved


DOING = {
    "entities": _Doing(_checking(directory.check_entities), _save_entities),
    "inspectors": _Doing(_checking(directory.check_inspectors), _save_inspectors),
    "recusals": _Doing(_checking(directory.check_recusals), _saving(directory.save_recusals)),
    "classes": _Doing(registers.check_classes, _save_classes),
    "registers": _Doing(registers.check_registers, _save_registers),
    "plan": _Doing(_checking(plan.check_plan), _saving(plan.save_plan)),
    "items": _Doing(sheet_items.check_items, sheet_items.save_items),
    "draw": _Doing(external.check_external, _saving(external.save_external)),
    "records": _Doing(_checking(results.check_results), _saving(results.save_results)),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A file read and checked."""

    kind: Kind
    parsed: Parsed[Any]
    counts: Counts
    reading: Reading

    def preview(self, name: str, digest: str, sheet: Sheet) -> ImportPreview:
        return preview_of(self.kind.code, name, digest, sheet, self.parsed, self.counts, (), self._doubtful())

    def _doubtful(self) -> list[str]:
        """Codes whose check fails and that nobody has vouched for, in file order."""
        if self.kind.code != "entities":
            return []
        warned = {problem.row for problem in self.parsed.warnings}
        pairs = zip(self.parsed.rows, self.parsed.lines, strict=True)
        accepted = self.reading.accepted
        return [one.code for one, line in pairs if line in warned and one.code not in accepted and one.kind != "object" and not check_code(one.code).ok]

    async def save(self, act: Acting, digest: str) -> tuple[Checked, Counts]:
        """Save the good rows in the caller's transaction: (this file with what was noticed then, counts)."""
        counts, noticed = await DOING[self.kind.code].save(act, self.parsed, digest, self.reading)
        return self.saved(counts, noticed)

    def saved(self, counts: Counts, noticed: tuple[Problem, ...]) -> tuple[Checked, Counts]:
        """This file as it came in: the counts of its preview are no longer what would happen, but what did."""
        parsed = self.parsed.found((), noticed)
        return replace(self, parsed=parsed, counts=counts), tallied(parsed, counts)

    def require_rows(self, good_rows: bool) -> None:
        """Raises BadInput unless the file may be applied: no error, or for `good_rows` at least one good row."""
        if not good_rows:
            self.parsed.require_no_errors(self.kind.label)
        if not self.parsed.rows:
            raise BadInput(f"{self.kind.label}没有一行可以导入。请改正后重新上传。", self.parsed.errors[:200])


async def check_sheet(
    act: Acting, kind: Kind, sheet: Sheet, options: Mapping[str, str], mapping: Mapping[str, str], progress: Progress | None = None
) -> Checked:
    """Parse (in a thread) and check; MissingColumns where the columns of the table are not known."""
    act.require(kind.act)
    bureau = act.bureau["id"]
    own = column_aliases(act.sectors.registers, options.get("register", "")) if kind.code == "registers" else {}
    reading = Reading(act.today, own | await store.load_aliases(bureau, kind.code) | dict(mapping), options, await store.load_accepted(bureau))
    parsed = await asyncio.to_thread(kind.parse, _told(sheet, progress), reading)
    parsed, counts = await DOING[kind.code].check(act, parsed, reading)
    return Checked(kind, parsed, counts, reading)


def _told(sheet: Sheet, progress: Progress | None) -> Sheet:
    """The sheet, saying how far it has been read."""
    if progress is None or sheet.merged:
        return sheet
    return replace(sheet, rows=_Counting(sheet.rows, progress))


class _Counting(Sequence):
    """The rows of a sheet; going through them is told every 5,000 rows."""

    __slots__ = ("progress", "rows")

    def __init__(self, rows: Sequence[Any], progress: Progress):
        self.rows, self.progress = rows, progress

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> Any:
        return self.rows[at]

    def __iter__(self) -> Iterator[Any]:
        for n, row in enumerate(self.rows):
            if n % TOLD_ROWS == 0:
                self.progress("逐行检查", n)
            yield row


async def look_at(
    act: Acting, kind: Kind, sheet: Sheet, name: str, digest: str, options: Mapping[str, str], mapping: Mapping[str, str]
) -> tuple[ImportPreview, Parsed[Any]]:
    """What applying would do; a file whose columns are not known yet has a preview too, with the columns to point out."""
    try:
        checked = await check_sheet(act, kind, sheet, options, mapping)
    except MissingColumns as refusal:
        nothing: Parsed[Any] = Parsed((), headings=refusal.headings)
        return preview_of(kind.code, name, digest, sheet, nothing, {}, refusal.missing), nothing
    return checked.preview(name, digest, sheet), checked.parsed


def kind_of(code: str) -> Kind:
    """The kind of a code from outside; BadInput lists those there are."""
    if code not in KINDS:
        raise BadInput(f"没有“{code[:40]}”这一类文件。可以导入的有：{'、'.join(kind.label for kind in KINDS.values())}。")
    return KINDS[code]


# One call (the command line) ------------------------------------------------------------------


async def preview_sheet(
    act: Acting, code: str, sheet: Sheet, name: str, file: bytes, *, options: Mapping[str, str] | None = None, mapping: Mapping[str, str] | None = None
) -> tuple[ImportPreview, bytes]:
    """(preview, the file with remarks); nothing is changed, not even remembered."""
    kind = kind_of(code)
    preview, parsed = await look_at(
        act, kind, sheet, name, hashlib.sha256(file).hexdigest(), parse_options(kind, options or {}), parse_mapping(kind, mapping or {})
    )
    return preview, render_remarks(sheet, parsed)


async def save_checked(
    act: Acting, checked: Checked, name: str, digest: str, settle: Callable[[Checked, Counts], Awaitable[None]]
) -> tuple[Checked, Counts]:
    """Save what was checked: (it with what was noticed then, counts); `settle` gets both in the transaction that makes it certain."""
    if checked.kind.code != "entities" or len(checked.parsed.rows) <= SMALL:
        async with transaction():
            done = await checked.save(act, digest)
            await settle(*done)
        return done
    staged: list[tuple[Checked, Counts]] = []

    async def settled(counts: Counts, noticed: tuple[Problem, ...]) -> None:
        staged.append(checked.saved(counts, noticed))
        await settle(*staged[-1])

    await load_parsed(act, checked.parsed, name, digest, settled)
    return staged[-1]


async def import_sheet(
    act: Acting, code: str, sheet: Sheet, name: str, file: bytes, *, options: Mapping[str, str] | None = None,
    mapping: Mapping[str, str] | None = None, good_rows: bool = False,
) -> ImportReport:  # fmt: skip
    """Check and save one file, all or nothing unless `good_rows`; BadInput with the errors by row and column."""
    kind = kind_of(code)
    said, headings = parse_options(kind, options or {}), parse_mapping(kind, mapping or {})
    digest = hashlib.sha256(file).hexdigest()
    checked = await check_sheet(act, kind, sheet, said, headings)
    checked.require_rows(good_rows)

    async def settle(checked: Checked, counts: Counts) -> None:
        if headings:
            await store.save_aliases(act.bureau["id"], code, headings, act.account, act.now)
        preview = checked.preview(name, digest, sheet)
        await store.save_upload(
            organisation=act.organisation["id"], kind=code, name=name, digest=digest, options=said, mapping=headings,
            preview=pack_preview(preview), state="applied", good_rows=good_rows, report=list(counts.items()),
            uploaded_by=act.account, uploaded_at=act.now, settled_by=act.account, settled_at=act.now,
        )  # fmt: skip

    checked, counts = await save_checked(act, checked, name, digest, settle)
    return ImportReport(counts, checked.parsed.warnings, checked.parsed.errors, checked.parsed.aside.words())


async def accept_codes(act: Acting, codes: Collection[str], reason: str) -> int:
    """Vouch for codes whose check fails (compared with the licence): from now on no warning. The count of new ones."""
    act.require("directory.import")
    if not reason.strip():
        raise BadInput("请写明核对的依据，例如“已与营业执照核对”。")
    sound = sorted(code for code in codes if check_code(code).ok)
    if sound:
        raise BadInput(f"代码 {sound[0]} 的校验码是对的，不需要确认。")
    async with transaction():
        count = await store.save_accepted(act.bureau["id"], codes, reason, act.account, act.now)
        await act.audit("imports.accept", "codes", reason=reason, codes=sorted(codes), count=count)
    return count


def render_remarks(sheet: Sheet, parsed: Parsed[Any]) -> bytes:
    """The file as it came, all text, with a last column 备注（系统）, as XLSX."""
    rows = remark_rows(sheet, parsed.headings, [*parsed.errors, *parsed.warnings])
    widths = [16] * (len(rows[0]) - 1) + [60] if rows else []
    return write_xlsx(rows, heading=parsed.headings.row, merged=sheet.merged, widths=widths)

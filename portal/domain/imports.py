"""What an import would do, before it does it; the file kept until then, and given back with remarks."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from portal.domain.cells import Cell, Sheet, plain_heading
from portal.domain.errors import Problem
from portal.domain.packing import pack
from portal.domain.tables import Headings, Parsed

__all__ = [
    "ImportPreview", "JOINED", "NEW", "REFUSED", "REMARKS", "SAME", "TOTAL", "UPDATED", "pack_preview", "pack_sheet", "preview_of", "remark_rows",
    "summed", "tallied", "unpack_preview", "unpack_sheet",
]  # fmt: skip

#: Where the data rows of a file go; the first is the sum of the others.
TOTAL, NEW, UPDATED, SAME, JOINED, REFUSED = "数据行", "新增", "更新原有", "内容未变", "并入前面的行", "有错误未导入"

#: The last column of the file we give back.
REMARKS = "备注（系统）"
#: Rows of a file a preview shows, and problems it keeps for the page (the remarks file has them all).
SHOWN_ROWS = 5
MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import would do, as data for a page or a terminal.

    `counts`: (label, number) in the order to be shown, the first six say where the data rows go (`tallied`); `aside`:
    what other rows there are, in words; `errors` and `warnings` hold at most
    2,000 each, `error_count` and `warning_count` say how many there are; `bad`: rows with an
    error; `good`: file rows that can be imported; `values`: what stands in the cell of
    each of `errors`, then of `warnings` (cut at 60); `sample`: the first rows under their headings;
    `missing`: columns without which nothing can be read; `doubtful`: codes (at most 2,000) whose
    check fails and that nobody has vouched for.
    """

    kind: str
    name: str
    digest: str
    counts: tuple[tuple[str, int], ...] = ()
    total: int = 0
    good: int = 0
    bad: int = 0
    error_count: int = 0
    warning_count: int = 0
    known: tuple[tuple[str, str], ...] = ()
    own: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    values: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    doubtful: tuple[str, ...] = ()
    aside: str = ""

    @property
    def tally(self) -> tuple[tuple[str, int], ...]:
        """The parts of the sum, after the sum itself; empty for a preview that was stored before there was one."""
        return self.counts[: len(_PARTS) + 1] if self.counts[:1] and self.counts[0][0] == TOTAL else ()

    @property
    def details(self) -> tuple[tuple[str, int], ...]:
        """What the kind itself has to say."""
        return self.counts[len(self.tally) :]


_PARTS = (NEW, UPDATED, SAME, JOINED, REFUSED)


def tallied(parsed: Parsed[Any], counts: Mapping[str, int]) -> dict[str, int]:
    """The counts of a kind, led by where the data rows of its file go: 数据行 is the sum of the five after it.

    `counts` may say how many rows are new, change something and change nothing (NEW, UPDATED, SAME);
    a kind that says none of it only ever adds.
    """
    said = {name: counts[name] for name in (NEW, UPDATED, SAME) if name in counts} or {NEW: len(set(parsed.lines))}
    return summed(said, len(parsed.joined), len(parsed.bad_lines), counts)


def summed(said: Mapping[str, int], joined: int, refused: int, counts: Mapping[str, int]) -> dict[str, int]:
    """`tallied` for who has the numbers only."""
    parts = {**dict.fromkeys(_PARTS, 0), **said, JOINED: joined, REFUSED: refused}
    return {TOTAL: sum(parts.values()), **parts, **{name: count for name, count in counts.items() if name not in parts and name != TOTAL}}


def preview_of(
    kind: str, name: str, digest: str, sheet: Sheet, parsed: Parsed[Any], counts: Mapping[str, int], missing: Sequence[str] = (),
    doubtful: Sequence[str] = (),
) -> ImportPreview:  # fmt: skip
    """The preview of a parsed file; `counts` is what the kind itself has to say."""
    bad = len(parsed.bad_lines)
    errors, warnings = parsed.errors[:MOST_KEPT], parsed.warnings[:MOST_KEPT]
    return ImportPreview(
        kind, name, digest, () if missing else tuple(tallied(parsed, counts).items()), parsed.total, len(set(parsed.lines)), bad, len(parsed.errors), len(parsed.warnings),
        parsed.headings.known, tuple(title for title, _ in parsed.headings.own), parsed.headings.unknown, tuple(missing),
        errors, warnings, _values(sheet, parsed.headings, (*errors, *warnings)), _sample(sheet, parsed.headings), tuple(doubtful[:MOST_KEPT]),
        parsed.aside.words(),
    )  # fmt: skip


def _sample(sheet: Sheet, seen: Headings) -> tuple[tuple[str, ...], ...]:
    if not seen.row:
        return ()
    rows = sheet.rows[seen.row - 1 : seen.row + SHOWN_ROWS]
    kept = [at for at, cell in enumerate(rows[0]) if plain_heading(cell) and at not in seen.private]
    return tuple(tuple(_written(row[at])[:80] if at < len(row) else "" for at in kept) for row in rows)


def _values(sheet: Sheet, seen: Headings, problems: Iterable[Problem]) -> tuple[str, ...]:
    """The cell each problem is about, "" where it is about a row or the file."""
    head = sheet.rows[seen.row - 1] if seen.row else ()
    columns = {" ".join(str(cell).split()): at for at, cell in reversed(list(enumerate(head))) if at not in seen.private}
    found = []
    for problem in problems:
        row = sheet.rows[problem.row - 1] if seen.row < problem.row <= len(sheet.rows) else ()
        at = columns.get(problem.field, len(row))
        found.append(_written(row[at])[:60] if at < len(row) else "")
    return tuple(found)


def pack_preview(preview: ImportPreview) -> str:
    return pack(asdict(preview))


def unpack_preview(text: str) -> ImportPreview:
    whole = json.loads(text)
    problems = {name: tuple(Problem(**one) for one in whole[name]) for name in ("errors", "warnings")}
    lists = {name: tuple(whole[name]) for name in ("own", "unknown", "missing", "doubtful", "values")}
    pairs = {name: tuple(map(tuple, whole[name])) for name in ("counts", "known", "sample")}
    return ImportPreview(**{**whole, **problems, **lists, **pairs})


# The file, kept and given back -----------------------------------------------------------


def pack_sheet(sheet: Sheet, private: Iterable[int], heading: int) -> bytes:
    """The sheet for keeping until it is applied: cells of private columns below the headings are left out.

    A line about the sheet, then lines of some hundred rows each: whoever shares the process with a thread that packs
    or unpacks a large one waits for one line at a time. Takes seconds for the largest: call it in a thread.
    """
    hidden = frozenset(private)
    packing = zlib.compressobj(6)
    about = {"merged": sheet.merged, "name": sheet.name, "kind": sheet.kind, "others": sheet.others}
    pieces = [packing.compress(_line_of(about))]
    for start in range(0, len(sheet.rows), _ROWS_A_LINE):
        rows: list[Sequence[Any]] = list(sheet.rows[start : start + _ROWS_A_LINE])
        if hidden:
            rows = [
                ["" if column in hidden else cell for column, cell in enumerate(row)] if start + n >= heading else row for n, row in enumerate(rows)
            ]
        pieces.append(packing.compress(_line_of(rows)))
    return b"".join([*pieces, packing.flush()])


_ROWS_A_LINE = 200


def _line_of(part: Any) -> bytes:
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"), default=_to_json).encode() + b"\n"


def unpack_sheet(data: bytes) -> Sheet:
    first, *lines = zlib.decompress(data).splitlines()
    whole = json.loads(first)
    parts = (whole["rows"],) if "rows" in whole else map(json.loads, lines)  # one line of all: packed by an earlier version
    rows = tuple(tuple(_from_json(cell) if type(cell) is dict else cell for cell in row) for part in parts for row in part)
    merged = tuple(((a, b), (c, d)) for (a, b), (c, d) in whole["merged"])
    return Sheet(rows, merged, whole["name"], whole["kind"], tuple(whole["others"]))


def _to_json(cell: object) -> dict[str, str]:
    if isinstance(cell, datetime):
        return {"at": cell.isoformat()}
    if isinstance(cell, date):
        return {"on": cell.isoformat()}
    raise TypeError(f"no cell is a {type(cell).__name__}")


def _from_json(cell: Mapping[str, str]) -> Cell:
    return datetime.fromisoformat(cell["at"]) if "at" in cell else date.fromisoformat(cell["on"])


def remark_rows(sheet: Sheet, seen: Headings, problems: Iterable[Problem]) -> list[list[str]]:
    """The file as text with a last column 备注（系统）: what is wrong with each row. Read again, that column is ignored."""
    said: dict[int, list[str]] = {}
    for problem in problems:
        where = f"“{problem.field}”" if problem.field else ""
        said.setdefault(problem.row, []).append(f"{where}{problem.message}")
    head = sheet.rows[seen.row - 1] if seen.row else ()
    old = {at for at, cell in enumerate(head) if plain_heading(cell) == plain_heading(REMARKS)}
    width = max((len(row) for row in sheet.rows), default=0)
    last = min(old, default=width)
    rows = []
    for line, row in enumerate(sheet.rows, 1):
        cells = ["" if at in old else _written(cell) for at, cell in enumerate(row)]
        cells += [""] * (max(width, last + 1) - len(cells))
        cells[last] = REMARKS if line == seen.row else "；".join(dict.fromkeys(said.get(line, ()))) if line > seen.row else ""
        rows.append(cells)
    return rows


def _written(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell == int(cell) and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)

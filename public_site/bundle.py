"""Reading a disclosure bundle (README.md): small files whole, results by their place in the file.

A bundle that is torn (a file missing, changed or outside its manifest) is refused before
anything is built from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import msgspec

from portal.domain.errors import BadInput
from public_site.lines import Difference, Lines, Pieces, are_side_by_side, difference, line_of, sha256
from public_site.listing import Opened

SPEC = "mingcha-bundle/1"
CHUNK = 1 << 20

Row = dict[str, Any]
Numbers = Sequence[int]  # of lines of results that may be shown

_PART = r"[0-9A-Za-z][0-9A-Za-z._@-]{0,119}"
_SAFE_PART, _SAFE_PATH = re.compile(_PART, re.ASCII), re.compile(f"{_PART}(?:/{_PART})*", re.ASCII)
_LISTS = ("items", "plans", "rounds", "pages")
_LATER = ("external", "tombstones")  # bundles of earlier versions lack them
decode = msgspec.json.decode  # four times as quick as json.loads, and this is most of what a small change costs


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle. `external`: lists drawn elsewhere. `tombstones`: visit -> what must not be shown of it (forget.py).

    `index` holds what is kept of each result; `by_entity` and `by_round` give the numbers of results in the file's order (one number
    alone where an entity has one result), `updated` the last day a result of the round was published or changed. Forgotten results are
    in none of them: `dropped` are their places. `since`: how the results differ from those of the release shown, where that is known.
    """

    folder: Path
    about: Row
    files: dict[str, str]  # path -> SHA-256, hex
    items: list[Row]
    plans: list[Row]
    rounds: list[Row]
    pages: list[Row]
    external: list[Row]
    tombstones: dict[str, Row] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)  # offsets in results.jsonl
    digests: dict[str, str] = field(default_factory=dict)  # round -> digest of its results
    index: Lines = field(default_factory=Lines)
    by_entity: dict[str, int | list[int]] = field(default_factory=dict)
    by_round: dict[str, array[int]] = field(default_factory=dict)
    updated: dict[str, str] = field(default_factory=dict)
    totals: dict[str, dict[str, int]] = field(default_factory=dict)  # round -> visits, of them with a found problem, items, follow-ups open and closed
    since: Difference | None = None
    _opened: list[Opened] = field(default_factory=list)

    def results_of(self, code: str) -> Numbers:
        """The numbers of an entity's results."""
        found = self.by_entity[code]
        return [found] if isinstance(found, int) else found

    def names_of(self, code: str) -> list[str]:
        """All names an entity's results carry, in the file's order."""
        found = self.by_entity[code]
        return [self.index.names[found]] if isinstance(found, int) else list(dict.fromkeys(self.index.names[n] for n in found))

    def aliases_of(self, code: str) -> set[str]:
        """Old names and numbers of an entity."""
        known = self.index.aliases
        return {alias for n in self.results_of(code) if n in known for alias in known[n]} if known else set()

    def lines(self, numbers: Numbers) -> list[bytes]:
        """The raw lines of results, whose numbers rise."""
        if not self._opened:
            self._opened.append(Opened(os.open(self.folder / "results.jsonl", os.O_RDONLY)))
        whole = self._opened[0].number
        starts, sizes, read = self.index.starts, self.index.sizes, os.pread
        if not are_side_by_side(numbers):
            return [read(whole, sizes[n], starts[n]) for n in numbers]  # a mapping would count as memory in the end
        first, last = numbers[0], numbers[-1]
        begin = starts[first]
        block = read(whole, starts[last] + sizes[last] - begin, begin)
        return [block[at - begin : at - begin + size] for at, size in zip(starts[first : last + 1], sizes[first : last + 1], strict=True)]

    def results(self) -> Iterator[Row]:
        """Every result that may be shown, one at a time."""
        return map(decode, self.shown_lines())

    def shown_lines(self) -> Iterator[bytes]:
        """The raw line of every result that may be shown."""
        offset = 0
        with (self.folder / "results.jsonl").open("rb", CHUNK) as stream:
            for line in stream:
                if offset not in self.dropped:
                    yield line
                offset += len(line)

    def under(self, prefix: str) -> list[str]:
        """The paths of the bundle's files that begin with a prefix, sorted."""
        return sorted(path for path in self.files if path.startswith(prefix))


class Earlier(Protocol):
    """What is known of the results of the release shown (known.py)."""

    results: Path  # the file
    stones: str  # a digest of what it was freed of
    shown: Pieces  # the first of their files is this one
    lines: Lines
    digests: Mapping[str, str]
    updated: Mapping[str, str]
    totals: Mapping[str, dict[str, int]]


def load_bundle(folder: Path, tombstones: Mapping[str, Row] | None = None, earlier: Earlier | None = None) -> Bundle:
    """Open a bundle and check it against its manifest. BadInput says which file is wrong.

    `tombstones`: those the site knows of besides the bundle's own; where both name a visit, the later one counts.
    `earlier`: results that most of the bundle's are the same as; the bundle read is the same with it and without.
    """
    manifest = _json(folder / "manifest.json")
    if manifest.get("spec") != SPEC:
        raise BadInput(f"公示数据包的格式是“{manifest.get('spec')}”，本程序只认识 {SPEC}。请用同一版本的门户导出。")
    files: dict[str, str] = manifest["files"]
    places = {path: _place(folder, require_path(path)) for path in sorted(files)}
    with ThreadPoolExecutor(1) as beside:  # neither holds up the other: hashing is not Python's own work
        sums = beside.submit(_require_sums, places, files)
        try:
            return _read(folder, files, tombstones or {}, earlier)
        finally:
            sums.result()  # whatever came of reading it: a torn file is called that


def _read(folder: Path, files: dict[str, str], tombstones: Mapping[str, Row], earlier: Earlier | None) -> Bundle:
    for name in ("about.json", "results.jsonl", *(f"{name}.jsonl" for name in _LISTS)):
        if name not in files:
            raise BadInput(f"公示数据包缺少“{name}”。请重新导出。")
    lists = {name: _rows(folder / f"{name}.jsonl") if f"{name}.jsonl" in files else [] for name in (*_LISTS, *_LATER)}
    lists["tombstones"] = joined(tombstones, lists["tombstones"])
    bundle = Bundle(folder, _json(folder / "about.json"), files, **lists)
    found = difference(earlier.results, folder / "results.jsonl", earlier.shown.sizes[0], earlier.shown.counts) if earlier and earlier.stones == mark_of(bundle.tombstones) else None
    if not (earlier and found and (bundle := _with_earlier(bundle, earlier, found)).since):
        _index(bundle)
    _sort(bundle)
    return bundle


def mark_of(stones: Mapping[str, Row]) -> str:
    """A digest of tombstones."""
    return hashlib.sha256(plain_json([stones[visit] for visit in sorted(stones)])).hexdigest()


def joined(known: Mapping[str, Row], more: Iterable[Row]) -> dict[str, Row]:
    """visit -> tombstone; of two for one visit the one that reaches further."""
    found = dict(known)
    for stone in more:
        if stone["visit"] not in found or stone["index"] >= found[stone["visit"]]["index"]:
            found[stone["visit"]] = stone
    return found


def _index(bundle: Bundle) -> None:
    rounds, offset, line = {row["code"] for row in (*bundle.rounds, *bundle.external)}, 0, b""
    stones, index = bundle.tombstones, bundle.index
    numbers: dict[str, int] = {}
    try:
        with (bundle.folder / "results.jsonl").open("rb", CHUNK) as stream:
            for line in stream:
                row, start = line_of(line), offset
                offset += len(line)
                if row.round not in rounds:
                    raise BadInput(f"结果“{row.visit}”属于轮次“{row.round}”，但公示数据包中没有这一轮。请重新导出。")
                if stones and row.visit in stones and row.proof.index <= stones[row.visit]["index"]:
                    bundle.dropped.add(start)
                    continue
                index.add(start, line, row, numbers.setdefault(row.round, len(numbers)))
    except msgspec.MsgspecError:
        raise BadInput(f"公示数据包的 results.jsonl 从第 {offset:,} 字节起的一行读不出来：{line[:60].decode(errors='replace')}…。请重新导出。") from None
    index.codes.extend(numbers)


def _sort(bundle: Bundle) -> None:
    """Which lines are whose, and what is said of each round of which that is not known."""
    by_entity, index = bundle.by_entity, bundle.index
    by_entity.update(zip(index.entities, count()))
    if len(by_entity) < len(index.sizes):  # some have several
        by_entity.clear()
        for n, code in enumerate(index.entities):
            found = by_entity.setdefault(code, n)
            if isinstance(found, list):
                found.append(n)
            elif found != n:
                by_entity[code] = [found, n]
    by_number = [array("I") for _ in index.codes]
    for n, number in enumerate(index.rounds):
        by_number[number].append(n)
    bundle.by_round.update({code: found for code, found in zip(index.codes, by_number, strict=True) if found})
    for code in bundle.by_round.keys() - bundle.digests.keys():
        mine = bundle.by_round[code]
        bundle.digests[code] = sha256(index.marks_of(mine)).hexdigest()
        bundle.updated[code], bundle.totals[code] = index.last_day(mine), index.totals(mine)


def _with_earlier(bundle: Bundle, earlier: Earlier, found: Difference) -> Bundle:
    """The bundle with the index of what is the same as earlier taken over; unchanged (`since` None) where all must be read."""
    old = earlier.lines
    index = Lines(codes=list(old.codes), kinds=dict(old.kinds))
    numbers, changed, start = {code: n for n, code in enumerate(index.codes)}, set(), 0
    try:
        for run in found.runs:
            start = index.take(old, run.first, run.last, start)
            for line in run.fresh:
                row = line_of(line)
                if row.visit in bundle.tombstones:
                    return bundle
                index.add(start, line, row, numbers.setdefault(row.round, len(numbers)))
                start += len(line)
                changed.add(row.round)
        changed |= {line_of(line).round for line in found.gone}
    except msgspec.MsgspecError:
        return bundle
    index.codes[:] = numbers
    if not numbers.keys() <= {row["code"] for row in (*bundle.rounds, *bundle.external)}:
        return bundle  # who reads all of them says which
    bundle = replace(bundle, index=index, since=found)
    for mine, its in ((bundle.digests, earlier.digests), (bundle.updated, earlier.updated), (bundle.totals, earlier.totals)):
        mine.update({code: value for code, value in its.items() if code not in changed})
    return bundle


def digest_of(place: Path) -> str:
    """SHA-256 of a file, hex. Read in long blocks: in a thread each of them waits for Python's lock."""
    state = hashlib.sha256()
    with place.open("rb", buffering=0) as stream:
        block = memoryview(bytearray(min(os.fstat(stream.fileno()).st_size, 4 * CHUNK) or 1))
        while count := stream.readinto(block):
            state.update(block[:count])
    return state.hexdigest()


def plain_json(value: Any) -> bytes:
    """Canonical JSON of what came out of a bundle. It was plain data there, so it is not searched again for
    what canonical JSON cannot hold (`portal.domain.bundle.canonical` does; it costs four times as much)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def last_change(result: Row) -> str:
    """The day a result was last published or changed."""
    return max([result["published_on"], *[entry["on"] for entry in result["history"]]])


def require_path(path: str) -> str:
    """A relative path whose every part is a plain name; anything else is refused."""
    if not _SAFE_PATH.fullmatch(path):
        for part in path.split("/"):
            require_part(part)
    return path


def require_part(part: str) -> str:
    """A file name made of letters, digits and . _ @ - that does not begin with one of these marks."""
    if not _SAFE_PART.fullmatch(part):
        raise BadInput(f"“{part}”不能用作文件名：只能用数字、英文字母和 . _ @ - ，且以数字或字母开头。")
    return part


@lru_cache(256)  # a page asks for its own several times, and a block of pages are made together
def slug(code: str) -> str:
    """A code as part of an address: `#` becomes `_`."""
    return require_part(code.replace("#", "_"))


_FOLDERS = [f"{n:02x}" for n in range(256)]


@lru_cache(256)
def shard(code: str) -> str:
    """The folder of a code: the first two hex digits of its SHA-256."""
    return _FOLDERS[sha256(code.encode()).digest()[0]]


def _json(path: Path) -> Row:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise BadInput(f"公示数据包中的“{path.name}”读不出来。请重新导出。") from problem


def _rows(path: Path) -> list[Row]:
    try:
        return [decode(line) for line in path.read_bytes().splitlines()]
    except msgspec.MsgspecError as problem:
        raise BadInput(f"公示数据包中的“{path.name}”读不出来。请重新导出。") from problem


def _place(folder: Path, path: str) -> Path:
    """A plain file of the bundle."""
    file = folder
    for part in path.split("/"):
        file = file / part
        if file.is_symlink():
            raise BadInput(f"公示数据包中的“{path}”是符号链接，不予采用。")
    if not file.is_file():
        raise BadInput(f"公示数据包缺少“{path}”。请重新导出。")
    return file


def _require_sums(places: Mapping[str, Path], files: Mapping[str, str]) -> None:
    for path, place in places.items():
        if digest_of(place) != files[path]:
            raise BadInput(f"公示数据包中的“{path}”与清单不符，可能没有写完或被改动过。请重新导出。")

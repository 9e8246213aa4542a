"""What a manifest lists, path by path, without a site's worth of memory.

A manifest is canonical JSON: its `files` and `inputs` are sorted and plain ASCII. So the one of the last release is looked
up where it lies, by halving, and the one of a small change is its bytes with some entries taken out and others put in.
What is listed afresh is kept in memory up to a limit, then goes to a temporary file in sorted runs, joined at the end.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from portal.domain.errors import BadInput

FOLDERS = ("data/search/", "entities/", "sheets/")  # sorted: nearly all of a large site; the only ones that are taken over unread
MOST = 200_000  # entries in memory (about 60 MB)
CHUNK = 1 << 20
_WINDOW = 2048  # bytes; longer than any entry
_BETWEEN = b'","'  # two entries, and nothing else


@dataclass(slots=True, eq=False)
class Listing(Mapping[str, str]):
    """path -> digest, of the entries `"path":"digest"` between two places of an open file, sorted, with commas between.

    Those in none of FOLDERS are few and asked for often: they are read once, and so are the places where halving begins.
    """

    number: int
    begin: int
    end: int
    holder: object = None  # keeps the file open
    _rest: dict[str, str] | None = None
    _middles: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # place -> (where the next entry begins, its path)

    def find(self, path: str) -> tuple[int, int, str | None]:
        """(where its entry begins or would, where it ends with its comma, digest or None)."""
        wanted, low, high = path.encode(), self.begin, self.end
        while high - low > 2 * _WINDOW:
            middle = (low + high) // 2
            if not (known := self._middles.get(middle)):
                block = os.pread(self.number, _WINDOW, middle)
                at = block.index(_BETWEEN) + 2
                known = self._middles[middle] = middle + at, block[at + 1 : block.index(b'"', at + 1)]
            if known[1] <= wanted:
                low = known[0]
            else:
                high = known[0]
        block, at = os.pread(self.number, high - low, low), 0
        while at < len(block):
            name = block.index(b'"', at + 1)
            value = block.index(b'"', name + 3)
            if (found := block[at + 1 : name]) >= wanted:
                if found > wanted:
                    return low + at, low + at, None
                return low + at, min(low + value + 2, self.end), block[name + 3 : value].decode()
            at = value + 2
        return high, high, None

    def get(self, path: str, default: str | None = None) -> str | None:
        found = self.find(path)[2] if path.startswith(FOLDERS) else self.rest().get(path)
        return default if found is None else found

    def __getitem__(self, path: str) -> str:
        if (found := self.get(path)) is None:
            raise KeyError(path)
        return found

    def __contains__(self, path: object) -> bool:
        return self.get(str(path)) is not None

    def between(self, low: int, high: int) -> Iterator[tuple[str, str]]:
        """The entries in a range of bytes that begins and ends with whole ones."""
        for block in self.raw(low, high, b""):
            names = block.split(b'"')
            yield from zip((name.decode() for name in names[1::4]), (value.decode() for value in names[3::4]), strict=True)

    def raw(self, low: int, high: int, comma: bytes = b",") -> Iterator[bytes]:
        """The bytes of a range, whole entries at a time; the list's last entry gets the comma it lacks."""
        rest = b""
        for at in range(low, high, CHUNK):
            block = rest + os.pread(self.number, min(CHUNK, high - at), at)
            cut = len(block) if at + CHUNK >= high else block.rindex(_BETWEEN) + 2
            yield block[:cut]
            rest = block[cut:]
        if high == self.end and low < high:
            yield comma

    def range_of(self, prefix: str) -> tuple[int, int]:
        """The bytes of all entries that begin so."""
        return self.find(prefix)[0], self.find(prefix[:-1] + chr(ord(prefix[-1]) + 1))[0]

    def rest(self) -> dict[str, str]:
        """What is in none of FOLDERS."""
        if self._rest is None:
            self._rest, at = {}, self.begin
            for folder in FOLDERS:
                low, high = self.range_of(folder)
                self._rest.update(self.between(at, low))
                at = high
            self._rest.update(self.between(at, self.end))
        return self._rest

    def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        return self.between(self.begin, self.end)

    def __iter__(self) -> Iterator[str]:
        return (path for path, _ in self.items())

    def __len__(self) -> int:
        return sum(block.count(b'":"') for block in self.raw(self.begin, self.end))


@dataclass(slots=True)
class Counts:
    """How many of a site's files are what."""

    files: int = 0
    html: int = 0
    pdfs: int = 0

    def __iadd__(self, more: Counts) -> Counts:
        self.files += more.files
        self.html += more.html
        self.pdfs += more.pdfs
        return self

    def add(self, path: str, one: int = 1) -> None:
        self.files += one
        end = path[-4:]
        if end == "html":
            self.html += one
        elif end == ".pdf":
            self.pdfs += one


def counts_of(files: Listing) -> Counts:
    """Of what lies in FOLDERS."""
    found = Counts()
    for folder in FOLDERS:
        for block in files.raw(*files.range_of(folder)):
            found.files += block.count(b'":"')
            found.html += block.count(b'.html":"')
            found.pdfs += block.count(b'.pdf":"')
    return found


@dataclass(slots=True)
class Listed:
    """path -> digest of a site that is being built: what is listed here, and of `base` all in FOLDERS but `without`."""

    base: Listing | None = None
    without: frozenset[str] = frozenset()
    fresh: dict[str, str] = field(default_factory=dict)
    _runs: list[Listing] = field(default_factory=list)
    _file: object = None

    def __contains__(self, path: str) -> bool:
        return path in self.fresh or self.has_kept(path) or any(run.find(path)[2] for run in self._runs)

    def has_kept(self, path: str) -> bool:
        return self.base is not None and path.startswith(FOLDERS) and path not in self.without and path in self.base

    def claim(self, path: str) -> None:
        """Take an address; refused where it is taken. What went to the disk already is found when all is joined."""
        if path in self.fresh or (self.base is not None and self.has_kept(path)):
            raise BadInput(f"两个页面要用同一个地址“{path}”。请检查编码是否重复。")
        self.fresh[path] = ""

    def __setitem__(self, path: str, digest: str) -> None:
        self.fresh[path] = digest

    def __getitem__(self, path: str) -> str:
        return self.fresh[path]

    def spill(self) -> bool:
        """Between two pages: what is in memory goes to the disk where it is much; whether it went."""
        if len(self.fresh) < MOST or self.base is not None:
            return False
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this list
        begin = self._file.seek(0, os.SEEK_END)
        for entry in _entries(self.fresh):
            self._file.write(entry)
        self._file.flush()
        self._runs.append(Listing(self._file.fileno(), begin, self._file.tell() - 1))
        self.fresh.clear()
        return True

    def kept(self) -> Iterator[tuple[str, str]]:
        """What is taken over from `base`."""
        for folder in FOLDERS if self.base is not None else ():
            for path, digest in self.base.between(*self.base.range_of(folder)):
                if path not in self.without:
                    yield path, digest

    def paths(self) -> Iterator[str]:
        yield from self.fresh
        yield from (path for path, _ in self.kept())
        for run in self._runs:
            yield from run

    def raw(self) -> Iterator[bytes]:
        """All entries in order, each with a comma behind it."""
        if not self._runs:
            yield from self._spliced()
            return
        runs = [_split(run) for run in self._runs]
        last = b""
        for entry in heapq.merge(*runs, list(_entries(self.fresh))):
            if (path := entry[: entry.index(b'":')]) == last:
                raise BadInput(f"两个页面要用同一个地址“{path[1:].decode()}”。请检查编码是否重复。")
            last = path
            yield entry

    def _spliced(self) -> Iterator[bytes]:
        edits, at = sorted(self.fresh.keys() | self.without), 0
        for folder in FOLDERS if self.base is not None else ():
            while at < len(edits) and edits[at] < folder:
                yield from _entries(self.fresh, (edits[at],))
                at += 1
            here, end = self.base.range_of(folder)
            while at < len(edits) and edits[at].startswith(folder):
                low, high, _ = self.base.find(edits[at])
                yield from self.base.raw(here, low)
                yield from _entries(self.fresh, (edits[at],))
                here, at = high, at + 1
            yield from self.base.raw(here, end)
        yield from _entries(self.fresh, edits[at:])


def _entries(fresh: Mapping[str, str], paths: Iterable[str] | None = None) -> Iterator[bytes]:
    for path in sorted(fresh) if paths is None else paths:
        if path in fresh:
            yield b'"%b":"%b",' % (path.encode(), fresh[path].encode())


def _split(run: Listing) -> Iterator[bytes]:
    for block in run.raw(run.begin, run.end):
        if block != b",":
            for entry in block.rstrip(b",").split(b","):
                yield entry + b","


# The manifest ----------------------------------------------------------------------------------


class Opened:
    """A file that is closed with what it belongs to."""

    def __init__(self, number: int):
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


def open_manifest(place: Path) -> tuple[Listing, Listing]:
    """`files` and `inputs` of a site's manifest, where they lie. OSError or ValueError where it is none of ours."""
    file = Opened(os.open(place, os.O_RDONLY))
    begin = _found(file.number, b'"files":{', 0)
    middle = _found(file.number, b'},"inputs":{', begin - 1)
    end = _found(file.number, b'},"made":{', middle - 1)
    return Listing(file.number, begin, middle - len(b'},"inputs":{'), file), Listing(file.number, middle, end - len(b'},"made":{'), file)


def _found(number: int, mark: bytes, at: int) -> int:
    """Where a mark ends."""
    while block := os.pread(number, CHUNK, at):
        if (found := block.find(mark)) >= 0:
            return at + found + len(mark)
        at += max(1, len(block) - len(mark))
    raise ValueError(mark)


def save_manifest(place: Path, head: bytes, files: Listed, inputs: Listed, tail: bytes) -> str:
    """Write a manifest anew (never in place: it may be a link); its SHA-256."""
    state = hashlib.sha256()
    place.unlink(missing_ok=True)
    with place.open("xb", CHUNK) as out:
        for piece in (head, b'"files":{', _listed(files), b'},"inputs":{', _listed(inputs), b"},", tail):
            for block in (piece,) if isinstance(piece, bytes) else piece:
                state.update(block)
                out.write(block)
    return state.hexdigest()


def _listed(entries: Listed) -> Iterator[bytes]:
    """In large blocks, and without the last comma."""
    held, size = [], 0
    for block in entries.raw():
        if size + len(block) > CHUNK:
            yield b"".join(held)
            held, size = [], 0
        held.append(block)
        size += len(block)
    yield b"".join(held)[:-1]

"""Where a build puts its files: fresh ones are written, what the last release holds unchanged is linked from it.

A text of some length gets a twin packed by gzip, for servers that can hand it out as it is.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from public_site.bundle import CHUNK, require_path, sha256
from public_site.known import Known
from public_site.lines import Pieces
from public_site.listing import Counts, Listed, Listing

TEXTS = (".html", ".css", ".js", ".json", ".jsonl", ".csv", ".tsv", ".txt", ".py", ".svg", ".xml")
LEAST = 2048  # bytes; packing less saves no packet
LEVEL = 6
NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW


@dataclass(slots=True)
class Sink:
    """`files` and `inputs` become the manifest: path -> SHA-256, and path -> digest of what a page was made from.

    `cloned`: the root holds links to all files of `last` already, made when nobody waited; what stays needs no call
    at all, what changes is unlinked first (writing in place would change the old release).
    `fresh` are the paths written here and not linked: what a release has to bring to the disk.
    """

    root: Path
    last: Path | None = None
    last_files: Mapping[str, str] = field(default_factory=dict)
    last_inputs: Mapping[str, str] = field(default_factory=dict)
    cloned: bool = False
    last_made: Mapping[str, str] = field(default_factory=dict)  # what the last release's pages and PDFs were made with
    made: dict[str, str] = field(default_factory=dict)
    known: Known | None = None  # more about the last release, where most of it stays
    twins: bool = True
    files: Listed = field(default_factory=Listed)
    inputs: Listed = field(default_factory=Listed)
    fresh: list[str] = field(default_factory=list)
    many: bool = False  # so many that their paths are not kept
    bytes: int = 0  # written here; what is linked is not counted
    tally: Counts = field(default_factory=Counts)
    pieces: dict[str, Pieces] = field(default_factory=dict)  # of what was made in pieces (tables.py), by the path of the first file
    folders: set[str] = field(default_factory=set)
    _root: str = ""

    def __post_init__(self) -> None:
        self._root = str(self.root)

    def put(self, path: str, content: bytes) -> None:
        """Write a file, or link it if the last release has the same."""
        self._claim(path)
        same = self._settle(path, sha256(content).hexdigest())
        if not same:
            self._write(path, (content,))
        if self.twins and len(content) >= LEAST and path.endswith(TEXTS):
            self._twin(path, same, lambda: (content,))

    def put_pieces(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a long file piece by piece."""
        self._claim(path)
        part, state = f"{path}.part", hashlib.sha256()
        size = self._write(part, _hashed(pieces, state))
        self.fresh.pop()
        same = self._settle(path, state.hexdigest())
        if same:
            os.unlink(self.root / part)
            self.bytes -= size
        else:
            os.rename(self.root / part, self.root / path)
            self.fresh.append(path)
        if self.twins and size >= LEAST and path.endswith(TEXTS):
            self._twin(path, same, lambda: _chunks(self.root / path))

    def copy(self, path: str, source: Path, digest: str) -> None:
        """Copy a file whose SHA-256 is known."""
        self._claim(path)
        same = self._settle(path, digest)
        if not same:
            self._write(path, _chunks(source))
        if self.twins and path.endswith(TEXTS) and source.stat().st_size >= LEAST:
            self._twin(path, same, lambda: _chunks(source))

    def last_under(self, folder: str) -> list[str]:
        """What the last release has in a folder."""
        if isinstance(self.last_files, Listing):
            return [path for path, _ in self.last_files.between(*self.last_files.range_of(folder))]
        return [path for path in self.last_files if path.startswith(folder)]

    def last_page(self, path: str) -> str:
        """A page of the last release; "" where it has none, or another one than its manifest says."""
        with suppress(OSError):
            content = (self.last / path).read_bytes()
            if self.last_files.get(path) == sha256(content).hexdigest():
                return content.decode()
        return ""

    def spill(self) -> None:
        """Of a first site: what is listed goes to the disk where it is much. What is compared with another is as large as that one's list."""
        if self.last is None and self.files.spill():
            self.many, self.fresh[:] = True, ()
        if self.last is None:
            self.inputs.spill()

    def keep(self, path: str, source: str) -> bool:
        """Take a page (its JSON and its further pages) over from the last release, if it was made from the same."""
        if self.last is None or self.last_inputs.get(path) != source:
            return False
        stem = path.removesuffix(".html")
        wanted = [path, f"{stem}.json"]
        while (more := f"{stem}-{len(wanted)}.html") in self.last_files:
            wanted.append(more)
        return self.keep_files(path, source, wanted)

    def has(self, path: str, source: str) -> bool:
        """Whether the last release has this page, made from the same."""
        return self.last is not None and self.last_inputs.get(path) == source and path in self.last_files

    def keep_files(self, path: str, source: str, wanted: list[str]) -> bool:
        """Take files and their twins over from the last release, if `path` was made there from the same."""
        if self.last is None or self.last_inputs.get(path) != source or not all(name in self.last_files for name in wanted):
            return False
        for name in wanted:
            self._claim(name)
            if not self._settle(name, self.last_files[name]):
                self._write(name, _chunks(self.last / name))
            if self.twins and f"{name}.gz" in self.last_files:
                self._twin(name, True, lambda name=name: _chunks(self.root / name))
            if made := self.last_inputs.get(name):
                self.inputs[name] = made
        self.inputs[path] = source
        return True

    def keep_rest(self, without: frozenset[str]) -> None:
        """Take all in listing.FOLDERS but these over from the last release, unasked and unread, with what it was made from."""
        self.files.base, self.inputs.base = self.last_files, self.last_inputs
        self.files.without = self.inputs.without = without
        self.tally += self.known.counts
        for path in without:
            if path in self.last_files:
                self.tally.add(path, -1)
        for path, digest in () if self.cloned else self.files.kept():
            if not self._link(path):
                self._write(path, _chunks(self.last / path))
                self.files[path] = digest

    def gone(self) -> list[str]:
        """What the last release had and this one has not."""
        if self.files.base is None:
            return [path for path in self.last_files if path not in self.files]
        left = [path for path in self.files.without if path not in self.files and path in self.last_files]
        return left + [path for path in self.last_files.rest() if path not in self.files.fresh]

    def changed(self) -> int:
        """How many files were added or are other than in the last release."""
        return sum(self.last_files.get(path) != digest for path, digest in self.files.fresh.items())

    def sweep(self) -> None:
        """Of a clone: remove what the last release had and this one has not."""
        for path in self.gone() if self.cloned else ():
            (self.root / path).unlink(missing_ok=True)
            with suppress(OSError):  # others are still in it
                (self.root / path).parent.rmdir()

    def begin(self, path: str) -> int:
        """Open a long file that is written by the caller; the number of the opened file. `finish` comes after it."""
        place = self._place(path)
        if self.cloned and path in self.last_files:
            os.unlink(place)
        return os.open(place, NEW, 0o644)

    def finish(self, path: str, digest: str, size: int, plain: int | None = None) -> None:
        """`plain`: of a twin, the size of what it is packed from; of a short one it goes again."""
        if plain is not None and (plain < LEAST or not self.twins):
            os.unlink(self.root / path)
            return
        self._claim(path)
        self.files[path] = digest
        if self.last is not None and self.last_files.get(path) == digest:
            os.unlink(self.root / path)
            if self._link(path):
                return
            self._write(path, _chunks(self.last / path))
            return
        self.fresh.append(path)
        self.bytes += size

    def _claim(self, path: str) -> None:
        require_path(path)
        self.files.claim(path)
        self.tally.add(path)

    def _settle(self, path: str, digest: str) -> bool:
        """True where the file is here already, or by a link to the last release."""
        self.files[path] = digest
        if self.last is None or self.last_files.get(path) != digest:
            return False
        return self.cloned or self._link(path)

    def _link(self, path: str) -> bool:
        place = self._place(path)
        with suppress(OSError):  # a file system without (or out of) links: write it
            os.link(f"{self.last}/{path}", place)
            return True
        return False

    def _twin(self, path: str, same: bool, pieces: Iterator[bytes] | object) -> None:
        twin = f"{path}.gz"
        self._claim(twin)
        if same and twin in self.last_files and self._settle(twin, self.last_files[twin]):
            return
        state = hashlib.sha256()
        self._write(twin, _hashed(packed(pieces()), state))
        self.files[twin] = state.hexdigest()

    def _write(self, path: str, pieces: Iterable[bytes]) -> int:
        place = self._place(path)
        if self.cloned and path in self.last_files:
            os.unlink(place)
        size = 0
        opened = os.open(place, NEW, 0o644)
        try:
            for piece in pieces:
                size += len(piece)
                written = os.write(opened, piece)
                while written < len(piece):
                    written += os.write(opened, memoryview(piece)[written:])
        finally:
            os.close(opened)
        self.fresh.append(path)
        self.bytes += size
        return size

    def _place(self, path: str) -> str:
        folder = path.rpartition("/")[0]
        if folder not in self.folders:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            self.folders.add(folder)
        return f"{self._root}/{path}"


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a gzip file, without name and time: the same text gives the same bytes."""
    press = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    for piece in pieces:
        yield press.compress(piece)
    yield press.flush()


def _hashed(pieces: Iterable[bytes], state: object) -> Iterator[bytes]:
    for piece in pieces:
        state.update(piece)
        yield piece


def _chunks(source: Path) -> Iterator[bytes]:
    with open(source, "rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk

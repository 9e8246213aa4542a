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

from portal.domain.errors import BadInput
from public_site.bundle import CHUNK, require_path

TEXTS = (".html", ".css", ".js", ".json", ".jsonl", ".csv", ".tsv", ".txt", ".py", ".svg", ".xml")
LEAST = 2048  # bytes; packing less saves no packet
LEVEL = 6


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
    twins: bool = True
    files: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    bytes: int = 0  # written here; what is linked is not counted
    folders: set[str] = field(default_factory=set)

    def put(self, path: str, content: bytes) -> None:
        """Write a file, or link it if the last release has the same."""
        self._claim(path)
        digest = hashlib.sha256(content).hexdigest()
        same = self._settle(path, digest)
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

    def keep(self, path: str, source: str) -> bool:
        """Take a page (its JSON and its further pages) over from the last release, if it was made from the same."""
        if self.last is None or self.last_inputs.get(path) != source:
            return False
        stem = path.removesuffix(".html")
        wanted = [path, f"{stem}.json"]
        while (more := f"{stem}-{len(wanted)}.html") in self.last_files:
            wanted.append(more)
        return self.keep_files(path, source, wanted)

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
        self.inputs[path] = source
        return True

    def keep_all(self, kept: Mapping[str, str]) -> None:
        """Take files (path -> SHA-256; all that belongs to a page or PDF, inputs and twins included) over from the last release, unasked."""
        if twice := self.files.keys() & kept.keys():
            raise BadInput(f"两个页面要用同一个地址“{min(twice)}”。请检查编码是否重复。")
        self.files |= kept
        self.inputs |= {path: source for path, source in self.last_inputs.items() if path in kept}
        for path in () if self.cloned else kept:
            if not self._settle(path, kept[path]):
                self._write(path, _chunks(self.last / path))

    def sweep(self) -> None:
        """Of a clone: remove what the last release had and this one has not."""
        if not self.cloned:
            return
        for path in self.last_files.keys() - self.files.keys():
            (self.root / path).unlink(missing_ok=True)
            with suppress(OSError):  # others are still in it
                (self.root / path).parent.rmdir()

    def _claim(self, path: str) -> None:
        require_path(path)
        if path in self.files:
            raise BadInput(f"两个页面要用同一个地址“{path}”。请检查编码是否重复。")
        self.files[path] = ""

    def _settle(self, path: str, digest: str) -> bool:
        """True where the file is here already, or by a link to the last release."""
        self.files[path] = digest
        if self.last is None or self.last_files.get(path) != digest:
            return False
        if self.cloned:
            return True
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
        opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(opened, view) :]
                size += len(piece)
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
        return f"{self.root}/{path}"


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

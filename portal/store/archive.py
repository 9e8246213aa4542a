"""A sealed archive: a tar file any tar can unpack, whose last member proves every byte before it.

    <path> ...       the files, sorted by path; owner, time and mode say nothing, so that same files are same bytes
    manifest.json    canonical JSON: what the maker says of it, and `files`: path -> [size, SHA-256]
    SHA256           SHA-256 (hex) of all bytes before this member

The seal is checked before anything inside is looked at.  It finds damage, not
forgery: whoever rewrites an archive can seal it again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from portal.domain.errors import BadInput, WrongMoment
from portal.domain.packing import pack

MANIFEST, SEAL = "manifest.json", "SHA256"
_PIECE = 1 << 20
_SEAL_SIZE = 2048  # header, content, and the two empty blocks that end a tar file
_LARGEST_MANIFEST = 1 << 30
_NO_ARCHIVE = "不是完整的备份：它不是备份文件，或者没有写完、传输不全、被改动过。请换一份备份"


class _Hashing:
    """A file that is written once from front to back, and its digest."""

    def __init__(self, file: BinaryIO):
        self.file, self.hash, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.file.write(data)
        self.hash.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size


class _Reading:
    """A source read for tarfile: its digest and size, and a refusal where it shrinks under the reader."""

    def __init__(self, file: BinaryIO, name: str):
        self.file, self.name, self.hash, self.size = file, name, hashlib.sha256(), 0

    def read(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) < count:
            raise WrongMoment(f"文件“{self.name}”在备份时被改动。请再备份一次。")
        self.hash.update(data)
        self.size += count
        return data


def _opened(place: Path, name: str) -> BinaryIO:
    try:
        return place.open("rb")
    except FileNotFoundError:
        raise WrongMoment(f"文件“{name}”在备份时被移走。请再备份一次。") from None


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _seal(digest: str) -> bytes:
    header = _member(SEAL, 65).tobuf(tarfile.PAX_FORMAT)
    return header + f"{digest}\n".encode().ljust(512, b"\0") + bytes(1024)


def write_archive(file: BinaryIO, sources: Iterable[tuple[str, Path]], about: Mapping[str, Any]) -> dict[str, Any]:
    """Write the files (path in the archive, where it is now) and the manifest, which is returned."""
    out = _Hashing(file)
    files: dict[str, list[Any]] = {}
    tar = tarfile.TarFile(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)  # type: ignore[arg-type]
    for name, place in sorted(sources, key=lambda source: source[0].encode()):
        with _opened(place, name) as opened:
            source = _Reading(opened, name)
            tar.addfile(_member(name, os.fstat(opened.fileno()).st_size), source)  # type: ignore[arg-type]
        files[name] = [source.size, source.hash.hexdigest()]
    manifest = {**about, "files": files}
    data = pack(manifest).encode()
    tar.addfile(_member(MANIFEST, len(data)), io.BytesIO(data))
    file.write(_seal(out.hash.hexdigest()))  # in place of tarfile's own ending
    return manifest


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive whose seal holds. `digest`: SHA-256 of the whole but its seal, which names it."""

    place: Path
    digest: str
    manifest: Mapping[str, Any]

    def unpack(self, wanted: str, folder: Path) -> int:
        """Write the files below `wanted` ("" for all; else "name/") into `folder`; how many. Existing ones are never replaced.

        Whether they are on the disk is the caller's to see to."""
        count = 0
        with self.place.open("rb") as file, tarfile.TarFile(fileobj=file) as tar:
            for member in _members(tar):
                if member.name in (MANIFEST, SEAL) or not member.name.startswith(wanted):
                    continue
                place = folder / member.name.removeprefix(wanted)
                place.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(member)
                assert source is not None
                digest = hashlib.sha256()
                with open_new(place) as target:
                    while piece := source.read(_PIECE):
                        target.write(piece)
                        digest.update(piece)
                if [member.size, digest.hexdigest()] != self.manifest["files"][member.name]:
                    raise WrongMoment(f"备份中的“{member.name}”与清单不符。请换一份备份。")
                count += 1
        return count


def open_new(place: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    return os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        parts = PurePosixPath(member.name).parts
        if not member.isreg() or member.name.startswith("/") or ".." in parts:
            raise BadInput(f"备份中有不认识的内容“{member.name}”。请换一份备份。")
        yield member


def open_archive(place: Path) -> Archive:
    """An archive read whole and found undamaged. BadInput for anything else, before any of it is used."""
    try:
        with place.open("rb") as file:
            digest = _require_seal(file, place)
            with tarfile.TarFile(fileobj=file) as tar:
                names = [member.name for member in _members(tar)]
                if names[-2:] != [MANIFEST, SEAL] or tar.getmember(MANIFEST).size > _LARGEST_MANIFEST:
                    raise BadInput(f"“{place}”{_NO_ARCHIVE}。")
                opened = tar.extractfile(MANIFEST)
                assert opened is not None
                manifest = json.loads(opened.read())
    except (tarfile.TarError, ValueError, EOFError):
        raise BadInput(f"“{place}”{_NO_ARCHIVE}。") from None
    if not isinstance(manifest, dict) or sorted(manifest.get("files", {})) != sorted(names[:-2]):
        raise BadInput(f"“{place}”{_NO_ARCHIVE}。")
    return Archive(place, digest, manifest)


def _require_seal(file: BinaryIO, place: Path) -> str:
    left = os.fstat(file.fileno()).st_size - _SEAL_SIZE
    if left < 0:
        raise BadInput(f"“{place}”{_NO_ARCHIVE}。")
    found = hashlib.sha256()
    while left:
        piece = file.read(min(_PIECE, left))
        if not piece:
            raise BadInput(f"“{place}”在读取时变短了。请再试一次。")
        found.update(piece)
        left -= len(piece)
    if file.read() != _seal(found.hexdigest()):
        raise BadInput(f"“{place}”{_NO_ARCHIVE}。")
    file.seek(0)
    return found.hexdigest()

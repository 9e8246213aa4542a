"""What a release's maker knew of its results beyond what the release says, so that a small change to it costs little.

    site/.known     the index of its results and the sizes of the pieces its tables are made of; of the release shown or of
                    none: whoever finds another reads all anew, and makes the same. Never served.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

import msgspec

from public_site.bundle import Bundle, mark_of
from public_site.forget import save_whole
from public_site.lines import Lines, Pieces, Texts, moved
from public_site.listing import Counts, counts_of, open_manifest

FILE = ".known"


class _Saved(msgspec.Struct):
    program: str
    release: str
    stones: str
    made: dict[str, str]
    counts: tuple[int, int, int]
    closed: bool
    pieces: list[bytes]
    checks: list[bytes]
    so_far: list[bytes]
    sizes: bytes
    rounds: bytes
    codes: list[str]
    entities: tuple[bytes, bytes]
    names: tuple[bytes, bytes]
    aliases: dict[int, list[str]]
    digests: dict[str, str]
    updated: dict[str, str]
    problems: dict[str, int]


@dataclass(frozen=True, slots=True)
class Known:
    """`results`: the file; `stones`: a digest of what it was freed of; `made`: as in the manifest; `counts`: of listing.FOLDERS.

    `so_far`: CRC-32 of all pieces before each, in each file that has checks, and of all.
    """

    results: Path
    stones: str
    made: Mapping[str, str]
    counts: Counts
    pieces: Pieces
    so_far: list[array[int]]
    lines: Lines
    digests: Mapping[str, str]
    updated: Mapping[str, str]
    problems: Mapping[str, int]


def load_known(site: Path, release: str | None) -> Known | None:
    """Of the release shown; None where nothing is known of it, or an earlier version of this program made it."""
    try:
        saved = msgspec.msgpack.decode((site / FILE).read_bytes(), type=_Saved)
    except (OSError, msgspec.MsgspecError):
        return None
    if saved.release != release or saved.program != program():
        return None
    counts, *sizes = _arrays(saved.pieces)
    lines = Lines(array("Q"), array("I", saved.sizes), _texts(saved.entities), _texts(saved.names), array("I", saved.rounds), saved.codes, saved.aliases)
    lines.starts = array("Q", accumulate(lines.sizes, initial=0))
    lines.starts.pop()
    results = site / "releases" / release / "data" / "results.jsonl"
    return Known(
        results, saved.stones, saved.made, Counts(*saved.counts), Pieces(counts, sizes, _arrays(saved.checks), saved.closed), _arrays(saved.so_far), lines, saved.digests, saved.updated, saved.problems
    )


def save_known(site: Path, release: str, bundle: Bundle, pieces: Pieces | None, made: Mapping[str, str]) -> None:
    """After the switch: what was known of another release goes in any case."""
    (site / FILE).unlink(missing_ok=True)
    if pieces is None or bundle.dropped:  # the next bundle leaves out what is forgotten
        return
    index = bundle.index
    counts = counts_of(open_manifest(site / "releases" / release / "manifest.json")[0])
    saved = _Saved(
        program(), release, mark_of(bundle.tombstones), dict(made), (counts.files, counts.html, counts.pdfs), pieces.closed,
        [one.tobytes() for one in (pieces.counts, *pieces.sizes)], [one.tobytes() for one in pieces.checks],
        [_so_far(checks, sizes).tobytes() for checks, sizes in zip(pieces.checks, pieces.sizes, strict=False)], index.sizes.tobytes(), index.rounds.tobytes(), index.codes,
        _bytes(index.entities), _bytes(index.names), index.aliases, dict(bundle.digests), dict(bundle.updated), dict(bundle.problems),
    )  # fmt: skip
    save_whole(site / FILE, msgspec.msgpack.encode(saved))


@cache
def program() -> str:
    """A digest of this program: another one may keep other things, or make other pieces."""
    state = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        state.update(path.read_bytes())
    return state.hexdigest()


def _arrays(saved: Sequence[bytes]) -> list[array[int]]:
    return [array("I", one) for one in saved]


def _so_far(checks: Sequence[int], sizes: Sequence[int]) -> array[int]:
    return array("I", accumulate(zip(checks, sizes, strict=True), lambda check, piece: moved(check, piece[1]) ^ piece[0], initial=0))


def _texts(saved: Sequence[bytes]) -> Texts:
    return Texts(bytearray(saved[0]), array("I", saved[1]))


def _bytes(texts: Texts) -> tuple[bytes, bytes]:
    return bytes(texts.data), texts.sizes.tobytes()

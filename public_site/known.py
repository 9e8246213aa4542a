"""What a release's maker knew of its results beyond what the release says, so that a small change to it costs little.

    site/.known     the index of its results and the sizes of the pieces its tables and its rounds' JSON are made of; of the
                    release shown or of none: whoever finds another reads all anew, and makes the same. Never served.
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
from public_site.lines import Fact, Lines, Pieces, Texts
from public_site.listing import Counts, counts_of, open_manifest

FILE, RESULTS = ".known", "data/results.jsonl"


class _Pieces(msgspec.Struct):
    marks: bytes
    counts: bytes
    sizes: list[bytes]
    checks: list[bytes]
    begins: bytes
    ends: bytes
    so_far: list[bytes]


class _Saved(msgspec.Struct):
    program: str
    release: str
    stones: str
    made: dict[str, str]
    counts: tuple[int, int, int]
    pieces: dict[str, _Pieces]
    sizes: bytes
    rounds: bytes
    codes: list[str]
    marks: bytes
    facts: bytes
    kinds: list[Fact]
    entities: tuple[bytes, bytes]
    names: tuple[bytes, bytes]
    aliases: dict[int, list[str]]
    digests: dict[str, str]
    updated: dict[str, str]
    totals: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Known:
    """`results`: the file; `stones`: a digest of what it was freed of; `made`: as in the manifest; `counts`: of listing.FOLDERS.

    `pieces`: by the path of the first of the files that were made in them; `shown`: of those the results are in.
    """

    results: Path
    stones: str
    made: Mapping[str, str]
    counts: Counts
    pieces: Mapping[str, Pieces]
    shown: Pieces
    lines: Lines
    digests: Mapping[str, str]
    updated: Mapping[str, str]
    totals: Mapping[str, dict[str, int]]


def load_known(site: Path, release: str | None) -> Known | None:
    """Of the release shown; None where nothing is known of it, or an earlier version of this program made it."""
    try:
        saved = msgspec.msgpack.decode((site / FILE).read_bytes(), type=_Saved)
    except (OSError, msgspec.MsgspecError):
        return None
    if saved.release != release or saved.program != program():
        return None
    lines = Lines(
        array("Q"), array("I", saved.sizes), _texts(saved.entities), _texts(saved.names), array("I", saved.rounds), saved.codes, saved.aliases,
        bytearray(saved.marks), array("I", saved.facts), {fact: n for n, fact in enumerate(saved.kinds)},
    )  # fmt: skip
    lines.starts = array("Q", accumulate(lines.sizes, initial=0))
    lines.starts.pop()
    pieces = {
        path: Pieces(bytearray(one.marks), array("I", one.counts), _arrays(one.sizes), _arrays(one.checks), array("Q", one.begins), array("Q", one.ends), _arrays(one.so_far))
        for path, one in saved.pieces.items()
    }
    results = site / "releases" / release / RESULTS
    return Known(results, saved.stones, saved.made, Counts(*saved.counts), pieces, pieces[RESULTS], lines, saved.digests, saved.updated, saved.totals)


def save_known(site: Path, release: str, bundle: Bundle, pieces: Mapping[str, Pieces], made: Mapping[str, str]) -> None:
    """After the switch: what was known of another release goes in any case."""
    (site / FILE).unlink(missing_ok=True)
    if RESULTS not in pieces or bundle.dropped:  # the next bundle leaves out what is forgotten
        return
    index = bundle.index
    counts = counts_of(open_manifest(site / "releases" / release / "manifest.json")[0])
    kept = {}
    for path, one in pieces.items():
        one.sum_up()
        kept[path] = _Pieces(bytes(one.marks), one.counts.tobytes(), _raw(one.sizes), _raw(one.checks), one.begins.tobytes(), one.ends.tobytes(), _raw(one.so_far))
    saved = _Saved(
        program(), release, mark_of(bundle.tombstones), dict(made), (counts.files, counts.html, counts.pdfs), kept,
        index.sizes.tobytes(), index.rounds.tobytes(), index.codes, bytes(index.marks), index.facts.tobytes(), list(index.kinds),
        _bytes(index.entities), _bytes(index.names), index.aliases, dict(bundle.digests), dict(bundle.updated), dict(bundle.totals),
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


def _raw(arrays: Sequence[array[int]]) -> list[bytes]:
    return [one.tobytes() for one in arrays]


def _texts(saved: Sequence[bytes]) -> Texts:
    return Texts(bytearray(saved[0]), array("I", saved[1]))


def _bytes(texts: Texts) -> tuple[bytes, bytes]:
    return bytes(texts.data), texts.sizes.tobytes()

"""results.jsonl and results.csv, and both packed, in pieces that the next release can take over.

A piece is some thirty lines of results and ends with a line that says so by itself (lines.py): a change touches the piece it
is in. Packed, each piece is blocks of its own (RFC 1951, closed by a full flush), all of them one gzip file as any program
reads it; the bytes of a piece depend on nothing before it. So what is taken over and what is made anew give one and the same file.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from array import array
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate

from public_site.bundle import CHUNK, Bundle
from public_site.data import result_head, result_rows
from public_site.lines import Pieces, ends_piece, moved
from public_site.listing import Opened
from public_site.sink import LEVEL, Sink

LINES, TABLE = "data/results.jsonl", "data/results.csv"
FILES = (LINES, TABLE, f"{LINES}.gz", f"{TABLE}.gz")
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"  # gzip (RFC 1952) without name and time
_LAST = b"\x03\x00"  # an empty last block; after it come CRC-32 and size of what is packed
_ENDS = (0, 0, 10, 10)


def put_results(bundle: Bundle, sink: Sink, source: str) -> None:
    """Write the four files, or take them over whole where they were made from the same `source`."""
    known = sink.known
    if known and sink.keep_files(TABLE, source, [LINES, TABLE]):  # where nothing is known of the pieces they are made again, for the next time
        sink.pieces = known.pieces
        return
    head = result_head()
    begun = [b"", head, _HEAD, _HEAD + _pressed(head)]
    out = [_Out(sink, path) for path in FILES]
    if not bundle.dropped:
        out[0].digest = bundle.files["results.jsonl"]  # checked when the bundle was opened
    for one, content in zip(out, begun, strict=True):
        one.write(content)
        one.check = zlib.crc32(content)
    made = sink.pieces = Pieces(sizes=[array("I") for _ in FILES], checks=[array("I"), array("I")])
    whole = known and bundle.since and all(path in sink.last_files for path in FILES)
    starts = [list(accumulate(sizes, initial=len(content))) for sizes, content in zip(known.pieces.sizes, begun, strict=True)] if whole else []
    whole = whole and all((sink.last / path).stat().st_size == ends[-1] + end for path, ends, end in zip(FILES, starts, _ENDS, strict=True))  # none is torn
    for found in _some(bundle, known.pieces) if whole else _all(bundle):
        if isinstance(found, range):
            old = known.pieces
            made.counts += old.counts[found.start : found.stop]
            made.closed = old.closed or found.stop < len(old.counts)
            for n, one in enumerate(out):
                made.sizes[n] += old.sizes[n][found.start : found.stop]
                one.take(starts[n][found.start], starts[n][found.stop])
            for checks, before, all_, one, start in zip(made.checks, old.checks, known.so_far, out, starts, strict=False):
                checks += before[found.start : found.stop]
                one.check = moved(one.check ^ all_[found.start], start[found.stop] - start[found.start]) ^ all_[found.stop]
            continue
        lines, rows = b"".join(found), result_rows(found)
        made.counts.append(len(found))
        made.closed = ends_piece(found[-1])
        for n, content in enumerate((lines, rows, _pressed(lines), _pressed(rows))):
            made.sizes[n].append(len(content))
            out[n].write(content)
            if n < 2:
                made.checks[n].append(check := zlib.crc32(content))
                out[n].check = moved(out[n].check, len(content)) ^ check
    for plain, packed in zip(out[:2], out[2:], strict=True):
        packed.write(_LAST + struct.pack("<LL", plain.check, plain.size & 0xFFFFFFFF))
        plain.close()
        packed.close(plain.size)
    sink.inputs[TABLE] = source


def _all(bundle: Bundle) -> Iterator[list[bytes]]:
    """The lines of each piece."""
    lines: list[bytes] = []
    for line in bundle.shown_lines():
        lines.append(line)
        if ends_piece(line):
            yield lines
            lines = []
    if lines:
        yield lines


def _some(bundle: Bundle, old: Pieces) -> Iterator[list[bytes] | range]:
    """The lines of each piece, or the numbers of old ones that are the same, as many as there are side by side."""
    taken = range(0)
    for first, last, same in bundle.since.pieces(old.counts, old.closed):
        if same >= 0 and same == taken.stop and taken:
            taken = range(taken.start, same + 1)
            continue
        if taken:
            yield taken
        taken = range(same, same + 1) if same >= 0 else range(0)
        if same < 0:
            yield bundle.lines(range(first, last))
    if taken:
        yield taken


def _pressed(content: bytes) -> bytes:
    """Blocks of their own, up to a whole byte."""
    press = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return press.compress(content) + press.flush(zlib.Z_FULL_FLUSH)


class _Out:
    """One of the files, written from its beginning to its end; `check` is CRC-32."""

    def __init__(self, sink: Sink, path: str):
        self.sink, self.path = sink, path
        self.file, self.last = Opened(sink.begin(path)), None
        self.state, self.check, self.size, self.digest = hashlib.sha256(), 0, 0, ""

    def write(self, content: bytes) -> None:
        if not self.digest:
            self.state.update(content)
        self.size += len(content)
        view = memoryview(content)
        while view:
            view = view[os.write(self.file.number, view) :]

    def take(self, first: int, last: int) -> None:
        """What the last release holds there."""
        if self.last is None:
            self.last = Opened(os.open(self.sink.last / self.path, os.O_RDONLY))
        if self.digest:  # known: nobody has to read it
            first += self._copied(first, last)
        for at in range(first, last, CHUNK):
            self.write(os.pread(self.last.number, min(CHUNK, last - at), at))

    def _copied(self, first: int, last: int) -> int:
        """How many bytes the system copied by itself."""
        at = first
        with suppress(OSError):  # not on every file system
            while at < last and (count := os.copy_file_range(self.last.number, self.file.number, last - at, at)):
                at += count
        self.size += at - first
        return at - first

    def close(self, plain: int | None = None) -> None:
        self.sink.finish(self.path, self.digest or self.state.hexdigest(), self.size, plain)

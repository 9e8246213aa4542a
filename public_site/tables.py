"""results.jsonl, results.csv and each round's results as JSON, all packed as well, in pieces that the next release can take over.

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
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import accumulate

from public_site.bundle import CHUNK, Bundle, Numbers, Row, plain_json
from public_site.data import result_head, result_rows
from public_site.known import RESULTS as LINES
from public_site.lines import MARK, Lines, Pieces, moved
from public_site.listing import Opened
from public_site.pages import result_path
from public_site.sink import LEVEL, Sink

TABLE = "data/results.csv"
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"  # gzip (RFC 1952) without name and time
_LAST = b"\x03\x00"  # an empty last block; after it come CRC-32 and size of what is packed

Make = Callable[[list[bytes]], tuple[bytes, ...]]  # what lines become in each file


def put_results(bundle: Bundle, sink: Sink, source: str) -> None:
    """Write the tables of all results and their twins, or take them over whole where they were made from the same `source`."""
    known = sink.known
    if known and sink.keep_files(TABLE, source, [LINES, TABLE]):  # where nothing is known of the pieces they are made again, for the next time
        sink.pieces[LINES] = known.shown
        return
    out = [_Out(sink, LINES), _Out(sink, TABLE)]
    if not bundle.dropped:
        out[0].digest = bundle.files["results.jsonl"]  # checked when the bundle was opened
    _put(bundle, sink, out, range(len(bundle.index.sizes)), (b"", result_head()), (b"", b""), lambda lines: (b"".join(lines), result_rows(lines)))
    sink.inputs[TABLE] = source


def put_round(bundle: Bundle, sink: Sink, row: Row) -> None:
    """Write a round's results as JSON, and the twin, where they were not taken over with its page."""
    path = result_path(row["code"]).removesuffix(".html") + ".json"
    if path in sink.files:
        if sink.known and path in sink.known.pieces:
            sink.pieces[path] = sink.known.pieces[path]
        return
    numbers = bundle.by_round[row["code"]]
    [first] = bundle.lines(numbers[:1])  # alone without a comma before it
    head, tail = b'{"results":[' + first.rstrip(b"\n"), b'],"round":%b,"title":%b}' % (plain_json(row["code"]), plain_json(row["title"]))
    _put(bundle, sink, [_Out(sink, path)], numbers[1:], (head,), (tail,), lambda lines: (b"," + b"".join(lines).rstrip(b"\n").replace(b"\n", b","),))


def _put(bundle: Bundle, sink: Sink, plain: list[_Out], numbers: Numbers, heads: tuple[bytes, ...], tails: tuple[bytes, ...], make: Make) -> None:
    """Write files and their twins: of these lines what is the same as in the last release is copied from there."""
    packed = [_Out(sink, f"{one.path}.gz") for one in plain]
    every, first = [*plain, *packed], plain[0].path
    for one, content in zip(every, (*heads, *(_HEAD + _pressed(head) for head in heads)), strict=True):
        one.write(content)
        one.check = zlib.crc32(content)
    made = sink.pieces[first] = Pieces(
        bytearray(), array("I"), [array("I") for _ in every], [array("I") for _ in plain], array("Q", [one.size for one in every]), array("Q")
    )
    old = sink.known.pieces.get(first) if sink.known else None
    if old and any(one.path not in sink.last_files or (sink.last / one.path).stat().st_size != end for one, end in zip(every, old.ends, strict=True)):
        old = None  # one is torn, or too short to have a twin
    starts = [list(accumulate(sizes, initial=begin)) for sizes, begin in zip(old.sizes, old.begins, strict=True)] if old else []
    for mark, part in _parts(bundle.index, numbers, old):
        if mark is None:
            made.marks += old.marks[part.start * MARK : part.stop * MARK]
            made.counts += old.counts[part.start : part.stop]
            for n, one in enumerate(every):
                made.sizes[n] += old.sizes[n][part.start : part.stop]
                one.take(starts[n][part.start], starts[n][part.stop])
            for checks, before, so_far, one, start in zip(made.checks, old.checks, old.so_far, plain, starts, strict=False):
                checks += before[part.start : part.stop]
                one.check = moved(one.check ^ so_far[part.start], start[part.stop] - start[part.start]) ^ so_far[part.stop]
            continue
        made.marks += mark
        made.counts.append(len(part))
        contents = make(bundle.lines(part))
        for sizes, one, content in zip(made.sizes, every, (*contents, *map(_pressed, contents)), strict=True):
            sizes.append(len(content))
            one.write(content)
        for checks, one, content in zip(made.checks, plain, contents, strict=True):
            checks.append(check := zlib.crc32(content))
            one.check = moved(one.check, len(content)) ^ check
    for one, twin, tail in zip(plain, packed, tails, strict=True):
        one.write(tail)
        twin.write(_pressed(tail) + _LAST + struct.pack("<LL", zlib.crc32(tail, one.check), one.size & 0xFFFFFFFF))
        one.close()
        twin.close(one.size)
    made.ends.extend([one.size for one in every])


def _parts(index: Lines, numbers: Numbers, old: Pieces | None) -> Iterator[tuple[bytes, Numbers] | tuple[None, range]]:
    """Each piece: what it is known by and the numbers of its lines, or the numbers of old ones that are the same, as many as there are side by side."""
    where = {bytes(old.marks[at : at + MARK]): at // MARK for at in range(0, len(old.marks), MARK)} if old else {}
    taken = range(0)
    for mark, part in index.pieces(numbers):
        same = where.get(mark, -1)
        if taken and same == taken.stop:
            taken = range(taken.start, same + 1)
            continue
        if taken:
            yield None, taken
        taken = range(same, same + 1) if same >= 0 else range(0)
        if same < 0:
            yield mark, part
    if taken:
        yield None, taken


def _pressed(content: bytes) -> bytes:
    """Blocks of their own, up to a whole byte."""
    if not content:
        return b""
    press = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return press.compress(content) + press.flush(zlib.Z_FULL_FLUSH)


class _Out:
    """One of the files, written from its beginning to its end. `digest`: where it is known; `check` is CRC-32."""

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

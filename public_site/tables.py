"""results.jsonl, results.csv and each round's results as JSON, all packed as well, in pieces that the next release can take over.

A piece is some thirty lines of results and ends with a line that says so by itself (lines.py): a change touches the piece it
is in. Packed, each piece is blocks of its own (RFC 1951, closed by a full flush), all of them one gzip file as any program
reads it; the bytes of a piece depend on nothing before it. So what is taken over and what is made anew give one and the same file.
"""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path

from portal.domain.errors import BadInput
from public_site.bundle import CHUNK, Bundle, Numbers, digest_of, plain_json
from public_site.data import result_head, result_rows
from public_site.known import RESULTS as LINES
from public_site.lines import MARK, Lines, Pieces, moved
from public_site.listing import Opened
from public_site.pages import result_path
from public_site.sink import LEVEL, Sink

TABLE = "data/results.csv"
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"  # gzip (RFC 1952) without name and time
_LAST = b"\x03\x00"  # an empty last block; after it come CRC-32 and size of what is packed
MOST = 4 * CHUNK  # of a file that waits in memory to be written; of a hundred changes it is two at most

Make = Callable[[list[bytes]], tuple[bytes, ...]]  # what lines become in each file


@contextmanager
def put_tables(bundle: Bundle, sink: Sink, source: str) -> Iterator[None]:
    """Write the tables of all results, the results of each round as JSON, and all their twins. Two threads write them, read them for their digests
    and bring them to the disk while the caller makes the rest; at the end they are in the sink, or what went wrong is raised. The threads are gone in any case.

    What is the same is taken over at once: the tables where they were made from the same `source`, a round with its page.
    """
    with ThreadPoolExecutor(2) as beside:
        try:
            written = [(one, beside.submit(one.settled)) for files in _tables(bundle, sink, source) for one in files]
            yield
            for one, digest in written:
                sink.finish(one.path, digest.result(), one.size, one.plain)
        finally:
            beside.shutdown(cancel_futures=True)


def _tables(bundle: Bundle, sink: Sink, source: str) -> Iterator[list[_Out]]:
    """The longest ones last: so the threads have something to do from the beginning."""
    yield from _rounds(bundle, sink)
    yield _results(bundle, sink, source)


def _results(bundle: Bundle, sink: Sink, source: str) -> list[_Out]:
    known = sink.known
    if known and sink.keep_files(TABLE, source, [LINES, TABLE]):  # where nothing is known of the pieces they are made again, for the next time
        sink.pieces[LINES] = known.shown
        return []
    sink.inputs[TABLE] = source
    out = [_Out(sink, LINES), _Out(sink, TABLE)]
    if not bundle.dropped:
        out[0].whole, out[0].digest = bundle.folder / LINES.rpartition("/")[2], bundle.files["results.jsonl"]  # checked when the bundle was opened
    return _put(bundle, sink, out, range(len(bundle.index.sizes)), (b"", result_head()), (b"", b""), lambda lines: (b"".join(lines), result_rows(lines)))


def _rounds(bundle: Bundle, sink: Sink) -> Iterator[list[_Out]]:
    for row in (*bundle.rounds, *bundle.external):
        code = row["code"]
        path = result_path(code).removesuffix(".html") + ".json"
        if path not in sink.files and code in bundle.by_round:
            numbers = bundle.by_round[code]
            [first] = bundle.lines(numbers[:1])  # alone without a comma before it
            head, tail = b'{"results":[' + first.rstrip(b"\n"), b'],"round":%b,"title":%b}' % (plain_json(code), plain_json(row["title"]))
            yield _put(bundle, sink, [_Out(sink, path)], numbers[1:], (head,), (tail,), lambda lines: (b"," + b"".join(lines).rstrip(b"\n").replace(b"\n", b","),))
        elif sink.known and path in sink.known.pieces and path in sink.files:  # taken over with its page
            sink.pieces[path] = sink.known.pieces[path]


def _put(bundle: Bundle, sink: Sink, plain: list[_Out], numbers: Numbers, heads: tuple[bytes, ...], tails: tuple[bytes, ...], make: Make) -> list[_Out]:
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
                one.take(range(starts[n][part.start], starts[n][part.stop]))
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
        twin.plain = one.size
    made.ends.extend([one.size for one in every])
    return every


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
    """One of the files, written from its beginning to its end. What is to be written is noted, and done by `settled` in a thread; where it is much, at once.

    `check` is CRC-32; `plain`: of a twin, the size of what it is packed from; `digest`: where it is known, `whole`: a file that is the same.
    """

    def __init__(self, sink: Sink, path: str):
        self.sink, self.path, self.place = sink, path, sink.root / path
        self.check, self.size, self.digest = 0, 0, ""
        self.plain: int | None = None
        self.whole: Path | None = None
        self.noted: list[bytes | range] = []
        self.done = self.held = 0
        os.close(sink.begin(path))

    def write(self, content: bytes) -> None:
        self.size += len(content)
        self.held += len(content)
        self._note(content)

    def take(self, part: range) -> None:
        """What the last release holds there."""
        self.size += len(part)
        self._note(part)

    def _note(self, what: bytes | range) -> None:
        if not self.whole:
            self.noted.append(what)
            if self.held > MOST:
                self._do()

    def _do(self) -> None:
        """Write what is noted; what is taken the system copies by itself."""
        file, last = Opened(os.open(self.place, os.O_WRONLY)), None
        os.lseek(file.number, self.done, os.SEEK_SET)
        for what in self.noted:
            if isinstance(what, bytes):
                _write(file, what)
                continue
            last, first = last or Opened(os.open(self.sink.last / self.path, os.O_RDONLY)), what.start
            with suppress(OSError):  # not on every file system
                while first < what.stop and (count := os.copy_file_range(last.number, file.number, what.stop - first, first)):
                    first += count
            for at in range(first, what.stop, CHUNK):
                _write(file, os.pread(last.number, min(CHUNK, what.stop - at), at))
        self.noted.clear()
        self.done, self.held = self.size, 0

    def settled(self) -> str:
        """Its digest. Of a small change a long file goes to the disk here: all of them together take a third of a second."""
        self._do()
        if self.whole and os.path.getsize(shutil.copyfile(self.whole, self.place)) != self.size:
            raise BadInput(f"公示数据包中的“{self.whole.name}”在发布期间被改动过。请重新导出。")
        digest = self.digest or digest_of(self.place)
        if self.sink.known and self.size >= CHUNK:  # a first site waits once, at the end
            with self.place.open("rb") as file:
                os.fdatasync(file.fileno())
        return digest


def _write(file: Opened, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file.number, view) :]

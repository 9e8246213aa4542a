"""What is kept of each line of results.jsonl: thirty bytes and its names, not objects; and which lines are new in another file.

A release's lines are compared with a bundle's piece by piece (tables.py), so of a hundred thousand only those that differ
are read as JSON.
"""

from __future__ import annotations

import io
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from pathlib import Path

import msgspec

PIECE = 32  # lines of a piece, on average


class Visit(msgspec.Struct):
    visit: str
    entity: str


visit_of = msgspec.json.Decoder(Visit).decode


def ends_piece(line: bytes) -> bool:
    """Whether a piece ends with this line: said by the line alone, so that a change moves no other piece."""
    return zlib.crc32(line) % PIECE == 0


@dataclass(slots=True)
class Texts:
    """Many short texts in one."""

    data: bytearray = field(default_factory=bytearray)
    sizes: array[int] = field(default_factory=lambda: array("I"))
    _ends: array[int] | None = None

    def add(self, text: str) -> None:
        raw = text.encode()
        self.data += raw
        self.sizes.append(len(raw))

    def ends(self) -> array[int]:
        if self._ends is None or len(self._ends) != len(self.sizes):
            self._ends = array("Q", accumulate(self.sizes))
        return self._ends

    def __getitem__(self, n: int) -> str:
        ends = self.ends()
        return self.data[ends[n] - self.sizes[n] : ends[n]].decode()

    def __iter__(self) -> Iterator[str]:
        places = zip(chain((0,), self.ends()), self.ends(), strict=False)
        if self.data.isascii():
            data = self.data.decode("ascii")
            return iter([data[start:end] for start, end in places])  # a third of the time a generator takes
        return (self.data[start:end].decode() for start, end in places)

    def take(self, other: Texts, first: int, last: int) -> None:
        """Add those of `other` from one number to another."""
        if first < last:
            ends = other.ends()
            self.data += other.data[ends[first] - other.sizes[first] : ends[last - 1]]
            self.sizes += other.sizes[first:last]


@dataclass(slots=True)
class Lines:
    """The lines of results that may be shown, in the file's order, by number. `aliases` only of those that have any."""

    starts: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("I"))
    entities: Texts = field(default_factory=Texts)
    names: Texts = field(default_factory=Texts)
    rounds: array[int] = field(default_factory=lambda: array("I"))  # numbers in `codes`
    codes: list[str] = field(default_factory=list)
    aliases: dict[int, list[str]] = field(default_factory=dict)

    def add(self, start: int, size: int, entity: str, name: str, number: int, aliases: list[str]) -> None:
        if aliases:
            self.aliases[len(self.sizes)] = aliases
        self.starts.append(start)
        self.sizes.append(size)
        self.entities.add(entity)
        self.names.add(name)
        self.rounds.append(number)

    def take(self, other: Lines, first: int, last: int, start: int) -> int:
        """Add those of `other` from one number to another, which begin at `start` here; where they end."""
        if first == last:
            return start
        here, shift = len(self.sizes), start - other.starts[first]
        self.aliases |= {n - first + here: known for n, known in other.aliases.items() if first <= n < last}
        self.starts.extend(other.starts[first:last] if not shift else array("Q", [at + shift for at in other.starts[first:last]]))
        self.sizes += other.sizes[first:last]
        self.entities.take(other.entities, first, last)
        self.names.take(other.names, first, last)
        self.rounds += other.rounds[first:last]
        return other.starts[last - 1] + other.sizes[last - 1] + shift


@dataclass(slots=True)
class Pieces:
    """Of the pieces of some files made line by line (tables.py): how many lines, and how many bytes in each of the files.

    `checks`: CRC-32 of each piece in the first of the files. `closed`: the last one ends by its last line, not by the end of the file.
    """

    counts: array[int] = field(default_factory=lambda: array("I"))
    sizes: list[array[int]] = field(default_factory=list)
    checks: list[array[int]] = field(default_factory=list)
    closed: bool = True


def _times(a: int, b: int) -> int:
    """Two remainders multiplied modulo the polynomial of CRC-32, lowest power first."""
    product, bit = 0, 1 << 31
    while bit:
        if a & bit:
            product ^= b
        b = b >> 1 ^ (0xEDB88320 if b & 1 else 0)
        bit >>= 1
    return product


_POWERS = [1 << 23]  # x to the 8, 16, 32, ...: of 1, 2, 4, ... bytes
while len(_POWERS) < 40:
    _POWERS.append(_times(_POWERS[-1], _POWERS[-1]))


def moved(check: int, size: int) -> int:
    """A CRC-32 as it stands so many bytes later: of A and B together it is that of A moved, XOR that of B (as zlib's crc32_combine)."""
    for n in range(size.bit_length()):
        if size >> n & 1:
            check = _times(_POWERS[n], check)
    return check


@dataclass(slots=True)
class Run:
    """Lines of the old file from number `first` to before `last`, then `fresh` ones."""

    first: int
    last: int
    fresh: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Difference:
    """How a file comes from an older one: what is kept of it, in order, and the lines that are gone."""

    runs: list[Run] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    at: int = 0  # lines of the old file that are done with

    def keep(self, count: int) -> None:
        if not self.runs or self.runs[-1].fresh or self.runs[-1].last != self.at:
            self.runs.append(Run(self.at, self.at))
        self.at += count
        self.runs[-1].last = self.at

    def add(self, line: bytes) -> None:
        if not self.runs:
            self.runs.append(Run(0, 0))
        self.runs[-1].fresh.append(line)

    def drop(self, line: bytes) -> None:
        self.gone.append(line)
        self.at += 1

    def fresh(self) -> Iterator[bytes]:
        return (line for run in self.runs for line in run.fresh)

    def pieces(self, counts: Sequence[int], closed: bool) -> Iterator[tuple[int, int, int]]:
        """The pieces of the new file: (first line, last line + 1, number of the old piece that is the same or -1).

        `counts`: the lines of each old piece; the last one is `closed` where its last line says so, else by the file's end.
        """
        ends = list(accumulate(counts))
        begins = {end - count: n for n, (end, count) in enumerate(zip(ends, counts, strict=True))}
        ends = ends if closed else ends[:-1]
        cuts, line = [], 0
        for run in self.runs:
            cuts += [line + end - run.first for end in ends[bisect_right(ends, run.first) : bisect_right(ends, run.last)]]
            line += run.last - run.first
            for text in run.fresh:
                line += 1
                if ends_piece(text):
                    cuts.append(line)
        if line and cuts[-1:] != [line]:
            cuts.append(line)
        first, line, runs = 0, 0, iter(self.runs)
        run = next(runs, None)
        for cut in cuts:
            while first >= line + run.last - run.first + len(run.fresh):
                line += run.last - run.first + len(run.fresh)
                run = next(runs)
            same = begins.get(first - line + run.first, -1) if cut <= line + run.last - run.first else -1
            yield first, cut, same if same >= 0 and counts[same] == cut - first else -1
            first = cut


def difference(old: Path, new: Path, sizes: Iterable[int], counts: Iterable[int]) -> Difference | None:
    """Compare two files of results, both in the order of their visits; `sizes` and `counts`: bytes and lines of the old one's pieces.

    In any other order all holds as well, but little is kept. None where a line cannot be read: who reads all of them says which.
    """
    found = Difference()
    with old.open("rb") as before, new.open("rb") as now:
        try:
            for size, count in zip(sizes, counts, strict=True):
                was, place = before.read(size), now.tell()
                if not was.endswith(b"\n") or len(was) != size:
                    return None
                if was == now.read(size):
                    found.keep(count)
                    continue
                now.seek(place)
                line = now.readline()
                for one in io.BytesIO(was):
                    while line and line != one and (mine := visit_of(line).visit) <= (its := visit_of(one).visit):
                        found.add(line)
                        line = now.readline()
                        if mine == its:
                            break
                    else:
                        if line == one:
                            found.keep(1)
                            line = now.readline()
                            continue
                    found.drop(one)
                now.seek(-len(line), io.SEEK_CUR)
            for line in now:
                found.add(line)
        except msgspec.MsgspecError:
            return None
    return found

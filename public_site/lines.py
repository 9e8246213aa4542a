"""What is kept of each line of results.jsonl: fifty bytes and its names, not objects; and which lines are new in another file.

A release's lines are compared with a bundle's piece by piece (tables.py), so of a hundred thousand only those that differ
are read as JSON. What is said of many lines (a round's digest and totals, a piece of a file) is made from what is kept of each.
"""

from __future__ import annotations

import hashlib
import io
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from pathlib import Path

import msgspec

PIECE, MOST = 64, 48  # one line of so many ends a piece; lines of a piece at most: some 34 on average, and the one that a change falls into is not much longer
MARK = 16  # bytes


class Visit(msgspec.Struct):
    visit: str
    entity: str


class On(msgspec.Struct, gc=False):
    on: str


class FollowUp(msgspec.Struct, gc=False):
    state: str


class Item(msgspec.Struct, gc=False):
    problem: bool
    follow_up: FollowUp


class Logged(msgspec.Struct, gc=False):
    index: int


class Line(msgspec.Struct, gc=False):
    """What the index needs of a result; the rest of the line is not even made into objects."""

    visit: str
    entity: str
    name: str
    round: str
    published_on: str
    history: list[On]
    items: list[Item]
    proof: Logged
    aliases: list[str] = []


#: What a round's totals are made of: the last day it was published or changed, whether it has a found problem, items, follow-ups open, closed.
#: Very many results have the same.
Fact = tuple[str, bool, int, int, int]

visit_of = msgspec.json.Decoder(Visit).decode
line_of = msgspec.json.Decoder(Line).decode


_BEGUN = hashlib.sha256()


def sha256(content: bytes) -> hashlib._Hash:
    """As hashlib's, a microsecond quicker: OpenSSL 3 looks its algorithm up again for each new state, and not for a copy."""
    state = _BEGUN.copy()
    state.update(content)
    return state


def short_digest(content: bytes) -> bytes:
    """What a line is known by, or a piece of them."""
    return sha256(content).digest()[:MARK]


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
    marks: bytearray = field(default_factory=bytearray)  # MARK bytes each
    facts: array[int] = field(default_factory=lambda: array("I"))  # numbers in `kinds`
    kinds: dict[Fact, int] = field(default_factory=dict)

    def add(self, start: int, line: bytes, row: Line, number: int) -> None:
        """`number`: of its round."""
        if row.aliases:
            self.aliases[len(self.sizes)] = row.aliases
        self.starts.append(start)
        self.sizes.append(len(line))
        self.entities.add(row.entity)
        self.names.add(row.name)
        self.rounds.append(number)
        self.marks += short_digest(line)
        states = [item.follow_up.state for item in row.items]
        day = max([row.published_on, *[entry.on for entry in row.history]])
        fact = day, any([item.problem for item in row.items]), len(states), states.count("open"), states.count("closed")
        self.facts.append(self.kinds.setdefault(fact, len(self.kinds)))

    def take(self, other: Lines, first: int, last: int, start: int) -> int:
        """Add those of `other` from one number to another, which begin at `start` here; where they end. Codes and kinds are the other's."""
        if first == last:
            return start
        here, shift = len(self.sizes), start - other.starts[first]
        self.aliases |= {n - first + here: known for n, known in other.aliases.items() if first <= n < last}
        self.starts.extend(other.starts[first:last] if not shift else array("Q", [at + shift for at in other.starts[first:last]]))
        self.sizes += other.sizes[first:last]
        self.entities.take(other.entities, first, last)
        self.names.take(other.names, first, last)
        self.rounds += other.rounds[first:last]
        self.marks += other.marks[first * MARK : last * MARK]
        self.facts += other.facts[first:last]
        return other.starts[last - 1] + other.sizes[last - 1] + shift

    def marks_of(self, numbers: Sequence[int]) -> bytes:
        """The marks of some lines (their numbers rise), one behind the other."""
        if are_side_by_side(numbers):
            return bytes(self.marks[numbers[0] * MARK : (numbers[-1] + 1) * MARK])
        return b"".join([self.marks[n * MARK : (n + 1) * MARK] for n in numbers])

    def totals(self, numbers: Iterable[int]) -> dict[str, int]:
        """Of some lines."""
        kinds, found = list(self.kinds), {"visits": 0, "problems": 0, "items": 0, "open": 0, "closed": 0}
        for number, count in Counter(map(self.facts.__getitem__, numbers)).items():
            for name, value in zip(found, (1, *kinds[number][1:]), strict=True):
                found[name] += value * count
        return found

    def last_day(self, numbers: Iterable[int]) -> str:
        """The last day any of some lines was published or changed."""
        kinds = list(self.kinds)
        return max([kinds[number][0] for number in set(map(self.facts.__getitem__, numbers))])

    def pieces(self, numbers: Sequence[int]) -> Iterator[tuple[bytes, Sequence[int]]]:
        """(mark, numbers) of the pieces these lines fall into. Where one ends its last line says by itself, so that a change moves no other but what is cut off for its length."""
        firsts, begin = self.marks[::MARK], 0
        ends = [at for at, n in enumerate(numbers, 1) if not firsts[n] % PIECE]
        for end in [*ends, len(numbers)]:
            for at in range(begin, end, MOST):
                part = numbers[at : min(at + MOST, end)]
                yield short_digest(self.marks_of(part)), part
            begin = end


def are_side_by_side(numbers: Sequence[int]) -> bool:
    """Whether these are several numbers, which rise, and leave none out."""
    return len(numbers) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1


@dataclass(slots=True)
class Pieces:
    """Of the pieces some files were made in (tables.py): what each is known by, how many lines it has, and how many bytes in each file.

    `checks`: CRC-32 of each piece in each file that is not packed, `so_far` of all pieces before it. `begins`: where they
    begin in each of the files, `ends`: how long these are.
    """

    marks: bytearray
    counts: array[int]
    sizes: list[array[int]]
    checks: list[array[int]]
    begins: array[int]
    ends: array[int]
    so_far: list[array[int]] = field(default_factory=list)

    def sum_up(self) -> None:
        """Make `so_far`, where it is not made yet."""
        if not self.so_far:
            pairs = (zip(checks, sizes, strict=True) for checks, sizes in zip(self.checks, self.sizes, strict=False))
            self.so_far = [array("I", accumulate(one, lambda check, piece: moved(check, piece[1]) ^ piece[0], initial=0)) for one in pairs]


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

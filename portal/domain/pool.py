"""A task's pool and exclusions as files, and the roots that commit to them (DRAW.md section 1).

A pool is a line `code TAB stratum TAB weight LF` for each entry, sorted by code. Files of
millions of lines are read in blocks of 256 lines, as bytes, checked in bulk; only a
block that fails is read line by line, to say which line and why.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import lt
from typing import Any, NamedTuple, NoReturn

from portal.domain.bundle import (
    canonical,
    hash_each,
    hasher,
    is_id,
    is_text,
    refuse,
    require_id,
    require_quota,
    require_text,
)
from portal.domain.trees import root

BLOCK_LINES = 256
HIGHEST_WEIGHT = 999_999

_BLOCK = re.compile(rb"(?:[^\n]*\n){1,%d}" % BLOCK_LINES)
_WEIGHT = re.compile(rb"[1-9][0-9]{0,5}")
_ID_BYTES = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#_-"
_ALL_BUT_SEPARATORS = bytes(set(range(256)) - set(b"\t\n"))


class Row(NamedTuple):
    """One entry of a pool."""

    code: str
    stratum: str
    weight: int


Kind = tuple[bytes, bytes]  # stratum and weight, as written


class Block(NamedTuple):
    """Up to 256 lines of a pool; `kind` where all are of one kind: the usual case, and the fast one."""

    codes: list[bytes]
    kinds: list[Kind]
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over a pool finds. `free` counts the non-excluded by (stratum, weight)."""

    size: int
    sizes: dict[str, int]
    free: dict[tuple[str, int], int]

    def available(self, stratum: str) -> int:
        return sum(count for (name, _), count in self.free.items() if name == stratum)


# ---- files --------------------------------------------------------------------------------


def format_pool(rows: Iterable[tuple[str, str, int]]) -> bytes:
    """`pool.tsv` of (code, stratum, weight), sorted here; ids, texts, weights and doubles are checked."""
    lines = []
    for code, stratum, weight in rows:
        require_id(code, "名录代码")
        require_text(stratum, f"“{code}”的分层")
        if type(weight) is not int or not 1 <= weight <= HIGHEST_WEIGHT:
            refuse(f"“{code}”的权重“{weight}”不合规定：应为 1 到 {HIGHEST_WEIGHT} 的整数。")
        lines.append(f"{code}\t{stratum}\t{weight}\n".encode())
    lines.sort()  # a TAB sorts before every character of a code, so lines sort as their codes
    data = b"".join(lines)
    for _ in read_blocks(data):  # refuses a code given twice
        pass
    return data


def parse_pool(data: bytes) -> Iterator[Row]:
    """The rows of a `pool.tsv`, checked."""
    for block in read_blocks(data):
        for code, (stratum, weight) in zip(block.codes, block.kinds, strict=True):
            yield Row(code.decode(), stratum.decode(), int(weight))


def format_codes(codes: Iterable[str]) -> bytes | None:
    """`excluded.txt` of codes, sorted here; None where there are none (no file is written then)."""
    data = b"".join(sorted(require_id(code, "排除的代码").encode() + b"\n" for code in codes))
    if not data:
        return None
    parse_codes(data)
    return data


def parse_codes(data: bytes, what: str = "excluded.txt") -> list[bytes]:
    """The codes of an `excluded.txt`: each LF-ended, sorted, unique, at least one."""
    if not data.endswith(b"\n"):
        refuse(f"{what} 应至少有一行，每行以换行结尾；没有排除对象时不要放这个文件。")
    codes = data[:-1].split(b"\n")
    for number, code in enumerate(codes, 1):
        if not is_id(code.decode("latin-1")):
            refuse(f"{what} 第 {number} 行“{_show(code)}”不是合规定的代码。")
    for number, (one, next_one) in enumerate(zip(codes, codes[1:], strict=False), 2):
        if one >= next_one:
            refuse(f"{what} 第 {number} 行“{_show(next_one)}”重复或没有按字节从小到大排列。")
    return codes


def read_blocks(data: bytes) -> Iterator[Block]:
    """The blocks of a `pool.tsv`, every line checked."""
    if data and not data.endswith(b"\n"):
        refuse("pool.tsv 的最后一行没有换行，文件可能不完整。")
    known: set[Kind] = set()
    previous = b""
    for number, text in enumerate(blocks_of(data)):
        block = split_block(text)
        if block is None or not _is_sound(block, previous, known):
            _refuse_line(text, previous, number * BLOCK_LINES)
        previous = block.codes[-1]
        yield block


def split_block(text: bytes) -> Block | None:
    """The columns of a block's bytes, unchecked; None where a line has not three of them."""
    tab = text.find(b"\t")
    tail = text[tab : text.find(b"\n") + 1]
    lines = text.count(b"\n")
    if text.count(tail) == lines and tail.count(b"\t") == 2:  # every line ends alike
        _, stratum, weight = tail[:-1].split(b"\t")
        return Block(text[: -len(tail)].split(tail), [(stratum, weight)] * lines, (stratum, weight))
    if text.translate(None, _ALL_BUT_SEPARATORS) != b"\t\t\n" * lines:
        return None
    fields = text.replace(b"\n", b"\t").split(b"\t")
    return Block(fields[0:-1:3], list(zip(fields[1::3], fields[2::3], strict=True)), None)


def _is_sound(block: Block, previous: bytes, known: set[Kind]) -> bool:
    codes = block.codes
    lengths = set(map(len, codes))
    new = ({block.kind} if block.kind else set(block.kinds)) - known
    known |= new  # a pool that holds an unsound one is refused, so nothing wrong stays known
    return (
        min(lengths) > 0
        and max(lengths) <= 64
        and not b"".join(codes).translate(None, _ID_BYTES)
        and all(_is_stratum(stratum) and _WEIGHT.fullmatch(weight) for stratum, weight in new)
        and previous < codes[0]
        and all(map(lt, codes, codes[1:]))
    )


def _is_stratum(value: bytes) -> bool:
    try:
        return is_text(value.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _refuse_line(text: bytes, previous: bytes, lines_before: int) -> NoReturn:
    for number, line in enumerate(text[:-1].split(b"\n"), lines_before + 1):
        where = f"pool.tsv 第 {number} 行“{_show(line)}”"
        fields = line.split(b"\t")
        if len(fields) != 3:
            refuse(f"{where}应为三列（代码、分层、权重），以制表符分隔。")
        if not is_id(fields[0].decode("latin-1")):
            refuse(f"{where}的代码不合规定：只能用 1 到 64 个数字、英文字母和 # _ - 。")
        if not _is_stratum(fields[1]):
            refuse(f"{where}的分层不合规定：不能为空，首尾不能有空白，不能有控制字符，须为 NFC 规范形式。")
        if not _WEIGHT.fullmatch(fields[2]):
            refuse(f"{where}的权重不合规定：应为 1 到 {HIGHEST_WEIGHT} 的整数，不带前导零。")
        if previous >= fields[0]:
            refuse(f"{where}的代码重复或没有按字节从小到大排列。")
        previous = fields[0]
    raise AssertionError("a block was found unsound and every line of it sound")


def _show(data: bytes) -> str:
    return data[:100].decode("utf-8", "replace")


# ---- one pass over a pool -----------------------------------------------------------------


def survey_pool(data: bytes, excluded: Sequence[bytes] = ()) -> Survey:
    """Sizes of strata and counts of the non-excluded; `excluded` is sorted, each must be in the pool."""
    counts: Counter[Kind] = Counter()
    hits: Counter[Kind] = Counter()
    passed = 0  # exclusions up to the last code read
    for block in read_blocks(data):
        end = bisect_right(excluded, block.codes[-1], passed)
        hit = set(excluded[passed:end]).intersection(block.codes) if end > passed else ()
        if len(hit) < end - passed:
            break
        passed = end
        if block.kind:
            counts[block.kind] += len(block.codes)
            hits[block.kind] += len(hit)
        else:
            counts.update(block.kinds)
            if hit:
                hits.update(kind for code, kind in zip(block.codes, block.kinds, strict=True) if code in hit)
    if passed < len(excluded):
        refuse(f"excluded.txt 有代码不在 pool.tsv 中（“{_show(excluded[passed])}”或其后）。请核对后重新生成。")
    sizes: Counter[str] = Counter()
    for (stratum, _), count in counts.items():
        sizes[stratum.decode()] += count
    free = {(s.decode(), int(w)): count - hits[s, w] for (s, w), count in counts.items() if count > hits[s, w]}
    return Survey(counts.total(), dict(sizes), free)


# ---- roots of open rounds -----------------------------------------------------------------


def blocks_of(data: bytes) -> Iterator[bytes]:
    """The bytes of each 256 lines, the last block may be shorter: the leaves of an open root."""
    start = length = 0
    while start < len(data):
        end = start + length
        # Most blocks are as long as the one before: counting is 5 times as fast as matching.
        if not (
            0 < length <= len(data) - start and data.count(b"\n", start, end) == BLOCK_LINES and data[end - 1] == 10
        ):
            match = _BLOCK.match(data, start)
            end = match.end() if match else len(data)
            length = end - start
        yield data[start:end]
        start = end


def open_root(suite: str, data: bytes) -> bytes:
    """The root over blocks of 256 lines with their LF; for a pool and for exclusions alike."""
    return root(hasher(suite), hash_each(suite, b"\x00", blocks_of(data)))


# ---- roots of sealed rounds ---------------------------------------------------------------


def salt_of(suite: str, salt_key: bytes, task: str, code: bytes) -> bytes:
    return hasher(suite)(b"ssj/1 salt\n" + salt_key + task.encode() + b"\n" + code)


def inner_of(suite: str, salt_key: bytes, task: str, code: bytes, body: bytes) -> bytes:
    """H(02 || salt2 || body): what a voucher shows of a leaf without showing the body."""
    hash = hasher(suite)
    salt2 = hash(b"ssj/1 salt2\n" + salt_key + task.encode() + b"\n" + code)
    return hash(b"\x02" + salt2 + body)


def sealed_leaves(suite: str, salt_key: bytes, task: str, entries: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """The leaf hashes of (code, body) entries, each with two salts of its own."""
    hash = hasher(suite)
    tail = salt_key + task.encode() + b"\n"
    first, second = b"ssj/1 salt\n" + tail, b"ssj/1 salt2\n" + tail
    for code, body in entries:
        inner = hash(b"\x02" + hash(second + code) + body)
        yield hash(b"\x00" + hash(first + code) + code + inner)


def pool_entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(code, line with its LF) of each entry."""
    for text in blocks_of(data):
        for line in text[:-1].split(b"\n"):
            yield line[: line.index(b"\t")], line + b"\n"


def ticket_entries(suite: str, key: bytes, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(code, line followed by the 32 bytes of its ticket) of each entry."""
    for text in blocks_of(data):
        entries = list(pool_entries(text))
        tickets = hash_each(suite, key, (code for code, _ in entries))
        for (code, line), ticket in zip(entries, tickets, strict=True):
            yield code, line + ticket


def sealed_root(suite: str, salt_key: bytes, task: str, entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The root over (code, body) entries of a sealed round."""
    return root(hasher(suite), sealed_leaves(suite, salt_key, task, entries))


def marked(codes: Iterable[bytes], mark: str) -> list[tuple[bytes, bytes]]:
    """Entries of exclusions (`excluded`) or of the drawn (`drawn`), sorted by code."""
    return [(code, mark.encode() + b"\n") for code in sorted(codes)]


def quota_commit(suite: str, salt_key: bytes, task: str, quota: Mapping[str, Any]) -> str:
    """The commitment to a sealed task's quota, hex."""
    require_quota(quota, f"任务“{task}”的 quota", sealed=True)
    return hasher(suite)(b"ssj/1 quota\n" + salt_key + task.encode() + b"\n" + canonical(quota)).hex()


def roots(suite: str, task: str, pool: bytes, excluded: bytes | None, salt_key: bytes | None) -> tuple[str, str | None]:
    """(pool_root, excluded_root) in hex; sealed where a salt key is given. The files have been checked before."""
    if salt_key is None:
        pool_root = open_root(suite, pool)
        excluded_root = open_root(suite, excluded) if excluded else None
    else:
        pool_root = sealed_root(suite, salt_key, task, pool_entries(pool))
        codes = excluded[:-1].split(b"\n") if excluded else []
        excluded_root = sealed_root(suite, salt_key, task, marked(codes, "excluded")) if excluded else None
    return pool_root.hex(), excluded_root and excluded_root.hex()

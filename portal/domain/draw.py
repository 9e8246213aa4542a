"""Tickets, quotas, the draw of a task and the replacement of struck entries (DRAW.md section 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isqrt
from typing import Any, NamedTuple

from portal.domain.bundle import ROUNDINGS, WHOLE, Document, hash_each, hasher, refuse, require_one_of
from portal.domain.pool import Kind, Survey, blocks_of, split_block, survey_pool

_EVERY_TICKET = b"\xff" * 33  # above every ticket of 32 bytes
_ROOM = 2**64  # order keys are the first 8 bytes of a ticket


class Replacement(NamedTuple):
    """A struck entry and the one drawn in its place; None where its stratum has nobody left."""

    stratum: str
    struck: str
    replacement: str | None


# ---- quotas -------------------------------------------------------------------------------


def quotas(
    sizes: Mapping[str, int], quota: Mapping[str, Mapping[str, int]], rounding: str, minimum: int
) -> dict[str, int]:
    """How many to draw in each stratum of `quota`; sizes include the excluded, a stratum not in `sizes` has size 0."""
    require_one_of(rounding, ROUNDINGS, "rounding")
    if missing := sorted(sizes.keys() - quota.keys()):
        refuse(f"分层“{'、'.join(missing)}”没有写明抽取比例或数量；不抽的也要写 0。")
    counted = {name: min(sizes.get(name, 0), entry["count"]) for name, entry in quota.items() if "count" in entry}
    rated = {name: (sizes.get(name, 0), entry["ppm"]) for name, entry in quota.items() if "ppm" in entry}
    least = {name: min(size, minimum) if ppm > 0 else 0 for name, (size, ppm) in rated.items()}
    if rounding == "ceil":
        found = {name: min(size, max(least[name], _share_up(size * ppm))) for name, (size, ppm) in rated.items()}
    else:
        found = _largest_remainder(rated, least)
    return counted | found


def _share_up(millionths: int) -> int:
    return -(-millionths // WHOLE)


def _largest_remainder(rated: Mapping[str, tuple[int, int]], least: Mapping[str, int]) -> dict[str, int]:
    """One overall ratio: seats by remainder, minimums kept. Ties: a later name gains, an earlier one loses."""
    names = sorted(rated, key=str.encode)
    total = max(_share_up(sum(size * ppm for size, ppm in rated.values())), sum(least.values()))
    seats = {name: max(least[name], rated[name][0] * rated[name][1] // WHOLE) for name in names}
    given = sum(seats.values())

    def remainder(name: str) -> int:
        size, ppm = rated[name]
        return size * ppm - seats[name] * WHOLE

    while given < total:
        gains = max((remainder(name), rank) for rank, name in enumerate(names) if seats[name] < rated[name][0])
        seats[names[gains[1]]] += 1
        given += 1
    while given > total:
        loses = min((remainder(name), rank) for rank, name in enumerate(names) if seats[name] > least[name])
        seats[names[loses[1]]] -= 1
        given -= 1
    return seats


def require_fair_weights(survey: Survey, wanted: Mapping[str, int]) -> None:
    """Refuse a stratum of unequal weights whose quota would make its heaviest certain to be drawn."""
    by_stratum: dict[str, dict[int, int]] = {}
    for (stratum, weight), count in survey.free.items():
        by_stratum.setdefault(stratum, {})[weight] = count
    for stratum, counts in by_stratum.items():
        total = sum(weight * count for weight, count in counts.items())
        heaviest = max(counts)
        if len(counts) > 1 and wanted[stratum] * heaviest >= total:
            refuse(
                f"分层“{stratum}”权重不等：抽取数 {wanted[stratum]} 乘最大权重 {heaviest} 不小于权重合计 {total}，"
                "不能按权重抽取。请减少抽取数，或把权重最大的对象另列任务。"
            )


# ---- tickets and order --------------------------------------------------------------------


def ticket(suite: str, key: bytes, code: str) -> bytes:
    """T = H(K || code): one entity has one ticket in all tasks of a round."""
    return hasher(suite)(key + code.encode())


def order_key(ticket: bytes, weight: int) -> tuple[int, bytes]:
    return int.from_bytes(ticket[:8], "big") // weight, ticket


def smallest(
    suite: str, key: bytes, pool: bytes, excluded: Collection[bytes], survey: Survey, wanted: Mapping[str, int]
) -> dict[str, list[str]]:
    """The first `wanted` codes of each stratum in order-key order, fewer where fewer are available.

    Only tickets below a limit that surely holds enough are kept and sorted; where it
    did not hold enough (heavy weights), the limit is raised and the pool read again.
    """
    outside = frozenset(excluded)
    wanted = {stratum: min(count, survey.available(stratum)) for stratum, count in wanted.items()}
    slack = 1
    while True:
        limits = {
            (stratum.encode(), b"%d" % weight): _limit(survey, stratum, weight, wanted[stratum], slack)
            for stratum, weight in survey.free
            if wanted.get(stratum, 0) > 0
        }
        found: dict[str, list[tuple[tuple[int, bytes], bytes]]] = {stratum: [] for stratum in wanted}
        if limits:
            for (stratum, weight), code, drawn in _below(suite, key, pool, limits):
                if code not in outside:
                    found[stratum.decode()].append((order_key(drawn, int(weight)), code))
        if all(len(found[stratum]) >= count for stratum, count in wanted.items()):
            break
        slack *= 16
    ordered = {}
    for stratum, count in wanted.items():
        ordered[stratum] = [code.decode() for _, code in sorted(found[stratum])[:count]]
    return ordered


def _limit(survey: Survey, stratum: str, weight: int, count: int, slack: int) -> bytes:
    """A ticket's upper bound: below it lie, in expectation, clearly more than `count` of the stratum."""
    total = sum(w * n for (name, w), n in survey.free.items() if name == stratum)
    bound = (count + 8 * isqrt(count) + 32) * slack * _ROOM // total * weight
    return _EVERY_TICKET if bound >= _ROOM else bound.to_bytes(8, "big")


def _below(suite: str, key: bytes, pool: bytes, limits: Mapping[Kind, bytes]) -> Iterator[tuple[Kind, bytes, bytes]]:
    """(kind, code, ticket) of the entries whose ticket is below its limit."""
    for text in blocks_of(pool):
        block = split_block(text)
        if block is None:
            raise ValueError("a pool must be surveyed before it is drawn from")
        tickets = hash_each(suite, key, block.codes)
        if block.kind:
            limit = limits.get(block.kind, b"")
            for drawn, code in zip(tickets, block.codes, strict=True):
                if drawn < limit:
                    yield block.kind, code, drawn
        else:
            for drawn, code, kind in zip(tickets, block.codes, block.kinds, strict=True):
                if drawn < limits.get(kind, b""):
                    yield kind, code, drawn


# ---- the draw of a task -------------------------------------------------------------------


def draw_task(
    suite: str,
    key: bytes,
    pool: bytes,
    excluded: Sequence[bytes],
    quota: Mapping[str, Mapping[str, int]],
    task: Mapping[str, Any],
) -> Document:
    """`{stratum: {size, available, quota, drawn, reserve}}` of a task; `task` is its entry in `round.json`.

    `pool` is the whole file, `excluded` its parsed codes, `key` the K of `draw/<round>`.
    """
    survey = survey_pool(pool, excluded)
    if survey.size != task["pool_size"]:
        refuse(f"任务“{task['task']}”的 pool.tsv 有 {survey.size} 行，承诺的是 {task['pool_size']} 行。")
    counts = quotas(survey.sizes, quota, task["rounding"], task["minimum"])
    require_fair_weights(survey, counts)
    ordered = smallest(
        suite, key, pool, excluded, survey, {name: count + task["reserve"] for name, count in counts.items()}
    )
    return {
        name: {
            "size": survey.sizes.get(name, 0),
            "available": survey.available(name),
            "quota": count,
            "drawn": ordered[name][:count],
            "reserve": ordered[name][count:],
        }
        for name, count in counts.items()
    }


def drawn_of(strata: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """All codes drawn for a task, sorted."""
    return sorted(code for row in strata.values() for code in row["drawn"])


def order_of(suite: str, key: bytes, pool: bytes, excluded: Sequence[bytes], stratum: str) -> list[str]:
    """The whole order of a stratum: drawn, reserve and all after them."""
    survey = survey_pool(pool, excluded)
    return smallest(suite, key, pool, excluded, survey, {stratum: survey.available(stratum)})[stratum]


# ---- replacement (补抽) -------------------------------------------------------------------


def replace_struck(
    order: Sequence[str], drawn: int, struck: Collection[str], kept: Collection[str] = ()
) -> list[tuple[str, str | None]]:
    """Each struck entry among the first `drawn` of an order, in that order, with the next one not struck itself.

    `kept`: struck ones that were visited before; their deregistration is a finding, nobody takes their place.
    """
    following = (code for code in order[drawn:] if code not in struck)
    return [(code, next(following, None)) for code in order[:drawn] if code in struck and code not in kept]


def replacements(
    suite: str,
    key: bytes,
    pool: bytes,
    excluded: Sequence[bytes],
    strata: Mapping[str, Mapping[str, Any]],
    struck: Collection[str],
    kept: Collection[str] = (),
) -> list[Replacement]:
    """The one replacement of a task: `strata` is its part of the result, `struck` the codes 注销, 吊销 or 迁出.

    `kept` are those of them that were visited before. Strata come in order of their names, entries in drawn order. The full order is only
    computed where the reserve does not reach.
    """
    struck, kept = frozenset(struck), frozenset(kept)
    found = []
    for stratum in sorted(strata, key=str.encode):
        row = strata[stratum]
        if (struck - kept).isdisjoint(row["drawn"]):
            continue
        drawn = len(row["drawn"])
        pairs = replace_struck([*row["drawn"], *row["reserve"]], drawn, struck, kept)
        if any(new is None for _, new in pairs) and row["available"] > drawn + len(row["reserve"]):
            pairs = replace_struck(order_of(suite, key, pool, excluded, stratum), drawn, struck, kept)
        found += [Replacement(stratum, old, new) for old, new in pairs]
    return found


# ---- commitments to the result ------------------------------------------------------------


def result_commit(suite: str, key: bytes, result: bytes) -> str:
    """The digest logged on the day of the draw, hex; `key` is K in an open round, the salt key in a sealed one."""
    return hasher(suite)(b"ssj/1 result\n" + key + result).hex()

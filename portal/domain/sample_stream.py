"""Chance for samples: bytes from SHA-256 of a seed and a counter, the same in every Python for ever.

Only for made-up data. Draws have their own rules (DRAW.md); nothing there comes from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

__all__ = ["Stream", "table_of", "topic_key"]

T = TypeVar("T")


def topic_key(seed: str | int, topic: str) -> bytes:
    """32 bytes that differ for every seed and topic: the start of one stream."""
    return sha256(f"mingcha sample 1\n{topic}\n{seed}".encode()).digest()


class Stream:
    """An endless sequence of choices from one key (as many streams as one likes: `Stream(key, "visit 7")`)."""

    __slots__ = ("_bytes", "_count", "_key")

    def __init__(self, key: bytes, name: str = ""):
        self._key = sha256(key + name.encode()).digest() if name else key
        self._count = 0
        self._bytes = b""

    def below(self, n: int) -> int:
        """A number from 0 to n - 1 (n far below 2^32: the bias of the remainder is nothing to a sample)."""
        if not self._bytes:
            self._bytes = sha256(self._key + self._count.to_bytes(8, "big")).digest()
            self._count += 1
        word, self._bytes = self._bytes[:4], self._bytes[4:]
        return int.from_bytes(word, "big") % n

    def chance(self, percent: float) -> bool:
        return self.below(10_000) < percent * 100

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def several(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options, in their own order."""
        left = list(range(len(options)))
        chosen = sorted(left.pop(self.below(len(left))) for _ in range(min(count, len(left))))
        return [options[at] for at in chosen]


def table_of(weighted: Sequence[tuple[T, int]], size: int = 1024) -> tuple[T, ...]:
    """A table of `size` places holding each option in proportion to its weight: a choice is one look-up."""
    total = sum(weight for _, weight in weighted)
    places: list[T] = []
    passed = 0
    for option, weight in weighted:
        passed += weight
        places += [option] * (passed * size // total - len(places))
    return tuple(places)

"""How even the draw is: chi-square statistics over many draws (DRAW.md section 7), as p-values.

p comes from the Wilson-Hilferty approximation: the cube root of chi-square over its degrees of freedom is nearly normal,
good to three decimals from 30 degrees of freedom on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, erfc, sqrt

ENTRIES, PICKED = 1_000, 35
LOW, HIGH = 0.001, 0.999  # outside, the draw prefers somebody, or is too even to be chance


def p_value(statistic: float, degrees: int) -> float:
    """The chance of a chi-square of so many degrees of freedom to be larger than the statistic."""
    spread = 2 / (9 * degrees)
    return erfc(((statistic / degrees) ** (1 / 3) - (1 - spread)) / sqrt(spread) / sqrt(2)) / 2


def of_entries(samples: Sequence[Sequence[int]]) -> float:
    """Every entry is drawn as often as every other. `samples`: the places drawn each time, in order of place."""
    counts = [0] * ENTRIES
    for sample in samples:
        for place in sample:
            counts[place] += 1
    return of_counts(counts, len(samples), PICKED)


def of_counts(counts: Sequence[int], draws: int, picked: int) -> float:
    """The same of how often each entry was drawn, `picked` in every draw."""
    entries = len(counts)
    expected = draws * picked / entries
    # Drawing without replacement: a count varies by the share not drawn, and the counts sum to a constant.
    variance = expected * (1 - picked / entries) * entries / (entries - 1)
    return p_value(sum((count - expected) ** 2 for count in counts) / variance, entries - 1)


def of_pairs(samples: Sequence[Sequence[int]]) -> float:
    """Every pair of entries meets as often as every other: what is left when the entries' own counts are taken out.

    Pair indicators have one covariance for equal pairs, one for pairs sharing an entry and one for disjoint
    pairs, so their space splits into three (constant, entries, interactions) on which the covariance is a
    number; the interactions, with N(N-3)/2 degrees of freedom, have the eigenvalue `same - 2 sharing + apart`.
    """
    draws = len(samples)
    pairs = [0] * (ENTRIES * ENTRIES)
    for sample in samples:
        for one, other in combinations(sample, 2):
            pairs[one * ENTRIES + other] += 1
    chance = [1.0]
    for number in range(4):
        chance.append(chance[-1] * (PICKED - number) / (ENTRIES - number))
    same, sharing, apart = (each - chance[2] ** 2 for each in (chance[2], chance[3], chance[4]))
    mean = draws * chance[2]
    square, sums = 0.0, [0.0] * ENTRIES
    for one, other in combinations(range(ENTRIES), 2):
        off = pairs[one * ENTRIES + other] - mean
        square += off * off
        sums[one] += off
        sums[other] += off
    assert sum(pairs) == draws * comb(PICKED, 2)
    entries = sum(each * each for each in sums) / (ENTRIES - 2)
    statistic = (square - entries) / (draws * (same - 2 * sharing + apart))
    return p_value(statistic, ENTRIES * (ENTRIES - 3) // 2)

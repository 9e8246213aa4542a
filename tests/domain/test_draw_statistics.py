"""Does the draw treat everybody alike? Chi-square tests on fixed seeds (DRAW.md section 7).

The seeds are fixed, so these tests give the same figures for ever; p outside (0.001, 0.999)
would mean that the draw prefers somebody, or that it is too even to be chance. p comes from the
Wilson-Hilferty approximation: the cube root of chi-square over its degrees of freedom is nearly normal,
good to three decimals from 30 degrees of freedom on.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from math import comb, erfc, sqrt
from multiprocessing import get_context

import pytest

from portal.domain import assign
from portal.domain.seed import key_of
from tests.domain.draw_fixture import sampled

DRAWS, PICKED, ENTRIES = 20_000, 35, 1_000
LOW, HIGH = 0.001, 0.999


def p_value(statistic, degrees):
    """The chance of a chi-square of so many degrees of freedom to be larger than the statistic."""
    spread = 2 / (9 * degrees)
    return erfc(((statistic / degrees) ** (1 / 3) - (1 - spread)) / sqrt(spread) / sqrt(2)) / 2


@pytest.mark.parametrize(
    ("statistic", "degrees", "p"), [(43.773, 30, 0.05), (50.892, 30, 0.01), (118.498, 100, 0.1), (99.334, 100, 0.5)]
)
def test_the_p_values_are_those_of_the_tables(statistic, degrees, p):
    assert p_value(statistic, degrees) == pytest.approx(p, abs=0.001)


@pytest.fixture(scope="module")
def samples():
    """20,000 draws of 35 in 1,000: each the places of the drawn, in order of place. On all cores: 20 million tickets."""
    step = DRAWS // 8
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as workers:
        parts = workers.map(
            sampled, *zip(*((n, n + step, ENTRIES, PICKED) for n in range(0, DRAWS, step)), strict=True)
        )
        return [sample for part in parts for sample in part]


def test_every_entry_is_drawn_as_often_as_every_other(samples):
    counts = [0] * ENTRIES
    for sample in samples:
        for place in sample:
            counts[place] += 1
    expected = DRAWS * PICKED / ENTRIES
    # Drawing without replacement: a count varies by the share not drawn, and the counts sum to a constant.
    variance = expected * (1 - PICKED / ENTRIES) * ENTRIES / (ENTRIES - 1)
    statistic = sum((count - expected) ** 2 for count in counts) / variance
    assert LOW < p_value(statistic, ENTRIES - 1) < HIGH


def test_every_pair_of_entries_meets_as_often_as_every_other(samples):
    """The part of the pair counts that is left when the entries' own counts are taken out.

    Pair indicators have one covariance for equal pairs, one for pairs sharing an entry and one for disjoint
    pairs, so their space splits into three (constant, entries, interactions) on which the covariance is a
    number; the interactions, with N(N-3)/2 degrees of freedom, have the eigenvalue `same - 2 sharing + apart`.
    """
    pairs = [0] * (ENTRIES * ENTRIES)
    for sample in samples:
        for one, other in combinations(sample, 2):
            pairs[one * ENTRIES + other] += 1
    chance = [1.0]
    for number in range(4):
        chance.append(chance[-1] * (PICKED - number) / (ENTRIES - number))
    same, sharing, apart = (each - chance[2] ** 2 for each in (chance[2], chance[3], chance[4]))
    mean = DRAWS * chance[2]
    square, sums = 0.0, [0.0] * ENTRIES
    for one, other in combinations(range(ENTRIES), 2):
        off = pairs[one * ENTRIES + other] - mean
        square += off * off
        sums[one] += off
        sums[other] += off
    assert sum(pairs) == DRAWS * comb(PICKED, 2)
    of_entries = sum(each * each for each in sums) / (ENTRIES - 2)
    statistic = (square - of_entries) / (DRAWS * (same - 2 * sharing + apart))
    assert LOW < p_value(statistic, ENTRIES * (ENTRIES - 3) // 2) < HIGH


def test_a_symmetric_assignment_prefers_no_inspector_and_no_pair():
    """Ten inspectors, five visits of two, everybody eligible for all and capped at one: each a perfect matching."""
    people = [f"P{number}" for number in range(10)]
    visits = [f"R1_{number}" for number in range(5)]
    rounds = 4_000
    seats = {(visit, number, who): 0 for visit in visits for number in (0, 1) for who in people}
    met = dict.fromkeys(combinations(people, 2), 0)
    for number in range(rounds):
        key = key_of("sha256", number.to_bytes(32, "big"), "assign/R1").hex()
        slots = {
            "suite": "sha256",
            "K": key,
            "slots": dict.fromkeys(visits, [people, people]),
            "caps": dict.fromkeys(people, 1),
        }
        found = assign.assign(slots)
        assert found["unfilled"] == [] and found["raised"] == {}
        for visit, seated in found["assigned"].items():
            for slot, who in enumerate(seated):
                seats[visit, slot, who] += 1
            met[tuple(sorted(seated))] += 1
    # A random permutation of 10: rows and columns sum to 1, so 81 cells are free, each of variance 1/9.
    statistic = sum((count - rounds / 10) ** 2 for count in seats.values()) / (rounds / 9)
    assert LOW < p_value(statistic, 81) < HIGH
    # A random perfect matching of 10: 45 pairs of chance 1/9, which sum to 1 at each person: 35 free ones,
    # on which disjoint pairs (chance 1/63 together) and pairs sharing a person (never together) leave one eigenvalue.
    single, both = 1 / 9, 1 / 63
    eigenvalue = (single - single**2) + 2 * single**2 + (both - single**2)
    statistic = sum((count - rounds * single) ** 2 for count in met.values()) / (rounds * eigenvalue)
    assert LOW < p_value(statistic, 35) < HIGH

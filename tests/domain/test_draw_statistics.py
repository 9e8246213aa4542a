"""Does the draw treat everybody alike? Chi-square tests on fixed seeds (DRAW.md section 7).

The seeds are fixed, so these tests give the same figures for ever. `.ci/run` and `python -m bench.draw_chances` make
all of the design's 20,000 draws, `./run test` the first 5,000 of them.
"""

from itertools import combinations

import pytest

from portal.domain import assign
from portal.domain.seed import key_of
from tests import NOTHING_LEFT_OUT
from tests.domain.draw_chances import ENTRIES, HIGH, LOW, PICKED, of_entries, of_pairs, p_value
from tests.domain.draw_fixture import sampled

DRAWS = 20_000 if NOTHING_LEFT_OUT else 5_000


@pytest.mark.parametrize(
    ("statistic", "degrees", "p"), [(43.773, 30, 0.05), (50.892, 30, 0.01), (118.498, 100, 0.1), (99.334, 100, 0.5)]
)
def test_the_p_values_are_those_of_the_tables(statistic, degrees, p):
    assert p_value(statistic, degrees) == pytest.approx(p, abs=0.001)


@pytest.fixture(scope="module")
def samples():
    """Each draw: the places of the drawn, in order of place."""
    return sampled(0, DRAWS, ENTRIES, PICKED)


def test_every_entry_is_drawn_as_often_as_every_other(samples):
    assert LOW < of_entries(samples) < HIGH


def test_every_pair_of_entries_meets_as_often_as_every_other(samples):
    assert LOW < of_pairs(samples) < HIGH


def test_a_draw_that_prefers_some_entries_or_some_pairs_is_found_out(samples):
    """The two tests above would notice, in so many draws, one entry in ten that is drawn a seventh more often, and neighbours that come together."""
    favoured = [sorted({*sample[:-1], _free(sample, n // 2 % 100)}) if n % 2 else sample for n, sample in enumerate(samples)]
    assert of_entries(favoured) < LOW
    together = [sorted({*sample[:-1], _free(sample, sample[0] + 1)}) if n % 2 else sample for n, sample in enumerate(samples)]
    assert of_pairs(together) < LOW


def _free(sample, place):
    """That place, or the next one not drawn."""
    return next(each for each in range(place, ENTRIES) if each not in sample[:-1])


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

"""What bench/six_sectors.py counts: visits by the sectors they carry, drawn together and apart, and who is drawn how often."""

from itertools import islice

import pytest

from bench.six_sectors import available, band, binomial, carried, draw_under, inclusion, redraw
from portal.domain.draw import drawn_of
from portal.domain.recompute import draw_round
from portal.domain.sample import sample_entities
from tests.domain.draw_fixture import committed, drawn, revealed, task

SECTOR_OF = {"T1": "registration", "T2": "annual_reports", "T3": "registration"}
CODES = [row.code for row in islice(sample_entities(400, 1), 400)]
POOL = [(code, "*", 1) for code in CODES]
PASSED_OVER = CODES[:40]


@pytest.fixture(scope="module")
def files():
    """An open round over the sample's register: two nested tasks, and a third that passes over forty."""
    tasks = [
        task("T1", POOL, {"*": {"ppm": 100_000}}), task("T2", POOL, {"*": {"ppm": 50_000}}), task("T3", POOL[:200], {"*": {"count": 30}}, excluded=PASSED_OVER),
    ]  # fmt: skip
    return drawn(revealed(committed(tasks)))


def test_a_visit_carries_each_sector_once_and_a_site_is_a_visit_of_its_own():
    picks = {"T1": ["A", "B", "B#2"], "T2": ["A", "C"], "T3": ["A", "B#2"]}
    assert carried(picks, SECTOR_OF) == {1: 3, 2: 1}
    assert carried(picks, {name: name for name in picks}) == {1: 2, 2: 1, 3: 1}


def test_under_its_own_seed_the_round_is_drawn_as_it_was(files):
    outcome = draw_round(files)
    assert draw_under(files, outcome.seed) == {name: drawn_of(entry["strata"]) for name, entry in outcome.result.items()}


def test_one_ticket_for_all_tasks_nests_them_and_tickets_of_their_own_do_not(files):
    together, apart = draw_under(files, bytes(32)), draw_under(files, bytes(32), apart=True)
    assert {name: len(codes) for name, codes in together.items()} == {name: len(codes) for name, codes in apart.items()} == {"T1": 40, "T2": 20, "T3": 30}
    assert set(together["T2"]) < set(together["T1"]) and not set(apart["T2"]) <= set(apart["T1"])
    assert sum(carried(together, SECTOR_OF).values()) < sum(carried(apart, SECTOR_OF).values())


def test_many_seeds_are_the_single_draws_added_up(files):
    found = redraw(files, SECTOR_OF, range(5, 45))
    assert len(found.together) == len(found.apart) == 40
    assert found.together[3] == carried(draw_under(files, (8).to_bytes(32, "big")), SECTOR_OF)
    assert found.apart[3] == carried(draw_under(files, (8).to_bytes(32, "big"), apart=True), SECTOR_OF)
    assert {where: sum(times.values()) for where, times in found.times.items()} == {("T1", "*"): 1600, ("T2", "*"): 800, ("T3", "*"): 1200}
    assert found.times["T3", "*"].keys() == set(available(files)["T3", "*"]) == {row[0] for row in POOL[:200]} - set(PASSED_OVER)
    one = inclusion(list(found.times["T3", "*"].values()), 40)
    assert (one.entries, one.quota, one.mean) == (160, 30, 7.5) and one.holds


def test_the_bands_are_those_of_the_binomial_tables():
    chances = binomial(100, 0.5)
    assert sum(chances) == pytest.approx(1) and chances[50] == pytest.approx(0.0795892)
    assert band(chances, 0.01) == (37, 63) and band(chances, 0.05) == (40, 60)


def test_somebody_drawn_too_often_or_everybody_too_evenly_is_found_out():
    assert not inclusion([21, 20, 19] * 66 + [20, 20], 40).holds, "too even to be chance"
    with pytest.raises(ValueError):
        inclusion([20] * 200 + [1], 40)
    favoured = [8 if n % 2 else 12 for n in range(200)]
    favoured[0] += 20
    favoured[1:11] = [one - 2 for one in favoured[1:11]]
    one = inclusion(favoured, 40)
    assert one.most > one.wide[1] and not one.holds

"""A simulated year uses the real draw: counts are exact, caps bind, riding and coordination save."""

from datetime import date, timedelta

import pytest

from portal.domain.caps import Cap, Event, Peace, Rules
from portal.domain.pool import format_pool
from portal.domain.simulation import Ground, PlannedRound, PlannedTask, Spread, inspector_load, simulate_once, summarise
from portal.domain.visits import Place
from tests.domain.draw_fixture import codes

CODES = codes(400)
PLACES = {code: Place(code, code, "", f"S{n % 4}", f"镇{n % 8}") for n, code in enumerate(CODES)}
POOL = format_pool((code, "*", 1) for code in CODES)
JUNE = tuple(date(2026, 6, 1) + timedelta(n) for n in range(26))
JULY = tuple(date(2026, 7, 1) + timedelta(n) for n in range(26))
ROSTER = [
    {"code": f"I{n:02d}", "organisation": f"S{n % 4}", "station": True, "status": "有效", "certificate": "1", "until": "2027-01-01", "qualifications": [], "lead": n % 2 == 0}
    for n in range(16)
]  # fmt: skip


def task(name, item, ppm=100_000, **more):
    return PlannedTask(name, item, POOL, {"*": {"ppm": ppm}}, **more)


ROUNDS = (
    PlannedRound("R1", (task("T1", "food.sales", riders=("registration.name",)), task("T2", "annual.report", riders=("registration.name",)), task("T3", "metrology.scale", 50_000)), JUNE),
    PlannedRound("R2", (task("T4", "food.sales"),), JULY),
)  # fmt: skip


def ground(**more):
    return Ground("350582", "county", PLACES, **more)


def test_a_run_is_a_function_of_seed_and_number():
    one = simulate_once(ROUNDS, ground(), 7, 0)
    assert one == simulate_once(ROUNDS, ground(), 7, 0)
    assert one != simulate_once(ROUNDS, ground(), 7, 1) and one != simulate_once(ROUNDS, ground(), 8, 0)


def test_counts_without_caps_are_the_quotas():
    found = simulate_once(ROUNDS, ground(), 1, 0)
    assert [found["draws", name, "*"] for name in ("T1", "T2", "T3", "T4")] == [40, 40, 20, 40]
    assert found["picks",] == 140 and found["short", "T1"] == 0
    assert sum(count for path, count in found.items() if path[:2] == ("station", "T1")) == 40


def test_coordination_and_riding_save_visits():
    found = simulate_once(ROUNDS, ground(), 1, 0)
    # Equal ratios over one pool overlap wholly, a smaller one lies inside: round 1 is 40 visits, round 2 is 40.
    assert found["visits", "coordinated"] == 80
    assert found["rider_checks",] == 40  # both hosts carry the rider, and it is done once
    assert found["visits", "separate"] == 180
    assert found["visits", "coordinated"] < found["visits", "uncoordinated"] <= found["picks",]
    assert 40 <= found["distinct",] <= 80


def test_caps_bind_at_the_freeze_and_pass_over_those_who_were_drawn():
    once = Rules(caps=(Cap("item_year", "每年 1 次", "item", 1),))
    free = simulate_once(ROUNDS, ground(), 1, 0)
    found = simulate_once(ROUNDS, ground(rules=once), 1, 0)
    assert found["cap", "freeze", "item_year"] == 40 and found["draws", "T4", "*"] == 40
    assert ("cap", "freeze", "item_year") not in free
    before = {code: [Event(date(2026, 1, 5), "food.sales", "food", "350500", "city", "V")] for code in CODES[:390]}
    short = simulate_once(ROUNDS[1:], ground(rules=once, histories=before), 1, 0)
    assert short["draws", "T4", "*"] == 10 and short["short", "T4"] == 30


def test_caps_bind_at_the_dispatch_where_tasks_of_one_round_share_a_door():
    drawn_once = Rules(caps=(Cap("drawn", "每年被抽中 1 次", "all", 1, counts="draws"),))
    found = simulate_once(ROUNDS[:1], ground(rules=drawn_once), 1, 0)
    assert found["cap", "dispatch", "drawn"] == 60 and found["visits", "coordinated"] == 40


def test_those_left_in_peace_are_not_drawn():
    found = simulate_once(ROUNDS[1:], ground(peace={code: [Peace(date(2026, 1, 1))] for code in CODES[:100]}), 1, 0)
    assert found["cap", "freeze", "peace"] == 100


def test_two_inspectors_go_and_the_load_is_counted_by_month():
    runs = [simulate_once(ROUNDS, ground(roster=ROSTER), 1, n) for n in range(3)]
    for run in runs:
        slots = sum(count for path, count in run.items() if path[0] == "load")
        assert slots + run.get(("unfilled",), 0) == 2 * run["visits", "coordinated"]
    load = inspector_load(runs)
    assert sorted(load) == ["2026-06", "2026-07"]
    assert 0 < load["2026-06"].least <= load["2026-06"].median <= load["2026-06"].most


def test_figures_are_summed_up_by_median_and_range():
    found = summarise([{("a",): 3}, {("a",): 1}, {("a",): 2, ("b",): 5}, {("a",): 9}])
    assert found == {("a",): Spread(2, 1, 9), ("b",): Spread(0, 0, 5)}
    with pytest.raises(ValueError):
        summarise([])

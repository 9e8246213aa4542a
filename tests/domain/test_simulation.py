"""A simulated year uses the real draw: counts are exact, caps bind, riding and coordination save."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from portal.domain.caps import Cap, Event, Peace, Rules
from portal.domain.pool import format_pool
from portal.domain.risk import Frequency
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
    other = (ROUNDS[0], PlannedRound("R2", (task("T5", "food.other"),), JULY))
    bureau = Rules(caps=(Cap("bureau_year", "每年 1 次", "bureau", 1),))
    assert ("cap", "freeze", "bureau_year") not in simulate_once(other, ground(), 1, 0)
    found = simulate_once(other, ground(rules=bureau), 1, 0)
    assert found["cap", "freeze", "bureau_year"] == 40 and found["draws", "T5", "*"] == 40
    before = {code: [Event(date(2026, 1, 5), "food.sales", "food", "350500", "city", "V")] for code in CODES[:390]}
    short = simulate_once(ROUNDS[1:], ground(rules=once, histories=before), 1, 0)
    assert short["draws", "T4", "*"] == 10 and short["short", "T4"] == 30


def test_who_was_checked_this_year_is_passed_over_without_any_cap_as_in_a_pool():
    found = simulate_once(ROUNDS, ground(), 1, 0)
    assert found["cap", "freeze", "inspected_this_year"] == 40
    before = {code: {"food.sales": date(2025, 12, 30)} for code in CODES[:100]} | {CODES[100]: {"food.sales": date(2026, 5, 2)}}
    assert simulate_once(ROUNDS[1:], ground(checked=before), 1, 0)["cap", "freeze", "inspected_this_year"] == 1


def test_the_frequency_of_a_grade_takes_the_place_of_once_a_year():
    grades = {code: "AB"[n % 2] for n, code in enumerate(CODES)}
    pool = format_pool((code, grades[code], 1) for code in CODES)
    by_class = PlannedTask("T6", "food.sales", pool, {"A": {"ppm": 50_000}, "B": {"ppm": 200_000}}, grades=grades, frequency={"A": Frequency(1, 2), "B": Frequency(2)})
    before = {code: [Event(date(year, 2, 5), "food.sales", "food", "350582", "county", "V")] for code, year in zip(CODES[:6], (2025, 2025, 2024, 2026, 2026, 2026))}
    found = simulate_once((PlannedRound("R2", (by_class,), JULY),), ground(histories=before), 1, 0)
    assert found["cap", "freeze", "frequency"] == 2  # A of 2025 and of 2026; B may be checked twice
    assert (found["draws", "T6", "A"], found["draws", "T6", "B"]) == (10, 40)


def test_the_history_of_a_shop_is_that_of_its_holder():
    holder, shop = CODES[0], f"{CODES[0]}#2"
    places = {**PLACES, shop: Place(shop, holder, "2", "S1", "镇1")}
    asked = PlannedTask("T7", "food.sales", format_pool([(shop, "*", 1)]), {"*": {"count": 1}})
    once = Rules(caps=(Cap("item_year", "每年 1 次", "item", 1),))
    history = {holder: [Event(date(2026, 1, 5), "food.sales", "food", "350582", "county", "V")]}
    found = simulate_once((PlannedRound("R", (asked,), JULY),), Ground("350582", "county", places, rules=once, histories=history), 1, 0)
    assert found["cap", "freeze", "item_year"] == 1 and found["picks",] == 0


def test_who_is_listed_or_passed_over_by_a_sector_stays_in_the_base_of_the_ratio():
    asked = task("T8", "food.sales", passed_over=dict.fromkeys(CODES[:100], "sector") | {CODES[0]: "listed"})
    found = simulate_once((PlannedRound("R", (asked,), JULY),), ground(), 1, 0)
    assert (found["cap", "freeze", "sector"], found["cap", "freeze", "listed"], found["draws", "T8", "*"]) == (99, 1, 40)


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


def test_where_the_bureau_inspects_itself_nobody_of_a_station_goes():
    people = [{**one, "bureau": "350582"} for one in ROSTER] + [{**ROSTER[n], "code": f"C{n}", "organisation": "350500", "bureau": "350500", "station": False} for n in (0, 1)]
    own = (PlannedRound("R1", (task("T1", "food.sales", 10_000, inspects=True),), JUNE),)
    places = {code: replace(place, bureau="350582") for code, place in PLACES.items()}
    found = simulate_once(own, Ground("350500", "city", places, roster=people), 1, 0)
    assert {path[1] for path in found if path[0] == "load"} == {"C0", "C1"} and ("unfilled",) not in found


def test_figures_are_summed_up_by_median_and_range():
    found = summarise([{("a",): 3}, {("a",): 1}, {("a",): 2, ("b",): 5}, {("a",): 9}])
    assert found == {("a",): Spread(2, 1, 9), ("b",): Spread(0, 0, 5)}
    with pytest.raises(ValueError):
        summarise([])

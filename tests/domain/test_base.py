"""Base, floors, gaps and what closes them; the floor counted in two ways that share nothing."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.base import (
    Base,
    PlannedRow,
    Reach,
    Standing,
    closings,
    count_base,
    differentiated_share,
    needed_of,
    plan_reach,
    reached,
    require_base,
    rider_reached,
)
from portal.domain.errors import WrongMoment

JIN, LONG = ("350582", "企业"), ("350802", "企业")
FLOORS = {JIN: 35_000, LONG: 40_000}


def row(number, drawn, pool=None, **more):
    return PlannedRow(number, f"第{number}项", pool or {group: 10 * count for group, count in drawn.items()}, drawn, **more)


def test_those_who_did_not_report_are_in_the_base():
    base = count_base(2025, [Standing("A", *JIN), Standing("B", *JIN, reported=False), Standing("C", "350582", "个体工商户")])
    assert base.totals == {JIN: 2, ("350582", "个体工商户"): 1} and base.silent == {JIN: 1}


def test_an_old_region_code_counts_under_its_successor():
    base = count_base(2025, [Standing("A", "350501", "企业"), Standing("B", *JIN)], {"350501": "350582", "350582": "350582"}.get)
    assert base.totals == {JIN: 2}


@pytest.mark.parametrize("total, ppm, needed", [(1000, 35_000, 35), (1001, 35_000, 36), (0, 35_000, 0), (1, 1, 1), (28, 35_000, 1)])
def test_a_floor_is_never_rounded_down(total, ppm, needed):
    assert needed_of(total, ppm) == needed


def test_a_base_that_is_not_frozen_or_of_another_year_stops_the_ratio():
    with pytest.raises(WrongMoment, match="2025 年底的期末实有数还没有冻结"):
        require_base(None, 2026)
    with pytest.raises(WrongMoment, match="现有的是 2024 年底的"):
        require_base(Base(2024, {}, {}), 2026)
    base = Base(2025, {}, {})
    assert require_base(base, 2026) is base


def test_a_plan_is_bounded_by_its_largest_row_and_by_their_sum():
    base = Base(2025, {JIN: 1000, LONG: 1000}, {})
    found = {one.group: one for one in plan_reach(base, [row(1, {JIN: 20, LONG: 40}), row(2, {JIN: 20}), row(3, {JIN: 900}, rides=True)], FLOORS)}
    assert found[JIN] == Reach(JIN, 1000, 35_000, 35, 20, 40)
    assert (found[JIN].verdict, found[JIN].gap) == ("open", 15)
    assert (found[LONG].verdict, found[LONG].gap) == ("met", 0)
    assert plan_reach(base, [], FLOORS)[0].verdict == "missed"
    assert plan_reach(base, [], {})[0].verdict == "none"


def test_the_rows_that_close_a_gap_come_smallest_change_first():
    base = Base(2025, {JIN: 1000}, {})
    rows = [row(1, {JIN: 5}, {JIN: 500}), row(2, {JIN: 20}, {JIN: 200}), row(3, {JIN: 30}, {JIN: 34}), row(4, {}, {JIN: 1000}, rides=True), row(5, {JIN: 25}, {JIN: 1000}, at_most=True)]
    reach = plan_reach(base, rows, {JIN: 35_000})[0]
    assert [(one.row, one.count, one.ppm) for one in closings(reach, rows)] == [(2, 35, 175_000), (1, 35, 70_000)]
    assert closings(plan_reach(base, [row(1, {JIN: 35})], {JIN: 35_000})[0], rows) == []


def test_the_differentiated_share_leaves_professional_fields_out():
    rows = [row(1, {JIN: 85}, differentiated=True), row(2, {JIN: 15}), row(3, {JIN: 500}, professional=True), row(4, {JIN: 500}, rides=True)]
    assert differentiated_share(rows) == (85, 100)


def test_an_entity_drawn_twice_counts_once_and_one_that_moved_counts_where_it_stood():
    base = Base(2025, {JIN: 100, LONG: 100}, {})
    standing = {"A": JIN, "B": JIN, "M": JIN}
    drawn = [("A", JIN), ("A", JIN), ("M", LONG), ("N", LONG)]
    found = {one.group: one for one in reached(base, FLOORS, standing, drawn)}
    assert (found[JIN].distinct, found[JIN].outside, found[JIN].ppm) == (2, 0, 20_000)
    assert (found[LONG].distinct, found[LONG].outside, found[LONG].needed) == (1, 1, 4)


def test_riders_count_an_entity_once_towards_their_own_ratio():
    found = rider_reached(Base(2025, {JIN: 100}, {}), {JIN: ["A", "A", "B"]}, {JIN: 35_000})
    assert (found[0].distinct, found[0].needed) == (2, 4)


REGISTERS = st.lists(st.tuples(st.sampled_from(["350582", "350802", "350501"]), st.sampled_from(["企业", "个体工商户"]), st.booleans()), max_size=200)


@given(REGISTERS, st.integers(0, 1_000_000), st.integers(0, 1_000_000))
def test_floors_counted_in_two_ways_agree(register, one_ppm, other_ppm):
    """Once by the module's counts and integers; once entity by entity, adding fractions until the floor is passed."""
    current = {"350501": "350582"}
    floors = {(region, type_): ppm for (region, ppm) in (("350582", one_ppm), ("350802", other_ppm)) for type_ in ("企业", "个体工商户")}
    base = count_base(2025, [Standing(str(n), *one) for n, one in enumerate(register)], lambda code: current.get(code, code))
    ours = {one.group: one.needed for one in plan_reach(base, [], floors)}

    for (region, type_), ppm in floors.items():
        owed = Fraction(0)
        for where, kind, _ in register:
            if kind == type_ and current.get(where, where) == region:
                owed += Fraction(ppm, 1_000_000)
        people = 0
        while people < owed:
            people += 1
        assert ours[region, type_] == people


@given(st.lists(st.sets(st.integers(0, 30)), max_size=5), st.integers(0, 300_000))
def test_bounds_hold_whatever_the_samples_and_a_closing_closes(samples, ppm):
    group = JIN
    base = Base(2025, {group: 31}, {})
    rows = [row(n, {group: len(sample)}, {group: 31}) for n, sample in enumerate(samples)]
    reach = plan_reach(base, rows, {group: ppm})[0]
    distinct = len(set().union(*samples))
    assert reach.least <= distinct <= reach.most
    if reach.verdict in ("met", "missed"):
        assert (distinct >= reach.needed) == (reach.verdict == "met")
    for change in closings(reach, rows):
        changed = [replace(one, drawn={**one.drawn, group: change.count}) if one.row == change.row else one for one in rows]
        assert plan_reach(base, changed, {group: ppm})[0].verdict == "met"
        assert -(-31 * change.ppm // 1_000_000) >= reach.needed

"""Scales of any length, who stands where on a day, attribute rules, and what a class means for a task."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.risk import (
    Adjustment,
    AttributeRule,
    ClassRatios,
    Frequency,
    Grading,
    Scale,
    check_class_ratios,
    grade_on,
    is_differentiated,
    sort_by_class,
    times_due,
)
from portal.domain.errors import BadInput

CREDIT = Scale("credit", "企业信用风险分类", {"A": "A类", "B": "B类", "C": "C类", "D": "D类"})
FIVE = Scale("credit5", "五级分类", {grade: grade for grade in "ABCDE"})
RATIOS = ClassRatios("credit", {"A": 10_000, "B": 30_000, "C": 100_000, "D": 300_000})
ZERO = AttributeRule("zero_report", "年报全零", "zero_report", 1_000_000, values=("true",))
CROWDED = AttributeRule("crowded", "同址十户以上", "same_address", 100_000, at_least=10)
DAY = date(2026, 6, 1)


def graded(grade, on, version="1", entity="E1", scale="credit"):
    return Grading(entity, scale, grade, version, on)


def test_the_latest_import_up_to_the_day_decides_and_versions_break_a_tie():
    lines = [graded("A", date(2026, 1, 1)), graded("C", date(2026, 5, 1)), graded("B", date(2026, 5, 1), "2"), graded("D", date(2026, 7, 1))]
    assert grade_on(DAY, lines) == {("E1", "credit"): "B"}
    assert grade_on(date(2026, 4, 30), lines) == {("E1", "credit"): "A"}
    assert grade_on(date(2025, 1, 1), lines) == {}


def test_a_sectors_grade_is_another_scale():
    lines = [graded("A", DAY), graded("D", DAY, scale="food")]
    assert grade_on(DAY, lines) == {("E1", "credit"): "A", ("E1", "food"): "D"}


def test_an_adjustment_holds_until_its_end_or_the_next_import():
    lines = [graded("A", date(2026, 1, 1)), graded("B", date(2026, 9, 1))]
    up = Adjustment("E1", "credit", "D", "抽检不合格", "wang", date(2026, 3, 1), date(2026, 12, 31))
    where = ("E1", "credit")
    assert grade_on(DAY, lines, [up])[where] == "D"
    assert grade_on(date(2026, 9, 1), lines, [up])[where] == "B"
    assert grade_on(DAY, lines, [Adjustment("E1", "credit", "D", "抽检不合格", "wang", date(2026, 3, 1), date(2026, 5, 1))])[where] == "A"


def test_an_adjustment_without_a_reason_is_refused():
    with pytest.raises(BadInput, match="没有写理由"):
        grade_on(DAY, [], [Adjustment("E1", "credit", "D", " ", "wang", DAY)])


@pytest.mark.parametrize("ppm, says", [
    ({"A": 1, "B": 2, "C": 3}, "没有写“D类”的比例"),
    ({"A": 1, "B": 2, "C": 3, "D": 4, "E": 5}, "分类“E”不在"),
    ({"A": 5, "B": 2, "C": 3, "D": 4}, "“B类”的比例低于“A类”"),
    ({"A": 0, "B": 2, "C": 3, "D": 4}, "不是免于抽查"),
    ({"A": 1, "B": 2, "C": 3, "D": 1_000_001}, "应在 0 到 1000000"),
])  # fmt: skip
def test_class_ratios_that_cannot_be_meant_are_named(ppm, says):
    assert [one for one in check_class_ratios(CREDIT, ClassRatios("credit", ppm)) if says in one.message]


def test_sound_class_ratios_have_no_problem():
    assert check_class_ratios(CREDIT, RATIOS) == []
    assert check_class_ratios(FIVE, ClassRatios("credit5", {grade: 1000 * n for n, grade in enumerate("ABCDE", 1)})) == []


def test_entities_go_by_class_and_by_attribute_where_that_asks_for_more():
    entities = [("E1", {}), ("E2", {"zero_report": True}), ("E3", {"same_address": 12}), ("E4", {"same_address": 12}), ("E5", {"same_address": 9})]
    found = sort_by_class(CREDIT, RATIOS, {"E1": "A", "E2": "B", "E3": "A", "E4": "D", "E5": "B"}, entities, [CROWDED, ZERO])
    assert found.strata == {"E1": "A", "E3": "同址十户以上", "E4": "D", "E5": "B"}
    assert found.listed == {"E2": "年报全零"}
    assert found.quota["同址十户以上"] == {"ppm": 100_000} and found.quota["C"] == {"ppm": 100_000}


def test_missing_classes_are_named_unless_the_row_says_what_to_do_with_them():
    with pytest.raises(BadInput, match="有 1 户没有“企业信用风险分类”（如 E2）。请导入其分类"):
        sort_by_class(CREDIT, RATIOS, {"E1": "A"}, [("E1", {}), ("E2", {})])
    some = ClassRatios("credit", RATIOS.ppm, unclassed=35_000)
    found = sort_by_class(CREDIT, some, {"E1": "A"}, [("E1", {}), ("E2", {})])
    assert found.strata["E2"] == "未分类" and found.quota["未分类"] == {"ppm": 35_000} and found.unclassed == 1


def test_a_grade_of_another_scale_is_refused():
    with pytest.raises(BadInput, match="“E1”的分类“E”不在“企业信用风险分类”里"):
        sort_by_class(CREDIT, RATIOS, {"E1": "E"}, [("E1", {})])


def test_differing_ratios_or_frequencies_make_a_task_differentiated():
    same = {grade: 35_000 for grade in "ABCD"}
    often = {"A": Frequency(1, 2), "D": Frequency(2)}
    assert is_differentiated(RATIOS) and is_differentiated(ClassRatios("credit", same, often))
    assert not is_differentiated(ClassRatios("credit", same)) and not is_differentiated(None)


def test_a_frequency_is_used_up_within_its_years():
    once_in_two = Frequency(1, 2)
    assert times_due(once_in_two, [date(2025, 1, 1)], DAY) == 0
    assert times_due(once_in_two, [date(2024, 12, 31)], DAY) == 1
    assert times_due(Frequency(2), [date(2026, 1, 1)], DAY) == 1


@given(st.lists(st.sampled_from("ABCD"), max_size=30), st.lists(st.integers(0, 20), max_size=30))
def test_every_entity_is_in_one_stratum_or_on_the_list_and_every_stratum_has_a_quota(classes, addresses):
    grades = {f"E{n}": grade for n, grade in enumerate(classes)}
    entities = [(f"E{n}", {"same_address": many, "zero_report": many == 20}) for n, many in enumerate(addresses)]
    ratios = ClassRatios("credit", RATIOS.ppm, unclassed=1)
    found = sort_by_class(CREDIT, ratios, grades, entities, [CROWDED, ZERO])
    assert sorted([*found.strata, *found.listed]) == sorted(code for code, _ in entities)
    assert set(found.strata.values()) <= found.quota.keys()
    for code, attributes in entities:
        least = ratios.ppm.get(grades.get(code, ""), 1)
        got = 1_000_000 if code in found.listed else found.quota[found.strata[code]]["ppm"]
        assert got >= least and (attributes["same_address"] < 10 or got >= 100_000)

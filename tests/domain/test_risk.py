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
    Sorter,
    adjusted_on,
    check_class_ratios,
    check_frequency,
    grade_on,
    is_differentiated,
    listed_by,
    scale_of_row,
    times_due,
)
from portal.domain.errors import BadInput

CREDIT = Scale("credit", "企业信用风险分类", {"A": "A类", "B": "B类", "C": "C类", "D": "D类"})
FIVE = Scale("credit5", "五级分类", {grade: grade for grade in "ABCDE"})
RATIOS = ClassRatios("credit", {"A": 10_000, "B": 30_000, "C": 100_000, "D": 300_000})
ZERO = AttributeRule("zero_report", "年报全零", "zero_report", 1_000_000, values=("true",))
CROWDED = AttributeRule("crowded", "同址十户以上", "same_address", 100_000, at_least=10)
DAY = date(2026, 6, 1)


FOOD = Scale("food", "食品安全风险等级", {"A1": "A1级", "A2": "A2级"})


def placed(entities, grades, rules=(), ratios=RATIOS, scale=CREDIT):
    """(stratum by code, the sorter) of (code, attributes) entities."""
    sorter = Sorter(scale, ratios, rules)
    return {code: sorter.place(code, grades.get(code, ""), attributes) for code, attributes in entities}, sorter


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


def test_an_adjustment_holds_until_its_end_whatever_is_imported_meanwhile():
    lines = [graded("A", date(2026, 1, 1)), graded("B", date(2026, 9, 1))]
    up = Adjustment("E1", "credit", "D", "抽检不合格", "wang", date(2026, 3, 1), date(2026, 12, 31))
    where = ("E1", "credit")
    assert grade_on(date(2026, 2, 28), lines, [up])[where] == "A"
    assert grade_on(DAY, lines, [up])[where] == grade_on(date(2026, 9, 1), lines, [up])[where] == grade_on(date(2026, 12, 31), lines, [up])[where] == "D"
    assert grade_on(date(2027, 1, 1), lines, [up])[where] == "B"


def test_of_two_adjustments_the_later_holds_and_one_taken_back_is_gone():
    first = Adjustment("E1", "credit", "D", "抽检不合格", "wang", date(2026, 3, 1))
    second = Adjustment("E1", "credit", "C", "已整改", "wang", date(2026, 4, 1), date(2026, 5, 1))
    back = Adjustment("E1", "credit", "", "录错", "wang", date(2026, 6, 1))
    assert adjusted_on(date(2026, 4, 15), [first, second]) == {("E1", "credit"): "C"}
    assert adjusted_on(date(2026, 5, 2), [first, second]) == {("E1", "credit"): "D"}
    assert adjusted_on(DAY, [first, second, back]) == {}


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
    entities = [("E1", {}), ("E3", {"same_address": 12}), ("E4", {"same_address": 12}), ("E5", {"same_address": 9})]
    strata, sorter = placed(entities, {"E1": "A", "E3": "A", "E4": "D", "E5": "B"}, [CROWDED, ZERO])
    assert strata == {"E1": "A", "E3": "同址十户以上", "E4": "D", "E5": "B"}
    assert sorter.quota() == {name: {"ppm": ppm} for name, ppm in (*RATIOS.ppm.items(), ("同址十户以上", 100_000))}


def test_those_checked_for_certain_stay_in_their_class_and_are_named():
    """At 100 % a stratum would name its members: they are passed over and belong on a list."""
    strata, sorter = placed([("E2", {"zero_report": True})], {"E2": "B"}, [CROWDED, ZERO])
    assert strata == {"E2": "B"} and listed_by([CROWDED, ZERO], {"zero_report": True}) == "年报全零" and listed_by([CROWDED, ZERO], {"same_address": 12}) == ""
    assert all(0 < entry["ppm"] < 1_000_000 for entry in sorter.quota().values())


def test_a_rule_without_values_means_a_row_in_the_special_register_of_that_name():
    rule = AttributeRule("zero", "年报全零", "年报全零企业", 1_000_000)
    assert rule.matches({"年报全零企业": [{"年度": "2025"}]})
    assert not rule.matches({"年报全零企业": []}) and not rule.matches({"其他": [{}]})


def test_missing_classes_are_named_unless_something_says_what_to_do_with_them():
    strata, sorter = placed([("E1", {}), ("E2", {})], {"E1": "A"})
    with pytest.raises(BadInput, match="有 1 户没有“企业信用风险分类”（如 E2）。请导入其分类"):
        sorter.require_classed()
    strata, sorter = placed([("E1", {}), ("E2", {})], {"E1": "A"}, ratios=ClassRatios("credit", RATIOS.ppm, unclassed=35_000))
    sorter.require_classed()
    assert strata["E2"] == "未分类" and sorter.quota()["未分类"] == {"ppm": 35_000} and sorter.missing == ["E2"]
    assert "未分类" not in placed([("E1", {})], {"E1": "A"})[1].quota()


def test_a_grade_of_another_scale_is_refused():
    with pytest.raises(BadInput, match="“E1”的分类“E”不在“企业信用风险分类”里"):
        placed([("E1", {})], {"E1": "E"})


@pytest.mark.parametrize("changed, rules, says", [
    ({"D": 1_000_000}, (), "“D类”的比例是 100%：密封轮次里按类全部抽取会泄露分类"),
    ({"A": 0}, (), "不是免于抽查"),
    ({}, (AttributeRule("x", "A", "x", 5),), "“A”既是分类又是规则名"),
    ({}, (CROWDED, AttributeRule("x", "同址十户以上", "x", 5)), "有两条规则同名"),
])  # fmt: skip
def test_ratios_that_no_sealed_round_can_take_are_refused_before_anybody_is_sorted(changed, rules, says):
    with pytest.raises(BadInput) as refused:
        Sorter(CREDIT, ClassRatios("credit", {**RATIOS.ppm, **changed}), rules)
    assert [one for one in refused.value.problems if says in one.message]


@pytest.mark.parametrize("unclassed, says", [(0, "未分类对象的比例是 0"), (1_000_000, "“未分类”的比例是 100%")])
def test_those_without_a_class_are_neither_let_off_nor_named(unclassed, says):
    with pytest.raises(BadInput) as refused:
        Sorter(CREDIT, ClassRatios("credit", RATIOS.ppm, unclassed=unclassed))
    assert [one for one in refused.value.problems if says in one.message]


def test_a_plan_row_means_the_scale_that_has_its_classes():
    assert scale_of_row([CREDIT, FOOD], {"A1": 1, "A2": 2}) is FOOD and scale_of_row([CREDIT, FOOD], RATIOS.ppm) is CREDIT
    own = scale_of_row([FOOD], {"A": 1, "B": 2})
    assert (own.code, dict(own.grades)) == ("credit", {"A": "A类", "B": "B类"})


def test_a_class_due_oftener_than_planned_or_than_its_cap_is_named():
    ratios = ClassRatios("credit", RATIOS.ppm, {"A": Frequency(1, 2), "C": Frequency(1), "D": Frequency(2)})
    assert check_frequency(CREDIT, ratios, 2, None) == []
    assert check_frequency(CREDIT, ratios, 1, 2) == ["“D类”每年应抽查 2 次，计划中只安排了 1 次。请为同一事项再列一行，安排在另一时段。"]
    assert "频次上限规定同一事项每年最多 1 次" in check_frequency(CREDIT, ratios, 1, 1)[0]


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
def test_every_entity_is_in_a_stratum_with_a_quota_that_asks_for_no_less_than_class_and_attribute(classes, addresses):
    grades = {f"E{n}": grade for n, grade in enumerate(classes)}
    entities = [(f"E{n}", {"same_address": many, "zero_report": many == 20}) for n, many in enumerate(addresses)]
    ratios = ClassRatios("credit", RATIOS.ppm, unclassed=1)
    strata, sorter = placed(entities, grades, [CROWDED, ZERO], ratios)
    assert sorted(strata) == sorted(code for code, _ in entities)
    for code, attributes in entities:
        got = 1_000_000 if listed_by([CROWDED, ZERO], attributes) else sorter.quota()[strata[code]]["ppm"]
        assert got >= ratios.ppm.get(grades.get(code, ""), 1) and (attributes["same_address"] < 10 or got >= 100_000)
        assert bool(listed_by([CROWDED, ZERO], attributes)) == attributes["zero_report"]

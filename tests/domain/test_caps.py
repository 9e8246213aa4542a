"""Caps, pauses and the list of those left in peace: what is let through, what is refused, and why."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.caps import (
    REASONS,
    Cap,
    Event,
    Pause,
    Peace,
    Rules,
    add_months,
    dispatch,
    find_refusal,
    find_refusals,
)

DAY = date(2026, 6, 10)
YEARLY = Cap("bureau_year", "每年不超过 2 次", "bureau", 2)


def check(on=DAY, item="food_sales.daily", bureau="350582", level="county", **more):
    return Event(on, item, item.split(".")[0], bureau, level, **more)


def refusal(cap, history, event, **more):
    return find_refusal(Rules(caps=(cap,)), history, event, **more)


def test_a_cap_is_reached_and_the_refusal_says_by_what_and_what_would_exempt():
    found = refusal(YEARLY, [check(date(2026, 3, 4)), check(date(2026, 5, 6))], check())
    assert found.rule == "bureau_year"
    assert found.sentence == "同一单位2026 年内入企检查已有 2 次（2026-03-04、2026-05-06），已达“每年不超过 2 次”的上限 2 次。"
    assert found.exempt == tuple(REASONS) and "投诉举报（含12345转办）" in found.remedy
    assert refusal(YEARLY, [check(date(2026, 3, 4))], check()) is None


def test_another_bureau_and_last_year_do_not_count():
    history = [check(date(2025, 12, 31)), check(bureau="350583"), check(date(2026, 1, 1))]
    assert refusal(YEARLY, history, check()) is None


def test_checks_of_one_visit_are_one_disturbance():
    history = [check(date(2026, 3, 4), visit="V1"), check(date(2026, 3, 4), item="registration.name", visit="V1"), check(visit="V2")]
    assert refusal(YEARLY, history, check(item="registration.term", visit="V2")) is None
    assert refusal(YEARLY, history, check(visit="V3")).rule == "bureau_year"


def test_a_check_without_a_visits_name_is_a_visit_of_its_own():
    assert refusal(YEARLY, [check(), check()], check()) is not None


def test_an_exempting_reason_lets_through_and_is_not_counted():
    complaints = [check(reason="complaint")] * 3
    assert refusal(YEARLY, complaints, check()) is None
    assert refusal(YEARLY, [check(), check(), *complaints], check(reason="recheck")) is None
    strict = replace(YEARLY, exempt=("complaint",))
    assert refusal(strict, [check(), check()], check(reason="recheck")).exempt == ("complaint",)
    assert refusal(replace(YEARLY, exempt=()), [check(), check()], check(reason="complaint")).remedy == "没有可以例外的情形。"


def test_only_what_is_done_on_site_counts_unless_the_cap_says_otherwise():
    papers = [check(on_site=False), check(on_site=False)]
    assert refusal(YEARLY, papers, check()) is None
    assert refusal(YEARLY, [check(), check()], check(on_site=False)) is None
    assert refusal(replace(YEARLY, on_site=False), papers, check()) is not None


def test_draws_are_counted_by_task_of_a_round():
    cap = Cap("drawn", "每年被抽中不超过 1 次", "all", 1, counts="draws")
    assert refusal(cap, [check(visit="V1", pick="R1/T1")], check(visit="V1", pick="R1/T2")) is not None
    assert refusal(cap, [check(visit="V1")], check(visit="V2", pick="R1/T2")) is None


def test_levels_count_each_for_itself_or_together():
    each = Cap("level", "各级每年不超过 2 次", "level", 2)
    both = Cap("levels", "市县合计每年不超过 3 次", "level", 3, of=("city", "county"))
    history = [check(level="city"), check(level="city"), check(level="province")]
    assert refusal(each, history, check(level="county")) is None
    assert refusal(each, history, check(level="city")) is not None
    assert refusal(both, history, check(level="county")) is None
    found = refusal(both, [*history, check(level="county")], check(level="county"))
    assert found.sentence.startswith("市级、县级2026 年内入企检查已有 3 次")
    assert refusal(both, [*history, check(level="county")], check(level="province")) is None


@pytest.mark.parametrize("scope, same, other", [
    ("item", check(), check(item="food_sales.storage")),
    ("sector", check(item="food_sales.storage"), check(item="registration.name")),
    ("bureau", check(item="registration.name"), check(bureau="350500")),
    ("level", check(bureau="350583"), check(level="city")),
    ("all", check(level="city", bureau="350500", item="a.b"), None),
])  # fmt: skip
def test_a_scope_counts_its_own_and_nothing_else(scope, same, other):
    cap = Cap("one", "一次", scope, 1)
    assert refusal(cap, [same], check()) is not None
    assert other is None or refusal(cap, [other], check()) is None


def test_months_roll_and_end_on_the_same_day_of_the_month():
    cap = Cap("half", "6 个月内不超过 1 次", "item", 1, window="months", n=6)
    assert refusal(cap, [check(date(2025, 12, 11))], check()) is not None
    assert refusal(cap, [check(date(2025, 12, 10))], check()) is None


def test_a_planned_visit_of_a_later_day_counts_too():
    cap = Cap("half", "6 个月内不超过 1 次", "item", 1, window="months", n=6)
    assert refusal(cap, [check(date(2026, 9, 1))], check()) is not None
    assert refusal(cap, [check(date(2026, 12, 10))], check()) is None


def test_once_in_two_years_means_any_two_calendar_years_in_a_row():
    cap = Cap("two", "两年内不超过 1 次", "item", 1, window="years", n=2)
    assert refusal(cap, [check(date(2025, 1, 1))], check()) is not None
    assert refusal(cap, [check(date(2027, 12, 31))], check()) is not None
    assert refusal(cap, [check(date(2024, 12, 31)), check(date(2028, 1, 1))], check()) is None


def test_a_licence_is_a_window_and_an_unknown_one_is_all_of_history():
    cap = Cap("licence", "许可证有效期内不超过 1 次", "item", 1, window="licence")
    validity = (date(2025, 1, 1), date(2029, 12, 31))
    assert refusal(cap, [check(date(2024, 12, 31))], check(), licence=validity) is None
    assert refusal(cap, [check(date(2025, 1, 1))], check(), licence=validity) is not None
    assert "许可证有效期不明" in refusal(cap, [check(date(2004, 1, 1))], check()).sentence


UPPER = Rules(pauses=(Pause("upper", "上级已查", "upper", 3),))


def test_after_an_upper_level_the_same_item_rests_three_months():
    city = check(date(2026, 4, 1), level="city", bureau="350500")
    found = find_refusal(UPPER, [city], check())
    assert found.sentence == "市级已于 2026-04-01 检查过同一事项，3 个月内下级原则上不再重复检查。"
    assert find_refusal(UPPER, [city], check(date(2026, 7, 1))) is None
    assert find_refusal(UPPER, [city], check(item="food_sales.storage")) is None
    assert find_refusal(UPPER, [city], check(reason="monitoring")) is None
    assert find_refusal(UPPER, [check(date(2026, 4, 1))], check(level="city")) is None
    joint = replace(city, on=DAY, visit="V1")
    assert find_refusal(UPPER, [joint], check(visit="V1")) is None


def test_a_check_after_licensing_cancels_the_years_routine_in_its_sector():
    rules = Rules(pauses=(Pause("post", "证后已查", "post_licence", 0),))
    after = check(date(2026, 2, 1), item="special_equipment.licence", post_licence=True)
    routine = check(item="special_equipment.use")
    assert find_refusal(rules, [after], routine).sentence == "已于 2026-02-01 实施证后监督检查，当年不再安排常规监督检查。"
    assert find_refusal(rules, [after], replace(routine, on=date(2027, 1, 1))) is None
    assert find_refusal(rules, [after], replace(routine, post_licence=True)) is None
    assert find_refusal(rules, [after], check()) is None


def test_those_left_in_peace_are_checked_only_for_a_reason():
    peace = [Peace(date(2026, 1, 1), date(2026, 12, 31), ("food_sales",))]
    assert find_refusal(Rules(), [], check(), peace=peace).rule == "peace"
    assert find_refusal(Rules(), [], check(reason="complaint"), peace=peace) is None
    assert find_refusal(Rules(), [], check(item="registration.name"), peace=peace) is None
    assert find_refusal(Rules(), [], check(date(2027, 1, 1)), peace=peace) is None
    assert find_refusal(Rules(peace_exempt=("assigned",)), [], check(reason="complaint"), peace=peace) is not None


def test_a_batch_refuses_the_same_codes_as_one_by_one():
    histories = {"A": [check(visit="V1"), check(visit="V2")], "B": [check()], "D": [check(visit="V3"), check(visit="V4")]}
    rules = Rules(caps=(YEARLY,))
    found = find_refusals(
        rules, "ABCDE", histories, check(), joins={"D": "V4"}, peace={"E": [Peace(date(2026, 1, 1))]}
    )
    assert {code: refused.rule for code, refused in found.items()} == {"A": "bureau_year", "E": "peace"}


def test_what_is_dispatched_counts_for_what_comes_after():
    rules = Rules(caps=(YEARLY,))
    wanted = [("A", check(visit="V1")), ("A", check(visit="V2")), ("A", check(visit="V3")), ("A", check(item="x.y", visit="V2")), ("B", check())]
    admitted, refused = dispatch(rules, {"B": [check(visit="V0")]}, wanted)
    assert [event.visit for _, event in admitted] == ["V1", "V2", "V2", ""]
    assert [(code, event.visit, why.rule) for code, event, why in refused] == [("A", "V3", "bureau_year")]


@given(st.dates(date(2019, 1, 1), date(2032, 1, 1)), st.integers(0, 60))
def test_months_are_added_as_people_count_them(day, months):
    then = add_months(day, months)
    assert (then.year * 12 + then.month) - (day.year * 12 + day.month) == months
    assert then.day == day.day or then.day < day.day and (then + timedelta(1)).day == 1

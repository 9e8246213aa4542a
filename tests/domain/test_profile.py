"""The jurisdiction profile: what it says for a region and a day, and what it refuses, by path."""

from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest

from portal.domain.bundle import canonical
from portal.domain.risk import ClassRatios
from portal.domain.errors import BadInput
from portal.domain.profile import line_of_region, missing_floors, parse_profile, read_profile, shown_ratio
from portal.domain.sample_people import sample_bureau
from portal.domain.sample_profile import sample_profile

FOLDER = Path(__file__).with_name("profiles")
FUJIAN = parse_profile((FOLDER / "fujian_2022.json").read_bytes())
JINJIANG = parse_profile((FOLDER / "jinjiang_2024.json").read_bytes())
IN_2022, IN_2024, IN_2026 = date(2022, 6, 1), date(2024, 6, 1), date(2026, 6, 1)


@pytest.mark.parametrize("region, ppm", [
    ("350582", 35_000), ("350100", 35_000), ("350128", 40_000), ("350802", 40_000), ("350700", 40_000), ("350902", 40_000),
])  # fmt: skip
def test_fujian_2022_has_a_floor_for_each_region(region, ppm):
    assert FUJIAN.floor_for(region, "企业", IN_2022).value.ppm == ppm


def test_what_a_profile_does_not_say_is_none():
    assert FUJIAN.floor_for("350582", "个体工商户", IN_2022) is None
    assert FUJIAN.floor_for("350582", "企业", date(2021, 12, 31)) is None
    assert FUJIAN.due_for("350582", 2023) is None and FUJIAN.publication_days(date(2000, 1, 1)) is None
    assert FUJIAN.class_ratios_for("registration.name", IN_2022) is None and FUJIAN.scale("credit", date(2000, 1, 1)) is None


def test_the_two_notices_years_have_their_own_targets_and_dates():
    assert FUJIAN.differentiated_for("350582", IN_2022).value.ppm == 1_000_000
    assert FUJIAN.due_for("350582", 2022).finish == date(2022, 10, 31)
    assert JINJIANG.differentiated_for("350582", IN_2024).value.ppm == 850_000
    assert JINJIANG.due_for("350582", 2024).finish == JINJIANG.due_for("350582", 2024).publish == date(2024, 11, 20)
    assert JINJIANG.floor_for("350582", "企业", IN_2024).value.ppm == 35_000


def test_the_sample_profile_is_sound_and_survives_its_bytes():
    value = sample_profile()
    assert parse_profile(canonical(value)) == read_profile(value)
    profile = read_profile(value)
    region = sample_bureau(1).region
    assert profile.floor_for(region, "企业", IN_2026).value.ppm == 35_000
    assert profile.publication_days(IN_2026) == 20
    assert [cap.code for cap in profile.rules_on(IN_2026).caps] == ["item_year", "bureau_year", "all_year"]
    assert profile.rules_on(date(2025, 1, 1)).caps == ()
    assert [rule.name for rule in profile.attribute_rules_on(IN_2026)] == ["年报全零"]


def test_the_ratios_of_an_item_go_before_its_sectors_and_those_before_everybodys():
    value = sample_profile()
    own = deepcopy(value["class_ratios"][0])
    own["items"], own["ppm"]["D"] = ["food_sales"], 500_000
    very = deepcopy(own)
    very["items"], very["ppm"]["D"] = ["food_sales.daily"], 600_000
    value["class_ratios"] += [own, very]
    profile = read_profile(value)
    found = [profile.class_ratios_for(item, IN_2026).ppm["D"] for item in ("registration.name", "food_sales.storage", "food_sales.daily")]
    assert found == [300_000, 500_000, 600_000]
    assert isinstance(profile.class_ratios_for("a.b", IN_2026), ClassRatios)


def test_a_county_below_its_province_is_an_error_that_says_so():
    value = sample_profile()
    county = {**value["floors"][0], "region": sample_bureau(1).region, "ppm": 30_000}
    value["floors"].append(county)
    with pytest.raises(BadInput) as refused:
        read_profile(value)
    assert refused.value.message == (
        f"floors[2].ppm：{county['region']} 的比例 3% 低于 {value['floors'][0]['region']} 规定的 3.5%（示例数据），"
        "下级不得低于上级。请改为不低于 3.5%。"
    )
    county["ppm"] = 36_000
    assert read_profile(value).floor_for(county["region"], "企业", IN_2026).value.ppm == 36_000


def test_groups_without_a_floor_are_named():
    groups = [("350802", "企业"), ("350582", "个体工商户")]
    assert missing_floors(FUJIAN, groups, IN_2022) == ["没有 350582 个体工商户 2022 年的抽查比例下限。请在辖区规则（floors）中补上。"]
    assert len(missing_floors(FUJIAN, groups, IN_2024)) == 2


def test_ratios_by_class_may_not_outlive_their_scale():
    value = sample_profile()
    value["scales"][0]["to"] = "2026-12-31"
    with pytest.raises(BadInput, match=r"class_ratios\[0\].scale“credit”的分类体系（scales）比这些比例先失效"):
        read_profile(value)


def test_a_region_code_that_changed_uses_its_successor():
    value = sample_profile()
    new = value["region"]
    value["successions"] = [
        {"old": "359901", "new": "359902", "on": "2020-01-01", "source": "区划调整"},
        {"old": "359902", "new": new, "on": "2025-12-01", "source": "区划调整"},
    ]
    profile = read_profile(value)
    assert profile.current_region("359901", IN_2026) == new
    assert profile.current_region("359901", date(2024, 1, 1)) == "359902"
    assert profile.due_for("359901", 2026).finish == date(2026, 11, 20)
    value["successions"].append({"old": new, "new": "359901", "on": "2026-01-01", "source": "区划调整"})
    with pytest.raises(BadInput, match="绕回了自己"):
        read_profile(value)


@pytest.mark.parametrize("path, wrong, says", [
    (("floors", 0, "ppm"), 1_000_001, "floors\\[0\\].ppm 是百万分比"),
    (("floors", 0, "ppm"), True, "floors\\[0\\].ppm 应是 0 以上的整数"),
    (("floors", 0, "region"), "35", "floors\\[0\\].region 应是六位行政区划代码"),
    (("floors", 0, "from"), "2026-02-30", "floors\\[0\\].from 应是形如"),
    (("floors", 0, "to"), "2025-12-31", "floors\\[0\\].to 2025-12-31 早于"),
    (("floors", 0, "source"), "", "floors\\[0\\].source"),
    (("floors", 0, "more"), 1, "floors\\[0\\] 多出“more”"),
    (("floors",), {}, "floors 应为列表"),
    (("caps", 1, "scope"), "town", "caps\\[1\\].scope“town”不认识"),
    (("caps", 1, "most"), 0, "caps\\[1\\].most 写的是 0，至少是 1"),
    (("caps", 1, "on_site"), 1, "caps\\[1\\].on_site 应是 true 或 false"),
    (("caps", 1, "exempt"), ["holiday"], "caps\\[1\\].exempt\\[0\\]“holiday”不认识"),
    (("caps", 1, "code"), "item_year", "caps\\[1\\] 与 caps\\[0\\] 代码同为"),
    (("scales", 0, "grades"), [["A"]], "scales\\[0\\].grades 应从低风险到高风险"),
    (("class_ratios", 0, "scale"), "stars", "class_ratios\\[0\\].scale“stars”"),
    (("class_ratios", 0, "ppm", "D"), 20_000, "class_ratios\\[0\\]：.*风险越高"),
    (("class_ratios", 0, "frequency", "A"), {"times": 1}, "class_ratios\\[0\\].frequency.A 缺少“years”"),
    (("due", 0, "year"), 2025, "due\\[0\\].finish 2026-11-20 不在 2025 年"),
    (("spec",), "profile/2", "spec“profile/2”不认识"),
    (("extra",), 1, "辖区规则 多出“extra”"),
])  # fmt: skip
def test_what_is_wrong_is_refused_by_its_path(path, wrong, says):
    value = sample_profile()
    place = value
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong
    with pytest.raises(BadInput, match=says):
        read_profile(value)


def test_two_floors_for_one_region_and_time_are_refused_and_one_after_the_other_is_not():
    value = sample_profile()
    again = {**value["floors"][0], "ppm": 40_000, "from": "2027-01-01"}
    value["floors"].append(again)
    with pytest.raises(BadInput, match="只能有一个"):
        read_profile(value)
    value["floors"][0]["to"] = "2026-12-31"
    profile = read_profile(value)
    assert profile.floor_for(value["region"], "企业", date(2027, 1, 1)).value.ppm == 40_000


def test_bytes_that_are_not_canonical_are_refused():
    with pytest.raises(BadInput, match="不是规范 JSON"):
        parse_profile(canonical(sample_profile()) + b"\n")


def test_small_words():
    assert line_of_region("350582") == ("350582", "350500", "350000") and line_of_region("350000") == ("350000",)
    assert [shown_ratio(ppm) for ppm in (35_000, 1_000_000, 350, 0)] == ["3.5%", "100%", "0.035%", "0%"]

"""Which station an address belongs to: towns, villages, old names, what is not ours, what is not clear."""

import csv
import gzip
from collections import Counter

import pytest

from bench.station_addresses import compare, read_companies, read_table
from portal.domain.coverage import Coverage, bare_street, make_table, plain_village
from portal.domain.errors import BadInput
from portal.domain.stations import find_station
from tests.shared import SHARED, shared_file

STREETS = [
    ("350582001", "青阳街道"), ("350582002", "梅岭街道"), ("350582101", "安海镇"), ("350582103", "陈埭镇"), ("350582109", "内坑镇"),
    ("350582110", "龙湖镇"), ("350582400", "安平开发区"), ("350582401", "晋江市经济开发区"),
]  # fmt: skip
VILLAGES = [
    ("曾井社区居委会", "350582001"), ("陈村社区居委会", "350582001"), ("梅山社区居委会", "350582002"), ("安平社区居委会", "350582101"),
    ("后林村委会", "350582101"), ("桥头村委会", "350582101"), ("梧埭村委会", "350582101"), ("梧埭村委会", "350582103"),
    ("岸兜回族村委会", "350582103"), ("霞村村委会", "350582103"), ("内坑村委会", "350582110"), ("新街村委会", "350582110"),
    ("第一社区居委会", "350582110"), ("开发区虚拟社区", "350582401"),
]  # fmt: skip
ONE_EACH = [Coverage(f"{bare_street(name)}所", code) for code, name in STREETS]
TABLE = make_table("350582", STREETS, VILLAGES, ONE_EACH)


def found(address, name="", table=TABLE):
    match = find_station(table, address, name)
    assert match.why.endswith("。")
    assert bool(match.station) == (match.confidence in ("sure", "likely"))
    return match.station, match.confidence


def test_suffixes_are_taken_off_names():
    assert [bare_street(name) for name in ("陈埭镇", "青阳街道", "安平开发区", "四镇", "高乡")] == ["陈埭", "青阳", "安平开发区", "四镇", "高乡"]
    names = ("岸兜回族村委会", "青新社区居委会", "霞村村委会", "陈村社区居委会", "第一社区居委会", "开发区虚拟社区")
    assert [plain_village(name) for name in names] == ["岸兜", "青新", "霞村", "陈村", "第一", "开发区"]


@pytest.mark.parametrize("address", [
    "福建省泉州市晋江市陈埭镇岸兜村1号", "晋江市陈埭镇", "晋江陈埭岸兜", "陈埭霞村", "福建晋江市 陈埭 镇", "晋江县陈埭镇", "晋江（陈埭镇）",
    "工业路12号（陈埭镇）", "晋江市陈埭梧埭",
])  # fmt: skip
def test_a_town_written_out_or_without_its_suffix_is_sure(address):
    assert found(address) == ("陈埭所", "sure")


@pytest.mark.parametrize("address, station", [
    ("晋江市青阳泉安中路", "青阳所"), ("晋江市青阳镇曾井", "青阳所"), ("晋江市陈埭乡岸兜", "陈埭所"), ("陈埭公社", "陈埭所"), ("青阳", "青阳所"),
    ("晋江市青阳镇梅山工业区", "梅岭所"),  # 青阳镇 became several streets: the village tells which
])  # fmt: skip
def test_a_street_by_an_old_name_is_likely_and_its_village_decides(address, station):
    assert found(address) == (station, "likely")


@pytest.mark.parametrize("address, name", [("晋江市青阳镇泉安路", ""), ("青阳镇", ""), ("青阳公社", ""), ("和平路1号", "晋江市青阳镇兴达鞋厂")])
def test_a_town_that_became_streets_is_for_a_person_unless_a_village_or_the_coverage_tells(address, name):
    match = find_station(TABLE, address, name)
    assert (match.station, match.confidence, match.candidates) == ("", "ambiguous", ("青阳所",))
    assert "可能分成了几个街道，青阳街道是其中之一" in match.why
    told = make_table("350582", STREETS, VILLAGES, [Coverage("青阳所", "青阳街道", old_names=("青阳镇", "青阳公社"))])
    assert found(address, name, told) == ("青阳所", "likely")


@pytest.mark.parametrize("address, station", [
    ("晋江市岸兜村南路1号", "陈埭所"), ("晋江市岸兜工业区", "陈埭所"), ("晋江市陈村社区", "青阳所"), ("工业路（曾井社区）", "青阳所"),
    ("晋江市霞村村委会旁", "陈埭所"), ("晋江市第一社区", "龙湖所"),
])  # fmt: skip
def test_a_village_that_only_one_town_has_is_likely(address, station):
    assert found(address) == (station, "likely")


def test_a_village_of_several_towns_is_ambiguous_unless_the_companys_name_tells():
    match = find_station(TABLE, "梧埭工业区1号")
    assert (match.station, match.confidence, match.candidates) == ("", "ambiguous", ("安海所", "陈埭所"))
    assert "安海镇、陈埭镇都有“梧埭”" in match.why
    assert found("梧埭工业区1号", "晋江市陈埭协昌鞋业有限公司") == ("陈埭所", "likely")
    assert found("内坑村3号") == ("龙湖所", "likely") and found("晋江内坑后坑") == ("内坑所", "sure")


@pytest.mark.parametrize("address, sure", [
    ("晋江市安海桥头工业区", "安海所"),  # 安海桥 would be a bridge, 安海桥头 is a village
    ("安海镇安平开发区14区", "安平开发区所"), ("泉州市安平工业综合开发区", "安平开发区所"), ("晋江经济开发区（五里园）", "晋江市经济开发区所"),
    ("福建省泉州市晋江市经济开发区", "晋江市经济开发区所"), ("安海安平社区", "安海所"),
])  # fmt: skip
def test_zones_and_villages_of_the_same_name_are_told_apart(address, sure):
    assert find_station(TABLE, address).station == sure


@pytest.mark.parametrize("address", [
    "晋江市和平中路3号", "晋江市五里工业园区", "晋江市安海路12号", "晋江市龙湖大酒店", "晋江市新街1号", "晋江", "晋江市", "晋江市大后林村",
    "晋江市开发区", "晋江市第一大道", "新安平小区", "", "   ",
])  # fmt: skip
def test_roads_buildings_common_words_and_the_countys_own_name_are_no_place(address):
    assert found(address) == ("", "none")


@pytest.mark.parametrize("address, where", [
    ("福建省泉州市南安市官桥镇", "南安市"), ("泉州市丰泽区东海街道岸兜", "丰泽区"), ("厦门市思明区", "厦门市"), ("浙江省义乌市", "浙江省"), ("广州市天河区", "广州市"),
])  # fmt: skip
def test_an_address_in_another_county_is_said_to_be_there(address, where):
    match = find_station(TABLE, address, "晋江市陈埭制鞋厂")
    assert match.confidence == "none" and f"地址在{where}，不在本局辖区" in match.why


def test_the_companys_name_helps_only_behind_the_countys():
    assert found("和平路1号", "福建省晋江市陈埭镇兴达鞋厂") == ("陈埭所", "likely")
    assert found("", "晋江市安海制鞋厂") == ("安海所", "likely")
    assert found("和平路1号", "陈埭记小吃店") == ("", "none")


def test_two_towns_in_one_address_are_for_a_person():
    match = find_station(TABLE, "晋江市经济开发区（安东园）怀仁路9号（陈埭镇）")
    assert (match.station, match.confidence) == ("", "ambiguous") and set(match.candidates) == {"晋江市经济开发区所", "陈埭所"}


def test_a_village_that_the_table_has_elsewhere_makes_a_named_town_only_likely():
    match = find_station(TABLE, "晋江市安海镇岸兜村")
    assert (match.station, match.confidence) == ("安海所", "likely") and "另有陈埭镇的“岸兜”" in match.why


def test_stations_may_share_a_town_by_villages():
    table = make_table("350582", STREETS, VILLAGES, [
        Coverage("一所", "陈埭镇", ("岸兜回族村委会", "霞村")), Coverage("二所", "350582103"), Coverage("三所", "安海", ("后林",)), Coverage("四所", "安海", ("桥头",)),
    ])  # fmt: skip
    assert found("陈埭镇岸兜", table=table) == ("一所", "sure") and found("陈埭霞村", table=table) == ("一所", "sure")
    assert found("陈埭镇梧埭", table=table) == ("二所", "sure")
    assert found("陈埭镇前路", table=table) == ("二所", "sure")
    assert found("安海桥头", table=table) == ("四所", "sure")
    match = find_station(table, "安海镇八一路")
    assert (match.confidence, match.candidates) == ("ambiguous", ("三所", "四所"))
    uncovered = find_station(table, "内坑镇")
    assert uncovered.confidence == "none" and "内坑镇没有划给任何所" in uncovered.why


def test_an_old_name_listed_for_several_streets_needs_a_village():
    coverage = [Coverage("青阳所", "青阳街道", old_names=("青阳镇",)), Coverage("梅岭所", "梅岭街道", old_names=("青阳镇",))]
    table = make_table("350582", STREETS, VILLAGES, coverage)
    match = find_station(table, "晋江市青阳镇泉安路")
    assert (match.confidence, set(match.candidates)) == ("ambiguous", {"青阳所", "梅岭所"})
    assert found("晋江市青阳镇曾井", table=table) == ("青阳所", "likely") and found("青阳梅山", table=table) == ("梅岭所", "likely")
    assert found("青阳街道泉安路", table=table) == ("青阳所", "sure")


def test_what_the_divisions_do_not_have_is_refused_by_name():
    with pytest.raises(BadInput) as refusal:
        make_table("350582", STREETS, VILLAGES, [Coverage("甲所", "天堂镇"), Coverage("乙所", "陈埭镇", ("桃源村",))])
    assert [str(problem) for problem in refusal.value.problems] == [
        "“辖区镇街”：甲所：区划表中没有“天堂镇”。请写全称，或先导入区划。", "“辖区村居”：乙所：陈埭镇没有“桃源村”。请核对名称，或先导入村居。"]


def test_a_county_that_no_table_has_goes_by_the_name_given():
    table = make_table("359921", [("359921100", "城关镇"), ("359921101", "清桥镇")], [], [Coverage("城关所", "城关镇"), Coverage("清桥所", "清桥镇")], "望溪县")
    assert found("望溪县清桥镇南路", table=table) == ("清桥所", "sure") and found("望溪清桥", table=table) == ("清桥所", "sure")


@pytest.mark.shared
def test_4110_jinjiang_companies_find_their_station_and_towns_agree_with_villages():
    shared_file("divisions/villages_jinjiang.csv")
    table, companies = read_table(SHARED, "350582"), read_companies(SHARED, "350582")
    counts = Counter(find_station(table, address, name).confidence for address, name in companies)
    assert len(companies) == 4_110
    assert counts["sure"] + counts["likely"] >= 3_875
    assert counts == {"sure": 3_702, "likely": 316, "ambiguous": 7, "none": 85}
    both = [one for address, _ in companies if (one := compare(table, address))]
    assert len(both) > 600 and sum(town != other for town, other in both) <= 5


@pytest.mark.shared
def test_other_counties_of_fujian_find_their_streets_without_a_village_table():
    """Streets alone, names nobody tuned anything to (city districts write roads instead: see the bench)."""
    with gzip.open(shared_file("divisions/streets.csv.gz"), "rt", encoding="utf-8") as stream:
        rows = [(row["code"], row["name"], row["areaCode"]) for row in csv.DictReader(stream)]
    for region in ("350583", "350581", "350524", "350181"):
        streets = [(code, name) for code, name, area in rows if area == region]
        table = make_table(region, streets, [], [Coverage(name, code) for code, name in streets])
        matches = [find_station(table, address, name) for address, name in read_companies(SHARED, region)]
        placed = sum(match.station != "" for match in matches)
        assert placed > len(matches) / 2, (region, placed, len(matches))

"""Regions: names, validity, successors, and tables that are what their sources give."""

import csv
import gzip
from collections import Counter
from datetime import date

import pytest

from bench import make_tables
from portal.domain.codes import clean_code, region_of
from portal.domain.regions import check_region, full_name, region_of_code, region_on, successor, table
from tests.shared import SHARED, shared_file


def test_a_code_in_force_has_its_name_and_is_its_own_successor():
    assert full_name("350582") == "福建省泉州市晋江市"
    assert (full_name("350000"), full_name("350500"), full_name("110105")) == ("福建省", "福建省泉州市", "北京市朝阳区")
    assert successor("350582") == "350582" and check_region("350582") == ""


def test_a_code_given_up_stays_known_with_its_time_and_what_became_of_it():
    old = region_of_code("350182")
    assert (old.name, old.gone) == ("长乐市", "201710")
    assert region_on("350182", date(2010, 1, 1)) == old
    assert region_on("350182", date(2017, 9, 30)) == old and region_on("350182", date(2017, 10, 1)) is None
    assert region_on("350112", date(2017, 9, 30)) is None and region_on("350112", date(2020, 1, 1)).name == "长乐区"
    assert full_name(successor("350182")) == "福建省福州市长乐区"
    assert check_region("350182") == ""


@pytest.mark.parametrize("code, today", [
    ("320103", "秦淮区"), ("320202", "梁溪区"), ("320502", "姑苏区"), ("350402", "三元区"), ("350427", "沙县区"),
    ("320583", "昆山市"), ("510281", "永川区"), ("352101", ""),
])  # fmt: skip
def test_merged_renamed_and_moved_places_lead_to_the_one_of_today(code, today):
    found = successor(code)
    assert (table()[found].name if found else "") == today


def test_every_successor_known_is_a_code_and_no_chain_is_a_circle():
    for code, one in table().items():
        assert bool(one.successor) <= bool(one.gone), code
        assert not one.successor or region_of_code(one.successor), code
        end = successor(code)
        assert end == "" or not region_of_code(end).gone, code


def test_a_citys_own_registrar_and_the_national_one_are_known():
    assert region_of_code("350901").name == "市辖区" and full_name("350901") == "福建省宁德市"
    assert full_name("100000") == "国家"
    assert region_of_code("359901") is None and region_of_code("350001") is None


def test_a_region_of_no_table_is_told_apart_from_a_zone_and_never_said_of_ones_own():
    assert "江苏省南京市的开发区等登记机关自编" in check_region("320191")
    assert "江苏省南京市没有这个县级代码" in check_region("320108")
    assert "不是任何地级代码" in check_region("359921")
    assert check_region("359921", ["359921"]) == "" == check_region("")


@pytest.mark.shared
def test_the_shipped_tables_are_what_the_sources_give():
    for name in ("divisions/areas.csv", "divisions/streets.csv.gz", "industry/gbt4754_2017.csv"):
        shared_file(name)
    for path, text in make_tables.make(SHARED).items():
        assert make_tables.read_made(path) == text, path.name


@pytest.mark.shared
def test_of_real_companies_only_zones_and_four_older_codes_are_in_no_table():
    with gzip.open(shared_file("enterprises/fujian_1978_2004.csv.gz"), "rt", encoding="utf-8") as f:
        fujian = Counter(region_of(row["uscc"]) for row in csv.DictReader(f))
    assert [code for code in fujian if check_region(code)] == []
    assert sum(n for code, n in fujian.items() if region_of_code(code).gone) == 2_613 + 1
    with open(shared_file("enterprises/invalid_codes.csv"), encoding="utf-8") as f:
        others = {region_of(clean_code(row["raw_code"])) for row in csv.DictReader(f)} - {""}
    unknown = {code for code in others if check_region(code)}
    assert {code for code in unknown if "自编" not in check_region(code)} == {"320108", "320306", "320407", "320512"}
    assert len(unknown) == 16 and all(code[:2] == "32" for code in unknown)

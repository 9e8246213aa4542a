"""Codes of entities: kinds, both check digits, cleaning."""

import csv
import gzip

import pytest

from portal.domain.codes import (
    ALPHABET, check_code, clean_code, kind_of_code, legacy_check_digit, make_legacy, make_uscc,
    region_of, type_of_code, uscc_check,
)
from portal.domain.errors import BadInput
from tests.shared import shared_file


def test_a_made_code_passes_both_check_digits():
    code = make_uscc("9", "1", "359921", "MA000001")
    assert len(code) == 18
    assert check_code(code).ok
    assert kind_of_code(code) == "uscc"


def test_every_single_changed_character_of_a_code_is_noticed():
    code = make_uscc("9", "1", "359921", "MA3K7X2U")
    for place in range(18):
        for other in ALPHABET:
            if other != code[place]:
                assert not check_code(code[:place] + other + code[place + 1:]).ok, (place, other)


def test_a_wrong_inner_organisation_code_is_named_apart_from_the_last_digit():
    code = make_uscc("9", "1", "359921", "MA000001")
    inner = code[:16] + ("1" if code[16] != "1" else "2")
    assert "第 9 至 17 位" in check_code(inner + uscc_check(inner)).message
    last = code[:17] + ("A" if code[17] != "A" else "B")
    assert "第 18 位" in check_code(last).message


def test_legacy_numbers_of_15_digits_follow_mod_11_10():
    assert legacy_check_digit("11010800000001") == "6"  # the worked example of GS 15-2006
    number = make_legacy("359921", 60000017)
    assert check_code(number).ok
    wrong = number[:14] + str((int(number[14]) + 1) % 10)
    verdict = check_code(wrong)
    assert (verdict.kind, verdict.ok) == ("legacy15", False)
    assert "第 15 位" in verdict.message


def test_numbers_of_13_digits_have_nothing_to_check():
    verdict = check_code("3599212100123")
    assert (verdict.kind, verdict.ok, verdict.message) == ("legacy13", True, "")


@pytest.mark.parametrize("code, part", [
    ("91359921MA00000I1X", "I"),
    ("91359921MA0000010", "17 位"),
    ("35992160000001A", "只能由数字组成"),
    ("食堂", "不是统一社会信用代码"),
])
def test_an_unknown_code_says_what_is_off(code, part):
    verdict = check_code(code)
    assert (verdict.kind, verdict.ok) == ("unknown", False)
    assert part in verdict.message


@pytest.mark.parametrize("raw, clean", [
    (" 91359921 ma00 0001 ", "91359921MA000001"),
    ("９１３５ｍａ", "9135MA"),
    ("\ufeff9135\u3000\u200b21", "913521"),
    (359921600000017, "359921600000017"),
])
def test_cleaning_takes_blanks_full_width_and_lower_case(raw, clean):
    assert clean_code(raw) == clean


def test_a_site_has_its_holders_kind_region_and_type():
    code = make_uscc("9", "2", "359921", "MA000002")
    assert kind_of_code(code + "#3") == "uscc"
    assert check_code(code + "#3").ok
    assert region_of(code + "#3") == "359921"
    assert type_of_code(code + "#3") == "个体工商户"


def test_codes_speak_of_entity_types():
    assert type_of_code(make_uscc("9", "3", "359921", "MA000003")) == "农民专业合作社"
    assert type_of_code(make_legacy("359921", 10000001)) == "企业"
    assert type_of_code(make_legacy("359921", 60000001)) == "个体工商户"
    assert type_of_code("LIFT-1") == ""


def test_parts_that_make_no_code_are_refused_by_name():
    with pytest.raises(BadInput) as refusal:
        make_uscc("9", "1", "35992I", "MA000001")
    assert "35992I" in str(refusal.value.problems[0])
    with pytest.raises(BadInput):
        make_legacy("35992", 1)


def test_real_companies_all_pass_and_collected_bad_codes_all_fail():
    with gzip.open(shared_file("enterprises/fujian_1978_2004.csv.gz"), "rt", encoding="utf-8") as f:
        codes = [row["uscc"] for row in csv.DictReader(f)]
    assert len(codes) == 55_486
    assert all(check_code(code).ok for code in codes)
    with open(shared_file("enterprises/invalid_codes.csv"), encoding="utf-8") as f:
        bad = [row["raw_code"] for row in csv.DictReader(f)]
    assert len(bad) == 4_980
    assert [code for code in bad if kind_of_code(code) == "uscc" and check_code(code).ok] == []
    # 207 of them were only spelt in lower case or with blanks: cleaning rescues those
    assert sum(check_code(clean_code(code)).kind == "uscc" and check_code(clean_code(code)).ok for code in bad) == 207

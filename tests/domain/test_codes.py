"""Codes of entities: kinds, both check digits, cleaning."""

import csv
import gzip
import re
from collections import Counter

import pytest

from portal.domain.codes import (
    ALPHABET, REASONS, check_code, clean_code, kind_of_code, legacy_check_digit, likely_code, make_legacy, make_uscc,
    organisation_check, region_of, type_of_code, uscc_check,
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


@pytest.mark.parametrize("code, reason, part", [
    ("91359921MA00000O1X", "character", "第 16 位“O”（可能是“0”）"),
    ("9I359921MA000S1X9Z", "character", "第 2 位“I”（可能是“1”）、第 14 位“S”（可能是“5”）、第 18 位“Z”（可能是“2”）"),
    ("35992160000001A", "character", "第 15 位“A”不是注册号使用的字符"),
    ("91359921MA0000010", "length", "有 17 位：统一社会信用代码应为 18 位（少 1 位）"),
    ("91359921MA00000101XX", "length", "（多 2 位）"),
    ("13830295-X", "organisation_code", "组织机构代码（9 位）"),
    ("13830295-0", "length", "有 10 位"),
    ("企合苏锡总字第0001", "old_number", "2007 年以前的旧式注册号"),
    ("无", "text", "“无”是文字"),
    ("\ufffd\ufffd路12号", "damaged", "乱码"),
])
def test_what_cannot_be_a_code_says_why_and_where(code, reason, part):
    verdict = check_code(code)
    assert (verdict.kind, verdict.ok, verdict.reason) == ("unknown", False, reason)
    assert reason in REASONS and part in verdict.message and verdict.message.endswith(("。", "？"))


def test_a_misread_or_swapped_character_is_offered_only_when_it_alone_makes_both_checks_right():
    code = make_uscc("9", "1", "350582", "15619502")
    place = code.index("0")
    misread = code[:place] + "O" + code[place + 1:]
    assert likely_code(misread) == code
    assert f"第 {place + 1} 位“O”改为“0”则校验相符" in check_code(misread).message
    swapped = code[:9] + code[10] + code[9] + code[11:]
    assert organisation_check(swapped[8:16]) != swapped[16]
    assert likely_code(swapped) == code and "则校验相符" in check_code(swapped).message
    assert likely_code(code[:17]) == "" and likely_code("食" * 18) == ""
    assert "改为" not in check_code(code[:17] + ("A" if code[17] != "A" else "C")).message


def shape_of(code):
    """What a person sees at a glance, written down apart from the program's own rules."""
    if "\ufffd" in code:
        return "damaged"
    if re.search("[\u4e00-\u9fff]", code):
        return "old_number" if "字第" in code else "text"
    if re.fullmatch("[0-9]{8}-[0-9X]", code):
        return "organisation_code"
    if re.fullmatch("[0-9]{13}|[0-9]{15}", code):
        return "legacy"
    if len(code) == 18:
        return "uscc" if re.fullmatch("[0-9A-HJ-NPQRTUWXY]{18}", code) else "character"
    return "character" if len(code) in (13, 15) else "length"


@pytest.mark.shared
def test_each_of_4980_collected_bad_codes_gets_its_right_reason():
    """`why` is the collector's: len (not 18), char (not of the 31), bad (a check digit), each for the raw text as a USCC."""
    with open(shared_file("enterprises/invalid_codes.csv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == 4_980
    found = Counter()
    for row in rows:
        code = clean_code(row["raw_code"])
        verdict, shape = check_code(code), shape_of(code)
        if shape == "legacy":  # not 18 characters, yet what it is: a registration number in order
            assert row["why"] == "len" and verdict.kind == f"legacy{len(code)}" and verdict.reason in ("", "legacy_check"), row
        elif shape == "uscc" and verdict.ok:  # lower case, which cleaning takes away
            assert row["why"] in ("char", "bad") and row["raw_code"] != code, row
        elif shape == "uscc":
            assert row["why"] in ("bad", "char") and verdict.reason in ("uscc_check", "organisation_check"), row
            assert ("第 18 位" in verdict.message) == (uscc_check(code[:17]) != code[17]), row
            assert ("第 9 至 17 位" in verdict.message) == (organisation_check(code[8:16]) != code[16]), row
        else:
            assert verdict.reason == shape and (row["why"] == "char") == (len(row["raw_code"]) == 18), row
        assert verdict.ok == (verdict.message == "") == (verdict.reason == ""), row
        found[row["why"], verdict.kind if verdict.ok else verdict.reason] += 1
    assert found == {
        ("len", "legacy15"): 3_385, ("len", "legacy13"): 408, ("len", "damaged"): 850, ("len", "old_number"): 17,
        ("len", "text"): 4, ("len", "organisation_code"): 6, ("len", "length"): 1,
        ("char", "uscc"): 187, ("char", "damaged"): 44, ("char", "uscc_check"): 1,
        ("bad", "uscc"): 20, ("bad", "uscc_check"): 52, ("bad", "organisation_check"): 5,
    }


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

"""The made-up county: reproducible, valid in itself, readable by our own importers."""

import time
from collections import Counter
from datetime import date
from hashlib import sha256
from itertools import islice

import pytest

from portal.domain.codes import ID_PATTERN, check_code, region_of
from portal.domain.directory import InspectorRow, may_inspect, parse_entities, parse_inspectors
from portal.domain.forms import check_answers
from portal.domain.model import OUTCOMES, Choice, Field, Form, Problem, Section
from portal.domain.plan import parse_plan
from portal.domain.sample import (
    ATTACHMENTS, SNAPSHOT_ON, SampleVisit, sample_answers, sample_bureau, sample_entities, sample_inspectors, sample_plan,
    sample_plan_rows, sample_recusals,
)
from portal.sheets.read import read_sheet
from portal.sheets.write import write_csv, write_xlsx

ENTITIES = list(sample_entities(6_000, 7))
DAY = date(2026, 7, 1)

FORM = Form("x.form", "1", "某某检查表", (
    Section("甲", (
        Field("reached", "登记的住所", "select_one", required=True,
              choices=(Choice("yes", "能够联系"), Choice("unreachable", "通过登记的住所无法联系"))),
        Field("tried", "联系方式", "select_multiple", required=True, show_if="${reached} = 'unreachable'", constraint="count(.) >= 2",
              message="两种以上", choices=(Choice("visit", "上门"), Choice("phone", "电话"))),
    )),
    Section("乙", (
        Field("licence", "亮照经营", required=True, key=True),
        Field("licence_note", "不合格的事实", "text", required=True, show_if="${licence} = 'no'"),
        Field("year", "设立年份", "integer", required=True, constraint=". >= 1978 and . <= 2026", message="年份不对"),
        Field("goods", "抽查的商品", "repeat", required=True, fields=(
            Field("name", "名称", "text", required=True), Field("sound", "在保质期内", required=True))),
        Field("photo", "照片", "photo", required=True),
        Field("phone", "联系电话", "text", required=True, constraint="regex(., '[0-9-]{7,20}')"),
        Field("sum", "合计", "calculated", value="1 + 1"),
    ), show_if="${reached} = 'yes'"),
    Section("丙", (Field("note", "备注", "note"), Field("signature", "签名", "signature", required=True, most=1))),
))


def visits(count, items=("x.one", "x.two")):
    return [SampleVisit(f"r1_{row.code}", row.code, "t1", "x.form", items, DAY, ("WX0001", "WX0002")) for row in ENTITIES[:count]]


# The register ------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_in_every_version_of_python():
    digest = sha256("\n".join(map(repr, sample_entities(300, "晋"))).encode()).hexdigest()
    again = sha256("\n".join(map(repr, sample_entities(300, "晋"))).encode()).hexdigest()
    other = sha256("\n".join(map(repr, sample_entities(300, "江"))).encode()).hexdigest()
    assert digest == again != other
    pinned = sha256(",".join(row.code + row.name for row in sample_entities(50, 1)).encode()).hexdigest()
    assert pinned == "69d7a5b0cfd07828a2dbe880fa5ef2d31b31c37526e6011d83f433e84f863022"


def test_a_longer_register_begins_with_the_shorter_one_and_is_a_stream():
    assert list(sample_entities(500, 7)) == ENTITIES[:500]
    endless = sample_entities(10**9, 7)
    assert list(islice(endless, 3)) == ENTITIES[:3]


def test_codes_are_unique_and_hold_their_check_digits_and_fictional_region():
    codes = [row.code for row in ENTITIES]
    assert len(set(codes)) == 6_000 == len(codes)
    assert all(check_code(code).ok and ID_PATTERN.fullmatch(code) and region_of(code) == "359921" for code in codes)
    kinds = Counter(check_code(row.code).kind for row in ENTITIES)
    assert kinds["legacy15"] > 150 and kinds["uscc"] > 5_000 and set(kinds) == {"legacy15", "uscc"}


def test_far_numbers_make_no_code_twice():
    from portal.domain.sample_entities import entity_maker
    make = entity_maker(1)
    numbers = [*range(0, 3_000), *range(29_998_000, 30_001_000), *range(887_500_000, 887_503_000)]
    assert len({make(number)[0].code for number in numbers}) == len(numbers)


def test_the_register_has_the_shares_it_should():
    share = {name: Counter(getattr(row, name) for row in ENTITIES) for name in ("status", "risk_class", "type", "kind", "town")}
    per_cent = lambda name, value: 100 * share[name][value] / len(ENTITIES)  # noqa: E731
    assert 90 < per_cent("status", "存续") < 96 and share["status"]["注销"] and share["status"]["吊销"]
    assert [round(per_cent("risk_class", c) / 5) * 5 for c in "ABC"] == [65, 25, 10] and 1 < per_cent("risk_class", "D") < 4
    assert set(share["type"]) == {"企业", "个体工商户", "农民专业合作社"}
    assert 0.4 < per_cent("kind", "site") < 3
    assert len(share["town"]) == 10


def test_every_row_hangs_together():
    towns = {town: station.name for station in sample_bureau().stations for town in station.towns}
    holders = {row.code for row in ENTITIES if row.kind == "entity"}
    for row in ENTITIES:
        assert row.town in row.address and towns[row.town] == row.station
        assert row.registered_on <= SNAPSHOT_ON and row.industries and row.scope
        assert row.holder in holders and (row.kind == "entity") == (row.site == "")
        for licence in row.licences:
            assert row.registered_on.isoformat() <= licence["issued_on"] <= SNAPSHOT_ON.isoformat()
            assert licence["issued_on"] < licence["valid_to"]


def test_the_register_written_out_is_read_back_without_a_warning():
    head = ["统一社会信用代码", "名称", "主体类型", "登记状态", "属地所", "乡镇", "住所", "行业代码", "经营范围", "成立日期", "信用风险等级", "监管标签"]
    rows = [[r.code, r.name, r.type, r.status, r.station, r.town, r.address, "、".join(r.industries), r.scope, r.registered_on,
             r.risk_class, "、".join(r.tags)] for r in ENTITIES]
    parsed = parse_entities(read_sheet(write_csv([head, *rows])).rows)
    back = parsed.rows
    assert parsed.warnings == parsed.errors == ()
    keep = ("code", "kind", "holder", "site", "name", "type", "status", "region", "station", "town", "address", "industries",
            "scope", "registered_on", "risk_class", "tags")
    assert [[getattr(r, k) for k in keep] for r in back] == [[getattr(r, k) for k in keep] for r in ENTITIES]


def test_the_register_is_made_fast_enough_to_stream_millions():
    begun = time.process_time()
    for _ in sample_entities(20_000, 3):
        pass
    assert 20_000 / (time.process_time() - begun) > 15_000  # about 50,000 a second on one quiet core


# People and plan ---------------------------------------------------------------------------


def test_there_are_120_inspectors_and_every_station_can_work_all_year():
    inspectors = sample_inspectors(7)
    assert len({one.code for one in inspectors}) == len({one.name for one in inspectors}) == 120 == len(inspectors)
    in_force = [one for one in inspectors if may_inspect(one, date(2026, 12, 31))]
    assert 100 < len(in_force) < 115 and sum(one.status == "失效" for one in inspectors) == 4
    for station in sample_bureau().stations:
        there = [one for one in in_force if one.station == station.name]
        assert sum(one.lead for one in there) >= 2
        assert sum("特种设备安全监察员" in one.qualifications for one in there) >= 2
        assert sum("食品检查员" in one.qualifications for one in there) >= 3
    assert {one.department for one in inspectors if one.department} == set(sample_bureau().departments)


def test_inspectors_written_out_are_read_back():
    head = ["单位工号", "姓名", "地区", "所在单位", "层级", "担任职务", "所在业务部门", "岗位大类", "岗位资质资格", "执法事项范围", "是否专家", "是否组长",
            "执法证编号", "执法证有效期", "发证机关", "执法人员状态"]
    rows = [[i.number, i.name, i.town, i.station, i.level, i.duty, i.department, "、".join(i.specialities), "、".join(i.qualifications),
             "", i.expert, i.lead, i.certificate_no, i.certificate_until, i.issued_by, i.status] for i in sample_inspectors(7)]
    parsed = parse_inspectors(read_sheet(write_xlsx([head, *rows])).rows)
    back = parsed.rows
    assert back == sample_inspectors(7) and parsed.warnings == parsed.errors == ()
    assert isinstance(back[0], InspectorRow)


def test_recusals_name_people_and_entities_that_exist():
    rows = sample_recusals(7, 15, among=400)
    codes = {row.code for row in sample_entities(400 + 50, 7)}
    assert len({(row.inspector, row.entity) for row in rows}) == 15
    assert {row.inspector for row in rows} <= {one.code for one in sample_inspectors(7)}
    assert {row.entity for row in rows} <= codes and all(row.reason for row in rows)


def test_the_plan_goes_through_a_file_and_comes_back_with_its_riders():
    sheet = sample_plan()
    got = parse_plan(read_sheet(write_xlsx(sheet.rows, name=sheet.name, heading=2, merged=sheet.merged)))
    assert got.year == 2026 and len(got.rows) == 15 and all(row.window and row.category for row in got.rows)
    assert [row.item for row in got.rows if row.rides] == [
        "营业执照（登记证）规范使用情况的检查", "名称规范使用情况的检查", "住所（经营场所）或驻在场所的检查"]
    first, second = got.rows[:2]
    assert (first.ratio_ppm, first.class_ratios) == (35_000, {})
    assert (second.ratio_ppm, second.class_ratios) == (None, {"A": 10_000, "B": 30_000, "C": 100_000, "D": 300_000})
    assert [row.drawn_by for row in got.rows].count("superior") == 1
    assert [(p.row, p.message[:8]) for p in got.problems] == [(11, "同时写了200户")]
    assert sample_plan_rows() == [list(row) for row in sheet.rows]


# Findings --------------------------------------------------------------------------------------


def test_made_up_answers_are_accepted_by_their_form_and_mostly_find_nothing():
    records = list(sample_answers(visits(500), [FORM], 7))
    assert len(records) == 500
    assert all(check_answers(FORM, record["answers"], DAY) == [] for record in records)
    assert all(set(record["outcomes"]) == {"x.one", "x.two"} and set(record["outcomes"].values()) <= set(OUTCOMES) for record in records)
    kinds = Counter(
        "lost" if "unreachable" in one["outcomes"].values() else "problem" if set(one["outcomes"].values()) != {"none"} else "fine"
        for one in records)
    assert 0.05 < kinds["problem"] / 500 < 0.11 and 0.015 < kinds["lost"] / 500 < 0.05
    assert all(record["recorder"] == "WX0001" and record["inspected_on"] == DAY for record in records)


def test_a_found_problem_is_told_in_words_and_nobody_lost_is_judged():
    for record in sample_answers(visits(200), [FORM], 7):
        answers = record["answers"]
        assert ("no" == answers.get("licence")) == ("licence_note" in answers)
        if "unreachable" in record["outcomes"].values():
            assert answers["reached"] == "unreachable" and len(answers["tried"]) == 2 and "licence" not in answers
        elif answers.get("licence") == "no":
            assert "亮照经营" in answers["licence_note"] and set(record["outcomes"].values()) != {"none"}


def test_answers_of_a_visit_do_not_depend_on_the_other_visits():
    some = visits(40)
    whole = list(sample_answers(some, [FORM], 7))
    assert list(sample_answers(some[20:], [FORM], 7)) == whole[20:]
    assert list(sample_answers(some, [FORM], 8)) != whole


def test_answers_satisfy_the_sectors_own_rules_too():
    def validate(record, form):
        bad = [item for item, outcome in record.outcomes.items() if outcome == "rectified"]
        if record.answers.get("licence") == "no" and bad != ["x.two"]:
            return [Problem("licence", "只属于第二项")]
        return []

    records = list(sample_answers(visits(300), [FORM], 7, validate))
    found = [record["outcomes"] for record in records if record["answers"].get("licence") == "no"]
    assert len(found) > 10 and all(outcomes == {"x.one": "none", "x.two": "rectified"} for outcomes in found)


def test_a_form_nothing_usual_can_fill_is_named():
    odd = Form("x.odd", "1", "怪", (Section("", (Field("a", "口令", "text", required=True, constraint=". = 'xyzzy'", message="不对"),)),))
    with pytest.raises(ValueError, match="x.odd"):
        list(sample_answers([SampleVisit("v", "e", "t", "x.odd", ("x.one",), DAY, ("WX0001",))], [odd], 1))
    assert set(ATTACHMENTS) == {"photo", "file", "signature"}

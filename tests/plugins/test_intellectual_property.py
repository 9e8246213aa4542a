import pytest

import plugins.intellectual_property
from portal.domain.scope import meets
from portal.testing import answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.intellectual_property)
MARK, AGENCY, PATENT = (f"intellectual_property.{name}" for name in ("trademark", "agency", "patent"))
FORMS = {code: SECTORS.form(f"{code}_check") for code in (MARK, AGENCY, PATENT)}
START = {"presence": "open", "contact_person": "经理", "refused": "no", "signature": ["s1"]}
SIGN = {"sign": "望溪 茶叶", "registration": "12345678", "status": "same"}
NUMBER = {"product": "水杯 A1", "patent_number": "ZL202230012345.6", "status": "valid"}


def filled(code, **changed):
    rows = {MARK: {"marks": [SIGN]}, PATENT: {"patents": [NUMBER]}, AGENCY: {}}[code]
    return answer_all(FORMS[code], "yes", START | rows | changed)


@pytest.mark.parametrize("name, code", [
    ("商标使用行为检查", MARK), ("商标使用行为的检查", MARK), ("商标代理机构检查", AGENCY), ("专利真实性检查", PATENT), ("假冒专利检查", PATENT)])
def test_plans_name_items_in_several_ways(name, code):
    assert [one.code for one in SECTORS.items_named(name)] == [code]


@pytest.mark.parametrize("code", FORMS)
def test_complete_records_are_accepted(code):
    assert_accepted(problems_of(SECTORS, FORMS[code], filled(code)))


@pytest.mark.parametrize("status, point, kind", [
    ("altered", "unaltered", "other"), ("unregistered", "not_false", "rectify"), ("infringing", "not_infringing", "case")])
def test_what_the_register_of_marks_says_contradicts_a_pass(status, point, kind):
    answers = filled(MARK, marks=[SIGN, SIGN | {"status": status}])
    [problem] = problems_of(SECTORS, FORMS[MARK], answers)
    assert problem.field == point and "第 2 个（望溪 茶叶）" in problem.message
    found = answers | {point: "no", f"{point}_note": "见查询结果"}
    assert_accepted(problems_of(SECTORS, FORMS[MARK], found, "pending"))
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([MARK], found, "pending"), FORMS[MARK])] == [kind]
    assert bool(problems_of(SECTORS, FORMS[MARK], found, "rectified")) is (point == "not_infringing")


def test_a_mark_nobody_calls_registered_is_no_problem():
    assert_accepted(problems_of(SECTORS, FORMS[MARK], filled(MARK, marks=[SIGN | {"registration": "", "status": "free"}])))


@pytest.mark.parametrize("status, point", [("invalid", "genuine"), ("mismatch", "same_product")])
def test_a_patent_that_does_not_stand_contradicts_a_pass(status, point):
    answers = filled(PATENT, patents=[NUMBER | {"status": status}])
    assert_points(problems_of(SECTORS, FORMS[PATENT], answers), point)
    assert_accepted(problems_of(SECTORS, FORMS[PATENT], answers | {point: "no", f"{point}_note": "2024年终止"}, "pending"))
    assert_accepted(problems_of(SECTORS, FORMS[PATENT], filled(PATENT, patents=[NUMBER | {"status": "pending"}])))


@pytest.mark.parametrize("point, kind", [("papers", "case"), ("bad_faith", "transfer"), ("contract", "other")])
def test_what_an_agent_did_decides_what_follows(point, kind):
    answers = filled(AGENCY, **{point: "no", f"{point}_note": "委托人否认"})
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([AGENCY], answers, "pending"), FORMS[AGENCY])] == [kind]


@pytest.mark.parametrize("code, industries, scope, drawn", [
    (MARK, ["1819"], "", True), (MARK, ["7520"], "", False), (MARK, [], "服装零售", True), (AGENCY, ["7520"], "", True), (AGENCY, ["1819"], "", False),
    (AGENCY, [], "商标代理及咨询服务", True), (AGENCY, [], "服装、商标、包装用品印刷", False), (PATENT, ["5212"], "", True), (PATENT, ["7520"], "", False),
])
def test_who_is_drawn(code, industries, scope, drawn):
    assert meets(SECTORS.pool_rule(make_task("intellectual_property", items=(code,))), industries, scope, (), ()) is drawn

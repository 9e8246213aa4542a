import pytest

import plugins.advertising
from portal.domain.forms import visible
from portal.domain.scope import meets
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.advertising)
FORM = SECTORS.form("advertising.check")
BUSINESS, REVIEW = "advertising.business", "advertising.reviewed"
POSTER = {"title": "某某茶", "medium": "web", "place": "https://example.invalid/ 6月1日"}


def filled(*advertisements, **changed):
    start = {"presence": "open", "contact_person": "经理", "refused": "no", "signature": ["s1"], "role": ["publisher"], "reviewed": "no",
             "advertisements": list(advertisements or (POSTER,))}  # fmt: skip
    return answer_all(FORM, "yes", start | changed)


@pytest.mark.parametrize("name, code", [
    ("广告经营行为的检查", BUSINESS), ("广告行为检查", BUSINESS), ("三品一械广告检查", REVIEW),
    ("药品、医疗器械、保健食品、特殊医学用途配方食品广告检查", REVIEW)])
def test_plans_name_items_in_several_ways(name, code):
    assert [one.code for one in SECTORS.items_named(name)] == [code]


def test_a_complete_record_is_accepted_and_medicine_is_asked_where_there_is_any():
    assert_accepted(problems_of(SECTORS, FORM, filled(), items=[BUSINESS]))
    assert_accepted(problems_of(SECTORS, FORM, filled(reviewed="yes")))
    assert not {"approved", "medical"} & set(visible(FORM, filled(), TODAY))
    assert {"approved", "medical"} <= set(visible(FORM, filled(reviewed="yes"), TODAY))


@pytest.mark.parametrize("fault", ["identifiable", "words", "honest", "claims_proved"])
def test_a_fault_of_an_advertisement_is_a_failed_point(fault):
    answers = filled(POSTER, POSTER | {"title": "某某贴", "faults": [fault]})
    [problem] = problems_of(SECTORS, FORM, answers, items=[BUSINESS])
    assert problem.field == fault and "第 2 条广告（某某贴）" in problem.message
    found = answers | {fault: "no", f"{fault}_note": "见截图"}
    assert_accepted(problems_of(SECTORS, FORM, found, "pending", [BUSINESS]))
    assert bool(problems_of(SECTORS, FORM, found, "rectified", [BUSINESS])) is (fault in plugins.advertising.GRAVE)


def test_every_fault_is_a_point_of_the_form():
    assert {choice.value for choice in plugins.advertising.FAULTS} <= set(plugins.advertising.POINTS)


def test_an_item_on_medicine_needs_such_advertisements():
    assert_points(problems_of(SECTORS, FORM, filled(), items=[REVIEW]), "reviewed")


@pytest.mark.parametrize("point, kind", [("honest", "case"), ("approved", "case"), ("words", "rectify"), ("ledger", "other")])
def test_what_failed_decides_what_follows(point, kind):
    answers = filled(reviewed="yes", **{point: "no", f"{point}_note": "见截图"})
    item = REVIEW if point == "approved" else BUSINESS
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([item], answers, "pending"), FORM)] == [kind]


@pytest.mark.parametrize("items, industries, scope, drawn", [
    ((BUSINESS,), ["7251"], "", True), ((BUSINESS,), ["7259"], "", True), ((BUSINESS,), ["5212"], "", False),
    ((BUSINESS,), [], "设计、制作、代理、发布国内各类广告", True), ((BUSINESS,), [], "包装装潢印刷、广告宣传品印刷", False),
    ((REVIEW,), ["5251"], "", True), ((REVIEW,), ["7251"], "", False), ((REVIEW,), [], "化学药制剂、中成药零售", True),
])
def test_who_is_drawn(items, industries, scope, drawn):
    assert meets(SECTORS.pool_rule(make_task("advertising", items=items)), industries, scope, (), ()) is drawn

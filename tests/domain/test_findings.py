from itertools import chain

import pytest

from portal.domain.findings import SHARED
from portal.domain.forms import check_form, visible
from portal.plugin import (
    FOLLOW_UPS, OUTCOMES, Basis, FollowUp, Part, articles, check_record, failed_points, follow_ups, guide, judged, points_of,
    signing, site_form, summarise,
)
from portal.testing import TODAY, make_record

PARTS = (
    Part("甲", "gas.pipes", (judged("leak", "不漏气", "看", "漏", "管", key=True), judged("valve", "有阀门", "看", "没有", "阀"))),
    Part("乙", "gas.meters", (judged("meter", "表在检定期内", "看", "超期", "表"),), "${leak} = 'yes'"),
)
POINTS = points_of(PARTS)
FORM = site_form("gas.check", "1", "燃气检查表", PARTS)
PIPES, METERS = "gas.pipes", "gas.meters"


def told(answers, outcomes, **more):
    record = make_record(list(outcomes), {"presence": "open"} | answers, outcomes=outcomes)
    return [(one.field, one.message) for one in check_record(record, POINTS, **more)]


def test_a_site_form_asks_the_same_first_question_and_closes_alike():
    assert check_form(FORM) == []
    asked = visible(FORM, {}, TODAY)
    assert asked == ["presence", "pictures", "note"]  # nothing else before it is known whether anybody is there
    assert "presence_note" in visible(FORM, {"presence": "unreachable"}, TODAY)
    assert visible(FORM, {"presence": "open", "leak": "no"}, TODAY)[2:5] == ["leak", "leak_note", "valve"]
    assert "meter" in visible(FORM, {"presence": "open", "leak": "yes"}, TODAY)
    assert {field.name for field in FORM.fields()} - set(SHARED) == {field.name for field in chain(*(chain(*p.points) for p in PARTS))}


def test_the_closing_section_is_asked_where_the_sector_says():
    assert {field.show_if for field in signing("${a} = 'b'").fields} == {
        "${a} = 'b'", "${refused} = 'yes'", "${refused} = 'no'", ""}


def test_points_know_their_item_guide_and_bases():
    assert POINTS == {"leak": PIPES, "valve": PIPES, "meter": METERS}
    assert guide("甲", "乙", "丙") == "怎么查：甲\n什么算问题：乙\n拍什么：丙"
    assert articles(("某法", "第一条、第二条"), ("某办法", "")) == (Basis("某法", "第一条"), Basis("某法", "第二条"), Basis("某办法"))


def test_only_the_open_can_be_found_without_problems():
    assert told({"leak": "yes"}, {PIPES: "none"}) == []
    assert told({"presence": "unreachable"}, {PIPES: "unreachable", METERS: "none"}) == [
        ("presence", "按“检查时的状况”，抽查结果应选“通过登记的住所（经营场所）无法联系”，现在是“未发现问题”。")]
    assert told({"leak": "yes"}, {PIPES: "uncooperative"}) == [
        ("presence", "抽查结果是“不配合检查情节严重”，但“检查时的状况”选了“正常经营，接受检查”。")]


def test_points_and_outcomes_agree():
    assert told({"leak": "no"}, {PIPES: "none", METERS: "none"}) == [("leak", "这项判为不合格，抽查结果不能是“未发现问题”。")]
    assert told({"leak": "no", "meter": "yes"}, {PIPES: "rectified", METERS: "none"}) == []
    assert told({"leak": "yes"}, {PIPES: "pending"}) == [(PIPES, "抽查结果是“发现问题待后续处理”，但没有一项判为不合格。")]
    assert told({"leak": "na", "valve": "na"}, {PIPES: "none"}) == [
        (PIPES, "各项都选了不适用，等于没有检查。没有这类经营活动的，请在“检查时的状况”中选择。")]


def test_a_grave_point_cannot_end_with_an_order():
    grave = {"leak": "no"}
    assert [field for field, _ in told(grave, {PIPES: "rectified"}, grave=("leak",))] == ["leak"]
    assert told(grave, {PIPES: "pending"}, grave=("leak",)) == told({"valve": "no"}, {PIPES: "rectified"}, grave=("leak",)) == []


def test_a_problem_beside_the_items_of_the_record_is_carried_by_the_main_one():
    record = make_record([PIPES], {"meter": "no"}, outcomes={PIPES: "none"})
    assert failed_points(record, POINTS, PIPES) == failed_points(record, POINTS, PIPES, main=PIPES) == ["meter"]
    assert failed_points(make_record([PIPES, METERS], {"meter": "no"}), POINTS, PIPES) == []
    assert told({"meter": "no"}, {"other.item": "none"}) == []


CASE = FollowUp("case", 0, "inspected", "立案。")


@pytest.mark.parametrize("outcome, answers, kinds", [
    ("none", {}, ["none"]), ("pending", {}, ["other"]), ("pending", {"leak": "no"}, ["case"]),
    ("rectified", {"leak": "no", "valve": "no"}, ["recheck", "case"]), ("unreachable", {}, ["abnormal_list"]),
])
def test_follow_ups_come_from_outcomes_and_failed_points_and_none_twice(outcome, answers, kinds):
    record = make_record([PIPES], answers, outcome)
    assert [one.kind for one in follow_ups(record, FOLLOW_UPS, {"leak": CASE, "valve": CASE})] == kinds


def test_every_problem_outcome_has_a_follow_up():
    assert {code for code, one in OUTCOMES.items() if one.problem} == set(FOLLOW_UPS)


def test_the_summary_counts_what_was_judged():
    record = make_record([PIPES], {"leak": "no", "valve": "na", "meter": "yes"}, "rectified")
    assert summarise(record, "燃气检查", POINTS) == "燃气检查：判断2项，不合格1项；抽查结果：发现问题已责令改正。"

import pytest

import plugins.annual_reports
from plugins.annual_reports.forms import ANNUAL_POINTS, INSTANT_POINTS, PART_OF
from portal.domain.forms import public_answers, visible
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_record, problems_of

SECTORS = load_sector(plugins.annual_reports)
FORM = SECTORS.form("annual_reports.check")
ANNUAL, INSTANT = "annual_reports.annual", "annual_reports.instant"
FILED = {"presence": "open", "filed": "on_time", "address": "yes", "large": "no", "methods": ["paper"]}
GONE = {"presence": "unreachable", "presence_note": "6月1日、6月8日上门均无人", "methods": ["site"], "phone": "no",
        "phone_finding": "missing", "phone_note": "空号"}


def good(**changed):
    return answer_all(FORM, "yes", FILED | changed)


def failed(name, finding, **changed):
    return good(**{name: "no", f"{name}_finding": finding, f"{name}_note": "与材料不符"} | changed)


def messages(answers, annual="none", instant=None):
    outcomes = {ANNUAL: annual} | ({INSTANT: instant} if instant else {})
    return [one.message for one in problems_of(SECTORS, FORM, answers, items=list(outcomes), outcomes=outcomes)]


def test_the_sector_says_who_it_is():
    one = SECTORS.sectors["annual_reports"]
    assert (one.code, one.name, one.department) == ("annual_reports", "公示信息", "信用监督管理科")


def test_the_two_items_are_those_of_the_national_list():
    assert [(item.code, item.name, item.category) for item in SECTORS.items] == [
        (ANNUAL, "年度报告公示信息的检查", "公示信息检查"), (INSTANT, "即时公示信息的检查", "公示信息检查"),
    ]
    assert all(item.basis[0].law == "企业信息公示暂行条例" and item.guide for item in SECTORS.items)


@pytest.mark.parametrize("name, code", [("公示信息检查", ANNUAL), ("年度报告公示信息抽查", ANNUAL), ("公示信息", ANNUAL), ("即时公示信息检查", INSTANT)])
def test_plans_name_items_in_several_ways(name, code):
    assert [item.code for item in SECTORS.items_named(name)] == [code]


def test_the_annual_report_has_its_thirteen_points():
    labels = ["企业通信地址", *(label for _, label, *_ in ANNUAL_POINTS)]
    assert len(labels) == 13 == len(set(labels))
    asked = visible(FORM, FILED, TODAY)
    assert {"address", *(name for name, *_ in ANNUAL_POINTS)} <= set(asked)


def test_every_point_tells_how_to_check_what_is_wrong_and_what_to_photograph():
    for field in FORM.fields():
        if field.name in PART_OF:
            assert [line.split("：")[0] for line in field.guide.splitlines()] == ["怎么查", "什么算问题", "拍什么"], field.name


def test_an_untouched_form_is_not_passed():
    assert_points(problems_of(SECTORS, FORM, {}), "presence", "filed", "address", "methods", *(name for name, _ in INSTANT_POINTS))


def test_a_complete_record_without_problems_is_accepted():
    assert messages(good()) == messages(good(), "none", "none") == []


def test_a_report_that_was_not_filed_closes_its_points_and_is_a_problem():
    missing = good(filed="missing", large="", filed_note="至今未报")
    assert "phone" not in visible(FORM, missing, TODAY)
    assert messages(missing) == ["这项不合格，抽查结果不能是“未发现问题”。"]
    assert messages(missing, "undisclosed") == []
    assert messages(good(filed="late"), "undisclosed") == ["请填写“未按期公示的情况”。"]


def test_large_enterprises_are_asked_for_overdue_payments():
    assert "payments" not in visible(FORM, good(), TODAY)
    assert_points(problems_of(SECTORS, FORM, {**good(), "large": "yes"}), "payments")


@pytest.mark.parametrize("name", PART_OF)
def test_every_no_asks_for_its_kind_and_facts_and_contradicts_an_outcome_without_problems(name):
    large = {"large": "yes"}
    assert_points(problems_of(SECTORS, FORM, good(**large, **{name: "no"})), f"{name}_finding", f"{name}_note")
    assert messages(failed(name, "missing", **large)) == ["这项不合格，抽查结果不能是“未发现问题”。"]
    assert messages(failed(name, "missing", **large), "undisclosed") == []


def test_concealment_cannot_be_called_late_disclosure():
    concealed = failed("capital", "false")
    for outcome in ("undisclosed", "rectified"):
        assert messages(concealed, outcome) == ["这项是隐瞒真实情况、弄虚作假，抽查结果应选“公示信息隐瞒真实情况、弄虚作假”。"]
    assert messages(concealed, "false_disclosure") == []
    assert messages(failed("capital", "missing"), "false_disclosure") == [
        "抽查结果是“公示信息隐瞒真实情况、弄虚作假”，但没有一项属于隐瞒真实情况、弄虚作假。"
    ]


def test_a_problem_outcome_needs_a_point_that_failed():
    assert messages(good(), "undisclosed") == ["抽查结果是“未按规定公示应当公示的信息”，但没有一项判为不合格。"]


def test_each_item_answers_for_its_own_part_where_both_are_on_the_record():
    late_permit = failed("permit", "missing")
    assert messages(late_permit, "none", "undisclosed") == []
    assert messages(late_permit, "undisclosed", "none") == [
        "抽查结果是“未按规定公示应当公示的信息”，但没有一项判为不合格。", "这项不合格，抽查结果不能是“未发现问题”。"]


def test_unreachable_needs_a_visit_a_dead_telephone_and_the_outcome():
    gone = good(**GONE)
    assert messages(gone, "unreachable") == []
    assert messages(gone, "undisclosed") == ["认定无法联系的，抽查结果应选“通过登记的住所（经营场所）无法联系”。"]
    assert messages({**gone, "methods": ["paper"]}, "unreachable") == ["认定通过登记的住所无法联系的，要有现场检查。"]
    assert messages({**gone, "phone": "yes"}, "unreachable") == ["公示的电话能够联系上的，不能认定为无法联系，请核对。"]
    assert messages(good(), "unreachable") == ["抽查结果是“通过登记的住所（经营场所）无法联系”，但“检查时的状况”没有选无法联系。"]
    assert "address" not in visible(FORM, gone, TODAY) and "contact_person" not in visible(FORM, gone, TODAY)


def test_only_who_was_there_signs():
    assert_points(problems_of(SECTORS, FORM, good(methods=["paper", "site"])), "contact_person", "refused")
    assert "signature" not in visible(FORM, good(), TODAY)


def test_an_expert_is_named():
    assert_points(problems_of(SECTORS, FORM, good(methods=["paper", "expert"])), "expert")


@pytest.mark.parametrize("outcome, kind, days, counts_from", [
    ("none", "none", 0, "inspected"), ("not_operating", "none", 0, "inspected"), ("unreachable", "abnormal_list", 10, "inspected"),
    ("undisclosed", "rectify", 10, "ordered"), ("false_disclosure", "abnormal_list", 10, "inspected"),
    ("rectified", "recheck", 10, "ordered"), ("uncooperative", "case", 0, "inspected"), ("pending", "other", 0, "inspected"),
])
def test_every_outcome_suggests_its_follow_up(outcome, kind, days, counts_from):
    found = SECTORS.suggest_follow_up(make_record([ANNUAL], good(), outcome), FORM)
    assert [(one.kind, one.due_working_days, one.counts_from) for one in found] == [(kind, days, counts_from)]


def test_two_reasons_make_one_listing():
    record = make_record([ANNUAL, INSTANT], good(), outcomes={ANNUAL: "unreachable", INSTANT: "false_disclosure"})
    found = SECTORS.suggest_follow_up(record, FORM)
    assert [one.kind for one in found] == ["abnormal_list"] and "无法联系" in found[0].note and "弄虚作假" in found[0].note


def test_the_summary_is_one_sentence_without_persons():
    record = make_record([ANNUAL], failed("phone", "missing", contact_person="张三", note="13800000000"), "undisclosed")
    assert SECTORS.public_summary(record, FORM) == "公示信息检查：核对18项，不一致1项；抽查结果：未按规定公示应当公示的信息。"


def test_persons_papers_and_facts_stay_inside():
    answers = failed("phone", "missing", contact_person="张三", contact_phone="0595-85678901", files=["f1"], signature=["s1"], note="x")
    assert set(public_answers(FORM, answers)) <= {*PART_OF, *(f"{name}_finding" for name in PART_OF), "filed", "methods", "presence"}
    assert_accepted(problems_of(SECTORS, FORM, answers, "undisclosed", [ANNUAL]))

import pytest

import plugins.testing_labs
from portal.domain.scope import meets
from portal.testing import answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.testing_labs)
FORM, MAIN = SECTORS.form("testing_labs.check"), "testing_labs.supervision"
REPORT = {"number": "W2026-0017", "issued_on": "2026-04-02", "project": "混凝土抗压强度", "finding": "good"}


def filled(*reports, **changed):
    start = {"presence": "open", "contact_person": "主任", "refused": "no", "signature": ["s1"], "reports": list(reports or (REPORT,))}
    return answer_all(FORM, "yes", start | changed)


def test_plans_name_the_item_in_several_ways():
    for name in ("检验检测机构监督检查", "检验检测机构检查", "机动车检验机构监督检查"):
        assert [one.code for one in SECTORS.items_named(name)] == [MAIN]


def test_a_complete_record_is_accepted_and_reports_are_needed():
    assert_accepted(problems_of(SECTORS, FORM, filled()))
    assert_points(problems_of(SECTORS, FORM, filled(reports=[])), "reports")


@pytest.mark.parametrize("finding, point, outcome, kind", [
    ("false", "genuine", "pending", "case"), ("wrong", "accurate", "rectified", "recheck"), ("beyond", "scope", "rectified", "recheck")])
def test_a_traced_report_contradicts_a_pass(finding, point, outcome, kind):
    answers = filled(REPORT, REPORT | {"number": "W2026-0018", "finding": finding})
    [problem] = problems_of(SECTORS, FORM, answers)
    assert problem.field == point and "第 2 份报告（W2026-0018）" in problem.message
    found = answers | {point: "no", f"{point}_note": "见原始记录"}
    assert_accepted(problems_of(SECTORS, FORM, found, outcome))
    assert kind in [one.kind for one in SECTORS.suggest_follow_up(make_record([MAIN], found, outcome), FORM)]
    assert bool(problems_of(SECTORS, FORM, found, "rectified")) is (point == "genuine")


def test_a_report_is_not_issued_after_the_check():
    assert_points(problems_of(SECTORS, FORM, filled(REPORT | {"issued_on": "2026-06-16"})), "reports")
    assert_accepted(problems_of(SECTORS, FORM, filled(REPORT | {"issued_on": "2026-06-15"})))


@pytest.mark.parametrize("name, industries, scope, drawn", [
    ("检验检测机构检查", ["7452"], "", True), ("检验检测机构检查", ["7453"], "", False), ("检验检测机构检查", [], "公路工程试验检测", True),
    ("检验检测机构检查", [], "检测仪器销售", False), ("检验检测机构检查", [], "代理检验理赔", False), ("机动车检验机构检查", [], "机动车安全技术检测", True),
    ("机动车检验机构检查", [], "公路工程试验检测", False),
])
def test_who_is_drawn(name, industries, scope, drawn):
    assert meets(SECTORS.pool_rule(make_task("testing_labs", name=name)), industries, scope, (), ()) is drawn

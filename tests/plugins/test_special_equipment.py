from datetime import date

import pytest

import plugins.special_equipment
from plugins.special_equipment import EQUIPMENT, LICENCES
from plugins.special_equipment.forms import HAZARDS, LICENSED_POINTS, ROW_VERDICTS, USE_POINTS, VIOLATIONS
from portal.domain.forms import public_answers
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_candidate, make_record, make_task, problems_of

SECTORS = load_sector(plugins.special_equipment)
USE, LICENSED = "special_equipment.use", "special_equipment.post_licence"
FORM, LICENSED_FORM = SECTORS.form("special_equipment.use_check"), SECTORS.form("special_equipment.licence_check")
SIGNED = {"presence": "open", "contact_person": "安全管理员", "refused": "no", "signature": ["s1"]}


def lift(code="31103502", **changed):
    verdicts = dict.fromkeys(ROW_VERDICTS, "yes")
    return {"device_code": code, "device_kind": "lift", "next_inspection": "2027-01-31"} | verdicts | changed


def good(*rows, **changed):
    own = {"in_use": 3, "devices": list(rows) or [lift()], "hazards": ["none"], "violations": ["none"]}
    return answer_all(FORM, "yes", SIGNED | own | changed)


def failed(*names, **changed):
    return good(**changed, **{name: "no" for name in names}, **{f"{name}_note": "现场查见" for name in names})


def wrong(answers, outcome="none"):
    return problems_of(SECTORS, FORM, answers, outcome, [USE])


def kinds(answers, outcome, form=FORM, item=USE):
    return [one.kind for one in SECTORS.suggest_follow_up(make_record([item], answers, outcome), form)]


def test_items_have_basis_validity_form_qualification_and_names():
    for item in SECTORS.items:
        assert item.basis and item.valid_from and item.form in {FORM.code, LICENSED_FORM.code} and item.qualification == "特种设备安全监察员"
    assert [item.code for item in SECTORS.items_named("对特种设备使用单位的监督检查")] == [USE]
    names = [name for item in SECTORS.items for name in {item.name, *item.aliases}]
    assert len(names) == len(set(names))
    for points, form in ((USE_POINTS, FORM), (LICENSED_POINTS, LICENSED_FORM)):
        assert list(points) == [field.name for field in form.fields() if field.type == "verdict"]
        assert all(field.basis and field.guide for field in form.fields() if field.type == "verdict")


def test_the_lists_are_those_of_articles_24_and_25():
    assert (len(HAZARDS), len(VIOLATIONS)) == (6, 8)


def test_a_clean_check_passes_and_equipment_must_be_looked_at():
    assert_accepted(wrong(good()))
    assert_points(wrong(good(devices=[])), "devices")
    assert_points(wrong(good(lift("a b")), "none"), "device_code")
    assert_points(wrong(good(in_use=0)), "in_use")
    assert_points(wrong(good(lift(), lift("31103503"), in_use=1)), "in_use")
    assert_accepted(wrong({"presence": "not_operating", "presence_note": "设备已全部拆除"}, "not_operating"))


def test_an_overdue_inspection_cannot_be_a_pass():
    problems = wrong(good(lift(), lift("31103503", next_inspection="2026-05-01")))
    assert_points(problems, "inspected")
    assert problems[0].row == 2 and "2026-05-01 已过" in problems[0].message
    bad = lift("31103503", next_inspection="2026-05-01", inspected="no", device_note="检验过期一个月仍在使用")
    assert_accepted(wrong(good(lift(), bad), "rectified"))


@pytest.mark.parametrize("name", ROW_VERDICTS)
def test_a_failed_device_needs_facts_and_an_outcome(name):
    row = lift(**{name: "no"})
    assert_points(wrong(good(row), "rectified"), "device_note")
    told = row | {"device_note": "现场查见"}
    assert_points(wrong(good(told)), "devices")
    assert_accepted(wrong(good(told), "rectified"))


def test_a_device_is_looked_at_once():
    problems = wrong(good(lift(), lift()))
    assert_points(problems, "device_code")
    assert problems[0].row == 2


@pytest.mark.parametrize("name", USE_POINTS)
def test_a_failed_point_is_put_right_and_checked_again_after_the_report(name):
    answers = failed(name)
    assert_points(wrong(answers), name)
    assert_accepted(wrong(answers, "rectified"))
    order, again = SECTORS.suggest_follow_up(make_record([USE], answers, "rectified"), FORM)
    assert order.kind == "rectify"
    assert (again.kind, again.due_working_days, again.counts_from) == ("recheck", 10, "reported")


@pytest.mark.parametrize("name, value", [("hazards", value) for value in HAZARDS] + [("violations", value) for value in VIOLATIONS])
def test_severe_hazards_and_major_violations_escalate(name, value):
    row = lift(attachments="no", device_note="限速器失灵") if value == "devices" else lift()
    answers = good(row, **{name: [value], f"{name}_note": "1 号梯，已责令停止使用"})
    assert_points(wrong(answers), name)
    assert_points(wrong(answers, "rectified"), USE)
    assert_accepted(wrong(answers, "pending"))
    found = kinds(answers, "pending")
    assert found[:3] == ["rectify", "recheck", "case"] and (found[3:] == ["other"]) == (name == "hazards")
    assert "重大违法行为1种" in SECTORS.public_summary(make_record([USE], answers, "pending"), FORM)


def test_a_hazard_of_safety_devices_names_the_device():
    answers = good(hazards=["devices"], hazards_note="1 号梯")
    assert_points(wrong(answers, "pending"), "attachments")


def test_nothing_found_cannot_be_chosen_with_something_found():
    assert_points(wrong(good(hazards=["none", "devices"])), "hazards")
    assert_points(wrong({key: value for key, value in good().items() if key != "hazards"}), "hazards")


def test_the_summary_counts_equipment_and_shows_no_codes():
    bad = lift("31103503", device_kind="crane", operators="no", device_note="无证操作")
    answers = good(lift(), bad)
    summary = SECTORS.public_summary(make_record([USE], answers, "rectified"), FORM)
    assert summary == "特种设备安全监督检查：判断8项，不合格0项；抽查结果：发现问题已责令改正。抽查电梯、起重机械2台，不合格1台。"
    shown = public_answers(FORM, answers)["devices"]
    assert not {"device_code", "device_note"} & set(shown[0] | shown[1])
    assert kinds(good(), "none") == ["none"]


def test_the_licensed_are_checked_on_a_form_of_their_own():
    own = {"violations": ["none"]}
    answers = answer_all(LICENSED_FORM, "yes", SIGNED | own)
    assert_accepted(problems_of(SECTORS, LICENSED_FORM, answers, "none", [LICENSED]))
    bad = answers | {"tested": "no", "tested_note": "未经监检交付", "violations": ["unlicensed"], "violations_note": "超许可级别安装"}
    assert_points(problems_of(SECTORS, LICENSED_FORM, bad, "rectified", [LICENSED]), LICENSED)
    assert_accepted(problems_of(SECTORS, LICENSED_FORM, bad, "pending", [LICENSED]))
    assert kinds(bad, "pending", LICENSED_FORM, LICENSED) == ["rectify", "recheck", "case"]


def test_pools_are_the_registers():
    assert SECTORS.pool_rule(make_task("special_equipment", items=(USE,))).registers == (EQUIPMENT,)
    assert SECTORS.pool_rule(make_task("special_equipment", items=(LICENSED,))).registers == (LICENCES,)


def test_a_post_licence_check_cancels_the_routine_one_of_the_year():
    device = {"number": "1", "kind": "电梯", "state": "在用"}
    batch = [
        make_candidate("A1", attributes={EQUIPMENT: [device]}),
        make_candidate("A2", attributes={EQUIPMENT: [device]}, last_inspected={LICENSED: date(2026, 3, 1)}),
        make_candidate("A3", attributes={EQUIPMENT: [device], LICENCES: [{"number": "TS1", "checked_on": "2026-02-01"}]}),
        make_candidate("A4", attributes={EQUIPMENT: [device], LICENCES: [{"number": "TS2", "checked_on": "2025-02-01"}, {"number": "TS3"}]}),
        make_candidate("A5", attributes={EQUIPMENT: [device | {"state": "报废"}, device | {"state": "停用"}]}),
        make_candidate("A6", attributes={EQUIPMENT: [device | {"state": "报废"}, device]}),
    ]
    cancelled, gone = "本年已接受证后监督检查，不再安排常规监督检查", "登记的特种设备均已停用、报废或者注销"
    assert SECTORS.exclude_from_pool(make_task("special_equipment", items=(USE,)), batch) == {"A2": cancelled, "A3": cancelled, "A5": gone}
    assert SECTORS.exclude_from_pool(make_task("special_equipment", items=(LICENSED,)), batch) == {}
    assert TODAY.year == 2026

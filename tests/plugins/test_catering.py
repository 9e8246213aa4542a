from datetime import date

import pytest

import plugins.catering
from plugins.catering import LICENCES
from plugins.catering.points import GROUPS, KEY_POINTS
from plugins.catering.points import NAMES as POINTS
from portal.domain.forms import public_answers, visible
from portal.plugin import OUTCOMES, Published
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_candidate, make_record, make_task, problems_of

SECTORS = load_sector(plugins.catering)
FORM = SECTORS.form("catering.check")
SERVICE, CANTEEN = "catering.service", "catering.canteen"
SEEN = {"presence": "open", "business": "restaurant", "staff": 6, "staff_uncertified": 0, "contact_person": "店长", "refused": "no", "signature": ["s1"]}  # fmt: skip


def good(**changed):
    return answer_all(FORM, "yes", SEEN | changed)


def failed(*names, **changed):
    return good(**changed, **{name: "no" for name in names}, **{f"{name}_note": "6月1日10时现场查见" for name in names})


def wrong(answers, outcome="none", items=(SERVICE,)):
    return problems_of(SECTORS, FORM, answers, outcome, items)


def record(answers, outcome, items=(SERVICE,)):
    return make_record(items, answers, outcome)


def row(**given):
    return {"number": "JY1", "business": "餐饮服务经营者", "state": "有效", "grade": "B级"} | given


def test_the_form_has_the_56_points_of_the_list_of_which_20_are_key():
    verdicts = [field for field in FORM.fields() if field.type == "verdict"]
    assert (len(verdicts), sum(field.key for field in verdicts)) == (56, 20)
    assert [field.name for field in verdicts] == list(POINTS) and len(set(POINTS)) == 56
    assert {field.name for field in FORM.fields() if field.key} == set(KEY_POINTS)
    assert [len(points) for _, _, points in GROUPS] == [4, 6, 5, 8, 10, 4, 9, 5, 5]
    assert all(field.public and field.basis and "怎么查" in field.guide for field in verdicts)


def test_every_item_has_basis_validity_form_qualification_and_is_found_by_name():
    for item in SECTORS.items:
        assert item.basis and item.valid_from and item.form == FORM.code and item.qualification == "食品检查员" and item.kind == "key" and item.points
    assert [item.code for item in SECTORS.items_named("餐饮服务监督检查")] == [SERVICE]
    assert [item.code for item in SECTORS.items_named("校园食品安全检查")] == [CANTEEN]
    names = [name for item in SECTORS.items for name in {item.name, *item.aliases}]
    assert len(names) == len(set(names))


def test_a_clean_check_and_a_shut_door_are_both_complete():
    assert_accepted(wrong(good()))
    shut = {"presence": "not_operating", "presence_note": "6月1日两次到场均停业"}
    assert visible(FORM, shut, TODAY) == ["presence", "presence_note", "pictures", "note"]
    assert_accepted(wrong(shut, "not_operating"))
    assert_points(wrong(shut), "presence")
    assert_points(wrong(good(), "unreachable"), "presence")
    assert_accepted(wrong(good(), items=(SERVICE, CANTEEN)))
    assert_points(wrong(failed("clean"), items=(CANTEEN,)), "clean")


def test_nothing_unanswered_passes():
    answers = good()
    for name in POINTS:
        assert_points(wrong({key: value for key, value in answers.items() if key != name}), name)


@pytest.mark.parametrize("name", KEY_POINTS)
def test_a_key_point_is_looked_into_and_never_only_put_right(name):
    extra = {"staff_uncertified": 2} if name == "health_cert" else {}
    answers = failed(name, **extra)
    assert_points(wrong(answers), name)
    assert_points(wrong(answers, "rectified"), name)
    assert_accepted(wrong(answers, "pending"))
    assert "case" in {one.kind for one in SECTORS.suggest_follow_up(record(answers, "pending"), FORM)}
    assert "重点项不合格1项，对照要点表为不符合" in SECTORS.public_summary(record(answers, "pending"), FORM)


@pytest.mark.parametrize("name", [name for name in POINTS if name not in KEY_POINTS])
def test_a_general_point_is_put_right_and_checked_again(name):
    answers = failed(name)
    assert_points(wrong(answers), name)
    assert_accepted(wrong(answers, "rectified"))
    assert [one.kind for one in SECTORS.suggest_follow_up(record(answers, "rectified"), FORM)] == ["recheck"]
    assert SECTORS.public_summary(record(answers, "rectified"), FORM) == (
        "餐饮服务监督检查：判断56项，不合格1项；抽查结果：发现问题已责令改正。重点项不合格0项，对照要点表为基本符合。"
    )


def test_an_outcome_of_trouble_needs_a_failed_point():
    assert_points(wrong(good(), "rectified"), SERVICE)
    assert_points(wrong(good(), "pending"), SERVICE)


def test_staff_without_certificates_and_their_point_agree():
    assert_points(wrong(good(staff_uncertified=1)), "health_cert")
    assert_points(wrong(failed("health_cert"), "pending"), "staff_uncertified")
    assert_points(wrong(good(staff_uncertified=7)), "staff_uncertified")


def test_a_school_canteen_cannot_do_without_samples():
    assert_points(wrong(good(business="school", samples="na"), items=(CANTEEN,)), "samples")
    assert_accepted(wrong(good(business="restaurant", samples="na")))


def test_dangerous_goods_are_sealed_beside_the_case():
    found = SECTORS.suggest_follow_up(record(failed("expired", "clean"), "pending"), FORM)
    assert {one.kind for one in found} == {"recheck", "case"}
    assert any("查封" in one.note for one in found)
    assert [one.kind for one in SECTORS.suggest_follow_up(record(good(), "none"), FORM)] == ["none"]


def test_the_pool_is_everybody_with_a_licence_and_the_shops_of_chains():
    rule = SECTORS.pool_rule(make_task("catering", items=(SERVICE,)))
    assert (rule.kinds, rule.registers, rule.tags) == (("entity", "site"), (LICENCES,), ())
    assert SECTORS.pool_rule(make_task("catering", items=(CANTEEN,))).tags == ("学校食堂", "托幼机构食堂", "养老机构食堂")


def test_only_who_has_given_up_every_licence_is_left_out():
    task = make_task("catering", items=(SERVICE,))
    batch = [
        make_candidate("A1", attributes={LICENCES: [row(state="注销"), row(number="JY2")]}),
        make_candidate("A2", attributes={LICENCES: [row(state="注销"), row(number="JY2", state="歇业")]}),
        make_candidate("A3#2", kind="site", holder="A3", attributes={LICENCES: [row(valid_to="2020-01-01")]}),
    ]
    assert SECTORS.exclude_from_pool(task, batch) == {"A2": "食品经营许可已注销、吊销、撤销或者歇业"}


def test_food_grades_are_the_worst_in_force_and_never_mixed_with_credit_classes():
    batch = [
        make_candidate("A1", attributes={LICENCES: [row(), row(number="JY2", grade="D")]}),
        make_candidate("A2", attributes={LICENCES: [row(grade="D", state="注销"), row(grade="A级")]}),
        make_candidate("A3", attributes={LICENCES: [row(grade="")]}),
    ]
    assert SECTORS.adjust_risk(make_task("catering", scale="food"), batch) == {"A1": "D", "A2": "A"}
    assert SECTORS.adjust_risk(make_task("catering"), batch) == {}


def test_the_summary_fits_and_shows_nothing_private():
    answers = failed(*POINTS, staff_uncertified=2)
    summary = SECTORS.public_summary(record(answers, "pending"), FORM)
    assert summary == "餐饮服务监督检查：判断56项，不合格56项；抽查结果：发现问题待后续处理。重点项不合格20项，对照要点表为不符合。"
    kept = public_answers(FORM, answers)
    assert not {name for name in kept if name.endswith("_note")} and "contact_person" not in kept and "staff" not in kept
    assert OUTCOMES["not_operating"].label in SECTORS.public_summary(record({"presence": "not_operating"}, "not_operating"), FORM)


def published(entity, on, outcome="none", item=SERVICE):
    return Published(entity, entity, (item,), {item: outcome}, "", date.fromisoformat(on))


def test_the_tracker_counts_everybody_once_and_only_who_was_looked_at():
    task = make_task("catering", items=(SERVICE,), base=8)
    records = [
        published("A", "2025-06-01"), published("A", "2026-06-01"), published("B", "2026-06-02", "pending"), published("B#2", "2026-06-02", item=CANTEEN),
        published("C", "2026-06-03", "not_operating"), published("D", "2024-06-03"), published("E", "2026-06-03", item="registration.licence"),
    ]
    [(sector, page)], faults = SECTORS.publication_pages(task, records)
    assert (sector, page.slug, faults) == ("catering", "coverage-2026", [])
    assert page.blocks[1].body == [["期间", "已全项检查（户）"], ["2025年", 1], ["2026年", 3], ["两年合计（同一户只计一次）", 3]]
    assert "名录有 8 户，两年内已检查 3 户" in page.blocks[0].body
    assert SECTORS.publication_pages(make_task("registration"), records) == ([], [])

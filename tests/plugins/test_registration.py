import pytest

import plugins.registration
from plugins.registration.forms import ITEM_OF, ON_SITE
from portal.domain.forms import public_answers, visible
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_record, problems_of

SECTORS = load_sector(plugins.registration)
FORM = SECTORS.form("registration.check")
ITEMS = [item.code for item in SECTORS.items]
MAIN = "registration.licence"
SEEN = {"presence": "open", "address": "yes", "site_photos": ["p1"], "contact_person": "店长", "refused": "no", "signature": ["s1"]}
GONE = {"presence": "unreachable", "contact_tried": ["visit", "phone"], "presence_note": "6月1日上门，6月3日致电，均无人", "site_photos": ["p1"]}


def good(**changed):
    return answer_all(FORM, "yes", SEEN | changed)


def gone(**changed):
    return answer_all(FORM, "na", GONE | changed)


def messages(answers, outcome="none", items=None, **given):
    return [one.message for one in problems_of(SECTORS, FORM, answers, outcome, items, **given)]


def test_the_sector_says_who_it_is():
    one = SECTORS.sectors["registration"]
    assert (one.code, one.name, one.department) == ("registration", "登记事项", "信用监督管理科")


def test_the_eight_items_are_those_of_the_national_list():
    assert [item.name for item in sorted(SECTORS.items, key=lambda one: list(plugins.registration.ITEMS).index(one))] == [
        "营业执照（登记证）规范使用情况的检查", "名称规范使用情况的检查", "经营（驻在）期限的检查",
        "经营（业务）范围中无需审批的经营（业务）项目的检查", "住所（经营场所）或驻在场所的检查", "注册资本实缴情况的检查",
        "法定代表人（负责人）任职情况的检查", "法定代表人、自然人股东身份真实性的检查",
    ]
    assert {item.category for item in SECTORS.items} == {"登记事项检查"}


def test_every_item_has_a_current_basis_points_and_guide():
    for item in SECTORS.items:
        assert item.guide and item.points and item.kind == "general"
        assert item.basis[0].law in ("中华人民共和国市场主体登记管理条例", "企业名称登记管理规定")
        assert all(basis.article.startswith("第") and basis.article.endswith("条") for basis in item.basis)


@pytest.mark.parametrize("name, code", [
    ("登记事项检查", MAIN), ("登记事项", MAIN), ("名称规范使用情况检查", "registration.name"), ("住所检查", "registration.address"),
    ("经营（驻在）期限的检查", "registration.term"),
])
def test_plans_name_items_in_several_ways(name, code):
    assert [item.code for item in SECTORS.items_named(name)] == [code]


def test_no_two_items_answer_to_the_same_name():
    names = [name for item in SECTORS.items for name in {item.name, *item.aliases}]
    assert len(names) == len(set(names))


def test_every_point_belongs_to_an_item_and_every_item_has_a_point():
    verdicts = [field.name for field in FORM.fields() if field.type == "verdict"]
    assert sorted(ITEM_OF) == sorted([*verdicts, "address"]) and set(ITEM_OF.values()) == set(ITEMS)


def test_every_point_tells_how_to_check_what_is_wrong_and_what_to_photograph():
    for field in FORM.fields():
        if field.name in ITEM_OF:
            assert [line.split("：")[0] for line in field.guide.splitlines()] == ["怎么查", "什么算问题", "拍什么"], field.name


def test_an_untouched_form_is_not_passed():
    told = problems_of(SECTORS, FORM, {})
    assert {"presence", "address", "licence_shown", "licence_genuine", "identity_true", "site_photos"} <= {one.field for one in told}


def test_a_complete_record_without_problems_is_accepted():
    assert_accepted(problems_of(SECTORS, FORM, good()))


@pytest.mark.parametrize("name", [name for name in ITEM_OF if name != "address"])
def test_every_no_asks_for_its_facts_and_contradicts_an_outcome_without_problems(name):
    assert_points(problems_of(SECTORS, FORM, good(**{name: "no"})), f"{name}_note")
    bad = good(**{name: "no", f"{name}_note": "见照片"})
    assert f"这项判为不合格，抽查结果不能是“未发现问题”。" in messages(bad)
    assert f"这项判为不合格，抽查结果不能是“未发现问题”。" in messages(bad, items=[MAIN])
    assert_accepted(problems_of(SECTORS, FORM, bad, "pending", items=[ITEM_OF[name]]))


def test_an_address_that_differs_asks_for_its_facts():
    assert_points(problems_of(SECTORS, FORM, good(address="no")), "address_note")
    assert messages(good(address="no", address_note="在隔壁"), items=["registration.address"]) == ["这项判为不合格，抽查结果不能是“未发现问题”。"]


def test_a_problem_outcome_needs_a_point_that_failed():
    assert messages(good(), "rectified", [MAIN]) == ["抽查结果是“发现问题已责令改正”，但没有一项判为不合格。"]


def test_a_forged_licence_cannot_end_with_an_order_to_rectify():
    forged = good(licence_genuine="no", licence_genuine_note="二维码核对不符")
    assert messages(forged, "rectified", [MAIN]) == ["涉嫌伪造、出租、出借营业执照的，不能以责令改正结束，请选“发现问题待后续处理”。"]
    record = make_record([MAIN], forged, "pending")
    assert [one.kind for one in SECTORS.suggest_follow_up(record, FORM)] == ["case"]


def test_unreachable_closes_the_points_that_need_a_look_inside():
    assert not set(ON_SITE) & set(visible(FORM, GONE, TODAY))
    assert_accepted(problems_of(SECTORS, FORM, gone(), "unreachable"))


def test_unreachable_and_a_pass_on_a_point_on_site_exclude_each_other():
    record = make_record([MAIN], gone(licence_shown="yes"), "unreachable")
    assert [(one.field, one.message) for one in SECTORS.validate_record(record, FORM)] == [
        ("licence_shown", "没有到现场查看，不能对这项作出现场判断，请删除。")
    ]


def test_the_place_is_judged_once_and_only_where_somebody_can_be_reached():
    assert "address" in visible(FORM, SEEN, TODAY) and "address" not in visible(FORM, GONE, TODAY)
    assert [field.name for field in FORM.fields() if any(choice.value == "unreachable" for choice in field.choices)] == ["presence"]


def test_who_refused_left_nothing_to_see_and_has_that_outcome():
    refused = answer_all(FORM, "na", {"presence": "uncooperative", "presence_note": "拒绝进入", "site_photos": ["p1"], "address": "yes"})
    assert not set(ON_SITE) & refused.keys() and messages(refused, "uncooperative") == []
    assert messages(refused, items=[MAIN]) == ["没有到现场查看，抽查结果不能是“未发现问题”。"]
    assert messages(good(), "uncooperative", [MAIN]) == ["抽查结果是“不配合检查情节严重”，但“检查时的状况”选的不是这一种。"]


def test_unreachable_needs_two_ways_of_contact_and_their_story():
    assert messages(gone(contact_tried=["visit"]), "unreachable") == ["认定无法联系要有两种以上联系方式的记录，请补充。"]
    assert_points(problems_of(SECTORS, FORM, gone(presence_note=""), "unreachable"), "presence_note")


def test_unreachable_must_be_the_outcome_of_the_address_and_nothing_else_may_pass_unseen():
    assert messages(gone(), "pending", ["registration.address"]) == ["认定无法联系的，抽查结果应选“通过登记的住所（经营场所）无法联系”。"]
    assert messages(gone(), "none", ["registration.name", "registration.address"], outcomes={
        "registration.name": "none", "registration.address": "unreachable"}) == ["没有到现场查看，抽查结果不能是“未发现问题”。"]
    assert messages(gone(), "none", ["registration.term", "registration.address"], outcomes={
        "registration.term": "none", "registration.address": "unreachable"}) == []
    assert messages(good(), "unreachable", [MAIN]) == ["抽查结果是“通过登记的住所（经营场所）无法联系”，但“检查时的状况”选的不是这一种。"]


def test_a_refused_signature_asks_for_reason_and_witness_instead_of_a_signature():
    refused = good(refused="yes", signature=[])
    assert_points(problems_of(SECTORS, FORM, refused), "refused_note")
    assert_accepted(problems_of(SECTORS, FORM, refused | {"refused_note": "负责人不在，物业某某见证"}))


@pytest.mark.parametrize("phone, ok", [("0595-85678901", True), ("138 0000 0000", True), ("电话", False), ("123", False)])
def test_a_phone_number_looks_like_one(phone, ok):
    assert messages(good(contact_phone=phone)) == ([] if ok else ["联系电话只能是数字、空格和“-”，7 到 20 位。"])


@pytest.mark.parametrize("outcome, kind, days, counts_from", [
    ("none", "none", 0, "inspected"), ("not_operating", "none", 0, "inspected"), ("unreachable", "abnormal_list", 10, "inspected"),
    ("undisclosed", "rectify", 10, "ordered"), ("false_disclosure", "abnormal_list", 10, "inspected"),
    ("rectified", "recheck", 10, "ordered"), ("uncooperative", "case", 0, "inspected"), ("pending", "other", 0, "inspected"),
])
def test_every_outcome_suggests_its_follow_up(outcome, kind, days, counts_from):
    found = SECTORS.suggest_follow_up(make_record([MAIN], good(), outcome), FORM)
    assert [(one.kind, one.due_working_days, one.counts_from) for one in found] == [(kind, days, counts_from)]


def test_a_false_identity_goes_to_the_registration_authority():
    record = make_record(["registration.identity"], good(identity_true="no", identity_true_note="本人否认"), "pending")
    assert [one.kind for one in SECTORS.suggest_follow_up(record, FORM)] == ["transfer"]


def test_the_summary_is_one_sentence_without_persons():
    record = make_record([MAIN], good(name_used="no", name_used_note="张三 13800000000", contact_person="张三"), "rectified")
    assert SECTORS.public_summary(record, FORM) == "登记事项检查：判断11项，不合格1项；抽查结果：发现问题已责令改正。"


def test_only_verdicts_are_public():
    answers = good(name_used="no", name_used_note="事实", contact_phone="0595-85678901", note="其他", opinion="无")
    assert set(public_answers(FORM, answers)) == {*ITEM_OF, "presence"}

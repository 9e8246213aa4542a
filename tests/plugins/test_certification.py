import pytest

import plugins.certification
from portal.domain.scope import meets
from portal.testing import answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.certification)
CCC, VOLUNTARY = "certification.ccc", "certification.voluntary"
SHOP, HOLDER = SECTORS.form("certification.ccc_check"), SECTORS.form("certification.voluntary_check")
START = {"presence": "open", "contact_person": "店长", "refused": "no", "signature": ["s1"]}
FAN = {"goods": "电风扇", "model": "FS40-1", "maker": "某电器厂", "certificate": "2024010702123456", "state": "valid"}


def shop(*products, **changed):
    return answer_all(SHOP, "yes", START | {"role": "seller", "products": list(products or (FAN,))} | changed)


@pytest.mark.parametrize("name, code", [
    ("强制性产品认证监督检查", CCC), ("强制性产品认证获证、证书有效、标志、型号一致性", CCC), ("认证机构监督检查", VOLUNTARY)])
def test_plans_name_items_in_several_ways(name, code):
    assert [one.code for one in SECTORS.items_named(name)] == [code]


def test_complete_records_are_accepted_and_models_are_needed():
    assert_accepted(problems_of(SECTORS, SHOP, shop()))
    assert_accepted(problems_of(SECTORS, HOLDER, answer_all(HOLDER, "yes", START)))
    assert_points(problems_of(SECTORS, SHOP, shop(products=[])), "products")
    assert_points(problems_of(SECTORS, SHOP, shop(FAN | {"certificate": "CCC-1"})), "certificate")


@pytest.mark.parametrize("state, point, kind, outcome", [
    ("none", "certified", "case", "pending"), ("revoked", "certified", "case", "pending"), ("other", "consistent", "notify", "rectified")])
def test_what_the_platform_says_of_a_model_contradicts_a_pass(state, point, kind, outcome):
    answers = shop(FAN, FAN | {"model": "FS40-2", "state": state} | ({"certificate": ""} if state == "none" else {}))
    [problem] = problems_of(SECTORS, SHOP, answers)
    assert problem.field == point and "第 2 个型号（FS40-2）" in problem.message
    found = answers | {point: "no", f"{point}_note": "见查询结果"}
    assert_accepted(problems_of(SECTORS, SHOP, found, outcome))
    assert kind in [one.kind for one in SECTORS.suggest_follow_up(make_record([CCC], found, outcome), SHOP)]
    assert bool(problems_of(SECTORS, SHOP, found, "rectified")) is (point in plugins.certification.GRAVE)


def test_a_certificate_has_a_number():
    assert_points(problems_of(SECTORS, SHOP, shop(FAN | {"certificate": ""})), "certificate")


def test_a_false_conclusion_goes_to_the_certifiers_authority():
    false = answer_all(HOLDER, "yes", START | {"honest": "no", "honest_note": "审核人员没有到场"})
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([VOLUNTARY], false, "pending"), HOLDER)] == ["transfer"]
    assert_points(problems_of(SECTORS, HOLDER, false, "rectified"), "honest")


@pytest.mark.parametrize("items, name, industries, scope, drawn", [
    ((CCC,), "强制性产品认证检查", ["5272"], "", True), ((CCC,), "强制性产品认证检查", ["2451"], "", True), ((CCC,), "强制性产品认证检查", ["1411"], "", False),
    ((CCC,), "汽车销售企业抽查", ["5261"], "", True), ((CCC,), "汽车销售企业抽查", ["5272"], "", False),
    ((CCC,), "汽车销售企业抽查", [], "汽车销售；汽车配件销售", True), ((CCC,), "汽车销售企业抽查", [], "汽车配件销售", False),
    ((VOLUNTARY,), "认证检查", ["7455"], "", True), ((VOLUNTARY,), "认证检查", [], "认证咨询服务", False), ((VOLUNTARY,), "认证检查", ["5272"], "", False),
])
def test_who_is_drawn_and_a_named_trade_narrows_the_catalogue(items, name, industries, scope, drawn):
    assert meets(SECTORS.pool_rule(make_task("certification", items=items, name=name)), industries, scope, (), ()) is drawn

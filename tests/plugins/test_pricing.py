import pytest

import plugins.pricing
from portal.domain.forms import visible
from portal.domain.scope import meets
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.pricing)
SHOP, FEE = SECTORS.form("pricing.marked_check"), SECTORS.form("pricing.fees_check")
MARKED, FRAUDS, FEES = "pricing.marked", "pricing.fraud", "pricing.fees"
START = {"presence": "open", "contact_person": "店长", "refused": "no", "signature": ["s1"]}
PAN = {"name": "炒锅", "marked_price": "99", "charged": "99"}
BILL = {"bill": "P-1", "due_fee": "20", "charged_fee": "20"}


def shop(*goods, **changed):
    return answer_all(SHOP, "yes", START | {"goods": list(goods or (PAN,))} | changed)


def fee(kind, *bills, **changed):
    return answer_all(FEE, "yes", START | {"fee_kind": kind, "bills": list(bills or (BILL,))} | changed)


@pytest.mark.parametrize("name, code", [
    ("明码标价监督检查", MARKED), ("价格监督检查", MARKED), ("价格欺诈检查", FRAUDS), ("停车收费检查", FEES), ("涉企收费检查", FEES)])
def test_plans_name_items_in_several_ways(name, code):
    assert [one.code for one in SECTORS.items_named(name)] == [code]


def test_complete_records_are_accepted():
    assert_accepted(problems_of(SECTORS, SHOP, shop()))
    assert_accepted(problems_of(SECTORS, FEE, fee("parking")))


@pytest.mark.parametrize("kind, asked", [("parking", {"free_time"}), ("property", {"resold_power"}), ("utility", {"resold_power"}), ("school", set())])
def test_the_kind_of_fee_decides_what_is_asked(kind, asked):
    assert set(visible(FEE, fee(kind), TODAY)) & {"free_time", "resold_power"} == asked


def test_a_settled_price_above_the_marked_one_contradicts_a_pass():
    over = shop(PAN, PAN | {"charged": "104.5"})
    [problem] = problems_of(SECTORS, SHOP, over)
    assert problem.field == "extra" and "第 2 种（炒锅）实收比标价多 5.5 元" in problem.message
    found = over | {"extra": "no", "extra_note": "另收包装费"}
    assert_accepted(problems_of(SECTORS, SHOP, found, "rectified", [MARKED]))
    assert "rectify" in [one.kind for one in SECTORS.suggest_follow_up(make_record([MARKED], found, "rectified"), SHOP)]
    assert_points(problems_of(SECTORS, SHOP, shop(PAN | {"charged": "-1"})), "charged")


def test_a_base_above_the_lowest_price_of_seven_days_is_fraud():
    promoted = PAN | {"was": "199", "lowest": "109"}
    assert_points(problems_of(SECTORS, SHOP, shop(promoted)), "base_price")
    assert_accepted(problems_of(SECTORS, SHOP, shop(promoted | {"lowest": "199"})))
    base = shop(promoted, base_price="no", base_price_note="原价从未成交")
    assert_points(problems_of(SECTORS, SHOP, base, "pending", [FRAUDS]), "no_fraud")
    fraud = base | {"no_fraud": "no", "no_fraud_note": "虚构原价"}
    assert_points(problems_of(SECTORS, SHOP, fraud, "pending", [FRAUDS]), "fraud_kinds")
    fraud |= {"fraud_kinds": ["comparison"]}
    assert_accepted(problems_of(SECTORS, SHOP, fraud, "pending", [FRAUDS]))
    assert_points(problems_of(SECTORS, SHOP, fraud, "rectified", [FRAUDS]), "no_fraud")
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([FRAUDS], fraud, "pending"), SHOP)] == ["case"]


def test_the_eight_forms_of_fraud_are_offered():
    assert len(plugins.pricing.FRAUD) == 8


def test_a_bill_above_what_is_due_contradicts_a_pass():
    over = fee("parking", BILL | {"charged_fee": "26"})
    assert_points(problems_of(SECTORS, FEE, over), "government_price")
    assert_accepted(problems_of(SECTORS, FEE, over | {"government_price": "na"}))  # a market price: nothing was prescribed
    assert_accepted(problems_of(SECTORS, FEE, over | {"government_price": "no", "government_price_note": "多收 6 元"}, "pending"))


@pytest.mark.parametrize("items, name, industries, scope, drawn", [
    ((MARKED,), "明码标价检查", ["5212"], "", True), ((MARKED,), "明码标价检查", ["1411"], "", False), ((MARKED,), "明码标价检查", [], "零售日用百货", True),
    ((FEES,), "停车收费检查", ["7020"], "", True), ((FEES,), "停车收费检查", ["7869"], "", False), ((FEES,), "收费检查", ["7869"], "", True),
    ((FEES,), "物业收费检查", [], "物业管理", True), ((FEES,), "物业收费检查", [], "停车场服务", False), ((FEES,), "收费检查", ["5212"], "", False),
])
def test_who_is_drawn_and_a_named_trade_narrows(items, name, industries, scope, drawn):
    assert meets(SECTORS.pool_rule(make_task("pricing", items=items, name=name)), industries, scope, (), ()) is drawn

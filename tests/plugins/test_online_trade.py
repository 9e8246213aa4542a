import pytest

import plugins.online_trade
from portal.domain.forms import visible
from portal.domain.scope import meets
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.online_trade)
SHOP_FORM, PLATFORM_FORM = SECTORS.form("online_trade.shop_check"), SECTORS.form("online_trade.platform_check")
SHOP, PLATFORM = "online_trade.shop", "online_trade.platform"
START = {"presence": "open", "contact_person": "店主", "refused": "no", "signature": ["s1"]}


def shop(**changed):
    return answer_all(SHOP_FORM, "yes", START | {"self_made": "no", "platform_name": "某平台", "addresses": "某某小店", "live": "no"} | changed)


def platform(**changed):
    return answer_all(PLATFORM_FORM, "yes", START | {"sampled": 30, "unverified": 0} | changed)


@pytest.mark.parametrize("name, code", [
    ("网络交易经营者监督检查", SHOP), ("网络商品交易及有关服务行为检查", SHOP), ("网络交易监督检查", SHOP), ("电子商务平台检查", PLATFORM)])
def test_plans_name_items_in_several_ways(name, code):
    assert [one.code for one in SECTORS.items_named(name)] == [code]


def test_complete_records_are_accepted():
    assert_accepted(problems_of(SECTORS, SHOP_FORM, shop()))
    assert_accepted(problems_of(SECTORS, PLATFORM_FORM, platform()))


def test_a_shop_on_a_platform_names_it_and_its_own_site_need_not():
    assert_points(problems_of(SECTORS, SHOP_FORM, shop(platform_name="")), "platform_name")
    assert_accepted(problems_of(SECTORS, SHOP_FORM, shop(self_made="yes", platform_name="")))


def test_live_selling_opens_its_point():
    assert "live_host" not in visible(SHOP_FORM, shop(), TODAY)
    assert_points(problems_of(SECTORS, SHOP_FORM, {**shop(), "live": "yes"}), "live_host")


def test_numbers_of_the_sample_agree_with_the_verdict():
    assert_points(problems_of(SECTORS, PLATFORM_FORM, platform(unverified=2)), "verified")
    assert_points(problems_of(SECTORS, PLATFORM_FORM, platform(unverified=31)), "unverified")
    assert_points(problems_of(SECTORS, PLATFORM_FORM, platform(sampled=0)), "sampled")
    assert_accepted(problems_of(SECTORS, PLATFORM_FORM, platform(unverified=2, verified="no", verified_note="两家冒用"), "rectified"))


@pytest.mark.parametrize("point, kind", [("false_trade", "case"), ("shown", "rectify"), ("hidden_goods", "transfer"), ("disclosed", "other")])
def test_what_failed_decides_what_follows(point, kind):
    answers = shop(**{point: "no", f"{point}_note": "见截图"})
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([SHOP], answers, "pending"), SHOP_FORM)] == [kind]
    assert bool(problems_of(SECTORS, SHOP_FORM, answers, "rectified")) is (point in plugins.online_trade.GRAVE)


@pytest.mark.parametrize("items, industries, scope, drawn", [
    ((SHOP,), ["5292"], "", True), ((SHOP,), ["5212"], "", False), ((SHOP,), [], "互联网零售", True), ((SHOP,), [], "计算机网络工程", False),
    ((PLATFORM,), ["6432"], "", True), ((PLATFORM,), ["5292"], "", False), ((PLATFORM,), [], "互联网生活服务平台", True),
    ((SHOP, PLATFORM), ["6432"], "", True),
])
def test_who_is_drawn(items, industries, scope, drawn):
    assert meets(SECTORS.pool_rule(make_task("online_trade", items=items)), industries, scope, (), ()) is drawn

import pytest

import plugins.food_sales
from portal.domain.forms import visible
from portal.domain.scope import meets
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.food_sales)
FORM = SECTORS.form("food_sales.check")
MAIN, CAMPUS, SPECIAL = "food_sales.supervision", "food_sales.campus", "food_sales.special"


def filled(*kinds, **changed):
    start = {"presence": "open", "contact_person": "店长", "refused": "no", "signature": ["s1"], "kinds": list(kinds or ("packed",))}
    return answer_all(FORM, "yes", start | changed)


@pytest.mark.parametrize("name, code", [
    ("食品销售监督检查", MAIN), ("校园周边食品销售者检查", CAMPUS), ("食品流通监督检查", MAIN), ("保健食品销售监督检查", SPECIAL)])
def test_plans_name_items_in_several_ways(name, code):
    assert [one.code for one in SECTORS.items_named(name)] == [code]


def test_what_a_shop_sells_decides_what_is_asked():
    plain = set(visible(FORM, filled(), TODAY))
    assert not plain & {"loose", "cold", "produce", "imported", "online", "alcohol", "registered"}
    every = set(visible(FORM, filled("loose", "cold", "produce", "imported", "online", "campus", "special"), TODAY))
    assert {"loose", "cold", "produce", "imported", "online", "alcohol", "tobacco", "children", "registered", "counter", "claims"} <= every
    assert_accepted(problems_of(SECTORS, FORM, filled(), items=[MAIN]))


def test_a_warm_freezer_asks_for_its_temperature():
    warm = filled("cold", cold="no", cold_note="显示 -18 ℃，实测不符")
    assert_points(problems_of(SECTORS, FORM, warm, "rectified", [MAIN]), "cold_measured")
    assert_accepted(problems_of(SECTORS, FORM, warm | {"cold_measured": "-6"}, "rectified", [MAIN]))
    assert_points(problems_of(SECTORS, FORM, warm | {"cold_measured": "180"}, "rectified", [MAIN]), "cold_measured")


@pytest.mark.parametrize("item, kind", [(CAMPUS, "campus"), (SPECIAL, "special")])
def test_an_item_on_campus_or_special_food_cannot_be_checked_without_its_part(item, kind):
    assert_points(problems_of(SECTORS, FORM, filled(), items=[item]), "kinds")
    assert_accepted(problems_of(SECTORS, FORM, filled(kind), items=[item]))


def test_listed_expired_food_contradicts_a_pass():
    listed = [{"goods": "酸奶 100g", "until": "2026-06-01", "pieces": 3}]
    assert_points(problems_of(SECTORS, FORM, filled(found_expired=listed), items=[MAIN]), "in_date")
    assert_accepted(problems_of(SECTORS, FORM, filled(found_expired=listed, in_date="no", in_date_note="三件"), "rectified", [MAIN]))
    soon = [{"goods": "酸奶 100g", "until": "2026-06-15", "pieces": 3}]
    assert_accepted(problems_of(SECTORS, FORM, filled(found_expired=soon), items=[MAIN]))


@pytest.mark.parametrize("point, kinds, item, kind", [
    ("licence", (), MAIN, "case"), ("forbidden", (), MAIN, "case"), ("tobacco", ("campus",), CAMPUS, "notify"), ("label", (), MAIN, "other")])
def test_what_failed_decides_what_follows(point, kinds, item, kind):
    answers = filled(*kinds, **{point: "no", f"{point}_note": "见照片"})
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([item], answers, "pending"), FORM)] == [kind]
    assert bool(problems_of(SECTORS, FORM, answers, "rectified", [item])) is (point in plugins.food_sales.GRAVE)


@pytest.mark.parametrize("items, industries, scope, tags, drawn", [
    ((MAIN,), ["5212"], "", (), True), ((MAIN,), ["5128"], "", (), False), ((MAIN,), ["5227"], "烟草零售", (), False),
    ((MAIN,), [], "零售预包装食品兼散装食品", (), True), ((MAIN,), [], "销售食品机械", (), False), ((MAIN,), ["6210"], "", ("食品销售",), True),
    ((CAMPUS,), ["5212"], "", (), False), ((CAMPUS,), ["5212"], "", ("校园周边",), True),
    ((SPECIAL,), ["5251"], "", (), True), ((SPECIAL,), ["5212"], "", (), False), ((SPECIAL,), [], "保健食品零售", (), True),
    ((MAIN, CAMPUS), ["5212"], "", (), True),
])
def test_who_is_drawn(items, industries, scope, tags, drawn):
    assert meets(SECTORS.pool_rule(make_task("food_sales", items=items)), industries, scope, tags, ()) is drawn

import pytest

import plugins.food_production
from portal.domain.forms import visible
from portal.domain.scope import meets
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.food_production)
FORM = SECTORS.form("food_production.check")
MAIN, DUTY = "food_production.supervision", "food_production.duty"
OPEN = {"presence": "open", "contact_person": "厂长", "refused": "no", "signature": ["s1"], "failed_batch": "no"}


def filled(**changed):
    return answer_all(FORM, "yes", OPEN | changed)


def test_the_twelve_groups_of_the_rules_are_asked():
    item = SECTORS.item(MAIN)
    assert len(item.points) == 12 and item.kind == "key" and ("食品生产经营监督检查管理办法", "第十五条") in {(b.law, b.article) for b in item.basis}
    keys = [field.name for field in FORM.fields() if field.key]
    assert {"licence", "purchase", "process", "additives", "banned", "testing", "recall", "health", "trace"} <= set(keys)
    assert_accepted(problems_of(SECTORS, FORM, filled()))


@pytest.mark.parametrize("name, code", [
    ("食品生产监督检查", MAIN), ("食品生产企业监督检查", MAIN), ("食品安全主体责任落实情况检查", DUTY)])
def test_plans_name_items_in_several_ways(name, code):
    assert [one.code for one in SECTORS.items_named(name)] == [code]


def test_a_wrong_additive_asks_for_its_kind_and_a_foreign_substance_is_a_point_of_its_own():
    wrong = filled(additives="no", additives_note="算得 2.4 g/kg，限量 1.0 g/kg")
    assert "additive_faults" in visible(FORM, wrong, TODAY) and "additive_faults" not in visible(FORM, filled(), TODAY)
    assert_points(problems_of(SECTORS, FORM, wrong), "additive_faults")
    assert_accepted(problems_of(SECTORS, FORM, wrong | {"additive_faults": ["limit"]}, "rectified", [MAIN]))
    foreign = wrong | {"additive_faults": ["beyond_goods"]}
    assert_points(problems_of(SECTORS, FORM, foreign, "rectified", [MAIN]), "banned")
    assert_accepted(problems_of(SECTORS, FORM, foreign | {"banned": "no", "banned_note": "工业明胶两袋"}, "pending", [MAIN]))


def test_a_failed_batch_makes_its_recall_a_question():
    assert_points(problems_of(SECTORS, FORM, filled(failed_batch="yes", recall="na")), "recall")
    assert_accepted(problems_of(SECTORS, FORM, filled(failed_batch="yes")))
    assert_accepted(problems_of(SECTORS, FORM, filled(recall="na")))


@pytest.mark.parametrize("point, kind", [("licence", "case"), ("banned", "case"), ("recall", "recheck")])
def test_what_failed_decides_what_follows(point, kind):
    answers = filled(**{point: "no", f"{point}_note": "见照片"})
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([MAIN], answers, "pending"), FORM)] == [kind]
    grave = point in plugins.food_production.GRAVE
    assert bool(problems_of(SECTORS, FORM, answers, "rectified", [MAIN])) is grave


@pytest.mark.parametrize("industries, scope, drawn", [
    (["1421"], "", True), (["1321"], "宠物饲料加工", False), (["1351"], "", False), (["1511"], "", False),
    ([], "生产糖果、蜜饯；货物进出口", True), ([], "批发食品加工机械", False), ([], "零售预包装食品", False), (["5226"], "生产茶叶", False),
])
def test_makers_of_food_are_drawn(industries, scope, drawn):
    assert meets(SECTORS.pool_rule(make_task("food_production")), industries, scope, (), ()) is drawn


def test_a_tag_of_the_bureau_brings_in_whom_no_code_finds():
    assert meets(SECTORS.pool_rule(make_task("food_production")), ["6513"], "", ("食品生产",), ())

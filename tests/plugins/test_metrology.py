import pytest

import plugins.metrology
from portal.domain.scope import meets
from portal.testing import answer_all, assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.metrology)
USE, PACK = SECTORS.form("metrology.in_use_check"), SECTORS.form("metrology.packed_check")
IN_USE, PACKED, UNITS = "metrology.in_use", "metrology.packed", "metrology.units"
START = {"presence": "open", "contact_person": "店长", "refused": "no", "signature": ["s1"]}
SCALE = {"kind": "scale", "number": "A-17", "verified": "yes", "valid_until": "2026-12-31", "seal": "whole"}
BATCH = {"goods": "大米 20260501", "nominal": "5000", "average": "5004.2", "over": 0}


def in_use(*instruments, **changed):
    return answer_all(USE, "yes", START | {"instruments": list(instruments or (SCALE,))} | changed)


def packed(*batches, **changed):
    return answer_all(PACK, "yes", START | {"batches": list(batches or (BATCH,))} | changed)


@pytest.mark.parametrize("name, code", [
    ("在用计量器具监督检查", IN_USE), ("计量监督检查", IN_USE), ("定量包装商品净含量检查", PACKED), ("计量单位使用情况检查", UNITS)])
def test_plans_name_items_in_several_ways(name, code):
    assert [one.code for one in SECTORS.items_named(name)] == [code]


def test_complete_records_are_accepted():
    assert_accepted(problems_of(SECTORS, USE, in_use()))
    assert_accepted(problems_of(SECTORS, PACK, packed()))
    assert_points(problems_of(SECTORS, USE, in_use(instruments=[])), "instruments")


@pytest.mark.parametrize("changed, point", [
    ({"valid_until": "2026-06-14"}, "in_period"), ({"verified": "absent", "valid_until": ""}, "in_period"), ({"seal": "broken"}, "in_period"),
])
def test_an_instrument_out_of_date_or_unsealed_contradicts_a_pass(changed, point):
    answers = in_use(SCALE, SCALE | changed)
    [problem] = problems_of(SECTORS, USE, answers)
    assert problem.field == point and "第 2 台（A-17）" in problem.message
    assert_accepted(problems_of(SECTORS, USE, answers | {"in_period": "no", "in_period_note": "见照片"}, "rectified", [IN_USE]))


def test_a_forged_seal_is_tampering_until_explained():
    forged = in_use(SCALE | {"seal": "forged"})
    assert_points(problems_of(SECTORS, USE, forged), "in_period", "untampered")
    found = forged | {"in_period": "no", "in_period_note": "伪造", "untampered": "no", "untampered_note": "有作弊密码"}
    assert_points(problems_of(SECTORS, USE, found, "rectified", [IN_USE]), "untampered")
    assert_accepted(problems_of(SECTORS, USE, found, "pending", [IN_USE]))
    kinds = [one.kind for one in SECTORS.suggest_follow_up(make_record([IN_USE], found, "pending"), USE)]
    assert kinds == ["case", "recheck"]


def test_short_weight_asks_for_how_much():
    short = in_use(retail="no", retail_note="标 500 克")
    assert_points(problems_of(SECTORS, USE, short, "rectified", [IN_USE]), "short_by")
    assert_points(problems_of(SECTORS, USE, short | {"short_by": "0"}, "rectified", [IN_USE]), "short_by")
    assert_accepted(problems_of(SECTORS, USE, short | {"short_by": "35"}, "rectified", [IN_USE]))


@pytest.mark.parametrize("changed, point", [({"average": "4990"}, "batch"), ({"over": 2}, "each")])
def test_measured_batches_contradict_a_pass(changed, point):
    answers = packed(BATCH | changed)
    assert_points(problems_of(SECTORS, PACK, answers), point)
    failed = answers | {point: "no", f"{point}_note": "见称量表"}
    assert_accepted(problems_of(SECTORS, PACK, failed, "pending"))
    assert [one.due_working_days for one in SECTORS.suggest_follow_up(make_record([PACKED], failed, "none"), PACK)] == [15]


@pytest.mark.parametrize("items, industries, scope, drawn", [
    ((IN_USE,), ["5265"], "", True), ((IN_USE,), ["8421"], "", True), ((IN_USE,), ["6513"], "", False), ((IN_USE,), [], "零售汽油、柴油", True),
    ((IN_USE,), [], "验光配镜", True), ((IN_USE,), [], "医院管理咨询", False), ((UNITS,), ["5212"], "", True),
    ((PACKED,), ["1521"], "", True), ((PACKED,), ["5212"], "", False), ((PACKED,), [], "生产洗涤用品", True), ((PACKED,), [], "食品机械制造", False),
])
def test_who_is_drawn(items, industries, scope, drawn):
    assert meets(SECTORS.pool_rule(make_task("metrology", items=items)), industries, scope, (), ()) is drawn

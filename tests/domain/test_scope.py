import pytest

from portal.domain.scope import meets, names_trade
from portal.plugin import PoolRule


@pytest.mark.parametrize("scope, phrase, said", [
    ("生产蜜饯、糖果；销售日用百货", "蜜饯 生产", True),
    ("销售蜜饯；生产日用百货", "蜜饯 生产", False),  # two clauses, two trades
    ("化工原料（不含食品添加剂）销售", "食品添加剂", False),
    ("自营和代理进出口业务,但国家禁止进出口的食品除外。茶叶销售", "食品", False),
    ("企业管理咨询(证券、期货、认证咨询除外)", "认证", False),
    ("批发食品加工机械、制冷设备", "食品 加工 -机械", False),
    ("食品加工；食品机械维修", "食品 加工 -机械", True),
    ("", "食品", False),
])
def test_a_clause_names_a_trade_and_what_is_excluded_does_not(scope, phrase, said):
    assert names_trade(scope, [phrase]) is said


BY_SCOPE = PoolRule(industries=("14",), scope=("食品 生产",))


@pytest.mark.parametrize("industries, scope, tags, rule, said", [
    (["1411"], "", [], BY_SCOPE, True),
    (["6513"], "食品生产", [], BY_SCOPE, False),  # the register says what it is
    ([], "食品生产", [], BY_SCOPE, True),
    ([], "软件开发", [], BY_SCOPE, False),
    ([], "食品生产", [], PoolRule(industries=("14",)), False),
    ([], "软件开发", ["食品生产"], PoolRule(industries=("14",), scope=("食品 生产",), tags=("食品生产",)), False),
    ([], "软件开发", ["食品生产"], PoolRule(industries=("14",), scope=("食品 生产",), tags=("食品生产",), any_of=True), True),
    ([], "软件开发", [], PoolRule(industries=("14",), tags=("食品生产",), any_of=True), False),
    ([], "软件开发", [], PoolRule(any_of=True), True),
    ([], "软件开发", [], PoolRule(registers=("x.y",)), False),
])
def test_scope_stands_in_for_a_missing_industry_and_any_of_widens(industries, scope, tags, rule, said):
    assert meets(rule, industries, scope, tags, ()) is said

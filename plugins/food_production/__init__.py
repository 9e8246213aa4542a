"""食品生产监督检查: the twelve groups of points of the supervision rules, and who answers for safety in the company.

食品生产经营监督检查管理办法 (总局令第 49 号) 第十五条 names the twelve groups and is taken from the checked
text. Its 第八条 and 第十六条, and the articles of 食品安全法 (2021 text, numbers unchanged by the amendment in force since 2025-12-01) and of
总局令第 60 号 (its title and number are on stored pages) are cited from memory [M] and to be confirmed by a person before release.
No qualification beyond the certificate: the rules ask for training and tests, no separate licence of inspectors.
"""

from plugins.food_production.forms import FORMS, POINTS
from plugins.food_production.items import CATEGORY, ITEMS, MAIN
from portal.plugin import Findings, FollowUp, PoolRule, Problem, Sector, check_record, hookimpl

#: points whose 不合格 is not settled by an order
GRAVE = ("licence", "banned")
CASES = {
    "licence": FollowUp("case", 0, "inspected", "涉嫌未经许可或者超出许可范围生产食品，移送办案机构，先行控制涉案产品。"),
    "banned": FollowUp("case", 0, "inspected", "涉嫌使用非食品原料或者添加食品添加剂以外的物质，移送办案机构；可能构成犯罪的，按行刑衔接规定移送公安机关。"),
    "recall": FollowUp("recheck", 5, "ordered", "核对不合格食品停止生产、召回和处置的记录。"),
}
# Feed (132), inedible oil (1332), slaughter (1351, 1352) and alcohol for industry (1511) need no food licence.
INDUSTRIES = (
    "131", "1331", "134", "1353", "136", "137", "139", "14", "1512", "1513", "1514", "1515", "1519", "152", "153",
)  # fmt: skip
_NOT = "-机械 -设备 -饲料 -包装 -预包装 -技术 -研究 -咨询 -研发 -生产资料"
_GOODS = ("食品", "糕点", "糖果", "蜜饯", "罐头", "饮料", "矿泉水", "茶叶", "大米", "粮食", "食用油", "食用植物油", "水产品", "肉制品", "豆制品",
          "酱油", "调味品", "味精", "乳制品", "白酒", "啤酒", "黄酒", "葡萄酒", "食盐", "食糖", "面粉", "淀粉", "食品添加剂")  # fmt: skip
SCOPE = tuple(f"{goods} {making} {_NOT}" for goods in _GOODS for making in ("生产", "加工", "制造", "酿造"))


@hookimpl
def sector():
    return Sector(
        "food_production", "食品生产", department="食品生产安全监督管理科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    return PoolRule(industries=INDUSTRIES, scope=SCOPE, tags=("食品生产",), any_of=True)


@hookimpl
def validate_record(record, form):
    answers, problems = record.answers, check_record(record, POINTS, MAIN, GRAVE)
    if "beyond_goods" in answers.get("additive_faults", ()) and answers.get("banned") != "no":
        problems.append(Problem("banned", "“食品添加剂”一项写明用了非食品原料或者其他物质，这一项应当判为不合格。"))
    if answers.get("failed_batch") == "yes" and answers.get("recall") == "na":
        problems.append(Problem("recall", "近一年有不合格批次，处置和召回不能选不适用，请核对记录后判断。"))
    return problems

"""食品销售监督检查: sellers of food, sellers beside schools, sellers of special food.

食品生产经营监督检查管理办法 (总局令第 49 号) 第十七、十八条 name the points and are taken from the checked text.
未成年人保护法 第五十九条 is as quoted on two stored pages. 食品安全法 is cited from memory [M], to be confirmed by a person before release.
"""

from plugins.food_sales.forms import FORMS, POINTS
from plugins.food_sales.items import CAMPUS, CATEGORY, ITEMS, MAIN, SPECIAL
from portal.plugin import Findings, FollowUp, PoolRule, Problem, Sector, check_record, hookimpl

GRAVE = ("licence", "forbidden")
CASES = {
    "licence": FollowUp("case", 0, "inspected", "涉嫌未经许可、未备案从事食品销售，移送办案机构。"),
    "forbidden": FollowUp("case", 0, "inspected", "涉嫌销售禁止生产经营的食品，封存并移送办案机构。"),
    "tobacco": FollowUp("notify", 5, "inspected", "学校周边违反规定销售烟草制品，抄告烟草专卖行政主管部门；销售酒类的自行处理。"),
}
#: 综合零售, 食品批发（不含烟草）, 食品零售（不含烟草）; 5192 and 5297 are pet food
INDUSTRIES = (
    "521", "5121", "5122", "5123", "5124", "5125", "5126", "5127", "5129", "5221", "5222", "5223", "5224", "5225", "5226", "5229",
)  # fmt: skip
_SELLING = ("销售", "零售", "批发", "经营", "批零")
_GOODS = ("预包装食品", "散装食品", "副食品", "乳制品", "保健食品", "食用农产品", "食盐", "茶叶", "酒类", "粮油", "冷冻食品")
SCOPE = (
    *(f"{goods} {selling} -机械" for goods in _GOODS for selling in _SELLING),
    *(f"食品 {selling} -机械 -设备 -饲料 -包装 -添加剂 -用品 -宠物 -原料" for selling in ("销售", "零售", "批发")), "超市 -设备 -管理 -货架 -设计",
)  # fmt: skip


@hookimpl
def sector():
    return Sector(
        "food_sales", "食品销售", department="食品流通安全监督管理科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    # Whether a shop lies beside a school, and who sells special food, no industry code says: the bureau tags them.
    if list(task.items) == [CAMPUS]:
        return PoolRule(tags=("校园周边",))
    if list(task.items) == [SPECIAL]:
        return PoolRule(industries=("5126", "5225", "5251", "5252"), tags=("特殊食品销售",), any_of=True,
                        scope=("保健食品 销售", "保健食品 零售", "保健食品 批发", "保健食品 经营", "婴幼儿配方"))  # fmt: skip
    return PoolRule(industries=INDUSTRIES, scope=SCOPE, tags=("食品销售",), any_of=True)


@hookimpl
def validate_record(record, form):
    answers, problems = record.answers, check_record(record, POINTS, MAIN, GRAVE)
    if answers.get("presence") != "open":
        return problems
    kinds = answers.get("kinds", ())
    for item, kind, what in ((CAMPUS, "campus", "学校、幼儿园周边"), (SPECIAL, "special", "销售特殊食品")):
        if item in record.outcomes and kind not in kinds:
            problems.append(Problem("kinds", f"本次检查含“{what}”的事项，请在这里选上；确实不属于的，请在“检查时的状况”中说明。"))
    expired = [row for row in answers.get("found_expired", ()) if row.get("until", "9999") < record.inspected_on.isoformat()]
    if expired and answers.get("in_date") == "yes":
        problems.append(Problem("in_date", f"登记了{len(expired)}种超过保质期的食品，这一项不能判为合格。"))
    return problems

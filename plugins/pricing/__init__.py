"""价格监督检查: marked prices, price fraud, fees that must not be charged.

价格法 第十三、十四、三十三至三十五条 and 明码标价和禁止价格欺诈规定 (总局令第 56 号) 第五至八、十一至十三、十五至二十条 are of the
checked list; the eight forms of fraud are those of 第十九条. The rule of the lowest price of seven days is that of
规范促销行为暂行规定 as quoted on stored pages; that it is its 第二十一条, and 价格法 第十二条, are [M]. Which fees a place may charge is its own catalogue.
"""

from datetime import date

from plugins.pricing.forms import FEE_FORM, FORMS, FRAUD, LAW, MARK_FORM, POINTS, PROMOTION, RULES
from portal.plugin import (
    CERTIFICATE_ONLY, CheckItem, Findings, FollowUp, PoolRule, Problem, Sector, articles, check_record, hookimpl,
)  # fmt: skip

CATEGORY = "价格行为检查"
MARKED, FRAUDS, FEES = "pricing.marked", "pricing.fraud", "pricing.fees"
GRAVE = ("no_fraud", "government_price")
CASES = {
    "no_fraud": FollowUp("case", 0, "inspected", "涉嫌价格欺诈，固定标价、宣传和交易记录后移送办案机构。"),
    "government_price": FollowUp("case", 0, "inspected", "涉嫌不执行政府定价、政府指导价，移送办案机构并责令清退多收价款。"),
    "extra": FollowUp("rectify", 10, "ordered", "责令停止标价之外加价、收费，退还多收的价款。"),
    "listed_fees": FollowUp("rectify", 10, "ordered", "责令停止收取未列明的费用并退还。"),
}

#: words of a task's name -> the trade it is about
TRADES = {
    "停车": (("5449", "7020", "7221"), ("停车 -设备 -系统 -设计 -划线", "停车场 -建设")),
    "物业": (("7020",), ("物业管理", "物业服务")),
    "景区": (("786", "785"), ("景区", "旅游景点", "风景区")),
    "充电": (("5267",), ("充电桩 运营", "充电站", "充电 服务")),
    "住宿": (("61",), ("住宿 -咨询", "旅馆", "宾馆 -用品 -管理 -设备", "酒店 -用品 -管理 -设备 -设计 -投资")),
    "水电": (("442", "451", "461"), ("供电 -设备 -工程", "自来水", "燃气 供应", "管道燃气")),
    "教育": (("839",), ("培训 教育", "文化培训")),
    "医疗": (("841", "842"), ("诊疗 -设备 -器具", "门诊部", "医院 -管理 -设备 -器械 -投资 -后勤 -物业")),
}
RETAIL = ("521", "522", "523", "524", "525", "527", "528", "61", "5267")
RETAIL_SCOPE = (
    "零售 -化工 -矿产 -钢材 -金属材料 -原料 -饲料 -易制毒 -面料 -机械配件", "百货 销售", "住宿 -咨询", "餐饮服务 -管理", "商场 经营",
    "超市 -设备 -管理 -货架 -设计 -建造 -房 -配送",
)


ITEMS = (
    CheckItem(
        MARKED, "2026-1", CATEGORY, "明码标价监督检查", MARK_FORM, articles((LAW, "第十三条、第三十三条、第三十四条、第三十五条"),
        (RULES, "第五条、第六条、第七条、第八条、第十一条、第十二条、第十三条")), objects="销售商品、提供服务的经营者", methods=("现场检查", "网络检查"),
        points=("标价内容齐全、真实", "不在标价之外加价", "服务项目和收费标准公示"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("价格监督检查", "明码标价检查", "明码标价执行情况检查", "价格行为检查", "明码标价情况的检查", "商品和服务明码标价检查"),
        guide="先以消费者身份看标价、问价、结账，再亮证检查；网店看商品页、结算页两处的价格。",
    ),
    CheckItem(
        FRAUDS, "2026-1", CATEGORY, "价格欺诈行为检查", MARK_FORM, articles((LAW, "第十四条、第三十三条、第三十四条、第三十五条"),
        (RULES, "第十五条、第十六条、第十七条、第十八条、第十九条、第二十条"), (PROMOTION, "第二十一条")), objects="开展促销、比较价格的经营者", methods=("现场检查", "网络检查"),
        points=("折价、减价的基准真实", "被比较价格有依据", "没有八种价格欺诈行为"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("价格欺诈检查", "禁止价格欺诈行为检查", "促销活动价格行为检查"),
        guide="抽三种促销商品，调取促销前七日的成交记录；没有成交的，要经营者说明原价的依据。",
    ),
    CheckItem(
        FEES, "2026-1", CATEGORY, "收费行为监督检查", FEE_FORM, articles((LAW, "第十二条、第十三条、第三十三条、第三十五条"), (RULES, "第五条、第十三条")),
        objects="水电气、物业、停车、充电、景区、教育、医疗等收费的经营者", methods=("现场检查", "书面检查"),
        points=("执行政府定价、政府指导价", "收费公示", "不收取未列明的费用"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("收费监督检查", "涉企收费检查", "停车收费检查", "物业收费检查", "景区价格检查", "水电气价格检查", "转供电价格检查", "教育收费检查", "医疗服务价格检查"),
        guide="先查当地定价目录和收费文件，再抽三笔缴费单据，按文件重新计算。",
    ),
)  # fmt: skip


@hookimpl
def sector():
    return Sector(
        "pricing", "价格", department="价格监督检查和反不正当竞争科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    named = [parts for word, parts in TRADES.items() if word in task.name]
    if not named and FEES in task.items:
        named = list(TRADES.values())
    if named:
        industries, scope = (tuple(dict.fromkeys(one for part in named for one in part[n])) for n in (0, 1))
        return PoolRule(industries=industries, scope=scope)
    return PoolRule(industries=RETAIL, scope=RETAIL_SCOPE)


@hookimpl
def validate_record(record, form):
    answers = record.answers
    problems = check_record(record, POINTS[form.code], MARKED, GRAVE)
    for number, row in enumerate(answers.get("goods", ()), 1):
        over = float(row.get("charged", 0)) - float(row.get("marked_price", 0))
        if over > 0 and answers.get("extra") == "yes":
            problems.append(Problem("extra", f"第 {number} 种（{row.get('name', '')}）实收比标价多 {over:g} 元，这一项不能判为合格。"))
        lowest = row.get("lowest")
        if lowest and row.get("was") and float(row["was"]) > float(lowest) and answers.get("base_price") == "yes":
            problems.append(Problem("base_price", f"第 {number} 种（{row.get('name', '')}）的原价 {row['was']} 元高于七日内最低成交价 {lowest} 元，请核对后重新判断。"))
    if answers.get("no_fraud") == "yes" and answers.get("base_price") == "no":
        problems.append(Problem("no_fraud", f"比较的基准不真实，属于“{FRAUD[2].label}”，这一项不能判为合格。"))
    for number, row in enumerate(answers.get("bills", ()), 1):
        over = float(row.get("charged_fee", 0)) - float(row.get("due_fee", 0))
        if over > 0 and answers.get("government_price") == "yes":
            problems.append(Problem("government_price", f"第 {number} 笔多收 {over:g} 元，这一项不能判为合格。"))
    return problems

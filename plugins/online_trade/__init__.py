"""网络交易监督检查: platforms, and who sells on them or on a site of their own.

电子商务法 第十、十五、十六、十八、十九、二十七、二十八、三十三、三十七条 are of the checked list; 网络交易监督管理办法 (总局令第 37 号)
is cited as a whole, its number as published. Checks are made from the page first; a visit follows what the page says.
"""

from datetime import date

from plugins.online_trade.forms import FORMS, LAW, PLATFORM_FORM, POINTS, RULES, SHOP_FORM
from portal.plugin import (
    CERTIFICATE_ONLY, CheckItem, Findings, FollowUp, PoolRule, Problem, Sector, articles, check_record, hookimpl,
)  # fmt: skip

CATEGORY = "网络市场监督检查"
SHOP, PLATFORM = "online_trade.shop", "online_trade.platform"
GRAVE = ("false_trade",)
CASES = {
    "false_trade": FollowUp("case", 0, "inspected", "涉嫌虚构交易、编造评价等虚假宣传，固定电子数据后移送办案机构。"),
    "shown": FollowUp("rectify", 5, "ordered", "责令限期公示营业执照、许可信息；平台未采取措施的一并处理。"),
    "verified": FollowUp("rectify", 10, "ordered", "责令限期核验、登记平台内经营者身份信息。"),
    "hidden_goods": FollowUp("transfer", 3, "inspected", "页面有禁止、限制交易的商品，先要求平台下架，再移送有管辖权的部门。"),
}


ITEMS = (
    CheckItem(
        SHOP, "2026-1", CATEGORY, "网络交易经营者监督检查", SHOP_FORM,
        articles((LAW, "第十条、第十五条、第十六条、第十八条、第十九条"), (RULES, "")), objects="自建网站、通过平台和其他网络服务销售商品、提供服务的经营者",
        methods=("网络检查", "现场检查"), points=("亮照亮证", "终止经营提前公示", "不默认搭售", "个性化推荐可关闭"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("网络交易监督检查", "网络商品交易及有关服务行为检查", "网络交易检查", "网络交易行为的检查", "网络商品交易监督检查", "网店检查",
                 "电子商务经营者监督检查", "网络经营者检查", "网络直播营销监督检查"),
        guide="先用普通账号完整走一遍搜索、下单到支付前一步并录屏，再核对后台；页面随时会改，先固定证据再联系经营者。",
    ),
    CheckItem(
        PLATFORM, "2026-1", CATEGORY, "电子商务平台经营者监督检查", PLATFORM_FORM,
        articles((LAW, "第二十七条、第二十八条、第三十三条、第三十七条"), (RULES, "")), objects="网络交易平台经营者", kind="key", methods=("网络检查", "现场检查", "书面检查"),
        points=("核验、登记、更新平台内经营者信息", "报送身份信息", "公示协议和规则", "区分自营"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("网络交易平台经营者监督检查", "网络交易平台检查", "电子商务平台检查", "电子商务平台经营者履行主体责任情况检查", "网络交易平台监督检查"),
        guide="随机抽三十家平台内经营者，核对后台登记的主体与登记系统；看近六个月的报送记录。",
    ),
)  # fmt: skip


@hookimpl
def sector():
    return Sector(
        "online_trade", "网络交易", department="网络交易监督管理科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    if list(task.items) == [PLATFORM]:
        return PoolRule(industries=("643",), tags=("网络交易平台",), any_of=True,
                        scope=("互联网 平台 -开发 -接入", "网络 交易 平台 -开发", "电子商务 平台 -开发 -建设", "互联网生活服务平台"))  # fmt: skip
    return PoolRule(industries=("5193", "5292", "6432", "6431"), tags=("网络经营",), any_of=True,
                    scope=("互联网 零售 -上网", "互联网 批发 -上网", "互联网 销售 -上网 -互联网业务", "网上 零售 -上网", "网上 销售 -上网", "网络 零售 -设备 -器材", "网上 贸易 -上网", "电子商务 -开发 -培训 -咨询 -投资 -建设"))  # fmt: skip


@hookimpl
def validate_record(record, form):
    answers = record.answers
    problems = check_record(record, POINTS[form.code], SHOP, GRAVE)
    sampled, wrong = answers.get("sampled"), answers.get("unverified")
    if sampled is not None and wrong is not None:
        if wrong > sampled:
            problems.append(Problem("unverified", f"核验不实的有 {wrong} 家，多于抽查的 {sampled} 家，请核对。"))
        elif wrong and answers.get("verified") == "yes":
            problems.append(Problem("verified", f"抽查的 {sampled} 家中有 {wrong} 家核验不实，这一项不能判为合格。"))
    return problems

"""知识产权监督检查: use of trade marks, trade-mark agents, marking of patents.

商标法 第十、四十九、五十一、五十二、五十七、六十八条 and 专利法 第六十八、六十九条 are of the checked list, 商标法 第十九、四十三条 are [M]; 商标代理监督管理规定
(总局令第 63 号) is cited as a whole from memory [M]. A patent's validity is what the search system says on the day.
"""

from datetime import date

from plugins.intellectual_property.forms import (
    AGENCY_FORM, AGENTS, FORMS, MARK_FORM, MARK_LAW, PATENT_FORM, PATENT_LAW, POINTS,
)
from portal.plugin import (
    CERTIFICATE_ONLY, CheckItem, Findings, FollowUp, PoolRule, Problem, Sector, articles, check_record, hookimpl,
)  # fmt: skip

CATEGORY = "知识产权检查"
MARK, AGENCY, PATENT = "intellectual_property.trademark", "intellectual_property.agency", "intellectual_property.patent"
GRAVE = ("not_infringing", "papers", "genuine")
CASES = {
    "not_infringing": FollowUp("case", 0, "inspected", "涉嫌侵犯注册商标专用权，查明商品来源后移送办案机构。"),
    "papers": FollowUp("case", 0, "inspected", "涉嫌伪造、变造法律文件、印章、签名或者以欺诈手段招揽业务，移送办案机构。"),
    "bad_faith": FollowUp("transfer", 10, "inspected", "涉嫌代理恶意注册申请，移送知识产权管理部门。"),
    "genuine": FollowUp("case", 0, "inspected", "涉嫌假冒专利，移送办案机构。"),
    "not_false": FollowUp("rectify", 10, "ordered", "责令停止冒充注册商标，消除商品和宣传上的标记。"),
}
#: makers and sellers whose goods bear marks: food, drink, clothes, shoes, toys, cosmetics; shops
MARKED = ("14", "15", "18", "195", "245", "268", "521", "522", "523", "5131", "5132", "5133", "5134", "527")


ITEMS = (
    CheckItem(
        MARK, "2026-1", CATEGORY, "商标使用行为检查", MARK_FORM, articles((MARK_LAW, "第十条、第四十九条、第五十一条、第五十二条、第五十七条")),
        objects="使用商标的生产者、销售者和商标印制单位", methods=("现场检查", "网络检查"),
        points=("注册商标没有自行改变", "没有冒充注册商标", "没有使用禁用标志", "没有侵犯注册商标专用权"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("商标使用检查", "注册商标使用行为检查", "商标使用行为的检查", "商标监督检查", "商标使用管理检查", "集体商标、证明商标使用行为检查", "商标印制行为检查"),
        guide="先抄下包装上的商标和“®”“注册商标”字样，在中国商标网核对图样、类别、注册人和有效期。",
    ),
    CheckItem(
        AGENCY, "2026-1", CATEGORY, "商标代理行为检查", AGENCY_FORM, articles((MARK_LAW, "第十九条、第六十八条"), (AGENTS, "")), objects="商标代理机构",
        methods=("现场检查", "书面检查", "网络检查"), points=("备案和合同", "没有伪造文件", "没有诋毁同行", "没有代理恶意注册"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("商标代理机构检查", "商标代理机构监督检查", "商标代理行为的检查", "商标代理监督检查"), guide="抽近一年的五件代理业务，从委托合同看到递交的文件和收费票据，电话核实两名委托人。",
    ),
    CheckItem(
        PATENT, "2026-1", CATEGORY, "专利真实性检查", PATENT_FORM, articles((PATENT_LAW, "第六十八条、第六十九条")), objects="在产品、包装、宣传中标注专利的生产者、销售者",
        methods=("现场检查", "网络检查"), points=("专利号真实有效", "产品与专利一致", "标注规范"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("专利标识检查", "假冒专利检查", "专利标识标注检查", "专利产品真实性检查", "专利行为检查", "产品专利宣传真实性的监督检查"),
        guide="看包装、说明书、吊牌、网页上的“专利”字样，逐个专利号查法律状态；终止前制造的产品，终止后继续销售不算假冒。",
    ),
)  # fmt: skip


@hookimpl
def sector():
    return Sector(
        "intellectual_property", "知识产权", department="知识产权保护科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    if list(task.items) == [AGENCY]:
        return PoolRule(industries=("752",), tags=("商标代理机构",), any_of=True, scope=("商标 代理 -会计代理", "商标 注册 代理", "知识产权 代理", "知识产权服务", "商标事务"))
    if list(task.items) == [PATENT]:
        return PoolRule(industries=("521", "523", "525", "527", "528", "245", "385", "387"), tags=("专利标注",), any_of=True,
                        scope=("日用百货 零售", "超市 -设备 -管理 -货架 -设计 -建造 -房 -配送", "家用电器 零售", "卫生洁具 零售", "专利 产品", "灯具 制造"))  # fmt: skip
    return PoolRule(industries=MARKED, tags=("注册商标使用",), any_of=True,
                    scope=("服装 零售", "服装 生产", "服装 制造", "鞋 生产 -机械 -设备 -鞋材", "鞋 制造 -机械 -设备 -鞋材", "鞋帽 零售", "酒 零售", "茶叶 零售", "化妆品 零售", "化妆品 生产", "商标 印制 -设计",
                           "商标标识 印刷", "日用百货 零售"))  # fmt: skip


@hookimpl
def validate_record(record, form):
    answers = record.answers
    problems = check_record(record, POINTS[form.code], grave=GRAVE)
    pairs = {"altered": "unaltered", "unregistered": "not_false", "infringing": "not_infringing", "invalid": "genuine", "mismatch": "same_product"}
    for number, row in enumerate((*answers.get("marks", ()), *answers.get("patents", ())), 1):
        point = pairs.get(row.get("status", ""), "")
        if point and answers.get(point) in ("yes", "na"):
            name = row.get("sign") or row.get("patent_number", "")
            problems.append(Problem(point, f"第 {number} 个（{name}）核对的结果与这一项的判断矛盾，请核对后重新判断。"))
    return problems

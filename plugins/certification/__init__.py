"""认证监督检查: compulsory certification (CCC) at makers and sellers; voluntary certificates and certifiers' records.

认证认可条例 第二十一条至第二十七条, 第五十四条 are those of the checked list (2023 text); 强制性产品认证管理规定
(order 117 of the former 质检总局, 2009, read on a stored page) is cited as a whole; its later amendment is unread [M]. No qualification beyond the certificate.
"""

from datetime import date

from plugins.certification.forms import CCC_FORM, FORMS, POINTS
from portal.plugin import (
    CERTIFICATE_ONLY, CheckItem, Findings, FollowUp, PoolRule, Problem, Sector, articles, check_record, hookimpl,
)  # fmt: skip

CATEGORY = "认证监督检查"
CCC, VOLUNTARY = "certification.ccc", "certification.voluntary"
LAW = "中华人民共和国认证认可条例"
GRAVE = ("certified", "forged", "honest")
CASES = {
    "certified": FollowUp("case", 0, "inspected", "涉嫌出厂、销售、进口未经强制性认证的产品，责令停止并移送办案机构。"),
    "forged": FollowUp("case", 0, "inspected", "涉嫌伪造、冒用、买卖认证证书或者认证标志，移送办案机构。"),
    "honest": FollowUp("transfer", 5, "inspected", "涉嫌认证机构出具虚假、不实的认证结论，移送有管辖权的认证监督管理部门。"),
    "consistent": FollowUp("notify", 10, "inspected", "产品与认证证书不一致，抄告发证的认证机构。"),
}

#: words of a task's name -> the makers and sellers it is about; else all of the catalogue
NARROWER = {
    "汽车": (("3611", "3612", "5172", "5261"), ("汽车 销售 -用品 -配件 -零部件 -维修", "汽车 整车", "汽车 零售 -用品 -配件 -零部件")),
    "摩托": (("3751", "5173", "5264"), ("摩托车 销售 -配件", "摩托车 零售 -配件", "摩托车 制造 -配件")),
    "电动自行车": (("3770", "5238"), ("电动自行车", "助动车")),
    "玩具": (("245", "5149", "5249"), ("玩具 生产", "玩具 制造", "玩具 加工", "玩具 销售", "玩具 零售", "玩具 批发")),
    "电线": (("3831", "5175"), ("电线 生产", "电线 制造", "电缆 生产", "电缆 制造", "电线电缆 销售", "电线电缆 批发")),
    "家电": (("385", "5137", "5138", "5271", "5272"), ("家用电器 -维修 -安装", "家电 销售", "家电 零售")),
    "灯具": (("3872", "5136", "5282"), ("灯具 生产", "灯具 制造", "灯具 销售", "灯具 零售", "灯具 批发", "照明 生产", "照明 制造")),
}
INDUSTRIES = tuple(dict.fromkeys(code for codes, _ in NARROWER.values() for code in codes)) + ("3041", "3823", "3911", "3922", "395", "5273", "5274")
SCOPE = tuple(phrase for _, phrases in NARROWER.values() for phrase in phrases) + (
    "低压电器", "配电 制造", "手机 销售", "手机 零售", "计算机 整机", "安全玻璃", "钢化玻璃 生产", "电视机", "音响 生产",
)


ITEMS = (
    CheckItem(
        CCC, "2026-1", CATEGORY, "强制性产品认证监督检查", CCC_FORM,
        articles((LAW, "第二十七条、第五十四条"), ("强制性产品认证管理规定", "")), objects="列入强制性产品认证目录的产品的生产者、销售者、进口商",
        kind="key", methods=("现场检查", "网络检查", "抽样检测"), points=("获证", "证书有效", "认证标志", "型号一致性"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("强制性产品认证检查", "CCC认证检查", "强制性产品认证（CCC）监督检查", "强制性认证产品监督检查", "3C认证产品监督检查",
                 "强制性产品认证获证、证书有效、标志、型号一致性", "强制性产品认证获证、证书有效、标志、型号一致性的检查", "对强制性产品认证的监督检查"),
        guide="先在认证信息平台按证书编号或者生产者查，再到柜台、仓库逐个型号核对铭牌；目录外的产品不查。",
    ),
    CheckItem(
        VOLUNTARY, "2026-1", CATEGORY, "自愿性认证活动监督检查", "certification.voluntary_check",
        articles((LAW, "第二十一条、第二十二条、第二十四条、第二十五条、第二十六条、第五十四条")), objects="认证机构及其分支机构、获得自愿性认证的组织",
        methods=("现场检查", "书面检查", "网络检查"), points=("证书在认证范围内使用", "认证记录完整", "认证结论真实"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("自愿性认证检查", "认证活动及结果监督检查", "认证机构监督检查", "认证活动监督检查", "管理体系认证获证组织检查", "认证机构、获证组织监督检查"),
        guide="对获证组织看实际状况是否支持认证结论；对认证机构抽三个项目，核对审核人员到场记录、审核时间和结论。",
    ),
)  # fmt: skip


@hookimpl
def sector():
    return Sector(
        "certification", "认证", department="认证认可与检验检测监督管理科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    if VOLUNTARY in task.items:
        return PoolRule(industries=("7455",), tags=("自愿性认证获证组织", "认证机构"), any_of=True,
                        scope=("认证服务 -电子 -身份", "认证活动", "认证 机构 -咨询", "体系认证 -咨询"))  # fmt: skip
    named = [parts for word, parts in NARROWER.items() if word in task.name]
    if named:
        return PoolRule(industries=tuple(c for codes, _ in named for c in codes), scope=tuple(p for _, phrases in named for p in phrases))
    return PoolRule(industries=INDUSTRIES, scope=SCOPE, tags=("强制性认证产品生产", "强制性认证产品销售"), any_of=True)


@hookimpl
def validate_record(record, form):
    answers = record.answers
    problems = check_record(record, POINTS[form.code], grave=GRAVE)
    for number, row in enumerate(answers.get("products", ()), 1):
        model, state = row.get("model", ""), row.get("state")
        if state in ("none", "revoked") and answers.get("certified") == "yes":
            why = "没有证书" if state == "none" else "证书已注销、撤销或者暂停"
            problems.append(Problem("certified", f"第 {number} 个型号（{model}）{why}，这一项不能判为合格。"))
        if state == "other" and answers.get("consistent") == "yes":
            problems.append(Problem("consistent", f"第 {number} 个型号（{model}）与证书不一致，这一项不能判为合格。"))
    return problems

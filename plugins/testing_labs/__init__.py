"""检验检测机构监督检查: capability, records and the truth of reports.

计量法 第二十二条 is of the checked list. The articles of 检验检测机构监督管理办法 (总局令第 39 号, amended in 2025) and of
资质认定管理办法 (163 号 as republished in 2021) are [M]: from second-hand summaries, to be confirmed by a person before release.
No qualification beyond the certificate; technical experts may assist and never replace one of the two inspectors.
"""

from datetime import date

from plugins.testing_labs.forms import FORM, FORMS, MAIN, POINTS, QUALIFY, RULES
from portal.plugin import (
    CERTIFICATE_ONLY, CheckItem, Findings, FollowUp, PoolRule, Problem, Sector, articles, check_record, hookimpl,
)  # fmt: skip

CATEGORY = "检验检测机构检查"
GRAVE = ("certificate", "genuine")
CASES = {
    "certificate": FollowUp("case", 0, "inspected", "涉嫌未取得资质认定或者超出范围出具带 CMA 标志的数据、结果，移送办案机构。"),
    "genuine": FollowUp("case", 0, "inspected", "涉嫌出具虚假检验检测报告，封存报告和原始记录并移送办案机构。"),
    "accurate": FollowUp("recheck", 10, "ordered", "核对不实报告的收回、更正和委托人告知情况。"),
}


ITEMS = (
    CheckItem(
        MAIN, "2026-1", CATEGORY, "检验检测机构监督检查", FORM,
        articles(("中华人民共和国计量法", "第二十二条"), (RULES, "第五条、第七条、第八条、第十条、第十一条、第十二条、第十三条、第十四条、第十六条"),
                 (QUALIFY, "第十四条、第十九条、第二十一条")),
        objects="取得资质认定（CMA）和从事检验检测活动的机构", kind="key", methods=("现场检查", "书面检查", "委托专业机构辅助"),
        points=("法人资格和资质认定", "变更报告", "授权签字人和能力范围", "人员、设备和环境", "标准方法有效", "原始记录", "报告可追溯、不虚假"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("检验检测机构检查", "检验检测机构监督抽查", "检验检测机构资质认定监督检查", "检验检测机构资质认定获证后监督检查", "对检验检测机构的监督检查",
                 "检验检测机构“双随机、一公开”监督检查", "机动车检验机构监督检查", "生态环境监测机构监督检查"),
        guide="从近半年的报告台账随机抽五份，从报告倒查合同、样品、原始记录、仪器使用记录和缴费；同一人同一时间在两地、仪器使用时间短于方法要求的，多半有假。",
    ),
)  # fmt: skip


@hookimpl
def sector():
    return Sector(
        "testing_labs", "检验检测机构", department="认证认可与检验检测监督管理科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    vehicles = "机动车" in task.name
    return PoolRule(
        industries=("7452",) if vehicles else ("7451", "7452", "7459", "7461", "8492"), any_of=True,
        tags=("机动车检验机构",) if vehicles else ("检验检测机构",),
        scope=("机动车 检测 -设备 -仪器 -维修", "机动车 检验 -设备", "车辆 检测 -设备 -仪器") if vehicles else (
            "检测服务 -设备 -仪器 -咨询", "检验服务 -设备", "检验检测 -设备 -仪器 -咨询", "质量检测 -设备 -仪器 -眼镜 -指定检测", "试验检测", "工程检测 -设备", "材料检测 -设备",
            "环境监测 -设备 -仪器 -系统 -软件", "机动车 检测 -设备 -仪器 -维修", "产品 检验 商品 鉴定", "质检技术服务", "检验鉴定 -保险 -事故"),
    )  # fmt: skip


@hookimpl
def validate_record(record, form):
    answers, problems = record.answers, check_record(record, POINTS, MAIN, GRAVE)
    for number, row in enumerate(answers.get("reports", ()), 1):
        name, found = row.get("number", ""), row.get("finding")
        if found == "false" and answers.get("genuine") == "yes":
            problems.append(Problem("genuine", f"第 {number} 份报告（{name}）没有检验检测或者改动了数据，这一项不能判为合格。"))
        if found == "wrong" and answers.get("accurate") == "yes":
            problems.append(Problem("accurate", f"第 {number} 份报告（{name}）数据与原始记录不符，这一项不能判为合格。"))
        if found == "beyond" and answers.get("scope") == "yes":
            problems.append(Problem("scope", f"第 {number} 份报告（{name}）超出资质认定的能力范围，这一项不能判为合格。"))
        if row.get("issued_on", "") > record.inspected_on.isoformat():
            problems.append(Problem("reports", f"第 {number} 份报告（{name}）的签发日期在检查日期之后，请核对。"))
    return problems

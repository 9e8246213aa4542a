"""计量监督检查: instruments in use, net contents of prepacked goods, legal units.

计量法 第九、十二、十六、十八条 and 实施细则 第十一、二十、二十二条 are those of the checked list. 第三条 (units) is
as quoted on stored pages; 定量包装商品计量监督管理办法 (总局令第 70 号, in force since 2023-06-01 as announced) is cited as a whole.
No qualification: who verifies instruments needs one, who inspects does not; a verification is sent to the institute.
"""

from plugins.metrology.forms import FORMS, POINTS
from plugins.metrology.items import CATEGORY, IN_USE, ITEMS, PACKED
from portal.plugin import Findings, FollowUp, PoolRule, Problem, Sector, check_record, hookimpl

GRAVE = ("untampered",)
CASES = {
    "untampered": FollowUp("case", 0, "inspected", "涉嫌破坏计量器具准确度、作弊，封存器具并移送办案机构。"),
    "in_period": FollowUp("recheck", 10, "ordered", "核对停止使用、补办检定的结果。"),
    "each": FollowUp("other", 15, "inspected", "送法定计量检定机构检验，按检验报告处理。"),
    "batch": FollowUp("other", 15, "inspected", "送法定计量检定机构检验，按检验报告处理。"),
}
#: 加油加气充电、商超、食品零售、眼镜、集贸市场、医院和基层医疗、体检; 水电气供应
USERS = (
    "5265", "5266", "5267", "521", "5222", "5223", "5224", "5236", "7223", "841", "842", "8491", "442", "451", "461", "5255",
)  # fmt: skip
USERS_SCOPE = (
    "汽油 零售", "成品油 零售", "加油站", "车用燃气 零售", "眼镜 零售 -制造", "眼镜 销售 -制造 -生产", "配镜", "验光 -设备 -仪器", "超市 -设备 -管理 -货架 -设计 -建造 -房 -配送 -物业", "集贸市场 -建设", "农贸市场 -建设", "市场管理 -企业",
    "医院 -管理 -设备 -器械 -设计 -药品 -投资 -用品 -系统 -出租 -后勤 -物业", "门诊部", "诊疗 -设备 -器具", "自来水 供应", "供水 -设备 -管道 -工程 -安装 -清洗", "供电 -设备 -工程", "黄金 零售", "金银首饰 零售",
)  # fmt: skip
#: makers of goods sold in prepacked quantities: food, drinks, detergents, cosmetics, paint
PACKERS = ("131", "1331", "134", "1353", "136", "137", "139", "14", "151", "152", "153", "2641", "268", "2625", "2631")
PACKERS_SCOPE = tuple(
    f"{goods} {making} -机械 -设备 -包装 -技术 -生产资料 -助剂"
    for goods in ("食品", "糕点", "糖果", "蜜饯", "饮料", "茶叶", "大米", "食用油", "调味品", "洗涤用品", "洗涤剂", "化妆品", "涂料", "油漆", "肥料")
    for making in ("生产", "加工", "制造")
)


@hookimpl
def sector():
    return Sector(
        "metrology", "计量", department="计量科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    if PACKED in task.items:
        return PoolRule(industries=PACKERS, scope=PACKERS_SCOPE, tags=("定量包装商品生产",), any_of=True)
    return PoolRule(industries=USERS, scope=USERS_SCOPE, tags=("在用计量器具", "强检计量器具"), any_of=True)


@hookimpl
def validate_record(record, form):
    answers = record.answers
    problems = check_record(record, POINTS[form.code], IN_USE, GRAVE)
    today = record.inspected_on.isoformat()
    for number, row in enumerate(answers.get("instruments", ()), 1):
        late = not row.get("valid_until") or row["valid_until"] < today
        if (late or row.get("seal") != "whole") and answers.get("in_period") == "yes":
            why = "没有检定或者已过有效期" if late else "检定标志、铅封不完好"
            problems.append(Problem("in_period", f"第 {number} 台（{row.get('number', '')}）{why}，这一项不能判为合格。"))
        if row.get("seal") == "forged" and answers.get("untampered") == "yes":
            problems.append(Problem("untampered", f"第 {number} 台的检定标志、铅封涉嫌伪造，请核对后重新判断。"))
    for number, row in enumerate(answers.get("batches", ()), 1):
        if float(row.get("average", 0)) < float(row.get("nominal", 0)) and answers.get("batch") == "yes":
            problems.append(Problem("batch", f"第 {number} 批的平均实际含量小于标注净含量，这一项不能判为合格。"))
        if row.get("over", 0) > 1 and answers.get("each") == "yes":
            problems.append(Problem("each", f"第 {number} 批有 {row['over']} 件超过允许短缺量，请按抽样方案核对后重新判断。"))
    return problems

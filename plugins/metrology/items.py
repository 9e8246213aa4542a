"""The three 计量监督检查 items."""

from datetime import date

from portal.plugin import CERTIFICATE_ONLY, CheckItem, articles

CATEGORY = "计量监督检查"
IN_USE, PACKED, UNITS = "metrology.in_use", "metrology.packed", "metrology.units"
USE_FORM, PACKED_FORM = "metrology.in_use_check", "metrology.packed_check"

LAW = "中华人民共和国计量法"
DETAIL = "中华人民共和国计量法实施细则"
PACKED_RULES = "定量包装商品计量监督管理办法"

ITEMS = (
    CheckItem(
        IN_USE, "2026-1", CATEGORY, "在用计量器具监督检查", USE_FORM,
        articles((LAW, "第九条、第十六条、第十八条"), (DETAIL, "第十一条、第二十条")),
        objects="集贸市场、商场超市、加油站、眼镜店、医疗卫生机构等使用计量器具的单位和个体工商户", methods=("现场检查", "书面检查"),
        points=("强制检定的计量器具登记并按期检定", "检定印、证有效", "没有破坏准确度和作弊", "零售商品称重结算准确"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("计量监督检查", "在用计量器具检查", "在用强制检定计量器具监督检查", "在用强检计量器具监督检查", "计量器具监督检查", "在用计量器具的监督检查"),
        guide="带一组检定合格的砝码或者标准金属量器当场比对；先在强制检定管理平台查该单位登记的器具，再到现场逐台对号。",
    ),
    CheckItem(
        PACKED, "2026-1", CATEGORY, "定量包装商品净含量计量监督检查", PACKED_FORM,
        articles((LAW, "第十八条"), (PACKED_RULES, "")), objects="定量包装商品生产者、销售者", methods=("现场检查", "抽样检测"),
        points=("净含量标注正确清晰", "单件和批量实际含量符合要求", "使用 C 标志的符合规定"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("定量包装商品净含量检查", "定量包装商品监督检查", "定量包装商品计量监督检查", "定量包装商品净含量监督抽查"),
        guide="按 JJF 1070 随机抽样；现场只作初检，短缺量超过允许值的送法定计量检定机构检验，以检验报告作出结论。",
    ),
    CheckItem(
        UNITS, "2026-1", CATEGORY, "法定计量单位使用情况的检查", USE_FORM,
        articles((LAW, "第三条、第十二条、第十八条"), (DETAIL, "第二十二条")), objects="生产、销售计量器具，使用计量单位的企业和个体工商户",
        methods=("现场检查", "书面检查"), points=("使用法定计量单位", "销售的计量器具合格"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("计量单位使用情况检查", "法定计量单位监督检查"), guide="看价签、合同、票据、标签和宣传材料上的单位；卖秤的看合格证和型式批准标志。",
    ),
)  # fmt: skip

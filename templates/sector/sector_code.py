"""模块名称: its items, its form and its rules. Every word here is a sample: replace them one by one."""

from datetime import date

from portal.plugin import (
    CERTIFICATE_ONLY, CheckItem, Findings, FollowUp, Part, PoolRule, Sector, articles, check_record, hookimpl, judged,
    points_of, site_form,
)

ITEM, FORM, VERSION, CATEGORY = "sector_code.main", "sector_code.check", "2026-1", "模块名称检查"
LAW = "中华人民共和国产品质量法"  # 改成本行业的法规全称，不带书名号

PARTS = (
    Part("资质和标识", ITEM, (
        judged("licence", "取得相应资质，且在有效期内", "核对资质证书原件和平台上的状态。", "没有资质，过期，被注销、撤销。", "证书。",
               articles((LAW, "第三十三条")), key=True),
        judged("label", "标识齐全、真实", "随机取三件，逐项看标识。", "缺项，与实物不符。", "标识。", articles((LAW, "第三十六条"))),
    )),
    Part("进货查验", ITEM, (
        judged("records", "进货查验记录完整", "抽三批，从记录倒查票据。", "没有记录，票据对不上。", "记录和票据。", articles((LAW, "第三十三条"))),
    )),
)  # fmt: skip
POINTS = points_of(PARTS)
CASES = {"licence": FollowUp("case", 0, "inspected", "涉嫌无资质经营，移送办案机构。")}


ITEMS = [CheckItem(
    ITEM, VERSION, CATEGORY, "模块名称监督检查", FORM, articles((LAW, "第三十三条、第三十六条")), kind="key",
    methods=["现场检查"], points=["资质", "标识", "进货查验"], qualification=CERTIFICATE_ONLY, valid_from=date(2026, 1, 1),
    guide="先看资质，再取样品看标识，最后倒查进货记录。",
)]  # fmt: skip
FORMS = [site_form(FORM, VERSION, "模块名称检查表", PARTS)]


@hookimpl
def sector():
    return Sector("sector_code", "模块名称", department="业务科室名称", items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES))


@hookimpl
def pool_rule(task):
    return PoolRule(tags=["模块名称"])  # 或者写行业代码：PoolRule(industries=["5272"])


@hookimpl
def validate_record(record, form):
    return check_record(record, POINTS, ITEM, grave=["licence"])

"""燃气热水器质量抽查: a whole sector in one file."""

from datetime import date

from portal.plugin import (
    CERTIFICATE_ONLY, Basis, CheckItem, Field, FollowUp, Form, PoolRule, Problem, Section, Sector, hookimpl,
)


@hookimpl
def sector():
    return Sector("water_heaters", "燃气热水器", department="质量安全监督管理科", sample=True)


@hookimpl
def check_items():
    return [CheckItem(
        "water_heaters.sale", "2026-1", "产品质量监督抽查", "燃气热水器销售质量检查", form="water_heaters.shop",
        basis=[Basis("中华人民共和国产品质量法", "第三十三条"), Basis("中华人民共和国认证认可条例", "第二十七条")],
        kind="key", methods=["现场检查"], points=["强制性产品认证标志", "标识"], qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        guide="逐台查看在售燃气热水器的铭牌和认证标志，证书编号可在认证信息平台核对。",
    )]


@hookimpl
def inspection_forms():
    return [Form("water_heaters.shop", "2026-1", "燃气热水器销售检查表", [Section("在售产品", [
        Field("ccc", "在售燃气热水器均有CCC标志", required=True, key=True, public=True,
              guide="看铭牌。没有标志，或者证书已经注销、撤销的，判为不合格，拍铭牌。"),
        Field("label", "标有名称、生产者、规格型号", required=True, public=True),
        Field("note", "情况说明", "text", hint="写明型号和数量"),
        Field("photos", "照片", "photo", most=9),
    ])])]


@hookimpl
def pool_rule(task):
    return PoolRule(industries=["5272", "5138"])


@hookimpl
def validate_record(record, form):
    if record.answers["ccc"] == "no" and not record.answers.get("note"):
        return [Problem("note", "没有CCC标志时，请在“情况说明”中写明型号和数量。")]


@hookimpl
def suggest_follow_up(record, form):
    if record.answers["ccc"] == "no":
        return [FollowUp("case", note="涉嫌销售未经认证的产品，移送办案机构。")]


@hookimpl
def public_summary(record, form):
    found = {"yes": "均有CCC标志", "no": "未见CCC标志", "na": "不适用CCC标志检查"}
    return f"在售燃气热水器{found[record.answers['ccc']]}。"

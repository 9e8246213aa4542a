"""The eight 登记事项检查 items of the national list (second edition).

Bases: the first three as published with that list, the others from the current
text of the regulations; 公司法 is the 2023 text in force since 2024-07-01.
"""

from datetime import date

from portal.plugin import CERTIFICATE_ONLY, CheckItem, articles

CATEGORY = "登记事项检查"
MAIN = "registration.licence"  # carries the category where a plan names only that
FORM = "registration.check"

REGULATION = "中华人民共和国市场主体登记管理条例"
RULES = "中华人民共和国市场主体登记管理条例实施细则"
NAMES = "企业名称登记管理规定"
COMPANY = "中华人民共和国公司法"
FOREIGN = "外国企业常驻代表机构登记管理条例"
ALL = "企业、个体工商户、农民专业合作社、外国企业常驻代表机构"


def _item(code, name, bases, points, methods, guide, objects=ALL, aliases=()) -> CheckItem:
    return CheckItem(
        f"registration.{code}", "2026-1", CATEGORY, name, FORM, articles(*bases), objects=objects, methods=methods,
        points=points, aliases=aliases, guide=guide, qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
    )


ITEMS = (
    _item(
        "licence", "营业执照（登记证）规范使用情况的检查",
        [(REGULATION, "第三十六条、第三十七条、第四十八条"), (RULES, "第六十四条、第七十五条"),
         ("中华人民共和国个人独资企业法", "第三十五条"), (FOREIGN, "第十八条、第十九条、第三十八条"),
         ("中华人民共和国电子商务法", "第十五条")],
        ("营业执照置于醒目位置", "未伪造、涂改、出租、出借、转让营业执照", "网上经营的公示营业执照信息"),
        ("现场检查", "网络检查"),
        "到登记的住所查看营业执照正本，扫执照二维码核对；有网店的同时查看网店首页。",
        aliases=("登记事项检查", "登记事项", "登记事项抽查", "市场主体登记事项检查", "经营主体登记事项检查", "企业登记事项检查",
                 "营业执照规范使用情况的检查", "营业执照规范使用情况检查"),
    ),
    _item(
        "name", "名称规范使用情况的检查",
        [(NAMES, "第二十二条、第二十三条、第二十四条"), ("中华人民共和国个人独资企业法", "第三十四条"),
         (FOREIGN, "第十条、第三十八条")],
        ("招牌、印章、合同、票据使用的名称与登记的名称一致",), ("现场检查", "网络检查"),
        "核对招牌、公章、合同、票据和网站上的名称；招牌可以适当简化，但不得引人误认。",
        aliases=("名称规范使用情况检查", "企业名称规范使用情况的检查"),
    ),
    _item(
        "term", "经营（驻在）期限的检查",
        [(REGULATION, "第九条、第二十九条、第四十七条"), (RULES, "第七条、第三十九条、第六十六条、第七十三条"),
         (FOREIGN, "第十六条、第三十八条")],
        ("经营（驻在）期限未届满，或者届满已办理备案、登记",), ("现场检查", "书面检查"),
        "先在登记系统查期限，届满的再看章程、决议和备案材料。",
        objects="企业、农民专业合作社、外国企业常驻代表机构",
        aliases=("经营期限的检查", "经营（驻在）期限检查"),
    ),
    _item(
        "scope", "经营（业务）范围中无需审批的经营（业务）项目的检查",
        [(REGULATION, "第八条、第四十六条"), (RULES, "第六十六条、第七十二条")],
        ("实际经营的一般项目在登记的经营范围内",), ("现场检查",),
        "只查无需审批的项目；需要审批的项目由许可部门检查，发现线索的移送。",
        aliases=("经营范围的检查", "经营范围中无需审批的经营项目的检查"),
    ),
    _item(
        "address", "住所（经营场所）或驻在场所的检查",
        [(REGULATION, "第八条、第四十六条"), (RULES, "第六十六条、第七十二条")],
        ("登记的住所（经营场所）能够联系", "实际住所与登记一致"), ("现场检查",),
        "到登记的住所实地查看；联系不上的，按表单逐项固定上门、电话、邮寄和询问的证据。",
        aliases=("住所（经营场所）的检查", "住所（经营场所）检查", "住所检查"),
    ),
    _item(
        "capital", "注册资本实缴情况的检查",
        [(REGULATION, "第八条、第四十五条"), (RULES, "第六十六条"), (COMPANY, "第四十条、第四十七条")],
        ("依法应当实缴的注册资本已经按期、真实缴足",), ("书面检查", "现场检查"),
        "查章程、银行凭证、验资报告；实物出资的查评估和过户材料。",
        objects="法律、行政法规、国务院决定规定实缴注册资本的企业，以及出资期限已到的公司",
        aliases=("注册资本实缴情况检查",),
    ),
    _item(
        "representative", "法定代表人（负责人）任职情况的检查",
        [(REGULATION, "第八条、第四十六条"), (RULES, "第六十六条、第七十二条"), (COMPANY, "第一百七十八条")],
        ("实际任职的法定代表人（负责人）与登记一致", "没有依法不得任职的情形"), ("现场检查", "书面检查"),
        "核对在任人员和任免文件；是否有不得任职的情形，在系统中比对。",
        aliases=("法定代表人任职情况的检查",),
    ),
    _item(
        "identity", "法定代表人、自然人股东身份真实性的检查",
        [(REGULATION, "第四十四条"), (RULES, "第六十六条"), ("防范和查处假冒企业登记违法行为规定", "第二条")],
        ("法定代表人、自然人股东本人确认登记的身份",), ("现场检查", "书面检查"),
        "向本人核实；称被冒用身份的，记录陈述，移交登记机关按撤销登记程序处理。",
        objects="企业、农民专业合作社",
        aliases=("法定代表人、自然人股东身份真实性检查",),
    ),
)

"""The three 食品销售监督检查 items."""

from datetime import date

from portal.plugin import CERTIFICATE_ONLY, CheckItem, articles

CATEGORY = "食品销售监督检查"
MAIN, CAMPUS, SPECIAL = "food_sales.supervision", "food_sales.campus", "food_sales.special"
FORM = "food_sales.check"

LAW = "中华人民共和国食品安全法"
RULES = "食品生产经营监督检查管理办法"
MINORS = "中华人民共和国未成年人保护法"

ITEMS = (
    CheckItem(
        MAIN, "2026-1", CATEGORY, "食品销售监督检查", FORM,
        articles((LAW, "第三十三条、第三十四条、第三十五条、第五十三条、第五十四条、第一百一十条"), (RULES, "第十七条")),
        objects="食品销售者，包括网络食品销售者和集中交易市场内的销售者", kind="key", methods=("现场检查", "网络检查", "抽样检测"),
        points=("经营资质", "一般规定和禁止性规定", "经营场所卫生", "进货查验", "贮存和温度控制", "超过保质期和不合格食品处置", "标签", "进口食品",
                "食用农产品", "网络销售"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("食品销售者监督检查", "食品经营监督检查", "食品销售环节监督检查", "食品流通监督检查", "食品销售安全监督检查", "食品销售检查",
                 "食品销售日常监督检查", "网络食品销售监督检查"),
        guide="先看冷柜和货架里侧、促销堆头、临期专区和退货区，再看票据；抽三种商品，从货架倒查到进货票据。",
    ),
    CheckItem(
        CAMPUS, "2026-1", CATEGORY, "校园周边食品销售者检查", FORM,
        articles((LAW, "第三十四条、第五十四条"), (RULES, "第十七条"), (MINORS, "第五十九条")),
        objects="学校、幼儿园周边的食品销售者", kind="key", methods=("现场检查",),
        points=("不向未成年人售酒", "没有来源不明的小包装食品", "儿童食品的标签和保质期"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("校园周边食品销售监督检查", "校园周边食品安全检查", "校园周边食品经营者检查", "学校周边食品销售者检查"),
        guide="放学时段到店最能看出问题；看收银台边的散装小食品、辣味面制品、玩具食品和冰柜。名录以本机关标注的“校园周边”标签为准。",
    ),
    CheckItem(
        SPECIAL, "2026-1", CATEGORY, "特殊食品销售监督检查", FORM,
        articles((LAW, "第七十四条、第七十五条、第七十六条、第七十八条、第七十九条、第八十条、第八十一条"), (RULES, "第十八条")),
        objects="保健食品、特殊医学用途配方食品、婴幼儿配方食品销售者", kind="key", methods=("现场检查", "网络检查"),
        points=("注册或者备案", "专柜专区销售", "不与普通食品、药品混放", "标签和宣传"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("特殊食品销售检查", "保健食品销售监督检查", "特殊食品经营监督检查", "婴幼儿配方乳粉销售监督检查"),
        guide="拿标签上的注册号、备案号在特殊食品信息查询平台核对；药店、母婴店都要看店堂宣传和会议营销材料。",
    ),
)  # fmt: skip

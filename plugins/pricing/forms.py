"""The two price forms: marked prices with promotions, and fees."""

from portal.plugin import Choice, Field, Part, articles, judged, points_of, site_form

VERSION = "2026-1"
MARK_FORM, FEE_FORM = "pricing.marked_check", "pricing.fees_check"
LAW = "中华人民共和国价格法"
RULES = "明码标价和禁止价格欺诈规定"
PROMOTION = "规范促销行为暂行规定"

#: the eight forms of 价格欺诈, in the order of 第十九条
FRAUD = (
    Choice("claims", "谎称价格为政府定价或者政府指导价"), Choice("lure", "以低价诱骗，以高价结算"),
    Choice("comparison", "虚假折价、减价或者价格比较"), Choice("language", "用欺骗性、误导性的语言、文字、数字、图片、视频标示价格"),
    Choice("promise", "无正当理由拒绝履行或者不完全履行价格承诺"), Choice("hidden", "不标示或者显著弱化对消费者不利的价格条件"),
    Choice("points", "积分、礼券、代金券等拒不按约定折抵"), Choice("other", "其他价格欺诈行为"),
)  # fmt: skip
_MONEY = {"constraint": ". >= 0", "message": "金额不能是负数，单位是元。"}

MARK_PARTS = (
    Part("明码标价", "pricing.marked", (
        judged(
            "displayed", "商品和服务在醒目位置明码标价，一货一签",
            "沿柜台、货架、菜单、价目表走一遍，也看网店商品页。",
            "没有标价，标价放在顾客看不到的地方，货签不对位。",
            "没有标价的商品和货位全景。", articles((LAW, "第十三条"), (RULES, "第五条、第八条")), True,
        ),
        judged(
            "complete", "标明品名、价格和计价单位；服务标明项目、内容和价格或者计价方法",
            "各柜组抽三件看标价签；按重量、时间计价的看单位。",
            "缺品名、缺计价单位，“时价”“面议”代替价格。",
            "标价签。", articles((RULES, "第六条、第七条")), True,
        ),
        judged(
            "currency", "以人民币标价，变动后及时更新，降价的能知道降价前后的价格",
            "抽五件扫码，与价签核对。",
            "价签与结算系统不一致，改价后不换签。",
            "价签和收银屏。", articles((RULES, "第八条、第十一条")),
        ),
        (Field("goods", "抽查的商品和服务", "repeat", required=True, most=30, fields=(
            Field("name", "名称", "text", required=True), Field("marked_price", "标价（元）", "decimal", required=True, **_MONEY),
            Field("charged", "结算价（元）", "decimal", required=True, **_MONEY), Field("was", "标示的原价（元）", "decimal", hint="没有比较价格的不填", **_MONEY),
            Field("lowest", "促销前七日最低成交价（元）", "decimal", hint="同一经营场所；没有成交的不填", **_MONEY))),),
        judged(
            "extra", "没有在标价之外加价出售，没有收取未标明的费用",
            "抽三张小票与标价核对；问开瓶费、包装费、服务费、最低消费怎么收。",
            "结算高于标价，另收未标明的费用。",
            "标价和小票放在一起。", articles((LAW, "第十三条"), (RULES, "第十三条")), True,
        ),
        judged(
            "delivery", "同时收取运费、配送、安装等费用的，事先显著标明",
            "看网店结算页、家电价签、售后单。没有这类费用的选不适用。",
            "到结算或者上门时才告知。",
            "结算页截图或者价签。", articles((RULES, "第十二条")),
        ),
    )),
    Part("促销和价格比较", "pricing.fraud", (
        judged(
            "base_price", "折价、减价的基准真实；没有标明基准的，以七日内最低成交价为准",
            "调取促销前七日的成交记录，与标示的原价核对。没有促销的选不适用。",
            "促销前临时提价，原价从未成交，高于七日内最低成交价。",
            "促销标示和成交记录。", articles((RULES, "第十六条、第十七条"), (PROMOTION, "第二十一条")), True,
        ),
        judged(
            "compared", "被比较的价格准确、有依据，能够查实",
            "看“市场价”“专柜价”“厂家指导价”的来源。没有比较的选不适用。",
            "说不出来源，无从比较。",
            "比较价格的标示。", articles((RULES, "第十六条、第十七条")),
        ),
        judged(
            "terms", "附条件、有期限的促销显著标明条件和期限；赠品标明品名、数量",
            "看海报、直播口播、优惠券规则的小字。",
            "条件藏在小字里，期限过了仍挂，赠品不明。",
            "海报和规则全文。", articles((RULES, "第十五条、第十八条")),
        ),
        judged(
            "no_fraud", "没有价格欺诈行为",
            "对照八种情形逐一看；以普通顾客的注意力判断是否误导。",
            "有一种即是。",
            "标示、宣传、小票、后台记录；网页的要录屏。", articles((LAW, "第十四条"), (RULES, "第十九条")), True,
        ),
        (Field("fraud_kinds", "属于哪些情形", "select_multiple", required=True, public=True, show_if="${no_fraud} = 'no'", choices=FRAUD),),
    )),
)  # fmt: skip

FEE_PARTS = (
    Part("收费", "pricing.fees", (
        (Field("fee_kind", "收费的种类", "select_one", required=True, public=True, choices=(
            Choice("utility", "水、电、燃气（含转供电）"), Choice("property", "物业服务"), Choice("parking", "停车"), Choice("charging", "充电"),
            Choice("scenic", "景区门票"), Choice("school", "教育、培训"), Choice("medical", "医疗服务"), Choice("other", "其他"))),),
        (Field("bills", "抽查的缴费单据", "repeat", required=True, most=20, hint="至少三笔", fields=(
            Field("bill", "单据编号", "text", required=True), Field("due_fee", "按文件应收（元）", "decimal", required=True, **_MONEY),
            Field("charged_fee", "实收（元）", "decimal", required=True, **_MONEY))),),
        judged(
            "government_price", "执行政府定价、政府指导价和减免规定",
            "按定价文件重新计算三笔；实行市场调节价的选不适用。",
            "高于规定标准，不执行减免，自立项目。",
            "单据和文件对应条款。", articles((LAW, "第十二条")), True,
        ),
        judged(
            "posted", "收费项目、依据、标准、投诉电话在缴费场所公示",
            "看收费处公示牌，停车场看入口。",
            "没有公示，只公示总价，文件已失效。",
            "公示牌全景和近景。", articles((LAW, "第十三条"), (RULES, "第五条")), True,
        ),
        judged(
            "listed_fees", "没有强制服务、搭车收费，没有收取未列明的费用",
            "问三名缴费人；看收据的项目名称与公示是否一致。",
            "强制购买、代收不相关的费用，不给票据。",
            "收据，遮住个人信息。", articles((RULES, "第十三条")), True,
        ),
        judged(
            "resold_power", "转供电的，向终端用户收取的电价和加价合规",
            "没有转供电的选不适用；看与终端用户的合同和分表单据。",
            "在规定电价以外加价，优惠没有传导。",
            "总表和分表单据。", articles((LAW, "第十二条")), show_if="${fee_kind} = 'utility' or ${fee_kind} = 'property'",
        ),
        judged(
            "free_time", "停车的免费时段、封顶价和计时单位按公示执行",
            "看系统设置，用一辆车实测一次。",
            "系统设置与公示不符，不足一个单位多计。",
            "公示牌和系统设置。", articles((LAW, "第十三条")), show_if="${fee_kind} = 'parking'",
        ),
    )),
)  # fmt: skip

POINTS = {MARK_FORM: points_of(MARK_PARTS), FEE_FORM: points_of(FEE_PARTS)}
FORMS = (
    site_form(MARK_FORM, VERSION, "明码标价和价格行为检查表", MARK_PARTS),
    site_form(FEE_FORM, VERSION, "收费行为检查表", FEE_PARTS),
)

"""The 食品销售监督检查 form: what a seller does decides which parts are asked."""

from plugins.food_sales.items import CAMPUS, FORM, LAW, MAIN, MINORS, RULES, SPECIAL
from portal.plugin import Choice, Field, Part, articles, judged, points_of, site_form

VERSION = "2026-1"


def _law(listed, article="第十七条"):
    return articles((LAW, listed), (RULES, article))


PARTS = (
    Part("经营的内容", MAIN, (
        (Field("kinds", "本店属于哪些情形", "select_multiple", required=True, public=True,
               choices=(Choice("packed", "预包装食品"), Choice("loose", "散装食品"), Choice("cold", "冷藏、冷冻食品"),
                        Choice("produce", "食用农产品"), Choice("imported", "进口食品"), Choice("special", "特殊食品"),
                        Choice("online", "网络销售"), Choice("campus", "在学校、幼儿园周边"))),),
    )),
    Part("资质和场所", MAIN, (
        judged("licence", "食品经营许可证或者备案有效，主体业态、经营项目与实际一致", "看许可证或者备案编号，与货架上的类别核对。",
               "没有许可或者备案、超过有效期、超出经营项目。", "许可证或者备案信息、超范围的商品。", _law("第三十五条"), True),
        judged("premises", "经营场所整洁，食品与非食品、有毒有害物品分开", "看地面、货架、仓库，找洗涤剂、农药、化妆品与食品混放的地方。",
               "混放，有虫鼠迹，食品直接落地、靠墙。", "问题货位全景和近景。", _law("第三十三条")),
        judged("staff", "接触直接入口食品的人员有有效健康证明，管理人员经过培训考核", "核对当班散装、熟食柜台人员的健康证明。",
               "没有证明或者过期，管理人员没有考核。", "证明有效期，遮住证件号码。", _law("第四十四条、第四十五条")),
    )),
    Part("进货、贮存和标签", MAIN, (
        judged("forbidden", "没有销售法律禁止生产经营的食品", "看有无三无、腐败、掺假、虚假标注日期、病死畜禽肉、来源不明的进口冷冻品。",
               "发现任何一种；当场封存，追查来源和去向。", "食品全貌、标签、数量、所在位置。", _law("第三十四条"), True),
        judged(
            "purchase", "查验供货者许可和合格证明，批发企业有销售记录",
            "抽三种商品，索要进货票据、供货者资质、检验合格证明；批发的再查一笔销售记录。",
            "没有票据，票货不符，保存期不够。",
            "票据和对应商品的标签。", _law("第五十三条"), True,
        ),
        judged("in_date", "在售食品没有超过保质期，临期食品有提示并定期清理", "翻看货架最里侧、冰柜底层、促销赠品和散装容器的日期。",
               "有一件超过保质期仍在售；过期食品没有单独存放并标明。", "生产日期、保质期和所在货位。", _law("第三十四条、第五十四条"), True),
        (Field("found_expired", "超过保质期的食品", "repeat", show_if="${in_date} != 'na'", most=30, fields=(
            Field("goods", "品名和规格", "text", required=True), Field("until", "保质期至", "date", required=True),
            Field("pieces", "数量（件）", "integer", required=True, constraint=". >= 1", message="数量至少是 1 件。"))),),
        judged(
            "storage", "按标签标明的条件贮存和陈列",
            "看需要避光、阴凉贮存的商品放在哪里，仓库有无通风防潮。",
            "贮存条件与标签不符。",
            "标签上的贮存条件和现场。", _law("第五十四条"),
        ),
        judged("label", "标签标示齐全，没有疾病预防、治疗功能的宣传", "各柜组抽一种，核对名称、配料、净含量、生产者、日期、许可证编号、标准号。",
               "缺项、字迹不清、标签脱落，宣传疗效。", "标签六面和店堂宣传。", _law("第六十七条、第七十一条、第七十三条")),
        judged("recall", "不合格食品停止销售、通知供货者并记录，配合召回", "没有发生的选不适用；收到过不合格报告的，看下架、通知和处置记录。",
               "收到通知后仍在销售，没有记录。", "处置记录。", _law("第六十三条"), True),
    )),
    Part("散装、冷链、农产品和进口食品", MAIN, (
        judged("loose", "散装食品容器标明名称、日期、保质期和生产者，有防尘和取用工具", "看每个容器的标签，与进货票据核对日期。",
               "不标、混标、用新日期，裸手取用。", "容器和标签。", _law("第六十八条"), show_if="selected(${kinds}, 'loose')"),
        judged(
            "cold", "冷藏、冷冻设施温度符合要求并有记录",
            "用温度计实测，不只看显示屏；看一周记录。",
            "实测温度高于标签要求，关机、结霜、超负荷堆放。",
            "温度计读数和柜内食品。", _law("第三十三条、第五十四条"), True, "selected(${kinds}, 'cold')",
        ),
        (Field("cold_measured", "实测的最高温度（℃）", "decimal", required=True, show_if="${cold} = 'no'",
               constraint=". >= -40 and . <= 50", message="温度应在 -40 到 50 ℃ 之间，请核对。"),),
        judged(
            "produce", "食用农产品有进货查验记录、承诺达标合格证，没有使用禁用的保鲜剂和“生鲜灯”",
            "抽肉、菜、水产各一种，看检疫、检测、合格证；看照明灯具。",
            "没有凭证，使用使颜色明显改变的灯具。",
            "凭证和灯具。", _law("第六十四条、第六十五条、第六十六条"), show_if="selected(${kinds}, 'produce')",
        ),
        judged(
            "imported", "进口食品有中文标签和合格证明文件",
            "看中文标签是否事先加贴，索要入境货物检验检疫证明。",
            "没有中文标签，证明与批次不符。",
            "标签和证明。", _law("第九十七条、第九十八条"), show_if="selected(${kinds}, 'imported')",
        ),
        judged(
            "online", "网络销售的，页面公示经营许可或者备案，所示信息与实际一致",
            "打开店铺页面，核对许可、地址、食品名称和保质期描述。",
            "没有公示、过期、与实体店不符。",
            "页面截图，带网址和时间。", _law("第六十二条"), show_if="selected(${kinds}, 'online')",
        ),
    )),
    Part("校园周边", CAMPUS, (
        judged(
            "alcohol", "不向未成年人销售酒，设有不售酒的标志",
            "看收银处有无标志，问店员怎么核对年龄。",
            "没有标志，学校周边设置酒类销售点，已经售出。",
            "收银处。", articles((MINORS, "第五十九条")), True,
        ),
        judged(
            "tobacco", "学校、幼儿园周边没有烟草制品和彩票销售点",
            "看柜台和背柜，电子烟、水果味小烟也要看。",
            "有烟草制品、电子烟出售。",
            "柜台。", articles((MINORS, "第五十九条")),
        ),
        judged(
            "children", "儿童食品来源清楚，没有玩具食品、形似文具和色情低俗包装的食品",
            "看五角、一元价位的小包装，查生产者许可证编号是否真实存在。",
            "生产者查不到，没有标签，包装低俗或者误导未成年人。",
            "包装正反面。", _law("第三十四条、第六十七条"), True,
        ),
    ), "selected(${kinds}, 'campus')"),
    Part("特殊食品", SPECIAL, (
        judged("registered", "特殊食品经过注册或者备案，标签、说明书与注册备案的一致", "按标签上的文号在查询平台核对名称、配方、适宜人群。",
               "没有文号、文号不存在、内容不一致。", "标签文号和查询结果。", _law("第七十六条、第七十八条", "第十八条"), True),
        judged(
            "counter", "专柜或者专区销售，设有提示牌，不与普通食品、药品混放",
            "看提示牌和货位，药店看保健食品是否与药品混放。",
            "混放，没有提示牌。",
            "货位全景。", _law("第七十四条", "第十八条"), True,
        ),
        judged("claims", "没有以疾病预防、治疗功能宣传，没有会议营销欺骗老年人", "看店堂展板、视频、讲座材料、员工话术单；问一名顾客。",
               "宣称治病、代替药物，虚假试验对比。", "宣传材料和播放的视频。", _law("第七十八条、第七十九条", "第十八条"), True),
    ), "selected(${kinds}, 'special')"),
)  # fmt: skip

POINTS = points_of(PARTS)
FORMS = (site_form(FORM, VERSION, "食品销售监督检查表", PARTS),)

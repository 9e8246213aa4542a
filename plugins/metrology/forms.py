"""The two metrology forms: instruments in use (with units), and net contents of prepacked goods."""

from plugins.metrology.items import DETAIL, IN_USE, LAW, PACKED, PACKED_FORM, PACKED_RULES, UNITS, USE_FORM
from portal.plugin import Choice, Field, Part, articles, judged, points_of, site_form

VERSION = "2026-1"

USE_PARTS = (
    Part("强制检定的计量器具", IN_USE, (
        (Field("instruments", "抽查的计量器具", "repeat", required=True, most=40, fields=(
            Field("kind", "种类", "select_one", required=True, choices=(
                Choice("scale", "电子秤、案秤、地磅"), Choice("fuel", "燃油、燃气加注机"), Choice("charger", "充电桩"), Choice("meter", "水、电、燃气表"),
                Choice("medical", "血压计、心电等医用器具"), Choice("optics", "验光仪、焦度计"), Choice("other", "其他"))),
            Field("number", "出厂编号", "text", required=True),
            Field("verified", "检定证书", "select_one", required=True, choices=(Choice("yes", "有，合格"), Choice("absent", "没有或者不合格"))),
            Field("valid_until", "检定有效期至", "date", required=True, show_if="${verified} = 'yes'"),
            Field("seal", "检定标志和铅封", "select_one", required=True, choices=(
                Choice("whole", "完好"), Choice("broken", "破损或者缺失"), Choice("forged", "涉嫌伪造"))))),),
        judged("registered", "属于强制检定的计量器具已登记造册并申请检定", "在强制检定管理平台查登记，与现场器具逐台对号。",
               "有器具没有登记，登记的与现场不符。", "铭牌和平台查询结果。", articles((LAW, "第九条"), (DETAIL, "第十一条"))),
        judged("in_period", "在用器具检定合格，在检定有效期内，标志、铅封完好", "看每台的合格标志和有效期；没有标志的要检定证书。",
               "超期、不合格仍在使用，没有检定，铅封破损。", "铭牌、合格标志、铅封三张。", articles((LAW, "第九条"), (DETAIL, "第二十条")), True),
        judged(
            "untampered", "没有破坏准确度、使用作弊装置或者伪造数据",
            "用标准砝码、标准金属量器比对；试按遥控和密码键；看主板铅封和外接线。",
            "示值误差超过允许值且有改装痕迹，有作弊密码、遥控。",
            "示值与标准器、改装部位；全程录像，当场封存。", articles((LAW, "第十六条")), True,
        ),
    )),
    Part("商品量的结算", IN_USE, (
        judged("retail", "现场称重的商品足量，除去皮重，显示朝向消费者", "以普通顾客身份买一份，到复秤点或者用自带衡器复称。",
               "短缺量超过零售商品称重允许的负偏差，连同包装物计价。", "复称读数、小票和商品。", articles((LAW, "第十六条"))),
        (Field("short_by", "短缺量（克或者毫升）", "decimal", required=True, show_if="${retail} = 'no'", constraint=". > 0",
               message="短缺量应大于 0。"),),
        judged(
            "recheck_scale", "集贸市场、大型商超设置公平秤并在检定有效期内",
            "没有这一义务的选不适用；有的用砝码验证公平秤。",
            "没有设置，公平秤超期或者不准。",
            "公平秤的合格标志。", articles((LAW, "第九条")),
        ),
    )),
    Part("计量单位和计量器具销售", UNITS, (
        judged(
            "units", "价签、票据、标签、宣传使用法定计量单位",
            "看有无单独标注市斤、钱、磅、英寸、匹等。",
            "单独使用非法定计量单位。",
            "价签或者标签。", articles((LAW, "第三条")),
        ),
        judged("sold", "销售的计量器具有合格证，国产的标有制造者和型式批准标志", "不销售计量器具的选不适用；有的看电子秤、卷尺等的铭牌。",
               "没有合格证、没有型式批准标志，销售可以作弊的秤。", "铭牌和合格证。", articles((LAW, "第十二条"), (DETAIL, "第二十二条"))),
    )),
)  # fmt: skip

PACKED_PARTS = (
    Part("净含量标注", PACKED, (
        judged("stated", "包装显著位置正确、清晰标注“净含量”、数字和法定计量单位", "看字高、位置；同一包装有多件的，看有无总净含量和件数。",
               "没有标注、只标毛重、单位不对、字高不够。", "标注部位，旁边放直尺。", articles((PACKED_RULES, "")), True),
        judged(
            "mark", "使用计量保证能力合格标志（C 标志）的，经过自我声明或者评价",
            "没有 C 标志的选不适用；有的在平台查自我声明。",
            "没有声明而使用标志。",
            "标志和查询结果。", articles((PACKED_RULES, "")),
        ),
        judged(
            "package", "没有以结构性空隙、过大包装误导净含量",
            "拆开一件看内容物与包装。",
            "空隙没有功能上的需要，明显误导消费者。",
            "拆开前后。", articles((PACKED_RULES, "")),
        ),
    )),
    Part("实际含量", PACKED, (
        (Field("batches", "抽样的批次", "repeat", required=True, most=20, fields=(
            Field("goods", "商品名称和批号", "text", required=True),
            Field("nominal", "标注净含量", "decimal", required=True, constraint=". > 0", message="标注净含量应大于 0。", hint="克或者毫升"),
            Field("average", "平均实际含量", "decimal", required=True, hint="与标注用同一单位"),
            Field("over", "短缺量超过允许值的件数", "integer", required=True, constraint=". >= 0", message="件数不能是负数。"))),),
        judged("each", "单件实际含量的短缺量不大于允许短缺量", "按 JJF 1070 逐件除皮称量，与允许短缺量对照表比较。",
               "有一件超过允许短缺量两倍，或者超过允许值的件数多于规定。", "称量读数和原始记录。", articles((PACKED_RULES, "")), True),
        judged(
            "batch", "批量平均实际含量不小于标注净含量",
            "按抽样方案算平均值和修正值。",
            "修正后的平均值小于标注净含量。",
            "计算表。", articles((PACKED_RULES, "")), True,
        ),
        judged(
            "control", "生产者有灌装、称重控制和出厂抽检记录",
            "销售者选不适用；看当班称重记录和衡器检定证书。",
            "没有记录，控制用的衡器没有检定或者校准。",
            "当班记录。", articles((PACKED_RULES, "")),
        ),
    )),
)  # fmt: skip

POINTS = {USE_FORM: points_of(USE_PARTS), PACKED_FORM: points_of(PACKED_PARTS)}
FORMS = (
    site_form(USE_FORM, VERSION, "在用计量器具检查表", USE_PARTS),
    site_form(PACKED_FORM, VERSION, "定量包装商品净含量检查表", PACKED_PARTS),
)

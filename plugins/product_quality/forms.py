"""Three forms: what is done on the spot, what the laboratory says later, and the check of a seller."""

from plugins.product_quality.items import LAW, MARKET, MARKET_FORM, METHOD, RESULT_FORM, SAMPLING, SAMPLING_FORM
from portal.plugin import Choice, Field, Form, Part, Section, articles, judged, points_of, site_form

CONCLUSION = (Choice("pass", "合格"), Choice("fail", "不合格"))
SAMPLES = Field(
    "samples", "抽取的样品", "repeat", most=30, basis=articles((LAW, "第十五条")), hint="一个批次一行，当场封样",
    fields=(
        Field("product_code", "产品的名录代码", "text", hint="抽中的是产品的，照抄页面上方的代码"),
        Field("product_name", "产品名称和规格型号", "text", required=True),
        Field("batch", "生产日期或者批号", "text", required=True),
        Field("standard", "执行标准", "text", required=True),
        Field("base", "抽样基数", "integer", required=True, constraint=". >= 1", message="抽样基数至少是 1。"),
        Field("taken", "抽样数量", "integer", required=True, constraint=". >= 1 and . <= ${base}", message="抽样数量应在 1 到抽样基数之间。"),
        Field("kept", "其中备用样品", "integer", required=True, constraint=". >= 0 and . < ${taken}", message="备用样品应少于抽样数量。"),
        Field("seal", "封样编号", "text", required=True, constraint="regex(., '[0-9A-Za-z-]{2,30}')", message="封样编号是 2 到 30 位的数字、字母和“-”。"),
    ),
)  # fmt: skip
UNSAMPLED = Field(
    "unsampled", "抽中但没有抽样的产品", "repeat", most=30,
    fields=(
        Field("missed_code", "产品的名录代码", "text", required=True),
        Field("missed_why", "原因", "select_one", required=True, choices=(
            Choice("stopped", "已经停产、不再销售"), Choice("none_left", "没有待销的产品"), Choice("export", "全部出口"), Choice("own_use", "仅供自用、试制"))),
    ),
)  # fmt: skip
SAMPLING_PARTS = (
    Part("抽样", SAMPLING, (
        (SAMPLES, UNSAMPLED),
        (Field("paid", "样品", "select_one", required=True, show_if="count(${samples}) > 0", choices=(Choice("bought", "付费购买"), Choice("given", "依法无偿提供"))),
         Field("kept_at", "备用样品封存地点", "select_one", required=True, show_if="count(${samples}) > 0",
               choices=(Choice("lab", "检验机构"), Choice("holder", "被抽查单位")))),
    )),
    Part("现场检查", SAMPLING, (
        judged("marking", "标识真实、齐全：合格证明、中文名称、厂名厂址、警示说明、日期", "对照抽样的产品看包装和铭牌。", "缺项、虚假，或者限期使用的产品没有日期。", "标识全貌。", articles((LAW, "第二十七条"))),
        judged("forbidden", "没有国家明令淘汰、失效变质、冒用标志和厂名的产品", "看成品库、货架和退货区。", "有一件即判为不合格，当场封存。", "产品、标识和数量。", articles((LAW, "第二十九条、第三十条、第三十五条、第三十七条")), True),
        judged("permitted", "实行许可、强制性认证的产品有许可证、认证证书", "核对证书与型号；不在目录内的选不适用。", "无证、超范围、冒用。", "证书和铭牌。", articles((LAW, "第十三条")), True),
    )),
)  # fmt: skip
MARKET_PARTS = (
    Part("销售者的责任", MARKET, (
        judged("purchase", "进货时检查验收，查验合格证明和标识", "抽三种商品，倒查到凭证。", "没有凭证，或者凭证与商品不符。", "凭证。", articles((LAW, "第三十三条")), True),
        judged("storage", "采取措施保持商品质量", "看贮存条件与标识要求是否相符。", "贮存不当致变质、损坏。", "贮存现场。", articles((LAW, "第三十四条"))),
        judged("obsolete", "没有销售淘汰、停止销售、失效、变质的产品", "看货架里侧、促销堆头和仓库。", "有一件即判为不合格。", "商品和日期。", articles((LAW, "第三十五条")), True),
        judged("labels", "销售的产品标识符合规定", "抽三种商品看标识。", "缺合格证明、名称、厂名厂址、警示说明。", "标识。", articles((LAW, "第三十六条"))),
        judged("origin", "没有伪造产地，没有伪造、冒用厂名厂址", "网上核对厂名厂址。", "查无此厂，或者厂家否认。", "标识和查询结果。", articles((LAW, "第三十七条")), True),
        judged("marks", "没有伪造、冒用认证标志等质量标志", "在认证信息平台核对证书编号。", "证书不存在、已撤销、型号不符。", "标志和查询结果。", articles((LAW, "第三十八条")), True),
        judged("adulterated", "没有掺杂掺假、以假充真、以次充好、以不合格冒充合格", "看实物与标识等级，可以快速检测。", "实物与标识明显不符。", "实物和检测结果。", articles((LAW, "第三十九条")), True),
        (Field("removed", "当场下架、封存的商品", "text", show_if="${obsolete} = 'no' or ${origin} = 'no' or ${marks} = 'no' or ${adulterated} = 'no'",
               required=True, hint="品名、批号、数量"),),
    )),
)  # fmt: skip

RESULT = Form(RESULT_FORM, "2026-1", "产品质量检验结果", (
    Section("检验报告", (
        Field("lab", "检验机构", "text", required=True, public=True),
        Field("report", "检验报告编号", "text", required=True, public=True),
        Field("received_on", "收到报告的日期", "date", required=True, constraint=". <= today()", message="收到报告的日期不能在今天之后。"),
        Field("results", "各批次的结论", "repeat", required=True, public=True, most=30, basis=articles((METHOD, "第三条")), fields=(
            Field("sealed", "封样编号", "text", required=True),
            Field("conclusion", "结论", "select_one", required=True, public=True, choices=CONCLUSION),
            Field("failed_items", "不合格项目", "text", required=True, public=True, show_if="${conclusion} = 'fail'"),
            Field("severe", "是否严重不合格", "select_one", required=True, show_if="${conclusion} = 'fail'", choices=(
                Choice("no", "一般"), Choice("yes", "严重：危及人体健康、人身财产安全，或者以假充真等"))),
        )),
    )),
    Section("告知和复检", (
        Field("told_on", "书面告知被抽查单位和标称生产者的日期", "date", required=True, constraint=". <= today() and . >= ${received_on}",
              message="告知日期应在收到报告的日期到今天之间。"),
        Field("objection", "对检验结论的异议", "select_one", required=True, public=True, basis=articles((LAW, "第十五条")), choices=(
            Choice("none", "没有提出"), Choice("retested", "申请复检，已有复检结论"), Choice("refused", "提出异议，依法不予复检"))),
        Field("refused_why", "不予复检的理由", "text", required=True, show_if="${objection} = 'refused'"),
        Field("retest_lab", "复检机构", "text", required=True, public=True, show_if="${objection} = 'retested'",
              constraint=". != ${lab}", message="复检机构不能是初检的检验机构。"),
        Field("retests", "复检结论", "repeat", required=True, public=True, show_if="${objection} = 'retested'", most=30, hint="复检结论为最终结论", fields=(
            Field("resealed", "封样编号", "text", required=True),
            Field("reconclusion", "结论", "select_one", required=True, public=True, choices=CONCLUSION),
        )),
    )),
    Section("说明", (Field("note", "其他情况", "text"),)),
))  # fmt: skip

SAMPLING_POINTS, MARKET_POINTS = points_of(SAMPLING_PARTS), points_of(MARKET_PARTS)
FORMS = (
    site_form(SAMPLING_FORM, "2026-1", "产品质量监督抽样单", SAMPLING_PARTS), RESULT,
    site_form(MARKET_FORM, "2026-1", "销售者产品质量责任检查表", MARKET_PARTS),
)  # fmt: skip

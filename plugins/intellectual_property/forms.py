"""The three forms of intellectual property: marks in use, trade-mark agents, patents on goods."""

from portal.plugin import Choice, Field, Part, articles, judged, points_of, site_form

VERSION = "2026-1"
MARK_FORM, AGENCY_FORM, PATENT_FORM = (f"intellectual_property.{name}_check" for name in ("trademark", "agency", "patent"))
MARK_LAW, PATENT_LAW = "中华人民共和国商标法", "中华人民共和国专利法"
AGENTS = "商标代理监督管理规定"
_MARK, _AGENCY, _PATENT = (f"intellectual_property.{name}" for name in ("trademark", "agency", "patent"))

MARK_PARTS = (
    Part("抽查的商标", _MARK, (
        (Field("marks", "逐个核对的商标", "repeat", required=True, most=30, fields=(
            Field("sign", "商标和商品", "text", required=True), Field("registration", "注册号", "text", hint="没有注册的不填"),
            Field("status", "在中国商标网核对的结果", "select_one", required=True, choices=(
                Choice("same", "与注册一致，有效"), Choice("free", "未注册，也没有标明注册"), Choice("altered", "自行改变了图样、注册人或者地址"),
                Choice("unregistered", "未注册、已失效或者超出核定商品而标明注册"), Choice("infringing", "与他人注册商标相同或者近似"))))),),
        judged(
            "unaltered", "使用注册商标没有自行改变图样、注册人名义、地址等注册事项",
            "包装上的图样与注册证逐笔比对；转让、许可的看公告和备案。",
            "改变显著特征，拆分、组合使用，名义变更没有申请。",
            "包装与注册图样对照。", articles((MARK_LAW, "第四十九条")),
        ),
        judged(
            "not_false", "没有把未注册商标冒充注册商标使用",
            "找“®”“注”“注册商标”字样，核对类别和有效期。",
            "未注册、已注销、超出核定商品而标注。",
            "标注部位和查询结果。", articles((MARK_LAW, "第五十二条")), True,
        ),
        judged(
            "banned_signs", "没有使用国名国旗、带有欺骗性、有不良影响等禁用标志",
            "对照第十条八项看图样和文字。",
            "属于禁用情形而作商标使用。",
            "标志。", articles((MARK_LAW, "第十条、第五十二条")), True,
        ),
        judged(
            "obligatory", "必须使用注册商标的商品（烟草制品）已经注册",
            "不经营烟草制品的选不适用。",
            "未经核准注册在市场销售。",
            "商品标签。", articles((MARK_LAW, "第五十一条")),
        ),
        judged(
            "not_infringing", "没有侵犯他人注册商标专用权的商品和标识",
            "看高知名度品牌的酒、服装、鞋、化妆品，查进货价格和来源；请权利人辨认。",
            "权利人认定为假，进价明显低于市场而说不清来源。",
            "商品、标识、防伪和进货单。", articles((MARK_LAW, "第五十七条")), True,
        ),
        judged(
            "licensed", "经许可使用的，标明被许可人名称和商品产地；印制商标的查验注册证和授权",
            "不属于这些情形的选不适用；看许可合同、备案、印制登记。",
            "没有标明，没有授权就印制。",
            "标签和合同首页。", articles((MARK_LAW, "第四十三条")),
        ),
    )),
)  # fmt: skip

AGENCY_PARTS = (
    Part("商标代理", _AGENCY, (
        judged(
            "filed", "已向国家知识产权局备案，备案事项变更的已经更新",
            "在备案系统查机构和从业人员名单。",
            "没有备案从事代理，人员挂名。",
            "备案查询结果。", articles((AGENTS, "")), True,
        ),
        judged(
            "contract", "与委托人签订书面合同，明示服务内容和收费，保存业务档案",
            "抽五件看合同、收据、档案；保存不少于十年。",
            "没有合同，收费不明示，官费与代理费不分。",
            "合同首页和收费公示。", articles((AGENTS, "")), True,
        ),
        judged(
            "conflict", "没有在同一商标案件中接受双方委托，告知可能不予注册的情形并保密",
            "看委托登记和风险告知书。",
            "双方代理，对明显不能注册的作保证。",
            "告知书。", articles((MARK_LAW, "第十九条")),
        ),
        judged(
            "papers", "没有伪造、变造或者使用伪造、变造的法律文件、印章、签名，没有欺诈招揽",
            "电话核实两名委托人；看递交文件的签名和身份证明。",
            "委托人不知情、签名不符，冒充官方来函催费。",
            "文件和通话记录，遮住证件号码。", articles((MARK_LAW, "第六十八条")), True,
        ),
        judged(
            "fair", "没有以诋毁其他代理机构等手段招揽业务、扰乱市场",
            "看网站、话术、朋友圈广告。",
            "贬低同行，宣称有内部关系、包过。",
            "宣传材料。", articles((MARK_LAW, "第六十八条")),
        ),
        judged(
            "bad_faith", "没有代理不以使用为目的的恶意注册、抢注申请",
            "看同一委托人申请量与经营规模；看名人、热词、公共资源名称的申请。",
            "明知或者应知属于恶意仍接受委托，自己注册代理服务以外的商标。",
            "申请清单。", articles((MARK_LAW, "第十九条、第六十八条")), True,
        ),
    )),
)  # fmt: skip

PATENT_PARTS = (
    Part("抽查的专利标注", _PATENT, (
        (Field("patents", "逐个核对的专利", "repeat", required=True, most=30, fields=(
            Field("product", "产品和型号", "text", required=True),
            Field("patent_number", "标注的专利号", "text", required=True, hint="没有标专利号的照原文写"),
            Field("status", "法律状态", "select_one", required=True, choices=(
                Choice("valid", "有效，与产品一致"), Choice("invalid", "未授权、被宣告无效、终止后制造，或者查无此号"), Choice("mismatch", "有效，与产品不一致"),
                Choice("pending", "正在申请，已标明尚未授权"))))),),
        judged(
            "genuine", "标注、宣传的专利真实有效，没有假冒专利",
            "逐个专利号在专利检索系统查授权公告、年费和无效情况，与生产日期比较。",
            "没有授权、已无效或者终止后仍标注，把申请说成专利，伪造专利证书。",
            "标注、生产日期和查询结果。", articles((PATENT_LAW, "第六十八条")), True,
        ),
        judged(
            "same_product", "产品的结构、外观与专利文件一致",
            "对照权利要求或者外观图片看产品；拿不准的请知识产权保护中心出意见。",
            "把甲产品的专利标在乙产品上。",
            "产品与专利附图对照。", articles((PATENT_LAW, "第六十八条")), True,
        ),
        judged(
            "form_right", "标明专利类别和专利号，经许可标注的有许可合同",
            "看有无“国家专利”“专利产品”而不标号。",
            "只写“专利”，类别不符，没有许可。",
            "标注部位。", articles((PATENT_LAW, "第六十八条")),
        ),
        judged(
            "source", "销售者能证明产品合法来源，不知道是假冒专利的已停止销售",
            "生产者选不适用；看进货票据。",
            "没有来源，知道后仍销售。",
            "票据。", articles((PATENT_LAW, "第六十八条、第六十九条")),
        ),
    )),
)  # fmt: skip

POINTS = {MARK_FORM: points_of(MARK_PARTS), AGENCY_FORM: points_of(AGENCY_PARTS), PATENT_FORM: points_of(PATENT_PARTS)}
FORMS = (
    site_form(MARK_FORM, VERSION, "商标使用行为检查表", MARK_PARTS),
    site_form(AGENCY_FORM, VERSION, "商标代理行为检查表", AGENCY_PARTS),
    site_form(PATENT_FORM, VERSION, "专利真实性检查表", PATENT_PARTS),
)

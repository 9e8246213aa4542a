"""The two forms of online trade: shops and platforms."""

from portal.plugin import Choice, Field, Part, articles, judged, points_of, site_form

VERSION = "2026-1"
SHOP_FORM, PLATFORM_FORM = "online_trade.shop_check", "online_trade.platform_check"
LAW = "中华人民共和国电子商务法"
RULES = "网络交易监督管理办法"

SHOP_PARTS = (
    Part("网店", "online_trade.shop", (
        (Field("self_made", "是自建网站、小程序", "select_one", required=True, choices=(Choice("yes", "是"), Choice("no", "否"))),
         Field("platform_name", "所在平台", "text", required=True, show_if="${self_made} = 'no'"),
         Field("addresses", "网址或者店铺名称", "text", required=True, hint="有几家写几家"),
         Field("live", "有直播营销", "select_one", required=True, choices=(Choice("yes", "是"), Choice("no", "否")))),
        judged(
            "shown", "首页显著位置持续亮照亮证：营业执照、许可信息或者不需登记的说明真实、有效",
            "打开首页、店铺主页的“证照信息”，与登记系统核对；许可类商品看许可证。",
            "没有公示、链接打不开、信息过期、与实际经营者不符。",
            "首页截图，带网址和时间。", articles((LAW, "第十五条"), (RULES, "")), True,
        ),
        judged(
            "registered", "依法应当登记的已经登记",
            "按收款主体、发货地址查登记系统；零星小额、自产农副产品、便民劳务的选不适用。",
            "应当登记没有登记，借用他人执照。",
            "收款主体和发货单。", articles((LAW, "第十条")),
        ),
        judged(
            "ending", "终止经营的，提前三十日在首页公示",
            "仍在经营的选不适用；停业的看首页历史快照和消费者留言。",
            "突然关店，预付款、售后没有安排。",
            "首页和快照。", articles((LAW, "第十六条")),
        ),
    )),
    Part("交易行为", "online_trade.shop", (
        judged(
            "options", "按个人特征展示搜索结果的，同时提供不针对个人特征的选项",
            "登录和不登录各搜一次；找关闭个性化推荐的入口。没有个性化推荐的选不适用。",
            "没有关闭入口，关闭后自动恢复。",
            "两次搜索结果和设置页。", articles((LAW, "第十八条")),
        ),
        judged(
            "bundled", "搭售商品、服务显著提示，没有设为默认同意",
            "下单到支付前一步，看已经勾选的保险、会员、捐赠；看自动续费提示。",
            "默认勾选，取消入口隐蔽，续费前五日没有提醒。",
            "结算页录屏。", articles((LAW, "第十九条"), (RULES, "")), True,
        ),
        judged(
            "disclosed", "商品、服务信息全面、真实、准确，有退换货和售后说明",
            "抽三件看标题、参数、产地、资质，与实物或者样品核对。",
            "参数不实、隐瞒缺陷、售后说明没有或者排除消费者权利。",
            "商品页和实物标签。", articles((RULES, "")), True,
        ),
        judged(
            "false_trade", "没有虚构交易、编造评价、虚假流量和误导性展示",
            "看评价时间是否集中、文字雷同；抽十个订单核对物流；看有无好评返现卡。",
            "空包、刷单、删差评、好评返现诱导。",
            "评价、订单和物流；导出电子数据。", articles((RULES, "")), True,
        ),
        judged(
            "live_host", "直播间标明经营者，直播内容可回看不少于三年，主播没有虚假宣传",
            "看一场回放，记下主播对功效、价格的说法，与商品页核对。",
            "不标明卖家、没有回放、说法与商品不符。",
            "录屏，带时间轴。", articles((RULES, "")), show_if="${live} = 'yes'",
        ),
        judged(
            "hidden_goods", "没有销售禁止、限制交易的商品和服务",
            "用暗语、谐音搜索店内商品；问客服。",
            "野生动物制品、处方药、管制器具、电子烟等。",
            "商品页和客服对话。", articles((RULES, "")),
        ),
    )),
)  # fmt: skip

PLATFORM_PARTS = (
    Part("平台内经营者的管理", "online_trade.platform", (
        (Field("sampled", "抽查的平台内经营者（家）", "integer", required=True, constraint=". >= 1", message="至少抽查 1 家。"),
         Field("unverified", "其中身份、地址、许可核验不实的（家）", "integer", required=True, constraint=". >= 0", message="家数不能是负数。")),
        judged(
            "verified", "核验、登记平台内经营者的身份、地址、联系方式、行政许可，建立档案，至少每六个月核验更新一次",
            "按抽到的名单核对后台档案与登记系统，看更新日期。",
            "冒用他人执照入驻，许可过期，没有更新记录。",
            "后台档案与查询结果，遮住证件号码。", articles((LAW, "第二十七条"), (RULES, "")), True,
        ),
        judged(
            "reported", "向市场监督管理部门报送平台内经营者身份信息，提示未登记的依法登记",
            "看一月、七月的报送回执和提示记录。",
            "没有报送、报送数明显少于在营店铺数。",
            "报送回执。", articles((LAW, "第二十八条"), (RULES, "")), True,
        ),
        judged(
            "guards", "对平台内的违法经营有检查监控、处置和报告",
            "搜索五个禁售词看结果；看近三个月处置记录。",
            "禁售词有结果，处置没有记录。",
            "搜索结果和处置记录。", articles((RULES, "")),
        ),
    )),
    Part("平台规则", "online_trade.platform", (
        judged(
            "rules_shown", "首页持续公示服务协议和交易规则，能完整阅览和下载，修改公开征求意见并提前七日公示",
            "从首页进入，看历史版本和最近一次修改的公示。",
            "找不到、不能下载，修改即时生效，不保留三年以上的历史版本。",
            "首页入口和规则页。", articles((LAW, "第三十三条")), True,
        ),
        judged(
            "self_run", "自营业务以显著方式区分标记",
            "搜索一类商品，看自营标志是否准确。没有自营的选不适用。",
            "不区分，非自营标为自营。",
            "搜索页和商品页。", articles((LAW, "第三十七条")),
        ),
        judged(
            "fair_rules", "没有“二选一”、不合理收费、没有理由扣款和滥用差评权限",
            "看协议、扣款规则；电话回访三家平台内经营者。",
            "以搜索降权、下架等手段限制经营者。",
            "协议条款和回访记录。", articles((RULES, "")),
        ),
    )),
)  # fmt: skip

POINTS = {SHOP_FORM: points_of(SHOP_PARTS), PLATFORM_FORM: points_of(PLATFORM_PARTS)}
FORMS = (
    site_form(SHOP_FORM, VERSION, "网络交易经营者检查表", SHOP_PARTS),
    site_form(PLATFORM_FORM, VERSION, "电子商务平台经营者检查表", PLATFORM_PARTS),
)

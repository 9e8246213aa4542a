"""The 广告 form: advertisements looked at one by one, then the points they bear on."""

from portal.plugin import Choice, Field, Part, articles, judged, points_of, site_form

FORM, VERSION = "advertising.check", "2026-1"
LAW = "中华人民共和国广告法"
REVIEWED = "药品、医疗器械、保健食品、特殊医学用途配方食品广告审查管理暂行办法"

#: what one advertisement may do wrong; each is a point of the form
FAULTS = (
    Choice("identifiable", "不能辨明为广告"), Choice("words", "禁止的用语、标志"), Choice("honest", "虚假、引人误解"),
    Choice("claims_proved", "数据、引证没有出处"), Choice("medical", "违反医疗、药品、保健食品的规定"), Choice("approved", "没有批准文号或者与批准的不符"),
)  # fmt: skip

PARTS = (
    Part("抽查的广告", "advertising.business", (
        (Field("role", "检查对象的身份", "select_multiple", required=True, public=True, choices=(
            Choice("advertiser", "广告主"), Choice("agent", "广告经营者"), Choice("publisher", "广告发布者"), Choice("platform", "互联网平台"))),),
        (Field("reviewed", "抽查的广告含药品、医疗器械、保健食品、特医食品", "select_one", required=True, choices=(Choice("yes", "是"), Choice("no", "否"))),),
        (Field("advertisements", "逐条查看的广告", "repeat", required=True, most=30, hint="一般抽五条", fields=(
            Field("title", "广告标题或者产品", "text", required=True),
            Field("medium", "媒介", "select_one", required=True, choices=(
                Choice("web", "网站、公众号、短视频、直播"), Choice("outdoor", "户外"), Choice("print", "报刊、印刷品"), Choice("broadcast", "广播、电视"), Choice("shop", "店堂"))),
            Field("place", "网址或者位置、时间", "text", required=True),
            Field("faults", "这条广告的问题", "select_multiple", choices=FAULTS))),),
    )),
    Part("广告内容", "advertising.business", (
        judged(
            "identifiable", "广告能够辨明，互联网广告显著标明“广告”，弹窗能一键关闭",
            "以普通消费者身份浏览；看软文、测评、直播挂链接的内容。",
            "以新闻、测评、科普形式变相发布，不标“广告”，关不掉。",
            "页面截图、录屏，带网址和时间。", articles((LAW, "第十四条"), ("互联网广告管理办法", "")), True,
        ),
        judged(
            "words", "没有使用国旗国徽、国家机关名义和“国家级”“最高级”“最佳”等绝对化用语",
            "对照九条十一项逐条看；绝对化用语看是否指向商品、能否证明、是否误导。",
            "指向所推销的商品并且没有依据；自我期许、时间顺序、分级标准的不算。",
            "用语所在位置。", articles((LAW, "第九条")), True,
        ),
        judged(
            "claims_proved", "数据、统计、调查结果、引用语真实准确并标明出处，专利标明专利号和种类",
            "要广告主提供出处原件。",
            "没有出处，断章取义，专利号不实。",
            "广告和出处。", articles((LAW, "第二十八条")),
        ),
        judged(
            "honest", "没有虚假或者引人误解的内容",
            "把功能、产地、荣誉、销量、价格、服务承诺与实际逐一核对。",
            "商品不存在，信息与实际不符且影响购买，虚构效果、证明材料。",
            "广告样件和查明的事实。", articles((LAW, "第二十八条")), True,
        ),
    )),
    Part("经营和发布制度", "advertising.business", (
        judged(
            "ledger", "建立广告业务的承接登记、审核、档案管理制度并执行",
            "只是广告主的选不适用；抽五条看登记、审核意见、签字和档案，档案保存不少于三年。",
            "没有制度，先发后审，档案缺失。",
            "登记簿和档案。", articles((LAW, "第三十四条")), True,
        ),
        judged(
            "checked", "查验证明文件，核对内容；内容不符、证明不全的没有提供服务",
            "只是广告主的选不适用；对照抽到的广告要证明文件。",
            "没有证明文件，明知虚假仍发布。",
            "证明文件首页。", articles((LAW, "第三十四条")),
        ),
        judged(
            "cooperates", "如实提供与广告有关的合同、票据、账簿和数据",
            "按清单索要，记录提供时间。",
            "拒绝、拖延、提供假材料。",
            "提供的清单。", articles((LAW, "第四十九条")),
        ),
    )),
    Part("药品、医疗器械、保健食品、特医食品广告", "advertising.reviewed", (
        judged(
            "approved", "经过审查，显著标明批准文号，内容与审查通过的一致",
            "在查询平台调出批准样件逐字核对，看有效期。",
            "没有文号、过期、剪辑修改、移作他用。",
            "广告和批准样件。", articles((LAW, "第四十六条"), (REVIEWED, "")), True,
        ),
        judged(
            "medical", "没有疗效断言、治愈率、比较，没有以患者、专家、医疗机构名义证明",
            "看视频的全部台词和字幕；处方药是否在大众媒介上。普通商品不得使用医疗用语。",
            "有断言、保证、代言、免费义诊引流，保健食品没有“本品不能代替药物”。",
            "截图和录屏。", articles((LAW, "第十六条、第十七条")), True,
        ),
    ), "${reviewed} = 'yes'"),
)  # fmt: skip

POINTS = points_of(PARTS)
FORMS = (site_form(FORM, VERSION, "广告检查表", PARTS),)

"""The 检验检测机构 form: reports drawn from the ledger and traced back."""

from portal.plugin import Choice, Field, Part, articles, judged, points_of, site_form

MAIN, FORM, VERSION = "testing_labs.supervision", "testing_labs.check", "2026-1"
RULES = "检验检测机构监督管理办法"
QUALIFY = "检验检测机构资质认定管理办法"

PARTS = (
    Part("机构和资质", MAIN, (
        judged(
            "certificate", "依法成立，能独立承担法律责任；资质认定证书有效",
            "核对营业执照、资质认定证书和附表；非独立法人的看法人授权。",
            "没有资质认定而出具带 CMA 标志的报告，证书过期、注销、撤销。",
            "证书及附表首页。", articles(("中华人民共和国计量法", "第二十二条"), (RULES, "第五条")), True,
        ),
        judged(
            "changes", "名称、地址、法人性质、最高管理者、授权签字人、检测项目变更的已申请办理",
            "证书附表与现场、任命文件逐项核对。",
            "已经变更没有办理，搬迁后在新址检测。",
            "门牌和任命文件。", articles((QUALIFY, "第十四条")),
        ),
        judged(
            "scope", "在能力范围内出具报告，授权签字人在授权领域内签发",
            "抽到的报告与证书附表的项目、标准号逐一核对，看签字人的领域。",
            "超范围，非授权签字人签发，分包没有告知。",
            "报告首页、结论页和附表对应行。", articles((QUALIFY, "第十九条"), (RULES, "第十条、第十一条")), True,
        ),
        judged(
            "marks", "CMA 标志和检验检测专用章使用规范",
            "看报告封面和骑缝章。",
            "标志编号错误，没有专用章，把宣传材料印上 CMA。",
            "报告封面。", articles((QUALIFY, "第二十一条"), (RULES, "第十一条")),
        ),
    )),
    Part("人员、设备和方法", MAIN, (
        judged(
            "staff", "检验检测人员只在一个机构从业，能力与工作相适应",
            "看花名册、社保、上岗授权；请一名检测员现场演示一个项目。",
            "在两个机构同时执业，没有授权，不会操作。",
            "上岗授权，遮住证件号码。", articles((RULES, "第七条")),
        ),
        judged(
            "equipment", "设备齐全、经检定或者校准，使用记录与报告对应",
            "抽三台关键设备，看溯源证书、期间核查、使用记录的起止时间。",
            "没有设备、超期、使用记录与报告时间不符。",
            "设备铭牌、标签和使用记录。", articles((RULES, "第八条")), True,
        ),
        judged(
            "methods", "使用现行有效的标准方法，废止的已停用",
            "抽三个项目，在标准信息平台查状态；看方法验证记录。",
            "使用已废止的方法，没有方法验证。",
            "作业指导书首页和查询结果。", articles((RULES, "第八条")),
        ),
        judged(
            "samples", "样品的抽取、接收、标识、流转和保存符合要求",
            "从留样室随机取一件，倒查到委托单和报告；再从报告找样品。",
            "没有样品却有报告，标识不清，不按期留样。",
            "样品标识和登记。", articles((RULES, "第八条")),
        ),
    )),
    Part("记录和报告", MAIN, (
        (Field("reports", "抽查的报告", "repeat", required=True, most=20, hint="一般抽五份", fields=(
            Field("number", "报告编号", "text", required=True), Field("issued_on", "签发日期", "date", required=True),
            Field("project", "检验检测项目", "text", required=True),
            Field("finding", "倒查的结果", "select_one", required=True, choices=(
                Choice("good", "能够追溯，一致"), Choice("wrong", "数据、结果与原始记录不符"), Choice("beyond", "超出能力范围"),
                Choice("false", "未经检验检测出具、替换样品或者伪造、变造数据"))))),),
        judged(
            "records", "原始记录和报告归档保存，期限不少于六年",
            "看档案室和信息系统的备份，任取一份两年前的报告。",
            "找不到原始记录，电子数据可以改动且不留痕。",
            "档案。", articles((RULES, "第十二条")), True,
        ),
        judged(
            "accurate", "没有出具不实的报告",
            "按抽到的报告重新计算，核对样品、方法、设备和环境条件。",
            "样品处置、方法、设备不符合规定并且数据、结果错误或者无法复核。",
            "报告与原始记录对应处。", articles((RULES, "第十三条")), True,
        ),
        judged(
            "genuine", "没有出具虚假的报告",
            "看原始图谱、视频、仪器工作站的日志和时间；机动车检验看过程录像。",
            "没有检验检测就出报告，替换、调换样品，伪造、变造原始数据、签名。",
            "日志、图谱和报告；当场复制电子数据。", articles((RULES, "第十四条")), True,
        ),
    )),
    Part("公示和统计", MAIN, (
        judged(
            "declared", "在官方网站或者场所公开遵守法定要求、独立公正、履行社会责任等承诺",
            "看网站首页或者大厅。",
            "没有公开，收费和委托须知误导委托人。",
            "公开的承诺。", articles((RULES, "第十六条")),
        ),
        judged(
            "reported", "按规定报送年度报告和统计数据",
            "在系统查上一年度报送状态，与实际业务量核对。",
            "没有报送、数据明显不实。",
            "系统页面。", articles((RULES, "第十六条")),
        ),
    )),
)  # fmt: skip

POINTS = points_of(PARTS)
FORMS = (site_form(FORM, VERSION, "检验检测机构检查表", PARTS),)

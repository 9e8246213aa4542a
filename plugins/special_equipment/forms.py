"""The two forms. In that of a user, equipment is sampled on the spot: a row for each piece.

Severe hazards and major violations are those that 特种设备安全监督检查办法 names in articles 24 and 25.
"""

from plugins.special_equipment.items import CHECKS, DUTY, LAW, LICENSED, LICENSED_FORM, MAKERS_DUTY, USE, USE_FORM
from portal.plugin import Choice, Field, Part, articles, guide, judged, points_of, site_form

KINDS = (
    Choice("boiler", "锅炉"), Choice("vessel", "压力容器"), Choice("cylinder", "气瓶"), Choice("pipe", "压力管道"), Choice("lift", "电梯"), Choice("crane", "起重机械"),
    Choice("ropeway", "客运索道"), Choice("ride", "大型游乐设施"), Choice("vehicle", "场（厂）内专用机动车辆"),
)  # fmt: skip
#: value -> what article 25 says; the sixth is whatever else the authority finds
HAZARDS = {
    "scrapped": "未取得许可生产、国家明令淘汰、已经报废或者达到报废条件，继续使用",
    "uninspected": "未经监督检验或者经检验、检测不合格，继续使用",
    "devices": "安全附件、安全保护装置缺失或者失灵，继续使用",
    "after_accident": "发生过事故或者有明显故障，未全面检查、消除隐患，继续使用",
    "beyond_limits": "超过规定参数、使用范围使用",
    "other_hazard": "认定为严重事故隐患的其他情形",
}
#: value -> what article 24 says
VIOLATIONS = {
    "unlicensed": "未经许可，擅自从事特种设备生产、电梯维护保养、移动式压力容器或者气瓶充装",
    "unapproved_tests": "未经核准，擅自从事特种设备检验、检测",
    "obsolete": "生产、销售、交付国家明令淘汰的特种设备，或者涂改、倒卖、出租、出借生产许可证",
    "bad_sales": "销售、出租未取得许可生产、未经检验或者检验不合格、国家明令淘汰、已经报废的特种设备",
    "accident_hidden": "谎报或者瞒报特种设备事故",
    "false_results": "检验、检测机构和人员出具虚假或者严重失实的结果、鉴定结论",
    "unrepaired": "对严重事故隐患不予整改或者消除",
    "other_violation": "法律、行政法规和部门规章规定的其他重大违法行为",
}
NONE = Choice("none", "没有发现")
PHOTO = "设备铭牌、标志和问题部位。"
ROW_VERDICTS = ("registered", "inspected", "attachments", "maintained", "operators")
DEVICES = Field(
    "devices", "抽查的设备", "repeat", required=True, public=True, most=60, hint="一台一行；重点看检验到期、故障停用过和人员密集场所的设备",
    basis=articles((LAW, "第三十三条、第三十九条、第四十条")),
    fields=(
        Field("device_code", "设备代码或者使用登记证编号", "text", required=True, constraint="regex(., '[0-9A-Za-z()（）一-龥-]{4,40}')",
              message="设备代码应是 4 到 40 位的数字、字母或者汉字，不含空格。"),
        Field("device_kind", "种类", "select_one", required=True, public=True, choices=KINDS),
        Field("next_inspection", "下次检验日期（标志或者报告）", "date", required=True),
        Field("registered", "使用登记，标志在显著位置", required=True, public=True),
        Field("inspected", "在检验有效期内，结论合格", required=True, public=True),
        Field("attachments", "安全附件、安全保护装置齐全有效", required=True, public=True),
        Field("maintained", "维护保养和自行检查有记录", required=True, public=True),
        Field("operators", "作业人员持证上岗", required=True, public=True),
        Field("device_note", "不合格的事实", "text", hint="有一项不合格就要写"),
    ),
)  # fmt: skip


def _law(listed, rules=""):
    return articles((LAW, listed), *([(DUTY, rules)] if rules else []))


def _named(name, label, choices, article):
    """The list of hazards or violations, and the facts of those chosen."""
    return (
        Field(name, label, "select_multiple", required=True, key=True, public=True, choices=(NONE, *(Choice(*one) for one in choices.items())),
              constraint="not(selected(., 'none') and count(.) > 1)", message="选了“没有发现”的，不能再选其他情形。", basis=articles((CHECKS, article)),
              guide=guide("对照法定情形逐条核实，能当场试验的试验，不能当场判断的请检验机构协助。", "有一种即选，不以整改快慢减免；先责令停止，再做记录。", PHOTO)),
        Field(f"{name}_note", f"{label}：设备、事实和已经采取的措施", "text", required=True, show_if=f"${{{name}}} != '' and not(selected(${{{name}}}, 'none'))"),
    )  # fmt: skip


GRAVE = Part("严重事故隐患和重大违法行为", USE, (_named("hazards", "严重事故隐患", HAZARDS, "第二十五条"), _named("violations", "重大违法行为", VIOLATIONS, "第二十四条")))
USE_PARTS = (
    Part("单位管理", USE, (
        judged("organisation", "按规定设置安全管理机构，配备安全总监、安全员", "查任命文件、资格和职责，当场抽问。", "没有配备、没有资格，或者抽问不清楚职责。", "任命文件。", _law("第三十六条", "第四条"), True),
        judged("daily_checks", "按使用安全风险清单落实日管控、周排查、月调度", "查最近三个月记录，抽一条隐患看闭环。", "没有记录、事后补记，或者隐患没有闭环。", "记录。", _law("第三十四条", "第九条"), True),
        judged("rules", "有岗位责任、隐患治理、应急救援等安全管理制度", "看制度与在用设备是否相符。", "没有制度，或者缺设备操作规程。", "制度目录。", _law("第三十四条")),
        judged("archive", "一机一档：设计制造文件、检验报告、日常使用、维护保养、故障事故记录", "抽两台，看五类材料。", "没有档案，或者缺检验报告、使用登记。", "档案目录。", _law("第三十五条")),
        judged("certificates", "作业人员和安全管理人员取得相应资格", "在岗人员逐人核对证书项目和有效期。", "无证、项目不符或者过期。", "证书编号，遮住证件号码。", _law("第十四条"), True),
        judged("drill", "有应急专项预案并定期演练", "查预案和上一次演练记录；没有要求的选不适用。", "没有预案，或者从未演练。", "演练记录。", _law("第六十九条")),
        judged("ledger", "台账与现场设备的台数、状态相符", "按台账点数，停用、报废的看注销手续。", "有未登记的设备，或者停用不办手续。", PHOTO, _law("第三十三条、第四十八条"), True),
        judged("trial_run", "客运索道、大型游乐设施每日投入使用前试运行和例行检查", "查当天记录；没有这类设备的选不适用。", "没有试运行、没有记录，或者安全须知没有置于显著位置。", "记录和安全须知。", _law("第四十三条"), True),
    )),
    Part("设备抽查", USE, (
        (Field("in_use", "在用设备台数", "integer", required=True, constraint=". >= 1 and . <= 100000", message="在用设备台数应是 1 到 100000 的整数；没有在用设备的，请在“检查时的状况”中选择没有开展。"),),
        (DEVICES,),
    )),
    GRAVE,
)  # fmt: skip
LICENSED_PARTS = (
    Part("许可和条件", LICENSED, (
        judged("licence_valid", "许可证在有效期内，许可项目、级别与实际一致", "核对许可证与合同、产品。", "过期、超项目超级别。", "许可证。", articles((LAW, "第十八条、第四十九条")), True),
        judged("staff_kept", "质量保证、技术、作业和无损检测人员符合许可条件", "抽人员名册、社保和证书。", "关键岗位空缺、挂证。", "名册，遮住证件号码。", articles((LAW, "第十八条")), True),
        judged("plant_kept", "厂房、设备和检验手段符合许可条件", "看主要设备和检定证书。", "设备变卖、失修，或者外借。", PHOTO, articles((LAW, "第十八条"))),
        judged("quality_system", "质量保证体系有效运行", "抽两份产品或者充装记录，看控制环节签字。", "记录缺失、代签、事后补做。", "记录。", articles((LAW, "第十八条、第十九条")), True),
        judged("directors", "配备质量安全总监、质量安全员，落实日管控、周排查、月调度", "查任命和最近三个月记录。", "没有配备，或者没有记录。", "记录。", articles((MAKERS_DUTY, "第三条"))),
        judged("tested", "产品出厂、安装、改造、修理经监督检验和自检", "抽产品质量证明文件和监检证书。", "未经监检交付，或者文件不实。", "证明文件。", articles((LAW, "第二十一条、第二十五条")), True),
        judged("fill_checks", "充装前后检查并记录，不给超期、报废的气瓶充装", "抽当天记录和气瓶；不是充装单位的选不适用。", "没有检查、混装、超装，或者充装超期气瓶。", "气瓶标识。", articles((LAW, "第四十九条")), True),
    )),
    Part("重大违法行为", LICENSED, (_named("violations", "重大违法行为", VIOLATIONS, "第二十四条"),)),
)  # fmt: skip

USE_POINTS, LICENSED_POINTS = points_of(USE_PARTS), points_of(LICENSED_PARTS)
FORMS = (
    site_form(USE_FORM, "2026-1", "特种设备使用单位监督检查表", USE_PARTS),
    site_form(LICENSED_FORM, "2026-1", "特种设备生产（充装）单位证后监督检查表", LICENSED_PARTS),
)  # fmt: skip

"""广告监督检查: systems of agents and publishers, and what advertisements say.

广告法 第九、十四、十六、十七、二十八、三十四、四十九条 are of the checked list, 第四十六条 as quoted on a stored page. 互联网广告管理办法 (in force since
2023-05-01) and 药品、医疗器械、保健食品、特殊医学用途配方食品广告审查管理暂行办法 (2019) are cited as a whole; that they are orders 72 and 21 is from memory [M].
"""

from datetime import date

from plugins.advertising.forms import FAULTS, FORM, FORMS, LAW, POINTS, REVIEWED
from portal.plugin import (
    CERTIFICATE_ONLY, CheckItem, Findings, FollowUp, PoolRule, Problem, Sector, articles, check_record, hookimpl,
)  # fmt: skip

CATEGORY = "广告行为检查"
BUSINESS, REVIEW = "advertising.business", "advertising.reviewed"
GRAVE = ("honest", "medical")
CASES = {
    "honest": FollowUp("case", 0, "inspected", "涉嫌发布虚假广告，固定广告样件、合同和发布记录后移送办案机构。"),
    "medical": FollowUp("case", 0, "inspected", "涉嫌违法发布医疗、药品、医疗器械、保健食品广告，移送办案机构。"),
    "approved": FollowUp("case", 0, "inspected", "涉嫌未经审查或者与审查内容不符发布广告，移送办案机构。"),
    "words": FollowUp("rectify", 5, "ordered", "责令停止发布；符合轻微不罚条件的，记录改正的时间。"),
}


ITEMS = (
    CheckItem(
        BUSINESS, "2026-1", CATEGORY, "广告经营行为的检查", FORM,
        articles((LAW, "第九条、第十四条、第二十八条、第三十四条、第四十九条"), ("互联网广告管理办法", "")), objects="广告主、广告经营者、广告发布者",
        methods=("现场检查", "书面检查", "网络检查"), points=("承接登记、审核、档案管理制度", "广告可识别", "没有禁止的用语", "内容真实"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("广告行为检查", "广告监督检查", "广告发布行为的检查", "广告经营发布行为检查", "广告经营者、广告发布者检查", "广告活动监督检查",
                 "广告业务承接登记、审核、档案管理制度情况的检查", "建立、健全广告业务的承接登记、审核、档案管理制度情况的检查"),
        guide="抽近三个月的五条广告：看样件、合同、证明文件、审核人签字和发布记录；直播、短视频、公众号要录屏，记下网址和时间。",
    ),
    CheckItem(
        REVIEW, "2026-1", CATEGORY, "药品、医疗器械、保健食品、特殊医学用途配方食品广告检查", FORM,
        articles((LAW, "第十六条、第十七条、第四十六条"), (REVIEWED, "")), objects="“三品一械”广告的广告主、经营者、发布者", kind="key",
        methods=("现场检查", "网络检查"), points=("广告批准文号", "与审查通过的内容一致", "没有疗效断言和患者、专家证明"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("三品一械广告检查", "“三品一械”广告检查", "医疗、药品、医疗器械广告检查", "药品、医疗器械、保健食品广告检查"),
        guide="按广告上的批准文号在审查查询平台调出批准样件，逐字核对；没有文号的直接记录。",
    ),
)  # fmt: skip


@hookimpl
def sector():
    return Sector(
        "advertising", "广告", department="广告监督管理科",
        items=ITEMS, forms=FORMS, findings=Findings(CATEGORY, POINTS, CASES),
    )


@hookimpl
def pool_rule(task):
    if list(task.items) == [REVIEW]:
        return PoolRule(industries=("5251", "5252", "5254", "5225", "841", "8425", "271", "272", "273", "358"), any_of=True, tags=("三品一械广告主",),
                        scope=("药品 零售", "中成药 零售", "保健食品 销售", "保健食品 零售", "医疗器械 零售", "诊疗", "门诊部", "保健食品 生产"))  # fmt: skip
    return PoolRule(industries=("725", "8622", "8623", "8710", "8720", "6429"), any_of=True, tags=("广告经营者", "广告发布者"),
                    scope=("广告 发布 -宣传品", "广告 代理", "广告 设计 -印刷 -包装装潢印刷", "广告 制作 -印刷"))  # fmt: skip


@hookimpl
def validate_record(record, form):
    answers = record.answers
    problems = check_record(record, POINTS, BUSINESS, GRAVE)
    labels = {choice.value: choice.label for choice in FAULTS}
    for number, row in enumerate(answers.get("advertisements", ()), 1):
        for fault in row.get("faults", ()):
            if fault in answers and answers[fault] in ("yes", "na"):
                problems.append(Problem(fault, f"第 {number} 条广告（{row.get('title', '')}）记有“{labels[fault]}”，这一项应当判为不合格。"))
    if REVIEW in record.outcomes and answers.get("presence") == "open" and answers.get("reviewed") != "yes":
        problems.append(Problem("reviewed", "本次检查含“三品一械”广告的事项，这里应选“是”；没有这类广告的，请在“检查时的状况”中选择。"))
    return problems

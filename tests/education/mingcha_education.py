"""校园食品安全管理责任: the education department's half of a joint check of school canteens, from a distribution of its own.

The market supervision department checks the kitchen (its own sectors); this one what the school itself must do.
学校食品安全与营养健康管理规定 (教育部、市场监管总局、卫生健康委令第 45 号) is cited from memory [M], to be confirmed by a person.
Canteens are known by the tag 学校食堂 in the directory; 停餐 and 校园重点 are tags of the same kind.
"""

import logging
from collections import Counter
from datetime import date

from portal.plugin import (
    CERTIFICATE_ONLY, FOLLOW_UPS, Block, CheckItem, Choice, Column, Field, FollowUp, Page, Part, PoolRule, Problem, Register, Sector,
    articles, check_record, follow_ups, hookimpl, judged, points_of, site_form, summarise,
)

FORM, VERSION, CATEGORY = "education.canteen", "2026-1", "校园安全检查"
DUTY, OUTSIDE = "education.duty", "education.outside"
RULES = "学校食品安全与营养健康管理规定"
LAW = "中华人民共和国食品安全法"
told = logging.getLogger("mingcha_education")

PARTS = (
    Part("学校的责任", DUTY, (
        judged("headmaster", "校长（园长）负责制已落实，有分管负责人和食品安全管理人员", "看任命文件和岗位职责，问管理人员最近一周做了什么。",
               "没有任命，或者任命的人不知道自己的职责。", "任命文件。", articles((RULES, "")), True),
        judged("meals_together", "每餐有学校负责人陪餐，记录完整", "任取两周的陪餐记录，与值班表、学生的说法核对。",
               "没有陪餐，记录是一次补写的，发现的问题没有处理。", "陪餐记录。", articles((RULES, "")), True),
        judged("self_check", "日管控、周排查、月调度有记录，问题已整改", "看最近一个月的记录，抽一条问题到现场看是否改了。",
               "没有记录，同一问题反复出现。", "记录和整改后的现场。", articles((LAW, "第四十四条")), False),
        judged("parents", "家长委员会参与监督，食谱和带量信息公开", "看公示栏和家长会、膳食委员会记录。", "没有公开，家长代表没有到过食堂。", "公示栏。", articles((RULES, ""))),
        (Field("served", "就餐学生人数", "integer", required=True, constraint=". >= 0 and . <= 100000", message="就餐学生人数应是 0 到 100000 的整数。"),),
    )),
    Part("校外供餐", OUTSIDE, (
        (Field("outside", "是否从校外供餐单位订餐", "select_one", required=True, public=True,
               choices=(Choice("yes", "订餐"), Choice("no", "不订餐"))),),
        judged("outside_licence", "供餐单位有集体用餐配送资质，经招标确定", "看合同、许可证和招标文件，在平台核对许可证状态。",
               "许可证没有集体用餐配送项目，没有招标。", "合同和许可证。", articles((LAW, "第五十七条")), True, "${outside} = 'yes'"),
        judged("outside_check", "每批餐食当面查验并留样", "看当天的查验和留样记录，量一次餐箱中心温度。", "没有查验，没有留样，温度低于 60℃。",
               "留样柜和温度计读数。", articles((RULES, "")), False, "${outside} = 'yes'"),
    )),
)  # fmt: skip
POINTS = points_of(PARTS)
CASES = {
    "headmaster": FollowUp("rectify", 10, "ordered", "责令学校明确食品安全责任人，逾期未改的通报主管部门。"),
    "outside_licence": FollowUp("transfer", 0, "inspected", "供餐单位涉嫌超范围经营，移送市场监督管理部门。"),
}


@hookimpl
def sector():
    return Sector("education", "校园安全", department="教育局", version="1.0")


@hookimpl
def check_items():
    return (
        CheckItem(
            DUTY, VERSION, CATEGORY, "学校食品安全管理责任落实情况的检查", FORM, articles((LAW, "第五十七条"), (RULES, "")), objects="有食堂的学校、幼儿园",
            kind="key", methods=("现场检查",), inspected_by="县级以上教育行政部门", qualification=CERTIFICATE_ONLY, valid_from=date(2026, 1, 1),
            points=("校长（园长）负责制", "陪餐", "自查和整改", "家长监督"), aliases=("校园食品安全联合检查", "学校食堂食品安全责任检查"),
            guide="与市场监管部门同时到场：他们查后厨，教育部门查学校的责任；先在校门口看公示，再到食堂。",
        ),
        CheckItem(
            OUTSIDE, VERSION, CATEGORY, "学校校外供餐管理的检查", FORM, articles((LAW, "第五十七条"), (RULES, "")), objects="从校外订餐的学校、幼儿园",
            methods=("现场检查",), inspected_by="县级以上教育行政部门", qualification=CERTIFICATE_ONLY, valid_from=date(2026, 1, 1),
            points=("供餐单位的资质", "查验和留样"), aliases=("校外供餐检查",), guide="在餐食送到时到校，看交接、查验和留样的全过程。",
        ),
    )  # fmt: skip


@hookimpl
def inspection_forms():
    return (site_form(FORM, VERSION, "校园食品安全责任检查表", PARTS),)


@hookimpl
def registers():
    return (
        Register("education.schools", "学校食堂名册", (
            Column("school", "学校名称", required=True), Column("stage", "学段"), Column("students", "就餐学生人数", "integer"),
            Column("head", "负责人职务"), Column("since", "登记日期", "date"),
        ), several=True),
    )  # fmt: skip


@hookimpl
def pool_rule(task):
    return PoolRule(tags=("学校食堂",))


@hookimpl
def exclude_from_pool(task, batch):
    return {one.code: "学校已停餐，恢复供餐后再查。" for one in batch if "停餐" in one.tags}


@hookimpl
def adjust_risk(task, batch):
    return {one.code: "D" for one in batch if "校园重点" in one.tags}


@hookimpl
def validate_record(record, form):
    problems = check_record(record, POINTS, DUTY)
    if record.answers.get("served") == 0:
        problems.append(Problem("served", "没有学生就餐的，请在“检查时的状况”中选择没有开展经营活动，或者改正就餐人数。"))
    return problems


@hookimpl
def suggest_follow_up(record, form):
    return follow_ups(record, FOLLOW_UPS, CASES)


@hookimpl
def public_summary(record, form):
    return summarise(record, CATEGORY, POINTS)


@hookimpl
def publication_pages(task, published):
    if task.sector != "education":
        return []
    counts = Counter(one.outcomes[DUTY] == "none" for one in published if DUTY in one.outcomes)
    rows = [("未发现问题", counts[True]), ("发现问题", counts[False])]
    return [Page(f"campus-{task.window[0].year}", "校园食品安全联合检查", [
        Block("text", f"教育部门与市场监管部门同时到校检查，本任务已公示 {sum(counts.values())} 所学校、幼儿园的食堂。"),
        Block("figure", rows, "检查结果（所）"), Block("table", [["结果", "学校、幼儿园数"], *rows], "检查结果"),
    ])]  # fmt: skip


@hookimpl
def results_published(task, count):
    # The education bureau's own systems take what they need from the log of the host; the portal sends nothing.
    if task.sector == "education":
        told.info("campus check %s: results of %d published", task.code, count)

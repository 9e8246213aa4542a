"""餐饮服务食品安全: licences as a register, 56 points of which 20 are key, a risk grade of its own, two years to see everybody.

Bases: 食品生产经营监督检查管理办法 articles 20 (points), 21 (risk grades), 22 (all key points of everybody within
two years) and 39 (publication) as read; what points.py says of single points is from memory [M] and marked there.
"""

from plugins.catering.forms import FORMS
from plugins.catering.items import CANTEEN, CANTEENS, CATEGORY, ITEMS
from plugins.catering.points import KEY_POINTS, NAMES
from portal.plugin import (
    FOLLOW_UPS, PRESENCE, Block, Column, FollowUp, Page, PoolRule, Problem, Register, Sector, check_record, follow_ups,
    hookimpl, summarise,
)  # fmt: skip

LICENCES = "catering.licences"
#: the scale of the jurisdiction that adjust_risk speaks of; credit-risk classes are another one and stay as they are
SCALE = "food"
GONE = ("注销", "吊销", "撤销", "歇业")
WORST_FIRST = ("D", "C", "B", "A")
#: failed points whose goods must not stay where they are
DANGEROUS = ("forbidden", "expired", "meat", "nonfood")
CASE = FollowUp("case", 0, "inspected", "重点项不合格，影响食品安全，依法调查处理。")
SEALED = FollowUp("case", 0, "inspected", "依法查封、扣押有关食品和原料，追查来源去向，调查处理。")
RECHECK = FollowUp("recheck", 10, "ordered", "一般项不合格，责令改正后复查。")
#: failed point -> follow-up
THEN = {name: SEALED if name in DANGEROUS else CASE if name in KEY_POINTS else RECHECK for name in NAMES}
#: outcomes of a check that could not look at the points
UNSEEN = ("not_operating", "unreachable", "uncooperative")


@hookimpl
def sector():
    return Sector("catering", "餐饮服务", department="餐饮服务监督管理科", items=ITEMS, forms=FORMS)


@hookimpl
def registers():
    return [Register(LICENCES, "餐饮服务许可名录", (
        Column("number", "许可证编号", required=True, aliases=("备案编号", "食品经营许可证编号")), Column("valid_to", "有效期至", "date"),
        Column("business", "主体业态", required=True, aliases=("业态",)), Column("projects", "经营项目", aliases=("许可项目",)),
        Column("place", "许可的经营场所"), Column("state", "许可状态"), Column("grade", "食品安全风险等级", aliases=("食品风险等级",)),
    ), several=True)]  # fmt: skip


@hookimpl
def pool_rule(task):
    # A chain's shops are sites of their own (USCC#n), each with its own licence; a company with one shop is drawn itself.
    tags = CANTEENS if set(task.items) == {CANTEEN} else ()
    return PoolRule(kinds=("entity", "site"), registers=(LICENCES,), tags=tags)


@hookimpl
def exclude_from_pool(task, batch):
    """Those whose every licence has ended. An expired one excludes nobody: whoever still works without is what is looked for."""
    return {one.code: "食品经营许可已注销、吊销、撤销或者歇业" for one in batch if all(row.get("state") in GONE for row in one.attributes.get(LICENCES, ()))}


@hookimpl
def adjust_risk(task, batch):
    """The worst grade of a holder's licences in force, where the task goes by food grades."""
    if task.scale != SCALE:
        return None
    found = {}
    for one in batch:
        grades = {row.get("grade", "").removesuffix("级") for row in one.attributes.get(LICENCES, ()) if row.get("state") not in GONE}
        if worst := next((grade for grade in WORST_FIRST if grade in grades), ""):
            found[one.code] = worst
    return found


@hookimpl
def validate_record(record, form):
    answers, problems = record.answers, []
    for item in record.outcomes:  # one form answers for both items, whole
        problems += check_record(record, dict.fromkeys(NAMES, item), item, KEY_POINTS)
    uncertified = answers.get("staff_uncertified", 0)
    if uncertified and answers.get("health_cert") != "no":
        problems.append(Problem("health_cert", f"有 {uncertified} 人没有有效的健康证明，这项应判为不合格。"))
    if answers.get("health_cert") == "no" and not uncertified:
        problems.append(Problem("staff_uncertified", "“健康证明”判为不合格，请填写没有健康证明的人数。"))
    if answers.get("business") in ("school", "nursing", "central") and answers.get("samples") == "na":
        problems.append(Problem("samples", "学校、养老机构食堂和集体用餐配送单位应当留样，这项不能选不适用。"))
    return problems


@hookimpl
def suggest_follow_up(record, form):
    return follow_ups(record, {**FOLLOW_UPS, "rectified": RECHECK}, THEN)


@hookimpl
def public_summary(record, form):
    said = summarise(record, CATEGORY, dict.fromkeys(NAMES, ""))
    if record.answers.get(PRESENCE) != "open":
        return said
    failed = [name for name in NAMES if record.answers.get(name) == "no"]
    key = sum(name in KEY_POINTS for name in failed)
    return f"{said}重点项不合格{key}项，对照要点表为{'不符合' if key else '基本符合' if failed else '符合'}。"


@hookimpl
def publication_pages(task, published):
    """How far everybody has been looked at within two years: counts only."""
    if task.sector != "catering":
        return []
    year = task.window[0].year
    own = {item.code for item in ITEMS}
    seen: dict[int, set[str]] = {year - 1: set(), year: set()}
    for one in published:
        looked_at = {item for item in one.items if item in own and one.outcomes[item] not in UNSEEN}
        if looked_at and one.inspected_on.year in seen:
            seen[one.inspected_on.year].add(one.entity)
    both = len(seen[year - 1] | seen[year])
    rows = [["期间", "已全项检查（户）"], *([f"{on}年", len(codes)] for on, codes in seen.items()), ["两年合计（同一户只计一次）", both]]
    text = "餐饮服务提供者每两年至少接受一次覆盖全部检查要点的监督检查。下面只计已经公示结果、能够进场检查的户数，停业和无法联系的不计入。"
    if task.base:
        text += f"最近一次抽取的名录有 {task.base:,} 户，两年内已检查 {both:,} 户。"
    return [Page(f"coverage-{year}", f"餐饮服务两年全覆盖进度（{year - 1}—{year}年）", [Block("text", text), Block("table", rows, "检查户数")])]

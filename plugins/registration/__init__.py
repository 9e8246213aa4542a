"""登记事项检查: licence, name, term, scope, address, capital, representative, identity."""

from plugins.registration.forms import FORMS, ITEM_OF, ON_SITE
from plugins.registration.items import CATEGORY, ITEMS, MAIN
from portal.plugin import OUTCOMES, FollowUp, Problem, Sector, hookimpl

#: outcome -> follow-up; the periods change with the rules, so they stand in one place
FOLLOW_UPS = {
    "unreachable": FollowUp("abnormal_list", 10, "inspected", "通过登记的住所无法联系，自查实之日起 10 个工作日内列入经营异常名录。"),
    "undisclosed": FollowUp("rectify", 10, "ordered", "责令限期公示，逾期未公示的列入经营异常名录。"),
    "false_disclosure": FollowUp("abnormal_list", 10, "inspected", "公示信息弄虚作假，自查实之日起 10 个工作日内列入经营异常名录。"),
    "rectified": FollowUp("recheck", 10, "ordered", "核对责令改正的完成情况。"),
    "uncooperative": FollowUp("case", 0, "inspected", "不配合检查情节严重，移送办案机构。"),
    "pending": FollowUp("other", 0, "inspected", "由审核员确定后续处置。"),
}
CASE = FollowUp("case", 0, "inspected", "涉嫌伪造、涂改、出租、出借、转让营业执照，移送办案机构。")
REVOKE = FollowUp("transfer", 0, "inspected", "涉嫌冒用身份登记，移送登记机关按撤销登记程序处理。")


@hookimpl
def sector():
    return Sector("registration", "登记事项", department="信用监督管理科")


@hookimpl
def check_items():
    return ITEMS


@hookimpl
def inspection_forms():
    return FORMS


@hookimpl
def validate_record(record, form):
    answers = record.answers
    problems = []
    unreachable = answers.get("address") == "unreachable"
    if unreachable:
        problems += [
            Problem(name, "已认定通过登记的住所无法联系，不能同时对这项作出现场判断，请删除。") for name in ON_SITE if name in answers
        ]
    for item, outcome in record.outcomes.items():  # all of this sector: a form records its own items
        bad = _bad_points(record, item)
        seen_on_site = item == MAIN or any(ITEM_OF[name] == item for name in ON_SITE)
        if item == _item_for(record, "address") and unreachable and outcome != "unreachable":
            problems.append(Problem("address", "认定无法联系的，抽查结果应选“通过登记的住所（经营场所）无法联系”。"))
        elif seen_on_site and unreachable and not OUTCOMES[outcome].problem:
            problems.append(Problem(item, f"没有到现场查看，抽查结果不能是“{OUTCOMES[outcome].label}”。"))
        elif outcome == "unreachable" and not unreachable:
            problems.append(Problem("address", "抽查结果是无法联系，但“登记的住所（经营场所）”没有选“通过登记的住所无法联系”。"))
        elif bad and not OUTCOMES[outcome].problem:
            problems.append(Problem(bad[0], f"这项判为不合格，抽查结果不能是“{OUTCOMES[outcome].label}”。"))
        elif not bad and outcome in ("rectified", "pending"):
            problems.append(Problem(item, f"抽查结果是“{OUTCOMES[outcome].label}”，但没有一项判为不合格。"))
        if outcome == "rectified" and "licence_genuine" in bad:
            problems.append(Problem("licence_genuine", "涉嫌伪造、出租、出借营业执照的，不能以责令改正结束，请选“发现问题待后续处理”。"))
    return problems


@hookimpl
def suggest_follow_up(record, form):
    follow_ups = [FOLLOW_UPS[outcome] for outcome in sorted(set(record.outcomes.values())) if outcome in FOLLOW_UPS]
    if record.answers.get("licence_genuine") == "no":
        follow_ups.append(CASE)
    if record.answers.get("identity_true") == "no":
        follow_ups.append(REVOKE)
    if len(follow_ups) > 1:  # a named follow-up makes the open one superfluous
        follow_ups = [one for one in follow_ups if one.kind != "other"]
    return follow_ups or [FollowUp("none")]


@hookimpl
def public_summary(record, form):
    labels = "、".join(OUTCOMES[one].label for one in OUTCOMES if one in set(record.outcomes.values()))
    judged = [record.answers[name] for name in ITEM_OF if record.answers.get(name) in ("yes", "no")]
    return f"{CATEGORY}：判断{len(judged)}项，不合格{judged.count('no')}项；抽查结果：{labels}。"


def _item_for(record, point):
    # A plan that names only the category puts one item on the record: it answers for the points of all.
    # A problem found beside the items of the record must not be lost: the first of them carries it.
    own = [item for item in record.outcomes if item.startswith("registration.")]
    return ITEM_OF[point] if ITEM_OF[point] in own else MAIN if MAIN in own else own[0] if own else ""


def _bad_points(record, item):
    return [name for name in ITEM_OF if record.answers.get(name) == "no" and _item_for(record, name) == item]

"""公示信息检查: what enterprises disclosed in annual reports and at once, against the facts."""

from plugins.annual_reports.forms import FORMS, PART_OF
from plugins.annual_reports.items import ANNUAL, CATEGORY, INSTANT, ITEMS
from portal.plugin import FOLLOW_UPS, OUTCOMES, PRESENCE, FollowUp, Problem, Sector, hookimpl

#: outcome -> follow-up; the periods change with the rules, so they stand in one place
THEN = {
    **FOLLOW_UPS,
    "undisclosed": FollowUp("rectify", 10, "ordered", "责令 10 日内公示；逾期未公示的，自期满之日起 10 个工作日内列入经营异常名录。"),
    "false_disclosure": FollowUp("abnormal_list", 10, "inspected", "公示信息隐瞒真实情况、弄虚作假，自查实之日起 10 个工作日内列入经营异常名录。"),
    "rectified": FollowUp("recheck", 10, "ordered", "核对更正后的公示信息。"),
    "uncooperative": FollowUp("case", 0, "inspected", "不配合检查情节严重，移送办案机构并公示。"),
}


@hookimpl
def sector():
    return Sector("annual_reports", "公示信息", department="信用监督管理科", items=ITEMS, forms=FORMS)


@hookimpl
def validate_record(record, form):
    answers, problems = record.answers, []
    unreachable = answers.get(PRESENCE) == "unreachable"
    if unreachable and answers.get("phone") == "yes":
        problems.append(Problem("phone", "公示的电话能够联系上的，不能认定为无法联系，请核对。"))
    if unreachable and "site" not in answers.get("methods", ()):
        problems.append(Problem("methods", "认定通过登记的住所无法联系的，要有现场检查。"))
    own = {item: outcome for item, outcome in record.outcomes.items() if item in (ANNUAL, INSTANT)}
    for item, outcome in own.items():
        label = OUTCOMES[outcome].label
        found = _findings(answers, _parts(item, own))
        if outcome == "unreachable" and not unreachable:
            problems.append(Problem(PRESENCE, f"抽查结果是“{label}”，但“检查时的状况”没有选无法联系。"))
        elif unreachable and item == next(iter(sorted(own))) and outcome != "unreachable":
            problems.append(Problem(PRESENCE, "认定无法联系的，抽查结果应选“通过登记的住所（经营场所）无法联系”。"))
        elif found and not OUTCOMES[outcome].problem:
            problems.append(Problem(next(iter(found)), f"这项不合格，抽查结果不能是“{label}”。"))
        elif "false" in found.values() and outcome in ("undisclosed", "rectified"):
            point = next(name for name, finding in found.items() if finding == "false")
            problems.append(Problem(point, "这项是隐瞒真实情况、弄虚作假，抽查结果应选“公示信息隐瞒真实情况、弄虚作假”。"))
        elif outcome == "false_disclosure" and "false" not in found.values():
            problems.append(Problem(item, f"抽查结果是“{label}”，但没有一项属于隐瞒真实情况、弄虚作假。"))
        elif outcome in ("undisclosed", "rectified", "pending") and not found:
            problems.append(Problem(item, f"抽查结果是“{label}”，但没有一项判为不合格。"))
    return problems


@hookimpl
def suggest_follow_up(record, form):
    follow_ups = [THEN[outcome] for outcome in sorted(set(record.outcomes.values())) if outcome in THEN]
    listed = [one for one in follow_ups if one.kind == "abnormal_list"]
    if len(listed) > 1:  # one listing, whatever the number of reasons
        reasons = "；".join(one.note.rstrip("。") for one in listed)
        follow_ups = [one for one in follow_ups if one.kind != "abnormal_list"]
        follow_ups.append(FollowUp("abnormal_list", min(one.due_working_days for one in listed), "inspected", f"{reasons}。"))
    return follow_ups or [FollowUp("none")]


@hookimpl
def public_summary(record, form):
    labels = "、".join(OUTCOMES[one].label for one in OUTCOMES if one in set(record.outcomes.values()))
    judged = [record.answers[name] for name in PART_OF if record.answers.get(name) in ("yes", "no")]
    return f"{CATEGORY}：核对{len(judged)}项，不一致{judged.count('no')}项；抽查结果：{labels}。"


def _parts(item, own):
    # A record with one item answers for both parts of the form.
    return ("annual", "instant") if len(own) == 1 else ("annual",) if item == ANNUAL else ("instant",)


def _findings(answers, parts):
    """point -> missing | false, for the points of these parts that failed."""
    found = {}
    if "annual" in parts and answers.get("filed") in ("late", "missing"):
        found["filed"] = "missing"
    for name, part in PART_OF.items():
        if part in parts and answers.get(name) == "no":
            found[name] = answers.get(f"{name}_finding", "missing")
    return found

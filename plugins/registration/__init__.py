"""登记事项检查: licence, name, term, scope, address, capital, representative, identity."""

from plugins.registration.forms import FORMS, ITEM_OF, ON_SITE
from plugins.registration.items import CATEGORY, ITEMS, MAIN
from portal.plugin import OUTCOMES, PRESENCE, Findings, FollowUp, Problem, Sector, failed_points, hookimpl, item_for

CASE = FollowUp("case", 0, "inspected", "涉嫌伪造、涂改、出租、出借、转让营业执照，移送办案机构。")
REVOKE = FollowUp("transfer", 0, "inspected", "涉嫌冒用身份登记，移送登记机关按撤销登记程序处理。")
FINDINGS = Findings(CATEGORY, ITEM_OF, {"licence_genuine": CASE, "identity_true": REVOKE})


@hookimpl
def sector():
    return Sector("registration", "登记事项", department="信用监督管理科", items=ITEMS, forms=FORMS, findings=FINDINGS)


@hookimpl
def validate_record(record, form):
    answers = record.answers
    problems = []
    presence = answers.get(PRESENCE)
    unreachable, met = presence == "unreachable", presence not in ("unreachable", "uncooperative")
    if not met:
        problems += [Problem(name, "没有到现场查看，不能对这项作出现场判断，请删除。") for name in ON_SITE if name in answers]
    for item, outcome in record.outcomes.items():  # all of this sector: a form records its own items
        label = OUTCOMES[outcome].label
        bad = failed_points(record, ITEM_OF, item, MAIN)
        seen_on_site = item == MAIN or any(ITEM_OF[name] == item for name in ON_SITE)
        if item == item_for(record, ITEM_OF, "address", MAIN) and unreachable and outcome != "unreachable":
            problems.append(Problem(PRESENCE, "认定无法联系的，抽查结果应选“通过登记的住所（经营场所）无法联系”。"))
        elif seen_on_site and not met and not OUTCOMES[outcome].problem:
            problems.append(Problem(item, f"没有到现场查看，抽查结果不能是“{label}”。"))
        elif outcome in ("unreachable", "uncooperative", "not_operating") and presence != outcome:
            problems.append(Problem(PRESENCE, f"抽查结果是“{label}”，但“检查时的状况”选的不是这一种。"))
        elif bad and not OUTCOMES[outcome].problem:
            problems.append(Problem(bad[0], f"这项判为不合格，抽查结果不能是“{label}”。"))
        elif not bad and outcome in ("rectified", "pending"):
            problems.append(Problem(item, f"抽查结果是“{label}”，但没有一项判为不合格。"))
        if outcome == "rectified" and "licence_genuine" in bad:
            problems.append(Problem("licence_genuine", "涉嫌伪造、出租、出借营业执照的，不能以责令改正结束，请选“发现问题待后续处理”。"))
    return problems

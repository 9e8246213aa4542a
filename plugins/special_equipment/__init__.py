"""特种设备: users drawn, their equipment sampled on the spot; severe hazards escalate; post-licence cancels routine.

Bases: 特种设备安全监督检查办法 (总局令第 57 号) articles 8, 9, 17 (no routine check in the year of a post-licence check), 24
(eight major violations), 25 (six severe hazards) and 29 (re-check within ten working days of the report of rectification)
as read. Articles of 特种设备安全法 33-36, 39, 40, 43 as in the checked text; other articles, and those of the two
rules on main responsibility (总局令第 74 号 for users, in force since 2023-05-05, is confirmed), from memory [M], to be confirmed before release.
"""

from plugins.special_equipment.forms import FORMS, HAZARDS, KINDS, LICENSED_POINTS, ROW_VERDICTS, USE_POINTS
from plugins.special_equipment.items import CATEGORY, ITEMS, LICENSED, USE, USE_FORM
from portal.plugin import (
    FOLLOW_UPS, OUTCOMES, PRESENCE, Column, FollowUp, PoolRule, Problem, Register, Sector, check_record, follow_ups, hookimpl,
    summarise,
)  # fmt: skip

EQUIPMENT, LICENCES = "special_equipment.equipment", "special_equipment.licences"
OUT_OF_USE = ("停用", "报废", "注销", "拆除")
ORDER = FollowUp("rectify", 0, "inspected", "发出特种设备安全监察指令，责令限期改正或者消除事故隐患。")
RECHECK = FollowUp("recheck", 10, "reported", "收到整改报告后 10 个工作日内复查，必要时到现场。")
SEAL = FollowUp("other", 0, "inspected", "责令立即停止使用，依法查封、扣押有严重事故隐患的设备，并报告上级市场监督管理部门。")
CASE = FollowUp("case", 0, "inspected", "重大违法行为或者严重事故隐患，移送办案机构调查处理。")


@hookimpl
def sector():
    return Sector("special_equipment", "特种设备", department="特种设备安全监察科", items=ITEMS, forms=FORMS)


@hookimpl
def registers():
    return [
        Register(EQUIPMENT, "特种设备使用登记名录", (
            Column("number", "使用登记证编号", required=True, aliases=("设备代码", "设备注册代码")), Column("kind", "设备种类", required=True, aliases=("种类",)),
            Column("place", "使用地点", aliases=("设备使用地点",)), Column("state", "设备使用状态", aliases=("使用状态",)),
            Column("next_inspection", "下次检验日期", "date", aliases=("检验有效期", "检验有效期至")), Column("key_unit", "重点监督检查单位"),
        ), several=True),
        Register(LICENCES, "特种设备生产（充装）许可名录", (
            Column("number", "许可证编号", required=True), Column("project", "许可项目", required=True), Column("valid_to", "有效期至", "date"),
            Column("checked_on", "最近一次证后监督检查日期", "date", aliases=("证后检查日期",)),
        ), several=True),
    ]  # fmt: skip


@hookimpl
def pool_rule(task):
    return PoolRule(registers=(LICENCES,) if set(task.items) == {LICENSED} else (EQUIPMENT,))


@hookimpl
def exclude_from_pool(task, batch):
    """For routine checks: who had a post-licence check this year, and who has no equipment in use."""
    if USE not in task.items:
        return None
    year = str(task.frozen_on.year)
    found = {}
    for one in batch:
        equipment = one.attributes.get(EQUIPMENT, ())
        if LICENSED in one.last_inspected or any(row.get("checked_on", "").startswith(year) for row in one.attributes.get(LICENCES, ())):
            found[one.code] = "本年已接受证后监督检查，不再安排常规监督检查"
        elif equipment and all(row.get("state") in OUT_OF_USE for row in equipment):
            found[one.code] = "登记的特种设备均已停用、报废或者注销"
    return found


@hookimpl
def validate_record(record, form):
    points = USE_POINTS if form.code == USE_FORM else LICENSED_POINTS
    if record.answers.get(PRESENCE) != "open":
        return check_record(record, points)
    rows = record.answers.get("devices", ())
    bad_row = next((n for n, row in enumerate(rows, 1) if _failed(row)), 0)
    grave = _grave(record)
    problems = []
    for problem in check_record(record, points):
        # A failed device or a hazard is a reason beside the points for an outcome of trouble.
        if not ((bad_row or grave) and problem.field in record.outcomes):
            problems.append(problem)
    for item, outcome in record.outcomes.items():
        if (bad_row or grave) and not OUTCOMES[outcome].problem:
            place = _grave_in(record)[0] if grave else "devices"
            problems.append(Problem(place, f"发现了问题，“{item}”的抽查结果不能是“{OUTCOMES[outcome].label}”。", 0 if grave else bad_row))
        elif grave and outcome == "rectified":
            problems.append(Problem(item, f"有严重事故隐患或者重大违法行为的，不能以责令改正结束，抽查结果应选“{OUTCOMES['pending'].label}”。"))
    return problems + _check_devices(record, rows)


def _check_devices(record, rows):
    problems, seen = [], {}
    for n, row in enumerate(rows, 1):
        first = seen.setdefault(row["device_code"], n)
        if first != n:
            problems.append(Problem("device_code", f"与第 {first} 行是同一台设备（{row['device_code']}），请只保留一行。", n))
        overdue = row["next_inspection"] < record.inspected_on.isoformat()
        if overdue and row["inspected"] != "no":
            problems.append(Problem("inspected", f"下次检验日期 {row['next_inspection']} 已过，“在检验有效期内”应判为不合格。", n))
        if _failed(row) and not row.get("device_note"):
            problems.append(Problem("device_note", "这台设备有不合格项，请写明事实。", n))
        if row["registered"] == row["inspected"] == "na":
            problems.append(Problem("registered", "使用登记和定期检验不能都选不适用：不需要登记检验的不是特种设备。", n))
    if len(rows) > record.answers.get("in_use", len(rows)):
        problems.append(Problem("in_use", f"抽查了 {len(rows)} 台，比在用的 {record.answers['in_use']} 台还多，请核对。"))
    if "devices" in set(record.answers.get("hazards", ())) and rows and all(row["attachments"] != "no" for row in rows):
        problems.append(Problem("attachments", "严重事故隐患选了安全附件缺失或者失灵，请在“抽查的设备”中把那一台判为不合格。", 1))
    return problems


def _failed(row):
    return any(row.get(name) == "no" for name in ROW_VERDICTS)


def _grave_in(record):
    return [name for name in ("hazards", "violations") if set(record.answers.get(name, ())) - {"none"}]


def _grave(record):
    return [one for name in _grave_in(record) for one in record.answers[name]]


@hookimpl
def suggest_follow_up(record, form):
    by_outcome = {**FOLLOW_UPS, "rectified": RECHECK}
    found = [one for one in follow_ups(record, by_outcome, {}) if one.kind not in ("none", "other")]
    if record.answers.get(PRESENCE) == "open" and set(record.outcomes.values()) & {"rectified", "pending"}:
        found = [ORDER, RECHECK]
    grave = _grave(record)
    if grave:
        found.append(CASE)
    if set(grave) & set(HAZARDS):
        found.append(SEAL)
    return found or [FollowUp("none")]


@hookimpl
def public_summary(record, form):
    if form.code != USE_FORM or record.answers.get(PRESENCE) != "open":
        return summarise(record, CATEGORY, LICENSED_POINTS if form.code != USE_FORM else USE_POINTS)
    rows = record.answers.get("devices", ())
    labels = {choice.value: choice.label for choice in KINDS}
    kinds = "、".join(labels[kind] for kind in labels if any(row.get("device_kind") == kind for row in rows))
    said = f"{summarise(record, CATEGORY, USE_POINTS)}抽查{kinds}{len(rows)}台，不合格{sum(map(_failed, rows))}台。"
    return said + (f"发现严重事故隐患或者重大违法行为{len(_grave(record))}种。" if _grave(record) else "")

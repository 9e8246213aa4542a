"""工业产品质量: products drawn as objects of their makers and sellers, sampled on the spot, judged by a laboratory later.

Bases: 产品质量法 articles 15 (sampling, no repeated sampling below, fifteen days to ask for a re-test), 17, 27, 33-39 as in
the checked text, 29 and 30 as quoted on stored pages; article 13 and those of 产品质量监督抽查管理暂行办法 from memory [M], as is the half year within
which a product sampled by a higher authority is not sampled again: to be confirmed before release.
"""

from datetime import date, timedelta

from plugins.product_quality.forms import FORMS, MARKET_POINTS, SAMPLING_POINTS
from plugins.product_quality.items import CATEGORY, ITEMS, MARKET_FORM, RESULT_FORM, SAMPLING
from portal.plugin import (
    FOLLOW_UPS, OUTCOMES, PRESENCE, Column, FollowUp, PoolRule, Problem, Register, Sector, check_record, follow_ups, hookimpl,
    summarise,
)  # fmt: skip

PRODUCTS = "product_quality.products"
#: who may ask for a re-test has so many days from being told (产品质量法 15)
OBJECTION = timedelta(days=15)
#: within which nobody below samples what was sampled above
HALF_YEAR = timedelta(days=183)
ABOVE = ("国家", "省", "市")
#: 综合零售 and wholesale and retail of what industry makes for use: textiles, household goods, fuel, building materials, machines, electric goods
SELLERS = ("513", "516", "517", "521", "523", "526", "527", "528")
ORDER = FollowUp("rectify", 10, "ordered", "责令停止生产、销售不合格产品，限期改正。")
RECHECK = FollowUp("recheck", 0, "reported", "收到整改报告后组织复查；拒不整改或者复查仍不合格的，依法公告、责令停业整顿。")
CASE = FollowUp("case", 0, "inspected", "涉嫌生产、销售禁止或者严重不合格的产品，移送办案机构。")
GRAVE = ("obsolete", "origin", "marks", "adulterated")


@hookimpl
def sector():
    return Sector("product_quality", "工业产品质量", department="质量安全监督管理科", items=ITEMS, forms=FORMS)


@hookimpl
def registers():
    return [Register(PRODUCTS, "工业产品名录", (
        Column("category", "产品类别", required=True, aliases=("产品种类",)), Column("standard", "执行标准"), Column("state", "产销状态"),
        Column("sampled_on", "最近一次抽样日期", "date"), Column("sampled_by", "抽查级别", aliases=("最近一次抽查级别",)),
    ))]  # fmt: skip


@hookimpl
def pool_rule(task):
    return PoolRule(kinds=("object",), registers=(PRODUCTS,)) if SAMPLING in task.items else PoolRule(industries=SELLERS)


@hookimpl
def exclude_from_pool(task, batch):
    """Products no longer made or sold, and those sampled above within half a year."""
    if SAMPLING not in task.items:
        return None
    found = {}
    since = (task.frozen_on - HALF_YEAR).isoformat()
    for one in batch:
        for row in one.attributes.get(PRODUCTS, ()):
            if row.get("state") in ("停产", "停售", "停止销售"):
                found[one.code] = "产品已停产、停止销售"
            elif row.get("sampled_by", "").startswith(ABOVE) and row.get("sampled_on", "") >= since:
                found[one.code] = "上级半年内已抽查同一产品，不重复抽查"
    return found


@hookimpl
def validate_record(record, form):
    if form.code == RESULT_FORM:
        return _check_result(record)
    if form.code == MARKET_FORM:
        return check_record(record, MARKET_POINTS, grave=GRAVE)
    return check_record(record, SAMPLING_POINTS, grave=("forbidden",)) + _check_samples(record)


def _check_samples(record):
    if record.answers.get(PRESENCE) != "open":
        return [] if record.outcomes else [Problem(PRESENCE, "没有抽到样品，不能选“待检验结果”，请按“检查时的状况”选择抽查结果。")]
    samples, missed = record.answers.get("samples", ()), record.answers.get("unsampled", ())
    problems = []
    if samples and record.outcomes:
        problems.append(Problem(SAMPLING, f"抽了 {len(samples)} 批样品，抽查结果应选“待检验结果”，收到报告后再定。"))
    if not samples and not record.outcomes:
        problems.append(Problem("samples", "没有抽取样品，不能选“待检验结果”：请填写样品，或者选择抽查结果。"))
    problems += _twice(samples, "seal", "封样编号")
    here = {row.get("product_code") for row in samples} | {row["missed_code"] for row in missed}
    left = [code for code in record.drawn if code not in here]
    problems += [Problem("samples", f"抽中的产品 {code} 既没有抽样，也没有写明不抽样的原因。") for code in left]
    both = sorted({row.get("product_code") for row in samples} & {row["missed_code"] for row in missed})
    return problems + [Problem("unsampled", f"产品 {code} 已经抽样，不能再列为没有抽样。") for code in both]


def _check_result(record):
    answers = record.answers
    results, retests = answers["results"], answers.get("retests", ())
    sealed = [row["seal"] for row in record.before.get("samples", ())]
    problems = _twice(results, "sealed", "封样编号") + _twice(retests, "resealed", "封样编号")
    problems += [
        Problem("sealed", f"现场没有封样编号“{row['sealed']}”，抽样单上的是：{'、'.join(sealed)}。", n) for n, row in enumerate(results, 1) if row["sealed"] not in sealed
    ]
    given = {row["sealed"] for row in results}
    problems += [Problem("results", f"样品 {seal} 还没有检验结论。") for seal in sealed if seal not in given]
    first = {row["sealed"]: row["conclusion"] for row in results}
    problems += [
        Problem("resealed", f"“{row['resealed']}”初检不是不合格，不需要复检。", n) for n, row in enumerate(retests, 1) if first.get(row["resealed"]) != "fail"
    ]
    failed = _failed(answers)
    if "fail" in first.values() and answers["objection"] == "none":
        until = date.fromisoformat(answers["told_on"]) + OBJECTION
        if record.inspected_on <= until:
            problems.append(Problem("objection", f"告知之日起 15 日内可以申请复检，到 {until} 才能确认没有提出异议。"))
    if "fail" not in first.values() and answers["objection"] != "none":
        problems.append(Problem("objection", "各批次都合格，没有可以异议的结论，请核对。"))
    severe = any(row["sealed"] in failed and row.get("severe") == "yes" for row in results)
    bad_on_site = [name for name in SAMPLING_POINTS if record.before.get(name) == "no"]
    for item, outcome in record.outcomes.items():
        label = OUTCOMES[outcome].label
        if (failed or bad_on_site) and not OUTCOMES[outcome].problem:
            why = f"样品 {failed[0]} 不合格" if failed else "现场检查有不合格项"
            problems.append(Problem("results", f"{why}，抽查结果不能是“{label}”。"))
        elif (severe or "forbidden" in bad_on_site) and outcome == "rectified":
            problems.append(Problem(item, f"严重不合格或者禁止的产品要移送查处，抽查结果应选“{OUTCOMES['pending'].label}”。"))
        elif not failed and not bad_on_site and outcome != "none":
            problems.append(Problem(item, f"各批次合格、现场没有不合格项，抽查结果不能是“{label}”。"))
    return problems


def _twice(rows, name, label):
    first: dict[str, int] = {}
    return [
        Problem(name, f"与第 {first[row[name]]} 行的{label}相同（{row[name]}），请核对。", n)
        for n, row in enumerate(rows, 1)
        if first.setdefault(row[name], n) != n
    ]


def _failed(answers):
    """Seals whose last word is 不合格: a re-test goes before the first test."""
    last = {row["sealed"]: row["conclusion"] for row in answers.get("results", ())}
    last |= {row["resealed"]: row["reconclusion"] for row in answers.get("retests", ())}
    return [seal for seal, conclusion in last.items() if conclusion == "fail"]


@hookimpl
def suggest_follow_up(record, form):
    if form.code == MARKET_FORM:
        return follow_ups(record, FOLLOW_UPS, dict.fromkeys(GRAVE, CASE))
    if form.code != RESULT_FORM:  # what the laboratory says is not known yet
        return follow_ups(record, FOLLOW_UPS, {"forbidden": CASE})
    failed = _failed(record.answers)
    found = [ORDER, RECHECK] if failed or any(record.before.get(name) == "no" for name in SAMPLING_POINTS) else []
    if any(row["sealed"] in failed and row.get("severe") == "yes" for row in record.answers["results"]):
        found.append(CASE)
    return found or [FollowUp("none")]


@hookimpl
def public_summary(record, form):
    if form.code == MARKET_FORM:
        return summarise(record, CATEGORY, MARKET_POINTS)
    if form.code != RESULT_FORM:
        return summarise(record, CATEGORY, SAMPLING_POINTS) if record.outcomes else f"{CATEGORY}：已经抽样，待检验结果。"
    rows, retests = record.answers.get("results", ()), record.answers.get("retests", ())
    bad = [row["failed_items"] for row in rows if row["conclusion"] == "fail"]
    again = f"经复检，{len(retests)}批次中{sum(row['reconclusion'] == 'pass' for row in retests)}批次合格。" if retests else ""
    what = f"不合格项目：{'、'.join(dict.fromkeys(bad))[:120]}。" if bad else ""
    return f"{CATEGORY}：检验{len(rows)}批次，初检不合格{len(bad)}批次。{what}{again}"

"""What numbered documents say, as plain data: from what is stored, under the versions it was done under. Nothing here is public."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.domain.documents import default_word, laws_of, unannounced_by
from portal.domain.errors import WrongMoment
from portal.domain.model import AWAITING, OUTCOMES, Form
from portal.steps.acting import BEIJING, Acting
from portal.steps.catalogue import load_form, load_item
from portal.steps.documents import load_record_paper
from portal.steps.joined_forms import forms_of, load_errand
from portal.steps.profile import load_profile
from portal.store import accounts, directory, draw, plan, records, visits

__all__ = ["FILED", "load_office", "notice_paper", "order_paper", "record_paper", "result_paper"]

FILED = ("approved", "published")
Paper = dict[str, Any]


async def load_office(act: Acting, bureau: Mapping[str, Any]) -> dict[str, str]:
    """What the documents say of the bureau that issues them: word, contact, site, review, court; "" where its own profile does not say."""
    profile = await load_profile(act)
    own = profile.documents if profile and profile.region == bureau["region"] else {}
    word = own.get("word") or default_word(bureau["name"])
    return {"word": word, **{name: own.get(name, "") for name in ("contact", "site", "review", "court")}}


async def _addressee(visit: Mapping[str, Any]) -> Paper:
    """Name, code and address of whoever is visited: the holder where a site or an object was drawn."""
    found = await directory.load_entities({visit["entity_code"], visit["holder"]})
    drawn = found[visit["entity_code"]]
    holder = found.get(visit["holder"], drawn)
    return {"entity_name": holder["name"], "entity": holder["code"], "address": drawn["address"] or holder["address"], "place": drawn["name"] if drawn is not holder else ""}


async def _people(visit: Mapping[str, Any]) -> list[Paper]:
    """Who goes there, in slot order, each with the certificate (执法证件) that has to be shown; None for an empty slot."""
    assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
    people = await directory.load_inspectors_by_id({one for one in assigned if one})
    units = {one["id"]: one["name"] for one in await accounts.load_organisations()}
    return [
        {"name": one["name"], "certificate": one["certificate_no"], "unit": units[one["organisation"]]} if (one := people.get(who or 0)) else {}
        for who in assigned
    ]


# Notice ----------------------------------------------------------------------


async def notice_paper(act: Acting, visit: Mapping[str, Any]) -> Paper:
    """检查通知书: one for the whole visit, to its holder (DOMAIN.md R33), tasks that are checked unannounced left out.

    WrongMoment where all of them are, where somebody is still to be assigned, and once the check has begun.
    """
    if visit["state"] != "open" or visit["arrived_at"]:
        raise WrongMoment(f"入企检查 {visit['code']} 已经{'到场' if visit['state'] == 'open' else '办结或者不再进行'}，不用再发检查通知书。")
    people = await _people(visit)
    if not people or not all(people):
        raise WrongMoment(f"入企检查 {visit['code']} 的执法人员还没有派齐，通知书写不出执法人员。")
    told, silent = await announced_tasks(visit)
    if not told:
        raise WrongMoment(f"本次入企不发检查通知书：{'；'.join(f'{task}，{why}' for task, why in silent)}。")
    round_ = (await draw.load_rounds_by_id([visit["round"]]))[visit["round"]]
    groups: dict[str, list[Paper]] = {}
    named: set[str] = set()  # what two tasks ask is checked once
    for item in (item for task in told for item in task["items"]):
        if item["code"] not in named:
            named.add(item["code"])
            groups.setdefault(item.pop("department"), []).append(item)
    return {
        **await _addressee(visit), "visit": visit["code"], "day": visit["day"].isoformat(), "inspectors": people,
        "groups": [{"department": name, "items": items} for name, items in sorted(groups.items())], "tasks": [task["name"] for task in told],
        "round": round_["code"], "round_title": round_["title"], "split": visit["split_reason"], "external": round_["state"] == "external",
    }  # fmt: skip


async def announced_tasks(visit: Mapping[str, Any]) -> tuple[list[Paper], list[tuple[str, str]]]:
    """(tasks of a visit with their items, each with whose it is, those left out of its notice with the reason)."""
    errand = await load_errand([visit])
    units = {one["id"]: one for one in await accounts.load_organisations()}
    told: list[Paper] = []
    silent: list[tuple[str, str]] = []
    for number in sorted(errand.carried.get(visit["id"], ()), key=lambda one: errand.tasks[one]["code"].encode()):
        task = errand.tasks[number]
        items = [
            await load_item(code, version) for code, version in plan.items_of(task) if (number, visit["entity_code"], code) not in errand.left_out
        ]
        row = next((row["data"] for row in await plan.load_plan_rows(task["plan"]) if row["row"] == task["row"]), {})
        if why := unannounced_by(task["name"], row, [one for item in items for one in item.methods]):
            silent.append((task["name"], why))
            continue
        owners, line = plan.owners_of(task), errand.lines[visit["organisation"]]
        told.append({
            "name": task["name"],
            "items": [{"department": task["department"] if owners[item.code] in line else units[owners[item.code]]["name"], "code": item.code, "name": item.name, "methods": list(item.methods), "basis": laws_of(item.basis)} for item in items],
        })  # fmt: skip
    return told, silent


# Record ----------------------------------------------------------------------


async def record_paper(act: Acting, record: Mapping[str, Any]) -> Paper:
    """现场检查记录表: the form as it was answered, once it is approved and cannot change any more."""
    if record["state"] not in FILED:
        raise WrongMoment(f"记录 {record['id']} 还没有审核通过，可能还要改，不能编号。需要时先打印没有编号的检查记录。")
    return await load_record_paper(act, record)


# Result ----------------------------------------------------------------------


async def result_paper(act: Acting, visit: Mapping[str, Any]) -> Paper:
    """检查结果告知书: what the approved records of one's own organisations found on this visit, and what follows (DOMAIN.md R37)."""
    own = [row for row in await records.load_records_of([visit["id"]]) if row["organisation"] in act.tree]
    every = [one for one in await forms_of(visit, {row["form_code"]: row for row in own}) if one["owner"] in act.tree]
    filed = {row["form_code"]: row for row in own if row["state"] in FILED}
    missing = [one["form"].title for one in every if one["form"].code not in filed and not one["first"]]
    if not every or missing:
        raise WrongMoment(f"入企检查 {visit['code']} 的{'、'.join(f'《{title}》' for title in missing) or '记录'}还没有审核通过，不能告知结果。")
    follow_ups = await records.load_follow_ups([row["id"] for row in filed.values()])
    outcomes: dict[str, Paper] = {}
    for joined in every:
        record = filed.get(joined["form"].code)
        for item in joined["items"] if record else ():
            code = record["outcomes"].get(item["code"], "")
            found = await load_item(item["code"], item["version"])
            if code and (code != AWAITING or item["code"] not in outcomes):
                outcomes[item["code"]] = {"name": item["name"], "outcome": _outcome(code), "basis": laws_of(found.basis)}
    problems = [point for joined in every if (record := filed.get(joined["form"].code)) for point in failed_points(joined["form"], record["answers"])]
    inspected = sorted(row["inspected_on"] for row in filed.values() if row["inspected_on"])
    return {
        **await _addressee(visit), "visit": visit["code"], "inspected_on": inspected[-1].isoformat(), "inspectors": [one for one in await _people(visit) if one],
        "methods": sorted({row["method"] for row in filed.values() if row["method"]}), "outcomes": [outcomes[code] for code in sorted(outcomes)], "problems": problems,
        "follow_ups": _each_once(
            {"kind": row["kind"], "note": row["note"], "due_on": row["due_on"].isoformat() if row["due_on"] else ""}
            for rows in follow_ups.values() for row in rows if row["kind"] != "none"
        ),
        "awaited": any(one["outcome"] == "待检验结果" for one in outcomes.values()),
    }  # fmt: skip


def _each_once(papers: Iterable[Paper]) -> list[Paper]:
    found: list[Paper] = []
    for one in papers:
        if one not in found:
            found.append(one)
    return found


def _outcome(code: str) -> str:
    return "待检验结果" if code == AWAITING else OUTCOMES[code].label


def failed_points(form: Form, answers: Mapping[str, Any]) -> list[Paper]:
    """The points answered 不合格, also inside repeats: label and the legal bases the form gives for it."""
    found: list[Paper] = []

    def look(fields: Sequence[Any], given: Mapping[str, Any]) -> None:
        for field in fields:
            answer = given.get(field.name)
            if field.type == "repeat":
                for row in answer or ():
                    look(field.fields, row)
            elif field.type == "verdict" and answer == "no":
                point = {"label": field.label, "basis": laws_of(field.basis)}
                if point not in found:
                    found.append(point)

    look(form.fields(), answers)
    return found


def _every_field(fields: Sequence[Any]) -> list[Any]:
    return [one for field in fields for one in (field, *_every_field(field.fields))]


# Order -----------------------------------------------------------------------


async def order_paper(act: Acting, follow_up: Mapping[str, Any], record: Mapping[str, Any], visit: Mapping[str, Any]) -> Paper:
    """责令改正通知书: what was found, what it is against, what has to be done by when; from a confirmed follow-up 责令改正."""
    if follow_up["kind"] != "rectify":
        raise WrongMoment("只有“责令改正”的后续处置可以制作责令改正通知书。")
    if follow_up["state"] != "open":
        raise WrongMoment("这项责令改正已经办结，不用再发通知书。")
    form = await load_form(record["form_code"], record["form_version"])
    versions = {code: version for number in (await visits.load_tasks_of_visits([visit["id"]])).get(visit["id"], []) for code, version in plan.items_of((await plan.load_tasks_by_id([number]))[number])}
    items = [await load_item(code, versions[code]) for code, outcome in sorted(record["outcomes"].items()) if code in versions and outcome in OUTCOMES and OUTCOMES[outcome].problem]
    points = failed_points(form, record["answers"])
    failed = {one["label"] for one in points}
    laws = laws_of([one for field in _every_field(form.fields()) if field.label in failed for one in field.basis] or [one for item in items for one in item.basis])
    if not items and not points:
        raise WrongMoment(f"记录 {record['id']} 没有不合格项，也没有发现问题的事项，责令改正通知书写不出违法事实。")
    return {
        **await _addressee(visit), "visit": visit["code"], "inspected_on": record["inspected_on"].isoformat(), "inspectors": [one for one in await _people(visit) if one],
        "items": [{"name": item.name, "outcome": _outcome(record["outcomes"][item.code])} for item in items], "points": points, "laws": laws,
        "note": follow_up["note"], "due_on": follow_up["due_on"].isoformat() if follow_up["due_on"] else "",
        "arrived_at": visit["arrived_at"].astimezone(BEIJING).isoformat(timespec="minutes") if visit["arrived_at"] else "",
    }  # fmt: skip

"""Publishing: reviewed records, the plan and the item list become publications, each logged."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Collection, Mapping, Sequence
from datetime import date
from typing import Any

from portal.domain import publish as domain
from portal.domain.corrections import corrected
from portal.domain.declarations import item_to_data
from portal.domain.errors import NotAllowed
from portal.domain.model import AWAITING, Published, Task
from portal.domain.packing import pack
from portal.domain.ratios import amount_words
from portal.steps import log
from portal.steps.acting import Acting
from portal.steps.catalogue import load_form, load_item
from portal.steps.classes import goes_by_class
from portal.steps.profile import load_profile
from portal.steps.review import FOLLOW_UPS
from portal.store import accounts, directory, draw, jobs, plan, records, visits
from portal.store import publish as store
from portal.store.engine import transaction
from portal.store.locks import hold
from portal.store.tables import Item

BATCH = 200
_NOTE = re.compile(r"^(?:备注|注|说明)[:：]\s*")  # a file's remark row says so; in the published sentence it is out of place


async def load_publishable(act: Acting) -> dict[str, Any]:
    """What publishing would add now: approved records by visit, unpublished plans and items."""
    act.require("publish.read")
    every = await records.load_record_page(act.joint, ["approved"], limit=100_000)
    approved, waiting = await sort_waiting(every)
    plans = await plan.load_publishable_plans(act.tree)
    known = {row["key"] for row in await store.load_live(act.whole, "item")}
    items = [row for row in await plan.load_all_declared(Item) if f"{row['code']}@{row['version']}" not in known]
    return {
        "records": approved,
        "waiting": len(waiting),
        "visits": len({row["visit"] for row in approved}),
        "plans": plans,
        "items": len(items),
        "counts": await records.count_records(act.joint),
    }


async def sort_waiting(approved: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(what can be published, what waits for a result that comes later), of approved records."""
    doubtful = {row["visit"] for row in approved if AWAITING in row["outcomes"].values()}
    beside: dict[int, list[dict[str, Any]]] = {}
    for row in await records.load_records_of(doubtful) if doubtful else ():
        if row["state"] in ("approved", "published"):
            beside.setdefault(row["visit"], []).append(row)
    waiting = [row for row in approved if domain.awaits_result(row, beside.get(row["visit"], ()))]
    held = {row["id"] for row in waiting}
    return [row for row in approved if row["id"] not in held], waiting


async def request_release(act: Acting) -> int:
    """Queue publishing for the worker; the job's id."""
    act.require("publish.publish")
    async with transaction():
        job = await jobs.save_job("publish", "site", {"login": act.login}, act.account, act.now)
        await act.audit("publish.request", "site", job=job)
    return job


async def note_rollback(act: Acting, release: str) -> None:
    """Note that an older release is shown again."""
    act.require("publish.publish")
    async with transaction():
        await act.audit("publish.rollback", release)


async def publish_all(act: Acting) -> dict[str, int]:
    """Publish the item list, the plan and every approved record; counts of new publications.

    Each batch is a transaction with an act of its own: a crash leaves some published
    and the rest approved, and running again publishes the rest.
    """
    act.require("publish.publish")
    for row in await plan.load_publishable_plans(act.tree):  # before anything is published, and again in the transaction
        _require_other(act, row)
    counts = {"items": await _one(act, "items", _publish_items(act)), "plans": await _one(act, "plans", _publish_plans(act)), "results": 0}
    waiting, _ = await sort_waiting(await records.load_record_page(act.joint, ["approved"], limit=1_000_000))
    settled = await records.load_closed_since_published(act.joint)
    ids = sorted({row["visit"] for row in waiting} | settled)
    for start in range(0, len(ids), BATCH):
        counts["results"] += await _one(act, "results", _publish_visits(act, ids[start : start + BATCH], settled))
    return counts


async def _one(act: Acting, what: str, publishing: Awaitable[int]) -> int:
    """One transaction: what it published, and one act that says how many; no act where there was nothing."""
    async with transaction():
        await hold("publishing", act.bureau["id"])
        count = await publishing
        if count:
            await act.audit("publish.publish", what, count=count)
    return count


def _require_other(act: Acting, row: Mapping[str, Any]) -> None:
    if row["state"] == "draft" and row["imported_by"] == act.account:
        raise NotAllowed(f"{row['year']} 年度计划由您导入，公示要由另一位公示员办理。")


async def save_version(act: Acting, kind: str, key: str, data: Mapping[str, Any]) -> int:
    """A new version of a publication and its log entry; its number."""
    salt = act.token_bytes(32)
    digest = log.salted(salt, dict(data))
    index = await log.append(act, kind, key, {"digest": digest})
    return await store.save_publication(
        {
            "organisation": act.bureau["id"], "kind": kind, "key": key, "data": pack(dict(data)),
            "salt": salt.hex(), "digest": digest, "log_index": index, "published_by": act.account, "published_at": act.now,
        }
    )  # fmt: skip


async def _publish_items(act: Acting) -> int:
    known = {row["key"] for row in await store.load_live(act.whole, "item")}
    count = 0
    for item in act.sectors.items:
        key = f"{item.code}@{item.version}"
        if key in known:
            continue
        data = item_to_data(item)
        await save_version(
            act, "item", key,
            {
                "code": item.code, "version": item.version, "sector": item.code.split(".")[0],
                "sector_name": act.sectors.sectors[item.code.split(".")[0]].name, "category": item.category,
                "name": item.name, "objects": item.objects, "kind": item.kind, "methods": list(item.methods),
                "inspected_by": item.inspected_by, "basis": [{"law": b.law, "article": b.article} for b in item.basis],
                "points": list(item.points), "qualification": item.qualification, "valid_from": data["valid_from"],
                "valid_to": data.get("valid_to"), "published_on": act.today.isoformat(),
            },
        )  # fmt: skip
        count += 1
    return count


async def _publish_plans(act: Acting) -> int:
    count = 0
    for row in await plan.load_publishable_plans(act.tree):
        _require_other(act, row)
        await save_version(act, "plan", await _plan_key(act, row), await plan_notice(act, row))
        await plan.save_plan_published(row["id"], act.account, act.now)
        count += 1
    return count


async def _below(act: Acting, organisation: int) -> dict[str, str] | None:
    """{"code", "name"} of the bureau of an organisation where that is not the first one, which the site is in the name of."""
    organisations = await accounts.load_organisations()
    bureau = accounts.bureaus_of(organisations, organisation)[0]
    return None if bureau == act.top["id"] else next({"code": o["code"], "name": o["name"]} for o in organisations if o["id"] == bureau)


async def _plan_key(act: Acting, row: Mapping[str, Any]) -> str:
    """Year and version; of a bureau below the first one its code too, since each has its own plan."""
    bureau = await _below(act, row["organisation"])
    return f"{bureau['code']}-{row['year']}-{row['version']}" if bureau else f"{row['year']}-{row['version']}"


#: Lines of the form around a plan table, not of the plan: who filled it in, when, room for the seal.
_FORM = re.compile(r"(?:填报|填表|制表|审核|复核|经办|单位\s*[（(]盖章|联系)")


async def plan_notice(act: Acting, row: Mapping[str, Any]) -> dict[str, Any]:
    """What is public of a plan (a row of `load_plans`) today: the bundle's line without its proof."""
    base = [note for note in row["notes"] if "基数" in note]
    profile = await load_profile(act)
    by_profile = {one["row"] for one in await plan.load_tasks(act.line, row["id"]) if goes_by_class(profile, one, max(act.today, one["window_from"]))}
    bureau = await _below(act, row["organisation"])
    return {
        **({"bureau": bureau} if bureau else {}), **({"reason": row["reason"]} if row["version"] > 1 and row["reason"] else {}),
        "year": row["year"], "version": row["version"], "title": row["title"], "number": "",
        "published_on": act.today.isoformat(), "base_note": _NOTE.sub("", base[0]) if base else "",
        "notes": [note for note in row["notes"] if note not in base and not _FORM.match(note)],
        "rows": [public_row(line, line["row"] in by_profile) for line in await plan.load_plan_rows(row["id"])],
    }  # fmt: skip


def public_row(line: Mapping[str, Any], by_profile: bool) -> dict[str, Any]:
    """What is public of a plan row (of `load_plan_rows`); `by_profile`: drawn by the class ratios of the profile.

    Of risk classes only that they are used: with the ratio of each class beside a sealed round's list
    anybody could work out how likely a drawn entity is of class D (DRAW.md section 1). The words about
    classes (智慧监管要求) and the ratios stay in the official file, which is for staff and superiors.
    """
    data = line["data"]
    return {
        "number": data["number"], "category": data["category"], "item": data["item"], "objects": data["objects"],
        "kind": data["kind"], "ratio": data["ratio_text"], "differentiated": bool(data["class_ratios"]) or by_profile,
        "window": data["window_text"], "department": data["department"], "drawn_by": data["drawn_by"],
        "note": data["note"], "state": line["state"], "task": line["task_code"] or None,
        # Rows imported by earlier versions of the program have fewer words.
        "name": data["task"], "items": data.get("items") or [data["item"]], "count": data["count"], "times": data["times"],
        "partners": data["partners"], "method": data.get("method", ""), "inspected_by": data.get("inspected_by", ""),
        "drawn_by_text": data["drawn_by_text"], "amount": amount_words(data["ratio_text"], data["count"], data["times"]),
    }  # fmt: skip


# Results ---------------------------------------------------------------------


async def _publish_visits(act: Acting, ids: Sequence[int], settled: Collection[int] = ()) -> int:
    """Publish these visits' approved records, and what was settled since; a visit published before gets a new version."""
    found = await visits.load_visits_by_id(ids)
    by_visit: dict[int, list[dict[str, Any]]] = {}
    for row in await records.lock_records_of(ids):
        by_visit.setdefault(row["visit"], []).append(row)
    entities = await directory.load_entities({visit["entity_code"] for visit in found.values()})
    holders = await directory.load_entities({one["holder"] for one in entities.values() if one["kind"] == "object"})
    assigned = await visits.load_assigned(ids)
    findings = await records.load_findings_of(ids)
    follow_ups = await records.load_follow_ups([row["id"] for rows in by_visit.values() for row in rows])
    rounds = await draw.load_rounds_by_id({visit["round"] for visit in found.values()})
    tasks: dict[int, int] = {}
    put_right: dict[str, list[dict[str, Any]]] = {}
    for one in await store.load_corrections(act.whole, [visit["code"] for visit in found.values()]):
        put_right.setdefault(one["key"], []).append(one)
    count = 0
    for visit in sorted(found.values(), key=lambda visit: visit["code"].encode()):
        ready = [row for row in by_visit[visit["id"]] if row["state"] in ("approved", "published")]
        ready = [row for row in ready if not domain.awaits_result(row, ready)]
        fresh = [row for row in ready if row["state"] == "approved"]
        if not ready:  # what there was is withdrawn
            continue
        if not fresh and visit["id"] not in settled:
            continue
        data = await _result_data(
            act, visit, _subject(entities[visit["entity_code"]], holders), rounds[visit["round"]], ready, findings, follow_ups,
            sum(who is not None for who in assigned.get(visit["id"], [])),
        )  # fmt: skip
        await save_version(act, "result", visit["code"], corrected(data, put_right.get(visit["code"], ())))
        for row in fresh:
            await records.save_record_state(row["id"], row["version"], state="published")
            tasks[row["task"]] = tasks.get(row["task"], 0) + 1
        count += 1
    await _tell(act, tasks)
    return count


def _subject(entity: Mapping[str, Any], holders: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """In whose name a result is published: a product's or a lift's in that of its holder, where the directory has it."""
    return holders.get(entity["holder"], entity) if entity["kind"] == "object" else entity


async def _result_data(
    act: Acting, visit: Mapping[str, Any], entity: Mapping[str, Any], round_: Mapping[str, Any],
    ready: Sequence[Mapping[str, Any]], findings: Mapping[int, Any], follow_ups: Mapping[int, Any], people: int,
) -> dict[str, Any]:  # fmt: skip
    items = []
    points_of = {}
    for record in ready:
        form = await load_form(record["form_code"], record["form_version"])
        points_of[record["form_code"]] = domain.public_points(form, record["answers"], record["inspected_on"])
    for record in ready:
        points = points_of[record["form_code"]]
        follow_up = domain.follow_up_of(follow_ups.get(record["id"], ()), FOLLOW_UPS)
        quiet = domain.follow_up_of((), FOLLOW_UPS)
        for n, finding in enumerate(findings.get(record["id"], ())):
            item = await load_item(finding["item_code"], finding["item_version"])
            label, problem = domain.outcome_words(finding["outcome"])
            first = points_of.get(item.form, []) if item.later_form == record["form_code"] else []  # what was seen before the result
            items.append(
                {
                    "code": item.code, "name": item.name, "outcome": finding["outcome"], "outcome_label": label,
                    "problem": problem, "summary": finding["summary"] if problem else "",
                    "points": [*first, *points] if n == 0 else [], "follow_up": follow_up if problem else quiet,
                }
            )  # fmt: skip
    return {
        **({"aliases": sorted(set(entity["old_names"]) - {entity["name"]})} if entity["old_names"] else {}),
        "visit": visit["code"], "entity": entity["code"], "name": entity["name"], "type": entity["type"],
        "status": entity["status"], "town": visit["town"], "round": round_["code"],
        "inspected_on": max(record["inspected_on"] for record in ready).isoformat(),
        "methods": list(dict.fromkeys(record["method"] for record in ready if record["method"])),
        "authority": (await _below(act, visit["organisation"]) or act.top)["name"], "inspectors": people, "items": items,
        "published_on": act.today.isoformat(),
    }  # fmt: skip


async def _tell(act: Acting, counts: Mapping[int, int]) -> None:
    for row in (await plan.load_tasks_by_id(counts)).values():
        view = Task(
            code=row["code"], name=row["name"], sector=row["sector"], items=tuple(code for code, _ in plan.items_of(row)),
            window=(row["window_from"], row["window_to"]), frozen_on=act.today,
        )  # fmt: skip
        for fault in act.sectors.results_published(view, counts[row["id"]]):
            await act.audit("sector.fault", fault.sector, hook=fault.hook, message=fault.message)


def published_view(data: Mapping[str, Any]) -> Published:
    """A public result as page hooks see it."""
    return Published(
        entity=data["entity"], entity_name=data["name"], items=tuple(item["code"] for item in data["items"]),
        outcomes={item["code"]: item["outcome"] for item in data["items"]},
        summary="；".join(item["summary"] for item in data["items"] if item["summary"]),
        inspected_on=date.fromisoformat(data["inspected_on"]),
    )  # fmt: skip

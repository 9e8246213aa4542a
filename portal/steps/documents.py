"""Documents for the file of a visit: what goes on paper is what is stored, form version and all; nothing here is public."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from portal.domain import forms as domain
from portal.domain import opinion as opinions
from portal.domain.answers import numbers_of, say, say_rows, uploads_of
from portal.domain.model import AWAITING, OUTCOMES, Field, Form
from portal.prints.pages import PICTURE
from portal.steps.acting import BEIJING, Acting
from portal.steps.catalogue import load_form
from portal.steps.forms import STATES
from portal.steps.joined_forms import forms_of
from portal.store import attachments, directory, visits
from portal.store import records as store

__all__ = ["MOST_PHOTOS", "load_pictures", "load_record_paper", "load_record_sheet"]

MOST_PHOTOS = 24  # on paper; all are in the system


async def load_record_sheet(act: Acting, record_id: int, *, demo: bool) -> tuple[str, dict[str, Any]]:
    """(file name, context of record_sheet.html) of one record, under the form version it was answered under."""
    act.require("record.read")
    record = await store.load_record(record_id, act.tree)
    sheet = await load_record_paper(act, record)
    about = {"bureau": {"name": act.bureau["name"]}, "demo": demo, "as_of": (record["inspected_on"] or act.today).isoformat()}
    context = {"about": about, "sheet": {**sheet, "number": ""}, "pictures": await load_pictures(act, sheet)}
    return f"检查记录 {sheet['entity_name']} {sheet['title']}.pdf", context


async def load_pictures(act: Acting, sheet: Mapping[str, Any]) -> dict[str, str]:
    """Address -> base64 of the photos and signatures a sheet shows: they never change, so a kept sheet has their numbers only."""
    shown = [photo["src"] for photo in sheet["photos"]]
    shown += [one for section in sheet["sections"] for point in section["points"] for one in point["signatures"]]
    return {one: await _encoded(act, one.removeprefix(PICTURE)) for one in dict.fromkeys(shown)}


async def load_record_paper(act: Acting, record: Mapping[str, Any]) -> dict[str, Any]:
    """What the sheet of a record says (`sheet` of record_sheet.html), without its number and pictures."""
    visit = (await visits.load_visits_by_id([record["visit"]]))[record["visit"]]
    form = await load_form(record["form_code"], record["form_version"])
    entity = (await directory.load_entities([visit["entity_code"]]))[visit["entity_code"]]
    people = await directory.load_inspectors_by_id({one for one in (await visits.load_assigned([visit["id"]])).get(visit["id"], []) if one})
    joined = next(one for one in await forms_of(visit) if one["form"].code == form.code)
    known = await attachments.load_attachments(visit["id"])
    on = record["inspected_on"] or act.today
    shown = set(domain.visible(form, record["answers"], on))
    chosen = _uploads(form, record["answers"], shown, known)
    return {
        "title": form.title, "form": form.code, "version": form.version, "entity_name": entity["name"], "entity": visit["entity_code"],
        "address": entity["address"], "visit": visit["code"], "task": joined["task_name"], "method": record["method"],
        "inspected_on": record["inspected_on"].isoformat() if record["inspected_on"] else "",
        "arrived_at": visit["arrived_at"].astimezone(BEIJING).isoformat(timespec="minutes") if visit["arrived_at"] else "",
        "inspectors": [{"name": one["name"], "certificate": one["certificate_no"]} for _, one in sorted(people.items())],
        "items": [{"name": one["name"], "outcome": _outcome(record["outcomes"].get(one["code"], ""))} for one in joined["items"]],
        "sections": _sections(form, record["answers"], record["opinion"], shown, known), "opinion": record["opinion"], "mark": f"记录 {record['id']}　第 {record['version']} 次保存",
        "unfinished": "" if record["state"] in ("approved", "published", "withdrawn") else f"本记录的状态是“{STATES[record['state']]}”，以审核通过的为准。",
        "photos": [
            {"src": f"{PICTURE}{code}", "number": number, "label": field.label, "taken": known[code]["taken"][:16], "original": known[code]["original"]}
            for code, number, kind, field in chosen if kind == "photo"
        ],
    }  # fmt: skip


def _outcome(code: str) -> str:
    return "待检验结果" if code == AWAITING else OUTCOMES[code].label if code else "未选择"


def _uploads(form: Form, answers: Mapping[str, Any], shown: set[str], known: Mapping[str, Any]) -> list[tuple[str, str, str, Field]]:
    """(number of the upload, number of its point, kind, field) in the order of the form; at most MOST_PHOTOS photos."""
    numbers, found, photos = numbers_of(form), [], 0
    for field in form.fields():
        for code, kind in uploads_of(field, answers.get(field.name)) if field.name in shown else ():
            photos += kind == "photo"
            if code in known and (kind != "photo" or photos <= MOST_PHOTOS):
                found.append((code, numbers[field.name], kind, field))
    return found


async def _encoded(act: Acting, code: str) -> str:
    return base64.b64encode((await attachments.load_attachment(code, act.tree))["data"]).decode()


def _sections(form: Form, answers: Mapping[str, Any], opinion: str, shown: set[str], known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The points that were asked, with their answers in words; sections of which nothing was asked are left out.

    `opinion` stands above the signatures; the point that asked it refers there. `rows` of a
    repeat: (label, words) of each row, across the page; a sheet kept from before has them in `said`.
    """
    numbers, found = numbers_of(form), []
    for section in form.sections:
        points = []
        for field in section.fields:
            if field.name not in shown or field.type == "note":
                continue
            answer = answers.get(field.name)
            signed = [f"{PICTURE}{code}" for code, kind in uploads_of(field, answer) if kind == "signature" and code in known]
            verdict = field.type == "verdict"
            words = say(field, answer)
            if field.name == opinions.OPINION and words and words == opinion:
                words = "见后面的当事人意见"
            rows = say_rows(field, answer) if field.type == "repeat" else []
            points.append({
                "number": numbers[field.name], "key": field.key, "label": field.label, "verdict": (words or "未填") if verdict else "",
                "said": "" if verdict or signed or rows else words or "未填", "signatures": signed, "rows": rows,
            })  # fmt: skip
        if points:
            found.append({"title": section.title, "points": points})
    return found

"""审核: the queue, and one record with its form, its changes and the reviewer's decision."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain import calendar
from portal.domain import opinion as opinions
from portal.domain.answers import differences, numbers_of, say, uploads_of
from portal.domain.errors import Refused
from portal.domain.model import Field, Form
from portal.steps import documents
from portal.steps import review as steps
from portal.store import directory, records
from portal.web import wording
from portal.web.access import acting, posted
from portal.web.inputs import choice, number, parse_input, text
from portal.web.pages import go_to, page, pdf

SIZE = 100
REMARK = "remark."  # and the point: what is said of it when the record goes back
SAID = {"approved": "已通过，进入待公示。", "returned": "已退回，录入人能看到您的意见。"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    decision: str = choice("决定", ("approve", "return"))
    comment: str = text("意见", most=500, least=0, lines=True)
    version: int = number("版本", 1, 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    old: int = number("旧版本", 1, 10**9, optional=0)
    new: int = number("新版本", 1, 10**9, optional=0)
    said: str = text("提示", most=20, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    note: str = text("逐项意见", most=steps.LONGEST_REMARK, least=0, lines=True)


@get("/review", opt={"access": "record.read"})
async def queue_page(request: Request) -> Response[Any]:
    act = acting(request)
    rows = await records.load_record_page(act.tree, ["submitted"], limit=SIZE)
    entities = await directory.load_entities({row["entity_code"] for row in rows})
    people = await directory.load_inspectors_by_id({row["recorder"] for row in rows if row["recorder"]})
    barred = await steps.recorders_of(rows)
    shown = []
    for row in rows:
        due = calendar.due_on(row["inspected_on"], steps.PUBLISH_WITHIN) if row["inspected_on"] else None
        shown.append({
            "record": row, "entity": entities.get(row["entity_code"]), "recorder": people.get(row["recorder"]), "due": due,
            "left": calendar.workdays_left(act.today, due), "own": act.account in barred[row["id"]],
            "problems": sum(bool(wording.OUTCOMES[one].problem) for one in row["outcomes"].values() if one in wording.OUTCOMES),
        })  # fmt: skip
    shown.sort(key=lambda row: (row["left"] is None, row["left"], row["record"]["id"]))
    counts = await records.count_records(act.tree)
    said = SAID.get(request.query_params.get("said", ""), "")
    return await page(request, "review/queue.html", titles=act.sectors.titles(), here="/review", rows=shown, by_state=counts, said=said, size=SIZE)


@get("/review/{number:int}", opt={"access": "record.read"})
async def record_page(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _record_page(request, number, None)


async def _record_page(request: Request, number: int, refused: Refused | None) -> Response[Any]:
    act = acting(request)
    wanted = parse_input(Compared, request.query_params.multi_items())
    view = await steps.load_review(act, number)
    typed = dict(posted(request)) if refused else {}
    form, record = view["form"], view["record"]
    points = points_of(form, record["answers"], view["shown"], view["versions"])
    last = view["returns"][0]["remarks"] if view["returns"] else {}
    for point in points:
        point["remark"], point["typed"] = last.get(point["field"].name, ""), typed.get(f"{REMARK}{point['field'].name}", "")
    told = [point for point in points if point["verdict"] == "no" or point["changes"] or point["filled"] or point["remark"] or point["typed"]]
    return await page(
        request, "review/record.html", here="/review", refused=refused, points=points, told=[p for p in points if p in told],
        plain=[p for p in points if p not in told], opinion=opinions.said_beside(form, record["answers"], record["opinion"]),
        asks_opinion=opinions.asked_in(form), clock=_clock(view), said=SAID.get(wanted.said, ""), typed=typed,
        sides=_sides(view, wanted), labels={field.name: field.label for field in form.fields()}, most_remark=steps.LONGEST_REMARK, **view,
    )  # fmt: skip


def _sides(view: Mapping[str, Any], wanted: Compared) -> dict[str, Any] | None:
    """Two submitted versions beside each other, the last two where nobody asked for others; None where there is but one.

    {"all": submitted versions, "old", "new": the two, "rows": (number, point, old words, new words)}
    """
    submitted = [version for version in view["versions"] if version["data"].get("state") == "submitted"]
    if len(submitted) < 2:
        return None
    by_n = {version["n"]: version for version in submitted}
    old, new = by_n.get(wanted.old, submitted[-2]), by_n.get(wanted.new, submitted[-1])
    rows = differences(view["form"], old["data"].get("answers", {}), new["data"].get("answers", {}))
    outcomes = [version["data"].get("outcomes", {}) for version in (old, new)]
    rows += [
        ("", item["name"], *(wording.outcome(one[code]) if code in one else "" for one in outcomes))
        for code, item in view["items"].items() if outcomes[0].get(code) != outcomes[1].get(code)
    ]  # fmt: skip
    beside = [opinions.said_beside(view["form"], one["data"].get("answers", {}), one["data"].get("opinion", "")) for one in (old, new)]
    for label, words in (("检查方式", [one["data"].get("method", "") for one in (old, new)]), ("当事人意见", beside)):
        rows += [("", label, *words)] if words[0] != words[1] else []
    return {"all": submitted, "old": old, "new": new, "rows": rows}


def _clock(view: Mapping[str, Any]) -> dict[str, int] | None:
    """The twenty working days as boxes: how many have passed."""
    if view["left"] is None:
        return None
    passed = min(max(steps.PUBLISH_WITHIN - view["left"], 0), steps.PUBLISH_WITHIN)
    return {"passed": passed, "days": steps.PUBLISH_WITHIN, "left": view["left"]}


def points_of(form: Form, answers: Mapping[str, Any], shown: Sequence[str], versions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each asked point with its answer in words and what changed between saved versions."""
    found, names, numbers = [], set(shown), numbers_of(form)
    for section in form.sections:
        for field in section.fields:
            if field.type == "note" or field.name not in names:
                continue
            answer = answers.get(field.name)
            found.append({
                "number": numbers[field.name], "section": section.title, "field": field,
                "verdict": answer if field.type == "verdict" else None, "said": say(field, answer),
                "filled": field.type != "verdict" and answer not in (None, "", []), "changes": changes_of(field, versions),
                "uploads": uploads_of(field, answer),
            })  # fmt: skip
    return found


def changes_of(field: Field, versions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Answers replaced by others, with who and when; the first answer is no change."""
    found, before = [], None
    for version in versions:
        answer = version["data"].get("answers", {}).get(field.name)
        if before not in (None, "", []) and answer != before:
            found.append({"at": version["at"], "by": version["by_name"], "old": say(field, before), "new": say(field, answer)})
        before = answer
    return found


@get("/review/{number:int}/record.pdf", opt={"access": "record.read"})
async def record_sheet(request: Request, number: FromPath[int]) -> Response[bytes]:
    portal = request.app.state.portal
    name, context = await documents.load_record_sheet(acting(request), number, demo=portal.settings.simulated)
    data = await asyncio.to_thread(portal.printing.render, name, "record_sheet.html", context)
    return pdf(name, data)


@post("/review/{number:int}", opt={"access": "record.review"})
async def decide(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        pairs = posted(request)
        remarks = {name.removeprefix(REMARK): value for name, value in pairs if name.startswith(REMARK)}
        given = parse_input(Decision, [pair for pair in pairs if not pair[0].startswith(REMARK)])
        notes = {point: parse_input(Remark, [("note", value)]).note for point, value in remarks.items()}
        approve = given.decision == "approve"
        await steps.review_record(acting(request), number, approve=approve, comment=given.comment, version=given.version, remarks=notes)
    except Refused as refused:
        return await _record_page(request, number, refused)
    return go_to(f"/review?said={'approved' if approve else 'returned'}")


ROUTES = [queue_page, record_page, record_sheet, decide]

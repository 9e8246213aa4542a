"""录入: the visit on a phone, one form of it, and the list of what is not submitted yet.

A form works without script: every point is on the page, what is asked only after
不合格 says so.  With script it folds, and drafts are saved as one goes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain import forms as domain
from portal.domain import opinion as opinions
from portal.domain import shared
from portal.domain.answers import numbers_of, say
from portal.domain.attachments import point_of
from portal.domain.errors import BadInput, NotAllowed, NotFound, Problem, Refused, WrongMoment
from portal.domain.model import Field, Form
from portal.steps import attachments
from portal.steps import forms as steps
from portal.steps.acting import Acting
from portal.store import directory, records
from portal.web import wording
from portal.web.access import acting, chosen_files, posted
from portal.web.form_theirs import load_theirs
from portal.web.inputs import choice, group, number, parse_input, text
from portal.web.multipart_form import Shape
from portal.web.pages import fragment, go_to, is_fragment, page
from portal.web.rules import rules_of

SIZE = 100
EMPTY: Mapping[str, Any] = {}
SAID = {
    "arrived": "已登记到场。",
    "draft": "草稿已保存。",
    "attached": "已上传，草稿已保存。",
    "paper": "纸质记录的扫描件已保存，检查日期按纸质记录。",
    "submitted": "已提交审核。",
    "done": "本次入企的表单已全部提交。",
}
#: the page's own fields, all beginning with an underscore (forms.parse_answers leaves those alone)
_OWN = ("_version", "_act", "_method", "_opinion", "_seen")
FILES = "_file."  # and the point: _file.photos, _file.machines.0.photo
ATTACHING = Shape(parts=2000, field=16 << 10)
MOST_BODY = ATTACHING.bytes + (1 << 20)
_DROP = re.compile(r"_drop\.([a-z][a-z0-9_]*)\.[0-9]{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    version: int = number("版本", 0, 10**9)
    act: str = choice("操作", ("draft", "submit"))
    method: str = choice("检查方式", steps.METHODS, optional=True)
    opinion: str = text("当事人意见", most=500, least=0, lines=True)
    seen: str = text("共用问题", most=4000, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    entry_code: str = text("入企码编号", most=100, least=0)


@get("/forms", opt={"access": "record.read"})
async def records_page(request: Request) -> Response[Any]:
    act = acting(request)
    rows = await records.load_record_page(act.tree, ["returned", "draft"], limit=SIZE)
    rows.sort(key=lambda row: (row["state"] != "returned", row["id"]))
    entities = await directory.load_entities({row["entity_code"] for row in rows})
    people = await directory.load_inspectors_by_id({row["recorder"] for row in rows if row["recorder"]})
    shown = [{"record": row, "entity": entities.get(row["entity_code"]), "recorder": people.get(row["recorder"])} for row in rows]
    return await page(request, "forms/records.html", here="/forms", rows=shown, titles=act.sectors.titles(), by_state=await records.count_records(act.tree), size=SIZE)


@get("/visits/{code:str}", opt={"access": "visits.read"})
async def visit_page(request: Request, code: FromPath[str]) -> Response[Any]:
    return await _visit_page(request, code, None)


async def _visit_page(request: Request, code: str, refused: Refused | None) -> Response[Any]:
    view = await steps.load_visit_view(acting(request), code)
    said = SAID.get(request.query_params.get("said", ""), "")
    once = [
        {"label": field.label, "said": say(field, there.answer), "title": view["titles"][there.form], "fixed": there.fixed}
        for name, field in view["questions"].items() if (there := view["known"].get(name))
    ]  # fmt: skip
    return await page(request, "forms/visit.html", here="/visits", refused=refused, said=said, once=once, **view)


@post("/visits/{code:str}/arrive", opt={"access": "record.enter"})
async def arrive(request: Request, code: FromPath[str]) -> Response[Any]:
    try:
        given = parse_input(Arrival, posted(request))
        await steps.record_arrival(acting(request), code, given.entry_code)
    except Refused as refused:
        return await _visit_page(request, code, refused)
    return go_to(f"/visits/{quote(code)}?said=arrived")


# One form -----------------------------------------------------------------------------


@get("/visits/{code:str}/{form:str}", opt={"access": "visits.read"})
async def form_page(request: Request, code: FromPath[str], form: FromPath[str]) -> Response[Any]:
    return await show_form(request, code, form, None)


async def show_form(request: Request, code: str, form: str, refused: Refused | None) -> Response[Any]:
    """The form as it is saved; `refused`: something beside it that was not done."""
    view, joined = await _joined(acting(request), code, form)
    record = joined["record"]
    filled = {
        "answers": opinions.into_answers(joined["form"], joined["answers"], record["opinion"]) if record else joined["answers"], "seen": shared.seen_of(joined["answers"], _shared_here(view, joined)), "outcomes": record["outcomes"] if record else {},
        "method": record["method"] if record else "", "opinion": record["opinion"] if record else "",
        "version": record["version"] if record else 0,
    }  # fmt: skip
    return await _form_page(request, view, joined, filled, refused)


async def _joined(act: Acting, code: str, form: str) -> tuple[dict[str, Any], dict[str, Any]]:
    view = await steps.load_visit_view(act, code)
    for joined in view["forms"]:
        if joined["form"].code == form:
            return {**view, "may_enter": view["may_enter"] and joined["mine"]}, joined
    raise NotFound(f"这次入企没有编号为“{form[:64]}”的表单。")


async def _form_page(
    request: Request, view: Mapping[str, Any], joined: Mapping[str, Any], filled: Mapping[str, Any], refused: Refused | None
) -> Response[Any]:
    record = joined["record"]
    locked = record is not None and record["state"] not in ("draft", "returned")
    may_fill = view["may_enter"] and not locked
    theirs = filled.get("theirs")
    attach_to = f"/visits/{quote(view['visit']['code'])}/{quote(joined['form'].code)}/attach"
    context = {
        **points_context(
            joined["form"], filled["answers"], acting(request).today, refused, may_fill, view["attached"], attach_to,
            names=view["names"], known=view["known"], titles=view["titles"], reviewed=joined["remarks"],
            beside=theirs["points"] if theirs else EMPTY,
        ),
        "asks_opinion": opinions.asked_in(joined["form"]), "theirs": theirs, "paper": view["papers"].get(joined["form"].code, []), "joined": joined, "form": joined["form"], "record": record, "filled": filled, "locked": locked, "seen": shared.write_seen(filled["seen"]),
        "methods": steps.METHODS, "outcome_choices": wording.outcomes(), "said": SAID.get(request.query_params.get("said", ""), ""),
    }  # fmt: skip
    return await page(request, "forms/form.html", here="/visits", refused=refused, **{**view, **context})


def _shared_here(view: Mapping[str, Any], joined: Mapping[str, Any]) -> list[str]:
    return [name for name, codes in view["names"].items() if joined["form"].code in codes]


def points_context(
    form: Form, answers: Mapping[str, Any], today: date, refused: Refused | None = None, may_fill: bool = True,
    attached: Mapping[str, Any] | None = None, attach_to: str = "", *,
    names: Mapping[str, Sequence[str]] = EMPTY, known: Mapping[str, shared.Known] = EMPTY, titles: Mapping[str, str] = EMPTY,
    reviewed: Mapping[str, str] = EMPTY, beside: Mapping[str, str] = EMPTY,
) -> dict[str, Any]:  # fmt: skip
    """What forms/_points.html, rules.js and fill.js read; without `attach_to` nothing can be uploaded.

    `names`, `known`, `titles`: of the questions and forms of its visit (domain.shared).
    """
    return {
        "sections": sections_of(form, answers, today, names, known, titles), "rules": rules_of(form), "today": today, "most_rows": domain.MOST_ROWS,
        "may_fill": may_fill, "wrong": _by_field(refused), "row_wrong": _by_row(refused), "attached": attached or {}, "attach_to": attach_to, "reviewed": reviewed, "beside": beside,
    }  # fmt: skip


def sections_of(
    form: Form, answers: Mapping[str, Any], today: date, names: Mapping[str, Sequence[str]] = EMPTY, known: Mapping[str, shared.Known] = EMPTY,
    titles: Mapping[str, str] = EMPTY,
) -> list[dict[str, Any]]:  # fmt: skip
    """The form as the page shows it: every section and point, folded where it is not asked now."""
    asked = set(domain.visible(form, answers, today))
    found = []
    numbers = numbers_of(form)
    for section in form.sections:
        points = []
        for field in section.fields:
            there = known.get(field.name) if form.code in names.get(field.name, ()) else None
            open_still = shared.narrowed(field, there)
            points.append({
                "field": open_still or field, "fixed": bool(there and there.fixed and not open_still), "once": _once(form, field, names, there, titles),
                "number": numbers[field.name], "asked": field.name in asked,
                "answer": answers.get(field.name), "when": when(form, field),
                "rows": _rows(field, answers.get(field.name)),
            })  # fmt: skip
        found.append({"section": section, "points": points, "asked": any(p["asked"] for p in points)})
    return found


def _once(form: Form, field: Field, names: Mapping[str, Sequence[str]], there: shared.Known | None, titles: Mapping[str, str]) -> str:
    """What stands beside a question that the visit asks once; empty for any other."""
    if form.code not in names.get(field.name, ()):
        return ""
    if there is None or there.form == form.code:
        return "" if there and there.fixed else "各表共用，只问一次"
    if there.fixed:
        return f"本次入企已填，见《{titles[there.form]}》" + ("；本表没有这类情况的，可以另选" if shared.narrowed(field, there) else "")
    return f"各表共用，已在《{titles[there.form]}》填写；在这里改，各表一起改"


def _rows(field: Field, answer: Any) -> list[Mapping[str, Any]]:
    """The rows of a repeat and one more to fill in."""
    if field.type != "repeat":
        return []
    rows = [row for row in answer or [] if isinstance(row, Mapping)]
    return [*rows, {}] if len(rows) < (field.most or domain.MOST_ROWS) else rows


def when(form: Form, field: Field) -> str:
    """When a point is asked, in words, for people without script: 选“不合格”时填写; empty for a point always asked."""
    if not field.show_if:
        return ""
    source = field.show_if
    for other in form.fields():
        labels = dict(domain.VERDICTS) if other.type == "verdict" else {one.value: one.label for one in other.choices}
        for value, label in labels.items():
            if source == f"${{{other.name}}} = '{value}'":
                return f"上一项选“{label}”时填写" if other.type == "verdict" else f"“{other.label}”选“{label}”时填写"
    return "按前面的选择填写"


def _by_field(refused: Refused | None) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for problem in refused.problems if refused else ():
        found.setdefault(problem.field, []).append(problem)
    return found


def _by_row(refused: Refused | None) -> dict[tuple[str, int], list[Problem]]:
    """(child of a repeat, row from 1) -> what is wrong there."""
    found: dict[tuple[str, int], list[Problem]] = {}
    for problem in refused.problems if refused else ():
        found.setdefault((problem.field, problem.row), []).append(problem)
    return found


@post("/visits/{code:str}/{form:str}", opt={"access": "record.enter"})
async def save_form(request: Request, code: FromPath[str], form: FromPath[str]) -> Response[Any]:
    """Save a draft or submit; a refused submission keeps everything that was typed on the page."""
    act = acting(request)
    view, joined, given = await _entered(request, code, form)
    own = _own_fields(joined, given)
    filled: dict[str, Any] = {"answers": (joined["record"] or {}).get("answers", {}), **own}
    try:
        filled["answers"] = domain.parse_answers(joined["form"], _split_numbers(joined["form"], given))
        await steps.save_record(
            act, code, form, answers=filled["answers"], outcomes=own["outcomes"], method=own["method"], opinion=own["opinion"],
            version=own["version"], submit=own["submit"], seen=own["seen"],
        )  # fmt: skip
    except Refused as refused:
        if is_fragment(request):
            return fragment(request, "forms/_saved.html", status=422, saved=None, failed=refused, version=own["version"], seen=shared.write_seen(own["seen"]))
        return await _refused_page(request, code, form, filled, refused)
    if is_fragment(request):
        view, joined = await _joined(act, code, form)
        seen = shared.seen_of(filled["answers"], _shared_here(view, joined))  # the page still shows what was sent
        return fragment(request, "forms/_saved.html", saved=joined, failed=None, version=joined["record"]["version"], seen=shared.write_seen(seen))
    if not own["submit"]:
        return go_to(f"/visits/{quote(code)}/{quote(form)}?said=draft")
    view, _ = await _joined(act, code, form)
    return go_to(f"/visits/{quote(code)}?said={'done' if view['visit']['state'] == 'done' else 'submitted'}")


async def _refused_page(request: Request, code: str, form: str, filled: dict[str, Any], refused: Refused) -> Response[Any]:
    """The page with all that was typed, and the shared answers that came meanwhile."""
    view, joined = await _joined(acting(request), code, form)
    told = [problem.field for problem in refused.problems] if isinstance(refused, WrongMoment) else []
    typed = opinions.into_answers(joined["form"], filled["answers"], filled["opinion"])
    answers, seen = shared.retold(joined["form"], view["known"], view["names"], typed, filled["seen"], told)
    both = await load_theirs(joined, filled) if isinstance(refused, WrongMoment) else {}
    return await _form_page(request, view, joined, filled | {"answers": answers, "seen": seen} | both, refused)


async def _entered(request: Request, code: str, form: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[str]]]:
    """The visit, its form and what was typed, for somebody who may enter it."""
    view, joined = await _joined(acting(request), code, form)
    if not view["may_enter"]:
        raise NotAllowed("您不是这次入企的执法人员，不能录入。")
    return view, joined, _without_dropped(joined["form"], group(posted(request)))


@post("/visits/{code:str}/{form:str}/attach", opt={"access": "record.enter", "files": (FILES, ATTACHING)}, request_max_body_size=MOST_BODY)
async def attach_files(request: Request, code: FromPath[str], form: FromPath[str]) -> Response[Any]:
    """Keep photos, signatures and files, and the draft with them: what was typed is never lost to an upload."""
    act = acting(request)
    view, joined, given = await _entered(request, code, form)
    own = _own_fields(joined, given | {"_act": ["draft"]})  # the button that uploads says nothing else
    filled: dict[str, Any] = {"answers": (joined["record"] or {}).get("answers", {}), **own}
    try:
        files = chosen_files(request)
        if not files:
            raise BadInput("没有选择照片或文件。请先选择，再点上传。")
        kept = []
        async with request.app.state.portal.reading:
            for point, file in files:
                kept.append(await asyncio.to_thread(attachments.read_file, code, joined["form"], point, file.name, file.data))
        for one in kept:
            given[one.point] = list(dict.fromkeys([*given.get(one.point, []), one.code]))
        filled["answers"] = domain.parse_answers(joined["form"], _split_numbers(joined["form"], given))
        await attachments.attach(
            act, code, joined["form"], kept, answers=filled["answers"], outcomes=own["outcomes"], method=own["method"], opinion=own["opinion"], version=own["version"],
            seen=own["seen"],
        )  # fmt: skip
    except Refused as refused:
        return await _refused_page(request, code, form, filled, refused)
    return go_to(f"/visits/{quote(code)}/{quote(form)}?said=attached#f-{kept[0].point.partition('.')[0]}")


@get("/attachments/{code:str}", opt={"access": "record.read"})
async def attachment_file(request: Request, code: FromPath[str]) -> Response[bytes]:
    found = await attachments.load_attachment(acting(request), code)
    shown = "inline" if found["kind"] in ("photo", "signature") else "attachment"
    headers = {"Content-Disposition": f"{shown}; filename*=UTF-8''{quote(found['name'], safe='')}"}
    return Response(found["data"], media_type=found["media"], headers=headers)


def _without_dropped(form: Form, given: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Without the rows of repeats somebody ticked to delete: `_drop.<repeat>.<row>`."""
    repeats = {field.name for field in form.fields() if field.type == "repeat"}
    rows = {name.removeprefix("_drop.") for name in given if (cell := _DROP.fullmatch(name)) and cell[1] in repeats}
    return {
        name: values for name, values in given.items()
        if name.removeprefix("_drop.") not in rows and name.rpartition(".")[0] not in rows
    }  # fmt: skip


def _split_numbers(form: Form, given: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Numbers of kept originals are typed into one line, separated by blanks or commas."""

    def split(name: str, values: list[str]) -> list[str]:
        with suppress(BadInput):
            point_of(form, name)
            return [one for value in values for one in re.split(r"[\s,，、；;]+", value) if one]
        return values

    return {name: split(name, values) for name, values in given.items()}


def _own_fields(joined: Mapping[str, Any], given: Mapping[str, list[str]]) -> dict[str, Any]:
    """version, act, method, opinion, seen and outcomes, checked; BadInput for any other field with an underscore."""
    outcomes: dict[str, str] = {}
    for name, values in given.items():
        if not name.startswith("_") or name in _OWN or name.startswith("_file."):
            continue
        item = name.removeprefix("_outcome.")
        if item not in {one["code"] for one in joined["items"]} or len(values) != 1:
            raise BadInput("有些内容无法接收，请按提示修改。", [Problem(name[:40], "表单里没有这一栏，请刷新页面后重试。")])
        if values[0]:
            outcomes[item] = values[0]
    own = parse_input(Own, [(name.removeprefix("_"), value) for name in _OWN for value in given.get(name, [])])
    return {"version": own.version, "submit": own.act == "submit", "method": own.method, "opinion": own.opinion, "outcomes": outcomes, "seen": shared.parse_seen(own.seen)}


ROUTES = [records_page, visit_page, arrive, form_page, save_form, attach_files, attachment_file]

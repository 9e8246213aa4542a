"""录入: the visit on a phone, one form of it, and the list of what is not submitted yet.

A form works without script: every point is on the page, what is asked only after
不合格 says so.  With script it folds, and drafts are saved as one goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain import forms as domain
from portal.domain.errors import BadInput, NotAllowed, NotFound, Problem, Refused
from portal.domain.model import Field, Form
from portal.steps import forms as steps
from portal.steps.acting import Acting
from portal.store import directory, records
from portal.web import wording
from portal.web.access import acting, posted
from portal.web.conditions import condition_of
from portal.web.inputs import choice, group, number, parse_input, text
from portal.web.pages import fragment, go_to, is_fragment, page

SIZE = 100
SAID = {
    "arrived": "已登记到场。",
    "draft": "草稿已保存。",
    "submitted": "已提交审核。",
    "done": "本次入企的表单已全部提交。",
}
#: the page's own fields, all beginning with an underscore (forms.parse_answers leaves those alone)
_OWN = ("_version", "_act", "_method", "_opinion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    version: int = number("版本", 0, 10**9)
    act: str = choice("操作", ("draft", "submit"))
    method: str = choice("检查方式", steps.METHODS, optional=True)
    opinion: str = text("当事人意见", most=500, least=0, lines=True)


@get("/forms", opt={"access": "record.read"})
async def records_page(request: Request) -> Response[Any]:
    act = acting(request)
    rows = await records.load_record_page(act.tree, ["returned", "draft"], limit=SIZE)
    rows.sort(key=lambda row: (row["state"] != "returned", row["id"]))
    entities = await directory.load_entities({row["entity_code"] for row in rows})
    people = await directory.load_inspectors_by_id({row["recorder"] for row in rows if row["recorder"]})
    shown = [{"record": row, "entity": entities.get(row["entity_code"]), "recorder": people.get(row["recorder"])} for row in rows]
    return await page(request, "forms/records.html", here="/forms", rows=shown, by_state=await records.count_records(act.tree), size=SIZE)


@get("/visits/{code:str}", opt={"access": "visits.read"})
async def visit_page(request: Request, code: FromPath[str]) -> Response[Any]:
    return await _visit_page(request, code, None)


async def _visit_page(request: Request, code: str, refused: Refused | None) -> Response[Any]:
    view = await steps.load_visit_view(acting(request), code)
    said = SAID.get(request.query_params.get("said", ""), "")
    return await page(request, "forms/visit.html", here="/visits", refused=refused, said=said, **view)


@post("/visits/{code:str}/arrive", opt={"access": "record.enter"})
async def arrive(request: Request, code: FromPath[str]) -> Response[Any]:
    try:
        if posted(request):
            raise BadInput("表单里有不认识的栏目，请刷新页面后重试。")
        await steps.record_arrival(acting(request), code)
    except Refused as refused:
        return await _visit_page(request, code, refused)
    return go_to(f"/visits/{quote(code)}?said=arrived")


# One form -----------------------------------------------------------------------------


@get("/visits/{code:str}/{form:str}", opt={"access": "visits.read"})
async def form_page(request: Request, code: FromPath[str], form: FromPath[str]) -> Response[Any]:
    view, joined = await _joined(acting(request), code, form)
    record = joined["record"]
    filled = {
        "answers": record["answers"] if record else {}, "outcomes": record["outcomes"] if record else {},
        "method": record["method"] if record else "", "opinion": record["opinion"] if record else "",
        "version": record["version"] if record else 0,
    }  # fmt: skip
    return await _form_page(request, view, joined, filled, None)


async def _joined(act: Acting, code: str, form: str) -> tuple[dict[str, Any], dict[str, Any]]:
    view = await steps.load_visit_view(act, code)
    for joined in view["forms"]:
        if joined["form"].code == form:
            return view, joined
    raise NotFound(f"这次入企没有编号为“{form[:64]}”的表单。")


async def _form_page(
    request: Request, view: Mapping[str, Any], joined: Mapping[str, Any], filled: Mapping[str, Any], refused: Refused | None
) -> Response[Any]:
    record = joined["record"]
    locked = record is not None and record["state"] not in ("draft", "returned")
    today = acting(request).today
    context = {
        "joined": joined, "form": joined["form"], "record": record, "filled": filled, "may_fill": view["may_enter"] and not locked, "locked": locked,
        "sections": sections_of(joined["form"], filled["answers"], today), "wrong": _by_field(refused),
        "methods": steps.METHODS, "outcome_choices": wording.outcomes(), "said": SAID.get(request.query_params.get("said", ""), ""),
    }  # fmt: skip
    return await page(request, "forms/form.html", here="/visits", refused=refused, **{**view, **context})


def sections_of(form: Form, answers: Mapping[str, Any], today: date) -> list[dict[str, Any]]:
    """The form as the page shows it: every section and point, folded where it is not asked now."""
    asked = set(domain.visible(form, answers, today))
    found = []
    for number, section in enumerate(form.sections, 1):
        points, count = [], 0
        for field in section.fields:
            main = not field.show_if or field.type == "verdict"
            count += main and field.type != "note"
            points.append({
                "field": field, "number": f"{number}.{count}" if main and field.type != "note" else "", "asked": field.name in asked,
                "condition": condition_of(field.show_if), "answer": answers.get(field.name), "when": when(form, field),
                "rows": _rows(field, answers.get(field.name)),
            })  # fmt: skip
        found.append({"section": section, "points": points, "condition": condition_of(section.show_if), "asked": any(p["asked"] for p in points)})
    return found


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


@post("/visits/{code:str}/{form:str}", opt={"access": "record.enter"})
async def save_form(request: Request, code: FromPath[str], form: FromPath[str]) -> Response[Any]:
    """Save a draft or submit; a refused submission keeps everything that was typed on the page."""
    act = acting(request)
    view, joined = await _joined(act, code, form)
    if not view["may_enter"]:
        raise NotAllowed("您不是这次入企的执法人员，不能录入。")
    given = group(posted(request))
    own = _own_fields(joined, given)
    filled: dict[str, Any] = {"answers": (joined["record"] or {}).get("answers", {}), **own}
    try:
        filled["answers"] = domain.parse_answers(joined["form"], _split_numbers(joined["form"], given))
        await steps.save_record(
            act, code, form, answers=filled["answers"], outcomes=own["outcomes"], method=own["method"], opinion=own["opinion"],
            version=own["version"], submit=own["submit"],
        )  # fmt: skip
    except Refused as refused:
        if is_fragment(request):
            return fragment(request, "forms/_saved.html", status=422, saved=None, failed=refused, version=own["version"])
        return await _form_page(request, view, joined, filled, refused)
    if is_fragment(request):
        _, joined = await _joined(act, code, form)
        return fragment(request, "forms/_saved.html", saved=joined, failed=None, version=joined["record"]["version"])
    if not own["submit"]:
        return go_to(f"/visits/{quote(code)}/{quote(form)}?said=draft")
    view, _ = await _joined(act, code, form)
    return go_to(f"/visits/{quote(code)}?said={'done' if view['visit']['state'] == 'done' else 'submitted'}")


def _split_numbers(form: Form, given: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Numbers of kept originals are typed into one line, separated by blanks or commas."""
    attached = {field.name for field in form.fields() if field.type in ("photo", "file", "signature")}
    return {name: [one for value in values for one in re.split(r"[\s,，、；;]+", value) if one] if name in attached else values for name, values in given.items()}


def _own_fields(joined: Mapping[str, Any], given: Mapping[str, list[str]]) -> dict[str, Any]:
    """version, act, method, opinion and outcomes, checked; BadInput for any other field with an underscore."""
    outcomes: dict[str, str] = {}
    for name, values in given.items():
        if not name.startswith("_") or name in _OWN:
            continue
        item = name.removeprefix("_outcome.")
        if item not in {one["code"] for one in joined["items"]} or len(values) != 1:
            raise BadInput("有些内容无法接收，请按提示修改。", [Problem(name[:40], "表单里没有这一栏，请刷新页面后重试。")])
        if values[0]:
            outcomes[item] = values[0]
    own = parse_input(Own, [(name.removeprefix("_"), value) for name in _OWN for value in given.get(name, [])])
    return {"version": own.version, "submit": own.act == "submit", "method": own.method, "opinion": own.opinion, "outcomes": outcomes}


ROUTES = [records_page, visit_page, arrive, form_page, save_form]

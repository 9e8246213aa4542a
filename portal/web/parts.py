"""入企 apart: a visit split with a reason, and the numbered documents of a visit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.documents import KINDS
from portal.domain.errors import NotFound, Refused
from portal.steps import issued, split
from portal.steps.catalogue import load_form
from portal.store import directory
from portal.store import documents as store
from portal.store import visits as visit_store
from portal.web.access import acting, posted
from portal.web.inputs import choice, day, group, parse_input, several, text
from portal.web.pages import go_to, page, pdf

SAID = {"issued": "已编号。", "voided": "已作废，文号不再使用。"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    task: tuple[str, ...] = several("分出去的任务", most=100)
    on: date | None = day("日期", optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    task: tuple[str, ...] = several("分出去的任务", most=100)
    on: date = day("另行入企的日期")
    reason: str = text("原因", most=split.LONGEST, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    kind: str = choice("文书", tuple(KINDS))
    subject: str = text("对象", most=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    reason: str = text("作废原因", most=issued.LONGEST, least=0)


@get("/visits/{code:str}/split", opt={"access": "visits.split"})
async def split_page(request: Request, code: FromPath[str]) -> Response[Any]:
    looked = parse_input(Looked, request.query_params.multi_items())
    return await _split_page(request, code, looked.task, looked.on)


async def _split_page(request: Request, code: str, tasks: tuple[str, ...], on: date | None, reason: str = "", refused: Refused | None = None) -> Response[Any]:
    view = await split.load_split(acting(request), code, tasks, on)
    parting = view["parting"]
    titles = [[(await load_form(*one)).title for one in side.items()] for side in (parting.kept_forms, parting.new_forms)] if parting else [[], []]
    return await page(request, "visits/split.html", here="/visits", refused=refused, titles=titles, reason=reason, **view)


@post("/visits/{code:str}/split", opt={"access": "visits.split"})
async def split_apart(request: Request, code: FromPath[str]) -> Response[Any]:
    try:
        given = parse_input(Split, posted(request))
        made = await split.split_visit(acting(request), code, given.task, given.reason, given.on)
    except NotFound:
        raise
    except Refused as refused:
        pairs = group(posted(request))
        on = next((date.fromisoformat(one) for one in pairs.get("on", []) if _is_day(one)), None)
        return await _split_page(request, code, tuple(pairs.get("task", ())), on, next(iter(pairs.get("reason", [])), ""), refused)
    return go_to(f"/visits/{quote(made['visit'])}")


def _is_day(given: str) -> bool:
    try:
        date.fromisoformat(given)
    except ValueError:
        return False
    return True


@get("/visits/{code:str}/documents", opt={"access": "visits.read"})
async def documents_page(request: Request, code: FromPath[str]) -> Response[Any]:
    return await _documents_page(request, code)


async def _documents_page(request: Request, code: str, refused: Refused | None = None, failed: int = 0) -> Response[Any]:
    view = await issued.load_visit_documents(acting(request), code)
    entity = (await directory.load_entities([view["visit"]["entity_code"]])).get(view["visit"]["entity_code"])
    said = SAID.get(request.query_params.get("said", ""), "")
    return await page(request, "visits/documents.html", here="/visits", refused=refused, failed=failed, entity=entity, said=said, KINDS=KINDS, **view)


@post("/visits/{code:str}/documents", opt={"access": "documents.issue"})
async def issue(request: Request, code: FromPath[str]) -> Response[Any]:
    try:
        given = parse_input(Issue, posted(request))
        await issued.issue_document(acting(request), given.kind, given.subject, demo=request.app.state.portal.settings.simulated)
    except NotFound:
        raise
    except Refused as refused:
        return await _documents_page(request, code, refused)
    return go_to(f"/visits/{quote(code)}/documents?said=issued")


@post("/documents/{number:int}/void", opt={"access": "documents.void"})
async def void(request: Request, number: FromPath[int]) -> Response[Any]:
    act = acting(request)
    row = await store.load_document(number, act.line)
    code = (await visit_store.load_visits_by_id([row["visit"]]))[row["visit"]]["code"]
    try:
        await issued.void_document(act, number, parse_input(Void, posted(request)).reason)
    except NotFound:
        raise
    except Refused as refused:
        return await _documents_page(request, code, refused, number)
    return go_to(f"/visits/{quote(code)}/documents?said=voided")


@get("/documents/{number:int}/file.pdf", opt={"access": "visits.read"})
async def document_file(request: Request, number: FromPath[int]) -> Response[bytes]:
    name, template, context = await issued.load_document_file(acting(request), number)
    data = await asyncio.to_thread(request.app.state.portal.printing.render, name, template, context)
    return pdf(name, data)


ROUTES = [split_page, split_apart, documents_page, issue, void, document_file]

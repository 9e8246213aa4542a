"""导入: choose a file, look at what it would do, then bring it in once; lists drawn elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import BadInput, NotFound, Refused
from portal.domain.import_kinds import KINDS, Kind, template_rows
from portal.domain.imports import ImportPreview
from portal.domain.tables import LEFT_OUT
from portal.sheets.limited import read_sheet_limited
from portal.sheets.write import write_xlsx
from portal.steps import imports as steps
from portal.steps import outside, results, uploads
from portal.steps.acting import Acting
from portal.store import draw
from portal.store import imports as store
from portal.store import jobs
from portal.web import inputs
from portal.web.access import acting, posted, uploaded
from portal.web.draw import Nothing
from portal.web.inputs import Pairs, choice, group, parse_input, several, text
from portal.web.multipart_form import MOST_FORM, MOST_UPLOAD
from portal.web.pages import download, go_to, page

SIZE = 50
PROBLEMS = 100  # of one page
VISITED = ("drawn", "revealed", "external")  # states of a round that may have visits
SAID = {
    "mapped": "表头已记住，下次同样的表头会自动识别。",
    "accepted": "已记下核对依据，这些代码不再提示。",
    "applied": "已导入。",
    "dropped": "已放弃，文件已清除。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    before: int = inputs.number("上一页止于", 0, 10**12, optional=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    said: str = text("提示", most=20, least=0)
    show: str = choice("显示", ("errors", "warnings"), optional=True)
    start: int = inputs.number("起始", 0, 10**6, optional=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRound:
    round: str = text("轮次", most=40, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    rows: str = choice("范围", ("all", "good"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    code: tuple[str, ...] = several("代码", least=1, most=500)
    reason: str = text("核对依据", most=100)


def kinds_for(act: Acting) -> list[Kind]:
    return [kind for kind in KINDS.values() if act.may(kind.act)]


@get("/imports", opt={"access": "imports.read"})
async def imports_page(request: Request) -> Response[Any]:
    act = acting(request)
    before = parse_input(Older, request.query_params.multi_items()).before
    rows = await store.load_uploads(act.tree, before=before, limit=SIZE + 1)
    more, rows = len(rows) > SIZE, rows[:SIZE]
    return await page(
        request, "imports/imports.html", here="/imports", rows=rows, kinds=KINDS, next=f"/imports?before={rows[-1]['id']}" if more else "", before=before,
        lists=len(await store.load_external_lists(act.tree)),
    )  # fmt: skip


# Choosing a file ----------------------------------------------------------------------


@get("/imports/new", opt={"access": "imports.read"})
async def new_page(request: Request) -> Response[Any]:
    return await _new_page(request, request.query_params.get("kind", ""), {}, None)


async def _new_page(request: Request, code: str, given: Mapping[str, str], refused: Refused | None) -> Response[Any]:
    kinds = kinds_for(acting(request))
    chosen = next((kind for kind in kinds if kind.code == code), None)
    rounds = await draw.load_rounds(acting(request).line, external=True) if code == "records" and chosen else []
    return await page(
        request, "imports/new.html", here="/imports", refused=refused, kinds=kinds, kind=chosen, given=given, most=MOST_UPLOAD >> 20,
        rounds=[one for one in reversed(rounds) if one["state"] in VISITED],
    )


@post("/imports/new", opt={"access": "imports.read", "file": "file"}, request_max_body_size=MOST_FORM)
async def upload_file(request: Request) -> Response[Any]:
    given = {name: values[0] for name, values in group(posted(request)).items()}
    code = given.get("kind", "")
    try:
        kind = steps.kind_of(code)
        acting(request).require(kind.act)
        options = {one.name: given.get(one.name, "") for one in kind.asks}
        if unknown := sorted(given.keys() - options.keys() - {"kind", "sheet"}):
            raise BadInput(f"表单里没有“{unknown[0][:40]}”这一栏，请刷新页面后重试。")
        file = uploaded(request)
        async with request.app.state.portal.reading:
            sheet = await asyncio.to_thread(read_sheet_limited, file.data, file.name, sheet=given.get("sheet", "").strip()[:60])
            made = await uploads.save_upload(acting(request), code, sheet, file.name, file.data, options)
    except Refused as refused:
        return await _new_page(request, code, given, refused)
    return go_to(f"/imports/{made}")


@get("/imports/templates/{code:str}", opt={"access": "imports.read"})
async def template_file(request: Request, code: FromPath[str]) -> Response[bytes]:
    kind = KINDS.get(code)
    if kind is None:
        raise NotFound("没有这一类文件的模板。")
    asked = parse_input(OfRound, request.query_params.multi_items()).round
    if asked:
        if code != "records":
            raise BadInput("只有检查记录表可以按轮次下载。")
        async with request.app.state.portal.reading:
            rows = await results.write_template(acting(request), asked)
            return download(f"{asked}检查记录表.xlsx", await asyncio.to_thread(write_xlsx, rows, name=kind.label))
    data = await asyncio.to_thread(write_xlsx, template_rows(kind), name=kind.label)
    return download(f"{kind.label}模板.xlsx", data)


# One upload ---------------------------------------------------------------------------


@get("/imports/{number:int}", opt={"access": "imports.read"})
async def upload_page(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _upload_page(request, number, None)


async def _upload_page(request: Request, upload: int, refused: Refused | None) -> Response[Any]:
    act = acting(request)
    shown = parse_input(Shown, request.query_params.multi_items() if request.method == "GET" else [])
    row, preview = await uploads.load_preview(act, upload)
    kind = KINDS[preview.kind]
    job = await jobs.load_job(row["job"]) if row["job"] else None
    return await page(
        request, "imports/upload.html", here="/imports", refused=refused, row=row, preview=preview, kind=kind, said=SAID.get(shown.said, ""),
        table=_problems(preview, shown, row["id"]), may_apply=act.may(kind.act) and row["state"] == "previewed",
        fields=[(name, kind.heading(name)) for name in kind.names], left_out=LEFT_OUT, job=job, most_codes=200,
        kept=await store.has_upload_data(upload), running=row["state"] == "queued",
    )  # fmt: skip


def _problems(preview: ImportPreview, shown: Shown, upload: int) -> dict[str, Any]:
    """One page of errors, or of warnings, with what stands in the cell."""
    which = shown.show or ("errors" if preview.errors or not preview.warnings else "warnings")
    values = preview.values[: len(preview.errors)] if which == "errors" else preview.values[len(preview.errors) :]
    problems = preview.errors if which == "errors" else preview.warnings
    pairs = list(zip(problems, values, strict=True))
    start = min(shown.start, len(pairs) // PROBLEMS * PROBLEMS)
    end = start + PROBLEMS
    here = f"/imports/{upload}?show={which}&start="
    return {
        "which": which, "rows": pairs[start:end], "start": start, "listed": len(pairs),
        "before": f"{here}{start - PROBLEMS}#problems" if start >= PROBLEMS else "", "after": f"{here}{end}#problems" if len(pairs) > end else "",
    }  # fmt: skip


@post("/imports/{number:int}/map", opt={"access": "imports.read"})
async def map_headings(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        _, preview = await uploads.load_preview(acting(request), number)
        await uploads.map_headings(acting(request), number, _mapping(posted(request), preview.unknown))
    except Refused as refused:
        return await _upload_page(request, number, refused)
    return go_to(f"/imports/{number}?said=mapped")


def _mapping(pairs: Pairs, unknown: tuple[str, ...]) -> dict[str, str]:
    """heading -> field of the columns somebody decided about; the form names them by their place."""
    found = {}
    for name, values in group(pairs).items():
        place = name.removeprefix("column")
        if not (place.isascii() and place.isdigit() and int(place) < len(unknown) and len(values) == 1):
            raise BadInput("表头已有变动，请刷新页面后重试。")
        if values[0]:
            found[unknown[int(place)]] = values[0]
    return found


@post("/imports/{number:int}/accept", opt={"access": "directory.import"})
async def accept_codes(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        given = parse_input(Accepted, posted(request))
        await steps.accept_codes(acting(request), given.code, given.reason)
        await uploads.refresh_preview(acting(request), number)
    except Refused as refused:
        return await _upload_page(request, number, refused)
    return go_to(f"/imports/{number}?said=accepted")


@post("/imports/{number:int}/apply", opt={"access": "imports.read"})
async def apply_upload(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        job = await uploads.request_apply(acting(request), number, parse_input(Decision, posted(request)).rows == "good")
    except Refused as refused:
        return await _upload_page(request, number, refused)
    return go_to(f"/imports/{number}" + ("" if job else "?said=applied"))


@post("/imports/{number:int}/drop", opt={"access": "imports.read"})
async def drop_upload(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        parse_input(Nothing, posted(request))
        await uploads.drop_upload(acting(request), number)
    except Refused as refused:
        return await _upload_page(request, number, refused)
    return go_to(f"/imports/{number}?said=dropped")


@get("/imports/{number:int}/remarks", opt={"access": "imports.read"})
async def remarks_file(request: Request, number: FromPath[int]) -> Response[bytes]:
    async with request.app.state.portal.reading:
        return download(*await uploads.write_remarks(acting(request), number))


# Lists drawn elsewhere ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    after: int = inputs.number("上一页止于", 0, 10**9, optional=0)


@get("/imports/lists", opt={"access": "imports.read"})
async def lists_page(request: Request) -> Response[Any]:
    return await page(request, "imports/lists.html", here="/imports", rows=await store.load_external_lists(acting(request).tree))


@get("/imports/lists/{number:int}", opt={"access": "imports.read"})
async def list_page(request: Request, number: FromPath[int]) -> Response[Any]:
    after = parse_input(After, request.query_params.multi_items()).after
    one = await store.load_external_list(number, acting(request).tree)
    rows = await store.load_external_rows(number, after=after, limit=201)
    more, rows = len(rows) > 200, rows[:200]
    return await page(
        request, "imports/list.html", here="/imports", list=one, rows=rows, after=after,
        next=f"/imports/lists/{number}?after={rows[-1]['row']}" if more else "",
    )  # fmt: skip


@post("/imports/lists/{number:int}/take", opt={"access": "draw.take"})
async def take_list(request: Request, number: FromPath[int]) -> Response[Any]:
    """The list's entries become the task's picks, and one visit for each place."""
    parse_input(Nothing, posted(request))
    taken = await outside.take_and_combine(acting(request), number)
    return go_to(f"/visits?round={taken['round']}")


ROUTES = [
    imports_page, new_page, upload_file, template_file, upload_page, map_headings, accept_codes, apply_upload, drop_upload, remarks_file,
    lists_page, list_page, take_list,
]  # fmt: skip

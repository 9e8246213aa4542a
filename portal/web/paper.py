"""纸质补录: the scan of a paper record, attached to its form before it is entered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from litestar import Request, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import BadInput, NotFound, Problem, Refused
from portal.steps import paper as steps
from portal.web.access import acting, chosen_files, posted
from portal.web.forms import ATTACHING, FILES, MOST_BODY, show_form
from portal.web.inputs import day, parse_input
from portal.web.pages import go_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    paper_on: date = day("纸质记录上的检查日期")


@post("/visits/{code:str}/{form:str}/paper", opt={"access": "record.enter", "files": (FILES, ATTACHING)}, request_max_body_size=MOST_BODY)
async def attach_paper(request: Request, code: FromPath[str], form: FromPath[str]) -> Response[Any]:
    try:
        given = parse_input(Paper, posted(request))
        files = [file for point, file in chosen_files(request) if point == "scan"]
        if not files:
            raise BadInput("没有选择扫描件。", [Problem("paper_scan", "请选择照片或 PDF。")])
        async with request.app.state.portal.reading:
            scans = [await asyncio.to_thread(steps.read_scan, code, form, file.name, file.data) for file in files[:1]]
        await steps.attach_paper(acting(request), code, form, given.paper_on, scans[0])
    except NotFound:
        raise
    except Refused as refused:
        return await show_form(request, code, form, refused)
    return go_to(f"/visits/{quote(code)}/{quote(form)}?said=paper")


ROUTES = [attach_paper]

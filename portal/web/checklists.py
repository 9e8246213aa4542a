"""检查表单 from spreadsheets: choose a file, look at the form as an inspector will see it, then bring it in; and out again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import BadInput, Problem, Refused
from portal.domain.xlsform import sheet_of
from portal.sheets.workbook import read_workbook_limited
from portal.steps import form_uploads as uploads
from portal.steps import sheet_forms as steps
from portal.web.access import acting, posted, uploaded
from portal.web.draw import Nothing
from portal.web.forms import points_context
from portal.web.inputs import group, parse_input
from portal.web.multipart_form import MOST_FORM, MOST_UPLOAD
from portal.web.pages import download, go_to, page

SAID = {"applied": "已导入。", "dropped": "已放弃，文件已清除。"}
_ASKED = ("sector", "new", "name", "department", "code", "version")


@get("/checklists/import", opt={"access": "sheets.import"})
async def import_page(request: Request) -> Response[Any]:
    return await _import_page(request, {}, None)


def _here(request: Request) -> str:
    """The entry of the rail that its reader has."""
    return "/checklists" if acting(request).may("plan.read") else "/imports"


async def _import_page(
    request: Request, given: Mapping[str, str], refused: Refused | None, refusals: Sequence[Problem] = (), remarks: Sequence[Problem] = ()
) -> Response[Any]:
    return await page(
        request, "library/import_form.html", here=_here(request), refused=refused, given=given, refusals=refusals, remarks=remarks,
        sectors=acting(request).sectors.sectors, most=MOST_UPLOAD >> 20,
    )  # fmt: skip


@post("/checklists/import", opt={"access": "sheets.import", "file": "file"}, request_max_body_size=MOST_FORM)
async def upload_form(request: Request) -> Response[Any]:
    act = acting(request)
    given = {name: values[0].strip() for name, values in group(posted(request)).items()}
    try:
        if unknown := sorted(given.keys() - set(_ASKED)):
            raise BadInput(f"表单里没有“{unknown[0][:40]}”这一栏，请刷新页面后重试。")
        sector = given.get("sector") or given.get("new", "")
        if not sector:
            raise BadInput("没有写明业务模块。", [Problem("sector", "请选择已有的业务模块，或填写新模块的代码和名称。")])
        new = None if given.get("sector") or not given.get("name") else steps.NewSector(given["name"], given.get("department", ""))
        steps.require_sector(act, sector, new)
        file = uploaded(request)
        async with request.app.state.portal.reading:
            sheets = await asyncio.to_thread(read_workbook_limited, file.data, file.name, sheet_of)
            read = await asyncio.to_thread(
                steps.read_form, act, sector, sheets, stem=PurePath(file.name).stem, code=given.get("code", ""), version=given.get("version", ""), new=new
            )  # fmt: skip
        if read.form is None:
            said = BadInput(f"“{file.name}”有 {len(read.refusals)} 处不能导入，没有导入任何内容。请按下面的表改正后重新上传。")
            return await _import_page(request, given, said, read.refusals, read.remarks)
        made = await uploads.save_form_upload(act, read.form, read.remarks, file.name, hashlib.sha256(file.data).hexdigest(), new)
    except Refused as refused:
        return await _import_page(request, given, refused)
    return go_to(f"/checklists/uploads/{made}")


@get("/checklists/uploads/{number:int}", opt={"access": "sheets.import"})
async def form_upload_page(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _form_upload_page(request, number, None)


async def _form_upload_page(request: Request, upload: int, refused: Refused | None) -> Response[Any]:
    act = acting(request)
    row, form, remarks = await uploads.load_form_upload(act, upload)
    sector = row["options"]["form"].partition(".")[0]
    known = act.sectors.sectors.get(sector)
    new = uploads.new_sector_of(row)
    current = next((one.version for one in reversed(act.sectors.forms) if one.code == row["options"]["form"]), "")
    return await page(
        request, "library/form_upload.html", here=_here(request), refused=refused, row=row, form=form, remarks=remarks,
        said=SAID.get(request.query_params.get("said", ""), ""), sector_name=known.name if known else new.name if new else sector,
        made_sector=known is None, current=current, **(points_context(form, {}, act.today) if form else {}),
    )  # fmt: skip


@post("/checklists/uploads/{number:int}/apply", opt={"access": "sheets.import"})
async def apply_form(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        parse_input(Nothing, posted(request))
        await uploads.apply_form_upload(acting(request), number)
    except Refused as refused:
        return await _form_upload_page(request, number, refused)
    return go_to(f"/checklists/uploads/{number}?said=applied")


@post("/checklists/uploads/{number:int}/drop", opt={"access": "sheets.import"})
async def drop_form(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        parse_input(Nothing, posted(request))
        await uploads.drop_form_upload(acting(request), number)
    except Refused as refused:
        return await _form_upload_page(request, number, refused)
    return go_to(f"/checklists/uploads/{number}?said=dropped")


@get("/checklists/{code:str}/xlsform", opt={"access": "plan.read"})
async def xlsform_file(request: Request, code: FromPath[str]) -> Response[bytes]:
    async with request.app.state.portal.reading:
        form, data = await steps.export_form(acting(request), code)
    return download(f"{form.title}（{form.version}）.xlsx", data)


ROUTES = [import_page, upload_form, form_upload_page, apply_form, drop_form, xlsform_file]

"""专项库: what the sectors keep about entities, one row for each licence or piece of equipment, in pages."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound
from portal.domain.registers import register_head
from portal.sheets.write import SheetFile, write_xlsx
from portal.steps import registers as steps
from portal.steps.acting import Acting
from portal.web.access import acting
from portal.web.inputs import choice, number, parse_input, text
from portal.web.pages import download, fragment, is_fragment, page

SIZES = ("50", "200", "2000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    q: str = text("名称、代码或编号", most=80, least=0)
    after: int = number("上一页止于", 0, 10**12 - 1, optional=0)
    size: str = choice("每页", SIZES, optional=True)
    export: str = choice("导出", ("xlsx",), optional=True)


@get("/registers", opt={"access": "directory.read"})
async def registers_page(request: Request) -> Response[Any]:
    return await page(request, "registers/all.html", here="/registers", registers=await steps.load_registers(acting(request)))


@get("/registers/{code:path}", opt={"access": "directory.read"})
async def register_page(request: Request, code: FromPath[str]) -> Response[Any]:
    """`code`: of one that only files name its name, which may hold a slash."""
    act, code = acting(request), code.removeprefix("/")
    register = await _register(request, code)
    wanted = parse_input(Filter, request.query_params.multi_items())
    if wanted.export:
        return await _exported(act, register, wanted.q)
    size = int(wanted.size or SIZES[0])
    rows = await steps.load_rows(act, register, wanted.q, wanted.after, size)
    more, rows = len(rows) > size, rows[:size]
    titles = steps.titles_of(register, (label for row in rows for label in row["cells"]))

    def link(**changed: Any) -> str:
        pairs = {"q": wanted.q, "size": wanted.size, "after": wanted.after} | changed
        kept = {name: value for name, value in pairs.items() if value}
        return f"/registers/{quote(code, safe='')}" + (f"?{urlencode(kept)}" if kept else "")

    context = {
        "register": register, "rows": rows, "titles": titles, "wanted": wanted, "size": size, "next": link(after=rows[-1]["id"]) if more else "",
        "first": link(after=""), "sheet": link(export="xlsx", size="", after=""), "sizes": {one: link(size=one, after="") for one in SIZES}, "address": f"/registers/{quote(code, safe='')}",
    }  # fmt: skip
    if is_fragment(request):
        return fragment(request, "registers/_list.html", **context)
    return await page(request, "registers/one.html", here="/registers", **context)


async def _exported(act: Acting, register: steps.Listed, query: str) -> Response[Any]:
    """All rows that were found, walked twice: what columns they need is known after the last."""
    held: dict[str, None] = {}
    async for rows in steps.iter_rows(act, register, query):
        held |= dict.fromkeys(label for row in rows for label in row["cells"])
    titles = steps.titles_of(register, held)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "register.xlsx"
        sheet = SheetFile(path, register.name, ["检查对象", "统一社会信用代码", *titles], [34, 21])
        try:
            async for rows in steps.iter_rows(act, register, query):
                lines = [[row["name"] or row["code"], row["code"], *(row["cells"].get(title, "") for title in titles)] for row in rows]
                await asyncio.to_thread(sheet.add, lines)
        finally:
            await asyncio.to_thread(sheet.close)
        return download(f"{register.name}{act.today:%Y%m%d}.xlsx", await asyncio.to_thread(path.read_bytes))


@get("/registers/{code:str}/template", opt={"access": "directory.read"})
async def template_file(request: Request, code: FromPath[str]) -> Response[bytes]:
    """An empty file with the headings that an import of this register knows."""
    found = next((one for one in acting(request).sectors.registers if one.code == code), None)
    if found is None:
        raise NotFound(f"没有编号为“{code[:64]}”的专项库模板。")
    data = await asyncio.to_thread(write_xlsx, [register_head(found)], name=found.name)
    return download(f"{found.name}模板.xlsx", data)


async def _register(request: Request, code: str) -> steps.Listed:
    for one in await steps.load_registers(acting(request)):
        if one.code == code:
            return one
    raise NotFound(f"没有专项库“{code[:64]}”，或者里面没有您辖区的检查对象。")


ROUTES = [registers_page, register_page, template_file]

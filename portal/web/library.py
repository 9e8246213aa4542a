"""事项清单, 检查表单, 业务模块: what is behind a draw, to be looked up."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.declarations import form_from_data, item_from_data
from portal.domain.errors import NotFound
from portal.hookspecs import HOOKS
from portal.sector_list import list_sectors
from portal.steps.sheet_forms import load_forms
from portal.store import plan
from portal.web.access import acting
from portal.web.pages import page


@get("/items", opt={"access": "plan.read"})
async def items_page(request: Request) -> Response[Any]:
    names = {code: one.name for code, one in acting(request).sectors.sectors.items()}
    rows = [item_from_data(row["data"]) for row in await plan.load_all_declared(plan.Item)]
    groups: dict[str, list[Any]] = {}
    for item in rows:
        groups.setdefault(names.get(item.code.partition(".")[0], item.code.partition(".")[0]), []).append(item)
    return await page(request, "library/items.html", here="/items", groups=groups, total=len(rows))


@get("/items/{code:str}", opt={"access": "plan.read"})
async def item_page(request: Request, code: FromPath[str]) -> Response[Any]:
    found = [item_from_data(row["data"]) for row in await plan.load_all_declared(plan.Item) if row["code"] == code]
    if not found:
        raise NotFound(f"事项清单里没有编号为“{code[:64]}”的事项。")
    return await page(request, "library/item.html", here="/items", item=found[-1], versions=found)


@get("/checklists", opt={"access": "plan.read"})
async def checklists_page(request: Request) -> Response[Any]:
    shown = []
    for row in await load_forms(acting(request)):
        form = row["form"]
        shown.append({
            **row, "points": sum(f.type == "verdict" for f in form.fields()), "keys": sum(f.key for f in form.fields()), "fields": len(form.fields()),
        })  # fmt: skip
    return await page(request, "library/checklists.html", here="/checklists", rows=shown)


@get("/checklists/{code:str}", opt={"access": "plan.read"})
async def checklist_page(request: Request, code: FromPath[str]) -> Response[Any]:
    found = [form_from_data(row["data"]) for row in await plan.load_all_declared(plan.CheckForm) if row["code"] == code]
    if not found:
        raise NotFound(f"没有编号为“{code[:64]}”的检查表单。")
    current = {form.code: form.version for form in acting(request).sectors.forms}.get(code, found[-1].version)  # by its numbers: 2026-10 after 2026-9
    form = next((one for one in found if one.version == current), found[-1])
    return await page(request, "library/checklist.html", here="/checklists", form=form, versions=found)


@get("/sectors", opt={"access": "plan.read"})
async def sectors_page(request: Request) -> Response[Any]:
    sectors = acting(request).sectors
    left: dict[str, list[int]] = {}
    for n, table in enumerate((plan.Item, plan.CheckForm)):
        for code in {row["code"] for row in await plan.load_all_declared(table)}:
            owner = code.partition(".")[0]
            if owner not in sectors.sectors:
                left.setdefault(owner, [0, 0])[n] += 1
    rows = list_sectors(sectors)
    hooks = [{"name": name, "words": hook.chinese, "who": [one.name for one in rows if name in one.hooks]} for name, hook in HOOKS.items()]
    return await page(request, "library/sectors.html", here="/sectors", rows=rows, left=sorted(left.items()), hooks=hooks)


ROUTES = [items_page, item_page, checklists_page, checklist_page, sectors_page]

"""One list for all: filters as a GET form, search as you type, columns to choose, order, pages, and the same rows as XLSX."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response
from markupsafe import Markup

from portal.domain import list_columns
from portal.domain.errors import BadInput, Problem
from portal.domain.lists import SIZES, Asked, Column, Filter, Listing
from portal.sheets.write import SheetFile
from portal.steps import lists as steps
from portal.steps.acting import BEIJING, Acting
from portal.store.lists import Reach
from portal.web import wording
from portal.web.access import acting
from portal.web.cells import Words, rows_html
from portal.web.inputs import choice, parse_input, several, text
from portal.web.pages import download, fragment, is_fragment, page, speech


@cache
def input_of(listing: Listing) -> type:
    """What a list's address may hold."""
    fields: list[tuple[str, type, Any]] = []
    for one in listing.filters:
        kind = choice(one.label, ("1",), optional=True) if one.kind == "own" else text(one.label, most=80, least=0)
        fields.append((one.name, str, kind))
    orders = [way + one.name for one in listing.columns if one.sort or one.name == listing.key for way in ("", "-")]
    fields += [
        ("sort", str, choice("排列", orders, optional=True)), ("col", tuple, several("列", most=40)), ("after", str, text("上一页止于", most=400, least=0)),
        ("size", str, choice("每页", [str(size) for size in SIZES], optional=True)), ("export", str, choice("导出", ("xlsx",), optional=True)),
    ]  # fmt: skip
    return dataclasses.make_dataclass("ListInput", fields, frozen=True, kw_only=True)


def parse_asked(listing: Listing, pairs: Any) -> tuple[Asked, str]:
    """(what an address asks of a list, how to hand it out: "" or "xlsx")."""
    given = parse_input(input_of(listing), pairs)
    if unknown := [name for name in given.col if name not in {one.name for one in listing.columns}]:
        raise BadInput("没有这样的列。", [Problem("col", f"没有名为“{unknown[0][:40]}”的列，请重新选择。")])
    filters = {one.name: value for one in listing.filters if (value := getattr(given, one.name))}
    return Asked(given=filters, sort=given.sort, columns=given.col, after=given.after, size=int(given.size or SIZES[0])), given.export


async def list_page(request: Request, listing: Listing, *, template: str = "lists/list.html", here: str = "", reach: Reach | None = None, said: Mapping[str, str] | None = None, **context: Any) -> Response[Any]:
    """A list as a page, as the part of it that htmx asks for, or as a sheet.

    `reach`: what it was opened with, where that was done before. `said`: what the address may name with `said` that was just done.
    """
    act = acting(request)
    pairs = request.query_params.multi_items()
    if said is not None:
        context["said"] = said.get(request.query_params.get("said", ""), "")
        pairs = [pair for pair in pairs if pair[0] != "said"]
    asked, export = parse_asked(listing, pairs)
    if export:
        return await _exported(act, listing, asked)
    whole = not is_fragment(request)
    reach = reach or await steps.open_reach(act, listing, choices=whole)
    found = await steps.load_page(act, listing, asked, reach)
    words = words_of(act, listing)
    columns = asked.chosen(listing)
    context |= {
        "listing": listing, "asked": asked, "columns": columns, "wide": sum(map(_width, columns)) > _DESK, "chosen": {one.name for one in columns}, "count": found["count"], "more": found["more"], "sizes": SIZES, "sorted": ("", True) if asked.is_search(listing) else asked.order(listing),
        # One piece: each piece of a template is handed up through all it extends.
        "rows": Markup("".join([f"<tr>{cells}</tr>" for cells in rows_html(act, columns, found["rows"], words, speech(request))])), "link": _linker(listing, asked),
        "next": found["next"], "filtered": bool(asked.given), "named": await _named(act, listing, asked, words, reach),
    }  # fmt: skip
    if not whole:
        return fragment(request, "lists/_list.html", **context)
    context["choices"] = {one.name: await _choices(act, one, words, reach) for one in listing.filters if one.shown}
    return await page(request, template, here=here or listing.path, **context)


def _linker(listing: Listing, asked: Asked) -> Any:
    def link(**changed: str) -> str:
        pairs = asked.pairs(**changed)
        return f"{listing.path}?{urlencode(pairs)}" if pairs else listing.path

    return link


def words_of(act: Acting, listing: Listing) -> dict[str, Words]:
    """name in the declaration -> value -> (tag class or "", word)."""
    names = {one.words for one in (*listing.columns, *listing.filters) if one.words}
    found: dict[str, Words] = {}
    for name in sorted(names):
        if name == "sectors":
            found[name] = {code: ("", one.name) for code, one in act.sectors.sectors.items()}
        elif name == "forms":
            found[name] = {code: ("", title) for code, title in act.sectors.titles().items()}
        elif name == "items":
            found[name] = {one.code: ("", one.name) for one in act.sectors.items}
        elif name == "outcomes":
            found[name] = {code: ("bad" if problem else "", label) for code, label, problem in wording.outcomes()}
        else:
            mapping = getattr(wording, name.upper())
            found[name] = {value: said if isinstance(said, tuple) else ("", said) for value, said in mapping.items()}
    return found


async def _choices(act: Acting, one: Filter, words: Mapping[str, Words], reach: Reach) -> list[tuple[str, str]]:
    if one.words:
        return [(value, said) for value, (_, said) in words[one.words].items() if value]
    if isinstance(one.options, str):
        return await steps.load_options(act, one.options, reach) if one.options else []
    return list(one.options)


async def _named(act: Acting, listing: Listing, asked: Asked, words: Mapping[str, Words], reach: Reach) -> list[tuple[str, str]]:
    """(label, value in words) of the filters in force that the form does not show."""
    found = []
    for one in listing.filters:
        if not one.shown and (value := asked.given.get(one.name)):
            found.append((one.label, dict(await _choices(act, one, words, reach)).get(value, value)))
    return found


# Sheets -------------------------------------------------------------------------------


def _sheet_value(column: Column, row: Mapping[str, Any], words: Mapping[str, Words]) -> Any:
    value = row.get(column.name)
    if column.words:
        return words[column.words].get(value, ("", value))[1]
    if column.kind == "list":
        return "、".join(json.loads(value))
    return value.astimezone(BEIJING) if isinstance(value, datetime) else value


async def _exported(act: Acting, listing: Listing, asked: Asked) -> Response[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.xlsx"
        await write_export(act, listing, asked, path)
        return download(f"{listing.title}{act.today:%Y%m%d}.xlsx", await asyncio.to_thread(path.read_bytes))


async def write_export(act: Acting, listing: Listing, asked: Asked, path: Path) -> int:
    """Exactly the rows that are filtered and the columns that are shown, in their order; the count. Noted where people are named."""
    words, columns, count = words_of(act, listing), asked.chosen(listing), 0
    sheet = SheetFile(path, listing.title, [column.label for column in columns], [_width(column) for column in columns])
    try:
        async for rows in steps.iter_filled(act, listing, asked):
            lines = [[_sheet_value(column, row, words) for column in columns] for row in rows]
            await asyncio.to_thread(sheet.add, lines)
            count += len(lines)
    finally:
        await asyncio.to_thread(sheet.close)
    if listing.personal:
        await steps.note_export(act, listing, asked, count)
    return count


_WIDTHS = {"name": 34, "code": 21, "hash": 30, "day": 12, "moment": 17, "number": 9}
_DESK = 180  # what a desk's window shows without moving the table


def _width(column: Column) -> int:
    """In letters of a sheet."""
    return _WIDTHS.get(column.kind, 14)


# Lists that are nothing but a list ----------------------------------------------------


def _route(listing: Listing) -> HTTPRouteHandler:
    @get(listing.path, opt={"access": listing.act}, name=f"list-{listing.name}")
    async def show(request: Request) -> Response[Any]:
        return await list_page(request, listing, here=_HERE.get(listing.name, ""))

    return show


_HERE = {"checks": "/statistics", "follow-ups": "/follow-ups", "records": "/review", "tasks": "/pool", "rounds": "/draw", "results": "/publish"}
ROUTES = [_route(list_columns.LISTS[name]) for name in _HERE]

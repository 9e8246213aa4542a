"""Items and forms by version, from what was declared: old versions stay readable when a sector moves on.

And the sectors as they are now: the installed ones, and what came from spreadsheets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from portal.domain.declarations import form_from_data, item_from_data
from portal.domain.model import CheckItem, Form, Sector
from portal.domain.packing import pack
from portal.domain.sheet_items import rule_from_data
from portal.plugins import Sectors
from portal.store import sheet_sectors as sheets
from portal.store.engine import current_engine
from portal.store.plan import load_declared
from portal.store.tables import CheckForm, Item

# A declared version never changes (the database refuses it): each is read and built once for a database.
# A record of a visit with several forms asks for a dozen of them, and building one costs milliseconds.
_items: WeakKeyDictionary[Any, dict[tuple[str, str], CheckItem]] = WeakKeyDictionary()
_forms: WeakKeyDictionary[Any, dict[tuple[str, str], Form]] = WeakKeyDictionary()


async def load_item(code: str, version: str) -> CheckItem:
    """One version of a check item. Raises NotFound."""
    known = _items.setdefault(current_engine(), {})
    if (code, version) not in known:
        known[code, version] = item_from_data((await load_declared(Item, code, version))["data"])
    return known[code, version]


async def load_form(code: str, version: str) -> Form:
    """One version of an inspection form. Raises NotFound."""
    known = _forms.setdefault(current_engine(), {})
    if (code, version) not in known:
        known[code, version] = form_from_data((await load_declared(CheckForm, code, version))["data"])
    return known[code, version]


# What came from spreadsheets -----------------------------------------------------

_joined: WeakKeyDictionary[Any, tuple[int, Sectors, Sectors]] = WeakKeyDictionary()


async def with_sheets(installed: Sectors) -> Sectors:
    """The installed sectors joined by those run from spreadsheets, as the database has them now.

    Asked at the start of every act, in every process: one number tells whether anything was imported since.
    """
    mark = await sheets.load_mark()
    if not mark:
        return installed
    engine = current_engine()
    if engine.current_transaction.get() is not None:
        # What is seen here may be taken back, and the same number may later stand for something else.
        return await _join_now(installed)
    known = _joined.get(engine)
    if known is None or known[0] != mark or known[1] is not installed:
        known = (mark, installed, await _join_now(installed))
        _joined[engine] = known
    return known[2]


async def _join_now(installed: Sectors) -> Sectors:
    return join(installed, await sheets.load_sheet_sectors(), await sheets.load_sheet_versions())


def join(installed: Sectors, own: Sequence[Mapping[str, Any]], versions: Sequence[Mapping[str, Any]]) -> Sectors:
    """Rows of the store joined to the installed sectors. A module installed later under the code of one of `own` goes before its items."""
    declared = {("form", form.code, form.version) for form in installed.forms}
    sectors = {row["code"]: Sector(row["code"], row["name"], row["department"]) for row in own if row["code"] not in installed.sectors}
    taken = [
        row for row in versions
        if (row["kind"], row["code"], row["version"]) not in declared and (row["sector"] in sectors or row["kind"] == "form" and row["sector"] in installed.sectors)
    ]  # fmt: skip
    for code, digest in _digests(taken).items():
        before = sectors.get(code) or installed.sectors[code]
        sectors[code] = replace(before, version=f"表格{digest}" if code not in installed.sectors else f"{before.version}+表格{digest}")
    items = [item_from_data(row["data"]) for row in taken if row["kind"] == "item"]
    forms = [form_from_data(row["data"]) for row in taken if row["kind"] == "form"]
    rules = {row["code"]: rule_from_data(row["rule"]) for row in taken if row["kind"] == "item"}  # the latest import of each stands
    return installed.joined(sectors, items, forms, rules)


def _digests(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """sector -> the beginning of a digest of all that its spreadsheets say: part of every round, like a module's version."""
    said: dict[str, list[str]] = {}
    for row in rows:
        said.setdefault(row["sector"], []).append(f"{row['kind']} {row['code']} {row['version']} {row['digest']} {pack(row['rule'])}")
    return {sector: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:12] for sector, lines in said.items()}

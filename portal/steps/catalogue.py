"""Items and forms by version, from what was declared: old versions stay readable when a sector moves on."""

from __future__ import annotations

from portal.domain.declarations import form_from_data, item_from_data
from portal.domain.model import CheckItem, Form
from portal.store.plan import load_declared
from portal.store.tables import CheckForm, Item


async def load_item(code: str, version: str) -> CheckItem:
    """One version of a check item. Raises NotFound."""
    return item_from_data((await load_declared(Item, code, version))["data"])


async def load_form(code: str, version: str) -> Form:
    """One version of an inspection form. Raises NotFound."""
    return form_from_data((await load_declared(CheckForm, code, version))["data"])

"""Items and forms by version, from what was declared: old versions stay readable when a sector moves on."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from portal.domain.declarations import form_from_data, item_from_data
from portal.domain.model import CheckItem, Form
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

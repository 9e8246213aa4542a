"""检查对象名录库."""

from __future__ import annotations

from piccolo.columns import Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text
from portal.store.tables.people import Organisation


class Entity(Table, tablename="entity"):
    """检查对象名录库: one directory entry."""

    code = Text(unique=True)
    kind = text("entity")  # entity | site | object
    holder = text()
    site = text()
    name = Text(index=True)
    old_names = json("[]")
    type = text("企业")
    status = text("存续")
    region = text()
    organisation = ref(Organisation)  # the station, else the bureau
    town = text()
    address = text()
    industries = json("[]")
    scope = text()
    registered_on = on()
    risk_class = text()  # internal: never leaves the portal
    tags = json("[]")
    licences = json("[]")
    attributes = json()
    imported_at = at()

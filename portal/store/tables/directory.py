"""检查对象名录库."""

from __future__ import annotations

from piccolo.columns import Bytea, Integer, Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text
from portal.store.tables.people import Account, Organisation


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


class Load(Table, tablename="load"):
    """A large file on its way into a table: read whole into its parts first, then merged part by part (store/loads.py)."""

    what = text()  # entities
    organisation = ref(Organisation)
    state = text("staging")  # staging | merging | done | dropped
    digest = text()  # of the file
    keep = text()  # columns that stay as they are where a row is there already
    lines = Integer(default=0)
    parts = Integer(default=0)
    merged = Integer(default=0)  # parts
    begun_by = ref(Account)
    begun_at = at()
    done_at = at()


class LoadPart(Table, tablename="load_part"):
    """Some thousand lines of a load, as COPY reads them; gone once they are merged."""

    load = ref(Load)
    n = Integer(default=0)
    into = text()  # loads.INTO
    names = text()  # the columns of the lines, with blanks between
    data = Bytea(default=b"")

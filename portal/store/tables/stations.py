"""Who covers which town or village, and how entries came to their stations."""

from __future__ import annotations

from piccolo.columns import Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, ref, text
from portal.store.tables.people import Account, Organisation


class Division(Table, tablename="division"):
    """Streets and villages that were imported; the streets of the whole country ship with the program."""

    code = Text(unique=True)  # 9 digits: a street or town; 12: a village or community
    name = text()
    above = Text(index=True)  # the 6-digit county of a street, the 9-digit street of a village


class StationArea(Table, tablename="station_area"):
    """One town or street that a station covers, all of it or only some villages."""

    organisation = ref(Organisation)
    street = text()  # 9-digit code
    villages = json("[]")  # names; empty: the whole street
    old_names = json("[]")


class Placement(Table, tablename="placement"):
    """How an entry came to its station. No row: the file said it, or it has none."""

    entity_code = Text(unique=True)
    organisation = ref(Organisation)
    placed_by = text("address")  # address | person
    confidence = text()  # sure | likely, "" for a person's choice
    why = text()
    account = ref(Account)
    placed_at = at()


"""Sectors that are run from spreadsheets."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T10:30:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "sectors from spreadsheets"

KNOWN = {"Organisation": "organisation", "Account": "account"}
TABLES = """
SheetSector sheet_sector
    code Text unique
    name Text
    department Text
    organisation -> Organisation
    made_by -> Account
    made_at Timestamptz null
SheetVersion sheet_version
    sector Text
    kind Text
    code Text index
    version Text
    rule Text = '{}'
    name Text
    file_digest Text
    imported_by -> Account
    imported_at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

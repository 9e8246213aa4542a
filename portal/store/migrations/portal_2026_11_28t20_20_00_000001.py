"""Visits that were given another day."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T20:20:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "moved visits"

KNOWN = {"Visit": "visit", "Account": "account"}
TABLES = """
VisitMove visit_move
    visit -> Visit
    day_from Date null
    day_to Date null
    reason Text
    by -> Account
    at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

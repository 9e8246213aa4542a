"""Scans of records that were made on paper."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T14:24:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "paper records"

KNOWN = {"Visit": "visit", "Attachment": "attachment", "Account": "account"}
TABLES = """
PaperCopy paper_copy
    visit -> Visit
    form_code Text
    attachment -> Attachment
    inspected_on Date null
    by -> Account
    at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

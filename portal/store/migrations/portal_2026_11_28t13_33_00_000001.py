"""Forms that were acted on."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T13:33:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "forms done once"

TABLES = """
DoneForm done_form
    digest Text unique
    request Text
    location Text
    at Timestamptz null index
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, {})
    return manager

"""Whose people check an item of a plan: another department's on a joint check."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns

ID = "2026-11-28T13:24:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "joint checks: the organisation an item belongs to"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    for table in ("Task task", "Rider rider"):
        add_columns(manager, table, "owner -> Organisation?", {"Organisation": "organisation"})
    return manager

"""The layout a plan came in, to write its file again."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns

ID = "2026-11-28T07:20:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "layouts of plans"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_columns(manager, "Plan plan", "layout Text = '{}'", {})
    return manager

"""A visit split off another: its part, which visit it was, why and by whom."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns

ID = "2026-11-28T14:16:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "visits are split with a reason"

COLUMNS = """
part Integer = 1
split_of -> self?
split_reason Text
split_by -> Account?
split_at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_columns(manager, "Visit visit", COLUMNS, {"Account": "account"})
    return manager

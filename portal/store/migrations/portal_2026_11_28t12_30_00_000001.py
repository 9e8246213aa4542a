"""Who closed a follow-up, when, and how it was settled."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns

ID = "2026-11-28T12:30:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "follow-ups are closed"

COLUMNS = """
closed_by -> Account?
closed_at Timestamptz null
result Text
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_columns(manager, "FollowUp follow_up", COLUMNS, {"Account": "account"})
    return manager

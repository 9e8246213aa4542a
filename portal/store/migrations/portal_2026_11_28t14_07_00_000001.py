"""What reviewers said of each point of a record they sent back."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T14:07:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "remarks of reviewers"

KNOWN = {"InspectionRecord": "record", "Account": "account"}
TABLES = """
Remark remark
    record -> InspectionRecord
    n Integer
    point Text
    note Text
    by -> Account
    at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

"""Publications are withdrawn, shown for a time only, and corrected."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T13:47:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "publications are withdrawn and corrected"

KNOWN = {"Organisation": "organisation", "Account": "account", "Publication": "publication"}
TABLES = """
Withdrawal withdrawal
    organisation -> Organisation
    key Text index
    entity_code Text
    kind Text
    since Date null
    reason Text
    last_index BigInt
    salt Text
    digest Text
    log_index BigInt
    entered_by -> Account
    entered_at Timestamptz null

Correction correction
    organisation -> Organisation
    key Text index
    entity_code Text
    publication -> Publication
    item Text
    field Text
    old Text
    new Text
    reason Text
    shown Boolean
    last_index BigInt
    salt Text
    digest Text
    log_index BigInt
    entered_by -> Account
    entered_at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

"""Documents with numbers."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T14:17:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "documents with numbers"

KNOWN = {"Organisation": "organisation", "Account": "account", "Visit": "visit", "InspectionRecord": "record", "FollowUp": "follow_up"}
TABLES = """
Document document
    organisation -> Organisation
    kind Text
    number Text unique
    year Integer
    n Integer
    visit -> Visit
    record -> InspectionRecord?
    follow_up -> FollowUp?
    subject Text
    data Text = '{}'
    digest Text
    state Text = 'issued'
    issued_by -> Account
    issued_at Timestamptz null
    void_reason Text
    voided_by -> Account?
    voided_at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

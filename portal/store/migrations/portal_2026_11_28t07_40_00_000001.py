"""Plans that are being written."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T07:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "drafts of plans"

KNOWN = {"Organisation": "organisation", "Account": "account", "Plan": "plan"}
TABLES = """
PlanDraft plan_draft
    organisation -> Organisation
    year Integer
    base -> Plan?
    data Text = '{}'
    n Integer = 1
    started_by -> Account
    started_at Timestamptz null
    changed_at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

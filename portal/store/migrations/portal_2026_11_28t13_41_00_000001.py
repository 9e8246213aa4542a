"""Follow-ups have a life: what each came of, its days, how it ended, and every step of it."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns, add_tables

ID = "2026-11-28T13:41:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "steps of follow-ups"

KNOWN = {"Account": "account", "FollowUp": "follow_up"}
COLUMNS = """
parent -> self?
due_days Integer
counts_on Date null
ending Text
"""
TABLES = """
FollowUpEvent follow_up_event
    follow_up -> FollowUp
    n Integer
    act Text
    on Date null
    note Text
    state Text
    due_on Date null
    by -> Account
    at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_columns(manager, "FollowUp follow_up", COLUMNS, KNOWN)
    add_tables(manager, TABLES, KNOWN)
    return manager

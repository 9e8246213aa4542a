"""Accounts are edited in turn, and what is proposed about them is decided by somebody else."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns, add_tables

ID = "2026-11-28T13:31:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "changes of accounts"

COLUMNS = """
version Integer = 1
password_at Timestamptz null
"""
TABLES = """
AccountChange account_change
    account -> Account
    kind Text
    data Text = '{}'
    reason Text
    state Text = 'proposed'
    proposed_by -> Account
    proposed_at Timestamptz null
    decided_by -> Account?
    decided_at Timestamptz null
    answer Text
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_columns(manager, "Account account", COLUMNS, {})
    add_tables(manager, TABLES, {"Account": "account"})
    return manager

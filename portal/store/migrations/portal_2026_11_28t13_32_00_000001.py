"""A second factor, and what stands in for it; sessions know their device."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns, add_tables

ID = "2026-11-28T13:32:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "second factor and devices"

ACCOUNT = """
secret Bytea
last_code BigInt
"""
SESSION = """
stage Text
address Text
device Text
note Text
"""
TABLES = """
RecoveryCode recovery_code
    account -> Account
    digest Text
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_columns(manager, "Account account", ACCOUNT, {})
    add_columns(manager, "WebSession web_session", SESSION, {})
    add_tables(manager, TABLES, {"Account": "account"})
    return manager

"""Classes reach the draw: the quota kept with a frozen pool, scales of imported grades, classes adjusted by hand."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns, add_tables

ID = "2026-11-28T07:15:00:118204"
VERSION = "1.38.0"
DESCRIPTION = "classes in the draw"

KNOWN = {"Organisation": "organisation", "Account": "account"}
TABLES = """
ClassAdjustment class_adjustment
    organisation -> Organisation
    code Text index
    scale Text
    risk_class Text
    reason Text
    since Date null
    until Date null
    entered_by -> Account
    entered_at Timestamptz null
"""
POOL = """
    quota Text = '{}'
    unclassed BigInt
"""
VERSIONS = """
    scale Text = 'credit'
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    add_columns(manager, "Pool pool", POOL, KNOWN)
    add_columns(manager, "ClassVersion class_version", VERSIONS, KNOWN)
    return manager

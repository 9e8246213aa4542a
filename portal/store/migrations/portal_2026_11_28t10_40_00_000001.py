"""Replacement (补抽): what became of a round on its fixed day, and tasks that a visit no longer has."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns, add_tables

ID = "2026-11-28T10:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "replacement of struck entries"

KNOWN = {"Round": "round", "Visit": "visit", "Task": "task", "Account": "account"}
COLUMNS = """
replacement_json Text
replacement_commit Text
replaced_by -> Account?
replaced_at Timestamptz null
"""
TABLES = """
Closing closing
    round -> Round
    visit -> Visit
    task -> Task
    status Text
    reason Text
    at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_columns(manager, "Round round", COLUMNS, KNOWN)
    add_tables(manager, TABLES, KNOWN)
    return manager

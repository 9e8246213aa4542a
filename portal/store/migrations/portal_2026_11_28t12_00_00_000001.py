"""Photos, files and signatures of answers."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-28T12:00:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "attachments of answers"

KNOWN = {"Organisation": "organisation", "Account": "account", "Visit": "visit"}
TABLES = """
Attachment attachment
    code Text unique
    visit -> Visit
    organisation -> Organisation
    form_code Text
    point Text
    kind Text
    name Text
    media Text
    original Text
    taken Text
    size Integer
    data Bytea
    saved_by -> Account
    saved_at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

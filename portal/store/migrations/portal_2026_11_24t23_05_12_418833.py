"""Uploads, headings pointed out, classes by version, registers, lists drawn elsewhere."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_tables

ID = "2026-11-24T23:05:12:418833"
VERSION = "1.38.0"
DESCRIPTION = "imports"

KNOWN = {"Organisation": "organisation", "Account": "account", "Task": "task"}
TABLES = """
Upload upload
    organisation -> Organisation
    kind Text
    name Text
    digest Text
    data Bytea
    options Text = '{}'
    mapping Text = '{}'
    preview Text = '{}'
    state Text = 'previewed'
    good_rows Boolean
    report Text = '{}'
    note Text
    job Integer
    uploaded_by -> Account
    uploaded_at Timestamptz null
    settled_by -> Account?
    settled_at Timestamptz null
HeadingAlias heading_alias
    organisation -> Organisation
    kind Text
    wording Text
    field Text
    by -> Account
    at Timestamptz null
AcceptedCode accepted_code
    organisation -> Organisation
    code Text
    reason Text
    by -> Account
    at Timestamptz null
ClassVersion class_version
    organisation -> Organisation
    classed_on Date null
    version Text
    count Integer
    file_digest Text
    imported_by -> Account
    imported_at Timestamptz null
EntityClass entity_class
    version -> ClassVersion
    code Text index
    risk_class Text
RegisterEntry register_entry
    organisation -> Organisation
    register Text
    code Text index
    number Text
    data Text = '{}'
    imported_by -> Account
    imported_at Timestamptz null
ExternalList external_list
    organisation -> Organisation
    task -> Task?
    title Text
    platform Text
    drawn_on Date null
    size Integer
    matched Integer
    file_digest Text
    imported_by -> Account
    imported_at Timestamptz null
ExternalEntry external_entry
    external -> ExternalList
    row Integer
    code Text index
    name Text
    matched Boolean
    data Text = '{}'
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    return manager

"""The year: profiles, bases, measures, caps' lists and reasons, dismissals, simulations."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.store.new_tables import add_columns, add_tables

ID = "2026-11-24T23:30:00:204417"
VERSION = "1.38.0"
DESCRIPTION = "year, and who approved a plan"

KNOWN = {"Organisation": "organisation", "Account": "account", "Plan": "plan", "Task": "task", "Round": "round"}
TABLES = """
ProfileVersion profile
    organisation -> Organisation
    version Integer = 1
    data Text
    digest Text
    saved_by -> Account
    saved_at Timestamptz null
YearBase year_base
    organisation -> Organisation
    year Integer
    size Integer
    silent Integer
    digest Text
    frozen_by -> Account
    frozen_at Timestamptz null
BaseEntity base_entity
    base -> YearBase
    code Text index
    region Text
    type Text
    reported Boolean = True
PlanMeasure plan_measure
    plan -> Plan
    n Integer = 1
    row Integer
    region Text
    type Text
    pool Integer
    drawn Integer
    measured_at Timestamptz null
Peace peace
    organisation -> Organisation
    holder Text index
    sectors Text = '[]'
    since Date null
    until Date null
    reason Text
    entered_by -> Account
    entered_at Timestamptz null
Allowance allowance
    organisation -> Organisation
    holder Text index
    item_code Text
    reason Text
    note Text
    since Date null
    until Date null
    entered_by -> Account
    entered_at Timestamptz null
Dismissal dismissal
    round -> Round
    task -> Task
    code Text index
    item_code Text
    rule Text
    reason Text
    at Timestamptz null
Simulation simulation
    plan -> Plan
    seed BigInt
    runs Integer
    result Text = '{}'
    made_by -> Account
    made_at Timestamptz null
"""
PLAN = """
    reason Text
    approved_by -> Account?
    approved_at Timestamptz null
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    add_tables(manager, TABLES, KNOWN)
    add_columns(manager, "Plan plan", PLAN, KNOWN)
    return manager

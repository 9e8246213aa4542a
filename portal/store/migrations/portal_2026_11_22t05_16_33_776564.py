"""The first tables.

Written from what `piccolo migrations new portal --auto` generated (7,000 lines that
say the same): a line a column, `->` a reference, `?` or null nullable. Frozen: later
changes are migrations of their own.
"""

from __future__ import annotations

from ast import literal_eval
from typing import Any

from piccolo import columns
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import ForeignKey, OnDelete, OnUpdate
from piccolo.columns.indexes import IndexMethod
from piccolo.table import create_table_class

ID = "2026-11-22T05:16:33:776564"
VERSION = "1.38.0"
DESCRIPTION = "first tables"

EMPTY = {"Text": "", "BigInt": 0, "Integer": 0, "Boolean": False, "Bytea": b"", "Date": None, "Timestamptz": None}
TABLES = """
Organisation organisation
    code Text unique
    name Text
    kind Text = 'bureau'
    parent -> self?
    region Text
Inspector inspector
    code Text unique
    number Text
    name Text
    organisation -> Organisation
    town Text
    level Text
    duty Text
    department Text
    qualifications Text = '[]'
    specialities Text = '[]'
    items Text = '[]'
    expert Boolean
    lead Boolean
    certificate_no Text
    certificate_until Date null
    issued_by Text
    status Text
Account account
    login Text unique
    name Text
    password Text
    organisation -> Organisation
    roles Text = '[]'
    inspector -> Inspector?
    active Boolean = True
    must_change Boolean = True
    created_at Timestamptz null
WebSession web_session
    digest Text unique
    account -> Account
    csrf Text
    created_at Timestamptz null
    seen_at Timestamptz null
    expires_at Timestamptz null
Recusal recusal
    inspector -> Inspector
    entity_code Text index
    reason Text
    since Date null
    until Date null
    entered_by -> Account
    entered_at Timestamptz null
Entity entity
    code Text unique
    kind Text = 'entity'
    holder Text
    site Text
    name Text index
    old_names Text = '[]'
    type Text = '企业'
    status Text = '存续'
    region Text
    organisation -> Organisation
    town Text
    address Text
    industries Text = '[]'
    scope Text
    registered_on Date null
    risk_class Text
    tags Text = '[]'
    licences Text = '[]'
    attributes Text = '{}'
    imported_at Timestamptz null
Item item
    code Text index
    version Text
    sector Text
    data Text = '{}'
    digest Text
    seen_at Timestamptz null
CheckForm check_form
    code Text index
    version Text
    sector Text
    data Text = '{}'
    digest Text
    seen_at Timestamptz null
Plan plan
    organisation -> Organisation
    year Integer
    version Integer = 1
    title Text
    notes Text = '[]'
    file_digest Text
    state Text = 'draft'
    imported_by -> Account
    imported_at Timestamptz null
PlanRow plan_row
    plan -> Plan
    row Integer
    state Text
    task_code Text
    data Text = '{}'
Task task
    objects Text
    code Text unique
    plan -> Plan
    row Integer
    organisation -> Organisation
    sector Text
    name Text
    item_code Text
    item_version Text
    kind Text = 'general'
    ratio_text Text
    ratio_ppm Integer null = None
    fixed_count Integer null = None
    class_ratios Text = '{}'
    window_from Date null
    window_to Date null
    department Text
    drawn_by Text = 'here'
Rider rider
    task -> Task
    row Integer
    item_code Text
    item_version Text
Pool pool
    task -> Task
    number Integer = 1
    organisation -> Organisation
    snapshot_on Date null
    snapshot_size BigInt
    size BigInt
    excluded_size BigInt
    strata Text = 'none'
    removed Text = '{}'
    digest Text
    excluded_digest Text
    frozen_by -> Account
    frozen_at Timestamptz null
PoolBlock pool_block
    pool -> Pool
    n Integer
    first_code Text
    data Bytea
Exclusion exclusion
    pool -> Pool
    code Text
    rule Text
    reason Text
Round round
    code Text unique
    organisation -> Organisation
    title Text
    disclosure Text = 'open'
    suite Text = 'sha256'
    state Text = 'draft'
    window_from Date null
    window_to Date null
    draw_not_before Text
    reveal_due Date null
    rules Text = '{}'
    salt_sealed Bytea
    round_json Text
    digest Text
    roster Text
    created_by -> Account
    created_at Timestamptz null
    committed_by -> Account?
    committed_at Timestamptz null
    published_at Timestamptz null
    drawn_by -> Account?
    drawn_at Timestamptz null
    key_sealed Bytea
    result_json Text
    result_commit Text
    revealed_by -> Account?
    revealed_at Timestamptz null
    void_reason Text
    void_by -> Account?
    void_approver -> Account?
    void_at Timestamptz null
RoundTask round_task
    round -> Round
    task -> Task
    pool -> Pool
    quota Text = '{}'
    rounding Text = 'ceil'
    minimum Integer
    reserve Integer
    live Boolean = True
Source source
    round -> Round
    n Integer
    name Text
    bits Integer
    drawn_at Text
    groups Text = '[]'
    value Text
    entered_by -> Account?
    entered_at Timestamptz null
Share share
    round -> Round
    n Integer
    holder Text
    account -> Account
    commit Text
    sealed Bytea
    released Bytea
    made_at Timestamptz null
    released_at Timestamptz null
Pick pick
    round -> Round
    task -> Task
    code Text index
    stratum Text
    rank Integer
    kind Text = 'drawn'
Visit visit
    code Text unique
    round -> Round
    organisation -> Organisation
    entity_code Text index
    holder Text
    site Text
    town Text
    day Date null
    state Text = 'open'
    forms Text = '{}'
    arrived_at Timestamptz null
    done_at Timestamptz null
    header Text = '{}'
    version Integer = 1
VisitTask visit_task
    visit -> Visit
    task -> Task
    organisation -> Organisation
AssignmentRun matching
    round -> Round
    n Integer = 1
    slots Text = '{}'
    slots_digest Text
    result Text = '{}'
    made_by -> Account
    made_at Timestamptz null
Assignment assignment
    run -> AssignmentRun
    visit -> Visit
    slot Integer
    inspector -> Inspector?
InspectionRecord record
    visit -> Visit
    task -> Task
    organisation -> Organisation
    sector Text
    form_code Text
    form_version Text
    answers Text = '{}'
    outcomes Text = '{}'
    method Text
    opinion Text
    inspected_on Date null
    state Text = 'draft'
    recorder -> Inspector?
    entered_by -> Account
    submitted_at Timestamptz null
    reviewer -> Account?
    reviewed_at Timestamptz null
    comment Text
    version Integer = 1
RecordVersion record_version
    record -> InspectionRecord
    n Integer
    data Text = '{}'
    by -> Account
    at Timestamptz null
Finding finding
    record -> InspectionRecord
    visit -> Visit
    task -> Task
    item_code Text
    item_version Text
    object Text
    entity_code Text index
    outcome Text
    summary Text
    inspected_on Date null
FollowUp follow_up
    record -> InspectionRecord
    kind Text
    note Text
    due_on Date null
    state Text = 'open'
    confirmed_by -> Account
    confirmed_at Timestamptz null
    closed_on Date null
Publication publication
    organisation -> Organisation
    kind Text
    key Text index
    version Integer = 1
    data Text = '{}'
    salt Text
    digest Text
    log_index BigInt null = None
    state Text = 'live'
    published_by -> Account
    published_at Timestamptz null
LogEntry log_entry
    n BigInt unique
    kind Text
    key Text index
    data Bytea
    leaf Text
    at Timestamptz null
Checkpoint checkpoint
    size BigInt unique
    root Text
    note Text
    at Timestamptz null
Release release
    code Text unique
    manifest_digest Text
    bundle_digest Text
    log_size BigInt
    pages Integer
    pdfs Integer
    made_by -> Account
    made_at Timestamptz null
Audit audit
    n BigInt unique
    at Text
    actor Text
    organisation Text
    address Text
    act Text index
    object Text index
    before Text
    after Text
    detail Text = '{}'
    previous Text
    digest Text
Job job
    kind Text
    key Text index
    args Text = '{}'
    state Text = 'queued'
    progress Integer
    total Integer
    note Text
    attempts Integer
    lease_until Timestamptz null
    created_by -> Account
    created_at Timestamptz null
    finished_at Timestamptz null
Setting setting
    key Text unique
    value Text
"""


def _params(*, null: bool, unique: bool, index: bool) -> dict[str, Any]:
    return {
        "null": null, "primary_key": False, "unique": unique, "index": index, "index_method": IndexMethod.btree,
        "choices": None, "db_column_name": None, "secret": False,
    }  # fmt: skip


def _column(line: str, stubs: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """(column name, class name, params) of one line of TABLES."""
    if "->" in line:
        name, _, to = line.partition(" -> ")
        null = to.endswith("?")
        to = to.removesuffix("?")
        return name, "ForeignKey", {
            "references": "self" if to == "self" else stubs[to], "on_delete": OnDelete.restrict,
            "on_update": OnUpdate.restrict, "target_column": None, **_params(null=null, unique=False, index=True),
        }  # fmt: skip
    words, _, default = line.partition(" = ")
    name, kind, *flags = words.split()
    value = literal_eval(default) if default else EMPTY[kind]
    params = _params(null="null" in flags, unique="unique" in flags, index="index" in flags)
    return name, kind, {"default": value, **params}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    heads = [line.split() for line in TABLES.split("\n") if line and not line.startswith(" ")]
    stubs = {name: create_table_class(name, class_kwargs={"tablename": table}) for name, table in heads}
    table_class = tablename = ""
    for line in TABLES.strip().split("\n"):
        if not line.startswith(" "):
            table_class, tablename = line.split()
            manager.add_table(class_name=table_class, tablename=tablename, schema=None, columns=None)
            continue
        name, kind, params = _column(line.strip(), stubs)
        manager.add_column(
            table_class_name=table_class, tablename=tablename, column_name=name, db_column_name=name,
            column_class_name=kind, column_class=ForeignKey if kind == "ForeignKey" else getattr(columns, kind),
            params=params, schema=None,
        )  # fmt: skip
    return manager

"""Every table of the core.  Rules beyond column types are in invariants.py.

Text that is empty means "not yet" or "none"; nullable are only dates, instants
and references.  Structured values are canonical JSON in Text columns: neither
engine queries inside them.  Instants are aware (UTC in the database).
"""

from __future__ import annotations

from piccolo.columns import (
    BigInt,
    Boolean,
    Bytea,
    Date,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    Text,
    Timestamptz,
)
from piccolo.table import Table


def _ref(table, *, null: bool = False) -> ForeignKey:
    # Piccolo's default is nullable, unindexed, ON DELETE CASCADE: each is wrong here.
    return ForeignKey(table, null=null, index=True, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict)


def _text(default: str = "") -> Text:
    return Text(default=default)


def _at() -> Timestamptz:
    return Timestamptz(null=True, default=None)


def _on() -> Date:
    return Date(null=True, default=None)


def _json(default: str = "{}") -> Text:
    return Text(default=default)


# Who ------------------------------------------------------------------------


class Organisation(Table, tablename="organisation"):
    """A bureau, station or department; organisations form a forest."""

    code = Text(unique=True)
    name = _text()
    kind = _text("bureau")  # bureau | station | department
    parent = ForeignKey("self", null=True, index=True, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict)
    region = _text()


class Inspector(Table, tablename="inspector"):
    """执法检查人员名录库: who can be drawn. ID and phone numbers are never stored."""

    code = Text(unique=True)  # <region>-<own number>, the id used in assignments
    number = _text()
    name = _text()
    organisation = _ref(Organisation)
    town = _text()
    level = _text()
    duty = _text()
    department = _text()
    qualifications = _json("[]")
    specialities = _json("[]")
    items = _json("[]")
    expert = Boolean(default=False)
    lead = Boolean(default=False)
    certificate_no = _text()
    certificate_until = _on()
    issued_by = _text()
    status = _text()


class Account(Table, tablename="account"):
    login = Text(unique=True)
    name = _text()
    password = _text()  # argon2id; empty: cannot log in
    organisation = _ref(Organisation)
    roles = _json("[]")
    inspector = _ref(Inspector, null=True)
    active = Boolean(default=True)
    must_change = Boolean(default=True)
    created_at = _at()


class WebSession(Table, tablename="web_session"):
    digest = Text(unique=True)  # SHA-256 of the cookie's value: a stolen table opens no session
    account = _ref(Account)
    csrf = _text()
    created_at = _at()
    seen_at = _at()
    expires_at = _at()


class Recusal(Table, tablename="recusal"):
    inspector = _ref(Inspector)
    entity_code = Text(index=True)
    reason = _text()
    since = _on()
    until = _on()
    entered_by = _ref(Account)
    entered_at = _at()


# What can be drawn -----------------------------------------------------------


class Entity(Table, tablename="entity"):
    """检查对象名录库: one directory entry."""

    code = Text(unique=True)
    kind = _text("entity")  # entity | site | object
    holder = _text()
    site = _text()
    name = Text(index=True)
    old_names = _json("[]")
    type = _text("企业")
    status = _text("存续")
    region = _text()
    organisation = _ref(Organisation)  # the station, else the bureau
    town = _text()
    address = _text()
    industries = _json("[]")
    scope = _text()
    registered_on = _on()
    risk_class = _text()  # internal: never leaves the portal
    tags = _json("[]")
    licences = _json("[]")
    attributes = _json()
    imported_at = _at()


# Items, forms, plan ----------------------------------------------------------


class Item(Table, tablename="item"):
    """One version of a check item as its sector declared it."""

    code = Text(index=True)
    version = _text()
    sector = _text()
    data = _json()
    digest = _text()
    seen_at = _at()


class CheckForm(Table, tablename="check_form"):
    """One version of an inspection form, kept for ever (尽职照单免责)."""

    code = Text(index=True)
    version = _text()
    sector = _text()
    data = _json()
    digest = _text()
    seen_at = _at()


class Plan(Table, tablename="plan"):
    organisation = _ref(Organisation)
    year = Integer()
    version = Integer(default=1)
    title = _text()
    notes = _json("[]")
    file_digest = _text()
    state = _text("draft")  # draft | published
    imported_by = _ref(Account)
    imported_at = _at()


class PlanRow(Table, tablename="plan_row"):
    """A row as it stood in the file, and what became of it."""

    plan = _ref(Plan)
    row = Integer()
    state = _text()  # task | rider | pending
    task_code = _text()
    data = _json()


class Task(Table, tablename="task"):
    """An inspection task: one pool, items of any sectors."""

    code = Text(unique=True)
    plan = _ref(Plan)
    row = Integer()
    organisation = _ref(Organisation)
    sector = _text()
    name = _text()
    item_code = _text()
    item_version = _text()
    objects = _text()
    kind = _text("general")
    ratio_text = _text()
    ratio_ppm = Integer(null=True, default=None)
    fixed_count = Integer(null=True, default=None)
    class_ratios = _json()
    window_from = _on()
    window_to = _on()
    department = _text()
    drawn_by = _text("here")  # here | superior | external


class Rider(Table, tablename="rider"):
    """An item whose check joins the visits of a task drawn for another item."""

    task = _ref(Task)
    row = Integer()
    item_code = _text()
    item_version = _text()


# Pool and draw ---------------------------------------------------------------


class Pool(Table, tablename="pool"):
    task = _ref(Task)
    number = Integer(default=1)  # a task whose round was void is frozen anew
    organisation = _ref(Organisation)
    snapshot_on = _on()
    snapshot_size = BigInt(default=0)
    size = BigInt(default=0)
    excluded_size = BigInt(default=0)
    strata = _text("none")  # none | class | town
    removed = _json()  # what the law takes out of the base: rule -> count
    digest = _text()  # SHA-256 of the whole pool.tsv
    excluded_digest = _text()
    frozen_by = _ref(Account)
    frozen_at = _at()


class PoolBlock(Table, tablename="pool_block"):
    """256 lines of a frozen pool.tsv: the leaves of an open round."""

    pool = _ref(Pool)
    n = Integer()
    first_code = _text()
    data = Bytea()


class Exclusion(Table, tablename="exclusion"):
    pool = _ref(Pool)
    code = _text()
    rule = _text()
    reason = _text()


class Round(Table, tablename="round"):
    code = Text(unique=True)
    organisation = _ref(Organisation)
    title = _text()
    disclosure = _text("open")
    suite = _text("sha256")
    state = _text("draft")  # draft | committed | drawn | revealed | void
    window_from = _on()
    window_to = _on()
    draw_not_before = _text()
    reveal_due = _on()
    rules = _json()
    salt_sealed = Bytea(default=b"")  # sealed rounds: salt_key under the portal's key
    round_json = _text()
    digest = _text()
    roster = _text()  # roster and recusals as committed: who may be assigned
    created_by = _ref(Account)
    created_at = _at()
    committed_by = _ref(Account, null=True)
    committed_at = _at()
    published_at = _at()  # first release that carried the commitment
    drawn_by = _ref(Account, null=True)
    drawn_at = _at()
    key_sealed = Bytea(default=b"")  # K under the portal's key
    result_json = _text()
    result_commit = _text()
    revealed_by = _ref(Account, null=True)
    revealed_at = _at()
    void_reason = _text()
    void_by = _ref(Account, null=True)
    void_approver = _ref(Account, null=True)
    void_at = _at()


class RoundTask(Table, tablename="round_task"):
    round = _ref(Round)
    task = _ref(Task)
    pool = _ref(Pool)
    quota = _json()
    rounding = _text("ceil")
    minimum = Integer(default=0)
    reserve = Integer(default=0)
    live = Boolean(default=True)  # false once the round is void


class Source(Table, tablename="source"):
    round = _ref(Round)
    n = Integer()
    name = _text()
    bits = Integer()
    drawn_at = _text()
    groups = _json("[]")
    value = _text()
    entered_by = _ref(Account, null=True)
    entered_at = _at()


class Share(Table, tablename="share"):
    """One holder's secret: sealed under the holder's passphrase, after release under the portal's key."""

    round = _ref(Round)
    n = Integer()
    holder = _text()
    account = _ref(Account)
    commit = _text()
    sealed = Bytea(default=b"")
    released = Bytea(default=b"")
    made_at = _at()
    released_at = _at()


class Pick(Table, tablename="pick"):
    round = _ref(Round)
    task = _ref(Task)
    code = Text(index=True)
    stratum = _text()
    rank = Integer()
    kind = _text("drawn")  # drawn | reserve | replacement


# Visits, assignment, records -------------------------------------------------


class Visit(Table, tablename="visit"):
    """One visit to one (holder, site); at most one open visit for each."""

    code = Text(unique=True)
    round = _ref(Round)
    organisation = _ref(Organisation)
    entity_code = Text(index=True)
    holder = _text()
    site = _text()
    town = _text()
    day = _on()
    state = _text("open")  # open | done
    forms = _json()  # form code -> version, frozen when the visit is made
    arrived_at = _at()
    done_at = _at()
    header = _json()
    version = Integer(default=1)


class VisitTask(Table, tablename="visit_task"):
    visit = _ref(Visit)
    task = _ref(Task)
    organisation = _ref(Organisation)


class AssignmentRun(Table, tablename="matching"):
    round = _ref(Round)
    n = Integer(default=1)
    slots = _json()  # slots.json without K
    slots_digest = _text()
    result = _json()  # assigned.json
    made_by = _ref(Account)
    made_at = _at()


class Assignment(Table, tablename="assignment"):
    run = _ref(AssignmentRun)
    visit = _ref(Visit)
    slot = Integer()
    inspector = _ref(Inspector, null=True)


class InspectionRecord(Table, tablename="record"):
    """What was found for one form on one visit, under one form version."""

    visit = _ref(Visit)
    task = _ref(Task)
    organisation = _ref(Organisation)
    sector = _text()
    form_code = _text()
    form_version = _text()
    answers = _json()
    outcomes = _json()  # item code -> outcome code
    method = _text()
    opinion = _text()
    inspected_on = _on()
    state = _text("draft")  # draft | submitted | returned | approved | published | withdrawn
    recorder = _ref(Inspector, null=True)
    entered_by = _ref(Account)
    submitted_at = _at()
    reviewer = _ref(Account, null=True)
    reviewed_at = _at()
    comment = _text()
    version = Integer(default=1)


class RecordVersion(Table, tablename="record_version"):
    record = _ref(InspectionRecord)
    n = Integer()
    data = _json()
    by = _ref(Account)
    at = _at()


class Finding(Table, tablename="finding"):
    """The approved outcome of one item on one visit: results split back."""

    record = _ref(InspectionRecord)
    visit = _ref(Visit)
    task = _ref(Task)
    item_code = _text()
    item_version = _text()
    object = _text()
    entity_code = Text(index=True)
    outcome = _text()
    summary = _text()
    inspected_on = _on()


class FollowUp(Table, tablename="follow_up"):
    record = _ref(InspectionRecord)
    kind = _text()
    note = _text()
    due_on = _on()
    state = _text("open")  # open | closed
    confirmed_by = _ref(Account)
    confirmed_at = _at()
    closed_on = _on()


# Publication, log, audit, jobs -----------------------------------------------


class Publication(Table, tablename="publication"):
    """One published version of one thing; never changed, only superseded or withdrawn."""

    organisation = _ref(Organisation)
    kind = _text()  # item | plan | result
    key = Text(index=True)
    version = Integer(default=1)
    data = _json()
    salt = _text()
    digest = _text()
    log_index = BigInt(null=True, default=None)
    state = _text("live")  # live | superseded | withdrawn
    published_by = _ref(Account)
    published_at = _at()


class LogEntry(Table, tablename="log_entry"):
    """The transparency log: salted hashes only, never text."""

    n = BigInt(unique=True)
    kind = _text()
    key = Text(index=True)
    data = Bytea()
    leaf = _text()
    at = _at()


class Checkpoint(Table, tablename="checkpoint"):
    size = BigInt(unique=True)
    root = _text()
    note = _text()
    at = _at()


class Release(Table, tablename="release"):
    code = Text(unique=True)
    manifest_digest = _text()
    bundle_digest = _text()
    log_size = BigInt(default=0)
    pages = Integer(default=0)
    pdfs = Integer(default=0)
    made_by = _ref(Account)
    made_at = _at()


class Audit(Table, tablename="audit"):
    """Every act, hash-chained; written in the act's own transaction."""

    n = BigInt(unique=True)
    at = _text()
    actor = _text()
    organisation = _text()
    address = _text()
    act = Text(index=True)
    object = Text(index=True)
    before = _text()
    after = _text()
    detail = _json()
    previous = _text()
    digest = _text()


class Job(Table, tablename="job"):
    kind = _text()
    key = Text(index=True)
    args = _json()
    state = _text("queued")  # queued | running | done | failed
    progress = Integer(default=0)
    total = Integer(default=0)
    note = _text()
    attempts = Integer(default=0)
    lease_until = _at()
    created_by = _ref(Account)
    created_at = _at()
    finished_at = _at()


class Setting(Table, tablename="setting"):
    key = Text(unique=True)
    value = _text()


ALL: list[type[Table]] = [
    Organisation, Inspector, Account, WebSession, Recusal, Entity, Item, CheckForm, Plan, PlanRow,
    Task, Rider, Pool, PoolBlock, Exclusion, Round, RoundTask, Source, Share, Pick, Visit, VisitTask,
    AssignmentRun, Assignment, InspectionRecord, RecordVersion, Finding, FollowUp, Publication,
    LogEntry, Checkpoint, Release, Audit, Job, Setting,
]  # fmt: skip

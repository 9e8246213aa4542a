"""What the database itself refuses, on both engines, from one list.

Piccolo adds CHECK constraints with ALTER TABLE, which SQLite does not have, so
every rule here is a trigger or an index made by us.  They are derived state:
installed anew after each migration.  Triggers stop accidents; the audit chain
and the public log are the proof.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from portal.store import name_index, tally

#: Never updated, never deleted.
INSERT_ONLY = (
    "item", "check_form", "plan_row", "pool", "pool_block", "exclusion", "pick", "visit_task",
    "matching", "assignment", "record_version", "attachment", "log_entry", "checkpoint", "audit", "finding",
    "profile", "year_base", "base_entity", "plan_measure", "allowance", "dismissal", "closing", "simulation",
    "class_version", "entity_class", "class_adjustment", "external_list", "external_entry", "sheet_version",
    "withdrawal", "correction", "follow_up_event", "remark", "paper_copy", "visit_move",
)  # fmt: skip
#: Updated by the rules below, never deleted.
KEPT = (
    "round", "round_task", "source", "share", "visit", "record", "publication", "plan", "task", "rider", "upload", "peace", "sheet_sector", "account",
    "account_change", "document", "follow_up",
)  # fmt: skip

#: table -> columns that never change once they are not empty (Text, Bytea) or not null.
FROZEN_TEXT = {
    "round": ("code", "disclosure", "suite", "round_json", "digest", "result_json", "result_commit", "roster", "replacement_json", "replacement_commit"),
    "source": ("value", "name", "drawn_at", "groups"),
    "share": ("commit", "holder"),
    "record": ("form_code", "form_version"),
    "publication": ("data", "digest", "kind", "key"),
    "visit": ("split_reason",),
    "document": ("kind", "number", "subject", "data", "digest", "void_reason"),
    "follow_up": ("kind",),
}
FROZEN_NULLABLE = {
    "round": ("committed_by", "drawn_by", "revealed_by", "published_at", "replaced_by"),
    "source": ("entered_by",),
    "plan": ("approved_by",),
    "publication": ("log_index",),
    "visit": ("split_of", "split_by"),
}
#: table -> allowed moves of its `state`.
MOVES = {
    "round": ("draft committed", "draft void", "committed drawn", "committed void", "drawn revealed"),
    "record": (
        "draft submitted", "submitted approved", "submitted returned", "returned submitted",
        "approved published", "published withdrawn",
    ),
    "visit": ("open done", "open closed"),
    "plan": ("draft approved", "draft published", "approved published"),
    "follow_up": ("open issued", "open answered", "issued answered", "open closed", "issued closed", "answered closed"),
    "load": ("staging merging", "staging dropped", "merging done"),
    "document": ("issued voided",),
    "publication": ("live superseded", "live withdrawn", "superseded withdrawn"),
    "account_change": ("proposed approved", "proposed refused"),
    "upload": ("previewed queued", "previewed applied", "previewed dropped", "queued applied", "queued previewed"),
}  # fmt: skip
FIRST_STATE = {
    "round": ("draft", "external"), "record": ("draft", "submitted"), "visit": ("open",), "publication": ("live",), "load": ("staging",),
    "account_change": ("proposed",), "document": ("issued",), "follow_up": ("open",),
}  # fmt: skip
#: (table, condition on NEW that must hold, message). NULL counts as holding.
CHECKS = (
    ("round", "NEW.disclosure IN ('open','sealed')", "round: unknown disclosure"),
    ("round", "length(NEW.digest) IN (0,64)", "round: digest is not 64 hex digits"),
    ("round", "(NEW.state IN ('draft','void')) OR NEW.digest <> ''", "round: committed without digest"),
    ("round", "NEW.state NOT IN ('drawn','revealed') OR NEW.result_json <> ''", "round: drawn without result"),
    ("round", "NEW.state <> 'external' OR (NEW.round_json = '' AND NEW.result_json = '')", "round: a list drawn elsewhere has no commitment"),
    ("round", "NEW.replacement_json = '' OR NEW.state IN ('drawn','revealed')", "round: replaced without a result"),
    ("round", "NEW.committed_by <> NEW.created_by", "round: the drafter cannot approve"),
    ("round", "NEW.drawn_by <> NEW.committed_by", "round: the approver cannot draw"),
    ("round", "NEW.void_by <> NEW.void_approver", "round: voiding needs a second person"),
    ("round", "NEW.window_from <= NEW.window_to", "round: window ends before it begins"),
    ("task", "NEW.window_from <= NEW.window_to", "task: window ends before it begins"),
    ("task", "NEW.ratio_ppm BETWEEN 0 AND 1000000", "task: ratio out of range"),
    ("plan", "NEW.approved_by <> NEW.imported_by", "plan: who imported it cannot approve it"),
    ("plan", "NEW.state = 'draft' OR NEW.approved_by IS NOT NULL", "plan: approved by nobody"),
    ("pool", "NEW.size >= NEW.excluded_size AND NEW.size >= 0", "pool: sizes do not fit"),
    ("share", 'length(NEW."commit") IN (0,64)', "share: commit is not 64 hex digits"),
    ("visit", "NEW.part >= 1 AND (NEW.part = 1) = (NEW.split_of IS NULL)", "visit: a part beyond the first is split off another visit"),
    ("visit", "NEW.split_of IS NULL OR (NEW.split_reason <> '' AND NEW.split_by IS NOT NULL)", "visit: split off by nobody or without a reason"),
    ("record", "NEW.reviewer <> NEW.entered_by", "record: the recorder cannot review"),
    ("record", "NEW.state NOT IN ('approved','published') OR NEW.reviewer IS NOT NULL", "record: approved by nobody"),
    ("pick", "NEW.rank >= 1 AND NEW.kind IN ('drawn','reserve','struck','replacement','external')", "pick: bad rank or kind"),
    ("audit", "length(NEW.digest) = 64 AND length(NEW.previous) = 64", "audit: bad digest"),
    ("follow_up", "NEW.state <> 'closed' OR NEW.kind = 'none' OR (NEW.closed_on IS NOT NULL AND NEW.closed_by IS NOT NULL AND NEW.result <> '')", "follow_up: closed by nobody"),
    ("account_change", "NEW.kind IN ('create','enable','password','factor')", "account_change: unknown kind"),
    ("account_change", "NEW.state = 'proposed' OR NEW.decided_by IS NOT NULL", "account_change: decided by nobody"),
    ("account_change", "NEW.decided_by <> NEW.proposed_by AND NEW.decided_by <> NEW.account", "account_change: nobody decides on their own"),
    ("follow_up", "NEW.due_days BETWEEN 0 AND 400", "follow_up: days out of range"),
    ("follow_up", "NEW.state <> 'closed' OR NEW.ending <> ''", "follow_up: closed without an ending"),
    ("visit_move", "NEW.day_from IS NOT NULL AND NEW.day_to IS NOT NULL AND NEW.day_from <> NEW.day_to AND NEW.reason <> ''", "visit_move: to no other day or without a reason"),
    ("paper_copy", "NEW.inspected_on IS NOT NULL AND NEW.form_code <> ''", "paper_copy: of no day or no form"),
    ("remark", "NEW.note <> ''", "remark: says nothing"),
    ("follow_up_event", "NEW.act IN ('issue','answer','extend','recheck','follow','close') AND NEW.state IN ('open','issued','answered','closed')", "follow_up_event: unknown step"),
    ("attachment", "NEW.kind IN ('photo','file','signature') AND length(NEW.original) = 64 AND length(NEW.data) = NEW.size", "attachment: does not fit"),
    ("document", "NEW.kind IN ('notice','record','result','order') AND NEW.n >= 1 AND length(NEW.digest) = 64", "document: does not fit"),
    ("document", "NEW.state <> 'voided' OR (NEW.voided_by IS NOT NULL AND NEW.void_reason <> '')", "document: voided by nobody or without a reason"),
    ("document", "NEW.voided_by <> NEW.issued_by", "document: who issued it cannot void it"),
    ("placement", "NEW.placed_by IN ('address','person')", "placement: placed by nobody known"),
    ("placement", "NEW.placed_by <> 'person' OR NEW.why <> ''", "placement: chosen by a person without a reason"),
    ("entity", "NEW.kind IN ('entity','site','object')", "entity: unknown kind"),
    ("load", "NEW.merged BETWEEN 0 AND NEW.parts", "load: more merged than there is"),
    ("upload", "NEW.state IN ('previewed','queued','applied','dropped')", "upload: unknown state"),
    ("upload", "length(NEW.digest) = 64", "upload: digest is not 64 hex digits"),
    ("sheet_version", "NEW.kind IN ('item','form')", "sheet_version: neither an item nor a form"),
    ("withdrawal", "NEW.kind IN ('withdraw','limit') AND NEW.since IS NOT NULL AND NEW.reason <> ''", "withdrawal: no kind, day or reason"),
    ("correction", "NEW.old <> NEW.new AND NEW.reason <> ''", "correction: nothing corrected or no reason"),
    ("job", "NEW.state IN ('queued','running','done','failed')", "job: unknown state"),
)
#: (name, table, columns, where)
UNIQUE = (
    ("one_open_change", "account_change", "account, kind", "state = 'proposed'"),
    ("one_load_part", "load_part", "load, n", ""),
    ("one_load_merging", "load", "what", "state = 'merging'"),
    ("one_load_staging", "load", "what, organisation", "state = 'staging'"),
    ("one_item_version", "item", "code, version", ""),
    ("one_form_version", "check_form", "code, version", ""),
    ("one_sheet_version", "sheet_version", "kind, code, version", ""),
    ("one_plan_version", "plan", "organisation, year, version", ""),
    ("one_plan_row", "plan_row", "plan, row", ""),
    ("one_plan_draft", "plan_draft", "organisation, year", ""),
    ("one_pool_number", "pool", "task, number", ""),
    ("one_pool_block", "pool_block", "pool, n", ""),
    ("one_exclusion", "exclusion", "pool, code", ""),
    ("one_task_a_round", "round_task", "round, task", ""),
    ("one_live_round_a_task", "round_task", "task", "live"),
    ("one_source", "source", "round, n", ""),
    ("one_share", "share", "round, n", ""),
    ("one_holder", "share", "round, holder", ""),
    ("one_pick", "pick", "round, task, code, kind", ""),
    ("one_rank", "pick", "round, task, stratum, rank, kind", ""),
    ("one_open_visit", "visit", "holder, site, part", "state = 'open'"),
    ("one_visit_task", "visit_task", "visit, task, organisation", ""),
    ("one_closing", "closing", "visit, task", ""),
    ("one_run", "matching", "round, n", ""),
    ("one_slot", "assignment", "run, visit, slot", ""),
    ("one_record", "record", "visit, form_code", ""),
    ("one_record_version", "record_version", "record, n", ""),
    ("one_paper_copy", "paper_copy", "visit, form_code, attachment", ""),
    ("one_remark", "remark", "record, n, point", ""),
    ("one_follow_up_event", "follow_up_event", "follow_up, n", ""),
    ("one_finding", "finding", "visit, item_code, object", ""),
    ("one_document_number", "document", "organisation, kind, year, n", ""),
    ("one_live_document", "document", "organisation, kind, subject", "state = 'issued'"),
    ("one_publication", "publication", "kind, key, version", ""),
    ("one_profile_version", "profile", "organisation, version", ""),
    ("one_base_a_year", "year_base", "organisation, year", ""),
    ("one_base_entity", "base_entity", "base, code", ""),
    ("one_measure", "plan_measure", "plan, n, row, region, type", ""),
    ("one_dismissal", "dismissal", "round, task, code, item_code", ""),
    ("one_station_area", "station_area", "organisation, street", ""),
    ("one_live_publication", "publication", "kind, key", "state = 'live'"),
    ("one_alias", "heading_alias", "organisation, kind, wording", ""),
    ("one_accepted_code", "accepted_code", "organisation, code", ""),
    ("one_class_a_version", "entity_class", "version, code", ""),
    ("one_register_entry", "register_entry", "organisation, register, code, number", ""),
    ("one_external_row", "external_entry", "external, row", ""),
)
#: Look-ups that are not unique: (name, table, columns, where)
INDEXES = (
    ("by_tally", "entity", "organisation, town, type, status, code", ""),  # see tally.py
    ("by_org_code", "entity", "organisation, code", ""),
    ("by_holder", "entity", "holder, site", "kind <> 'entity'"),  # of millions of entries those few that another one holds
    ("by_record_state", "record", "state, organisation", ""),  # counted beside every page (waiting.py)
    ("by_follow_up_due", "follow_up", "state, due_on", ""),
    ("by_job_state", "job", "state, id", ""),
    ("by_visit_day", "visit", "organisation, state, day", ""),
    ("by_visit_place", "visit", "holder, site", ""),
    ("by_record_day", "record", "inspected_on", ""),
)


@dataclass(frozen=True, slots=True)
class Guard:
    """A trigger: before `event` on `table`, refuse with `message` when `refuse_when` holds."""

    table: str
    event: str  # INSERT | UPDATE | DELETE
    refuse_when: str
    message: str

    @property
    def name(self) -> str:
        return _name(self.table, self.event, self.refuse_when)


@cache  # asked for several times a guard whenever a database is opened
def _name(table: str, event: str, refuse_when: str) -> str:
    return f"g_{table}_{hashlib.sha256(repr((event, refuse_when)).encode()).hexdigest()[:10]}"


def guards() -> list[Guard]:
    """Every trigger, in a fixed order."""
    found: list[Guard] = []
    for table in INSERT_ONLY:
        found += [Guard(table, event, "1 = 1", f"{table}: rows are never changed or deleted") for event in ("UPDATE", "DELETE")]
    found += [Guard(table, "DELETE", "1 = 1", f"{table}: rows are never deleted") for table in KEPT]
    for table, columns in FROZEN_TEXT.items():
        for c in columns:
            found.append(Guard(table, "UPDATE", f'length(OLD."{c}") > 0 AND NEW."{c}" <> OLD."{c}"', f"{table}.{c} is fixed"))
    for table, columns in FROZEN_NULLABLE.items():
        for c in columns:
            found.append(
                Guard(table, "UPDATE", f'OLD."{c}" IS NOT NULL AND (NEW."{c}" IS NULL OR NEW."{c}" <> OLD."{c}")', f"{table}.{c} is fixed")
            )
    for table, moves in MOVES.items():
        allowed = " OR ".join(
            "(OLD.state = '{}' AND NEW.state = '{}')".format(*move.split()) for move in moves
        )
        found.append(Guard(table, "UPDATE", f"NEW.state <> OLD.state AND NOT ({allowed})", f"{table}: no such change of state"))
    for table, states in FIRST_STATE.items():
        listed = ", ".join(f"'{state}'" for state in states)
        found.append(Guard(table, "INSERT", f"NEW.state NOT IN ({listed})", f"{table}: cannot begin in this state"))
    for table, condition, message in CHECKS:
        found += [Guard(table, event, f"NOT ({condition})", message) for event in ("INSERT", "UPDATE")]
    return found


def statements(engine_type: str) -> list[str]:
    """SQL that installs all rules on an engine ('sqlite' or 'postgres'), replacing earlier ones."""
    sql: list[str] = []
    for name, table, columns, where in UNIQUE:
        quoted = ", ".join(f'"{c}"' for c in columns.split(", "))
        sql.append(f'CREATE UNIQUE INDEX IF NOT EXISTS {name} ON "{table}" ({quoted})' + (f" WHERE {where}" if where else ""))
    for name, table, columns, where in INDEXES:
        quoted = ", ".join(f'"{c}"' for c in columns.split(", "))
        sql.append(f'CREATE INDEX IF NOT EXISTS {name} ON "{table}" ({quoted})' + (f" WHERE {where}" if where else ""))
    for guard in guards():
        if engine_type == "sqlite":
            sql.append(f"DROP TRIGGER IF EXISTS {guard.name}")
            sql.append(
                f'CREATE TRIGGER {guard.name} BEFORE {guard.event} ON "{guard.table}" FOR EACH ROW '
                f"WHEN {guard.refuse_when} BEGIN SELECT RAISE(ABORT, '{guard.message}'); END"
            )
        else:
            row = "OLD" if guard.event == "DELETE" else "NEW"
            sql.append(
                f"CREATE OR REPLACE FUNCTION f_{guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {guard.refuse_when} THEN RAISE EXCEPTION '{guard.message}' USING ERRCODE = 'check_violation'; END IF; "
                f"RETURN {row}; END $$"
            )
            sql.append(f'DROP TRIGGER IF EXISTS {guard.name} ON "{guard.table}"')
            sql.append(
                f'CREATE TRIGGER {guard.name} BEFORE {guard.event} ON "{guard.table}" '
                f"FOR EACH ROW EXECUTE FUNCTION f_{guard.name}()"
            )
    if engine_type != "sqlite":
        sql.append(
            "CREATE OR REPLACE FUNCTION f_no_truncate() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'rows are never deleted' USING ERRCODE = 'check_violation'; END $$"
        )
        for table in INSERT_ONLY + KEPT:
            sql.append(f'DROP TRIGGER IF EXISTS g_{table}_truncate ON "{table}"')
            sql.append(
                f'CREATE TRIGGER g_{table}_truncate BEFORE TRUNCATE ON "{table}" '
                "FOR EACH STATEMENT EXECUTE FUNCTION f_no_truncate()"
            )
    return [*sql, *tally.statements(engine_type), *name_index.statements(engine_type)]


@cache
def digest() -> str:
    """Changes whenever a rule does; stored after installing, compared at start."""
    return hashlib.sha256("\n".join(statements("sqlite") + statements("postgres")).encode()).hexdigest()

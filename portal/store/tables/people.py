"""Organisations, inspectors, accounts, sessions, recusals."""

from __future__ import annotations

from piccolo.columns import BigInt, Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text


class Organisation(Table, tablename="organisation"):
    """A bureau, its stations and departments, and partners; organisations form a forest.

    A partner is another department (教育局) that checks with its own people; it stands below the bureau it works with.
    """

    code = Text(unique=True)
    name = text()
    kind = text("bureau")  # bureau | station | department | partner
    parent = ref("self", null=True)
    region = text()


class Inspector(Table, tablename="inspector"):
    """执法检查人员名录库: who can be drawn. ID and phone numbers are never stored."""

    code = Text(unique=True)  # <region>-<own number>, the id used in assignments
    number = text()
    name = text()
    organisation = ref(Organisation)
    town = text()
    level = text()
    duty = text()
    department = text()
    qualifications = json("[]")
    specialities = json("[]")
    items = json("[]")
    expert = Boolean(default=False)
    lead = Boolean(default=False)
    certificate_no = text()
    certificate_until = on()
    issued_by = text()
    status = text()


class Account(Table, tablename="account"):
    login = Text(unique=True)
    name = text()
    password = text()  # argon2id; empty: cannot log in
    organisation = ref(Organisation)
    roles = json("[]")
    inspector = ref(Inspector, null=True)
    active = Boolean(default=True)
    must_change = Boolean(default=True)
    created_at = at()
    version = Integer(default=1)  # grows with every edit: of two edits at once the later one is told
    password_at = at()  # null: older than this column
    secret = Bytea(default=b"")  # of the second factor, sealed under keys/portal.key; empty: none enrolled
    last_code = BigInt(default=0)  # time step of the last code used: none is used twice


class AccountChange(Table, tablename="account_change"):
    """What a system administrator proposed and a security administrator decides."""

    account = ref(Account)
    kind = text()  # create | enable | password | factor
    data = json()
    reason = text()
    state = text("proposed")  # proposed | approved | refused
    proposed_by = ref(Account)
    proposed_at = at()
    decided_by = ref(Account, null=True)
    decided_at = at()
    answer = text()


class RecoveryCode(Table, tablename="recovery_code"):
    """Stands in for the second factor once; gone when used or made anew."""

    account = ref(Account)
    digest = text()


class DoneForm(Table, tablename="done_form"):
    """A form that was acted on, written in the act's own transaction: the same form sent again acts no more."""

    digest = Text(unique=True)  # of session, address, the form's key and all it said
    request = text()
    location = text()  # where the first answer led
    at = Timestamptz(null=True, default=None, index=True)


class WebSession(Table, tablename="web_session"):
    digest = Text(unique=True)  # SHA-256 of the cookie's value: a stolen table opens no session
    account = ref(Account)
    csrf = text()
    stage = text()  # empty: signed in; code: the second factor is asked for; enrol: it must be set up first
    address = text()
    device = text()
    note = text()  # sealed: shown by the next page, once
    created_at = at()
    seen_at = at()
    expires_at = at()


class Recusal(Table, tablename="recusal"):
    inspector = ref(Inspector)
    entity_code = Text(index=True)
    reason = text()
    since = on()
    until = on()
    entered_by = ref(Account)
    entered_at = at()

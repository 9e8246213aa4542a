"""Organisations, inspectors, accounts, sessions, recusals."""

from __future__ import annotations

from piccolo.columns import Boolean, ForeignKey, OnDelete, OnUpdate, Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text


class Organisation(Table, tablename="organisation"):
    """A bureau, its stations and departments, and partners; organisations form a forest.

    A partner is another department (教育局) that checks with its own people; it stands below the bureau it works with.
    """

    code = Text(unique=True)
    name = text()
    kind = text("bureau")  # bureau | station | department | partner
    parent = ForeignKey("self", null=True, index=True, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict)
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


class WebSession(Table, tablename="web_session"):
    digest = Text(unique=True)  # SHA-256 of the cookie's value: a stolen table opens no session
    account = ref(Account)
    csrf = text()
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

"""Files that were imported, headings a bureau has pointed out, and what comes from files only: classes, registers, outside lists."""

from __future__ import annotations

from piccolo.columns import Boolean, Bytea, Integer, Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text
from portal.store.tables.people import Account, Organisation
from portal.store.tables.plan import Task


class Upload(Table, tablename="upload"):
    """A file somebody gave us: previewed, then applied once or dropped."""

    organisation = ref(Organisation)
    kind = text()
    name = text()  # as the file was called
    digest = text()  # SHA-256 of its bytes
    data = Bytea(default=b"")  # the sheet without private columns; empty once nobody needs it
    options = json()  # what was said beside the file
    mapping = json()  # plain heading -> field, for this file
    preview = json()
    state = text("previewed")  # previewed | queued | applied | dropped
    good_rows = Boolean(default=False)  # applied without the rows that had errors
    report = json()  # label -> count, once applied
    note = text()  # why a queued one came back
    job = Integer(default=0)
    uploaded_by = ref(Account)
    uploaded_at = at()
    settled_by = ref(Account, null=True)
    settled_at = at()


class HeadingAlias(Table, tablename="heading_alias"):
    """A heading this bureau's files use, pointed out once and remembered."""

    organisation = ref(Organisation)
    kind = text()
    wording = text()  # as cells.plain_heading spells it
    field = text()  # "-": not imported
    by = ref(Account)
    at = at()


class AcceptedCode(Table, tablename="accepted_code"):
    """A code whose check fails and which a person has compared with the licence: no warning any more."""

    organisation = ref(Organisation)
    code = text()
    reason = text()
    by = ref(Account)
    at = at()


class ClassVersion(Table, tablename="class_version"):
    """One handing-down of 信用风险分类结果."""

    organisation = ref(Organisation)
    classed_on = on()
    scale = text("credit")  # credit, or a sector's own (a code of the profile's scales)
    version = text()
    count = Integer(default=0)
    file_digest = text()
    imported_by = ref(Account)
    imported_at = at()


class EntityClass(Table, tablename="entity_class"):
    """The class of one code in one version; the directory shows the latest. Internal: never leaves the portal."""

    version = ref(ClassVersion)
    code = Text(index=True)
    risk_class = text()


class ClassAdjustment(Table, tablename="class_adjustment"):
    """A class set by hand (动态调整) beside what was imported; `risk_class` empty: taken back. Internal: never leaves the portal."""

    organisation = ref(Organisation)
    code = Text(index=True)
    scale = text()
    risk_class = text()
    reason = text()
    since = on()
    until = on()
    entered_by = ref(Account)
    entered_at = at()


class RegisterEntry(Table, tablename="register_entry"):
    """One row of a special register (专项库); joined into `licences` and `attributes` of the directory entry."""

    organisation = ref(Organisation)
    register = text()
    code = Text(index=True)
    number = text()
    data = json()  # licence, tags, columns
    imported_by = ref(Account)
    imported_at = at()


class ExternalList(Table, tablename="external_list"):
    """A list drawn elsewhere (外部抽取): worked like our own, never shown as verified."""

    organisation = ref(Organisation)
    task = ref(Task, null=True)
    title = text()
    platform = text()
    drawn_on = on()
    size = Integer(default=0)
    matched = Integer(default=0)
    file_digest = text()
    imported_by = ref(Account)
    imported_at = at()


class ExternalEntry(Table, tablename="external_entry"):
    """One line of such a list; `matched`: its code is in the bureau's directory."""

    external = ref(ExternalList)
    row = Integer()
    code = Text(index=True)
    name = text()
    matched = Boolean(default=False)
    data = json()

"""Publications, the log, releases, the audit, jobs, settings."""

from __future__ import annotations

from piccolo.columns import BigInt, Boolean, Bytea, Integer, Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text
from portal.store.tables.people import Account, Organisation


class Publication(Table, tablename="publication"):
    """One published version of one thing; never changed, only superseded or withdrawn."""

    organisation = ref(Organisation)
    kind = text()  # item | plan | result
    key = Text(index=True)
    version = Integer(default=1)
    data = json()
    salt = text()
    digest = text()
    log_index = BigInt(null=True, default=None)
    state = text("live")  # live | superseded | withdrawn
    published_by = ref(Account)
    published_at = at()


class Withdrawal(Table, tablename="withdrawal"):
    """A publication is not shown any more from a day on; never changed, a later row for the key counts instead."""

    organisation = ref(Organisation)
    key = Text(index=True)  # of the publication, a result's
    entity_code = text()
    kind = text()  # withdraw: at once, with its records | limit: when the law's time of publication is over
    since = on()
    reason = text()  # stays inside
    last_index = BigInt(default=0)  # log entry of the last version when this was entered
    salt = text()
    digest = text()
    log_index = BigInt(default=0)
    entered_by = ref(Account)
    entered_at = at()


class Correction(Table, tablename="correction"):
    """A word of a publication was wrong; `publication` is the version that says it right."""

    organisation = ref(Organisation)
    key = Text(index=True)
    entity_code = text()
    publication = ref(Publication)
    item = text()  # code of the check item, empty for the result as a whole
    field = text()
    old = text()
    new = text()
    reason = text()  # stays inside
    shown = Boolean(default=False)  # the public notice shows the old beside the new
    last_index = BigInt(default=0)  # log entry of the version that was wrong
    salt = text()
    digest = text()
    log_index = BigInt(default=0)
    entered_by = ref(Account)
    entered_at = at()


class LogEntry(Table, tablename="log_entry"):
    """The transparency log: salted hashes only, never text."""

    n = BigInt(unique=True)
    kind = text()
    key = Text(index=True)
    data = Bytea()
    leaf = text()
    at = at()


class Checkpoint(Table, tablename="checkpoint"):
    size = BigInt(unique=True)
    root = text()
    note = text()
    at = at()


class Release(Table, tablename="release"):
    code = Text(unique=True)
    manifest_digest = text()
    bundle_digest = text()
    log_size = BigInt(default=0)
    pages = Integer(default=0)
    pdfs = Integer(default=0)
    made_by = ref(Account)
    made_at = at()


class Audit(Table, tablename="audit"):
    """Every act, hash-chained; written in the act's own transaction."""

    n = BigInt(unique=True)
    at = text()
    actor = text()
    organisation = text()
    address = text()
    act = Text(index=True)
    object = Text(index=True)
    before = text()
    after = text()
    detail = json()
    previous = text()
    digest = text()


class Job(Table, tablename="job"):
    kind = text()
    key = Text(index=True)
    args = json()
    state = text("queued")  # queued | running | done | failed
    progress = Integer(default=0)
    total = Integer(default=0)
    note = text()
    attempts = Integer(default=0)
    lease_until = at()
    created_by = ref(Account)
    created_at = at()
    finished_at = at()


class Setting(Table, tablename="setting"):
    key = Text(unique=True)
    value = text()

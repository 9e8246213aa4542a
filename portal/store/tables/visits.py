"""Visits, assignments, records, findings, follow-ups."""

from __future__ import annotations

from piccolo.columns import Bytea, ForeignKey, Integer, OnDelete, OnUpdate, Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text
from portal.store.tables.draw import Round
from portal.store.tables.people import Account, Inspector, Organisation
from portal.store.tables.plan import Task


class Visit(Table, tablename="visit"):
    """One visit to one (holder, site); at most one open visit for each, and beside it those split off it, each with its part and reason."""

    code = Text(unique=True)
    round = ref(Round)
    organisation = ref(Organisation)
    entity_code = Text(index=True)
    holder = text()
    site = text()
    town = text()
    day = on()
    state = text("open")  # open | done | closed (every task of it is: see Closing)
    forms = json()  # form code -> version, frozen when the visit is made
    arrived_at = at()
    done_at = at()
    header = json()
    version = Integer(default=1)
    part = Integer(default=1)  # beyond 1: split off another visit there, for the reason below
    split_of = ref("self", null=True)
    split_reason = text()
    split_by = ref(Account, null=True)
    split_at = at()


class VisitTask(Table, tablename="visit_task"):
    visit = ref(Visit)
    task = ref(Task)
    organisation = ref(Organisation)


class Closing(Table, tablename="closing"):
    """A task that a visit no longer has: whom it was drawn for was struck from the register and replaced, or it has a visit of its own now."""

    round = ref(Round)
    visit = ref(Visit)
    task = ref(Task)
    status = text()  # the register's, or 分开
    reason = text()
    at = at()


class AssignmentRun(Table, tablename="matching"):
    round = ref(Round)
    n = Integer(default=1)
    slots = json()  # slots.json without K
    slots_digest = text()
    result = json()  # assigned.json
    made_by = ref(Account)
    made_at = at()


class Assignment(Table, tablename="assignment"):
    run = ref(AssignmentRun)
    visit = ref(Visit)
    slot = Integer()
    inspector = ref(Inspector, null=True)


class InspectionRecord(Table, tablename="record"):
    """What was found for one form on one visit, under one form version."""

    visit = ref(Visit)
    task = ref(Task)
    organisation = ref(Organisation)
    sector = text()
    form_code = text()
    form_version = text()
    answers = json()
    outcomes = json()  # item code -> outcome code
    method = text()
    opinion = text()
    inspected_on = on()
    state = text("draft")  # draft | submitted | returned | approved | published | withdrawn
    recorder = ref(Inspector, null=True)
    entered_by = ref(Account)
    submitted_at = at()
    reviewer = ref(Account, null=True)
    reviewed_at = at()
    comment = text()
    version = Integer(default=1)


class RecordVersion(Table, tablename="record_version"):
    record = ref(InspectionRecord)
    n = Integer()
    data = json()
    by = ref(Account)
    at = at()


class Remark(Table, tablename="remark"):
    """What a reviewer said when a record went back: of one point, or of the whole (point empty)."""

    record = ref(InspectionRecord)
    n = Integer()  # the record's version that was read
    point = text()
    note = text()
    by = ref(Account)
    at = at()


class Attachment(Table, tablename="attachment"):
    """A photo, file or signature of an answer; never changed, never public."""

    code = Text(unique=True)
    visit = ref(Visit)
    organisation = ref(Organisation)
    form_code = text()
    point = text()
    kind = text()  # photo | file | signature
    name = text()  # of the file that came, only shown
    media = text()
    original = text()  # SHA-256 of the bytes that came, hex
    taken = text()  # as the camera said, or empty
    size = Integer(default=0)
    data = Bytea(default=b"")
    saved_by = ref(Account)
    saved_at = at()


class VisitMove(Table, tablename="visit_move"):
    """An open visit was given another day, by whom and why; the last one is the visit's day."""

    visit = ref(Visit)
    day_from = on()
    day_to = on()
    reason = text()
    by = ref(Account)
    at = at()


class PaperCopy(Table, tablename="paper_copy"):
    """A scan of what was recorded on paper for one form of a visit, by whom and when it was brought in (纸质补录)."""

    visit = ref(Visit)
    form_code = text()
    attachment = ref(Attachment)
    inspected_on = on()  # as the paper says
    by = ref(Account)
    at = at()


class Finding(Table, tablename="finding"):
    """The approved outcome of one item on one visit: results split back."""

    record = ref(InspectionRecord)
    visit = ref(Visit)
    task = ref(Task)
    item_code = text()
    item_version = text()
    object = text()
    entity_code = Text(index=True)
    outcome = text()
    summary = text()
    inspected_on = on()


class FollowUp(Table, tablename="follow_up"):
    """A 后续处置 a review confirmed, or that came of another one (`parent`); where it stands (domain/follow_ups.py)."""

    record = ref(InspectionRecord)
    kind = text()
    note = text()
    due_on = on()
    state = text("open")  # open | issued | answered | closed
    confirmed_by = ref(Account)
    confirmed_at = at()
    closed_on = on()
    closed_by = ref(Account, null=True)
    closed_at = at()
    result = text()  # how it was settled
    parent = ForeignKey("self", null=True, index=True, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict)
    due_days = Integer(default=0)  # working days; 0: no deadline, or only its day is known
    counts_on = on()  # the day they count from; null: what they count from has not happened
    ending = text()  # of domain.follow_ups.ENDINGS, once closed


class FollowUpEvent(Table, tablename="follow_up_event"):
    """A step of a follow-up: who did what, on which day, and where it stood then."""

    follow_up = ref(FollowUp)
    n = Integer()
    act = text()  # of domain.follow_ups.ACTS
    note = text()
    state = text()
    due_on = on()  # as it was then
    on = on()  # no column after it can be made by `on()`
    by = ref(Account)
    at = at()


class Document(Table, tablename="document"):
    """A numbered document of a visit, record or follow-up: printed again from `data`, the same bytes each time."""

    organisation = ref(Organisation)  # the bureau that issued it
    kind = text()  # domain.documents.KINDS
    number = Text(unique=True)  # 文号, as printed
    year = Integer()
    n = Integer()
    visit = ref(Visit)
    record = ref(InspectionRecord, null=True)
    follow_up = ref(FollowUp, null=True)
    subject = text()  # what it is about: one document in force for each
    data = json()  # all that is printed, but for pictures
    digest = text()  # SHA-256 of data, hex
    state = text("issued")  # issued | voided
    issued_by = ref(Account)
    issued_at = at()
    void_reason = text()
    voided_by = ref(Account, null=True)  # never who issued it
    voided_at = at()

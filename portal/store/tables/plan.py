"""Items and forms by version, plans, their rows, tasks and riders."""

from __future__ import annotations

from piccolo.columns import Integer, Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text
from portal.store.tables.people import Account, Organisation


class Item(Table, tablename="item"):
    """One version of a check item as its sector declared it."""

    code = Text(index=True)
    version = text()
    sector = text()
    data = json()
    digest = text()
    seen_at = at()


class CheckForm(Table, tablename="check_form"):
    """One version of an inspection form, kept for ever (尽职照单免责)."""

    code = Text(index=True)
    version = text()
    sector = text()
    data = json()
    digest = text()
    seen_at = at()


class SheetSector(Table, tablename="sheet_sector"):
    """A sector that is run from spreadsheets alone: no Python, no hooks but declared data."""

    code = Text(unique=True)
    name = text()
    department = text()
    organisation = ref(Organisation)  # whose it is: who may change it
    made_by = ref(Account)
    made_at = at()


class SheetVersion(Table, tablename="sheet_version"):
    """Which version of an item or form came from a spreadsheet; its data is in `item` or `check_form`."""

    sector = text()
    kind = text()  # item | form
    code = Text(index=True)
    version = text()
    rule = json()  # an item's pool rule (sheet_items.rule_data)
    name = text()  # as the file was called
    file_digest = text()
    imported_by = ref(Account)
    imported_at = at()


class Plan(Table, tablename="plan"):
    organisation = ref(Organisation)
    year = Integer()
    version = Integer(default=1)
    title = text()
    notes = json("[]")
    layout = json()  # plan_layout.layout_data; {} before layouts were kept
    file_digest = text()
    state = text("draft")  # draft | approved | published
    imported_by = ref(Account)
    imported_at = at()
    reason = text()  # why this version replaces the one before
    approved_by = ref(Account, null=True)  # never who imported it
    approved_at = at()


class PlanDraft(Table, tablename="plan_draft"):
    """The next version of a year's plan while it is being written; gone once it is one, or given up."""

    organisation = ref(Organisation)
    year = Integer()
    base = ref(Plan, null=True)  # the version it changes; none: a plan from nothing
    data = json()  # plan_draft.draft_data
    n = Integer(default=1)  # counts the changes
    started_by = ref(Account)  # the only one who changes it: nobody else's work is approved by its author
    started_at = at()
    changed_at = at()


class PlanRow(Table, tablename="plan_row"):
    """A row as it stood in the file, and what became of it."""

    plan = ref(Plan)
    row = Integer()
    state = text()  # task | rider | pending
    task_code = text()
    data = json()


class Task(Table, tablename="task"):
    """An inspection task: one pool, items of any sectors."""

    code = Text(unique=True)
    plan = ref(Plan)
    row = Integer()
    organisation = ref(Organisation)
    sector = text()
    name = text()
    item_code = text()
    item_version = text()
    objects = text()
    kind = text("general")
    ratio_text = text()
    ratio_ppm = Integer(null=True, default=None)
    fixed_count = Integer(null=True, default=None)
    class_ratios = json()
    window_from = on()
    window_to = on()
    department = text()
    drawn_by = text("here")  # here | superior | external | below
    owner = ref(Organisation, null=True)  # another department whose people check the item; null: the bureau's


class Rider(Table, tablename="rider"):
    """An item whose check joins the visits of a task drawn for another item."""

    task = ref(Task)
    row = Integer()
    item_code = text()
    item_version = text()
    owner = ref(Organisation, null=True)  # as of a task

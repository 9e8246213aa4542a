"""What the year's plan is held against: profile versions, the base, reasons and lists for caps, and what was not dispatched."""

from __future__ import annotations

from piccolo.columns import BigInt, Boolean, Integer, Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text
from portal.store.tables.draw import Round
from portal.store.tables.people import Account, Organisation
from portal.store.tables.plan import Plan, Task


class ProfileVersion(Table, tablename="profile"):
    """One version of a bureau's jurisdiction profile (canonical JSON); the newest holds."""

    organisation = ref(Organisation)
    version = Integer(default=1)
    data = text()
    digest = text()
    saved_by = ref(Account)
    saved_at = at()


class YearBase(Table, tablename="year_base"):
    """The register frozen for the end of `year`."""

    organisation = ref(Organisation)
    year = Integer()
    size = Integer()
    silent = Integer()  # of them without annual report
    digest = text()  # SHA-256 over the lines code TAB region TAB type TAB reported
    frozen_by = ref(Account)
    frozen_at = at()


class BaseEntity(Table, tablename="base_entity"):
    base = ref(YearBase)
    code = Text(index=True)
    region = text()
    type = text()
    reported = Boolean(default=True)


class PlanMeasure(Table, tablename="plan_measure"):
    """What a row of a plan meets in the directory: entries in its pool, entries it would draw; one measuring has one `n`."""

    plan = ref(Plan)
    n = Integer(default=1)
    row = Integer()
    region = text()
    type = text()
    pool = Integer(default=0)
    drawn = Integer(default=0)
    measured_at = at()


class Peace(Table, tablename="peace"):
    """无事不扰名单: nobody goes there without a reason on record."""

    organisation = ref(Organisation)
    holder = Text(index=True)
    sectors = json("[]")
    since = on()
    until = on()
    reason = text()
    entered_by = ref(Account)
    entered_at = at()


class Allowance(Table, tablename="allowance"):
    """A reason on record for which checks of an item at a holder may go beyond the caps."""

    organisation = ref(Organisation)
    holder = Text(index=True)
    item_code = text()  # empty: every item
    reason = text()  # a key of caps.REASONS
    note = text()
    since = on()
    until = on()
    entered_by = ref(Account)
    entered_at = at()


class Dismissal(Table, tablename="dismissal"):
    """A drawn entity that was not visited for a task, or a rider left off a visit, and the rule that forbade it."""

    round = ref(Round)
    task = ref(Task)
    code = Text(index=True)
    item_code = text()  # of a rider left off; empty: the whole pick
    rule = text()
    reason = text()
    at = at()


class Simulation(Table, tablename="simulation"):
    """A plan played through with throw-away seeds."""

    plan = ref(Plan)
    seed = BigInt()
    runs = Integer()
    result = json()
    made_by = ref(Account)
    made_at = at()

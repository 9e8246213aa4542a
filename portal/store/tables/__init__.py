"""Every table of the core.  Rules beyond column types are in invariants.py.

Text that is empty means "not yet" or "none"; nullable are only dates, instants
and references.  Structured values are canonical JSON in Text columns: neither
engine queries inside them.  Instants are aware (UTC in the database).
"""

from __future__ import annotations

from piccolo.table import Table

from portal.store.tables.directory import Entity, Load, LoadPart
from portal.store.tables.draw import Exclusion, Pick, Pool, PoolBlock, Round, RoundTask, Share, Source
from portal.store.tables.imports import (
    AcceptedCode, ClassAdjustment, ClassVersion, EntityClass, ExternalEntry, ExternalList, HeadingAlias, RegisterEntry, Upload,
)  # fmt: skip
from portal.store.tables.people import Account, AccountChange, DoneForm, Inspector, Organisation, RecoveryCode, Recusal, WebSession
from portal.store.tables.plan import CheckForm, Item, Plan, PlanDraft, PlanRow, Rider, SheetSector, SheetVersion, Task
from portal.store.tables.publish import Audit, Checkpoint, Correction, Job, LogEntry, Publication, Release, Setting, Withdrawal
from portal.store.tables.stations import Division, Placement, StationArea
from portal.store.tables.visits import (
    Assignment, AssignmentRun, Attachment, Closing, Document, Finding, FollowUp, FollowUpEvent, InspectionRecord, PaperCopy, RecordVersion, Remark, Visit, VisitMove, VisitTask,
)  # fmt: skip
from portal.store.tables.year import Allowance, BaseEntity, Dismissal, Peace, PlanMeasure, ProfileVersion, Simulation, YearBase

ALL: list[type[Table]] = [
    Organisation, Inspector, Account, AccountChange, RecoveryCode, DoneForm, WebSession, Recusal, Entity, Load, LoadPart, Item, CheckForm, SheetSector, SheetVersion, Plan, PlanDraft, PlanRow,
    Task, Rider, Pool, PoolBlock, Exclusion, Round, RoundTask, Source, Share, Pick, Visit, VisitTask,
    AssignmentRun, Assignment, Closing, InspectionRecord, RecordVersion, Remark, Attachment, PaperCopy, VisitMove, Finding, FollowUp, FollowUpEvent, Document,
    Publication, Withdrawal, Correction,
    LogEntry, Checkpoint, Release, Audit, Job, Setting,
    Upload, HeadingAlias, AcceptedCode, ClassVersion, EntityClass, ClassAdjustment, RegisterEntry, ExternalList, ExternalEntry,
    Division, StationArea, Placement,
    ProfileVersion, YearBase, BaseEntity, PlanMeasure, Peace, Allowance, Dismissal, Simulation,
]  # fmt: skip

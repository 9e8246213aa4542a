"""Grades as imported and as adjusted by hand: internal, never public."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from piccolo.columns.combination import And

from portal.domain.risk import Adjustment, Grading
from portal.store.accounts import within
from portal.store.directory import DRAWABLE
from portal.store.tables import ClassAdjustment, ClassVersion, Entity, EntityClass


async def is_repeated(values: Mapping[str, Any]) -> bool:
    """Whether the last adjustment of this code and scale says the same: a second click."""
    same = And(ClassAdjustment.organisation == values["organisation"], And(ClassAdjustment.code == values["code"], ClassAdjustment.scale == values["scale"]))
    last = await ClassAdjustment.select().where(same).order_by(ClassAdjustment.id, ascending=False).first().run()
    said = ("risk_class", "reason", "since", "until")
    return bool(last) and all(last[name] == values[name] for name in said)


async def save_adjustment(values: Mapping[str, Any]) -> None:
    await ClassAdjustment.insert(ClassAdjustment(**values)).run()


async def load_adjustments(organisation: int, scale: str, code: str = "") -> list[Adjustment]:
    """All ever made on a scale (of one entry: `code`), in the order in which they were entered."""
    where = And(ClassAdjustment.organisation == organisation, ClassAdjustment.scale == scale)
    if code:
        where = And(where, ClassAdjustment.code == code)
    rows = await ClassAdjustment.select().where(where).order_by(ClassAdjustment.id).run()
    return [_adjustment(row) for row in rows]


def _adjustment(row: Mapping[str, Any]) -> Adjustment:
    return Adjustment(row["code"], row["scale"], row["risk_class"], row["reason"], str(row["entered_by"]), row["since"], row["until"])


async def load_adjustment_history(organisation: int, code: str) -> list[dict[str, Any]]:
    """What was set by hand for a code, the latest first, with the name of who entered it."""
    where = And(ClassAdjustment.organisation == organisation, ClassAdjustment.code == code)
    columns = (ClassAdjustment.all_columns(), ClassAdjustment.entered_by.name)
    return await ClassAdjustment.select(*columns).where(where).order_by(ClassAdjustment.id, ascending=False).run()


async def load_gradings(organisation: int, scale: str) -> list[Grading]:
    """Every imported grade of a sector's own scale; of one day the later import has the greater version."""
    versions = await ClassVersion.select().where(And(ClassVersion.organisation == organisation, ClassVersion.scale == scale)).run()
    known = {row["id"]: row for row in versions}
    rows = await EntityClass.select().where(EntityClass.version.is_in(sorted(known) or [-1])).run()
    return [Grading(row["code"], scale, row["risk_class"], f"{row['version']:012d}", known[row["version"]]["classed_on"]) for row in rows]


async def load_unclassed(seen: Collection[int], types: Sequence[str], some: int = 3) -> tuple[int, list[str]]:
    """How many entries on the register, of these types (none named: all), have no credit-risk class; some of them by code."""
    where: Any = And(within(Entity.organisation, seen), And(Entity.status == DRAWABLE, Entity.risk_class == ""))
    if types:
        where = And(where, Entity.type.is_in(list(types)))
    rows = await Entity.select(Entity.code).where(where).order_by(Entity.code).limit(some).run()
    return await Entity.count().where(where).run(), [row["code"] for row in rows]

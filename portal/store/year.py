"""The year: profile versions, bases, measured plans, lists and reasons for caps, and the history caps are counted in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from piccolo.columns.combination import And
from piccolo.query.functions.aggregate import Count

from portal.domain.packing import pack
from portal.store.accounts import within
from portal.store.bulk import insert_rows
from portal.store.draw import WORKED, without_struck
from portal.store.engine import read
from portal.store.tables import (
    Allowance,
    BaseEntity,
    Dismissal,
    Entity,
    Finding,
    Peace,
    Pick,
    PlanMeasure,
    ProfileVersion,
    Round,
    Simulation,
    VisitTask,
    YearBase,
)
from portal.store.visits import load_closed_links

# Profile ---------------------------------------------------------------------


async def save_profile(organisation: int, data: str, by: int, at: datetime) -> int:
    """The next version of a bureau's profile; its number."""
    version = await ProfileVersion.count().where(ProfileVersion.organisation == organisation).run() + 1
    digest = hashlib.sha256(data.encode()).hexdigest()
    await ProfileVersion.insert(
        ProfileVersion(organisation=organisation, version=version, data=data, digest=digest, saved_by=by, saved_at=at)
    ).run()
    return version


async def load_profile(seen: Collection[int]) -> dict[str, Any] | None:
    """The newest version a bureau holds, None where it has none yet."""
    rows = await read(f'SELECT * FROM "profile" WHERE organisation IN ({", ".join(map(str, sorted(seen) or [-1]))}) ORDER BY version DESC LIMIT 1')
    return rows[0] if rows else None


# Base ------------------------------------------------------------------------


async def load_register(seen: Collection[int], batch: int = 10_000):
    """Every directory entry in batches: code, holder, kind, type, status, region, registered_on, risk_class, town, station and JSON columns."""
    last = 0
    while True:
        rows = await Entity.select().where(And(within(Entity.organisation, seen), Entity.id > last)).order_by(Entity.id).limit(batch).run()
        if not rows:
            return
        last = rows[-1]["id"]
        yield rows


async def save_base(values: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> int:
    """A frozen base with its entities (code, region, type, reported)."""
    base = (await YearBase.insert(YearBase(**values)).run())[0]["id"]
    await insert_rows(BaseEntity, ({"base": base, **row} for row in rows))
    return base


async def load_base(seen: Collection[int], year: int) -> dict[str, Any] | None:
    """The base at the end of `year`, None where it is not frozen."""
    return await YearBase.select().where(And(within(YearBase.organisation, seen), YearBase.year == year)).first().run()


async def count_base(base: int) -> list[tuple[str, str, bool, int]]:
    """(region, type, reported, entities) of a base, counted by the database."""
    rows = await (
        BaseEntity.select(BaseEntity.region, BaseEntity.type, BaseEntity.reported, Count(BaseEntity.id))
        .where(BaseEntity.base == base)
        .group_by(BaseEntity.region, BaseEntity.type, BaseEntity.reported)
        .run()
    )
    return sorted((row["region"], row["type"], bool(row["reported"]), row["count"]) for row in rows)


async def load_standing(base: int, codes: Collection[str]) -> dict[str, tuple[str, str]]:
    """code -> (region, type) of those who stand in a base."""
    found: dict[str, tuple[str, str]] = {}
    wanted = sorted(codes)
    for start in range(0, len(wanted), 500):
        where = And(BaseEntity.base == base, BaseEntity.code.is_in(wanted[start : start + 500]))
        rows = await BaseEntity.select(BaseEntity.code, BaseEntity.region, BaseEntity.type).where(where).run()
        found |= {row["code"]: (row["region"], row["type"]) for row in rows}
    return found


# Measured plans --------------------------------------------------------------


async def save_measures(plan: int, rows: Sequence[Mapping[str, Any]], at: datetime) -> int:
    """What one measuring of a plan found; its number."""
    latest = await PlanMeasure.select(PlanMeasure.n).where(PlanMeasure.plan == plan).order_by(PlanMeasure.n, ascending=False).first().run()
    n = latest["n"] + 1 if latest else 1
    await insert_rows(PlanMeasure, [{"plan": plan, "n": n, "measured_at": at, **row} for row in rows])
    return n


async def load_measures(plan: int) -> list[dict[str, Any]]:
    """The newest measuring of a plan, empty where it was never measured."""
    rows = await PlanMeasure.select().where(PlanMeasure.plan == plan).order_by(PlanMeasure.n, PlanMeasure.row).run()
    return [row for row in rows if row["n"] == rows[-1]["n"]]


# Caps ------------------------------------------------------------------------


async def save_peace(values: Mapping[str, Any]) -> bool:
    """Add an entry; False where the same one (all but who and when) is there already."""
    return await _save_once(Peace, values)


async def _save_once(table: type[Peace] | type[Allowance], values: Mapping[str, Any]) -> bool:
    # No unique index: `until` may be empty, and empty values are never equal to an index. The caller holds the bureau.
    said = {name: value for name, value in values.items() if name not in ("entered_by", "entered_at")}
    known = await table.select().where(table.holder == values["holder"]).run()
    if any(all(row[name] == value for name, value in said.items()) for row in known):
        return False
    await table.insert(table(**values)).run()
    return True


async def load_peace(on: date) -> list[dict[str, Any]]:
    """Entries of the 无事不扰 list in force on a day or later, of every bureau."""
    rows = await Peace.select().order_by(Peace.id).run()
    return [{**row, "sectors": json.loads(row["sectors"])} for row in rows if row["until"] is None or row["until"] >= on]


async def save_allowance(values: Mapping[str, Any]) -> bool:
    """Add a reason on record; False where the same one (all but who and when) is there already."""
    return await _save_once(Allowance, values)


async def load_allowances(holders: Collection[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    wanted = sorted(holders)
    for start in range(0, len(wanted), 500):
        found += await Allowance.select().where(Allowance.holder.is_in(wanted[start : start + 500])).order_by(Allowance.id).run()
    return found


async def save_dismissals(rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(Dismissal, rows)


async def load_dismissals(round_: int) -> list[dict[str, Any]]:
    return await Dismissal.select().where(Dismissal.round == round_).order_by(Dismissal.code, Dismissal.task).run()


async def load_left_out(tasks: Collection[int] | None = None) -> set[tuple[int, str, str]]:
    """(task, code, item) of what caps took off visits (of some tasks); item "" where a whole pick was not dispatched."""
    query = Dismissal.select(Dismissal.task, Dismissal.code, Dismissal.item_code)
    if tasks is not None:
        query = query.where(Dismissal.task.is_in(sorted(tasks) or [-1]))
    rows = await query.run()
    return {(row["task"], row["code"], row["item_code"]) for row in rows}


async def load_visited(since: date, holder: str = "") -> list[dict[str, Any]]:
    """(visit code, holder, entity_code, day, task) of every visit on or after a day, whichever bureau made it; `day` is the day of
    its findings where it has some, else the planned one; `holder`: to that one only."""
    links = VisitTask.select(
        VisitTask.visit, VisitTask.visit.code, VisitTask.visit.holder, VisitTask.visit.entity_code, VisitTask.visit.day, VisitTask.task
    )
    rows = await (links.where(VisitTask.visit.holder == holder) if holder else links).run()
    closed = await load_closed_links()
    found_on = Finding.select(Finding.visit, Finding.inspected_on)
    findings = await (found_on.where(Finding.visit.is_in(sorted({row["visit"] for row in rows}) or [-1])) if holder else found_on).run()
    done: dict[int, date] = {}
    for row in findings:
        done[row["visit"]] = min(row["inspected_on"], done.get(row["visit"], row["inspected_on"]))
    once = {(row["visit"], row["task"]): row for row in rows}  # a joint task has a line for each organisation
    found = [
        {
            "visit": row["visit.code"], "holder": row["visit.holder"], "entity_code": row["visit.entity_code"], "task": row["task"],
            "day": done.get(row["visit"], row["visit.day"]),
        }
        for key, row in once.items()
        if key not in closed
    ]  # fmt: skip
    return sorted((row for row in found if row["day"] and row["day"] >= since), key=lambda row: (row["visit"], row["task"]))


async def load_awaiting_dispatch() -> list[dict[str, Any]]:
    """(code, task, round, day) of picks of drawn rounds that no visit carries yet: they will be visited, so they count."""
    picks = without_struck(await Pick.select(Pick.code, Pick.task, Pick.round, Pick.kind).where(Pick.kind.is_in([*WORKED, "struck"])).run())
    carried = {row["task"] for row in await VisitTask.select(VisitTask.task).run()}
    rounds = {row["id"]: row["window_from"] for row in await Round.select(Round.id, Round.window_from).run()}
    return [
        {"code": row["code"], "task": row["task"], "round": row["round"], "day": rounds[row["round"]]}
        for row in picks
        if row["task"] not in carried
    ]


# Simulations -----------------------------------------------------------------


async def save_simulation(values: Mapping[str, Any], result: Mapping[str, Any]) -> int:
    return (await Simulation.insert(Simulation(**values, result=pack(result))).run())[0]["id"]


async def load_simulations(plan: int) -> list[dict[str, Any]]:
    rows = await Simulation.select().where(Simulation.plan == plan).order_by(Simulation.id).run()
    return [{**row, "result": json.loads(row["result"])} for row in rows]

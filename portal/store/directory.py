"""The directories: entities, inspectors, recusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from piccolo.columns.combination import And, Where, WhereRaw

from portal.domain.directory import EntityRow, InspectorRow
from portal.domain.model import Candidate, PoolRule
from portal.domain.packing import pack
from portal.domain.scope import meets
from portal.store.accounts import within
from portal.store.bulk import upsert_rows
from portal.store.name_index import index_names
from portal.store.tables import Entity, Finding, Inspector, Pick, Recusal, VisitTask
from portal.store.tally import load_tally
from portal.store.visits import load_closed_links

#: never in any pool (DRAW.md section 1: what the law takes out of the base)
DRAWABLE = "存续"


def _text(value: object) -> str:
    return pack(value)


def entity_values(row: EntityRow, organisation: int, at: datetime) -> dict[str, Any]:
    """A directory row as the table stores it."""
    return {
        "code": row.code, "kind": row.kind, "holder": row.holder or row.code, "site": row.site, "name": row.name,
        "old_names": _text(list(row.old_names)), "type": row.type, "status": row.status, "region": row.region,
        "organisation": organisation, "town": row.town, "address": row.address,
        "industries": _text(list(row.industries)), "scope": row.scope, "registered_on": row.registered_on,
        "risk_class": row.risk_class, "tags": _text(list(row.tags)),
        "licences": _text([dict(licence) for licence in row.licences]),
        "attributes": _text(dict(row.attributes)), "imported_at": at,
    }  # fmt: skip


async def save_entities(rows: Iterable[Mapping[str, Any]], keep: Collection[str] = frozenset()) -> int:
    """Insert or replace by code, in batches; the caller's transaction makes a file all or nothing.

    `keep`: columns of entries already there that the file says nothing about.
    """
    saved = await upsert_rows(Entity, rows, key="code", keep=keep)
    while await index_names():
        pass
    return saved


async def has_entities() -> bool:
    """Whether the directory of any bureau in this database has an entry."""
    return await Entity.exists().run()


async def missing_of(seen: Collection[int]) -> tuple[bool, bool]:
    """Whether these organisations have (no entry in the directory, nobody on the roster)."""
    return (
        not await Entity.exists().where(within(Entity.organisation, seen)).run(),
        not await Inspector.exists().where(within(Inspector.organisation, seen)).run(),
    )  # fmt: skip


async def load_owners(codes: Sequence[str]) -> dict[str, int]:
    """code -> organisation of entries already in the directory (of any bureau)."""
    found: dict[str, int] = {}
    for start in range(0, len(codes), 1_000):  # putting a query together holds up everybody else
        part = list(codes[start : start + 1_000])
        rows = await Entity.select(Entity.code, Entity.organisation).where(Entity.code.is_in(part)).run()
        found |= {row["code"]: row["organisation"] for row in rows}
    return found


async def load_last_id() -> int:
    """The number of the newest entry of any bureau, 0 where there is none. With "directory" held none below it is still to come."""
    row = await Entity.select(Entity.id).order_by(Entity.id, ascending=False).first().run()
    return row["id"] if row else 0


async def iter_foreign(after: int, own: Collection[int]) -> AsyncIterator[list[str]]:
    """Codes of entries newer than number `after` that belong to organisations other than `own`, some thousand at a time."""
    while True:
        new = And(Entity.id > after, Entity.organisation.not_in(sorted(own)))
        rows = await Entity.select(Entity.id, Entity.code).where(new).order_by(Entity.id).limit(10_000).run()
        if not rows:
            return
        after = rows[-1]["id"]
        yield [row["code"] for row in rows]


async def count_entities(seen: Collection[int], status: str = "") -> int:
    return sum((await load_tally(seen, where={"status": status} if status else None)).values())


async def load_entity(code: str, seen: Collection[int]) -> dict[str, Any] | None:
    return await Entity.select().where(And(Entity.code == code, within(Entity.organisation, seen))).first().run()


async def load_entities(codes: Collection[str]) -> dict[str, dict[str, Any]]:
    """Entries by code, whatever bureau: for visits and publication, whose codes came from our own pools."""
    found: dict[str, dict[str, Any]] = {}
    wanted = sorted(codes)
    for start in range(0, len(wanted), 500):
        rows = await Entity.select().where(Entity.code.is_in(wanted[start : start + 500])).run()
        found |= {row["code"]: row for row in rows}
    return found


# What a task is drawn from ----------------------------------------------------


def _rule_where(rule: PoolRule, seen: Collection[int], types: Sequence[str]) -> Where | And:
    """A PoolRule as SQL. Industries and tags are lists in JSON: those are narrowed in `load_candidates`."""
    where: Where | And = And(within(Entity.organisation, seen), Entity.status == DRAWABLE)
    if rule.kinds:
        where = And(where, Entity.kind.is_in(list(rule.kinds)))
    for wanted in (rule.types, types):
        if wanted:
            where = And(where, Entity.type.is_in(list(wanted)))
    return where


def fits(row: Mapping[str, Any], rule: PoolRule) -> bool:
    """Whether a row meets the rule's industries, scope, tags and registers (kinds, types and status are SQL's)."""
    return meets(
        rule, json.loads(row["industries"]), row["scope"], json.loads(row["tags"]),
        json.loads(row["attributes"]) if rule.registers else (),
    )  # fmt: skip


async def count_not_drawable(rule: PoolRule, seen: Collection[int], types: Sequence[str]) -> dict[str, int]:
    """Entries of the rule's kinds and types that the law takes out of the base, by register status."""
    from piccolo.query.functions.aggregate import Count

    where: Where | And = And(within(Entity.organisation, seen), Entity.status != DRAWABLE)
    if rule.kinds:
        where = And(where, Entity.kind.is_in(list(rule.kinds)))
    for wanted in (rule.types, types):
        if wanted:
            where = And(where, Entity.type.is_in(list(wanted)))
    rows = await Entity.select(Entity.status, Count(Entity.id)).where(where).group_by(Entity.status).run()
    return {row["status"]: row["count"] for row in rows}


async def load_candidates(
    rule: PoolRule,
    seen: Collection[int],
    types: Sequence[str],
    stations: Mapping[int, str],
    inspected: Mapping[str, Mapping[str, date]],
    batch: int = 10_000,
) -> AsyncIterator[list[tuple[Candidate, str, str]]]:
    """Batches of (candidate, risk class, town) that a rule selects; keyset-paged by id, flat in memory.

    `stations`: organisation id -> code; `inspected`: entity code -> {item: last day}.
    """
    last = 0
    while True:
        rows = (
            await Entity.select()
            .where(And(_rule_where(rule, seen, types), Entity.id > last))
            .order_by(Entity.id)
            .limit(batch)
            .run()
        )
        if not rows:
            return
        last = rows[-1]["id"]
        yield [(_candidate(row, stations, inspected), row["risk_class"], row["town"]) for row in rows if fits(row, rule)]


def _candidate(
    row: Mapping[str, Any], stations: Mapping[int, str], inspected: Mapping[str, Mapping[str, date]]
) -> Candidate:
    return Candidate(
        code=row["code"], kind=row["kind"], holder=row["holder"], name=row["name"], type=row["type"],
        industries=tuple(json.loads(row["industries"])), scope=row["scope"], station=stations.get(row["organisation"], ""),
        tags=tuple(json.loads(row["tags"])), licences=tuple(json.loads(row["licences"])),
        attributes=json.loads(row["attributes"]), last_inspected=inspected.get(row["code"], {}),
    )  # fmt: skip


async def load_inspected(items: Collection[str], since: date) -> dict[str, dict[str, date]]:
    """code -> {item: last day it was checked there}, for these items, on or after `since`."""
    rows = await Finding.select(Finding.entity_code, Finding.item_code, Finding.inspected_on).where(
        And(Finding.item_code.is_in(sorted(items) or ["-"]), Finding.inspected_on >= since)
    ).run()
    found: dict[str, dict[str, date]] = {}
    for row in rows:
        days = found.setdefault(row["entity_code"], {})
        days[row["item_code"]] = max(row["inspected_on"], days.get(row["item_code"], row["inspected_on"]))
    return found


#: Written out, so that the index of held entries serves.
_HELD = WhereRaw("\"entity\".\"kind\" <> 'entity'")


async def load_companions(codes: Collection[str]) -> dict[str, list[str]]:
    """Of these codes those of objects -> the other objects that the same tasks of the same rounds drew at the same place.

    One visit checks all of them; it is known by one of their codes.
    """
    companions: dict[str, list[str]] = {}
    for code, row in (await load_entities(codes)).items():
        if row["kind"] != "object":
            continue
        near = And(And(And(Entity.holder == row["holder"], Entity.site == row["site"]), _HELD), And(Entity.kind == "object", Entity.code != code))
        others = [one["code"] for one in await Entity.select(Entity.code).where(near).run()]
        picks = await Pick.select(Pick.code, Pick.round, Pick.task).where(Pick.code.is_in([code, *others])).run() if others else []
        mine = {(pick["round"], pick["task"]) for pick in picks if pick["code"] == code}
        companions[code] = sorted({pick["code"] for pick in picks if pick["code"] != code and (pick["round"], pick["task"]) in mine})
    return companions


async def load_holding(holders: Collection[str]) -> set[str]:
    """Those of the holders that hold a site or an object."""
    found: set[str] = set()
    ordered = sorted(holders)
    for start in range(0, len(ordered), 500):
        held = And(Entity.holder.is_in(ordered[start : start + 500]), _HELD)
        found |= {row["holder"] for row in await Entity.select(Entity.holder).where(held).run()}
    return found


async def load_drawn_at(holder: str, site: str, tasks: Collection[int]) -> dict[str, str]:
    """code -> name of the sites and objects of one place that these tasks drew, by code."""
    place = And(And(Entity.holder == holder, Entity.site == site), _HELD)
    names = {row["code"]: row["name"] for row in await Entity.select(Entity.code, Entity.name).where(place).run()}
    picked = And(Pick.code.is_in(sorted(names) or ["-"]), Pick.task.is_in(sorted(tasks) or [-1]))
    rows = await Pick.select(Pick.code).where(picked).run() if names else []
    return {code: names[code] for code in sorted({row["code"] for row in rows}, key=str.encode)}


async def load_awaiting(task_items: Collection[str], items_of_task: Mapping[int, Collection[str]]) -> set[str]:
    """Codes with an open visit that will check one of `task_items` already."""
    tasks = [task for task, items in items_of_task.items() if set(items) & set(task_items)]
    rows = await VisitTask.select(VisitTask.visit, VisitTask.task, VisitTask.visit.entity_code).where(
        And(VisitTask.task.is_in(tasks or [-1]), VisitTask.visit.state == "open")
    ).run()
    closed = await load_closed_links()
    return {row["visit.entity_code"] for row in rows if (row["visit"], row["task"]) not in closed}


# Inspectors and recusals -----------------------------------------------------


def inspector_values(row: InspectorRow, region: str, organisation: int) -> dict[str, Any]:
    return {
        "code": row.code if row.code.startswith(f"{region}-") else f"{region}-{row.code}", "number": row.number,
        "name": row.name, "organisation": organisation, "town": row.town, "level": row.level, "duty": row.duty,
        "department": row.department, "qualifications": _text(list(row.qualifications)),
        "specialities": _text(list(row.specialities)), "items": _text(list(row.items)), "expert": row.expert,
        "lead": row.lead, "certificate_no": row.certificate_no, "certificate_until": row.certificate_until,
        "issued_by": row.issued_by, "status": row.status,
    }  # fmt: skip


async def save_inspectors(rows: Iterable[Mapping[str, Any]]) -> int:
    return await upsert_rows(Inspector, rows, key="code")


async def load_inspectors(seen: Collection[int]) -> list[dict[str, Any]]:
    return await Inspector.select().where(within(Inspector.organisation, seen)).order_by(Inspector.code).run()


async def load_inspectors_by_id(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    rows = await Inspector.select().where(Inspector.id.is_in(sorted(ids) or [-1])).run()
    return {row["id"]: row for row in rows}


async def save_recusal(
    inspector: int, entity_code: str, reason: str, since: date, by: int, at: datetime, until: date | None = None
) -> None:
    await Recusal.insert(
        Recusal(inspector=inspector, entity_code=entity_code, reason=reason, since=since, until=until, entered_by=by, entered_at=at)
    ).run()


async def load_recusals(inspectors: Collection[int], on: date) -> set[tuple[int, str]]:
    """(inspector id, entity code) pairs in force on a day."""
    rows = await Recusal.select().where(Recusal.inspector.is_in(sorted(inspectors) or [-1])).run()
    return {
        (row["inspector"], row["entity_code"])
        for row in rows
        if (row["since"] is None or row["since"] <= on) and (row["until"] is None or on <= row["until"])
    }


async def load_recusals_of(inspector: int) -> list[dict[str, Any]]:
    """All recusals of a person that were ever entered, the newest first; `by_name`: who entered it."""
    rows = await Recusal.select(Recusal.all_columns(), Recusal.entered_by.name).where(Recusal.inspector == inspector).order_by(Recusal.id, ascending=False).run()
    return [{**row, "by_name": row["entered_by.name"]} for row in rows]

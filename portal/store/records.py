"""Records, their versions, findings and follow-ups."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from piccolo.columns.combination import And

from portal.domain.errors import NotFound, WrongMoment
from portal.domain.packing import pack
from portal.store.accounts import within
from portal.store.locks import hold
from portal.store.tables import Finding, FollowUp, InspectionRecord, Publication, RecordVersion, Remark, Visit
from portal.store.visits import with_a_part


def _opened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "answers": json.loads(row["answers"]), "outcomes": json.loads(row["outcomes"])}


async def load_records_of(visits: Collection[int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    ids = sorted(visits)
    for start in range(0, len(ids), 500):
        rows = await InspectionRecord.select().where(InspectionRecord.visit.is_in(ids[start : start + 500])).run()
        found += [_opened(row) for row in rows]
    return sorted(found, key=lambda row: (row["visit"], row["form_code"]))


async def lock_records_of(visits: Collection[int]) -> list[dict[str, Any]]:
    """`load_records_of`, which are as they are until the transaction ends."""
    await hold("record", *(row["id"] for row in await load_records_of(visits)))
    return await load_records_of(visits)


async def load_record(record: int, seen: Collection[int]) -> dict[str, Any]:
    row = (
        await InspectionRecord.select()
        .where(And(InspectionRecord.id == record, within(InspectionRecord.organisation, seen)))
        .first()
        .run()
    )
    if not row:
        raise NotFound(f"没有编号为 {record} 的检查记录，或者不在您的辖区。")
    return _opened(row)


async def lock_record(record: int, seen: Collection[int]) -> dict[str, Any]:
    """`load_record`, which is as it is until the transaction ends."""
    await hold("record", (await load_record(record, seen))["id"])
    return await load_record(record, seen)


async def lock_records(seen: Collection[int], states: Sequence[str], round_: int) -> None:
    """Hold a round's records in these states, for an act that then goes through them page by page."""
    where = And(within(InspectionRecord.organisation, seen), InspectionRecord.state.is_in(list(states)))
    rows = await InspectionRecord.select(InspectionRecord.id).where(And(where, InspectionRecord.visit.round == round_)).run()
    await hold("record", *(row["id"] for row in rows))


async def load_record_page(
    seen: Collection[int], states: Sequence[str], *, after: int = 0, limit: int = 50, round_: int | None = None
) -> list[dict[str, Any]]:
    where = And(within(InspectionRecord.organisation, seen), InspectionRecord.state.is_in(list(states)))
    if after:
        where = And(where, InspectionRecord.id > after)
    if round_ is not None:
        where = And(where, InspectionRecord.visit.round == round_)
    rows = (
        await InspectionRecord.select(InspectionRecord.all_columns(), InspectionRecord.visit.code, InspectionRecord.visit.entity_code)
        .where(where)
        .order_by(InspectionRecord.id)
        .limit(limit)
        .run()
    )
    return [{**_opened(row), "visit_code": row["visit.code"], "entity_code": row["visit.entity_code"]} for row in rows]


async def count_records(seen: Collection[int], rounds: Sequence[int] | None = None) -> dict[str, int]:
    """Counts by state, of these rounds' visits where they are given."""
    from piccolo.query.functions.aggregate import Count

    where = within(InspectionRecord.organisation, seen)
    if rounds is not None:
        where = And(where, InspectionRecord.visit.round.is_in(list(rounds) or [-1]))
    rows = (
        await InspectionRecord.select(InspectionRecord.state, Count(InspectionRecord.id))
        .where(where)
        .group_by(InspectionRecord.state)
        .run()
    )
    return {row["state"]: row["count"] for row in rows}


async def save_record(
    values: Mapping[str, Any], *, record: int | None, version: int, by: int, at: datetime
) -> int:
    """Insert a record, or update one that still has `version`; each saved state is kept as a version.

    Raises WrongMoment when somebody else saved in between (optimistic locking).
    """
    packed = {**values, "answers": pack(values["answers"]), "outcomes": pack(values["outcomes"])}
    if record is None:
        record = (await InspectionRecord.insert(InspectionRecord(**packed, version=1)).run())[0]["id"]
        version = 1
    else:
        rows = (
            await InspectionRecord.update(**packed, version=version + 1)
            .where(And(InspectionRecord.id == record, InspectionRecord.version == version))
            .returning(InspectionRecord.id)
            .run()
        )
        if not rows:
            raise WrongMoment("这份记录刚刚被别人改动过，您填的内容没有保存。请刷新后对照再填。")
        version += 1
    kept = {name: value for name, value in values.items() if name in ("answers", "outcomes", "method", "opinion", "state")}
    await RecordVersion.insert(
        RecordVersion(record=record, n=version, data=pack(kept), by=by, at=at)
    ).run()
    return record


async def save_record_state(record: int, version: int, **values: Any) -> None:
    rows = (
        await InspectionRecord.update(**values, version=version + 1)
        .where(And(InspectionRecord.id == record, InspectionRecord.version == version))
        .returning(InspectionRecord.id)
        .run()
    )
    if not rows:
        raise WrongMoment("这份记录刚刚被别人改动过，请刷新后再看。")


async def load_versions(record: int) -> list[dict[str, Any]]:
    rows = (
        await RecordVersion.select(RecordVersion.all_columns(), RecordVersion.by.name)
        .where(RecordVersion.record == record)
        .order_by(RecordVersion.n)
        .run()
    )
    return [{**row, "data": json.loads(row["data"]), "by_name": row["by.name"]} for row in rows]


async def save_remarks(record: int, n: int, remarks: Mapping[str, str], by: int, at: datetime) -> None:
    """What was said of a record's version when it went back: point -> words, the empty point for the whole."""
    await Remark.insert(*(Remark(record=record, n=n, point=point, note=note, by=by, at=at) for point, note in sorted(remarks.items()))).run()


async def load_remarks(record: int) -> list[dict[str, Any]]:
    """Of all times a record went back, the latest first: [{"n", "at", "by_name", "remarks": point -> words}]."""
    rows = await Remark.select(Remark.all_columns(), Remark.by.name).where(Remark.record == record).order_by(Remark.id).run()
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["n"], {"n": row["n"], "at": row["at"], "by_name": row["by.name"], "remarks": {}})["remarks"][row["point"]] = row["note"]
    return [found[n] for n in sorted(found, reverse=True)]


async def load_writers(records: Collection[int]) -> list[tuple[int, int]]:
    """(record id, account id) of everybody who ever saved one of these records."""
    found: set[tuple[int, int]] = set()
    ids = sorted(records)
    for start in range(0, len(ids), 500):
        rows = await RecordVersion.select(RecordVersion.record, RecordVersion.by).where(RecordVersion.record.is_in(ids[start : start + 500])).run()
        found |= {(row["record"], row["by"]) for row in rows}
    return sorted(found)


async def save_findings(rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await Finding.insert(*(Finding(**row) for row in rows)).run()


async def load_findings_of(visits: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """record id -> its findings."""
    found: dict[int, list[dict[str, Any]]] = {}
    ids = sorted(visits)
    for start in range(0, len(ids), 500):
        for row in await Finding.select().where(Finding.visit.is_in(ids[start : start + 500])).order_by(Finding.item_code).run():
            found.setdefault(row["record"], []).append(row)
    return found


async def save_follow_ups(rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await FollowUp.insert(*(FollowUp(**row) for row in rows)).run()


async def load_follow_ups(records: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """record id -> its follow-ups."""
    found: dict[int, list[dict[str, Any]]] = {}
    ids = sorted(records)
    for start in range(0, len(ids), 500):
        for row in await FollowUp.select().where(FollowUp.record.is_in(ids[start : start + 500])).order_by(FollowUp.id).run():
            found.setdefault(row["record"], []).append(row)
    return found


async def load_follow_ups_of(visits: Collection[int], seen: Collection[int]) -> list[dict[str, Any]]:
    """Follow-ups of records of these visits that are in reach, the newest first."""
    mine = And(FollowUp.record.visit.is_in(sorted(visits) or [-1]), within(FollowUp.record.organisation, seen))
    return await FollowUp.select().where(And(mine, FollowUp.kind != "none")).order_by(FollowUp.id, ascending=False).run()


async def load_follow_up(follow_up: int, seen: Collection[int]) -> dict[str, Any]:
    """One confirmed follow-up of a record in reach."""
    row = await FollowUp.select().where(And(FollowUp.id == follow_up, within(FollowUp.record.organisation, seen))).first().run()
    if not row:
        raise NotFound(f"没有编号为 {follow_up} 的后续处置，或者不在您的辖区。")
    return row


async def load_closed_since_published(seen: Collection[int]) -> set[int]:
    """Visits whose published results still say of a follow-up that it is open."""
    rows = (
        await FollowUp.select(FollowUp.closed_at, FollowUp.record.visit, FollowUp.record.visit.code)
        .where(And(And(within(FollowUp.record.organisation, seen), FollowUp.record.state == "published"), FollowUp.closed_at.is_not_null()))
        .run()
    )
    latest: dict[str, tuple[int, datetime]] = {}
    for row in rows:
        known = latest.get(row["record.visit.code"])
        if known is None or row["closed_at"] > known[1]:
            latest[row["record.visit.code"]] = (row["record.visit"], row["closed_at"])
    found: set[int] = set()
    codes = sorted(latest)
    for start in range(0, len(codes), 500):
        where = And(And(Publication.kind == "result", Publication.state == "live"), Publication.key.is_in(codes[start : start + 500]))
        for row in await Publication.select(Publication.key, Publication.published_at).where(where).run():
            visit, closed_at = latest[row["key"]]
            if closed_at > row["published_at"]:
                found.add(visit)
    return found


async def load_follow_ups_state(seen: Collection[int], rounds: Sequence[int]) -> dict[str, int]:
    """Counts by state of the follow-ups of these rounds' visits."""
    from piccolo.query.functions.aggregate import Count

    rows = (
        await FollowUp.select(FollowUp.state, Count(FollowUp.id))
        .where(And(within(FollowUp.record.organisation, seen), FollowUp.record.visit.round.is_in(list(rounds) or [-1])))
        .group_by(FollowUp.state)
        .run()
    )
    return {row["state"]: row["count"] for row in rows}


async def load_unfinished(seen: Collection[int], before: date) -> list[dict[str, Any]]:
    """Records inspected before a day and not published: the 20-working-day clock's list."""
    rows = (
        await InspectionRecord.select(InspectionRecord.all_columns(), InspectionRecord.visit.code, InspectionRecord.visit.entity_code)
        .where(
            And(
                And(within(InspectionRecord.organisation, seen), InspectionRecord.inspected_on < before),
                InspectionRecord.state.is_in(["draft", "submitted", "returned", "approved"]),
            )
        )
        .order_by(InspectionRecord.inspected_on)
        .run()
    )
    return [{**_opened(row), "visit_code": row["visit.code"], "entity_code": row["visit.entity_code"]} for row in rows]


async def count_visits(seen: Collection[int], round_: int | None = None) -> dict[str, int]:
    from piccolo.query.functions.aggregate import Count

    where = await with_a_part(seen)
    if round_ is not None:
        where = And(where, Visit.round == round_)
    rows = await Visit.select(Visit.state, Count(Visit.id)).where(where).group_by(Visit.state).run()
    return {row["state"]: row["count"] for row in rows}

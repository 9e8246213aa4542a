"""Visits, the tasks they carry, and who was assigned."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from piccolo.columns.combination import And, Or
from piccolo.custom_types import Combinable

from portal.domain.errors import NotFound
from portal.store.accounts import within
from portal.store.bulk import insert_rows
from portal.store.locks import hold
from portal.store.tables import Assignment, AssignmentRun, Closing, Organisation, Visit, VisitMove, VisitTask


SPLIT = "分开"  # Closing.status of a task that a visit split off carries now


async def save_visits(rows: Sequence[Mapping[str, Any]], tasks: Iterable[tuple[str, int, int]]) -> None:
    """New visits, and (visit code, task, organisation) of what each carries."""
    await insert_rows(Visit, rows)
    await _save_visit_tasks(tasks)


async def _save_visit_tasks(tasks: Iterable[tuple[str, int, int]]) -> None:
    wanted = list(tasks)
    if not wanted:
        return
    ids: dict[str, int] = {}
    codes = sorted({code for code, _, _ in wanted})
    for start in range(0, len(codes), 500):
        rows = await Visit.select(Visit.id, Visit.code).where(Visit.code.is_in(codes[start : start + 500])).run()
        ids |= {row["code"]: row["id"] for row in rows}
    await insert_rows(VisitTask, [{"visit": ids[code], "task": task, "organisation": org} for code, task, org in wanted])


async def load_open_visits(holders: Collection[str]) -> list[dict[str, Any]]:
    """Open visits to any site of these holders, whichever round made them and whatever was drawn there; of parts the first is last.

    So in a dict by place the first open part is what a later round's task joins.
    """
    found: list[dict[str, Any]] = []
    wanted = sorted(holders)
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        found += await Visit.select().where(And(Visit.holder.is_in(part), Visit.state == "open")).run()
    return sorted(found, key=lambda row: (-row["part"], row["id"]))


async def lock_open_visits(holders: Collection[str]) -> list[dict[str, Any]]:
    """`load_open_visits`, of which none is finished or joined by somebody else until the transaction ends."""
    await hold("combining")
    await hold("visit", *(visit["id"] for visit in await load_open_visits(holders)))
    return await load_open_visits(holders)


async def load_visits_of(round_: int, seen: Collection[int] | None = None) -> list[dict[str, Any]]:
    """Visits made by a round, and open ones of earlier rounds that its tasks joined, but for those its tasks have left since.

    `seen`: those some organisation in it has a part in.
    """
    carried = VisitTask.task.is_in(await _tasks_of(round_))
    if seen is not None:
        carried = And(carried, Or(within(VisitTask.organisation, seen), within(VisitTask.visit.organisation, seen)))
    joined = await VisitTask.select(VisitTask.visit, VisitTask.task).where(carried).run()
    closed = await load_closed_links()
    ids = sorted({row["visit"] for row in joined if (row["visit"], row["task"]) not in closed})
    rows: list[dict[str, Any]] = []
    for start in range(0, len(ids), 500):
        rows += await Visit.select().where(Visit.id.is_in(ids[start : start + 500])).run()
    return [_opened(row) for row in sorted(rows, key=lambda row: row["code"].encode())]


async def load_own_visits(round_: int) -> list[dict[str, Any]]:
    """The visits that a round made and that are still to be made, or were: those whose inspectors its assignment draws."""
    rows = await Visit.select().where(And(Visit.round == round_, Visit.state != "closed")).run()
    return [_opened(row) for row in sorted(rows, key=lambda row: row["code"].encode())]


async def load_codes_of(round_: int) -> set[str]:
    """The codes of all visits a round ever made."""
    return {row["code"] for row in await Visit.select(Visit.code).where(Visit.round == round_).run()}


async def load_codes_joined(round_: int) -> set[str]:
    """The codes of all visits that a round's tasks ever joined or made."""
    rows = await VisitTask.select(VisitTask.visit.code).where(VisitTask.task.is_in(await _tasks_of(round_))).run()
    return {row["visit.code"] for row in rows}


async def load_tasks_of_round(round_: int) -> set[int]:
    return set(await _tasks_of(round_))


async def is_combined(round_: int) -> bool:
    """Whether the picks of a round became visits; they may all have been closed since."""
    return await VisitTask.exists().where(VisitTask.task.is_in(await _tasks_of(round_))).run()


async def load_parts(visit: int) -> list[dict[str, Any]]:
    """The visits split off a visit, in order."""
    return [_opened(row) for row in await Visit.select().where(Visit.split_of == visit).order_by(Visit.part).run()]


async def load_splits() -> dict[str, str]:
    """code of each visit that was split off -> code of the visit it was split off; few."""
    rows = await Visit.select(Visit.code, Visit.split_of.code).where(Visit.split_of.is_not_null()).run()
    return {row["code"]: row["split_of.code"] for row in rows}


async def load_ever_assigned(code: str) -> set[int]:
    """Inspectors whom any run ever gave a visit."""
    rows = await Assignment.select(Assignment.inspector).where(And(Assignment.visit.code == code, Assignment.inspector.is_not_null())).run()
    return {row["inspector"] for row in rows}


async def load_visits_at(holder: str, site: str) -> list[dict[str, Any]]:
    """All visits there ever were to a place."""
    return [_opened(row) for row in await Visit.select().where(And(Visit.holder == holder, Visit.site == site)).order_by(Visit.id).run()]


async def save_closings(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Take tasks off visits; visits left without any are closed. Their ids."""
    await insert_rows(Closing, rows)
    visits = sorted({row["visit"] for row in rows})
    carried = await load_tasks_of_visits(visits)
    empty = [visit for visit in visits if not carried.get(visit)]
    for start in range(0, len(empty), 500):
        await Visit.update(state="closed").where(And(Visit.id.is_in(empty[start : start + 500]), Visit.state == "open")).run()
    return empty


async def load_closings(visits: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """visit id -> the tasks taken off it, with status and reason."""
    found: dict[int, list[dict[str, Any]]] = {}
    ids = sorted(visits)
    for start in range(0, len(ids), 500):
        for row in await Closing.select().where(Closing.visit.is_in(ids[start : start + 500])).order_by(Closing.id).run():
            found.setdefault(row["visit"], []).append(row)
    return found


async def load_closings_of(round_: int) -> list[dict[str, Any]]:
    return await Closing.select().where(Closing.round == round_).order_by(Closing.id).run()


async def load_closed_visits(round_: int) -> list[dict[str, Any]]:
    rows = await Visit.select().where(And(Visit.round == round_, Visit.state == "closed")).order_by(Visit.code).run()
    return [_opened(row) for row in rows]


async def load_closed_links() -> set[tuple[int, int]]:
    """(visit, task) of all that was taken off visits; few: one for each struck entry."""
    return {(row["visit"], row["task"]) for row in await Closing.select(Closing.visit, Closing.task).run()}


async def _tasks_of(round_: int) -> list[int]:
    from portal.store.tables import RoundTask

    rows = await RoundTask.select(RoundTask.task).where(RoundTask.round == round_).run()
    return [row["task"] for row in rows] or [-1]


async def load_tasks_of_visits(visits: Collection[int]) -> dict[int, list[int]]:
    """visit id -> ids of the tasks it carries now."""
    found: dict[int, list[int]] = {}
    ids = sorted(visits)
    closed = await load_closed_links()
    for start in range(0, len(ids), 500):
        rows = await VisitTask.select().where(VisitTask.visit.is_in(ids[start : start + 500])).order_by(VisitTask.id).run()
        for row in rows:
            tasks = found.setdefault(row["visit"], [])
            if (row["visit"], row["task"]) not in closed and row["task"] not in tasks:  # a joint task has a line for each organisation
                tasks.append(row["task"])
    return {visit: tasks for visit, tasks in found.items() if tasks}


async def load_links(visits: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    """visit id -> (task, organisation that checks for it) in the order in which they came, those taken off again too."""
    found: dict[int, list[tuple[int, int]]] = {}
    ids = sorted(visits)
    for start in range(0, len(ids), 500):
        rows = await VisitTask.select().where(VisitTask.visit.is_in(ids[start : start + 500])).order_by(VisitTask.id).run()
        for row in rows:
            found.setdefault(row["visit"], []).append((row["task"], row["organisation"]))
    return found


async def load_visit(code: str, seen: Collection[int]) -> dict[str, Any]:
    """A visit that some organisation in `seen` has a part in (its station, or a task of its own)."""
    row = await Visit.select().where(Visit.code == code).first().run()
    if not row or not await is_seen(row, seen):
        raise NotFound(f"没有编号为“{code}”的入企检查，或者不在您的辖区。")
    return _opened(row)


async def is_seen(visit: Mapping[str, Any], seen: Collection[int]) -> bool:
    """Whether some organisation in `seen` has a part in a visit."""
    return visit["organisation"] in seen or await VisitTask.exists().where(And(VisitTask.visit == visit["id"], within(VisitTask.organisation, seen))).run()


async def load_visits_by_code(codes: Collection[str], seen: Collection[int]) -> dict[str, dict[str, Any]]:
    """`load_visit` of many: code -> visit; those that are not there, or not for `seen`, are left out."""
    found: dict[str, dict[str, Any]] = {}
    wanted = sorted(set(codes))
    for start in range(0, len(wanted), 500):
        rows = await Visit.select().where(Visit.code.is_in(wanted[start : start + 500])).run()
        others = [row["id"] for row in rows if row["organisation"] not in seen]
        mine = {
            row["visit"] for row in
            (await VisitTask.select(VisitTask.visit).where(And(VisitTask.visit.is_in(others), within(VisitTask.organisation, seen))).run() if others else ())
        }  # fmt: skip
        found |= {row["code"]: _opened(row) for row in rows if row["organisation"] in seen or row["id"] in mine}
    return found


async def lock_visit(code: str, seen: Collection[int]) -> dict[str, Any]:
    """`load_visit`, which is as it is until the transaction ends."""
    await hold("visit", (await load_visit(code, seen))["id"])
    return await load_visit(code, seen)


async def lock_visits(codes: Collection[str]) -> None:
    """Hold all of these visits that there are, for an act that then goes through them one by one."""
    ids: list[int] = []
    wanted = sorted(set(codes))
    for start in range(0, len(wanted), 500):
        rows = await Visit.select(Visit.id).where(Visit.code.is_in(wanted[start : start + 500])).run()
        ids += [row["id"] for row in rows]
    await hold("visit", *ids)


async def load_visits_to(codes: Collection[str], seen: Collection[int]) -> dict[str, list[dict[str, Any]]]:
    """entity code -> visits to it that `seen` may see, the oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    wanted = sorted(codes)
    for start in range(0, len(wanted), 500):
        where = And(Visit.entity_code.is_in(wanted[start : start + 500]), await with_a_part(seen))
        rows = await Visit.select().where(where).order_by(Visit.id).run()
        for row in rows:
            found.setdefault(row["entity_code"], []).append(_opened(row))
    return found


async def load_visits_by_id(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Visits by id, whatever organisation: for records and publications that were allowed already."""
    found: dict[int, dict[str, Any]] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        rows = await Visit.select().where(Visit.id.is_in(wanted[start : start + 500])).run()
        found |= {row["id"]: _opened(row) for row in rows}
    return found


async def load_visit_page(
    seen: Collection[int], *, round_: int | None = None, state: str = "", inspector: int | None = None, after: str = "", limit: int = 50
) -> list[dict[str, Any]]:
    """Visits in code order, keyset-paged; of one inspector when given."""
    where = await with_a_part(seen)
    if round_ is not None:
        where = And(where, Visit.round == round_)
    if state:
        where = And(where, Visit.state == state)
    if after:
        where = And(where, Visit.code > after)
    if inspector is not None:
        rows = await Assignment.select(Assignment.visit).where(Assignment.inspector == inspector).run()
        where = And(where, Visit.id.is_in(sorted({row["visit"] for row in rows}) or [-1]))
    return [_opened(row) for row in await Visit.select().where(where).order_by(Visit.code).limit(limit).run()]


async def with_a_part(seen: Collection[int]) -> Combinable:
    """The visits that an organisation in `seen` has a part in: its station's, or with a task of its own."""
    own = within(Visit.organisation, seen)
    if len(seen) >= await Organisation.count().run():
        return own  # nobody else is there, and a register of millions has as many tasks
    return Or(own, Visit.id.is_in(VisitTask.select(VisitTask.visit).where(within(VisitTask.organisation, seen))))


async def save_arrival(visit: int, at: datetime, header: Mapping[str, Any]) -> None:
    await Visit.update(arrived_at=at, header=json.dumps(header, ensure_ascii=False)).where(Visit.id == visit).run()


async def save_header(visit: int, header: Mapping[str, Any]) -> None:
    await Visit.update(header=json.dumps(header, ensure_ascii=False, sort_keys=True)).where(Visit.id == visit).run()


async def save_forms(code: str, forms: Mapping[str, str]) -> None:
    """Add forms to a visit that a later round's tasks join; versions already frozen stay."""
    row = await Visit.select(Visit.id, Visit.forms).where(Visit.code == code).first().run()
    merged = {**forms, **json.loads(row["forms"])}
    await Visit.update(forms=json.dumps(merged, ensure_ascii=False, sort_keys=True)).where(Visit.id == row["id"]).run()


async def replace_forms(visit: int, forms: Mapping[str, str]) -> None:
    """The forms a visit is left with after a split, versions as they were."""
    await Visit.update(forms=json.dumps(forms, ensure_ascii=False, sort_keys=True)).where(Visit.id == visit).run()


async def save_move(values: Mapping[str, Any]) -> None:
    """A visit's other day, and that it was moved there."""
    await VisitMove.insert(VisitMove(**values)).run()
    await Visit.update(day=values["day_to"]).where(Visit.id == values["visit"]).run()


async def load_moves(visit: int) -> list[dict[str, Any]]:
    """The days it was moved from and to, the oldest first; `by_name`: by whom."""
    rows = await VisitMove.select(VisitMove.all_columns(), VisitMove.by.name).where(VisitMove.visit == visit).order_by(VisitMove.id).run()
    return [{**row, "by_name": row["by.name"]} for row in rows]


async def save_done(visit: int, at: datetime) -> None:
    await Visit.update(state="done", done_at=at).where(And(Visit.id == visit, Visit.state == "open")).run()


def _opened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "header": json.loads(row["header"]), "forms": json.loads(row["forms"])}


# Assignment ------------------------------------------------------------------


async def load_runs(round_: int) -> list[dict[str, Any]]:
    return await AssignmentRun.select().where(AssignmentRun.round == round_).order_by(AssignmentRun.n).run()


async def save_run(values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int:
    run = (await AssignmentRun.insert(AssignmentRun(**values)).run())[0]["id"]
    await insert_rows(Assignment, [{"run": run, **row} for row in rows])
    return run


async def load_assigned(visits: Collection[int]) -> dict[int, list[int | None]]:
    """visit id -> inspector ids in slot order (None: unfilled); of a slot drawn again the last run counts.

    Empty before the first slot with a run: another round, not assigned yet, sends people to the slots before it.
    """
    found: dict[int, dict[int, int | None]] = {}
    ids = sorted(visits)
    for start in range(0, len(ids), 500):
        rows = await Assignment.select().where(Assignment.visit.is_in(ids[start : start + 500])).order_by(Assignment.run).run()
        for row in rows:
            found.setdefault(row["visit"], {})[row["slot"]] = row["inspector"]
    return {visit: [slots.get(n) for n in range(max(slots) + 1)] for visit, slots in found.items()}

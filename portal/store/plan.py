"""Items and forms as declared, plans, their rows, tasks and riders."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from piccolo.columns.combination import And

from portal.domain.errors import NotFound, WrongMoment
from portal.store.accounts import within
from portal.store.tables import CheckForm, Item, Plan, PlanRow, Rider, Task


async def save_declared(table: type[Item] | type[CheckForm], rows: Sequence[Mapping[str, Any]], at: datetime) -> int:
    """Remember each new version of an item or form; the count of new ones.

    Raises WrongMoment when a version already used says something else now:
    a changed text must be a new version (尽职照单免责).
    """
    known = {(r["code"], r["version"]): r["digest"] for r in await table.select(table.code, table.version, table.digest).run()}
    fresh = []
    for row in rows:
        digest = known.get((row["code"], row["version"]))
        if digest is None:
            fresh.append(table(**row, seen_at=at))
        elif digest != row["digest"]:
            what = "事项" if table is Item else "表单"
            raise WrongMoment(f"{what} {row['code']} 的版本 {row['version']} 已经使用，内容却变了。请改用新的版本号。")
    if fresh:
        await table.insert(*fresh).run()
    return len(fresh)


async def load_declared(table: type[Item] | type[CheckForm], code: str, version: str) -> dict[str, Any]:
    row = await table.select().where(And(table.code == code, table.version == version)).first().run()
    if not row:
        raise NotFound(f"没有编号 {code}、版本 {version} 的登记。")
    return {**row, "data": json.loads(row["data"])}


async def load_all_declared(table: type[Item] | type[CheckForm]) -> list[dict[str, Any]]:
    rows = await table.select().order_by(table.code, table.version).run()
    return [{**row, "data": json.loads(row["data"])} for row in rows]


# Plans -----------------------------------------------------------------------


async def save_plan(
    values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]], kept: Mapping[int, Mapping[str, Any]]
) -> int:
    """One plan version with its rows, tasks and riders (`task["riders"]`: item_code, item_version, row).

    `kept`: id -> values of the tasks that go on from the version before: they move to this one.
    """
    plan = (await Plan.insert(Plan(**values)).run())[0]["id"]
    if rows:
        await PlanRow.insert(*(PlanRow(plan=plan, **row) for row in rows)).run()
    for task in tasks:
        riders = task["riders"]
        own = {name: value for name, value in task.items() if name != "riders"}
        saved = (await Task.insert(Task(plan=plan, **own)).run())[0]["id"]
        if riders:
            await Rider.insert(*(Rider(task=saved, **rider) for rider in riders)).run()
    for task, changes in kept.items():
        await Task.update(plan=plan, **changes).where(Task.id == task).run()
    return plan


async def load_plans(seen: Collection[int]) -> list[dict[str, Any]]:
    rows = await Plan.select().where(within(Plan.organisation, seen)).order_by(Plan.year, Plan.version).run()
    return [{**row, "notes": json.loads(row["notes"]), "layout": json.loads(row["layout"])} for row in rows]


async def load_publishable_plans(seen: Collection[int]) -> list[dict[str, Any]]:
    """The newest version of each bureau's year where it is not public: one replaced before it was public never is."""
    newest = {(plan["organisation"], plan["year"]): plan for plan in await load_plans(seen)}
    return [plan for plan in newest.values() if plan["state"] != "published"]


async def load_latest_plan(seen: Collection[int], year: int, own: int | None = None) -> dict[str, Any] | None:
    """The newest version of a year's plan; of several bureaus' that of `own`, if it has one."""
    found = [plan for plan in await load_plans(seen) if plan["year"] == year]
    return next((plan for plan in reversed(found) if plan["organisation"] == own), found[-1] if found else None)


async def load_plan_rows(plan: int) -> list[dict[str, Any]]:
    rows = await PlanRow.select().where(PlanRow.plan == plan).order_by(PlanRow.row).run()
    return [{**row, "data": json.loads(row["data"])} for row in rows]


async def save_plan_approved(plan: int, reason: str, by: int, at: datetime) -> bool:
    """Approve a draft; False where somebody was faster."""
    values = {"state": "approved", "reason": reason, "approved_by": by, "approved_at": at}
    return bool(await Plan.update(**values).where(And(Plan.id == plan, Plan.state == "draft")).returning(Plan.id).run())


async def save_plan_published(plan: int, by: int, at: datetime) -> None:
    """Published; who publishes a draft is its second approver."""
    await Plan.update(approved_by=by, approved_at=at).where(And(Plan.id == plan, Plan.approved_by.is_null())).run()
    await Plan.update(state="published").where(Plan.id == plan).run()


async def count_tasks(prefix: str) -> int:
    return await Task.count().where(Task.code.like(f"{prefix}%")).run()


async def load_tasks(seen: Collection[int], plan: int | None = None) -> list[dict[str, Any]]:
    where = within(Task.organisation, seen)
    if plan is not None:
        where = And(where, Task.plan == plan)
    return await _with_riders(await Task.select().where(where).order_by(Task.code).run())


async def load_current_tasks(seen: Collection[int]) -> list[dict[str, Any]]:
    """The tasks of the newest version of each year's plan: what an older version had and the newer one has not is over."""
    newest = {(plan["organisation"], plan["year"]): plan["id"] for plan in await load_plans(seen)}
    return [task for task in await load_tasks(seen) if task["plan"] in set(newest.values())]


async def load_newer_plan(plan: int) -> tuple[int, int, int] | None:
    """(year, version, newest version) of a plan that a newer version replaced; None where it is the newest."""
    row = await Plan.select(Plan.organisation, Plan.year, Plan.version).where(Plan.id == plan).first().run()
    newest = await load_latest_plan({row["organisation"]}, row["year"])
    return (row["year"], row["version"], newest["version"]) if newest and newest["id"] != plan else None


async def load_task(code: str, seen: Collection[int]) -> dict[str, Any]:
    rows = await Task.select().where(And(Task.code == code, within(Task.organisation, seen))).run()
    if not rows:
        raise NotFound(f"没有编号为“{code}”的抽查任务，或者不在您的辖区。")
    return (await _with_riders(rows))[0]


async def load_tasks_by_id(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    rows = await Task.select().where(Task.id.is_in(sorted(ids) or [-1])).run()
    return {row["id"]: row for row in await _with_riders(rows)}


async def _with_riders(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    riders = await Rider.select().where(Rider.task.is_in([row["id"] for row in rows] or [-1])).order_by(Rider.row).run()
    for row in rows:
        row["class_ratios"] = json.loads(row["class_ratios"])
        row["riders"] = [rider for rider in riders if rider["task"] == row["id"]]
    return rows


def owners_of(task: Mapping[str, Any]) -> dict[str, int]:
    """item -> the organisation that checks it on visits of a task: its bureau, or another department (部门联合)."""
    items = [(task["item_code"], task["owner"]), *((rider["item_code"], rider["owner"]) for rider in task["riders"])]
    return {code: owner or task["organisation"] for code, owner in items}


def items_of(task: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(code, version) of every item a task checks: its own first, then its riders'."""
    return [(task["item_code"], task["item_version"])] + [(r["item_code"], r["item_version"]) for r in task["riders"]]

"""The annual plan: from a file to tasks, riders and rows that wait for a module."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, Problem
from portal.domain.import_kinds import KINDS, Reading
from portal.domain.packing import pack
from portal.domain.plan import PlanRow, match_items
from portal.domain.profile import Profile
from portal.domain.tables import Parsed
from portal.steps.acting import Acting
from portal.steps.directory import ImportReport
from portal.steps.profile import load_profile
from portal.store import plan as store
from portal.store.engine import transaction
from portal.store.locks import hold


async def import_plan(act: Acting, sheet: Sheet, file: bytes) -> ImportReport:
    """A plan file becomes the next version of the year's plan: every row a task, a rider or 待模块; all or nothing.

    Raises BadInput when a row the installed sectors serve lacks what a task needs.
    """
    act.require("plan.import")
    kind = KINDS["plan"]
    parsed, _ = await check_plan(act, kind.parse(sheet, Reading(act.today)))
    parsed.require_no_errors(kind.label)
    async with transaction():
        counts = await save_plan(act, parsed, hashlib.sha256(file).hexdigest())
    return ImportReport(counts, parsed.warnings)


async def check_plan(act: Acting, parsed: Parsed[PlanRow]) -> tuple[Parsed[PlanRow], dict[str, int]]:
    """What a row the installed sectors serve lacks to be drawn is an error of that row; counts by what rows become."""
    profile = await load_profile(act)
    _, _, problems = _sort_rows(act, parsed.rows, parsed.whole.year, profile)
    parsed = parsed.found(problems)
    rows, tasks, _ = _sort_rows(act, parsed.rows, parsed.whole.year, profile)
    return parsed, _counts(rows, tasks)


async def save_plan(act: Acting, parsed: Parsed[PlanRow], digest: str) -> dict[str, int]:
    """The rows as the next version of the year's plan, in the caller's transaction; counts by what rows became."""
    plan = parsed.whole
    rows, tasks, problems = _sort_rows(act, parsed.rows, plan.year, await load_profile(act))
    if problems:  # a sector went away since the check
        raise BadInput(f"计划表有 {len(problems)} 处错误，没有导入。", problems)
    await hold("bureau", act.bureau["id"])
    latest = await store.load_latest_plan({act.bureau["id"]}, plan.year)
    prefix = f"{act.bureau['region']}-{plan.year}-T"
    first = await store.count_tasks(prefix) + 1
    for n, task in enumerate(tasks):
        task["code"] = f"{prefix}{first + n:03d}"
    by_row = {task["row"]: task["code"] for task in tasks}
    await store.save_plan(
        {
            "organisation": act.bureau["id"], "year": plan.year, "version": (latest["version"] if latest else 0) + 1,
            "title": plan.title, "notes": pack(list(plan.notes)), "file_digest": digest,
            "imported_by": act.account, "imported_at": act.now,
        },
        [{**row, "task_code": by_row.get(row["row"], "") if row["state"] == "task" else ""} for row in rows],
        tasks,
    )  # fmt: skip
    await act.audit("plan.import", f"plan/{plan.year}", after=digest, rows=len(rows), tasks=len(tasks))
    return _counts(rows, tasks)


def _counts(rows: Sequence[dict[str, Any]], tasks: Sequence[dict[str, Any]]) -> dict[str, int]:
    counts = Counter(row["state"] for row in rows)
    unused = sum(bool(task["class_ratios"] != "{}" and task["ratio_ppm"] is not None) for task in tasks)
    return {
        "计划行": len(rows),
        "抽查任务": counts["task"],
        "结合检查": counts["rider"],
        "待模块": counts["pending"],
        "分类比例已保留，总比例抽取时不使用": unused,
    }


def _sort_rows(
    act: Acting, listed: Sequence[PlanRow], year: int, profile: Profile | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[Problem]]:
    """(plan_row values, task values, what tasks lack). A row of several items is one plan row; its later items ride on it."""
    matched = match_items(listed, act.sectors.items)
    rows: dict[int, dict[str, Any]] = {}
    tasks: dict[int, dict[str, Any]] = {}
    riders: list[tuple[PlanRow, str]] = []
    problems: list[Problem] = []
    heads = {row.row: (row, code) for row, code in matched if row.part == 0}
    for row, code in matched:
        head, head_code = heads[row.row]
        if head_code is None:
            code = None  # nobody serves the item the row is drawn for: the whole row waits for its module
        if row.part == 0:
            state = "pending" if code is None else "rider" if row.rides else "task"
            rows[row.row] = {"row": row.row, "state": state, "data": pack(_row_data(row, code))}
        if code is None:
            continue
        if row.part and not head.rides:
            riders.append((replace(row, rides=False), code))  # a further item of the same row joins its task only
        elif row.rides:
            riders.append((row, code))
        elif row.drawn_by == "here" and (lacks := _lacks(row, _classed(profile, code, row, year))):
            problems.append(Problem(lacks, f"任务“{row.item}”没有写明{lacks}，不能抽取。请补上后重新上传。", row.row))
        else:
            tasks[row.row] = _task_values(act, row, code, year)
    for task in tasks.values():
        task["riders"] = [
            {"row": row.row, "item_code": code, "item_version": act.sectors.item(code).version}
            for row, code in riders
            if code != task["item_code"] and (row.row == task["row"] if not row.rides else _meets(row, task))
        ]
    return list(rows.values()), list(tasks.values()), problems


def _row_data(row: PlanRow, code: str | None) -> dict[str, Any]:
    data = {name: value for name, value in asdict(row).items() if name != "window"}
    window = [day.isoformat() for day in row.window] if row.window else None
    return {**data, "class_ratios": dict(row.class_ratios), "raw": dict(row.raw), "window": window, "item_code": code}


def _classed(profile: Profile | None, code: str, row: PlanRow, year: int) -> bool:
    return profile is not None and profile.class_ratios_for(code, row.window[0] if row.window else date(year, 1, 1)) is not None


def _lacks(row: PlanRow, classed: bool) -> str:
    if row.ratio_ppm is None and row.count is None and not row.class_ratios and not classed:
        return "抽查比例或户数"
    return "" if row.window else "实施时间"


def _meets(row: PlanRow, task: dict[str, Any]) -> bool:
    """A riding row joins every task here whose window it overlaps (登记事项检查结合其他业务板块合并进行)."""
    if task["drawn_by"] != "here":
        return False
    return row.window is None or (row.window[0] <= task["window_to"] and task["window_from"] <= row.window[1])


def _task_values(act: Acting, row: PlanRow, code: str, year: int) -> dict[str, Any]:
    item = act.sectors.item(code)
    window = row.window or (date(year, 1, 1), date(year, 12, 31))
    return {
        "row": row.row, "organisation": act.bureau["id"], "sector": code.split(".")[0], "name": row.task or row.item,
        "item_code": code, "item_version": item.version, "objects": row.objects, "kind": row.kind,
        "ratio_text": row.ratio_text, "ratio_ppm": row.ratio_ppm, "fixed_count": row.count,
        "class_ratios": pack(dict(row.class_ratios)), "window_from": window[0], "window_to": window[1],
        "department": row.department, "drawn_by": row.drawn_by, "riders": [],
    }  # fmt: skip

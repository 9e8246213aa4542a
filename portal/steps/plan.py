"""The annual plan: from a file to tasks, riders and rows that wait for a module."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, NotFound, Problem
from portal.domain.import_kinds import KINDS, Reading
from portal.domain.packing import pack
from portal.domain.partners import find_idle, find_owner
from portal.domain.plan import PlanRow, match_items
from portal.domain.plan_changes import RowChange, plan_changes
from portal.domain.plan_layout import HOUSE, LaidRow, Layout, in_layout, laid_rows, lay_out, layout_data, parse_layout, share, titled
from portal.domain.profile import Profile
from portal.domain.ratios import drawn_at
from portal.domain.tables import Parsed
from portal.sheets.write import write_xlsx
from portal.steps.acting import Acting
from portal.steps.caps import level_of
from portal.steps.directory import ImportReport
from portal.steps.profile import load_profile
from portal.steps.publish import plan_notice
from portal.store import accounts
from portal.store import draw as draw_store
from portal.store import plan as store
from portal.store import pool as pool_store
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
    partners = await accounts.load_partners(act.bureau["id"])
    _, _, problems = _sort_rows(act, parsed.rows, parsed.whole.year, profile, partners)
    parsed = parsed.found(problems, [Problem(field, message, row.row) for row, field, message in idle_partners(act, parsed.rows, partners)])
    rows, tasks, _ = _sort_rows(act, parsed.rows, parsed.whole.year, profile, partners)
    return parsed, _counts(rows, tasks)


def idle_partners(act: Acting, rows: Sequence[PlanRow], partners: Mapping[str, int]) -> list[tuple[PlanRow, str, str]]:
    """(row, column, what to say) of departments that a row names for a joint check without an item of theirs."""
    listed = [(row, _owner(act, row, code, partners)) for row, code in match_items(rows, act.sectors.items)]
    return [
        (row, "配合部门" if row.partners else "牵头部门", f"写了“{name}”，但是这一行没有它的事项，它不派人、不录入。请在抽查事项中加上它的事项，或者删去。")
        for row, name in find_idle(listed, partners)
    ]


def _owner(act: Acting, row: PlanRow, code: str | None, partners: Mapping[str, int]) -> str:
    """The name of the partner whose people check the row's item, "" where the bureau's do."""
    sector = act.sectors.sectors.get(code.split(".")[0]) if code else None
    return find_owner(row, sector.department if sector else "", partners) if partners else ""


async def save_plan(act: Acting, parsed: Parsed[PlanRow], digest: str, reason: str = "", doing: str = "plan.import") -> dict[str, int]:
    """The rows as the next version of the year's plan, in the caller's transaction; counts by what rows became.

    `reason`: why it replaces the version before; `doing`: the act the audit names.
    """
    plan = parsed.whole
    partners = await accounts.load_partners(act.bureau["id"])
    rows, tasks, problems = _sort_rows(act, parsed.rows, plan.year, await load_profile(act), partners)
    if problems:  # a sector went away since the check
        raise BadInput(f"计划表有 {len(problems)} 处错误，没有导入。", problems)
    await hold("bureau", act.bureau["id"])
    latest = await store.load_latest_plan({act.bureau["id"]}, plan.year)
    kept = await _kept_tasks(act, latest, tasks)
    fresh = [task for task in tasks if task["row"] not in kept]
    prefix = f"{act.bureau['region']}-{plan.year}-T"
    first = await store.count_tasks(prefix) + 1
    for n, task in enumerate(fresh):
        task["code"] = f"{prefix}{first + n:03d}"
    by_row = {task["row"]: task["code"] for task in fresh} | {row: task["code"] for row, task in kept.items()}
    await store.save_plan(
        {
            "organisation": act.bureau["id"], "year": plan.year, "version": (latest["version"] if latest else 0) + 1,
            "title": plan.title, "notes": pack(list(plan.notes)), "layout": pack(layout_data(plan.layout)), "file_digest": digest,
            "imported_by": act.account, "imported_at": act.now, "reason": reason,
        },
        [{**row, "task_code": by_row.get(row["row"], "") if row["state"] == "task" else ""} for row in rows],
        fresh,
        {kept[task["row"]]["id"]: {name: task[name] for name in _WORDS} for task in tasks if task["row"] in kept},
    )  # fmt: skip
    said = {"reason": reason} if reason else {}
    await act.audit(doing, f"plan/{plan.year}", after=digest, rows=len(rows), tasks=len(tasks), **said)
    return _counts(rows, tasks)


#: what a task is drawn by: a row that differs in none of these is the same task in the next version
_DRAWN = ("sector", "item_code", "objects", "ratio_ppm", "fixed_count", "class_ratios", "window_from", "window_to", "drawn_by")
#: what may change of a task that goes on
_WORDS = ("row", "name", "kind", "ratio_text", "department", "owner")


async def _kept_tasks(act: Acting, latest: Mapping[str, Any] | None, tasks: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """row -> task of the version before that goes on as this row's: a new version is no second draw.

    Raises BadInput where a task that is fixed (pool frozen, or in a round) has no such row any more.
    """
    if latest is None:
        return {}
    old = await store.load_tasks(frozenset({act.bureau["id"]}), latest["id"])
    await hold("task", *[task["id"] for task in old])
    fixed = await load_fixed(old)
    waiting: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for task in old:
        waiting.setdefault(_drawn_by_what({**task, "class_ratios": pack(task["class_ratios"])}), []).append(task)
    kept = {}
    for task in tasks:
        alike = waiting.get(_drawn_by_what(task), [])
        # A fixed task keeps its riders and the version of its item; another one follows the new rows.
        found = next((one for one in alike if one["id"] in fixed), None) or next((one for one in alike if _same_items(one, task)), None)
        if found:
            alike.remove(found)
            kept[task["row"]] = found
            if found["id"] in fixed:
                task["owner"] = found["owner"]  # whoever was to go when it began
    lost = [task for alike in waiting.values() for task in alike if task["id"] in fixed]
    if lost:
        raise BadInput(
            f"有 {len(lost)} 项任务已经开始办理，新一版计划里没有同样的行，不能保存。",
            [
                Problem("", f"任务 {task['code']}“{task['name']}”{fixed[task['id']]}。请保留第 {latest['version']} 版第 {task['row']} 行，事项、对象、比例、时间和抽取方式都不改。")
                for task in sorted(lost, key=lambda task: task["row"])
            ],
        )  # fmt: skip
    return kept


def _drawn_by_what(task: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(task[name] for name in _DRAWN)


def is_same_task(act: Acting, row: PlanRow, code: str, task: Mapping[str, Any], year: int) -> bool:
    """Whether this row would still be drawn as that task is."""
    return _drawn_by_what(_task_values(act, row, code, year)) == _drawn_by_what({**task, "class_ratios": pack(task["class_ratios"])})


def _same_items(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    def items(task: Mapping[str, Any]) -> list[tuple[str, str, int]]:
        return [(task["item_code"], task["item_version"], 0), *sorted((one["item_code"], one["item_version"], one["owner"] or 0) for one in task["riders"])]

    return items(old) == items(new)


async def load_fixed(tasks: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """task id -> why it can no longer be changed: its pool is frozen, or it is in a round that is not void."""
    pools = await pool_store.load_latest_pools([task["id"] for task in tasks])
    found = {}
    for task in tasks:
        if live := await draw_store.load_live_round_of(task["id"]):
            found[task["id"]] = f"已在轮次 {live} 中"
        elif task["id"] in pools and not await pool_store.is_committed(pools[task["id"]]["id"]):
            found[task["id"]] = "的名录已经冻结"
    return found


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
    act: Acting, listed: Sequence[PlanRow], year: int, profile: Profile | None, partners: Mapping[str, int]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[Problem]]:
    """(plan_row values, task values, what tasks lack). A row of several items is one plan row; its later items ride on it."""
    listed = drawn_here(act, listed)
    matched = match_items(listed, act.sectors.items)
    rows: dict[int, dict[str, Any]] = {}
    tasks: dict[int, dict[str, Any]] = {}
    riders: list[tuple[PlanRow, str, int | None]] = []
    items: dict[int, list[str]] = {}
    problems: list[Problem] = []
    heads = {row.row: (row, code) for row, code in matched if row.part == 0}
    for row, _ in matched:
        items.setdefault(row.row, []).append(row.item)
    for row, code in matched:
        head, head_code = heads[row.row]
        if head_code is None:
            code = None  # nobody serves the item the row is drawn for: the whole row waits for its module
        if row.part == 0:
            state = "pending" if code is None else "rider" if row.rides else "task"
            rows[row.row] = {"row": row.row, "state": state, "data": pack(_row_data(row, code, items[row.row]))}
        if code is None:
            continue
        owner = partners.get(_owner(act, row, code, partners))
        if row.part and not head.rides:
            riders.append((replace(row, rides=False), code, owner))  # a further item of the same row joins its task only
        elif row.rides:
            riders.append((row, code, owner))
        elif row.drawn_by == "here" and (lacks := _lacks(row, has_ratios(profile, code, row, year))):
            problems.append(Problem(lacks, f"任务“{row.item}”没有写明{lacks}，不能抽取。请补上后重新上传。", row.row))
        else:
            tasks[row.row] = {**_task_values(act, row, code, year), "owner": owner}
    for task in tasks.values():
        task["riders"] = [
            {"row": row.row, "item_code": code, "item_version": act.sectors.item(code).version, "owner": owner}
            for row, code, owner in riders
            # What rides everywhere rides with its own department's tasks: for another's, its people would have to come along.
            if code != task["item_code"] and (row.row == task["row"] if not row.rides else _meets(row, task) and owner == task["owner"])
        ]
    return list(rows.values()), list(tasks.values()), problems


def drawn_here(act: Acting, listed: Sequence[PlanRow]) -> list[PlanRow]:
    """The rows with who draws as the acting bureau's level reads it: 市抽县查 is a city's own draw and a county's superior's.

    县抽县查 is a county's own, at the city it is left to those below (`plan_below`)."""
    level = level_of(act.bureau["region"])
    return [replace(row, drawn_by=drawn_at(row.drawn_by_text, row.drawn_by, level)) for row in listed]


def _row_data(row: PlanRow, code: str | None, items: Sequence[str]) -> dict[str, Any]:
    data = {name: value for name, value in asdict(row).items() if name != "window"}
    window = [day.isoformat() for day in row.window] if row.window else None
    return {**data, "joined": list(row.joined), "class_ratios": dict(row.class_ratios), "raw": dict(row.raw), "window": window, "item_code": code, "items": list(items)}


def has_ratios(profile: Profile | None, code: str, row: PlanRow, year: int) -> bool:
    """Whether the jurisdiction's rules give the ratios of this row's item by class, so that the row need not."""
    return profile is not None and profile.class_ratios_for(code, row.window[0] if row.window else date(year, 1, 1)) is not None


def _lacks(row: PlanRow, classed: bool) -> str:
    if row.ratio_ppm is None and row.count is None and not row.class_ratios and not classed:
        return "抽查比例或户数"
    return "" if row.window else "实施时间"


def _meets(row: PlanRow, task: dict[str, Any]) -> bool:
    """A riding row joins every task here whose window it overlaps (登记事项检查结合其他业务板块合并进行)."""
    if task["drawn_by"] != "here" or row.drawn_by == "below":
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


# The official file ------------------------------------------------------------------

LAYOUTS = {"own": "导入时的版式", "work": "监管工作计划表", "joint": "部门联合抽查计划表", "county": "抽查计划表"}
_WIDE = {"item": 34, "objects": 26, "task": 24, "category": 18, "ratio": 14, "window": 18, "note": 26, "risk": 22, "basis": 30}
_NARROW = {"number": 7, "class_a": 7, "class_b": 7, "class_c": 7, "class_d": 7}


async def export_plan(act: Acting, number: int, layout: str = "own") -> tuple[str, bytes]:
    """(file name, XLSX) of one version of a plan: in the layout it came in, or one of LAYOUTS; importing it gives the same plan.

    Same version, same bytes. Raises NotFound for plans of others, BadInput for an unknown layout.
    """
    found, lines = await _own(act, number)
    if layout not in LAYOUTS:
        raise BadInput(f"没有“{layout[:20]}”这种版式。可以选：{'、'.join(f'{code}（{name}）' for code, name in LAYOUTS.items())}。")
    rows = [line["data"] for line in lines]
    kept, guessed = layout_of(found)
    own, laid = laid_rows(rows, kept, guessed=guessed)
    if layout != "own":
        own, laid = in_layout(own, laid, titled(HOUSE[layout], found["title"], found["notes"]))
    sheet = lay_out(own, laid)
    widths = [_NARROW.get(of) or _WIDE.get(of, 14) for _, of in own.columns]
    return f"{found['title']}（第{found['version']}版）.xlsx", write_xlsx(
        sheet.rows, name=_sheet_name(own.name), heading=len(own.above) + 1, merged=sheet.merged, widths=widths
    )


def layout_of(found: Mapping[str, Any]) -> tuple[Layout, bool]:
    """(the layout of a plan, whether it is a guess: plans imported before layouts were kept have none)."""
    kept = parse_layout(found["layout"])
    return (kept, False) if kept else (titled(HOUSE["work"], found["title"], found["notes"]), True)


async def load_changes(act: Acting, found: Mapping[str, Any]) -> list[RowChange]:
    """What a plan (a row of `load_plans`) changes of the version before; [] for a first version."""
    before = [one for one in await store.load_plans(frozenset({found["organisation"]})) if one["year"] == found["year"] and one["version"] < found["version"]]
    if not before:
        return []

    async def laid(plan: Mapping[str, Any]) -> tuple[Layout, list[LaidRow]]:
        layout, guessed = layout_of(plan)
        return laid_rows([line["data"] for line in await store.load_plan_rows(plan["id"])], layout, guessed=guessed)

    return plan_changes(await laid(before[-1]), await laid(found))


async def load_official(act: Acting, number: int) -> dict[str, Any]:
    """The plan as `plan_notice.html` prints it whole: what is public of it and the ratio of each risk class, marked as not public."""
    found, rows = await _own(act, number)
    notice = await plan_notice(act, found)
    inner = [
        {**row, "class_ratios": {name: share(ppm) for name, ppm in line["data"]["class_ratios"].items()}}
        for row, line in zip(notice["rows"], rows, strict=True)
    ]
    return {**notice, "rows": inner, "internal": True, "proof": None}


async def _own(act: Acting, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A plan of the acting person's line of organisations and its rows."""
    act.require("plan.read")
    found = next((one for one in await store.load_plans(act.line) if one["id"] == number), None)
    if found is None:
        raise NotFound("没有这份计划，或者不在您的辖区。")
    return found, await store.load_plan_rows(number)


def _sheet_name(name: str) -> str:
    """What Excel takes for the name of a sheet: at most 31 characters, none of []:*?/\\, no ' at either end."""
    plain = "".join("" if c in "[]:*?/\\" else c for c in name)[:31].strip("'")
    return plain or "计划表"

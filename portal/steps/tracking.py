"""The year on one page: progress of each row, indicators against their targets, and who is to be urged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.base import Reached, reached, rider_reached
from portal.domain.follow_ups import due_of
from portal.domain.profile import Due
from portal.domain.tracking import (
    Check,
    FollowUpState,
    Part,
    RowProgress,
    Urging,
    YearRow,
    differentiated_picks,
    on_time_rows,
    progress_of,
    total_of,
    urge,
)
from portal.steps.acting import BEIJING, Acting
from portal.steps.base import PROFESSIONAL, floors_of, load_base
from portal.steps.plan_below import BELOW, Below, load_below
from portal.steps.profile import load_profile
from portal.store import directory, plan
from portal.store import tracking as store
from portal.store import year as years


@dataclass(frozen=True, slots=True)
class Year:
    """What the tracking page shows. `reached`: the ratio by group; `riders`: item -> its own ratio by group.

    `done`, `on_time`, `published`, `followed` are checks; `rows_on_time` are tasks. `target`: of the differentiated share, ppm.
    """

    due: Due | None
    rows: tuple[RowProgress, ...]
    done: Part
    on_time: Part
    published: Part
    followed: Part
    rows_on_time: Part
    differentiated: Part
    target: int | None
    reached: tuple[Reached, ...]
    riders: Mapping[str, tuple[Reached, ...]]
    urged: tuple[Urging, ...]
    missing: tuple[str, ...]


async def load_year(act: Acting, found: Mapping[str, Any]) -> Year:
    """Where a plan (a row of `load_plans`) stands today."""
    act.require("plan.read")
    year = found["year"]
    tasks = {task["id"]: task for task in await plan.load_tasks(act.tree, found["id"])}
    notes = {row["row"]: row["data"]["note"] for row in await plan.load_plan_rows(found["id"])}
    profile = await load_profile(act)
    due = profile.due_for(act.bureau["region"], year) if profile else None
    days = profile.publication_days(act.today) if profile else None
    terms: dict[str, Any] = {"publish": due.publish if due else None, "working_days": days}
    picked = await store.load_picked(tasks)
    checks = await _checks(tasks, picked)
    drawn_on = await store.load_drawn_on(tasks)
    rows = [
        YearRow(
            task["row"], task["name"], task["department"], (task["window_from"], task["window_to"]),
            _day(drawn_on.get(task["id"])), tuple(checks.get(task["id"], ())), len(set(task["class_ratios"].values())) > 1,
            PROFESSIONAL in notes.get(task["row"], ""),
        )
        for task in sorted(tasks.values(), key=lambda task: task["row"])
        if task["drawn_by"] != BELOW
    ]  # fmt: skip
    progress = [progress_of(row, act.today, finish=due.finish if due else None, **terms) for row in rows]
    done, on_time, published, followed = total_of(progress)
    missing = [] if profile else ["本局还没有导入辖区规则，期限和目标不明。"]
    if left := await load_below(act, found):
        missing += [_left_below(one) for one in left]
    target = profile.differentiated_for(act.bureau["region"], min(act.today, date(year, 12, 31))) if profile else None
    ratios, riders = await _ratios(act, year, profile, tasks, picked, missing)
    return Year(
        due, tuple(progress), done, on_time, published, followed, on_time_rows(progress, act.today), differentiated_picks(rows),
        target.value.ppm if target else None, ratios, riders, tuple(urge(progress, act.today, **terms)), tuple(missing),
    )  # fmt: skip


def _left_below(one: Below) -> str:
    """A row that is not drawn here: who has it in the own plan, whose tracking shows it."""
    taken, waiting = (f"{words}：{'、'.join(names)}" if names else "" for words, names in (("已列入计划", one.taken), ("还没有列入", one.waiting)))
    return f"第 {one.row} 行“{one.name}”由县级局自行抽取，进度见各县级局的计划。{'；'.join(filter(None, (taken, waiting)))}".rstrip("。") + "。"


def _day(at: Any) -> date | None:
    return at.astimezone(BEIJING).date() if at else None


async def _checks(tasks: Mapping[int, Mapping[str, Any]], picked: list[tuple[int, str]]) -> dict[int, list[Check]]:
    carried = await store.load_carried(tasks)
    visits = {(row["task"], row["entity_code"]): row for row in carried}
    findings = {(row["visit"], row["item_code"]): row for row in await store.load_findings({row["visit"] for row in carried})}
    published = await store.load_published({row["visit_code"] for row in carried})
    follow_ups: dict[int, list[FollowUpState]] = {}
    for row in await store.load_follow_ups({row["record"] for row in findings.values()}):
        follow_ups.setdefault(row["record"], []).append(FollowUpState(due_of(row).on, row["closed_on"]))
    checks: dict[int, list[Check]] = {}
    for task, code in picked:
        visit = visits.get((task, code))
        finding = findings.get((visit["visit"], tasks[task]["item_code"])) if visit else None
        if visit is None or finding is None:
            check = Check(code)
        else:
            own = tuple(follow_ups.get(finding["record"], ()))
            check = Check(code, finding["inspected_on"], _day(published.get(visit["visit_code"])), own)
        checks.setdefault(task, []).append(check)
    return checks


async def _ratios(
    act: Acting, year: int, profile: Any, tasks: Mapping[int, Mapping[str, Any]], picked: list[tuple[int, str]], missing: list[str]
) -> tuple[tuple[Reached, ...], dict[str, tuple[Reached, ...]]]:
    """The ratio of the draws, and of each rider: an entity counts once however many visits carried it."""
    base = await load_base(act, year - 1)
    if base is None:
        missing.append(f"{year - 1} 年底的期末实有数还没有冻结，不能计算抽查比例。")
        return (), {}
    frozen = await years.load_base({act.bureau["id"]}, year - 1)
    assert frozen is not None  # load_base found it
    entities = await directory.load_entities({code for _, code in picked})
    holders = {code: row["holder"] for code, row in entities.items()}
    groups = {row["holder"]: (row["region"] or act.bureau["region"], row["type"]) for row in entities.values()}
    standing = await years.load_standing(frozen["id"], set(holders.values()))
    floors = floors_of(profile, base, min(act.today, date(year, 12, 31))) if profile else {}
    drawn = [(holders[code], groups[holders[code]]) for _, code in picked if code in holders]
    left_out = await years.load_left_out(tasks)
    riding: dict[str, dict[tuple[str, str], set[str]]] = {}
    for task, code in picked:
        if code not in holders:
            continue
        where = standing.get(holders[code], groups[holders[code]])
        for item, _ in plan.items_of(tasks[task])[1:]:
            if (task, code, item) not in left_out:
                riding.setdefault(item, {}).setdefault(where, set()).add(holders[code])
    riders = {item: tuple(rider_reached(base, found, floors)) for item, found in sorted(riding.items())}
    return tuple(reached(base, floors, standing, drawn)), riders

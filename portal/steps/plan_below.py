"""Rows of a plan that the bureaus below draw for themselves (县抽县查): the plan's bureau cannot draw them, each county takes them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain import plan_draft as domain
from portal.domain.errors import NotFound, WrongMoment
from portal.domain.plan_layout import share
from portal.steps.acting import Acting
from portal.steps.plan_draft import begin_draft, begin_plan, load_draft, save_row
from portal.store import accounts, plan
from portal.store import plan_draft as drafts
from portal.store.engine import transaction

BELOW = "below"  # of a row: drawn by the bureaus below


@dataclass(frozen=True, slots=True)
class Below:
    """A row that bureaus below draw: `taken` by those whose own newest plan of the year has it, `waiting` for the others."""

    row: int
    name: str
    taken: tuple[str, ...]
    waiting: tuple[str, ...]


def _same(data: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes it the same row in another plan: category, items, objects and time; a county may draw more."""
    return data["category"], tuple(data["items"]), data["objects"], data["window_text"], data["rides"]


async def _rows(number: int) -> list[dict[str, Any]]:
    return [row for row in await plan.load_plan_rows(number) if row["data"]["drawn_by"] == BELOW]


async def load_below(act: Acting, found: Mapping[str, Any]) -> list[Below]:
    """The rows of a plan (a row of `load_plans`) that the bureaus below draw; a county is told of itself only."""
    rows = await _rows(found["id"])
    if not rows:
        return []
    organisations = await accounts.load_organisations()
    under = accounts.tree_of(organisations, found["organisation"])
    mine = act.tree if found["organisation"] in act.tree else {act.bureau["id"]}
    bureaus = [one for one in organisations if one["kind"] == "bureau" and one["id"] in under & mine and one["id"] != found["organisation"]]
    own: dict[str, set[tuple[Any, ...]]] = {}
    for one in bureaus:
        latest = await plan.load_latest_plan({one["id"]}, found["year"])
        # What it leaves to bureaus further below is not taken over.
        own[one["name"]] = {_same(row["data"]) for row in await plan.load_plan_rows(latest["id"]) if row["data"]["drawn_by"] != BELOW} if latest else set()
    return [
        Below(
            row["row"], row["data"]["task"] or row["data"]["item"], tuple(name for name, has in own.items() if _same(row["data"]) in has),
            tuple(name for name, has in own.items() if _same(row["data"]) not in has),
        )
        for row in rows
    ]  # fmt: skip


async def adopt_below(act: Acting, number: int) -> tuple[int, int]:
    """Take the rows of a plan above that are drawn below into the draft of the own plan; (the draft, how many rows were added).

    The draft is begun from the newest own version, or as the year's first; it becomes a version as every draft does, read
    again by a second person. Rows that plan or draft have already are not added twice. WrongMoment where the plan above is
    not approved or replaced, or nothing is left to add.
    """
    act.require("plan.edit")
    above = next((one for one in await plan.load_plans(frozenset(act.over)) if one["id"] == number), None)
    if above is None:
        raise NotFound("没有这份上级计划，或者它不是本局的上级下达的。")
    year = above["year"]
    if newer := await plan.load_newer_plan(number):
        raise WrongMoment(f"上级 {year} 年度计划第 {newer[1]} 版已由第 {newer[2]} 版替换。请打开第 {newer[2]} 版办理。")
    if above["state"] == "draft":
        raise WrongMoment(f"上级 {year} 年度计划第 {above['version']} 版还没有批准，请等批准后再列入本局计划。")
    waiting = {one.row for one in await load_below(act, above) if one.waiting}
    rows = [row["data"] for row in await _rows(number) if row["row"] in waiting]
    if not rows:
        raise WrongMoment(f"上级 {year} 年度计划中由县级局自行抽取的行，本局的计划里都有了。")
    async with transaction():
        return await _add(act, year, rows)


async def _add(act: Acting, year: int, rows: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    there = await drafts.load_draft_of(act.bureau["id"], year)
    if there is None:
        latest = await plan.load_latest_plan({act.bureau["id"]}, year)
        title = f"{act.bureau['name']}{year}年度“双随机、一公开”抽查工作计划表"
        begun = await begin_draft(act, latest["id"]) if latest else await begin_plan(act, year, title)
    else:
        begun = there["id"]
    view = await load_draft(act, begun)
    known = [_plain(domain.values_of(view.draft, row)) for row in view.draft.rows if not row.gone]
    added = 0
    for values in map(_values, rows):
        if _plain(values) not in known:
            await save_row(act, begun, view.row["n"] + added, 0, values)
            added += 1
    return begun, added


def _values(data: Mapping[str, Any]) -> dict[str, str]:
    """field of a draft -> text, as the row above has it; its number there stays there."""
    texts = {
        "task": data["task"], "category": data["category"], "item": "\n".join(data["items"]), "objects": data["objects"],
        "kind": "重点检查事项" if data["kind"] == "key" else "一般检查事项", "mode": data["mode"], "ratio": data["ratio_text"],
        "window": data["window_text"], "department": data["department"], "partners": data["partners"], "drawn_by": "本级抽取",
        "inspected_by": data["inspected_by"], "method": data["method"], "risk": data["risk"], "basis": data["basis"], "note": data["note"],
    }  # fmt: skip
    texts |= {f"class_{name.lower()}": share(ppm) for name, ppm in data["class_ratios"].items() if name in "ABCD"}
    return {name: text for name, text in texts.items() if text}


def _plain(values: Mapping[str, str]) -> Sequence[str]:
    return [" ".join(values.get(name, "").split()) for name in ("category", "item", "objects", "window")]

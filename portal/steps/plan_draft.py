"""Writing the next version of a plan: begun from the newest version or from nothing, changed row by row, then a version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.domain import plan_draft as domain
from portal.domain.errors import BadInput, NotAllowed, NotFound, Problem, WrongMoment
from portal.domain.import_kinds import KINDS, Reading
from portal.domain.packing import pack
from portal.domain.plan import ParsedPlan, PlanRow, match_items
from portal.domain.plan_draft import Draft, Found
from portal.domain.plan_layout import laid_rows
from portal.domain.tables import Parsed
from portal.steps import plan as steps
from portal.steps.acting import Acting
from portal.steps.profile import load_profile
from portal.store import accounts, directory
from portal.store import plan as plans
from portal.store import plan_draft as store
from portal.store.engine import transaction
from portal.store.locks import hold


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as a planner sees it. `row`: its database row; `base`: the version it changes; `found`: what is to settle;
    `states`: row id -> task | rider | pending; `fixed`: row id -> (task code, why it has begun); `mine`: whether who asks may change it."""

    row: Mapping[str, Any]
    draft: Draft
    base: Mapping[str, Any] | None
    found: tuple[Found, ...]
    states: Mapping[int, str]
    fixed: Mapping[int, tuple[str, str]]
    departments: tuple[str, ...]
    mine: bool

    @property
    def blocking(self) -> int:
        return sum(one.blocks for one in self.found)


# Beginning and ending -----------------------------------------------------------------


async def begin_draft(act: Acting, number: int) -> int:
    """A draft of the version after this one; the draft's number. Raises WrongMoment for a version replaced, or with a draft already."""
    act.require("plan.edit")
    found = next((one for one in await plans.load_plans(frozenset({act.bureau["id"]})) if one["id"] == number), None)
    if found is None:
        raise NotFound("没有这份计划，或者不在您的辖区。")
    rows = [row["data"] for row in await plans.load_plan_rows(number)]
    layout, guessed = steps.layout_of(found)
    draft = domain.draft_of(found["title"], *laid_rows(rows, layout, guessed=guessed))
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if newer := await plans.load_newer_plan(number):
            raise WrongMoment(f"{newer[0]} 年度计划第 {newer[1]} 版已由第 {newer[2]} 版替换。请打开第 {newer[2]} 版修改。")
        return await _begin(act, found["year"], draft, number)


async def begin_plan(act: Acting, year: int, title: str) -> int:
    """A draft of a year's first plan, without rows; its number. Raises WrongMoment where the year has a plan or a draft."""
    act.require("plan.edit")
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if latest := await plans.load_latest_plan({act.bureau["id"]}, year):
            raise WrongMoment(f"{year} 年已有计划（第 {latest['version']} 版）。请打开它修改。")
        return await _begin(act, year, domain.new_draft(title.strip() or f"{year}年度“双随机、一公开”抽查工作计划表"), None)


async def _begin(act: Acting, year: int, draft: Draft, base: int | None) -> int:
    if there := await store.load_draft_of(act.bureau["id"], year):
        names = {account["id"]: account["name"] for account in await accounts.load_accounts()}
        raise WrongMoment(f"{year} 年度计划已有一份修改稿，由{names.get(there['started_by'], '别人')}在写。请在年度计划页打开它。")
    made = await store.save_draft(
        organisation=act.bureau["id"], year=year, base=base, data=domain.draft_data(draft), started_by=act.account, started_at=act.now, changed_at=act.now
    )
    await act.audit("plan.draft.begin", f"plan/{year}", after=_digest(draft), rows=len(draft.rows))
    return made


async def drop_draft(act: Acting, number: int, n: int) -> None:
    """Give a draft up: any planner of the bureau may, or a colleague's would stand in everybody's way."""
    act.require("plan.edit")
    row, draft = await _load(act, number)
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if not await store.delete_draft(number, n):
            raise _overtaken()
        await act.audit("plan.draft.drop", f"plan/{row['year']}", before=_digest(draft))


async def finish_draft(act: Acting, number: int, n: int, reason: str) -> int:
    """The draft becomes the year's next version, to be approved by somebody else; the plan's number.

    Raises BadInput with everything still to settle, for no change at all, and for a version after the first without a reason.
    """
    view = await load_draft(act, number)
    _require_mine(view)
    reason = reason.strip()
    if view.base is not None and not view.draft.changed:
        raise BadInput("修改稿与原来的一版完全相同，没有可以保存的修改。不改的话，请放弃这份修改稿。")
    if view.base is not None and not reason:
        raise BadInput("请写明调整的理由，它与新的一版一起保存。", [Problem("reason", "“调整的理由”没有填写。")])
    if blocking := [one for one in view.found if one.blocks]:
        raise BadInput(f"还有 {len(blocking)} 处必须解决，解决后才能保存为新的一版。", [Problem("", _said(view, one)) for one in blocking])
    parsed, _ = _read(act, view.row, view.draft)
    parsed, _ = await steps.check_plan(act, parsed)
    parsed.require_no_errors("修改稿")
    sheet, _ = domain.sheet_of(view.draft)
    digest = hashlib.sha256(pack([[str(cell) for cell in row] for row in sheet.rows]).encode()).hexdigest()
    async with transaction():
        await hold("bureau", act.bureau["id"])
        latest = await plans.load_latest_plan({act.bureau["id"]}, view.row["year"])
        if (latest["id"] if latest else None) != view.row["base"]:
            raise WrongMoment(f"写这份修改稿时，{view.row['year']} 年度计划又有了第 {latest['version'] if latest else 0} 版。请放弃这份修改稿，在新的一版上修改。")
        if not await store.delete_draft(number, n):
            raise _overtaken()
        await steps.save_plan(act, parsed, digest, reason, "plan.edit")
        made = await plans.load_latest_plan({act.bureau["id"]}, view.row["year"])
    assert made is not None
    return made["id"]


# Rows ---------------------------------------------------------------------------------


async def save_row(act: Acting, number: int, n: int, id: int, values: Mapping[str, str]) -> int:
    """Change a row, or with id 0 add one; `values`: field of domain FIELDS -> text. The row's id.

    `n`: how many changes the draft had seen when it was shown; WrongMoment where there were more since.
    """
    if unknown := sorted(values.keys() - set(domain.FIELDS)):
        raise BadInput(f"计划行没有“{unknown[0][:20]}”这一栏。")
    if id:
        await _change(act, number, n, "plan.draft.row", lambda draft, _: domain.change_row(draft, id, values), id)
        return id
    changed = await _change(act, number, n, "plan.draft.row", lambda draft, _: domain.add_row(draft, values), 0)
    return changed.rows[-1].id


async def settle_row(act: Acting, number: int, n: int, id: int, keep: str) -> None:
    """Of a row that says both ratio and count, keep one (`keep`: ratio | count)."""
    act.require("plan.edit")

    def settled(draft: Draft, row: Mapping[str, Any]) -> Draft:
        draft.row(id)
        parsed, ids = _read(act, row, draft)
        found = next((one for one in parsed.rows if ids[one.row] == id and one.part == 0), None)
        if found is None:
            raise WrongMoment("这一行已经撤下。请先恢复，再修改。")
        return domain.settle_row(draft, id, found, keep)

    await _change(act, number, n, "plan.draft.row", settled, id)


async def withdraw_row(act: Acting, number: int, n: int, id: int) -> None:
    await _change(act, number, n, "plan.draft.withdraw", lambda draft, _: domain.withdraw_row(draft, id), id)


async def restore_row(act: Acting, number: int, n: int, id: int) -> None:
    """A row as it was in the version the draft changes, withdrawn or not."""
    await _change(act, number, n, "plan.draft.restore", lambda draft, _: domain.restore_row(draft, id), id)


async def _change(
    act: Acting, number: int, n: int, doing: str, change: Callable[[Draft, Mapping[str, Any]], Draft], id: int
) -> Draft:
    act.require("plan.edit")
    async with transaction():
        await hold("bureau", act.bureau["id"])
        row, draft = await _load(act, number)
        if row["started_by"] != act.account:
            raise _not_mine()
        if row["n"] != n:
            raise _overtaken()
        changed = change(draft, row)
        await store.update_draft(number, n, domain.draft_data(changed), act.now)
        await act.audit(doing, f"plan/{row['year']}", before=_digest(draft), after=_digest(changed), row=id or changed.rows[-1].id)
    return changed


# Looking ------------------------------------------------------------------------------


async def load_draft(act: Acting, number: int) -> DraftView:
    """A draft of the own bureau with everything still to settle."""
    act.require("plan.edit")
    row, draft = await _load(act, number)
    base = next((one for one in await plans.load_plans(frozenset({act.bureau["id"]})) if one["id"] == row["base"]), None)
    tasks = {task["row"]: task for task in await plans.load_tasks(act.tree, base["id"])} if base else {}
    begun = await steps.load_fixed(list(tasks.values()))
    fixed = {
        one.id: (tasks[one.line]["code"], begun[tasks[one.line]["id"]])
        for one in draft.rows if one.line in tasks and tasks[one.line]["id"] in begun
    }  # fmt: skip
    departments = await _departments(act)
    try:
        parsed, ids = _read(act, row, draft)
    except BadInput as nothing:  # no row at all
        found = (Found(0, "", nothing.message, True),)
        return DraftView(row, draft, base, found, {}, fixed, departments, row["started_by"] == act.account)
    plan: ParsedPlan = replace(parsed.whole, rows=tuple(steps.drawn_here(act, parsed.whole.rows)))
    matched = match_items(plan.rows, act.sectors.items)
    known = {(one.row, one.part) for one, code in matched if code is not None}
    profile = await load_profile(act)
    ruled = {one.row for one, code in matched if code is not None and one.part == 0 and steps.has_ratios(profile, code, one, plan.year)}
    found = domain.check_rows(draft, plan, ids, act.today, known=known, departments=set(departments), fixed=set(fixed), ruled=ruled)
    found += _broken(act, draft, plan, ids, fixed, tasks)
    idle = steps.idle_partners(act, plan.rows, await accounts.load_partners(act.bureau["id"]))
    found += [Found(ids[one.row], "partners" if one.partners else "department", message, False) for one, _, message in idle]
    states = {ids[one.row]: "pending" if (one.row, 0) not in known else "rider" if one.rides else "task" for one in plan.rows if one.part == 0}
    return DraftView(row, draft, base, tuple(found), states, fixed, departments, row["started_by"] == act.account)


def _broken(
    act: Acting, draft: Draft, plan: ParsedPlan, ids: Mapping[int, int], fixed: Mapping[int, tuple[str, str]], tasks: Mapping[int, Mapping[str, Any]]
) -> list[Found]:
    """Rows of tasks that have begun and no longer say what they are drawn by."""
    rows = {ids[one.row]: (one, code) for one, code in match_items(plan.rows, act.sectors.items) if one.part == 0}
    found = []
    for one in draft.rows:
        if one.id not in fixed or not one.state:
            continue
        code, why = fixed[one.id]
        kept = one.id in rows and rows[one.id][1] and steps.is_same_task(act, *rows[one.id], tasks[one.line], plan.year)
        if one.gone:
            found.append(Found(one.id, "", f"任务 {code} {why}，这一行不能撤下。请恢复。", True))
        elif not kept:
            found.append(Found(one.id, "", f"任务 {code} {why}，事项、对象、比例、时间和抽取方式不能再改。请恢复这一行；要增加抽查的，请另加一行。", True))
    return found


async def _load(act: Acting, number: int) -> tuple[dict[str, Any], Draft]:
    row = await store.load_draft(number, frozenset({act.bureau["id"]}))
    return row, domain.parse_draft(row["data"])


def _read(act: Acting, row: Mapping[str, Any], draft: Draft) -> tuple[Parsed[PlanRow], dict[int, int]]:
    """(the draft read as a file would be, file row -> id of its row)."""
    sheet, ids = domain.sheet_of(draft)
    return KINDS["plan"].parse(sheet, Reading(act.today, domain.aliases_of(draft.layout), {"year": str(row["year"])})), ids


async def _departments(act: Acting) -> tuple[str, ...]:
    """The names of departments in use here: organisations, sectors' departments, where inspectors work."""
    names = {one["name"] for one in await accounts.load_organisations() if one["id"] in act.line}
    names |= {sector.department for sector in act.sectors.sectors.values() if sector.department}
    names |= {person["department"] for person in await directory.load_inspectors(act.joint) if person["department"]}
    if "市场监督管理" in act.bureau["name"]:
        names |= {"市场监督管理局", "市场监管局"}  # as plans of several departments call it
    return tuple(sorted(names))


def _said(view: DraftView, one: Found) -> str:
    where = next((n for n, row in enumerate(view.draft.rows, 1) if row.id == one.row), 0)
    title = domain.titles_of(view.draft.layout).get(one.field, "")
    return str(Problem(title, one.message, where))


def _digest(draft: Draft) -> str:
    return hashlib.sha256(pack(domain.draft_data(draft)).encode()).hexdigest()


def _require_mine(view: DraftView) -> None:
    if not view.mine:
        raise _not_mine()


def _not_mine() -> NotAllowed:
    return NotAllowed("这份修改稿由别人在写，只有本人能修改和保存。需要时可以放弃它，重新开始。")


def _overtaken() -> WrongMoment:
    return WrongMoment("这份修改稿刚才在别处改过，这次没有保存。请与现在的内容核对后再保存。")

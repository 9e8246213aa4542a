"""Importing lists drawn above or on another platform (外部抽取): matched to the directory, labelled, never verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from portal.domain.errors import Problem
from portal.domain.external import ExternalRow
from portal.domain.import_kinds import Reading
from portal.domain.tables import Parsed
from portal.steps.acting import Acting
from portal.steps.directory import own_codes
from portal.store import accounts, plan
from portal.store import imports as store
from portal.store.locks import hold


async def check_external(act: Acting, parsed: Parsed[ExternalRow], reading: Reading) -> tuple[Parsed[ExternalRow], dict[str, int]]:
    """Where, when and for which task each row was drawn; codes found by name; those not in the directory listed."""
    tree = accounts.tree_of(await accounts.load_organisations(), act.bureau["id"])
    tasks = _by_word(await plan.load_current_tasks(tree))
    names = await store.load_names({row.name for row in parsed.rows if not row.code}, tree)
    titles = {name: title for title, name in parsed.headings.known}
    errors, warnings, rows = [], [], []
    for row, line in zip(parsed.rows, parsed.lines, strict=True):
        said = reading.options
        drawn_on = row.drawn_on or (date.fromisoformat(said["drawn_on"]) if said.get("drawn_on") else None)
        row = replace(row, platform=row.platform or said.get("platform", ""), task=row.task or said.get("task", ""), drawn_on=drawn_on)
        if not row.code and len(found := names.get(row.name, [])) == 1:
            warnings.append(Problem(titles["name"], f"没有代码，按名称对照为 {found[0]}。请核对。", line))
            row = replace(row, code=found[0])
        elif not row.code:
            many = f"名录中有 {len(found)} 户叫这个名称" if found else "名录中也没有这个名称"
            errors.append(Problem(titles["name"], f"“{row.name}”没有代码，{many}。请补上代码。", line))
        if not row.platform:
            errors.append(Problem(titles.get("platform", "来源平台"), "没有写明在哪里抽取。请补上，或在导入时填写来源平台。", line))
        if row.drawn_on is None:
            errors.append(Problem(titles.get("drawn_on", "抽取日期"), "没有写明抽取日期。请补上，或在导入时填写抽取日期。", line))
        elif row.drawn_on > act.today:
            errors.append(Problem(titles.get("drawn_on", "抽取日期"), f"{row.drawn_on} 在今天之后。请核对日期。", line))
        task = tasks.get(row.task)
        if task is not None and task["drawn_by"] == "here":
            errors.append(Problem(titles.get("task", "抽查任务"), f"任务 {task['code']} 由本局抽取，不能用外部名单代替。请核对任务编号。", line))
        elif row.task and task is None:
            warnings.append(Problem(titles.get("task", "抽查任务"), f"计划中没有任务“{row.task[:40]}”，名单照存，暂不对应任务。", line))
        rows.append(row)
    mine, foreign = await own_codes(act, [row.code for row in rows if row.code])
    warnings += [
        Problem(titles.get("code", ""), f"代码 {row.code} 在其他单位的名录中，名单照存，本局不安排检查。请转交该单位。", line)
        for row, line in zip(rows, parsed.lines, strict=True) if row.code in foreign
    ] + [
        Problem(titles.get("code", ""), f"检查对象名录中没有代码 {row.code}，名单照存。请先补录名录，再安排检查。", line)
        for row, line in zip(rows, parsed.lines, strict=True) if row.code and row.code not in mine and row.code not in foreign
    ]  # fmt: skip
    parsed = replace(parsed, rows=tuple(rows)).found(errors, sorted(warnings, key=lambda problem: problem.row))
    matched = sum(row.code in mine for row in parsed.rows)
    return parsed, {"名录中有": matched, "名录中没有": len(parsed.rows) - matched}


def _by_word(tasks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Tasks by code, and by name where only one is called so."""
    found: dict[str, dict[str, Any]] = {}
    names: dict[str, list[dict[str, Any]]] = {}
    for task in tasks:
        names.setdefault(task["name"], []).append(task)
    found |= {name: several[0] for name, several in names.items() if len(several) == 1}
    return found | {task["code"]: task for task in tasks}


async def save_external(act: Acting, parsed: Parsed[ExternalRow], digest: str) -> dict[str, int]:
    """One list for each (task, platform, day) of the file."""
    tree = accounts.tree_of(await accounts.load_organisations(), act.bureau["id"])
    await hold("bureau", act.bureau["id"])
    tasks = _by_word(await plan.load_current_tasks(tree))
    mine, _ = await own_codes(act, [row.code for row in parsed.rows])
    lists: dict[tuple[str, str, date], list[dict[str, Any]]] = {}
    for row, line in zip(parsed.rows, parsed.lines, strict=True):
        assert row.drawn_on is not None  # check_external
        lists.setdefault((row.task, row.platform, row.drawn_on), []).append(_entry(row, line, row.code in mine))
    for (word, platform, on), entries in sorted(lists.items()):
        task: Mapping[str, Any] | None = tasks.get(word)
        await store.save_external_list(
            {
                "organisation": act.bureau["id"], "task": task["id"] if task else None, "title": task["name"] if task else word or f"{platform}抽取名单",
                "platform": platform, "drawn_on": on, "size": len(entries), "matched": sum(one["matched"] for one in entries),
                "file_digest": digest, "imported_by": act.account, "imported_at": act.now,
            },
            entries,
        )  # fmt: skip
    matched = sum(row.code in mine for row in parsed.rows)
    await act.audit("draw.import", "external", after=digest, count=len(parsed.rows), lists=len(lists))
    return {"读入": len(parsed.rows), "名单": len(lists), "名录中有": matched, "名录中没有": len(parsed.rows) - matched}


def _entry(row: ExternalRow, line: int, matched: bool) -> dict[str, Any]:
    data = {"item": row.item, "station": row.station, **({"columns": dict(row.columns)} if row.columns else {})}
    return {"row": line, "code": row.code, "name": row.name, "matched": matched, "data": data}

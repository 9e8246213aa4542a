"""Item lists from spreadsheets: with the forms beside them a sector without Python."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.declarations import check_item, item_to_data
from portal.domain.errors import BadInput, Problem, WrongMoment
from portal.domain.import_kinds import Reading
from portal.domain.imports import NEW, SAME, UPDATED
from portal.domain.model import CheckItem, PoolRule
from portal.domain.packing import pack
from portal.domain.sheet_items import ListedItem, rule_data
from portal.domain.tables import Parsed
from portal.steps.acting import Acting
from portal.steps.sheet_forms import NewSector, open_again, require_own, require_sector, save_new_sector
from portal.store import plan
from portal.store import sheet_sectors as store
from portal.store.locks import hold
from portal.store.tables import Item

__all__ = ["check_items", "save_items"]

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,29}")


@dataclass(frozen=True, slots=True)
class _Here:
    """What a sector has already: `kept`: (code, version) -> digest of item and rule; `newest`: name -> item; `forms`: code -> title; `last`: the highest number given."""

    kept: Mapping[tuple[str, str], str]
    newest: Mapping[str, CheckItem]
    forms: Mapping[str, str]
    last: int


async def check_items(act: Acting, parsed: Parsed[Any], reading: Reading) -> tuple[Parsed[Any], dict[str, int]]:
    """Codes, versions and forms settled; rows become (item, rule). Errors name the row where a form is not there or a version says something else."""
    sector = reading.options.get("sector", "")
    if not sector:
        raise BadInput("请写明业务模块的代码。", [Problem("sector", "请填写业务模块的代码，例如 toys。")])
    new = _new(reading)
    require_sector(act, sector, new)
    await require_own(act, sector)
    if sector in act.sectors.modules.sectors:
        raise BadInput(f"业务模块“{act.sectors.sectors[sector].name}”是程序模块，它的事项由程序提供，不能用表格增加。请另取一个代码。")
    here = await _here(act, sector)
    titles = {name: title for title, name in parsed.headings.known}
    settled: list[Any] = []
    errors: list[Problem] = []
    number = here.last
    counts = {NEW: 0, UPDATED: 0, SAME: 0}
    others = {name: item for item in act.sectors.items if not item.code.startswith(f"{sector}.") for name in (item.name, *item.aliases)}
    for row, line in zip(parsed.rows, parsed.lines, strict=True):
        known = here.newest.get(row.item.name)
        if not row.item.code and not known:
            number += 1
        item, wrong = _settle(act, sector, row, here, known, number, reading)
        if (same := others.get(item.name)) and same.category == item.category:
            wrong.append(("name", f"与“{same.code}”同类别、同名称，计划中分不清是哪一项。请改写名称。"))
        errors += [Problem(titles.get(name, _USUAL[name]), message, line) for name, message in wrong]
        settled.append((item, row.rule))
        if not wrong:
            state = SAME if here.kept.get((item.code, item.version)) else UPDATED if any(code == item.code for code, _ in here.kept) else NEW
            counts[state] += 1
    errors += _twice(settled, parsed.lines, titles)
    listed = {item.code for item, _ in settled}
    left = sum(item.code not in listed for item in here.newest.values())
    return replace(parsed, rows=tuple(settled)).found(errors), {**counts, "清单以外仍有效的事项": left}


_USUAL = {"form": "检查表单", "version": "版本", "code": "事项代码", "name": "抽查事项", "basis": "检查依据", "category": "抽查类别"}


def _twice(settled: list[tuple[CheckItem, PoolRule]], lines: tuple[int, ...], titles: Mapping[str, str]) -> list[Problem]:
    first: dict[str, int] = {}
    found = []
    for (item, _), line in zip(settled, lines, strict=True):
        if (before := first.setdefault(item.code, line)) != line:
            found.append(Problem(titles.get("code", "事项代码"), f"代码 {item.code} 与第 {before} 行重复。请只保留一行或改写代码。", line))
    return found


def _new(reading: Reading) -> NewSector | None:
    name = reading.options.get("name", "")
    return NewSector(name, reading.options.get("department", "")) if name else None


async def _here(act: Acting, sector: str) -> _Here:
    rows = [row for row in await store.load_sheet_versions() if row["kind"] == "item" and row["sector"] == sector]
    newest = {item.name: item for item in {item.code: item for item in act.sectors.items if item.code.startswith(f"{sector}.")}.values()}
    numbers = [int(found[1]) for row in rows if (found := re.fullmatch(r".*\.item_(\d{1,6})", row["code"]))]
    return _Here(
        {(row["code"], row["version"]): _mark(row["data"], row["rule"]) for row in rows}, newest,
        {form.code: form.title for form in act.sectors.forms if form.code.startswith(f"{sector}.")}, max(numbers, default=0),
    )  # fmt: skip


def _mark(data: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    return hashlib.sha256(pack([data, rule]).encode()).hexdigest()


def _settle(
    act: Acting, sector: str, row: ListedItem, here: _Here, known: CheckItem | None, number: int, reading: Reading
) -> tuple[CheckItem, list[tuple[str, str]]]:
    """The item as it would be kept, and what is wrong with it: (field, sentence)."""
    wrong: list[tuple[str, str]] = []
    written = row.item.code.removeprefix(f"{sector}.")
    if "." in written:
        wrong.append(("code", f"“{row.item.code}”不是这个模块的代码，应以“{sector}.”开头，或不写前缀。"))
    code = f"{sector}.{written}" if written else known.code if known else f"{sector}.item_{number}"
    known = next((item for item in here.newest.values() if item.code == code), None)
    form = _form(row.item.form, sector, here, known)
    if not form:
        there = "、".join(f"{one.removeprefix(f'{sector}.')}（{title}）" for one, title in here.forms.items()) or "无，请先导入检查表单"
        wrong.append(("form", f"没有检查表单“{row.item.form[:40]}”，本模块的表单：{there}。" if row.item.form else f"没有写检查表单，本模块的表单：{there}。"))
    stated = row.item.version or reading.options.get("version", "")
    if stated and not _VERSION.fullmatch(stated):
        wrong.append(("version", f"版本“{stated[:40]}”不对，应形如 2026-1，最多 30 个字符。"))
    item = replace(
        row.item, code=code, form=form or f"{sector}.none", version=stated or (known.version if known else "1"),
        valid_from=row.item.valid_from if row.dated else known.valid_from if known else act.today,
    )  # fmt: skip
    kept = here.kept.get((item.code, item.version))
    if kept and kept != _mark(item_to_data(item), rule_data(row.rule)):
        wrong.append(("version", f"事项 {item.code} 的 {item.version} 版已经有了，内容不同。用过的版本不再改动，请写新的版本。"))
    wrong += [(problem.field, problem.message) for problem in check_item(item) if problem.field in _USUAL and not wrong]
    return item, wrong


def _form(written: str, sector: str, here: _Here, known: CheckItem | None) -> str:
    """The form a row means by code, code without prefix or title; nothing written: the one there is."""
    if not written:
        return known.form if known else next(iter(here.forms)) if len(here.forms) == 1 else ""
    code = written if written in here.forms else f"{sector}.{written.lower()}"
    titled = [one for one, title in here.forms.items() if title == written]
    return code if code in here.forms else titled[0] if len(titled) == 1 else ""


async def save_items(act: Acting, parsed: Parsed[Any], digest: str, reading: Reading) -> tuple[dict[str, int], tuple[Problem, ...]]:
    """Keep the new versions in the caller's transaction."""
    sector = reading.options["sector"]
    await hold("bureau", act.top["id"])
    act = await open_again(act)  # somebody may have imported the same a moment ago
    await require_own(act, sector)
    here = await _here(act, sector)
    made = await save_new_sector(act, sector, _new(reading))
    fresh: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    counts = {NEW: 0, UPDATED: 0, SAME: 0}
    for item, rule in parsed.rows:
        data, kept = item_to_data(item), here.kept.get((item.code, item.version))
        if kept and kept != _mark(data, rule_data(rule)):
            raise WrongMoment(f"事项 {item.code} 的 {item.version} 版刚刚由别人导入，内容不同。请重新上传后再看。")
        counts[SAME if kept else UPDATED if any(code == item.code for code, _ in here.kept) else NEW] += 1
        if not kept:
            packed = pack(data)
            own = hashlib.sha256(packed.encode()).hexdigest()
            fresh.append({"code": item.code, "version": item.version, "sector": sector, "data": packed, "digest": own})
            notes.append({
                "sector": sector, "kind": "item", "code": item.code, "version": item.version, "rule": pack(rule_data(rule)),
                "name": "随机抽查事项清单", "file_digest": digest, "imported_by": act.account, "imported_at": act.now,
            })  # fmt: skip
    await hold("chain")
    await plan.save_declared(Item, fresh, act.now)
    await store.save_sheet_versions(notes)
    await act.audit("sheets.items", f"sector/{sector}", after=digest, count=len(fresh), items=[f"{one['code']} {one['version']}" for one in fresh])
    return {**counts, **({"新建业务模块": 1} if made else {})}, ()

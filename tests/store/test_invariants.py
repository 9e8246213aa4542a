"""What the database itself refuses: every rule of invariants.py, one at a time, by direct statements.

Each guard is tried alone (the other guards of its table taken away), so that it
is this rule that refuses and no other.
"""

from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from portal.domain.errors import WrongMoment
from portal.store import engine, invariants, tables
from portal.store.tables import Account, Exclusion, FollowUp, InspectionRecord, Load, LoadPart, Organisation, Pool, Task
from tests.office import become_owner

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owned(published):
    """The published stage, opened with every right: here it is the rules that refuse."""
    await become_owner()
    return published


TABLES = {table._meta.tablename: table for table in tables.ALL}
GUARDS = invariants.guards()


async def _ddl(*statements: str) -> None:
    async with engine.transaction():
        for statement in statements:
            await engine.current_engine().run_ddl(statement)


statements = cache(invariants.statements)


def _installing(name: str) -> list[str]:
    """The statements of invariants.py that install one guard."""
    return [one for one in statements(engine.current_engine().engine_type) if f"{name} " in one or f"{name}()" in one]


def _dropping(guard: invariants.Guard) -> str:
    on = "" if engine.current_engine().engine_type == "sqlite" else f' ON "{guard.table}"'
    return f"DROP TRIGGER IF EXISTS {guard.name}{on}"


@asynccontextmanager
async def _without_guards(table: str, *, but: invariants.Guard | None = None):
    mine = [guard for guard in GUARDS if guard.table == table and guard != but]
    await _ddl(*(_dropping(guard) for guard in mine))
    yield
    await _ddl(*(statement for guard in mine for statement in _installing(guard.name)))


async def _an_upload(bureau: dict, account: dict) -> None:
    await tables.Upload.insert(tables.Upload(organisation=bureau["id"], kind="entities", digest="0" * 64, uploaded_by=account["id"])).run()


async def _an_alias(bureau: dict, account: dict) -> None:
    await tables.HeadingAlias.insert(tables.HeadingAlias(organisation=bureau["id"], kind="entities", wording="简称", field="name", by=account["id"])).run()


async def _a_code(bureau: dict, account: dict) -> None:
    await tables.AcceptedCode.insert(tables.AcceptedCode(organisation=bureau["id"], code="X", reason="已核对", by=account["id"])).run()


async def _a_class(bureau: dict, account: dict) -> None:
    made = await tables.ClassVersion.insert(tables.ClassVersion(organisation=bureau["id"], classed_on=date(2026, 1, 1), imported_by=account["id"])).run()
    await tables.EntityClass.insert(tables.EntityClass(version=made[0]["id"], code="X", risk_class="A")).run()


async def _an_adjustment(bureau: dict, account: dict) -> None:
    await tables.ClassAdjustment.insert(tables.ClassAdjustment(organisation=bureau["id"], code="X", scale="credit", entered_by=account["id"])).run()


async def _a_register_entry(bureau: dict, account: dict) -> None:
    await tables.RegisterEntry.insert(tables.RegisterEntry(organisation=bureau["id"], register="食品生产", code="X", imported_by=account["id"])).run()


async def _an_external_list(bureau: dict, account: dict) -> None:
    made = await tables.ExternalList.insert(tables.ExternalList(organisation=bureau["id"], platform="省平台", imported_by=account["id"])).run()
    await tables.ExternalEntry.insert(tables.ExternalEntry(external=made[0]["id"], row=2, code="X")).run()


async def _a_sheet_sector(bureau: dict, account: dict) -> None:
    await tables.SheetSector.insert(tables.SheetSector(code="toys", name="玩具", organisation=bureau["id"], made_by=account["id"])).run()


async def _a_sheet_version(bureau: dict, account: dict) -> None:
    made = tables.SheetVersion(sector="toys", kind="form", code="toys.shop", version="1", imported_by=account["id"])
    await tables.SheetVersion.insert(made).run()


#: what only an imported file makes
OF_FILES = {
    "upload": _an_upload, "heading_alias": _an_alias, "accepted_code": _a_code, "class_version": _a_class, "entity_class": _a_class,
    "class_adjustment": _an_adjustment,
    "sheet_sector": _a_sheet_sector, "sheet_version": _a_sheet_version, "register_entry": _a_register_entry, "external_list": _an_external_list, "external_entry": _an_external_list,
}


async def _a_change() -> dict:
    first, second = await Account.select(Account.id).order_by(Account.id).limit(2).run()
    return {"account": first["id"], "kind": "create", "proposed_by": second["id"]}


async def _a_base() -> dict:
    base = await tables.YearBase.select().first().run()
    if base is None:
        made = await tables.YearBase.insert(tables.YearBase(**await _of_bureau(year=2025, size=1, frozen_by=await _somebody())())).run()
        return {"base": made[0]["id"], "code": "X"}
    return {"base": base["id"], "code": "X"}


async def _somebody() -> int:
    return (await Account.select(Account.id).first().run())["id"]


def _of_bureau(**values):
    async def made() -> dict:
        given = {name: await _somebody() if value is _somebody else value for name, value in values.items()}
        return {"organisation": (await Organisation.select(Organisation.id).first().run())["id"], **given}

    return made


def _of_plan(**values):
    async def made() -> dict:
        given = {name: await _somebody() if value is _somebody else value for name, value in values.items()}
        return {"plan": (await tables.Plan.select(tables.Plan.id).first().run())["id"], **given}

    return made


async def _a_dismissal() -> dict:
    round_ = await tables.Round.select(tables.Round.id).first().run()
    return {"round": round_["id"], "task": (await Task.select(Task.id).first().run())["id"], "code": "X", "rule": "item_year"}


async def _an_attachment() -> dict:
    visit = await tables.Visit.select(tables.Visit.id, tables.Visit.organisation).first().run()
    return {
        "code": "F" + "0" * 24, "visit": visit["id"], "organisation": visit["organisation"], "kind": "photo", "original": "0" * 64, "size": 1,
        "data": b"x", "saved_by": await _somebody(),
    }  # fmt: skip


async def _a_closing() -> dict:
    link = await tables.VisitTask.select(tables.VisitTask.visit, tables.VisitTask.task).first().run()
    round_ = await tables.Round.select(tables.Round.id).first().run()
    return {"round": round_["id"], **link, "status": "注销", "reason": "测试"}


async def _a_correction() -> dict:
    publication = await tables.Publication.select(tables.Publication.id, tables.Publication.organisation).first().run()
    return {
        "organisation": publication["organisation"], "key": "V", "publication": publication["id"], "field": "town", "old": "甲", "new": "乙", "reason": "x",
        "entered_by": await _somebody(),
    }  # fmt: skip


#: tables of the year that no stage of the walk fills -> the values of a row
OF_THE_YEAR = {
    "profile": _of_bureau(data="{}", saved_by=_somebody), "year_base": _of_bureau(year=2025, size=1, frozen_by=_somebody),
    "base_entity": _a_base, "plan_measure": _of_plan(row=3, region="359921", type="企业"), "dismissal": _a_dismissal, "closing": _a_closing,
    "simulation": _of_plan(seed=1, runs=1, made_by=_somebody), "peace": _of_bureau(holder="X", since=date(2026, 1, 1), entered_by=_somebody),
    "withdrawal": _of_bureau(key="V", kind="withdraw", since=date(2026, 7, 4), reason="x", entered_by=_somebody), "correction": _a_correction,
    "attachment": _an_attachment, "account_change": _a_change, "plan_draft": _of_bureau(year=2027, started_by=_somebody),

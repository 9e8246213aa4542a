"""What the database itself refuses: every rule of invariants.py, one at a time, by direct statements.

Each guard and each unique index is tried alone (all others taken away), so that
it is this rule that refuses and no other.  Whatever comes through is taken back,
or is in nobody's way: a test tries all its rules in one database.
"""

from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta

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


class Rules:
    """All guards and unique indexes of a database, none of them at work: a test sets up the one it is about, as it had been installed."""

    def __init__(self, installed: dict[str, tuple[str, str]]):
        self.installed = installed  # name -> table, the statement that makes it

    async def take_away(self) -> None:
        drops = [self._dropping(name) for name in self.installed]
        if engine.current_engine().engine_type == "postgres":  # at once
            drops = [f"DO $$ BEGIN {'; '.join(drops)}; END $$"]
        await _ddl(*drops)

    def _dropping(self, name: str) -> str:
        table, made_by = self.installed[name]
        if "TRIGGER" not in made_by.split("(")[0]:
            return f"DROP INDEX {name}"
        return f"DROP TRIGGER {name}" + (f' ON "{table}"' if engine.current_engine().engine_type == "postgres" else "")

    @asynccontextmanager
    async def only(self, *names: str):
        """Only these are at work."""
        await _ddl(*(self.installed[name][1] for name in names))
        try:
            yield
        finally:
            await _ddl(*(self._dropping(name) for name in names))


INSTALLED = {
    "sqlite": "SELECT name, tbl_name AS \"table\", sql FROM sqlite_master WHERE type IN ('trigger', 'index')",
    "postgres": "SELECT tgname AS name, tgrelid::regclass::text AS \"table\", pg_get_triggerdef(oid) AS sql FROM pg_trigger WHERE NOT tgisinternal "
    "UNION ALL SELECT indexname, tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


@pytest.fixture
async def rules(owned) -> Rules:
    found = {row["name"]: (row["table"], row["sql"]) for row in await tables.Setting.raw(INSTALLED[engine.current_engine().engine_type]).run()}
    names = [guard.name for guard in GUARDS] + [one[0] for one in invariants.UNIQUE]
    rules = Rules({name: found[name] for name in names})  # each is there
    await rules.take_away()
    return rules


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


async def _a_step() -> dict:
    follow_up = await _a_row("follow_up")
    return {"follow_up": follow_up["id"], "n": 1, "act": "issue", "state": "issued", "by": await _somebody()}


async def _a_paper_copy() -> dict:
    attachment = await _a_row("attachment")
    return {"visit": attachment["visit"], "form_code": "a.b", "attachment": attachment["id"], "inspected_on": date(2026, 6, 30), "by": await _somebody()}


async def _a_move() -> dict:
    visit = await tables.Visit.select(tables.Visit.id, tables.Visit.day).first().run()
    return {"visit": visit["id"], "day_from": visit["day"], "day_to": date(2026, 12, 31), "reason": "停业", "by": await _somebody()}


async def _a_remark() -> dict:
    record = await InspectionRecord.select(InspectionRecord.id).first().run()
    return {"record": record["id"], "n": 1, "point": "note", "note": "写清楚", "by": await _somebody()}


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


async def _a_document() -> dict:
    visit = await tables.Visit.select(tables.Visit.id, tables.Visit.organisation).first().run()
    return {
        "organisation": visit["organisation"], "kind": "notice", "number": "望市监检通〔2026〕1号", "year": 2026, "n": 1, "visit": visit["id"], "subject": "X",
        "data": "{}", "digest": "0" * 64, "issued_by": await _somebody(),
    }  # fmt: skip


#: tables of the year that no stage of the walk fills -> the values of a row
OF_THE_YEAR = {
    "profile": _of_bureau(data="{}", saved_by=_somebody), "year_base": _of_bureau(year=2025, size=1, frozen_by=_somebody),
    "base_entity": _a_base, "plan_measure": _of_plan(row=3, region="359921", type="企业"), "dismissal": _a_dismissal, "closing": _a_closing,
    "simulation": _of_plan(seed=1, runs=1, made_by=_somebody), "peace": _of_bureau(holder="X", since=date(2026, 1, 1), entered_by=_somebody),
    "withdrawal": _of_bureau(key="V", kind="withdraw", since=date(2026, 7, 4), reason="x", entered_by=_somebody), "correction": _a_correction,
    "attachment": _an_attachment, "document": _a_document, "account_change": _a_change, "plan_draft": _of_bureau(year=2027, started_by=_somebody),
    "follow_up_event": _a_step, "remark": _a_remark, "paper_copy": _a_paper_copy, "visit_move": _a_move,
    "allowance": _of_bureau(holder="X", reason="complaint", since=date(2026, 1, 1), entered_by=_somebody),
}  # fmt: skip


async def _a_row(name: str) -> dict:
    table = TABLES[name]
    row = await table.select().order_by(table._meta.primary_key).first().run()
    if row is None and name == "exclusion":
        pool = await Pool.select(Pool.id).first().run()
        await Exclusion.insert(Exclusion(pool=pool["id"], code="X", rule="sector", reason="测试")).run()
    elif row is None and name == "follow_up":
        record = await InspectionRecord.select(InspectionRecord.id).first().run()
        account = await Account.select(Account.id).first().run()
        await FollowUp.insert(FollowUp(record=record["id"], kind="rectify", confirmed_by=account["id"])).run()
    elif row is None and name in ("load", "load_part"):
        account = await Account.select(Account.id, Account.organisation).first().run()
        load = Load(what="entities", organisation=account["organisation"], begun_by=account["id"], parts=1)
        await Load.insert(load).run()
        await LoadPart.insert(LoadPart(load=load.id, data=b"X\n")).run()
    elif row is None and name in OF_FILES:
        await OF_FILES[name](await Organisation.select(Organisation.id).first().run(), await Account.select(Account.id).first().run())
    elif row is None and name in OF_THE_YEAR:
        await TABLES[name].insert(TABLES[name](**await OF_THE_YEAR[name]())).run()
    elif row is None and name in ("placement", "station_area"):
        account, organisation = await Account.select(Account.id).first().run(), await Organisation.select(Organisation.id).first().run()
        who, where = {"account": account["id"]}, {"organisation": organisation["id"]}
        values = {
            "placement": {"entity_code": "X", "why": "地址写明。", **who, **where},
            "station_area": {"street": "359921100", **where},
        }[name]  # fmt: skip
        await table.insert(table(**values)).run()
    row = row or await table.select().first().run()
    assert row is not None, f"the published stage should hold a row of {name}"
    return row


async def _insert(name: str, /, **values) -> None:
    async with engine.transaction():
        await TABLES[name].insert(TABLES[name](**values)).run()


async def _update(name: str, row: int, /, **values) -> None:
    table = TABLES[name]
    async with engine.transaction():
        await table.update(values, force=True).where(table._meta.primary_key == row).run()


async def _delete(name: str, row: int) -> None:
    table = TABLES[name]
    async with engine.transaction():
        await table.delete(force=True).where(table._meta.primary_key == row).run()


async def _taken_back(act, name: str, /, *row: int, **values) -> None:
    """Nothing refuses this; it is taken back, so that the next test finds all as it was."""
    with pytest.raises(ZeroDivisionError):
        async with engine.transaction():
            await act(name, *row, **values)
            raise ZeroDivisionError


def _guard(message: str, event: str = "") -> str:
    return next(guard.name for guard in GUARDS if guard.message == message and event in ("", guard.event))


def _copy(name: str, row: dict, keep: tuple[str, ...] = ()) -> dict:
    """The row's values for another row: without its id, columns unique by themselves made new."""
    found = {key: value for key, value in row.items() if key != "id"}
    for column in TABLES[name]._meta.columns:
        key = column._meta.name
        if column._meta.unique and not column._meta.primary_key and key not in keep:
            found[key] = found[key] + 1_000_000 if isinstance(found[key], int) else f"{found[key]}-copy"
    return found


def _other(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "0"
    if isinstance(value, bytes):
        return value + b"0"
    if isinstance(value, datetime | date):
        return value + timedelta(days=1)
    raise AssertionError(f"no other value for {value!r}")


# Rows that never change or go -------------------------------------------------


# Nothing of what these try may come through, so all tables are tried in one database.


async def test_a_row_of_an_insert_only_table_is_neither_changed_nor_deleted_nor_replaced(owned, engine_kind, subtests):
    for name in invariants.INSERT_ONLY:
        with subtests.test(name):
            await _stands_as_it_is(name, engine_kind)


async def _stands_as_it_is(name, engine_kind):
    row = await _a_row(name)
    same = next(column._meta.name for column in TABLES[name]._meta.columns if not column._meta.primary_key)
    for attempt in (
        _update(name, row["id"], **{same: row[same]}),  # not even to what it is
        _delete(name, row["id"]),
    ):
        with pytest.raises(WrongMoment, match=f"{name}: rows are never changed or deleted"):
            await attempt
    names = ", ".join(f'"{column}"' for column in row)
    marks = ", ".join("{}" for _ in row)
    ways = [f'INSERT INTO "{name}" ({names}) VALUES ({marks}) ON CONFLICT ("id") DO UPDATE SET "{same}" = excluded."{same}"']
    if engine_kind == "sqlite":  # the one way PostgreSQL does not have
        ways.append(f'INSERT OR REPLACE INTO "{name}" ({names}) VALUES ({marks})')
    for way in ways:
        with pytest.raises(WrongMoment):
            async with engine.transaction():
                await TABLES[name].raw(way, *row.values()).run()
    table = TABLES[name]
    assert await table.select().where(table._meta.primary_key == row["id"]).first().run() == row


async def test_a_kept_row_is_never_deleted(owned, subtests):
    for name in invariants.KEPT:
        with subtests.test(name):
            row = await _a_row(name)
            with pytest.raises(WrongMoment, match=f"{name}: rows are never deleted"):
                await _delete(name, row["id"])


FROZEN: dict[str, list[str]] = {}
for _name, _columns in [*invariants.FROZEN_TEXT.items(), *invariants.FROZEN_NULLABLE.items()]:
    FROZEN.setdefault(_name, []).extend(_columns)


#: columns that no row of the stage has set -> a value; None: somebody's account
UNSET = {
    "revealed_by": None, "published_at": datetime.now().astimezone(), "replaced_by": None, "replacement_json": "{}", "replacement_commit": "0" * 64,
    "split_of": 1, "split_by": None, "split_reason": "改日", "void_reason": "有误",
}  # fmt: skip


async def test_a_frozen_column_never_changes_once_it_is_set(rules, subtests):
    for name, columns in FROZEN.items():
        for column in columns:
            with subtests.test(f"{name}.{column}"):
                await _is_fixed(rules, name, column)


async def _is_fixed(rules, name, column):
    table = TABLES[name]
    rows = await table.select().run()
    row = next((row for row in rows if row[column]), None)
    if row is None and name == "document":
        await _a_row(name)
        rows = await table.select().run()
        row = next((row for row in rows if row[column]), None)
    if row is None and column in UNSET:
        value = UNSET[column] if UNSET[column] is not None else rows[0].get("created_by") or await _somebody()
        row = {**rows[0], column: value}
        await _update(name, row["id"], **{column: row[column]})
    assert row is not None, f"no row of {name} has {column}"
    message = f"{name}.{column} is fixed"
    others = (await Account.select(Account.id).where(Account.id != row[column]).run()) if column.endswith("_by") else ()
    new = others[0]["id"] if others else _other(row[column])
    async with rules.only(_guard(message)):
        with pytest.raises(WrongMoment, match=message):
            await _update(name, row["id"], **{column: new})
        if column in invariants.FROZEN_NULLABLE.get(name, ()):
            with pytest.raises(WrongMoment, match=message):
                await _update(name, row["id"], **{column: None})
        elif isinstance(row[column], str):
            with pytest.raises(WrongMoment, match=message):
                await _update(name, row["id"], **{column: ""})
        await _update(name, row["id"], **{column: row[column]})  # writing the same again is no change
    if isinstance(row[column], str) and column not in invariants.FROZEN_NULLABLE.get(name, ()):
        await _taken_back(_update, name, row["id"], **{column: ""})  # it was this guard and nothing else


# States ----------------------------------------------------------------------


def _states(name: str) -> list[str]:
    return sorted({state for move in invariants.MOVES[name] for state in move.split()})


async def test_a_state_changes_by_the_listed_moves_only(rules, subtests):
    for name in invariants.MOVES:
        for old in _states(name):
            with subtests.test(f"{name} {old}"):
                await _moves_from(rules, name, old)


async def _moves_from(rules, name, old):
    row = await _a_row(name)
    message = f"{name}: no such change of state"
    await _update(name, row["id"], state=old)
    async with rules.only(_guard(message)):
        for new in [*_states(name), "nonsense"]:
            if new == old:
                continue
            if f"{old} {new}" in invariants.MOVES[name]:
                await _taken_back(_update, name, row["id"], state=new)
            else:
                with pytest.raises(WrongMoment, match=message):
                    await _update(name, row["id"], state=new)


async def test_a_row_begins_in_a_first_state(rules, subtests):
    for name in invariants.FIRST_STATE:
        with subtests.test(name):
            await _begins(rules, name)


async def _begins(rules, name):
    row = _copy(name, await _a_row(name))
    message = f"{name}: cannot begin in this state"
    async with rules.only(_guard(message)):
        for state in [*_states(name), "nonsense"]:
            if state in invariants.FIRST_STATE[name]:
                await _taken_back(_insert, name, **row | {"state": state})
            else:
                with pytest.raises(WrongMoment, match=message):
                    await _insert(name, **row | {"state": state})


# Conditions ------------------------------------------------------------------

#: message -> values that break the condition; `same`: columns that must hold the same account
BROKEN = {
    "withdrawal: no kind, day or reason": {"kind": "other"},
    "correction: nothing corrected or no reason": {"new": "甲"},
    "round: unknown disclosure": {"disclosure": "half"},
    "round: digest is not 64 hex digits": {"digest": "abc"},
    "round: committed without digest": {"state": "committed", "digest": ""},
    "round: drawn without result": {"state": "drawn", "result_json": ""},
    "round: replaced without a result": {"state": "committed", "replacement_json": "{}"},
    "round: the drafter cannot approve": {"same": ("created_by", "committed_by")},
    "round: the approver cannot draw": {"same": ("committed_by", "drawn_by")},
    "round: voiding needs a second person": {"same": ("void_by", "void_approver")},
    "round: window ends before it begins": {"window_from": date(2026, 7, 2), "window_to": date(2026, 7, 1)},
    "round: a list drawn elsewhere has no commitment": {"state": "external", "result_json": "{}"},
    "plan: who imported it cannot approve it": {"same": ("approved_by",)},
    "plan: approved by nobody": {"state": "approved", "approved_by": None},
    "task: window ends before it begins": {"window_from": date(2026, 7, 2), "window_to": date(2026, 7, 1)},
    "task: ratio out of range": {"ratio_ppm": 1_000_001},
    "pool: sizes do not fit": {"size": 5, "excluded_size": 6},
    "share: commit is not 64 hex digits": {"commit": "abc"},
    "visit: a part beyond the first is split off another visit": {"part": 2},
    "visit: split off by nobody or without a reason": {"split_of": 1},
    "document: does not fit": {"kind": "letter"},
    "document: voided by nobody or without a reason": {"state": "voided"},
    "document: who issued it cannot void it": {"same": ("voided_by",)},
    "record: the recorder cannot review": {"same": ("reviewer", "entered_by")},
    "record: approved by nobody": {"state": "approved", "reviewer": None},
    "pick: bad rank or kind": {"rank": 0},
    "audit: bad digest": {"digest": "abc"},
    "follow_up: closed by nobody": {"state": "closed"},
    "account_change: unknown kind": {"kind": "wish"},
    "account_change: decided by nobody": {"state": "approved", "decided_by": None},
    "account_change: nobody decides on their own": {"same": ("proposed_by", "decided_by")},
    "follow_up: closed without an ending": {"state": "closed", "ending": ""},
    "follow_up: days out of range": {"due_days": 401},
    "paper_copy: of no day or no form": {"form_code": ""},
    "visit_move: to no other day or without a reason": {"reason": ""},
    "remark: says nothing": {"note": ""},
    "follow_up_event: unknown step": {"act": "wish"},
    "attachment: does not fit": {"kind": "song"},
    "placement: placed by nobody known": {"placed_by": "wind"},
    "placement: chosen by a person without a reason": {"placed_by": "person", "why": ""},
    "entity: unknown kind": {"kind": "ghost"},
    "load: more merged than there is": {"parts": 1, "merged": 2},
    "job: unknown state": {"state": "lost"},
    "sheet_version: neither an item nor a form": {"kind": "page"},
    "upload: unknown state": {"state": "lost"},
    "upload: digest is not 64 hex digits": {"digest": "abc"},
}


def test_every_condition_has_a_broken_example():
    assert set(BROKEN) == {message for _, _, message in invariants.CHECKS}


async def test_a_condition_holds_for_every_new_and_every_changed_row(rules, subtests):
    for name, _, message in invariants.CHECKS:
        with subtests.test(message):
            await _holds(rules, name, message)


async def _holds(rules, name, message):
    row = await _a_row(name)
    values = dict(BROKEN[message])
    for column in values.pop("same", ()):
        values[column] = row[{"round": "created_by", "plan": "imported_by", "document": "issued_by", "account_change": "proposed_by"}.get(name, "entered_by")]
    for event in ("INSERT", "UPDATE"):
        async with rules.only(_guard(message, event)):
            with pytest.raises(WrongMoment, match=message):
                if event == "INSERT":
                    await _insert(name, **_copy(name, row) | values)
                else:
                    await _update(name, row["id"], **values)
            await _taken_back(_insert, name, **_copy(name, row))  # an unbroken row is taken


# One of a kind ---------------------------------------------------------------

#: the partial ones: what a second row must be to be allowed
OUTSIDE = {
    "one_live_round_a_task": {"live": False}, "one_open_visit": {"state": "done"}, "one_live_publication": {"state": "superseded"},
    "one_live_document": {"state": "voided"},
    "one_load_merging": {"state": "done"}, "one_load_staging": {"state": "done"},
    "one_open_change": {"state": "refused"},
}  # fmt: skip


INSIDE = {
    "one_open_visit": {"state": "open"}, "one_live_round_a_task": {"live": True}, "one_live_publication": {"state": "live"},
    "one_live_document": {"state": "issued"},
    "one_load_merging": {"state": "merging"}, "one_load_staging": {"state": "staging"},
    "one_open_change": {"state": "proposed"},
}  # fmt: skip


async def test_there_is_one_of_a_kind(rules, subtests):
    for index, name, columns, where in invariants.UNIQUE:
        with subtests.test(index):
            await _is_one_of_a_kind(rules, index, name, columns, where)


async def _is_one_of_a_kind(rules, index, name, columns, where):
    row = await _a_row(name)
    twin = _copy(name, row, keep=tuple(columns.split(", "))) | INSIDE.get(index, {})
    await _update(name, row["id"], **INSIDE.get(index, {"id": row["id"]}))
    async with rules.only(index):
        with pytest.raises(WrongMoment, match="与已有的数据冲突"):
            await _insert(name, **twin)
        assert bool(where) == (index in OUTSIDE) == (index in INSIDE)
        if where:
            await _taken_back(_insert, name, **twin | OUTSIDE[index])
    await _taken_back(_insert, name, **_copy(name, twin, keep=()))  # it was this index and nothing else


async def test_what_is_referred_to_cannot_be_deleted(rules):
    bureau = await Organisation.select(Organisation.id).where(Organisation.code == "359921").first().run()
    task = await Task.select(Task.id).first().run()
    for name, row in (("organisation", bureau["id"]), ("task", task["id"])):
        with pytest.raises(WrongMoment, match="与已有的数据冲突"):
            await _delete(name, row)

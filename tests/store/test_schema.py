"""Migrations and rules: all of them or none, once, and never behind the program's back."""

import re
from unittest import mock

import pytest
from piccolo.apps.migrations.auto.diffable_table import DiffableTable
from piccolo.apps.migrations.auto.schema_differ import SchemaDiffer
from piccolo.apps.migrations.auto.schema_snapshot import SchemaSnapshot
from piccolo.apps.migrations.commands.base import BaseMigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.query import Select

from portal.domain.errors import WrongMoment
from portal.store import engine, invariants, schema, tables
from portal.store.piccolo_app import APP_CONFIG
from portal.store.tables import Account, Setting
from portal.store.tables.columns import Rows
from tests import office
from tests.office import become_owner, changed_tables, make_folder, settings_of, snapshot

pytestmark = pytest.mark.anyio


@pytest.fixture
async def empty(tmp_path, engine_kind):
    await engine.open_engine(settings_of(make_folder(tmp_path / "data", engine_kind), owner=True).database_url)
    yield
    await engine.close_engine()


@pytest.fixture
async def owned(approved):
    """The approved stage, opened as `portal init` opens it."""
    await become_owner()
    return approved


class Killed(BaseException):
    """Not an Exception, as a kill is not: nothing on the way may catch it."""


async def test_an_empty_database_is_refused_with_what_to_do(empty):
    with pytest.raises(WrongMoment, match="还没有建立。请先运行 portal init"):
        await schema.require_current()


async def test_migrating_an_empty_database_makes_it_current(empty):
    await schema.migrate()
    await schema.require_current()


@pytest.mark.parametrize("after", [0, 20, 150, 300])
async def test_a_migration_killed_in_the_middle_leaves_the_database_as_it_was(empty, monkeypatch, after):
    kind = type(engine.current_engine())
    real, done = kind.run_ddl, []

    async def torn(self, ddl, in_pool=False):
        if len(done) == after:
            raise Killed
        done.append(ddl)
        return await real(self, ddl, in_pool)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(kind, "run_ddl", torn)
        await schema.migrate()
    assert await schema.is_empty()
    assert not await Migration.table_exists().run()
    await schema.migrate()
    await schema.require_current()


async def test_an_upgrade_killed_in_the_middle_keeps_every_row_and_every_old_rule(owned, monkeypatch):
    before = await snapshot()
    monkeypatch.setattr(schema, "_forget_rules", _killed)
    await Setting.update(value="an older version's rules").where(Setting.key == "invariants").run()
    with pytest.raises(Killed):
        await schema.migrate()
    assert await snapshot() == before
    with pytest.raises(WrongMoment, match="约束与本程序不一致"):
        await schema.require_current()
    with pytest.raises(WrongMoment, match="never changed or deleted"):
        async with engine.transaction():
            await tables.Audit.delete(force=True).run()


async def _killed(*_):
    raise Killed


async def test_migrating_twice_changes_nothing(owned):
    before = await snapshot(without=())
    await schema.migrate()
    assert changed_tables(before, await snapshot(without=())) == set()
    await schema.require_current()


async def test_a_pending_migration_refuses_to_open(owned):
    await Migration.delete(force=True).run()
    with pytest.raises(WrongMoment, match=r"有 \d+ 步迁移没有执行。请先运行 portal init"):
        await schema.require_current()


async def test_a_database_of_a_newer_program_refuses_to_open(owned):
    await Migration.insert(Migration(name="2099-01-01T00:00:00:000000", app_name="portal")).run()
    with pytest.raises(WrongMoment, match="更新版本的程序"):
        await schema.require_current()


async def test_rules_of_another_version_refuse_to_open(approved):
    await Setting.update(value="other").where(Setting.key == "invariants").run()
    with pytest.raises(WrongMoment, match="约束与本程序不一致。请先运行 portal init"):
        await schema.require_current()


async def test_a_rule_that_a_new_version_dropped_no_longer_refuses(owned, monkeypatch):
    stricter = (*invariants.CHECKS, ("account", "NEW.name <> '禁名'", "account: forbidden name"))
    monkeypatch.setattr(invariants, "CHECKS", stricter)
    monkeypatch.setattr(invariants, "digest", invariants.digest.__wrapped__)
    await schema.migrate()
    with pytest.raises(WrongMoment, match="account: forbidden name"):
        await _rename()
    monkeypatch.undo()
    await schema.migrate()
    await _rename()
    assert await Account.count().where(Account.name == "禁名").run() == 1


async def _rename() -> None:
    async with engine.transaction():
        await Account.update(name="禁名").where(Account.login == "planner").run()


async def test_the_tables_and_the_migrations_agree():
    manager = BaseMigrationManager()
    modules = manager.get_migration_modules(APP_CONFIG.resolved_migrations_folder_path)
    assert schema.wanted() == set(modules)
    managers = [await modules[name].forwards() for name in manager.get_migration_ids(modules)]
    then = SchemaSnapshot(managers).get_snapshot()
    now = [
        DiffableTable(
            class_name=table.__name__, tablename=table._meta.tablename, schema=table._meta.schema,
            columns=table._meta.non_default_columns,
        )
        for table in APP_CONFIG.table_classes
    ]  # fmt: skip
    found = SchemaDiffer(schema=now, schema_snapshot=then, auto_input="n").get_alter_statements()
    assert [statement for one in found for statement in one.statements] == []


async def test_text_compares_by_bytes_whatever_the_database_prefers(empty):
    await schema.migrate()
    words = ["é", "z", "Z", "a", "上", "一", "-b", "b", "_", "B1", "B-1", "𠀀"]
    for word in words:
        await Setting.insert(Setting(key=word, value="")).run()
    rows = await Setting.select(Setting.key).where(Setting.key.is_in(words)).order_by(Setting.key).run()
    assert [row["key"] for row in rows] == sorted(words, key=str.encode)
    later = await Setting.select(Setting.key).where(Setting.key.is_in(words), Setting.key > "b").order_by(Setting.key).run()
    assert [row["key"] for row in later] == sorted((word for word in words if word.encode() > b"b"), key=str.encode)


def test_every_table_named_by_a_rule_exists_with_its_columns():
    columns = {table._meta.tablename: {c._meta.db_column_name for c in table._meta.columns} for table in tables.ALL}
    for _, table, names, where in invariants.UNIQUE:
        assert set(names.split(", ")) | set(re.findall(r"^\w+", where)) <= columns[table], table
    for table, names in [*invariants.FROZEN_TEXT.items(), *invariants.FROZEN_NULLABLE.items()]:
        assert set(names) <= columns[table], table
    for guard in invariants.guards():
        named = re.findall(r"(?:NEW|OLD)\.\"?(\w+)", guard.refuse_when)
        assert set(named) <= columns[guard.table], guard


def test_every_rule_has_a_name_of_its_own():
    names = [guard.name for guard in invariants.guards()] + [one[0] for one in (*invariants.UNIQUE, *invariants.INDEXES)]
    assert len(set(names)) == len(names)


# Asking for whole rows ----------------------------------------------------------


@pytest.mark.parametrize("kind", office.ENGINES)
def test_a_query_of_ours_says_what_piccolos_own_says(kind):
    """tables/columns.py puts parts of it together once: the same columns, and the same joins through a foreign key."""

    def said(query):
        with mock.patch.object(query.table._meta, "_db", mock.Mock(engine_type=kind)):
            return query.querystrings[0].compile_string(kind)

    for table in tables.ALL:
        ours = table.select().where(table._meta.primary_key > 1).order_by(table._meta.primary_key)
        assert isinstance(ours, Rows)
        assert said(ours) == said(Select(table).where(table._meta.primary_key > 1).order_by(table._meta.primary_key))
    sql, values = said(tables.Visit.select(tables.Visit.code, tables.Visit.round.code).where(tables.Visit.organisation.parent == 2))
    assert sql.count(" LEFT JOIN ") == 2 and '"visit$round"."code" AS "round.code"' in sql and values == [2]

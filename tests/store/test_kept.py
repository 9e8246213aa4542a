"""A copy of a stage that a test was done with is as good as a new one, or is given up (tests/kept.py)."""

import asyncio

import asyncpg
import pytest

from portal.store import engine, postgres
from portal.store.tables import Entity
from tests import cluster, office, pools

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.parametrize("engine_kind", ["postgres"], indirect=True)]

COLUMNS = """SELECT attrelid::regclass::text, attname, format_type(atttypid, NULL) FROM pg_attribute
             WHERE attrelid >= 16384 AND attnum > 0 AND attnotnull AND NOT atthasdef ORDER BY attrelid, attnum"""
ASKING = "SELECT pid FROM pg_stat_activity WHERE datname = ? AND application_name = 'mingcha'"
#: a value of each kind that a table without rows wants in its first
ZEROS = {"text": "''", "bytea": "''", "boolean": "false", "jsonb": "'{}'", "json": "'{}'", "date": "'2026-01-01'", "character varying": "''"}


@pytest.fixture
def copied(stages, tmp_path):
    """`copied(folder)`: the database of a copy of a stage, as if nobody had used it before."""
    stages.folder("drawn")  # made by a loop of its own

    def copy(name):
        database = (stages.copy("drawn", tmp_path / name) / office.DATABASE).read_text()
        cluster._in_use[database].uses = 0
        return database

    return copy


TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
REST = {
    "triggers": "SELECT tgname, tgenabled, tgrelid FROM pg_trigger",
    "rights": "SELECT relname, relacl FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "sequences": "SELECT sequencename, last_value FROM pg_sequences",
}


def _state(database):
    """All rows of all tables, the triggers, the rights, and how far each sequence is."""
    asked = {name: f'SELECT * FROM public."{name}"' for (name,) in cluster.query(database, TABLES)} | REST
    parts = (f"SELECT '{name}', coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM ({sql}) t" for name, sql in asked.items())
    return dict(cluster.query(database, " UNION ALL ".join(parts)))


def _is_kept(database):
    cluster.drop(database)
    return database in {copy.name for copy in cluster._waiting}


async def _run(database, *statements):
    connection = await asyncpg.connect(cluster.url_of(database, owner=True))
    try:
        await connection.execute("; ".join(statements))
    finally:
        await connection.close()


def _first_row(table, columns):
    """A row for a table that has none, of nothing but zeros."""
    values = [ZEROS.get(kind, "'2026-01-01'" if kind.startswith("timestamp") else "0") for _, kind in columns]
    return f'INSERT INTO "{table}" ({", ".join(chr(34) + name + chr(34) for name, _ in columns)}) VALUES ({", ".join(values)})'


async def test_what_a_test_wrote_changed_and_took_away_is_put_back(copied):
    database = copied("first")
    before = _state(database)
    columns = {}
    for table, *column in cluster.query(database, COLUMNS):
        columns.setdefault(table.strip('"'), []).append(column)
    tables = before.keys() - REST.keys()
    filled = sorted(name for name in tables if before[name])
    numbered = {name for (name,) in cluster.query(database, "SELECT attrelid::regclass::text FROM pg_attribute WHERE attname = 'id'")}
    work = ["SET session_replication_role = replica"]
    for n, name in enumerate(filled):  # a row gone, or all rows there under other numbers
        work.append(f'UPDATE "{name}" SET id = -id' if n % 2 and name in numbered else f'DELETE FROM "{name}" WHERE ctid IN (SELECT ctid FROM "{name}" LIMIT 1)')
    work += [_first_row(name, columns[name]) if columns.get(name) else f'INSERT INTO "{name}" DEFAULT VALUES' for name in tables if not before[name]]
    await _run(database, *work, "SELECT nextval(oid) FROM pg_class WHERE relkind = 'S'")
    dirty = _state(database)
    assert len(filled) > 20 and {name for name in before if dirty[name] != before[name]} == {*tables, "sequences"}
    assert _is_kept(database)
    assert copied("second") == database and _state(database) == before


async def test_a_copy_is_put_back_again_and_again(copied):
    database = copied("first")
    before = _state(database)
    for n in range(3):
        await _run(database, "SET session_replication_role = replica", "DELETE FROM inspector", "UPDATE entity SET name = name || '!'")
        assert _is_kept(database) and copied(f"again{n}") == database
        assert _state(database) == before


RULES = (
    "CREATE TABLE more (id integer)", "ALTER TABLE entity ADD COLUMN more integer", "ALTER TABLE entity ALTER COLUMN name SET DEFAULT 'x'",
    "ALTER TABLE entity ALTER COLUMN name DROP NOT NULL", "ALTER TABLE entity DISABLE TRIGGER USER", "GRANT DELETE ON audit TO PUBLIC",
    "GRANT UPDATE (name) ON entity TO PUBLIC", "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'", "CREATE SCHEMA more",
    "DROP INDEX {index}", "DROP TRIGGER {trigger}", "TRUNCATE plan_draft CASCADE", "ANALYZE entity",
)  # fmt: skip


async def test_a_copy_whose_rules_were_changed_is_given_up(copied):
    database = copied("first")
    copy = cluster._in_use[database]
    names = {
        "index": cluster.query(database, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisprimary AND indexrelid > 16384 LIMIT 1")[0][0],
        "trigger": "{} ON {}".format(*cluster.query(database, "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal LIMIT 1")[0]),
    }

    async def spoilt(statement):
        connection = await copy.open()
        tried = connection.transaction()
        await tried.start()
        await connection.execute(statement)
        kept = await copy.put_back()
        await tried.rollback()
        return not kept

    assert [rule for rule in RULES if not cluster._on_loop(spoilt(rule.format(**names)))] == []
    assert cluster._on_loop(copy.put_back())  # all of that was taken back
    await _run(database, RULES[0])
    assert not _is_kept(database)
    assert copied("second") != database
    assert not cluster.query("postgres", "SELECT 1 FROM pg_database WHERE datname = ?", database)


async def test_who_is_still_connected_is_put_out_and_within_a_transaction_spoils_the_copy(copied):
    database = copied("first")
    idle = await asyncpg.connect(cluster.url_of(database, owner=False))
    assert await idle.fetchval("SELECT count(*) FROM entity") == office.ENTITIES
    assert _is_kept(database) and copied("second") == database
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await idle.fetchval("SELECT 1")
    busy = await asyncpg.connect(cluster.url_of(database, owner=False))
    await busy.execute("BEGIN; SELECT 1 FROM setting")
    assert not _is_kept(database)


async def test_a_copy_whose_connections_were_all_cut_is_given_up(copied):
    database = copied("first")
    assert _is_kept(database) and copied("second") == database
    assert cluster.query("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?", database) == [(True,)]
    assert not _is_kept(database)


# Connections -------------------------------------------------------------------


async def _opened(folder):
    await office.open_house(folder)
    return engine.current_engine().pool


async def test_connections_wait_for_the_next_test_on_the_same_copy(copied, tmp_path):
    database = copied("first")
    pool = await _opened(tmp_path / "first")
    [(process,)] = cluster.query("postgres", ASKING, database)
    await Entity.update(name="别的", force=True).run()
    await engine.close_engine()
    assert pools.processes(database) == {process}
    assert _is_kept(database) and copied("second") == database
    assert await _opened(tmp_path / "second") is pool and pools.processes(database) == set()
    assert not await Entity.exists().where(Entity.name == "别的").run()
    assert cluster.query("postgres", ASKING, database) == [(process,)]
    await engine.close_engine()


async def test_no_connection_waits_where_rules_are_changed_or_in_another_loop(copied, tmp_path):
    database = copied("first")
    pool = await _opened(tmp_path / "first")
    await engine.close_engine()

    async def elsewhere():
        other = await _opened(tmp_path / "first")
        await engine.close_engine()
        return other

    assert await asyncio.to_thread(asyncio.run, elsewhere()) is not pool
    assert await _opened(tmp_path / "first") is pool
    await office.become_owner()
    assert pools.processes(database) == set() and engine.current_engine().pool is not pool
    await engine.close_engine()
    assert pools.processes(database) == set()


async def test_connections_that_were_made_otherwise_are_not_given_on(copied, tmp_path, monkeypatch):
    copied("first")
    pools_made = []
    for wait in (50, 20_000, 20_000):
        monkeypatch.setattr(postgres, "LOCK_MS", wait)
        pools_made.append(await _opened(tmp_path / "first"))
        assert await pools_made[-1].fetchval("SELECT setting FROM pg_settings WHERE name = 'lock_timeout'") == str(wait)
        await engine.close_engine()
    assert pools_made[0] is not pools_made[1] is pools_made[2]


async def test_connections_go_with_a_copy_that_is_given_up(copied, tmp_path):
    database = copied("first")
    await _opened(tmp_path / "first")
    await engine.close_engine()
    await _run(database, RULES[0])
    assert pools.processes(database) and not _is_kept(database) and not pools.processes(database)

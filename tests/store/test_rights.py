"""The application role on PostgreSQL: it does its work (every other test runs as it) and nothing beyond."""

import asyncio

import asyncpg
import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.store import accounts, engine, invariants, rights, schema, tables
from portal.store.locks import hold
from portal.store.postgres import WRITERS
from portal.store.tables import Setting
from tests import cluster, office
from tests.office import become_owner, snapshot

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("engine_kind", ["postgres"], indirect=True), pytest.mark.postgres]

EVERY = [table._meta.tablename for table in tables.ALL]
DENIED = asyncpg.InsufficientPrivilegeError


async def _refused(sql: str) -> None:
    with pytest.raises(DENIED):
        await engine.current_engine().run_ddl(sql)


async def test_what_is_insert_only_is_neither_changed_nor_deleted(published):
    for name in invariants.INSERT_ONLY:
        await _refused(f'UPDATE "{name}" SET id = id')
        await _refused(f'DELETE FROM "{name}"')
        await _refused(f'INSERT INTO "{name}" (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = excluded.id')
        await _refused(f'SELECT 1 FROM "{name}" FOR UPDATE')


async def test_what_is_kept_is_not_deleted_and_nothing_is_emptied(published):
    for name in invariants.KEPT:
        await _refused(f'DELETE FROM "{name}"')
    for name in [*EVERY, "migration"]:
        await _refused(f'TRUNCATE "{name}"')
        await _refused(f'TRUNCATE "{name}" CASCADE')


async def test_rules_tables_and_migrations_are_out_of_reach(published):
    guard, index = invariants.guards()[0], invariants.UNIQUE[0][0]
    before = await snapshot(without=())
    for name in EVERY:
        await _refused(f'ALTER TABLE "{name}" DISABLE TRIGGER ALL')
    for sql in (
        "SET session_replication_role = replica",  # which would silence every trigger
        f"DROP TRIGGER {guard.name} ON {guard.table}",
        f"CREATE OR REPLACE FUNCTION f_{guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        f"DROP FUNCTION f_{guard.name}() CASCADE", f"DROP INDEX {index}", "DROP TABLE audit", "ALTER TABLE audit ADD COLUMN x int",
        "ALTER TABLE audit RENAME TO audit2", "CREATE TABLE mine (id int)", "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER mine BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION f_no_truncate()",
        "DELETE FROM migration", "INSERT INTO migration (name, app_name) VALUES ('2099', 'portal')",
        "SELECT setval('audit_id_seq', 1)", "ALTER SEQUENCE audit_id_seq RESTART",
        "CREATE ROLE mine", "CREATE SCHEMA mine", 'ALTER DATABASE "postgres" SET work_mem = 1', "COPY audit TO '/audit'",
        "COPY setting FROM PROGRAM 'true'", "SELECT pg_read_file('/etc/passwd')",
    ):  # fmt: skip
        await _refused(sql)
    owner = (await Setting.raw("SELECT tableowner FROM pg_tables WHERE tablename = 'audit'").run())[0]["tableowner"]
    await _refused(f'SET ROLE "{owner}"')
    await _refused(f'ALTER TABLE audit OWNER TO "{cluster.application()}"')
    await engine.current_engine().run_ddl("GRANT DELETE, UPDATE ON audit TO CURRENT_USER")  # a warning, and nothing granted
    await _refused("DELETE FROM audit")
    assert await snapshot(without=()) == before
    await schema.require_current()


async def test_every_table_has_its_rights_and_no_others(published):
    rows = await Setting.raw(
        "SELECT table_name, string_agg(privilege_type, ', ' ORDER BY privilege_type) AS may FROM information_schema.role_table_grants "
        "WHERE grantee = current_user GROUP BY table_name"
    ).run()
    found = {row["table_name"]: set(row["may"].split(", ")) for row in rows}
    assert found == {name: set(may.split(", ")) for name, may in rights.privileges().items()}
    assert set(found) == {*EVERY, "migration", "entity_tally"}
    assert found["audit"] == {"SELECT", "INSERT"} and found["round"] == {"SELECT", "INSERT", "UPDATE"} and "DELETE" in found["web_session"]


async def test_the_portal_serves_as_this_role_and_as_no_other(filled):
    await rights.require_application_role()
    await become_owner()
    with pytest.raises(WrongMoment, match=f"所有者或超级用户.*应用账号“{cluster.application()}”"):
        await rights.require_application_role()


async def test_this_role_cannot_migrate_and_is_told_who_can(filled):
    with pytest.raises(WrongMoment, match="不能建立或升级表。请用数据库所有者的 DATABASE_URL 运行 portal init"):
        await rights.require_owner()
    await become_owner()
    await rights.require_owner()


@pytest.fixture
async def plain_owner(tmp_path, engine_kind):
    """An empty database that belongs to a role which is no superuser and makes no roles; as its engine."""
    folder = office.make_folder(tmp_path / "plain", "postgres")
    database = (folder / office.DATABASE).read_text()
    role = f"{database}_owner"
    await engine.open_engine(cluster.url_of(database, owner=True))
    for sql in (f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{cluster.PASSWORD}'", f'ALTER DATABASE "{database}" OWNER TO "{role}"',
                f'ALTER SCHEMA public OWNER TO "{role}"'):  # fmt: skip
        await engine.current_engine().run_ddl(sql)
    await engine.close_engine()
    await engine.open_engine(cluster.url_of(database, owner=False).replace(cluster.application(), role))
    yield role
    await engine.close_engine()


async def test_an_owner_who_makes_no_roles_is_told_what_to_ask_for(plain_owner):
    with pytest.raises(WrongMoment, match="没有建立账号的权限。请数据库管理员执行 CREATE ROLE \"mc.*_app\" LOGIN PASSWORD"):
        await rights.require_owner()
    await rights.require_owner(cluster.application())  # that one is there already
    await schema.migrate()
    made = await rights.install(lambda: "never used", cluster.application())
    assert made and (made.role, made.made) == (cluster.application(), False) and "never used" not in made.url
    assert await accounts.load_setting(rights.ROLE) == cluster.application()


@pytest.mark.parametrize("name", ["a" * 64, 'a"b', "字" * 22])
async def test_a_role_of_an_impossible_name_is_refused(plain_owner, name):
    with pytest.raises(BadInput, match="应用账号的名称.*不合规定"):
        await rights.require_owner(name)


async def test_the_owner_cannot_be_the_application_role(plain_owner):
    with pytest.raises(WrongMoment, match="应用账号不能就是数据库所有者"):
        await rights.require_owner(plain_owner)


async def test_readers_go_on_while_every_writer_waits(filled):
    """More transactions than there are connections wait for one that does not end; a page is still read."""
    held, may_end = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with engine.transaction():
            await hold("settings")
            held.set()
            await may_end.wait()

    async def later() -> None:
        async with engine.transaction():
            await hold("settings")

    writers = [asyncio.create_task(first())]
    await held.wait()
    writers += [asyncio.create_task(later()) for _ in range(3 * WRITERS)]
    for _ in range(20):
        assert await accounts.load_organisations()
    may_end.set()
    await asyncio.gather(*writers)


async def test_a_refused_statement_names_no_row(filled):
    with pytest.raises(WrongMoment, match="与已有的数据冲突") as refused:
        async with engine.transaction():
            await accounts.save_account("planner", "张三", 1, ["planner"], filled.settings.now())
    assert "DETAIL" not in refused.value.message and "张三" not in refused.value.message

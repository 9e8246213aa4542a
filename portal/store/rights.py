"""The application role on PostgreSQL: what the portal may do in its own database, and no more.

`portal init` runs as the database's owner, makes the tables and rules, and gives this
role SELECT and INSERT everywhere, UPDATE and DELETE only where invariants.py allows
them.  Every other command runs as this role: it cannot change a rule, disable a trigger
or empty a table.  SQLite has no roles; there the triggers alone stand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from portal.domain.errors import BadInput, WrongMoment
from portal.store import accounts, invariants, tally
from portal.store.engine import current_engine, transaction
from portal.store.locks import hold
from portal.store.postgres import PooledPostgres
from portal.store.tables import ALL, Setting

ROLE = "application_role"  # the setting that remembers its name
LONGEST = 63  # bytes of a name in PostgreSQL


@dataclass(frozen=True, slots=True)
class Application:
    """The role, and the DATABASE_URL to serve with; its password is in it only when the role was made just now."""

    role: str
    url: str
    made: bool


def privileges() -> dict[str, str]:
    """table -> what the application role may do to it, as GRANT lists it."""
    found = {"migration": "SELECT", tally.TABLE: "SELECT, INSERT, UPDATE"}  # by triggers, in the name of who writes
    for table in ALL:
        name = table._meta.tablename
        more = "" if name in invariants.INSERT_ONLY else ", UPDATE" if name in invariants.KEPT else ", UPDATE, DELETE"
        found[name] = f"SELECT, INSERT{more}"
    return found


async def _role(wanted: str) -> str:
    """The role's name: given, else remembered, else made from the database's name."""
    known = await accounts.load_setting(ROLE) if await Setting.table_exists().run() else ""
    role = wanted or known or f"{(await _row('SELECT current_database() AS name'))['name']}_app"
    if not 0 < len(role.encode()) <= LONGEST or '"' in role or "\0" in role:
        raise BadInput(f"PostgreSQL 应用账号的名称“{role}”不合规定，应为 1 到 {LONGEST} 个字节，不含引号。")
    return role


async def _row(sql: str, *values: object) -> dict:
    return (await Setting.raw(sql, *values).run())[0]


_MINE = """
    SELECT current_user AS name, u.rolsuper, u.rolsuper OR u.rolcreaterole AS creates,
           EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
                   AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS has_tables,
           has_schema_privilege(current_schema(), 'CREATE') AS may_create, current_setting('server_encoding') AS encoding
    FROM pg_roles u WHERE u.rolname = current_user
"""


async def require_owner(role: str = "") -> None:
    """Raises WrongMoment unless this connection may migrate, and the application role is there or can be made."""
    if not isinstance(current_engine(), PooledPostgres):
        return
    mine = await _row(_MINE)
    if not mine["may_create"] or (await Setting.table_exists().run() and not mine["has_tables"]):
        raise WrongMoment(f"账号“{mine['name']}”不能建立或升级表。请用数据库所有者的 DATABASE_URL 运行 portal init。")
    if mine["encoding"] != "UTF8":
        raise WrongMoment(f"数据库的编码是 {mine['encoding']}，存不下全部汉字。请用 createdb -E UTF8 -T template0 另建数据库。")
    name = await _role(role)
    if name == mine["name"]:
        raise WrongMoment(f"应用账号不能就是数据库所有者“{name}”。请用 --app-role 另写一个名称。")
    if not mine["creates"] and not await _exists(name):
        raise WrongMoment(
            f"账号“{mine['name']}”没有建立账号的权限。请数据库管理员执行 CREATE ROLE \"{name}\" LOGIN PASSWORD '…'; 然后再运行 portal init。"
        )


async def _exists(role: str) -> bool:
    return bool(await Setting.raw("SELECT 1 FROM pg_roles WHERE rolname = {}", role).run())


async def install(make_password: Callable[[], str], role: str = "") -> Application | None:
    """Make the role where it is missing and give it its rights anew; None on SQLite."""
    engine = current_engine()
    if not isinstance(engine, PooledPostgres):
        return None
    async with transaction():
        await hold("schema")
        name = await _role(role)
        made = not await _exists(name)
        password = make_password() if made else ""
        if made:
            await engine.run_ddl(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password.replace(chr(39), chr(39) * 2)}'")
        await _grant(name)
        if await accounts.load_setting(ROLE) != name:
            await accounts.save_setting(ROLE, name)
    return Application(name, _url_as(engine.url, name, password), made)


async def _grant(role: str) -> None:
    engine = current_engine()
    schema = (await _row("SELECT current_schema() AS name"))["name"]
    sql = [
        f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"',
        f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM "{role}"',
        f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{role}"',  # SELECT: pg_dump reads them
        *(f'GRANT {what} ON "{table}" TO "{role}"' for table, what in privileges().items()),
    ]
    for statement in sql:
        await engine.run_ddl(statement)
    if (await _row("SELECT has_schema_privilege({}, current_schema(), 'CREATE') AS it", role))["it"]:
        # Before version 15 everybody may make tables in the schema public.
        await engine.run_ddl(f'REVOKE CREATE ON SCHEMA "{schema}" FROM PUBLIC')


def _url_as(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    who = quote(role, safe="") + (f":{quote(password, safe='')}" if password else "")
    return parts._replace(netloc=f"{who}@{parts.netloc.rpartition('@')[2]}").geturl()


async def require_application_role() -> None:
    """Raises WrongMoment when the portal would serve as a superuser or as the owner of its tables."""
    if not isinstance(current_engine(), PooledPostgres):
        return
    mine = await _row(_MINE)
    if mine["rolsuper"] or mine["has_tables"]:
        role = await accounts.load_setting(ROLE)
        raise WrongMoment(
            f"门户不能用账号“{mine['name']}”运行：它是数据库的所有者或超级用户，能改动约束和审计。"
            f"请把 DATABASE_URL 中的账号换成 portal init 建立的应用账号“{role}”。"
        )


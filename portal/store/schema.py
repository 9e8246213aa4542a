"""Bring a database to the tables and rules of this version, or say that it is not there yet."""

from __future__ import annotations

import contextlib
import io
import re
from functools import cache
from pathlib import Path

from piccolo.apps.migrations.tables import Migration
from piccolo.engine.base import Engine

from portal.domain.errors import WrongMoment
from portal.store import invariants, name_index, tally
from portal.store.engine import current_engine, transaction
from portal.store.locks import hold
from portal.store.tables import Setting


MIGRATIONS = Path(__file__).parent / "migrations"


@cache
def wanted() -> frozenset[str]:
    """The migrations this program knows, by the ID each file gives itself.

    Piccolo's own runner would import them all, and the formatter it writes new ones with: a third of a command's start.
    """
    ids = (re.search(r'^ID = "(.+)"$', file.read_text("utf-8"), re.M) for file in MIGRATIONS.glob("portal_*.py"))
    return frozenset(found[1] for found in ids if found)


async def migrate() -> None:
    """Run all pending migrations and install the invariants in one transaction.

    Piccolo records a migration after running it; inside one transaction a kill
    between the two leaves the database as it was before.
    """
    from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

    from portal.store.piccolo_app import APP_CONFIG

    engine = current_engine()
    async with transaction():
        await hold("schema")
        with contextlib.redirect_stdout(io.StringIO()):  # the runner talks to standard output
            await Migration.create_table(if_not_exists=True).run()
            await ForwardsMigrationManager(app_name="portal").run_migrations(APP_CONFIG)
        await _sort_by_bytes(engine)
        if await _installed_rules() != invariants.digest():
            await _forget_rules(engine)
            for statement in invariants.statements(engine.engine_type):
                await engine.run_ddl(statement)
            await tally.fill_tally()
            await name_index.fill_index()
            await Setting.delete().where(Setting.key == "invariants").run()
            await Setting(key="invariants", value=invariants.digest()).save().run()


async def _sort_by_bytes(engine: Engine) -> None:
    """On PostgreSQL every text column compares and sorts by bytes, as SQLite's do, whatever the database's own rules.

    Keyset pages and the order of public files depend on it, and an index so made serves LIKE 'prefix%'.
    """
    if engine.engine_type == "sqlite":
        return
    rows = await Setting.raw(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation o ON o.oid = a.attcollation "
        "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped "
        "AND o.collname <> 'C' ORDER BY c.relname, a.attnum"
    ).run()
    changes: dict[str, list[str]] = {}
    for row in rows:
        changes.setdefault(row["relname"], []).append(f'ALTER COLUMN "{row["attname"]}" TYPE {row["type"]} COLLATE "C"')
    for table, columns in changes.items():
        await engine.run_ddl(f'ALTER TABLE "{table}" {", ".join(columns)}')


async def _installed_rules() -> str:
    row = await Setting.select(Setting.value).where(Setting.key == "invariants").first().run()
    return row["value"] if row else ""


async def _forget_rules(engine: Engine) -> None:
    """Drop the triggers and indexes an earlier version installed: a rule that is gone must not go on refusing."""
    if engine.engine_type == "sqlite":
        triggers = await Setting.raw("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'g\\_%' ESCAPE '\\'").run()
    else:
        triggers = await Setting.raw(
            "SELECT t.tgname AS name, c.relname AS tbl_name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgname LIKE 'g\\_%'"
        ).run()
    for row in triggers:
        on = "" if engine.engine_type == "sqlite" else f' ON "{row["tbl_name"]}"'
        await engine.run_ddl(f'DROP TRIGGER "{row["name"]}"{on}')
    for name in [one[0] for one in (*invariants.UNIQUE, *invariants.INDEXES)]:
        await engine.run_ddl(f"DROP INDEX IF EXISTS {name}")


async def is_empty() -> bool:
    """True where no table of ours exists yet."""
    return not await Setting.table_exists().run()


async def require_current() -> None:
    """Raise WrongMoment unless this database has exactly our migrations and rules."""
    if await is_empty():
        raise WrongMoment("数据库还没有建立。请先运行 portal init。")
    done = set(await Migration.get_migrations_which_ran(app_name="portal"))
    known = wanted()
    if known - done:
        raise WrongMoment(f"数据库有 {len(known - done)} 步迁移没有执行。请先运行 portal init。")
    if done - known:
        raise WrongMoment("数据库由更新版本的程序建立，本程序不能打开。请升级程序。")
    if await _installed_rules() != invariants.digest():
        raise WrongMoment("数据库的约束与本程序不一致。请先运行 portal init。")

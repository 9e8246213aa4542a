"""Two engines, one code base: SQLite (sqlite.py) and PostgreSQL (postgres.py), opened, read from, and written to in transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import asyncpg
from piccolo.engine.base import Engine

from portal.domain.errors import BadInput, WrongMoment
from portal.store.postgres import PooledPostgres
from portal.store.sqlite import PooledSQLite

#: PostgreSQL gave up waiting for a row, or broke a deadlock: the transaction is undone whole
BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

T = TypeVar("T")


_engine: Engine | None = None


def current_engine() -> Engine:
    """The engine opened last; Piccolo's migrations find it through here."""
    if _engine is None:
        raise RuntimeError("no database is open")
    return _engine


class _Plain:
    """A statement as engines take it, put together once: Piccolo builds and takes apart its own at every run, half a millisecond each."""

    __slots__ = ("sql", "values")

    def __init__(self, sql: str, values: tuple[Any, ...]):
        self.sql, self.values = sql, values

    def compile_string(self, engine_type: str) -> tuple[str, list[Any]]:
        return _numbered(self.sql, engine_type), list(self.values)


@lru_cache(256)
def _numbered(sql: str, engine_type: str) -> str:
    first, *others = sql.split("{}")
    return first + "".join(("?" if engine_type == "sqlite" else f"${n}") + other for n, other in enumerate(others, 1))


async def read(sql: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of a SELECT written by hand, {} for each value: for what every page asks. Columns read as they are keep their types."""
    return [dict(row) for row in await current_engine().run_querystring(_Plain(sql, values))]


_kept: WeakKeyDictionary[Engine, dict[Hashable, tuple[object, Any]]] = WeakKeyDictionary()


async def keep(key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
    """What `load` gave the last time, where it is certain that nobody has committed anything since; else what it gives now.

    SQLite can tell at once, PostgreSQL cannot. For what a page asks again and again; nobody may change what they get.
    """
    engine = current_engine()
    mark = engine.mark() if isinstance(engine, PooledSQLite) else None
    if mark is None:
        return await load()
    kept = _kept.setdefault(engine, {})
    if key in kept and kept[key][0] == mark:
        return kept[key][1]
    found = await load()
    if len(kept) >= 64:
        kept.clear()
    kept[key] = mark, found  # the mark of before: what was committed meanwhile is asked for again
    return found


def _bind(engine: Engine) -> None:
    from portal.store import tables

    for table in tables.ALL:
        table._meta._db = engine
    from piccolo.apps.migrations.tables import Migration

    Migration._meta._db = engine


async def open_engine(url: str) -> Engine:
    """Open `sqlite:///PATH` or `postgresql://...` and bind all tables to it.

    Raises BadInput when the address is of another kind, WrongMoment when the server cannot be used.
    """
    global _engine
    os.environ["PICCOLO_CONF"] = "portal.store.piccolo_conf"
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = url.removeprefix("sqlite:///")  # sqlite:////absolute or sqlite:///relative
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        engine: Engine = PooledSQLite(path)
    elif parts.scheme in ("postgresql", "postgres"):
        engine = PooledPostgres(url)
        await engine.open_pool()
    else:
        raise BadInput(f"DATABASE_URL 只能以 sqlite:/// 或 postgresql:// 开头，现在是“{parts.scheme}”。")
    _engine = engine
    _bind(engine)
    return engine


async def close_engine() -> None:
    global _engine
    if isinstance(_engine, PooledSQLite):
        await _engine.close()
    elif isinstance(_engine, PooledPostgres):
        await _engine.close_connection_pool()
    _engine = None


@asynccontextmanager
async def transaction(*, lasting: bool = True) -> AsyncIterator[None]:
    """One transaction; a nested one joins the outer one (Piccolo's own rule).

    Not `lasting`: a power cut may undo it, whole, as long as no lasting one came after it. For the
    parts of a large file, which are done again then, without waiting for the disk each time.

    What the database's own rules refuse becomes a WrongMoment: most often two
    people did the same thing at once, and one of them was first.  Only the outermost
    one says so: to PostgreSQL a refused statement is the end of the whole transaction,
    so nobody inside may catch it and go on.
    """
    engine = current_engine()
    if engine.transaction_exists():
        async with engine.transaction():
            yield
        return
    try:
        async with engine.transaction(lasting=lasting):
            yield
    except (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError) as refusal:
        said = str(refusal).partition("\n")[0]  # PostgreSQL adds the whole row: nobody's to read
        raise WrongMoment(f"这一步与已有的数据冲突，没有保存（{said}）。可能有人同时在办理，请刷新后再看。") from refusal
    except BUSY as refusal:
        raise WrongMoment("别人正在办理同一件事，等了很久还没有结束，这一步没有保存。请稍后再试。") from refusal

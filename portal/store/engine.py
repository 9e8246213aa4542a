"""Two engines, one code base: SQLite, pooled here, and PostgreSQL (postgres.py).

Piccolo's own SQLiteEngine opens a connection and a thread for every query and
begins transactions DEFERRED; under concurrent read-then-write transactions
nearly all fail with "database is locked".  Ours keeps one writer connection
behind a lock and a few readers, in WAL mode, and always begins IMMEDIATE.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiosqlite
import asyncpg
from piccolo.engine.base import Engine
from piccolo.engine.sqlite import (
    SQLiteEngine,
    SQLiteTransaction,
    TransactionType,
    dict_factory,
)

from portal.domain.errors import BadInput, WrongMoment
from portal.store.postgres import PooledPostgres

READERS = 4
#: PostgreSQL gave up waiting for a row, or broke a deadlock: the transaction is undone whole
BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
BUSY_MS = 20_000  # another process (worker, command line) may hold the write lock this long


#: SQLite's own waiting asks after 1, 2 and 2 ms, then we ask again: whoever writes all day pauses a little longer between two transactions
ASKING_MS = 5

T = TypeVar("T")


async def _patiently(write: Callable[[], Awaitable[T]]) -> T:
    """Do what needs the write lock as soon as another process leaves it for a moment, for `BUSY_MS` at most."""
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            return await write()
        except sqlite3.OperationalError as refusal:
            if refusal.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise


class _Pool:
    """The connections of one running event loop."""

    def __init__(self, path: str):
        self.path = path
        self.writer: aiosqlite.Connection | None = None
        self.lock = asyncio.Lock()
        self.readers: asyncio.LifoQueue[aiosqlite.Connection | None] = asyncio.LifoQueue()
        for _ in range(READERS):
            self.readers.put_nowait(None)

    async def connect(self, *, reading: bool) -> aiosqlite.Connection:
        opening = aiosqlite.connect(
            self.path,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES,
            timeout=BUSY_MS / 1000,
            cached_statements=256,
        )
        try:
            connection = await opening
        except BaseException:
            # Its thread still answers to this loop: a loop closed meanwhile would be a traceback on standard error.
            await asyncio.to_thread(opening._thread.join, 5)
            raise
        connection.row_factory = dict_factory  # type: ignore[assignment]
        try:
            # One errand to the connection's thread for all of them.
            await (await connection.executescript(f"""
                PRAGMA journal_mode=WAL;
                PRAGMA synchronous=FULL; -- NORMAL may lose the last commits at a power cut
                -- A register's indexes are written all over: with the usual 2 MB, and a checkpoint every 4 MB, a page goes to
                -- the disk again and again.
                PRAGMA cache_size=-65536;
                PRAGMA wal_autocheckpoint=8000;
                PRAGMA foreign_keys=ON;
                PRAGMA recursive_triggers=ON; -- else INSERT OR REPLACE deletes silently
                PRAGMA trusted_schema=OFF;
                PRAGMA query_only={"ON" if reading else "OFF"};
            """)).close()
            if not reading:  # SQLite asks ever more rarely, at last ten times a second; see `_patiently`
                await (await connection.execute(f"PRAGMA busy_timeout={ASKING_MS}")).close()
        except BaseException:
            await connection.close()  # its thread would keep the process from ending
            raise
        return connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[aiosqlite.Connection]:
        async with self.lock:
            if self.writer is None:
                self.writer = await self.connect(reading=False)
            yield self.writer

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[aiosqlite.Connection]:
        connection = await self.readers.get()
        try:
            if connection is None:
                connection = await self.connect(reading=True)
            yield connection
        finally:
            self.readers.put_nowait(connection)

    async def close(self) -> None:
        idle = [self.readers.get_nowait() for _ in range(self.readers.qsize())]
        for connection in (*idle, self.writer):
            if connection is not None:
                await connection.close()
        self.writer = None
        for _ in idle:
            self.readers.put_nowait(None)


class _Transaction(SQLiteTransaction):
    """An IMMEDIATE transaction on the one writer connection."""

    __slots__ = ("_writing", "held", "lasting")

    async def __aenter__(self):
        if self._parent is not None:
            return self._parent
        self.held: set[tuple[str, int]] = set()  # locks.py
        self._writing = self.engine.pool().writing()
        self.connection = await self._writing.__aenter__()
        try:
            if not self.lasting:
                await self._synchronous("NORMAL")
            await _patiently(self.begin)
        except BaseException:
            # A cancelled BEGIN may still run in the connection's thread: the next writer must not inherit it.
            await self._undo()
            await self._leave()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, kind, error, trace) -> bool:
        if self._parent is not None:
            return error is None
        self.engine.current_transaction.reset(self.context)
        try:
            if error is not None:
                await self._undo()
            elif not self._committed and not self._rolled_back:
                await self.commit()
        except BaseException:
            # A failed COMMIT leaves the transaction open: the next writer must not inherit it.
            await self._undo()
            raise
        finally:
            await self._leave()
        return error is None

    async def _leave(self) -> None:
        try:
            if not self.lasting:
                await self._synchronous("FULL")
        finally:
            await self._writing.__aexit__(None, None, None)

    async def _synchronous(self, how: str) -> None:
        await (await self.connection.execute(f"PRAGMA synchronous={how}")).close()

    async def _undo(self) -> None:
        """Roll back whatever is open; it queues behind what the connection's thread still does, and may find nothing."""
        self._rolled_back = True
        await self.connection.rollback()


class PooledSQLite(SQLiteEngine):
    """SQLite with one writer and `READERS` readers per event loop."""

    def __init__(self, path: str):
        self._pools: dict[asyncio.AbstractEventLoop, _Pool] = {}
        super().__init__(path=path)

    def pool(self) -> _Pool:
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            self._pools = {known: pool for known, pool in self._pools.items() if not known.is_closed()}
            self._pools[loop] = _Pool(self.path)
        return self._pools[loop]

    async def _run(self, query: str, args: list | None):
        # execute_fetchall: one errand to the connection's thread where execute, fetchall and close are three.
        transaction = self.current_transaction.get()
        if transaction is not None:
            return await transaction.connection.execute_fetchall(query, args or [])
        pool = self.pool()
        if query.lstrip()[:6].upper() == "SELECT":
            async with pool.reading() as connection:
                return await connection.execute_fetchall(query, args or [])
        async with pool.writing() as connection:

            async def write() -> list:
                return await connection.execute_fetchall(query, args or [])

            return await _patiently(write)

    async def run_querystring(self, querystring, in_pool: bool = False):
        query, args = querystring.compile_string(engine_type=self.engine_type)
        return await self._run(query, args)

    async def run_ddl(self, ddl: str, in_pool: bool = False):
        return await self._run(ddl, None)

    def transaction(
        self,
        transaction_type: TransactionType = TransactionType.immediate,
        allow_nested: bool = True,
        lasting: bool = True,
    ) -> _Transaction:
        begun = _Transaction(self, TransactionType.immediate, allow_nested)
        begun.lasting = lasting
        return begun

    async def close(self) -> None:
        """Close this loop's connections; aiosqlite threads would keep a command from ending."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.close()


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

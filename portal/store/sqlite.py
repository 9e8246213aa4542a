"""SQLite as our first engine, pooled: one writer, a few readers in threads, and what is read at once by the event loop itself.

Piccolo's own SQLiteEngine opens a connection and a thread for every query and
begins transactions DEFERRED; under concurrent read-then-write transactions
nearly all fail with "database is locked".  Ours keeps one writer connection
behind a lock and a few readers, in WAL mode, and always begins IMMEDIATE.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiosqlite
from piccolo.engine.sqlite import (
    SQLiteEngine,
    SQLiteTransaction,
    TransactionType,
    dict_factory,
)

READERS = 4
#: Virtual machine steps of a SELECT that the event loop does itself, some milliseconds at most; what takes more goes to a reader's thread.
AT_ONCE = 200_000
_TICK = 20_000
TURNS = 16  # so many reads at once, then the others have their turn
BUSY_MS = 20_000  # another process (worker, command line) may hold the write lock this long


#: SQLite's own waiting asks after 1, 2 and 2 ms, then we ask again: whoever writes all day pauses a little longer between two transactions
ASKING_MS = 5

_TYPES = sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES

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


def _settings(reading: bool) -> str:
    return f"""
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
    """


class _Pool:
    """The connections of one running event loop. `near`: the loop's own, for what is read at once."""

    def __init__(self, path: str):
        self.path = path
        self.writer: aiosqlite.Connection | None = None
        self.lock = asyncio.Lock()
        self.near: sqlite3.Connection | None = None
        self.near_since = object()
        self.at_once = self.ticks = 0
        self.readers: asyncio.LifoQueue[aiosqlite.Connection | None] = asyncio.LifoQueue()
        for _ in range(READERS):
            self.readers.put_nowait(None)

    async def connect(self, *, reading: bool) -> aiosqlite.Connection:
        opening = aiosqlite.connect(
            self.path,
            isolation_level=None,
            detect_types=_TYPES,
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
            await (await connection.executescript(_settings(reading))).close()  # one errand to the connection's thread for all of them
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

    def read_at_once(self, query: str, args: Sequence[Any]) -> list[dict[str, Any]] | None:
        """The rows of a SELECT that takes few steps; None where it takes many, or would have to wait.

        A thread takes and leaves the interpreter at every row, and beside a busy loop waits up to 5 ms each time: fifty rows took
        a quarter of a second.
        """
        self.ticks = 0
        try:
            if self.near is None:
                self.near = self._connect_near()
            found = self.near.execute(query, args)
            rows = found.fetchall()
        except sqlite3.OperationalError as refusal:
            if refusal.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN):
                return None
            raise
        names = [column[0] for column in found.description]
        return [dict(zip(names, row)) for row in rows]

    def _tick(self) -> bool:
        self.ticks += 1
        return self.ticks > AT_ONCE // _TICK

    def _connect_near(self) -> sqlite3.Connection:
        """Once a reader has been opened, so that the file is there and in its mode: never waits, and ends what takes long."""
        near = sqlite3.connect(self.path, timeout=0, isolation_level=None, detect_types=_TYPES, cached_statements=256)
        try:
            near.executescript(_settings(True))
            # SQLite goes on counting where a statement's last run ended, so one look more or less.
            near.set_progress_handler(self._tick, _TICK)
        except BaseException:
            near.close()
            raise
        self.near_since = object()
        return near

    def mark(self) -> object | None:
        """Equal to an earlier one only if no connection of any process has committed anything since; None where that is not known."""
        if self.near is None:
            return None
        try:
            return self.near_since, self.near.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.OperationalError:
            return None

    async def close(self) -> None:
        if self.near is not None:
            self.near.close()
            self.near = None
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
            if (rows := pool.read_at_once(query, args or [])) is not None:
                pool.at_once += 1
                if pool.at_once % TURNS == 0:
                    await asyncio.sleep(0)
                return rows
            async with pool.reading() as connection:
                return await connection.execute_fetchall(query, args or [])
        async with pool.writing() as connection:

            async def write() -> list:
                return await connection.execute_fetchall(query, args or [])

            return await _patiently(write)

    async def run_querystring(self, querystring, in_pool: bool = False):
        query, args = querystring.compile_string(engine_type=self.engine_type)
        return await self._run(query, args)

    def mark(self) -> object | None:
        """See `_Pool.mark`; None within a transaction, which sees what nobody else does."""
        return None if self.current_transaction.get() is not None else self.pool().mark()

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

"""PostgreSQL as our second engine: a pool whose readers never wait for writers, and failures in words.

A transaction that waits for a row somebody else holds keeps its connection.  Only
`WRITERS` transactions a process are begun at once, so that reading always finds one of
the remaining connections, as it does on SQLite.
"""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from portal.domain.errors import WrongMoment

WRITERS, READERS = 8, 4  # connections a process; a server takes 100 by default
LOCK_MS = 20_000  # as long as SQLite waits for another process
CONNECT_SECONDS = 15

#: how a connection's end shows itself; InternalClientError: the server's farewell came between two of our messages
LOST = (
    asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError,
)  # fmt: skip

#: what the server says -> what people read; {user}, {database} and {place} come from the address
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (asyncpg.InvalidPasswordError, "PostgreSQL 不接受账号“{user}”的密码。请检查 DATABASE_URL 中的账号和密码。"),
    (asyncpg.InvalidAuthorizationSpecificationError, "PostgreSQL 不允许账号“{user}”从这里连接数据库“{database}”。请检查 DATABASE_URL 中的账号，或请数据库管理员开放连接。"),
    (asyncpg.InvalidCatalogNameError, "PostgreSQL 服务器上没有数据库“{database}”。请检查 DATABASE_URL，或先用 createdb 建立。"),
    (asyncpg.InsufficientPrivilegeError, "PostgreSQL 账号“{user}”没有连接数据库“{database}”的权限。请检查 DATABASE_URL，或请数据库管理员授权。"),
    (asyncpg.TooManyConnectionsError, "PostgreSQL 的连接已用完。请减少门户进程，或请数据库管理员调大 max_connections。"),
    (asyncpg.CannotConnectNowError, "PostgreSQL 正在启动或关闭，还不能连接。请稍后再试。"),
    (socket.gaierror, "找不到 DATABASE_URL 中的主机“{place}”。请检查地址。"),
    (FileNotFoundError, "连不上 PostgreSQL：“{place}”没有服务在监听。请检查 DATABASE_URL 中的地址和数据库服务是否已经启动。"),
    (ConnectionRefusedError, "连不上 PostgreSQL：“{place}”拒绝连接。请检查 DATABASE_URL 中的地址和数据库服务是否已经启动。"),
    (TimeoutError, "连不上 PostgreSQL：“{place}”没有回应。请检查 DATABASE_URL 中的地址和网络。"),
    (OSError, "连不上 PostgreSQL：到“{place}”的网络不通。请检查 DATABASE_URL 中的地址和网络。"),
)  # fmt: skip


class _Connection(asyncpg.Connection):
    """One that comes back to the pool without a further round trip: we leave no settings, cursors or session locks on it."""

    __slots__ = ()

    def get_reset_query(self) -> str:
        return ""


class _Transaction(PostgresTransaction):
    """Piccolo's, but a connection always finds its way back to the pool: a failed BEGIN or COMMIT keeps none."""

    __slots__ = ("_turn", "held", "lasting")

    async def __aenter__(self):
        if self._parent is not None:
            return self._parent
        self.held: set[tuple[str, int]] = set()  # locks.py
        self._turn = self.engine.turns
        await self._turn.acquire()
        try:
            await self._begin_on_a_live_one()
        except BaseException:
            self._turn.release()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, kind, error, trace) -> bool:
        if self._parent is not None:
            return error is None
        self.engine.current_transaction.reset(self.context)
        try:
            if error is None:
                await self._commit()
            elif not await self._rolled_back_here() and isinstance(error, LOST):
                raise WrongMoment("数据库连接中断，这一步没有保存。请稍后再试。") from error
        finally:
            try:
                await self.engine.pool.release(self.connection)  # which rolls back whatever is still open
            finally:
                self._turn.release()
        return error is None

    async def _begin_on_a_live_one(self) -> None:
        """After a restart of the server every idle connection is dead: nothing is lost by trying the next."""
        for left in reversed(range(WRITERS + READERS + 1)):
            self.connection = await self.engine.pool.acquire()
            try:
                self.transaction = self.connection.transaction()
                await self.begin()
                if not self.lasting:
                    await self.connection.execute("SET LOCAL synchronous_commit TO off")
                return
            except LOST as failure:
                self._let_go()
                await self.engine.pool.release(self.connection)
                if not left:
                    raise WrongMoment("数据库连接中断，这一步没有保存。请稍后再试。") from failure
            except BaseException:
                await self.engine.pool.release(self.connection)
                raise

    async def _rolled_back_here(self) -> bool:
        """False where the connection is gone: then the server has rolled back."""
        try:
            if not self._is_gone():
                await self.rollback()
                return True
        except LOST:
            self._let_go()
        return False

    def _is_gone(self) -> bool:
        try:
            return self.connection.is_closed()
        except asyncpg.InterfaceError:  # the pool has noticed and taken it back
            return True

    def _let_go(self) -> None:
        if not self._is_gone():
            self.connection.terminate()

    async def _commit(self) -> None:
        try:
            if not self._committed and not self._rolled_back:
                await self.commit()
        except LOST as failure:
            if isinstance(failure, asyncpg.InterfaceError) and not self._is_gone():
                raise  # the driver used wrongly
            self._let_go()
            # The server may have committed and gone before it could say so.
            raise WrongMoment("数据库连接中断，不能确定这一步是否已经保存。请稍后刷新核对。") from failure


class PooledPostgres(PostgresEngine):
    """PostgreSQL through one pool, made by `open_pool` in the event loop that uses it."""

    def __init__(self, url: str):
        self.url = url
        self.turns = asyncio.Semaphore(WRITERS)
        super().__init__(config={"dsn": url})

    async def check_version(self) -> None:
        """Piccolo would connect in a thread and warn in English; `open_pool` connects and refuses in words."""

    async def open_pool(self) -> None:
        """Raises WrongMoment, in one sentence, when the server cannot be used."""
        try:
            await self.start_connection_pool(
                min_size=1, max_size=WRITERS + READERS, timeout=CONNECT_SECONDS, connection_class=_Connection,
                # Compiling a statement (jit) takes half a second, and pays only where one runs for many.
                server_settings={"application_name": "mingcha", "lock_timeout": str(LOCK_MS), "timezone": "UTC", "jit": "off"},
            )  # fmt: skip
        except (asyncpg.PostgresError, OSError, TimeoutError) as failure:
            raise WrongMoment(words_of(failure, self.url)) from failure

    async def _run_in_pool(self, query: str, args=None):
        for left in reversed(range(WRITERS + READERS + 1)):
            try:
                return await super()._run_in_pool(query, args)
            except LOST:
                if not left or query.lstrip()[:6].upper() != "SELECT":  # reading again changes nothing
                    raise

    def transaction(self, allow_nested: bool = True, lasting: bool = True) -> _Transaction:
        begun = _Transaction(self, allow_nested)
        begun.lasting = lasting
        return begun


def words_of(failure: BaseException, url: str) -> str:
    """Why the server at this address cannot be used; the password is never in it."""
    parts = urlsplit(url)
    host = dict(pair.partition("=")[::2] for pair in parts.query.split("&")).get("host", "") or parts.hostname or "localhost"
    known = {"user": parts.username or "", "database": parts.path.lstrip("/") or parts.username or "", "place": host}
    for kind, words in _WORDS:
        if isinstance(failure, kind):
            return words.format_map(known)
    return f"PostgreSQL 数据库不能使用（{failure}）。请检查 DATABASE_URL 和数据库服务。"

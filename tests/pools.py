"""Connections to copies that are used again stay open from one test to the next: a new one knows no table, no statement and no plan.

A pool belongs to a loop, so the tests that ask for one share theirs (`one_loop`, tests/conftest.py).  It is kept
only if the copy is put back and nobody holds one of its connections; one that comes back to its pool is out of every transaction.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from portal.store import postgres
from portal.store.postgres import PooledPostgres

_kept: dict[str, asyncpg.Pool] = {}  # by the address of the application's role
_loops: list[asyncio.AbstractEventLoop] = []  # the one that tests share
_all: list[bool] = []  # those to any database are kept, not only those to a copy that is put back
_run = asyncio.run
T = TypeVar("T")
_open, _close = PooledPostgres.open_pool, PooledPostgres.close_connection_pool


def _name(url: str) -> str:
    return urlsplit(url).path[1:]


async def _take_pool(self: PooledPostgres) -> None:
    if asyncio.get_running_loop() in _loops:
        pool = _kept.pop(self.url, None)
        if pool and _is_as_asked(pool):
            self.pool = pool
            return
        if pool:
            await pool.close()
    await _open(self)


def _is_as_asked(pool: asyncpg.Pool) -> bool:
    """It was made with what is in force now: a test may have it otherwise."""
    settings = pool._connect_kwargs["server_settings"]
    return settings["lock_timeout"] == str(postgres.LOCK_MS) and pool._maxsize == postgres.WRITERS + postgres.READERS


async def _give_pool(self: PooledPostgres) -> None:
    pool = self.pool
    from tests import cluster  # which needs us

    if not pool or self.url in _kept or not (_all or cluster.is_kept(_name(self.url))) or not _is_free(pool):
        await _close(self)
        return
    _kept[self.url], self.pool = pool, None


def _is_free(pool: asyncpg.Pool) -> bool:
    return pool._loop in _loops and not pool.is_closing() and all(holder.is_idle() for holder in pool._holders)


@contextmanager
def kept_open():
    """As long as this lasts, an engine that is closed in the running loop leaves its connections to the next on the same copy."""
    _loops.append(asyncio.get_running_loop())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PooledPostgres, "open_pool", _take_pool)
        patch.setattr(PooledPostgres, "close_connection_pool", _give_pool)
        yield
    for name in {_name(url) for url in _kept}:
        give_up(name)
    _loops.clear()


@contextmanager
def kept_of_all():
    """For tests that open the same database of their own again and again: its connections wait until it is dropped or copied."""
    _all.append(True)
    yield
    _all.pop()


def run(work: Coroutine[Any, Any, T], **given: Any) -> T:
    """As asyncio.run, in the shared loop where it is at rest: so the connections of a command can wait for the next one."""
    if not _loops or _loops[0].is_running() or threading.current_thread() is not threading.main_thread():
        return _run(work, **given)
    [loop] = _loops
    before = asyncio.all_tasks(loop)
    try:
        return loop.run_until_complete(work)
    finally:
        if left := asyncio.all_tasks(loop) - before:  # as asyncio.run ends them
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def processes(name: str) -> set[int]:
    """The server's processes that wait for the next test of this copy."""
    holders = [holder for url, pool in _kept.items() if _name(url) == name for holder in pool._holders if holder.is_connected()]
    return {holder._con.get_server_pid() for holder in holders}


def give_up(name: str) -> None:
    """No connection to this database waits any more."""
    for url in [url for url in _kept if _name(url) == name]:
        _kept.pop(url).terminate()

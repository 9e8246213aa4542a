"""The PostgreSQL the tests use: one of their own for a run, or the server that MINGCHA_POSTGRES names.

Our own is started by the first test that asks for it, in a folder of its own in memory
where there is room, reached by a socket in that folder, as an unprivileged user, and
careless of crashes.  The process that runs pytest owns the folder and takes it away at
the end, however its workers ended; one that was itself killed is swept up by the next run.
Its databases sort by Chinese rules, so that whoever forgets to sort by bytes is found.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import asyncpg

from tests import pools
from tests.kept import FAILURES, MOST, Copy, Order, learn

SERVER, FOLDER, RUN = "MINGCHA_POSTGRES", "MINGCHA_CLUSTER", "MINGCHA_RUN"
PREFIX = "mingcha-pg-"
ROOM = 4 << 30  # bytes free in memory, else the cluster lies on the disk
OPTIONS = {
    "listen_addresses": "", "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "wal_level": "minimal",
    "max_wal_senders": "0", "autovacuum": "off", "max_connections": "400", "max_wal_size": "4GB", "checkpoint_timeout": "1h",
    "dynamic_shared_memory_type": "mmap",  # in the data folder, gone with it
    "max_parallel_workers_per_gather": "0",  # two more processes for a statement over many small tables
}  # fmt: skip
_numbers = count(1)
T = TypeVar("T")


# The server -------------------------------------------------------------------


def own() -> None:
    """Called by the process that runs pytest: a name for this run, and a folder for a server should one be needed."""
    os.environ[RUN] = f"mc{os.getpid()}"
    if os.environ.get(SERVER):
        _away(_make_role)
    if os.environ.get(SERVER) or missing():
        return
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else Path(tempfile.gettempdir())
    _sweep(base)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    (folder / "owner").write_text(str(os.getpid()))
    os.environ[FOLDER] = str(folder)


def disown() -> None:
    """The end of the run: our server with its folder, or our databases on somebody else's, are gone."""
    folder = os.environ.pop(FOLDER, None)
    if folder:
        _remove(Path(folder))
    elif os.environ.get(SERVER):
        _away(_drop_run)


def address() -> str:
    """The server's address, started if it is ours and nobody asked before."""
    if os.environ.get(SERVER):
        return os.environ[SERVER]
    folder = Path(os.environ[FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _start(folder)
            _away(_make_role, server=_own_address(folder))
            (folder / "ready").touch()
    return _own_address(folder)


def _own_address(folder: Path) -> str:
    return f"postgresql://mingcha@/postgres?host={folder}"


def missing() -> str:
    """Why no server can be had here; empty where one can."""
    if os.environ.get(SERVER) or os.environ.get(FOLDER) or _binaries():
        return ""
    return "no PostgreSQL here (install the package postgresql, or set MINGCHA_POSTGRES to a postgresql:// address)"


def _binaries() -> Path | None:
    """The folder of initdb: Debian keeps one for each version, newest last; others have them on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _run(folder: Path, program: str, *words: str) -> subprocess.CompletedProcess:
    """One of the server's programs; as root in the name of somebody else, since it refuses root."""
    who: dict[str, Any] = {}
    if os.getuid() == 0:
        user = _unprivileged()
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    binaries = _binaries()
    assert binaries
    return subprocess.run(
        [str(binaries / program), *words], cwd=folder, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **who,
    )  # fmt: skip


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _start(folder: Path) -> None:
    data = ["-D", str(folder / "data")]
    if not (folder / "data").exists():  # a bench keeps its server's folder from run to run
        if os.getuid() == 0:
            os.chown(folder, _unprivileged().pw_uid, _unprivileged().pw_gid)
        making = ["-U", "mingcha", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = _run(folder, "initdb", *data, *making, "--locale-provider=icu", "--icu-locale=zh")
        if done.returncode:  # before version 15, or built without ICU
            done = _run(folder, "initdb", *data, *making)
        assert done.returncode == 0, done.stdout
    options = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
    # pg_ctl's own output would be kept open by the server it leaves behind
    done = _run(folder, "pg_ctl", *data, "-s", "-w", "-l", str(folder / "log"), "-o", f"-k {folder} {options}", "start")
    assert done.returncode == 0, done.stdout + (folder / "log").read_text()


@contextmanager
def kept(folder: Path) -> Iterator[str]:
    """A server of a bench's own in a folder that stays, as long as this lasts; its address."""
    folder.mkdir(parents=True, exist_ok=True)
    _start(folder)
    try:
        yield _own_address(folder)
    finally:
        _run(folder, "pg_ctl", "-D", str(folder / "data"), "-s", "-m", "fast", "stop")


def _remove(folder: Path) -> None:
    if (folder / "data" / "postmaster.pid").exists():
        _run(folder, "pg_ctl", "-D", str(folder / "data"), "-s", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove what runs that were killed left behind."""
    for folder in base.glob(f"{PREFIX}*"):
        try:
            os.kill(int((folder / "owner").read_text()), 0)
        except (ProcessLookupError, ValueError):
            _remove(folder)
        except OSError:
            pass  # somebody else's


# Its databases ----------------------------------------------------------------


PASSWORD = "a-password-for-tests"


def application() -> str:
    """The role that all houses of this run work as: only who owns a database may change its rules."""
    return f"{os.environ[RUN]}_app"


def url_of(database: str, *, owner: bool, settings: Mapping[str, str] | None = None) -> str:
    """The address of one of our databases, for its owner or for the application role; `settings` of the server for who connects so."""
    parts = urlsplit(address())
    netloc = parts.netloc if owner else f"{application()}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}"
    query = "&".join(filter(None, [parts.query, urlencode(settings or {})]))
    return parts._replace(netloc=netloc, path=f"/{database}", query=query).geturl()


_in_use: dict[str, Copy] = {}  # by name: copies that are put back when they are dropped
_orders: dict[str, Order] = {}  # by template
_waiting: list[Copy] = []  # put back; the one used longest ago comes first


def create(template: str = "", *, kept: bool = False) -> str:
    """A database, empty or a copy of `template`, which nobody may be connected to; its name.

    `kept`: the template stays as it is for the whole run, so a copy that a test was done with is as good as a new one.
    """
    for copy in _waiting if kept else ():
        if copy.template == template:
            _waiting.remove(copy)
            _in_use[copy.name] = copy
            return copy.name
    name = f"{os.environ[RUN]}_{os.getpid()}_{next(_numbers)}"

    since: list[int] = []

    async def work(server: asyncpg.Connection) -> None:
        copying = f'TEMPLATE "{template}"' if template else ""
        if template and server.get_server_version().major >= 15:
            copying += " STRATEGY file_copy"  # without careful writes 4 times quicker than the log
        await server.execute(f'CREATE DATABASE "{name}" {copying}')
        if kept:
            since.append(await server.fetchval("SELECT pg_current_xact_id()::text::bigint"))

    let_go(template)
    _away(work)
    if kept and is_superuser():
        _in_use[name] = _on_loop(_copy(name, template, *since))
    return name


async def _copy(name: str, template: str, since: int) -> Copy:
    copy = Copy(name, template, url_of(name, owner=True), since)
    if template not in _orders:
        _orders[template] = await learn(await copy.open())
    copy.order = _orders[template]
    return copy


@cache
def is_superuser() -> bool:
    return query("postgres", "SELECT current_setting('is_superuser')") == [("on",)]


def let_go(name: str) -> None:
    """This copy is not put back: it is to be copied itself, when nobody may be connected to it, or its rules are to be changed."""
    pools.give_up(name)
    if copy := _in_use.pop(name, None):
        _on_loop(copy.close())


def is_kept(name: str) -> bool:
    """It is in use, and will be put back."""
    return name in _in_use


def query(database: str, sql: str, *values: Any) -> list[tuple]:
    """The rows of one statement run by the database's owner; `?` for each value, as for SQLite."""
    parts = sql.split("?")
    numbered = "".join(f"{part}${n}" for n, part in enumerate(parts[:-1], 1)) + parts[-1]
    rows: list[tuple] = []

    async def work(connection: asyncpg.Connection) -> None:
        rows.extend(tuple(row) for row in await connection.fetch(numbered, *values))

    _away(work, database)
    return rows


def drop(*names: str) -> None:
    """These databases are not needed any more."""
    waiting = {copy.name for copy in _waiting}
    gone = [name for name in names if name not in waiting and not _put_back(name)]
    if len(_waiting) > MOST:
        copy = _waiting.pop(0)
        pools.give_up(copy.name)
        _on_loop(copy.close())
        gone.append(copy.name)

    for name in gone:
        pools.give_up(name)

    async def work(server: asyncpg.Connection) -> None:
        for name in gone:
            await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    if gone:
        _away(work)


def _put_back(name: str) -> bool:
    copy = _in_use.pop(name, None)
    if not copy:
        return False
    with suppress(*FAILURES):  # a test that cut every connection
        if _on_loop(copy.put_back(pools.processes(name))):
            _waiting.append(copy)
            return True
    pools.give_up(name)
    _on_loop(copy.close())
    return False


def drop_role(name: str) -> None:
    _away(lambda server: server.execute(f'DROP ROLE "{name}"'))


async def _drop_run(server: asyncpg.Connection) -> None:
    for row in await server.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", f"{os.environ[RUN]}_"):
        await server.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
    for row in await server.fetch("SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", f"{os.environ[RUN]}_"):
        await server.execute(f'DROP ROLE "{row["rolname"]}"')


async def _make_role(server: asyncpg.Connection) -> None:
    """Once for a run: roles belong to the whole server, and workers that made it at once would be in each other's way."""
    await server.execute(f"CREATE ROLE \"{application()}\" LOGIN PASSWORD '{PASSWORD}'")


def _away(work: Callable[[asyncpg.Connection], Awaitable[object]], database: str = "", server: str = "") -> None:
    """Do this on the server in a thread with a loop of its own: a test's loop may be running here."""
    if not database and not server:
        address()  # started from here: starting it waits for the loop, which must not wait for that
        _on_loop(_kept(work))
        return

    async def connected() -> None:
        connection = await asyncpg.connect(url_of(database, owner=True) if database else server)
        try:
            await work(connection)
        finally:
            await connection.close()

    _on_loop(connected())


def _on_loop(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """A loop in a thread of this process's own, for as long as it lives."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    return loop


_open: list[asyncpg.Connection] = []  # to the server itself, where databases are made and dropped, one at a time
_turn = asyncio.Lock()


async def _kept(work: Callable[[asyncpg.Connection], Awaitable[object]]) -> None:
    async with _turn:
        if not _open or _open[0].is_closed():
            _open[:] = [await asyncpg.connect(address())]
        await work(_open[0])

"""A database saved and put back by its engine's own means, never as a copy of its files.

SQLite: the online backup API, one step, while others write.  PostgreSQL: pg_dump
of an exported snapshot, pg_restore in a single transaction.  What a copy holds
(`Facts`) is read from the very snapshot that was saved.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import asyncpg

from portal.domain.errors import BadInput, WrongMoment
from portal.store import audit, engine
from portal.store.engine import transaction
from portal.store.tables import WebSession

#: name of the saved database in a backup, by engine
FILES = {"sqlite": "portal.db", "postgres": "portal.dump"}
_SERVERS = Path("/usr/lib/postgresql")  # where Debian keeps each version's programs
_FACTS = {
    "migrations": "SELECT name FROM migration WHERE app_name = 'portal' ORDER BY name",
    "audit": "SELECT n, digest FROM audit ORDER BY n DESC LIMIT 1",
    "log": "SELECT count(*) FROM log_entry",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a saved database holds: its migrations, the last act's number and digest, entries in the log."""

    engine: str
    migrations: tuple[str, ...]
    acts: int
    head: str
    log_size: int

    def to_data(self) -> dict[str, Any]:
        return {**asdict(self), "migrations": list(self.migrations)}

    @classmethod
    def of_data(cls, data: Any) -> Facts:
        """Raises BadInput where this is none."""
        try:
            return cls(data["engine"], tuple(data["migrations"]), data["acts"], data["head"], data["log_size"])
        except (KeyError, TypeError):
            raise BadInput("备份的清单不完整。请换一份备份。") from None


def _facts(kind: str, rows: Mapping[str, Sequence[Sequence[Any]]]) -> Facts:
    n, digest = rows["audit"][0] if rows["audit"] else (0, audit.START)
    return Facts(kind, tuple(sorted(name for (name,) in rows["migrations"])), n, digest, rows["log"][0][0])


def engine_of(url: str) -> str:
    return "sqlite" if url.startswith("sqlite:") else "postgres"


async def save_database(url: str, to: Path) -> Facts:
    """Save one consistent state of the database into the new file `to`, while others write."""
    if engine_of(url) == "sqlite":
        return await asyncio.to_thread(_save_sqlite, Path(url.removeprefix("sqlite:///")), to)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            rows = {what: await connection.fetch(query) for what, query in _FACTS.items()}
            await _run_client("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", f"--file={to}")
    finally:
        await connection.close()
    return _facts("postgres", rows)


def _save_sqlite(file: Path, to: Path) -> Facts:
    # closing: a sqlite3 connection as a context manager only ends a transaction.
    with closing(sqlite3.connect(to)) as copy:
        with closing(sqlite3.connect(file)) as source:
            source.backup(copy)  # all pages in one step: one moment, and writers go on in the write-ahead log
        copy.execute("PRAGMA synchronous=OFF")  # a scratch file: what counts is synced with the archive
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
        problems = [row[0] for row in copy.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
        problems += [f"{table} {row}" for table, row, *_ in copy.execute("PRAGMA foreign_key_check").fetchmany(3)]
        if problems:
            raise WrongMoment(f"数据库已损坏，没有备份（{'；'.join(map(str, problems))}）。请停止使用，从较早的备份恢复。")
        return _facts("sqlite", {what: copy.execute(query).fetchall() for what, query in _FACTS.items()})


async def require_empty(url: str) -> None:
    """Raises WrongMoment where something is already at the database's place."""
    if engine_of(url) == "sqlite":
        file = url.removeprefix("sqlite:///")
        for place in (Path(file + tail) for tail in ("", "-wal", "-shm", "-journal")):
            if place.exists():
                raise WrongMoment(f"“{place}”已经存在，恢复不会覆盖它。请换一个位置，或先把它移走。")
        return
    connection = await asyncpg.connect(url)
    try:
        table = await connection.fetchval(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')"
            " AND n.nspname !~ '^(pg_|information_schema)' ORDER BY c.relname LIMIT 1"
        )
    finally:
        await connection.close()
    if table:
        raise WrongMoment(f"DATABASE_URL 指的数据库里已有内容（“{table}”等），恢复不会覆盖它。请用 createdb 另建一个空数据库。")


async def restore_database(url: str, file: Path) -> None:
    """Move a saved database to its empty place. PostgreSQL takes all of it or nothing; SQLite's may be a part after a kill."""
    if engine_of(url) == "postgres":
        options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-acl")
        await _run_client("pg_restore", url, *options, last=str(file))
        return
    target = Path(url.removeprefix("sqlite:///"))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(file, target)


def remove_database(url: str) -> None:
    """Take back what a failed restore put there; PostgreSQL took it back itself."""
    if engine_of(url) == "sqlite":
        for tail in ("", "-wal", "-shm", "-journal"):
            Path(url.removeprefix("sqlite:///") + tail).unlink(missing_ok=True)


async def load_facts(url: str) -> Facts:
    if engine_of(url) == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as opened:
            return _facts("sqlite", {what: opened.execute(query).fetchall() for what, query in _FACTS.items()})
    connection = await asyncpg.connect(url)
    try:
        return _facts("postgres", {what: await connection.fetch(query) for what, query in _FACTS.items()})
    finally:
        await connection.close()


async def require_facts(url: str, facts: Facts) -> None:
    """Raises WrongMoment unless the database holds what the backup says."""
    found = await load_facts(url)
    if found != facts:
        raise WrongMoment(
            f"恢复后的数据库与备份的清单不符：审计链到第 {found.acts} 条，应到第 {facts.acts} 条。请换一份备份，另用空的位置恢复。"
        )


async def note_restore(url: str, at: str, detail: Mapping[str, Any]) -> None:
    """The restore becomes an act of the chain, and nobody is logged in any more."""
    await engine.open_engine(url)
    try:
        async with transaction():
            await WebSession.delete(force=True).run()  # one ended since would open again
            await audit.save_act(
                at=at, actor="restore", organisation="", address="local", act="setup.restore", object="backup", detail=detail
            )
    finally:
        await engine.close_engine()


# PostgreSQL's programs ---------------------------------------------------------


def find_client(name: str) -> str:
    """pg_dump or pg_restore: on PATH, or the newest of Debian's folders. Raises WrongMoment."""
    versions = sorted(_SERVERS.glob(f"[0-9]*/bin/{name}"), key=lambda place: float(place.parts[-3]))
    found = shutil.which(name) or (str(versions[-1]) if versions else None)
    if not found:
        raise WrongMoment(f"找不到 PostgreSQL 的 {name}。请先安装 postgresql-client，版本不低于服务器。")
    return found


def without_password(url: str) -> tuple[str, str | None]:
    """(the address for a command line that everybody may read, the password for the environment)."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    given = dict(query).get("password", unquote(parts.password) if parts.password else None)
    user, at, host = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}{at}{host}"
    kept = urlencode([(name, value) for name, value in query if name != "password"])
    return f"{parts.scheme}://{netloc}{parts.path}{f'?{kept}' if kept else ''}", given


async def _run_client(name: str, url: str, *options: str, last: str = "") -> None:
    address, password = without_password(url)
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    if password is not None:
        environment["PGPASSWORD"] = password
    command = [find_client(name), *options, "--no-password", f"--dbname={address}", *([last] if last else [])]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise WrongMoment(_sentence(name, said.decode("utf-8", "replace") or f"exit {process.returncode}"))


def _sentence(name: str, said: str) -> str:
    if "server version mismatch" in said or "unsupported version" in said:
        return f"{name} 的版本低于服务器或备份。请安装与服务器同版本的 postgresql-client 后重试。"
    if "permission denied" in said:
        return f"数据库账号没有权限，{name} 没有做完。请在 DATABASE_URL 中使用数据库所有者的账号。"
    lines = [line.removeprefix(f"{name}: ").removeprefix("error: ") for line in said.splitlines() if line.strip()]
    return f"{name} 没有做完（{lines[0]}）。请检查数据库服务和磁盘空间后重试。"


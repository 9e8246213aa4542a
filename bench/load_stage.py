"""A large installation for the load benches, built once by the commands a bureau types and kept in a folder."""

from __future__ import annotations

import asyncio
import csv
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bench.import_rows import database, environment_of, write_register
from portal.steps import sample
from portal.store import accounts, engine
from portal.web.sessions import open_session
from tests import cluster
from tests.shared import SHARED

#: where stages are kept unless told otherwise
ROOM = Path(tempfile.gettempdir()) / "mingcha-load"
PORTAL = [sys.executable, "-m", "portal.cli"]
REAL = "enterprises/fujian_1978_2004.csv.gz"
#: as a bureau's server is set, not as the tests' is
_CAREFUL = {
    "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "wal_level": "replica", "autovacuum": "on", "max_wal_size": "2GB",
    "checkpoint_timeout": "5min", "shared_buffers": "512MB",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """`environment`: with it every command is this installation's. `url` is the application's, `owner` whose tables they are; `names`: code -> name; `server`: PostgreSQL's process."""

    environment: Mapping[str, str]
    url: str
    owner: str
    names: Mapping[str, str]
    server: int = 0


@contextmanager
def opened(folder: Path, entities: str, kind: str) -> Iterator[Stage]:
    """The stage of a number of sample entities, or `real`: the shared Fujian register; its server runs meanwhile."""
    room = folder / entities
    register = _register(room, entities)
    if kind == "sqlite":
        yield _stage(room / "sqlite", "", "", register, entities)
        return
    cluster.OPTIONS.update(_CAREFUL)
    with cluster.kept(folder / "server") as server:
        name = f"load_{entities}"
        owner = server.replace("/postgres?", f"/{name}?")
        if not (room / "postgres" / "ready").exists():
            database(server, name)
        process = int((folder / "server" / "data" / "postmaster.pid").read_text().split()[0])
        yield replace(_stage(room / "postgres", owner, f"{name}_app", register, entities), server=process)


def _register(room: Path, entities: str) -> Path:
    file = room / "register.csv"
    if not file.exists():
        room.mkdir(parents=True, exist_ok=True)
        fresh = room / "register.new"
        if entities == "real":
            with gzip.open(SHARED / "data" / REAL) as packed, fresh.open("wb") as out:
                shutil.copyfileobj(packed, out)
        else:
            write_register(fresh, int(entities))
        fresh.rename(file)
    return file


def _stage(data: Path, owner: str, role: str, register: Path, entities: str) -> Stage:
    ready = data / "ready"  # holds the address to serve with, written last
    if not ready.exists():
        shutil.rmtree(data, ignore_errors=True)
        named = ["--name", "福建省市场监督管理局", "--region", "350000"] if entities == "real" else []  # the sample names its own
        said = _command(environment_of(data, owner), "init", *named, *(["--app-role", role] if role else []))
        found = re.search(r"postgresql://\S+", said)
        url = found[0] if found else ""
        if owner and not url:
            raise SystemExit(f"the role {role} is there from an earlier stage; remove the folder of the server")
        asyncio.run(_settle(owner or f"sqlite:///{data / 'portal.db'}", sample_bureau=entities != "real"))
        _command(environment_of(data, url), "import", "entities", str(register))
        if owner:
            subprocess.run(["psql", "-q", owner, "-c", "VACUUM ANALYZE"], check=True)  # what autovacuum does within minutes
        ready.write_text(url)
    else:
        _command(environment_of(data, owner), "init", *(["--app-role", role] if role else []))  # as after an upgrade; nothing to do for the same program
    url = ready.read_text()
    with register.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream)
        head = next(rows)
        code, called = (head.index("uscc"), head.index("name")) if entities == "real" else (0, 1)
        names = {row[code]: row[called] for row in rows}
    file = f"sqlite:///{data / 'portal.db'}"
    return Stage(environment_of(data, url), url or file, owner or file, names)


def _command(environment: Mapping[str, str], *words: str) -> str:
    done = subprocess.run([*PORTAL, *words], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit(f"portal {' '.join(words)} failed:\n{done.stdout}")
    return done.stdout


async def _settle(url: str, *, sample_bureau: bool) -> None:
    """Stations for the sample, and a planner who need not change a password: sessions are opened in the store."""
    await engine.open_engine(url)
    try:
        if sample_bureau:
            await sample.name_sample_bureau(1)
        planner = await accounts.load_account("planner")
        assert planner
        await accounts.save_password(planner["id"], planner["password"], must_change=False)
    finally:
        await engine.close_engine()


async def log_in(url: str, clients: int) -> list[str]:
    """The cookies of so many sessions of the planner: what a login costs by design is not what is measured."""
    await engine.open_engine(url)
    try:
        planner = await accounts.load_account("planner")
        assert planner
        return [await open_session(planner["id"], datetime.now(UTC), os.urandom) for _ in range(clients)]
    finally:
        await engine.close_engine()


def spent(root: int, but: int = 0) -> float:
    """Processor seconds so far of all processes below `root`, one of them left out: of the server, beside the one that asks. 0 for no root."""
    if not root:
        return 0.0
    parents, took, reaped = {}, {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(folder.name)], took[int(folder.name)] = int(words[1]), int(words[11]) + int(words[12])
        reaped[int(folder.name)] = int(words[13]) + int(words[14])
    below, grown = {root}, True
    while grown:
        more = {one for one, parent in parents.items() if parent in below and one != but} - below
        below |= more
        grown = bool(more)
    return (sum(took[one] for one in below - {root}) + sum(reaped.get(one, 0) for one in below)) / os.sysconf("SC_CLK_TCK")

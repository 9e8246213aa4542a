"""Importing a register with full validation beside the fastest way there is: the database's own shell reading the stored rows.

    python -m bench.import_rows [--rows 1000000] [--runs 3] [--postgres postgresql://...] [--only sqlite|postgres]

A register of the sample is written as a bureau would send it (CSV, 21 columns) and, once it has been imported, as the
stored rows. Then, one after the other so that both meet the same machine, as often as `--runs` says:

    A  portal import entities FILE       into an empty installation (reading, checking, staging, merging, audit)
    B  sqlite3 .import  or  psql \\copy   of the stored rows into the same table with its indexes and triggers

Prints every time in seconds, wall and processor, and the ratio of the medians A/B. Target: at most 4, aim 2.5. Without
`--postgres` a server of the run's own is started where the binaries are (never as root). Also prints how much memory A took.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from portal.domain.headings import ENTITY
from portal.domain.sample import sample_entities
from portal.domain.tables import usual_heading
from tests import cluster

NAMES = (
    "code", "name", "old_names", "type", "status", "region", "station", "town", "address", "industries", "scope", "registered_on",
    "risk_class", "tags", "licence_name", "licence_number", "licence_issued_on", "licence_valid_to", "licence_authority", "capital",
    "authority",
)  # fmt: skip
PORTAL = [sys.executable, "-m", "portal.cli"]


@dataclass(frozen=True, slots=True)
class Took:
    wall: float
    cpu: float
    memory: int = 0  # bytes, of the command alone


def write_register(file: Path, rows: int) -> None:
    """The sample as a bureau's CSV."""
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([usual_heading(ENTITY, name) for name in NAMES])
        for row in sample_entities(rows):
            licence = row.licences[0] if row.licences else {}
            writer.writerow([
                row.code, row.name, "、".join(row.old_names), row.type, row.status, row.region, row.station, row.town, row.address,
                "、".join(row.industries), row.scope, row.registered_on, row.risk_class, "、".join(row.tags),
                *(licence.get(name, "") for name in ("name", "number", "issued_on", "valid_to", "authority")),
                row.attributes.get("capital", ""), row.attributes.get("authority", ""),
            ])  # fmt: skip


def timed(command: Sequence[str], environment: Mapping[str, str] | None = None, stdin: str = "") -> Took:
    """Run a command to its good end: wall seconds, its own processor seconds, its most memory (resident)."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT)
        assert child.stdin
        child.stdin.write(stdin.encode())
        child.stdin.close()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if child.returncode:
            raise SystemExit(f"{command} failed: {said.read().decode()}")
    return Took(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10)


def environment_of(folder: Path, url: str = "") -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_") and name != "DATABASE_URL"}
    return {**own, "PORTAL_DATA": str(folder), **({"DATABASE_URL": url} if url else {})}


# SQLite ---------------------------------------------------------------------------------------


def sqlite_rounds(folder: Path, register: Path, runs: int) -> Iterator[tuple[Took, Took]]:
    empty, stored, table = folder / "empty", folder / "stored.csv", folder / "table.db"
    environment = environment_of(empty)
    timed([*PORTAL, "init", "--region", "359921"], environment)
    for run in range(runs):
        ours = folder / "ours"
        shutil.rmtree(ours, ignore_errors=True)
        shutil.copytree(empty, ours)
        took = timed([*PORTAL, "import", "entities", str(register)], environment_of(ours))
        if run == 0:
            timed(["sqlite3", "-csv", str(ours / "portal.db"), f".output {stored}", "SELECT * FROM entity"])
            timed(["sqlite3", str(empty / "portal.db"), "PRAGMA wal_checkpoint(TRUNCATE)"])
        for left in folder.glob("table.db*"):
            left.unlink()
        shutil.copy(empty / "portal.db", table)
        yield took, timed(["sqlite3", str(table), f".import --csv {stored} entity"])
        for database in (ours / "portal.db", table):
            require_rows(subprocess.check_output(["sqlite3", str(database), "SELECT count(*) FROM entity"], text=True), register)


# PostgreSQL -----------------------------------------------------------------------------------


def postgres_rounds(folder: Path, register: Path, runs: int, server: str) -> Iterator[tuple[Took, Took]]:
    stored = folder / "stored-pg.csv"
    for run in range(runs):
        ours, theirs = database(server, "bench_ours"), database(server, "bench_theirs")
        for url, data in ((ours, "pg-ours"), (theirs, "pg-theirs")):
            shutil.rmtree(folder / data, ignore_errors=True)
            timed([*PORTAL, "init", "--region", "359921"], environment_of(folder / data, url))
        took = timed([*PORTAL, "import", "entities", str(register)], environment_of(folder / "pg-ours", ours))
        if run == 0:
            timed(["psql", "-q", ours, "-c", f"\\copy entity TO '{stored}' CSV"])
        yield took, timed(["psql", "-q", theirs, "-c", f"\\copy entity FROM '{stored}' CSV"])
        for url in (ours, theirs):
            require_rows(subprocess.check_output(["psql", "-Atq", url, "-c", "SELECT count(*) FROM entity"], text=True), register)


def database(server: str, name: str) -> str:
    async def make() -> None:
        connection = await asyncpg.connect(server)
        await connection.execute(f"DROP DATABASE IF EXISTS {name} (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(make())
    head, _, options = server.partition("?")
    return head.rpartition("/")[0] + f"/{name}" + (f"?{options}" if options else "")


def require_rows(said: str, register: Path) -> None:
    with register.open("rb") as stream:
        wanted = sum(1 for _ in stream) - 1
    if int(said) != wanted:
        raise SystemExit(f"{int(said):,} rows came in, not {wanted:,}")


# The report -----------------------------------------------------------------------------------


def report(engine: str, other: str, rounds: Iterator[tuple[Took, Took]], rows: int) -> None:
    print(f"{engine}: A is portal import entities, B is {other}; {rows:,} rows", flush=True)
    ours: list[Took] = []
    theirs: list[Took] = []
    for a, b in rounds:
        ours.append(a)
        theirs.append(b)
        print(f"  A {a.wall:7.1f} s (processor {a.cpu:6.1f})   B {b.wall:7.1f} s (processor {b.cpu:6.1f})   {a.wall / b.wall:.2f}", flush=True)
    a, b = statistics.median(one.wall for one in ours), statistics.median(one.wall for one in theirs)
    most = max(one.memory for one in ours)
    print(f"  medians: A {a:.1f} s, B {b:.1f} s, A/B = {a / b:.2f} (at most 4, aim 2.5); A {rows / a:,.0f} rows a second, {most / 1e6:.0f} MB of memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--postgres", default="", help="a server whose databases may be made and dropped")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="mingcha-bench-") as name:
        folder = Path(name)
        register = folder / "register.csv"
        began = time.perf_counter()
        write_register(register, asked.rows)
        print(f"{register.stat().st_size / 1e6:.0f} MB written in {time.perf_counter() - began:.0f} s", flush=True)
        if asked.only != "postgres":
            if shutil.which("sqlite3"):
                report("SQLite", "sqlite3 .import", sqlite_rounds(folder, register, asked.runs), asked.rows)
            else:
                print("SQLite: skipped, there is no sqlite3 shell here")
        if asked.only != "sqlite":
            if asked.postgres or not cluster.missing():
                cluster.OPTIONS.update({"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "wal_level": "replica"})
                cluster.OPTIONS.update({"autovacuum": "on", "max_wal_size": "2GB", "checkpoint_timeout": "5min", "shared_buffers": "512MB"})
                cluster.own()
                try:
                    report("PostgreSQL", "psql \\copy", postgres_rounds(folder, register, asked.runs, asked.postgres or cluster.address()), asked.rows)
                finally:
                    cluster.disown()
            else:
                print(f"PostgreSQL: skipped, {cluster.missing()}")


if __name__ == "__main__":
    main()

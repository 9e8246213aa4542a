"""The directory's first 50-row page of the portal beside the same page in Django (its ORM, templates, sessions and auth): throughput, in turn.

    python -m bench.django_page --python VENV/bin/python [--entities real|1000000] [--engine sqlite|postgres] [--clients 16] [--seconds 15] [--runs 3]

VENV is a throw-away environment with Django, gunicorn and, for PostgreSQL, psycopg; the project needs none of them. A B A B: the portal by
`portal serve` (one process, uvicorn), Django by gunicorn with one worker of four threads; the same clients on connections that stay open,
the same database. Each server is measured while the other is stopped. Both pages have the same rows, columns, filters, rail and forms.

In Django's favour, so that frameworks are compared and not our indexes: it reads totals and choices from the portal's own tally instead of
COUNT(*) and DISTINCT over the register, it pages by code without a filter of organisations, its session is a lookup by key without the
portal's idle time, roles and forms' keys, and it sets a third of the security headers. In the portal's: it keeps choices it has written (web/cells.py),
which counts where a register has 1,300 towns and hardly in the sample, which has 10. Django's DEBUG is off, templates are
cached, connections persist, and it works in threads, as is usual. Target: the portal at least 1.8 times Django's pages a second.
Processor seconds a page (the whole server: portal, its worker and its site; gunicorn with its master) are printed too: on a machine that others use their ratio says more than the pages a second.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from bench.load_stage import ROOM, log_in, opened, spent
from bench.portal_load import Client, served

SITE = Path(__file__).with_name("django_site.py")


async def _ask(address: str, cookies: list[str], seconds: float) -> tuple[int, float, int, float]:
    clients = [Client(address, cookie) for cookie in cookies]
    done = 0
    size = 0

    async def person(client: Client, until: float) -> None:
        nonlocal done, size
        while time.perf_counter() < until:
            status, body = await client.get("/directory")
            if status != 200 or body.count('<td class="nm">') != 50 or "下一页" not in body:
                raise SystemExit(f"{address}: {status}, {body.count('<td class=')} cells\n{body[:500]}")
            done, size = done + 1, len(body.encode())

    await asyncio.gather(*(person(client, time.perf_counter() + 2) for client in clients))
    done, began, before = 0, time.perf_counter(), spent(os.getppid(), os.getpid())
    await asyncio.gather(*(person(client, began + seconds) for client in clients))
    return done, time.perf_counter() - began, size, spent(os.getppid(), os.getpid()) - before


def ask(address: str, cookies: list[str], seconds: float) -> tuple[int, float, int, float]:
    """(pages, seconds, bytes of one, processor seconds of the server), by a process of its own."""
    return asyncio.run(_ask(address, cookies, seconds))


@contextmanager
def django(python: str, environment: Mapping[str, str]) -> Iterator[str]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    child = subprocess.Popen([python, str(SITE), "serve", str(port)], env=environment)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="of an environment with Django and gunicorn")
    parser.add_argument("--entities", default="real")
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOM)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {asked.engine}, {asked.entities}; {asked.clients} clients, {asked.seconds:g} s", flush=True)
    with opened(asked.folder, asked.entities, asked.engine) as stage:
        theirs = {**os.environ, "LOAD_DATABASE": stage.owner}
        keys = subprocess.run([asked.python, str(SITE), "prepare", str(asked.clients)], env=theirs, check=True, text=True, stdout=subprocess.PIPE).stdout.split()
        ours = [f"mingcha={value}" for value in asyncio.run(log_in(stage.url, asked.clients))]
        rates: dict[str, list[float]] = {"portal": [], "Django": []}
        costs: dict[str, list[float]] = {"portal": [], "Django": []}
        for _ in range(asked.runs):
            for name in rates:
                cookies = ours if name == "portal" else [f"sessionid={key}" for key in keys]
                with get_context("spawn").Pool(1) as pool:
                    with served(stage.environment) if name == "portal" else django(asked.python, theirs) as address:
                        pages, seconds, size, cost = pool.apply(ask, (address, cookies, asked.seconds))
                rates[name].append(pages / seconds)
                costs[name].append(cost / pages)
                print(f"  {name:7} {pages / seconds:7.1f} pages a second, {cost / pages * 1000:6.1f} ms of processor each, {size:,} bytes", flush=True)
    a, b = (statistics.median(rates[name]) for name in rates)
    c, d = (statistics.median(costs[name]) for name in costs)
    print(f"medians: portal {a:.1f}, Django {b:.1f} pages a second: {a / b:.2f} times (at least 1.8); processor Django/portal {d / c:.2f}")


if __name__ == "__main__":
    sys.exit(main())

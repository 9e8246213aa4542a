"""The portal's pages at the size of a city under 16 people: list, search by part of a name, page of one company.

    python -m bench.portal_load [--entities real|1000000] [--engine sqlite|postgres|both] [--clients 16] [--seconds 20]
                                [--folder DIR] [--kinds list,search,entity] [--seed 1] [--slow 0]

The installation is built once in `--folder` by the commands a bureau types (init, import entities) and used again; `real` is the
shared Fujian register of 55,486 companies. It is served by `portal serve` itself: one process with one event loop answers (the
worker beside it is idle). PostgreSQL is a server of the bench's own in the same folder, set as a bureau's is.

The clients are one process on the same machine, each a session of its own on a connection of its own, that asks for the next
page as soon as it has the last one: 16 people who never stop to read. Their share of the processors is part of the result.

    list    a third each: the directory's first page, pages further on, pages filtered by town, status or type
    search  two (half of all), three, four or six characters out of the middle of a random company's name; a third as htmx asks
    entity  the page of a random company

Every answer is read: 50 rows on a page of a list, each row of a search holds what was asked for, and the name it was taken
from is among them where all rows fit; the page of a company says its name and code. Anything else is an error and printed.
Prints requests a second, and of each answer's time the median, 95th and 99th of a hundred and the longest, in milliseconds; then the
processor's milliseconds for an answer, the portal's and PostgreSQL's: what a machine that others use changes least.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from bench.load_stage import PORTAL, ROOM, log_in, opened, spent

KINDS = ("list", "search", "entity")
ROWS = 50
_CELL = re.compile(r'<td class="nm">(?:<a href="[^"]*">)?(.*?)(?:</a>)?</td>', re.S)


@dataclass(slots=True)
class Measured:
    """`took`: seconds of each answer; `errors`: what was wrong with one; `portal`, `server`: processor seconds of ours and of PostgreSQL's."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    slow: list[tuple[float, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    portal: float = 0.0
    server: float = 0.0

    def line(self, kind: str) -> str:
        times = sorted(self.took) or [0.0]
        at = [times[min(len(times) - 1, int(len(times) * share))] * 1000 for share in (0.5, 0.95, 0.99)]
        cost = " ".join(f"{each / len(times) * 1000:8.1f}" for each in (self.portal, self.server))
        return f"{kind:8} {len(self.took) / self.seconds:7.1f} {at[0]:8.0f} {at[1]:8.0f} {at[2]:8.0f} {times[-1] * 1000:8.0f} {cost} {len(self.errors):7}"


class Client:
    """One person: a session and a connection that stays open."""

    def __init__(self, address: str, cookie: str):
        parts = urlsplit(address)
        self.host, self.port, self.cookie = parts.hostname or "", parts.port or 0, cookie
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, *, part: bool = False) -> tuple[int, str]:
        """(status, body). Asked again, as browsers do, where the server had closed a connection that was idle (uvicorn: 5 s)."""
        try:
            return await self._get(path, part)
        except (asyncio.IncompleteReadError, ConnectionError) as failure:
            if isinstance(failure, asyncio.IncompleteReadError) and failure.partial:
                raise
            self.writer = None
            return await self._get(path, part)

    async def _get(self, path: str, part: bool) -> tuple[int, str]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 22)
        assert self.reader
        htmx = "HX-Request: true\r\n" if part else ""
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nCookie: {self.cookie}\r\n{htmx}\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", head)
        body = await self.reader.readexactly(int(length[1]) if length else 0)
        return int(head[9:12]), body.decode()

    def close(self) -> None:
        if self.writer:
            self.writer.close()


# What is asked for, and what must come ---------------------------------------------------


class Questions:
    """Pages of one kind, by chance from a seed."""

    def __init__(self, names: Mapping[str, str], seed: int):
        self.names, self.codes, self.random = names, list(names), random.Random(seed)
        self.lists = ["/directory"]

    async def learn(self, client: Client) -> None:
        """Addresses of pages further on and of filters, from the directory itself."""
        path = "/directory"
        filters: list[str] = []
        for _ in range(6):
            status, body = await client.get(path)
            if status != 200:
                raise SystemExit(f"{path}: {status}\n{body[:2000]}")
            if not filters:
                for name in ("town", "status", "type"):
                    select = re.search(rf'<select id="f-{name}".*?</select>', body, re.S)
                    filters += [f"/directory?{urlencode({name: html.unescape(one)})}" for one in re.findall(r'<option value="([^"]+)"', select[0] if select else "")]
            following = re.search(r'<a class="btn" href="([^"]+)">下一页', body)
            if not following:
                break
            path = html.unescape(following[1])
            self.lists.append(path)
        self.filters = filters or ["/directory"]

    def ask(self, kind: str) -> tuple[str, bool, str, str]:
        """(address, asked as htmx does, the company's code, what was searched for)."""
        code = self.random.choice(self.codes)
        if kind == "entity":
            return f"/directory/{quote(code, safe='')}", False, code, ""
        if kind == "list":
            return self.random.choice((["/directory"], self.lists[1:] or ["/directory"], self.filters)[self.random.randrange(3)]), False, "", ""
        name = self.names[code]
        length = min(self.random.choice((2, 2, 2, 3, 4, 6)), len(name))
        start = self.random.randrange(len(name) - length + 1)
        words = name[start : start + length].strip()
        return f"/directory?{urlencode({'q': words})}", self.random.randrange(3) == 0, code, words

    def check(self, kind: str, path: str, code: str, words: str, status: int, body: str) -> str:
        """What is wrong with an answer, empty where it is right."""
        if status != 200:
            return f"{path}: {status}"
        if kind == "entity":
            said = html.unescape(body.replace("<wbr>", ""))
            return "" if code in said and self.names[code] in said else f"{path}: not the page of {code}"
        names = [html.unescape(one.replace("<wbr>", "")) for one in _CELL.findall(body)]
        more = "下一页" in body
        if len(names) > ROWS or (more and len(names) != ROWS):
            return f"{path}: {len(names)} rows"
        if kind == "list":
            return "" if more or "=" in path else f"{path}: no further page"
        wrong = [name for name in names if words.lower() not in name.lower()]
        if wrong:
            return f"{path}: {wrong[0]} does not hold {words}"
        return "" if more or self.names[code] in names else f"{path}: {self.names[code]} is missing"


async def _measure(address: str, cookies: list[str], names: Mapping[str, str], kind: str, seconds: float, seed: int, slow: float, server: int) -> Measured:
    found, questions = Measured(), Questions(names, seed)
    clients = [Client(address, cookie) for cookie in cookies]
    await questions.learn(clients[0])
    until = [0.0]

    async def person(client: Client) -> None:
        while time.perf_counter() < until[0]:
            path, part, code, words = questions.ask(kind)
            began = time.perf_counter()
            status, body = await client.get(path, part=part)
            took = time.perf_counter() - began
            found.took.append(took)
            if slow and took > slow:
                found.slow.append((took, path))
            if wrong := questions.check(kind, path, code, words, status, body):
                found.errors.append(wrong)

    async def run(some: float) -> float:
        began = time.perf_counter()
        until[0] = began + some
        await asyncio.gather(*(person(client) for client in clients))
        return time.perf_counter() - began

    await run(min(2.0, seconds / 2))  # connections, templates, the database's own memory
    found.took.clear(), found.slow.clear()
    before = spent(os.getppid(), os.getpid()), spent(server)
    found.seconds = await run(seconds)
    found.portal, found.server = spent(os.getppid(), os.getpid()) - before[0], spent(server) - before[1]
    for client in clients:
        client.close()
    return found


def measure(address: str, cookies: list[str], names: Mapping[str, str], kind: str, seconds: float, seed: int, slow: float = 0, server: int = 0) -> Measured:
    """In a process of its own, so that asking does not hold up answering."""
    return asyncio.run(_measure(address, cookies, names, kind, seconds, seed, slow, server))


# The portal ---------------------------------------------------------------------------------


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[str]:
    """`portal serve` as a bureau runs it; its address."""
    child = subprocess.Popen([*PORTAL, "serve", "--port", "0", "--site-port", "0"], env=environment, text=True, stdout=subprocess.PIPE, stderr=sys.stderr)
    try:
        assert child.stdout
        for line in child.stdout:
            if found := re.search(r"http://\S+", line):
                yield found[0].rstrip("/")
                break
        else:
            raise SystemExit("portal serve did not start")
    finally:
        child.terminate()
        child.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", default="1000000", help="a number of sample entities, or real")
    parser.add_argument("--engine", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20, help="of each kind of page")
    parser.add_argument("--folder", type=Path, default=ROOM)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slow", type=float, default=0, help="print addresses that took longer, in milliseconds")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {asked.clients} clients, {asked.seconds:g} s a kind", flush=True)
    for kind in ("sqlite", "postgres") if asked.engine == "both" else (asked.engine,):
        with opened(asked.folder, asked.entities, kind) as stage, served(stage.environment) as address:
            cookies = [f"mingcha={value}" for value in asyncio.run(log_in(stage.url, asked.clients))]
            print(f"\n{kind}, {len(stage.names):,} entities\n{'':8} {'per s':>7} {'p50 ms':>8} {'p95':>8} {'p99':>8} {'longest':>8} {'cpu ms':>8} {'+ server':>8} {'errors':>7}", flush=True)
            for what in asked.kinds.split(","):
                with get_context("spawn").Pool(1) as pool:
                    found = pool.apply(measure, (address, cookies, stage.names, what, asked.seconds, asked.seed, asked.slow / 1000, stage.server))
                print(found.line(what), flush=True)
                for took, path in sorted(found.slow, reverse=True)[:10]:
                    print(f"    {took * 1000:.0f} ms {path}")
                for wrong in found.errors[:5]:
                    print(f"    {wrong}")


if __name__ == "__main__":
    main()

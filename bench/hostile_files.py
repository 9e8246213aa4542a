"""Files made to hurt, uploaded to the portal by a person who is logged in, while somebody else asks for pages: what they cost everybody.

    python -m bench.hostile_files [--bare] [NAME ...]

An installation with a small register is made in a folder of its own and served by `portal serve`; one browser sends each file
of tests/sheets/hostile.py to /imports/new as the page does, another asks for the page of imports again and again. For each
file it prints the seconds until the refusal (and those of the processor), how much more memory the server and its children took
together at their worst, and the longest that the other browser waited for one of its answers meanwhile. Targets (TRUST.md,
faults, row 3): refused in 3 s, below +200 MB, other answers below 0.5 s; a file that misses one, or is not refused
in its words, is marked. The last lines are files that are read: the largest that a page accepts, clean and with every row wrong.

`--bare`: a small server that only reads the file (`read_sheet_limited` in a thread), to tell the reading from all around it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from portal.domain.codes import make_uscc
from portal.domain.errors import BadInput
from portal.sheets.limited import read_sheet_limited
from tests.office import Stages
from tests.sheets.hostile import FILES

SECONDS, MEMORY, WAIT = 3.0, 200e6, 0.5
PASSWORD, NEW_PASSWORD = "a password for tests", "一句足够长的新口令 42"
_BOUNDARY = "----mingcha-bench"


async def app(scope, receive, send) -> None:
    """`--bare`. GET: a short answer. POST: the body as a file; the refusal, or how many rows it has."""
    if scope["type"] != "http":
        return
    said = "ok"
    if scope["method"] == "POST":
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            sheet = await asyncio.to_thread(read_sheet_limited, bytes(body), "file")
            said = f"read: {len(sheet.rows)} rows"
        except BadInput as refusal:
            said = refusal.message
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})


# Whom it is sent to -----------------------------------------------------------------------


@dataclass
class Bare:
    """The small server."""

    port: int

    def ask(self) -> None:
        _request(self.port, "GET", "/")

    def upload(self, name: str, data: bytes) -> str:
        return _request(self.port, "POST", "/", data)[2]


@dataclass
class Browser:
    """A person at the portal: cookies, and the token of the page they are on."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def send(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> tuple[int, str, str]:
        """(status, where to, text)."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Origin": f"http://127.0.0.1:{self.port}"}
        status, answer, text = _request(self.port, method, path, body, headers | ({"Content-Type": content_type} if content_type else {}))
        for line in answer.get_all("set-cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        if found := re.search(r'name="csrf" value="([^"]+)"', text):
            self.csrf = found[1]
        return status, answer.get("location", ""), text

    def post(self, path: str, **fields: str) -> str:
        status, to, text = self.send("POST", path, urlencode(fields | ({"csrf": self.csrf} if self.csrf else {})).encode(), "application/x-www-form-urlencoded")
        if status != 303:
            raise RuntimeError(f"{path}: {status} {text[:2000]}")
        return to

    def login(self, login: str, password: str) -> Browser:
        self.csrf = ""
        self.send("GET", self.post("/login", login=login, password=password, then="/"))
        return self

    def ask(self) -> None:
        if self.send("GET", "/imports")[0] != 200:
            raise RuntimeError("the page of imports is not shown")

    def upload(self, name: str, data: bytes) -> str:
        """What the page says: the refusal, or what became of the rows."""
        body = b"".join(_part(f'name="{field}"', value.encode()) for field, value in (("csrf", self.csrf), ("kind", "entities"), ("sheet", "")))
        body += _part(f'name="file"; filename="{name}"\r\nContent-Type: application/octet-stream', data) + f"--{_BOUNDARY}--\r\n".encode()
        status, to, text = self.send("POST", "/imports/new", body, f"multipart/form-data; boundary={_BOUNDARY}")
        if status != 303:
            return _plain(re.search(r'role="alert".*?</div>', text, re.DOTALL), f"{status}")
        return _plain(re.search(r'id="tally">.*?</p>', self.send("GET", to)[2], re.DOTALL), "read")


def _part(about: str, content: bytes) -> bytes:
    return f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode() + content + b"\r\n"


def _plain(found: re.Match | None, otherwise: str) -> str:
    return " ".join(unescape(re.sub(r"^[^>]*>|<[^>]+>", " ", found[0])).split()) if found else otherwise


def _request(port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


@contextlib.contextmanager
def serving(command: list[str], port: int, environ: dict[str, str]) -> Iterator[int]:
    """A server that answers on `port`, until the end; its process."""
    server = subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            if server.poll() is not None:
                raise RuntimeError(f"the server ended with {server.returncode}")
            try:
                _request(port, "GET", "/login")
                break
            except OSError:
                time.sleep(0.2)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def bare() -> Iterator[tuple[int, Bare, Bare]]:
    port = _free_port()
    with serving([sys.executable, "-m", "uvicorn", "bench.hostile_files:app", "--port", str(port), "--log-level", "critical"], port, {}) as server:
        yield server, Bare(port), Bare(port)


@contextlib.contextmanager
def portal() -> Iterator[tuple[int, Browser, Browser]]:
    """(process, who uploads, who asks) of a real portal with a few hundred entries."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as root:
        data = Stages(Path(root), "sqlite").folder("filled")
        environ = {"PORTAL_DATA": str(data), "PORTAL_CLOCK": "simulated", "DATABASE_URL": "", "PORTAL_SECTORS": ""}
        command = [sys.executable, "-m", "portal.cli", "serve", "--port", str(port), "--site-port", "0"]
        with serving(command, port, environ) as server:
            one = Browser(port).login("operator", PASSWORD)
            if "/password" in one.send("GET", "/")[1]:
                one.send("GET", "/password")
                one.post("/password", current=PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD)
            other = Browser(port).login("operator", NEW_PASSWORD)
            one.send("GET", "/imports/new?kind=entities")
            for browser in (one, other):
                browser.ask()  # whatever is only made once is made
            one.upload("小.csv", "统一社会信用代码,企业名称\nx,y\n".encode())
            yield server, one, other


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# Measuring --------------------------------------------------------------------------------


def memory_of(process: int) -> int:
    """Resident bytes of a process and its children."""
    total = 0
    for pid in [process, *children_of(process)]:
        try:
            fields = Path(f"/proc/{pid}/statm").read_text().split()
            total += (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")  # what it does not share
        except (OSError, IndexError):
            pass  # gone
    return total


def children_of(process: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            pass
    return found


def processor_of(server: int) -> float:
    """Processor seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one file cost: seconds and processor seconds until the answer, bytes of memory more than before, another's longest wait."""

    said: str
    took: float
    used: float
    more: int
    waited: float

    def line(self, name: str, size: int, wanted: str) -> str:
        missed = [
            word for word, wrong in (
                ("SLOW", self.took > SECONDS), ("LARGE", self.more > MEMORY), ("OTHERS WAIT", self.waited > WAIT), ("NOT REFUSED SO", wanted not in self.said),
            ) if wrong
        ]  # fmt: skip
        return (
            f"{name:34} {size / 1e6:5.1f} MB  {self.took:5.2f} s (processor {self.used:5.2f})  {self.more / 1e6:+5.0f} MB  "
            f"others {self.waited * 1000:4.0f} ms  {' '.join([*(f'[{word}]' for word in missed), self.said[:60]])}"
        )


def measure(server: int, one: Browser | Bare, other: Browser | Bare, name: str, data: bytes) -> Cost:
    used, before = processor_of(server), memory_of(server)
    over, most, waits = threading.Event(), [before], [0.0]

    def watch() -> None:
        while not over.wait(0.005):
            most.append(memory_of(server))

    def ask() -> None:
        while not over.is_set():
            began = time.perf_counter()
            other.ask()
            waits.append(time.perf_counter() - began)

    threads = [threading.Thread(target=job) for job in (watch, ask)]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    said = one.upload(name, data)
    took = time.perf_counter() - began
    over.set()
    for thread in threads:
        thread.join()
    return Cost(said, took, processor_of(server) - used, max(most) - before, max(waits))


def largest(good: bool) -> bytes:
    """The largest register that a page accepts, as CSV: 100,000 rows of 12 columns, each clean or each wrong."""
    row = ",".join(f"第{n}列的文字" for n in range(10))
    head = "统一社会信用代码,企业名称," + ",".join(f"列{n}" for n in range(10))
    codes = (make_uscc("9", "1", "350582", f"MA{n:06d}") if good else f"坏 {n}!" for n in range(100_000))
    return "\n".join([head, *(f"{code},某某公司,{row}" for code in codes)]).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only files whose name holds one of these words")
    parser.add_argument("--bare", action="store_true", help="only the reading of files, in a small server of its own")
    asked = parser.parse_args()
    with bare() if asked.bare else portal() as (server, one, other):
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {'reading only' if asked.bare else 'the portal'}", flush=True)
        idle = []
        for _ in range(20):
            began = time.perf_counter()
            other.ask()
            idle.append(time.perf_counter() - began)
        print(f"others while nothing is uploaded: {max(idle) * 1000:.0f} ms at worst", flush=True)
        costs = []
        for name, (file, make, wanted) in FILES.items():
            if asked.names and not any(word in name for word in asked.names):
                continue
            data = make()
            costs.append(measure(server, one, other, file, data))
            print(costs[-1].line(name, len(data), wanted), flush=True)
        if costs:
            worst = [max(getattr(cost, name) for cost in costs) for name in ("took", "used", "more", "waited")]
            print(f"worst of {len(costs)}: {worst[0]:.2f} s (processor {worst[1]:.2f}), {worst[2] / 1e6:+.0f} MB, others {worst[3] * 1000:.0f} ms")
        for name, good in (("the largest that is read", True), ("as large, every row wrong", False)):
            if asked.names and not any(word in name for word in asked.names):
                continue
            data = largest(good)
            print(measure(server, one, other, "大.csv", data).line(name, len(data), ""), flush=True)


if __name__ == "__main__":
    main()

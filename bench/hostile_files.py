"""Files made to hurt, uploaded to a server while somebody else asks for pages: what they cost everybody.

    python -m bench.hostile_files [NAME ...]

A small server of its own reads uploads as the portal does (`read_sheet_limited` in a thread). For each file of
tests/sheets/hostile.py it prints the seconds until the refusal (and those of the processor), how much more memory the server and its child took
together at their worst, and the longest that another client waited for one of its answers meanwhile. Targets (TRUST.md,
faults, row 3): refused in 3 s, below +200 MB, other answers below 0.5 s. The last line is a file that is read: the largest
that a page accepts.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from portal.domain.errors import BadInput
from portal.sheets.limited import read_sheet_limited
from tests.sheets.hostile import FILES


async def app(scope, receive, send) -> None:
    """GET: a short answer. POST: the body as a file; the refusal, or how many rows it has."""
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
    """Processor seconds of the children that have ended."""
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def request(port: int, method: str, body: bytes | None = None) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, "/", body)
    said = connection.getresponse().read().decode()
    connection.close()
    return said


def measure(port: int, server: int, data: bytes) -> tuple[str, float, float, int, float]:
    """(answer, its seconds, those the child computed, bytes of memory more than before, the longest wait of another client)."""
    used = processor_of(server)
    before = memory_of(server)
    over, most, waits = threading.Event(), [before], [0.0]

    def watch() -> None:
        while not over.wait(0.005):
            most.append(memory_of(server))

    def ask() -> None:
        while not over.is_set():
            began = time.perf_counter()
            request(port, "GET")
            waits.append(time.perf_counter() - began)

    threads = [threading.Thread(target=one) for one in (watch, ask)]
    for one in threads:
        one.start()
    began = time.perf_counter()
    said = request(port, "POST", data)
    took = time.perf_counter() - began
    over.set()
    for one in threads:
        one.join()
    return said, took, processor_of(server) - used, max(most) - before, max(waits)


def largest() -> bytes:
    """The largest register that a page accepts, as CSV: 100,000 rows of 12 columns."""
    row = ",".join(f"第{n}列的文字" for n in range(11))
    return "\n".join(f"91350582MA{n:08d},{row}" for n in range(100_000)).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only files whose name holds one of these words")
    asked = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "bench.hostile_files:app", "--port", str(port), "--log-level", "critical"]
    server = subprocess.Popen(command)
    try:
        for _ in range(100):
            try:
                request(port, "GET")
                break
            except OSError:
                time.sleep(0.2)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        worst = [0.0, 0.0, 0, 0.0]
        for name, (_, make, _) in FILES.items():
            if asked.names and not any(word in name for word in asked.names):
                continue
            data = make()
            said, took, used, more, waited = measure(port, server.pid, data)
            worst = [max(pair) for pair in zip(worst, (took, used, more, waited), strict=True)]
            print(f"{name:34} {len(data) / 1e6:5.1f} MB  {took:5.2f} s (processor {used:4.2f})  {more / 1e6:+5.0f} MB  others {waited * 1000:4.0f} ms  {said[:40]}", flush=True)
        print(f"worst: {worst[0]:.2f} s (processor {worst[1]:.2f}), {worst[2] / 1e6:+.0f} MB, others {worst[3] * 1000:.0f} ms")
        said, took, used, more, waited = measure(port, server.pid, largest())
        print(f"{'the largest that is read':34}           {took:5.2f} s (processor {used:4.2f})  {more / 1e6:+5.0f} MB  others {waited * 1000:4.0f} ms  {said}")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()

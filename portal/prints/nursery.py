"""Where worker processes come from: one process has imported WeasyPrint, and each worker is a fork of it.

Importing WeasyPrint costs a second of CPU, forking a hundredth.  The nursery itself reads no data and
makes no document: it knows no font, template or limit, and has nothing of the portal's environment, so
that a worker is as it would be had it been started alone.  Run as `python -m portal.prints.nursery` with
a socket as standard input, it answers one request at a time and ends when that socket closes.

    {"start": environment} with two descriptors (requests, answers) -> {"pid"}
    {"end": pid, "wait_seconds"}                                    -> {"code"}, null where it had to be killed
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.prints.wire import Gone

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60  # for importing WeasyPrint on a slow disk
LARGEST = 1 << 16


class Nursery:
    """The process, asked from here; several threads may ask."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: dict[str, str]) -> tuple[int, int, int]:
        """A new worker: its pid, where to write requests, where to read answers.  Raises Gone."""
        theirs_in, requests = os.pipe()
        answers, theirs_out = os.pipe()
        try:
            with self._turn:
                if self._process is None or self._process.poll() is not None:
                    self._open()
                pid = self._ask({"start": environment}, [theirs_in, theirs_out])["pid"]
        except BaseException:
            os.close(requests)
            os.close(answers)
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        return pid, requests, answers

    def end(self, pid: int, wait_seconds: float) -> int | None:
        """End a worker whatever it is doing; its exit code (minus the signal) where it ended by itself within `wait_seconds`.

        Raises Gone where the nursery is: then its workers end by themselves, when their pipes close or their CPU time is up.
        """
        with self._turn:
            return self._ask({"end": pid, "wait_seconds": wait_seconds}, [])["code"]

    def close(self) -> None:
        with self._turn:
            if self._process is not None:
                self._socket.close()
                self._process.wait()
                self._process = None

    def _open(self) -> None:
        if self._process is not None:
            self._socket.close()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(START_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "portal.prints.nursery"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                # Nothing of the portal's environment: it holds the database's address and keys.
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"},
            )

    def _ask(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        try:
            socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
            answer = self._socket.recv(LARGEST)
        except OSError:
            answer = b""
        if not answer:  # an answer that came too late would be taken for the next one
            self._process.kill()
            self._process.wait()
            raise Gone
        return json.loads(answer)


_lock = threading.Lock()
_shared: Nursery | None = None
_users = 0


@contextlib.contextmanager
def shared() -> Iterator[Nursery]:
    """The nursery of this process, the same for all who are inside at once; it ends with the last of them."""
    global _shared, _users
    with _lock:
        if _shared is None:
            _shared = Nursery()
        nursery = _shared
        _users += 1
    try:
        yield nursery
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _shared = None
                nursery.close()


# The process itself -----------------------------------------------------------


def serve(control: socket.socket) -> int | None:
    """Answer until the other side hangs up (None).  In each new worker: the one return of a pid, its own."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, LARGEST, 2)
        if not data:
            return None
        request = json.loads(data)
        if "end" in request:
            answer: dict[str, Any] = {"code": _end(request["end"], request["wait_seconds"])}
        else:
            pid = os.fork()
            if not pid:
                control.close()
                for own, given in enumerate(descriptors):
                    os.dup2(given, own)
                    os.close(given)
                os.environ.update(request["start"])
                tempfile.tempdir = None  # the nursery's own may be known already: what a killed worker leaves would stay there
                return os.getpid()
            for given in descriptors:
                os.close(given)
            answer = {"pid": pid}
        try:
            control.send(json.dumps(answer).encode())
        except OSError:
            return None


def _end(pid: int, wait_seconds: float) -> int | None:
    until = time.monotonic() + wait_seconds
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= until:
            os.kill(pid, signal.SIGKILL)  # a child not yet waited for: its number is nobody else's
            os.waitpid(pid, 0)
            return None
        time.sleep(0.005)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the portal, which then closes the socket
    from portal.prints import worker

    gc.disable()
    with contextlib.suppress(Exception):  # a library is missing: the first worker says which
        worker.load()
    gc.enable()
    gc.freeze()  # else each worker copies what it never changes
    with socket.socket(fileno=os.dup(0)) as control:
        if serve(control) is None:
            return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    worker.main()


if __name__ == "__main__":
    main()
    sys.exit(0)

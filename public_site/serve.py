"""A small static server for a published site: `site/current`, re-read at every request.

It follows exactly one symbolic link, `current`, and only to a release; below it every part of an
address is opened without following links, so no file outside the release can be reached.
"""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_left
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from public_site.pages import ABSENT, GONE, MISSING

CHUNK = 1 << 16
PATIENCE = 30  # seconds a silent client may hold a thread

TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".jsonl": "application/jsonl; charset=utf-8", ".csv": "text/csv; charset=utf-8",
    ".tsv": "text/tab-separated-values; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".py": "text/x-python; charset=utf-8",
    ".pdf": "application/pdf", ".svg": "image/svg+xml", ".xml": "application/xml; charset=utf-8", ".gz": "application/gzip",
}  # fmt: skip
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_PART = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,119}", re.ASCII)
_RELEASE = re.compile(r"releases/[0-9]{6,}-[0-9a-f]{12}", re.ASCII)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe put there must not hold the thread


def type_of(name: str) -> str:
    return "text/plain; charset=utf-8" if name == "checkpoint" else TYPES.get(Path(name).suffix, "application/octet-stream")


def is_gone(site: Path, target: str) -> bool:
    """Whether what was at a target must not be shown any more (forget.py); a reader is told that and nothing else."""
    try:
        lines = (site / "gone.txt").read_text("ascii").splitlines()
    except FileNotFoundError:
        return False
    parts = parse_target(target)
    address = "/" + "/".join(parts or ())
    at = bisect_left(lines, address)
    return at < len(lines) and lines[at] == address


def open_file(site: Path, parts: list[str]) -> BinaryIO | None:
    """A plain file of the release shown, or None."""
    try:
        release = os.readlink(site / "current")
    except OSError:
        return None
    if not _RELEASE.fullmatch(release):
        return None
    folders: list[int] = []
    try:
        folders.append(os.open(site, os.O_RDONLY | os.O_DIRECTORY))
        for part in (*release.split("/"), *parts[:-1]):
            folders.append(os.open(part, _FOLDER, dir_fd=folders[-1]))
        found = os.open(parts[-1], _FILE, dir_fd=folders[-1])
    except OSError:
        return None
    finally:
        for folder in folders:
            os.close(folder)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        return None
    return os.fdopen(found, "rb")


def parse_target(target: str) -> list[str] | None:
    """The parts of a request's path, `index.html` added to a folder; None where a part is not a plain name."""
    path = target.split("?", 1)[0].split("#", 1)[0]
    if not path.startswith("/"):
        return None
    try:
        parts = unquote_to_bytes(path).decode("ascii").split("/")[1:]
    except UnicodeDecodeError:
        return None
    if parts[-1] == "":
        parts[-1] = "index.html"
    return parts if all(_PART.fullmatch(part) for part in parts) else None


def handler(site: Path) -> type[BaseHTTPRequestHandler]:
    """The request handler of a site."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "mingcha"
        sys_version = ""
        timeout = PATIENCE

        def do_GET(self) -> None:
            self.answer(body=True)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def answer(self, *, body: bool) -> None:
            parts = parse_target(self.path)
            if parts and len(parts) == 1 and parts[0].removesuffix(".gz") in ABSENT:  # no pages of their own
                parts = None
            packed = parts and "gzip" in self.headers.get("Accept-Encoding", "") and open_file(site, [*parts[:-1], f"{parts[-1]}.gz"])
            stream = packed or (parts and open_file(site, parts))
            if not stream:
                status, page = (HTTPStatus.GONE, GONE) if is_gone(site, self.path) else (HTTPStatus.NOT_FOUND, MISSING)
                if told := open_file(site, [page]):
                    with told:
                        self.refuse(status, told.read(), type_of(page), body=body)
                else:  # before the first release there are no pages at all
                    self.refuse(status, "没有这个页面。请核对地址，或从首页查找。\n".encode(), body=body)
                return
            with stream:
                facts = os.fstat(stream.fileno())
                # A published file is never changed in place, so its time and size name its content.
                etag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
                fresh = self.headers.get("If-None-Match") == etag
                self.send_response(HTTPStatus.NOT_MODIFIED if fresh else HTTPStatus.OK)
                self.send_header("Content-Type", type_of(parts[-1]))
                self.send_header("Vary", "Accept-Encoding")
                if packed:
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("ETag", etag)
                self.send_header("Last-Modified", formatdate(facts.st_mtime, usegmt=True))
                self.send_header("Cache-Control", "no-cache")
                if not fresh:
                    self.send_header("Content-Length", str(facts.st_size))
                self.end_headers()
                if body and not fresh:
                    while chunk := stream.read(CHUNK):
                        self.wfile.write(chunk)

        def refuse(self, status: HTTPStatus, content: bytes, kind: str = TYPES[".txt"], *, body: bool = True) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Cache-Control", "no-cache")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            """What http.server refuses itself (another method, a malformed line): plain text, nothing echoed."""
            self.close_connection = True
            words = "本站只提供查看和下载。\n" if code == HTTPStatus.NOT_IMPLEMENTED else "请求不合规定。\n"
            status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
            self.refuse(status, words.encode(), body=self.command != "HEAD")

        def end_headers(self) -> None:
            for name, value in HEADERS.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody's look-ups are written down."""

    return Handler


def make_server(site: Path, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """A server bound but not yet serving; port 0 takes a free one."""
    server = ThreadingHTTPServer((host, port), handler(site))
    server.daemon_threads = True
    return server


def serve(site: Path, host: str = "127.0.0.1", port: int = 8080, ready: Callable[[int], None] | None = None) -> None:
    """Serve until interrupted; `ready` is told the port."""
    with make_server(site, host, port) as server:
        if ready:
            ready(server.server_address[1])
        server.serve_forever()

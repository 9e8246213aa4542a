"""portal serve | worker."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from argparse import SUPPRESS, Namespace, _SubParsersAction
from collections.abc import Iterator
from typing import NoReturn

from portal import jobs
from portal.cli.failures import words_of
from portal.cli.office import Office, opened, say
from portal.cli.parsing import add_command, port
from portal.cli.speech import said
from portal.domain.errors import BadInput
from portal.settings import Settings, load_settings
from portal.store import rights
from public_site.serve import make_server

LOOPBACK = ("127.0.0.1", "localhost", "::1")
RESTART_SECONDS = 5.0
STOP_SECONDS = 10


def add_commands(commands: _SubParsersAction) -> None:
    serve = add_command(commands, "serve", run_serve, "启动门户、后台任务和公示网站，直到 Ctrl-C")
    serve.add_argument("--host", default="127.0.0.1", help="监听地址，默认只在本机")
    serve.add_argument("--port", type=port, default=8000, metavar="PORT", help="门户端口，默认 8000；0 表示任选一个空闲的")
    serve.add_argument("--site-port", type=port, default=8001, metavar="PORT", help="公示网站端口，默认 8001；0 表示不启动")
    worker = add_command(commands, "worker", run_worker, "只运行后台任务，直到 Ctrl-C")
    worker.add_argument("--until-idle", action="store_true", help="没有待办任务时退出")
    worker.add_argument("--with-parent", action="store_true", help=SUPPRESS)  # for serve: ends when its standard input closes


async def run_worker(args: Namespace) -> None:
    if args.with_parent:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _end_with_parent)
    async with opened(load_settings()) as office:
        await rights.require_application_role()
        done = await jobs.work(office.settings, office.keys, office.sectors, until_idle=args.until_idle)
    say(f"完成 {done} 个后台任务。")


def _end_with_parent() -> None:
    if not os.read(sys.stdin.fileno(), 1):
        os.kill(os.getpid(), signal.SIGTERM)  # at once, as if killed: every job stands that (portal.jobs)


def run_serve(args: Namespace) -> None:
    serve_all(load_settings(), args.host, args.port, args.site_port)


def serve_all(settings: Settings, host: str, port: int, site_port: int) -> None:
    """Portal, worker (a child process) and site until Ctrl-C or SIGTERM; both are the ordinary way to stop."""
    import uvicorn  # here, or every command waits half a second for the web framework

    from portal.web.app import create_app, share

    office = asyncio.run(_look(settings))
    app = create_app(share(settings, keys=office.keys, sectors=office.sectors, loopback=host in LOOPBACK))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=STOP_SECONDS
    )
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt), _stopping(), listening(host, port) as door, _site(settings, host, site_port) as site:
        with _worker(settings):
            say(f"门户　　　{address_of(host, door)}")
            if site:
                say(f"公示网站　{site}")
            say("按 Ctrl-C 停止。")
            gc.collect()
            gc.freeze()  # what the program itself consists of is not looked through for garbage again and again: a fifth of a page
            server.run(sockets=[door])
    say("已停止。")


async def _look(settings: Settings) -> Office:
    """The installation, once it is certain that it can be opened: in here a refusal is still a sentence."""
    async with opened(settings) as office:
        await rights.require_application_role()
        return office


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    """SIGTERM and a closed terminal stop everything as Ctrl-C does: without this the worker would be left behind."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def listening(host: str, port: int, option: str = "--port") -> Iterator[socket.socket]:
    """A socket bound to that port (0: any free one). BadInput naming the option where it cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError:
        raise BadInput(f"监听地址“{host}”不认识。请改 --host。") from None
    with socket.socket(family, kind, protocol) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(address)
            door.listen(2048)
        except OSError as problem:
            raise BadInput(f"端口 {port} 不能使用：{words_of(problem)}。请用 {option} 换一个。") from None
        yield door


def address_of(host: str, door: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{door.getsockname()[1]}/"


@contextlib.contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    """The background worker, started again should it ever end.

    A process of its own: building a site must not hold up anybody's page.  It has its
    own session, so that Ctrl-C reaches it through us, and ends with us even when we
    are killed: its standard input closes then.
    """
    environment = {**os.environ, "PORTAL_DATA": str(settings.data), "DATABASE_URL": settings.database_url}
    environment.pop("PORTAL_SECTORS", None)
    if settings.sectors:
        environment["PORTAL_SECTORS"] = ",".join(settings.sectors)
    command = [sys.executable, "-m", "portal.cli", "worker", "--with-parent"]
    stop, child = threading.Event(), _start(command, environment)

    def keep() -> None:
        nonlocal child
        while not stop.is_set():
            child.wait()
            if not stop.is_set():
                sys.stderr.write(said(f"portal: 后台任务进程意外结束（退出码 {child.returncode}），{RESTART_SECONDS:g} 秒后重新启动。\n"))
                if not stop.wait(RESTART_SECONDS):
                    child = _start(command, environment)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(STOP_SECONDS)
        child.kill()
        keeper.join(STOP_SECONDS)


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)


@contextlib.contextmanager
def _site(settings: Settings, host: str, port: int) -> Iterator[str]:
    """The public site served by a thread; its address, empty where it is not wanted."""
    if not port:
        yield ""
        return
    try:
        server = make_server(settings.data / "site", host, port)
    except OSError as problem:
        raise BadInput(f"端口 {port} 不能使用：{words_of(problem)}。请用 --site-port 换一个。") from None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield address_of(host, server.socket)
    finally:
        server.shutdown()
        server.server_close()

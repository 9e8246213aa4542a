"""portal serve | worker | site."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from argparse import Namespace, _SubParsersAction
from collections.abc import Iterator

import uvicorn

from portal import jobs
from portal.cli.office import load_sectors, opened, say
from portal.domain.errors import BadInput
from portal.settings import Settings, load_settings
from portal.store.keys import load_keys
from portal.web.app import create_app
from public_site.serve import make_server

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_commands(commands: _SubParsersAction) -> None:
    serve = commands.add_parser("serve", help="启动门户、后台任务和公示网站，直到 Ctrl-C")
    serve.add_argument("--host", default="127.0.0.1", help="监听地址，默认只在本机")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--site-port", type=int, default=8001, help="公示网站端口，0 表示不启动")
    serve.set_defaults(run=run_serve)
    worker = commands.add_parser("worker", help="只运行后台任务")
    worker.add_argument("--until-idle", action="store_true", help="没有待办任务时退出")
    worker.set_defaults(run=run_worker)


async def run_worker(args: Namespace) -> None:
    async with opened(load_settings()) as office:
        done = await jobs.work(office.settings, office.keys, office.sectors, until_idle=args.until_idle)
    say(f"完成 {done} 个后台任务。")


def run_serve(args: Namespace) -> None:
    settings = load_settings()
    serve_all(settings, args.host, args.port, args.site_port)


def serve_all(settings: Settings, host: str, port: int, site_port: int) -> None:
    """Portal, worker (a child process) and site until interrupted."""
    if not (settings.data / "keys").is_dir():
        raise BadInput(f"数据目录 {settings.data} 还没有建立。请先运行 portal init。")
    app = create_app(
        settings, keys=load_keys(settings.data / "keys"), sectors=load_sectors(settings), loopback=host in LOOPBACK
    )
    with _worker(settings), _site(settings, host, site_port) as address:
        say(f"门户　　　http://{host}:{port}/")
        if address:
            say(f"公示网站　{address}")
        say("按 Ctrl-C 停止。")
        uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)


@contextlib.contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    # A process of its own: building a site must not hold up anybody's page.
    environment = {**os.environ, "PORTAL_DATA": str(settings.data)}
    child = subprocess.Popen([sys.executable, "-m", "portal.cli.main", "worker"], env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        if child.poll() is None:
            child.kill()


@contextlib.contextmanager
def _site(settings: Settings, host: str, port: int) -> Iterator[str]:
    if not port:
        yield ""
        return
    try:
        server = make_server(settings.data / "site", host, port)
    except OSError as problem:
        raise BadInput(f"端口 {port} 不能使用（{problem.strerror}）。请用 --site-port 换一个。") from None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()

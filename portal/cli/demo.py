"""portal demo: the sample bureau through a year, on a fresh SQLite, then served."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from argparse import Namespace, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

from portal.cli.check import check_bundle, check_site
from portal.cli.demo_year import PASSWORD, Year
from portal.cli.office import opened, print_table, say
from portal.cli.parsing import add_command, port, whole
from portal.cli.serving import listening, serve_all
from portal.domain.errors import BadInput, WrongMoment
from portal.settings import Settings, load_settings
from portal.steps.verify import verify_installation
from portal.store.publish import load_releases

MARK = ".mingcha-demo"
#: all that a demo makes; a folder that holds anything else is somebody's own
MADE = {
    MARK, "clock", "clock.new", "portal.db", "portal.db-wal", "portal.db-shm", "portal.db-journal",
    "keys", "fonts", "bundles", "site", "draws", "sample", "tmp",
}  # fmt: skip
FEWEST = 100  # entities: with fewer, a class of a sealed round may be empty


def add_commands(commands: _SubParsersAction) -> None:
    demo = add_command(commands, "demo", run_demo, "虚构的望溪县走完一年：抽取、入企、审核、公示、核验，然后启动网站，直到 Ctrl-C")
    demo.add_argument("--build-only", action="store_true", help="做完就退出，不启动网站")
    demo.add_argument("--data", default="var/demo", metavar="DIR", help="数据目录，默认 ./var/demo；里面已有的演示会被替换")
    demo.add_argument("--entities", type=whole(FEWEST, 1_000_000), default=4000, metavar="N", help="检查对象户数，默认 4000")
    demo.add_argument("--port", type=port, default=8000, metavar="PORT", help="门户端口，默认 8000；0 表示任选一个空闲的")
    demo.add_argument("--site-port", type=port, default=8001, metavar="PORT", help="公示网站端口，默认 8001；0 表示不启动")


def run_demo(args: Namespace) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PORTAL_SECTORS")}
    folder = Path(args.data).absolute()
    load_settings({**environ, "PORTAL_CLOCK": "system"})  # an unknown setting is refused before anything is removed
    if not args.build_only:
        for number, option in ((args.port, "--port"), (args.site_port, "--site-port")):
            with listening("127.0.0.1", number, option):
                pass  # only to say now, not after a minute's work, that it is taken
    with _own(folder):
        if os.environ.get("DATABASE_URL"):
            say("演示总是用自己文件夹里的 SQLite，不使用 DATABASE_URL。")
        settings = load_settings({**environ, "PORTAL_CLOCK": "simulated", "PORTAL_DATA": str(folder)})
        with _scratch(folder / "tmp"):
            failed = asyncio.run(_build(settings, args.entities))
        if failed:
            raise WrongMoment(f"核验有 {failed} 项不通过。")
        if not args.build_only:
            say("")
            say(f"演示账号（密码都是 {PASSWORD}）：planner 计划员，approver 复核人，supervisor 纪检监督，")
            say("inspector 执法人员，reviewer 审核员，publisher 公示员，auditor 审计员，")
            say("sysadmin 系统管理员，secadmin 安全管理员")
            serve_all(settings, "127.0.0.1", args.port, args.site_port)


@contextlib.contextmanager
def _own(folder: Path) -> Iterator[None]:
    """The folder, emptied of an earlier demo and ours alone; one that holds anything else is refused untouched."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"“{folder}”是一个文件，不能作为演示的文件夹。请用 --data 另选一个。")
    found = sorted(place.name for place in folder.iterdir()) if folder.exists() else []
    if found and (MARK not in found or not MADE.issuperset(found)):
        other = next((name for name in found if name not in MADE), found[0])
        raise BadInput(f"“{folder}”里有别的内容（“{other}”等），演示不会覆盖它。请用 --data 另选一个文件夹。")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / MARK).open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WrongMoment(f"另一个演示正在使用“{folder}”。请先停止它，或用 --data 另选一个文件夹。") from None
        for name in found:
            place = folder / name
            if name != MARK:  # it stays: a killed run leaves a folder that is still known as ours
                shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        yield


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """Temporary files inside the demo's folder as well, so that even a killed demo leaves nothing elsewhere."""
    folder.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


async def _build(settings: Settings, entities: int) -> int:
    """The year, its check and the table; how many checks failed."""
    started = time.monotonic()
    year = Year(settings, entities, started)
    site = await year.run()
    year.step("核验")
    failed = await _verify(settings)
    rows: list[tuple[str, object]] = [("检查对象", entities)]
    rows += [(f"抽中　{task}", f"{count:,} 户") for task, count in year.drawn.items()]
    rows += [("入企次数", year.made["visits"]), ("少跑", year.made["avoided"]), ("发现问题", year.made["problems"])]
    rows += [("网页", site["pages"]), ("PDF", site["pdfs"]), ("用时", f"{time.monotonic() - started:.1f} 秒")]
    say("")
    print_table(rows)
    return failed


async def _verify(settings: Settings) -> int:
    async with opened(settings) as office:
        lines = [line async for line in verify_installation(await office.acting("auditor"))]
        noted = {row["code"] for row in await load_releases()}
    lines += check_site(settings.data / "site", noted)
    for folder in sorted((settings.data / "draws").iterdir()):
        lines += check_bundle(folder)
    for holds, words in lines:
        say(f"  {'OK  ' if holds else 'FAIL' if holds is False else '--  '} {words}")
    return sum(holds is False for holds, _ in lines)

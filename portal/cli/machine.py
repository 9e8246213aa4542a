"""portal check: whether this machine has what the portal needs, one line a thing, and what to type where not."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from argparse import Namespace, _SubParsersAction
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

from portal.cli.check import MARK, Line
from portal.cli.failures import sentence_of, words_of
from portal.cli.office import database, load_sectors, say
from portal.cli.parsing import add_command
from portal.cli.speech import said
from portal.domain.calendar import is_published
from portal.domain.errors import Refused
from portal.plugins import SectorProblem
from portal.prints.fonts import find_own, load_shipped, load_sums
from portal.settings import BEIJING, Settings, load_settings, parse_moment
from portal.store import audit, schema
from portal.store.keys import load_keys

PYTHON = (3, 11)
#: what WeasyPrint opens by name -> the Debian package that holds it
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
#: needed by some tests and by nothing else: name, how to find it, the Debian package
FOR_TESTS = (("Chromium", "chromium", "chromium"), ("pdftotext", "pdftotext", "poppler-utils"))
POSTGRES = Path("/usr/lib/postgresql")
LEAST_FREE = 1 << 30  # bytes: below this a release of the site or a backup may not fit
OLDEST = datetime(2026, 1, 1, tzinfo=BEIJING)  # this program did not exist before


def add_commands(commands: _SubParsersAction) -> None:
    add_command(commands, "check", run_check, "检查这台计算机：程序、字体、数据目录、数据库、密钥、时钟；每项一行 OK 或 FAIL，缺什么就说明输入什么")


async def run_check(args: Namespace) -> int:
    failed = 0
    async with contextlib.aclosing(_all_lines()) as lines:  # an output that closes must not leave the database open
        async for holds, words in lines:
            say(f"{MARK[holds]} {words}")
            failed += holds is False
    if failed:
        sys.stderr.write(said(f"portal: 这台计算机有 {failed} 项不合要求。\n"))
    return 1 if failed else 0


async def _all_lines() -> AsyncIterator[Line]:
    for line in (*check_program(), *check_fonts()):
        yield line
    try:
        settings = load_settings()
    except Refused as refusal:
        yield False, f"设置：{refusal.message}"
    else:
        for line in (*check_own_fonts(settings.fonts), check_sectors(settings), *check_folder(settings.data)):
            yield line
        async for line in check_installation(settings):
            yield line
        for line in check_years(_now(settings).year):
            yield line
    for line in check_for_tests():
        yield line


# The program and its machine --------------------------------------------------


def check_program(version: tuple[int, ...] = sys.version_info[:3]) -> Iterator[Line]:
    """Python, and each library that printing needs."""
    shown = ".".join(map(str, version))
    least = ".".join(map(str, PYTHON))
    yield (True, f"Python {shown}") if version >= PYTHON else (False, f"Python {shown} 太旧，需要 {least} 或更新。")
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
            yield True, f"系统库 {library}"
        except OSError:
            yield False, f"系统库 {library} 没有安装，不能生成 PDF。请输入：apt-get install {package}"


def check_fonts() -> Iterator[Line]:
    """Every shipped font against its sum; one line when all are well."""
    try:
        names = list(load_sums())
    except Refused as refusal:
        yield False, f"字体：{refusal.message}。"
        return
    well = True
    for name in names:
        try:
            load_shipped(name)
        except Refused as refusal:
            well = False
            yield False, f"字体：{refusal.message}。"
    if well:
        yield True, f"随程序的字体 {len(names)} 个，与 SHA256SUMS 一致；不使用系统字体"


def check_own_fonts(folder: Path | None) -> Iterator[Line]:
    if folder is None:
        return
    try:
        faces = find_own(folder)
    except Refused as refusal:
        yield False, f"字体：{refusal.message}。"
        return
    files = "、".join(sorted({face.file.name for face in faces}))
    if files:
        yield True, f"PORTAL_FONTS 的字体：{files}，其余用随程序的字体"
    else:
        yield None, f"PORTAL_FONTS“{folder}”里没有认识的字体文件，PDF 用随程序的字体"


def check_sectors(settings: Settings) -> Line:
    try:
        found = load_sectors(settings)
    except SectorProblem as refusal:
        return False, f"业务模块有问题：{'；'.join(str(problem) for problem in refusal.problems)}"
    except Refused as refusal:
        return False, refusal.message
    return True, f"业务模块：{'、'.join(sorted(found.sectors))}"


def check_for_tests() -> Iterator[Line]:
    """Information only: what some tests use."""
    for name, program, package in FOR_TESTS:
        place = shutil.which(program)
        yield None, f"{name}（只有测试用）：{place or f'没有，需要时输入 apt-get install {package}'}"
    servers = sorted(POSTGRES.glob("*/bin/postgres"))
    yield None, f"PostgreSQL 服务程序（本机作数据库服务器或测试时用）：{servers[-1] if servers else '没有，需要时输入 apt-get install postgresql'}"


# The installation -------------------------------------------------------------


def check_folder(data: Path) -> Iterator[Line]:
    """The data folder, or the place where it will be made: writable, and space enough."""
    place = next(folder for folder in (data, *data.parents) if folder.exists())
    named = f"数据目录“{data}”" + ("" if place == data else "（还没有建立）")
    try:
        with tempfile.TemporaryFile(dir=place):
            yield True, f"{named}可以写入"
    except OSError as problem:
        yield False, f"{named}不能写入：{words_of(problem)}。请检查 PORTAL_DATA 和“{place}”的权限。"
    free = shutil.disk_usage(place).free
    enough = free >= LEAST_FREE
    yield enough, f"可用空间 {free / (1 << 30):.1f} GB" + ("" if enough else f"，不足 {LEAST_FREE >> 30} GB。请清理或扩大“{place}”所在的磁盘。")


async def check_installation(settings: Settings) -> AsyncIterator[Line]:
    """The database reachable and current, the keys, and the clock against the last act."""
    made, last = False, None
    file = settings.database_file
    if file and not file.exists():
        yield None, "数据库还没有建立。要在这里建立一个安装，请输入：portal init"
    else:
        try:
            async with database(settings):
                if not await schema.is_empty():
                    made = True
                    await schema.require_current()
                    last = await audit.load_last_time()
            kind = "SQLite" if file else "PostgreSQL"
            yield (True, f"数据库（{kind}）可以使用，版本相符") if made else (None, f"数据库（{kind}）可以使用，还没有建立。请输入：portal init")
        except Exception as failure:  # noqa: BLE001 - a database may fail in any way; it is a FAIL line
            yield False, failure.message if isinstance(failure, Refused) else sentence_of(failure)
    keys = settings.data / "keys"
    if made or keys.exists():
        yield check_keys(keys)
    yield check_clock(settings, last)


def check_keys(folder: Path) -> Line:
    """Both key files, readable by their owner only."""
    try:
        if folder.stat().st_mode & 0o077:
            return False, f"密钥文件夹“{folder}”对其他用户开放。请输入：chmod 700 {folder}"
        if folder.stat().st_uid != os.geteuid():
            return None, f"密钥文件夹“{folder}”属于另一个用户，没有检查。请以运行门户的用户检查。"
        load_keys(folder)
    except OSError as problem:
        return False, f"密钥文件夹“{folder}”不能读取：{words_of(problem)}。请从备份恢复。"
    except Refused as refusal:
        return False, refusal.message
    return True, "密钥 2 个，只有本用户可读"


def _now(settings: Settings) -> datetime:
    """The portal's time, or the machine's where a simulated clock has not been set."""
    try:
        return settings.now()
    except Refused:
        return datetime.now(BEIJING)


def check_clock(settings: Settings, last: str | None) -> Line:
    """`last`: when the latest act was done, as the audit has it."""
    try:
        now = settings.now()
    except Refused as refusal:
        return False, refusal.message
    shown, at = f"{now:%Y-%m-%d %H:%M:%S}（北京时间）", parse_moment(last) if last else None
    if at and now < at:
        return False, f"时钟 {shown}比最近一次办理（{last}）还早。请校准时钟：timedatectl set-ntp true"
    if settings.simulated:
        return None, f"模拟时钟 {shown}：只用于演示和测试"
    if now < OLDEST:
        return False, f"时钟 {shown}不对。请校准时钟：timedatectl set-ntp true"
    return True, f"时钟 {shown}"


def check_years(year: int) -> Iterator[Line]:
    """Information: the working days of this year and the next, without which deadlines in them cannot be told."""
    for one in (year, year + 1):
        yield None, f"{one} 年工作日表：{'有' if is_published(one) else '还没有，涉及该年的期限不能计算；放假安排公布后更新程序'}"

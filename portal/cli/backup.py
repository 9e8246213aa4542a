"""portal backup | restore."""

from __future__ import annotations

import asyncio
from argparse import Namespace, _SubParsersAction
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from portal.cli.failures import words_of
from portal.cli.office import database, opened, print_table, say
from portal.cli.parsing import add_command
from portal.domain.errors import BadInput, WrongMoment
from portal.jobs import no_publishing
from portal.settings import Settings, load_settings
from portal.steps import backup
from portal.store import schema
from portal.store.archive import open_archive
from portal.store.backup import Facts

ENGINES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def add_commands(commands: _SubParsersAction) -> None:
    save = add_command(commands, "backup", run_backup, "把整个安装备份成一个文件：数据库、密钥、公示网站；使用中也可以备份", acting=True)
    save.add_argument("target", metavar="FILE|DIR", help="备份文件，或放备份文件的文件夹；已有的文件不会覆盖")
    save.add_argument("--without-keys", dest="keys", action="store_false", help="不含密钥（keys 文件夹另行保管）")
    back = add_command(commands, "restore", run_restore, "把备份恢复到空的 PORTAL_DATA 和 DATABASE_URL")
    back.add_argument("backup", metavar="BACKUP", help="portal backup 建立的文件")
    back.add_argument("--check", action="store_true", help="只检查备份是否完整，不恢复")


# Backing up --------------------------------------------------------------------


def run_backup(args: Namespace) -> None:
    settings = load_settings()
    target = _target(args.target, settings)
    asyncio.run(_require_allowed(args, settings))  # before anything is made
    try:
        with backup.scratch_beside(target) as (scratch, name), no_publishing(settings.data / "bundles", _say_waiting):
            facts = asyncio.run(_save_database(args, settings, scratch / "database"))
            manifest = backup.write_backup(
                scratch / "archive", scratch / "database", facts, data=settings.data, beside=_own_files(settings),
                keys=args.keys, version=version("mingcha"), at=settings.now(),
            )  # fmt: skip
            name(scratch / "archive")
    except OSError as problem:
        raise WrongMoment(f"没有备份：“{problem.filename or target}”不能使用，{words_of(problem)}。") from problem
    say(f"已备份：{target}")
    print_about(manifest, target.stat().st_size)
    if args.keys:
        say("备份含有签名密钥和门户密钥：谁拿到它，谁就能冒签日志、解开密封的密值。请像密钥一样保管，不要放在网站能访问的地方。")
    else:
        say(f"备份不含密钥。请把“{settings.data / 'keys'}”另行保管：没有它，恢复出来的安装打不开。")


async def _require_allowed(args: Namespace, settings: Settings) -> None:
    async with opened(settings) as office:
        (await office.acting(args.as_login)).require("setup.backup")


async def _save_database(args: Namespace, settings: Settings, to: Path) -> Facts:
    async with opened(settings) as office:
        act = await office.acting(args.as_login)
        return await backup.save_database(act, settings.database_url, to, keys=args.keys)


def _target(text: str, settings: Settings) -> Path:
    """The new file to write. BadInput where there is one, or where the next backup would hold this one."""
    target = Path(text).absolute()
    if target.is_dir():
        target /= f"mingcha-{settings.now():%Y%m%dT%H%M%S}.tar"
    if target.exists():
        raise BadInput(f"“{target}”已经存在，备份不会覆盖它。请换一个文件名。")
    if not target.parent.is_dir():
        raise BadInput(f"找不到文件夹“{target.parent}”。请先建立它。")
    if target.resolve().is_relative_to(settings.data.resolve()):
        raise BadInput(f"备份不能放在数据目录“{settings.data}”里面。请放到别的磁盘上。")
    return target


def _own_files(settings: Settings) -> tuple[Path, ...]:
    file = settings.database_file
    return tuple(file.with_name(file.name + tail) for tail in ("", "-wal", "-shm", "-journal")) if file else ()


def _say_waiting() -> None:
    say("正在发布公示网站，等它结束后开始备份……")


# Putting it back ---------------------------------------------------------------


def run_restore(args: Namespace) -> None:
    settings = load_settings()
    try:
        archive = open_archive(Path(args.backup))
    except OSError as problem:
        raise BadInput(f"备份“{args.backup}”不能读取：{words_of(problem)}。") from None
    backup.require_known(archive)
    if args.check:
        say(f"备份完整：{args.backup}")
        print_about(archive.manifest, archive.place.stat().st_size)
        return
    place = backup.Place(settings.data, settings.database_url)
    facts = asyncio.run(backup.require_restorable(archive, place))
    place.begin()
    try:
        count = backup.unpack(archive, place)
        asyncio.run(backup.restore_database(archive, facts, place, load_settings().now))  # the clock is back by now
    except BaseException:
        place.take_back()
        raise
    place.end()
    say(f"已恢复到：{settings.data}，数据目录 {count} 个文件")
    print_about(archive.manifest, archive.place.stat().st_size)
    for words in (*_left_to_do(archive.manifest, settings), *asyncio.run(_behind(settings))):
        say(words)
    say("最后请运行 portal verify。")


def _left_to_do(manifest: Mapping[str, Any], settings: Settings) -> list[str]:
    facts = Facts.of_data(manifest["database"])
    words = [
        f"备份以后办的事不在其中。存证日志恢复到第 {facts.log_size} 条：公示网站上已公布的检查点如果大于 {facts.log_size}，"
        "再发布就会与它矛盾，请先报告监督机构。",
        "所有人须重新登录；备份以后停用的账号、改过的密码，请重新办理。",
    ]  # fmt: skip
    if facts.engine == "postgres":
        words.append("应用账号的权限不在备份中：请用数据库所有者的 DATABASE_URL 运行一次 portal init。")
    if not manifest["keys"]:
        words.append(f"备份不含密钥。请把原来的 portal.key 和 log.key 放到“{settings.data / 'keys'}”，权限 600。")
    return words


async def _behind(settings: Settings) -> list[str]:
    async with database(settings):
        try:
            await schema.require_current()
        except WrongMoment as refusal:
            return [refusal.message]
    return []


def print_about(manifest: Mapping[str, Any], size: int) -> None:
    facts = Facts.of_data(manifest["database"])
    print_table(
        [
            ("备份时刻", manifest["at"]), ("程序版本", manifest["version"]), ("数据库", ENGINES[facts.engine]),
            ("审计链", f"{facts.acts:,} 条，链尾 {facts.head[:16]}…"), ("存证日志", f"{facts.log_size:,} 条"),
            ("网站版本", manifest["release"] or "还没有发布"), ("密钥", "有" if manifest["keys"] else "没有"),
            ("文件", len(manifest["files"])), ("大小", f"{size / 1_000_000:,.1f} MB"),
        ]
    )  # fmt: skip

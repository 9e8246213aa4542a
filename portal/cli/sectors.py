"""portal plugins."""

from __future__ import annotations

import json
import sys
from argparse import Namespace, _SubParsersAction

from portal.cli.office import database, load_sectors, say
from portal.cli.parsing import add_command
from portal.cli.speech import said
from portal.hookspecs import API_VERSION
from portal.plugins import SectorProblem, Sectors
from portal.sector_list import Listed, list_sectors, sector_to_data
from portal.settings import Settings, load_settings
from portal.steps.catalogue import with_sheets
from portal.store import schema

STATES = {"running": "", "sample": "样例模块，PORTAL_SECTORS 写明时才装入", "refused": "有问题，没有启动"}


def add_commands(commands: _SubParsersAction) -> None:
    plugins = add_command(commands, "plugins", run_plugins, "列出业务模块：版本、科室、来源、钩子、事项、表单、专项库和问题；有问题返回 1")
    plugins.add_argument("--json", action="store_true", help="输出 JSON")


async def run_plugins(args: Namespace) -> int:
    settings = load_settings()
    try:
        found, problems = await _with_sheets(settings, load_sectors(settings)), ()
    except SectorProblem as refusal:
        found, problems = refusal.found, refusal.problems
    listed = list_sectors(found, problems)
    elsewhere = [str(one) for one in problems if not one.sector]
    if args.json:
        data = {"api_version": API_VERSION, "sectors": [sector_to_data(one) for one in listed], "problems": elsewhere}
        say(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        for one in listed:
            _say_sector(one)
        for problem in elsewhere:
            say(f"问题　{problem}")
    if problems:
        sys.stderr.write(said(f"portal: 业务模块有 {len(problems)} 处问题，系统不会启动，请逐处改正。\n"))
    return 1 if problems else 0


async def _with_sheets(settings: Settings, sectors: Sectors) -> Sectors:
    """The installed sectors and those of the installation's spreadsheets, where there is one already."""
    if settings.database_file and not settings.database_file.exists():
        return sectors
    async with database(settings):
        if await schema.is_empty():
            return sectors
        await schema.require_current()
        return await with_sheets(sectors)


def _say_sector(one: Listed) -> None:
    counts = f"　事项 {len(one.items)}　表单 {len(one.forms)}　专项库 {len(one.registers)}"
    words = [one.code, one.name, one.version and f"版本 {one.version}", one.department, f"来源 {one.came_from}", STATES[one.state]]
    say("　".join(word for word in words if word) + (counts if one.state == "running" else ""))
    if one.hooks:
        say(f"  钩子　{'、'.join(one.hooks)}")
    for kind, things in (("事项", one.items), ("表单", one.forms)):
        for thing in things:
            say(f"  {kind}　{thing.code} {thing.version}　{getattr(thing, 'name', '') or thing.title}")
    for register in one.registers:
        say(f"  专项库　{register.code}　{register.name}")
    for problem in one.problems:
        say(f"  问题　{problem}")

"""portal export | statistics: what the pages show, as a file or as lines."""

from __future__ import annotations

import tempfile
from argparse import Namespace, _SubParsersAction
from pathlib import Path

from portal.cli.office import acting, say, write_file
from portal.cli.parsing import add_command
from portal.cli.rounds import parse_day
from portal.domain.errors import BadInput
from portal.domain.list_columns import LISTS
from portal.steps import statistics


def add_commands(commands: _SubParsersAction) -> None:
    listed = add_command(commands, "export", run_export, "把一份清单导出为 XLSX：与门户上同样筛选、同样的列完全一致", acting=True, required=True)
    listed.add_argument("list", choices=sorted(LISTS), metavar="LIST", help=f"哪一份：{'、'.join(f'{name} {one.title}' for name, one in sorted(LISTS.items()))}")
    listed.add_argument("--where", action="append", default=[], metavar="NAME=VALUE", help="筛选，可写多个，名称与门户地址里的相同，例如 town=望城镇")
    listed.add_argument("--sort", default="", metavar="COLUMN", help="按哪一列排，倒序写成 --sort=-COLUMN")
    listed.add_argument("--column", action="append", default=[], metavar="COLUMN", help="要哪些列，可写多个；不写是门户默认的列")
    listed.add_argument("--to", required=True, metavar="FILE", help="写到哪个文件，不能已经存在")
    counted = add_command(commands, "statistics", run_statistics, "统计：完成、公示、处置、发现问题、减少入企、工作量", acting=True, required=True)
    counted.add_argument("--from", dest="since", metavar="DATE", help="期间首日，默认本年 1 月 1 日")
    counted.add_argument("--to", dest="until", metavar="DATE", help="期间末日，默认本年 12 月 31 日")
    counted.add_argument("--org", default="", metavar="CODE", help="只看这个单位及其下级")


async def run_export(args: Namespace) -> None:
    from portal.web.lists import parse_asked, write_export  # with the web framework, which other commands need not load

    pairs = []
    for one in args.where:
        name, sign, value = one.partition("=")
        if not sign:
            raise BadInput(f"“--where {one}”应写成 名称=值，例如 town=望城镇。")
        pairs.append((name, value))
    listing = LISTS[args.list]
    asked, _ = parse_asked(listing, [*pairs, *([("sort", args.sort)] if args.sort else []), *[("col", name) for name in args.column]])
    async with acting(args) as (act, _):
        act.require(listing.act)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "list.xlsx"
            count = await write_export(act, listing, asked, path)
            write_file(args.to, path.read_bytes())
    say(f"{listing.title} {count:,} {listing.unit}已导出：{args.to}")


async def run_statistics(args: Namespace) -> None:
    since, until = (parse_day(text, said) if text else None for text, said in ((args.since, "期间首日"), (args.until, "期间末日")))
    async with acting(args) as (act, _):
        found = await statistics.load_statistics(act, since, until, args.org)
    say(f"{found.period.since} 至 {found.period.until}，截至 {found.at:%Y-%m-%d %H:%M}")
    for section in found.sections:
        say(f"\n{section.title}　{section.about}")
        say(f"  {section.first}：{'　'.join(section.heads)}")
        for line in section.lines:
            say(f"  {line.label}：{'　'.join(f'{figure.number:,}' for figure in line.figures)}")

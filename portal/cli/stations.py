"""portal stations make|assign|unplaced|place|divisions, portal directory accept-code."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction
from pathlib import Path

from portal.cli.office import acting, print_table, read_file, say
from portal.cli.parsing import add_command, add_group, whole
from portal.sheets.read import COMMAND, read_sheet
from portal.steps import codes, stations

CALLED = {"sure": "地址写明镇街", "likely": "按村居、旧称或名称推定", "ambiguous": "可能属于几个所", "none": "地址看不出"}
SHOWN = 20


def add_commands(commands: _SubParsersAction) -> None:
    kinds = add_group(commands, "stations", "划定各所辖区，把检查对象分到所")
    divisions = add_command(kinds, "divisions", run_divisions, "从文件导入本局区划内的镇街和村居，整份导入或整份拒绝", acting=True)
    divisions.add_argument("file", metavar="FILE", help="XLSX、XLS 或 CSV 文件，列为代码（镇街 9 位、村居 12 位）和名称")
    make = add_command(kinds, "make", run_make, "每个镇街设一所，或按辖区表设所", acting=True)
    make.add_argument("file", nargs="?", metavar="FILE", help="辖区表：所名称、辖区镇街、辖区村居、原镇街名；不写则每个镇街设一所")
    assign = add_command(kinds, "assign", run_assign, "按地址把还没有分到所的检查对象分到所", acting=True)
    assign.add_argument("--preview", action="store_true", help="只显示结果，不保存")
    unplaced = add_command(kinds, "unplaced", run_unplaced, "列出地址分不到所、需要人工指定的检查对象", acting=True)
    unplaced.add_argument("--limit", type=whole(1, 100_000), default=50, metavar="N", help="最多列出几户，默认 50")
    place = add_command(kinds, "place", run_place, "指定一户检查对象由哪个所管辖", acting=True)
    place.add_argument("code", metavar="CODE", help="检查对象代码")
    place.add_argument("station", metavar="STATION", help="所的编号，或本局编号（由局里直接管辖）")
    place.add_argument("--reason", required=True, help="理由")

    entries = add_group(commands, "directory", "办理名录中的单个检查对象")
    accept = add_command(entries, "accept-code", run_accept, "说明一户的代码虽然校验不符但无误，以后不再提示", acting=True)
    accept.add_argument("code", metavar="CODE", help="检查对象代码")
    accept.add_argument("--reason", required=True, help="怎样核对的")


async def run_divisions(args: Namespace) -> None:
    data = read_file(args.file)
    sheet = read_sheet(data, Path(args.file).name, COMMAND)
    async with acting(args) as (act, _):
        counts = await stations.import_divisions(act, sheet, data)
    say(f"区划已导入：{args.file}")
    print_table(list(counts.items()))


async def run_make(args: Namespace) -> None:
    data = read_file(args.file) if args.file else b""
    sheet = read_sheet(data, Path(args.file).name, COMMAND) if args.file else None
    async with acting(args) as (act, _):
        counts = await (stations.import_stations(act, sheet, data) if sheet else stations.make_stations(act))
    say("各所辖区已划定。")
    print_table(list(counts.items()))


async def run_assign(args: Namespace) -> None:
    async with acting(args) as (act, _):
        done = await stations.assign_stations(act, preview=args.preview)
    say("预览，没有保存：" if args.preview else "已按地址分到所：")
    print_table([(CALLED[confidence], count) for confidence, count in done.counts.items()])
    print_table(list(done.stations.items()))
    for code, name, address, why in done.left[:SHOWN]:
        say(f"  待人工　{code}　{name}　{address}　{why}")
    if len(done.left) > SHOWN:
        say(f"  待人工　还有 {len(done.left) - SHOWN} 户没有列出，用 portal stations unplaced 查看。")


async def run_unplaced(args: Namespace) -> None:
    async with acting(args) as (act, _):
        total = await stations.count_unplaced(act)
        rows = await stations.load_unplaced(act, limit=args.limit)
    say(f"没有分到所的检查对象 {total:,} 户。")
    for row in rows:
        say(f"  {row.entity['code']}　{row.entity['name']}　{row.entity['address']}　{row.match.why}")
    if total > len(rows):
        say(f"  还有 {total - len(rows):,} 户没有列出，加 --limit 可以多列。")


async def run_place(args: Namespace) -> None:
    async with acting(args) as (act, _):
        station = await stations.place_entity(act, args.code, args.station, args.reason)
    say(f"{args.code} 由{station['name']}管辖。")


async def run_accept(args: Namespace) -> None:
    async with acting(args) as (act, _):
        message = await codes.accept_code(act, args.code, args.reason)
    say(f"已记录，以后不再提示：{message}")

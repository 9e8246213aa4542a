"""portal record template|import|review|close|print."""

from __future__ import annotations

import re
from argparse import Namespace, _SubParsersAction

from portal.cli.follow_ups import list_follow_ups
from portal.cli.office import acting, print_table, read_file, say, write_file
from portal.cli.parsing import add_command, add_group
from portal.cli.rounds import parse_day
from portal.domain.errors import BadInput
from portal.domain.results import say_outcome
from portal.prints.render import Printer
from portal.sheets.write import write_xlsx
from portal.steps import documents, follow_ups, forms, results, review


def add_commands(commands: _SubParsersAction) -> None:
    kinds = add_group(commands, "record", "列出、导入或审核检查记录")
    blank = add_command(kinds, "template", run_template, "写出一轮待填的检查记录表，已知内容预先填好，填完用 import records 导入", acting=True)
    blank.add_argument("round", metavar="ROUND", help="轮次编号")
    blank.add_argument("file", metavar="OUT.xlsx", help="写到哪里，已有的文件不覆盖")
    load = add_command(kinds, "import", run_record_import, "从 JSON Lines 文件导入检查记录，整份导入或整份拒绝", acting=True)
    load.add_argument("file", metavar="FILE", help="每行一份记录的 JSON 文件")
    check = add_command(kinds, "review", run_review, "审核一份记录，或通过一轮的全部待审记录", acting=True, required=True)
    check.add_argument("what", metavar="RECORD|ROUND", help="记录编号，或轮次编号")
    check.add_argument("--return", dest="send_back", action="store_true", help="退回，须写 --comment")
    check.add_argument("--comment", default="", help="审核意见")
    end = add_command(kinds, "close", run_close, "办结一项后续处置，编号见 --list；写明结果和下一项的用 follow-ups close", acting=True)
    end.add_argument("follow_up", metavar="FOLLOWUP", nargs="?", type=int, help="后续处置编号")
    end.add_argument("--on", metavar="YYYY-MM-DD", default="", help="办结日期，默认今天")
    end.add_argument("--result", default="", help="怎样办结的")
    end.add_argument("--list", action="store_true", help="列出没有办结的")
    sheet = add_command(kinds, "print", run_print, "把一份检查记录排成 PDF：表单原文、答案、签名和照片", acting=True)
    sheet.add_argument("record", metavar="RECORD", type=int, help="记录编号")
    sheet.add_argument("file", metavar="OUT.pdf", help="写到哪里，已有的文件不覆盖")


async def run_close(args: Namespace) -> None:
    async with acting(args) as (act, _):
        if args.list or args.follow_up is None:
            rows = await follow_ups.load_follow_ups(act, "open", 1_000_000)
            list_follow_ups(rows)
            return
        await follow_ups.close_follow_up(act, args.follow_up, parse_day(args.on, "办结日期") if args.on else act.today, args.result)
    say(f"后续处置 {args.follow_up} 已办结，下次公示时结果页同步更新。")


async def run_print(args: Namespace) -> None:
    async with acting(args) as (act, office):
        name, context = await documents.load_record_sheet(act, args.record, demo=office.settings.simulated)
        with Printer(office.settings.data / "fonts", own_fonts=office.settings.fonts, workers=1) as printer:
            data = printer.render(name, "record_sheet.html", context)
    write_file(args.file, data)
    say(f"检查记录 {args.record} 已写到 {args.file}。")


async def run_template(args: Namespace) -> None:
    async with acting(args) as (act, _):
        rows = await results.write_template(act, args.round)
    write_file(args.file, write_xlsx(rows, name="检查记录表"))
    say(f"检查记录表已写到 {args.file}，共 {sum(1 for row in rows[2:] if not row[0].startswith('备注'))} 行待填。")


async def run_record_import(args: Namespace) -> None:
    data = read_file(args.file)
    async with acting(args) as (act, _):
        counts = await forms.import_records(act, data)
    say(f"{counts.pop('records')} 份检查记录已导入，待审核。")
    print_table([(say_outcome(code), count) for code, count in counts.items()])


async def run_review(args: Namespace) -> None:
    async with acting(args) as (act, _):
        if re.fullmatch(r"[0-9]{1,18}", args.what):
            opened = await review.load_review(act, int(args.what))
            await review.review_record(
                act, int(args.what), approve=not args.send_back, comment=args.comment, version=opened["record"]["version"]
            )
            say(f"记录 {args.what} 已{'退回' if args.send_back else '通过'}。")
            return
        if args.send_back:
            raise BadInput("退回要逐份办理，请写记录编号。")
        counts = await review.review_round(act, args.what)
    left = f"，另有 {counts['skipped']} 份是本人录入，不能自己审核" if counts["skipped"] else ""
    say(f"轮次 {args.what}：通过 {counts['approved']} 份{left}")

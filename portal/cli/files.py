"""portal import entities|inspectors|plan FILE, portal record import|review."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction
from pathlib import Path

from portal.cli.office import acting, print_table, read_file, say
from portal.domain.errors import BadInput
from portal.domain.model import OUTCOMES
from portal.sheets.read import read_sheet
from portal.steps import directory, forms, plan, review

IMPORTS = {
    "entities": ("检查对象名录", directory.import_entities),
    "inspectors": ("执法人员名录", directory.import_inspectors),
    "plan": ("年度抽查工作计划", plan.import_plan),
}


def add_commands(commands: _SubParsersAction) -> None:
    load = commands.add_parser("import", help="从文件导入名录或计划，整份导入或整份拒绝")
    load.add_argument("what", choices=sorted(IMPORTS), help="entities 检查对象，inspectors 执法人员，plan 年度计划")
    load.add_argument("file", help="XLSX、XLS 或 CSV 文件，可以是 gz 压缩的")
    load.add_argument("--as", dest="as_login", metavar="LOGIN", help="以哪个账号办理，默认运维账号")
    load.set_defaults(run=run_import)

    record = commands.add_parser("record", help="导入或审核检查记录")
    kinds = record.add_subparsers(dest="action", metavar="动作", required=True)
    load = kinds.add_parser("import", help="从 JSON Lines 文件导入检查记录，整份导入或整份拒绝")
    load.add_argument("file")
    load.add_argument("--as", dest="as_login", metavar="LOGIN", help="以哪个账号办理，默认运维账号")
    load.set_defaults(run=run_record_import)
    check = kinds.add_parser("review", help="审核一份记录，或通过一轮的全部待审记录")
    check.add_argument("what", help="记录编号，或轮次编号")
    check.add_argument("--return", dest="send_back", action="store_true", help="退回（须写 --comment）")
    check.add_argument("--comment", default="", help="审核意见")
    check.add_argument("--as", dest="as_login", metavar="LOGIN", required=True, help="审核员账号")
    check.set_defaults(run=run_review)


async def run_import(args: Namespace) -> None:
    called, step = IMPORTS[args.what]
    data = read_file(args.file)
    sheet = read_sheet(data, Path(args.file).name)
    async with acting(args) as (act, _):
        report = await step(act, sheet, data)
    say(f"{called}已导入：{args.file}")
    print_table(list(report.counts.items()))
    for problem in report.warnings[:20]:
        say(f"  提示　{problem}")
    if len(report.warnings) > 20:
        say(f"  提示　还有 {len(report.warnings) - 20} 处没有列出。")


async def run_record_import(args: Namespace) -> None:
    data = read_file(args.file)
    async with acting(args) as (act, _):
        counts = await forms.import_records(act, data)
    say(f"{counts.pop('records')} 份检查记录已导入，待审核。")
    print_table([(OUTCOMES[code].label, count) for code, count in counts.items()])


async def run_review(args: Namespace) -> None:
    async with acting(args) as (act, _):
        if args.what.isdigit():
            opened = await review.load_review(act, int(args.what))
            await review.review_record(
                act, int(args.what), approve=not args.send_back, comment=args.comment, version=opened["record"]["version"]
            )
            say(f"记录 {args.what} 已{'退回' if args.send_back else '通过'}。")
            return
        if args.send_back:
            raise BadInput("退回要逐份办理，请写记录编号。")
        counts = await review.review_round(act, args.what)
    say(f"轮次 {args.what}：通过 {counts['approved']} 份" + (f"，另有 {counts['skipped']} 份是本人录入，不能自己审核" if counts["skipped"] else ""))

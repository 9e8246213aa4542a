"""portal publish, portal publication list|withdraw|limit|correct."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction

from portal.cli.office import acting, print_table, say
from portal.cli.parsing import add_command, add_group
from portal.cli.rounds import parse_day
from portal.domain.corrections import FIELDS
from portal.domain.list_columns import PUBLICATIONS
from portal.domain.lists import Asked
from portal.jobs import publish_site, roll_site_back
from portal.steps import lists
from portal.steps import withdraw as steps
from portal.steps.acting import BEIJING


def add_commands(commands: _SubParsersAction) -> None:
    publish = add_command(commands, "publish", run_publish, "公示已审核的记录、计划和事项清单，生成网站并切换", acting=True)
    publish.add_argument("--rollback", metavar="RELEASE", nargs="?", const="", default=None, help="不生成，换回保留的旧版本；不写编号时换回上一个")
    kinds = add_group(commands, "publication", "列出、撤回、更正已公示的结果，设定公示期限")
    show = add_command(kinds, "list", run_list, "列出正在公示的结果，新的在前", acting=True)
    show.add_argument("--find", metavar="WORDS", default="", help="名称、代码或检查编号里的字")
    take = add_command(kinds, "withdraw", run_withdraw, "撤回一份结果，网站各处不再显示", acting=True, required=True)
    limit = add_command(kinds, "limit", run_limit, "设定一份结果公示到哪一天", acting=True, required=True)
    right = add_command(kinds, "correct", run_correct, "更正一份结果里的文字，变动记录里留说明", acting=True, required=True)
    for command in (take, limit, right):
        command.add_argument("visit", metavar="VISIT", help="检查编号")
    limit.add_argument("--until", metavar="YYYY-MM-DD", required=True, help="公示到这一天（含当日）")
    right.add_argument("field", metavar="FIELD", choices=list(FIELDS), help="更正什么：" + "、".join(f"{name} {label}" for name, label in FIELDS.items()))
    right.add_argument("new", metavar="NEW", help="更正为")
    right.add_argument("--item", metavar="ITEM", default="", help="更正情况说明时写明事项编码")
    right.add_argument("--show-old", action="store_true", help="依法应当同时公示原内容的")
    for command in (take, limit, right):
        command.add_argument("--reason", metavar="WORDS", required=True, help="理由和依据，只留在系统内")


async def run_publish(args: Namespace) -> None:
    async with acting(args) as (act, office):
        if args.rollback is not None:
            say(f"公示网站已换回 {await roll_site_back(act, office.settings, args.rollback)}。")
            return
        made = await publish_site(act, office.settings)
    say(f"公示网站 {made['id']}，" + (f"变动 {made['changed']} 个文件" if made["changed"] else "与上次相同，没有变动"))
    rows = [("新公示事项", made["items"]), ("新公示计划", made["plans"]), ("新公示结果", made["results"])]
    print_table([*rows, ("网页", made["pages"]), ("PDF", made["pdfs"])])


async def run_list(args: Namespace) -> None:
    async with acting(args) as (act, _):
        asked = Asked(given={"q": args.find} if args.find else {})
        rows = [row async for rows in lists.iter_filled(act, PUBLICATIONS, asked) for row in rows]
    for row in rows:
        until = f"　{row['until']} 起不再公示" if row["until"] else ""
        say(f"{row['key']}　{row['code']}　{row['name']}　{row['published_at'].astimezone(BEIJING):%Y-%m-%d} 公示{until}")
    say(f"正在公示的结果 {len(rows):,} 份。")


async def run_withdraw(args: Namespace) -> None:
    async with acting(args) as (act, _):
        await steps.withdraw(act, args.visit, args.reason)
    say(f"{args.visit} 已撤回，后台任务更新网站后各处不再显示；没有后台任务的，请运行 portal publish。")


async def run_limit(args: Namespace) -> None:
    async with acting(args) as (act, _):
        await steps.limit(act, args.visit, parse_day(args.until, "公示期限"), args.reason)
    say(f"{args.visit} 公示到 {args.until}，次日由后台任务停止公示；没有后台任务的，请每天运行 portal publish。")


async def run_correct(args: Namespace) -> None:
    async with acting(args) as (act, _):
        await steps.correct(act, args.visit, args.item, args.field, args.new, args.reason, shown=args.show_old)
    say(f"{args.visit} 的{FIELDS[args.field]}已更正，后台任务更新网站后显示；没有后台任务的，请运行 portal publish。")

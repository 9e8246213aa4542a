"""portal publish."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction

from portal.cli.office import acting, print_table, say
from portal.jobs import publish_site


def add_commands(commands: _SubParsersAction) -> None:
    publish = commands.add_parser("publish", help="公示已审核的记录、计划和事项清单，生成网站并切换")
    publish.add_argument("--as", dest="as_login", metavar="LOGIN", help="公示员账号")
    publish.set_defaults(run=run_publish)


async def run_publish(args: Namespace) -> None:
    async with acting(args) as (act, office):
        made = await publish_site(act, office.settings)
    say(f"公示网站 {made['id']}，" + (f"变动 {made['changed']} 个文件" if made["changed"] else "与上次相同，没有变动"))
    rows = [("新公示事项", made["items"]), ("新公示计划", made["plans"]), ("新公示结果", made["results"])]
    print_table([*rows, ("网页", made["pages"]), ("PDF", made["pdfs"])])

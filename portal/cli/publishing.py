"""portal publish."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction

from portal.cli.office import acting, print_table, say
from portal.cli.parsing import add_command
from portal.jobs import publish_site


def add_commands(commands: _SubParsersAction) -> None:
    add_command(commands, "publish", run_publish, "公示已审核的记录、计划和事项清单，生成网站并切换", acting=True)


async def run_publish(args: Namespace) -> None:
    async with acting(args) as (act, office):
        made = await publish_site(act, office.settings)
    say(f"公示网站 {made['id']}，" + (f"变动 {made['changed']} 个文件" if made["changed"] else "与上次相同，没有变动"))
    rows = [("新公示事项", made["items"]), ("新公示计划", made["plans"]), ("新公示结果", made["results"])]
    print_table([*rows, ("网页", made["pages"]), ("PDF", made["pdfs"])])

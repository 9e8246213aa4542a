"""portal documents issue|list|print|void: numbered documents of a visit."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction

from portal.cli.office import Office, acting, say, write_file
from portal.cli.parsing import add_command, add_group, whole
from portal.domain.documents import KINDS
from portal.prints.render import Printer
from portal.steps import issued
from portal.steps.acting import Acting

SUBJECTS = "对象：notice、result 写入企编号，record 写记录编号，order 写后续处置编号"


def add_commands(commands: _SubParsersAction) -> None:
    kinds = add_group(commands, "documents", "文书：编号制作、列出、打印、作废")
    made = add_command(kinds, "issue", run_issue, "制作一份文书并编号；制作过的显示原文号", acting=True, required=True)
    made.add_argument("kind", metavar="KIND", choices=list(KINDS), help="、".join(f"{code} {kind.title}" for code, kind in KINDS.items()))
    made.add_argument("subject", metavar="SUBJECT", help=SUBJECTS)
    made.add_argument("--to", metavar="OUT.pdf", help="同时写出 PDF，已有的文件不覆盖")
    listed = add_command(kinds, "list", run_list, "列出一次入企的文书，和还可以制作的", acting=True, required=True)
    listed.add_argument("visit", metavar="VISIT", help="入企编号")
    again = add_command(kinds, "print", run_print, "再次打印一份文书，内容与制作时相同", acting=True, required=True)
    again.add_argument("document", metavar="DOCUMENT", type=whole(1, 10**12), help="文书编号，见 list")
    again.add_argument("file", metavar="OUT.pdf", help="写到哪里，已有的文件不覆盖")
    void = add_command(kinds, "void", run_void, "作废一份文书，由制作以外的人办理；文号不再使用", acting=True, required=True)
    void.add_argument("document", metavar="DOCUMENT", type=whole(1, 10**12), help="文书编号，见 list")
    void.add_argument("--reason", required=True, help="作废原因，记入审计")


async def run_issue(args: Namespace) -> None:
    async with acting(args) as (act, office):
        made = await issued.issue_document(act, args.kind, args.subject, demo=office.settings.simulated)
        data = await _print(act, office, made["id"]) if args.to else b""
    if args.to:
        write_file(args.to, data)
    say(f"{KINDS[args.kind].title} {made['number']} {'已经制作过' if made['again'] else '已制作'}，文书编号 {made['id']}{f'，已写到 {args.to}' if args.to else ''}。")


async def _print(act: Acting, office: Office, document: int) -> bytes:
    name, template, context = await issued.load_document_file(act, document)
    with Printer(office.settings.data / "fonts", own_fonts=office.settings.fonts, workers=1) as printer:
        return printer.render(name, template, context)


async def run_list(args: Namespace) -> None:
    async with acting(args) as (act, _):
        view = await issued.load_visit_documents(act, args.visit)
    for row in view["rows"]:
        state = f"已作废：{row['void_reason']}" if row["state"] == "voided" else "有效"
        say(f"{row['id']}　{row['number']}　{KINDS[row['kind']].title}　{row['issued_by.name']}　{row['issued_at']:%Y-%m-%d}　{state}")
    for one in view["open"]:
        say(f"{one['kind']} {one['subject']}　{KINDS[one['kind']].title}　{one['why'] or '可以制作'}")
    for task, why in view["silent"]:
        say(f"不预先告知：{task}，{why}")
    say(f"入企检查 {args.visit} 有文书 {len(view['rows'])} 份。")


async def run_print(args: Namespace) -> None:
    async with acting(args) as (act, office):
        data = await _print(act, office, args.document)
    write_file(args.file, data)
    say(f"文书 {args.document} 已写到 {args.file}。")


async def run_void(args: Namespace) -> None:
    async with acting(args) as (act, _):
        await issued.void_document(act, args.document, args.reason)
    say(f"文书 {args.document} 已作废，文号不再使用。")

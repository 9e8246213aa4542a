"""portal forms import | export | list: inspection forms as XLSForm spreadsheets."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Sequence
from pathlib import Path

from portal.cli.office import acting, print_table, read_file, say, write_file
from portal.cli.parsing import add_command, add_group
from portal.domain.errors import Problem
from portal.domain.xlsform import sheet_of
from portal.domain.xlsform_sheets import MOST_LISTED
from portal.sheets.workbook import read_workbook
from portal.steps import sheet_forms as steps

SHOWN = 20


def add_commands(commands: _SubParsersAction) -> None:
    forms = add_group(commands, "forms", "检查表单：用 XLSForm 表格导入、导出")
    load = add_command(forms, "import", run_import, "把一张 XLSForm 表格导入为检查表单的一个版本，有不支持的内容时逐处指出、整份拒绝", acting=True)
    load.add_argument("file", metavar="FILE", help="XLSX 或 XLS 文件，有 survey、choices、settings 三张工作表")
    add_sector(load)
    load.add_argument("--code", default="", metavar="CODE", help="表单代码，默认 settings 的 form_id，再默认文件名")
    load.add_argument("--version", default="", metavar="V", help="版本，默认 settings 的 version")
    load.add_argument("--title", default="", metavar="T", help="标题，默认 settings 的 form_title")
    load.add_argument("--preview", action="store_true", help="只看结果，不导入")
    load.set_defaults(shown=MOST_LISTED + 1)  # who corrects a spreadsheet wants all of it at once
    out = add_command(forms, "export", run_export, "把一张检查表单写成 XLSForm 表格，再导入得到同一张表单", acting=True)
    out.add_argument("form", metavar="FORM", help="表单代码，例如 registration.check")
    out.add_argument("file", metavar="FILE", help="写到哪个文件（.xlsx）")
    out.add_argument("--version", default="", metavar="V", help="哪一版，默认现行版本")
    add_command(forms, "list", run_list, "列出检查表单、版本和来源", acting=True)


def add_sector(command: ArgumentParser) -> None:
    command.add_argument("--sector", required=True, metavar="CODE", help="业务模块代码，例如 toys")
    command.add_argument("--name", default="", metavar="NAME", help="业务模块的名称，新建时必填")
    command.add_argument("--department", default="", metavar="D", help="业务科室，新建时填写")


def new_sector(args: Namespace) -> steps.NewSector | None:
    return steps.NewSector(args.name, args.department) if args.name.strip() else None


async def run_import(args: Namespace) -> int:
    data, name = read_file(args.file), Path(args.file).name
    sheets = read_workbook(data, name, sheet_of)
    new = new_sector(args)
    async with acting(args) as (act, _):
        read = steps.read_form(
            act, args.sector, sheets, stem=Path(args.file).stem, code=args.code, version=args.version, title=args.title, new=new
        )
        form = read.require_form(f"“{name}”")
        if args.preview:
            say(f"检查表单预览（没有导入）：{form.title}")
        else:
            saved = await steps.import_form(act, form, name, hashlib.sha256(data).hexdigest(), new)
            if saved.made_sector:
                say(f"已新建业务模块：{args.name.strip()}（{args.sector}）")
            say(f"检查表单已导入：{form.title}" if saved.fresh else f"内容相同的版本已经有了，没有改动：{form.title}")
            if saved.current != form.version:
                say(f"  现行版本仍是 {saved.current}：{form.version} 版排在它前面。")
    fields = form.fields()
    print_table([
        ("表单代码", form.code), ("版本", form.version), ("分节", len(form.sections)), ("项目", len(fields)),
        ("判断项", sum(field.type == "verdict" for field in fields)), ("重点项", sum(field.key for field in fields)),
        ("公示项", sum(field.public for field in fields)),
    ])  # fmt: skip
    list_remarks(read.remarks)
    return 0


def list_remarks(remarks: Sequence[Problem]) -> None:
    for remark in remarks[:SHOWN]:
        say(f"  提示　{remark}")
    if len(remarks) > SHOWN:
        say(f"  提示　还有 {len(remarks) - SHOWN} 处没有列出。")


async def run_export(args: Namespace) -> None:
    async with acting(args) as (act, _):
        form, data = await steps.export_form(act, args.form, args.version)
        write_file(args.file, data)
    say(f"已写出：{form.title}（{form.code} {form.version} 版），{len(form.fields())} 项，{args.file}")


async def run_list(args: Namespace) -> None:
    async with acting(args) as (act, _):
        for one in await steps.load_forms(act):
            form = one["form"]
            say(f"{form.code}　{form.version}{'（现行）' if one['current'] else ''}　{form.title}　{one['sector']}　{len(form.fields())} 项　{one['source']}")

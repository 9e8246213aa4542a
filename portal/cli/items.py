"""portal items import | list: a sector's item list from a spreadsheet, with its forms a sector without Python."""

from __future__ import annotations

import hashlib
from argparse import Namespace, _SubParsersAction
from pathlib import Path

from portal.cli.forms import add_sector, list_remarks, new_sector
from portal.cli.imports import report_import, show_preview
from portal.cli.office import acting, read_file, say
from portal.cli.parsing import add_command, add_group
from portal.domain.xlsform import sheet_of
from portal.sheets.read import COMMAND, read_sheet
from portal.sheets.workbook import read_workbook
from portal.steps import imports, sheet_forms


def add_commands(commands: _SubParsersAction) -> None:
    items = add_group(commands, "items", "抽查事项：用表格导入一个业务模块的事项清单")
    load = add_command(items, "import", run_import, "导入随机抽查事项清单，整份导入或整份拒绝；加上检查表单就是一个不用写程序的业务模块", acting=True)
    load.add_argument("file", metavar="FILE", help="XLSX、XLS 或 CSV 文件，按国家清单的栏目")
    add_sector(load)
    load.add_argument("--form", metavar="FILE", action="append", default=[], help="先导入这张 XLSForm 检查表单，可以写几次")
    load.add_argument("--version", default="", metavar="V", help="文件里没有“版本”列时的版本，不写为 1")
    load.add_argument("--sheet", metavar="NAME", default="", help="工作表名称，默认第一张有内容的")
    load.add_argument("--preview", action="store_true", help="只看结果，不导入")
    add_command(items, "list", run_list, "列出现行的抽查事项和来源", acting=True)


async def run_import(args: Namespace) -> int:
    data, name = read_file(args.file), Path(args.file).name
    sheet = read_sheet(data, name, COMMAND, args.sheet)
    books = [(file, read_file(file), Path(file)) for file in args.form]
    options = {"sector": args.sector, "name": args.name, "department": args.department, "version": args.version}
    new = new_sector(args)
    async with acting(args) as (act, _):
        if args.preview:
            preview, _ = await imports.preview_sheet(act, "items", sheet, name, data, options=options)
            return show_preview(preview, args.file, False)
        read = []
        for file, book, place in books:
            one = sheet_forms.read_form(act, args.sector, read_workbook(book, place.name, sheet_of), stem=place.stem, new=new)
            read.append((one, one.require_form(f"“{file}”"), place.name, hashlib.sha256(book).hexdigest()))
        for one, form, called, digest in read:
            saved = await sheet_forms.import_form(act, form, called, digest, new)
            say(f"检查表单{'已导入' if saved.fresh else '已经有了，没有改动'}：{form.title}（{form.code} {form.version} 版）")
            list_remarks(one.remarks)
            act = await sheet_forms.open_again(act)
        report = await imports.import_sheet(act, "items", sheet, name, data, options=options)
    report_import("随机抽查事项清单", args.file, report)
    return 0


async def run_list(args: Namespace) -> None:
    async with acting(args) as (act, _):
        for item in {item.code: item for item in act.sectors.items}.values():
            sector = item.code.partition(".")[0]
            say(f"{item.code}　{item.version}　{item.name}　{act.sectors.sectors[sector].name}　{'表格' if sector in act.sectors.sheets else '模块'}")

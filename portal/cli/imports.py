"""portal import KIND FILE: look at a file or bring it in."""

from __future__ import annotations

import hashlib
from argparse import ArgumentTypeError, Namespace, _SubParsersAction
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from portal.cli.office import acting, print_table, read_file, say, write_file
from portal.cli.parsing import add_command
from portal.domain.cells import Cell
from portal.domain.errors import BadInput, Problem
from portal.domain.import_kinds import KINDS, parse_options
from portal.domain.imports import ImportPreview
from portal.domain.tables import MissingColumns
from portal.sheets.read import COMMAND, open_sheet, read_sheet
from portal.steps import imports
from portal.steps.acting import Acting
from portal.steps.directory import ImportReport
from portal.steps.loading import SMALL, import_register

SHOWN = 20


def add_commands(commands: _SubParsersAction) -> None:
    load = add_command(commands, "import", run_import, "从文件导入名录、计划、名单或检查记录，整份导入或整份拒绝", acting=True)
    listed = "，".join(f"{kind.code} {kind.label}" for kind in KINDS.values())
    load.add_argument("what", choices=list(KINDS), metavar="WHAT", help=listed)
    load.add_argument("file", metavar="FILE", help="XLSX、XLS 或 CSV 文件，可以是 gz 压缩的")
    load.add_argument("--preview", action="store_true", help="只看结果，不导入")
    load.add_argument("--good-rows", action="store_true", help="只导入没有错误的行，有错误的行逐条列出")
    load.add_argument("--remarks", metavar="OUT.xlsx", help="把原文件加上一列“备注（系统）”另存")
    load.add_argument("--sheet", metavar="NAME", default="", help="工作表名称，默认第一张有内容的")
    load.add_argument("--map", metavar="表头=栏目", type=pair, action="append", default=[], help="指定不认识的表头对应哪个栏目（或“不导入”），以后记住")
    load.add_argument("--with", dest="options", metavar="栏目=内容", type=pair, action="append", default=[], help="文件里没有的内容，例如 来源平台=省平台")
    load.add_argument("--accept", metavar="代码=依据", type=pair, action="append", default=[], help="校验不符但已核对无误的代码，以后不再提示")


def pair(text: str) -> tuple[str, str]:
    """An argument type: two texts with = between them."""
    left, mark, right = text.partition("=")
    if not mark or not left.strip() or not right.strip():
        raise ArgumentTypeError(f"应写成 左=右，写的是“{text}”")
    return left.strip(), right.strip()


async def run_import(args: Namespace) -> int:
    kind = KINDS[args.what]
    if args.what == "entities" and not (args.preview or args.remarks) and (rows := long_rows(args.file, args.sheet)):
        return await _import_long(args, rows)
    data = read_file(args.file)
    name = Path(args.file).name
    sheet = read_sheet(data, name, COMMAND, args.sheet)
    said = {"options": dict(args.options), "mapping": dict(args.map)}
    async with acting(args) as (act, _):
        await _accept(act, args)
        if args.remarks or args.preview:
            preview, remarks = await imports.preview_sheet(act, kind.code, sheet, name, data, **said)
            if args.remarks:
                write_file(args.remarks, remarks)
            if args.preview:
                return show_preview(preview, args.file, args.good_rows)
        try:
            report = await imports.import_sheet(act, kind.code, sheet, name, data, good_rows=args.good_rows, **said)
        except MissingColumns as refusal:
            raise BadInput(refusal.message, _to_map(refusal.headings.unknown, kind.code)) from None
    report_import(kind.label, args.file, report)
    return 0


def long_rows(file: str, sheet: str) -> Iterator[Sequence[Cell]] | None:
    """The rows of a file that has more than one transaction should write, one by one; None where it has fewer or cannot be read."""
    try:
        opened = open_sheet(Path(file), Path(file).name, COMMAND, sheet)
        first = list(islice(opened.rows, SMALL + 1))
    except (BadInput, OSError):
        return None
    return chain(first, opened.rows) if len(first) > SMALL and not opened.merged else None


async def _import_long(args: Namespace, rows: Iterator[Sequence[Cell]]) -> int:
    """A province's register: its rows are read as they are written."""
    place, kind = Path(args.file), KINDS[args.what]
    parse_options(kind, dict(args.options))
    with place.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    async with acting(args) as (act, _):
        await _accept(act, args)
        try:
            report = await import_register(act, rows, place.name, digest, mapping=dict(args.map), good_rows=args.good_rows)
        except MissingColumns as refusal:
            raise BadInput(refusal.message, _to_map(refusal.headings.unknown, kind.code)) from None
    report_import(kind.label, args.file, report)
    return 0


async def _accept(act: Acting, args: Namespace) -> None:
    for reason in sorted({reason for _, reason in args.accept}):
        await imports.accept_codes(act, [code for code, own in args.accept if own == reason], reason)


def report_import(label: str, file: str, report: ImportReport) -> None:
    say(f"{label}已导入：{file}")
    print_table(list(report.counts.items()))
    _aside(report.aside)
    _list("未导入", report.errors)
    _list("提示", report.warnings)


def _aside(words: str) -> None:
    if words:
        say(f"  数据行以外：{words}。")


def show_preview(preview: ImportPreview, file: str, good_rows: bool) -> int:
    kind = KINDS[preview.kind]
    if preview.missing:
        listed = "、".join(f"“{name}”" for name in preview.missing)
        raise BadInput(f"{kind.label}中找不到{listed}列。", _to_map(preview.unknown, kind.code))
    say(f"{kind.label}预览（没有导入）：{file}")
    print_table([*preview.tally, ("可以导入的行", preview.good), ("提示", preview.warning_count), *preview.details])
    _aside(preview.aside)
    _list("错误", preview.errors, preview.error_count)
    _list("提示", preview.warnings, preview.warning_count)
    return 1 if preview.bad and not good_rows or not preview.good else 0


def _to_map(unknown: Sequence[str], code: str) -> list[Problem]:
    kind = KINDS[code]
    can = "、".join(kind.heading(name) for name in kind.names)
    if not unknown:
        return []
    return [Problem("", f"不认识的列：{'、'.join(unknown)}。可以用 --map 表头=栏目 指定，栏目有：{can}。")]


def _list(word: str, problems: Sequence[Problem], count: int | None = None) -> None:
    count = len(problems) if count is None else count
    for problem in problems[:SHOWN]:
        say(f"  {word}　{problem}")
    if count > SHOWN:
        say(f"  {word}　还有 {count - SHOWN} 处没有列出。")

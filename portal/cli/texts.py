"""portal texts export|check."""

from __future__ import annotations

import os
from argparse import Namespace, _SubParsersAction
from pathlib import Path

from portal.cli.failures import words_of
from portal.cli.office import say
from portal.cli.parsing import add_command, add_group
from portal.domain.errors import BadInput
from portal.texts import files
from portal.texts.sources import all_messages

SHOWN = 20  # wrong entries, or sentences without a wording, that are named; the rest are counted


def add_commands(commands: _SubParsersAction) -> None:
    kinds = add_group(commands, "texts", "门户的用语：导出全部文本供翻译或改写，检查译文")
    export = add_command(kinds, "export", run_export, "写出门户的全部文本和出处；.po 文件已存在的，保留其中的译文")
    export.add_argument("file", metavar="FILE", help="写到哪里：.pot 为空白模板，.po 为译文")
    export.add_argument("--language", metavar="CODE", help="新建 .po 时的语言，例如 en；不写时为 zh_CN，即本单位自己的用语")
    check = add_command(kinds, "check", run_check, "检查 .po 或 .mo 文件：译文中的值、重复、还没有译的；有错返回 1")
    check.add_argument("file", metavar="FILE", help="要检查的文件")


def run_export(args: Namespace) -> None:
    target = Path(args.file)
    if target.suffix not in (".po", ".pot"):
        raise BadInput(f"“{args.file}”的扩展名应为 .po 或 .pot。")
    kept = target.suffix == ".po" and target.exists()
    if args.language and (kept or target.suffix == ".pot"):
        raise BadInput("--language 只在新建 .po 文件时写。已有的文件，语言写在文件开头的 Language 一行。")
    before = files.read_catalogue(target) if kept else None
    messages = all_messages()
    data = files.write_catalogue(messages, before, language="" if target.suffix == ".pot" else args.language or "zh_CN")
    fresh = target.with_name(f"{target.name}.new")
    try:
        fresh.write_bytes(data)
        os.replace(fresh, target)  # a crash leaves the old file or the new, never half a one
    except OSError as problem:
        raise BadInput(f"“{args.file}”不能写入：{words_of(problem)}。") from None
    say(f"已写出 {len({one.msgid for one in messages})} 条文本：{args.file}")


def run_check(args: Namespace) -> int:
    read, messages = files.read_catalogue(Path(args.file)), all_messages()
    wrong, counts = files.check_catalogue(read, messages)
    for line, what in wrong[:SHOWN]:
        say(f"第 {line} 行：{what}。" if line else f"{what}。")
    if len(wrong) > SHOWN:
        say(f"还有 {len(wrong) - SHOWN} 处没有列出。")
    worded = {entry.msgid for entry in read.entries if entry.wording}
    without = {one.msgid: one for one in reversed(messages) if one.msgid not in worded}
    for one in sorted(without.values(), key=lambda one: (one.file, one.line))[:SHOWN]:
        say(f"没有译文　{one.file}:{one.line}　{one.msgid}")
    say(f"共 {counts['messages']} 条文本，有译文 {counts['worded']} 条，没有译文 {counts['without']} 条（照原文显示），不再使用 {counts['unknown']} 条。")
    say("没有发现错误。" if not wrong else f"发现 {len(wrong)} 处错误，请改正。")
    return 1 if wrong else 0

"""`portal`: parse, run, and turn every refusal into one clear sentence on standard error."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import io
import os
import sys
import traceback

from portal.cli import (
    accounts, backup, check, demo, documents, follow_ups, forms, imports, items, lists, machine, new_sector, plans, publishing, records, rounds, sectors, serving,
    setting_up, site, stations, texts,
)  # fmt: skip
from portal.cli.failures import sentence_of
from portal.cli.parsing import Parser
from portal.cli.speech import said
from portal.texts.files import load_wording
from portal.domain.errors import Refused
from portal.plugins import SectorProblem

SHOWN = 20  # problems listed before "and so many more"
INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="portal", description="明查：双随机、一公开抽查平台。每个命令都可以加 --help 查看用法。")
    parser.add_argument("--debug", action="store_true", help="出错时打印调用栈")
    commands = parser.add_subparsers(dest="command", metavar="命令", required=True, parser_class=Parser)
    for module in (
        setting_up, accounts, sectors, new_sector, machine, imports, forms, items, stations, records, follow_ups, documents, plans, rounds, lists, publishing, site,
        check, backup, serving, texts, demo,
    ):  # fmt: skip
        module.add_commands(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code. 0 done, 1 refused or failed a check, 2 wrong usage, 130 interrupted."""
    _open_streams()
    words = sys.argv[1:] if argv is None else argv
    debug = "--debug" in words
    args = argparse.Namespace()
    try:
        load_wording(os.environ.get("PORTAL_TEXTS", ""))
    except Refused as refusal:
        del os.environ["PORTAL_TEXTS"]  # said as it is written
        if words[:1] != ["texts"]:  # which says what is wrong with the file
            return _fail(refusal.message, [], debug)
    try:
        args = build_parser().parse_args([word for word in words if word != "--debug"])
        args.debug = debug
        made = args.run(args)
        code = asyncio.run(made) if inspect.iscoroutine(made) else made
        sys.stdout.flush()
        return code or 0
    except Refused as refusal:
        return _fail(refusal.message, [str(problem) for problem in refusal.problems], debug, getattr(args, "shown", SHOWN))
    except SectorProblem as refusal:
        return _fail("业务模块有问题，没有启动。", [str(problem) for problem in refusal.problems], debug)
    except KeyboardInterrupt:
        _fail("已中断。", [], debug)
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return _fail("标准输出已被对方关闭，后面的内容没有输出。", [], debug)
    except Exception as failure:  # noqa: BLE001 - a person gets a sentence, --debug the rest
        code = _fail(sentence_of(failure), [], debug)
        try:
            sys.stdout.flush()
        except OSError:  # standard output itself is what failed (a full disk)
            _drop_output()
        return code


def _open_streams() -> None:
    """Text that the terminal cannot show is escaped, and a closed stream swallows: neither may end an act half way."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - lives as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Point standard output at nothing, or the interpreter complains once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, problems: list[str], debug: bool, shown: int = SHOWN) -> int:
    if debug:
        traceback.print_exc()
    lines = [f"portal: {said(message)}", *(f"  {said(problem)}" for problem in problems[:shown])]
    if len(problems) > shown:
        lines.append(said(f"  还有 {len(problems) - shown} 处没有列出。"))
    sys.stderr.write("\n".join(lines) + "\n")
    return 1


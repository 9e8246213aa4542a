"""`portal`: parse, run, and turn every refusal into one clear sentence on standard error."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import os
import sys
import traceback
from typing import NoReturn

from portal.cli import check, demo, files, publishing, rounds, serving, setting_up
from portal.domain.errors import Refused
from portal.plugins import SectorProblem

SHOWN = 20  # problems listed before "and so many more"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"portal: {message}。用 {self.prog} --help 查看用法。\n")
        raise SystemExit(2)


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="portal", description="明查：双随机、一公开抽查平台。", allow_abbrev=False)
    parser.add_argument("--debug", action="store_true", help="出错时打印调用栈")
    commands = parser.add_subparsers(dest="command", metavar="命令", required=True, parser_class=_Parser)
    for module in (setting_up, files, rounds, publishing, check, serving, demo):
        module.add_commands(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code. 0 done, 1 refused or failed a check, 2 wrong usage, 130 interrupted."""
    parser = build_parser()
    words = sys.argv[1:] if argv is None else argv
    debug = "--debug" in words
    args = parser.parse_args([word for word in words if word != "--debug"])
    try:
        made = args.run(args)
        code = asyncio.run(made) if inspect.iscoroutine(made) else made
        sys.stdout.flush()
        return code or 0
    except Refused as refusal:
        return _fail(refusal.message, [str(problem) for problem in refusal.problems], debug)
    except SectorProblem as refusal:
        return _fail("业务模块有问题，没有启动。", [str(problem) for problem in refusal.problems], debug)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at exit
        return 1
    except Exception as failure:  # noqa: BLE001 - a person gets a sentence, --debug the rest
        return _fail(f"程序出错（{type(failure).__name__}: {failure}）。加 --debug 重试可以看到细节。", [], debug)


def _fail(message: str, problems: list[str], debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"portal: {message}\n")
    for problem in problems[:SHOWN]:
        sys.stderr.write(f"  {problem}\n")
    if len(problems) > SHOWN:
        sys.stderr.write(f"  还有 {len(problems) - SHOWN} 处没有列出。\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())

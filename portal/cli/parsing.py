"""Words of a command line -> arguments; what argparse says in English becomes Chinese sentences."""

from __future__ import annotations

import argparse
import re
import sys
from argparse import ArgumentTypeError, _SubParsersAction
from collections.abc import Callable
from datetime import date
from typing import Any, NoReturn

from portal.cli.speech import said
from portal.domain.errors import BadInput

#: what argparse says -> what people read; {0}, {1} are its groups
_SENTENCES = tuple(
    (re.compile(pattern, re.DOTALL), sentence)
    for pattern, sentence in (
        (r"the following arguments are required: (.+)", "缺少参数 {0}"),
        (r"unrecognized arguments: (.+)", "不认识的参数 {0}"),
        (r"argument (.+?): invalid choice: '?(.*?)'? \(choose from (.+)\)", "参数 {0} 不能是“{1}”，可选：{2}"),
        (r"argument (.+?): expected (?:one argument|\d+ arguments?)", "参数 {0} 后面少了内容"),
        (r"argument (.+?): expected at least one argument", "参数 {0} 至少要写一个"),
        (r"argument (.+?): ignored explicit argument '?(.*?)'?", "参数 {0} 后面不能写“{1}”"),
        (r"argument (.+?): (.+)", "参数 {0} {1}"),
    )
)


class _Help(argparse.HelpFormatter):
    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, said("用法：") if prefix is None else prefix)

    def add_text(self, text: Any) -> None:
        super().add_text(said(text) if isinstance(text, str) else text)

    def start_section(self, heading: str | None) -> None:
        super().start_section(said(heading) if heading else heading)

    def _expand_help(self, action: Any) -> str:
        return said(super()._expand_help(action))


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that speaks Chinese, takes no abbreviations and exits 2 with one sentence on standard error."""

    def __init__(self, **options: Any):
        super().__init__(**{"allow_abbrev": False, "formatter_class": _Help, **options}, add_help=False)
        self._positionals.title = "参数"
        self._optionals.title = "选项"
        self.add_argument("-h", "--help", action="help", help="显示本说明")

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"portal: {said(sentence_of(message))}{said(f'。用 {self.prog} --help 查看用法。')}\n")
        raise SystemExit(2)


def sentence_of(message: str) -> str:
    """argparse's message in Chinese, without a full stop."""
    for pattern, sentence in _SENTENCES:
        if found := pattern.fullmatch(message):
            return sentence.format(*(part.replace("'", "").replace(", ", "、") for part in found.groups()))
    return message


def add_command(
    commands: _SubParsersAction, name: str, run: Callable[..., Any], help: str, *, acting: bool = False, required: bool = False
) -> argparse.ArgumentParser:
    """One command: what `--help` says it does, what it runs, and for acts of a person `--as LOGIN`."""
    command = commands.add_parser(name, help=help, description=f"{help}。")
    if acting:
        words = "以哪个账号办理" + ("" if required else "，默认运维账号 operator")
        command.add_argument("--as", dest="as_login", metavar="LOGIN", required=required, help=words)
    command.set_defaults(run=run)
    return command


def add_group(commands: _SubParsersAction, name: str, help: str) -> _SubParsersAction:
    """A command that has commands of its own (`portal round draw`)."""
    return commands.add_parser(name, help=help, description=f"{help}。").add_subparsers(dest="action", metavar="动作", required=True)


def whole(least: int, most: int) -> Callable[[str], int]:
    """An argument type: a whole number between two bounds."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ArgumentTypeError(f"应为 {least} 到 {most} 的整数，写的是“{text}”")
        return int(text)

    return parse


def parse_day(text: str, what: str) -> date:
    """A day written YYYY-MM-DD; BadInput says `what` it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise BadInput(f"{what}“{text}”应为 YYYY-MM-DD。")
    return day


port = whole(0, 65535)

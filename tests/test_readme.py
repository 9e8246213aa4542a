"""README.md says what is there: its commands parse, its files exist, its settings are the settings."""

import re
import shlex
from pathlib import Path

import pytest

from portal.cli.main import build_parser
from portal.settings import KNOWN

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [line.split("#")[0].replace("`", "").strip() for line in re.findall(r"^    (\./run .+)$", README, re.M)]
INLINE = re.findall(r"`(?:\w+=\S+ )?(\./run [a-z]+)`", README)
NOT_PORTAL = ("./run test", "./run --help", "./run COMMAND")


@pytest.mark.parametrize("command", sorted({*COMMANDS, *INLINE}))
def test_every_command_in_the_readme_is_one_of_ours(command):
    if command.startswith(NOT_PORTAL):
        return
    args = build_parser().parse_args(shlex.split(command)[1:])
    assert callable(args.run)


def test_there_are_commands_to_check_and_a_wrong_one_is_noticed():
    assert len(COMMANDS) >= 12
    with pytest.raises(SystemExit):
        build_parser().parse_args(["dmeo"])


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([a-z][\w./-]+)\)", README))))
def test_every_link_and_picture_is_there(path):
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:portal|plugins|public_site|templates|tests|bench)/[\w./]*)`", README))))
def test_every_folder_named_is_there(path):
    assert (ROOT / path).exists()


def test_all_settings_are_named_in_both_languages():
    chinese, english = README.split("# Mingcha, in English")
    for name in (*KNOWN, "DATABASE_URL"):
        assert name in chinese and name in english


def test_the_acts_listed_are_those_the_command_line_has():
    line = next(line for line in README.splitlines() if "`pool freeze`" in line)
    for listed in re.findall(r"`([a-z]+(?: [a-z|]+)?)`", line.split("每条命令")[0]):
        words = listed.split()
        for action in words[1].split("|") if len(words) > 1 else [""]:
            with pytest.raises(SystemExit) as stopped:
                build_parser().parse_args([words[0], *([action] if action else []), "--help"])
            assert stopped.value.code == 0

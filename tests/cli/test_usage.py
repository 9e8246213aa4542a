"""How every command explains itself, and what it says when it is typed or connected wrongly."""

import os
import re
import shutil
import subprocess

import pytest

from portal.cli import parsing, setting_up
from portal.cli.main import build_parser
from tests.cli.command import PYTHON, ROOT


def commands(parser, before=()):
    """The words of every command, groups included."""
    found = [before]
    for action in parser._actions:
        if hasattr(action, "choices") and isinstance(action.choices, dict):
            for name, child in action.choices.items():
                found += commands(child, (*before, name))
    return found


EVERY = commands(build_parser())
CONTRACT = """init check sample clock serve worker plugins import pool:freeze round:create round:commit round:source round:draw round:reveal
round:void round:export visits:combine visits:assign record:import record:review publish recompute assign-file verify demo""".split()


def has_han(text):
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def test_every_command_of_the_contract_is_there():
    assert {tuple(words.split(":")) for words in CONTRACT} <= set(EVERY)


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_says_in_chinese_what_a_command_does_and_exits_0(nowhere, words):
    done = nowhere(*words, "--help")
    assert (done.code, done.err) == (0, "") and done.out.startswith(f"用法：{' '.join(('portal', *words))}")
    assert has_han(done.out.split("\n\n")[1]), done.out
    assert not re.search(r"usage|options:|arguments:|show this help", done.out)
    assert not (nowhere.data).exists()


@pytest.mark.parametrize("words", [words for words in EVERY if len(words) < 2], ids=" ".join)
def test_wrong_usage_is_one_chinese_sentence_and_exit_2(nowhere, words):
    done = nowhere(*words, "--nonsense")
    assert done.code == 2 and done.out == "" and done.err.count("\n") == 1, done
    assert done.err.startswith("portal: ") and has_han(done.err) and done.err.rstrip().endswith("--help 查看用法。")
    assert not re.search(r"argument|required|invalid|unrecognized", done.err)


@pytest.mark.parametrize(
    ("words", "because"),
    [
        ("", "缺少参数 命令"),
        ("nonsense", "不能是“nonsense”，可选：init、bureau、clock"),
        ("import", "缺少参数 WHAT、FILE"),
        ("import trees x", "参数 WHAT 不能是“trees”，可选：entities、inspectors、recusals、classes、registers、plan、items、draw、records"),
        ("serve --port abc", "参数 --port 应为 0 到 65535 的整数，写的是“abc”"),
        ("serve --port 99999", "参数 --port 应为 0 到 65535 的整数"),
        ("serve --port", "参数 --port 后面少了内容"),
        ("serve --por 1", "不认识的参数 --por 1"),
        ("verify a b", "不认识的参数 b"),
        ("worker --until-idle=yes", "参数 --until-idle 后面不能写“yes”"),
        ("pool freeze", "缺少参数 TASK"),
        ("round source R 0 1./", "参数 N 应为 1 到 99 的整数"),
        ("sample --entities 0", "参数 --entities 应为 1 到"),
        ("sample trees", "可选：answers"),
        ("demo --entities 5", "参数 --entities 应为 100 到"),
        ("record review 1", "缺少参数 --as"),
    ],
)
def test_what_is_wrong_with_the_words_is_said(nowhere, words, because):
    done = nowhere(*words.split())
    assert done.code == 2 and because in done.err, done.err


def test_a_message_of_argparse_that_nobody_foresaw_is_still_shown():
    assert parsing.sentence_of("something new") == "something new"


# Streams ----------------------------------------------------------------------


def shell(text: str, **environ: str) -> subprocess.CompletedProcess:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return subprocess.run(
        ["bash", "-c", text], env={**own, "PYTHONPATH": str(ROOT), "PORTAL": " ".join(PYTHON), **environ},
        cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


GOLDEN = "tests/domain/golden/open"


@pytest.mark.long
def test_a_result_that_could_not_be_written_is_a_failure():
    for how in (">&-", ">/dev/full"):
        done = shell(f"$PORTAL recompute {GOLDEN} {how}")
        assert done.returncode == 1 and done.stderr.decode().startswith("portal: ") and done.stderr.count(b"\n") == 1, done


def test_a_reader_that_goes_away_ends_a_command_in_one_sentence():
    done = shell(f"{{ $PORTAL verify {GOLDEN}; echo $? >&2; }} | true")
    assert done.stderr.decode() in ("portal: 标准输出已被对方关闭，后面的内容没有输出。\n1\n",), done


@pytest.mark.long
def test_a_terminal_that_knows_no_chinese_gets_the_same_result_and_no_traceback(tmp_path):
    place = tmp_path / os.fsdecode(b"\xff\xfe")
    shutil.copytree(ROOT / GOLDEN, place)
    words = f'$PORTAL recompute "{place}" | cmp - {GOLDEN}/result.json && $PORTAL verify "{place}" && $PORTAL verify "{place}/none"'
    done = shell(words, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1 and b"OK   " in done.stdout and b"FAIL " in done.stdout and b"Traceback" not in done.stderr, done


def test_the_traceback_is_for_debug_only(nowhere):
    assert "Traceback" not in nowhere("publish").err
    for words in (("--debug", "publish"), ("publish", "--debug")):
        done = nowhere(*words)
        assert done.code == 1 and "Traceback" in done.err and done.err.splitlines()[-1].startswith("portal: ")


def test_a_failure_nobody_foresaw_is_one_sentence(nowhere, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(setting_up, "load_settings", fail)
    assert "程序出错（ZeroDivisionError: boom）。加 --debug 重试可以看到细节。" in nowhere.refused("clock")

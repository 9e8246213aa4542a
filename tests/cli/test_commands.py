"""Every command: it explains itself, and what is wrong ends in one Chinese sentence on standard error."""

import hashlib
import os
import re
import shutil
import sqlite3
import stat
import subprocess

import pytest

from portal.cli import files, parsing, setting_up
from portal.cli.main import build_parser
from tests.cli.command import PYTHON, ROOT, Portal
from tests.office import OPEN, SEALED


def commands(parser, before=()):
    """The words of every command, groups included."""
    found = [before]
    for action in parser._actions:
        if hasattr(action, "choices") and isinstance(action.choices, dict):
            for name, child in action.choices.items():
                found += commands(child, (*before, name))
    return found


EVERY = commands(build_parser())
CONTRACT = """init sample clock serve worker plugins import pool:freeze round:create round:commit round:source round:draw round:reveal
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
        ("nonsense", "不能是“nonsense”，可选：init、clock"),
        ("import", "缺少参数 WHAT、FILE"),
        ("import trees x", "参数 WHAT 不能是“trees”，可选：entities、inspectors、plan"),
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


# Settings --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "because"),
    [
        ({"PORTAL_COLOUR": "red"}, "不认识的设置 PORTAL_COLOUR。可用的设置：PORTAL_DATA"),
        ({"PORTAL_CLOCK": "fast"}, "PORTAL_CLOCK 只能是 system 或 simulated，现在是“fast”"),
        ({"DATABASE_URL": "mysql://root:secret@db/x"}, "DATABASE_URL 应写成 sqlite:///路径 或 postgresql://"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL 应写成"),
        ({"DATABASE_URL": "sqlite://x.db"}, "没有写明数据库文件"),
        ({"DATABASE_URL": "sqlite:///"}, "没有写明数据库文件"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "没有写明数据库文件"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "连接失败（连接被拒绝）"),
        ({"PORTAL_SECTORS": "astrology"}, "没有安装这个业务模块"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_before_anything_is_made(tmp_path, environ, because):
    portal = Portal(tmp_path / "data", **environ)
    said = portal.refused("init")
    assert because in said and "secret" not in said
    assert not list(tmp_path.rglob("*.db"))


def test_a_folder_made_in_real_time_cannot_be_played_with(tmp_path):
    real, played = Portal(tmp_path), Portal(tmp_path, PORTAL_CLOCK="simulated")
    (tmp_path / "keys").mkdir()
    assert "不能改用模拟时间" in played.refused("clock", "2026-01-05T09:00:00+08:00")
    assert "使用真实时间" in real.refused("clock", "2026-01-05T09:00:00+08:00")


def test_the_clock_takes_one_way_of_writing_and_goes_forward_only(tmp_path):
    portal = Portal(tmp_path / "data", PORTAL_CLOCK="simulated")
    assert "还没有设定" in portal.refused("init")
    portal.well("clock", "2026-01-05T09:00:00+08:00")
    later = Portal(tmp_path / "data")  # the folder remembers
    assert later.well("clock") == "2026-01-05T09:00:00+08:00\n"
    assert "只能向前" in later.refused("clock", "2026-01-05T08:59:59+08:00")
    for text in ("2026-01-06", "2026-01-06T09:00:00", "2026-01-06T09:00:00Z", "2026-01-06T09:00:00.5+08:00", "2026-13-06T09:00:00+08:00", "明天"):
        assert "应为 YYYY-MM-DDTHH:MM:SS+08:00" in later.refused("clock", text)
    later.well("clock", "2026-01-05T09:00:00+08:00")
    (tmp_path / "data" / "clock").write_bytes(b"\xff\xfe")
    assert "模拟时钟文件 clock 的内容" in later.refused("clock")


# Installations that are none -------------------------------------------------


OF_AN_INSTALLATION = [
    "publish", "serve", "worker --until-idle", "sample", "sample answers R", "pool freeze T", "round draw R", "round export R",
    "visits combine R", "visits assign R", "record review R --as reviewer",
]  # fmt: skip


@pytest.mark.parametrize("words", OF_AN_INSTALLATION)
def test_without_an_installation_a_command_says_how_to_make_one(nowhere, words):
    assert "请检查 PORTAL_DATA，或先运行 portal init" in nowhere.refused(*words.split())
    assert not nowhere.data.exists()


def test_verify_turns_a_missing_installation_into_a_fail_line(nowhere):
    done = nowhere("verify")
    assert done.code == 1 and done.lines("FAIL ") and done.err.startswith("portal: 核验没有做完。")


def broken(portal, how):
    file = portal.data / "portal.db"
    if how == "foreign":
        file.write_bytes(b"\x89PNG" + bytes(4000))
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "folder":
        file.unlink()
        file.mkdir()
    elif how in ("older", "newer"):
        database = sqlite3.connect(file)
        with database:
            if how == "older":
                database.execute("DELETE FROM migration")
            else:
                database.execute("INSERT INTO migration (name, app_name, ran_on) VALUES ('2099', 'portal', '2099-01-01')")
        database.close()
    elif how == "no key":
        (portal.data / "keys" / "log.key").unlink()
    elif how == "open key":
        (portal.data / "keys" / "log.key").chmod(0o644)


@pytest.mark.parametrize(
    ("how", "because"),
    [
        ("foreign", "不是 SQLite 数据库"), ("empty", "还没有建立"), ("folder", "数据库文件打不开"), ("older", "迁移没有执行"),
        ("newer", "更新版本的程序建立"), ("no key", "密钥文件 keys/log.key 不存在"), ("open key", "chmod 600"),
    ],
)  # fmt: skip
def test_a_damaged_installation_is_named_by_every_command(filled_portal, how, because):
    broken(filled_portal, how)
    assert because in filled_portal.refused("publish", "--as", "publisher")
    assert because in filled_portal.refused("serve", "--port", 0, "--site-port", 0)
    done = filled_portal("verify")
    assert done.code == 1 and because in done.lines("FAIL ")[0] and done.err.count("\n") == 1, done


def test_init_never_makes_new_keys_for_an_old_database(filled_portal):
    (filled_portal.data / "keys" / "portal.key").unlink()
    assert "不能另造" in filled_portal.refused("init")
    assert not (filled_portal.data / "keys" / "portal.key").exists()


def test_init_prints_passwords_once_and_the_second_time_none(nowhere):
    first = nowhere.well("init", "--name", "某县市场监督管理局", "--region", "359999")
    assert "一次性密码只显示这一次" in first and len(re.findall(r"^  \w+（.+）", first, re.MULTILINE)) == 7
    assert nowhere.well("init") == f"已是最新：{nowhere.data}\n"
    assert stat.S_IMODE((nowhere.data / "keys" / "portal.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("words", [("--name", " "), ("--region", "35"), ("--region", "３５０５８２")])
def test_init_refuses_a_bureau_without_name_or_region(nowhere, words):
    nowhere.refused("init", *words)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "路径中有一段不是文件夹" in Portal(tmp_path / "file" / "data").refused("init")


# Files -----------------------------------------------------------------------


FOREIGN = {
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG 图片"), "pdf": (b"%PDF-1.7\n" + bytes(100), "PDF 文件"),
    "zip": (b"PK\x05\x06" + bytes(18), ""), "binary": (bytes(range(256)) * 10, "不是表格文件"), "empty": (b"", "是空的"),
    "words": ("今天天气不错\n".encode(), "找不到"), "xlsx cut short": (b"PK\x03\x04" + bytes(200), ""),
}  # fmt: skip


@pytest.mark.parametrize(("content", "because"), FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("what", sorted(files.IMPORTS))
def test_a_foreign_file_is_refused_and_nothing_is_imported(filled_portal, tmp_path, what, content, because):
    place = tmp_path / "名录.xlsx"
    place.write_bytes(content)
    before = database_of(filled_portal)
    assert because in filled_portal.refused("import", what, place)
    assert database_of(filled_portal) == before


def database_of(portal):
    """Everything in the database but what only looking at it may touch."""
    database = sqlite3.connect(f"file:{portal.data / 'portal.db'}?mode=ro", uri=True)
    try:
        return list(database.iterdump())
    finally:
        database.close()


def test_files_that_are_missing_or_folders_are_named(filled_portal, tmp_path):
    for words in (("import", "plan"), ("record", "import")):
        assert "找不到文件" in filled_portal.refused(*words, tmp_path / "none.xlsx")
        assert "是一个文件夹" in filled_portal.refused(*words, tmp_path)
    assert "找不到口令文件" in filled_portal.refused("round", "share", OPEN, "--passphrase-file", tmp_path / "none", "--as", "planner")


@pytest.mark.parametrize("content", [b"", b"a\nb\n", b"\xff\xfe\n", b"\n"])
def test_a_passphrase_file_is_one_line_of_text(committed_portal, tmp_path, content):
    (tmp_path / "words").write_bytes(content)
    committed_portal.refused("round", "release", OPEN, "--passphrase-file", tmp_path / "words", "--as", "planner")


@pytest.mark.parametrize(
    "line", [b"\x89PNG", b"[1]", b"{}", b"[" * 200_000, b'{"visit":1}', b"x", b'"\\ud800"'], ids=range(7)
)
def test_a_file_that_holds_no_records_is_refused_whole(drawn_portal, tmp_path, line):
    (tmp_path / "records.jsonl").write_bytes(line + b"\n")
    drawn_portal.refused("record", "import", tmp_path / "records.jsonl")


# Who, which, when ------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "because"),
    [
        ("round draw NOPE --as planner", "没有编号为“NOPE”的轮次"),
        (f"round draw {OPEN} --as nobody", "没有登录名为“nobody”的账号"),
        (f"round draw {OPEN}", "账号“operator”没有这项权限，本操作由"),
        (f"round draw {OPEN} --as planner", "以后才能抽取"),
        (f"round commit {OPEN} --as approver", "不能再次公布承诺"),
        (f"round source {OPEN} 1 1./ --as planner", "才开奖，现在不能录入号码"),
        (f"round reveal {OPEN} --as approver", "还没有可以公开的密值"),
        (f"visits combine {OPEN} --as planner", "还没有抽取"),
        (f"visits assign {OPEN} --as planner", "还没有合并"),
        (f"sample answers {OPEN}", "还没有匹配执法人员"),
        (f"record review {OPEN} --as reviewer", "没有待审核的记录"),
        ("record review 99999 --as reviewer", "没有编号为 99999 的检查记录"),
        ("record review 99999999999999999999999 --as reviewer", "没有编号为"),
        (f"record review {OPEN} --return --as reviewer", "退回要逐份办理"),
        ("pool freeze NOPE --as planner", "没有编号为“NOPE”的抽查任务"),
        ("publish --as planner", "本操作由公示员办理"),
        ("sample --entities 10", "名录里已有检查对象"),
        ("sample answers", "请写明轮次编号"),
    ],
)
def test_an_act_by_the_wrong_person_on_the_wrong_thing_or_too_early_is_refused(committed_portal, words, because):
    before = database_of(committed_portal)
    assert because in committed_portal.refused(*words.split())
    assert database_of(committed_portal) == before


ROUND = ("round", "create", "359921-2026-T003", "--title", "一轮", "--as", "planner", "--draw-not-before")
LATER = "2026-08-01T22:00:00+08:00"


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (("soon",), "最早抽取时间“soon”应为"),
        ((LATER, "--source", "x"), "来源“x”写法不对"),
        ((LATER, "--source", "x@soon"), "号码形状不知道"),
        ((LATER, "--source", "快乐8@soon"), "soon"),
        ((LATER, "--source", f"x@{LATER}@9/1-5"), "不成立"),
        ((LATER, "--source", f"x@{LATER}@9999/1-9999999999"), "不成立"),
        ((LATER, "--source", f"x@{LATER}@99999999999/1-5"), "写法不对"),
        ((LATER, "--holder", "planner"), "应为 名称=账号"),
        ((LATER, "--holder", "某科=nobody"), "账号“nobody”不存在"),
        ((LATER, "--window", "2026-08-01"), "应为 起..止"),
        ((LATER, "--window", "2026-08-01.."), "应为 YYYY-MM-DD"),
        ((LATER, "--window", "20260801..20260802"), "应为 YYYY-MM-DD"),
        ((LATER, "--reveal-due", "never"), "应为 YYYY-MM-DD"),
        ((LATER,), "请至少设一位秘密持有人"),
        ((LATER, "--holder", "某科=planner"), "还没有冻结名录"),
    ],
)
def test_a_round_described_wrongly_is_refused(filled_portal, words, because):
    assert because in filled_portal.refused(*ROUND, *words)


# Secrets and exported folders ------------------------------------------------


@pytest.fixture
def drafted(filled_portal, tmp_path):
    """A portal with one drafted round, and a passphrase file."""
    (tmp_path / "words").write_text("一句足够长的口令 0001\n")
    filled_portal.well("pool", "freeze", "359921-2026-T001", "--as", "planner")
    holders = ("--holder", "甲=planner", "--holder", "乙=supervisor")
    filled_portal.well("round", "create", "359921-2026-T001", "--title", "一轮", *holders, "--draw-not-before", LATER, "--as", "planner")
    return filled_portal, ("round", "share", OPEN, "--passphrase-file", tmp_path / "words", "--as", "planner")


def test_a_holder_may_bring_a_secret_of_their_own(drafted, tmp_path):
    portal, share = drafted
    own = bytes(range(7, 39))
    (tmp_path / "own").write_text(own.hex() + "\n")
    said = portal.well(*share, "--secret-file", tmp_path / "own")
    assert hashlib.sha256(own).hexdigest() in said and own.hex() not in said
    assert (tmp_path / "own").read_text() == own.hex() + "\n"


def test_the_copy_of_a_new_secret_goes_into_a_new_file_that_only_its_owner_reads(drafted, tmp_path):
    portal, share = drafted
    said = portal.well(*share, "--secret-file", tmp_path / "copy")
    secret = (tmp_path / "copy").read_text().strip()
    assert re.fullmatch("[0-9a-f]{64}", secret) and secret not in said
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["hello\n", "0" * 64 + "\n", "AB" * 32 + "\n", "", "ab" * 31])
def test_a_file_that_holds_no_secret_is_neither_taken_nor_overwritten(drafted, tmp_path, content):
    portal, share = drafted
    (tmp_path / "file").write_text(content)
    portal.refused(*share, "--secret-file", tmp_path / "file")
    assert (tmp_path / "file").read_text() == content


def test_a_refused_share_leaves_no_file_and_a_copy_that_cannot_be_written_makes_no_share(drafted, tmp_path):
    portal, share = drafted
    portal.refused(*share[:-1], "approver", "--secret-file", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    before = database_of(portal)
    assert "密值副本不能写到" in portal.refused(*share, "--secret-file", tmp_path / "none" / "copy")
    assert database_of(portal) == before
    assert "只显示这一次" in portal.well(*share)


def test_export_replaces_only_a_draw_folder_and_shuts_it_to_others(drawn_portal, tmp_path):
    export = ("round", "export", SEALED, "--as", "supervisor", "--to")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    assert "里有别的内容" in drawn_portal.refused(*export, tmp_path / "mine")
    assert "是一个文件" in drawn_portal.refused(*export, tmp_path / "mine" / "notes.txt")
    assert "里有别的内容" in drawn_portal.refused(*export, "/")
    drawn_portal.well(*export, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    drawn_portal.well(*export, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names and drawn_portal("verify", tmp_path / "out").code == 0
    (tmp_path / "out" / "notes.txt").write_text("x")
    assert "里有别的内容" in drawn_portal.refused(*export, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_only_what_is_public_of_a_sealed_round_is_exported_to_the_public(drawn_portal, tmp_path):
    drawn_portal.well("round", "export", SEALED, "--public", "--to", tmp_path / "out", "--as", "supervisor")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["public.json", "round.json"]
    assert drawn_portal("verify", tmp_path / "out").code == 0


# Verifying an installation ---------------------------------------------------


def test_verify_is_green_on_an_installation_and_red_once_its_site_is_gone(drawn_portal):
    done = drawn_portal("verify")  # its releases were noted by the fixture, no site was ever built
    assert done.code == 1 and done.lines("FAIL 公示网站不见了") and len(done.lines("OK  ")) > 5, done


def test_the_data_folder_as_a_path_is_explained(filled_portal):
    assert "请用 PORTAL_DATA 指明它" in filled_portal("verify", filled_portal.data).out


# Streams ---------------------------------------------------------------------


def shell(text: str, **environ: str) -> subprocess.CompletedProcess:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return subprocess.run(
        ["bash", "-c", text], env={**own, "PYTHONPATH": str(ROOT), "PORTAL": " ".join(PYTHON), **environ},
        cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


GOLDEN = "tests/domain/golden/open"


def test_a_result_that_could_not_be_written_is_a_failure():
    for how in (">&-", ">/dev/full"):
        done = shell(f"$PORTAL recompute {GOLDEN} {how}")
        assert done.returncode == 1 and done.stderr.decode().startswith("portal: ") and done.stderr.count(b"\n") == 1, done


def test_a_reader_that_goes_away_ends_a_command_in_one_sentence():
    done = shell(f"{{ $PORTAL verify {GOLDEN}; echo $? >&2; }} | true")
    assert done.stderr.decode() in ("portal: 标准输出已被对方关闭，后面的内容没有输出。\n1\n",), done


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

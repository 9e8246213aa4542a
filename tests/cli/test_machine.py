"""portal check: one line a thing, FAIL with what to type, nothing changed by looking."""

import shutil
from collections import namedtuple
from datetime import datetime
from functools import cache

import pytest

from portal.cli import machine
from portal.domain.errors import WrongMoment
from portal.settings import BEIJING, load_settings
from tests.cli.command import Portal, database_of

Usage = namedtuple("Usage", "total used free")
unpacked = cache(machine.load_shipped)


@pytest.fixture(autouse=True)
def fonts_are_unpacked_once(monkeypatch):
    """Unpacking 20 MB of fonts is most of what the command costs; one look at them is enough for the tests of other things."""
    monkeypatch.setattr(machine, "load_shipped", unpacked)


def failing(done, words, count=1):
    """The command failed with this one FAIL line and a sentence on standard error."""
    assert done.code == 1 and done.err == f"portal: 这台计算机有 {count} 项不合要求。\n", done
    assert any(words in line for line in done.lines("FAIL ")), done.out


def test_a_working_machine_without_an_installation_is_green_and_told_to_init(nowhere):
    done = nowhere("check")
    assert (done.code, done.err) == (0, ""), done
    for words in ("Python 3.", "系统库 libpango-1.0.so.0", "随程序的字体 6 个，与 SHA256SUMS 一致", "可以写入", "可用空间", "时钟"):
        assert any(words in line for line in done.lines("OK   ")), words
    assert any("请输入：portal init" in line for line in done.lines("--   数据库还没有建立"))
    assert not nowhere.data.exists()


@pytest.mark.long
def test_a_working_installation_is_green_and_not_touched(filled_portal, engine_kind):
    before = database_of(filled_portal)
    done = filled_portal("check")
    assert (done.code, done.err) == (0, ""), done
    engine = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[engine_kind]
    assert done.lines(f"OK   数据库（{engine}）可以使用，版本相符") and done.lines("OK   密钥 2 个")
    assert done.lines("--   模拟时钟 2026-05-25")
    assert database_of(filled_portal) == before


def test_every_line_is_ok_fail_or_information(filled_portal):
    assert {line[:5] for line in filled_portal("check").out.splitlines()} == {"OK   ", "--   "}


# The program and its machine --------------------------------------------------


def test_an_old_python_and_a_missing_library_are_named_with_what_to_type(monkeypatch):
    monkeypatch.setitem(machine.LIBRARIES, "libnone-such.so.0", "libnone-such0")
    lines = dict((words, holds) for holds, words in machine.check_program((3, 10, 4)))
    assert lines["Python 3.10.4 太旧，需要 3.11 或更新。"] is False
    assert lines["系统库 libnone-such.so.0 没有安装，不能生成 PDF。请输入：apt-get install libnone-such0"] is False
    assert lines["系统库 libpango-1.0.so.0"] is True


def test_a_damaged_font_is_red_and_named(nowhere, monkeypatch):
    true = machine.load_shipped

    def load(name):
        if name == "NotoSansSC-Regular.otf":
            raise WrongMoment("随程序的字体文件 portal/prints/fonts/NotoSansSC-Regular.otf.xz 已损坏")
        return true(name)

    monkeypatch.setattr(machine, "load_shipped", load)
    done = nowhere("check")
    failing(done, "NotoSansSC-Regular.otf.xz 已损坏。")
    assert not done.lines("OK   随程序的字体")


def test_the_operators_fonts_are_named_and_a_missing_folder_is_red(tmp_path):
    (tmp_path / "own").mkdir()
    portal = Portal(tmp_path / "data", PORTAL_FONTS=str(tmp_path / "own"))
    assert portal("check").lines("--   PORTAL_FONTS")
    (tmp_path / "own" / "simfang.ttf").write_bytes(b"font")
    assert portal("check").lines("OK   PORTAL_FONTS 的字体：simfang.ttf")
    failing(Portal(tmp_path / "data", PORTAL_FONTS=str(tmp_path / "none"))("check"), "none”不存在")


@pytest.mark.parametrize(
    ("environ", "words"),
    [({"PORTAL_COLOUR": "red"}, "设置：不认识的设置 PORTAL_COLOUR"), ({"PORTAL_SECTORS": "astrology"}, "没有安装这个业务模块")],
)  # fmt: skip
def test_a_wrong_setting_is_red_and_the_rest_is_still_looked_at(tmp_path, environ, words):
    done = Portal(tmp_path / "data", **environ)("check")
    failing(done, words)
    assert done.lines("OK   随程序的字体") and done.lines("--   Chromium")


def test_what_only_tests_need_is_information(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "POSTGRES", tmp_path)
    monkeypatch.setattr(machine.shutil, "which", lambda program: None)
    lines = list(machine.check_for_tests())
    assert {holds for holds, _ in lines} == {None} and len(lines) == 3
    assert all("apt-get install" in words for _, words in lines)


# The installation -------------------------------------------------------------


def test_a_folder_that_cannot_be_written_and_a_full_disk_are_red(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda place: Usage(10, 10, 3 << 20))
    (writable, folder), (enough, space) = machine.check_folder(tmp_path / "data")
    assert writable is False and "没有权限。请检查 PORTAL_DATA" in folder
    assert enough is False and "可用空间 0.0 GB，不足 1 GB" in space


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: (data / "keys" / "log.key").unlink(), "密钥文件 keys/log.key 不存在"),
        (lambda data: (data / "keys" / "log.key").chmod(0o640), "chmod 600"),
        (lambda data: (data / "keys").chmod(0o755), "请输入：chmod 700"),
        (lambda data: shutil.rmtree(data / "keys"), "不能读取：文件或文件夹不存在。请从备份恢复"),
        (lambda data: (data / "clock").write_text("2026-05-24T09:00:00+08:00\n"), "比最近一次办理（2026-05-25T09:00:00+08:00）还早"),
        (lambda data: (data / "clock").write_text("noon"), "模拟时钟文件 clock 的内容“noon”不是时刻"),
    ],
)  # fmt: skip
def test_a_damaged_installation_is_red_and_said_how(filled_portal, damage, words):
    damage(filled_portal.data)
    failing(filled_portal("check"), words)


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_a_file_that_is_no_database_is_red(filled_portal, engine_kind):
    (filled_portal.data / "portal.db").write_bytes(b"\x89PNG" + bytes(4000))
    failing(filled_portal("check"), "不是 SQLite 数据库")


def test_a_database_that_cannot_be_reached_is_red_without_its_password(tmp_path):
    done = Portal(tmp_path, DATABASE_URL="postgresql://portal:secret@127.0.0.1:1/x")("check")
    failing(done, "连不上 PostgreSQL：“127.0.0.1”拒绝连接")
    assert "secret" not in done.out


def test_keys_of_another_user_are_not_judged(filled_portal, monkeypatch):
    monkeypatch.setattr(machine.os, "geteuid", lambda: 54321)
    done = filled_portal("check")
    assert done.code == 0 and done.lines("--   密钥文件夹")


def test_real_time_must_not_lie_before_this_program_or_before_the_last_act(tmp_path, monkeypatch):
    settings = load_settings({}, tmp_path)
    now = datetime.now(BEIJING).replace(microsecond=0)
    assert machine.check_clock(settings, None)[0] is True
    assert machine.check_clock(settings, now.replace(year=now.year + 1, month=1, day=1).isoformat())[0] is False
    monkeypatch.setattr(machine, "OLDEST", now.replace(year=now.year + 1, month=1, day=1))
    holds, words = machine.check_clock(settings, None)
    assert holds is False and "timedatectl set-ntp true" in words


def test_the_working_days_of_this_year_and_the_next_are_told():
    (_, known), (_, unknown) = machine.check_years(max(machine_years()))
    assert known.endswith("有") and "还没有" in unknown
    assert {holds for holds, _ in machine.check_years(2026)} == {None}


def machine_years():
    return [year for year in range(2024, 2100) if machine.is_published(year)]

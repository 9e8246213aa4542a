"""Settings, data folders and databases that are missing, damaged or another's."""

import re
import stat

import pytest

from tests import cluster, office
from tests.cli.command import Portal


# Settings ---------------------------------------------------------------------


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
        ({"DATABASE_URL": "postgresql://ming:secret@127.0.0.1:1/x"}, "连不上 PostgreSQL：“127.0.0.1”拒绝连接。"),
        ({"DATABASE_URL": "postgresql://ming:secret@/x?host=/nowhere"}, "连不上 PostgreSQL：“/nowhere”没有服务在监听。"),
        ({"DATABASE_URL": "postgresql://ming:secret@nowhere.invalid/x"}, "找不到 DATABASE_URL 中的主机“nowhere.invalid”"),
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


# Installations that are none --------------------------------------------------


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
    elif how == "older":
        office.query(portal.data, "DELETE FROM migration")
    elif how == "newer":
        office.query(portal.data, "INSERT INTO migration (name, app_name, ran_on) VALUES ('2099', 'portal', '2099-01-01')")
    elif how == "no key":
        (portal.data / "keys" / "log.key").unlink()
    elif how == "open key":
        (portal.data / "keys" / "log.key").chmod(0o644)


@pytest.mark.parametrize(
    ("engine_kind", "how", "because"),
    [
        ("sqlite", "foreign", "不是 SQLite 数据库"), ("sqlite", "empty", "还没有建立"), ("sqlite", "folder", "数据库文件打不开"),
        *((kind, how, because) for kind in office.ENGINES for how, because in (
            ("older", "迁移没有执行"), ("newer", "更新版本的程序建立"), ("no key", "密钥文件 keys/log.key 不存在"), ("open key", "chmod 600"),
        )),
    ],
    indirect=["engine_kind"],
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
    assert "一次性密码只显示这一次" in first and len(re.findall(r"^  \w+（.+）", first, re.MULTILINE)) == 9
    assert nowhere.well("init") == f"已是最新：{nowhere.data}\n"
    assert stat.S_IMODE((nowhere.data / "keys" / "portal.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("engine_kind", ["postgres"], indirect=True)
def test_on_postgresql_init_makes_the_role_that_all_other_commands_use(tmp_path, engine_kind):
    folder = office.make_folder(tmp_path / "data", engine_kind)
    owner = Portal(folder, owner=True)
    database = (folder / office.DATABASE).read_text()
    first = owner.well("init", "--name", "某县市场监督管理局", "--region", "359999")
    made = re.search(rf"应用账号“{database}_app”已建立，密码只显示这一次。.*\n  DATABASE_URL=(.*)\n", first)
    assert made and len(re.findall(r"^  \w+（.+）", first, re.MULTILINE)) == 9
    portal = Portal(folder, DATABASE_URL=made[1])
    assert portal("verify").lines("OK   审计链完整") and "完成 0 个后台任务" in portal.well("worker", "--until-idle")
    assert "请用数据库所有者的 DATABASE_URL 运行 portal init" in portal.refused("init")
    for command in (("serve", "--port", 0, "--site-port", 0), ("worker", "--until-idle")):
        assert f"所有者或超级用户，能改动约束和审计。请把 DATABASE_URL 中的账号换成 portal init 建立的应用账号“{database}_app”" in owner.refused(*command)
    assert owner.well("init") == f"已是最新：{folder}\nPostgreSQL 应用账号“{database}_app”的权限已更新。\n"
    cluster.drop(database)
    cluster.drop_role(f"{database}_app")


@pytest.mark.parametrize("engine_kind", ["postgres"], indirect=True)
def test_a_wrong_address_of_a_server_that_is_there_is_one_sentence(filled_portal):
    right = filled_portal.environ["DATABASE_URL"]
    database = (filled_portal.data / office.DATABASE).read_text()
    for wrong, because in (
        (right.replace(f"/{database}", f"/{database}x"), f"PostgreSQL 服务器上没有数据库“{database}x”"),
        (right.replace(cluster.application(), "nobody_here"), "账号“nobody_here”"),
    ):
        for words in (("publish", "--as", "publisher"), ("init",), ("serve", "--port", 0, "--site-port", 0)):
            said = Portal(filled_portal.data, DATABASE_URL=wrong).refused(*words)
            assert because in said and said.count("\n") == 1 and cluster.PASSWORD not in said


@pytest.mark.parametrize("words", [("--name", " "), ("--region", "35"), ("--region", "３５０５８２")])
def test_init_refuses_a_bureau_without_name_or_region(nowhere, words):
    nowhere.refused("init", *words)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "路径中有一段不是文件夹" in Portal(tmp_path / "file" / "data").refused("init")


# Verifying an installation ----------------------------------------------------


def test_verify_is_green_on_an_installation_and_red_once_its_site_is_gone(drawn_portal):
    done = drawn_portal("verify")  # its releases were noted by the fixture, no site was ever built
    assert done.code == 1 and done.lines("FAIL 公示网站不见了") and len(done.lines("OK  ")) > 5, done


def test_the_data_folder_as_a_path_is_explained(filled_portal):
    assert "请用 PORTAL_DATA 指明它" in filled_portal("verify", filled_portal.data).out

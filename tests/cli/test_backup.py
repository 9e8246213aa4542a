"""portal backup and restore on both engines: the drill, and what happens to damaged, foreign, killed and crowded ones."""

import asyncio
import json
import os
import random
import resource
import signal
import stat
import subprocess
import tarfile

import pytest

from portal.steps import backup
from portal.store import accounts, archive, engine
from portal.store.tables import Audit, WebSession
from tests import office
from tests.office_fixtures import stages_on
from tests.cli.command import PYTHON, ROOT, Done, FakePrinter, Portal

KILLED = -signal.SIGKILL
AFTER = "2026-07-02T09:00:00+08:00"  # the round's window is over: it can be revealed


def files_of(folder):
    return {str(place.relative_to(folder)): place.read_bytes() for place in folder.rglob("*") if place.is_file()}


def names_in(file):
    with tarfile.open(file) as tar:
        return tar.getnames()


@pytest.fixture(scope="module", params=[pytest.param(kind, marks=[pytest.mark.postgres] * (kind == "postgres")) for kind in office.ENGINES])
def kind(request):
    if request.param == "postgres":
        request.getfixturevalue("postgres_url")
    return request.param


@pytest.fixture(scope="module")
def here(kind, tmp_path_factory, cheap_passphrases):
    """The stages on this engine, shared with all other tests of this run."""
    return stages_on(kind, tmp_path_factory)


@pytest.fixture
def place(kind, tmp_path):
    """`place(name)`: the command line of the database's owner, where an empty database and no data folder wait."""

    def made(name="back"):
        if kind == "sqlite":
            return Portal(tmp_path / name)
        # its name lies outside the data folder, where office.drop_databases_in finds it
        note = office.make_folder(tmp_path / "databases" / name, kind)
        return Portal(tmp_path / name, DATABASE_URL=office.database_url(note, owner=True))

    return made


def at_work(back):
    """The restored installation as the portal runs it: PostgreSQL's application role gets its rights back first."""
    back.well("init")
    note = back.data.parent / "databases" / back.data.name
    return Portal(back.data, DATABASE_URL=office.database_url(note)) if note.exists() else back


@pytest.fixture
def filled_portal(here, tmp_path):
    return Portal(here.copy("filled", tmp_path / "data"))


@pytest.fixture
def shown_portal(here, tmp_path, monkeypatch):
    """An installation with both rounds drawn and a site released by command."""
    monkeypatch.setattr("portal.jobs.Printer", FakePrinter)
    portal = Portal(here.copy("drawn", tmp_path / "data"))
    portal.well("publish", "--as", "publisher")
    return portal


@pytest.fixture
def back(place):
    """Where a backup can be put back."""
    return place()


@pytest.fixture
def kept(filled_portal, tmp_path):
    """A backup of a small installation."""
    filled_portal.well("backup", tmp_path / "kept.tar")
    return tmp_path / "kept.tar"


def inside(portal, work):
    """What the coroutine function `work` gives with the portal's database open."""

    async def opened():
        await engine.open_engine(portal.environ.get("DATABASE_URL") or f"sqlite:///{portal.data / 'portal.db'}")
        try:
            return await work()
        finally:
            await engine.close_engine()

    return asyncio.run(opened())


# The drill --------------------------------------------------------------------


def test_the_drill_backed_up_restored_elsewhere_verified_and_working_on(shown_portal, place, tmp_path):
    shown_portal.well("round", "export", office.OPEN, "--as", "auditor")
    draws = files_of(shown_portal.data / "draws" / office.OPEN)
    said = shown_portal.well("backup", tmp_path / "one.tar")
    assert "备份含有签名密钥" in said and stat.S_IMODE((tmp_path / "one.tar").stat().st_mode) == 0o600

    back = place("elsewhere")
    assert "已恢复到" in back.well("restore", tmp_path / "one.tar")
    back = at_work(back)
    done = back("verify")
    assert done.code == 0 and not done.lines("FAIL") and len(done.lines("OK  ")) > 8, done
    shown = shown_portal.data / "site" / "current"
    assert os.readlink(back.data / "site" / "current") == os.readlink(shown)
    assert files_of(back.data / "site" / "current") == files_of(shown) and len(files_of(shown)) > 50

    back.well("round", "export", office.OPEN, "--as", "auditor", "--to", tmp_path / "again")
    assert files_of(tmp_path / "again") == draws == files_of(back.data / "draws" / office.OPEN) and "result.json" in draws
    assert stat.S_IMODE((back.data / "draws").stat().st_mode) == 0o700  # secrets lie in there
    back.well("clock", AFTER)
    back.well("round", "reveal", office.OPEN, "--as", "planner")  # unseals with the key
    assert "变动" in back.well("publish", "--as", "publisher")
    assert back("verify").code == 0


def test_a_backup_taken_while_acts_go_on_holds_every_act_acknowledged_before_it(filled_portal, place, tmp_path):
    """A child commits act after act, each with a second row that must never be seen without the first."""
    writer = """
import asyncio, sys
from pathlib import Path
from portal.store import accounts
from portal.store.engine import transaction
from tests import office

async def main():
    house = await office.open_house(Path(sys.argv[1]))
    act = await house.acting("operator")
    for n in range(1, 10**9):
        async with transaction():
            await act.audit("test.act", str(n), text="x" * 2000)
            await accounts.save_setting("acts", str(n))
        print(n, flush=True)

asyncio.run(main())
"""
    child = subprocess.Popen([*PYTHON[:1], "-c", writer, str(filled_portal.data)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        for number in range(4):
            acknowledged = int([child.stdout.readline() for _ in range(20)][-1])
            filled_portal.well("backup", tmp_path / f"{number}.tar")
            back = place(f"back{number}")
            back.well("restore", tmp_path / f"{number}.tar")
            done = back("verify")
            assert done.lines("OK   审计链完整") and not done.lines("FAIL"), done
            acts, last = inside(back, acts_held)
            assert acts == last >= acknowledged
    finally:
        child.kill()
        child.communicate()


async def acts_held():
    return await Audit.count().where(Audit.act == "test.act").run(), int(await accounts.load_setting("acts"))


def test_the_restore_is_an_act_and_logs_everybody_out(filled_portal, place, tmp_path):
    async def log_in():
        account = await accounts.load_account("planner")
        at = office.settings_of(filled_portal.data).now()
        await accounts.save_session("d" * 64, account["id"], "c", at, at)

    async def look():
        acts = await Audit.select(Audit.act, Audit.at).order_by(Audit.n, ascending=False).limit(2).run()
        return [(row["act"], row["at"]) for row in acts], await WebSession.count().run()

    inside(filled_portal, log_in)
    filled_portal.well("backup", tmp_path / "b.tar")
    back = place()
    back.well("restore", tmp_path / "b.tar")
    now = back.well("clock").strip()
    assert inside(back, look) == ([("setup.restore", now), ("setup.backup", now)], 0)
    assert back.well("clock") == filled_portal.well("clock")


# What is in it ----------------------------------------------------------------


def test_what_is_made_again_by_itself_stays_out_and_unknown_rooms_come_along(shown_portal, kind, tmp_path):
    shown_portal.well("clock", AFTER)
    shown_portal.well("round", "reveal", office.OPEN, "--as", "planner")
    shown_portal.well("publish", "--as", "publisher")
    data = shown_portal.data
    for name in ("uploads/2026/photo.jpg", "fonts/cut.otf", "tmp/half", ".hidden"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    old, shown = sorted(place.name for place in (data / "site" / "releases").iterdir() if place.name[0] != ".")
    shown_portal.well("backup", tmp_path)  # a folder: the file gets a name from the moment
    (file,) = tmp_path.glob("mingcha-2026*.tar")
    names = names_in(file)
    assert names[:-2] == sorted(names[:-2], key=str.encode) and names[-2:] == ["manifest.json", "SHA256"]
    for wanted in ("uploads/2026/photo.jpg", "keys/portal.key", "keys/log.key", "clock", f"site/releases/{shown}/manifest.json",
                   "bundles/current/manifest.json"):
        assert f"data/{wanted}" in names
    assert ("database/portal.db" if kind == "sqlite" else "database/portal.dump") in names
    unwanted = (old, "fonts", "tmp", "pdf-cache", "hidden", "data/portal.db", ".lock", "bundles/next")
    assert [name for name in names if any(part in name for part in unwanted)] == []


def test_without_keys_there_are_none_and_the_restored_place_says_so(filled_portal, place, tmp_path):
    assert "另行保管" in filled_portal.well("backup", tmp_path / "b.tar", "--without-keys")
    assert not [name for name in names_in(tmp_path / "b.tar") if "keys" in name]
    back = place()
    assert "备份不含密钥" in back.well("restore", tmp_path / "b.tar")
    assert "从备份恢复" in back.refused("publish", "--as", "publisher")
    (back.data / "keys").mkdir()
    for name in ("portal.key", "log.key"):
        (back.data / "keys" / name).write_bytes((filled_portal.data / "keys" / name).read_bytes())
        (back.data / "keys" / name).chmod(0o600)
    assert back("verify").lines("OK   审计链完整")


def test_check_reads_a_backup_and_makes_nothing(kept, kind, place, tmp_path):
    said = place("none").well("restore", kept, "--check")
    assert "备份完整" in said and ("SQLite" if kind == "sqlite" else "PostgreSQL") in said and "密钥" in said and not (tmp_path / "none").exists()


def test_a_link_in_the_data_folder_is_named(filled_portal, tmp_path):
    (filled_portal.data / "uploads").mkdir()
    (filled_portal.data / "uploads" / "x").symlink_to("/etc/hostname")
    assert "“uploads/x”是符号链接" in filled_portal.refused("backup", tmp_path / "b.tar")
    assert not list(tmp_path.glob("*b.tar*"))


def test_a_file_name_that_is_no_text_is_named(filled_portal, tmp_path):
    (filled_portal.data / "uploads").mkdir()
    (filled_portal.data / "uploads" / "照　片").write_text("a wide space is fine")
    filled_portal.well("backup", tmp_path / "a.tar")
    (filled_portal.data / "uploads" / os.fsdecode("照片".encode("gbk"))).write_text("x")
    assert "文件名不是 UTF-8：'uploads/" in filled_portal.refused("backup", tmp_path / "b.tar")


def test_a_room_on_another_disk_is_backed_up(filled_portal, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "x").write_text("x")
    (filled_portal.data / "uploads").symlink_to(tmp_path / "disk")
    filled_portal.well("backup", tmp_path / "b.tar")
    assert "data/uploads/x" in names_in(tmp_path / "b.tar")


# Refused ----------------------------------------------------------------------


def test_only_operators_back_up(filled_portal, tmp_path):
    assert "由" in filled_portal.refused("backup", tmp_path / "b.tar", "--as", "planner")
    assert not list(tmp_path.glob("*b.tar*"))


def test_a_target_that_cannot_be_is_refused(filled_portal, back, tmp_path):
    (tmp_path / "taken").write_text("mine")
    assert "已经存在，备份不会覆盖它" in filled_portal.refused("backup", tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    assert "请先建立它" in filled_portal.refused("backup", tmp_path / "no" / "b.tar")
    assert "不能放在数据目录" in filled_portal.refused("backup", filled_portal.data / "b.tar")
    assert "先运行 portal init" in back.refused("backup", tmp_path / "b.tar") and not back.data.exists()


def test_a_damaged_backup_is_refused_wherever_the_damage_is(kept, back):
    whole, chance = kept.read_bytes(), random.Random(11)
    for _ in range(20):
        changed = bytearray(whole)
        changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        kept.write_bytes(changed)
        assert "不是完整的备份" in back.refused("restore", kept)
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        kept.write_bytes(whole[:length])
        assert "不是完整的备份" in back.refused("restore", kept)
    assert not back.data.exists()


@pytest.mark.parametrize("name", ["missing", "folder"])
def test_what_is_no_file_is_refused(back, tmp_path, name):
    (tmp_path / "folder").mkdir()
    assert "不能读取" in back.refused("restore", tmp_path / name)


def test_a_data_folder_that_is_not_empty_is_left_alone(kept, filled_portal):
    before = files_of(filled_portal.data)
    assert "不是空的，恢复不会覆盖它" in filled_portal.refused("restore", kept)
    assert files_of(filled_portal.data) == before


def test_a_database_that_is_not_empty_is_left_alone(kept, kind, filled_portal, tmp_path):
    if kind == "sqlite":
        other = tmp_path / "other.db"
        other.write_bytes(b"somebody's")
        away, because = Portal(tmp_path / "away", DATABASE_URL=f"sqlite:///{other}"), f"“{other}”已经存在"
    else:
        away, because = Portal(tmp_path / "away", DATABASE_URL=filled_portal.environ["DATABASE_URL"]), "DATABASE_URL 指的数据库里已有内容（“"
    assert because in away.refused("restore", kept) and not away.data.exists()
    if kind == "sqlite":
        assert other.read_bytes() == b"somebody's"


def test_a_backup_of_the_other_engine_is_refused(kept, kind, tmp_path):
    urls = {"sqlite": "postgresql://127.0.0.1:1/x", "postgres": f"sqlite:///{tmp_path / 'x.db'}"}
    said = {"sqlite": "备份来自 SQLite，DATABASE_URL 指的是 PostgreSQL", "postgres": "备份来自 PostgreSQL，DATABASE_URL 指的是 SQLite"}
    assert said[kind] in Portal(tmp_path / "away", DATABASE_URL=urls[kind]).refused("restore", kept)


def remade(kept, tmp_path, **changes):
    """The same backup with another manifest, sealed again."""
    opened = archive.open_archive(kept)
    opened.unpack("", tmp_path / "unpacked")
    about = {name: value for name, value in opened.manifest.items() if name != "files"} | changes
    sources = [(name, tmp_path / "unpacked" / name) for name in opened.manifest["files"]]
    with archive.open_new(tmp_path / "remade.tar") as out:
        archive.write_archive(out, sources, about)
    return tmp_path / "remade.tar"


def about_database(kept, **changes):
    return archive.open_archive(kept).manifest["database"] | changes


def test_a_backup_of_a_newer_program_is_refused(kept, back, tmp_path):
    newer = about_database(kept, migrations=[*about_database(kept)["migrations"], "2099-01-01T00:00:00:000000"])
    assert "更新版本的程序（9.9）建立" in back.refused("restore", remade(kept, tmp_path, database=newer, version="9.9"))
    assert not back.data.exists()


@pytest.mark.parametrize(
    ("changes", "because"),
    [({"spec": "mingcha-backup/9"}, "只认识 mingcha-backup/1"), ({"release": "../../x"}, "清单不完整"), ({"database": {}}, "清单不完整")],
)
def test_a_manifest_of_another_kind_is_refused(kept, back, tmp_path, changes, because):
    assert because in back.refused("restore", remade(kept, tmp_path, **changes))


def test_a_database_that_is_not_what_the_manifest_says_is_taken_back(kept, back, tmp_path):
    other = about_database(kept, acts=10_000)
    assert "恢复后的数据库与备份的清单不符" in back.refused("restore", remade(kept, tmp_path, database=other))
    assert list(back.data.iterdir()) == []


def test_an_older_backup_asks_for_init_and_is_then_current(filled_portal, place, tmp_path):
    inside(filled_portal, lambda: accounts.save_setting("invariants", "older"))
    with pytest.MonkeyPatch.context() as patch:  # the older program, which found its own rules in order
        patch.setattr("portal.store.invariants.digest", lambda: "older")
        filled_portal.well("backup", tmp_path / "b.tar")
    back = place()
    assert "请先运行 portal init" in back.well("restore", tmp_path / "b.tar")
    back.well("init")
    assert back("verify").lines("OK   审计链完整")


# Full disks and kills ---------------------------------------------------------


def on_a_full_disk(portal, *words, limit):
    """A command in a child, where no file may grow beyond `limit` bytes."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            done = portal(*words)
            os.write(writing, json.dumps([done.code, done.out, done.err]).encode())  # a few lines: a pipe takes them whole
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as said:
        code, out, err = json.load(said)
    os.waitpid(pid, 0)
    return Done(code, out, err, b"")


@pytest.mark.parametrize("lacking", [0.7, 0.05, 3000])  # full while the database is saved, near its end, while it is archived
def test_a_full_disk_leaves_no_backup(filled_portal, tmp_path, lacking):
    filled_portal.well("backup", tmp_path / "whole.tar")
    size = (tmp_path / "whole.tar").stat().st_size
    limit = size - int(lacking if lacking > 1 else lacking * size)
    done = on_a_full_disk(filled_portal, "backup", tmp_path / "b.tar", limit=limit)
    assert done.code == 1 and done.err.startswith("portal: ") and done.err.count("\n") == 1, done
    assert sorted(found.name for found in tmp_path.iterdir()) == ["data", "whole.tar"]


@pytest.mark.parametrize("part", [0.001, 0.5])
def test_a_full_disk_leaves_the_place_empty(kept, back, part):
    done = on_a_full_disk(back, "restore", kept, limit=int(kept.stat().st_size * part))
    assert done.code == 1 and "文件超过允许的大小" in done.err and done.err.count("\n") == 1, done
    assert list(back.data.iterdir()) == []
    back.well("restore", kept)


def killed_at(monkeypatch, portal, module, name, *words, calls=1):
    """The command's exit when it is killed just before the nth call of a function."""
    left = [calls]
    real = getattr(module, name)

    def counted(*args, **given):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **given)

    pid = os.fork()
    if not pid:
        try:
            monkeypatch.setattr(module, name, counted)
            portal(*words)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(("module", "name", "calls"), [(archive, "_opened", 3), (archive, "_seal", 1), (backup.os, "rename", 1)])
def test_a_killed_backup_leaves_nothing_that_looks_whole(filled_portal, tmp_path, monkeypatch, module, name, calls):
    assert killed_at(monkeypatch, filled_portal, module, name, "backup", tmp_path / "b.tar", calls=calls) == KILLED
    assert [found.name for found in tmp_path.iterdir() if found.name != "data"] == [".b.tar.new"]
    filled_portal.well("backup", tmp_path / "b.tar")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["b.tar", "data"]


@pytest.mark.parametrize(
    ("module", "name", "calls"),
    [
        (archive, "open_new", 1), (archive, "open_new", 4), (backup.store, "restore_database", 1), (backup.store, "require_facts", 1),
        (backup.store, "note_restore", 1), (backup.Place, "end", 1),
    ],
)  # fmt: skip
def test_a_killed_restore_leaves_a_place_nobody_opens(kept, back, place, monkeypatch, module, name, calls):
    assert killed_at(monkeypatch, back, module, name, "restore", kept, calls=calls) == KILLED
    assert (back.data / backup.RESTORING).is_dir()
    for words in (("init",), ("publish", "--as", "publisher"), ("serve", "--port", 0, "--site-port", 0), ("restore", kept)):
        assert "恢复没有做完" in back.refused(*words)
    assert "恢复没有做完" in back("verify").out
    place("fresh").well("restore", kept)

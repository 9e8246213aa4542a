"""`portal demo` as a person runs it: a process of its own, real PDFs, a small register; then what may be done with its folder."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.command import PYTHON, ROOT, Portal

OPEN, SEALED = "359921-2026-R01", "359921-2026-R02"


def environment(**more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_") and name != "DATABASE_URL"}
    return {**own, "PYTHONPATH": str(ROOT), **more}


def run(*words: object, **environ: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*PYTHON, *map(str, words)], env=environment(**environ), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "year"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = run("demo", "--build-only", "--entities", 200, "--data", folder, TMPDIR=str(elsewhere), DATABASE_URL="postgresql://nowhere.invalid/x")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done, elsewhere


@pytest.fixture(scope="module")
def portal(demo):
    return Portal(demo[0], PORTAL_SECTORS="")  # a demo is of all that is installed


def test_the_demo_shows_its_progress_and_ends_with_the_table(demo):
    _, done, _ = demo
    steps = [line for line in done.stdout.splitlines() if re.match(r"\[ *[0-9.]+ 秒\] ", line)]
    assert len(steps) >= 10 and done.stderr == ""
    assert done.stdout.startswith("演示总是用自己文件夹里的 SQLite，不使用 DATABASE_URL。\n")
    table = done.stdout[done.stdout.rindex("检查对象") :]
    labels = ["检查对象", "抽中　359921-2026-T001", "抽中　359921-2026-T002", "入企次数", "少跑", "发现问题", "网页", "PDF", "用时"]
    assert [label for label in labels if label not in table] == [] and re.search(r"检查对象 +200\n", table)


def test_the_demos_plan_stands_to_base_floor_and_differentiated_target(portal):
    said = portal.well("plan", "check", "2026", "--as", "planner")
    assert re.search(r"企业　基数 \d+ 户　下限 3.5%，\d+ 户　计划 \d+ 至 \d+ 户", said)
    assert re.search(r"差异化抽查户数占比 \d+/\d+（[\d.]+%），目标 85%", said) and "还没有" not in said


def test_all_that_the_demo_makes_lies_in_its_folder(demo):
    folder, _, elsewhere = demo
    assert list(elsewhere.iterdir()) == []
    names = {place.name for place in folder.iterdir()}
    assert {"portal.db", "clock", "keys", "draws", "site", "sample"} <= names and "tmp" not in names
    assert sorted(place.name for place in (folder / "draws").iterdir()) == [OPEN, SEALED]
    assert os.readlink(folder / "site" / "current").startswith("releases/")
    assert (folder / "site" / "current" / "manifest.json").is_file()


def test_the_folder_remembers_that_its_time_is_simulated_and_moves_forward_only(demo, portal):
    before = portal.well("clock").strip()
    assert before.startswith("2026-09-")
    assert "只能向前" in portal.refused("clock", "2026-01-01T00:00:00+08:00")
    assert portal.well("clock").strip() == before
    about = json.loads((demo[0] / "bundles" / "current" / "about.json").read_bytes())
    assert about["demo"] is True


def test_verify_is_green_on_the_installation_its_site_its_release_and_its_draw_folders(demo, portal):
    folder, _, _ = demo
    site = folder / "site"
    for words in ((), (site,), (site / "current",), (folder / "draws" / OPEN,), (folder / "draws" / SEALED,)):
        done = portal("verify", *words)
        assert done.code == 0 and done.lines("OK") and not done.lines("FAIL"), (words, done)
    for code in (OPEN, SEALED):
        own = portal("verify", site / "current" / "rounds" / code)
        assert own.code == 0 and own.lines("OK"), own
        independent = subprocess.run(
            [sys.executable, ROOT / "public_site" / "verify" / "verify.py", folder / "draws" / code], capture_output=True, text=True
        )
        assert independent.returncode == 0 and "FAIL" not in independent.stdout, independent.stdout


def test_every_visit_has_a_real_pdf_and_pages_say_that_the_data_are_played(demo):
    shown = demo[0] / "site" / "current"
    pdfs = list(shown.rglob("*.pdf"))
    assert len(pdfs) > 10 and all(path.read_bytes().startswith(b"%PDF-1.7") for path in pdfs)
    assert "演示数据" in (shown / "index.html").read_text("utf-8")


def test_publishing_again_changes_no_file(demo, portal):
    first, second = portal.well("publish", "--as", "publisher"), portal.well("publish", "--as", "publisher")
    assert "变动 0" not in first and "没有变动" in second


def test_drawing_a_drawn_round_again_returns_the_stored_result(demo, portal):
    stored = json.loads((demo[0] / "draws" / OPEN / "result.json").read_bytes())
    said = portal.well("round", "draw", OPEN, "--as", "planner")
    assert "已经抽取过，这是原来的结果" in said
    for task, entry in stored.items():
        assert f"{task}　抽中 {sum(len(row['drawn']) for row in entry['strata'].values())} 户" in said


def test_one_of_the_drawn_was_deregistered_and_the_next_in_order_came(demo, portal):
    stored = json.loads((demo[0] / "draws" / OPEN / "replacement.json").read_bytes())
    rows = [row for several in stored["tasks"].values() for row in several]
    assert rows and {stored["struck"][struck]["status"] for _, struck, _ in rows} == {"注销"} and all(stored["struck"][row[1]]["source"] for row in rows)
    assert "已经补抽过，这是原来的结果" in portal.well("round", "replace", OPEN, "--as", "planner")
    page = (demo[0] / "site" / "current" / "tasks" / f"{OPEN}.html").read_text("utf-8")
    assert "按约定补抽一次：抽中的企业里有 1 户已经注销" in page
    assert "抽中的企业没有需要递补的" in (demo[0] / "site" / "current" / "tasks" / f"{SEALED}.html").read_text("utf-8")


def test_no_release_is_left_waiting_for_a_worker(demo):
    with contextlib.closing(sqlite3.connect(f"file:{demo[0] / 'portal.db'}?mode=ro", uri=True)) as database:
        assert set(database.execute("SELECT kind, state FROM job")) == {("release", "done")}


def test_simulated_answers_are_the_same_bytes_for_the_same_seed(demo, portal, tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        portal.well("sample", "answers", SEALED, "--seed", seed, "--out", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


# Folders ---------------------------------------------------------------------


def refused(folder: Path, **environ: str) -> str:
    said = Portal(folder, **environ).refused("demo", "--build-only", "--data", folder)
    assert said.count("\n") == 1, said
    return said


def test_a_folder_with_anything_else_is_refused_untouched(demo, tmp_path):
    (tmp_path / "照片.jpg").write_bytes(b"mine")
    assert "照片.jpg" in refused(tmp_path)
    assert [place.name for place in tmp_path.iterdir()] == ["照片.jpg"]
    (demo[0] / "笔记.txt").write_text("mine")
    try:
        assert "笔记.txt" in refused(demo[0])
        assert (demo[0] / "portal.db").exists()
    finally:
        (demo[0] / "笔记.txt").unlink()
    assert "是一个文件" in refused(tmp_path / "照片.jpg")
    assert "PORTAL_COLOUR" in refused(tmp_path / "new", PORTAL_COLOUR="red")


def test_a_port_in_use_is_said_before_the_work_begins(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        said = Portal(tmp_path / "new").refused("demo", "--data", tmp_path / "new", "--port", number)
        assert f"端口 {number} 不能使用：已被别的程序占用。请用 --port 换一个" in said
        assert not (tmp_path / "new").exists()


@pytest.mark.long
def test_a_killed_demo_is_replaced_by_the_next_and_two_at_once_are_refused(tmp_path):
    folder = tmp_path / "year"
    first = start("demo", "--build-only", "--entities", 100, "--data", folder)
    await_line(first, "写入检查对象名录")
    assert "另一个演示正在使用" in refused(folder)
    first.kill()
    first.wait()
    assert (folder / "portal.db").exists()
    second = start("demo", "--build-only", "--entities", 100, "--data", folder)
    await_line(second, "写入检查对象名录")
    second.send_signal(signal.SIGINT)
    assert second.wait(120) == 130 and second.stderr.read() == "portal: 已中断。\n"


# Serving ---------------------------------------------------------------------


def start(*words: object, **environ: str) -> subprocess.Popen:
    # A shell that runs the tests in the background has them, and all they start, ignore Ctrl-C.
    return subprocess.Popen(
        [*PYTHON, *map(str, words)], env=environment(**environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def await_line(process: subprocess.Popen, words: str) -> str:
    guard = threading.Timer(120, process.kill)
    guard.start()
    try:
        for line in process.stdout:
            if words in line:
                return line
        raise AssertionError(f"“{words}” never came: {process.stderr.read()}")
    finally:
        guard.cancel()


def children_of(process: subprocess.Popen) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read().decode()


@pytest.mark.parametrize("number", [
    pytest.param(number, id=number.name, marks=[pytest.mark.long] * (number != signal.SIGINT)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
])  # fmt: skip
def test_serve_answers_on_both_ports_and_leaves_nobody_behind_when_it_is_stopped(demo, number):
    free = socket.create_server(("127.0.0.1", 0))
    site_port = free.getsockname()[1]
    free.close()
    served = start("serve", "--port", 0, "--site-port", site_port, PORTAL_DATA=str(demo[0]))
    try:
        portal = await_line(served, "门户").split()[-1]
        site = await_line(served, "公示网站").split()[-1]
        await_line(served, "Ctrl-C")
        assert "登录" in fetch(f"{portal}login") and "演示数据" in fetch(site)
        with pytest.raises(urllib.error.HTTPError) as missing:
            fetch(f"{site}nothing-here")
        assert missing.value.code == 404
        worker = children_of(served)
        assert len(worker) == 1
        served.send_signal(number)
        code = served.wait(30)
    finally:
        served.kill()
        out, err = served.communicate()
    assert code == (0 if number != signal.SIGKILL else -signal.SIGKILL), err
    assert err == ""
    ended = threading.Event()
    for _ in range(200):  # the worker of a killed portal notices that its standard input closed
        if is_gone(worker[0]):
            break
        ended.wait(0.1)
    assert is_gone(worker[0])


def test_serve_names_the_option_of_a_port_that_is_taken(portal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        for option, other in (("--port", "--site-port"), ("--site-port", "--port")):
            assert f"请用 {option} 换一个" in portal.refused("serve", option, number, other, 0)

"""`portal new-sector`: what it writes runs its test, becomes a wheel, is installed and found; and the education department's wheel beside it."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from portal.cli.new_sector import CODE, NAME
from portal.hookspecs import HOOKS
from tests.cli.command import ROOT, Portal


#: what `pip wheel` asks of the build backend
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


@pytest.fixture
def portal(tmp_path):
    return Portal(tmp_path / "none")


def run(*words, cwd, **environ) -> str:
    path = os.pathsep.join([str(ROOT), *filter(None, [environ.pop("more", "")])])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "PYTEST_", "PIP_"))}
    done = subprocess.run(
        [sys.executable, "-X", "utf8", *map(str, words)], cwd=cwd, env={**kept, "PYTHONPATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environ},
        capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_a_new_sector_runs_its_test_becomes_a_wheel_and_is_found_once_installed(portal, tmp_path):
    folder, wheels, target = tmp_path / "lifts", tmp_path / "wheels", tmp_path / "target"
    done = portal("new-sector", "lifts", "--name", "电梯", "--folder", folder)
    assert (done.code, done.err) == (0, "") and done.out.splitlines()[0] == f"已写好业务模块“电梯”（lifts）：{folder}"
    assert sorted(file.name for file in folder.iterdir()) == ["lifts.py", "pyproject.toml", "test_lifts.py"]
    assert not any(CODE in text or NAME in text for text in (file.read_text("utf-8") for file in folder.iterdir()))
    assert "4 passed" in run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:faker", cwd=folder)
    education = shutil.copytree(ROOT / "tests" / "education", tmp_path / "education", ignore=shutil.ignore_patterns("__pycache__"))
    for distribution in (folder, education):
        run("-c", BUILD, wheels, cwd=distribution)
    run("-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-compile", "--target", target, *sorted(wheels.glob("*.whl")), cwd=tmp_path)
    told = run("-m", "portal.cli", "plugins", "--json", cwd=tmp_path, more=str(target), PORTAL_SECTORS="education,lifts", PORTAL_DATA=str(tmp_path / "none"))
    found = {one["code"]: one for one in json.loads(told)["sectors"]}
    assert {code: one["source"] for code, one in found.items()} == {
        "education": {"built_in": False, "distribution": "mingcha-education", "version": "1.0"},
        "lifts": {"built_in": False, "distribution": "mingcha-lifts", "version": "1.0"},
    }
    assert found["lifts"]["name"] == "电梯" and [one["code"] for one in found["lifts"]["items"]] == ["lifts.main"]
    assert found["education"]["hooks"] == list(HOOKS) and found["education"]["registers"]


def test_without_name_and_folder_the_code_stands_for_both(portal, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert portal("new-sector", "boilers").code == 0
    assert 'Sector("boilers", "boilers"' in (tmp_path / "boilers" / "boilers.py").read_text("utf-8")


@pytest.mark.parametrize(("code", "why"), [
    ("Lifts", "只能用小写字母、数字和下划线，以字母开头，最长 40 个字符"), ("2lifts", "只能用小写字母"), ("../etc", "只能用小写字母"), ("电梯", "只能用小写字母"),
    ("a" * 41, "最长 40 个字符"), ("lifts\n", "只能用小写字母"), ("a.b", "只能用小写字母"), ("class", "已是 Python 的词或已安装的模块名"),
    ("json", "已安装的模块名"), ("portal", "已安装的模块名"), ("pytest", "已安装的模块名"), ("registration", "是内置业务模块的代码"),
])  # fmt: skip
def test_a_code_that_cannot_be_one_is_refused_and_nothing_is_written(portal, tmp_path, code, why):
    done = portal("new-sector", code, "--folder", tmp_path / "new")
    assert done.code == 1 and why in done.err and done.err.startswith("portal: 模块代码“")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ['电"梯', "电\\梯", "<b>", "电{梯", "长" * 41, "电\u202e梯", "电\n梯", "  "])
def test_a_name_that_would_end_the_text_it_stands_in_is_refused(portal, tmp_path, name):
    done = portal("new-sector", "lifts", "--name", name, "--folder", tmp_path / "new")
    assert done.code == 1 and "1 到 40 个字" in done.err and list(tmp_path.iterdir()) == []


def test_what_is_there_stays_as_it_is(portal, tmp_path):
    (tmp_path / "lifts").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for there in ("lifts", "link"):
        done = portal("new-sector", "lifts", "--folder", tmp_path / there)
        assert done.code == 1 and done.err == f"portal: “{tmp_path / there}”已经存在，没有写入。请换一个文件夹（--folder）。\n"
    done = portal("new-sector", "lifts", "--folder", tmp_path / "none" / "deep")
    assert done.code == 1 and "不能写入" in done.err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["lifts", "link"] and list((tmp_path / "lifts").iterdir()) == []

"""`./run` with every outside program replaced by a stub: no network, no real .venv, a PATH of its own."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bench.bare_machine import TO_TYPE

ROOT = Path(__file__).resolve().parents[1]
REAL_TOOLS = "sh cat cp chmod dirname readlink cksum grep tail rm mkdir true env flock".split()

PYTHON = r"""#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
*ensurepip*) [ -z "${NO_PYTHON:-}" ] ;;
-V) echo "Python 3.13.0" ;;
*"-m venv"*)
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    printf '#!/bin/sh\necho "portal [$*] in $PWD"\nexit "${EXIT:-0}"\n' >"$4/bin/portal"
    printf '#!/bin/sh\necho "pytest [$*] in $PWD"\nexit "${EXIT:-0}"\n' >"$4/bin/pytest"
    chmod +x "$4/bin/portal" "$4/bin/pytest"
    [ -z "${GATE:-}" ] || read -r _ <"$GATE"
    ;;
*"-m pip"*) echo "${PIP_SAYS:-}"; [ -z "${PIP_SAYS:-}" ] ;;
"-I -") cat >/dev/null; [ -e "$SYSTEM/libraries" ] || printf 'libpango-1.0-0\nlibharfbuzz-subset0\n' ;;
esac
"""
STUBS = {
    "python3.13": PYTHON,
    "id": '#!/bin/sh\necho "${WHO:-1000}"\n',
    "sudo": '#!/bin/sh\n[ -n "${SUDO_WORKS:-}" ] && shift && exec "$@"\n',
    "apt-get": """#!/bin/sh
echo "apt-get $* frontend=$DEBIAN_FRONTEND" >>"$CALLS"
read -r _ && echo "apt-get was given input" >>"$CALLS"
echo "apt-get output"
[ -z "${APT_FAILS:-}" ] || exit 100
case "$*" in *install*) echo >"$SYSTEM/libraries" ;; esac
""",
}


class Checkout:
    """A checkout in a folder with a space in its name, and a machine where nothing is missing."""

    def __init__(self, tmp_path: Path):
        self.root = tmp_path / "my checkout"
        self.bin, self.system, self.calls_file = tmp_path / "bin", tmp_path / "system", tmp_path / "calls"
        for folder in (self.root, self.bin, self.system):
            folder.mkdir()
        for name in ("requirements.lock", "pyproject.toml"):
            (self.root / name).write_text("first\n")
        shutil.copy(ROOT / "run", self.root / "run")
        for tool in REAL_TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        for name, text in STUBS.items():
            self.stub(name, text)
        (self.system / "libraries").touch()
        self.environment = {"PATH": str(self.bin), "CALLS": str(self.calls_file), "SYSTEM": str(self.system)}

    def stub(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(stat.S_IRWXU)

    def without(self, name: str) -> None:
        (self.bin / name).unlink()

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [str(self.root / "run"), *arguments], cwd=cwd or self.root, env=self.environment | environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
        process = self.start(*arguments, cwd=cwd, **environment)
        out, err = process.communicate(timeout=30)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def calls(self, part: str) -> list[str]:
        """The recorded calls that hold these words; each question forgets nothing."""
        text = self.calls_file.read_text() if self.calls_file.exists() else ""
        return [line for line in text.splitlines() if part in line]


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_without_arguments_run_explains_itself_on_stderr_and_exits_2(checkout):
    done = checkout.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "./run demo" in done.stderr and "./run test" in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_the_first_run_makes_the_environment_from_the_lock_file_and_talks_on_stderr_only(checkout):
    done = checkout.run("demo")
    assert (done.returncode, done.stdout) == (0, f"portal [demo] in {checkout.root}\n")
    assert "making .venv" in done.stderr
    packages, project = checkout.calls("-m pip")
    assert "--require-hashes --no-deps --only-binary :all: -r" in packages and "requirements.lock" in packages
    assert "--no-index" in project and "-e" in project


def test_the_second_run_installs_nothing_and_says_nothing(checkout):
    checkout.run("demo")
    done = checkout.run("demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(checkout.calls("-m venv")) == 1 and len(checkout.calls("-m pip")) == 2


@pytest.mark.parametrize("command", ["test", "verify"])
def test_arguments_and_exit_code_are_passed_on(checkout, command):
    done = checkout.run(command, "two words", "*", EXIT="7")
    assert done.returncode == 7
    assert "two words *]" in done.stdout


def test_portal_runs_where_the_user_stands_and_pytest_at_the_checkout(checkout, tmp_path):
    assert checkout.run("serve", cwd=tmp_path).stdout == f"portal [serve] in {tmp_path}\n"
    assert checkout.run("test", "-k", "x", cwd=tmp_path).stdout == f"pytest [-k x] in {checkout.root}\n"


def test_compiled_code_is_kept_whatever_the_environment_says(checkout):
    checkout.run("demo")
    (checkout.root / ".venv" / "bin" / "portal").write_text('#!/bin/sh\necho "${PYTHONDONTWRITEBYTECODE-kept}"\n')
    assert checkout.run("demo", PYTHONDONTWRITEBYTECODE="1").stdout == "kept\n"


def test_run_works_through_a_symbolic_link(checkout, tmp_path):
    checkout.run("demo")
    (tmp_path / "link").symlink_to(checkout.root / "run")
    done = subprocess.run([tmp_path / "link", "x"], env=checkout.environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"portal [x] in {tmp_path}\n")


def test_a_failed_download_is_one_sentence_and_the_half_made_environment_is_made_again(checkout):
    broken = checkout.run("demo", PIP_SAYS="WARNING: Retrying (Retry(total=0 ...")
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "could not be downloaded. Check the network" in broken.stderr.splitlines()[-1]
    assert checkout.run("demo").returncode == 0
    assert len(checkout.calls("-m venv")) == 2


def test_another_pip_failure_shows_the_words_of_pip(checkout):
    done = checkout.run("demo", PIP_SAYS="THESE PACKAGES DO NOT MATCH THE HASHES")
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr and "network)" not in done.stderr.splitlines()[-1]


def test_a_changed_lock_file_makes_the_environment_again(checkout):
    checkout.run("demo")
    (checkout.root / "requirements.lock").write_text("second\n")
    assert checkout.run("demo").returncode == 0
    assert len(checkout.calls("-m venv")) == 2 and len(checkout.calls("--no-index")) == 2


def test_a_changed_pyproject_installs_only_the_project_again(checkout):
    checkout.run("demo")
    (checkout.root / "pyproject.toml").write_text("second\n")
    assert checkout.run("demo").returncode == 0
    assert len(checkout.calls("-m venv")) == 1 and len(checkout.calls("--no-index")) == 2


def test_a_moved_checkout_makes_its_environment_again(checkout, tmp_path):
    checkout.run("demo")
    checkout.root = checkout.root.rename(tmp_path / "moved")
    assert checkout.run("demo").returncode == 0
    assert len(checkout.calls("-m venv")) == 2


def test_two_first_runs_at_once_take_turns(checkout, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    first = checkout.start("demo", GATE=str(gate))
    with open(gate, "w") as opened:  # returns when the first run is in the middle of making .venv
        second = checkout.start("demo")
        assert "waiting" in second.stderr.readline()
        opened.write("\n")
    for process in (first, second):
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert len(checkout.calls("-m venv")) == 1


def test_an_ordinary_user_is_told_the_line_an_administrator_types(checkout):
    (checkout.system / "libraries").unlink()
    done = checkout.run("demo")
    line = "apt-get update && {}apt-get install -y --no-install-recommends libpango-1.0-0 libharfbuzz-subset0"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "    sudo " + line.format("sudo ")
    checkout.without("sudo")
    assert checkout.run("demo").stderr.splitlines()[-1] == f"    su -c '{line.format('')}'"
    assert checkout.calls("apt-get") == []


def test_the_check_of_a_bare_machine_types_the_line_as_it_is_printed(checkout):
    (checkout.system / "libraries").unlink()
    for words in ("sudo apt-get update && sudo apt-get install", "su -c 'apt-get update && apt-get install"):
        assert TO_TYPE.search(checkout.run("demo").stderr)[1].startswith(words)
        if words[:4] == "sudo":
            checkout.without("sudo")


@pytest.mark.parametrize("who", [{"WHO": "0"}, {"SUDO_WORKS": "yes"}])
def test_root_or_passwordless_sudo_installs_what_is_missing_without_a_question(checkout, who):
    (checkout.system / "libraries").unlink()
    done = checkout.run("demo", **who)
    assert (done.returncode, done.stdout) == (0, f"portal [demo] in {checkout.root}\n")
    update, install = checkout.calls("apt-get")
    assert update.endswith("update frontend=noninteractive")
    assert install.endswith("install -y --no-install-recommends libpango-1.0-0 libharfbuzz-subset0 frontend=noninteractive")


def test_a_failing_apt_get_stops_the_run_with_a_sentence(checkout):
    (checkout.system / "libraries").unlink()
    done = checkout.run("demo", WHO="0", APT_FAILS="yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert "apt-get could not install: libpango-1.0-0 libharfbuzz-subset0. Check the network" in done.stderr.splitlines()[-1]


def test_a_system_without_apt_get_is_told_what_it_lacks(checkout):
    (checkout.system / "libraries").unlink()
    checkout.without("apt-get")
    done = checkout.run("demo", WHO="0")
    assert done.returncode == 1 and "libharfbuzz-subset0. Install their equivalents" in done.stderr


def test_without_a_new_enough_python_run_says_which_is_needed(checkout):
    done = checkout.run("demo", WHO="0", NO_PYTHON="yes")
    assert done.returncode == 1
    assert "python3-venv" in checkout.calls("apt-get")[1]
    assert "Python 3.11 or newer is needed" in done.stderr.splitlines()[-1]


SKIPS = {
    "test_inside.py": "import pytest\ndef test_it():\n    pytest.skip('not here')\n",
    "test_marked.py": "import pytest\n@pytest.mark.skipif(True, reason='not here')\ndef test_it():\n    pass\n",
    "test_whole_file.py": "import pytest\npytest.skip('not here', allow_module_level=True)\n",
    "test_fine.py": "def test_it():\n    pass\n",
}


def test_a_skip_fails_where_nothing_may_be_skipped(tmp_path):
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    for name, text in SKIPS.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path),
               "--continue-on-collection-errors", str(tmp_path)]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    lenient = subprocess.run(command, env=environment | {"MINGCHA_NO_SKIP": ""}, capture_output=True, text=True)
    strict = subprocess.run(command, env=environment | {"MINGCHA_NO_SKIP": "1"}, capture_output=True, text=True)
    assert (lenient.returncode, lenient.stdout.splitlines()[-1][:19]) == (0, "1 passed, 3 skipped")
    assert (strict.returncode, strict.stdout.splitlines()[-1][:27]) == (1, "1 failed, 1 passed, 2 error")
    assert "skipped although MINGCHA_NO_SKIP is set" in strict.stdout


# .ci/run -----------------------------------------------------------------------


def test_ci_fails_at_once_where_the_shared_data_are_not(tmp_path):
    tools = tmp_path / "tools"  # nothing else is found: whatever came after the refusal could do no harm
    tools.mkdir()
    (tools / "dirname").symlink_to(shutil.which("dirname"))
    done = subprocess.run(
        [shutil.which("bash"), ROOT / ".ci" / "run"], env={"PATH": str(tools), "MINGCHA_SHARED": str(tmp_path)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ci: no shared data here (MINGCHA_SHARED, or ../shared): the walk over real input would be skipped, and nothing is\n"

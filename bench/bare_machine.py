"""Whether a bare Debian becomes a working portal: `./run demo --build-only` and `./run test` in fresh chroots.

    sudo python3 bench/bare_machine.py FOLDER [--suites bookworm,trixie] [--people root,user] [--mirror URL]
                                      [--bind PATH]... [--tests ARGS] [--minutes 60] [--keep]

Needs debootstrap, git and unshare here; inside there is a minimal system and certificates, no Python, no git, no /sys.
Every run starts from a copy of an untouched base system (FOLDER/base-SUITE, made once) and a clean clone of this
checkout's last commit:

    root   `./run demo --build-only`, then `./run test`, as root with nothing installed
    user   the same as an ordinary user without sudo: the first `./run` must refuse and print the line that an
           administrator has to type; that very line is typed as root; then both commands must succeed

The network is set up as it is on this machine: its pip configuration, PIP_*, proxy and certificate variables, the
download settings of its apt and its certificates are copied in. Folders that its pip configuration points to are
named with --bind and seen read-only. Prints for each step the seconds it took, whether it did what it should, and
its last lines; everything is in FOLDER/SUITE-PERSON.log. Ends with 1 when a step did otherwise than it should.

A run lives in mount and process namespaces of its own: killed in whatever way, it leaves no mount and no process,
only a folder that the next run replaces.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USER = "inspector"
HOMES = {"root": "/root", USER: f"/home/{USER}"}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CLONE = "mingcha"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_FILES = (Path("/etc/pip.conf"), Path("/etc/xdg/pip"))
#: how this machine reaches the network
NETWORK = re.compile(r"PIP_\w+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(https?|no|all)_proxy", re.IGNORECASE)
APT = re.compile(r'Acquire::(https?|Retries|Check-Valid-Until|Check-Date)\b.* "[^"]+";')
#: what ./run prints for an administrator
TO_TYPE = re.compile(r"    (sudo apt-get .+|su -c '.+')")
#: files a run left that git would see, printed; fails when there are any
LEFT = r"""! find . -newer ../cloned -type f | grep -E -v '^\./(\.git|\.venv|var|[^/]*\.egg-info)/|/(__pycache__|\.[a-z]+_cache|\.hypothesis)/'"""
LAST = 6  # lines shown of a step

# What a run is put into: private mounts, /proc of its own processes, a few devices, and the chroot.
ENTER = r"""
set -eu
root=$1 binds=$2; shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in %s; do touch "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
mkdir -m 1777 "$root/dev/shm"; mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
mount -t proc proc "$root/proc"
printf '%%s' "$binds" | while IFS= read -r place; do
    mkdir -p "$root$place"; mount --bind "$place" "$root$place"; mount -o remount,bind,ro "$root$place"
done
exec "$@"
""" % " ".join(DEVICES)


@dataclass(frozen=True, slots=True)
class Step:
    """One command in a run. `good`: it did what it should; `said`: its last lines."""

    what: str
    seconds: float
    good: bool
    said: list[str]


@dataclass(slots=True)
class Machine:
    """A fresh chroot; `steps` is what was done in it so far."""

    name: str
    root: Path
    log: Path
    binds: str
    minutes: int
    steps: list[Step] = field(default_factory=list)

    def do(self, what: str, command: str, *, who: str = "root", wanted: int = 0, must_say: str = "") -> str:
        """Run a shell line in the chroot, as somebody just logged in; everything it said. Keeps time and verdict."""
        environment = {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
        environment |= {"HOME": HOMES[who], "PATH": PATH, "USER": who, "TERM": "dumb"}
        inside = ["chroot", f"--userspec={who}:{who}", "--groups=", str(self.root), "sh", "-c", f'cd "$HOME" && {command}']
        outside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter", str(self.root), self.binds]
        started = time.monotonic()
        try:
            done = subprocess.run(
                [*outside, *inside], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=self.minutes * 60,
            )  # fmt: skip
            code, output = done.returncode, done.stdout.decode("utf-8", "replace")
        except subprocess.TimeoutExpired as late:
            code, output = -1, (late.stdout or b"").decode("utf-8", "replace") + f"\nstopped after {self.minutes} minutes"
        good = (code != 0 if wanted else code == 0) and re.search(must_say, output, re.MULTILINE) is not None
        step = Step(f"{what} (exit {code})", time.monotonic() - started, good, output.rstrip().splitlines()[-LAST:])
        self.steps.append(step)
        with self.log.open("a") as log:
            log.write(f"\n=== {step.what}, {step.seconds:.0f} s, {'as it should' if good else 'NOT as it should'}\n{output}")
        print(f"{self.name:14} {step.what:44} {step.seconds:7.1f} s  {'ok' if good else 'WRONG'}", flush=True)
        for line in step.said:
            print(f"{'':14}   | {line[:150]}", flush=True)
        return output


def host_mirror() -> str:
    """Where this machine's own apt gets Debian from."""
    for file in (*Path("/etc/apt/sources.list.d").glob("debian.sources"), Path("/etc/apt/sources.list")):
        if file.exists() and (found := re.search(r"^(?:URIs:|deb) .*?(https?://\S+)", file.read_text(), re.MULTILINE)):
            return found[1]
    sys.exit("bare_machine: the address of a Debian mirror is needed: --mirror URL")


def make_base(folder: Path, suite: str, mirror: str) -> Path:
    """An untouched minimal system; made once, whole or not at all."""
    base = folder / f"base-{suite}"
    if not base.exists():
        fresh = folder / f"base-{suite}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        started = time.monotonic()
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", suite, str(fresh), mirror]
        with (folder / f"base-{suite}.log").open("w") as log:
            if subprocess.run(command, stdout=log, stderr=log).returncode:
                sys.exit(f"bare_machine: debootstrap failed for {suite}; see {log.name}")
        fresh.rename(base)
        print(f"{'base-' + suite:14} debootstrap {time.monotonic() - started:39.1f} s", flush=True)
    return base


def set_up_network(root: Path) -> None:
    """What this machine knows about reaching the network."""
    for place in (Path("/etc/resolv.conf"), Path("/etc/hosts"), CERTIFICATES, *PIP_FILES):
        if place.is_dir():
            shutil.copytree(place, root / place.relative_to("/"))
        elif place.exists():
            (root / place.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(place, root / place.relative_to("/"))
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout.splitlines()
    (root / "etc/apt/apt.conf.d/99host").write_text("".join(f"{line}\n" for line in settings if APT.fullmatch(line)))


def fresh_machine(args: argparse.Namespace, suite: str, person: str) -> Machine:
    """A copy of the base system with a clean clone of the last commit in the person's home."""
    name = f"{suite}-{person}"
    root, log = args.folder / name, args.folder / f"{name}.log"
    shutil.rmtree(root, ignore_errors=True)
    log.write_text("")
    subprocess.run(["cp", "-a", "--reflink=auto", make_base(args.folder, suite, args.mirror), root], check=True)
    set_up_network(root)
    machine = Machine(name, root, log, "".join(f"{place}\n" for place in args.bind), args.minutes)
    who = USER if person == "user" else "root"
    if person == "user":
        machine.do("an account without rights", f"useradd --create-home --shell /bin/sh {USER}")
    clone = root / HOMES[who].lstrip("/") / CLONE
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    (clone.parent / "cloned").touch()
    if person == "user":
        machine.do("the clone is theirs", f"chown -R {USER}:{USER} {HOMES[USER]}/{CLONE}")
    return machine


def walk(machine: Machine, person: str, tests: str) -> None:
    who = "root"
    if person == "user":
        who = USER
        said = machine.do("./run demo, packages missing", f"cd {CLONE} && ./run demo --build-only", who=who, wanted=1, must_say=TO_TYPE.pattern)
        if not (found := TO_TYPE.search(said)):
            return
        machine.do("the line it printed, typed by root", found[1].removeprefix("sudo "))
    machine.do("./run demo --build-only", f"cd {CLONE} && ./run demo --build-only", who=who, must_say="^  PDF ")
    machine.do("./run demo --build-only, again", f"cd {CLONE} && ./run demo --build-only", who=who, must_say="^  PDF ")
    machine.do(f"./run test {tests}".rstrip(), f"cd {CLONE} && ./run test -rs {tests}", who=who, must_say=r"\d+ passed")
    machine.do("nothing left beside .venv, var and caches", f"cd {CLONE} && {LEFT}", who=who)


def summary(machines: list[Machine]) -> Iterator[str]:
    commit = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%h %s"], capture_output=True, text=True).stdout.strip()
    yield f"\n{commit}"
    for machine in machines:
        good = all(step.good for step in machine.steps)
        yield f"{machine.name:14} {'as it should' if good else 'NOT AS IT SHOULD'}: " + "; ".join(
            f"{step.what} {step.seconds:.0f} s" for step in machine.steps
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where base systems, chroots and logs go; 3 GB")
    parser.add_argument("--suites", default="bookworm,trixie")
    parser.add_argument("--people", default="root,user")
    parser.add_argument("--mirror", default="", help="Debian mirror; this machine's own by default")
    parser.add_argument("--bind", action="append", default=[], metavar="PATH", help="folder shown read-only inside, repeatable")
    parser.add_argument("--tests", default="", metavar="ARGS", help="arguments for ./run test; none means all tests")
    parser.add_argument("--minutes", type=int, default=60, help="limit of one step")
    parser.add_argument("--keep", action="store_true", help="leave the chroots")
    args = parser.parse_args()
    if os.geteuid():
        sys.exit("bare_machine: a chroot needs root. Type: sudo python3 " + shlex.join(sys.argv))
    if lacking := [name for name in ("debootstrap", "git", "unshare", "chroot") if not shutil.which(name)]:
        sys.exit(f"bare_machine: not installed here: {', '.join(lacking)}")
    args.folder = args.folder.resolve()
    args.folder.mkdir(parents=True, exist_ok=True)
    args.mirror = args.mirror or host_mirror()
    machines = []
    for suite in args.suites.split(","):
        for person in args.people.split(","):
            machine = fresh_machine(args, suite, person)
            machines.append(machine)
            try:
                walk(machine, person, args.tests)
            finally:
                if not args.keep:
                    shutil.rmtree(machine.root)
    print("\n".join(summary(machines)))
    return 0 if all(step.good for machine in machines for step in machine.steps) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Publishing killed with SIGKILL again and again, while a reader compares every file of the shown release with its manifest.

    python -m bench.kill_publish [--times 100] [--firms 300] [--seed 1] [--pdfs]

Each time a child publishes other results (every fifth time some of them are to be forgotten, every seventh it rolls back to
the oldest kept release instead) and is killed: half of the times at any moment, half around the switch. All the while a reader takes
`site/current` and compares. After each kill the shown release and every kept one are compared, both ways: what the manifest
names is there with that SHA-256, and nothing else is. Any mismatch fails. Stand-ins for PDFs, unless `--pdfs`: then the
real workers print them (fewer firms will do), and none of them may outlive the publisher that was killed by more than some seconds.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.domain.bundle import canonical
from portal.jobs import SitePrinter
from portal.prints.render import Printer
from public_site.bundle import load_bundle
from public_site.release import current, release, releases_of, roll_back
from tests.public_site.bundle_fixture import make_bundle, seal
from tests.public_site.conftest import FakePdfs

FORGET, BACK = 5, 7  # every so many times
LINGER = 10.0  # seconds a worker may outlive its publisher


def variant(bundle: Path, folder: Path, number: int, gone: int) -> Path:
    """The bundle with a word of every fourth result changed, and the first `gone` of them to be forgotten."""
    shutil.copytree(bundle, folder)
    rows = list(load_bundle(bundle).results())
    stones = [{"visit": row["visit"], "entity": row["entity"], "index": row["proof"]["index"], "why": "withdrawn", "on": "2026-06-27"} for row in rows[:gone]]
    shown = [row | {"town": f"晋江市第{number}镇"} if n % 4 == number % 4 else row for n, row in enumerate(rows[gone:])]
    (folder / "results.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in shown))
    (folder / "tombstones.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in stones))
    seal(folder)
    return folder


def compare(folder: Path) -> tuple[int, list[str]]:
    """(files compared, what does not agree with the manifest). FileNotFoundError where the folder goes away meanwhile."""
    manifest = (folder / "manifest.json").read_bytes()
    if not folder.name.endswith(hashlib.sha256(manifest).hexdigest()[:12]):
        return 1, [f"{folder.name}/manifest.json"]
    files = json.loads(manifest)["files"]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()} - {"manifest.json"}
    wrong = sorted(there ^ files.keys())
    wrong += [path for path, digest in files.items() if path in there and hashlib.sha256((folder / path).read_bytes()).hexdigest() != digest]
    return len(files) + 1, [f"{folder.name}/{path}" for path in wrong]


def read(site: Path, stop: object, told: multiprocessing.Queue) -> None:
    """Take the shown release and compare it, until told to stop; (passes, files, mismatches, left because they were pruned meanwhile)."""
    passes = files = pruned = 0
    wrong: list[str] = []
    while not stop.is_set():
        name = os.readlink(site / "current").removeprefix("releases/")
        try:
            more, found = compare(site / "releases" / name)
        except FileNotFoundError:
            found, more = [f"{name}: gone"], 0
        if found and not (site / "releases" / name).is_dir() and current(site) != name:
            pruned += 1  # no longer the one shown, and tidied away while it was read
            continue
        passes, files, wrong = passes + 1, files + more, wrong + found
    told.put((passes, files, wrong, pruned))


@contextmanager
def printing(fonts: Path | None) -> Iterator[object]:
    """What prints: the portal's workers, with fonts made ready there, or a stand-in."""
    if fonts is None:
        yield FakePdfs()
        return
    with Printer(fonts) as printer:
        yield SitePrinter(printer)


def adopt() -> None:
    """Become the parent of what killed publishers leave behind (PR_SET_CHILD_SUBREAPER of prctl(2))."""
    if ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def left_over(own: set[int]) -> list[int]:
    """Processes of killed publishers that still run after waiting for them to end; `own`: this program's other children."""
    until = time.monotonic() + LINGER
    while True:
        found = {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()} - own
        found = {pid for pid in found if os.waitpid(pid, os.WNOHANG) == (0, 0)}
        if not found or time.monotonic() > until:
            return sorted(found)
        time.sleep(0.1)


def run_and_kill(act: Callable[[], object], after: float) -> bool:
    """Do something in a child and kill it after so many seconds; whether it was done before."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a child failed by itself")
    return os.WIFEXITED(status)


def timed(bundle: Path, site: Path, fonts: Path | None) -> tuple[float, float]:
    """Seconds of a publication until its switch, and in all."""
    began, switched = time.perf_counter(), [0.0]
    with printing(fonts) as pdfs:
        release(bundle, site, pdfs, lambda what, _: switched.append(time.perf_counter() - began) if what == "switched" else None)
    return switched[-1], time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--firms", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pdfs", action="store_true", help="the real workers print")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        site, plain = folder / "site", make_bundle(folder / "bundle", firm_count=asked.firms)
        fonts = folder / "fonts" if asked.pdfs else None
        timed(plain, site, fonts)
        stop, told = multiprocessing.Event(), multiprocessing.Queue()
        reader = multiprocessing.Process(target=read, args=(site, stop, told))
        reader.start()
        adopt()
        own = {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
        # Beside the reader, as those below; the quicker of three, since the first ones make things ready.
        to_switch, whole = min(timed(variant(plain, folder / name, n, 0), site, fonts) for n, name in enumerate(("first", "second", "third"), -2))
        states, wrong, stayed, files, gone, kept = Counter[str](), [], [], 0, 0, 0
        for number in range(1, asked.times + 1):
            shown, names = current(site), releases_of(site)
            gone += number % FORGET == 0
            bundle = variant(plain, folder / "now", number + 1, gone)
            back = number % BACK == 0

            def act() -> None:
                with printing(fonts) as pdfs:
                    if back:
                        roll_back(site, names[0], pdfs)
                    else:
                        release(bundle, site, pdfs)

            after = chance.uniform(0, whole * 1.2) if number % 2 else to_switch * chance.uniform(0.4, 1.2)
            done = run_and_kill(act, after)
            switched = current(site) != shown
            states["done before it was killed" if done else f"{'rolling back, ' if back else ''}killed {'after' if switched else 'before'} the switch"] += 1
            if not done and not switched and set(releases_of(site)) - set(names):
                states["... of these with the new release complete and not yet shown"] += 1
            for name in releases_of(site):
                more, found = compare(site / "releases" / name)
                files, wrong, kept = files + more, wrong + found, kept + 1
            shutil.rmtree(bundle)
            stayed += left_over(own) if fonts else []
            if number % 10 == 0:
                print(f"{number} of {asked.times}", file=sys.stderr)
        stop.set()
        passes, read_files, misread, pruned = told.get()
        reader.join()
        with printing(fonts) as pdfs:
            final = release(variant(plain, folder / "last", 0, gone), site, pdfs)
        files_of_last, found = compare(site / "releases" / final.id)
        words = [row["visit"] for row in list(load_bundle(plain).results())[:gone]]
        left = [str(path) for path in site.rglob("results.jsonl") if any(word in path.read_text("utf-8") for word in words)]
    print(f"{asked.times} publications of {files_of_last:,} files killed (left alone beside the reader: switched after {to_switch:.2f} s, done after {whole:.2f} s):")
    for state, times in states.items():
        print(f"  {times:4} {state}")
    print(f"reader: {passes:,} passes over the shown release, {read_files:,} files compared, {len(misread)} mismatches; {pruned} passes left, their release was pruned meanwhile")
    print(f"after each kill: {kept:,} kept releases, {files:,} files compared, {len(wrong)} mismatches; the next publication after all: {len(found)}")
    print(f"forgotten results in any kept release at the end: {len(left)} of {gone} withdrawn")
    if fonts:
        print(f"workers that printed on {LINGER:.0f} s after their publisher was killed: {len(stayed)}")
    for one in (*wrong, *misread, *found, *left)[:20]:
        print(f"  {one}")
    raise SystemExit(bool(wrong or misread or found or left or stayed))


if __name__ == "__main__":
    main()

"""What a result sheet's PDF costs, amortised: CPU time of all processes, and bytes.

    python -m bench.sheet_cost [--runs 5] [--sheets 100] [--points 31] [--count]

Each run makes 20 and 20 + `sheets` sheets by one worker, each in processes of its own; the difference is theirs without
starting.  Prints CPU milliseconds a sheet (median of the runs, and all of them) and the largest sheet's size.  `--count`:
machine instructions instead, by valgrind, slow and the same on a noisy machine.  `--points`: lines of
what was checked, which is what a sheet's time goes with; 31 is the average of the demo's.  Target (SITE.md): 120 ms, 150 KB.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from portal.prints.render import Printer
from tests.prints import samples

FEW = 20


def _made(count: int, points: int) -> None:
    """Make `count` sheets and print the largest one's size.  Alike, but for name, code, findings and hashes."""
    largest = 0
    with tempfile.TemporaryDirectory() as folder, Printer(Path(folder), workers=1) as printer:
        about = samples.about(base_url="https://example.gov.cn/ssj")
        jobs = ((n, "result_sheet.html", {"about": about, "result": samples.result(n, points=points)}) for n in range(count))
        for _, pdf in printer.render_many(jobs):
            largest = max(largest, len(pdf))
    print(largest)


def _seconds(count: int, points: int) -> tuple[float, int]:
    """CPU seconds of a run with all its workers, and the largest size."""
    reading, writing = os.pipe()
    made = os.posix_spawn(sys.executable, [sys.executable, "-m", __spec__.name, "_made", str(count), str(points)], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)])
    os.close(writing)
    with os.fdopen(reading) as said:
        largest = int(said.read())
    _, status, used = os.wait4(made, 0)
    if status:
        raise SystemExit(f"排版进程没有成功（{status}）")
    return used.ru_utime + used.ru_stime, largest


def _instructions(count: int, points: int) -> float:
    """Millions of instructions of a run with all its workers."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, "-m", __spec__.name, "_made", str(count), str(points)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})
    return sum(int(number.replace(",", "")) for number in re.findall(r"I\s+refs:\s+([\d,]+)", done.stderr)) / 1e6


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--sheets", type=int, default=100)
    asked.add_argument("--points", type=int, default=31)
    asked.add_argument("--count", action="store_true")
    chosen = asked.parse_args()
    if chosen.count:
        few, many = _instructions(FEW, chosen.points), _instructions(FEW + chosen.sheets, chosen.points)
        print(f"{(many - few) / chosen.sheets:.1f} million instructions a sheet")
        return
    figures, largest = [], 0
    for _ in range(chosen.runs):
        few, _ = _seconds(FEW, chosen.points)
        many, largest = _seconds(FEW + chosen.sheets, chosen.points)
        figures.append(1000 * (many - few) / chosen.sheets)
    print(f"{statistics.median(figures):.0f} ms of CPU a sheet (median of {', '.join(f'{figure:.0f}' for figure in figures)}); largest {largest} bytes")


if __name__ == "__main__":
    if sys.argv[1:2] == ["_made"]:
        _made(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()

"""What asking sectors costs: one call for 10,000 candidates against one call for each, side by side in one run.

    python -m bench.hook_cost [--candidates 400000] [--sectors 6] [--turns 3]

Six made-up sectors, each with one task over the whole directory, each pass over a hundredth of the candidates. A: the hook
as it is, `exclude_from_pool(task, batch)`. B: the same rule asked for one candidate at a time, through the same call.
A and B take turns, so what else the machine does meets both; the ratio is that of CPU time. No database.
"""

from __future__ import annotations

import argparse
import gc
import types
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from time import perf_counter, process_time

from portal.domain.model import Candidate, Sector, Task
from portal.hookspecs import hookimpl
from portal.plugins import MOST_IN_BATCH, Sectors, discover_sectors
from portal.testing import make_candidate, make_task

REASON = "许可证即将到期，换证后再查。"


def made_up_sector(code: str, digit: str) -> types.ModuleType:
    """A sector that passes over candidates whose code ends with these digits and who sell what it looks after."""
    module = types.ModuleType(code)

    @hookimpl
    def sector():
        return Sector(code, code)

    @hookimpl
    def exclude_from_pool(task, batch):
        return {one.code: REASON for one in batch if one.code.endswith(digit) and one.industries and one.industries[0].startswith("5")}

    module.sector, module.exclude_from_pool = sector, exclude_from_pool
    return module


def batches(candidates: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
    for start in range(0, len(candidates), MOST_IN_BATCH):
        yield candidates[start : start + MOST_IN_BATCH]


def ask_in_batches(sectors: Sectors, tasks: Sequence[Task], candidates: Sequence[Candidate]) -> int:
    return sum(len(sectors.exclude_from_pool(task, batch)) for task in tasks for batch in batches(candidates))


def ask_one_by_one(sectors: Sectors, tasks: Sequence[Task], candidates: Sequence[Candidate]) -> int:
    return sum(len(sectors.exclude_from_pool(task, (one,))) for task in tasks for one in candidates)


def timed(work: Callable[[], int]) -> tuple[float, float, int]:
    """(CPU seconds, seconds by the clock, what it found)."""
    gc.collect()
    cpu, clock = process_time(), perf_counter()
    found = work()
    return process_time() - cpu, perf_counter() - clock, found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=400_000)
    parser.add_argument("--sectors", type=int, default=6)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args(argv)
    modules = {f"sector_{n}": made_up_sector(f"sector_{n}", f"{n % 10}{n * 7 % 10}") for n in range(given.sectors)}
    sectors = discover_sectors(None, modules)
    tasks = [make_task(code) for code in modules]
    candidates = [make_candidate(f"9135{n:014d}", industries=("5272",)) for n in range(given.candidates)]
    print(f"{given.candidates:,} candidates, {given.sectors} sectors, batches of {MOST_IN_BATCH:,}, {given.turns} turns of A and B")
    ratios = []
    for turn in range(1, given.turns + 1):
        a, a_clock, found_a = timed(lambda: ask_in_batches(sectors, tasks, candidates))
        b, b_clock, found_b = timed(lambda: ask_one_by_one(sectors, tasks, candidates))
        if found_a != found_b:
            print(f"turn {turn}: A found {found_a:,}, B {found_b:,}: not the same work")
            return 1
        ratios.append(b / a)
        print(f"turn {turn}: A {a:8.3f} s CPU ({a_clock:.3f} s)   B {b:8.3f} s CPU ({b_clock:.3f} s)   B/A {b / a:6.1f}   excluded {found_a:,}")
    asked = given.candidates * given.sectors
    print(f"median B/A {median(ratios):.1f}; A {a / asked * 1e6:.3f} µs, B {b / asked * 1e6:.3f} µs for each candidate and sector")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""One open round of six sectors' tasks on a real register: visits met together, and who is drawn how often, in Markdown.

    python -m bench.six_sectors FILE.csv.gz [--engine sqlite|postgres|both] [--limit N] [--seeds 2000]

The register (the shared Fujian one has 55,486 companies) comes in through the real store and steps; six sectors' tasks,
each with the pool of its own sector's rule, are frozen, committed, drawn and combined in one open round. It goes by overall
ratios: a task with ratios by class would make the round sealed (DRAW.md section 1). 餐饮 and 工业产品 draw nobody from a
register without industry codes or licences (bench/sector_pools.py), so 价格 stands in.

Then the frozen pools are drawn again by the same pure function under the seeds 0, 1, 2 ..., with the tickets all tasks
share and, to compare, with tickets of each task's own. The seeds are fixed: the figures are the same each time. Ends
with 1 where an entry's frequency is outside the wide band, or p outside (0.001, 0.999) (DRAW.md section 7).
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import io
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import exp, lgamma, log
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from argon2 import PasswordHasher

from bench.plan_tables import head, row
from bench.register import HEAD, SPRING, draw_in, open_bureau
from portal.domain.cells import Sheet
from portal.domain.draw import draw_task, drawn_of
from portal.domain.pool import parse_codes, parse_pool
from portal.domain.recompute import draw_round
from portal.domain.rounds import parse_round
from portal.domain.sample import sample_inspectors
from portal.domain.seed import key_of
from portal.domain.visits import Place, combine
from portal.plugins import discover_sectors
from portal.sheets.read import COMMAND, open_sheet
from portal.steps import plan
from portal.steps.bundles import auditor_files
from portal.steps.directory import save_inspector_rows
from portal.steps.loading import import_register
from portal.store import draw as draw_store
from portal.store import engine, keys, passwords
from portal.store import plan as plan_store
from tests import city_walk, cluster, office
from tests.domain.draw_chances import HIGH, LOW, of_counts

#: item -> overall ratio, in the order of the plan's rows
TASKS = {
    "annual_reports.annual": "3.5%", "registration.address": "3%", "pricing.marked": "3%", "food_sales.supervision": "5%", "advertising.business": "5%",
    "online_trade.shop": "10%",
}  # fmt: skip
#: chances of a fair draw to have an entry, or anybody at all in a task, outside a band
NARROW, WIDE = 0.01, 0.001
Picks = Mapping[str, Sequence[str]]


# ---- the round ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Walked:
    """`files`: the round's as auditors get them; `summary`: what combining its visits said; `seconds` by part of the walk."""

    files: Mapping[str, bytes]
    names: Mapping[str, tuple[str, str]]  # task -> sector's code and name
    summary: Mapping[str, Any]
    seconds: Mapping[str, tuple[float, float]]


def register_rows(file: Path, limit: int) -> bytes:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[: limit + 1 if limit else None]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def plan_sheet(items: Mapping[str, Any]) -> Sheet:
    lines = [("福建省2026年度“双随机、一公开”抽查工作计划表", *("",) * (len(HEAD) - 1)), HEAD]
    for n, (code, ratio) in enumerate(TASKS.items(), 1):
        lines.append((n, items[code].category, items[code].name, "企业", ratio, "", "", "", "", SPRING, "信用监督管理科", "本级抽取", ""))
    return Sheet(tuple(lines), (), "计划表")


async def _walk(folder: Path, kind: str, file: Path, limit: int) -> Walked:
    seconds: dict[str, tuple[float, float]] = {}
    since = [time.perf_counter(), time.process_time()]

    def took(name: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        seconds[name] = (now[0] - since[0], now[1] - since[1])
        since[:] = now

    sectors = discover_sectors(",".join(code.partition(".")[0] for code in TASKS))
    try:
        house = await open_bureau(folder, kind, sectors)
        (folder / "register.csv").write_bytes(register_rows(file, limit))
        took("started")
        operator = await house.acting("operator", sectors)
        await import_register(operator, iter(open_sheet(folder / "register.csv", "register.csv", COMMAND, "").rows), "register.csv", "0" * 64)
        await save_inspector_rows(operator, sample_inspectors(1))
        took("register imported")
        await plan.import_plan(operator, plan_sheet({item.code: item for item in sectors.items}), b"the plan")
        planner = await house.acting("planner", sectors)
        tasks = await plan_store.load_tasks({planner.bureau["id"]})
        assert [task["item_code"] for task in tasks] == list(TASKS)
        summary = await draw_in(house, sectors, city_walk.ROUNDS[0], tasks, "open")
        planner = await house.acting("planner", sectors)
        files = await auditor_files(planner, await draw_store.load_round(summary["code"], planner.line))
        took("frozen, committed, drawn, combined, assigned")
    finally:
        await engine.close_engine()
    names = {task["code"]: (task["sector"], sectors.sectors[task["sector"]].name) for task in tasks}
    return Walked(files, names, summary, seconds)


def walk(folder: Path, kind: str, file: Path, limit: int) -> Walked:
    keys._SCRYPT["n"] = 16  # as in the tests: what passphrases cost by design is not what is measured
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return asyncio.run(_walk(folder, kind, file, limit))


# ---- drawing again --------------------------------------------------------------------


def draw_under(files: Mapping[str, bytes], seed: bytes, *, apart: bool = False) -> dict[str, list[str]]:
    """task -> codes drawn for an open round under another seed; `apart`: each task has tickets of its own."""
    round_ = parse_round(files["round.json"])
    found = {}
    for task in round_["tasks"]:
        name = task["task"]
        excluded = files.get(f"{name}/excluded.txt")
        key = key_of(round_["suite"], seed, f"draw/{round_['round']}" + (f"/{name}" if apart else ""))
        found[name] = drawn_of(draw_task(round_["suite"], key, files[f"{name}/pool.tsv"], parse_codes(excluded) if excluded else [], task["quota"], task))
    return found


def place_of(code: str) -> Place:
    """A company is one place, and each of its sites (USCC#n) another."""
    holder, _, site = code.partition("#")
    return Place(code, holder, site, "", "")


def carried(picks: Picks, sector_of: Mapping[str, str]) -> Counter[int]:
    """sectors met by a visit -> visits, of a round's picks by task."""
    places = {code: place_of(code) for codes in picks.values() for code in codes}
    visits = combine("R", ((task, code) for task, codes in picks.items() for code in codes), places, {}).visits
    return Counter(len({sector_of[task] for task in visit.tasks}) for visit in visits)


class Redrawn(NamedTuple):
    """`times`: (task, stratum) -> code -> how often drawn, for everybody available; the rest one Counter of `carried` a seed."""

    times: dict[tuple[str, str], dict[str, int]]
    together: list[Counter[int]]
    apart: list[Counter[int]]
    cpu: float


def available(files: Mapping[str, bytes]) -> dict[tuple[str, str], list[str]]:
    """(task, stratum) -> the codes that can be drawn, in the order of the pool."""
    found: dict[tuple[str, str], list[str]] = {}
    for task in parse_round(files["round.json"])["tasks"]:
        excluded = files.get(f"{task['task']}/excluded.txt")
        outside = frozenset(parse_codes(excluded) if excluded else [])
        for one in parse_pool(files[f"{task['task']}/pool.tsv"]):
            if one.code.encode() not in outside:
                found.setdefault((task["task"], one.stratum), []).append(one.code)
    return found


def redraw(files: Mapping[str, bytes], sector_of: Mapping[str, str], seeds: range) -> Redrawn:
    """The round under each of these seeds; for worker processes."""
    began = time.process_time()
    stratum_of: dict[str, dict[str, str]] = {}
    for (task, stratum), codes in available(files).items():
        stratum_of.setdefault(task, {}).update(dict.fromkeys(codes, stratum))
    drawn: dict[str, Counter[str]] = {task: Counter() for task in stratum_of}
    together, apart = [], []
    for number in seeds:
        seed = number.to_bytes(32, "big")
        picks = draw_under(files, seed)
        for task, codes in picks.items():
            drawn[task].update(codes)
        together.append(carried(picks, sector_of))
        apart.append(carried(draw_under(files, seed, apart=True), sector_of))
    times: dict[tuple[str, str], dict[str, int]] = {}
    for task, strata in stratum_of.items():
        for code, stratum in strata.items():
            times.setdefault((task, stratum), {})[code] = drawn[task].pop(code, 0)
        assert not drawn[task], "drawn, and not available"
    return Redrawn(times, together, apart, time.process_time() - began)


def redraw_all(files: Mapping[str, bytes], sector_of: Mapping[str, str], seeds: int, processes: int = 2) -> Redrawn:
    step = -(-seeds // (8 * processes))
    parts = [range(start, min(start + step, seeds)) for start in range(0, seeds, step)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as workers:
        found = list(workers.map(partial(redraw, files, sector_of), parts))
    times = {where: {code: sum(one.times[where][code] for one in found) for code in codes} for where, codes in found[0].times.items()}
    return Redrawn(times, [each for one in found for each in one.together], [each for one in found for each in one.apart], sum(one.cpu for one in found))


# ---- bands ----------------------------------------------------------------------------


def binomial(draws: int, chance: float) -> list[float]:
    """P(an entry is drawn k times) for k = 0 ... draws; 0 < chance < 1."""
    return [exp(lgamma(draws + 1) - lgamma(k + 1) - lgamma(draws - k + 1) + k * log(chance) + (draws - k) * log(1 - chance)) for k in range(draws + 1)]


def band(chances: Sequence[float], outside: float) -> tuple[int, int]:
    """The least and the most times of a band with at most half of `outside` beyond either end."""
    low, total = 0, 0.0
    while (total := total + chances[low]) <= outside / 2:
        low += 1
    high, total = len(chances) - 1, 0.0
    while (total := total + chances[high]) <= outside / 2:
        high -= 1
    return low, high


@dataclass(frozen=True, slots=True)
class Inclusion:
    """How often the entries of a stratum were drawn. `inside`: share in the narrow band, `fair`: that of a fair draw."""

    entries: int
    quota: int
    mean: float
    narrow: tuple[int, int]
    inside: float
    fair: float
    wide: tuple[int, int]
    least: int
    most: int
    p: float

    @property
    def holds(self) -> bool:
        return self.wide[0] <= self.least and self.most <= self.wide[1] and LOW < self.p < HIGH


def inclusion(times: Sequence[int], draws: int) -> Inclusion:
    """Of a stratum whose every draw takes equally many: any other sum is an error, ValueError."""
    entries, total = len(times), sum(times)
    if total % draws:
        raise ValueError("the draws did not all take the same number")
    quota = total // draws
    chances = binomial(draws, quota / entries)
    narrow, wide = band(chances, NARROW), band(chances, WIDE / entries)
    inside = sum(narrow[0] <= one <= narrow[1] for one in times) / entries
    fair = sum(chances[narrow[0] : narrow[1] + 1])
    return Inclusion(entries, quota, total / entries, narrow, inside, fair, wide, min(times), max(times), of_counts(times, draws, quota))


# ---- tables ---------------------------------------------------------------------------


def tell_round(walked: Walked) -> dict[str, list[str]]:
    outcome = draw_round(walked.files)
    entries = {task["task"]: task for task in outcome.round["tasks"]}
    picks = {task: drawn_of(entry["strata"]) for task, entry in outcome.result.items()}
    # What is drawn again below is drawn as the round was: under the round's own seed it is the round.
    assert draw_under(walked.files, outcome.seed) == picks
    print(f"\n{outcome.round['round']}, {outcome.round['disclosure']}, {outcome.label}\n")
    print(head("task", "sector", "ratio", "pool", "excluded", "drawn"))
    for (task, codes), ratio in zip(picks.items(), TASKS.values(), strict=True):
        free = sum(one["available"] for one in outcome.result[task]["strata"].values())
        print(row(task, walked.names[task][1], ratio, entries[task]["pool_size"], entries[task]["pool_size"] - free, len(codes)))
    print(row("all", "", "", "", "", sum(map(len, picks.values()))))
    together, apart = carried(picks, sectors_of(walked)), carried(draw_under(walked.files, outcome.seed, apart=True), sectors_of(walked))
    assert dict(sorted(together.items())) == walked.summary["sizes"], "the step combined something else"
    tell_visits("the round", [together], [apart], sum(map(len, picks.values())))
    return picks


def sectors_of(walked: Walked) -> dict[str, str]:
    return {task: sector for task, (sector, _) in walked.names.items()}


def tell_visits(what: str, together: Sequence[Counter[int]], apart: Sequence[Counter[int]], picks: int) -> None:
    """Visits by the number of sectors they carry; over several draws the mean (least to most)."""
    most = range(1, len(TASKS) + 1)
    print(f"\n{head(what, 'picks', 'visits', *(f'{n} sectors' for n in most), 'fewer than picks')}")
    for name, found in (("one ticket for all tasks", together), ("tickets of each task's own", apart)):
        visits = [one.total() for one in found]
        saved = 100 - 100 * sum(visits) / (picks * len(visits))
        print(row(name, picks, _spread(visits), *(_spread([one[n] for one in found]) for n in most), f"{saved:.1f} %"))
    mean = [sum(one.total() for one in found) for found in (together, apart)]
    print(f"\nOne ticket for all tasks saves {100 - 100 * mean[0] / mean[1]:.1f} % of the visits that tickets of each task's own would need.")


def _spread(values: Sequence[int]) -> int | str:
    return values[0] if len(values) == 1 else f"{sum(values) / len(values):,.1f} ({min(values):,} to {max(values):,})"


def tell_inclusion(names: Mapping[str, tuple[str, str]], redrawn: Redrawn) -> bool:
    draws = len(redrawn.together)
    print(f"\n{head('task', 'stratum', 'N', 'n', f'times drawn in {draws:,}: mean', f'{1 - NARROW:.0%} band', 'inside', 'if fair', 'least', 'most', 'band of all', 'chi-square p', 'holds')}")
    held = True
    for (task, stratum), codes in redrawn.times.items():
        one = inclusion(list(codes.values()), draws)
        # The mean is n/N of the draws to the last digit: every draw takes n, which inclusion() has made sure of.
        print(row(
            f"{task} {names[task][1]}", stratum, one.entries, one.quota, f"{one.mean:.3f}", "{} to {}".format(*one.narrow), f"{one.inside:.3%}", f"{one.fair:.3%}",
            one.least, one.most, "{} to {}".format(*one.wide), f"{one.p:.4f}", "yes" if one.holds else "NO",
        ))  # fmt: skip
        held &= one.holds
    return held


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--engine", choices=[*office.ENGINES, "both"], default="both")
    parser.add_argument("--limit", type=int, default=0, help="only so many companies")
    parser.add_argument("--seeds", type=int, default=2_000)
    args = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="mingcha-six-"))
    walks: dict[str, Walked] = {}
    cluster.own()
    try:
        for kind in office.ENGINES if args.engine == "both" else (args.engine,):
            if kind == "postgres" and (why := cluster.missing()):
                sys.exit(why)
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                walks[kind] = process.submit(walk, base / kind, kind, args.file, args.limit).result()
    finally:
        cluster.disown()
        shutil.rmtree(base, ignore_errors=True)
    first = next(iter(walks.values()))
    picks = tell_round(first)
    redrawn = redraw_all(first.files, sectors_of(first), args.seeds)
    tell_visits(f"{args.seeds:,} seeds", redrawn.together, redrawn.apart, sum(map(len, picks.values())))
    held = tell_inclusion(first.names, redrawn)
    print(f"\n{args.seeds:,} seeds, drawn both ways: {redrawn.cpu:.0f} seconds of processor time.\n")
    print(head("seconds (of the process's own processor time)", *walks))
    for name in first.seconds:
        print(row(name, *("{:.1f} ({:.1f})".format(*one.seconds[name]) for one in walks.values())))
    if len(walks) == 2:
        one, other = walks.values()
        same = one.files == other.files and one.summary == other.summary
        print(f"\nBoth engines: {len(one.files)} files of the round, {'the same bytes' if same else 'NOT the same'}.")
        held &= same
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())

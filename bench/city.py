"""A sample city of two counties through plan, simulation, three rounds and tracking (tests/city_walk.py), in Markdown.

    python -m bench.city [--entities 60000] [--seed 1] [--runs 11] [--engine sqlite|postgres|both] [--site] [--all]

The real steps and store, the simulated clock, made-up chance: the same twice. `--site` builds the public site at each
release, with a stand-in for the PDFs; without it releases are noted and the bundle is written once, at the end.
`--all` prints every figure of the simulation, also those by station. Of `runs` runs the range holds an outcome with
(runs - 1) / (runs + 1), so of the figures that vary one in six is outside with 11 runs; which side, and by how much,
tells whether the simulation is wrong. Each engine runs in a process of its own: seconds and peak memory are its. The digest says whether
two runs of one engine each came to the same.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from bench.plan_tables import head, row
from portal.domain.tracking import LIGHTS, RowProgress
from portal.jobs import release_site
from portal.steps import disclosure, simulation
from portal.store import engine, keys, passwords
from tests import city_walk, cluster, office
from tests.cli.command import FakePrinter


@dataclass(frozen=True, slots=True)
class Walked:
    """What a process brings back. `files`: path in the bundle -> digest."""

    simulated: Mapping[str, Any]
    outcome: Mapping[tuple[str, ...], int]
    load: Mapping[str, list[int]]
    year: Any
    spent: Mapping[str, tuple[float, float, int]]
    files: Mapping[str, str]
    said: Mapping[str, Any]


async def _site(city: city_walk.City, login: str) -> Mapping[str, Any]:
    return await release_site(await city.acting(login), city.house.settings, None, FakePrinter())


async def _walk(folder: Path, kind: str, args: argparse.Namespace) -> Walked:
    try:
        release = _site if args.site else city_walk.note_only
        city = await city_walk.take(folder, kind, entities=args.entities, seed=args.seed, runs=args.runs, release=release)
        bundle = folder / "bundle"
        with city.part("bundle"):
            await disclosure.write_bundle(await city.acting("publisher"), bundle, demo=True)
    finally:
        await engine.close_engine()
    outcome, load = city_walk.outcome_of(folder)
    files = {place.relative_to(bundle).as_posix(): hashlib.sha256(place.read_bytes()).hexdigest() for place in sorted(bundle.rglob("*")) if place.is_file()}
    return Walked(city.said["simulation"], outcome, load, city.said["year"], city.spent, files, {name: one for name, one in city.said.items() if name[0] in "va"})


def walk(folder: Path, kind: str, args: argparse.Namespace) -> Walked:
    keys._SCRYPT["n"] = 16  # as in the tests: what passphrases cost by design is not what is measured
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return asyncio.run(_walk(folder, kind, args))


# What came of it ------------------------------------------------------------------


def tell(walked: Walked, every: bool) -> None:
    names = walked.simulated["tasks"]
    print("\n## Simulation against outcome\n")
    print(head("figure", "median", "least", "most", "outcome", "inside?"))
    varied = outside = 0
    for path, spread in walked.simulated["figures"].items():
        parts = tuple(path.split("/"))
        got = walked.outcome.get(parts)
        inside = got is not None and spread[1] <= got <= spread[2]
        if got is not None:
            varied += spread[1] != spread[2]
            outside += not inside
        if every or parts[0] != "station":
            print(row(_label(parts, names), *spread, "—" if got is None else got, "—" if got is None else "yes" if inside else "no"))
    for month in sorted(walked.simulated["load"].keys() | walked.load.keys()):
        spread, got = walked.simulated["load"].get(month, [0, 0, 0]), walked.load.get(month, [0, 0, 0])
        print(row(f"slots of an inspector in {month}", *spread, f"{got[0]} ({got[1]} to {got[2]})", "yes" if spread[1] <= got[1] and got[2] <= spread[2] else "no"))
    only = walked.outcome.keys() - {tuple(path.split("/")) for path in walked.simulated["figures"]}
    print(f"\n{varied} figures vary from run to run; {outside} of all {len(walked.simulated['figures'])} are outside. ", end="")
    print(f"In the outcome alone: {', '.join('/'.join(one) for one in sorted(only)) or 'none'}.")


def _label(parts: tuple[str, ...], names: Mapping[str, str]) -> str:
    if parts in simulation.LABELS:
        return f"{'/'.join(parts)} {simulation.LABELS[parts]}"
    return "/".join(parts[:1] + tuple(f"{one[-4:]} {names[one]}" if one in names else one for one in parts[1:]))


def track(year: Any) -> None:
    print("\n## Tracking\n")
    print(head("row", "task", "light", "checked", "on time", "published", "followed up"))
    for one in year.rows:
        progress: RowProgress = one
        print(row(progress.row.row, progress.row.name, LIGHTS[progress.light], *map(_share, (progress.done, progress.on_time, progress.published, progress.followed))))
    print(row("", "all", "", *map(_share, (year.done, year.on_time, year.published, year.followed))))
    print(f"\nTasks finished on time {_share(year.rows_on_time)}; differentiated {_share(year.differentiated)}, target {year.target} ppm; {len(year.urged)} reminders.")
    for one in year.urged[:8]:
        print(f"- {one.sentence}")
    for one in year.reached:
        print(f"- {one}")


def _share(part: Any) -> str:
    return f"{part.part:,}/{part.whole:,}" + (f" ({part.part * 1000 // part.whole / 10} %)" if part.whole else "")


def spend(walks: Mapping[str, Walked]) -> None:
    print("\n## Seconds (of the process's own processor time), peak memory\n")
    print(head("step", *walks))
    for name in next(iter(walks.values())).spent:
        print(row(name, *(f"{one.spent[name][0]:.1f} ({one.spent[name][1]:.1f}), {one.spent[name][2]} MB" for one in walks.values())))
    print(row("all", *(f"{sum(s for s, _, _ in one.spent.values()):.1f} ({sum(p for _, p, _ in one.spent.values()):.1f}), {max(m for *_, m in one.spent.values())} MB" for one in walks.values())))


def compare(walks: Mapping[str, Walked]) -> None:
    one, other = walks.values()
    differ = [path for path in one.files.keys() | other.files.keys() if one.files.get(path) != other.files.get(path)]
    same = "the same" if (one.outcome, one.load, one.simulated) == (other.outcome, other.load, other.simulated) else "NOT the same"
    print(f"\nBoth engines: {len(one.files)} files of the bundle, {len(differ)} differ{': ' + ', '.join(sorted(differ)[:5]) if differ else ''}; simulation and outcome {same}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--engine", choices=[*office.ENGINES, "both"], default="both")
    parser.add_argument("--site", action="store_true")
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="mingcha-city-"))
    walks = {}
    cluster.own()
    try:
        for kind in office.ENGINES if args.engine == "both" else (args.engine,):
            if kind == "postgres" and (why := cluster.missing()):
                sys.exit(why)
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                walks[kind] = process.submit(walk, base / kind, kind, args).result()
        first = next(iter(walks.values()))
        digest = hashlib.sha256(repr((sorted(first.files.items()), sorted(first.outcome.items()), first.load, first.simulated["figures"])).encode()).hexdigest()
        print(f"{args.entities:,} generated entries, seed {args.seed}, {args.runs} runs of the simulation; digest of bundle, outcome and simulation {digest}")
        tell(first, args.all)
        track(first.year)
        spend(walks)
        if len(walks) == 2:
            compare(walks)
    finally:
        cluster.disown()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()

"""The real-input walk of tests/real_walk.py as a table in Markdown: what went in, what came of every row, what it took.

    python -m bench.real_walk [--engine sqlite|postgres|both] [--paper] [--keep DIR]

The shared data are those of the tests (MINGCHA_SHARED, or ../shared). `--paper` prints every PDF, which takes a
minute more on an engine; without it a stand-in gives a few bytes for each. `--keep` leaves the installations in a
folder, to be looked at; PostgreSQL's database is gone with the server.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from argon2 import PasswordHasher

from portal.prints.render import Printer
from portal.store import keys, passwords
from tests import cluster, office, real_walk
from tests.cli.command import FakePrinter
from tests.real_walk import CLASSED, INSTANT, OPEN, SEALED, Walk
from tests.shared import SHARED


def row(*cells: object) -> None:
    print("| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |")


def head(*cells: str) -> None:
    print()
    row(*cells)
    print("|" + "---|" * len(cells))


def tell(walk: Walk) -> None:
    """What is the same on both engines."""
    count = lambda said, label: real_walk.count_of(walk, said, label)  # noqa: E731
    head("plan file", "rows in the file", "task", "rides on a task", "待模块", "named problems")
    for n, (name, numbers, rows) in enumerate(real_walk.plan_rows(walk)):
        states = Counter(one["state"] for one in rows)
        named = walk.said[f"plan {n}"].count("  提示　第 ")
        row("jinjiang_style_2024 with a row more, for 2026" if name == "next_plan" else name, len(numbers), states["task"], states["rider"], states["pending"], named)
    head("register", "")
    row("companies of 350582 in the file, read", count("entities", "读入"))
    for label in ("地址写明镇街", "按村居、旧称或名称推定", "可能属于几个所", "地址看不出"):
        row(f"station: {label}", count("assigned stations", label))
    row("inspectors read (the sample row left out)", count("inspectors", "读入"))
    for round_ in (OPEN, SEALED):
        why = Counter(why for why in real_walk.barred_inspectors(walk, round_).values() if why != "案例")
        slots = real_walk.draw_file(walk, round_, "slots.json")
        row(f"{round_}: eligible for a visit; left out", f"{len(slots['caps'])}; " + "; ".join(f"{reason} {n}" for reason, n in sorted(why.items())))
    head("round", "task", "stratum", "drawn")
    for round_ in (OPEN, SEALED):
        for task, strata in real_walk.drawn_of(walk, round_).items():
            for name, codes in strata.items():
                row(round_, task, name, len(codes))
    head("round", "picks", "visits", "avoided", "inspectors at work", "records", "results published")
    for round_ in (OPEN, SEALED):
        picks, visits, avoided = (count(f"combine {round_}", label) for label in ("抽中户次", "入企次数", "少跑"))
        records = len(real_walk.answers_of(walk, round_).splitlines())
        row(round_, picks, visits, avoided, count(f"assign {round_}", "参加人数"), records, count(f"publish {round_}", "新公示结果"))
    # One ticket for both tasks: whoever has it too high for the 1 per cent of all was drawn by a class of more than 1 per cent.
    strata = real_walk.drawn_of(walk, SEALED)
    by_class = {code for codes in strata[CLASSED].values() for code in codes} - set(strata[INSTANT]["*"])
    head("published", "")
    row("results whose items tell whoever knows the ratios that the class is not A", len(by_class))
    row("pages", count("publish again", "网页"))
    row("PDFs", count("publish again", "PDF"))
    for name in (name for name in walk.said if name.startswith("verify ")):
        lines = walk.said[name].splitlines()
        row(f"`portal verify`, {name.removeprefix('verify ')}: OK lines", sum(line.startswith("OK") for line in lines))


def compare(walks: dict[str, Walk]) -> None:
    one, other = (real_walk.files_of(walk) for walk in walks.values())
    differ = sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())
    head("both engines", "")
    row("files of bundle, draw folders and site", len(one))
    row("of them differ", differ)


def spend(walks: dict[str, Walk]) -> None:
    head("seconds (of this process's processor time)", *walks)
    for part in next(iter(walks.values())).spent:
        row(part, *(f"{walk.spent[part][0]:.1f} ({walk.spent[part][1]:.1f})" for walk in walks.values()))
    row("all", *(f"{sum(s for s, _ in walk.spent.values()):.1f} ({sum(p for _, p in walk.spent.values()):.1f})" for walk in walks.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=[*office.ENGINES, "both"], default="both")
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    args = parser.parse_args()
    keys._SCRYPT["n"] = 16  # as in the tests: what passphrases cost by design is not what is measured
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    base = args.keep or Path(tempfile.mkdtemp(prefix="mingcha-walk-"))
    walks = {}
    cluster.own()
    try:
        for kind in office.ENGINES if args.engine == "both" else (args.engine,):
            if kind == "postgres" and (why := cluster.missing()):
                sys.exit(why)
            (base / kind).mkdir(parents=True)
            walks[kind] = real_walk.take(base / kind, kind, lambda name: SHARED / "data" / name, Printer if args.paper else FakePrinter)
        tell(next(iter(walks.values())))
        if len(walks) == 2:
            compare(walks)
        spend(walks)
    finally:
        cluster.disown()
        if not args.keep:
            shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()

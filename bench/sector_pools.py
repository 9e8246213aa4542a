"""Whom each installed sector would draw from a real register: the size of every pool and ten members to be read for sense.

    python -m bench.sector_pools SHARED [--sector pricing] [--show 10] [--seed 1]

The Fujian register (55,486 companies) has neither industry codes nor tags nor special registers, so a rule
meets it by its `scope` phrases alone; a rule of tags or registers alone draws nobody here and says so. A line
shows the clause of the scope that a phrase was found in. A rule of several items is printed once.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from portal.domain.model import PoolRule, Task
from portal.domain.scope import clause_of, meets
from portal.plugins import Sectors, discover_sectors

REGISTER = "data/enterprises/fujian_1978_2004.csv.gz"


def read_register(shared: Path) -> list[tuple[str, str]]:
    """(name, scope) of every company."""
    with gzip.open(shared / REGISTER, "rt", encoding="utf-8") as stream:
        return [(row["name"], row["scope"]) for row in csv.DictReader(stream)]


def rules_of(sectors: Sectors, sector: str) -> Iterator[tuple[list[str], PoolRule | None]]:
    """(names of items, their rule); items of one rule together."""
    named: list[tuple[list[str], PoolRule | None]] = []
    for item in {one.code: one for one in sectors.items if one.code.startswith(f"{sector}.")}.values():
        day = date(2026, 3, 2)
        rule = sectors.pool_rule(Task("bench", item.name, sector, (item.code,), (day, day), day))
        same = next((names for names, known in named if known == rule), None)
        if same is None:
            named.append(([item.name], rule))
        else:
            same.append(item.name)
    yield from named


def why_empty(rule: PoolRule) -> str:
    if "entity" not in rule.kinds and rule.kinds:
        return f"对象是 {'、'.join(rule.kinds)}，名录要先导入"
    return "按监管标签、专项库抽取，名录要先标注" if not rule.scope else "没有命中"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sector_pools", description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--sector", help="only this one")
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    register, sectors = read_register(args.shared), discover_sectors()
    print(f"{len(register):,} companies")
    for code, sector in sectors.sectors.items():
        if args.sector not in (None, code):
            continue
        for names, rule in rules_of(sectors, code):
            began = time.process_time()
            judged = PoolRule() if rule is None else rule
            pool = [one for one in register if "entity" in (judged.kinds or ("entity",)) and meets(judged, (), one[1], (), ())]
            spent = time.process_time() - began
            print(f"\n{sector.name}（{code}）　{'；'.join(names)}\n  {len(pool):,} of {len(register):,}, {spent:.2f} s")
            if not pool:
                print(f"  {why_empty(judged)}")
            for name, scope in random.Random(args.seed).sample(pool, min(args.show, len(pool))):
                found = clause_of(scope, judged.scope) if judged.scope else scope
                print(f"  - {name}　{found[:70]}")


if __name__ == "__main__":
    main()

"""Two tables about plans, in Markdown: a real register under caps, and a simulated year against the year itself.

    python -m bench.plan_tables register FILE.csv.gz     columns: name, uscc, scope, city (the shared Fujian register)
    python -m bench.plan_tables city [--entities 60000] [--runs 11]

`register`: six tasks by words of the business scope, classes from a seeded rule (no real class is known or made up
to look like one), a history of earlier visits and the sample profile's caps: pools, exclusions by rule, picks, visits.
`city`: a sample city of two counties; three rounds are simulated under throw-away seeds, then drawn with other
ones as the real rounds would be. Of `runs` runs the range holds such an outcome with (runs - 1) / (runs + 1): 11 runs,
five times in six; what counts is how far outside it is.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from portal.domain.caps import Event, find_refusals
from portal.domain.pool import format_pool
from portal.domain.profile import read_profile
from portal.domain.sample import sample_entities
from portal.domain.sample_profile import sample_profile
from portal.domain.simulation import Ground, PlannedRound, PlannedTask, simulate_once, summarise
from portal.domain.visits import Place

CLASSES = (("A", 55), ("B", 30), ("C", 11), ("D", 4))  # per cent of a register, by a hash of the code
RATIOS = {"A": {"ppm": 10_000}, "B": {"ppm": 30_000}, "C": {"ppm": 100_000}, "D": {"ppm": 300_000}}
OVERALL = {"*": {"ppm": 35_000}}
#: task, item, words of the business scope (any), by class?
SCOPES = (
    ("食品销售", "food_sales.daily", ("食品销售", "预包装食品", "副食"), True),
    ("餐饮服务", "catering.daily", ("餐饮", "饭店", "酒楼"), True),
    ("工业产品", "product_quality.daily", ("制造", "生产", "加工"), True),
    ("广告经营", "advertising.daily", ("广告",), False),
    ("网络交易", "online_trade.daily", ("互联网", "网上", "电子商务"), False),
    ("公示信息", "annual_reports.annual", ("",), False),
)
DAYS = tuple(date(2026, 6, 1) + timedelta(n) for n in range(30) if (date(2026, 6, 1) + timedelta(n)).weekday() < 5)


def part_of(code: str, label: str) -> int:
    """A number from 0 to 99 that only code and label decide."""
    return int.from_bytes(hashlib.sha256(f"bench {label} {code}".encode()).digest()[:8], "big") % 100


def class_of(code: str) -> str:
    left = part_of(code, "class")
    for name, share in CLASSES:
        if left < share:
            return name
        left -= share
    raise AssertionError("the shares make a hundred")


def row(*cells: object) -> str:
    return "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |"


def head(*cells: str) -> str:
    return row(*cells) + "\n|" + "---|" * len(cells)


# ---- a real register ------------------------------------------------------------------


def history_of(code: str) -> list[Event]:
    """Earlier visits of the year of about a quarter of the register, by a hash of the code."""
    events = []
    for n, (_, item, _, _) in enumerate(SCOPES):
        if part_of(code, f"visited {item}") < 4:
            level = "city" if part_of(code, f"level {item}") < 30 else "county"
            bureau = "350500" if level == "city" else "350582"
            events.append(Event(date(2026, 3 + n % 3, 10), item, item.split(".")[0], bureau, level, f"V{n}"))
    return events


def register(file: str) -> None:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        entities = {one["uscc"]: one for one in csv.DictReader(lines)}
    rules = read_profile(sample_profile()).rules_on(DAYS[0])
    histories = {code: events for code in entities if (events := history_of(code))}
    places = {code: Place(code, code, "", one["city"], "") for code, one in entities.items()}
    tasks = []
    print(f"{len(entities):,} enterprises, {len(histories):,} of them visited earlier in the year by the seeded rule\n")
    print(head("task", "pool", *(f"class {name}" for name, _ in CLASSES), "same item this year", "bureau's cap", "upper level, 3 months", "picks"))
    for name, item, words, by_class in SCOPES:
        pool = [code for code, one in entities.items() if any(word in one["scope"] for word in words)]
        strata = {code: class_of(code) if by_class else "*" for code in pool}
        task = PlannedTask(item.split(".")[0], item, format_pool((code, strata[code], 1) for code in pool), RATIOS if by_class else OVERALL)
        tasks.append(task)
        would = Event(DAYS[0], item, item.split(".")[0], "350582", "county")
        removed = Counter(refused.rule for refused in find_refusals(rules, pool, histories, would).values())
        sizes = Counter(map(class_of, pool))
        ground = Ground("350582", "county", places, rules=rules, histories=histories)
        drawn = simulate_once([PlannedRound("R", (task,), DAYS)], ground, 1, 0)["picks",]
        print(row(name, len(pool), *(sizes[one] for one, _ in CLASSES), *(removed.get(rule, 0) for rule in ("item_year", "bureau_year", "upper")), drawn))
    ground = Ground("350582", "county", places, rules=rules, histories=histories)
    found = simulate_once([PlannedRound("R", tuple(tasks), DAYS)], ground, 1, 0)
    print()
    print(head("all six in one round", ""))
    for label, path in (("picks", ("picks",)), ("visits, each task its own tickets", ("visits", "uncoordinated")), ("visits, coordinated", ("visits", "coordinated"))):
        print(row(label, found[path]))
    print(row("visits avoided (picks less visits)", found["picks",] - found["visits", "coordinated"]))
    print(row("picks not dispatched", sum(count for path, count in found.items() if path[:2] == ("cap", "dispatch"))))


# ---- a sample city --------------------------------------------------------------------


def city(entities: int, runs: int) -> None:
    began = time.monotonic()
    codes = {one.code: one for one in sample_entities(entities, 1) if one.status == "存续" and one.kind == "entity"}
    county = {code: f"3599{21 + part_of(code, 'county') % 2}" for code in codes}
    places = {code: Place(code, one.holder, one.site, f"{county[code]}-{one.station}", one.town) for code, one in codes.items()}
    profile = read_profile(sample_profile())
    rounds = tuple(_rounds(codes, county))
    ground = Ground("359900", "city", places, rules=replace(profile.rules_on(DAYS[0]), pauses=()))
    figures = [simulate_once(rounds, ground, 20260101, run) for run in range(runs)]
    found = summarise(figures)
    outcome = simulate_once(rounds, ground, 20261231, 999)  # other seeds: what the rounds themselves would draw
    print(f"{len(codes):,} entities in existence, two counties, three rounds, {runs} runs\n")
    print(head("figure", "median", "least", "most", "outcome", "within"))
    for path in _shown(found):
        spread = found[path]
        got = outcome.get(path, 0)
        print(row("/".join(path), spread.median, spread.least, spread.most, got, "yes" if spread.least <= got <= spread.most else "no"))
    print(f"\n{(time.monotonic() - began):.0f} s in all", file=sys.stderr)


def _rounds(codes: Mapping[str, object], county: Mapping[str, str]) -> Iterator[PlannedRound]:
    months = (date(2026, 4, 1), date(2026, 6, 1), date(2026, 9, 1))
    kinds: Sequence[tuple[str, str, Mapping[str, Mapping[str, int]], int]] = (
        ("annual_reports", "annual_reports.annual", OVERALL, 100), ("instant", "annual_reports.instant", RATIOS, 100),
        ("food_sales", "food_sales.daily", RATIOS, 20), ("catering", "catering.daily", OVERALL, 15), ("metrology", "metrology.scales", OVERALL, 5),
    )  # fmt: skip
    for n, first in enumerate(months):
        days = tuple(day for day in (first + timedelta(k) for k in range(25)) if day.weekday() < 5)
        tasks = []
        for name, item, quota, share in kinds[: 5 - n]:
            for where in ("359921", "359922"):
                pool = [code for code in codes if county[code] == where and part_of(code, item) < share]
                lines = format_pool((code, "*" if quota is OVERALL else class_of(code), 1) for code in pool)
                tasks.append(PlannedTask(f"{where}-{name}", item, lines, quota, riders=("registration.licence",) if n == 0 else ()))
        yield PlannedRound(f"R{n + 1}", tuple(tasks), days)


def _shown(found: Mapping[tuple[str, ...], object]) -> list[tuple[str, ...]]:
    first = [("picks",), ("distinct",), ("rider_checks",), ("visits", "separate"), ("visits", "uncoordinated"), ("visits", "coordinated")]
    return [path for path in first if path in found] + [path for path in found if path[0] in ("cap", "short")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("register").add_argument("file")
    whole = parts.add_parser("city")
    whole.add_argument("--entities", type=int, default=60_000)
    whole.add_argument("--runs", type=int, default=11)
    args = parser.parse_args()
    if args.part == "register":
        register(args.file)
    else:
        city(args.entities, args.runs)


if __name__ == "__main__":
    main()

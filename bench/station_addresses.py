"""How many real addresses find their station, and how often what they say disagrees.

    python -m bench.station_addresses SHARED [--region 350582] [--show 60 --seed 1]

One station a street of the region. The village table is that of Jinjiang (350582). Prints the table of
confidences, where town and village of one address disagree, where the villages lie that stand behind the name of a street
without 街道 (青阳) or of the town it was (青阳镇), the time an address takes, and a sample to read.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import time
from collections import Counter
from pathlib import Path

from portal.domain import stations
from portal.domain.codes import region_of
from portal.domain.coverage import Coverage, StationTable, make_table
from portal.domain.stations import Match, find_station


def read_table(shared: Path, region: str) -> StationTable:
    divisions = shared / "data" / "divisions"
    with gzip.open(divisions / "streets.csv.gz", "rt", encoding="utf-8") as stream:
        streets = [(row["code"], row["name"]) for row in csv.DictReader(stream) if row["areaCode"] == region]
    with (divisions / "villages_jinjiang.csv").open(encoding="utf-8") as stream:
        villages = [(row["name"], row["streetCode"]) for row in csv.DictReader(stream) if row["areaCode"] == region]
    return make_table(region, streets, villages, [Coverage(name, code) for code, name in streets])


def read_companies(shared: Path, region: str) -> list[tuple[str, str]]:
    with gzip.open(shared / "data" / "enterprises" / "fujian_1978_2004.csv.gz", "rt", encoding="utf-8") as stream:
        return [(row["address"], row["name"]) for row in csv.DictReader(stream) if region_of(row["uscc"]) == region]


def compare(table: StationTable, address: str) -> tuple[str, str] | None:
    """(town, village's town) where an address names both, each by one reading only and the village with its suffix."""
    text = "".join(address.split())
    hits = stations.find_places(table, text, table.before.match(text).end())
    towns = {p.street for hit in hits for p in hit.places if not p.village and (p.kind == "name" or hit.leading)}
    villages = [{p.street for p in hit.places if p.village and p.kind == "name"} for hit in hits]
    villages = [one for one in villages if one]
    if len(towns) != 1 or len(villages) != 1:
        return None
    (town,) = towns
    return town, town if town in villages[0] else sorted(villages[0])[0]


def former(table: StationTable, address: str) -> tuple[str, str, str] | None:
    """(the text, its street, the street of the village behind it or "") where an address leads with a street's bare name or the town it was."""
    text = "".join(address.split())
    hits = stations.find_places(table, text, table.before.match(text).end())
    for hit in hits:
        streets = {p.street for p in hit.places if not p.village}
        if not streets or not hit.leading:
            continue
        if len(streets) != 1 or any(p.kind not in ("bare", "town") for p in hit.places if not p.village):
            return None
        (street,) = streets
        behind = [{p.street for p in one.places if p.village} for one in hits if one.at >= hit.end and any(p.village for p in one.places)]
        if not table.streets[street].endswith("街道") or (behind and len(behind[0]) != 1):
            return None
        return hit.text, street, next(iter(behind[0])) if behind else ""
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--region", default="350582")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    table, companies = read_table(args.shared, args.region), read_companies(args.shared, args.region)
    start = time.process_time()
    matches: list[Match] = [find_station(table, address, name) for address, name in companies]
    spent = time.process_time() - start
    counts = Counter(match.confidence for match in matches)
    print(f"{len(companies):,} companies of {args.region}, {len(table.streets)} stations, {spent / len(companies) * 1e6:.0f} µs an address")
    for confidence in stations.CONFIDENCES:
        print(f"  {confidence:<10}{counts[confidence]:>6,}  {counts[confidence] / len(companies):7.2%}")
    print(f"  with a station, no person asked: {counts['sure'] + counts['likely']:,}")
    both = [(one, address) for address, _ in companies if (one := compare(table, address))]
    differ = [(one, address) for one, address in both if one[0] != one[1]]
    print(f"town and village both written: {len(both):,}, they disagree in {len(differ):,} ({len(differ) / max(len(both), 1):.2%})")
    for (town, other), address in differ:
        print(f"  {address}　{table.streets[town]} / {table.streets[other]}")
    names: dict[str, Counter[str]] = {}
    for address, _ in companies:
        if one := former(table, address):
            text, street, other = one
            names.setdefault(text, Counter())["own" if other == street else "other" if other else "alone"] += 1
    print("names of streets without 街道, and of the towns they were: the village behind them lies in the street, in another, is not written")
    for text, seen in sorted(names.items(), key=lambda pair: (-pair[1].total(), pair[0])):
        print(f"  {text}　{seen['own']} / {seen['other']} / {seen['alone']}")
    chosen = random.Random(args.seed).sample(range(len(companies)), min(args.show, len(companies)))
    for n in chosen:
        (address, name), match = companies[n], matches[n]
        print(f"  {match.confidence}　{match.station or '-'}　{address}　({name})　{match.why}")


if __name__ == "__main__":
    main()

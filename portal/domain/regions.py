"""Regions (GB/T 2260): the name of a 6-digit code, when it was in force, and what became of it.

A code of a registered entity keeps the region it was registered in, so abolished
codes are normal. A region that no table has is worth a look, never an error:
development zones register under numbers of their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cache

from portal.domain.region_table import CURRENT, PAST

__all__ = ["Region", "check_region", "full_name", "region_of_code", "region_on", "successor", "table"]

#: Names that say only what stands below them.
_HEADINGS = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")
_NATIONAL = "100000"  # registered by the national authority itself
_PART = re.compile(r"(\d\d)?([^\d>-]+)(\d{6})?(?:-(\d{6}))?(?:>(\d{6}))?")


@dataclass(frozen=True, slots=True)
class Region:
    """`first`: month (YYYYMM) of the first table that has the code, "" where the oldest (1980) has it.

    `gone`: month of the first table without it, "" while in force; the change fell into the
    months before. `successor`: the code that has its name or took it in, "" where unknown.
    """

    code: str
    name: str
    first: str = ""
    gone: str = ""
    successor: str = ""


@cache
def table() -> dict[str, Region]:
    """Every code known, in force or not."""
    found: dict[str, Region] = {}
    for text in (PAST, CURRENT):
        for line in text.splitlines():
            city, *parts = line.split(" ")
            for part in parts:
                match = _PART.fullmatch(part)
                assert match, part
                code = city + (match[1] or "00")
                found[code] = Region(code, match[2], match[3] or "", match[4] or "", match[5] or "")
    return found


def region_of_code(code: str) -> Region | None:
    """The region of a 6-digit code, in force or past; None where no table has it.

    `XXXX01` of a city that is in the table is its 市辖区, the city's own registrar.
    """
    if code == _NATIONAL:
        return Region(code, "国家")
    known = table().get(code)
    if known is None and code[4:] == "01" and code[2:4] != "00" and f"{code[:4]}00" in table():
        city = table()[f"{code[:4]}00"]
        return Region(code, "市辖区", city.first, city.gone, "")
    return known


def region_on(code: str, day: date) -> Region | None:
    """The region if its code was in force on a day, as far as the tables tell: from the month of the first table
    that has it until the last day of the month before the first that has not."""
    found = region_of_code(code)
    month = f"{day:%Y%m}"
    return found if found and found.first <= month and (not found.gone or month < found.gone) else None


def successor(code: str) -> str:
    """The code in force today for a code of any time: itself, what became of it, or "" where that is not known."""
    for _ in range(9):  # no chain is longer than three; a circle in the data ends here
        found = region_of_code(code)
        if found is None or not found.gone:
            return code if found else ""
        code = found.successor
    return ""


def full_name(code: str) -> str:
    """省, 市 and 县 one after the other (福建省泉州市晋江市), "" where the code is unknown."""
    own = region_of_code(code)
    if own is None or code == _NATIONAL:
        return own.name if own else ""
    above = [table().get(f"{code[:n]:0<6}") for n in (2, 4) if code[n:].strip("0")]
    names = [one.name for one in (*above, own) if one and one.name not in _HEADINGS]
    return "".join(dict.fromkeys(names)) or own.name


def check_region(code: str, own: Collection[str] = ()) -> str:
    """What is noteworthy of the registering region: a sentence where no table has it, else "". `own`: the bureau's."""
    if not code or code in own or region_of_code(code):
        return ""
    city = table().get(f"{code[:4]}00")
    if city and code[4:] >= "70":
        return f"区划代码 {code} 不在区划表中，可能是{full_name(city.code)}的开发区等登记机关自编的代码。"
    where = f"{full_name(city.code)}没有这个县级代码" if city else "前四位也不是任何地级代码"
    return f"区划代码 {code} 不在区划表中（{where}），请与营业执照核对。"

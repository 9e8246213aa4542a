"""What each station covers, and every form its places are written in: what `stations` reads addresses with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from portal.domain import regions
from portal.domain.errors import BadInput, Problem

__all__ = ["OPENING", "Coverage", "Place", "StationTable", "bare_street", "is_town", "make_table", "plain_village"]

_STREET_ENDS = ("街道办事处", "街道办", "街道", "办事处", "镇", "乡", "公社")
_ZONE_ENDS = ("综合开发区", "工业综合开发区", "经济综合开发区")
_TOWN = re.compile(r"(?:街道|镇|乡)$")
_VILLAGE_END = re.compile(r"(?:虚拟)?(?:社区|行政)?(?:居民委员会|村民委员会|居委会|村委会|生活区|社区|村)$")
_PEOPLE = re.compile(r"(?:回|畲|满|蒙古|壮|土家|苗|瑶|侗|彝|藏|朝鲜|维吾尔)族$")
#: names too common to say anything without 村 or 社区 behind them
_COMMON = re.compile(r"第?[一二三四五六七八九十]+|开发区|工业区|新[街村城区]|城[关中东西南北]|中心|[东西南北]街|车站|农场|林场")

#: what may stand before a place without belonging to it
OPENING = "([,，、;；:：/·-"


@dataclass(frozen=True, slots=True)
class Coverage:
    """One line of what a station covers: a street or town by name or 9-digit code, all of it or only `villages`.

    `old_names`: what the place was called before (青阳镇); one old name may be listed for several streets.
    """

    station: str
    street: str
    villages: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A place behind a written form. `village`: "" for the street itself. `kind`: name | old | bare | town.

    town: a street called the town it was made from (青阳镇), which may have become several streets.
    """

    street: str
    village: str
    kind: str


@dataclass(frozen=True, slots=True)
class StationTable:
    """Made by `make_table`. `forms`: written form -> places; `lengths`: first two characters -> lengths of the forms."""

    region: str
    before: re.Pattern[str]
    outside: re.Pattern[str]
    forms: Mapping[str, tuple[Place, ...]]
    lengths: Mapping[str, tuple[int, ...]]
    streets: Mapping[str, str]
    covered: Mapping[tuple[str, str], tuple[str, ...]]


def bare_street(name: str) -> str:
    """A street or town without its suffix (陈埭镇 -> 陈埭); zones keep theirs."""
    return _TOWN.sub("", name) if _TOWN.search(name) and len(_TOWN.sub("", name)) >= 2 else name


def is_town(name: str) -> bool:
    """Whether a division is a street, town or township (a zone is none)."""
    return _TOWN.search(name) is not None


def plain_village(name: str) -> str:
    """A village or community without its suffix: 岸兜回族村委会 -> 岸兜, 青新社区居委会 -> 青新, 霞村村委会 -> 霞村."""
    plain = _VILLAGE_END.sub("", name)
    plain = _PEOPLE.sub("", plain) if len(plain) > 3 else plain
    return plain if len(plain) >= 2 else name


def make_table(
    region: str, streets: Iterable[tuple[str, str]], villages: Iterable[tuple[str, str]], coverage: Sequence[Coverage],
    county: str = "",
) -> StationTable:  # fmt: skip
    """The table of a bureau.

    `region`: its 6-digit code; `streets`: (9-digit code, name) of the region; `villages`: (name, street's
    code); `county`: its name, where the table of regions may not have it. BadInput where a coverage names a street or village the divisions do not have.
    """
    names = dict(streets)
    forms: dict[str, dict[Place, None]] = {}
    own = _larger_names(region, county)

    def add(text: str, place: Place) -> None:
        if len(text) >= 2:
            forms.setdefault(text, {})[place] = None

    for code, name in names.items():
        for text, kind in _street_forms(name, own):
            add(text, Place(code, "", kind))
    known: dict[tuple[str, str], str] = {}
    for name, street in villages:
        plain = plain_village(name)
        known[street, plain] = known[street, name] = plain
        if street in names:
            for text in (_VILLAGE_END.sub("", name) + "村", _VILLAGE_END.sub("", name) + "社区", plain + "村", plain + "社区"):
                add(text, Place(street, plain, "name"))
            if not _COMMON.fullmatch(plain):
                add(plain, Place(street, plain, "bare"))
    covered, old = _cover(names, known, coverage)
    for text, street in old:
        for form in dict.fromkeys((text, bare_street(text))):
            found = forms.setdefault(form, {})
            for place in [place for place in found if place.street == street and not place.village]:
                del found[place]
            found[Place(street, "", "old")] = None
    lengths: dict[str, set[int]] = {}
    for text in forms:
        lengths.setdefault(text[:2], set()).add(len(text))
    return StationTable(
        region, _before(region, own), _outside(region),
        {text: tuple(places) for text, places in forms.items()},
        {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()},
        names, covered,
    )  # fmt: skip


def _street_forms(name: str, own: Sequence[str]) -> list[tuple[str, str]]:
    bare = bare_street(name)
    found = [(name, "name")]
    if bare == name:  # a zone: also without the county before it (晋江市经济开发区, 晋江经济开发区), and by its longer names
        found += [(name[len(one) :], "name") for one in own if name.startswith(one)]
        return found + [(re.sub("开发区$", more, text), "name") for text, _ in found if text.endswith("开发区") for more in _ZONE_ENDS]
    ends = ("街道办事处", "街道办", "街道", "办事处") if name.endswith("街道") else (name[len(bare) :],)
    before = "town" if name.endswith("街道") else "old"
    return found + [(bare + end, "name" if end in ends else before) for end in _STREET_ENDS] + [(bare, "bare")]


def _cover(
    names: Mapping[str, str], known: Mapping[tuple[str, str], str], coverage: Sequence[Coverage]
) -> tuple[dict[tuple[str, str], tuple[str, ...]], list[tuple[str, str]]]:
    by_name = {name: code for code, name in names.items()} | {bare_street(name): code for code, name in names.items()}
    covered: dict[tuple[str, str], dict[str, None]] = {}
    old: list[tuple[str, str]] = []
    problems = []
    for one in coverage:
        street = one.street if one.street in names else by_name.get(one.street, "")
        if not street:
            problems.append(Problem("辖区镇街", f"{one.station}：区划表中没有“{one.street}”。请写全称，或先导入区划。"))
            continue
        places = []
        for village in one.villages:
            plain = known.get((street, village)) or known.get((street, plain_village(village)))
            if plain is None:
                problems.append(Problem("辖区村居", f"{one.station}：{names[street]}没有“{village}”。请核对名称，或先导入村居。"))
            places.append(plain or "")
        for place in places or [""]:
            covered.setdefault((street, place), {})[one.station] = None
        old += [(name, street) for name in one.old_names]
    if problems:
        raise BadInput("辖区不能识别。", problems)
    return {place: tuple(stations) for place, stations in covered.items()}, old


def _larger_names(region: str, county: str) -> tuple[str, ...]:
    """The county's and the city's names as addresses begin with them, longest first."""
    found: dict[str, None] = {}
    known = [one.name for code in (region, f"{region[:4]}00") if (one := regions.region_of_code(code))]
    if region.endswith("00"):  # a city's bureau: its counties stand before the town
        known += [one.name for code, one in regions.table().items() if code[:4] == region[:4] and not one.gone]
    for name in (county, *known):
        if name and name not in ("市辖区", "县"):
            stem = name[:-1] if name[-1] in "市县区" and len(name) > 2 else name
            found |= dict.fromkeys((name, stem + "市", stem + "县", stem))
    return tuple(sorted(found, key=len, reverse=True))


def _before(region: str, own: Sequence[str]) -> re.Pattern[str]:
    province = regions.region_of_code(f"{region[:2]}0000")
    stem = re.sub(r"(?:省|市|(?:维吾尔|壮族|回族)?自治区)$", "", province.name) if province else ""
    first = f"{re.escape(province.name)}|{re.escape(stem)}" if province else "(?!)"
    then = "|".join(re.escape(name) for name in own) or "(?!)"
    return re.compile(rf"(?:中国)?(?:{first})?(?:(?:{then})(?:市区|城区)?)*[{re.escape(OPENING)}]*")


def _outside(region: str) -> re.Pattern[str]:
    """Full names of other provinces and cities, and of other counties of the province: an address that begins so is not ours."""
    ours = {one.name for code in (region, f"{region[:4]}00", f"{region[:2]}0000") if (one := regions.region_of_code(code))}
    names = {
        one.name for code, one in regions.table().items()
        if not one.gone and len(one.name) > 2 and one.name[-1] in "省市县区州盟旗" and (code.endswith("00") or code[:2] == region[:2])
        and not (region.endswith("00") and code[:4] == region[:4])
    }  # fmt: skip
    names -= ours | {"市辖区"}
    return re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "(?!)")

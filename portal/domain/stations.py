"""Which station (属地所) an address belongs to, and how sure that is.

A Chinese address runs from the large to the small: 福建省 泉州市 晋江市 陈埭镇 岸兜村.
What stands before the county is taken off, the rest is read from the left: towns and
streets first, then villages and communities, by their names in the table of divisions.
Nothing is guessed: what fits several stations, or none, is listed for a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.domain.coverage import OPENING, Place, StationTable, is_town

__all__ = ["CONFIDENCES", "Match", "find_places", "find_station"]

#: sure: today's name of a town or street, or a town's name without 镇. likely: a village only one street has, a
#: street's name without 街道, an old name that the coverage lists, the company's name. The other two are for a person:
#: of a town that became streets (青阳镇) half lies in others than the one that kept its name.
CONFIDENCES = ("sure", "likely", "ambiguous", "none")

#: a bare name with these behind it is a road or a building, which may stand anywhere
_ROAD = re.compile(r"[东西南北中]?[一二三四五六七八九]?路|大道|[东西南北中]?街(?!道)|大厦|(?:大)?酒店|宾馆|花园|广场|商城|山庄|桥|寺")
#: what a name may follow without being the tail of another name (下后林 is not 后林)
_BOUNDARY = OPENING + ")0123456789#路街道区村镇乡市县号园弄巷段旁"


@dataclass(frozen=True, slots=True)
class Match:
    """What is known of an address. `station`: "" unless sure or likely; `candidates`: the stations that fit, if several.

    `street`, `village`: names as the table of divisions has them; `why`: a sentence for people (Chinese).
    """

    station: str
    confidence: str
    why: str
    candidates: tuple[str, ...] = ()
    street: str = ""
    village: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A form found in an address, from `at` to `end`. `leading`: nothing but larger places stands before it."""

    text: str
    at: int
    end: int
    places: tuple[Place, ...]
    leading: bool


def find_station(table: StationTable, address: str, name: str = "") -> Match:
    """The station of an address; where it names no place, of the company's `name` (晋江市陈埭镇兴达鞋厂), never sure."""
    text = "".join(unicodedata.normalize("NFKC", address).split())
    if not text and not name:
        return Match("", "none", "没有填写地址。")
    start = table.before.match(text)
    begin = start.end() if start else 0
    hits = find_places(table, text, begin)
    found = _by_street(table, hits)
    if found:
        return found
    found = _by_village(table, hits)
    if found:
        told = _by_name(table, name) if found.confidence == "ambiguous" else None
        return told if told and told.station in found.candidates else found
    elsewhere = table.outside.match(text, begin)
    if elsewhere:
        return Match("", "none", f"地址在{elsewhere[0]}，不在本局辖区。")
    return _by_name(table, name) or Match("", "none", "地址中没有辖区内的镇街或村居。" if text else "没有填写地址。")


def find_places(table: StationTable, text: str, begin: int) -> list[Hit]:
    """Forms of places from left to right, the longest first, none inside another."""
    found: list[Hit] = []
    at = 0
    edge = begin  # where a name may begin although no boundary stands before it
    while at < len(text) - 1:
        for length in table.lengths.get(text[at : at + 2], ()):
            hit = _hit(table, text, at, length, begin, edge)
            if hit:
                found.append(hit)
                at = edge = hit.end
                break
        else:
            at += 1
    return found


def _hit(table: StationTable, text: str, at: int, length: int, begin: int, edge: int) -> Hit | None:
    form = text[at : at + length]
    places = table.forms.get(form)
    if places is None or len(form) < length:
        return None
    end = at + length
    free = at == edge or (at > begin and text[at - 1] in _BOUNDARY)
    kept = tuple(
        place for place in places
        if (place.kind == "name" and not place.village)  # 陈埭镇 is said wherever it stands
        or (free and at >= begin and (place.kind != "bare" or not _is_road(table, text, end, place)))
    )  # fmt: skip
    leading = at <= begin or text[at - 1] in OPENING
    return Hit(form, at, end, kept, leading) if kept else None


def _is_road(table: StationTable, text: str, end: int, place: Place) -> bool:
    """Whether a bare name goes on as a road or a building (安海路), and not as a village of the place (安海桥头)."""
    if not _ROAD.match(text, end):
        return False
    after = (table.forms.get(text[end : end + n], ()) for n in table.lengths.get(text[end : end + 2], ()))
    return place.village != "" or not any(one.street == place.street for places in after for one in places)


def _by_street(table: StationTable, hits: Sequence[Hit]) -> Match | None:
    named = [hit for hit in hits if any(not place.village for place in hit.places)]
    village_hits = [hit for hit in hits if any(place.village for place in hit.places)]
    for rank, kinds in ((0, ("name",)), (1, ("old", "bare", "town"))):
        chosen = {
            place.street: hit for hit in reversed(named) for place in hit.places
            if not place.village and place.kind in kinds and (rank == 0 or hit.leading)
        }  # fmt: skip
        if chosen:
            return _street_match(table, chosen, village_hits, plain=rank == 0)
    inside = {place.street: hit for hit in reversed(named) for place in hit.places if not place.village}
    if inside and not village_hits:
        return _settle(table, tuple(inside), "", "likely", f"地址中有“{next(iter(inside.values())).text}”")
    return None


def _street_match(table: StationTable, chosen: Mapping[str, Hit], village_hits: Sequence[Hit], *, plain: bool) -> Match:
    text = "、".join(dict.fromkeys(hit.text for hit in chosen.values()))
    inner = {
        place.street: place.village for hit in reversed(village_hits) for place in hit.places
        if place.village and place.street in chosen and hit.at > chosen[place.street].at
    }  # fmt: skip
    if len(chosen) == 2:  # 安海镇安平开发区: the zone behind its town is the nearer of the two
        first, then = sorted(chosen, key=lambda street: chosen[street].at)
        if chosen[first].end == chosen[then].at and is_town(table.streets[first]) and not is_town(table.streets[then]):
            return _settle(table, (then,), "", "likely", f"地址写明“{chosen[first].text}{chosen[then].text}”")
    if len(chosen) > 1 and len(inner) == 1:
        (street, village), = inner.items()
        return _settle(table, (street,), village, "likely", f"地址中有“{text}”，村居“{village}”属{table.streets[street]}")
    if len(chosen) == 1:
        (street, hit), = chosen.items()
        whole = plain or (not table.streets[street].endswith("街道") and all(place.kind == "bare" for place in hit.places if not place.village))
        if not whole and not inner:
            # 青阳镇梅山: the town became several streets, and the village tells which
            others = {place.street: place.village for one in village_hits for place in one.places if place.village and one.at >= hit.end}
            if len(others) == 1:
                (other, village), = others.items()
                return _settle(table, (other,), village, "likely", f"“{text}”不是现名，村居“{village}”属{table.streets[other]}")
        elsewhere = {
            place.street: place.village for one in village_hits for place in one.places
            if place.village and place.kind == "name" and one.at >= hit.end
        }  # fmt: skip
        if whole and elsewhere and not inner:
            # 安海镇灵水村: a hamlet of the same name, mostly; now and then a village that went to a new street
            where = "、".join(f"{table.streets[one]}的“{village}”" for one, village in elsewhere.items())
            return _settle(table, (street,), "", "likely", f"地址写明“{text}”，但区划表中另有{where}")
        if not inner and any(place.kind == "town" and place.street == street for place in hit.places):
            return _of_town(table, street, text)
        why = f"地址写明“{text}”" if whole else f"地址写的“{text}”不是{table.streets[street]}的现名"
        return _settle(table, (street,), inner.get(street, ""), "sure" if whole else "likely", why)
    return _settle(table, tuple(chosen), "", "likely", f"地址中有“{text}”")


def _of_town(table: StationTable, street: str, text: str) -> Match:
    """A town's name alone, that is now a street's: the stations there are the first to ask."""
    found = _settle(table, (street,), "", "likely", f"“{text}”改设街道时可能分成了几个街道，{table.streets[street]}是其中之一，地址没有写明村居")
    return Match("", "ambiguous", found.why, (found.station,), found.street) if found.station else found


def _by_village(table: StationTable, hits: Sequence[Hit]) -> Match | None:
    fits: dict[str, str] = {}
    text = ""
    for hit in hits:
        places = {p.street: p.village for p in hit.places if p.village and (p.kind == "name" or hit.leading)}
        if places and (not fits or fits.keys() & places.keys()):
            fits = {street: village for street, village in places.items() if not fits or street in fits}
            text = text or hit.text
    if not fits:
        return None
    listed = "、".join(table.streets[street] for street in fits)
    why = f"村居“{text}”只有{listed}有" if len(fits) == 1 else f"{listed}都有“{text}”"
    return _settle(table, tuple(fits), next(iter(fits.values())), "likely", why)


def _by_name(table: StationTable, name: str) -> Match | None:
    text = "".join(unicodedata.normalize("NFKC", name).split())
    start = table.before.match(text)
    begin = start.end() if start else 0
    hits = [hit for hit in find_places(table, text, begin) if hit.at == begin and any(not place.village for place in hit.places)]
    streets = tuple(dict.fromkeys(place.street for hit in hits for place in hit.places if not place.village))
    if not streets or begin == 0:  # a company may be called 金井 anywhere: only behind 晋江市 it is the town
        return None
    if len(streets) == 1 and any(place.kind == "town" and place.street == streets[0] for place in hits[0].places):
        return _of_town(table, streets[0], hits[0].text)
    return _settle(table, streets, "", "likely", f"地址中没有写明镇街，名称中有“{hits[0].text}”")


def _settle(table: StationTable, streets: Sequence[str], village: str, confidence: str, why: str) -> Match:
    """From places to stations: one station fits, or several, or nobody covers the place."""
    stations: dict[str, None] = {}
    for street in streets:
        own = table.covered.get((street, village)) if village else None
        parts = own or table.covered.get((street, "")) or ()
        if not parts:  # the street is shared out by villages, and the village is not known
            parts = tuple(dict.fromkeys(one for (code, _), ones in table.covered.items() if code == street for one in ones))
        stations |= dict.fromkeys(parts)
    street_name = "、".join(table.streets[street] for street in streets)
    if len(stations) == 1:
        return Match(next(iter(stations)), confidence, f"{why}。", (), street_name, village)
    if not stations:
        return Match("", "none", f"{why}，但{street_name}没有划给任何所。", (), street_name, village)
    listed = "、".join(stations)
    return Match("", "ambiguous", f"{why}，可能属于{listed}。", tuple(stations), street_name, village)

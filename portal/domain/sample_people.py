"""The made-up bureau: its stations and departments, 120 inspectors, some recusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from portal.domain.directory import InspectorRow
from portal.domain.recusals import RecusalRow
from portal.domain.sample_entities import BUREAU, entity_maker
from portal.domain.sample_names import (
    COUNTY, DEPARTMENTS, GIVEN_ENDS, GIVEN_STARTS, REGION, STATIONS, SURNAMES,
)
from portal.domain.sample_stream import Stream, topic_key

__all__ = ["SampleBureau", "Station", "sample_bureau", "sample_inspectors", "sample_recusals"]


@dataclass(frozen=True, slots=True)
class Station:
    """A 市场监管所 and the towns it looks after."""

    name: str
    towns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SampleBureau:
    """The fictional bureau; `region` is an unassigned GB/T 2260 code."""

    name: str
    region: str
    county: str
    stations: tuple[Station, ...]
    departments: tuple[str, ...]


def sample_bureau(seed: str | int = 1) -> SampleBureau:
    """望溪县市场监督管理局: the same for every seed (people and entities differ, the map does not)."""
    del seed
    return SampleBureau(BUREAU, REGION, COUNTY, tuple(Station(*one) for one in STATIONS), DEPARTMENTS)


_INSPECTORS = 120
_AT_A_STATION = 9  # 81 at nine stations, 39 in the departments and the 大队

_SPECIALITIES = ("综合监管", "食品生产", "食品流通", "餐饮服务", "特种设备", "产品质量", "计量", "认证", "知识产权", "价格广告")
#: What a department is for; the 大队 and the stations take what comes.
_OF_DEPARTMENT = {
    "信用监督管理科": ("综合监管",), "登记注册科": ("综合监管",), "质量安全监督管理科": ("产品质量",),
    "食品生产安全监督管理科": ("食品生产",), "食品流通安全监督管理科": ("食品流通",), "餐饮服务安全监督管理科": ("餐饮服务",),
    "特种设备安全监察科": ("特种设备",), "计量科": ("计量",), "认证与检验检测监督管理科": ("认证",),
    "价格监督检查与反不正当竞争科": ("价格广告",), "广告监督管理科": ("价格广告",), "网络交易监督管理科": ("综合监管",), "知识产权科": ("知识产权",),
}
_QUALIFICATIONS = {
    "特种设备": "特种设备安全监察员", "食品生产": "食品检查员", "餐饮服务": "食品检查员", "食品流通": "食品检查员", "计量": "计量监督员",
    "认证": "认证监督检查员",
}
_UNTIL = (date(2027, 6, 30), date(2027, 12, 31), date(2028, 3, 31), date(2028, 12, 31), date(2029, 6, 30), date(2030, 5, 31))
_EXPIRING = (date(2025, 6, 30), date(2025, 12, 31), date(2026, 3, 31), date(2026, 8, 31))


def sample_inspectors(seed: str | int = 1) -> tuple[InspectorRow, ...]:
    """120 inspectors: nine at each station (所长, 副所长 and others), the rest in departments and the 大队.

    Eight certificates have expired or end during 2026, four people are 失效, about one in
    eight is an expert; every station has two leads, two 特种设备安全监察员 and
    three 食品检查员 in force all through 2026.
    """
    stream = Stream(topic_key(seed, "inspectors"))
    names = _names(stream)
    rows = [
        _inspector(stream, names[at], at, station.name, station.towns[0], "", place)
        for at, (station, place) in enumerate((s, p) for s in sample_bureau().stations for p in range(_AT_A_STATION))
    ]
    while len(rows) < _INSPECTORS:
        at = len(rows) - _AT_A_STATION * len(STATIONS)
        department, place = (DEPARTMENTS[at // 2], at % 2) if at < 26 else ("综合执法大队", at - 26)
        rows.append(_inspector(stream, names[len(rows)], len(rows), "", COUNTY, department, place))
    # At stations the first five stay, or no visit there could be manned.
    spare = [at for at, row in enumerate(rows) if not row.lead and (not row.station or at % _AT_A_STATION > 4)]
    for turn, at in enumerate(stream.several(spare, 12)):
        if turn % 3 == 0:
            rows[at] = replace(rows[at], status="失效")
        else:
            rows[at] = replace(rows[at], certificate_until=stream.pick(_EXPIRING))
    return tuple(rows)


def _inspector(stream: Stream, name: str, at: int, station: str, town: str, department: str, place: int) -> InspectorRow:
    lead = place < 2 and (bool(station) or department == "综合执法大队" or place == 0)
    if station:
        duty = ("所长", "副所长")[place] if place < 2 else "科员"
        skills = {"综合监管", *stream.several(_SPECIALITIES[1:], 2)}
        skills |= {"特种设备"} if place in (0, 2) else {"餐饮服务", "食品流通"} if place in (1, 3, 4) else set()
    elif department == "综合执法大队":
        duty = ("大队长", "副大队长")[place] if place < 2 else "科员"
        skills = {"综合监管", *stream.several(_SPECIALITIES[1:], 3)}
    else:
        duty = "科长" if place == 0 else "科员"
        skills = {*_OF_DEPARTMENT[department], *stream.several(_SPECIALITIES, 1)}
    specialities = tuple(one for one in _SPECIALITIES if one in skills)
    return InspectorRow(
        code=f"WX{at + 1:04d}", number=f"WX{at + 1:04d}", name=name, station=station, town=town,
        level="所" if station else "县", duty=duty, department=department,
        qualifications=tuple(dict.fromkeys(_QUALIFICATIONS[one] for one in specialities if one in _QUALIFICATIONS)),
        specialities=specialities, items=(), expert=stream.chance(12), lead=lead,
        certificate_no=f"闽Z99{at + 1:04d}", certificate_until=stream.pick(_UNTIL), issued_by="（样例）望溪县人民政府",
    )


def _names(stream: Stream) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < _INSPECTORS:
        second = stream.pick(GIVEN_STARTS) if stream.chance(85) else ""
        names[stream.pick(SURNAMES) + second + stream.pick(GIVEN_ENDS)] = None
    return list(names)


_REASONS = ("近亲属在该单位任职", "本人配偶持有该单位股份", "曾在该单位任职未满三年", "与该单位负责人有其他可能影响公正的关系")


def sample_recusals(seed: str | int = 1, n: int = 12, among: int = 1_000) -> tuple[RecusalRow, ...]:
    """`n` different recusals between inspectors and the first `among` entities of the register."""
    stream = Stream(topic_key(seed, "recusals"))
    inspectors: Sequence[InspectorRow] = sample_inspectors(seed)
    make = entity_maker(seed)
    rows: dict[tuple[str, str], RecusalRow] = {}
    while len(rows) < n:
        inspector, entity = stream.pick(inspectors).code, make(stream.below(among))[0].code
        rows[inspector, entity] = RecusalRow(inspector, entity, stream.pick(_REASONS))
    return tuple(sorted(rows.values(), key=lambda row: (row.inspector, row.entity)))

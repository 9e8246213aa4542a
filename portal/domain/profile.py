"""The jurisdiction profile: every number that differs by region and year, with its validity and source.

A profile is a canonical JSON document with a closed schema; `parse_profile` refuses what it
does not know and names the path (`floors[2].ppm`). Nothing here has a default: what a profile
does not say for a day is None, and who asks says so to people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

from portal.domain.bundle import parse_canonical, refuse, require_keys, require_list, require_text, require_unique
from portal.domain.caps import COUNTS, REASONS, SCOPES, WINDOWS, Cap, Pause, Rules
from portal.domain.risk import AttributeRule, ClassRatios, Frequency, Scale, check_class_ratios
from portal.domain.profile_reading import (
    number, on, one_of, optional, ppm, region, text, texts, truth, values,
)

__all__ = [
    "Dated", "Due", "Floor", "Profile", "Share", "Succession", "line_of_region", "missing_floors", "parse_profile",
    "read_profile", "shown_ratio",
]

T = TypeVar("T")
SPEC = "profile/1"


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value with its first and last day (None: open) and the document it comes from."""

    value: T
    since: date
    until: date | None
    source: str

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)

    def overlaps(self, other: Dated[Any]) -> bool:
        return (other.until is None or self.since <= other.until) and (self.until is None or other.since <= self.until)


@dataclass(frozen=True, slots=True)
class Floor:
    """The least share of a region's register to draw in a year; `kinds`: entity types it speaks of."""

    region: str
    kinds: tuple[str, ...]
    ppm: int


@dataclass(frozen=True, slots=True)
class Share:
    """The least share of picks that go by class (差异化抽查户数占比)."""

    region: str
    ppm: int


@dataclass(frozen=True, slots=True)
class Due:
    """A year's cut-offs: all checks done, all results published, the yearly report handed up; None: not set."""

    region: str
    year: int
    finish: date
    publish: date | None
    report: date | None
    source: str


@dataclass(frozen=True, slots=True)
class Succession:
    """From `on`, `old` is `new` (GB/T 2260 codes merge and are renumbered)."""

    old: str
    new: str
    on: date
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """All of a jurisdiction's rules; every list is in the order of the document."""

    name: str
    region: str
    floors: tuple[Dated[Floor], ...]
    differentiated: tuple[Dated[Share], ...]
    due: tuple[Due, ...]
    publication: tuple[Dated[int], ...]
    scales: tuple[Dated[Scale], ...]
    class_ratios: tuple[tuple[tuple[str, ...], Dated[ClassRatios]], ...]  # (items, sectors or "*") each
    attribute_rules: tuple[Dated[AttributeRule], ...]
    caps: tuple[Dated[Cap], ...]
    pauses: tuple[Dated[Pause], ...]
    peace_exempt: tuple[str, ...]
    successions: tuple[Succession, ...]
    documents: Mapping[str, str] = field(default_factory=dict)  # what its documents say of the bureau: see DOCUMENTS

    def current_region(self, code: str, day: date) -> str:
        """The code that stands for `code` on `day`: itself, or its successor's successor."""
        following = {one.old: one.new for one in self.successions if one.on <= day}
        while code in following:
            code = following[code]
        return code

    def floor_for(self, code: str, kind: str, day: date) -> Dated[Floor] | None:
        """The floor of the region itself, else of the nearest region above it."""
        return self._nearest([one for one in self.floors if kind in one.value.kinds], code, day)

    def differentiated_for(self, code: str, day: date) -> Dated[Share] | None:
        return self._nearest(self.differentiated, code, day)

    def due_for(self, code: str, year: int) -> Due | None:
        lines = line_of_region(self.current_region(code, date(year, 12, 31)))
        found = {one.region: one for one in self.due if one.year == year}
        return next((found[line] for line in lines if line in found), None)

    def publication_days(self, day: date) -> int | None:
        """Working days from the end of a check to its publication."""
        return next((one.value for one in self.publication if one.holds(day)), None)

    def scale(self, code: str, day: date) -> Scale | None:
        return next((one.value for one in self.scales if one.value.code == code and one.holds(day)), None)

    def class_ratios_for(self, item: str, day: date) -> ClassRatios | None:
        """The ratios for an item: said of the item itself, else of its sector, else of all (`*`)."""
        for name in (item, item.split(".")[0], "*"):
            for whose, ratios in self.class_ratios:
                if name in whose and ratios.holds(day):
                    return ratios.value
        return None

    def attribute_rules_on(self, day: date) -> tuple[AttributeRule, ...]:
        return tuple(one.value for one in self.attribute_rules if one.holds(day))

    def rules_on(self, day: date) -> Rules:
        """What the caps engine goes by."""
        return Rules(
            tuple(one.value for one in self.caps if one.holds(day)),
            tuple(one.value for one in self.pauses if one.holds(day)),
            self.peace_exempt,
        )

    def _nearest(self, dated: Sequence[Dated[T]], code: str, day: date) -> Dated[T] | None:
        found = {one.value.region: one for one in dated if one.holds(day)}  # type: ignore[attr-defined]
        return next((found[line] for line in line_of_region(self.current_region(code, day)) if line in found), None)


def line_of_region(code: str) -> tuple[str, ...]:
    """A region and those above it, nearest first: 350582, 350500, 350000."""
    return tuple(dict.fromkeys((code, code[:4] + "00", code[:2] + "0000")))


def shown_ratio(ppm: int) -> str:
    """35000 -> 3.5%."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"


def missing_floors(profile: Profile, groups: Iterable[tuple[str, str]], day: date) -> list[str]:
    """A sentence for each (region, entity type) of a register that no floor speaks of on `day`."""
    return [
        f"没有 {region} {kind or '主体类型不明者'} {day.year} 年的抽查比例下限。请在辖区规则（floors）中补上。"
        for region, kind in groups if profile.floor_for(region, kind, day) is None
    ]  # fmt: skip


def _below(code: str, own: int, floor: Dated[Floor]) -> str:
    least = shown_ratio(floor.value.ppm)
    return f"{code} 的比例 {shown_ratio(own)} 低于 {floor.value.region} 规定的 {least}（{floor.source}），下级不得低于上级。请改为不低于 {least}。"


# ---- reading --------------------------------------------------------------------------


def parse_profile(data: bytes) -> Profile:
    """The profile of a canonical JSON file; BadInput names the path of the first thing wrong."""
    return read_profile(parse_canonical(data, "辖区规则"))


def read_profile(value: object) -> Profile:
    """The same, of the plain value."""
    keys = ("spec", "name", "region", "peace_exempt", "successions", "due", "class_ratios", *_SECTIONS)
    documents = _documents(value.get("documents", {}) if isinstance(value, dict) else {})
    found = require_keys({name: one for name, one in value.items() if name != "documents"} if isinstance(value, dict) else value, keys, "辖区规则")
    one_of(found["spec"], "spec", (SPEC,))
    lists = {name: _dated(found[name], name, fields, make) for name, (fields, make) in _SECTIONS.items()}
    ratios = _dated(found["class_ratios"], "class_ratios", _RATIOS, lambda **given: given)
    profile = Profile(
        name=require_text(found["name"], "name"), region=region(found["region"], "region"),
        due=tuple(
            Due(**{name: read(row[name], f"due[{n}].{name}") for name, read in _DUE.items()})
            for n, row in enumerate(require_list(found["due"], "due"))
            if require_keys(row, _DUE, f"due[{n}]")
        ),
        successions=tuple(
            Succession(**{name: read(row[name], f"successions[{n}].{name}") for name, read in _SUCCESSION.items()})
            for n, row in enumerate(require_list(found["successions"], "successions"))
            if require_keys(row, _SUCCESSION, f"successions[{n}]")
        ),
        class_ratios=tuple(
            (tuple(one.value["items"]), Dated(_class_ratios(one.value), one.since, one.until, one.source)) for one in ratios
        ),
        peace_exempt=_reasons(found["peace_exempt"], "peace_exempt"), documents=documents,
        **lists,
    )  # fmt: skip
    _require_consistent(profile)
    return profile


def _dated(rows: object, name: str, fields: Mapping[str, Callable[[Any, str], Any]], make: Callable[..., T]) -> tuple[Dated[T], ...]:
    found = []
    for n, row in enumerate(require_list(rows, name)):
        path = f"{name}[{n}]"
        require_keys(row, (*fields, "from", "to", "source"), path)
        since, until = on(row["from"], f"{path}.from"), optional(on)(row["to"], f"{path}.to")
        if until is not None and until < since:
            refuse(f"{path}.to {until} 早于 {path}.from {since}。请改正起止日期。")
        own = {field: read(row[field], f"{path}.{field}") for field, read in fields.items()}
        found.append(Dated(make(**own), since, until, require_text(row["source"], f"{path}.source")))
    return tuple(found)


def _documents(value: object) -> dict[str, str]:
    """The optional `documents`: any of DOCUMENTS, each a text."""
    found = {name: text(one, f"documents.{name}") for name, one in require_keys(value, (), "documents", more=True).items()}
    if strange := sorted(found.keys() - DOCUMENTS.keys()):
        refuse(f"documents.{strange[0]} 不认识，只能是 {'、'.join(DOCUMENTS)}。")
    if not re.fullmatch(r"[\u4e00-\u9fff]{2,8}", found.get("word", "连市监")):
        refuse(f"documents.word“{found['word']}”应是 2 到 8 个汉字的发文机关代字，例如“连市监”。")
    if not re.fullmatch(r"https?://[!-~]{4,200}", found.get("site", "https://a.gov")):
        refuse(f"documents.site“{found['site']}”应是公示网站的网址，以 https:// 开头。")
    return found


def _reasons(value: object, path: str) -> tuple[str, ...]:
    return tuple(one_of(one, f"{path}[{n}]", tuple(REASONS)) for n, one in enumerate(texts(value, path)))


def _positive(value: object, path: str) -> int:
    if (read := number(value, path)) < 1:
        refuse(f"{path} 写的是 {read}，至少是 1。")
    return read


def _frequencies(value: object, path: str) -> dict[str, Frequency]:
    return {
        grade: Frequency(number(row["times"], f"{path}.{grade}.times"), _positive(row["years"], f"{path}.{grade}.years"))
        for grade, row in require_keys(value, (), path, more=True).items()
        if require_keys(row, ("times", "years"), f"{path}.{grade}")
    }


def _grades(value: object, path: str) -> dict[str, str]:
    rows = [texts(row, f"{path}[{n}]") for n, row in enumerate(require_list(value, path))]
    if not rows or any(len(row) != 2 for row in rows):
        refuse(f"{path} 应从低风险到高风险逐个写成 [代码, 名称]。")
    require_unique((grade for grade, _ in rows), f"{path} 的分类")
    return dict(rows)


def _class_ratios(given: Mapping[str, Any]) -> ClassRatios:
    return ClassRatios(given["scale"], given["ppm"], given["frequency"], given["unclassed"])


def _choice(*choices: str) -> Callable[[Any, str], str]:
    return lambda value, path: one_of(value, path, choices)


#: what a bureau's documents (文书) say of it, all optional
DOCUMENTS = {"word": "发文机关代字", "contact": "联系人和电话", "site": "公示网站的网址", "review": "行政复议机关", "court": "提起行政诉讼的人民法院"}
_DUE = {"region": region, "year": number, "finish": on, "publish": optional(on), "report": optional(on), "source": text}
_SUCCESSION = {"old": region, "new": region, "on": on, "source": text}
_RATIOS = {"scale": text, "items": texts, "ppm": values(ppm), "frequency": _frequencies, "unclassed": optional(ppm)}
_SECTIONS: Mapping[str, tuple[Mapping[str, Callable[[Any, str], Any]], Callable[..., Any]]] = {
    "floors": ({"region": region, "kinds": texts, "ppm": ppm}, Floor),
    "differentiated": ({"region": region, "ppm": ppm}, Share),
    "publication": ({"days": _positive}, lambda days: days),
    "scales": ({"code": text, "name": text, "grades": _grades}, Scale),
    "attribute_rules": (
        {"code": text, "name": text, "attribute": text, "ppm": ppm, "values": texts, "at_least": optional(number)}, AttributeRule,
    ),
    "caps": (
        {
            "code": text, "name": text, "scope": _choice(*SCOPES), "most": _positive, "window": _choice(*WINDOWS), "n": _positive,
            "of": texts, "counts": _choice(*COUNTS), "on_site": truth, "exempt": _reasons,
        },
        Cap,
    ),
    "pauses": ({"code": text, "name": text, "after": _choice("upper", "post_licence"), "months": number, "exempt": _reasons}, Pause),
}  # fmt: skip


# ---- what fits together ---------------------------------------------------------------


def _require_consistent(profile: Profile) -> None:
    for name in ("floors", "differentiated"):
        _require_not_below(name, getattr(profile, name))
    _require_unique_due(profile)
    for n, (_, ratios) in enumerate(profile.class_ratios):
        scale = profile.scale(ratios.value.scale, ratios.since)
        if scale is None:
            refuse(f"class_ratios[{n}].scale“{ratios.value.scale}”在 {ratios.since} 没有这个分类体系（scales）。")
        if profile.scale(ratios.value.scale, ratios.until or date.max) is None:
            refuse(f"class_ratios[{n}].scale“{ratios.value.scale}”的分类体系（scales）比这些比例先失效。请改正起止日期。")
        if problems := [one for one in check_class_ratios(scale, ratios.value) if "是 0" not in one.message]:
            refuse(f"class_ratios[{n}]：{problems[0].message}")
    for name in ("caps", "pauses", "attribute_rules", "scales"):
        _require_one_at_a_time(name, getattr(profile, name))
    olds = {one.old: one.new for one in profile.successions}
    require_unique((one.old for one in profile.successions), "successions 的 old")
    for start in olds:
        seen, code = {start}, olds[start]
        while code in olds and code not in seen:
            seen.add(code)
            code = olds[code]
        if code in seen:
            refuse(f"successions 中 {start} 的沿革绕回了自己。请核对行政区划代码。")


def _require_not_below(name: str, dated: Sequence[Dated[Any]]) -> None:
    for n, own in enumerate(dated):
        for m, other in enumerate(dated):
            alike = name != "floors" or set(own.value.kinds) & set(other.value.kinds)
            if n == m or not alike or not own.overlaps(other):
                continue
            if own.value.region == other.value.region and n > m:
                refuse(f"{name}[{n}] 与 {name}[{m}] 是同一区域（{own.value.region}）同一时期的规定，只能有一个。")
            if other.value.region in line_of_region(own.value.region)[1:] and own.value.ppm < other.value.ppm:
                refuse(f"{name}[{n}].ppm：{_below(own.value.region, own.value.ppm, other)}")


def _require_unique_due(profile: Profile) -> None:
    require_unique((f"{one.region} {one.year} 年" for one in profile.due), "due 的")
    for n, one in enumerate(profile.due):
        if one.finish.year != one.year:
            refuse(f"due[{n}].finish {one.finish} 不在 {one.year} 年。")


def _require_one_at_a_time(name: str, dated: Sequence[Dated[Any]]) -> None:
    for n, own in enumerate(dated):
        for m, other in enumerate(dated[:n]):
            if own.value.code == other.value.code and own.overlaps(other):
                refuse(f"{name}[{n}] 与 {name}[{m}] 代码同为“{own.value.code}”，有效期重叠。请改正起止日期。")

"""How often anybody may be disturbed: caps, pauses and the list of those left in peace (DOMAIN.md section 7).

The engine is asked at three moments (a pool is frozen, a visit dispatched, an arrival
scanned), each time whether one more `Event` may join an entity's history. What it admits
never exceeds a cap unless a reason that exempts from that cap is on record with the event.

Checks of one visit count once where visits count, so a task that joins an open visit
costs an entity nothing; events with an exempting reason are not counted at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from operator import attrgetter

__all__ = [
    "Cap", "Event", "LEVELS", "Pause", "Peace", "Period", "REASONS", "Refusal", "Rules", "add_months", "counters", "days_checked",
    "dispatch", "find_refusal", "find_refusals",
]

#: The ten reasons for which a check may go beyond a cap.
REASONS: Mapping[str, str] = {
    "complaint": "投诉举报（含12345转办）",
    "assigned": "国家或省级交办",
    "upper_level": "配合上级检查",
    "supervision": "监督稽查",
    "monitoring": "非现场监测发现线索",
    "media": "媒体曝光",
    "recheck": "整改复查",
    "own_request": "企业主动申请",
    "licence_check": "许可现场核查",
    "emergency": "其他法定应急情形",
}
#: Levels of administration, the highest first.
LEVELS: Mapping[str, str] = {"nation": "国家级", "province": "省级", "city": "市级", "county": "县级", "station": "所级"}
_RANK = {level: rank for rank, level in enumerate(LEVELS)}

SCOPES: Mapping[str, str] = {
    "item": "同一事项", "sector": "同一领域", "bureau": "同一单位", "level": "同一层级", "all": "各级各部门合计",
}
WINDOWS = ("year", "years", "months", "licence")
COUNTS: Mapping[str, str] = {"visits": "入企检查", "draws": "被抽中"}

Period = tuple[date, date]  # first and last day


@dataclass(frozen=True, slots=True)
class Event:
    """One item checked, or to be checked, at one entity.

    `visit` joins what is done by one entry through the door ("": a visit of its own);
    `pick` is the round's task that drew it ("": not drawn). `level`: a key of LEVELS;
    `reason`: a key of REASONS or "". `post_licence`: a 证后监督检查.
    """

    on: date
    item: str
    sector: str
    bureau: str
    level: str
    visit: str = ""
    pick: str = ""
    on_site: bool = True
    reason: str = ""
    post_licence: bool = False


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` in a window.

    `scope` says what counts together: each item (sector, bureau, level) for itself, or,
    where `of` names some, those together and no others ("level" of city and county).
    `window`: year (calendar), years (any `n` calendar years in a row), months (any `n`
    months), licence (the licence's validity). `counts`: visits | draws.
    `on_site`: only checks on site count. `exempt`: reasons that are not counted.
    """

    code: str
    name: str
    scope: str
    most: int
    window: str = "year"
    n: int = 1
    of: tuple[str, ...] = ()
    counts: str = "visits"
    on_site: bool = True
    exempt: tuple[str, ...] = tuple(REASONS)


@dataclass(frozen=True, slots=True)
class Pause:
    """After one kind of check, none of another for a while.

    `after`: upper (a higher level has checked the same item) | post_licence (a 证后监督检查
    in the same sector). `months` from that day; 0: to the end of its calendar year.
    """

    code: str
    name: str
    after: str
    months: int
    exempt: tuple[str, ...] = tuple(REASONS)


@dataclass(frozen=True, slots=True)
class Peace:
    """A place on the 无事不扰 list; `sectors` empty: of every sector, `until` None: until taken off."""

    since: date
    until: date | None = None
    sectors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """All that applies on a day, in the order in which a refusal is named."""

    caps: tuple[Cap, ...] = ()
    pauses: tuple[Pause, ...] = ()
    peace_exempt: tuple[str, ...] = tuple(REASONS)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: `rule` is its code, `sentence` for people, `exempt` the reasons that would allow it."""

    rule: str
    sentence: str
    exempt: tuple[str, ...]
    kind: str = "cap"  # cap | pause | peace

    @property
    def remedy(self) -> str:
        """What would allow it, for people."""
        if not self.exempt:
            return "没有可以例外的情形。"
        return f"确属以下情形之一并登记事由的除外：{'、'.join(REASONS[reason] for reason in self.exempt)}。"


# ---- one entity -----------------------------------------------------------------------


def find_refusal(
    rules: Rules, history: Sequence[Event], event: Event, *, licence: Period | None = None, peace: Sequence[Peace] = ()
) -> Refusal | None:
    """The first rule that forbids `event` after (and beside) `history`; None where it is allowed.

    `history` may hold later days too (planned visits, a list handed in late), in any order;
    an event of the same visit already there is the same disturbance. `licence`: validity of the
    licence the item belongs to; where it is not known, a cap by licence counts all of the history.
    """
    for entry in peace:
        if _disturbs(entry, event) and event.reason not in rules.peace_exempt:
            sentence = "该对象在“无事不扰”名单内，不主动安排检查。"
            return Refusal("peace", sentence, rules.peace_exempt, "peace")
    for pause in rules.pauses:
        if event.reason not in pause.exempt and (before := _paused_by(pause, history, event)):
            return Refusal(pause.code, _pause_sentence(pause, before), pause.exempt, "pause")
    for cap in rules.caps:
        met = _fullest(cap, history, event, licence)
        if len(met) > cap.most:
            return Refusal(cap.code, _cap_sentence(cap, met, event, licence), cap.exempt)
    return None


def _disturbs(entry: Peace, event: Event) -> bool:
    inside = entry.since <= event.on and (entry.until is None or event.on <= entry.until)
    return inside and (not entry.sectors or event.sector in entry.sectors)


def _paused_by(pause: Pause, history: Sequence[Event], event: Event) -> Event | None:
    if pause.after == "post_licence" and event.post_licence:
        return None
    for before in history:
        ends = add_months(before.on, pause.months) if pause.months else date(before.on.year + 1, 1, 1)
        if not before.on <= event.on < ends or before.visit == event.visit != "":
            continue
        if pause.after == "upper" and before.item == event.item and _RANK[before.level] < _RANK[event.level]:
            return before
        if pause.after == "post_licence" and before.post_licence and before.sector == event.sector:
            return before
    return None


_SCOPE: Mapping[str, Callable[[Event], str]] = {
    "item": attrgetter("item"), "sector": attrgetter("sector"), "bureau": attrgetter("bureau"),
    "level": attrgetter("level"), "all": lambda event: "",
}  # fmt: skip


def _counts(cap: Cap, event: Event) -> bool:
    if event.reason in cap.exempt or cap.on_site and not event.on_site:
        return False
    if cap.counts == "draws" and not event.pick:
        return False
    return not cap.of or _SCOPE[cap.scope](event) in cap.of


def _fullest(cap: Cap, history: Sequence[Event], event: Event, licence: Period | None) -> dict[str, date]:
    """What the cap counts in the fullest of its windows that hold the event, the event included; key -> day."""
    if not _counts(cap, event):
        return {}
    value = _SCOPE[cap.scope]
    group = value(event)
    # Own visits without a name are told apart by their place in the list.
    counted = [
        ((one.visit if cap.counts == "visits" else one.pick) or f"\n{n}", one.on)
        for n, one in enumerate((*history, event))
        if _counts(cap, one) and (cap.of or value(one) == group)
    ]
    if len(counted) <= cap.most:  # too few in all: no window can be over, the usual case
        return {}
    fullest: dict[str, date] = {}
    for begins, ends in _windows(cap, event.on, [day for _, day in counted], licence):
        met = {key: day for key, day in counted if begins <= day < ends}
        if len(met) > len(fullest):
            fullest = met
    return fullest


def _windows(cap: Cap, day: date, days: Iterable[date], licence: Period | None) -> Iterable[tuple[date, date]]:
    """The windows that hold `day`, as (first day, day after the last); rolling ones start on a counted day."""
    if cap.window == "licence":
        known = licence is not None and licence[0] <= day <= licence[1]
        return [(licence[0], licence[1] + timedelta(1))] if known else [(date.min, date.max)]
    if cap.window == "months":
        return [(one, add_months(one, cap.n)) for one in sorted(set(days)) if one <= day < add_months(one, cap.n)]
    n = cap.n if cap.window == "years" else 1
    return [(date(year, 1, 1), date(year + n, 1, 1)) for year in range(day.year - n + 1, day.year + 1)]


def counters(rules: Rules, history: Sequence[Event], on: date, licence: Period | None = None) -> list[tuple[Cap, str, int]]:
    """(cap, group of its scope, how often in the fullest window that holds `on`), for groups that met anything; a cap that met nothing stands once with 0."""
    found: list[tuple[Cap, str, int]] = []
    for cap in rules.caps:
        value, groups = _SCOPE[cap.scope], {}
        for n, one in enumerate(history):
            if _counts(cap, one):
                key = (one.visit if cap.counts == "visits" else one.pick) or f"\n{n}"
                groups.setdefault("" if cap.of else value(one), []).append((key, one.on))
        for group, met in sorted(groups.items()):
            windows = _windows(cap, on, [day for _, day in met], licence)
            most = max((len({key for key, day in met if begins <= day < ends}) for begins, ends in windows), default=0)
            found.append((cap, group, most))
        if not groups:
            found.append((cap, "", 0))
    return found


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(day.day - 1), following - timedelta(1))


def days_checked(history: Sequence[Event], item: str) -> list[date]:
    """The days on which an item was or will be checked, a visit once; those with an exempting reason left out."""
    met = {one.visit or f"\n{n}": one.on for n, one in enumerate(history) if one.item == item and not one.reason}
    return sorted(met.values())


# ---- sentences ------------------------------------------------------------------------


def _pause_sentence(pause: Pause, before: Event) -> str:
    until = f"{pause.months} 个月内" if pause.months else "当年"
    if pause.after == "upper":
        return f"{LEVELS[before.level]}已于 {before.on} 检查过同一事项，{until}下级原则上不再重复检查。"
    return f"已于 {before.on} 实施证后监督检查，{until}不再安排常规监督检查。"


def _cap_sentence(cap: Cap, met: Mapping[str, date], event: Event, licence: Period | None) -> str:
    others = sorted(met.values())
    others.remove(event.on)  # the event's own day stands once among them
    shown = "、".join(str(day) for day in others[-4:])
    said = {
        "year": f"{event.on.year} 年内", "years": f"连续 {cap.n} 年内", "months": f"连续 {cap.n} 个月内",
        "licence": "许可证有效期内" if licence else "（许可证有效期不明，按历次合计）",
    }[cap.window]  # fmt: skip
    scope = "、".join(LEVELS.get(one, one) for one in cap.of) if cap.of else SCOPES[cap.scope]
    return f"{scope}{said}{COUNTS[cap.counts]}已有 {len(others)} 次（{shown}），已达“{cap.name}”的上限 {cap.most} 次。"


# ---- many entities --------------------------------------------------------------------


def find_refusals(
    rules: Rules,
    codes: Iterable[str],
    histories: Mapping[str, Sequence[Event]],
    event: Event,
    *,
    joins: Mapping[str, str] | None = None,
    licences: Mapping[str, Period] | None = None,
    peace: Mapping[str, Sequence[Peace]] | None = None,
) -> dict[str, Refusal]:
    """The codes to which `event` may not happen, with the refusal: one call for a batch of a pool.

    `joins`: code -> open visit the event would join there. Whoever has no history and is on
    no list is allowed, since every cap is at least 1; so the cost is that of the histories.
    """
    joins, licences, peace = joins or {}, licences or {}, peace or {}
    found: dict[str, Refusal] = {}
    for code in codes:
        history, left = histories.get(code, ()), peace.get(code, ())
        if not history and not left:
            continue
        own = replace(event, visit=joins[code]) if code in joins else event
        if refusal := find_refusal(rules, history, own, licence=licences.get(code), peace=left):
            found[code] = refusal
    return found


def dispatch(
    rules: Rules,
    histories: Mapping[str, Sequence[Event]],
    wanted: Iterable[tuple[str, Event]],
    *,
    licences: Mapping[tuple[str, str], Period] | None = None,
    peace: Mapping[str, Sequence[Peace]] | None = None,
) -> tuple[list[tuple[str, Event]], list[tuple[str, Event, Refusal]]]:
    """(code, event) pairs let through one after the other, and the refused ones with why.

    What is let through counts for what comes after it; `licences`: (code, item) -> validity.
    """
    grown: dict[str, list[Event]] = {}
    admitted: list[tuple[str, Event]] = []
    refused: list[tuple[str, Event, Refusal]] = []
    for code, event in wanted:
        history = grown.setdefault(code, list(histories.get(code, ())))
        licence = (licences or {}).get((code, event.item))
        refusal = find_refusal(rules, history, event, licence=licence, peace=(peace or {}).get(code, ()))
        if refusal:
            refused.append((code, event, refusal))
        else:
            history.append(event)
            admitted.append((code, event))
    return admitted, refused

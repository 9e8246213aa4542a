"""Caps in the office: asked when a pool is frozen, when visits are dispatched and when somebody arrives.

What counts is the history of a holder across all bureaus of the installation: visits made
and planned, and picks that will become visits. Without a profile there are no caps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from portal.domain import caps
from portal.domain.caps import REASONS, Event, Peace, Period, Refusal, Rules
from portal.domain.dispatch import Door, dispatch_visits
from portal.domain.errors import BadInput, WrongMoment
from portal.domain.model import Candidate
from portal.domain.packing import pack
from portal.domain.profile import Profile
from portal.domain.visits import Combined
from portal.steps.acting import Acting
from portal.steps.profile import load_profile
from portal.store import accounts, directory, plan
from portal.store import visits as visit_store
from portal.store import year as store
from portal.store.engine import transaction
from portal.store.locks import hold

BEFORE = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """All that decides: `histories`, `peace` and `allowances` by holder, `offices`: organisation id -> (bureau, level)."""

    rules: Rules
    histories: Mapping[str, Sequence[Event]]
    peace: Mapping[str, Sequence[Peace]]
    allowances: Mapping[str, Sequence[Mapping[str, Any]]]
    offices: Mapping[int, tuple[str, str]]

    def event(self, task: Mapping[str, Any], item: str, holder: str, on: date, visit: str = "", *, drawn: bool = True) -> Event:
        """The check of an item for a task, with the reason that is on record for it."""
        bureau, level = self.offices[task["organisation"]]
        reason = self.reason_of(holder, item, on)
        return Event(on, item, item.split(".")[0], bureau, level, visit, task["code"] if drawn else "", reason=reason)

    def reason_of(self, holder: str, item: str, on: date) -> str:
        """The exempting reason on record for a check of an item at a holder on a day, "" where there is none."""
        return next(
            (
                one["reason"]
                for one in self.allowances.get(holder, ())
                if one["item_code"] in ("", item) and one["since"] <= on and (one["until"] is None or on <= one["until"])
            ),
            "",
        )


def level_of(region: str) -> str:
    """province | city | county, by a GB/T 2260 code."""
    return "province" if region.endswith("0000") else "city" if region.endswith("00") else "county"


async def load_limits(act: Acting, day: date, without_visit: str = "", *, history: bool = False) -> Limits:
    """The limits that hold on `day`, with the whole history; `without_visit` leaves one visit out of it.

    `history`: load it even where no cap asks for it.
    """
    profile = await load_profile(act)
    rules = profile.rules_on(day) if profile else Rules()
    organisations = await accounts.load_organisations()
    by_id = {one["id"]: one for one in organisations}
    offices = {}
    for one in organisations:
        bureau = by_id[accounts.bureaus_of(organisations, one["id"])[0]]
        offices[one["id"]] = bureau["code"], level_of(bureau["region"])
    peace: dict[str, list[Peace]] = {}
    for row in await store.load_peace(day):
        peace.setdefault(row["holder"], []).append(Peace(row["since"], row["until"], tuple(row["sectors"])))
    limits = Limits(rules, {}, peace, {}, offices)
    if not (rules.caps or rules.pauses or history):
        return replace(limits, allowances=await _allowances(peace))
    visited = [row for row in await store.load_visited(BEFORE) if row["visit"] != without_visit]
    awaiting = await store.load_awaiting_dispatch()
    left_out = await store.load_left_out()
    tasks = await plan.load_tasks_by_id({row["task"] for row in (*visited, *awaiting)})
    holders = {code: row["holder"] for code, row in (await directory.load_entities({row["code"] for row in awaiting})).items()}
    limits = replace(limits, allowances=await _allowances([*peace, *(row["holder"] for row in visited), *holders.values()]))
    histories: dict[str, list[Event]] = {}
    for row in visited:
        task = tasks[row["task"]]
        for item, _ in plan.items_of(task):
            if (row["task"], row["entity_code"], item) not in left_out:
                drawn = item == task["item_code"]
                histories.setdefault(row["holder"], []).append(limits.event(task, item, row["holder"], row["day"], row["visit"], drawn=drawn))
    for row in awaiting:
        if (holder := holders.get(row["code"])) and (row["task"], row["code"], "") not in left_out:
            task = tasks[row["task"]]
            # The picks of one round at one place will be one visit.
            waiting = f"\n{row['round']} {holder}"
            histories.setdefault(holder, []).append(limits.event(task, task["item_code"], holder, row["day"], waiting))
    return replace(limits, histories=histories)


async def load_counters(act: Acting, holder: str, profile: Profile | None) -> list[dict[str, Any]]:
    """What each cap of the profile counts for one holder today: {name, group, number, most}; nothing without a profile."""
    rules = profile.rules_on(act.today) if profile else Rules()
    if not rules.caps:
        return []
    organisations = await accounts.load_organisations()
    by_id = {one["id"]: one for one in organisations}
    offices = {}
    for one in organisations:
        bureau = by_id[accounts.bureaus_of(organisations, one["id"])[0]]
        offices[one["id"]] = bureau["code"], level_of(bureau["region"])
    limits = Limits(rules, {}, {}, await _allowances([holder]), offices)
    visited = await store.load_visited(BEFORE, holder)
    tasks, left_out = await plan.load_tasks_by_id({row["task"] for row in visited}), await store.load_left_out({row["task"] for row in visited})
    events = [
        limits.event(task := tasks[row["task"]], item, holder, row["day"], row["visit"], drawn=item == task["item_code"])
        for row in visited
        for item, _ in plan.items_of(tasks[row["task"]])
        if (row["task"], row["entity_code"], item) not in left_out
    ]
    bureaus = {one["code"]: one["name"] for one in organisations}
    return [
        {"name": cap.name, "group": bureaus.get(group, caps.LEVELS.get(group, group)), "number": number, "most": cap.most}
        for cap, group, number in caps.counters(rules, events, act.today)
    ]


async def _allowances(holders: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await store.load_allowances(set(holders)):
        found.setdefault(row["holder"], []).append(row)
    return found


# Freezing --------------------------------------------------------------------


def exclude(limits: Limits, task: Mapping[str, Any], candidates: Sequence[Candidate], day: date, joins: Mapping[str, str]) -> dict[str, Refusal]:
    """code -> why the caps pass it over; `joins`: code -> open visit that the task would join."""
    found: dict[str, Refusal] = {}
    for candidate in candidates:
        history, peace = limits.histories.get(candidate.holder, ()), limits.peace.get(candidate.holder, ())
        if history or peace:
            event = limits.event(task, task["item_code"], candidate.holder, day, joins.get(candidate.code, ""))
            if refusal := caps.find_refusal(limits.rules, history, event, licence=validity_of(candidate.licences), peace=peace):
                found[candidate.code] = refusal
    return found


def days_of(limits: Limits, holder: str, item: str) -> list[date]:
    """The days on which an item was or will be checked at a holder (`caps.days_checked`)."""
    return caps.days_checked(limits.histories.get(holder, ()), item)


def validity_of(licences: Sequence[Mapping[str, Any]]) -> Period | None:
    """The validity of the one licence, None where there is none, or which of several is meant is not known."""
    if len(licences) != 1 or not licences[0].get("issued_on") or not licences[0].get("valid_to"):
        return None
    return date.fromisoformat(licences[0]["issued_on"]), date.fromisoformat(licences[0]["valid_to"])


# Dispatch --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dispatched:
    """`combined` without what the caps forbid; `dismissed`: (task, code, item or "" for the whole pick, refusal)."""

    combined: Combined
    dismissed: tuple[tuple[str, str, str, Refusal], ...]


def dispatch(
    limits: Limits,
    combined: Combined,
    tasks: Mapping[str, Mapping[str, Any]],
    riders: Mapping[str, Sequence[str]],
    days: Mapping[str, date],
    joined: Mapping[str, Mapping[str, Any]],
) -> Dispatched:
    """Every visit's items through the caps, one after the other, own items before riders.

    `tasks`: code -> task; `riders`: task -> items that join it; `days`: visit -> day of new visits;
    `joined`: code -> row of the open visits joined. A rider goes only where its host does.
    """
    own = {task["code"] for task in tasks.values()}
    # This round's own picks were waiting in the history until now.
    histories = {
        holder: [one for one in events if not (one.visit.startswith("\n") and one.pick in own)] for holder, events in limits.histories.items()
    }
    doors = [Door(one.id, one.place.code, one.place.holder, days[one.id], one.tasks) for one in combined.visits]
    doors += [Door(code, joined[code]["entity_code"], joined[code]["holder"], joined[code]["day"], names) for code, names in combined.joined.items()]
    found = dispatch_visits(
        limits.rules, histories, limits.peace, doors, {code: task["item_code"] for code, task in tasks.items()}, riders,
        lambda task, item, holder, on, visit, drawn: limits.event(tasks[task], item, holder, on, visit, drawn=drawn),
    )  # fmt: skip
    visits = tuple(replace(visit, tasks=found.kept[visit.id]) for visit in combined.visits if found.kept[visit.id])
    still = {code: found.kept[code] for code in combined.joined if found.kept[code]}
    return Dispatched(Combined(visits, still, combined.picks), found.dismissed)


# Arrival ---------------------------------------------------------------------


async def require_admitted(act: Acting, visit: Mapping[str, Any]) -> None:
    """WrongMoment at the door, where this visit would go beyond a cap today: an event since its dispatch may have used it up."""
    limits = await load_limits(act, act.today, without_visit=visit["code"])
    carried = (await visit_store.load_tasks_of_visits([visit["id"]])).get(visit["id"], [])
    tasks = await plan.load_tasks_by_id(carried)
    left_out = await store.load_left_out()
    history = list(limits.histories.get(visit["holder"], ()))
    for task in tasks.values():
        for item, _ in plan.items_of(task):
            if (task["id"], visit["entity_code"], item) in left_out:
                continue
            event = limits.event(task, item, visit["holder"], act.today, visit["code"], drawn=item == task["item_code"])
            if refusal := caps.find_refusal(limits.rules, history, event, peace=limits.peace.get(visit["holder"], ())):
                raise WrongMoment(f"不能入企：{refusal.sentence}{refusal.remedy}")
            history.append(event)


def require_room(limits: Limits, holder: str, planned: Sequence[Event], more: Sequence[Event], doing: str = "分开") -> None:
    """WrongMoment where `more` of a visit split off or moved would go beyond a cap; `planned`: what the visit it came from still checks."""
    history = [*limits.histories.get(holder, ()), *planned]
    for event in more:
        if refusal := caps.find_refusal(limits.rules, history, event, peace=limits.peace.get(holder, ())):
            raise WrongMoment(f"不能{doing}：{refusal.sentence}{refusal.remedy}")
        history.append(event)


# Reasons and lists -----------------------------------------------------------


async def allow(act: Acting, holder: str, item: str, reason: str, note: str, since: date, until: date | None) -> bool:
    """Put on record why checks of an item (empty: of every item) at a holder may go beyond the caps.

    The same once more (a second click) changes nothing; False then.
    """
    act.require("caps.allow")
    if reason not in REASONS:
        raise BadInput(f"事由“{reason}”不认识，可用：{'、'.join(f'{code}（{name}）' for code, name in REASONS.items())}。")
    if not note.strip():
        raise BadInput("请写明来源，如投诉单号、交办文号。")
    await _require_listed(act, holder, since, until)
    values = {
        "organisation": act.bureau["id"], "holder": holder, "item_code": item, "reason": reason, "note": note.strip(),
        "since": since, "until": until, "entered_by": act.account, "entered_at": act.now,
    }  # fmt: skip
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if not await store.save_allowance(values):
            return False
        await act.audit("caps.allow", holder, reason=reason, item=item, note=note.strip())
    return True


async def leave_in_peace(act: Acting, holder: str, sectors: Sequence[str], reason: str, since: date, until: date | None) -> bool:
    """Put a holder on the 无事不扰 list, of some sectors or (none named) of all; False where the same entry is there already."""
    act.require("caps.peace")
    if not reason.strip():
        raise BadInput("请写明列入“无事不扰”名单的依据。")
    await _require_listed(act, holder, since, until)
    values = {
        "organisation": act.bureau["id"], "holder": holder, "sectors": pack(sorted(set(sectors))), "reason": reason.strip(),
        "since": since, "until": until, "entered_by": act.account, "entered_at": act.now,
    }  # fmt: skip
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if not await store.save_peace(values):
            return False
        await act.audit("caps.peace", holder, sectors=sorted(set(sectors)), reason=reason.strip())
    return True


async def _require_listed(act: Acting, holder: str, since: date, until: date | None) -> None:
    if until is not None and until < since:
        raise BadInput(f"截止日期 {until} 早于起始日期 {since}。请改正。")
    if await directory.load_entity(holder, act.tree) is None:
        raise BadInput(f"名录中没有代码 {holder}，或者不在您的辖区。请核对统一社会信用代码。")

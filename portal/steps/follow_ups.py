"""后续处置: what a review confirmed is carried out step by step and closed, each step with its day, who, and words for the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from portal.domain import calendar
from portal.domain import follow_ups as domain
from portal.domain.errors import BadInput, Problem, WrongMoment
from portal.steps.acting import Acting
from portal.store import directory, visits
from portal.store import follow_ups as store
from portal.store import records
from portal.store.engine import transaction

__all__ = [
    "LONGEST", "SOON", "Next", "answer_follow_up", "close_follow_up", "extend_follow_up", "issue_follow_up", "load_follow_up", "load_follow_ups",
    "load_reminders", "order_recheck",
]  # fmt: skip

LONGEST = 300  # characters of what is written at a step
SOON = 5  # working days before the deadline from which people are reminded


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a follow-up that did not end the matter: its kind, its working days (0: by law, or none), words for the file."""

    kind: str
    days: int = 0
    note: str = ""


# Reading ----------------------------------------------------------------------


def _told(row: Mapping[str, Any], today: date) -> dict[str, Any]:
    due = domain.due_of(row)
    return {**row, "due": due, "late": row["state"] != "closed" and due.is_late(today), "left": calendar.workdays_left(today, due.on)}


async def load_follow_ups(act: Acting, state: str, limit: int, *, kind: str = "", due: str = "") -> list[dict[str, Any]]:
    """Follow-ups in reach (store.load_follow_up_page: first those due first), with entity's name, deadline, whether late, working days left.

    `due`: late | soon | undated, or empty for all.
    """
    act.require("record.read")
    until = {"late": act.today - timedelta(days=1), "soon": act.today + timedelta(days=4 * SOON)}.get(due)
    found = await store.load_follow_up_page(act.tree, state, limit, kind=kind, until=until, undated=due == "undated")
    rows = [_told(row, act.today) for row in found]
    names = await directory.load_entities({row["record.visit.entity_code"] for row in rows})
    return [{**row, "entity": names.get(row["record.visit.entity_code"])} for row in rows if due != "soon" or _is_soon(row, act.today)]


def _is_soon(row: Mapping[str, Any], today: date) -> bool:
    """Late, or due within SOON working days; a week where working days cannot be counted."""
    if row["due"].on is None:
        return False
    return row["left"] <= SOON if row["left"] is not None else row["due"].on <= today + timedelta(days=7)


async def load_reminders(act: Acting) -> list[dict[str, Any]]:
    """Open follow-ups of whoever is responsible that are late or due within SOON working days, those due first.

    An inspector answers for the records he entered, everybody else who may close one for those of his organisations.
    """
    if not act.may("record.close"):
        return []
    mine = act.inspector["id"] if act.inspector is not None and set(act.roles) == {"inspector"} else None
    rows = await store.load_follow_up_page(act.tree, "open", 1000, until=act.today + timedelta(days=4 * SOON), inspector=mine)
    told = [_told(row, act.today) for row in rows]
    return [row for row in told if _is_soon(row, act.today)]


async def load_follow_up(act: Acting, follow_up: int) -> dict[str, Any]:
    """One follow-up with all that is known of it.

    {"row", "kind", "acts", "record", "visit", "entity", "history", "parent", "children"}; `acts`: steps possible now
    that this person may take; `history`: {"on", "at", "by", "words", "note", "due_on"} from confirmation to the last step.
    """
    act.require("record.read")
    row = await records.load_follow_up(follow_up, act.tree)
    record = await records.load_record(row["record"], act.tree)
    visit = (await visits.load_visits_by_id({record["visit"]}))[record["visit"]]
    chain = {one["id"]: _told(one, act.today) for one in await store.load_chain(record["id"])}
    events = await store.load_events(follow_up)
    row = chain[follow_up]
    return {
        "row": row, "kind": domain.KINDS[row["kind"]], "record": record, "visit": visit, "seen": len(events),
        "entity": (await directory.load_entities([visit["entity_code"]])).get(visit["entity_code"]),
        "acts": [name for name in domain.acts_of(row) if act.may(PERMISSIONS[name])], "history": _history(row, events),
        "parent": chain.get(row["parent"]), "children": [one for one in chain.values() if one["parent"] == follow_up],
    }  # fmt: skip


def _history(row: Mapping[str, Any], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    begun = "由上一项处置产生" if row["parent"] else "审核确认"
    lines = [{"on": None, "at": row["confirmed_at"], "by": row["confirmed_by.name"], "words": f"{begun}：{domain.KINDS[row['kind']].label}", "note": row["note"], "due_on": None}]
    for one in events:
        words = domain.label_of(row["kind"], one["act"])
        if one["act"] == "close":
            words = f"办结：{domain.ENDINGS[row['ending']]}"
        moved = one["due_on"] if one["act"] in ("extend", "answer") else None
        lines.append({"on": one["on"], "at": one["at"], "by": one["by.name"], "words": words, "note": one["note"], "due_on": moved})
    if row["state"] == "closed" and not any(one["act"] == "close" for one in events):  # closed before steps were kept
        lines.append({"on": row["closed_on"], "at": row["closed_at"], "by": row["closed_by.name"], "words": "办结", "note": row["result"], "due_on": None})
    return lines


# Steps ------------------------------------------------------------------------

#: step -> the act in domain/roles.py
PERMISSIONS = {"issue": "record.follow", "recheck": "record.follow", "answer": "record.report", "extend": "record.extend", "close": "record.close"}
_NOW = {
    "issue": "这项后续处置已经发出，不用再登记。", "answer": "这项后续处置不需要登记回复，或者已经登记。", "recheck": "这类后续处置不安排复查。",
    "extend": "这项后续处置没有可以延长的期限。",
}  # fmt: skip


async def _held(act: Acting, follow_up: int, step: str, seen: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """(follow-up, its record), both as they are until the transaction ends, where this step can be taken now.

    `seen`: how many steps the page showed; None from a command.
    """
    row = await records.load_follow_up(follow_up, act.tree)
    record = await records.lock_record(row["record"], act.tree)
    row = await records.load_follow_up(follow_up, act.tree)
    if row["state"] == "closed":
        raise WrongMoment("这项后续处置已经办结，请刷新后再看。")
    if seen is not None and seen != len(await store.load_events(follow_up)):
        raise WrongMoment("别人刚刚办理了这项后续处置，您的操作没有保存。请刷新后再看。")
    if step not in domain.acts_of(row):
        fixed = domain.KINDS[row["kind"]].fixed and step == "extend"
        raise WrongMoment(f"“{domain.KINDS[row['kind']].label}”的期限由法律规定，不能延长。" if fixed else _NOW[step])
    return row, record


def _check(act: Acting, record: Mapping[str, Any], on: date, words: str, field: str, what: str, *, needed: str) -> list[Problem]:
    problems = []
    if needed and not words.strip():
        problems.append(Problem(field, needed))
    elif len(words) > LONGEST:
        problems.append(Problem(field, f"{what}有 {len(words)} 个字，最多 {LONGEST} 个。"))
    if on > act.today or on < record["inspected_on"]:
        problems.append(Problem("on", f"日期 {on} 应在检查日期 {record['inspected_on']} 到今天之间。"))
    return problems


def _check_days(days: int, least: int) -> list[Problem]:
    if least <= days <= domain.LONGEST_DAYS:
        return []
    return [Problem("days", f"工作日数应在 {least} 到 {domain.LONGEST_DAYS} 之间，填的是 {days}。")]


async def _save(act: Acting, row: Mapping[str, Any], step: str, values: Mapping[str, Any], on: date, note: str) -> None:
    if not await store.save_step(row, step, values, on=on, note=note.strip(), by=act.account, at=act.now):
        raise WrongMoment("别人刚刚办理了这项后续处置，请刷新后再看。")


def _refuse(problems: list[Problem], what: str) -> None:
    if problems:
        raise BadInput(f"{what}没有保存，请按提示修改。", problems)


async def issue_follow_up(act: Acting, follow_up: int, on: date, note: str, seen: int | None = None) -> None:
    """The order was served, the transfer or the proposal went out, on a day from the check to today."""
    act.require(PERMISSIONS["issue"])
    async with transaction():
        row, record = await _held(act, follow_up, "issue", seen)
        kind = domain.KINDS[row["kind"]]
        _refuse(_check(act, record, on, note, "note", "情况", needed="请写明移送或抄告给哪个单位、文号。" if kind.addressed else ""), f"“{kind.issued}”")
        await _save(act, row, "issue", {"state": "issued"}, on, note)
        await act.audit("record.follow", f"{record['id']}/{follow_up}", on=on.isoformat())


async def answer_follow_up(act: Acting, follow_up: int, on: date, note: str, seen: int | None = None) -> date | None:
    """The entity's report or the other office's answer came in; the deadline, where it begins to count from that day.

    The first one stands: a later one would put off what is due.
    """
    act.require(PERMISSIONS["answer"])
    async with transaction():
        row, record = await _held(act, follow_up, "answer", seen)
        _refuse(_check(act, record, on, note, "note", "情况", needed=""), f"“{domain.KINDS[row['kind']].answered}”")
        begins = domain.due_of(row).state == "waits"
        deadline = domain.counted(row["due_days"], on) if begins else {}
        await _save(act, row, "answer", {"state": "answered", **deadline}, on, note)
        due = deadline.get("due_on")
        await act.audit("record.report", f"{record['id']}/{follow_up}", on=on.isoformat(), **({"due": due.isoformat()} if due else {}))
    return due


async def extend_follow_up(act: Acting, follow_up: int, days: int, reason: str, seen: int | None = None) -> date | None:
    """Put the deadline off by so many working days, for a reason; the new day, None where its year's working days are not out."""
    act.require(PERMISSIONS["extend"])
    async with transaction():
        row, record = await _held(act, follow_up, "extend", seen)
        _refuse([*_check_days(days, 1), *_check(act, record, act.today, reason, "reason", "理由", needed="请写明为什么延长。")], "延长的期限")
        if row["counts_on"]:
            values = domain.counted(row["due_days"] + days, row["counts_on"])
        else:  # only its day is known
            values = domain.counted(days, row["due_on"])
        await _save(act, row, "extend", values, act.today, f"延长 {days} 个工作日：{reason.strip()}")
        due = values["due_on"]
        await act.audit("record.extend", f"{record['id']}/{follow_up}", days=days, due=due.isoformat() if due else "", reason=reason.strip())
    return due


async def order_recheck(act: Acting, follow_up: int, days: int, note: str, seen: int | None = None) -> int:
    """A re-check of an order to rectify, due in so many working days from today; its number.  One at a time."""
    act.require(PERMISSIONS["recheck"])
    async with transaction():
        row, record = await _held(act, follow_up, "recheck", seen)
        _refuse([*_check_days(days, 1), *_check(act, record, act.today, note, "note", "说明", needed="")], "复查")
        if await _open_rechecks(row):
            raise WrongMoment("这项责令改正已经安排了复查，还没有办结。请先办结那次复查。")
        await _save(act, row, "recheck", {}, act.today, note)
        made = await _follow(act, row, Next("recheck", days, note), act.today)
        await act.audit("record.recheck", f"{record['id']}/{follow_up}", made=made)
    return made


async def _open_rechecks(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in await store.load_chain(row["record"]) if one["parent"] == row["id"] and one["kind"] == "recheck" and one["state"] != "closed"]


async def _follow(act: Acting, row: Mapping[str, Any], then: Next, counts_on: date) -> int:
    days = then.days or domain.KINDS[then.kind].clock
    known = {"record": row["record"], "parent": row["id"], "kind": then.kind, "note": then.note.strip(), "confirmed_by": act.account, "confirmed_at": act.now}
    return await store.save_follow_up(known | domain.counted(days, counts_on))


async def close_follow_up(
    act: Acting, follow_up: int, on: date, result: str, ending: str = domain.DONE, then: Next | None = None, seen: int | None = None
) -> int | None:
    """Close a follow-up of a record in reach; published results say so with the next publication. The number of what follows it.

    `on`: the day it was settled, from the check to today; `result`: how, for the file, never public.
    `ending`: one of its kind (domain.follow_ups.KINDS); one that does not settle the matter needs `then`.
    A re-check that is closed closes the order it checked.
    """
    act.require(PERMISSIONS["close"])
    async with transaction():
        row, record = await _held(act, follow_up, "close", seen)
        problems = _check(act, record, on, result, "result", "办结情况", needed="请写明怎样办结的，例如“7月10日复查，已改正”。")
        problems += _check_ending(row, ending, then)
        _refuse(problems, "办结情况")
        if await _open_rechecks(row):
            raise WrongMoment("已经安排的复查还没有办结。请先办结复查，责令改正随复查一并办结。")
        made = None
        await _close(act, row, on, result, ending)
        if then is not None:
            made = await _follow(act, row, then, _counts_on(row, then, on))
        parents = {one["id"]: one for one in await store.load_chain(row["record"])}
        parent = parents.get(row["parent"])
        if row["kind"] == "recheck" and parent is not None and parent["kind"] == "rectify" and parent["state"] != "closed":
            await _close(act, parent, on, f"复查：{result.strip()}", ending)
        await act.audit("record.close", f"{record['id']}/{follow_up}", on=on.isoformat(), ending=ending, **({"made": made} if made else {}))
    return made


def _counts_on(row: Mapping[str, Any], then: Next, on: date) -> date:
    """An enterprise that did not do what it was ordered to is listed within days of the end of the ordered term (DOMAIN.md R50)."""
    due = domain.due_of(row).on
    return due if then.kind == "abnormal_list" and row["kind"] == "rectify" and due is not None and due <= on else on


async def _close(act: Acting, row: Mapping[str, Any], on: date, result: str, ending: str) -> None:
    values = {"state": "closed", "closed_on": on, "result": result.strip(), "ending": ending, "closed_by": act.account, "closed_at": act.now}
    await _save(act, row, "close", values, on, result)


def _check_ending(row: Mapping[str, Any], code: str, then: Next | None) -> list[Problem]:
    kind, ending = domain.KINDS[row["kind"]], domain.ending_of(row["kind"], code)
    if ending is None:
        known = "、".join(one.label for one in kind.endings)
        return [Problem("ending", f"“{kind.label}”不能这样办结，可选：{known}。")]
    if ending.then and (then is None or then.kind not in ending.then):
        known = "、".join(domain.KINDS[one].label for one in ending.then)
        return [Problem("then", f"“{ending.label}”不是终点，请选择下一项处置：{known}。")]
    if then is not None and not ending.then:
        return [Problem("then", f"“{ending.label}”以后没有下一项处置，请改选办结结果，或者不选下一项。")]
    if then is not None:
        return _check_days(then.days, 0) + ([Problem("note", f"说明最多 {LONGEST} 个字。")] if len(then.note) > LONGEST else [])
    return []


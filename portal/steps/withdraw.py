"""Publications are withdrawn, shown for a time only, or corrected (公示员); the site forgets what it must not show.

A withdrawal or correction queues a release: the law gives three working days (市场监督管理行政处罚信息公示规定), the
worker needs minutes. Nothing is deleted here: what was published stays in the file, and the log holds salted hashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from portal.domain import corrections as domain
from portal.domain.errors import BadInput, NotAllowed, Problem, WrongMoment
from portal.domain.forms import hidden_character
from portal.steps import log
from portal.steps.acting import Acting, BEIJING
from portal.steps.publish import save_version
from portal.store import accounts, jobs, records, visits
from portal.store import publish as store
from portal.store.engine import transaction
from portal.store.locks import hold

__all__ = ["LONGEST_REASON", "correct", "limit", "load_result", "load_shown", "load_stops", "load_tombstones", "load_who_limited", "release_due", "withdraw"]

LONGEST_REASON = 200


async def load_stops(act: Acting) -> dict[str, date]:
    """A result's key -> the first day on which it is not shown, of those shown for a time."""
    return _limits(await store.load_withdrawals(act.tree))


async def load_result(act: Acting, number: int) -> dict[str, Any]:
    """One published result with all that was done to it: {row, until, withdrawals, corrections}."""
    act.require("publish.read")
    row = await store.load_publication(number, act.tree)
    withdrawals = [one for one in await store.load_withdrawals(act.tree) if one["key"] == row["key"]]
    return {"row": row, "until": _limits(withdrawals).get(row["key"]), "withdrawals": withdrawals, "corrections": await store.load_corrections(act.tree, [row["key"]])}


async def withdraw(act: Acting, key: str, reason: str) -> None:
    """Withdraw a result: it and its records are shown no more. A record approved later for the same visit is published again."""
    act.require("publish.publish")
    async with transaction():
        await hold("publishing", act.bureau["id"])
        row = await _live(act, key)
        _require_reason(reason)
        visit = (await visits.load_visits_by_code([key], act.tree))[key]
        for record in await records.lock_records_of([visit["id"]]):
            if record["state"] == "published":
                await records.save_record_state(record["id"], record["version"], state="withdrawn")
        await _save(act, row, "withdraw", act.today, reason)
        await store.save_withdrawn(key)
        await act.audit("publish.withdraw", key, before=row["digest"])
        await _queue(act)


async def limit(act: Acting, key: str, until: date, reason: str) -> None:
    """Show a result up to and including a day: from the next on it is forgotten. A later limit replaces the one before."""
    act.require("publish.publish")
    async with transaction():
        await hold("publishing", act.bureau["id"])
        row = await _live(act, key)
        _require_reason(reason)
        known = _limits([one for one in await store.load_withdrawals(act.tree) if one["key"] == key]).get(key)
        if known and known <= act.today:
            raise WrongMoment(f"检查“{key}”的公示期限已满，已经停止公示。")
        if until < act.today:
            raise BadInput("没有设定公示期限。", [Problem("until", f"公示期限 {until} 已经过去。现在就要停止公示的，请撤回。")])
        since = date.fromordinal(until.toordinal() + 1)
        if known == since:
            raise WrongMoment(f"检查“{key}”的公示期限已经设定为 {until}。")
        await _save(act, row, "limit", since, reason)
        await act.audit("publish.limit", key, until=until.isoformat())


async def correct(act: Acting, key: str, item: str, field: str, new: str, reason: str, *, shown: bool) -> None:
    """Put a word of a result right: a new version with a dated notice, with old and new where `shown`.

    `item`: a check item's code, or "" for the result as a whole. Where the old word is not shown it is forgotten
    everywhere. Nobody corrects what they entered or reviewed.
    """
    act.require("publish.publish")
    async with transaction():
        await hold("publishing", act.bureau["id"])
        row = await _live(act, key)
        _require_reason(reason)
        old, new = domain.words_at(row["data"], item, field), new.strip()
        if not new or len(new) > domain.LONGEST or hidden_character(new):
            raise BadInput("没有更正。", [Problem("new", f"请写明更正为什么，不超过 {domain.LONGEST} 个字。")])
        if new == old:
            raise BadInput("没有更正。", [Problem("new", f"{domain.FIELDS[field]}现在就是“{old}”。")])
        visit = (await visits.load_visits_by_code([key], act.tree))[key]
        for record in await records.lock_records_of([visit["id"]]):
            if act.account in (record["entered_by"], record["reviewer"]):
                raise NotAllowed(f"{key} 的记录由您录入或审核，更正要由另一位公示员办理。")
        said = {"key": key, "item": item, "field": field, "old": old, "new": new, "reason": reason, "shown": shown}
        data = domain.corrected(row["data"], [said]) | {"published_on": act.today.isoformat()}
        version = await save_version(act, "result", key, data)
        await store.save_correction({
            **said, "organisation": act.bureau["id"], "entity_code": row["data"]["entity"], "publication": version, "last_index": row["log_index"],
            "entered_by": act.account, "entered_at": act.now, **await _logged(act, "correction", key, said),
        })  # fmt: skip
        await act.audit("publish.correct", key, before=row["digest"], item=item, field=field, shown=shown)
        await _queue(act)


# What the bundle is told -------------------------------------------------------


async def load_shown(act: Acting) -> list[dict[str, Any]]:
    """Live results that may be shown today, in key order."""
    limits = _limits(await store.load_withdrawals(act.whole))
    return [row for row in await store.load_live(act.whole, "result") if row["key"] not in limits or act.today < limits[row["key"]]]


async def load_tombstones(act: Acting) -> list[dict[str, Any]]:
    """What the site must forget: a line a visit, the one that reaches furthest ({visit, entity, index, why, on}).

    An expiry covers every version there is; a withdrawal and a correction those up to it.
    """
    withdrawals = await store.load_withdrawals(act.whole)
    limits = _limits(withdrawals)
    last = {row["key"]: row["log_index"] for row in await store.load_live(act.whole, "result")}
    found: dict[str, dict[str, Any]] = {}

    def add(row: Mapping[str, Any], index: int, why: str, on: date) -> None:
        stone = {"visit": row["key"], "entity": row["entity_code"], "index": index, "why": why, "on": on.isoformat()}
        if row["key"] not in found or index >= found[row["key"]]["index"]:
            found[row["key"]] = stone

    for row in await store.load_corrections(act.whole):
        if not row["shown"]:
            add(row, row["last_index"], "corrected", _day(row))
    for row in withdrawals:
        if row["kind"] == "withdraw":
            add(row, row["last_index"], "withdrawn", row["since"])
        elif act.today >= limits.get(row["key"], date.max):
            add(row, max(row["last_index"], last.get(row["key"], 0)), "expired", limits[row["key"]])
    return [found[key] for key in sorted(found)]


async def load_who_limited(now: datetime) -> str | None:
    """The login of who last set a time of publication that was over by now; None where there is none."""
    today = now.astimezone(BEIJING).date()
    every = [one["id"] for one in await accounts.load_organisations()]
    due = [row for row in await store.load_withdrawals(every) if row["kind"] == "limit" and row["since"] <= today]
    return (await accounts.load_account_by_id(due[-1]["entered_by"]))["login"] if due else None


async def release_due(act: Acting) -> int | None:
    """Queue a release where something has expired since the last one; the job's number."""
    act.require("publish.publish")
    async with transaction():
        await hold("publishing", act.bureau["id"])  # two workers look at the same minute: one of them queues
        last = await store.load_last_release()
        shown = last["made_at"].astimezone(BEIJING).date() if last else date.min
        limits = _limits(await store.load_withdrawals(act.whole))
        if not any(shown < on <= act.today for on in limits.values()):
            return None
        if any(job["kind"] == "release" and job["state"] in ("queued", "running") for job in await jobs.load_jobs()):
            return None
        job = await _queue(act)
        await act.audit("publish.expire", "site", job=job)
    return job


def said_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the log's digest of a withdrawal or correction was made from."""
    if "kind" in row:
        return {"key": row["key"], "kind": row["kind"], "since": row["since"].isoformat(), "reason": row["reason"]}
    return {name: bool(row[name]) if name == "shown" else row[name] for name in ("key", "item", "field", "old", "new", "reason", "shown")}


def _limits(withdrawals: Sequence[Mapping[str, Any]]) -> dict[str, date]:
    """key -> first day on which a result is not shown; a withdrawal ends what was limited before it."""
    found: dict[str, date] = {}
    for row in withdrawals:
        if row["kind"] == "limit":
            found[row["key"]] = row["since"]
        else:
            found.pop(row["key"], None)
    return found


def _day(row: Mapping[str, Any]) -> date:
    return row["entered_at"].astimezone(BEIJING).date()


async def _live(act: Acting, key: str) -> dict[str, Any]:
    row = await store.load_live_of(key, act.tree)
    if row is None:
        raise WrongMoment(f"检查“{key}”没有正在公示的结果：可能已经撤回，或者不在您的辖区。请刷新后再看。")
    return row


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise BadInput("没有办理。", [Problem("reason", "请写明理由和依据，例如撤销原决定的文书号。")])
    if len(reason) > LONGEST_REASON:
        raise BadInput("没有办理。", [Problem("reason", f"理由有 {len(reason)} 个字，最多 {LONGEST_REASON} 个。")])


async def _save(act: Acting, row: Mapping[str, Any], kind: str, since: date, reason: str) -> None:
    said = {"key": row["key"], "kind": kind, "since": since.isoformat(), "reason": reason.strip()}
    await store.save_withdrawal({
        **said, "since": since, "organisation": act.bureau["id"], "entity_code": row["data"]["entity"], "last_index": row["log_index"],
        "entered_by": act.account, "entered_at": act.now, **await _logged(act, "withdrawal", row["key"], said),
    })  # fmt: skip


async def _logged(act: Acting, kind: str, key: str, said: Mapping[str, Any]) -> dict[str, Any]:
    salt = act.token_bytes(32)
    digest = log.salted(salt, dict(said))
    return {"salt": salt.hex(), "digest": digest, "log_index": await log.append(act, kind, key, {"digest": digest})}


async def _queue(act: Acting) -> int:
    return await jobs.save_job("release", "site", {"login": act.login}, act.account, act.now)

"""The second random: inspectors to visits by DRAW.md section 5."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from portal.domain.assign import assign, refill, require_slots
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput, WrongMoment
from portal.domain.visits import make_slots
from portal.steps import log
from portal.steps.acting import Acting
from portal.steps.bundles import load_draw_keys
from portal.steps.parties import PEOPLE, Sent, load_sent, load_sides, name_in_slots
from portal.steps.rosters import load_snapshot, roots_of
from portal.store import accounts, directory, draw
from portal.store import visits as store
from portal.store.engine import transaction

EMPTY: Mapping[str, str] = {}


async def assign_inspectors(act: Acting, round_code: str) -> dict[str, Any]:
    """Assign two inspectors of each organisation with a part in it to each of the round's visits, once; asking again returns the stored result.

    Open visits of earlier rounds that the round's tasks joined have their people already; an organisation
    that was not going there is sent for. Candidates are those of the roster the round committed to; `slots.json` without K
    is logged before K is used on it.
    """
    act.require("visits.assign")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        runs = await store.load_runs(round_["id"])
        if runs:
            return {**_summary(json.loads(runs[0]["result"])), "again": True}
        if not await store.is_combined(round_["id"]):
            raise WrongMoment(f"轮次 {round_code} 还没有合并入企，不能匹配执法人员。")
        people = json.loads(round_["roster"])
        committed = json.loads(round_["round_json"] or "{}")  # a list drawn elsewhere has no commitment
        if round_["state"] != "external" and roots_of(act, round_["suite"], people) != (committed["roster_root"], committed["recusals_root"]):
            raise WrongMoment("存档的执法人员名录与公布的承诺不符，已拒绝匹配。请停止操作并报告。")
        sent = await load_sent(round_)
        slots = _slots(round_, sent, people)
        digest = hashlib.sha256(canonical(slots)).hexdigest()
        index = await log.append(act, "assignment", round_code, {"digest": digest})
        _, key = load_draw_keys(act, round_)
        result = await asyncio.to_thread(assign, require_slots({**slots, "K": key.hex()}))
        known = {row["code"]: row["id"] for row in await directory.load_inspectors(act.joint)}
        await store.save_run(
            {
                "round": round_["id"], "n": 1, "slots": canonical(slots).decode(), "slots_digest": digest,
                "result": canonical(result).decode(), "made_by": act.account, "made_at": act.now,
            },
            [
                {"visit": sent[visit].visit["id"], "slot": sent[visit].first + n, "inspector": known[who] if who else None}
                for visit, row in sorted(result["assigned"].items())
                for n, who in enumerate(row)
            ],
        )  # fmt: skip
        await act.audit("visits.assign", round_code, after=digest, log=index, unfilled=len(result["unfilled"]))
    return {**_summary(result), "again": False}


async def refill_slots(
    act: Acting, round_code: str, absent: Sequence[str], reason: str, *, lenders: Sequence[str] = (), after: int | None = None
) -> dict[str, Any]:
    """Draw the emptied slots of visits not begun once more, by the round's own key (DRAW.md section 5); nobody is put in by hand.

    Emptied are the slots that `absent` inspectors hold (codes or own numbers), those of recusals entered since, and
    those never filled. Everything else stays. Stations in `lenders` lend their people to all of these slots; the lot
    decides who of them goes. `after` is the run the person saw last: the same form sent twice gives what the first sending
    gave. Gives {"emptied", "filled", "unfilled": [[visit, slot], ...], "again"}. Raises WrongMoment where nothing is empty
    or somebody else drew meanwhile, BadInput for inspectors or stations nobody knows and a reason missing.
    """
    act.require("visits.assign")
    if not reason.strip():
        raise BadInput("请写明补派人员的原因，如病假、出差、新登记的回避。")
    people = await directory.load_inspectors(act.joint)
    known = {row["number"]: row["code"] for row in people if row["number"]} | {row["code"]: row["code"] for row in people}
    if strange := sorted(set(absent) - known.keys()):
        raise BadInput(f"执法人员名录中没有“{'、'.join(strange)}”，或者不在您的辖区。请核对工号。")
    away = sorted({known[one] for one in absent})
    stations = {o["code"] for o in await accounts.load_organisations() if o["id"] in act.tree and o["kind"] == "station"}
    if strange := sorted(set(lenders) - stations):
        raise BadInput(f"没有编号为“{'、'.join(strange)}”的所，或者不在您的辖区，不能借调。")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        runs = await store.load_runs(round_["id"])
        if not runs:
            raise WrongMoment(f"轮次 {round_code} 还没有匹配执法人员，不能补派。")
        if after is not None and runs[-1]["n"] != after:
            if runs[-1]["n"] == after + 1 and runs[-1]["made_by"] == act.account:
                return {**_filled(runs[-1]), "again": True}
            raise WrongMoment(f"轮次 {round_code} 的人员刚刚由别人补派过。请刷新后再看。")
        sent = await load_sent(round_)
        now = held_now(runs, sent)
        recusals = await load_recusals(act, round_)
        emptied = emptied_slots(sent, now, away, recusals)
        if not emptied:
            raise WrongMoment(f"轮次 {round_code} 没有要补的名额：所列人员没有未开始的检查，也没有空缺。")
        found = await _run_again(act, round_, runs, sent, now, emptied, away, recusals, lenders)
        await act.audit(
            "visits.refill", round_code, after=found["digest"], log=found["log"], emptied=len(emptied), absent=away, lenders=sorted(lenders),
            reason=reason.strip(),
        )  # fmt: skip
    return {**{name: found[name] for name in ("emptied", "filled", "unfilled")}, "again": False}


def emptied_slots(
    sent: Mapping[str, Sent], now: Mapping[str, Sequence[str | None]], away: Collection[str], recusals: Collection[tuple[str, str]]
) -> list[list[Any]]:
    """[name, slot] of visits not begun that nobody holds, or somebody who is away or recused by now."""
    return [
        [code, n]
        for code, one in sent.items() if code in now and one.visit["state"] == "open" and not one.visit["arrived_at"]
        for n, who in enumerate(now[code])
        if who is None or who in away or (who, one.visit["entity_code"]) in recusals
    ]  # fmt: skip


def _filled(run: Mapping[str, Any]) -> dict[str, Any]:
    """What a further run gave, as `refill_slots` tells it."""
    emptied, result = json.loads(run["slots"])["emptied"], json.loads(run["result"])
    return {"emptied": len(emptied), "filled": sum(result["assigned"][visit][n] is not None for visit, n in emptied), "unfilled": result["unfilled"]}


async def assign_added(act: Acting, round_: dict[str, Any]) -> dict[str, Any] | None:
    """The second assignment: visits that came since the first one get their inspectors, the others keep theirs (DRAW.md section 4).

    In the caller's transaction and under its act. None where the round is not assigned yet, or has no such visit.
    """
    runs = await store.load_runs(round_["id"])
    sent = await load_sent(round_)
    now = held_now(runs, sent) if runs else {}
    emptied = [[code, n] for code, one in sent.items() for n in range(len(now.get(code, ())), one.slots)]
    if not runs or not emptied:
        return None
    now |= {code: [*now.get(code, ()), *[None] * (sent[code].slots - len(now.get(code, ())))] for code, _ in emptied}
    return await _run_again(act, round_, runs, sent, now, emptied, [], await load_recusals(act, round_))


async def assign_split(act: Acting, rounds: Sequence[dict[str, Any]], source: Mapping[str, Any], code: str) -> list[str]:
    """Whoever goes on a visit also goes on the one split off it: runs that draw nobody and say so (`split`), logged like the others.

    Of each department its own people, for each of `rounds` that sends people there. In the caller's transaction and under its
    act. The digests of the runs; a round not assigned yet has none: it draws people for the part as for its other visits.
    """
    held = (await store.load_assigned([source["id"]])).get(source["id"], [])
    people = {number: row["code"] for number, row in (await directory.load_inspectors_by_id({who for who in held if who})).items()}
    sides = await load_sides(source["id"])
    of_side = {side: [people.get(who or 0) for who in held[PEOPLE * n : PEOPLE * (n + 1)]] for n, side in enumerate(sides)}
    digests = []
    for round_ in rounds:
        runs, sent, name = await store.load_runs(round_["id"]), await load_sent(round_), name_in_slots(round_["code"], code)
        if not runs or name not in sent:
            continue
        row = [who for party in sent[name].parties for who in (of_side.get(party.place.partner) or [None] * PEOPLE)]
        now = held_now(runs, sent) | {name: row}
        made = await _run_again(act, round_, runs, sent, now, [], [], await load_recusals(act, round_), split={name: source["code"]})
        digests.append(made["digest"])
    return digests


def held_now(runs: Sequence[Mapping[str, Any]], sent: Collection[str]) -> dict[str, list[str | None]]:
    """visit -> who goes, of the visits that are still to be made: what somebody held of a closed one is free again."""
    return {code: row for code, row in json.loads(runs[-1]["result"])["assigned"].items() if code in sent}


async def load_recusals(act: Acting, round_: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Those that the round committed to and those entered since."""
    pairs = [*json.loads(round_["roster"])["recusals"], *(await load_snapshot(act))["recusals"]]
    return {(who, entity) for who, entity in pairs}


async def _run_again(
    act: Acting, round_: dict[str, Any], runs: Sequence[Mapping[str, Any]], sent: Mapping[str, Sent], now: Mapping[str, Any],
    emptied: list[list[Any]], away: list[str], recusals: set[tuple[str, str]], lenders: Sequence[str] = (), split: Mapping[str, str] = EMPTY,
) -> dict[str, Any]:  # fmt: skip
    """Draw some slots once more and keep the run; its document is logged before the key is used on it.

    `split`: names of visits split off -> the visit whose people they take over.
    """
    slots = _slots(round_, sent, {**json.loads(round_["roster"]), "recusals": sorted(map(list, recusals))}, lenders)
    # The caps of the first draw hold; who is a candidate only now had none and gets the same.
    caps = json.loads(runs[0]["slots"])["caps"]
    slots["caps"] = {who: caps.get(who, max(caps.values(), default=1)) for who in slots["caps"]}
    document = {"slots": slots, "assigned": now, "emptied": emptied, "absent": away} | ({"split": dict(split)} if split else {})
    digest = hashlib.sha256(canonical(document)).hexdigest()
    index = await log.append(act, "assignment", round_["code"], {"digest": digest})
    _, key = load_draw_keys(act, round_)
    result = await asyncio.to_thread(run_refill, document, key)
    numbers = {row["code"]: row["id"] for row in await directory.load_inspectors(act.joint)}
    filled = {(visit, n): result["assigned"][visit][n] for visit, n in emptied}
    taken = {(visit, n): who for visit in split for n, who in enumerate(result["assigned"][visit])}
    await store.save_run(
        {
            "round": round_["id"], "n": runs[-1]["n"] + 1, "slots": canonical(document).decode(), "slots_digest": digest,
            "result": canonical(result).decode(), "made_by": act.account, "made_at": act.now,
        },
        [
            {"visit": sent[visit].visit["id"], "slot": sent[visit].first + n, "inspector": numbers[who] if who else None}
            for (visit, n), who in sorted({**filled, **taken}.items())
        ],
    )  # fmt: skip
    return {
        "digest": digest, "log": index, "emptied": len(emptied), "filled": sum(who is not None for who in filled.values()),
        "unfilled": result["unfilled"],
    }  # fmt: skip


def run_refill(document: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The result of a refill as a pure function of its document (slots, assigned, emptied, absent) and the round's key."""
    emptied = [(visit, n) for visit, n in document["emptied"]]
    return refill({**document["slots"], "K": key.hex()}, document["assigned"], emptied, document["absent"])


def _slots(round_: Mapping[str, Any], sent: Mapping[str, Sent], people: Mapping[str, Any], lenders: Sequence[str] = ()) -> dict[str, Any]:
    recused = {(who, entity) for who, entity in people["recusals"]}
    return make_slots({code: one.parties for code, one in sent.items()}, people["roster"], recused, round_["window_to"], round_["suite"], lenders)


def _summary(result: dict[str, Any]) -> dict[str, Any]:
    """slots, filled, people, raised, unfilled [[visit, slot], ...]."""
    filled = [who for row in result["assigned"].values() for who in row if who]
    return {
        "slots": sum(len(row) for row in result["assigned"].values()),
        "filled": len(filled),
        "people": len(set(filled)),
        "raised": result["raised"],
        "unfilled": result["unfilled"],
    }

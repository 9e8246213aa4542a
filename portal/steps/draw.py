"""From fallen lottery to result: one transaction an act, one result a round, no second draw.

States: draft -> committed -> drawn -> revealed; a draft or committed round may
become void until its first source is drawn (DRAW.md section 2).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from portal.domain import seed
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.domain.recompute import draw_round as compute
from portal.domain.seed import NOT_DRAWN
from portal.steps import log
from portal.steps.acting import Acting
from portal.steps.bundles import STATE_WORDS, auditor_files, load_own_share
from portal.store import draw, jobs
from portal.store import visits as visit_store
from portal.store.engine import transaction
from portal.store.keys import unseal_under_passphrase

NOTICE = timedelta(hours=24)  # published before the first source is drawn
GIVEN_UP = timedelta(hours=72)  # an issue not drawn by then has the value "-"


async def release_share(act: Acting, round_code: str, passphrase: str, secret: bytes | None = None) -> None:
    """Open the acting holder's secret for the draw; from then on it lies under the portal's key.

    Where the passphrase is lost, `secret` is the third party's sealed copy, opened on the
    public record (DRAW.md section 3); it must open the same commitment.
    """
    act.require("round.share")
    round_ = await draw.load_round(round_code, act.line)
    share = await load_own_share(act, round_)
    if round_["state"] != "committed":
        raise WrongMoment(f"轮次 {round_code} 现在不能交出密值：{STATE_WORDS[round_['state']]}。")
    waiting = [s for s in await draw.load_sources(round_["id"]) if datetime.fromisoformat(s["drawn_at"]) > act.now]
    if waiting:
        # A secret handed over before the lottery falls could be read by whoever holds the portal's key.
        raise WrongMoment(f"“{waiting[0]['name']}”要到 {waiting[0]['drawn_at']} 才开奖，开奖前不能交出密值。")
    if share["released_at"]:
        return
    from_copy = secret is not None
    if secret is None:
        label = f"share/{round_code}/{act.login}"
        secret = await asyncio.to_thread(unseal_under_passphrase, bytes(share["sealed"]), passphrase, label)
    if seed.commit_of(round_["suite"], secret) != share["commit"]:
        raise BadInput("这个密值打不开公布的承诺，不是当时封存的那一个。请核对封存件。")
    async with transaction():
        # Stretching the passphrase takes a while: meanwhile the round may be void, or the share released by a second click.
        if (await draw.lock_round(round_code, act.line))["state"] != "committed":
            raise WrongMoment(f"轮次 {round_code} 刚刚被别人改动过，密值没有交出。请刷新后再看。")
        if (await load_own_share(act, round_))["released_at"]:
            return
        await draw.save_share_released(share["id"], act.keys.seal(secret, f"share/{round_code}/{share['n']}"), act.now)
        await act.audit("round.release", round_code, holder=share["holder"], from_copy=from_copy)


# Sources and the draw --------------------------------------------------------


async def enter_source(act: Acting, round_code: str, n: int, value: str) -> None:
    """Enter the drawn value of source `n` (from 0). Early, misshapen or second values are refused."""
    act.require("round.source")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        if round_["state"] != "committed":
            raise WrongMoment(f"轮次 {round_code} {STATE_WORDS[round_['state']]}，不能录入号码。")
        sources = await draw.load_sources(round_["id"])
        if not 0 <= n < len(sources):
            raise BadInput(f"轮次 {round_code} 有 {len(sources)} 个号码来源，没有第 {n + 1} 个。")
        source = sources[n]
        drawn_at = datetime.fromisoformat(source["drawn_at"])
        if act.now < drawn_at:
            raise WrongMoment(f"“{source['name']}”要到 {source['drawn_at']} 才开奖，现在不能录入号码。")
        if value == NOT_DRAWN and act.now < drawn_at + GIVEN_UP:
            raise WrongMoment(f"“{source['name']}”未满 72 小时，不能记作未开奖。")
        seed.require_value({name: source[name] for name in ("name", "bits", "drawn_at", "groups")}, value)
        if source["value"]:
            if source["value"] == value:
                return
            raise WrongMoment(f"“{source['name']}”的号码已录为 {source['value']}，不能改成 {value}。")
        await draw.save_source_value(source["id"], value, act.account, act.now)
        index = await log.append(
            act, "sources", round_code, {"digest": hashlib.sha256(canonical([source["name"], value, source["drawn_at"]])).hexdigest()}
        )
        await act.audit("round.source", round_code, after=value, source=source["name"], log=index)


async def draw_round(act: Acting, round_code: str) -> dict[str, Any]:
    """Draw, or return the stored result of a drawn round: asking again never draws again.

    One transaction: row locked, state and pools checked, result a pure function of
    what was committed, picks and log entry written together.  A crash leaves the
    round committed and not drawn; drawing again then gives the same result.
    """
    act.require("round.draw")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        if round_["state"] in ("drawn", "revealed"):
            return {"result": json.loads(round_["result_json"]), "commit": round_["result_commit"], "again": True}
        if round_["state"] != "committed":
            raise WrongMoment(f"轮次 {round_code} {STATE_WORDS[round_['state']]}，不能抽取。")
        if round_["committed_by"] == act.account:
            raise NotAllowed("复核并公布承诺的人不能再执行抽取，请另一人办理。")
        await _require_drawable(act, round_)
        files = await auditor_files(act, round_)
        outcome = await asyncio.to_thread(compute, files)
        if outcome.round_digest.hex() != round_["digest"]:
            raise WrongMoment("轮次文件与公布的承诺不一致，已拒绝抽取。请停止操作并报告。")
        await draw.save_round_state(
            round_["id"], "committed", state="drawn", result_json=outcome.result_json.decode(),
            result_commit=outcome.result_commit, drawn_by=act.account, drawn_at=act.now,
            key_sealed=act.keys.seal(outcome.draw_key + outcome.assign_key, f"keys/{round_code}"),
        )  # fmt: skip
        await draw.save_picks(await _picks(round_, outcome.result))
        roots = {
            task: {name: entry[name] for name in ("ticket_root", "drawn_root")}
            for task, entry in outcome.result.items()
            if "ticket_root" in entry
        }
        index = await log.append(
            act, "result", round_code, {"digest": outcome.result_commit, "round": round_["digest"], **({"roots": roots} if roots else {})}
        )
        await act.audit("round.draw", round_code, before=round_["digest"], after=outcome.result_commit, log=index)
    return {"result": outcome.result, "commit": outcome.result_commit, "again": False, "warnings": list(outcome.warnings)}


async def _require_drawable(act: Acting, round_: Mapping[str, Any]) -> None:
    if datetime.fromisoformat(round_["draw_not_before"]) > act.now:
        raise WrongMoment(f"轮次 {round_['code']} 要到 {round_['draw_not_before']} 以后才能抽取。")
    sources = await draw.load_sources(round_["id"])
    if round_["published_at"] is None:
        raise WrongMoment("承诺还没有随公示网站发布，不能抽取。请先运行 portal publish。")
    for source in sources:
        if datetime.fromisoformat(source["drawn_at"]) - round_["published_at"] < NOTICE:
            raise WrongMoment(f"承诺发布距“{source['name']}”开奖不足 24 小时，本轮不能抽取，只能作废。")
    empty = [source["name"] for source in sources if not source["value"]]
    if empty:
        raise WrongMoment(f"还有号码没有录入：{'、'.join(empty)}。全部录入后才能抽取。")
    waiting = [share["holder"] for share in await draw.load_shares(round_["id"]) if not share["released_at"]]
    if waiting:
        raise WrongMoment(f"还有密值没有交出：{'、'.join(waiting)}。由持有人交出后才能抽取。")


async def _picks(round_: Mapping[str, Any], result: Mapping[str, Any]) -> list[dict[str, Any]]:
    tasks = {row["code"]: row["task"] for row in await draw.load_round_tasks(round_["id"])}
    return [
        {"round": round_["id"], "task": tasks[task], "code": code, "stratum": stratum, "rank": rank, "kind": kind}
        for task, entry in result.items()
        for stratum, row in entry["strata"].items()
        for kind, codes in (("drawn", row["drawn"]), ("reserve", row["reserve"]))
        for rank, code in enumerate(codes, 1)
    ]


# After the draw --------------------------------------------------------------


async def reveal_round(act: Acting, round_code: str) -> dict[str, Any]:
    """Open round: publish secrets and pools, after its last visit. Sealed round: hand the folder to the auditors."""
    act.require("round.reveal")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        if round_["state"] == "revealed":
            return {"again": True, "disclosure": round_["disclosure"]}
        if round_["state"] != "drawn":
            raise WrongMoment(f"轮次 {round_code} {STATE_WORDS[round_['state']]}，还没有可以公开的密值。")
        visits = await visit_store.load_visits_of(round_["id"])
        unfinished = sum(visit["state"] == "open" for visit in visits)
        if round_["disclosure"] == "open" and (not visits or unfinished) and act.today <= round_["window_to"]:
            raise WrongMoment(
                f"轮次 {round_code} 还有 {unfinished} 次入企没有完成。检查时段未满，现在公开密值等于公布明天查谁。"
            )
        files = await auditor_files(act, round_)
        await draw.save_round_state(round_["id"], "drawn", state="revealed", revealed_by=act.account, revealed_at=act.now)
        index = await log.append(act, "reveal", round_code, {"digest": hashlib.sha256(files["reveal.json"]).hexdigest()})
        await act.audit("round.reveal", round_code, log=index)
        await jobs.save_job("release", "site", {"login": act.login}, act.account, act.now)
    return {"again": False, "disclosure": round_["disclosure"]}


async def void_round(act: Acting, round_code: str, reason: str) -> dict[str, Any]:
    """Void a round before its first source is drawn: proposed by one person, done by a second."""
    act.require("round.void")
    if not reason.strip():
        raise BadInput("请写明作废原因，原因将向社会公开。")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        if round_["state"] == "void":
            return {"state": "void", "again": True}
        if round_["state"] not in ("draft", "committed"):
            raise WrongMoment(f"轮次 {round_code} {STATE_WORDS[round_['state']]}，结果不能作废。")
        sources = await draw.load_sources(round_["id"])
        if round_["state"] == "committed":
            _require_voidable(act, round_, sources)
        if round_["void_by"] is None:
            await draw.save_round_state(round_["id"], round_["state"], void_by=act.account, void_reason=reason.strip())
            await act.audit("round.void.propose", round_code, reason=reason.strip())
            return {"state": round_["state"], "again": False, "proposed": True}
        if round_["void_by"] == act.account:
            raise NotAllowed("作废要由第二个人批准，提出的人不能自己批准。")
        await draw.save_round_state(round_["id"], round_["state"], state="void", void_approver=act.account, void_at=act.now)
        await draw.save_not_live(round_["id"])
        if round_["digest"]:
            await log.append(act, "void", round_code, {"digest": round_["digest"]})
            await jobs.save_job("release", "site", {"login": act.login}, act.account, act.now)
        await act.audit("round.void", round_code, before=round_["digest"], reason=round_["void_reason"])
    return {"state": "void", "again": False}


def _require_voidable(act: Acting, round_: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> None:
    """Until the first source is drawn; after it only when what was drawn cannot reach 80 bits."""
    fallen = [s for s in sources if datetime.fromisoformat(s["drawn_at"]) <= act.now]
    if not sources and datetime.fromisoformat(round_["draw_not_before"]) <= act.now:
        raise WrongMoment(f"轮次 {round_['code']} 已到抽取时间，不能作废。")
    if not fallen:
        return
    published = round_["published_at"]
    late = published is None or any(datetime.fromisoformat(s["drawn_at"]) - published < NOTICE for s in sources)
    settled = all(s["value"] for s in sources)
    if late or (settled and sum(s["bits"] for s in sources if s["value"] != NOT_DRAWN) < seed.BITS_NEEDED):
        return
    raise WrongMoment(f"“{fallen[0]['name']}”已于 {fallen[0]['drawn_at']} 开奖，本轮不能作废，只能抽取。")



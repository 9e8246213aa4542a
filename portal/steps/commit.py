"""A round until its commitment: drafted over frozen pools, shares made, everything fixed and logged."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from portal.domain import roles, seed
from portal.domain.bundle import ROUNDINGS, SUITES, require_count, require_one_of, require_time
from portal.domain.commit import commit_task, require_committable
from portal.domain.draw import quotas
from portal.domain.errors import BadInput, NotAllowed, NotFound, Problem, WrongMoment
from portal.domain.packing import pack
from portal.domain.pool import survey_pool
from portal.domain.rounds import format_round, label_of, round_digest
from portal.steps import log
from portal.steps.acting import Acting, stamp
from portal.steps.bundles import STATE_WORDS, load_own_share, load_pool_files, load_salt_key
from portal.steps.pool import BY_RISK, STRATA, quota_of
from portal.steps.rosters import load_snapshot, roots_of
from portal.store import accounts, draw, jobs, plan
from portal.store import pool as pools
from portal.store.engine import transaction
from portal.store.keys import seal_under_passphrase
from portal.store.locks import hold

SHORTEST_PASSPHRASE = 12

#: how visit days and caps are made from the result; part of the commitment
RULES = {"days": "by station, town and code, evenly over the window's working days", "cap": "slots over candidates, rounded up"}


async def try_round(act: Acting, tasks: Sequence[str], *, disclosure: str, rounding: str = "ceil", minimum: int = 0) -> list[dict[str, Any]]:
    """How many a round over these frozen pools would draw, without drafting it or drawing anybody: a row a task, in their order.

    `size` counts the pool, `free` those not passed over, `drawn` what would be drawn; `strata`: (name, size, free, wanted), where
    more may be wanted than are free. Raises what `create_round` would for these tasks.
    """
    act.require("round.create")
    if not tasks:
        raise BadInput("请选择一个以上互不重复的任务。", [Problem("task", "先选任务，再试算。")])
    found = []
    for code in dict.fromkeys(tasks):
        row = await _round_task(act, code, disclosure, rounding, minimum, 0)
        excluded = sorted({one["code"].encode() for one in await pools.load_exclusions(row["pool"])})
        survey = await asyncio.to_thread(survey_pool, await pools.load_pool_bytes(row["pool"]), excluded)
        wanted = quotas(survey.sizes, json.loads(row["quota"]), rounding, minimum)
        found.append({
            "code": code, "size": survey.size, "free": sum(survey.free.values()),
            "drawn": sum(min(count, survey.available(name)) for name, count in wanted.items()),
            "strata": [(name, survey.sizes.get(name, 0), survey.available(name), count) for name, count in sorted(wanted.items())],
        })  # fmt: skip
    return found


async def create_round(
    act: Acting,
    tasks: Sequence[str],
    *,
    title: str,
    disclosure: str,
    sources: Sequence[Mapping[str, Any]],
    holders: Sequence[Mapping[str, str]],
    window: tuple[date, date] | None = None,
    draw_not_before: str,
    reveal_due: date | None = None,
    rounding: str = "ceil",
    minimum: int = 0,
    reserve: int = 5,
    suite: str = "sha256",
) -> str:
    """Draft a round over frozen pools; its code. `sources`: name, drawn_at, groups; `holders`: holder, login.

    Raises BadInput for wrong shapes and for a mix of open and sealed, WrongMoment
    for a task without frozen pool or already in a live round.
    """
    act.require("round.create")
    if not tasks or len(set(tasks)) != len(tasks):
        raise BadInput("请选择一个以上互不重复的任务。")
    if disclosure not in ("open", "sealed"):
        raise BadInput(f"公开方式“{disclosure}”不认识，应为 open（公开）或 sealed（密封）。")
    if suite not in SUITES:
        raise BadInput(f"算法“{suite}”不认识，可用：{'、'.join(SUITES)}。")
    if not title.strip():
        raise BadInput("请给这一轮起一个名称。")
    require_time(draw_not_before, "最早抽取时间")
    require_one_of(rounding, ROUNDINGS, "取整方式")
    require_count(minimum, "每层最少户数")
    require_count(reserve, "备选户数")
    whole = [{**dict(source), "bits": _bits(source["groups"])} for source in sources]
    holding = [await _holder(act, holder) for holder in holders]
    # A draft that could never be committed would hold its tasks for nothing.
    seed.require_chance(whole, [{"holder": h["holder"], "commit": "0" * 64} for h in holding], draw_not_before)
    if len({h["holder"] for h in holding}) != len(holding) or len({h["account"] for h in holding}) != len(holding):
        raise BadInput("密值持有人不能重复，一个账号也不能代两方持有。")
    salt_key = act.token_bytes(32) if disclosure == "sealed" else None
    async with transaction():
        await hold("bureau", act.bureau["id"])
        await hold("task", *[(await plan.load_task(code, act.tree))["id"] for code in tasks])
        rows = [await _round_task(act, code, disclosure, rounding, minimum, reserve) for code in tasks]
        _require_company(rows)
        first = max(row["window"][0] for row in rows)
        last = min(row["window"][1] for row in rows)
        first, last = window or (first, last)
        if first > last:
            raise BadInput("各任务的实施时间没有重叠，或检查时段的起止颠倒。请分成几轮，或改写检查时段。")
        year = first.year
        prefix = f"{act.bureau['region']}-{year}-R"
        code = f"{prefix}{await draw.count_rounds(prefix) + 1:02d}"
        await draw.save_round(
            {
                "code": code, "organisation": act.bureau["id"], "title": title.strip(), "disclosure": disclosure, "suite": suite,
                "window_from": first, "window_to": last, "draw_not_before": draw_not_before,
                "reveal_due": reveal_due or last + timedelta(days=10), "rules": pack(RULES),
                "salt_sealed": act.keys.seal(salt_key, f"salt/{code}") if salt_key else b"",
                "created_by": act.account, "created_at": act.now,
            },
            [{name: value for name, value in row.items() if name not in ("window", "strata", "item", "listed")} for row in rows],
            [
                {"name": s["name"], "bits": s["bits"], "drawn_at": s["drawn_at"], "groups": pack(s["groups"])}
                for s in whole
            ],
            holding,
        )  # fmt: skip
        await act.audit("round.create", code, disclosure=disclosure, tasks=sorted(tasks))
    return code


def _require_company(rows: Sequence[Mapping[str, Any]]) -> None:
    """A list that is checked as a whole goes with the task by class of its item: alone, its drawn would be the list itself.

    And the other way round: who is on the list was passed over in the pool by class, and would be forgotten.
    """
    lists = {row["item"] for row in rows if row["strata"] == "list"}
    if any(row["listed"] and row["item"] not in lists for row in rows):
        raise BadInput("按分类抽取的名录中有须全部检查的对象，已留给专列任务。请把同一事项的专列任务也冻结名录，放在同一轮。")
    classed = {row["item"] for row in rows if row["strata"] == "class"}
    if any(row["strata"] == "list" and row["item"] not in classed for row in rows):
        raise BadInput("专列名单不能单独成轮：检查后公布的名单就等于公布了它。请与同一事项按分类抽取的任务放在同一轮。")


async def _holder(act: Acting, holder: Mapping[str, str]) -> dict[str, Any]:
    account = await accounts.load_account(holder["login"])
    if not account or account["organisation"] not in act.tree:
        raise NotFound(f"密值持有人“{holder['holder']}”的账号“{holder['login']}”不存在，或不在本单位。")
    if not account["active"] or not roles.may(account["roles"], "round.share"):
        raise BadInput(f"账号“{holder['login']}”已停用或没有生成密值的权限，不能作密值持有人“{holder['holder']}”。")
    return {"holder": holder["holder"], "account": account["id"]}


def _bits(groups: Sequence[Sequence[int]]) -> int:
    """The bits of a source whose shape is sane; 0 of another, which is then refused by name."""
    try:
        sane = all(0 < many <= 1000 and 0 <= lowest <= highest < 10**10 for many, lowest, highest in groups)
        return seed.bits_of(groups) if sane else 0
    except (TypeError, ValueError):
        return 0


async def _round_task(
    act: Acting, code: str, disclosure: str, rounding: str, minimum: int, reserve: int
) -> dict[str, Any]:
    task = await plan.load_task(code, act.tree)
    live = await draw.load_live_round_of(task["id"])
    if live:
        raise WrongMoment(f"任务 {code} 已在轮次 {live} 中。一个任务同时只能有一轮，抽取结果不能重来。")
    pool = (await pools.load_latest_pools([task["id"]])).get(task["id"])
    if pool is None or await pools.is_committed(pool["id"]):
        raise WrongMoment(f"任务 {code} 还没有冻结名录。请先冻结名录。")
    if disclosure == "open" and pool["strata"] in BY_RISK:
        raise BadInput(f"任务 {code} {STRATA[pool['strata']]}，只能放在密封轮次里；一轮要么全部公开，要么全部密封。")
    return {
        "task": task["id"], "pool": pool["id"], "quota": pack(pool["quota"] or quota_of(task, pool["strata"])),
        "rounding": rounding, "minimum": minimum, "reserve": reserve, "window": (task["window_from"], task["window_to"]), "strata": pool["strata"], "item": task["item_code"],
        "listed": pool["strata"] == "class" and await pools.has_excluded(pool["id"], "listed"),
    }  # fmt: skip


# Shares ----------------------------------------------------------------------


async def make_share(act: Acting, round_code: str, passphrase: str) -> dict[str, str]:
    """Make the acting holder's own secret, sealed under the holder's passphrase; {"commit", "secret"}.

    The secret is returned once, for the sealed copy that a third party keeps; the
    portal keeps only what the passphrase opens.  BadInput for one that any round has
    had (a holder may bring it in a file): revealed there, it would be no secret here.
    """
    act.require("round.share")
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BadInput(f"口令太短，至少 {SHORTEST_PASSPHRASE} 个字符。")
    secret = act.token_bytes(32)
    sealed = await asyncio.to_thread(seal_under_passphrase, secret, passphrase, f"share/{round_code}/{act.login}")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.line)
        share = await load_own_share(act, round_)
        if round_["state"] != "draft":
            raise WrongMoment(f"轮次 {round_code} 已公布承诺，密值不能再换。")
        if share["commit"]:
            raise WrongMoment(f"“{share['holder']}”的密值已经生成，不能再换。")
        if await draw.is_committed_to([seed.commit_of(suite, secret) for suite in SUITES]):
            # Another round's end makes it public, while this one still counts on it.
            raise BadInput("这个密值已经用过：一个密值只能用于一轮，只由一方持有。请用随机方法另生成一个。")
        commit = seed.commit_of(round_["suite"], secret)
        await draw.save_share(share["id"], commit, sealed, act.now)
        await act.audit("round.share", round_code, after=commit, holder=share["holder"])
    return {"commit": commit, "secret": secret.hex()}


# Commitment ------------------------------------------------------------------


async def commit_round(act: Acting, round_code: str) -> dict[str, Any]:
    """Fix everything: round.json, its digest, its log entry; queue the release that publishes it.

    The approver is not the drafter.  Raises WrongMoment when a share is missing or the
    first source is less than 24 hours away.
    """
    act.require("round.commit")
    async with transaction():
        round_ = await draw.lock_round(round_code, act.tree)
        if round_["state"] != "draft":
            raise WrongMoment(f"轮次 {round_code} {STATE_WORDS[round_['state']]}，不能再次公布承诺。")
        if round_["created_by"] == act.account:
            raise NotAllowed("拟制这一轮的人不能复核自己拟的轮次，请另一位复核人公布承诺。")
        shares = await draw.load_shares(round_["id"])
        missing = [share["holder"] for share in shares if not share["commit"]]
        if missing or not shares:
            raise WrongMoment(f"还有密值没有生成：{'、'.join(missing) or '没有持有人'}。请持有人各自生成后再公布承诺。")
        salt_key = load_salt_key(act, round_)
        rows = await draw.load_round_tasks(round_["id"])
        files = await load_pool_files(rows)
        people = await load_snapshot(act)
        document = await _round_json(act, round_, rows, shares, files, salt_key, roots_of(act, round_["suite"], people))
        known = await pools.load_pools([row["pool"] for row in rows])
        require_committable(
            document, files, committed_at=stamp(act.now), salt_key=salt_key,
            quotas_of={row["code"]: row["quota"] for row in rows},
            by_class={row["code"] for row in rows if known[row["pool"]]["strata"] in BY_RISK},
        )  # fmt: skip
        digest = round_digest(round_["suite"], document).hex()
        await draw.save_round_state(
            round_["id"], "draft", state="committed", round_json=document.decode(), digest=digest,
            roster=pack(people), committed_by=act.account, committed_at=act.now,
        )  # fmt: skip
        index = await log.append(act, "round", round_code, {"digest": digest})
        await act.audit("round.commit", round_code, after=digest, log=index)
        await jobs.save_job("release", "site", {"login": act.login}, act.account, act.now)
    return {"digest": digest, "log": index, "label": label_of(json.loads(document))}


async def _round_json(
    act: Acting,
    round_: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    shares: Sequence[Mapping[str, Any]],
    files: Mapping[str, bytes],
    salt_key: bytes | None,
    people: tuple[str, str],
) -> bytes:
    known = await pools.load_pools([row["pool"] for row in rows])
    entries = []
    for row in rows:
        pool = files[f"{row['code']}/pool.tsv"]
        excluded = files.get(f"{row['code']}/excluded.txt")
        header = known[row["pool"]]
        if hashlib.sha256(pool).hexdigest() != header["digest"] or (
            (hashlib.sha256(excluded).hexdigest() if excluded else "") != header["excluded_digest"]
        ):
            raise WrongMoment(f"任务 {row['code']} 的名录与冻结时不一致，已拒绝公布承诺。请停止操作并报告。")
        entries.append(
            await asyncio.to_thread(
                commit_task, suite=round_["suite"], task=row["code"], pool=pool, excluded=excluded, quota=row["quota"],
                rounding=row["rounding"], minimum=row["minimum"], reserve=row["reserve"], salt_key=salt_key,
            )
        )  # fmt: skip
    snapshot = next(iter(known.values()))
    return format_round(
        round_id=round_["code"], suite=round_["suite"], disclosure=round_["disclosure"],
        sources=[
            {"name": s["name"], "bits": s["bits"], "drawn_at": s["drawn_at"], "groups": s["groups"]}
            for s in await draw.load_sources(round_["id"])
        ],
        secrets=[{"holder": share["holder"], "commit": share["commit"]} for share in shares],
        draw_not_before=round_["draw_not_before"], tasks=entries,
        salt_commit=seed.commit_of(round_["suite"], salt_key) if salt_key else None,
        more={
            "title": round_["title"],
            "window": [round_["window_from"].isoformat(), round_["window_to"].isoformat()],
            "reveal_due": round_["reveal_due"].isoformat(),
            "replace_on": round_["window_from"].isoformat(),  # the one day on which the deregistered are replaced
            "snapshot": {"on": snapshot["snapshot_on"].isoformat(), "size": snapshot["snapshot_size"]},
            "roster_root": people[0], "recusals_root": people[1], "rules": dict(RULES), "sectors": act.sectors.versions(),
        },
    )  # fmt: skip

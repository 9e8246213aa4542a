"""Rounds, their tasks, sources, shares and picks."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from piccolo.columns.combination import And

from portal.domain.errors import NotFound, WrongMoment
from portal.store.accounts import within
from portal.store.bulk import insert_rows
from portal.store.locks import hold
from portal.store.tables import Pick, Round, RoundTask, Share, Source


#: picks that are visited, but for those that are "struck" as well; "reserve" are not
WORKED = ("drawn", "replacement", "external")


async def save_round(
    values: Mapping[str, Any],
    tasks: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    shares: Sequence[Mapping[str, Any]],
) -> int:
    round_ = (await Round.insert(Round(**values)).run())[0]["id"]
    await RoundTask.insert(*(RoundTask(round=round_, **task) for task in tasks)).run()
    if sources:  # none: drawn by secrets alone, or elsewhere
        await Source.insert(*(Source(round=round_, n=n, **source) for n, source in enumerate(sources))).run()
    if not shares:
        return round_
    await Share.insert(*(Share(round=round_, n=n, **share) for n, share in enumerate(shares))).run()
    return round_


async def count_rounds(prefix: str) -> int:
    return await Round.count().where(Round.code.like(f"{prefix}%")).run()


async def has_round(code: str) -> bool:
    return await Round.exists().where(Round.code == code).run()


async def load_rounds(seen: Collection[int], *, external: bool = False) -> list[dict[str, Any]]:
    """The rounds drawn here; with `external` also the lists drawn elsewhere that are worked here."""
    rows = await Round.select().where(within(Round.organisation, seen)).order_by(Round.code).run()
    return [_opened(row) for row in rows if external or row["state"] != "external"]


async def load_round(code: str, seen: Collection[int]) -> dict[str, Any]:
    row = await Round.select().where(And(Round.code == code, within(Round.organisation, seen))).first().run()
    if not row:
        raise NotFound(f"没有编号为“{code}”的轮次，或者不在您的辖区。")
    return _opened(row)


async def load_rounds_by_id(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    rows = await Round.select().where(Round.id.is_in(sorted(ids) or [-1])).run()
    return {row["id"]: _opened(row) for row in rows}


async def lock_round(code: str, seen: Collection[int]) -> dict[str, Any]:
    """The round as it is and, until the transaction ends, will be."""
    await hold("round", (await load_round(code, seen))["id"])
    return await load_round(code, seen)


def _opened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "rules": json.loads(row["rules"])}


async def save_round_state(round_: int, expected: str, **values: Any) -> None:
    """Change a round that is still in `expected`; raises WrongMoment when somebody was faster."""
    # RETURNING tells whether it was us: two people at once, one effect.
    rows = await Round.update(**values).where(And(Round.id == round_, Round.state == expected)).returning(Round.id).run()
    if not rows:
        raise WrongMoment("这一轮刚刚被别人改动过，请刷新后再看。")


async def save_published(ids: Collection[int], at: datetime) -> None:
    """Note the first release that carried these rounds' commitments."""
    await hold("round", *ids)
    for round_ in ids:
        await Round.update(published_at=at).where(And(Round.id == round_, Round.published_at.is_null())).run()


async def load_round_tasks(round_: int) -> list[dict[str, Any]]:
    rows = await RoundTask.select(RoundTask.all_columns(), RoundTask.task.code).where(RoundTask.round == round_).run()
    found = [{**row, "quota": json.loads(row["quota"]), "code": row["task.code"]} for row in rows]
    return sorted(found, key=lambda row: row["code"].encode())


async def load_live_round_of(task: int) -> str | None:
    row = await RoundTask.select(RoundTask.round.code).where(And(RoundTask.task == task, RoundTask.live.eq(True))).first().run()
    return row["round.code"] if row else None


async def load_rounds_of(tasks: Collection[int]) -> set[int]:
    """The rounds that draw or drew these tasks and still stand."""
    rows = await RoundTask.select(RoundTask.round).where(And(RoundTask.task.is_in(sorted(tasks) or [-1]), RoundTask.live.eq(True))).run()
    return {row["round"] for row in rows}


async def save_not_live(round_: int) -> None:
    await RoundTask.update(live=False).where(RoundTask.round == round_).run()


async def load_sources(round_: int) -> list[dict[str, Any]]:
    rows = await Source.select().where(Source.round == round_).order_by(Source.n).run()
    return [{**row, "groups": json.loads(row["groups"])} for row in rows]


async def save_source_value(source: int, value: str, by: int, at: datetime) -> None:
    await Source.update(value=value, entered_by=by, entered_at=at).where(Source.id == source).run()


async def load_shares(round_: int) -> list[dict[str, Any]]:
    return await Share.select().where(Share.round == round_).order_by(Share.n).run()


async def is_committed_to(commits: Sequence[str]) -> bool:
    """Whether any share of any round, of whichever bureau, has one of these commitments."""
    return await Share.exists().where(Share.commit.is_in(list(commits))).run()


async def save_share(share: int, commit: str, sealed: bytes, at: datetime) -> None:
    await Share.update(commit=commit, sealed=sealed, made_at=at).where(Share.id == share).run()


async def save_share_released(share: int, released: bytes, at: datetime) -> None:
    await Share.update(released=released, released_at=at).where(Share.id == share).run()


async def save_picks(rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(Pick, rows)


async def load_picks(round_: int, kinds: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The picks of some kinds; none named: those that are to be visited, so nobody who was struck and replaced."""
    rows = await Pick.select().where(And(Pick.round == round_, Pick.kind.is_in(list(kinds or (*WORKED, "struck"))))).run()
    rows = rows if kinds else without_struck(rows)
    return sorted(rows, key=lambda row: (row["task"], row["code"].encode()))


def without_struck(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Picks of all kinds, some tasks whole -> those that are worked."""
    struck = {(row["task"], row["code"]) for row in rows if row["kind"] == "struck"}
    return [row for row in rows if row["kind"] in WORKED and (row["task"], row["code"]) not in struck]


async def save_replacement(round_: int, **values: Any) -> None:
    """What the one replacement of a round gave; raises WrongMoment where there is one already."""
    rows = await Round.update(**values).where(And(Round.id == round_, Round.replacement_json == "")).returning(Round.id).run()
    if not rows:
        raise WrongMoment("这一轮刚刚由别人办理了补抽，请刷新后再看。")

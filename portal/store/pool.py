"""Frozen pools: their lines in blocks of 256, and why codes are excluded."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from piccolo.columns.combination import And

from portal.store.bulk import insert_rows
from portal.store.tables import Exclusion, Pool, PoolBlock, RoundTask


async def save_pool(
    values: Mapping[str, Any], blocks: Iterable[bytes], exclusions: Iterable[tuple[str, str, str]]
) -> int:
    """One frozen pool: header, blocks (bytes with their LF), exclusions (code, rule, reason)."""
    pool = (await Pool.insert(Pool(**values)).run())[0]["id"]
    await insert_rows(
        PoolBlock,
        (
            {"pool": pool, "n": n, "first_code": data.split(b"\t", 1)[0].decode(), "data": data}
            for n, data in enumerate(blocks)
        ),
    )
    await insert_rows(
        Exclusion, ({"pool": pool, "code": code, "rule": rule, "reason": reason} for code, rule, reason in exclusions)
    )
    return pool


async def load_pool_bytes(pool: int) -> bytes:
    """The whole pool.tsv of a pool."""
    rows = await PoolBlock.select(PoolBlock.data).where(PoolBlock.pool == pool).order_by(PoolBlock.n).run()
    return b"".join(bytes(row["data"]) for row in rows)


async def load_exclusions(pool: int) -> list[dict[str, Any]]:
    rows = await Exclusion.select().where(Exclusion.pool == pool).run()
    return sorted(rows, key=lambda row: row["code"].encode())


async def has_excluded(pool: int, rule: str) -> bool:
    """Whether a rule passed anybody over in a pool."""
    return await Exclusion.exists().where(And(Exclusion.pool == pool, Exclusion.rule == rule)).run()


async def load_pools_of(task: int) -> list[dict[str, Any]]:
    return [_opened(row) for row in await Pool.select().where(Pool.task == task).order_by(Pool.number).run()]


async def load_pools(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    rows = await Pool.select().where(Pool.id.is_in(sorted(ids) or [-1])).run()
    return {row["id"]: _opened(row) for row in rows}


async def load_latest_pools(tasks: Collection[int]) -> dict[int, dict[str, Any]]:
    """task id -> its newest pool."""
    rows = await Pool.select().where(Pool.task.is_in(sorted(tasks) or [-1])).order_by(Pool.number).run()
    return {row["task"]: _opened(row) for row in rows}


async def load_committed_sizes(tasks: Collection[int]) -> dict[int, int]:
    """task id -> size of the pool it was last committed with, as its round's public file says."""
    mine = And(RoundTask.task.is_in(sorted(tasks) or [-1]), RoundTask.round.round_json != "")
    rows = await RoundTask.select(RoundTask.id, RoundTask.task, RoundTask.pool.size).where(mine).order_by(RoundTask.id).run()
    return {row["task"]: row["pool.size"] for row in rows}


async def is_committed(pool: int) -> bool:
    """Whether a round holds this pool (void ones too: a pool serves one round)."""
    return await RoundTask.exists().where(RoundTask.pool == pool).run()


def _opened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "removed": json.loads(row["removed"]), "quota": json.loads(row["quota"])}

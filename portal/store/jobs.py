"""The jobs table: background work with leases and progress."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from piccolo.columns.combination import And, Or

from portal.domain.packing import pack
from portal.store.engine import current_engine, transaction
from portal.store.locks import hold
from portal.store.sqlite import PooledSQLite
from portal.store.tables import Job

LEASE = timedelta(minutes=2)
ATTEMPTS = 3


async def save_job(kind: str, key: str, args: dict[str, Any], by: int, at: datetime) -> int:
    """Queue a job in the caller's transaction; one queued job a (kind, key) is enough."""
    await hold("chain")
    waiting = await Job.select(Job.id).where(And(And(Job.kind == kind, Job.key == key), Job.state == "queued")).first().run()
    if waiting:
        return waiting["id"]
    job = Job(kind=kind, key=key, args=pack(args), created_by=by, created_at=at)
    return (await Job.insert(job).run())[0]["id"]


async def claim_job(at: datetime) -> dict[str, Any] | None:
    """Take the oldest waiting job (or one whose worker died: its lease ran out) under a lease."""
    ready = Or(Job.state == "queued", And(Job.state == "running", Job.lease_until < at))
    async with transaction():
        while True:
            if isinstance(current_engine(), PooledSQLite):
                row = await Job.select().where(ready).order_by(Job.id).first().run()
            else:
                rows = await Job.raw(
                    "SELECT * FROM job WHERE state = 'queued' OR (state = 'running' AND lease_until < {}) "
                    "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
                    at,
                ).run()
                row = rows[0] if rows else None
            if not row:
                return None
            if row["attempts"] < ATTEMPTS:
                break
            # Given up, and the next one is looked at: a job that kills its workers must not hold up the others.
            await Job.update(state="failed", note="三次执行都没有完成，请查看日志后重新提交。", finished_at=at).where(Job.id == row["id"]).run()
        await Job.update(state="running", lease_until=at + LEASE, attempts=row["attempts"] + 1).where(Job.id == row["id"]).run()
    return {**row, "args": json.loads(row["args"])}


async def renew_lease(job: int, at: datetime) -> None:
    await Job.update(lease_until=at + LEASE).where(Job.id == job).run()


async def save_progress(job: int, done: int, total: int, note: str, at: datetime) -> None:
    await Job.update(progress=done, total=total, note=note, lease_until=at + LEASE).where(Job.id == job).run()


async def save_finished(job: int, state: str, note: str, at: datetime) -> None:
    await Job.update(state=state, note=note, finished_at=at).where(Job.id == job).run()


async def save_cancelled(job: int, note: str, at: datetime) -> bool:
    """End a job that nobody has begun; False where a worker was first."""
    ended = Job.update(state="failed", note=note, finished_at=at).where(And(Job.id == job, Job.state == "queued"))
    return bool(await ended.returning(Job.id).run())


async def load_jobs(limit: int = 50) -> list[dict[str, Any]]:
    return await Job.select().order_by(Job.id, ascending=False).limit(limit).run()


async def load_job(job: int) -> dict[str, Any] | None:
    return await Job.select().where(Job.id == job).first().run()

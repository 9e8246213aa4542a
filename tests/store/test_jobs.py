"""Background work: each job once, under a lease, and never one holding up the others."""

import asyncio
from datetime import datetime, timedelta, timezone

import pytest

from portal.store import engine, jobs
from portal.store.tables import Account

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 6, 1, 9, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
async def account(filled) -> int:
    return (await Account.select(Account.id).where(Account.login == "publisher").first().run())["id"]


async def _queue(account: int, key: str = "site") -> int:
    async with engine.transaction():
        return await jobs.save_job("publish", key, {"login": "publisher"}, account, NOW)


async def test_a_job_asked_for_twice_waits_once(account):
    assert await _queue(account) == await _queue(account)
    assert len(await jobs.load_jobs()) == 1


async def test_a_job_asked_for_while_it_runs_waits_again(account):
    first = await _queue(account)
    await jobs.claim_job(NOW)
    assert await _queue(account) != first


async def test_jobs_are_claimed_oldest_first(account):
    queued = [await _queue(account, key) for key in "abcde"]
    claimed = [await jobs.claim_job(NOW) for _ in range(6)]
    assert [job and job["id"] for job in claimed] == [*queued, None]
    assert claimed[0]["args"] == {"login": "publisher"}


async def test_each_job_is_claimed_by_one_of_many_workers(account):
    queued = [await _queue(account, key) for key in "abcde"]
    claimed = await asyncio.gather(*(jobs.claim_job(NOW) for _ in range(20)))
    assert sorted(job["id"] for job in claimed if job) == queued


async def test_a_job_whose_worker_died_is_claimed_again_when_its_lease_ran_out(account):
    await _queue(account)
    first = await jobs.claim_job(NOW)
    assert await jobs.claim_job(NOW + jobs.LEASE) is None
    again = await jobs.claim_job(NOW + jobs.LEASE + timedelta(seconds=1))
    assert again["id"] == first["id"]


async def test_a_renewed_lease_keeps_the_job(account):
    await _queue(account)
    job = await jobs.claim_job(NOW)
    await jobs.renew_lease(job["id"], NOW + jobs.LEASE)
    assert await jobs.claim_job(NOW + jobs.LEASE + timedelta(seconds=1)) is None


async def test_a_job_that_killed_its_workers_three_times_is_given_up_and_the_next_one_is_done(account):
    bad, good = await _queue(account, "bad"), await _queue(account, "good")
    at = NOW
    for _ in range(jobs.ATTEMPTS):
        assert (await jobs.claim_job(at))["id"] == bad
        at += jobs.LEASE + timedelta(seconds=1)
    assert (await jobs.claim_job(at))["id"] == good
    given_up = await jobs.load_job(bad)
    assert given_up["state"] == "failed" and "三次执行都没有完成" in given_up["note"]

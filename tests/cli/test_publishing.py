"""Releases made by commands and by the worker: one at a time, complete or not at all, what was queued counted as done."""

import asyncio
import os
import threading

import pytest

from portal import jobs
from portal.domain.errors import WrongMoment
from portal.store import jobs as job_store
from tests.cli.command import FakePrinter


@pytest.fixture(autouse=True)
def paper(monkeypatch):
    monkeypatch.setattr(jobs, "Printer", FakePrinter)


async def release(house):
    return await jobs.release_site(await house.acting("publisher"), house.settings)


@pytest.mark.anyio
async def test_two_releases_at_once_take_turns_and_show_the_same_site(drawn):
    one, two = await asyncio.gather(release(drawn), release(drawn))
    assert one["id"] == two["id"] and {one["changed"] > 0, two["changed"] > 0} == {True, False}
    assert os.readlink(drawn.settings.data / "site" / "current") == f"releases/{one['id']}"
    assert (await release(drawn))["changed"] == 0


@pytest.mark.anyio
async def test_a_release_does_what_the_queued_ones_asked_for(drawn):
    queued = [job for job in await job_store.load_jobs() if job["state"] == "queued"]
    assert queued
    made = await release(drawn)
    assert {job["state"] for job in await job_store.load_jobs()} == {"done"}
    assert made["id"] in (await job_store.load_job(queued[0]["id"]))["note"]
    assert await jobs.work(drawn.settings, drawn.keys, drawn.sectors, until_idle=True) == 0


@pytest.mark.anyio
async def test_an_interrupted_release_stops_at_the_next_document_and_shows_the_old_site(drawn, monkeypatch):
    first = await release(drawn)
    printing, go_on, printed = threading.Event(), threading.Event(), []

    class Slow(FakePrinter):
        version = "another, so that everything is printed again"

        def render_many(self, wanted):
            for made in super().render_many(wanted):
                printing.set()
                assert go_on.wait(30)
                printed.append(made)
                yield made

    monkeypatch.setattr(jobs, "Printer", Slow)
    running = asyncio.create_task(release(drawn))
    assert await asyncio.to_thread(printing.wait, 30)
    running.cancel()
    await asyncio.sleep(0)  # the cancellation reaches the release
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(printed) == 1 and os.readlink(drawn.settings.data / "site" / "current") == f"releases/{first['id']}"
    monkeypatch.setattr(jobs, "Printer", FakePrinter)
    assert (await release(drawn))["changed"] == 0


@pytest.mark.anyio
async def test_a_release_gives_up_when_another_never_ends(drawn, monkeypatch):
    monkeypatch.setattr(jobs, "WAITING_SECONDS", 0)
    async with jobs._publishing(drawn.settings.data / "bundles"):
        with pytest.raises(WrongMoment, match="另一次发布一直没有结束"):
            await release(drawn)

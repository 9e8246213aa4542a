"""Background work: publishing, run by the worker or by the command line in its own process."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from portal.domain.errors import Refused
from portal.prints.render import Printer
from portal.settings import Settings
from portal.steps import disclosure, publish
from portal.steps.acting import Acting, open_acting
from portal.store import accounts
from portal.store import jobs as store
from portal.store.engine import transaction
from public_site.build import PdfJob
from public_site.release import release

Progress = Callable[[str, int], None]
IDLE_SECONDS = 1.0


class _Renderer:
    """The Printer as the site's builder wants it."""

    def __init__(self, printer: Printer):
        self.printer = printer
        self.version = printer.version

    def __call__(self, jobs: Iterable[PdfJob]) -> Iterator[tuple[str, bytes]]:
        wanted = ((job.key, f"{job.template}.html", dict(job.context)) for job in jobs)
        for key, pdf in self.printer.render_many(wanted):
            yield str(key), pdf


async def release_site(act: Acting, settings: Settings, progress: Progress | None = None) -> dict[str, Any]:
    """Write the bundle, build the site beside the last release, switch, and note it.

    A crash before the switch leaves the old release served; one after it leaves a
    release not yet noted, which the next run notes (same bundle, same release).
    """
    folder = settings.data / "bundles" / "next"
    written = await disclosure.write_bundle(act, folder, demo=settings.simulated)
    kept = settings.data / "bundles" / "current"

    def build() -> dict[str, Any]:
        with Printer(settings.data / "fonts") as printer:
            done = release(folder, settings.data / "site", _Renderer(printer), progress)
        shutil.rmtree(kept, ignore_errors=True)
        folder.rename(kept)
        return {"id": done.id, "changed": done.changed, "pages": done.pages, "pdfs": done.pdfs}

    made = await asyncio.to_thread(build)
    await disclosure.save_published(act, written, made)
    return made


async def publish_site(act: Acting, settings: Settings, progress: Progress | None = None) -> dict[str, Any]:
    """Publish all that is reviewed, then release the site."""
    counts = await publish.publish_all(act)
    return {**counts, **await release_site(act, settings, progress)}


HANDLERS = {"release": release_site, "publish": publish_site}


async def run_job(job: dict[str, Any], settings: Settings, keys: Any, sectors: Any, clock: Callable[[], datetime]) -> None:
    """Do one claimed job and note how it ended; a refusal is an ending, not a crash."""
    wall = clock()

    def progress(what: str, count: int) -> None:
        # Called from the building thread: hand over to the loop that owns the database.
        asyncio.run_coroutine_threadsafe(store.save_progress(job["id"], count, 0, what, clock()), loop)

    loop = asyncio.get_running_loop()
    try:
        account = await accounts.load_account(job["args"]["login"])
        act = await open_acting(account, job["args"]["login"], settings.now(), keys, sectors, address="worker")
        made = await HANDLERS[job["kind"]](act, settings, progress)
    except Refused as refusal:
        async with transaction():
            await store.save_finished(job["id"], "failed", refusal.message, wall)
    except Exception as failure:  # noqa: BLE001 - the worker outlives any one job
        async with transaction():
            await store.save_finished(job["id"], "failed", f"程序出错（{type(failure).__name__}），请联系运维人员。", wall)
        print(f"job {job['id']} failed: {failure!r}", file=sys.stderr)
    else:
        note = f"已发布 {made['id']}：{made['pages']} 个网页，{made['pdfs']} 份 PDF，变动 {made['changed']} 个文件。"
        async with transaction():
            await store.save_finished(job["id"], "done", note, wall)


async def work(settings: Settings, keys: Any, sectors: Any, *, until_idle: bool = False) -> int:
    """Claim and do jobs until cancelled (or until none waits); the count done.

    Leases run on real time even where the installation's clock is simulated: a
    worker's death has nothing to do with played time.
    """

    def wall() -> datetime:
        return datetime.now().astimezone()

    done = 0
    while True:
        job = await store.claim_job(wall())
        if job is None:
            if until_idle:
                return done
            await asyncio.sleep(IDLE_SECONDS)
            continue
        beat = asyncio.create_task(_heartbeat(job["id"], wall))
        try:
            await run_job(job, settings, keys, sectors, wall)
        finally:
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat
        done += 1


async def _heartbeat(job: int, wall: Callable[[], datetime]) -> None:
    """Keep the lease while a long job works; when the worker dies the lease runs out."""
    while True:
        await asyncio.sleep(store.LEASE.total_seconds() / 4)
        await store.renew_lease(job, wall())

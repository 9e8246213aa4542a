"""Background work: publishing and long imports, run by the worker or by the command line in its own process."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import shutil
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.domain.errors import Refused, WrongMoment
from portal.prints.render import Printer
from portal.settings import Settings
from portal.steps import disclosure, publish, simulation, uploads, withdraw
from portal.steps.acting import Acting, open_acting
from portal.steps.loading import finish_load
from portal.store import accounts
from portal.store import jobs as store
from portal.store.engine import transaction
from public_site.build import PdfJob
from public_site.release import current, release, releases_of, roll_back

Progress = Callable[[str, int], None]
IDLE_SECONDS = 1.0
TOLD_SECONDS = 1.0  # a job's progress is written at most so often: each time is a commit
EXPIRY_SECONDS = 600.0  # how often an idle worker asks whether some publication's time is over
WAITING_SECONDS = 600.0  # for another process that is publishing


class SitePrinter:
    """The Printer as the site's builder wants it."""

    def __init__(self, printer: Printer):
        self.printer = printer
        self.version = printer.version

    def __call__(self, jobs: Iterable[PdfJob]) -> Iterator[tuple[str, bytes]]:
        wanted = ((job.key, f"{job.template}.html", dict(job.context)) for job in jobs)
        for key, pdf in self.printer.render_many(wanted):
            yield str(key), pdf


async def release_site(
    act: Acting, settings: Settings, progress: Progress | None = None, printer: Printer | None = None
) -> dict[str, Any]:
    """Write the bundle, build the site beside the last release, switch, and note it.

    `printer`: one already open, for callers that release several times.  A crash before
    the switch leaves the old release served; one after it leaves a release not yet
    noted, which the next run notes (same bundle, same release).
    """
    folder, kept = settings.data / "bundles" / "next", settings.data / "bundles" / "current"
    stopped = threading.Event()

    def told(what: str, count: int) -> None:
        if stopped.is_set():
            raise WrongMoment("发布已中断，公示网站仍是原来的版本。")
        if progress:
            progress(what, count)

    def build() -> dict[str, Any]:
        with contextlib.nullcontext(printer) if printer else Printer(settings.data / "fonts", own_fonts=settings.fonts) as used:
            done = release(folder, settings.data / "site", SitePrinter(used), told)
        shutil.rmtree(kept, ignore_errors=True)
        folder.rename(kept)
        return {"id": done.id, "changed": done.changed, "pages": done.pages, "pdfs": done.pdfs}

    async with _publishing(settings.data / "bundles"):
        asked = [job["id"] for job in await store.load_jobs() if job["kind"] == "release" and job["state"] == "queued"]
        written = await disclosure.write_bundle(act, folder, demo=settings.simulated)
        building = asyncio.ensure_future(asyncio.to_thread(build))
        try:
            await asyncio.wait([building])  # which leaves the thread alone when this is cancelled
        except asyncio.CancelledError:
            stopped.set()  # or Ctrl-C would wait for the thread to print the last document
            await asyncio.wait([building])  # the folders are its own until it ends
            building.exception()
            raise
        made = building.result()
        await disclosure.save_published(act, written, made)
        for job in asked:  # what they asked for is in this release
            await store.save_finished(job, "done", _note(made), datetime.now().astimezone())
    return made


async def roll_site_back(act: Acting, settings: Settings, name: str) -> str:
    """Show a kept release again (the one before the present one where none is named), free of what must be forgotten; its id."""
    act.require("publish.publish")
    site = settings.data / "site"

    def roll() -> str:
        kept = releases_of(site) if (site / "releases").is_dir() else []
        shown = current(site)
        wanted = name or (kept[kept.index(shown) - 1] if shown in kept and kept.index(shown) else "")
        if not wanted:
            raise WrongMoment("没有更早的版本可以换回。")
        with Printer(settings.data / "fonts", own_fonts=settings.fonts) as used:
            return roll_back(site, wanted, SitePrinter(used))

    async with _publishing(settings.data / "bundles"):
        done = await asyncio.to_thread(roll)
        await publish.note_rollback(act, done)
    return done


@contextlib.asynccontextmanager
async def _publishing(folder: Path) -> AsyncIterator[None]:
    """One publisher at a time, on this machine: the worker and a command share the bundle's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + WAITING_SECONDS
    with (folder / ".lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise WrongMoment("另一次发布一直没有结束。请稍后再试。") from None
                await asyncio.sleep(0.2)
        yield  # the lock goes with the file, even when the process is killed


@contextlib.contextmanager
def no_publishing(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Nobody publishes meanwhile; `waiting` is called when somebody is at it and has to be waited for."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def publish_site(
    act: Acting, settings: Settings, progress: Progress | None = None, printer: Printer | None = None
) -> dict[str, Any]:
    """Publish all that is reviewed, then release the site."""
    counts = await publish.publish_all(act)
    return {**counts, **await release_site(act, settings, progress, printer)}


def _note(made: dict[str, Any]) -> str:
    return f"已发布 {made['id']}：{made['pages']} 个网页，{made['pdfs']} 份 PDF，变动 {made['changed']} 个文件。"


async def _release(act: Acting, settings: Settings, progress: Progress, _: dict[str, Any]) -> str:
    return _note(await release_site(act, settings, progress))


async def _publish(act: Acting, settings: Settings, progress: Progress, _: dict[str, Any]) -> str:
    return _note(await publish_site(act, settings, progress))


async def _import(act: Acting, _: Settings, progress: Progress, args: dict[str, Any]) -> str:
    report = await uploads.apply_queued(act, args["upload"], progress)
    return "，".join(f"{label} {count:,}" for label, count in report.counts.items() if count) + "。"


async def _simulate(act: Acting, _: Settings, progress: Progress, args: dict[str, Any]) -> str:
    await simulation.simulate_plan(act, args["number"], args["seed"], args["runs"], progress)
    return f"已模拟 {args['runs']} 遍，种子 {args['seed']}。"


async def _load(act: Acting, _: Settings, __: Progress, ___: dict[str, Any]) -> str:
    return "已接着完成中断的名录导入。" if await finish_load(act) else "名录导入已经完成。"


#: kind -> what does it: (act, settings, progress, args) -> the note shown once it is done
HANDLERS = {"release": _release, "publish": _publish, "import": _import, "simulate": _simulate, "load": _load}


async def run_job(job: dict[str, Any], settings: Settings, keys: Any, sectors: Any, clock: Callable[[], datetime]) -> None:
    """Do one claimed job and note how it ended; a refusal is an ending, not a crash."""
    wall = clock()
    last = time.monotonic()

    def progress(what: str, count: int) -> None:
        # Called from the building thread: hand over to the loop that owns the database.
        nonlocal last
        if time.monotonic() - last < TOLD_SECONDS:
            return
        last = time.monotonic()
        asyncio.run_coroutine_threadsafe(store.save_progress(job["id"], count, 0, what, clock()), loop)

    loop = asyncio.get_running_loop()
    try:
        account = await accounts.load_account(job["args"]["login"])
        act = await open_acting(account, job["args"]["login"], settings.now(), keys, sectors, address="worker")
        note = await HANDLERS[job["kind"]](act, settings, progress, job["args"])
    except Refused as refusal:
        async with transaction():
            await store.save_finished(job["id"], "failed", refusal.message, wall)
    except Exception as failure:  # noqa: BLE001 - the worker outlives any one job
        async with transaction():
            await store.save_finished(job["id"], "failed", f"程序出错（{type(failure).__name__}），请联系运维人员。", wall)
        print(f"job {job['id']} failed: {failure!r}", file=sys.stderr)
    else:
        async with transaction():
            await store.save_finished(job["id"], "done", note, wall)


async def work(settings: Settings, keys: Any, sectors: Any, *, until_idle: bool = False) -> int:
    """Claim and do jobs until cancelled (or until none waits); the count done.

    Leases run on real time even where the installation's clock is simulated: a
    worker's death has nothing to do with played time.
    """

    def wall() -> datetime:
        return datetime.now().astimezone()

    done, looked = 0, -EXPIRY_SECONDS
    while True:
        job = await store.claim_job(wall())
        if job is None and time.monotonic() - looked >= EXPIRY_SECONDS:
            looked = time.monotonic()
            if await _expire(settings, keys, sectors):
                continue
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


async def _expire(settings: Settings, keys: Any, sectors: Any) -> bool:
    """Queue a release where a publication's time is over, in the name of who set it; True where one was queued."""
    login = await withdraw.load_who_limited(settings.now())
    if login is None:
        return False
    try:
        act = await open_acting(await accounts.load_account(login), login, settings.now(), keys, sectors, address="worker")
        return await withdraw.release_due(act) is not None
    except Refused as refusal:  # the account is stopped or no publisher any more: the next publication forgets it
        print(f"expiry not released: {refusal.message}", file=sys.stderr)
        return False


async def _heartbeat(job: int, wall: Callable[[], datetime]) -> None:
    """Keep the lease while a long job works; when the worker dies the lease runs out."""
    while True:
        await asyncio.sleep(store.LEASE.total_seconds() / 4)
        await store.renew_lease(job, wall())

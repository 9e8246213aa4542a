"""Killed at any statement: afterwards it is before or after, never between, and running it again completes it.

Each step runs in a child process that ends itself (SIGKILL) at a chosen database
statement or file operation; the parent then opens what is left.
"""

import asyncio
import os
import signal
import traceback
from pathlib import Path

import pytest

from portal.cli.check import check_release
from portal.steps import disclosure, publish
from portal.steps.verify import verify_installation
from portal.store import audit, bulk, engine
from public_site.release import current, release
from tests import office, pools
from tests.office import snapshot
from tests.steps.acts import CHANGES

# The others are one transaction of a few statements; test_acts.py undoes them at their last.
CRASHING = [change for change in CHANGES if change.name in {
    "freeze", "commit", "draw", "reveal", "combine", "assign", "replace", "import records", "review round", "publish", "write bundle",
}]  # fmt: skip
POINTS = (40, 100)  # per cent of the step's statements done when it is killed


class Trip:
    """Counts what goes to the database, in any way, and kills this process before statement `at`."""

    def __init__(self, at: int | None):
        self.at, self.done = at, 0

    def step(self) -> None:
        if self.done == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.done += 1

    def set(self, patch) -> None:
        kind = type(engine.current_engine())
        for name in ("run_querystring", "run_ddl"):
            patch.setattr(kind, name, self._counted(getattr(kind, name)))
        patch.setattr(bulk, "_execute", self._counted(bulk._execute))

    def _counted(self, real):
        async def counted(*args, **given):
            self.step()
            return await real(*args, **given)

        return counted


def in_child(work) -> int:
    """Run `work` in a forked child; its wait status. 0: it came to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitpid(pid, 0)[1]


async def _look(folder: Path) -> tuple[dict[str, str], int, list[str]]:
    """(the database's content, the last act's number, what verification finds wrong)."""
    house = await office.open_house(folder)
    try:
        wrong = [words async for holds, words in verify_installation(await house.acting("auditor")) if not holds]
        return await snapshot(), (await audit.load_head())["n"], wrong
    finally:
        await engine.close_engine()


async def _acts(folder: Path) -> int:
    await office.open_house(folder)
    try:
        return (await audit.load_head())["n"]
    finally:
        await engine.close_engine()


async def _content(folder: Path) -> dict[str, str]:
    await office.open_house(folder)
    try:
        return await snapshot()
    finally:
        await engine.close_engine()


@pytest.fixture(scope="module", autouse=True)
def connections_wait():
    """Each of these databases is looked into several times."""
    with pools.kept_of_all():
        yield


@pytest.fixture(scope="module")
def prepared(stages, tmp_path_factory):
    """change -> (a folder in which everything the step needs is there, its statements, its lines of audit, what it needs)."""
    root, made = tmp_path_factory.mktemp("prepared"), {}

    def folder(change) -> tuple[Path, int, int, object]:
        if change.name not in made:
            place = stages.copy(change.stage, root / change.name.replace(" ", "-"))
            found = pools.run(_prepare(place, change))
            trip, dry = Trip(None), office.copy_folder(place, root / "dry" / change.name)
            before = pools.run(_acts(dry))
            pools.run(_again(dry, change, trip, found))
            made[change.name] = (place, trip.done, pools.run(_acts(dry)) - before, found)
        return made[change.name]

    return folder


async def _prepare(folder: Path, change) -> object:
    house = await office.open_house(folder)
    try:
        return await change.prepare(house) if change.prepare else None
    finally:
        await engine.close_engine()


async def _again(folder: Path, change, trip: Trip, found) -> None:
    house = await office.open_house(folder)
    try:
        act = await house.acting(change.login)
        with pytest.MonkeyPatch.context() as patch:
            trip.set(patch)
            await change.run(act, house, found)
    finally:
        await engine.close_engine()


@pytest.mark.parametrize("change", CRASHING, ids=[change.name.replace(" ", "-") for change in CRASHING])
def test_a_step_killed_anywhere_is_undone_or_done_and_can_be_run_again(change, prepared, tmp_path):
    folder, statements, lines, found = prepared(change)
    places = [office.copy_folder(folder, tmp_path / str(point)) for point in POINTS]  # before anybody is connected to it
    before, acts, wrong = pools.run(_look(folder))
    assert wrong == [] and statements > 2
    for point, place in zip(POINTS, places, strict=True):
        at = min(statements * point // 100, statements - 1)
        assert in_child(lambda at=at, place=place: asyncio.run(_again(place, change, Trip(at), found))) == signal.SIGKILL
        after = pools.run(_content(place))
        if after != before:  # it was over already, or (publishing) a whole transaction of several was
            _, last, wrong = pools.run(_look(place))
            assert wrong == [] and last in (range(acts + 1, acts + lines) if change.name == "publish" else [acts + lines])
    pools.run(_again(place, change, Trip(None), found))
    _, done, wrong = pools.run(_look(place))
    assert wrong == [] and done == acts + lines, "run again, it is done once"


def test_a_kill_that_comes_too_late_leaves_the_step_done(prepared, tmp_path):
    """The check above can fail: a step that was not killed is not 'before'."""
    change = next(change for change in CRASHING if change.name == "draw")
    folder, statements, lines, found = prepared(change)
    place = office.copy_folder(folder, tmp_path / "late")
    before, acts, _ = pools.run(_look(folder))
    assert in_child(lambda: asyncio.run(_again(place, change, Trip(statements), found))) == 0
    after, last, wrong = pools.run(_look(place))
    assert after != before and last == acts + lines and wrong == []


# The site --------------------------------------------------------------------


class PlainRenderer:
    """Stands in for the PDF renderer: the same job gives the same bytes."""

    version = "plain-1"

    def __call__(self, jobs):
        for job in jobs:
            yield job.key, b"%PDF-1.7 " + job.key.encode()


async def _publish(folder: Path) -> str:
    """What the worker does: bundle, build, switch, note."""
    house = await office.open_house(folder)
    try:
        act = await house.acting("publisher")
        written = await disclosure.write_bundle(act, folder / "bundles" / "next", demo=True)
        made = await asyncio.to_thread(release, folder / "bundles" / "next", folder / "site", PlainRenderer())
        await disclosure.save_published(act, written, {"id": made.id, "changed": made.changed, "pages": made.pages, "pdfs": made.pdfs})
        return made.id
    finally:
        await engine.close_engine()


#: where to be killed: (module attribute, how many calls are let through)
CUTS = [("pathlib.Path.write_bytes", 5), ("os.replace", 0), ("os.rename", 0), ("os.symlink", 0), ("os.replace", 1)]


@pytest.mark.parametrize(("name", "through"), CUTS, ids=[f"{name}-{through}" for name, through in CUTS])
def test_publishing_killed_anywhere_leaves_the_old_site_or_the_new_and_can_be_run_again(name, through, stages, site_before, tmp_path):
    folder = office.copy_folder(site_before, tmp_path / "data")
    old = current(folder / "site")

    def cut() -> None:
        left = [through]
        with pytest.MonkeyPatch.context() as patch:
            module, _, attribute = name.rpartition(".")
            owner = Path if module == "pathlib.Path" else __import__(module)
            real = getattr(owner, attribute)

            def tripped(*args, **given):
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return real(*args, **given)

            patch.setattr(owner, attribute, tripped)
            asyncio.run(_publish(folder))

    assert in_child(cut) == signal.SIGKILL
    shown = current(folder / "site")
    assert all(holds for holds, _ in check_release(folder / "site" / "releases" / shown)), "what readers see is whole"
    _, _, wrong = pools.run(_look(folder))
    assert wrong == []
    new = pools.run(_publish(folder))
    assert current(folder / "site") == new != old
    assert all(holds for holds, _ in check_release(folder / "site" / "releases" / new))


def test_publishing_the_same_data_again_is_the_same_site(site_before, tmp_path):
    folder = office.copy_folder(site_before, tmp_path / "data")
    first = pools.run(_publish(folder))
    assert pools.run(_publish(folder)) == first == current(folder / "site")


@pytest.fixture(scope="module")
def site_before(stages, tmp_path_factory) -> Path:
    """A site shows the commitments; results wait to be published."""
    folder = stages.copy("approved", tmp_path_factory.mktemp("site") / "data")
    pools.run(_publish(folder))

    async def more() -> None:
        house = await office.open_house(folder)
        try:
            house.at("2026-07-04T09:00")
            await publish.publish_all(await house.acting("publisher"))
        finally:
            await engine.close_engine()

    pools.run(more())
    return folder

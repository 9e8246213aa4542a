"""The same thing done by many at once: one effect, and for everybody else the stored result or a refusal in words."""

import asyncio
from pathlib import Path

import pytest

from portal.domain.errors import Refused
from portal.domain.sample import sample_inspectors, sample_plan
from portal.steps import assign, disclosure, draw, plan, pool, uploads, visits
from portal.steps.directory import save_inspector_rows
from portal.steps.verify import verify_installation
from portal.store import audit, engine
from portal.store import log as log_store
from tests import NOTHING_LEFT_OUT, office, processes
from tests.office import OPEN, SEALED
from tests.steps.acts import CHANGES

pytestmark = pytest.mark.anyio

#: fifty people at once where it matters most, fewer elsewhere
MANY = {"draw": 50, "submit": 50, "publish": 50, "approve": 50}
PROCESSES = 4 if NOTHING_LEFT_OUT else 2
#: done again they do it again: another file, another version, another look
AGAIN = {
    "import entities", "import inspectors", "import sheet", "accept codes", "import plan", "upload", "map headings", "request release",
    "hand over", "write bundle", "note release", "import divisions", "cover", "place entity", "save profile", "measure plan", "simulate",
    "request simulation", "upload form", "reset password", "export list", "note rollback",
}  # fmt: skip


@pytest.fixture
def folder(request, stages, tmp_path):
    return stages.copy(request.node.callspec.params["change"].stage, tmp_path / "data")


@pytest.fixture
async def house(folder):
    yield await office.open_house(folder)
    await engine.close_engine()


@pytest.mark.parametrize("change", CHANGES, ids=[change.name.replace(" ", "-") for change in CHANGES])
async def test_an_act_done_by_many_at_once_has_one_effect(change, house, monkeypatch):
    monkeypatch.setattr(uploads, "LONG_ROWS", uploads.LONG_ROWS)  # put back whatever the crowd leaves
    found = await change.prepare(house) if change.prepare else None
    before = (await audit.load_head())["n"]
    acts = [await house.acting(change.login) for _ in range(MANY.get(change.name, 4) if NOTHING_LEFT_OUT else 3)]
    answers = await asyncio.gather(*(change.run(act, house, found) for act in acts), return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(failure, Refused) and "约束" not in failure.message for failure in failures), failures
    assert len(failures) < len(answers)
    done = [answer for answer in answers if not isinstance(answer, BaseException)]
    written = [row["act"] for row in await audit.load_acts(before)]
    for name, count in change.acts.items():
        once = max(count(answer) for answer in done) if callable(count) else count
        assert once <= written.count(name) <= once * len(answers) if change.name in AGAIN else written.count(name) == once, (name, failures)
    wrong = [words async for holds, words in verify_installation(await house.acting("auditor")) if not holds]
    assert wrong == []


# Several processes -------------------------------------------------------------

async def draw_in_another(meet, folder):
    house = await office.open_house(Path(folder))
    act = await house.acting("planner")
    meet()
    answers = await asyncio.gather(*(draw.draw_round(act, OPEN) for _ in range(10)))
    await asyncio.gather(*(visits.combine_visits(act, OPEN) for _ in range(5)))
    await asyncio.gather(*(assign.assign_inspectors(act, OPEN) for _ in range(5)))
    await engine.close_engine()
    return [(answer["again"], answer["commit"]) for answer in answers]


@pytest.mark.long
async def test_several_processes_that_draw_at_once_draw_once(committed):
    await office.make_drawable(committed)
    before = (await audit.load_head())["n"]
    said = await processes.at_once(draw_in_another, *[(str(committed.settings.data),)] * PROCESSES)
    answers = [answer for one in said for answer in one]
    assert len(answers) == 10 * PROCESSES and len({commit for _, commit in answers}) == 1
    assert [again for again, _ in answers].count(False) == 1
    acts = [row["act"] for row in await audit.load_acts(before)]
    assert sorted(acts) == ["round.draw", "visits.assign", "visits.combine"]


# Order -------------------------------------------------------------------------


async def test_different_acts_at_once_neither_fail_nor_wait_for_each_other_for_ever(committed):
    """Draws of two rounds, void proposals, plans, pools: everything takes what it holds in one order."""
    for code in (OPEN, SEALED):
        await office.make_drawable(committed, code)
    planner, operator, publisher = [await committed.acting(login) for login in ("planner", "operator", "publisher")]
    tasks = [code for code in await office.tasks_by_code() if code not in (office.ANNUAL, office.INSTANT)][:3]
    people = tuple(sample_inspectors(office.SEED))[:20]
    work = [draw.draw_round(planner, code) for code in (OPEN, SEALED) * 3]
    work += [plan.import_plan(operator, sample_plan(office.SEED), b"again") for _ in range(3)]
    work += [pool.freeze_pool(planner, task) for task in tasks * 2]
    work += [save_inspector_rows(operator, rows) for rows in (people, people[::-1]) * 3]
    work += [disclosure.write_bundle(publisher, committed.settings.data / "bundles" / str(n), demo=True) for n in range(2)]
    answers = await asyncio.gather(*work, return_exceptions=True)
    assert all(not isinstance(answer, BaseException) or isinstance(answer, Refused) for answer in answers), answers
    assert [answer["again"] for answer in answers[:6]].count(False) == 2
    entries = await log_store.load_entries()
    assert [entry["n"] for entry in entries] == list(range(len(entries)))
    assert [line async for line in verify_installation(await committed.acting("auditor")) if not line[0]] == []

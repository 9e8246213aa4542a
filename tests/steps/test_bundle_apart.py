"""Writing a bundle lets the office work while its files are made, and still shows the one state its checkpoint signs."""

import asyncio
import contextvars
import json

import pytest

from portal.domain import log as tlog
from portal.steps import bundles, disclosure, draw, publish
from portal.steps.verify import verify_installation
from portal.store import engine
from portal.store import draw as draw_store
from tests import office
from tests.office import OPEN, SEALED, query
from tests.steps.test_sectors import sectors_with

pytestmark = pytest.mark.anyio


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def meanwhile(work):
    """Somebody else's act, in a context and transaction of its own; waiting for us it would never end."""
    async with asyncio.timeout(15):
        return await asyncio.create_task(work, context=contextvars.Context())


def acts_in(house):
    return query(house.settings.data, "SELECT count(*) FROM audit")[0][0]


def counting(monkeypatch):
    """Codes of rounds whose files were made, in order."""
    made, real = [], bundles.load_public_files

    async def load(act, round_, before=None):
        found = await real(act, round_, before)
        if found is not before:
            made.append(round_["code"])
        return found

    monkeypatch.setattr(disclosure, "load_public_files", load)
    return made


async def write(house, folder, **more):
    return await disclosure.write_bundle(await house.acting("publisher"), folder, demo=True, **more)


async def same_again(house, folder, tmp_path):
    """What was written is what is written of the same state with nobody in between."""
    first = contents(folder)
    await write(house, tmp_path / "again")
    second = contents(tmp_path / "again")
    assert first.keys() == second.keys() and [name for name in first if first[name] != second[name]] == []
    assert [words async for holds, words in verify_installation(await house.acting("auditor")) if not holds] == []
    return first


async def test_another_act_commits_while_the_files_are_made(published, tmp_path, monkeypatch):
    made, committed = counting(monkeypatch), []

    async def told(code):
        before = acts_in(published)
        await meanwhile(disclosure.save_published(
            await published.acting("boss"), {"rounds": [], "digest": f"{len(committed)}" * 64, "size": 1}, {"id": f"00000{len(committed) + 5}-{'0' * 12}", "pages": 0, "pdfs": 0, "changed": 0}
        ))  # fmt: skip
        committed.append(acts_in(published) - before)  # seen by another connection: not ours to undo any more

    written = await write(published, tmp_path / "b", told=told)
    assert committed == [1, 1] and made == [OPEN, SEALED], "nothing they were made from has changed"
    assert written["size"] == tlog_size(tmp_path / "b")
    await same_again(published, tmp_path / "b", tmp_path)


def tlog_size(folder):
    about = json.loads((folder / "about.json").read_bytes())
    entries = [one for path in sorted((folder / "log" / "tile" / "entries").rglob("*")) if path.is_file() for one in tlog.parse_entry_tile(path.read_bytes())]
    assert about["log"]["size"] == len(entries)
    return len(entries)


async def test_a_round_revealed_in_between_is_shown_revealed_with_all_its_files(published, tmp_path, monkeypatch):
    published.at("2026-07-06T09:00")
    made = counting(monkeypatch)

    async def told(code):
        if code == OPEN:
            await meanwhile(draw.reveal_round(await published.acting("approver"), OPEN))

    written = await write(published, tmp_path / "b", told=told)
    assert made == [OPEN, SEALED, OPEN]
    files = await same_again(published, tmp_path / "b", tmp_path)
    assert f"rounds/{OPEN}/reveal.json" in files and f"rounds/{OPEN}/result.json" in files
    row = next(row for row in map(json.loads, files["rounds.jsonl"].splitlines()) if row["code"] == OPEN)
    assert row["state"] == "revealed" and max(entry["index"] for entry in row["log"]) < written["size"] == tlog_size(tmp_path / "b")


async def test_a_round_committed_in_between_is_in_it(filled, tmp_path, monkeypatch):
    filled.at(office.COMMITTED)
    first = await office.commit_and_publish(filled)
    made, later = counting(monkeypatch), []

    async def told(_):
        if not later:
            later.append(await meanwhile(office.commit_and_publish(filled, (office.INSTANT,), "sealed")))

    written = await write(filled, tmp_path / "b", told=told)
    assert made == [first, *later] and len(written["rounds"]) == 2
    assert f"rounds/{later[0]}/round.json" in await same_again(filled, tmp_path / "b", tmp_path)


async def test_a_round_voided_in_between_shows_nothing_but_its_commitment(committed, tmp_path):
    async def told(code):
        if code == SEALED:
            for login in ("planner", "planner2"):
                await meanwhile(draw.void_round(await committed.acting(login), OPEN, "名录有误"))

    await write(committed, tmp_path / "b", told=told)
    files = await same_again(committed, tmp_path / "b", tmp_path)
    assert [name for name in files if name.startswith(f"rounds/{OPEN}/")] == [f"rounds/{OPEN}/round.json"]
    states = {row["code"]: row["state"] for row in map(json.loads, files["rounds.jsonl"].splitlines())}
    assert states == {OPEN: "void", SEALED: "committed"}


async def test_pages_are_of_the_results_that_are_published_with_them(approved, tmp_path):
    shown = []

    def pages(task, published):
        shown.append(len(published))
        return []

    async def told(code):
        if code == SEALED:
            await meanwhile(publish.publish_all(await approved.acting("publisher")))

    act = await approved.acting("publisher", sectors_with("annual_reports", publication_pages=pages))
    await disclosure.write_bundle(act, tmp_path / "b", demo=True, told=told)
    results = [json.loads(line) for line in (tmp_path / "b" / "results.jsonl").read_bytes().splitlines()]
    assert results and shown and max(shown) <= len(results)
    once = list(shown)
    await disclosure.write_bundle(act, tmp_path / "c", demo=True)
    assert shown == once * 2, "asked once a bundle where nothing has changed"
    assert contents(tmp_path / "b")["pages.jsonl"] == contents(tmp_path / "c")["pages.jsonl"]


@pytest.mark.parametrize("stage", ["committed", "drawn", "published"])
async def test_what_is_public_of_a_round_is_what_the_auditors_folder_has_of_it(stages, tmp_path, stage):
    house = await office.open_house(stages.copy(stage, tmp_path / "data"))
    try:
        act = await house.acting("boss")
        if stage == "published":
            house.at("2026-07-06T09:00")
            await draw.reveal_round(await house.acting("approver"), OPEN)
        for round_ in await draw_store.load_rounds(act.tree):
            made = await bundles.load_public_files(act, round_)
            assert made.files == bundles.public_files(round_, await bundles.auditor_files(act, round_))
            assert await bundles.load_public_files(act, round_, made) is made
    finally:
        await engine.close_engine()

"""Lines in COPY's text form come into both engines as they were; a load is nowhere, or on its way, or whole."""

from datetime import date, datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import WrongMoment
from portal.domain.sample import sample_entities
from portal.store import directory, engine, loads
from portal.store.bulk import bulk_load, line_of, values_of
from portal.store.entity_lines import ENTITY_NAMES, entity_line, stored_instant
from portal.store.tables import Account, Entity, LoadPart
from tests.office import changed_tables, snapshot

pytestmark = pytest.mark.anyio

AT = datetime(2026, 3, 1, 8, 30, tzinfo=timezone.utc)
ODD = ["\\", "\\N", "\\t", "a\tb", "换\n行", "\r", "'\"", "N", "", "𠮷野家", "\\\\n"]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.none(), min_size=1))
def test_a_line_gives_back_what_was_written(values):
    line = line_of(values)
    assert "\n" not in line and values_of(line) == values


def test_values_that_are_no_text_are_spelt_as_both_engines_read_them():
    beijing = datetime.fromisoformat("2026-03-01T08:30:00+08:00")
    assert line_of([None, True, False, 7, date(2026, 3, 1), beijing]) == "\\N\t1\t0\t7\t2026-03-01\t2026-03-01 00:30:00+00:00"


def test_a_directory_line_is_the_stored_row():
    rows = list(sample_entities(300, 3))
    rows += [row._replace(name=text or "空", scope=text, registered_on=None) for row, text in zip(rows, ODD)]
    rows.append(rows[0]._replace(attributes={"capital": "100", "食品": [{"number": "1", "tags": ["甲"]}]}))  # a special register
    for row in rows:
        values = directory.entity_values(row, 5, AT)
        assert tuple(values) == ENTITY_NAMES
        assert entity_line(row, 5, stored_instant(AT)) == line_of(values.values())


@pytest.fixture
async def someone(filled):
    account = await Account.select(Account.id, Account.organisation).where(Account.login == "operator").first().run()
    return account["id"], account["organisation"]


def lines_of(rows, organisation):
    return [entity_line(row, organisation, stored_instant(AT)) for row in rows]


async def stored(rows):
    found = await directory.load_entities([row.code for row in rows])
    return [{key: value for key, value in found[row.code].items() if key != "id"} for row in rows if row.code in found]


async def test_lines_are_stored_as_dicts_are_and_again_by_key(someone):
    _, organisation = someone
    rows = [row._replace(scope=text, name=f"{n}{text}") for n, (row, text) in enumerate(zip(sample_entities(12, 99), ODD))]
    data = ("\n".join(lines_of(rows, organisation)) + "\n").encode()
    async with engine.transaction():
        await bulk_load(Entity, ENTITY_NAMES, data, key="code")
    first = await stored(rows)
    async with engine.transaction():
        await directory.save_entities(directory.entity_values(row, organisation, AT) for row in rows)
    assert first == await stored(rows) and len(first) == len(ODD)
    changed = [row._replace(name="新名", registered_on=None) for row in rows]
    count = await Entity.count().run()
    async with engine.transaction():  # twice in one transaction
        for part in (changed[:4], changed[4:]):
            await bulk_load(Entity, ENTITY_NAMES, ("\n".join(lines_of(part, organisation)) + "\n").encode(), key="code")
    assert {row["name"] for row in await stored(rows)} == {"新名"} and await Entity.count().run() == count


async def test_columns_that_a_file_says_nothing_about_stay_as_they_are(someone):
    _, organisation = someone
    rows = [row._replace(scope="原来的") for row in sample_entities(5, 99)]
    for own, keep in ((rows, ()), ([row._replace(scope="", name="新名") for row in rows], ("scope",))):
        async with engine.transaction():
            await bulk_load(Entity, ENTITY_NAMES, ("\n".join(lines_of(own, organisation)) + "\n").encode(), key="code", keep=keep)
    assert {(row["name"], row["scope"]) for row in await stored(rows)} == {("新名", "原来的")}


async def test_bulk_writing_outside_a_transaction_is_a_mistake(filled):
    with pytest.raises(RuntimeError, match="needs a transaction"):
        await bulk_load(Entity, ENTITY_NAMES, b"", key="code")


async def begun(someone, rows, parts=3):
    account, organisation = someone
    load = await loads.begin_load("entities", organisation, (), "f" * 64, account, AT)
    for n in range(parts):
        await loads.save_part(load, n, lines_of(rows[n::parts], organisation), ENTITY_NAMES)
    return load


async def merging(load):
    async with engine.transaction():
        await loads.begin_merge(load, 30)


NEW = list(sample_entities(30, 77))


async def test_staged_lines_are_not_in_the_table_and_can_be_dropped(someone):
    before = await snapshot()
    load = await begun(someone, NEW)
    assert changed_tables(before, await snapshot()) == {"load", "load_part"}
    await loads.drop_load(load)
    assert changed_tables(before, await snapshot()) == {"load"} and not await LoadPart.exists().run()


async def test_a_load_comes_in_part_by_part_and_anybody_may_go_on(someone):
    load = await begun(someone, NEW)
    assert not await loads.merge_part(load)  # nothing before it is said to be whole
    await merging(load)
    assert await loads.merge_part(load) and len(await stored(NEW)) == 10
    assert await loads.load_unfinished("entities") == load
    while await loads.merge_part(load):
        pass
    assert len(await stored(NEW)) == 30
    async with engine.transaction():
        done = await loads.end_load(load, AT)
        assert (done["lines"], done["parts"], done["merged"]) == (30, 3, 3)
    async with engine.transaction():
        assert await loads.end_load(load, AT) is None  # noted once
    assert await loads.load_unfinished("entities") is None and not await LoadPart.exists().run()


async def test_a_part_and_the_note_that_it_is_done_are_one(someone, monkeypatch):
    load = await begun(someone, NEW)
    await merging(load)
    before = await snapshot()

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(LoadPart, "delete", killed)
        await loads.merge_part(load)
    assert await snapshot() == before
    assert await loads.merge_part(load)


async def test_the_next_load_drops_one_that_never_came_to_its_merge_and_tells_it(someone):
    _, organisation = someone
    first = await begun(someone, NEW)
    second = await begun(someone, NEW[:3])
    with pytest.raises(WrongMoment, match="另一份同类文件已经开始导入"):
        await loads.save_part(first, 3, lines_of(NEW, organisation), ENTITY_NAMES)
    with pytest.raises(WrongMoment, match="另一份同类文件已经开始导入"):
        await merging(first)
    await merging(second)
    third = await begun(someone, NEW)
    with pytest.raises(WrongMoment, match="另一份同类文件正在并入名录"):
        await merging(third)


async def test_whoever_reads_the_directory_twice_can_tell_whether_it_is_one(someone):
    _, organisation = someone
    assert await loads.require_settled({organisation}) == 0
    load = await begun(someone, NEW)
    assert await loads.require_settled({organisation}) == 0
    await merging(load)
    await loads.merge_part(load)
    with pytest.raises(WrongMoment, match="名录正在导入（已并入 1 批，共 3 批），还不完整"):
        await loads.require_settled({organisation})
    assert await loads.require_settled({organisation + 1000}) == 0
    while await loads.merge_part(load):
        pass
    async with engine.transaction():
        await loads.end_load(load, AT)
    assert await loads.require_settled({organisation}) == load


async def test_a_part_staged_again_replaces_the_first(someone):
    _, organisation = someone
    load = await begun(someone, NEW)
    await loads.save_part(load, 1, lines_of(NEW[:2], organisation), ENTITY_NAMES)
    assert [(n, len(lines)) async for n, lines in loads.iter_parts(load)] == [(0, 10), (1, 2), (2, 10)]


async def test_only_transactions_that_may_be_undone_do_not_wait_for_the_disk(filled, engine_kind):
    """And the next one waits again, on the same connection, whatever became of the one before."""
    async def waits() -> str:
        if engine_kind == "sqlite":
            return (await Account.raw("PRAGMA synchronous").run())[0]["synchronous"]
        return (await Account.raw("SHOW synchronous_commit").run())[0]["synchronous_commit"]

    async with engine.transaction():
        usual = await waits()
    async with engine.transaction(lasting=False):
        assert await waits() == (1 if engine_kind == "sqlite" else "off")
    with pytest.raises(ZeroDivisionError):
        async with engine.transaction(lasting=False):
            raise ZeroDivisionError
    async with engine.transaction():
        assert await waits() == usual
        async with engine.transaction(lasting=False):  # joins the outer one
            assert await waits() == usual

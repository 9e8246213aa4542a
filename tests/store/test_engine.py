"""The engine: many at once, all or nothing, and an end."""

import asyncio
import subprocess
import sys

import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.domain.list_columns import DIRECTORY
from portal.domain.lists import Asked
from portal.steps import lists
from portal.store import accounts, engine
from portal.store.locks import hold
from portal.store.tables import Entity, Organisation

pytestmark = pytest.mark.anyio

ADD = """
import asyncio, sys
from portal.store import accounts, engine
from portal.store.locks import hold
async def add():
    async with engine.transaction():
        await hold("settings")
        seen = int(await accounts.load_setting("counter", "0"))
        await asyncio.sleep(0)
        await accounts.save_setting("counter", str(seen + 1))
async def main():
    await engine.open_engine(sys.argv[1])
    await asyncio.gather(*(add() for _ in range(25)))
    print(await accounts.load_setting("counter"))
    if len(sys.argv) < 3:
        await engine.close_engine()
asyncio.run(main())
"""


async def _count_up() -> None:
    async with engine.transaction():
        await hold("settings")  # what is read decides what is written
        seen = int(await accounts.load_setting("counter", "0"))
        await asyncio.sleep(0)  # give the others their chance to come between
        await accounts.save_setting("counter", str(seen + 1))


async def test_a_hundred_transactions_at_once_that_read_and_then_write_all_succeed(filled):
    await asyncio.gather(*(_count_up() for _ in range(100)))
    assert await accounts.load_setting("counter") == "100"


async def test_several_processes_at_once_lose_no_write(filled):
    url = filled.settings.database_url
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", ADD, url, stdout=subprocess.PIPE) for _ in range(2)]
    await asyncio.gather(*(_count_up() for _ in range(25)))
    for process in processes:
        await process.communicate()
        assert process.returncode == 0
    assert await accounts.load_setting("counter") == "75"


async def test_reading_goes_on_while_somebody_writes(filled):
    before = await accounts.load_organisations()
    writing, may_end = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with engine.transaction():
            await accounts.save_organisation("359923", "新局", "bureau", None, "359923")
            writing.set()
            await may_end.wait()

    writer = asyncio.create_task(write())
    await writing.wait()
    seen = await asyncio.gather(*(accounts.load_organisations() for _ in range(20)))
    assert all(one == before for one in seen), "a reader sees the state before the transaction, at once"
    may_end.set()
    await writer
    assert len(await accounts.load_organisations()) == len(before) + 1


async def test_a_transaction_that_fails_leaves_nothing(filled):
    with pytest.raises(ZeroDivisionError):
        async with engine.transaction():
            await accounts.save_setting("counter", "1")
            raise ZeroDivisionError
    assert await accounts.load_setting("counter") == ""


async def test_an_inner_transaction_stands_or_falls_with_the_outer_one(filled):
    with pytest.raises(ZeroDivisionError):
        async with engine.transaction():
            async with engine.transaction():
                await accounts.save_setting("counter", "1")
            raise ZeroDivisionError
    assert await accounts.load_setting("counter") == ""


async def test_a_statement_the_database_refuses_undoes_its_whole_transaction(filled):
    with pytest.raises(WrongMoment, match="与已有的数据冲突"):
        async with engine.transaction():
            await accounts.save_setting("counter", "1")
            await Organisation.insert(Organisation(code="359921", name="双胞胎")).run()
    assert await accounts.load_setting("counter") == ""


async def test_acts_cancelled_at_any_moment_leave_the_writer_free(filled):
    for turns in range(60):
        act = asyncio.create_task(_count_up())
        for _ in range(turns):
            await asyncio.sleep(0)
        act.cancel()
        await asyncio.gather(act, return_exceptions=True)
        await asyncio.wait_for(_count_up(), 5)
    assert int(await accounts.load_setting("counter")) >= 60


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)  # only its writer waits for a lock on the whole file
async def test_an_act_cancelled_while_another_process_writes_leaves_the_writer_free(filled):
    import sqlite3

    other = sqlite3.connect(filled.settings.data / "portal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    act = asyncio.create_task(_count_up())
    while engine.current_engine().pool().writer is None or not engine.current_engine().pool().lock.locked():
        await asyncio.sleep(0.001)
    act.cancel()
    other.execute("COMMIT")
    other.close()
    await asyncio.gather(act, return_exceptions=True)
    await asyncio.wait_for(_count_up(), 5)
    assert await accounts.load_setting("counter") == "1"


async def test_a_process_ends_once_it_has_closed_its_engine(filled):
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", ADD, filled.settings.database_url], capture_output=True, timeout=20, text=True
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "25", "")


async def test_an_address_of_another_database_is_refused(tmp_path):
    with pytest.raises(BadInput, match="DATABASE_URL 只能以 sqlite:/// 或 postgresql:// 开头，现在是“mysql”"):
        await engine.open_engine("mysql://somewhere/portal")


async def test_names_are_searched_without_regard_to_ascii_case_and_wildcards_are_letters(filled):
    act = await filled.acting("planner")

    async def found(query):
        return [row["code"] for row in (await lists.load_page(act, DIRECTORY, Asked(given={"q": query})))["rows"]]

    row = await Entity.select().order_by(Entity.code).first().run()
    async with engine.transaction():
        await Entity.update(name="望溪县 ABC_100% 有限公司").where(Entity.id == row["id"]).run()
    for query in ("abc_1", "ABC", "_100%", "望溪县 a", "% 有限", row["code"].lower()):
        assert await found(query) == [row["code"]], query
    for query in ("A_C_", "100%%", "\\", "ａｂｃ"):
        assert await found(query) == [], query


async def test_what_is_kept_is_asked_again_once_anybody_has_committed_anything(filled):
    asked = []

    async def load():
        asked.append(1)
        return (await engine.read('SELECT count(*) AS n FROM "organisation"'))[0]["n"]

    before = await engine.keep("organisations", load)
    assert [await engine.keep("organisations", load) for _ in range(3)] == [before] * 3
    often = len(asked)
    assert often == 4 if engine.current_engine().engine_type == "postgres" else often <= 2  # the first reading opens what tells
    async with engine.transaction():
        await Organisation.insert(Organisation(code="359999", name="丙县市场监督管理局", region="359999")).run()
        assert await engine.keep("organisations", load) == before + 1, "who commits it sees it already"
    assert await engine.keep("organisations", load) == before + 1


async def test_a_statement_that_takes_many_steps_is_read_by_a_thread_and_is_the_same(filled):
    """SQLite alone reads in the event loop; what passes its steps there is done again elsewhere, while others go on."""
    sql = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300000) SELECT sum(n) AS s FROM c"
    rows = await engine.read(f"SELECT s FROM ({sql}) AS t")
    assert int(rows[0]["s"]) == 300000 * 300001 // 2
    used = engine.current_engine()
    if used.engine_type == "sqlite":
        pool = used.pool()
        assert pool.read_at_once(f"SELECT s FROM ({sql}) AS t", []) is None and pool.read_at_once("SELECT 1 AS one", []) == [{"one": 1}]

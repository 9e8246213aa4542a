"""What transactions hold: in one order, checked on both engines; on PostgreSQL the second one waits and then sees."""

import asyncio

import asyncpg
import pytest

from portal.domain.errors import WrongMoment
from portal.store import accounts, draw, engine, postgres
from portal.store.locks import ORDER, hold
from portal.store.tables import Round
from tests import cluster, office
from tests.office import OPEN, SEALED

pytestmark = pytest.mark.anyio
POSTGRES = pytest.mark.parametrize("engine_kind", ["postgres"], indirect=True)


async def test_nothing_is_held_outside_a_transaction(filled):
    with pytest.raises(RuntimeError, match="chain is held inside a transaction"):
        await hold("chain")


@pytest.mark.parametrize(("first", "then"), list(zip(ORDER[1:], ORDER, strict=False)), ids=ORDER[1:])
async def test_the_order_is_kept(filled, first, then):
    async with engine.transaction():
        await hold(first, 1)
        with pytest.raises(RuntimeError, match=f"{then} must be held before {first}"):
            await hold(then, 1)


async def test_what_is_held_already_may_be_asked_for_again_and_more_of_it_may_not(committed):
    rounds = sorted(row["id"] for row in await Round.select(Round.id).run())
    async with engine.transaction():
        await hold("round", rounds[0])
        await hold("chain")
        await hold("round", rounds[0])
        await hold("round")
        with pytest.raises(RuntimeError, match="or in the same call"):
            await hold("round", *rounds)


@POSTGRES
async def test_the_second_one_waits_and_reads_what_the_first_one_left(committed):
    tree = (await committed.acting("boss")).tree
    held, may_end, seen = asyncio.Event(), asyncio.Event(), []

    async def first() -> None:
        async with engine.transaction():
            await draw.lock_round(OPEN, tree)
            held.set()
            await may_end.wait()
            await draw.save_round_state((await draw.load_round(OPEN, tree))["id"], "committed", void_reason="先来的")

    async def second() -> None:
        async with engine.transaction():
            seen.append((await draw.lock_round(OPEN, tree))["void_reason"])

    writing = asyncio.create_task(first())
    await held.wait()
    waiting = asyncio.create_task(second())
    async with engine.transaction():
        await draw.lock_round(SEALED, tree)  # another round is free
    assert (await draw.load_round(OPEN, tree))["void_reason"] == "" and not seen, "and reading waits for nobody"
    may_end.set()
    await asyncio.gather(writing, waiting)
    assert seen == ["先来的"]


@POSTGRES
async def test_who_waits_too_long_is_told_and_nothing_is_saved(filled, monkeypatch):
    monkeypatch.setattr(postgres, "LOCK_MS", 50)
    await engine.close_engine()
    await engine.open_engine(filled.settings.database_url)
    held, may_end = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with engine.transaction():
            await hold("settings")
            held.set()
            await may_end.wait()

    writing = asyncio.create_task(first())
    await held.wait()
    with pytest.raises(WrongMoment, match="别人正在办理同一件事，等了很久还没有结束，这一步没有保存"):
        async with engine.transaction():
            await accounts.save_setting("mine", "1")
            await hold("settings")
    may_end.set()
    await writing
    assert await accounts.load_setting("mine") == ""


@POSTGRES
async def test_a_deadlock_is_a_refusal_and_never_a_traceback(filled):
    """Against the order, past the check: what a mistake in the program would look like to people."""
    turns = [asyncio.Event(), asyncio.Event()]

    async def one(mine: int) -> str:
        try:
            async with engine.transaction():
                await accounts.save_setting(f"row {mine}", "1")
                turns[mine].set()
                await turns[1 - mine].wait()
                await accounts.save_setting(f"row {1 - mine}", "2")
        except WrongMoment as refusal:
            return refusal.message
        return "done"

    for n in (0, 1):
        await accounts.save_setting(f"row {n}", "0")
    said = sorted(await asyncio.gather(one(0), one(1)))
    assert said[0] == "done" and "没有保存。请稍后再试。" in said[1]


# The server -------------------------------------------------------------------


async def _end_backends(database: str) -> None:
    """What a server that is restarted does to everybody."""
    other = await asyncpg.connect(cluster.url_of("postgres", owner=True))
    await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database)
    await other.close()


@POSTGRES
async def test_a_connection_lost_in_the_middle_is_a_refusal_and_the_next_act_goes_on(filled):
    database = (filled.settings.data / office.DATABASE).read_text()
    with pytest.raises(WrongMoment, match="数据库连接中断，这一步没有保存"):
        async with engine.transaction():
            await accounts.save_setting("mine", "1")
            await _end_backends(database)
            await accounts.save_setting("mine", "2")
    assert await accounts.load_setting("mine") == ""
    with pytest.raises(WrongMoment, match="数据库连接中断，不能确定这一步是否已经保存"):
        async with engine.transaction():
            await accounts.save_setting("mine", "1")
            await _end_backends(database)
    async with engine.transaction():
        await accounts.save_setting("mine", "3")
    assert await accounts.load_setting("mine") == "3"


FAILURES = [
    (asyncpg.InvalidPasswordError("x"), "PostgreSQL 不接受账号“ming”的密码"),
    (asyncpg.InvalidAuthorizationSpecificationError("x"), "不允许账号“ming”从这里连接数据库“portal”"),
    (asyncpg.InvalidCatalogNameError("x"), "没有数据库“portal”"),
    (asyncpg.InsufficientPrivilegeError("x"), "账号“ming”没有连接数据库“portal”的权限"),
    (asyncpg.TooManyConnectionsError("x"), "连接已用完"),
    (asyncpg.CannotConnectNowError("x"), "正在启动或关闭"),
    (ConnectionRefusedError("x"), "“db.local”拒绝连接"),
    (TimeoutError("x"), "“db.local”没有回应"),
    (OSError("x"), "到“db.local”的网络不通"),
    (asyncpg.PostgresError("x"), "PostgreSQL 数据库不能使用（x）"),
]


@pytest.mark.parametrize(("failure", "words"), FAILURES, ids=[type(one).__name__ for one, _ in FAILURES])
def test_why_a_server_cannot_be_used_is_one_sentence_without_the_password(failure, words):
    said = postgres.words_of(failure, "postgresql://ming:s3cret@db.local:5433/portal")
    assert words in said and said.endswith("。") and "s3cret" not in said and "\n" not in said

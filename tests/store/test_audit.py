"""The audit chain: in the act's own transaction, and whatever is done to it afterwards is found."""

import asyncio
import contextlib

import pytest

from portal.domain.errors import NotAllowed, WrongMoment
from portal.steps import draw, publish
from portal.steps.verify import verify_installation
from portal.store import audit, engine
from portal.store.tables import Audit, Setting
from tests import office
from tests.office import OPEN, changed_tables, snapshot

pytestmark = pytest.mark.anyio


async def _verdict(house) -> tuple[bool, str]:
    """The audit's line of `portal verify`, its first: what is checked after it is not waited for."""
    async with contextlib.aclosing(verify_installation(await house.acting("auditor"))) as lines:
        return await anext(lines)


async def test_an_act_is_written_with_what_it_did_or_not_at_all(committed, monkeypatch):
    committed.at(office.DRAWN)
    planner = await committed.acting("planner")
    before = await snapshot()

    async def fails(**_):
        raise ZeroDivisionError

    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(audit, "save_act", fails)
        await draw.enter_source(planner, OPEN, 0, office.ISSUES[0][3])
    assert await snapshot() == before, "no audit, no act"

    real = audit.save_act

    async def writes_and_fails(**given):
        await real(**given)
        raise ZeroDivisionError

    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(audit, "save_act", writes_and_fails)
        await draw.enter_source(planner, OPEN, 0, office.ISSUES[0][3])
    assert await snapshot() == before, "no act, no audit"
    await draw.enter_source(planner, OPEN, 0, office.ISSUES[0][3])
    assert changed_tables(before, await snapshot()) == {"source", "log_entry", "audit"}


async def test_a_refused_act_leaves_no_line(committed):
    before = await snapshot()
    with pytest.raises(WrongMoment):
        await draw.draw_round(await committed.acting("planner"), OPEN)
    with pytest.raises(NotAllowed):
        await draw.draw_round(await committed.acting("approver"), OPEN)
    assert await snapshot() == before


async def test_an_act_outside_a_transaction_is_a_programming_error(filled):
    with pytest.raises(RuntimeError, match="inside its own transaction"):
        await (await filled.acting("planner")).audit("pool.freeze", "T")


async def test_an_act_says_who_when_where_and_what(committed):
    committed.at(office.DRAWN)
    await draw.enter_source(await committed.acting("supervisor"), OPEN, 0, office.ISSUES[0][3])
    last = (await audit.load_acts_on(OPEN))[-1]
    assert (last["actor"], last["organisation"], last["address"], last["act"]) == ("supervisor", "359921", "local", "round.source")
    assert last["at"] == "2026-05-28T09:00:00+08:00"
    assert last["after"] == office.ISSUES[0][3]


async def test_the_chain_of_the_whole_walk_holds(published):
    holds, words = await _verdict(published)
    assert holds and "审计链完整" in words


async def _change(column, value):
    await Audit.update({column: value}).where(Audit.n == 9).run()


COLUMNS = [("at", "2026-01-01T00:00:00+08:00"), ("actor", "nobody"), ("organisation", "1"), ("address", "1"), ("act", "x"), ("object", "x"),
           ("before", "x"), ("after", "x"), ("detail", "{}x"), ("previous", "0" * 64), ("digest", "0" * 64)]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), COLUMNS, ids=[one[0] for one in COLUMNS])
async def test_a_changed_line_is_found(published, column, value):
    await office.take_guards_away()
    await _change(column, value)
    holds, words = await _verdict(published)
    assert not holds and ("第 9 条" in words or "第 10 条" in words)


async def test_a_removed_line_is_found(published):
    await office.take_guards_away()
    await Audit.delete().where(Audit.n == 9).run()
    assert await _verdict(published) == (False, "审计链第 9 条缺失，下一条的序号是 10。")


async def test_two_lines_that_changed_places_are_found(published):
    await office.take_guards_away()
    rows = await Audit.select().where(Audit.n.is_in([9, 10])).order_by(Audit.n).run()
    for row, n in ((rows[0], -1), (rows[1], 9), (rows[0], 10)):
        await Audit.update(n=n).where(Audit.id == row["id"]).run()
    holds, words = await _verdict(published)
    assert not holds and "第 9 条" in words


@pytest.mark.parametrize("n", [-5, 0, None])
async def test_a_line_added_outside_the_chain_is_found(published, n):
    await office.take_guards_away()
    last = await Audit.select().order_by(Audit.n, ascending=False).first().run()
    row = {name: value for name, value in last.items() if name != "id"}
    await Audit.insert(Audit(**row | {"n": last["n"] + 1 if n is None else n})).run()
    holds, _ = await _verdict(published)
    assert not holds


async def test_a_cut_tail_is_found_once_a_checkpoint_was_signed(published):
    await office.take_guards_away()
    last = (await audit.load_head())["n"]
    await Audit.delete().where(Audit.n > last - 3).run()
    holds, words = await _verdict(published)
    assert not holds and "链尾被删除" in words


async def test_a_chain_written_anew_is_found_once_a_checkpoint_was_signed(published):
    await office.take_guards_away()
    previous = audit.START
    async for row in audit.walk_acts():
        if row["n"] == 9:
            row["actor"] = "nobody"
        row["previous"] = previous
        previous = audit.chain_digest(row)
        await Audit.update(actor=row["actor"], previous=row["previous"], digest=previous).where(Audit.n == row["n"]).run()
    holds, words = await _verdict(published)
    assert not holds and "整段改写" in words


async def test_acts_at_once_make_one_unbroken_chain(filled):
    operator = await filled.acting("operator")

    async def one(n: int) -> None:
        async with engine.transaction():
            await Setting(key=f"k{n}", value="").save().run()
            await operator.audit("test", f"k{n}")

    before = (await audit.load_head())["n"]
    await asyncio.gather(*(one(n) for n in range(50)))
    assert (await audit.load_head())["n"] == before + 50
    holds, _ = await _verdict(filled)
    assert holds


async def test_publishing_and_requesting_it_leave_one_act_for_each_transaction(approved):
    before = (await audit.load_head())["n"]
    act = await approved.acting("publisher")
    await publish.request_release(act)
    counts = await publish.publish_all(act)
    acts = [row["act"] + "/" + row["object"] for row in await audit.load_acts(before)]
    assert acts == ["publish.request/site", "publish.publish/items", "publish.publish/plans", "publish.publish/results"]
    assert counts["results"] > 0
    again = (await audit.load_head())["n"]
    await publish.publish_all(act)
    assert (await audit.load_head())["n"] == again, "nothing published, nothing said"

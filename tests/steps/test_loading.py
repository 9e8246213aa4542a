"""A large register comes in whole or not at all, in short transactions; nobody draws from half of it."""

import re

import pytest

from portal import jobs
from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.domain.sample import sample_entities
from portal.steps import directory as steps
from portal.steps import loading, pool
from portal.store import audit, directory, loads
from portal.store.tables import Account, Entity, Load, LoadPart
from tests.office import ANNUAL, changed_tables, snapshot

pytestmark = pytest.mark.anyio

HEAD = ["统一社会信用代码", "名称", "乡镇", "监管标签"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Three hundred rows are a large file here, of parts of fifty."""
    monkeypatch.setattr(steps, "SMALL", 100)
    monkeypatch.setattr(loads, "PART_LINES", 50)


def cells(count=300, seed=99):
    return [HEAD, *([row.code, row.name, row.town, "、".join(row.tags)] for row in sample_entities(count, seed))]


async def names_of(rows):
    found = await directory.load_entities([row[0] for row in rows])
    return [found[row[0]]["name"] for row in rows if row[0] in found]


async def only_dropped_since(before):
    """Nothing but the note that there was a file."""
    assert changed_tables(before, await snapshot()) == {"load"}
    assert [row["state"] for row in await Load.select().run()] == ["dropped"]


async def test_a_large_file_is_what_a_small_one_is(filled, monkeypatch):
    act = await filled.acting("operator")
    rows = cells()
    large = await steps.import_register(act, iter(rows), "d" * 64)
    first = await directory.load_entities([row[0] for row in rows[1:]])
    monkeypatch.setattr(steps, "SMALL", 10_000)
    small = await steps.import_register(act, iter(rows), "d" * 64)
    second = await directory.load_entities([row[0] for row in rows[1:]])
    assert {code: {**row, "id": 0} for code, row in first.items()} == {code: {**row, "id": 0} for code, row in second.items()}
    assert large.counts == small.counts | {"更新原有": 0} and small.counts["更新原有"] == 300
    assert large.warnings == small.warnings
    again = await steps.import_register(act, iter(rows), "d" * 64)
    assert again.counts["更新原有"] == 300


async def test_a_large_file_leaves_two_lines_in_the_audit_and_no_parts(filled):
    act = await filled.acting("operator")
    before = (await audit.load_head())["n"]
    await steps.import_register(act, iter(cells()), "d" * 64)
    written = [(row["act"], row["after"], row["detail"]) for row in await audit.load_acts(before)]
    assert [(act, after) for act, after, _ in written] == [("directory.import.begin", "d" * 64), ("directory.import", "d" * 64)]
    assert not await LoadPart.exists().run()


async def test_rows_already_parsed_come_in_the_same_way(filled):
    act = await filled.acting("operator")
    await steps.save_entity_rows(act, tuple(sample_entities(300, 99)))
    assert (await Load.select().first().run())["lines"] == 300
    assert len(await names_of(cells()[1:])) == 300


@pytest.mark.parametrize("hurt, says", [
    (["", "没有代码的公司", "", ""], "第 302 行“统一社会信用代码”：没有填写"),
    ([cells()[1][0], "另一个名称", "", ""], "第 302 行“统一社会信用代码”：代码 .* 与第 2 行重复。请只保留一行。"),
    ([cells()[200][0], cells()[200][1], "", ""], "与第 201 行重复"),
])
async def test_one_error_at_the_end_leaves_everything_as_it_was(filled, hurt, says):
    act = await filled.acting("operator")
    before = await snapshot()
    with pytest.raises(BadInput, match="检查对象名录有 1 处错误，没有导入任何一行") as refusal:
        await steps.import_register(act, iter([*cells(), hurt]), "d" * 64)
    assert re.search(says, str(refusal.value.problems[0]))
    await only_dropped_since(before)


async def test_rows_of_one_code_in_different_parts_become_one_entity(filled):
    act = await filled.acting("operator")
    rows = cells()
    code, name = rows[1][0], rows[1][1]
    report = await steps.import_register(act, iter([*rows, [code, name, "", "药品"], [code, name, "", "特种设备"]]), "d" * 64)
    found = (await directory.load_entities([code]))[code]
    tags = [tag for tag in rows[1][3].split("、") if tag]
    assert found["tags"] == directory._text([*tags, "药品", "特种设备"])
    assert report.counts["读入"] == 302 and len(await names_of(rows[1:])) == 300


async def test_codes_of_another_bureau_are_refused_before_anything_comes_in(filled):
    act, stranger = await filled.acting("operator"), await filled.acting("stranger")
    await Account.update({Account.roles: '["operator"]'}).where(Account.login == "stranger").run()
    stranger = await filled.acting("stranger")
    await steps.save_entity_rows(stranger, tuple(sample_entities(3, 99)))
    before = await snapshot()
    with pytest.raises(NotAllowed, match="有 3 户已在其他单位的名录中，例如 "):
        await steps.import_register(act, iter(cells()), "d" * 64)
    await only_dropped_since(before)


async def test_killed_while_staging_nothing_has_come_in_and_the_next_import_clears_up(filled, monkeypatch):
    act = await filled.acting("operator")
    before = await snapshot()
    real, done = loads.save_part, []

    async def torn(load, n, lines):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(n)
        await real(load, n, lines)

    async def gone(load):
        """A killed process drops nothing."""

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loads, "save_part", torn)
        patch.setattr(loads, "drop_load", gone)
        await steps.import_register(act, iter(cells()), "d" * 64)
    assert changed_tables(before, await snapshot()) == {"load", "load_part"}
    await steps.import_register(act, iter(cells()), "d" * 64)
    assert not await LoadPart.exists().run()
    assert [row["state"] for row in await Load.select().order_by(Load.id).run()] == ["dropped", "done"]


async def torn_merge(act, monkeypatch, after=2):
    """An import killed after some parts were merged."""
    real, done = loads.merge_part, []

    async def torn(load):
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(load)
        return await real(load)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loads, "merge_part", torn)
        await steps.import_register(act, iter(cells()), "d" * 64)


async def test_killed_while_merging_the_worker_finishes_it(filled, monkeypatch):
    act = await filled.acting("operator")
    await torn_merge(act, monkeypatch)
    assert len(await names_of(cells()[1:])) == 100
    assert await jobs.work(filled.settings, filled.keys, filled.sectors, until_idle=True) == 1
    assert len(await names_of(cells()[1:])) == 300 and not await LoadPart.exists().run()
    assert [row["act"] for row in await audit.load_acts((await audit.load_head())["n"] - 2)] == ["directory.import.begin", "directory.import"]


async def test_killed_while_merging_the_next_import_finishes_it_first(filled, monkeypatch):
    act = await filled.acting("operator")
    await torn_merge(act, monkeypatch)
    await steps.import_register(act, iter(cells(300, 98)), "e" * 64)
    assert len(await names_of(cells()[1:])) == 300
    assert [row["state"] for row in await Load.select().run()] == ["done", "done"]


async def test_pools_are_not_frozen_from_half_a_register(filled, monkeypatch):
    act, planner = await filled.acting("operator"), await filled.acting("planner")
    await torn_merge(act, monkeypatch)
    with pytest.raises(WrongMoment, match="名录正在导入（已并入 2 批，共 6 批）"):
        await pool.freeze_pool(planner, ANNUAL)
    await loading.finish_load(act)
    await pool.freeze_pool(planner, ANNUAL)


async def test_a_register_that_changed_while_a_pool_was_read_is_read_again(filled, monkeypatch):
    act, planner = await filled.acting("operator"), await filled.acting("planner")
    real = pool._gather

    async def slow(*given):
        found = await real(*given)
        await steps.import_register(act, iter(cells()), "d" * 64)
        return found

    with monkeypatch.context() as patch, pytest.raises(WrongMoment, match="名录刚好导入了新的内容。请重新冻结"):
        patch.setattr(pool, "_gather", slow)
        await pool.freeze_pool(planner, ANNUAL)


async def test_the_office_writes_between_two_parts(filled, monkeypatch):
    act = await filled.acting("operator")
    real, written = loads.merge_part, []

    async def between(load):
        await Account.update({Account.name: f"第 {len(written)} 次"}).where(Account.login == "planner").run()
        written.append(await Entity.count().run())
        return await real(load)

    monkeypatch.setattr(loads, "merge_part", between)
    await steps.import_register(act, iter(cells()), "d" * 64)
    assert [count - written[0] for count in written[:7]] == [0, 50, 100, 150, 200, 250, 300]


async def test_nobody_without_the_role_begins(filled):
    with pytest.raises(NotAllowed):
        await steps.import_register(await filled.acting("reviewer"), iter(cells()), "d" * 64)

"""A large register comes in whole or not at all, in short transactions; nobody draws from half of it."""

import re
from dataclasses import replace

import pytest

from portal import jobs
from portal.domain.packing import pack
from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.domain.sample import sample_entities
from portal.domain.cells import Sheet
from portal.steps import imports, loading, pool, uploads
from portal.steps.directory import save_entity_rows
from portal.steps.loading import import_register
from portal.store import audit, directory, loads
from portal.store import imports as store
from portal.store.tables import Account, Entity, Load, LoadPart
from tests.office import ANNUAL, changed_tables, snapshot

pytestmark = pytest.mark.anyio

HEAD = ["统一社会信用代码", "名称", "乡镇", "监管标签"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Three hundred rows are a large file here, of parts of fifty."""
    monkeypatch.setattr(imports, "SMALL", 100)
    monkeypatch.setattr(uploads, "LONG_ROWS", 100)
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
    large = await import_register(act, iter(rows), "名录.csv", "d" * 64)
    first = await directory.load_entities([row[0] for row in rows[1:]])
    monkeypatch.setattr(imports, "SMALL", 10_000)
    small = await imports.import_sheet(act, "entities", Sheet(tuple(map(tuple, rows))), "名录.csv", b"")
    second = await directory.load_entities([row[0] for row in rows[1:]])
    assert first == second and len(first) == 300
    assert large.counts | {"新增": 0, "内容未变": 300} == small.counts and large.warnings == small.warnings
    again = await import_register(act, iter(rows), "名录.csv", "d" * 64)
    assert again.counts == small.counts
    one, other, _ = [(await uploads.load_preview(act, row["id"]))[1] for row in reversed(await store.load_uploads(act.tree))]
    assert replace(one, digest="", counts=()) == replace(other, digest="", counts=())


async def test_a_large_file_leaves_two_lines_in_the_audit_and_no_parts(filled):
    act = await filled.acting("operator")
    before = (await audit.load_head())["n"]
    await import_register(act, iter(cells()), "名录.csv", "d" * 64)
    written = [(row["act"], row["after"], row["detail"]) for row in await audit.load_acts(before)]
    assert [(act, after) for act, after, _ in written] == [("directory.import.begin", "d" * 64), ("directory.import", "d" * 64)]
    assert not await LoadPart.exists().run()


async def test_a_large_upload_comes_in_the_same_way_and_once(filled):
    act = await filled.acting("operator")
    sheet = Sheet(tuple(map(tuple, cells())))
    upload = await uploads.save_upload(act, "entities", sheet, "名录.csv", b"x", {})
    await uploads.apply_upload(act, upload, False)
    assert (await Load.select().first().run())["lines"] == 300 and len(await names_of(cells()[1:])) == 300
    with pytest.raises(WrongMoment, match="没有重复导入"):
        await uploads.apply_upload(act, upload, False)


async def test_a_large_upload_that_somebody_else_applied_meanwhile_leaves_nothing(filled, monkeypatch):
    act = await filled.acting("operator")
    upload = await uploads.save_upload(act, "entities", Sheet(tuple(map(tuple, cells()))), "名录.csv", b"x", {})
    real = loads.begin_merge

    async def late(load, lines):
        await store.update_upload(upload, "previewed", state="dropped")
        await real(load, lines)

    monkeypatch.setattr(loads, "begin_merge", late)
    with pytest.raises(WrongMoment, match="已放弃|有变动"):
        await uploads.apply_upload(act, upload, False)
    assert not await names_of(cells()[1:]) and not await LoadPart.exists().run()


async def test_by_choice_the_good_rows_come_in_and_the_others_are_told(filled):
    act = await filled.acting("operator")
    rows = cells()
    hurt = [*rows, ["", "没有代码的公司", "", ""], [rows[1][0], "另一个名称", "", ""]]
    report = await import_register(act, iter(hurt), "名录.csv", "d" * 64, good_rows=True)
    assert [problem.row for problem in report.errors] == [302, 303] and report.counts["读入"] == 300
    assert list(report.counts.items())[:6] == [
        ("数据行", 302), ("新增", 300), ("更新原有", 0), ("内容未变", 0), ("并入前面的行", 0), ("有错误未导入", 2),
    ]  # fmt: skip
    assert await names_of(rows[1:]) == [row[1] for row in rows[1:]]


async def test_what_a_file_has_no_column_for_stays_and_a_class_that_came_first_is_kept(filled):
    act = await filled.acting("operator")
    rows = cells()
    full = [[*HEAD, "经营范围"], *([*row, "原来的范围"] for row in rows[1:])]
    await import_register(act, iter(full), "名录.csv", "d" * 64)
    await import_register(act, iter(rows), "名录.csv", "d" * 64)
    found = await directory.load_entities([row[0] for row in rows[1:]])
    assert {row["scope"] for row in found.values()} == {"原来的范围"}
    code = next(iter(sample_entities(400, 5))).code
    await imports.import_sheet(act, "classes", Sheet((("统一社会信用代码", "风险等级"), (code, "C"))), "等级.csv", b"", options={"classed_on": "2026-01-01"})
    await import_register(act, iter(cells(300, 5)), "名录.csv", "d" * 64)
    assert (await directory.load_entities([code]))[code]["risk_class"] == "C"


async def test_what_special_registers_say_of_an_entry_survives_a_large_file_with_licences_and_attributes(filled):
    act = await filled.acting("operator")
    rows = cells()
    await import_register(act, iter(rows), "名录.csv", "d" * 64)
    code = rows[1][0]
    register = Sheet((("专项库名称", "代码", "编号", "许可证名称"), ("食品", code, "1", "甲证")))
    await imports.import_sheet(act, "registers", register, "专项库.xlsx", b"")
    before = (await directory.load_entities([code]))[code]
    full = [[*HEAD, "许可证名称", "注册资本"], *([*row, "", ""] for row in rows[1:])]
    report = await import_register(act, iter(full), "名录.csv", "d" * 64)
    after = (await directory.load_entities([code]))[code]
    assert (after["licences"], after["attributes"]) == (before["licences"], before["attributes"]) and "食品" in after["attributes"]
    assert report.counts["内容未变"] == 300


@pytest.mark.parametrize("hurt, says", [
    (["", "没有代码的公司", "", ""], "第 302 行“统一社会信用代码”：没有填写"),
    ([cells()[1][0], "另一个名称", "", ""], "第 302 行“统一社会信用代码”：代码 .* 与第 2 行重复。请只保留一行。"),
    ([cells()[200][0], cells()[200][1], "", ""], "与第 201 行重复"),
])
async def test_one_error_at_the_end_leaves_everything_as_it_was(filled, hurt, says):
    act = await filled.acting("operator")
    before = await snapshot()
    with pytest.raises(BadInput, match="检查对象名录有 1 处错误，没有导入任何一行") as refusal:
        await import_register(act, iter([*cells(), hurt]), "名录.csv", "d" * 64)
    assert re.search(says, str(refusal.value.problems[0]))
    await only_dropped_since(before)


async def test_rows_of_one_code_in_different_parts_become_one_entity(filled):
    act = await filled.acting("operator")
    rows = cells()
    code, name = rows[1][0], rows[1][1]
    report = await import_register(act, iter([*rows, [code, name, "", "药品"], [code, name, "", "特种设备"]]), "名录.csv", "d" * 64)
    found = (await directory.load_entities([code]))[code]
    tags = [tag for tag in rows[1][3].split("、") if tag]
    assert found["tags"] == pack([*tags, "药品", "特种设备"])
    assert report.counts["读入"] == 300 == report.counts["已分到所"] + report.counts.get("未分到所", 0)
    assert len(await names_of(rows[1:])) == 300


async def test_codes_of_another_bureau_are_refused_before_anything_comes_in(filled):
    act, stranger = await filled.acting("operator"), await filled.acting("stranger")
    await Account.update({Account.roles: '["operator"]'}).where(Account.login == "stranger").run()
    stranger = await filled.acting("stranger")
    await save_entity_rows(stranger, tuple(sample_entities(3, 99)))
    before = await snapshot()
    with pytest.raises(BadInput, match="检查对象名录有 3 处错误") as refusal:
        await import_register(act, iter(cells()), "名录.csv", "d" * 64)
    assert str(refusal.value.problems[0]).endswith("已在其他单位的名录中。请删去这一行，或与该单位核对管辖。")
    await only_dropped_since(before)


async def test_killed_while_staging_nothing_has_come_in_and_the_next_import_clears_up(filled, monkeypatch):
    act = await filled.acting("operator")
    before = await snapshot()
    real, done = loads.save_part, []

    async def torn(load, n, *given):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(n)
        await real(load, n, *given)

    async def gone(load):
        """A killed process drops nothing."""

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loads, "save_part", torn)
        patch.setattr(loads, "drop_load", gone)
        await import_register(act, iter(cells()), "名录.csv", "d" * 64)
    assert changed_tables(before, await snapshot()) == {"load", "load_part"}
    await import_register(act, iter(cells()), "名录.csv", "d" * 64)
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
        await import_register(act, iter(cells()), "名录.csv", "d" * 64)


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
    await import_register(act, iter(cells(300, 98)), "名录.csv", "e" * 64)
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
        await import_register(act, iter(cells()), "名录.csv", "d" * 64)
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
    await import_register(act, iter(cells()), "名录.csv", "d" * 64)
    assert [count - written[0] for count in written[:7]] == [0, 50, 100, 150, 200, 250, 300]


async def test_nobody_without_the_role_begins(filled):
    with pytest.raises(NotAllowed):
        await import_register(await filled.acting("reviewer"), iter(cells()), "名录.csv", "d" * 64)

"""Two bureaus, or two people, bring in the same codes at once: one gets them, the other is told which and where."""

import asyncio
from pathlib import Path

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import NotAllowed, Refused, WrongMoment
from portal.domain.sample import sample_entities
from portal.steps import imports, loading, uploads
from portal.steps.directory import save_entity_rows
from portal.steps.loading import import_register
from portal.store import accounts, directory, engine, loads
from portal.store.tables import Entity, Load, LoadPart, Organisation
from tests import office, processes
from tests.office import snapshot

pytestmark = pytest.mark.anyio

HEAD = ("统一社会信用代码", "名称", "乡镇")
NEW = tuple(sample_entities(300, 99))


@pytest.fixture
def small(monkeypatch):
    """More than a hundred rows are a large file, of parts of fifty."""
    monkeypatch.setattr(imports, "SMALL", 100)
    monkeypatch.setattr(uploads, "LONG_ROWS", 100)
    monkeypatch.setattr(loads, "PART_LINES", 50)


def cells(rows=NEW, name=""):
    return [HEAD, *((row.code, name or row.name, row.town) for row in rows)]


def sheet(rows=NEW, name=""):
    return Sheet(tuple(cells(rows, name)))


async def owners(rows=NEW):
    """The bureaus that have these codes."""
    organisations = await accounts.load_organisations()
    found = await directory.load_owners([row.code for row in rows])
    return {accounts.line_of(organisations, owner)[-1] for owner in found.values()}


async def both(house):
    return await house.acting("operator"), await house.acting("stranger")


def staging_meets(monkeypatch, what):
    """`what()` happens once, after all of a large file was read and before it begins to come in."""
    real = loading._stage

    async def stage(*given):
        counts = await real(*given)
        monkeypatch.setattr(loading, "_stage", real)
        await what()
        return counts

    monkeypatch.setattr(loading, "_stage", stage)


@pytest.mark.parametrize("sizes", [(60, 60), (300, 300), (300, 60)], ids=["small-small", "large-large", "large-small"])
async def test_of_two_bureaus_at_once_one_gets_the_codes(filled, small, sizes):
    files = [(act, sheet(NEW[:size], act.login)) for act, size in zip(await both(filled), sizes)]
    answers = await asyncio.gather(
        *(imports.import_sheet(act, "entities", given, f"{act.login}.xlsx", b"") for act, given in files), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert len(refused) == 1 and isinstance(refused[0], Refused), answers
    assert "没有导入任何一行" in refused[0].message
    won = files[answers.index(next(answer for answer in answers if answer not in refused))]
    assert await owners() == {won[0].bureau["id"]}
    rows = await Entity.select().where(Entity.code.is_in([row.code for row in NEW])).run()
    assert len(rows) == len(won[1].rows) - 1 and {row["name"] for row in rows} == {won[0].login}
    assert not await LoadPart.exists().run()


async def test_a_code_that_another_bureau_got_after_the_file_was_read_refuses_it_whole_with_its_row(filled, small, monkeypatch):
    act, stranger = await both(filled)
    staging_meets(monkeypatch, lambda: save_entity_rows(stranger, (NEW[41], NEW[7], *sample_entities(5, 98))))
    with pytest.raises(NotAllowed, match=rf"^“名录.csv”有 2 户已在其他单位的名录中，例如第 9 行的 {NEW[7].code}。没有导入任何一行") as refusal:
        await import_register(act, iter(cells()), "名录.csv", "d" * 64, good_rows=True)
    assert [problem.row for problem in refusal.value.problems] == [9, 43] and NEW[41].code in refusal.value.problems[1].message
    assert await Entity.count().where(Entity.code.is_in([row.code for row in NEW])).run() == 2
    assert [row["state"] for row in await Load.select().run()] == ["dropped"] and not await LoadPart.exists().run()


async def test_the_same_for_a_large_file_of_the_other_bureau_that_is_killed_in_the_middle(filled, small, monkeypatch):
    """Whoever comes next finishes it, then asks whose the codes are."""
    act, stranger = await both(filled)
    staging_meets(monkeypatch, lambda: killed_merge(stranger, NEW[100:], monkeypatch))
    with pytest.raises(NotAllowed, match=rf"有 200 户已在其他单位的名录中，例如第 102 行的 {NEW[100].code}"):
        await import_register(act, iter(cells()), "名录.csv", "d" * 64)
    assert await owners() == {stranger.bureau["id"]}
    assert sorted(row["state"] for row in await Load.select().run()) == ["done", "dropped"]


async def test_codes_that_came_twice_and_rows_that_were_joined_keep_their_place(filled, small, monkeypatch):
    act, stranger = await both(filled)
    twice = [*cells()[:120], ("", "没有代码", ""), *cells()[1:3], *cells()[120:]]
    head, *rest = [(*row, "监管标签" if n == 0 else "药品") for n, row in enumerate(twice)]
    staging_meets(monkeypatch, lambda: save_entity_rows(stranger, (NEW[0], NEW[150])))
    with pytest.raises(NotAllowed) as refusal:
        await import_register(act, iter([head, *rest]), "名录.csv", "d" * 64, good_rows=True)
    assert [(problem.row, rest[problem.row - 2][0]) for problem in refusal.value.problems] == [
        (2, NEW[0].code), (122, NEW[0].code), (155, NEW[150].code),
    ]  # fmt: skip


async def killed_merge(act, rows, monkeypatch, after=2):
    """A large import of which some parts came in before its process died."""
    real, done = loads.merge_part, []

    async def torn(load):
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(load)
        return await real(load)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loads, "merge_part", torn)
        await import_register(act, iter(cells(rows)), "名录.csv", "e" * 64)


async def test_while_a_large_file_comes_in_small_ones_are_refused_and_afterwards_not(filled, small, monkeypatch):
    act, stranger = await both(filled)
    await killed_merge(act, NEW, monkeypatch)
    before = await snapshot()
    for who in (act, stranger):
        with pytest.raises(WrongMoment, match="一份大文件正在并入名录（已并入 2 批，共 6 批），这一份没有导入任何一行。请等它完成后再试"):
            await imports.import_sheet(who, "entities", sheet(NEW[200:210]), "几户.xlsx", b"")
    assert await snapshot() == before
    await loading.finish_load(act)
    with pytest.raises(NotAllowed, match=f"例如{NEW[0].code}。"):
        await save_entity_rows(stranger, NEW[:1])
    assert (await imports.import_sheet(act, "entities", sheet(NEW[200:210]), "几户.xlsx", b"")).counts["内容未变"] == 10


async def test_a_small_file_that_was_checked_before_the_other_bureau_had_the_code_is_told_the_row(filled):
    act, stranger = await both(filled)
    checked = await imports.check_sheet(act, imports.kind_of("entities"), sheet(NEW[:20]), {}, {})
    assert not checked.parsed.errors
    await save_entity_rows(stranger, NEW[3:5])
    with pytest.raises(NotAllowed, match=f"有 2 户已在其他单位的名录中，例如第 5 行的 {NEW[3].code}。没有导入任何一行") as refusal:
        await checked.save(act, "d" * 64)
    assert [problem.row for problem in refusal.value.problems] == [5, 6]
    assert await owners() == {stranger.bureau["id"]}


async def test_a_code_twice_in_a_large_file_is_one_entry_renewed(filled, small):
    act = await filled.acting("operator")
    tagged = [(*row, "监管标签" if n == 0 else "药品") for n, row in enumerate(cells())]
    await import_register(act, iter(tagged), "名录.csv", "d" * 64)
    again = [*tagged, *((*row[:3], "特种设备") for row in tagged[1:11]), *((*row[:3], "食品") for row in tagged[1:4])]
    report = await import_register(act, iter(again), "名录.csv", "d" * 64)
    assert list(report.counts.items())[:7] == [
        ("数据行", 313), ("新增", 0), ("更新原有", 10), ("内容未变", 290), ("并入前面的行", 13), ("有错误未导入", 0), ("读入", 300),
    ]  # fmt: skip


async def test_a_register_of_another_bureaus_entity_is_not_joined_to_it(filled):
    """The row was checked while the code was nobody else's."""
    act, stranger = await both(filled)
    await save_entity_rows(act, NEW[:1])
    given = Sheet((("专项库名称", "统一社会信用代码", "企业名称", "许可证编号"), ("药品库", NEW[0].code, NEW[0].name, "X1")))
    checked = await imports.check_sheet(act, imports.kind_of("registers"), given, {}, {})
    assert not checked.parsed.errors, checked.parsed.errors
    await Entity.update(organisation=stranger.bureau["id"]).where(Entity.code == NEW[0].code).run()
    before = (await directory.load_entities([NEW[0].code]))[NEW[0].code]
    await imports.save_checked(act, checked, "专项库.xlsx", "d" * 64, _nothing)
    assert (await directory.load_entities([NEW[0].code]))[NEW[0].code] == before


async def _nothing(*_):
    """Nothing beside it to note."""


async def test_what_the_bureau_above_took_meanwhile_is_not_taken_back_by_a_file_read_before(filled, small, monkeypatch):
    async with engine.transaction():
        above = await accounts.save_organisation("359900", "某市市场监督管理局", "bureau", None, "359900")
        await Organisation.update(parent=above).where(Organisation.code == "359921").run()
        await accounts.save_account("city", "city", above, ("operator",), filled.settings.now())
    act, city = await filled.acting("operator"), await filled.acting("city")
    await import_register(act, iter(cells()), "名录.csv", "d" * 64)
    staging_meets(monkeypatch, lambda: Entity.update(organisation=above).where(Entity.code.is_in([NEW[7].code, NEW[41].code])).run())
    with pytest.raises(NotAllowed, match=rf"^“名录.csv”有 2 户已在其他单位的名录中，例如第 9 行的 {NEW[7].code}。没有导入任何一行"):
        await import_register(act, iter(cells()), "名录.csv", "e" * 64)
    assert await directory.count_entities({city.bureau["id"]}) == 2
    monkeypatch.undo()
    monkeypatch.setattr(loads, "PART_LINES", 50)
    await import_register(act, iter(cells(NEW[50:])), "名录.csv", "f" * 64)


# Several processes -------------------------------------------------------------

async def import_in_another(meet, folder, login, size):
    imports.SMALL, loads.PART_LINES = 100, 50
    house = await office.open_house(Path(folder))
    act = await house.acting(login)
    meet()
    try:
        await imports.import_sheet(act, "entities", sheet(NEW[:size], login), f"{login}.xlsx", b"")
        return "in"
    except Refused as refusal:
        return refusal.message
    finally:
        await engine.close_engine()


@pytest.mark.long
@pytest.mark.parametrize("sizes", [(60, 60), (300, 300), (300, 60)], ids=["small-small", "large-large", "large-small"])
async def test_of_two_processes_at_once_one_gets_the_codes(filled, sizes):
    folder, logins = str(filled.settings.data), ("operator", "stranger")
    said = await processes.at_once(import_in_another, *((folder, login, size) for login, size in zip(logins, sizes)))
    assert said.count("in") == 1 and all(words == "in" or "没有导入任何一行" in words for words in said), said
    rows = await Entity.select(Entity.name).where(Entity.code.is_in([row.code for row in NEW])).run()
    assert len(rows) == sizes[said.index("in")] and {row["name"] for row in rows} == {logins[said.index("in")]}
    assert len(await owners()) == 1

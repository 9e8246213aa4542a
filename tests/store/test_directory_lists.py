"""The directory at any size: kept counts are counts, the index of names finds what reading all names would, pages join to the whole."""

from dataclasses import replace

import pytest

from portal.domain.codes import make_uscc
from portal.domain.directory import EntityRow
from portal.domain.list_columns import DIRECTORY
from portal.domain.lists import Asked
from portal.steps.directory import save_entity_rows
from portal.steps.lists import open_reach
from portal.store import directory, engine, lists, name_index, tally
from portal.store.tables import Entity, Setting
from tests.office import become_owner

pytestmark = pytest.mark.anyio

NAMES = ("阿尔法科技ABC公司", "科技阿尔法", "法尔阿技科", "100%纯_净水", "it's “引号”\\店", "（厦门）商行", "齉", "a科b", "𠮷野家")
#: part of a name -> in how many of NAMES it is
PARTS = {
    "科技": 2, "技科": 1, "阿尔法": 2, "abc": 1, "Bc公": 1, "0%": 1, "%纯_": 1, "%": 1, "_": 1, "'": 1, "t's": 1, "”\\": 1, "（厦": 1, "）": 1, "齉": 1, "b": 2,
    "𠮷": 1, "野家": 1, "科阿": 0, "家": 1, "法科技": 1, "尔法尔": 0,
}  # fmt: skip


def code(n: int) -> str:
    return make_uscc("9", "1", "359921", f"MA1000{n:02d}")


@pytest.fixture
async def reach(filled):
    operator = await filled.acting("operator")
    rows = tuple(EntityRow(code(n), "entity", code(n), "", name, type="农民专业合作社" if n % 2 else "企业") for n, name in enumerate(NAMES))
    await save_entity_rows(operator, rows)
    return await open_reach(await filled.acting("planner"), DIRECTORY)


async def whole(reach, given, sort="", size=50):
    """Every row page by page: (codes in their order, pages)."""
    codes, after, pages = [], "", 0
    while True:
        rows, after = await lists.load_rows(DIRECTORY, reach, Asked(given=given, sort=sort, after=after), size)
        codes, pages = codes + [row["code"] for row in rows], pages + 1
        if not after:
            return codes, pages


async def test_part_of_a_name_is_found_as_by_reading_every_name(reach, monkeypatch):
    every = {row["code"]: row["name"] for row in await Entity.select(Entity.code, Entity.name).where(Entity.organisation.is_in(sorted(reach.tree))).run()}
    for near in (name_index.NEAR, -1):  # gone to one by one, and by a walk through the index or the list
        monkeypatch.setattr(name_index, "NEAR", near)
        monkeypatch.setattr(lists, "NEAR", near)
        for part, count in PARTS.items():
            wanted = {one for one, name in every.items() if part.lower() in name.lower()}
            assert len(wanted & {code(n) for n in range(len(NAMES))}) == count, part
            found, _ = await whole(reach, {"q": part})
            assert set(found) == wanted and len(found) == len(wanted), part
        assert await whole(reach, {"q": code(3).lower()}) == ([code(3)], 1)
        assert {code(0), code(2)} <= set((await whole(reach, {"q": "科", "type": "企业"}))[0]) and code(7) not in (await whole(reach, {"q": "科", "type": "企业"}))[0]


async def test_pages_join_to_the_whole_in_one_order(reach, monkeypatch):
    by_code = sorted((await whole(reach, {}))[0])
    assert len(by_code) == sum((await tally.load_tally(reach.tree)).values()) > 400
    assert await whole(reach, {}, size=99) == (by_code, 5)
    assert (await whole(reach, {}, sort="-code", size=99))[0] == by_code[::-1]
    other = replace(reach, whole=not reach.whole)  # along all codes, and from the first entries of each tally
    assert await whole(other, {}, size=99) == (by_code, 5) and (await whole(other, {}, sort="-code", size=99))[0] == by_code[::-1]
    numbers = {row["code"]: row["id"] for row in await Entity.select(Entity.code, Entity.id).run()}
    found, pages = await whole(reach, {"q": "有限"}, size=40)
    assert found == sorted(found, key=numbers.__getitem__) and pages > 2
    monkeypatch.setattr(name_index, "NEAR", -1)
    monkeypatch.setattr(lists, "NEAR", -1)
    assert await whole(reach, {"q": "有限"}, size=40) == (found, pages)
    every = await directory.load_entities(by_code)
    for given in ({"type": "农民专业合作社"}, {"status": "存续", "type": "企业"}, {"town": "没有的镇"}):
        codes, _ = await whole(reach, given, size=7)
        assert codes == [one for one in by_code if given.items() <= every[one].items()]
        assert await lists.count_rows(DIRECTORY, reach, given) == (len(codes), False)


@pytest.mark.parametrize("by", ["town", "type", "status", "station"])
async def test_an_order_by_what_is_counted_is_the_same_value_by_value(reach, by, monkeypatch):
    asked = [({}, ""), ({}, "-"), ({"status": "存续"}, ""), ({"type": "企业"}, "-")]
    sorted_whole = [(await whole(reach, given, sort=way + by, size=149))[0] for given, way in asked]
    assert len(sorted_whole[0]) > 400 and sorted_whole[1] == sorted_whole[0][::-1]
    monkeypatch.setattr(lists, "NEAR", -1)
    assert [(await whole(reach, given, sort=way + by, size=149))[0] for given, way in asked] == sorted_whole


async def test_a_search_is_counted_to_its_end_only_where_few_names_hold_the_words(reach, monkeypatch):
    found, _ = await whole(reach, {"q": "有限"})
    assert await lists.count_rows(DIRECTORY, reach, {"q": "有限"}) == (len(found), False)
    monkeypatch.setattr(name_index, "NEAR", -1)
    monkeypatch.setattr(lists, "NEAR", -1)
    monkeypatch.setattr(lists, "ENOUGH", 20)
    assert await lists.count_rows(DIRECTORY, reach, {"q": "有限"}) == (20, True)


async def test_nobody_sees_another_bureaus_entries_by_any_way(reach, monkeypatch):
    stranger = replace(reach, tree=frozenset({-1}))
    for near in (name_index.NEAR, -1):
        monkeypatch.setattr(name_index, "NEAR", near)
        monkeypatch.setattr(lists, "NEAR", near)
        for given in ({}, {"q": "科技"}, {"q": code(1)}, {"type": "企业"}):
            assert await whole(stranger, given) == ([], 1)
            assert await lists.count_rows(DIRECTORY, stranger, given) == (0, False)


async def test_counts_and_index_follow_every_statement(reach):
    await become_owner()

    async def agree() -> None:
        kept = await Setting.raw("SELECT organisation, town, type, status, n FROM entity_tally WHERE n <> 0 ORDER BY 1, 2, 3, 4").run()
        counted = await Setting.raw('SELECT organisation, town, type, status, COUNT(*) AS n FROM "entity" GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4').run()
        assert kept == counted
        by = await tally.load_tallies(reach.tree)
        assert [list(one.items()) for one in by.values()] == [list((await tally.load_tally(reach.tree, name)).items()) for name in by] and tuple(by) == tally.COUNTED
        assert not any((await tally.load_tallies([])).values())

    await agree()
    await Entity.update(name="改了名的店", town="新镇").where(Entity.code == code(0)).run()
    await Entity.update(status="注销").where(Entity.type == "企业").run()
    assert (await whole(reach, {"q": "改了名"}))[0] == [code(0)] and code(0) not in (await whole(reach, {"q": "阿尔"}))[0]
    await agree()
    async with engine.transaction():
        await name_index.index_names()
    assert (await whole(reach, {"q": "改了名"}))[0] == [code(0)] and code(0) not in (await whole(reach, {"q": "阿尔"}))[0]
    await Entity.delete().where(Entity.code == code(0)).run()
    assert (await whole(reach, {"q": "改了名"}))[0] == []
    async with engine.transaction():
        await name_index.index_names()
        await directory.save_entities([directory.entity_values(EntityRow(code(1), "entity", code(1), "", "又来一家", town="新镇"), min(reach.tree), (await Entity.select(Entity.imported_at).first().run())["imported_at"])] * 2)
    await agree()
    assert (await whole(reach, {"q": "又来"}))[0] == [code(1)] and (await tally.load_tally(reach.tree, "town"))["新镇"] == 1

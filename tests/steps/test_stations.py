"""Stations: what they cover, entries placed by file, by address and by a person, and codes that are accepted."""

import pytest

from portal.domain.cells import Sheet
from portal.domain.codes import make_legacy, make_uscc
from portal.domain.directory import EntityRow
from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.steps import codes, stations
from portal.steps.directory import import_entities, save_entity_rows
from portal.steps.visits import load_places
from portal.store import accounts, audit, directory, imports
from portal.store import stations as store
from portal.store.engine import transaction
from portal.store.tables import Entity, Organisation
from tests.office import changed_tables, snapshot

pytestmark = pytest.mark.anyio

HEAD = ("代码", "名称")
DIVISIONS = Sheet((
    HEAD, ("359921100", "清桥镇"), ("359921101", "白鹭镇"), ("359921102000", "望城街道"), ("359921100001", "桥头村委会"), ("359921101001", "鹭前村委会"),
    ("359921101002", "桥头村委会"),
))  # fmt: skip
COVERAGE = Sheet((
    ("所名称", "辖区镇街", "原镇街名"), ("清桥市场监管所", "清桥镇", ""), ("白鹭市场监管所", "359921101", ""), ("望城二所", "望城", "城关镇"),
))  # fmt: skip

#: address -> the station it leads to, "" where a person has to say
ADDRESSES = {
    "望溪县清桥镇南路1号": "清桥市场监管所", "鹭前村3号": "白鹭市场监管所", "望溪县城关镇大街2号": "望城二所", "桥头村5号": "", "和平路9号": "",
}  # fmt: skip


def code(n: int) -> str:
    return make_uscc("9", "1", "359921", f"MA0000{n:02d}")


def row(n: int, address: str = "", **more) -> EntityRow:
    return EntityRow(code(n), "entity", code(n), "", f"{n}号商行", address=address, **more)


@pytest.fixture
async def house(filled):
    """A bureau whose divisions and coverage are known, with five entries no station has."""
    operator = await filled.acting("operator")
    await save_entity_rows(operator, tuple(row(n, address) for n, address in enumerate(ADDRESSES)))
    await stations.import_divisions(operator, DIVISIONS, b"divisions")
    await stations.import_stations(operator, COVERAGE, b"coverage")
    return filled


async def station_of(n: int) -> str:
    """The name of an entry's station; "" for the bureau."""
    entity = (await directory.load_entities([code(n)]))[code(n)]
    by_id = {o["id"]: o for o in await accounts.load_organisations()}
    return by_id[entity["organisation"]]["name"] if by_id[entity["organisation"]]["kind"] == "station" else ""


# Coverage -----------------------------------------------------------------------------


async def test_a_sheet_makes_the_stations_it_names_and_replaces_what_they_cover(house):
    named = {o["name"]: o for o in await accounts.load_organisations()}
    assert named["望城二所"]["kind"] == "station" and named["望城二所"]["code"] == "359921-S102"
    operator = await house.acting("operator")
    again = Sheet((("所名称", "辖区镇街", "辖区村居"), ("望城二所", "白鹭镇", "鹭前"), ("清桥市场监管所", "清桥镇、望城街道", "")))
    assert await stations.import_stations(operator, again, b"again") == {"所": 2, "新设": 0, "镇街": 3}
    found = {(one.station, one.street, one.villages) for one in await store.load_coverage({o["id"]: o["name"] for o in named.values()})}
    assert found == {
        ("望城二所", "359921101", ("鹭前",)), ("清桥市场监管所", "359921100", ()), ("清桥市场监管所", "359921102", ()), ("白鹭市场监管所", "359921101", ()),
    }  # fmt: skip


async def test_one_station_a_street_is_made_from_the_streets_that_ship_with_the_program(filled):
    await Organisation.update(region="350582").where(Organisation.code == "359921").run()
    operator = await filled.acting("operator")
    assert await stations.make_stations(operator) == {"所": 22, "新设": 22, "镇街": 22}
    assert await stations.make_stations(operator) == {"所": 22, "新设": 0, "镇街": 22}
    names = {o["name"] for o in await accounts.load_organisations()}
    assert {"陈埭市场监督管理所", "青阳市场监督管理所", "安平开发区市场监督管理所"} <= names


async def test_a_bureau_of_a_city_or_without_divisions_is_told_what_to_do_instead(filled):
    operator = await filled.acting("operator")
    with pytest.raises(WrongMoment, match="区划表中没有 359921 的镇街。请先用 portal stations divisions 导入"):
        await stations.make_stations(operator)
    await Organisation.update(region="350500").where(Organisation.code == "359921").run()
    with pytest.raises(WrongMoment, match="不是县级.*请用辖区表导入"):
        await stations.make_stations(await filled.acting("operator"))


@pytest.mark.parametrize("sheet, field, message", [
    ((("所名称", "辖区镇街"), ("甲所", "天堂镇")), "辖区镇街", "区划表中没有“天堂镇”"),
    ((("所名称", "辖区镇街", "辖区村居"), ("甲所", "清桥镇", "桃源村")), "辖区村居", "清桥镇没有“桃源村”"),
    ((("所名称", "辖区镇街"), ("甲所", "")), "辖区镇街", "没有填写"),
    ((("所名称", "辖区镇街"), ("", "清桥镇")), "所名称", "没有填写"),
    ((("所名称", "辖区镇街"), ("甲所", "清桥镇"), ("甲所", "清桥镇")), "辖区镇街", "甲所的“清桥镇”与第 2 行重复"),
    ((("所名称", "辖区镇街", "原镇街名"), ("甲所", "清桥镇、白鹭镇", "老镇")), "辖区镇街", "一行只能写一个镇街"),
])  # fmt: skip
async def test_a_sheet_of_coverage_with_a_slip_changes_nothing(house, sheet, field, message):
    before = await snapshot()
    with pytest.raises(BadInput) as refusal:
        await stations.import_stations(await house.acting("operator"), Sheet(sheet), b"x")
    assert any(problem.field == field and message in problem.message for problem in refusal.value.problems), refusal.value.problems
    assert await snapshot() == before


@pytest.mark.parametrize("line, message", [
    (("35992110", "短镇"), "应为 9 位（镇街）或 12 位（村居）数字"), (("", "无名镇"), "没有填写"), (("359921100", ""), "没有填写"),
    (("350582103", "陈埭镇"), "不在本局区划 359921 内"), (("359921100", "清桥镇"), "与第 2 行重复"),
])  # fmt: skip
async def test_a_sheet_of_divisions_with_a_slip_changes_nothing(filled, line, message):
    before = await snapshot()
    sheet = Sheet((HEAD, ("359921100", "清桥镇"), line))
    with pytest.raises(BadInput) as refusal:
        await stations.import_divisions(await filled.acting("operator"), sheet, b"x")
    assert [problem.row for problem in refusal.value.problems] == [3] and message in refusal.value.problems[0].message
    assert await snapshot() == before


# By address ---------------------------------------------------------------------------


async def test_addresses_give_entries_their_stations_and_the_rest_is_listed(house):
    planner = await house.acting("planner")
    before = await snapshot()
    preview = await stations.assign_stations(planner, preview=True)
    assert await snapshot() == before
    done = await stations.assign_stations(planner)
    assert (done.counts, done.left) == (preview.counts, preview.left)
    assert done.counts == {"sure": 1, "likely": 2, "ambiguous": 1, "none": 1} and done.placed == 3
    assert [await station_of(n) for n in range(5)] == list(ADDRESSES.values())
    assert [(one[0], one[3]) for one in done.left] == [
        (code(3), "清桥镇、白鹭镇都有“桥头村”，可能属于清桥市场监管所、白鹭市场监管所。"), (code(4), "地址中没有辖区内的镇街或村居。")]
    how = await store.load_placement(code(0))
    assert (how["placed_by"], how["confidence"], how["account.name"]) == ("address", "sure", "计划员") and "清桥镇" in how["why"]
    assert await store.load_placement(code(4)) is None
    again = await stations.assign_stations(planner)
    assert again.placed == 0 and len(again.left) == 2


async def test_a_visit_goes_to_the_street_of_the_address_where_the_register_names_none(house):
    operator = await house.acting("operator")
    await stations.assign_stations(operator)
    codes = [code(n) for n in range(len(ADDRESSES))]
    await Entity.update(organisation=operator.bureau["id"]).where(Entity.code == codes[1]).run()  # a person said otherwise
    await Entity.update(town="老城区").where(Entity.code == codes[2]).run()
    places = await load_places(codes, operator)
    assert [places[one].town for one in codes] == ["清桥镇", "", "老城区", "", ""]
    assert {place.town for place in (await load_places(codes)).values()} == {"", "老城区"}


async def test_nothing_is_assigned_before_a_station_covers_anything(filled):
    with pytest.raises(WrongMoment, match="还没有一个所划定了辖区"):
        await stations.assign_stations(await filled.acting("planner"))


async def test_an_import_places_rows_without_a_station_by_their_address(house):
    operator = await house.acting("operator")
    report = await save_entity_rows(operator, (row(10, "望溪县白鹭镇1号"), row(11, "望溪县白鹭镇2号", station="清桥所"), row(12, "和平路"), row(14, "和平路", town="白鹭镇")))
    assert report.counts["已分到所"] == 3 and report.counts["未分到所"] == 1
    assert [await station_of(n) for n in (10, 11, 12, 14)] == ["白鹭市场监管所", "清桥市场监管所", "", "白鹭市场监管所"]
    assert (await store.load_placement(code(10)))["placed_by"] == "address" and await store.load_placement(code(11)) is None
    report = await save_entity_rows(operator, (row(13, "望溪县白鹭镇3号", station="天堂所"),))
    assert [str(problem) for problem in report.warnings] == ["“属地所”：“天堂所”不是本局的所，1 户改按地址分所。请核对所名，或先设所。"]
    assert await station_of(13) == "白鹭市场监管所"
    await save_entity_rows(operator, (row(10, "望溪县白鹭镇1号", station="清桥所"),))  # a file that says so goes before the address
    assert await station_of(10) == "清桥市场监管所" and await store.load_placement(code(10)) is None


# By a person ----------------------------------------------------------------------------


async def test_a_station_that_a_file_gave_is_not_taken_away_by_an_address(house):
    operator = await house.acting("operator")
    await save_entity_rows(operator, (row(15, "望溪县白鹭镇1号", station="清桥所"), row(16, "望溪县白鹭镇1号")))
    await save_entity_rows(operator, (row(15, "望溪县白鹭镇1号"), row(16, "望溪县清桥镇1号")))
    assert [await station_of(n) for n in (15, 16)] == ["清桥市场监管所", "清桥市场监管所"]  # the second has moved


async def test_what_a_person_chose_stays_whatever_files_and_addresses_say(house):
    planner = await house.acting("planner")
    await stations.place_entity(planner, code(4), "359921-S02", "门牌在清桥")
    await stations.place_entity(planner, code(3), "359921", "由局里直接管辖")
    assert await station_of(4) == "清桥市场监管所" and await station_of(3) == ""
    assert await stations.count_unplaced(planner) == 3
    await save_entity_rows(await house.acting("operator"), (row(4, "望溪县白鹭镇1号", station="白鹭所"), row(3, "望溪县白鹭镇2号")))
    await stations.assign_stations(planner)
    assert await station_of(4) == "清桥市场监管所" and await station_of(3) == ""
    how = await store.load_placement(code(4))
    assert (how["placed_by"], how["why"], how["account.name"]) == ("person", "门牌在清桥", "计划员")
    assert await stations.count_unplaced(planner) == 0 and await stations.load_unplaced(planner) == []
    act = [one for one in await audit.load_acts(0) if one["act"] == "directory.place"][0]
    assert "门牌在清桥" in str(act["detail"])


async def test_the_list_for_a_person_is_paged_and_filtered_by_what_is_known(house):
    planner = await house.acting("planner")
    every = await stations.load_unplaced(planner)
    assert [one.entity["code"] for one in every] == sorted(code(n) for n in range(5))
    assert [one.entity["code"] for one in await stations.load_unplaced(planner, confidence="ambiguous")] == [code(3)]
    first = await stations.load_unplaced(planner, limit=2)
    rest = await stations.load_unplaced(planner, after=first[-1].entity["code"])
    assert first + rest == every


async def test_a_choice_needs_a_reason_and_a_station_of_ours(house):
    planner = await house.acting("planner")
    before = await snapshot()
    with pytest.raises(BadInput, match="没有写明理由"):
        await stations.place_entity(planner, code(4), "359921-S02", "  ")
    for station in ("359922", "359921-D01", "nowhere"):
        with pytest.raises(NotFound, match="本局没有编号为"):
            await stations.place_entity(planner, code(4), station, "理由")
    with pytest.raises(NotFound, match="名录里没有代码"):
        await stations.place_entity(planner, "X", "359921-S02", "理由")
    assert await snapshot() == before


async def test_a_stations_own_people_do_not_decide_what_stations_have(house):
    act = await house.account_of("s-planner", ["planner"], organisation="359921-S02")
    before = await snapshot()
    for refused in (stations.assign_stations(act), stations.load_unplaced(act), stations.place_entity(act, code(4), "359921-S02", "我们的")):
        with pytest.raises(NotAllowed, match="请用局里的账号办理"):
            await refused
    assert await stations.count_unplaced(act) == 0
    assert await snapshot() == before


async def test_another_bureau_neither_lists_nor_places_ours(house):
    stranger = await house.acting("stranger")
    assert await stations.load_unplaced(stranger) == [] and await stations.count_unplaced(stranger) == 0
    with pytest.raises(NotFound, match="不在您的辖区"):
        await stations.place_entity(stranger, code(4), "359922", "理由")
    with pytest.raises(BadInput, match="没有导入任何一行"):
        await stations.import_divisions(stranger, DIVISIONS, b"x")


# Codes -----------------------------------------------------------------------------------


WRONG = make_legacy("359921", 77)[:14] + str((int(make_legacy("359921", 77)[14]) + 1) % 10)


async def test_an_accepted_code_is_not_warned_about_again_and_says_who_accepted_it(filled):
    operator = await filled.acting("operator")
    sheet = Sheet((("统一社会信用代码/注册号", "企业名称"), (WRONG, "甲"), (code(20), "乙")))
    assert [problem.row for problem in (await import_entities(operator, sheet, b"x")).warnings] == [2]
    said = await codes.accept_code(operator, WRONG, "与营业执照原件一致")
    assert "第 15 位校验码不符" in said
    assert (await import_entities(operator, sheet, b"x")).warnings == ()
    override = await imports.load_acceptance(operator.bureau["id"], WRONG)
    assert (override["reason"], override["by.name"]) == ("与营业执照原件一致", "运维员")


async def test_only_a_code_that_is_off_is_accepted_once_and_with_a_reason(filled):
    operator = await filled.acting("operator")
    await save_entity_rows(operator, (EntityRow(WRONG, "entity", WRONG, "", "甲"), row(20)))
    with pytest.raises(BadInput, match="请写明核对的依据"):
        await codes.accept_code(operator, WRONG, "")
    with pytest.raises(WrongMoment, match="校验相符，不需要说明"):
        await codes.accept_code(operator, code(20), "理由")
    with pytest.raises(NotFound, match="不在您的辖区"):
        await codes.accept_code(await filled.acting("stranger"), WRONG, "理由")
    await codes.accept_code(operator, WRONG, "已核对")
    before = await snapshot()
    with pytest.raises(WrongMoment, match="已由运维员说明：已核对"):
        await codes.accept_code(operator, WRONG, "再核对")
    assert await snapshot() == before


async def test_a_region_of_no_table_is_one_warning_a_file_and_ones_own_none(filled):
    operator = await filled.acting("operator")
    head = ("统一社会信用代码/注册号", "企业名称")
    zone = [(make_uscc("9", "1", "320191", f"MA0000{n}"), f"{n}号") for n in (30, 31)]
    report = await import_entities(operator, Sheet((head, *zone, (code(32), "甲"))), b"x")
    assert [str(problem) for problem in report.warnings] == [
        "“代码”：2 户：区划代码 320191 不在区划表中，可能是江苏省南京市的开发区等登记机关自编的代码。"]


async def test_what_was_placed_stays_when_a_step_fails_half_way(house, monkeypatch):
    before = await snapshot()

    async def fails(rows):
        raise ZeroDivisionError

    monkeypatch.setattr(store, "save_placements", fails)
    with pytest.raises(ZeroDivisionError):
        await stations.assign_stations(await house.acting("planner"))
    assert changed_tables(before, await snapshot()) == set()
    async with transaction():
        assert await store.count_unplaced((await accounts.load_organisation("359921"))["id"]) == 5

"""The list of entries without a station: what addresses say, one choice at a time, all the sure ones at once."""

import asyncio
import re

import pytest

from portal.domain.cells import Sheet
from portal.domain.codes import make_uscc
from portal.domain.directory import EntityRow
from portal.steps import stations
from portal.steps.directory import save_entity_rows
from portal.store import engine
from tests.web.bureau import Builder, settings_of

DIVISIONS = Sheet((("代码", "名称"), ("359921100", "清桥镇"), ("359921101", "白鹭镇"), ("359921100001", "桥头村委会"), ("359921101001", "桥头村委会")))
COVERAGE = Sheet((("所名称", "辖区镇街"), ("清桥市场监管所", "清桥镇"), ("白鹭市场监管所", "白鹭镇")))
ADDRESSES = ("望溪县清桥镇南路1号", "桥头村5号", "和平路<b>9</b>号")


def code(n: int) -> str:
    return make_uscc("9", "1", "359921", f"MA0000{n:02d}")


@pytest.fixture
def house(house_at, monkeypatch):
    made = house_at("start")

    async def fill():
        builder = Builder(made.folder, made.clock)
        await engine.open_engine(settings_of(made.folder).database_url)
        try:
            operator = await builder.acting("operator")
            rows = [EntityRow(code(n), "entity", code(n), "", f"{n}号商行", address=address) for n, address in enumerate(ADDRESSES)]
            wrong = code(9)[:17] + ("A" if code(9)[17] != "A" else "C")
            await save_entity_rows(operator, (*rows, EntityRow(wrong, "entity", wrong, "", "错码商行", station="清桥所", industries=("5272",))))
            await stations.import_divisions(operator, DIVISIONS, b"d")
            await stations.import_stations(operator, COVERAGE, b"c")
            made.wrong = wrong
        finally:
            await engine.close_engine()

    _outside(made, fill)
    return made


def _outside(house, work) -> None:
    """Steps done while the portal's own engine is put aside."""
    house.client.__exit__(None, None, None)
    asyncio.run(work())
    house.client.__enter__()


def test_the_list_says_what_each_address_tells_and_counts_the_kinds(house):
    person = house.browser("planner")
    assert "3 户没有分到所" in person.get("/directory").text
    page = person.get("/directory/unplaced").text
    assert "3 户没有属地所" in page and "按地址分所 1 户" in page
    assert re.findall(r"(地址写明|可以推定|几个所都可能|看不出) (\d+)</a>", page) == [("地址写明", "1"), ("几个所都可能", "1"), ("看不出", "1")]
    assert "清桥镇、白鹭镇都有“桥头村”" in page and page.count("（可能）") == 2
    assert "<b>9</b>" not in page and "和平路&lt;b&gt;9" in page
    ambiguous = person.get("/directory/unplaced?kind=ambiguous").text
    assert "1号商行" in ambiguous and "0号商行" not in ambiguous


def test_one_is_placed_with_a_reason_and_its_page_says_by_whom(house):
    person = house.browser("planner")
    person.get("/directory/unplaced")
    fields = {"code": code(2), "station": "359921-S03", "reason": "已与企业核实", "kind": "none"}
    response = person.post("/directory/unplaced", fields)
    assert response.headers["location"] == "/directory/unplaced?kind=none&said=placed"
    assert "以后导入名录、按地址分所都不会改动它" in person.get(response.headers["location"]).text
    page = person.get(f"/directory/{code(2)}").text
    assert "白鹭市场监管所" in page and "计划员指定" in page and "已与企业核实" in page
    assert "2 户没有属地所" in person.get("/directory/unplaced").text


@pytest.mark.parametrize("fields, status, said", [
    ({"reason": ""}, 422, "“理由”没有填写"), ({"station": ""}, 422, "“所”没有填写"), ({"station": "359922"}, 404, "本局没有编号为“359922”的所"),
    ({"code": "X"}, 404, "名录里没有代码为“X”的检查对象"), ({"extra": "1"}, 422, "extra"),
])  # fmt: skip
def test_a_choice_that_cannot_be_is_said_and_what_was_typed_stays(house, fields, status, said):
    person = house.browser("planner")
    person.get("/directory/unplaced")
    response = person.post("/directory/unplaced", {"code": code(2), "station": "359921-S03", "reason": "已与企业核实"} | fields)
    assert response.status_code == status and said in response.text
    if "reason" not in fields and "code" not in fields:
        assert 'value="已与企业核实">' in response.text
    assert house.query("SELECT count(*) FROM placement") == [(0,)]


def test_all_whose_address_names_a_station_are_placed_at_once(house):
    person = house.browser("planner")
    person.get("/directory/unplaced")
    assert person.post("/directory/unplaced/assign").headers["location"] == "/directory/unplaced?said=assigned"
    page = person.get("/directory/unplaced?said=assigned").text
    assert "2 户没有属地所" in page and "按地址分所 1 户" not in page
    page = person.get(f"/directory/{code(0)}").text
    assert "清桥市场监管所" in page and "按地址分所：地址写明“清桥镇”。" in page


def test_a_code_that_fails_its_check_is_accepted_on_its_page(house):
    person = house.browser("planner")
    page = person.get(f"/directory/{house.wrong}").text
    assert "第 18 位校验码不符" in page and "5272</span> 日用家电零售" in page
    assert person.post(f"/directory/{house.wrong}/accept", {"reason": ""}).status_code == 422
    assert person.post(f"/directory/{house.wrong}/accept", {"reason": "与营业执照一致"}).status_code == 303
    page = person.get(f"/directory/{house.wrong}").text
    assert "说明：与营业执照一致" in page and "代码无误，不再提示" not in page
    assert person.post(f"/directory/{house.wrong}/accept", {"reason": "再说一次"}).status_code == 409
    assert "代码校验" not in person.get(f"/directory/{code(0)}").text


def test_those_who_only_read_the_directory_see_no_forms(house):
    person = house.browser("reviewer")
    assert person.get("/directory/unplaced").status_code == 403
    assert "没有分到所" not in person.get("/directory").text
    page = person.get(f"/directory/{house.wrong}").text
    assert "第 18 位校验码不符" in page and "代码无误，不再提示" not in page

"""The plan's pages: its file, and its rows changed in place."""

from portal.sheets.read import read_sheet


def plan_number(house):
    return house.query("SELECT id FROM plan ORDER BY id")[0][0]


# The file -----------------------------------------------------------------------------


def test_the_plan_page_offers_its_file_in_every_layout(house_at):
    house = house_at("start")
    planner, number = house.browser("planner"), plan_number(house)
    assert f'action="/plan/{number}/file"' in planner.get(f"/plan/{number}").text
    for layout, head in (("", "序号"), ("own", "序号"), ("county", "抽查计划编号")):
        found = planner.get(f"/plan/{number}/file?layout={layout}")
        assert found.status_code == 200 and found.headers["content-type"].startswith("application/vnd.openxml")
        assert "filename*=UTF-8''" in found.headers["content-disposition"]
        assert read_sheet(found.content).rows[1][0] == head
    assert planner.get(f"/plan/{number}/file?layout=own").content == planner.get(f"/plan/{number}/file").content
    assert planner.get(f"/plan/{number}/file?layout=doc").status_code == 422


def test_nobody_else_gets_the_file(house_at):
    house = house_at("start")
    number = plan_number(house)
    assert house.browser("other").get(f"/plan/{number}/file").status_code == 404
    assert house.browser("auditor").get(f"/plan/{number}/file").status_code == 403

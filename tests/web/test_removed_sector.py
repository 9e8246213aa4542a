"""A sector goes while its tasks are open: all that was recorded stays readable, what needs it is refused in one sentence."""

import re
from dataclasses import replace

import pytest

import plugins.annual_reports
from portal.plugins import discover_sectors
from tests.web.bureau import ROUND

GONE = "业务模块“registration”没有安装或没有启用"
FORM, ITEM = "registration.check", "registration.licence"
LEFT = discover_sectors("annual_reports", {"annual_reports": plugins.annual_reports})
VISIT = re.compile(r'href="(/visits/359921[^"/?]+)"')


@pytest.fixture
def left(house_at):
    """The bureau in the middle of its year, started again without `registration`."""
    house = house_at("worked")
    portal = house.client.app.state.portal
    house.client.app.state.portal = replace(portal, sectors=LEFT)
    return house


def test_everything_recorded_stays_readable_and_every_act_that_needs_the_sector_is_refused(left):
    planner, reviewer, inspector = (left.browser(login) for login in ("planner", "reviewer", "inspector"))
    records = left.query("SELECT id, state, version FROM record WHERE form_code = ? ORDER BY id", FORM)
    visit = left.query("SELECT v.code FROM visit v JOIN record r ON r.visit = v.id WHERE r.form_code = ?", FORM)[0][0]
    frozen = "359921-2026-T003"
    pages = [
        "/", "/plan", "/plan/1", "/pool", f"/pool/{frozen}", f"/draw/{ROUND}", "/visits", f"/visits/{visit}", "/items", f"/items/{ITEM}",
        "/checklists", f"/checklists/{FORM}", "/forms", "/review", "/publish", *(f"/review/{record}" for record, _, _ in records[:3]),
    ]
    assert {address: page.status_code for address in pages if (page := planner.get(address)).status_code != 200} == {}
    assert "营业执照" in planner.get(f"/items/{ITEM}").text
    waiting, version = next((record, version) for record, state, version in records if state == "submitted")
    shown = reviewer.get(f"/review/{waiting}").text
    assert GONE in shown and "value=\"approve\"" not in shown and "value=\"return\"" in shown
    before = left.query("SELECT id, state, version FROM record ORDER BY id")
    refused = reviewer.post(f"/review/{waiting}", {"decision": "approve", "comment": "", "version": version})
    assert (refused.status_code, GONE in refused.text) == (409, True)
    assert left.query("SELECT id, state, version FROM record ORDER BY id") == before
    assert reviewer.post(f"/review/{waiting}", {"decision": "return", "comment": "请先启用业务模块。", "version": version}).status_code == 303
    page = planner.get("/sectors").text
    assert "没有安装的模块留下的内容" in page and ">registration<" in page and "annual_reports" in page
    mine = set(VISIT.findall(inspector.get("/visits?mine=1").text))
    assert mine and {200} <= {inspector.get(f"{address}/{FORM}").status_code for address in mine} <= {200, 404}

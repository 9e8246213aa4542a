"""补抽 on the page of a round: seen before, done once, told afterwards; emptied slots drawn again."""

import re
from datetime import datetime

from tests.web.bureau import ROUND

DUE = datetime.fromisoformat("2026-07-01T09:00:00+08:00")


def drawn_and_struck(house, many=2):
    codes = [code for (code,) in house.query("SELECT entity_code FROM visit ORDER BY code LIMIT ?", many)]
    for code in codes:
        house.query("UPDATE entity SET status = '注销' WHERE code = ?", code)
    return codes


def section(page, name="replace"):
    return page.partition(f'id="{name}"')[2].partition("</section>")[0]


def test_the_day_is_said_and_who_is_struck_and_nobody_acts_before_it(house_at):
    house = house_at("drawn")
    codes = drawn_and_struck(house)
    planner = house.browser("planner")
    before = section(planner.get(f"/draw/{ROUND}").text)
    assert "约定 7月1日" in before and all(code in before for code in codes) and "待递补" in before
    assert "<form" not in before and "由谁递补早已由抽取的次序决定" in before
    reserve = {code for (code,) in house.query("SELECT code FROM pick WHERE kind = 'reserve'")} - set(codes)
    assert not any(code in before for code in reserve)
    refused = planner.post(f"/draw/{ROUND}/replace")
    assert refused.status_code == 409 and "约定 2026-07-01 补抽，现在不能办理" in refused.text
    seen = section(house.browser("approver").get(f"/draw/{ROUND}").text)
    assert "到约定的日子，由计划员按当时的名录办理" in seen and codes[0] not in seen


def test_it_is_done_once_by_a_planner_and_shows_who_came_for_whom(house_at):
    house = house_at("drawn")
    codes = drawn_and_struck(house)
    house.clock.now = DUE
    planner = house.browser("planner")
    assert "办理补抽" in section(planner.get(f"/draw/{ROUND}").text)
    assert house.browser("approver").post(f"/draw/{ROUND}/replace").status_code == 403
    done = planner.post(f"/draw/{ROUND}/replace")
    assert done.status_code == 303 and done.headers["location"] == f"/draw/{ROUND}?said=replaced#replace"
    acts = house.query("SELECT count(*) FROM audit WHERE act = 'round.replace'")
    again = planner.post(f"/draw/{ROUND}/replace")  # a double click
    assert again.status_code == 303 and house.query("SELECT count(*) FROM audit WHERE act = 'round.replace'") == acts == [(1,)]
    page = section(planner.get(f"/draw/{ROUND}?said=replaced").text)
    new = [code for (code,) in house.query("SELECT code FROM pick WHERE kind = 'replacement'")]
    assert new and all(code in page for code in (*codes, *new)) and "<form" not in page and "已递补" in page
    link = re.search(r'href="(/visits/[^"]+)"', page)[1]
    assert planner.get(link).status_code == 200
    auditor = section(house.browser("auditor").get(f"/draw/{ROUND}").text)
    assert "已递补" in auditor and not any(code in auditor for code in (*codes, *new))


def test_a_closed_visit_is_found_and_says_why(house_at):
    house = house_at("drawn")
    (code,) = drawn_and_struck(house, 1)
    house.clock.now = DUE
    planner = house.browser("planner")
    planner.post(f"/draw/{ROUND}/replace")
    listed = planner.get("/visits?state=closed").text
    assert code in listed and "不再检查" in listed
    page = planner.get(f"/visits/{ROUND}_{code}").text
    assert "登记状态为“注销”" in page and "按约定办理补抽，不再检查" in page
    assert "已由补抽替换" in planner.get(f"/directory/{code}").text


# 补派 -----------------------------------------------------------------------------------


def test_emptied_slots_are_explained_and_drawn_again_once(house_at):
    house = house_at("drawn")
    house.query("UPDATE visit SET state = 'open'")
    planner = house.browser("planner")
    page = planner.get(f"/assign/{ROUND}").text
    assert "补派执法人员" in page and f"/assign/{ROUND}" in planner.get(f"/draw/{ROUND}").text
    who = re.search(r'name="absent" value="([^"]+)"', page)[1]
    fields = [("absent", who), ("reason", "病假"), ("after", "1")]
    assert "由计划员补派" in house.browser("approver").get(f"/assign/{ROUND}").text
    assert planner.post(f"/assign/{ROUND}/refill", [("absent", who), ("reason", ""), ("after", "1")]).status_code == 422
    for _ in range(2):  # a double click
        done = planner.post(f"/assign/{ROUND}/refill", fields)
        assert done.status_code == 303 and done.headers["location"] == f"/assign/{ROUND}?said=refilled"
    assert house.query("SELECT count(*) FROM matching") == [(2,)]
    other = planner.post(f"/assign/{ROUND}/refill", [("reason", "出差"), ("after", "9")])
    assert other.status_code == 409 and "请刷新后再看" in other.text and 'value="出差"' in other.text


def test_a_slot_says_which_rule_keeps_whom_away_and_who_could_be_lent(house_at):
    house = house_at("drawn")
    planner = house.browser("planner")
    page = planner.get(f"/assign/{ROUND}").text
    slots = page.count("本所和局机关")
    assert slots == house.query("SELECT count(*) FROM assignment WHERE inspector IS NULL")[0][0] or "没有空缺的名额" in page

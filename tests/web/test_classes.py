"""A class set by hand on an entry's page, and how a pool by class is frozen."""

from tests.web.test_year import prepare


def a_company(house):
    return house.query("SELECT code FROM entity WHERE kind = 'entity' AND status = '存续' AND type = '企业' AND risk_class = 'A' ORDER BY code LIMIT 1")[0][0]


def test_an_approver_adjusts_a_class_and_takes_it_back(house_at):
    house = house_at("start")
    prepare(house)
    code = a_company(house)
    approver = house.browser("approver")
    assert "没有调整过" in approver.get(f"/directory/{code}").text
    year = house.clock().year
    given = {"scale": "credit", "to": "D", "until": f"{year}-12-31", "reason": "抽检不合格，第 12 号"}
    assert approver.post(f"/directory/{code}/class", given).status_code == 303
    page = approver.get(f"/directory/{code}").text
    assert f"D（人工调整，到 {year}-12-31；导入的是 A）" in page and f"调整为 D，到 {year}-12-31" in page and "抽检不合格，第 12 号" in page
    refused = approver.post(f"/directory/{code}/class", {**given, "to": "E"})
    assert refused.status_code == 422 and "里没有“E”，应是 A、B、C、D" in refused.text
    assert approver.post(f"/directory/{code}/class", {"scale": "credit", "to": "", "until": "", "reason": "复议撤销"}).status_code == 303
    page = approver.get(f"/directory/{code}").text
    assert "恢复为导入的分类" in page and "（人工调整" not in page
    assert house.query("SELECT count(*) FROM class_adjustment") == [(2,)]


def test_others_see_what_was_adjusted_and_no_form(house_at):
    house = house_at("start")
    code = a_company(house)
    for login in ("planner", "reviewer"):
        browser = house.browser(login)
        assert "登记调整" not in browser.get(f"/directory/{code}").text
        assert browser.post(f"/directory/{code}/class", {"scale": "credit", "to": "D", "until": "2026-12-31", "reason": "x"}).status_code == 403


def test_the_pool_page_offers_what_a_task_can_be_frozen_as_and_names_those_without_a_class(house_at):
    house = house_at("start")
    planner = house.browser("planner")
    assert '<option value="class">' not in planner.get("/pool").text
    prepare(house)
    page = planner.get("/pool").text
    assert '<option value="none">不分层</option><option value="class">按信用风险分类</option>' in page
    code = a_company(house)
    house.query("UPDATE entity SET risk_class = '' WHERE code = ?", code)
    task = house.query("SELECT code FROM task WHERE ratio_ppm IS NULL AND fixed_count IS NULL ORDER BY code LIMIT 1")[0][0]
    assert planner.post(f"/pool/{task}/freeze", {"strata": "class"}).status_code == 303
    assert "其中 1 户没有分类，按未分类的比例抽取" in planner.get(f"/pool?frozen={task}").text
    assert "1 户，按未分类的比例抽取" in planner.get(f"/pool/{task}").text

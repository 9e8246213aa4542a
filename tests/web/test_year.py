"""The plan's floors, its simulation and the year's progress, as pages."""

import json

from portal.domain.sample_profile import sample_profile
from portal.steps import base, profile, simulation
from portal.steps.acting import open_acting
from portal.store import accounts
from portal.store.keys import load_keys
from tests.web.bureau import SECTORS


def step(house, login, run):
    """`run(act)` in the portal's own loop: what the command line or the worker would do meanwhile."""

    async def inside():
        keys = load_keys(house.folder / "keys")
        return await run(await open_acting(await accounts.load_account(login), login, house.clock(), keys, SECTORS))

    with house.client.portal() as portal:
        return portal.call(inside)


def prepare(house):
    value = json.dumps(sample_profile(1)).encode()
    step(house, "planner", lambda act: profile.save_profile(act, value))
    step(house, "planner", lambda act: base.freeze_base(act, 2025))


def plan_number(house):
    return house.query("SELECT id FROM plan")[0][0]


def test_the_plan_page_says_what_is_missing_then_how_it_stands(house_at):
    house = house_at("start")
    planner, number = house.browser("planner"), plan_number(house)
    page = planner.get(f"/plan/{number}").text
    assert "本局还没有导入辖区规则" in page and "期末实有数还没有冻结" in page and "还没有测算" in page
    prepare(house)
    assert planner.post(f"/plan/{number}/measure").headers["location"] == f"/plan/{number}#floors"
    page = planner.get(f"/plan/{number}").text
    assert "期末实有" in page and "3.5%" in page and "差异化抽查户数占比" in page and "还没有" not in page.split("<table>")[0]


def test_only_a_planner_measures_and_nobody_sees_anothers_plan(house_at):
    house = house_at("start")
    number = plan_number(house)
    approver = house.browser("approver")
    assert approver.post(f"/plan/{number}/measure").status_code == 403
    assert "按现在的名录测算" not in approver.get(f"/plan/{number}").text
    stranger = house.browser("other")
    for path in ("", "/simulation", "/tracking"):
        assert stranger.get(f"/plan/{number}{path}").status_code == 404


def test_a_simulation_is_asked_for_and_its_figures_are_shown(house_at):
    house = house_at("start")
    prepare(house)
    planner, number = house.browser("planner"), plan_number(house)
    assert "还没有模拟过" in planner.get(f"/plan/{number}/simulation").text
    asked = planner.post(f"/plan/{number}/simulation", {"runs": "3", "seed": "7"})
    assert asked.headers["location"] == f"/plan/{number}/simulation?asked=1"
    assert house.query("SELECT kind, args FROM job") == [("simulate", f'{{"login":"planner","number":{number},"runs":3,"seed":7}}')]
    step(house, "planner", lambda act: simulation.simulate_plan(act, number, 7, 3))
    page = planner.get(f"/plan/{number}/simulation?asked=1").text
    assert "已提交后台模拟" in page and "协调抽取、合并入企" in page and "种子 7，3 遍" in page and "<svg" in page


def test_a_simulation_of_a_thousand_runs_is_refused_beside_its_form(house_at):
    house = house_at("start")
    planner = house.browser("planner")
    refused = planner.post(f"/plan/{plan_number(house)}/simulation", {"runs": "1000", "seed": "7"})
    assert refused.status_code == 422 and "应在 1 到 99 之间" in refused.text


def test_the_years_progress_shows_indicators_rows_and_whom_to_urge(house_at):
    house = house_at("worked")
    prepare(house)
    planner, number = house.browser("planner"), plan_number(house)
    page = planner.get(f"/plan/{number}/tracking").text
    for words in ("抽查比例", "任务按时完成率", "结果公示率", "后续处置率", "差异化抽查户数占比", "结合检查", "检查截止 11月20日"):
        assert words in page, words
    house.clock.forward(days=150)
    planner.login("planner")
    assert "督促" in planner.get(f"/plan/{number}/tracking").text and "已逾期" in planner.get(f"/plan/{number}/tracking").text

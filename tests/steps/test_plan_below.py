"""县抽县查 in a city's plan: named there and not drawn, taken over by each county with one act, drawn by it from its own pool."""

import pytest

from portal.domain.errors import NotAllowed, NotFound, WrongMoment
from portal.domain.roles import ROLES
from portal.steps import base, plan, plan_draft, pool, tracking
from portal.steps.plan_below import adopt_below, load_below
from portal.store import accounts, engine
from portal.store import plan as plans
from portal.store.tables import Organisation
from tests import city_walk, office

pytestmark = pytest.mark.anyio
CITY, COUNTY, OTHER = city_walk.CITY, *city_walk.COUNTIES


@pytest.fixture
async def city(filled):
    """A city above 望溪县 (which has a plan of its own) and 邻县 (which has none), with the walk's plan approved."""
    async with engine.transaction():
        above = await accounts.save_organisation(CITY, "某市市场监督管理局", "bureau", None, CITY)
        for region in (COUNTY, OTHER):
            await Organisation.update(parent=above).where(Organisation.code == region).run()
        for login in ("city", "city2"):
            await accounts.save_account(login, login, above, tuple(ROLES), filled.settings.now())
    await plan.import_plan(await filled.acting("city"), city_walk.city_plan([row for row in city_walk.ROWS if row[5] != city_walk.SPRING]), b"the city's plan")
    return filled


async def latest(house, login):
    act = await house.acting(login)
    return await plans.load_latest_plan({act.bureau["id"]}, 2026)


async def test_the_row_is_named_and_the_city_cannot_draw_it(city):
    act = await city.acting("city")
    found = await latest(city, "city")
    (row,) = await load_below(act, found)
    assert row.name == "经营（业务）范围中无需审批的经营（业务）项目的检查" and row.taken == () and len(row.waiting) == 2
    task = next(task for task in await plans.load_tasks(act.tree, found["id"]) if task["drawn_by"] == "below")
    assert task["riders"] == [], "riders of the city's plan join what the city draws"
    with pytest.raises(WrongMoment, match="由县级局自行抽取"):
        await pool.freeze_pool(act, task["code"])
    year = await tracking.load_year(act, found)
    assert task["row"] not in {one.row.row for one in year.rows}
    assert any(f"第 {task['row']} 行" in said and "还没有列入：" in said for said in year.missing)


async def test_each_county_takes_it_over_with_one_act_and_draws_its_own_pool(city):
    found = await latest(city, "city")
    with pytest.raises(WrongMoment, match="还没有批准"):
        await adopt_below(await city.acting("boss"), found["id"])
    await base.approve_plan(await city.acting("city2"), found["id"])
    for login, second in (("boss", "boss2"), ("stranger", "stranger2")):
        before = len(await plans.load_plan_rows((await latest(city, login))["id"])) if login == "boss" else 0
        draft, added = await adopt_below(await city.acting(login), found["id"])
        assert added == 1 and (await adopt_below(await city.acting(login), found["id"])) == (draft, 0)
        view = await plan_draft.load_draft(await city.acting(login), draft)
        assert [one.message for one in view.found if one.blocks and one.row == view.draft.rows[-1].id] == []
        for one in view.found:  # the sample's plan says 10%(200户)
            if one.blocks:
                await plan_draft.settle_row(await city.acting(login), draft, view.row["n"], one.row, "ratio")
                view = await plan_draft.load_draft(await city.acting(login), draft)
        number = await plan_draft.finish_draft(await city.acting(login), draft, view.row["n"], "列入市级计划中由县级局自行抽取的任务")
        own = await latest(city, login)
        assert own["id"] == number and len(await plans.load_plan_rows(number)) == before + 1
        task = (await plans.load_tasks({own["organisation"]}, number))[-1]
        assert (task["drawn_by"], task["ratio_ppm"], task["objects"]) == ("here", 10_000, "个体工商户")
        assert own["imported_by"] != (await city.acting(second)).account
        if login == "boss":
            frozen = await pool.freeze_pool(await city.acting(login), task["code"])
            assert 0 < frozen["size"] < office.ENTITIES
    (row,) = await load_below(await city.acting("city"), found)
    assert len(row.taken) == 2 and row.waiting == ()
    with pytest.raises(WrongMoment, match="都有了"):
        await adopt_below(await city.acting("boss"), found["id"])


async def test_only_a_planner_of_a_bureau_below_takes_rows_over(city):
    found = await latest(city, "city")
    own = await latest(city, "boss")
    before = await office.snapshot()
    for login, number, refusal in (("approver", found["id"], NotAllowed), ("city", found["id"], NotFound), ("boss", own["id"], NotFound), ("boss", 10**6, NotFound)):
        with pytest.raises(refusal):
            await adopt_below(await city.acting(login), number)
    assert await office.snapshot() == before

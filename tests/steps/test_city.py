"""A small city through its year on each engine (tests/city_walk.py): the outcome lies in what was foretold, each county sees its own."""

import asyncio

import pytest

from portal.domain.errors import NotFound
from portal.steps import commit, draw, pool, visits
from portal.steps.plan_below import load_below
from portal.store import engine
from portal.store import plan as plan_store
from portal.store import visits as visit_store
from tests import city_walk, office

COUNTIES = city_walk.COUNTIES
pytestmark = pytest.mark.long

#: of so few cooperatives 1.5 per cent would leave a county below its floor
ROWS = tuple((*row[:3], "20%", *row[4:]) if row[3] == "1.5%" else row for row in city_walk.ROWS)


async def _take(folder, kind):
    try:
        city = await city_walk.take(folder, kind, entities=300, runs=9, rows=ROWS)
        seen, refused = {}, []
        for region in COUNTIES:
            act = await city.acting(f"{region}-planner")
            seen[region] = {visit["code"] for visit in await visit_store.load_visit_page(act.tree, limit=1000)}
            for code, tasks in city.rounds.items():
                attempts = (draw.draw_round(act, code), visits.combine_visits(act, code), pool.freeze_pool(act, tasks[0]), commit.create_round(
                    act, tasks, title="再抽一次", disclosure="sealed", sources=(), holders=({"holder": "甲", "login": f"{region}-planner"}, {"holder": "乙", "login": f"{region}-supervisor"}),
                    draw_not_before="2026-12-01T22:00:00+08:00",
                ))  # fmt: skip
                for attempt in attempts:
                    try:
                        await attempt
                    except NotFound as refusal:
                        refused.append(refusal.message)
        act = await city.acting("planner")
        city.said |= {"seen": seen, "refused": refused, "below": await load_below(act, (await plan_store.load_plans({act.bureau["id"]}))[-1])}
        return city
    finally:
        await engine.close_engine()


@pytest.fixture(scope="module")
def city(tmp_path_factory, engine_kind, cheap_passphrases):
    folder = tmp_path_factory.mktemp("city") / "data"
    walked = asyncio.run(_take(folder, engine_kind))
    yield walked, folder
    office.drop_databases_in(folder.parent)


def test_the_outcome_lies_in_the_simulated_range(city):
    walked, folder = city
    outcome, load = city_walk.outcome_of(folder)
    foretold = {tuple(path.split("/")): row for path, row in walked.said["simulation"]["figures"].items()}
    assert outcome.keys() <= foretold.keys(), "nothing happened that no run had foretold"
    told = {path: row for path, row in foretold.items() if path[0] != "station" and path != ("visits", "uncoordinated")}
    assert {path: (row, outcome.get(path, 0)) for path, row in told.items() if not row[1] <= outcome.get(path, 0) <= row[2]} == {}
    assert outcome["cap", "freeze", "frequency"] > 0 and any(path[:2] == ("cap", "dispatch") for path in foretold), "limits bind in this year"
    assert outcome["rider_checks",] > outcome["picks",] > outcome["visits", "coordinated"]
    months = walked.said["simulation"]["load"]
    assert load and load.keys() <= months.keys() and all(months[month][1] <= low and high <= months[month][2] for month, (_, low, high) in load.items())


def test_a_county_sees_its_own_visits_and_draws_nothing_again(city):
    walked, folder = city
    seen = walked.said["seen"]
    every = {code for (code,) in office.query(folder, "SELECT code FROM visit")}
    assert all(seen.values()) and seen[COUNTIES[0]].isdisjoint(seen[COUNTIES[1]]) and seen[COUNTIES[0]] | seen[COUNTIES[1]] == every
    assert len(walked.said["refused"]) == 2 * 3 * 4 and all("不在您的辖区" in said for said in walked.said["refused"])


def test_tracking_counts_what_a_second_count_finds(city):
    walked, folder = city
    year = walked.said["year"]
    ((picked,),) = office.query(folder, "SELECT count(*) FROM pick WHERE kind = 'drawn'")
    ((dismissed,),) = office.query(folder, "SELECT count(*) FROM dismissal WHERE item_code = ''")
    ((found,),) = office.query(folder, "SELECT count(*) FROM finding f JOIN task t ON t.id = f.task AND t.item_code = f.item_code")
    ((published,),) = office.query(
        folder,
        "SELECT count(*) FROM finding f JOIN task t ON t.id = f.task AND t.item_code = f.item_code JOIN visit v ON v.id = f.visit"
        " WHERE v.code IN (SELECT key FROM publication WHERE kind = 'result')",
    )
    assert (year.done.part, year.done.whole, year.published.part, year.on_time.part) == (found, picked - dismissed, published, found)
    follow_ups = office.query(folder, "SELECT f.closed_on IS NULL, count(DISTINCT f.id) FROM follow_up f JOIN record r ON r.id = f.record"
                                      " JOIN finding d ON d.record = r.id JOIN task t ON t.id = d.task AND t.item_code = d.item_code GROUP BY 1")  # fmt: skip
    assert year.followed.whole == sum(n for _, n in follow_ups) > 0
    by_class = {task for (task,) in office.query(folder, "SELECT id FROM task WHERE class_ratios <> '{}'")}
    ((differing,),) = office.query(folder, f"SELECT count(*) FROM pick WHERE kind = 'drawn' AND task IN ({','.join(map(str, sorted(by_class)))})")
    assert (year.differentiated.part, year.differentiated.whole) == (differing, picked - dismissed)


def test_what_counties_draw_is_named_and_not_drawn(city):
    walked, _ = city
    (row,) = walked.said["below"]
    assert row.taken == () and row.waiting == tuple(city_walk.NAMES[region] for region in COUNTIES)
    assert all(row.row != one.row.row for one in walked.said["year"].rows) and any(row.name in said for said in walked.said["year"].missing)

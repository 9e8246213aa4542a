"""A city with two counties in one installation: the city draws, the counties see, inspect and publish, and cannot redraw (市抽县查)."""

import json
from dataclasses import replace
from datetime import date

import pytest

from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.domain.roles import ROLES
from portal.domain.sample import sample_entities, sample_plan
from portal.domain.sample_profile import sample_profile
from portal.steps import assign, commit, disclosure, draw, forms, plan, pool, profile, publish, review, sample, setup, visits
from portal.steps.directory import save_entity_rows
from portal.store import accounts, audit, directory, engine
from portal.store import draw as draw_store
from portal.store import plan as plan_store
from portal.store import visits as visit_store
from portal.store.tables import Inspector, Organisation
from portal.web.draw_view import load_round_view
from portal.web.home import _rounds as load_rounds_shown
from tests import office

pytestmark = pytest.mark.anyio

CITY, COUNTY, OTHER = "359900", "359921", office.OTHER_REGION
ROUND = f"{CITY}-2026-R01"


async def inspector(organisation: str, code: str) -> None:
    """A lead of a bureau itself (of no station), who may be sent anywhere in it."""
    home = (await accounts.load_organisation(organisation))["id"]
    await Inspector.insert(
        Inspector(
            code=code, number=code, name=f"局机关{code}", organisation=home, lead=True, certificate_no=f"证{code}",
            certificate_until=date(2030, 1, 1), status="有效",
        )
    ).run()  # fmt: skip


@pytest.fixture
async def city(filled):
    """望溪县 and 邻县 below a city that has a plan, and people at every seat."""
    async with engine.transaction():
        above = await accounts.save_organisation(CITY, "某市市场监督管理局", "bureau", None, CITY)
        for region in (COUNTY, OTHER):
            await Organisation.update(parent=above).where(Organisation.code == region).run()
        for login, roles in (("city", tuple(ROLES)), ("city2", tuple(ROLES))):
            await accounts.save_account(login, login, above, roles, filled.settings.now())
        await inspector(CITY, "C001")
        for n in range(3):
            await inspector(OTHER, f"O00{n}")
    await save_entity_rows(await filled.acting("stranger"), tuple(sample_entities(60, 99)))
    return filled


def city_plan(words: str = "市抽县查"):
    """The sample plan of which every row says so: who draws, who inspects."""
    sheet = sample_plan(office.SEED)
    at = sheet.rows[1].index("抽取方式")
    return replace(sheet, rows=tuple((*row[:at], words, *row[at + 1 :]) if row[at] == "本级抽取" else row for row in sheet.rows))


async def drawn_by_city(house, words: str = "市抽县查") -> str:
    """A round of the city over both counties: drawn, combined, assigned."""
    await plan.import_plan(await house.acting("city"), city_plan(words), b"the city's plan")
    task = next(t for t in await plan_store.load_tasks((await house.acting("city")).tree) if t["code"].startswith(CITY) and t["drawn_by"] == "here")
    house.at(office.COMMITTED)
    planner = await house.acting("city")
    await pool.freeze_pool(planner, task["code"])
    holders = ({"holder": "信用监督管理科", "login": "city"}, {"holder": "派驻纪检监察组", "login": "city2"})
    code = await commit.create_round(
        planner, (task["code"],), title="市级抽查", disclosure="open", holders=holders, window=office.WINDOW, draw_not_before=office.AFTER_ISSUES,
        sources=[{"name": name, "drawn_at": at, "groups": groups} for name, at, groups, _ in office.ISSUES],
    )  # fmt: skip
    for holder in holders:
        await commit.make_share(await house.acting(holder["login"]), code, office.PASSPHRASE)
    await commit.commit_round(await house.acting("city2"), code)
    act = await house.acting("city")
    await disclosure.save_published(act, {"rounds": [(await city_round(house, code))["id"]], "digest": "0" * 64, "size": 0}, {"id": "000001-" + "0" * 12, "pages": 0, "pdfs": 0, "changed": 0})  # fmt: skip
    house.at(office.DRAWN)
    for n, (*_, value) in enumerate(office.ISSUES):
        await draw.enter_source(await house.acting("city"), code, n, value)
    for holder in holders:
        await draw.release_share(await house.acting(holder["login"]), code, office.PASSPHRASE)
    planner = await house.acting("city")
    await draw.draw_round(planner, code)
    await visits.combine_visits(planner, code)
    await assign.assign_inspectors(planner, code)
    return code


async def city_round(house, code: str):
    return await draw_store.load_round(code, (await house.acting("city")).tree)


async def people_by_bureau(code: str) -> dict[str, set[str]]:
    """Bureau of a visit -> bureaus of the people who were drawn for it."""
    organisations = await accounts.load_organisations()
    codes = {o["id"]: o["code"] for o in organisations}
    found: dict[str, set[str]] = {}
    for visit in await office.visits_of(code):
        own = codes[accounts.bureaus_of(organisations, visit["organisation"])[0]]
        for person in await office.inspectors_of(visit):
            found.setdefault(own, set()).add(codes[accounts.bureaus_of(organisations, person["organisation"])[0]])
    return found


async def test_who_is_whose(city):
    county, above, station = await city.acting("planner"), await city.acting("city"), await city.account_of("at-station", ("station",), organisation=next(o["code"] for o in await accounts.load_organisations() if o["kind"] == "station"))
    assert (county.bureau["code"], county.top["code"], above.bureau["code"]) == (COUNTY, CITY, CITY)
    assert station.bureau["code"] == COUNTY and county.tree < above.tree == above.whole == county.whole
    assert county.over == (above.bureau["id"],) and above.over == ()


async def test_the_city_draws_over_its_counties_and_each_county_inspects_its_own(city):
    code = await drawn_by_city(city)
    assert code == ROUND
    assert await people_by_bureau(code) == {COUNTY: {COUNTY}, OTHER: {OTHER}}


async def test_where_the_city_inspects_itself_only_its_own_people_go(city):
    assert set(map(frozenset, (await people_by_bureau(await drawn_by_city(city, "市抽市查"))).values())) == {frozenset({CITY})}


async def test_a_county_sees_the_citys_round_and_can_change_nothing_of_it(city):
    code = await drawn_by_city(city)
    task = (await draw_store.load_round_tasks((await city_round(city, code))["id"]))[0]["code"]
    county = await city.acting("boss")
    view = await load_round_view(county, code)
    assert view["round"]["state"] == "drawn" and view["acts"] == {}
    before = await office.snapshot()
    for attempt in (
        pool.freeze_pool(county, task),
        commit.create_round(
            county, (task,), title="再抽一次", disclosure="open", sources=(), draw_not_before=office.AFTER_ISSUES,
            holders=({"holder": "甲", "login": "boss"}, {"holder": "乙", "login": "supervisor"}),
        ),
        commit.commit_round(county, code), draw.draw_round(county, code), draw.reveal_round(county, code), draw.void_round(county, code, "不满意"),
        visits.combine_visits(county, code), assign.assign_inspectors(county, code),
    ):  # fmt: skip
        with pytest.raises(NotFound, match="不在您的辖区"):
            await attempt
    assert await office.snapshot() == before
    seen = await visit_store.load_visit_page(county.tree, limit=1000)
    assert seen and {visit["code"] for visit in seen} < {visit["code"] for visit in await office.visits_of(code)}
    assert view["above"] == {"name": "某市市场监督管理局", "visits": len(seen), "done": 0}
    (row,) = [row for row in await load_rounds_shown(county) if row["round"]["code"] == code]
    assert (row["visits"], row["picks"]) == (len(seen), len(seen)), "the county's first page counts its own"
    assert (await load_round_view(await city.acting("city"), code))["above"] is None


async def test_a_countys_results_are_published_in_its_name_on_the_citys_site_beside_both_plans(city, tmp_path):
    code = await drawn_by_city(city)
    city.at(office.ENTERED)
    await forms.import_records(await city.acting("city"), b"".join(dict.fromkeys(await sample.make_answers(await city.acting("city"), code, office.SEED))))
    city.at(office.REVIEWED)
    await review.review_round(await city.acting("reviewer"), code)
    county = await city.acting("publisher")
    counts = await publish.publish_all(county)
    assert counts["plans"] == 1 and counts["results"] == sum(
        visit["organisation"] in county.tree for visit in await office.visits_of(code)
    )
    assert (await publish.publish_all(await city.acting("city2")))["plans"] == 1
    written = await disclosure.write_bundle(county, tmp_path / "bundle", demo=True)
    assert written["rounds"]

    def lines(name):
        return [json.loads(line) for line in (tmp_path / "bundle" / name).read_bytes().splitlines()]

    assert json.loads((tmp_path / "bundle" / "about.json").read_bytes())["bureau"]["code"] == CITY
    assert {row["code"] for row in lines("rounds.jsonl")} == {code}
    assert {row["authority"] for row in lines("results.jsonl")} == {"望溪县市场监督管理局"}
    assert {row.get("bureau", {}).get("code") for row in lines("plans.jsonl")} == {COUNTY, None}


async def test_a_citys_file_renews_a_countys_entries_and_takes_none_away(city):
    rows = tuple(sample_entities(60, 99))[:5]
    report = await save_entity_rows(await city.acting("city"), tuple(row._replace(name=f"{row.name}（新）", station="", town="", address="") for row in rows))
    assert report.counts["更新原有"] == 5
    found = await directory.load_entities([row.code for row in rows])
    home = (await accounts.load_organisation(OTHER))["id"]
    assert {row["organisation"] for row in found.values()} == {home} and all(row["name"].endswith("（新）") for row in found.values())


async def test_a_countys_first_page_shows_its_own_plan_before_the_citys(city):
    await plan.import_plan(await city.acting("city"), city_plan(), b"the city's plan")
    county, stranger = await city.acting("planner"), await city.acting("stranger")
    seen = [await plan_store.load_latest_plan(act.line, 2026, act.bureau["id"]) for act in (county, stranger)]
    codes = {o["id"]: o["code"] for o in await accounts.load_organisations()}
    assert [codes[one["organisation"]] for one in seen] == [COUNTY, CITY]


async def test_what_the_county_calls_its_superiors_draw_is_the_citys_own(city):
    async def drawn_by(login):
        act = await city.acting(login)
        await plan.import_plan(act, city_plan(), f"the plan of {login}".encode())
        latest = await plan_store.load_latest_plan({act.bureau["id"]}, 2026)
        return {task["drawn_by"] for task in await plan_store.load_tasks(act.tree, latest["id"])}

    assert await drawn_by("city") == {"here"} and await drawn_by("boss2") == {"superior"}


async def test_a_county_without_rules_of_its_own_goes_by_the_citys(city):
    county, above = await city.acting("planner"), await city.acting("city")
    assert await profile.load_profile(county) is None
    await profile.save_profile(above, json.dumps({**sample_profile(), "region": CITY, "name": "某市"}).encode())
    assert (await profile.load_profile(county)).name == (await profile.load_profile(above)).name == "某市"


async def test_a_bureau_below_ours_gets_accounts_of_its_own(filled):
    operator = await filled.acting("operator")
    async with engine.transaction():
        above = await accounts.save_organisation(CITY, "某市市场监督管理局", "bureau", None, CITY)
        await accounts.save_account("city", "city", above, ("operator",), filled.settings.now())
    at = await audit.load_head()
    made = await setup.add_bureau(await filled.acting("city"), "359923", "新县市场监督管理局", lambda login: "a password for tests")
    assert [row["act"] for row in await audit.load_acts(at["n"])] == ["setup.bureau"]
    assert len(made) == len(setup.STARTERS) and {one.login.partition("-")[0] for one in made} == {"359923"}
    planner = await filled.acting("359923-planner")
    assert (planner.bureau["name"], planner.top["code"]) == ("新县市场监督管理局", CITY)
    before = await office.snapshot()
    for act, region, name, words in (
        ("city", "359923", "新县市场监督管理局", "已经有了"), ("city", "360101", "外省县局", "不在 某市市场监督管理局"), ("city", CITY, "自己", "不在"),
        ("city", "35992", "短了", "6 位代码"), ("city", "359924", " ", "不能是空的"), ("planner", "359924", "新县", "没有这项权限"),
    ):  # fmt: skip
        with pytest.raises((BadInput, WrongMoment, NotAllowed), match=words):
            await setup.add_bureau(await filled.acting(act), region, name, lambda login: "a password for tests")
    assert await office.snapshot() == before and operator.top["code"] == COUNTY

"""Every kind of page of the portal in Chromium: nothing that axe-core finds against WCAG 2.2 A or AA, nothing wider than a phone."""

from __future__ import annotations

import asyncio
import re

import pytest

from portal.domain.roles import ROLES
from portal.plugins import discover_sectors
from portal.steps import forms, publish, review, sample, simulation
from portal.store import accounts, engine
from portal.store.keys import load_keys
from portal.web import routes
from portal.web.app import create_app, share
from tests import office
from tests.axe import Eyes
from tests.public_site.browser import Browser
from tests.public_site.browser import program as chromium
from tests.web import test_checklists, test_imports
from tests.web.bureau import NOW, PASSWORD, ROUND, Clock, build_stage, open_house, settings_of
from tests.web.phone import Phone, served
from tests.web.test_year import prepare, step

pytestmark = pytest.mark.chromium
WITH_REGISTER = "annual_reports,registration,catering"  # the stage's sectors and one that has a register
#: routes that answer with a file
FILES = {
    "/plan/{number:int}/file", "/plan/{number:int}/notice.pdf", "/visits/calendar.ics", "/documents/{number:int}/file.pdf", "/attachments/{code:str}",
    "/review/{number:int}/record.pdf", "/imports/templates/{code:str}", "/imports/{number:int}/remarks", "/registers/{code:str}/template", "/checklists/{code:str}/xlsform",
}  # fmt: skip


async def hire(folder):
    """`boss` may do everything and goes on the visits of `inspector`."""
    await engine.open_engine(settings_of(folder).database_url)
    like = await accounts.load_account("inspector")
    bureau = (await accounts.load_organisation("359921"))["id"]
    await accounts.save_account("boss", "全权", bureau, list(ROLES), NOW["worked"], password=like["password"], inspector=like["inspector"], must_change=False)
    await engine.close_engine()


async def answer(act, visit):
    """One of the forms of a visit comes in, and waits for review."""
    lines = await sample.make_answers(act, ROUND, 1)
    await forms.import_records(act, next(line for line in lines if visit.encode() in line and b"registration.check" in line))


def made(house):
    """One of each thing that has a page; the addresses of their pages."""
    boss = house.browser("boss")
    [(visit, entity, first)] = house.query("SELECT v.code, v.entity_code, r.id FROM visit v JOIN record r ON r.visit = v.id WHERE r.state = 'submitted'")
    [(mine,)] = house.query("SELECT code FROM visit WHERE id NOT IN (SELECT visit FROM record)")
    prepare(house)
    boss.post("/plan/1/measure")
    step(house, "planner", lambda act: simulation.simulate_plan(act, 1, 1, 20))
    draft = boss.post("/plan/1/edit").headers["location"].partition("?")[0]
    step(house, "publisher", publish.publish_all)
    [(result,)] = house.query("SELECT min(id) FROM publication WHERE kind = 'result'")
    step(house, "reviewer", lambda act: review.review_record(act, first, approve=True, comment="", version=1))  # one waits to be published
    step(house, "operator", lambda act: answer(act, mine))
    [(waiting,)] = house.query("SELECT id FROM record WHERE state = 'submitted'")
    job = boss.post("/publish").headers["location"]
    wrong = test_imports.upload(boss, test_imports.BAD)
    strange = test_imports.upload(boss, [["企业注册码", "单位全称", "天气"], [test_imports.NEW[0], "甲公司", "晴"]])
    right = test_imports.upload(boss, test_imports.GOOD)
    boss.post(f"{right}/apply", {"rows": "all"})
    listed = test_imports.upload(boss, [test_imports.HEAD[:2], [entity, "甲公司"], [test_imports.NEW[0], "乙公司"]], "draw", platform="省双随机平台", drawn_on="2026-03-01", task="")
    boss.post(f"{listed}/apply", {"rows": "all"})
    [(outside,)] = house.query("SELECT max(id) FROM external_list")
    sheet = test_checklists.send(boss, test_checklists.book()).headers["location"]
    [(inspector,)] = house.query("SELECT min(code) FROM inspector")
    return {
        "/", "/password", "/sessions", "/second-factor", "/login/code", "/accounts", "/accounts/new", "/accounts/policy", "/accounts/2",
        "/plan", "/plan/1", draft, "/plan/1/simulation", "/plan/1/tracking", "/pool", "/pool/359921-2026-T001", "/pool/359921-2026-T003",
        "/draw", "/draw/new", f"/draw/{ROUND}", "/visits", "/assign", f"/assign/{ROUND}", "/visits/week?on=2026-07-01",
        f"/visits/{visit}", f"/visits/{visit}/split", f"/visits/{visit}/documents", f"/visits/{mine}", f"/visits/{mine}/arrange", f"/visits/{visit}/annual_reports.check", f"/visits/{mine}/annual_reports.check",
        "/forms", "/review", f"/review/{waiting}", "/follow-ups", "/follow-ups/1", "/publish", "/jobs", job, "/publications", f"/publications/{result}",
        "/log", "/verify", "/audit", "/audit/chain", "/imports", "/imports/new?kind=entities", wrong, strange, right, "/imports/lists", f"/imports/lists/{outside}",
        "/directory", f"/directory/{entity}", "/directory/unplaced", "/registers", "/registers/catering.licences", "/inspectors", f"/inspectors/{inspector}",
        "/items", "/items/registration.licence", "/checklists", "/checklists/registration.check", "/checklists/import", sheet, "/sectors",
        "/lists/checks", "/lists/follow-ups", "/lists/records", "/lists/tasks", "/lists/rounds", "/lists/results", "/statistics",
    }  # fmt: skip


@pytest.fixture(scope="module")
def portal(stages, tmp_path_factory):
    """A served portal with one of each thing; (its address, the pages' addresses)."""
    if chromium() is None:
        pytest.skip("needs a Chromium browser")
    folder = office.copy_folder(build_stage(stages, "worked", "sqlite"), tmp_path_factory.mktemp("axe") / "data")
    asyncio.run(hire(folder))
    house = open_house(folder, "worked")
    with house.client:
        pages = made(house)
    clock = Clock(NOW["worked"])
    shared = share(settings_of(folder), keys=load_keys(folder / "keys"), sectors=discover_sectors(WITH_REGISTER), clock=clock, wall=clock, loopback=True)
    with served(create_app(shared)) as address:
        yield address, pages


def routes_of(pages):
    """The routes that answer these addresses; of several the one with the fewest holes, as the portal's router has it."""
    shapes = {path: re.compile(re.sub(r"\{\w+:int\}", r"\\d+", re.sub(r"\{\w+:str\}", "[^/]+", re.sub(r"\{\w+:path\}", ".+", path)))) for path in gets()}
    return {min((path for path in shapes if shapes[path].fullmatch(page.partition("?")[0])), key=lambda path: path.count("{")) for page in pages}


def gets():
    return {path for handler in routes.ALL for path in handler.paths if "GET" in {getattr(method, "value", method) for method in handler.http_methods}}


def test_a_page_of_a_new_kind_is_looked_at_too(portal):
    _, pages = portal
    assert routes_of(pages) | FILES | {"/login"} == gets()


def test_no_page_keeps_anybody_out(portal):
    address, pages = portal
    found = {}
    with Browser(briefly=True, unseen=True) as browser:
        person = Phone(browser.page(), address)
        broken = Eyes(person.page).broken
        person.open("/login")
        found["/login"] = broken()
        person.login("boss", PASSWORD)
        for path in sorted(pages):
            person.open(path)
            person.hands("unfold")
            found[path] = broken()
            status = person.page.value("performance.getEntriesByType('navigation')[0].responseStatus")
            found[path] += [f"status {status}"] if status != 200 else []
        person.open("/draw/no-such-round")
        found["404"] = broken()
        person.open("/accounts/new")
        person.follow("document.querySelector('main form').submit()")  # nothing filled in: the page says what is wrong
        assert person.told()
        found["422"] = broken()
    assert {path: lines for path, lines in found.items() if lines} == {}

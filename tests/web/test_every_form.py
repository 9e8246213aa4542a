"""Every form of every sector, filled in on a phone 390 pixels wide in a headless Chromium, submitted and printed.

One bureau, one browser: each form has a visit of its own. Samples and the education department's sector are with it.
"""

import asyncio
import base64
import json
import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from portal.domain.answers import numbers_of, say, say_rows
from portal.domain.attachments import is_uploaded
from portal.domain.forms import visible
from portal.domain.model import AWAITING, OUTCOMES
from portal.domain.opinion import asked_in
from portal.plugins import discover_sectors
from portal.steps import setup
from portal.store import accounts, engine
from portal.store import draw as draw_store
from portal.store import visits as visit_store
from portal.store.keys import load_keys
from portal.store.tables import Assignment, AssignmentRun, Entity, Task, Visit
from portal.web.app import create_app, share
from tests import office
from tests.education import mingcha_education
from tests.once import ready_fonts
from tests.plugins.test_every_sector import FOLDERS
from tests.prints.pdf_reading import missing_glyphs, pages_of
from tests.public_site.browser import Browser, program
from tests.web.bureau import NOW, PASSWORD, ROUND, Builder, Clock, build_stage, settings_of
from tests.web.form_answers import ATTACHED, Person
from tests.web.phone import ON_PAPER, WIDTH, Phone, served

pytestmark = pytest.mark.chromium
MODULES = {folder.name: __import__(f"plugins.{folder.name}", fromlist=["sector"]) for folder in FOLDERS} | {"education": mingcha_education}
SECTORS = discover_sectors(",".join(MODULES), MODULES)
LATER = {item.later_form for item in SECTORS.items} - {""}
FORMS = {form.code: form for form in SECTORS.forms if form.code not in LATER}
METHOD, OPINION = "实地核查", "情况属实，无异议"
DAYS = 29  # from the draw to the visits


def items_of(code):
    return list(dict.fromkeys(item.code for item in SECTORS.items if code in (item.form, item.later_form)))


async def prepare(folder):
    """A task for each item, and a visit of the login `inspector` for each form."""
    builder = Builder(folder, Clock(NOW["drawn"]))
    await engine.open_engine(settings_of(folder).database_url)
    try:
        await setup.declare(SECTORS, builder.clock.now)
        planner = await builder.acting("planner")
        like = await Task.select().order_by(Task.id).first().run()
        kept = {name: value for name, value in like.items() if name != "id"}
        rows = [
            kept | {"code": f"359921-2026-T9{n:02d}", "row": 900 + n, "sector": item.code.partition(".")[0], "name": item.name, "item_code": item.code, "item_version": item.version}
            for n, item in enumerate(SECTORS.items)
        ]  # fmt: skip
        for row in rows:
            await Task.insert(Task(**row)).run()
        tasks = {row["item_code"]: row["id"] for row in await Task.select().where(Task.row >= 900).run()}
        taken = [row["holder"] for row in await Visit.select(Visit.holder).run()]
        free = Entity.select(Entity.code, Entity.organisation, Entity.town).where(Entity.holder.not_in(taken), Entity.kind == "entity", Entity.status == "存续")
        places = await free.order_by(Entity.code).limit(len(FORMS)).run()
        round_ = await draw_store.load_round(ROUND, planner.line)
        visits, links = [], []
        for form, place in zip(FORMS.values(), places, strict=True):
            later = [SECTORS.item(item).later_form for item in items_of(form.code) if SECTORS.item(item).later_form]
            forms = {code: SECTORS.form(code).version for code in (form.code, *later)}
            visits.append({
                "code": f"{ROUND}_{place['code']}", "round": round_["id"], "organisation": place["organisation"], "entity_code": place["code"], "holder": place["code"],
                "site": "", "town": place["town"], "day": (planner.now + timedelta(DAYS)).date(), "state": "open", "forms": json.dumps(forms), "header": "{}", "version": 1,
            })  # fmt: skip
            links += [(visits[-1]["code"], tasks[item], like["organisation"]) for item in items_of(form.code)]
        async with engine.transaction():
            await visit_store.save_visits(visits, links)
        who = (await accounts.load_account("inspector"))["inspector"]
        made = AssignmentRun(round=round_["id"], n=9, slots="{}", slots_digest="", result="{}", made_by=planner.account, made_at=planner.now)
        run = (await AssignmentRun.insert(made).run())[0]["id"]
        for row in await Visit.select(Visit.id).where(Visit.code.is_in([one["code"] for one in visits])).run():
            await Assignment.insert(Assignment(run=run, visit=row["id"], slot=0, inspector=who)).run()
    finally:
        await engine.close_engine()
    return dict(zip(FORMS, (one["code"] for one in visits), strict=True))


class Bureau:
    """Two people at work: `phone` is the inspector's, `desk` the reviewer's. `filled`: (form, version) that were submitted and printed."""

    def __init__(self, folder, visits, browser, address):
        self.folder, self.visits, self.filled = folder, visits, set()
        self.phone, self.desk = (Phone(browser.page(width), address) for width in (WIDTH, 1280))
        self.phone.login("inspector", PASSWORD)
        self.desk.login("reviewer", PASSWORD)

    def query(self, sql, *values):
        return office.query(self.folder, sql, *values)

    def stored(self, visit, form):
        [(number, version, state, answers, outcomes)] = self.query(
            "SELECT r.id, r.form_version, r.state, r.answers, r.outcomes FROM record r JOIN visit v ON v.id = r.visit WHERE v.code = ? AND r.form_code = ?", visit, form,
        )  # fmt: skip
        return number, version, state, json.loads(answers), json.loads(outcomes)

    def printed(self, number):
        script = f"""fetch("/review/{number}/record.pdf").then(async (got) => [got.headers.get("content-type"),
          await new Promise(async (done) => {{ const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(await got.blob()); }})])"""
        media, data = self.desk.page.value(script)
        assert media == "application/pdf"
        return base64.b64decode(data.partition(",")[2])


@pytest.fixture(scope="module")
def bureau(stages, tmp_path_factory):
    if program() is None:
        pytest.skip("needs a Chromium browser")
    folder = office.copy_folder(build_stage(stages, "drawn", "sqlite"), tmp_path_factory.mktemp("every-form") / "data")
    (folder / "fonts").symlink_to(ready_fonts(tmp_path_factory))
    visits = asyncio.run(prepare(folder))
    clock = Clock(NOW["drawn"] + timedelta(DAYS))
    app = create_app(share(settings_of(folder), keys=load_keys(folder / "keys"), sectors=SECTORS, clock=clock, wall=clock, loopback=True))
    with served(app) as address, Browser(unseen=True) as browser:
        yield Bureau(folder, visits, browser, address)


def squeezed(text):
    return re.sub(r"\s+", "", text)


def fill_in(bureau, visit, form, person):
    """Fill, submit and print one form; (its stored answers, its outcomes)."""
    phone, (answers, outcomes) = bureau.phone, person.answers()
    address = f"/visits/{quote(visit)}/{quote(form.code)}"
    phone.open(address)
    assert phone.beyond() == 0
    asked = phone.fill(form, answers)
    kept = dict(answers)
    settled = [name for name in visible(form, answers, person.on) if name in answers]
    assert sorted(asked) == sorted(settled), "the page asks what the portal asks"
    for item, outcome in outcomes.items():
        phone.hands("choose", f"_outcome.{item}", outcome)
    phone.hands("choose", "_method", METHOD)
    if not asked_in(form):
        phone.type("_opinion", OPINION)
    assert phone.beyond() == 0 and phone.told() == []
    phone.follow("hands.tap(document.querySelector('.dock .go'), 'submit')")
    assert phone.page.value("location.pathname") == f"/visits/{quote(visit)}", phone.told()
    assert phone.page.complaints == [] == bureau.desk.page.complaints

    number, version, state, stored, results = bureau.stored(visit, form.code)
    assert (version, state, results) == (form.version, "submitted", outcomes)
    for field in form.fields():
        assert_kept(field, kept.get(field.name), stored.get(field.name))
    pdf = bureau.printed(number)
    assert_printed(form, person, stored, outcomes, pdf)
    bureau.filled.add((form.code, form.version))
    return stored


def assert_kept(field, given, stored):
    if field.type == "repeat" and given:
        assert len(stored) == len(given)
        for before, after in zip(given, stored, strict=True):
            for child in field.fields:
                assert_kept(child, before.get(child.name), after.get(child.name))
    elif field.type in ATTACHED and given:
        assert len(stored) == 1 and (is_uploaded(stored[0]) or stored[0].startswith(ON_PAPER) and not field.required), field.name
    elif field.type != "calculated":
        assert stored == given, field.name


def assert_printed(form, person, stored, outcomes, pdf):
    pages = pages_of(pdf)
    opinion = stored.get("opinion", "") if asked_in(form) else OPINION  # nobody says anything of what is checked at the desk
    assert ["当事人意见" in squeezed(page) and squeezed(opinion) in squeezed(page) for page in pages if "当事人（签名）" in page] == [True], "nobody signs a page without words"
    text = "".join(pages)
    numbers = numbers_of(form)
    wanted = [form.title, form.version, opinion, METHOD]
    wanted += [SECTORS.item(item).name for item in outcomes]
    wanted += ["待检验结果" if one == AWAITING else OUTCOMES[one].label for one in outcomes.values()]
    for section in form.sections:
        asked = [field for field in section.fields if field.name in visible(form, stored, person.on) and field.type != "note"]
        wanted += [section.title] if asked else []
        for field in asked:
            wanted.append(f"{numbers[field.name]}{'*' * field.key}{field.label}")
            if field.type == "repeat":
                wanted += ["，".join(f"{label}：{said}" for label, said in row) for row in say_rows(field, stored[field.name])]
            elif field.name == "opinion":
                wanted.append("见后面的当事人意见")
            elif field.type != "signature":
                wanted += say(field, stored[field.name]).split("\n")
    assert [one for one in wanted if squeezed(one) not in text] == []
    assert not missing_glyphs(pdf)


@pytest.mark.parametrize("code", FORMS)
def test_a_form_is_filled_in_on_a_phone_and_printed(bureau, code):
    visit, form = bureau.visits[code], FORMS[code]
    bureau.phone.open(f"/visits/{quote(visit)}")
    bureau.phone.follow("hands.tap(document.querySelector('form[action$=arrive] button'), 'arrive')")
    on = (NOW["drawn"] + timedelta(DAYS)).date()
    stored = fill_in(bureau, visit, form, Person(SECTORS, form, items_of(code), on))
    for later in dict.fromkeys(SECTORS.item(item).later_form for item in items_of(code)):
        if later:
            seals = [row["seal"] for row in stored["samples"]]
            fill_in(bureau, visit, SECTORS.form(later), Person(SECTORS, SECTORS.form(later), items_of(later), on, stored, {"sealed": seals, "resealed": seals}))


#: answers of the server come to the page when `let_in` is called, and not before
SLOW = """globalThis.waiting = [];
  globalThis.begun = 0;
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...sent) {
    const load = this.onload;
    this.onload = (event) => waiting.push(() => load.call(this, event));
    send.apply(this, sent);
  };
  document.addEventListener("htmx:confirm", () => { begun += 1; });
  globalThis.let_in = () => waiting.shift()(); 0"""


def test_a_draft_whose_answer_is_slow_to_come_is_not_taken_for_somebody_elses(bureau):
    """What is typed meanwhile waits for it, and so does a submission."""
    assigned = bureau.query("SELECT v.code FROM visit v JOIN assignment a ON a.visit = v.id JOIN account w ON w.inspector = a.inspector WHERE w.login = 'inspector'")
    phone, visit = bureau.phone, next(code for (code,) in sorted(assigned) if code not in bureau.visits.values())
    phone.open(f"/visits/{quote(visit)}/registration.check")
    phone.page.value(SLOW)
    phone.hands("tick", "licence_shown", "yes")
    phone.page.until("waiting.length === 1")
    phone.hands("tick", "licence_online", "na")
    phone.page.until("begun === 2")
    assert phone.page.value("waiting.length") == 1, "the second goes when the first has come home"
    phone.page.value("let_in()")
    phone.page.until("waiting.length === 1")
    phone.hands("tick", "licence_online", "yes")
    phone.page.value("hands.tap(document.querySelector('.dock [value=draft]'), 'draft')")
    assert "said=" not in phone.page.value("location.search")
    phone.follow("let_in()")
    assert phone.page.value("location.search") == "?said=draft" and phone.told() == []
    _, _, state, stored, _ = bureau.stored(visit, "registration.check")
    assert (state, stored["licence_shown"], stored["licence_online"]) == ("draft", "yes", "yes")


def test_no_form_is_left_out(bureau):
    """Runs last: what a new sector brings is filled in too."""
    assert bureau.filled == {(form.code, form.version) for form in SECTORS.forms}
    assert {form.code.partition(".")[0] for form in SECTORS.forms} == {folder.name for folder in FOLDERS} | {"education"}

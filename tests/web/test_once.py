"""A form acts once however often it is sent: a double click, a reload, the back button."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.store import accounts
from portal.web.access import ONCE, form_digest
from tests.web.bureau import ROUND
from tests.web.test_matrix import POSTS, address, house, send  # noqa: F401 - fixtures

FREEZE = "/pool/359921-2026-T001/freeze"


def key_on(person, page):
    return re.search(rf'name="{ONCE}" value="([^"]+)"', person.get(page).text)[1]


def test_every_post_of_the_route_table_gives_the_first_answer_again(house, address):  # noqa: F811
    """A form noted as done leads where the first answer led, whatever the route and before its handler runs."""
    other = house.browser("other")
    (number,) = house.query("SELECT id FROM account WHERE login = 'other'")[0]
    acts = house.query("SELECT count(*) FROM audit")
    for path, _, files in POSTS:
        asked = address(path)
        digest = form_digest(number, asked, "k1", [("a", "b")], [None] if files and not path.endswith(("/attach", "/paper")) else [])
        house.query("INSERT INTO done_form (digest, request, location) VALUES (?, 'x', ?)", digest, f"/first{asked}")
        answer = send(other, asked, [("csrf", other.csrf), (ONCE, "k1"), ("a", "b")], files)
        assert (answer.status_code, answer.headers.get("location")) == (303, f"/first{asked}"), path
    assert house.query("SELECT count(*) FROM audit") == acts


def test_every_acting_form_of_the_portal_carries_a_key_of_its_own(house):  # noqa: F811
    seen, person = set(), house.browser("fresh")  # who may everything
    for page in ("/", f"/draw/{ROUND}", "/draw/new", "/plan", "/plan/1", "/pool", "/publish", "/accounts/2", "/accounts/new", "/accounts/policy", "/imports/new",
                 "/checklists/import", "/directory/unplaced", "/password", "/sessions", "/second-factor", "/follow-ups"):  # fmt: skip
        for action, body in re.findall(r'<form[^>]*method="post" action="([^"]+)"[^>]*>(.*?)</form>', person.get(page).text, re.S):
            if action in ("/logout", "/senior"):
                continue
            keys = re.findall(rf'name="{ONCE}" value="([\w-]{{16}})"', body)
            assert len(keys) == 1 and keys[0] not in seen, (page, action)
            seen.add(keys[0])
    assert len(seen) > 15


def test_a_double_click_does_one_thing_and_both_answers_lead_to_it(house_at):
    house = house_at()  # noqa: F811
    person = house.browser("planner")
    fields = [("csrf", person.csrf), (ONCE, key_on(person, "/pool")), ("strata", "none")]
    with ThreadPoolExecutor(4) as clicks:
        answers = list(clicks.map(lambda _: send(person, FREEZE, fields), range(4)))
    assert {(answer.status_code, answer.headers.get("location")) for answer in answers} == {(303, "/pool?frozen=359921-2026-T001")}
    assert house.query("SELECT count(*) FROM pool") == [(1,)]
    # another key is another act: it comes to the step, which says that nothing has changed since
    assert send(person, FREEZE, [*fields[:1], (ONCE, "another key"), fields[2]]).status_code == 409


def test_a_refused_form_is_not_done_and_another_text_is_another_form(house_at):
    house = house_at()  # noqa: F811
    system = house.browser("sysadmin")
    key = key_on(system, "/accounts/new")
    fields = {"csrf": system.csrf, ONCE: key, "login": "li.si", "name": "李四", "organisation": "359921", "inspector": "", "reason": ""}
    for reason, status in (("", 422), ("新录用", 303), ("新录用", 303)):
        answer = send(system, "/accounts/new", list((fields | {"reason": reason}).items()))
        assert answer.status_code == status, answer.text
    assert house.query("SELECT count(*) FROM account WHERE login = 'li.si'") == [(1,)]
    assert re.search(r"一次性密码，只显示这一次", system.get(answer.headers["location"]).text), "the second answer shows it too"
    other = send(system, "/accounts/new", list((fields | {"login": "wang.wu", "reason": "新录用"}).items()))
    assert other.status_code == 303 and other.headers["location"] != answer.headers["location"]


def test_the_key_is_bound_to_whom_it_was_given(house_at):
    house = house_at()  # noqa: F811
    first, second = house.browser("planner"), house.browser("other")
    key = key_on(first, "/pool")
    assert send(first, FREEZE, [("csrf", first.csrf), (ONCE, key), ("strata", "none")]).status_code == 303
    assert send(second, FREEZE, [("csrf", second.csrf), (ONCE, key), ("strata", "none")]).status_code == 404


@pytest.mark.anyio
async def test_of_two_processes_with_one_form_the_second_act_is_taken_back(house_at):
    """Beyond one process only the act's own transaction decides."""
    from portal.domain.errors import DoneBefore
    from portal.steps.acting import Once, open_acting
    from portal.store import engine
    from portal.store.keys import load_keys
    from tests.web.bureau import SECTORS, settings_of

    house = house_at()  # noqa: F811
    folder = house.folder
    house.client.__exit__(None, None, None)
    await engine.open_engine(settings_of(folder).database_url)
    try:
        for request in ("first", "second"):
            act = await open_acting(await accounts.load_account("planner"), "planner", house.clock(), load_keys(folder / "keys"), SECTORS)
            object.__setattr__(act, "form", Once("digest", request))
            doing = _act_twice(act)
            if request == "first":
                await doing
            else:
                with pytest.raises(DoneBefore):
                    await doing
    finally:
        await engine.close_engine()
        house.client.__enter__()
    assert house.query("SELECT count(*) FROM audit WHERE act = 'plan.test'") == [(2,)], "both of the first request, none of the second"


async def _act_twice(act):
    from portal.store import engine

    for _ in range(2):
        async with engine.transaction():
            await act.audit("plan.test", "x")


def test_of_two_tabs_with_one_record_the_later_one_sees_both_answers(house_at):
    house = house_at("drawn")
    first = house.browser("inspector")
    visit = re.search(r'href="(/visits/\d{6}-[^"?]+)"', first.get("/visits?mine=1").text)[1]
    form = re.search(rf'href="({re.escape(visit)}/[^"?#]+)"', first.get(visit).text)[1]
    name = re.search(r'<input[^>]*type="radio"[^>]*name="([a-z]\w*)"[^>]*value="yes"', first.get(form).text)[1]
    fields = {"_version": "0", "_act": "draft", "_method": "", "_opinion": ""}
    assert first.post(form, fields | {name: "yes"}).status_code == 303
    late = first.post(form, fields | {name: "no"})
    assert late.status_code == 409 and "请对照两个版本" in late.text
    (given, stands), = re.findall(r"<tr><th scope=\"row\">[^<]+</th><td>([^<]+)</td><td>([^<]+)</td></tr>", late.text)
    assert given != stands and "（空）" not in given + stands
    assert house.query("SELECT version FROM record") == [(1,)]
    again = fields | {"_version": re.search(r'name="_version" value="(\d+)"', late.text)[1], name: "no"}
    assert first.post(form, again).status_code == 303, "having seen both, one is chosen"

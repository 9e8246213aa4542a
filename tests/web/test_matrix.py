"""Every route, from the route table: who reaches it, what another bureau learns from it, what a foreign or altered post does.

Nothing is listed by hand but the addresses of things: a new route is in every test here by being served.
"""

import json
import re

import pytest
from litestar.response import Response

from portal.domain.roles import ROLES, may
from portal.web import pages, routes
from portal.web.access import PUBLIC, SIGNED_IN
from tests import office
from tests.web.bureau import LOGINS, ROUND, build_stage, open_house

ROUTES = sorted(
    (method, path, handler.opt["access"], "file" in handler.opt or "files" in handler.opt)
    for handler in routes.ALL for method in sorted(str(getattr(one, "value", one)) for one in handler.http_methods) if method in ("GET", "POST")
    for path in handler.paths
)  # fmt: skip
POSTS = [(path, access, files) for method, path, access, files in ROUTES if method == "POST" and access != PUBLIC]
#: read only, and made by other processes: their own tests ask who gets them
DOCUMENTS = (".pdf", "/chain")
TASK = "359921-2026-T001"
#: what nobody of another bureau may read anywhere: the bureau, its codes, an account, a person
PLANTED = ("望溪", "359921-2026", "新来的人")


@pytest.fixture(scope="module")
def house(stages, engine_kind, tmp_path_factory):
    """One portal at stage `worked` for the file. `other`, of another bureau, holds every role: only the tenant filter stops it."""
    folder = tmp_path_factory.mktemp("matrix") / "data"
    office.copy_folder(build_stage(stages, "worked", engine_kind), folder)
    opened = open_house(folder, "worked")
    opened.query("UPDATE account SET roles = ? WHERE login = 'other'", json.dumps(sorted(ROLES)))
    with opened.client:
        yield opened


@pytest.fixture(scope="module")
def address(house):
    """`address(path)`: that path about things of the first bureau."""
    visit, entity = house.query("SELECT code, entity_code FROM visit ORDER BY id LIMIT 1")[0]
    form = house.query("SELECT code FROM check_form ORDER BY id LIMIT 1")[0][0]
    numbers = {
        "/review": house.query("SELECT id FROM record WHERE state = 'submitted' ORDER BY id LIMIT 1")[0][0],
        "/follow-ups": house.query("SELECT id FROM follow_up ORDER BY id LIMIT 1")[0][0],
        "/accounts": house.query("SELECT id FROM account WHERE login = 'fresh'")[0][0],
    }  # fmt: skip
    codes = {"/draw": ROUND, "/assign": ROUND, "/visits": visit, "/directory": entity, "/items": "registration.licence", "/checklists": "registration.check"}

    def fill(path):
        start = "/" + path.split("/")[1]
        path = path.replace("{task:str}", TASK).replace("{form:str}", form).replace("{code:str}", codes.get(start, "nothing"))
        return path.replace("{number:int}", str(numbers.get(start, 1)))

    return fill


def send(person, path, pairs, files=False, **headers):
    """A post of these pairs alone, as the form of the route would be sent."""
    if not files:
        return person.post(path, pairs, token=False, headers=headers)
    body = "".join(f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs) + "--edge--\r\n"
    sent = {"Origin": person.origin, "Content-Type": "multipart/form-data; boundary=edge"} | headers
    return person.send("POST", path, sent, content=body)


def audited(house):
    """Acts written but logins and logouts."""
    return house.query("SELECT count(*) FROM audit WHERE act NOT LIKE 'session.%'")


@pytest.mark.parametrize("login", LOGINS)
def test_every_route_answers_every_role_as_its_access_says(house, address, login, monkeypatch):
    """Refused by 403 exactly where no role of the account may; and nobody who may gets further with `role=admin`."""
    person = house.browser(login)
    (roles,) = house.query("SELECT roles FROM account WHERE login = ?", login)[0]
    before = audited(house)
    # What the pages say is looked at elsewhere; here only who gets one.
    monkeypatch.setattr(pages, "render", lambda request, template, status, context: Response("", status_code=status, media_type="text/html"))
    for method, path, access, files in ROUTES:
        if access == PUBLIC or path == "/logout" or path.endswith(DOCUMENTS):
            continue
        allowed = access == SIGNED_IN or may(json.loads(roles), access)
        if method == "GET":
            status = person.get(address(path)).status_code
            assert (status in (200, 404)) if allowed else status == 403, (login, method, path, status)
        else:
            status = send(person, address(path), [("csrf", person.csrf), ("role", "admin"), ("roles_", "secadmin")], files).status_code
            assert (status in (403, 404, 409, 422)) if allowed else status == 403, (login, method, path, status)
    assert audited(house) == before


def test_another_bureau_with_every_role_reads_nothing_of_ours_on_any_route(house, address):
    other = house.browser("other")
    before = audited(house)
    for method, path, access, files in ROUTES:
        if access == PUBLIC or path == "/logout" or path.endswith(DOCUMENTS[1:]):
            continue
        asked = address(path)
        answer = other.get(asked) if method == "GET" else send(other, asked, [("csrf", other.csrf)], files)
        assert answer.status_code in (200, 403, 404, 409, 422) or method == "POST" and answer.status_code == 303, (method, path, answer.status_code)
        if "{" in path and method == "GET" and not re.search("/(items|checklists|registers|imports/templates)/", path):
            assert answer.status_code == 404, (method, path, answer.status_code)
        text = answer.text.replace(asked, "")  # an error may repeat the address that was asked for
        for name in PLANTED:
            told = text.replace(asked.split("/")[2], "") if path.count("/") > 1 else text
            assert name not in told, (method, path, name)
    ours = house.query("SELECT count(*) FROM audit WHERE act NOT LIKE 'session.%' AND organisation <> '359922'")
    assert ours == before, "whatever it did, it did at home"


def test_every_post_needs_the_sessions_token_and_comes_from_our_own_pages(house, address):
    other, before = house.browser("other"), audited(house)
    for path, _, files in POSTS:
        for pairs, headers, said in (
            ([], {}, "页面已过期"), ([("csrf", "A" * 43)], {}, "页面已过期"), ([("csrf", other.csrf)], {"Origin": "https://evil.example"}, "别的网站"),
            ([("csrf", other.csrf)], {"Sec-Fetch-Site": "same-site"}, "别的网站"),
        ):  # fmt: skip
            answer = send(other, address(path), pairs, files, **headers)
            assert answer.status_code == 403 and said in answer.text, (path, pairs, headers, answer.status_code)
    assert audited(house) == before and other.get("/sessions").status_code == 200, "not even logged out"


def test_no_cookie_opens_any_route_after_logout_or_disabling_nor_one_planted_before(house, address):
    cookies = {"planted": "A" * 43}
    out = house.browser("publisher")
    cookies["logged out"] = out.cookie
    out.post("/logout")
    disabled = house.browser("reviewer")
    cookies["disabled"] = disabled.cookie
    house.query("UPDATE account SET active = ? WHERE login = 'reviewer'", False)
    ghost = house.browser()
    try:
        for cookie in cookies.values():
            for method, path, access, files in ROUTES:
                if access == PUBLIC:
                    continue
                ghost.cookies["__Host-mingcha"] = cookie
                answer = ghost.get(address(path)) if method == "GET" else send(ghost, address(path), [("csrf", "x")], files)
                assert answer.status_code == 303 and answer.headers["location"].startswith("/login?"), (method, path)
    finally:
        house.query("UPDATE account SET active = ? WHERE login = 'reviewer'", True)

"""What a post must carry, and what no post may carry."""

import pytest

from portal.domain.errors import BadInput
from portal.web.inputs import parse_body
from tests.web.bureau import PASSWORD


def drafts(house):
    return house.query("SELECT count(*) FROM pool")


FREEZE = "/pool/359921-2026-T001/freeze"


def test_a_post_with_the_pages_token_is_done(house_at):
    house = house_at()
    person = house.browser("planner")
    assert person.post(FREEZE, {"strata": "none"}).status_code == 303
    assert drafts(house) == [(1,)]


@pytest.mark.parametrize("fields", [{}, {"csrf": ""}, {"csrf": "A" * 43}])
def test_a_post_without_the_sessions_token_is_refused(house_at, fields):
    house = house_at()
    person = house.browser("planner")
    response = person.post(FREEZE, {"strata": "none", **fields}, token=False)
    assert response.status_code == 403 and "页面已过期" in response.text
    assert drafts(house) == [(0,)]


def test_the_token_of_another_session_is_refused(house_at):
    house = house_at()
    other, person = house.browser("approver"), house.browser("planner")
    assert other.csrf != person.csrf
    person.csrf = other.csrf
    assert person.post(FREEZE, {"strata": "none"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://portal.test.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_post_from_another_site_is_refused_even_with_the_token(house_at, headers):
    house = house_at()
    person = house.browser("planner")
    response = person.post(FREEZE, {"strata": "none"}, headers=headers)
    assert response.status_code == 403 and "别的网站" in response.text
    assert drafts(house) == [(0,)]


def test_a_login_posted_from_another_site_or_from_nowhere_is_refused(house_at):
    somebody = house_at().browser()
    fields = {"login": "planner", "password": PASSWORD}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": ""}):
        response = somebody.post("/login", fields, token=False, headers=headers)
        assert response.status_code == 403 and "set-cookie" not in response.headers


def test_the_token_may_come_as_a_header(house_at):
    house = house_at()
    person = house.browser("planner")
    assert person.post(FREEZE, {"strata": "none"}, token=False, headers={"X-CSRF": person.csrf}).status_code == 303


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (FREEZE, {"strata": "none", "role": "admin"}),
        ("/draw/359921-2026-R01/commit", {"state": "drawn"}),
        ("/draw/359921-2026-R01/void", {"reason": "x", "void_by": "1"}),
        ("/draw/359921-2026-R01/source", {"n": "0", "value": "1", "bits": "99"}),
        ("/draw/new", {"title": "x", "created_by": "1"}),
        ("/password", {"current": "x", "new": "y", "again": "y", "roles": "publisher"}),
    ],
)
def test_a_field_the_form_does_not_have_is_refused(house_at, address, fields):
    house = house_at("frozen")
    person = house.browser("approver" if "commit" in address else "planner")
    before = house.query("SELECT count(*) FROM audit")
    response = person.post(address, fields)
    assert response.status_code == 422
    assert "表单里没有这一栏" in response.text
    assert house.query("SELECT count(*) FROM audit") == before


def test_login_refuses_unknown_fields_too(house_at):
    response = house_at().browser().post("/login", {"login": "planner", "password": PASSWORD, "admin": "1"}, token=False)
    assert response.status_code == 422 and "set-cookie" not in response.headers


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\x00", "\x1b", "\u200b", "\ufeff", "\u2028"])
def test_control_and_direction_characters_are_refused(house_at, hidden):
    house = house_at("frozen")
    person = house.browser("planner")
    response = person.post("/draw/359921-2026-R01/void", {"reason": f"原因{hidden}说明"})
    assert response.status_code == 422 and "看不见的控制字符" in response.text
    assert house.query("SELECT void_reason FROM round") == [("",)]
    assert hidden not in response.text


def test_a_line_break_in_one_line_is_refused_and_text_is_kept_in_nfc(house_at):
    house = house_at("frozen")
    person = house.browser("planner")
    assert person.post("/draw/359921-2026-R01/void", {"reason": "一\n二"}).status_code == 422
    assert person.post("/draw/359921-2026-R01/void", {"reason": "e\u0301"}).status_code == 303
    assert house.query("SELECT void_reason FROM round") == [("\u00e9",)]


def test_a_field_given_twice_is_refused(house_at):
    person = house_at().browser("planner")
    response = person.post(FREEZE, [("strata", "none"), ("strata", "class")])
    assert response.status_code == 422 and "只能有一个" in response.text


def test_a_query_with_an_unknown_name_or_a_hidden_character_is_refused(house_at):
    person = house_at().browser("planner")
    assert person.get("/directory?limit=9999999").status_code == 422
    assert person.get("/directory?q=%E2%80%AE").status_code == 422
    assert person.get("/directory?size=77").status_code == 422
    assert person.get("/audit?after=x").status_code == 403


def test_a_body_above_256_kilobytes_is_refused(house_at):
    house = house_at()
    person = house.browser("planner")
    response = person.post(FREEZE, {"strata": "none" + "x" * (257 * 1024)})
    assert response.status_code == 413 and "256 KB" in response.text


def test_a_large_body_is_refused_before_login_too(house_at):
    response = house_at().browser().post("/login", {"login": "x" * (300 * 1024), "password": "x"}, token=False)
    assert response.status_code == 413


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_plain_forms_are_read(kind):
    with pytest.raises(BadInput, match="不是表单"):
        parse_body(kind, b"a=1")


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%ff", b"&".join([b"a=1"] * 3001), b"a"])
def test_a_body_that_is_no_form_is_refused(body):
    with pytest.raises(BadInput, match="无法识别"):
        parse_body("application/x-www-form-urlencoded", body)

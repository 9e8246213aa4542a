"""Sessions, the forced change of a password, and the throttle of wrong ones."""

import hashlib
import re

import pytest

from portal.web.throttle import MOST_ACCOUNT
from tests.web.bureau import PASSWORD


def test_the_cookie_is_host_bound_secure_http_only_and_not_in_the_database(house_at):
    house = house_at()
    response = house.browser().post("/login", {"login": "planner", "password": PASSWORD, "then": "/draw?x=1"}, token=False)
    assert response.status_code == 303 and response.headers["location"] == "/draw?x=1"
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-mingcha=")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} == set(cookie.split("; ")[1:])
    value = re.search(r"=([^;]+)", cookie)[1].strip('"')
    assert len(value) == 43
    stored = {row[0] for row in house.query("SELECT digest FROM web_session")}
    assert stored == {hashlib.sha256(value.encode()).hexdigest()}


def test_on_loopback_without_tls_the_cookie_has_a_plain_name(house_at):
    house = house_at(base_url="http://127.0.0.1", loopback=True)
    response = house.browser().post("/login", {"login": "planner", "password": PASSWORD}, token=False)
    assert response.headers["set-cookie"].startswith("mingcha=")
    assert "Secure" not in response.headers["set-cookie"]


def test_a_session_id_planted_before_login_is_never_kept(house_at):
    house = house_at()
    victim = house.browser()
    victim.cookies["__Host-mingcha"] = planted = "A" * 43
    assert victim.get("/").status_code == 303
    victim.cookies["__Host-mingcha"] = planted
    victim.login("planner")
    assert victim.cookie and victim.cookie != planted
    attacker = house.browser()
    attacker.cookies["__Host-mingcha"] = planted
    assert attacker.get("/").status_code == 303


def test_a_new_login_ends_the_session_the_browser_came_with(house_at):
    house = house_at()
    person = house.browser("planner")
    first = person.cookie
    person.login("approver")
    assert person.cookie != first
    old = house.browser()
    old.cookies["__Host-mingcha"] = first
    assert old.get("/").status_code == 303


def test_after_logout_the_cookie_opens_nothing(house_at):
    house = house_at()
    person = house.browser("planner")
    kept = person.cookie
    response = person.post("/logout")
    assert response.status_code == 303 and "Max-Age=0" in response.headers["set-cookie"]
    assert house.query("SELECT count(*) FROM web_session") == [(0,)]
    person.cookies["__Host-mingcha"] = kept
    assert person.get("/").headers["location"] == "/login?then=%2F&ended=1"


def test_thirty_idle_minutes_end_a_session_and_use_keeps_it(house_at):
    house = house_at()
    person = house.browser("planner")
    for _ in range(3):
        house.clock.forward(minutes=29)
        assert person.get("/draw").status_code == 200
    house.clock.forward(minutes=30)
    response = person.get("/draw")
    assert response.headers["location"] == "/login?then=%2Fdraw&ended=1"
    assert "登录已过期" in person.get(response.headers["location"]).text


@pytest.mark.parametrize(("referer", "then"), [("https://portal.test/visits/V1/a.b?said=draft", "%2Fvisits%2FV1%2Fa.b"), ("https://evil.example/visits", "%2F"), ("", "%2F")])
def test_a_post_after_the_session_ended_leads_to_login_and_back_to_its_own_page(house_at, referer, then):
    house = house_at()
    person = house.browser("planner")
    house.clock.forward(minutes=31)
    ended = person.post("/visits/V1/a.b", {"_opinion": "写到一半"}, headers={"Referer": referer})
    assert ended.status_code == 303 and ended.headers["location"] == f"/login?then={then}&ended=1" and "写到一半" not in ended.text


def test_twelve_hours_end_a_session_however_busy(house_at):
    house = house_at()
    person = house.browser("planner")
    for _ in range(35):
        house.clock.forward(minutes=20)
        assert person.get("/password").status_code == 200
    house.clock.forward(minutes=20)
    assert person.get("/password").status_code == 303


def test_a_disabled_account_is_out_at_once_and_cannot_come_back(house_at):
    house = house_at()
    person = house.browser("planner")
    house.query("UPDATE account SET active = ? WHERE login = 'planner'", False)
    assert person.get("/draw").status_code == 303
    response = house.browser().post("/login", {"login": "planner", "password": PASSWORD}, token=False)
    assert response.status_code == 422 and "登录名或密码不对，或者账号已停用。" in response.text


def page_without_ids(text):
    return re.sub(r"页面编号 [0-9a-f]+|value=\"[^\"]*\"|autofocus", "", text)


def test_an_unknown_login_and_a_wrong_password_read_the_same(house_at):
    house = house_at()
    wrong = house.browser().post("/login", {"login": "planner", "password": "wrong"}, token=False)
    unknown = house.browser().post("/login", {"login": "nobody", "password": "wrong"}, token=False)
    assert wrong.status_code == unknown.status_code == 422
    assert page_without_ids(wrong.text) == page_without_ids(unknown.text)
    assert "set-cookie" not in wrong.headers


def test_an_unknown_login_costs_a_hash_too(house_at, monkeypatch):
    from portal.store import passwords

    seen = []
    real = passwords.check_password
    monkeypatch.setattr(passwords, "check_password", lambda hashed, given: seen.append(hashed) or real(hashed, given))
    house_at().browser().post("/login", {"login": "nobody", "password": "wrong"}, token=False)
    assert seen == [""]
    assert passwords.check_password("", "anything") is False


def test_too_many_wrong_passwords_close_the_account_for_a_quarter_of_an_hour(house_at):
    house = house_at()
    for _ in range(MOST_ACCOUNT):
        assert house.browser().post("/login", {"login": "planner", "password": "wrong"}, token=False).status_code == 422
    right = {"login": "planner", "password": PASSWORD}
    response = house.browser().post("/login", right, token=False)
    assert response.status_code == 409 and "15 分钟后再试" in response.text
    assert house.browser().post("/login", {**right, "login": "approver"}, token=False).status_code == 303
    house.clock.forward(minutes=15)
    assert house.browser().post("/login", right, token=False).status_code == 303


def test_an_account_is_closed_to_guesses_from_a_new_address_each_time(house_at, monkeypatch):
    from portal.web import login

    house, addresses = house_at(), iter(range(1000))
    monkeypatch.setattr(login, "peer_of", lambda request: f"192.0.2.{next(addresses)}")
    answers = [house.browser().post("/login", {"login": "planner", "password": f"guess {n}"}, token=False).status_code for n in range(MOST_ACCOUNT + 15)]
    assert answers == [422] * MOST_ACCOUNT + [409] * 15
    assert house.browser().post("/login", {"login": "planner", "password": PASSWORD}, token=False).status_code == 409, "nor by the right one meanwhile"


def test_guessed_logins_do_not_fill_the_database(house_at):
    house = house_at()
    for n in range(8):
        house.browser().post("/login", {"login": f"guess{n}", "password": "x"}, token=False)
    keys = [row[0] for row in house.query("SELECT key FROM setting WHERE key LIKE 'throttle/%'")]
    assert all(re.fullmatch(r"throttle/(login|peer)/[0-9a-f]{3}", key) for key in keys) and keys


def test_a_one_time_password_must_be_changed_before_anything_else(house_at):
    house = house_at()
    person = house.browser()
    response = person.post("/login", {"login": "fresh", "password": PASSWORD}, token=False)
    assert response.headers["location"] == "/password"
    for address in ("/", "/draw", "/draw/new", "/directory"):
        assert person.get(address).headers["location"] == "/password"
    assert "一次性密码" in person.get("/password").text
    old = person.cookie
    new = "a new phrase of words"
    assert person.post("/password", {"current": PASSWORD, "new": new, "again": new}).status_code == 303
    assert person.cookie != old
    assert person.get("/draw/new").status_code == 200
    stranger = house.browser()
    stranger.cookies["__Host-mingcha"] = old
    assert stranger.get("/").status_code == 303
    assert stranger.post("/login", {"login": "fresh", "password": PASSWORD}, token=False).status_code == 422


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"current": "wrong", "new": "a new phrase of words", "again": "a new phrase of words"}, "现在的密码不对。"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "新密码有 5 位，至少要 12 位"),
        ({"current": PASSWORD, "new": "a new phrase of words", "again": "another phrase of words"}, "两次输入的新密码不一样。"),
        ({"current": PASSWORD, "new": "planner planner planner", "again": "planner planner planner"}, "新密码里不能含有登录名。"),
        ({"current": PASSWORD, "new": "password1234567", "again": "password1234567"}, "这个密码太常见"),
        ({"current": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "新密码和现在的密码相同。"),
    ],
)
def test_a_refused_new_password_says_why_and_changes_nothing(house_at, fields, said):
    house = house_at()
    person = house.browser("planner")
    person.get("/password")
    before = house.query("SELECT password FROM account WHERE login = 'planner'")
    response = person.post("/password", fields)
    assert response.status_code == 422 and said in response.text
    assert house.query("SELECT password FROM account WHERE login = 'planner'") == before


def test_logins_and_logouts_are_in_the_audit(house_at):
    house = house_at()
    house.browser("planner").post("/logout")
    assert house.query("SELECT act, actor, object FROM audit ORDER BY n DESC LIMIT 2") == [
        ("session.close", "planner", "account/planner"), ("session.open", "planner", "account/planner"),
    ]  # fmt: skip


def test_senior_mode_is_a_cookie_and_an_attribute(house_at):
    person = house_at().browser()
    assert "data-senior" not in person.get("/login").text
    assert person.post("/senior", {"then": "/login"}, token=False).headers["location"] == "/login"
    assert '<html lang="zh-CN" data-senior>' in person.get("/login").text
    person.post("/senior", {"then": "//evil.example"}, token=False)
    assert "data-senior" not in person.get("/login").text


def test_an_expired_session_under_htmx_goes_to_login_and_never_into_the_page(house_at):
    response = house_at().browser().get("/jobs/1", headers={"HX-Request": "true"})
    assert response.status_code == 200 and response.text == ""
    assert response.headers["hx-redirect"] == "/login?then=%2Fjobs%2F1"

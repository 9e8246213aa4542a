"""动态口令: asked of those who draw, publish or administer, used once, throttled, reset by two people; and one's own logins."""

import re

import pyotp
import pytest

from portal.domain.policy import PASSWORD_RULES
from portal.domain.roles import ACTS, GUARDED
from portal.web.second_factor import device_words
from tests.web.bureau import PASSWORD


@pytest.fixture
def strict(house_at):
    house = house_at()
    house.query("UPDATE setting SET value = '{\"factor\":\"on\"}' WHERE key LIKE 'policy/%'")
    return house


def code(house, secret, **shift):
    house.clock.forward(**shift)
    return pyotp.TOTP(secret).at(house.clock.now)


def enrol(person, house, **more):
    """Through the page, as a person does; (the secret, the recovery codes)."""
    text = person.get("/second-factor").text
    secret = re.search(r'密钥：<span class="code wrap">([^<]+)<', text)[1].replace(" ", "")
    sealed = re.search(r'name="sealed" value="([^"]+)"', text)[1]
    before = person.cookie
    response = person.post("/second-factor", {"sealed": sealed, "code": code(house, secret), **more})
    assert response.status_code == 303, response.text
    assert person.cookie != before, "another id after the change of rights"
    codes = re.findall(r"<span>([a-z2-9]{5}-[a-z2-9]{5})</span>", person.get("/second-factor").text)
    return secret, codes


def password(house, login="planner", then="/draw"):
    person = house.browser()
    response = person.post("/login", {"login": login, "password": PASSWORD, "then": then}, token=False)
    person.get(response.headers.get("location", "/login"))
    return person, response


def test_who_draws_publishes_or_administers_sets_it_up_before_anything_else(strict):
    person, response = password(strict)
    assert response.headers["location"] == "/second-factor"
    for address in ("/", "/draw", "/pool", "/sessions"):
        assert person.get(address).headers["location"] == "/second-factor"
    assert person.post("/pool/359921-2026-T001/freeze", {"strata": "none"}).headers["location"] == "/second-factor"
    secret, codes = enrol(person, strict)
    assert len(codes) == len(set(codes)) == 10 and person.get("/draw").status_code == 200
    assert codes[0] not in person.get("/second-factor").text, "shown once"
    kept = str(strict.query("SELECT secret FROM account WHERE login = 'planner'")) + str(strict.query("SELECT digest FROM recovery_code"))
    assert secret not in kept and codes[0].replace("-", "") not in kept
    assert password(strict, "reviewer")[1].headers["location"] == "/draw", "a reviewer is not asked"
    assert {"planner", "supervisor", "approver", "publisher", "operator", "sysadmin", "secadmin", "auditor"} == set(GUARDED)
    assert ACTS["round.draw"] <= GUARDED


def test_the_code_is_asked_for_at_login_and_used_once(strict):
    first, _ = password(strict)
    secret, _ = enrol(first, strict)
    person, response = password(strict)
    assert response.headers["location"] == "/login/code?then=%2Fdraw"
    half = person.cookie
    for address in ("/", "/draw", "/second-factor", "/password"):
        assert person.get(address).headers["location"] == "/login/code"
    same = code(strict, secret)  # the one that set it up
    assert "已经用过" in person.post("/login/code", {"code": same, "then": "/draw"}).text
    fresh = code(strict, secret, seconds=30)
    response = person.post("/login/code", {"code": fresh, "then": "/draw"})
    assert response.status_code == 303 and response.headers["location"] == "/draw" and person.cookie != half
    assert person.get("/draw").status_code == 200
    thief = strict.browser()
    thief.cookies["__Host-mingcha"] = half
    assert thief.get("/draw").headers["location"].startswith("/login?"), "what was known before the code opens nothing"
    other, _ = password(strict)
    assert other.post("/login/code", {"code": fresh, "then": "/"}).status_code == 422, "seen over a shoulder"
    assert strict.query("SELECT detail FROM audit WHERE act = 'session.open' ORDER BY n DESC LIMIT 1") == [('{"factor":"totp"}',)]


@pytest.mark.parametrize(("seconds", "in_time"), [(-30, True), (30, True), (-90, False), (90, False)])
def test_a_phones_clock_may_be_half_a_minute_off(strict, seconds, in_time):
    first, _ = password(strict)
    secret, _ = enrol(first, strict)
    person, _ = password(strict)
    strict.clock.forward(minutes=5)
    shown = pyotp.TOTP(secret).at(strict.clock.now.timestamp() + seconds)
    assert person.post("/login/code", {"code": shown, "then": "/"}).status_code == (303 if in_time else 422)


def test_a_recovery_code_stands_in_once(strict):
    first, _ = password(strict)
    _, codes = enrol(first, strict)
    for wanted in (303, 422):
        person, _ = password(strict)
        assert person.post("/login/code", {"code": codes[3].upper(), "then": "/"}).status_code == wanted
    assert "恢复码还有 9 个" in first.get("/second-factor").text


def test_codes_cannot_be_guessed_for_ever_even_with_the_password(strict):
    first, _ = password(strict)
    secret, _ = enrol(first, strict)
    for _ in range(PASSWORD_RULES["asvs"].wrong):
        person, response = password(strict)
        assert response.status_code == 303
        assert person.post("/login/code", {"code": "000000", "then": "/"}).status_code == 422
    assert person.post("/login/code", {"code": code(strict, secret, seconds=30), "then": "/"}).status_code == 409
    assert password(strict)[1].status_code == 409
    strict.clock.forward(minutes=15)
    person, _ = password(strict)
    assert person.post("/login/code", {"code": code(strict, secret), "then": "/"}).status_code == 303


def test_another_phone_needs_the_old_one_and_ends_it(strict):
    person, _ = password(strict)
    secret, codes = enrol(person, strict)
    text = person.get("/second-factor").text
    sealed, fresh = re.search(r'name="sealed" value="([^"]+)"', text)[1], re.search(r'class="code wrap">([^<]+)<', text)[1].replace(" ", "")
    refused = person.post("/second-factor", {"sealed": sealed, "code": code(strict, fresh), "current": "000000"})
    assert refused.status_code == 422 and fresh in refused.text.replace(" ", ""), "the same code to scan again"
    stolen = strict.browser("reviewer")
    assert "页面已过期" in stolen.post("/second-factor", {"sealed": sealed, "code": code(strict, fresh), "current": ""}).text
    enrol(person, strict, current=codes[0])
    again, _ = password(strict)
    assert again.post("/login/code", {"code": code(strict, secret, seconds=60), "then": "/"}).status_code == 422
    assert again.post("/login/code", {"code": codes[1], "then": "/"}).status_code == 422


def test_a_lost_phone_is_taken_off_by_two_administrators(house_at):
    house = house_at()
    person = house.browser("planner")
    enrol(person, house)  # of one's own will: nobody asks here
    number = house.query("SELECT id FROM account WHERE login = 'planner'")[0][0]
    system, security = house.browser("sysadmin"), house.browser("secadmin")
    system.get(f"/accounts/{number}")
    assert system.post(f"/accounts/{number}/factor", {"reason": "手机丢了"}).status_code == 303
    assert password(house)[1].headers["location"].startswith("/login/code"), "not by one alone"
    (change,) = house.query("SELECT id FROM account_change")[0]
    security.get(f"/accounts/{number}")
    assert security.post(f"/accounts/changes/{change}", {"decision": "approve", "answer": ""}).status_code == 303
    assert person.get("/draw").status_code == 303
    assert password(house)[1].headers["location"] == "/draw"
    assert house.query("SELECT count(*) FROM recovery_code") == [(0,)]


def test_under_simulated_time_it_is_asked_for_only_when_switched_on(house_at):
    house = house_at(simulated=True)
    house.query("DELETE FROM setting WHERE key LIKE 'policy/%'")
    assert password(house)[1].headers["location"] == "/draw"
    real = house_at()
    real.query("DELETE FROM setting WHERE key LIKE 'policy/%'")
    assert password(real)[1].headers["location"] == "/second-factor"


# One's own logins ----------------------------------------------------------------


def test_ones_own_logins_are_listed_and_the_others_ended(house_at):
    house = house_at()
    here, phone, stranger = house.browser("planner"), house.browser(), house.browser("approver")
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"}
    phone.post("/login", {"login": "planner", "password": PASSWORD, "then": "/"}, token=False, headers=agent)
    text = here.get("/sessions").text
    assert "Chrome，Android" in text and text.count("当前") == 1 and text.count('class="code">') >= 2
    theirs = house.query("SELECT s.id FROM web_session s JOIN account a ON a.id = s.account WHERE a.login = 'approver'")[0][0]
    here.post("/sessions/end", {"session": str(theirs)})
    assert stranger.get("/").status_code == 200, "only one's own"
    assert here.post("/sessions/end", {}).status_code == 303
    assert phone.get("/").status_code == 303 and here.get("/").status_code == 200
    assert house.query("SELECT detail FROM audit WHERE act = 'session.end'") == [('{"count":1}',)]


def test_a_device_is_called_by_its_browser_and_system():
    assert device_words("Mozilla/5.0 (Windows NT 10.0) Chrome/130 Safari/537 Edg/130") == "Edge，Windows"
    assert device_words("Mozilla/5.0 (iPhone; CPU iPhone OS 17 like Mac OS X) Mobile MicroMessenger/8") == "微信，iPhone"
    assert device_words("") == "没有说明" and device_words("curl/8") == "curl/8"

"""What every answer carries, what errors say and hide, and the few static files."""

import hashlib
import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from portal.web import assets, home
from portal.web.pages import TEMPLATES, build_environment
from tests.web.bureau import ROUND

ROOT = Path(__file__).resolve().parents[2]
WANTED = {
    "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY", "cache-control": "no-store",
}  # fmt: skip


def check_headers(response):
    for name, value in WANTED.items():
        assert response.headers[name] == value, name
    policy = dict(part.strip().partition(" ")[::2] for part in response.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert policy["form-action"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in response.headers["content-security-policy"]
    assert re.fullmatch("[0-9a-f]{12}", response.headers["x-request-id"])


def test_every_answer_carries_the_security_headers(house_at):
    house = house_at("worked")
    person = house.browser("planner")
    answers = [
        person.get("/login"), person.get("/"), person.get(f"/draw/{ROUND}"), person.get("/no-such-page"), person.get("/audit"),
        person.get("/draw/no-such-round"), person.post("/pool/x/freeze", {"strata": "bad"}), person.post("/logout"), person.get("/"),
        house.client.request("OPTIONS", "/draw"), house.client.request("PUT", "/draw"),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 403, 404, 422, 303, 303, 405, 405]
    for answer in answers:
        check_headers(answer)
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_strict_transport_is_promised_on_https_only(house_at):
    assert "max-age=31536000" in house_at().client.get("/login").headers["strict-transport-security"]
    assert "strict-transport-security" not in house_at(base_url="http://127.0.0.1", loopback=True).client.get("/login").headers


def test_a_failure_shows_a_request_id_and_no_traceback_and_is_logged(house_at, monkeypatch, caplog):
    async def broken(act):
        raise ZeroDivisionError("secret detail of the machine")

    monkeypatch.setattr(home, "_rounds", broken)
    person = house_at().browser()
    person.post("/login", {"login": "planner", "password": "correct horse battery 1"}, token=False)
    response = person.get("/")
    assert response.status_code == 500
    check_headers(response)
    assert response.headers["x-request-id"] in response.text
    for word in ("Traceback", "ZeroDivisionError", "secret detail", "home.py", "/portal/"):
        assert word not in response.text
    assert "ZeroDivisionError" in caplog.text and response.headers["x-request-id"] in caplog.text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/no-such-page", 404, "没有这个页面"),
        ("/plan/notanumber", 404, "没有这个页面"),
        ("/plan/99999", 404, "没有这份计划"),
        ("/draw/%E2%80%AEx", 404, "没有编号为"),
        ("/audit", 403, "本操作由审计员办理"),
        ("/directory?size=7", 422, "没有这个选项"),
    ],
)
def test_errors_say_in_chinese_what_is_wrong(house_at, path, status, said):
    response = house_at().browser("planner").get(path)
    assert response.status_code == status and said in response.text


def test_what_people_typed_is_escaped_wherever_it_is_shown(house_at):
    house = house_at("frozen")
    person = house.browser("planner")
    nasty = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'"
    for response in (
        person.get("/directory?q=" + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"),
        person.post(f"/draw/{ROUND}/void", {"reason": nasty}) and person.get(f"/draw/{ROUND}"),
        person.post("/login", {"login": nasty[:64], "password": "x"}, token=False),
    ):
        assert "<script>alert" not in response.text and "<img src=x" not in response.text
        assert "&lt;script&gt;" in response.text


def test_templates_refuse_missing_values_and_hold_no_inline_script_or_style():
    with pytest.raises(UndefinedError):
        build_environment().from_string("{{ missing }}").render()
    for file in sorted(TEMPLATES.rglob("*.html")):
        text = file.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son[a-z]+=|javascript:|hx-on|\bjs:|\|\s*safe\b", text), file.name


def test_htmx_is_the_file_its_hash_names():
    data = (ROOT / "portal/web/static/htmx.min.js").read_bytes()
    assert hashlib.sha256(data).hexdigest() == assets.HTMX_SHA256
    assert b'version:"2.0.11"' in data


def test_the_style_sheets_are_the_public_sites_own(house_at):
    house = house_at()
    page = house.browser().get("/login").text
    for name in ("tokens.css", "base.css", "portal.css", "portal.js", "htmx.min.js", "icon.svg"):
        address = re.search(rf'"(/static/[0-9a-f]{{12}}/{re.escape(name)})"', page)[1]
        response = house.client.get(address)
        assert response.status_code == 200 and "immutable" in response.headers["cache-control"]
        if name in ("tokens.css", "base.css"):
            assert response.content == (ROOT / "public_site/static" / name).read_bytes()


@pytest.mark.parametrize("path", ["/static/000000000000/base.css", "/static/x/../../app.py", "/static/x/%2e%2e%2fapp.py", "/static/x/..%2f..%2fapp.py"])
def test_no_other_file_is_served(house_at, path):
    response = house_at().client.get(path)
    assert response.status_code in (404, 303)
    assert "import" not in response.text


def test_a_simulated_installation_says_so_on_every_page(house_at):
    house = house_at("worked", simulated=True)
    person = house.browser("planner")
    for path in ("/login", "/", f"/draw/{ROUND}", "/nowhere"):
        assert "演示数据" in person.get(path).text, path
    assert "演示数据" not in house_at("worked").browser("planner").get("/").text

"""Every page in another wording: all that is ours is said in it; what is data or is posted back stays."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from functools import cache
from html import unescape
from html.parser import HTMLParser

import pytest

from portal.plugins import discover_sectors
from portal.texts.catalogue import Catalogue
from portal.texts.files import load_wording
from portal.texts.sources import ROOT, all_messages, in_scripts
from portal.web.pages import build_environment
from tests import office
from tests.web.bureau import build_stage, open_house
from tests.web.test_axe import WITH_REGISTER, hire, made

pytestmark = pytest.mark.long
HAN = re.compile("[\u4e00-\u9fff]+")
READ = {"title", "aria-label", "placeholder", "alt"}
CHANGING = re.compile(r'name="(?:_once|sealed)" value="[^"]*"|(?<=页面编号 )[\w-]+|<meta name="texts"[^>]*>|<div class="paper">.*?</div>|<span class="code wrap">.*?</span>', re.DOTALL)


@cache
def messages():
    return {one.msgid for one in all_messages()}


@pytest.fixture(scope="module")
def spoken(stages, tmp_path_factory):
    """wording -> address -> page: as templates are written ("zh"), each message as itself ("same"), each in ⟦ ⟧ ("marked"), and in English; and all that the database holds."""
    folder = office.copy_folder(build_stage(stages, "worked", "sqlite"), tmp_path_factory.mktemp("texts") / "data")
    asyncio.run(hire(folder))
    house = open_house(folder, "worked")
    found: dict[str, dict[str, str]] = {}
    with house.client:
        addresses, state = sorted(made(house)), house.client.app.state
        boss, stranger = house.browser("boss"), house.browser()
        state.portal = replace(state.portal, sectors=discover_sectors(WITH_REGISTER))
        same, marked = ({one: form.format(one) for one in messages()} for form in ("{}", "⟦{}⟧"))
        for name, catalogue in (("zh", None), ("same", Catalogue(same)), ("marked", Catalogue(marked, "x")), ("en", load_wording("en"))):
            state.portal = replace(state.portal, templates=build_environment(catalogue))
            asked = {"marked": addresses, "en": ["/"]}.get(name, addresses[::3])  # a page costs a thirtieth of a second
            pages = {address: boss.get(address) for address in asked}
            assert {page.status_code for page in pages.values()} == {200}
            pages |= {"/login": stranger.get("/login"), "404": boss.get("/draw/no-such"), "422": boss.post("/accounts/new", {"login": "会计", "name": "登录"})}
            found[name] = {address: page.text for address, page in pages.items()}
        tables = [name for (name,) in house.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'name_%'")]
        held = "\n".join(str(value) for table in tables for row in house.query(f'SELECT * FROM "{table}"') for value in row if isinstance(value, str))
    return found, re.sub(r"\\u([0-9a-f]{4})", lambda one: chr(int(one[1], 16)), held)


class Page(HTMLParser):
    """What a person reads of a page (`read`, in its order), and what is an address, a name, posted or typed (`kept`)."""

    def __init__(self, html: str):
        super().__init__()
        self.read: list[str] = []
        self.kept: list[str] = []
        self.inside: list[str] = []
        self.alone = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        for name, value in attributes:
            if value and name != "content":
                (self.read if name in READ else self.kept).append(value)
        if not self.alone and (tag in ("textarea", "script", "style") or tag == "option" and "value" not in given or "lines-kept" in (given.get("class") or "")):
            self.alone = tag

    def handle_endtag(self, tag):
        self.alone = "" if tag == self.alone else self.alone

    def handle_data(self, data):
        (self.kept if self.alone else self.read).append(data)


def unsaid(page: Page) -> list[str]:
    """The Chinese a person reads outside ⟦ ⟧; what one pair holds may span several elements."""
    depth, left = 0, []
    for text in page.read:
        for piece in re.split("([⟦⟧])", text):
            depth += {"⟦": 1, "⟧": -1}.get(piece, 0)
            left += HAN.findall(piece) if not depth else []
    return left


def plain(html: str) -> str:
    """Without what is another one each time, and white space alike."""
    return re.sub(r"\s+", " ", CHANGING.sub("", html))


def test_a_page_is_the_same_when_every_message_is_said_as_it_is_written(spoken):
    found, _ = spoken
    assert len(found["zh"]) > 25
    for address, page in found["zh"].items():
        assert plain(found["same"][address]) == plain(page), address


def test_all_chinese_of_a_page_is_a_message_or_data(spoken):
    found, held = spoken
    domain, files = ROOT / "portal" / "domain", ROOT / "tests" / "web" / "test_checklists.py"
    sheets = [*domain.glob("*_table.py"), domain / "headings.py", files]  # names of codes, and what stands in files
    data = held + "".join(file.read_text("utf-8") for file in [*(ROOT / "plugins").rglob("*.py"), *sheets])
    left = {text: address for address, html in found["marked"].items() for text in unsaid(Page(html))}
    assert len(left) > 100 and {text: address for text, address in left.items() if text not in data} == {}
    assert [text for text in unsaid(Page(found["zh"]["/login"])) if text not in data]  # a page that says nothing in ⟦ ⟧ is noticed


def test_what_is_posted_back_is_never_reworded(spoken):
    found, _ = spoken
    assert len(found["marked"]) > 70
    for address, html in found["marked"].items():
        assert html.count("⟦") > 10 and [text for text in Page(html).kept if "⟦" in text] == [], address
    assert 'value="会计"' in found["marked"]["422"] and 'value="登录"' in found["marked"]["422"]  # the second is a message of ours too


def test_scripts_get_their_sentences_from_the_page(spoken):
    found, _ = spoken
    assert 'name="texts"' not in found["zh"]["/login"]
    table = json.loads(unescape(re.search('<meta name="texts" content="([^"]*)"', found["marked"]["/login"])[1]))
    assert set(table) == {one.msgid for one in in_scripts()} and table["增加一行"] == "⟦增加一行⟧"


def test_a_first_visitor_is_spoken_to_in_english(spoken):
    found, _ = spoken
    login, home = Page(found["en"]["/login"]), Page(found["en"]["/"])
    assert '<html lang="en">' in found["en"]["/login"] and '<html lang="zh-CN">' in found["zh"]["/login"]
    assert {"Log in", "Login", "Password"} <= set(login.read) and not HAN.search("".join(login.read))
    assert {"Today", "Plan", "Pool", "Draw", "Visits", "Assign", "Forms", "Review", "Publish", "Log", "Verify", "To do"} <= {text.strip() for text in home.read}
    assert "Not found" in found["en"]["404"] and "&#34;Reason&#34; is empty." in found["en"]["422"]

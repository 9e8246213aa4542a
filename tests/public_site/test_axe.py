"""Every kind of page of the public site in Chromium: nothing that axe-core finds against WCAG 2.2 A or AA, nothing wider than its window."""

import shutil
from pathlib import Path

import pytest

from public_site.build import TEMPLATES
from public_site.bundle import load_bundle
from public_site.pages import entity_pages, site_pages
from public_site.release import release
from tests.axe import Eyes
from tests.public_site.browser import Browser, program
from tests.public_site.bundle_fixture import add_external
from tests.public_site.conftest import FakePdfs
from tests.public_site.serving import served

pytestmark = pytest.mark.chromium
FRAMES = {"layout.html", "parts.html"}  # what pages are made with
SEARCH = "results/index.html?q=有限公司"


@pytest.fixture(scope="module")
def site(bundle: Path, verify: Path, tmp_path_factory: pytest.TempPathFactory):
    """A served site with every kind of page; (its address, of each kind the address of the page that says most)."""
    folder = tmp_path_factory.mktemp("axe")
    whole = shutil.copytree(bundle, folder / "bundle")
    add_external(whole)
    release(whole, folder / "site", FakePdfs(), verify=verify)
    opened = load_bundle(whole)
    made = list(site_pages(opened, {}, "", lambda *_: False))
    made += entity_pages(opened, "", lambda *_: False)
    assert {page.template for page in made} | FRAMES == {path.name for path in TEMPLATES.glob("*.html")}, "a page of a new kind is not looked at"
    longest = {page.template: page for page in sorted(made, key=lambda page: len(page.twin or ""))}
    with served(folder / "site") as address:
        yield f"{address}/", sorted(page.path for page in longest.values())


def test_no_page_keeps_anybody_out(site):
    if program() is None:
        pytest.skip("needs a Chromium browser")
    root, paths = site
    found = {}
    with Browser(briefly=True, unseen=True) as browser:
        page = browser.page()
        eyes = Eyes(page)
        for path in [*paths, SEARCH]:
            page.open(root + path)
            if path == SEARCH:
                page.until("document.querySelector('#found *')")
            page.value("for (const one of document.querySelectorAll('details')) one.open = true")
            found[path] = eyes.broken()
    assert {path: lines for path, lines in found.items() if lines} == {}


PALE = """data:text/html,<!doctype html><html lang=en><title>t</title><meta name=viewport content="width=device-width"><style>%s</style><main><h1>Words</h1><div class=a><p>Some words</p></div></main>"""


def test_what_was_easy_to_read_on_one_page_is_looked_at_again_where_its_colours_are_others(monkeypatch):
    if program() is None:
        pytest.skip("needs a Chromium browser")
    monkeypatch.delenv("MINGCHA_EVERY_LOOK", raising=False)  # with it nothing is remembered
    with Browser(briefly=True, unseen=True) as browser:
        page = browser.page()
        eyes = Eyes(page)

        def found(style):
            page.open(PALE % style)
            return [line.partition(" (")[0] for line in eyes.broken()]

        in_each = [f"{look}: color-contrast: <p>Some words</p>" for look in ("1280 px, light", "390 px, dark")]
        assert found("p{color:black}") == []
        assert found("p{color:silver}") == in_each
        assert found(".a{background:rgb(60,60,60)}p{color:black}") == in_each
        assert found("p{color:black}@media(prefers-color-scheme:dark){p{color:silver}}") == in_each[1:]

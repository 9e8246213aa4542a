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
    assert {page.template for page in made} | FRAMES == {path.name for path in TEMPLATES.iterdir()}, "a page of a new kind is not looked at"
    longest = {page.template: page for page in sorted(made, key=lambda page: len(page.twin or ""))}
    with served(folder / "site") as address:
        yield f"{address}/", sorted(page.path for page in longest.values())


def test_no_page_keeps_anybody_out(site):
    if program() is None:
        pytest.skip("needs a Chromium browser")
    root, paths = site
    found = {}
    with Browser() as browser:
        page = browser.page()
        eyes = Eyes(page)
        for path in [*paths, SEARCH]:
            page.open(root + path)
            if path == SEARCH:
                page.until("document.querySelector('#found *')")
            page.value("for (const one of document.querySelectorAll('details')) one.open = true")
            found[path] = eyes.broken()
    assert {path: lines for path, lines in found.items() if lines} == {}

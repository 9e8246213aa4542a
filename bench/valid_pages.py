"""Every kind of page of the public site and of the portal through the Nu HTML checker; any error or warning fails.

    python -m bench.valid_pages JAR [--only site|portal]

JAR is `vnu.jar` (the npm package `vnu-jar`; it needs Java 11 or later). The site is the one the tests build, with a list drawn
elsewhere; the portal's pages are those that tests/web/test_axe.py looks at, seen by somebody who may do everything.
htmx reads its attributes with and without `data-`; without it HTML does not know them, so they are checked with it.
A kind is a template (site) or a route (portal); a kind without a page fails too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from public_site.build import TEMPLATES
from public_site.bundle import load_bundle
from public_site.pages import entity_pages, site_pages
from public_site.release import release
from tests import cluster, office
from tests.public_site.bundle_fixture import add_external, make_bundle
from tests.public_site.conftest import FakePdfs
from tests.web.bureau import build_stage, open_house
from tests.web.test_axe import FILES, gets, hire, made, routes_of

FRAMES = {"layout.html", "parts.html"}  # what pages of the site are made with


def site(folder: Path) -> dict[str, str]:
    """Build the site in `folder`; its pages by the template they are made of."""
    bundle = make_bundle(folder / "bundle")
    add_external(bundle)
    release(bundle, folder / "site", FakePdfs())
    opened = load_bundle(bundle)
    kinds = {page.path: page.template for page in (*site_pages(opened, {}, "", lambda *_: False), *entity_pages(opened, "", lambda *_: False))}
    if missing := {path.name for path in TEMPLATES.glob("*.html")} - FRAMES - set(kinds.values()):
        raise SystemExit(f"no page of these kinds: {missing}")
    return {str(path): kinds.get(str(path.relative_to(root)), "a further page") for root in [(folder / "site/current").resolve()] for path in root.rglob("*.html")}


def portal(folder: Path) -> dict[str, str]:
    """Fetch one page of each kind of the portal into `folder`; their routes."""
    (folder / "stages").mkdir(parents=True)
    os.environ.setdefault(cluster.RUN, f"mc{os.getpid()}")  # what accounts of the database would be called, were there one
    data = office.copy_folder(build_stage(folder / "stages", "worked", "sqlite"), folder / "data")
    asyncio.run(hire(data))
    house = open_house(data, "worked")
    with house.client:
        pages = made(house)
        if missing := gets() - routes_of(pages) - FILES - {"/login"}:
            raise SystemExit(f"no page of these routes: {missing}")
        boss = house.browser("boss")
        answers = {path: boss.get(path).text for path in sorted(pages)} | {"/login": house.browser().get("/login").text, "404": boss.get("/draw/no-such-round").text}
    kinds = {}
    for number, (path, text) in enumerate(answers.items()):
        place = folder / f"{number}.html"
        place.write_text(text.replace(" hx-", " data-hx-"), "utf-8")
        kinds[str(place)] = path
    return kinds


def messages(jar: Path, pages: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(kind of page, what the checker says) for each error and warning."""
    for some in [sorted(pages)[n : n + 500] for n in range(0, len(pages), 500)]:
        ran = subprocess.run(["java", "-Xss4m", "-jar", jar, "--format", "json", "--stdout", *some], capture_output=True, text=True, check=False)
        if not ran.stdout.startswith("{"):
            raise SystemExit(f"the checker did not run: {(ran.stderr or ran.stdout)[:400]}")
        for one in json.loads(ran.stdout)["messages"]:
            if one["type"] != "info" or one.get("subType") == "warning":
                yield pages[one["url"].removeprefix("file:")], f"{one['message']}  {one.get('extract', '').strip()[:120]!r}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("jar", type=Path)
    parser.add_argument("--only", choices=["site", "portal"])
    asked = parser.parse_args()
    wrong = False
    for name, make in (("site", site), ("portal", portal)):
        if asked.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                pages = make(Path(folder) / name)
                found = Counter(messages(asked.jar, pages))
            print(f"{name}: {len(pages)} pages of {len(set(pages.values()))} kinds, {found.total()} errors and warnings")
            for (kind, words), times in sorted(found.items()):
                print(f"  {times} x {kind}: {words}")
            wrong |= bool(found)
    raise SystemExit(wrong)


if __name__ == "__main__":
    main()

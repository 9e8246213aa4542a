"""The entity pages of a bundle and nothing else, HTML only: what bench.site_build times, and so with the builder's own imports alone.

    python -m bench.site_pages BUNDLE OUT quick|plain [indexed]

`plain`: by the plain render. `indexed`: the exact index too.
"""

from __future__ import annotations

import sys
from pathlib import Path

from public_site import build, search
from public_site.bundle import load_bundle
from public_site.pages import entity_pages
from public_site.sink import Sink


def html(bundle: Path, out: Path, quick: bool, indexed: bool = False) -> None:
    opened, sink = load_bundle(bundle), Sink(out, twins=False)
    render, hot = build._renderer(opened), build.hot_of(opened) if quick else None
    for page in entity_pages(opened, "", lambda _path, _source: False, None, build.quick_of(opened, hot).render if hot else None):
        text = page.content or hot.render(page.context["visits"], page.path, page.as_of, page.twin) if hot else None
        sink.put(page.path, text or render(page, page.path, page.context | {"pager": {"number": 1, "paths": [page.path], "start": 0, "total": 1}}))
        sink.spill()
    for path, content in search.search_files(opened) if indexed else ():
        sink.put(path, content)


if __name__ == "__main__":
    html(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "quick", "indexed" in sys.argv[4:])

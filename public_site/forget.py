"""Forgetting: what was withdrawn, has expired or was corrected leaves every file, kept releases and caches included.

    site/tombstones.jsonl   {visit, entity, index, why (withdrawn|expired|corrected), on}: results of the visit up to that
                            log entry must not be shown; never served, never shortened
    site/forgotten          digest of the tombstones that all kept releases were freed of
    site/gone.txt           addresses that answer 410, all with the same page; gone.map the same for nginx

A release carries all it was built from (data/*.jsonl, data/about.json, rounds/, log/), so an older one can be
built anew without what must be forgotten. A crash anywhere is made good by whoever publishes or rolls back next:
both do this before they switch.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from public_site.bundle import SPEC as BUNDLE
from public_site.bundle import joined, mark_of, plain_json
from public_site.pages import entity_path, sheet_path

Row = dict[str, Any]

STONES, MARK, GONE, GONE_MAP = "tombstones.jsonl", "forgotten", "gone.txt", "gone.map"


class _Proof(msgspec.Struct):
    index: int


class _Shown(msgspec.Struct):
    visit: str
    proof: _Proof


def load_tombstones(site: Path) -> dict[str, Row]:
    """visit -> tombstone, of all that this site was ever told to forget."""
    try:
        lines = (site / STONES).read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    return joined({}, map(json.loads, lines))


def save_tombstones(site: Path, stones: Mapping[str, Row]) -> None:
    """Before anything is built: from here on a crash only delays."""
    save_whole(site / STONES, b"".join(plain_json(stones[visit]) + b"\n" for visit in sorted(stones)))


def save_whole(place: Path, content: bytes) -> None:
    """Write, bring to the disk, rename: readers see the old file or the new one."""
    if place.is_file() and place.read_bytes() == content:
        return
    fresh = place.with_name(f".{place.name}.new")
    with fresh.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, place)


def is_done(site: Path, stones: Mapping[str, Row]) -> bool:
    """Whether every kept release was freed of exactly these."""
    try:
        return (site / MARK).read_text() == mark_of(stones) or not stones
    except FileNotFoundError:
        return not stones


def must_forget(release: Path, stones: Mapping[str, Row]) -> bool:
    """Whether a release holds a result that must not be shown any more."""
    decode = msgspec.json.Decoder(_Shown).decode
    try:
        with (release / "data" / "results.jsonl").open("rb") as stream:
            for line in stream:
                row = decode(line)
                if row.visit in stones and row.proof.index <= stones[row.visit]["index"]:
                    return True
    except (OSError, msgspec.MsgspecError):
        return True  # nobody can say what is in it
    return False


def bundle_of(release: Path, clean: Path | None, folder: Path) -> bool:
    """Make the bundle a release was built from, by links, in `folder`; False where the release does not carry it.

    Sectors' own pages come from a release known to be `clean` (None: there are none): only the portal can write them
    anew, from what may still be shown.
    """
    try:
        manifest = json.loads((release / "manifest.json").read_bytes())
        pages = (clean / "data" / "pages.jsonl").read_bytes() if clean else b""
        files: dict[str, str] = manifest["files"]
        about = json.loads((release / "data" / "about.json").read_bytes())
    except (OSError, ValueError, KeyError):
        return False
    listed = {"pages.jsonl": hashlib.sha256(pages).hexdigest()}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "pages.jsonl").write_bytes(pages)
    for path, digest in files.items():
        name = path.removeprefix("data/") if path in _CARRIED else path
        if path.endswith(".gz") or (name == path and not path.startswith(("rounds/", "log/"))):
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(release / path, folder / name)
        listed[name] = digest
    (folder / "manifest.json").write_bytes(plain_json({"spec": BUNDLE, "as_of": about["as_of"], "files": listed}))
    return True


_CARRIED = ("data/about.json", *(f"data/{name}.jsonl" for name in ("items", "plans", "rounds", "external", "results")))


def gone_paths(stones: Iterable[Row], files: Container[str]) -> list[str]:
    """The addresses of forgotten results which a release with these files does not hold, sorted.

    An entity's page goes on at -2, -3, ... where it was too long; how far it once went nobody remembers, but not further
    than to a page for each visit. So what is listed depends on nothing but the stones and what is shown.
    """
    found, lost = set(), Counter[str]()
    for stone in stones:
        page, sheet = entity_path(stone["entity"]), sheet_path(stone["visit"])
        found |= {page, page.removesuffix(".html") + ".json", sheet}
        lost[page.removesuffix(".html")] += sheet not in files
    for stem, visits in lost.items():
        shown = next(n for n in count() if _part(stem, n + 1) not in files)
        found.update(_part(stem, n) for n in range(1, shown + visits + 1))
    return sorted(path for path in found if path not in files)


def _part(stem: str, number: int) -> str:
    return f"{stem}.html" if number == 1 else f"{stem}-{number}.html"


def save_gone(site: Path, stones: Mapping[str, Row], files: Container[str]) -> None:
    """Write the list of what answers 410 beside the release about to be shown, for our server and for nginx."""
    gone = gone_paths(stones.values(), files)
    save_whole(site / GONE, "".join(f"/{path}\n" for path in gone).encode())
    save_whole(site / GONE_MAP, "".join(f'"/{path}" 1;\n' for path in gone).encode())

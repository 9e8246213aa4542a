"""Publishing: a new release is built beside the last one, and one rename of a link shows it to everybody.

    site/current -> releases/000007-1f0c9ab2d3e4    the only thing a reader follows
    site/releases/<id>/                             never changed once it bears its name
    site/releases/.building/                        the next one; a crash leaves it, the next run removes it
    site/pdf-cache/<xx>/<key>.pdf
    site/.lock

Up to the rename of `current` readers see the old release, from then on the new one; there is no
moment in between, and nothing a reader can see is written in place.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from portal.domain.errors import NotFound, WrongMoment
from public_site.build import VERIFY, PdfRenderer, Progress, Sink, build_into, manifest_of
from public_site.bundle import load_bundle

KEPT = 5  # releases, the current one included
MANY = 256  # fresh files above which one sync of everything is cheaper than one for each

_ID = re.compile(r"[0-9]{6,}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Release:
    """What publishing did. `changed` counts files added, changed or gone since the release shown before;
    0 means that the data gave the very same site and nothing was switched."""

    id: str
    changed: int
    pages: int
    pdfs: int


def release(bundle: Path, site: Path, render_pdfs: PdfRenderer, progress: Progress | None = None, *, verify: Path = VERIFY) -> Release:
    """Build the bundle's site beside the last release and switch to it. WrongMoment while another publisher works."""
    releases = site / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    with _lock(site):
        _clean(site)
        opened = load_bundle(bundle)
        shown = current(site)
        sink = _sink(releases, shown)
        report = build_into(opened, sink, render_pdfs, progress, pdf_cache=site / "pdf-cache", verify=verify)
        manifest = manifest_of(sink, opened)
        (sink.root / "manifest.json").write_bytes(manifest)
        digest = hashlib.sha256(manifest).hexdigest()[:12]
        changed = _changed(sink)
        same = next((name for name in releases_of(site) if name.endswith(digest)), None)
        if same is None:
            same = f"{_last_number(site) + 1:06d}-{digest}"
            _to_disk(sink)
            os.rename(sink.root, releases / same)  # a crash after this leaves a whole release nobody is shown yet
            _sync(releases)
        if same != shown:
            switch(site, same)
        _clean(site)
        _prune(site)
    return Release(same, changed, report.pages, report.pdfs)


def current(site: Path) -> str | None:
    """The id of the release shown, or None before the first."""
    try:
        target = os.readlink(site / "current")
    except OSError:
        return None
    name = target.removeprefix("releases/")
    return name if _ID.fullmatch(name) and (site / "releases" / name).is_dir() else None


def releases_of(site: Path) -> list[str]:
    """The ids of all whole releases, oldest first."""
    names = [path.name for path in (site / "releases").iterdir() if _ID.fullmatch(path.name)]
    return sorted(names, key=lambda name: (int(name.split("-")[0]), name))


def roll_back(site: Path, name: str) -> None:
    """Show an older release again. NotFound where it is not kept any more."""
    with _lock(site):
        if name not in releases_of(site):
            raise NotFound(f"没有版本“{name}”，或已经清理。现存的版本：{'、'.join(releases_of(site))}。")
        switch(site, name)


def switch(site: Path, name: str) -> None:
    """The one moment: `current` points to another release. A crash before os.replace leaves the old one shown."""
    fresh = site / ".current-new"
    with suppress(FileNotFoundError):
        fresh.unlink()
    os.symlink(f"releases/{name}", fresh)
    os.replace(fresh, site / "current")
    _sync(site)


def _sink(releases: Path, shown: str | None) -> Sink:
    root = releases / ".building"
    root.mkdir()
    if shown is None:
        return Sink(root)
    try:
        last = json.loads((releases / shown / "manifest.json").read_bytes())
        return Sink(root, releases / shown, last["files"], last["inputs"])
    except (OSError, ValueError, KeyError):  # a damaged release is no base to link from: write everything
        return Sink(root)


def _changed(sink: Sink) -> int:
    gone = sum(path not in sink.files for path in sink.last_files)
    return gone + sum(sink.last_files.get(path) != digest for path, digest in sink.files.items())


def _to_disk(sink: Sink) -> None:
    """Every fresh byte and every folder is on the disk before the release gets its name."""
    if len(sink.fresh) > MANY:
        os.sync()
        return
    for path in [*sink.fresh, "manifest.json"]:
        _sync(sink.root / path)
    for folder in sorted(sink.folders | {sink.root}):
        _sync(folder)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _last_number(site: Path) -> int:
    return max((int(name.split("-")[0]) for name in releases_of(site)), default=0)


def _clean(site: Path) -> None:
    """Remove what an interrupted run left: an unfinished build, a half-removed release, a link never switched to."""
    for path in (site / "releases").iterdir():
        if path.name.startswith("."):
            shutil.rmtree(path)
    with suppress(FileNotFoundError):
        (site / ".current-new").unlink()


def _prune(site: Path) -> None:
    """Keep the newest releases and always the one shown; a crash here leaves a dotted folder for the next run."""
    shown = current(site)
    old = [name for name in releases_of(site) if name != shown]
    for name in old[: max(0, len(old) - (KEPT - 1))]:
        going = site / "releases" / f".going-{name}"
        os.rename(site / "releases" / name, going)
        shutil.rmtree(going)


@contextmanager
def _lock(site: Path) -> Iterator[None]:
    with (site / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WrongMoment("另一次发布正在进行，请等它结束后再试。") from None
        yield  # the lock goes with the file, even when the process is killed

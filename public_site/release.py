"""Publishing: a new release is built beside the last one, and one rename of a link shows it to everybody.

    site/current -> releases/000007-1f0c9ab2d3e4    the only thing a reader follows
    site/releases/<id>/                             never changed once it bears its name
    site/releases/.building/                        the next one; a crash leaves it, the next run removes it
    site/releases/.next/                            links to all files of the release shown, made after its switch;
                                                    site/.next names that release once the links are complete
    site/pdf-cache/<xx>/<key>.pdf
    site/.known                                     known.py
    site/tombstones.jsonl, forgotten, gone.txt, gone.map    forget.py
    site/address                                    hosting.py
    site/.lock

Up to the rename of `current` readers see the old release, from then on the new one; there is no
moment in between, and nothing a reader can see is written in place.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from portal.domain.errors import NotFound, WrongMoment
from public_site import forget
from public_site.build import VERIFY, PdfRenderer, Progress, build_into, made_of, put_manifest
from public_site.bundle import load_bundle
from public_site.hosting import load_address
from public_site.known import FILE as KNOWN
from public_site.known import Known, load_known, save_known
from public_site.listing import open_manifest
from public_site.sink import Sink

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
    """Build the bundle's site beside the last release and switch to it. WrongMoment while another publisher works.

    What the bundle's tombstones name is in no kept release afterwards. `progress` is told ("switched", files) at the
    switch; tidying up and the links for the next release come after it, when nobody waits for them.
    """
    tell = progress or (lambda _what, _count: None)
    releases = site / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    with _lock(site):
        _clean(site)
        shown = current(site)
        known = load_known(site, shown)
        opened = load_bundle(bundle, forget.load_tombstones(site), known)
        forget.save_tombstones(site, opened.tombstones)
        sink = _sink(site, shown, known if opened.since and known.made == made_of(opened, render_pdfs) else None)
        report = build_into(opened, sink, render_pdfs, progress, pdf_cache=site / "pdf-cache", verify=verify, address=load_address(site))
        changed = len(sink.gone()) + sink.changed()
        same = _named(site, sink, put_manifest(sink, opened))
        forget.save_gone(site, opened.tombstones, sink.files)
        if same != shown:
            switch(site, same)
        tell("switched", report.files)
        _clean(site)
        _prune(site)
        _forget(site, opened.tombstones, render_pdfs, verify)
        save_known(site, same, opened, sink.pieces, sink.made)
        _clone(site)
    return Release(same, changed, report.pages, report.pdfs)


def _named(site: Path, sink: Sink, digest: str) -> str:
    """The id of the kept release that is the same as what the sink holds; else what it holds becomes one. `digest`: of its manifest."""
    same = next((name for name in releases_of(site) if name.endswith(digest[:12])), None)
    if same is None:
        same = f"{_last_number(site) + 1:06d}-{digest[:12]}"
        _finish(site, sink, same)
    return same


def _finish(site: Path, sink: Sink, name: str) -> None:
    sink.sweep()
    _to_disk(sink)
    os.rename(sink.root, site / "releases" / name)  # a crash after this leaves a whole release nobody is shown yet
    _sync(site / "releases")


def _forget(site: Path, stones: Mapping[str, Any], render_pdfs: PdfRenderer, verify: Path) -> None:
    """Free every kept release of what must be forgotten; done once for each list of tombstones.

    A release that holds such results is built anew from what it carries, under its number and a new digest; one that
    cannot be (made by a program before this) is removed. At the end caches keep only what a kept release uses.
    """
    if forget.is_done(site, stones):
        return
    (site / KNOWN).unlink(missing_ok=True)
    releases = site / "releases"
    newest = releases / releases_of(site)[-1]
    clean = None if forget.must_forget(newest, stones) else newest  # None only after a crash, before anything new was built
    for name in releases_of(site):
        old, work = releases / name, releases / ".bundle"
        if not forget.must_forget(old, stones):
            continue
        fresh = None
        if forget.bundle_of(old, clean, work):
            opened, sink = load_bundle(work, stones), _sink_over(releases, name)
            build_into(opened, sink, render_pdfs, None, pdf_cache=site / "pdf-cache", verify=verify, address=load_address(site))
            fresh = f"{name.split('-')[0]}-{put_manifest(sink, opened)[:12]}"
            if fresh not in releases_of(site):  # made already by a run that was cut short before it removed the old one
                _finish(site, sink, fresh)
            shutil.rmtree(work)
        if name == current(site):  # only after a crash, or when rolling back: else the new release is shown already
            if fresh is None:
                raise WrongMoment("正在显示的版本不能去掉已撤回的内容。请重新发布一次。")
            switch(site, fresh)
        _remove(site, name)
    _prune_cache(site)
    forget.save_whole(site / forget.MARK, forget.mark_of(stones).encode())


def _prune_cache(site: Path) -> None:
    """Remove every kept PDF that no kept release shows."""
    used: set[str] = set()
    for name in releases_of(site):
        inputs = json.loads((site / "releases" / name / "manifest.json").read_bytes())["inputs"]
        used |= {key for path, key in inputs.items() if path.endswith(".pdf")}
    for place in (site / "pdf-cache").glob("*/*"):
        if place.suffix != ".pdf" or place.stem not in used:
            place.unlink()


def _clone(site: Path) -> None:
    """Link all files of the release shown into `.next`, for the next release to start from."""
    shown, ready = current(site), site / ".next"
    if shown is None or (ready.is_file() and ready.read_text() == shown and (site / "releases" / ".next").is_dir()):
        return
    source, copy = f"{site}/releases/{shown}", f"{site}/releases/.next"
    ready.unlink(missing_ok=True)
    shutil.rmtree(copy, ignore_errors=True)
    try:
        for folder, _, names in os.walk(source):
            into = copy + folder[len(source) :]
            os.mkdir(into)
            for name in names:
                os.link(f"{folder}/{name}", f"{into}/{name}")
    except OSError:  # no links on this file system: the next release is written whole
        shutil.rmtree(copy, ignore_errors=True)
        return
    _sync_all(site)  # the next release brings to the disk only what it changes
    forget.save_whole(ready, shown.encode())


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


def roll_back(site: Path, name: str, render_pdfs: PdfRenderer, *, verify: Path = VERIFY) -> str:
    """Show an older release again; its id. NotFound where it is not kept any more.

    What must be forgotten is taken out of it first, should a crash have left it there: the release then has its old
    number and another digest, and may be asked for by either.
    """
    with _lock(site):
        _clean(site)
        stones = forget.load_tombstones(site)
        _forget(site, stones, render_pdfs, verify)
        number = name.split("-")[0]
        found = next((one for one in releases_of(site) if one == name or (one.split("-")[0] == number and (stones or name == number))), None)
        if found is None:
            raise NotFound(f"没有版本“{name}”，或已经清理。现存的版本：{'、'.join(releases_of(site))}。")
        files = json.loads((site / "releases" / found / "manifest.json").read_bytes())["files"]
        forget.save_gone(site, stones, files)
        switch(site, found)
        _clone(site)
    return found


def switch(site: Path, name: str) -> None:
    """The one moment: `current` points to another release. A crash before os.replace leaves the old one shown."""
    fresh = site / ".current-new"
    with suppress(FileNotFoundError):
        fresh.unlink()
    os.symlink(f"releases/{name}", fresh)
    os.replace(fresh, site / "current")
    _sync(site)


def _sink(site: Path, shown: str | None, known: Known | None) -> Sink:
    """Where the next release is built: in the links made for it, else in an empty folder."""
    releases, ready = site / "releases", site / ".next"
    root, clone = releases / ".building", releases / ".next"
    if shown and ready.is_file() and ready.read_text() == shown and clone.is_dir():
        ready.unlink()  # from here on they are links to a release no more
        os.rename(clone, root)
        return _over(root, releases / shown, known, cloned=True)
    return _sink_over(releases, shown, known)


def _sink_over(releases: Path, shown: str | None, known: Known | None = None) -> Sink:
    root = releases / ".building"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    return Sink(root) if shown is None else _over(root, releases / shown, known, cloned=False)


def _over(root: Path, last: Path, known: Known | None, *, cloned: bool) -> Sink:
    """`known`: only a little changes, so the manifest is not read, but looked up."""
    try:
        if known:
            return Sink(root, last, *open_manifest(last / "manifest.json"), cloned, known.made, known=known)
        manifest = msgspec.json.decode((last / "manifest.json").read_bytes())
        return Sink(root, last, manifest["files"], manifest["inputs"], cloned, manifest.get("made", {}))
    except (OSError, ValueError, KeyError):  # a damaged release is no base to link from: write everything
        shutil.rmtree(root)
        root.mkdir()
        return Sink(root)


def _to_disk(sink: Sink) -> None:
    """Every fresh byte and every folder is on the disk before the release gets its name."""
    if sink.many or len(sink.fresh) > MANY:
        _sync_all(sink.root)
        return
    for path in [*sink.fresh, "manifest.json"]:
        _sync(sink.root / path)
    for folder in sorted({sink.root, *(sink.root / folder for folder in sink.folders)}):
        _sync(folder)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sync_all(folder: Path) -> None:
    """Bring the whole file system of a folder to the disk, and only that one: os.sync waits for all of the machine's."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(opened) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")
    except AttributeError:  # a C library without it
        os.sync()
    finally:
        os.close(opened)


def _last_number(site: Path) -> int:
    return max((int(name.split("-")[0]) for name in releases_of(site)), default=0)


def _clean(site: Path) -> None:
    """Remove what an interrupted run left: an unfinished build, a half-removed release, a link never switched to.

    The links for the next release stay where they are complete and those of the release shown.
    """
    ready = site / ".next"
    kept = ready.is_file() and ready.read_text() == current(site)
    for path in (site / "releases").iterdir():
        if path.name.startswith(".") and not (kept and path.name == ".next"):
            shutil.rmtree(path)
    if not kept:
        ready.unlink(missing_ok=True)
    for name in (".current-new", *(f".{name}.new" for name in (forget.STONES, forget.MARK, forget.GONE, forget.GONE_MAP, ".next", KNOWN))):
        (site / name).unlink(missing_ok=True)


def _prune(site: Path) -> None:
    """Keep the newest releases and always the one shown; a crash here leaves a dotted folder for the next run."""
    shown = current(site)
    old = [name for name in releases_of(site) if name != shown]
    for name in old[: max(0, len(old) - (KEPT - 1))]:
        _remove(site, name)


def _remove(site: Path, name: str) -> None:
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

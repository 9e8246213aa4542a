"""Backing up an installation into one sealed archive, and putting it back at an empty place.

    database/portal.db | database/portal.dump   by the engine's own means (portal.store.backup)
    data/...                                    the data folder: keys, clock, published bundle, the release shown, the rest
    manifest.json                               what it is (`about`), and every file's size and SHA-256

Left out is what is made again by itself: older releases, PDF and font caches, scratch.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.domain.errors import BadInput, WrongMoment
from portal.steps.acting import Acting, stamp
from portal.store import backup as store
from portal.store import schema
from portal.store.archive import Archive, open_new, write_archive
from portal.store.backup import Facts
from portal.store.engine import transaction

SPEC = "mingcha-backup/1"
RESTORING = "restoring"  # in a data folder: a restore is at work there, or was killed
_REMADE = frozenset({"tmp", "fonts", "bundles/next", "site/pdf-cache", "site/current", RESTORING})
_KEYS = "keys"


# Backing up --------------------------------------------------------------------


async def save_database(act: Acting, url: str, to: Path, *, keys: bool) -> Facts:
    """The database as one state, in the file `to`. That a backup was begun is an act, and in it already."""
    act.require("setup.backup")
    async with transaction():
        await act.audit("setup.backup", "backup", keys=keys)
    return await store.save_database(url, to)


def write_backup(
    file: Path, database: Path, facts: Facts, *, data: Path, beside: tuple[Path, ...], keys: bool, version: str, at: datetime
) -> dict[str, Any]:
    """Write the archive into the new file; its manifest. On the disk when this returns.

    `beside`: the database's own files, which are not copied. Nobody may publish meanwhile.
    """
    shown = _release_shown(data)
    sources = [(f"database/{store.FILES[facts.engine]}", database)]
    sources += [(f"data/{name}", place) for name, place in _list_files(data, shown, keys) if place not in beside]
    about = {"spec": SPEC, "version": version, "at": stamp(at), "database": facts.to_data(), "release": shown, "keys": keys}
    with open_new(file) as out:
        manifest = write_archive(out, sources, about)
        out.flush()
        os.fsync(out.fileno())
    return manifest


@contextmanager
def scratch_beside(target: Path) -> Iterator[tuple[Path, Callable[[Path], None]]]:
    """(a folder beside the target, a function that gives a file of it the target's name). Gone afterwards; a kill leaves it
    under a hidden name that says nothing is whole, and the next backup of that name removes it."""
    scratch = target.with_name(f".{target.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)

    def name(file: Path) -> None:
        if target.exists():
            raise BadInput(f"“{target}”已经存在，备份不会覆盖它。请换一个文件名。")
        os.rename(file, target)
        _sync(target.parent)

    try:
        yield scratch, name
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _release_shown(data: Path) -> str | None:
    link = data / "site" / "current"
    if not link.is_symlink():
        return None
    name = os.readlink(link).removeprefix("releases/")
    if "/" in name or not (data / "site" / "releases" / name).is_dir():
        raise WrongMoment(f"公示网站的 current 指错了地方（“{name}”）。请先运行 portal publish，再备份。")
    return name


def _list_files(data: Path, shown: str | None, keys: bool) -> Iterator[tuple[str, Path]]:
    """(path below the data folder, the file) of all that is kept: rooms that are added later are kept without being named here."""

    def walk(folder: Path, below: str) -> Iterator[tuple[str, Path]]:
        for place in sorted(folder.iterdir()):
            name = below + place.name
            if place.name.startswith(".") or name in _REMADE or (name == _KEYS and not keys):
                continue
            if below == "site/releases/" and place.name != shown:
                continue
            if below and place.is_symlink():  # a whole room may lie on another disk, but no more than that
                raise WrongMoment(f"数据目录里的“{name}”是符号链接，不能备份。请改成普通的文件或文件夹。")
            if place.is_dir():
                yield from walk(place, f"{name}/")
            elif place.is_file():
                if not _is_text(name):
                    raise WrongMoment(f"数据目录里有文件名不是 UTF-8：{ascii(name)}。请改名后再备份。")
                yield name, place

    return walk(data, "")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes of another encoding, as the system hands them over
        return False
    return True


# Putting it back ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation is put back: a data folder and a database, both empty."""

    data: Path
    url: str

    @property
    def mark(self) -> Path:
        """While it is there no command opens the data folder."""
        return self.data / RESTORING

    def begin(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.mark.mkdir(mode=0o700)
        _sync(self.data)

    def take_back(self) -> None:
        """Empty both again after a refusal or a full disk; the mark goes last."""
        store.remove_database(self.url)
        for place in self.data.iterdir():
            if place != self.mark:
                shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        shutil.rmtree(self.mark)

    def end(self) -> None:
        os.sync()  # a power cut after this finds every file; one for each of a large site would take hours
        shutil.rmtree(self.mark)
        _sync(self.data)


def require_whole(data: Path) -> None:
    """Raises WrongMoment for a data folder where a restore did not come to its end."""
    if (data / RESTORING).exists():
        raise WrongMoment(f"数据目录“{data}”正在恢复，或者恢复没有做完，不能使用。请等它结束；已经中断的，清空目录和数据库后重新恢复。")


def require_known(archive: Archive) -> Facts:
    """What the backup's database holds. BadInput for a format of another program or version."""
    said = archive.manifest
    if said.get("spec") != SPEC:
        raise BadInput(f"备份的格式是“{said.get('spec')}”，本程序只认识 {SPEC}。请用建立它的程序版本恢复。")
    shown = said.get("release")
    there = shown is None or any(name.startswith(f"data/site/releases/{shown}/") for name in said["files"])
    if not there or not {"version", "at", "keys", "database"} <= set(said):
        raise BadInput("备份的清单不完整。请换一份备份。")
    return Facts.of_data(said["database"])


async def require_restorable(archive: Archive, place: Place) -> Facts:
    """What the backup's database holds. Refuses a newer program, another engine, a place that is not empty."""
    facts = require_known(archive)
    if set(facts.migrations) - schema.wanted():
        raise WrongMoment(f"备份由更新版本的程序（{archive.manifest['version']}）建立，本程序不能恢复。请升级程序。")
    here = store.engine_of(place.url)
    if facts.engine != here:
        names = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
        raise BadInput(f"备份来自 {names.get(facts.engine, facts.engine)}，DATABASE_URL 指的是 {names[here]}。请改 DATABASE_URL 后重试。")
    if place.mark.exists():
        require_whole(place.data)
    if place.data.exists() and any(place.data.iterdir()):
        raise WrongMoment(f"数据目录“{place.data}”不是空的，恢复不会覆盖它。请用 PORTAL_DATA 另指一个空目录。")
    await store.require_empty(place.url)
    return facts


def unpack(archive: Archive, place: Place) -> int:
    """Put the files of the data folder where they belong; how many. The database waits inside the mark."""
    archive.unpack("database/", place.mark)
    count = archive.unpack("data/", place.data)
    for room in place.data.iterdir():  # what auditors' folders and uploads hold is their owner's; the site is everybody's
        if room.is_dir() and room.name != "site":
            room.chmod(0o700)
    for page in (place.data / "site").rglob("*"):
        if page.is_file():
            page.chmod(0o644)
    if shown := archive.manifest["release"]:
        os.symlink(f"releases/{shown}", place.data / "site" / "current")
    return count


async def restore_database(archive: Archive, facts: Facts, place: Place, at: Callable[[], datetime]) -> None:
    """Put the database back, see that it holds what was saved, and note the restore as an act."""
    await store.restore_database(place.url, place.mark / store.FILES[facts.engine])
    await store.require_facts(place.url, facts)
    await store.note_restore(place.url, stamp(at()), {"backup": archive.digest, "acts": facts.acts, "made_at": archive.manifest["at"]})


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

"""Catalogues as files of gettext (.po, .mo): read for a running portal, checked, and brought up to date. Babel does the format."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from portal.domain.errors import BadInput
from portal.texts.catalogue import Catalogue
from portal.texts.messages import Found, check_wording

SHIPPED = Path(__file__).resolve().parents[1] / "locale"
HEADER = "# What the portal says. A sentence without a wording is said as it is written."
LARGEST = 16 << 20  # bytes of a catalogue


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of a file with its wording, empty where it has none or an unsure (fuzzy) one. `line`: of the file, 0 in a .mo file."""

    msgid: str
    wording: str
    line: int
    again: bool = False  # the file has had it before


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was read; `catalog` is Babel's."""

    entries: tuple[Entry, ...]
    language: str
    catalog: Any


def load_wording(name: str) -> Catalogue | None:
    """The catalogue PORTAL_TEXTS names, None for none. Raises BadInput where it is not there, cannot be read or has a wrong value in a sentence."""
    if not name:
        return None
    return _loaded(name, tuple((str(file), file.stat().st_mtime_ns) for file in files_of(name)))


@cache
def _loaded(name: str, files: tuple[tuple[str, int], ...]) -> Catalogue:
    messages, language = {}, ""
    for path, _ in files:
        read = read_catalogue(Path(path))
        language = language or read.language
        for entry in read.entries:
            if entry.wording:
                if wrong := check_wording(entry.msgid, entry.wording):
                    raise BadInput(f"“{path}”第 {entry.line} 行“{entry.msgid}”的译文{wrong}。请用 portal texts check 检查后改正。")
                messages[entry.msgid] = entry.wording
    return Catalogue(messages, language or "zh-CN")


def files_of(name: str) -> list[Path]:
    """The files a name stands for: a language that is shipped, a file, or the .po and .mo files of a folder, later ones winning."""
    shipped = SHIPPED / name / "LC_MESSAGES"
    place = shipped if name.isidentifier() and shipped.is_dir() else Path(name)
    found = sorted(file for file in place.iterdir() if file.suffix in (".po", ".mo")) if place.is_dir() else [place] if place.is_file() else []
    if not found:
        languages = "、".join(sorted(folder.name for folder in SHIPPED.iterdir()))
        raise BadInput(f"PORTAL_TEXTS 指的“{name}”不是随程序提供的语言（{languages}），也不是 .po、.mo 文件或存放它们的文件夹。请检查。")
    return found


def read_catalogue(file: Path) -> Read:
    """A .po or .mo file. Raises BadInput with the line where it is not one."""
    try:
        data = file.read_bytes() if file.stat().st_size <= LARGEST else b""
    except OSError as problem:
        raise BadInput(f"文本目录“{file}”不能读取：{problem.strerror}。请检查路径和权限。") from None
    if not data:
        raise BadInput(f"文本目录“{file}”是空的，或者超过 {LARGEST >> 20} MB。")
    return _read_mo(file, data) if file.suffix == ".mo" else _read_po(file, data)


def _read_mo(file: Path, data: bytes) -> Read:
    from babel.messages.mofile import read_mo

    try:
        catalog = read_mo(io.BytesIO(data))
    except (OSError, ValueError, IndexError) as problem:
        raise BadInput(f"“{file}”不是 .mo 文件（{problem}）。请重新编译。") from None
    return Read(tuple(Entry(one.id, str(one.string), 0) for one in catalog if one.id and isinstance(one.id, str)), _language(catalog), catalog)


def _read_po(file: Path, data: bytes) -> Read:
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import PoFileError, PoFileParser

    class Noticing(Catalog):
        """A catalogue keeps one of two entries of a message; here both are noticed."""

        def __setitem__(self, msgid: Any, message: Any) -> None:
            if msgid:
                fuzzy = "fuzzy" in message.flags
                known = any(one.msgid == msgid for one in entries) if msgid in self else False
                entries.append(Entry(str(msgid), "" if fuzzy else str(message.string or ""), message.lineno or 0, known))
            super().__setitem__(msgid, message)

    entries: list[Entry] = []
    catalog = Noticing()
    try:
        lines = data.decode().splitlines(keepends=True)
        PoFileParser(catalog, abort_invalid=True).parse(lines)
    except UnicodeDecodeError:
        raise BadInput(f"“{file}”不是 UTF-8 文本。请另存为 UTF-8。") from None
    except PoFileError as problem:
        raise BadInput(f"“{file}”第 {problem.lineno + 1} 行不合 .po 文件的写法。请改正。") from None
    except (ValueError, SyntaxError) as problem:
        raise BadInput(f"“{file}”不是 .po 文件（{problem}）。请检查。") from None
    return Read(tuple(entries), _language(catalog), catalog)


def _language(catalog: Any) -> str:
    return str(catalog.locale_identifier or "").replace("_", "-")


def check_catalogue(read: Read, messages: Sequence[Found]) -> tuple[list[tuple[int, str]], dict[str, int]]:
    """((line, what is wrong) of each wrong entry, counts: messages, worded, without, unknown)."""
    wrong = []
    for entry in read.entries:
        if entry.again:
            wrong.append((entry.line, f"“{entry.msgid}”出现两次，请留一条"))
        if entry.wording and (said := check_wording(entry.msgid, entry.wording)):
            wrong.append((entry.line, f"“{entry.msgid}”的译文{said}"))
    known = {one.msgid for one in messages}
    worded = {entry.msgid for entry in read.entries if entry.wording}
    counts = {"messages": len(known), "worded": len(known & worded), "without": len(known - worded), "unknown": len(worded - known)}
    return sorted(wrong), counts


def write_catalogue(messages: Sequence[Found], before: Read | None, *, language: str = "") -> bytes:
    """All messages with their places, in a new file of that language, or in the file `before` with its wordings; what is no longer said goes to its end.

    The same messages give the same bytes: no date is written. Raises BadInput for a language that is none.
    """
    from babel.core import Locale, UnknownLocaleError
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    try:
        fresh = Catalog(Locale.parse(language.replace("-", "_")) if language else None, project="mingcha", version="1", charset="utf-8", fuzzy=False, header_comment=HEADER)
    except (UnknownLocaleError, ValueError):
        raise BadInput(f"“{language}”不是语言的代码，例如 en、zh_CN。") from None
    for one in messages:
        fresh.add(one.msgid, locations=[(one.file, one.line)], flags=["python-brace-format"] if "{" in one.msgid else [])
    made = fresh
    if before is not None:
        made = before.catalog
        made.update(fresh, no_fuzzy_matching=True, update_creation_date=False)
    stream = io.BytesIO()
    write_po(stream, made, width=0)
    return re.sub(rb'"(POT-Creation|PO-Revision)-Date: [^\n]*\n|"(Last-Translator|Language-Team|Report-Msgid-Bugs-To): [^\n]*\n', b"", stream.getvalue())

"""The part of a font that a document embeds: only the glyphs it uses, the same bytes whatever the machine.

WeasyPrint leaves this to harfbuzz, and each version of harfbuzz writes another file; it also names
fonts by a text of pango's that changes with pango.  Layout itself came out the same on Debian 12 and
13, so these two were all that made documents differ.  Done here for the fonts we ship (CFF, keyed by
CID, no subroutines: `bench/make_fonts.py` makes them so); any other font is still harfbuzz's work.

What is embedded is the bare CFF (`/CIDFontType0C`), not an OpenType file around it: there a viewer
finds the glyph of a CID by the font's own list, so the glyphs not used need no place.  With numbers kept
and a byte for each glyph between, one rare character cost 68 KB.
Source: Adobe Technical Note 5176 (CFF), section numbers below; ISO 32000-1, 9.7.4.2 and table 126.
"""

from __future__ import annotations

import io
import struct
import zlib
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import md5
from itertools import accumulate
from types import SimpleNamespace
from typing import Any

from fontTools.ttLib.sfnt import SFNTReader

_CHARSET, _CHARSTRINGS, _PRIVATE, _SUBROUTINES = 15, 17, 18, 19  # operators of DICT data, section 9
_LEVEL = 6  # 9, pydyf's, takes twice the time for half a hundredth of the size
_ROS, _FDARRAY, _FDSELECT = 1230, 1236, 1237  # two bytes, the first of them 12


class NotOurs(Exception):
    """This font is of another kind; harfbuzz shall cut it."""


@dataclass(frozen=True, slots=True)
class _Index:
    """An INDEX (section 5): `count` objects, read where they stand; `end` is the first byte after it."""

    data: bytes
    start: int

    @property
    def count(self) -> int:
        return int.from_bytes(self.data[self.start : self.start + 2])

    def _offset(self, n: int) -> int:
        size = self.data[self.start + 2]
        at = self.start + 3 + n * size
        return self.start + 2 + (self.count + 1) * size + int.from_bytes(self.data[at : at + size])

    def __getitem__(self, n: int) -> bytes:
        return self.data[self._offset(n) : self._offset(n + 1)]

    @property
    def end(self) -> int:
        return self._offset(self.count) if self.count else self.start + 2


def embed(font: bytes, glyphs: Collection[int]) -> bytes:
    """A CFF font of `glyphs` and glyph 0, in the order of their numbers in `font`, each with its number there as CID.

    Raises NotOurs for a font of another kind.
    """
    source = _read(font)
    kept = sorted({0, *glyphs})
    owners = _owners(source, kept)
    outlines = _write_index([source.glyphs[n] for n in kept])
    charset = b"\x00" + struct.pack(f">{len(kept) - 1}H", *kept[1:])  # section 13, format 0
    select = b"\x03" + struct.pack(">H", len(owners)) + b"".join(struct.pack(">HB", *pair) for pair in owners)
    select += struct.pack(">H", len(kept))

    def written(places: dict[int, int], private_at: list[int]) -> tuple[bytes, bytes]:
        """The Top DICT, its INDEX and all before the glyphs; and the INDEX of Font DICTs. Every offset takes five bytes."""
        top = {name: said for name, said in source.top.items() if name not in places} | {k: _integer(v) for k, v in places.items()}
        dicts = [_write_dict(part | {_PRIVATE: _integer(len(private)) + _integer(at)})
                 for part, private, at in zip(source.parts, source.privates, private_at, strict=True)]
        return source.head + source.names + _write_index([_write_dict(top)]) + source.strings + b"\x00\x00", _write_index(dicts)

    nowhere = dict.fromkeys((_CHARSET, _FDSELECT, _CHARSTRINGS, _FDARRAY), 0)
    start, dicts = written(nowhere, [0] * len(source.parts))  # for their lengths
    places, at = {}, len(start)
    for name, what in ((_CHARSET, charset), (_FDSELECT, select), (_CHARSTRINGS, outlines), (_FDARRAY, dicts)):
        places[name], at = at, at + len(what)
    private_at = []
    for private in source.privates:
        private_at.append(at)
        at += len(private)
    start, dicts = written(places, private_at)
    return b"".join([start, charset, select, outlines, dicts, *source.privates])


@dataclass(frozen=True, slots=True)
class _Source:
    """A CFF table taken apart: what stands before the glyphs as it is, the glyphs, the Font DICTs with their Private DICTs."""

    cff: bytes
    head: bytes
    names: bytes
    strings: bytes
    top: dict[int, bytes]
    glyphs: _Index
    parts: list[dict[int, bytes]]
    privates: list[bytes]


@lru_cache(maxsize=16)  # a worker has a file for each role, and behind it one for rare characters
def _read(font: bytes) -> _Source:
    """An OpenType font's outlines; read once a worker, megabytes each.  Raises NotOurs."""
    reader = SFNTReader(io.BytesIO(font))
    if "CFF " not in reader.tables or "fvar" in reader.tables:
        raise NotOurs
    cff = reader["CFF "]
    names = _Index(cff, cff[2])
    tops = _Index(cff, names.end)
    strings = _Index(cff, tops.end)
    shared = _Index(cff, strings.end)
    top = _dict(tops[0])
    if _ROS not in top or shared.count:
        raise NotOurs
    fonts = _Index(cff, _number(top[_FDARRAY]))
    parts, privates = [_dict(fonts[n]) for n in range(fonts.count)], []
    for part in parts:
        size, at = _numbers(part[_PRIVATE])
        privates.append(cff[at : at + size])
        if _SUBROUTINES in _dict(privates[-1]):
            raise NotOurs
    glyphs = _Index(cff, _number(top[_CHARSTRINGS]))
    return _Source(cff, cff[: cff[2]], cff[names.start : names.end], cff[strings.start : strings.end], top, glyphs, parts, privates)


def _owners(source: _Source, kept: list[int]) -> list[tuple[int, int]]:
    """(place in `kept`, Font DICT) of each run of glyphs that share one (section 19)."""
    cff, at = source.cff, _number(source.top[_FDSELECT])
    if cff[at] == 0:
        owner = lambda n: cff[at + 1 + n]  # noqa: E731
    elif cff[at] == 3:
        ranges = int.from_bytes(cff[at + 1 : at + 3])
        known = [struct.unpack_from(">HB", cff, at + 3 + 3 * n) for n in range(ranges)]
        firsts = [first for first, _ in known]
        owner = lambda n: known[bisect_right(firsts, n) - 1][1]  # noqa: E731
    else:
        raise NotOurs
    runs: list[tuple[int, int]] = []
    for place, glyph in enumerate(kept):
        if not runs or runs[-1][1] != owner(glyph):
            runs.append((place, owner(glyph)))
    return runs


# DICT data and INDEX data, sections 4 and 5 --------------------------------------


def _dict(data: bytes) -> dict[int, bytes]:
    """Operator -> its operands as they are written."""
    found, at, start = {}, 0, 0
    while at < len(data):
        byte = data[at]
        if byte <= 21:
            wide = byte == 12
            found[1200 + data[at + 1] if wide else byte] = data[start:at]
            at += 2 if wide else 1
            start = at
        elif byte == 30:  # a real number: half bytes up to one that is f
            at += 1
            while data[at] & 15 != 15 and data[at] >> 4 != 15:
                at += 1
            at += 1
        else:
            at += 3 if byte == 28 else 5 if byte == 29 else 1 if byte <= 246 else 2
    return found


def _write_dict(entries: Mapping[int, bytes]) -> bytes:
    """In the order given; ROS stands first because it did."""
    return b"".join(operands + (bytes((12, name - 1200)) if name >= 1200 else bytes((name,))) for name, operands in entries.items())


def _numbers(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        byte = data[at]
        if byte == 28:
            found.append(int.from_bytes(data[at + 1 : at + 3], signed=True))
        elif byte == 29:
            found.append(int.from_bytes(data[at + 1 : at + 5], signed=True))
        elif 32 <= byte <= 246:
            found.append(byte - 139)
        elif 247 <= byte <= 250:
            found.append((byte - 247) * 256 + data[at + 1] + 108)
        elif 251 <= byte <= 254:
            found.append(-(byte - 251) * 256 - data[at + 1] - 108)
        else:
            raise NotOurs
        at += 3 if byte == 28 else 5 if byte == 29 else 1 if byte <= 246 else 2
    return found


def _number(data: bytes) -> int:
    [number] = _numbers(data)
    return number


def _integer(number: int) -> bytes:
    return b"\x1d" + struct.pack(">i", number)


def _write_index(objects: Collection[bytes]) -> bytes:
    if not objects:
        return b"\x00\x00"
    ends = list(accumulate(map(len, objects), initial=1))
    size = (ends[-1].bit_length() + 7) // 8
    places = bytearray(struct.pack(f">{len(ends)}I", *ends))
    for width in range(4, size, -1):
        del places[::width]  # the first byte of each, which is 0
    return struct.pack(">HB", len(objects), size) + places + b"".join(objects)


# In WeasyPrint's place -----------------------------------------------------------


class _Bare(bytes):
    """A CFF font behind the mark of an OpenType one, which is how WeasyPrint knows what kind of font it writes."""

    MARK = b"OTTO"


def write_bare(document: Any, pdf: Any) -> None:
    """A `finisher` of WeasyPrint: name each of our fonts what it is.  `CIDToGIDMap` has no place in a font of this kind (ISO 32000-1, table 117)."""
    for thing in pdf.objects:
        if getattr(thing, "stream", None) and isinstance(thing.stream[0], _Bare):
            thing.stream, thing.extra["Subtype"] = [thing.stream[0].removeprefix(_Bare.MARK)], "/CIDFontType0C"
        elif isinstance(thing, dict) and thing.get("Subtype") == "/CIDFontType0":
            thing.pop("CIDToGIDMap", None)


def install() -> None:
    """Let WeasyPrint use the above.  It reaches into one of its inner classes, pinned by the lock file;
    should that change, documents are only as different between machines as they were before."""
    import pydyf
    from weasyprint.pdf import fonts, stream

    face_of, data_of = fonts.get_pango_font_hb_face, fonts.get_hb_object_data
    faces: dict[Any, Any] = {}  # kept alive by being here, so that an address is never that of a later face
    files: dict[Any, bytes] = {}

    def face_once(font: Any) -> Any:
        face = face_of(font)
        return faces.setdefault(face, face)

    def data_once(thing: Any, *more: Any) -> bytes | None:
        """A whole font is taken out of harfbuzz once, not for each size of each document."""
        if more or thing not in faces:
            return data_of(thing, *more)
        if thing not in files:
            files[thing] = data_of(thing)
        return files[thing]

    fonts.get_pango_font_hb_face, fonts.get_hb_object_data = face_once, data_once

    class OurFont(fonts.Font):
        def __init__(self, *arguments: Any):
            super().__init__(*arguments)
            name = self.name.partition(b"+")[2]
            digest = md5(name + repr(sorted(self.variations.items())).encode(), usedforsecurity=False).digest()
            self.hash = "".join(chr(65 + letter % 26) for letter in digest[:6])
            self.name = b"/" + self.hash.encode() + b"+" + name

        def subset(self, to_unicode: dict[int, str], hinting: bool) -> None:
            try:
                if not to_unicode or self.missing or hinting:
                    raise NotOurs
                self.file_content = _Bare(_Bare.MARK + embed(self.file_content, to_unicode))
            except (NotOurs, ValueError, LookupError, struct.error):
                super().subset(to_unicode, hinting)

    stream.Font = OurFont
    pydyf.zlib = SimpleNamespace(compress=zlib.compress, compressobj=lambda level: zlib.compressobj(_LEVEL))

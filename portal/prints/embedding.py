"""The part of a font that a document embeds: only the glyphs it uses, the same bytes whatever the machine.

WeasyPrint leaves this to harfbuzz, and each version of harfbuzz writes another file; it also names
fonts by a text of pango's that changes with pango.  Layout itself came out the same on Debian 12 and
13, so these two were all that made documents differ.  Done here for the fonts we ship (CFF, keyed by
CID, no subroutines: `bench/make_fonts.py` makes them so); any other font is still harfbuzz's work.
Source: Adobe Technical Note 5176 (CFF), section numbers below.
"""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import md5
from itertools import accumulate
from typing import Any

from fontTools.ttLib.sfnt import SFNTReader, SFNTWriter

_CHARSET, _CHARSTRINGS, _PRIVATE, _SUBROUTINES = 15, 17, 18, 19  # operators of DICT data, section 9
_ROS, _FDARRAY, _FDSELECT = 1230, 1236, 1237  # two bytes, the first of them 12
_ENDCHAR = b"\x0e"
_TABLES = ("head", "OS/2", "post")  # taken over as they are


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


def embed(font: bytes, glyphs: Mapping[int, str]) -> bytes:
    """An OpenType font with the outlines of `glyphs` (number -> its text) and of glyph 0; numbers stay as they are.

    Raises NotOurs for a font of another kind.
    """
    reader = SFNTReader(io.BytesIO(font))
    if "CFF " not in reader.tables or "fvar" in reader.tables:
        raise NotOurs
    kept = sorted({0, *glyphs})
    count = kept[-1] + 1
    made = {name: reader[name] for name in _TABLES}
    made["CFF "] = _embed_outlines(reader["CFF "], kept)
    made["hhea"] = reader["hhea"][:34] + struct.pack(">H", count)
    made["hmtx"] = _embed_widths(reader["hmtx"], int.from_bytes(reader["hhea"][34:36]), kept)
    made["maxp"] = struct.pack(">IH", 0x00005000, count)
    made["cmap"] = _character_map(glyphs)
    out = io.BytesIO()
    writer = SFNTWriter(out, len(made), sfntVersion="OTTO")
    for name in sorted(made):
        writer[name] = made[name]
    writer.close()
    return out.getvalue()


def _embed_outlines(cff: bytes, kept: list[int]) -> bytes:
    names = _Index(cff, cff[2])
    tops = _Index(cff, names.end)
    strings = _Index(cff, tops.end)
    shared = _Index(cff, strings.end)
    top = _dict(tops[0])
    if _ROS not in top or shared.count:
        raise NotOurs
    outlines, fonts = _Index(cff, _number(top[_CHARSTRINGS])), _Index(cff, _number(top[_FDARRAY]))
    owners = _owners(cff, _number(top[_FDSELECT]), kept)

    last = kept[-1]
    drawn = [_ENDCHAR] * (last + 1)
    for n in kept:
        drawn[n] = outlines[n]
    glyphs = _write_index(drawn)
    charset = b"\x02" + struct.pack(">HH", 1, last - 1) if last else b"\x00"  # section 13: CID n is glyph n
    select = b"\x03" + struct.pack(">H", len(owners)) + b"".join(struct.pack(">HB", *pair) for pair in owners)
    select += struct.pack(">H", last + 1)
    parts, privates = [_dict(fonts[n]) for n in range(fonts.count)], []
    for part in parts:
        size, at = _numbers(part[_PRIVATE])
        privates.append(cff[at : at + size])
        if _SUBROUTINES in _dict(privates[-1]):
            raise NotOurs

    def written(places: dict[int, int], private_at: list[int]) -> tuple[bytes, bytes]:
        """The Top DICT, its INDEX and all before the glyphs; and the INDEX of Font DICTs. Every offset takes five bytes."""
        head = _write_dict({name: top[name] for name in top if name not in places} | {k: _integer(v) for k, v in places.items()})
        dicts = [_write_dict(part | {_PRIVATE: _integer(len(private)) + _integer(at)})
                 for part, private, at in zip(parts, privates, private_at, strict=True)]
        start = cff[:4] + cff[4 : cff[2]] + cff[names.start : names.end] + _write_index([head]) + cff[strings.start : strings.end]
        return start + b"\x00\x00", _write_index(dicts)

    nowhere = dict.fromkeys((_CHARSET, _FDSELECT, _CHARSTRINGS, _FDARRAY), 0)
    start, dicts = written(nowhere, [0] * len(parts))  # for their lengths
    places, at = {}, len(start)
    for name, what in ((_CHARSET, charset), (_FDSELECT, select), (_CHARSTRINGS, glyphs), (_FDARRAY, dicts)):
        places[name], at = at, at + len(what)
    private_at = []
    for private in privates:
        private_at.append(at)
        at += len(private)
    start, dicts = written(places, private_at)
    return b"".join([start, charset, select, glyphs, dicts, *privates])


def _owners(cff: bytes, at: int, kept: list[int]) -> list[tuple[int, int]]:
    """(first glyph, Font DICT) of each run (section 19); a glyph not kept belongs to the run before it."""
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
    for glyph in kept:
        if not runs or runs[-1][1] != owner(glyph):
            runs.append((glyph, owner(glyph)))
    return runs


def _embed_widths(table: bytes, known: int, kept: list[int]) -> bytes:
    """hmtx: advance and left side of each kept glyph, nothing for the others.  Glyphs from `known` on share the last advance."""
    out = bytearray(4 * (kept[-1] + 1))
    for glyph in kept:
        last = 4 * min(glyph, known - 1)
        side = 4 * glyph + 2 if glyph < known else 4 * known + 2 * (glyph - known)
        out[4 * glyph : 4 * glyph + 4] = table[last : last + 2] + table[side : side + 2]
    return bytes(out)


def _character_map(glyphs: Mapping[int, str]) -> bytes:
    """cmap, format 12: one group for each character that is a glyph of its own."""
    groups = sorted((ord(text), glyph) for glyph, text in glyphs.items() if len(text) == 1)
    body = b"".join(struct.pack(">III", point, point, glyph) for point, glyph in groups)
    return struct.pack(">HHHHIHHIII", 0, 1, 3, 10, 12, 12, 0, 16 + len(body), 0, len(groups)) + body


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


def install() -> None:
    """Let WeasyPrint use the above.  It reaches into one of its inner classes, pinned by the lock file;
    should that change, documents are only as different between machines as they were before."""
    from weasyprint.pdf import stream
    from weasyprint.pdf.fonts import Font

    class OurFont(Font):
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
                self.file_content = embed(self.file_content, to_unicode)
            except (NotOurs, ValueError, LookupError, struct.error):
                super().subset(to_unicode, hinting)

    stream.Font = OurFont

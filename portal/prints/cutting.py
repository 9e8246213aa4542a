"""Cutting a font down to some characters: harfbuzz's work, called directly, 0.5 s a font.

A whole CJK font (65,535 glyphs) costs every document time and space.  fontTools could cut as well,
but needs minutes for a font of this kind.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from pathlib import Path

_DROP = (b"GSUB", b"GPOS", b"GDEF", b"BASE", b"VORG", b"vhea", b"vmtx", b"DSIG")
_NO_HINTS, _NO_SUBROUTINES, _TABLES_TO_DROP = 1, 4, 3  # hb-subset.h


def gb2312() -> list[int]:
    """The code points of GB/T 2312 and of ASCII, sorted, with the few signs official texts add."""
    points = {*range(0x20, 0x7F), 0xA0, *map(ord, "—…·×℃〇①②③④⑤⑥⑦⑧⑨⑩≥≤㎡")}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                points.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:  # an unassigned cell
                continue
    return sorted(points)


def cut_font(file: Path, index: int, points: list[int]) -> bytes | None:
    """The font program with only the glyphs of `points`; None when harfbuzz-subset is not here."""
    try:
        hb, hs = _harfbuzz()
    except OSError:  # then whole fonts are used: right, only slower
        return None
    blob = hb.hb_blob_create_from_file(os.fsencode(file))
    face = hb.hb_face_create(blob, index)
    request = hs.hb_subset_input_create_or_fail()
    keep = hs.hb_subset_input_unicode_set(request)
    for point in points:
        hb.hb_set_add(keep, point)
    hs.hb_subset_input_set_flags(request, _NO_HINTS | _NO_SUBROUTINES)
    drop = hs.hb_subset_input_set(request, _TABLES_TO_DROP)
    for tag in _DROP:
        hb.hb_set_add(drop, int.from_bytes(tag, "big"))
    result = hs.hb_subset_or_fail(face, request)
    data = None
    if result:
        size = ctypes.c_uint()
        out = hb.hb_face_reference_blob(result)
        start = hb.hb_blob_get_data(out, ctypes.byref(size))
        data = ctypes.string_at(start, size.value) if start and size.value else None
        hb.hb_blob_destroy(out)
        hb.hb_face_destroy(result)
    hs.hb_subset_input_destroy(request)
    hb.hb_face_destroy(face)
    hb.hb_blob_destroy(blob)
    return data


@lru_cache(maxsize=1)
def _harfbuzz() -> tuple[ctypes.CDLL, ctypes.CDLL]:
    """libharfbuzz and libharfbuzz-subset (WeasyPrint needs both), their functions declared."""
    hb, hs = ctypes.CDLL("libharfbuzz.so.0"), ctypes.CDLL("libharfbuzz-subset.so.0")
    pointer, uint = ctypes.c_void_p, ctypes.c_uint
    for library, name, result, arguments in (
        (hb, "hb_blob_create_from_file", pointer, [ctypes.c_char_p]),
        (hb, "hb_blob_get_data", pointer, [pointer, ctypes.POINTER(uint)]),
        (hb, "hb_blob_destroy", None, [pointer]),
        (hb, "hb_face_create", pointer, [pointer, uint]),
        (hb, "hb_face_reference_blob", pointer, [pointer]),
        (hb, "hb_face_destroy", None, [pointer]),
        (hb, "hb_set_add", None, [pointer, uint]),
        (hs, "hb_subset_input_create_or_fail", pointer, []),
        (hs, "hb_subset_input_unicode_set", pointer, [pointer]),
        (hs, "hb_subset_input_set", pointer, [pointer, ctypes.c_int]),
        (hs, "hb_subset_input_set_flags", None, [pointer, uint]),
        (hs, "hb_subset_input_destroy", None, [pointer]),
        (hs, "hb_subset_or_fail", pointer, [pointer, pointer]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return hb, hs

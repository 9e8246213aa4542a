"""Chinese fonts for the PDFs: find them, cut them down once, say clearly when there are none.

Without a Chinese font WeasyPrint reports success and prints empty boxes, so nothing is printed
before `require_fonts` has found a file for every role.  A whole CJK font (65,535 glyphs) costs
every document time and space; each is cut once to the 7,445 characters of GB/T 2312 and kept in a
folder of the caller's.  The whole fonts stay reachable behind the cut ones for rare characters
(㛃, 𬭎).  The cutting is harfbuzz's, called directly: 0.2 s a font, against 19 s with fontTools.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from portal.domain.errors import WrongMoment

INSTALL = "apt-get install fonts-noto-cjk"
SYSTEM_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")

# Per role of GB/T 9704, the files to look for, best first: (file, face in the collection, name).
# Real 仿宋, 小标宋 and 楷体 come from an operator's own folder; Noto is what Debian can install.
# A font shipped with the project later is one more line here and its folder in `folders`.
_SERIF = ("NotoSerifCJK-Regular.ttc", 2, "Noto Serif CJK SC")
_SERIF_BOLD = ("NotoSerifCJK-Bold.ttc", 2, "Noto Serif CJK SC")
_SANS = ("NotoSansCJK-Regular.ttc", 2, "Noto Sans CJK SC")
_LAST = (("wqy-microhei.ttc", 0, "WenQuanYi Micro Hei"),)
ROLES: dict[str, tuple[tuple[str, int, str], ...]] = {
    "MC-FS": (("simfang.ttf", 0, "FangSong"), ("FZFSK.TTF", 0, "FZFangSong-Z02"),
              _SERIF, ("NotoSerifSC-Regular.otf", 0, "Noto Serif SC"), *_LAST),
    "MC-XBS": (("FZXBSK.TTF", 0, "FZXiaoBiaoSong-B05"),
               _SERIF_BOLD, ("NotoSerifSC-Bold.otf", 0, "Noto Serif SC"), *_LAST),
    "MC-HT": (("simhei.ttf", 0, "SimHei"),
              _SANS, ("NotoSansSC-Regular.otf", 0, "Noto Sans SC"), *_LAST),
    "MC-KT": (("simkai.ttf", 0, "KaiTi"), ("LXGWWenKai-Regular.ttf", 0, "LXGW WenKai"),
              _SERIF, ("NotoSerifSC-Regular.otf", 0, "Noto Serif SC"), *_LAST),
}

_DROP = (b"GSUB", b"GPOS", b"GDEF", b"BASE", b"VORG", b"vhea", b"vmtx", b"DSIG")
_NO_HINTS, _NO_SUBROUTINES, _TABLES_TO_DROP = 1, 4, 3  # hb-subset.h


@dataclass(frozen=True, slots=True)
class Face:
    """One font file for one role; `name` is what fontconfig calls the whole font."""

    role: str
    file: Path
    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Fonts:
    """What a print worker needs: the cut files by role, the whole fonts' names, fontconfig's file.

    `digest` (hex) changes when any of the font files does.
    """

    cut: dict[str, Path]
    names: dict[str, str]
    config: Path
    digest: str


def find_faces(folders: tuple[str | Path, ...] = ()) -> tuple[list[Face], list[str]]:
    """The best file for every role, and the roles that have none; `folders` go before the system's."""
    found: dict[str, Path] = {}
    wanted = {name.lower() for files in ROLES.values() for name, _, _ in files}
    for folder in (*folders, *SYSTEM_FOLDERS):
        for path in sorted(Path(folder).expanduser().rglob("*")):
            if path.name.lower() in wanted:
                found.setdefault(path.name.lower(), path)
    faces, missing = [], []
    for role, files in ROLES.items():
        best = next((f for f in files if f[0].lower() in found), None)
        if best is None:
            missing.append(role)
        else:
            faces.append(Face(role, found[best[0].lower()], best[1], best[2]))
    return faces, missing


def require_fonts(folders: tuple[str | Path, ...] = ()) -> list[Face]:
    """A face for every role.

    Raises WrongMoment when no Chinese font is installed.
    """
    faces, missing = find_faces(folders)
    if missing:
        raise WrongMoment(
            f"这台计算机没有可用的中文字体，PDF 文件会只有空框，因此没有排版。请先安装字体：{INSTALL}"
        )
    return faces


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


def cut_fonts(faces: list[Face], folder: Path) -> Fonts:
    """The faces cut to GB/T 2312 in `folder`, made where missing (about 0.2 s each).

    Two processes may do this at once: each writes a file of its own and renames it; a crash leaves
    at most an unfinished `*.part`, which nobody reads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    points, cut, digest = gb2312(), {}, hashlib.sha256()
    for face in faces:
        whole = _hash_of(face.file, face.file.stat().st_size, face.file.stat().st_mtime_ns)
        digest.update(f"{face.role} {face.file.name} {face.index} {whole}\n".encode())
        path = folder / f"{face.file.stem}-{face.index}-{whole[:12]}.font"
        if not path.exists():
            _write(path, cut_font(face.file, face.index, points) or face.file.read_bytes())
        cut[face.role] = path
    config = folder / "fonts.conf"
    text = _config(sorted({str(f.file.parent) for f in faces}), folder / "cache")
    if not config.exists() or config.read_bytes() != text:
        _write(config, text)
    return Fonts(cut, {f.role: f.name for f in faces}, config, digest.hexdigest())


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


@lru_cache(maxsize=64)
def _hash_of(file: Path, size: int, changed_ns: int) -> str:
    """SHA-256 of a font file; size and time are in the key so that an exchanged file is read again."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _config(folders: list[str], cache: Path) -> bytes:
    """fontconfig's file for the workers: our fonts' folders only, so other fonts change nothing."""
    lines = ['<?xml version="1.0"?>', '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">', "<fontconfig>"]
    lines += [f"<dir>{escape(folder)}</dir>" for folder in folders]
    lines += [f"<cachedir>{escape(str(cache))}</cachedir>", "</fontconfig>", ""]
    return "\n".join(lines).encode()


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a file of this process's own, then a rename over the name."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)

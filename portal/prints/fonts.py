"""The fonts of the PDFs: those shipped beside this file, and an operator's own in front of them.

No font of the machine is ever looked at, so a document has the same letters everywhere and nothing
needs installing.  Each shipped face is in two parts (fonts/README.md): the characters of GB/T 2312,
which keep documents quick and small, and behind them all others (`-Rare`: 㛃, 𬭎).  They are packed in
the checkout, unpacked once into a folder of the caller's, and compared with SHA256SUMS at each start.

An operator who has real 仿宋, 小标宋 or 楷体 names their folder in PORTAL_FONTS; they are cut to
GB/T 2312 too, stay reachable whole for rare characters, and ours stand behind them.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from portal.domain.errors import WrongMoment
from portal.prints.cutting import cut_font, gb2312

SHIPPED = Path(__file__).parent / "fonts"
SUMS = "SHA256SUMS"

# Per role of GB/T 9704: the shipped face, the families behind it, and the files an operator may
# bring, best first: (file, face in the collection, what fontconfig calls it).
_SERIF, _SANS = ("MC Serif", "MC Serif Rare"), ("MC Sans", "MC Sans Rare")
ROLES: dict[str, tuple[str, tuple[str, ...], tuple[tuple[str, int, str], ...]]] = {
    "MC-FS": ("NotoSerifSC-Regular", _SERIF, (("simfang.ttf", 0, "FangSong"), ("FZFSK.TTF", 0, "FZFangSong-Z02"))),
    "MC-XBS": ("NotoSerifSC-Bold", _SERIF, (("FZXBSK.TTF", 0, "FZXiaoBiaoSong-B05"),)),
    "MC-HT": ("NotoSansSC-Regular", _SANS + _SERIF, (("simhei.ttf", 0, "SimHei"),)),
    "MC-KT": ("NotoSerifSC-Regular", _SERIF, (("simkai.ttf", 0, "KaiTi"), ("LXGWWenKai-Regular.ttf", 0, "LXGW WenKai"))),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwnFace:
    """A font file of the operator's for one role; `name` is what fontconfig calls the whole font."""

    role: str
    file: Path
    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Fonts:
    """What a print worker needs: by role the file used first and the families behind it, and fontconfig's file.

    `digest` (hex) changes when any of the fonts does.
    """

    first: dict[str, Path]
    behind: dict[str, tuple[str, ...]]
    config: Path
    digest: str


def load_sums(shipped: Path = SHIPPED) -> dict[str, str]:
    """File name of each shipped font, unpacked -> its SHA-256 (hex).  WrongMoment where the list is missing."""
    try:
        lines = (shipped / SUMS).read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    sums = {name: digest for digest, name in (line.split(maxsplit=1) for line in lines if re.fullmatch(r"[0-9a-f]{64}  [\w.-]+", line))}
    missing = {f"{stem}{part}.otf" for stem, _, _ in ROLES.values() for part in ("", "-Rare")} - set(sums)
    if missing:
        raise WrongMoment(_damaged(SUMS, "缺少或不完整"))
    return sums


def load_shipped(name: str, shipped: Path = SHIPPED) -> bytes:
    """One shipped font, unpacked and compared with its sum.  WrongMoment naming the file that is not as it should be."""
    try:
        font = lzma.decompress((shipped / f"{name}.xz").read_bytes())
    except OSError:
        raise WrongMoment(_damaged(f"{name}.xz", "缺少或不能读取")) from None
    except lzma.LZMAError:
        raise WrongMoment(_damaged(f"{name}.xz", "已损坏")) from None
    if hashlib.sha256(font).hexdigest() != load_sums(shipped)[name]:
        raise WrongMoment(_damaged(f"{name}.xz", "与 SHA256SUMS 不符"))
    return font


def _damaged(file: str, what: str) -> str:
    return f"随程序的字体文件 portal/prints/fonts/{file} {what}，因此没有排版。请重新取得完整的程序文件"


def find_own(folder: Path | None) -> list[OwnFace]:
    """The operator's best file for each role that has one.

    Raises WrongMoment when the folder is not there: documents would silently look otherwise.
    """
    if folder is None:
        return []
    if not folder.is_dir():
        raise WrongMoment(f"PORTAL_FONTS 指的字体文件夹“{folder}”不存在。请改正路径，或去掉这个设置而用随程序的字体")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        found.setdefault(path.name.lower(), path)
    faces = []
    for role, (_, _, files) in ROLES.items():
        best = next((one for one in files if one[0].lower() in found), None)
        if best:
            faces.append(OwnFace(role, found[best[0].lower()], best[1], best[2]))
    return faces


def ready_fonts(folder: Path, own: Path | None = None) -> Fonts:
    """The shipped fonts unpacked into `folder`, the operator's cut into it; made where missing or not as they should be.

    Two processes may do this at once: each writes a file of its own and renames it; a crash leaves
    at most an unfinished `*.part`, which nobody reads.  Raises WrongMoment (see `load_shipped`, `find_own`).
    """
    sums, faces = load_sums(), find_own(own)
    unpacked = folder / "shipped"
    unpacked.mkdir(parents=True, exist_ok=True)
    for name, digest in sums.items():
        if not (unpacked / name).exists() or _sum_of(unpacked / name) != digest:
            _write(unpacked / name, load_shipped(name))
    first = {role: unpacked / f"{stem}.otf" for role, (stem, _, _) in ROLES.items()}
    behind = {role: families for role, (_, families, _) in ROLES.items()}
    version = hashlib.sha256(repr(sorted(sums.items())).encode())
    for face in faces:
        whole = _sum_of(face.file)
        version.update(f"{face.role} {face.file.name} {face.index} {whole}\n".encode())
        path = folder / f"{face.file.stem}-{face.index}-{whole[:12]}.font"
        if not path.exists():
            _write(path, cut_font(face.file, face.index, gb2312()) or face.file.read_bytes())
        first[face.role] = path
        behind[face.role] = (face.name, *behind[face.role])
    text = _config([unpacked, *sorted({face.file.parent for face in faces})], folder / "cache")
    # Named by what is in it: a printer with other fonts must not change what the next worker of this one reads.
    config = folder / f"fonts-{hashlib.sha256(text).hexdigest()[:12]}.conf"
    if not config.exists() or config.read_bytes() != text:
        _write(config, text)
    return Fonts(first, behind, config, version.hexdigest())


def _sum_of(file: Path) -> str:
    """SHA-256 of a font file; size and time are in the key so that an exchanged file is read again."""
    known = file.stat()
    return _hash(file, known.st_size, known.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash(file: Path, size: int, changed_ns: int) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _config(folders: list[Path], cache: Path) -> bytes:
    """fontconfig's file for the workers: these folders only, so no font of the machine changes anything."""
    lines = ['<?xml version="1.0"?>', '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">', "<fontconfig>"]
    lines += [f"<dir>{escape(str(folder))}</dir>" for folder in folders]
    lines += [f"<cachedir>{escape(str(cache))}</cachedir>", "</fontconfig>", ""]
    return "\n".join(lines).encode()


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a file of this process's own, then a rename over the name."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)

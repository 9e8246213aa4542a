"""Make the fonts of portal/prints/fonts/ again from the collections that Debian's fonts-noto-cjk holds.

    python -m bench.make_fonts FOLDER            compare: says of each font whether it comes out the same
    python -m bench.make_fonts FOLDER --write    writes the packed fonts and SHA256SUMS

FOLDER holds NotoSerifCJK-Regular.ttc, NotoSerifCJK-Bold.ttc and NotoSansCJK-Regular.ttc.  Of each the
face for simplified Chinese is cut in two: the characters of GB/T 2312, which nearly every document
makes do with, and all others that it has (`-Rare`).  Dropped are hints, layout tables and the glyphs
of other regions.  Families are renamed, so that a font of the machine is never taken for ours.
Packed (xz) they differ by the version of liblzma; what counts, and is compared, is the font itself.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools.ttLib import TTFont

from portal.prints.cutting import cut_font, gb2312
from portal.prints.fonts import SHIPPED, SUMS, load_sums

SIMPLIFIED = 2  # the face for simplified Chinese in each collection
SOURCES = (
    ("NotoSerifCJK-Regular.ttc", "NotoSerifSC-Regular", "MC Serif"),
    ("NotoSerifCJK-Bold.ttc", "NotoSerifSC-Bold", "MC Serif"),
    ("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular", "MC Sans"),
)
KEPT_NAMES = (0, 5, 7, 13, 14)  # copyright, version, trademark, licence, its address


def make_all(folder: Path) -> Iterator[tuple[str, bytes]]:
    """(file name, font) of all six."""
    for source, stem, family in SOURCES:
        with TTFont(folder / source, fontNumber=SIMPLIFIED, lazy=True) as whole:
            has, common = set(whole.getBestCmap()), set(gb2312())
        yield f"{stem}.otf", make_font(folder / source, family, has & common)
        yield f"{stem}-Rare.otf", make_font(folder / source, f"{family} Rare", has - common)


def make_font(source: Path, family: str, points: set[int]) -> bytes:
    cut = cut_font(source, SIMPLIFIED, sorted(points))
    if cut is None:
        raise SystemExit(f"{source}: libharfbuzz-subset is not installed, or this is no font")
    font = TTFont(io.BytesIO(cut), recalcTimestamp=False)
    style = "Bold" if font["OS/2"].usWeightClass >= 700 else "Regular"
    table = font["name"]
    with TTFont(source, fontNumber=SIMPLIFIED, lazy=True) as whole:
        table.names = [record for record in whole["name"].names if record.nameID in KEPT_NAMES]
    origin = f"Cut by the Mingcha project from {source.name}, face {SIMPLIFIED}"
    name = f"{family} {style}"
    for number, text in ((1, family), (2, style), (4, name), (6, name.replace(" ", "")), (10, origin)):
        table.setName(text, number, 3, 1, 0x409)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    made = {}
    for name, font in make_all(args.folder):
        made[name] = hashlib.sha256(font).hexdigest()
        if args.write:
            (SHIPPED / f"{name}.xz").write_bytes(lzma.compress(font, check=lzma.CHECK_SHA256, preset=9))
        same = "" if args.write else "same" if load_sums().get(name) == made[name] else "DIFFERENT"
        print(f"{made[name]}  {name}  {len(font):>10,} bytes  {same}", flush=True)
    if args.write:
        (SHIPPED / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(made.items())))
    return 0 if args.write or made == load_sums() else 1


if __name__ == "__main__":
    sys.exit(main())

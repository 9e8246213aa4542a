"""Reading PDFs in tests: their decompressed objects, and their text through pdftotext where it is."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib

import pytest


def insides(pdf: bytes) -> bytes:
    """Every stream of the file decompressed, with the dictionaries around them."""
    parts, at = [], 0
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S):
        parts.append(pdf[at : match.start()])
        try:
            parts.append(zlib.decompress(match.group(1)))
        except zlib.error:
            parts.append(match.group(1))
        at = match.end()
    return b"\n".join([*parts, pdf[at:]])


def page_count(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", insides(pdf)))


def info(pdf: bytes, field: str) -> str:
    """A field of the document's information; "" when it has none."""
    inside = insides(pdf)
    inside = inside[inside.rindex(b"/Producer") :]  # the first entry; bookmarks and attachments have alike names
    match = re.search(rb"/" + field.encode() + rb" ?(?:<(feff[0-9a-f]*)>|\(([^)]*)\))", inside)
    if not match:
        return ""
    return bytes.fromhex(match.group(1).decode()).decode("utf-16") if match.group(1) else match.group(2).decode()


def fonts_in(pdf: bytes) -> set[str]:
    """The embedded fonts' names."""
    return {name.decode() for name in re.findall(rb"/BaseFont ?/[A-Z]+\+([\w-]+)", insides(pdf))}


def missing_glyphs(pdf: bytes) -> bool:
    """Whether a character is printed as a box: WeasyPrint then adds an encoding of its own."""
    return b"/WP-Encod" in insides(pdf)


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, without white space. Skips the test where pdftotext is not installed."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext (poppler-utils) is not installed")
    done = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    return ["".join(page.split()) for page in done.stdout.decode().split("\f")[:-1]]


def text_of(pdf: bytes) -> str:
    return "".join(pages_of(pdf))


def lines_of(pdf: bytes, page: int) -> list[str]:
    """The lines of a page as they stand on it. Skips the test where pdftotext is not installed."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext (poppler-utils) is not installed")
    done = subprocess.run(["pdftotext", "-layout", "-f", str(page), "-l", str(page), "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode().splitlines()


def ink_of(pdf: bytes, page: int, left: float, right: float, top: float, bottom: float) -> tuple[float, float, float, float]:
    """Where something is printed in a part of a page, in mm from its upper left corner: left, right, top, bottom. Skips without pdftoppm."""
    if not shutil.which("pdftoppm"):
        pytest.skip("pdftoppm (poppler-utils) is not installed")
    done = subprocess.run(["pdftoppm", "-gray", "-r", "127", "-f", str(page), "-l", str(page), "-"], input=pdf, capture_output=True, check=True)
    _, size, _, raster = done.stdout.split(b"\n", 3)  # 127 points an inch: five a millimetre
    wide, (x0, x1, y0, y1) = int(size.split()[0]), (round(one * 5) for one in (left, right, top, bottom))
    dark = [(x, y) for y in range(y0, y1) for x, shade in enumerate(raster[y * wide + x0 : y * wide + x1], x0) if shade < 160]
    xs, ys = [x for x, _ in dark], [y for _, y in dark]
    return min(xs) / 5, (max(xs) + 1) / 5, min(ys) / 5, (max(ys) + 1) / 5

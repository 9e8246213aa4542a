"""Pictures somebody took or drew, made small and plain in a child process that can be killed.

A photo comes over the network, so its decoder works in a process of its own with a
limit on memory and time.  What comes back is a new picture: turned upright, at most
LONGEST_SIDE pixels long, without the camera's data (position, owner, thumbnail).  The
moment it was taken is kept beside it; the digest of the bytes that came is kept too, so
that the original, if the inspector keeps it, can be shown to be the same.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from portal.domain.errors import BadInput
from portal.prints.limits import limit_cpu, limit_process

__all__ = ["LONGEST_SIDE", "Picture", "read_photo", "read_signature"]

LONGEST_SIDE = 2048  # pixels: writing on a licence stays readable
MOST_PIXELS = 60_000_000
_SIGNATURE = (1200, 600)  # pixels
_ROOT = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG (photo) or PNG (signature); `taken`: YYYY-MM-DD HH:MM:SS as the camera said, or empty."""

    data: bytes
    media: str
    width: int
    height: int
    taken: str


def read_photo(data: bytes, name: str, *, seconds: float = 20, memory_bytes: int = 1 << 30) -> Picture:
    """The photo, made plain.  Blocks: call it in a thread.  BadInput where it is no JPEG, PNG or WebP, too large or damaged."""
    return _read(data, name, "photo", seconds, memory_bytes)


def read_signature(data: bytes, name: str, *, seconds: float = 20, memory_bytes: int = 1 << 30) -> Picture:
    """A signature drawn on the screen or photographed, in black on white."""
    return _read(data, name, "signature", seconds, memory_bytes)


def _read(data: bytes, name: str, kind: str, seconds: float, memory_bytes: int) -> Picture:
    environment = {"PYTHONPATH": _ROOT, "PYTHONIOENCODING": "utf-8", "PATH": os.environ.get("PATH", "")}
    task = json.dumps({"kind": kind, "seconds": int(seconds) + 1, "memory": memory_bytes})
    try:
        done = subprocess.run(
            [sys.executable, "-B", "-m", "portal.prints.photos", task], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment, timeout=seconds, check=True,
        )  # fmt: skip
        head, _, picture = done.stdout.partition(b"\n")
        return Picture(picture, **json.loads(head))
    except (subprocess.SubprocessError, ValueError, TypeError):
        raise BadInput(f"“{name}”不能作为照片读取：不是 JPG、PNG 或 WebP 图片，或者已损坏、尺寸过大。请重新拍摄后上传。") from None


def main() -> None:
    """The child: the picture on stdin; a line of JSON and the new picture on stdout.  Any failure ends it with an error."""
    task = json.loads(sys.argv[1])
    limit_process(task["memory"], 0)
    limit_cpu(task["seconds"])
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # counted below, before anything is decoded
    with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=("JPEG", "PNG", "WEBP")) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise SystemExit(1)
        taken = _taken(opened)
        if task["kind"] == "photo":
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded no larger than needed
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            media, options = "image/jpeg", {"format": "JPEG", "quality": 80, "optimize": True}
        else:
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail(_SIGNATURE)
            media, options = "image/png", {"format": "PNG", "optimize": True}
        plain = Image.new("RGB", picture.size, "white")
        transparent = picture.convert("RGBA")
        plain.paste(transparent, mask=transparent)
        out = io.BytesIO()
        (plain if task["kind"] == "photo" else plain.convert("L")).save(out, **options)
    head = {"media": media, "width": picture.width, "height": picture.height, "taken": taken}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + out.getvalue())


def _taken(picture) -> str:
    """DateTimeOriginal (Exif 36867, else 306) as YYYY-MM-DD HH:MM:SS; empty where it is missing or of another shape."""
    from datetime import datetime

    try:
        tags = picture.getexif()
        said = str(tags.get_ifd(0x8769).get(36867) or tags.get(306) or "")
        return datetime.strptime(said.strip("\0 "), "%Y:%m:%d %H:%M:%S").strftime("%Y-%m-%d %H:%M:%S")
    except Exception:  # the camera's data may be anything; the photo is good without it
        return ""


if __name__ == "__main__":
    main()

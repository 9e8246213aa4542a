"""How the printer and its workers talk: a length (4 bytes, big-endian), then that many bytes.

Requests are JSON.  An answer is one byte, `+` or `-`, then the PDF or a sentence for people.
"""

from __future__ import annotations

import os
import select
import time

LARGEST = 256 * 1024 * 1024


class Gone(Exception):
    """The other side closed the pipe."""


class TooLate(Exception):
    """The time was up before the whole answer had come."""


def send_frame(fd: int, data: bytes) -> None:
    """Write one frame.  Raises Gone when nobody reads any more."""
    view = memoryview(len(data).to_bytes(4, "big") + data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except BrokenPipeError:
        raise Gone from None


def read_frame(fd: int, until: float | None = None) -> bytes:
    """Read one frame; `until` is a time.monotonic() instant.  Raises Gone, TooLate."""
    size = int.from_bytes(_read(fd, 4, until), "big")
    if size > LARGEST:  # not ours: something else wrote into the pipe
        raise Gone
    return _read(fd, size, until)


def _read(fd: int, size: int, until: float | None) -> bytes:
    chunks, missing = [], size
    while missing:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise TooLate
        chunk = os.read(fd, min(missing, 1 << 20))
        if not chunk:
            raise Gone
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)

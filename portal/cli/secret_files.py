"""Secrets in files of the command line: a holder's own, and the copy for the third party."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.cli.failures import words_of
from portal.cli.office import read_line
from portal.domain.errors import BadInput

FEWEST_KINDS = 16  # different bytes among 32 random ones: fewer happens once in 10^16


def own_secret(place: Path | None) -> bytes | None:
    """The 32 bytes that a holder brings in a file, None where the file is not there yet. BadInput for anything else."""
    if place is None or not place.exists():
        return None
    line = read_line(str(place), "密值文件")
    if not re.fullmatch(r"[0-9a-f]{64}", line):
        raise BadInput(f"密值文件“{place}”应是一行 64 位小写十六进制。密值副本不会覆盖已有的文件，要生成新密值请换一个文件名。")
    secret = bytes.fromhex(line)
    if len(set(secret)) < FEWEST_KINDS:
        raise BadInput(f"密值文件“{place}”的内容不像随机数，别人能猜到。请用随机方法生成 32 字节。")
    return secret


@contextmanager
def with_copy(place: Path) -> Iterator[Callable[[str], None]]:
    """A new file for the copy, opened before the secret exists: one made and committed to could not be made again.

    A refusal removes the file; a crash may leave an empty one.
    """
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise BadInput(f"密值副本不能写到“{place}”：{words_of(problem)}。") from None
    with os.fdopen(handle, "w") as file:

        def write(secret: str) -> None:
            file.seek(0)
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())

        try:
            write("0" * 64)  # a full disk shows now
            yield write
        except BaseException:
            place.unlink()
            raise

"""Compiled templates beside the templates, as Python keeps compiled modules beside modules: a quarter of a second for whoever publishes once and ends.

Whoever may write there may change the program itself, so what lies there is trusted as much. Where nobody may write, or
what lies there is of another program, templates are compiled as if there were nothing.
"""

from __future__ import annotations

import hashlib
import sys
from contextlib import suppress
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache


class Compiled(FileSystemBytecodeCache):
    """`program`: a digest of the code whose filters and settings are compiled into templates."""

    def __init__(self, folder: Path, program: str):
        super().__init__(str(folder), "%s.jinja")
        self.program = program

    def get_source_checksum(self, source: str) -> str:
        return hashlib.sha256("\0".join((source, self.program, jinja2.__version__)).encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # torn or foreign: whatever reading it says, it is made anew
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                Path(self.directory).mkdir(exist_ok=True)
                super().dump_bytecode(bucket)

"""The bytes of a file in pieces, as they lie or unpacked where they are gzip: as often as asked, never more than allowed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from portal.domain.errors import BadInput
from portal.sheets.limits import Limits, megabytes

__all__ = ["Source"]

PIECE = 1 << 18
_GZIP = b"\x1f\x8b"


class Source:
    """A file's content. BadInput where it is too long, or its gzip is broken, cut short or hides too much."""

    def __init__(self, data: bytes | Path, called: str, limits: Limits):
        self.called, self.limits = called, limits
        self._data = data
        self.size = data.stat().st_size if isinstance(data, Path) else len(data)
        if self.size > limits.file_bytes:
            raise BadInput(f"{called}有 {megabytes(self.size)}，超过上限 {megabytes(limits.file_bytes)}。请拆分后分别上传。")
        self._packed = next(self._raw(), b"")[:2] == _GZIP
        if self._packed and self.start[:2] == _GZIP:
            raise BadInput(f"{called}被压缩了两层。请解压后上传。")

    @cached_property
    def start(self) -> bytes:
        """The first piece: what a file is can be told from it."""
        return next(self.pieces(), b"")

    def pieces(self) -> Iterator[bytes]:
        """The content from its beginning, at most a quarter of a megabyte at a time."""
        return self._unpacked() if self._packed else self._raw()

    def whole(self) -> bytes:
        if isinstance(self._data, bytes) and not self._packed:
            return self._data
        return b"".join(self.pieces())

    def stream(self) -> io.BufferedReader:
        """The content from its beginning, as an open file."""
        return io.BufferedReader(_Pieces(self.pieces()), PIECE)

    def _raw(self) -> Iterator[bytes]:
        if isinstance(self._data, bytes):
            for start in range(0, len(self._data), PIECE):
                yield self._data[start : start + PIECE]
            return
        with self._data.open("rb") as stream:
            while piece := stream.read(PIECE):
                yield piece

    def _unpacked(self) -> Iterator[bytes]:
        limits = self.limits
        allowed = min(limits.unpacked_bytes, max(limits.ratio_from, limits.ratio * self.size))
        unpacker = zlib.decompressobj(wbits=31)
        total = 0
        for packed in self._raw():
            while packed:
                if unpacker.eof:  # several gzip files one after the other are one file; zeros pad it
                    if not packed.strip(b"\0"):
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                try:
                    piece = unpacker.decompress(packed, PIECE)
                except zlib.error:
                    raise BadInput(f"{self.called}的压缩数据已损坏。请重新压缩或直接上传表格。") from None
                total += len(piece)
                if total > allowed:
                    raise BadInput(f"{self.called}解压后过大（上限 {megabytes(allowed)}）。请拆分后分别上传。")
                if piece:
                    yield piece
                packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        # What the last piece left inside the unpacker, where it filled a piece exactly.
        while not unpacker.eof and (piece := unpacker.decompress(b"", PIECE)):
            total += len(piece)
            if total > allowed:
                raise BadInput(f"{self.called}解压后过大（上限 {megabytes(allowed)}）。请拆分后分别上传。")
            yield piece
        if not unpacker.eof:
            raise BadInput(f"{self.called}不完整，可能没有上传完。请重新上传。")


class _Pieces(io.RawIOBase):
    """An iterator of bytes as a file, for readers that want one."""

    def __init__(self, pieces: Iterator[bytes]):
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into) -> int:  # type: ignore[override]
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        count = min(len(into), len(self._left))
        into[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

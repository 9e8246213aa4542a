"""How much of a file is read at all, and the sentence for what is more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.domain.cells import Merged
from portal.domain.errors import BadInput

__all__ = ["COMMAND", "UPLOAD", "Limits", "called", "cut_merged", "megabytes", "require_size"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at all. `ratio` is unpacked to packed size, asked only above `ratio_from` bytes unpacked.

    `row_characters` ends a CSV row that never does; `text_bytes` is what all cells together may hold.
    """

    file_bytes: int = 20 << 20
    unpacked_bytes: int = 128 << 20
    ratio: int = 100
    ratio_from: int = 8 << 20
    entries: int = 500
    rows: int = 300_000
    columns: int = 200
    cells: int = 2_000_000
    row_characters: int = 1 << 20
    text_bytes: int = 48 << 20


#: What a page accepts. Nobody uploading within it can make the portal hold 200 MB more (`bench.hostile_files`).
UPLOAD = Limits()

#: What the command line accepts: a province's register, and as much as Excel itself can hold.
COMMAND = Limits(
    file_bytes=2 << 30, unpacked_bytes=8 << 30, ratio=300, rows=20_000_000, columns=500, cells=600_000_000, text_bytes=8 << 30,
)  # fmt: skip


def called(name: str) -> str:
    """How messages speak of a file."""
    return f"“{name}”" if name else "文件"


def require_size(rows: int, columns: int, called: str, limits: Limits) -> None:
    """BadInput where a table of this many rows and columns is more than is read."""
    if rows > limits.rows:
        raise BadInput(f"{called}超过 {limits.rows:,} 行。请拆分后分别上传。")
    if columns > limits.columns:
        raise BadInput(f"{called}超过 {limits.columns} 列。请删除多余的列后重新上传。")
    if rows * columns > limits.cells:
        raise BadInput(f"{called}有 {rows:,} 行、{columns} 列，超过 {limits.cells:,} 个单元格。请拆分后分别上传。")


def cut_merged(ranges: Iterable[Merged], bottom: int, right: int, called: str, limits: Limits) -> tuple[Merged, ...]:
    """Merged ranges in order, cut to the last row and column (0-based) that hold something.

    One range may claim all the seventeen thousand million cells of a sheet, and a file may
    claim it again and again: whoever fills merged cells would not come to an end.
    """
    cut = [((a, b), (min(c, bottom), min(d, right))) for (a, b), (c, d) in sorted(ranges) if a <= bottom and b <= right]
    if sum((c - a + 1) * (d - b + 1) for (a, b), (c, d) in cut) > limits.cells:
        raise BadInput(f"{called}的合并单元格过多。请取消合并后重新上传。")
    return tuple(cut)


def megabytes(count: int) -> str:
    return f"{count / (1 << 20):.1f} MB"

"""The sheets of one workbook that somebody asks for, by name: an XLSForm has three."""

from __future__ import annotations

from collections.abc import Callable

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput
from portal.sheets.limited import read_sheet_limited
from portal.sheets.limits import UPLOAD, Limits
from portal.sheets.read import read_sheet

__all__ = ["read_workbook", "read_workbook_limited"]

_EMPTY = "的工作表都是空的。"


def read_workbook(data: bytes, name: str, wanted: Callable[[str], object], limits: Limits = UPLOAD) -> dict[str, Sheet]:
    """Sheet by name, in the order of the file; those `wanted` says no to are there without their rows.

    `wanted` says what a sheet is; of several that are the same only the first is read. A CSV is one sheet named "". BadInput as of `read_sheet`.
    """
    return _sheets(wanted, lambda sheet: read_sheet(data, name, limits, sheet))


def read_workbook_limited(data: bytes, name: str, wanted: Callable[[str], object]) -> dict[str, Sheet]:
    """The same for what came over the network: each sheet is parsed in a process of its own with limits. Blocks: call it in a thread."""
    return _sheets(wanted, lambda sheet: read_sheet_limited(data, name, sheet=sheet))


def _sheets(wanted: Callable[[str], object], read: Callable[[str], Sheet]) -> dict[str, Sheet]:
    first = read("")
    found = {first.name: first if wanted(first.name) else Sheet((), name=first.name)}
    taken = {wanted(first.name)}
    for other in first.others:
        what = wanted(other)
        found[other] = _one(other, read) if what and what not in taken else Sheet((), name=other)
        taken.add(what)
    return found


def _one(name: str, read: Callable[[str], Sheet]) -> Sheet:
    try:
        return read(name)
    except BadInput as refusal:
        if refusal.message.endswith(_EMPTY):  # said of a single sheet, too: here it is no reason to refuse the file
            return Sheet((), name=name)
        raise

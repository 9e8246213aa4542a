"""The sectors of an installation as a list to be read: `portal plugins` and the page 业务模块."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.model import CheckItem, Form, Register
from portal.hookspecs import HOOKS
from portal.plugins import Sectors, SectorRefusal

__all__ = ["BUILT_IN", "Listed", "list_sectors", "sector_to_data"]

#: the distribution that brings the sectors of plugins/
BUILT_IN = "mingcha"
SHEETS = "表格"  # instead of a distribution: a department brought its item list and forms as spreadsheets


@dataclass(frozen=True, slots=True)
class Listed:
    """One sector: what it is, where it came from, what it declares and answers, what is wrong with it.

    `state`: running | sample (installed, loaded only when named) | refused.
    """

    code: str
    name: str
    version: str
    department: str
    source: tuple[str, str]
    state: str
    hooks: tuple[str, ...]
    items: tuple[CheckItem, ...]
    forms: tuple[Form, ...]
    registers: tuple[Register, ...]
    problems: tuple[str, ...]

    @property
    def built_in(self) -> bool:
        return self.source[0] == BUILT_IN

    @property
    def came_from(self) -> str:
        """How users read the source."""
        return SHEETS if self.source[0] == SHEETS else "内置" if self.built_in else " ".join(self.source).strip() or "—"


def list_sectors(found: Sectors, refusals: Sequence[SectorRefusal] = ()) -> list[Listed]:
    """Every installed sector in order of its code, those refused or skipped as samples included."""
    refused = {one.sector for one in refusals if one.sector}
    return [_listed(found, code, refusals, code in refused) for code in sorted({*found.sectors, *found.skipped, *refused})]


def _listed(found: Sectors, code: str, refusals: Sequence[SectorRefusal], refused: bool) -> Listed:
    sector = found.sectors.get(code)
    own = tuple(
        tuple(one for one in things if one.code.startswith(f"{code}.")) for things in (found.items, found.forms, found.registers)
    )
    return Listed(
        code, sector.name if sector else "", sector.version if sector else "", sector.department if sector else "",
        (SHEETS, "") if code in found.sheets else found.sources.get(code, ("", "")), "refused" if refused else "running" if sector else "sample",
        tuple(hook for hook in HOOKS if (code, hook) in found.callers), *own,
        tuple(str(one) for one in refusals if one.sector == code),
    )  # fmt: skip


def sector_to_data(one: Listed) -> dict[str, Any]:
    """What `portal plugins --json` says of it."""
    return {
        "code": one.code, "name": one.name, "version": one.version, "department": one.department, "state": one.state,
        "source": {"built_in": one.built_in, "distribution": one.source[0], "version": one.source[1]}, "hooks": list(one.hooks),
        "items": [{"code": item.code, "version": item.version, "name": item.name} for item in one.items],
        "forms": [{"code": form.code, "version": form.version, "title": form.title} for form in one.forms],
        "registers": [{"code": register.code, "name": register.name} for register in one.registers],
        "problems": list(one.problems),
    }  # fmt: skip

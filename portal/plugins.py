"""Find the sectors, refuse to start on a mistake, and ask them one at a time.

Discovery is one door for built-in and third-party sectors: the entry-point group
`portal.sectors`, the name being the sector's code.  Sectors are trusted code, yet
one that raises or answers with the wrong type is named and never stops the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

import pluggy

from portal import hookspecs
from portal.domain.errors import NotFound, WrongMoment
from portal.domain.forms import public_answers
from portal.domain.model import (
    Candidate, CheckItem, FollowUp, Form, Page, PoolRule, Problem, Published, Record, Register, Sector, Task,
)
from portal.hookspecs import HOOKS, PROJECT
from portal.sector_checks import (
    Faulty, SectorCheck, SectorRefusal, call_sector, place_of, right_batch, right_follow_ups, right_list, right_pages,
    right_rule, right_summary,
)

__all__ = ["GROUP", "MOST_IN_BATCH", "SectorFault", "SectorProblem", "SectorRefusal", "Sectors", "discover_sectors"]

GROUP = "portal.sectors"
MOST_IN_BATCH = 10_000


class SectorProblem(Exception):
    """The portal does not start; `problems` are all reasons, for the operator (Chinese), `found` what could be read."""

    def __init__(self, problems: Sequence[SectorRefusal], found: Sectors):
        super().__init__("\n".join(map(str, problems)))
        self.problems, self.found = tuple(problems), found


@dataclass(frozen=True, slots=True)
class SectorFault:
    """A sector that failed while the others went on."""

    sector: str
    hook: str
    message: str


@dataclass(frozen=True, slots=True)
class Sectors:
    """The installed sectors: what they declare (sorted, immutable), and one method per hook that asks them.

    `sheets`: the codes of those that are run from spreadsheets; they answer no hook, and their
    pool rules are data, `rules` by item.
    """

    sectors: Mapping[str, Sector]
    items: tuple[CheckItem, ...]
    forms: tuple[Form, ...]
    registers: tuple[Register, ...]
    skipped: tuple[str, ...] = ()  # samples installed and not named
    sources: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False)  # (distribution, its version) they came in
    callers: Mapping[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)
    sheets: frozenset[str] = frozenset()
    rules: Mapping[str, PoolRule] = field(default_factory=dict)
    installed: Sectors | None = field(default=None, repr=False, compare=False)  # as they were before anything was joined

    @property
    def modules(self) -> Sectors:
        """The installed modules alone."""
        return self.installed or self

    def joined(self, sectors: Mapping[str, Sector], items: Sequence[CheckItem], forms: Sequence[Form], rules: Mapping[str, PoolRule]) -> Sectors:
        """These sectors and what came from spreadsheets: `sectors` by code, some perhaps installed ones with a new version."""
        return replace(
            self, sectors=MappingProxyType(dict(sorted({**self.sectors, **sectors}.items()))), rules=MappingProxyType(dict(rules)),
            items=tuple(sorted((*self.items, *items), key=_order)), forms=tuple(sorted((*self.forms, *forms), key=_order)),
            sheets=frozenset(sectors) - frozenset(self.sectors), installed=self.modules,
        )  # fmt: skip

    def versions(self) -> list[dict[str, str]]:
        """[{"sector", "version"}] sorted: part of every round."""
        return [{"sector": code, "version": one.version} for code, one in self.sectors.items()]

    def item(self, code: str, version: str | None = None) -> CheckItem:
        """That version of the item, or its newest; NotFound."""
        return _pick(self.items, code, version, "抽查事项")

    def form(self, code: str, version: str | None = None) -> Form:
        """That version of the form, or its newest; NotFound."""
        return _pick(self.forms, code, version, "检查表单")

    def titles(self) -> dict[str, str]:
        """Code of a form -> what its newest version is called; those of sectors that are gone are not in it."""
        return {form.code: form.title for form in self.forms}

    def items_named(self, name: str) -> list[CheckItem]:
        """The items (newest versions) that a plan may mean by this name or alias; several if it is ambiguous."""
        newest = {item.code: item for item in self.items}
        return [item for item in newest.values() if name == item.name or name in item.aliases]

    # ask owner

    def pool_rule(self, task: Task) -> PoolRule | None:
        """The owner's pool rule, if it has one; WrongMoment naming a sector that fails."""
        if task.sector in self.sheets:
            return self.rules.get(task.items[0])  # its own item comes first
        return self._owner(task.sector, "pool_rule", right_rule({one.code for one in self.registers}), task=_own(task))

    def exclude_from_pool(self, task: Task, batch: Sequence[Candidate]) -> dict[str, str]:
        """code -> reason for the candidates the owner excludes; at most MOST_IN_BATCH a call."""
        return self._batch("exclude_from_pool", task, batch)

    def adjust_risk(self, task: Task, batch: Sequence[Candidate]) -> dict[str, str]:
        """code -> class for the candidates whose class the owner changes; at most MOST_IN_BATCH a call."""
        return self._batch("adjust_risk", task, batch)

    def validate_record(self, record: Record, form: Form) -> list[Problem]:
        """The owner's problems of a record that check_answers found nothing in."""
        return self._owner(_owner_of(form), "validate_record", right_list(Problem), record=_sealed(record), form=form) or []

    def suggest_follow_up(self, record: Record, form: Form) -> list[FollowUp]:
        """The owner's suggestions; a reviewer confirms."""
        return self._owner(_owner_of(form), "suggest_follow_up", right_follow_ups, record=_sealed(record), form=form) or []

    def public_summary(self, record: Record, form: Form) -> str:
        """The owner's sentence, or empty; it is shown the public answers only."""
        shown = _sealed(replace(record, answers=public_answers(form, record.answers), before={}))
        return self._owner(_owner_of(form), "public_summary", right_summary, record=shown, form=form) or ""

    # gather, tell

    def publication_pages(
        self, task: Task, published: Sequence[Published]
    ) -> tuple[list[tuple[str, Page]], list[SectorFault]]:
        """(sector, page) of every sector, sorted by sector and slug, and the sectors that failed."""
        pages, faults = [], []
        for code in self.sectors:
            try:
                answer = call_sector(self.callers, code, "publication_pages", task=task, published=tuple(published))
                pages += [(code, page) for page in right_pages(answer)]
            except Faulty as error:
                faults.append(SectorFault(code, "publication_pages", str(error)))
        return sorted(pages, key=lambda pair: (pair[0], pair[1].slug)), faults

    def results_published(self, task: Task, count: int) -> list[SectorFault]:
        """Tell every sector; what comes back are those that failed."""
        faults = []
        for code in self.sectors:
            try:
                call_sector(self.callers, code, "results_published", task=task, count=count)
            except Faulty as error:
                faults.append(SectorFault(code, "results_published", str(error)))
        return faults

    # the one way to a sector

    def _owner(self, code: str, hook: str, right, **given: Any) -> Any:
        if code not in self.sectors:
            raise WrongMoment(f"业务模块“{code}”没有安装或没有启用，请联系系统管理员。")
        try:
            answer = call_sector(self.callers, code, hook, **given)
            return None if answer is None else right(answer)
        except Faulty as error:
            name = self.sectors[code].name
            raise WrongMoment(f"业务模块“{name}”（{code}）的 {hook} 出错：{error}。本次操作没有生效，请联系系统管理员。") from error

    def _batch(self, hook: str, task: Task, batch: Sequence[Candidate]) -> dict[str, str]:
        if len(batch) > MOST_IN_BATCH:
            raise ValueError(f"a batch has at most {MOST_IN_BATCH} candidates, this one {len(batch)}")
        right = right_batch({candidate.code for candidate in batch})

        return self._owner(task.sector, hook, right, task=_own(task), batch=tuple(batch)) or {}


def _pick(things: Sequence[Any], code: str, version: str | None, said: str) -> Any:
    found = [one for one in things if one.code == code and version in (None, one.version)]
    if not found:
        raise NotFound(f"没有{said}“{code}”{f'的 {version} 版' if version else ''}，请检查业务模块是否已启用。")
    return found[-1]


def _owner_of(form: Form) -> str:
    return form.code.partition(".")[0]


def _own(task: Task) -> Task:
    # What rides along (登记事项 on every other visit) changes nothing about whom the task is drawn from.
    return replace(task, items=tuple(item for item in task.items if item.partition(".")[0] == task.sector))


def _sealed(record: Record) -> Record:
    # A hook reads the record; what it writes into its copy must not reach the store.
    answers, before = MappingProxyType(dict(record.answers)), MappingProxyType(dict(record.before))
    return replace(record, answers=answers, outcomes=MappingProxyType(dict(record.outcomes)), before=before)


# Discovery ----------------------------------------------------------------------


def discover_sectors(allowed: str | None = None, modules: Mapping[str, Any] | None = None) -> Sectors:
    """The sectors to work with; SectorProblem with every reason not to start.

    `allowed` is PORTAL_SECTORS (comma separated); empty or None means every
    installed sector that is not a sample.  `modules` (name -> module) stands in
    for the entry points, for tests.
    """
    problems: list[SectorRefusal] = []
    names = [name.strip() for name in allowed.replace("，", ",").split(",") if name.strip()] if allowed else []
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    declared: dict[str, Sector] = {}
    gathered: dict[str, list] = {"check_items": [], "inspection_forms": [], "registers": []}
    skipped: list[str] = []
    callers: dict[tuple[str, str], Any] = {}
    checks: list[tuple[SectorCheck, Any]] = []
    sources: dict[str, tuple[str, str]] = {}
    for name, origin, module in _installed(names, modules, problems, sources):
        check = SectorCheck(name, origin, problems)
        if not check.functions(module):
            continue
        if manager.is_registered(module):
            check.refuse(name, f"和“{manager.get_name(module)}”是同一个 Python 模块，一个模块只能有一个代码。")
            continue
        manager.register(module, name)
        checks.append((check, module))
    for check, module in checks:
        # Only now: pluggy leaves out the plugins it is told of, not those that come later.
        others = [plugin for _, plugin in checks if plugin is not module]
        own = {(check.name, hook): manager.subset_hook_caller(hook, others) for hook in HOOKS if hasattr(module, hook)}
        sector = check.sector(own)
        if sector is None:
            continue
        if sector.sample and not names:
            skipped.append(check.name)
            continue
        declared[check.name] = sector
        own |= check.stated(sector, own)
        callers |= own
        check.declarations(own, gathered)
    if not problems:
        try:
            manager.check_pending()
        except pluggy.PluginValidationError as error:  # our own checks missed it: still never start
            problems.append(SectorRefusal("业务模块", str(error), "没有这个钩子。"))
    order = {kind: tuple(sorted(things, key=_order)) for kind, things in gathered.items()}
    found = Sectors(
        MappingProxyType(declared), order["check_items"], order["inspection_forms"], order["registers"],
        tuple(skipped), MappingProxyType(sources), MappingProxyType(callers),
    )  # fmt: skip
    if problems:
        raise SectorProblem(problems, found)
    return found


def _order(thing: Any) -> tuple:
    # 2026-10 comes after 2026-9
    parts = re.findall(r"[0-9]+|[^0-9]+", getattr(thing, "version", ""))
    return thing.code, [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _installed(
    names: Sequence[str], modules: Mapping[str, Any] | None, problems: list, sources: dict[str, tuple[str, str]]
) -> list[tuple[str, str, Any]]:
    """(name, where it comes from, module) sorted by name, only those named if any are; `sources` gets their distributions."""
    if modules is None:
        points = {(point.name, point.value): point for point in entry_points(group=GROUP)}
        sources |= {point.name: (point.dist.name, point.dist.version) for point in points.values() if point.dist}
        known = sorted((name, value, point.load) for (name, value), point in points.items())
    else:
        known = sorted((name, getattr(module, "__name__", "?"), lambda m=module: m) for name, module in modules.items())
    for name in sorted(set(names) - {one[0] for one in known}):
        there = "、".join(sorted({one[0] for one in known})) or "无"
        problems.append(SectorRefusal("设置 PORTAL_SECTORS ", name, f"没有安装这个业务模块，已安装的有：{there}。", name))
    found, origins = [], {}
    for name, origin, load in known:
        if names and name not in names:
            continue
        who = f"业务模块“{name}”（{origin}）"
        if name in origins:
            problems.append(SectorRefusal(who, name, f"代码重复，{origins[name]} 已经用了这个代码。", name))
            continue
        origins[name] = origin
        try:
            found.append((name, origin, load()))
        except (Exception, SystemExit) as error:
            problems.append(SectorRefusal(who, origin, f"无法载入，{place_of(error)}：{error}", name))
    return found



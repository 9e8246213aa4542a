"""For authors of sectors: load one sector alone, make what it is shown, ask it, compare.

    sectors = load_sector(water_heaters)
    form = sectors.form("water_heaters.shop")
    assert_points(problems_of(sectors, form, {"ccc": "no"}), "note")

Hooks are asked as the portal asks them: a wrong type is refused with the sentence a user would read.
Nothing here touches a database, a clock or the network; every date is fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import ModuleType
from typing import Any

from portal.domain.forms import check_answers, clean_answers, public_answers, visible
from portal.domain.model import Candidate, FollowUp, Form, Page, PoolRule, Problem, Published, Record, Task
from portal.domain.scope import meets
from portal.plugins import Sectors, discover_sectors

__all__ = [
    "TODAY", "adjusted", "answer_all", "assert_accepted", "assert_points", "drawn_from", "excluded", "follow_ups_of", "items_of", "load_sector",
    "made_pages", "make_candidate", "make_published", "make_record", "make_task", "pool_rule_of", "problems_of", "public_words",
]

TODAY = date(2026, 6, 15)
ENTITY = "91350582MA0000007P"  # invented; its check digits are right


def load_sector(module: ModuleType, name: str | None = None) -> Sectors:
    """The sector alone, checked as at start-up (SectorProblem); its name is the last part of the module's."""
    name = name or module.__name__.rpartition(".")[2]
    return discover_sectors(name, {name: module})


def make_task(sector: str, **given: Any) -> Task:
    """A task of the sector; any attribute can be given."""
    values: dict[str, Any] = {
        "code": "350582-2026-T001", "name": "测试任务", "sector": sector, "items": (),
        "window": (date(2026, 6, 1), date(2026, 10, 31)), "frozen_on": date(2026, 5, 29),
    }
    return Task(**values | given)


def make_candidate(code: str = ENTITY, **given: Any) -> Candidate:
    """A directory entry; any attribute can be given."""
    values: dict[str, Any] = {
        "code": code, "kind": "entity", "holder": code, "name": "测试有限公司", "type": "企业", "industries": ("5272",),
        "scope": "家用电器销售", "station": "测试所", "tags": (), "licences": (), "attributes": {}, "last_inspected": {},
    }
    return Candidate(**values | given)


def make_record(items: Sequence[str], answers: Mapping[str, Any], outcome: str = "none", **given: Any) -> Record:
    """A record with the same outcome for every item; any attribute can be given."""
    values: dict[str, Any] = {
        "visit": "V1", "task": "350582-2026-T001", "entity": ENTITY, "entity_name": "测试有限公司",
        "items": tuple(items), "answers": dict(answers), "outcomes": {item: outcome for item in items},
        "inspected_on": TODAY,
    }
    return Record(**values | given)


def make_published(entity: str = ENTITY, **given: Any) -> Published:
    """A public record as page hooks see it; any attribute can be given, `items` follow from `outcomes`."""
    outcomes = dict(given.get("outcomes", {}))
    values: dict[str, Any] = {
        "entity": entity, "entity_name": "测试有限公司", "items": tuple(outcomes), "outcomes": outcomes, "summary": "", "inspected_on": TODAY,
    }
    return Published(**values | given)


def answer_all(form: Form, verdict: str, answers: Mapping[str, Any], today: date = TODAY) -> dict[str, Any]:
    """`answers`, and `verdict` for every other required verdict point that is asked: for tests only."""
    filled = dict(answers)
    for field in form.fields():
        if field.type == "verdict" and field.required and field.name not in filled:
            if field.name in visible(form, filled, today):
                filled[field.name] = verdict
    return filled


def problems_of(
    sectors: Sectors,
    form: Form,
    answers: Mapping[str, Any],
    outcome: str = "none",
    items: Sequence[str] | None = None,
    today: date = TODAY,
    **given: Any,
) -> list[Problem]:
    """What an inspector would be told: first the form's own problems, only then the sector's.

    `items` are those of the record; by default all of the sector that use the form.
    """
    cleaned = clean_answers(form, answers, today)
    if problems := check_answers(form, cleaned, today):
        return problems
    if items is None:
        items = items_of(sectors, form)
    return sectors.validate_record(make_record(items, cleaned, outcome, **given), form)


def items_of(sectors: Sectors, form: Form) -> list[str]:
    """Codes of the sector's items that use the form: those of a record that asks for all."""
    return list(dict.fromkeys(item.code for item in sectors.items if item.form == form.code))


# Asking, as the portal asks ------------------------------------------------------


def pool_rule_of(sectors: Sectors, task: Task) -> PoolRule:
    """The rule of the task; without a hook, one that leaves everybody to the planner."""
    return sectors.pool_rule(task) or PoolRule()


def drawn_from(sectors: Sectors, task: Task, candidates: Sequence[Candidate]) -> list[str]:
    """Codes of the candidates that the rule of the task takes in, in order; those excluded are still among them."""
    rule = pool_rule_of(sectors, task)
    return [
        one.code for one in candidates
        if (not rule.kinds or one.kind in rule.kinds)
        and all(not wanted or one.type in wanted for wanted in (rule.types, task.types))
        and meets(rule, one.industries, one.scope, one.tags, one.attributes)
    ]  # fmt: skip


def excluded(sectors: Sectors, task: Task, batch: Sequence[Candidate]) -> dict[str, str]:
    """code -> reason of those the sector passes over; reasons are public."""
    return sectors.exclude_from_pool(task, batch)


def adjusted(sectors: Sectors, task: Task, batch: Sequence[Candidate]) -> dict[str, str]:
    """code -> class of those whose class the sector changes."""
    return sectors.adjust_risk(task, batch)


def follow_ups_of(sectors: Sectors, form: Form, record: Record) -> list[FollowUp]:
    """What the sector proposes for the record."""
    return sectors.suggest_follow_up(record, form)


def public_words(sectors: Sectors, form: Form, record: Record) -> str:
    """The sentence of the public page; the sector is shown the public answers only, and none of the private ones may be in it."""
    said = sectors.public_summary(record, form)
    shown = public_answers(form, record.answers)
    for name, answer in record.answers.items():
        if name not in shown and isinstance(answer, str) and len(answer) > 3:
            assert answer not in said, f"the public sentence holds the private answer of {name}"
    return said


def made_pages(sectors: Sectors, task: Task, published: Sequence[Published]) -> list[Page]:
    """The sector's pages for the public site; a hook that fails or makes a wrong page fails the test."""
    pages, faults = sectors.publication_pages(task, published)
    assert not faults, "; ".join(f"{one.sector}.{one.hook}: {one.message}" for one in faults)
    return [page for _, page in pages]


# Comparing -----------------------------------------------------------------------


def assert_points(problems: Sequence[Problem], *names: str) -> None:
    """The problems are about exactly these fields (in any order, each named once or more)."""
    found = {problem.field for problem in problems}
    assert found == set(names), f"expected problems of {sorted(names)}, found {[str(one) for one in problems]}"


def assert_accepted(problems: Sequence[Problem]) -> None:
    """There is no problem."""
    assert not problems, f"expected no problem, found {[str(one) for one in problems]}"

"""For authors of sectors: load one sector alone, make what it is shown, ask it, compare.

    sectors = load_sector(water_heaters)
    form = sectors.form("water_heaters.shop")
    assert_points(problems_of(sectors, form, {"ccc": "no"}), "note")

Nothing here touches a database, a clock or the network; every date is fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import ModuleType
from typing import Any

from portal.domain.forms import check_answers, clean_answers, visible
from portal.domain.model import Candidate, Form, Problem, Record, Task
from portal.plugins import Sectors, discover_sectors

__all__ = [
    "TODAY", "answer_all", "assert_accepted", "assert_points", "load_sector", "make_candidate", "make_record",
    "make_task", "problems_of",
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
        items = list(dict.fromkeys(item.code for item in sectors.items if item.form == form.code))
    return sectors.validate_record(make_record(items, cleaned, outcome, **given), form)


def assert_points(problems: Sequence[Problem], *names: str) -> None:
    """The problems are about exactly these fields (in any order, each named once or more)."""
    found = {problem.field for problem in problems}
    assert found == set(names), f"expected problems of {sorted(names)}, found {[str(one) for one in problems]}"


def assert_accepted(problems: Sequence[Problem]) -> None:
    """There is no problem."""
    assert not problems, f"expected no problem, found {[str(one) for one in problems]}"

"""What a visit joins: the forms that its tasks ask for, each once, whose they are, and the questions that they share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain import shared
from portal.domain.attachments import is_uploaded
from portal.domain.errors import WrongMoment
from portal.domain.model import AWAITING
from portal.steps.catalogue import load_form, load_item
from portal.store import accounts, directory, plan, visits, year
from portal.store import records as store

Records = Mapping[str, Mapping[str, Any]]  # form code -> record


@dataclass(frozen=True, slots=True)
class Errand:
    """What visits are for: the tasks they carry, and which of the tasks' items are left out where.

    `lines`: each station that is sent -> itself and the organisations above it; `partners`: other departments, each with its own people.
    """

    carried: Mapping[int, Sequence[int]]
    tasks: Mapping[int, Mapping[str, Any]]
    left_out: Collection[tuple[int, str, str]]
    lines: Mapping[int, Collection[int]]
    partners: Collection[int]


async def load_errand(several: Sequence[Mapping[str, Any]]) -> Errand:
    carried = await visits.load_tasks_of_visits([visit["id"] for visit in several])
    every = {task for found in carried.values() for task in found}
    organisations = await accounts.load_organisations()
    lines = {one: accounts.line_of(organisations, one) for one in {visit["organisation"] for visit in several}}
    partners = frozenset(o["id"] for o in organisations if o["kind"] == "partner")
    return Errand(carried, await plan.load_tasks_by_id(every), await year.load_left_out(every), lines, partners)


async def forms_of(visit: Mapping[str, Any], records: Records | None = None, errand: Errand | None = None) -> list[dict[str, Any]]:
    """The forms a visit joins, each once, under the first task that asks for it; items of all tasks.

    Also the later forms that are open now; "first" of those is the form that opened them, else "". "owner": whose
    record it is, and "partners": whose people enter nothing for others (`enters`). A bureau's task is recorded by the station
    that was there; an organisation that the station does not belong to keeps its own records. `records` and `errand`: those of the visit, where they are loaded already.
    """
    errand = errand or await load_errand([visit])
    found: dict[str, dict[str, Any]] = {}
    for task_id in sorted(errand.carried.get(visit["id"], ()), key=lambda task: errand.tasks[task]["code"].encode()):
        task = errand.tasks[task_id]
        owners = plan.owners_of(task)
        for code, version in plan.items_of(task):
            if (task_id, visit["entity_code"], code) in errand.left_out:
                continue
            item = await load_item(code, version)
            entry = {"code": code, "version": version, "name": item.name, "task": task_id, "later": item.later_form}
            joined = found.setdefault(item.form, {"task": task, "task_name": task["name"], "items": {}, "first": "", "owner": owners[code]})
            joined["items"].setdefault(code, entry)
            if item.later_form and records is None:
                records = {row["form_code"]: row for row in await store.load_records_of([visit["id"]])}
            if item.later_form and is_awaited((records or {}).get(item.form), code):
                later = found.setdefault(item.later_form, {"task": task, "task_name": task["name"], "items": {}, "first": item.form, "owner": owners[code]})
                later["items"].setdefault(code, {**entry, "later": ""})
    views = []
    for form_code in sorted(found):
        version = visit["forms"].get(form_code)
        if version is None:  # a task of a later round joined: its form is frozen by its record or is today's item's
            raise WrongMoment(f"入企检查 {visit['code']} 没有登记表单 {form_code} 的版本。")
        joined = found[form_code]
        owner = joined["owner"]
        if owner in errand.lines[visit["organisation"]]:
            owner = visit["organisation"]
        views.append({**joined, "form": await load_form(form_code, version), "items": list(joined["items"].values()), "owner": owner, "partners": errand.partners})
    return views


def enters(person: Mapping[str, Any], joined: Mapping[str, Any]) -> bool:
    """Whether an inspector on the visit enters this form of it: each department's people their own department's forms."""
    own, owner = person["organisation"], joined["owner"]
    return own == owner or not {own, owner} & set(joined["partners"])


async def forms_of_many(several: Sequence[Mapping[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """visit id -> its forms as `forms_of` gives them."""
    errand = await load_errand(several)
    records: dict[int, dict[str, Mapping[str, Any]]] = {}
    for row in await store.load_records_of([visit["id"] for visit in several]):
        records.setdefault(row["visit"], {})[row["form_code"]] = row
    return {visit["id"]: await forms_of(visit, records.get(visit["id"], {}), errand) for visit in several}


def is_awaited(record: Mapping[str, Any] | None, item: str) -> bool:
    """Whether a record that was submitted says of an item that its result is to come."""
    return bool(record and record["submitted_at"] and record["outcomes"].get(item) == AWAITING)


def settled(outcomes: Mapping[str, str]) -> dict[str, str]:
    """The outcomes there are: without those still to come."""
    return {code: outcome for code, outcome in outcomes.items() if outcome != AWAITING}


async def load_drawn(visit: Mapping[str, Any]) -> dict[str, str]:
    """code -> name of the sites and objects that were drawn and are checked by this visit; empty where it was the entity itself."""
    carried = (await visits.load_tasks_of_visits([visit["id"]])).get(visit["id"], [])
    return await directory.load_drawn_at(visit["holder"], visit["site"], carried)


# Questions that the forms share ------------------------------------------------


def shared_of(every: Sequence[Mapping[str, Any]], header: Mapping[str, Any], records: Records) -> tuple[dict[str, tuple[str, ...]], dict[str, shared.Known]]:
    """Which questions the forms of a visit share, and what is known of them; `header`: the visit's."""
    forms = [one["form"] for one in every]
    return shared.shared_names(forms), shared.known_answers(forms, header.get("shared", {}), list(records.values()))


def uploads_in(known: Mapping[str, shared.Known]) -> set[str]:
    """Numbers of the uploads that shared answers name."""
    return {str(one) for there in known.values() if isinstance(there.answer, (list, tuple)) for one in there.answer if is_uploaded(str(one))}


async def load_shared_uploads(visit: Mapping[str, Any]) -> set[str]:
    """Numbers of the uploads that shared answers of a visit name: every organisation with a part in it sees them."""
    records = {row["form_code"]: row for row in await store.load_records_of([visit["id"]])}
    return uploads_in(shared_of(await forms_of(visit, records), visit["header"], records)[1])

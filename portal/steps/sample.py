"""Filling an empty installation with the fictional bureau, and its rounds with simulated answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from portal.domain.errors import WrongMoment
from portal.domain.packing import pack
from portal.domain.sample import (
    SampleVisit,
    sample_answers,
    sample_bureau,
    sample_entities,
    sample_inspectors,
    sample_recusals,
)
from portal.steps import setup
from portal.steps.acting import Acting
from portal.steps.catalogue import load_form
from portal.steps.directory import save_entity_rows, save_inspector_rows
from portal.steps.joined_forms import forms_of_many
from portal.store import directory, draw
from portal.store import visits as visit_store
from portal.store.engine import transaction


async def require_empty(act: Acting) -> None:
    if await directory.count_entities(act.tree):
        raise WrongMoment("名录里已有检查对象，样例只能装入空的数据目录。请另用一个数据目录。")


async def name_sample_bureau(seed: int) -> None:
    """Give the unnamed bureau the sample's name and stations; must come before anybody acts in it."""
    bureau = sample_bureau(seed)
    async with transaction():
        await setup.name_bureau(bureau.region, bureau.name, bureau.region)
        stations = [(f"{bureau.region}-S{n:02d}", station.name, "station") for n, station in enumerate(bureau.stations, 1)]
        departments = [(f"{bureau.region}-D{n:02d}", name, "department") for n, name in enumerate(bureau.departments, 1)]
        await setup.save_stations(bureau.region, stations + departments)


async def fill_sample(act: Acting, entities: int, seed: int, said: Callable[[str], None]) -> dict[str, int]:
    """The sample's register, inspectors and recusals into an empty directory; counts.

    The register streams: memory stays flat up to millions of rows.
    """
    await require_empty(act)
    said(f"写入检查对象名录 {entities:,} 户")
    counted = await save_entity_rows(act, sample_entities(entities, seed))
    people = await save_inspector_rows(act, sample_inspectors(seed))
    known = {row["number"]: row["id"] for row in await directory.load_inspectors(act.joint)}
    recusals = sample_recusals(seed, among=min(entities, 1000))
    async with transaction():
        for row in recusals:
            await directory.save_recusal(known[row.inspector], row.entity, row.reason, act.today, act.account, act.now)
        await act.audit("directory.import", "recusals", count=len(recusals))
    return {"entities": counted.counts["读入"], "inspectors": people.counts["读入"], "recusals": len(recusals)}


async def make_answers(act: Acting, round_code: str, seed: int) -> Iterator[bytes]:
    """Simulated records for every visit of a round that has inspectors, as JSON lines."""
    round_ = await draw.load_round(round_code, act.line)
    visits = await visit_store.load_visits_of(round_["id"])
    assigned = await visit_store.load_assigned([visit["id"] for visit in visits])
    if not any(any(row) for row in assigned.values()):
        raise WrongMoment(f"轮次 {round_code} 还没有匹配执法人员，不能生成样例答案。")
    people = await directory.load_inspectors_by_id({who for row in assigned.values() for who in row if who})
    wanted: list[SampleVisit] = []
    forms: dict[str, Any] = {}
    every = await forms_of_many(visits)
    for visit in visits:
        codes = tuple(people[who]["code"] for who in assigned.get(visit["id"], ()) if who)
        if not codes:
            continue
        for joined in every[visit["id"]]:
            if joined["owner"] not in act.joint:
                continue
            form = joined["form"]
            forms[form.code] = await load_form(form.code, form.version)
            items = tuple(item["code"] for item in joined["items"])
            wanted.append(
                SampleVisit(visit["code"], visit["entity_code"], joined["task"]["code"], form.code, items, visit["day"], codes)
            )
    answers = sample_answers(wanted, list(forms.values()), seed, validate=act.sectors.validate_record)
    return (pack(_dated(row)).encode() + b"\n" for row in answers)


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    day = row["inspected_on"]
    return {**row, "inspected_on": day.isoformat() if isinstance(day, date) else day}

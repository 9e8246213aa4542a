"""Sectors installed in any order declare the same, rule the same and freeze the same pool, byte for byte."""

import hashlib
import random
from dataclasses import asdict
from importlib.metadata import EntryPoint
from itertools import permutations
from pathlib import Path
from types import ModuleType

import pytest

import plugins.annual_reports
from portal import plugins as machinery
from portal.domain.declarations import form_to_data, item_to_data, register_to_data
from portal.domain.packing import pack
from portal.plugin import Block, Page, Sector, hookimpl
from portal.plugins import Sectors, discover_sectors
from portal.sector_list import list_sectors, sector_to_data
from portal.steps import pool
from portal.store import engine
from portal.store import pool as pool_store
from portal.testing import make_task
from tests import office
from tests.education import mingcha_education

ROOT = Path(__file__).parents[2]
NAMES = sorted(folder.parent.name for folder in (ROOT / "plugins").glob("*/__init__.py"))
POINTS = [*(EntryPoint(name, f"plugins.{name}", machinery.GROUP) for name in NAMES), EntryPoint("education", mingcha_education.__name__, machinery.GROUP)]


def orders() -> list[list[EntryPoint]]:
    """As they stand, backwards, and ten others; each point twice in the last, as an editable install shows it."""
    found, chance = [POINTS, POINTS[::-1]], random.Random(5)
    for _ in range(10):
        found.append(chance.sample(POINTS, len(POINTS)))
    return [*found, [*found[-1], *found[-2]]]


def said(sectors: Sectors) -> bytes:
    """All that sectors declare and rule, in canonical bytes."""
    tasks = [make_task(item.code.partition(".")[0], items=(item.code,), name=item.name) for item in sectors.items]
    return pack({
        "versions": sectors.versions(), "items": [item_to_data(one) for one in sectors.items], "forms": [form_to_data(one) for one in sectors.forms],
        "registers": [register_to_data(one) for one in sectors.registers],
        "rules": [[task.items[0], {name: value if isinstance(value, bool) else list(value) for name, value in asdict(rule).items()}]
                  for task in tasks if (rule := sectors.pool_rule(task))],
        "listed": [sector_to_data(one) for one in list_sectors(sectors)],
        "pages": [[sector, page.slug] for sector, page in sectors.publication_pages(make_task("education"), [])[0]],
    }).encode()  # fmt: skip


@pytest.mark.long
def test_what_sectors_declare_and_rule_does_not_depend_on_the_order_of_installation(monkeypatch):
    digests = set()
    for order in orders():
        monkeypatch.setattr(machinery, "entry_points", lambda group, order=order: order)
        found = discover_sectors(",".join(point.name for point in order))
        assert len(found.sectors) == len(POINTS) and found.items and found.registers
        digests.add(hashlib.sha256(said(found)).hexdigest())
    assert len(digests) == 1


def paging(code: str) -> ModuleType:
    made = ModuleType(code)
    made.sector = hookimpl(lambda: Sector(code, code))
    made.publication_pages = hookimpl(lambda task, published: [Page(slug, "页", [Block("text", code)]) for slug in ("b", "a")])
    return made


def test_pages_of_several_sectors_come_in_one_order():
    made = {code: paging(code) for code in ("alpha", "beta", "gamma")}
    found = set()
    for order in permutations(made):
        pages, faults = discover_sectors(None, {code: made[code] for code in order}).publication_pages(make_task("alpha"), [])
        found.add((tuple((sector, page.slug) for sector, page in pages), tuple(faults)))
    assert found == {(tuple((code, slug) for code in made for slug in ("a", "b")), ())}


def excluding() -> ModuleType:
    """annual_reports, which passes over some and calls others risky."""
    made = ModuleType("excluding")
    made.__dict__.update({name: value for name, value in vars(plugins.annual_reports).items() if not name.startswith("__")})
    made.exclude_from_pool = hookimpl(lambda task, batch: {one.code: "本行业另有安排。" for one in reversed(batch) if one.code[-2] in "05A"})
    made.adjust_risk = hookimpl(lambda task, batch: {one.code: "D" for one in reversed(batch) if one.code[-2] in "17"})
    return made


@pytest.fixture
def folders(stages, tmp_path):  # not async: building a stage runs a loop of its own
    return [stages.copy("filled", tmp_path / f"data{n}") for n in range(3)]


@pytest.mark.anyio
async def test_a_frozen_pool_is_the_same_bytes_whatever_order_the_sectors_came_in(folders):
    modules = {name: __import__(f"plugins.{name}", fromlist=["sector"]) for name in NAMES} | {"annual_reports": excluding(), "education": mingcha_education}
    frozen = []
    for folder, order in zip(folders, (list(modules), list(modules)[::-1], random.Random(3).sample(list(modules), len(modules))), strict=True):
        house = await office.open_house(folder)
        try:
            act = await house.acting("planner", discover_sectors(",".join(order), {name: modules[name] for name in order}))
            made = await pool.freeze_pool(act, office.INSTANT, "class")
            number = (await pool_store.load_latest_pools([(await office.tasks_by_code())[office.INSTANT]["id"]])).popitem()[1]["id"]
            frozen.append((made, await pool_store.load_pool_bytes(number), await pool_store.load_exclusions(number)))
        finally:
            await engine.close_engine()
    assert frozen[0][0]["rules"]["sector"] > 20 and len(frozen[0][1]) > 1_000
    assert frozen[0] == frozen[1] == frozen[2]

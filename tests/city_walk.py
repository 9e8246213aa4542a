"""A city of two counties through its year by the real steps, on either engine: the same acts at the same hours with the same chance.

The sample's register, halved by the holder's code; the city's plan, whose rows it draws and the counties inspect
(市抽县查), with a row it inspects itself, riders and rows by class; the plan played through before anything is
frozen, then drawn in an open and two sealed rounds. tests/steps/test_city.py looks at a small one, bench/city.py
prints a whole one. No real person or company is meant.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from portal.domain.cells import Sheet
from portal.domain.directory import EntityRow, InspectorRow
from portal.domain.sample import sample_bureau, sample_entities, sample_inspectors, sample_recusals
from portal.domain.sample_names import COUNTY as COUNTY_NAME
from portal.domain.sample_names import TOWNS
from portal.domain.sample_profile import sample_profile
from portal.steps import assign, base, commit, disclosure, draw, follow_ups, forms, plan, pool, profile, publish, review, sample, setup, simulation, tracking, visits
from portal.steps.acting import Acting, stamp
from portal.steps.directory import save_entity_rows, save_inspector_rows
from portal.store import directory, engine, rights
from portal.store import draw as draw_store
from portal.store import plan as plan_store
from tests import cluster, office

CITY, COUNTIES = "359900", ("359921", "359922")
NAMES = {"359900": "望州市市场监督管理局", "359921": "望溪县市场监督管理局", "359922": "东屏县市场监督管理局"}
OTHER_NAME = "东屏县"
#: towns of the second county: nobody should have to ask whose 白鹭镇 is meant
OTHER_TOWNS = dict(zip((town[:-1] for town, _ in TOWNS), ("屏城", "清水", "白沙", "松坪", "云山", "双塘", "石井", "茶洋", "南坑", "竹坪"), strict=True))
#: the city's own people: of the rows it inspects itself
OWN_PEOPLE = 24

HEAD = ("序号", "抽查类别", "抽查事项", "检查对象", "事项类别", "抽查比例", "A类", "B类", "C类", "D类", "实施时间", "责任科室", "抽取方式", "备注")
_NONE, _CLASSES = ("",) * 4, ("1%", "3%", "10%", "30%")
_DISCLOSURE, _REGISTRATION, _RIDES = "公示信息检查", "登记事项检查", "结合其他业务板块合并进行"
_ALL = "企业、个体工商户、农民专业合作社"
SPRING, SUMMER, AUTUMN = "2026.4.1-2026.5.15", "2026.6.1-2026.7.31", "2026.9.1-2026.10.30"
#: category, item, objects, ratio, class ratios, window, who draws and who inspects, note
ROWS = (
    (_DISCLOSURE, "年度报告公示信息的检查", "企业", "不低于3.5%", _NONE, SPRING, "市抽县查", ""),
    (_DISCLOSURE, "即时公示信息的检查", "企业", "", _CLASSES, SUMMER, "市抽县查", ""),
    (_DISCLOSURE, "即时公示信息的检查", "企业", "", _CLASSES, AUTUMN, "市抽县查", ""),
    (_REGISTRATION, "营业执照（登记证）规范使用情况的检查", _ALL, "", _NONE, "4-10月", "市抽县查", _RIDES),
    (_REGISTRATION, "名称规范使用情况的检查", _ALL, "", _NONE, "4-10月", "市抽县查", _RIDES),
    (_REGISTRATION, "注册资本实缴情况的检查", "企业", "0.8%", _NONE, SUMMER, "市抽市查", ""),
    (_REGISTRATION, "住所（经营场所）或驻在场所的检查", "个体工商户、农民专业合作社", "1.5%", _NONE, AUTUMN, "市抽县查", ""),
    (_REGISTRATION, "经营（业务）范围中无需审批的经营（业务）项目的检查", "个体工商户", "1%", _NONE, "8月", "县抽县查", ""),
    ("食品销售监督检查", "食品销售监督检查", "食品销售者", "5%", _NONE, AUTUMN, "市抽县查", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawing:
    """A round: when its pools are frozen and it is committed, when it is drawn, by when all is checked, the window."""

    name: str
    disclosure: str
    windows: tuple[date, date]
    frozen: str
    issued: str
    checked: str


ROUNDS = (
    Drawing("2026年第一次抽查", "open", (date(2026, 4, 1), date(2026, 5, 15)), "2026-03-23", "2026-03-25", "2026-05-18"),
    Drawing("2026年第二次抽查", "sealed", (date(2026, 6, 1), date(2026, 7, 31)), "2026-05-25", "2026-05-27", "2026-08-03"),
    Drawing("2026年第三次抽查", "sealed", (date(2026, 9, 1), date(2026, 10, 30)), "2026-08-24", "2026-08-26", "2026-11-02"),
)
HOLDERS = ({"holder": "信用监督管理科", "login": "planner"}, {"holder": "派驻纪检监察组", "login": "supervisor"})


# What goes in ------------------------------------------------------------------


def county_of(holder: str) -> str:
    return COUNTIES[hashlib.sha256(f"city walk {holder}".encode()).digest()[0] % 2]


def _moved(text: str) -> str:
    for town, other in OTHER_TOWNS.items():
        text = text.replace(town, other)
    return text.replace(COUNTY_NAME, OTHER_NAME)


def entities_of(region: str, n: int, seed: int) -> Iterator[EntityRow]:
    """The county's share of the sample's first `n` entities; sites stay with their holder."""
    for row in sample_entities(n, seed):
        if county_of(row.holder) != region:
            continue
        if region == COUNTIES[0]:
            yield row
        else:
            yield row._replace(
                region=region, name=_moved(row.name), old_names=tuple(map(_moved, row.old_names)), station=_moved(row.station),
                town=_moved(row.town), address=_moved(row.address), attributes={**row.attributes, "authority": NAMES[region]},
            )  # fmt: skip


def inspectors_of(region: str, seed: int) -> Iterable[InspectorRow]:
    """120 a county; the city's own are those of a bureau's departments."""
    if region == COUNTIES[0]:
        return sample_inspectors(seed)
    rows = sample_inspectors(f"{seed} {region}")
    if region == CITY:
        return [replace(row, level="市", town="") for row in rows if not row.station][:OWN_PEOPLE]
    return [replace(row, station=_moved(row.station), town=_moved(row.town)) for row in rows]


def city_plan(rows: Sequence[tuple[Any, ...]] = ROWS) -> Sheet:
    empty = ("",) * (len(HEAD) - 1)
    lines = [(f"{NAMES[CITY]}2026年度“双随机、一公开”监管工作计划表", *empty), HEAD]
    for n, (category, item, objects, ratio, classes, window, by, note) in enumerate(rows, 1):
        lines.append((n, category, item, objects, "一般检查事项", ratio, *classes, window, "信用监督管理科", by, note))
    return Sheet(tuple(lines), (((0, 0), (0, len(HEAD) - 1)),), "计划表")


def city_profile() -> dict[str, Any]:
    """The sample's rules, as the city's."""
    rules = sample_profile()
    due = [{**one, "region": CITY} for one in rules["due"]]
    return {**rules, "name": NAMES[CITY], "region": CITY, "due": due}


def issues(day: str) -> list[tuple[dict[str, Any], str]]:
    """Two made-up lottery issues of that evening and their numbers."""
    return [
        ({"name": f"{name} {day}", "drawn_at": f"{day}T{at[11:]}", "groups": groups}, value)
        for (name, at, groups, value) in ((name.split()[0], at, groups, value) for name, at, groups, value in office.ISSUES)
    ]


# The walk ----------------------------------------------------------------------

Release = Callable[["City", str], Awaitable[Mapping[str, Any]]]


@dataclass(slots=True)
class City:
    """`spent`: part of the walk -> (seconds, processor seconds, peak resident MB); `said`: what steps gave, by a name."""

    house: office.House
    kind: str
    seed: int
    release: Release
    spent: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    plan: int = 0
    rounds: dict[str, list[str]] = field(default_factory=dict)  # code -> tasks

    async def acting(self, login: str) -> Acting:
        return await self.house.acting(login)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        _forget_peak()
        began, worked = time.perf_counter(), time.process_time()
        yield
        before = self.spent.get(name, (0.0, 0.0, 0))
        spent = (time.perf_counter() - began, time.process_time() - worked, _peak())
        self.spent[name] = (before[0] + spent[0], before[1] + spent[1], max(before[2], spent[2]))


def _forget_peak() -> None:
    """From here the kernel counts the peak of this process's memory anew; where it does not, the peak is that of the whole life."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def _peak() -> int:
    try:
        return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) >> 10
    except OSError:
        return 0


async def note_only(city: City, login: str) -> Mapping[str, Any]:
    return await note_releases(await city.acting(login))


async def note_releases(act: Acting) -> Mapping[str, Any]:
    """A release that writes nothing: commitments count as published."""
    ids = [round_["id"] for round_ in await draw_store.load_rounds(act.whole) if round_["round_json"]]
    made = {"id": f"{len(ids):06d}-{'0' * 12}", "pages": 0, "pdfs": 0, "changed": 0}
    await disclosure.save_published(act, {"rounds": ids, "digest": "0" * 64, "size": 0}, made)
    return made


async def take(folder: Path, kind: str, *, entities: int, seed: int = 1, runs: int = 11, release: Release = note_only, rows: Sequence[tuple[Any, ...]] = ROWS) -> City:
    """The walk in a new data folder; the database stays open and is the caller's to close."""
    office.make_folder(folder, kind)
    settings = office.settings_of(folder, owner=True)
    settings.set_clock("2026-03-02T09:00:00+08:00")
    await engine.open_engine(settings.database_url)
    await setup.init(
        key_folder=folder / "keys", name=NAMES[CITY], region=CITY, now=settings.now(), stamp=stamp(settings.now()), sectors=office.sectors(),
        token_bytes=office.seeded_bytes("city init"), password=lambda login: "a password for tests",
    )  # fmt: skip
    await rights.install(lambda: cluster.PASSWORD, cluster.application() if kind == "postgres" else "")
    await engine.close_engine()
    city = City(await office.open_house(folder, "city"), kind, seed, release)
    with city.part("registers"):
        await _fill(city, entities)
    with city.part("base, plan, measuring"):
        await _plan(city, rows)
    with city.part("simulation"):
        city.said["simulation"] = await simulation.simulate_plan(await city.acting("planner"), city.plan, seed, runs)
    for drawing in ROUNDS:
        await _round(city, drawing)
    city.house.at("2026-11-05T09:00")
    with city.part("follow-ups closed"):
        for region in COUNTIES:
            reviewer = await city.acting(f"{region}-reviewer")
            for row in await follow_ups.load_follow_ups(reviewer, "open", 1_000_000):
                await follow_ups.close_follow_up(reviewer, row["id"], reviewer.today, "已复查改正")
    with city.part("tracking"):
        act = await city.acting("planner")
        city.said["year"] = await tracking.load_year(act, (await plan_store.load_plans({act.bureau["id"]}))[-1])
    return city


async def _fill(city: City, entities: int) -> None:
    operator = await city.acting("operator")
    bureau = sample_bureau()
    for region in COUNTIES:
        own = region == COUNTIES[0]
        await setup.add_bureau(operator, region, NAMES[region], lambda login: "a password for tests")
        named = [(f"{region}-S{n:02d}", one.name if own else _moved(one.name), "station") for n, one in enumerate(bureau.stations, 1)]
        async with engine.transaction():
            await setup.save_stations(region, named)
        act = await city.acting(f"{region}-operator")
        await save_entity_rows(act, entities_of(region, entities, city.seed))
        await save_inspector_rows(act, inspectors_of(region, city.seed))
        if own:
            known = {row["number"]: row["id"] for row in await directory.load_inspectors(act.tree)}
            async with engine.transaction():
                for row in sample_recusals(city.seed, among=min(entities, 1000)):
                    await directory.save_recusal(known[row.inspector], row.entity, row.reason, act.today, act.account, act.now)
    await save_inspector_rows(await city.acting("operator"), inspectors_of(CITY, city.seed))


async def _plan(city: City, rows: Sequence[tuple[Any, ...]]) -> None:
    planner = await city.acting("planner")
    await profile.save_profile(planner, json.dumps(city_profile()).encode())
    await base.freeze_base(planner, 2025)
    sheet = city_plan(rows)
    await plan.import_plan(await city.acting("operator"), sheet, repr(sheet).encode())
    city.plan = (await plan_store.load_latest_plan({planner.bureau["id"]}, 2026))["id"]
    await base.measure_plan(planner, city.plan)
    await base.approve_plan(await city.acting("approver"), city.plan)
    await publish.publish_all(await city.acting("publisher"))


async def _round(city: City, drawing: Drawing) -> None:
    house = city.house
    house.at(f"{drawing.frozen}T09:00")
    planner = await city.acting("planner")
    tasks = await plan_store.load_tasks({planner.bureau["id"]}, city.plan)
    mine = [task for task in tasks if task["drawn_by"] == "here" and task["window_from"] == drawing.windows[0]]
    choices = await pool.load_choices(planner, mine)
    with city.part("freeze"):
        for task in mine:
            await pool.freeze_pool(planner, task["code"], choices[task["id"]][0])
    codes = [task["code"] for task in mine]
    sources = issues(drawing.issued)
    with city.part("commit"):
        code = await commit.create_round(
            planner, codes, title=drawing.name, disclosure=drawing.disclosure, sources=[source for source, _ in sources], holders=HOLDERS,
            window=drawing.windows, draw_not_before=f"{drawing.issued}T22:00:00+08:00",
        )  # fmt: skip
        for holder in HOLDERS:
            await commit.make_share(await city.acting(holder["login"]), code, office.PASSPHRASE)
        await commit.commit_round(await city.acting("approver"), code)
    city.rounds[code] = codes
    with city.part("release"):
        await city.release(city, "approver")
    house.at(f"{drawing.issued[:8]}{int(drawing.issued[8:]) + 1:02d}T09:00")
    with city.part("sources and shares"):
        for n, (_, value) in enumerate(sources):
            await draw.enter_source(await city.acting("planner"), code, n, value)
        for holder in HOLDERS:
            await draw.release_share(await city.acting(holder["login"]), code, office.PASSPHRASE)
    planner = await city.acting("planner")
    with city.part("draw"):
        await draw.draw_round(planner, code)
    with city.part("visits"):
        city.said[f"visits {code}"] = await visits.combine_visits(planner, code)
    with city.part("assign"):
        city.said[f"assign {code}"] = await assign.assign_inspectors(planner, code)
    await _inspect(city, drawing, code)


async def _inspect(city: City, drawing: Drawing, code: str) -> None:
    """Every county enters, reviews and publishes its own; the city what its own people checked."""
    house = city.house
    house.at(f"{drawing.checked}T17:00")
    with city.part("answers made"):
        lines = list(dict.fromkeys(await sample.make_answers(await city.acting("operator"), code, city.seed)))
    with city.part("answers imported"):
        await forms.import_records(await city.acting("operator"), b"".join(lines))
    house.at(f"{drawing.checked[:8]}{int(drawing.checked[8:]) + 1:02d}T10:00")
    with city.part("review"):
        counts = Counter()
        for region in COUNTIES:
            counts.update(await review.review_round(await city.acting(f"{region}-reviewer"), code))
    city.said[f"review {code}"] = counts
    with city.part("publish"):
        for region in COUNTIES:
            counts.update(await publish.publish_all(await city.acting(f"{region}-publisher")))
    if drawing.disclosure == "open":
        await draw.reveal_round(await city.acting("approver"), code)
    with city.part("release"):
        city.said[f"release {code}"] = await city.release(city, "publisher")


# What came of it ---------------------------------------------------------------


def outcome_of(folder: Path) -> tuple[dict[tuple[str, ...], int], dict[str, list[int]]]:
    """The figures that a simulation foretells, counted past the portal in the tables; (figures, month -> [median, least, most] slots)."""

    def count(sql: str) -> list[tuple]:
        return office.query(folder, sql)

    figures: Counter[tuple[str, ...]] = Counter()
    for task, stratum, n in count("SELECT t.code, p.stratum, count(*) FROM pick p JOIN task t ON t.id = p.task WHERE p.kind = 'drawn' GROUP BY 1, 2"):
        figures["draws", task, stratum] = n
    for (asked,) in count("SELECT result_json FROM round"):
        for task, entry in json.loads(asked).items():
            figures["short", task] = sum(one["quota"] - len(one["drawn"]) for one in entry["strata"].values())
    for task, station, n in count(
        "SELECT t.code, o.code, count(*) FROM pick p JOIN task t ON t.id = p.task JOIN entity e ON e.code = p.code"
        " JOIN organisation o ON o.id = e.organisation WHERE p.kind = 'drawn' GROUP BY 1, 2"
    ):
        figures["station", task, station] = n
    ((picks, distinct),) = count("SELECT count(*), count(DISTINCT code) FROM pick WHERE kind = 'drawn'")
    ((gone,),) = count("SELECT count(*) FROM dismissal WHERE item_code = ''")
    ((found,),) = count("SELECT count(*) FROM finding")
    ((made,),) = count("SELECT count(*) FROM visit")
    riding = found - (picks - gone)  # every item of every visit was checked, and what was not drawn for rode
    figures.update({("picks",): picks, ("distinct",): distinct, ("rider_checks",): riding, ("visits", "coordinated"): made, ("visits", "separate"): picks + riding})
    for rule, reason in count("SELECT rule, reason FROM exclusion"):
        figures["cap", "freeze", _cap_named(rule, reason)] += 1
    for rule, n in count("SELECT rule, count(*) FROM dismissal GROUP BY 1"):
        figures["cap", "dispatch", rule] = n
    months: dict[str, Counter[int]] = {}
    for day, who, n in count("SELECT v.day, a.inspector, count(*) FROM assignment a JOIN visit v ON v.id = a.visit WHERE a.inspector IS NOT NULL GROUP BY 1, 2"):
        months.setdefault(str(day)[:7], Counter())[who] += n
    load = {month: sorted(people.values()) for month, people in sorted(months.items())}
    return dict(figures), {month: [some[(len(some) - 1) // 2], some[0], some[-1]] for month, some in load.items()}


def _cap_named(rule: str, reason: str) -> str:
    """The code of the cap that a sentence names; a rule of the pool itself is its own."""
    if rule != "cap":
        return rule
    return next(one["code"] for one in city_profile()["caps"] if f"“{one['name']}”" in reason)

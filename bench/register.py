"""Six task scopes on a real register through the real store and steps, in Markdown.

    python -m bench.register FILE.csv.gz [--engine sqlite|postgres] [--limit N]

The register (columns name, uscc, scope, ...; the shared Fujian one has 55,486 companies) comes in as a file does, with the
words of its business scopes as tags; classes by a rule over the code, as a class file (no real class is known). In spring three of
the scopes are drawn, visited and recorded, in summer the other three; in autumn all six in one round, under the sample
profile's caps and frequencies: who was visited before is passed over by the rules that say so.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import io
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from bench import scopes_sector
from bench.plan_tables import class_of, head, row
from bench.scopes_sector import SCOPES
from portal.domain.cells import Sheet
from portal.domain.sample import sample_inspectors
from portal.domain.sample_profile import sample_profile
from portal.sheets.read import COMMAND, open_sheet, read_sheet
from portal.steps import assign, commit, draw, forms, imports, plan, pool, profile, review, sample, setup, visits
from portal.steps.acting import stamp
from portal.steps.directory import save_inspector_rows
from portal.steps.loading import import_register
from portal.store import engine, keys, passwords, rights
from portal.store import plan as plan_store
from portal.testing import load_sector
from tests import city_walk, cluster, office

REGION = "350000"
HEAD = ("序号", "抽查类别", "抽查事项", "检查对象", "抽查比例", "A类", "B类", "C类", "D类", "实施时间", "责任科室", "抽取方式", "备注")
CLASSES, OVERALL = ("", "1%", "3%", "10%", "30%"), ("3.5%", "", "", "", "")
BY_CLASS = ("food", "catering", "products")
SPRING, SUMMER, AUTUMN = "2026.4.1-2026.5.15", "2026.6.1-2026.7.31", "2026.9.1-2026.10.30"


def register_file(file: Path, limit: int) -> tuple[bytes, bytes]:
    """(the register with tags, the class file) as CSV."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))[: limit or None]
    entities, classes = io.StringIO(), io.StringIO()
    out = csv.writer(entities, lineterminator="\n")
    out.writerow([*rows[0], "监管标签"])
    print("统一社会信用代码,信用风险等级,分类日期", file=classes)
    for one in rows:
        tags = [name for name, words in SCOPES.values() if words != ("",) and any(word in one["scope"] for word in words)]
        out.writerow([*one.values(), "、".join(tags)])
        print(f"{one['uscc']},{class_of(one['uscc'])},2026-03-20", file=classes)
    return entities.getvalue().encode(), classes.getvalue().encode()


def plan_sheet() -> Sheet:
    rows = [(code, SPRING) for code in BY_CLASS] + [(code, SUMMER) for code in SCOPES if code not in BY_CLASS] + [(code, AUTUMN) for code in SCOPES]
    lines = [("福建省2026年度“双随机、一公开”抽查工作计划表", *("",) * (len(HEAD) - 1)), HEAD]
    for n, (code, window) in enumerate(rows, 1):
        name = SCOPES[code][0]
        lines.append((n, f"{name}检查", f"{name}的检查", "企业", *(CLASSES if code in BY_CLASS else OVERALL), window, "信用监督管理科", "本级抽取", ""))
    return Sheet(tuple(lines), (), "计划表")


async def open_bureau(folder: Path, kind: str, sectors: Any) -> office.House:
    """A new installation of the province with the starting accounts and nothing else; the database stays open."""
    office.make_folder(folder, kind)
    settings = office.settings_of(folder, owner=True)
    settings.set_clock("2026-03-23T09:00:00+08:00")
    await engine.open_engine(settings.database_url)
    await setup.init(
        key_folder=folder / "keys", name="福建省市场监督管理局", region=REGION, now=settings.now(), stamp=stamp(settings.now()), sectors=sectors,
        token_bytes=office.seeded_bytes("register init"), password=lambda login: "a password for tests",
    )  # fmt: skip
    await rights.install(lambda: cluster.PASSWORD, cluster.application() if kind == "postgres" else "")
    await engine.close_engine()
    return await office.open_house(folder, "register")


async def walk(folder: Path, kind: str, file: Path, limit: int) -> dict[str, Any]:
    """{"seconds", "rounds": {code: summary}} of the two rounds; the database is closed after it."""
    seconds: dict[str, float] = {}
    since = [time.perf_counter()]

    def took(name: str) -> None:
        seconds[name] = time.perf_counter() - since[0]
        since[0] = time.perf_counter()

    sectors = load_sector(scopes_sector, "scopes")
    try:
        house = await open_bureau(folder, kind, sectors)
        entities, classes = register_file(file, limit)
        (folder / "register.csv").write_bytes(entities)
        operator = await house.acting("operator", sectors)
        took("started")
        report = await import_register(operator, iter(open_sheet(folder / "register.csv", "register.csv", COMMAND, "").rows), "register.csv", "0" * 64)
        took("register imported")
        await save_inspector_rows(operator, sample_inspectors(1))
        await imports.import_sheet(operator, "classes", read_sheet(classes, "classes.csv", COMMAND, ""), "classes.csv", classes)
        took("classes imported")
        planner = await house.acting("planner", sectors)
        rules = {**sample_profile(), "name": "福建省", "region": REGION, "due": [{**one, "region": REGION} for one in sample_profile()["due"]]}
        await profile.save_profile(planner, json.dumps(rules).encode())
        await plan.import_plan(operator, plan_sheet(), b"the plan")
        tasks = await plan_store.load_tasks({planner.bureau["id"]})
        rounds = {}
        for drawing, window in zip(city_walk.ROUNDS, (SPRING, SUMMER, AUTUMN), strict=True):
            mine = [task for task in tasks if task["window_from"] == drawing.windows[0]]
            rounds[window] = await draw_in(house, sectors, drawing, mine, "sealed")
            took(f"{window} drawn")
            if window != AUTUMN:
                house.at(f"{drawing.checked}T17:00")
                lines = await sample.make_answers(await house.acting("operator", sectors), rounds[window]["code"], 1)
                await forms.import_records(await house.acting("operator", sectors), b"".join(lines))
                await review.review_round(await house.acting("reviewer", sectors), rounds[window]["code"])
                took(f"{window} recorded and reviewed")
    finally:
        await engine.close_engine()
    return {"seconds": seconds, "rounds": rounds, "entities": report.counts}


async def draw_in(house: office.House, sectors: Any, drawing: city_walk.Drawing, tasks: list[dict[str, Any]], disclosure: str) -> dict[str, Any]:
    """One round of these tasks from frozen pools to assigned visits: {"code", "picks", "visits", "avoided", ...}."""
    house.at(f"{drawing.frozen}T09:00")
    planner = await house.acting("planner", sectors)
    for task in tasks:
        await pool.freeze_pool(planner, task["code"], "class" if task["class_ratios"] else "none")
    sources = city_walk.issues(drawing.issued)
    code = await commit.create_round(
        planner, [task["code"] for task in tasks], title=drawing.name, disclosure=disclosure, sources=[source for source, _ in sources],
        holders=city_walk.HOLDERS, window=drawing.windows, draw_not_before=f"{drawing.issued}T22:00:00+08:00",
    )  # fmt: skip
    for holder in city_walk.HOLDERS:
        await commit.make_share(await house.acting(holder["login"], sectors), code, office.PASSPHRASE)
    await commit.commit_round(await house.acting("approver", sectors), code)
    await city_walk.note_releases(await house.acting("approver", sectors))
    house.at(date.fromordinal(date.fromisoformat(drawing.issued).toordinal() + 1).isoformat() + "T09:00")
    planner = await house.acting("planner", sectors)
    for n, (_, value) in enumerate(sources):
        await draw.enter_source(planner, code, n, value)
    for holder in city_walk.HOLDERS:
        await draw.release_share(await house.acting(holder["login"], sectors), code, office.PASSPHRASE)
    await draw.draw_round(planner, code)
    combined = await visits.combine_visits(planner, code)
    await assign.assign_inspectors(planner, code)
    return {"code": code, **combined}


def tell(folder: Path, found: dict[str, Any]) -> None:
    names = {one["code"]: one["name"] for one in sample_profile()["caps"]}
    excluded: dict[str, Counter[str]] = {}
    for task, rule, reason in office.query(folder, "SELECT t.code, e.rule, e.reason FROM exclusion e JOIN pool p ON p.id = e.pool JOIN task t ON t.id = p.task"):
        cap = next((code for code, name in names.items() if f"“{name}”" in reason), rule)
        excluded.setdefault(task, Counter())[cap] += 1
    rules = sorted({rule for counts in excluded.values() for rule in counts})
    drawn = dict(office.query(folder, "SELECT t.code, count(*) FROM pick p JOIN task t ON t.id = p.task WHERE p.kind = 'drawn' GROUP BY 1"))
    print(f"{found['entities']}\n")
    print(head("task", "scope", "window", "pool", *rules, "available", "picks"))
    for code, name, size, left, window in office.query(
        folder, "SELECT t.code, t.name, p.size, p.excluded_size, t.window_from FROM pool p JOIN task t ON t.id = p.task ORDER BY t.code"
    ):
        print(row(code, name, str(window)[:7], size, *(excluded.get(code, Counter())[rule] for rule in rules), size - left, drawn.get(code, 0)))
    print()
    print(head("round", "picks", "not dispatched (caps)", "visits", "visits avoided", "most tasks in one visit"))
    for window, one in found["rounds"].items():
        print(row(f"{one['code']} {window}", one["picks"], one["dismissed"], one["visits"], one["avoided"], one["most"]))
    print()
    print(head("seconds", ""))
    for name, seconds in found["seconds"].items():
        print(row(name, f"{seconds:.1f}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--engine", choices=office.ENGINES, default="sqlite")
    parser.add_argument("--limit", type=int, default=0, help="only so many companies")
    args = parser.parse_args()
    keys._SCRYPT["n"] = 16
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    base = Path(tempfile.mkdtemp(prefix="mingcha-register-"))
    cluster.own()
    try:
        if args.engine == "postgres" and (why := cluster.missing()):
            sys.exit(why)
        found = asyncio.run(walk(base / "data", args.engine, args.file, args.limit))
        tell(base / "data", found)
    finally:
        cluster.disown()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()

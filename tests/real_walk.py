"""Real input through the whole walk by commands, on either engine: the same acts at the same hours with the same chance.

The 4,110 companies of 晋江市 get stations by their addresses; the bureau's inspectors; the three plan layouts; in
2024 an open round (公示信息, 登记事项 riding on it), in 2026 a sealed one of two tasks, one of them drawn by
credit-risk classes. No real class is known, so a rule over the code makes them up; and no file has a second task
of companies for that year, so its plan is the layout of 2024 with a row more. tests/test_real_walk.py looks at
the outcome, bench/real_walk.py prints it as a table.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

from portal import jobs
from portal.cli import office as opening
from portal.sheets.read import read_sheet
from portal.sheets.write import write_xlsx
from portal.store import keys
from tests import cluster, office
from tests.cli.command import FakePrinter, Portal

REGION, BUREAU = "350582", "晋江市市场监督管理局"
OPEN, SEALED = f"{REGION}-2024-R01", f"{REGION}-2026-R01"
RIDDEN, COUNTY, INDIVIDUALS, CLASSED, INSTANT = f"{REGION}-2024-T001", *(f"{REGION}-2026-T{n:03d}" for n in (1, 2, 3, 4))
#: in the order of their import: file, year. The last is jinjiang_style_2024.xlsx with one row more (`next_plan`)
PLANS = (("changzhi_2024", 2024), ("jinjiang_style_2024", 2024), ("county_2026", 2026), ("next_plan", 2026))
LAST_DAYS = {OPEN: "2024-06-28", SEALED: "2026-06-26"}  # of the checks: a certificate must hold so long
SHARES = (("A", 70), ("B", 24), ("C", 5), ("D", 1))  # per cent of the register
HOLDERS = ("--holder", "信用监督管理科=planner", "--holder", "派驻纪检监察组=supervisor")
SECRETS = {OPEN: bytes(n * 7 % 256 for n in range(32)).hex(), SEALED: bytes(n * 11 % 256 for n in range(32)).hex()}  # what one holder brings


def issues(year: int, day: str) -> tuple[tuple[str, str], ...]:
    """Two made-up lottery issues of an evening: (name@time, numbers)."""
    return (
        (f"福彩快乐8 第{year}123期@{day}T21:30:00+08:00", "1.5.9.12.17.20.23.28.31.34.40.41.47.52.55.60.63.68.74.79./"),
        (f"福彩双色球 第{year}054期@{day}T21:15:00+08:00", "4.11.17.23.28.32./9./"),
    )


# What goes in ------------------------------------------------------------------


def jinjiang_rows(packed: bytes) -> bytes:
    """The register of the province -> CSV of the companies whose code 晋江市 gave."""
    rows = csv.reader(io.StringIO(gzip.decompress(packed).decode()))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heading = next(rows)
    writer.writerow(heading)
    at = heading.index("uscc")
    writer.writerows(row for row in rows if row[at][2:8] == REGION)
    return out.getvalue().encode()


def class_of(code: str) -> str:
    """The made-up class: only the code decides."""
    left = int.from_bytes(hashlib.sha256(f"real walk {code}".encode()).digest()[:8], "big") % 100
    for name, share in SHARES:
        if left < share:
            return name
        left -= share
    raise AssertionError("the shares make a hundred")


def class_rows(companies: bytes) -> bytes:
    rows = csv.DictReader(io.StringIO(companies.decode()))
    lines = "".join(f"{row['uscc']},{class_of(row['uscc'])},2026-03-31\n" for row in rows)
    return f"统一社会信用代码,信用风险等级,分类日期\n{lines}".encode()


def next_plan(file: bytes) -> bytes:
    """The plan of 2024 -> one in the same layout: a row on 即时公示信息 more."""
    sheet = read_sheet(file, "jinjiang_style_2024.xlsx")
    rows = [list(row) for row in sheet.rows]
    last = max(n for n, row in enumerate(rows) if re.fullmatch("[0-9]+", str(row[0])))
    more = [str(int(rows[last][0]) + 1), "公示信息检查", "即时公示信息的检查", "企业", "一般检查事项", "1%", "", "", "", "", "6-10月", "信用监管科", "本级抽取", ""]
    rows.insert(last + 1, more)
    return write_xlsx(rows, name=sheet.name, heading=2, merged=[one for one in sheet.merged if one[1][0] <= last])


def cells_of(file: Path) -> list[list[str]]:
    """The first sheet's rows as text, read by nothing of the portal's: what the portal made of a file is held against this."""
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(file) as parts:
        shared = ["".join(t.text or "" for t in one.iter(f"{name}t")) for one in ElementTree.fromstring(parts.read("xl/sharedStrings.xml"))]
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in sheet.iter(f"{name}row"):
        found: dict[int, str] = {}
        for cell in row:
            column = 0
            for letter in re.match("[A-Z]+", cell.get("r"))[0]:
                column = column * 26 + ord(letter) - 64
            text = "".join(t.text or "" for t in cell.iter(f"{name}t")) or (cell.findtext(f"{name}v") or "")
            found[column] = shared[int(text)] if cell.get("t") == "s" else text
        rows.append([found.get(n, "").strip() for n in range(1, max(found, default=0) + 1)])
    return rows


# The walk ----------------------------------------------------------------------


@dataclass(slots=True)
class Walk:
    """`said`: what each command said, by a name. `spent`: seconds and processor seconds by a part of the walk."""

    portal: Portal
    shared: Callable[[str], Path]
    folder: Path
    said: dict[str, str] = field(default_factory=dict)
    spent: dict[str, tuple[float, float]] = field(default_factory=dict)

    def clock(self, at: str) -> None:
        self.portal.well("clock", f"{at}:00+08:00")

    def well(self, name: str, *words: object) -> None:
        self.said[name] = self.portal.well(*words)

    def refused(self, name: str, *words: object) -> None:
        self.said[name] = self.portal.refused(*words)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began, worked = time.perf_counter(), time.process_time()
        yield
        self.spent[name] = (time.perf_counter() - began, time.process_time() - worked)


def take(folder: Path, kind: str, shared: Callable[[str], Path], printer: type = FakePrinter) -> Walk:
    """The walk in a new folder on an engine; `shared`: a file of the shared data by its name.

    What is secret comes from files and from a seeded stream in place of chance, so two walks differ in nothing public.
    """
    data = office.make_folder(folder / "data", kind)
    chance = office.seeded_bytes("real walk")
    walk = Walk(Portal(data, owner=True, PORTAL_CLOCK="simulated"), shared, folder)
    really = opening.open_acting

    async def seeded(*who, **more):
        return await really(*who, token_bytes=chance, **more)

    with mock.patch.object(jobs, "Printer", printer), mock.patch.object(opening, "open_acting", seeded):
        with walk.part("register"):
            _found(walk, kind, chance)
        with walk.part("open round"):
            _open_round(walk)
        with walk.part("sealed round"):
            _sealed_round(walk)
        with walk.part("verify"):
            _verify(walk)
    return walk


def _found(walk: Walk, kind: str, chance: Callable[[int], bytes]) -> None:
    for name in ("one", "two"):
        (walk.folder / name).write_text(f"第 {name} 位持有人的口令 0001\n")
    for round_, secret in SECRETS.items():
        (walk.folder / f"own-{round_}").write_text(secret + "\n")
    companies = jinjiang_rows(walk.shared("enterprises/fujian_1978_2004.csv.gz").read_bytes())
    (walk.folder / "companies.csv").write_bytes(companies)
    (walk.folder / "classes.csv").write_bytes(class_rows(companies))
    (walk.folder / "next_plan.xlsx").write_bytes(next_plan(walk.shared("plans/jinjiang_style_2024.xlsx").read_bytes()))
    walk.clock("2024-05-06T09:00")
    keys.make_keys(walk.portal.data / "keys", chance)  # `init` makes none where there are some
    role = ("--app-role", cluster.application()) if kind == "postgres" else ()
    walk.well("init", "init", "--name", BUREAU, "--region", REGION, *role)
    walk.portal = Portal(walk.portal.data, PORTAL_CLOCK="simulated")  # from now on as the application role, where there is one
    walk.well("divisions", "stations", "divisions", walk.shared("divisions/villages_jinjiang.csv"))
    walk.well("entities", "import", "entities", walk.folder / "companies.csv")
    walk.well("stations", "stations", "make")
    walk.well("assigned stations", "stations", "assign")
    walk.well("inspectors", "import", "inspectors", walk.shared("plans/inspectors_jinjiang.xlsx"))
    for n in (0, 1):
        _import_plan(walk, n)
    walk.well("publish plan", "publish", "--as", "publisher")


def _import_plan(walk: Walk, n: int) -> None:
    name, year = PLANS[n]
    said = ("--with", f"计划年度={year}") if name == "next_plan" else ()  # its title still says 2024
    walk.well(f"plan {n}", "import", "plan", plan_file(walk, name), *said)


def plan_file(walk: Walk, name: str) -> Path:
    return walk.folder / "next_plan.xlsx" if name == "next_plan" else walk.shared(f"plans/{name}.xlsx")


def _open_round(walk: Walk) -> None:
    first, second = issues(2024, "2024-05-13")
    create = ("round", "create", RIDDEN, "--title", "2024年公示信息抽查", *HOLDERS)
    walk.well("freeze", "pool", "freeze", RIDDEN, "--as", "planner")
    walk.well(
        "create", *create, "--source", first[0], "--source", second[0], "--draw-not-before", "2024-05-13T22:00:00+08:00",
        "--window", f"2024-06-03..{LAST_DAYS[OPEN]}", "--as", "planner",
    )  # fmt: skip
    walk.refused("unshared", "round", "commit", OPEN, "--as", "approver")
    _share(walk, OPEN)
    walk.well("commit", "round", "commit", OPEN, "--as", "approver")
    walk.refused("second round", *create, "--draw-not-before", "2024-07-14T22:00:00+08:00", "--as", "planner")
    walk.refused("frozen again", "pool", "freeze", RIDDEN, "--as", "planner")
    walk.refused("early source", "round", "source", OPEN, 1, first[1], "--as", "planner")
    walk.refused("early draw", "round", "draw", OPEN, "--as", "planner")
    walk.clock("2024-05-14T09:00")
    walk.refused("misshapen source", "round", "source", OPEN, 2, "4.11.17./9./", "--as", "planner")
    walk.well("source", "round", "source", OPEN, 1, first[1], "--as", "planner")
    _release(walk, OPEN)
    walk.refused("draw without all sources", "round", "draw", OPEN, "--as", "planner")
    walk.well("source", "round", "source", OPEN, 2, second[1], "--as", "planner")
    walk.refused("drawn by its approver", "round", "draw", OPEN, "--as", "approver")
    walk.well("draw", "round", "draw", OPEN, "--as", "planner")
    walk.well("draw again", "round", "draw", OPEN, "--as", "planner")
    walk.refused("void", "round", "void", OPEN, "--reason", "换一批", "--as", "approver")
    walk.refused("unassigned answers", "sample", "answers", OPEN)
    _visit(walk, OPEN)
    walk.refused("early reveal", "round", "reveal", OPEN, "--as", "approver")
    walk.clock("2024-07-01T17:00")
    _answer(walk, OPEN, 3)
    (walk.folder / "first.jsonl").write_bytes(answers_of(walk, OPEN).splitlines()[0])
    walk.refused("records again", "record", "import", walk.folder / "first.jsonl")
    walk.clock("2024-07-02T10:00")
    _publish(walk, OPEN)


def _sealed_round(walk: Walk) -> None:
    (first, second), round_ = issues(2026, "2026-05-18"), SEALED
    walk.clock("2026-05-11T09:00")
    walk.well("classes", "import", "classes", walk.folder / "classes.csv")
    _import_plan(walk, 2)
    walk.well("publish plan of 2026", "publish", "--as", "publisher")
    walk.refused("nobody to draw", "pool", "freeze", INDIVIDUALS, "--as", "planner")
    _import_plan(walk, 3)
    walk.well("publish next plan of 2026", "publish", "--as", "publisher")
    walk.refused("not in the plan any more", "pool", "freeze", COUNTY, "--as", "planner")
    walk.well("freeze instant", "pool", "freeze", INSTANT, "--as", "planner")
    walk.well("freeze classed", "pool", "freeze", CLASSED, "--strata", "class", "--as", "planner")
    create = ("round", "create", CLASSED, INSTANT, "--title", "2026年公示信息抽查", "--source", first[0], "--source", second[0], *HOLDERS,
              "--draw-not-before", "2026-05-18T22:00:00+08:00", "--window", f"2026-06-01..{LAST_DAYS[SEALED]}", "--as", "planner")  # fmt: skip
    walk.refused("classes in the open", *create, "--disclosure", "open")
    walk.well("create sealed", *create, "--disclosure", "sealed")
    used = ("--passphrase-file", walk.folder / "two", "--secret-file", walk.folder / f"own-{OPEN}")
    walk.refused("secret used before", "round", "share", round_, *used, "--as", "supervisor")
    _share(walk, round_)
    walk.well("commit sealed", "round", "commit", round_, "--as", "approver")
    walk.clock("2026-05-19T09:00")
    for n, (_, numbers) in enumerate((first, second), 1):
        walk.well("source", "round", "source", round_, n, numbers, "--as", "planner")
    _release(walk, round_)
    walk.well("draw sealed", "round", "draw", round_, "--as", "planner")
    _visit(walk, round_)
    walk.clock("2026-06-29T17:00")
    _answer(walk, round_, 4)
    walk.clock("2026-06-30T10:00")
    _publish(walk, round_)


def _share(walk: Walk, round_: str) -> None:
    """One holder's secret is made and its copy written to a file, the other brings one."""
    copy, own = walk.folder / f"copy-{round_}", walk.folder / f"own-{round_}"
    walk.well("share", "round", "share", round_, "--passphrase-file", walk.folder / "one", "--secret-file", copy, "--as", "planner")
    walk.well("share", "round", "share", round_, "--passphrase-file", walk.folder / "two", "--secret-file", own, "--as", "supervisor")


def _release(walk: Walk, round_: str) -> None:
    for passphrase, login in (("one", "planner"), ("two", "supervisor")):
        walk.well("release", "round", "release", round_, "--passphrase-file", walk.folder / passphrase, "--as", login)


def _visit(walk: Walk, round_: str) -> None:
    walk.well(f"combine {round_}", "visits", "combine", round_, "--as", "planner")
    walk.well(f"assign {round_}", "visits", "assign", round_, "--as", "planner")


def _answer(walk: Walk, round_: str, seed: int) -> None:
    walk.well("answers", "sample", "answers", round_, "--seed", seed)
    walk.well(f"records {round_}", "record", "import", walk.portal.data / "sample" / f"{round_}-answers.jsonl")


def answers_of(walk: Walk, round_: str) -> bytes:
    return (walk.portal.data / "sample" / f"{round_}-answers.jsonl").read_bytes()


def _publish(walk: Walk, round_: str) -> None:
    walk.well(f"review {round_}", "record", "review", round_, "--as", "reviewer")
    walk.well(f"publish {round_}", "publish", "--as", "publisher")
    walk.well("reveal", "round", "reveal", round_, "--as", "approver")
    walk.well("publish", "publish", "--as", "publisher")
    walk.well("publish again", "publish", "--as", "publisher")
    walk.well("export", "round", "export", round_, "--as", "supervisor")


def _verify(walk: Walk) -> None:
    draws, shown = walk.portal.data / "draws", walk.portal.data / "site" / "current"
    for name, words in (
        ("whole", ()), ("open folder", (draws / OPEN,)), ("sealed folder", (draws / SEALED,)),
        ("open on the site", (shown / "rounds" / OPEN,)), ("sealed on the site", (shown / "rounds" / SEALED,)),
    ):  # fmt: skip
        walk.well(f"verify {name}", "verify", *words)


# What came of it ---------------------------------------------------------------


def plan_rows(walk: Walk) -> list[tuple[str, list[str], list[dict]]]:
    """Of each file in the order of its import: its name, the numbers its rows have there, and its rows as kept: number, state, task."""
    versions: dict[tuple[int, int], list[dict]] = {}
    for year, version, data, state, task in office.query(
        walk.portal.data,
        "SELECT p.year, p.version, r.data, r.state, r.task_code FROM plan p JOIN plan_row r ON r.plan = p.id ORDER BY p.year, p.version, r.row",
    ):
        versions.setdefault((year, version), []).append({"number": json.loads(data)["number"], "state": state, "task": task})
    seen: dict[int, int] = {}
    found = []
    for name, year in PLANS:
        seen[year] = seen.get(year, 0) + 1
        found.append((name, numbers_in(plan_file(walk, name)), versions[year, seen[year]]))
    return found


def numbers_in(file: Path) -> list[str]:
    """The first cells of a plan's rows: those with three filled cells at least, below the headings."""
    rows = [row for row in cells_of(file) if sum(map(bool, row)) >= 3]
    return [row[0] for row in rows[1:]]


def lines_of(walk: Walk, name: str) -> list[dict]:
    """A file of the bundle that is published now."""
    return [json.loads(line) for line in (walk.portal.data / "bundles" / "current" / name).read_bytes().splitlines()]


def barred_inspectors(walk: Walk, round_: str) -> dict[str, str]:
    """code -> why nobody may draw this inspector for the round, read from the file by nothing of the portal's."""
    heads, *rows = cells_of(walk.shared("plans/inspectors_jinjiang.xlsx"))
    number, until, status = map(heads.index, ("单位工号", "执法证有效期", "执法人员状态"))
    found = {}
    for row in rows:
        day = _day(row[until])
        reasons = ["失效"] * (row[status] != "有效") + ["执法证到期"] * (day < LAST_DAYS[round_])
        if row[number].startswith("案例"):
            reasons = ["案例"]
        if reasons:
            found[f"{REGION}-{row[number]}"] = "，".join(reasons)
    return found


def _day(text: str) -> str:
    """2028年3月31日, 2026/5/1, 2025-12-31 or a spreadsheet's number of a day -> 2028-03-31."""
    if re.fullmatch(r"[0-9]{5}", text):
        return (date(1899, 12, 30) + timedelta(days=int(text))).isoformat()
    year, month, day = re.findall("[0-9]+", text)
    return f"{year}-{int(month):02d}-{int(day):02d}"


def draw_file(walk: Walk, round_: str, name: str) -> dict:
    return json.loads((walk.portal.data / "draws" / round_ / name).read_bytes())


def drawn_of(walk: Walk, round_: str) -> dict[str, dict[str, list[str]]]:
    """task -> stratum -> codes drawn."""
    return {task: {name: one["drawn"] for name, one in row["strata"].items()} for task, row in draw_file(walk, round_, "result.json").items()}


def count_of(walk: Walk, said: str, label: str) -> int:
    """The number behind a label in what a command said."""
    found = re.search(rf"^ *{re.escape(label)} +([0-9,]+)$", walk.said[said], re.M)
    assert found, (label, walk.said[said])
    return int(found[1].replace(",", ""))


def files_of(walk: Walk) -> dict[str, bytes]:
    """Every file that two walks must have the same: the bundle, the auditors' draw folders, the site shown."""
    data = walk.portal.data
    places = (data / "bundles" / "current", data / "draws", (data / "site" / "current").resolve())
    return {place.relative_to(data).as_posix(): place.read_bytes() for root in places for place in root.rglob("*") if place.is_file()}

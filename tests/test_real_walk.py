"""Real input through the whole walk by commands, on each engine (tests/real_walk.py): what came of it.

The PDFs are stood in for by a fake printer: laying out a sheet for each of 300 visits takes a minute. Some are made
from what the walk published; tests/test_demo.py makes all of a small year.
"""

import csv
import json
import re
import subprocess
import sys
from collections import Counter

import pytest

from portal.domain.codes import check_code
from portal.prints.render import Printer
from public_site.bundle import load_bundle
from public_site.pages import pdf_jobs
from tests import office, real_walk
from tests.office_fixtures import cheap_passphrases, engine_kind  # noqa: F401 - used by their names
from tests.once import ready_fonts
from tests.prints.pdf_reading import missing_glyphs, text_of
from tests.real_walk import (
    CLASSED,
    COUNTY,
    INDIVIDUALS,
    INSTANT,
    OPEN,
    RIDDEN,
    SEALED,
    SECRETS,
    barred_inspectors,
    class_of,
    count_of,
    draw_file,
    drawn_of,
    files_of,
    lines_of,
    plan_rows,
)
from tests.shared import shared_file

pytestmark = pytest.mark.shared

ROUNDS = (OPEN, SEALED)
ANNUAL = "annual_reports.annual"


@pytest.fixture(scope="module")
def walks(tmp_path_factory, cheap_passphrases):  # noqa: F811
    """`walks(engine)`: the walk there, done once."""
    made = {}

    def walk(kind):
        if kind not in made:
            made[kind] = real_walk.take(tmp_path_factory.mktemp(kind), kind, shared_file)
        return made[kind]

    yield walk
    for one in made.values():
        office.drop_databases_in(one.folder)


@pytest.fixture(scope="module")
def walk(walks, engine_kind):  # noqa: F811
    return walks(engine_kind)


# The register -------------------------------------------------------------------


def test_the_register_is_read_whole_and_frozen_as_the_pool(walk):
    assert count_of(walk, "entities", "读入") == 4_110
    assert "名录 4,110 户已冻结，排除 0 户" in walk.said["freeze"]


def test_each_company_gets_a_station_by_its_address_or_waits_for_a_person(walk):
    sure, likely, doubtful, none = (count_of(walk, "assigned stations", label) for label in
                                    ("地址写明镇街", "按村居、旧称或名称推定", "可能属于几个所", "地址看不出"))  # fmt: skip
    assert sure + likely + doubtful + none == 4_110 and sure + likely >= 3_875
    placed = dict(office.query(walk.portal.data, "SELECT confidence, count(*) FROM placement GROUP BY confidence"))
    assert placed == {"sure": sure, "likely": likely}
    stations = office.query(
        walk.portal.data, "SELECT o.kind, count(DISTINCT o.code), count(*) FROM entity e JOIN organisation o ON o.id = e.organisation GROUP BY o.kind"
    )
    assert sorted(tuple(row) for row in stations) == [("bureau", 1, doubtful + none), ("station", 21, sure + likely)]


# The plans ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "states"),
    [
        (0, ["pending"] * 4),
        (1, ["rider", "rider", "task", "pending", "pending"]),
        (2, ["pending", "pending", "task", "task"]),
        (3, ["rider", "rider", "task", "pending", "pending", "task"]),
    ],
    ids=[f"{name}-{year}" for name, year in real_walk.PLANS],
)
def test_every_row_of_each_plan_is_a_task_rides_on_one_or_waits_for_its_module(walk, n, states):
    name, numbers, rows = plan_rows(walk)[n]
    assert [row["number"] for row in rows] == numbers and len(numbers) == len(states), name
    assert [row["state"] for row in rows] == states
    found = Counter(states)
    said = [count_of(walk, f"plan {n}", label) for label in ("计划行", "抽查任务", "结合检查", "待模块")]
    assert said == [len(numbers), found["task"], found["rider"], found["pending"]]


def test_tasks_are_numbered_by_year_and_what_is_doubtful_in_a_row_is_named(walk):
    tasks = [row["task"] for _, _, rows in plan_rows(walk) for row in rows if row["task"]]
    assert tasks == [RIDDEN, COUNTY, INDIVIDUALS, CLASSED, INSTANT]
    assert "第 6 行“抽查比例”：同时写了50户和分类比例" in walk.said["plan 1"]
    assert "第 1 行“标题”：标题写的是 2024 年，按填写的计划年度 2026 年导入。请核对。" in walk.said["plan 3"]
    assert "第 4 行“抽查比例(数量)”：同时写了20户和比例" in walk.said["plan 2"]
    assert f"任务 {INDIVIDUALS} 的名录是空的" in walk.said["nobody to draw"]
    assert f"任务 {COUNTY} 属于 2026 年度计划第 1 版，已由第 2 版替换" in walk.said["not in the plan any more"]


# The draws ----------------------------------------------------------------------


def test_three_and_a_half_and_one_percent_rounded_up_are_drawn_and_drawing_again_gives_the_same(walk):
    assert "抽中 144 户" in walk.said["draw"]
    assert walk.said["draw again"].replace("已经抽取过，这是原来的结果", "已抽取") == walk.said["draw"]
    for round_, task, per_mille in ((OPEN, RIDDEN, 35), (SEALED, INSTANT, 10)):
        drawn = drawn_of(walk, round_)[task]["*"]
        assert len(drawn) == len(set(drawn)) == -(-4110 * per_mille // 1000) and all(code[2:8] == "350582" and check_code(code).ok for code in drawn)


def test_of_each_class_its_ratio_is_drawn_from_those_who_have_it(walk):
    with (walk.folder / "companies.csv").open(encoding="utf-8") as file:
        sizes = Counter(class_of(row["uscc"]) for row in csv.DictReader(file))
    drawn = drawn_of(walk, SEALED)[CLASSED]
    ratios = {"A": 1, "B": 3, "C": 10, "D": 30}  # per cent, as jinjiang_style_2024.xlsx has them
    assert {name: len(codes) for name, codes in drawn.items()} == {name: -(-sizes[name] * ratio // 100) for name, ratio in ratios.items()}
    assert all(class_of(code) == name for name, codes in drawn.items() for code in codes)


def test_who_is_drawn_for_two_tasks_is_visited_once(walk):
    picks = [code for strata in drawn_of(walk, SEALED).values() for codes in strata.values() for code in codes]
    visited = draw_file(walk, SEALED, "assigned.json")["assigned"]
    assert len(visited) == len(set(picks)) < len(picks)
    said = [count_of(walk, f"combine {SEALED}", label) for label in ("抽中户次", "入企次数", "少跑")]
    assert said == [len(picks), len(visited), len(picks) - len(visited)]
    assert count_of(walk, f"combine {OPEN}", "少跑") == 0


@pytest.mark.parametrize(("round_", "barred"), [(OPEN, 17), (SEALED, 96)], ids=["open", "sealed"])
def test_whose_certificate_does_not_hold_to_the_end_of_the_window_is_never_eligible(walk, round_, barred):
    out = barred_inspectors(walk, round_)
    slots, assigned = draw_file(walk, round_, "slots.json"), draw_file(walk, round_, "assigned.json")
    eligible = {who for row in slots["slots"].values() for candidates in row for who in candidates}
    chosen = {who for row in assigned["assigned"].values() for who in row}
    known = {code for (code,) in office.query(walk.portal.data, "SELECT code FROM inspector")}
    assert len(known) == 180 and sum(why != "案例" for why in out.values()) == barred == len(out) - 1
    assert assigned["unfilled"] == [] and chosen <= eligible <= known - out.keys()
    assert known & out.keys() == out.keys() - {code for code, why in out.items() if why == "案例"}


def test_whoever_works_at_a_station_is_sent_to_its_own_companies_only(walk):
    sent = office.query(
        walk.portal.data,
        "SELECT o.id = v.organisation, count(*) FROM assignment a JOIN visit v ON v.id = a.visit JOIN inspector i ON i.id = a.inspector"
        " JOIN organisation o ON o.id = i.organisation WHERE o.kind = 'station' GROUP BY 1",
    )
    assert [bool(own) for own, _ in sent] == [True] and sent[0][1] > 50


# Records, publication -----------------------------------------------------------


def test_every_visit_has_its_records_and_all_are_published(walk):
    results = lines_of(walk, "results.jsonl")
    for round_, items in ((OPEN, {RIDDEN: ANNUAL}), (SEALED, {CLASSED: ANNUAL, INSTANT: "annual_reports.instant"})):
        forms = Counter(json.loads(line)["form"] for line in real_walk.answers_of(walk, round_).splitlines())
        visits = draw_file(walk, round_, "assigned.json")["assigned"]
        assert forms == {"annual_reports.check": len(visits), "registration.check": len(visits)}
        assert f"{forms.total()} 份检查记录已导入" in walk.said[f"records {round_}"] and f"通过 {forms.total()} 份" in walk.said[f"review {round_}"]
        shown = [row for row in results if row["round"] == round_]
        assert {row["visit"] for row in shown} == visits.keys() and len(shown) == len(visits)
        drawn = {(code, items[task]) for task, strata in drawn_of(walk, round_).items() for codes in strata.values() for code in codes}
        riding = {(row["entity"], item) for row in shown for item in ("registration.licence", "registration.name")}
        assert {(row["entity"], item["code"]) for row in shown for item in row["items"]} == drawn | riding
        assert count_of(walk, f"publish {round_}", "新公示结果") == len(visits)


def test_each_visit_has_a_result_sheet_and_each_notice_its_pdf(walk):
    pdfs = [path for path in (walk.portal.data / "site" / "current").rglob("*.pdf")]
    results = lines_of(walk, "results.jsonl")
    assert len(pdfs) == len(results) + 4 + 2 + 2  # plans, tasks, results
    assert count_of(walk, "publish again", "PDF") == len(pdfs) and "与上次相同，没有变动" in walk.said["publish again"]


def test_the_home_page_counts_the_rounds_of_its_year(walk):
    about = json.loads((walk.portal.data / "bundles" / "current" / "about.json").read_bytes())
    figures = {one["label"]: one["value"] for one in about["figures"]}
    picks, visits, avoided = (count_of(walk, f"combine {SEALED}", label) for label in ("抽中户次", "入企次数", "少跑"))
    assert about["year"] == 2026 and figures["抽取户数"] == visits and figures["少跑"] == avoided == picks - visits
    assert figures["入企检查"] == figures["结果公示"] == "100%"
    problems = [row for row in lines_of(walk, "results.jsonl") if row["round"] == SEALED and any(item["problem"] for item in row["items"])]
    assert figures["发现问题"] == len(problems) > 0


def test_what_a_sealed_round_keeps_is_in_no_public_file(walk):
    public = {name: data for name, data in files_of(walk).items() if not name.startswith("draws/")}
    assert {name.rpartition("/")[2] for name in public if f"/rounds/{SEALED}/" in name} == {"public.json", "round.json"}
    made = (walk.folder / f"copy-{SEALED}").read_text().strip()
    told = (walk.folder / f"copy-{OPEN}").read_text().strip()
    everything = b"\n".join(public.values())
    for secret, known in ((SECRETS[OPEN], True), (told, True), (SECRETS[SEALED], False), (made, False)):
        assert (secret.encode() in everything) is known
    row = next(row for row in lines_of(walk, "rounds.jsonl") if row["code"] == SEALED)
    assert row["secrets"] is None and all(one["tasks"] is None for one in row["list"])
    assert [one["code"] for one in row["list"]] == sorted(one["code"] for one in row["list"]), "in an order that tells nothing"
    keys = {key for one in [row, *lines_of(walk, "results.jsonl")] for key in _keys(one)}
    assert {key for key in keys if re.search("class|strat|quota|risk|ticket", key)} == {"ticket_root"}


def _keys(value):
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _keys(one)


def test_the_documents_of_real_names_can_be_printed(walks, tmp_path_factory, one_nursery):
    bundle = load_bundle(walks("sqlite").portal.data / "bundles" / "current")
    jobs = list(pdf_jobs(bundle))
    longest = max((job for job in jobs if job[1] == "result_sheet"), key=lambda job: len(job[2]["result"]["name"]))
    chosen = [next(job for job in jobs if job[0] == path) for path in ("plans/2026.pdf", f"tasks/{SEALED}.pdf")]
    with Printer(ready_fonts(tmp_path_factory), workers=1) as printer:
        printed = dict(printer.render_many((path, f"{template}.html", dict(context)) for path, template, context in (*chosen, longest)))
    assert len(printed) == 3 and not any(map(missing_glyphs, printed.values()))
    plan, task, sheet = (text_of(printed[job[0]]) for job in (*chosen, longest))
    assert real_walk.BUREAU in plan and "校园周边食品销售者检查" in plan
    assert "2026年公示信息抽查" in task and "4,110" in task and "按信用风险分类差异化抽查" in task
    assert longest[2]["result"]["name"] in sheet and longest[2]["result"]["entity"] in sheet


# Verification -------------------------------------------------------------------


def test_the_whole_installation_its_folders_and_the_rounds_on_its_site_verify(walk):
    for name in ("whole", "open folder", "sealed folder", "open on the site", "sealed on the site"):
        lines = walk.said[f"verify {name}"].splitlines()
        assert lines and all(line.startswith("OK   ") for line in lines), (name, lines)
    assert len(walk.said["verify whole"].splitlines()) > 20


@pytest.mark.parametrize("round_", ROUNDS)
def test_the_public_verifier_agrees(walks, round_):
    data = walks("sqlite").portal.data
    program = data / "site" / "current" / "verify" / "verify.py"
    done = subprocess.run([sys.executable, program, data / "draws" / round_], capture_output=True, text=True)
    assert done.returncode == 0 and "OK" in done.stdout and "FAIL" not in done.stdout, done


@pytest.mark.postgres
def test_both_engines_publish_the_same_bytes(walks, postgres_url):
    sqlite, postgres = (files_of(walks(kind)) for kind in office.ENGINES)
    assert sqlite.keys() == postgres.keys() and len(sqlite) > 1_000
    assert [name for name in sqlite if sqlite[name] != postgres[name]] == []


@pytest.mark.parametrize(
    ("act", "because"),
    [
        ("unshared", "密值没有生成"),
        ("second round", f"任务 {RIDDEN} 已在轮次 {OPEN} 中"),
        ("frozen again", f"任务 {RIDDEN} 已在轮次 {OPEN} 中"),
        ("early source", "才开奖，现在不能录入号码"),
        ("early draw", "以后才能抽取"),
        ("misshapen source", "4.11.17./9./"),
        ("draw without all sources", "还有号码没有录入"),
        ("drawn by its approver", "没有这项权限"),
        ("void", "结果不能作废"),
        ("unassigned answers", "还没有匹配执法人员"),
        ("early reveal", "次入企没有完成"),
        ("records again", "已有一份记录（待审核）"),
        ("classes in the open", "只能放在密封轮次里"),
        ("secret used before", "这个密值已经用过"),
    ],
)
def test_an_act_out_of_turn_is_refused(walk, act, because):
    assert because in walk.said[act]

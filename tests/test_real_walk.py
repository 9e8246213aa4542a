"""Real input through the whole walk by commands: the 4,110 companies of 晋江市 under the simulated clock.

The PDFs are stood in for by a fake printer: laying out a sheet for each of 144
visits takes half a minute, and tests/test_demo.py makes real ones.
"""

import csv
import gzip
import io
import json
import re

import pytest

from portal import jobs
from portal.sheets.read import read_sheet
from tests.cli.command import FakePrinter, Portal
from tests.office_fixtures import cheap_passphrases  # noqa: F401 - used by its name
from tests.shared import shared_file

pytestmark = pytest.mark.shared

TASK, ROUND = "350582-2024-T001", "350582-2024-R01"
LOTTERIES = (
    ("福彩快乐8 第2024123期@2024-05-13T21:30:00+08:00", "1.5.9.12.17.20.23.28.31.34.40.41.47.52.55.60.63.68.74.79./"),
    ("福彩双色球 第2024054期@2024-05-14T21:15:00+08:00", "4.11.17.23.28.32./9./"),
)


@pytest.fixture(scope="module")
def walk(tmp_path_factory, cheap_passphrases):  # noqa: F811
    """The walk done once; what each command said, by a name."""
    folder = tmp_path_factory.mktemp("jinjiang")
    companies = folder / "companies.csv"
    companies.write_bytes(jinjiang_rows(shared_file("enterprises/fujian_1978_2004.csv.gz").read_bytes()))
    portal = Portal(folder / "data", PORTAL_CLOCK="simulated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "Printer", FakePrinter)
        yield portal, take(portal, folder, companies)


def jinjiang_rows(packed: bytes) -> bytes:
    rows = csv.reader(io.StringIO(gzip.decompress(packed).decode()))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heading = next(rows)
    writer.writerow(heading)
    at = heading.index("uscc")
    writer.writerows(row for row in rows if row[at][2:8] == "350582")
    return out.getvalue().encode()


def take(portal, folder, companies):
    said = {}
    for name in ("one", "two"):
        (folder / name).write_text(f"第 {name} 位持有人的口令 0001\n")
    clock = lambda at: portal.well("clock", f"{at}:00+08:00")  # noqa: E731
    clock("2024-05-06T09:00")
    portal.well("init", "--name", "晋江市市场监督管理局", "--region", "350582")
    said["entities"] = portal.well("import", "entities", companies)
    said["inspectors"] = portal.well("import", "inspectors", shared_file("plans/inspectors_jinjiang.xlsx"))
    said["plan"] = portal.well("import", "plan", shared_file("plans/jinjiang_style_2024.xlsx"))
    portal.well("publish", "--as", "publisher")
    said["freeze"] = portal.well("pool", "freeze", TASK, "--as", "planner")
    sources = [word for name, _ in LOTTERIES for word in ("--source", name)]
    holders = ["--holder", "信用监督管理科=planner", "--holder", "派驻纪检监察组=supervisor"]
    said["create"] = portal.well(
        "round", "create", TASK, "--title", "2024年公示信息抽查", *sources, *holders,
        "--draw-not-before", "2024-05-14T22:00:00+08:00", "--window", "2024-06-03..2024-06-28", "--as", "planner",
    )  # fmt: skip
    said["unshared"] = portal.refused("round", "commit", ROUND, "--as", "approver")
    portal.well("round", "share", ROUND, "--passphrase-file", folder / "one", "--secret-file", folder / "copy", "--as", "planner")
    (folder / "own").write_text("".join(f"{n * 7 % 256:02x}" for n in range(32)) + "\n")
    portal.well("round", "share", ROUND, "--passphrase-file", folder / "two", "--secret-file", folder / "own", "--as", "supervisor")
    said["commit"] = portal.well("round", "commit", ROUND, "--as", "approver")
    said["second round"] = portal.refused(
        "round", "create", TASK, "--title", "再来一次", *holders, "--draw-not-before", "2024-07-14T22:00:00+08:00", "--as", "planner"
    )
    said["frozen again"] = portal.refused("pool", "freeze", TASK, "--as", "planner")
    said["early source"] = portal.refused("round", "source", ROUND, 1, LOTTERIES[0][1], "--as", "planner")
    said["early draw"] = portal.refused("round", "draw", ROUND, "--as", "planner")
    clock("2024-05-15T09:00")
    said["misshapen source"] = portal.refused("round", "source", ROUND, 2, "4.11.17./9./", "--as", "planner")
    portal.well("round", "source", ROUND, 1, LOTTERIES[0][1], "--as", "planner")
    portal.well("round", "release", ROUND, "--passphrase-file", folder / "one", "--as", "planner")
    portal.well("round", "release", ROUND, "--passphrase-file", folder / "two", "--as", "supervisor")
    said["draw without all sources"] = portal.refused("round", "draw", ROUND, "--as", "planner")
    portal.well("round", "source", ROUND, 2, LOTTERIES[1][1], "--as", "planner")
    said["drawn by its approver"] = portal.refused("round", "draw", ROUND, "--as", "approver")
    said["draw"] = portal.well("round", "draw", ROUND, "--as", "planner")
    said["draw again"] = portal.well("round", "draw", ROUND, "--as", "planner")
    said["void"] = portal.refused("round", "void", ROUND, "--reason", "换一批", "--as", "approver")
    said["unassigned answers"] = portal.refused("sample", "answers", ROUND)
    said["combine"] = portal.well("visits", "combine", ROUND, "--as", "planner")
    said["assign"] = portal.well("visits", "assign", ROUND, "--as", "planner")
    said["early reveal"] = portal.refused("round", "reveal", ROUND, "--as", "approver")
    clock("2024-07-01T17:00")
    portal.well("sample", "answers", ROUND, "--seed", 3)
    answers = portal.data / "sample" / f"{ROUND}-answers.jsonl"
    said["answers"] = answers.read_bytes()
    said["records"] = portal.well("record", "import", answers)
    (folder / "first.jsonl").write_bytes(said["answers"].splitlines()[0])
    said["records again"] = portal.refused("record", "import", folder / "first.jsonl")
    clock("2024-07-02T10:00")
    said["review"] = portal.well("record", "review", ROUND, "--as", "reviewer")
    said["publish"] = portal.well("publish", "--as", "publisher")
    portal.well("round", "reveal", ROUND, "--as", "approver")
    portal.well("publish", "--as", "publisher")
    said["publish again"] = portal.well("publish", "--as", "publisher")
    portal.well("round", "export", ROUND, "--as", "supervisor")
    said["verify"] = portal("verify")
    return said


def test_the_register_is_read_whole_and_frozen_as_the_pool(walk):
    _, said = walk
    assert re.search(r"读入 +4,110\n", said["entities"])
    assert "名录 4,110 户已冻结，排除 0 户" in said["freeze"]


def test_the_plan_becomes_one_task_two_riders_and_two_rows_that_wait_and_its_class_columns_are_reported_unused(walk):
    counts = dict(line.split() for line in walk[1]["plan"].splitlines()[1:12])
    gone = {"数据行": "5", "新增": "5", "更新原有": "0", "内容未变": "0", "并入前面的行": "0", "有错误未导入": "0"}
    assert counts == gone | {"计划行": "5", "抽查任务": "1", "结合检查": "2", "待模块": "2", "分类比例已保留，总比例抽取时不使用": "1"}


def test_three_and_a_half_percent_rounded_up_are_drawn_and_drawing_again_gives_the_same(walk):
    portal, said = walk
    assert "抽中 144 户" in said["draw"] and -(-4110 * 35 // 1000) == 144
    assert said["draw again"].replace("已经抽取过，这是原来的结果", "已抽取") == said["draw"]
    result = json.loads((portal.data / "draws" / ROUND / "result.json").read_bytes())
    drawn = [code for row in result[TASK]["strata"].values() for code in row["drawn"]]
    assert len(drawn) == len(set(drawn)) == 144 and all(code[2:8] == "350582" for code in drawn)


def test_only_inspectors_whose_certificate_holds_to_the_end_of_the_window_are_assigned(walk):
    portal, said = walk
    assert re.search(r"今日可派 +163\n", said["inspectors"])
    assigned = json.loads((portal.data / "draws" / ROUND / "assigned.json").read_bytes())
    slots = json.loads((portal.data / "draws" / ROUND / "slots.json").read_bytes())
    chosen = {who for row in assigned["assigned"].values() for who in row}
    assert len(assigned["assigned"]) == 144 and assigned["unfilled"] == [] and None not in chosen
    assert len(chosen) <= len(slots["caps"]) <= 163
    sheet = read_sheet(shared_file("plans/inspectors_jinjiang.xlsx").read_bytes(), "inspectors")
    barred = barred_inspectors(sheet.rows)
    assert len(barred) == 17 and not barred & chosen and not barred & slots["caps"].keys()


def barred_inspectors(rows):
    """Codes of those whose certificate is not 有效, or ends before the window does."""
    number, until, status = map([str(cell) for cell in rows[0]].index, ("单位工号", "执法证有效期", "执法人员状态"))
    return {f"350582-{row[number]}" for row in rows[2:] if row[status] != "有效" or str(row[until])[:10] < "2024-06-28"}


def test_every_visit_has_records_of_both_sectors_and_all_are_published(walk):
    portal, said = walk
    forms = [json.loads(line)["form"].split(".")[0] for line in said["answers"].splitlines()]
    assert sorted(set(forms)) == ["annual_reports", "registration"] and len(forms) == 288
    assert "288 份检查记录已导入" in said["records"] and "通过 288 份" in said["review"]
    results = [json.loads(line) for line in (portal.data / "site" / "current" / "data" / "results.jsonl").read_text().splitlines()]
    assert len(results) == 144
    assert {item["code"].split(".")[0] for row in results for item in row["items"]} == {"annual_reports", "registration"}


def test_each_visit_has_a_result_sheet_and_each_notice_its_pdf(walk):
    pdfs = sorted(path.name for path in (walk[0].data / "site" / "current").rglob("*.pdf"))
    assert len(pdfs) >= 144 + 3, pdfs


def test_publishing_again_changes_nothing(walk):
    assert "与上次相同，没有变动" in walk[1]["publish again"]


def test_the_whole_installation_verifies(walk):
    done = walk[1]["verify"]
    assert done.code == 0 and done.lines("OK") and not done.lines("FAIL"), done


@pytest.mark.parametrize(
    ("act", "because"),
    [
        ("unshared", "密值没有生成"),
        ("second round", f"任务 {TASK} 已在轮次 {ROUND} 中"),
        ("frozen again", f"任务 {TASK} 已在轮次 {ROUND} 中"),
        ("early source", "才开奖，现在不能录入号码"),
        ("early draw", "以后才能抽取"),
        ("misshapen source", "4.11.17./9./"),
        ("draw without all sources", "还有号码没有录入"),
        ("drawn by its approver", "没有这项权限"),
        ("void", "结果不能作废"),
        ("unassigned answers", "还没有匹配执法人员"),
        ("early reveal", "次入企没有完成"),
        ("records again", "一条也没有导入"),
    ],
)
def test_an_act_out_of_turn_is_refused(walk, act, because):
    assert because in walk[1][act]

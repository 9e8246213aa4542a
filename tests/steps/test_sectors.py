"""A sector that fails is named, what needed it is refused whole, and everything else goes on."""

import json
from types import ModuleType

import pytest

import plugins.annual_reports
import plugins.registration
from portal.domain.errors import BadInput, WrongMoment
from portal.plugin import Block, Page, hookimpl
from portal.plugins import Sectors, discover_sectors
from portal.steps import disclosure, forms, pool, publish, review, sample
from portal.steps.verify import verify_installation
from portal.store import audit, records
from portal.store.tables import Entity, RoundTask
from tests import office
from tests.office import ANNUAL, OPEN, SEED, snapshot
from tests.steps.acts import one_answer

pytestmark = pytest.mark.anyio
REAL = {"annual_reports": plugins.annual_reports, "registration": plugins.registration}


def sectors_with(sector: str, **hooks) -> Sectors:
    """The installed sectors, one of them with these hooks in place of its own."""
    module = ModuleType(f"broken_{sector}")
    module.__dict__.update({name: value for name, value in vars(REAL[sector]).items() if not name.startswith("__")})
    module.__dict__.update({name: hookimpl(function) for name, function in hooks.items()})
    return discover_sectors(",".join(REAL), REAL | {sector: module})


def _page(task, published):
    return [Page("figures", "统计", [Block("text", f"{len(published)} 户")])]


POOL_HOOKS = {
    "pool_rule": lambda task: 1 // 0,
    "exclude_from_pool": lambda task, batch: 1 // 0,
    "adjust_risk": lambda task, batch: 1 // 0,
}
POOL_NONSENSE = {
    "pool_rule": lambda task: "企业",
    "exclude_from_pool": lambda task, batch: {"91350582MA0000007P": "不在这一批里"},
    "adjust_risk": lambda task, batch: ["A"],
}


@pytest.mark.parametrize("answers", [POOL_HOOKS, POOL_NONSENSE], ids=["raises", "nonsense"])
@pytest.mark.parametrize("hook", POOL_HOOKS)
async def test_a_sector_that_fails_while_a_pool_is_frozen_is_named_and_nothing_is_frozen(filled, hook, answers):
    broken = sectors_with("annual_reports", **{hook: answers[hook]})
    before = await snapshot()
    with pytest.raises(WrongMoment, match=f"业务模块“公示信息”（annual_reports）的 {hook} 出错：.*本次操作没有生效"):
        await pool.freeze_pool(await filled.acting("planner", broken), ANNUAL)
    assert await snapshot() == before
    assert (await pool.freeze_pool(await filled.acting("planner"), ANNUAL))["size"] > 0


async def test_another_sectors_failure_does_not_touch_the_pool(filled):
    broken = sectors_with("registration", **POOL_HOOKS)
    assert (await pool.freeze_pool(await filled.acting("planner", broken), ANNUAL))["size"] > 0


async def test_what_a_sector_excludes_is_in_the_pool_marked_and_never_drawn(filled):
    rows = await Entity.select(Entity.code).where(Entity.type == "企业", Entity.status == "存续", Entity.kind == "entity").run()
    codes = {row["code"] for row in rows[:5]}
    broken = sectors_with("annual_reports", exclude_from_pool=lambda task, batch: {c.code: "本行业另有安排" for c in batch if c.code in codes})
    made = await pool.freeze_pool(await filled.acting("planner", broken), ANNUAL)
    assert made["excluded_size"] == 5 and made["rules"] == {"sector": 5}


async def test_a_sector_that_cannot_check_a_record_keeps_it_a_draft(drawn):
    found = await one_answer(drawn)
    row = found["row"]
    assert row["form"] == "annual_reports.check"
    broken = sectors_with("annual_reports", validate_record=lambda record, form: 1 // 0)
    act = await drawn.acting("assigned", broken)
    given = {"answers": row["answers"], "outcomes": row["outcomes"], "method": row["method"]}
    before = await snapshot()
    with pytest.raises(WrongMoment, match="业务模块“公示信息”（annual_reports）的 validate_record 出错：ZeroDivisionError"):
        await forms.save_record(act, row["visit"], row["form"], **given, submit=True)
    assert await snapshot() == before
    record = await forms.save_record(act, row["visit"], row["form"], **given)
    assert (await records.load_record(record, act.tree))["state"] == "draft", "what the inspector typed is not lost"


async def test_a_file_with_records_of_a_failing_sector_is_refused_by_row(drawn):
    drawn.at(office.ENTERED)
    data = b"".join(await sample.make_answers(await drawn.acting("operator"), OPEN, SEED))
    broken = sectors_with("registration", validate_record=lambda record, form: 1 // 0)
    wanted = {n for n, line in enumerate(data.decode().splitlines(), 1) if json.loads(line)["form"].startswith("registration.")}
    before = await snapshot()
    with pytest.raises(BadInput) as refusal:
        await forms.import_records(await drawn.acting("operator", broken), data)
    assert {problem.row for problem in refusal.value.problems} == wanted != set()
    assert await snapshot() == before


@pytest.mark.parametrize("hook", ["suggest_follow_up", "public_summary"])
@pytest.mark.parametrize("answer", [lambda record, form: 1 // 0, lambda record, form: 42], ids=["raises", "nonsense"])
async def test_a_sector_that_fails_in_review_is_named_and_the_others_records_are_reviewed(entered, hook, answer):
    broken = sectors_with("annual_reports", **{hook: answer})
    act = await entered.acting("reviewer", broken)
    waiting = await records.load_record_page(act.tree, ["submitted"])
    bad = next(row for row in waiting if row["sector"] == "annual_reports")
    good = next(row for row in waiting if row["sector"] == "registration")
    before = await snapshot()
    with pytest.raises(WrongMoment, match=f"annual_reports）的 {hook} 出错"):
        await review.review_record(act, bad["id"], approve=True, comment="", version=bad["version"])
    assert await snapshot() == before
    await review.review_record(act, good["id"], approve=True, comment="", version=good["version"])
    assert (await records.load_record(good["id"], act.tree))["state"] == "approved"


async def _faults(after: int) -> list[tuple[str, str]]:
    return [(row["object"], json.loads(row["detail"])["hook"]) for row in await audit.load_acts(after) if row["act"] == "sector.fault"]


async def test_a_sector_that_fails_when_told_of_results_stops_no_publication(approved):
    broken = sectors_with("registration", results_published=lambda task, count: 1 // 0)
    before = (await audit.load_head())["n"]
    counts = await publish.publish_all(await approved.acting("publisher", broken))
    assert counts["results"] > 0
    assert set(await _faults(before)) == {("registration", "results_published")}


def _pages(folder) -> dict[str, str]:
    return {row["sector"]: row["blocks"][0]["body"] for row in map(json.loads, (folder / "pages.jsonl").read_bytes().splitlines())}


async def test_a_sector_whose_page_fails_is_named_and_what_it_showed_before_stays(published, tmp_path):
    good = await published.acting("publisher", sectors_with("annual_reports", publication_pages=_page))
    await disclosure.write_bundle(good, tmp_path / "current", demo=True)
    shown = _pages(tmp_path / "current")
    assert set(shown) == {"annual_reports"}
    broken = sectors_with("annual_reports", publication_pages=lambda task, published: 1 // 0)
    before = (await audit.load_head())["n"]
    await disclosure.write_bundle(await published.acting("publisher", broken), tmp_path / "next", demo=True)
    assert _pages(tmp_path / "next") == shown
    assert await _faults(before) == [("annual_reports", "publication_pages")]
    await disclosure.write_bundle(await published.acting("publisher", broken), tmp_path / "elsewhere" / "next", demo=True)
    assert _pages(tmp_path / "elsewhere" / "next") == {}, "nothing was shown before: nothing is shown"
    assert all([holds async for holds, _ in verify_installation(await published.acting("auditor"))])


async def test_sectors_see_public_answers_only_when_they_make_pages(published, tmp_path):
    seen, bases = [], {}

    def pages(task, published):
        seen.extend(published)
        bases[task.code] = task.base
        return []

    await disclosure.write_bundle(
        await published.acting("publisher", sectors_with("annual_reports", publication_pages=pages)), tmp_path / "b", demo=True
    )
    assert seen and all(not one.answers for one in seen)
    assert all("两次上门" not in one.summary for one in seen)
    assert bases[ANNUAL] == (await RoundTask.select(RoundTask.pool.size).where(RoundTask.task.code == ANNUAL).first().run())["pool.size"] > 0


async def test_a_task_of_a_sector_no_longer_installed_says_so(filled):
    only = discover_sectors("registration", {"registration": plugins.registration})
    before = await snapshot()
    with pytest.raises(WrongMoment, match="业务模块“annual_reports”没有安装或没有启用"):
        await pool.freeze_pool(await filled.acting("planner", only), ANNUAL)
    assert await snapshot() == before


async def test_what_a_sector_no_longer_installed_left_behind_is_published_and_stays_published(approved, tmp_path):
    """Items, forms and approved records are data: publishing them asks the sector nothing."""
    only = discover_sectors("registration", {"registration": plugins.registration})
    whole = await publish.publish_all(await approved.acting("publisher", only))
    assert whole["results"] > 0
    await disclosure.write_bundle(await approved.acting("publisher", only), tmp_path / "less", demo=True)
    lines = [json.loads(line) for line in (tmp_path / "less" / "results.jsonl").read_bytes().splitlines()]
    assert {"annual_reports", "registration"} <= {item["code"].partition(".")[0] for line in lines for item in line["items"]}
    assert all([holds async for holds, _ in verify_installation(await approved.acting("auditor", only))])

"""Risk classes reach the draw: strata and ratios, frequencies, lists, those without a class; and classes set by hand."""

import json
from datetime import date

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, NotAllowed
from portal.domain.sample import sample_plan
from portal.domain.sample_profile import sample_profile
from portal.steps import base, caps, classes, commit, disclosure, imports, pool, profile, simulation
from portal.steps.plan import import_plan
from portal.store import classes as store
from portal.store import draw as draw_store
from portal.store import engine, plan
from portal.store import pool as pool_store
from portal.store.tables import Entity, Task
from tests import office
from tests.office import ANNUAL, INSTANT, SEALED, snapshot

pytestmark = pytest.mark.anyio

HEAD = ("统一社会信用代码", "信用风险等级", "分类日期", "分类版本")
ALL_ZERO = "年报全零企业"


async def save_profile(house, **changes):
    value = sample_profile(office.SEED)
    for name, change in changes.items():
        value[name] = change(value[name])
    await profile.save_profile(await house.acting("planner"), json.dumps(value).encode())


def ratios(**more):
    return lambda rows: [{**rows[0], **more}]


async def frozen(house, task=INSTANT, strata="class"):
    return await pool.freeze_pool(await house.acting("planner"), task, strata)


async def strata_of(made):
    lines = (await pool_store.load_pool_bytes(made["id"])).decode().splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines}


async def companies(house, **where):
    act = await house.acting("planner")
    rows = await office.entries_of(act, 400, type="企业", status="存续")
    return [row for row in rows if row["kind"] == "entity" and all(row[name] == value for name, value in where.items())]


async def no_class_in_row(house, task=INSTANT, **values):
    async with engine.transaction():
        await Task.update(**{"class_ratios": "{}", **values}).where(Task.code == task).run()


# Strata and ratios -------------------------------------------------------------


async def test_a_row_without_classes_takes_the_profiles_and_the_quota_stays_with_the_pool(filled):
    await save_profile(filled)
    await no_class_in_row(filled)
    made = await frozen(filled)
    assert made["quota"] == {"A": {"ppm": 10_000}, "B": {"ppm": 30_000}, "C": {"ppm": 100_000}, "D": {"ppm": 300_000}}
    assert await strata_of(made) == {row["code"]: row["risk_class"] for row in await companies(filled)}
    await save_profile(filled, class_ratios=ratios(ppm={"A": 1, "B": 2, "C": 3, "D": 4}))
    code = await commit.create_round(
        await filled.acting("planner"), [INSTANT], title="x", disclosure="sealed", holders=office.HOLDERS, window=office.WINDOW,
        draw_not_before=office.AFTER_ISSUES, sources=[{"name": n, "drawn_at": at, "groups": g} for n, at, g, _ in office.ISSUES],
    )  # fmt: skip
    assert (await draw_store.load_round_tasks((await filled.round(code))["id"]))[0]["quota"] == made["quota"]


async def test_the_plan_row_goes_before_the_profile(filled):
    await save_profile(filled, class_ratios=ratios(ppm={"A": 1, "B": 2, "C": 3, "D": 4}))
    assert (await frozen(filled))["quota"]["D"] == {"ppm": 300_000}


async def test_a_round_by_class_is_never_open(filled):
    await save_profile(filled)
    await no_class_in_row(filled)
    await frozen(filled)
    with pytest.raises(BadInput, match="只能放在密封轮次里"):
        await commit.create_round(
            await filled.acting("planner"), [INSTANT], title="x", disclosure="open", holders=office.HOLDERS, window=office.WINDOW,
            draw_not_before=office.AFTER_ISSUES, sources=[{"name": n, "drawn_at": at, "groups": g} for n, at, g, _ in office.ISSUES],
        )  # fmt: skip


async def test_an_overall_row_is_untouched_by_classes(filled):
    """An open round may not even pass somebody over for his class."""
    await save_profile(filled, class_ratios=ratios(frequency={"A": {"times": 0, "years": 1}}))
    made = await frozen(filled, ANNUAL, "none")
    assert made["excluded_size"] == 0 and set((await strata_of(made)).values()) == {"*"} and made["quota"] == {"*": {"ppm": 35_000}}


async def test_five_classes_are_as_good_as_four(filled):
    grades = [[one, f"{one}类"] for one in "ABCDE"]
    scale = {**sample_profile(office.SEED)["scales"][0], "grades": grades}
    await save_profile(
        filled, scales=lambda rows: [scale, *rows[1:]], class_ratios=ratios(ppm={one: 10_000 * n for n, one in enumerate("ABCDE", 1)}, frequency={})
    )
    await no_class_in_row(filled)
    code = (await companies(filled))[0]["code"]
    async with engine.transaction():
        await Entity.update(risk_class="E").where(Entity.code == code).run()
    made = await frozen(filled)
    assert made["quota"]["E"] == {"ppm": 50_000} and (await strata_of(made))[code] == "E"


# Without a class ---------------------------------------------------------------


async def test_those_without_a_class_are_counted_and_named_before_anything_is_frozen(filled):
    codes = [row["code"] for row in await companies(filled)][:4]
    async with engine.transaction():
        await Entity.update(risk_class="").where(Entity.code.is_in(codes)).run()
    before = await snapshot()
    with pytest.raises(BadInput, match=f"有 4 户没有“企业信用风险分类”（如 {'、'.join(codes[:3])}）。请导入其分类，或在计划行"):
        await frozen(filled)
    act = await filled.acting("planner")
    standing = await base.load_standing(act, await plan.load_latest_plan({act.bureau["id"]}, 2026))
    assert any("在册的有 4 户没有“企业信用风险分类”" in sentence and codes[0] in sentence for sentence in standing.notes)
    assert await snapshot() == before
    await save_profile(filled)
    looked = await pool.check_pool(act, INSTANT, "class")
    assert (looked["unclassed"], looked["missing"]) == (4, codes) and looked["strata"]["未分类"] == 4
    made = await frozen(filled)
    assert made["unclassed"] == 4 and made["quota"]["未分类"] == {"ppm": 35_000}
    assert {code for code, stratum in (await strata_of(made)).items() if stratum == "未分类"} == set(codes)


# Frequency ---------------------------------------------------------------------


async def again(house):
    """Another task of the sealed round's item, drawn by class."""
    tasks = await office.tasks_by_code()
    third = next(code for code in tasks if code not in (ANNUAL, INSTANT))
    async with engine.transaction():
        await Task.update(
            item_code=tasks[INSTANT]["item_code"], item_version=tasks[INSTANT]["item_version"], sector=tasks[INSTANT]["sector"],
            ratio_ppm=None, fixed_count=None, class_ratios="{}", objects="企业",
        ).where(Task.code == third).run()  # fmt: skip
    return third


async def test_a_frequency_passes_over_those_whose_times_are_used_up_and_lets_the_others_come_again(approved):
    """A once in two years, D twice a year; the reason is on record and names no class."""
    often = {"A": {"times": 1, "years": 2}, "B": {"times": 1, "years": 1}, "C": {"times": 1, "years": 1}, "D": {"times": 2, "years": 1}}
    await save_profile(approved, class_ratios=ratios(frequency=often), caps=lambda rows: [], pauses=lambda rows: [])
    third = await again(approved)
    met = {visit["entity_code"] for visit in await office.visits_of(SEALED)}
    grades = {row["code"]: row["risk_class"] for row in await companies(approved)}
    some = sorted(met & grades.keys())
    async with engine.transaction():
        await Entity.update(risk_class="D").where(Entity.code == some[0]).run()
        await Entity.update(risk_class="A").where(Entity.code == some[1]).run()
    made = await frozen(approved, third)
    excluded = {row["code"]: row for row in await pool_store.load_exclusions(made["id"])}
    assert some[0] not in excluded and {row["rule"] for row in excluded.values()} == {"frequency"}
    assert set(excluded) == {code for code in met & grades.keys() if code == some[1] or code != some[0] and grades[code] != "D"}
    assert all("按规定频次本期不再抽取" in row["reason"] and "类" not in row["reason"] and row["code"] not in row["reason"] for row in excluded.values())
    assert made["rules"] == {"frequency": len(excluded)}


async def test_a_year_later_who_is_due_every_year_comes_again_and_who_is_due_every_second_does_not(approved):
    await save_profile(approved, caps=lambda rows: [], pauses=lambda rows: [])
    third = await again(approved)
    met = sorted({visit["entity_code"] for visit in await office.visits_of(SEALED)})
    async with engine.transaction():
        await Entity.update(risk_class="B").where(Entity.code.is_in(met)).run()
        await Entity.update(risk_class="A").where(Entity.code == met[0]).run()
        await Task.update(window_from=date(2027, 3, 1), window_to=date(2027, 9, 30)).where(Task.code == third).run()
    approved.at("2027-02-01T09:00")
    made = await frozen(approved, third)
    assert [row["code"] for row in await pool_store.load_exclusions(made["id"])] == met[:1]


async def test_a_reason_on_record_goes_before_a_frequency(approved):
    await save_profile(approved, caps=lambda rows: [], pauses=lambda rows: [])
    third = await again(approved)
    code = sorted({visit["entity_code"] for visit in await office.visits_of(SEALED)})[0]
    await caps.allow(await approved.acting("approver"), code, "", "complaint", "12345 第 7 号", date(2026, 7, 3), None)
    made = await frozen(approved, third)
    excluded = {row["code"] for row in await pool_store.load_exclusions(made["id"])}
    assert excluded and code not in excluded


async def test_a_plan_that_cannot_meet_a_frequency_says_so(filled):
    act = await filled.acting("planner")
    often = {"D": {"times": 2, "years": 1}}
    latest = await plan.load_latest_plan({act.bureau["id"]}, 2026)
    await save_profile(filled, class_ratios=ratios(frequency=often), caps=lambda rows: [])
    assert [one for one in (await base.load_standing(act, latest)).notes if "每年应抽查 2 次，计划中只安排了 1 次" in one]
    await save_profile(filled, class_ratios=ratios(frequency=often))
    assert [one for one in (await base.load_standing(act, latest)).notes if "频次上限规定同一事项每年最多 1 次" in one]
    await save_profile(filled)
    assert (await base.load_standing(act, latest)).notes == ()


# Attributes --------------------------------------------------------------------


async def put_on_register(house, codes, register=ALL_ZERO):
    sheet = Sheet((("专项库名称", "代码", "企业名称", "年度"), *((register, code, f"第 {n} 户", "2025") for n, code in enumerate(codes))))
    await imports.import_sheet(await house.acting("operator"), "registers", sheet, "专项库.xlsx", b"register")


def rule(ppm):
    return lambda rows: [{**rows[0], "attribute": ALL_ZERO, "values": [], "ppm": ppm}]


async def listing_task(house):
    """The plan's row for those checked for certain."""
    tasks = await office.tasks_by_code()
    third = next(code for code in tasks if code not in (ANNUAL, INSTANT))
    async with engine.transaction():
        await Task.update(
            item_code=tasks[INSTANT]["item_code"], item_version=tasks[INSTANT]["item_version"], sector=tasks[INSTANT]["sector"],
            ratio_ppm=1_000_000, fixed_count=None, class_ratios="{}", objects="企业",
        ).where(Task.code == third).run()  # fmt: skip
    return third


async def test_an_attribute_rule_below_100_per_cent_is_a_stratum_of_its_own(filled):
    codes = [row["code"] for row in await companies(filled, risk_class="A")][:5]
    await put_on_register(filled, codes)
    await save_profile(filled, attribute_rules=rule(200_000))
    made = await frozen(filled)
    assert made["quota"]["年报全零"] == {"ppm": 200_000}
    assert sorted(code for code, stratum in (await strata_of(made)).items() if stratum == "年报全零") == codes


async def test_all_zero_reports_are_checked_to_the_last_by_a_list_in_the_same_sealed_round(filled):
    codes = [row["code"] for row in await companies(filled, risk_class="B")][:5]
    await put_on_register(filled, codes)
    await save_profile(filled, attribute_rules=rule(1_000_000))
    with pytest.raises(BadInput, match=f"有 5 户须全部检查（如 {codes[0]}.*为同一事项另列一行，比例写“100%”"):
        await frozen(filled)
    listing = await listing_task(filled)
    planner = await filled.acting("planner")
    choices = await pool.load_choices(planner, await plan.load_tasks(planner.tree))
    ids = {task["code"]: task["id"] for task in await plan.load_tasks(planner.tree)}
    assert (choices[ids[INSTANT]], choices[ids[listing]][0], choices[ids[ANNUAL]]) == (["class"], "list", ["none", "class"])
    made = await frozen(filled)
    assert {row["code"] for row in await pool_store.load_exclusions(made["id"]) if row["rule"] == "listed"} == set(codes)
    whole = await frozen(filled, listing, "list")
    assert sorted(await strata_of(whole)) == codes and whole["quota"] == {"*": {"ppm": 1_000_000}}
    await frozen(filled, ANNUAL, "none")
    given = dict(
        title="x", holders=office.HOLDERS, window=office.WINDOW, draw_not_before=office.AFTER_ISSUES,
        sources=[{"name": n, "drawn_at": at, "groups": g} for n, at, g, _ in office.ISSUES],
    )  # fmt: skip
    with pytest.raises(BadInput, match="已留给专列任务。请把同一事项的专列任务也冻结名录，放在同一轮"):
        await commit.create_round(planner, [INSTANT], disclosure="sealed", **given)
    with pytest.raises(BadInput, match="专列名单不能单独成轮"):
        await commit.create_round(planner, [listing, ANNUAL], disclosure="sealed", **given)
    with pytest.raises(BadInput, match="只能放在密封轮次里"):
        await commit.create_round(planner, [listing], disclosure="open", **given)
    code = await commit.create_round(planner, [listing, INSTANT], disclosure="sealed", **given)
    await office.make_shares(filled, code)
    await commit.commit_round(await filled.acting("approver"), code)
    await office.publish_commitments(filled, code)
    await office.make_drawable(filled, code)
    drawn = (await office.draw.draw_round(await filled.acting("planner"), code))["result"]
    assert sorted(drawn[listing]["strata"]["*"]["drawn"]) == codes
    assert not set(codes) & {one for row in drawn[INSTANT]["strata"].values() for one in row["drawn"]}


async def test_a_list_is_measured_as_the_list_and_not_as_the_whole_register(filled):
    codes = [row["code"] for row in await companies(filled, risk_class="B")][:5]
    await put_on_register(filled, codes)
    await save_profile(filled, attribute_rules=rule(1_000_000))
    listing = await listing_task(filled)
    act = await filled.acting("planner")
    latest = await plan.load_latest_plan({act.bureau["id"]}, 2026)
    await base.measure_plan(act, latest["id"])
    at = (await plan.load_task(listing, act.tree))["row"]
    row = next(row for row in (await base.load_standing(act, latest)).rows if row.row == at)
    assert sum(row.pool.values()) == sum(row.drawn.values()) == 5
    figures = (await simulation.simulate_plan(act, latest["id"], 1, 1))["figures"]
    assert figures[f"draws/{listing}/*"] == [5, 5, 5]


async def test_a_list_needs_a_rule_and_a_whole_ratio(filled):
    with pytest.raises(BadInput, match="抽查比例不是 100%"):
        await frozen(filled, ANNUAL, "list")
    listing = await listing_task(filled)
    with pytest.raises(BadInput, match="没有按 100% 抽查的属性规则"):
        await frozen(filled, listing, "list")


# Scales of sectors -------------------------------------------------------------


def food_ratios(rows):
    return [{**rows[0], "scale": "food", "ppm": {"A": 1_000, "B": 2_000, "C": 3_000, "D": 4_000}, "frequency": {}}]


async def test_a_sectors_grades_are_imported_beside_the_credit_class_and_never_mixed_with_it(filled):
    await save_profile(filled, class_ratios=food_ratios)
    await no_class_in_row(filled)
    rows = await companies(filled)
    code, other = rows[0]["code"], rows[1]["code"]
    given = Sheet((HEAD, (code, "D", "2026-03-31", "一季度"), (other, "C", "2026-03-31", "一季度")))
    operator = await filled.acting("operator")
    report = await imports.import_sheet(operator, "classes", given, "分级.xlsx", b"food", options={"分类体系": "food"})
    assert report.counts["名录已更新"] == 0 and report.counts["新增"] == 2
    later = Sheet((HEAD, (code, "D", "2026-04-30", "二季度"), (other, "B", "2026-04-30", "二季度")))
    preview, _ = await imports.preview_sheet(operator, "classes", later, "分级.xlsx", b"food", options={"分类体系": "food"})
    counts = dict(preview.counts)
    assert (counts["新增"], counts["更新原有"], counts["内容未变"]) == (0, 1, 1), "compared with the grades of the same scale"
    assert {row["code"]: row["risk_class"] for row in await companies(filled)} == {row["code"]: row["risk_class"] for row in rows}
    strata = await strata_of(await frozen(filled))
    assert (strata[code], strata[other]) == ("D", "C") and {one for name, one in strata.items() if name not in (code, other)} == {"未分类"}


async def test_a_class_of_no_scale_and_a_scale_of_no_profile_are_named(filled):
    await save_profile(filled)
    code = (await companies(filled))[0]["code"]
    operator = await filled.acting("operator")
    with pytest.raises(BadInput) as refused:
        await imports.import_sheet(operator, "classes", Sheet((HEAD, (code, "E", "2026-03-31", ""))), "x", b"x")
    assert [one.message for one in refused.value.problems] == ["“E”不在“企业信用风险分类”里，应是 A、B、C、D。请核对。"]
    with pytest.raises(BadInput, match="没有分类体系“plant”"):
        await imports.import_sheet(operator, "classes", Sheet((HEAD, (code, "A", "2026-03-31", ""))), "x", b"x", options={"分类体系": "plant"})


async def test_a_file_with_entities_of_another_bureau_names_them(filled):
    code, other = [row["code"] for row in await companies(filled)][:2]
    stranger = await filled.acting("stranger")
    async with engine.transaction():
        await Entity.update(organisation=stranger.bureau["id"]).where(Entity.code == other).run()
    operator = await filled.acting("operator")
    given = Sheet((HEAD, (code, "C", "2026-03-31", ""), (other, "C", "2026-03-31", "")))
    report = await imports.import_sheet(operator, "classes", given, "分类.xlsx", b"x")
    assert [one.message for one in report.warnings] == [f"代码 {other} 在其他单位的名录中，本局不使用这一行。请转交该单位。"]
    head = ("统一社会信用代码", "企业名称", "来源平台", "抽取日期")
    given = Sheet((head, (code, "甲", "市局平台", "2026-05-20"), (other, "乙", "市局平台", "2026-05-20")))
    report = await imports.import_sheet(operator, "draw", given, "名单.xlsx", b"y")
    assert [one.message for one in report.warnings] == [f"代码 {other} 在其他单位的名录中，名单照存，本局不安排检查。请转交该单位。"]


# By hand -----------------------------------------------------------------------


async def adjust(house, code, to="D", *, login="approver", **more):
    given = {"reason": "抽检不合格（第 12 号）", "since": date(2026, 5, 25), "until": date(2026, 12, 31)} | more
    return await classes.adjust_class(await house.acting(login), code, to, **given)


async def test_a_class_set_by_hand_reaches_the_draw_and_no_later_import_undoes_it(filled):
    await save_profile(filled)
    code = (await companies(filled, risk_class="A"))[0]["code"]
    assert await adjust(filled, code)
    given = Sheet((HEAD, (code, "B", "2026-05-25", "二季度")))
    report = await imports.import_sheet(await filled.acting("operator"), "classes", given, "分类.xlsx", b"later")
    assert report.counts["仍按人工调整"] == 1
    assert [one.message for one in report.warnings] == [f"{code} 已人工调整为 D（到 2026-12-31），导入的 B 照存，到期后生效。"]
    assert (await strata_of(await frozen(filled)))[code] == "D"
    assert (await companies(filled, code=code))[0]["risk_class"] == "B"
    filled.at("2027-01-01T09:00")
    assert await classes.load_adjusted(await filled.acting("planner")) == {}


async def test_an_adjustment_is_taken_back_by_another_and_both_stay(filled):
    code = (await companies(filled, risk_class="A"))[0]["code"]
    with pytest.raises(BadInput, match="现在没有人工调整"):
        await adjust(filled, code, "", until=None)
    await adjust(filled, code)
    assert not await adjust(filled, code), "a second click"
    assert await adjust(filled, code, "", reason="行政复议撤销", until=None) and not await adjust(filled, code, "", reason="行政复议撤销", until=None)
    act = await filled.acting("planner")
    assert await classes.load_adjusted(act) == {}
    assert [row["risk_class"] for row in await store.load_adjustment_history(act.bureau["id"], code)] == ["", "D"]


@pytest.mark.parametrize("to, more, says", [
    ("D", {"reason": " "}, "写明调整的依据"), ("E", {}, "里没有“E”，应是 A、B、C、D"), ("D", {"until": None}, "写明截止日期"),
    ("D", {"until": date(2028, 1, 1)}, "最长一年"), ("D", {"until": date(2026, 5, 1)}, "应不早于起始日期"),
    ("D", {"since": date(2026, 5, 26)}, "在今天之后"), ("D", {"scale": "plant"}, "没有分类体系“plant”"),
])  # fmt: skip
async def test_an_adjustment_says_why_to_what_and_how_long(filled, to, more, says):
    await save_profile(filled)
    code = (await companies(filled))[0]["code"]
    before = await snapshot()
    with pytest.raises(BadInput, match=says):
        await adjust(filled, code, to, **more)
    with pytest.raises(BadInput, match="名录中没有代码 X"):
        await adjust(filled, "X")
    with pytest.raises(NotAllowed):
        await adjust(filled, code, login="planner")
    assert await snapshot() == before


# Nothing public ----------------------------------------------------------------


async def test_nothing_public_names_the_adjusted_or_a_class(published):
    await save_profile(published)
    code = (await companies(published, risk_class="A"))[0]["code"]
    published.at("2026-07-06T09:00")
    await adjust(published, code, "D", reason="秘密的理由", since=date(2026, 7, 6))
    folder = published.settings.data / "bundle-2"
    await disclosure.write_bundle(await published.acting("publisher"), folder, demo=True)
    text = b"".join(place.read_bytes() for place in folder.rglob("*") if place.is_file()).decode("utf-8", "replace")
    for word in ("秘密的理由", "risk_class", "class_ratios", "企业信用风险分类", "unclassed", "未分类"):
        assert word not in text


# Plans -------------------------------------------------------------------------


async def test_a_row_without_a_ratio_is_a_task_where_the_profile_has_ratios_by_class(filled):
    sheet = sample_plan(office.SEED)
    rows = [list(row) for row in sheet.rows]
    row = next(row for row in rows if row[2] == "即时公示信息的检查")
    row[6:10] = [""] * 4
    given = Sheet(tuple(map(tuple, rows)), sheet.merged, sheet.name)
    operator = await filled.acting("operator")
    with pytest.raises(BadInput) as refused:
        await import_plan(operator, given, b"x")
    assert any("没有写明抽查比例或户数" in one.message for one in refused.value.problems)
    await save_profile(filled)
    await import_plan(operator, given, b"x")
    act = await filled.acting("planner")
    latest = await plan.load_latest_plan({act.bureau["id"]}, 2026)
    await base.measure_plan(act, latest["id"])
    standing = await base.load_standing(act, latest)
    instant = next(row for row in standing.rows if row.name == "即时公示信息的检查")
    assert instant.differentiated and sum(instant.drawn.values()) > 0 and standing.differentiated[0] == sum(instant.drawn.values())

"""闽市监信〔2022〕51号 and 晋市监〔2024〕62号 as an executable check list; what is not met is in sentences.NOT_YET."""

import json
from datetime import date
from pathlib import Path

import pytest

from portal.domain.base import PlannedRow, Standing, count_base, differentiated_share, plan_reach, rider_reached
from portal.domain.caps import Event, Peace, Rules, find_refusal
from portal.domain.errors import BadInput
from portal.domain.profile import line_of_region, parse_profile, read_profile
from portal.domain.risk import Adjustment, ClassRatios, Grading, grade_on, is_differentiated
from portal.domain.sample_profile import sample_profile
from portal.domain.tracking import Check, FollowUpState, Part, YearRow, progress_of, total_of, urge
from portal.domain.visits import Place, combine
from portal.steps import base, outside, profile, tracking, visits
from portal.store import plan
from tests import office
from tests.notices.sentences import ASKED, FUJIAN, JINJIANG, NOT_YET, asks
from tests.shared import SHARED
from tests.steps.test_outside import codes_of, imported

PROFILES = Path(__file__).resolve().parents[1] / "domain" / "profiles"
IN_2022 = parse_profile((PROFILES / "fujian_2022.json").read_bytes())
IN_2024 = parse_profile((PROFILES / "jinjiang_2024.json").read_bytes())
JIN = ("350582", "企业")
RATIOS = ClassRatios("credit", {"A": 10_000, "B": 30_000, "C": 100_000, "D": 300_000})


# 福建 2022 ---------------------------------------------------------------------------


@asks(FUJIAN, "抽查总比例暂以不低于2021年末全省企业实有数的3.5%开展")
def test_the_floor_is_a_share_of_the_enterprises_at_last_years_end():
    base_ = count_base(2021, [Standing(str(n), *JIN) for n in range(1000)] + [Standing("x", "350582", "个体工商户")])
    floor = IN_2022.floor_for(*JIN, date(2022, 6, 1)).value.ppm
    needed = {one.group: one.needed for one in plan_reach(base_, [], {JIN: floor})}
    assert needed == {JIN: 35, ("350582", "个体工商户"): 0}


@asks(FUJIAN, "其中龙岩、南平、宁德和平潭综合实验区按不低于4%的比例开展抽查")
@pytest.mark.parametrize("region", ["350802", "350702", "350902", "350128"])
def test_four_regions_have_a_floor_of_their_own(region):
    assert IN_2022.floor_for(region, "企业", date(2022, 6, 1)).value.ppm == 40_000
    value = json.loads((PROFILES / "fujian_2022.json").read_bytes())
    next(row for row in value["floors"] if row["region"] in line_of_region(region) and row["ppm"] == 40_000)["ppm"] = 34_000
    with pytest.raises(BadInput, match="下级不得低于上级"):
        read_profile(value)


@asks(FUJIAN, "并视总局要求及实际工作需要适当调整")
def test_a_floor_can_change_within_the_year_and_each_day_has_its_own():
    value = sample_profile()
    first = value["floors"][0]
    value["floors"].append({**first, "ppm": 45_000, "from": "2026-07-01"})
    first["to"] = "2026-06-30"
    changed = read_profile(value)
    assert [changed.floor_for(value["region"], "企业", day).value.ppm for day in (date(2026, 6, 30), date(2026, 7, 1))] == [35_000, 45_000]


@asks(FUJIAN, "各级要依据省局制定的计划，结合本地区实际制定本级抽查计划")
def test_a_county_may_ask_for_more_than_its_province_and_not_for_less():
    value = sample_profile()
    county = {**value["floors"][0], "region": value["region"], "ppm": 40_000}
    assert read_profile({**value, "floors": [*value["floors"], county]}).floor_for(value["region"], "企业", date(2026, 6, 1)).value.ppm == 40_000
    with pytest.raises(BadInput, match="下级不得低于上级"):
        read_profile({**value, "floors": [*value["floors"], {**county, "ppm": 34_999}]})


@asks(FUJIAN, "避免重复多头布置")
def test_tasks_that_meet_at_one_place_are_one_visit():
    place = Place("A", "A", "", "S1", "镇")
    made = combine("R1", [("T1", "A"), ("T2", "A"), ("T3", "A")], {"A": place}, {})
    assert len(made.visits) == 1 and made.avoided == 2


@asks(FUJIAN, "于10月31日前完成全年抽查任务")
def test_the_years_cut_off_ends_every_row():
    row = YearRow(1, "任务", "科室", (date(2022, 6, 1), date(2022, 12, 31)), date(2022, 6, 2), (Check("A"),))
    finish = IN_2022.due_for("350582", 2022).finish
    assert progress_of(row, date(2022, 11, 1), finish=finish, publish=None, working_days=20).light == "red"
    assert progress_of(row, date(2022, 10, 31), finish=finish, publish=None, working_days=20).late_checks == 0


@asks(FUJIAN, "根据企业信用风险分类结果，合理确定、动态调整抽查比例和频次", "对四类企业要细化抽查比例，实施差异化监管")
def test_four_classes_have_ratios_of_their_own_and_a_class_is_adjusted_with_a_reason():
    assert is_differentiated(RATIOS) and sorted(RATIOS.ppm) == list("ABCD")
    first = Grading("E", "credit", "A", "1", date(2022, 1, 1))
    raised = Adjustment("E", "credit", "D", "抽检不合格", "科长", date(2022, 5, 1))
    assert grade_on(date(2022, 6, 1), [first], [raised]) == {("E", "credit"): "D"}


@asks(FUJIAN, "除专业领域外100%融合运用")
def test_the_differentiated_target_of_2022_is_everything_but_professional_fields():
    assert IN_2022.differentiated_for("350582", date(2022, 12, 31)).value.ppm == 1_000_000
    rows = [PlannedRow(1, "甲", {}, {JIN: 10}, differentiated=True), PlannedRow(2, "乙", {}, {JIN: 90}, professional=True)]
    assert differentiated_share(rows) == (10, 10)


@asks(FUJIAN, "完成计划任务并及时录入结果，对外公示")
def test_a_result_not_published_in_time_is_late_and_urged():
    row = YearRow(1, "任务", "科室", (date(2024, 6, 1), date(2024, 10, 31)), date(2024, 6, 2), (Check("A", date(2024, 6, 3)),))
    found = progress_of(row, date(2024, 8, 1), finish=None, publish=None, working_days=20)
    assert found.late_publications == 1
    assert [one.what for one in urge([found], date(2024, 8, 1), publish=None, working_days=20)] == ["publish"]


@asks(FUJIAN, "并同步组织开展个体工商户和农民专业合作社“双随机、一公开”抽查工作")
def test_other_kinds_have_a_base_and_a_floor_of_their_own():
    sample = read_profile(sample_profile())
    kinds = ("企业", "个体工商户", "农民专业合作社")
    assert [sample.floor_for(sample.region, kind, date(2026, 6, 1)).value.ppm for kind in kinds] == [35_000, 10_000, 10_000]


# 晋江 2024 ---------------------------------------------------------------------------


@asks(JINJIANG, "全年全市系统企业抽查比例不低于3.5%、抽查任务按时完成率100%、抽查结果公示率100%，抽查发现问题后续处置率100%")
@pytest.mark.anyio
async def test_the_tracking_page_counts_the_four_indicators(published):
    planner = await published.acting("planner")
    await profile.save_profile(planner, json.dumps(sample_profile(office.SEED)).encode())
    await base.freeze_base(planner, 2025)
    year = await tracking.load_year(planner, await plan.load_latest_plan({planner.bureau["id"]}, 2026))
    assert year.done.whole and year.on_time == year.done and year.published == year.done
    assert year.followed.part <= year.followed.whole
    ratio = next(one for one in year.reached if one.group == ("359921", "企业"))
    assert ratio.needed == -(-ratio.base * 35_000 // 1_000_000) and ratio.distinct > 0


@asks(JINJIANG, "以晋江市2023年底企业期末实有数（含未年报）为基数", "以不低于 3.5%的抽取比例确定今年企业抽查数的下限")
def test_those_who_did_not_report_are_in_the_base():
    base_ = count_base(2023, [Standing(str(n), *JIN, reported=n % 3 != 0) for n in range(300)])
    assert base_.total(*JIN) == 300 and base_.silent[JIN] == 100
    assert plan_reach(base_, [], {JIN: IN_2024.floor_for(*JIN, date(2024, 6, 1)).value.ppm})[0].needed == 11


@asks(JINJIANG, "跟踪年度计划执行情况，并协调、督促相关业务板块和相关执法人员按时完成各项抽查任务", "对全年抽查计划执行情况进行跟踪督促")
def test_departments_behind_are_named_with_what_and_by_when():
    row = YearRow(1, "食品抽查", "食品科", (date(2024, 6, 1), date(2024, 11, 20)), date(2024, 6, 2), (Check("A"), Check("B")))
    found = progress_of(row, date(2024, 11, 10), finish=date(2024, 11, 20), publish=None, working_days=20)
    urged = urge([found], date(2024, 11, 10), publish=None, working_days=20)
    assert [(one.department, one.count, one.days_left) for one in urged] == [("食品科", 2, 10)]


@asks(JINJIANG, "登记事项检查、公示信息检查可结合其他业务板块抽查任务合并进行", "同时需确保企业年报抽查比例不低于 3.5%")
def test_a_riding_check_counts_an_entity_once_towards_its_own_ratio():
    base_ = count_base(2023, [Standing(str(n), *JIN) for n in range(100)])
    found = rider_reached(base_, {JIN: ["1", "1", "2", "3", "4"]}, {JIN: 35_000})[0]
    assert (found.distinct, found.needed, found.ppm >= 35_000) == (4, 4, True)


@asks(JINJIANG, "采取差异化抽查的户数占比不低于 85%")
def test_the_differentiated_share_is_held_against_85_per_cent():
    assert IN_2024.differentiated_for("350582", date(2024, 6, 1)).value.ppm == 850_000
    rows = [PlannedRow(1, "甲", {}, {JIN: 85}, differentiated=True), PlannedRow(2, "乙", {}, {JIN: 15})]
    part, whole = differentiated_share(rows)
    assert part * 1_000_000 >= 850_000 * whole


@asks(JINJIANG, "对信用风险分级的 ABCD 四类企业要细化抽查比例，实施差异化监管", "实现监管资源向信用异常主体倾斜，在减少对守信企业检查次数的同时，提高问题发现率")
def test_a_profile_whose_ratio_falls_with_the_risk_is_refused():
    value = sample_profile()
    value["class_ratios"][0]["ppm"]["D"] = 5_000
    with pytest.raises(BadInput, match="风险越高，比例不应越低"):
        read_profile(value)


@asks(JINJIANG, "各项抽查任务应于 2024 年 11 月 20 日前完成抽查并向社会公示")
def test_checking_and_publishing_share_one_cut_off():
    due = IN_2024.due_for("350582", 2024)
    checked = Check("A", date(2024, 11, 15))
    row = YearRow(1, "任务", "科室", (date(2024, 6, 1), date(2024, 12, 31)), date(2024, 6, 2), (checked,))
    assert progress_of(row, date(2024, 11, 20), finish=due.finish, publish=due.publish, working_days=20).late_publications == 0
    assert progress_of(row, date(2024, 11, 21), finish=due.finish, publish=due.publish, working_days=20).late_publications == 1


@asks(JINJIANG, "坚持“能联尽联”原则，对同一监管对象的多个检查任务进行整合，推进“进一次门，查多项事”")
@pytest.mark.anyio
async def test_visits_of_a_round_are_one_for_each_place(drawn):
    made = await office.visits_of(office.OPEN)
    assert len({(visit["holder"], visit["site"]) for visit in made}) == len(made) > 0


@asks(JINJIANG, "构建“无事不扰、无处不在”的监管方式")
def test_those_left_in_peace_are_not_drawn_without_a_reason():
    peace = [Peace(date(2024, 1, 1))]
    event = Event(date(2024, 6, 1), "a.b", "a", "350582", "county")
    assert find_refusal(Rules(), [], event, peace=peace).kind == "peace"


@asks(JINJIANG, "要做好检查结果后续处理，做到认真录入、严格审核、按时公示")
def test_open_follow_ups_keep_a_row_from_being_done():
    open_ = FollowUpState(date(2024, 7, 1), None)
    row = YearRow(1, "任务", "科室", (date(2024, 6, 1), date(2024, 11, 20)), date(2024, 6, 2), (Check("A", date(2024, 6, 3), date(2024, 6, 4), (open_,)),))
    found = progress_of(row, date(2024, 7, 2), finish=None, publish=None, working_days=20)
    assert (found.light, found.late_follow_ups, total_of([found])[3]) == ("red", 1, Part(0, 1))


@asks(JINJIANG, "部分抽查计划由泉州市局业务科室制定抽查方案，统一抽取检查对象，由我局组织实施检查")
@pytest.mark.anyio
async def test_a_list_the_city_drew_becomes_visits_here(filled):
    number = await imported(filled, await codes_of(filled))
    planner = await filled.acting("planner")
    taken = await outside.take_list(planner, number)
    assert (await visits.combine_visits(planner, taken["round"]))["visits"] == taken["picks"] == 4


# The list itself ---------------------------------------------------------------------


@pytest.mark.shared
def test_every_sentence_stands_in_its_notice_and_none_is_both_met_and_not():
    folder = SHARED / "notices"
    if not folder.exists():
        pytest.skip("the notices are not here (set MINGCHA_SHARED)")
    texts = {notice: _plain((folder / notice).read_text("utf-8")) for notice in (FUJIAN, JINJIANG)}
    for notice, sentence in ASKED + [(notice, sentence) for notice, sentence, _ in NOT_YET]:
        assert _plain(sentence) in texts[notice], sentence
    assert not set(ASKED) & {(notice, sentence) for notice, sentence, _ in NOT_YET}
    assert len(set(ASKED)) == len(ASKED) >= 20


def _plain(text: str) -> str:
    return "".join(text.replace("**", "").split())

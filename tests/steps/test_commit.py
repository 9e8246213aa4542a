"""A round until its commitment: what is refused while it is frozen, drafted, shared and committed."""

import json
from dataclasses import replace
from datetime import date

import pytest

from portal.domain import risk
from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.steps import commit, pool
from portal.store import draw as draw_store
from portal.store.tables import Entity, Round, Task
from tests import office
from tests.office import ANNUAL, HOLDERS, INSTANT, ISSUES, OPEN, PASSPHRASE, snapshot

pytestmark = pytest.mark.anyio


# Trying ----------------------------------------------------------------------


async def test_a_round_is_tried_in_numbers_and_nobody_is_drawn(filled):
    planner = await filled.acting("planner")
    sizes = {}
    for task, strata in ((ANNUAL, "none"), (INSTANT, "class")):
        sizes[task] = (await pool.freeze_pool(planner, task, strata))["size"]
    before = await snapshot()
    annual, instant = await commit.try_round(planner, [ANNUAL, INSTANT], disclosure="sealed")
    assert (annual["code"], annual["size"]) == (ANNUAL, sizes[ANNUAL])
    assert annual["drawn"] == -(-sizes[ANNUAL] * 35 // 1000) and annual["strata"] == [("*", annual["size"], annual["free"], annual["drawn"])]
    assert sum(size for _, size, _, _ in instant["strata"]) == instant["size"] == sizes[INSTANT] and instant["drawn"] < sizes[INSTANT]
    least = await commit.try_round(planner, [INSTANT], disclosure="sealed", minimum=10_000)
    assert least[0]["drawn"] == least[0]["free"], "never more than there are"
    with pytest.raises(BadInput, match="只能放在密封轮次里"):
        await commit.try_round(planner, [INSTANT], disclosure="open")
    with pytest.raises(BadInput, match="请选择一个以上"):
        await commit.try_round(planner, [], disclosure="open")
    with pytest.raises(NotAllowed):
        await commit.try_round(await filled.acting("approver"), [ANNUAL], disclosure="open")
    assert await snapshot() == before


# Freezing --------------------------------------------------------------------


async def test_a_pool_waits_for_its_round_and_is_not_frozen_again(filled):
    planner = await filled.acting("planner")
    made = await pool.freeze_pool(planner, ANNUAL)
    assert made["size"] > 100
    before = await snapshot()
    with pytest.raises(WrongMoment, match="已于 2026-05-25 冻结，尚未抽取，不能重新冻结"):
        await pool.freeze_pool(planner, ANNUAL)
    assert await snapshot() == before


async def test_a_pool_in_a_live_round_is_not_frozen_again(committed):
    with pytest.raises(WrongMoment, match=f"已在轮次 {OPEN} 中，名录不能再冻结"):
        await pool.freeze_pool(await committed.acting("planner"), ANNUAL)


@pytest.mark.parametrize(
    ("task", "strata", "words"),
    [
        (ANNUAL, "class", "没有分类比例，不能按信用风险分类分层"),
        (ANNUAL, "town", "按镇街分层的比例尚未支持"),
        (INSTANT, "none", "只有分类比例，没有总比例或户数"),
        (ANNUAL, "colour", "分层方式“colour”不认识"),
    ],
)
async def test_a_pool_that_no_round_could_take_is_not_frozen(filled, task, strata, words):
    before = await snapshot()
    with pytest.raises(BadInput, match=words):
        await pool.freeze_pool(await filled.acting("planner"), task, strata)
    assert await snapshot() == before


async def test_a_class_without_a_ratio_stops_the_freezing(filled):
    task = await Task.select(Task.class_ratios).where(Task.code == INSTANT).first().run()
    kept = {name: ppm for name, ppm in json.loads(task["class_ratios"]).items() if name != "D"}
    await Task.update(class_ratios=json.dumps(kept)).where(Task.code == INSTANT).run()
    await Entity.update(risk_class="D").where(Entity.type == "企业").run()
    with pytest.raises(BadInput, match="的分类“D”不在“企业信用风险分类”里，应是 A、B、C。请核对导入的分类，或写明这一分类的抽查比例"):
        await pool.freeze_pool(await filled.acting("planner"), INSTANT, "class")


async def test_an_empty_pool_is_not_frozen(filled):
    await Entity.update({Entity.status: "注销"}, force=True).run()
    with pytest.raises(BadInput, match="名录是空的"):
        await pool.freeze_pool(await filled.acting("planner"), ANNUAL)


async def test_a_task_drawn_elsewhere_is_not_frozen_here(filled):
    await Task.update(drawn_by="superior").where(Task.code == ANNUAL).run()
    with pytest.raises(WrongMoment, match="由上级或外部平台抽取"):
        await pool.freeze_pool(await filled.acting("planner"), ANNUAL)


# Drafting --------------------------------------------------------------------


async def test_a_task_without_a_frozen_pool_cannot_be_in_a_round(filled):
    with pytest.raises(WrongMoment, match=f"任务 {ANNUAL} 还没有冻结名录"):
        await _create(filled, [ANNUAL])


async def _create(house, tasks, **given):
    values = {
        "title": "测试轮次", "disclosure": "open", "holders": HOLDERS, "window": office.WINDOW, "draw_not_before": office.AFTER_ISSUES,
        "sources": [{"name": name, "drawn_at": at, "groups": groups} for name, at, groups, _ in ISSUES],
    }  # fmt: skip
    return await commit.create_round(await house.acting("planner"), tasks, **values | given)


async def test_a_mixed_round_is_refused(filled):
    planner = await filled.acting("planner")
    await pool.freeze_pool(planner, ANNUAL)
    await pool.freeze_pool(planner, INSTANT, "class")
    with pytest.raises(BadInput, match="一轮要么全部公开，要么全部密封"):
        await _create(filled, [ANNUAL, INSTANT])
    assert not await Round.exists().run()
    assert await _create(filled, [ANNUAL, INSTANT], disclosure="sealed")


async def test_a_task_is_in_one_live_round_only(committed):
    before = await snapshot()
    with pytest.raises(WrongMoment, match=f"任务 {ANNUAL} 已在轮次 {OPEN} 中.*抽取结果不能重来"):
        await _create(committed, [ANNUAL], sources=[], draw_not_before="2026-06-01T09:00:00+08:00")
    assert await snapshot() == before


BAD_DRAFTS = {
    "没有任务": ({"tasks": []}, "请选择一个以上"),
    "任务重复": ({"tasks": [ANNUAL, ANNUAL]}, "互不重复"),
    "任务不存在": ({"tasks": ["T9"]}, "没有编号为“T9”的抽查任务"),
    "公开方式": ({"disclosure": "half"}, "公开方式“half”不认识"),
    "算法": ({"suite": "md5"}, "算法“md5”不认识"),
    "取整": ({"rounding": "floor"}, "floor"),
    "备选为负": ({"reserve": -1}, "备选户数“-1”"),
    "名称": ({"title": "  "}, "起一个名称"),
    "时间写法": ({"draw_not_before": "明天"}, "最早抽取时间“明天”"),
    "抽取早于开奖": ({"draw_not_before": "2026-05-27T21:30:00+08:00"}, "须晚于种子来源“福彩快乐8"),
    "比特不足": ({"sources": [{"name": "双色球", "drawn_at": ISSUES[1][1], "groups": ISSUES[1][2]}]}, "合计 24 比特，不足 80"),
    "号码形状": ({"sources": [{"name": "乱", "drawn_at": ISSUES[1][1], "groups": [[9, 5, 1]]}]}, "一组 .9, 5, 1. 不成立"),
    "同一期两次": ({"sources": [{"name": "快乐8", "drawn_at": ISSUES[0][1], "groups": [[20, 1, 80]]}] * 2}, "种子来源“快乐8”重复"),
    "一个持有人": ({"holders": HOLDERS[:1]}, "至少要有两位不同的秘密持有人"),
    "持有人重复": ({"holders": [HOLDERS[0], {"holder": "另一方", "login": "planner"}]}, "一个账号也不能代两方持有"),
    "持有人不在": ({"holders": [HOLDERS[0], {"holder": "公证处", "login": "nobody"}]}, "账号“nobody”不存在"),
    "持有人是外局的": ({"holders": [HOLDERS[0], {"holder": "邻县", "login": "stranger"}]}, "不在本单位"),
    "持有人无权": ({"holders": [HOLDERS[0], {"holder": "公示员", "login": "publisher"}]}, "没有生成密值的权限"),
    "时段颠倒": ({"window": (date(2026, 7, 2), date(2026, 7, 1))}, "起止颠倒"),
}


@pytest.mark.parametrize("case", BAD_DRAFTS)
async def test_a_round_that_could_never_be_drawn_is_not_drafted(filled, case):
    given, words = BAD_DRAFTS[case]
    await pool.freeze_pool(await filled.acting("planner"), ANNUAL)
    before = await snapshot()
    with pytest.raises((BadInput, NotFound), match=words):
        await _create(filled, **{"tasks": [ANNUAL]} | given)
    assert await snapshot() == before


# Shares and commitment -------------------------------------------------------


async def test_a_round_is_not_committed_before_every_holder_made_a_share(filled):
    code = await office.draft(filled)
    await commit.make_share(await filled.acting("planner"), code, PASSPHRASE)
    with pytest.raises(WrongMoment, match="还有密值没有生成：派驻纪检监察组"):
        await commit.commit_round(await filled.acting("approver"), code)


async def test_a_share_is_made_once_by_its_holder_under_a_long_passphrase(filled):
    code = await office.draft(filled)
    planner = await filled.acting("planner")
    with pytest.raises(BadInput, match="口令太短，至少 12 个字符"):
        await commit.make_share(planner, code, "short")
    with pytest.raises(NotAllowed, match="您不是轮次 .* 的密值持有人"):
        await commit.make_share(await filled.acting("approver"), code, PASSPHRASE)
    made = await commit.make_share(planner, code, PASSPHRASE)
    with pytest.raises(WrongMoment, match="“信用监督管理科”的密值已经生成，不能再换"):
        await commit.make_share(planner, code, PASSPHRASE)
    share = (await draw_store.load_shares((await filled.round(code))["id"]))[0]
    assert share["commit"] == made["commit"]
    assert bytes.fromhex(made["secret"]) not in bytes(share["sealed"]), "the portal keeps what only the passphrase opens"


async def test_a_secret_that_another_holder_or_another_round_has_is_refused(filled):
    first, second = await office.draft(filled), await office.draft(filled, [INSTANT], "sealed", suite="sm3")
    used = bytes(range(32))

    async def bringing(login):
        return replace(await filled.acting(login), token_bytes=lambda n: used[:n])

    await commit.make_share(await bringing("planner"), first, PASSPHRASE)
    before = await snapshot()
    for login, code in (("supervisor", first), ("planner", second)):
        with pytest.raises(BadInput, match="这个密值已经用过"):
            await commit.make_share(await bringing(login), code, PASSPHRASE)
    assert await snapshot() == before


async def test_a_round_published_less_than_a_day_before_its_first_source_is_not_committed(filled):
    code = await office.draft(filled)
    await office.make_shares(filled, code)
    filled.at("2026-05-26T21:16")
    with pytest.raises(WrongMoment, match="双色球.*距提交不足 24 小时"):
        await commit.commit_round(await filled.acting("approver"), code)
    assert (await filled.round(code))["state"] == "draft"


async def test_a_sealed_quota_of_none_or_all_of_a_class_is_refused(filled):
    for grade, ppm, says in (("A", 0, "不是免于抽查"), ("D", 1_000_000, "密封轮次里按类全部抽取会泄露分类")):
        ratios = {"A": 10_000, "B": 30_000, "C": 100_000, "D": 300_000, grade: ppm}
        await Task.update(class_ratios=json.dumps(ratios)).where(Task.code == INSTANT).run()
        before = await snapshot()
        with pytest.raises(BadInput) as refused:
            await office.draft(filled, [INSTANT], "sealed")
        assert [one for one in refused.value.problems if says in one.message] and await snapshot() == before


async def test_a_quota_of_all_of_a_class_frozen_all_the_same_is_refused_at_the_commitment(filled, monkeypatch):
    monkeypatch.setattr(risk.Sorter, "quota", lambda self: {**{grade: {"ppm": 1} for grade in "ABC"}, "D": {"ppm": 1_000_000}})
    code = await office.draft(filled, [INSTANT], "sealed")
    await office.make_shares(filled, code)
    with pytest.raises(BadInput, match="“D”不能一户不抽或全部抽取"):
        await commit.commit_round(await filled.acting("approver"), code)


async def test_a_pool_changed_before_the_commitment_is_refused(filled):
    code = await office.draft(filled)
    await office.make_shares(filled, code)
    await office.change_a_pool()
    with pytest.raises(WrongMoment, match="名录与冻结时不一致，已拒绝公布承诺"):
        await commit.commit_round(await filled.acting("approver"), code)


async def test_a_committed_round_is_not_committed_again(committed):
    with pytest.raises(WrongMoment, match="已公布承诺，不能再次公布承诺"):
        await commit.commit_round(await committed.acting("approver2"), OPEN)

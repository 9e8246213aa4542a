"""A committed round: its sources, shares, draw, voiding and reveal; one outcome, no second draw."""

import asyncio
import json

import pytest

from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.domain.recompute import require_bundle
from portal.domain.seed import format_value
from portal.steps import assign, bundles, commit, draw, visits
from portal.steps.verify import verify_installation
from portal.store import audit
from portal.store import draw as draw_store
from portal.store import pool as pool_store
from portal.store.keys import unseal_under_passphrase
from portal.store.tables import Exclusion, PoolBlock, RoundTask, Source, Visit
from portal.web.draw_view import next_line
from tests import office
from tests.office import ANNUAL, HOLDERS, INSTANT, ISSUES, OPEN, PASSPHRASE, SEALED, snapshot, tasks_by_code

pytestmark = pytest.mark.anyio
VALUES = [issue[3] for issue in ISSUES]
OTHER_VALUE = format_value([list(range(1, 21))])


# Sources ---------------------------------------------------------------------


async def test_a_value_entered_before_its_source_is_drawn_is_refused(committed):
    committed.at("2026-05-27T21:29")
    before = await snapshot()
    with pytest.raises(WrongMoment, match="快乐8.*要到 2026-05-27T21:30:00.08:00 才开奖"):
        await draw.enter_source(await committed.acting("planner"), OPEN, 0, VALUES[0])
    assert await snapshot() == before


@pytest.mark.parametrize("value", ["", "3", VALUES[0][:-2], VALUES[1], "03" + VALUES[0][1:], VALUES[0].replace("79", "81"), "7.3" + VALUES[0][3:]])
async def test_a_value_of_another_shape_is_refused(committed, value):
    committed.at(office.DRAWN)
    with pytest.raises(BadInput, match="不合格式"):
        await draw.enter_source(await committed.acting("planner"), OPEN, 0, value)


@pytest.mark.parametrize("n", [-1, 2])
async def test_a_source_the_round_does_not_have_is_refused(committed, n):
    committed.at(office.DRAWN)
    with pytest.raises(BadInput, match="有 2 个号码来源，没有第"):
        await draw.enter_source(await committed.acting("planner"), OPEN, n, VALUES[0])


async def test_a_source_has_one_value_and_the_same_again_changes_nothing(committed):
    committed.at(office.DRAWN)
    await draw.enter_source(await committed.acting("planner"), OPEN, 0, VALUES[0])
    before = await snapshot()
    await draw.enter_source(await committed.acting("supervisor"), OPEN, 0, VALUES[0])
    with pytest.raises(WrongMoment, match="号码已录为 3.7.11.*不能改成"):
        await draw.enter_source(await committed.acting("planner"), OPEN, 0, OTHER_VALUE)
    assert await snapshot() == before


async def test_an_issue_counts_as_not_drawn_after_three_days_only(committed):
    committed.at("2026-05-30T21:29")
    with pytest.raises(WrongMoment, match="未满 72 小时，不能记作未开奖"):
        await draw.enter_source(await committed.acting("planner"), OPEN, 0, "-")
    committed.at("2026-05-30T21:30")
    await draw.enter_source(await committed.acting("planner"), OPEN, 0, "-")


async def test_without_eighty_bits_a_round_is_not_drawn_but_may_be_void(committed):
    committed.at("2026-06-01T09:00")
    planner = await committed.acting("planner")
    await draw.enter_source(planner, OPEN, 0, "-")
    await draw.enter_source(planner, OPEN, 1, VALUES[1])
    await office.release_shares(committed, OPEN)
    with pytest.raises(BadInput, match="合计 24 比特，不足 80 比特"):
        await draw.draw_round(planner, OPEN)
    await draw.void_round(planner, OPEN, "快乐8未开奖")
    assert (await draw.void_round(await committed.acting("approver"), OPEN, "同意"))["state"] == "void"


# Shares for the draw ---------------------------------------------------------


async def test_a_share_is_not_released_before_the_last_source_is_drawn(committed):
    committed.at("2026-05-27T21:20")
    with pytest.raises(WrongMoment, match="快乐8.*开奖前不能交出密值"):
        await draw.release_share(await committed.acting("planner"), OPEN, PASSPHRASE)


async def test_a_lost_passphrase_is_replaced_by_the_sealed_copy_and_by_no_other_secret(committed):
    committed.at(office.DRAWN)
    planner = await committed.acting("planner")
    shares = await draw_store.load_shares((await committed.round(OPEN))["id"])
    copies = [  # what the third party keeps: each holder's secret, printed when it was made
        unseal_under_passphrase(bytes(share["sealed"]), PASSPHRASE, f"share/{OPEN}/{holder['login']}")
        for share, holder in zip(shares, HOLDERS, strict=True)
    ]
    own = next(n for n, share in enumerate(shares) if share["account"] == planner.account)
    with pytest.raises(BadInput, match="打不开公布的承诺"):
        await draw.release_share(planner, OPEN, "", copies[1 - own])
    await draw.release_share(planner, OPEN, "", copies[own])
    assert (await draw_store.load_shares((await committed.round(OPEN))["id"]))[own]["released_at"] is not None
    last = [act async for act in audit.walk_acts()][-1]
    assert last["act"] == "round.release" and '"from_copy":true' in last["detail"]


async def test_a_wrong_passphrase_opens_nothing(committed):
    committed.at(office.DRAWN)
    before = await snapshot()
    with pytest.raises(BadInput, match="口令不对，密值没有打开"):
        await draw.release_share(await committed.acting("planner"), OPEN, PASSPHRASE + "1")
    with pytest.raises(NotAllowed, match="您不是轮次"):
        await draw.release_share(await committed.acting("approver"), OPEN, PASSPHRASE)
    assert await snapshot() == before


async def test_a_share_released_twice_at_once_is_released_once(committed):
    committed.at(office.DRAWN)
    planner = await committed.acting("planner")
    await asyncio.gather(*(draw.release_share(planner, OPEN, PASSPHRASE) for _ in range(5)))
    assert [row["act"] for row in await audit.load_acts_on(OPEN)].count("round.release") == 1


async def test_a_share_of_a_round_not_committed_is_not_released(filled):
    code = await office.draft(filled)
    await office.make_shares(filled, code)
    filled.at(office.DRAWN)
    with pytest.raises(WrongMoment, match="现在不能交出密值：尚未公布承诺"):
        await draw.release_share(await filled.acting("planner"), code, PASSPHRASE)


# Drawing ---------------------------------------------------------------------


async def test_a_draw_waits_for_its_time_its_publication_its_sources_and_its_shares(filled):
    code = await office.draft(filled)
    planner = await filled.acting("planner")
    with pytest.raises(WrongMoment, match="尚未公布承诺，不能抽取"):
        await draw.draw_round(planner, code)
    await office.make_shares(filled, code)
    await commit.commit_round(await filled.acting("approver"), code)
    with pytest.raises(WrongMoment, match="要到 2026-05-27T22:00:00.08:00 以后才能抽取"):
        await draw.draw_round(planner, code)
    await office.publish_commitments(filled, code)
    filled.at(office.DRAWN)
    planner = await filled.acting("planner")
    with pytest.raises(WrongMoment, match="还有号码没有录入：福彩快乐8 第2026141期、福彩双色球"):
        await draw.draw_round(planner, code)
    await draw.enter_source(planner, code, 0, VALUES[0])
    with pytest.raises(WrongMoment, match="还有号码没有录入：福彩双色球"):
        await draw.draw_round(planner, code)
    await draw.enter_source(planner, code, 1, VALUES[1])
    await draw.release_share(planner, code, PASSPHRASE)
    with pytest.raises(WrongMoment, match="还有密值没有交出：派驻纪检监察组"):
        await draw.draw_round(planner, code)
    await draw.release_share(await filled.acting("supervisor"), code, PASSPHRASE)
    assert (await draw.draw_round(planner, code))["again"] is False


async def test_a_round_never_published_is_not_drawn(filled):
    code = await office.draft(filled)
    await office.make_shares(filled, code)
    await commit.commit_round(await filled.acting("approver"), code)
    filled.at(office.DRAWN)
    with pytest.raises(WrongMoment, match="承诺还没有随公示网站发布，不能抽取"):
        await draw.draw_round(await filled.acting("planner"), code)


async def test_a_round_published_too_late_is_not_drawn_and_may_be_void(filled):
    code = await office.draft(filled)
    await office.make_shares(filled, code)
    await commit.commit_round(await filled.acting("approver"), code)
    filled.at("2026-05-27T09:00")
    await office.publish_commitments(filled, code)
    await office.make_drawable(filled, code)
    planner = await filled.acting("planner")
    with pytest.raises(WrongMoment, match="不足 24 小时，本轮不能抽取，只能作废"):
        await draw.draw_round(planner, code)
    await draw.void_round(planner, code, "发布迟了")
    assert (await draw.void_round(await filled.acting("approver"), code, "同意"))["state"] == "void"


async def test_fifty_draws_at_once_have_one_effect_and_one_answer(committed):
    await office.make_drawable(committed)
    acts = [await committed.acting("planner" if n % 2 else "supervisor") for n in range(50)]
    answers = await asyncio.gather(*(draw.draw_round(act, OPEN) for act in acts))
    assert [answer["again"] for answer in answers].count(False) == 1
    assert len({json.dumps([answer["result"], answer["commit"]], sort_keys=True) for answer in answers}) == 1
    before = await snapshot()
    assert (await draw.draw_round(acts[0], OPEN))["again"] is True
    assert await snapshot() == before


async def test_a_pool_changed_after_the_commitment_is_refused(committed):
    await office.make_drawable(committed)
    await office.change_a_pool()
    before = await snapshot()
    with pytest.raises(BadInput, match="pool.tsv 与事先承诺的根 pool_root 不符，名录被改动过"):
        await draw.draw_round(await committed.acting("planner"), OPEN)
    assert await snapshot() == before


async def test_an_exclusion_added_after_the_commitment_is_refused(committed):
    await office.make_drawable(committed)
    row = await RoundTask.select().where(RoundTask.round == (await committed.round())["id"]).first().run()
    block = await PoolBlock.select().where(PoolBlock.pool == row["pool"]).first().run()
    code = bytes(block["data"]).split(b"\t")[0].decode()
    await Exclusion.insert(Exclusion(pool=row["pool"], code=code, rule="sector", reason="后来想到的")).run()
    with pytest.raises(BadInput, match="excluded.txt 与承诺不一致"):
        await draw.draw_round(await committed.acting("planner"), OPEN)


@pytest.mark.parametrize("kind", ["open", "sealed"])
async def test_a_quota_changed_after_the_commitment_changes_nothing_or_is_refused(committed, kind):
    code = OPEN if kind == "open" else SEALED
    await office.make_drawable(committed, code)
    await office.take_guards_away()
    row = await RoundTask.select().where(RoundTask.round == (await committed.round(code))["id"]).first().run()
    await RoundTask.update(quota='{"*":{"ppm":900000}}').where(RoundTask.id == row["id"]).run()
    planner = await committed.acting("planner")
    if kind == "open":
        result = (await draw.draw_round(planner, code))["result"]
        assert sum(len(one["drawn"]) for one in result[ANNUAL]["strata"].values()) < 20, "the committed ratio counts"
    else:
        with pytest.raises(BadInput, match="没有写明抽取比例|quota_commit 不符"):
            await draw.draw_round(planner, code)


async def test_a_value_changed_after_it_was_entered_is_found(drawn):
    await office.take_guards_away()
    source = (await draw_store.load_sources((await drawn.round())["id"]))[0]
    await Source.update(value=OTHER_VALUE).where(Source.id == source["id"]).run()
    wrong = [words for holds, words in [line async for line in verify_installation(await drawn.acting("auditor"))] if not holds]
    assert any(OPEN in words for words in wrong)


# Voiding ---------------------------------------------------------------------


async def test_a_round_is_void_when_a_second_person_agrees_before_its_first_source(committed):
    planner = await committed.acting("planner")
    with pytest.raises(BadInput, match="请写明作废原因"):
        await draw.void_round(planner, OPEN, " ")
    assert (await draw.void_round(planner, OPEN, "名录有误"))["state"] == "committed"
    with pytest.raises(NotAllowed, match="提出的人不能自己批准"):
        await draw.void_round(planner, OPEN, "名录有误")
    assert (await draw.void_round(await committed.acting("approver"), OPEN, "同意"))["state"] == "void"
    assert (await draw.void_round(await committed.acting("approver"), OPEN, "同意"))["again"] is True
    row = await committed.round()
    assert row["void_reason"] == "名录有误"


async def test_two_people_agreeing_at_once_make_it_void_once(committed):
    await draw.void_round(await committed.acting("planner"), OPEN, "名录有误")
    acts = [await committed.acting(login) for login in ("approver", "approver2", "planner2")]
    answers = await asyncio.gather(*(draw.void_round(act, OPEN, "同意") for act in acts))
    assert sorted(answer["again"] for answer in answers) == [False, True, True]


@pytest.mark.parametrize("proposed", [False, True])
async def test_after_the_first_source_the_outcome_stands(committed, proposed):
    if proposed:
        await draw.void_round(await committed.acting("planner"), OPEN, "名录有误")
    committed.at("2026-05-27T21:15")
    with pytest.raises(WrongMoment, match="双色球.*已于 2026-05-27T21:15:00.08:00 开奖，本轮不能作废，只能抽取"):
        await draw.void_round(await committed.acting("approver"), OPEN, "不喜欢")


async def test_a_drawn_round_is_never_void(drawn):
    with pytest.raises(WrongMoment, match="已抽取，结果不能作废"):
        await draw.void_round(await drawn.acting("planner"), OPEN, "不喜欢")


async def test_the_task_of_a_void_round_is_frozen_and_drawn_in_a_new_one(committed):
    await draw.void_round(await committed.acting("planner"), OPEN, "名录有误")
    await draw.void_round(await committed.acting("approver"), OPEN, "同意")
    with pytest.raises(WrongMoment, match="已作废，不能录入号码"):
        committed.at(office.DRAWN)
        await draw.enter_source(await committed.acting("planner"), OPEN, 0, VALUES[0])
    later = [("快乐8 第2026145期", "2026-05-31T21:30:00+08:00", [[20, 1, 80]]), ("双色球 第2026061期", "2026-05-31T21:15:00+08:00", [[6, 1, 33], [1, 1, 16]])]
    code = await office.commit_and_publish(
        committed, sources=[{"name": n, "drawn_at": at, "groups": g} for n, at, g in later], draw_not_before="2026-05-31T22:00:00+08:00"
    )
    assert code not in (OPEN, SEALED)
    pools = await pool_store.load_pools_of((await tasks_by_code())[ANNUAL]["id"])
    assert [one["number"] for one in pools] == [1, 2]
    committed.at("2026-06-01T09:00")
    await office.enter_sources(committed, code)
    await office.release_shares(committed, code)
    assert (await draw.draw_round(await committed.acting("planner"), code))["again"] is False


# After the draw --------------------------------------------------------------


async def test_secrets_are_not_revealed_before_the_last_visit(drawn):
    approver = await drawn.acting("approver")
    with pytest.raises(WrongMoment, match="还有 7 次入企没有完成.*等于公布明天查谁"):
        await draw.reveal_round(approver, OPEN)
    assert (await draw.reveal_round(approver, SEALED))["again"] is False, "a sealed round goes to its auditors within days"


async def test_secrets_are_revealed_once_after_the_last_visit(entered):
    approver = await entered.acting("approver")
    assert (await draw.reveal_round(approver, OPEN))["again"] is False
    before = await snapshot()
    assert (await draw.reveal_round(approver, OPEN))["again"] is True
    assert await snapshot() == before


async def test_a_round_not_drawn_has_nothing_to_reveal(committed):
    with pytest.raises(WrongMoment, match="还没有可以公开的密值"):
        await draw.reveal_round(await committed.acting("approver"), OPEN)


async def test_before_its_reveal_an_open_round_shows_its_commitment_only(drawn):
    boss = await drawn.acting("boss")
    assert set(await bundles.export_round(boss, OPEN, "public")) == {"round.json"}
    assert set(await bundles.export_round(boss, SEALED, "public")) == {"round.json", "public.json"}


async def test_after_its_reveal_an_open_round_shows_the_whole_draw_and_no_assignment(entered):
    await draw.reveal_round(await entered.acting("approver"), OPEN)
    boss = await entered.acting("boss")
    shown = set(await bundles.export_round(boss, OPEN, "public"))
    assert shown >= {"round.json", "reveal.json", "result.json", f"{ANNUAL}/pool.tsv"}
    assert not shown & {"slots.json", "assigned.json"}
    assert {"slots.json", "assigned.json"} <= set(await bundles.export_round(boss, OPEN, "auditor"))


# Other kinds of round --------------------------------------------------------


@pytest.mark.parametrize("given", [{"suite": "sm3"}, {"rounding": "lr"}, {"minimum": 1, "reserve": 0}], ids=["sm3", "lr", "minimum"])
@pytest.mark.parametrize("kind", ["open", "sealed"])
async def test_every_suite_and_rounding_walks_through(filled, given, kind):
    code = await office.commit_and_publish(filled, [ANNUAL] if kind == "open" else [INSTANT], kind, **given)
    await office.make_drawable(filled, code)
    result = await draw.draw_round(await filled.acting("planner"), code)
    assert result["result"]
    planner = await filled.acting("planner")
    await visits.combine_visits(planner, code)
    await assign.assign_inspectors(planner, code)
    lines = [line async for line in verify_installation(await filled.acting("auditor"))]
    assert all(holds for holds, _ in lines), lines


async def test_an_internal_round_without_sources_is_drawn_by_its_secrets_alone(filled):
    code = await office.draft(filled, sources=[], holders=HOLDERS[:1], draw_not_before="2026-05-26T09:00:00+08:00")
    await commit.make_share(await filled.acting("planner"), code, PASSPHRASE)
    await commit.commit_round(await filled.acting("approver"), code)
    await office.publish_commitments(filled, code)
    filled.at("2026-05-26T09:00")
    await draw.release_share(await filled.acting("planner"), code, PASSPHRASE)
    assert (await draw.draw_round(await filled.acting("planner"), code))["again"] is False
    files = await bundles.export_round(await filled.acting("boss"), code, "auditor")
    assert require_bundle(files).label == "内部可复核，不能证明结果未被挑选"


async def test_an_internal_round_is_not_void_once_it_may_be_drawn(filled):
    code = await office.commit_and_publish(filled, sources=[], draw_not_before="2026-05-26T09:00:00+08:00")
    filled.at("2026-05-26T09:00")
    with pytest.raises(WrongMoment, match="已到抽取时间，不能作废"):
        await draw.void_round(await filled.acting("planner"), code, "不喜欢")


async def test_lists_of_the_portal_say_of_a_sealed_round_that_it_went_to_the_auditors(drawn):
    await Visit.update(state="done", done_at=drawn.settings.now()).where(Visit.state == "open").run()
    drawn.at("2026-07-06T09:00")
    approver = await drawn.acting("approver")
    said = {code: (await next_line(approver, await drawn.round(code)))[1] for code in (OPEN, SEALED)}
    assert said == {OPEN: "检查完成，待公开密值", SEALED: "检查完成，待移交监督机构"}
    for code, kind in ((OPEN, "open"), (SEALED, "sealed")):
        assert (await draw.reveal_round(approver, code))["disclosure"] == kind
    said = {code: (await next_line(approver, await drawn.round(code)))[1] for code in (OPEN, SEALED)}
    assert said == {OPEN: "检查完成，密值已公开", SEALED: "检查完成，已移交监督机构"}

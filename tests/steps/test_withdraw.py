"""After publication: what is withdrawn, over its time or wrong leaves the bundle, and the site is told what to forget."""

import json
from datetime import date

import pytest

from portal import jobs
from portal.domain.errors import BadInput, NotAllowed, WrongMoment
from portal.steps import disclosure, publish, withdraw
from portal.steps.verify import verify_installation
from portal.store import publish as publications
from portal.store import records
from portal.store.engine import transaction
from portal.store.tables import InspectionRecord
from tests.steps.acts import _a_result, limited

pytestmark = pytest.mark.anyio


async def bundle(house) -> tuple[dict[str, dict], dict[str, dict], str]:
    """(results by visit, tombstones by visit, all that lies in the bundle but the log and the rounds)."""
    folder = house.settings.data / "bundles" / "next"
    await disclosure.write_bundle(await house.acting("publisher"), folder, demo=True)
    lists = [{row["visit"]: row for row in map(json.loads, (folder / f"{name}.jsonl").read_bytes().splitlines())} for name in ("results", "tombstones")]
    said = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.jsonl")) if path.name not in ("rounds.jsonl", "tombstones.jsonl"))
    return *lists, said


async def queued(house) -> list[str]:
    return [job["kind"] for job in await jobs.store.load_jobs() if job["state"] == "queued"]


async def done_with_jobs(house) -> None:
    for job in await jobs.store.load_jobs():
        await jobs.store.save_finished(job["id"], "done", "", house.settings.now())


async def test_a_withdrawn_result_leaves_the_bundle_as_a_tombstone_and_only_what_is_reviewed_later_comes_back(published):
    key, publisher = await _a_result(published), await published.acting("publisher")
    await done_with_jobs(published)
    before, stones, _ = await bundle(published)
    assert key in before and stones == {}
    for reason in ("", "长" * 201):
        with pytest.raises(BadInput) as refused:
            await withdraw.withdraw(publisher, key, reason)
        assert [problem.field for problem in refused.value.problems] == ["reason"]
    await withdraw.withdraw(publisher, key, "晋市监罚〔2026〕9号已撤销")
    assert await queued(published) == ["release"]
    after, stones, said = await bundle(published)
    assert after.keys() == before.keys() - {key} and key not in said and "已撤销" not in said + str(stones)
    entity, index = before[key]["entity"], before[key]["proof"]["index"]
    assert stones == {key: {"visit": key, "entity": entity, "index": index, "why": "withdrawn", "on": publisher.today.isoformat()}}
    with pytest.raises(WrongMoment, match="没有正在公示的结果"):
        await withdraw.withdraw(publisher, key, "又一次")
    assert (await publish.publish_all(publisher))["results"] == 0, "what was withdrawn is not published again"

    taken = await records.load_record_page(publisher.tree, ["withdrawn"], limit=10)
    assert taken and {row["entity_code"] for row in taken} == {entity}
    async with transaction():  # even where something of the visit is settled later
        assert await publish._publish_visits(publisher, [taken[0]["visit"]], {taken[0]["visit"]}) == 0
    lines = [line async for line in verify_installation(await published.acting("auditor"))]
    assert all(holds for holds, _ in lines), lines


async def test_what_is_over_its_time_is_forgotten_the_day_after_and_the_worker_sees_to_it(published):
    key = await limited(published)
    results, stones, _ = await bundle(published)
    assert key in results and not stones, "it is shown on its last day"
    with pytest.raises(BadInput, match="已经过去|没有设定"):
        await withdraw.limit(await published.acting("publisher"), key, date(2026, 7, 2), "满三个月")
    await done_with_jobs(published)
    assert not await jobs._expire(published.settings, published.keys, published.sectors)
    published.at("2026-07-04T00:10")
    assert await jobs._expire(published.settings, published.keys, published.sectors)
    assert not await jobs._expire(published.settings, published.keys, published.sectors), "one queued is enough"
    assert await queued(published) == ["release"]
    results, stones, said = await bundle(published)
    assert key not in results and key not in said and (stones[key]["why"], stones[key]["on"]) == ("expired", "2026-07-04")
    with pytest.raises(WrongMoment, match="期限已满"):
        await withdraw.limit(await published.acting("publisher"), key, date(2027, 1, 1), "改期")


async def test_a_correction_leaves_a_dated_notice_with_old_and_new_only_where_both_may_be_shown(published):
    key, publisher = await _a_result(published), await published.acting("publisher")
    old = (await publications.load_live_of(key, publisher.tree))["data"]
    for item, field, new, wrong in (("", "name", " ", "new"), ("", "name", old["name"], "new"), ("", "summary", "x", "field"), ("none", "summary", "x", "field"), ("", "outcome", "x", "field")):
        with pytest.raises(BadInput) as refused:
            await withdraw.correct(publisher, key, item, field, new, "有误", shown=True)
        assert [problem.field for problem in refused.value.problems] == [wrong]
    with pytest.raises(NotAllowed, match="由您录入或审核"):
        await withdraw.correct(await published.acting("boss"), *(await _own(published, key)), "", "name", "别的名称", "有误", shown=True)
    published.at("2026-07-06T09:00")
    publisher = await published.acting("publisher")
    await withdraw.correct(publisher, key, "", "town", "望溪县白鹭镇", "门牌登记有误", shown=True)
    results, stones, said = await bundle(published)
    assert results[key]["town"] == "望溪县白鹭镇" and stones == {} and "门牌登记有误" not in said
    assert results[key]["history"][-1] == {"on": "2026-07-06", "text": "更正所在乡镇街道。", "old": old["town"], "new": "望溪县白鹭镇"}
    assert results[key]["published_on"] == old["published_on"]

    await withdraw.correct(publisher, key, "", "name", "望溪县某店", "误载经营者姓名", shown=False)
    results, stones, said = await bundle(published)
    assert results[key]["history"][-1] == {"on": "2026-07-06", "text": "更正名称。"} and results[key]["name"] == "望溪县某店"
    assert stones[key]["why"] == "corrected" and stones[key]["index"] < results[key]["proof"]["index"]
    row = next(row for row in await records.load_record_page(publisher.tree, ["published"], limit=1_000_000) if row["entity_code"] == old["entity"])
    async with transaction():  # a follow-up settled later publishes the records anew: the corrections stay
        await publish._publish_visits(publisher, [row["visit"]], {row["visit"]})
    again = (await publications.load_live_of(key, publisher.tree))["data"]
    assert (again["name"], again["town"]) == ("望溪县某店", "望溪县白鹭镇")
    lines = [line async for line in verify_installation(await published.acting("auditor"))]
    assert all(holds for holds, _ in lines), lines


async def _own(house, key: str) -> tuple[str]:
    """The key, once `boss` is who reviewed its records."""
    boss = await house.acting("boss")
    async with transaction():
        visit = (await withdraw.visits.load_visits_by_code([key], boss.tree))[key]
        await InspectionRecord.update(reviewer=boss.account).where(InspectionRecord.visit == visit["id"]).run()
    return (key,)

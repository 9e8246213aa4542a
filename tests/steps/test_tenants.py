"""Who sees what: nothing of another bureau, and a station its own visits."""

from datetime import date

import pytest

from portal.domain.errors import NotAllowed, NotFound
from portal.domain.list_columns import LISTS
from portal.domain.lists import Asked
from portal.domain.sample import sample_entities
from portal.steps import bundles, disclosure, forms, lists, publish, review
from portal.steps.directory import save_entity_rows
from portal.store import accounts, directory, follow_ups, records
from portal.store import draw as draw_store
from portal.store import plan as plan_store
from portal.store import publish as publish_store
from portal.store import visits as visit_store
from portal.store.tables import Account, Entity
from tests import office
from tests.office import ANNUAL, OPEN, SEALED, snapshot

pytestmark = pytest.mark.anyio


async def test_a_file_with_another_bureaus_companies_is_refused_whole(filled):
    before = await snapshot()
    with pytest.raises(NotAllowed, match="有 20 户已在其他单位的名录中，例如"):
        await save_entity_rows(await filled.acting("stranger"), tuple(sample_entities(20, office.SEED)))
    assert await snapshot() == before


async def test_another_bureau_publishes_and_reviews_nothing_of_ours(approved):
    stranger = await approved.acting("stranger")
    counts = await publish.publish_all(stranger)
    assert (counts["plans"], counts["results"]) == (0, 0)
    with pytest.raises(NotFound):
        await review.review_round(stranger, OPEN)


async def test_another_bureau_sees_nothing_of_ours(published):
    act = await published.acting("stranger")
    seen, boss = act.tree, await published.acting("boss")
    ours = (await records.load_record_page(boss.tree, ["published"]))[0]
    entity = (await Entity.select(Entity.code).where(Entity.organisation.is_in(sorted(boss.tree))).first().run())["code"]
    visit = (await office.visits_of(OPEN))[0]["code"]
    assert await directory.count_entities(seen) == 0
    for listing in LISTS.values():
        given, kept = [await lists.load_page(one, listing, Asked()) for one in (act, boss)]
        if listing.name in ("accounts", "audit"):  # it has people and acts of its own
            assert {row["station"] for row in given["rows"]} <= {"邻县市场监督管理局"} and "邻县市场监督管理局" not in {row["station"] for row in kept["rows"]}
        else:
            assert (given["rows"], given["count"]) == ([], 0), listing.name
        assert kept["count"], listing.name
    assert await directory.load_entity(entity, seen) is None and await directory.load_entity(entity, boss.tree)
    assert await directory.load_inspectors(seen) == []
    assert await plan_store.load_plans(seen) == [] and await plan_store.load_tasks(seen) == []
    assert await plan_store.load_latest_plan(seen, 2026) is None and await plan_store.load_latest_plan(boss.tree, 2026)
    assert await draw_store.load_rounds(act.line) == [] and await draw_store.load_rounds(boss.line)
    assert await visit_store.load_visit_page(seen) == [] and await visit_store.load_visit_page(boss.tree)
    assert await records.load_record_page(seen, ["published", "approved"]) == []
    assert await records.count_records(seen) == {} and await records.count_records(boss.tree)
    assert await records.count_visits(seen) == {} and await follow_ups.load_follow_up_page(seen, "open", 50) == []
    rounds = [row["id"] for row in await draw_store.load_rounds(boss.line)]
    assert await follow_ups.count_follow_ups(seen) == {} and await follow_ups.count_follow_ups(boss.tree)
    assert await records.load_follow_ups_state(seen, rounds) == {} and await records.load_follow_ups_state(boss.tree, rounds)
    assert await records.load_unfinished(seen, date(2030, 1, 1)) == []
    for kind in ("plan", "result"):
        assert await publish_store.load_live(seen, kind) == [] and await publish_store.load_live(boss.tree, kind)
        assert await publish_store.load_history(seen, kind) == {}
    assert (await publish.load_publishable(act))["records"] == []
    for refused in (
        draw_store.load_round(OPEN, act.line), bundles.export_round(act, OPEN, "auditor"), bundles.export_round(act, SEALED, "public"),
        plan_store.load_task(ANNUAL, seen), visit_store.load_visit(visit, seen), forms.load_visit_view(act, visit),
        review.load_review(act, ours["id"]), records.load_record(ours["id"], seen),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await refused


async def test_another_bureaus_bundle_holds_nothing_of_ours(published, tmp_path):
    await disclosure.write_bundle(await published.acting("stranger"), tmp_path / "b", demo=True)
    text = b"".join(path.read_bytes() for path in sorted((tmp_path / "b").rglob("*")) if path.is_file() and "log" not in path.parts)
    boss = await published.acting("boss")
    for row in await Entity.select(Entity.code, Entity.name).where(Entity.organisation.is_in(sorted(boss.tree))).limit(500).run():
        assert row["code"].encode() not in text and row["name"].encode() not in text
    assert OPEN.encode() not in text and ANNUAL.encode() not in text and "望溪".encode() not in text


async def test_a_station_sees_its_own_visits_and_its_bureaus_rounds(drawn):
    every = await office.visits_of(OPEN) + await office.visits_of(SEALED)
    by_id = {o["id"]: o for o in await accounts.load_organisations()}
    stations = {by_id[visit["organisation"]]["code"] for visit in every if by_id[visit["organisation"]]["kind"] == "station"}
    assert len(stations) > 1
    for station in sorted(stations):
        act = await drawn.account_of(f"s-{station}", ["station", "inspector"], organisation=station)
        seen = await visit_store.load_visit_page(act.tree)
        own = {visit["code"] for visit in every if by_id[visit["organisation"]]["code"] == station}
        assert {visit["code"] for visit in seen} == own
        for visit in every:
            if visit["code"] in own:
                assert (await forms.load_visit_view(act, visit["code"]))["visit"]["code"] == visit["code"]
            else:
                with pytest.raises(NotFound, match="不在您的辖区"):
                    await forms.load_visit_view(act, visit["code"])
        assert {row["code"] for row in await draw_store.load_rounds(act.line)} == {OPEN, SEALED}
        assert await draw_store.load_rounds(act.tree) == []


async def test_no_organisation_sees_everything_by_seeing_nothing(published):
    assert await directory.count_entities([]) == 0
    assert await records.count_records(()) == {}
    assert await visit_store.load_visit_page(frozenset()) == []


async def test_an_account_that_is_disabled_or_unknown_acts_in_nothing(filled):
    await Account.update(active=False).where(Account.login == "planner").run()
    with pytest.raises(NotAllowed, match="账号“planner”已停用"):
        await filled.acting("planner")
    with pytest.raises(NotFound, match="没有登录名为“nobody”的账号"):
        await filled.acting("nobody")

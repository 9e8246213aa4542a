"""Lists drawn elsewhere become picks, visits and assignments like our own, and never count as drawn here."""

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.steps import assign, disclosure, forms, imports, outside, publish, review, sample, visits
from portal.steps.verify import verify_installation
from portal.store import engine, records
from portal.store import draw as draw_store
from portal.store import imports as lists
from portal.store import visits as visit_store
from portal.store.tables import Entity, Round, Task
from public_site.bundle import load_bundle
from tests import office
from tests.office import snapshot

pytestmark = pytest.mark.anyio

THIRD = "359921-2026-T003"
HEAD = ("统一社会信用代码", "企业名称", "抽查任务", "来源平台", "抽取日期")


async def imported(house, codes, *, task=THIRD, drawn_by="superior"):
    """A list of these codes for a task drawn above; its number."""
    async with engine.transaction():
        await Task.update(drawn_by=drawn_by).where(Task.code == THIRD).run()
    rows = [(code, f"名单上的 {n}", task, "市局平台", "2026-05-20") for n, code in enumerate(codes)]
    await imports.import_sheet(await house.acting("planner"), "draw", Sheet((HEAD, *rows)), "名单.xlsx", b"list " + repr(rows).encode())
    return (await lists.load_external_lists((await house.acting("planner")).tree))[0]["id"]


async def codes_of(house, count=4):
    act = await house.acting("planner")
    rows = await Entity.select(Entity.code, Entity.kind, Entity.type, Entity.status).where(Entity.organisation.is_in(sorted(act.tree))).order_by(Entity.code).run()
    return [row["code"] for row in rows if (row["kind"], row["type"], row["status"]) == ("entity", "企业", "存续")][:count]


async def test_a_list_is_taken_combined_assigned_and_labelled(filled):
    codes = await codes_of(filled)
    number = await imported(filled, [*codes, "91359921MA0NOBODY1"])
    planner = await filled.acting("planner")
    taken = await outside.take_list(planner, number)
    assert (taken["picks"], len(taken["unmatched"]), taken["foreign"], taken["again"]) == (4, 1, [], [])
    round_ = await draw_store.load_round(taken["round"], planner.tree)
    assert round_["state"] == "external" and round_["round_json"] == round_["result_json"] == "" and "外部抽取，市局平台" in round_["title"]
    assert {(pick["code"], pick["kind"]) for pick in await draw_store.load_picks(round_["id"])} == {(code, "external") for code in codes}
    assert (await visits.combine_visits(planner, taken["round"]))["visits"] == 4
    assert (await assign.assign_inspectors(planner, taken["round"]))["filled"] == 8
    made = await visit_store.load_visits_of(round_["id"])
    assert {visit["entity_code"] for visit in made} == set(codes)
    lines = [line async for line in verify_installation(await filled.acting("auditor"))]
    assert all(holds for holds, _ in lines), lines
    assert taken["round"] not in {one["code"] for one in await draw_store.load_rounds(planner.tree)}


async def test_a_list_is_taken_once_and_an_entity_once_for_its_task(filled):
    codes = await codes_of(filled)
    number = await imported(filled, codes[:3])
    planner = await filled.acting("planner")
    first = await outside.take_list(planner, number)
    before = await snapshot()
    again = await outside.take_list(planner, number)
    assert (again["round"], again["picks"], again["repeated"]) == (first["round"], 3, True) and await snapshot() == before
    second = await outside.take_list(planner, await imported(filled, codes[2:]))
    assert second["again"] == [codes[2]] and second["picks"] == 1


async def test_a_list_taken_and_not_combined_is_mended_by_doing_both_once_more(filled):
    number = await imported(filled, await codes_of(filled, 3))
    planner = await filled.acting("planner")
    await outside.take_list(planner, number)  # and here the power went
    for made in (False, True):
        taken = await outside.take_list(planner, number)
        combined = await visits.combine_visits(planner, taken["round"])
        assert (taken["repeated"], combined["visits"], combined["again"]) == (True, 3, made)


async def test_where_the_visits_cannot_be_made_yet_the_list_stands_and_doing_it_again_finishes_it(filled):
    codes = await codes_of(filled, 3)
    number = await imported(filled, codes)
    planner = await filled.acting("planner")
    taken = await outside.take_list(planner, number)
    row = await Entity.select().where(Entity.code == codes[0]).first().run()
    await office.take_guards_away()
    await Entity.delete().where(Entity.code == codes[0]).run()
    with pytest.raises(WrongMoment, match=f"名单已作为 {taken['round']} 安排，入企还没有合并：名录中找不到抽中的 {codes[0]} 等 1 户.*不会重复安排"):
        await outside.take_and_combine(planner, number)
    await Entity.insert(Entity(**{name: value for name, value in row.items() if name != "id"})).run()
    for _ in range(2):
        assert (await outside.take_and_combine(planner, number))["round"] == taken["round"]
    round_ = await draw_store.load_round(taken["round"], planner.tree)
    assert len(await visit_store.load_visits_of(round_["id"])) == 3


async def test_entities_of_another_bureau_are_named_and_left_out(filled):
    codes = await codes_of(filled)
    number = await imported(filled, codes)
    stranger = await filled.acting("stranger")
    async with engine.transaction():
        await Entity.update(organisation=stranger.bureau["id"]).where(Entity.code == codes[0]).run()
    taken = await outside.take_list(await filled.acting("planner"), number)
    assert taken["foreign"] == [codes[0]] and taken["picks"] == 3
    with pytest.raises(NotFound, match="不在您的辖区"):
        await outside.take_list(stranger, number)


async def test_a_list_without_task_or_without_anybody_known_is_refused(filled):
    codes = await codes_of(filled)
    planner = await filled.acting("planner")
    with pytest.raises(WrongMoment, match="没有对应的计划任务"):
        await outside.take_list(planner, await imported(filled, codes, task="没有的任务"))
    with pytest.raises(BadInput, match="请核对名单，或先补录名录"):
        await outside.take_list(planner, await imported(filled, ["91359921MA0NOBODY1"]))
    with pytest.raises(NotAllowed):
        await outside.take_list(await filled.acting("approver"), 1)


async def test_the_database_refuses_a_commitment_on_a_list_drawn_elsewhere(filled):
    taken = await outside.take_list(await filled.acting("planner"), await imported(filled, await codes_of(filled)))
    with pytest.raises(WrongMoment, match="a list drawn elsewhere has no commitment"):
        async with engine.transaction():
            await Round.update(round_json="{}").where(Round.code == taken["round"]).run()
    with pytest.raises(WrongMoment, match="no such change of state"):
        async with engine.transaction():
            await Round.update(state="drawn", result_json="{}").where(Round.code == taken["round"]).run()


async def test_a_lists_results_are_published_labelled_and_say_nothing_of_how_it_was_drawn(filled, tmp_path):
    planner = await filled.acting("planner")
    codes = await codes_of(filled)
    code = (await outside.take_list(planner, await imported(filled, [*codes, "91359921MA0NOBODY1"])))["round"]
    await visits.combine_visits(planner, code)
    await assign.assign_inspectors(planner, code)

    async def bundle(name):
        await disclosure.write_bundle(await filled.acting("publisher"), tmp_path / name, demo=True)
        return load_bundle(tmp_path / name)

    before = (await bundle("before")).external
    assert [(row["code"], row["size"], row["taken"], row["visits"], row["list"]) for row in before] == [(code, 5, 4, 4, None)]
    filled.at("2026-11-25T09:00")
    operator = await filled.acting("operator")
    await forms.import_records(operator, b"".join(await sample.make_answers(operator, code, office.SEED)))
    assert (await review.review_round(await filled.acting("reviewer"), code))["approved"] > 0
    assert (await publish.publish_all(await filled.acting("publisher")))["results"] == 4
    assert (await records.count_records(planner.tree)).keys() == {"published"}
    after = await bundle("after")
    (row,), results = after.external, list(after.results())
    assert (row["platform"], row["drawn_on"], row["label"]) == ("市局平台", "2026-05-20", disclosure.EXTERNAL) == (*list(before[0][k] for k in ("platform", "drawn_on")), disclosure.EXTERNAL)
    assert sorted(one["code"] for one in row["list"]) == sorted(codes) and row["proof"]["index"] >= 0 and not after.rounds
    assert {(one["round"], one["label"]) for one in results} == {(code, disclosure.EXTERNAL)} and len(results) == 4
    figures = {one["label"]: one["value"] for one in after.about["figures"]}
    assert figures["抽取户数"] == 0 and figures["入企检查"] == figures["结果公示"] == "100%", figures
    lines = [line async for line in verify_installation(await filled.acting("auditor"))]
    assert all(holds for holds, _ in lines), lines

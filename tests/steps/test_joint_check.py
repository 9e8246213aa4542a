"""校园联合检查: a school canteen is visited once, by market supervision for its food and by the education department for the school's duty.

The education department is an organisation of its own below the bureau, its sector a distribution of its own (tests/education);
the plan says with 牵头部门 and 配合部门 whose each item is, and each department sends two people of its own.
"""

import json
from dataclasses import replace
from datetime import date

import pytest

import plugins.annual_reports
import plugins.food_sales
import plugins.registration
from portal.domain.directory import InspectorRow
from portal.domain.errors import NotAllowed, NotFound
from portal.domain.list_columns import RECORDS
from portal.domain.lists import Asked
from portal.domain.sample import sample_plan
from portal.plugins import discover_sectors
from portal.steps import assign, disclosure, draw, forms, lists, plan, publish, results, review, setup, split, unfilled, visits
from portal.steps.directory import save_inspector_rows
from portal.steps.verify import verify_installation
from portal.store import accounts, directory, engine, entity_history
from portal.store import plan as plan_store
from portal.store import records as record_store
from portal.store import visits as visit_store
from portal.store.tables import Entity, Finding, Organisation, Task, VisitTask
from portal.testing import answer_all
from tests import office
from tests.education import mingcha_education as education

pytestmark = pytest.mark.anyio

SECTORS = discover_sectors(None, {
    "annual_reports": plugins.annual_reports, "registration": plugins.registration, "food_sales": plugins.food_sales, "education": education,
})  # fmt: skip
DEPARTMENT, BUREAU = "359921-P01", "359921"
CANTEENS = 3
PERSON = {"contact_person": "张副校长", "refused": "yes", "refused_note": "负责人外出，值班老师见证"}
#: what each form asks beside its verdicts
FACTS = {"education.canteen": {"outside": "no", "served": 640}, "food_sales.check": {"kinds": ["campus"]}, "registration.check": {"address": "yes", "site_photos": ["door"]}}


def joint_plan():
    """The sample plan with three rows of joint checks: market supervision's, the education department's, and one that is both's."""
    sheet = sample_plan(office.SEED)
    head = (*sheet.rows[1], "配合部门")

    def row(number, **cells):
        return tuple(number if name == "序号" else cells.get(name, "") for name in head)

    common = {"检查对象": "企业、个体工商户、农民专业合作社", "事项类别": "重点检查事项", "抽查比例": "100%", "实施时间": "6月", "抽取方式": "本级抽取", "备注": "部门联合抽查"}
    more = (
        row(16, 抽查类别="食品销售检查", 抽查事项=food_item().name, 责任科室="食品流通安全监督管理科", **common),
        row(17, 抽查类别="校园安全检查", 抽查事项="校园食品安全联合检查", 责任科室="教育局", **common),
        row(18, 抽查类别="校园食品检查", 抽查事项=f"{food_item().name}；校园食品安全联合检查", 责任科室="食品流通安全监督管理科", 配合部门="教育", **common),
        row(19, 抽查类别="食品销售检查", 抽查事项=food_item().name, 责任科室="食品流通安全监督管理科", 配合部门="教育局、卫健局", **common),
    )
    return replace(sheet, rows=(sheet.rows[0], head, *sheet.rows[2:17], *more, *sheet.rows[17:]), merged=tuple(one for one in sheet.merged if one[0][0] < 17))


def food_item():
    return SECTORS.item("food_sales.campus")


@pytest.fixture
async def joint(filled):
    """The bureau with its education department: organisation, inspectors, items, canteens, the joint tasks."""
    house = replace(filled, sectors=SECTORS)
    await setup.declare(SECTORS, house.settings.now())
    operator = await house.acting("operator")
    assert (await setup.add_partner(operator, "望溪县教育局", lambda login: "a password for tests"))[0] == DEPARTMENT
    people = tuple(
        InspectorRow(f"E{n:03d}", f"E{n:03d}", f"教育{n}", station="望溪县教育局", certificate_no=f"E-{n}", certificate_until=date(2028, 1, 1))
        for n in (1, 2, 3)
    )
    await save_inspector_rows(operator, people)
    rows = await Entity.select(Entity.id).where(Entity.type == "企业", Entity.status == "存续", Entity.kind == "entity").order_by(Entity.code).limit(CANTEENS).run()
    tags = json.dumps(["学校食堂", "校园周边"], ensure_ascii=False)
    await Entity.update(tags="[]", force=True).run()  # nobody else lies beside a school
    await Entity.update(tags=tags).where(Entity.id.is_in([row["id"] for row in rows])).run()
    report = await plan.import_plan(operator, joint_plan(), b"joint")
    assert [one.row for one in report.warnings if "不派人" in one.message] == [21]  # of 教育局; nobody here is called 卫健局
    return house


async def joint_tasks() -> dict[str, str]:
    """The task of each department; "both": the one that is both's."""
    rows = {row["row"]: row["code"] for row in await Task.select().run()}
    return {"food_sales": rows[18], "education": rows[19], "both": rows[20]}


async def drawn_in(house, *rounds: str) -> list[str]:
    """A round for each of these (`food_sales education`: one of both tasks), drawn and combined one after the other; their codes."""
    tasks = await joint_tasks()
    codes = [await office.commit_and_publish(house, sorted(tasks[one] for one in sectors.split())) for sectors in rounds]
    for code in codes:
        await office.make_drawable(house, code)
        await draw.draw_round(await house.acting("planner"), code)
        await visits.combine_visits(await house.acting("planner"), code)
    return codes


async def homes_of(visit) -> list[str]:
    """Whose people are sent to a visit, slot by slot."""
    codes = {one["id"]: one["code"] for one in await accounts.load_organisations()}
    return [DEPARTMENT if codes[one["organisation"]] == DEPARTMENT else BUREAU for one in await office.inspectors_of(visit)]


async def at_work(house, person):
    """An inspector's account, made when first asked for."""
    home = await Organisation.select().where(Organisation.id == person["organisation"]).first().run()
    login = f"i-{person['code']}"
    known = await accounts.load_account(login)
    return await house.acting(login) if known else await house.account_of(login, ["inspector"], inspector=person["id"], organisation=home["code"])


async def not_verified(house):
    return [words async for holds, words in verify_installation(await house.acting("auditor")) if not holds]


def answered(joined, **more):
    """Answers a person might give: everything in order."""
    form = joined["form"]
    common = {name: value for name, value in {"presence": "open", **PERSON, **FACTS.get(form.code, {})}.items() if name in {f.name for f in form.fields()}}
    return answer_all(form, "yes", common | more)


async def test_a_canteen_is_visited_once_for_both_departments_and_the_results_are_split_back(joint, tmp_path):
    [code] = await drawn_in(joint, "food_sales education")
    planner = await joint.acting("planner")
    said = await assign.assign_inspectors(planner, code)
    assert (said["slots"], said["filled"]) == (4 * CANTEENS, 4 * CANTEENS)
    joint.at("2026-06-15T09:00")
    made = await office.visits_of(code)
    tasks = await joint_tasks()
    ids = {row["id"]: row["sector"] for row in await Task.select().run()}
    assert len(made) == CANTEENS and {frozenset(ids[task] for task in carried) for carried in
                                      (await visit_store.load_tasks_of_visits([visit["id"] for visit in made])).values()} == {frozenset({"food_sales", "education"})}
    assert all({"education.canteen", food_item().form} <= set(visit["forms"]) for visit in made)
    for visit in made:  # the lead is of the department whose task comes first in the plan
        people = await office.inspectors_of(visit)
        assert await homes_of(visit) == [BUREAU, BUREAU, DEPARTMENT, DEPARTMENT] and people[0]["lead"]
        for person, other in ((people[0], people[2]), (people[2], people[0])):
            act = await at_work(joint, person)
            for joined in (await forms.load_visit_view(act, visit["code"]))["forms"]:
                assert joined["mine"] and joined["form"].code.startswith("education.") is (person is people[2])
                chosen = {item["code"]: "none" for item in joined["items"]}
                await forms.save_record(act, visit["code"], joined["form"].code, answers=answered(joined), outcomes=chosen, method="实地核查", submit=True)

    # Each department reviews what its own people entered; the bureau, which publishes, the rest.
    theirs, ours = await joint.acting("359921-p01-reviewer"), await joint.acting("reviewer")
    rows = await record_store.load_record_page(theirs.tree, ["submitted"], limit=200)
    assert [row["sector"] for row in rows] == ["education"] * CANTEENS
    with pytest.raises(NotFound):  # a visit is everybody's who goes there, a record its own organisation's
        await review.review_record(ours, rows[0]["id"], approve=True, comment="", version=rows[0]["version"])
    await neither_reads_the_others_records(joint, made[0])
    for row in rows:
        await review.review_record(theirs, row["id"], approve=True, comment="", version=row["version"])
    rows = await record_store.load_record_page(ours.tree, ["submitted"], limit=200)
    assert {row["sector"] for row in rows} >= {"food_sales"} and "education" not in {row["sector"] for row in rows}
    with pytest.raises(NotFound):
        await review.review_record(theirs, rows[0]["id"], approve=True, comment="", version=rows[0]["version"])
    for row in rows:
        await review.review_record(ours, row["id"], approve=True, comment="", version=row["version"])
    split = {(ids[row["task"]], row["item_code"].partition(".")[0]) for row in await Finding.select().run()}
    assert {("education", "education"), ("food_sales", "food_sales")} <= split
    assert all(task == owner for task, owner in split if owner != "registration"), "what a department found counts for its own task"
    found = await entity_history.load_history(await directory.load_entity(made[0]["entity_code"], ours.tree), ours.tree, ours.line)
    assert found["visits"] and found["findings"] and not [one for one in found["findings"] if one["item_code"].startswith("education.")]

    await publish.publish_all(await joint.acting("publisher"))
    await disclosure.write_bundle(await joint.acting("publisher"), tmp_path / "bundle", demo=True)
    pages = [json.loads(line) for line in (tmp_path / "bundle" / "pages.jsonl").read_bytes().splitlines()]
    [page] = [one for one in pages if one["sector"] == "education"]
    assert f"已公示 {CANTEENS} 所" in page["blocks"][0]["body"]
    results = [json.loads(line) for line in (tmp_path / "bundle" / "results.jsonl").read_bytes().splitlines()]
    assert len(results) == CANTEENS and await not_verified(joint) == []


async def neither_reads_the_others_records(house, visit):
    """In no list, count, history, paper or export of either department."""
    theirs, ours = await house.acting("359921-p01-reviewer"), await house.acting("reviewer")
    every = {row["id"]: row["sector"] for row in await record_store.load_records_of([visit["id"]])}
    for act, own in ((theirs, {"education"}), (ours, set(every.values()) - {"education"})):
        for number, sector in every.items():
            if sector in own:
                assert (await review.load_review(act, number))["record"]["id"] == number
            else:
                with pytest.raises(NotFound):
                    await review.load_review(act, number)
        listed = await lists.load_page(act, RECORDS, Asked(size=200))
        assert {row["id"] for row in listed["rows"]} & set(every) == {number for number, sector in every.items() if sector in own}
        shown = await forms.load_visit_view(act, visit["code"])
        assert {joined["form"].code.partition(".")[0] for joined in shown["forms"]} == own and shown["others"]


async def test_one_row_of_two_departments_is_drawn_once_and_its_items_are_each_departments_own(joint):
    [code] = await drawn_in(joint, "both")
    await assign.assign_inspectors(await joint.acting("planner"), code)
    made = await office.visits_of(code)
    theirs, bureau = [(await accounts.load_organisation(one))["id"] for one in (DEPARTMENT, BUREAU)]
    for visit in made:
        assert await homes_of(visit) == [BUREAU, BUREAU, DEPARTMENT, DEPARTMENT]
        links = await VisitTask.select().where(VisitTask.visit == visit["id"]).run()
        assert [one["organisation"] for one in sorted(links, key=lambda one: one["id"])] == [bureau, theirs] and len({one["task"] for one in links}) == 1
    assert len(made) == CANTEENS and (await visits.load_summary(await joint.round(code)))["sizes"] == {1: CANTEENS}
    act = await at_work(joint, (await office.inspectors_of(made[0]))[2])
    view = await forms.load_visit_view(act, made[0]["code"])
    assert [one["form"].code for one in view["forms"]] == ["education.canteen"] and view["others"] and view["may_enter"]

    # The table of records names for each form the people who may enter it.
    table = await results.write_template(await joint.acting("operator"), code)
    item, who = table[0].index("事项"), table[0].index("检查人员")
    named = {row[item]: row[who] for row in table[1:] if row[0] == made[0]["code"]}
    assert "学校食品安全管理责任落实情况的检查" not in named and "教育" not in named[food_item().name]  # a department's records are entered by itself


async def test_a_slot_nobody_of_the_department_can_take_says_so(joint):
    [code] = await drawn_in(joint, "both")
    people = {row["number"]: row["id"] for row in await directory.load_inspectors((await joint.acting("planner")).joint)}
    visit = (await office.visits_of(code))[0]
    async with engine.transaction():
        act = await joint.acting("planner")
        for number in ("E001", "E002"):
            await directory.save_recusal(people[number], visit["entity_code"], "子女在该校就读", act.today, act.account, act.now)
    await assign.assign_inspectors(act, code)
    await assign.refill_slots(act, code, [], "新登记回避")
    found = await unfilled.load_unfilled(act, code)
    [slot] = found["slots"]
    assert (slot["visit"]["code"], slot["slot"] in (2, 3), slot["partner"]) == (visit["code"], True, "望溪县教育局")
    assert (slot["lack"].people, slot["lack"].free, slot["lack"].rules, slot["lack"].lenders) == (3, 0, {"recused": 2, "on_visit": 1}, {})
    assert await not_verified(joint) == []


async def test_the_department_sees_its_tasks_and_the_joint_visits_and_leaves_the_bureaus_acts_alone(joint):
    [code] = await drawn_in(joint, "both")
    act = await joint.acting("359921-p01-planner")
    round_ = await joint.round(code)
    assert {visit["code"] for visit in await visit_store.load_visits_of(round_["id"], act.tree)} == {visit["code"] for visit in await office.visits_of(code)}
    tasks = {task["code"]: task for task in await plan_store.load_tasks(act.line)}
    names = await joint_tasks()
    assert [tasks[names[one]]["owner"] == act.organisation["id"] for one in ("food_sales", "education", "both")] == [False, True, False]
    assert set(plan_store.owners_of(tasks[names["both"]]).values()) == {act.organisation["id"], act.bureau["id"]}
    with pytest.raises(NotAllowed, match="由望溪县市场监督管理局办理，望溪县教育局在联合检查中"):
        await assign.assign_inspectors(act, code)
    other = await joint.account_of("health", ["inspector"], organisation="359921-D01")
    assert await visit_store.load_visits_of(round_["id"], other.tree) == []


async def test_the_departments_task_of_a_later_round_joins_the_open_visit_and_brings_its_people(joint):
    food, school = await drawn_in(joint, "food_sales", "education")
    joined = await office.visits_of(school)
    assert [visit["code"] for visit in joined] == [visit["code"] for visit in await office.visits_of(food)] and len(joined) == CANTEENS
    assert all(visit["code"].startswith(food) and {"education.canteen", food_item().form} <= set(visit["forms"]) for visit in joined)
    act = await joint.account_of("education", ["station"], organisation=DEPARTMENT)
    assert [visit["code"] for visit in await visit_store.load_visits_of((await joint.round(school))["id"], act.tree)] == [visit["code"] for visit in joined]
    planner = await joint.acting("planner")
    for code in (school, food):  # in either order: each round sends those of its own tasks
        said = await assign.assign_inspectors(planner, code)
        assert (said["slots"], said["filled"], said["again"]) == (2 * CANTEENS, 2 * CANTEENS, False)
    for visit in joined:
        assert await homes_of(visit) == [BUREAU, BUREAU, DEPARTMENT, DEPARTMENT]
    away = (await office.inspectors_of(joined[0]))[2]
    assert (await assign.refill_slots(planner, school, [away["code"]], "病假"))["unfilled"] == []
    assert away["id"] not in {one["id"] for visit in joined for one in await office.inspectors_of(visit)} and await not_verified(joint) == []


async def test_a_round_whose_tasks_all_join_visits_with_people_needs_none_of_its_own(joint):
    both, school = await drawn_in(joint, "both", "education")
    planner = await joint.acting("planner")
    for code, slots in ((both, 4 * CANTEENS), (school, 0)):
        said = await assign.assign_inspectors(planner, code)
        assert (said["slots"], said["filled"], said["unfilled"], said["again"]) == (slots, slots, [], False)
    assert (await assign.assign_inspectors(planner, school))["again"] and await not_verified(joint) == []
    assert (await unfilled.load_unfilled(planner, school))["slots"] == []


async def test_a_joint_visit_that_is_split_sends_each_department_to_its_part(joint):
    (round_,) = await drawn_in(joint, "food_sales education")
    planner = await joint.acting("planner")
    await assign.assign_inspectors(planner, round_)
    visit = (await office.visits_of(round_))[0]
    people = [one["code"] for one in await office.inspectors_of(visit)]
    made = await split.split_visit(planner, visit["code"], [(await joint_tasks())["education"]], "学校当日停课", visit["day"])
    part = (await visit_store.load_visits_by_code([made["visit"]], planner.tree))[made["visit"]]
    home, sent = await homes_of(part), [one["code"] for one in await office.inspectors_of(part)]
    assert home == [DEPARTMENT] * 2 and set(sent) < set(people)
    assert await not_verified(joint) == []

"""校园联合检查: a school canteen is visited once, by market supervision for its food and by the education department for the school's duty.

The education department is an organisation of its own below the bureau, its sector a distribution of its own (tests/education).
"""

import json
from dataclasses import replace
from datetime import date

import pytest

import plugins.annual_reports
import plugins.food_sales
import plugins.registration
from portal.domain.directory import InspectorRow
from portal.domain.errors import WrongMoment
from portal.domain.sample import sample_plan
from portal.plugins import discover_sectors
from portal.steps import assign, disclosure, draw, forms, plan, publish, review, setup, visits
from portal.steps.directory import save_inspector_rows
from portal.store import accounts, directory, engine
from portal.store import records as record_store
from portal.store import visits as visit_store
from portal.store.tables import Entity, Finding, Inspector, Organisation, Task, VisitTask
from portal.testing import answer_all
from tests import office
from tests.education import mingcha_education as education

pytestmark = pytest.mark.anyio

SECTORS = discover_sectors(None, {
    "annual_reports": plugins.annual_reports, "registration": plugins.registration, "food_sales": plugins.food_sales, "education": education,
})  # fmt: skip
DEPARTMENT = "359921-E01"
CANTEENS = 4
PERSON = {"contact_person": "张副校长", "refused": "yes", "refused_note": "负责人外出，值班老师见证"}
#: what each form asks beside its verdicts
FACTS = {"education.canteen": {"outside": "no", "served": 640}, "food_sales.check": {"kinds": ["campus"]}, "registration.check": {"address": "yes", "site_photos": ["door"]}}


def joint_plan():
    """The sample plan, and after its rows the two of a joint check: market supervision's and the education department's."""
    sheet = sample_plan(office.SEED)
    head = sheet.rows[1]

    def row(number, **cells):
        return tuple(number if name == "序号" else cells.get(name, "") for name in head)

    common = {"检查对象": "企业、个体工商户、农民专业合作社", "事项类别": "重点检查事项", "抽查比例": "100%", "实施时间": "6月", "抽取方式": "本级抽取", "备注": "部门联合抽查"}
    more = (
        row(16, 抽查类别="食品销售检查", 抽查事项=food_item().name, 责任科室="食品流通安全监督管理科", **common),
        row(17, 抽查类别="校园安全检查", 抽查事项="校园食品安全联合检查", 责任科室="教育局", **common),
    )
    return replace(sheet, rows=(*sheet.rows[:17], *more, *sheet.rows[17:]), merged=tuple(one for one in sheet.merged if one[0][0] < 17))


def food_item():
    return SECTORS.item("food_sales.campus")


@pytest.fixture
async def joint(filled):
    """The bureau with its education department: organisation, inspectors, items, canteens, the joint tasks."""
    house = replace(filled, sectors=SECTORS)
    await setup.declare(SECTORS, house.settings.now())
    async with engine.transaction():
        await setup.save_stations("359921", [(DEPARTMENT, "望溪县教育局", "department")])
    operator = await house.acting("operator")
    people = tuple(
        InspectorRow(f"E{n:03d}", f"E{n:03d}", f"教育{n}", station="望溪县教育局", certificate_no=f"E-{n}", certificate_until=date(2028, 1, 1))
        for n in (1, 2)
    )
    await save_inspector_rows(operator, people)
    # No rule says that each organisation of a joint visit sends somebody. Here it comes out so: one lead of the bureau is
    # on duty, and two of the department; a visit needs a lead and somebody else.
    bureau = (await accounts.load_organisation("359921"))["id"]
    kept = [row["id"] for row in await directory.load_inspectors(operator.tree) if row["lead"] and row["organisation"] == bureau][:1]
    theirs = (await accounts.load_organisation(DEPARTMENT))["id"]
    await Inspector.update(status="失效").where(Inspector.id.not_in(kept)).where(Inspector.organisation != theirs).run()
    rows = await Entity.select(Entity.id).where(Entity.type == "企业", Entity.status == "存续", Entity.kind == "entity").order_by(Entity.code).limit(CANTEENS).run()
    tags = json.dumps(["学校食堂", "校园周边"], ensure_ascii=False)
    await Entity.update(tags="[]", force=True).run()  # nobody else lies beside a school
    await Entity.update(tags=tags).where(Entity.id.is_in([row["id"] for row in rows])).run()
    await plan.import_plan(operator, joint_plan(), b"joint")
    # No step gives a joint task to the department that is responsible for it: the plan's tasks are all the bureau's.
    await Task.update(organisation=theirs).where(Task.sector == "education").run()
    return house


async def joint_tasks() -> dict[str, str]:
    rows = await Task.select().where(Task.item_code.is_in([food_item().code, "education.duty"])).run()
    return {row["sector"]: row["code"] for row in rows}


async def inspected_jointly(house) -> str:
    """The joint round drawn, combined and assigned; its code."""
    code = await office.commit_and_publish(house, sorted((await joint_tasks()).values()))
    await office.make_drawable(house, code)
    planner = await house.acting("planner")
    await draw.draw_round(planner, code)
    await visits.combine_visits(planner, code)
    await assign.assign_inspectors(planner, code)
    house.at("2026-06-15T09:00")
    return code


def answered(joined, **more):
    """Answers a person might give: everything in order."""
    form = joined["form"]
    common = {name: value for name, value in {"presence": "open", **PERSON, **FACTS.get(form.code, {})}.items() if name in {f.name for f in form.fields()}}
    return answer_all(form, "yes", common | more)


async def test_a_canteen_is_visited_once_for_both_departments_and_the_results_are_split_back(joint, tmp_path):
    code = await inspected_jointly(joint)
    made = await office.visits_of(code)
    tasks = await joint_tasks()
    ids = {row["id"]: row["sector"] for row in await Task.select().run()}
    assert len(made) == CANTEENS and {frozenset(ids[task] for task in carried) for carried in
                                      (await visit_store.load_tasks_of_visits([visit["id"] for visit in made])).values()} == {frozenset(tasks)}
    assert all({"education.canteen", food_item().form} <= set(visit["forms"]) for visit in made)
    theirs, bureau = [(await accounts.load_organisation(one))["id"] for one in (DEPARTMENT, "359921")]
    assert {row["organisation"] for row in await VisitTask.select().where(VisitTask.visit.is_in([visit["id"] for visit in made])).run()} == {theirs, bureau}
    for visit in made:
        assert {one["organisation"] for one in await office.inspectors_of(visit)} == {theirs, bureau}

    # Each person of the two enters the form of the own department; the forms share the first question and who was met.
    for visit in made:
        for person in await office.inspectors_of(visit):
            home = await Organisation.select().where(Organisation.id == person["organisation"]).first().run()
            login = f"i-{person['code']}"
            act = await joint.acting(login) if await accounts.load_account(login) else await joint.account_of(
                login, ["inspector"], inspector=person["id"], organisation=home["code"])
            own = home["code"] == DEPARTMENT
            view = await forms.load_visit_view(act, visit["code"])
            for joined in view["forms"]:
                if joined["form"].code.startswith("education.") is own:
                    answers = answered(joined)
                    chosen = {item["code"]: "none" for item in joined["items"]}
                    await forms.save_record(act, visit["code"], joined["form"].code, answers=answers, outcomes=chosen, method="实地核查", submit=True)

    reviewer = await joint.acting("reviewer")
    rows = await record_store.load_record_page(reviewer.tree, ["submitted"], limit=200)
    assert {row["sector"] for row in rows} >= {"education", "food_sales"} and sum(row["sector"] == "education" for row in rows) == CANTEENS
    for row in rows:
        await review.review_record(reviewer, row["id"], approve=True, comment="", version=row["version"])
    split = {(ids[row["task"]], row["item_code"].partition(".")[0]) for row in await Finding.select().run()}
    assert {("education", "education"), ("food_sales", "food_sales")} <= split
    assert all(task == owner for task, owner in split if owner != "registration"), "what a department found counts for its own task"

    await publish.publish_all(await joint.acting("publisher"))
    await disclosure.write_bundle(await joint.acting("publisher"), tmp_path / "bundle", demo=True)
    pages = [json.loads(line) for line in (tmp_path / "bundle" / "pages.jsonl").read_bytes().splitlines()]
    [page] = [one for one in pages if one["sector"] == "education"]
    assert f"已公示 {CANTEENS} 所" in page["blocks"][0]["body"]


async def test_a_person_of_the_department_sees_the_joint_visits_and_no_other(joint):
    code = await inspected_jointly(joint)
    act = await joint.account_of("education", ["inspector", "station"], organisation=DEPARTMENT)
    round_ = await joint.round(code)
    mine = {visit["code"] for visit in await visit_store.load_visits_of(round_["id"], act.tree)}
    assert mine == {visit["code"] for visit in await office.visits_of(code)}
    other = await joint.account_of("health", ["inspector"], organisation="359921-D01")
    assert await visit_store.load_visits_of(round_["id"], other.tree) == []


async def test_the_departments_task_of_a_later_round_joins_the_open_visit_and_adds_its_form(joint):
    tasks = await joint_tasks()
    food, school = [await office.commit_and_publish(joint, [tasks[sector]]) for sector in ("food_sales", "education")]
    made = []
    for code in (food, school):
        await office.make_drawable(joint, code)
        planner = await joint.acting("planner")
        await draw.draw_round(planner, code)
        made.append(await visits.combine_visits(planner, code))
    assert [one["visits"] for one in made] == [CANTEENS, CANTEENS] and [one["again"] for one in made] == [False, False]
    joined = await office.visits_of(school)
    assert [visit["code"] for visit in joined] == [visit["code"] for visit in await office.visits_of(food)] and len(joined) == CANTEENS
    assert all(visit["code"].startswith(food) and {"education.canteen", food_item().form} <= set(visit["forms"]) for visit in joined)
    act = await joint.account_of("education", ["station"], organisation=DEPARTMENT)
    assert [visit["code"] for visit in await visit_store.load_visits_of((await joint.round(school))["id"], act.tree)] == [visit["code"] for visit in joined]
    planner = await joint.acting("planner")
    await assign.assign_inspectors(planner, food)
    for visit in joined:
        assert len(await office.inspectors_of(visit)) == 2
    with pytest.raises(WrongMoment, match="不能匹配执法人员"):
        await assign.assign_inspectors(planner, school)  # its visits are the other round's, and so are their people

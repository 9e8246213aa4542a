"""Products drawn as objects of their maker: sampled on one visit, judged later, published once the result is there."""

import json
from datetime import date

import pytest

import plugins.product_quality
from portal.domain.answers import say
from portal.domain.cells import Sheet
from portal.domain.errors import BadInput
from portal.domain.model import AWAITING
from portal.domain.results import point_headings, row_headings
from portal.plugins import discover_sectors
from portal.steps import assign, draw, forms, imports, pool, publish, results, review, setup, visits
from portal.store import directory, records
from portal.store import publish as publications
from portal.store.tables import Entity, Finding, Task
from tests import office
from tests.office import ANNUAL

pytestmark = pytest.mark.anyio
SECTORS = discover_sectors("product_quality", {"product_quality": plugins.product_quality})
TASK = "359921-2026-T900"
ITEM, SPOT, RESULT = "product_quality.sampling", "product_quality.sample", "product_quality.result"
PRODUCTS = ("P-STOVE-1", "P-STOVE-2")
SIGNED = {"presence": "open", "contact_person": "质量负责人", "refused": "no", "signature": ["s1"], "paid": "bought", "kept_at": "lab"}
GOOD = {"marking": "yes", "forbidden": "yes", "permitted": "yes"}


def sample(n):
    return {"product_code": PRODUCTS[n], "product_name": f"灶 {n}", "batch": "1", "standard": "GB", "base": 9, "taken": 2, "kept": 1, "seal": f"F-0{n}"}


def result(*conclusions, **changed):
    rows = [{"sealed": f"F-0{n}", "conclusion": "pass"} if one == "pass" else
            {"sealed": f"F-0{n}", "conclusion": "fail", "failed_items": "热效率", "severe": "no"} for n, one in enumerate(conclusions)]  # fmt: skip
    own = {"lab": "省质检院", "report": "W1", "received_on": "2026-06-20", "results": rows, "told_on": "2026-06-21", "objection": "none"}
    return own | changed


async def sampled(house):
    """Both products of one maker drawn; their visit, and the inspector's acting."""
    await setup.declare(SECTORS, house.settings.now())
    act = await house.acting("operator", SECTORS)
    maker = (await Entity.select(Entity.code).where(Entity.type == "企业", Entity.status == "存续", Entity.kind == "entity").order_by(Entity.code).first().run())["code"]
    head = ("统一社会信用代码", "企业名称", "企业类型", "对象种类", "使用单位代码")
    await imports.import_sheet(act, "entities", Sheet((head, *((one, f"燃气灶 {one}", "企业", "产品", maker) for one in PRODUCTS)), kind="xlsx"), "x", b"x")
    rows = [("代码", "名称", "产品类别"), *((one, "灶", "燃气灶") for one in PRODUCTS)]
    await imports.import_sheet(act, "registers", Sheet(tuple(rows), kind="xlsx"), "x", b"x", options={"register": "工业产品名录"})
    like = await Task.select().where(Task.code == ANNUAL).first().run()
    values = {"code": TASK, "sector": "product_quality", "item_code": ITEM, "objects": "企业", "ratio_ppm": 1_000_000, "fixed_count": None, "row": 900}
    await Task.insert(Task(**{name: value for name, value in like.items() if name != "id"} | values)).run()
    before = house.__class__(house.settings, house.keys, SECTORS, house.token_bytes)
    code = await office.commit_and_publish(before, (TASK,))
    await office.make_drawable(before, code)
    planner = await before.acting("planner")
    await draw.draw_round(planner, code)
    await visits.combine_visits(planner, code)
    await assign.assign_inspectors(planner, code)
    [visit] = await office.visits_of(code)
    person = (await office.inspectors_of(visit))[0]
    await before.account_of("assigned", ["inspector"], inspector=person["id"])
    before.at("2026-06-10T10:00")
    return before, maker, visit


async def save(house, visit, form, answers, outcome, **more):
    given = {"answers": answers, "outcomes": {ITEM: outcome}, "method": "检验检测", "submit": True} | more
    return await forms.save_record(await house.acting("assigned"), visit["code"], form, **given)


async def test_a_laboratorys_result_follows_its_visit_and_is_published_with_it(filled):
    house, maker, visit = await sampled(filled)
    assert (await pool.check_pool(await house.acting("planner"), TASK))["rules"] == {"open_visit": 2}
    view = await forms.load_visit_view(await house.acting("assigned"), visit["code"])
    assert view["drawn"] == {one: f"燃气灶 {one}" for one in PRODUCTS} and view["holder"]["code"] == maker
    assert [one["form"].code for one in view["forms"]] == [SPOT], "the result's form is not open before anything was sampled"
    with pytest.raises(BadInput, match="没有表单"):
        await save(house, visit, RESULT, result("pass"), "none")
    with pytest.raises(BadInput) as refused:
        await save(house, visit, SPOT, SIGNED | GOOD | {"samples": [sample(0)]}, AWAITING)
    assert [one.message for one in refused.value.problems] == ["抽中的产品 P-STOVE-2 既没有抽样，也没有写明不抽样的原因。"]

    spot = SIGNED | GOOD | {"samples": [sample(0), sample(1)]}
    draft = await save(house, visit, SPOT, spot, AWAITING, submit=False)
    assert (await records.load_record(draft, (await house.acting("boss")).tree))["outcomes"] == {ITEM: AWAITING}
    first = await save(house, visit, SPOT, spot, AWAITING, version=1)
    view = await forms.load_visit_view(await house.acting("assigned"), visit["code"])
    assert view["visit"]["state"] == "done", "nobody's later task joins a visit that only waits for the post"
    assert [(one["form"].code, one["first"]) for one in view["forms"]] == [(RESULT, SPOT), (SPOT, "")]

    reviewer, publisher = await house.acting("reviewer"), await house.acting("publisher")
    opened = await review.load_review(reviewer, first)
    assert [one["outcome"].label for one in opened["items"].values()] == ["待检验结果"] and opened["follow_ups"] == []
    await review.review_record(reviewer, first, approve=True, comment="", version=2)
    assert await Finding.count().run() == 0
    waiting = await publish.load_publishable(publisher)
    assert (waiting["records"], waiting["waiting"]) == ([], 1)
    assert (await publish.publish_all(publisher))["results"] == 0

    house.at("2026-07-10T10:00")
    with pytest.raises(BadInput) as refused:
        await save(house, visit, RESULT, result("pass"), "none")
    assert [one.message for one in refused.value.problems] == ["样品 F-01 还没有检验结论。"], "the sector sees what was sampled"
    later = await save(house, visit, RESULT, result("pass", "fail"), "rectified")
    opened = await review.load_review(await house.acting("reviewer"), later)
    assert [one.kind for one in opened["follow_ups"]] == ["rectify", "recheck"]
    await review.review_record(await house.acting("reviewer"), later, approve=True, comment="", version=1)
    counts = await publish.publish_all(await house.acting("publisher"))
    assert counts["results"] == 1
    [row] = await publications.load_live((await house.acting("boss")).whole, "result")
    data = row["data"]
    assert (data["entity"], data["inspected_on"]) == (maker, "2026-07-10"), "in the maker's name, and its days count from the result"
    [item] = data["items"]
    assert (item["code"], item["outcome"], item["follow_up"]["state"]) == (ITEM, "rectified", "open")
    assert [point["label"] for point in item["points"]][-2:] == ["各批次的结论", "对检验结论的异议"]
    assert "检验2批次，初检不合格1批次" in item["summary"]
    assert "标识真实、齐全：合格证明、中文名称、厂名厂址、警示说明、日期" in [point["label"] for point in item["points"]], "what was seen on the spot stands before it"
    text = json.dumps(data, ensure_ascii=False)
    assert not any(private in text for private in ("F-01", "质量负责人", "2026-06-21", AWAITING))

    found = await directory.load_inspected([ITEM], date(2026, 1, 1))
    assert list(found) == [PRODUCTS[0]] and await directory.load_companions(found) == {PRODUCTS[0]: [PRODUCTS[1]]}
    again = await pool.check_pool(await house.acting("planner"), TASK)
    assert again["rules"] == {"inspected_this_year": 2}, "one visit was to both products: neither is drawn again"


async def test_a_record_with_a_result_cannot_take_back_that_it_waits_for_one(filled):
    house, _, visit = await sampled(filled)
    first = await save(house, visit, SPOT, SIGNED | GOOD | {"samples": [sample(0), sample(1)]}, AWAITING)
    house.at("2026-07-10T10:00")
    await save(house, visit, RESULT, result("pass", "pass"), "none")
    await review.review_record(await house.acting("reviewer"), first, approve=False, comment="请补充", version=1)
    with pytest.raises(BadInput) as refused:
        await save(house, visit, SPOT, SIGNED | GOOD, "none", version=2)
    assert "检验结果已经在另一张表里录入" in refused.value.problems[0].message
    with pytest.raises(BadInput, match="没有表单|需要补充"):
        await save(house, visit, SPOT, SIGNED | GOOD, "weather", version=2)


async def test_without_a_sample_the_outcome_is_known_at_once(filled):
    house, _, visit = await sampled(filled)
    await save(house, visit, SPOT, {"presence": "not_operating", "presence_note": "已停产"}, "not_operating")
    view = await forms.load_visit_view(await house.acting("assigned"), visit["code"])
    assert [one["form"].code for one in view["forms"]] == [SPOT] and view["visit"]["state"] == "done"


# From a spreadsheet ----------------------------------------------------------------------


async def table_of(house, code):
    """(headings, rows as dicts) of what the round's table asks for now."""
    table = await results.write_template(await house.acting("operator"), code)
    return table[0], [dict(zip(table[0], row, strict=True)) for row in table[2:] if not row[0].startswith("备注")]


async def bring(house, head, rows):
    sheet = Sheet((tuple(head), *(tuple(row.get(title, "") for title in head) for row in rows)), kind="xlsx")
    return await imports.import_sheet(await house.acting("operator"), "records", sheet, "记录.xlsx", b"x")


async def test_samples_and_the_laboratorys_results_come_from_a_table_a_row_each(filled):
    house, _, visit = await sampled(filled)
    code = visit["code"].partition("_")[0]
    head, [row] = await table_of(house, code)
    known = {"结果": "待检验结果", "检查日期": "2026-06-10", "检查方式": "检验检测"}
    form = SECTORS.form(SPOT)
    heads, own = point_headings(form), row_headings(form)
    fields = {field.name: field for field in form.fields()}
    points = {heads[name]: say(fields[name], answer) for name, answer in (SIGNED | GOOD).items() if name != "signature"} | {heads["signature"]: "s1"}
    lines = [row | known | points | {own["samples", name]: str(answer) for name, answer in sample(0).items()}]
    lines.append({title: lines[0][title] for title in ("入企编号", "事项", "检查人员", *known)} | {own["samples", name]: str(answer) for name, answer in sample(1).items()})

    with pytest.raises(BadInput) as refused:
        await bring(house, head, [lines[0], lines[1] | {own["samples", "taken"]: "99"}])
    assert [(one.row, one.field) for one in refused.value.problems][:1] == [(3, own["samples", "taken"])] and await records.load_records_of([visit["id"]]) == []
    report = await bring(house, head, lines)
    assert (report.counts["检查记录"], report.counts["待检验结果"], report.counts["数据行"]) == (1, 1, 2)
    [spot] = await records.load_records_of([visit["id"]])
    assert spot["answers"]["samples"] == [sample(0), sample(1)]

    house.at("2026-07-10T10:00")
    head, [row] = await table_of(house, code)
    assert row["事项"] == SECTORS.item(ITEM).name, "one row, of the result: the record of the day stands"
    form = SECTORS.form(RESULT)
    heads, own = point_headings(form), row_headings(form)
    known = {"结果": "发现问题已责令改正", "检查日期": "2026-07-10", "检查方式": "检验检测"}
    said = {heads["lab"]: "省质检院", heads["report"]: "W1", heads["received_on"]: "2026-06-20", heads["told_on"]: "2026-06-21", heads["objection"]: "没有提出"}
    passed = {own["results", "sealed"]: "F-00", own["results", "conclusion"]: "合格"}
    failed = {own["results", "sealed"]: "F-01", own["results", "conclusion"]: "不合格", own["results", "failed_items"]: "热效率", own["results", "severe"]: "一般"}
    again = {title: (row | known)[title] for title in ("入企编号", "事项", "检查人员", *known)}
    for second, line, column in (
        (failed | {own["results", "severe"]: "大概"}, 3, own["results", "severe"]),
        (failed | {own["results", "failed_items"]: ""}, 3, own["results", "failed_items"]),
        (failed | {"结果": "未发现问题"}, 2, "结果"),
        ({}, 3, "事项"),
    ):
        with pytest.raises(BadInput) as refused:
            await bring(house, head, [row | known | said | passed, again | second])
        assert (line, column) in [(one.row, one.field) for one in refused.value.problems], second
    assert [one["form_code"] for one in await records.load_records_of([visit["id"]])] == [SPOT]
    report = await bring(house, head, [row | known | said | passed, again | failed])
    assert report.counts["检查记录"] == 1
    later = next(one for one in await records.load_records_of([visit["id"]]) if one["form_code"] == RESULT)
    assert later["answers"] == result("pass", "fail") and later["outcomes"] == {ITEM: "rectified"} and later["state"] == "submitted"

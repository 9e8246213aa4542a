"""A sector from two spreadsheets, without Python: from its item list to the published result, on both engines."""

import json
from dataclasses import replace

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, NotAllowed
from portal.domain.model import PoolRule, Task
from portal.domain.xlsform_reading import read_xlsform
from portal.plugins import discover_sectors
from portal.steps import assign, catalogue, disclosure, draw, forms, imports, joined_forms, plan, publish, review, sample, sheet_forms, visits
from portal.steps.verify import verify_installation
from portal.store import accounts, engine
from portal.store.tables import Entity, Item
from tests import office
from tests.office import SEED

pytestmark = pytest.mark.anyio

SURVEY = (
    ("type", "name", "label::中文 (zh)", "required", "relevant", "key", "public"),
    ("begin_group", "g", "在售玩具", "", "", "", ""),
    ("select_one v", "ccc", "均有CCC标志", "yes", "", "yes", "yes"),
    ("text", "note", "情况说明", "yes", "${ccc} = 'no'", "", ""),
    ("begin_repeat", "goods", "不合格的产品", "", "${ccc} = 'no'", "", ""),
    ("text", "brand", "名称和型号", "", "", "", ""),
    ("end_repeat",), ("end_group",),
)  # fmt: skip
CHOICES = (("list_name", "name", "label"), ("v", "yes", "合格"), ("v", "no", "不合格"), ("v", "na", "不适用"))
SETTINGS = (("form_title", "form_id", "version"), ("玩具销售检查表", "shop", "2026-1"))
FORM = read_xlsform({"survey": Sheet(SURVEY), "choices": Sheet(CHOICES), "settings": Sheet(SETTINGS)}, "toys").form
HEAD = ("序号", "抽查类别", "抽查事项", "检查对象", "事项类别", "检查方式", "检查主体", "检查依据", "检查要点", "检查表单", "行业代码", "主体类型", "监管标签")
ROW = ("1", "产品质量监督抽查", "玩具销售质量检查", "企业", "重点检查事项", "现场检查、抽样检测", "县级市场监督管理部门",
       "《中华人民共和国产品质量法》第三十三条\n《中华人民共和国认证认可条例》第二十七条", "1.强制性产品认证标志\n2.标识", "shop", "", "企业", "")  # fmt: skip
ITEMS = Sheet((("附件1",), HEAD, ROW))
NEW = sheet_forms.NewSector("玩具", "质量科")
OPTIONS = {"sector": "toys", "name": "玩具", "department": "质量科"}


async def two_spreadsheets(house, items=ITEMS):
    await sheet_forms.import_form(await house.acting("operator"), FORM, "shop.xlsx", "0" * 64, NEW)
    return await imports.import_sheet(await house.acting("operator"), "items", items, "清单.xlsx", b"x", options={"sector": "toys"})


def changed(**cells):
    return Sheet((HEAD, tuple(cells.get(name, cell) for name, cell in zip(HEAD, ROW, strict=True))))


async def test_two_spreadsheets_become_a_sector_whose_results_are_published(filled):
    industry = json.loads((await Entity.select(Entity.industries).where(Entity.type == "企业", Entity.status == "存续").order_by(Entity.id).first().run())["industries"])[0][:2]
    await two_spreadsheets(filled, changed(行业代码=industry))
    act = await filled.acting("planner")
    assert act.sectors.sheets == {"toys"} and act.sectors.item("toys.item_1").form == "toys.shop"
    plan_sheet = Sheet((
        ("2026年度抽查工作计划",), ("序号", "抽查事项", "检查对象", "事项类别", "抽查比例", "实施时间", "责任科室", "抽取方式"),
        ("1", "玩具销售质量检查", "企业", "重点检查事项", "20%", "2026年6月", "质量科", "县级抽取"),
    ))  # fmt: skip
    report = await plan.import_plan(act, plan_sheet, b"plan")
    assert (report.counts["抽查任务"], report.counts["待模块"]) == (1, 0)
    code, task = next((code, task) for code, task in (await office.tasks_by_code()).items() if task["sector"] == "toys")
    assert (task["item_code"], task["item_version"]) == ("toys.item_1", "1")

    round_ = await office.commit_and_publish(filled, [code])
    kept = json.loads((await filled.round(round_))["round_json"])
    assert {"sector": "toys", "version": act.sectors.sectors["toys"].version} in kept["sectors"]
    entities = {row["code"]: row for row in await Entity.select().run()}
    await office.make_drawable(filled, round_)
    act = await filled.acting("planner")
    await draw.draw_round(act, round_)
    await visits.combine_visits(act, round_)
    await assign.assign_inspectors(act, round_)
    newer = replace(FORM, version="2026-2", title="新版")
    assert (await sheet_forms.import_form(await filled.acting("operator"), newer, "shop.xlsx", "1" * 64)).current == "2026-2"
    drawn = await office.visits_of(round_)
    assert {one["form"].version for one in await joined_forms.forms_of(drawn[0])} == {"2026-1"}  # what inspectors follow was fixed before
    assert drawn and all(entities[visit["entity_code"]]["type"] == "企业" for visit in drawn)
    assert all(any(one.startswith(industry) for one in json.loads(entities[visit["entity_code"]]["industries"])) for visit in drawn)

    filled.at(office.ENTERED)
    lines = list(await sample.make_answers(await filled.acting("operator"), round_, SEED))
    await forms.import_records(await filled.acting("operator"), b"".join(lines))
    filled.at(office.REVIEWED)
    await review.review_round(await filled.acting("reviewer"), round_)
    await publish.publish_all(await filled.acting("publisher"))
    await disclosure.write_bundle(await filled.acting("publisher"), filled.settings.data / "bundle", demo=True)
    results = [json.loads(line) for line in (filled.settings.data / "bundle" / "results.jsonl").read_text().splitlines()]
    assert len(results) == len(drawn) and {item["code"] for result in results for item in result["items"]} == {"toys.item_1"}
    written = (filled.settings.data / "bundle" / "results.jsonl").read_text()
    assert "均有CCC标志" in written and "情况说明" not in written  # what the sheet marks public, and nothing else
    lines = [line async for line in verify_installation(await filled.acting("auditor"))]
    assert all(holds for holds, _ in lines), lines


async def test_columns_of_the_list_are_the_rule_of_the_pool(filled):
    await two_spreadsheets(filled, changed(行业代码="5248、52", 主体类型="企业、个体工商户", 监管标签="网络经营"))
    act = await filled.acting("planner")
    item = act.sectors.item("toys.item_1")
    task = Task("T", "任务", "toys", [item.code, "registration.licence"], office.WINDOW, office.WINDOW[0])
    assert act.sectors.pool_rule(task) == PoolRule(types=("企业", "个体工商户"), industries=("5248", "52"), tags=("网络经营",))
    assert (item.kind, item.methods, item.points) == ("key", ("现场检查", "抽样检测"), ("强制性产品认证标志", "标识"))
    assert [str(basis) for basis in item.basis] == ["《中华人民共和国产品质量法》第三十三条", "《中华人民共和国认证认可条例》第二十七条"]


async def test_the_same_list_again_changes_nothing_and_another_text_needs_another_version(filled):
    first = await two_spreadsheets(filled)
    assert first.counts["新增"] == 1
    act = await filled.acting("operator")
    again = await imports.import_sheet(act, "items", ITEMS, "清单.xlsx", b"x", options=OPTIONS)
    assert (again.counts["内容未变"], await Item.count().where(Item.code == "toys.item_1").run()) == (1, 1)
    for other in (changed(检查要点="别的要点"), changed(行业代码="52")):
        with pytest.raises(BadInput) as refusal:
            await imports.import_sheet(act, "items", other, "清单.xlsx", b"y", options=OPTIONS)
        assert [str(one) for one in refusal.value.problems] == ["第 2 行“版本”：事项 toys.item_1 的 1 版已经有了，内容不同。用过的版本不再改动，请写新的版本。"]
    done = await imports.import_sheet(act, "items", changed(行业代码="52"), "清单.xlsx", b"y", options=OPTIONS | {"version": "2"})
    assert done.counts["更新原有"] == 1 and (await filled.acting("planner")).sectors.item("toys.item_1").version == "2"


@pytest.mark.parametrize("cells, says", [
    ({"检查表单": "nothing"}, "第 2 行“检查表单”：没有检查表单“nothing”，本模块的表单：shop（玩具销售检查表）。"),
    ({"检查依据": ""}, "第 2 行“检查依据”：没有写检查依据，未列依据的事项不得实施检查。"),
    ({"检查依据": "产品质量法"}, "里没有带书名号的法规名称"),
    ({"事项类别": "特别重要"}, "第 2 行“事项类别”：“特别重要”看不懂"),
    ({"行业代码": "玩具店"}, "第 2 行“行业代码”：“玩具店”"),
    ({"主体类型": "小摊"}, "第 2 行“主体类型”：没有“小摊”这种主体"),
    ({"抽查类别": "登记事项检查", "抽查事项": "营业执照（登记证）规范使用情况的检查"}, "与“registration.licence”同类别、同名称"),
])  # fmt: skip
async def test_what_is_wrong_in_the_list_is_named_by_row_and_column(filled, cells, says):
    await sheet_forms.import_form(await filled.acting("operator"), FORM, "shop.xlsx", "0" * 64, NEW)
    with pytest.raises(BadInput) as refusal:
        await imports.import_sheet(await filled.acting("operator"), "items", changed(**cells), "清单.xlsx", b"x", options=OPTIONS)
    assert says in str(refusal.value.problems[0])


async def test_an_installed_module_keeps_its_items_to_itself(filled):
    with pytest.raises(BadInput, match="业务模块“登记事项”是程序模块"):
        await imports.import_sheet(await filled.acting("operator"), "items", ITEMS, "清单.xlsx", b"x", options={"sector": "registration"})
    with pytest.raises(BadInput, match="没有代码为“lifts”的业务模块"):
        await imports.import_sheet(await filled.acting("operator"), "items", ITEMS, "清单.xlsx", b"x", options={"sector": "lifts"})


async def test_another_bureau_reads_a_sector_and_does_not_change_it(filled):
    await two_spreadsheets(filled)
    stranger = await filled.acting("stranger")
    assert "toys" in stranger.sectors.sectors
    with pytest.raises(NotAllowed, match="由别的单位建立和维护"):
        await sheet_forms.import_form(stranger, FORM, "shop.xlsx", "0" * 64)
    with pytest.raises(NotAllowed, match="由别的单位建立和维护"):
        await imports.import_sheet(stranger, "items", ITEMS, "清单.xlsx", b"x", options=OPTIONS)


async def test_a_department_changes_its_own_modules_forms_and_no_others(filled):
    form = discover_sectors().form("registration.check")
    bureau = await accounts.load_organisation("359921")
    async with engine.transaction():
        for code, name in (("359921-D1", "信用监督管理科"), ("359921-D2", "质量科")):
            await accounts.save_organisation(code, name, "department", bureau["id"], "359921")
    credit = await filled.account_of("credit", ["sector"], organisation="359921-D1")
    quality = await filled.account_of("quality", ["sector"], organisation="359921-D2")
    assert not (await sheet_forms.import_form(credit, form, "a.xlsx", "0" * 64)).fresh
    with pytest.raises(NotAllowed, match="业务模块“登记事项”由信用监督管理科维护，您所在的质量科不能改动"):
        await sheet_forms.import_form(quality, form, "a.xlsx", "0" * 64)


async def test_a_module_installed_later_under_the_same_code_goes_before_the_spreadsheet(filled):
    await two_spreadsheets(filled)
    rows = (await catalogue.sheets.load_sheet_sectors(), await catalogue.sheets.load_sheet_versions())
    installed = discover_sectors("water_heaters")
    later = [[{**row, "code": "water_heaters"} for row in rows[0]], [{**row, "sector": "water_heaters"} for row in rows[1]]]
    joined = catalogue.join(installed, *later)
    assert joined.sheets == frozenset() and joined.items == installed.items
    assert (await catalogue.load_item("toys.item_1", "1")).name == "玩具销售质量检查"  # what was inspected under it stays readable


async def test_what_a_rolled_back_import_showed_is_never_remembered(filled):
    act = await filled.acting("operator")
    with pytest.raises(ZeroDivisionError):
        async with engine.transaction():
            await sheet_forms.import_form(act, FORM, "shop.xlsx", "0" * 64, NEW)
            raise ZeroDivisionError
    assert "toys" not in (await filled.acting("operator")).sectors.sectors
    other = replace(FORM, code="lifts.shop", title="电梯")
    await sheet_forms.import_form(await filled.acting("operator"), other, "lifts.xlsx", "1" * 64, sheet_forms.NewSector("电梯"))
    assert (await filled.acting("operator")).sectors.sheets == {"lifts"}

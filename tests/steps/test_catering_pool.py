"""A catering pool from a real file: licences of companies and of the shops of chains, grades of food beside credit classes."""

import pytest

import plugins.catering
from portal.plugins import discover_sectors
from portal.sheets.read import read_sheet
from portal.sheets.write import write_xlsx
from portal.steps import imports, pool, registers
from portal.store.tables import Entity, Task
from portal.domain.registers import register_head
from tests import office
from tests.office import INSTANT
from tests.steps.test_classes import food_ratios, save_profile, strata_of

pytestmark = pytest.mark.anyio
SECTORS = discover_sectors("catering", {"catering": plugins.catering})
NAME = "餐饮服务许可名录"


async def bring(act, kind, rows, **options):
    data = write_xlsx(rows)
    return await imports.import_sheet(act, kind, read_sheet(data, "名录.xlsx"), "名录.xlsx", data, options=options)


async def test_licences_of_companies_and_shops_make_the_pool_and_its_grades(filled):
    act = await filled.acting("operator", SECTORS)
    one, two, three, *_ = [
        row["code"] for row in await Entity.select(Entity.code).where(Entity.type == "企业", Entity.status == "存续", Entity.kind == "entity").order_by(Entity.code).limit(3).run()
    ]
    shop = f"{one}#2"
    await bring(act, "entities", [("统一社会信用代码", "企业名称", "企业类型", "对象种类"), (shop, "甲公司二店", "企业", "门店")])
    head = register_head(SECTORS.registers[0])
    assert head == ["专项库名称", "统一社会信用代码", "企业名称", "许可证名称", "许可证编号", "批准日期", "有效期至", "发证机关",
                    "主体业态", "经营项目", "许可的经营场所", "许可状态", "食品安全风险等级"]  # fmt: skip
    rows = [
        (NAME, one, "甲", "食品经营许可证", "JY1", "2023-01-01", "2028-01-01", "望溪局", "餐饮服务经营者", "热食类", "南街 1 号", "有效", "B级"),
        (NAME, one, "甲", "食品经营许可证", "JY2", "2023-01-01", "2028-01-01", "望溪局", "餐饮服务经营者", "冷食类", "南街 3 号", "有效", "C"),
        (NAME, shop, "甲二店", "食品经营许可证", "JY3", "2023-01-01", "长期", "望溪局", "连锁餐饮门店", "热食类", "北街 1 号", "有效", "A"),
        (NAME, two, "乙", "食品经营许可证", "JY4", "2023-01-01", "2028-01-01", "望溪局", "餐饮服务经营者", "热食类", "东街 1 号", "注销", "D"),
    ]
    report = await bring(act, "registers", [head, *rows])
    assert (report.counts["新增"], report.counts["涉及检查对象"], report.warnings) == (4, 3, ())

    await save_profile(filled, class_ratios=food_ratios)
    task = (await office.tasks_by_code())[INSTANT]
    values = {"sector": "catering", "item_code": "catering.service", "objects": "企业", "ratio_ppm": None, "fixed_count": None, "class_ratios": "{}"}
    await Task.update(values).where(Task.id == task["id"]).run()
    made = await pool.freeze_pool(await filled.acting("planner", SECTORS), INSTANT, "class")
    assert (made["size"], made["rules"]) == (3, {"sector": 1})
    assert await strata_of(made) == {one: "C", shop: "A", two: "未分类"}, "the worst grade in force; whoever gave up the licence has none"

    [listed] = await registers.load_registers(await filled.acting("planner", SECTORS))
    assert (listed.name, listed.sector, listed.rows) == (NAME, "餐饮服务", 4)

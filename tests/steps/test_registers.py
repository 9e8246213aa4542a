"""Registers that a sector declares: columns by name and type, several rows an entity, in pools and on pages."""

import json
from datetime import date
from types import ModuleType

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput
from portal.plugin import CERTIFICATE_ONLY, Basis, CheckItem, Column, Field, Form, PoolRule, Register, Section, Sector, hookimpl
from portal.plugins import discover_sectors
from portal.steps import imports, pool, registers
from portal.store import directory
from portal.store.tables import Entity, Finding, Task
from tests import office
from tests.office import ANNUAL

pytestmark = pytest.mark.anyio

LIFTS = Register("lifts.used", "在用电梯", (
    Column("number", "设备代码", "text", required=True), Column("floors", "层站数", "integer"),
    Column("checked_to", "检验有效期", "date", required=True, aliases=("检验有效期至",)), Column("maker", "制造单位代码", "code"),
), several=True)  # fmt: skip
OWNERS = Register("lifts.owners", "电梯使用单位", (Column("manager", "安全管理机构"),))
HEAD = ("代码", "设备代码", "层站数", "检验有效期至", "颜色")
SEEN: list = []


def exclude_from_pool(task, batch):
    SEEN.extend(batch)
    return {one.code: "全部设备均在检验有效期内" for one in batch if all(row["checked_to"] > str(task.frozen_on) for row in one.attributes["lifts.used"])}


def lifts():
    module = ModuleType("lifts_module")
    module.__dict__.update({
        "sector": hookimpl(lambda: Sector("lifts", "电梯")),
        "check_items": hookimpl(lambda: [CheckItem(f"lifts.{one}", "1", "电梯", one, "lifts.form", [Basis("特种设备安全法", "第四十条")], qualification=CERTIFICATE_ONLY, valid_from=date(2026, 1, 1)) for one in ("use", "after")]),
        "inspection_forms": hookimpl(lambda: [Form("lifts.form", "1", "电梯", [Section("一", [Field("ok", "在检验期内")])])]),
        "registers": hookimpl(lambda: [LIFTS, OWNERS]),
        "pool_rule": hookimpl(lambda task: PoolRule(registers=["lifts.used"])),
        "exclude_from_pool": hookimpl(exclude_from_pool),
    })  # fmt: skip
    return discover_sectors("lifts", {"lifts": module})


async def bring(act, *rows, head=HEAD, register="在用电梯", good_rows=False, **options):
    said = {"专项库名称": register} | options
    return await imports.import_sheet(act, "registers", Sheet((head, *rows), kind="xlsx"), "电梯.xlsx", b"lifts", options=said, good_rows=good_rows)


async def some(count, kind="企业"):
    rows = await Entity.select(Entity.code).where(Entity.type == kind, Entity.status == "存续").order_by(Entity.code).limit(count).run()
    return [row["code"] for row in rows]


async def test_a_declared_register_is_typed_joined_and_listed(filled):
    act = await filled.acting("operator", lifts())
    one, two = await some(2)
    report = await bring(act, (one, "3110-1", "12", "2026年8月1日", "红"), (one, "3110-2", 6, "2026-03-01", ""), (two, "3110-3", "", "2026-09-01", ""))
    assert (report.counts["新增"], report.counts["涉及检查对象"]) == (3, 2)
    await bring(act, (one, "3110-2", "7", "2026-03-02", ""))
    [batch] = [b async for b in directory.load_candidates(PoolRule(registers=("lifts.used",)), act.tree, (), {}, {})]
    rows = {candidate.code: candidate.attributes["lifts.used"] for candidate, _, _ in batch}
    assert rows[one] == [
        {"floors": 12, "checked_to": "2026-08-01", "颜色": "红", "number": "3110-1"},
        {"floors": 7, "checked_to": "2026-03-02", "number": "3110-2"},
    ]
    assert set(rows) == {one, two}

    act = await filled.acting("planner", lifts())
    listed = {register.code: register for register in await registers.load_registers(act)}
    assert [(x.name, x.sector, x.several, x.rows) for x in listed.values()] == [("电梯使用单位", "电梯", False, 0), ("在用电梯", "电梯", True, 3)]
    used = listed["lifts.used"]
    first = await registers.load_rows(act, used, "", 0, 2)
    assert [row["cells"]["设备代码"] for row in first] == ["3110-1", "3110-2", "3110-3"], "one more than a page says that there are more"
    assert first[0]["cells"] == {"设备代码": "3110-1", "层站数": "12", "检验有效期": "2026-08-01", "颜色": "红"}
    assert [row["id"] for row in await registers.load_rows(act, used, "", first[1]["id"], 2)] == [first[2]["id"]]
    assert [row["code"] for row in await registers.load_rows(act, used, "3110-3", 0, 50)] == [two]
    assert {row["code"] for row in await registers.load_rows(act, used, first[0]["name"], 0, 50)} >= {one}
    assert await registers.load_rows(act, used, "%", 0, 50) == []
    stranger = await filled.acting("stranger", lifts())
    assert {register.rows for register in await registers.load_registers(stranger)} == {0}
    assert await registers.load_rows(stranger, used, "", 0, 50) == []
    assert registers.shown_rows(act, {"lifts.used": rows[two]}) == [("在用电梯", ["设备代码 3110-3　检验有效期 2026-09-01"])]


async def test_what_does_not_fit_a_declared_column_is_named_by_row(filled):
    act = await filled.acting("operator", lifts())
    one, two = await some(2)
    with pytest.raises(BadInput) as refusal:
        await bring(act, (one, "3110-1", "十二层", "2026-08-01", ""), (one, "", "3", "2026-08-01", ""), (two, "3110-3", "3", "下月", ""), (two, "3110-4", "3", "", ""))
    assert [(p.row, p.field, p.message) for p in refusal.value.problems] == [
        (2, "层站数", "“十二层”不是整数。请只填数字，不写单位。"),
        (3, "设备代码", "没有填写，“在用电梯”每一行都要有。请补上后重新上传。"),
        (4, "检验有效期至", "“下月”不是日期。请写成 2027-12-31 这样。"),
        (5, "检验有效期", "没有填写，“在用电梯”每一行都要有。请补上后重新上传。"),
    ]
    with pytest.raises(BadInput, match="1 处错误") as refusal:
        await bring(act, (one, "甲", "1"), (one, "乙", "2"), head=("代码", "安全管理机构", "编号"), register="lifts.owners")
    assert refusal.value.problems[0].message == "与第 2 行是同一户，“电梯使用单位”每户只能有一行。请只保留一行。"
    await bring(act, (one, "甲", "1"), head=("代码", "安全管理机构", "编号"), register="lifts.owners")
    again = await bring(act, (one, "乙", "2"), head=("代码", "安全管理机构", "编号"), register="电梯使用单位")
    assert again.counts["更新原有"] == 1, "a register with one row an entity replaces it, whatever its number"


async def test_a_pool_by_register_and_what_its_sector_excludes(filled):
    """Both go by the rows; and the sector sees when any of its own items was checked last, not only the task's."""
    act = await filled.acting("operator", lifts())
    one, two, three = await some(3)
    await bring(act, (one, "1", "2", "2026-01-01", ""), (two, "2", "2", "2027-01-01", ""), (three, "3", "2", "2026-01-01", ""), (three, "4", "2", "2027-01-01", ""))
    task = (await office.tasks_by_code())[ANNUAL]
    await Task.update(sector="lifts", item_code="lifts.use").where(Task.id == task["id"]).run()
    SEEN.clear()
    made = await pool.freeze_pool(await filled.acting("planner", lifts()), ANNUAL)
    assert (made["size"], made["excluded_size"], made["rules"]) == (3, 1, {"sector": 1})
    assert [candidate.code for candidate in SEEN] == sorted([one, two, three])


async def test_hooks_see_the_last_day_of_every_item_of_their_sector(approved):
    finding = await Finding.select().first().run()
    await Finding.insert(Finding(**{name: value for name, value in finding.items() if name != "id"} | {"item_code": "lifts.after"})).run()
    code = finding["entity_code"]
    act = await approved.acting("operator", lifts())
    await bring(act, (code, "1", "2", "2026-01-01", ""))
    task = (await office.tasks_by_code())["359921-2026-T003"]
    await Task.update(sector="lifts", item_code="lifts.use", ratio_ppm=1_000_000).where(Task.id == task["id"]).run()
    SEEN.clear()
    await pool.freeze_pool(await approved.acting("planner", lifts()), task["code"])
    assert SEEN[0].last_inspected["lifts.after"] == finding["inspected_on"]


async def test_a_whole_register_loses_what_its_file_no_longer_has(filled):
    act = await filled.acting("operator", lifts())
    one, two = await some(2)
    rows = [(one, "1", "2", "2027-01-01", ""), (one, "2", "2", "2027-01-01", ""), (two, "3", "2", "2027-01-01", "")]
    await bring(act, *rows)
    await bring(act, (two, "甲", "1"), head=("代码", "安全管理机构", "编号"), register="电梯使用单位")
    before = await office.snapshot()
    with pytest.raises(BadInput, match="整库替换要求文件没有错误"):
        await bring(act, rows[0], (one, "9", "二", "2027-01-01", ""), good_rows=True, whole="是")
    with pytest.raises(BadInput, match="请填“是”或“否”"):
        await bring(act, rows[0], whole="大概")
    assert await office.snapshot() == before
    report = await bring(act, rows[0], whole="是")
    assert (report.counts["库中删去"], report.counts["内容未变"]) == (2, 1)
    entries = {row["code"]: row for row in await Entity.select().where(Entity.code.is_in([one, two])).run()}
    assert [row["number"] for row in json.loads(entries[one]["attributes"])["lifts.used"]] == ["1"]
    kept = json.loads(entries[two]["attributes"])
    assert "lifts.used" not in kept and "lifts.owners" in kept, "other registers stay"
    assert all(licence["register"] != "lifts.used" for licence in json.loads(entries[two]["licences"]) if "register" in licence)

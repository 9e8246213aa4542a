"""The official file of a plan: import, export, import in another office: the same plan, in each collected layout."""

import json

import pytest

from portal.domain.errors import BadInput, NotAllowed, NotFound
from portal.sheets.read import read_sheet
from portal.steps import plan, publish
from portal.steps.imports import import_sheet
from portal.store import engine
from portal.store import plan as store
from portal.store import publish as publications
from tests import office
from tests.shared import shared_file

pytestmark = pytest.mark.anyio

PLANS = ["changzhi_2024", "county_2026", "jinjiang_style_2024"]


async def brought(house, data: bytes):
    """The plan row of a file brought in, and its rows as they are kept."""
    act = await house.acting("planner")
    sheet = read_sheet(data, "计划.xlsx")
    await import_sheet(act, "plan", sheet, "计划.xlsx", data)
    latest = max(await store.load_plans(act.line), key=lambda one: one["id"])
    return latest, [row["data"] for row in await store.load_plan_rows(latest["id"])]


@pytest.mark.parametrize("name", PLANS)
async def test_a_plan_exported_and_imported_elsewhere_is_the_same_plan(filled_folder, tmp_path, name):
    original = shared_file(f"plans/{name}.xlsx").read_bytes()
    elsewhere = office.copy_folder(filled_folder, tmp_path / "second")
    house = await office.open_house(filled_folder)
    try:
        first, rows = await brought(house, original)
        _, file = await plan.export_plan(await house.acting("planner"), first["id"])
    finally:
        await engine.close_engine()
    other = await office.open_house(elsewhere)
    try:
        second, again = await brought(other, file)
        assert again == rows and len(rows) > 3
        assert (second["title"], second["year"], second["notes"], second["layout"]) == (first["title"], first["year"], first["notes"], first["layout"])
        _, third = await plan.export_plan(await other.acting("planner"), second["id"])
        assert third == file, "same plan, same bytes"
    finally:
        await engine.close_engine()
    written, read = read_sheet(file), read_sheet(original)
    assert (written.rows, written.merged, written.name) == (read.rows, read.merged, read.name), "titles, remarks and merged cells as they came"


@pytest.mark.parametrize("layout", ["work", "joint", "county"])
@pytest.mark.parametrize("name", PLANS)
async def test_in_another_layout_no_word_of_a_row_is_lost(filled, name, layout):
    first, rows = await brought(filled, shared_file(f"plans/{name}.xlsx").read_bytes())
    _, file = await plan.export_plan(await filled.acting("planner"), first["id"], layout)
    second, again = await brought(filled, file)
    assert (second["version"], second["title"], set(second["notes"])) == (first["version"] + 1, first["title"], set(first["notes"]))

    def meaning(rows):
        return [{name: value for name, value in row.items() if name not in ("row", "raw", "joined")} for row in rows]

    assert meaning(again) == meaning(rows)


async def test_a_plan_from_before_layouts_were_kept_is_exported_too(filled):
    act = await filled.acting("planner")
    first, rows = await brought(filled, shared_file("plans/county_2026.xlsx").read_bytes())
    await store.Plan.update(layout="{}").where(store.Plan.id == first["id"]).run()
    _, file = await plan.export_plan(act, first["id"])
    _, again = await brought(filled, file)
    wanted = ("number", "task", "items", "objects", "ratio_ppm", "count", "window", "department", "partners", "mode", "method", "drawn_by")
    assert [[row[name] for name in wanted] for row in again] == [[row[name] for name in wanted] for row in rows]


# What is public of it ---------------------------------------------------------------


@pytest.mark.parametrize("name", PLANS)
async def test_nothing_public_says_the_ratio_of_a_class_or_who_filled_the_form_in(filled, name):
    first, rows = await brought(filled, shared_file(f"plans/{name}.xlsx").read_bytes())
    await store.Plan.update(notes=json.dumps(["填表人：张三　审核人：李四", *first["notes"]])).where(store.Plan.id == first["id"]).run()
    publisher = await filled.acting("publisher")
    await publish.publish_all(publisher)
    [public] = [one["data"] for one in await publications.load_live(publisher.tree, "plan") if one["data"]["title"] == first["title"]]
    text = json.dumps(public, ensure_ascii=False)
    for word in ("class_ratios", "由低到高", "低风险", "张三", "单位（盖章）", "填报日期"):
        assert word not in text, word
    assert [row["differentiated"] for row in public["rows"]] == [bool(row["class_ratios"]) for row in rows]
    for mine, theirs in zip(public["rows"], rows, strict=True):
        for field in ("number", "items", "objects", "partners", "department", "times", "method", "inspected_by", "drawn_by_text"):
            assert mine[field] == theirs[field], field
        assert (mine["name"], mine["ratio"], mine["window"]) == (theirs["task"], theirs["ratio_text"], theirs["window_text"])
    inner = await plan.load_official(await filled.acting("planner"), first["id"])
    assert inner["internal"] and [row["class_ratios"].keys() for row in inner["rows"]] == [row["class_ratios"].keys() for row in rows]


async def test_only_who_may_read_a_plan_exports_it(filled):
    act = await filled.acting("planner")
    number = (await store.load_plans(act.line))[0]["id"]
    with pytest.raises(NotFound, match="不在您的辖区"):
        await plan.export_plan(await filled.acting("stranger"), number)
    with pytest.raises(NotAllowed):
        await plan.export_plan(await filled.acting("operator"), number)
    with pytest.raises(NotFound, match="不在您的辖区"):
        await plan.load_official(await filled.acting("stranger"), number)
    with pytest.raises(BadInput, match="没有“excel”这种版式。可以选：own（导入时的版式）"):
        await plan.export_plan(act, number, "excel")

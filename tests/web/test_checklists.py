"""The pages of 检查表单: a spreadsheet goes up, is seen as an inspector will see it, and becomes a version once."""

import io
import re

import pytest

from portal.domain.xlsform import sheet_of
from portal.domain.xlsform_reading import read_xlsform
from portal.plugins import discover_sectors
from portal.sheets.workbook import read_workbook
from portal.sheets.write import write_workbook
from tests.web.test_imports import BOUNDARY, form, upload

SURVEY = [
    ["type", "name", "label::中文 (zh)", "required", "relevant", "key", "hint"],
    ["begin_group", "g", "在售<b>玩具</b>", "", "", "", ""],
    ["select_one v", "ccc", "均有CCC标志<script>", "yes", "", "yes", "看铭牌"],
    ["text", "note", "情况说明", "yes", "${ccc} = 'no'", "", ""],
    ["end_group", "", "", "", "", "", ""],
]
CHOICES = [["list_name", "name", "label"], ["v", "yes", "合格"], ["v", "no", "不合格"], ["v", "na", "不适用"]]
SETTINGS = [["form_title", "form_id", "version"], ["玩具销售检查表", "shop", "2026-1"]]
NEW = {"sector": "", "new": "toys", "name": "玩具", "department": "质量科", "code": "", "version": ""}


def book(survey=SURVEY):
    return write_workbook({"survey": survey, "choices": CHOICES, "settings": SETTINGS})


def send(person, data, **fields):
    headers = {"Origin": person.origin, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return person.send("POST", "/checklists/import", headers, content=form({"csrf": person.csrf, **NEW, **fields}, ("shop.xlsx", data)))


def kept(house):
    return house.query("SELECT count(*) FROM check_form WHERE code LIKE 'toys.%'")[0][0]


def test_a_form_is_previewed_as_an_inspector_sees_it_then_imported_once(house_at):
    house = house_at()
    person = house.browser("operator")
    response = send(person, book())
    address = response.headers["location"]
    assert response.status_code == 303 and re.fullmatch(r"/checklists/uploads/\d+", address) and kept(house) == 0
    page = person.get(address).text
    assert "玩具（新建）" in page and "toys.shop" in page and "重点项 1" in page
    assert "在售&lt;b&gt;玩具&lt;/b&gt;" in page and "<script>" not in re.sub(r"<script src=[^>]*></script>", "", page.replace("<script defer", "<script"))
    assert re.search(r'name="ccc" value="no"', page) and "checked" not in page and "上一项选“不合格”时填写" in page
    response = person.post(f"{address}/apply")
    assert response.headers["location"] == f"{address}?said=applied" and kept(house) == 1
    page = person.get(response.headers["location"]).text
    assert "toys.shop 2026-1 版" in page and "导入这一版" not in page
    again = person.post(f"{address}/apply")
    assert again.status_code == 409 and "没有重复导入" in again.text and kept(house) == 1
    listed = house.browser("planner").get("/checklists").text
    assert "玩具销售检查表" in listed and "导入表单" not in listed


def test_refusals_are_listed_by_sheet_row_and_column_and_nothing_is_kept(house_at):
    house = house_at()
    person = house.browser("operator")
    response = send(person, book([*SURVEY, ["barcode", "b", "扫码", "", "", "", ""], ["text", "c", "", "", "x(", "", ""]]))
    assert response.status_code == 422
    rows = re.findall(r'<tr><td class="nw">(\w+)</td><td class="n">(\d+)</td><td class="cols-listed">([^<]+)</td>', response.text)
    assert rows[:3] == [("survey", "6", "type"), ("survey", "7", "label::中文 (zh)"), ("survey", "7", "relevant")]
    assert "有 3 处不能导入" in response.text and 'value="toys"' in response.text
    assert house.query("SELECT count(*) FROM upload")[0][0] == 0


@pytest.mark.parametrize("fields, data, says", [
    ({"new": ""}, None, "没有写明业务模块"), ({"name": ""}, None, "没有代码为“toys”的业务模块"), ({"admin": "1"}, None, "表单里没有“admin”这一栏"),
    ({"new": "../etc"}, None, "业务模块代码“../etc”不对"), ({}, b"%PDF-1.7", "是PDF 文件，不是表格"), ({}, b"", "没有选择文件"),
    ({"name": "玩\u202e具"}, None, "控制字符"),
])  # fmt: skip
def test_what_cannot_be_taken_is_said_on_the_page(house_at, fields, data, says):
    house = house_at()
    response = send(house.browser("operator"), book() if data is None else data, **fields)
    assert response.status_code == 422 and says in response.text
    assert house.query("SELECT count(*) FROM upload")[0][0] == 0


def test_a_form_can_be_given_up_and_only_whoever_may_import_sees_it(house_at):
    house = house_at()
    person = house.browser("operator")
    address = send(person, book()).headers["location"]
    assert house.browser("planner").get(address).status_code == 403 and house.browser("other").get(address).status_code == 404
    assert person.post(f"{address}/drop").status_code == 303 and kept(house) == 0
    assert "已放弃，文件已清除。" in person.get(f"{address}?said=dropped").text
    assert person.post(f"{address}/apply").status_code == 409
    assert "shop.xlsx" not in person.get("/imports").text  # forms have pages of their own


def test_a_form_is_written_out_as_it_would_come_in(house_at):
    response = house_at().browser("planner").get("/checklists/registration.check/xlsform")
    assert response.headers["content-disposition"].startswith("attachment")
    read = read_xlsform(read_workbook(io.BytesIO(response.content).getvalue(), "", sheet_of), "registration")
    assert read.form == discover_sectors().form("registration.check")


def test_the_page_of_a_form_shows_the_version_that_is_used_now(house_at):
    house = house_at()
    person = house.browser("operator")
    for version in ("2026-10", "2026-9"):
        person.post(f"{send(person, book(), version=version).headers['location']}/apply")
    page = house.browser("planner").get("/checklists/toys.shop").text
    assert "2026-10 版" in page and "历次版本 2026-10、2026-9" in page


def test_an_item_list_goes_through_the_pages_of_imports(house_at):
    house = house_at()
    person = house.browser("operator")
    person.post(f"{send(person, book()).headers['location']}/apply")
    head = ["抽查类别", "抽查事项", "检查对象", "检查依据", "检查表单"]
    address = upload(person, [head, ["产品质量", "玩具销售质量检查", "企业", "《中华人民共和国产品质量法》第三十三条", "shop"]], "items", "清单.xlsx", sector="toys")
    assert "全部导入 1 行" in person.get(address).text
    assert person.post(f"{address}/apply", {"rows": "all"}).status_code == 303
    assert "玩具销售质量检查" in house.browser("planner").get("/items").text

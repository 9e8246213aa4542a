"""The plan's pages: its file, and its rows changed in place."""

import re

import pytest

from portal.sheets.read import read_sheet
from tests.prints.pdf_reading import text_of


def plan_number(house):
    return house.query("SELECT id FROM plan ORDER BY id")[0][0]


# The file -----------------------------------------------------------------------------


def test_the_plan_page_offers_its_file_in_every_layout(house_at):
    house = house_at("start")
    planner, number = house.browser("planner"), plan_number(house)
    assert f'action="/plan/{number}/file"' in planner.get(f"/plan/{number}").text
    for layout, head in (("", "序号"), ("own", "序号"), ("county", "抽查计划编号")):
        found = planner.get(f"/plan/{number}/file?layout={layout}")
        assert found.status_code == 200 and found.headers["content-type"].startswith("application/vnd.openxml")
        assert "filename*=UTF-8''" in found.headers["content-disposition"]
        assert read_sheet(found.content).rows[1][0] == head
    assert planner.get(f"/plan/{number}/file?layout=own").content == planner.get(f"/plan/{number}/file").content
    assert planner.get(f"/plan/{number}/file?layout=doc").status_code == 422


def test_the_whole_plan_is_printed_on_demand(house_at, printing):
    house = house_at("start")
    printing(house)
    planner, number = house.browser("planner"), plan_number(house)
    assert f'href="/plan/{number}/notice.pdf"' in planner.get(f"/plan/{number}").text
    found = planner.get(f"/plan/{number}/notice.pdf")
    assert found.status_code == 200 and found.headers["content-type"] == "application/pdf"
    assert "此件不公开" in "".join(text_of(found.content).split())


def test_nobody_else_gets_the_file(house_at):
    house = house_at("start")
    number = plan_number(house)
    assert house.browser("other").get(f"/plan/{number}/notice.pdf").status_code == 404
    assert house.browser("auditor").get(f"/plan/{number}/notice.pdf").status_code == 403
    assert house.browser("other").get(f"/plan/{number}/file").status_code == 404
    assert house.browser("auditor").get(f"/plan/{number}/file").status_code == 403


# Its rows -----------------------------------------------------------------------------

ROW = {
    "number": "1", "task": "", "category": "公示信息检查", "item": "年度报告公示信息的检查", "more": "", "objects": "企业", "kind": "一般检查事项", "mode": "",
    "ratio": "不低于3.5%", "count": "", "frequency": "", "class_a": "", "class_b": "", "class_c": "", "class_d": "", "window": "6-10月",
    "department": "信用监督管理科", "partners": "", "drawn_by": "本级抽取", "inspected_by": "", "method": "", "risk": "", "basis": "", "note": "",
}  # fmt: skip
HTMX = {"HX-Request": "true"}


@pytest.fixture
def begun(house_at):
    """(the house, the planner's browser on the draft of the plan, its address)."""
    house = house_at("start")
    planner, number = house.browser("planner"), plan_number(house)
    assert f'action="/plan/{number}/edit"' in planner.get(f"/plan/{number}").text
    address = planner.post(f"/plan/{number}/edit").headers["location"].partition("?")[0]
    assert "现行的计划不变" in planner.get(address + "?said=begun").text
    return house, planner, address


def changes(planner, address):
    """How many changes the draft has seen, as its page says."""
    return re.search(r'name="n" value="(\d+)"', planner.get(address).text)[1]


def send(planner, address, act="row", headers=None, **fields):
    n = fields.pop("n", None) or changes(planner, address)
    return planner.post(f"{address}/{act}", {"n": n, **fields}, headers=headers)


def test_rows_are_changed_added_withdrawn_and_become_the_next_version(begun):
    house, planner, address = begun
    form = planner.get(f"{address}?row=1").text
    assert '<a href="/plan" aria-current="page">' in form
    assert 'name="ratio" value="不低于3.5%"' in form and 'id="edit"' in form and "责任科室" in form
    assert send(planner, address, row="1", **ROW | {"ratio": "4%", "partners": "税务局"}).headers["location"] == f"{address}?said=saved#r-1"
    assert send(planner, address, row="0", **ROW | {"number": "16", "objects": "个体工商户", "more": "即时公示信息的检查"}).headers["location"] == f"{address}?said=added#rows"
    assert send(planner, address, "withdraw", row="15").status_code == 303
    assert send(planner, address, "settle", row="9", keep="count").status_code == 303
    page = planner.get(address).text
    assert "新加" in page and "已改" in page and "撤下" in page and "200户" in page and "还有" not in page
    done = send(planner, address, "finish", reason="按上级要求调整")
    number = house.query("SELECT id FROM plan WHERE version = 2")[0][0]
    assert done.headers["location"] == f"/plan/{number}"
    page = planner.get(f"/plan/{number}").text
    assert "第 2 版" in page and "按上级要求调整" in page
    told = re.sub(r"<[^>]+>|\s+", " ", page.partition("与上一版相比")[2].partition("基数、比例下限")[0])
    for words in ("抽查比例：不低于3.5% 改为 4%", "配合部门：（空） 改为 税务局", "抽查比例：10%(200户) 改为 200户", "第 1 版的这一行不再列入", "检查对象：个体工商户"):
        assert words in re.sub(" +", " ", told), words
    assert house.query("SELECT count(*) FROM plan_draft") == [(0,)]
    assert house.query("SELECT count(*) FROM plan_row WHERE plan = ?", number) == [(15,)]
    first = plan_number(house)
    old = planner.get(f"/plan/{first}").text
    assert "已由第 2 版替换" in old and f"/plan/{first}/edit" not in old
    approver = house.browser("approver")
    approver.get(f"/plan/{number}")
    assert approver.post(f"/plan/{number}/approve", {"reason": ""}).status_code == 303
    assert house.query("SELECT state, reason FROM plan WHERE id = ?", number) == [("approved", "按上级要求调整")]


def test_what_is_wrong_stands_at_its_row_and_field_and_stops_the_version(begun):
    house, planner, address = begun
    send(planner, address, row="1", **ROW | {"ratio": "120%", "window": "1月", "department": "信用料", "number": "2", "item": "没有的事项"})
    page = planner.get(address).text
    for words in ("“120%”超过了 100%。请写成", "到 2026-01-31 已经过去", "“信用料”不在本系统的机构", "序号“2”与", "“没有的事项”不在事项清单中"):
        assert words in page, words
    form = planner.get(f"{address}?row=1").text
    at = form.index('id="f-ratio"')
    assert "超过了 100%" in form[form.rindex("<label", 0, at) : at], "beside the field itself"
    refused = send(planner, address, "finish", reason="理由")
    assert refused.status_code == 422 and "处必须解决" in refused.text and "第 1 行“抽查比例”" in refused.text and ">理由</textarea>" in refused.text
    assert house.query("SELECT count(*) FROM plan") == [(1,)]


def test_with_scripts_the_same_page_answers_and_a_refusal_is_shown_in_place(begun):
    _, planner, address = begun
    shown = planner.get(f"{address}?row=1", headers=HTMX)
    assert shown.status_code == 200 and f'hx-post="{address}/row"' in shown.text and 'hx-target="#main"' in shown.text
    late = send(planner, address, row="1", n="7", headers=HTMX, **ROW | {"ratio": "4%"})
    assert late.status_code == 422 and "刚才在别处改过" in late.text and "修改稿中现在是：不低于3.5%" in late.text and 'value="4%"' in late.text
    assert send(planner, address, row="1", n="7", **ROW).status_code == 409
    long = send(planner, address, row="1", headers=HTMX, **ROW | {"number": "1" * 41})
    assert long.status_code == 422 and "最多 40 个" in long.text and 'id="edit"' in long.text


@pytest.mark.parametrize("fields", [
    {"state": "task"}, {"cells": "{}"}, {"row": "1 OR 1"}, {"row": "-1"}, {"n": "x"}, {"item": "一\u202e万"}, {"note": "一\x00"}, {"ratio": "9" * 81}, {"row": "99"},
])  # fmt: skip
def test_a_row_takes_its_fields_and_nothing_else(begun, fields):
    house, planner, address = begun
    before = house.query("SELECT data FROM plan_draft")
    answer = planner.post(f"{address}/row", {"n": "1", "row": "1", **ROW, **fields})
    assert answer.status_code in (404, 422) and house.query("SELECT data FROM plan_draft") == before


def test_only_its_writer_changes_a_draft_and_others_see_nothing_of_it(begun):
    house, planner, address = begun
    for login in ("approver", "publisher", "operator", "station"):
        person = house.browser(login)
        assert person.get(address).status_code == 403 and person.post(f"{address}/row", {"n": "1", "row": "1", **ROW}).status_code == 403
    stranger = house.browser("other")
    assert stranger.get(address).status_code == 404
    for act, fields in (("row", {"row": "1", **ROW}), ("withdraw", {"row": "1"}), ("restore", {"row": "1"}), ("finish", {"reason": "x"}), ("drop", {})):
        assert stranger.post(f"{address}/{act}", {"n": "1", **fields}).status_code == 404, act
    assert house.query("SELECT n FROM plan_draft") == [(1,)]


def test_every_act_on_a_draft_asks_for_the_token(begun):
    house, planner, address = begun
    for act, fields in (("row", {"row": "1", **ROW}), ("withdraw", {"row": "1"}), ("settle", {"row": "9", "keep": "ratio"}), ("finish", {"reason": "x"}), ("drop", {})):
        assert planner.post(f"{address}/{act}", {"n": "1", **fields}, token=False).status_code == 403, act
    assert house.query("SELECT n FROM plan_draft") == [(1,)]


def test_a_plan_is_typed_from_nothing_and_a_draft_is_given_up(house_at):
    house = house_at("start")
    planner = house.browser("planner")
    assert 'action="/plan/new"' in planner.get("/plan").text
    refused = planner.post("/plan/new", {"year": "2026", "title": "再来一份"})
    assert refused.status_code == 409 and "2026 年已有计划" in refused.text and 'value="再来一份"' in refused.text
    address = planner.post("/plan/new", {"year": "2027", "title": "2027年度抽查工作计划"}).headers["location"].partition("?")[0]
    page = planner.get(address).text
    assert "一行也没有" in page and "还没有行" in page
    send(planner, address, row="0", **ROW)
    assert "2027 年度计划修改稿" in planner.get("/plan").text
    made = send(planner, address, "finish", reason="").headers["location"]
    assert "2027年度抽查工作计划" in planner.get(made).text
    again = planner.post(f"{made}/edit").headers["location"].partition("?")[0]
    assert send(planner, again, "drop").headers["location"] == "/plan"
    assert planner.get(again).status_code == 404 and house.query("SELECT count(*) FROM plan") == [(2,)]


def test_what_somebody_typed_is_shown_as_text(begun):
    _, planner, address = begun
    send(planner, address, row="1", **ROW | {"item": "<script>alert(1)</script>", "department": "\"><img src=x>"})
    for page in (planner.get(address).text, planner.get(f"{address}?row=1").text):
        assert "<script>alert" not in page and "<img" not in page and "&lt;script&gt;" in page

"""Small parts: reading fields, words and figures."""

from dataclasses import dataclass
from datetime import date, datetime

import pytest

from portal.domain.answers import say
from portal.domain.errors import BadInput
from portal.domain.model import Choice, Field, Form, Section
from portal.web import inputs, wording
from portal.web.draw_view import town_chart
from portal.web.forms import _without_dropped, when
from portal.web.review import changes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    title: str = inputs.text("标题", most=5)
    note: str = inputs.text("说明", least=0, lines=True)
    kind: str = inputs.choice("类别", ("a", "b"))
    many: int = inputs.number("户数", 0, 10, optional=3)
    on: date | None = inputs.day("日期", optional=True)
    tags: tuple[str, ...] = inputs.several("标签", most=2)


def told(*pairs):
    with pytest.raises(BadInput) as refused:
        inputs.parse_input(Sample, pairs)
    return [(problem.field, problem.message) for problem in refused.value.problems]


def test_an_input_is_read_by_its_fields_and_nothing_else():
    read = inputs.parse_input(Sample, [("title", " 标题 "), ("kind", "b"), ("note", "一\r\n二"), ("many", "７"), ("on", "2026-06-01"), ("tags", "x"), ("tags", "x")])
    assert read == Sample(title="标题", kind="b", note="一\n二", many=7, on=date(2026, 6, 1), tags=("x",))
    assert inputs.parse_input(Sample, [("title", "x"), ("kind", "a")]).many == 3


def test_each_wrong_field_is_named_once_with_its_label():
    assert told(("kind", "c"), ("many", "11"), ("on", "6月1日"), ("tags", "a"), ("tags", "b"), ("tags", "c"), ("extra", "1")) == [
        ("extra", "表单里没有这一栏，请刷新页面后重试。"), ("title", "“标题”没有填写。"), ("kind", "“类别”没有这个选项，请重新选择。"),
        ("many", "“户数”应在 0 到 10 之间，填的是 11。"), ("on", "“日期”应是日期，例如 2026-06-30。"), ("tags", "“标签”选了 3 个，应在 0 到 2 个之间。"),
    ]  # fmt: skip
    assert told(("title", "太长的标题啊"), ("kind", "a"), ("many", "x")) == [("title", "“标题”有 6 个字，最多 5 个。"), ("many", "“户数”应是整数。")]


def test_a_follow_up_says_when_it_is_asked():
    verdict = Field("v", "整洁")
    one = Field("n", "问题", "text", show_if="${v} = 'no'")
    two = Field("k", "种类", "select_one", choices=(Choice("a", "甲"),))
    three = Field("m", "别的", "text", show_if="${k} = 'a'")
    four = Field("o", "更多", "text", show_if="${k} = 'a' and ${v} = 'no'")
    form = Form("x.y", "1", "表", (Section("一", (verdict, one, two, three, four)),))
    assert [when(form, field) for field in (verdict, one, three, four)] == ["", "上一项选“不合格”时填写", "“种类”选“甲”时填写", "按前面的选择填写"]


def test_figures_are_rounded_down_and_zero_is_zero():
    assert [wording.percent(*pair) for pair in ((0, 0), (0, 5), (5, 5), (1, 3), (1996, 1998), (9999, 10000))] == ["—", "0%", "100%", "33.3%", "99.8%", "99.9%"]
    assert [wording.ppm(value) for value in (None, 0, 5000, 35000, 1_000_000, 1)] == ["—", "0%", "0.5%", "3.5%", "100%", "0.0001%"]
    assert wording.count(12345) == "12,345" and wording.count(0) == "0" and wording.count(None) == "—"


def test_instants_are_shown_in_beijing_time():
    assert wording.moment(datetime.fromisoformat("2026-06-03T23:30:00+00:00")) == "6月4日 07:30"
    assert wording.day(datetime.fromisoformat("2026-06-03T23:30:00+00:00")) == "6月4日"
    assert wording.day(date(2025, 6, 4), 2026) == "2025年6月4日" and wording.day(None) == "—"


@pytest.mark.parametrize("name", ["晋江市潮声里餐饮管理有限公司", "望溪县安宁便民商店", "某", "福建省甲乙科技股份有限公司"])
def test_a_name_breaks_only_between_its_parts(name):
    parts = wording.name_parts(name)
    assert "".join(parts) == name and all(parts)
    assert wording.name_parts("晋江市潮声里餐饮管理有限公司") == ["晋江市潮声里", "餐饮管理", "有限公司"]


def test_a_town_chart_gives_the_longest_bar_to_the_most():
    chart = town_chart({"甲镇": 10, "乙街道": 5, "丙": 0, "丁乡": 10, "戊镇": 1, "己镇": 1})
    assert [(box["name"], box["bar"]) for box in chart["boxes"]] == [("丁乡", 76), ("甲镇", 76), ("乙", 38), ("己镇", 7), ("戊镇", 7), ("丙", 0)]
    assert chart["height"] == 92 and chart["boxes"][5] | {"name": "", "count": 0, "bar": 0} == {"x": 0, "y": 48, "name": "", "count": 0, "bar": 0}


def test_changes_name_what_was_replaced_by_whom():
    field = Field("v", "整洁")
    versions = [
        {"at": 1, "by_name": "甲", "data": {"answers": {}}}, {"at": 2, "by_name": "甲", "data": {"answers": {"v": "yes"}}},
        {"at": 3, "by_name": "乙", "data": {"answers": {"v": "no"}}}, {"at": 4, "by_name": "乙", "data": {"answers": {}}},
    ]  # fmt: skip
    assert changes_of(field, versions) == [{"at": 3, "by": "乙", "old": "合格", "new": "不合格"}, {"at": 4, "by": "乙", "old": "不合格", "new": ""}]


def test_answers_are_said_in_words():
    one = Field("k", "种类", "select_multiple", choices=(Choice("a", "甲"), Choice("b", "乙")))
    rows = Field("r", "设备", "repeat", fields=(Field("n", "编号", "text"), Field("v", "超期")))
    assert say(one, ["a", "b"]) == "甲、乙" and say(Field("p", "照片", "photo"), ["x"]) == "1 份，纸质原件 x" and say(one, []) == ""
    assert say(rows, [{"n": "1", "v": "no"}, {"n": "2"}]) == "（1）编号：1，超期：不合格；（2）编号：2"


def test_a_row_ticked_to_be_deleted_is_left_out_and_nothing_else_is():
    form = Form("x.y", "1", "表", (Section("一", (Field("lifts", "电梯", "repeat", fields=(Field("number", "编号", "text"),)),)),))
    given = {"lifts.0.number": ["A"], "lifts.10.number": ["B"], "_drop.lifts.0": ["1"], "_drop.other.1": ["1"], "_version": ["0"]}
    assert _without_dropped(form, given) == {"lifts.10.number": ["B"], "_drop.other.1": ["1"], "_version": ["0"]}


@pytest.mark.parametrize(
    ("label", "constraint", "short"),
    [("联系电话", "", True), ("生产者（生产企业）", "", True), ("封样", "regex(., '[0-9A-Z]{2,30}')", True), ("检查对象意见", "", False),
     ("不合格的事实：没有销售淘汰、变质的产品", "", False), ("其他情况", "", False), ("联系电话：公示的内容和查明的事实", "", False)],
)  # fmt: skip
def test_a_number_or_a_name_is_one_line_on_the_phone_and_facts_are_more(label, constraint, short):
    assert wording.is_short(Field("asked", label, "text", constraint=constraint)) == short

import dataclasses
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain import declarations, forms
from portal.domain.errors import BadInput, Problem
from portal.domain.model import Basis, CheckItem, Choice, Column, Field, Form, Register, Section

TODAY = date(2026, 6, 15)
AB = (Choice("a", "甲"), Choice("b", "乙"))

FORM = Form("shop.check", "2026-1", "检查表", (
    Section("一", (
        Field("ccc", "标志", required=True, public=True),
        Field("facts", "事实", "text", required=True, show_if="${ccc} = 'no'"),
        Field("kind", "种类", "select_one", public=True, choices=AB),
        Field("parts", "部件", "select_multiple", choices=AB),
        Field("stock", "库存", "integer", constraint=". >= 0", message="库存不能是负数。"),
        Field("price", "价格", "decimal"),
        Field("made_on", "生产日期", "date", constraint=". <= today()"),
        Field("at", "时间", "time"),
        Field("where", "位置", "location"),
        Field("photos", "照片", "photo", most=2),
        Field("about", "说明", "note"),
    )),
    Section("二", (
        Field("machines", "设备", "repeat", public=True, most=3, fields=(
            Field("number", "编号", "text", required=True, public=True),
            Field("old", "超期", public=True),
            Field("reason", "原因", "text", required=True, show_if="${old} = 'no' and ${kind} = 'a'"),
            Field("owner", "使用人", "text"),
        )),
        Field("total", "设备数", "calculated", public=True, value="count(${machines})"),
        Field("signature", "签名", "signature", most=1),
    ), show_if="${ccc} != ''"),
))


def told(answers, form=FORM):
    return [(one.field, one.row, one.message) for one in forms.check_answers(form, forms.clean_answers(form, answers, TODAY), TODAY)]


def changed(**values):
    """FORM with one top-level field replaced or changed: name={attribute: value}."""
    name, attributes = next(iter(values.items()))
    return dataclasses.replace(FORM, sections=tuple(
        dataclasses.replace(section, fields=tuple(
            dataclasses.replace(one, **attributes) if one.name == name else one for one in section.fields
        ))
        for section in FORM.sections
    ))


# what is asked


def test_a_no_opens_its_follow_up_question_and_a_section_opens_its_fields():
    assert "facts" not in forms.visible(FORM, {"ccc": "yes"}, TODAY)
    assert forms.visible(FORM, {"ccc": "no"}, TODAY)[:2] == ["ccc", "facts"]
    assert "machines" not in forms.visible(FORM, {}, TODAY)


def test_a_hidden_answer_counts_as_absent_for_later_rules():
    form = Form("a.b", "1", "表", (Section("", (
        Field("x", "甲", required=True),
        Field("y", "乙", show_if="${x} = 'no'"),
        Field("z", "丙", show_if="${y} = 'no'"),
    )),))
    assert forms.visible(form, {"x": "yes", "y": "no", "z": "no"}, TODAY) == ["x"]
    assert forms.clean_answers(form, {"x": "yes", "y": "no", "z": "no"}, TODAY) == {"x": "yes"}


def test_hidden_answers_are_a_problem_until_they_are_cleaned_away():
    answers = {"ccc": "yes", "facts": "旧的"}
    assert forms.check_answers(FORM, answers, TODAY) == [Problem("facts", "“事实”当前不需要填写，请删除已填的内容。")]
    assert forms.clean_answers(FORM, answers, TODAY) == {"ccc": "yes", "total": "0"}


def test_calculated_answers_are_computed_and_cannot_be_typed():
    cleaned = forms.clean_answers(FORM, {"ccc": "yes", "machines": [{"number": "1"}, {"number": "2"}], "total": "9"}, TODAY)
    assert cleaned["total"] == "2"
    assert told(cleaned) == []
    wrong = forms.check_answers(FORM, cleaned | {"total": "9"}, TODAY)
    assert [str(one) for one in wrong] == ["“total”：“设备数”由系统计算，不能填写。"]


# nothing is supplied


@pytest.mark.parametrize("answers", [{}, {"ccc": ""}, {"ccc": None}, {"ccc": " "}])
def test_an_unjudged_point_stays_open_and_is_never_passed_by_default(answers):
    assert told(answers) == [("ccc", 0, "请判断“标志”。")]
    assert "ccc" not in forms.clean_answers(FORM, answers, TODAY)
    assert "yes" not in str(forms.clean_answers(FORM, answers, TODAY))


def test_progress_counts_required_points_that_are_asked_now():
    assert forms.progress(FORM, {}, TODAY) == (0, 1)
    assert forms.progress(FORM, {"ccc": "no"}, TODAY) == (1, 2)
    assert forms.progress(FORM, {"ccc": "maybe"}, TODAY) == (0, 1)
    assert forms.progress(FORM, {"ccc": "no", "facts": "3 台"}, TODAY) == (2, 2)


# types


@pytest.mark.parametrize(
    "name, good, bad, message",
    [
        ("ccc", "na", "ok", "“标志”没有“ok”这个选项，请重新选择。"),
        ("kind", "a", "c", "“种类”没有“c”这个选项，请重新选择。"),
        ("kind", "a", ["a"], "“种类”的内容类型不对，填的是“['a']”。"),
        ("parts", ["a", "b"], ["c"], "“部件”没有“c”这个选项，请重新选择。"),
        ("parts", ["a"], ["a", "a"], "“部件”有重复或类型不对的内容。"),
        ("parts", ["a"], "a", "“部件”的内容类型不对，填的是“a”。"),
        ("stock", 0, "12x", "“库存”应是整数，填的是“12x”。"),
        ("stock", 5, True, "“库存”应是整数，填的是“True”。"),
        ("stock", 5, -1, "库存不能是负数。"),
        ("price", "12.5", "1e9", "“价格”应是数字，例如 12.5，填的是“1e9”。"),
        ("price", "-1", 12.5, "“价格”的内容类型不对，填的是“12.5”。"),
        ("made_on", "2026-06-15", "2026-02-30", "“生产日期”应是日期，例如 2026-01-31，填的是“2026-02-30”。"),
        ("made_on", "2026-06-15", "2026-06-16", "“生产日期”不符合填写要求，请检查后修改。"),
        ("at", "23:59", "24:00", "“时间”应是时间，例如 09:30，填的是“24:00”。"),
        ("where", "24.81,118.57", "118.57,24.81", "“位置”应是“纬度,经度”，例如 24.81,118.57，填的是“118.57,24.81”。"),
        ("photos", ["a1", "b2"], ["a", "b", "c"], "“照片”最多 2 个，现有 3 个。"),
        ("photos", ["a1"], ["../x"], "“照片”的附件编号不对，请重新上传。"),
        ("machines", [{"number": "1"}], ["1"], "“设备”的内容类型不对，每行应是一组答案。"),
        ("machines", [{"number": "1"}], [{"number": "1"}] * 4, "“设备”最多 3 行，现有 4 个。"),
    ],
)
def test_each_type_takes_the_good_answer_and_names_the_bad_one(name, good, bad, message):
    assert told({"ccc": "yes", name: good}) == []
    assert [one[::2] for one in told({"ccc": "yes", name: bad})] == [(name, message)]


def test_a_very_long_text_is_refused():
    assert told({"ccc": "no", "facts": "长" * 4001}) == [("facts", 0, "“事实”有 4001 个字，最多 4000 个。")]


@pytest.mark.parametrize("text", ["a\x00b", "a\u202eb", "a\u2066b", "a\u200bb", "a\x7f", "\ufeffa", "a\u2028b", "\ud800"])
def test_invisible_control_and_direction_characters_are_refused_everywhere(text):
    assert told({"ccc": "no", "facts": text})[0][2].startswith("“事实”含有看不见的控制字符（U+")
    with pytest.raises(BadInput) as caught:
        forms.parse_answers(FORM, {"facts": [text]})
    assert caught.value.problems[0].field == "facts"


def test_unknown_names_are_named_and_not_dropped_silently():
    assert told({"ccc": "yes", "extra": "1"}) == [("extra", 0, "表单里没有这一项，请删除。")]


def test_rows_of_a_repeat_are_checked_one_by_one_with_the_outer_answers_in_sight():
    rows = [{"number": "1"}, {"old": "no"}, {"number": "3", "x": "1"}]
    assert told({"ccc": "yes", "kind": "a", "machines": rows}) == [
        ("number", 2, "请填写“编号”。"),
        ("reason", 2, "请填写“原因”。"),
        ("x", 3, "表单里没有这一项，请删除。"),
    ]
    cleaned = forms.clean_answers(FORM, {"ccc": "yes", "machines": [{"number": "1", "old": "yes", "reason": "旧"}]}, TODAY)
    assert cleaned["machines"] == [{"number": "1", "old": "yes"}]


# what leaves the portal


def test_only_answers_marked_public_leave_in_the_order_of_the_form():
    answers = forms.clean_answers(FORM, {
        "machines": [{"number": "1", "owner": "张三"}], "kind": "a", "ccc": "no", "facts": "电话 138", "photos": ["p1"], "signature": ["s1"],
    }, TODAY)
    public = forms.public_answers(FORM, answers)
    assert public == {"ccc": "no", "kind": "a", "machines": [{"number": "1"}], "total": "1"}
    assert list(public) == ["ccc", "kind", "machines", "total"]


def test_a_photo_stays_inside_even_if_a_form_says_otherwise():
    form = changed(photos={"public": True})
    assert forms.public_answers(form, {"ccc": "yes", "photos": ["p1"]}) == {"ccc": "yes"}
    assert Problem("photos", "类型 photo 永不公开，不能写 public=True。") in forms.check_form(form)


# from a page


def test_a_page_becomes_answers_of_the_right_types():
    answers = forms.parse_answers(FORM, {
        "_csrf": ["x"], "ccc": ["no"], "facts": ["  第一行\r\n第二行 "], "stock": ["１２"], "price": ["12.50"], "made_on": ["2026年6月1日"],
        "at": ["09：30"], "parts": ["b", "a", "a"], "photos": ["p2", "p1"], "kind": [""],
        "machines.10.number": ["丙"], "machines.2.number": ["乙"], "machines.2.old": ["no"], "machines.3.number": [""],
    })
    assert answers == {
        "ccc": "no", "facts": "第一行\n第二行", "parts": ["a", "b"], "stock": 12, "price": "12.5", "made_on": "2026-06-01", "at": "09:30",
        "photos": ["p2", "p1"], "machines": [{"number": "乙", "old": "no"}, {"number": "丙"}],
    }


def test_what_does_not_fit_is_kept_as_typed_so_that_a_draft_loses_nothing():
    answers = forms.parse_answers(FORM, {"stock": ["十二"], "made_on": ["昨天"]})
    assert answers == {"stock": "十二", "made_on": "昨天"}
    assert [one.field for one in forms.check_answers(FORM, answers, TODAY)] == ["ccc", "stock", "made_on"]


@pytest.mark.parametrize("raw, field, message", [
    ({"csrf": ["1"]}, "csrf", "表单里没有这一项，请刷新页面后重试。"),
    ({"total": ["9"]}, "total", "表单里没有这一项，请刷新页面后重试。"),
    ({"machines.0.nope": ["9"]}, "machines.0.nope", "表单里没有这一项，请刷新页面后重试。"),
    ({"ccc": ["yes", "no"]}, "ccc", "“标志”只能有一个答案，收到了 2 个。"),
])
def test_what_the_form_does_not_ask_is_refused(raw, field, message):
    with pytest.raises(BadInput) as caught:
        forms.parse_answers(FORM, raw)
    assert caught.value.problems == (Problem(field, message),)


def test_text_is_not_normalised_silently():
    decomposed = "e\u0301"
    assert forms.parse_answers(FORM, {"facts": [decomposed]}) == {"facts": decomposed}


# what a form may declare


def test_the_form_of_these_tests_is_right():
    assert forms.check_form(FORM) == []


@pytest.mark.parametrize("attributes, message", [
    ({"name": "Kind"}, "字段名只能用小写字母、数字和下划线，以字母开头，最长 60 个字符。"),
    ({"name": "ccc"}, "字段名重复。"),
    ({"label": " "}, "没有写显示的文字（label）。"),
    ({"type": "choice"}, "字段类型“choice”不对，可用的有：text、integer、decimal、date、time、select_one、select_multiple、verdict、photo、file、signature、location、note、repeat、calculated。"),
    ({"choices": ()}, "没有写选项。"),
    ({"choices": (*AB, Choice("a", "又一个"))}, "选项“a”重复。"),
    ({"choices": (Choice("a b", "甲"),)}, "选项值“a b”不对，只能用字母、数字和 _ . -。"),
    ({"type": "verdict"}, "类型 verdict 不能带选项。"),
    ({"type": "repeat", "choices": ()}, "重复组里没有字段。"),
    ({"type": "calculated", "choices": ()}, "没有写计算式（value）。"),
    ({"show_if": "${stock} = 1"}, "show_if 写的是“${stock} = 1”，其中 ${stock} 不是排在前面的字段。"),
    ({"show_if": ". = 1"}, "show_if 写的是“. = 1”，其中“.”只能用在 constraint 里。"),
    ({"constraint": "${nope} = 1"}, "constraint 写的是“${nope} = 1”，其中 ${nope} 不是表单的字段。"),
    ({"constraint": "1 +"}, "constraint 写的是“1 +”，表达式第 4 个字符处：表达式没有写完。"),
    ({"most": -1}, "most 不能是负数，写的是 -1。"),
])
def test_a_wrong_field_is_named(attributes, message):
    assert message in [one.message for one in forms.check_form(changed(kind=attributes))]


@pytest.mark.parametrize("attributes, field, message", [
    ({"basis": ()}, "basis", "没有写检查依据，未列依据的事项不得实施检查。"),
    ({"basis": (Basis("《公司法》"),)}, "basis", "法规名称要写全称，不带书名号。"),
    ({"kind": "重点"}, "kind", "事项类别“重点”不对，应是 general 或 key。"),
    ({"methods": ()}, "methods", "没有写检查方式。"),
    ({"name": ""}, "name", "没有写抽查事项。"),
    ({"code": "Shop"}, "code", "代码“Shop”不对，应形如 registration.licence（小写字母、数字、下划线和点）。"),
    ({"version": ""}, "version", "版本“”不对，应形如 2026-1。"),
    ({"valid_to": date(2020, 1, 1)}, "valid_to", "有效期止 2020-01-01 早于有效期起 2024-01-01。"),
])
def test_a_wrong_item_is_named(attributes, field, message):
    assert forms.check_item(dataclasses.replace(ITEM, **attributes)) == [Problem(field, message)]


# as plain data

ITEM = CheckItem("shop.sale", "2026-1", "类别", "事项", "shop.check", (Basis("法", "第一条"),), points=("甲", "乙"), qualification="", valid_from=date(2024, 1, 1), valid_to=date(2027, 1, 1))
REGISTER = Register("shop.licences", "许可证", (Column("number", "编号", required=True, aliases=("证号",)),), several=True)


def test_forms_items_and_registers_survive_the_way_to_plain_data_and_back():
    import json

    for thing, there, back in (
        (FORM, forms.form_to_data, forms.form_from_data),
        (ITEM, forms.item_to_data, forms.item_from_data),
        (REGISTER, declarations.register_to_data, declarations.register_from_data),
    ):
        data = json.loads(json.dumps(there(thing)))
        assert back(data) == thing
        assert there(back(data)) == data


def test_a_value_empty_by_choice_comes_back_empty_although_the_model_has_a_default():
    item = dataclasses.replace(ITEM, objects="", valid_to=None)
    assert "objects" not in forms.item_to_data(item)
    assert forms.item_from_data(forms.item_to_data(item)) == item


def test_lists_and_tuples_have_the_same_plain_data():
    listed = Form("a.b", "1", "表", [Section("一", [Field("x", "甲")])])
    assert forms.form_to_data(listed) == {"code": "a.b", "version": "1", "title": "表", "sections": [
        {"title": "一", "fields": [{"name": "x", "label": "甲", "type": "verdict"}]}]}


@pytest.mark.parametrize("spoil, message", [
    (lambda data: data | {"colour": "red"}, "Form 里不认识“colour”。"),
    (lambda data: data | {"title": 1}, "title 应是文字，写的是 int 1。"),
    (lambda data: data | {"sections": "x"}, "sections 应是列表，写的是 str 'x'。"),
    (lambda data: data | {"sections": [{"title": "一", "fields": [{"name": "x", "label": "x", "type": "text", "required": 1}]}]},
     "sections[0].fields[0].required 应是True 或 False，写的是 int 1。"),
])
def test_reading_plain_data_is_strict(spoil, message):
    with pytest.raises(BadInput) as caught:
        forms.form_from_data(spoil(forms.form_to_data(FORM)))
    assert caught.value.message == message


def test_a_text_where_a_list_belongs_is_refused_when_written():
    with pytest.raises(BadInput, match="methods 应是列表，写的是 str '现场检查'"):
        forms.item_to_data(dataclasses.replace(ITEM, methods="现场检查"))


def test_an_impossible_date_is_refused():
    with pytest.raises(BadInput, match="valid_from 应是形如 2026-01-31 的日期"):
        forms.item_from_data(forms.item_to_data(ITEM) | {"valid_from": "2026-02-30"})


# whatever comes in

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("a0.- \n\u202e一", max_size=5) | st.sampled_from(["yes", "no", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["number", "old", "reason", "q"]), inner, max_size=3),
    max_leaves=5,
)


@CALM
@given(st.dictionaries(st.sampled_from([field.name for field in FORM.fields()] + ["q"]), ANY))
def test_any_answers_are_checked_without_breaking_and_cleaning_twice_changes_nothing(answers):
    cleaned = forms.clean_answers(FORM, answers, TODAY)
    assert forms.clean_answers(FORM, cleaned, TODAY) == cleaned
    forms.check_answers(FORM, answers, TODAY)
    done, total = forms.progress(FORM, answers, TODAY)
    assert 0 <= done <= total


@CALM
@given(st.dictionaries(st.sampled_from([field.name for field in FORM.fields()] + ["machines.0.number", "q"]), st.lists(st.text("a0.- \n\u202e一", max_size=5), max_size=2)))
def test_any_page_is_read_or_refused_but_never_breaks(raw):
    try:
        answers = forms.parse_answers(FORM, raw)
    except BadInput:
        return
    forms.check_answers(FORM, answers, TODAY)

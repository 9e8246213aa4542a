"""An XLSForm becomes a form, or every reason against it is named by sheet, row and column."""

import time

import pytest

from portal.domain.cells import Sheet
from portal.domain.declarations import check_form
from portal.domain.errors import BadInput
from portal.domain.forms import check_answers
from portal.domain.model import Basis, Choice
from portal.domain.xlsform import MOST_ROWS, OWN, OWN_OF_CHOICES, UNSUPPORTED, UNSUPPORTED_COLUMNS, UNSUPPORTED_TYPES
from portal.domain.xlsform_reading import read_xlsform

HEAD = ["type", "name", "label"]
YES_NO = [["list_name", "name", "label"], ["yn", "yes", "是"], ["yn", "no", "否"], ["v", "yes", "合格"], ["v", "no", "不合格"], ["v", "na", "不适用"]]
SETTINGS = [["form_title", "form_id", "version"], ["玩具检查表", "shop", "2026-1"]]


def sheets(survey, choices=YES_NO, settings=SETTINGS, **others):
    books = {"survey": survey, "choices": choices, "settings": settings, **others}
    return {name: Sheet(tuple(map(tuple, rows)), name=name) for name, rows in books.items() if rows is not None}


def read(survey, *more, **given):
    options = {name: given.pop(name) for name in ("code", "version", "title", "stem") if name in given}
    return read_xlsform(sheets(survey, *more, **given), "toys", **options)


def form(*rows, head=HEAD):
    return read([head, *rows]).require_form("表单")


def refusals(*rows, head=HEAD, **more):
    return [str(problem) for problem in read([head, *rows], **more).refusals]


# What is read ------------------------------------------------------------------------


@pytest.mark.parametrize("written, becomes", [
    ("text", "text"), ("string", "text"), (" Integer ", "integer"), ("decimal", "decimal"), ("date", "date"), ("time", "time"),
    ("note", "note"), ("image", "photo"), ("PHOTO", "photo"), ("file", "file"), ("geopoint", "location"),
    ("select_one yn", "select_one"), ("select one from yn", "select_one"), ("select_multiple yn", "select_multiple"),
    ("select all that apply from yn", "select_multiple"), ("select_one v", "verdict"), ("select_multiple v", "select_multiple"),
])  # fmt: skip
def test_types_are_read_in_every_spelling(written, becomes):
    assert form([written, "a", "甲"]).fields()[0].type == becomes


def test_a_list_of_pass_fail_and_not_applicable_is_a_verdict_and_needs_no_choices():
    assert form(["select_one v", "a", "甲"]).fields()[0].choices == ()
    assert form(["select_one yn", "a", "甲"]).fields()[0].choices == (Choice("yes", "是"), Choice("no", "否"))


def test_every_column_reaches_the_field():
    head = [*HEAD, "hint", "required", "relevant", "constraint", "constraint_message", "key", "public", "guide", "basis", "most"]
    one = ["select_one yn", "a", "甲", "", "yes", "", "", "", "是", "yes", "怎么查\n拍什么", "《产品质量法》第三十三条：原文\n《认证认可条例》第二十七条", ""]
    two = ["image", "b", "乙", "拍铭牌", "", "${a} = 'no'", "count(.) <= 3", "最多三张", "", "", "", "", "9"]
    first, second = form(one, two, head=head).fields()
    assert (first.required, first.key, first.public, first.guide) == (True, True, True, "怎么查\n拍什么")
    assert first.basis == (Basis("产品质量法", "第三十三条", "原文"), Basis("认证认可条例", "第二十七条"))
    assert (second.hint, second.show_if, second.constraint, second.message, second.most) == ("拍铭牌", "${a} = 'no'", "count(.) <= 3", "最多三张", 9)


@pytest.mark.parametrize("name", [spelling for spellings in OWN.values() for spelling in spellings])
def test_our_own_columns_have_chinese_headings_as_well(name):
    assert read([[*HEAD, name], ["text", "a", "甲", ""]]).remarks == ()


@pytest.mark.parametrize("heading", OWN_OF_CHOICES["own"])
def test_a_shared_question_may_have_choices_of_its_form_alone(heading):
    choices = [["list_name", "name", "label", heading], ["met", "open", "在营业", ""], ["met", "idle", "没有这类经营", "是"]]
    survey = [[*HEAD, "共用"], ["select_one met", "presence", "状况", "是"]]
    [field] = read(survey, choices).require_form("表单").fields()
    assert field.shared and [one.own for one in field.choices] == [False, True]
    [wrong] = read(survey, [*choices, ["met", "gone", "搬走", "也许"]]).refusals
    assert str(wrong) == f"choices 表第 4 行“{heading}”：“也许”看不懂，请写 yes 或 no。"


def test_headings_come_in_any_case_with_blanks_and_prefixes():
    head = [" Type", "NAME ", "Label::English", "label::中文 (zh)", "bind:relevant", "Constraint Message", "bind::constraint", "Read Only"]
    field = form(["text", "z", "x", "先", "", "", "", ""], ["integer", "a", "how many", "数量", "${z} != ''", "要正数", ". > 0", ""], head=head).fields()[1]
    assert (field.label, field.show_if, field.constraint, field.message) == ("数量", "${z} != ''", ". > 0", "要正数")


@pytest.mark.parametrize("heads, label", [
    (("label", "label::Chinese"), "乙"), (("label::English (en)", "label::zh-CN"), "乙"), (("label", "label::English"), "甲"),
    (("label::French", "label"), "乙"), (("label::English", "label::Swahili (sw)"), "甲"),
])  # fmt: skip
def test_chinese_labels_go_before_plain_ones_and_plain_ones_before_the_rest(heads, label):
    assert form(["text", "a", "甲", "乙"], head=["type", "name", *heads]).fields()[0].label == label


def test_groups_are_sections_and_a_group_in_a_group_is_one_of_its_own_with_both_rules():
    made = form(
        ["text", "a", "甲", ""], ["begin group", "g", "第一组", "${a} = '1'"], ["text", "b", "乙", ""], ["begin_group", "h", "里组", "${b} = '2'"],
        ["text", "c", "丙", ""], ["end group", "", "", ""], ["text", "d", "丁", ""], ["end_group", "", "", ""], head=[*HEAD, "relevant"],
    )  # fmt: skip
    assert [(s.title, s.show_if, [f.name for f in s.fields]) for s in made.sections] == [
        ("玩具检查表", "", ["a"]), ("第一组", "${a} = '1'", ["b"]), ("里组", "(${a} = '1') and (${b} = '2')", ["c"]), ("第一组", "${a} = '1'", ["d"]),
    ]  # fmt: skip


def test_a_repeat_keeps_its_fields_and_a_group_within_it_its_rule():
    made = read([
        [*HEAD, "relevant", "calculation"], ["begin repeat", "goods", "产品"], ["text", "a", "名称"], ["begin group", "g", "组", "${a} = 'x'"],
        ["text", "b", "乙", "${a} != ''"], ["end group"], ["end repeat"], ["calculate", "n", "", "", "count(${goods})"],
    ]).require_form("表单")  # fmt: skip
    goods, total = made.fields()
    assert goods.type == "repeat" and [f.show_if for f in goods.fields] == ["", "(${a} = 'x') and (${a} != '')"]
    assert (total.type, total.value, total.label) == ("calculated", "count(${goods})", "n")


def test_expressions_are_put_into_our_spelling():
    head = [*HEAD, "constraint", "relevant"]
    made = form(["select_multiple yn", "A-b.c", "甲", "count-selected(.) >= 1", ""], ["text", "d", "乙", "", "selected(${A-b.c}, “yes”) and ${ A-b.c } != ‘no’"], head=head)
    assert [f.name for f in made.fields()] == ["a_b_c", "d"]
    assert str(read([HEAD, ["text", "A-b.c", "甲"]]).remarks[0]) == "survey 表第 2 行“name”：“A-b.c”写成 a_b_c，引用它的表达式随之改写。"
    assert (made.fields()[0].constraint, made.fields()[1].show_if) == ("count(.) >= 1", "selected(${a_b_c}, \"yes\") and ${a_b_c} != 'no'")


def test_what_a_telephone_notes_is_left_out_and_named():
    found = read([HEAD, ["start", "start", ""], ["deviceid", "deviceid", ""], ["get today", "today", ""], ["text", "a", "甲"]])
    assert [f.name for f in found.form.fields()] == ["a"]
    assert [str(p) for p in found.remarks] == [
        f"survey 表第 {row} 行“type”：手机自动记录的 {name} 不收集，没有导入。" for row, name in ((2, "start"), (3, "deviceid"), (4, "get today"))
    ]


def test_settings_name_the_form_and_a_command_goes_before_them():
    made = form(["text", "a", "甲"])
    assert (made.code, made.version, made.title) == ("toys.shop", "2026-1", "玩具检查表")
    made = read([HEAD, ["text", "a", "甲"]], code="toys.other", version="7", title="另一张").form
    assert (made.code, made.version, made.title) == ("toys.other", "7", "另一张")
    made = read([HEAD, ["text", "a", "甲"]], YES_NO, None, stem="Shop check").form
    assert (made.code, made.version, made.title) == ("toys.shop_check", "1", "Shop check")


def test_what_is_left_out_is_said_once_with_how_many():
    found = read([[*HEAD, "appearance", "default", "memo"], *(["text", f"a{n}", "甲", "multiline", "x", "m"] for n in range(3))])
    assert [str(p) for p in found.remarks] == [
        "survey 表第 1 行“memo”：不认识这一列，没有导入。", "survey 表第 2 行“appearance”：外观由系统决定，没有导入（signature 除外）（共 3 行）。",
        "survey 表第 2 行“default”：不预填答案，默认值没有导入（共 3 行）。",
    ]  # fmt: skip


def test_markup_stays_text():
    assert form(["text", "a", "<b>甲</b><script>"]).fields()[0].label == "<b>甲</b><script>"


# What is refused ---------------------------------------------------------------------


@pytest.mark.parametrize("written, feature", [
    *((name, feature) for name, feature in UNSUPPORTED_TYPES.items()), ("select_one_from_file a.csv", "external"), ("dateTime", "datetime"),
    ("select_one yn or_other", "or_other"), ("select one from yn or specify other", "or_other"),
])  # fmt: skip
def test_an_unsupported_type_is_refused_by_name(written, feature):
    assert refusals([written, "a", "甲"]) == [f"survey 表第 2 行“type”：不支持{UNSUPPORTED[feature]}。"]


@pytest.mark.parametrize("column", sorted(set(UNSUPPORTED_COLUMNS) - {"bind", "body", "instance"}))
def test_an_unsupported_column_is_refused_where_it_is_filled(column):
    head = [*HEAD, column]
    assert refusals(["text", "a", "甲", "x"], head=head) == [f"survey 表第 2 行“{column}”：不支持{UNSUPPORTED[UNSUPPORTED_COLUMNS[column]]}。"]
    assert refusals(["text", "a", "甲", ""], head=head) == []


@pytest.mark.parametrize("row, column, says", [
    (["unknown", "a", "甲"], "type", "不认识类型“unknown”"),
    (["", "a", "甲"], "type", "没有写类型"),
    (["text", "", "甲"], "name", "没有写名称"),
    (["text", "a", ""], "label", "没有写显示的文字"),
    (["text", "铭牌", "甲"], "name", "“铭牌”。名称以英文字母开头"),
    (["text", "1a", "甲"], "name", "“1a”。名称以英文字母开头"),
    (["text", "a" * 61, "甲"], "name", "有 61 个字符，最多 60 个"),
    (["text", "../../etc/passwd", "甲"], "name", "“../../etc/passwd”"),
    (["text", "a", "甲" * 501], "label", "有 501 个字，最多 500 个"),
    (["text", "a", "价格 ${b} 元"], "label", "在文字里引用答案"),
    (["text", "a", "甲\u202e乙"], "label", "改变文字方向的控制字符"),
    (["select_one nothing", "a", "甲"], "type", "没有名为“nothing”的选项表"),
    (["end_group", "", ""], "type", "end_group 前面没有 begin_group"),
    (["begin_group", "g", "组"], "type", "begin_group 没有对应的 end_group"),
])  # fmt: skip
def test_what_is_wrong_is_named_by_row_and_column(row, column, says):
    said = refusals(["text", "first", "先"], row)
    assert len(said) == 1 and said[0].startswith(f"survey 表第 3 行“{column}”：") and says in said[0]


@pytest.mark.parametrize("column, source, says", [
    ("relevant", "${a} = '1'", "不支持引用排在后面的项：${a} 在第 3 行"),
    ("relevant", "${b} = '1'", "不支持引用排在后面的项：${b} 在第 4 行"),
    ("relevant", "${nobody} = '1'", "引用的 ${nobody} 在表里没有"),
    ("relevant", "${g} = '1'", "不支持引用一个组"),
    ("relevant", "${start} = '1'", "不支持引用手机自动记录的信息"),
    ("relevant", "${inside} = '1'", "不支持在重复组以外引用组内的项"),
    ("relevant", "pulldata('f', 'a', 'b', ${first}) = '1'", "不支持函数 pulldata()"),
    ("relevant", "${first} mod 2 = 1", "不支持这样的表达式"),
    ("relevant", ". = 1", "“.”只能用在 constraint 里"),
    ("relevant", "../first = 1", "不支持这样的表达式"),
    ("relevant", "(" * 40 + "1" + ")" * 40, "括号超过 30 层"),
    ("relevant", "1 = 1 or " * 200 + "1 = 1", "表达式长 1805 个字符，最多 1000 个"),
    ("constraint", "regex(., '(a+)+(?=b)')", "不支持这样的表达式"),
    ("constraint", "regex(., '((a{50}){50}){50}')", "不支持这样的表达式"),
    ("required", "${first} = '1'", "不支持按条件必填"),
    ("readonly", "yes", "不支持只读的填写项"),
    ("calculation", "1 + 1", "不支持在 calculate 以外的项里写计算式"),
    ("key", "也许", "“也许”看不懂，请写 yes 或 no"),
    ("most", "很多", "“很多”不是 1 到 999 的整数"),
    ("basis", "产品质量法", "没有带书名号的法规名称"),
])  # fmt: skip
def test_a_wrong_cell_is_refused_by_row_and_column(column, source, says):
    rows = [
        ["text", "first", "先"], ["text", "a", "甲", source], ["text", "b", "乙"], ["begin_group", "g", "组"], ["start", "start"],
        ["begin_repeat", "r", "行"], ["text", "inside", "里"], ["end_repeat"], ["end_group"],
    ]  # fmt: skip
    said = refusals(*rows, head=[*HEAD, column])
    assert len(said) == 1 and said[0].startswith(f"survey 表第 3 行“{column}”：") and says in said[0], said


def test_a_circle_of_rules_is_refused():
    said = refusals(["text", "a", "甲", "${b} = '1'"], ["text", "b", "乙", "${a} = '1'"], head=[*HEAD, "relevant"])
    assert said == ["survey 表第 2 行“relevant”：不支持引用排在后面的项：${b} 在第 3 行。请把它移到前面。"]


def test_a_constraint_that_would_never_end_elsewhere_is_answered_at_once():
    made = form(["text", "a", "甲", "regex(., '(a+)+b')"], head=[*HEAD, "constraint"])
    started = time.process_time()
    assert check_answers(made, {"a": "a" * 1000}, None) and time.process_time() - started < 5


def test_nested_repeats_notes_in_repeats_and_public_photos_are_refused():
    said = refusals(
        ["begin_repeat", "r", "行"], ["note", "n", "说明"], ["begin_repeat", "s", "里行"], ["text", "a", "甲"], ["end_repeat"],
        ["image", "p", "照片", "yes"], ["end_repeat"], head=[*HEAD, "public"],
    )  # fmt: skip
    assert said == [
        f"survey 表第 3 行“type”：不支持{UNSUPPORTED['note_in_repeat']}。", f"survey 表第 4 行“type”：不支持{UNSUPPORTED['nested_repeat']}。",
        "survey 表第 7 行“public”：照片、文件、签名、位置和说明永不公开，请改为 no。",
    ]  # fmt: skip


def test_a_form_of_five_thousand_rows_is_refused_in_one_sentence():
    said = refusals(*(["text", f"a{n}", "甲"] for n in range(5000)))
    assert said == [f"survey 表第 1 行：有 5,000 行，一张检查表单最多 {MOST_ROWS:,} 行。请拆成几张表单，分别对应各自的抽查事项。"]


def test_conditions_of_nested_groups_that_are_too_much_together_are_refused_where_they_become_so():
    rows = [["text", "a", "甲"], *(["begin_group", f"g{n}", "组", "${a} = 'x'"] for n in range(40)), ["text", "b", "乙"], *([["end_group"]] * 40)]
    said = refusals(*rows, head=[*HEAD, "relevant"])
    assert said and said[0].startswith(f"survey 表第 34 行“relevant”：不支持{UNSUPPORTED['nested_rules']}：表达式第")


def test_choices_without_end_are_refused():
    lots = [YES_NO[0], *(["l", f"v{n}", "甲"] for n in range(501))]
    assert refusals(["select_one l", "a", "甲"], choices=lots) == ["choices 表第 502 行“list_name”：选项表“l”超过 500 项。请精简，或拆成几项来问。"]
    said = refusals(*(["select_one l", f"a{n}", "甲"] for n in range(900)), choices=lots[:501])
    assert said == ["survey 表第 22 行“type”：到这一项为止选项合计超过 10,000 个。请拆成几张表单。"]


@pytest.mark.parametrize("books, says", [
    ({"": []}, "survey 表第 1 行：找不到 survey 工作表，或者它是空的。文件里的工作表：无。"),
    ({"Sheet1": [["a"]]}, "survey 表第 1 行：找不到 survey 工作表，或者它是空的。文件里的工作表：Sheet1。"),
    ({"survey": [["name", "label"], ["a", "甲"]]}, "survey 表第 1 行“type”：survey 工作表第 1 行没有 type 列。"),
    ({"survey": [HEAD]}, "survey 表第 1 行：没有可以填写的项。"),
])  # fmt: skip
def test_a_sheet_that_is_not_there_is_the_fault_of_row_one(books, says):
    found = read_xlsform({name: Sheet(tuple(map(tuple, rows))) for name, rows in books.items()}, "toys", stem="a")
    assert [str(problem) for problem in found.refusals] == [says]


@pytest.mark.parametrize("form_id, version, says", [
    ("../../etc", "1", "settings 表第 2 行“form_id”：form_id“../../etc”不能作表单代码"),
    ("玩具", "1", "settings 表第 2 行“form_id”：form_id“玩具”不能作表单代码"),
    ("shop", "第一版", "settings 表第 2 行“version”：版本“第一版”不对"),
])  # fmt: skip
def test_codes_and_versions_that_are_none_are_refused(form_id, version, says):
    said = refusals(["text", "a", "甲"], settings=[SETTINGS[0], ["表", form_id, version]])
    assert len(said) == 1 and said[0].startswith(says)


def test_choices_that_cannot_be_stored_are_refused_on_their_own_sheet():
    choices = [YES_NO[0], ["l", "a b", "甲"], ["l", "c", "乙"], ["l", "c", "丙"], ["l", "d", ""], ["", "e", "丁"]]
    said = refusals(["select_one l", "a", "甲"], choices=choices)
    assert [line.partition("：")[0] for line in said] == [
        "choices 表第 2 行“name”", "choices 表第 4 行“name”", "choices 表第 5 行“label”", "choices 表第 6 行“list_name”",
    ]  # fmt: skip


def test_the_same_name_twice_is_refused_also_when_only_its_case_differs():
    assert "“a”重复（第 2 行）" in refusals(["text", "a", "甲"], ["text", "a", "乙"])[0]
    assert "写成 a_b 后重复（第 2 行）" in refusals(["text", "A-b", "甲"], ["text", "a_b", "乙"])[0]


def test_all_problems_come_at_once_in_the_order_of_the_file():
    found = read([[*HEAD, "relevant"], ["barcode", "a", "甲"], ["text", "b", "乙", "x()"], ["text", "c", ""]], settings=[SETTINGS[0], ["表", "表", "1"]])
    assert [(p.sheet, p.row) for p in found.refusals] == [("survey", 2), ("survey", 3), ("survey", 4), ("settings", 2)]
    with pytest.raises(BadInput, match="有 4 处不能导入"):
        found.require_form("表单")


def test_whatever_is_read_is_a_form_the_model_accepts():
    assert check_form(form(["select_one v", "a", "甲"], ["begin_repeat", "r", "行"], ["text", "b", "乙"], ["end_repeat"])) == []

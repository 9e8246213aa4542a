"""What somebody may get wrong, or try: each is refused at the start with who, what they wrote and what is wrong."""

import time
from datetime import date

import pytest

from portal.domain.declarations import MOST_FIELDS
from portal.domain.forms import check_answers
from portal.plugin import Basis, CheckItem, Choice, Column, Field, Findings, FollowUp, Register, Sector, hookimpl
from portal.plugins import discover_sectors
from portal.testing import TODAY, make_record
from portal.web.pages import build_environment
from tests.plugins.made import form, item, module, refusals

WHO = "业务模块“lifts”（lifts_module）写了"
FORM = "“Form('lifts.check', '1')”："
ITEM = "“CheckItem('lifts.use', '1')”："


def with_fields(*fields):
    return {"inspection_forms": [form(fields=list(fields))]}


def with_item(**given):
    return {"inspection_forms": [form()], "check_items": [item(**given)]}


@pytest.mark.parametrize("hooks, message", [
    # hooks
    ({"pool_rule": hookimpl(lambda task=None: None)}, "“def pool_rule(task)”：参数 task 不要写默认值，也不要写在 * 后面，否则收不到内容。"),
    ({"pool_rule": hookimpl(lambda *, task: None)}, "“def pool_rule(task)”：参数 task 不要写默认值，也不要写在 * 后面，否则收不到内容。"),
    ({"pool_rule": hookimpl(lambda *task: None)}, "“def pool_rule(task)”：参数 task 不要写默认值，也不要写在 * 后面，否则收不到内容。"),
    ({"pool_rule": hookimpl(lambda **given: None)}, "“def pool_rule(given)”：没有参数 given，可用的参数：task。"),
    # what a form refers to
    (with_fields(Field("a", "甲", show_if="${b} = 'yes'"), Field("b", "乙")), FORM + "a：show_if 写的是“${b} = 'yes'”，其中 ${b} 不是排在前面的字段。"),
    (with_fields(Field("a", "甲", show_if="${a} = 'yes'")), FORM + "a：show_if 写的是“${a} = 'yes'”，其中 ${a} 不是排在前面的字段。"),
    (with_fields(Field("a", "甲", show_if="${z} = 'yes'")), FORM + "a：show_if 写的是“${z} = 'yes'”，其中 ${z} 不是排在前面的字段。"),
    (with_fields(Field("a", "甲", constraint="${z} = 'yes'")), FORM + "a：constraint 写的是“${z} = 'yes'”，其中 ${z} 不是表单的字段。"),
    (with_fields(Field("a", "甲", "calculated", value="${a} + 1")), FORM + "a：value 写的是“${a} + 1”，其中 ${a} 不是排在前面的字段。"),
    # codes that are paths or markup
    ({"inspection_forms": [form("lifts.../../etc")]}, "“Form('lifts.../../etc', '1')”：code：代码“lifts.../../etc”不对，应形如 registration.licence（小写字母、数字、下划线和点）。"),
    ({"inspection_forms": [form("lifts.<b>")]}, "“Form('lifts.<b>', '1')”：code：代码“lifts.<b>”不对，应形如 registration.licence（小写字母、数字、下划线和点）。"),
    ({"inspection_forms": [form(version="../1")]}, "“Form('lifts.check', '../1')”：version：版本“../1”不对，应形如 2026-1。"),
    ({"inspection_forms": [form(version="1\n")]}, "“Form('lifts.check', '1\\n')”：version：版本“1\n”不对，应形如 2026-1。"),
    ({"registers": [Register("lifts.../x", "库", [Column("n", "号")])]},
     "“Register('lifts.../x')”：code：代码“lifts.../x”不对，应形如 registration.licence（小写字母、数字、下划线和点）。"),
    ({"registers": [Register("lifts.r", "库", [Column("../n", "号")])]}, "“Register('lifts.r')”：../n：列名只能用小写字母、数字和下划线，以字母开头。"),
    (with_fields(Field("<b>", "甲")), FORM + "<b>：字段名只能用小写字母、数字和下划线，以字母开头，最长 60 个字符。"),
    (with_fields(Field("a", "甲", "select_one", choices=[Choice("../x", "一")])), FORM + "a：选项值“../x”不对，只能用字母、数字和 _ . -。"),
    # words that do not read as they are
    (with_fields(Field("a", "甲\u202e乙")), FORM + "a：文字“甲·乙”含有看不见的控制字符（U+202E），请删除后重新输入。"),
    (with_item(guide="甲\x00"), ITEM + "guide：文字“甲·”含有看不见的控制字符（U+0000），请删除后重新输入。"),
    # limits
    (with_fields(*(Field(f"f{n}", "甲") for n in range(5_000))), FORM + "sections：表单有 5,000 个字段，最多 1,000 个，请分成几张表单。"),
    (with_fields(Field("a", "甲", "text", constraint="regex(., '" + "a" * 1_000 + "')")),
     FORM + "a：constraint 写的是“regex(., '" + "a" * 1_000 + "')”，表达式第 1001 个字符处：表达式长 1012 个字符，最多 1000 个。"),
    (with_fields(Field("a", "甲", "text", constraint="regex(., '(((((a{90}){90}){90}){90}){90})')")),
     FORM + "a：constraint 写的是“regex(., '(((((a{90}){90}){90}){90}){90})')”，表达式第 1 个字符处：正则表达式太复杂，展开后超过 2000 步。"),
    # items
    (with_item(qualification=None), ITEM + "没有写执法人员资格（qualification），有执法证即可检查的写 CERTIFICATE_ONLY。"),
    (with_item(valid_from=None), ITEM + "没有写有效期起（valid_from），例如 date(2026, 1, 1)。"),
    (with_item(valid_from="2026-01-01"), ITEM + "valid_from 应是日期（datetime.date），写的是 str '2026-01-01'。"),
    (with_item(valid_to=date(2025, 1, 1)), ITEM + "valid_to：有效期止 2025-01-01 早于有效期起 2026-01-01。"),
    ({"inspection_forms": [form()], "check_items": [CheckItem("lifts.use", "1", "类", "项", "lifts.check", [], qualification="", valid_from=date(2026, 1, 1))]},
     ITEM + "basis：没有写检查依据，未列依据的事项不得实施检查。"),
    (with_item(form=""), ITEM + "form：没有写表单代码。"),
], ids=range(28))  # fmt: skip
def test_each_mistake_is_refused_once_and_in_three_parts(hooks, message):
    found = refusals(lifts=module(**hooks))
    assert [one for one in found if "没有表单 ，" not in one] == [WHO + message]


def test_a_declaration_in_place_of_a_hook_is_refused():
    made = module()
    made.check_items = [item()]
    assert refusals(lifts=made) == [WHO + "“check_items = …”：与钩子同名，但不是函数。钩子写成带 @hookimpl 的 def check_items。"]


@pytest.mark.parametrize("given, hooks, message", [
    ({"items": [item()], "forms": [form()]}, {"check_items": [item()]}, "“def check_items”：Sector(…) 里已经写了 items=，两处只写一处。"),
    ({"forms": [form()], "findings": Findings("类", {"a": "lifts.use"})}, {"public_summary": hookimpl(lambda record, form: "好")},
     "“def public_summary”：Sector(…) 里已经写了 findings=，两处只写一处。"),
    ({"forms": [form()], "findings": {"a": "lifts.use"}}, {}, "“Sector('lifts', findings=…)”：findings 应是 Findings，写成了 dict。"),
    ({"forms": [form()], "findings": Findings("类", {"lifts.other": {"a": "lifts.use"}})}, {}, "“Sector('lifts', findings=…)”：points 里没有表单 lifts.check 的要点。"),
    ({"items": 5}, {}, "“check_items()”：应返回 CheckItem 的列表，返回了 int。"),
])  # fmt: skip
def test_what_the_sector_says_as_data_is_said_once_and_rightly(given, hooks, message):
    assert refusals(lifts=module(sector=Sector("lifts", "电梯", **given), **hooks)) == [WHO + message]


def test_a_sector_without_another_hook_answers_by_its_findings():
    found = discover_sectors(None, {"lifts": module(sector=Sector("lifts", "电梯", items=[item()], forms=[form()], findings=Findings(
        "电梯检查", {"a": "lifts.use"}, {"a": FollowUp("case")})))})  # fmt: skip
    record = make_record(["lifts.use"], {"a": "no"}, "pending")
    assert [one.kind for one in found.suggest_follow_up(record, found.forms[0])] == ["case"] and found.items[0].code == "lifts.use"
    assert found.public_summary(record, found.forms[0]).startswith("电梯检查：判断")


def test_a_file_of_the_package_may_have_the_name_of_a_hook():
    made = module()
    made.registers = module("registers")
    assert list(discover_sectors(None, {"lifts": made}).sectors) == ["lifts"]


def test_a_sector_code_with_a_path_is_refused():
    assert refusals(**{"../etc": module("../etc")}) == [
        "业务模块“../etc”（lifts_module）写了“../etc”：模块代码只能用小写字母、数字和下划线，以字母开头。"]


def test_a_sector_that_ends_the_program_is_refused_like_one_that_raises():
    def leaving():
        raise SystemExit(0)

    [found] = refusals(lifts=module(registers=hookimpl(leaving)))
    assert found.startswith(WHO + "“registers()”：SystemExit（")


def test_several_mistakes_of_several_sectors_are_told_at_once():
    found = refusals(
        alpha=module("alpha", "alpha_module", validat_record=hookimpl(lambda record, form: None), pool_rule=lambda task: None),
        lifts=module(
            inspection_forms=[form(fields=[Field("a", "甲", show_if="${z} = 1", constraint="("), Field("a", "乙", "colour")])],
            check_items=[item(qualification=None, valid_from=None), CheckItem("gas.x", "1", "类", "项", "lifts.check", [Basis("《法》")],
                                                                              qualification="", valid_from=date(2026, 1, 1))],
        ),
    )
    assert [one.partition("（")[0] for one in found] == ["业务模块“alpha”"] * 2 + ["业务模块“lifts”"] * 7
    words = "\n".join(found)
    for part in ("validat_record", "没有加 @hookimpl", "字段名重复", "${z} 不是", "没有写完", "类型“colour”不对", "没有写执法人员资格", "没有写有效期起",
                 "要以“lifts.”开头", "不带书名号"):
        assert part in words, part


def test_the_largest_form_starts_and_a_form_far_above_costs_nothing():
    begun = time.process_time()
    assert len(discover_sectors(None, {"lifts": module(**with_fields(*(Field(f"f{n}", "甲") for n in range(MOST_FIELDS))))}).forms[0].fields()) == MOST_FIELDS
    refusals(lifts=module(**with_fields(*(Field("same", "甲", show_if="${x} = 1") for _ in range(20_000)))))
    assert time.process_time() - begun < 5


def test_a_constraint_that_would_never_end_elsewhere_ends():
    slow = Field("a", "甲", "text", constraint="regex(., '(a|a)*(a*)*(a+)+b')")
    [asked] = discover_sectors(None, {"lifts": module(**with_fields(slow))}).forms
    begun = time.process_time()
    assert [one.field for one in check_answers(asked, {"a": "a" * 1_000}, TODAY)] == ["a"]
    assert time.process_time() - begun < 2


def test_markup_in_words_is_accepted_and_shown_as_the_text_it_is():
    hostile = "<script>alert(1)</script>&amp;"
    found = discover_sectors(None, {"lifts": module(
        sector=Sector("lifts", hostile), inspection_forms=[form(fields=[Field("a", hostile, hint=hostile, guide=hostile)])], check_items=[item(guide=hostile)])})
    text = build_environment().from_string("{{ one }}{{ two }}{{ three }}").render(
        one=found.sectors["lifts"].name, two=found.forms[0].fields()[0].label, three=found.items[0].guide)
    assert "<" not in text and text.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;") == 3

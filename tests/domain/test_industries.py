"""Industries: the whole standard, and cells that hold a code or a name."""

import pytest

from portal.domain.industries import industry_of_code, parse_industries, parse_industry, table


def test_the_table_is_the_whole_standard_in_its_tree():
    levels = [sum(one.level == level for one in table().values()) for level in (1, 2, 3, 4)]
    assert levels == [20, 97, 473, 1_381]
    for code, one in table().items():
        assert one.code == code and one.name and one.section in table()
        assert one.level == 1 or (table()[one.parent].level == one.level - 1 and table()[one.parent].section == one.section)
    assert industry_of_code("5272").name == "日用家电零售" and industry_of_code("5272").section == "F"
    assert industry_of_code("0000") is None


@pytest.mark.parametrize("cell, code", [
    ("5272", "5272"), ("F5272", "5272"), ("F52 零售业", "52"), ("Ｆ５２", "52"), ("F", "F"), ("O", "O"), ("零售业", "52"), ("零售", "52"),
    ("餐饮业", "62"), ("批发和零售业", "F"), ("正餐服务", "6210"), ("农业", "01"), ("农、林、牧、渔业", "A"), ("农林牧渔业", "A"),
])  # fmt: skip
def test_codes_and_full_names_are_read(cell, code):
    assert parse_industry(cell) == ((code,), "")


def test_every_name_of_the_standard_leads_to_a_code_with_that_name():
    for one in table().values():
        (code,), problem = parse_industry(one.name)
        assert table()[code].name.replace(" ", "") == one.name.replace(" ", "") and problem == ""


def test_a_code_of_another_edition_is_kept_and_said():
    assert parse_industry("5999") == (("5999",), "行业代码 5999 不在 GB/T 4754-2017 中，已按原样保留，请核对是否旧版代码。")
    codes, problem = parse_industry("A5272")
    assert codes == ("5272",) and "属于门类 F" in problem


def test_a_list_may_hold_codes_and_names_that_have_list_marks_of_their_own():
    assert parse_industries("6210、H6241") == (("6210", "6241"), ())
    assert parse_industries("农、林、牧、渔业；餐饮业，52") == (("A", "62", "52"), ())
    codes, problems = parse_industries("62、卖布的\n62")
    assert codes == ("62",) and len(problems) == 1 and "卖布的" in problems[0]
    assert parse_industries(" ") == ((), ())


@pytest.mark.parametrize("cell, part", [
    ("药品零售", "是否 动物用药品零售 5253？"), ("蛋糕", "不是 GB/T 4754-2017 中的行业代码或名称"), ("12345", "不是"), ("Foo", "不是"),
])
def test_what_is_no_industry_is_not_guessed(cell, part):
    codes, problem = parse_industry(cell)
    assert codes == () and part in problem and problem.endswith(("。", "？"))

"""Which passwords are taken, and which roles one account may hold."""

import pytest

from portal.domain.policy import PASSWORD_RULES, check_password_rule
from portal.domain.roles import ADMINISTRATORS, ROLES, roles_apart

NAMES = ["planner", "王小明", "望溪县市场监督管理局"]


@pytest.mark.parametrize(
    "common",
    ["password1234567", "P@ssw0rd2026!!", "qwertyuiop123", "1qaz2wsx3edc4rfv", "admin888888888", "123456789012", "abcdefghijklmn", "abcabcabcabc", "scjgj20260101!",
     "mimamimamima1", "Admin@12345678", "iloveyou20252026"],
)  # fmt: skip
def test_what_attackers_try_first_is_refused(common):
    assert "太常见" in check_password_rule(common, NAMES)[0].message


@pytest.mark.parametrize("good", ["correct horse battery 1", "a new phrase of words", "三条鱼在河里唱歌给月亮听", "k7mq-x3vd-9hwp-zr4t", "only small letters here", "84917 20563 31"])
def test_length_in_any_letters_is_enough(good):
    assert check_password_rule(good, NAMES) == []


def test_own_names_and_short_ones_are_refused():
    for given, said in (("x planner planner", "登录名"), ("王小明的一句很长的话呀呀", "姓名"), ("短短的", "有 3 位"), ("x" * 129, "最多 128 位")):
        assert said in check_password_rule(given, NAMES)[0].message


def test_dengbao_asks_for_kinds_of_characters_too():
    rule = PASSWORD_RULES["dengbao3"]
    assert "3 类" in check_password_rule("only small letters here", NAMES, rule)[0].message
    assert check_password_rule("Only small letters here", NAMES, rule) == []
    assert (rule.days, rule.wrong, rule.minutes) == (90, 5, 30)


def test_roles_that_watch_each_other_are_never_one_persons():
    for one in ADMINISTRATORS:
        for other in ROLES:
            assert bool(roles_apart([one, other])) == (one != other)
    assert roles_apart(["planner", "approver"]) == ["计划员不能兼任复核人：拟制和抽取的人不能复核自己的轮次。"]
    assert roles_apart(["approver", "supervisor"]) and roles_apart(["supervisor", "publisher"])
    assert not roles_apart(["inspector", "reviewer"]), "never of the same record: that the act itself refuses"
    assert not roles_apart(["planner", "publisher", "operator"])

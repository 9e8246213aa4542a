import json
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.expressions import DEEPEST, LONGEST, ExpressionError, as_text, parse_expression
from portal.domain.pattern import LONGEST_TEXT, PatternError, parse_pattern

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TODAY = date(2026, 6, 15)
CASES = json.loads((Path(__file__).parent / "expression_cases.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", [one for one in CASES if "value" in one], ids=lambda one: one["expression"])
def test_the_shared_table_gives_the_value(case):
    value = parse_expression(case["expression"]).value(case.get("answers", {}), case.get("current", ""), TODAY)
    assert value == case["value"]
    assert isinstance(value, bool) == isinstance(case["value"], bool)


@pytest.mark.parametrize("case", [one for one in CASES if "error" in one], ids=lambda one: one["expression"])
def test_the_shared_table_is_refused_at_the_position(case):
    with pytest.raises(ExpressionError) as caught:
        parse_expression(case["expression"])
    assert caught.value.position == case["error"]


@pytest.mark.parametrize(
    "source, message",
    [
        ("${a} = no", "表达式第 8 个字符处：不认识“no”；字段要写成 ${no}，文字要加引号。"),
        ("${a} = ‘no’", "表达式第 8 个字符处：“‘”是全角符号，请换成半角。"),
        ("(1 = 1", "表达式第 7 个字符处：这里应是“)”，表达式却结束了。"),
        ("'no", "表达式第 1 个字符处：文字的引号没有成对。"),
        ("${字段} = 1", "表达式第 1 个字符处：字段名要写成 ${字段名}，由英文字母、数字和下划线组成。"),
        ("if(1, 2, 3)", "表达式第 1 个字符处：不支持函数 if()，可用的有：not()、selected()、count()、today()、regex()。"),
        ("selected(${a})", "表达式第 1 个字符处：selected() 要 2 个参数，写了 1 个。"),
        ("regex(., '(?!a)')", "表达式第 1 个字符处：正则表达式不支持“(?…)”，只支持“(?:…)”。"),
    ],
)
def test_an_error_says_where_and_what_to_do(source, message):
    with pytest.raises(ExpressionError) as caught:
        parse_expression(source)
    assert str(caught.value) == message


def test_an_expression_knows_the_fields_it_asks_for():
    expression = parse_expression("${a} = 1 and count(${b}) > . or selected(${c}, 'x')")
    assert expression.names == {"a", "b", "c"} and expression.current
    assert not parse_expression("${a}").current


def test_too_long_and_too_deep_expressions_are_refused():
    assert parse_expression("(" * DEEPEST + "1" + ")" * DEEPEST).value({}) == 1
    with pytest.raises(ExpressionError, match="超过 30 层"):
        parse_expression("(" * (DEEPEST + 1) + "1" + ")" * (DEEPEST + 1))
    with pytest.raises(ExpressionError, match="超过 30 层"):
        parse_expression("-" * 900 + "1")
    with pytest.raises(ExpressionError, match=f"最多 {LONGEST} 个"):
        parse_expression("1" + " " * LONGEST)


def test_a_chain_as_long_as_allowed_is_evaluated():
    assert parse_expression(" or ".join(["1=2"] * 142)).value({}) is False


def test_today_is_never_taken_from_a_clock():
    with pytest.raises(ValueError, match="today"):
        parse_expression("today()").value({})


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+b", "a*a*a*a*a*b", "(.*)*(.*)*b", "(a?){30}a{30}b"])
def test_patterns_that_hang_a_backtracking_engine_do_not_hang_this_one(pattern):
    before = time.process_time()
    assert parse_pattern(pattern).matches("a" * LONGEST_TEXT) is False
    assert time.process_time() - before < 2  # a backtracking engine needs longer than the universe


def test_a_text_above_the_limit_never_matches():
    assert parse_pattern("a*").matches("a" * LONGEST_TEXT)
    assert not parse_pattern("a*").matches("a" * (LONGEST_TEXT + 1))


@pytest.mark.parametrize("pattern", ["a{999}{2}", "((a{99}){99}){9}", "(" * 30 + ")" * 30, "a" * 201, "a{1001}", "[", "\\", ")", "[]", "\\p"])
def test_patterns_outside_the_language_are_refused(pattern):
    with pytest.raises(PatternError):
        parse_pattern(pattern)


@CALM
@given(st.text("ab|()*+?.[]^-{}12,\\d$", max_size=12), st.text("ab1-", max_size=8))
def test_what_is_accepted_means_the_same_as_in_the_standard_engine(source, text):
    import re

    try:
        pattern = parse_pattern(source)
    except PatternError:
        return
    body = source.removeprefix("^")
    assert pattern.matches(text) == (re.fullmatch(f"(?:{body})", text) is not None)


@CALM
@given(st.text("${}abn.'\"()=<>!+-*, 019andorivt", max_size=30))
def test_any_text_is_read_or_refused_but_never_breaks(source):
    try:
        expression = parse_expression(source)
    except ExpressionError:
        return
    as_text(expression.value({"a": "x", "b": ["1"], "n": 3}, "", TODAY))


def test_numbers_are_written_as_in_a_browser():
    assert [as_text(one) for one in (3.0, 3.5, -0.0, 1 / 3, 1e15, float("nan"), True)] == ["3", "3.5", "0", "0.333333", "", "", "true"]

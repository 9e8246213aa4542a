"""static/rules.js in a headless Chromium: the same meaning as the portal's own evaluator."""

import json
import random
from pathlib import Path

import pytest

from portal.domain import forms
from portal.domain.expressions import as_text, parse_expression
from portal.domain.model import Choice, Field
from portal.web.rules import rules_of, tree_of
from tests.domain.test_expressions import CASES, TODAY
from tests.domain.test_forms import FORM
from tests.public_site.browser import Browser, program

pytestmark = pytest.mark.chromium
SCRIPT = Path(__file__).parents[2] / "portal" / "web" / "static" / "rules.js"
VALUES = [case for case in CASES if "value" in case]


@pytest.fixture(scope="module")
def rules():
    """Asks formRules in a page: rules("name", [arguments], ...) -> answers."""
    if program() is None:
        pytest.skip("needs a Chromium browser")
    with Browser(unseen=True) as browser:
        page = browser.page()
        page.value(SCRIPT.read_text(encoding="utf-8").replace("const formRules", "globalThis.formRules") + "; 0")
        yield lambda name, jobs: page.value(f"{json.dumps(jobs)}.map((given) => formRules.{name}(...given))")


def test_the_shared_table_is_long_enough_to_mean_something():
    assert len(CASES) >= 150


def test_the_shared_table_gives_the_same_values_in_the_browser(rules):
    found = rules("evaluate", [[tree_of(c["expression"]), c.get("answers", {}), c.get("current", ""), TODAY.isoformat()] for c in VALUES])
    for case, value in zip(VALUES, found, strict=True):
        assert value == case["value"] and isinstance(value, bool) == isinstance(case["value"], bool), case


def an_expression(dice: random.Random, depth: int = 0) -> str:
    """A random expression of the language over the answers of `some_answers`."""
    atoms = ["${a}", "${b}", "${n}", "${m}", ".", "'x'", "''", "'2026-06-15'", "'12.50'", "'09:30'", "0", "3", "2.5", "today()", "count(${m})"]
    if depth > 3 or dice.random() < 0.25:
        return dice.choice(atoms)
    one, two = an_expression(dice, depth + 1), an_expression(dice, depth + 1)
    sign = dice.choice(["and", "or", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div"])
    pattern = dice.choice(["[0-9.]+", ".*", "(x|y)+", "\\w*", "[^x]?", "2026-.*", "true|false"])
    return dice.choice([f"({one} {sign} {two})", f"({one} {sign} {two})", f"not({one})", f"selected({one}, {two})", f"regex({one}, '{pattern}')", f"(- {one})"])


def some_answers(dice: random.Random) -> dict:
    texts = ["", "x", "y x", "12.50", "0", "-3", "2026-06-15", "2026-07-01", "09:30", "10:00", "甲"]
    every = {"a": dice.choice(texts), "b": dice.choice(texts), "n": dice.choice([0, 3, -7, 12]), "m": dice.sample(["x", "y", "z"], dice.randrange(4))}
    return {name: answer for name, answer in every.items() if dice.random() < 0.8}


def test_random_expressions_come_to_the_same_in_the_browser(rules):
    dice = random.Random(20261128)
    asked = [(an_expression(dice), some_answers(dice), dice.choice(["", "x", "2.5"])) for _ in range(1500)]
    found = rules("evaluate", [[tree_of(source), answers, current, TODAY.isoformat()] for source, answers, current in asked])
    for (source, answers, current), value in zip(asked, found, strict=True):
        wanted = parse_expression(source).value(answers, current, TODAY)
        if wanted != wanted or wanted in (float("inf"), float("-inf")):
            assert value is None or value != value, source  # no number travels as null
        else:
            assert value == wanted and isinstance(value, bool) == isinstance(wanted, bool), (source, answers, current)


NUMBERS = [0, 1 / 3, -2 / 3, 1 / 128, -1 / 128, 3 / 128, 1e14 + 0.25, 999999999999999.0, 1e15, 0.1 + 0.2, 1e-7, -1e-9, 123456.7890625, 2.5, 0.0000005, 5e-7 + 2**-70]


def test_numbers_are_written_the_same(rules):
    assert rules("asText", [[number] for number in NUMBERS]) == [as_text(float(number)) for number in NUMBERS]


TYPED = [
    ("integer", ["12", " 12 ", "１２", "+5", "-0", "007", "1.5", "x", ""]), ("decimal", ["12.50", "10.00", "100", "0.0", "１.５", "-3.10", "1.2345678", "x"]),
    ("date", ["2026-1-5", "2026年1月5日", "2026/01/05", "２０２６．１．５", "昨天"]), ("time", ["09：30", "9:30"]), ("text", [" 甲\r\n乙 ", ""]), ("select_one", ["a", " a "]),
]  # fmt: skip


def test_what_is_typed_is_read_the_same(rules):
    cases = [(Field("f", "F", kind), [text]) for kind, texts in TYPED for text in texts]
    several = Field("f", "F", "select_multiple", choices=(Choice("a", "甲"), Choice("b", "乙")))
    cases += [(several, ["b", "a"]), (several, ["a", "a", "?"]), (several, ["", "b"]), (Field("f", "F", "photo"), ["x2", "x1", "x2"])]
    found = rules("read", [[{"type": field.type, "values": [one.value for one in field.choices]}, values] for field, values in cases])
    for (field, values), answer in zip(cases, found, strict=True):
        assert answer == forms._parse(field, values)[0], (field.type, values)


def filled(dice: random.Random) -> dict:
    choices = {
        "ccc": ["yes", "no", "na", ""], "facts": ["字", ""], "kind": ["a", "b"], "parts": [[], ["a"], ["a", "b"]], "stock": [3, -1], "price": ["2.5"],
        "made_on": ["2026-06-01", "2027-01-01"], "at": ["09:30"], "machines": [[], [{"number": "1", "old": "no", "reason": "旧"}], [{"old": "yes", "reason": "x"}, {"number": "2", "old": "no"}]],
    }  # fmt: skip
    return {name: dice.choice(values) for name, values in choices.items() if dice.random() < 0.8}


def test_what_is_asked_and_calculated_is_the_same_and_broken_constraints_are_found(rules):
    dice = random.Random(7)
    every = [filled(dice) for _ in range(200)]
    sent = rules_of(FORM)
    for answers, found in zip(every, rules("settle", [[sent, answers, TODAY.isoformat()] for answers in every]), strict=True):
        assert found["names"] == forms.visible(FORM, answers, TODAY)
        assert found["kept"] == forms.clean_answers(FORM, answers, TODAY)
    stock = next(field for section in sent["sections"] for field in section["fields"] if field["name"] == "stock")
    asked = [-1, 0, "x", ""]
    assert rules("broken", [[stock, answer, {}, TODAY.isoformat()] for answer in asked]) == [True, False, True, False]
    assert stock["message"] == "库存不能是负数。"

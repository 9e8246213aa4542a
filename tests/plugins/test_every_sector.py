"""What must hold of every sector in the checkout, samples included; see also the checks at start-up (portal/sector_checks.py)."""

import ast
import random
import re
import tomllib
from collections import defaultdict
from datetime import date
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from portal.domain.findings import PRESENCE, SHARED
from portal.domain.forms import check_answers, check_form, clean_answers, visible
from portal.domain.industries import industry_of_code
from portal.domain.model import CheckItem, Form, PoolRule
from portal.domain.plan import match_items, parse_plan
from portal.domain.sample_answers import SampleVisit, sample_answers
from portal.domain.shared import shared_names
from portal.hookspecs import HOOKS
from portal.plugins import Sectors, discover_sectors
from portal.sheets.read import read_sheet
from portal.testing import TODAY, answer_all, make_record, make_task
from tests import examples
from tests.shared import shared_file

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "plugins").glob("*/__init__.py"))


@cache
def installed() -> Sectors:
    """Every sector of plugins/, loaded from its folder: what is installed does not matter."""
    modules = {folder.name: __import__(f"plugins.{folder.name}", fromlist=["sector"]) for folder in FOLDERS}
    return discover_sectors(",".join(modules), modules)


def every_item() -> list[CheckItem]:
    return list(installed().items)


def every_form() -> list[Form]:
    return list(installed().forms)


def sources(folder: Path) -> list[tuple[Path, ast.Module]]:
    return [(file, ast.parse(file.read_text("utf-8"))) for file in sorted(folder.rglob("*.py"))]


#: forms that follow a visit's record (a laboratory's result): no points of their own, their facts are the result
LATER = {getattr(item, "later_form", "") for item in every_item()} - {""}


def by_code(thing) -> str:
    return thing.code


def test_the_project_registers_every_sector_in_order():
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["portal.sectors"]
    assert list(points) == sorted(points) and points == {folder.name: f"plugins.{folder.name}" for folder in FOLDERS}


# Items --------------------------------------------------------------------------


@pytest.mark.parametrize("item", every_item(), ids=by_code)
def test_an_item_has_basis_validity_form_points_and_guide(item):
    assert item.basis and all(re.fullmatch(r"|第[〇零一二三四五六七八九十百]+条(之[一二三])?", one.article) for one in item.basis), item.basis
    assert all(not re.search(r"[《》（(]暂行", one.law) for one in item.basis)
    assert type(item.valid_from) is date and (item.valid_to is None or item.valid_to > item.valid_from)
    assert installed().form(item.form) and item.points and item.objects and item.methods and item.guide
    assert len(item.guide) >= 15 and item.guide.endswith("。")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_item_says_its_qualification_or_that_the_certificate_is_enough(folder):
    calls = [node for _, tree in sources(folder) for node in ast.walk(tree)
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "CheckItem"]
    assert calls
    for call in calls:
        [given] = [keyword.value for keyword in call.keywords if keyword.arg == "qualification"] or [None]
        said = isinstance(given, ast.Name) and given.id == "CERTIFICATE_ONLY" or not isinstance(given, ast.Constant | None) or getattr(given, "value", "")
        assert said, f"{folder.name}: line {call.lineno}"


def test_no_two_items_answer_to_one_name():
    owners = defaultdict(set)
    for item in every_item():
        for name in (item.name, *item.aliases):
            owners[re.sub(r"\W", "", name)].add(item.code)
    assert {name: codes for name, codes in owners.items() if len(codes) > 1} == {}


@pytest.mark.parametrize("item", every_item(), ids=by_code)
def test_the_pool_of_an_item_is_described_in_known_words(item):
    sector = item.code.partition(".")[0]
    rule = installed().pool_rule(make_task(sector, items=(item.code,), name=item.name)) or PoolRule()
    assert [code for code in rule.industries if industry_of_code(code) is None] == []
    assert rule == (installed().pool_rule(make_task(sector, items=(item.code, "another.rider"), name=item.name)) or PoolRule()), "riders change nothing"
    assert len(set(rule.scope)) == len(rule.scope) and not any(rule.industries.count(code) > 1 for code in rule.industries)


REAL_ROWS = {
    "changzhi_2024": {"食品生产监督检查": "food_production.supervision", "在用计量器具监督检查": "metrology.in_use"},
    "county_2026": {"强制性产品认证获证、证书有效、标志、型号一致性": "certification.ccc"},
    "jinjiang_style_2024": {"校园周边食品销售者检查": "food_sales.campus"},
}


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL_ROWS)
def test_rows_of_real_plans_name_these_items(name):
    plan = parse_plan(read_sheet(shared_file(f"plans/{name}.xlsx").read_bytes()))
    named = {row.item: code for row, code in match_items(plan.rows, every_item())}
    assert {item: named[item] for item in REAL_ROWS[name]} == REAL_ROWS[name]


# Forms --------------------------------------------------------------------------


@pytest.mark.parametrize("form", every_form(), ids=by_code)
def test_a_form_is_sound_its_key_points_are_explained_and_nothing_written_is_public(form):
    assert check_form(form) == []
    assert [field.name for field in form.fields() if field.key and len(field.guide) < 10] == []
    assert any(field.key for field in form.fields()) or form.code in LATER
    assert form.code in LATER or [
        field.name for field in chain(form.fields(), *(one.fields for one in form.fields())) if field.public and field.type not in ("verdict", "select_one", "select_multiple", "repeat")
    ] == []


@pytest.mark.parametrize("form", every_form(), ids=by_code)
def test_labels_of_what_is_asked_are_unique_in_a_form(form):
    labels = [field.label for field in form.fields() if field.required]
    assert sorted({label for label in labels if labels.count(label) > 1}) == []


def test_no_sector_repeats_a_question_of_another():
    asked = defaultdict(set)
    for form in every_form():
        for field in form.fields():
            if field.name not in SHARED and field.type == "verdict":
                asked[re.sub(r"\W", "", field.label)].add(form.code.partition(".")[0])
    assert {label: owners for label, owners in asked.items() if len(owners) > 1} == {}


def test_shared_fields_of_one_name_are_one_question_and_whoever_asks_it_shares_it():
    meant = {}
    for form in every_form():
        for field in form.fields():
            if field.shared:
                meant.setdefault(field.name, set()).add((field.label, field.type, tuple(field.choices), field.constraint, field.most))
            assert not any(child.shared for child in field.fields), f"{form.code}: {field.name}"
    assert {name: asked for name, asked in meant.items() if len(asked) > 1} == {}
    assert {PRESENCE, "contact_person", "contact_phone", "refused", "signature", "licence_shown", "name_used"} <= meant.keys()
    for form in every_form():
        for field in form.fields():
            if field.label in {label for label, *_ in meant.get(field.name, ())}:  # 餐饮's licence is another paper than 登记事项's
                assert field.shared, f"{form.code}: {field.name}"


def test_six_forms_of_one_visit_ask_who_was_met_and_who_signed_once():
    six = [form for form in every_form() if form.code.partition(".")[0] in (
        "registration", "annual_reports", "food_sales", "metrology", "pricing", "advertising")]
    once = shared_names(six)
    assert {PRESENCE, "presence_note", "contact_person", "contact_phone", "refused", "refused_note", "signature"} == once.keys()
    assert all(len(codes) == len(six) >= 6 for codes in once.values())


def test_made_up_records_of_one_visit_never_contradict_each_other():
    visits = [SampleVisit(f"V{n}", f"E{n}", "T1", form.code, tuple(items_of(form)), TODAY, ("I1",)) for n in range(examples(40)) for form in every_form() if form.code not in LATER]
    told = defaultdict(set)
    for record in sample_answers(visits, every_form(), 5, installed().validate_record):
        for field in installed().form(record["form"]).fields():
            answer = record["answers"].get(field.name)
            if field.shared and answer is not None and answer not in [one.value for one in field.choices if one.own]:
                told[record["visit"], field.name].add(str(answer))
    assert {"open", "unreachable"} == {one for (_, name), answers in told.items() if name == PRESENCE for one in answers}
    assert [key for key, answers in told.items() if len(answers) > 1] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_sector_asks_only_for_answers_its_forms_have(folder):
    known = {name for form in every_form() if form.code.startswith(f"{folder.name}.")
             for field in form.fields() for name in (field.name, *(child.name for child in field.fields))}
    known |= {column.name for register in installed().registers if register.code.startswith(f"{folder.name}.") for column in register.columns}
    known |= {"name", "number", "issued_on", "valid_to", "authority", "tags"}  # a row of a register (domain.registers)
    wanted = set()
    for _, tree in sources(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get" and _answers(node.func.value) and node.args:
                wanted |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
            if isinstance(node, ast.Subscript) and _answers(node.value) and isinstance(node.slice, ast.Constant):
                wanted |= {node.slice.value}
    assert wanted - known == set()


def _answers(node: ast.AST) -> bool:
    return getattr(node, "id", getattr(node, "attr", "")) in ("answers", "row")


#: forms with parts that are judged without anybody there: the register and the papers tell
AT_THE_DESK = ("annual_reports.check", "registration.check")
SITE_FORMS = [form for form in every_form() if form.code not in AT_THE_DESK and any(field.name == PRESENCE for field in form.fields())]


def items_of(form: Form) -> list[str]:
    return [item.code for item in every_item() if form.code in (item.form, getattr(item, "later_form", ""))]


def filled(form: Form) -> dict:
    """A record as somebody might write it, nothing wrong in it, everything of every kind asked for."""
    visit = SampleVisit("V1", "T1", "E1", form.code, tuple(items_of(form)), TODAY, ("I1",))
    for seed in range(40):
        [record] = sample_answers([visit], [form], seed, installed().validate_record)
        if set(record["outcomes"].values()) == {"none"}:
            return record["answers"]
    raise AssertionError(form.code)


@pytest.mark.parametrize("form", [form for form in every_form() if form.code not in LATER], ids=by_code)
@pytest.mark.parametrize(("percent", "found"), [("_PROBLEM_PERCENT", True), ("_UNREACHABLE_PERCENT", True), ("", False)])
def test_made_up_records_of_a_demo_can_fill_the_form(form, percent, found, monkeypatch):
    for name in ("_PROBLEM_PERCENT", "_UNREACHABLE_PERCENT"):
        monkeypatch.setattr(f"portal.domain.sample_answers.{name}", 100 if name == percent else 0)
    visits = [SampleVisit(f"V{n}", "T1", f"E{n}", form.code, tuple(items_of(form)), TODAY, ("I1",)) for n in range(4)]
    records = list(sample_answers(visits, [form], 3, installed().validate_record))
    assert all(check_answers(form, record["answers"], TODAY) == [] for record in records)
    if percent != "_UNREACHABLE_PERCENT" or form in SITE_FORMS:
        assert ({outcome for record in records for outcome in record["outcomes"].values()} != {"none"}) is found


@pytest.mark.parametrize("form", SITE_FORMS, ids=by_code)
def test_nobody_there_leaves_nothing_to_judge_and_decides_the_outcome(form):
    points = {field.name for field in form.fields() if field.type == "verdict"}
    for outcome in ("unreachable", "not_operating", "uncooperative"):
        gone = {PRESENCE: outcome, "presence_note": "6月1日上门，无人"}
        assert not points & set(visible(form, gone, TODAY)) and check_answers(form, gone, TODAY) == []
        right, wrong = (make_record(items_of(form), gone, one) for one in (outcome, "none"))
        assert installed().validate_record(right, form) == [] != installed().validate_record(wrong, form)
        assert installed().suggest_follow_up(right, form)


@pytest.mark.parametrize("form", SITE_FORMS, ids=by_code)
def test_every_failed_point_asks_for_its_facts_and_contradicts_an_outcome_without_problems(form):
    good = filled(form)
    for name in [field.name for field in form.fields() if field.type == "verdict" and field.name in good]:
        bad = clean_answers(form, good | {name: "no"}, TODAY)
        assert f"{name}_note" in {problem.field for problem in check_answers(form, bad, TODAY)}, name
        items = items_of(form)
        told = installed().validate_record(make_record(items, bad, "none"), form)
        assert "这项判为不合格，抽查结果不能是“未发现问题”。" in [one.message for one in told if one.field == name], name
    told = installed().validate_record(make_record(items_of(form), good, "rectified"), form)
    assert all("没有一项判为不合格" in one.message for one in told) and told


@pytest.mark.parametrize("form", SITE_FORMS, ids=by_code)
def test_a_point_says_how_to_check_what_is_wrong_and_what_to_photograph(form):
    for field in form.fields():
        if field.type == "verdict":
            lines = field.guide.splitlines()
            assert [line.split("：")[0] for line in lines] == ["怎么查", "什么算问题", "拍什么"], field.name
            assert all(line.endswith("。") and len(line) >= 7 for line in lines) and field.basis, field.name


@pytest.mark.parametrize("form", every_form(), ids=by_code)
def test_the_public_sentence_is_short_and_names_nobody(form):
    answers = answer_all(form, "yes", {PRESENCE: "open", "contact_person": "张三", "note": "13800000000"} if PRESENCE in [one.name for one in form.fields()] else {})
    said = installed().public_summary(make_record(items_of(form), answers), form)
    assert 8 <= len(said) <= 120 and "张三" not in said and "138" not in said and said.endswith("。")


# Sources ------------------------------------------------------------------------

PLUMBING = re.compile(r"@hookimpl|def (" + "|".join(HOOKS) + r")\(|from |import |[)(\]}\",\s]*$|    return (ITEMS|FORMS)$")


def telling_lines(file: Path) -> list[str]:
    return [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip() and not PLUMBING.match(line)]


def test_no_six_lines_stand_in_two_sectors():
    seen: dict[tuple[str, ...], str] = {}
    twice = set()
    for folder in FOLDERS:
        for file in folder.rglob("*.py"):
            lines = telling_lines(file)
            for at in range(len(lines) - 5):
                block = tuple(lines[at : at + 6])
                if seen.setdefault(block, folder.name) != folder.name:
                    twice.add((seen[block], folder.name, block[0]))
    assert twice == set()


def test_sectors_loaded_in_any_order_are_the_same():
    modules = {folder.name: __import__(f"plugins.{folder.name}", fromlist=["sector"]) for folder in FOLDERS}
    names = list(modules)
    random.Random(7).shuffle(names)
    again = discover_sectors(",".join(names), {name: modules[name] for name in names})
    assert (again.items, again.forms, again.registers, again.versions()) == (
        installed().items, installed().forms, installed().registers, installed().versions())

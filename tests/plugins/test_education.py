"""The education department's sector, from a distribution of its own (tests/education)."""

import logging
import tomllib
from pathlib import Path

import pytest

from portal.domain.forms import check_answers
from portal.hookspecs import HOOKS
from portal.testing import (
    TODAY, adjusted, answer_all, assert_accepted, assert_points, excluded, follow_ups_of, load_sector, made_pages, make_candidate, make_published,
    make_record, make_task, public_words, pool_rule_of, problems_of,
)
from tests.education import mingcha_education as education

SECTORS = load_sector(education, "education")
FORM = SECTORS.form("education.canteen")
ITEMS = ["education.duty", "education.outside"]
OPEN = {"presence": "open", "outside": "yes", "served": 812, "contact_person": "副校长", "refused": "yes", "refused_note": "负责人外出，值班老师见证"}
TASK = make_task("education", items=tuple(ITEMS))


def given(**answers):
    return answer_all(FORM, "yes", OPEN | answers)


def test_its_distribution_registers_it_under_its_code():
    project = tomllib.loads((Path(education.__file__).with_name("pyproject.toml")).read_text("utf-8"))
    assert project["project"]["entry-points"]["portal.sectors"] == {"education": "mingcha_education"}
    assert project["tool"]["setuptools"]["py-modules"] == ["mingcha_education"]


def test_it_answers_every_hook():
    assert {hook for _, hook in SECTORS.callers} == set(HOOKS)


def test_a_full_record_is_accepted():
    assert_accepted(problems_of(SECTORS, FORM, given()))


def test_a_canteen_nobody_eats_in_was_not_checked():
    assert_points(problems_of(SECTORS, FORM, given(served=0)), "served")


def test_outside_caterers_are_asked_about_only_where_there_is_one():
    assert_accepted(problems_of(SECTORS, FORM, answer_all(FORM, "yes", {**OPEN, "outside": "no"})))
    assert "outside_licence" not in answer_all(FORM, "yes", {**OPEN, "outside": "no"})


@pytest.mark.parametrize("served", [-1, 100_001])
def test_the_number_of_children_is_read_closely(served):
    assert [one.message for one in check_answers(FORM, given(served=served), TODAY)] == ["就餐学生人数应是 0 到 100000 的整数。"]


def test_whom_it_draws_and_passes_over():
    assert pool_rule_of(SECTORS, TASK).tags == ("学校食堂",)
    batch = [make_candidate(f"C{n}", tags=tags) for n, tags in enumerate((("学校食堂",), ("学校食堂", "停餐"), ("学校食堂", "校园重点")))]
    assert excluded(SECTORS, TASK, batch) == {"C1": "学校已停餐，恢复供餐后再查。"}
    assert adjusted(SECTORS, TASK, batch) == {"C2": "D"}


def test_a_caterer_beyond_its_licence_goes_to_the_market_department():
    record = make_record(ITEMS, given(outside_licence="no", outside_licence_note="无集体用餐配送项目"), "pending")
    assert ["transfer"] == [one.kind for one in follow_ups_of(SECTORS, FORM, record)]
    assert "校园安全检查" in public_words(SECTORS, FORM, record)


def test_its_page_counts_canteens_of_its_own_tasks_only():
    published = [make_published(f"C{n}", outcomes={"education.duty": outcome}) for n, outcome in enumerate(("none", "none", "rectified"))]
    [page] = made_pages(SECTORS, TASK, published)
    assert page.slug == "campus-2026" and page.blocks[1].body == [("未发现问题", 2), ("发现问题", 1)]
    assert made_pages(SECTORS, make_task("food_sales"), published) == []


def test_the_host_hears_of_its_own_results_only(caplog):
    with caplog.at_level(logging.INFO):
        assert SECTORS.results_published(TASK, 3) == SECTORS.results_published(make_task("food_sales"), 5) == []
    assert [one.getMessage() for one in caplog.records] == ["campus check 350582-2026-T001: results of 3 published"]

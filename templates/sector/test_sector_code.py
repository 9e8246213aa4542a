import sector_code
from portal.testing import (
    answer_all, assert_accepted, assert_points, drawn_from, follow_ups_of, load_sector, make_candidate, make_record, make_task,
    problems_of, public_words,
)

SECTORS = load_sector(sector_code)
FORM = SECTORS.form("sector_code.check")
OPEN = {"presence": "open", "contact_person": "店长", "refused": "yes", "refused_note": "负责人外出，店员见证"}


def test_a_full_record_without_problems_is_accepted():
    assert_accepted(problems_of(SECTORS, FORM, answer_all(FORM, "yes", OPEN)))


def test_a_failed_point_asks_for_its_facts():
    assert_points(problems_of(SECTORS, FORM, answer_all(FORM, "yes", OPEN | {"label": "no"})), "label_note")


def test_no_licence_goes_to_a_case_office_and_no_name_is_published():
    answers = answer_all(FORM, "yes", OPEN | {"licence": "no", "licence_note": "不能出示许可证"})
    record = make_record(["sector_code.main"], answers, "pending")
    assert [one.kind for one in follow_ups_of(SECTORS, FORM, record)] == ["case"]
    assert "店长" not in public_words(SECTORS, FORM, record)


def test_whom_a_task_is_drawn_from():
    shops = [make_candidate("A", tags=("模块名称",)), make_candidate("B")]
    assert drawn_from(SECTORS, make_task("sector_code"), shops) == ["A"]

"""Questions that the forms of one visit share: which they are, what is known of them, and what a save comes to."""

from dataclasses import replace

import pytest

from portal.domain.declarations import form_from_data, form_to_data
from portal.domain.findings import PRESENCE, Part, judged, site_form
from portal.domain.model import Field, Form, Section
from portal.domain.shared import Known, known_answers, narrowed, parse_seen, retold, seen_of, settle, shared_names, standing, write_seen
from portal.testing import TODAY


def form(code: str) -> Form:
    return site_form(code, "1", f"{code}表", [Part("甲", f"{code}.a", [judged("clean", "干净", "看", "脏", "地面")])])


FOOD, GAS = form("food.check"), form("gas.check")
BOTH = [FOOD, GAS]
NAMES = shared_names(BOTH)
TITLES = {one.code: one.title for one in BOTH}
WHO = "contact_person"
OPEN = {PRESENCE: "open"}


def known(fixed: bool = False, code: str = FOOD.code, **answers) -> dict:
    return {name: Known(answer, code, fixed) for name, answer in answers.items()}


def saved(there, given, seen="", submit=False, of=GAS):
    return settle(of, TITLES, NAMES, there, given, None if seen is None else parse_seen(seen), TODAY, submit=submit)


def shown(**answers) -> str:
    return write_seen(seen_of(answers, answers))


# Which questions -------------------------------------------------------------


def test_forms_share_what_both_mark_under_one_name_type_and_choices():
    assert NAMES[PRESENCE] == NAMES["signature"] == ("food.check", "gas.check")
    assert not {"clean", "note", "pictures", "opinion"} & NAMES.keys()
    assert shared_names([FOOD]) == {} == shared_names([])


@pytest.mark.parametrize("change", [{"type": "integer"}, {"shared": False}, {"name": "person"}])
def test_another_name_type_or_mark_is_another_question(change):
    def changed(field: Field) -> Field:
        return replace(field, **change) if field.name == WHO else field

    other = replace(GAS, sections=tuple(Section(one.title, tuple(map(changed, one.fields)), one.show_if) for one in GAS.sections))
    assert WHO not in shared_names([FOOD, other]) and "refused" in shared_names([FOOD, other])
    assert shared_names([FOOD, form("a.check"), other])[WHO] == ("a.check", "food.check")


def test_the_mark_travels_with_a_form_and_leaves_other_forms_as_they_were():
    assert form_from_data(form_to_data(FOOD)) == FOOD
    plain = Form("x.y", "1", "表", (Section("", (Field("a", "甲"),)),))
    assert form_to_data(plain) == {"code": "x.y", "version": "1", "title": "表", "sections": [{"fields": [{"name": "a", "label": "甲", "type": "verdict"}]}]}


# What is known ---------------------------------------------------------------


def record(code: str, state: str, **answers) -> dict:
    return {"form_code": code, "state": state, "answers": answers}


def test_a_submitted_record_fixes_its_answers_and_a_returned_one_frees_them():
    header = {WHO: {"answer": "乙", "form": GAS.code}}
    rows = [record(FOOD.code, "submitted", contact_person="甲"), record(GAS.code, "draft", contact_person="乙")]
    assert known_answers(BOTH, header, rows) == known(True, contact_person="甲")
    rows[0]["state"] = "returned"
    assert known_answers(BOTH, header, rows) == known(code=GAS.code, contact_person="乙")
    assert known_answers(BOTH, {WHO: {"answer": None, "form": GAS.code}}, rows) == {}  # taken away, whatever a draft still has
    assert known_answers(BOTH, header, [record(FOOD.code, "submitted")]) == known(code=GAS.code, contact_person="乙")


def test_what_was_answered_before_another_task_joined_is_known():
    assert known_answers(BOTH, {}, [record(GAS.code, "draft", contact_person="丙")]) == known(code=GAS.code, contact_person="丙")
    assert known_answers([GAS], {}, [record(GAS.code, "draft", contact_person="丙")]) == {}


def test_doing_nothing_of_what_one_form_is_about_says_nothing_to_another():
    assert known_answers(BOTH, {}, [record(FOOD.code, "submitted", presence="not_operating")]) == {}
    found = saved(known(True, presence="open"), {PRESENCE: "not_operating", "presence_note": "只卖五金"})
    assert (found.answers[PRESENCE], found.problems, found.changed.keys()) == ("not_operating", [], {"presence_note"})
    [field] = [one for one in GAS.fields() if one.name == PRESENCE]
    assert [one.value for one in narrowed(field, Known("open", FOOD.code, True)).choices] == ["open", "not_operating"]
    assert narrowed(field, Known("open", FOOD.code, False)) is None is narrowed(field, None)


def test_a_page_shows_what_the_visit_knows():
    assert standing(GAS, known(contact_person="甲"), NAMES, {WHO: "旧", "clean": "yes", "refused": "no"}) == {WHO: "甲", "clean": "yes"}
    assert standing(GAS, known(presence="open"), NAMES, {PRESENCE: "not_operating"}) == {PRESENCE: "not_operating"}
    assert standing(GAS, known(presence="open"), {}, {PRESENCE: "unreachable"}) == {PRESENCE: "unreachable"}


# What a save comes to ----------------------------------------------------------


def test_the_first_answer_is_kept_for_all_and_the_same_answer_again_is_fine():
    assert saved({}, OPEN | {WHO: "甲"}).changed == {PRESENCE: "open", WHO: "甲"}
    again = saved(known(presence="open", contact_person="甲"), OPEN | {WHO: "甲"}, submit=True)
    assert (again.changed, again.problems) == ({}, [])


def test_a_missing_answer_is_filled_in():
    found = saved(known(presence="open", contact_person="甲"), {"clean": "yes"})
    assert found.answers == {PRESENCE: "open", WHO: "甲", "clean": "yes"} and not found.changed and not found.problems


def test_who_saw_what_stands_there_may_change_it_or_take_it_away():
    there = known(presence="open", contact_person="甲")
    assert saved(there, OPEN | {WHO: "乙"}, shown(presence="open", contact_person="甲")).changed == {WHO: "乙"}
    assert saved(there, OPEN, shown(presence="open", contact_person="甲")).changed == {WHO: None}


def test_what_was_folded_on_the_page_was_not_taken_away():
    there = known(presence="open", contact_person="甲")
    found = saved(there, {PRESENCE: "not_operating", "presence_note": "没有"}, shown(presence="open", contact_person="甲"))
    assert found.changed == {"presence_note": "没有"}


@pytest.mark.parametrize("seen", [None, "", shown(contact_person="别人")])
def test_another_answer_than_the_one_that_came_meanwhile_is_refused_with_both(seen):
    [problem] = saved(known(presence="open", contact_person="甲"), OPEN | {WHO: "乙"}, seen).problems
    assert problem.field == WHO and problem.message == (
        "“现场人员姓名和职务”已在《food.check表》填写为“甲”，这里填的是“乙”。请核对：以哪个为准就填哪个，再保存一次。")


def test_what_somebody_left_standing_follows_the_others_change_but_is_looked_at_before_it_is_submitted():
    there, given, seen = known(presence="open", contact_person="乙"), OPEN | {WHO: "甲", "clean": "yes"}, shown(presence="open", contact_person="甲")
    found = saved(there, given, seen)
    assert (found.answers[WHO], found.changed, found.problems) == ("乙", {}, [])
    [problem] = saved(there, given, seen, submit=True).problems
    assert "“乙”" in problem.message and "“甲”" in problem.message


@pytest.mark.parametrize("seen", [None, "", shown(presence="open", contact_person="甲")])
def test_a_submitted_answer_stands_whatever_was_seen(seen):
    [problem] = saved(known(True, presence="open", contact_person="甲"), OPEN | {WHO: "乙"}, seen).problems
    assert "已随提交审核的《food.check表》确定为“甲”，这里填的是“乙”" in problem.message and "先由审核退回" in problem.message
    assert saved(known(True, presence="open", contact_person="甲"), OPEN, seen).answers[WHO] == "甲"


def test_following_never_drops_what_was_typed():
    there = known(presence="unreachable", presence_note="无人")
    [problem] = saved(there, OPEN | {"clean": "yes", WHO: "甲"}, shown(presence="open")).problems
    assert problem.field == PRESENCE and "填写为“通过登记的住所（经营场所）无法联系”，这里填的是“正常经营，接受检查”" in problem.message
    assert "您填的 2 项不再需要" in problem.message
    assert saved(there, {"note": "x"}).answers == {PRESENCE: "unreachable", "presence_note": "无人", "note": "x"}


def test_signatures_are_shared_by_number():
    there = known(presence="open", refused="no", signature=["F1"])
    assert saved(there, OPEN | {"refused": "no"}).answers["signature"] == ["F1"]
    [problem] = saved(there, OPEN | {"signature": ["F2"]}).problems
    assert "“1 份”" in problem.message


def test_what_a_page_says_it_showed_is_read_carefully():
    assert parse_seen(shown(a="x", b=["1", "2"])).keys() == {"a", "b"}
    assert parse_seen("a=zz b c=0123456789ab x=0123456789abc") == {"c": "0123456789ab"} and parse_seen("") == {}


def test_after_a_refusal_the_page_shows_what_was_typed_and_what_came_meanwhile():
    there = known(presence="open", contact_person="甲", refused="no")
    typed = {WHO: "乙", "clean": "no"}
    answers, seen = retold(GAS, there, NAMES, typed, {"refused": "0" * 12}, [WHO])
    assert answers == {PRESENCE: "open", WHO: "乙", "clean": "no"}  # who took an answer away meant it
    assert seen == seen_of({PRESENCE: "open", WHO: "甲"}, NAMES) | {"refused": "0" * 12}
    assert saved(there, answers | {"refused": "no"}, write_seen(seen)).changed == {WHO: "乙"}  # told of both, he keeps his own
    assert retold(GAS, known(True, contact_person="甲"), NAMES, typed, {}, [WHO])[0][WHO] == "甲"

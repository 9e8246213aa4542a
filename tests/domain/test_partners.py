"""部门联合: the plan names departments in words; whose an item is follows from row and sector together."""

from datetime import date

import pytest

from portal.domain.partners import find_idle, find_owner, partners_in
from portal.domain.plan import PlanRow
from portal.domain.visits import Party, Place, find_lack, make_slots

NAMES = ("望溪县教育局", "望溪县卫生健康局", "望溪县体育局")


@pytest.mark.parametrize(("text", "named"), [
    ("教育局", ["望溪县教育局"]), ("市场监督管理局、教育局；卫生健康局", ["望溪县教育局", "望溪县卫生健康局"]), ("市监 + 教育", ["望溪县教育局"]),
    ("县教育局和县卫生健康局", ["望溪县教育局", "望溪县卫生健康局"]), ("望溪县教育局", ["望溪县教育局"]), ("育局", []), ("教育科", []), ("局", []), ("", []),
])  # fmt: skip
def test_a_cell_names_departments_in_full_or_short_and_never_by_likeness(text, named):
    assert partners_in(text, NAMES) == named


def row(department="", partners="", part=0):
    return PlanRow(3, "1", "校园", "事项", part=part, department=department, partners=partners)


@pytest.mark.parametrize(("department", "partners", "sector", "owner"), [
    ("教育局", "", "教育局", "望溪县教育局"),
    ("餐饮科", "教育局", "教育局", "望溪县教育局"),
    ("餐饮科", "教育局", "餐饮科", ""),
    ("教育局", "市场监督管理局", "餐饮科", ""),  # the partner leads, the item is market supervision's
    ("教育局", "", "校安科", "望溪县教育局"),  # its own row, though its sector names an office
    ("餐饮科", "", "教育局", ""),  # the plan does not name it
    ("教育局、卫生健康局", "", "校安科", ""),  # whose of two?
])  # fmt: skip
def test_an_item_is_a_departments_where_row_and_sector_say_so(department, partners, sector, owner):
    assert find_owner(row(department, partners), sector, NAMES) == owner


def test_a_department_named_without_an_item_of_its_own_is_found_once():
    listed = [(row("餐饮科", "教育局、卫生健康局"), ""), (row("餐饮科", "教育局、卫生健康局", part=1), "望溪县教育局")]
    assert [name for _, name in find_idle(listed, NAMES)] == ["望溪县卫生健康局"]


def person(code, organisation, *, partner=False, lead=False, station=False, skills=()):
    base = {"code": code, "organisation": organisation, "bureau": "B", "station": station, "status": "有效", "certificate": True, "lead": lead}
    return {**base, "until": "2030-01-01", "qualifications": list(skills), **({"partner": True} if partner else {})}


def test_each_organisation_of_a_visit_is_sent_two_people_of_its_own():
    roster = [person("a", "B", lead=True), person("b", "S", station=True, skills=["电梯"]), person("e", "P", partner=True), person("f", "P", partner=True, lead=True)]
    place = Place("X", "X", "", "S", "镇", "B")
    joint = Place("X", "X", "", "S", "镇", "B", "P")
    made = make_slots({"R_X": [Party(place, frozenset(), True), Party(joint, frozenset())]}, roster, [("f", "X")], date(2026, 6, 30), "sha256", ["S"])
    assert made["slots"] == {"R_X": [["a"], ["a", "b"], ["e"], ["e"]]} and made["caps"] == {"a": 2, "b": 2, "e": 2}
    alone = make_slots({"R_X": [Party(joint, frozenset(), True)]}, roster, [], date(2026, 6, 30), "sha256")
    assert alone["slots"] == {"R_X": [["f"], ["e", "f"]]}
    lack = find_lack(roster, joint, lead=False, window_to=date(2026, 6, 30), needed=(), recused=["f"], on_visit=["e"])
    assert (lack.people, lack.rules, lack.free, lack.lenders) == (2, {"recused": 1, "on_visit": 1}, 0, {})

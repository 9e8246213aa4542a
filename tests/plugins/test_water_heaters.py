from pathlib import Path

import pytest

import plugins.water_heaters
from portal.domain.forms import public_answers
from portal.plugin import FollowUp, PoolRule
from portal.plugins import discover_sectors
from portal.testing import assert_accepted, assert_points, load_sector, make_record, make_task, problems_of

SECTORS = load_sector(plugins.water_heaters)
FORM = SECTORS.form("water_heaters.shop")


def test_the_whole_sector_has_fewer_than_sixty_lines():
    assert len(Path(plugins.water_heaters.__file__).read_text(encoding="utf-8").splitlines()) < 60


def test_it_is_a_sample_and_loaded_only_when_named():
    modules = {"water_heaters": plugins.water_heaters}
    assert discover_sectors(None, modules).skipped == ("water_heaters",)
    assert SECTORS.versions() == [{"sector": "water_heaters", "version": "1"}]


def test_it_draws_from_shops_that_sell_household_appliances():
    assert SECTORS.pool_rule(make_task("water_heaters")) == PoolRule(industries=("5272", "5138"))


def test_an_empty_form_asks_for_every_judgement():
    assert_points(problems_of(SECTORS, FORM, {}), "ccc", "label")


def test_a_missing_mark_asks_for_model_and_number():
    problems = problems_of(SECTORS, FORM, {"ccc": "no", "label": "yes"})
    assert [one.message for one in problems] == ["没有CCC标志时，请在“情况说明”中写明型号和数量。"]
    assert_accepted(problems_of(SECTORS, FORM, {"ccc": "no", "label": "yes", "note": "JSQ24 型 2 台"}))
    assert_accepted(problems_of(SECTORS, FORM, {"ccc": "yes", "label": "yes"}))


@pytest.mark.parametrize("ccc, kinds, sentence", [
    ("yes", [], "在售燃气热水器均有CCC标志。"),
    ("no", ["case"], "在售燃气热水器未见CCC标志。"),
    ("na", [], "在售燃气热水器不适用CCC标志检查。"),
])
def test_the_mark_decides_follow_up_and_summary(ccc, kinds, sentence):
    record = make_record(["water_heaters.sale"], {"ccc": ccc, "label": "yes", "note": "张三 13800000000"})
    follow_ups = SECTORS.suggest_follow_up(record, FORM)
    assert [one.kind for one in follow_ups] == kinds and all(isinstance(one, FollowUp) for one in follow_ups)
    assert SECTORS.public_summary(record, FORM) == sentence


def test_notes_and_photos_stay_inside():
    assert public_answers(FORM, {"ccc": "yes", "label": "yes", "note": "x", "photos": ["p"]}) == {"ccc": "yes", "label": "yes"}

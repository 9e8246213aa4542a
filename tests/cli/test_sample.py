"""portal sample: the same seed gives the same bytes, all of it or nothing."""

import sqlite3
from unittest import mock

import pytest

from portal.cli import setting_up
from tests.cli.command import Portal

# What is one installation's own: keys and passwords, and what is signed with them.
OWN = {"account", "setting", "checkpoint"}


def sampled(folder, *words):
    portal = Portal(folder, PORTAL_CLOCK="simulated")
    portal.well("clock", "2026-01-05T09:00:00+08:00")
    portal.well("init")
    return portal, portal.well("sample", *words)


def tables(portal):
    """table -> its rows, of the tables that no chance may enter."""
    database = sqlite3.connect(f"file:{portal.data / 'portal.db'}?mode=ro", uri=True)
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")]
    found = {name: database.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in names if name not in OWN}
    database.close()
    return {name: rows for name, rows in found.items() if name not in ("audit", "migration")}


def test_the_same_seed_gives_the_same_database_and_plan_and_another_seed_others(tmp_path):
    (one, said), (two, _) = (sampled(tmp_path / name, "--entities", 300, "--seed", 5) for name in "ab")
    other, _ = sampled(tmp_path / "c", "--entities", 300, "--seed", 6)
    assert "检查对象  300" in said and "执法人员  120" in said
    plan = [(portal.data / "sample" / "plan.xlsx").read_bytes() for portal in (one, two)]
    assert plan[0] == plan[1] and plan[0].startswith(b"PK")
    rules = one.data / "sample" / "profile.json"
    assert f"portal plan profile {rules}" in said and "第 1 版已导入" in one.well("plan", "profile", rules)
    two.well("plan", "profile", two.data / "sample" / "profile.json")
    assert tables(one) == tables(two)
    filled = {name for name, rows in tables(one).items() if rows}
    assert {"entity", "inspector", "recusal", "plan", "plan_row", "task", "rider", "organisation", "item"} <= filled
    assert tables(one)["entity"] != tables(other)["entity"] and tables(one)["inspector"] != tables(other)["inspector"]


def test_a_sample_stopped_half_way_leaves_nothing_and_can_be_made_again(tmp_path):
    portal = Portal(tmp_path / "data", PORTAL_CLOCK="simulated")
    portal.well("clock", "2026-01-05T09:00:00+08:00")
    portal.well("init")
    before = tables(portal)
    with mock.patch.object(setting_up, "import_plan", side_effect=KeyboardInterrupt):
        done = portal("sample", "--entities", 200)
    assert (done.code, done.err) == (130, "portal: 已中断。\n") and tables(portal) == before
    assert "检查对象  200" in portal.well("sample", "--entities", 200)
    assert "名录里已有检查对象" in portal.refused("sample", "--entities", 200)


def test_a_bureau_that_has_its_name_is_not_turned_into_the_sample(tmp_path):
    portal = Portal(tmp_path / "data")
    portal.well("init", "--name", "某县市场监督管理局", "--region", "359999")
    assert "已定名为“某县市场监督管理局”" in portal.refused("sample")


@pytest.mark.parametrize("login", ["planner2", "reviewer"])
def test_only_who_may_import_may_fill_in_the_sample(tmp_path, login):
    portal = Portal(tmp_path / "data")
    portal.well("init")
    portal.refused("sample", "--as", login)

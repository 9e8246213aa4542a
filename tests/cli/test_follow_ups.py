"""portal follow-ups: listed, sent out, re-checked, closed with what comes next, shown with all that happened."""

import re

import pytest

from tests.cli.command import Portal
from tests.office import query


@pytest.fixture
def portal(approved_folder):
    query(
        approved_folder,
        "INSERT INTO follow_up (record, kind, note, due_on, state, confirmed_by, confirmed_at, result, due_days, ending) "
        "SELECT min(id), 'rectify', '公示营业执照', '2026-07-01', 'open', min(entered_by), '2026-06-30 10:00:00+00:00', '', 0, '' FROM record RETURNING id",
    )
    return Portal(approved_folder)


def test_a_follow_up_goes_its_way_by_commands(portal):
    listed = portal.well("follow-ups", "list", "--kind", "rectify", "--due", "late", "--as", "reviewer")
    number = re.search(r"^(\d+)　\S+　责令改正　2026-07-01（逾期）$", listed, re.M)[1]
    assert f"{number}　" in portal.well("record", "close", "--list", "--as", "reviewer")
    act = ("--as", "reviewer")
    assert "责令改正通知书送达" in portal.well("follow-ups", "issue", number, "--note", "直接送达", *act)
    assert "本操作由" in portal.refused("follow-ups", "extend", number, "--days", "3", "--reason", "装修", "--as", "planner")
    assert "已延长到 2026-07-06" in portal.well("follow-ups", "extend", number, "--days", "3", "--reason", "装修", *act)
    recheck = re.search(r"编号 (\d+)", portal.well("follow-ups", "recheck", number, "--days", "2", *act))[1]
    assert "请先办结复查" in portal.refused("follow-ups", "close", number, "--result", "已改正", *act)
    assert "请选择下一项处置" in portal.refused("follow-ups", "close", recheck, "--result", "未改正", "--ending", "uncorrected", *act)
    assert "请同时写 --then" in portal.refused("follow-ups", "close", recheck, "--result", "未改正", "--days", "3", *act)
    then = portal.well("follow-ups", "close", recheck, "--result", "仍未公示", "--ending", "uncorrected", "--then", "case", "--note", "移送大队", *act)
    following = re.search(r"下一项编号 (\d+)", then)[1]
    shown = portal.well("follow-ups", "show", number, *act)
    assert all(words in shown for words in ("已办结", "直接送达", "安排复查", "办结：未改正，复查：仍未公示")) and "期限" not in shown.splitlines()[-1]
    assert "请写明移送或抄告给哪个单位" in portal.refused("follow-ups", "issue", following, *act)
    portal.well("record", "close", following, "--result", "大队已立案", *act)
    assert "已办结的后续处置 3 项" in portal.well("follow-ups", "list", "--state", "closed", *act)

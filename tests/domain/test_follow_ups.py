"""The life of a follow-up as data: kinds lead to kinds, and nothing leads nowhere."""

from datetime import date

from portal.domain.follow_ups import DONE, ENDINGS, KINDS, acts_of, counted, due_of, ending_of, label_of
from portal.sector_checks import right_follow_ups
from portal.domain.model import FollowUp


def _row(kind, state="open", days=10, on=date(2026, 7, 2)):
    return {"kind": kind, "state": state, **counted(days, on)}


def test_every_kind_a_sector_may_propose_has_a_life_that_ends():
    for code, kind in KINDS.items():
        assert right_follow_ups([FollowUp(code)])
        assert kind.endings or code == "none"
        assert not kind.endings or any(not ending.then for ending in kind.endings), "an end without something after it"
        for ending in kind.endings:
            assert set(ending.then) <= KINDS.keys() - {"none"} and ENDINGS[ending.code] == ending.label
        assert ending_of(code, DONE).label == "已办结" and ending_of(code, "nonsense") is None


def test_steps_by_kind_and_state():
    assert acts_of(_row("rectify")) == ("issue", "answer", "recheck", "extend", "close")
    assert acts_of(_row("rectify", "issued")) == ("answer", "recheck", "extend", "close")
    assert acts_of(_row("rectify", "answered", 0)) == ("recheck", "close"), "nothing to extend"
    assert acts_of(_row("abnormal_list")) == ("issue", "close"), "the law's days"
    assert acts_of(_row("recheck", days=10, on=None)) == ("answer", "close"), "counts from a report"
    assert acts_of(_row("rectify", "closed")) == acts_of(_row("none")) == ()
    assert (label_of("rectify", "issue"), label_of("recheck", "close")) == ("责令改正通知书送达", "办结")


def test_a_deadline_is_a_day_or_says_why_it_is_none():
    assert due_of(_row("rectify")).on == date(2026, 7, 16)
    assert due_of(_row("rectify", days=0)).state == "none"
    assert due_of(_row("recheck", on=None)).state == "waits"
    assert due_of(_row("rectify", on=date(2026, 12, 28))).state == "unpublished"
    assert due_of({**_row("rectify", days=0), "due_on": date(2026, 7, 1)}).is_late(date(2026, 7, 2))

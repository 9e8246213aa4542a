"""后续处置: the life of a follow-up as data, by kind; pure, so that pages, commands and steps say the same.

    open -> issued -> answered -> closed        every state but `closed` may go straight to `closed`

A follow-up begins when a review confirms it, or out of another one: an order to rectify is
re-checked, a re-check that finds nothing corrected is followed by what comes next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain import calendar

__all__ = ["ACTS", "DONE", "ENDINGS", "KINDS", "LONGEST_DAYS", "STATES", "Due", "Ending", "Kind", "acts_of", "counted", "due_of", "ending_of", "label_of"]

#: state -> how it reads
STATES = {"open": "待办", "issued": "办理中", "answered": "已有回复", "closed": "已办结"}
#: step of a follow-up -> how its line in the history begins where the kind has no words of its own
ACTS = {"issue": "发出", "answer": "收到回复", "extend": "延长期限", "recheck": "安排复查", "follow": "转下一项处置", "close": "办结"}
#: the ending of a follow-up closed without saying which (a command, an older record)
DONE = "done"
LONGEST_DAYS = 60  # working days a deadline or an extension may have: longer ones are typing errors


@dataclass(frozen=True, slots=True)
class Ending:
    """How a follow-up can end. `then`: kinds one of which must follow; empty where it is the end."""

    code: str
    label: str
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """`issued`, `answered`: what these steps are called, empty where the kind has no such step.

    `clock`: working days by law, counted by `calendar`, where nobody says another number; 0: none.
    `fixed`: the days are the law's and cannot be extended. `addressed`: issuing must say to whom.
    `guide`: what to tell the entity or to mind, a line each.
    """

    label: str
    endings: tuple[Ending, ...]
    issued: str = ""
    answered: str = ""
    clock: int = 0
    fixed: bool = False
    addressed: bool = False
    rechecked: bool = False
    guide: tuple[str, ...] = ()


_NOT_CORRECTED = ("rectify", "case", "abnormal_list", "transfer", "other")
_CORRECTED = (Ending("corrected", "已改正"), Ending("uncorrected", "未改正", _NOT_CORRECTED))

#: DOMAIN.md section 4 (处置), R50 (ten working days from verification or from the end of the ordered
#: term; 企业信息公示暂行条例 17), R53 (guidance on repair when an enterprise is listed).
KINDS: Mapping[str, Kind] = {
    "none": Kind("无需后续处置", ()),
    "rectify": Kind("责令改正", _CORRECTED, "责令改正通知书送达", "收到整改报告", addressed=False, rechecked=True),
    "recheck": Kind("复查", _CORRECTED, "", "收到整改报告"),
    "transfer": Kind(
        "移送", (Ending("taken", "对方已受理"), Ending("sent_back", "对方不予受理", ("transfer", "case", "other"))), "移送函发出", "收到对方回复",
        addressed=True,
    ),
    "notify": Kind("抄告其他部门", (Ending("told", "已抄告"),), "抄告函发出", "收到对方回复", addressed=True),
    "abnormal_list": Kind(
        "列入经营异常名录", (Ending("listed", "已列入"), Ending("not_listed", "不予列入")), "列入建议报批", "", clock=10, fixed=True,
        guide=(
            "列入应在查实之日起，或者责令公示的期限届满之日起 10 个工作日内完成，期限不能延长。",
            "列入的同时告知企业信用修复的办法：补报年度报告、履行公示义务、更正不实信息，或者办理住所变更登记、重新取得联系以后，可以申请移出。",
            "申请移出向作出列入决定的机关提出，可以在国家企业信用信息公示系统在线办理；材料和办理时限按现行信用修复规定。",
        ),
    ),
    "case": Kind(
        "案件线索移送办案机构", (Ending("filed", "已立案"), Ending("not_filed", "不予立案")), "线索移送办案机构", "收到办案机构回复", addressed=True,
    ),
    "other": Kind("其他处置", (Ending(DONE, "已办结"),), "开始办理", ""),
}  # fmt: skip

#: code -> label, of all endings of all kinds
ENDINGS: Mapping[str, str] = {DONE: "已办结"} | {ending.code: ending.label for kind in KINDS.values() for ending in kind.endings}


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline. `state`: none (nobody set one) | waits (counts from a report that is not in) | unpublished (its year's working days are not out) | set."""

    state: str
    on: date | None = None

    def is_late(self, today: date) -> bool:
        return self.on is not None and self.on < today


def due_of(row: Mapping[str, Any]) -> Due:
    """The deadline of a stored follow-up: the day kept with it, else counted now, when its year may have come out."""
    if row["due_on"]:
        return Due("set", row["due_on"])
    if not row["due_days"]:
        return Due("none")
    if row["counts_on"] is None:
        return Due("waits")
    counted_now = calendar.due_on(row["counts_on"], row["due_days"])
    return Due("set", counted_now) if counted_now else Due("unpublished")


def counted(days: int, on: date | None) -> dict[str, Any]:
    """The columns of a deadline of so many working days after `on` (None: not begun); 0 days: no deadline."""
    begun = on if days else None
    return {"due_days": days, "counts_on": begun, "due_on": calendar.due_on(begun, days) if begun else None}


def acts_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The steps a stored follow-up can take now, in the order people take them."""
    kind, state = KINDS[row["kind"]], row["state"]
    if state == "closed" or row["kind"] == "none":
        return ()
    due = due_of(row)
    found = []
    if state == "open" and kind.issued:
        found.append("issue")
    if state in ("open", "issued") and kind.answered:
        found.append("answer")
    if kind.rechecked:
        found.append("recheck")
    if due.state in ("set", "unpublished") and not kind.fixed:
        found.append("extend")
    return (*found, "close")


def ending_of(kind: str, code: str) -> Ending | None:
    """An ending of a kind by its code; DONE is one of every kind."""
    known = {ending.code: ending for ending in KINDS[kind].endings}
    return known.get(code) or (Ending(DONE, ENDINGS[DONE]) if code == DONE else None)


def label_of(kind: str, act: str) -> str:
    """How a step of this kind reads in its history and on its button."""
    words = {"issue": KINDS[kind].issued, "answer": KINDS[kind].answered}.get(act, "")
    return words or ACTS[act]

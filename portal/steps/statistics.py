"""Figures of a period: what was drawn, checked, found, published and followed up, each with the list behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from portal.domain.errors import BadInput, Problem
from portal.domain.list_columns import CHECKS, FOLLOW_UPS, INSPECTORS, VISITS
from portal.domain.lists import Listing
from portal.domain.statistics import MEASURES, Figure, Line, Period, Section, Tally, check_period, months_of
from portal.steps.acting import Acting
from portal.steps.lists import load_options, open_reach
from portal.store import accounts, plan
from portal.store import lists as store

__all__ = ["Statistics", "load_statistics"]

CLASSES = ("A", "B", "C", "D", "未分类")
Rows = Iterable[tuple[str, str]]  # (value of the grouping column, how it reads)


@dataclass(frozen=True, slots=True)
class Statistics:
    """`at`: as of when; the figures change with every act after it."""

    period: Period
    at: datetime
    sections: tuple[Section, ...]


async def load_statistics(act: Acting, since: date | None = None, until: date | None = None, org: str = "", plan_id: str = "") -> Statistics:
    """The figures of a period (this year where none is given), of an organisation in reach and all below, of one plan."""
    act.require("statistics.read")
    period = check_period(since or date(act.today.year, 1, 1), until or date(act.today.year, 12, 31))
    units = dict(await load_options(act, "units"))
    if org and org not in units:
        raise BadInput("没有这个单位。", [Problem("org", f"没有编号为“{org[:40]}”的单位，或者不在您的辖区。")])
    plans = dict(await load_options(act, "plans"))
    if plan_id and plan_id not in plans:
        raise BadInput("没有这份计划。", [Problem("plan", "没有这份计划，或者已由新版本代替。请重新选择。")])
    counted = _Counted(act, period, org, plan_id)
    begun = await counted.tally(CHECKS, counted.begins, ("task", "unit", "round"), ("drawn", "done", "judged", "differentiated", "visited", "alone", "saved"))
    found = await counted.tally(CHECKS, counted.inspected, ("unit", "month", "class", "sector"), ("done", "problem", "in_time", "late", "waiting", "overdue"))
    follow_ups = await counted.tally(FOLLOW_UPS, counted.inspected, ("unit",), tuple(MEASURES["follow-ups"]))
    visits = await counted.tally(VISITS, counted.begins, (), ("made", "joint"))
    loads = await counted.tally(INSPECTORS, {"org": org, **counted.period("begins_from", "begins_to")}, ("slots",), ("valid",))
    names = {one["code"]: one["name"] for one in await accounts.load_organisations()}
    shown = await _units_in(act, org)
    tasks = [task for task in await plan.load_current_tasks(act.line) if not plan_id or str(task["plan"]) == plan_id]
    sections = (
        counted.section(
            "completion", "任务完成", "抽中的户次中已经检查的；检查期限始于期间内的任务。", "任务", CHECKS, counted.begins, "task",
            _known([(str(task["id"]), task["name"]) for task in tasks if not (task["drawn_by"] == "below")], begun.over("task"), {}), begun, (("drawn", "抽中"), ("done", "已检查")), "share", 1, 0,
        ),
        counted.section(
            "completion-units", "各单位完成", "按检查所在的单位。", "单位", CHECKS, counted.begins, "unit", _known(shown, begun.over("unit"), names), begun,
            (("drawn", "抽中"), ("done", "已检查")), "share", 1, 0,
        ),
        counted.section(
            "publication", "按时公示", "检查完成后 20 个工作日内公示；检查日期在期间内。", "单位", CHECKS, counted.inspected, "unit", _known(shown, found.over("unit"), names), found,
            (("done", "已检查"), ("in_time", "按时公示"), ("late", "逾期公示"), ("waiting", "未到期"), ("overdue", "逾期未公示")), "stack",
        ),
        counted.section(
            "months", "按月检查", "按检查日期。", "月份", CHECKS, counted.inspected, "month", [(month, _month(month)) for month in months_of(period, act.today)], found,
            (("done", "已检查"), ("problem", "发现问题"), ("in_time", "按时公示"), ("late", "逾期公示"), ("overdue", "逾期未公示")), "columns", 0, 0,
        ),
        counted.section(
            "follow-ups", "后续处置", "审核确认的处置，不含“无需后续处置”；检查日期在期间内。", "单位", FOLLOW_UPS, counted.inspected, "unit",
            _known(shown, follow_ups.over("unit"), names), follow_ups,
            (("all", "处置"), ("closed", "按期办结"), ("closed_late", "逾期办结"), ("open", "办理中"), ("late", "逾期未办结")), "stack",
        ),
        counted.section(
            "classes", "分类问题发现率", "分类以抽取时为准；不按分类抽取的任务用名录现在的分类。仅供内部使用。", "信用类别", CHECKS, counted.inspected, "grade",
            _known([(one, one) for one in CLASSES], found.over("class"), {}), found, (("done", "已检查"), ("problem", "发现问题")), "share", 1, 0,
        ),
        counted.section(
            "sectors", "各业务问题发现率", "抽查结果为国家代码中属于问题的各项。", "业务模块", CHECKS, counted.inspected, "sector",
            _known(await load_options(act, "sectors"), found.over("sector"), {}), found, (("done", "已检查"), ("problem", "发现问题")), "share", 1, 0,
        ),
        counted.shares(begun, visits),
        counted.section(
            "avoided", "减少入企", "各自入企是每个户次单独上门；合并后一次上门查几项，减少的是二者之差。", "轮次", CHECKS, counted.begins, "round",
            _known([], begun.over("round"), dict(await load_options(act, "rounds"))), begun, (("visited", "各自入企"), ("alone", "合并后入企"), ("saved", "减少")), "share", 2, 0,
        ),
        counted.load(loads),
    )  # fmt: skip
    return Statistics(period, act.now, sections)


async def _units_in(act: Acting, org: str) -> list[tuple[str, str]]:
    """(code, name) of the organisations asked for, in the order of their codes."""
    organisations = await accounts.load_organisations()
    root = next((one["id"] for one in organisations if one["code"] == org), None)
    wanted = act.tree if root is None else accounts.tree_of(organisations, root) & act.tree
    return [(one["code"], one["name"]) for one in organisations if one["id"] in wanted]


def _known(rows: Rows, found: Mapping[Any, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """The rows, and those that only the counts know: what is counted is always shown."""
    listed = list(rows)
    known = {value for value, _ in listed}
    more = sorted(str(value) for value in found if value is not None and str(value) not in known)
    return listed + [(value, names.get(value, value)) for value in more]


def _month(month: str) -> str:
    return f"{month[:4]}年{int(month[5:])}月"


#: a filter's name -> the column it looks at, where they differ
_COLUMNS = {"grade": "class"}


class _Counted:
    """Counts under the same period, organisation and plan, and the filters that say so in an address."""

    def __init__(self, act: Acting, period: Period, org: str, plan_id: str):
        self.act, self.asked, self.org, self.plan = act, period, org, plan_id
        self.begins = {"org": org, "plan": plan_id, **self.period("begins_from", "begins_to")}
        self.inspected = {"org": org, "plan": plan_id, **self.period("since", "until")}

    def period(self, since: str, until: str) -> dict[str, str]:
        return {since: self.asked.since.isoformat(), until: self.asked.until.isoformat()}

    async def tally(self, listing: Listing, given: Mapping[str, str], by: Sequence[str], names: Sequence[str]) -> Tally:
        measures = {name: MEASURES[listing.name][name] for name in names}
        return Tally(by, await store.count_groups(listing, await open_reach(self.act, listing), given, by, measures))

    def figure(self, number: int, listing: Listing, measure: str, *given: Mapping[str, str]) -> Figure:
        filters = {name: value for one in (*given, MEASURES[listing.name][measure]) for name, value in one.items() if value}
        return Figure(number, listing.name, tuple(filters.items()))

    def section(
        self, name: str, title: str, about: str, first: str, listing: Listing, base: Mapping[str, str], by: str, rows: Rows, tally: Tally,
        measures: Sequence[tuple[str, str]], chart: str, part: int = 0, whole: int = 0,
    ) -> Section:  # fmt: skip
        counts = {str(value): numbers for value, numbers in tally.over(_COLUMNS.get(by, by)).items()}
        lines = [
            Line(label, tuple(self.figure(counts.get(value, {}).get(measure, 0), listing, measure, base, {by: value}) for measure, _ in measures))
            for value, label in rows
        ]  # fmt: skip
        total = Line("合计", tuple(self.figure(tally.total(measure), listing, measure, base) for measure, _ in measures), total=True)
        return Section(
            name=name, title=title, about=about, first=first, heads=tuple(label for _, label in measures), lines=(*lines, total), chart=chart, part=part, whole=whole,
        )  # fmt: skip

    def shares(self, begun: Tally, visits: Tally) -> Section:
        """差异化 and 联合: two shares with bases of their own."""
        lines = (
            Line("差异化抽查户次", tuple(self.figure(begun.total(one), CHECKS, one, self.begins) for one in ("judged", "differentiated"))),
            Line("联合入企", tuple(self.figure(visits.total(one), VISITS, one, self.begins) for one in ("made", "joint"))),
        )
        about = "差异化：比例按信用类别不同的任务抽中的户次，专业领域不计入；联合：一次入企查两个及以上业务模块的事项。"
        return Section(name="shares", title="差异化与联合", about=about, first="指标", heads=("总数", "其中"), lines=lines, chart="share", part=1, whole=0)

    def load(self, loads: Tally) -> Section:
        """How many people had so many places on visits; nobody is named and nobody is put in order."""
        people = {int(value): numbers["valid"] for value, numbers in loads.over("slots").items() if numbers["valid"]}  # type: ignore[call-overload]
        base = {"org": self.org, **self.period("begins_from", "begins_to")}
        lines = [
            Line(f"{slots} 个名额", (self.figure(people.get(slots, 0), INSPECTORS, "valid", base, {"slots": str(slots)}),))
            for slots in (range(max(people) + 1) if people and max(people) <= 30 else sorted({0, *people}))
        ]  # fmt: skip
        total = Line("合计", (self.figure(sum(people.values()), INSPECTORS, "valid", base),), total=True)
        about = "有证且在期的人员中，期间内随机匹配到这么多名额的有几人；不按计划区分。只看是否均衡，不评比个人。"
        return Section(name="load", title="人员工作量", about=about, first="名额", heads=("人数",), lines=(*lines, total), chart="columns")

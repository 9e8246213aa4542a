"""Risk classes: several scales side by side, who stands where on a day, and what a class means for a task.

A credit-risk class (A-D, elsewhere A-E) and a sector's own grade (food, equipment) are
different scales and are never mixed: a task goes by one. Classes are an internal reference
and never public; a task whose strata come from here can only be in a sealed round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.domain.bundle import WHOLE
from portal.domain.errors import BadInput, Problem

__all__ = [
    "Adjustment", "AttributeRule", "ClassRatios", "Frequency", "Grading", "Scale", "Sorted", "check_class_ratios",
    "grade_on", "is_differentiated", "sort_by_class", "times_due",
]


@dataclass(frozen=True, slots=True)
class Scale:
    """`grades`: grade -> its name, from the lowest risk to the highest; any number of them."""

    code: str
    name: str
    grades: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grading:
    """One line of an import: an entity's grade on a scale, in a `version` that speaks of the day `on`."""

    entity: str
    scale: str
    grade: str
    version: str
    on: date


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A grade set by hand (动态调整), with the reason that made somebody do it; holds until the next import or `until`."""

    entity: str
    scale: str
    grade: str
    reason: str
    by: str
    on: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Frequency:
    """At most or about `times` in `years` (每 2 年 1 次 is 1 in 2)."""

    times: int
    years: int = 1


@dataclass(frozen=True, slots=True)
class ClassRatios:
    """What a scale's grades mean for a task: a ratio in ppm and a frequency for each grade.

    `unclassed`: ppm of those without a grade; None: there may be none of those.
    """

    scale: str
    ppm: Mapping[str, int]
    frequency: Mapping[str, Frequency] = field(default_factory=dict)
    unclassed: int | None = None


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """A ratio by attribute beside the classes, e.g. all-zero annual reports at 100 %.

    Matches where `attribute` is one of `values` (compared as text), or is at least `at_least`.
    """

    code: str
    name: str
    attribute: str
    ppm: int
    values: tuple[str, ...] = ()
    at_least: int | None = None

    def matches(self, attributes: Mapping[str, Any]) -> bool:
        value = attributes.get(self.attribute)
        if value is None:
            return False
        if self.at_least is not None:
            return type(value) is int and value >= self.at_least
        said = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        return said in self.values


UNCLASSED = "未分类"


@dataclass(frozen=True, slots=True)
class Sorted:
    """A pool by class. `strata`: code -> stratum; `quota`: stratum -> {"ppm"}; `listed`: codes at 100 %, in code order.

    Those at 100 % are no stratum: in a sealed round that would name their class, so they
    are a list task of their own. `unclassed` counts those without a grade.
    """

    strata: Mapping[str, str]
    quota: Mapping[str, Mapping[str, int]]
    listed: Mapping[str, str]  # code -> name of the rule
    unclassed: int


# ---- who stands where -----------------------------------------------------------------


def grade_on(day: date, gradings: Iterable[Grading], adjustments: Iterable[Adjustment] = ()) -> dict[tuple[str, str], str]:
    """(entity, scale) -> grade as it stands on `day`.

    The latest day decides, among imports of one day the greater version; an adjustment
    goes before an import of its own day or an earlier one, and ends with its `until`.
    BadInput for an adjustment without a reason.
    """
    best: dict[tuple[str, str], tuple[tuple[date, int, str], str]] = {}

    def offer(where: tuple[str, str], rank: tuple[date, int, str], grade: str) -> None:
        if where not in best or rank > best[where][0]:
            best[where] = rank, grade

    for one in gradings:
        if one.on <= day:
            offer((one.entity, one.scale), (one.on, 0, one.version), one.grade)
    for change in adjustments:
        if not change.reason.strip():
            raise BadInput(f"“{change.entity}”的分类调整没有写理由。动态调整须写明依据，请补上后重试。")
        if change.on <= day and (change.until is None or day <= change.until):
            offer((change.entity, change.scale), (change.on, 1, ""), change.grade)
    return {where: grade for where, (_, grade) in best.items()}


# ---- what a class means ---------------------------------------------------------------


def check_class_ratios(scale: Scale, ratios: ClassRatios) -> list[Problem]:
    """What is wrong with a task's class ratios: grades missing, unknown, none at all, falling with the risk."""
    what = f"{scale.name}的抽查比例"
    problems = [Problem(what, f"没有写“{scale.grades[grade]}”的比例，不抽的也要写明。") for grade in scale.grades if grade not in ratios.ppm]
    problems += [Problem(what, f"分类“{grade}”不在“{scale.name}”里，应是 {'、'.join(scale.grades)}。") for grade in ratios.ppm if grade not in scale.grades]
    known = [(grade, ratios.ppm[grade]) for grade in scale.grades if grade in ratios.ppm]
    problems += [Problem(what, f"“{scale.grades[grade]}”的比例 {ppm} 应在 0 到 {WHOLE} 之间（百万分比）。") for grade, ppm in known if not 0 <= ppm <= WHOLE]
    problems += [
        Problem(what, f"“{scale.grades[grade]}”的比例是 0：分类监管不是免于抽查，请写大于 0 的比例，或另有依据后改列。")
        for grade, ppm in known if ppm == 0
    ]  # fmt: skip
    for (low, less), (high, more) in zip(known, known[1:], strict=False):
        if more < less:
            problems.append(Problem(what, f"“{scale.grades[high]}”的比例低于“{scale.grades[low]}”：风险越高，比例不应越低。"))
    return problems


def is_differentiated(ratios: ClassRatios | None) -> bool:
    """Whether ratios or frequencies differ by class: what 差异化抽查 counts (DOMAIN.md 14a)."""
    return ratios is not None and (len(set(ratios.ppm.values())) > 1 or len(set(ratios.frequency.values())) > 1)


def sort_by_class(
    scale: Scale,
    ratios: ClassRatios,
    grades: Mapping[str, str],
    entities: Iterable[tuple[str, Mapping[str, Any]]],
    rules: Sequence[AttributeRule] = (),
) -> Sorted:
    """The strata and quota of a task over (code, attributes) entities; `grades`: code -> grade on this scale.

    Where an attribute rule asks for more than the class does, the entity goes by the rule (the
    highest of several). BadInput where grades are unknown, or missing and nothing is said of those.
    """
    if problems := [one for one in check_class_ratios(scale, ratios) if "是 0" not in one.message]:
        raise BadInput(f"{scale.name}的抽查比例有 {len(problems)} 处不对，不能分层。", problems)
    strata: dict[str, str] = {}
    listed: dict[str, str] = {}
    missing: list[str] = []
    ordered = sorted(rules, key=lambda rule: (-rule.ppm, rule.code))
    for code, attributes in entities:
        grade = grades.get(code, "")
        if grade and grade not in scale.grades:
            raise BadInput(f"“{code}”的分类“{grade}”不在“{scale.name}”里，应是 {'、'.join(scale.grades)}。请核对导入的分类。")
        if not grade:
            missing.append(code)
        own = ratios.ppm[grade] if grade else ratios.unclassed or 0
        rule = next((rule for rule in ordered if rule.matches(attributes)), None)
        if rule is not None and rule.ppm > own:
            own, name = rule.ppm, rule.name
        else:
            name = grade or UNCLASSED
        if own == WHOLE:
            listed[code] = name
        else:
            strata[code] = name
    if missing and ratios.unclassed is None and any(strata.get(code) == UNCLASSED for code in missing):
        raise BadInput(
            f"名录中有 {len(missing)} 户没有“{scale.name}”（如 {'、'.join(sorted(missing)[:3])}）。请导入其分类，或写明未分类对象的比例。"
        )
    by_name = {rule.name: rule.ppm for rule in rules}
    quota = {
        name: {"ppm": ratios.ppm[name] if name in ratios.ppm else by_name.get(name, ratios.unclassed or 0)}
        for name in sorted({*strata.values(), *(grade for grade in scale.grades if ratios.ppm[grade] != WHOLE)}, key=str.encode)
    }
    return Sorted(strata, quota, dict(sorted(listed.items())), len(missing))


def times_due(frequency: Frequency, done: Iterable[date], day: date) -> int:
    """How many more draws the frequency leaves by the end of `day`'s year: 0 where it is used up.

    `done`: days of the draws so far; the period is the last `years` calendar years, `day`'s included.
    """
    first = date(day.year - frequency.years + 1, 1, 1)
    return max(0, frequency.times - sum(first <= one <= date(day.year, 12, 31) for one in done))

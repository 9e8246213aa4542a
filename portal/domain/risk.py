"""Risk classes: several scales side by side, who stands where on a day, and what a class means for a task.

A credit-risk class (A-D, elsewhere A-E) and a sector's own grade (food, equipment) are
different scales and are never mixed: a task goes by one. Classes are an internal reference
and never public; a task whose strata come from here can only be in a sealed round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.domain.bundle import WHOLE
from portal.domain.errors import BadInput, Problem

__all__ = [
    "Adjustment", "AttributeRule", "CREDIT", "ClassRatios", "Frequency", "Grading", "Scale", "Sorter", "UNCLASSED", "adjusted_on",
    "check_class_ratios", "check_frequency", "grade_on", "in_force", "is_differentiated", "listed_by", "scale_of_row", "times_due",
]

#: the scale of 企业信用风险分类: what the directory shows of an entity; any other is a sector's own
CREDIT = "credit"
UNCLASSED = "未分类"


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
    """A grade set by hand (动态调整), with the reason that made somebody do it; `grade` "": the imported one again.

    Holds from `on` to `until` (None: until taken back), whatever is imported meanwhile.
    """

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

    Matches where `attribute` is one of `values` (compared as text), or is at least `at_least`;
    with neither, whoever has the attribute at all: a row in the special register of that name.
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
        if not self.values:
            return value not in (False, "", [], {})
        said = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        return said in self.values


# ---- who stands where -----------------------------------------------------------------


def in_force(day: date, adjustments: Iterable[Adjustment]) -> dict[tuple[str, str], Adjustment]:
    """(entity, scale) -> the adjustment that holds on `day`; of several the one begun last, entered last.

    Those taken back (grade "") are left out. BadInput for an adjustment without a reason.
    """
    best: dict[tuple[str, str], Adjustment] = {}
    for change in adjustments:
        if not change.reason.strip():
            raise BadInput(f"“{change.entity}”的分类调整没有写理由。动态调整须写明依据，请补上后重试。")
        where = change.entity, change.scale
        if change.on <= day and (change.until is None or day <= change.until) and (where not in best or change.on >= best[where].on):
            best[where] = change
    return {where: change for where, change in best.items() if change.grade}


def adjusted_on(day: date, adjustments: Iterable[Adjustment]) -> dict[tuple[str, str], str]:
    """(entity, scale) -> grade set by hand that holds on `day` (`in_force`)."""
    return {where: change.grade for where, change in in_force(day, adjustments).items()}


def grade_on(day: date, gradings: Iterable[Grading], adjustments: Iterable[Adjustment] = ()) -> dict[tuple[str, str], str]:
    """(entity, scale) -> grade as it stands on `day`.

    Of the imports the latest day decides, on one day the greater version; what was set by
    hand goes before every import while it holds (`adjusted_on`).
    """
    best: dict[tuple[str, str], tuple[tuple[date, str], str]] = {}
    for one in gradings:
        where, rank = (one.entity, one.scale), (one.on, one.version)
        if one.on <= day and (where not in best or rank > best[where][0]):
            best[where] = rank, one.grade
    return {where: grade for where, (_, grade) in best.items()} | adjusted_on(day, adjustments)


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


def scale_of_row(scales: Iterable[Scale], ppm: Mapping[str, int]) -> Scale:
    """The scale that a plan row's class columns mean: the first that has all its grades, else one of just those grades."""
    for scale in scales:
        if set(ppm) <= set(scale.grades):
            return scale
    return Scale(CREDIT, "企业信用风险分类", {grade: f"{grade}类" for grade in ppm})


def listed_by(rules: Iterable[AttributeRule], attributes: Mapping[str, Any]) -> str:
    """The name of the rule by which an entity is checked for certain (100 %), else empty."""
    return next((rule.name for rule in rules if rule.ppm == WHOLE and rule.matches(attributes)), "")


class Sorter:
    """Sorts entities into the strata of a task that goes by class, one after the other.

    Where an attribute rule asks for more than the class does, the entity is in the rule's own
    stratum (the highest of several). One at 100 % would name its members in a sealed round
    (DRAW.md section 1): those stay in the stratum of their class, are passed over there and
    belong into a list task of their own (`listed_by`). BadInput for ratios that no sealed round can take.
    """

    def __init__(self, scale: Scale, ratios: ClassRatios, rules: Sequence[AttributeRule] = ()):
        problems = check_class_ratios(scale, ratios)
        everybody = {**{scale.grades[grade]: ratios.ppm.get(grade) for grade in scale.grades}, UNCLASSED: ratios.unclassed}
        problems += [
            Problem(f"{scale.name}的抽查比例", f"“{name}”的比例是 100%：密封轮次里按类全部抽取会泄露分类。请改为低于 100% 的比例。")
            for name, ppm in everybody.items() if ppm == WHOLE
        ]  # fmt: skip
        if ratios.unclassed == 0:
            problems.append(Problem(f"{scale.name}的抽查比例", "未分类对象的比例是 0：没有分类不是免于抽查，请写大于 0 的比例。"))
        names = Counter((*scale.grades, UNCLASSED, *(rule.name for rule in rules)))
        problems += [Problem("按属性的抽查规则", f"“{name}”既是分类又是规则名，或有两条规则同名，分不开。请改名。") for name in names if names[name] > 1]
        if problems:
            raise BadInput(f"{scale.name}的抽查比例有 {len(problems)} 处不对，不能分层。", problems)
        self.scale, self.ratios = scale, ratios
        self.rules = sorted(rules, key=lambda rule: (-rule.ppm, rule.code))
        self.missing: list[str] = []
        self._met: dict[str, int] = {}  # attribute strata met -> ppm

    def place(self, code: str, grade: str, attributes: Mapping[str, Any]) -> str:
        """The stratum of an entity; `grade` empty: it has none. BadInput for a grade of another scale."""
        if grade and grade not in self.scale.grades:
            raise BadInput(f"“{code}”的分类“{grade}”不在“{self.scale.name}”里，应是 {'、'.join(self.scale.grades)}。请核对导入的分类，或写明这一分类的抽查比例。")
        if not grade:
            self.missing.append(code)
        own = self.ratios.ppm[grade] if grade else self.ratios.unclassed or 0
        for rule in self.rules:
            if own < rule.ppm < WHOLE and rule.matches(attributes):
                self._met[rule.name] = rule.ppm
                return rule.name
        return grade or UNCLASSED

    def require_classed(self) -> None:
        """BadInput where entities have no grade and nothing says what to do with those: how many, some by code."""
        if self.missing and self.ratios.unclassed is None:
            some = "、".join(sorted(self.missing)[:3])
            raise BadInput(
                f"名录中有 {len(self.missing)} 户没有“{self.scale.name}”（如 {some}）。"
                "请导入其分类，或在计划行的抽查比例、辖区规则的 unclassed 中写明未分类对象的比例。"
            )

    def quota(self) -> dict[str, dict[str, int]]:
        """stratum -> {"ppm"}: every grade, the attribute strata met, and those without a grade if there are any."""
        found = {grade: self.ratios.ppm[grade] for grade in self.scale.grades} | self._met
        if self.missing:
            found[UNCLASSED] = self.ratios.unclassed or 0
        return {name: {"ppm": found[name]} for name in sorted(found, key=str.encode)}


def check_frequency(scale: Scale, ratios: ClassRatios, planned: int, most: int | None) -> list[str]:
    """A sentence for each grade due oftener than `planned` draws of a year allow, or than the cap of `most` a year allows."""
    found = []
    for grade, name in scale.grades.items():
        often = ratios.frequency.get(grade)
        if often is None or often.times < often.years:
            continue
        times = -(-often.times // often.years)
        if most is not None and times > most:
            found.append(f"“{name}”每年应抽查 {times} 次，但频次上限规定同一事项每年最多 {most} 次。请在辖区规则中改为一致。")
        elif times > planned:
            found.append(f"“{name}”每年应抽查 {times} 次，计划中只安排了 {planned} 次。请为同一事项再列一行，安排在另一时段。")
    return found


def times_due(frequency: Frequency, done: Iterable[date], day: date) -> int:
    """How many more draws the frequency leaves by the end of `day`'s year: 0 where it is used up.

    `done`: days of the draws so far; the period is the last `years` calendar years, `day`'s included.
    """
    first = date(day.year - frequency.years + 1, 1, 1)
    return max(0, frequency.times - sum(first <= one <= date(day.year, 12, 31) for one in done))

"""Risk classes at work: how a task goes by class, and classes adjusted by hand (动态调整).

Everything here is internal. A class is what was imported last, a person's adjustment goes
before it while it holds, whatever is imported meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from portal.domain.bundle import WHOLE
from portal.domain.errors import BadInput
from portal.domain.profile import Profile
from portal.domain.risk import (
    CREDIT, Adjustment, AttributeRule, ClassRatios, Scale, Sorter, check_frequency, grade_on, in_force, is_differentiated, scale_of_row,
)  # fmt: skip
from portal.steps.acting import Acting
from portal.steps.profile import load_profile
from portal.store import classes as store
from portal.store import directory
from portal.store.engine import transaction
from portal.store.locks import hold

LONGEST = timedelta(days=366)  # of an adjustment: a reason older than a year is given anew


@dataclass(frozen=True, slots=True)
class ByClass:
    """How a task goes by class. `grades`: code -> grade of a sector's own scale, None: the directory's credit-risk class."""

    scale: Scale
    ratios: ClassRatios
    rules: tuple[AttributeRule, ...]
    grades: Mapping[str, str] | None
    adjusted: Mapping[str, str]

    def sorter(self) -> Sorter:
        return Sorter(self.scale, self.ratios, self.rules)

    def problems(self) -> list[str]:
        """Why no sealed round can take these ratios, a sentence each; empty where one can."""
        try:
            self.sorter()
        except BadInput as refused:
            return [one.message for one in refused.problems]
        return []

    def grade(self, code: str, holder: str, risk_class: str, answered: Mapping[str, str]) -> str:
        """The grade of an entry, "" where it has none: a person before the sector (`answered`), the sector before the import."""
        by_hand = self.adjusted.get(code) or self.adjusted.get(holder)
        if by_hand:
            return by_hand
        return answered.get(code) or (risk_class if self.grades is None else self.grades.get(code, ""))


async def load_by_class(act: Acting, task: Mapping[str, Any], day: date) -> ByClass | None:
    """What the plan row says of classes, else the profile for its item on `day`; None where neither says anything.

    Frequencies, attribute rules and what becomes of those without a class are always the profile's,
    but for a row that has an overall ratio too: that is the ratio of those without a class.
    """
    profile = await load_profile(act)
    found = scale_and_ratios(profile, task, day)
    if found is None:
        return None
    scale, ratios = found
    grades = None
    if scale.code != CREDIT:
        grades = {code: grade for (code, _), grade in grade_on(act.today, await store.load_gradings(act.bureau["id"], scale.code)).items()}
    rules = profile.attribute_rules_on(day) if profile else ()
    return ByClass(scale, ratios, rules, grades, await load_adjusted(act, scale.code))


def scale_and_ratios(profile: Profile | None, task: Mapping[str, Any], day: date) -> tuple[Scale, ClassRatios] | None:
    own = profile.class_ratios_for(task["item_code"], day) if profile else None
    if not task["class_ratios"]:
        return (_scale(profile, own, day), own) if profile and own else None
    scales = sorted((one.value for one in profile.scales if one.holds(day)), key=lambda one: _rank(one, own)) if profile else ()
    scale = scale_of_row(scales, task["class_ratios"])
    same = own if own and own.scale == scale.code else None
    unclassed = task["ratio_ppm"] if task["ratio_ppm"] is not None else same.unclassed if same else None
    return scale, ClassRatios(scale.code, task["class_ratios"], same.frequency if same else {}, unclassed)


def _rank(scale: Scale, own: ClassRatios | None) -> int:
    return 0 if own and scale.code == own.scale else 1 if scale.code == CREDIT else 2


def _scale(profile: Profile, ratios: ClassRatios, day: date) -> Scale:
    scale = profile.scale(ratios.scale, day)
    if scale is None:
        raise BadInput(f"辖区规则在 {day} 没有分类体系“{ratios.scale}”（scales），不能按分类抽取。请补上后重新导入辖区规则。")
    return scale


def goes_by_class(profile: Profile | None, task: Mapping[str, Any], day: date) -> bool:
    """Whether a task of a plan will be drawn by class: its row gives no other measure, and row or profile have class ratios."""
    return task["ratio_ppm"] is None and task["fixed_count"] is None and scale_and_ratios(profile, task, day) is not None


def differs(profile: Profile | None, task: Mapping[str, Any], day: date) -> bool:
    """Whether what 差异化抽查 counts is true of a task: it can be drawn by class, with ratios or frequencies that differ."""
    found = scale_and_ratios(profile, task, day) if task["class_ratios"] or goes_by_class(profile, task, day) else None
    return found is not None and is_differentiated(found[1])


def is_list(profile: Profile | None, task: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]], day: date) -> bool:
    """Whether a task of a plan is the list of those checked for certain: all of an item that another task draws by class."""
    if task["ratio_ppm"] != WHOLE or not certain_rules(profile, day):
        return False
    return any(one["item_code"] == task["item_code"] and one["id"] != task["id"] and differs(profile, one, day) for one in tasks)


def certain_rules(profile: Profile | None, day: date) -> tuple[AttributeRule, ...]:
    """The profile's attribute rules that ask for all."""
    return tuple(rule for rule in profile.attribute_rules_on(day) if rule.ppm == WHOLE) if profile else ()


def check_classes(profile: Profile, tasks: Sequence[Mapping[str, Any]], day: date) -> list[tuple[str, str]]:
    """(task name, sentence) where a plan cannot meet the frequency of a class for an item that it draws by class."""
    found = []
    caps = profile.rules_on(day).caps
    for item in sorted({task["item_code"] for task in tasks}):
        mine = [task for task in tasks if task["item_code"] == item and not is_list(profile, task, tasks, day)]
        classed = next((task for task in mine if task["class_ratios"] or goes_by_class(profile, task, day)), None)
        if classed and (known := scale_and_ratios(profile, classed, day)):
            most = min((cap.most for cap in caps if (cap.scope, cap.window) == ("item", "year") and (not cap.of or item in cap.of)), default=None)
            found += [(classed["name"], sentence) for sentence in check_frequency(*known, len(mine), most)]
    return found


# Adjusting ---------------------------------------------------------------------


async def adjust_class(act: Acting, code: str, risk_class: str, reason: str, since: date, until: date | None, scale: str = CREDIT) -> bool:
    """Set an entry's class by hand from `since` to `until`, with the reason; "" takes an earlier adjustment back.

    Kept for ever beside what is imported, which it goes before while it holds. The same once more changes nothing;
    False then. BadInput for a class of no scale, an end missing or too far away, an entry that is not ours.
    """
    act.require("classes.adjust")
    if not reason.strip():
        raise BadInput("请写明调整的依据，如处罚决定书号、抽检报告号、信用修复决定。")
    if since > act.today:
        raise BadInput(f"起始日期 {since} 在今天之后。调整从办理之日起生效，请改为今天或以前。")
    if risk_class and until is None:
        raise BadInput("请写明截止日期：到期自动恢复为导入的分类，仍有依据的再次调整。")
    if until is not None and (until < since or until - since > LONGEST):
        raise BadInput(f"截止日期 {until} 应不早于起始日期 {since}，最长一年。请改正。")
    known = scales_of(await load_profile(act), act.today)
    if scale not in known and not (scale == CREDIT and not known):
        raise BadInput(f"没有分类体系“{scale}”。可以写的有：{'、'.join(f'{one}（{it.name}）' for one, it in known.items()) or CREDIT}。")
    if risk_class and scale in known and risk_class not in known[scale].grades:
        raise BadInput(f"“{known[scale].name}”里没有“{risk_class}”，应是 {'、'.join(known[scale].grades)}。")
    entity = await directory.load_entity(code, act.tree)
    if entity is None:
        raise BadInput(f"名录中没有代码 {code}，或者不在您的辖区。请核对统一社会信用代码。")
    values = {
        "organisation": act.bureau["id"], "code": code, "scale": scale, "risk_class": risk_class, "reason": reason.strip(),
        "since": since, "until": until, "entered_by": act.account, "entered_at": act.now,
    }  # fmt: skip
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if await store.is_repeated(values):
            return False
        if not risk_class and code not in await load_adjusted(act, scale):
            raise BadInput(f"{code} 现在没有人工调整，不需要恢复。")
        await store.save_adjustment(values)
        await act.audit("classes.adjust", code, scale=scale, to=risk_class, reason=reason.strip())
    return True


async def load_adjusted(act: Acting, scale: str = CREDIT) -> dict[str, str]:
    """code -> class set by hand that holds today."""
    return {code: one.grade for code, one in (await load_adjustments_in_force(act, scale)).items()}


async def load_adjustments_in_force(act: Acting, scale: str = CREDIT, code: str = "") -> dict[str, Adjustment]:
    """code -> the adjustment by hand that holds today; with `code` of that one alone."""
    return {one: found for (one, _), found in in_force(act.today, await store.load_adjustments(act.bureau["id"], scale, code)).items()}


def scales_of(profile: Profile | None, day: date) -> dict[str, Scale]:
    """code -> scale of a profile that holds on a day; empty without one."""
    return {one.value.code: one.value for one in profile.scales if one.holds(day)} if profile else {}


async def load_scales(act: Acting) -> dict[str, Scale]:
    """code -> scale of the profile in force today; empty without a profile."""
    return scales_of(await load_profile(act), act.today)


def missing_sentence(scale: Scale, count: int, some: Iterable[str]) -> str:
    """How many have no class, for people, before anything is frozen."""
    return f"在册的有 {count} 户没有“{scale.name}”（如 {'、'.join(some)}），辖区规则没有写明其比例（unclassed）。冻结名录前请导入其分类，或补上比例。"

"""Made-up findings for visits: any form is filled so that it would be accepted, mostly 合格, some problems.

The forms' own rules decide what is asked (`forms.visible`) and what is wrong
(`forms.check_answers`); a sector's further rules come in as `validate`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

from portal.domain.errors import Problem
from portal.domain.forms import check_answers, clean_answers, visible
from portal.domain.model import Choice, Field, Form, Record, Section
from portal.domain.opinion import OPINION, asked_in
from portal.domain.sample_stream import Stream, topic_key

__all__ = ["ATTACHMENTS", "SampleVisit", "sample_answers"]

#: Ids of the attachments that required photos, files and signatures refer to: the caller makes them exist.
ATTACHMENTS: Mapping[str, str] = {"photo": "sample-photo", "file": "sample-file", "signature": "sample-signature"}

Validate = Callable[[Record, Form], Sequence[Problem]]


@dataclass(frozen=True, slots=True)
class SampleVisit:
    """One form to fill on one visit: `form` is its code, `items` what it answers, `inspectors` the assigned codes."""

    code: str
    entity: str
    task: str
    form: str
    items: tuple[str, ...]
    planned_on: date
    inspectors: tuple[str, ...]
    entity_name: str = ""


_PROBLEM_PERCENT = 8
_UNREACHABLE_PERCENT = 3
_BAD = re.compile(r"无法|未按|未公示|逾期|不一致|(?<!未)拒绝|不符|虚假|隐瞒|弄虚|不合格|违法|超期|停业|注销|吊销|没有|不配合|(?<!不)存在问题")
_UNREACHABLE = re.compile(r"无法联系")
_BAD_VALUES = frozenset(("no", "unreachable", "late", "missing", "false", "bad", "fail", "absent", "expired"))
_METHODS = ("实地核查", "实地核查", "实地核查", "书面检查", "网络监测")
#: Outcome of a found problem with its share: the order in which they are tried begins at one drawn by share.
_OUTCOMES = (("rectified", 60), ("undisclosed", 18), ("pending", 17), ("false_disclosure", 4), ("uncooperative", 1))
_REASONS = ("负责人称变更后未及时办理", "相关材料没有及时更新", "经办人员更换后疏漏", "负责人称不了解有关规定", "现场未能提供证明材料")
_ATTEMPTS = "两次上门均大门紧闭，拨打登记的电话为空号，邮寄的专用信函被退回，物业称已搬离半年以上。"


def sample_answers(
    visits: Iterable[SampleVisit], forms: Sequence[Form], seed: str | int = 1, validate: Validate | None = None,
) -> Iterator[dict[str, Any]]:
    """One record per visit and form: visit, task, form, version, answers, outcomes, inspected_on, recorder, method, opinion.

    `outcomes` are codes of model.OUTCOMES for every item. About 8 % find problems and 3 %
    of entities cannot be reached (in all their records). With `validate` the answers also
    satisfy it: where no outcome fits a problem, the record finds none. A visit's records stand
    together: what two forms share is answered alike. ValueError where a
    form cannot be filled at all (a constraint nothing usual satisfies).
    """
    by_code = {form.code: form for form in forms}
    key = topic_key(seed, "answers")
    now, told = "", {}
    for visit in visits:
        if visit.code != now:
            now, told = visit.code, {}
        form = by_code[visit.form]
        stream = Stream(key, f"{visit.code} {visit.task} {visit.form}")
        lost = Stream(key, visit.entity).chance(_UNREACHABLE_PERCENT)
        mode = "unreachable" if lost else "problem" if stream.chance(_PROBLEM_PERCENT) else "fine"
        answers, outcomes = _finding(visit, form, stream, mode, validate, told)
        opinion = "" if mode == "unreachable" else "情况属实，按要求改正。" if any(o != "none" for o in outcomes.values()) else "无异议。"
        if opinion and asked_in(form) and OPINION in answers:
            answers[OPINION] = opinion  # the form's own question and the record say one thing
        told |= {_question(one): answers[one.name] for one in form.fields() if one.shared and one.name in answers and not _is_own(one, answers[one.name])}
        yield {
            "visit": visit.code, "task": visit.task, "form": form.code, "version": form.version, "answers": answers,
            "outcomes": outcomes, "inspected_on": visit.planned_on, "recorder": visit.inspectors[0] if visit.inspectors else "",
            "method": "实地核查" if mode == "unreachable" else stream.pick(_METHODS),
            "opinion": opinion,
        }


def _finding(
    visit: SampleVisit, form: Form, stream: Stream, mode: str, validate: Validate | None, told: Mapping[Any, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    fine = dict.fromkeys(visit.items, "none")
    if mode == "unreachable" and any(_is_unreachable(choice) for field in form.fields() for choice in field.choices):
        answers = _Filler(form, visit.planned_on, stream, lost=True, told=told).fill()
        outcomes = dict.fromkeys(visit.items, "unreachable")
        if _agrees(visit, form, answers, outcomes, validate):
            return answers, outcomes
    if mode == "problem":
        for kept in (False, False, False, True):
            steady = _steady(visit, form, stream, validate, told) if kept else None
            failing = _failing_points(form, visit.planned_on, stream, told)
            if not failing:
                break
            answers = _Filler(form, visit.planned_on, stream, failing=failing, steady=steady, told=told).fill()
            for outcomes in _tries(form, visit.items, stream):
                if _agrees(visit, form, answers, outcomes, validate):
                    return answers, outcomes
    for kept in (False, False, False, True):
        steady = _steady(visit, form, stream, validate, told) if kept else None
        answers = _Filler(form, visit.planned_on, stream, steady=steady, told=told).fill()
        if _agrees(visit, form, answers, fine, validate):
            return answers, fine
    raise ValueError(f"form {form.code}: a record that finds nothing is refused by its sector ({visit.code})")


@dataclass(frozen=True, slots=True)
class _Steady:
    """How to answer where a sector refused what chance gave: numbers are equal, all good choices are taken,
    a repeat has one row, and a count or a 是/否 that was refused is another one."""

    refused: frozenset[str]


def _steady(visit: SampleVisit, form: Form, stream: Stream, validate: Validate | None, told: Mapping[Any, Any]) -> _Steady:
    fine = dict.fromkeys(visit.items, "none")
    answers = _Filler(form, visit.planned_on, stream, steady=_Steady(frozenset()), told=told).fill()
    return _Steady(_refused(visit, form, answers, fine, validate))


def _refused(
    visit: SampleVisit, form: Form, answers: Mapping[str, Any], outcomes: Mapping[str, str], validate: Validate | None
) -> frozenset[str]:
    """The fields that the sector's own rules name."""
    if validate is None:
        return frozenset()
    record = Record(
        visit.code, visit.task, visit.entity, visit.entity_name, visit.items, answers, outcomes, visit.planned_on
    )
    return frozenset(problem.field for problem in validate(record, form))


def _agrees(
    visit: SampleVisit, form: Form, answers: Mapping[str, Any], outcomes: Mapping[str, str], validate: Validate | None
) -> bool:
    return not _refused(visit, form, answers, outcomes, validate)


def _tries(form: Form, items: Sequence[str], stream: Stream) -> Iterator[dict[str, str]]:
    """Outcomes to try for a found problem: one item, then two, then all; the one drawn by its share first.

    The two outcomes about disclosure are only for forms about disclosure.
    """
    fitting = [one for one in _OUTCOMES if "公示" in form.title or one[0] not in ("undisclosed", "false_disclosure")]
    drawn = stream.pick([outcome for outcome, share in fitting for _ in range(share)])
    for outcome in dict.fromkeys((drawn, "rectified", "pending")):
        for count in (1, 2):
            for some in combinations(items, min(count, len(items))):
                yield dict.fromkeys(items, "none") | dict.fromkeys(some, outcome)
        yield dict.fromkeys(items, outcome)


def _failing_points(form: Form, today: date, stream: Stream, told: Mapping[Any, Any]) -> frozenset[str]:
    """One or two points that go wrong: verdicts where there are any, else a choice with a bad option."""
    asked = set(_Filler(form, today, stream, told=told).fill()) - {field.name for field in form.fields() if field.shared and _question(field) in told}
    verdicts = [field.name for field in form.fields() if field.type == "verdict" and field.name in asked]
    if not verdicts:
        verdicts = [field.name for field in form.fields() if field.name in asked and field.type == "select_one"
                    and any(_is_bad(choice) and not _is_unreachable(choice) for choice in field.choices)]
    count = 2 if len(verdicts) > 3 and stream.chance(20) else 1
    return frozenset(stream.several(verdicts, count)) if verdicts else frozenset()


class _Filler:
    """Fills one form: asks again what is visible after each pass, since answers open and close further points."""

    __slots__ = ("failing", "form", "lost", "steady", "stream", "today", "told")

    def __init__(
        self, form: Form, today: date, stream: Stream, failing: frozenset[str] = frozenset(), lost: bool = False,
        steady: _Steady | None = None, told: Mapping[Any, Any] | None = None,
    ):  # fmt: skip
        self.form, self.today, self.stream, self.failing, self.lost, self.steady = form, today, stream, failing, lost, steady
        self.told = told or {}  # question -> what another form of the visit was told

    def fill(self) -> dict[str, Any]:
        fields = {field.name: field for field in self.form.fields()}
        calculated = {name for name, field in fields.items() if field.type in ("calculated", "note")}
        answers: dict[str, Any] = {}
        seen: set[str] = set()
        while fresh := [n for n in visible(self.form, answers, self.today) if n not in seen and n not in calculated]:
            for name in fresh:
                seen.add(name)
                answer = self._answer(fields[name])
                if answer not in (None, "", []):
                    answers[name] = answer
            kept = clean_answers(self.form, answers, self.today)
            answers = {name: answers[name] for name in answers if name in kept}
            seen &= set(visible(self.form, answers, self.today))  # a point that closes and opens again is asked again
        return self._repaired(fields, answers)

    def _repaired(self, fields: Mapping[str, Field], answers: dict[str, Any]) -> dict[str, Any]:
        """Other usual values for what the form's constraints refuse."""
        for problem in check_answers(self.form, answers, self.today):
            field = fields.get(problem.field)
            if field is None:
                continue
            for other in _others(field):
                trial = answers | {field.name: other}
                if not any(p.field == field.name for p in check_answers(self.form, trial, self.today)):
                    answers = trial
                    break
            else:
                answers = {name: answer for name, answer in answers.items() if name != field.name}
        left = check_answers(self.form, answers, self.today)
        if left:
            raise ValueError(f"form {self.form.code} cannot be filled with sample answers: {left[0]}")
        return answers

    def _answer(self, field: Field) -> Any:
        kind, stream = field.type, self.stream
        if field.shared and _question(field) in self.told:
            return self.told[_question(field)]
        if kind == "verdict":
            if field.name in self.failing:
                return "no"
            if self.lost:  # nobody was met: only the telephone can be judged
                return "no" if "电话" in field.label else "na"
            return "na" if not field.key and stream.chance(6) else "yes"
        if kind == "select_one":
            return self._choice(field)
        if kind == "select_multiple":
            good = [choice.value for choice in field.choices if not _is_bad(choice)] or [c.value for c in field.choices]
            if self.lost:  # somebody went there
                good.sort(key=lambda value: not any(c.value == value and re.search("现场|实地", c.label) for c in field.choices))
            if any(choice.value == "none" for choice in field.choices):
                return ["none"]
            if self.steady and field.required:
                return good
            return good[:1 + stream.below(2)] if field.required else []
        if kind in ATTACHMENTS:
            return [ATTACHMENTS[kind]] if field.required else []
        if kind == "repeat":
            rows = 1 + stream.below(2)
            return [self._row(field) for _ in range(1 if self.steady else rows)] if field.required else []
        if kind == "text":
            return self._text(field)
        if not field.required:
            return None
        if self.steady and kind in ("integer", "decimal"):
            return "10" if kind == "decimal" else 10 if field.name in self.steady.refused else 0
        return {"integer": 1 + stream.below(20), "decimal": f"{1 + stream.below(50)}", "date": self.today.isoformat(),
                "time": "09:30", "location": f"27.{100000 + stream.below(899999)},118.{100000 + stream.below(899999)}"}.get(kind)

    def _choice(self, field: Field) -> str:
        if self.lost:
            for choice in field.choices:
                if _is_unreachable(choice):
                    return choice.value
        bad = [choice for choice in field.choices if _is_bad(choice) and not _is_unreachable(choice)]
        good = [choice for choice in field.choices if not _is_bad(choice)]
        if field.name in self.failing and bad:
            return self.stream.pick(bad).value
        if [choice.label for choice in field.choices] == ["是", "否"]:
            wanted = "是" if re.search(r"按|落实|建立|符合|规范|完整|齐全|合格", field.label) else "否"
            if self.steady and field.name in self.steady.refused:
                wanted = "否" if wanted == "是" else "是"
            return next(choice.value for choice in field.choices if choice.label == wanted)
        if not good:  # which kind of problem: the first kind is the usual one
            options = bad or list(field.choices)
            return options[0].value if self.stream.chance(85) else self.stream.pick(options).value
        return good[0].value if self.stream.chance(90) else self.stream.pick(good).value

    def _text(self, field: Field) -> str:
        label = field.label
        if re.search(r"经过|联系方式的记录", label):
            return _ATTEMPTS
        if re.search(r"电话|手机", label):
            return "0000-0000000" if field.required else ""
        if re.search(r"姓名|联系人|现场人员|陪同", label):
            return "现场负责人（样例）"
        if "意见" in label:
            return "无异议。"
        if self.lost:
            return "联系不上，无法核实。" if field.required else ""
        if self.failing:
            return self._fact(field)
        return "已核对，与登记一致。" if field.required else ""

    def _fact(self, field: Field) -> str:
        """What went wrong, in the words of the point it belongs to."""
        points = [one for one in self.form.fields() if one.name in self.failing]
        point = next((one for one in points if field.name.startswith(one.name)), points[0])
        return f"“{point.label[:40]}”一项检查时不符合要求，{self.stream.pick(_REASONS)}，已要求{self.stream.pick((3, 5, 10, 15))}日内改正。"

    def _row(self, field: Field) -> dict[str, Any]:
        inner = Form(self.form.code, self.form.version, field.label, (Section("", field.fields),))
        return _Filler(inner, self.today, self.stream, steady=self.steady).fill()


def _question(field: Field) -> tuple[Any, ...]:
    return field.name, field.type, tuple(field.choices)


def _is_own(field: Field, answer: Any) -> bool:
    return any(choice.own and choice.value == answer for choice in field.choices)


def _is_bad(choice: Choice) -> bool:
    return choice.value in _BAD_VALUES and not choice.label.startswith("未拒绝") and choice.label != "否" \
        or _BAD.search(choice.label) is not None


def _is_unreachable(choice: Choice) -> bool:
    return choice.value == "unreachable" or _UNREACHABLE.search(choice.label) is not None


def _others(field: Field) -> list[Any]:
    """Values to try where the first one broke a constraint."""
    values = [choice.value for choice in field.choices]
    return {
        "verdict": ["yes", "na", "no"],
        "select_one": values,
        "select_multiple": [values[:2], values[:3], values[1:3], values],
        "integer": [0, 1, 2, 5, 10, 50, 100, 1000, 2025],
        "decimal": ["0", "0.5", "1", "5", "10", "100", "25.5"],
        "text": ["13800000000", "0000-0000000", "000000", "A1", "样例", "sample@example.invalid", "https://example.invalid/"],
        "date": ["2025-06-30", "2026-01-01", "2027-12-31", "2030-01-01"],
        "time": ["10:00", "15:00"],
        **{kind: [[one], [one, f"{one}-2"]] for kind, one in ATTACHMENTS.items()},
    }.get(field.type, [])

"""What a person might enter in a form: every point that is asked answered, one of them 不合格, one 不适用, no rule broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Any

from portal.domain.forms import check_answers, clean_answers, visible
from portal.domain.model import AWAITING, Field, Form, Record, Section
from portal.domain.sample_answers import SampleVisit, sample_answers
from portal.plugins import Sectors

ATTACHED = {"photo": "photo", "file": "file", "signature": "signature"}
#: a text unlike all others
NEW = object()
#: to try in order, until the form's rules accept one
USUAL: Mapping[str, Sequence[Any]] = {
    "verdict": ["yes", "na", "no"], "integer": [3, 0, 1, 100, 2025], "decimal": ["12.5", "1", "0.5", "0"], "location": ["27.123456,118.123456"],
    "text": [NEW, "0595-85600000", "13800000000", "000000", "A1", "https://example.invalid/"], "time": ["10:30"],
    "date": ["2026-06-30", "2026-07-30", "2027-12-31", "2025-06-30"],
    **{kind: [[one]] for kind, one in ATTACHED.items()},
}  # fmt: skip


class Person:
    """Fills in one form for the items of one record; `before` are the answers of the record that opened a later form.

    `knows`: name of a point or of a repeat's -> answers to try first.
    """

    def __init__(self, sectors: Sectors, form: Form, items: Sequence[str], on: date, before: Mapping[str, Any] | None = None,
                 knows: Mapping[str, Sequence[Any]] | None = None):  # fmt: skip
        self.knows = knows or {}
        self.sectors, self.form, self.items, self.on, self.before = sectors, form, tuple(items), on, before or {}
        self.words = 0

    def answers(self) -> tuple[dict[str, Any], dict[str, str]]:
        """(answers, outcomes by item); ValueError where nothing usual is accepted."""
        good = self.every(self.good())
        for answers, outcome in chain(self.worse(good), [] if self.before else [(good, AWAITING)], [(good, "none")]):
            outcomes = dict.fromkeys(self.items, outcome)
            problems = self.problems(answers, outcomes)
            if mild := {one.field for one in problems} & outcomes.keys():  # what went wrong is not this item's
                outcomes |= dict.fromkeys(mild, "none")
                problems = self.problems(answers, outcomes)
            if not problems:
                return answers, outcomes
        raise ValueError(f"{self.form.code}: {problems}")

    def good(self) -> dict[str, Any]:
        """A made-up record that finds nothing; of a later form, nothing yet."""
        visit = SampleVisit("V1", "T1", "E1", self.form.code, self.items, self.on, ("I1",))
        for seed in range(0 if self.before else 40):
            [record] = sample_answers([visit], [self.form], seed, self.sectors.validate_record)
            if set(record["outcomes"].values()) == {"none"}:
                return record["answers"]
        return {}

    def worse(self, good: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
        points = [field for field in self.form.fields() if field.type == "verdict" and good.get(field.name) == "yes"]
        for bad in points:
            for unfit in [*reversed([one for one in points if one != bad and not one.key]), None]:
                changed = {**good, bad.name: "no"} | ({unfit.name: "na"} if unfit else {})
                for outcome in ("rectified", "pending"):
                    yield self.every(changed), outcome

    def problems(self, answers: Mapping[str, Any], outcomes: Mapping[str, str]) -> list[Any]:
        found = check_answers(self.form, answers, self.on)
        settled = {item: outcome for item, outcome in outcomes.items() if outcome != AWAITING}
        return found or self.sectors.validate_record(Record("V1", "T1", "E1", "", self.items, answers, settled, self.on, self.before), self.form)

    def every(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """With an answer to all that is asked, and to what the answers open."""
        fields = {field.name: field for field in self.form.fields() if field.type not in ("calculated", "note")}
        answers = dict(given)
        while fresh := [name for name in visible(self.form, answers, self.on) if name in fields and not answers.get(name) and answers.get(name) != 0]:
            for name in fresh:
                answers[name] = self.answer(fields[name], answers)
        return clean_answers(self.form, answers, self.on)

    def row(self, inner: Form) -> dict[str, Any]:
        person = Person(self.sectors, inner, self.items, self.on, knows=self.knows)
        person.words = self.words
        made = person.every({})
        self.words = person.words
        return made

    def answer(self, field: Field, answers: Mapping[str, Any]) -> Any:
        if field.type == "repeat":
            inner = Form(self.form.code, self.form.version, field.label, (Section("", field.fields),))
            tries = [[self.row(inner)]]
        elif field.type == "select_one":
            tries = [one.value for one in field.choices]
        elif field.type == "select_multiple":
            tries = [[one.value] for one in field.choices]
        else:
            self.words += field.type == "text"
            tries = [f"核对无误（{self.words}）" if one is NEW else one for one in USUAL[field.type]]
        for one in [*self.knows.get(field.name, ()), *tries]:
            if not any(problem.field == field.name for problem in check_answers(self.form, {**answers, field.name: one}, self.on)):
                return one
        raise ValueError(f"{self.form.code}: {field.name}")

"""From approved records to what the public reads: private fields dropped first, then everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain.forms import public_answers, visible
from portal.domain.model import AWAITING, OUTCOMES, Field, Form

VERDICTS = {"yes": "合格", "no": "不合格", "na": "不适用"}


def public_points(form: Form, answers: Mapping[str, Any], on: Any) -> list[dict[str, str]]:
    """[{"label", "answer"}] of the answered public fields of a form, in order, as people read them."""
    kept = public_answers(form, answers)
    shown = set(visible(form, answers, on))
    points = []
    for field in form.fields():
        if field.name in kept and field.name in shown:
            answer = read_answer(field, kept[field.name])
            if answer:
                points.append({"label": field.label, "answer": answer})
    return points


def read_answer(field: Field, answer: Any) -> str:
    """An answer as people read it; lists joined, repeats as their count."""
    if answer in (None, "", []):
        return ""
    if field.type == "verdict":
        return VERDICTS.get(answer, str(answer))
    labels = {choice.value: choice.label for choice in field.choices}
    if field.type == "select_one":
        return labels.get(answer, str(answer))
    if field.type == "select_multiple":
        return "、".join(labels.get(value, str(value)) for value in answer)
    if field.type == "repeat":
        return f"{len(answer)} 项"
    if field.type in ("photo", "file", "signature"):
        return f"{len(answer)} 份"
    return str(answer)


def awaits_result(record: Mapping[str, Any], ready: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a record waits for the result of an item that no other of these records of its visit gives."""
    to_come = {item for item, outcome in record["outcomes"].items() if outcome == AWAITING}
    return bool(to_come - {item for one in ready for item, outcome in one["outcomes"].items() if outcome != AWAITING})


def follow_up_of(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> dict[str, Any]:
    """The follow-up state of a record as published: none, open, or closed with its day."""
    if not rows:
        return {"kind": "none", "label": labels["none"], "state": "none", "closed_on": None}
    kinds = "、".join(dict.fromkeys(labels[row["kind"]] for row in rows))
    still_open = any(row["state"] != "closed" for row in rows)
    closed = None if still_open else max(row["closed_on"] for row in rows).isoformat()
    return {"kind": rows[0]["kind"], "label": kinds, "state": "open" if still_open else "closed", "closed_on": closed}


def outcome_words(code: str) -> tuple[str, bool]:
    """(label, counts as a found problem) of an outcome code."""
    outcome = OUTCOMES[code]
    return outcome.label, outcome.problem


def per_cent(part: int, whole: int) -> str:
    """A percentage rounded down to one place, so that an unfinished whole never reads 100%."""
    if not whole:
        return "0%"
    tenths = part * 1000 // whole
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}%"

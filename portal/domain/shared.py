"""Questions that several forms of one visit ask: asked once, and the answer stands in every record.

Forms ask one question where both have a field marked `shared` under the same name, type and
choices.  What was answered last lives in the visit's header; a submitted record fixes its answers
until it is returned.  A page says what it showed (`seen_of`), so that what somebody changed is told
from what somebody merely left standing, and nobody overwrites an answer without having seen it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from portal.domain.errors import Problem
from portal.domain.forms import clean_answers, visible
from portal.domain.model import Field, Form
from portal.domain.packing import pack

__all__ = ["Known", "Settled", "known_answers", "narrowed", "parse_seen", "retold", "seen_of", "settle", "shared_names", "standing", "write_seen"]

#: states in which a record's answers stand
FIXING = ("submitted", "approved", "published", "withdrawn")
_SEEN = re.compile(r"([a-z][a-z0-9_]{0,59})=([0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Known:
    """An answer the visit knows. `form`: code of the form it was given in; `fixed`: by a submitted record."""

    answer: Any
    form: str
    fixed: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What a form's answers come to beside those of the visit.

    `answers`: the form's own and the shared ones; `changed`: shared ones given anew (None: taken
    away); `problems`: what must not be saved, each with both answers.
    """

    answers: Mapping[str, Any]
    changed: Mapping[str, Any]
    problems: Sequence[Problem]


def shared_names(forms: Sequence[Form]) -> dict[str, tuple[str, ...]]:
    """name -> codes of the forms of one visit that ask this one question; at least two."""
    asked: dict[str, dict[tuple[Any, ...], list[str]]] = {}
    for form in sorted(forms, key=lambda one: one.code):
        for field in form.fields():
            if field.shared:
                asked.setdefault(field.name, {}).setdefault((field.type, tuple(field.choices)), []).append(form.code)
    most = {name: max(kinds.values(), key=len) for name, kinds in asked.items()}  # the first of equally many
    return {name: tuple(codes) for name, codes in most.items() if len(codes) > 1}


def known_answers(forms: Sequence[Form], header: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> dict[str, Known]:
    """name -> what is known: fixed by a submitted record, else as the header says, else as a draft says.

    `header`: name -> {"answer", "form"}; `records`: rows with form_code, state and answers.  A draft
    counts where its form was the only one with the question until another task joined the visit.
    """
    fields = {(form.code, field.name): field for form in forms for field in form.fields()}
    found: dict[str, Known] = {}
    for name, codes in shared_names(forms).items():
        given = sorted((r for r in records if r["form_code"] in codes), key=lambda r: (r["state"] not in FIXING, r["form_code"]))
        given = [r for r in given if not _apart(fields[r["form_code"], name], r["answers"].get(name))]
        fixing = next((r for r in given if r["state"] in FIXING), None)
        if fixing:
            found[name] = Known(fixing["answers"][name], fixing["form_code"], True)
        elif name in header:
            if header[name]["answer"] is not None:
                found[name] = Known(header[name]["answer"], header[name]["form"], False)
        elif given:
            found[name] = Known(given[0]["answers"][name], given[0]["form_code"], False)
    return found


def _apart(field: Field, answer: Any) -> bool:
    """Whether it is no answer for other forms: none at all, or one that holds for its form alone."""
    return _empty(answer) or any(choice.own and choice.value == answer for choice in field.choices)


def standing(form: Form, known: Mapping[str, Known], names: Mapping[str, Sequence[str]], answers: Mapping[str, Any]) -> dict[str, Any]:
    """A form's answers as its page shows them: shared ones as the visit knows them."""
    of_form = [field for field in form.fields() if form.code in names.get(field.name, ())]
    own = {field.name for field in of_form if not _empty(answers.get(field.name)) and _apart(field, answers[field.name])}
    shared = {field.name: known[field.name].answer for field in of_form if field.name in known and field.name not in own}
    gone = {field.name for field in of_form} - shared.keys() - own
    return {name: answer for name, answer in answers.items() if name not in gone} | shared


def narrowed(field: Field, known: Known | None) -> Field | None:
    """A fixed question where it can still be answered for the form alone: with those choices; None where it cannot."""
    left = [choice for choice in field.choices if choice.own or known and choice.value == known.answer]
    return replace(field, choices=tuple(left)) if known and known.fixed and any(choice.own for choice in left) else None


# What a page showed --------------------------------------------------------------


def seen_of(answers: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """What a page shows of these questions: name -> digest for each that has an answer."""
    return {name: _digest(answers[name]) for name in sorted(names) if not _empty(answers.get(name))}


def write_seen(seen: Mapping[str, str]) -> str:
    """As a page carries it and sends it back."""
    return " ".join(f"{name}={digest}" for name, digest in sorted(seen.items()))


def parse_seen(text: str) -> dict[str, str]:
    """name -> digest; what is no such pair was never shown."""
    return dict(match.groups() for match in map(_SEEN.fullmatch, text.split(" ")[:500]) if match)


def retold(
    form: Form, known: Mapping[str, Known], names: Mapping[str, Sequence[str]], typed: Mapping[str, Any], seen: Mapping[str, str], told: Iterable[str]
) -> tuple[dict[str, Any], dict[str, str]]:  # fmt: skip
    """What a page shows after a refusal, and what it then has shown: all that was typed, and the answers that came meanwhile.

    `told`: the questions whose two answers the refusal named; whoever keeps his own now means it.
    """
    answers, shown = dict(typed), dict(seen)
    for name in [field.name for field in form.fields() if field.name in known and form.code in names.get(field.name, ())]:
        there, came = known[name], name in told
        if there.fixed and came or _empty(typed.get(name)) and (came or name not in seen):
            answers[name] = there.answer
            came = True
        if came:
            shown[name] = _digest(there.answer)
    return answers, shown


def _digest(answer: Any) -> str:
    return hashlib.sha256(pack(answer).encode()).hexdigest()[:12]


# Saving ----------------------------------------------------------------------------


def settle(
    form: Form, titles: Mapping[str, str], names: Mapping[str, Sequence[str]], known: Mapping[str, Known], given: Mapping[str, Any],
    seen: Mapping[str, str] | None, today: date, *, submit: bool,
) -> Settled:  # fmt: skip
    """The answers given in one form beside those the visit knows.

    `titles`: of the visit's forms; `seen`: what the page showed, None where nobody saw a page (a
    file): then a missing answer is filled in and a differing one is refused.  What somebody left as
    it was shown follows the change of another, unless the record is being submitted or that would
    drop something typed: then it has to be looked at first.
    """
    merged, changed = dict(given), {}
    problems: list[Problem] = []
    followed: list[Field] = []
    on_page = set(visible(form, {**{n: k.answer for n, k in known.items() if k.fixed}, **given}, today))
    for field in form.fields():
        name, mine = field.name, given.get(field.name)
        if form.code not in names.get(name, ()) or not _empty(mine) and _apart(field, mine):
            continue
        there = known.get(name)
        if there is None:
            if not _empty(mine):
                changed[name] = mine
        elif _empty(mine):
            if seen is not None and not there.fixed and name in on_page and seen.get(name) == _digest(there.answer):
                changed[name] = None  # somebody saw it and took it away
            else:
                merged[name] = there.answer
                followed.append(field)
        elif pack(mine) != pack(there.answer):
            base = None if seen is None else seen.get(name)
            if not there.fixed and base == _digest(there.answer):
                changed[name] = mine  # somebody saw what stands there and means another
            elif not there.fixed and base == _digest(mine) and not submit:
                merged[name] = there.answer
                followed.append(field)
            else:
                problems.append(Problem(name, _differs(field, there, mine, titles)))
    if not problems and followed:
        kept = clean_answers(form, merged, today)
        lost = [one for one in clean_answers(form, given, today) if one not in kept and not _empty(given.get(one))]
        if lost:
            field = followed[0]
            problems.append(Problem(field.name, _drops(field, known[field.name], given.get(field.name), len(lost), titles)))
    return Settled(merged, changed, problems)


def _differs(field: Field, there: Known, mine: Any, titles: Mapping[str, str]) -> str:
    how = "已随提交审核的" if there.fixed else "已在"
    then = "同一次入企只有一个答案；要改，先由审核退回那份记录。" if there.fixed else "请核对：以哪个为准就填哪个，再保存一次。"
    return f"“{field.label}”{how}《{titles.get(there.form, there.form)}》{'确定' if there.fixed else '填写'}为“{_said(field, there.answer)}”，这里填的是“{_said(field, mine)}”。{then}"


def _drops(field: Field, there: Known, mine: Any, count: int, titles: Mapping[str, str]) -> str:
    here = f"这里填的是“{_said(field, mine)}”" if not _empty(mine) else "这里还没有填"
    return (
        f"“{field.label}”已在《{titles.get(there.form, there.form)}》填写为“{_said(field, there.answer)}”，{here}。"
        f"照此，您填的 {count} 项不再需要，没有保存。请核对后再保存一次。"
    )


def _said(field: Field, answer: Any) -> str:
    labels = {choice.value: choice.label for choice in field.choices} | ({"yes": "合格", "no": "不合格", "na": "不适用"} if field.type == "verdict" else {})
    if isinstance(answer, (list, tuple)):
        return f"{len(answer)} 份" if field.type in ("photo", "file", "signature") else "、".join(labels.get(str(one), str(one)) for one in answer)
    text = labels.get(str(answer), str(answer))
    return text if len(text) <= 60 else text[:59] + "…"


def _empty(answer: Any) -> bool:
    return answer is None or isinstance(answer, str) and not answer.strip() or isinstance(answer, (list, tuple)) and not answer

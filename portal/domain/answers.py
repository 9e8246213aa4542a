"""Answers as people read them, on a page and on paper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from portal.domain.attachments import ATTACHED, is_uploaded
from portal.domain.forms import VERDICTS
from portal.domain.model import Field, Form

__all__ = ["both_versions", "differences", "numbers_of", "say", "say_rows", "uploads_of"]


def numbers_of(form: Form) -> dict[str, str]:
    """name of each top-level field -> its number (`2.3`); empty for notes and for what belongs to the point before it."""
    found: dict[str, str] = {}
    for section_n, section in enumerate(form.sections, 1):
        count = 0
        for field in section.fields:
            own = field.type != "note" and (not field.show_if or field.key or field.type == "verdict")
            count += own
            found[field.name] = f"{section_n}.{count}" if own else ""
    return found


def say(field: Field, answer: Any) -> str:
    """An answer in words; empty for none."""
    if answer in (None, "", []):
        return ""
    if field.type == "verdict":
        return VERDICTS.get(str(answer), str(answer))
    labels = {choice.value: choice.label for choice in field.choices}
    if field.type in ("select_one", "select_multiple"):
        return "、".join(labels.get(one, one) for one in ([answer] if isinstance(answer, str) else answer))
    if field.type in ATTACHED:
        paper = [one for one in answer if not is_uploaded(one)]
        return f"{len(answer)} 份" + (f"，纸质原件 {'、'.join(paper)}" if paper else "")
    if field.type == "repeat":
        return "；".join(f"（{n}）" + "，".join(f"{label}：{said}" for label, said in row) for n, row in enumerate(say_rows(field, answer), 1))
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def both_versions(form: Form, given: Mapping[str, Any], stands: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(label, what was given now, what stands) of each point that two people answered differently, in the form's order."""
    pairs = [(field.label, say(field, given.get(field.name)), say(field, stands.get(field.name))) for s in form.sections for field in s.fields]
    return [pair for pair in pairs if pair[1] != pair[2]]


def say_rows(field: Field, answer: Any) -> list[list[tuple[str, str]]]:
    """Each row of a repeat as (label, words) of what was answered in it."""
    return [[(one.label, said) for one in field.fields if (said := say(one, row.get(one.name)))] for row in answer or []]


def uploads_of(field: Field, answer: Any) -> list[tuple[str, str]]:
    """(number, type of field) of the photos, signatures and files uploaded for an answer, those in the rows of a repeat too."""
    if field.type == "repeat":
        return [one for row in answer or [] for child in field.fields for one in uploads_of(child, row.get(child.name))]
    return [(one, field.type) for one in answer or [] if is_uploaded(one)] if field.type in ATTACHED else []


def differences(form: Form, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(number, point, old words, new words) of every answer that differs between two saved states of a record, in the form's order.

    Answers that read alike and are not (another photo in place of one) say so.
    """
    numbers, found = numbers_of(form), []
    for field in form.fields():
        before, after = old.get(field.name), new.get(field.name)
        if (before or None) != (after or None):
            words = say(field, before), say(field, after)
            if words[0] == words[1]:
                words = words[0], f"{words[1]}（内容已换）"
            found.append((numbers[field.name], field.label, *words))
    return found

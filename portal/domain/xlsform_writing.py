"""A form of ours -> the sheets of an XLSForm that `read_xlsform` reads back as the same form."""

from __future__ import annotations

from collections.abc import Sequence

from portal.domain.bases import write_bases
from portal.domain.model import Choice, Field, Form
from portal.domain.xlsform import OWN, OWN_OF_CHOICES, VERDICT_LABELS, WRITTEN
from portal.domain.xlsform_rules import write_rule

__all__ = ["write_xlsform"]

_LANGUAGE = "中文 (zh)"
_SURVEY = ("type", "name", "label", "hint", "required", "relevant", "constraint", "constraint_message", "appearance", "calculation", *OWN)
_SPOKEN = ("label", "hint", "constraint_message")
_VERDICT = "verdict"
_VERDICTS = tuple(Choice(value, label) for value, label in VERDICT_LABELS.items())


def write_xlsform(form: Form) -> dict[str, list[list[str]]]:
    """Sheet -> its rows, headings first. Lists of choices that are the same are written once."""
    writing = _Writing(form)
    heads = [f"{name}::{_LANGUAGE}" if name in _SPOKEN else name for name in _SURVEY]
    survey = [heads, *([row.get(name, "") for name in _SURVEY] for row in writing.rows)]
    choices = [["list_name", "name", f"label::{_LANGUAGE}", *OWN_OF_CHOICES]]
    choices += [[listed, one.value, one.label, "yes" if one.own else ""] for options, listed in writing.lists.items() for one in options]
    settings = [["form_title", "form_id", "version", "default_language"], [form.title, form.code, form.version, _LANGUAGE]]
    return {"survey": survey, "choices": choices, "settings": settings}


class _Writing:
    def __init__(self, form: Form):
        everything = [one for field in form.fields() for one in (field, *field.fields)]
        self.several = {field.name for field in everything if field.type == "select_multiple"}
        self.names = {field.name for field in everything}
        self.lists: dict[tuple[Choice, ...], str] = {}
        self.rows: list[dict[str, str]] = []
        for number, section in enumerate(form.sections, 1):
            name = f"section_{number}"
            while name in self.names:
                name += "_"
            self.rows.append({"type": "begin_group", "name": name, "label": section.title, "relevant": write_rule(section.show_if, self.several, False)})
            self._fields(section.fields)
            self.rows.append({"type": "end_group"})

    def _fields(self, fields: Sequence[Field]) -> None:
        for field in fields:
            own = field.type == "select_multiple"
            self.rows.append({
                "type": self._type(field), "name": field.name, "label": field.label, "hint": field.hint, "required": "yes" if field.required else "",
                "relevant": write_rule(field.show_if, self.several, own), "constraint": write_rule(field.constraint, self.several, own),
                "constraint_message": field.message, "appearance": "signature" if field.type == "signature" else "",
                "calculation": write_rule(field.value, self.several, own), "key": "yes" if field.key else "", "public": "yes" if field.public else "",
                "guide": field.guide, "basis": write_bases(field.basis), "most": str(field.most) if field.most else "",
                "shared": "yes" if field.shared else "",
            })  # fmt: skip
            if field.type == "repeat":
                self._fields(field.fields)
                self.rows.append({"type": "end_repeat"})

    def _type(self, field: Field) -> str:
        if field.type == "repeat":
            return "begin_repeat"
        if field.type == "verdict":
            return f"select_one {self._list(_VERDICTS, _VERDICT)}"
        if field.choices:
            return f"{field.type} {self._list(tuple(field.choices), field.name)}"
        return WRITTEN[field.type]

    def _list(self, options: tuple[Choice, ...], wish: str) -> str:
        if options not in self.lists:
            while wish in self.lists.values():
                wish += "_"
            self.lists[options] = wish
        return self.lists[options]

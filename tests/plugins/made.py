"""Sectors made up for tests: a module with these hooks, and what discovery says about it."""

import types
from datetime import date

import pytest

from portal.plugin import CERTIFICATE_ONLY, Basis, CheckItem, Field, Form, Section, Sector, hookimpl
from portal.plugins import SectorProblem, discover_sectors

__all__ = ["FIELDS", "answering", "form", "item", "module", "refusals"]

FIELDS = [Field("a", "甲", public=True), Field("secret", "乙", "text")]


def form(code="lifts.check", version="1", fields=FIELDS):
    return Form(code, version, "表", [Section("一", fields)])


def item(code="lifts.use", version="1", form="lifts.check", **given):
    said = {"qualification": CERTIFICATE_ONLY, "valid_from": date(2026, 1, 1)}
    return CheckItem(code, version, "类别", "事项", form, [Basis("法", "第一条")], **said | given)


def module(sector_code="lifts", module_name="lifts_module", /, **hooks):
    """A module with these hooks; a hook given as a plain value answers with it."""
    made = types.ModuleType(module_name)
    hooks.setdefault("sector", Sector(sector_code, "电梯"))
    for name, hook in hooks.items():
        if not callable(hook):
            hook = hookimpl(answering(hook))
        setattr(made, name, hook)
    return made


def answering(answer):
    def hook():
        return answer

    return hook


def refusals(allowed=None, **named):
    with pytest.raises(SectorProblem) as caught:
        discover_sectors(allowed, named)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(one) for one in caught.value.problems]

"""Expressions of a spreadsheet -> those of our forms, and back: the same language but for a few spellings."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from portal.domain.expressions import Expression, parse_expression

__all__ = ["both", "read_rule", "write_rule"]

# Spreadsheets turn straight quotes into “ ” by themselves; within a straight pair they are text.
_SPELLING = re.compile(
    r"(?P<text>'[^']*'|\"[^\"]*\")|(?P<double>[“”][^“”\"]*[“”])|(?P<single>[‘’][^‘’']*[‘’])"
    r"|\$\{\s*(?P<name>[^}]*?)\s*\}|(?P<count>count-selected(?=\s*\())"
)
_COUNT = re.compile(r"(?P<text>'[^']*'|\"[^\"]*\")|count\(\s*(?:\$\{(?P<name>[A-Za-z0-9_]+)\}|(?P<own>\.))\s*\)")


def read_rule(source: str, names: Mapping[str, str]) -> Expression:
    """An expression of a sheet in our spelling; `names`: name in the sheet -> ours. ExpressionError where it is outside the subset."""

    def spell(found: re.Match[str]) -> str:
        if found["double"]:
            return f'"{found["double"][1:-1]}"'
        if found["single"]:
            return f"'{found['single'][1:-1]}'"
        if found["count"]:
            return "count"
        return found.group() if found["text"] else f"${{{names.get(found['name'], found['name'])}}}"

    return parse_expression(_SPELLING.sub(spell, source))


def write_rule(source: str, several: Collection[str], own: bool) -> str:
    """Our expression as a sheet has it: how many of a select_multiple are chosen is count-selected() there.

    `several`: the fields of that type; `own`: whether the field itself is one.
    """

    def spell(found: re.Match[str]) -> str:
        chosen = own if found["own"] else found["name"] in several
        return found.group().replace("count(", "count-selected(", 1) if chosen and not found["text"] else found.group()

    return _COUNT.sub(spell, source)


def both(outer: str, inner: str) -> str:
    """The rule that holds where two do; empty ones always do."""
    return f"({outer}) and ({inner})" if outer and inner else outer or inner



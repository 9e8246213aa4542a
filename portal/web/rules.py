"""The rules of a form as plain data for the browser (static/rules.js): expressions come parsed, so there is one reader.

    {"sections": [{"when": tree | null, "fields": [{"name", "type", "when", "value", "constraint", "message", "values", "fields"}]}]}

A tree is the list form of domain.expressions' tuples; a pattern is {"states": [[{"ranges", "others"} | null, [next]]], "start"}.
Keys without content are left out.  The server decides again whatever is saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from portal.domain.expressions import parse_expression
from portal.domain.model import Field, Form
from portal.domain.pattern import Pattern

__all__ = ["rules_of", "tree_of"]


def rules_of(form: Form) -> dict[str, Any]:
    """What static/rules.js needs to fold, count and check a form while it is being filled in."""
    return {"sections": [_without_empty({"when": tree_of(one.show_if), "fields": _fields(one.fields)}) for one in form.sections]}


@lru_cache(maxsize=4096)
def tree_of(source: str) -> Any:
    """The expression as JSON data; None for an empty one."""
    return _plain(parse_expression(source).tree) if source else None


def _fields(fields: Sequence[Field]) -> list[dict[str, Any]]:
    return [
        _without_empty({
            "name": one.name, "type": one.type, "when": tree_of(one.show_if), "value": tree_of(one.value),
            "constraint": tree_of(one.constraint), "message": one.message if one.constraint else "",
            "values": [choice.value for choice in one.choices], "fields": _fields(one.fields),
        })
        for one in fields
    ]  # fmt: skip


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _plain(node: Any) -> Any:
    if isinstance(node, Pattern):
        states = [[letters and {"ranges": letters.ranges, "others": letters.others}, after] for letters, after in node.states]
        return {"states": states, "start": node.start}
    return [_plain(part) for part in node] if isinstance(node, tuple) else node

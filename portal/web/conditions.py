"""show_if conditions for the browser: the plain ones as JSON that portal.js evaluates, so that points fold while filling in.

Only what is compared with fixed values travels; anything richer gives None, and the
point stays open with its hint: the server decides again when the form is saved.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from portal.domain.expressions import parse_expression


@lru_cache(maxsize=4096)
def condition_of(source: str) -> str:
    """JSON of ["=", name, text] | ["!=", ...] | ["selected", ...] | ["and"|"or", a, b] | ["not", a]; empty when it has another shape."""
    if not source:
        return ""
    plain = _plain(parse_expression(source).tree)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")) if plain else ""


def _plain(node: tuple) -> list[Any] | None:
    kind = node[0]
    if kind == "op" and node[1] in ("and", "or"):
        left, right = _plain(node[2]), _plain(node[3])
        return [node[1], left, right] if left and right else None
    if kind == "op" and node[1] in ("=", "!=") and node[2][0] == "name" and node[3][0] == "value" and isinstance(node[3][1], str):
        return [node[1], node[2][1], node[3][1]]
    if kind == "selected" and node[1][0] == "name" and node[2][0] == "value":
        return ["selected", node[1][1], str(node[2][1])]
    if kind == "not":
        inner = _plain(node[1])
        return ["not", inner] if inner else None
    return None

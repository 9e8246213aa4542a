"""Corrections of what was published: which words, how they are put right, what the public notice says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal.domain.errors import BadInput, Problem

#: what may be corrected -> how users and the public read it. A wrong finding is withdrawn, and reviewed again.
FIELDS: Mapping[str, str] = {"name": "名称", "type": "主体类型", "status": "登记状态", "town": "所在乡镇街道", "summary": "情况说明"}
OF_ITEMS = frozenset({"summary"})
LONGEST = 500  # characters


def words_at(data: Mapping[str, Any], item: str, field: str) -> str:
    """What a published result says there. BadInput where it has no such place."""
    if field not in FIELDS or (field in OF_ITEMS) != bool(item):
        raise BadInput("没有更正。", [Problem("field", "请选择要更正的内容。")])
    if not item:
        return data[field]
    for one in data["items"]:
        if one["code"] == item:
            return one[field]
    raise BadInput("没有更正。", [Problem("field", f"这份结果里没有事项“{item}”。")])


def corrected(data: Mapping[str, Any], corrections: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A result with each correction applied in order, wherever it still says the old words."""
    found = {**data, "items": [dict(item) for item in data["items"]]}
    for one in corrections:
        for place in (item for item in found["items"] if item["code"] == one["item"]) if one["item"] else (found,):
            if place[one["field"]] == one["old"]:
                place[one["field"]] = one["new"]
    return found


def notice_of(data: Mapping[str, Any], correction: Mapping[str, Any], on: str) -> dict[str, str]:
    """The line a correction leaves in a result's history: with old and new only where the law wants both shown."""
    names = {item["code"]: item["name"] for item in data["items"]}
    what = f"“{names[correction['item']]}”的{FIELDS[correction['field']]}" if correction["item"] in names else FIELDS[correction["field"]]
    if not correction["shown"]:
        return {"on": on, "text": f"更正{what}。"}
    return {"on": on, "text": f"更正{what}。", "old": correction["old"], "new": correction["new"]}

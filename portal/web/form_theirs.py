"""Two people, or two tabs, on one record: what was saved meanwhile, to stand beside what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.domain import opinion as opinions
from portal.domain.answers import say
from portal.store import records
from portal.web import wording

__all__ = ["load_theirs"]

_NOTHING = "没有填"


async def load_theirs(joined: Mapping[str, Any], filled: Mapping[str, Any]) -> dict[str, Any]:
    """What changes in `filled` when its version is not the record's: nothing where it is.

    {"version": the record's, so that saving again is meant, "theirs": {"by", "at", "same", "points", "own"}};
    `points`: field -> words saved where they differ from the typed ones; `own`: likewise outcome.<item>, method, opinion.
    """
    record = joined["record"]
    if record is None or record["version"] == filled["version"]:
        return {}
    points = {
        field.name: say(field, record["answers"].get(field.name)) or _NOTHING
        for field in joined["form"].fields()
        if field.type not in ("note", "calculated") and (record["answers"].get(field.name) or None) != (filled["answers"].get(field.name) or None)
    }
    own = {
        f"outcome.{item['code']}": wording.outcome(record["outcomes"][item["code"]]) if record["outcomes"].get(item["code"]) else _NOTHING
        for item in joined["items"] if record["outcomes"].get(item["code"], "") != filled["outcomes"].get(item["code"], "")
    }  # fmt: skip
    beside = ("method",) if opinions.asked_in(joined["form"]) else ("method", "opinion")
    own |= {name: record[name] or _NOTHING for name in beside if record[name] != filled[name]}
    last = (await records.load_versions(record["id"]))[-1]
    theirs = {"by": last["by_name"], "at": last["at"], "same": not points and not own, "points": points, "own": own}
    return {"version": record["version"], "theirs": theirs}

"""What is known of one entry of the directory, for its page. In SQL by hand: the page is opened all day, and most entries were never drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from portal.store.engine import read

__all__ = ["load_history", "load_known"]

#: name -> whether there is anything of that kind about the entry `e` of the bureau {}
_KNOWN = {
    "picks": 'SELECT 1 FROM "pick" x WHERE x.code = e.code',
    "visits": 'SELECT 1 FROM "visit" x WHERE x.holder = e.holder AND x.site = e.site',
    "findings": 'SELECT 1 FROM "finding" x WHERE x.entity_code = e.code',
    "placement": 'SELECT 1 FROM "placement" x WHERE x.entity_code = e.code',
    "acceptance": 'SELECT 1 FROM "accepted_code" x WHERE x.code = e.code AND x.organisation = {bureau}',
    "classes": 'SELECT 1 FROM "entity_class" x WHERE x.code = e.code',
    "adjustments": 'SELECT 1 FROM "class_adjustment" x WHERE x.code = e.code AND x.organisation = {bureau}',
}


def _within(column: str, organisations: Collection[int]) -> str:
    return f"{column} IN ({', '.join(map(str, sorted(organisations) or [-1]))})"


async def load_known(code: str, seen: Collection[int], bureau: int) -> tuple[dict[str, Any], frozenset[str]] | None:
    """(the entry, what else there is about it: names of `_KNOWN`), None where it is not in the directory of these organisations.

    One question for all that nearly every entry has nothing of; what is named may still be somebody else's.
    """
    asked = ", ".join(f"EXISTS ({one.format(bureau=bureau)}) AS known_{name}" for name, one in _KNOWN.items())
    rows = await read(f'SELECT e.*, {asked} FROM "entity" e WHERE e.code = {{}} AND {_within("e.organisation", seen)}', code)
    if not rows:
        return None
    known = frozenset(name for name in _KNOWN if rows[0].pop(f"known_{name}"))
    return rows[0], known


async def load_history(
    entity: Mapping[str, Any], tree: Collection[int], line: Collection[int], known: Collection[str] = frozenset(_KNOWN)
) -> dict[str, list[dict[str, Any]]]:
    """What happened to an entry, as far as the reader has a part in it: picks, visits to its place, findings.

    `line`: the reader's organisations and those above them, whose draws and findings are theirs to know; of others' visits nothing.
    `known`: what there is at all (`load_known`).
    """
    code = entity["code"]
    picks = await read(
        f"""SELECT p.*, r.code AS round_code, r.title AS round_title, r.state AS round_state, t.name AS task_name
        FROM "pick" p JOIN "round" r ON r.id = p.round JOIN "task" t ON t.id = p.task
        WHERE p.code = {{}} AND {_within("t.organisation", line)} ORDER BY p.id""", code,
    ) if "picks" in known else []  # fmt: skip
    part = f'EXISTS (SELECT 1 FROM "visit_task" x WHERE x.visit = v.id AND {_within("x.organisation", tree)})'
    visits = await read(
        f"""SELECT v.*, r.title AS round_title FROM "visit" v JOIN "round" r ON r.id = v.round
        WHERE v.holder = {{}} AND v.site = {{}} AND ({_within("v.organisation", tree)} OR {part}) ORDER BY v.day, v.id""", entity["holder"], entity["site"],
    ) if "visits" in known else []  # fmt: skip
    findings = await read(
        f"""SELECT f.* FROM "finding" f JOIN "record" rec ON rec.id = f.record
        WHERE f.entity_code = {{}} AND {_within("rec.organisation", line)} ORDER BY f.inspected_on, f.id""", code,
    ) if "findings" in known else []  # fmt: skip
    return {"picks": picks, "visits": visits, "findings": findings}

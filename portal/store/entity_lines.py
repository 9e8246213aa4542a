"""Directory rows as lines for `bulk.bulk_load`, put together the quick way: a register has millions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from portal.domain.directory import EntityRow, join_entities
from portal.domain.packing import pack
from portal.store.bulk import line_of, values_of
from portal.store.directory import entity_values, load_entities

__all__ = ["ENTITY_NAMES", "entity_line", "join_lines", "load_unchanged", "stored_instant"]

#: The columns of `entity_line`, the code first.
ENTITY_NAMES = (
    "code", "kind", "holder", "site", "name", "old_names", "type", "status", "region", "organisation", "town", "address",
    "industries", "scope", "registered_on", "risk_class", "tags", "licences", "attributes", "imported_at",
)  # fmt: skip
_TABS = len(ENTITY_NAMES) - 1


def entity_line(row: EntityRow, organisation: int, at: str) -> str:
    """A directory row as the table stores it, as a line for `bulk_load`: `line_of(entity_values(...).values())`, quicker."""
    (code, kind, holder, site, name, old_names, type_, status, region, _, town, address, industries, scope, on, risk, tags,
     licences, attributes) = row  # fmt: skip
    day = r"\N" if on is None else str(on)
    line = (
        f"{code}\t{kind}\t{holder or code}\t{site}\t{name}\t{_packed(old_names)}\t{type_}\t{status}\t{region}\t{organisation}\t{town}"
        f"\t{address}\t{_packed(industries)}\t{scope}\t{day}\t{risk}\t{_packed(tags)}\t"
        f"{pack([dict(licence) for licence in licences]) if licences else '[]'}\t{_packed_attributes(attributes)}\t{at}"
    )
    if line.count("\t") != _TABS or line.count("\\") != (on is None) or "\n" in line or "\r" in line:
        values = entity_values(row, organisation, datetime.min)
        return line_of([*list(values.values())[:-1], at])
    return line


def stored_instant(at: datetime) -> str:
    """An instant as `entity_line` takes it, made once for a whole file."""
    return line_of([at])


def join_lines(first: str, again: str) -> str | None:
    """Two lines of `entity_line` with the same code as one (`domain.directory.join_entities`), or None where they cannot be."""
    ours, other = values_of(first), values_of(again)

    def row(values: Sequence[Any]) -> EntityRow:
        got = dict(zip(ENTITY_NAMES, values))
        return EntityRow(got["code"], "", "", "", got["name"], tags=tuple(json.loads(got["tags"])), licences=tuple(json.loads(got["licences"])))

    joined = join_entities(row(ours), row(other))
    if joined is None:
        return None
    new = {"tags": pack(list(joined.tags)), "licences": pack([dict(licence) for licence in joined.licences])}
    return line_of(new.get(name, value) for name, value in zip(ENTITY_NAMES, ours))


async def load_unchanged(lines: Iterable[str], keep: Collection[str] = ()) -> set[str]:
    """Codes among these lines of `entity_line` whose entry is there already and would stay as it is, but for when it was imported.

    `keep`: columns that stay anyhow. Many lines at once wait for the database once every 500.
    """
    given = {line.partition("\t")[0]: line for line in lines}
    places = [at for at, name in enumerate(ENTITY_NAMES) if name not in keep and name != "imported_at"]
    stored: Mapping[str, Mapping[str, Any]] = await load_entities(given)
    same = set()
    for code, row in stored.items():
        new, old = given[code].split("\t"), line_of(row[name] for name in ENTITY_NAMES).split("\t")
        if all(new[at] == old[at] for at in places):
            same.add(code)
    return same


@lru_cache(maxsize=50_000)
def _packed(texts: tuple[str, ...]) -> str:
    return pack(list(texts))


def _packed_attributes(attributes: Mapping[str, Any]) -> str:
    try:
        return _packed_items(tuple(attributes.items()))
    except TypeError:  # the rows of special registers are lists
        return pack(dict(attributes))


@lru_cache(maxsize=50_000)
def _packed_items(items: tuple[tuple[str, str], ...]) -> str:
    return pack(dict(items))

"""How many entries the directory has, by organisation, town, type and status: kept by the database, one row for each combination.

A page of a million entries counts none of them: its total, the filtered counts and the choices of its filters are read
from some hundred rows. Triggers keep them, so no writer can forget; both engines within the writer's own transaction.
Made anew with the rules (schema.migrate).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from portal.store.engine import current_engine, keep, read

__all__ = ["BY", "COUNTED", "TABLE", "fill_tally", "load_tallies", "load_tally", "statements"]

TABLE = "entity_tally"
BY = ("organisation", "town", "type", "status")
COUNTED = BY[1:]
_NAMES = ", ".join(BY)
_FILL = f'INSERT INTO {TABLE} ({_NAMES}, n) SELECT {_NAMES}, COUNT(*) FROM "entity" GROUP BY {_NAMES}'
_MOVED = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in BY)


def _make(text: str) -> tuple[str, str]:
    columns = ", ".join(f"{name} {'integer' if name == 'organisation' else text} NOT NULL" for name in BY)
    return f"CREATE TABLE IF NOT EXISTS {TABLE} ({columns}, n integer NOT NULL)", f"CREATE UNIQUE INDEX IF NOT EXISTS one_{TABLE} ON {TABLE} ({_NAMES})"


def _one(row: str, by: int) -> str:
    values = ", ".join(f"{row}.{name}" for name in BY)
    return f"INSERT INTO {TABLE} ({_NAMES}, n) VALUES ({values}, {by}) ON CONFLICT ({_NAMES}) DO UPDATE SET n = n + excluded.n;"


def _many(event: str) -> list[str]:
    """A PostgreSQL trigger for all rows of a statement: a row each would be a new version of one tally for each."""
    tables = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}[event]
    rows = " UNION ALL ".join(f"SELECT {_NAMES}, {1 if one == 'NEW' else -1} AS d FROM {one.lower()}_rows" for one in tables)
    name = f"g_{TABLE}_{event.lower()}"
    return [
        f"CREATE OR REPLACE FUNCTION f_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"INSERT INTO {TABLE} AS kept ({_NAMES}, n) SELECT {_NAMES}, SUM(d) FROM ({rows}) moved GROUP BY {_NAMES} HAVING SUM(d) <> 0 "
        f"ORDER BY {_NAMES} ON CONFLICT ({_NAMES}) DO UPDATE SET n = kept.n + excluded.n; RETURN NULL; END $$",
        f'DROP TRIGGER IF EXISTS {name} ON "entity"',
        f'CREATE TRIGGER {name} AFTER {event} ON "entity" REFERENCING {" ".join(f"{one} TABLE AS {one.lower()}_rows" for one in tables)} '
        f"FOR EACH STATEMENT EXECUTE FUNCTION f_{name}()",
    ]


def statements(engine_type: str) -> tuple[str, ...]:
    """SQL that makes the table and keeps it up to date from here on."""
    if engine_type != "sqlite":
        return (*_make('text COLLATE "C"'), *(sql for event in ("INSERT", "UPDATE", "DELETE") for sql in _many(event)))
    start = {event: f'CREATE TRIGGER g_{TABLE}_{event.split()[0].lower()} AFTER {event} ON "entity" FOR EACH ROW' for event in ("INSERT", f"UPDATE OF {_NAMES}", "DELETE")}
    insert, update, delete = start.values()
    return (
        *_make("text"), *(f"DROP TRIGGER IF EXISTS g_{TABLE}_{event}" for event in ("insert", "update", "delete")),
        f"{insert} BEGIN {_one('NEW', 1)} END", f"{update} WHEN {_MOVED} BEGIN {_one('OLD', -1)} {_one('NEW', 1)} END", f"{delete} BEGIN {_one('OLD', -1)} END",
    )  # fmt: skip


async def fill_tally() -> None:
    """Count everything anew, in the caller's transaction: after the rules were installed."""
    await current_engine().run_ddl(f"DELETE FROM {TABLE}")
    await current_engine().run_ddl(_FILL)


async def load_tally(seen: Collection[int], by: str = "", where: Mapping[str, str] | None = None) -> dict[Any, int]:
    """value of the column `by` -> how many entries of these organisations have it and what `where` (column -> value) says; without `by` all under "".

    Values that no entry has are left out.
    """
    given = {"": "''", **{name: name for name in BY}}
    wanted = " AND ".join([f"organisation IN ({', '.join(map(str, sorted(seen) or [-1]))})", *(f"{given[name]} = {{}}" for name in where or {})])
    sql = f"SELECT {given[by]} AS value, SUM(n) AS n FROM {TABLE} WHERE {wanted} GROUP BY 1 HAVING SUM(n) > 0 ORDER BY 1"
    return {row["value"]: int(row["n"]) for row in await read(sql, *(where or {}).values())}


async def load_tallies(seen: Collection[int]) -> Mapping[str, Mapping[str, int]]:
    """column of `COUNTED` -> its values in order -> how many entries of these organisations have it: `load_tally` by each, as one row.

    A register may have a thousand towns: as rows they would cost more than the page they stand on.
    """
    return await keep(("tallies", frozenset(seen)), lambda: _load_tallies(seen))


async def _load_tallies(seen: Collection[int]) -> Mapping[str, Mapping[str, int]]:
    wanted = f"organisation IN ({', '.join(map(str, sorted(seen) or [-1]))})"
    packed = "json_group_object(value, n)" if current_engine().engine_type == "sqlite" else "CAST(json_object_agg(value, n) AS text)"
    each = (f"SELECT {name} AS value, SUM(n) AS n FROM {TABLE} WHERE {wanted} GROUP BY {name} HAVING SUM(n) > 0" for name in COUNTED)
    sql = f"SELECT {', '.join(f'(SELECT {packed} FROM ({one}) AS t) AS {name}' for name, one in zip(COUNTED, each, strict=True))}"
    row = (await read(sql))[0]
    return {name: _unpacked(row[name] or "{}") for name in COUNTED}


@lru_cache(32)
def _unpacked(packed: str) -> Mapping[str, int]:
    return MappingProxyType(dict(sorted(json.loads(packed).items())))

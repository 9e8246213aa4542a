"""Many rows at once: through the driver, 10-18 times cheaper than Piccolo's objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from piccolo.table import Table

from portal.store.engine import PooledSQLite, current_engine

BATCH = 2_000


async def _execute(sql_start: str, sql_end: str, names: Sequence[str], rows: list[Mapping[str, Any]]) -> None:
    engine = current_engine()
    transaction = engine.current_transaction.get()
    if transaction is None:
        raise RuntimeError("bulk writing needs a transaction")
    values = [tuple(row[name] for name in names) for row in rows]
    if isinstance(engine, PooledSQLite):
        marks = ", ".join("?" * len(names))
        cursor = await transaction.connection.executemany(f"{sql_start} VALUES ({marks}){sql_end}", values)
        await cursor.close()
    else:
        marks = ", ".join(f"${n}" for n in range(1, len(names) + 1))
        await transaction.connection.executemany(f"{sql_start} VALUES ({marks}){sql_end}", values)


def _start(table: type[Table], names: Sequence[str]) -> str:
    quoted = ", ".join(f'"{table._meta.get_column_by_name(name)._meta.db_column_name}"' for name in names)
    return f'INSERT INTO "{table._meta.tablename}" ({quoted})'


async def insert_rows(table: type[Table], rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert plain dicts, all with the keys of the first, inside the caller's transaction; the count."""
    return await _in_batches(table, rows, "", frozenset())


async def upsert_rows(
    table: type[Table], rows: Iterable[Mapping[str, Any]], *, key: str, keep: Collection[str] = frozenset()
) -> int:
    """Insert, or replace the given columns of the row with the same unique `key` except those in `keep`; the count."""
    return await _in_batches(table, rows, key, keep)


async def _in_batches(table: type[Table], rows: Iterable[Mapping[str, Any]], key: str, keep: Collection[str]) -> int:
    source = iter(rows)
    done = 0
    while batch := list(islice(source, BATCH)):
        names = list(batch[0])
        end = ""
        if key:
            sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name != key and name not in keep)
            end = f' ON CONFLICT ("{key}") DO UPDATE SET {sets}'
        await _execute(_start(table, names), end, names, batch)
        done += len(batch)
    return done

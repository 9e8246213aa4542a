"""Copies of a stage's database that are used again: after a test what it changed is put back, which is a tenth of a new copy.

What was changed is found by the rows themselves: a row written since the copy was put in order carries a later
transaction's number (xmin), one that is gone is missing from the count.  Rows are put back with triggers and
foreign keys asleep, sequences by their last value.  A copy is given up, and the next one made anew, where rules
were changed (any row of the catalogue), where somebody is still in a transaction, or where many tests used it.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)  # of a connection that was cut
USES = 40  # rows that are gone still take up room
MOST = 10  # copies that wait for another test; each is 15 MB of memory

#: what belongs to a database's rules: columns, defaults, functions, triggers, constraints, rights are all rows of these
CATALOGUE = (
    "pg_class", "pg_attribute", "pg_attrdef", "pg_proc", "pg_trigger", "pg_constraint", "pg_index", "pg_namespace", "pg_type",
    "pg_collation", "pg_event_trigger", "pg_policy", "pg_statistic", "pg_default_acl", "pg_extension", "pg_rewrite",
)  # fmt: skip
FIRST_OURS = 16384  # what initdb made has lower numbers, and nobody changes it
_NUMBER = {"pg_attribute": "attrelid", "pg_index": "indexrelid", "pg_statistic": "starelid"}

_SEQUENCES = "SELECT schemaname, sequencename, last_value, start_value FROM pg_sequences ORDER BY 1, 2"
_OTHERS = "SELECT pid, state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass
class Order:
    """What every copy of one template holds before its first test; asked of the first."""

    question: str  # name, rows, rows later than $1: of each table, and of the catalogue
    counts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)
    sequences: dict[tuple[str, str], tuple[int | None, int]] = field(default_factory=dict)


async def learn(connection: asyncpg.Connection) -> Order:
    found = await connection.fetch("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    parts = [_counting(f'public."{row["relname"]}"', row["relname"]) for row in found]
    parts += [_counting(f"pg_catalog.{name}", name, f" WHERE {_NUMBER.get(name, 'oid')} >= {FIRST_OURS}") for name in CATALOGUE]
    order = Order(" UNION ALL ".join(parts), sequences=await _sequences(connection))
    for name, count, _ in await connection.fetch(order.question, 0):
        order.counts[name] = count
        if count and name not in CATALOGUE:
            held = io.BytesIO()
            await connection.copy_from_table(name, schema_name="public", output=held, format="binary")
            order.rows[name] = held.getvalue()
    return order


async def _sequences(connection: asyncpg.Connection) -> dict[tuple[str, str], tuple[int | None, int]]:
    return {(row[0], row[1]): (row[2], row[3]) for row in await connection.fetch(_SEQUENCES)}


@dataclass
class Copy:
    """One database."""

    name: str
    template: str
    address: str  # for who may do everything
    since: int  # rows of a later transaction are a test's
    order: Order = field(init=False)
    connection: asyncpg.Connection | None = None  # its superuser's, while it waits and while it is used again
    question: asyncpg.prepared_stmt.PreparedStatement | None = None
    uses: int = 0

    async def open(self) -> asyncpg.Connection:
        if not self.connection:
            self.connection = await asyncpg.connect(self.address)
            await self.connection.execute("SET session_replication_role = replica; SET plan_cache_mode = force_generic_plan; SET jit = off")
        return self.connection

    async def close(self) -> None:
        if self.connection:
            self.connection, gone = None, self.connection
            with suppress(*FAILURES):
                await gone.close()

    async def put_back(self, waiting: Collection[int] = ()) -> bool:
        """False where that cannot be done: the copy is to be given up. `waiting`: the server's processes that wait for the next test (pools.py)."""
        self.uses += 1
        if self.uses >= USES:
            return False
        connection = await self.open()
        self.question = self.question or await connection.prepare(self.order.question)
        if not await _left_alone(connection, waiting):
            return False
        more, less = [], []
        for name, count, new in await self.question.fetch(self.since):
            lost = count - new != self.order.counts.get(name)
            if name in CATALOGUE and (new or lost):
                return False
            if new or lost:
                (less if lost else more).append(name)
        work = [f'DELETE FROM public."{name}" WHERE xmin::text::bigint > {self.since}' for name in more]
        work += [f'DELETE FROM public."{name}"' for name in less]
        for (schema, name), (last, start) in (await _sequences(connection)).items():
            known, first = self.order.sequences[schema, name]
            if last != known or start != first:
                work.append(f"""SELECT setval('{schema}."{name}"', {first if known is None else known}, {known is not None})""")
        if work:
            async with connection.transaction():
                await connection.execute("; ".join(work))
                for name in less:
                    if rows := self.order.rows.get(name):
                        await connection.copy_to_table(name, schema_name="public", source=io.BytesIO(rows), format="binary")
                self.since = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
        return True


async def _left_alone(connection: asyncpg.Connection, waiting: Collection[int]) -> bool:
    """Nobody else is here any more, nor was in the middle of something."""
    others = await connection.fetch(_OTHERS)
    for row in others:
        if row["pid"] not in waiting:  # idle: a test's pool that is just closing, or a process that nobody stopped
            await connection.execute(f"SELECT pg_terminate_backend({row['pid']})")
    return all(row["state"] in ("idle", None) for row in others)


def _counting(table: str, name: str, where: str = "") -> str:
    return f"SELECT '{name}', count(*), count(*) FILTER (WHERE xmin::text::bigint > $1) FROM {table}{where}"

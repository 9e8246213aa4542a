"""Part of a name -> the entries it may be found in, without reading a million names.

Every position of a name begins one gram: this character and the next one, the last character
alone. Part of a name of two characters or more is found by its grams, one character by the beginning
of a gram. What is so found may be too much (grams in another order), never too little: who asks compares
the names themselves. Two characters are what people look for, so trigrams (FTS5's, pg_trgm's) do not serve.

PostgreSQL keeps an index on a function of the name. SQLite has FTS5, which takes many rows at once four times
quicker than one by one from a trigger: triggers note what is due, `index_names` brings it in, and what
is still due is found by its name. Both are made anew with the rules (schema.migrate).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from portal.store.engine import current_engine, read

__all__ = ["NEAR", "Narrowing", "fill_index", "grams_of", "index_names", "load_indexed", "load_narrowing", "statements"]

#: So many entries are looked up one by one; where more may match, a page is full after a few steps through the list.
NEAR = 5_000

#: What more names than these have tells little. So many PostgreSQL lists in some milliseconds, before it looks at the first.
FAR = 30_000

_SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS name_gram USING fts5(grams, content='', detail=none, columnsize=0)",
    # `old`: the name in the index, NULL where it is not there yet
    "CREATE TABLE IF NOT EXISTS name_due (id INTEGER PRIMARY KEY, old TEXT)",
    "DROP TRIGGER IF EXISTS g_name_due_insert",
    "DROP TRIGGER IF EXISTS g_name_due_update",
    "DROP TRIGGER IF EXISTS g_name_due_delete",
    'CREATE TRIGGER g_name_due_insert AFTER INSERT ON "entity" FOR EACH ROW BEGIN INSERT INTO name_due (id) VALUES (NEW.id); END',
    'CREATE TRIGGER g_name_due_update AFTER UPDATE OF "name" ON "entity" FOR EACH ROW WHEN NEW.name <> OLD.name '
    "BEGIN INSERT INTO name_due (id, old) VALUES (OLD.id, OLD.name) ON CONFLICT (id) DO NOTHING; END",
    'CREATE TRIGGER g_name_due_delete AFTER DELETE ON "entity" FOR EACH ROW BEGIN INSERT INTO name_due (id, old) VALUES (OLD.id, OLD.name) ON CONFLICT (id) DO NOTHING; END',
)
_POSTGRES = (
    # Everything named is pg_catalog's: a restore works without a search path. array_to_tsvector takes no word apart.
    "CREATE OR REPLACE FUNCTION name_grams(name text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ "
    'SELECT array_to_tsvector(array_agg(substr(low, n, 2))) FROM (SELECT lower(name COLLATE "C") AS low) l, generate_series(1, length(low)) n $$',
    'CREATE INDEX IF NOT EXISTS by_name_grams ON "entity" USING gin (name_grams(name))',
)


def statements(engine_type: str) -> tuple[str, ...]:
    """SQL that keeps the index up to date from here on."""
    return _SQLITE if engine_type == "sqlite" else _POSTGRES


def grams_of(text: str) -> list[str]:
    """One gram for each character, letters of ASCII small, as both engines' lower() under our collation."""
    low = "".join(chr(ord(one) + 32) if "A" <= one <= "Z" else one for one in text)
    return [low[n : n + 2] for n in range(len(low))]


def _tokens(text: str) -> str:
    # In hexadecimal, or FTS5 would take punctuation for the space between two words.
    return " ".join(gram.encode().hex() for gram in grams_of(text))


# Keeping it up to date on SQLite ------------------------------------------------------


async def fill_index() -> None:
    """Index every name anew, in the caller's transaction: after the rules were installed."""
    if current_engine().engine_type != "sqlite":
        return
    connection = current_engine().current_transaction.get().connection
    await connection.execute("INSERT INTO name_gram (name_gram) VALUES ('delete-all')")
    await connection.execute("DELETE FROM name_due")
    await connection.execute('INSERT INTO name_due (id) SELECT id FROM "entity"')
    while await index_names():
        pass


async def index_names(most: int = 10_000) -> bool:
    """Bring at most so many names into the index, in the caller's transaction; whether there were any. Nothing to do on PostgreSQL."""
    if current_engine().engine_type != "sqlite":
        return False
    connection = current_engine().current_transaction.get().connection
    rows = await connection.execute_fetchall(
        f'SELECT d.id AS id, d.old AS old, e.name AS name FROM name_due d LEFT JOIN "entity" e ON e.id = d.id ORDER BY d.id LIMIT {most}'
    )
    if not rows:
        return False
    gone = [(row["id"], _tokens(row["old"])) for row in rows if row["old"] is not None]
    await connection.executemany("INSERT INTO name_gram (name_gram, rowid, grams) VALUES ('delete', ?, ?)", gone)
    new = [(row["id"], _tokens(row["name"])) for row in rows if row["name"] is not None]
    await connection.executemany("INSERT INTO name_gram (rowid, grams) VALUES (?, ?)", new)
    await connection.execute("DELETE FROM name_due WHERE id <= ?", (rows[-1]["id"],))
    return True


# Asking -------------------------------------------------------------------------------


def _match(grams: Sequence[str], prefix: bool) -> tuple[str, str]:
    """(SQL of the numbers of entries that have these grams in their name, its one value)."""
    if current_engine().engine_type == "sqlite":
        star = " *" if prefix else ""
        return "SELECT rowid AS id FROM name_gram WHERE name_gram MATCH {}", " AND ".join(f'"{gram.encode().hex()}"{star}' for gram in grams)
    star = ":*" if prefix else ""
    quoted = ["'" + gram.replace("\\", "\\\\").replace("'", "''") + "'" for gram in grams]
    return 'SELECT id FROM "entity" WHERE name_grams(name) @@ CAST({} AS text)::tsquery', " & ".join(one + star for one in quoted)


async def _query(part: str) -> tuple[str, str]:
    """(SQL of the numbers of entries that may hold this part in their name, its one value)."""
    grams = grams_of(part)
    wanted = sorted(set(grams[:-1])) or grams  # the last is only the beginning of one
    if len(wanted) > 1:
        often = {gram: await _about(gram) for gram in wanted}
        wanted = ([gram for gram in sorted(wanted, key=often.__getitem__) if often[gram] < FAR] or wanted)[:2]
    sql, value = _match(wanted, len(grams) == 1)
    return (f"{sql} UNION ALL SELECT id FROM name_due" if current_engine().engine_type == "sqlite" else sql), value


#: how often a gram is about there, asked again after a while: the lists of those that half of all names have take long and leave out nothing
_often: WeakKeyDictionary[Any, tuple[int, dict[str, int]]] = WeakKeyDictionary()
_WHILE = 600  # seconds


async def _about(gram: str) -> int:
    """How many names have a gram: about, and on SQLite at most `FAR`."""
    engine, now = current_engine(), int(time.monotonic()) // _WHILE
    period, known = _often.get(engine, (now, {}))
    if period != now or len(known) > 20_000:
        known = {}
    _often[engine] = now, known
    if gram not in known:
        sql, value = _match([gram], False)
        known[gram] = await _planned(sql, value) if engine.engine_type != "sqlite" else (
            await read(f"SELECT COUNT(*) AS n FROM ({sql} LIMIT {FAR})", value))[0]["n"]  # fmt: skip
    return known[gram]


async def _planned(sql: str, value: str) -> int:
    """How many rows PostgreSQL expects."""
    return json.loads((await read(f"EXPLAIN (FORMAT JSON) {sql}", value))[0]["QUERY PLAN"])[0]["Plan"]["Plan Rows"]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """`sql` about a row `b` of the directory with its values: true of those that hold the words in their name or have them for a code, and of few others.

    `near`: there are at most `NEAR`, exactly so on SQLite, about on PostgreSQL.
    """

    sql: str
    values: tuple[Any, ...]
    near: bool


async def load_narrowing(part: str) -> Narrowing | None:
    """How entries are found by part of their name; None where a walk along all of them is quicker."""
    sql, value = await _query(part)
    if current_engine().engine_type == "sqlite":
        found = (await read(f"SELECT COUNT(*) AS n FROM (SELECT id FROM ({sql}) a LIMIT {NEAR + 1}) b", value))[0]["n"]
        return None if found > NEAR else Narrowing(f'b.id IN ({sql} UNION ALL SELECT id FROM "entity" WHERE code = {{}})', (value, part.upper()), True)
    # Its index gives all it finds or nothing, which takes long for what every name holds; the planner knows that about how many it is.
    about = await _planned(sql, value)
    if about > FAR:
        return None
    return Narrowing("(name_grams(b.name) @@ CAST({} AS text)::tsquery OR b.code = {})", (value, part.upper()), about <= NEAR)


async def load_indexed(part: str) -> str:
    """What SQLite's index is asked for part of a name, where it knows all that the words find; else, and on PostgreSQL, empty."""
    if current_engine().engine_type != "sqlite":
        return ""
    unknown = 'SELECT EXISTS (SELECT 1 FROM name_due) OR EXISTS (SELECT 1 FROM "entity" WHERE code = {}) AS it'
    return "" if (await read(unknown, part.upper()))[0]["it"] else (await _query(part))[1]

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
from typing import Any

from portal.store.engine import current_engine, read
from portal.store.tables import Setting

__all__ = ["NEAR", "fill_index", "grams_of", "index_names", "load_indexed", "load_narrowing", "statements"]

#: So many entries are looked up one by one; where more may match, a page is full after a few steps through the list.
NEAR = 5_000

#: Half of all companies have these in their names, and to leave through their lists finds nothing that the other grams do not.
COMMON = frozenset({"有限", "限公", "公司"})

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


def _query(part: str) -> tuple[str, str]:
    """(SQL of the numbers of entries that may hold this part in their name, its one value)."""
    grams = grams_of(part)
    wanted = sorted(set(grams[:-1])) or grams  # the last is only the beginning of one
    wanted = [gram for gram in wanted if gram not in COMMON] or wanted
    if current_engine().engine_type == "sqlite":
        star = "" if len(grams) > 1 else " *"
        return (
            "SELECT rowid AS id FROM name_gram WHERE name_gram MATCH {} UNION ALL SELECT id FROM name_due",
            " AND ".join(f'"{gram.encode().hex()}"{star}' for gram in wanted),
        )
    star = "" if len(grams) > 1 else ":*"
    quoted = ["'" + gram.replace("\\", "\\\\").replace("'", "''") + "'" for gram in wanted]
    return 'SELECT id FROM "entity" WHERE name_grams(name) @@ CAST({} AS text)::tsquery', " & ".join(one + star for one in quoted)


async def load_narrowing(part: str) -> tuple[str, list[Any]] | None:
    """(SQL about a row `b` of the directory, its values): true of those that hold `part` in their name or have it for a code, and of few others.

    None where there are more than `NEAR`: exactly so on SQLite, about on PostgreSQL.
    """
    sql, value = _query(part)
    if current_engine().engine_type == "sqlite":
        found = (await read(f"SELECT COUNT(*) AS n FROM (SELECT id FROM ({sql}) a LIMIT {NEAR + 1}) b", value))[0]["n"]
        return None if found > NEAR else (f'b.id IN ({sql} UNION ALL SELECT id FROM "entity" WHERE code = {{}})', [value, part.upper()])
    # Its index gives all it finds or nothing, which takes long for what every name holds; the planner knows that about how many it is.
    plan = (await Setting.raw(f"EXPLAIN (FORMAT JSON) {sql}", value).run())[0]["QUERY PLAN"]
    if json.loads(plan)[0]["Plan"]["Plan Rows"] > NEAR:
        return None
    return "(name_grams(b.name) @@ CAST({} AS text)::tsquery OR b.code = {})", [value, part.upper()]


async def load_indexed(part: str) -> str:
    """What SQLite's index is asked for part of a name, where it knows all that the words find; else, and on PostgreSQL, empty."""
    if current_engine().engine_type != "sqlite":
        return ""
    unknown = 'SELECT EXISTS (SELECT 1 FROM name_due) OR EXISTS (SELECT 1 FROM "entity" WHERE code = {}) AS it'
    return "" if (await read(unknown, part.upper()))[0]["it"] else _query(part)[1]

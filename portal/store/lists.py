"""Rows of a list, their number, and grouped counts of them, from one piece of SQL for each list.

What is asked becomes the same WHERE everywhere: a figure is a count of exactly the rows its list shows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from portal.domain.list_columns import DIRECTORY
from portal.domain.lists import Asked, Listing, cursor_of, parse_cursor
from portal.store.engine import keep, read
from portal.store.list_sql import SOURCES, directory_by_code, directory_by_grams
from portal.store.list_where import Reach, conditions, is_sqlite, opened, ordered, value_of, where_of
from portal.store.name_index import NEAR, load_indexed, load_narrowing
from portal.store.tables import Setting
from portal.store.tally import BY, COUNTED, load_tally

__all__ = ["Reach", "count_groups", "count_rows", "iter_rows", "load_inspected_days", "load_rows"]

PART = 2000
ENOUGH = 500  # found: nobody reads on, more words are what helps


def _from(listing: Listing, reach: Reach, given: Mapping[str, str]) -> str:
    return f"({SOURCES[listing.name](reach, given, is_sqlite())}) AS b"


async def load_rows(listing: Listing, reach: Reach, asked: Asked, limit: int) -> tuple[list[dict[str, Any]], str]:
    """At most `limit` rows, and the cursor of the next ones ("": there are none)."""
    where, values = conditions(listing, reach, asked.given)
    name, ascending = asked.order(listing)
    key, way, than = f"b.{listing.key}", "ASC" if ascending else "DESC", ">" if ascending else "<"
    by = ordered(listing, name, ascending)
    order = f"{key} {way}" if name == listing.key else f"{by} {way}, {key} {way}"
    source, first, near = "", [], False
    if listing.name == "directory":
        if name in _VALUED and not asked.given.get("q") and await _count_tallied(reach, asked.given) > NEAR:
            return await _load_by_value(reach, asked, limit)
        source, first, reach, near = await _directory_source(reach, asked, limit, where, values)
    if asked.after:
        kinds = [listing.column(name).kind, listing.column(listing.key).kind]
        value, last = parse_cursor(asked.after, kinds)
        if asked.is_search(listing):
            where.append('b.id > (SELECT a.id FROM "entity" a WHERE a.code = {})')
            values.append(last)
        elif name == listing.key:
            where.append(f"{key} {than} {{}}")
            values.append(last)
        else:
            said, given = value_of(listing, name, value, ascending)
            where.append(f"({by} {than} {said} OR ({by} = {said} AND {key} {than} {{}}))")
            values += [*given, *given, last]
    if asked.is_search(listing):
        order = "b.id"
        if near and reach.learned is not None and not asked.after and not is_sqlite():
            if found := await _load_found(listing, reach, asked, limit, where, values):
                return found
            return await load_rows(listing, reach, asked, limit)  # many, as is now known
    if listing.name in _JOINED:
        looked = _looked_at(listing, asked.given)
        # What takes long to filter is counted on the way.
        hits = ", COUNT(*) OVER () AS hits" if looked & _LATE and reach.learned is not None and not asked.after else ""
        slim = replace(reach, needs=looked | {name, listing.key})
        found = await read(f"SELECT b.id{hits} FROM {_from(listing, slim, asked.given)}{where_of(where)} ORDER BY {order} LIMIT {limit + 1}", *values)
        if hits and reach.learned is not None:
            reach.learned["count", *sorted(asked.given.items())] = found[0]["hits"] if found else 0
        rows = opened(listing, await _load_whole(listing, reach, [row["id"] for row in found]))
    else:
        sql = f"SELECT b.* FROM {source or _from(listing, reach, asked.given)}{where_of(where)} ORDER BY {order} LIMIT {limit + 1}"
        rows = opened(listing, await read(sql, *first, *values))
    more, rows = len(rows) > limit, rows[:limit]
    return rows, cursor_of(rows[-1][name], rows[-1][listing.key]) if more else ""


_JOINED = ("checks", "visits", "records")  # joined_sql.py
#: columns of visits' results, which all picks are joined to first
_LATE = frozenset({"inspected_on", "month", "outcome", "done", "problem", "published_on", "due", "publication", "visited", "saved", "organisation", "unit"})


def _looked_at(listing: Listing, given: Mapping[str, str]) -> frozenset[str]:
    """The columns that filters look at."""
    return frozenset(column for name, value in given.items() if value for column in (listing.filter(name).columns or (name,)))


async def _load_whole(listing: Listing, reach: Reach, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The rows with these numbers in their order, with all columns."""
    if not ids:
        return []
    rows = {row["id"]: row for row in await read(f"SELECT b.* FROM {_from(listing, replace(reach, only=tuple(ids)), {})}")}
    return [rows[one] for one in ids]


async def _load_found(listing: Listing, reach: Reach, asked: Asked, limit: int, where: list[str], values: list[Any]) -> tuple[list[dict[str, Any]], str] | None:
    """The first rows of a search that finds few, and how many it finds, which `count_rows` would look for by the same way again: on PostgreSQL.

    SQLite is done with the rows after some steps and counts as quickly as it would keep what it counts. None where there
    are more than the planner thought: it takes characters that always come together for a rare chance.
    """
    assert reach.learned is not None
    source, words = _from(listing, reach, asked.given), asked.given["q"]
    rows = await read(
        f"""SELECT * FROM (WITH hit AS (SELECT b.id FROM {source}{where_of(where)} LIMIT {NEAR + 1})
        SELECT b.*, (SELECT COUNT(*) FROM hit) AS hits FROM {source} WHERE b.id IN (SELECT id FROM hit ORDER BY id LIMIT {limit + 1})) AS b ORDER BY b.id""",
        *values,
    )
    hits = rows[0]["hits"] if rows else 0
    if hits > NEAR:
        reach.learned[words] = replace(reach.learned[words], near=False)
        return None
    reach.learned["count", *sorted(asked.given.items())] = hits
    more, rows = len(rows) > limit, opened(listing, rows[:limit])
    name, _ = asked.order(listing)
    return rows, cursor_of(rows[-1][name], rows[-1][listing.key]) if more else ""


_VALUED = ("station", *COUNTED)


async def _load_by_value(reach: Reach, asked: Asked, limit: int) -> tuple[list[dict[str, Any]], str]:
    """The directory in the order of something it is counted by: one value after the other by code, until the page is full.

    Put in order as a whole, a million entries take a second, by station six.
    """
    name, ascending = asked.order(DIRECTORY)
    seen = reach.trees.get(asked.given["org"], frozenset()) & reach.tree if asked.given.get("org") else reach.tree
    after, last = parse_cursor(asked.after, ["text", "text"]) if asked.after else (None, "")
    values: dict[Any, frozenset[int]] = {}
    if name == "station":
        for row in await read(f'SELECT id, name FROM "organisation" WHERE id IN ({", ".join(map(str, sorted(seen) or [-1]))})'):
            values[row["name"]] = values.get(row["name"], frozenset()) | {row["id"]}
    else:
        values = dict.fromkeys(await load_tally(seen, name, {one: value for one, value in asked.given.items() if one in COUNTED}), seen)
    rows: list[dict[str, Any]] = []
    for value in sorted(values, reverse=not ascending):
        if after is not None and (value < after if ascending else value > after):
            continue
        here = replace(reach, tree=values[value])
        where, given = conditions(DIRECTORY, here, {**asked.given, **({} if name == "station" else {name: value})})
        if name != "station" and not value:  # a filter that is empty asks for nothing
            where.append(f"b.{name} = ''")
        left = limit + 1 - len(rows)
        source = directory_by_code(here, left, ascending, value == after, is_sqlite())
        way = "ASC" if ascending else "DESC"
        sql = f"SELECT b.* FROM ({source}) AS b{where_of(where)} ORDER BY b.code {way} LIMIT {left}"
        rows += await read(sql, *([last] if value == after else []), *given)
        if len(rows) > limit:
            break
    more, rows = len(rows) > limit, opened(DIRECTORY, rows[:limit])
    return rows, cursor_of(rows[-1][name], rows[-1]["code"]) if more else ""


async def _directory_source(reach: Reach, asked: Asked, limit: int, where: list[str], values: list[Any]) -> tuple[str, list[Any], Reach, bool]:
    """(where the rows of the directory are come by: SQL, or "" for as other lists' are, the SQL's values, reach, whether few are gone to one by one)."""
    name, ascending = asked.order(DIRECTORY)
    if asked.is_search(DIRECTORY):
        reach, near = await _narrow(reach, asked.given, where, values)
        if near or not (indexed := await load_indexed(asked.given["q"])):
            return "", [], reach, near
        return f"({directory_by_grams(reach)}) AS b", [indexed], reach, False
    if name == DIRECTORY.key and not asked.given.get("q"):
        if reach.whole and not any(asked.given.values()):
            return "", [], reach, False  # whoever sees all goes along all
        last = parse_cursor(asked.after, ["text", "text"])[1:] if asked.after else []
        return f"({directory_by_code(reach, limit + 1, ascending, bool(last), is_sqlite())}) AS b", last, reach, False
    reach, near = await _narrow(reach, asked.given, where, values)
    return "", [], reach, near


async def count_rows(listing: Listing, reach: Reach, given: Mapping[str, str]) -> tuple[int, bool]:
    """(how many rows these filters leave, whether there are more): a search of the directory whose words more than `NEAR` names hold
    is not counted beyond `ENOUGH`, a list that grows without end not beyond its own `enough`.
    """
    where, values = conditions(listing, reach, given)
    if reach.learned and (known := reach.learned.get(("count", *sorted(given.items())))) is not None:
        return known, False
    if listing.name in _JOINED:
        reach = replace(reach, needs=_looked_at(listing, given))
    enough, source = listing.enough, _from(listing, reach, given)
    if listing.name == "directory":
        if "q" not in given:
            return await _count_tallied(reach, given), False
        reach, near = await _narrow(reach, given, where, values)
        enough, source = 0 if near else ENOUGH, _from(listing, reach, given)
        if narrowing := None if near else (reach.learned or {}).get(given["q"]):
            where, values = [*where, narrowing.sql], [*values, *narrowing.values]
        elif not near and (indexed := await load_indexed(given["q"])):
            source, values = f"({directory_by_grams(reach)}) AS b", [indexed, *values]
    limit = f" LIMIT {enough + 1}" if enough else ""
    sql = f"SELECT COUNT(*) AS n FROM (SELECT 1 FROM {source}{where_of(where)}{limit}) AS counted"
    found = (await keep((sql, *values), lambda: read(sql, *values)))[0]["n"]
    return (enough, True) if enough and found > enough else (found, False)


async def _count_tallied(reach: Reach, given: Mapping[str, str]) -> int:
    """How many entries the filters of the directory leave that are not a search."""
    organisations = reach.trees.get(given["org"], frozenset()) & reach.tree if given.get("org") else reach.tree
    where = {name: value for name, value in given.items() if name in BY}
    if reach.tallies is not None and organisations is reach.tree and len(where) < 2:
        name, value = next(iter(where.items()), (COUNTED[0], ""))
        return reach.tallies[name].get(value, 0) if where else sum(reach.tallies[name].values())
    return sum((await load_tally(organisations, where=where)).values())


async def _narrow(reach: Reach, given: Mapping[str, str], where: list[str], values: list[Any]) -> tuple[Reach, bool]:
    """How the rows of the directory are come by, and whether by way of few of them.

    At most `NEAR` names may hold the words, or at most so many entries are what the other filters say: these are gone to one by one.
    Else a page is full after some thousand steps through the list.
    """
    words, learned = given.get("q"), {} if reach.learned is None else reach.learned
    if words and words not in learned:
        learned[words] = await load_narrowing(words)
    if words and learned[words] and learned[words].near:
        where.append(learned[words].sql)
        values += learned[words].values
        return reach, True
    few = await _count_tallied(reach, given) <= NEAR
    return replace(reach, few=few), few


async def iter_rows(listing: Listing, reach: Reach, asked: Asked) -> AsyncIterator[list[dict[str, Any]]]:
    """All rows from the first on, some at a time, in the order asked for."""
    after = ""
    while True:
        step = Asked(given=asked.given, sort=asked.sort, columns=asked.columns, after=after, size=asked.size)
        rows, after = await load_rows(listing, reach, step, PART)
        if rows:
            yield rows
        if not after:
            return


async def count_groups(
    listing: Listing, reach: Reach, given: Mapping[str, str], by: Sequence[str], measures: Mapping[str, Mapping[str, str]]
) -> list[tuple[tuple[Any, ...], dict[str, int]]]:
    """(values of `by`, measure -> how many rows its further filters leave), one for each group; without `by` one in any case."""
    where, values = conditions(listing, reach, given)
    sums, added = [], []
    for name, more in measures.items():
        its_where, its = conditions(listing, reach, more)
        sums.append(f'SUM(CASE WHEN {" AND ".join(its_where) or "1=1"} THEN 1 ELSE 0 END) AS "{name}"')
        added += its
    columns = [f"b.{one}" for one in by]
    group = f" GROUP BY {', '.join(columns)}" if by else ""
    named = [f'{column} AS "by_{n}"' for n, column in enumerate(columns)]
    every = dict(given) | {name: value for more in measures.values() for name, value in more.items()}
    if listing.name in _JOINED:
        reach = replace(reach, needs=_looked_at(listing, every) | frozenset(by))
    sql = f"SELECT {', '.join([*named, *sums])} FROM {_from(listing, reach, every)}{where_of(where)}{group}"
    rows = await Setting.raw(sql, *added, *values).run()
    return [(tuple(row[f"by_{n}"] for n in range(len(by))), {name: int(row[name] or 0) for name in measures}) for row in rows]


async def load_inspected_days() -> list[date]:
    """Every day on which anything was checked."""
    rows = await Setting.raw('SELECT DISTINCT inspected_on AS day FROM "record" WHERE inspected_on IS NOT NULL').run()
    return sorted(date.fromisoformat(row["day"]) if isinstance(row["day"], str) else row["day"] for row in rows)


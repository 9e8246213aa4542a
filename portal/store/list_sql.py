"""The rows of each list in SQL: one SELECT each, whose names are the columns of its Listing (domain/list_columns.py).

Each holds its own tenant filter. Both engines take the same text but for literal days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from portal.store import joined_sql
from portal.store.joined_sql import LINKS, beijing, in_, month, today_of
from portal.store.tally import BY, TABLE

if TYPE_CHECKING:
    from portal.store.list_where import Reach

__all__ = ["SOURCES", "directory_by_code", "directory_by_grams"]


def _checks(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return joined_sql.checks(
        sqlite=sqlite, line=reach.line, tree=reach.tree, days=reach.days, today=reach.today, professional=reach.professional,
        differentiated=reach.differentiated, saved="saved" in given, needs=reach.needs, only=reach.only,
    )  # fmt: skip


def _seen(reach: Reach, visit: str) -> str:
    """The visits that an organisation in reach has a part in."""
    own = in_(f"{visit}.organisation", reach.tree)
    if reach.whole:
        return own
    return f'({own} OR EXISTS (SELECT 1 FROM "visit_task" part WHERE part.visit = {visit}.id AND {in_("part.organisation", reach.tree)}))'


def _visits(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    only = f' AND EXISTS (SELECT 1 FROM "assignment" m WHERE m.visit = v.id AND m.inspector = {reach.inspector or -1})' if given.get("mine") else ""
    number = given.get("plan", "")
    only += f' AND EXISTS (SELECT 1 FROM ({LINKS}) k JOIN "task" t ON t.id = k.task WHERE k.visit = v.id AND t.plan = {int(number)})' if number else ""
    return joined_sql.visits(seen=f"{_seen(reach, 'v')}{only}", only=reach.only, needs=reach.needs)


def _follow_ups(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    today = today_of(reach.today, sqlite)
    return f"""
    SELECT u.id AS id, u.record AS record, u.kind AS kind, u.note AS note, u.due_on AS due_on, u.closed_on AS closed_on, u.result AS result,
      CASE WHEN u.state = 'closed' AND u.due_on IS NOT NULL AND u.closed_on > u.due_on THEN 'closed_late' WHEN u.state = 'closed' THEN 'closed'
        WHEN u.due_on IS NOT NULL AND u.due_on < {today} THEN 'late' ELSE 'open' END AS state,
      rec.organisation AS organisation, o.code AS unit, o.name AS station, rec.sector AS sector, rec.inspected_on AS inspected_on, t.plan AS plan,
      {month("rec.inspected_on", sqlite)} AS month, v.code AS visit_code, v.entity_code AS code, COALESCE(e.name, v.entity_code) AS name, v.town AS town
    FROM "follow_up" u JOIN "record" rec ON rec.id = u.record JOIN "visit" v ON v.id = rec.visit JOIN "task" t ON t.id = rec.task
    JOIN "organisation" o ON o.id = rec.organisation LEFT JOIN "entity" e ON e.code = v.entity_code
    WHERE u.kind <> 'none' AND {in_("rec.organisation", reach.tree)}"""


def _records(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return joined_sql.records(sqlite=sqlite, tree=reach.tree, days=reach.days, only=reach.only, needs=reach.needs)


def _directory(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    """Few entries are gone to by what they are counted by (tally.py). The + keeps the index of organisations out of the other way:
    both engines would read all of a bureau's entries to put them in order, where a page is full after some steps along an order they have.
    """
    if reach.few:
        return directory_of(f'{TABLE} k CROSS JOIN "entity" e', "k", f"{_counted(reach)} AND {' AND '.join(f'e.{name} = k.{name}' for name in BY)}")
    return directory_of('"entity" e', "e", in_("+e.organisation", reach.tree))


def directory_of(source: str, by: str, where: str, number: str = "e.id") -> str:
    """The directory's rows `e` of `source`; `by`: whose columns of tally.BY the filters look at; `number`: what they are put in order by."""
    return f"""
    SELECT {number} AS id, e.code AS code, e.kind AS kind, e.name AS name, {by}.type AS type, {by}.status AS status, {by}.town AS town, e.address AS address,
      {by}.organisation AS organisation, (SELECT o.name FROM "organisation" o WHERE o.id = e.organisation) AS station, e.registered_on AS registered_on, e.tags AS tags
    FROM {source} WHERE {where}"""


def _counted(reach: Reach) -> str:
    return f"{in_('k.organisation', reach.tree)} AND k.n > 0"


def directory_by_code(reach: Reach, limit: int, ascending: bool, after: bool, sqlite: bool) -> str:
    """The first entries of each tally in the order of codes, `after` one ({}): the first of all are among them.

    Codes go by region and by kind of company, so a walk along all of them may pass a million before it meets the first cooperative.
    """
    same = " AND ".join(f"x.{name} = k.{name}" for name in BY)
    than = f" AND x.code {'>' if ascending else '<'} {{}}" if after else ""
    first = f'FROM "entity" x WHERE {same}{than} ORDER BY x.code {"ASC" if ascending else "DESC"} LIMIT {limit}'
    if sqlite:
        return directory_of(f'{TABLE} k CROSS JOIN "entity" e', "k", f"{_counted(reach)} AND e.id IN (SELECT x.id {first})")
    return directory_of(f"{TABLE} k CROSS JOIN LATERAL (SELECT x.* {first}) e", "k", _counted(reach))


def directory_by_grams(reach: Reach) -> str:
    """On SQLite the entries that the index of names finds for {}, in the order of their numbers."""
    return directory_of('name_gram g CROSS JOIN "entity" e', "e", f'g.name_gram MATCH {{}} AND e.id = g.rowid AND {in_("+e.organisation", reach.tree)}', "g.rowid")


def _inspectors(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    """`slots`: places on visits of rounds whose checks begin in the period asked for; of a place drawn again the last draw counts."""
    def limit(name: str, sign: str) -> str:
        if not given.get(name):
            return ""
        day = date.fromisoformat(given[name])
        return f" AND r.window_from {sign} " + (f"'{day}'" if sqlite else f"DATE '{day}'")

    today = today_of(reach.today, sqlite)
    return f"""
    SELECT i.id AS id, i.code AS code, i.number AS number, i.name AS name, i.organisation AS organisation, o.code AS unit, o.name AS station,
      i.department AS department, i.qualifications AS qualifications, i.specialities AS specialities, i.certificate_until AS certificate_until, i.lead AS lead,
      CASE WHEN i.certificate_no = '' THEN 'none' WHEN i.certificate_until IS NOT NULL AND i.certificate_until < {today} THEN 'expired'
        WHEN i.status NOT IN ('', '有效') THEN 'off' ELSE 'valid' END AS standing,
      COALESCE(s.slots, 0) AS slots, COALESCE(q.recusals, 0) AS recusals
    FROM "inspector" i JOIN "organisation" o ON o.id = i.organisation
    LEFT JOIN (SELECT a.inspector, COUNT(*) AS slots FROM "assignment" a JOIN "visit" v ON v.id = a.visit JOIN "round" r ON r.id = v.round
      WHERE v.state <> 'closed'{limit("begins_from", ">=")}{limit("begins_to", "<=")}
        AND NOT EXISTS (SELECT 1 FROM "assignment" n WHERE n.visit = a.visit AND n.slot = a.slot AND n.run > a.run)
      GROUP BY a.inspector) s ON s.inspector = i.id
    LEFT JOIN (SELECT x.inspector, COUNT(*) AS recusals FROM "recusal" x WHERE (x.since IS NULL OR x.since <= {today}) AND (x.until IS NULL OR x.until >= {today})
      GROUP BY x.inspector) q ON q.inspector = i.id
    WHERE {in_("i.organisation", reach.tree)}"""


def _tasks(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT t.id AS id, t.code AS code, t.name AS name, t.plan AS plan, pl.year AS year, t.department AS department, t.sector AS sector, t.objects AS objects,
      t.ratio_text AS ratio_text, t.window_from AS window_from, t.window_to AS window_to, t.drawn_by AS drawn_by, t.kind AS kind,
      COALESCE((SELECT MAX(r.code) FROM "round_task" rt JOIN "round" r ON r.id = rt.round WHERE rt.task = t.id AND r.state <> 'void'), '') AS round
    FROM "task" t JOIN "plan" pl ON pl.id = t.plan
    WHERE {in_("t.organisation", reach.line)}
      AND NOT EXISTS (SELECT 1 FROM "plan" n WHERE n.organisation = pl.organisation AND n.year = pl.year AND n.version > pl.version)"""


def _rounds(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT r.id AS id, r.code AS code, r.title AS title, r.disclosure AS disclosure, r.state AS state, r.window_from AS window_from, r.window_to AS window_to,
      r.drawn_at AS drawn_at, (SELECT COUNT(*) FROM "round_task" rt WHERE rt.round = r.id) AS tasks
    FROM "round" r WHERE {in_("r.organisation", reach.line)}"""


def _results(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    plan_code = "CAST(pl.year AS TEXT) || '-' || CAST(pl.version AS TEXT)"
    return f"""
    SELECT f.id AS id, p.id AS publication, {plan_code} AS plan_code, pl.title AS plan_title, t.plan AS plan, t.code AS task_code, t.name AS task_name,
      t.kind AS task_kind, ro.name AS authority, f.entity_code AS code, COALESCE(e.name, f.entity_code) AS name, f.inspected_on AS inspected_on,
      f.item_code AS item, f.outcome AS outcome, p1.published_at AS published_on, r.code AS round, v.town AS town, rec.sector AS sector,
      rec.organisation AS organisation
    FROM "finding" f JOIN "record" rec ON rec.id = f.record JOIN "visit" v ON v.id = f.visit JOIN "round" r ON r.id = v.round
    JOIN "organisation" ro ON ro.id = r.organisation JOIN "task" t ON t.id = f.task JOIN "plan" pl ON pl.id = t.plan
    JOIN "publication" p ON p.kind = 'result' AND p.key = v.code AND p.state = 'live'
    JOIN "publication" p1 ON p1.kind = 'result' AND p1.key = v.code AND p1.version = 1
    LEFT JOIN "entity" e ON e.code = f.entity_code
    WHERE rec.state = 'published' AND {in_("rec.organisation", reach.tree)}"""


def _said(name: str, sqlite: bool) -> str:
    """A text out of a publication's data."""
    return f"json_extract(p.data, '$.{name}')" if sqlite else f"(CAST(p.data AS json) ->> '{name}')"


def _publications(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT p.id AS id, p.key AS key, p.version AS version, p.data AS data, p.published_at AS published_at, {beijing("p.published_at", sqlite)} AS published_on,
      {_said("name", sqlite)} AS name, {_said("entity", sqlite)} AS code, {_said("inspected_on", sqlite) if sqlite else f"CAST({_said('inspected_on', sqlite)} AS date)"} AS inspected_on,
      v.organisation AS organisation, o.name AS station, v.town AS town, r.code AS round
    FROM "publication" p JOIN "visit" v ON v.code = p.key JOIN "organisation" o ON o.id = v.organisation JOIN "round" r ON r.id = v.round
    WHERE p.kind = 'result' AND p.state = 'live' AND {in_("p.organisation", reach.tree)}"""


def _accounts(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT a.id AS id, a.login AS login, a.name AS name, a.roles AS roles, a.organisation AS organisation, o.name AS station, COALESCE(i.number, '') AS number,
      CASE WHEN length(a.secret) > 0 THEN 'on' ELSE 'off' END AS factor, a.created_at AS created_at, a.password_at AS password_at,
      CASE WHEN a.active THEN 'active' ELSE 'disabled' END AS state
    FROM "account" a JOIN "organisation" o ON o.id = a.organisation LEFT JOIN "inspector" i ON i.id = a.inspector
    WHERE {in_("a.organisation", reach.tree)}"""


def _audit(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    """Acts keep their organisation by its code and their time as Beijing's, in text: what is chained are their bytes."""
    day = "substr(a.at, 1, 10)"
    return f"""
    SELECT a.n AS n, a.at AS at, {day if sqlite else f"CAST({day} AS date)"} AS day, a.actor AS actor, a.address AS address, a.act AS act, a.object AS object,
      a.before AS before, a.after AS after, a.detail AS detail, a.digest AS digest, o.code AS unit, o.name AS station
    FROM "audit" a JOIN "organisation" o ON o.code = a.organisation WHERE {in_("o.id", reach.tree)}"""


SOURCES: Mapping[str, Callable[[Reach, Mapping[str, str], bool], str]] = {
    "checks": _checks, "visits": _visits, "follow-ups": _follow_ups, "records": _records, "directory": _directory, "inspectors": _inspectors,
    "tasks": _tasks, "rounds": _rounds, "results": _results,
    "publications": _publications, "accounts": _accounts, "audit": _audit,
}  # fmt: skip

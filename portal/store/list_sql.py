"""The rows of each list in SQL: one SELECT each, whose names are the columns of its Listing (domain/list_columns.py).

Each holds its own tenant filter. Both engines take the same text but for literal days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING

from portal.domain.model import OUTCOMES
from portal.store.tally import BY, TABLE

if TYPE_CHECKING:
    from portal.store.lists import Reach

__all__ = ["SOURCES", "directory_by_code", "directory_by_grams"]

_WORKED = "('drawn', 'replacement', 'external')"
_PROBLEMS = ", ".join(f"'{code}'" for code, one in sorted(OUTCOMES.items()) if one.problem)
#: tasks that a visit still has
_LINKS = (
    'SELECT vt.visit, vt.task, vt.organisation FROM "visit_task" vt '
    'WHERE NOT EXISTS (SELECT 1 FROM "closing" c WHERE c.visit = vt.visit AND c.task = vt.task)'
)


def _in(column: str, ids: Collection[int]) -> str:
    return f"{column} IN ({', '.join(map(str, sorted(ids) or [-1]))})"


def _days(reach: Reach, sqlite: bool) -> str:
    """(day, due) of `reach.days` as a table; due NULL where it is not known."""
    def said(day: object) -> str:
        return "CAST(NULL AS date)" if day is None else f"'{day}'" if sqlite else f"DATE '{day}'"

    rows = [f"SELECT {said(day)} AS day, {said(due)} AS due" for day, due in sorted(reach.days.items())]
    return " UNION ALL ".join(rows) or f"SELECT {said(None)} AS day, {said(None)} AS due"


def _today(reach: Reach, sqlite: bool) -> str:
    return f"'{reach.today}'" if sqlite else f"DATE '{reach.today}'"


def _beijing(column: str, sqlite: bool) -> str:
    """The day in Beijing of an instant."""
    return f"date({column}, '+8 hours')" if sqlite else f"CAST({column} AT TIME ZONE 'UTC' + INTERVAL '8 hours' AS date)"


def _month(column: str, sqlite: bool) -> str:
    return f"substr({column}, 1, 7)" if sqlite else f"to_char({column}, 'YYYY-MM')"


def _checks(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    """One row for each entity drawn for a task, those struck, dismissed or drawn in a round that was void left out.

    Of a task of an organisation above, those in the own directory.
    """
    today = _today(reach, sqlite)
    published = _beijing("p1.published_at", sqlite)
    # Filters must not go inside: PostgreSQL would then expect a handful of findings and join them one by one (20 s for 10,000 where 1 is enough).
    fence = "" if sqlite else " OFFSET 0"
    # A window over all rows is worked out only for those who ask: without it a page ends after its last row.
    saved = "CASE WHEN d.visit IS NULL THEN 0 WHEN ROW_NUMBER() OVER (PARTITION BY d.visit ORDER BY d.id) > 1 THEN 1 ELSE 0 END" if "saved" in given else "NULL"
    return f"""
    SELECT d.*,
      CASE WHEN d.done = 0 THEN '' WHEN d.published_on IS NOT NULL AND d.due IS NOT NULL AND d.published_on > d.due THEN 'late'
        WHEN d.published_on IS NOT NULL THEN 'in_time' WHEN d.due IS NOT NULL AND d.due < {today} THEN 'overdue' ELSE 'waiting' END AS publication,
      {saved} AS saved
    FROM (SELECT p.id AS id, p.task AS task, t.code AS task_code, t.name AS task_name, t.plan AS plan, t.department AS department, t.sector AS sector,
      p.code AS code, COALESCE(e.name, p.code) AS name, COALESCE(e.town, '') AS town,
      COALESCE(v.organisation, e.organisation, t.organisation) AS organisation, o.code AS unit, o.name AS station,
      COALESCE(NULLIF(CASE WHEN pool.strata = 'class' THEN p.stratum ELSE e.risk_class END, ''), '未分类') AS class,
      r.code AS round, r.window_from AS begins, v.id AS visit, COALESCE(v.code, '') AS visit_code, v.day AS day,
      CASE WHEN v.id IS NULL THEN 0 ELSE 1 END AS visited, f.record AS record, f.inspected_on AS inspected_on,
      {_month("f.inspected_on", sqlite)} AS month, COALESCE(f.outcome, '') AS outcome,
      CASE WHEN f.record IS NULL THEN 0 ELSE 1 END AS done, COALESCE(f.problem, 0) AS problem, {published} AS published_on, days.due AS due,
      CASE WHEN {_in("p.task", reach.professional)} THEN 1 ELSE 0 END AS professional,
      CASE WHEN {_in("p.task", reach.differentiated)} THEN 1 ELSE 0 END AS differentiated
      FROM "pick" p JOIN "task" t ON t.id = p.task JOIN "round" r ON r.id = p.round
      LEFT JOIN "entity" e ON e.code = p.code
      LEFT JOIN "round_task" rt ON rt.round = p.round AND rt.task = p.task
      LEFT JOIN "pool" pool ON pool.id = rt.pool
      LEFT JOIN (SELECT l.task, w.holder, w.site, MAX(w.id) AS id FROM ({_LINKS}) l JOIN "visit" w ON w.id = l.visit
        GROUP BY l.task, w.holder, w.site) at_ ON at_.task = p.task AND at_.holder = COALESCE(e.holder, p.code) AND at_.site = COALESCE(e.site, '')
      LEFT JOIN "visit" v ON v.id = at_.id
      LEFT JOIN (SELECT g.visit, g.item_code, MIN(g.record) AS record, MIN(g.inspected_on) AS inspected_on,
        COALESCE(MAX(CASE WHEN g.outcome IN ({_PROBLEMS}) THEN g.outcome END), MAX(g.outcome)) AS outcome,
        MAX(CASE WHEN g.outcome IN ({_PROBLEMS}) THEN 1 ELSE 0 END) AS problem
        FROM "finding" g GROUP BY g.visit, g.item_code) f ON f.visit = v.id AND f.item_code = t.item_code
      LEFT JOIN "publication" p1 ON p1.kind = 'result' AND p1.version = 1 AND p1.key = v.code AND f.record IS NOT NULL
      LEFT JOIN ({_days(reach, sqlite)}) days ON days.day = f.inspected_on
      JOIN "organisation" o ON o.id = COALESCE(v.organisation, e.organisation, t.organisation)
      WHERE p.kind IN {_WORKED} AND r.state <> 'void' AND {_in("t.organisation", reach.line)}
        AND ({_in("t.organisation", reach.tree)} OR {_in("e.organisation", reach.tree)})
        AND NOT EXISTS (SELECT 1 FROM "pick" s WHERE s.kind = 'struck' AND s.round = p.round AND s.task = p.task AND s.code = p.code)
        AND NOT EXISTS (SELECT 1 FROM "dismissal" x WHERE x.task = p.task AND x.code = p.code AND x.item_code = '')) d{fence}"""


def _seen(reach: Reach, visit: str) -> str:
    """The visits that an organisation in reach has a part in."""
    own = _in(f"{visit}.organisation", reach.tree)
    if reach.whole:
        return own
    return f'({own} OR EXISTS (SELECT 1 FROM "visit_task" part WHERE part.visit = {visit}.id AND {_in("part.organisation", reach.tree)}))'


def _visits(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    only = f' AND EXISTS (SELECT 1 FROM "assignment" m WHERE m.visit = v.id AND m.inspector = {reach.inspector or -1})' if given.get("mine") else ""
    number = given.get("plan", "")
    only += f' AND EXISTS (SELECT 1 FROM ({_LINKS}) k JOIN "task" t ON t.id = k.task WHERE k.visit = v.id AND t.plan = {int(number)})' if number else ""
    return f"""
    SELECT v.id AS id, v.code AS code, v.round AS round_id, r.code AS round, r.window_from AS begins, v.organisation AS organisation, o.code AS unit, o.name AS station,
      v.entity_code AS entity_code, COALESCE(e.name, v.entity_code) AS name, v.town AS town, v.day AS day, v.state AS state, v.forms AS forms,
      CASE WHEN v.state = 'closed' THEN 0 ELSE 1 END AS made, COALESCE(l.tasks, 0) AS tasks, COALESCE(s.sectors, 0) AS sectors,
      CASE WHEN s.sectors > 1 THEN 1 ELSE 0 END AS joint, v.arrived_at AS arrived_at, v.done_at AS done_at
    FROM "visit" v JOIN "round" r ON r.id = v.round JOIN "organisation" o ON o.id = v.organisation
    LEFT JOIN "entity" e ON e.code = v.entity_code
    LEFT JOIN (SELECT k.visit, COUNT(*) AS tasks FROM ({_LINKS}) k GROUP BY k.visit) l ON l.visit = v.id
    LEFT JOIN (SELECT a.visit, COUNT(DISTINCT a.sector) AS sectors FROM (
      SELECT k.visit, t.sector FROM ({_LINKS}) k JOIN "task" t ON t.id = k.task
      UNION SELECT k.visit, i.sector FROM ({_LINKS}) k JOIN "rider" q ON q.task = k.task
        JOIN "item" i ON i.code = q.item_code AND i.version = q.item_version) a GROUP BY a.visit) s ON s.visit = v.id
    WHERE {_seen(reach, "v")}{only}"""


def _follow_ups(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    today = _today(reach, sqlite)
    return f"""
    SELECT u.id AS id, u.record AS record, u.kind AS kind, u.note AS note, u.due_on AS due_on, u.closed_on AS closed_on, u.result AS result,
      CASE WHEN u.state = 'closed' AND u.due_on IS NOT NULL AND u.closed_on > u.due_on THEN 'closed_late' WHEN u.state = 'closed' THEN 'closed'
        WHEN u.due_on IS NOT NULL AND u.due_on < {today} THEN 'late' ELSE 'open' END AS state,
      rec.organisation AS organisation, o.code AS unit, o.name AS station, rec.sector AS sector, rec.inspected_on AS inspected_on, t.plan AS plan,
      {_month("rec.inspected_on", sqlite)} AS month, v.code AS visit_code, v.entity_code AS code, COALESCE(e.name, v.entity_code) AS name, v.town AS town
    FROM "follow_up" u JOIN "record" rec ON rec.id = u.record JOIN "visit" v ON v.id = rec.visit JOIN "task" t ON t.id = rec.task
    JOIN "organisation" o ON o.id = rec.organisation LEFT JOIN "entity" e ON e.code = v.entity_code
    WHERE u.kind <> 'none' AND {_in("rec.organisation", reach.tree)}"""


def _records(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT rec.id AS id, rec.form_code AS form_code, rec.sector AS sector, rec.state AS state, rec.inspected_on AS inspected_on, rec.method AS method,
      rec.submitted_at AS submitted_at, rec.reviewed_at AS reviewed_at, rec.outcomes AS outcomes, days.due AS due, COALESCE(i.name, '') AS recorder,
      rec.organisation AS organisation, o.code AS unit, o.name AS station, v.code AS visit_code, v.entity_code AS code,
      COALESCE(e.name, v.entity_code) AS name, v.town AS town, r.code AS round
    FROM "record" rec JOIN "visit" v ON v.id = rec.visit JOIN "round" r ON r.id = v.round JOIN "organisation" o ON o.id = rec.organisation
    LEFT JOIN "entity" e ON e.code = v.entity_code LEFT JOIN "inspector" i ON i.id = rec.recorder
    LEFT JOIN ({_days(reach, sqlite)}) days ON days.day = rec.inspected_on
    WHERE {_in("rec.organisation", reach.tree)}"""


def _directory(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    """Few entries are gone to by what they are counted by (tally.py). The + keeps the index of organisations out of the other way:
    both engines would read all of a bureau's entries to put them in order, where a page is full after some steps along an order they have.
    """
    if reach.few:
        return directory_of(f'{TABLE} k CROSS JOIN "entity" e', "k", f"{_counted(reach)} AND {' AND '.join(f'e.{name} = k.{name}' for name in BY)}")
    return directory_of('"entity" e', "e", _in("+e.organisation", reach.tree))


def directory_of(source: str, by: str, where: str, number: str = "e.id") -> str:
    """The directory's rows `e` of `source`; `by`: whose columns of tally.BY the filters look at; `number`: what they are put in order by."""
    return f"""
    SELECT {number} AS id, e.code AS code, e.kind AS kind, e.name AS name, {by}.type AS type, {by}.status AS status, {by}.town AS town, e.address AS address,
      {by}.organisation AS organisation, (SELECT o.name FROM "organisation" o WHERE o.id = e.organisation) AS station, e.registered_on AS registered_on, e.tags AS tags
    FROM {source} WHERE {where}"""


def _counted(reach: Reach) -> str:
    return f"{_in('k.organisation', reach.tree)} AND k.n > 0"


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
    return directory_of('name_gram g CROSS JOIN "entity" e', "e", f'g.name_gram MATCH {{}} AND e.id = g.rowid AND {_in("+e.organisation", reach.tree)}', "g.rowid")


def _inspectors(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    """`slots`: places on visits of rounds whose checks begin in the period asked for; of a place drawn again the last draw counts."""
    def limit(name: str, sign: str) -> str:
        if not given.get(name):
            return ""
        day = date.fromisoformat(given[name])
        return f" AND r.window_from {sign} " + (f"'{day}'" if sqlite else f"DATE '{day}'")

    today = _today(reach, sqlite)
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
    WHERE {_in("i.organisation", reach.tree)}"""


def _tasks(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT t.id AS id, t.code AS code, t.name AS name, t.plan AS plan, pl.year AS year, t.department AS department, t.sector AS sector, t.objects AS objects,
      t.ratio_text AS ratio_text, t.window_from AS window_from, t.window_to AS window_to, t.drawn_by AS drawn_by, t.kind AS kind,
      COALESCE((SELECT MAX(r.code) FROM "round_task" rt JOIN "round" r ON r.id = rt.round WHERE rt.task = t.id AND r.state <> 'void'), '') AS round
    FROM "task" t JOIN "plan" pl ON pl.id = t.plan
    WHERE {_in("t.organisation", reach.line)}
      AND NOT EXISTS (SELECT 1 FROM "plan" n WHERE n.organisation = pl.organisation AND n.year = pl.year AND n.version > pl.version)"""


def _rounds(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT r.id AS id, r.code AS code, r.title AS title, r.disclosure AS disclosure, r.state AS state, r.window_from AS window_from, r.window_to AS window_to,
      r.drawn_at AS drawn_at, (SELECT COUNT(*) FROM "round_task" rt WHERE rt.round = r.id) AS tasks
    FROM "round" r WHERE {_in("r.organisation", reach.line)}"""


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
    WHERE rec.state = 'published' AND {_in("rec.organisation", reach.tree)}"""


def _said(name: str, sqlite: bool) -> str:
    """A text out of a publication's data."""
    return f"json_extract(p.data, '$.{name}')" if sqlite else f"(CAST(p.data AS json) ->> '{name}')"


def _publications(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT p.id AS id, p.key AS key, p.version AS version, p.data AS data, p.published_at AS published_at, {_beijing("p.published_at", sqlite)} AS published_on,
      {_said("name", sqlite)} AS name, {_said("entity", sqlite)} AS code, {_said("inspected_on", sqlite) if sqlite else f"CAST({_said('inspected_on', sqlite)} AS date)"} AS inspected_on,
      v.organisation AS organisation, o.name AS station, v.town AS town, r.code AS round
    FROM "publication" p JOIN "visit" v ON v.code = p.key JOIN "organisation" o ON o.id = v.organisation JOIN "round" r ON r.id = v.round
    WHERE p.kind = 'result' AND p.state = 'live' AND {_in("p.organisation", reach.tree)}"""


def _accounts(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    return f"""
    SELECT a.id AS id, a.login AS login, a.name AS name, a.roles AS roles, a.organisation AS organisation, o.name AS station, COALESCE(i.number, '') AS number,
      CASE WHEN length(a.secret) > 0 THEN 'on' ELSE 'off' END AS factor, a.created_at AS created_at, a.password_at AS password_at,
      CASE WHEN a.active THEN 'active' ELSE 'disabled' END AS state
    FROM "account" a JOIN "organisation" o ON o.id = a.organisation LEFT JOIN "inspector" i ON i.id = a.inspector
    WHERE {_in("a.organisation", reach.tree)}"""


def _audit(reach: Reach, given: Mapping[str, str], sqlite: bool) -> str:
    """Acts keep their organisation by its code and their time as Beijing's, in text: what is chained are their bytes."""
    day = "substr(a.at, 1, 10)"
    return f"""
    SELECT a.n AS n, a.at AS at, {day if sqlite else f"CAST({day} AS date)"} AS day, a.actor AS actor, a.address AS address, a.act AS act, a.object AS object,
      a.before AS before, a.after AS after, a.detail AS detail, a.digest AS digest, o.code AS unit, o.name AS station
    FROM "audit" a JOIN "organisation" o ON o.code = a.organisation WHERE {_in("o.id", reach.tree)}"""


SOURCES: Mapping[str, Callable[[Reach, Mapping[str, str], bool], str]] = {
    "checks": _checks, "visits": _visits, "follow-ups": _follow_ups, "records": _records, "directory": _directory, "inspectors": _inspectors,
    "tasks": _tasks, "rounds": _rounds, "results": _results,
    "publications": _publications, "accounts": _accounts, "audit": _audit,
}  # fmt: skip

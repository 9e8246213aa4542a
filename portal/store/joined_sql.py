"""The lists of checks, visits and records in SQL, joined no further than somebody asks: see `Joined`.

A page is found by what its filters and its order look at, and only its rows are then told in full (lists.py). With all of them joined
first, a page of 50,000 checks took a second, and as long again for their number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.domain.model import OUTCOMES

__all__ = ["LINKS", "Joined", "beijing", "checks", "due_of", "in_", "month", "records", "today_of", "visits"]

_WORKED = "('drawn', 'replacement', 'external')"
_PROBLEMS = ", ".join(f"'{code}'" for code, one in sorted(OUTCOMES.items()) if one.problem)
#: tasks that a visit still has
LINKS = (
    'SELECT vt.visit, vt.task, vt.organisation FROM "visit_task" vt '
    'WHERE NOT EXISTS (SELECT 1 FROM "closing" c WHERE c.visit = vt.visit AND c.task = vt.task)'
)


#: the visit of a pick, looked up for each: SQLite groups and joins all of them no quicker
_VISIT_OF_EACH = (
    'LEFT JOIN "visit" v ON v.id = (SELECT MAX(w.id) FROM "visit" w JOIN "visit_task" l ON l.visit = w.id AND l.task = p.task '
    "WHERE w.holder = COALESCE(e.holder, p.code) AND w.site = COALESCE(e.site, '') "
    'AND NOT EXISTS (SELECT 1 FROM "closing" c WHERE c.visit = l.visit AND c.task = l.task))'
)


def in_(column: str, ids: Collection[int]) -> str:
    return f"{column} IN ({', '.join(map(str, sorted(ids) or [-1]))})"


def due_of(column: str, days: Mapping[date, date | None], sqlite: bool) -> str:
    """The last day for what was checked on the day in `column`; NULL where it is not known.

    Halved again and again: SQLite joined to a table of a hundred days looks through all of them for each row.
    """
    def said(day: date) -> str:
        return f"'{day}'" if sqlite else f"DATE '{day}'"

    def halved(some: Sequence[tuple[date, date]]) -> str:
        if len(some) == 1:
            return f"CASE WHEN {column} = {said(some[0][0])} THEN {said(some[0][1])} END"
        half = len(some) // 2
        return f"CASE WHEN {column} < {said(some[half][0])} THEN {halved(some[:half])} ELSE {halved(some[half:])} END"

    known = sorted((day, due) for day, due in days.items() if due is not None)
    return halved(known) if known else "CAST(NULL AS date)"


def today_of(today: date, sqlite: bool) -> str:
    return f"'{today}'" if sqlite else f"DATE '{today}'"


def beijing(column: str, sqlite: bool) -> str:
    """The day in Beijing of an instant."""
    return f"date({column}, '+8 hours')" if sqlite else f"CAST({column} AT TIME ZONE 'UTC' + INTERVAL '8 hours' AS date)"


def month(column: str, sqlite: bool) -> str:
    return f"substr({column}, 1, 7)" if sqlite else f"to_char({column}, 'YYYY-MM')"


@dataclass(frozen=True, slots=True)
class Joined:
    """A SELECT by parts. `columns`: name -> (SQL, names of the joins it reads); `joins`: name -> (SQL, joins before it), in order.

    Each join finds one row at most (a LEFT JOIN) or exactly one, so that what nobody reads can be left out.
    """

    columns: Mapping[str, tuple[str, str]]
    joins: Mapping[str, tuple[str, str]]
    start: str
    where: str

    def _names(self, needs: Collection[str] | None) -> list[str]:
        return [name for name in self.columns if needs is None or name in needs or name == "id"]

    def read(self, needs: Collection[str] | None) -> set[str]:
        """The joins that the columns named (None: all) read."""
        wanted = {join for name in self._names(needs) for join in self.columns[name][1].split()}
        for name in reversed(self.joins):
            if name in wanted:
                wanted |= set(self.joins[name][1].split())
        return wanted

    def sql(self, needs: Collection[str] | None) -> str:
        """With the columns named and what they read."""
        names, wanted = self._names(needs), self.read(needs)
        joined = " ".join(sql for name, (sql, _) in self.joins.items() if name in wanted)
        return f"SELECT {', '.join(f'{self.columns[name][0]} AS {name}' for name in names)} FROM {self.start} {joined} WHERE {self.where}"


def checks(
    *, sqlite: bool, line: Collection[int], tree: Collection[int], days: Mapping[date, date | None], today: date, professional: Collection[int],
    differentiated: Collection[int], saved: bool, needs: Collection[str] | None, only: Collection[int] | None,
) -> str:  # fmt: skip
    """One row for each entity drawn for a task, those struck, dismissed or drawn in a round that was void left out.

    Of a task of an organisation above, those in the own directory. `only`: the numbers of picks.
    """
    # What is grouped is so for a page's places alone.
    places = f'(SELECT COALESCE(e2.holder, p2.code) FROM "pick" p2 LEFT JOIN "entity" e2 ON e2.code = p2.code WHERE {in_("p2.id", only)})' if only is not None else ""
    near, found = (f" WHERE w.holder IN {places}", f' WHERE g.visit IN (SELECT w.id FROM "visit" w WHERE w.holder IN {places})') if places else ("", "")
    # Where nothing is asked SQLite shall go along the picks, in the order of the page, which then ends after some of them.
    along = "CROSS JOIN" if sqlite and needs is not None and needs <= {"id"} else "JOIN"
    organisation = "COALESCE(v.organisation, e.organisation, t.organisation)"
    joined = Joined(
        columns={
            "id": ("p.id", ""), "task": ("p.task", ""), "task_code": ("t.code", ""), "task_name": ("t.name", ""), "plan": ("t.plan", ""),
            "department": ("t.department", ""), "sector": ("t.sector", ""), "code": ("p.code", ""), "name": ("COALESCE(e.name, p.code)", ""),
            "town": ("COALESCE(e.town, '')", ""), "organisation": (organisation, "v"), "unit": ("o.code", "o"), "station": ("o.name", "o"),
            "class": ("COALESCE(NULLIF(CASE WHEN pool.strata = 'class' THEN p.stratum ELSE e.risk_class END, ''), '未分类')", "pool"),
            "round": ("r.code", ""), "begins": ("r.window_from", ""), "visit": ("v.id", "v"), "visit_code": ("COALESCE(v.code, '')", "v"), "day": ("v.day", "v"),
            "visited": ("CASE WHEN v.id IS NULL THEN 0 ELSE 1 END", "v"), "record": ("f.record", "f"), "inspected_on": ("f.inspected_on", "f"),
            "month": (month("f.inspected_on", sqlite), "f"), "outcome": ("COALESCE(f.outcome, '')", "f"),
            "done": ("CASE WHEN f.record IS NULL THEN 0 ELSE 1 END", "f"), "problem": ("COALESCE(f.problem, 0)", "f"),
            "published_on": (beijing("p1.published_at", sqlite), "p1"), "due": (due_of("f.inspected_on", days, sqlite), "f"),
            "professional": (f"CASE WHEN {in_('p.task', professional)} THEN 1 ELSE 0 END", ""),
            "differentiated": (f"CASE WHEN {in_('p.task', differentiated)} THEN 1 ELSE 0 END", ""),
        },
        joins={
            "pool": ('LEFT JOIN "round_task" rt ON rt.round = p.round AND rt.task = p.task LEFT JOIN "pool" pool ON pool.id = rt.pool', ""),
            "v": (_VISIT_OF_EACH if sqlite else f"""LEFT JOIN (SELECT l.task, w.holder, w.site, MAX(w.id) AS id FROM ({LINKS}) l JOIN "visit" w ON w.id = l.visit{near}
                GROUP BY l.task, w.holder, w.site) at_ ON at_.task = p.task AND at_.holder = COALESCE(e.holder, p.code) AND at_.site = COALESCE(e.site, '')
                LEFT JOIN "visit" v ON v.id = at_.id""", ""),
            "f": (f"""LEFT JOIN (SELECT g.visit, g.item_code, MIN(g.record) AS record, MIN(g.inspected_on) AS inspected_on,
                COALESCE(MAX(CASE WHEN g.outcome IN ({_PROBLEMS}) THEN g.outcome END), MAX(g.outcome)) AS outcome,
                MAX(CASE WHEN g.outcome IN ({_PROBLEMS}) THEN 1 ELSE 0 END) AS problem
                FROM "finding" g{found} GROUP BY g.visit, g.item_code) f ON f.visit = v.id AND f.item_code = t.item_code""", "v"),
            "p1": ("""LEFT JOIN "publication" p1 ON p1.kind = 'result' AND p1.version = 1 AND p1.key = v.code AND f.record IS NOT NULL""", "v f"),
            "o": (f'JOIN "organisation" o ON o.id = {organisation}', "v"),
        },
        start=f'"pick" p {along} "task" t ON t.id = p.task {along} "round" r ON r.id = p.round LEFT JOIN "entity" e ON e.code = p.code',
        where=f"""p.kind IN {_WORKED} AND r.state <> 'void' AND {in_("t.organisation", line)}{f' AND {in_("p.id", only)}' if only is not None else ''}
        AND ({in_("t.organisation", tree)} OR {in_("e.organisation", tree)})
        AND NOT EXISTS (SELECT 1 FROM "pick" s WHERE s.kind = 'struck' AND s.round = p.round AND s.task = p.task AND s.code = p.code)
        AND NOT EXISTS (SELECT 1 FROM "dismissal" x WHERE x.task = p.task AND x.code = p.code AND x.item_code = '')""",
    )  # fmt: skip
    beside = {"publication": ("done", "published_on", "due"), "saved": ("visit",)}  # made of other columns
    if needs is not None:
        needs = {*needs, *(one for name, made in beside.items() if name in needs for one in made)}
    extra = ""
    if needs is None or "publication" in needs:
        extra += f""", CASE WHEN d.done = 0 THEN '' WHEN d.published_on IS NOT NULL AND d.due IS NOT NULL AND d.published_on > d.due THEN 'late'
        WHEN d.published_on IS NOT NULL THEN 'in_time' WHEN d.due IS NOT NULL AND d.due < {today_of(today, sqlite)} THEN 'overdue' ELSE 'waiting' END AS publication"""
    if saved:  # a window over all rows is worked out only for those who ask: without it a page ends after its last row
        extra += ", CASE WHEN d.visit IS NULL THEN 0 WHEN ROW_NUMBER() OVER (PARTITION BY d.visit ORDER BY d.id) > 1 THEN 1 ELSE 0 END AS saved"
    # Filters must not go inside: PostgreSQL would then expect a handful of findings and join them one by one (20 s for 10,000 where 1 is enough).
    fence = "" if sqlite or "v" not in joined.read(needs) else " OFFSET 0"
    return f"SELECT d.*{extra} FROM ({joined.sql(needs)}) d{fence}"


def visits(*, seen: str, only: Collection[int] | None, needs: Collection[str] | None) -> str:
    """`seen`: which visits `v`."""
    near = f" WHERE {in_('k.visit', only)}" if only is not None else ""
    return Joined(
        columns={
            "id": ("v.id", ""), "code": ("v.code", ""), "round_id": ("v.round", ""), "round": ("r.code", "r"), "begins": ("r.window_from", "r"),
            "organisation": ("v.organisation", ""), "unit": ("o.code", "o"), "station": ("o.name", "o"), "entity_code": ("v.entity_code", ""),
            "name": ("COALESCE(e.name, v.entity_code)", "e"), "town": ("v.town", ""), "day": ("v.day", ""), "state": ("v.state", ""), "forms": ("v.forms", ""),
            "made": ("CASE WHEN v.state = 'closed' THEN 0 ELSE 1 END", ""), "tasks": ("COALESCE(l.tasks, 0)", "l"), "sectors": ("COALESCE(s.sectors, 0)", "s"),
            "joint": ("CASE WHEN s.sectors > 1 THEN 1 ELSE 0 END", "s"), "arrived_at": ("v.arrived_at", ""), "done_at": ("v.done_at", ""),
        },
        joins={
            "r": ('JOIN "round" r ON r.id = v.round', ""), "o": ('JOIN "organisation" o ON o.id = v.organisation', ""),
            "e": ('LEFT JOIN "entity" e ON e.code = v.entity_code', ""),
            "l": (f"LEFT JOIN (SELECT k.visit, COUNT(*) AS tasks FROM ({LINKS}) k{near} GROUP BY k.visit) l ON l.visit = v.id", ""),
            "s": (f"""LEFT JOIN (SELECT a.visit, COUNT(DISTINCT a.sector) AS sectors FROM (
                SELECT k.visit, t.sector FROM ({LINKS}) k JOIN "task" t ON t.id = k.task{near}
                UNION SELECT k.visit, i.sector FROM ({LINKS}) k JOIN "rider" q ON q.task = k.task
                JOIN "item" i ON i.code = q.item_code AND i.version = q.item_version{near}) a GROUP BY a.visit) s ON s.visit = v.id""", ""),
        },
        start='"visit" v', where=seen + (f" AND {in_('v.id', only)}" if only is not None else ""),
    ).sql(needs)  # fmt: skip


def records(*, sqlite: bool, tree: Collection[int], days: Mapping[date, date | None], only: Collection[int] | None, needs: Collection[str] | None) -> str:
    return Joined(
        columns={
            "id": ("rec.id", ""), "form_code": ("rec.form_code", ""), "sector": ("rec.sector", ""), "state": ("rec.state", ""), "inspected_on": ("rec.inspected_on", ""),
            "method": ("rec.method", ""), "submitted_at": ("rec.submitted_at", ""), "reviewed_at": ("rec.reviewed_at", ""), "outcomes": ("rec.outcomes", ""),
            "due": (due_of("rec.inspected_on", days, sqlite), ""), "recorder": ("COALESCE(i.name, '')", "i"), "organisation": ("rec.organisation", ""), "unit": ("o.code", "o"),
            "station": ("o.name", "o"), "visit_code": ("v.code", "v"), "code": ("v.entity_code", "v"), "name": ("COALESCE(e.name, v.entity_code)", "e"),
            "town": ("v.town", "v"), "round": ("r.code", "r"),
        },
        joins={
            "v": ('JOIN "visit" v ON v.id = rec.visit', ""), "r": ('JOIN "round" r ON r.id = v.round', "v"), "o": ('JOIN "organisation" o ON o.id = rec.organisation', ""),
            "e": ('LEFT JOIN "entity" e ON e.code = v.entity_code', "v"), "i": ('LEFT JOIN "inspector" i ON i.id = rec.recorder', ""),
        },
        start='"record" rec', where=in_("rec.organisation", tree) + (f" AND {in_('rec.id', only)}" if only is not None else ""),
    ).sql(needs)  # fmt: skip

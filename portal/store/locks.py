"""Who goes first: what a transaction holds to its end, so that what it read is still true when it writes.

SQLite has one writer at a time and needs none of this.  On PostgreSQL two transactions
may read the same state; whoever will write on the strength of what it reads holds it
first, and the second one waits, then reads what the first one left.

Everything is held in the one order of `ORDER`, rows of a table all in one call: two
transactions that wait for each other cannot come to be.  The order is checked on both
engines.  Last comes the chain, which every act needs: until then acts run side by side.
"""

from __future__ import annotations

from portal.store.engine import current_engine
from portal.store.sqlite import PooledSQLite
from portal.store.tables import Setting

#: what can be held, in the order in which it must be: rows of these tables, or a name with a number
ORDER = (
    "schema",  # migrating
    "round",  # row
    "bureau",  # of a bureau: importing its directory; the next code of its plans, tasks and rounds
    "directory",  # whose a code is, in all bureaus: from asking to writing
    "task",  # row
    "combining",  # picks becoming visits: one open visit a place, whichever round
    "visit",  # row
    "publishing",  # of a bureau
    "record",  # row
    "accounts",  # of all bureaus: who holds which role
    "settings",  # counters kept in settings
    "chain",  # the next number of audit, log and job queue
)
_ROWS = frozenset(("round", "task", "visit", "record"))


async def hold(what: str, *ids: int) -> None:
    """Hold these rows (or names; without a number: number 0) until the transaction ends; held before is held.

    Raises RuntimeError outside a transaction and for a call against the order: that is a
    mistake in the program, which PostgreSQL might show as a deadlock once a year.
    """
    engine = current_engine()
    transaction = engine.current_transaction.get()
    if transaction is None:
        raise RuntimeError(f"{what} is held inside a transaction")
    wanted = sorted(set(ids) or ({0} if what not in _ROWS else ()))
    wanted = [n for n in wanted if (what, n) not in transaction.held]
    if not wanted:
        return
    later = [one for one, _ in transaction.held if ORDER.index(one) >= ORDER.index(what)]
    if later:
        raise RuntimeError(f"{what} must be held before {max(later, key=ORDER.index)}, or in the same call")
    transaction.held |= {(what, n) for n in wanted}
    if isinstance(engine, PooledSQLite):
        return
    if what in _ROWS:
        # NO KEY: rows that only refer to these go on being written
        await Setting.raw(f'SELECT id FROM "{what}" WHERE id = ANY({{}}) ORDER BY id FOR NO KEY UPDATE', wanted).run()
    else:
        for n in wanted:
            await Setting.raw("SELECT pg_advisory_xact_lock({}, {})", ORDER.index(what), n).run()

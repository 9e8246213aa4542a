"""How much waits at the steps: figures that stand beside every page, in one statement."""

from __future__ import annotations

from collections.abc import Collection

from portal.store.engine import read

__all__ = ["count_waiting"]


async def count_waiting(line: Collection[int], tree: Collection[int]) -> dict[str, dict[str, int]]:
    """{"round": state -> how many of the organisations in `line`, "record": state -> how many of those in `tree`}; states without any are left out,
    and so are those in which nothing waits: a year's published records are counted by no page.
    """
    rows = await read(
        f"""SELECT 'round' AS kind, state, COUNT(*) AS n FROM "round" WHERE state IN ('draft', 'committed') AND {_of(line)} GROUP BY state
        UNION ALL SELECT 'record' AS kind, state, COUNT(*) AS n FROM "record"
        WHERE state IN ('draft', 'returned', 'submitted', 'approved') AND {_of(tree)} GROUP BY state"""
    )
    found: dict[str, dict[str, int]] = {"round": {}, "record": {}}
    for row in rows:
        found[row["kind"]][row["state"]] = row["n"]
    return found


def _of(organisations: Collection[int]) -> str:
    return f"organisation IN ({', '.join(map(str, sorted(organisations) or [-1]))})"

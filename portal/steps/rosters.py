"""Roots of the inspector roster and of recusals: fixed with the round, before anyone is assigned.

Leaves are salted: few recusals exist, and an unsalted root could be searched for
who is related to whom.  The salt comes from the portal's key and goes to auditors.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from portal.domain import trees
from portal.domain.bundle import canonical, hasher
from portal.steps.acting import Acting
from portal.store import accounts, directory


async def load_roster(act: Acting) -> list[dict[str, Any]]:
    """The bureau's inspectors, as far as eligibility depends on them, sorted by code."""
    organisations = await accounts.load_organisations()
    by_id = {o["id"]: o for o in organisations}
    tree = accounts.tree_of(organisations, act.bureau["id"])
    return [
        {
            "id": row["id"], "code": row["code"], "organisation": by_id[row["organisation"]]["code"],
            "station": by_id[row["organisation"]]["kind"] == "station", "status": row["status"],
            "certificate": row["certificate_no"] != "", "lead": row["lead"],
            "until": row["certificate_until"].isoformat() if row["certificate_until"] else "",
            "qualifications": sorted(json.loads(row["qualifications"]) + json.loads(row["specialities"])),
        }
        for row in await directory.load_inspectors(tree)
    ]  # fmt: skip


async def load_roster_roots(act: Acting, suite: str) -> tuple[str, str]:
    """(roster_root, recusals_root) in hex, of the roster and the recusals in force today."""
    salt = hmac.new(act.keys.master, b"roster salt", hashlib.sha256).digest()
    roster = await load_roster(act)
    recusals = await directory.load_recusals([row["id"] for row in roster], act.today)
    codes = {row["id"]: row["code"] for row in roster}
    lines = [canonical({name: value for name, value in row.items() if name != "id"}) for row in roster]
    pairs = sorted(canonical([codes[inspector], entity]) for inspector, entity in recusals)
    hash_ = hasher(suite)
    return tuple(  # type: ignore[return-value]
        trees.root(hash_, (trees.leaf_hash(hash_, hash_(salt + line) + line) for line in found)).hex() for found in (lines, pairs)
    )

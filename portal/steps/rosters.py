"""The inspector roster and the recusals as a round commits to them, before anyone is assigned.

The round keeps a snapshot; its roots are in round.json.  Leaves are salted: few
recusals exist, and an unsalted root could be searched for who is related to whom.
The salt comes from the portal's key and goes to auditors.
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


async def load_snapshot(act: Acting) -> dict[str, Any]:
    """{"roster": [...], "recusals": [[inspector code, entity code], ...]} of the bureau today, sorted."""
    organisations = await accounts.load_organisations()
    by_id = {o["id"]: o for o in organisations}
    tree = accounts.joint_tree_of(organisations, act.bureau["id"])
    people = await directory.load_inspectors(tree)
    codes = {row["id"]: row["code"] for row in people}
    roster = [
        {
            "code": row["code"], "organisation": by_id[row["organisation"]]["code"],
            "bureau": by_id[accounts.bureaus_of(organisations, row["organisation"])[0]]["code"],
            "station": by_id[row["organisation"]]["kind"] == "station", "status": row["status"],
            "certificate": row["certificate_no"] != "", "lead": bool(row["lead"]),
            "until": row["certificate_until"].isoformat() if row["certificate_until"] else "",
            "qualifications": sorted(set(json.loads(row["qualifications"]) + json.loads(row["specialities"]))),
            # of another department: goes for that one's items only; a mark of those alone, so that rosters without them stay as they were
            **({"partner": True} if by_id[row["organisation"]]["kind"] == "partner" else {}),
        }
        for row in people
    ]  # fmt: skip
    recusals = sorted([codes[who], entity] for who, entity in await directory.load_recusals(codes, act.today))
    return {"roster": roster, "recusals": recusals}


def roots_of(act: Acting, suite: str, snapshot: dict[str, Any]) -> tuple[str, str]:
    """(roster_root, recusals_root) in hex."""
    salt = hmac.new(act.keys.master, b"roster salt", hashlib.sha256).digest()
    hash_ = hasher(suite)

    def root(rows: list[Any]) -> str:
        lines = [canonical(row) for row in rows]
        return trees.root(hash_, (trees.leaf_hash(hash_, hash_(salt + line) + line) for line in lines)).hex()

    return root(snapshot["roster"]), root(snapshot["recusals"])

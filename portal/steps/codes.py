"""Accepting a code whose check fails: real registers hold such codes, and entities that live under them."""

from __future__ import annotations

from portal.domain.codes import check_code
from portal.domain.errors import BadInput, NotFound, WrongMoment
from portal.steps.acting import Acting
from portal.store import directory, stations
from portal.store.engine import transaction


async def accept_code(act: Acting, code: str, reason: str) -> str:
    """Vouch for an entry's code, with a reason; it is not warned about again. What its check says.

    Raises WrongMoment where nothing is off, or where it has been accepted before.
    """
    act.require("directory.accept")
    reason = reason.strip()
    if not reason:
        raise BadInput("没有写明理由。请写明怎样核对的，例如“与营业执照一致”。")
    async with transaction():
        entity = await directory.load_entity(code, act.tree)
        if entity is None:
            raise NotFound(f"名录里没有代码为“{code[:64]}”的检查对象，或者不在您的辖区。")
        check = check_code(code)
        if check.ok or entity["kind"] == "object":
            raise WrongMoment(f"代码 {code} 校验相符，不需要说明。")
        earlier = await stations.load_override(code)
        if earlier:
            raise WrongMoment(f"代码 {code} 已由{earlier['account.name']}说明：{earlier['reason']}")
        await stations.save_override(code, reason, act.account, act.now)
        await act.audit("directory.accept", code, reason=reason, check=check.reason)
    return check.message

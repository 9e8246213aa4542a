"""Accepting the code of one entry although its check fails: real registers hold such codes, and entities that live under them."""

from __future__ import annotations

from portal.domain.codes import check_code
from portal.domain.errors import NotFound, WrongMoment
from portal.steps.acting import Acting
from portal.steps.imports import accept_codes
from portal.store import directory, imports


async def accept_code(act: Acting, code: str, reason: str) -> str:
    """Vouch for an entry's code, with a reason; it is not warned about again. What its check says.

    Raises WrongMoment where nothing is off, or where it has been accepted before.
    """
    act.require("directory.import")
    entity = await directory.load_entity(code, act.tree)
    if entity is None:
        raise NotFound(f"名录里没有代码为“{code[:64]}”的检查对象，或者不在您的辖区。")
    check = check_code(code)
    if check.ok or entity["kind"] == "object":
        raise WrongMoment(f"代码 {code} 校验相符，不需要说明。")
    earlier = await imports.load_acceptance(act.bureau["id"], code)
    if earlier:
        raise WrongMoment(f"代码 {code} 已由{earlier['by.name']}说明：{earlier['reason']}")
    await accept_codes(act, [code], reason.strip())
    return check.message

"""The bureau's jurisdiction profile: saved as versions, read by every step that goes by a number of the region or year."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from portal.domain.bundle import canonical
from portal.domain.errors import BadInput, WrongMoment
from portal.domain.profile import Profile, parse_profile
from portal.steps.acting import Acting
from portal.store import year as store
from portal.store.engine import transaction
from portal.store.locks import hold


async def save_profile(act: Acting, data: bytes) -> int:
    """A JSON file becomes the next version of the profile; its number. BadInput names what is wrong by its path.

    Spaces and the order of keys do not matter: what is kept is canonical.
    """
    act.require("plan.profile")
    try:
        written = canonical(json.loads(data))
    except (ValueError, RecursionError):
        raise BadInput("辖区规则文件不是 UTF-8 编码的 JSON。请核对后重新导入。") from None
    profile = parse_profile(written)
    region = act.bureau["region"]
    if profile.current_region(profile.region, act.today) != region:
        raise BadInput(f"这份辖区规则是 {profile.region}（{profile.name}）的，本局是 {region}。请导入本局的规则。")
    async with transaction():
        await hold("bureau", act.bureau["id"])
        version = await store.save_profile(act.bureau["id"], written.decode(), act.account, act.now)
        await act.audit("plan.profile", f"profile/{version}", after=hashlib.sha256(written).hexdigest())
    return version


async def load_profile(act: Acting) -> Profile | None:
    """The profile in force: the bureau's own, else that of the nearest bureau above it; None where nobody has imported one."""
    for bureau in (act.bureau["id"], *act.over):
        if row := await store.load_profile({bureau}):
            return _parsed(row["data"])
    return None


@lru_cache(8)
def _parsed(data: str) -> Profile:
    return parse_profile(data.encode())


async def require_profile(act: Acting) -> Profile:
    profile = await load_profile(act)
    if profile is None:
        raise WrongMoment("本局还没有辖区规则（比例下限、期限、频次上限）。请先导入：portal plan profile 文件。")
    return profile

"""The bureau's policy for getting in: set by the security administrator, who decides about policy in 三员."""

from __future__ import annotations

import json

from portal.domain.errors import BadInput, Problem
from portal.domain.packing import pack
from portal.domain.policy import PASSWORD_RULES, Policy
from portal.steps.acting import Acting
from portal.store import accounts
from portal.store.engine import transaction
from portal.store.locks import hold

FACTOR = {"": "按默认（真实安装要求，演示和测试不要求）", "on": "要求", "off": "不要求"}


def _key(bureau: int) -> str:
    return f"policy/{bureau}"


async def load_policy(bureau: int, simulated: bool) -> Policy:
    """The policy of a bureau. A second factor is asked for by default, under a simulated clock only where it was switched on."""
    said = await load_said(bureau)
    return Policy(PASSWORD_RULES[said["passwords"]], said["factor"] == "on" or (said["factor"] == "" and not simulated))


async def load_said(bureau: int) -> dict[str, str]:
    """What was set: {"passwords", "factor"}."""
    return {"passwords": "asvs", "factor": ""} | json.loads(await accounts.load_setting(_key(bureau), "{}"))


async def save_policy(act: Acting, passwords: str, factor: str, reason: str) -> None:
    """Set both. `passwords`: a key of PASSWORD_RULES; `factor`: a key of FACTOR. Holds from the next login on."""
    act.require("accounts.grant")
    problems = [Problem("passwords", "没有这种密码规则。")] if passwords not in PASSWORD_RULES else []
    problems += [Problem("factor", "没有这个选项。")] if factor not in FACTOR else []
    problems += [Problem("reason", "请写明理由。")] if not reason.strip() else []
    if problems:
        raise BadInput("登录规则没有改动。", problems)
    async with transaction():
        await hold("settings")
        before = await load_said(act.bureau["id"])
        after = {"passwords": passwords, "factor": factor}
        if before == after:
            raise BadInput("登录规则没有改动。", [Problem("passwords", "和现在的规则相同。")])
        await accounts.save_setting(_key(act.bureau["id"]), pack(after))
        await act.audit("accounts.policy", f"policy/{act.bureau['code']}", before=pack(before), after=pack(after), reason=reason.strip())

"""The second factor: time-based one-time codes (RFC 6238, SHA-1, 6 digits, 30 s), and recovery codes for a lost phone.

The secret lies in the database sealed under keys/portal.key: a stolen database gives no codes.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pyotp

from portal.domain.errors import BadInput, Problem
from portal.steps.acting import Acting
from portal.store import accounts
from portal.store import second_factor as store
from portal.store.engine import transaction
from portal.store.keys import Keys
from portal.store.locks import hold

STEP = 30  # seconds
DRIFT = 1  # steps either way: a phone's clock may be half a minute off
RECOVERY = 10  # codes, 50 bits each
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789x"  # 32: five bits a letter
WRONG = "动态口令不对，或者已经用过。请等手机上换了新的六位数再输，并核对手机时间。"


def make_secret(token_bytes: Callable[[int], bytes]) -> str:
    """160 bits, as phones read it."""
    return base64.b32encode(token_bytes(20)).decode()


def address_of(secret: str, login: str, bureau: str) -> str:
    """otpauth://: what the QR code says."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=f"明查 {bureau}")


def label_of(account: int) -> str:
    return f"second factor of account {account}"


def matching_step(secret: str, code: str, wall: datetime, after: int) -> int | None:
    """The time step whose code this is, within the drift and after `after`; None where there is none."""
    code = code.replace(" ", "")
    now, totp, found = int(wall.timestamp()) // STEP, pyotp.TOTP(secret), None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()) and step > after:
            found = step
    return found


async def spend_code(account: Mapping[str, Any], code: str, keys: Keys, wall: datetime) -> str:
    """Use up a code of an account: "totp" or "recovery" says which kind it was, "" that it was neither.

    In the caller's transaction; of two logins with one code one is in.
    """
    await hold("accounts")
    fresh = await accounts.load_account_by_id(account["id"])
    secret = keys.unseal(bytes(fresh["secret"]), label_of(account["id"])).decode() if fresh["secret"] else ""
    if not secret:
        return ""
    if step := matching_step(secret, code, wall, fresh["last_code"]):
        return "totp" if await store.save_step(account["id"], step) else ""
    return "recovery" if await store.spend_recovery(account["id"], normal(code)) else ""


def normal(code: str) -> str:
    return code.replace("-", "").replace(" ", "").lower()


async def enrol_factor(act: Acting, account: Mapping[str, Any], secret: str, code: str, current: str, wall: datetime) -> list[str]:
    """Bind a phone that shows `code` for `secret`; the recovery codes, in the clear this once.

    An account that has a second factor proves it first by `current`, a code of either kind.
    """
    step = matching_step(secret, code, wall, 0)
    if step is None:
        raise BadInput("动态口令没有启用。", [Problem("code", "六位数不对。请核对手机时间，等换了新的六位数再输。")])
    codes = ["".join(_LETTERS[byte & 31] for byte in act.token_bytes(10)) for _ in range(RECOVERY)]
    async with transaction():
        if account["secret"] and not await spend_code(account, current, act.keys, wall):
            raise BadInput("动态口令没有更换。", [Problem("current", WRONG)])
        await hold("accounts")
        await store.save_factor(account["id"], act.keys.seal(secret.encode(), label_of(account["id"])), step, codes)
        await accounts.delete_sessions_of(account["id"])
        await act.audit("account.factor", f"account/{act.login}", replaced=bool(account["secret"]))
    return [f"{code[:5]}-{code[5:]}" for code in codes]

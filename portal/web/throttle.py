"""Wrong passwords are counted in the database, by account and by peer, so that every process counts together.

A count is one setting `throttle/<what>`: accounts that exist have one each; logins
that do not, and peers, share 4,096 each by hash, so that guessing cannot fill the table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from portal.domain.errors import WrongMoment
from portal.domain.policy import PASSWORD_RULES, PasswordRule
from portal.store import accounts
from portal.store.engine import transaction
from portal.store.locks import hold

WINDOW = timedelta(minutes=15)
DEFAULT = PASSWORD_RULES["asvs"]
MOST_ACCOUNT, MOST_PEER = DEFAULT.wrong, 60  # an office behind one address has many people


def _bucket(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:3]


def _keys(account: Mapping[str, Any] | None, login: str, peer: str, rule: PasswordRule) -> list[tuple[str, int, timedelta]]:
    who = f"account/{account['id']}" if account else f"login/{_bucket(login)}"
    return [(f"throttle/{who}", rule.wrong, timedelta(minutes=rule.minutes)), (f"throttle/peer/{_bucket(peer)}", MOST_PEER, WINDOW)]


async def _count(key: str, now: datetime, window: timedelta) -> tuple[int, datetime]:
    saved = await accounts.load_setting(key)
    if not saved:
        return 0, now
    count, since = json.loads(saved)
    start = datetime.fromisoformat(since)
    return (count, start) if now - start < window else (0, now)


async def require_calm(account: Mapping[str, Any] | None, login: str, peer: str, now: datetime, rule: PasswordRule = DEFAULT) -> None:
    """Raises WrongMoment while too many wrong passwords (or codes) came for this account or from this peer."""
    for key, most, window in _keys(account, login, peer, rule):
        count, since = await _count(key, now, window)
        if count >= most:
            left = max(1, -(-int((since + window - now).total_seconds()) // 60))
            raise WrongMoment(f"登录名或密码错误次数过多，请 {left} 分钟后再试。忘记密码的，请联系系统管理员。")


async def count_failure(account: Mapping[str, Any] | None, login: str, peer: str, now: datetime, rule: PasswordRule = DEFAULT) -> None:
    async with transaction():
        await hold("settings")
        for key, most, window in _keys(account, login, peer, rule):
            count, since = await _count(key, now, window)
            # What closes the door starts the wait: the lock lasts its whole time after the last wrong one.
            await accounts.save_setting(key, json.dumps([count + 1, (now if count + 1 == most else since).isoformat()]))


async def forget_failures(account: Mapping[str, Any]) -> None:
    """After a right password; the peer's count stays, or one account could launder guesses at others."""
    async with transaction():
        await accounts.save_setting(f"throttle/account/{account['id']}", json.dumps([0, "1970-01-01T00:00:00+00:00"]))

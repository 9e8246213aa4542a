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
from portal.store import accounts
from portal.store.engine import transaction
from portal.store.locks import hold

WINDOW = timedelta(minutes=15)
MOST_ACCOUNT, MOST_PEER = 10, 60  # an office behind one address has many people


def _bucket(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:3]


def _keys(account: Mapping[str, Any] | None, login: str, peer: str) -> list[tuple[str, int]]:
    who = f"account/{account['id']}" if account else f"login/{_bucket(login)}"
    return [(f"throttle/{who}", MOST_ACCOUNT), (f"throttle/peer/{_bucket(peer)}", MOST_PEER)]


async def _count(key: str, now: datetime) -> tuple[int, datetime]:
    saved = await accounts.load_setting(key)
    if not saved:
        return 0, now
    count, since = json.loads(saved)
    start = datetime.fromisoformat(since)
    return (count, start) if now - start < WINDOW else (0, now)


async def require_calm(account: Mapping[str, Any] | None, login: str, peer: str, now: datetime) -> None:
    """Raises WrongMoment while too many wrong passwords came for this account or from this peer."""
    for key, most in _keys(account, login, peer):
        count, since = await _count(key, now)
        if count >= most:
            left = max(1, -(-int((since + WINDOW - now).total_seconds()) // 60))
            raise WrongMoment(f"登录名或密码错误次数过多，请 {left} 分钟后再试。忘记密码的，请联系系统管理员。")


async def count_failure(account: Mapping[str, Any] | None, login: str, peer: str, now: datetime) -> None:
    async with transaction():
        await hold("settings")
        for key, _ in _keys(account, login, peer):
            count, since = await _count(key, now)
            await accounts.save_setting(key, json.dumps([count + 1, since.isoformat()]))


async def forget_failures(account: Mapping[str, Any]) -> None:
    """After a right password; the peer's count stays, or one account could launder guesses at others."""
    async with transaction():
        await accounts.save_setting(f"throttle/account/{account['id']}", json.dumps([0, "1970-01-01T00:00:00+00:00"]))

"""The second factor of an account: its sealed secret, the last code used, the recovery codes left."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from piccolo.columns.combination import And

from portal.store.tables import Account, RecoveryCode


def code_digest(account: int, code: str) -> str:
    """A recovery code has 50 random bits or more: a plain digest is enough, bound to its account."""
    return hashlib.sha256(f"{account}/{code}".encode()).hexdigest()


async def save_factor(account: int, sealed: bytes, step: int, codes: Sequence[str]) -> None:
    """A new second factor; `step` is the time step of the code that proved it, `codes` the recovery codes in the clear."""
    await delete_factor(account)
    await Account.update(secret=sealed, last_code=step).where(Account.id == account).run()
    await RecoveryCode.insert(*(RecoveryCode(account=account, digest=code_digest(account, code)) for code in codes)).run()


async def save_step(account: int, step: int) -> bool:
    """Use up a time step: False when it, or a later one, was used already."""
    rows = await Account.update(last_code=step).where(And(Account.id == account, Account.last_code < step)).returning(Account.id).run()
    return bool(rows)


async def spend_recovery(account: int, code: str) -> bool:
    """True once for each recovery code."""
    where = And(RecoveryCode.account == account, RecoveryCode.digest == code_digest(account, code))
    return bool(await RecoveryCode.delete().where(where).returning(RecoveryCode.id).run())


async def count_recovery(account: int) -> int:
    return await RecoveryCode.count().where(RecoveryCode.account == account).run()


async def delete_factor(account: int) -> None:
    await Account.update(secret=b"", last_code=0).where(Account.id == account).run()
    await RecoveryCode.delete().where(RecoveryCode.account == account).run()

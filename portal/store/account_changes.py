"""Accounts as their administrators see them: edits in turn, and what was proposed about them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from piccolo.columns.combination import And, Or

from portal.domain.packing import pack
from portal.store.accounts import within
from portal.store.tables import Account, AccountChange, Inspector


async def load_holders(role: str, organisations: Collection[int]) -> list[int]:
    """Ids of the accounts in use that hold a role."""
    where = And(And(within(Account.organisation, organisations), Account.active == True), Account.roles.like(f'%"{role}"%'))  # noqa: E712
    return [row["id"] for row in await Account.select(Account.id).where(where).run()]


async def save_edit(account: int, version: int, values: Mapping[str, Any]) -> bool:
    """Change columns of an account as it stood at `version`; False when it has moved on since."""
    rows = await Account.update({**values, "version": version + 1}).where(
        And(Account.id == account, Account.version == version)
    ).returning(Account.id).run()
    return bool(rows)


async def load_inspectors_called(number: str, seen: Collection[int]) -> list[dict[str, Any]]:
    """Whose code or 工号 this is: {id, code, name}; a number may be used in two organisations, a code may not."""
    called = And(Or(Inspector.code == number, Inspector.number == number), within(Inspector.organisation, seen))
    return await Inspector.select(Inspector.id, Inspector.code, Inspector.name).where(called).order_by(Inspector.code).run()


# Proposals -------------------------------------------------------------------


async def save_change(account: int, kind: str, data: Mapping[str, Any], reason: str, by: int, at: datetime) -> int:
    change = AccountChange(account=account, kind=kind, data=pack(dict(data)), reason=reason, proposed_by=by, proposed_at=at)
    return (await AccountChange.insert(change).run())[0]["id"]


async def save_decision(number: int, state: str, by: int, at: datetime, answer: str) -> bool:
    """False when it has been decided already."""
    rows = await AccountChange.update({"state": state, "decided_by": by, "decided_at": at, "answer": answer, "data": "{}"}).where(
        And(AccountChange.id == number, AccountChange.state == "proposed")
    ).returning(AccountChange.id).run()
    return bool(rows)


async def load_change(number: int) -> dict[str, Any] | None:
    return _change(await AccountChange.select().where(AccountChange.id == number).first().run())


async def load_changes(accounts: Collection[int], *, open_only: bool = False) -> list[dict[str, Any]]:
    """What was proposed about these accounts, the newest first."""
    where = AccountChange.account.is_in(sorted(accounts) or [-1])
    where = And(where, AccountChange.state == "proposed") if open_only else where
    return [_change(row) for row in await AccountChange.select().where(where).order_by(AccountChange.id, ascending=False).run()]


async def load_open_changes(seen: Collection[int]) -> list[dict[str, Any]]:
    """What waits for a decision about accounts of these organisations, the oldest first."""
    rows = await AccountChange.select().where(
        And(AccountChange.state == "proposed", within(AccountChange.account.organisation, seen))
    ).order_by(AccountChange.id).run()
    return [_change(row) for row in rows]


def _change(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {**row, "data": json.loads(row["data"])} if row else None

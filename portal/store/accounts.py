"""Organisations, accounts, sessions, settings; and the one tenant filter."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from piccolo.columns import Column
from piccolo.columns.combination import Where

from portal.domain.errors import NotFound
from portal.domain.packing import pack
from portal.store.tables import Account, Inspector, Organisation, Setting, WebSession


def within(column: Column, seen: Collection[int]) -> Where:
    """The tenant filter: rows of the organisations in `seen`, none when it is empty (deny by default)."""
    return column.is_in(sorted(seen) or [-1])


async def load_organisations() -> list[dict[str, Any]]:
    return await Organisation.select().order_by(Organisation.code).run()


async def load_organisation(code: str) -> dict[str, Any]:
    found = await Organisation.select().where(Organisation.code == code).first().run()
    if not found:
        raise NotFound(f"没有编号为“{code}”的单位。")
    return found


def tree_of(organisations: list[dict[str, Any]], root: int) -> frozenset[int]:
    """The organisation and everything below it."""
    found = {root}
    grown = True
    while grown:
        more = {o["id"] for o in organisations if o["parent"] in found} - found
        found |= more
        grown = bool(more)
    return frozenset(found)


def line_of(organisations: list[dict[str, Any]], leaf: int) -> list[int]:
    """The organisation and its ancestors, itself first."""
    parents = {o["id"]: o["parent"] for o in organisations}
    found = [leaf]
    while parents.get(found[-1]) is not None:
        found.append(parents[found[-1]])
    return found


def bureaus_of(organisations: list[dict[str, Any]], leaf: int) -> list[int]:
    """The bureaus in the line of an organisation, the nearest first; its root where none in it is called one."""
    kinds = {o["id"]: o["kind"] for o in organisations}
    line = line_of(organisations, leaf)
    return [one for one in line if kinds[one] == "bureau"] or line[-1:]


async def load_partners(bureau: int) -> dict[str, int]:
    """name -> id of the other departments (教育局) that check with their own people beside a bureau."""
    rows = await Organisation.select().where(Organisation.parent == bureau, Organisation.kind == "partner").order_by(Organisation.code).run()
    return {row["name"]: row["id"] for row in rows}


async def save_organisation(code: str, name: str, kind: str, parent: int | None, region: str) -> int:
    known = await Organisation.select().where(Organisation.code == code).first().run()
    if known:
        await Organisation.update(name=name, kind=kind, region=region).where(Organisation.id == known["id"]).run()
        return known["id"]
    rows = await Organisation.insert(Organisation(code=code, name=name, kind=kind, parent=parent, region=region)).run()
    return rows[0]["id"]


async def save_account(
    login: str,
    name: str,
    organisation: int,
    roles: Collection[str],
    at: datetime,
    *,
    password: str = "",
    inspector: int | None = None,
    must_change: bool = True,
) -> int:
    account = Account(
        login=login,
        name=name,
        organisation=organisation,
        roles=pack(sorted(roles)),
        password=password,
        inspector=inspector,
        must_change=must_change,
        created_at=at,
    )
    rows = await Account.insert(account).run()
    return rows[0]["id"]


async def load_account(login: str) -> dict[str, Any] | None:
    row = await Account.select().where(Account.login == login).first().run()
    return _opened(row)


async def load_account_by_id(account: int) -> dict[str, Any] | None:
    return _opened(await Account.select().where(Account.id == account).first().run())


async def load_accounts() -> list[dict[str, Any]]:
    return [_opened(row) for row in await Account.select().order_by(Account.login).run()]


async def load_accounts_of_inspectors(inspectors: Collection[int]) -> dict[int, set[int]]:
    """inspector id -> ids of every account that is this person's."""
    rows = await Account.select(Account.id, Account.inspector).where(Account.inspector.is_in(sorted(inspectors) or [-1])).run()
    found: dict[int, set[int]] = {}
    for row in rows:
        found.setdefault(row["inspector"], set()).add(row["id"])
    return found


def _opened(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {**row, "roles": tuple(json.loads(row["roles"]))} if row else None


async def save_password(account: int, password: str, *, must_change: bool) -> None:
    await Account.update(password=password, must_change=must_change).where(Account.id == account).run()


async def load_inspector_of(account: Mapping[str, Any]) -> dict[str, Any] | None:
    if account["inspector"] is None:
        return None
    return await Inspector.select().where(Inspector.id == account["inspector"]).first().run()


# Sessions: only the digest of the cookie's value is stored --------------------


async def save_session(digest: str, account: int, csrf: str, at: datetime, expires_at: datetime) -> None:
    await WebSession.delete().where(WebSession.expires_at < at).run()
    await WebSession.insert(
        WebSession(digest=digest, account=account, csrf=csrf, created_at=at, seen_at=at, expires_at=expires_at)
    ).run()


async def load_session(digest: str) -> dict[str, Any] | None:
    return await WebSession.select().where(WebSession.digest == digest).first().run()


async def touch_session(digest: str, at: datetime) -> None:
    await WebSession.update(seen_at=at).where(WebSession.digest == digest).run()


async def delete_session(digest: str) -> None:
    await WebSession.delete().where(WebSession.digest == digest).run()


async def delete_sessions_of(account: int) -> None:
    await WebSession.delete().where(WebSession.account == account).run()


# Settings --------------------------------------------------------------------


async def load_setting(key: str, default: str = "") -> str:
    row = await Setting.select(Setting.value).where(Setting.key == key).first().run()
    return row["value"] if row else default


async def save_setting(key: str, value: str) -> None:
    # One statement: of two at once the later one counts, and neither fails.
    await Setting.raw(
        'INSERT INTO setting (key, value) VALUES ({}, {}) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, value
    ).run()

"""Organisations, accounts, sessions, settings; and the one tenant filter."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from piccolo.columns import Column
from piccolo.columns.combination import And, Where

from portal.domain.errors import NotFound
from portal.domain.packing import pack
from portal.store.engine import read
from portal.store.tables import Account, DoneForm, Inspector, Organisation, Setting, WebSession


def within(column: Column, seen: Collection[int]) -> Where:
    """The tenant filter: rows of the organisations in `seen`, none when it is empty (deny by default)."""
    return column.is_in(sorted(seen) or [-1])


async def load_organisations() -> list[dict[str, Any]]:
    return await read('SELECT id, code, name, kind, parent, region FROM "organisation" ORDER BY code')


async def load_organisation(code: str) -> dict[str, Any]:
    found = await Organisation.select().where(Organisation.code == code).first().run()
    if not found:
        raise NotFound(f"没有编号为“{code}”的单位。")
    return found


def tree_of(organisations: list[dict[str, Any]], root: int) -> frozenset[int]:
    """The organisation and everything below it, but for other departments (partners): those stand beside it, their records are theirs (UX.md)."""
    return joint_tree_of([o for o in organisations if o["kind"] != "partner" or o["id"] == root], root)


def joint_tree_of(organisations: list[dict[str, Any]], root: int) -> frozenset[int]:
    """`tree_of` with the partners: whose accounts and people a bureau keeps, and whose reviewed results it publishes."""
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
    active: bool = True,
) -> int:
    account = Account(
        login=login,
        name=name,
        organisation=organisation,
        roles=pack(sorted(roles)),
        password=password,
        inspector=inspector,
        must_change=must_change,
        active=active,
        created_at=at,
        password_at=at,
    )
    rows = await Account.insert(account).run()
    return rows[0]["id"]


async def load_account(login: str) -> dict[str, Any] | None:
    row = await Account.select().where(Account.login == login).first().run()
    return opened(row)


async def load_account_by_id(account: int) -> dict[str, Any] | None:
    return opened(await Account.select().where(Account.id == account).first().run())


async def load_accounts() -> list[dict[str, Any]]:
    return [opened(row) for row in await Account.select().order_by(Account.login).run()]


async def load_accounts_of_inspectors(inspectors: Collection[int]) -> dict[int, set[int]]:
    """inspector id -> ids of every account that is this person's."""
    rows = await Account.select(Account.id, Account.inspector).where(Account.inspector.is_in(sorted(inspectors) or [-1])).run()
    found: dict[int, set[int]] = {}
    for row in rows:
        found.setdefault(row["inspector"], set()).add(row["id"])
    return found


def opened(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {**row, "roles": tuple(json.loads(row["roles"]))} if row else None


async def save_password(account: int, password: str, *, must_change: bool, at: datetime | None = None) -> None:
    await Account.update(password=password, must_change=must_change, password_at=at).where(Account.id == account).run()


async def save_must_change(account: int) -> None:
    await Account.update(must_change=True).where(Account.id == account).run()


async def load_inspector_of(account: Mapping[str, Any]) -> dict[str, Any] | None:
    if account["inspector"] is None:
        return None
    return await Inspector.select().where(Inspector.id == account["inspector"]).first().run()


# Sessions: only the digest of the cookie's value is stored --------------------


async def save_session(
    digest: str, account: int, csrf: str, at: datetime, expires_at: datetime, *, stage: str = "", address: str = "", device: str = "", note: str = ""
) -> None:
    await WebSession.delete().where(WebSession.expires_at < at).run()
    await WebSession.insert(
        WebSession(
            digest=digest, account=account, csrf=csrf, created_at=at, seen_at=at, expires_at=expires_at, stage=stage,
            address=address, device=device, note=note,
        )  # fmt: skip
    ).run()


async def load_sessions_of(account: int, now: datetime, seen_after: datetime) -> list[dict[str, Any]]:
    """The sessions of an account that still open something, the latest used first."""
    where = And(And(WebSession.account == account, WebSession.expires_at > now), WebSession.seen_at > seen_after)
    return await WebSession.select().where(where).order_by(WebSession.seen_at, ascending=False).run()


async def save_session_note(digest: str, note: str) -> None:
    await WebSession.update(note=note).where(WebSession.digest == digest).run()


_OPENED = ("csrf", "stage", "note", "seen_at", "expires_at")


async def load_session(digest: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """(csrf, stage, note, seen_at and expires_at of a session; its account)."""
    asked = ", ".join(f"s.{name} AS session_{name}" for name in _OPENED)
    rows = await read(f'SELECT {asked}, a.* FROM "web_session" s JOIN "account" a ON a.id = s.account WHERE s.digest = {{}}', digest)
    if not rows:
        return None
    session = {name: rows[0].pop(f"session_{name}") for name in _OPENED}
    return session, opened(rows[0])


async def touch_session(digest: str, at: datetime) -> None:
    await WebSession.update(seen_at=at).where(WebSession.digest == digest).run()


async def delete_session(digest: str) -> None:
    await WebSession.delete().where(WebSession.digest == digest).run()


async def delete_sessions_of(account: int, *, but: str = "") -> int:
    """End an account's sessions, all but the one of this digest; how many there were."""
    where = And(WebSession.account == account, WebSession.digest != but)
    return len(await WebSession.delete().where(where).returning(WebSession.id).run())


async def delete_own_session(account: int, session: int, *, but: str) -> int:
    """End one session of an account, named by its number; 0 when it is somebody else's, the one `but`, or over."""
    where = And(And(WebSession.account == account, WebSession.id == session), WebSession.digest != but)
    return len(await WebSession.delete().where(where).returning(WebSession.id).run())


# Forms acted on ---------------------------------------------------------------


async def save_done(digest: str, request: str, at: datetime) -> str | None:
    """Note, in the act's own transaction, that this form was acted on; where the first answer led when another request did so before."""
    known = await DoneForm.select(DoneForm.request, DoneForm.location).where(DoneForm.digest == digest).first().run()
    if known:
        return None if known["request"] == request else known["location"]
    await DoneForm.insert(DoneForm(digest=digest, request=request, at=at)).run()
    return None


async def load_done(digest: str) -> str | None:
    """Where the answer to this form led (may be empty); None when it was not acted on."""
    row = await DoneForm.select(DoneForm.location).where(DoneForm.digest == digest).first().run()
    return row["location"] if row else None


async def save_done_location(digest: str, location: str, before: datetime) -> None:
    """Where the answer led; forms older than `before` are forgotten."""
    await DoneForm.update(location=location).where(DoneForm.digest == digest).run()
    await DoneForm.delete().where(DoneForm.at < before).run()


# Settings --------------------------------------------------------------------


async def load_setting(key: str, default: str = "") -> str:
    row = await Setting.select(Setting.value).where(Setting.key == key).first().run()
    return row["value"] if row else default


async def save_setting(key: str, value: str) -> None:
    # One statement: of two at once the later one counts, and neither fails.
    await Setting.raw(
        'INSERT INTO setting (key, value) VALUES ({}, {}) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, value
    ).run()

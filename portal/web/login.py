"""Logging in and out, changing a password, and the two switches of appearance."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from litestar import Request, get, post
from litestar.datastructures import Cookie
from litestar.response import Response

from portal.domain.errors import BadInput, Problem, Refused
from portal.domain.policy import PasswordRule, Policy, check_password_rule
from portal.domain.roles import GUARDED
from portal.steps.acting import open_acting
from portal.steps.policy import load_policy
from portal.store import accounts, passwords
from portal.store.engine import transaction
from portal.web import throttle
from portal.web.access import PUBLIC, SIGNED_IN, acting, entry_of, peer_of, posted, safe_path
from portal.web.inputs import parse_input, text
from portal.web.pages import go_to, page
from portal.web.sessions import device_of, open_session

#: one message whether the login, the password or the account's state is the reason
WRONG = "登录名或密码不对，或者账号已停用。"

@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    login: str = text("登录名", most=64)
    password: str = text("密码", most=200, raw=True)
    then: str = text("返回地址", most=600, least=0, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    current: str = text("现在的密码", most=200, raw=True)
    new: str = text("新密码", most=200, raw=True)
    again: str = text("再输一次新密码", most=200, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    then: str = text("返回地址", most=600, least=0, raw=True)


@get("/login", opt={"access": PUBLIC})
async def login_page(request: Request) -> Response[Any]:
    return await _login_page(request, request.query_params.get("then", "/"), ended="ended" in request.query_params)


@post("/login", opt={"access": PUBLIC})
async def login(request: Request) -> Response[Any]:
    portal = request.app.state.portal
    given: Login | None = None
    try:
        given = parse_input(Login, posted(request))
        account, policy = await _authenticate(request, given)
    except Refused as refused:
        return await _login_page(request, given.then if given else "/", refused=refused, login=given.login if given else "")
    act = await open_acting(account, given.login, portal.clock(), portal.keys, portal.sectors, peer_of(request), portal.token_bytes)
    asked = policy.factor and not GUARDED.isdisjoint(act.roles)
    stage = "code" if account["secret"] else "enrol" if asked else ""
    if policy.rule.days and (account["password_at"] is None or act.now - account["password_at"] >= timedelta(days=policy.rule.days)):
        await accounts.save_must_change(account["id"])
        account["must_change"] = True
    value = await open_session(
        account["id"], portal.wall(), portal.token_bytes, request.cookies.get(portal.cookie.name, ""), stage=stage, **device_of(request)
    )
    if stage != "code":  # with a second factor the session opens, and is audited, when its code was right
        async with transaction():
            await act.audit("session.open", f"account/{account['login']}")
    first = {"code": f"/login/code?then={quote(safe_path(given.then), safe='')}", "enrol": "/second-factor"}.get(stage, safe_path(given.then))
    response = go_to("/password" if account["must_change"] and stage != "code" else first)
    response.set_cookie(portal.cookie.made(value))
    return response


async def _authenticate(request: Request, given: Login) -> tuple[dict[str, Any], Policy]:
    portal = request.app.state.portal
    now, peer = portal.wall(), peer_of(request)
    account = await accounts.load_account(given.login)
    policy = await policy_of(request, account)
    await throttle.require_calm(account, given.login, peer, now, policy.rule)
    async with portal.hashing:
        # An unknown login is hashed against nobody's: the answer takes as long.
        right = await asyncio.to_thread(passwords.check_password, account["password"] if account else "", given.password)
    if not right or account is None or not account["active"]:
        await throttle.count_failure(account, given.login, peer, now, policy.rule)
        raise BadInput(WRONG, [Problem("login", WRONG)])
    if not account["secret"]:  # else the code must be right too, or codes could be guessed for ever
        await throttle.forget_failures(account)
    return account, policy


async def policy_of(request: Request, account: Mapping[str, Any] | None) -> Policy:
    """The policy of an account's bureau; for a login nobody has, that of the first bureau, so that both are locked alike."""
    organisations = await accounts.load_organisations()
    bureau = accounts.bureaus_of(organisations, account["organisation"] if account else organisations[0]["id"])[0]
    return await load_policy(bureau, request.app.state.portal.settings.simulated)


async def _login_page(request: Request, then: str, refused: Refused | None = None, login: str = "", ended: bool = False) -> Response[Any]:
    return await page(request, "login.html", refused=refused, then=safe_path(then), login=login, ended=ended)


@post("/logout", opt={"access": SIGNED_IN})
async def logout(request: Request) -> Response[Any]:
    portal, entry = request.app.state.portal, entry_of(request.scope)
    async with transaction():
        await accounts.delete_session(entry.session.digest)
        await acting(request).audit("session.close", f"account/{acting(request).login}")
    response = go_to("/login")
    response.set_cookie(portal.cookie.dropped())
    return response


@get("/password", opt={"access": SIGNED_IN})
async def password_page(request: Request) -> Response[Any]:
    return await _password_page(request)


@post("/password", opt={"access": SIGNED_IN})
async def change_password(request: Request) -> Response[Any]:
    portal, act = request.app.state.portal, acting(request)
    account = entry_of(request.scope).session.account
    policy = await policy_of(request, account)
    try:
        given = parse_input(NewPassword, posted(request))
        await throttle.require_calm(account, act.login, peer_of(request), portal.wall(), policy.rule)
        async with portal.hashing:
            right = await asyncio.to_thread(passwords.check_password, account["password"], given.current)
        if not right:
            await throttle.count_failure(account, act.login, peer_of(request), portal.wall(), policy.rule)
            raise BadInput("密码没有修改。", [Problem("current", "现在的密码不对。")])
        _check_new(given, [act.login, act.name, act.organisation["name"], act.bureau["name"]], policy.rule)
    except Refused as refused:
        return await _password_page(request, refused)
    async with portal.hashing:
        hashed = await asyncio.to_thread(passwords.hash_password, given.new)
    async with transaction():
        await accounts.save_password(act.account, hashed, must_change=False, at=act.now)
        await accounts.delete_sessions_of(act.account)  # whoever else is in with the old password is out
        await act.audit("account.password", f"account/{act.login}")
    stage = entry_of(request.scope).session.stage
    response = go_to("/second-factor" if stage == "enrol" else "/?said=password")
    response.set_cookie(portal.cookie.made(await open_session(act.account, portal.wall(), portal.token_bytes, stage=stage, **device_of(request))))
    return response


def _check_new(given: NewPassword, names: list[str], rule: PasswordRule) -> None:
    problems = check_password_rule(given.new, names, rule)
    if given.new == given.current:
        problems = [Problem("new", "新密码和现在的密码相同。")]
    elif given.again != given.new:
        problems.append(Problem("again", "两次输入的新密码不一样。"))
    if problems:
        raise BadInput("密码没有修改。", problems)


async def _password_page(request: Request, refused: Refused | None = None) -> Response[Any]:
    account = entry_of(request.scope).session.account
    rule = (await policy_of(request, account)).rule
    return await page(request, "password.html", refused=refused, forced=account["must_change"], rule=rule)


@post("/senior", opt={"access": PUBLIC})
async def switch_senior(request: Request) -> Response[Any]:
    """长者模式 on or off: a cookie that says nothing about the person."""
    given = parse_input(Switch, [pair for pair in posted(request) if pair[0] != "csrf"])
    response = go_to(safe_path(given.then))
    on = request.cookies.get("mingcha-senior") != "1"
    secure = request.app.state.portal.cookie.secure
    response.set_cookie(
        Cookie(key="mingcha-senior", value="1" if on else "", path="/", max_age=31536000 if on else 0, secure=secure, httponly=True, samesite="lax")
    )
    return response


ROUTES = [login_page, login, logout, password_page, change_password, switch_senior]

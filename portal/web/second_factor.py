"""动态口令: setting it up, and asking for it at login; and the list of one's own logins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import segno
from litestar import Request, get, post
from litestar.response import Response
from markupsafe import Markup

from portal.domain.errors import BadInput, Problem, Refused, WrongMoment
from portal.domain.roles import GUARDED
from portal.steps import second_factor as steps
from portal.store import accounts
from portal.store import second_factor as store
from portal.store.engine import transaction
from portal.web import throttle
from portal.web.access import SIGNED_IN, acting, entry_of, peer_of, posted, safe_path
from portal.web.inputs import number, parse_input, text
from portal.web.login import policy_of
from portal.web.pages import go_to, page
from portal.web.sessions import IDLE, Session, device_of, open_session, seal_note, take_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    code: str = text("动态口令", most=20, raw=True)
    then: str = text("返回地址", most=600, least=0, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    code: str = text("六位数", most=20, raw=True)
    sealed: str = text("密钥", most=400, raw=True)
    current: str = text("现在的动态口令", most=20, least=0, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    session: int = number("登录", 1, 10**12, optional=0)


# At login ---------------------------------------------------------------------------------


@get("/login/code", opt={"access": SIGNED_IN})
async def code_page(request: Request) -> Response[Any]:
    return await _code_page(request, request.query_params.get("then", "/"))


async def _code_page(request: Request, then: str, refused: Refused | None = None) -> Response[Any]:
    return await page(request, "code.html", refused=refused, then=safe_path(then))


@post("/login/code", opt={"access": SIGNED_IN})
async def enter_code(request: Request) -> Response[Any]:
    portal, act, session = request.app.state.portal, acting(request), _session(request)
    then = "/"
    if session.stage != "code":
        raise WrongMoment("已经登录，不用再输动态口令。")
    try:
        given = parse_input(Code, posted(request))
        then = given.then
        await _spend(request, given.code)
    except Refused as refused:
        return await _code_page(request, then, refused)
    # A new id: what was known before the second factor opens nothing after it.
    value = await open_session(act.account, portal.wall(), portal.token_bytes, request.cookies.get(portal.cookie.name, ""), **device_of(request))
    response = go_to("/password" if session.account["must_change"] else safe_path(then))
    response.set_cookie(portal.cookie.made(value))
    return response


async def _spend(request: Request, code: str) -> None:
    portal, act, account = request.app.state.portal, acting(request), _session(request).account
    now, peer, rule = portal.wall(), peer_of(request), (await policy_of(request, account)).rule
    await throttle.require_calm(account, act.login, peer, now, rule)
    async with transaction():
        kind = await steps.spend_code(account, code, portal.keys, now)
        if kind:
            await act.audit("session.open", f"account/{act.login}", factor=kind)
    if not kind:
        await throttle.count_failure(account, act.login, peer, now, rule)
        raise BadInput("没有登录。", [Problem("code", steps.WRONG)])
    await throttle.forget_failures(account)


def _session(request: Request) -> Session:
    session = entry_of(request.scope).session
    assert session is not None
    return session


# Setting it up ------------------------------------------------------------------------------


@get("/second-factor", opt={"access": SIGNED_IN})
async def factor_page(request: Request) -> Response[Any]:
    return await _factor_page(request)


async def _factor_page(request: Request, refused: Refused | None = None, sealed: str = "") -> Response[Any]:
    portal, act, session = request.app.state.portal, acting(request), _session(request)
    label = f"enrol {session.digest}"  # sealed for this session: the page carries it, the database does not know it yet
    secret = portal.keys.unseal(bytes.fromhex(sealed), label).decode() if sealed else steps.make_secret(portal.token_bytes)
    qr = segno.make(steps.address_of(secret, act.login, act.bureau["name"]), error="m")
    note = "" if refused else await take_note(session, portal.keys)
    asked = (await policy_of(request, session.account)).factor and not GUARDED.isdisjoint(act.roles)
    return await page(
        request, "second_factor.html", refused=refused, codes=note.split(), secret=" ".join(re.findall("....", secret)), enrolled=bool(session.account["secret"]),
        sealed=sealed or portal.keys.seal(secret.encode(), label).hex(), qr=Markup(qr.svg_inline(border=2, light="#fff", omitsize=True, svgclass="qr")),
        left=await store.count_recovery(act.account), forced=session.stage == "enrol", asked=asked,
    )  # fmt: skip


@post("/second-factor", opt={"access": SIGNED_IN})
async def enrol(request: Request) -> Response[Any]:
    portal, act, session = request.app.state.portal, acting(request), _session(request)
    sealed, now = "", portal.wall()
    rule = (await policy_of(request, session.account)).rule
    try:
        given = parse_input(Enrolment, posted(request))
        try:
            secret = portal.keys.unseal(bytes.fromhex(given.sealed), f"enrol {session.digest}").decode()
        except (ValueError, WrongMoment):
            raise BadInput("页面已过期，请重新扫描。") from None
        sealed = given.sealed
        await throttle.require_calm(session.account, act.login, peer_of(request), now, rule)
        try:
            codes = await steps.enrol_factor(act, session.account, secret, given.code, given.current, now)
        except BadInput:
            await throttle.count_failure(session.account, act.login, peer_of(request), now, rule)
            raise
    except Refused as refused:
        return await _factor_page(request, refused, sealed)
    value = await open_session(
        act.account, now, portal.token_bytes, note=lambda digest: seal_note(portal.keys, digest, " ".join(codes)), **device_of(request)
    )
    response = go_to("/second-factor")
    response.set_cookie(portal.cookie.made(value))
    return response


# One's own logins ---------------------------------------------------------------------------


@get("/sessions", opt={"access": SIGNED_IN})
async def sessions_page(request: Request) -> Response[Any]:
    portal, act, session = request.app.state.portal, acting(request), _session(request)
    now = portal.wall()
    rows = await accounts.load_sessions_of(act.account, now, now - IDLE)
    shown = [{**row, "device": device_words(row["device"]), "here": row["digest"] == session.digest} for row in rows]
    return await page(
        request, "sessions.html", here="/sessions", rows=sorted(shown, key=lambda row: not row["here"]), enrolled=bool(session.account["secret"]),
        ended="ended" in request.query_params,
    )  # fmt: skip


@post("/sessions/end", opt={"access": SIGNED_IN})
async def end_sessions(request: Request) -> Response[Any]:
    """One other login of one's own, or all of them; ending what has ended is no mistake."""
    act, session = acting(request), _session(request)
    wanted = parse_input(Which, posted(request)).session
    async with transaction():
        if wanted:
            count = await accounts.delete_own_session(act.account, wanted, but=session.digest)
        else:
            count = await accounts.delete_sessions_of(act.account, but=session.digest)
        if count:
            await act.audit("session.end", f"account/{act.login}", count=count)
    return go_to("/sessions?ended=1")


_BROWSERS = (("MicroMessenger", "微信"), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("HarmonyOS", "鸿蒙"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))


def device_words(agent: str) -> str:
    """A browser's User-Agent in two words: Chrome，Windows."""
    found = [next((words for mark, words in marks if mark in agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return "，".join(filter(None, found)) or agent[:30] or "没有说明"


ROUTES = [code_page, enter_code, factor_page, enrol, sessions_page, end_sessions]

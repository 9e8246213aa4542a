"""Who may reach a route: declared on the route, checked before anything else runs.

`opt={"access": X}` with X an act of portal.domain.roles.ACTS, `signed_in` or
`public`.  A route that declares nothing stops the start; the guard denies it too.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from portal.domain.errors import BadInput, DoneBefore, NotAllowed, Problem
from portal.domain.roles import ACTS
from portal.steps.acting import Acting, Once, open_acting
from portal.store import accounts
from portal.store.engine import transaction
from portal.web.inputs import Pairs, parse_body
from portal.web.multipart_form import Given, Shape, parse_files, parse_upload
from portal.web.sessions import Session, load_session, require_named_origin, require_same_origin, require_token

PUBLIC, SIGNED_IN = "public", "signed_in"
ACCESSES = frozenset({PUBLIC, SIGNED_IN, *ACTS})
KEPT = timedelta(days=2)  # forms done are remembered: longer than any session
ONCE = "_once"  # the key of a form, see `Once` in portal.steps.acting
_WAIT = 20.0  # seconds for an answer to the same form that is under way


@dataclass(slots=True)
class Entry:
    """What the guard learned about one request; its id is shown on every error page and in every answer."""

    request_id: str = field(default_factory=lambda: secrets.token_hex(6))
    session: Session | None = None
    act: Acting | None = None
    pairs: Pairs = ()
    file: Given | None = None
    files: list[tuple[str, Given]] = field(default_factory=list)
    underway: tuple[str, asyncio.Event] | None = None


def entry_of(scope: Scope) -> Entry:
    # Not `request.state`: Litestar copies that deeply at every look.
    return scope.setdefault("state", {}).setdefault("portal_entry", Entry())


class NeedsLogin(Exception):
    """Nobody is signed in; `then` is where to come back to."""

    def __init__(self, then: str, *, stale: bool):
        super().__init__(then)
        self.then = then
        self.stale = stale


class NeedsFirst(Exception):
    """Half signed in: nothing else before `address` is done (one-time password changed, second factor shown or set up)."""

    def __init__(self, address: str):
        super().__init__(address)
        self.address = address


def check_declared(routes: Iterable[Any]) -> list[str]:
    """`METHOD path` of every handler whose access is missing or unknown."""
    found = []
    for route in routes:
        for handler in route.route_handlers:
            methods = sorted(set(handler.http_methods) - {"OPTIONS"})  # Litestar's own OPTIONS answers are refused below
            if methods and handler.opt.get("access") not in ACCESSES:
                found.append(f"{'/'.join(methods)} {route.path}")
    return sorted(found)


def require_declared(app: Litestar) -> None:
    """Refuse to start while a route does not say who may reach it."""
    if undeclared := check_declared(app.routes):
        raise RuntimeError(f"routes without a declared access: {', '.join(undeclared)}")


async def admit(request: ASGIConnection, handler: BaseRouteHandler) -> None:
    """The guard of every route: origin, session, one-time password, role, then the form's token."""
    if request.scope["method"] == "OPTIONS":
        raise MethodNotAllowedException
    access = handler.opt.get("access")
    if access not in ACCESSES:
        raise NotAllowed("这个页面没有声明访问权限，不能打开。请联系系统管理员。")
    assert isinstance(request, Request)  # the portal has no websockets
    entry = entry_of(request.scope)
    posting = request.method not in ("GET", "HEAD")
    if posting:
        require_same_origin(request)
    if access == PUBLIC:
        if posting:
            require_named_origin(request)
            entry.pairs, _ = await _read(request, None)
        return
    session = await _signed_in(request)
    portal = request.app.state.portal
    entry.session = session
    if (first := _first(session)) and request.url.path not in (first, "/logout"):
        raise NeedsFirst(first)
    act = await open_acting(
        session.account, session.account["login"], portal.clock(), portal.keys, portal.sectors, peer_of(request), portal.token_bytes
    )
    entry.act = act
    if access != SIGNED_IN:
        act.require(access)
    if posting:
        if shape := handler.opt.get("files"):
            pairs, entry.files = await _read_files(request, *shape)
        else:
            pairs, entry.file = await _read(request, handler.opt.get("file"))
        require_token(session, request.headers.get("x-csrf") or dict(pairs).get("csrf", ""))
        entry.pairs = [pair for pair in pairs if pair[0] not in ("csrf", ONCE)]
        if (key := dict(pairs).get(ONCE, "")) and not request.headers.get("hx-request"):
            await _once(request, entry, key)


def _first(session: Session) -> str:
    """Where somebody half signed in must go before anywhere else; empty for a session that is open."""
    if session.stage == "code":
        return "/login/code"
    if session.account["must_change"]:
        return "/password"
    return "/second-factor" if session.stage == "enrol" else ""


async def _once(request: Request, entry: Entry, key: str) -> None:
    """Let a form act once: the same form again (key, address and all it says) gets the first one's answer, DoneBefore.

    Waits while the same form is under way in this process. Saves of fragments carry versions instead.
    """
    assert entry.session and entry.act
    files = [entry.file] if "file" in request.route_handler.opt else [given for _, given in entry.files]
    digest = form_digest(entry.session.account["id"], request.url.path, key, entry.pairs, files)
    underway = request.app.state.portal.underway
    while other := underway.get(digest):
        try:
            await asyncio.wait_for(other.wait(), _WAIT)
        except TimeoutError:
            break
    entry.underway = (digest, asyncio.Event())
    underway[digest] = entry.underway[1]  # before anything is awaited: of several clicks at once one goes on
    if (led := await accounts.load_done(digest)) is not None:
        raise DoneBefore(led)
    entry.act = replace(entry.act, form=Once(digest, entry.request_id))


def form_digest(account: int, path: str, key: str, pairs: Pairs, files: Sequence[Given | None]) -> str:
    """What names one sending of a form: the same key with other words in it is another form."""
    said = hashlib.sha256(repr((account, path, key, [tuple(pair) for pair in pairs])).encode())
    for given in files:
        said.update(hashlib.sha256(given.data).digest() if given else b"-")
    return said.hexdigest()


async def answered(scope: Scope, status: int, location: str) -> None:
    """The answer to a form leaves: who waits for it goes on, and finds where it led."""
    entry = entry_of(scope)
    if entry.underway is None:
        return
    (digest, event), entry.underway = entry.underway, None
    portal = scope["litestar_app"].state.portal
    try:
        if entry.act and entry.act.form and entry.act.form.done and status in (302, 303):
            async with transaction():
                await accounts.save_done_location(digest, location, portal.clock() - KEPT)
    finally:
        portal.underway.pop(digest, None)
        event.set()


async def _signed_in(request: Request) -> Session:
    portal = request.app.state.portal
    value = request.cookies.get(portal.cookie.name, "")
    session = await load_session(value, portal.wall()) if value else None
    if session is None:
        then = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise NeedsLogin(then if request.method == "GET" else _page_before(request), stale=bool(value))
    return session


def _page_before(request: Request) -> str:
    """The page of ours that a post came from, to go back to after login: what was typed there is kept in the tab (keep.js)."""
    before = urlsplit(request.headers.get("referer", ""))
    return safe_path(before.path) if before.netloc == request.url.netloc else "/"


async def _read(request: Request, file: str | None) -> tuple[Pairs, Given | None]:
    # Read only now: nobody without a session makes the portal read more than a login form.
    content_type, body = request.headers.get("content-type", ""), await request.body()
    if file is None:
        return parse_body(content_type, body), None
    return await asyncio.to_thread(parse_upload, content_type, body, file)


async def _read_files(request: Request, prefix: str, shape: Shape) -> tuple[Pairs, list[tuple[str, Given]]]:
    content_type, body = request.headers.get("content-type", ""), await request.body()
    return await asyncio.to_thread(parse_files, content_type, body, lambda name: name.startswith(prefix), shape)


def acting(request: Request) -> Acting:
    act = entry_of(request.scope).act
    if act is None:
        raise NotAllowed("请先登录。")
    return act


def posted(request: Request) -> Pairs:
    """The pairs of the posted form, its token checked and taken off."""
    return entry_of(request.scope).pairs


def uploaded(request: Request) -> Given:
    """The file of a form whose route says `opt={"file": FIELD}`; BadInput where none was chosen."""
    given = entry_of(request.scope).file
    if given is None or not given.data:
        raise BadInput("没有选择文件，或者文件是空的。", [Problem("file", "请选择一个文件。")])
    return given


def chosen_files(request: Request) -> list[tuple[str, Given]]:
    """The files of a form whose route says `opt={"files": (PREFIX, shape)}`: (name without the prefix, file), empty ones left out."""
    prefix = request.route_handler.opt["files"][0]
    return [(name.removeprefix(prefix), given) for name, given in entry_of(request.scope).files if given.data]


def peer_of(request: Request) -> str:
    return request.client.host if request.client else "local"


def login_address(then: str, stale: bool) -> str:
    said = "&ended=1" if stale else ""
    return f"/login?then={quote(then, safe='')}{said}"


def safe_path(then: str) -> str:
    """A path of ours to go to, or `/`: never another site."""
    ours = then.startswith("/") and not then.startswith("//") and "\\" not in then and then.isprintable() and len(then) <= 500
    return then if ours else "/"

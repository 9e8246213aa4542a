"""Sessions in the database, the cookie that names one, and the token that proves a form is ours.

The cookie holds 32 random bytes; the database holds their SHA-256, so that a copy
of the table opens no session.  An id the database does not know is dropped, never
kept: nobody can plant one before login (session fixation).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import Cookie

from portal.domain.errors import NotAllowed
from portal.store import accounts
from portal.store.engine import transaction
from portal.store.keys import Keys

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
_TOUCH = timedelta(seconds=60)  # writing at every click would make every page wait for the one writer


@dataclass(frozen=True, slots=True)
class CookieRule:
    """How the session cookie is named and guarded.

    `__Host-` makes browsers insist on Secure, no Domain and Path=/.  Over plain http
    they accept that only where they hold the address for trustworthy: Chromium takes it on
    http://127.0.0.1 and http://localhost, Safari never does.  So a server bound to loopback
    without TLS (the demo) may use a plain name; it cannot be reached from elsewhere.
    """

    secure: bool = True

    @property
    def name(self) -> str:
        return "__Host-mingcha" if self.secure else "mingcha"

    def made(self, value: str) -> Cookie:
        # No Max-Age: the browser forgets it when closed, the database decides before that.
        return Cookie(key=self.name, value=value, path="/", secure=self.secure, httponly=True, samesite="lax")

    def dropped(self) -> Cookie:
        return Cookie(key=self.name, value="", path="/", max_age=0, secure=self.secure, httponly=True, samesite="lax")


@dataclass(frozen=True, slots=True)
class Session:
    """A session that stands: who, its form token, and its digest in the database.

    `stage`: empty when signed in; `code` before the second factor was shown, `enrol` before there is one.
    """

    digest: str
    csrf: str
    account: Mapping[str, Any]
    stage: str = ""
    note: str = ""


def _token(token_bytes: Callable[[int], bytes]) -> str:
    return base64.urlsafe_b64encode(token_bytes(32)).decode().rstrip("=")


def digest_of(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def device_of(request: Request) -> dict[str, str]:
    """What the list of one's own logins says of a session: {"address", "device"}."""
    device = "".join(one for one in request.headers.get("user-agent", "") if one.isprintable())
    return {"address": request.client.host if request.client else "local", "device": device[:200]}


async def open_session(
    account: int, now: datetime, token_bytes: Callable[[int], bytes], old: str = "", *, stage: str = "", address: str = "", device: str = "",
    note: Callable[[str], str] = lambda digest: "",
) -> str:  # fmt: skip
    """A new session; returns the cookie's value. `old`: the cookie the browser came with, whose session ends.

    `note(digest)`: what its first page shows once, sealed for this session (see `seal_note`).
    """
    value = _token(token_bytes)
    async with transaction():
        if old:
            await accounts.delete_session(digest_of(old))
        await accounts.save_session(digest_of(value), account, _token(token_bytes), now, now + ABSOLUTE, stage=stage, address=address, device=device, note=note(digest_of(value)))
    return value


async def load_session(value: str, now: datetime) -> Session | None:
    """The session of a cookie's value, or None where it is unknown, idle too long, too old, or its account is disabled."""
    digest = digest_of(value)
    found = await accounts.load_session(digest)
    if found is None:
        return None
    row, account = found
    if now >= row["expires_at"] or now - row["seen_at"] >= IDLE or not account["active"]:
        await accounts.delete_session(digest)
        return None
    if now - row["seen_at"] >= _TOUCH:
        await accounts.touch_session(digest, now)
    return Session(digest, row["csrf"], account, row["stage"], row["note"])


# What is shown once ---------------------------------------------------------------------


def seal_note(keys: Keys, digest: str, words: str) -> str:
    return keys.seal(words.encode(), f"note {digest}").hex()


async def leave_note(session: Session, keys: Keys, words: str) -> None:
    """For the session's next page that asks: a one-time password, recovery codes. Sealed, since it lies in the database until then.

    So the answer to the post is a redirect, and a double click still sees what the first one made.
    """
    async with transaction():
        await accounts.save_session_note(session.digest, seal_note(keys, session.digest, words))


async def take_note(session: Session, keys: Keys) -> str:
    """The note left, empty for none; gone afterwards."""
    if not session.note:
        return ""
    async with transaction():
        await accounts.save_session_note(session.digest, "")
    return keys.unseal(bytes.fromhex(session.note), f"note {session.digest}").decode()


# Is this form ours? -------------------------------------------------------------------


def require_same_origin(request: Request) -> None:
    """Raises NotAllowed for a post that another site's page sent.

    Every browser of the last years sends Origin with a post; where it does not, the
    session's own token still decides.  (Our Referrer-Policy is same-origin, because
    no-referrer would make browsers send `Origin: null` with our own forms.)
    """
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    foreign = site not in ("", "same-origin", "none")
    if origin and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        foreign = True
    if foreign:
        raise NotAllowed("这次提交来自别的网站，没有执行。请在本系统的页面里操作。")


def require_named_origin(request: Request) -> None:
    """For posts before login, which have no token: the browser must say where they come from."""
    if not request.headers.get("origin") and not request.headers.get("sec-fetch-site"):
        raise NotAllowed("浏览器没有说明提交来自哪个页面，没有执行。请换用较新的浏览器。")


def require_token(session: Session, given: str) -> None:
    if not hmac.compare_digest(session.csrf.encode(), given.encode()):
        raise NotAllowed("页面已过期，本次提交没有执行。请返回，刷新页面后再试。")

"""What every answer carries, errors included: set as the answer leaves, so that no page can forget it."""

from __future__ import annotations

from litestar.types import Message, Scope

from portal.web.access import answered, entry_of

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(self), microphone=()",
}


async def set_headers(message: Message, scope: Scope) -> None:
    """Litestar's `before_send`: it sees the answers of routes and of errors alike."""
    if message["type"] != "http.response.start":
        return
    led = next((value.decode("latin-1") for name, value in message["headers"] if name.lower() == b"location"), "")
    await answered(scope, message["status"], led)
    named = {name.lower(): value for name, value in message["headers"]}
    wanted = {name.encode(): value.encode() for name, value in HEADERS.items()}
    if b"cache-control" not in named:
        wanted[b"cache-control"] = b"no-store"  # personal and internal data: not on a shared computer's disk
    if scope["scheme"] == "https":
        wanted[b"strict-transport-security"] = b"max-age=31536000; includeSubDomains"
    wanted[b"x-request-id"] = entry_of(scope).request_id.encode()
    message["headers"] = [(name, value) for name, value in message["headers"] if name.lower() not in wanted]
    message["headers"] += sorted(wanted.items())

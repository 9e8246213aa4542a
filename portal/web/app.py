"""The staff portal as an ASGI application. Pages parse, call a step, render: what is decided is decided in portal.steps."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment
from litestar import Litestar
from litestar.datastructures import State

from portal.prints.render import OnDemand
from portal.settings import Settings
from portal.store import engine, rights, schema
from portal.store.keys import Keys
from portal.texts.files import load_wording
from portal.web import access, assets, errors, headers, pages, routes
from portal.web.sessions import CookieRule

MOST_BODY = 256 * 1024


@dataclass(frozen=True, slots=True)
class Portal:
    """What handlers share. `clock` dates acts (it may be simulated); `wall` ages sessions (it never is)."""

    settings: Settings
    keys: Keys
    sectors: Any
    clock: Callable[[], datetime]
    wall: Callable[[], datetime]
    token_bytes: Callable[[int], bytes]
    templates: Environment
    cookie: CookieRule
    printing: OnDemand
    # Each hash takes 64 MiB and a core: a burst of logins waits here instead of taking the machine.
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    # Forms being acted on in this process, by their digest: the same form sent again waits for the first one's answer.
    underway: dict[str, asyncio.Event] = field(default_factory=dict)
    # Each file read takes a process of its own.
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))


def share(
    settings: Settings,
    *,
    keys: Keys,
    sectors: Any,
    clock: Callable[[], datetime] | None = None,
    wall: Callable[[], datetime] | None = None,
    token_bytes: Callable[[int], bytes] = secrets.token_bytes,
    loopback: bool = False,
) -> Portal:
    """What handlers share. `loopback`: served on 127.0.0.1 without TLS, so the cookie has a plain name."""
    clock = clock or settings.now
    if wall is None:
        wall = (lambda: datetime.now(UTC)) if settings.simulated else clock
    return Portal(
        settings=settings, keys=keys, sectors=sectors, clock=clock, wall=wall, token_bytes=token_bytes,
        templates=pages.build_environment(load_wording(settings.texts)), cookie=CookieRule(secure=not loopback),
        printing=OnDemand(settings.data / "fonts", settings.fonts),
    )  # fmt: skip


def create_app(portal: Portal) -> Litestar:
    """The application; its handlers find `portal` in its state.

    Opens the database at start-up and refuses to start unless it is current; raises
    RuntimeError when a route declares no access.
    """
    app = Litestar(
        route_handlers=[assets.static_file, *routes.ALL],
        guards=[access.admit],
        exception_handlers=errors.HANDLERS,  # type: ignore[arg-type]
        before_send=[headers.set_headers],
        lifespan=[_database],
        openapi_config=None,  # /schema is closed
        request_max_body_size=MOST_BODY,
        state=State({"portal": portal}, deep_copy=False),
        logging_config=None,
        debug=False,
    )
    access.require_declared(app)
    return app


@asynccontextmanager
async def _database(app: Litestar) -> AsyncIterator[None]:
    await engine.open_engine(app.state.portal.settings.database_url)
    try:
        await schema.require_current()
        await rights.require_application_role()
        yield
    finally:
        await asyncio.to_thread(app.state.portal.printing.close)
        await engine.close_engine()

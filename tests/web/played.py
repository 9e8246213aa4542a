"""A bureau with nothing in it but its first accounts, served to browsers; time stands until a test moves it, for the worker too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from portal import jobs
from portal.plugins import Sectors
from portal.settings import Settings
from portal.sheets.write import write_xlsx
from portal.steps import sample, setup
from portal.steps.acting import stamp
from portal.store import accounts, engine, passwords
from portal.store.keys import load_keys
from portal.web.app import create_app, share
from tests import office
from tests.public_site.browser import Browser
from tests.public_site import serving
from tests.web.bureau import PASSWORD, Clock
from tests.web.desk import Desk
from tests.web.phone import served


class Timed(Settings):
    """Settings whose `now` a test's clock gives; nothing says 演示 and a second factor is asked for, as in a real installation."""

    __slots__ = ()
    clock: Clock

    def now(self) -> datetime:
        return self.clock()


@dataclass
class Played:
    folder: Path
    clock: Clock
    address: str
    browser: Browser
    secrets: dict[str, str]
    loop: asyncio.AbstractEventLoop
    settings: Settings
    sectors: Sectors

    def desk(self, width: int = 1280, *, dark: bool = False, beside: Desk | None = None) -> Desk:
        """A browser nobody has logged in with yet, or a second tab of another's."""
        page = self.browser.page(width, dark=dark, beside=beside.page if beside else None)
        return Desk(page, self.address, self.clock, self.secrets)

    def work(self) -> None:
        """What waits for the worker is done."""
        working = jobs.work(self.settings, load_keys(self.folder / "keys"), self.sectors, until_idle=True)
        asyncio.run_coroutine_threadsafe(working, self.loop).result()

    @contextmanager
    def site(self) -> Iterator[str]:
        """The address of the public site, served as it was published."""
        with serving.served(self.folder / "site") as address:
            yield address

    def hire(self, login: str, name: str, unit: str, role: str) -> None:
        """An account of a unit, as two administrators make one; its password is everybody's."""
        async def make() -> None:
            home = next(one["id"] for one in await accounts.load_organisations() if one["name"] == unit)
            await accounts.save_account(login, name, home, [role], self.clock(), password=passwords.hash_password(PASSWORD), must_change=False)

        asyncio.run_coroutine_threadsafe(make(), self.loop).result()

    def query(self, sql: str, *values: Any) -> list[tuple]:
        return office.query(self.folder, sql, *values)

    def file(self, name: str, rows: list[list[str]]) -> str:
        path = self.folder / name
        path.write_bytes(write_xlsx(rows))
        return str(path)


async def begin(folder: Path, settings: Settings, sectors: Sectors, now: datetime) -> None:
    await engine.open_engine(settings.database_url)
    try:
        hashed = passwords.hash_password(PASSWORD)
        await setup.init(
            key_folder=folder / "keys", name="未定名", region=setup.UNNAMED, now=now, stamp=stamp(now), sectors=sectors, password=lambda login: PASSWORD
        )  # fmt: skip
        await sample.name_sample_bureau(1)
        for account in await accounts.load_accounts():
            await accounts.save_password(account["id"], hashed, must_change=False, at=now)
    finally:
        await engine.close_engine()


@contextmanager
def played(folder: Path, fonts: Path, sectors: Sectors, now: datetime) -> Iterator[Played]:
    folder.mkdir()
    (folder / "fonts").symlink_to(fonts)
    clock, loops = Clock(now), []
    Timed.clock = clock
    settings = Timed(data=folder, database_url=f"sqlite:///{folder / 'portal.db'}", simulated=False, sectors=None)
    asyncio.run(begin(folder, settings, sectors, now))
    app = create_app(share(settings, keys=load_keys(folder / "keys"), sectors=sectors, clock=clock, wall=clock, loopback=True))
    app.on_startup.append(lambda: loops.append(asyncio.get_running_loop()))
    with served(app) as address, Browser(unseen=True) as browser:
        yield Played(folder, clock, address, browser, {}, loops[0], settings, sectors)

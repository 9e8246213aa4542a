"""Opening an installation for one command: settings, database, keys, sectors, who acts."""

from __future__ import annotations

import unicodedata
import warnings
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.cli.failures import words_of
from portal.cli.speech import said
from portal.domain.errors import BadInput
from portal.plugins import Sectors, discover_sectors
from portal.settings import Settings, load_settings
from portal.steps.acting import Acting, open_acting
from portal.steps.backup import require_whole
from portal.store import accounts, engine, schema
from portal.store.keys import Keys, load_keys


@dataclass(frozen=True, slots=True)
class Office:
    settings: Settings
    keys: Keys
    sectors: Sectors

    async def acting(self, login: str | None) -> Acting:
        """Who acts now; without a login, the operator made by `init`."""
        login = login or "operator"
        account = await accounts.load_account(login)
        return await open_acting(account, login, self.settings.now(), self.keys, self.sectors)


def load_sectors(settings: Settings) -> Sectors:
    return discover_sectors(",".join(settings.sectors) if settings.sectors else None)


LARGEST = 1 << 30  # bytes of a file named on the command line


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[None]:
    """The database open, whether or not it holds anything yet; closed at the end. Refused where a restore was cut short."""
    require_whole(settings.data)
    with warnings.catch_warnings():
        # Piccolo announces an unreachable server in English before it raises; the sentence comes from the failure.
        warnings.filterwarnings("ignore", message=".*Unable to connect to database")
        await engine.open_engine(settings.database_url)
    try:
        yield
    finally:
        await engine.close_engine()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Office]:
    """An installation that exists and is up to date; the database is closed at the end."""
    require_whole(settings.data)
    file = settings.database_file
    if file and not file.exists():
        raise BadInput(f"数据目录“{settings.data}”里还没有数据库。请检查 PORTAL_DATA，或先运行 portal init。")
    async with database(settings):
        await schema.require_current()
        yield Office(settings, load_keys(settings.data / "keys"), load_sectors(settings))


@asynccontextmanager
async def acting(args: Namespace) -> AsyncIterator[tuple[Acting, Office]]:
    """`args.as_login` at work in the installation the environment names."""
    async with opened(load_settings()) as office:
        yield await office.acting(args.as_login), office


def say(text: str) -> None:
    print(said(text), flush=True)


def read_file(path: str, what: str = "文件") -> bytes:
    """The bytes of a file the user named. BadInput for missing, unreadable, empty files and folders."""
    place = Path(path)
    try:
        with place.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise BadInput(f"找不到{what}“{path}”。请检查路径。") from None
    except IsADirectoryError:
        raise BadInput(f"“{path}”是一个文件夹，不是{what}。") from None
    except OSError as problem:
        raise BadInput(f"{what}“{path}”不能读取：{words_of(problem)}。") from None
    if len(data) > LARGEST:
        raise BadInput(f"{what}“{path}”超过 {LARGEST >> 30} GB，不能读取。")
    if not data:
        raise BadInput(f"{what}“{path}”是空的。")
    return data


def write_file(path: str, data: bytes) -> None:
    """A new file the user named: whole or not there. BadInput where something is there already or it cannot be written."""
    target = Path(path)
    made = False
    try:
        with target.open("xb") as stream:
            made = True
            stream.write(data)
    except FileExistsError:
        raise BadInput(f"“{path}”已经存在，没有覆盖。请换一个文件名。") from None
    except OSError as problem:
        if made:  # a full disk: half a file helps nobody
            target.unlink(missing_ok=True)
        raise BadInput(f"“{path}”不能写入：{words_of(problem)}。") from None


def read_line(path: str, what: str) -> str:
    """The one line of a secret or passphrase file, without its line end."""
    try:
        text = read_file(path, what).decode()
    except UnicodeDecodeError:
        raise BadInput(f"{what}“{path}”不是 UTF-8 文本。") from None
    line = text.removesuffix("\n").removesuffix("\r")
    if "\n" in line or "\r" in line or not line:
        raise BadInput(f"{what}“{path}”应只有一行。")
    return line


def print_table(rows: list[tuple[str, object]]) -> None:
    """label, value lines aligned by display width (a Chinese character is two columns)."""
    def width(text: str) -> int:
        return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)

    rows = [(said(label), value) for label, value in rows]
    widest = max((width(label) for label, _ in rows), default=0)
    for label, value in rows:
        shown = f"{value:,}" if isinstance(value, int) else said(str(value))
        say(f"  {label}{' ' * (widest - width(label))}  {shown}")

"""Running the command line inside the test process: quick, and every stream and exit code kept apart."""

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

from portal.cli.main import build_parser, main
from portal.plugins import discover_sectors
from portal.store import engine
from tests import office, pools

ROOT = Path(__file__).resolve().parents[2]
#: What a process does once at its start, hundreds of commands in one test process need not do again.
ONCE = {"portal.cli.main.build_parser": cache(build_parser), "portal.cli.office.discover_sectors": cache(discover_sectors), "asyncio.run": pools.run}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    raw: bytes

    def lines(self, start: str) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith(start)]


class Portal:
    """`portal(*words)` in one data folder, as if typed there; `owner`: with every right in its database.

    Its sectors are those of the test bureau; PORTAL_SECTORS="" is all that are installed.
    """

    def __init__(self, data: Path, *, owner: bool = False, **environ: str):
        self.data = data
        url = office.database_url(data, owner=owner)
        self.environ = {
            "PORTAL_DATA": str(data), "PORTAL_SECTORS": office.SECTORS, **({"DATABASE_URL": url} if url else {}), **environ,
        }

    def __call__(self, *words: object) -> Done:
        raw = io.BytesIO()
        out, err = io.TextIOWrapper(raw, "utf-8", write_through=True), io.StringIO()
        own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_") and name != "DATABASE_URL"}
        with mock.patch.dict(os.environ, {**own, **self.environ}, clear=True), contextlib.ExitStack() as start:
            for name, made in ONCE.items():
                start.enter_context(mock.patch(name, made))
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = main([str(word) for word in words])
                except SystemExit as end:  # argparse: wrong usage, --help
                    code = end.code
        return Done(code, raw.getvalue().decode(), err.getvalue(), raw.getvalue())

    def well(self, *words: object) -> str:
        """The output of a command that must succeed and say nothing on standard error."""
        done = self(*words)
        assert (done.code, done.err) == (0, ""), (words, done)
        return done.out

    def refused(self, *words: object) -> str:
        """The one sentence of a command that must be refused with nothing on standard output."""
        done = self(*words)
        assert done.code == 1 and done.out == "", (words, done)
        first, *problems = done.err.splitlines()
        assert first.startswith("portal: ") and first.endswith("。"), done.err
        assert all(line.startswith("  ") for line in problems) and "Traceback" not in done.err, done.err
        return done.err


class FakePrinter:
    """Stands for portal.prints.render.Printer where a test is not about paper: the same key, the same few bytes."""

    version = "fake"

    def __init__(self, *_: object, **__: object):
        pass

    def __enter__(self) -> "FakePrinter":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def render_many(self, jobs):
        for key, template, _ in jobs:
            yield key, f"%PDF-1.7 {template} {key}\n".encode()


PYTHON = [sys.executable, "-m", "portal.cli"]


def database_of(portal: Portal) -> dict[str, str | bytes]:
    """Everything in the database by table, to be compared."""

    async def look() -> dict[str, str | bytes]:
        await engine.open_engine(office.settings_of(portal.data).database_url)
        try:
            return await office.snapshot(without=())
        finally:
            await engine.close_engine()

    return pools.run(look())

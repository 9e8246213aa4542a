"""What is made once for all test processes of a run, by the first that asks for it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.prints import fonts


def run_folder(tmp_path_factory) -> Path:
    """The folder all test processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def ready_fonts(tmp_path_factory) -> Path:
    """A folder of fonts for printers: unpacking them takes two seconds."""
    folder = run_folder(tmp_path_factory) / "fonts-of-the-run"
    folder.mkdir(exist_ok=True)
    with one_at_a_time(folder / "lock"):
        fonts.ready_fonts(folder)
    return folder

"""Copies of a small bureau's database for tests of the portal."""

from itertools import count

import pytest
from argon2 import PasswordHasher

from portal.store import passwords
from tests import office
from tests.office_fixtures import engine_kind, no_database_stays  # noqa: F401 - used by their names
from tests.once import ready_fonts, run_folder
from tests.web.bureau import build_stage, open_house


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes():
    """Real argon2 costs 64 MiB and a core each time; what the tests ask does not depend on its cost."""
    before, passwords._HASHER = passwords._HASHER, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    passwords._HASHER = before


@pytest.fixture(scope="session")
def stages(tmp_path_factory):
    """The stages, the same for all test processes of this run."""
    folder = run_folder(tmp_path_factory) / "web-stages"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def printing(tmp_path_factory, one_nursery):
    """`printing(house)` before a document is asked for: unpacking the fonts anew costs more than the document."""
    folder = ready_fonts(tmp_path_factory)
    return lambda house: (house.folder / "fonts").symlink_to(folder)


@pytest.fixture
def house_at(stages, tmp_path, engine_kind):  # noqa: F811
    """`house_at(stage)`: a running portal on a fresh copy of that stage; the one before stops (a process has one database)."""
    running, numbers = [], count()

    def stop():
        while running:
            running.pop().client.__exit__(None, None, None)

    def make(stage: str = "start", **more):
        stop()
        folder = tmp_path / f"data{next(numbers)}"
        office.copy_folder(build_stage(stages, stage, engine_kind), folder)
        house = open_house(folder, stage, **more)
        house.client.__enter__()
        running.append(house)
        return house

    yield make
    stop()

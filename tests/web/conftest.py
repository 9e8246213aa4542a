"""Copies of a small bureau's database for tests of the portal."""

from itertools import count

import pytest
from argon2 import PasswordHasher

from portal.store import passwords
from tests import office
from tests.office_fixtures import no_database_stays  # noqa: F401 - used by its name
from tests.once import ready_fonts, run_folder
from tests.web.bureau import build_stage, open_house


#: What the two engines could answer differently is asked on both: every page, every list and number, the walk, what is sent twice. The rest of
#: these tests is about forms and pages, whose steps and queries are tested on both beneath (tests/steps, tests/store).
ON_BOTH = {"test_access", "test_lists", "test_once", "test_statistics", "test_walk", "test_year"}


def pytest_generate_tests(metafunc):
    if "engine_kind" in metafunc.fixturenames:
        kinds = [pytest.param(kind, marks=[pytest.mark.postgres] * (kind == "postgres")) for kind in office.ENGINES]
        wanted = kinds if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH else kinds[:1]
        metafunc.parametrize("engine_kind", wanted, indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine_kind(request) -> str:
    if request.param == "postgres":
        request.getfixturevalue("postgres_url")
    return request.param


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
def house_at(stages, tmp_path, engine_kind):
    """`house_at(stage)`: a running portal on a fresh copy of that stage; the one before stops (a process has one database)."""
    running, numbers = [], count()

    def stop():
        while running:
            running.pop().client.__exit__(None, None, None)

    def make(stage: str = "start", **more):
        stop()
        folder = tmp_path / f"data{next(numbers)}"
        office.copy_folder(build_stage(stages, stage, engine_kind), folder, kept=True)
        house = open_house(folder, stage, **more)
        house.client.__enter__()
        running.append(house)
        return house

    yield make
    stop()

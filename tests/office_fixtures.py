"""Fixtures over tests/office.py: one opened copy of a stage for each test, closed afterwards.

Imported by the conftest.py of the folders that need them; the stages are built once a session.
"""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager

import pytest
from argon2 import PasswordHasher

from portal.steps import verify
from portal.store import engine, keys, passwords
from tests import office
from tests.once import run_folder

__all__ = [
    "approved", "approved_folder", "cheap_passphrases", "committed", "committed_folder", "drawn", "drawn_folder",
    "engine_kind", "entered", "entered_folder", "filled", "filled_folder", "no_database_stays", "published",
    "published_folder", "recomputed_once", "stages",
]  # fmt: skip


@pytest.fixture(scope="session", params=[pytest.param(kind, marks=[pytest.mark.postgres] * (kind == "postgres")) for kind in office.ENGINES])
def engine_kind(request) -> str:
    """What a test asks for, by itself or through a stage, to run on every engine."""
    if request.param == "postgres":
        request.getfixturevalue("postgres_url")
    return request.param


@pytest.fixture(autouse=True)
def no_database_stays(tmp_path):
    """A folder is cheap to keep, a database is not."""
    yield
    office.drop_databases_in(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def cheap_passphrases():
    """Passphrases and passwords cost a tenth of a second by design; hundreds of them would be most of the suite's time."""
    real, hasher = dict(keys._SCRYPT), passwords._HASHER
    keys._SCRYPT["n"] = 16
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    keys._SCRYPT.update(real)
    passwords._HASHER = hasher


@pytest.fixture(scope="session", autouse=True)
def recomputed_once():
    """Most tests verify the same draws of the same stages: what held byte for byte holds again. Whatever differs in one byte is recomputed."""
    real, held = verify.require_bundle, {}

    def require_bundle(files, logged_digest=None):
        key = logged_digest, *((name, hashlib.sha256(files[name]).digest()) for name in sorted(files))
        if key not in held:
            held[key] = real(files, logged_digest)  # nothing is kept of one that is refused
        return held[key]

    verify.require_bundle = require_bundle
    yield
    verify.require_bundle = real


def stages_on(kind: str, tmp_path_factory) -> office.Stages:
    """The stages on one engine, the same for all test processes of this run."""
    root = run_folder(tmp_path_factory) / f"stages-{kind}"
    root.mkdir(exist_ok=True)
    return office.Stages(root, kind)


@pytest.fixture(scope="session")
def stages(engine_kind, tmp_path_factory, cheap_passphrases, one_loop) -> office.Stages:
    return stages_on(engine_kind, tmp_path_factory)


def _folder(stage: str):
    @pytest.fixture(name=f"{stage}_folder")
    def folder(stages, tmp_path):  # not async: building a stage runs a loop of its own
        return stages.copy(stage, tmp_path / "data")

    return folder


@asynccontextmanager
async def _opened(folder):
    house = await office.open_house(folder)
    try:
        yield house
    finally:
        await engine.close_engine()


filled_folder, committed_folder, drawn_folder = (_folder(stage) for stage in office.STAGES[:3])
entered_folder, approved_folder, published_folder = (_folder(stage) for stage in office.STAGES[3:])


@pytest.fixture
async def filled(filled_folder):
    async with _opened(filled_folder) as house:
        yield house


@pytest.fixture
async def committed(committed_folder):
    async with _opened(committed_folder) as house:
        yield house


@pytest.fixture
async def drawn(drawn_folder):
    async with _opened(drawn_folder) as house:
        yield house


@pytest.fixture
async def entered(entered_folder):
    async with _opened(entered_folder) as house:
        yield house


@pytest.fixture
async def approved(approved_folder):
    async with _opened(approved_folder) as house:
        yield house


@pytest.fixture
async def published(published_folder):
    async with _opened(published_folder) as house:
        yield house
